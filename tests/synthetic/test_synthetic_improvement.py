"""What the improvement files tell is true of the generated sessions, absences and rosters."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from obc_pipeline.synthetic.school_year import ILLNESS_WAVE
from obc_pipeline.synthetic.tutoring import ESCORT_FROM

SKIPPING_SCHOOL = "0202"
STRUCTURE = Path(__file__).resolve().parents[2] / "obc_pipeline" / "documents" / "templates" / "example_district" / "ci_structure.yml"


def newest(home: Path, source: str) -> list[dict[str, str]]:
    """Rows of the newest file of a source."""
    path = max((home / "landing" / source).rglob("*.csv"), key=lambda path: path.stat().st_mtime)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def actions(clean_district: Path) -> dict[str, dict[str, str]]:
    return {row["action_id"]: row for row in newest(clean_district, "ci_action")}


@pytest.fixture(scope="module")
def visits(clean_district: Path) -> list[dict[str, str]]:
    """The newest row of every Brightpath session and student, in order of time."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for path in sorted((clean_district / "landing" / "sessions_brightpath").glob("*.csv"), key=lambda path: path.stat().st_mtime):
        with path.open(encoding="utf-8", newline="") as file:
            rows.update({(row["session_id"], row["student_id"]): row for row in csv.DictReader(file)})
    return sorted(rows.values(), key=lambda row: (row["student_id"], row["scheduled_start_at"]))


@pytest.fixture(scope="module")
def absent(clean_district: Path) -> set[tuple[str, str]]:
    """Student and ISO date of every all-day absence from school."""
    return {
        (row["Student_Number"], "{2}-{0}-{1}".format(*row["Att_Date"].split("/")))
        for row in newest(clean_district, "sis_attendance")
        if row["Att_Code"] in ("A", "E")
    }


def _skip_rate(visits: list[dict[str, str]], absent: set[tuple[str, str]], at_school: bool, first: date, last: date) -> float:
    counts = Counter(
        row["attendance_status"] == "absent"
        for row in visits
        if row["session_status"] == "completed"
        and (row["school_id"] == SKIPPING_SCHOOL) is at_school
        and f"{first}" <= row["session_date"] <= f"{last}"
        and (row["student_id"], row["session_date"]) not in absent
    )
    return counts[True] / counts.total()


def test_the_action_that_worked_did_and_others_schools_did_not_change(
    actions: dict[str, dict[str, str]], visits: list[dict[str, str]], absent: set[tuple[str, str]]
) -> None:
    action = actions["A-02"]
    assert (action["metric_id"], action["school_id"], action["started_on"]) == ("skip_in_school", SKIPPING_SCHOOL, f"{ESCORT_FROM}")
    before, after = (ESCORT_FROM - timedelta(days=28), ESCORT_FROM - timedelta(days=1)), (ESCORT_FROM, ESCORT_FROM + timedelta(days=27))
    assert _skip_rate(visits, absent, True, *after) < 0.6 * _skip_rate(visits, absent, True, *before)
    assert abs(_skip_rate(visits, absent, False, *after) - _skip_rate(visits, absent, False, *before)) < 0.06


def test_one_action_has_no_metric_and_two_are_too_new(actions: dict[str, dict[str, str]]) -> None:
    assert [action["metric_id"] for action in actions.values()].count("") == 1
    assert actions["A-04"]["started_on"] > "2026-06-03"  # within four weeks of the as-of date
    assert (actions["A-05"]["status"], actions["A-05"]["started_on"]) == ("PLANNED", "")
    assert all(row["due_on"] >= row["raised_on"] for row in actions.values())


def test_meetings_are_two_weeks_apart_but_once_and_agreed_every_action(clean_district: Path, actions: dict[str, dict[str, str]]) -> None:
    rows = newest(clean_district, "ci_meeting")
    groups = {group["workgroup_id"] for group in YAML(typ="safe").load(STRUCTURE.read_text(encoding="utf-8"))["workgroups"]}
    assert {row["workgroup_id"] for row in rows} == groups
    held = sorted(date.fromisoformat(row["held_on"]) for row in rows if row["workgroup_id"] == "district_vendor_coordination")
    gaps = [(later - earlier).days for earlier, later in pairwise(held)]
    assert Counter(gap > 14 for gap in gaps) == {False: len(gaps) - 1, True: 1}
    assert {action["meeting_id"] for action in actions.values()} <= {row["meeting_id"] for row in rows}


def test_illness_is_high_in_the_wave_and_only_then(clean_district: Path) -> None:
    by_week: dict[str, list[float]] = defaultdict(list)
    for row in newest(clean_district, "external_factors"):
        if row["factor_id"] == "ILI-2026":
            by_week[row["starts_on"]].append(float(row["value"]))
    mean = {date.fromisoformat(week): sum(values) / len(values) for week, values in by_week.items()}
    wave = {week: rate for week, rate in mean.items() if ILLNESS_WAVE[0] <= week <= ILLNESS_WAVE[1]}
    assert len(wave) == 2
    assert min(wave.values()) > 3 * max(rate for week, rate in mean.items() if week not in wave)


def test_the_snow_event_is_the_calendars_closure(clean_district: Path) -> None:
    (snow,) = [row for row in newest(clean_district, "external_factors") if row["kind"] == "EVENT"]
    closures = [row["calendar_on"] for row in newest(clean_district, "school_calendar") if row["day_type"] == "CLOSURE"]
    assert (snow["starts_on"], snow["ends_on"], snow["school_id"]) == (min(closures), max(closures), "")


def test_who_was_followed_up_had_missed_three_in_a_row(clean_district: Path, visits: list[dict[str, str]]) -> None:
    turned: dict[str, list[str]] = defaultdict(list)
    for student, mine in groupby((row for row in visits if row["session_status"] == "completed"), key=lambda row: row["student_id"]):
        missed = 0
        for row in mine:
            missed = missed + 1 if row["attendance_status"] == "absent" else 0
            if missed >= 3:
                turned[student].append(row["session_date"])
    followed = newest(clean_district, "ci_follow_up")
    assert len(followed) > 10
    for row in followed:
        week_before = f"{date.fromisoformat(row['followed_up_on']) - timedelta(days=21)}"
        assert any(week_before <= day <= row["followed_up_on"] for day in turned[row["student_id"]]), "not persistently absent"


def test_costs_belong_to_something_and_the_plan_names_every_contract(clean_district: Path) -> None:
    contracts = {path.stem for path in (clean_district / "contracts").glob("*.yml")}
    costs, options = newest(clean_district, "cost"), newest(clean_district, "program_option")
    assert len({row["cost_id"] for row in costs}) == len(costs)
    assert {row["contract_id"] for row in costs} == contracts | {""}
    assert {row["option_id"] for row in costs if not row["contract_id"]} <= {row["option_id"] for row in options}
    assert {row["contract_id"] for row in options} == contracts | {""}
    assert all(float(row["outcome_rate_gain_low"]) <= float(row["outcome_rate_gain_base"]) for row in options)
