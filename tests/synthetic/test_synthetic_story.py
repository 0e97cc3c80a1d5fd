"""The stories a reader of the marts should be able to find are in the files."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

import pytest

SKIPPING_SCHOOL, TURNOVER_SCHOOL = "0202", "0201"


@pytest.fixture(scope="module")
def visits(clean_district: Path) -> list[dict[str, str]]:
    """The newest row of every Brightpath session and student."""
    newest: dict[tuple[str, str], dict[str, str]] = {}
    for path in sorted((clean_district / "landing" / "sessions_brightpath").glob("*.csv"), key=lambda path: path.stat().st_mtime):
        with path.open(encoding="utf-8", newline="") as file:
            newest.update({(row["session_id"], row["student_id"]): row for row in csv.DictReader(file)})
    return list(newest.values())


@pytest.fixture(scope="module")
def absent(clean_district: Path) -> set[tuple[str, str]]:
    """Student and ISO date of every all-day absence from school."""
    newest = max((clean_district / "landing" / "sis_attendance").rglob("*.csv"))
    with newest.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["Att_Code"] in ("A", "E")]
    return {(row["Student_Number"], "{2}-{0}-{1}".format(*row["Att_Date"].split("/"))) for row in rows}


def test_at_one_school_students_skip_while_in_school(visits: list[dict[str, str]], absent: set[tuple[str, str]]) -> None:
    held, skipped = Counter(), Counter()
    for row in visits:
        if row["session_status"] == "completed" and (row["student_id"], row["session_date"]) not in absent:
            held[row["school_id"]] += 1
            skipped[row["school_id"]] += row["attendance_status"] == "absent"
    rates = {school: skipped[school] / held[school] for school in held}
    assert rates[SKIPPING_SCHOOL] > 1.5 * max(rate for school, rate in rates.items() if school != SKIPPING_SCHOOL)


def test_at_one_school_half_the_students_lose_their_tutor(visits: list[dict[str, str]]) -> None:
    tutors: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in visits:
        if row["attendance_status"] in ("present", "late"):
            tutors[row["school_id"], row["student_id"]][row["tutor_id"]] += 1
    changed: dict[str, list[bool]] = defaultdict(list)
    for (school, _), seen in tutors.items():
        if sum(seen.values()) > 20:
            changed[school].append(max(seen.values()) * 100 < 80 * sum(seen.values()))
    assert 0.25 < sum(changed[TURNOVER_SCHOOL]) / len(changed[TURNOVER_SCHOOL]) < 0.75
    assert sum(changed[SKIPPING_SCHOOL]) / len(changed[SKIPPING_SCHOOL]) < 0.1


def test_an_illness_wave_fills_two_weeks_of_february(absent: set[tuple[str, str]]) -> None:
    per_day = Counter(day for _, day in absent)
    wave = [per_day[f"2026-02-{day:02d}"] for day in (10, 11, 12, 17, 18, 19)]
    before = [per_day[f"2026-01-{day:02d}"] for day in (13, 14, 15, 20, 21, 22)]
    assert sum(wave) > 2 * sum(before)


def test_the_provider_reports_some_present_whom_the_school_has_absent(visits: list[dict[str, str]], absent: set[tuple[str, str]]) -> None:
    conflicts = sum(
        (row["student_id"], row["session_date"]) in absent
        and row["delivery_mode"] != "online"
        and row["attendance_status"] in ("present", "late")
        for row in visits
    )
    assert 0 < conflicts < 0.02 * len(visits)


def test_tutored_students_grow_more_than_others(clean_district: Path, visits: list[dict[str, str]]) -> None:
    tutored = Counter(row["student_id"] for row in visits if row["attendance_status"] in ("present", "late"))
    grew: dict[bool, list[int]] = {True: [], False: []}
    path = next((clean_district / "landing" / "nwea_map").glob("2026-06-10/*.zip"))
    with zipfile.ZipFile(path) as archive, archive.open("AssessmentResults.csv") as packed:
        for row in csv.DictReader(io.TextIOWrapper(packed, encoding="utf-8", newline="")):
            if row["Course"] == "Math K-12" and row["FallToSpringConditionalGrowthPercentile"]:
                if tutored[row["StudentID"]] == 0:
                    grew[False].append(int(row["FallToSpringConditionalGrowthPercentile"]))
                elif tutored[row["StudentID"]] >= 51:
                    grew[True].append(int(row["FallToSpringConditionalGrowthPercentile"]))
    median = {is_tutored: sorted(values)[len(values) // 2] for is_tutored, values in grew.items()}
    assert median[True] > median[False] + 5
    assert 42 <= median[False] <= 58


def test_some_rows_are_corrected_later_and_some_visits_have_two_intervals(clean_district: Path) -> None:
    seen: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for path in (clean_district / "landing" / "sessions_brightpath").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                seen[row["session_id"], row["student_id"]].append((path.name, row["student_joined_at"]))
    assert any(len({file for file, _ in rows}) > 1 for rows in seen.values()), "corrected in a later file"
    assert any(len({file for file, _ in rows}) == 1 and len({joined for _, joined in rows}) > 1 for rows in seen.values()), (
        "left and came back"
    )
    assert any(len(rows) > 1 and len(set(rows)) == 1 for rows in seen.values()), "the same row twice"
