"""What the quality tests share: one DuckDB connection and one validation engine (its import takes seconds) for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest


@pytest.fixture(scope="session")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture(scope="session")
def engine(connection: duckdb.DuckDBPyConnection):
    from obc_pipeline.quality.engine import validation_engine

    with validation_engine(connection) as engine:
        yield engine
