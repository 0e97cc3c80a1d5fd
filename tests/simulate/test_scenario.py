"""What is typed becomes a scenario, or is refused with what would be right; terms and rows change as asked, and only those."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.simulate import Scenario, read_scenario
from obc_pipeline.simulate.changes import apply_attendance, apply_outcomes, apply_terms, attendance, outcomes
from obc_pipeline.simulate.scenario import for_line

C = "CVSD-MATH-2026"


def _warehouse(attended: int = 60, missed: int = 40, met: int = 30, unmet: int = 70) -> duckdb.DuckDBPyConnection:
    """The few tables a scenario changes, one contract with the line G1 (35, 50, 65 and a penalty below 10), and another contract beside it."""
    connection = duckdb.connect()
    connection.execute("create schema documents; create schema intermediate; create schema input_layer")
    connection.execute(
        f"""create table documents.source_tiers as
            select c.contract_id, 1 as version, 'G1' as line_id, t.* from (values ('{C}'), ('OTHER')) c(contract_id),
            (values (1, 'TIER', 35.000000, 250.00::decimal(18,2)), (2, 'TIER', 50, 500), (3, 'TIER', 65, 750), (0, 'PENALTY', 10, -75))
                t(tier_number, kind, threshold, price_amount);
            create view documents.rate_card_tier as select * from documents.source_tiers;
            create table documents.rate_card_line as select contract_id, 1 as version, 'G1' as line_id, 70 as dosage_min_rate_numerator,
                100 as dosage_min_rate_denominator from (values ('{C}'), ('OTHER')) c(contract_id);
            create table documents.contract as select contract_id, 1 as version, 600.00::decimal(18,2) as base_rate_amount,
                5000.00::decimal(18,2) as contingent_pool_cap_amount, 9000.00::decimal(18,2) as nte_ceiling_amount,
                null::decimal(18,2) as per_student_cap_amount from (values ('{C}'), ('OTHER')) c(contract_id);
            create table intermediate.int_payment__line as select contract_id, 1 as contract_version, 'G1' as line_id, 30 as min_session_minutes
                from (values ('{C}'), ('OTHER')) c(contract_id)"""
    )
    connection.execute(
        f"""create table intermediate.int_tutoring_session__cause as
            select c.contract_id, 's' || n as session_id, 'k' || (n % 7) as student_key, n < {attended} as is_attended, n < {attended} as is_creditable,
                true as is_held, true as is_scheduled, null::varchar as not_creditable_reason, false as is_attendance_conflict,
                case when n >= {attended} then 'ABSENT_SCHOOL' end as absence_cause, 'PRESENT' as attendance_status,
                'COMPLETED' as session_status, case when n < {attended} then 40 else 0 end::decimal(9,2) as attended_minutes,
                45::decimal(9,2) as scheduled_minutes
            from range({attended + missed}) r(n), (values ('{C}'), ('OTHER')) c(contract_id);
            create table input_layer.input__assessment_metric as
            select 'r' || n as assessment_result_key, 'CGP' as metric, n::decimal(18,6) as value from range({met + unmet}) r(n);
            create table intermediate.int_payment__decision as
            select '{C}' as contract_id, 'G1' as line_id, 'k' || n as student_key, 'r' || n as end_assessment_result_key, 'CGP' as metric,
                n::decimal(18,6) as metric_value, n >= {unmet} as is_outcome_met, 50::decimal(18,6) as threshold_value,
                case when n >= {unmet} then 'EARNED' else 'NOT_EARNED_OUTCOME' end as decision from range({met + unmet}) r(n)"""
    )
    return connection


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with _warehouse() as connection:
        yield connection


def _tiers(connection: duckdb.DuckDBPyConnection, contract_id: str = C) -> list[tuple[object, ...]]:
    return connection.execute(
        "select tier_number, kind, threshold, price_amount from documents.rate_card_tier where contract_id = ? order by threshold",
        [contract_id],
    ).fetchall()


def test_prices_thresholds_and_tiers_change_where_the_models_read_them(warehouse: duckdb.DuckDBPyConnection) -> None:
    others = _tiers(warehouse, "OTHER")
    apply_terms(
        warehouse, C, read_scenario(price=["G1:50=600", "G1:10=-100"], threshold=["G1:65=60"], tier=["G1:80=900"], no_tier=["G1:35"])
    )
    assert _tiers(warehouse) == [
        (0, "PENALTY", Decimal(10), Decimal(-100)),
        (1, "TIER", Decimal(50), Decimal(600)),
        (2, "TIER", Decimal(60), Decimal(750)),
        (3, "TIER", Decimal(80), Decimal(900)),
    ]
    assert _tiers(warehouse, "OTHER") == others
    assert warehouse.execute("select count(*) from documents.source_tiers").fetchone() == (8,), "what the view read is as it was"


def test_thresholds_move_at_once(warehouse: duckdb.DuckDBPyConnection) -> None:
    apply_terms(warehouse, C, read_scenario(threshold=["G1:65=70", "G1:50=65"]))
    assert [row[2] for row in _tiers(warehouse)] == [10, 35, 65, 70]


def test_gate_base_rate_and_caps(warehouse: duckdb.DuckDBPyConnection) -> None:
    apply_terms(warehouse, C, read_scenario(gate=["60/100"], base_rate="550", cap=["pool=400.50", "nte=none", "per-student=900"]))
    assert warehouse.execute("select dosage_min_rate_numerator from documents.rate_card_line order by contract_id").fetchall() == [
        (60,),
        (70,),
    ]
    assert warehouse.execute(
        "select base_rate_amount, contingent_pool_cap_amount, nte_ceiling_amount, per_student_cap_amount from documents.contract order by contract_id"
    ).fetchall() == [(Decimal(550), Decimal("400.50"), None, Decimal(900)), (Decimal(600), Decimal(5000), Decimal(9000), None)]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"price": ["G1:50"]}, "right would be --price G1:50=600"),
        ({"price": ["G1:50=6.005"]}, "fraction of a cent"),
        ({"price": ["G1:50=NaN"]}, "is no number"),
        ({"no_tier": ["35"]}, "--no-tier G1:35"),
        ({"gate": ["0.6"]}, "--gate 60/100"),
        ({"gate": ["G1=120/100"]}, "--gate 60/100"),
        ({"outcome_rate": ["55"]}, "--outcome-rate 0.55"),
        ({"attendance_rate": "80%"}, "--attendance-rate 0.55"),
        ({"cap": ["everything=1"]}, "pool, nte, per-student"),
        ({"cap": ["pool=-1"]}, "below zero"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_would_be_right(options: dict[str, object], told: str) -> None:
    with pytest.raises(ArgumentWrong) as problem:
        read_scenario(**options)  # type: ignore[arg-type]
    assert told in str(problem.value)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"price": ["G9:50=1"]}, "has no line 'G9'"),
        ({"price": ["G1:55=1"]}, "its thresholds are"),
        ({"price": ["G1:65=100"]}, "prices must rise"),
        ({"threshold": ["G1:65=50"]}, "two tiers at 50"),
        ({"no_tier": ["G1:35", "G1:50", "G1:65"]}, "no tier left"),
        ({"price": ["G1:10=100"]}, "must be negative"),
        ({"gate": ["X=60/100"]}, "has no line 'X'"),
        ({"outcome_rate": ["X=0.5"]}, "has no line 'X'"),
    ],
)
def test_terms_no_contract_could_have_are_refused(warehouse: duckdb.DuckDBPyConnection, options: dict[str, object], told: str) -> None:
    with pytest.raises(ArgumentWrong) as problem:
        apply_terms(warehouse, C, read_scenario(**options))  # type: ignore[arg-type]
    assert told in str(problem.value)


@settings(max_examples=25, deadline=None)
@given(attended=st.integers(1, 60), missed=st.integers(1, 60), rate=st.integers(0, 100))
def test_attendance_becomes_the_stated_share_and_only_of_this_contract(attended: int, missed: int, rate: int) -> None:
    with _warehouse(attended, missed) as connection:
        before = attendance(connection, "OTHER")
        apply_attendance(connection, C, Decimal(rate) / 100)
        now, possible = attendance(connection, C)
        assert possible == attended + missed
        assert abs(now * 100 - rate * possible) <= 50, "the nearest whole number of sessions"
        assert attendance(connection, "OTHER") == before
        credited = connection.execute(
            "select count(*) from intermediate.int_tutoring_session__cause where contract_id = ? and is_creditable", [C]
        ).fetchone()
        assert credited == (now,)


def test_attendance_of_a_log_without_missed_sessions_cannot_be_changed(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("update intermediate.int_tutoring_session__cause set is_scheduled = false")
    with pytest.raises(ArgumentWrong, match="lists attended sessions only"):
        apply_attendance(warehouse, C, Decimal("0.8"))


@settings(max_examples=25, deadline=None)
@given(met=st.integers(0, 40), unmet=st.integers(0, 40), rate=st.integers(0, 100))
def test_outcomes_become_the_stated_share_with_the_districts_own_results(met: int, unmet: int, rate: int) -> None:
    with _warehouse(met=met, unmet=unmet) as connection:
        scenario = Scenario(outcome_rates=((None, Decimal(rate) / 100),))
        # The stand-in for the models: met from the value that was the first to meet.
        connection.execute("update documents.source_tiers set threshold = ? where kind = 'TIER' and tier_number = 1", [max(unmet, 1)])
        apply_outcomes(connection, C, scenario)
        values = [value for (value,) in connection.execute("select value from input_layer.input__assessment_metric").fetchall()]
        if met + unmet:
            now = sum(value >= unmet for value in values) if met else sum(value > unmet for value in values)
            assert abs(now * 100 - rate * (met + unmet)) <= 50 or (unmet == 0 and rate < 100)
        if met and unmet:
            assert set(values) <= set(range(met + unmet)), "no result that nobody had"
        assert outcomes(connection, C) in ({"G1": (met, met + unmet)}, {})


def test_a_line_nobody_is_judged_on_is_said(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("delete from intermediate.int_payment__decision")
    with pytest.raises(ArgumentWrong, match="nobody's outcome is judged yet"):
        apply_outcomes(warehouse, C, read_scenario(outcome_rate=["G1=0.5"]))
    apply_outcomes(warehouse, C, read_scenario(outcome_rate=["0.5"]))  # for every line that has one: there is none


def test_a_lines_own_word_goes_before_the_one_for_all() -> None:
    assert for_line(((None, 1), ("G1", 2)), "G1") == 2
    assert for_line((("G1", 2), (None, 1)), "G1") == 2
    assert for_line((("G1", 2),), "M1") is None
    assert read_scenario().is_empty
