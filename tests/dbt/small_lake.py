"""A small hand-made lake in a DuckDB file, for tests of the dbt project: every view and table dbt reads, empty until rows are put in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from obc_pipeline.documents.ci_structure import Improvement
from obc_pipeline.documents.tables import SCHEMAS
from obc_pipeline.intake.columns import sql_type
from obc_pipeline.ledger.register import SQL_TYPES as LEDGER_TYPES
from obc_pipeline.ledger.settlement import COLUMNS as SETTLED_TYPES
from obc_pipeline.sharing.disclosure import SQL_TYPES as DISCLOSURE_TYPES
from obc_pipeline.sources import registry

_SYSTEM = {
    "_file_id": "VARCHAR",
    "_source": "VARCHAR",
    "_scope": "VARCHAR",
    "_extra": "MAP(VARCHAR, VARCHAR)",
    "_row_number": "BIGINT",
    "_received_at": "TIMESTAMP",
    "_exported_at": "TIMESTAMP",
    "_file_rank": "BIGINT",
}

_INTAKE = {
    "contract_block": "contract_id VARCHAR, source VARCHAR, check_id VARCHAR, reason VARCHAR",
    "file": "file_id VARCHAR, source VARCHAR, received_at TIMESTAMP, accepted BIGINT",
}
_LEDGER = {
    "entry": ", ".join(f"{name} {kind}" for name, kind in LEDGER_TYPES.items()),
    "settled_line": ", ".join(f"{name} {kind}" for name, kind in SETTLED_TYPES.items()),
    "head": "contract_id VARCHAR, entry_count BIGINT, statement_count INTEGER, head_hash VARCHAR, "
    "posted_amount DECIMAL(18,2), is_intact BOOLEAN",
}


class SmallLake:
    """The warehouse file of a test. Rows are dictionaries; columns not named are NULL, system columns have plain defaults."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._row_number = 0
        with duckdb.connect(str(path)) as connection:
            for schema in ("lake", "documents", "intake", "ledger", "sharing"):
                connection.execute(f"CREATE SCHEMA {schema}")
            for name, form in registry().items():
                for table in form.tables:
                    columns = {column.name: sql_type(column) for column in table.columns} | _SYSTEM
                    declared = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
                    connection.execute(f"CREATE TABLE lake.{name}__{table.name} ({declared})")
            for table_name, fields in SCHEMAS.items():
                empty = pa.schema(list(fields.items())).empty_table()  # noqa: F841  DuckDB finds it by its name
                connection.execute(f"CREATE TABLE documents.{table_name} AS SELECT * FROM empty")
            connection.execute("INSERT INTO documents.improvement_setting BY NAME SELECT unnest($1)", [Improvement().model_dump()])
            for table_name, columns_sql in _INTAKE.items():
                connection.execute(f"CREATE TABLE intake.{table_name} ({columns_sql})")
            for table_name, columns_sql in _LEDGER.items():
                connection.execute(f"CREATE TABLE ledger.{table_name} ({columns_sql})")
            declared = ", ".join(f"{name} {kind}" for name, kind in DISCLOSURE_TYPES.items())
            connection.execute(f"CREATE TABLE sharing.disclosure_entry ({declared})")

    def put(
        self, table: str, rows: Sequence[Mapping[str, Any]], source: str = "", received_at: str = "2025-11-01 06:00:00", rank: int = 1
    ) -> None:
        """Adds rows to `lake.…`, `documents.…` or `intake.…`. For lake tables, as one file of `source` with that rank."""
        with duckdb.connect(str(self.path)) as connection:
            for row in rows:
                filled = dict(row)
                if table.startswith("lake."):
                    self._row_number += 1
                    filled |= {"_source": source, "_file_id": f"{source}.{rank}", "_row_number": self._row_number, "_file_rank": rank}
                    filled |= {"_received_at": received_at, "_exported_at": received_at}
                columns = ", ".join(f'"{column}"' for column in filled)
                marks = ", ".join("?" for _ in filled)
                connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(filled.values()))

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What a query finds, as dictionaries."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            found = connection.execute(sql)
            names = [column[0] for column in found.description or []]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
