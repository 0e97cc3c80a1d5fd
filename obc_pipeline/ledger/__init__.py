"""The ledger: what was posted for each contract, in files that are written once and chained by hashes. Plain functions over a home.

Only this package writes under `home.ledger`. `docs/ledger.md` says what it guarantees and what it cannot.
"""

from __future__ import annotations

from obc_pipeline.ledger.approval import Approval, Approved, approve, read_approvals, standing
from obc_pipeline.ledger.chain import ContractLedger, Damage, contracts_with_ledger, inspect_ledger, read_ledger
from obc_pipeline.ledger.errors import LedgerError
from obc_pipeline.ledger.posting import Posted, post
from obc_pipeline.ledger.proposal import Proposal, ProposedEntry, propose
from obc_pipeline.ledger.register import register_ledger

__all__ = [
    "Approval",
    "Approved",
    "ContractLedger",
    "Damage",
    "LedgerError",
    "Posted",
    "Proposal",
    "ProposedEntry",
    "approve",
    "contracts_with_ledger",
    "inspect_ledger",
    "post",
    "propose",
    "read_approvals",
    "read_ledger",
    "register_ledger",
    "standing",
]
