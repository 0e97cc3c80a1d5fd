"""Great Expectations inside DuckDB, by its own extension points: a dialect, an execution engine and a datasource of type `duckdb`.

Great Expectations 1.24 knows no DuckDB. Three things stand in its way: it fetches rows after
the connection's context has ended, when DuckDB has dropped the open result with the ROLLBACK; it writes `~` for a partial regular
expression, which in DuckDB is a full match; and duckdb-engine opens files with a configuration of its own, which DuckDB refuses
while another connection has the file open. So: begin, commit and rollback do nothing, `~` is rendered as `regexp_matches`, and the
engine runs on a cursor of a connection that is already open.

Importing this module imports Great Expectations (2 to 5 seconds): import it inside functions only.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import duckdb
import duckdb_engine
import great_expectations as gx
import sqlalchemy as sa
from great_expectations.core.result_format import ResultFormat
from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults, ProgressBarsConfig
from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from sqlalchemy.dialects import postgresql, registry
from sqlalchemy.dialects.postgresql.base import PGCompiler
from sqlalchemy.pool import StaticPool

from obc_pipeline.quality.rules import identifier
from obc_pipeline.quality.suites import Expected
from obc_pipeline.quality.verdicts import Outcome


class DuckDBCompiler(PGCompiler):
    """Renders the operators that mean something else in DuckDB than in PostgreSQL."""

    def visit_custom_op_binary(self, element: Any, operator: Any, **kw: Any) -> str:
        """`column ~ pattern` as `regexp_matches(column, pattern)`: a partial match, as Great Expectations means it."""
        if operator.opstring in ("~", "!~"):
            matches = f"regexp_matches({self.process(element.left, **kw)}, {self.process(element.right, **kw)})"
            return matches if operator.opstring == "~" else f"NOT {matches}"
        return super().visit_custom_op_binary(element, operator, **kw)


class DuckDBDialect(duckdb_engine.Dialect):
    """duckdb-engine's dialect without transactions, with its own compiler and a column list asked of DuckDB itself."""

    statement_compiler = DuckDBCompiler
    supports_statement_cache = False

    def do_begin(self, connection: Any) -> None:
        """Nothing: a rollback would drop results that are not fetched yet."""

    def do_commit(self, dbapi_connection: Any) -> None:
        """Nothing, see do_begin: DuckDB commits each statement by itself."""

    def do_rollback(self, connection: Any) -> None:
        """Nothing, see do_begin."""

    def get_columns(self, connection: Any, table_name: str, schema: str | None = None, **kw: Any) -> list[dict[str, Any]]:
        """Name and type of each column, in one query of DuckDB's catalog."""
        relation = f"{identifier(schema)}.{identifier(table_name)}" if schema else identifier(str(table_name))
        found = connection.exec_driver_sql(f"DESCRIBE {relation}").fetchall()
        return [{"name": row[0], "type": _TypeName(row[1]), "nullable": True, "default": None} for row in found]

    def get_pk_constraint(self, connection: Any, table_name: str, schema: str | None = None, **kw: Any) -> dict[str, Any]:
        """Checked tables have no primary key."""
        return {"constrained_columns": [], "name": None}


registry.register("duckdb.obc", __name__, "DuckDBDialect")


class _TypeName(sa.types.UserDefinedType):
    """A column type by its DuckDB name; Great Expectations looks at the name only."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **kw: Any) -> str:
        return self.name


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """The SQL execution engine on DuckDB. Types and operators are looked up as for PostgreSQL, whose SQL DuckDB speaks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dialect_module = postgresql


class DuckDBDatasource(SQLDatasource):
    """A fluent datasource of type `duckdb`; make one with `on_connection`."""

    type: Literal["duckdb"] = "duckdb"  # type: ignore[assignment]
    connection_string: str = "duckdb://"  # type: ignore[assignment]

    @classmethod
    def on_connection(cls, name: str, connection: duckdb.DuckDBPyConnection) -> DuckDBDatasource:
        """A datasource that works on this open connection and leaves it open."""
        datasource = cls(name=name, create_temp_table=False)  # pyright: ignore[reportCallIssue]
        wrapped = duckdb_engine.ConnectionWrapper(connection.cursor())
        datasource._engine = sa.create_engine("duckdb+obc://", creator=lambda: wrapped, poolclass=StaticPool)
        return datasource

    @property
    def execution_engine_type(self) -> type[SqlAlchemyExecutionEngine]:
        return DuckDBExecutionEngine

    def get_engine(self) -> sa.Engine:
        if self._engine is None:
            raise ValueError("a duckdb datasource is made with DuckDBDatasource.on_connection")
        return self._engine

    def get_execution_engine(self) -> SqlAlchemyExecutionEngine:
        engine = self._execution_engine or DuckDBExecutionEngine(name=self.name, engine=self.get_engine(), create_temp_table=False)
        self._execution_engine = engine
        return engine


class ValidationEngine:
    """Runs suites on relations of one open DuckDB connection; make one with `validation_engine`."""

    def __init__(self, context: Any, datasource: DuckDBDatasource) -> None:
        self._context = context
        self._datasource = datasource
        self._batches = 0

    def validate(self, relation: str, where: str | None, expectations: Sequence[Expected]) -> list[Outcome]:
        """One outcome per expectation, in their order.

        relation: quoted schema and table. where: SQL condition that cuts the batch out of it, None = all rows.
        Only the columns that the expectations look at are read, once. Raises duckdb.Error when the relation cannot be read.
        """
        table = self._materialise(relation, where, expectations)
        asset = self._datasource.add_table_asset(table, table_name=table)
        batch = asset.add_batch_definition_whole_table(table).get_batch()
        suite = gx.ExpectationSuite(name=table, expectations=[_as_gx(expected) for expected in expectations])
        results: list[Any] = batch.validate(suite, result_format=_RESULT_FORMAT).results
        # Results come back in another order than the suite's.
        found = {result.expectation_config.meta["id"]: result for result in results}
        self._datasource.delete_asset(table)
        self._execute(f"DROP TABLE {table}")
        return [_outcome(expected, found[expected.id]) for expected in expectations]

    def _materialise(self, relation: str, where: str | None, expectations: Sequence[Expected]) -> str:
        """A temporary table of the batch: Great Expectations asks several queries, and each would read the Parquet files again."""
        columns = dict.fromkeys(column for expected in expectations for column in expected.columns)
        self._batches += 1
        table = f"batch_{self._batches}"
        selected = ", ".join(identifier(column) for column in columns) or "1 AS one"
        self._execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {selected} FROM {relation}" + (f" WHERE {where}" if where else ""))
        return table

    def _execute(self, sql: str) -> None:
        with self._datasource.get_engine().connect() as connection:
            connection.exec_driver_sql(sql)


@contextmanager
def validation_engine(connection: duckdb.DuckDBPyConnection) -> Iterator[ValidationEngine]:
    """An engine on a cursor of this connection, so that the file needs no second configuration; closed and disposed afterwards."""
    with _quiet():
        context = gx.get_context(
            mode="ephemeral",
            project_config=DataContextConfig(
                store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
                analytics_enabled=False,
                progress_bars=ProgressBarsConfig(globally=False),
            ),
        )
        datasource = context.data_sources.add_duckdb(DuckDBDatasource.on_connection("warehouse", connection))  # type: ignore[attr-defined]
        try:
            yield ValidationEngine(context, datasource)
        finally:
            datasource.get_execution_engine().close()
            datasource.get_engine().dispose()


# Counts only. BASIC fetches up to 20 failing values; none are asked for, for speed and because they are students' values.
_RESULT_FORMAT = {"result_format": ResultFormat.BASIC.value, "partial_unexpected_count": 0, "exclude_unexpected_values": True}


@contextmanager
def _quiet() -> Iterator[None]:
    """Great Expectations logs exceptions with their SQL and parameters; what failed is reported by us, without values."""
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def _as_gx(expected: Expected) -> dict[str, Any]:
    return {"type": expected.kind, "kwargs": dict(expected.kwargs), "severity": expected.severity, "meta": {"id": expected.id}}


def _outcome(expected: Expected, result: Any) -> Outcome:
    """Counts of one result. An exception is told from a failure by `exception_info`, never by `success`."""
    error = _exception_name(result.exception_info)
    if error is not None:
        return Outcome(expected.id, False, None, None, error)
    numbers = result.result
    if "unexpected_count" in numbers:
        # On no rows the counts are sums over nothing, so None.
        checked = (numbers["element_count"] or 0) - (numbers.get("missing_count") or 0)
        return Outcome(expected.id, bool(result.success), int(checked), int(numbers["unexpected_count"] or 0))
    rows = numbers.get("observed_value") if expected.kind.startswith("expect_table_row_count") else None
    return Outcome(expected.id, bool(result.success), rows, None)


def _exception_name(info: dict[str, Any] | None) -> str | None:
    """The exception's class name, None when nothing was raised. The info is flat or one entry per metric."""
    for entry in [info, *(info or {}).values()]:
        if isinstance(entry, dict) and entry.get("raised_exception"):
            lines = (entry.get("exception_traceback") or "").strip().splitlines()
            last = lines[-1].split(":")[0].split(".")[-1] if lines else ""
            return last if last.isidentifier() else "Exception"
    return None
