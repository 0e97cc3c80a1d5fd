"""dbt's unit tests of the improvement questions and of return on investment, on a district of which nothing is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dbt.small_lake import SmallLake
from tests.payment.conftest import dbt

AREAS = ("intermediate/improvement", "marts/improvement", "marts/roi")


@pytest.mark.slow
def test_dbt_unit_tests_pass(tmp_path: Path) -> None:
    lake = SmallLake(tmp_path / "warehouse.duckdb")
    target = tmp_path / "target"
    # Unit tests read the columns of what a model refers to, so all of it must be there; that it builds of nothing is a test of its own.
    built = dbt(lake.path, target, "run", "--select", *(f"+path:models/{area}" for area in AREAS))
    bad = [f"{r.node.name}: {r.message}" for r in built.result or [] if str(r.status) != "success"]
    assert not bad, "\n".join(bad)
    assert built.success, built.exception
    result = dbt(lake.path, target, "test", "--select", *(f"test_type:unit,path:models/{area}" for area in AREAS))
    outcomes = {r.node.name: str(r.status) for r in result.result or []}
    assert len(outcomes) >= 18, outcomes
    assert set(outcomes.values()) == {"pass"}, {name: status for name, status in outcomes.items() if status != "pass"}
