"""Shows the account of a payment line on the terminal, from the amount down."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from obc_pipeline.ledger.entry import dollars

_ROWS_SHOWN = 12
_MARKS = {"passed": "[green]passed[/green]", "decided": "[bold]decides[/bold]", "not reached": "[dim]not reached[/dim]"}
_MET = {True: "[green]met[/green]", False: "[red]not met[/red]", None: "unknown"}


def show_account(console: Console, account: dict[str, Any], *, all_rows: bool = False) -> None:
    """The account for people. all_rows: every session; else those not counted and the first that were."""
    console.print(f"[bold red]{account['notice']}[/bold red]")
    _amounts(console, account)
    _rule(console, account["rule"])
    _factors(console, account)
    _cohort(console, account["cohort"])
    _tests(console, account["tests"])
    _sessions(console, account["sessions"], all_rows)
    _paper(console, account)
    _caps(console, account)
    _ledger(console, account["ledger"])


def _amounts(console: Console, account: dict[str, Any]) -> None:
    line, run = account["line"], account["run"]
    console.print(
        f"\n[bold]{escape(line['contract_id'])} {escape(line['line_id'])}[/bold], student {escape(line['student_id'] or 'none')}, {line['period']}"
    )
    console.print(f"line_key {line['line_key']}, student_key {line['student_key'] or 'none'}; contract version {line['contract_version']}")
    posted = dollars(account["ledger"]["posted_cents"])
    if line["is_settled"]:
        cap = f" after the cap {line['cap_applied']}" if line["cap_applied"] else ""
        console.print(
            f"[bold]Earned {_money(line['earned_amount'])}, payable {_money(line['payable_amount'])}{cap}, posted {_money(posted)}[/bold]"
        )
    else:
        console.print(f"[bold]No longer settled: the student or the line is not among those that are. Posted {_money(posted)}[/bold]")
    decision = line["decision"] or "paid for serving"
    console.print(f"{decision} ({line['reason_code']}): {escape(line['reason'] or '')}", soft_wrap=True)
    if line["resolves_by"]:
        console.print(f"Resolved by: {escape(line['resolves_by'])}", soft_wrap=True)
    console.print(f"As of {run['as_of']}, evidence up to {run['evidence_cutoff_at']} UTC, run {run['run_id']}")
    if account["why_old"]:
        console.print(f"[yellow]This is how it stood then: {escape(account['why_old'])}.[/yellow]")


def _rule(console: Console, steps: list[dict[str, Any]]) -> None:
    table = _table("Step", "Question, in this order; the first that matches decides", "", "What was found")
    for step in steps:
        table.add_row(str(step["step"] or ""), step["question"], _MARKS[step["outcome"]], escape(step["why"] or ""))
    console.print("\n[bold]The rule[/bold]")
    console.print(table)


def _factors(console: Console, account: dict[str, Any]) -> None:
    factors = account["factors"]
    if factors is None:
        return
    table = _table("Factor", "", "How it was counted", "Written in")
    a, p, o = factors["attendance"], factors["provider"], factors["outcome"]
    dose = (
        f"{_plain(a['numerator'])} of {_plain(a['denominator'])} {(a['unit'] or '').lower()} ({_plain(a['attended'])} attended, "
        f"{_plain(a['credited_lost_to_district'])} credited), {a['needed']} needed"
    )
    table.add_row("attendance", _MET[a["is_met"]], dose, a["clause"] or "")
    table.add_row("provider", _MET[p["is_met"]], escape(p["breach"] or "no breach that voids the outcome"), "")
    value = f"{o['metric']} {_plain(o['value'])} against {_plain(o['threshold'])}" if o["value"] is not None else str(o["measured_because"])
    extras = [f"tier {o['tier']}" if o["tier"] else "", f"share {_plain(o['vendor_share'])}" if o["vendor_share"] is not None else ""]
    extras.append(f"uplift x{_plain(o['uplift'])}" if o["uplift"] not in (None, 1) else "")
    table.add_row("outcome", _MET[o["is_met"]], ", ".join(filter(None, [value, *extras])), o["clause"] or "")
    console.print("\n[bold]The three factors[/bold]")
    console.print(table)
    duties = _table("Obligation", "Party", "Counted", "Needed", "", "If breached", "Written in")
    for duty in account["obligations"]:
        needed = f"{duty['comparator']} {duty['value_numerator']}/{duty['value_denominator']}"
        counted = f"{duty['numerator']} of {duty['denominator']}" if duty["denominator"] else "unknown"
        duties.add_row(
            f"{duty['obligation_id']} ({duty['metric']})", duty["party"].lower(), counted, needed, duty["obligation_status"].lower(),
            duty["consequence"].lower().replace("_", " "), duty["clause"] or "",
        )  # fmt: skip
    if account["obligations"]:
        console.print(duties)


def _cohort(console: Console, cohort: dict[str, Any] | None) -> None:
    if cohort is None:
        return
    table = _table("All students of the line", "", right=(1,))
    for name, value in cohort.items():
        table.add_row(_words(name), _plain(value) if value is not None else "none")
    console.print("\n[bold]The cohort[/bold]")
    console.print(table)


def _tests(console: Console, tests: list[dict[str, Any]]) -> None:
    if not tests:
        return
    table = _table("Test", "Window", "On", "Score", "", "Why", "Stands in")
    for test in tests:
        counted = "[green]counts[/green]" if test["is_counted"] else "passed over"
        table.add_row(
            test["test_role"].lower(), test["window_id"], str(test["tested_on"] or ""), _plain(test["score"]), counted,
            _words(test["choice_reason"]), _place(test["place"]),
        )  # fmt: skip
    console.print("\n[bold]Tests[/bold]")
    console.print(table)


def _sessions(console: Console, sessions: dict[str, Any], all_rows: bool) -> None:
    if not sessions["rows"]:
        return
    told = ", ".join(f"{count} {verdict}" for verdict, count in sessions["by_verdict"].items())
    console.print(f"\n[bold]Sessions[/bold]: {told}")
    rows = sessions["rows"]
    if not all_rows:
        others = [row for row in rows if row["counts"] != "counted"]
        counted = [row for row in rows if row["counts"] == "counted"]
        rows = sorted(
            [*others[:_ROWS_SHOWN], *counted[: max(3, _ROWS_SHOWN - len(others))]], key=lambda row: (row["session_on"], row["session_id"])
        )
    table = _table("On", "Minutes", "", "Provider's word", "Stands in")
    for row in rows:
        word = row["claimed_reason"] or ("present" if row["is_attended"] else "")
        table.add_row(str(row["session_on"]), _plain(row["attended_minutes"]), escape(row["counts"]), escape(word), _place(row["place"]))
    console.print(table)
    if len(rows) < len(sessions["rows"]):
        console.print(f"… {len(sessions['rows']) - len(rows)} more; --all-sessions shows them, --json holds them")


def _paper(console: Console, account: dict[str, Any]) -> None:
    table = _table("What", "Value", "Stands in")
    for clause in account["clauses"]:
        if clause["term"] == "line" or clause["term"].startswith(("tiers.", "dosage_gate", "base_", "penalty", "required_")):
            table.add_row(f"contract: {clause['term']}", escape(clause["words"]), f"{clause['file']}:{clause['line']}")
    for row in account["roster"]:
        until = f" to {row['end_on']} ({row['end_reason']})" if row["end_on"] else " on"
        table.add_row("roster", f"{row['line_id'] or 'all lines'} from {row['start_on']}{until}", _place(row["place"]))
    for row in account["rulings"]:
        value = f"{row['subject']} {row['key'] or ''} = {row['value']}, {row['ruled_on']} by {row['ruled_by']}"
        table.add_row("ruling", escape(value), _place(row["place"]))
    console.print("\n[bold]Contract, roster, rulings[/bold]")
    console.print(table)


def _caps(console: Console, account: dict[str, Any]) -> None:
    if not account["caps"]:
        return
    table = _table("Cap", "Before $", "After $", "", "Written in", right=(1, 2))
    for cap in account["caps"]:
        cut = "cut" if cap["cut_cents"] else "leaves it as it is"
        table.add_row(cap["cap"], _money(dollars(cap["before_cents"])), _money(dollars(cap["after_cents"])), cut, cap["clause"] or "")
    console.print("\n[bold]Caps[/bold], in this order; each cuts what its whole group exceeds, pro rata")
    console.print(table)


def _ledger(console: Console, ledger: dict[str, Any]) -> None:
    console.print(f"\n[bold]Ledger[/bold]: {len(ledger['entries'])} {'entry' if len(ledger['entries']) == 1 else 'entries'} of this line")
    table = _table("Statement", "Entry", "", "Amount $", "Reason", "Approved by", "Hash", right=(3,))
    for entry in ledger["entries"]:
        table.add_row(
            str(entry["statement_number"]), str(entry["entry_seq"]), entry["entry_kind"], _money(entry["amount"]), entry["reason_code"],
            escape(entry["approved_by"]), entry["entry_hash"][:16],
        )  # fmt: skip
    if ledger["entries"]:
        console.print(table)
    for damage in ledger["damages"]:
        console.print(f"[bold red]{escape(damage)}[/bold red]", soft_wrap=True)


def _place(place: dict[str, Any] | None) -> str:
    if place is None:
        return "no file"
    if place["delivery"] is None or place["line"] is None:
        return escape(place["text"])
    name = place["delivery"].rsplit("/", 1)[-1]
    inside = f" » {place['member']}" if place["member"] and place["member"] != name else ""
    return escape(f"{place['source']}/{name}{inside}:{place['line']} ({place['sha256'][:12]})")


def _table(*headers: str, right: tuple[int, ...] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for number, header in enumerate(headers):
        table.add_column(header, justify="right" if number in right else "left", overflow="fold")
    return table


def _money(amount: Decimal | None) -> str:
    return f"{amount:,.2f}" if amount is not None else "none"


def _words(code: str | None) -> str:
    return (code or "").lower().replace("_", " ")


def _plain(number: Any) -> str:
    if number is None:
        return "unknown"
    text = f"{number:f}" if isinstance(number, Decimal) else str(number)
    return text.rstrip("0").rstrip(".") if "." in text else text
