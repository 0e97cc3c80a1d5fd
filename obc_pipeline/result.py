"""The result object of a run, what `obc run --json` prints (names promised to other people's scripts)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

ZERO = "0.00"


def result_object(
    connection: duckdb.DuckDBPyConnection,
    *,
    run_id: str,
    as_of: date,
    evidence_cutoff_at: datetime,
    sources: Iterable[str],
    contracts: Iterable[str],
    blocked: Sequence[str],
    published: Sequence[Path],
    seconds: dict[str, float],
) -> dict[str, Any]:
    """Reads the counts from the warehouse and the amounts from what was just published. Amounts are strings, US dollars."""
    return {
        "run_id": run_id,
        "as_of": as_of.isoformat(),
        "evidence_cutoff_at": evidence_cutoff_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "status": "blocked" if blocked else "ok",
        "sources": _sources(connection, sources),
        "checks": _checks(connection),
        "contracts": _contracts(connection, published[0], contracts),
        "blocked_contracts": list(blocked),
        "published": [str(path) for path in published],
        "stages": {stage: round(taken, 3) for stage, taken in seconds.items()},
        "is_unchanged": False,
    }


def exit_code(result: dict[str, Any]) -> int:
    """0 done, 3 when a check held something back."""
    return 3 if result["status"] == "blocked" else 0


def _sources(connection: duckdb.DuckDBPyConnection, sources: Iterable[str]) -> dict[str, dict[str, int]]:
    names: tuple[str, ...] = ("files", "rows_in", "accepted", "quarantined", "duplicate")
    counted: dict[str, dict[str, int]] = {name: dict.fromkeys(names, 0) for name in sources}
    rows = connection.execute(
        "select source, count(*), sum(rows_in), sum(accepted), sum(quarantined), sum(duplicate) from intake.file group by source"
    ).fetchall()
    counted |= {row[0]: dict(zip(names, map(int, row[1:]), strict=True)) for row in rows}
    return dict(sorted(counted.items()))


def _checks(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    row = connection.execute(
        """select count(*) filter (status = 'PASSED'),
                  count(*) filter (status in ('FAILED', 'ERROR') and not is_blocking),
                  count(*) filter (is_blocking)
           from intake.check_result"""
    ).fetchone()
    assert row is not None
    return dict(zip(("passed", "warned", "blocked"), map(int, row), strict=True))


def _contracts(connection: duckdb.DuckDBPyConnection, published: Path, contracts: Iterable[str]) -> dict[str, dict[str, str]]:
    """Earned and payable as they stand in the published file: of a blocked contract its last published amounts, zero when it never was.

    payable: after every cap, as `payable.fct_settlement_line` has it. posted: by the ledger.
    """
    with duckdb.connect(str(published), read_only=True) as reader:
        rows = reader.execute(
            """select contract_id, sum(earned_amount)::decimal(18, 2)::varchar, sum(payable_amount)::decimal(18, 2)::varchar
               from payable.fct_settlement_line group by contract_id"""
        ).fetchall()
    posted = dict(connection.execute("select contract_id, posted_amount::varchar from ledger.head").fetchall())
    amounts = {contract_id: {"earned": ZERO, "payable": ZERO, "posted": posted.get(contract_id, ZERO)} for contract_id in contracts}
    for contract_id, earned, payable in rows:
        amounts.setdefault(contract_id, {"posted": posted.get(contract_id, ZERO)}).update(earned=earned, payable=payable)
    return dict(sorted(amounts.items()))
