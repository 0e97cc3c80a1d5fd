"""dbt's own unit tests of staging, input layer and intermediate models."""

from __future__ import annotations

from pathlib import Path

from building import run_dbt
from small_lake import SmallLake


def test_dbt_unit_tests_pass(district: SmallLake, dbt_target: Path) -> None:
    result = run_dbt(district.path, dbt_target, ["test", "--select", "test_type:unit,models/staging", "test_type:unit,models/input_layer",
                                                 "test_type:unit,int_tutoring_session__cause"])  # fmt: skip
    outcomes = {r.node.name: str(r.status) for r in result.result or []}
    assert len(outcomes) >= 6, outcomes
    assert set(outcomes.values()) == {"pass"}, outcomes
