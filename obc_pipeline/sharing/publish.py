"""Publishes the district's marts: one DuckDB file and Parquet, written aside and swapped in, so that a reader never sees half a file.

The working file `warehouse.duckdb` belongs to the pipeline alone: DuckDB lets nobody read it while a run writes. What people
read is a copy of the marts, with every table and column described in the database itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb

from obc_pipeline.home import Home

STORAGE_VERSION = "v1.0.0"  # readable by DuckDB 1.0 and by every newer one
HELD_BACK_COLUMN = "is_held_back"
HELD_BACK_DESCRIPTION = (
    "TRUE when a check held this contract back: the row is the one published last, not one of this run; its dates are of then."
)
RUN_TABLE_DESCRIPTION = "One row: which run this file comes from."
_RUN_COLUMNS = {
    "run_id": "The run that published this file. The same evidence, documents, date and code give the same run id.",
    "as_of_date": "The date as of which everything in this file is computed.",
    "evidence_cutoff_at": "Arrivals up to this moment (UTC) were counted.",
    "held_back_contracts": "Contracts whose payable rows are those of an earlier run, comma-joined; empty when none.",
}


# (database, schema, table) -> column -> type
_Columns = dict[tuple[str, str, str], dict[str, str]]


class PublishRun(Protocol):
    """What publishing needs to know of a run."""

    @property
    def run_id(self) -> str: ...
    @property
    def as_of_date(self) -> Any: ...
    @property
    def evidence_cutoff_at(self) -> Any: ...


@dataclass(frozen=True)
class MartTable:
    """A table to publish: where it is in the warehouse and what dbt says about it."""

    schema: str
    name: str
    description: str
    columns: Mapping[str, str]  # name -> description

    @property
    def is_payable(self) -> bool:
        return self.schema == "payable"


class PublishFailed(RuntimeError):
    """Publishing could not be done; what was published before still stands. Says which table and why, never a value."""


def mart_tables(manifest: Mapping[str, Any]) -> list[MartTable]:
    """The marts of a dbt manifest (models under `models/marts/`), in the order of schema and name."""
    marts = [
        MartTable(
            schema=node["schema"],
            name=node.get("alias") or node["name"],
            description=node.get("description") or "",
            columns={name: column.get("description") or "" for name, column in node.get("columns", {}).items()},
        )
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and len(node["fqn"]) > 2 and node["fqn"][1] == "marts"
    ]
    return sorted(marts, key=lambda mart: (mart.schema, mart.name))


def publish_district(home: Home, run: PublishRun, manifest_path: Path, blocked_contracts: Collection[str] = ()) -> list[Path]:
    """Writes `published/district/marts.duckdb` and `parquet/<schema>/<table>.parquet`; returns the file and the Parquet folder.

    Payable rows of a blocked contract are those of the last published file, marked `is_held_back`; when it was never
    published it has none. The swap is one rename, so a reader opens either the old file or the new one.
    Raises PublishFailed, leaving the published files as they were, when a mart is missing in the warehouse or a held
    row no longer fits its table.
    """
    folder = home.published / "district"
    private_folder(folder)
    target, parquet = folder / "marts.duckdb", folder / "parquet"
    aside = folder / ".marts.duckdb.new"
    remove(aside)
    marts = mart_tables(json.loads(manifest_path.read_text(encoding="utf-8")))
    with _database(home.warehouse, aside, target) as connection:
        known = _all_columns(connection)
        with transaction(connection):
            for mart in marts:
                _copy_table(connection, mart, known, sorted(blocked_contracts))
            _write_run_table(connection, run, sorted(blocked_contracts))
        exports = _export_parquet(connection, marts, parquet)
    aside.chmod(0o600)
    flush(aside)
    os.replace(aside, target)
    for partial, final in exports:
        os.replace(partial, final)
    _drop_stale_parquet(parquet, {final for _, final in exports})
    flush(folder)
    return [target, parquet]


def published_row_counts(path: Path) -> dict[tuple[str, str], int]:
    """(schema, table) -> rows of a published file."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute("select schema_name, table_name from duckdb_tables() order by all").fetchall()
        return {(schema, name): _count(connection, f"{quoted(schema)}.{quoted(name)}") for schema, name in tables}


@contextmanager
def _database(warehouse: Path, aside: Path, last: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with `warehouse` and `last` attached for reading and `marts` for writing; all closed at the end."""
    # Never the working folder: what spills is student data.
    with duckdb.connect(config={"temp_directory": f"{aside}.spill"}) as connection:
        connection.execute(f"attach {text(warehouse)} as warehouse (read_only)")
        if last.exists():
            connection.execute(f"attach {text(last)} as last (read_only)")
        connection.execute(f"attach {text(aside)} as marts (storage_version '{STORAGE_VERSION}')")
        aside.chmod(0o600)  # before the first row is in it
        try:
            yield connection
            connection.execute("checkpoint marts")  # nothing may stay in a write-ahead log beside the file
        finally:
            for name in ("marts", "warehouse", "last"):
                connection.execute(f"detach database if exists {name}")


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Everything at once: each of a thousand descriptions would otherwise be flushed to disk by itself."""
    connection.execute("begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def _copy_table(connection: duckdb.DuckDBPyConnection, mart: MartTable, known: _Columns, blocked: list[str]) -> None:
    table = f"{quoted(mart.schema)}.{quoted(mart.name)}"
    columns = known.get(("warehouse", mart.schema, mart.name), {})
    if not columns:
        raise PublishFailed(f"{mart.schema}.{mart.name} is not in the warehouse: dbt did not build it, so nothing was published")
    connection.execute(f"create schema if not exists marts.{quoted(mart.schema)}")
    descriptions = dict(mart.columns)
    if mart.is_payable and "contract_id" in columns:
        last = known.get(("last", mart.schema, mart.name), {})
        select, parameters = _payable_select(mart, columns, last, blocked)
        descriptions[HELD_BACK_COLUMN] = HELD_BACK_DESCRIPTION
    else:
        select, parameters = f"select * from warehouse.{table}", []
    try:
        connection.execute(f"create table marts.{table} as {select}", parameters)
    except duckdb.ConversionException:
        raise PublishFailed(
            f"{mart.schema}.{mart.name}: a held-back row of the last published file no longer fits the table's types; "
            "nothing was published. Release the contract, or publish once without its old rows by moving the published file away"
        ) from None
    describe(connection, f"marts.{table}", mart.description, descriptions)


def _payable_select(
    mart: MartTable, columns: Mapping[str, str], last: Mapping[str, str], blocked: list[str]
) -> tuple[str, list[list[str]]]:
    """This run's rows of the contracts that are free, and the last published rows of those that are blocked; with its parameters."""
    table = f"{quoted(mart.schema)}.{quoted(mart.name)}"
    free = (
        f"select {', '.join(map(quoted, columns))}, false as {HELD_BACK_COLUMN} from warehouse.{table} "
        "where contract_id is null or not list_contains(?::varchar[], contract_id)"
    )
    if not blocked or "contract_id" not in last:
        return free, [blocked]
    # A column that is new since the last publication is NULL in a held row: its value then is not known.
    kept = [f"cast({quoted(name) if name in last else 'null'} as {kind}) as {quoted(name)}" for name, kind in columns.items()]
    held = f"select {', '.join(kept)}, true from last.{table} where list_contains(?::varchar[], contract_id)"
    return f"{free} union all {held}", [blocked, blocked]


def _all_columns(connection: duckdb.DuckDBPyConnection) -> _Columns:
    """Column -> type, in order, of every table of the warehouse and of the last published file."""
    rows = connection.execute(
        "select database_name, schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where database_name in ('warehouse', 'last') and column_name <> ? order by database_name, schema_name, table_name, column_index",
        [HELD_BACK_COLUMN],
    ).fetchall()
    known: _Columns = {}
    for database, schema, table, column, kind in rows:
        known.setdefault((database, schema, table), {})[column] = kind
    return known


def _write_run_table(connection: duckdb.DuckDBPyConnection, run: PublishRun, blocked: list[str]) -> None:
    connection.execute("create schema if not exists marts.quality")
    connection.execute(
        "create table marts.quality.published_run as select ?::varchar as run_id, ?::date as as_of_date, "
        "?::timestamp as evidence_cutoff_at, ?::varchar as held_back_contracts",
        [run.run_id, str(run.as_of_date), str(run.evidence_cutoff_at), ",".join(blocked)],
    )
    describe(connection, "marts.quality.published_run", RUN_TABLE_DESCRIPTION, _RUN_COLUMNS)


def describe(connection: duckdb.DuckDBPyConnection, table: str, description: str, columns: Mapping[str, str]) -> None:
    comments = [f"comment on table {table} is {text(description)}"]
    comments += [f"comment on column {table}.{quoted(name)} is {text(said)}" for name, said in columns.items()]
    connection.execute("; ".join(comments))


def _export_parquet(connection: duckdb.DuckDBPyConnection, marts: list[MartTable], parquet: Path) -> list[tuple[Path, Path]]:
    """Writes every published table beside its final place; returns (written, final) pairs to be swapped in."""
    exports = []
    for schema, name in [*((mart.schema, mart.name) for mart in marts), ("quality", "published_run")]:
        final = parquet / schema / f"{name}.parquet"
        private_folder(final.parent)
        partial = final.with_name(f".{final.name}.new")
        connection.execute(f"copy marts.{quoted(schema)}.{quoted(name)} to {text(partial)} (format parquet, compression zstd)")
        partial.chmod(0o600)
        flush(partial)
        exports.append((partial, final))
    return exports


def _drop_stale_parquet(parquet: Path, current: set[Path]) -> None:
    """Removes tables that no longer exist, and what an interrupted publication left."""
    for path in parquet.glob("*/*"):
        if path not in current:
            path.unlink()


def private_folder(path: Path) -> None:
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in [*missing, path]:
        folder.chmod(0o700)


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Asks the operating system to put the file or folder on disk now: a rename must never outlive its content."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()
    assert row is not None
    return int(row[0])


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
