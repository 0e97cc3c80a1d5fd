"""The ledger as dbt sees it: views `ledger.entry` and `ledger.settled_line`, table `ledger.head`, in the warehouse from the first run on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from obc_pipeline.home import Home
from obc_pipeline.ledger import settlement
from obc_pipeline.ledger.chain import ContractLedger, Damage, contracts_with_ledger, inspect_ledger
from obc_pipeline.ledger.entry import COLUMNS, dollars

# Column -> DuckDB type, in the order of the entry's schema.
SQL_TYPES: dict[str, str] = dict.fromkeys(COLUMNS, "VARCHAR") | {
    "contract_version": "INTEGER",
    "entry_seq": "BIGINT",
    "statement_number": "INTEGER",
    "amount": "DECIMAL(18,2)",
    "as_of_date": "DATE",
    "evidence_cutoff_at": "TIMESTAMP",
    "posted_at": "TIMESTAMP",
}


def register_ledger(connection: duckdb.DuckDBPyConnection, home: Home) -> dict[str, tuple[Damage, ...]]:
    """(Re)creates the views over every statement that is proven intact, and `ledger.head`, one row per contract with a ledger.

    ledger.entry: what was posted. ledger.settled_line: every line a statement rested on, by statement.

    Returns contract_id -> what is wrong with its ledger, for contracts where something is: they must not pay. The view names the
    files one by one, so it shows the ledger as it is now until the next run.
    """
    ledgers = [inspect_ledger(home, contract_id) for contract_id in contracts_with_ledger(home)]
    connection.execute("create schema if not exists ledger")
    statements = [statement for ledger in ledgers for statement in ledger.statements]
    settlements = [settlement.settlement_path(home, statement.settlement_hash) for statement in statements]
    connection.execute(f"create or replace view ledger.entry as {_rows(SQL_TYPES, [s.path for s in statements])}")
    connection.execute(f"create or replace view ledger.settled_line as {_rows(settlement.COLUMNS, settlements)}")
    connection.execute(
        "create or replace table ledger.head (contract_id VARCHAR, entry_count BIGINT, statement_count INTEGER, "
        "head_hash VARCHAR, posted_amount DECIMAL(18,2), is_intact BOOLEAN)"
    )
    for ledger in ledgers:
        connection.execute("insert into ledger.head values (?, ?, ?, ?, ?, ?)", _head(ledger))
    return {ledger.contract_id: ledger.damages for ledger in ledgers if ledger.damages}


def _head(ledger: ContractLedger) -> list[object]:
    count = len(ledger.statements)
    return [ledger.contract_id, ledger.entry_count, count, ledger.head_hash, dollars(ledger.posted_cents), not ledger.damages]


def _rows(types: Mapping[str, str], paths: Sequence[Path]) -> str:
    columns = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in types.items())
    if paths:
        listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
        return f"select {columns} from read_parquet([{listed}])"
    return f"select {', '.join(f'cast(null as {kind}) as {name}' for name, kind in types.items())} where false"
