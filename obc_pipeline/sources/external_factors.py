"""External factors: what happens around the program, as events (snow days, a strike) and as weekly or other rates (illness). Own layout."""

from __future__ import annotations

from obc_pipeline.sources.declaration import Column, Format, Table

_COLUMNS = (
    Column(
        "factor_id",
        "id",
        ("factor_id",),
        "Id of the factor's series; the spans and weeks of one series share it.",
        is_header_required=True,
        is_value_required=True,
    ),
    Column(
        "factor",
        "text",
        ("factor", "factor_name", "name"),
        "What it is, such as Flu-like illness.",
        is_header_required=True,
        is_value_required=True,
    ),
    Column(
        "kind",
        "text",
        ("kind", "factor_kind"),
        "EVENT: it was so in the span. RATE: a measured value for the span.",
        is_header_required=True,
        is_value_required=True,
    ),
    Column("school_id", "id", ("school_id", "SchoolID"), "School it concerns; blank means every school of the district."),
    Column(
        "starts_on",
        "date",
        ("starts_on", "start_date", "week_of"),
        "First day of the span.",
        is_header_required=True,
        is_value_required=True,
    ),
    Column("ends_on", "date", ("ends_on", "end_date"), "Last day of the span, inclusive; blank means the first day alone."),
    Column("value", "decimal", ("value", "rate"), "Value of a RATE in its unit; blank for an EVENT."),
    Column("unit", "text", ("unit",), "Unit of the value, such as share of students absent with symptoms."),
)

FORMAT = Format(
    name="external_factors",
    title="External factors",
    tables=(
        Table(
            name="factor",
            description="One span of one factor, at one school or at all.",
            columns=_COLUMNS,
            natural_key=("factor_id", "school_id", "starts_on"),
            key_may_be_blank=("school_id",),
            supersedes="key",
            header_versions={"canonical": tuple(column.name for column in _COLUMNS)},
        ),
    ),
)
