"""NWEA MAP Growth: the Comprehensive Data File (several CSVs in a zip) and the Combined Data File; headers of 2012-14, 2016 and now.

The files carry the same names at every download, so term, school and norms year come from inside. Growth columns are filled only for
pairs that end in the exported term; a term's re-export under other norms changes percentiles of the same test. That is why a file
replaces term x school x norms and nothing else.
"""

from __future__ import annotations

from obc_pipeline.sources.declaration import Column, Format, Table

_PAIRS = ("FallToFall", "FallToWinter", "FallToSpring", "WinterToWinter", "WinterToSpring", "SpringToSpring")
_DATES = ("%m/%d/%Y", "%Y-%m-%d")


def _words(pair: str) -> str:
    begin, end = pair.split("To")
    return f"from {begin.lower()} to {end.lower()}"


def _growth(pair: str) -> tuple[Column, ...]:
    span = _words(pair)
    return (
        Column.of(f"{pair}ProjectedGrowth", "decimal", f"RIT points the norms project {span}."),
        Column.of(f"{pair}ObservedGrowth", "decimal", f"RIT points gained {span}; may be negative."),
        Column.of(f"{pair}ObservedGrowthSE", "decimal", f"Standard error of the RIT points gained {span}."),
        Column.of(
            f"{pair}MetProjectedGrowth", "text", f"Yes, No, Yes* or No* {span}; the asterisk says the standard error leaves it in doubt."
        ),
        Column.of(f"{pair}ConditionalGrowthIndex", "decimal", f"Growth {span} against students with the same start, as a z-score (CGI)."),
        Column.of(f"{pair}ConditionalGrowthPercentile", "integer", f"Growth {span} against students with the same start, 1-99 (CGP)."),
        Column.of(f"{pair}GrowthQuintile", "text", f"Quintile of growth {span}: Low, LoAvg, Avg, HiAvg, High."),
    )


def _goal(number: int) -> tuple[Column, ...]:
    return (
        Column.of(f"Goal{number}Name", "text", f"Name of goal area {number}."),
        Column.of(f"Goal{number}RitScore", "integer", f"RIT score in goal area {number}."),
        Column.of(f"Goal{number}StdErr", "decimal", f"Standard error of goal area {number}, RIT points."),
        Column.of(
            f"Goal{number}Range", "text", f"RIT range of goal area {number}, such as 195-207; spreadsheets may have turned it into a date."
        ),
        Column.of(f"Goal{number}Adjective", "text", f"Quintile word of goal area {number}, or * when it cannot be computed."),
    )


def _weeks(kind: str, words: str) -> tuple[Column, ...]:
    return tuple(
        Column.of(f"WI{kind}AY{season}", "integer", f"Weeks of instruction before the {season.lower()} test, {words}.")
        for season in ("Fall", "Winter", "Spring")
    )


def _study(number: int) -> tuple[Column, ...]:
    level_aliases = ("ProjectedProficiency",) if number == 1 else ()
    return (
        Column.of(f"ProjectedProficiencyStudy{number}", "text", f"Linking study {number} that projects a state level."),
        Column.of(f"ProjectedProficiencyLevel{number}", "text", f"Level that linking study {number} projects.", *level_aliases),
    )


_TERM = Column.of(
    "TermName",
    "text",
    "Testing term, such as `Fall 2025-2026`: first word the season, last four digits the end of the school year.",
    is_header_required=True,
    is_value_required=True,
)
_DISTRICT = (
    Column.of("DistrictName", "text", "District's name as set up at the vendor."),
    Column.of("District_StateID", "id", "District's state code."),
)
_SCHOOL_NAME = Column.of(
    "SchoolName",
    "text",
    "School of the test record; a name, not a key.",
    is_header_required=True,
    is_value_required=True,
)
_SCHOOL_STATE_ID = Column.of("School_StateID", "id", "School's state code; may be blank.")
_STUDENT_ID = Column.of(
    "StudentID",
    "id",
    "District's student id, leading zeros kept.",
    is_header_required=True,
    is_value_required=True,
)
_STUDENT_STATE_ID = Column.of("Student_StateID", "id", "State's student id; may be blank.")
_COURSE = (
    Column.of("Subject", "text", "Mathematics, Language Arts, Science; Language Arts covers two courses.", "Discipline"),
    Column.of(
        "Course",
        "text",
        "Course of the test, such as Math K-12 or Reading; tells Reading from Language Usage.",
        "MeasurementScale",
        is_header_required=True,
        is_value_required=True,
    ),
)
_GROWTH_FLAG = Column.of(
    "GrowthMeasureYN", "boolean", "TRUE on the one test of a student, term and subject that counts for growth; may be blank."
)
_TEST_ID = Column.of("TestID", "id", "Vendor's id of the test event; blank in some rows, and not unique across students in all exports.")
_ACCOMMODATIONS = (
    Column.of("AccommodationCategories", "text", "Categories of accommodations used, a list.", "AccommodationCategory"),
    Column.of("Accommodations", "text", "Accommodations used, a list."),
)
_DEMOGRAPHICS = (
    Column.of("StudentLastName", "text", "Family name.", privacy="restricted"),
    Column.of("StudentFirstName", "text", "Given name.", privacy="restricted"),
    Column.of("StudentMI", "text", "Middle initial.", privacy="restricted"),
    _STUDENT_ID,
    _STUDENT_STATE_ID,
    Column.of("StudentDateOfBirth", "text", "Birth date; not needed, archive only.", privacy="drop"),
    Column.of("StudentEthnicGroup", "text", "Ethnic group in the district's words."),
    Column.of("NWEAStandard_EthnicGroup", "text", "Ethnic group in the vendor's categories."),
    Column.of("StudentGender", "text", "Gender as sent."),
    Column.of("Grade", "text", "Grade as sent: PK, K, 1-12; 13 is kindergarten in some districts."),
    Column.of("NWEAStandard_Grade", "text", "Grade in the vendor's categories."),
)


def _test_columns(has_test_id: bool) -> tuple[Column, ...]:
    """The columns of a test event that the Comprehensive and the Combined file share, in the current order."""
    return (
        Column.of("NormsReferenceData", "text", "Norms year: 2015, 2020, 2025, or USER for course-specific norms; older files have none."),
        *_weeks("Selected", "as the school set them"),
        *_weeks("Previous", "in the previous academic year"),
        Column.of("TestType", "text", "Survey With Goals, or Survey (screening)."),
        Column.of(
            "TestName", "text", "Name of the test; `Screening:` in front marks a screener.", is_header_required=True, is_value_required=True
        ),
        *((_TEST_ID,) if has_test_id else ()),
        Column.of("TestStartDate", "date", "Local day the test began.", formats=_DATES, is_header_required=True, is_value_required=True),
        Column.of("TestStartTime", "time", "Local time the test began; blank in some exports."),
        Column.of("TestDurationMinutes", "integer", "Minutes the student worked on the test."),
        Column.of("TestRITScore", "integer", "RIT score, about 100-350; blank when there is no score.", is_header_required=True),
        Column.of("TestStandardError", "decimal", "Standard error of the RIT score, RIT points."),
        Column.of("TestPercentile", "integer", "Achievement percentile, 1-99, under the norms of this file."),
        Column.of("AchievementQuintile", "text", "Quintile of achievement: Low, LoAvg, Avg, HiAvg, High."),
        Column.of("PercentCorrect", "integer", "Percent of items answered correctly, 0-100."),
        Column.of(
            "RapidGuessingPercentage", "decimal", "Percent of items answered too fast to be read, 0-100; 30 or more is a disengaged test."
        ),
        *(column for pair in _PAIRS for column in _growth(pair)),
        Column.of("LexileScore", "text", "Lexile measure, such as 850L or BR150L; reading only.", "RITtoReadingScore"),
        Column.of("LexileMin", "text", "Lower end of the Lexile range.", "RITtoReadingMin"),
        Column.of("LexileMax", "text", "Upper end of the Lexile range.", "RITtoReadingMax"),
        Column.of("QuantileScore", "text", "Quantile measure, such as 750Q or EM300Q; mathematics only."),
        Column.of("QuantileMin", "text", "Lower end of the Quantile range."),
        Column.of("QuantileMax", "text", "Upper end of the Quantile range."),
        *(column for number in range(1, 9) for column in _goal(number)),
        *((*_ACCOMMODATIONS,) if not has_test_id else ()),
        *(
            Column.of(
                f"Typical{pair}Growth", "decimal", f"RIT points the norms call typical {_words(pair)}, for pairs that start in this term."
            )
            for pair in _PAIRS
        ),
        *(column for number in range(1, 11) for column in _study(number)),
    )


def _headers(columns: tuple[Column, ...]) -> tuple[str, ...]:
    return tuple(column.headers[0] for column in columns)


_ASSESSMENT_COLUMNS = (
    _TERM, *_DISTRICT, _SCHOOL_NAME, _SCHOOL_STATE_ID, _STUDENT_ID, _STUDENT_STATE_ID, *_COURSE, _GROWTH_FLAG, *_test_columns(True),
)  # fmt: skip
_COMBINED_COLUMNS = (_TERM, *_DISTRICT, _SCHOOL_NAME, _SCHOOL_STATE_ID, *_DEMOGRAPHICS, *_COURSE, *_test_columns(False))
_STUDENT_COLUMNS = (_TERM, *_DISTRICT, _SCHOOL_NAME, _SCHOOL_STATE_ID, *_DEMOGRAPHICS)

_GOALS = _headers(tuple(column for number in range(1, 9) for column in _goal(number)))
_GROWTH_WITHOUT_QUINTILE = tuple(
    header for header in _headers(tuple(c for pair in _PAIRS for c in _growth(pair))) if not header.endswith("Quintile")
)  # fmt: skip
_WEEKS = _headers((*_weeks("Selected", ""), *_weeks("Previous", "")))
_TYPICAL = tuple(f"Typical{pair}Growth" for pair in _PAIRS)

_ASSESSMENT_2012 = (
    "TermName", "StudentID", "SchoolName", "MeasurementScale", "Discipline", "GrowthMeasureYN", "TestType", "TestName", "TestID",
    "TestStartDate", "TestDurationMinutes", "TestRITScore", "TestStandardError", "TestPercentile", "TypicalFallToFallGrowth",
    "TypicalSpringToSpringGrowth", "TypicalFallToSpringGrowth", "TypicalFallToWinterGrowth", "RITtoReadingScore", "RITtoReadingMin",
    "RITtoReadingMax", *_GOALS, "TestStartTime", "PercentCorrect", "ProjectedProficiency",
)  # fmt: skip
_COMBINED_2016 = (
    "TermName", "DistrictName", "SchoolName", "StudentLastName", "StudentFirstName", "StudentMI", "StudentID", "StudentDateOfBirth",
    "StudentEthnicGroup", "StudentGender", "Grade", "MeasurementScale", "Discipline", "NormsReferenceData", *_WEEKS, "TestType",
    "TestName", "TestStartDate", "TestDurationMinutes", "TestRITScore", "TestStandardError", "TestPercentile", *_GROWTH_WITHOUT_QUINTILE,
    "RITtoReadingScore", "RITtoReadingMin", "RITtoReadingMax", *_GOALS, "TestStartTime", "PercentCorrect",
    *(header for number in (1, 2, 3) for header in _headers(_study(number))), "AccommodationCategory", "Accommodations", *_TYPICAL,
    *(header for number in range(4, 11) for header in _headers(_study(number))),
)  # fmt: skip
_STUDENTS_2012 = (
    "TermName", "DistrictName", "SchoolName", "StudentLastName", "StudentFirstName", "StudentMI", "StudentID", "StudentDateOfBirth",
    "StudentEthnicGroup", "StudentGender", "Grade",
)  # fmt: skip

# The vendor's TestID names a test in principle, yet rows come without one and exports exist that repeat it across students. So what names
# a record is who took which test when, with the id and the norms beside it, so that two real tests never fold into one.
_TEST_KEY = ("student_id", "term_name", "course", "test_name", "test_start_date", "test_start_time")
_TEST_SCOPE = ("term_name", "school_name", "norms_reference_data")
_DISTRICT_COLUMNS = ("district_name", "district_state_id")

FORMAT = Format(
    name="nwea_map",
    title="NWEA MAP Growth data export",
    tables=(
        Table(
            name="assessment_results",
            description="AssessmentResults.csv of the Comprehensive Data File: one row per test a student took in a term.",
            columns=_ASSESSMENT_COLUMNS,
            natural_key=(*_TEST_KEY, "test_id", "norms_reference_data"),
            key_may_be_blank=("test_start_time", "test_id", "norms_reference_data"),
            supersedes="scope",
            scope=_TEST_SCOPE,
            exported_at="test_start_date",
            header_versions={"current": _headers(_ASSESSMENT_COLUMNS), "2012-2014": _ASSESSMENT_2012},
            file_names=(r"AssessmentResults.*\.csv",),
            district_columns=_DISTRICT_COLUMNS,
            needs_one_of=(("test_id", "growth_measure_yn"),),
        ),
        Table(
            name="students_by_school",
            description="StudentsBySchool.csv of the Comprehensive Data File: one row per student, school and term; two schools, two rows.",
            columns=_STUDENT_COLUMNS,
            natural_key=("student_id", "term_name", "school_name"),
            supersedes="scope",
            scope=("term_name", "school_name"),
            header_versions={"current": _headers(_STUDENT_COLUMNS), "2012-2014": _STUDENTS_2012},
            file_names=(r"Students?BySchool.*\.csv",),
            district_columns=_DISTRICT_COLUMNS,
            needs_one_of=(("grade", "student_gender", "student_ethnic_group"),),
        ),
        Table(
            name="combo_student_assessment",
            description="ComboStudentAssessment.csv, the Combined Data File: one row per growth test, with the student's demographics.",
            columns=_COMBINED_COLUMNS,
            natural_key=(*_TEST_KEY, "norms_reference_data"),
            key_may_be_blank=("test_start_time", "norms_reference_data"),
            supersedes="scope",
            scope=_TEST_SCOPE,
            exported_at="test_start_date",
            header_versions={"current": _headers(_COMBINED_COLUMNS), "2016": _COMBINED_2016},
            file_names=(r"ComboStudentAssessment.*\.csv",),
            district_columns=_DISTRICT_COLUMNS,
            needs_one_of=(("grade", "student_last_name", "student_gender", "student_ethnic_group"),),
        ),
        Table(
            name="class_assignments",
            description="ClassAssignments.csv of the Comprehensive Data File: which class and teacher a student had in a term.",
            columns=(
                _TERM,
                _STUDENT_ID,
                _SCHOOL_NAME,
                Column.of("ClassName", "text", "Name of the class.", is_header_required=True, is_value_required=True),
                Column.of("TeacherName", "text", "Teacher's name.", privacy="restricted"),
                Column.of("TeacherID", "id", "District's teacher id."),
            ),
            natural_key=("student_id", "term_name", "school_name", "class_name", "teacher_id"),
            key_may_be_blank=("teacher_id",),
            supersedes="scope",
            scope=("term_name", "school_name"),
            header_versions={"current": ("TermName", "StudentID", "SchoolName", "ClassName", "TeacherName", "TeacherID")},
            file_names=(r"ClassAssignments.*\.csv",),
        ),
        Table(
            name="program_assignments",
            description="ProgramAssignments.csv of the Comprehensive Data File: special programs a student was in during a term.",
            columns=(
                _TERM,
                _STUDENT_ID,
                Column.of("SchoolName", "text", "School; not in every export."),
                Column.of("Program", "text", "Name of the program.", "ProgramName", is_header_required=True, is_value_required=True),
            ),
            natural_key=("student_id", "term_name", "school_name", "program"),
            key_may_be_blank=("school_name",),
            supersedes="scope",
            scope=("term_name",),
            header_versions={"current": ("TermName", "StudentID", "SchoolName", "Program")},
            file_names=(r"(Special)?ProgramAssignments.*\.csv",),
        ),
        Table(
            name="test_accommodations",
            description="StudentTestAccommodations.csv of the Comprehensive Data File: accommodations used in a test.",
            columns=(
                _TERM,
                Column.of("TestID", "id", "Vendor's id of the test event.", is_header_required=True, is_value_required=True),
                _STUDENT_ID,
                *_ACCOMMODATIONS,
            ),
            natural_key=("student_id", "term_name", "test_id", "accommodation_categories", "accommodations"),
            key_may_be_blank=("accommodation_categories", "accommodations"),
            supersedes="scope",
            scope=("term_name",),
            header_versions={"current": ("TermName", "TestID", "StudentID", "AccommodationCategory", "Accommodations")},
            file_names=(r"StudentTestAccommodations.*\.csv",),
            needs_one_of=(("accommodations", "accommodation_categories"),),
        ),
    ),
)
