"""Random small districts for comparing two calculations of the same payment: every rule of the decision is likely to matter to somebody.

Half the students have nothing unusual but their results, so that what comes last in the decision (prices, shares, thresholds) is reached often.
"""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Any

import duckdb

from tests.payment.decided_by_hand import Row, World

SERVICE = (dt.date(2025, 10, 6), dt.date(2026, 5, 15))
WINDOWS = {
    "FALL": (dt.date(2025, 8, 18), dt.date(2025, 10, 3), dt.date(2025, 10, 17), dt.date(2025, 11, 14)),
    "WINTER": (dt.date(2026, 1, 5), dt.date(2026, 2, 6), dt.date(2026, 2, 20), None),
    "SPRING": (dt.date(2026, 4, 20), dt.date(2026, 5, 29), dt.date(2026, 6, 12), None),
}
AS_OF = ("2026-02-10", "2026-04-20", "2026-05-29", "2026-06-05", "2026-06-12", "2026-06-30")
FROM_SESSIONS = ("SAME_TUTOR_SHARE", "GROUP_SIZE_COMPLIANCE", "DELIVERY_RATE")
WINDOWED = ("CONTRACT_TO_DATE", "CONTRACT_TO_DATE", "CONTRACT_TO_DATE", "WEEK", "MONTH", "TERM")
VALUES = (None, 19, 20, 34, 35, 49, 50, "49.999999", 64, 65, 90)
CAUSES = (
    "ABSENT_SCHOOL",
    "PRESENT_SCHOOL_SKIPPED",
    "PROVIDER_CANCEL",
    "TUTOR_NO_SHOW",
    "DISTRICT_TECH",
    "DISTRICT_SCHEDULE",
    "CLOSURE",
    "UNKNOWN",
)


def make_world(rng: Random, students: int) -> World:
    """Three contracts (two of mathematics, one of reading) and that many students with tests, sessions, rulings and mishaps."""
    world = World()
    _contracts(world, rng)
    for number in range(students):
        _student(world, rng, number)
    _rulings(world, rng, students)
    return world


def _contracts(world: World, rng: Random) -> None:
    amended = rng.random() < 0.5
    for contract_id, subject, model, rate in (
        ("M", "math", "PER_STUDENT_SERVED", "600.00"),
        ("N", "math", "PER_SESSION", "15.00"),
        ("R", "reading", "PER_SESSION", "15.00"),
    ):
        for version in (1, 2) if amended and contract_id == "M" else (1,):
            is_last = version == 2 or not (amended and contract_id == "M")
            world.contract.append(
                {
                    "contract_id": contract_id,
                    "version": version,
                    "effective_from": dt.date(2026, 3, 1) if version == 2 else dt.date(2025, 7, 1),
                    "effective_to": None if is_last else dt.date(2026, 3, 1),
                    "provider_id": contract_id.lower(),
                    "provider_name": contract_id,
                    "school_year_end": 2026,
                    "subject": subject,
                    "service_start_on": SERVICE[0],
                    "service_end_on": SERVICE[1],
                    "base_model": model,
                    "base_rate_amount": rate if version == 1 else "660.00",
                    "base_proration": "BY_SESSIONS_ATTENDED" if model == "PER_STUDENT_SERVED" else "NONE",
                    "base_earning_min_sessions": rng.choice((1, 3)),
                    "required_sessions": 10,
                    "both_default_rule": rng.choice(("HOLD", "PROVIDER_LOSES", "SPLIT")),
                    "district_default_share": rng.choice(("1", "0.6", "0.333333", None)),
                    "district_default_scope": rng.choice(("STUDENT", "STUDENT", "SCHOOL", "CONTRACT")),
                    "data_submission_sla_hours": 48,
                    "max_group_size": 4,
                    "min_session_minutes": 30,
                }
            )
            for window_id, (opens_on, closes_on, due_on, late_until) in WINDOWS.items():
                world.contract_window.append(
                    {
                        "contract_id": contract_id,
                        "version": version,
                        "window_id": window_id,
                        "opens_on": opens_on,
                        "closes_on": closes_on,
                        "data_due_on": due_on,
                        "late_baseline_until": late_until,
                    }
                )
            for end_reason in ("TRANSFER", "OPT_OUT"):
                world.contract_excluded_reason.append({"contract_id": contract_id, "version": version, "end_reason": end_reason})
            _rate_card(world, rng, contract_id, version)
            _obligations(world, rng, contract_id, version)


def _rate_card(world: World, rng: Random, contract_id: str, version: int) -> None:
    if contract_id == "R":
        lines = [("G1", "RENAISSANCE_STAR_READING", "SGP_FALL_SPRING", "FALL", "SPRING", [(50, "400.00")], -75)]
    else:
        cheaper = version == 2
        lines = [
            (
                "G1",
                "NWEA_MAP_MATH",
                "CGP_FALL_SPRING",
                "FALL",
                "SPRING",
                [(35, "250.01"), (50, "400.00" if cheaper else "500.00"), (65, "750.33")],
                None,
            ),
            ("M1", "NWEA_MAP_MATH", "CGP_FALL_WINTER", "FALL", "WINTER", [(50, "150.00")], None),
            ("P1", "STATE_TEST_MATH", "PROFICIENCY_LEVEL", None, "SPRING", [(3, "200.00")], None),
        ]
    for line_id, instrument, metric, baseline, end, tiers, penalty in lines:
        world.rate_card_line.append(
            {
                "contract_id": contract_id,
                "version": version,
                "line_id": line_id,
                "outcome_name": line_id,
                "outcome_class": "GROWTH" if baseline else "PROFICIENCY",
                "instrument": instrument,
                "metric": metric,
                "source_column": f"column_of_{metric}",
                "baseline_window": baseline,
                "end_window": end,
                "comparator": rng.choice((">=", ">=", ">")),
                "tier_mode": rng.choice(("BEST_TIER", "BEST_TIER", "CUMULATIVE")),
                "price_unit": "PER_STUDENT_OUTCOME",
                "dosage_unit": "SESSIONS",
                "dosage_min_rate_numerator": rng.choice((70, 70, 70, 0)),
                "dosage_min_rate_denominator": 100,
                "dosage_denominator": rng.choice(("REQUIRED", "REQUIRED", "SCHEDULED", "SCHEDULED_NET_OF_EXCUSED")),
                "missing_test_rule": rng.choice(("NOT_PAYABLE", "DISTRICT_DEFAULT_IF_DISTRICT_CAUSE")),
                "retest_rule": "INSTRUMENT_OFFICIAL",
                "norms_reference": rng.choice((None, "2025")) if metric.startswith("CGP") else None,
                "rapid_guessing_max_share": "0.3" if metric.startswith("CGP") else None,
                "data_due_on": dt.date(2026, 6, 26) if line_id == "P1" else None,
            }
        )
        for number, (threshold, price) in enumerate(tiers, start=1):
            world.rate_card_tier.append(_tier(contract_id, version, line_id, number, "TIER", threshold, price))
        if penalty is not None:
            world.rate_card_tier.append(_tier(contract_id, version, line_id, len(tiers) + 1, "PENALTY", 20, "-75.01"))


def _tier(contract_id: str, version: int, line_id: str, number: int, kind: str, threshold: int, price: str) -> Row:
    return {
        "contract_id": contract_id,
        "version": version,
        "line_id": line_id,
        "tier_number": number,
        "kind": kind,
        "threshold": threshold,
        "price_amount": price,
    }


def _obligations(world: World, rng: Random, contract_id: str, version: int) -> None:
    for obligation_id, party, metric, value, consequences in (
        ("same_tutor", "PROVIDER", "SAME_TUTOR_SHARE", 60, ("VOID_OUTCOME", "NOTICE_ONLY")),
        ("group_size", "PROVIDER", "GROUP_SIZE_COMPLIANCE", 50, ("VOID_ALL", "NOTICE_ONLY")),
        ("delivery", "PROVIDER", "DELIVERY_RATE", 40, ("VOID_OUTCOME", "NOTICE_ONLY")),
        ("slots", "DISTRICT", "DELIVERY_RATE", 80, ("DEFAULT_PAY", "NOTICE_ONLY", "NOTICE_ONLY")),
        ("tests_given", "DISTRICT", "ASSESSMENT_ADMINISTERED", 90, ("DEFAULT_PAY", "NOTICE_ONLY")),
    ):
        world.obligation.append(
            {
                "contract_id": contract_id,
                "version": version,
                "obligation_id": obligation_id,
                "party": party,
                "scope": rng.choice(("STUDENT", "STUDENT", "SCHOOL", "CONTRACT")),
                "metric": metric,
                "measurement_window": rng.choice(WINDOWED) if metric in FROM_SESSIONS else "CONTRACT_TO_DATE",
                "comparator": ">=",
                "value_numerator": value,
                "value_denominator": 100,
                "consequence": rng.choice(consequences),
                "cure_days": rng.choice((0, 0, 28)),
            }
        )


def _student(world: World, rng: Random, number: int) -> None:
    student_id = f"{number:08d}"
    plain = rng.random() < 0.5
    student_key = None if not plain and rng.random() < 0.08 else f"key{number}"
    school_id = rng.choice(("0201", "0202"))
    contracts = [name for name, chance in (("M", 0.9), ("N", 0.25), ("R", 0.5)) if rng.random() < chance] or ["M"]
    for contract_id in contracts:
        _roster(world, rng, contract_id, student_key, student_id, school_id, plain)
        if student_key is not None:
            _sessions(world, rng, contract_id, student_key, student_id, plain)
    if student_key is not None:
        _tests(world, rng, student_key, student_id, plain)


def _roster(world: World, rng: Random, contract_id: str, student_key: str | None, student_id: str, school_id: str, plain: bool) -> None:
    start_on = rng.choice((dt.date(2025, 8, 20), dt.date(2025, 10, 6), dt.date(2025, 10, 6), dt.date(2025, 11, 3), dt.date(2026, 2, 23)))
    end_on = rng.choice((None, None, None, None, dt.date(2026, 1, 15), dt.date(2026, 4, 20), dt.date(2026, 5, 4), dt.date(2026, 6, 20)))
    if plain:
        start_on, end_on = dt.date(2025, 8, 20), None
    row = {
        "contract_id": contract_id,
        "student_key": student_key,
        "student_id": student_id,
        "line_id": "G1" if not plain and rng.random() < 0.1 else None,
        "school_id": school_id,
        "start_on": start_on,
        "end_on": end_on,
        "end_reason": None if end_on is None else rng.choice(("TRANSFER", "OPT_OUT", "SCHEDULE")),
        "vendor_share": rng.choice((None, None, None, "0.5", "0.333333", "0.6")),
        "source": "contract_roster",
        "file_id": "f",
        "row_number": len(world.roster) + 1,
    }
    world.roster.append(row)
    if end_on is not None and end_on > start_on and rng.random() < 0.3:
        # Left and came back, or a second row that overlaps the first.
        again = max(start_on, end_on + dt.timedelta(days=rng.choice((-20, 0, 15))))
        world.roster.append({**row, "start_on": again, "end_on": None, "end_reason": None, "row_number": len(world.roster) + 1})


def _sessions(world: World, rng: Random, contract_id: str, student_key: str, student_id: str, plain: bool) -> None:
    attendance = 0.98 if plain else rng.choice((0.5, 0.8, 0.95))
    for number in range(rng.choice((0, 6, 7, 7, 8, 10, 12))):
        day = SERVICE[0] + dt.timedelta(days=rng.randrange(0, 222))
        attended = rng.random() < attendance
        reason = rng.choice((None,) * 8 + ("OVER_RATIO", "ATTENDANCE_CONFLICT")) if attended and not plain else None
        cause = None if attended else rng.choice(CAUSES)
        amended = day >= dt.date(2026, 3, 1) and any(row["contract_id"] == contract_id and row["version"] == 2 for row in world.contract)
        late = rng.random() < (0.02 if plain else 0.15)
        world.session.append(
            {
                "contract_id": contract_id,
                "contract_version": 2 if amended else 1,
                "provider_id": contract_id.lower(),
                "student_key": student_key,
                "student_id": student_id,
                "session_id": f"{contract_id}{number}",
                "session_on": day,
                "is_scheduled": rng.random() < 0.9,
                "is_held": attended or cause in ("ABSENT_SCHOOL", "PRESENT_SCHOOL_SKIPPED"),
                "is_attended": attended,
                "is_creditable": attended and reason is None,
                "not_creditable_reason": reason,
                "is_attendance_conflict": reason == "ATTENDANCE_CONFLICT",
                "attended_minutes": 40 if attended else 0,
                "tutor_id": rng.choice(("t1", "t1", "t2")),
                "group_size": rng.choice((3, 4, 4, 5, None)),
                "absence_cause": cause,
                "is_excused_absence": cause == "ABSENT_SCHOOL" and day.day % 2 == 0,
                "received_at": dt.datetime(2026, 6, 28, 6) if late else dt.datetime.combine(day, dt.time(20)),
                "session_ended_at": dt.datetime.combine(day, dt.time(15)),
            }
        )


def _tests(world: World, rng: Random, student_key: str, student_id: str, plain: bool) -> None:
    for instrument, metrics in (
        ("NWEA_MAP_MATH", {"WINTER": "CGP_FALL_WINTER", "SPRING": "CGP_FALL_SPRING"}),
        ("RENAISSANCE_STAR_READING", {"SPRING": "SGP_FALL_SPRING"}),
        ("STATE_TEST_MATH", {"SPRING": "PROFICIENCY_LEVEL"}),
    ):
        for window_id, (opens_on, closes_on, _, _) in WINDOWS.items():
            if instrument == "STATE_TEST_MATH" and window_id != "SPRING":
                continue
            days = (closes_on - opens_on).days
            mishap = not plain or rng.random() < 0.08
            offsets = (
                [days // 2]
                if not mishap
                else rng.sample(
                    range(-3 if rng.random() < 0.1 else 0, days + (30 if rng.random() < 0.1 else 1)), rng.choice((0, 1, 1, 2, 2))
                )
            )
            flags = (
                [True]
                if not mishap
                else rng.choice(([True, False], [True, False], [True, True], [None, None], [False, None], [False, False]))
            )
            for attempt, offset in enumerate(offsets):
                key = f"{student_key}.{instrument}.{window_id}.{attempt}"
                invalid = rng.choice((None,) * 10 + ("DEACTIVATED", "NOT_TESTED")) if mishap else None
                world.result.append(
                    {
                        "assessment_result_key": key,
                        "student_key": student_key,
                        "student_id": student_id,
                        "instrument": instrument,
                        "school_year_end": 2026,
                        "window_id": window_id,
                        "tested_on": opens_on + dt.timedelta(days=offset),
                        "test_id": key,
                        "test_type": rng.choice(("GROWTH", "GROWTH", "PROGRESS_MONITORING"))
                        if "STAR" in instrument and mishap
                        else "GROWTH",
                        "score": 200 + attempt,
                        "score_se": rng.choice((3, "3.1")),
                        "is_growth_event": flags[attempt] if instrument.startswith("NWEA") else None,
                        "rapid_guessing_share": rng.choice(("0.05", "0.1", "0.299999", "0.3"))
                        if instrument.startswith("NWEA") and mishap
                        else None,
                        "norms_reference": rng.choice(("2025",) * 9 + ("2020", None)) if instrument.startswith("NWEA") else None,
                        "is_valid": invalid is None,
                        "invalid_reason": invalid,
                        "source": "s",
                        "file_id": "f",
                        "row_number": len(world.result) + 1,
                    }
                )
                metric = metrics.get(window_id)
                value = rng.choice((1, 2, 3, 4)) if metric == "PROFICIENCY_LEVEL" else rng.choice(VALUES)
                if metric and value is not None:
                    world.metric.append(
                        {"assessment_result_key": key, "metric": metric, "source_column": f"column_of_{metric}", "value": value}
                    )


def _rulings(world: World, rng: Random, students: int) -> None:
    def add(subject: str, value: str, key: str | None, about: int | None, contract_id: str | None = None) -> None:
        known = about is not None and any(row["student_key"] == f"key{about}" for row in world.roster)
        world.ruling.append(
            {
                "ruling_id": f"r{len(world.ruling):05d}",
                "ruled_on": rng.choice((dt.date(2026, 2, 1), dt.date(2026, 5, 1), dt.date(2026, 6, 10), dt.date(2026, 6, 29))),
                "ruled_by": "committee",
                "subject": subject,
                "contract_id": contract_id or rng.choice(("M", "N", "R")),
                "student_key": f"key{about}" if known else None,
                "student_id": None if about is None else f"{about:08d}",
                "key": key,
                "value": value,
            }
        )

    for number in range(students):
        if rng.random() < 0.5:
            continue
        if rng.random() < 0.15:
            add("DISPUTE", rng.choice(("OPEN", "OPEN", "RESOLVED")), rng.choice((None, "G1")), number)
        for _ in range(rng.choice((0, 1, 1, 3))):
            key = rng.choice((None, "SPRING", "FALL", "WINTER", "G1", "P1"))
            add("MISSING_TEST_CAUSE", rng.choice(("DISTRICT", "DISTRICT", "PROVIDER", "STUDENT", "NONE")), key, number)
        if rng.random() < 0.2:
            add("OVERLAP", rng.choice(("0.4", "0.5")), None, number, "N")
        if rng.random() < 0.2:
            add("OBLIGATION_EVIDENCE", rng.choice(("MET", "BREACHED")), rng.choice(("same_tutor", "group_size", "tests_given")), number)
        if rng.random() < 0.4:
            add("LATE_CHANGE", "ACCEPTED", rng.choice((None, "M1", "M2")), number)
    if rng.random() < 0.1:
        add("OBLIGATION_EVIDENCE", "MET", "delivery", None)


TABLES = {
    "contract": "documents.contract",
    "contract_window": "documents.contract_window",
    "contract_excluded_reason": "documents.contract_excluded_reason",
    "rate_card_line": "documents.rate_card_line",
    "rate_card_tier": "documents.rate_card_tier",
    "obligation": "documents.obligation",
    "roster": "input_layer.input__roster_assignment",
    "result": "input_layer.input__assessment_result",
    "metric": "input_layer.input__assessment_metric",
    "session": "intermediate.int_tutoring_session__cause",
    "ruling": "input_layer.input__ruling",
    "rate_card_uplift": "documents.rate_card_uplift",
    "contract_instalment": "documents.contract_instalment",
    "program": "input_layer.input__program_status",
    "file": "intake.file",
    "enrollment": "input_layer.input__school_enrollment",
    "calendar": "input_layer.input__calendar_day",
    "coverage": "intermediate.int_attendance__coverage",
    "absence": "input_layer.input__attendance_event",
}


def put(world: World, connection: duckdb.DuckDBPyConnection, as_of: dt.date) -> None:
    """Writes the world's rows into the input relations. Sessions after the as-of date and rulings not yet made are not there yet."""
    for name, table in TABLES.items():
        rows: list[dict[str, Any]] = getattr(world, name)
        if name == "session":
            rows = [row for row in rows if row["session_on"] <= as_of and _is_on_roster(world, row)]
        if not rows:
            continue
        columns = list(rows[0])
        names = ", ".join(f'"{column}"' for column in columns)
        marks = ", ".join("?" for _ in columns)
        connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", [[row[column] for column in columns] for row in rows])


def _is_on_roster(world: World, session: Row) -> bool:
    return any(
        row["contract_id"] == session["contract_id"]
        and row["student_id"] == session["student_id"]
        and row["start_on"] <= session["session_on"] < (row["end_on"] or dt.date.max)
        for row in world.roster
    )
