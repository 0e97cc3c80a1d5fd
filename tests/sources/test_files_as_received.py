"""Public sample files, and files with what the field's exports are known to hold, are read by their declarations: through intake, storing nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from obc_pipeline.intake.read import Preflight, preflight
from obc_pipeline.intake.report import FileReport
from obc_pipeline.sources import registry

from .declared import SAMPLES, header_line

DISTRICTS = frozenset(
    {"grand bend isd", "255901", "district one", "100", "denver public schools", "0100001", "cedar valley school district"}
)


@dataclass
class Feed:
    """A source of the data map, as reading sees it."""

    format: str
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = "feed"


def read(path: Path, format_name: str, options: Mapping[str, Any] | None = None) -> tuple[FileReport, Preflight]:
    verdict = preflight(Feed(format_name, options or {}), path, DISTRICTS)
    (report,) = verdict.report.files
    assert report.is_accounted_for()
    return report, verdict


@pytest.mark.parametrize(
    ("path", "format_name", "table", "accepted"),
    [
        ("renaissance_star/SR.sample.csv", "renaissance_star", "star_test", 5),
        ("renaissance_star/SR_Dashboard_Standards_v2.sample.csv", "renaissance_star", "dashboard_standards", 5),
        ("renaissance_star/SR_SkillArea_v1.sample.csv", "renaissance_star", "skill_area", 5),
        ("state_assessment/CMAS.sample.csv", "state_assessment", "cmas_result", 5),
        ("tutoring_sessions/example_session_dataset.first2000.csv", "tutoring_sessions", "session_student", 2000),
        ("oneroster/oneroster_1_1_headers/manifest.csv", "oneroster", "manifest", 17),
        ("oneroster/oneroster_1_1_headers/users.csv", "oneroster", "users", 0),
    ],
)
def test_public_samples_load_whole(path: str, format_name: str, table: str, accepted: int) -> None:
    report, _ = read(SAMPLES / path, format_name)
    assert (report.status, report.table) == ("READ", table)
    assert (report.rows_in, report.accepted) == (accepted, accepted)


def test_the_short_row_of_the_map_sample_is_quarantined_with_its_line() -> None:
    """142 fields under a header of 143: not padded, not lost."""
    report, verdict = read(SAMPLES / "nwea_map/AssessmentResults.sample.csv", "nwea_map")
    assert (report.table, report.rows_in, report.accepted, report.quarantined) == ("assessment_results", 7, 6, 1)
    (row,) = verdict.quarantined
    assert (row["record_number"], row["line_number"]) == (7, 8)
    assert "143" in row["reason"]


def test_students_of_another_district_do_not_pass() -> None:
    report, verdict = read(SAMPLES / "tutoring_sessions/example_student_dataset.first500.csv", "tutoring_sessions")
    assert (report.table, report.rows_in) == ("datas_student", 500)
    with duckdb.connect() as connection:
        path = str(SAMPLES / "tutoring_sessions/example_student_dataset.first500.csv")
        ours = connection.execute("SELECT count(*) FROM read_csv(?, all_varchar=true) WHERE district_id = '0100001'", [path]).fetchone()
    assert ours is not None
    assert report.accepted == ours[0] > 0
    assert {row["rule"] for row in verdict.quarantined} == {"other_district:district_id"}


def record(header: list[str], values: Mapping[str, str]) -> str:
    """A CSV record with the given values under the given header."""
    assert set(values) <= set(header), set(values) - set(header)
    return ",".join('"' + values.get(name, "").replace('"', '""') + '"' for name in header) + "\r\n"


def test_map_as_spreadsheets_and_operators_leave_it(tmp_path: Path) -> None:
    header = header_line(SAMPLES.parent / "headers/nwea_AssessmentResults.current.csv")
    test = {
        "TermName": "Spring 2025-2026", "DistrictName": "Cedar Valley School District", "SchoolName": "Elm School", "StudentID": "00412345",
        "Subject": "Mathematics", "Course": "Math K-12", "GrowthMeasureYN": "true", "NormsReferenceData": "2025",
        "TestType": "Survey With Goals", "TestName": "Growth: Math 6+ TX 2012", "TestStartDate": "4/9/2026", "TestStartTime": "9:00:00 AM",
        "TestRITScore": "213.0", "TestStandardError": "3.40", "TestPercentile": "57.0", "FallToSpringMetProjectedGrowth": "Yes*",
        "FallToSpringObservedGrowth": "-2", "FallToSpringConditionalGrowthPercentile": "73.0", "Goal1Range": "12-Oct", "Goal1Adjective": "*",
    }  # fmt: skip
    path = tmp_path / "ComboStudentAssessment (1).csv"
    path.write_text(
        "\ufeff" + ",".join(header) + "\r\n" + record(header, test) + record(header, {**test, "StudentID": "4.12E+05"}), newline=""
    )
    report, verdict = read(path, "nwea_map")
    assert (report.table, report.accepted, report.quarantined) == ("assessment_results", 1, 1)
    assert [row["rule"] for row in verdict.quarantined] == ["excel_id:student_id"]


def test_star_as_the_field_has_it(tmp_path: Path) -> None:
    header = ["AssessmentID", "SchoolYear", "StudentIdentifier", "CompletedDate", "CompletedDateLocal", "GradeEquivalent", "UnifiedScore"]
    header += ["StudentGrowthPercentileFallSpring", "BirthDate", "ScreeningWindowStartDate", "DistrictName"]
    rows = [
        "a-1,2025-2026,00412345,2026-04-22T02:07:55.097Z,2026-04-21T21:07:55Z,>12.9,1012,7.0,00:00.0,2026-04-15T00:00:00Z,District One",
        "a-2,2025-2026,A0412345,2026-04-22T02:07:55Z,2026-04-21T21:07:55.097Z,< 1,1012.0,,,,District One",
        "a-3,2025-2026,,2026-04-22,2026-04-21,0.0,,99,2014-01-01T00:00:00Z,4/15/2026,District One",
    ]
    path = tmp_path / "SEL_v2.csv"
    path.write_text("\n".join([",".join(header), *rows]) + "\n")
    report, _ = read(path, "renaissance_star")
    assert (report.table, report.accepted, report.quarantined) == ("star_test", 3, 0)


ITEMS = [
    {"item_code": "EFFIC_1", "header": "How sure are you, from 1 to 7?"},
    {"item_code": "OPEN_1", "header": "Anything else?", "is_free_text": True},
]
GOOGLE = {"preset": "google_forms", "form_version": "1", "items": ITEMS, "columns": {"Student number": "student_id"}}


@pytest.mark.parametrize(
    "moment", ["9/5/2023 15:21:45", "2023/09/05 3:21:45 PM EST", "2023/09/05 11:21:45 AM GMT-4", "2023-09-05 15:21:45"]
)
def test_google_forms_writes_its_times_in_several_ways(tmp_path: Path, moment: str) -> None:
    path = tmp_path / "Exit ticket (Responses).csv"
    path.write_text(
        'Timestamp,Student number,"How sure are you, from 1 to 7?",Anything else?\n'
        f'{moment},00412345,5,"it was ""fun"",\n\u2b50\u2b50"\n{moment},,3,\n', encoding="utf-8"
    )  # fmt: skip
    report, verdict = read(path, "exit_tickets", GOOGLE)
    assert (report.accepted, report.quarantined) == (2, 0), verdict.quarantined


def test_qualtrics_headers_are_skipped_and_a_cleaned_export_is_refused(tmp_path: Path) -> None:
    names = "StartDate,Status,Finished,RecordedDate,ResponseId,student_number,Q1,Q2\n"
    texts = 'Start Date,Response Type,Finished,Recorded Date,Response ID,student_number,"How sure\nare you?",Anything else?\n'
    ids = ",".join(f'"{{""ImportId"":""{name}""}}"' for name in ["a", "b", "c", "d", "e", "f", "g", "h"]) + "\n"
    rows = "2025-11-03 09:58:00,IP Address,True,2025-11-03 10:01:00,R_1,00412345,5,\n2025-11-03 09:58:00,Survey Preview,1,2025-11-03 10:02:00,R_2,,3,x\n"
    options = {"preset": "qualtrics", "items": [{**ITEMS[0], "header": "Q1"}, {**ITEMS[1], "header": "Q2"}]}
    options["columns"] = {"student_number": "student_id"}
    whole = tmp_path / "whole.csv"
    whole.write_text(names + texts + ids + rows)
    report, _ = read(whole, "exit_tickets", options)
    assert (report.status, report.rows_in, report.accepted) == ("READ", 2, 2)
    cleaned = tmp_path / "cleaned.csv"
    cleaned.write_text(names + rows)
    report, _ = read(cleaned, "exit_tickets", options)
    assert (report.status, report.rows_in, report.quarantined) == ("REFUSED", 2, 2)
    assert "header_rows" in (report.reason or "")
    report, _ = read(cleaned, "exit_tickets", {**options, "header_rows": 1})
    assert (report.status, report.accepted) == ("READ", 2)


def test_attendance_by_tab_covers_its_school_year(tmp_path: Path) -> None:
    path = tmp_path / "attendance.text"
    path.write_text(
        "Student_Number\tSchoolID\tAtt_Date\tAtt_Code\tPresence_Status_CD\n00412345\t101\t01/07/2026\tA\tAbsent\n00412345\t101\t8/20/2025\t\tPresent\n"
    )
    report, _ = read(path, "sis_attendance", {"preset": "powerschool"})
    assert (report.accepted, report.quarantined) == (2, 0)
    assert [scope.scope for scope in report.scopes] == ["2025-2026"]


def test_sessions_without_ids_are_named_by_their_moment(tmp_path: Path) -> None:
    """Two sessions of one day differ by their time only; the same row twice is one session."""
    path = tmp_path / "sessions.csv"
    header = ",".join(registry()["tutoring_sessions"].table("session_student").header_versions["datas"])
    morning, noon = "00412345,math,2026-01-20 09:00:00,30,1:3,T1\n", "00412345,math,2026-01-20 12:00:00,30,1:3,T1\n"
    path.write_text(header + "\n" + morning + noon + morning)
    report, _ = read(path, "tutoring_sessions")
    assert (report.accepted, report.duplicate) == (2, 1)


def test_a_session_without_id_and_moment_has_no_name(tmp_path: Path) -> None:
    path = tmp_path / "sessions.csv"
    path.write_text(
        "session_id,student_id,tutor_id,session_topic,session_date,session_duration\n,00412345,T1,math,,30\nS1,00412345,T1,math,2026-01-20,30\n"
    )
    report, verdict = read(path, "tutoring_sessions")
    assert (report.accepted, report.quarantined) == (1, 1)
    assert [row["rule"] for row in verdict.quarantined] == ["missing:session_on"]
