"""Follow-ups: what was done about students who stayed away from tutoring. Own layout."""

from __future__ import annotations

from obc_pipeline.sources.declaration import Column, Format, Table

_COLUMNS = (
    Column("contract_id", "id", ("contract_id",), "Contract the student is served under.", is_header_required=True, is_value_required=True),
    Column(
        "student_id",
        "id",
        ("student_id", "student_number"),
        "Student who was followed up.",
        is_header_required=True,
        is_value_required=True,
    ),
    Column(
        "followed_up_on",
        "date",
        ("followed_up_on", "follow_up_date", "date"),
        "Day of it.",
        is_header_required=True,
        is_value_required=True,
    ),
    Column(
        "kind",
        "text",
        ("kind", "follow_up_kind"),
        "CALL, VISIT, MEETING, SCHEDULE_CHANGE or OTHER.",
        is_header_required=True,
        is_value_required=True,
    ),
    Column("by_role", "text", ("by_role", "role"), "Role that did it."),
    Column("text", "text", ("text", "note", "comment"), "What came of it, in words.", privacy="restricted"),
)

FORMAT = Format(
    name="ci_follow_up",
    title="Follow-ups",
    tables=(
        Table(
            name="follow_up",
            description="One follow-up of one student.",
            columns=_COLUMNS,
            natural_key=("contract_id", "student_id", "followed_up_on", "kind"),
            supersedes="key",
            header_versions={"canonical": tuple(column.name for column in _COLUMNS)},
        ),
    ),
)
