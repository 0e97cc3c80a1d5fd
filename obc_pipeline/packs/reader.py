"""Reads the marts of one audience's published file: a pack can say only what that file holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

Row = dict[str, Any]


class Reader:
    """Read-only, with no way out of the file: external access is off and the configuration locked."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    @cached_property
    def tables(self) -> frozenset[str]:
        """`schema.table` of everything in the file."""
        return frozenset(
            f"{row['schema_name']}.{row['table_name']}" for row in self.rows("select schema_name, table_name from duckdb_tables()")
        )

    def has(self, *tables: str) -> bool:
        return all(table in self.tables for table in tables)

    def columns(self, table: str) -> frozenset[str]:
        """The columns this file has of a `schema.table`: an audience may be given fewer than the district."""
        schema, name = table.split(".")
        found = self.rows("select column_name from duckdb_columns() where schema_name = ? and table_name = ?", [schema, name])
        return frozenset(row["column_name"] for row in found)

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows of a query, column name -> value."""
        cursor = self._connection.execute(query, list(parameters))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def one(self, query: str, parameters: Sequence[Any] = ()) -> Row | None:
        """The first row, or None."""
        return next(iter(self.rows(query, parameters)), None)

    @cached_property
    def as_of(self) -> date:
        return self._run["as_of_date"]

    @cached_property
    def run_id(self) -> str:
        return self._run["run_id"]

    @cached_property
    def evidence_until(self) -> str:
        return f"{self._run['evidence_cutoff_at']:%Y-%m-%d %H:%M} UTC"

    @cached_property
    def school_names(self) -> dict[str, str]:
        """School id -> name; empty when the file has no list of schools."""
        if not self.has("core.dim_school") or "school_name" not in self.columns("core.dim_school"):
            return {}
        return {
            row["school_id"]: row["school_name"] for row in self.rows("select school_id, school_name from core.dim_school order by 2, 1")
        }

    def school(self, school_id: str | None) -> str:
        """A school's name, else its id, else words for all of them."""
        return "All schools" if school_id is None else self.school_names.get(school_id, school_id)

    @cached_property
    def _run(self) -> Row:
        found = self.one("select run_id, as_of_date, evidence_cutoff_at from quality.published_run")
        assert found is not None, "publishing writes this row"
        return found


@contextmanager
def open_reader(path: Path) -> Iterator[Reader]:
    """A reader of the published file at `path`."""
    with duckdb.connect(str(path), read_only=True, config={"enable_external_access": "false", "lock_configuration": "true"}) as connection:
        yield Reader(connection)
