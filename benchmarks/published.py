"""The amounts per contract in the published file of a home, as `benchmarks.by_pandas` gives them: `python -m benchmarks.published HOME`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb

_AMOUNTS = """
    with amounts as (
        select contract_id, 'base' as kind, base_amount as amount from payable.fct_base_payment
        union all
        select contract_id, 'outcome', earned_amount from payable.fct_payment_decision
    )
    select contract_id, kind, sum(amount)::decimal(18, 2)::varchar from amounts group by all order by all
"""


def per_contract(home: Path | str) -> dict[str, dict[str, str]]:
    """contract -> base and outcome amount in US dollars, as text."""
    found: dict[str, dict[str, str]] = {}
    with duckdb.connect(str(Path(home) / "published" / "district" / "marts.duckdb"), read_only=True) as connection:
        for contract_id, kind, amount in connection.execute(_AMOUNTS).fetchall():
            found.setdefault(contract_id, {})[kind] = amount
    return found


if __name__ == "__main__":
    print(json.dumps(per_contract(sys.argv[1])))
