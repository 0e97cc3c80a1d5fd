"""OneRoster CSV 1.1 and 1.2 rostering files and demographics: a zip whose manifest says which files are full snapshots.

A record absent from a later bulk file is deleted, so a short file is dangerous: every table is guarded. Passwords are never read; names
and birth dates are restricted. Spellings of version 1.0 and of common exporters are further headers of the same columns.
"""

from __future__ import annotations

from collections.abc import Mapping

from obc_pipeline.sources.declaration import Column, Format, LoadKind, Table

_DATES = ("%Y-%m-%d", "%m/%d/%Y", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ")

_FILES = {
    "academic_sessions": "academicSessions", "orgs": "orgs", "courses": "courses", "classes": "classes", "users": "users", "roles": "roles",
    "enrollments": "enrollments", "demographics": "demographics",
}  # fmt: skip


def load_kind(manifest: Mapping[str, str], table_name: str) -> LoadKind:
    """What the manifest says about a table's file: bulk, delta or absent.

    `manifest` maps propertyName to value, such as `file.users` to `delta`. A package without manifest, or one that is silent about the
    file, holds full snapshots (version 1.0 had nothing else).
    """
    said = manifest.get(f"file.{_FILES.get(table_name, table_name)}", "bulk").strip().lower()
    if said == "delta":
        return "delta"
    return "absent" if said == "absent" else "bulk"


def _reference(header: str, description: str, *aliases: str, is_required: bool = False) -> Column:
    return Column.of(header, "id", description, *aliases, is_header_required=is_required, is_value_required=is_required)


def _record(*sourced_id_aliases: str) -> tuple[Column, ...]:
    """The three columns every file begins with."""
    return (
        _reference("sourcedId", "Roster system's id of the record.", *sourced_id_aliases, is_required=True),
        Column.of("status", "text", "Blank in a full snapshot; active or tobedeleted in a delta."),
        Column.of("dateLastModified", "timestamp", "When the record was last changed, UTC; blank in a full snapshot."),
    )


def _table(
    name: str, description: str, columns: tuple[Column, ...], header_versions: Mapping[str, tuple[str, ...]], **more: object
) -> Table:
    return Table(
        name=name,
        description=description,
        columns=columns,
        natural_key=("sourced_id",),
        supersedes="scope",
        header_versions=header_versions,
        file_names=(rf"{_FILES[name]}\b.*\.csv",),
        **more,  # type: ignore[arg-type]
    )


def _headers(columns: tuple[Column, ...], *left_out: str) -> tuple[str, ...]:
    return tuple(column.headers[0] for column in columns if column.name not in left_out)


_ACADEMIC_SESSIONS = (
    *_record(),
    Column.of("title", "text", "Name of the session."),
    Column.of("type", "text", "gradingPeriod, semester, schoolYear or term.", is_header_required=True),
    Column.of("startDate", "date", "First day.", formats=_DATES, is_header_required=True),
    Column.of("endDate", "date", "Day after the last day: the end is exclusive.", formats=_DATES, is_header_required=True),
    _reference("parentSourcedId", "Session this one is part of."),
    Column.of("schoolYear", "integer", "Year in which the school year ends."),
)
_ORGS = (
    *_record(),
    Column.of("name", "text", "Name of the organisation.", is_header_required=True),
    Column.of("type", "text", "department, school, district, local, state or national.", is_header_required=True),
    Column.of("identifier", "id", "State or federal id; leading zeros kept."),
    _reference("parentSourcedId", "Organisation this one belongs to."),
)
_COURSES = (
    *_record(),
    _reference("schoolYearSourcedId", "School year of the course.", "schoolYearId"),
    Column.of("title", "text", "Name of the course.", is_header_required=True),
    Column.of("courseCode", "id", "Code of the course."),
    Column.of("grades", "text", "Grades, a list.", "grade"),
    _reference("orgSourcedId", "Organisation that offers the course.", is_required=True),
    Column.of("subjects", "text", "Subjects, a list."),
    Column.of("subjectCodes", "text", "Subject codes, a list."),
)
_CLASSES = (
    *_record(),
    Column.of("title", "text", "Name of the class."),
    Column.of("grades", "text", "Grades, a list.", "grade"),
    _reference("courseSourcedId", "Course of the class.", is_required=True),
    Column.of("classCode", "id", "Code of the class."),
    Column.of("classType", "text", "homeroom or scheduled."),
    Column.of("location", "text", "Room."),
    _reference("schoolSourcedId", "School of the class.", is_required=True),
    Column.of("termSourcedIds", "text", "Terms the class runs in, a list.", "termSourcedId", "terms", is_header_required=True),
    Column.of("subjects", "text", "Subjects, a list."),
    Column.of("subjectCodes", "text", "Subject codes, a list."),
    Column.of("periods", "text", "Periods of the day, a list."),
)
_USERS_SHARED = (
    Column.of("username", "text", "Login name.", privacy="restricted"),
    Column.of("userIds", "text", "Further ids, a list such as {LDAP:Id},{LTI:Id}.", "userId"),
    Column.of("givenName", "text", "Given name.", privacy="restricted", is_header_required=True),
    Column.of("familyName", "text", "Family name.", privacy="restricted", is_header_required=True),
    Column.of("middleName", "text", "Middle name.", privacy="restricted"),
    Column.of("identifier", "id", "District's own number of the person, in most exports."),
    Column.of("email", "text", "E-mail address; archive only.", privacy="drop"),
    Column.of("sms", "text", "Telephone; archive only.", privacy="drop"),
    Column.of("phone", "text", "Telephone; archive only.", privacy="drop"),
    Column.of("agentSourcedIds", "text", "Parents and guardians, a list; archive only.", "agents", privacy="drop"),
    Column.of("grades", "text", "Grades, a list of codes such as KG, 01.", "grade"),
    Column.of("password", "text", "Password; never read.", privacy="drop"),
)
_USERS_1_1_ONLY = (
    Column.of("orgSourcedIds", "text", "Schools of the person, a list (version 1.1)."),
    Column.of("role", "text", "student, teacher and others (version 1.1)."),
)
_USERS_1_2_ONLY = (
    Column.of("userMasterIdentifier", "id", "Id of the person across systems (version 1.2)."),
    Column.of("resourceSourcedIds", "text", "Learning resources, a list (version 1.2)."),
    Column.of("preferredGivenName", "text", "Given name the person prefers.", privacy="restricted"),
    Column.of("preferredMiddleName", "text", "Middle name the person prefers.", privacy="restricted"),
    Column.of("preferredFamilyName", "text", "Family name the person prefers.", privacy="restricted"),
    _reference("primaryOrgSourcedId", "Primary school (version 1.2)."),
    Column.of("pronouns", "text", "Pronouns; archive only.", privacy="drop"),
)
_ENABLED = Column.of("enabledUser", "boolean", "Whether the account is enabled.")
_USERS = (*_record(), _ENABLED, *_USERS_1_1_ONLY, *_USERS_SHARED, *_USERS_1_2_ONLY)
_ROLES = (
    *_record(),
    _reference("userSourcedId", "Person.", is_required=True),
    Column.of("roleType", "text", "primary or secondary; one primary per organisation."),
    Column.of("role", "text", "student, teacher, principal and others.", is_header_required=True, is_value_required=True),
    Column.of("beginDate", "date", "First day of the role.", formats=_DATES),
    Column.of("endDate", "date", "Day after the last day of the role.", formats=_DATES),
    _reference("orgSourcedId", "Organisation in which the person has the role.", is_required=True),
    _reference("userProfileSourcedId", "Profile used."),
)
_ENROLLMENTS = (
    *_record(),
    _reference("classSourcedId", "Class.", is_required=True),
    _reference("schoolSourcedId", "School."),
    _reference("userSourcedId", "Person.", is_required=True),
    Column.of("role", "text", "administrator, proctor, student or teacher.", is_header_required=True, is_value_required=True),
    Column.of("primary", "boolean", "Primary teacher of the class; teachers only."),
    Column.of("beginDate", "date", "First day in the class.", formats=_DATES),
    Column.of("endDate", "date", "Day after the last day in the class.", formats=_DATES),
)
_DEMOGRAPHICS = (
    *_record("userSourcedId"),
    Column.of("birthDate", "date", "Birth date.", formats=_DATES, privacy="restricted"),
    Column.of("sex", "text", "male, female; version 1.2 also unspecified, other."),
    Column.of("americanIndianOrAlaskaNative", "boolean", "Blank is unknown, not false."),
    Column.of("asian", "boolean", "Blank is unknown, not false."),
    Column.of("blackOrAfricanAmerican", "boolean", "Blank is unknown, not false."),
    Column.of(
        "nativeHawaiianOrOtherPacificIslander", "boolean", "Blank is unknown, not false.", "nativeAmericanOrOtherPacificIslander"
    ),
    Column.of("white", "boolean", "Blank is unknown, not false."),
    Column.of("demographicRaceTwoOrMoreRaces", "boolean", "Blank is unknown, not false."),
    Column.of("hispanicOrLatinoEthnicity", "boolean", "Blank is unknown, not false."),
    Column.of("countryOfBirthCode", "text", "Country of birth; archive only.", privacy="drop"),
    Column.of("stateOfBirthAbbreviation", "text", "State of birth; archive only.", privacy="drop"),
    Column.of("cityOfBirth", "text", "Town of birth; archive only.", privacy="drop"),
    Column.of("publicSchoolResidenceStatus", "text", "Residence status; archive only.", privacy="drop"),
)  # fmt: skip


def _both(columns: tuple[Column, ...]) -> dict[str, tuple[str, ...]]:
    return {"1.1 and 1.2": _headers(columns)}


FORMAT = Format(
    name="oneroster",
    title="OneRoster CSV 1.1 and 1.2",
    load_kind=load_kind,
    manifest_table="manifest",
    ignored_members=(
        r"(userProfiles|userResources|categories|lineItems|results|resources|classResources|courseResources|scoreScales"
        r"|lineItemScoreScales|lineItemLearningObjectiveIds|resultScoreScales|resultLearningObjectiveIds)\.csv",
    ),
    tables=(
        Table(
            name="manifest",
            description="manifest.csv: which files the package holds, and whether each is a full snapshot.",
            columns=(
                Column.of("propertyName", "text", "Name of the property, such as file.users.", is_header_required=True, is_value_required=True),
                Column.of("value", "text", "Its value, such as bulk.", is_header_required=True),
            ),
            natural_key=("property_name",),
            supersedes="scope",
            header_versions={"1.1 and 1.2": ("propertyName", "value")},
            file_names=(r"manifest\b.*\.csv",),
            is_short_file_guarded=False,
        ),
        _table("academic_sessions", "School years, semesters and terms.", _ACADEMIC_SESSIONS, _both(_ACADEMIC_SESSIONS)),
        _table("orgs", "District and schools.", _ORGS, _both(_ORGS)),
        _table(
            "courses",
            "Courses.",
            _COURSES,
            _both(_COURSES),
            needs_one_of=(("course_code", "school_year_sourced_id", "grades", "subjects"),),
        ),
        _table("classes", "Classes.", _CLASSES, _both(_CLASSES)),
        _table(
            "users",
            "Students and staff. Version 1.2 keeps roles and schools in `roles`.",
            _USERS,
            {
                "1.1": _headers((*_record(), _ENABLED, *_USERS_1_1_ONLY, *_USERS_SHARED)),
                "1.2": _headers((*_record(), _ENABLED, *_USERS_SHARED, *_USERS_1_2_ONLY)),
            },
        ),
        _table("roles", "Role of a person in an organisation (version 1.2).", _ROLES, {"1.2": _headers(_ROLES)}),
        _table("enrollments", "Who is in which class, from when to when.", _ENROLLMENTS, _both(_ENROLLMENTS)),
        _table(
            "demographics",
            "Demographics; `sourced_id` is that of the user.",
            _DEMOGRAPHICS,
            _both(_DEMOGRAPHICS),
            needs_one_of=(("birth_date", "sex", "asian"),),
        ),
    ),
)  # fmt: skip
