"""Writes an audience's tables into a new folder: one DuckDB file and a Parquet file per table, from queries, never by copying a file.

A DuckDB file keeps the pages of rows that were deleted from it. So a file that must not hold a row is always written anew from what it may
hold; nothing else ever was in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from obc_pipeline.ledger.write_once import make_private_folder
from obc_pipeline.sharing.publish import STORAGE_VERSION, PublishRun, describe, quoted, text, transaction

RUN_TABLE = ("quality", "published_run")
RUN_DESCRIPTION = "One row: which run this file comes from, for whom it is, and what it has of suppressed aggregates."
RUN_COLUMNS = {
    "run_id": "The run that prepared this file.",
    "as_of_date": "The date as of which everything in this file is computed.",
    "evidence_cutoff_at": "Arrivals up to this moment (UTC) were counted.",
    "audience": "For whom this file is.",
    "aggregates": "What it has, or lacks, of suppressed aggregates (tables pub_*).",
}


@dataclass(frozen=True)
class NewTable:
    """A table to write: its query, and what to say of it and its columns."""

    schema: str
    name: str
    select: str
    description: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Written:
    """A table as written. sha256: of its Parquet file, whose rows are ordered by all columns."""

    schema: str
    name: str
    rows: int
    columns: list[str]
    sha256: str


def write_marts(
    connection: duckdb.DuckDBPyConnection, folder: Path, tables: Sequence[NewTable], run: PublishRun, audience: str, aggregates: str
) -> list[Written]:
    """Writes `folder/marts.duckdb` and `folder/parquet/<schema>/<table>.parquet`; both hold `tables` and `quality.published_run`."""
    literals = [run.run_id, str(run.as_of_date), str(run.evidence_cutoff_at), audience, aggregates]
    kinds = ("varchar", "date", "timestamp", "varchar", "varchar")
    row = ", ".join(f"{text(value)}::{kind} as {name}" for value, kind, name in zip(literals, kinds, RUN_COLUMNS, strict=True))
    return write_tables(connection, folder, [*tables, NewTable(*RUN_TABLE, f"select {row}", RUN_DESCRIPTION, RUN_COLUMNS)])


def write_tables(connection: duckdb.DuckDBPyConnection, folder: Path, tables: Sequence[NewTable]) -> list[Written]:
    """Writes these tables and no other. The folder is new; the caller makes it private and swaps it in."""
    target = folder / "marts.duckdb"
    connection.execute(f"attach {text(target)} as out (storage_version '{STORAGE_VERSION}')")
    try:
        target.chmod(0o600)
        with transaction(connection):
            for table in tables:
                place = _place(table)
                connection.execute(f"create schema if not exists out.{quoted(table.schema)}")
                connection.execute(f"create table {place} as {table.select}")
                describe(connection, place, table.description, table.columns)
        hashes = [_export(connection, folder, table) for table in tables]
        rows, columns = _row_counts(connection, tables), _column_names(connection)
        connection.execute("checkpoint out")
    finally:
        connection.execute("detach out")
    return [
        Written(table.schema, table.name, count, columns[table.schema, table.name], digest)
        for table, count, digest in zip(tables, rows, hashes, strict=True)
    ]


def _export(connection: duckdb.DuckDBPyConnection, folder: Path, table: NewTable) -> str:
    """Writes the table as Parquet, its rows in order of all columns; returns the file's SHA-256."""
    path = folder / "parquet" / table.schema / f"{table.name}.parquet"
    make_private_folder(path.parent)
    connection.execute(f"copy (select * from {_place(table)} order by all) to {text(path)} (format parquet, compression zstd)")
    path.chmod(0o600)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _row_counts(connection: duckdb.DuckDBPyConnection, tables: Sequence[NewTable]) -> list[int]:
    counts = " union all ".join(
        f"select {number} as number, count(*) as counted from {_place(table)}" for number, table in enumerate(tables)
    )
    return [row[0] for row in connection.execute(f"select counted from ({counts}) order by number").fetchall()]


def _column_names(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for schema, table, column in connection.execute(
        "select schema_name, table_name, column_name from duckdb_columns() where database_name = 'out' order by 1, 2, column_index"
    ).fetchall():
        found.setdefault((schema, table), []).append(column)
    return found


def _place(table: NewTable) -> str:
    return f"out.{quoted(table.schema)}.{quoted(table.name)}"
