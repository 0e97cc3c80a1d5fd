"""A district small enough to work out by hand: two schools, two contracts, a dozen students, each one case of a rule.

As of Friday 2026-01-30. Attendance covers school N001 to 2026-01-28 and school N002 to 2026-01-14.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from small_lake import SmallLake

MATH, READ = "MATH-1", "READ-1"
SESSION_DAYS = [date(2026, 1, 5) + timedelta(days=7 * week + day) for week in range(4) for day in (0, 2, 4)]


def fill(lake: SmallLake) -> None:
    """Puts the whole district into the lake."""
    _documents(lake)
    _roster(lake)
    _calendar_and_attendance(lake)
    _contract_roster(lake)
    _sessions(lake)
    _lumen_sessions(lake)
    _tests(lake)
    _exit_tickets(lake)
    lake.put("intake.contract_block", [{"contract_id": READ, "source": "sessions_lumen", "check_id": "x", "reason": "late"}])


def _contract(contract_id: str, provider_id: str, subject: str, **more: Any) -> dict[str, Any]:
    return {
        "contract_id": contract_id, "version": 1, "effective_from": date(2025, 7, 1), "provider_id": provider_id,
        "provider_name": provider_id.title(), "school_year_end": 2026, "subject": subject, "service_start_on": date(2026, 1, 5),
        "service_end_on": date(2026, 3, 1), "base_model": "PER_SESSION", "base_rate_amount": Decimal("10.00"), "base_proration": "NONE",
        "base_earning_min_sessions": 1, "both_default_rule": "HOLD",
    } | more  # fmt: skip


def _documents(lake: SmallLake) -> None:
    lake.put("documents.district", [{"district_id": "2800001", "district_name": "Small District", "school_year_end": 2026}])
    lake.put(
        "documents.contract",
        [
            _contract(
                MATH, "brightpath", "math", required_sessions=24, sessions_per_week=3, min_session_minutes=30, max_group_size=4,
                data_submission_sla_hours=48, persistent_absence_misses=3, persistent_absence_rate=Decimal("0.5"), persistent_absence_weeks=3,
            ),
            _contract(READ, "lumen", "reading", required_sessions=16, data_submission_sla_hours=48),
        ],
    )  # fmt: skip
    line = {
        "version": 1, "outcome_name": "Growth", "outcome_class": "GROWTH", "baseline_window": "FALL", "end_window": "SPRING", "comparator": ">=",
        "tier_mode": "BEST_TIER", "price_unit": "PER_STUDENT_OUTCOME", "dosage_unit": "SESSIONS", "dosage_min_rate_numerator": 70,
        "dosage_min_rate_denominator": 100, "dosage_denominator": "REQUIRED", "missing_test_rule": "NOT_PAYABLE", "retest_rule": "INSTRUMENT_OFFICIAL",
    }  # fmt: skip
    lake.put(
        "documents.rate_card_line",
        [
            line | {"contract_id": MATH, "line_id": "G1", "instrument": "NWEA_MAP_MATH", "metric": "CGP_FALL_SPRING"},
            line | {"contract_id": READ, "line_id": "G1", "instrument": "RENAISSANCE_STAR_READING", "metric": "SGP_FALL_SPRING"},
        ],
    )
    for contract_id in (MATH, READ):
        tier = {"contract_id": contract_id, "version": 1, "line_id": "G1", "tier_number": 1, "kind": "TIER"}
        lake.put("documents.rate_card_tier", [tier | {"threshold": Decimal(50), "price_amount": Decimal("400.00")}])
        for window_id, opens, closes, due in (
            ("FALL", date(2025, 8, 18), date(2025, 10, 3), date(2025, 10, 17)),
            ("WINTER", date(2026, 1, 5), date(2026, 1, 23), date(2026, 2, 6)),
            ("SPRING", date(2026, 4, 20), date(2026, 5, 29), date(2026, 6, 12)),
        ):
            window = {"contract_id": contract_id, "version": 1, "window_id": window_id}
            lake.put("documents.contract_window", [window | {"opens_on": opens, "closes_on": closes, "data_due_on": due}])
    lake.put(
        "documents.obligation",
        [
            {
                "contract_id": MATH, "version": 1, "obligation_id": "O1", "party": "PROVIDER", "scope": "STUDENT", "metric": "SAME_TUTOR_SHARE",
                "comparator": ">=", "value_numerator": 80, "value_denominator": 100, "consequence": "VOID_OUTCOME", "cure_days": 0,
            }
        ],
    )  # fmt: skip
    sources = [
        ("oneroster", "oneroster", None, None, "SOURCED", None), ("nwea_map", "nwea_map", None, None, "LOCAL", None),
        ("renaissance_star", "renaissance_star", None, None, "LOCAL", None), ("sis_attendance", "sis_attendance", None, None, "LOCAL", None),
        ("state_assessment", "state_assessment", None, None, "STATE", None), ("contract_roster", "contract_roster", None, None, "LOCAL", None),
        ("ruling", "ruling", None, None, "LOCAL", None), ("program_flags", "program_flags", None, None, "LOCAL", None),
        ("sessions_brightpath", "tutoring_sessions", "brightpath", "math", "LOCAL", False),
        ("sessions_lumen", "tutoring_sessions", "lumen", "reading", "SOURCED", True),
        ("exit_tickets_brightpath", "exit_tickets", "brightpath", "math", "LOCAL", None),
    ]  # fmt: skip
    names = ("source", "format", "provider_id", "subject", "student_id_is", "is_attended_only")
    lake.put("documents.data_source", [dict(zip(names, row, strict=True)) for row in sources])
    codes = [("A", None, "ABSENT", False, None), ("E", None, "ABSENT", True, None), ("H", None, "ABSENT", True, Decimal("0.5")),
             ("T", None, "TARDY", None, None), ("S", None, "PRESENT", None, None)]  # fmt: skip
    lake.put(
        "documents.attendance_code",
        [
            dict(zip(("source", "code", "excuse", "status", "is_excused", "absent_share"), ("sis_attendance", *code), strict=True))
            for code in codes
        ],
    )
    item = {"source": "exit_tickets_brightpath", "form_version": "v1", "header": "?", "is_free_text": False}
    lake.put(
        "documents.exit_ticket_item",
        [
            item | {"item_code": "E1", "construct": "efficacy", "scale_min": 1, "scale_max": 7, "is_reverse": False},
            item | {"item_code": "G1", "construct": "engagement", "scale_min": 1, "scale_max": 5, "is_reverse": True},
            item | {"item_code": "G2", "construct": "engagement", "scale_min": 0, "scale_max": 1, "is_reverse": False},
            item | {"item_code": "T1", "is_free_text": True},
        ],
    )
    labels = [("G1", "Never", 1), ("G1", "Always", 5), ("G2", "Yes", 1), ("G2", "No", 0)]
    lake.put(
        "documents.exit_ticket_label",
        [dict(zip(("source", "item_code", "label", "value"), ("exit_tickets_brightpath", *label), strict=True)) for label in labels],
    )


def _roster(lake: SmallLake) -> None:
    """Students 001 to 012; 007 moves from N001 to N002 and back, 011 shares its identifier's state id with nobody."""
    org = {"type": "school"}
    lake.put(
        "lake.oneroster__orgs",
        [
            org | {"sourced_id": "o-1", "name": "North School", "identifier": "N001"},
            org | {"sourced_id": "o-2", "name": "South School", "identifier": "N002"},
            {"sourced_id": "o-0", "name": "Small District", "identifier": "2800001", "type": "district"},
        ],
        source="oneroster",
    )
    flags: dict[str, dict[str, Any]] = {
        "001": {"hispanic_or_latino_ethnicity": True, "white": True},
        "002": {"hispanic_or_latino_ethnicity": False, "white": True, "asian": True},
        "003": {"hispanic_or_latino_ethnicity": False, "black_or_african_american": True},
        "004": {"demographic_race_two_or_more_races": True},
        "005": {},
        "006": {"hispanic_or_latino_ethnicity": False, "white": False},
    }
    students = [f"{number:03d}" for number in range(1, 13)]
    lake.put(
        "lake.oneroster__users",
        [
            {"sourced_id": f"s-{student}", "identifier": f"00{student}", "role": "student", "grades": "06" if student < "010" else "KG",
             "user_ids": f"{{StateID:ST{student}}}"}
            for student in students
        ] + [{"sourced_id": "t-1", "identifier": "T1", "role": "teacher"}],
        source="oneroster",
    )  # fmt: skip
    lake.put(
        "lake.oneroster__demographics",
        [{"sourced_id": f"s-{s}", "sex": "female", **flags.get(s, {})} for s in students],
        source="oneroster",
    )
    enrolments = [(student, "o-2" if student in ("009", "010") else "o-1", date(2025, 8, 18), date(2026, 6, 6)) for student in students]
    enrolments.append(("007", "o-2", date(2025, 10, 1), date(2025, 12, 1)))
    lake.put(
        "lake.oneroster__enrollments",
        [
            {"sourced_id": f"e-{place}", "class_sourced_id": "c", "school_sourced_id": school, "user_sourced_id": f"s-{student}", "role": "student",
             "begin_date": begin, "end_date": end}
            for place, (student, school, begin, end) in enumerate(enrolments)
        ],
        source="oneroster",
    )  # fmt: skip
    lake.put(
        "lake.program_flags__student_program",
        [{"student_id": "00001", "program": "EL", "begin_on": date(2025, 8, 1)}, {"student_id": "00002", "program": "iep", "begin_on": date(2025, 8, 1), "end_on": date(2025, 12, 1)}],
        source="program_flags",
    )  # fmt: skip


def _calendar_and_attendance(lake: SmallLake) -> None:
    days = [date(2025, 12, 1) + timedelta(days=n) for n in range(90)]
    kinds = {date(2026, 1, 19): "HOLIDAY", date(2026, 1, 21): "ASSESSMENT_DAY"}
    rows: list[dict[str, Any]] = [
        {"calendar_on": day, "is_in_session": day.weekday() < 5 and kinds.get(day) != "HOLIDAY",
         "day_type": kinds.get(day, "INSTRUCTIONAL" if day.weekday() < 5 else "BREAK"), "school_year": "2025-2026"}
        for day in days
    ]  # fmt: skip
    closure = {
        "school_id": "N001",
        "calendar_on": date(2026, 1, 23),
        "is_in_session": False,
        "day_type": "CLOSURE",
        "school_year": "2025-2026",
    }
    lake.put("lake.school_calendar__calendar_day", [*rows, closure], source="school_calendar")
    event = {"school_id": "N001", "code": "A", "school_year": "2025-2026"}
    lake.put(
        "lake.sis_attendance__attendance_event",
        [
            event | {"student_id": "00001", "attendance_on": date(2026, 1, 7)},
            event | {"student_id": "00002", "attendance_on": date(2026, 1, 7), "code": "T"},
            event | {"student_id": "00003", "attendance_on": date(2026, 1, 7), "code": "H"},
            event | {"student_id": "00004", "attendance_on": date(2026, 1, 7)},
            event | {"student_id": "00005", "attendance_on": date(2026, 1, 7), "code": "?"},
            event | {"student_id": "00006", "attendance_on": date(2026, 1, 7), "period": "1"},
            event | {"student_id": "00006", "attendance_on": date(2026, 1, 7), "period": "2", "code": "E"},
            event | {"student_id": "00008", "attendance_on": date(2026, 1, 7), "period": "1"},
            event | {"student_id": "00008", "attendance_on": date(2026, 1, 7), "period": "2"},
            event | {"student_id": "00008", "attendance_on": date(2026, 1, 7), "period": "3"},
            event | {"student_id": "00008", "attendance_on": date(2026, 1, 7), "period": "4"},
            event | {"student_id": "00012", "attendance_on": date(2026, 1, 28), "code": "A"},
            event | {"student_id": "00009", "attendance_on": date(2026, 1, 14), "school_id": "N002"},
            event | {"student_id": "99999", "attendance_on": date(2026, 1, 14)},
        ],
        source="sis_attendance",
    )


def _contract_roster(lake: SmallLake) -> None:
    rows = [
        {"contract_id": MATH, "student_id": f"00{number:03d}", "school_id": "N001", "start_on": date(2026, 1, 5)}
        for number in (1, 2, 3, 4, 5, 6, 8, 9)
    ]
    # Two lines with touching spans are one assignment; 012 left in the second week; 99999 is nobody's.
    rows += [
        {"contract_id": MATH, "student_id": "00011", "line_id": "G1", "start_on": date(2026, 1, 5), "end_on": date(2026, 1, 12)},
        {"contract_id": MATH, "student_id": "00011", "start_on": date(2026, 1, 12)},
        {"contract_id": MATH, "student_id": "00012", "start_on": date(2026, 1, 5), "end_on": date(2026, 1, 12), "end_reason": "transfer"},
        {"contract_id": MATH, "student_id": "99999", "start_on": date(2026, 1, 5)},
        {"contract_id": READ, "student_id": "00010", "school_id": "South School", "start_on": date(2026, 1, 5)},
    ]
    lake.put("lake.contract_roster__assignment", rows, source="contract_roster")
    ruling = {"ruled_by": "District", "contract_id": MATH, "ruled_on": date(2026, 1, 20)}
    lake.put(
        "lake.ruling__ruling",
        [
            ruling | {"ruling_id": "R1", "subject": "ABSENCE_CAUSE", "key": "m-2026-01-12", "value": "district_tech"},
            ruling | {"ruling_id": "R2", "subject": "ATTENDANCE_CONFLICT", "student_id": "00004", "key": "2026-01-07", "value": "PRESENT"},
            ruling
            | {
                "ruling_id": "R3",
                "subject": "ABSENCE_CAUSE",
                "key": "m-2026-01-14",
                "value": "DISTRICT_TECH",
                "ruled_on": date(2026, 2, 20),
            },
        ],
        source="ruling",
    )


def _visit(student: str, on: date, attendance: str = "present", **more: Any) -> dict[str, Any]:
    start = datetime(on.year, on.month, on.day, 10)
    return {
        "session_id": f"m-{on}", "student_id": f"00{student}", "tutor_id": "tutor-a", "session_topic": "math", "session_on": on,
        "session_at": start, "scheduled_start_at": start, "scheduled_duration_minutes": 45, "session_status": "completed",
        "attendance_status": attendance, "session_duration_minutes": 45 if attendance == "present" else None, "group_size": 3,
        "delivery_mode": "in-person", "school_id": "N001", "layout": "full",
    } | more  # fmt: skip


def _sessions(lake: SmallLake) -> None:
    """Brightpath: Monday, Wednesday, Friday from 5 January. What differs from 'present' is listed; 12 January is cancelled by the district,
    14 January the provider says so too but nobody confirms it."""
    present: Sequence[str] = ("002", "003", "005", "006", "008", "011", "999")
    rows: list[dict[str, Any]] = []
    for on in SESSION_DAYS:
        if on in (date(2026, 1, 12), date(2026, 1, 14)):
            reason = "district_schedule" if on.day == 14 else "provider_cancel"
            rows += [
                _visit(student, on, "absent", session_status="canceled", absence_reason=reason)
                for student in (*present, "001", "004", "009")
            ]
            continue
        for student in present:
            rows.append(_visit(student, on) | ({"student_id": "99999"} if student == "999" else {}))
        # 001 is absent from school on the 7th, present and skipping on the 5th and 9th, then comes until the 26th.
        rows.append(_visit("001", on, "absent" if on < date(2026, 1, 12) or on >= date(2026, 1, 26) else "present"))
        # 004: reported present on a day absent from school, which a ruling confirms.
        rows.append(_visit("004", on))
        # 009 goes to a school whose attendance feed stopped on the 14th.
        rows.append(_visit("009", on, "absent", school_id="N002"))
    rows = [row for row in rows if row["student_id"] != "00999"]
    # 012 is present on the 9th and, after leaving, on the 16th.
    rows += [_visit("012", date(2026, 1, 9)), _visit("012", date(2026, 1, 16))]

    def change(student: str, on: date, **more: Any) -> None:
        for row in rows:
            if row["student_id"] == f"00{student}" and row["session_on"] == on:
                row.update(more)

    change("002", date(2026, 1, 9), session_duration_minutes=20)
    change("003", date(2026, 1, 9), group_size=5)
    change("003", date(2026, 1, 16), group_size=None, session_ratio="1:3")
    change("005", date(2026, 1, 9), group_size=None)
    change("005", date(2026, 1, 16), tutor_id="tutor-b")
    change("005", date(2026, 1, 28), tutor_id="tutor-b")
    change("008", date(2026, 1, 7), delivery_mode="online")
    change("006", date(2026, 1, 9), session_duration_minutes=200)
    joined = datetime(2026, 1, 16, 10)
    change("006", date(2026, 1, 16), student_joined_at=joined, student_left_at=joined + timedelta(minutes=15), session_duration_minutes=15)
    again = joined + timedelta(minutes=20)
    second = _visit(
        "006", date(2026, 1, 16), student_joined_at=again, student_left_at=again + timedelta(minutes=20), session_duration_minutes=20
    )
    conflicting = _visit("011", date(2026, 1, 9), session_duration_minutes=30)
    lake.put(
        "lake.tutoring_sessions__session_student",
        [*rows, second, dict(second), conflicting],
        source="sessions_brightpath",
        received_at="2026-01-30 06:00:00",
    )
    # An earlier file had already reported the first two sessions of 002, one of them with other minutes: superseded, but it came in time.
    early = [_visit("002", date(2026, 1, 5), session_duration_minutes=10), _visit("002", date(2026, 1, 7))]
    lake.put("lake.tutoring_sessions__session_student", early, source="sessions_brightpath", received_at="2026-01-07 12:00:00", rank=0)


def _lumen_sessions(lake: SmallLake) -> None:
    """Lumen: DATAS, attended sessions only, without session ids; student ids are sourcedIds."""
    row = {
        "student_id": "s-010",
        "tutor_id": "l-1",
        "session_topic": "ela",
        "session_duration_minutes": 30,
        "session_ratio": "01:02:00",
        "layout": "datas",
    }
    days = [date(2026, 1, day) for day in (6, 8, 13, 15)]
    lake.put(
        "lake.tutoring_sessions__session_student",
        [row | {"session_on": day, "session_at": datetime(day.year, day.month, day.day, 9)} for day in days],
        source="sessions_lumen", received_at="2026-01-16 00:00:00",
    )  # fmt: skip


def _tests(lake: SmallLake) -> None:
    test = {
        "term_name": "Winter 2025-2026", "school_name": "North School (1)", "subject": "Mathematics", "course": "Math K-12", "growth_measure_yn": True,
        "norms_reference_data": "2025", "test_type": "Survey With Goals", "test_name": "Growth: Math 6+", "test_start_date": date(2026, 1, 13),
        "test_start_time": "09:00:00", "test_rit_score": 210, "test_standard_error": Decimal("3.2"), "test_percentile": 40,
        "rapid_guessing_percentage": Decimal("12.5"), "fall_to_winter_conditional_growth_percentile": 55, "fall_to_winter_met_projected_growth": "Yes*",
    }  # fmt: skip
    lake.put(
        "lake.nwea_map__assessment_results",
        [
            test | {"student_id": "00001", "test_id": "m1"},
            test
            | {
                "student_id": "00002",
                "test_id": "m2",
                "fall_to_winter_conditional_growth_percentile": 20,
                "fall_to_winter_met_projected_growth": "No",
            },
            test | {"student_id": "00003", "test_id": "m3", "course": "Reading (Spanish)", "subject": "Language Arts"},
            test | {"student_id": "00003", "test_id": "m4", "test_name": "Screening: Math K-2", "test_type": "Survey"},
            test | {"student_id": "77777", "test_id": "m5", "test_rit_score": None},
        ],
        source="nwea_map",
    )
    # The combined export repeats 00001's test, and has one of its own.
    combined = {key: value for key, value in test.items() if key != "growth_measure_yn"}
    lake.put(
        "lake.nwea_map__combo_student_assessment",
        [combined | {"student_id": "00001"}, combined | {"student_id": "00008", "course": "Language Usage"}],
        source="nwea_map",
    )
    star = {
        "product": "SR", "school_year": "2025-2026", "assessment_type": "Enterprise", "assessment_status": "Active", "unified_score": 1000,
        "scaled_score": 600, "percentile_rank": 33, "school_name": "South School",
    }  # fmt: skip
    lake.put(
        "lake.renaissance_star__star_test",
        [
            star | {"assessment_id": "a1", "student_identifier": "00010", "completed_date_local": datetime(2025, 11, 30, 23, 30)},
            star | {"assessment_id": "a2", "student_identifier": "00010", "completed_date_local": datetime(2025, 12, 1, 8)},
            star | {"assessment_id": "a3", "student_identifier": "00010", "completed_date_local": datetime(2026, 1, 20, 8), "student_growth_percentile_fall_winter": 61},
        ],
        source="renaissance_star",
    )  # fmt: skip
    # The same AssessmentID in a newer export, deactivated since.
    lake.put(
        "lake.renaissance_star__star_test",
        [star | {"assessment_id": "a2", "student_identifier": "00010", "completed_date_local": datetime(2025, 12, 1, 8), "assessment_status": "Deactivated"}],
        source="renaissance_star", rank=2,
    )  # fmt: skip
    state = {"subject": "Mathematics", "school_year_end": 2025, "admin_window": "Spring", "assessment_family": "X"}
    lake.put(
        "lake.state_assessment__canonical_result",
        [
            state | {"state_test_id": "t1", "state_student_id": "ST001", "level_number": 2, "scale_score": 700, "status": "scored"},
            state | {"state_test_id": "t2", "state_student_id": "ST002", "level_number": None, "status": "absent"},
        ],
        source="state_assessment",
    )


def _exit_tickets(lake: SmallLake) -> None:
    """002 answers twice within a minute for one session, 003 without saying which session, 005 leaves a preview."""
    at = datetime(2026, 1, 5, 11)
    ticket = {"form_version": "v1", "submitted_at": at}
    lake.put(
        "lake.exit_tickets__response",
        [
            ticket | {"response_id": "r1", "student_id": "00002", "session_id": "m-2026-01-05", "answers": {"E1": "1", "G1": "Always", "G2": "No"}},
            ticket | {"response_id": "r2", "student_id": "00002", "session_id": "m-2026-01-05", "submitted_at": at + timedelta(minutes=1),
                      "answers": {"E1": "4", "G1": "Never", "G2": "Yes"}},
            ticket | {"response_id": "r3", "student_id": "00003", "tutor_id": "tutor-a", "answers": {"E1": "7", "G1": "N/A", "G2": "yes"}},
            ticket | {"response_id": "r4", "student_id": "00005", "session_id": "m-2026-01-05", "response_status": "Survey Preview", "answers": {"E1": "7"}},
            ticket | {"response_id": "r5", "student_id": "00006", "session_id": "m-2026-01-05", "answers": {"E1": "8"}},
            ticket | {"response_id": "r6", "student_id": None, "answers": {"E1": "7"}},
        ],
        source="exit_tickets_brightpath",
    )  # fmt: skip
