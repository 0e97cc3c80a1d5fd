"""Actions of the continuous-improvement workgroups: trend, root cause, what is done by whom, and the metric and population it should move. Own layout."""

from __future__ import annotations

from obc_pipeline.sources.declaration import Column, Format, Table

_COLUMNS = (
    Column("action_id", "id", ("action_id",), "Id of the action.", is_header_required=True, is_value_required=True),
    Column("raised_on", "date", ("raised_on", "raised_date"), "Day it was agreed.", is_header_required=True, is_value_required=True),
    Column("meeting_id", "id", ("meeting_id",), "Meeting that agreed it."),
    Column("workgroup_id", "id", ("workgroup_id", "workgroup"), "Workgroup that answers for it, as in ci_structure.yml."),
    Column("contract_id", "id", ("contract_id",), "Contract it is about; blank when about no single one."),
    Column("school_id", "id", ("school_id", "SchoolID"), "School it is about; blank means all."),
    Column("trend_text", "text", ("trend_text", "trend"), "What was seen, without students' names."),
    Column("why_1", "text", ("why_1", "why1"), "First why of the root cause."),
    Column("why_2", "text", ("why_2", "why2"), "Second why of the root cause."),
    Column("why_3", "text", ("why_3", "why3"), "Third why of the root cause."),
    Column("why_4", "text", ("why_4", "why4"), "Fourth why of the root cause."),
    Column("why_5", "text", ("why_5", "why5"), "Fifth why of the root cause."),
    Column("hmw_text", "text", ("hmw_text", "how_might_we", "hmw"), "The how-might-we question."),
    Column(
        "action_text",
        "text",
        ("action_text", "action"),
        "What is done, without students' names.",
        is_header_required=True,
        is_value_required=True,
    ),
    Column("owner_party", "text", ("owner_party",), "PROVIDER, DISTRICT, SCHOOL or JOINT."),
    Column("owner_role", "text", ("owner_role", "owner"), "Role that does it."),
    Column("due_on", "date", ("due_on", "due_date"), "Day by which it is to be in place."),
    Column("started_on", "date", ("started_on", "start_date"), "First day it was in effect; blank until then."),
    Column(
        "status", "text", ("status", "action_status"), "PLANNED, STARTED, DONE or DROPPED.", is_header_required=True, is_value_required=True
    ),
    Column(
        "metric_id", "text", ("metric_id", "metric"), "Metric it should move, as in improvement.dim_metric; blank leaves it unmeasured."
    ),
    Column(
        "population_dimension",
        "text",
        ("population_dimension",),
        "Dimension of the students it is for, such as grade; blank means everybody of the contract and school.",
    ),
    Column("population_category", "text", ("population_category",), "Category in that dimension, such as 7."),
    Column("wanted_direction", "text", ("wanted_direction", "direction"), "UP or DOWN; the metric's better direction when blank."),
    Column("check_on", "date", ("check_on", "check_date"), "Day on which its effect is to be judged."),
)

FORMAT = Format(
    name="ci_action",
    title="Improvement actions",
    tables=(
        Table(
            name="action",
            description="One agreed action with its root cause and what it should move.",
            columns=_COLUMNS,
            natural_key=("action_id",),
            supersedes="key",
            header_versions={"canonical": tuple(column.name for column in _COLUMNS)},
        ),
    ),
)
