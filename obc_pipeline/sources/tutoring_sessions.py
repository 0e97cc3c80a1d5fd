"""Tutoring providers' session logs: DATAS 1.0.0 (what was attended, nothing else) and the fuller layout (schedule, status, absence reason).

Both become one table; `layout` says which questions a row can answer. DATAS has no session id, so such rows are named by student,
tutor, topic and the moment the session began.
"""

from __future__ import annotations

from obc_pipeline.sources.declaration import TIMESTAMP_FORMATS, Column, Format, Table

_MOMENTS = (
    *TIMESTAMP_FORMATS, "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y",
)  # fmt: skip
_DATAS = ("student_id", "session_topic", "session_date", "session_duration", "session_ratio", "tutor_id")
_SCHEDULE = {"session_status", "attendance_status"}


def layout_of(filled: frozenset[str]) -> str:
    """`full` when the header says whether sessions took place and who was absent, else `datas`: attended sessions only."""
    return "full" if _SCHEDULE & filled else "datas"


_SESSION_COLUMNS = (
    Column("session_id", "id", ("session_id",), "Provider's id of the session; DATAS has none."),
    Column("student_id", "id", ("student_id",), "Student id.", is_header_required=True, is_value_required=True),
    Column("tutor_id", "id", ("tutor_id",), "Tutor who gave the session.", is_header_required=True),
    Column("session_topic", "text", ("session_topic", "associated_subjects"), "Subject as sent, such as math or ela.", is_header_required=True),
    Column(
        "session_on", "date", ("session_date", "session_on", "session_datetime", "scheduled_start_date"), "Day of the session.",
        formats=_MOMENTS, is_header_required=True, is_value_required=True,
    ),
    Column(
        "session_at", "timestamp", description="The same field as `session_on` with its time; midnight when the sender gave a day only.",
        formats=_MOMENTS, same_as="session_on",
    ),
    Column("scheduled_start_at", "timestamp", ("scheduled_start_at",), "When it was to begin.", formats=_MOMENTS),
    Column("scheduled_start_time", "time", ("scheduled_start_time",), "Time of day it was to begin, where sent apart from the day."),
    Column(
        "scheduled_duration_minutes", "decimal", ("scheduled_duration_minutes", "scheduled_duration"), "Minutes it was to last.", precision=(9, 2)
    ),
    Column("actual_start_at", "timestamp", ("actual_start_at", "actual_session_start_time"), "When it began.", formats=_MOMENTS),
    Column("actual_end_at", "timestamp", ("actual_end_at", "actual_session_end_time"), "When it ended.", formats=_MOMENTS),
    Column(
        "student_joined_at", "timestamp", ("student_joined_at", "present_students_joined_session_at"), "When the student joined.",
        formats=_MOMENTS,
    ),
    Column("student_left_at", "timestamp", ("student_left_at", "present_students_left_session_at"), "When the student left.", formats=_MOMENTS),
    Column(
        "session_duration_minutes", "decimal", ("session_duration", "session_duration_minutes"), "Minutes the student was present.",
        precision=(9, 2),
    ),
    Column("session_status", "text", ("session_status",), "scheduled, completed, canceled or no_show_tutor; blank in DATAS."),
    Column("attendance_status", "text", ("attendance_status",), "present, absent or late; blank in DATAS, which lists attended sessions only."),
    Column("absence_reason", "text", ("absence_reason",), "Why the student was absent, as the provider says."),
    Column("delivery_mode", "text", ("delivery_mode", "session_delivery_type"), "in-person, online or hybrid."),
    Column("group_size", "integer", ("group_size",), "Students in the session."),
    Column("session_ratio", "text", ("session_ratio",), "Students per tutor as sent, such as 1:3; spreadsheets turn it into a time."),
    Column("program_id", "id", ("program_id", "tutoring_program_id"), "Provider's program."),
    Column("provider_reference", "id", ("tutoring_organization_id",), "Provider's id of itself."),
    Column("school_id", "id", ("school_id", "student_school_id"), "School of the student."),
    Column("student_grade_level", "text", ("student_grade_level",), "Grade of the student, as sent."),
    Column("participation_level", "integer", ("participation_level",), "Tutor's rating of participation, 1-5."),
    Column("activities_completed", "integer", ("activities_completed",), "Activities completed in the session."),
    Column("progress_monitor_score", "decimal", ("progress_monitor_score",), "Provider's own check, 0-100.", precision=(9, 2)),
    Column("feedback_comments", "text", ("feedback_comments",), "Free text about the session.", privacy="restricted"),
    Column("layout", "text", description="datas: attended sessions only; full: with schedule, status and absences."),
)  # fmt: skip

_FLAG = "As sent: TRUE, 1, yes, y, t; FALSE, 0, no, n, f; blank, Unknown or declined when not known."
_STUDENT_COLUMNS = (
    Column("student_id", "id", ("student_id",), "Student id.", is_header_required=True, is_value_required=True),
    Column("district_id", "id", ("district_id",), "District id.", is_header_required=True),
    Column("district_name", "text", ("district_name",), "District's name."),
    Column("school_id", "id", ("school_id",), "School id.", is_header_required=True),
    Column("school_name", "text", ("school_name",), "School's name."),
    Column("current_grade_level", "text", ("current_grade_level",), "Grade as sent: -1 to 12, Pre-K, PK, K, KG.", is_header_required=True),
    Column("gender", "text", ("gender", "sex"), "Gender as sent."),
    Column("ethnicity", "text", ("ethnicity",), "Race or ethnicity as sent."),
    Column("ell", "text", ("ell", "english_learner"), f"English learner. {_FLAG}"),
    Column("iep", "text", ("iep",), f"Individual education program. {_FLAG}"),
    Column("gifted_flag", "text", ("gifted_flag",), f"Gifted. {_FLAG}"),
    Column("homeless_flag", "text", ("homeless_flag",), f"Homeless. {_FLAG}"),
    Column("disability", "text", ("disability",), f"Disability. {_FLAG}"),
    Column("economic_disadvantage", "text", ("economic_disadvantage", "free_reduced_lunch"), f"Economic disadvantage. {_FLAG}"),
    *(
        Column(
            f"{subject}_outcome_measure_{number}", "text", (f"{subject}_outcome_measure_{number}", f"{subject}_state_score_{year}"),
            f"{said} outcome, {when}.",
        )
        for subject, said in (("ela", "Reading"), ("math", "Mathematics"))
        for number, year, when in ((1, "two_years_ago", "earliest"), (2, "one_year_ago", "middle"), (3, "current_year", "latest"))
    ),
    Column(
        "performance_level_previous", "text", ("performance_level_previous", "performance_level_prior_year"), "Performance level a year ago."
    ),
    Column(
        "performance_level_most_recent", "text", ("performance_level_most_recent", "performance_level_current_year"), "Latest performance level."
    ),
    Column("performance_level_earliest", "text", ("performance_level_earliest",), "Earliest performance level."),
)  # fmt: skip

_FULL = (
    "session_id", "student_id", "tutor_id", "session_topic", "session_date", "scheduled_start_at", "scheduled_duration_minutes",
    "actual_start_at", "actual_end_at", "student_joined_at", "student_left_at", "session_duration_minutes", "session_status",
    "attendance_status", "absence_reason", "delivery_mode", "group_size", "session_ratio", "program_id", "school_id", "participation_level",
)  # fmt: skip
_DRAFT = (
    "session_id", "student_id", "tutor_id", "scheduled_start_date", "scheduled_start_time", "scheduled_duration", "session_status",
    "session_delivery_type", "tutoring_organization_id", "tutoring_program_id", "actual_session_start_time", "actual_session_end_time",
    "associated_subjects", "progress_monitor_score", "student_school_id", "student_grade_level", "present_students_joined_session_at",
    "present_students_left_session_at", "attendance_status", "participation_level", "activities_completed", "feedback_comments",
)  # fmt: skip

FORMAT = Format(
    name="tutoring_sessions",
    title="Tutoring session logs",
    options={"layout": "full or datas: what the provider promised; the header decides what a file is."},
    tables=(
        Table(
            name="session_student",
            description="One student in one session: attended, and in the fuller layout also scheduled, missed and why.",
            columns=_SESSION_COLUMNS,
            natural_key=("session_id", "student_id"),
            fallback_key=("student_id", "tutor_id", "session_topic", "session_at"),
            key_may_be_blank=("tutor_id", "session_topic"),
            supersedes="key",
            exported_at="session_on",
            header_versions={"datas": _DATAS, "full": _FULL, "draft_2024_10": _DRAFT},
            constants_from_columns={"layout": layout_of},
            needs_one_of=(("session_duration_minutes", "student_left_at", "actual_end_at"),),
        ),
        Table(
            name="datas_student",
            description="DATAS 1.0.0 students.csv: the students a provider serves, as the district described them.",
            columns=_STUDENT_COLUMNS,
            natural_key=("student_id",),
            supersedes="scope",
            header_versions={"datas": tuple(column.headers[0] for column in _STUDENT_COLUMNS)},
            district_columns=("district_id", "district_name"),
        ),
    ),
)
