"""Random batches for a suite: typed as the lake types the columns, full of the values at which its expectations turn."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb

from obc_pipeline.intake.columns import sql_type
from obc_pipeline.quality.rules import identifier
from obc_pipeline.quality.suites import Expected, Suite
from obc_pipeline.sources.discovery import registry

WORDS = [
    "",
    " ",
    "Fall 2025-2026",
    "fall 2025-2026",
    "2025-2026",
    "2025",
    "Present",
    "LATE",
    "canceled",
    "1:3",
    "01:03:00",
    "EL",
    "el",
    "x'y",
    "ü",
    "student",
]


def declared_types(suite: Suite) -> dict[str, str]:
    """Column -> DuckDB type for the columns of a lake suite; {} when its format is not declared (a mart's suite)."""
    format_name, _, table_name = suite.name.partition("__")
    if format_name not in registry():
        return {}
    table = registry()[format_name].table(table_name)
    constants = dict.fromkeys(table.constants, "VARCHAR")
    return constants | {column.name: sql_type(column) for column in table.columns} | {"_file_id": "VARCHAR", "_source": "VARCHAR"}


def create_batch(connection: duckdb.DuckDBPyConnection, name: str, suite: Suite, types: dict[str, str], rows: int, seed: int) -> None:
    """Creates the table `name` with the suite's columns and `rows` random rows, a sixth of each column's values NULL."""
    chance = random.Random(f"{suite.name}/{seed}")
    columns = list(dict.fromkeys(column for expected in suite.expectations for column in expected.columns))
    pools = {column: list(_pool(column, types[column], suite.expectations)) for column in columns}
    values = [[None if chance.random() < 1 / 6 else chance.choice(pools[column]) for _ in range(rows)] for column in columns]
    selected = ", ".join(f"unnest(${i + 1}::{types[column]}[]) AS {identifier(column)}" for i, column in enumerate(columns))
    connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {selected}", values)


def _pool(column: str, kind: str, expectations: tuple[Expected, ...]) -> Iterator[Any]:
    """Values of the column's type, those next to every limit of its expectations and conditions among them."""
    constants = [constant for expected in expectations for constant in _constants(column, expected)]
    if kind == "BOOLEAN":
        yield from (True, False)
    elif kind.startswith("MAP"):
        yield {"item": "x"}
    elif kind in ("DATE", "TIMESTAMP"):
        yield from (datetime(2025, 9, 1, 8) + timedelta(hours=hours) for hours in range(0, 240, 7))
    elif kind == "VARCHAR":
        yield from WORDS
        yield from (text for text in constants if isinstance(text, str))
        yield from (variant for text in constants if isinstance(text, str) for variant in (text.lower(), f" {text}", text + "x"))
    else:
        limits = [limit for limit in constants if isinstance(limit, int | float)] or [0, 1]
        steps = (-1, 0, 1) if kind == "BIGINT" else (-1, Decimal("-0.000001"), 0, Decimal("0.000001"), 1)
        yield from (Decimal(str(limit)) + step for limit in limits for step in steps)
        yield int(sum(limits)) // 2


def _constants(column: str, expected: Expected) -> Iterator[Any]:
    kwargs = expected.kwargs
    if column in (kwargs.get("column"), kwargs.get("column_A"), kwargs.get("column_B")):
        yield from (kwargs[key] for key in ("min_value", "max_value") if kwargs.get(key) is not None)
        yield from kwargs.get("value_set", [])
        yield from re.findall(r"[A-Za-z_]{2,}", kwargs.get("regex", ""))
    yield from _condition_constants(column, kwargs.get("row_condition"))


def _condition_constants(column: str, condition: Any) -> Iterator[Any]:
    if condition is None:
        return
    for part in condition.get("conditions", []):
        yield from _condition_constants(column, part)
    if condition.get("column", {}).get("name") == column and "parameter" in condition:
        parameter = condition["parameter"]
        yield from parameter if isinstance(parameter, list) else [parameter]
