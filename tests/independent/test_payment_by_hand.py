"""The calculation by hand, tried on the smallest cases: what each pays, to the cent, and in which order the questions are asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from payment_by_hand import Evidence, Owed, Session, Sitting, _one_student, _yaml, payment_by_hand

EXAMPLE = Path(__file__).parents[2] / "obc_pipeline" / "documents" / "templates" / "example_district" / "contracts"
FIRST_DAY = date(2025, 10, 6)
Told = dict[str, Any]


def contract(name: str = "CVSD-MATH-2026") -> dict[str, Any]:
    return _yaml(EXAMPLE / f"{name}.yml")


def assignment(contract_id: str = "CVSD-MATH-2026", **fields: str) -> dict[str, str]:
    row = {"contract_id": contract_id, "student_id": "s1", "line_id": "", "start_on": "2025-10-06", "end_on": "", "end_reason": ""}
    return {**row, "vendor_share": "", **fields}


def sessions(count: int, **fields: Any) -> list[Session]:
    """So many sessions, one a day from the first day of service, all attended in full."""
    usual: dict[str, Any] = {"tutor": "t1", "group_size": 3, "minutes": 45, "is_held": True, "is_attended": True, "is_online": False}
    received = datetime(2025, 10, 8, tzinfo=UTC)
    return [Session(f"x{n}", FIRST_DAY + timedelta(days=n), first_received=received, **(usual | fields)) for n in range(count)]


def map_test(on: date, term: str, **columns: str) -> Sitting:
    return Sitting(on, {"RapidGuessingPercentage": "0.0000", "TermName": f"{term} 2025-2026", **columns})


def evidence(
    sat: list[Session], *, cgp: str = "50", level: str = "2", rapid: str = "0.0000", rulings: dict[Any, str] | None = None, **changes: Any
) -> Evidence:
    """A student with all three MAP tests and a state test."""
    tests = {
        ("s1", "FALL"): [map_test(date(2025, 9, 10), "Fall")],
        ("s1", "WINTER"): [map_test(date(2026, 1, 15), "Winter", FallToWinterConditionalGrowthPercentile=cgp)],
        ("s1", "SPRING"): [
            map_test(date(2026, 5, 5), "Spring", FallToSpringConditionalGrowthPercentile=cgp, RapidGuessingPercentage=rapid)
        ],
    }
    told = Evidence(
        as_of=date(2026, 6, 30),
        known_students={"s1"},
        absent_days=set(),
        roster=[],
        rulings=rulings or {},
        sessions={"brightpath": {"s1": sat}, "lumen": {"s1": sat}},
        map_tests=tests,
        star_tests={},
        state_tests={"s1": Sitting(None, {"level_number": level})},
    )
    for name, value in changes.items():
        setattr(told, name, value)
    return told


def owed(told: Evidence, agreement: dict[str, Any] | None = None, **fields: str) -> Owed:
    agreement = agreement or contract()
    result = Owed()
    _one_student(result, agreement, assignment(agreement["contract_id"], **fields), told)
    return result


def line(told: Evidence, line_id: str = "G1", agreement: dict[str, Any] | None = None, **fields: str) -> tuple[str, str]:
    agreement = agreement or contract()
    decision, amount = owed(told, agreement, **fields).decisions[agreement["contract_id"], line_id, "s1"]
    return decision, str(amount)


@pytest.mark.parametrize(
    ("cgp", "paid"),
    [("34", "0.00"), ("35", "250.00"), ("49", "250.00"), ("50", "500.00"), ("64", "500.00"), ("65", "750.00"), ("99", "750.00")],
)
def test_the_best_tier_reached_is_paid_and_a_threshold_is_reached_at_its_value(cgp: str, paid: str) -> None:
    assert line(evidence(sessions(72), cgp=cgp))[1] == paid


def test_51_of_72_sessions_meet_70_percent_and_50_do_not() -> None:
    assert line(evidence(sessions(51))) == ("EARNED", "500.00")
    assert line(evidence(sessions(50))) == ("INELIGIBLE_DOSAGE", "0.00")


def test_42_of_60_sessions_are_exactly_70_percent() -> None:
    reading = contract("CVSD-READ-2026")
    star = [
        Sitting(date(2025, 9, 1), {"StudentGrowthPercentileFallSpring": ""}),
        Sitting(date(2026, 5, 1), {"StudentGrowthPercentileFallSpring": "50"}),
    ]
    assert line(evidence(sessions(42), star_tests={"s1": star}), "G1", reading) == ("EARNED", "400.00")
    assert line(evidence(sessions(41), star_tests={"s1": star}), "G1", reading) == ("INELIGIBLE_DOSAGE", "0.00")


@pytest.mark.parametrize(
    ("sgp", "expected"), [("19", ("PENALTY", "-75.00")), ("20", ("NOT_EARNED_OUTCOME", "0.00")), ("50", ("EARNED", "400.00"))]
)
def test_the_penalty_is_for_values_below_its_threshold(sgp: str, expected: tuple[str, str]) -> None:
    star = [Sitting(date(2025, 9, 1), {}), Sitting(date(2026, 5, 1), {"StudentGrowthPercentileFallSpring": sgp})]
    assert line(evidence(sessions(60), star_tests={"s1": star}), "G1", contract("CVSD-READ-2026")) == expected


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"minutes": 29}, "too short"),
        ({"group_size": 5}, "too many students"),
        ({"is_contradictory": True}, "two versions of one interval"),
    ],
)
def test_sessions_that_do_not_count_are_in_neither_dosage_nor_base(wrong: Told, why: str) -> None:
    result = owed(evidence(sessions(72, **wrong)))
    assert result.dose["CVSD-MATH-2026", "G1", "s1"] == (0, 72), why
    assert result.base["CVSD-MATH-2026", "s1"] == Decimal("0.00")


def test_a_session_on_a_day_absent_from_school_counts_online_or_by_ruling_only() -> None:
    away = {("s1", FIRST_DAY)}

    def counted(told: Evidence) -> int:
        return owed(told).dose["CVSD-MATH-2026", "G1", "s1"][0]

    assert counted(evidence(sessions(1), absent_days=away)) == 0
    assert counted(evidence(sessions(1, is_online=True), absent_days=away)) == 1
    ruled: dict[Any, str] = {("ATTENDANCE_CONFLICT", "CVSD-MATH-2026", "s1", "x0"): "PRESENT"}
    assert counted(evidence(sessions(1), absent_days=away, rulings=ruled)) == 1


def test_a_session_lost_to_the_district_is_credited_by_ruling_for_the_gate_but_not_for_the_base() -> None:
    missed = sessions(51)
    missed[50].is_held = missed[50].is_attended = False
    missed[50].minutes = 0
    assert line(evidence(missed))[0] == "INELIGIBLE_DOSAGE"
    about_the_session: dict[Any, str] = {("ABSENCE_CAUSE", "CVSD-MATH-2026", "", "x50"): "DISTRICT_SCHEDULE"}
    assert line(evidence(missed, rulings=about_the_session))[0] == "EARNED"
    assert owed(evidence(missed, rulings=about_the_session)).base["CVSD-MATH-2026", "s1"] == Decimal("416.67")  # 600 x 50 / 72
    missed[50].is_held = True  # held, and this student was not there: a ruling about the session does not explain it
    assert line(evidence(missed, rulings=about_the_session))[0] == "INELIGIBLE_DOSAGE"


@pytest.mark.parametrize(
    ("attended", "base"), [(0, "0.00"), (1, "8.33"), (3, "25.00"), (36, "300.00"), (71, "591.67"), (72, "600.00"), (80, "600.00")]
)
def test_base_is_prorated_by_sessions_and_rounded_once(attended: int, base: str) -> None:
    assert owed(evidence(sessions(attended))).base["CVSD-MATH-2026", "s1"] == Decimal(base)


def test_base_per_session_stops_at_the_required_sessions() -> None:
    reading = contract("CVSD-READ-2026")
    assert owed(evidence(sessions(10)), reading).base["CVSD-READ-2026", "s1"] == Decimal("150.00")
    assert owed(evidence(sessions(75)), reading).base["CVSD-READ-2026", "s1"] == Decimal("900.00")


def test_a_late_entrant_needs_sessions_for_the_days_left_rounded_up() -> None:
    """2026-01-12 to 2026-05-15 are 124 of 222 days: 72 x 124 / 222 = 40.2, so 41 are required and 29 meet 70 %."""
    late = sessions(29)
    for number, session in enumerate(late):
        session.on = date(2026, 1, 12) + timedelta(days=number)
    result = owed(evidence(late), start_on="2026-01-12")
    assert result.dose["CVSD-MATH-2026", "G1", "s1"] == (29, 41)
    assert result.decisions["CVSD-MATH-2026", "G1", "s1"] == ("EARNED", Decimal("500.00"))
    assert result.base["CVSD-MATH-2026", "s1"] == Decimal("241.67")  # of the whole 72


def test_the_winter_line_looks_at_sessions_up_to_the_winter_window() -> None:
    assert owed(evidence(sessions(150))).dose["CVSD-MATH-2026", "M1", "s1"] == (124, 41)
    assert line(evidence(sessions(72)), "M1", start_on="2026-02-09") == ("OUT_OF_SCOPE", "0.00")


@pytest.mark.parametrize(
    ("reason", "ended", "expected"),
    [
        ("TRANSFER", "2026-03-01", "EXCLUDED_TRANSFER"),
        ("OPT_OUT", "2026-04-20", "EXCLUDED_OPT_OUT"),
        ("TRANSFER", "2026-04-21", "EARNED"),
        ("SUBSTITUTED", "2026-03-01", "EARNED"),
    ],
)
def test_who_leaves_before_the_end_window_for_an_excluded_reason_is_left_out(reason: str, ended: str, expected: str) -> None:
    assert line(evidence(sessions(72)), end_reason=reason, end_on=ended)[0] == expected


def test_a_dispute_holds_its_line_until_it_is_resolved() -> None:
    dispute = ("DISPUTE", "CVSD-MATH-2026", "s1", "G1")
    assert line(evidence(sessions(72), rulings={dispute: "OPEN"}))[0] == "HELD_DISPUTE"
    assert line(evidence(sessions(72), rulings={dispute: "OPEN"}), "M1")[0] == "EARNED"
    assert line(evidence(sessions(72), rulings={dispute: "RESOLVED"}))[0] == "EARNED"
    assert line(evidence(sessions(72), rulings={("DISPUTE", "CVSD-MATH-2026", "s1", ""): "OPEN"}), "P1")[0] == "HELD_DISPUTE"


def test_before_the_window_closes_and_before_the_data_are_due_nothing_is_decided() -> None:
    told = evidence(sessions(72), as_of=date(2026, 5, 29))
    assert line(told)[0] == "PENDING_WINDOW"
    told = evidence(sessions(72), as_of=date(2026, 6, 12))
    told.map_tests[("s1", "SPRING")] = []
    assert line(told)[0] == "PENDING_DATA"
    told.as_of = date(2026, 6, 13)
    assert line(told)[0] == "NOT_MEASURED_MISSING"


def without(term: str, value: str | None) -> Evidence:
    rulings: dict[Any, str] = {("MISSING_TEST_CAUSE", "CVSD-MATH-2026", "s1", term): value} if value else {}
    told = evidence(sessions(72), rulings=rulings)
    told.map_tests[("s1", term)] = []
    return told


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (None, ("NOT_MEASURED_MISSING", "0.00")),
        ("NONE", ("NOT_MEASURED_MISSING", "0.00")),
        ("PROVIDER", ("NOT_EARNED_PROVIDER", "0.00")),
        ("DISTRICT", ("DISTRICT_DEFAULT", "750.00")),
    ],
)
def test_a_missing_spring_test_is_paid_by_whose_fault_it_is(cause: str | None, expected: tuple[str, str]) -> None:
    assert line(without("SPRING", cause)) == expected
    assert line(without("SPRING", cause), "P1")[0] == "NOT_EARNED_OUTCOME", "the state test was taken"


def test_a_missing_baseline_concerns_every_growth_line() -> None:
    assert line(without("FALL", "DISTRICT")) == ("DISTRICT_DEFAULT", "750.00")
    assert line(without("FALL", "DISTRICT"), "M1") == ("DISTRICT_DEFAULT", "150.00")


def test_where_the_line_says_not_payable_no_ruling_pays_a_missing_test() -> None:
    told = evidence(sessions(60), rulings={("MISSING_TEST_CAUSE", "CVSD-READ-2026", "s1", "SPRING"): "DISTRICT"})
    assert line(told, "G1", contract("CVSD-READ-2026")) == ("NOT_MEASURED_MISSING", "0.00")


def test_both_parties_failing_is_for_people_to_decide() -> None:
    told = without("SPRING", "DISTRICT")
    for session in told.sessions["brightpath"]["s1"][:20]:
        session.tutor = "t2"
    assert line(told) == ("HELD_BOTH_DEFAULT", "0.00")


@pytest.mark.parametrize(("others", "decision"), [(14, "EARNED"), (15, "NOT_EARNED_PROVIDER")])
def test_the_same_tutor_in_less_than_80_percent_of_sessions_voids_the_outcome(others: int, decision: str) -> None:
    sat = sessions(72)
    for session in sat[:others]:
        session.tutor = f"t{session.session_id}"
    assert line(evidence(sat))[0] == decision  # 58/72 = 80.6 %, 57/72 = 79.2 %


def test_crowded_sessions_in_more_than_a_tenth_void_the_outcome() -> None:
    sat: Callable[[int], list[Session]] = lambda crowded: [*sessions(72 - crowded), *sessions(72, group_size=5)[72 - crowded :]]  # noqa: E731
    assert line(evidence(sat(7)))[0] == "EARNED"
    assert line(evidence(sat(8)))[0] == "NOT_EARNED_PROVIDER"


@pytest.mark.parametrize(("rapid", "expected"), [("29.9900", "EARNED"), ("30.0000", "NOT_MEASURED_INVALID")])
def test_a_test_guessed_through_is_no_measurement(rapid: str, expected: str) -> None:
    assert line(evidence(sessions(72), rapid=rapid))[0] == expected


@pytest.mark.parametrize(
    ("level", "expected"), [("2", ("NOT_EARNED_OUTCOME", "0.00")), ("3", ("EARNED", "200.00")), ("4", ("EARNED", "200.00"))]
)
def test_proficiency_needs_no_baseline(level: str, expected: tuple[str, str]) -> None:
    told = evidence(sessions(72), level=level)
    told.map_tests.clear()
    assert line(told, "P1") == expected


def test_an_unknown_student_waits_and_is_paid_no_base() -> None:
    result = owed(evidence(sessions(72), known_students=set()))
    assert {decision for decision, _ in result.decisions.values()} == {"PENDING_DATA"}
    assert result.base["CVSD-MATH-2026", "s1"] == Decimal("0.00")


def test_a_share_of_a_student_is_a_share_of_the_price_rounded_half_up() -> None:
    assert line(evidence(sessions(72), cgp="35"), vendor_share="0.333334") == ("EARNED", "83.33")  # 250 x 0.333334 = 83.3335
    assert line(evidence(sessions(72)), vendor_share="0.00001") == ("EARNED", "0.01")  # 0.005


@pytest.mark.slow
def test_on_a_generated_district_every_story_is_decided_and_every_threshold_is_met_exactly(tmp_path: Path) -> None:
    from obc_pipeline.synthetic import generate

    generate(tmp_path / "home", 4_000, seed=21)
    result = payment_by_hand(tmp_path / "home")
    students = {(contract_id, student) for contract_id, _, student in result.decisions}
    assert students == set(result.base)
    seen = {decision for decision, _ in result.decisions.values()}
    assert {
        *("EARNED", "NOT_EARNED_OUTCOME", "INELIGIBLE_DOSAGE", "NOT_EARNED_PROVIDER", "DISTRICT_DEFAULT", "HELD_DISPUTE", "PENALTY"),
        *("NOT_MEASURED_MISSING", "NOT_MEASURED_INVALID", "EXCLUDED_TRANSFER", "EXCLUDED_OPT_OUT", "EXCLUDED_MEDICAL", "OUT_OF_SCOPE"),
    } <= seen
    math = [dose for (contract_id, line_id, _), dose in result.dose.items() if (contract_id, line_id) == ("CVSD-MATH-2026", "G1")]
    reading = [dose for (contract_id, _, _), dose in result.dose.items() if contract_id == "CVSD-READ-2026"]
    assert {(50, 72), (51, 72)} <= set(math)
    assert {(41, 60), (42, 60)} <= set(reading)
    assert {Decimal("250.00"), Decimal("500.00"), Decimal("750.00"), Decimal("-75.00")} <= {
        amount for _, amount in result.decisions.values()
    }
