"""Statement: what one posting (or the one proposed next) says to the two parties, read from the ledger and from the run it came of.

Amounts are whole cents. What the ledger holds is told from the ledger alone; tiers, reasons and caps belong to the run, and are told
only where the run still says what was posted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import duckdb

from obc_pipeline.documents import Contract, Documents, load
from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.explain.keys import rows
from obc_pipeline.home import Home
from obc_pipeline.ledger import ContractLedger, Proposal, propose, read_approvals, read_ledger, standing
from obc_pipeline.ledger.entry import cents
from obc_pipeline.ledger.proposal import open_to_read, proposal_hash_of
from obc_pipeline.reports.audience import Audience, Told, told

AUDIENCES: tuple[Audience, ...] = ("procurement", "vendor")
BASE_KINDS = ("BASE", "INSTALMENT")


@dataclass(frozen=True)
class Line:
    """One payment line of the statement. entry_kind: NEW, ADJUSTMENT, REVERSAL; empty when this statement does not touch the line.

    before_cents, amount_cents, after_cents: posted before, moved by this statement, posted then. earned_cents: None when not known any more.
    """

    told: Told
    line_id: str
    line_kind: str
    tier: int | None
    school_id: str
    entry_kind: str
    earned_cents: int | None
    before_cents: int
    amount_cents: int
    after_cents: int
    cap_applied: str
    adjusts_statement: int | None


@dataclass(frozen=True)
class Group:
    """Lines of one outcome and tier: lines and cents this statement moves, lines that stand at another amount than zero after it."""

    line_id: str
    line_kind: str
    outcome_name: str
    tier: str
    moved: int
    moved_cents: int
    standing: int
    standing_cents: int


@dataclass(frozen=True)
class Cause:
    """Why earlier amounts change: how many lines, by how much, of which statement."""

    line_id: str
    entry_kind: str
    adjusts_statement: int | None
    reason_code: str
    reason: str
    lines: int
    cents: int


@dataclass(frozen=True)
class Cap:
    """One cap of the contract: its limit, what stood before it, what it left. cut_cents is value delivered above the cap."""

    name: str
    line_id: str
    before_cents: int
    cut_cents: int
    after_cents: int


@dataclass(frozen=True)
class Signature:
    """One approval."""

    by: str
    role: str
    at: str


@dataclass(frozen=True)
class Statement:
    """Everything a statement says to one reader.

    number: of the posting, 1-based. posted_at: None for a proposal. head_hash, entry_count: of the ledger after this statement; of a
    proposal, before it. lines: every line settled or touched. has_run_detail: whether unpaid lines, earned amounts and caps are of this
    statement's own evidence.
    """

    audience: Audience
    district: str
    contract_id: str
    contract_version: int
    provider: str
    subject: str
    service_period: tuple[date, date]
    period: str
    number: int
    run_id: str
    as_of: date
    evidence_cutoff_at: datetime
    posted_at: datetime | None
    opening_cents: int
    head_hash: str
    entry_count: int
    proposal_hash: str
    lines: tuple[Line, ...]
    groups: tuple[Group, ...]
    causes: tuple[Cause, ...]
    caps: tuple[Cap, ...]
    approvals: tuple[Signature, ...]
    people_needed: int
    missing: tuple[str, ...] = ()
    late_changes: int = 0
    late_change_cents: int = 0
    has_run_detail: bool = True
    dispute_window_days: int = 30
    restatement_deadline: date | None = None
    terms: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_posted(self) -> bool:
        return self.posted_at is not None

    @property
    def amount_cents(self) -> int:
        return sum(line.amount_cents for line in self.lines)

    @property
    def closing_cents(self) -> int:
        return self.opening_cents + self.amount_cents

    @property
    def above_cap_cents(self) -> int:
        """Value delivered above the caps."""
        return sum(cap.cut_cents for cap in self.caps)

    def sum_of(self, *kinds: str) -> int:
        """Cents this statement moves for lines of these kinds."""
        return sum(line.amount_cents for line in self.lines if line.line_kind in kinds)


def read_statement(
    home: Home, contract_id: str, statement: int | None, audience: Audience, documents: Documents | None = None
) -> Statement:
    """The statement for one reader.

    statement: number of a posted one; None for what is proposed, or the last posted one when nothing is.
    Raises ArgumentWrong when there is no such statement, and what `propose` raises.
    """
    documents = documents or load(home)
    proposal = propose(home, contract_id, documents)
    ledger = read_ledger(home, contract_id)
    with open_to_read(home) as connection:
        run = _Run(connection, contract_id, proposal)
        if statement is None and (proposal.entries or not ledger.statements):
            return _proposed(home, documents, proposal, run, audience)
        number = statement or ledger.statements[-1].number
        return _posted(home, documents, proposal, ledger, run, audience, number)


class _Run:
    """What the last run says of a contract's lines, as rows by line_key."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, contract_id: str, proposal: Proposal) -> None:
        self.proposal = proposal
        self.settled = {
            row["line_key"]: row for row in rows(connection, "select * from payable.fct_settlement_line where contract_id = ?", contract_id)
        }
        self.caps = rows(connection, "select * from intermediate.int_settlement__capped where contract_id = ?", contract_id)
        self.names = {
            (row["contract_version"], row["line_id"]): row["outcome_name"]
            for row in rows(
                connection,
                "select contract_version, line_id, outcome_name from intermediate.int_payment__line where contract_id = ?",
                contract_id,
            )
        }
        self.vendor_ids = _ids_as_sent(connection, contract_id)
        self.opted_out = {
            row["student_key"]
            for row in rows(
                connection,
                "select distinct student_key from input_layer.input__roster_assignment where contract_id = ? and upper(end_reason) = 'OPT_OUT' and end_on <= ?",
                contract_id,
                proposal.run.as_of_date,
            )
        }

    def is_of(self, as_of: date, cutoff: datetime) -> bool:
        return (as_of, cutoff.replace(tzinfo=None)) == (
            self.proposal.run.as_of_date,
            self.proposal.run.evidence_cutoff_at.replace(tzinfo=None),
        )


def _ids_as_sent(connection: duckdb.DuckDBPyConnection, contract_id: str) -> dict[str, str]:
    """student_key -> the id in the vendor's own session log. Students it never sent have none: their district ids are not for it."""
    found = rows(
        connection,
        """select cause.student_key, string_agg(distinct log.student_id, ', ' order by log.student_id) as sent
           from intermediate.int_tutoring_session__cause as cause
           inner join staging.stg_tutoring_sessions__session_student as log on cause.file_id = log.file_id and cause.row_number = log.row_number
           where cause.contract_id = ? and cause.student_key is not null group by cause.student_key""",
        contract_id,
    )
    return {row["student_key"]: row["sent"] for row in found}


def _proposed(home: Home, documents: Documents, proposal: Proposal, run: _Run, audience: Audience) -> Statement:
    proposed = {entry.line_key: entry for entry in proposal.entries}
    balances, last = proposal.ledger.balances, proposal.ledger.last_entries
    # After the restatement deadline nothing is proposed any more, and what stands is what is posted.
    keys = sorted({*run.settled, *proposed, *balances})
    lines = []
    for key in keys:
        entry, settled, before = proposed.get(key), run.settled.get(key), balances.get(key, 0)
        moved = entry.amount_cents if entry else 0
        source: Any = entry or (settled and _Row(settled)) or last[key]
        lines.append(
            _line(
                run,
                audience,
                source,
                settled,
                entry_kind=entry.entry_kind if entry else "",
                before=before,
                moved=moved,
                adjusts=last[key].statement_number if entry and key in last else None,
                reason_code=entry.reason_code if entry else None,
            )
        )
    given = read_approvals(home, proposal.contract_id, proposal.proposal_hash)
    reach = standing(proposal, given)
    return _made(
        documents,
        run,
        audience,
        lines,
        number=proposal.statement_number,
        version=proposal.terms.version,
        run_id=proposal.run.run_id,
        as_of=proposal.run.as_of_date,
        cutoff=proposal.run.evidence_cutoff_at,
        posted_at=None,
        ledger=proposal.ledger,
        opening=proposal.ledger.posted_cents,
        proposal_hash=proposal.proposal_hash,
        approvals=[Signature(one.by, one.role, one.at) for one in given],
        people_needed=reach.people_needed,
        missing=_still_missing(proposal, reach.missing, audience),
        late=[entry.amount_cents for entry in proposal.late_changes],
        has_run_detail=True,
    )


def _still_missing(proposal: Proposal, approvals_missing: Sequence[str], audience: Audience) -> list[str]:
    """What stands between the proposal and its posting. A check's words may speak of other feeds, so a vendor only hears that there is one."""
    if not proposal.entries:
        return []
    told = list(approvals_missing)
    if audience == "procurement":
        return [*told, *([proposal.run.why_old] if proposal.run.why_old else []), *proposal.blocks]
    return [*told, *(["a check of the district's to be resolved"] if proposal.blocks or proposal.run.why_old else [])]


def _posted(
    home: Home, documents: Documents, proposal: Proposal, ledger: ContractLedger, run: _Run, audience: Audience, number: int
) -> Statement:
    statements = {one.number: one for one in ledger.statements}
    if number not in statements:
        known = ", ".join(map(str, statements)) or "none yet"
        raise ArgumentWrong(f"{ledger.contract_id} has no posted statement {number}; posted: {known}")
    posted = statements[number]
    before = ledger.before(number)
    entries = {entry.line_key: entry for entry in posted.entries}
    first = posted.entries[0]
    is_same_run = run.is_of(first.as_of_date, first.evidence_cutoff_at)
    keys = sorted({*entries, *before.balances, *(run.settled if is_same_run else ())})
    lines = []
    for key in keys:
        entry, opening = entries.get(key), before.balances.get(key, 0)
        moved = cents(entry.amount) if entry else 0
        settled = run.settled.get(key)
        is_unchanged = settled is not None and cents(settled["payable_amount"]) == opening + moved
        source: Any = entry or before.last_entries.get(key) or _Row(settled or {})
        lines.append(
            _line(
                run,
                audience,
                source,
                settled if is_unchanged else None,
                entry_kind=entry.entry_kind if entry else "",
                before=opening,
                moved=moved,
                adjusts=before.last_entries[key].statement_number if entry and key in before.last_entries else None,
                reason_code=entry.reason_code if entry else None,
            )
        )
    digest = proposal_hash_of(ledger, posted)
    given = read_approvals(home, ledger.contract_id, digest)
    return _made(
        documents,
        run,
        audience,
        lines,
        number=number,
        version=first.contract_version,
        run_id=first.run_id,
        as_of=first.as_of_date,
        cutoff=first.evidence_cutoff_at,
        posted_at=first.posted_at,
        ledger=ContractLedger(ledger.contract_id, tuple(one for one in ledger.statements if one.number <= number)),
        opening=before.posted_cents,
        proposal_hash=digest,
        approvals=[Signature(one.by, one.role, one.at) for one in given],
        people_needed=len(given),
        missing=[],
        late=[],
        has_run_detail=is_same_run,
    )


class _Row:
    """A settlement row with the attribute names of an entry."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.__dict__.update(row)


def _line(
    run: _Run,
    audience: Audience,
    source: Any,
    settled: Mapping[str, Any] | None,
    *,
    entry_kind: str,
    before: int,
    moved: int,
    adjusts: int | None,
    reason_code: str | None,
) -> Line:
    code = reason_code or (settled["reason_code"] if settled else source.reason_code)
    words = settled["reason"] if settled and settled["reason_code"] == code else _plain_words(code)
    has_opted_out = source.student_key in run.opted_out
    return Line(
        told=told(
            audience,
            line_key=source.line_key,
            student_key=source.student_key,
            vendor_student_id=run.vendor_ids.get(source.student_key or ""),
            decision=settled["decision"] if settled else None,
            reason_code=code,
            reason=words,
            has_opted_out=has_opted_out,
        ),
        line_id=source.line_id,
        line_kind=source.line_kind,
        tier=settled["tier"] if settled and settled["decision"] == "EARNED" else None,
        school_id="" if has_opted_out and audience == "vendor" else source.school_id or "",
        entry_kind=entry_kind,
        earned_cents=cents(settled["earned_amount"]) if settled else None,
        before_cents=before,
        amount_cents=moved,
        after_cents=before + moved,
        cap_applied=(settled["cap_applied"] or "") if settled else "",
        adjusts_statement=adjusts,
    )


def _plain_words(code: str) -> str:
    return code.replace("_", " ").capitalize() + "."


def _made(
    documents: Documents,
    run: _Run,
    audience: Audience,
    lines: Sequence[Line],
    *,
    number: int,
    version: int,
    run_id: str,
    as_of: date,
    cutoff: datetime,
    posted_at: datetime | None,
    ledger: ContractLedger,
    opening: int,
    proposal_hash: str,
    approvals: Sequence[Signature],
    people_needed: int,
    missing: Sequence[str],
    late: Sequence[int],
    has_run_detail: bool,
) -> Statement:
    contract = _contract(documents, run.proposal.contract_id, version)
    names = {line.line_id: line.outcome_name for line in contract.rate_card}
    ordered = sorted(
        lines,
        key=lambda line: (line.line_kind not in BASE_KINDS, line.line_id, line.told.student_key, line.told.line_key, line.amount_cents),
    )
    return Statement(
        audience=audience,
        district=documents.district.name,
        contract_id=contract.contract_id,
        contract_version=version,
        provider=contract.provider_name,
        subject=contract.subject,
        service_period=(contract.service_start, contract.service_end),
        period=f"{contract.school_year_end - 1}-{contract.school_year_end}",
        number=number,
        run_id=run_id,
        as_of=as_of,
        evidence_cutoff_at=cutoff,
        posted_at=posted_at,
        opening_cents=opening,
        head_hash=ledger.head_hash,
        entry_count=ledger.entry_count,
        proposal_hash=proposal_hash,
        lines=tuple(ordered),
        groups=tuple(_groups(ordered, names)),
        causes=tuple(_causes(ordered)),
        caps=tuple(_caps(run.caps)) if has_run_detail else (),
        approvals=tuple(approvals),
        people_needed=people_needed,
        missing=tuple(missing),
        late_changes=len(late),
        late_change_cents=sum(late),
        has_run_detail=has_run_detail,
        dispute_window_days=contract.dispute_window_days,
        restatement_deadline=contract.restatement_deadline,
        terms=_terms(contract),
    )


def _contract(documents: Documents, contract_id: str, version: int) -> Contract:
    versions = [contract for contract in documents.contracts if contract.contract_id == contract_id]
    return next((contract for contract in versions if contract.version == version), versions[-1])


def _terms(contract: Contract) -> dict[str, str]:
    """The money terms a reader of the statement wants beside it."""
    proration = "" if contract.base_proration == "NONE" else contract.base_proration
    stated = {
        "Base": f"{contract.base_rate:,.2f} {contract.base_model} {proration}".strip().replace("_", " ").lower(),
        "Outcome pool": f"{contract.contingent_pool_cap:,.2f}" if contract.contingent_pool_cap is not None else "no cap",
        "Not to exceed": f"{contract.nte_ceiling:,.2f}" if contract.nte_ceiling is not None else "no ceiling",
    }
    if contract.per_student_cap is not None:
        stated["Per student"] = f"{contract.per_student_cap:,.2f}"
    return stated


def _groups(lines: Iterable[Line], names: Mapping[str, str]) -> list[Group]:
    grouped: dict[tuple[str, str, str], list[Line]] = defaultdict(list)
    for line in lines:
        if line.amount_cents or line.after_cents:
            tier = "" if line.line_kind in (*BASE_KINDS, "PENALTY") else f"tier {line.tier}" if line.tier else _untiered(line)
            grouped[line.line_id, line.line_kind, tier].append(line)
    order = sorted(grouped, key=lambda key: (key[1] not in BASE_KINDS, key[0], key[1], key[2]))
    return [
        Group(
            line_id=line_id,
            line_kind=kind,
            outcome_name=names.get(line_id, "Serving students" if kind in BASE_KINDS else line_id),
            tier=tier,
            moved=sum(line.amount_cents != 0 for line in grouped[line_id, kind, tier]),
            moved_cents=sum(line.amount_cents for line in grouped[line_id, kind, tier]),
            standing=sum(line.after_cents != 0 for line in grouped[line_id, kind, tier]),
            standing_cents=sum(line.after_cents for line in grouped[line_id, kind, tier]),
        )
        for line_id, kind, tier in order
    ]


def _untiered(line: Line) -> str:
    if line.told.decision == "DISTRICT_DEFAULT":
        return "district default"
    return "taken back" if line.after_cents == 0 else "no tier stated"


def _causes(lines: Iterable[Line]) -> list[Cause]:
    grouped: dict[tuple[str, str, int, str], list[Line]] = defaultdict(list)
    for line in lines:
        if line.entry_kind in ("ADJUSTMENT", "REVERSAL"):
            grouped[line.line_id, line.entry_kind, line.adjusts_statement or 0, line.told.reason_code].append(line)
    return [
        Cause(
            line_id, kind, statement or None, code, _plain_words(code) if code else "", len(found), sum(line.amount_cents for line in found)
        )
        for (line_id, kind, statement, code), found in sorted(grouped.items())
    ]


# Column before a cap, column after it, the cap's name; the caps act in this order.
_CAP_COLUMNS = (
    ("earned_cents", "after_per_student_cents", "per student"),
    ("after_per_student_cents", "after_max_paid_cents", "outcomes paid at most"),
    ("after_max_paid_cents", "after_line_cents", "line"),
    ("after_line_cents", "after_pool_cents", "outcome pool"),
    ("after_pool_cents", "payable_cents", "not to exceed"),
)


def _caps(capped: Sequence[Mapping[str, Any]]) -> list[Cap]:
    """Every cap that cut something, by rate-card line: what stood before it and what it left."""
    found = []
    for before, after, name in _CAP_COLUMNS:
        for line_id in sorted({row["line_id"] for row in capped}):
            of_line = [row for row in capped if row["line_id"] == line_id]
            stood, left = sum(row[before] for row in of_line), sum(row[after] for row in of_line)
            if stood != left:
                found.append(Cap(name, line_id, stood, stood - left, left))
    return found
