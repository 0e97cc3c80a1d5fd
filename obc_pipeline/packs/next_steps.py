"""Agenda item 4: what was agreed, whether it worked, and what to agree now."""

from __future__ import annotations

from collections.abc import Sequence

from obc_pipeline.packs.content import Block, Column, Section, Sentence, Table
from obc_pipeline.packs.question import Question, View
from obc_pipeline.packs.reader import Row
from obc_pipeline.packs.values import written

_MOST_PROMPTS = 3
_BLANK_LINES = 5


def section(view: View) -> Section:
    """Last actions with their verdict, open root causes, questions to turn into solutions, and an empty list to fill in."""
    questions = ["Did what was agreed at earlier meetings improve what it was to improve?", "Who commits to what, and by when?"]
    return Section(4, "Next steps", questions, [question.part(view) for question in _QUESTIONS])


def _actions(view: View) -> Sequence[Block]:
    rows = [
        row | {"population": _population(view, row), "remark": row["what_is_missing"] or ("overdue" if row["is_overdue"] else "")}
        for row in _all_actions(view)
    ]
    columns = [
        Column("action_text", "Action"),
        Column("owner_role", "Owner"),
        Column("due_on", "Due", "date"),
        Column("action_status", "Status", "code"),
        Column("metric_label", "To move"),
        Column("population", "For"),
        Column("before_rate", "Before", "rate"),
        Column("after_rate", "After", "rate"),
        Column("effect", "Beyond comparable students", "points"),
        Column("ci_low", "95 % from", "points"),
        Column("ci_high", "to", "points"),
        Column("verdict", "Verdict", "code"),
        Column("remark", "Remark"),
    ]
    note = "Before and after are equal windows around the start; beyond comparable students: their change less that of students it was not for."
    return [Table("actions", "What was agreed, and whether it worked", columns, rows, note=note)] if rows else []


def _population(view: View, row: Row) -> str:
    where = view.reader.school(row["school_id"])
    if row["population_dimension"] is None:
        return where
    group = view.reader.school(row["population_category"]) if row["population_dimension"] == "school" else row["population_category"]
    return f"{where}, {row['population_dimension'].replace('_', ' ')} {group}" if row["school_id"] else str(group)


def _root_causes(view: View) -> Sequence[Block]:
    blocks: list[Block] = []
    for row in _all_actions(view):
        whys = [row.get(f"why_{number}") for number in range(1, 6)]
        chain = " → ".join(why for why in whys if why)
        if chain and row.get("action_status") not in ("DONE", "DROPPED"):
            asked = f" How might we: {row['hmw_text']}" if row.get("hmw_text") else ""
            missing = "" if all(whys) else f" ({sum(map(bool, whys))} of 5 whys asked so far)"
            blocks.append(Sentence(f"{row.get('trend_text') or 'Trend'}: {chain}{missing}.{asked}"))
    return blocks


def _prompts(view: View) -> Sequence[Block]:
    """Questions drafted from the widest gaps whose interval leaves zero out, one per dimension, to the group's disadvantage."""
    rows = view.reader.rows(
        """
        select contract_id, coalesce(line_id, metric_id) as measure, dimension, category, rate, gap_rate, gap_low, gap_high, n_students
        from improvement.agg_outcome_subgroup
        where status in ('ok', 'small_group') and gap_high < 0 and (line_id is not null or metric_id = 'tutoring_attendance')
        qualify row_number() over (partition by dimension order by gap_rate) = 1
        order by gap_rate
        """
    )
    return [Sentence(_prompt(view, row), "prompt") for row in rows[:_MOST_PROMPTS]]


def _prompt(view: View, row: Row) -> str:
    group = view.reader.school(row["category"]) if row["dimension"] == "school" else row["category"]
    what = "attendance in tutoring" if row["measure"] == "tutoring_attendance" else f"the outcome {row['measure']}"
    return (
        f"{row['contract_id']}: {what} is {written(row['rate'], 'rate')} for {row['dimension'].replace('_', ' ')} {group} "
        f"({row['n_students']} students), {written(abs(row['gap_rate']), 'rate')[:-2]} points below the rest. "
        f"How might we change when, where, how or with whom these students are tutored so that more of them get there?"
    )


def _commitments(view: View) -> Sequence[Block]:
    columns = [
        Column(key, key) for key in ("Who", "does what", "by when", "to move which metric", "for which students", "looked at again on")
    ]
    blank = [dict.fromkeys((column.key for column in columns), " ") for _ in range(_BLANK_LINES)]
    return [
        Table(
            "commitments",
            "Agreed today",
            columns,
            blank,
            note="Send it as a row of the source ci_action, and the next pack shows what became of it.",
        )
    ]


def _all_actions(view: View) -> list[Row]:
    rows = view.reader.rows("select * from improvement.fct_ci_action")
    return sorted((row for row in rows if row.get("action_id")), key=lambda row: str(row.get("raised_on") or ""), reverse=True)


_QUESTIONS = (
    Question("What was agreed, and whether it worked", ["improvement.fct_ci_action"], _actions, "No action is recorded: send the list of actions (source ci_action)."),
    Question("Open root causes", ["improvement.fct_ci_action"], _root_causes, "No root cause is being followed: ask why, five times, about one trend above."),
    Question("Where to start: drafted from the widest gaps", ["improvement.agg_outcome_subgroup"], _prompts, "No group is behind the rest by more than chance."),
    Question("Agreed today", [], _commitments, ""),
)  # fmt: skip
