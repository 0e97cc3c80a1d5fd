"""Statement: what one posting (or the one proposed next) says to the two parties, read from the ledger and from the run it came of.

Amounts are whole cents. A posted statement is told from the ledger alone: its entries, and the settlement kept with them. So it is the
same statement whenever it is printed, but that a student who opted out since is withheld from the vendor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from obc_pipeline.documents import Documents, load
from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.home import Home
from obc_pipeline.ledger import ContractLedger, Proposal, ProposedEntry, propose, read_approvals, read_ledger, standing
from obc_pipeline.ledger.entry import Entry, cents
from obc_pipeline.ledger.proposal import open_to_read, proposal_hash_of
from obc_pipeline.ledger.restatement import settlement_of, waterfall_between
from obc_pipeline.ledger.settlement import Settlement, settle
from obc_pipeline.reports.audience import Audience, Told, reason_for, told

AUDIENCES: tuple[Audience, ...] = ("procurement", "vendor")
BASE_KINDS = ("BASE", "INSTALMENT")


@dataclass(frozen=True)
class Line:
    """One payment line of the statement. entry_kind: NEW, ACCRUAL, ADJUSTMENT, REVERSAL; empty when this statement does not touch the line.

    before_cents, amount_cents, after_cents: posted before, moved by this statement, posted then. earned_cents: None for a line that is
    settled no longer.
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
class Change:
    """One step from what was payable at the statement before to what is payable at this one; step and cause as in `RestatementStep`."""

    step: str
    cause: str
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
    proposal, before it. lines: every line settled or touched. changes: from the statement before, none on the first.
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
    changes: tuple[Change, ...]
    approvals: tuple[Signature, ...]
    people_needed: int
    missing: tuple[str, ...] = ()
    late_changes: int = 0
    late_change_cents: int = 0
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
        now = settle(connection, documents, contract_id, proposal.statement_number, proposal.run.as_of_date)
    if statement is None and (proposal.entries or not ledger.statements):
        return _proposed(home, proposal, now, audience)
    number = statement or ledger.statements[-1].number
    return _posted(home, ledger, number, audience, opted_out={row["student_key"] for row in now.rows.values() if row["has_opted_out"]})


def _proposed(home: Home, proposal: Proposal, now: Settlement, audience: Audience) -> Statement:
    given = read_approvals(home, proposal.contract_id, proposal.proposal_hash)
    reach = standing(proposal, given)
    # After the restatement deadline nothing is proposed any more, and what stands is what is posted.
    entries = {entry.line_key: (entry, entry.amount_cents) for entry in proposal.entries}
    return _made(
        home,
        proposal.ledger,
        now,
        entries,
        audience,
        number=proposal.statement_number,
        run_id=proposal.run.run_id,
        as_of=proposal.run.as_of_date,
        evidence_cutoff_at=proposal.run.evidence_cutoff_at,
        posted_at=None,
        head_hash=proposal.ledger.head_hash,
        entry_count=proposal.ledger.entry_count,
        proposal_hash=proposal.proposal_hash,
        approvals=tuple(Signature(one.by, one.role, one.at) for one in given),
        people_needed=reach.people_needed,
        missing=tuple(_still_missing(proposal, reach.missing, audience)),
        late_changes=len(proposal.late_changes),
        late_change_cents=sum(entry.amount_cents for entry in proposal.late_changes),
    )


def _still_missing(proposal: Proposal, approvals_missing: Sequence[str], audience: Audience) -> list[str]:
    """What stands between the proposal and its posting. A check's words may speak of other feeds, so a vendor only hears that there is one."""
    if not proposal.entries:
        return []
    told = list(approvals_missing)
    if audience == "procurement":
        return [*told, *([proposal.run.why_old] if proposal.run.why_old else []), *proposal.blocks]
    return [*told, *(["a check of the district's to be resolved"] if proposal.blocks or proposal.run.why_old else [])]


def _posted(home: Home, ledger: ContractLedger, number: int, audience: Audience, opted_out: Collection[str]) -> Statement:
    statements = {one.number: one for one in ledger.statements}
    if number not in statements:
        known = ", ".join(map(str, statements)) or "none yet"
        raise ArgumentWrong(f"{ledger.contract_id} has no posted statement {number}; posted: {known}")
    posted = statements[number]
    first, last = posted.entries[0], posted.entries[-1]
    digest = proposal_hash_of(ledger, posted)
    given = read_approvals(home, ledger.contract_id, digest)
    return _made(
        home,
        ledger.before(number),
        settlement_of(home, posted),
        {entry.line_key: (entry, cents(entry.amount)) for entry in posted.entries},
        audience,
        opted_out_since=opted_out,
        number=number,
        run_id=first.run_id,
        as_of=first.as_of_date,
        evidence_cutoff_at=first.evidence_cutoff_at,
        posted_at=first.posted_at,
        head_hash=last.entry_hash,
        entry_count=last.entry_seq,
        proposal_hash=digest,
        approvals=tuple(Signature(one.by, one.role, one.at) for one in given),
        people_needed=len(given),
    )


def _made(
    home: Home,
    before: ContractLedger,
    settlement: Settlement,
    entries: Mapping[str, tuple[ProposedEntry | Entry, int]],
    audience: Audience,
    *,
    opted_out_since: Collection[str] = (),
    **stated: Any,
) -> Statement:
    """before: the ledger without this statement. entries: line_key -> entry and the cents it moves. stated: the statement's other fields."""
    terms, settled = settlement.terms, settlement.rows
    opted_out = {*opted_out_since, *(row["student_key"] for row in settled.values() if row["has_opted_out"])}
    lines = sorted(
        (_line(before, settled.get(key), key, entries.get(key), audience, opted_out) for key in {*settled, *entries, *before.balances}),
        key=lambda line: (line.line_kind not in BASE_KINDS, line.line_id, line.told.student_key, line.told.line_key, line.amount_cents),
    )
    return Statement(
        audience=audience,
        district=terms.district,
        contract_id=before.contract_id,
        contract_version=terms.contract_version,
        provider=terms.provider,
        subject=terms.subject,
        service_period=(terms.service_start, terms.service_end),
        period=next((row["period"] for row in settled.values()), ""),
        opening_cents=before.posted_cents,
        lines=tuple(lines),
        groups=tuple(_groups(lines, terms.names)),
        causes=tuple(_causes(lines)),
        caps=tuple(_caps(settled.values())),
        changes=_changes(home, before, settlement, audience),
        dispute_window_days=terms.dispute_window_days,
        restatement_deadline=terms.restatement_deadline,
        terms=terms.money,
        **stated,
    )


def _line(
    before: ContractLedger,
    settled: Mapping[str, Any] | None,
    key: str,
    moved: tuple[ProposedEntry | Entry, int] | None,
    audience: Audience,
    opted_out: Collection[str],
) -> Line:
    entry, amount = moved or (None, 0)
    last = before.last_entries.get(key)
    source: Any = entry or (SimpleNamespace(**settled) if settled else last)
    code = source.reason_code
    words = settled["reason"] if settled and settled["reason_code"] == code else _plain_words(code)
    has_opted_out = source.student_key is not None and source.student_key in opted_out
    opening = before.balances.get(key, 0)
    return Line(
        told=told(
            audience,
            line_key=key,
            student_key=source.student_key,
            vendor_student_id=settled["vendor_student_id"] if settled else None,
            decision=settled["decision"] if settled else None,
            reason_code=code,
            reason=words,
            has_opted_out=has_opted_out,
        ),
        line_id=source.line_id,
        line_kind=source.line_kind,
        tier=settled["tier"] if settled and settled["decision"] == "EARNED" else None,
        school_id="" if has_opted_out and audience == "vendor" else source.school_id or "",
        entry_kind=entry.entry_kind if entry else "",
        earned_cents=cents(settled["earned_amount"]) if settled else None,
        before_cents=opening,
        amount_cents=amount,
        after_cents=opening + amount,
        cap_applied=(settled["cap_applied"] or "") if settled else "",
        adjusts_statement=last.statement_number if entry and last else None,
    )


def _changes(home: Home, before: ContractLedger, settlement: Settlement, audience: Audience) -> tuple[Change, ...]:
    """From what was payable at the statement before; causes in the codes this reader may see, those alike put together."""
    if not before.statements:
        return ()
    summed: dict[tuple[str, str], list[int]] = {}
    for step in waterfall_between(settlement_of(home, before.statements[-1]), settlement):
        codes = (step.cause or "").split(" > ") if step.step != "CAPS" else []
        shown = list(dict.fromkeys(reason_for(audience, code, "")[0] if code else "" for code in codes))
        found = summed.setdefault((step.step, " > ".join(shown) if codes else step.cause or ""), [0, 0])
        found[0] += step.lines
        found[1] += cents(step.amount)
    return tuple(Change(step, cause, lines, amount) for (step, cause), (lines, amount) in summed.items())


def _plain_words(code: str) -> str:
    return code.replace("_", " ").capitalize() + "."


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
    ("earned_amount", "after_per_student_amount", "per student"),
    ("after_per_student_amount", "after_max_paid_amount", "outcomes paid at most"),
    ("after_max_paid_amount", "after_line_amount", "line"),
    ("after_line_amount", "after_pool_amount", "outcome pool"),
    ("after_pool_amount", "payable_amount", "not to exceed"),
)


def _caps(settled: Iterable[Mapping[str, Any]]) -> list[Cap]:
    """Every cap that cut something, by rate-card line: what stood before it and what it left."""
    of_line: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in settled:
        of_line[row["line_id"]].append(row)
    found = []
    for before, after, name in _CAP_COLUMNS:
        for line_id, rows in sorted(of_line.items()):
            stood, left = sum(cents(row[before]) for row in rows), sum(cents(row[after]) for row in rows)
            if stood != left:
                found.append(Cap(name, line_id, stood, stood - left, left))
    return found
