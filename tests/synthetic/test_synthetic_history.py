"""Two earlier years of tests: the same people one and two grades lower, real layouts, nothing that this year's payments could take for theirs."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from test_synthetic_files import member_rows

from obc_pipeline.synthetic import school_year

YEARS = {"2023-2024": 2, "2024-2025": 1}


def map_rows(home: Path, label: str, member: str = "AssessmentResults.csv") -> list[dict[str, str]]:
    """Rows of the earlier year's zips."""
    return list(member_rows(home / "landing" / "nwea_map" / "history" / label, "*/*.zip", member))


def star_rows(home: Path, label: str) -> list[dict[str, str]]:
    """Rows of the earlier year's zip."""
    return list(member_rows(home / "landing" / "renaissance_star" / "history" / label, "*.zip", "SR.csv"))


@pytest.fixture(scope="module")
def grade_today(clean_district: Path) -> dict[str, int]:
    """Local id to grade, as the student information system has it now."""
    users = member_rows(clean_district / "landing", "oneroster/2026-05-18/*.zip", "users.csv")
    return {row["identifier"]: 0 if row["grades"] == "KG" else int(row["grades"]) for row in users if row["role"] == "student"}


@pytest.mark.parametrize(("label", "years_ago"), YEARS.items())
def test_students_were_one_or_two_grades_lower_and_some_have_left(
    clean_district: Path, grade_today: dict[str, int], label: str, years_ago: int
) -> None:
    grades = {row["StudentID"]: int(row["Grade"]) for row in map_rows(clean_district, label, "StudentsBySchool.csv")}
    grades |= {row["StudentIdentifier"]: int(row["Grade"]) for row in star_rows(clean_district, label)}
    still_here = {student for student in grades if student in grade_today}
    assert all(grade_today[student] == grades[student] + years_ago for student in still_here)
    assert 0.02 < 1 - len(still_here) / len(grades) < 0.20
    assert set(grades.values()) == {3, 4, 5, 6, 7, 8}


@pytest.mark.parametrize(("label", "years_ago"), YEARS.items())
def test_only_fall_and_spring_of_the_priced_grades_inside_that_years_windows(clean_district: Path, label: str, years_ago: int) -> None:
    of = school_year.ExportYear(years_ago)
    terms = Counter()
    for row in map_rows(clean_district, label):
        term, named = row["TermName"].split()
        month, day, year = map(int, row["TestStartDate"].split("/"))
        opens, closes = of.windows[term.upper()]
        assert named == label
        assert opens <= date(year, month, day) <= closes
        terms[term] += 1
    assert set(terms) == {"Fall", "Spring"}
    for row in star_rows(clean_district, label):
        taken = date.fromisoformat(row["CompletedDateLocal"][:10])
        assert row["SchoolYear"] == label
        assert any(opens <= taken <= closes for opens, closes in (of.windows["FALL"], of.windows["SPRING"]))


def test_without_tutoring_growth_is_that_of_the_norms(clean_district: Path) -> None:
    grown = [
        int(row["FallToSpringConditionalGrowthPercentile"])
        for label in YEARS
        for row in map_rows(clean_district, label)
        if row["FallToSpringConditionalGrowthPercentile"]
    ]
    assert len(grown) > 600
    assert 42 <= sorted(grown)[len(grown) // 2] <= 58


def test_ids_of_tests_are_those_of_no_other_year(clean_district: Path) -> None:
    landing = clean_district / "landing"
    star = [row["AssessmentID"] for label in YEARS for row in star_rows(clean_district, label)]
    this_year = {row["AssessmentID"] for row in member_rows(landing, "renaissance_star/2026-06-26/*.zip", "SR.csv")}
    assert len(set(star)) == len(star)
    assert not this_year & set(star)
    maps = [row["TestID"] for label in YEARS for row in map_rows(clean_district, label)]
    maps += [row["TestID"] for row in member_rows(landing, "nwea_map/*/*.zip", "AssessmentResults.csv")]
    assert len(set(maps)) == len(maps)


def test_history_is_small(clean_district: Path) -> None:
    """At most six rows per student of the district: 60,000 at 10,000 students."""
    rows = sum(
        len(map_rows(clean_district, label, member)) for label in YEARS for member in ("AssessmentResults.csv", "StudentsBySchool.csv")
    )
    assert rows + sum(len(star_rows(clean_district, label)) for label in YEARS) < 6 * 2_000
