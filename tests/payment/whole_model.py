"""Adds to a random district one contract that uses the whole contract model: lines on attendance, on a completed assessment, priced by
the point and for the cohort, uplifts, lines that depend on each other, every base model, instalments and deliveries by a date."""

from __future__ import annotations

import datetime as dt
from random import Random

from tests.payment import small_worlds
from tests.payment.decided_by_hand import Row, World
from tests.payment.small_worlds import FROM_SESSIONS, SERVICE, WINDOWED, WINDOWS

CONTRACT = "Q"
BASES = (
    ("PER_HOUR", "NONE", "41.37"),
    ("PER_STUDENT_SERVED", "NONE", "613.33"),
    ("PER_STUDENT_SERVED", "BY_WEEKS", "613.33"),
    ("PER_SESSION", "NONE", "15.55"),
    ("FIXED_INSTALMENT", "NONE", "10000.01"),
)


def make_whole_world(rng: Random, students: int) -> World:
    """A district of `small_worlds` with the further contract, on which most of its students are."""
    world = small_worlds.make_world(rng, students)
    amended = rng.random() < 0.5
    base = rng.choice(BASES)
    for version in (1, 2) if amended else (1,):
        _terms(world, rng, version, amended, base)
        _lines(world, rng, version)
        _duties(world, rng, version, base[0])
    world.file.append({"source": "roster", "received_at": dt.datetime(2025, 10, rng.choice((1, 2)), 9), "accepted": rng.choice((0, 5))})
    _calendar(world, rng)
    for number in range(students):
        _student(world, rng, number)
    return world


def _terms(world: World, rng: Random, version: int, amended: bool, base: tuple[str, str, str]) -> None:
    model, proration, rate = base
    world.contract.append(
        {
            **next(row for row in world.contract if row["contract_id"] == "R"),
            "contract_id": CONTRACT,
            "version": version,
            "effective_from": dt.date(2026, 3, 1) if version == 2 else dt.date(2025, 7, 1),
            "effective_to": dt.date(2026, 3, 1) if version == 1 and amended else None,
            "provider_id": "q",
            "subject": "both",
            "base_model": model,
            "base_proration": proration,
            "base_rate_amount": rate if version == 1 else "700.07",
            "required_minutes": 300,
            "both_default_rule": rng.choice(("HOLD", "PROVIDER_LOSES")),
            "district_default_share": rng.choice(("1", "0.333333", None)),
            "district_default_scope": rng.choice(("STUDENT", "SCHOOL", "CONTRACT")),
        }
    )
    # Not every earlier row has the column.
    for row in world.contract:
        row.setdefault("required_minutes", None)
    for row in [row for row in world.contract_window if row["contract_id"] == "R"]:
        world.contract_window.append({**row, "contract_id": CONTRACT, "version": version})
    for end_reason in ("TRANSFER", "OPT_OUT"):
        world.contract_excluded_reason.append({"contract_id": CONTRACT, "version": version, "end_reason": end_reason})
    for kind in ("BASE", "OUTCOME"):
        days = (dt.date(2025, 11, 1), dt.date(2026, 2, 10), dt.date(2026, 3, 1), dt.date(2026, 6, 30), dt.date(2026, 7, 31))
        shares = ("0.166667", "0.333333", "0.1", "0.2", "0.2")
        for number, (paid_on, share) in enumerate(zip(days, shares, strict=True), start=1):
            world.contract_instalment.append(
                {
                    "contract_id": CONTRACT,
                    "version": version,
                    "instalment_number": number,
                    "paid_on": paid_on,
                    "payment_type": kind,
                    "share": share,
                }
            )


# line, class, instrument, metric, baseline, end, tiers (TIER threshold and price), penalty
LINES = (
    ("A1", "ATTENDANCE", "TUTORING_SESSIONS", "TUTORING_ATTENDANCE_RATE", None, "SPRING", [("0.5", "50.00"), ("0.9", "80.05")], None),
    ("A2", "ATTENDANCE", "SIS_ATTENDANCE", "SCHOOL_ATTENDANCE_RATE", None, "WINTER", [("0.9", "33.33")], ("0.7", "-10.01")),
    ("C1", "ASSESSMENT_COMPLETION", "NWEA_MAP_MATH", "ASSESSMENT_COMPLETED", None, "WINTER", [("1", "25.00")], None),
    ("D1", "GROWTH", "NWEA_MAP_MATH", "CGP_FALL_WINTER", "FALL", "WINTER", [("40", "7.77")], ("20", "-30.03")),
    ("G1", "GROWTH", "NWEA_MAP_MATH", "CGP_FALL_SPRING", "FALL", "SPRING", [("35", "250.01"), ("50", "111.11")], ("20", "-75.01")),
    ("H1", "GROWTH", "NWEA_MAP_MATH", "CGP_FALL_SPRING", "FALL", "SPRING", [("0.25", "1000.55"), ("0.5", "2000.05")], ("0.1", "-500.05")),
    ("H2", "ATTENDANCE", "TUTORING_SESSIONS", "TUTORING_ATTENDANCE_RATE", None, "SPRING", [("0.5", "3000.33")], None),
)  # fmt: skip


def _lines(world: World, rng: Random, version: int) -> None:
    depth: dict[str, int] = {}
    for line_id, outcome_class, instrument, metric, baseline, end, tiers, penalty in LINES:
        is_cohort = line_id in ("H1", "H2")
        named: dict[str, str | None] = {}
        for name in ("requires_line", "excludes_line"):
            fitting = [other for other in depth if depth[other] < 3 and other not in named.values()]
            named[name] = rng.choice(fitting) if fitting and not is_cohort and rng.random() < 0.25 else None
        if not is_cohort:
            depth[line_id] = 1 + max((depth[other] for other in named.values() if other), default=-1)
        world.rate_card_line.append(
            {
                "contract_id": CONTRACT,
                "version": version,
                "line_id": line_id,
                "outcome_name": line_id,
                "outcome_class": outcome_class,
                "instrument": instrument,
                "metric": metric,
                "source_column": f"column_of_{metric}" if metric.startswith("CGP") else None,
                "baseline_window": baseline,
                "end_window": end,
                "comparator": rng.choice((">=", ">=", ">")) if metric != "ASSESSMENT_COMPLETED" else ">=",
                "tier_mode": rng.choice(("BEST_TIER", "CUMULATIVE")),
                "price_unit": "COHORT_THRESHOLD" if is_cohort else "PER_POINT_ABOVE_TARGET" if line_id == "D1" else "PER_STUDENT_OUTCOME",
                "dosage_unit": "SESSIONS",
                "dosage_min_rate_numerator": rng.choice((70, 40, 0)),
                "dosage_min_rate_denominator": 100,
                "dosage_denominator": rng.choice(("REQUIRED", "SCHEDULED", "SCHEDULED_NET_OF_EXCUSED")),
                "missing_test_rule": rng.choice(("NOT_PAYABLE", "EXCLUDE_FROM_DENOM", "DISTRICT_DEFAULT_IF_DISTRICT_CAUSE")),
                "retest_rule": rng.choice(("INSTRUMENT_OFFICIAL", "FIRST_VALID", "LAST_VALID")),
                "norms_reference": None,
                "rapid_guessing_max_share": "0.3" if instrument.startswith("NWEA") else None,
                "data_due_on": None,
                "student_threshold": {"H1": "50", "H2": "0.7"}.get(line_id),
                "points_max": 20 if line_id == "D1" else None,
                **named,
            }
        )
        for number, (threshold, price) in enumerate(tiers, start=1):
            world.rate_card_tier.append(_tier(version, line_id, number, "TIER", threshold, price))
        if penalty is not None:
            world.rate_card_tier.append(_tier(version, line_id, 0, "PENALTY", *penalty))
        if line_id in ("G1", "D1", "A1"):
            for program, multiplier in (("EL", "1.1"), ("IEP", "1.2505")):
                world.rate_card_uplift.append(
                    {"contract_id": CONTRACT, "version": version, "line_id": line_id, "program": program, "multiplier": multiplier}
                )
    for row in world.rate_card_line:
        for name in ("student_threshold", "points_max", "requires_line", "excludes_line"):
            row.setdefault(name, None)


def _tier(version: int, line_id: str, number: int, kind: str, threshold: str, price: str) -> Row:
    named = {"contract_id": CONTRACT, "version": version, "line_id": line_id, "tier_number": number}
    return {**named, "kind": kind, "threshold": threshold, "price_amount": price}


def _duties(world: World, rng: Random, version: int, base_model: str) -> None:
    for row in world.obligation:
        row.setdefault("due_on", None)
        row.setdefault("evidence_source", None)
    for obligation_id, party, metric, value, consequences in (
        ("same_tutor", "PROVIDER", "SAME_TUTOR_SHARE", 40, ("VOID_OUTCOME", "NOTICE_ONLY")),
        ("group_size", "PROVIDER", "GROUP_SIZE_COMPLIANCE", 40, ("VOID_ALL", "NOTICE_ONLY", "NOTICE_ONLY")),
        ("tests_given", "DISTRICT", "ASSESSMENT_ADMINISTERED", 90, ("DEFAULT_PAY", "NOTICE_ONLY")),
        ("roster", "DISTRICT", "ROSTER_BY_DATE", 100, ("DEFAULT_PAY", "NOTICE_ONLY", "NOTICE_ONLY")),
        ("log", "PROVIDER", "DATA_FEED_BY_DATE", 100, ("VOID_OUTCOME", "NOTICE_ONLY", "NOTICE_ONLY", "NOTICE_ONLY")),
    ):
        consequence = rng.choice(consequences)
        is_whole = consequence == "VOID_ALL" and base_model == "FIXED_INSTALMENT"
        world.obligation.append(
            {
                "contract_id": CONTRACT,
                "version": version,
                "obligation_id": obligation_id,
                "party": party,
                "scope": "CONTRACT" if is_whole else rng.choice(("STUDENT", "SCHOOL", "CONTRACT")),
                "metric": metric,
                "measurement_window": rng.choice(WINDOWED) if metric in FROM_SESSIONS else "CONTRACT_TO_DATE",
                "comparator": ">=",
                "value_numerator": value,
                "value_denominator": 100,
                "consequence": consequence,
                "cure_days": rng.choice((0, 0, 28)),
                "due_on": dt.date(2025, 10, 1) if metric.endswith("BY_DATE") else None,
                "evidence_source": "roster",
            }
        )


def _calendar(world: World, rng: Random) -> None:
    for school_id in ("0201", "0202"):
        world.coverage.append(
            {
                "school_id": school_id,
                "school_year_end": 2026,
                "covered_from_on": dt.date(2025, 8, 18),
                "covered_to_on": rng.choice((dt.date(2026, 2, 2), dt.date(2026, 6, 5))),
            }
        )
        for week in range(30):
            world.calendar.append(
                {
                    "school_id": school_id,
                    "calendar_on": SERVICE[0] + dt.timedelta(days=7 * week),
                    "is_in_session": rng.random() < 0.8,
                    "school_year_end": 2026,
                }
            )


def _student(world: World, rng: Random, number: int) -> None:
    student_id, student_key = f"{number:08d}", f"key{number}"
    is_known = any(row["student_key"] == student_key for row in world.roster)
    if not is_known or rng.random() < 0.2:
        return
    plain = rng.random() < 0.6
    school_id = rng.choice(("0201", "0202"))
    small_worlds._roster(world, rng, CONTRACT, student_key, student_id, school_id, plain)
    small_worlds._sessions(world, rng, CONTRACT, student_key, student_id, plain)
    for program, chance in (("EL", 0.4), ("IEP", 0.2)):
        if rng.random() < chance:
            begin_on = rng.choice((dt.date(2024, 8, 1), dt.date(2025, 8, 20), dt.date(2025, 12, 1)))
            end_on = rng.choice((None, dt.date(2025, 8, 20), dt.date(2026, 1, 1)))
            if end_on is None or end_on > begin_on:
                world.program.append(
                    {"student_key": student_key, "student_id": student_id, "program": program, "begin_on": begin_on, "end_on": end_on}
                )
    moved_on = rng.choice((None, None, WINDOWS["WINTER"][0]))
    world.enrollment.append(
        {"student_key": student_key, "school_id": school_id, "enrolled_on": dt.date(2025, 8, 18), "exited_on": moved_on}
    )
    if moved_on is not None:
        other = "0202" if school_id == "0201" else "0201"
        world.enrollment.append({"student_key": student_key, "school_id": other, "enrolled_on": moved_on, "exited_on": None})
    for row in world.calendar:
        if row["school_id"] == school_id and rng.random() < (0.05 if plain else 0.25):
            for share in rng.choice((("1",), ("0.5",), ("0.25", "0.5"), (None,))):
                world.absence.append(
                    {
                        "student_key": student_key,
                        "student_id": student_id,
                        "school_id": school_id,
                        "attendance_on": row["calendar_on"],
                        "absent_share": share,
                    }
                )
    if rng.random() < 0.1:
        _ruling(world, "DISPUTE", "OPEN", rng.choice((None, "G1", "H1")), student_key, student_id)
    if rng.random() < 0.3:
        _ruling(
            world,
            "MISSING_TEST_CAUSE",
            rng.choice(("DISTRICT", "PROVIDER")),
            rng.choice((None, "WINTER", "SPRING")),
            student_key,
            student_id,
        )


def _ruling(world: World, subject: str, value: str, key: str | None, student_key: str, student_id: str) -> None:
    world.ruling.append(
        {
            "ruling_id": f"q{len(world.ruling):05d}",
            "ruled_on": dt.date(2026, 2, 1),
            "ruled_by": "committee",
            "subject": subject,
            "contract_id": CONTRACT,
            "student_key": student_key,
            "student_id": student_id,
            "key": key,
            "value": value,
        }
    )
