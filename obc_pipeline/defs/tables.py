"""Metadata of tables as Dagster's UI knows it: rows and columns."""

from __future__ import annotations

from typing import Any

import dagster as dg
import duckdb


def row_count(rows: int) -> dict[str, Any]:
    return {"dagster/row_count": rows}


def column_schema(columns: list[dg.TableColumn]) -> dict[str, Any]:
    return {"dagster/column_schema": dg.TableSchema(columns)}


def table_metadata(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, Any]:
    """Rows and columns of a table or view of the warehouse."""
    columns = [dg.TableColumn(row[0], type=row[1]) for row in connection.execute(f"describe {table}").fetchall()]
    return row_count(count_rows(connection, table)) | column_schema(columns)


def count_rows(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()
    assert row is not None
    return int(row[0])
