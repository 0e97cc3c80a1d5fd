"""Approve: a person named in the contract says yes to exactly these proposals. Written once, one small JSON file per yes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from obc_pipeline.documents import Documents, load
from obc_pipeline.home import Home
from obc_pipeline.ledger.breaker import BREAKERS, Breaker, tripped
from obc_pipeline.ledger.chain import APPROVALS, contract_folder
from obc_pipeline.ledger.entry import cents, dollars
from obc_pipeline.ledger.errors import ContractBlocked, LedgerDamaged, NotAnApprover, ProposalsChanged, RunIsOld
from obc_pipeline.ledger.proposal import Proposal, propose
from obc_pipeline.ledger.terms import Terms
from obc_pipeline.ledger.write_once import write_once
from obc_pipeline.lock import only_run
from obc_pipeline.names import same_name

# So many letters of a proposal hash are enough to know it by.
_LEAST_OF_A_HASH = 12


def utc_now() -> datetime:
    """The present moment in whole seconds, UTC."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Approval:
    """One yes. amount: US dollars, text. at: UTC. prev_hash: head of the ledger the statement is to be posted on.

    terms_hash: the contract's terms of approval as they were then (`Terms.digest`). accepts: names of the breakers the person says are meant.
    """

    contract_id: str
    statement_number: int
    prev_hash: str
    proposal_hash: str
    terms_hash: str
    entries: int
    amount: str
    by: str
    role: str
    at: str
    accepts: tuple[str, ...]
    run_id: str

    def as_bytes(self) -> bytes:
        """The file's content: JSON with a seal over all the rest."""
        record = asdict(self) | {"accepts": list(self.accepts)}
        text = json.dumps(record, sort_keys=True, ensure_ascii=False)
        return (
            json.dumps(record | {"seal": hashlib.sha256(text.encode()).hexdigest()}, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
        ).encode()

    @staticmethod
    def of_bytes(content: bytes) -> Approval:
        """Raises ValueError when the bytes are not exactly those of an approval."""
        try:
            record: dict[str, Any] = json.loads(content)
            del record["seal"]
            record["accepts"] = tuple(record["accepts"])
            approval = Approval(**record)
        except (KeyError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError):
            raise ValueError("it is not an approval") from None
        if approval.as_bytes() != content:
            raise ValueError("its bytes are not those that were written")
        return approval


@dataclass(frozen=True)
class Approved:
    """What `approve` did. is_new: False when the same person had said the same before, and nothing was written. by: as the contract spells it."""

    proposal: Proposal
    by: str
    approvals: tuple[Approval, ...]
    is_new: bool

    @property
    def standing(self) -> Standing:
        return standing(self.proposal, self.approvals)


def approve(
    home: Home,
    contract_id: str,
    by: str,
    *,
    accepts: Iterable[str] = (),
    seen: str | None = None,
    documents: Documents | None = None,
    now: Callable[[], datetime] = utc_now,
) -> Approved:
    """Records that `by` approves exactly what is proposed now. With nothing to post, nothing is recorded.

    accepts: breakers the person says are meant: delta, reversal.
    seen: the proposal hash, or how it begins, of the statement the person has looked at; None = whatever is proposed now.
    Raises NotAnApprover, ProposalsChanged, RunIsOld, ContractBlocked and what `propose` raises; HomeBusy while a run is going on.
    """
    unknown = sorted(set(accepts) - set(BREAKERS))
    if unknown:
        raise NotAnApprover(f"no breaker is called {unknown[0]!r}; there are: {', '.join(BREAKERS)}")
    with only_run(home):
        proposal = propose(home, contract_id, documents or load(home))
        name, role = approver(proposal.terms, by)
        refuse_old(proposal)
        _refuse_unseen(proposal, seen)
        if not proposal.entries:
            return Approved(proposal, name, (), False)
        refuse_blocked(proposal)
        given = read_approvals(home, contract_id, proposal.proposal_hash)
        own = [approval for approval in given if approval.by == name and approval.terms_hash == proposal.terms.digest]
        said_before = {accepted for approval in own for accepted in approval.accepts}
        is_new = not own or not set(accepts) <= said_before
        if is_new:
            approval = _approval(proposal, name, role, now(), said_before | set(accepts))
            path = _folder(home, contract_id) / f"{proposal.proposal_hash}_{len(given) + 1}.json"
            write_once(path, approval.as_bytes())
            given = (*given, approval)
        return Approved(proposal, name, given, is_new)


def _refuse_unseen(proposal: Proposal, seen: str | None) -> None:
    """A run between looking and approving must not make somebody approve what they have not seen."""
    if seen is None:
        return
    if len(seen) < _LEAST_OF_A_HASH or not proposal.proposal_hash.startswith(seen.lower()):
        raise ProposalsChanged(
            f"what is proposed for {proposal.contract_id} now is not what you looked at: its hash is {proposal.proposal_hash}, not {seen}. "
            f"Look at it again with `obc statement {proposal.contract_id}`. Nothing was recorded"
        )


def approver(terms: Terms, by: str) -> tuple[str, str]:
    """Name and role of the approver, as the contract spells them. Raises NotAnApprover."""
    wanted = same_name(by)
    for name, role in terms.approvers.items():
        if same_name(name) == wanted:
            if terms.approver_roles and role not in terms.approver_roles:
                raise NotAnApprover(
                    f"{name} is {role}; {terms.contract_id} is approved by: {', '.join(terms.approver_roles)}. Nothing was recorded"
                )
            return name, role
    if not terms.approvers:
        raise NotAnApprover(
            f"{terms.contract_id} names nobody who may approve; list them in the contract: `approvers: [{{name: …, role: …}}]`. Nothing was recorded"
        )
    people = ", ".join(f"{name} ({role})" for name, role in terms.approvers.items())
    raise NotAnApprover(f"{by!r} may not approve {terms.contract_id}; these may: {people}. Nothing was recorded")


def refuse_old(proposal: Proposal) -> None:
    """Raises RunIsOld when what the proposals rest on has changed since they were worked out."""
    if proposal.run.why_old:
        raise RunIsOld(f"{proposal.run.why_old} ({proposal.run.run_id}); start another with `obc run`, then look at the statement again")


def refuse_blocked(proposal: Proposal) -> None:
    """Raises ContractBlocked when a check stops the contract."""
    if proposal.blocks:
        raise ContractBlocked(
            f"{proposal.contract_id} is blocked by {len(proposal.blocks)} check(s), so nothing is posted: {'; '.join(proposal.blocks[:3])}"
        )


@dataclass(frozen=True)
class Standing:
    """How far the approvals of a proposal reach.

    approved_by: people who approved under the contract's terms of today and may do so. accepted_by: those of them who accept every
    breaker that is tripped; only they count. people_needed: 2 when more is paid, or more taken back, than `dual_control_above`.
    under_other_terms: people whose approval no longer counts, because who approves, or when two must, was changed after it.
    """

    people_needed: int
    approved_by: tuple[str, ...]
    accepted_by: tuple[str, ...]
    breached: tuple[Breaker, ...]
    dual_control_above: Decimal | None
    under_other_terms: tuple[str, ...] = ()

    @property
    def is_enough(self) -> bool:
        return len(self.accepted_by) >= self.people_needed

    @property
    def missing(self) -> tuple[str, ...]:
        """What must still be said, in words; empty when the proposals are approved."""
        if self.is_enough:
            return ()
        told = []
        if self.people_needed == 2 and len(self.approved_by) == 1:
            told.append(f"a second person's approval, as the statement moves more than {self.dual_control_above}")
        elif len(self.approved_by) < self.people_needed:
            told.append("approvals of two different people" if self.people_needed == 2 else "an approval")
        if told and self.under_other_terms:
            told[-1] += f" (the contract's terms of approval changed after {' and '.join(self.under_other_terms)} approved)"
        return (*told, *(f"approval given with --accept-breaker {breaker.name} ({breaker})" for breaker in self.breached))


def standing(proposal: Proposal, given: Sequence[Approval]) -> Standing:
    """How far these approvals reach for this proposal."""
    terms = proposal.terms
    breached = tripped(proposal)
    wanted = {breaker.name for breaker in breached}
    accepted: dict[str, set[str]] = {}
    for approval in given:
        if approval.terms_hash == terms.digest and may_approve(terms, approval.by):
            accepted.setdefault(approval.by, set()).update(approval.accepts)
    limit = terms.dual_control_above
    is_large = limit is not None and max(proposal.paid_cents, proposal.taken_back_cents) > cents(limit)
    accepting = tuple(name for name, words in accepted.items() if wanted <= words)
    outdated = dict.fromkeys(a.by for a in given if a.terms_hash != terms.digest and a.by not in accepted)
    return Standing(2 if is_large else 1, tuple(accepted), accepting, breached, limit, tuple(outdated))


def may_approve(terms: Terms, name: str) -> bool:
    """Whether the contract lists the name, in a role that approves."""
    return name in terms.approvers and (not terms.approver_roles or terms.approvers[name] in terms.approver_roles)


def read_approvals(home: Home, contract_id: str, proposal_hash: str) -> tuple[Approval, ...]:
    """The approvals of these proposals, in the order they were given. Raises LedgerDamaged when one was changed."""
    approvals = []
    for path in approval_paths(home, contract_id, proposal_hash):
        try:
            approval = Approval.of_bytes(path.read_bytes())
        except ValueError as error:
            raise LedgerDamaged(f"{path.relative_to(home.ledger)}: {error}. Nothing was posted; restore it from a backup") from None
        if approval.contract_id != contract_id or approval.proposal_hash != proposal_hash:
            raise LedgerDamaged(f"{path.relative_to(home.ledger)}: it approves something else than its name says. Nothing was posted")
        approvals.append(approval)
    return tuple(approvals)


def approval_paths(home: Home, contract_id: str, proposal_hash: str) -> list[Path]:
    """The approval files of these proposals, first given first. Raises LedgerDamaged when one is missing, a link, or misnamed."""
    found = {path.name: path for path in _folder(home, contract_id).glob(f"{proposal_hash}_*")}
    right = [f"{proposal_hash}_{number}.json" for number in range(1, len(found) + 1)]
    for name, path in found.items():
        if name not in right or path.is_symlink() or not path.is_file():
            raise LedgerDamaged(
                f"{path.relative_to(home.ledger)}: it does not belong here, or one before it is missing. Nothing was posted; `obc verify` says more"
            )
    return [found[name] for name in right]


def approval_hash(home: Home, contract_id: str, proposal_hash: str) -> str:
    """SHA-256 over the approval files of these proposals, one after the other: `cat <proposal_hash>_*.json | sha256sum`."""
    digest = hashlib.sha256()
    for path in sorted(_folder(home, contract_id).glob(f"{proposal_hash}_*.json"), key=lambda path: (len(path.name), path.name)):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def others_approved(home: Home, proposal: Proposal) -> bool:
    """Whether something else was approved for this very place in the ledger: then the proposals changed since."""
    for path in _folder(home, proposal.contract_id).glob("*_*.json"):
        try:
            approval = Approval.of_bytes(path.read_bytes())
        except ValueError:
            continue  # `obc verify` names it; it approves nothing
        if approval.prev_hash == proposal.ledger.head_hash and approval.proposal_hash != proposal.proposal_hash:
            return True
    return False


def _approval(proposal: Proposal, name: str, role: str, at: datetime, accepts: set[str]) -> Approval:
    return Approval(
        contract_id=proposal.contract_id,
        statement_number=proposal.statement_number,
        prev_hash=proposal.ledger.head_hash,
        proposal_hash=proposal.proposal_hash,
        terms_hash=proposal.terms.digest,
        entries=len(proposal.entries),
        amount=str(dollars(proposal.amount_cents)),
        by=name,
        role=role,
        at=at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        accepts=tuple(sorted(accepts)),
        run_id=proposal.run.run_id,
    )


def _folder(home: Home, contract_id: str) -> Path:
    return contract_folder(home, contract_id) / APPROVALS
