"""Costs by ingredient: what a program or an option costs, whoever pays. Own layout; the whole list each time, so that a withdrawn cost is gone."""

from __future__ import annotations

from obc_pipeline.sources.declaration import Column, Format, Table

_COLUMNS = (
    Column("cost_id", "id", ("cost_id",), "Id of the cost.", is_header_required=True, is_value_required=True),
    Column("contract_id", "id", ("contract_id",), "Contract it is a cost of; blank for an option that is no contract."),
    Column("option_id", "id", ("option_id",), "Program option it is a cost of; blank for a contract's."),
    Column(
        "ingredient",
        "text",
        ("ingredient", "category"),
        "VENDOR_BASE, VENDOR_OUTCOME, STAFF_TIME, SPACE, DEVICES, TRANSPORT, DATA, TRAINING or OTHER.",
        is_header_required=True,
        is_value_required=True,
    ),
    Column("paid_by", "text", ("paid_by", "payer"), "DISTRICT, VENDOR or GRANT.", is_header_required=True, is_value_required=True),
    Column("starts_on", "date", ("starts_on", "start_date"), "First day it is for.", is_header_required=True, is_value_required=True),
    Column("ends_on", "date", ("ends_on", "end_date"), "Last day it is for, inclusive; blank means the first day alone."),
    Column(
        "amount",
        "decimal",
        ("amount", "amount_usd", "cost"),
        "US dollars; negative for a credit.",
        is_header_required=True,
        is_value_required=True,
        precision=(18, 2),
    ),
    Column(
        "is_planned",
        "boolean",
        ("is_planned", "planned"),
        "Whether it is planned (yes) or has been spent (no).",
        is_header_required=True,
        is_value_required=True,
    ),
)

FORMAT = Format(
    name="cost",
    title="Costs",
    tables=(
        Table(
            name="cost",
            description="One cost of one ingredient over a span of time.",
            columns=_COLUMNS,
            natural_key=("cost_id",),
            supersedes="scope",
            is_short_file_guarded=False,  # a short list of a few rows: one taken away is a tenth already
            header_versions={"canonical": tuple(column.name for column in _COLUMNS)},
        ),
    ),
)
