"""Verdicts: what each check found, as rows of `intake.check_result`, and what they block, as rows of `intake.contract_block`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from datetime import date
from typing import Literal

import duckdb

from obc_pipeline.quality.suites import Severity

Status = Literal["PASSED", "FAILED", "ERROR", "NOT_RUN"]


@dataclass(frozen=True)
class Outcome:
    """What Great Expectations found for one expectation on one batch, before severity and consequences.

    rows_checked: rows the expectation looked at (without NULLs it ignores), None where it looks at the table as a whole.
    rows_failed:  of those, the rows that fail.
    error:        name of the exception when it could not be evaluated; never its text, which may hold a value.
    """

    expectation_id: str
    is_met: bool
    rows_checked: int | None
    rows_failed: int | None
    error: str | None = None


@dataclass(frozen=True)
class Verdict:
    """One check of one run, the columns of `intake.check_result`.

    check_id:      `<source>.<table>.<expectation>`, `<source>.intake.<check>` or `<schema>.<mart>.<contract_id>.<expectation>`; unique in a run.
    source:        the feed it concerns; None for a mart.
    contract_id:   the contract whose rows of a mart were checked; None for a source.
    pass_rate:     0-1, None when no row was looked at; mostly: the share that must pass, 0-1.
    is_blocking:   critical, and FAILED or ERROR: contracts that consume the source, or the contract itself, are blocked.
    checked_as_of: the as-of date of the run.
    message:       in plain words, with counts, never a value.
    """

    run_id: str
    check_id: str
    source: str | None
    contract_id: str | None
    suite: str
    expectation_type: str
    column_name: str | None
    data_map_row: str | None
    severity: Severity
    status: Status
    rows_checked: int | None
    rows_failed: int | None
    pass_rate: float | None
    mostly: float | None
    is_blocking: bool
    checked_as_of: date
    message: str
    engine: Literal["great_expectations", "dbt", "intake"]


@dataclass(frozen=True)
class ContractBlock:
    """A contract that must not pay, and the check that stops it; a row of `intake.contract_block`."""

    contract_id: str
    source: str | None
    check_id: str
    reason: str


_RESULT_TYPES = {
    "run_id": "VARCHAR",
    "check_id": "VARCHAR",
    "source": "VARCHAR",
    "contract_id": "VARCHAR",
    "suite": "VARCHAR",
    "expectation_type": "VARCHAR",
    "column_name": "VARCHAR",
    "data_map_row": "VARCHAR",
    "severity": "VARCHAR",
    "status": "VARCHAR",
    "rows_checked": "BIGINT",
    "rows_failed": "BIGINT",
    "pass_rate": "DOUBLE",
    "mostly": "DOUBLE",
    "is_blocking": "BOOLEAN",
    "checked_as_of": "DATE",
    "message": "VARCHAR",
    "engine": "VARCHAR",
}
_BLOCK_TYPES = {"contract_id": "VARCHAR", "source": "VARCHAR", "check_id": "VARCHAR", "reason": "VARCHAR"}


def block_contracts(verdicts: Iterable[Verdict], contract_sources: Iterable[tuple[str, str]]) -> list[ContractBlock]:
    """The contracts stopped by blocking verdicts, in a stable order.

    contract_sources: (contract_id, source) pairs, every source whose failure must stop the contract (`documents.contract_source`).
    """
    consumers: dict[str, set[str]] = {}
    for contract_id, source in contract_sources:
        consumers.setdefault(source, set()).add(contract_id)
    blocks = set()
    for verdict in verdicts:
        if not verdict.is_blocking:
            continue
        stopped = {verdict.contract_id} if verdict.contract_id else consumers.get(verdict.source or "", set())
        blocks |= {ContractBlock(contract_id, verdict.source, verdict.check_id, verdict.message) for contract_id in stopped}
    return sorted(blocks, key=lambda block: (block.contract_id, block.check_id))


def write_verdicts(connection: duckdb.DuckDBPyConnection, verdicts: Iterable[Verdict], blocks: Iterable[ContractBlock]) -> None:
    """Replaces `intake.check_result` and `intake.contract_block`; both exist, typed, even with no row."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS intake")
    _replace(connection, "intake.check_result", _RESULT_TYPES, [astuple(verdict) for verdict in verdicts])
    _replace(connection, "intake.contract_block", _BLOCK_TYPES, [astuple(block) for block in blocks])


def _replace(connection: duckdb.DuckDBPyConnection, table: str, types: dict[str, str], rows: list[tuple]) -> None:
    """One statement, so that a reader in this process sees the old rows or the new ones."""
    columns = ", ".join(f"unnest(${index + 1}::{kind}[]) AS {name}" for index, (name, kind) in enumerate(types.items()))
    values = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in types]
    connection.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT {columns}", values)


assert tuple(_RESULT_TYPES) == tuple(field.name for field in fields(Verdict))
assert tuple(_BLOCK_TYPES) == tuple(field.name for field in fields(ContractBlock))
