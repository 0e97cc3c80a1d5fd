"""Builds the dbt project on the small hand-made lake, once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from building import MARTS, run_dbt
from small_district import fill
from small_lake import SmallLake


@pytest.fixture(scope="session")
def dbt_target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dbt_target")


@pytest.fixture(scope="session")
def district(tmp_path_factory: pytest.TempPathFactory, dbt_target: Path) -> SmallLake:
    """The small district, built with all models and all their data tests."""
    lake = SmallLake(tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb")
    fill(lake)
    result = run_dbt(
        lake.path, dbt_target, ["build", "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious", "--select", *MARTS]
    )
    bad = [f"{r.node.name}: {r.message}" for r in (result.result or []) if str(r.status) not in {"success", "pass"}]
    assert result.exception is None, result.exception
    assert not bad, "\n".join(bad)
    return lake
