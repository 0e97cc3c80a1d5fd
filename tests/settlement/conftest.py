"""Compiles the settlement models and their invariants once, and runs them on tables that tests fill by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pytest

from tests.payment.conftest import AS_OF, dbt

# In the order in which they build.
MODELS = (
    "int_settlement__terms",
    "int_settlement__line_terms",
    "int_settlement__earned",
    "int_settlement__capped",
    "fct_settlement_line",
    "int_settlement__posted",
    "int_settlement__difference",
    "fct_proposed_entry",
    "late_change_register",
    "fct_payable_ledger_line",
    "rpt_settlement_statement",
    "rpt_cap_utilisation",
)
INVARIANTS = (
    "entries_sum_to_posted",
    "no_contract_over_its_caps",
    "no_more_outcomes_than_are_paid",
    "no_student_paid_twice",
    "posted_and_proposed_are_expected",
    "statement_is_ledger",
)

# The columns that the settlement models read of what others make.
_DECISION = {
    "contract_id": "VARCHAR", "contract_version": "INTEGER", "line_id": "VARCHAR", "student_id": "VARCHAR", "student_key": "VARCHAR",
    "school_id": "VARCHAR", "period": "VARCHAR", "reason_code": "VARCHAR", "reason": "VARCHAR",
}  # fmt: skip
_ENTRY = {
    "contract_id": "VARCHAR", "contract_version": "INTEGER", "entry_seq": "BIGINT", "statement_number": "INTEGER", "line_key": "VARCHAR",
    "line_id": "VARCHAR", "line_kind": "VARCHAR", "student_id": "VARCHAR", "student_key": "VARCHAR", "school_id": "VARCHAR",
    "period": "VARCHAR", "entry_kind": "VARCHAR", "amount": "DECIMAL(18,2)", "reason_code": "VARCHAR", "adjusts_entry_hash": "VARCHAR",
    "run_id": "VARCHAR", "as_of_date": "DATE", "evidence_cutoff_at": "TIMESTAMP", "evidence_hash": "VARCHAR", "settlement_hash": "VARCHAR", "posted_at": "TIMESTAMP",
    "approved_by": "VARCHAR", "approval_hash": "VARCHAR", "prev_hash": "VARCHAR", "entry_hash": "VARCHAR",
}  # fmt: skip
TABLES: dict[str, dict[str, str]] = {
    "payable.fct_base_payment": _DECISION | {"base_amount": "DECIMAL(18,2)", "maximum_base_amount": "DECIMAL(18,2)"},
    "payable.fct_payment_decision": _DECISION
    | {"decision": "VARCHAR", "tier": "INTEGER", "earned_amount": "DECIMAL(18,2)", "at_stake_amount": "DECIMAL(18,2)"},
    "intermediate.int_payment__contract": {
        "contract_id": "VARCHAR", "contract_version": "INTEGER", "provider_id": "VARCHAR", "period": "VARCHAR",
        "contingent_pool_cap_amount": "DECIMAL(18,2)", "nte_ceiling_amount": "DECIMAL(18,2)", "service_end_on": "DATE",
        "base_model": "VARCHAR", "base_proration": "VARCHAR",
    },
    "documents.contract": {
        "contract_id": "VARCHAR", "version": "INTEGER", "per_student_cap_amount": "DECIMAL(18,2)", "restatement_deadline_on": "DATE",
    },
    "intermediate.int_payment__line": {"contract_id": "VARCHAR", "contract_version": "INTEGER", "line_id": "VARCHAR"},
    "documents.rate_card_line": {
        "contract_id": "VARCHAR", "version": "INTEGER", "line_id": "VARCHAR", "max_paid_outcomes": "INTEGER", "line_cap_amount": "DECIMAL(18,2)",
    },
    "ledger.entry": _ENTRY,
    "ledger.settled_line": {
        "contract_id": "VARCHAR", "statement_number": "INTEGER", "line_key": "VARCHAR", "line_kind": "VARCHAR", "earned_amount": "DECIMAL(18,2)",
        "after_per_student_amount": "DECIMAL(18,2)", "after_max_paid_amount": "DECIMAL(18,2)", "after_line_amount": "DECIMAL(18,2)",
        "after_pool_amount": "DECIMAL(18,2)", "payable_amount": "DECIMAL(18,2)",
    },
    "ledger.head": {
        "contract_id": "VARCHAR", "entry_count": "BIGINT", "statement_count": "INTEGER", "head_hash": "VARCHAR",
        "posted_amount": "DECIMAL(18,2)", "is_intact": "BOOLEAN",
    },
    "intake.contract_block": {"contract_id": "VARCHAR", "source": "VARCHAR", "check_id": "VARCHAR", "reason": "VARCHAR"},
}  # fmt: skip

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Settlement:
    """The compiled models: (schema.name, SELECT) in the order they build, and the invariants by name, as of AS_OF."""

    database: str
    models: tuple[tuple[str, str], ...] = field(repr=False)
    invariants: Mapping[str, str] = field(repr=False)

    def run(self, tables: Mapping[str, Rows]) -> duckdb.DuckDBPyConnection:
        """A database in memory with those rows, and the models built on them."""
        connection = duckdb.connect()
        connection.execute(f"ATTACH ':memory:' AS {self.database}")
        connection.execute(f"USE {self.database}")
        for schema in sorted({name.split(".")[0] for name in TABLES}):
            connection.execute(f"CREATE SCHEMA {schema}")
        for name, columns in TABLES.items():
            connection.execute(f"CREATE TABLE {name} ({', '.join(f'{column} {kind}' for column, kind in columns.items())})")
            for row in tables.get(name, ()):
                connection.execute(
                    f"INSERT INTO {name} ({', '.join(row)}) VALUES ({', '.join('?' for _ in row)})",
                    list(row.values()),
                )
        for name, sql in self.models:
            connection.execute(f"CREATE TABLE {name} AS {sql}")
        return connection

    def broken(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """The invariants that find something."""
        return [name for name, sql in self.invariants.items() if connection.execute(sql).fetchall()]


@pytest.fixture(scope="session")
def settlement(tmp_path_factory: pytest.TempPathFactory) -> Settlement:
    warehouse = tmp_path_factory.mktemp("settlement") / "warehouse.duckdb"
    result = dbt(warehouse, tmp_path_factory.mktemp("settlement_target"), "compile", "--select", *MODELS, *INVARIANTS)
    assert result.exception is None, result.exception
    compiled = {node.node.name: node.node for node in result.result if str(node.node.resource_type) in ("model", "test")}
    return Settlement(
        warehouse.stem,
        tuple((f"{compiled[name].schema}.{name}", compiled[name].compiled_code) for name in MODELS),
        {name: compiled[name].compiled_code for name in INVARIANTS},
    )


def rows(connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """What a query finds, as dictionaries."""
    found = connection.execute(query, list(parameters))
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


__all__ = ["AS_OF", "Settlement", "rows", "settlement"]
