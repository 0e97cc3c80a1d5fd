"""Causes of missed sessions and the process marts on the small district, as worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from small_lake import SmallLake


def causes_of(district: SmallLake, student: str) -> dict[int, str | None]:
    """Day of January -> why the student was not there; None where he or she was."""
    rows = district.rows(f"select session_on, absence_cause from intermediate.int_tutoring_session__cause where student_id = '{student}'")
    return {row["session_on"].day: row["absence_cause"] for row in rows}


def test_a_missed_session_is_explained_by_school_calendar_and_rulings(district: SmallLake) -> None:
    assert causes_of(district, "00001") == {
        5: "PRESENT_SCHOOL_SKIPPED",
        7: "ABSENT_SCHOOL",
        9: "PRESENT_SCHOOL_SKIPPED",
        12: "DISTRICT_TECH",  # the provider said it was its own doing; a ruling says otherwise
        14: "UNKNOWN",  # the provider says it was the district: a claim, and the ruling comes after the as-of date
        16: None,
        19: None,
        21: None,
        23: None,
        26: "PRESENT_SCHOOL_SKIPPED",
        28: "PRESENT_SCHOOL_SKIPPED",
        30: "UNKNOWN",  # the attendance feed ends on the 28th
    }


def test_where_the_attendance_feed_stopped_nothing_is_known_and_the_calendar_still_speaks(district: SmallLake) -> None:
    causes = causes_of(district, "00009")
    assert (causes[9], causes[16], causes[19], causes[21], causes[23]) == (
        "PRESENT_SCHOOL_SKIPPED",
        "UNKNOWN",
        "CLOSURE",
        "ASSESSMENT_DAY",
        "UNKNOWN",
    )


@pytest.mark.parametrize(
    ("student", "day", "reason"),
    [
        ("00002", 9, "UNDER_MINUTES"),
        ("00003", 9, "OVER_RATIO"),
        ("00003", 16, None),
        ("00004", 7, None),  # absent from school that day, but a ruling says the student was there
        ("00005", 9, "GROUP_SIZE_UNKNOWN"),
        ("00006", 7, None),  # half a day absent is no conflict
        ("00006", 16, None),
        ("00008", 7, None),  # absent from school, online session
        ("00011", 9, "CONFLICTING_INTERVALS"),
    ],
)
def test_an_attended_session_counts_unless_a_rule_says_why_not(district: SmallLake, student: str, day: int, reason: str | None) -> None:
    row = district.rows(
        f"""select is_attended, is_creditable, not_creditable_reason from intermediate.int_tutoring_session__cause
        where student_id = '{student}' and session_on = '2026-01-{day:02d}'"""
    )
    assert row == [{"is_attended": True, "is_creditable": reason is None, "not_creditable_reason": reason}]


def test_sessions_of_no_contract_stay_and_say_why(district: SmallLake) -> None:
    rows = district.rows("select student_id, session_on, match_status from core.fct_tutoring_session_attendance where contract_id is null")
    assert rows == [{"student_id": "00012", "session_on": date(2026, 1, 16), "match_status": "OUTSIDE_ASSIGNMENT"}]


def test_assignments_of_several_lines_are_one_span(district: SmallLake) -> None:
    spans = district.rows("select start_on, end_on from intermediate.int_student_assignment__span where student_id = '00011'")
    assert spans == [{"start_on": date(2026, 1, 5), "end_on": None}]


def student(district: SmallLake, student_id: str) -> dict[str, Any]:
    rows = district.rows(f"select * from process.msr_student_tutoring where student_id = '{student_id}'")
    assert len(rows) == 1
    return rows[0]


def test_the_meeting_list_counts_and_judges_a_student_in_trouble(district: SmallLake) -> None:
    row = student(district, "00001")
    expected = {
        "sessions_scheduled": 12,
        "sessions_held": 10,
        "sessions_attended": 4,
        "sessions_creditable": 4,
        "sessions_lost_to_district": 1,
        "sessions_unknown_cause": 2,
        "attendance_numerator": 4,
        "attendance_denominator": 11,
        "attendance_rate": Decimal("0.363636"),
        "dosage_numerator": 5,  # four creditable, one credited
        "dosage_denominator": 24,
        "gate_sessions": 17,  # 70 % of 24 is 16.8
        "sessions_needed": 12,
        "remaining_sessions": 15,  # 30 days left are at most five weeks of three
        "is_on_pace": False,
        "can_still_qualify": True,
        "misses_in_a_row": 3,
        "is_persistently_absent": True,
        "persistently_absent_on": date(2026, 1, 30),
        "attendance_factor_status": "OFF_TRACK",
        "provider_factor_status": "ON_TRACK",
        "outcome_factor_status": "ON_TRACK",  # fall to winter 55, first tier 50
        "is_source_flagged": False,
    }
    assert {key: row[key] for key in expected} == expected
    assert "Needs 12 more creditable sessions; 15 can still be scheduled." in row["what_could_still_be_done"]
    assert "3 times in a row" in row["what_could_still_be_done"]


def test_the_meeting_list_says_what_is_not_known(district: SmallLake) -> None:
    row = student(district, "00010")  # attended-only log, contract without frequency
    assert (row["sessions_attended"], row["sessions_scheduled"], row["attendance_denominator"], row["attendance_rate"]) == (
        4,
        None,
        None,
        None,
    )
    assert (row["remaining_sessions"], row["can_still_qualify"], row["is_persistently_absent"]) == (None, None, None)
    assert row["outcome_factor_status"] == "ON_TRACK"
    assert row["is_source_flagged"]


def test_the_meeting_list_shows_a_provider_below_its_duty_and_a_student_below_the_first_tier(district: SmallLake) -> None:
    # 005: ten attended, two with another tutor: 8 of 10 meets 80/100. 002: interim 20 against a first tier of 50.
    tutor = student(district, "00005")
    assert (tutor["same_tutor_numerator"], tutor["same_tutor_denominator"], tutor["provider_factor_status"]) == (8, 10, "ON_TRACK")
    assert student(district, "00002")["outcome_factor_status"] == "OFF_TRACK"


def test_a_student_nobody_knows_is_on_the_list_all_the_same(district: SmallLake) -> None:
    row = student(district, "99999")
    assert row["student_key"] is None
    assert row["sessions_attended"] == 10


def test_weekly_rates_keep_numerator_denominator_and_students(district: SmallLake) -> None:
    weeks = district.rows(
        "select * from process.agg_attendance_weekly where contract_id = 'MATH-1' and week_start_on = '2026-01-12' and school_id = 'N001'"
    )
    assert len(weeks) == 1
    # 12 January was the district's loss; on the 14th eight students missed for an unknown cause; on the 16th they and 99999 came.
    assert (weeks[0]["numerator"], weeks[0]["denominator"], weeks[0]["n_students"]) == (9, 17, 9)
    assert weeks[0]["attendance_rate"] == Decimal("0.529412")


def test_attended_only_logs_have_no_attendance_rate(district: SmallLake) -> None:
    weeks = district.rows("select * from process.agg_attendance_weekly where contract_id = 'READ-1'")
    assert {(w["numerator"], w["denominator"], w["attendance_rate"], w["sessions_attended"]) for w in weeks} == {(None, None, None, 2)}
    assert district.rows("select count(*) as n from process.agg_delivery_weekly where contract_id = 'READ-1'") == [{"n": 0}]


def test_delivery_leaves_closures_out_and_shares_the_loss(district: SmallLake) -> None:
    (week,) = district.rows(
        "select * from process.agg_delivery_weekly where contract_id = 'MATH-1' and week_start_on = '2026-01-12' and school_id = 'N001'"
    )
    assert (week["numerator"], week["denominator"], week["student_sessions_scheduled"]) == (1, 3, 25)
    assert (week["provider_lost_numerator"], week["district_lost_numerator"], week["unknown_lost_numerator"]) == (0, 8, 8)
    (monday,) = district.rows(
        "select * from process.agg_delivery_weekly where contract_id = 'MATH-1' and week_start_on = '2026-01-19' and school_id = 'N002'"
    )
    assert (monday["numerator"], monday["denominator"], monday["calendar_lost_numerator"]) == (2, 2, 2)


def test_skipping_in_school_is_not_stated_beyond_the_attendance_feed(district: SmallLake) -> None:
    weeks = {
        (row["school_id"], row["week_start_on"].day): row
        for row in district.rows(
            "select * from process.rpt_tutoring_vs_school_attendance where contract_id = 'MATH-1' and school_id is not null"
        )
    }
    first = weeks["N001", 5]
    # Nine students, three days; 005 on the 7th is an unmapped code, so on no side.
    assert (first["school_denominator"], first["school_numerator"]) == (9 * 5 - 1, Decimal("40.00"))
    assert (first["skip_numerator"], first["tutoring_numerator"]) == (2, 25)  # eight who always came, three times, and 012 once
    silent = weeks["N002", 19]
    assert [silent[c] for c in ("school_denominator", "school_attendance_rate", "skip_numerator", "skip_in_school_rate")] == [None] * 4


def test_timeliness_counts_hours_from_the_end_of_the_session(district: SmallLake) -> None:
    (week,) = district.rows(
        "select * from process.agg_data_timeliness where contract_id = 'MATH-1' and week_start_on = '2026-01-05' and school_id = 'N001'"
    )
    assert (week["numerator"], week["sla_hours"]) == (1, 48)  # 002 on the 7th after 1.25 hours; on the 5th after 49.25
    assert week["max_hours"] == Decimal("595.25")


def test_exit_ticket_scores_carry_their_response_rate(district: SmallLake) -> None:
    scores = {row["construct"]: row for row in district.rows("select * from process.agg_exit_ticket_weekly")}
    assert (scores["efficacy"]["numerator"], scores["efficacy"]["denominator"]) == (Decimal("1.5"), 2)
    assert (scores["efficacy"]["favorable_numerator"], scores["efficacy"]["n_students"]) == (1, 2)
    # 003 answered one of two engagement items, fewer than two thirds: no score.
    assert (scores["engagement"]["numerator"], scores["engagement"]["denominator"]) == (Decimal(1), 1)
    assert scores["efficacy"]["response_numerator"] == 2
    attended = district.rows(
        """select count(*) as n from intermediate.int_tutoring_session__cause
        where is_attended and contract_id = 'MATH-1' and school_id = 'N001' and week_start_on = '2026-01-05'"""
    )[0]["n"]
    assert scores["efficacy"]["response_denominator"] == attended


def test_school_attendance_of_everyone_counts_only_covered_days(district: SmallLake) -> None:
    (row,) = district.rows(
        """select a.* from core.agg_student_school_attendance a join core.dim_student using (student_key) where student_id = '00001'"""
    )
    # Weekdays from 1 December to 28 January, less the holiday and the closure.
    assert (row["enrolled_days"], row["absent_days"], row["is_chronically_absent"]) == (41, Decimal(1), False)


def test_every_mart_column_is_described_in_the_database(district: SmallLake) -> None:
    silent = district.rows(
        """select table_name, column_name from duckdb_columns()
        where schema_name in ('core', 'process') and (comment is null or comment = '')"""
    )
    assert silent == []
