"""Propose: the differences between what a contract's lines should be and what is posted, as dbt worked them out, checked against the ledger."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import duckdb

from obc_pipeline import fingerprint
from obc_pipeline.documents import Documents, load
from obc_pipeline.errors import HomeBusy
from obc_pipeline.home import Home
from obc_pipeline.ledger.chain import ContractLedger, Statement, read_ledger
from obc_pipeline.ledger.entry import GENESIS, Entry, cents
from obc_pipeline.ledger.errors import NoFinishedRun, ProposalsInconsistent
from obc_pipeline.ledger.terms import Terms, terms_of

# NEW: never posted before. ACCRUAL: base pay of a line posted before that has grown while service goes on. ADJUSTMENT, REVERSAL: corrections.
NEW, ACCRUAL, ADJUSTMENT, REVERSAL = "NEW", "ACCRUAL", "ADJUSTMENT", "REVERSAL"


@dataclass(frozen=True)
class ProposedEntry:
    """One line whose posted amount is not what it should be. Amounts in cents; entry_kind: NEW, ACCRUAL, ADJUSTMENT or REVERSAL."""

    line_key: str
    contract_version: int
    line_id: str
    line_kind: str
    student_id: str | None
    student_key: str | None
    school_id: str | None
    period: str
    entry_kind: str
    expected_cents: int
    posted_cents: int
    amount_cents: int
    reason_code: str
    adjusts_entry_hash: str | None


@dataclass(frozen=True)
class RunStamp:
    """The run the proposals come from. evidence_cutoff_at: UTC. why_old: None when nothing it depends on has changed since."""

    run_id: str
    as_of_date: date
    evidence_cutoff_at: datetime
    why_old: str | None = None


@dataclass(frozen=True)
class Proposal:
    """What would be posted next for a contract.

    entries:      sorted by line_key. late_changes: what came after the restatement deadline; listed, never posted.
    blocks:       why a check stops the contract, one text each.
    posted_as:    number of the statement in which this run's proposals were posted already; None when they were not.
    """

    terms: Terms
    run: RunStamp
    ledger: ContractLedger
    entries: tuple[ProposedEntry, ...]
    late_changes: tuple[ProposedEntry, ...] = ()
    blocks: tuple[str, ...] = ()
    posted_as: int | None = None

    @property
    def contract_id(self) -> str:
        return self.terms.contract_id

    @property
    def statement_number(self) -> int:
        return len(self.ledger.statements) + 1

    @property
    def amount_cents(self) -> int:
        return sum(entry.amount_cents for entry in self.entries)

    @property
    def paid_cents(self) -> int:
        """What is paid: the sum of the positive amounts."""
        return sum(entry.amount_cents for entry in self.entries if entry.amount_cents > 0)

    @property
    def taken_back_cents(self) -> int:
        """What is taken back: the sum of the negative amounts, as a positive number."""
        return -sum(entry.amount_cents for entry in self.entries if entry.amount_cents < 0)

    @cached_property
    def proposal_hash(self) -> str:
        """What an approval names: changes with any amount, line or reason, and with the ledger it is to be posted on."""
        return proposal_hash(self.contract_id, self.statement_number, self.ledger.head_hash, self.entries)


def proposal_hash(contract_id: str, statement_number: int, prev_hash: str, entries: Sequence[ProposedEntry]) -> str:
    """SHA-256 over the proposals in canonical form: a JSON object per line, first where they are to be posted, then each entry by line_key.

    Run ids and dates are left out: the same proposals of a later run are still those that were approved.
    """
    head = {"contract_id": contract_id, "statement_number": statement_number, "prev_hash": prev_hash}
    names = [field.name for field in fields(ProposedEntry)]
    rows = [head, *({name: getattr(entry, name) for name in names} for entry in _in_order(entries))]
    text = "\n".join(json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for row in rows)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def proposal_hash_of(ledger: ContractLedger, statement: Statement, posted: Mapping[str, int] | None = None) -> str:
    """The hash of the proposals that became this statement, worked out again from the posted entries alone.

    posted: line_key -> cents posted before it, for callers that have them.
    """
    balances = ledger.before(statement.number).balances if posted is None else posted
    entries = [_as_proposed(entry, balances.get(entry.line_key, 0)) for entry in statement.entries]
    return proposal_hash(ledger.contract_id, statement.number, statement.entries[0].prev_hash, entries)


def propose(home: Home, contract_id: str, documents: Documents | None = None) -> Proposal:
    """The proposals of the last finished run for a contract, checked line by line against the ledger.

    Raises NoSuchContract, NoFinishedRun, LedgerDamaged, ProposalsInconsistent, HomeBusy, DocumentsInvalid.
    """
    documents = documents or load(home)
    last = fingerprint.read_last_run(home)
    as_of = date.fromisoformat(last.result["as_of"]) if last else date.max
    terms = terms_of(documents, contract_id, as_of)
    if last is None or not home.warehouse.exists():
        raise NoFinishedRun(f"no run has finished in {home.path}, so nothing is proposed; start one with `obc run`")
    ledger = read_ledger(home, contract_id)
    with open_to_read(home) as connection:
        entry_count, head_hash = _ledger_of_the_run(connection, contract_id)
        entries = read_proposed(connection, "fct_proposed_entry", contract_id)
        late = read_proposed(connection, "late_change_register", contract_id) if _has_register(connection) else []
        blocks = _blocks(connection, contract_id)
    stamp = RunStamp(last.result["run_id"], as_of, _moment(last.result["evidence_cutoff_at"]))
    posted_as, why_old = _ledger_since(ledger, entry_count, head_hash, stamp.run_id)
    why_old = why_old or why_run_is_old(home, last) or _why_backwards(ledger, stamp)
    stamp = RunStamp(stamp.run_id, stamp.as_of_date, stamp.evidence_cutoff_at, why_old if posted_as is None else None)
    if posted_as is not None:
        return Proposal(terms, stamp, ledger, (), (), blocks, posted_as)
    if entry_count == ledger.entry_count and head_hash == ledger.head_hash:
        _check_against(ledger, entries)
    if terms.restatement_deadline_on and max(as_of, _last_evidence_on(stamp)) > terms.restatement_deadline_on:
        entries, late = [], [*late, *entries]
    return Proposal(terms, stamp, ledger, _in_order(entries), _in_order(late), blocks)


def _last_evidence_on(run: RunStamp) -> date:
    """The day up to which evidence counts, taken as late in the day as it is anywhere (UTC-12): a run dated back before the deadline, on
    evidence that arrived after it, is after it. The model int_settlement__terms says the same."""
    return (run.evidence_cutoff_at - timedelta(hours=12)).date()


@contextmanager
def open_to_read(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, read-only. Raises HomeBusy when another process has it open, NoFinishedRun when it is not a database."""
    try:
        connection = duckdb.connect(str(home.warehouse), read_only=True)
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            raise HomeBusy(f"{home.warehouse} is open in another program; wait until the run has finished") from None
        raise NoFinishedRun(f"{home.warehouse} cannot be opened; `obc run` makes it again") from None
    with connection:
        yield connection


def why_run_is_old(home: Home, last: fingerprint.LastRun) -> str | None:
    """None when documents, archive and program are those of the last run; else which are not."""
    now = fingerprint.rests_on(fingerprint.take(home, date.fromisoformat(last.result["as_of"]), None))
    changed = [name for name, digest in now.items() if last.rests_on.get(name) != digest]
    return f"the {' and the '.join(changed)} changed after the last run" if changed else None


def _ledger_since(ledger: ContractLedger, entry_count: int, head_hash: str, run_id: str) -> tuple[int | None, str | None]:
    """Whether the ledger moved since the run saw it: (statement in which this run was posted, why the run is old)."""
    if entry_count == ledger.entry_count and head_hash == ledger.head_hash:
        return None, None
    head_then = ledger.entries[entry_count - 1].entry_hash if 0 < entry_count <= ledger.entry_count else GENESIS
    since = ledger.entries[entry_count:]
    if since and head_then == head_hash and all(entry.run_id == run_id for entry in since):
        return since[-1].statement_number, None
    return None, "the ledger is not the one the last run saw"


def _why_backwards(ledger: ContractLedger, run: RunStamp) -> str | None:
    """A posting never goes back in time: an earlier cutoff would take back what later evidence gave."""
    if not ledger.entries:
        return None
    latest = ledger.entries[-1]
    if run.as_of_date < latest.as_of_date or run.evidence_cutoff_at.replace(tzinfo=None) < latest.evidence_cutoff_at:
        return f"statement {latest.statement_number} was posted as of {latest.as_of_date}, on later evidence than the last run's"
    return None


def _ledger_of_the_run(connection: duckdb.DuckDBPyConnection, contract_id: str) -> tuple[int, str]:
    try:
        found = connection.execute("select entry_count, head_hash from ledger.head where contract_id = ?", [contract_id]).fetchone()
    except duckdb.CatalogException:
        raise NoFinishedRun("the last run did not look at the ledger; start another with `obc run`") from None
    return (int(found[0]), found[1]) if found else (0, GENESIS)


def read_proposed(connection: duckdb.DuckDBPyConnection, table: str, contract_id: str) -> list[ProposedEntry]:
    """The contract's rows of that table of schema payable. Raises NoFinishedRun, ProposalsInconsistent."""
    columns = {field.name: field.name.replace("amount_cents", "amount").replace("_cents", "_amount") for field in fields(ProposedEntry)}
    try:
        rows = connection.execute(
            f"select {', '.join(columns.values())} from payable.{table} where contract_id = ?", [contract_id]
        ).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        raise NoFinishedRun(
            f"the last run left no payable.{table} with the columns a posting needs; start another with `obc run`"
        ) from None
    return [_proposed(table, dict(zip(columns, row, strict=True))) for row in rows]


def _proposed(table: str, row: dict[str, Any]) -> ProposedEntry:
    """A row of the table as an entry. Raises ProposalsInconsistent where an amount is not exact or a needed value is missing."""
    for name, value in row.items():
        if name.endswith("_cents"):
            if not isinstance(value, Decimal):
                raise ProposalsInconsistent(f"payable.{table}.{name.replace('_cents', '')} is not an exact DECIMAL; nothing was posted")
            row[name] = cents(value)
        elif value is None and name not in ("student_id", "student_key", "school_id", "adjusts_entry_hash"):
            raise ProposalsInconsistent(f"payable.{table} has a row without {name}; nothing was posted")
    return ProposedEntry(**row)


def _has_register(connection: duckdb.DuckDBPyConnection) -> bool:
    query = "select 1 from information_schema.tables where table_schema = 'payable' and table_name = 'late_change_register'"
    return connection.execute(query).fetchone() is not None


def _blocks(connection: duckdb.DuckDBPyConnection, contract_id: str) -> tuple[str, ...]:
    try:
        rows = connection.execute(
            "select distinct check_id || ': ' || reason from intake.contract_block where contract_id = ? order by 1", [contract_id]
        ).fetchall()
    except duckdb.CatalogException:
        raise NoFinishedRun(
            "the last run left no intake.contract_block, so its checks are not known; start another with `obc run`"
        ) from None
    return tuple(row[0] for row in rows)


def _check_against(ledger: ContractLedger, entries: Sequence[ProposedEntry]) -> None:
    """What dbt says is posted must be what the ledger says: the last guard before money moves."""
    seen: set[str] = set()
    for entry in entries:
        last = ledger.last_entries.get(entry.line_key)
        is_right = (
            entry.line_key not in seen
            and entry.amount_cents == entry.expected_cents - entry.posted_cents != 0
            and entry.posted_cents == ledger.balances.get(entry.line_key, 0)
            and entry.adjusts_entry_hash == (last.entry_hash if last else None)
            and (entry.entry_kind == NEW) == (last is None)
            and entry.entry_kind in (NEW, ACCRUAL, ADJUSTMENT, REVERSAL)
            and (entry.entry_kind != ACCRUAL or (entry.line_kind == "BASE" and entry.expected_cents > entry.posted_cents > 0))
            and (entry.entry_kind != REVERSAL or entry.expected_cents == 0)
        )
        if not is_right:
            raise ProposalsInconsistent(
                f"the proposal for line {entry.line_key} of {ledger.contract_id} does not fit what the ledger says is posted; "
                "nothing was posted. This is a defect of the pipeline: please report it"
            )
        seen.add(entry.line_key)


def _in_order(entries: Sequence[ProposedEntry]) -> tuple[ProposedEntry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.line_key))


def _as_proposed(entry: Entry, posted_cents: int) -> ProposedEntry:
    values: dict[str, Any] = {name: getattr(entry, name) for name in _OF_BOTH}
    amount = cents(entry.amount)
    return ProposedEntry(**values, expected_cents=posted_cents + amount, posted_cents=posted_cents, amount_cents=amount)


# What an entry and its proposal both say.
_OF_BOTH = tuple(field.name for field in fields(ProposedEntry) if "_cents" not in field.name)


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
