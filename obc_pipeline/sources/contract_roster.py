"""Contract roster: which student a contract pays for, from when to when, and with what share. Own layout, kept by the contract office."""

from __future__ import annotations

from obc_pipeline.sources.declaration import Column, Format, Table

_COLUMNS = (
    Column("contract_id", "id", ("contract_id",), "Contract.", is_header_required=True, is_value_required=True),
    Column("student_id", "id", ("student_id",), "Student id.", is_header_required=True, is_value_required=True),
    Column("line_id", "id", ("line_id",), "Line of the rate card; blank means all lines of the contract."),
    Column("school_id", "id", ("school_id",), "School of the student when assigned."),
    Column("start_on", "date", ("start_on", "start_date"), "First day of the assignment.", is_header_required=True, is_value_required=True),
    Column("end_on", "date", ("end_on", "end_date"), "Day after the last day of the assignment; blank while it lasts."),
    Column("end_reason", "text", ("end_reason",), "TRANSFER, OPT_OUT, SUBSTITUTED, SCHEDULE, MEDICAL, GRADUATED or DATA_ERROR."),
    Column(
        "vendor_share",
        "decimal",
        ("vendor_share",),
        "Share of the line due to this provider, 0-1; blank when not stated.",
        precision=(7, 6),
    ),
    Column("substituted_for", "id", ("substituted_for",), "Student whose place this one takes."),
    Column("is_consented", "boolean", ("is_consented", "parent_consent"), "Whether the family consented, where the law asks for it."),
)

FORMAT = Format(
    name="contract_roster",
    title="Contract roster",
    tables=(
        Table(
            name="assignment",
            description="One student assigned to a contract, or to one line of it, for a span of time.",
            columns=_COLUMNS,
            natural_key=("contract_id", "student_id", "line_id", "start_on"),
            key_may_be_blank=("line_id",),
            supersedes="scope",
            scope=("contract_id",),
            header_versions={"canonical": tuple(column.name for column in _COLUMNS)},
        ),
    ),
)
