"""How a statement's facts are put for people; the workbook and the PDF say the same words."""

from __future__ import annotations

from datetime import datetime

from obc_pipeline.ledger.entry import dollars
from obc_pipeline.reports.statement import Group, Statement

PROPOSED = "PROPOSED: not approved, not posted, not payable"
KINDS = {
    "BASE": "Serving students",
    "INSTALMENT": "Fixed instalment",
    "OUTCOME": "Outcome",
    "PENALTY": "Penalty",
    "COHORT": "Cohort outcome",
}


def money(cents: int | None) -> str:
    """US dollars with thousands separators; empty when unknown."""
    return "" if cents is None else f"{dollars(cents):,.2f}"


def title(statement: Statement) -> str:
    return f"Statement {statement.number}: {statement.contract_id}"


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def facts(statement: Statement) -> list[tuple[str, str]]:
    """What the statement is about."""
    first, last = statement.service_period
    stated = [
        ("District", statement.district),
        ("Provider", statement.provider),
        ("Contract", f"{statement.contract_id}, version {statement.contract_version}, {statement.subject}, {statement.period}"),
        ("Service", f"{first} to {last}"),
        *((name, value) for name, value in statement.terms.items()),
        ("As of", f"{statement.as_of}, on evidence received by {moment(statement.evidence_cutoff_at)}"),
        ("Status", f"posted {moment(statement.posted_at)}" if statement.posted_at else PROPOSED),
        ("Run", statement.run_id),
    ]
    deadline = f"; scores restate until {statement.restatement_deadline}" if statement.restatement_deadline else ""
    return [*stated, ("To dispute", f"within {statement.dispute_window_days} days of posting, by ruling{deadline}")]


def balances(statement: Statement) -> list[tuple[str, int]]:
    """Opening balance, what moves it by kind, closing balance: the parts add up to the cent."""
    adjusted = sum(line.amount_cents for line in statement.lines if line.entry_kind in ("ADJUSTMENT", "REVERSAL"))
    accrued = sum(line.amount_cents for line in statement.lines if line.entry_kind == "ACCRUAL")
    new = {
        kind: sum(line.amount_cents for line in statement.lines if line.line_kind == kind and line.entry_kind == "NEW") for kind in KINDS
    }
    return [
        ("Opening balance (posted before)", statement.opening_cents),
        ("Base: serving students, new", new["BASE"]),
        *([("Base: fixed instalments, new", new["INSTALMENT"])] if new["INSTALMENT"] else []),
        *([("Base: grown since the last statement", accrued)] if accrued else []),
        ("Outcomes, new", new["OUTCOME"]),
        *([("Cohort outcomes, new", new["COHORT"])] if new["COHORT"] else []),
        ("Penalties, new", new["PENALTY"]),
        ("Adjustments of earlier statements", adjusted),
        ("This statement", statement.amount_cents),
        ("Closing balance", statement.closing_cents),
    ]


STEPS = {
    "OPENING": "Payable at the statement before",
    "NEW": "Newly decided",
    "BASE_GREW": "Base pay that grew with service",
    "RESTATED_UP": "Decided before, worth more now",
    "RESTATED_DOWN": "Decided before, worth less now",
    "GONE": "No longer settled",
    "CAPS": "What the caps cut, against then",
    "CLOSING": "Payable at this statement",
}


def changes(statement: Statement) -> list[tuple[str, str, int, int]]:
    """From the statement before to this one: step, cause, lines, cents. The steps between the two balances add up to their difference."""
    return [(STEPS[one.step], one.cause, one.lines, one.cents) for one in statement.changes]


def group_name(group: Group) -> str:
    kind = KINDS.get(group.line_kind, group.line_kind)
    return f"{group.line_id}: {group.outcome_name}" if group.line_kind not in ("BASE", "INSTALMENT") else kind


def approvals(statement: Statement) -> list[tuple[str, str]]:
    """Who approved, and what is still missing."""
    given = [(f"{one.by} ({one.role})", one.at) for one in statement.approvals]
    return given + [("Still missing", text) for text in statement.missing] if given or statement.missing else [("None yet", "")]


def chain(statement: Statement) -> list[tuple[str, str]]:
    """What anybody needs to check the ledger against this print."""
    when = "after this statement" if statement.is_posted else "before this statement"
    return [
        (f"Head hash {when}", statement.head_hash),
        (f"Entries {when}", str(statement.entry_count)),
        ("Proposal hash", statement.proposal_hash),
        ("Check it with", f"obc verify --contract {statement.contract_id} --head {statement.head_hash}:{statement.entry_count}"),
    ]


def notes(statement: Statement) -> list[str]:
    """What the reader must know to read the numbers right."""
    told = []
    if statement.late_changes:
        told.append(
            f"{statement.late_changes} later changes ({money(statement.late_change_cents)}) came after the restatement deadline: "
            "they are in the late-change register and are not paid."
        )
    if statement.caps:
        told.append(
            f"Value delivered above cap: {money(statement.above_cap_cents)}. It is earned and not payable; it stays visible to both parties."
        )
    if statement.audience == "vendor":
        told.append("Students carry the id of your own session logs. Students whose parents no longer share data with you are withheld.")
    else:
        told.append("Students carry a pseudonymous key; `obc explain LINE_KEY` shows the district's own staff why a line is what it is.")
    return told
