"""Meetings of the continuous-improvement workgroups: which group met when, over what, and whether it looked at data. Own layout."""

from __future__ import annotations

from obc_pipeline.sources.declaration import Column, Format, Table

_COLUMNS = (
    Column("meeting_id", "id", ("meeting_id",), "Id of the meeting.", is_header_required=True, is_value_required=True),
    Column(
        "workgroup_id",
        "id",
        ("workgroup_id", "workgroup"),
        "Workgroup that met, as in ci_structure.yml.",
        is_header_required=True,
        is_value_required=True,
    ),
    Column("contract_id", "id", ("contract_id",), "Contract it was about; blank means all."),
    Column("school_id", "id", ("school_id", "SchoolID"), "School it was about; blank means all."),
    Column("held_on", "date", ("held_on", "meeting_date", "date"), "Day it was held.", is_header_required=True, is_value_required=True),
    Column("attendee_roles", "text", ("attendee_roles", "attendees"), "Roles that took part, a list."),
    Column("is_data_reviewed", "boolean", ("is_data_reviewed", "data_reviewed"), "Whether data was looked at; blank when not noted."),
)

FORMAT = Format(
    name="ci_meeting",
    title="Improvement meetings",
    tables=(
        Table(
            name="meeting",
            description="One meeting of a workgroup.",
            columns=_COLUMNS,
            natural_key=("meeting_id",),
            supersedes="key",
            header_versions={"canonical": tuple(column.name for column in _COLUMNS)},
        ),
    ),
)
