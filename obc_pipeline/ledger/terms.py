"""What a contract says about its settlement: who approves, when two people must, what stops a statement, until when scores restate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

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
