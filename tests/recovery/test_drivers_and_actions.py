"""Two hundred small districts of each kind, one dbt run: is a mix shift called a mix shift, and an action judged by what it did?

An interval that is called 95 % must cover the truth in at least 90 % of the districts, and what did nothing may be called an effect in at
most 7 %. The figures are written to docs/questions/recovery.md by hand, from what this test prints.
"""

from __future__ import annotations

import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from tests.dbt.small_lake import SmallLake
from tests.payment.conftest import dbt
from tests.recovery.simulated_actions import (
    ACTION_STARTS_ON,
    METRIC,
    MIX_TRUTH,
    SERVICE_ENDS_ON,
    SERVICE_STARTS_ON,
    WORKING_EFFECT,
    Simulated,
    actions,
    exact_mix_shifts,
    mix_shifts,
)
from tests.recovery.simulated_districts import create_input_tables, put_frame

pytestmark = pytest.mark.slow

DISTRICTS = 200
MODELS = (
    "int_improvement__window",
    "int_improvement__driver_cell",
    "rpt_metric_drivers",
    "int_improvement__action_window",
    "int_improvement__action_student",
    "fct_ci_action",
)
TABLES = {
    "intermediate.int_improvement__metric_observation": "contract_id varchar, provider_id varchar, student_id varchar, student_key varchar, "
    "week_start_on date, school_id varchar, tutor_id varchar, time_slot varchar, metric_id varchar, numerator decimal(18, 6), "
    "denominator decimal(18, 6)",
    "intermediate.int_improvement__student_group": "contract_id varchar, student_id varchar, student_key varchar, dimension varchar, "
    "category varchar",
    "intermediate.int_payment__contract": "contract_id varchar, contract_version integer, service_start_on date, service_end_on date",
    "improvement.dim_metric": "contract_id varchar, metric_id varchar, label varchar, measure_kind varchar, unit varchar, "
    "better_direction varchar, source_columns varchar",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """What the marts say of every simulated contract."""
    folder: Path = tmp_path_factory.mktemp("recovery")
    lake = SmallLake(folder / "warehouse.duckdb")
    create_input_tables(lake)
    fill(
        lake,
        [
            mix_shifts(DISTRICTS, seed=2026),
            exact_mix_shifts(20),
            actions("WORKS", DISTRICTS, WORKING_EFFECT, seed=2027),
            actions("NOTHING", DISTRICTS, 0.0, seed=2028),
        ],
    )
    started = time.process_time()
    result = dbt(lake.path, folder / "target", "run", "--select", *MODELS)
    bad = [f"{r.node.name}: {r.message}" for r in (result.result or []) if str(r.status) != "success"]
    assert not bad, "\n".join(bad)
    assert result.success, result.exception
    print(f"dbt run: {time.process_time() - started:.0f} CPU s")
    with duckdb.connect(str(lake.path), read_only=True) as connection:
        return {name: connection.execute(f"select * from improvement.{name}").df() for name in ("rpt_metric_drivers", "fct_ci_action")}


def fill(lake: SmallLake, simulated: list[Simulated]) -> None:
    observations = pd.concat([part.observations for part in simulated], ignore_index=True)
    contracts = pd.DataFrame({"contract_id": observations["contract_id"].unique()})
    with duckdb.connect(str(lake.path)) as connection:
        for schema in ("intermediate", "improvement"):
            connection.execute(f"CREATE SCHEMA {schema}")
        for table, columns in TABLES.items():
            connection.execute(f"CREATE TABLE {table} ({columns})")
        put_frame(connection, "intermediate.int_improvement__metric_observation", observations.assign(metric_id=METRIC, provider_id="p"))
        put_frame(
            connection, "intermediate.int_improvement__student_group", pd.concat([part.groups for part in simulated], ignore_index=True)
        )
        put_frame(
            connection,
            "intermediate.int_payment__contract",
            contracts.assign(contract_version=1, service_start_on=SERVICE_STARTS_ON, service_end_on=SERVICE_ENDS_ON),
        )
        metric = {"metric_id": METRIC, "label": "Tutoring attendance", "measure_kind": "PROCESS", "better_direction": "UP"}
        put_frame(connection, "improvement.dim_metric", pd.DataFrame([metric]))
        acted = contracts[contracts["contract_id"].str.match("WORKS|NOTHING")]
        put_frame(
            connection,
            "input_layer.input__ci_action",
            acted.assign(
                action_id=acted["contract_id"],
                status="DONE",
                started_on=ACTION_STARTS_ON,
                metric_id=METRIC,
                population_dimension="english_learner",
                population_category="yes",
            ),
        )


def of(rows: pd.DataFrame, name: str, **columns: str) -> pd.DataFrame:
    chosen = rows[rows["contract_id"].str.startswith(name, na=False)]
    for column, value in columns.items():
        chosen = chosen[chosen[column] == value]
    return chosen


def numbers(rows: pd.DataFrame, column: str) -> np.ndarray:
    return rows[column].to_numpy(dtype=float)


def test_a_mix_shift_is_reported_as_mix(found: dict[str, pd.DataFrame]) -> None:
    rows = of(found["rpt_metric_drivers"], "MIX", comparison="WEEKS", dimension="school").drop_duplicates("contract_id")
    low, high = numbers(rows, "whole_rate_effect_low"), numbers(rows, "whole_rate_effect_high")
    covered = float(np.mean((low <= 0) & (high >= 0)))
    mix, change = numbers(rows, "whole_mix_effect"), numbers(rows, "change")
    print(f"mix shift: rate effect's interval holds 0 in {covered:.1%}; mix effect {mix.mean():+.4f} (truth {MIX_TRUTH:+.4f})")
    assert len(rows) == DISTRICTS
    assert covered >= 0.93, "an effect of zero is called one in at most 7 %"
    assert abs(mix.mean() - MIX_TRUTH) < 0.005
    assert np.all(mix < 0)
    assert np.mean(np.abs(mix) > np.abs(change - mix)) > 0.95, "the greater part is mix"


def test_equal_rates_have_no_rate_effect_at_all(found: dict[str, pd.DataFrame]) -> None:
    rows = of(found["rpt_metric_drivers"], "EXACT", comparison="WEEKS", dimension="school")
    assert len(rows) == 40
    assert (numbers(rows, "rate_effect") == 0).all()
    assert (numbers(rows, "change") != 0).all()


def test_parts_sum_to_the_change_exactly_in_every_dimension(found: dict[str, pd.DataFrame]) -> None:
    rows = found["rpt_metric_drivers"]
    shown = rows[rows["status"] != "not_enough_data"]
    keys = ["contract_id", "metric_id", "comparison", "dimension"]
    # In units of the ninth decimal, so that floats are whole numbers.
    units = shown.assign(
        effect=(numbers(shown, "effect") * 1e9).round().astype(np.int64), change=(numbers(shown, "change") * 1e9).round().astype(np.int64)
    )
    sums = units.groupby(keys, dropna=False).agg(effect=("effect", "sum"), change=("change", "first"))
    assert len(sums) > 3 * DISTRICTS
    assert (sums["effect"] == sums["change"]).all()
    totals = shown.groupby(keys, dropna=False)[["previous_denominator", "current_denominator"]].sum().reset_index()
    assert (totals.groupby(["contract_id", "comparison"], dropna=False)["current_denominator"].nunique() == 1).all()


@pytest.mark.parametrize(("name", "truth"), [("WORKS", WORKING_EFFECT), ("NOTHING", 0.0)])
def test_an_actions_interval_covers_the_truth(found: dict[str, pd.DataFrame], name: str, truth: float) -> None:
    rows = of(found["fct_ci_action"], name)
    low, high = numbers(rows, "ci_low"), numbers(rows, "ci_high")
    covered = float(np.mean((low <= truth) & (truth <= high)))
    print(f"{name}: covered {covered:.1%}, mean effect {numbers(rows, 'effect').mean():+.4f} (truth {truth:+.2f})")
    assert len(rows) == DISTRICTS
    assert covered >= 0.90


def test_an_action_that_works_is_mostly_called_improved_and_one_that_does_not_is_not(found: dict[str, pd.DataFrame]) -> None:
    works = of(found["fct_ci_action"], "WORKS")["verdict"].value_counts(normalize=True)
    nothing = of(found["fct_ci_action"], "NOTHING")["verdict"].value_counts(normalize=True)
    print(f"works: {works.to_dict()}; nothing: {nothing.to_dict()}")
    assert works.get("IMPROVED", 0) > 0.8
    assert "WORSE" not in works
    assert nothing.get("IMPROVED", 0) + nothing.get("WORSE", 0) <= 0.07
