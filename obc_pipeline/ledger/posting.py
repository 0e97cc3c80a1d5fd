"""Post: approved proposals become entries of the ledger, all in one file that appears whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from obc_pipeline.documents import Documents, load
from obc_pipeline.home import Home
from obc_pipeline.ledger import statement_file
from obc_pipeline.ledger.approval import (
    Approval,
    approval_hash,
    others_approved,
    read_approvals,
    refuse_blocked,
    refuse_old,
    standing,
    utc_now,
)
from obc_pipeline.ledger.chain import contract_folder
from obc_pipeline.ledger.entry import Entry, dollars
from obc_pipeline.ledger.errors import BreakerTripped, LedgerDamaged, NotApproved, ProposalsChanged, ProposalsInconsistent
from obc_pipeline.ledger.evidence import evidence_hash, evidence_path, freeze
from obc_pipeline.ledger.proposal import Proposal, ProposedEntry, open_to_read, propose
from obc_pipeline.ledger.settlement import Settlement, settle, settlement_path
from obc_pipeline.ledger.statement_file import StatementName
from obc_pipeline.ledger.write_once import write_once
from obc_pipeline.lock import only_run


@dataclass(frozen=True)
class Posted:
    """What `post` did. entries: empty when there was nothing to post, and then path is None."""

    proposal: Proposal
    entries: tuple[Entry, ...]
    path: Path | None

    @property
    def head_hash(self) -> str:
        return self.entries[-1].entry_hash if self.entries else self.proposal.ledger.head_hash

    @property
    def entry_count(self) -> int:
        return self.proposal.ledger.entry_count + len(self.entries)


def post(home: Home, contract_id: str, *, documents: Documents | None = None, now: Callable[[], datetime] = utc_now) -> Posted:
    """Appends the approved proposals of a contract to its ledger as the next statement.

    With nothing proposed, nothing is written. Killed at any moment, the ledger is as before or as after.
    Raises RunIsOld, ContractBlocked, BreakerTripped, ProposalsChanged, NotApproved and what `propose` raises; HomeBusy while a run is
    going on. When it raises one of these, nothing was posted.
    """
    with only_run(home):
        documents = documents or load(home)
        proposal = propose(home, contract_id, documents)
        refuse_old(proposal)
        if not proposal.entries:
            return Posted(proposal, (), None)
        refuse_blocked(proposal)
        approvals = read_approvals(home, contract_id, proposal.proposal_hash)
        approved_by = _who_approved(home, proposal, approvals)
        with open_to_read(home) as connection:
            settlement = settle(connection, documents, contract_id, proposal.statement_number, proposal.run.as_of_date)
        _refuse_other_balances(proposal, settlement)
        evidence = freeze(home, proposal.run)
        _keep(evidence_path(home, evidence_hash(evidence)), evidence)
        _keep(settlement_path(home, settlement.digest), settlement.content)
        entries = _entries(
            proposal,
            {
                "contract_id": proposal.contract_id,
                "statement_number": proposal.statement_number,
                "run_id": proposal.run.run_id,
                "as_of_date": proposal.run.as_of_date,
                "evidence_cutoff_at": _utc(proposal.run.evidence_cutoff_at),
                "evidence_hash": evidence_hash(evidence),
                "settlement_hash": settlement.digest,
                "posted_at": _utc(now()),
                "approved_by": "; ".join(approved_by),
                "approval_hash": approval_hash(home, contract_id, proposal.proposal_hash),
            },
        )
        name = StatementName(proposal.statement_number, entries[-1].entry_hash)
        path = contract_folder(home, contract_id) / str(name)
        write_once(path, statement_file.encode(entries))
        return Posted(proposal, entries, path)


def _keep(path: Path, content: bytes) -> None:
    """Writes what a posting rests on under its own hash. Raises LedgerDamaged when something else lies there."""
    try:
        write_once(path, content)
    except FileExistsError:
        raise LedgerDamaged(
            f"{path.parent.name}/{path.name} was changed after it was written; nothing was posted. Remove it and post again"
        ) from None


def _who_approved(home: Home, proposal: Proposal, approvals: Sequence[Approval]) -> tuple[str, ...]:
    """Those whose approval counts. Raises BreakerTripped, ProposalsChanged or NotApproved when they are too few."""
    reach = standing(proposal, approvals)
    if reach.is_enough:
        return reach.accepted_by
    contract_id, amount = proposal.contract_id, dollars(proposal.amount_cents)
    wanted = f"{'; '.join(reach.missing)}. Nothing was posted"
    what = f"statement {proposal.statement_number} of {contract_id} ({len(proposal.entries)} entries, {amount})"
    if not approvals and others_approved(home, proposal):
        raise ProposalsChanged(
            f"{what} is no longer what was approved: look at it with `obc statement {contract_id}` and approve it again. Still needed: {wanted}"
        )
    if reach.breached and len(reach.approved_by) >= reach.people_needed:
        raise BreakerTripped(f"{what} is over a limit of the contract. Still needed: {wanted}")
    raise NotApproved(f"{what} is not approved. Still needed: {wanted}")


def _refuse_other_balances(proposal: Proposal, settlement: Settlement) -> None:
    """After the posting every line stands at what its settlement says is payable, and a line without one at nothing."""
    after = dict(proposal.ledger.balances)
    for entry in proposal.entries:
        after[entry.line_key] = after.get(entry.line_key, 0) + entry.amount_cents
    if {key: amount for key, amount in after.items() if amount} != {
        key: amount for key, amount in settlement.payable_cents.items() if amount
    }:
        raise ProposalsInconsistent(
            f"what is proposed for {proposal.contract_id} does not lead to what its lines are settled at; "
            "nothing was posted. This is a defect of the pipeline: please report it"
        )


def _entries(proposal: Proposal, same: Mapping[str, Any]) -> tuple[Entry, ...]:
    """The proposals as entries, chained to the ledger's head. same: the columns that all entries of a statement share."""
    entries: list[Entry] = []
    head = proposal.ledger.head_hash
    for seq, proposed in enumerate(proposal.entries, start=proposal.ledger.entry_count + 1):
        own = {name: getattr(proposed, name) for name in _OF_THE_LINE}
        entry = Entry(**same, **own, amount=dollars(proposed.amount_cents), entry_seq=seq, prev_hash=head, entry_hash="").sealed()
        entries.append(entry)
        head = entry.entry_hash
    return tuple(entries)


def _utc(moment: datetime) -> datetime:
    """UTC without zone, whole seconds: as the ledger keeps times."""
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)


_OF_THE_LINE = tuple(field.name for field in fields(ProposedEntry) if not field.name.endswith("_cents"))
