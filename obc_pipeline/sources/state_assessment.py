"""State assessment results: a canonical long file, and Colorado's CMAS student data file as an example of a state's own layout.

There is no national format: a state's layout becomes a table of its own here, and staging brings it into the shape of the canonical one.
A student without a score is a row with a status, never a zero.
"""

from __future__ import annotations

from obc_pipeline.sources.declaration import Column, Format, Table

_DATES = ("%Y-%m-%d", "%m/%d/%Y", "%Y%m%d")

_CANONICAL = (
    Column("district_id", "id", ("district_id",), "District id."),
    Column("state_test_id", "id", ("state_test_id",), "State's id of the test taken; blank where the state gives none."),
    Column("assessment_family", "text", ("assessment_family",), "Name of the test, such as CMAS.", is_header_required=True, is_value_required=True),
    Column("subject", "text", ("subject",), "MATH, ELA, SCIENCE or SOCIAL_STUDIES.", is_header_required=True, is_value_required=True),
    Column("tested_grade", "text", ("tested_grade",), "Grade of the test."),
    Column("enrolled_grade", "text", ("enrolled_grade",), "Grade of the student."),
    Column(
        "school_year_end", "integer", ("school_year_end",), "Year in which the school year ends.", is_header_required=True, is_value_required=True
    ),
    Column("admin_window", "text", ("admin_window",), "Fall, Winter, Spring or Summer.", is_header_required=True, is_value_required=True),
    Column("test_date", "date", ("test_date",), "Day of the test; often not given.", formats=_DATES),
    Column("state_student_id", "id", ("state_student_id",), "State's student id."),
    Column("local_student_id", "id", ("local_student_id",), "District's student id."),
    Column("testing_school_id", "id", ("testing_school_id",), "School where the test was taken."),
    Column("accountable_school_id", "id", ("accountable_school_id",), "School the result counts for."),
    Column("scale_score", "integer", ("scale_score",), "Scale score; blank without a score."),
    Column("score_sem", "decimal", ("score_sem",), "Standard error of the scale score."),
    Column("level_number", "integer", ("level_number",), "Performance level, 1 the lowest; how many there are differs by subject and year."),
    Column("level_label", "text", ("level_label",), "Name of the level."),
    Column("is_proficient", "boolean", ("is_proficient",), "Whether the state calls the level proficient."),
    Column("percentile", "integer", ("percentile",), "State percentile, 1-99."),
    Column("sgp", "integer", ("sgp",), "State's student growth percentile, 1-99."),
    Column(
        "status", "text", ("status",), "scored, absent, invalid, not_tested or suppressed.", is_header_required=True, is_value_required=True
    ),
    Column("status_reason", "text", ("status_reason",), "Why there is no score."),
    Column("full_academic_year", "boolean", ("full_academic_year",), "Whether the student was enrolled for the full academic year."),
    Column("source_layout", "text", ("source_layout",), "Layout the row was made from."),
)  # fmt: skip


def _share(number: int) -> tuple[Column, ...]:
    return (
        Column.of(f"Subclaim{number}RawScore", "integer", f"Points earned in subclaim {number}."),
        Column.of(f"Subclaim{number}PtsPoss", "integer", f"Points possible in subclaim {number}."),
        Column.of(f"Subclaim{number}PctEarned", "integer", f"Percent of points earned in subclaim {number}, 0-100."),
    )


def _unit(number: int) -> tuple[Column, ...]:
    return (
        Column.of(f"Unit{number}TestStartDateTime", "timestamp", f"When unit {number} was begun, UTC; blank on paper or without a test."),
        Column.of(f"Unit{number}TestEndDateTime", "timestamp", f"When unit {number} was ended, UTC."),
    )


_YES_NO = "Y or N as sent."
_CMAS = (
    Column.of("StateAbbreviation", "text", "State."),
    Column.of("TestingDistrictCode", "id", "District where the test was taken."),
    Column.of("TestingSchoolCode", "id", "School where the test was taken."),
    Column.of("ResponsibleDistrictCode", "id", "District the result counts for."),
    Column.of("ResponsibleSchoolCode", "id", "School the result counts for."),
    Column.of("StateStudentIdentifier", "id", "State's student id (SASID).", is_header_required=True, is_value_required=True),
    Column.of("LocalStudentIdentifier", "id", "District's student id.", is_header_required=True),
    Column.of("PearsonStudentIdentifier", "id", "Test maker's student id."),
    Column.of("LastOrSurname", "text", "Family name.", privacy="restricted"),
    Column.of("FirstName", "text", "Given name.", privacy="restricted"),
    Column.of("MiddleName", "text", "Middle name.", privacy="restricted"),
    Column.of("PreferredFirstName", "text", "Given name the student prefers; archive only.", privacy="drop"),
    Column.of("Birthdate", "text", "Birth date; not needed, archive only.", privacy="drop"),
    Column.of("Sex", "text", "Sex as sent."),
    Column.of("DateFirstEnrolledInUSSchool", "text", "First day in a school of the country; archive only.", privacy="drop"),
    Column.of("GradeLevelWhenAssessed", "text", "Grade when tested."),
    Column.of("HispanicOrLatinoEthnicity", "text", _YES_NO),
    Column.of("AmericanIndianOrAlaskaNative", "text", _YES_NO),
    Column.of("Asian", "text", _YES_NO),
    Column.of("BlackOrAfricanAmerican", "text", _YES_NO),
    Column.of("NativeHawaiianOrOtherPacificIslander", "text", _YES_NO),
    Column.of("White", "text", _YES_NO),
    Column.of("FederalRaceEthnicity", "text", "Federal race and ethnicity code."),
    Column.of("GiftedandTalented", "text", "Gifted program, as sent."),
    Column.of("MigrantStatus", "text", f"Migrant. {_YES_NO}"),
    Column.of("EconomicDisadvantageStatus", "text", f"Economic disadvantage. {_YES_NO}"),
    Column.of("StudentwithDisabilities", "text", "Student with disabilities, as sent."),
    Column.of("PrimaryDisabilityType", "text", "Kind of disability; archive only.", privacy="drop"),
    Column.of("Homeless", "text", "Homeless, as sent."),
    Column.of("LanguageBackground", "text", "Language spoken at home, code."),
    Column.of("LanguageProficiency", "text", "English proficiency, code."),
    Column.of("LanguageInstructionProgram", "text", "Language program, code."),
    Column.of("Title1", "text", "Title I, as sent."),
    Column.of("ContinuousInDistrict", "text", "Enrolled in the district continuously, as sent."),
    Column.of("ContinuousInSchool", "text", "Enrolled in the school continuously, as sent."),
    Column.of("Expelled", "text", "Expelled; archive only.", privacy="drop"),
    Column.of("SessionName", "text", "Test session."),
    Column.of("ClassName", "text", "Class as set up for the test; may hold a teacher's name.", privacy="restricted"),
    Column.of("TestCode", "text", "Test, such as MAT03.", is_header_required=True),
    Column.of("StudentTestUUID", "id", "Id of the test taken.", is_header_required=True, is_value_required=True),
    Column.of("FormID", "text", "Test form."),
    Column.of("TestStatus", "text", "Whether the test was attempted."),
    Column.of("TotalTestItems", "integer", "Items on the form."),
    Column.of("TestAttemptednessFlag", "text", "Whether enough was attempted to count as tested."),
    Column.of("TotalTestItemsAttempted", "integer", "Items attempted."),
    Column.of("NotTestedCode", "text", "Code of why the student was not tested; spreadsheets turn 00 into 0."),
    Column.of("NotTestedReason", "text", "Why the student was not tested."),
    Column.of("VoidScoreCode", "text", "Code of why the score is void."),
    Column.of("VoidScoreReason", "text", "Why the score is void."),
    Column.of("CalculatedInvalidation", "text", "Valid Score, or why not."),
    Column.of("ReportSuppressionCode", "text", "Code of why the result is kept out of reports."),
    Column.of("ReportSuppressionAction", "text", "What is done about it."),
    *(column for number in (1, 2, 3) for column in _unit(number)),
    Column.of("AssessmentYear", "text", "School year, such as 2022-2023.", is_header_required=True, is_value_required=True),
    Column.of("Subject", "text", "Subject in words.", is_header_required=True, is_value_required=True),
    Column.of("TestingDistrictName", "text", "Name of the district where the test was taken."),
    Column.of("TestingSchoolName", "text", "Name of the school where the test was taken."),
    Column.of("ResponsibleDistrictName", "text", "Name of the district the result counts for."),
    Column.of("ResponsibleSchoolName", "text", "Name of the school the result counts for."),
    Column.of("SS", "integer", "Scale score; blank without a score.", is_header_required=True),
    Column.of("SSCSEM", "decimal", "Standard error of the scale score."),
    Column.of("PerfLVL", "integer", "Performance level, 1-5 (science 1-4); 4 and 5 meet expectations.", is_header_required=True),
    Column.of("PercentileRank", "integer", "State percentile, 1-99."),
    Column.of("TestReadingScaleScore", "integer", "Reading scale score."),
    Column.of("TestReadingSSCSEM", "decimal", "Standard error of the reading scale score."),
    Column.of("TestWritingRawScore", "integer", "Writing points earned."),
    Column.of("TestWritingPointsPossible", "integer", "Writing points possible."),
    Column.of("TestWritingPercentEarned", "integer", "Percent of writing points earned, 0-100."),
    *(column for number in range(1, 6) for column in _share(number)),
)

_CMAS_LEFT_OUT = (
    r"Filler.*",
    r"AccommodationType|ColorContrast|EnlargedPointer|ZoomPercentage|AssistiveTechnology.*|VisualAccommodations|CalculationDevice.*",
    r"ResponseAccommodation.*|WordPrediction|AdministrationDirections.*|NonEnglishResponse|SpanishTransadaptation.*|WordtoWordDictionary.*",
    r"AuditoryPresentation.*|AuditorySigned.*|UniqueAccommodation|EmergencyAccommodation|ExtendedTime",
    r"StudentUnit\dTestUUID|Unit\dFormID|Unit\dTotalTestItems|Unit\dNumberOfAttemptedItems",
    r"ScItemResponse|CoreFormID|Domain\dDescriptor\dPercentEarned|PCRTraitConditionCodeString",
)

FORMAT = Format(
    name="state_assessment",
    title="State assessment results",
    ignored_members=(r".*cmas.*growth.*\.csv",),  # growth comes in a file of its own; no contract pays on it yet
    tables=(
        Table(
            name="canonical_result",
            description="One result, or one reason for none, of a student in a state test; the shape every state's layout is brought into.",
            columns=_CANONICAL,
            natural_key=("state_test_id",),
            fallback_key=(
                "local_student_id", "state_student_id", "assessment_family", "subject", "tested_grade", "school_year_end", "admin_window",
            ),
            key_may_be_blank=("local_student_id", "state_student_id", "tested_grade"),
            supersedes="scope",
            scope=("assessment_family", "school_year_end", "admin_window", "subject"),
            header_versions={"canonical": tuple(column.name for column in _CANONICAL)},
            district_columns=("district_id",),
            needs_one_of=(("local_student_id", "state_student_id"), ("scale_score", "level_number")),
        ),
        Table(
            name="cmas_result",
            description="Colorado Measures of Academic Success, student data file: one row per student and subject.",
            columns=_CMAS,
            natural_key=("student_test_uuid",),
            supersedes="scope",
            scope=("assessment_year", "subject"),
            header_versions={"CMAS": tuple(column.headers[0] for column in _CMAS)},
            file_names=(r".*cmas.*student.*\.csv",),
            left_out_headers=_CMAS_LEFT_OUT,
        ),
    ),
)  # fmt: skip
