"""Builds the payment models once on an empty district, and lends their compiled SQL to tests that fill the input by hand."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt.small_lake import SmallLake

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
AS_OF = "2026-06-30"
# The payment models and the one model of another area they read between the input layer and the marts.
MARTS = ("fct_payment_decision", "fct_base_payment", "rpt_contract_summary", "rpt_untested_worklist", "rpt_loss_waterfall")
PAYMENT = ("path:models/intermediate/payment", "path:models/intermediate/settlement", *MARTS)
READ_BETWEEN = "int_student_assignment__span"
# What rpt_loss_waterfall reads besides.
SETTLED = "fct_settlement_line"
READ_FROM_OTHERS = ("int_tutoring_session__cause", "int_attendance__coverage")


def dbt(warehouse: Path, target: Path, *arguments: str) -> Any:
    """dbt in this process on that file; the file is closed again afterwards. Gives dbt's result object."""
    from dbt.adapters.factory import FACTORY
    from dbt.cli.main import dbtRunner

    variables = {"as_of_date": AS_OF, "evidence_cutoff_at": f"{AS_OF} 23:59:59", "district_id": "2800001", "run_id": "test"}
    before = os.environ.get("OBC_WAREHOUSE")
    os.environ["OBC_WAREHOUSE"] = str(warehouse)
    places = ["--project-dir", PROJECT, "--profiles-dir", PROJECT, "--target-path", target, "--log-path", target]
    quiet = ["--quiet", "--log-level-file", "none", "--vars", json.dumps(variables)]
    try:
        return dbtRunner().invoke([*arguments, *quiet, *map(str, places)])
    finally:
        for adapter in FACTORY.adapters.values():
            adapter.connections.cleanup_all()  # type: ignore[attr-defined]
            adapter.connections.close_all_connections()  # type: ignore[attr-defined]
        if before is None:
            os.environ.pop("OBC_WAREHOUSE")
        else:
            os.environ["OBC_WAREHOUSE"] = before


@dataclass(frozen=True)
class EmptyDistrict:
    """A warehouse in which every relation exists and none has rows.

    warehouse: the DuckDB file. target: dbt's folder for it.
    tables:    CREATE TABLE statements of all relations the payment models read.
    models:    (schema.name, compiled SELECT) of the payment models, in the order they build.
    """

    warehouse: Path
    target: Path
    tables: tuple[str, ...]
    models: tuple[tuple[str, str], ...]

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A fresh database in memory with the empty input relations, under the name the compiled SQL uses."""
        connection = duckdb.connect()
        connection.execute(f"ATTACH ':memory:' AS {self.warehouse.stem}")
        connection.execute(f"USE {self.warehouse.stem}")
        for schema in ("documents", "intake", "ledger", "input_layer", "intermediate", "payable"):
            connection.execute(f"CREATE SCHEMA {schema}")
        for statement in self.tables:
            connection.execute(statement)
        return connection

    def build(self, connection: duckdb.DuckDBPyConnection, as_of: str) -> None:
        """Runs the payment models on what the connection holds, as of that date."""
        for name, sql in self.models:
            connection.execute(f"CREATE TABLE {name} AS {sql.replace(AS_OF, as_of)}")


@pytest.fixture(scope="session")
def empty_district(tmp_path_factory: pytest.TempPathFactory) -> EmptyDistrict:
    """The payment models and everything above them, built once on a lake without rows."""
    lake = SmallLake(tmp_path_factory.mktemp("payment") / "warehouse.duckdb")
    target = tmp_path_factory.mktemp("payment_target")
    result = dbt(lake.path, target, "run", "--select", *(f"+{path}" for path in PAYMENT))
    assert result.exception is None, result.exception
    bad = [f"{node.node.name}: {node.message}" for node in result.result if str(node.status) != "success"]
    assert not bad, "\n".join(bad)

    ours = [node.node for node in result.result if _is_payment(node.node)]
    models = tuple((f"{node.schema}.{node.name}", node.compiled_code) for node in ours)
    with duckdb.connect(str(lake.path), read_only=True) as connection:
        # Views too become tables here: what the models read is put in by hand.
        found = connection.execute(
            "SELECT 'CREATE TABLE ' || schema_name || '.' || table_name || ' (' "
            "|| string_agg('\"' || column_name || '\" ' || data_type, ', ' ORDER BY column_index) || ')' "
            "FROM duckdb_columns() WHERE schema_name IN ('documents', 'intake', 'ledger', 'input_layer') "
            f"OR table_name IN {READ_FROM_OTHERS} GROUP BY schema_name, table_name"
        ).fetchall()
    return EmptyDistrict(lake.path, target, tuple(sql for (sql,) in found), models)


def _is_payment(node: Any) -> bool:
    path = Path(node.original_file_path).as_posix()
    is_step = path.startswith(("models/intermediate/payment/", "models/intermediate/settlement/"))
    return is_step or node.name in (*MARTS, READ_BETWEEN, SETTLED)
