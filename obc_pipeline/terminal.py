"""What the `obc` command shows on the terminal: tables where somebody looks, plain lines where a script reads."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.home import Home

if TYPE_CHECKING:
    from obc_pipeline.documents import Problem
    from obc_pipeline.intake.read import Preflight

_LINE_EVERY_SECONDS = 5.0
_MOST_ROWS_SHOWN = 50


def output() -> Console:
    """stdout; as wide as it takes when nobody's terminal limits it."""
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


class StageProgress:
    """Progress of a run on stderr: a living line on a terminal, else one line per stage and a sign of life every few seconds."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 160)
        self._started = time.monotonic()
        self._last_line = 0.0
        self._status = self._console.status("starting") if self._console.is_terminal else None

    def __enter__(self) -> StageProgress:
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._status:
            self._status.stop()

    def __call__(self, stage: str, text: str) -> None:
        line = f"{time.monotonic() - self._started:7.1f} s  {stage:<14} {text}"
        is_milestone = text.startswith(("done", "left where it is"))
        if self._status:
            self._status.update(escape(line))
        if is_milestone or (self._status is None and time.monotonic() - self._last_line > _LINE_EVERY_SECONDS):
            self._console.print(escape(line), soft_wrap=True)
            self._last_line = time.monotonic()


def show_result(console: Console, result: dict[str, Any]) -> None:
    """What a run did, in a few lines."""
    counted = [
        sum(source[name] for source in result["sources"].values()) for name in ("files", "rows_in", "accepted", "quarantined", "duplicate")
    ]
    files, rows_in, accepted, quarantined, duplicate = counted
    head = "Nothing new since" if result["is_unchanged"] else "Finished"
    console.print(f"[bold]{head} run {result['run_id']}[/bold], as of {result['as_of']}, evidence up to {result['evidence_cutoff_at']} UTC")
    if result["is_unchanged"]:
        console.print("The documents, what has arrived, the date and the code are the same: nothing was changed.")
    console.print(f"{files:,} files, {rows_in:,} records = {accepted:,} accepted + {quarantined:,} quarantined + {duplicate:,} duplicate")
    checks = result["checks"]
    console.print(f"{checks['passed']:,} checks passed, {checks['warned']:,} warn, {checks['blocked']:,} stop a contract")
    amounts = _table("Contract", "Earned $", "Payable $", "", right=(1, 2))
    for contract_id, amount in result["contracts"].items():
        held = "held back: last published rows stand" if contract_id in result["blocked_contracts"] else ""
        amounts.add_row(contract_id, _money(amount["earned"]), _money(amount["payable"]), held)
    console.print(amounts)
    for reason in result.get("not_prepared", {}).values():
        console.print(f"[yellow]Not prepared[/yellow]: {escape(reason)}", soft_wrap=True)
    for reason in result.get("not_prepared", {}).values():
        console.print(f"[yellow]Not prepared[/yellow]: {escape(reason)}", soft_wrap=True)
    console.print(f"Published: {result['published'][0]}", soft_wrap=True)


def show_summary(console: Console, home: Home) -> None:
    """The statement per contract, the three factors, what was quarantined and why, three findings, and where to look next."""
    with _published(home) as connection:
        run_id, as_of, cutoff, held = _one(
            connection, "select run_id, as_of_date, evidence_cutoff_at, held_back_contracts from quality.published_run"
        )
        console.print(f"\n[bold]What the district owes, as of {as_of}[/bold]  (run {run_id}, evidence up to {cutoff} UTC)")
        _statement(console, connection)
        _factors(console, connection)
        _decisions(console, connection)
        _quarantine(console, connection)
        _files_not_used(console, connection)
        _failing_checks(console, connection)
        if held:
            console.print(
                f"[bold red]Held back by a failed check: {held}.[/bold red] Their last published rows stand; quality.contract_status says why."
            )
        _findings(console, connection)
    _where_next(console, home)


def show_status(console: Console, home: Home) -> None:
    """Per data-map row: last arrival, fresh or late, accuracy, failing checks; per contract: whether it may pay."""
    with _published(home) as connection:
        rows = connection.execute(
            """select row_id, metric, source, frequency, last_arrival_at::date, due_on, is_fresh, accuracy_status, rows, failing_checks, is_blocking
               from quality.data_map_status order by kind, row_id"""
        ).fetchall()
        table = _table(
            "Data-map row", "Metric", "Source", "Comes", "Last arrival", "Due", "", "Accuracy", "Rows", "Failing checks", right=(8,)
        )
        for row_id, metric, source, frequency, arrived, due, is_fresh, accuracy, count, failing, is_blocking in rows:
            fresh = {True: "[green]fresh[/green]", False: "[red]late[/red]", None: "nothing due"}[is_fresh]
            told = f"[bold red]{escape(failing)} (stops contracts)[/bold red]" if is_blocking else escape(failing or "")
            table.add_row(
                row_id,
                metric,
                source,
                frequency.lower(),
                str(arrived or "never"),
                str(due or ""),
                fresh,
                accuracy.lower(),
                f"{count:,}",
                told,
            )
        console.print(table)
        for contract_id, is_blocked, reasons in connection.execute(
            "select contract_id, is_blocked, reasons from quality.contract_status order by 1"
        ).fetchall():
            told = f"[bold red]stopped[/bold red]: {escape(reasons or '')}" if is_blocked else "[green]may pay[/green]"
            console.print(f"{contract_id}: {told}", soft_wrap=True)


def show_problems(console: Console, problems: Sequence[Problem]) -> None:
    """Every problem of the documents: where, what is wrong, what would be right."""
    for problem in problems:
        colour = "red" if problem.severity == "error" else "yellow"
        console.print(
            f"[bold]{problem.file}:{problem.line}:{problem.column}[/bold]: [{colour}]{problem.severity}[/{colour}]: {escape(problem.message)}",
            soft_wrap=True,
        )
        console.print(f"    Right would be: {escape(problem.would_be_right)}", soft_wrap=True)
    errors = sum(problem.severity == "error" for problem in problems)
    console.print(f"{errors} errors, {len(problems) - errors} warnings" if problems else "[green]The documents are in order.[/green]")


def show_preflight(console: Console, found: Preflight) -> bool:
    """The verdict on one file; returns whether all of it would be taken in."""
    report = found.report
    if report.problem:
        console.print(f"[red]Refused[/red]: {escape(report.problem)}", soft_wrap=True)
        return False
    table = _table("File", "Table", "Verdict", "Rows", "Accepted", "Quarantined", "Duplicate", right=(3, 4, 5, 6))
    for file in report.files:
        verdict = {"READ": "[green]read[/green]", "IGNORED": "known, not used"}.get(
            file.status, f"[red]refused[/red]: {escape(file.reason or '')}"
        )
        table.add_row(
            escape(file.member_name),
            file.table or "?",
            verdict,
            *(f"{n:,}" for n in (file.rows_in, file.accepted, file.quarantined, file.duplicate)),
        )
    console.print(table)
    _preflight_rows(console, found)
    is_clean = not found.quarantined and all(file.status != "REFUSED" for file in report.files)
    console.print(
        "[green]All of it would be taken in.[/green]" if is_clean else "What is listed above would not go on. Nothing was stored."
    )
    return is_clean


def _preflight_rows(console: Console, found: Preflight) -> None:
    if not found.quarantined:
        return
    rows = _table("Record", "Line", "Rule", "Column", "What would be right", right=(0, 1))
    for row in found.quarantined[:_MOST_ROWS_SHOWN]:
        rows.add_row(
            str(row["record_number"]),
            str(row["line_number"] or ""),
            row["rule"] or "",
            row["column_name"] or "",
            escape(row["reason"] or ""),
        )
    console.print(rows)
    hidden = len(found.quarantined) - _MOST_ROWS_SHOWN
    if hidden > 0:
        counted = Counter(row["rule"] for row in found.quarantined)
        console.print(
            f"... and {hidden:,} more; by rule: " + ", ".join(f"{rule}: {count:,}" for rule, count in counted.most_common()), soft_wrap=True
        )


def _statement(console: Console, connection: duckdb.DuckDBPyConnection) -> None:
    table = _table(
        "Contract",
        "Provider",
        "Students",
        "Base $",
        "Outcomes $",
        "Penalties $",
        "Earned $",
        "Held $",
        "Pending $",
        "Most possible $",
        right=range(2, 10),
    )
    for row in connection.execute(
        """select contract_id, provider_name, students_assigned, base_amount, contingent_earned_amount, penalty_amount, total_earned_amount, held_amount,
                  pending_amount, maximum_base_amount + maximum_contingent_amount, is_over_cap, is_held_back
           from payable.rpt_contract_summary order by contract_id"""
    ).fetchall():
        notes = (" [yellow](over cap)[/yellow]" if row[10] else "") + (" [red](held back)[/red]" if row[11] else "")
        table.add_row(row[0] + notes, row[1], f"{row[2]:,}", *map(_money, row[3:10]))
    console.print(table)
    for (contract_id,) in connection.execute(
        "from quality.contract_status anti join payable.rpt_contract_summary using (contract_id) select contract_id order by 1"
    ).fetchall():
        console.print(f"[red]{contract_id} is held back by a failed check and was never published: it has no amounts yet.[/red]")


def _factors(console: Console, connection: duckdb.DuckDBPyConnection) -> None:
    table = _table("Contract", "Outcomes in scope", "Attendance met", "Provider's part met", "Outcome met", right=range(1, 5))
    for row in connection.execute(
        """select contract_id, outcomes_in_scope, attendance_met_count, attendance_not_met_count, attendance_unknown_count,
                  provider_met_count, provider_not_met_count, provider_unknown_count, outcome_met_count, outcome_not_met_count, outcome_unknown_count
           from payable.rpt_contract_summary order by contract_id"""
    ).fetchall():
        table.add_row(row[0], f"{row[1]:,}", *(f"{row[i]:,} yes, {row[i + 1]:,} no, {row[i + 2]:,} unknown" for i in (2, 5, 8)))
    console.print("\n[bold]The three factors[/bold]  (a student's outcome is paid when all three are met)")
    console.print(table)


def _decisions(console: Console, connection: duckdb.DuckDBPyConnection) -> None:
    table = _table("Contract", "Line", "Decisions (students)")
    for contract_id, line_id, counts in connection.execute(
        """with counted as (select contract_id, line_id, decision, count(*) as n from payable.fct_payment_decision group by all)
           select contract_id, line_id, string_agg(decision || ' ' || n, ', ' order by n desc, decision) from counted group by all order by all"""
    ).fetchall():
        table.add_row(contract_id, line_id, counts)
    console.print("\n[bold]Why[/bold]")
    console.print(table)


def _quarantine(console: Console, connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute(
        """select source, rule, coalesce(column_name, ''), count(*), count(distinct file_id), any_value(reason)
           from quality.quarantined_row group by all order by count(*) desc, source, rule limit 30"""
    ).fetchall()
    total = _one(connection, "select count(*) from quality.quarantined_row")[0]
    console.print(f"\n[bold]Quarantined[/bold]: {total:,} records did not go on; each is kept with its file, line and reason")
    if rows:
        table = _table("Source", "Rule", "Column", "Records", "Files", "What would be right", right=(3, 4))
        for source, rule, column, count, files, reason in rows:
            table.add_row(source, rule, column, f"{count:,}", f"{files:,}", escape(reason or ""))
        console.print(table)


def _files_not_used(console: Console, connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute(
        """select source, member_name, status, status_reason from quality.row_accounting
           where status in ('HELD', 'REFUSED') order by status, source, member_name limit 30"""
    ).fetchall()
    if rows:
        console.print("\n[bold]Files that do not count[/bold]")
        table = _table("Source", "File", "", "Why")
        for source, name, status, reason in rows:
            table.add_row(source, escape(name), status.lower(), escape(reason or ""))
        console.print(table)


def _failing_checks(console: Console, connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute(
        """select check_id, severity, is_blocking, message from quality.check_result
           where status in ('FAILED', 'ERROR') order by is_blocking desc, severity, check_id limit 30"""
    ).fetchall()
    passed, run = _one(
        connection, "select count(*) filter (status = 'PASSED'), count(*) filter (status <> 'NOT_RUN') from quality.check_result"
    )
    console.print(f"\n[bold]Checks[/bold]: {passed:,} of {run:,} pass")
    if rows:
        table = _table("Check", "", "What was found")
        for check_id, severity, is_blocking, message in rows:
            table.add_row(check_id, "[bold red]stops contracts[/bold red]" if is_blocking else severity, escape(message))
        console.print(table)


def _findings(console: Console, connection: duckdb.DuckDBPyConnection) -> None:
    """The first three findings, each with where its numbers stand. A file published before there were findings has none."""
    if not connection.execute(
        "from information_schema.tables where table_schema = 'improvement' and table_name = 'rpt_finding'"
    ).fetchone():
        return
    rows = connection.execute(
        "select sentence, mart, row_key from improvement.rpt_finding where finding_rank <= 3 order by finding_rank"
    ).fetchall()
    asked, without = _one(connection, "select count(*), count(*) filter (finding_rank is null) from improvement.rpt_finding")
    console.print(
        f"\n[bold]What stands out[/bold]  (of {asked} questions; {without} have nothing to tell yet: improvement.rpt_finding says why)"
    )
    for number, (sentence, mart, row_key) in enumerate(rows, start=1):
        console.print(f"{number}. {escape(sentence)}", soft_wrap=True)
        console.print(f"   [dim]{escape(mart)}: {escape(row_key)}[/dim]", soft_wrap=True)


def _where_next(console: Console, home: Home) -> None:
    file = home.published / "district" / "marts.duckdb"
    console.print("\n[bold]Where to look next[/bold]")
    for line in (
        f"{file}: open it with DuckDB or a BI tool; every table and column is described in it",
        "  payable.fct_payment_decision: one row per student and priced outcome, with its reason",
        "  process.msr_student_tutoring: the list a meeting goes through: who is off track, and what could still be done",
        "  improvement.rpt_finding: one finding per question of the guide; roi.agg_roi: what it costs and what it brought",
        "  payable.rpt_untested_worklist: who must still be tested, and whose duty that is",
        f"obc ui --home {home.path}: lineage, checks, freshness and schedules in Dagster",
        f"obc status --home {home.path}: the data map with its answer",
    ):
        console.print(escape(line), soft_wrap=True)


def _published(home: Home) -> duckdb.DuckDBPyConnection:
    file = home.published / "district" / "marts.duckdb"
    if not file.exists():
        raise ArgumentWrong(f"nothing is published in {home.path} yet; run `obc run --home {home.path}` first")
    return duckdb.connect(str(file), read_only=True)


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return row


def _table(*headers: str, right: Iterable[int] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for number, header in enumerate(headers):
        table.add_column(header, justify="right" if number in set(right) else "left", overflow="fold")
    return table


def _money(amount: Decimal | str) -> str:
    return f"{Decimal(amount):,.2f}"


def relative(path: Path) -> str:
    """A path as short as it can be said from where the user stands."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
