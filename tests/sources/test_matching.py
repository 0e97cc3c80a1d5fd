"""Headers are matched by name: every known version, in any order and case; and a header that is not taken says what would be right."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obc_pipeline.sources import Format, registry
from obc_pipeline.sources.declaration import normalise_header, snake_case
from obc_pipeline.sources.matching import Match, Mismatch, header_rows_problem, match_header

from .declared import HEADERS, SAMPLES, every_version, header_line, name_for

FILES = {
    "nwea_AssessmentResults.2012-2014.csv": ("nwea_map", "assessment_results", "2012-2014"),
    "nwea_AssessmentResults.current.csv": ("nwea_map", "assessment_results", "current"),
    "nwea_ComboStudentAssessment.2016.csv": ("nwea_map", "combo_student_assessment", "2016"),
    "nwea_ComboStudentAssessment.current.csv": ("nwea_map", "combo_student_assessment", "current"),
    "nwea_StudentsBySchool.2012-2014.csv": ("nwea_map", "students_by_school", "2012-2014"),
    "nwea_StudentsBySchool.current_inferred_order.csv": ("nwea_map", "students_by_school", "current"),
    "star_SR.csv": ("renaissance_star", "star_test", "SR"),
    "star_SR_Dashboard_Standards_v2.csv": ("renaissance_star", "dashboard_standards", "v2"),
    "star_SR_SkillArea_v1.csv": ("renaissance_star", "skill_area", "v1"),
    "state_CMAS.csv": ("state_assessment", "cmas_result", "CMAS"),
    **{
        f"oneroster_{version}_{member}.csv": ("oneroster", snake_case(member), "1.1 and 1.2")
        for version in ("1.1", "1.2")
        for member in ("academicSessions", "classes", "courses", "demographics", "enrollments", "orgs")
    },
    "oneroster_1.1_users.csv": ("oneroster", "users", "1.1"),
    "oneroster_1.2_users.csv": ("oneroster", "users", "1.2"),
    "oneroster_1.2_roles.csv": ("oneroster", "roles", "1.2"),
}
VERSIONS = [pytest.param(*case, id=f"{case[0].name}.{case[1].name}.{case[2]}") for case in every_version()]


def matched(format_name: str, header: list[str] | tuple[str, ...], options: dict | None = None, name: str = "") -> Match:
    format_ = registry()[format_name]
    found = match_header(format_, name or name_for(format_), header, options or {})
    assert isinstance(found, Match), str(found)
    return found


def refused(format_name: str, header: list[str] | tuple[str, ...], options: dict | None = None, name: str = "") -> Mismatch:
    format_ = registry()[format_name]
    found = match_header(format_, name or name_for(format_), header, options or {})
    assert isinstance(found, Mismatch), found.table.name
    return found


@pytest.mark.parametrize(("file", "expected"), FILES.items(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_known_header_maps_completely_by_name(file: str, expected: tuple[str, str, str]) -> None:
    header = header_line(HEADERS / file)
    format_name, table_name, version = expected
    match = matched(format_name, header, name=file.split("_", 1)[1])
    assert (match.table.name, match.layout) == (table_name, version)
    assert match.extras == {}
    assert len(match.columns) + len(match.left_out) == len(header)
    assert match.notes == ()


def test_every_header_file_is_accounted_for() -> None:
    """A header file is one we read, one declared as deliberately not read, or one of a table not taken in."""
    ignored = {"state_CMAS_Growth.csv"}
    ignored |= {path.name for path in HEADERS.glob("oneroster_1.2_*.csv") if path.name not in FILES}
    assert {path.name for path in HEADERS.glob("*.csv")} == set(FILES) | ignored


@pytest.mark.parametrize("path", sorted(p for p in HEADERS.glob("oneroster_1.2_*.csv") if p.name not in FILES), ids=lambda path: path.name)
def test_oneroster_files_not_read_are_taken_for_none_that_is(path) -> None:
    assert isinstance(match_header(registry()["oneroster"], path.name, header_line(path), {}), Mismatch)


@pytest.mark.parametrize(("format_", "table", "version", "header"), VERSIONS)
def test_order_and_case_do_not_matter(format_: Format, table, version: str, header: tuple[str, ...]) -> None:
    as_declared = {header[position]: name for position, name in matched(format_.name, header).columns.items()}
    shuffled = list(header)
    random.Random(7).shuffle(shuffled)
    for variant in (
        shuffled,
        [name.lower() for name in header],
        [f" {name.upper()} " for name in header],
        ["\ufeff" + header[0], *header[1:]],
    ):
        match = matched(format_.name, variant)
        assert match.table.name == table.name
        again = {normalise_header(variant[position]): name for position, name in match.columns.items()}
        assert again == {normalise_header(name): column for name, column in as_declared.items()}


@settings(max_examples=120, deadline=None)
@given(
    case=st.sampled_from(every_version()),
    draw=st.randoms(use_true_random=False),
    extra=st.lists(st.from_regex(r"zz[a-z]{3,9}", fullmatch=True)),
)
def test_mapping_is_injective_and_whole(case, draw, extra: list[str]) -> None:
    """Whatever subset, order and additions: every field goes to exactly one place, and no column is filled twice."""
    format_, _, _, header = case
    sent = [name for name in header if draw.random() < 0.9] + extra
    draw.shuffle(sent)
    match = match_header(format_, name_for(format_), sent, {})
    if isinstance(match, Mismatch):
        return
    assert len(set(match.columns.values())) == len(match.columns)
    places = [*match.columns, *match.gathered, *match.extras, *match.left_out]
    assert sorted(places) == list(range(len(sent)))
    positions = match.positions
    assert all(match.columns[position] in (name, match.table.column(name).same_as) for name, position in positions.items())


@pytest.mark.parametrize(
    ("folder", "format_name", "expected"),
    [
        ("nwea_map", "nwea_map", {"AssessmentResults.sample.csv": "assessment_results"}),
        (
            "renaissance_star",
            "renaissance_star",
            {
                "SR.sample.csv": "star_test",
                "SR_Dashboard_Standards_v2.sample.csv": "dashboard_standards",
                "SR_SkillArea_v1.sample.csv": "skill_area",
            },
        ),
        (
            "oneroster/oneroster_1_1_headers",
            "oneroster",
            {
                "academicSessions.csv": "academic_sessions",
                "classes.csv": "classes",
                "courses.csv": "courses",
                "demographics.csv": "demographics",
                "enrollments.csv": "enrollments",
                "manifest.csv": "manifest",
                "orgs.csv": "orgs",
                "users.csv": "users",
            },
        ),
        (
            "tutoring_sessions",
            "tutoring_sessions",
            {
                "example_session_dataset.first2000.csv": "session_student",
                "session_template_header.csv": "session_student",
                "example_student_dataset.first500.csv": "datas_student",
                "student_template_header.csv": "datas_student",
            },
        ),
        ("state_assessment", "state_assessment", {"CMAS.sample.csv": "cmas_result"}),
    ],
)
def test_sample_files_are_exactly_one_table_of_their_format(folder: str, format_name: str, expected: dict[str, str]) -> None:
    """By their own names, and again under a name that says nothing."""
    format_ = registry()[format_name]
    for file, table_name in expected.items():
        header = header_line(SAMPLES / folder / file)
        for name in (file, name_for(format_)):
            match = match_header(format_, name, header, {})
            assert isinstance(match, Match), f"{file}: {match}"
            assert match.table.name == table_name


@pytest.mark.parametrize(
    "file",
    [
        "EOCEP.csv",
        "ILEARN.csv",
        "ILEARN_checkpoint.csv",
        "SC_READY.csv",
        "STAAR_Interim.csv",
        "STAAR_Summative.csv",
        "STAAR_Summative_fixedwidth.txt",
        "WI_Forward.csv",
        "Missouri_MAP.txt",
    ],
)
def test_other_states_are_refused_with_a_reason(file: str) -> None:
    path = (SAMPLES / "state_assessment" / file).with_suffix(f".sample{file[-4:]}")
    found = refused("state_assessment", header_line(path), name=path.name)
    assert found.reason in {"unknown_table", "no_header"}


# ---- versions and variants -----------------------------------------------------------------------------------------------


def test_old_map_headers_fill_the_current_columns() -> None:
    match = matched("nwea_map", header_line(HEADERS / "nwea_AssessmentResults.2012-2014.csv"))
    header = header_line(HEADERS / "nwea_AssessmentResults.2012-2014.csv")
    old = {header[position]: name for position, name in match.columns.items()}
    assert old["MeasurementScale"] == "course"
    assert old["Discipline"] == "subject"
    assert (old["RITtoReadingScore"], old["RITtoReadingMin"], old["RITtoReadingMax"]) == ("lexile_score", "lexile_min", "lexile_max")
    assert old["ProjectedProficiency"] == "projected_proficiency_level1"
    assert {"norms_reference_data", "fall_to_spring_conditional_growth_percentile"} <= set(match.absent)


def test_the_mixed_casing_of_map_growth_columns_is_one_column() -> None:
    header = [name.replace("FallToFallObserved", "FalltoFallObserved").replace("WinterToWinterGrowth", "WintertoWinterGrowth")
              for name in header_line(HEADERS / "nwea_ComboStudentAssessment.current.csv")]  # fmt: skip
    match = matched("nwea_map", header)
    assert {"fall_to_fall_observed_growth", "typical_winter_to_winter_growth"} <= set(match.columns.values())
    assert match.extras == {}


@pytest.mark.parametrize(
    ("name", "product"),
    [
        ("SR.csv", "SR"), ("sr.csv", "SR"), ("SM_v2.csv", "SM"), ("SEL.csv", "SEL"), ("SRS2.csv", "SRS2"), ("SMS_v2.csv", "SMS"), ("SELS.csv", "SELS"),
        ("nightly/2025/SRS.csv", "SRS"), ("SR (1).csv", "SR"), ("SM_20260421.csv", "SM"), ("SR.sample.csv", "SR"),
    ],
)  # fmt: skip
def test_star_subject_comes_from_the_file_name(name: str, product: str) -> None:
    format_ = registry()["renaissance_star"]
    match = match_header(format_, name, header_line(HEADERS / "star_SR.csv"), {})
    assert isinstance(match, Match)
    assert match.constants(name, {}) == match.filled == {"product": product}


def test_star_without_a_telling_name_is_refused_unless_the_source_says_it() -> None:
    format_ = registry()["renaissance_star"]
    header = header_line(HEADERS / "star_SR.csv")
    found = match_header(format_, "Historical Extract.csv", header, {})
    assert isinstance(found, Mismatch)
    assert found.reason == "missing_constant"
    assert "product" in found.message
    match = match_header(format_, "Historical Extract.csv", header, {"product": "SM"})
    assert isinstance(match, Match)
    assert match.filled == {"product": "SM"}


def test_star_subset_with_extras_is_read() -> None:
    header = ["AssessmentID", "SchoolYear", "StudentIdentifier", "CompletedDate", "UnifiedScore", "CurrentSGP", "BrandNewColumn"]
    match = matched("renaissance_star", header, name="SR.csv")
    assert match.extras == {6: "BrandNewColumn"}
    assert "BrandNewColumn" in match.notes[0]


def test_oneroster_spellings_in_the_wild() -> None:
    match = matched(
        "oneroster", ["userSourcedId", "birthdate", "sex", "asian", "nativeAmericanOrOtherPacificIslander"], name="demographics.csv"
    )
    assert list(match.columns.values()) == ["sourced_id", "birth_date", "sex", "asian", "native_hawaiian_or_other_pacific_islander"]
    match = matched("oneroster", ["sourcedId", "status", "role", "userId", "givenName", "familyName", "identifier", "agents", "grade"])
    assert match.table.name == "users"
    assert {"user_ids", "agent_sourced_ids", "grades"} <= set(match.columns.values())


def test_oneroster_manifest_says_bulk_delta_or_absent() -> None:
    load_kind = registry()["oneroster"].load_kind
    assert load_kind is not None
    said = {"file.users": "delta", "file.academicSessions": "Bulk", "file.demographics": "absent"}
    assert [load_kind(said, name) for name in ("users", "academic_sessions", "demographics", "orgs")] == ["delta", "bulk", "absent", "bulk"]


@pytest.mark.parametrize(
    ("preset", "header", "expected"),
    [
        (
            "powerschool",
            ["Student_Number", "StudentID", "SchoolID", "Att_Date", "Att_Code", "Presence_Status_CD", "Total_Minutes"],
            ["student_id", "source_student_id", "school_id", "attendance_on", "code", "status_raw", "minutes_recorded"],
        ),
        (
            "infinite_campus",
            ["personID", "stateID", "studentNumber", "calendarID", "periodName", "date", "status", "excuse", "code"],
            [
                "source_student_id",
                "student_state_id",
                "student_id",
                "calendar_id",
                "period",
                "attendance_on",
                "status_raw",
                "excuse_raw",
                "code",
            ],
        ),
        (
            "edfi",
            [
                "studentReference.studentUniqueId",
                "schoolReference.schoolId",
                "eventDate",
                "attendanceEventCategoryDescriptor",
                "eventDuration",
            ],
            ["student_id", "school_id", "attendance_on", "code", "absent_share"],
        ),
    ],
)
def test_attendance_presets(preset: str, header: list[str], expected: list[str]) -> None:
    """With the preset named, and found by itself. PowerSchool's StudentID is an inner number, never the student number."""
    for options in ({"preset": preset}, {}):
        match = matched("sis_attendance", header, options)
        assert list(match.columns.values()) == expected
        assert match.layout == preset


def test_a_sources_own_column_map_goes_before_the_preset() -> None:
    options = {"preset": "powerschool", "columns": {"Total_Minutes": "minutes_absent", "Perm ID": "student_id"}}
    match = matched("sis_attendance", ["Perm ID", "Att_Date", "Att_Code", "Total_Minutes"], options)
    assert list(match.columns.values()) == ["student_id", "attendance_on", "code", "minutes_absent"]


def test_a_column_map_to_no_column_is_named() -> None:
    found = refused("sis_attendance", ["Perm ID", "Att_Date", "Att_Code"], {"preset": "powerschool", "columns": {"Perm ID": "pupil_id"}})
    assert found.reason == "bad_column_map"
    assert "pupil_id" in found.message


def test_session_layout_is_decided_by_the_header() -> None:
    sessions = registry()["tutoring_sessions"].table("session_student")
    datas = matched("tutoring_sessions", sessions.header_versions["datas"])
    full = matched("tutoring_sessions", sessions.header_versions["full"], {"layout": "full"})
    assert datas.filled == {"layout": "datas"}
    assert full.filled == {"layout": "full"}
    assert datas.positions["session_at"] == datas.positions["session_on"]
    promised = matched("tutoring_sessions", sessions.header_versions["datas"], {"layout": "full"})
    assert promised.filled == {"layout": "datas"}
    assert "layout full" in promised.notes[0]


def test_two_names_of_one_column_the_newer_is_read_and_the_other_kept() -> None:
    match = matched("nwea_map", [*registry()["nwea_map"].table("assessment_results").header_versions["current"], "MeasurementScale"])
    assert match.extras == {143: "MeasurementScale"}
    assert match.columns[match.positions["course"]] == "course"


def test_a_misleading_file_name_gives_way_to_the_header() -> None:
    match = matched("nwea_map", header_line(HEADERS / "nwea_AssessmentResults.current.csv"), name="StudentsBySchool (1).csv")
    assert match.table.name == "assessment_results"
    assert "name suggests another table" in match.notes[0]


def test_unknown_columns_with_names_and_contacts_stay_in_the_archive() -> None:
    sessions = [*registry()["tutoring_sessions"].table("session_student").header_versions["datas"]]
    sent = [*sessions, "Student Name", "student_first_name", "Parent Email", "Tutor name", "DOB", "tutor_comments", "room", "school_name"]
    match = matched("tutoring_sessions", sent)
    assert match.extras == {12: "room", 13: "school_name"}
    assert set(match.left_out) == set(range(6, 12))


# ---- exit tickets --------------------------------------------------------------------------------------------------------

GOOGLE = {
    "preset": "google_forms",
    "form_version": "2025-08",
    "columns": {"Timestamp": "submitted_at", "Student number": "student_id"},
    "items": [
        {"item_code": "EFFIC_1", "header": "How sure are you, really?"},
        {"item_code": "OPEN_1", "header": "Anything else?", "is_free_text": True},
    ],
}


def test_questions_are_gathered_by_code_and_free_text_apart() -> None:
    header = ["Timestamp", "Email Address", "Student number", "How sure are you, really?", "Anything else?", "Points - Anything else?"]
    match = matched("exit_tickets", header, GOOGLE)
    assert match.gathered == {3: ("answers", "EFFIC_1"), 4: ("free_text", "OPEN_1")}
    assert match.columns == {0: "submitted_at", 1: "respondent_email", 2: "student_id"}
    assert match.left_out == (5,)
    assert match.filled == {"form_version": "2025-08", "language": None}
    assert match.header_rows == 1


def test_an_edited_question_refuses_the_file_and_names_the_one_it_resembles() -> None:
    found = refused("exit_tickets", ["Timestamp", "Student number", "How sure are you really now?", "Anything else?"], GOOGLE)
    assert found.reason == "unknown_headers"
    assert found.unknown == (2,)
    assert found.suggestions == {"How sure are you really now?": "How sure are you, really?"}
    assert "`items`" in found.message
    options = {**GOOGLE, "ignore_headers": ["How sure are you really now?"]}
    assert matched("exit_tickets", ["Timestamp", "Student number", "How sure are you really now?", "Anything else?"], options).left_out == (
        2,
    )


QUALTRICS = {"preset": "qualtrics", "items": [{"item_code": "IDENT_1", "header": "Q1"}]}
QUALTRICS_ROWS = [
    ["StartDate", "Status", "Finished", "RecordedDate", "ResponseId", "Q1"],
    ["Start Date", "Response Type", "Finished", "Recorded Date", "Response ID", "How did it go, and why?"],
    [
        '{"ImportId":"startDate"}',
        '{"ImportId":"status"}',
        '{"ImportId":"finished"}',
        '{"ImportId":"recordedDate"}',
        '{"ImportId":"_recordId"}',
        "x",
    ],
]


def test_qualtrics_has_three_header_rows_and_data_is_not_taken_for_one() -> None:
    match = matched("exit_tickets", QUALTRICS_ROWS[0], QUALTRICS)
    assert (match.layout, match.header_rows) == ("qualtrics", 3)
    assert header_rows_problem(match, QUALTRICS_ROWS) is None
    cleaned = [QUALTRICS_ROWS[0], ["2025-11-01", "0", "1", "2025-11-01 10:00:00", "R_1", "4"], ["2025-11-02", "0", "1", "x", "R_2", "5"]]
    problem = header_rows_problem(match, cleaned)
    assert problem is not None
    assert problem.reason == "header_rows"
    assert "R_2" not in problem.message
    assert header_rows_problem(match, cleaned[:2]) is not None
    single = matched("exit_tickets", QUALTRICS_ROWS[0], {**QUALTRICS, "header_rows": 1})
    assert header_rows_problem(single, cleaned[:1]) is None


def test_qualtrics_is_found_without_a_preset() -> None:
    match = matched("exit_tickets", QUALTRICS_ROWS[0], {"items": QUALTRICS["items"]})
    assert (match.layout, match.header_rows) == ("qualtrics", 3)


# ---- what is not taken ---------------------------------------------------------------------------------------------------


def test_an_empty_header() -> None:
    assert refused("nwea_map", []).reason == "empty_header"
    assert refused("nwea_map", ["", " "]).reason == "empty_header"


def test_a_missing_column_is_named_with_what_resembles_it() -> None:
    header = ["Student_ID#" if name == "StudentID" else name for name in header_line(HEADERS / "nwea_AssessmentResults.current.csv")]
    assert matched("nwea_map", header).positions["student_id"] == 5
    header[5] = "StudentIDs"
    found = refused("nwea_map", header, name="AssessmentResults.csv")
    assert (found.reason, found.missing) == ("missing_headers", ("StudentID",))
    assert found.suggestions == {"StudentID": "StudentIDs"}
    assert "'StudentIDs' resembles StudentID" in found.message


def test_what_the_sender_calls_a_missing_column_is_what_is_said() -> None:
    found = refused("sis_attendance", ["Student_Number", "Att_Code"], {"preset": "powerschool"})
    assert found.missing == ("Att_Date",)


def test_a_repeated_header_is_refused() -> None:
    header = [*header_line(HEADERS / "nwea_StudentsBySchool.2012-2014.csv"), "Student_ID"]
    assert refused("nwea_map", header).reason == "repeated_headers"


def test_a_quote_opened_in_the_header_and_never_closed_shows_nothing_of_what_it_swallowed() -> None:
    """The whole file is then one field of the header."""
    swallowed = "TestRITScore\n00412345,Fall 2025-2026,Elm School,213\n"
    header = header_line(HEADERS / "nwea_AssessmentResults.current.csv")
    for sent in ([swallowed], [*header, swallowed], [*header[:20], ",".join(header[20:]) + swallowed]):
        found = refused("nwea_map", sent)
        assert found.reason == "broken_header"
        assert "00412345" not in found.message
    long = refused("nwea_map", [*header, "00412345" * 20_000])
    assert long.reason == "broken_header"
    assert len(long.message) < 300


@pytest.mark.parametrize(("delimiter", "word"), [(";", "semicolon"), ("\t", "tab"), ("|", "vertical bar")])
def test_a_wrong_delimiter_is_named(delimiter: str, word: str) -> None:
    for file in ("nwea_AssessmentResults.current.csv", "nwea_StudentsBySchool.2012-2014.csv"):
        found = refused("nwea_map", [delimiter.join(header_line(HEADERS / file))])
        assert (found.reason, found.delimiter) == ("wrong_delimiter", delimiter)
        assert word in found.message


def test_questions_with_commas_in_a_tab_file_are_a_wrong_delimiter_too() -> None:
    line = "Timestamp\tStudent number\tHow sure are you, really?\tAnything else?"
    found = refused("exit_tickets", line.split(","), GOOGLE)
    assert (found.reason, found.delimiter) == ("wrong_delimiter", "\t")


def test_an_expected_delimiter_with_a_bad_header_says_what_is_bad() -> None:
    found = refused("sis_attendance", ["Student_Number\tSchoolID\tAtt_Code"], {"preset": "powerschool"})
    assert (found.reason, found.missing, found.delimiter) == ("missing_headers", ("Att_Date",), "\t")


@settings(max_examples=60, deadline=None)
@given(
    format_name=st.sampled_from(sorted(registry())),
    record=st.lists(
        st.from_regex(r"[0-9]{5,8}|[A-Z][a-z]{4,9}, [A-Z][a-z]{4,9}|20[0-9]{2}-0[1-9]-1[0-9]", fullmatch=True), min_size=3, max_size=30
    ),
)
def test_a_record_in_place_of_the_header_is_never_repeated(format_name: str, record: list[str]) -> None:
    """The first line of a file without header is a student's record: none of it may stand in a message."""
    found = refused(format_name, record)
    for value in record:
        assert value not in found.message
    assert not found.suggestions
