"""The generated files are what the senders' systems write: headers, quoting, one record per row, columns that agree with each other."""

from __future__ import annotations

import csv
import io
import math
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from obc_pipeline.sources import registry
from obc_pipeline.synthetic import headers, school_year, vendor_files
from obc_pipeline.synthetic.people import make_schools


def texts(landing: Path) -> Iterator[tuple[str, str]]:
    """Every CSV in landing, zipped or plain: name and text."""
    for path in sorted(landing.rglob("*")):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for member in archive.namelist():
                    yield f"{path.relative_to(landing)}!{member}", archive.read(member).decode()
        elif path.is_file():
            yield path.relative_to(landing).as_posix(), path.read_text(encoding="utf-8")


def member_rows(landing: Path, glob: str, member: str) -> Iterator[dict[str, str]]:
    """Rows of a member of the zips that match."""
    for path in sorted(landing.glob(glob)):
        with zipfile.ZipFile(path) as archive, archive.open(member) as packed:
            yield from csv.DictReader(io.TextIOWrapper(packed, encoding="utf-8", newline=""), strict=True)


@pytest.mark.parametrize(
    ("format_name", "table", "ours"),
    [
        ("nwea_map", "assessment_results", headers.NWEA_ASSESSMENT_RESULTS),
        ("nwea_map", "students_by_school", headers.NWEA_STUDENTS_BY_SCHOOL),
        ("renaissance_star", "star_test", headers.STAR),
        ("oneroster", "academic_sessions", headers.ONEROSTER["academicSessions"]),
        ("oneroster", "orgs", headers.ONEROSTER["orgs"]),
        ("oneroster", "courses", headers.ONEROSTER["courses"]),
        ("oneroster", "classes", headers.ONEROSTER["classes"]),
        ("oneroster", "users", headers.ONEROSTER["users"]),
        ("oneroster", "enrollments", headers.ONEROSTER["enrollments"]),
        ("oneroster", "demographics", headers.ONEROSTER["demographics"]),
        ("state_assessment", "canonical_result", headers.STATE_CANONICAL),
        ("tutoring_sessions", "session_student", headers.SESSIONS_FULL),
        ("tutoring_sessions", "session_student", headers.SESSIONS_DATAS),
        ("external_factors", "factor", headers.EXTERNAL_FACTORS),
        ("ci_note", "note", headers.CI_NOTE),
        ("ci_meeting", "meeting", headers.CI_MEETING),
        ("ci_action", "action", headers.CI_ACTION),
        ("ci_follow_up", "follow_up", headers.CI_FOLLOW_UP),
        ("cost", "cost", headers.COST),
        ("program_option", "option", headers.PROGRAM_OPTION),
    ],
)
def test_headers_are_those_of_a_known_version(format_name: str, table: str, ours: tuple[str, ...]) -> None:
    assert ours in {tuple(version) for version in registry()[format_name].table(table).header_versions.values()}


def test_every_record_has_the_fields_of_its_header(clean_district: Path) -> None:
    files = 0
    for name, text in texts(clean_district / "landing"):
        widths = Counter(len(record) for record in csv.reader(io.StringIO(text, newline=""), strict=True))
        assert len(widths) == 1, name
        assert text.endswith("\n"), name
        files += 1
    assert files > 130


def test_ids_keep_their_leading_zeros_and_no_two_students_share_one(clean_district: Path) -> None:
    users = list(member_rows(clean_district / "landing", "oneroster/2026-05-18/*.zip", "users.csv"))
    students = [row for row in users if row["role"] == "student"]
    numbers = [row["identifier"] for row in students]
    assert len(students) == 2_000
    assert len(set(numbers)) == len(numbers) == len({row["sourcedId"] for row in students})
    assert all(len(number) == 8 and number.startswith("00") for number in numbers)


def test_windows_and_service_dates_are_those_of_the_contracts(clean_district: Path) -> None:
    for path in (clean_district / "contracts").glob("*.yml"):
        contract = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        assert (contract["service_start"], contract["service_end"]) == (school_year.SERVICE_START, school_year.SERVICE_END)
        windows = {window["window_id"]: (window["opens_on"], window["closes_on"]) for window in contract["windows"]}
        assert windows == school_year.WINDOWS


def test_exit_ticket_headers_are_those_of_the_item_dictionary(clean_district: Path) -> None:
    sources = YAML(typ="safe").load((clean_district / "data_map.yml").read_text(encoding="utf-8"))["sources"]
    for source, written in (
        ("exit_tickets_brightpath", vendor_files.GOOGLE_FORM_HEADER),
        ("exit_tickets_lumen", vendor_files.QUALTRICS_HEADER),
    ):
        wanted = [*sources[source]["columns"], *(item["header"] for item in sources[source]["items"])]
        assert set(wanted) <= set(written)


def test_attendance_codes_are_those_the_data_map_explains(clean_district: Path) -> None:
    data_map = YAML(typ="safe").load((clean_district / "data_map.yml").read_text(encoding="utf-8"))
    explained = {code["code"] for code in data_map["sources"]["sis_attendance"]["attendance_codes"]}
    newest = max((clean_district / "landing" / "sis_attendance").rglob("*.csv"))
    with newest.open(encoding="utf-8", newline="") as file:
        assert {row["Att_Code"] for row in csv.DictReader(file)} == explained


def test_map_growth_follows_from_the_printed_columns(clean_district: Path) -> None:
    """CGP = round(100 * Phi(CGI)), met = observed >= projected; observed growth is the difference of the two scores."""
    scores: dict[tuple[str, str, str], int] = {}
    checked = 0
    for row in member_rows(clean_district / "landing", "nwea_map/*/*.zip", "AssessmentResults.csv"):
        term = row["TermName"].split()[0]
        if row["GrowthMeasureYN"] == "TRUE":
            assert (row["StudentID"], row["Course"], term) not in scores, "two growth events"
            scores[row["StudentID"], row["Course"], term] = int(row["TestRITScore"])
        for pair, start, end in (
            ("FallToWinter", "Fall", "Winter"),
            ("FallToSpring", "Fall", "Spring"),
            ("WinterToSpring", "Winter", "Spring"),
        ):
            observed = row[f"{pair}ObservedGrowth"]
            if not observed:
                assert not row[f"{pair}ConditionalGrowthPercentile"]
                assert not row[f"{pair}GrowthQuintile"]
                continue
            assert term == end, "growth is printed where the pair ends"
            index = float(row[f"{pair}ConditionalGrowthIndex"])
            assert int(row[f"{pair}ConditionalGrowthPercentile"]) == min(99, max(1, math.floor(50 * (1 + math.erf(index / 2**0.5)) + 0.5)))
            assert row[f"{pair}MetProjectedGrowth"].rstrip("*") == (
                "Yes" if float(observed) >= float(row[f"{pair}ProjectedGrowth"]) else "No"
            )
            assert int(observed) == int(row["TestRITScore"]) - scores[row["StudentID"], row["Course"], start]
            checked += 1
        assert all(not row[f"Typical{pair}Growth"] or pair.startswith(term) for pair in ("FallToSpring", "WinterToSpring", "FallToWinter"))
    assert checked > 3_000


def test_star_tests_keep_their_id_and_deactivations_come_last(clean_district: Path) -> None:
    landing = clean_district / "landing"
    deliveries = [
        {row["AssessmentID"]: row for row in member_rows(landing, f"renaissance_star/{path.name}/*.zip", "SR.csv")}
        for path in sorted((landing / "renaissance_star").glob("20*"))
    ]
    for earlier, later in pairwise(deliveries):
        assert earlier.keys() <= later.keys()
    statuses = [Counter(row["AssessmentStatus"] for row in delivery.values()) for delivery in deliveries]
    assert [counts["Deactivated"] > 0 for counts in statuses] == [False, False, False, True]
    types = Counter(row["AssessmentType"] for row in deliveries[-1].values())
    assert types["Progress Monitoring"] > 100
    same_day = Counter((row["StudentIdentifier"], row["CompletedDateLocal"][:10]) for row in deliveries[-1].values())
    assert max(same_day.values()) > 1


def test_star_spring_growth_is_printed_on_spring_tests_only(clean_district: Path) -> None:
    for row in member_rows(clean_district / "landing", "renaissance_star/2026-06-26/*.zip", "SR.csv"):
        taken = date.fromisoformat(row["CompletedDateLocal"][:10])
        if row["StudentGrowthPercentileFallSpring"]:
            assert taken >= date(2026, 4, 1)
            assert 1 <= int(row["StudentGrowthPercentileFallSpring"]) <= 99


def test_no_session_is_held_on_a_day_without_school(clean_district: Path) -> None:
    landing = clean_district / "landing"
    newest = max((landing / "school_calendar").iterdir())
    with newest.open(encoding="utf-8", newline="") as file:
        calendar = {row["calendar_on"]: row for row in csv.DictReader(file)}
    snow = {day for day, row in calendar.items() if row["day_type"] == "CLOSURE"}
    assert len(snow) == 5
    canceled_for_snow = 0
    for path in (landing / "sessions_brightpath").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["session_status"] == "completed":
                    assert calendar[row["session_date"]]["is_in_session"] == "true"
                canceled_for_snow += row["session_date"] in snow
    assert canceled_for_snow > 0


def test_files_of_a_provider_are_named_by_days_and_arrive_after_them(clean_district: Path) -> None:
    for path in (clean_district / "landing" / "sessions_brightpath").glob("*.csv"):
        last_day = datetime.strptime(path.stem.rsplit("-", 1)[1] + "+0000", "%Y%m%d%z")
        assert path.stat().st_mtime > last_day.timestamp()


def test_ten_thousand_students_go_to_eighteen_schools() -> None:
    schools = make_schools(10_000, seed=1)
    assert [len(schools.of_level(level)) for level in range(3)] == [11, 4, 3]
    assert len(set(schools.school_ids)) == 18
    many = make_schools(200_000, seed=1)
    assert len(set(many.school_ids)) == len(many.school_ids) == len(set(many.names))
