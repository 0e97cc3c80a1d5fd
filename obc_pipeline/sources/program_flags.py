"""Program side file: English learners, individual education programs, economic disadvantage; what OneRoster has no field for. Own layout."""

from __future__ import annotations

from obc_pipeline.sources.declaration import Column, Format, Table

_COLUMNS = (
    Column("student_id", "id", ("student_id",), "Student id.", is_header_required=True, is_value_required=True),
    Column(
        "program", "text", ("program", "program_code", "flag"), "EL, IEP, ECONOMIC_DISADVANTAGE, SECTION_504, GIFTED, HOMELESS, MIGRANT.",
        is_header_required=True, is_value_required=True,
    ),
    Column("begin_on", "date", ("begin_on", "begin_date", "start_date"), "First day in the program; blank when not known."),
    Column("end_on", "date", ("end_on", "end_date"), "Day after the last day in the program; blank while it lasts."),
)  # fmt: skip

FORMAT = Format(
    name="program_flags",
    title="Program flags",
    tables=(
        Table(
            name="student_program",
            description="One student in one program for a span of time.",
            columns=_COLUMNS,
            natural_key=("student_id", "program", "begin_on"),
            key_may_be_blank=("begin_on",),
            supersedes="scope",
            header_versions={"canonical": tuple(column.name for column in _COLUMNS)},
        ),
    ),
)
