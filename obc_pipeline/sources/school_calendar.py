"""School calendar: one row per school and day, own layout. Without it absences have no denominator and sessions no working days."""

from __future__ import annotations

from obc_pipeline.sources.declaration import Column, Format, Table

_COLUMNS = (
    Column("school_id", "id", ("school_id", "SchoolID"), "School; blank means every school of the district."),
    Column(
        "calendar_on", "date", ("calendar_on", "calendar_date", "date", "Date_Value"), "Day.", is_header_required=True, is_value_required=True
    ),
    Column(
        "is_in_session", "boolean", ("is_in_session", "in_session", "InSession"), "Whether students are expected that day.",
        is_header_required=True, is_value_required=True,
    ),
    Column("day_type", "text", ("day_type",), "INSTRUCTIONAL, HOLIDAY, CLOSURE, ASSESSMENT_DAY, BREAK or STAFF_DAY."),
    Column(
        "school_year", "text", ("school_year",), "School year, such as 2025-2026; a file replaces the years it covers.",
        is_header_required=True, is_value_required=True,
    ),
    Column("note", "text", ("note",), "Why, such as the name of a holiday."),
)  # fmt: skip

FORMAT = Format(
    name="school_calendar",
    title="School calendar",
    tables=(
        Table(
            name="calendar_day",
            description="One day of a school, or of all schools when none is named.",
            columns=_COLUMNS,
            natural_key=("school_id", "calendar_on"),
            key_may_be_blank=("school_id",),
            supersedes="scope",
            scope=("school_year",),
            header_versions={"canonical": tuple(column.name for column in _COLUMNS)},
        ),
    ),
)
