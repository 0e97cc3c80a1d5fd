"""Register: the evidence as tables and views in the warehouse, where Great Expectations and dbt find it.

`intake.*` say what came and what became of it; `lake.<format>__<table>` are the accepted rows that count at the cutoff;
`lake_checked.*` add the rows that an expectation quarantined, so that a check can fail.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from obc_pipeline.home import Home
from obc_pipeline.intake.columns import sql_type
from obc_pipeline.intake.evidence import Evidence, Judged
from obc_pipeline.intake.query import SYSTEM_COLUMNS, quoted
from obc_pipeline.intake.receive import Delivery
from obc_pipeline.sources import Table, registry

_DELIVERY = "delivery_id VARCHAR, source VARCHAR, name VARCHAR, size_bytes BIGINT, sha256 VARCHAR, received_at TIMESTAMP, file_count BIGINT, problem VARCHAR"
_FILE = (
    "file_id VARCHAR, source VARCHAR, format VARCHAR, table_name VARCHAR, layout VARCHAR, member_name VARCHAR, sha256 VARCHAR, received_at TIMESTAMP, "
    "exported_at TIMESTAMP, rows_in BIGINT, accepted BIGINT, quarantined BIGINT, duplicate BIGINT, status VARCHAR, status_reason VARCHAR, file_rank BIGINT, "
    "delivery_count BIGINT"
)
_QUARANTINED_ROW = (
    "file_id VARCHAR, source VARCHAR, format VARCHAR, table_name VARCHAR, record_number BIGINT, line_number BIGINT, rule VARCHAR, column_name VARCHAR, "
    "reason VARCHAR, row_key_hash VARCHAR"
)


def register(connection: duckdb.DuckDBPyConnection, home: Home, evidence: Evidence) -> None:
    """(Re)creates schemas intake, lake and lake_checked for this evidence. Raises RuntimeError when a file is not accounted for (law 1)."""
    for file in evidence.files:
        if not file.report.is_accounted_for():
            raise RuntimeError(f"row accounting is broken for {file.report.file_id}: this is a defect of the pipeline, nothing was built")
    for schema in ("intake", "lake", "lake_checked"):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    _fill(connection, "intake.delivery", _DELIVERY, [_delivery_row(evidence, d) for d in evidence.deliveries])
    _fill(connection, "intake.file", _FILE, [_file_row(file) for file in evidence.files])
    _fill(
        connection,
        "intake.file_scope",
        "file_id VARCHAR, scope VARCHAR",
        [(file.report.file_id, scope) for file in evidence.files if file.status == "CURRENT" for scope in sorted(file.scopes)],
    )
    _quarantined_rows(connection, home, evidence)
    for format_name, fmt in registry().items():
        for table in fmt.tables:
            _views(connection, home, evidence, format_name, table)


def key_overlap(connection: duckdb.DuckDBPyConnection, home: Home, file: Judged, others: list[Judged]) -> int:
    """How many accepted records of a file have a key that also stands in any of the others."""
    table = file.table
    assert table is not None
    key = _key(table)
    rows = "SELECT {key} FROM read_parquet({paths}) WHERE _issue IS NULL"
    mine = rows.format(key=key, paths=_list([raw_path(home, file)]))
    theirs = rows.format(key=key, paths=_list([raw_path(home, other) for other in others]))
    found = connection.execute(f"SELECT count(*) FROM ({mine} INTERSECT {theirs})").fetchone()
    return int(found[0]) if found else 0


def _key(table: Table) -> str:
    """The natural key as one text, or the key that stands in for it where the natural one is incomplete."""
    natural = [quoted(name) for name in table.natural_key]
    whole = "concat_ws('|', " + ", ".join(f"coalesce(CAST({name} AS VARCHAR), '')" for name in natural) + ")"
    if not table.fallback_key:
        return whole
    required = [quoted(name) for name in table.natural_key if name not in table.key_may_be_blank]
    instead = ", ".join(f"coalesce(CAST({quoted(name)} AS VARCHAR), '')" for name in table.fallback_key)
    return f"CASE WHEN {' AND '.join(f'{name} IS NOT NULL' for name in required)} THEN {whole} ELSE concat_ws('|', '', {instead}) END"


def raw_path(home: Home, file: Judged) -> Path:
    """The Parquet of a file that was read."""
    return home.raw / file.format / (file.report.table or "") / f"{file.report.file_id}.parquet"


def _delivery_row(evidence: Evidence, delivery: Delivery) -> tuple:
    report = evidence.reports[delivery.source, delivery.sha256]
    return (
        delivery.delivery_id,
        delivery.source,
        delivery.name,
        delivery.size_bytes,
        delivery.sha256,
        delivery.received_at.replace(tzinfo=None),
        len(report.files),
        report.problem,
    )


def _file_row(file: Judged) -> tuple:
    report = file.report
    return (
        report.file_id,
        file.source,
        file.format,
        report.table,
        report.layout,
        report.member_name,
        report.sha256,
        file.received_at.replace(tzinfo=None),
        report.changed_at or report.latest_at,
        report.rows_in,
        report.accepted,
        report.quarantined,
        report.duplicate,
        file.status,
        file.reason,
        file.rank,
        file.delivery_count,
    )


def _fill(connection: duckdb.DuckDBPyConnection, name: str, columns: str, rows: list[tuple]) -> None:
    connection.execute(f"CREATE OR REPLACE TABLE {name} ({columns})")
    if rows:
        connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def _quarantined_rows(connection: duckdb.DuckDBPyConnection, home: Home, evidence: Evidence) -> None:
    """Places and reasons only; the text stays in lake/quarantine."""
    paths = [home.quarantine / f"{file.report.file_id}.parquet" for file in evidence.files if file.report.quarantined]
    if not paths:
        connection.execute(f"CREATE OR REPLACE TABLE intake.quarantined_row ({_QUARANTINED_ROW})")
        return
    connection.execute(
        f"""CREATE OR REPLACE TABLE intake.quarantined_row AS
            SELECT q.file_id, f.source, f.format, f.table_name, q.record_number, q.line_number, q.rule, q.column_name, q.reason, q.row_key_hash
            FROM read_parquet({_list(paths)}) AS q INNER JOIN intake.file AS f ON q.file_id = f.file_id
            ORDER BY f.file_rank, q.record_number"""
    )


def _views(connection: duckdb.DuckDBPyConnection, home: Home, evidence: Evidence, format_name: str, table: Table) -> None:
    name = f"{format_name}__{table.name}"
    schema = _declared_parquet(connection, home, format_name, table)
    paths = [schema, *(raw_path(home, file) for file in evidence.current(format_name, table.name))]
    kept = ", ".join(f"r.{quoted(column.name)}" for column in table.columns if column.privacy == "keep")
    scoped = "INNER JOIN intake.file_scope AS s ON r._file_id = s.file_id AND r._scope = s.scope" if table.supersedes == "scope" else ""
    for target, condition in (("lake", "r._issue IS NULL"), ("lake_checked", "(r._issue IS NULL OR r._issue LIKE 'rule:%')")):
        connection.execute(
            f"""CREATE OR REPLACE VIEW {target}.{quoted(name)} AS
                SELECT {kept}, r._file_id, r._source, r._scope, r._extra, r.file_row_number + 1 AS _row_number,
                       f.received_at AS _received_at, f.exported_at AS _exported_at, f.file_rank AS _file_rank
                FROM read_parquet({_list(paths)}, file_row_number=true) AS r
                INNER JOIN intake.file AS f ON r._file_id = f.file_id {scoped}
                WHERE {condition}"""
        )


def _declared_parquet(connection: duckdb.DuckDBPyConnection, home: Home, format_name: str, table: Table) -> Path:
    """An empty Parquet with the declared schema: a table exists before its first file has come."""
    path = home.lake / "declared" / f"{format_name}__{table.name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {column.name: sql_type(column) for column in table.columns if column.privacy == "keep"} | SYSTEM_COLUMNS
    fields = ", ".join(f"NULL::{kind} AS {quoted(name)}" for name, kind in columns.items())
    connection.execute(f"COPY (SELECT {fields} LIMIT 0) TO '{str(path).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)")
    return path


def _list(paths: list[Path]) -> str:
    return "[" + ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths) + "]"
