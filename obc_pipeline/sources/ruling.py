"""Rulings: what people decided, dated and signed, as rows like any other. Own layout; a held payment names the ruling that would resolve it."""

from __future__ import annotations

from obc_pipeline.sources.declaration import Column, Format, Table

_COLUMNS = (
    Column("ruling_id", "id", ("ruling_id",), "Id of the ruling.", is_header_required=True, is_value_required=True),
    Column("ruled_on", "date", ("ruled_on", "ruling_date"), "Day of the ruling.", is_header_required=True, is_value_required=True),
    Column("ruled_by", "text", ("ruled_by",), "Who ruled.", is_header_required=True, is_value_required=True),
    Column("party_roles", "text", ("party_roles",), "Roles that agreed, a list."),
    Column(
        "subject", "text", ("subject",),
        "DISPUTE, ABSENCE_CAUSE, MISSING_TEST_CAUSE, OBLIGATION_EVIDENCE, ATTENDANCE_CONFLICT, OVERLAP or LATE_CHANGE.",
        is_header_required=True, is_value_required=True,
    ),
    Column("contract_id", "id", ("contract_id",), "Contract concerned; blank when more than one is."),
    Column("student_id", "id", ("student_id",), "Student concerned; blank when it is not about one student."),
    Column("key", "text", ("key",), "What is ruled on, such as a window, session or obligation.", is_header_required=True),
    Column("value", "text", ("value",), "What was decided.", is_header_required=True),
    Column("reason", "text", ("reason",), "Why, in the words of those who decided.", privacy="restricted"),
    Column("evidence_uri", "text", ("evidence_uri",), "Where the evidence is kept."),
)  # fmt: skip

FORMAT = Format(
    name="ruling",
    title="Rulings",
    tables=(
        Table(
            name="ruling",
            description="One decision of people about a contract, student, session or obligation.",
            columns=_COLUMNS,
            natural_key=("ruling_id",),
            supersedes="key",
            exported_at="ruled_on",
            header_versions={"canonical": tuple(column.name for column in _COLUMNS)},
        ),
    ),
)
