"""What a contract says about its settlement: who approves, when two people must, what stops a statement, until when scores restate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from obc_pipeline.documents import Documents
from obc_pipeline.ledger.errors import NoSuchContract


@dataclass(frozen=True)
class Terms:
    """The terms of the contract version in force.

    approvers: name -> role, as the contract spells them. approver_roles: roles that may approve; empty = every approver's.
    dual_control_above: US dollars of one statement above which two people approve; None = one is enough.
    max_delta_share, max_reversal_share: 0-1, see `Breaker`.
    """

    contract_id: str
    version: int
    approvers: Mapping[str, str]
    approver_roles: tuple[str, ...]
    dual_control_above: Decimal | None
    restatement_deadline_on: date | None
    max_delta_share: Decimal
    max_reversal_share: Decimal

    @cached_property
    def digest(self) -> str:
        """SHA-256 of who approves, when two must, what stops a statement and until when: what an approval was given under.

        Without it, a limit lifted in the contract after a first approval would make that one approval enough.
        """
        stated = {
            "contract_id": self.contract_id,
            "approvers": sorted(self.approvers.items()),
            "approver_roles": sorted(self.approver_roles),
            "dual_control_above": _number(self.dual_control_above),
            "restatement_deadline_on": self.restatement_deadline_on.isoformat() if self.restatement_deadline_on else None,
            "max_delta_share": _number(self.max_delta_share),
            "max_reversal_share": _number(self.max_reversal_share),
        }
        return hashlib.sha256(json.dumps(stated, sort_keys=True, ensure_ascii=False).encode("utf-8")).hexdigest()


def terms_of(documents: Documents, contract_id: str, as_of: date) -> Terms:
    """The terms of the version in force on `as_of`, else of the latest. Raises NoSuchContract."""
    versions = [contract for contract in documents.contracts if contract.contract_id == contract_id]
    if not versions:
        known = ", ".join(sorted({contract.contract_id for contract in documents.contracts})) or "none"
        raise NoSuchContract(f"no contract is called {contract_id!r}; the documents have: {known}")
    in_force = [c for c in versions if c.effective_from <= as_of and (c.effective_to is None or as_of < c.effective_to)]
    contract = (in_force or versions)[-1]
    return Terms(
        contract_id=contract_id,
        version=contract.version,
        approvers={person.name: person.role for person in contract.approvers},
        approver_roles=contract.approver_roles,
        dual_control_above=contract.dual_control_above,
        restatement_deadline_on=contract.restatement_deadline,
        max_delta_share=contract.breakers.max_delta_share,
        max_reversal_share=contract.breakers.max_reversal_share,
    )


def _number(value: Decimal | None) -> str | None:
    """The same number is the same text, however it was written: 50000 and 50000.00."""
    return None if value is None else f"{value.normalize():f}"
