"""The input layer on the small district: ids, spans, codes, tests, intervals and answers come out as worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from small_lake import SmallLake


def by(rows: list[dict[str, Any]], *keys: str) -> dict[Any, dict[str, Any]]:
    """Rows by the value of a column, or by a tuple of several."""
    return {row[keys[0]] if len(keys) == 1 else tuple(row[key] for key in keys): row for row in rows}


def test_federal_race_label_puts_hispanic_first_and_leaves_blank_unknown(district: SmallLake) -> None:
    students = by(district.rows("select student_id, race_ethnicity from input_layer.input__student"), "student_id")
    labels = [students[f"0000{number}"]["race_ethnicity"] for number in range(1, 7)]
    assert labels == ["hispanic", "multiple", "black", "multiple", "unknown", "unknown"]


def test_grades_lose_their_leading_zero_and_kindergarten_has_one_name(district: SmallLake) -> None:
    students = by(district.rows("select student_id, grade_level from input_layer.input__student"), "student_id")
    assert (students["00001"]["grade_level"], students["00010"]["grade_level"]) == ("6", "KG")


def test_a_student_who_moved_and_came_back_has_three_spans_that_never_overlap(district: SmallLake) -> None:
    spans = district.rows(
        """select e.school_id, enrolled_on, exited_on from input_layer.input__school_enrollment e
        join input_layer.input__student s using (student_key) where student_id = '00007' order by enrolled_on"""
    )
    assert [(s["school_id"], s["enrolled_on"], s["exited_on"]) for s in spans] == [
        ("N001", date(2025, 8, 18), date(2025, 10, 1)),
        ("N002", date(2025, 10, 1), date(2025, 12, 1)),
        ("N001", date(2025, 12, 1), date(2026, 6, 6)),
    ]


def test_every_feed_is_matched_by_the_identifier_it_carries(district: SmallLake) -> None:
    found = district.rows(
        """select 'state' as feed, student_id, student_key from input_layer.input__assessment_result where test_id = 't1'
        union all select 'sourced', student_id, student_key from input_layer.input__tutoring_session_attendance where provider_id = 'lumen'
        union all select 'nobody', student_id, student_key from input_layer.input__assessment_result where test_id = 'm5'"""
    )
    assert {(row["feed"], row["student_id"], row["student_key"] is None) for row in found} == {
        ("state", "00001", False),
        ("sourced", "00010", False),
        ("nobody", "77777", True),
    }


@pytest.mark.parametrize(
    ("student", "status", "share", "excused"),
    [
        ("00001", "ABSENT", Decimal(1), False),
        ("00002", "TARDY", Decimal(0), None),
        ("00003", "ABSENT", Decimal("0.5"), True),
        ("00005", "UNKNOWN", None, None),
        ("00006", "ABSENT", Decimal("0.5"), False),  # two of the four periods anyone had, one of them not excused
        ("00008", "ABSENT", Decimal(1), False),
    ],
)
def test_attendance_codes_mean_what_the_district_says(
    district: SmallLake, student: str, status: str, share: Decimal | None, excused: bool | None
) -> None:
    day = district.rows(
        f"select * from input_layer.input__attendance_event where student_id = '{student}' and attendance_on = '2026-01-07'"
    )
    assert len(day) == 1
    assert (day[0]["status"], day[0]["absent_share"], day[0]["is_excused"]) == (status, share, excused)


def test_a_school_of_its_own_row_wins_over_the_district_wide_calendar(district: SmallLake) -> None:
    days = by(district.rows("select * from input_layer.input__calendar_day where calendar_on = '2026-01-23'"), "school_id")
    assert (days["N001"]["day_type"], days["N002"]["day_type"]) == ("CLOSURE", "INSTRUCTIONAL")


def test_tests_are_named_by_course_and_windows_by_the_publishers_rule(district: SmallLake) -> None:
    results = by(district.rows("select * from input_layer.input__assessment_result where test_id is not null"), "test_id")
    assert {test: (row["instrument"], row["window_id"], row["school_year_end"]) for test, row in results.items()} == {
        "m1": ("NWEA_MAP_MATH", "WINTER", 2026),
        "m2": ("NWEA_MAP_MATH", "WINTER", 2026),
        "m3": ("NWEA_MAP_READING_SPANISH", "WINTER", 2026),
        "m4": ("NWEA_MAP_MATH", "WINTER", 2026),
        "m5": ("NWEA_MAP_MATH", "WINTER", 2026),
        "a1": ("RENAISSANCE_STAR_READING", "FALL", 2026),
        "a2": ("RENAISSANCE_STAR_READING", "WINTER", 2026),
        "a3": ("RENAISSANCE_STAR_READING", "WINTER", 2026),
        "t1": ("STATE_TEST_MATH", "SPRING", 2025),
        "t2": ("STATE_TEST_MATH", "SPRING", 2025),
    }
    assert {test: row["invalid_reason"] for test, row in results.items() if not row["is_valid"]} == {
        "m4": "NOT_A_GROWTH_TEST",
        "m5": "NO_SCORE",
        "a2": "DEACTIVATED",  # the newest export of the id speaks
        "t2": "ABSENT",
    }
    assert results["a1"]["tested_on"] == date(2025, 11, 30)  # local wall time, whatever its Z says
    assert results["m1"]["school_id"] == "N001"  # by name, without the number behind it
    assert results["m1"]["rapid_guessing_share"] == Decimal("0.125")


def test_a_test_in_both_map_exports_counts_once_and_the_combined_one_fills_in(district: SmallLake) -> None:
    combined = district.rows(
        "select student_id, instrument, is_growth_event from input_layer.input__assessment_result where test_id is null"
    )
    assert combined == [{"student_id": "00008", "instrument": "NWEA_MAP_LANGUAGE_USAGE", "is_growth_event": None}]


def test_metrics_are_long_and_name_the_senders_column(district: SmallLake) -> None:
    metrics = by(
        district.rows(
            """select test_id, metric, source_column, value from input_layer.input__assessment_metric
            join input_layer.input__assessment_result using (assessment_result_key) where test_id in ('m1', 'm2', 'a3', 't1')"""
        ),
        "test_id",
        "metric",
    )
    assert metrics["m1", "CGP_FALL_WINTER"]["source_column"] == "FallToWinterConditionalGrowthPercentile"
    assert {key: int(row["value"]) for key, row in metrics.items()} == {
        ("m1", "CGP_FALL_WINTER"): 55,
        ("m1", "MET_PROJECTION_FALL_WINTER"): 1,
        ("m1", "PERCENTILE"): 40,
        ("m2", "CGP_FALL_WINTER"): 20,
        ("m2", "MET_PROJECTION_FALL_WINTER"): 0,
        ("m2", "PERCENTILE"): 40,
        ("a3", "SGP_FALL_WINTER"): 61,
        ("a3", "PERCENTILE"): 33,
        ("t1", "PROFICIENCY_LEVEL"): 2,
    }


def test_intervals_of_a_session_are_summed_once_each_and_capped(district: SmallLake) -> None:
    sessions = by(
        district.rows("select * from input_layer.input__tutoring_session_attendance where provider_id = 'brightpath'"),
        "student_id",
        "session_on",
    )
    split = sessions["00006", date(2026, 1, 16)]
    assert (split["attended_minutes"], split["interval_count"], split["is_conflicted"]) == (Decimal(35), 2, False)
    assert sessions["00006", date(2026, 1, 9)]["attended_minutes"] == Decimal(45)  # 200 stated, 45 long
    assert sessions["00011", date(2026, 1, 9)]["is_conflicted"]
    assert sessions["00003", date(2026, 1, 16)]["group_size"] == 3  # from 1:3


def test_the_newest_file_gives_the_rows_and_the_first_one_the_arrival(district: SmallLake) -> None:
    session = district.rows(
        "select * from input_layer.input__tutoring_session_attendance where student_id = '00002' and session_on = '2026-01-05'"
    )
    assert len(session) == 1
    assert session[0]["attended_minutes"] == Decimal(45)
    assert session[0]["received_at"].isoformat() == "2026-01-07T12:00:00"


def test_logs_without_session_ids_get_one_per_tutor_start_and_topic(district: SmallLake) -> None:
    sessions = district.rows("select * from input_layer.input__tutoring_session_attendance where provider_id = 'lumen'")
    assert len({row["session_id"] for row in sessions}) == 4
    assert {(row["group_size"], row["attendance_status"], row["is_scheduled"], row["scheduled_minutes"]) for row in sessions} == {
        (2, "PRESENT", False, None)
    }


def test_answers_are_scaled_reversed_and_corrected_ones_replaced(district: SmallLake) -> None:
    answers = {
        (row["response_id"], row["item_code"]): float(row["value_scaled"])
        for row in district.rows("from input_layer.input__exit_ticket_answer")
    }
    assert answers == {
        ("r2", "E1"): 0.5,
        ("r2", "G1"): 1.0,  # 'Never' on a reversed item
        ("r2", "G2"): 1.0,
        ("r3", "E1"): 1.0,
        ("r3", "G2"): 1.0,
        ("r6", "E1"): 1.0,
    }
    sessions = {row["response_id"]: row["session_id"] for row in district.rows("from input_layer.input__exit_ticket_answer")}
    assert sessions == {"r2": "m-2026-01-05", "r3": "m-2026-01-05", "r6": None}  # r3 found by student, day and tutor


def test_a_ruling_of_tomorrow_is_not_known_yet(district: SmallLake) -> None:
    assert {row["ruling_id"] for row in district.rows("from input_layer.input__ruling")} == {"R1", "R2"}
