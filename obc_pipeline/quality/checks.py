"""Checks: runs the suites on what counts as evidence and on the paying marts, adds what intake knows, and gives verdicts.

Needs, in the warehouse: `documents.*`, `intake.delivery`, `intake.file` and the views `lake_checked.*`. Great Expectations is imported only
when a batch must be validated: an idle run takes every outcome from `lake/checks/`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from obc_pipeline.home import Home
from obc_pipeline.quality.freshness import Feed, judge, read_feeds, write_freshness
from obc_pipeline.quality.intake_checks import intake_verdicts
from obc_pipeline.quality.outcome_cache import OutcomeCache, evidence_key
from obc_pipeline.quality.rules import identifier, literal
from obc_pipeline.quality.suites import Expected, Severity, Suite, read_suite, suite_names
from obc_pipeline.quality.verdicts import ContractBlock, Outcome, Status, Verdict, block_contracts
from obc_pipeline.sources import registry

if TYPE_CHECKING:
    from obc_pipeline.quality.engine import ValidationEngine

UNTRUSTED = ("NEW", "TBD")
NO_SUCH_COLUMN = "NoSuchColumn"


@dataclass(frozen=True)
class CheckRun:
    """What a check belongs to: the run, the date it is as of, the home whose cache it may use (None = no cache), the suites' folder."""

    run_id: str
    as_of_date: date
    home: Home | None = None
    expectations_dir: Path | None = None


@dataclass(frozen=True)
class DataMapRow:
    """What of a data-map row decides about its checks: accuracy NEW or TBD only warns."""

    row_id: str
    sources: tuple[str, ...]
    suites: tuple[str, ...]
    accuracy_status: str


def check_sources(connection: duckdb.DuckDBPyConnection, run: CheckRun) -> list[Verdict]:
    """Every verdict on every source of the data map, in order of source; also replaces `intake.source_freshness`.

    One batch per source and table that has a file that counts. Raises SuiteInvalid when a suite cannot be read.
    """
    feeds = read_feeds(connection)
    found = {feed.source: judge(feed, run.as_of_date) for feed in feeds}
    write_freshness(connection, found.values())
    rows = _data_map_rows(connection)
    verdicts: list[Verdict] = []
    with _Engine(connection) as engine:
        for feed in feeds:
            for suite in _suites(feed.format, run):
                verdicts += _source_verdicts(connection, engine, run, feed, suite, rows)
            serving = [row for row in rows if feed.source in row.sources]
            verdicts += intake_verdicts(
                connection,
                run.run_id,
                run.as_of_date,
                feed,
                found[feed.source],
                data_map_row=_ids(serving),
                is_trusted=not _is_all_new(serving),
            )
    return verdicts


def check_marts(connection: duckdb.DuckDBPyConnection, run: CheckRun) -> list[Verdict]:
    """Every verdict on every mart that has a suite, one batch per contract, so that a broken contract stops no other."""
    contracts = [row[0] for row in connection.execute("SELECT DISTINCT contract_id FROM documents.contract ORDER BY 1").fetchall()]
    verdicts: list[Verdict] = []
    with _Engine(connection) as engine:
        for name in suite_names(run.expectations_dir):
            schema, _, mart = name.partition("__")
            suite = read_suite(name, run.expectations_dir)
            if schema in registry() or suite is None:
                continue
            columns = _columns(connection, schema, mart)
            for contract_id in contracts:
                relation, where = f"{identifier(schema)}.{identifier(mart)}", f"contract_id = {literal(contract_id)}"
                outcomes = _validate(engine, relation, where, suite.expectations, columns) if columns else None
                for expected, outcome in _paired(suite, outcomes):
                    verdict = _verdict(
                        run, f"{schema}.{mart}.{contract_id}", None, contract_id, suite, expected, outcome, expected.severity, None
                    )
                    verdicts.append(verdict)
    return verdicts


def contract_blocks(connection: duckdb.DuckDBPyConnection, verdicts: Iterable[Verdict]) -> list[ContractBlock]:
    """The contracts that must not pay, and why: blocking verdicts over `documents.contract_source`."""
    pairs = connection.execute("SELECT contract_id, source FROM documents.contract_source").fetchall()
    return block_contracts(verdicts, [(contract_id, source) for contract_id, source in pairs])


class _Engine:
    """Starts the validation engine (and the import of Great Expectations) when it is first needed."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._stack = ExitStack()
        self._started: ValidationEngine | None = None

    def __enter__(self) -> _Engine:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @property
    def started(self) -> ValidationEngine:
        if self._started is None:
            from obc_pipeline.quality.engine import validation_engine

            self._started = self._stack.enter_context(validation_engine(self._connection))
        return self._started


def _source_verdicts(
    connection: duckdb.DuckDBPyConnection, engine: _Engine, run: CheckRun, feed: Feed, suite: Suite, rows: Sequence[DataMapRow]
) -> Iterator[Verdict]:
    """The verdicts of one suite on one source; NOT_RUN when no file of that table counts."""
    table = suite.name.partition("__")[2]
    outcomes = _source_outcomes(connection, engine, run, feed, suite, table)
    for expected, outcome in _paired(suite, outcomes):
        serving = _serving(rows, suite.name, feed.source, expected)
        severity = _severity(expected.severity, serving)
        verdict = _verdict(run, f"{feed.source}.{table}", feed.source, None, suite, expected, outcome, severity, _ids(serving))
        # A source that no contract consumes stops none.
        yield verdict if feed.contracts else replace(verdict, is_blocking=False)


def _source_outcomes(
    connection: duckdb.DuckDBPyConnection, engine: _Engine, run: CheckRun, feed: Feed, suite: Suite, table: str
) -> list[Outcome] | None:
    """Outcomes in the suite's order, from the cache when neither suite nor evidence has changed; None when no file counts."""
    key = evidence_key(connection, run.home, feed.source, table, suite.content_hash)
    if key is None:
        return None
    cache = OutcomeCache(run.home.check_cache / f"{feed.source}.json") if run.home else None
    kept = cache.find(table, key) if cache else None
    if kept is not None:
        return kept
    relation, where = f"lake_checked.{identifier(suite.name)}", f"_source = {literal(feed.source)}"
    outcomes = _validate(engine, relation, where, suite.expectations, _columns(connection, "lake_checked", suite.name))
    if cache and all(outcome.error is None for outcome in outcomes):
        cache.keep(table, key, outcomes)
    return outcomes


def _validate(engine: _Engine, relation: str, where: str, expectations: Sequence[Expected], columns: frozenset[str]) -> list[Outcome]:
    """One outcome per expectation, in order. What cannot be evaluated is an outcome with an error, never an exception."""
    possible = [expected for expected in expectations if set(expected.columns) <= columns]
    found: dict[str, Outcome] = {}
    try:
        found = {outcome.expectation_id: outcome for outcome in engine.started.validate(relation, where, possible)}
    except duckdb.Error as error:
        found = {expected.id: Outcome(expected.id, False, None, None, type(error).__name__) for expected in possible}
    return [found.get(expected.id, Outcome(expected.id, False, None, None, NO_SUCH_COLUMN)) for expected in expectations]


def _paired(suite: Suite, outcomes: Sequence[Outcome] | None) -> Iterator[tuple[Expected, Outcome | None]]:
    """Each expectation with its outcome, matched by id."""
    by_id = {outcome.expectation_id: outcome for outcome in outcomes or ()}
    for expected in suite.expectations:
        yield expected, by_id[expected.id] if outcomes is not None else None


def _verdict(
    run: CheckRun,
    subject: str,
    source: str | None,
    contract_id: str | None,
    suite: Suite,
    expected: Expected,
    outcome: Outcome | None,
    severity: Severity,
    data_map_row: str | None,
) -> Verdict:
    status: Status = "NOT_RUN" if outcome is None else "ERROR" if outcome.error else "PASSED" if outcome.is_met else "FAILED"
    checked, failed = (outcome.rows_checked, outcome.rows_failed) if outcome else (None, None)
    return Verdict(
        run_id=run.run_id,
        check_id=f"{subject}.{expected.id}",
        source=source,
        contract_id=contract_id,
        suite=suite.name,
        expectation_type=expected.kind,
        column_name=expected.subject,
        data_map_row=data_map_row,
        severity=severity,
        status=status,
        rows_checked=checked,
        rows_failed=failed,
        pass_rate=(checked - failed) / checked if checked and failed is not None else None,
        mostly=expected.kwargs.get("mostly"),
        is_blocking=severity == "critical" and status in ("FAILED", "ERROR"),
        checked_as_of=run.as_of_date,
        message=_message(expected, outcome),
        engine="great_expectations",
    )


def _message(expected: Expected, outcome: Outcome | None) -> str:
    """What was found, in plain words and counts."""
    if outcome is None:
        return "not checked: nothing of this table counts yet"
    if outcome.error == NO_SUCH_COLUMN:
        return f"could not be checked: the table has no column {expected.subject}; expected: {expected.reason}"
    if outcome.error:
        return f"could not be checked ({outcome.error}); expected: {expected.reason}"
    checked, failed = outcome.rows_checked, outcome.rows_failed
    if checked is None or failed is None:
        return f"{'holds' if outcome.is_met else 'does not hold'}: {expected.reason}"
    if failed == 0:
        return f"all {checked:,} rows pass: {expected.reason}"
    mostly = expected.kwargs.get("mostly", 1.0)
    share = math.floor((checked - failed) / checked * 1000) / 10  # never rounded up to a share that would pass
    return f"{failed:,} of {checked:,} rows fail ({share:.1f} % pass, {mostly * 100:g} % must): {expected.reason}"


def _serving(rows: Sequence[DataMapRow], suite: str, source: str, expected: Expected) -> list[DataMapRow]:
    """The data-map rows an expectation serves on a source: those that name its suite; only the one it names itself, if it names one."""
    serving = [row for row in rows if suite in row.suites and source in row.sources]
    named = [row for row in serving if row.row_id == expected.data_map_row]
    return named or serving


def _severity(severity: Severity, serving: Sequence[DataMapRow]) -> Severity:
    """A measure that is not trusted yet cannot stop a payment: where only such rows are served, critical becomes a warning."""
    return "warning" if severity == "critical" and _is_all_new(serving) else severity


def _is_all_new(serving: Sequence[DataMapRow]) -> bool:
    return bool(serving) and all(row.accuracy_status in UNTRUSTED for row in serving)


def _ids(serving: Sequence[DataMapRow]) -> str | None:
    """Comma-joined row ids, as `data_map_row` of a verdict."""
    return ",".join(row.row_id for row in serving) or None


def _suites(format_name: str, run: CheckRun) -> list[Suite]:
    names = [name for name in suite_names(run.expectations_dir) if name.startswith(f"{format_name}__")]
    return [suite for suite in (read_suite(name, run.expectations_dir) for name in names) if suite]


def _columns(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> frozenset[str]:
    """The columns of a table or view; empty when there is none."""
    found = connection.execute(
        "SELECT column_name FROM duckdb_columns() WHERE schema_name = ? AND table_name = ?", [schema, name]
    ).fetchall()
    return frozenset(row[0] for row in found)


def _data_map_rows(connection: duckdb.DuckDBPyConnection) -> list[DataMapRow]:
    found = connection.execute("SELECT row_id, source, suites, accuracy_status FROM documents.data_map_row ORDER BY row_id").fetchall()
    return [DataMapRow(row_id, _split(source), _split(suites), accuracy_status) for row_id, source, suites, accuracy_status in found]


def _split(joined: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (joined or "").split(",") if part.strip())
