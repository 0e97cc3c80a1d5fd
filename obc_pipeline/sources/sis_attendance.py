"""School attendance from the student information system: exceptions only (absences, tardies, early releases), any layout.

No student information system has one attendance export: a district picks the columns. So the headers of PowerSchool, Infinite Campus and
Ed-Fi are presets, and a source's `columns` add what a district named otherwise. A day without a row is a day present, which is why a
file must hold the school year to date and replaces that year as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from obc_pipeline.sources.declaration import Column, Format, Table

_DATES = ("%Y-%m-%d", "%m/%d/%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y%m%d")


def _code(code: str, status: str, *, excuse: str | None = None, is_excused: bool | None = None) -> Mapping[str, Any]:
    """`code` is compared with a row's `code` and with its `status_raw`; `excuse` None stands for whatever the excuse."""
    return {"code": code, "excuse": excuse, "status": status, "is_excused": is_excused}


# What codes mean when a source lists none of its own, per preset. Letters such as A, T and E mean other things in other districts, so these
# hold only what the systems themselves define: PowerSchool's presence status, Infinite Campus' status and excuse, Ed-Fi's published
# descriptors (the part after #, see staging). A tardy student is present. Targets: CEDS element 000076.
ATTENDANCE_CODES: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "powerschool": (_code("Absent", "ABSENT"), _code("Present", "PRESENT")),
    "infinite_campus": (
        _code("A", "ABSENT", excuse="E", is_excused=True),
        _code("A", "ABSENT", excuse="U", is_excused=False),
        _code("A", "PRESENT", excuse="X", is_excused=True),  # exempt, such as a school activity, is not an absence
        _code("A", "ABSENT"),
        _code("T", "TARDY"),
        _code("E", "EARLY_DEPARTURE"),
        _code("P", "PRESENT"),
    ),
    "edfi": (
        _code("In Attendance", "PRESENT"),
        _code("Present", "PRESENT"),
        _code("Excused Absence", "ABSENT", is_excused=True),
        _code("Unexcused Absence", "ABSENT", is_excused=False),
        _code("Tardy", "TARDY"),
        _code("Early departure", "EARLY_DEPARTURE"),
    ),
}

_POWERSCHOOL = {
    "Student_Number": "student_id",
    "Students.Student_Number": "student_id",
    "[Students]Student_Number": "student_id",
    "StudentID": "source_student_id",
    "SchoolID": "school_id",
    "Attendance.SchoolID": "school_id",
    "Att_Date": "attendance_on",
    "Attendance.Att_Date": "attendance_on",
    "Att_Code": "code",
    "Attendance_Code.Att_Code": "code",
    "Description": "code_description",
    "Presence_Status_CD": "status_raw",
    "Attendance_Code.Presence_Status_CD": "status_raw",
    "Att_Mode_Code": "mode",
    "PeriodID": "period",
    "Total_Minutes": "minutes_recorded",
    "DCID": "source_record_id",
    "YearID": "source_year_id",
    "WhenModified": "entered_at",
    "Att_Comment": "comment",
}
_INFINITE_CAMPUS = {
    "studentNumber": "student_id",
    "personID": "source_student_id",
    "stateID": "student_state_id",
    "schoolNumber": "school_id",
    "schoolID": "school_id",
    "calendarID": "calendar_id",
    "date": "attendance_on",
    "code": "code",
    "description": "code_description",
    "status": "status_raw",
    "excuse": "excuse_raw",
    "periodName": "period",
    "periodID": "period",
    "presentMinutes": "minutes_present",
    "absentMinutes": "minutes_absent",
    "modifiedDate": "entered_at",
    "comments": "comment",
}
_EDFI = {
    "studentUniqueId": "student_id",
    "studentReference.studentUniqueId": "student_id",
    "schoolId": "school_id",
    "schoolReference.schoolId": "school_id",
    "sessionName": "session_name",
    "sessionReference.sessionName": "session_name",
    "eventDate": "attendance_on",
    "attendanceEventCategoryDescriptor": "code",
    "attendanceEventReason": "excuse_raw",
    "eventDuration": "absent_share",
    "schoolAttendanceDuration": "minutes_present",
    "_lastModifiedDate": "entered_at",
    "id": "source_record_id",
}

FORMAT = Format(
    name="sis_attendance",
    title="School attendance (exceptions only)",
    delimiters=(",", "\t"),
    options={
        "preset": "powerschool, infinite_campus or edfi: the system's usual headers.",
        "attendance_codes": "What each local code means; without it, what the system itself defines.",
    },
    tables=(
        Table(
            name="attendance_event",
            description="One absence, tardy or early release of a student on a day, or in a period of it.",
            columns=(
                Column("student_id", "id", ("student_id",), "Student id.", is_header_required=True, is_value_required=True),
                Column("school_id", "id", ("school_id",), "School id."),
                Column(
                    "attendance_on", "date", ("attendance_on", "attendance_date"), "Day of the absence.", formats=_DATES,
                    is_header_required=True, is_value_required=True,
                ),
                Column("code", "id", ("code", "attendance_code"), "Code as sent, local to the district; an Ed-Fi descriptor ends in it after #."),
                Column("status_raw", "text", ("status_raw",), "Status as the system itself defines it, such as Absent or T."),
                Column("excuse_raw", "text", ("excuse_raw",), "Excuse as sent."),
                Column("period", "text", ("period",), "Period of the day; blank for a whole day."),
                Column("absent_share", "decimal", ("absent_share",), "Share of the day missed, 0-1, where the sender says so.", precision=(7, 6)),
                Column("minutes_absent", "decimal", ("minutes_absent",), "Minutes missed.", precision=(9, 2)),
                Column("minutes_present", "decimal", ("minutes_present",), "Minutes present.", precision=(9, 2)),
                Column("minutes_recorded", "decimal", (), "Minutes as recorded; whether missed or present depends on the mode.", precision=(9, 2)),
                Column("entered_at", "timestamp", ("entered_at",), "When the record was entered or last changed."),
                Column("code_description", "text", ("code_description",), "What the sender calls the code."),
                Column("mode", "text", ("mode",), "Daily or by period, as the sender says."),
                Column("session_name", "text", ("session_name",), "Term, where a day may be reported under two."),
                Column("source_student_id", "id", (), "The system's inner id of the student, not the student number."),
                Column("student_state_id", "id", (), "State's student id."),
                Column("calendar_id", "id", (), "Calendar of the school."),
                Column("source_record_id", "id", (), "The system's id of the record."),
                Column("source_year_id", "id", (), "The system's id of the school year."),
                Column("comment", "text", ("comment", "att_notes"), "Free text; archive only.", privacy="drop"),
                Column(
                    "school_year", "text",
                    description="School year of the day, such as 2025-2026; years turn on 1 July.",
                    expression=(
                        "CASE WHEN month(attendance_on) >= 7 THEN concat(year(attendance_on), '-', year(attendance_on) + 1) "
                        "ELSE concat(year(attendance_on) - 1, '-', year(attendance_on)) END"
                    ),
                ),
            ),
            natural_key=("student_id", "attendance_on", "school_id", "period", "session_name", "source_record_id"),
            key_may_be_blank=("school_id", "period", "session_name", "source_record_id"),
            supersedes="scope",
            scope=("school_year",),
            exported_at="attendance_on",
            header_versions={
                "canonical": (
                    "student_id", "school_id", "attendance_on", "code", "status_raw", "excuse_raw", "period", "absent_share", "minutes_absent",
                    "entered_at",
                ),
                "powerschool": ("Student_Number", "SchoolID", "Att_Date", "Att_Code", "Presence_Status_CD", "Total_Minutes"),
                "infinite_campus": (
                    "personID", "stateID", "studentNumber", "calendarID", "periodName", "date", "status", "excuse", "code", "description",
                ),
                "edfi": (
                    "studentUniqueId", "schoolId", "sessionName", "eventDate", "attendanceEventCategoryDescriptor", "attendanceEventReason",
                    "eventDuration",
                ),
            },
            presets={"powerschool": _POWERSCHOOL, "infinite_campus": _INFINITE_CAMPUS, "edfi": _EDFI},
            needs_one_of=(("code", "status_raw"),),
        ),
    ),
)  # fmt: skip
