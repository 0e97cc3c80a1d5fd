"""Renaissance Star data export: SR, SM, SEL and the Spanish tests, with standards and skill areas; a nightly zip, overwritten each night.

The subject is only in the file's name, so it is carried into every row as `product`. A test's growth percentiles may change on a later
night, when another test is (de)activated: the newest file that has an assessment id gives its row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from obc_pipeline.sources.declaration import Column, Format, Table

_PRODUCT = r"(SRS2|SRS|SMS|SELS|SR|SM|SEL)"
_PRODUCTS = ("SR", "SM", "SEL", "SRS", "SRS2", "SMS", "SELS")
_FILE_NAME = re.compile(rf"^{_PRODUCT}(?![A-Za-z0-9])", re.IGNORECASE)
_DAYS = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%d", "%m/%d/%Y", "%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M:%S")


def product_of(member_name: str, options: Mapping[str, Any]) -> str | None:
    """Which Star test a file holds: SR, SM, SEL, SRS, SRS2, SMS or SELS.

    From the source's option `product` if set, else from the member's name; None when neither says so.
    """
    said = str(options.get("product") or "").upper()
    if said in _PRODUCTS:
        return said
    found = _FILE_NAME.match(member_name.replace("\\", "/").rsplit("/", 1)[-1])
    return found.group(1).upper() if found else None


def _benchmark(level: str, is_state: bool) -> tuple[Column, ...]:
    words, unit = ("state", "ScaledScore") if is_state else (level.lower(), "PercentileRank")
    count = f"{level}BenchmarkNumberOfCategoryLevels"
    return (
        Column.of(f"{level}BenchmarkCategoryName", "text", f"Name of the {words} benchmark category."),
        Column.of(f"{level}BenchmarkProficient", "text", f"Yes or No: whether the {words} benchmark calls this proficient."),
        Column.of(
            f"{level}BenchmarkCategoryLevel", "integer", f"Number of the {words} benchmark category; its order differs, use the name."
        ),
        Column.of(count, "integer", f"How many categories the {words} benchmark has."),
        Column.of(f"{level}BenchmarkMin{unit}", "integer", f"Lowest score of the {words} category."),
        Column.of(f"{level}BenchmarkMax{unit}", "integer", f"Highest score of the {words} category."),
    )


def _growth(begin: str, end: str) -> Column:
    return Column.of(
        f"StudentGrowthPercentile{begin}{end}", "integer",
        f"Student growth percentile from {begin.lower()} to {end.lower()}, 1-99, on the test that ends the span.",
    )  # fmt: skip


_PRODUCT_COLUMN = Column(
    "product",
    "text",
    description="Star test, from the file's name: SR, SM, SEL, or the Spanish SRS, SRS2, SMS, SELS.",
    is_value_required=True,
)
_CLIENT = Column.of("RenaissanceClientID", "id", "Vendor's key of the customer.")
_SCHOOL_YEAR = Column.of("SchoolYear", "text", "School year, such as 2025-2026.", is_header_required=True, is_value_required=True)
_STUDENT_IDS = (
    Column.of("StudentRenaissanceID", "id", "Vendor's student id."),
    Column.of("StudentSourcedID", "id", "Student id of the roster system."),
    Column.of("StudentIdentifier", "id", "District's student id in most set-ups.", is_header_required=True),
    Column.of("StudentUserID", "id", "Login id of the student."),
    Column.of("StudentStateID", "id", "State's student id; often blank."),
)
_ASSESSMENT_ID = Column.of("AssessmentID", "id", "Vendor's id of the test taken.", is_header_required=True, is_value_required=True)
_TIMES = (
    Column.of("LaunchDate", "timestamp", "When the test was begun, UTC."),
    Column.of("CompletedDate", "timestamp", "When the test was completed, UTC.", is_header_required=True),
    Column.of(
        "CompletedDateLocal", "timestamp",
        "When the test was completed, local wall time. The export writes a Z behind it all the same: it is never converted.",
    ),
)  # fmt: skip

_TEST_COLUMNS = (
    _CLIENT,
    _SCHOOL_YEAR,
    Column.of("SchoolYearStartDate", "date", "First day of the school year.", formats=_DAYS),
    Column.of("SchoolYearEndDate", "date", "Last day of the school year.", formats=_DAYS),
    *_STUDENT_IDS,
    Column.of("StudentEmail", "text", "Student's e-mail address; archive only.", privacy="drop"),
    Column.of("StudentFirstName", "text", "Given name.", privacy="restricted"),
    Column.of("StudentMiddleName", "text", "Middle name.", privacy="restricted"),
    Column.of("StudentLastName", "text", "Family name.", privacy="restricted"),
    Column.of("Gender", "text", "Gender as sent, F or M."),
    Column.of("BirthDate", "text", "Birth date; not needed, archive only.", privacy="drop"),
    Column.of("MultiRace", "text", "Yes or No."),
    Column.of("HispanicOrLatino", "text", "Yes or No."),
    Column.of("AmericanIndianOrAlaskaNative", "text", "Yes or No."),
    Column.of("Asian", "text", "Yes or No."),
    Column.of("BlackOrAfricanAmerican", "text", "Yes or No."),
    Column.of("NativeHawaiianOrOtherPacificIslander", "text", "Yes or No."),
    Column.of("White", "text", "Yes or No."),
    Column.of("CurrentGrade", "text", "Grade today, as sent: Pre-K, K, 0, 1-12, also -1, 01, 12+."),
    Column.of("EnrollmentStatus", "text", "Enrolled or not, today."),
    Column.of("DistrictRenaissanceID", "id", "Vendor's district id."),
    Column.of("DistrictSourcedID", "id", "District id of the roster system."),
    Column.of("DistrictIdentifier", "id", "District's own id."),
    Column.of("DistrictStateID", "id", "District's state code."),
    Column.of("DistrictName", "text", "District's name."),
    Column.of("SchoolRenaissanceID", "id", "Vendor's id of the school where the test was taken."),
    Column.of("SchoolSourcedID", "id", "School id of the roster system."),
    Column.of("SchoolIdentifier", "id", "District's school id; a hexadecimal id in some set-ups."),
    Column.of("SchoolStateID", "id", "School's state code; often blank."),
    Column.of("SchoolName", "text", "School where the test was taken."),
    Column.of("CourseRenaissanceID", "id", "Vendor's course id."),
    Column.of("CourseSourcedID", "id", "Course id of the roster system."),
    Column.of("CourseCode", "id", "Course code."),
    Column.of("CourseName", "text", "Course name."),
    Column.of("ClassRenaissanceID", "id", "Vendor's class id."),
    Column.of("ClassSourcedID", "id", "Class id of the roster system."),
    Column.of("ClassCode", "id", "Class code."),
    Column.of("GroupID", "id", "Vendor's group id."),
    Column.of("GroupOrClassName", "text", "Class or group at the time of the test."),
    Column.of("TeacherRenaissanceID", "id", "Vendor's teacher id."),
    Column.of("TeacherSourcedID", "id", "Teacher id of the roster system."),
    Column.of("TeacherIdentifier", "id", "District's teacher id."),
    Column.of("TeacherUserID", "id", "Login id of the teacher."),
    Column.of("TeacherStateID", "id", "State's teacher id."),
    Column.of("TeacherEmail", "text", "Teacher's e-mail address; archive only.", privacy="drop"),
    Column.of("TeacherFirstName", "text", "Teacher's given name.", privacy="restricted"),
    Column.of("TeacherMiddleName", "text", "Teacher's middle name.", privacy="restricted"),
    Column.of("TeacherLastName", "text", "Teacher's family name.", privacy="restricted"),
    _ASSESSMENT_ID,
    *_TIMES,
    Column.of("AssessmentNumber", "integer", "Which test of the year this is for the student."),
    Column.of("AssessmentType", "text", "Enterprise, Progress Monitoring, Classic and others."),
    Column.of("AssessmentStatus", "text", "Active or Deactivated; only active tests count."),
    Column.of("DeactivationReason", "text", "Why a test was deactivated."),
    Column.of("GradePlacement", "decimal", "Grade and tenth of the school year at the test, such as 4.05."),
    Column.of("Grade", "text", "Grade at the test, as sent."),
    Column.of("ExtraTime", "text", "Yes or No: extended time limits."),
    Column.of("ScaledScore", "integer", "Scaled score, 0-1400 (early literacy 300-900)."),
    Column.of("StandardErrorOfMeasurement", "decimal", "Standard error on the Rasch scale, not in scaled score units."),
    Column.of("RaschScore", "decimal", "Score on the Rasch (logit) scale."),
    Column.of("UnifiedScore", "integer", "Unified scale score, reported since 2022-23; never compared with the scaled score."),
    Column.of("PartnershipForAssessmentOfReadinessForCollegeAndCareers", "text", "Projected PARCC result."),
    Column.of("SmarterBalancedAssessmentConsortium", "text", "Projected Smarter Balanced result."),
    Column.of("OpenGrowthScore", "text", "Growth score as sent."),
    Column.of("GradeEquivalent", "text", "Grade equivalent, 0.0-12.9, also capped as >12.9 or <1: text."),
    Column.of("PercentileRank", "integer", "Achievement percentile, 1-99."),
    Column.of("NormalCurveEquivalent", "decimal", "Normal curve equivalent, 1-99."),
    Column.of("InstructionalReadingLevel", "text", "Instructional reading level, such as PP or 3; reading only."),
    Column.of("EstimatedOralReadingFluency", "integer", "Estimated words read aloud per minute; reading only."),
    Column.of("LowerZoneOfProximalDevelopment", "decimal", "Lower end of the book level range; reading only."),
    Column.of("UpperZoneOfProximalDevelopment", "decimal", "Upper end of the book level range; reading only."),
    Column.of("Lexile", "text", "Lexile measure, such as 415L or BR400L; reading and early literacy."),
    Column.of("LowerLexileZoneOfProximalDevelopment", "text", "Lower end of the Lexile range; reading only."),
    Column.of("UpperLexileZoneOfProximalDevelopment", "text", "Upper end of the Lexile range; reading only."),
    Column.of("LexileRange", "text", "Lexile range; early literacy only."),
    Column.of("LiteracyClassification", "text", "Emergent, transitional or probable reader; early literacy only."),
    Column.of("Quantile", "text", "Quantile measure, such as 750Q; mathematics only."),
    Column.of("Audio", "text", "Whether audio was on."),
    Column.of("TotalTimeInSeconds", "integer", "Seconds spent on the test."),
    Column.of("TotalCorrect", "integer", "Items answered correctly."),
    Column.of("TotalPossible", "integer", "Items presented."),
    Column.of("Grade3_AssessmentAttempts", "text", "Attempts at a state's grade 3 requirement; reading only."),
    Column.of("Grade3_PassingStatus", "text", "Status of a state's grade 3 requirement; reading only."),
    Column.of("Grade3_PassingScore", "text", "Passing score of a state's grade 3 requirement; reading only."),
    _growth("Fall", "Fall"),
    _growth("Fall", "Spring"),
    _growth("Fall", "Winter"),
    _growth("Spring", "Fall"),
    _growth("Spring", "Spring"),
    _growth("Winter", "Spring"),
    Column.of(
        "ScreeningPeriodWindowName", "text", "Screening window the district set: Fall, Winter, Spring or its own words; blank outside."
    ),
    Column.of("ScreeningWindowStartDate", "date", "First day of that screening window.", formats=_DAYS),
    Column.of("ScreeningWindowEndDate", "date", "Last day of that screening window.", formats=_DAYS),
    Column.of("RenaissanceBenchmarkCategoryName", "text", "Vendor's benchmark category, such as On Watch."),
    Column.of("RenaissanceBenchmarkCategoryLevel", "integer", "Number of the vendor's category; its order differs, use the name."),
    Column.of("RenaissanceBenchmarkCategoryNumberOfLevels", "integer", "How many categories the vendor's benchmark has."),
    Column.of("RenaissanceBenchmarkCategoryMinPercentileRank", "integer", "Lowest percentile of the vendor's category."),
    Column.of("RenaissanceBenchmarkCategoryMaxPercentileRank", "integer", "Highest percentile of the vendor's category."),
    Column.of("StateBenchmarkAssessmentName", "text", "State test the state benchmark projects to."),
    *_benchmark("State", True),
    *_benchmark("District", False),
    *_benchmark("School", False),
    Column.of("CurrentSGP", "integer", "Most recent student growth percentile, 1-99, whatever span it has."),
    Column.of("TakenAt", "text", "school or home."),
    Column.of("TakenAtByIPAddress", "text", "Network address; archive only.", privacy="drop"),
    Column.of("StudentDisplayID", "id", "Student id as shown on screens."),
    Column.of("TeacherDisplayID", "id", "Teacher id as shown on screens."),
    Column.of("SATBenchmarkCategory", "text", "Projected SAT category."),
    Column.of("ACTBenchmarkCategory", "text", "Projected ACT category."),
)

_READING_ONLY = {
    "Grade3_AssessmentAttempts", "Grade3_PassingStatus", "Grade3_PassingScore", "InstructionalReadingLevel", "EstimatedOralReadingFluency",
    "LowerZoneOfProximalDevelopment", "UpperZoneOfProximalDevelopment", "LowerLexileZoneOfProximalDevelopment",
    "UpperLexileZoneOfProximalDevelopment", "Lexile",
}  # fmt: skip
_EARLY_LITERACY_ONLY = {"LiteracyClassification", "LexileRange"}
_MATH_ONLY = {"Quantile"}
_ALL = tuple(column.headers[0] for column in _TEST_COLUMNS if column.name != "audio")


def _without(*groups: set[str]) -> tuple[str, ...]:
    left_out = set().union(*groups)
    return tuple(header for header in _ALL if header not in left_out)


_STUDENT_TEST = (*_STUDENT_IDS, _ASSESSMENT_ID, *_TIMES)
_STANDARD_COLUMNS = (
    _CLIENT,
    _SCHOOL_YEAR,
    *_STUDENT_TEST,
    Column.of("DomainGroup", "text", "Group of domains."),
    Column.of("DomainName", "text", "Domain of the standards.", is_header_required=True),
    Column.of("DomainPercentMastery", "integer", "Estimated mastery of the domain, 0-100."),
    Column.of("DomainConfidenceLevel", "text", "How sure the domain estimate is, as sent."),
    Column.of("DomainMasteryLevel", "text", "Level of the domain, as sent."),
    Column.of("StandardName", "text", "Code of the standard.", is_header_required=True, is_value_required=True),
    Column.of("StandardDescription", "text", "Wording of the standard."),
    Column.of("StandardPercentMastery", "integer", "Estimated mastery of the standard, 0-100."),
    Column.of("StandardConfidenceLevel", "text", "How sure the standard estimate is, as sent."),
    Column.of("StandardMasteryLevel", "text", "Level of the standard, as sent."),
)
_SKILL_COLUMNS = (
    _CLIENT,
    _SCHOOL_YEAR,
    *_STUDENT_TEST,
    Column.of("FamilyName", "text", "Family of skill areas."),
    Column.of("DomainName", "text", "Domain of the skill area.", is_header_required=True),
    Column.of("DomainScore", "decimal", "Score in the domain, 0-100."),
    Column.of("SkillAreaName", "text", "Name of the skill area.", is_header_required=True, is_value_required=True),
    Column.of("SkillAreaMasteryScore", "decimal", "Score in the skill area, 0-100."),
)
_DISTRICT_COLUMNS = ("district_name", "district_state_id")

FORMAT = Format(
    name="renaissance_star",
    title="Renaissance Star data export",
    options={"product": "Which test a file holds when its name does not say so: SR, SM, SEL, SRS, SRS2, SMS or SELS."},
    ignored_members=(r"FL_FAST_.*",),
    tables=(
        Table(
            name="star_test",
            description="SR, SM, SEL and the Spanish files: one row per test taken.",
            columns=(_PRODUCT_COLUMN, *_TEST_COLUMNS),
            natural_key=("assessment_id",),
            supersedes="key",
            exported_at="completed_date",
            header_versions={
                "SR": _without(_EARLY_LITERACY_ONLY, _MATH_ONLY),
                "SM": _without(_EARLY_LITERACY_ONLY, _READING_ONLY),
                "SEL": _without(_MATH_ONLY, _READING_ONLY - {"Lexile"}),
            },
            file_names=(rf"{_PRODUCT}(?![A-Za-z0-9])(?!_(Dashboard|SkillArea)).*\.(csv|txt)",),
            constants={"product": product_of},
            district_columns=_DISTRICT_COLUMNS,
            needs_one_of=(("unified_score", "scaled_score", "percentile_rank", "current_sgp"),),
        ),
        Table(
            name="dashboard_standards",
            description="SR_Dashboard_Standards and its like: estimated mastery per test and standard.",
            columns=(_PRODUCT_COLUMN, *_STANDARD_COLUMNS),
            natural_key=("assessment_id", "domain_group", "domain_name", "standard_name"),
            key_may_be_blank=("domain_group", "domain_name"),
            supersedes="key",
            exported_at="completed_date",
            header_versions={"v2": tuple(column.headers[0] for column in _STANDARD_COLUMNS)},
            file_names=(rf"{_PRODUCT}_Dashboard_Standards.*\.(csv|txt)",),
            constants={"product": product_of},
        ),
        Table(
            name="skill_area",
            description="SR_SkillArea and its like: scores per test and skill area.",
            columns=(_PRODUCT_COLUMN, *_SKILL_COLUMNS),
            natural_key=("assessment_id", "family_name", "domain_name", "skill_area_name"),
            key_may_be_blank=("family_name", "domain_name"),
            supersedes="key",
            exported_at="completed_date",
            header_versions={"v1": tuple(column.headers[0] for column in _SKILL_COLUMNS)},
            file_names=(rf"{_PRODUCT}_SkillArea.*\.(csv|txt)",),
            constants={"product": product_of},
        ),
    ),
)
