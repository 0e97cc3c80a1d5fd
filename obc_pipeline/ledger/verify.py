"""Verify: is everything still as it was received, accounted for, approved and posted? Reads all, changes nothing.

A chain alone cannot see that its tail was cut off or that all of it was written anew: for that, `heads` brings in what was printed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from obc_pipeline.home import Home
from obc_pipeline.ledger.approval import Approval, approval_hash, read_approvals
from obc_pipeline.ledger.chain import (
    APPROVALS,
    EVIDENCE,
    ContractLedger,
    Damage,
    Statement,
    contract_folder,
    contracts_with_ledger,
    inspect_ledger,
    is_contract_folder,
)
from obc_pipeline.ledger.entry import GENESIS, cents
from obc_pipeline.ledger.errors import LedgerDamaged, NoSuchContract
from obc_pipeline.ledger.evidence import evidence_path, read_evidence
from obc_pipeline.ledger.intake_proof import ArchiveProof, RowsProof, prove_archive, prove_rows
from obc_pipeline.ledger.proposal import proposal_hash_of
from obc_pipeline.ledger.settlement import SETTLEMENTS, read_settlement, settlement_path
from obc_pipeline.ledger.write_once import PARTIAL_SUFFIX

_APPROVAL_NAME = re.compile(r"(?P<hash>[0-9a-f]{64})_(?P<number>[1-9][0-9]*)\.json")
# What is the same in every entry of one statement.
_SHARED = (
    "contract_id",
    "statement_number",
    "run_id",
    "as_of_date",
    "evidence_cutoff_at",
    "evidence_hash",
    "settlement_hash",
    "posted_at",
    "approved_by",
    "approval_hash",
)


@dataclass(frozen=True)
class PrintedHead:
    """What a printed statement says: the hash of the last entry and, if known, how many entries there were."""

    head_hash: str
    entry_count: int | None = None


@dataclass(frozen=True)
class Verified:
    """What was looked at and what is wrong. archive, rows: None when they were left out."""

    ledgers: tuple[ContractLedger, ...]
    damages: tuple[Damage, ...]
    archive: ArchiveProof | None = None
    rows: RowsProof | None = None

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that is not as it should be; empty when all is well."""
        intake = (*(self.archive.problems if self.archive else ()), *(self.rows.problems if self.rows else ()))
        return (*map(str, self.damages), *intake)


def verify(
    home: Home,
    *,
    contract_id: str | None = None,
    heads: Sequence[PrintedHead] = (),
    with_intake: bool = True,
    progress: Callable[[str], None] = lambda text: None,
) -> Verified:
    """Checks every ledger (or one), printed heads against them, and the archive and its row accounting.

    Raises NoSuchContract when that contract has no ledger. Whatever the files hold is told in the result, never raised.
    """
    known = contracts_with_ledger(home)
    if contract_id is not None and contract_id not in known and not heads:
        raise NoSuchContract(f"{contract_id!r} has no ledger in {home.ledger}; there are: {', '.join(known) or 'none'}")
    ids = known if contract_id is None else [contract_id]
    ledgers = tuple(inspect_ledger(home, one) for one in ids)
    damages = [*_strangers(home)]
    for ledger in ledgers:
        progress(f"ledger of {ledger.contract_id}: {ledger.entry_count:,} entries")
        damages += [*ledger.damages, *_approvals(home, ledger)]
        posted: dict[str, int] = {}
        for statement in ledger.statements:
            damages += _statement(home, ledger, statement, posted)
            for entry in statement.entries:
                posted[entry.line_key] = posted.get(entry.line_key, 0) + cents(entry.amount)
            damages += _settlement(home, statement, posted)
    damages += _heads(ledgers, heads)
    archive = prove_archive(home, progress) if with_intake else None
    rows = prove_rows(home) if with_intake else None
    return Verified(ledgers, tuple(damages), archive, rows)


def _strangers(home: Home) -> Iterator[Damage]:
    """Anything in the ledger's top folder, or among the evidence, that no posting put there."""
    for path in sorted(home.ledger.iterdir()) if home.ledger.is_dir() else []:
        if path.is_symlink() or not (path.name in (EVIDENCE, SETTLEMENTS) or is_contract_folder(home, path)):
            yield Damage(path.name, None, "does not belong here: it was put in")
    for name, right_path in ((EVIDENCE, evidence_path), (SETTLEMENTS, settlement_path)):
        folder = home.ledger / name
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if path.name.startswith(".") and path.name.endswith(PARTIAL_SUFFIX):
                continue
            if path.is_symlink() or not path.is_file() or path != right_path(home, hashlib.sha256(path.read_bytes()).hexdigest()):
                yield Damage(f"{name}/{path.name}", None, "its bytes are not those that were written, or it was put in")


def _approvals(home: Home, ledger: ContractLedger) -> Iterator[Damage]:
    """Each approval as it was written, none missing in between, each given on a ledger that this one goes on from."""
    folder = contract_folder(home, ledger.contract_id) / APPROVALS
    heads = {statement.number + 1: statement.head_hash for statement in ledger.statements} | {1: GENESIS}
    numbers: dict[str, list[int]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        file = path.relative_to(home.ledger).as_posix()
        name = _APPROVAL_NAME.fullmatch(path.name)
        if not name or path.is_symlink() or not path.is_file():
            if not (path.name.startswith(".") and path.name.endswith(PARTIAL_SUFFIX)):
                yield Damage(file, None, "does not belong here: it was put in, or its name was changed")
            continue
        numbers.setdefault(name["hash"], []).append(int(name["number"]))
        try:
            approval = Approval.of_bytes(path.read_bytes())
        except (ValueError, OSError) as error:
            yield Damage(file, None, str(error) if isinstance(error, ValueError) else "it cannot be read")
            continue
        if (approval.contract_id, approval.proposal_hash) != (ledger.contract_id, name["hash"]):
            yield Damage(file, None, "it approves something else than its name says")
        elif not ledger.damages and heads.get(approval.statement_number) != approval.prev_hash:
            yield Damage(
                file, None, "it was given on a ledger that is not this one: entries were cut off or written anew after it was given"
            )
    for digest, given in numbers.items():
        for missing in sorted(set(range(1, max(given) + 1)) - set(given)):
            yield Damage(
                f"{folder.relative_to(home.ledger).as_posix()}/{digest}_{missing}.json",
                None,
                "this approval is missing: its file was removed",
            )


def _statement(home: Home, ledger: ContractLedger, statement: Statement, posted: Mapping[str, int]) -> Iterator[Damage]:
    """That a statement is what its approvals say, and rests on evidence that is still listed. posted: line_key -> cents before it."""
    file = statement.path.relative_to(home.ledger).as_posix()
    first = statement.entries[0]
    for entry in statement.entries[1:]:
        if any(getattr(entry, name) != getattr(first, name) for name in _SHARED):
            yield Damage(file, entry.entry_seq, "it is not of the same posting as the entries around it")
    proposed = proposal_hash_of(ledger, statement, posted)
    try:
        approvals = read_approvals(home, ledger.contract_id, proposed)
    except LedgerDamaged:
        approvals = ()  # named file by file in `_approvals`
    if approval_hash(home, ledger.contract_id, proposed) != first.approval_hash:
        yield Damage(
            file, None, "its approvals are not those it was posted with: one is missing, was changed or was added, or the entries were"
        )
    elif not set(first.approved_by.split("; ")) <= {approval.by for approval in approvals}:
        yield Damage(file, None, "it names an approver whom none of its approvals does")
    try:
        evidence = read_evidence(home, first.evidence_hash)
    except ValueError as error:
        yield Damage(f"{EVIDENCE}/{first.evidence_hash}.json", None, f"{error} (statement {statement.number} of {ledger.contract_id})")
        return
    cutoff = first.evidence_cutoff_at.strftime("%Y-%m-%d %H:%M:%S")
    if (evidence["as_of_date"], evidence["evidence_cutoff_at"]) != (first.as_of_date.isoformat(), cutoff):
        yield Damage(file, None, "the evidence it names is of another date")
    kept = {path.name for path in home.deliveries.glob("*/*.json")} if home.deliveries.is_dir() else None
    lost = [
        r for r in evidence["receipts"] if kept is not None and not any(name.endswith(f"_{r['delivery_id'][:16]}.json") for name in kept)
    ]
    if lost:
        yield Damage(
            file, None, f"{len(lost)} of the {len(evidence['receipts'])} deliveries it rests on are no longer in the archive's receipts"
        )


def _settlement(home: Home, statement: Statement, posted: Mapping[str, int]) -> Iterator[Damage]:
    """That the ledger stands, line by line, at what the settlement kept with the statement says is payable. posted: cents after it."""
    file = f"{SETTLEMENTS}/{statement.settlement_hash}.parquet"
    try:
        payable = read_settlement(home, statement.settlement_hash).payable_cents
    except (ValueError, KeyError, TypeError, OSError):
        yield Damage(file, None, f"it is not the settlement of a posting ({statement.path.name})")
        return
    if {key: amount for key, amount in payable.items() if amount} != {key: amount for key, amount in posted.items() if amount}:
        yield Damage(file, None, f"what it says is payable is not what {statement.path.name} leaves posted")


def _heads(ledgers: Sequence[ContractLedger], heads: Iterable[PrintedHead]) -> Iterator[Damage]:
    """A printed head must still be one of the entries, at the place it was printed for."""
    for head in heads:
        found = [(ledger, entry) for ledger in ledgers for entry in ledger.entries if entry.entry_hash == head.head_hash]
        where = ledgers[0].contract_id if len(ledgers) == 1 else "the ledger"
        if not found and not (head.head_hash == GENESIS and not head.entry_count):
            has = f"; it has {ledgers[0].entry_count} entries" if len(ledgers) == 1 else ""
            then = f" of {head.entry_count} entries" if head.entry_count is not None else ""
            yield Damage(
                where, None, f"the printed head {head.head_hash}{then} is not in it{has}: its tail was cut off, or it was written anew"
            )
        for ledger, entry in found:
            if head.entry_count is not None and entry.entry_seq != head.entry_count:
                message = f"the printed head is entry {entry.entry_seq} here, and was entry {head.entry_count} when it was printed"
                yield Damage(ledger.contract_id, entry.entry_seq, message)
