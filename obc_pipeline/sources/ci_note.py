"""Notes: what people said or what was seen, in surveys, interviews, focus groups and observations, coded by theme. Own layout."""

from __future__ import annotations

from obc_pipeline.sources.declaration import Column, Format, Table

_COLUMNS = (
    Column(
        "note_id",
        "id",
        ("note_id",),
        "Id of the note; a statement with two themes is two notes.",
        is_header_required=True,
        is_value_required=True,
    ),
    Column("noted_on", "date", ("noted_on", "note_date", "date"), "Day of it.", is_header_required=True, is_value_required=True),
    Column(
        "note_kind",
        "text",
        ("note_kind", "kind", "method"),
        "SURVEY, INTERVIEW, FOCUS_GROUP or OBSERVATION.",
        is_header_required=True,
        is_value_required=True,
    ),
    Column("contract_id", "id", ("contract_id",), "Contract it is about; blank when about no single one."),
    Column("school_id", "id", ("school_id", "SchoolID"), "School it is about; blank when about no single one."),
    Column("respondent_role", "text", ("respondent_role", "role"), "Who spoke, as a role: student, tutor, teacher, principal, parent."),
    Column(
        "respondent_group",
        "text",
        ("respondent_group", "group"),
        "Group of the respondents as dimension=category, such as english_learner=yes; blank when not of one.",
    ),
    Column("theme", "text", ("theme", "code"), "Theme it was coded to.", is_header_required=True, is_value_required=True),
    Column("sentiment", "integer", ("sentiment",), "-1 against, 0 neither, 1 in favour; blank when not coded."),
    Column("respondent_count", "integer", ("respondent_count", "respondents", "n"), "People who said it; blank when not counted."),
    Column("text", "text", ("text", "note", "quote", "comment"), "What was said.", privacy="restricted"),
)

FORMAT = Format(
    name="ci_note",
    title="Notes",
    tables=(
        Table(
            name="note",
            description="One coded statement of a survey, interview, focus group or observation.",
            columns=_COLUMNS,
            natural_key=("note_id",),
            supersedes="key",
            header_versions={"canonical": tuple(column.name for column in _COLUMNS)},
        ),
    ),
)
