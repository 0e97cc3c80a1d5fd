"""Two hundred small districts of each kind, one dbt run: is a mix shift called a mix shift, and an action judged by what it did?

An interval that is called 95 % must cover the truth in at least 90 % of the districts, and what did nothing may be called an effect in at
most 7 %. The figures are written to docs/questions/recovery.md by hand, from what this test prints.
"""

from __future__ import annotations

import time
from pathlib import Path

import duckdb
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
def built(tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    """A warehouse with every simulated contract, and the marts built on it."""
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
    return lake


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


def counted(lake: SmallLake, sql: str) -> dict[str, float]:
    """The one row of a query, as numbers."""
    (row,) = lake.rows(sql)
    return {name: float(value) for name, value in row.items()}


# Each mix-shift contract's split by school, the last weeks against those before.
_SPLITS = """(
    select distinct contract_id, change, whole_mix_effect as mix, whole_rate_effect as rate,
        whole_rate_effect_low as low, whole_rate_effect_high as high
    from improvement.rpt_metric_drivers
    where contract_id like 'MIX%' and comparison = 'WEEKS' and dimension = 'school'
)"""


def test_a_mix_shift_is_reported_as_mix(built: SmallLake) -> None:
    found = counted(
        built,
        f"""select count(*) as districts, avg((0 between low and high)::integer) as covered, avg(mix) as mix,
        avg((abs(mix) > abs(rate))::integer) as mostly_mix, max(mix) as greatest from {_SPLITS}""",
    )
    print(f"mix shift (truth: mix {MIX_TRUTH:+.4f}, rate 0): {found}")
    assert found["districts"] == DISTRICTS
    assert found["covered"] >= 0.93, "a rate effect of zero is called one in at most 7 %"
    assert found["mix"] == pytest.approx(MIX_TRUTH, abs=0.005)
    assert found["greatest"] < 0
    assert found["mostly_mix"] > 0.95


def test_equal_rates_have_no_rate_effect_at_all(built: SmallLake) -> None:
    rows = built.rows(
        """select rate_effect, change from improvement.rpt_metric_drivers
        where contract_id like 'EXACT%' and comparison = 'WEEKS' and dimension = 'school'"""
    )
    assert len(rows) == 40
    assert {row["rate_effect"] for row in rows} == {0}
    assert all(row["change"] != 0 for row in rows)


def test_parts_sum_to_the_change_exactly_and_categories_to_their_total(built: SmallLake) -> None:
    sums = built.rows(
        """select contract_id, comparison, dimension, sum(effect) = max(change) as is_exact, sum(previous_denominator) as earlier,
            sum(current_denominator) as later, sum(previous_numerator) as earlier_met, sum(current_numerator) as later_met
        from improvement.rpt_metric_drivers where status <> 'not_enough_data' group by all"""
    )
    assert len(sums) > 3 * DISTRICTS
    assert all(row["is_exact"] for row in sums)
    totals: dict[tuple[str | None, str], set[tuple[object, ...]]] = {}
    for row in sums:
        total = (row["earlier"], row["later"], row["earlier_met"], row["later_met"])
        totals.setdefault((row["contract_id"], row["comparison"]), set()).add(total)
    assert all(len(found) == 1 for found in totals.values()), "every dimension has the same total"


@pytest.mark.parametrize(("name", "truth"), [("WORKS", WORKING_EFFECT), ("NOTHING", 0.0)])
def test_an_actions_interval_covers_the_truth(built: SmallLake, name: str, truth: float) -> None:
    found = counted(
        built,
        f"""select count(*) as districts, avg(({truth} between ci_low and ci_high)::integer) as covered, avg(effect) as effect
        from improvement.fct_ci_action where contract_id like '{name}%'""",
    )
    print(f"{name} (truth {truth:+.2f}): {found}")
    assert found["districts"] == DISTRICTS
    assert found["covered"] >= 0.90


def test_an_action_that_works_is_mostly_called_improved_and_one_that_does_not_is_not(built: SmallLake) -> None:
    verdicts = {
        name: counted(
            built,
            f"""select avg((verdict = 'IMPROVED')::integer) as improved, avg((verdict = 'WORSE')::integer) as worse
            from improvement.fct_ci_action where contract_id like '{name}%'""",
        )
        for name in ("WORKS", "NOTHING")
    }
    print(verdicts)
    assert verdicts["WORKS"]["improved"] > 0.8
    assert verdicts["WORKS"]["worse"] == 0
    assert verdicts["NOTHING"]["improved"] + verdicts["NOTHING"]["worse"] <= 0.07
