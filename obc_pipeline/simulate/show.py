"""Shows a simulated contract on the terminal. Counts and amounts only: no student appears."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

_KINDS = {"BASE": "serving students", "INSTALMENT": "instalment", "OUTCOME": "outcome", "PENALTY": "penalty", "COHORT": "cohort"}


def show_answer(console: Console, seen: dict[str, Any]) -> None:
    """The view of an answer, for people."""
    console.print(
        f"[bold]{escape(seen['contract_id'])}: what it costs, and what it would have cost[/bold], as of {seen['as_of']} (run {seen['run_id']})"
    )
    if seen["why_old"]:
        console.print(
            f'[yellow]"Now" is the last run: {escape(seen["why_old"])}. `obc run` first makes both sides comparable.[/yellow]',
            soft_wrap=True,
        )
    table = _table("Line", "", "Paid now", "Payable now $", "Paid then", "Payable then $", "Difference $", right=(2, 3, 4, 5, 6))
    for line in seen["lines"]:
        now, then = line["now"], line["then"]
        table.add_row(
            escape(line["line_id"]), _KINDS.get(line["line_kind"], line["line_kind"]), f"{now['paid']:,}", _money(now["payable"]), f"{then['paid']:,}",
            _money(then["payable"]), _signed(line["difference"]),
        )  # fmt: skip
    for name in ("base", "contingent", "total"):
        row = seen[name]
        style = "[bold]" if name == "total" else ""
        table.add_row(
            f"{style}{name}",
            "",
            "",
            f"{style}{_money(row['now'])}",
            "",
            f"{style}{_money(row['then'])}",
            f"{style}{_signed(row['difference'])}",
        )
    console.print(table)
    _rates(console, seen)
    _caps(console, seen["caps"])
    _forecast(console, seen["forecast"])
    console.print("\nNothing was changed: this was worked out on a copy, with the contract's own models.")


def _rates(console: Console, seen: dict[str, Any]) -> None:
    table = _table("What it rests on", "Now", "Then")
    rate = seen["attendance_rate"]
    if rate["now"]["denominator"] > rate["now"]["numerator"] or rate["then"] != rate["now"]:
        table.add_row("sessions attended, of those held for a student", _counted(rate["now"]), _counted(rate["then"]))
    for line_id, rates in seen["outcome_rates"].items():
        table.add_row(f"{line_id}: outcome met, of the students judged", _counted(rates["now"]), _counted(rates["then"]))
    for name, words in (
        ("contingent_share_paid", "share really contingent, of what is paid"),
        ("contingent_share_at_most", "share contingent, of the most that could be paid"),
    ):
        table.add_row(words, _percent(seen[name]["now"]), _percent(seen[name]["then"]))
    console.print()
    console.print(table)


def _caps(console: Console, caps: dict[str, list[dict[str, Any]]]) -> None:
    if not caps["now"] and not caps["then"]:
        console.print("\nThe contract states no cap.")
        return
    now = {(row["cap"], row["line_id"]): row for row in caps["now"]}
    then = {(row["cap"], row["line_id"]): row for row in caps["then"]}
    table = _table("Cap", "Limit then", "Used now", "Used then", "", "Cut then $", "Still at stake $", right=(1, 2, 3, 5, 6))
    for key in dict.fromkeys([*now, *then]):
        before, after = now.get(key), then.get(key)
        row = after or before or {}
        limit = _money(row["limit_amount"]) if row["limit_amount"] is not None else f"{row['limit_count']:,} outcomes"
        table.add_row(
            " ".join(part for part in key if part).replace("_", " ").lower(),
            limit if after else "none",
            _used(before), _used(after), _alert(after), _money(after["cut_amount"]) if after else "", _money(after["at_stake_amount"]) if after else "",
        )  # fmt: skip
    console.print("\n[bold]Caps[/bold] (alerts at 80, 90 and 100 %)")
    console.print(table)


def _forecast(console: Console, forecast: dict[str, list[dict[str, Any]]]) -> None:
    if not forecast["then"]:
        return
    table = _table("Line", "Open", "On pace", "Chance from", "Decided $", "Expected $", "From $", "To $", right=(1, 2, 4, 5, 6, 7))
    for row in forecast["then"]:
        table.add_row(
            row["line_id"] or "", str(row["students_pending"]), str(row["students_on_pace"]), (row["rate_basis"] or "").lower().replace("_", " "),
            _money(row["decided_amount"]), _money(row["expected_amount"]), _money(row["low_amount"]), _money(row["high_amount"]),
        )  # fmt: skip
    console.print("\n[bold]Forecast under the changed terms[/bold], before caps, with its interval")
    console.print(table)


def _alert(cap: dict[str, Any] | None) -> str:
    percent = cap["alert_percent"] if cap else 0
    return {100: "[bold red]full: 100 %[/bold red]", 90: "[red]over 90 %[/red]", 80: "[yellow]over 80 %[/yellow]"}.get(percent or 0, "")


def _used(cap: dict[str, Any] | None) -> str:
    if cap is None:
        return "no cap"
    return _percent(Decimal(str(cap["used_rate"])) if cap["used_rate"] is not None else None)


def _counted(rate: dict[str, Any]) -> str:
    return f"{rate['numerator']:,} of {rate['denominator']:,} ({_percent(rate['rate'])})"


def _percent(rate: Decimal | None) -> str:
    return "unknown" if rate is None else f"{rate * 100:.1f} %"


def _money(amount: Decimal | float | None) -> str:
    return "unknown" if amount is None else f"{amount:,.2f}"


def _signed(amount: Decimal) -> str:
    return f"{amount:+,.2f}" if amount else "0.00"


def _table(*headers: str, right: tuple[int, ...] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for number, header in enumerate(headers):
        table.add_column(header, justify="right" if number in right else "left", overflow="fold")
    return table
