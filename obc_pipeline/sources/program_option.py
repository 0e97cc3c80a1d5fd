"""Program options: what the district could do about a need, with reach, cost and the effect to be expected. Own layout; the whole list each time."""

from __future__ import annotations

from obc_pipeline.sources.declaration import Column, Format, Table

_COLUMNS = (
    Column("option_id", "id", ("option_id",), "Id of the option.", is_header_required=True, is_value_required=True),
    Column(
        "need",
        "text",
        ("need", "core_need"),
        "Need that it answers; options are compared within one need.",
        is_header_required=True,
        is_value_required=True,
    ),
    Column("option_name", "text", ("option_name", "option", "name"), "What it is.", is_header_required=True, is_value_required=True),
    Column("contract_id", "id", ("contract_id",), "Running contract that it is; blank for anything else."),
    Column("reachable_students", "integer", ("reachable_students", "reach"), "Students with the need whom it can reach."),
    Column("capacity_students", "integer", ("capacity_students", "capacity"), "Students it has room for."),
    Column(
        "cost_per_student_amount",
        "decimal",
        ("cost_per_student_amount", "cost_per_student"),
        "US dollars per student and year, all ingredients.",
        precision=(18, 2),
    ),
    Column(
        "outcome_rate_gain_low",
        "decimal",
        ("outcome_rate_gain_low", "gain_low"),
        "Share of students who reach the outcome because of it, pessimistic, such as 0.02.",
    ),
    Column(
        "outcome_rate_gain_base",
        "decimal",
        ("outcome_rate_gain_base", "gain_base", "outcome_rate_gain"),
        "The same, as expected.",
        is_header_required=True,
    ),
    Column("outcome_rate_gain_high", "decimal", ("outcome_rate_gain_high", "gain_high"), "The same, optimistic."),
    Column("evidence_grade", "text", ("evidence_grade", "evidence"), "STRONG, MODERATE, PROMISING or RATIONALE (the ESSA tiers)."),
    Column(
        "sustainability_years", "decimal", ("sustainability_years",), "Years for which it is paid for or can be kept up.", precision=(9, 2)
    ),
)

FORMAT = Format(
    name="program_option",
    title="Program options",
    tables=(
        Table(
            name="option",
            description="One option for one need.",
            columns=_COLUMNS,
            natural_key=("option_id",),
            supersedes="scope",
            is_short_file_guarded=False,  # a short list of a few rows: one taken away is a tenth already
            header_versions={"canonical": tuple(column.name for column in _COLUMNS)},
        ),
    ),
)
