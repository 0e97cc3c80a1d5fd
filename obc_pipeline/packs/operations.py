"""Agenda item 1: what changed in the program since the last meeting, and what keeps students from being served."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from obc_pipeline.packs import charts
from obc_pipeline.packs.content import Block, Column, Section, Sentence, Table
from obc_pipeline.packs.question import Question, View

_BEARERS = {"Provider": charts.RED, "District": charts.AMBER, "Calendar (nobody's)": charts.GREY, "Cause not known": charts.BLUE}


def section(view: View) -> Section:
    """Changes, barriers, who is served."""
    questions = ["What has changed in the program since the last meeting?", "What keeps students from being enrolled and served?"]
    return Section(1, "Operations", questions, [question.part(view) for question in _QUESTIONS])


def _served(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select
            contract_id, provider_id,
            count(*) as ever_assigned,
            count(*) filter (is_active) as now_assigned,
            count(*) filter (assigned_from_on > coalesce(?, date '0001-01-01')) as joined,
            count(*) filter (assigned_to_on > coalesce(?, date '0001-01-01') and assigned_to_on <= ?) as ended,
            count(*) filter (coalesce(sessions_attended, 0) = 0) as never_attended,
            count(*) filter (is_active and is_on_pace) as on_pace,
            count(*) filter (is_active and not can_still_qualify) as cannot_qualify
        from process.msr_student_tutoring group by all order by all
        """,
        [view.since, view.since, view.as_of],
    )
    columns = [
        Column("contract_id", "Contract"),
        Column("provider_id", "Provider"),
        Column("ever_assigned", "Ever assigned", "count"),
        Column("now_assigned", "Assigned now", "count"),
        Column("joined", "Joined", "count"),
        Column("ended", "Ended", "count"),
        Column("never_attended", "Never attended", "count"),
        Column("on_pace", "On pace", "count"),
        Column("cannot_qualify", "Cannot reach the gate any more", "count"),
    ]
    note = f"Joined and ended: {view.since_words}. The gate is the attendance the contract asks for before an outcome is paid."
    return [Table("served", "Students served", columns, rows, note=note)] if rows else []


def _lost(view: View) -> Sequence[Block]:
    """Since the last meeting; where no session was scheduled since then, to date."""
    return _lost_since(view, view.since, view.since_words) or _lost_since(view, None, "to date (no session since the last meeting)")


def _lost_since(view: View, since: date | None, words: str) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        with lost as (
            select contract_id,
                sum(provider_lost_numerator) as provider, sum(district_lost_numerator) as district,
                sum(calendar_lost_numerator) as calendar, sum(unknown_lost_numerator) as unknown,
                sum(student_sessions_scheduled) as scheduled
            from process.agg_delivery_weekly
            where week_start_on >= coalesce(?, date '0001-01-01') group by contract_id
        )
        select contract_id, scheduled, unnest([
            {'bearer': 'Provider', 'lost': provider}, {'bearer': 'District', 'lost': district},
            {'bearer': 'Calendar (nobody''s)', 'lost': calendar}, {'bearer': 'Cause not known', 'lost': unknown}], recursive := true)
        from lost where scheduled > 0 order by contract_id
        """,
        [since],
    )
    if not rows:
        return []
    total = sum(row["lost"] for row in rows)
    scheduled = sum({row["contract_id"]: row["scheduled"] for row in rows}.values())
    said = Sentence(f"{total:,} of {scheduled:,} scheduled student-sessions were lost other than by the student's absence, {words}.")
    shows = "Student-sessions lost per contract, by who bears the loss: " + "; ".join(
        f"{row['contract_id']} {row['bearer']} {row['lost']:,}" for row in rows if row["lost"]
    )
    picture = charts.stacked_bars(
        "sessions_lost", "Sessions lost, by who bears it", shows, rows, category="contract_id", part="bearer", value="lost",
        axis="student-sessions", colours=_BEARERS,
    )  # fmt: skip
    return [said, picture] if total else [said]


def _closures(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select calendar_on, closed_school_count, school_count from core.dim_calendar_date
        where closed_school_count > 0 and calendar_on between coalesce(?, ?::date - 60) and ?
        order by calendar_on
        """,
        [view.since, view.as_of, view.as_of],
    )
    if not rows:
        return []
    columns = [
        Column("calendar_on", "Day", "date"),
        Column("closed_school_count", "Schools closed", "count"),
        Column("school_count", "of", "count"),
    ]
    return [Table("closures", "Days lost to closures", columns, rows, note="Closures count against nobody.")]


def _quiet(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select contract_id, school_id, count(*) as students, count(*) filter (coalesce(sessions_attended, 0) = 0) as never,
            sum(sessions_unknown_cause) as unknown_cause, sum(sessions_in_conflict) as conflicts
        from process.msr_student_tutoring group by all
        having never > 0 or unknown_cause > 0 or conflicts > 0
        order by never desc, unknown_cause desc, contract_id, school_id
        """
    )
    rows = [row | {"school": view.reader.school(row["school_id"])} for row in rows]
    columns = [
        Column("school", "School"),
        Column("contract_id", "Contract"),
        Column("students", "Students", "count"),
        Column("never", "Never attended", "count"),
        Column("unknown_cause", "Missed sessions without a cause", "count"),
        Column("conflicts", "Present here, absent in school", "count"),
    ]
    note = "Each missed session without a cause and each conflict waits for a ruling; until then it pays nobody."
    return [Table("barriers", "What somebody has to clear up", columns, rows, "school", note)] if rows else []


_QUESTIONS = (
    Question("Who is served", ["process.msr_student_tutoring"], _served, "No student is on a contract's roster."),
    Question(
        "Sessions lost", ["process.agg_delivery_weekly"], _lost, "No provider's log says what was scheduled, so losses are not known."
    ),
    Question("Closures", ["core.dim_calendar_date"], _closures, "No school was closed in this time."),
    Question(
        "Barriers",
        ["process.msr_student_tutoring"],
        _quiet,
        "Nothing waits for a ruling, and every assigned student has attended at least once.",
    ),
)
