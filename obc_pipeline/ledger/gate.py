"""The gate between what is proposed and what is posted: where a contract stands, and why. Reads only; `post` judges again for itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from obc_pipeline.documents import Documents, load
from obc_pipeline.home import Home
from obc_pipeline.ledger.approval import Approval, Standing, others_approved, read_approvals, standing
from obc_pipeline.ledger.chain import ContractLedger, inspect_ledger
from obc_pipeline.ledger.entry import dollars
from obc_pipeline.ledger.errors import LedgerError, NoFinishedRun
from obc_pipeline.ledger.proposal import Proposal, propose
from obc_pipeline.lock import only_run


class GateState(StrEnum):
    """Where a contract stands. Only APPROVED lets a posting through."""

    NOTHING_PROPOSED = "NOTHING PROPOSED"
    AWAITING_APPROVAL = "AWAITING APPROVAL"
    APPROVED = "APPROVED"
    CHANGED_SINCE_APPROVAL = "CHANGED SINCE APPROVAL"
    NOT_CURRENT = "NOT CURRENT"
    BLOCKED = "BLOCKED"


@dataclass(frozen=True)
class Gate:
    """One contract at its gate.

    why:      one sentence for people: who approved, or what stands in the way and what would remove it. No student, no value of a row.
    proposal: None where none can be made (then the state is BLOCKED or NOT_CURRENT). ledger: what is posted, up to the first damage.
    """

    contract_id: str
    state: GateState
    why: str
    ledger: ContractLedger
    proposal: Proposal | None = None
    approvals: tuple[Approval, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether a posting would go through, or has nothing to do."""
        return self.state in (GateState.APPROVED, GateState.NOTHING_PROPOSED)

    def __str__(self) -> str:
        return f"{self.state}: {self.why}"


def look_at_gate(home: Home, contract_id: str, documents: Documents | None = None) -> Gate:
    """Where the contract stands now. What is wrong with ledger, run or approvals is told in the result.

    Raises HomeBusy while a run is going on in another process, DocumentsInvalid when the documents cannot be read.
    """
    with only_run(home):
        documents = documents or load(home)
        ledger = inspect_ledger(home, contract_id)
        try:
            proposal = propose(home, contract_id, documents)
            given = read_approvals(home, contract_id, proposal.proposal_hash)
        except LedgerError as refusal:
            state = GateState.NOT_CURRENT if isinstance(refusal, NoFinishedRun) else GateState.BLOCKED
            return Gate(contract_id, state, str(refusal), ledger)
        state, why = _judge(home, proposal, given)
        return Gate(contract_id, state, why, ledger, proposal, given)


def _judge(home: Home, proposal: Proposal, given: Sequence[Approval]) -> tuple[GateState, str]:
    """The same questions as `post` asks, in its order."""
    what = f"{len(proposal.entries):,} entries, {dollars(proposal.amount_cents):,} dollars, statement {proposal.statement_number}"
    if proposal.run.why_old:
        return GateState.NOT_CURRENT, f"{proposal.run.why_old}; a new run proposes anew"
    if not proposal.entries:
        return GateState.NOTHING_PROPOSED, _why_nothing(proposal)
    if proposal.blocks:
        return GateState.BLOCKED, f"{what}; stopped by {len(proposal.blocks)} check(s): {'; '.join(proposal.blocks[:3])}"
    reach = standing(proposal, given)
    if reach.is_enough:
        return GateState.APPROVED, f"by {_people(given, reach)}; {what}"
    wanted = " and ".join(reach.missing)
    if not given and others_approved(home, proposal):
        return GateState.CHANGED_SINCE_APPROVAL, f"what was approved is no longer what is proposed; {what}. Still needed: {wanted}"
    told = f" Approved so far by {_people(given, reach)}." if reach.approved_by else ""
    return GateState.AWAITING_APPROVAL, f"{what}.{told} Still needed: {wanted}"


def _why_nothing(proposal: Proposal) -> str:
    if proposal.posted_as is not None:
        return f"what the last run proposed was posted as statement {proposal.posted_as}"
    if proposal.late_changes:
        return f"{len(proposal.late_changes):,} changes came after the restatement deadline and are listed in the late-change register"
    return "what is posted is what is owed"


def _people(given: Sequence[Approval], reach: Standing) -> str:
    """Name and office of those whose approval counts, in the order they gave it."""
    roles = {approval.by: approval.role for approval in given}
    return " and ".join(f"{name} ({roles[name]})" for name in (reach.accepted_by or reach.approved_by))
