"""Which files count: newest arrival is not newest export, and a short snapshot never deletes students by itself."""

from __future__ import annotations

import datetime as dt
import hashlib
import zipfile
from io import BytesIO

from home_with_feeds import NOON, Intake
from hypothesis import given, settings
from hypothesis import strategies as st

from obc_pipeline.intake.evidence import Judged, select_evidence
from obc_pipeline.intake.receive import Delivery
from obc_pipeline.intake.report import ContentReport, FileReport, ScopeReport

FLAGS = "student_id,program,begin_on,end_on\n"


def flags(*numbers: int) -> str:
    return FLAGS + "".join(f"{number:08d},EL,2025-08-11,\n" for number in numbers)


def statuses(intake: Intake) -> list[str]:
    return [file.status for file in intake.run().files]


def test_a_new_snapshot_replaces_the_old_one(intake: Intake) -> None:
    intake.deliver("flags", "flags.csv", flags(*range(100)))
    intake.deliver("flags", "flags.csv", flags(*range(5, 100), 200))
    assert statuses(intake) == ["SUPERSEDED", "CURRENT"]
    assert intake.query("SELECT count(*) FROM lake.program_flags__student_program") == [(96,)]


def test_a_snapshot_that_loses_more_than_the_stated_share_is_held(intake: Intake) -> None:
    intake.deliver("flags", "flags.csv", flags(*range(100)))
    intake.deliver("flags", "flags.csv", flags(*range(89)))
    evidence = intake.run()
    assert [file.status for file in evidence.files] == ["CURRENT", "HELD"]
    assert "89 rows where 100 stood before" in str(evidence.held()[0].reason)
    assert intake.query("SELECT count(*) FROM lake.program_flags__student_program") == [(100,)]


def test_a_snapshot_at_exactly_the_stated_share_is_taken(intake: Intake) -> None:
    intake.deliver("flags", "flags.csv", flags(*range(100)))
    intake.deliver("flags", "flags.csv", flags(*range(90)))
    assert statuses(intake) == ["SUPERSEDED", "CURRENT"]


def test_a_held_file_counts_once_a_person_accepts_its_hash(intake: Intake) -> None:
    intake.deliver("flags", "flags.csv", flags(*range(100)))
    short = flags(*range(10))
    intake.deliver("flags", "flags.csv", short)
    intake.accepted = frozenset({hashlib.sha256(short.encode()).hexdigest()})
    assert statuses(intake) == ["SUPERSEDED", "CURRENT"]


def test_old_content_delivered_again_reverts_nothing(intake: Intake) -> None:
    intake.deliver("flags", "flags.csv", flags(*range(100)))
    intake.deliver("flags", "flags.csv", flags(*range(101)))
    intake.deliver("flags", "flags (2).csv", flags(*range(100)))
    assert statuses(intake) == ["SUPERSEDED", "CURRENT"]
    assert intake.query("SELECT count(*) FROM lake.program_flags__student_program") == [(101,)]


def test_an_earlier_cutoff_sees_what_a_run_on_that_day_saw(intake: Intake) -> None:
    intake.deliver("flags", "flags.csv", flags(*range(100)))
    intake.deliver("flags", "flags.csv", flags(*range(101)))
    intake.run()
    evidence = intake.run(cutoff=NOON)
    assert [file.status for file in evidence.files] == ["CURRENT"]
    assert intake.query("SELECT count(*) FROM lake.program_flags__student_program") == [(100,)]


MAP = "TermName,DistrictName,School_StateID,SchoolName,StudentID,Course,Subject,GrowthMeasureYN,NormsReferenceData,TestType,TestName,TestID,TestStartDate,TestStartTime,TestRITScore,TestStandardError\n"


def map_export(term: str, school: str, students: range, rit: int = 210, day: str = "09/16/2025") -> str:
    return "".join(
        f'"{term}","Cedar Valley School District","","{school}","{n:08d}","Math K-12","Mathematics","TRUE","2025","Survey With Goals","Growth: Math 6+","T{n}","{day}","09:00:00","{rit}","3.1"\n'
        for n in students
    )


def test_a_map_export_replaces_exactly_the_terms_and_schools_it_covers(intake: Intake) -> None:
    fall, winter = "Fall 2025-2026", "Winter 2025-2026"
    intake.deliver("map", "AssessmentResults.csv", MAP + map_export(fall, "Oak", range(20)) + map_export(fall, "Elm", range(20, 40)))
    intake.deliver("map", "AssessmentResults.csv", MAP + map_export(winter, "Oak", range(20), day="01/20/2026"))
    intake.deliver("map", "AssessmentResults.csv", MAP + map_export(fall, "Oak", range(1, 20), rit=215))
    assert statuses(intake) == ["CURRENT", "CURRENT", "CURRENT"]
    found = intake.query(
        "SELECT term_name, school_name, count(*), max(test_rit_score) FROM lake.nwea_map__assessment_results GROUP BY ALL ORDER BY ALL"
    )
    assert found == [(fall, "Elm", 20, 210), (fall, "Oak", 19, 215), (winter, "Oak", 20, 210)]


def test_a_map_export_older_inside_is_held(intake: Intake) -> None:
    fall = "Fall 2025-2026"
    intake.deliver("map", "AssessmentResults.csv", MAP + map_export(fall, "Oak", range(20), day="09/20/2025"))
    intake.deliver("map", "AssessmentResults.csv", MAP + map_export(fall, "Oak", range(20), rit=190, day="09/16/2025"))
    assert statuses(intake) == ["CURRENT", "HELD"]


SESSIONS = "session_id,student_id,tutor_id,session_topic,session_date,scheduled_start_time,scheduled_duration,session_status,attendance_status,session_duration,group_size\n"


def sessions(*rows: tuple[str, int, str, int]) -> str:
    return SESSIONS + "".join(f"{s},{n:08d},T1,math,{day},14:00,30,completed,present,{minutes},3\n" for s, n, day, minutes in rows)


def test_a_late_older_log_that_repeats_no_record_is_taken(intake: Intake) -> None:
    intake.deliver("sessions", "week-5.csv", sessions(("S5", 1, "2025-11-03", 30)))
    intake.deliver("sessions", "week-3.csv", sessions(("S3", 1, "2025-10-20", 30)))
    assert statuses(intake) == ["CURRENT", "CURRENT"]


def test_a_log_older_inside_that_would_overwrite_newer_records_is_held(intake: Intake) -> None:
    intake.deliver("sessions", "to-date.csv", sessions(("S3", 1, "2025-10-20", 30), ("S5", 1, "2025-11-03", 30)))
    intake.deliver("sessions", "week-3.csv", sessions(("S3", 1, "2025-10-20", 10)))
    evidence = intake.run()
    assert [file.status for file in evidence.files] == ["CURRENT", "HELD"]
    assert "1 of its records" in str(evidence.held()[0].reason)


def _zipped(name: str, content: str, when: tuple[int, int, int, int, int, int]) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as container:
        container.writestr(zipfile.ZipInfo(name, when), content)
    return packed.getvalue()


def test_the_time_inside_a_zip_says_which_export_is_newer(intake: Intake) -> None:
    intake.deliver("flags", "monday.zip", _zipped("flags.csv", flags(*range(50)), (2026, 3, 2, 5, 0, 0)))
    intake.deliver("flags", "sunday.zip", _zipped("flags.csv", flags(*range(49)), (2026, 3, 1, 5, 0, 0)))
    evidence = intake.run()
    assert [file.status for file in evidence.files] == ["CURRENT", "HELD"]
    assert "older inside" in str(evidence.held()[0].reason)


# Laws of selection, over random histories of one snapshot source.

contents = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 40), st.integers(1, 28)), min_size=1, max_size=12)


def _judge(history: list[tuple[int, int, int]], cutoff_after: int | None = None) -> tuple[Judged, ...]:
    deliveries, reports = [], {}
    for hour, (identity, rows, day) in enumerate(history):
        sha = f"{identity}-{rows}-{day}"
        deliveries.append(Delivery(f"d{hour}", "flags", "flags.csv", 1, sha, NOON + dt.timedelta(hours=hour)))
        latest = f"2026-01-{day:02d}"
        file = FileReport(
            f"f{sha}",
            "student_program",
            None,
            "flags.csv",
            sha,
            None,
            "READ",
            None,
            rows,
            rows,
            0,
            0,
            latest,
            (ScopeReport("", rows, latest),),
        )
        reports["flags", sha] = ContentReport("flags", sha, "r", None, (file,))
    cutoff = NOON + dt.timedelta(hours=len(history) if cutoff_after is None else cutoff_after)
    return select_evidence(
        deliveries,
        reports,
        {"flags": "program_flags"},
        cutoff=cutoff,
        max_drop_share=0.1,
        accepted_hashes=frozenset(),
        overlap=lambda file, others: 0,
    ).files


@settings(max_examples=200, deadline=None)
@given(contents)
def test_exactly_one_snapshot_counts_and_never_an_older_one_than_before(history: list[tuple[int, int, int]]) -> None:
    latest, rows = "", 0
    for hour in range(len(history)):
        (current,) = [file for file in _judge(history, hour) if file.status == "CURRENT"]
        assert str(current.report.latest_at) >= latest
        assert current.report.accepted >= rows * 0.9
        latest, rows = str(current.report.latest_at), current.report.accepted


@settings(max_examples=100, deadline=None)
@given(contents, st.data())
def test_delivering_old_content_again_changes_nothing(history: list[tuple[int, int, int]], data: st.DataObject) -> None:
    again = data.draw(st.sampled_from(history))
    before = [(file.report.file_id, file.status) for file in _judge(history)]
    after = [(file.report.file_id, file.status) for file in _judge([*history, again])]
    assert before == after
