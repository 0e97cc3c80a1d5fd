"""Agenda item 3: what each party promised the other, how it kept it, and what people say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from obc_pipeline.packs.content import Block, Column, Section, Sentence, Table
from obc_pipeline.packs.question import Question, View


def section(view: View) -> Section:
    """Obligations of both parties with their cure clocks, meetings held, data on time, voices."""
    questions = ["How well do the parties work together, and what would help?", "Where did communication fail?"]
    return Section(3, "Partnership and communication", questions, [question.part(view) for question in _QUESTIONS])


def _obligations(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select contract_id, party, obligation_id, metric, consequence, count(*) as looked_at,
            count(*) filter (is_met) as met, count(*) filter (is_met = false) as broken, count(*) filter (is_met is null) as unknown,
            count(*) filter (cure_ends_on >= ? and is_met = false) as in_cure,
            min(cure_ends_on) filter (cure_ends_on >= ? and is_met = false) as next_cure_end
        from payable.fct_obligation_compliance group by all order by contract_id, party, obligation_id
        """,
        [view.as_of, view.as_of],
    )
    rows = [row | {"met_rate": row["met"] / (row["met"] + row["broken"]) if row["met"] + row["broken"] else None} for row in rows]
    columns = [
        Column("contract_id", "Contract"),
        Column("party", "Who promised", "code"),
        Column("metric", "What", "code"),
        Column("consequence", "If broken", "code"),
        Column("met", "Kept", "count"),
        Column("broken", "Broken", "count"),
        Column("unknown", "Not known", "count"),
        Column("met_rate", "Kept of known", "rate"),
        Column("in_cure", "In cure", "count"),
        Column("next_cure_end", "Next cure ends", "date"),
    ]
    note = "Counted per student, school or contract, as each obligation is scoped, and per priced line."
    return [Table("obligations", "Obligations of both parties", columns, rows, note=note)] if rows else []


def _timeliness(view: View) -> Sequence[Block]:
    """Since the last meeting; where no session was held since then, to date."""
    return _timeliness_since(view, view.since, view.since_words) or _timeliness_since(
        view, None, "to date (no session since the last meeting)"
    )


def _timeliness_since(view: View, since: date | None, words: str) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select provider_id, contract_id, min(sla_hours) as sla_hours, sum(numerator) as on_time, sum(denominator) as rows_sent,
            sum(numerator) / nullif(sum(denominator), 0) as rate, max(max_hours) as slowest
        from process.agg_data_timeliness where week_start_on >= coalesce(?, date '0001-01-01') group by all order by all
        """,
        [since],
    )
    columns = [
        Column("provider_id", "Provider"),
        Column("contract_id", "Contract"),
        Column("sla_hours", "Promised, hours", "count"),
        Column("on_time", "Records on time", "count"),
        Column("rows_sent", "of", "count"),
        Column("rate", "Rate", "rate"),
        Column("slowest", "Slowest, hours", "decimal"),
    ]
    return [Table("timeliness", f"Session data on time, {words}", columns, rows)] if rows else []


def _meetings(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select * from improvement.fct_ci_meeting
        where is_open_gap or is_gap_too_long or held_on >= ?::date - 60
        order by is_open_gap desc, held_on desc nulls first, contract_id limit 15
        """,
        [view.as_of],
    )
    too_long = sum(bool(row["is_gap_too_long"]) for row in rows)
    columns = [
        Column("held_on", "Held on", "date"),
        Column("contract_id", "Contract"),
        Column("workgroup_name", "Workgroup"),
        Column("days_since_contract_met", "Days since the one before", "count"),
        Column("max_gap_days", "At most", "count"),
        Column("is_gap_too_long", "Too long", "yes_no"),
        Column("is_data_reviewed", "Data looked at", "yes_no"),
        Column("what_is_missing", "What is missing"),
    ]
    said = [Sentence(f"{too_long} times the parties did not meet as often as the contract says.", "warning")] if too_long else []
    return (
        [*said, Table("meetings", "Meetings", columns, rows, note="The row without a day runs from the last meeting to today.")]
        if rows
        else []
    )


def _voices(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select contract_id, note_kind, respondent_role, theme, sum(numerator) as notes, sum(denominator) as of_notes,
            sum(n_positive) as positive, sum(n_negative) as negative, max(month_start_on) as last_month
        from improvement.agg_note_theme where dimension = 'all' and month_start_on >= ?::date - interval 100 day
        group by all having notes > 0 order by notes desc, theme, contract_id
        """,
        [view.as_of],
    )
    columns = [
        Column("theme", "Theme"),
        Column("respondent_role", "Who", "code"),
        Column("note_kind", "Heard in", "code"),
        Column("contract_id", "Contract"),
        Column("notes", "Notes", "count"),
        Column("of_notes", "of", "count"),
        Column("positive", "In favour", "count"),
        Column("negative", "Against", "count"),
        Column("last_month", "Last month heard", "date"),
    ]
    note = "Themes of surveys, interviews and focus groups of the last hundred days; what people said word for word is restricted."
    return [Table("voices", "What people say", columns, rows, note=note, printed_rows=20)] if rows else []


def _communication(view: View) -> Sequence[Block]:
    return [Sentence("Which question of this meeting could have been answered by a message between meetings?", "prompt")]


_QUESTIONS = (
    Question("Promises kept", ["payable.fct_obligation_compliance"], _obligations, "The contracts name no obligations."),
    Question("Data on time", ["process.agg_data_timeliness"], _timeliness, "No session data came in this time."),
    Question(
        "Meetings", ["improvement.fct_ci_meeting"], _meetings, "No meeting is recorded: send the list of meetings (source ci_meeting)."
    ),
    Question(
        "Voices", ["improvement.agg_note_theme"], _voices, "No notes of surveys, interviews or focus groups were sent (source ci_note)."
    ),
    Question("Communication", [], _communication, ""),
)
