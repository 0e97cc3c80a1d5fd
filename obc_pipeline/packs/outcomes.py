"""Agenda item 2: what the data says, its gaps first; what was reached, for whom; and the process beside it."""

from __future__ import annotations

from collections.abc import Sequence

from obc_pipeline.packs import charts
from obc_pipeline.packs.content import Block, Column, Section, Sentence, Table
from obc_pipeline.packs.question import Question, View, told_apart
from obc_pipeline.packs.reader import Row
from obc_pipeline.packs.values import written

_STEPS = {
    "ON_ROSTER": "left the roster",
    "DOSAGE_MET": "attendance gate",
    "PROVIDER_OK": "provider's duties",
    "TESTED": "not tested",
    "OUTCOME_MET": "outcome not reached",
    "WITHIN_CAP": "above a cap",
}
_TREND_METRICS = ("tutoring_attendance", "creditable_sessions", "skip_in_school", "delivery")
_MOST_CHARTS = 4
_MOST_OPEN = 60  # rows of a list that the page shows without being asked


def section(view: View) -> Section:
    """Gaps and delays, outcomes, groups, process beside payment, money, students to act on."""
    questions = [
        "Which data are missing or late?",
        "What do the outcomes say, and for whom are they better or worse?",
        "Which process metrics help to understand the paid ones?",
        "How will each party use this, and how will everybody know that services got better?",
    ]
    return Section(2, "Outcomes data", questions, [question.part(view) for question in _QUESTIONS])


# ---- gaps and delays ----


def _gaps(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select metric, kind, system, owner_role, last_arrival_at, due_on, is_fresh, accuracy_status, failing_checks
        from quality.data_map_status order by coalesce(is_fresh, true), failing_checks is null, kind, metric
        """
    )
    late = [row for row in rows if row["is_fresh"] is False]
    failing = [row for row in rows if row["failing_checks"]]
    said = f"{len(rows)} rows of the data map: {len(late)} late, {len(failing)} with a failing check."
    columns = [
        Column("metric", "Outcome or metric"),
        Column("kind", "Kind", "code"),
        Column("system", "System"),
        Column("owner_role", "Who sends it"),
        Column("last_arrival_at", "Last arrival", "date"),
        Column("is_fresh", "On time", "yes_no"),
        Column("accuracy_status", "Accuracy", "code"),
        Column("failing_checks", "Failing checks"),
    ]
    return [Sentence(said, "warning" if late else "plain"), Table("gaps", "The data map today", columns, rows)] if rows else []


def _untested(view: View) -> Sequence[Block]:
    at_stake = "at_stake_amount" if "at_stake_amount" in view.reader.columns("payable.rpt_untested_worklist") else "null"
    rows = view.reader.rows(
        f"""
        select contract_id, school_id, window_id, instrument, duty_of, count(*) as students,
            count(*) filter (can_still_be_tested) as still_possible, sum({at_stake}) as at_stake
        from payable.rpt_untested_worklist group by all order by still_possible desc, at_stake desc, school_id
        """
    )
    rows = [row | {"school": view.reader.school(row["school_id"])} for row in rows]
    columns = [
        Column("school", "School"),
        Column("contract_id", "Contract"),
        Column("window_id", "Window"),
        Column("instrument", "Test"),
        Column("students", "Students without a valid test", "count"),
        Column("still_possible", "Can still be tested", "count"),
        Column("duty_of", "Whose duty", "code"),
        Column("at_stake", "At stake", "amount"),
    ]
    return [Table("untested", "Tests that are missing", columns, rows, "school")] if rows else []


# ---- what the outcomes say ----


def _summary(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select contract_id, provider_name, students_assigned, earned_count, earned_rate_denominator, earned_rate,
            base_amount, contingent_net_amount, held_count + pending_count as waiting, held_amount + pending_amount as waiting_amount
        from payable.rpt_contract_summary order by contract_id
        """
    )
    columns = [
        Column("contract_id", "Contract"),
        Column("provider_name", "Provider"),
        Column("students_assigned", "Students", "count"),
        Column("earned_count", "Outcomes reached", "count"),
        Column("earned_rate_denominator", "of decided", "count"),
        Column("earned_rate", "Rate", "rate"),
        Column("base_amount", "Base", "amount"),
        Column("contingent_net_amount", "Outcomes", "amount"),
        Column("waiting", "Held or pending", "count"),
        Column("waiting_amount", "At stake in them", "amount"),
    ]
    return [Table("summary", "Contracts so far", columns, rows)] if rows else []


def _lost_outcomes(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select contract_id || ' ' || line_id as line, step, step_number, students_lost, students_left, students_unknown, lost_amount
        from payable.rpt_loss_waterfall order by contract_id, line_id, step_number
        """
    )
    if not rows:
        return []
    pieces = [{"line": row["line"], "fate": _STEPS.get(row["step"], row["step"].lower()), "students": row["students_lost"]} for row in rows]
    last: dict[str, Row] = {}
    for row in rows:
        last[row["line"]] = row
    pieces += [{"line": line, "fate": "paid", "students": row["students_left"]} for line, row in last.items()]
    pieces = [piece for piece in pieces if piece["students"]]
    if not pieces:
        return []
    order = [*(_STEPS.get(step, step) for step in _STEPS), "paid"]
    pieces.sort(key=lambda piece: (piece["line"], order.index(piece["fate"]) if piece["fate"] in order else 99))
    shows = "; ".join(f"{piece['line']} {piece['fate']} {piece['students']}" for piece in pieces)
    colours = dict(zip(order, ("#8D99A3", charts.AMBER, charts.RED, "#7A4DA3", charts.BLUE, "#24303A", charts.GREEN), strict=True))
    picture = charts.stacked_bars(
        "where_lost", "Where outcomes were lost", f"Students per priced outcome, by where it was lost: {shows}", pieces,
        category="line", part="fate", value="students", axis="students", colours=colours,
    )  # fmt: skip
    return [picture]


def _expected(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select contract_id, line_id, outcome_name, n_students, numerator, rate, expected_rate, excess_rate, ci_low, ci_high, status, verdict, what_is_missing
        from improvement.rpt_growth_vs_expected where population = 'all_measured' order by contract_id, line_id
        """
    )
    rows, missing = told_apart(rows, "contract_id", "line_id")
    columns = [
        Column("contract_id", "Contract"),
        Column("line_id", "Line"),
        Column("n_students", "Students", "count"),
        Column("numerator", "Reached it", "count"),
        Column("rate", "Achieved", "rate"),
        Column("expected_rate", "Expected without tutoring", "rate"),
        Column("excess_rate", "Difference", "points"),
        Column("ci_low", "95 % from", "points"),
        Column("ci_high", "to", "points"),
    ]
    note = "Expected: what the district's own untutored students of earlier years reached from the same start. Associated with tutoring, not proof of it."
    return [*([Table("expected", "Growth against growth to be expected", columns, rows, note=note)] if rows else []), *missing]


def _proficiency(view: View) -> Sequence[Block]:
    rows = view.reader.rows("select * from improvement.rpt_growth_by_proficiency order by contract_id, line_id")
    rows, missing = told_apart(rows, "contract_id", "line_id")
    columns = [
        Column("contract_id", "Contract"),
        Column("line_id", "Growth line"),
        Column("n_students", "Students with both", "count"),
        Column("met_and_proficient", "Grew, proficient", "count"),
        Column("met_not_proficient", "Grew, not proficient", "count"),
        Column("not_met_and_proficient", "Did not grow, proficient", "count"),
        Column("not_met_not_proficient", "Neither", "count"),
        Column("converted_numerator", "Became proficient", "count"),
        Column("converted_denominator", "of those below last spring", "count"),
        Column("growth_within_noise", "Growth too near the line to call", "count"),
    ]
    return [*([Table("proficiency", "Is proficiency supported by growth?", columns, rows)] if rows else []), *missing]


def _rivals(view: View) -> Sequence[Block]:
    rows = view.reader.rows("select * from improvement.rpt_vendor_comparison order by status, subject, contract_a, contract_b")
    rows, missing = told_apart(rows, "provider_name_a", "provider_name_b")
    columns = [
        Column("provider_name_a", "Provider"),
        Column("provider_name_b", "and"),
        Column("measure", "Compared on", "code"),
        Column("n_students_a", "Students of the first", "count"),
        Column("n_students_b", "of the second", "count"),
        Column("difference", "Difference", "decimal"),
        Column("ci_low", "95 % from", "decimal"),
        Column("ci_high", "to", "decimal"),
        Column("verdict", "Verdict", "code"),
    ]
    note = "Only on what is left after their students are allowed for: raw rates show which students each provider was given."
    return [*([Table("rivals", "Providers of the same subject", columns, rows, note=note)] if rows else []), *missing]


def _matched(view: View) -> Sequence[Block]:
    rows = view.reader.rows("select * from improvement.rpt_matched_comparison order by contract_id, line_id")
    rows, missing = told_apart(rows, "contract_id", "line_id")
    columns = [
        Column("contract_id", "Contract"),
        Column("line_id", "Line"),
        Column("n_students", "Matched students", "count"),
        Column("n_comparison", "Untutored students", "count"),
        Column("balance", "How alike at the start", "code"),
        Column("rate", "Reached it", "rate"),
        Column("rate_comparison", "Untutored", "rate"),
        Column("effect_size", "Difference in SD", "decimal"),
        Column("ci_low", "95 % from", "decimal"),
        Column("ci_high", "to", "decimal"),
    ]
    note = "Same grade, start, attendance band, language and IEP status. Matching removes what was measured, not what was not."
    return [
        *([Table("matched", "Beside untutored students of this year who started alike", columns, rows, note=note)] if rows else []),
        *missing,
    ]


# ---- for whom ----


def _groups(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select contract_id, coalesce(line_id, metric_id) as measure, dimension, category, n_students, numerator, denominator, rate,
            gap_rate, gap_low, gap_high, status
        from improvement.agg_outcome_subgroup
        where (line_id is not null or metric_id = 'tutoring_attendance') and dimension <> 'all'
        order by contract_id, line_id is null, measure, dimension, category
        """
    )
    rows = _with_school_names(view, rows)
    small = [row for row in rows if row["status"] == "not_enough_data" and row["n_students"]]
    rows = [row for row in rows if row["status"] != "not_enough_data"]
    if not rows:
        return []
    apart = sorted(
        (row for row in rows if row["gap_low"] is not None and (row["gap_low"] > 0 or row["gap_high"] < 0)),
        key=lambda row: -abs(row["gap_rate"]),
    )
    blocks: list[Block] = []
    if apart:
        shown = [
            row | {"group": f"{row['contract_id']} {_words(row['measure'])}: {_words(row['dimension'])} {row['category']}"}
            for row in apart[:12]
        ]
        shows = "; ".join(f"{row['group']} {written(row['gap_rate'], 'points')}" for row in shown)
        blocks.append(
            charts.intervals(
                "gaps_between_groups", "Largest gaps between a group and the rest whose interval leaves zero out",
                f"Difference of the group's rate from everybody else's, with 95 % interval: {shows}", shown,
                category="group", value="gap_rate", low="gap_low", high="gap_high", axis="group's rate less the rest's", reference=0.0,
            )
        )  # fmt: skip
    else:
        blocks.append(Sentence("No group is further from the rest than chance would bring about."))
    columns = [
        Column("contract_id", "Contract"),
        Column("measure", "Measure", "code"),
        Column("dimension", "Dimension", "code"),
        Column("category", "Group"),
        Column("n_students", "Students", "count"),
        Column("rate", "Rate", "rate"),
        Column("gap_rate", "Gap to the rest", "points"),
        Column("gap_low", "95 % from", "points"),
        Column("gap_high", "to", "points"),
    ]
    note = "Groups as of the day the student came onto the roster. Many groups are looked at: one gap in twenty shows by chance alone."
    blocks.append(Table("groups", "Results by group", columns, rows, note=note, is_folded=True, printed_rows=60))
    if small:
        blocks.append(Sentence(f"{len(small)} groups with students in them are too small for a figure and are left out.", "missing"))
    return blocks


def _for_whom(view: View) -> Sequence[Block]:
    """Exact figures where the file has them; else the published ones, in which nobody can be recognised."""
    if view.reader.has("improvement.agg_outcome_subgroup"):
        return _groups(view)
    if not view.reader.has("improvement.pub_outcome_subgroup"):
        return [Sentence(f"Not part of what {view.audience} is given: results by group.", "missing")]
    rows = view.reader.rows(
        """
        select * from improvement.pub_outcome_subgroup where line_id is not null or measure = 'tutoring_attendance'
        order by contract_id, scope_id nulls first, dimension, measure, category
        """
    )
    columns = [
        Column("scope_id", "School"),
        Column("contract_id", "Contract"),
        Column("measure", "Measure", "code"),
        Column("dimension", "Dimension", "code"),
        Column("category", "Group"),
        Column("n_band", "Students"),
        Column("value_display", "Rate"),
    ]
    rows = [row | {"scope_id": view.reader.school(row["scope_id"])} for row in rows]
    note = "S: not shown, so that nobody can be recognised. Rates are rounded and coded at the ends, the more the smaller the group."
    return (
        [Table("groups", "Results by group", columns, rows, note=note, is_folded=len(rows) > _MOST_OPEN, printed_rows=80)] if rows else []
    )


# ---- the process beside it ----


def _trends(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        f"""
        select contract_id, metric_id, metric_label, week_start_on, rate, mean_rate, lower_limit, upper_limit, is_out_of_control, signal, external_events, closed_days
        from improvement.rpt_metric_trend
        where scope = 'CONTRACT' and rate is not null and metric_id in ({", ".join("?" * len(_TREND_METRICS))})
        order by contract_id, list_position({list(_TREND_METRICS)}, metric_id), week_start_on
        """,
        _TREND_METRICS,
    )
    series: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        series.setdefault((row["contract_id"], row["metric_id"]), []).append(row)
    blocks: list[Block] = []
    for (contract_id, metric_id), weeks in list(series.items())[:_MOST_CHARTS]:
        out = [week for week in weeks if week["is_out_of_control"]]
        marks = [
            {"at": week["week_start_on"], "label": week["external_events"] or "closure"}
            for week in weeks
            if week["external_events"] or week["closed_days"]
        ]
        title = f"{contract_id}: {weeks[0]['metric_label']}, by week"
        said = ", ".join(f"{week['week_start_on']} ({(week['signal'] or '').lower() or 'out'})" for week in out) or "none"
        shows = (
            f"{title}: mean {written(weeks[0]['mean_rate'], 'rate')}, last week {written(weeks[-1]['rate'], 'rate')}; "
            f"weeks outside ordinary variation: {said}"
        )
        blocks.append(
            charts.control(
                f"trend_{_slug(contract_id)}_{metric_id}", title, shows, weeks, at="week_start_on", value="rate", centre="mean_rate",
                low="lower_limit", high="upper_limit", is_out="is_out_of_control", marks=marks,
            )
        )  # fmt: skip
        blocks.append(
            Sentence(f"Weeks outside ordinary variation: {said}. Mean of all weeks {written(weeks[0]['mean_rate'], 'rate')}.", "note")
        )
    return blocks


def _beside_school(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select week_start_on,
            sum(tutoring_numerator) / nullif(sum(tutoring_denominator), 0) as tutoring,
            sum(school_numerator) / nullif(sum(school_denominator), 0) as school
        from process.rpt_tutoring_vs_school_attendance
        where tutoring_denominator > 0 and school_denominator > 0
        group by week_start_on having sum(n_students) >= 10 order by week_start_on
        """
    )
    if len(rows) < 2:
        return []
    long = [
        {"week": row["week_start_on"], "who": name, "rate": row[key]}
        for row in rows
        for key, name in (("tutoring", "in tutoring"), ("school", "in school"))
        if row[key] is not None
    ]
    last = rows[-1]
    shows = f"Weekly attendance of the same students in tutoring and in school; in the last week {written(last['tutoring'], 'rate')} and {written(last['school'], 'rate')}"
    blocks: list[Block] = [
        charts.lines(
            "beside_school", "The same students in tutoring and in school", shows, long, at="week", value="rate", series="who", axis="attendance",
            colours={"in tutoring": charts.BLUE, "in school": charts.GREY},
        )
    ]  # fmt: skip
    skipping = view.reader.rows(
        """
        select school_id, contract_id, sum(skip_numerator) as skipped, sum(skip_denominator) as sessions,
            sum(skip_numerator) / nullif(sum(skip_denominator), 0) as rate
        from process.rpt_tutoring_vs_school_attendance where skip_denominator > 0
        group by all order by rate desc
        """
    )
    skipping = [row | {"school": view.reader.school(row["school_id"])} for row in skipping]
    columns = [
        Column("school", "School"),
        Column("contract_id", "Contract"),
        Column("skipped", "Sessions missed while in school", "count"),
        Column("sessions", "of sessions on days in school", "count"),
        Column("rate", "Rate", "rate"),
    ]
    if skipping:
        blocks.append(Table("skipping", "In school, not in the session", columns, skipping, "school"))
    return blocks


def _outside(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select contract_id, metric_label, factor, lag_weeks, n_weeks, correlation, ci_low, ci_high, strength, holds_after_correction
        from improvement.rpt_external_factor where status = 'ok' and metric_id in ('tutoring_attendance', 'school_attendance', 'delivery')
        order by abs(correlation) desc, contract_id, metric_label, lag_weeks limit 12
        """
    )
    columns = [
        Column("contract_id", "Contract"),
        Column("metric_label", "Metric"),
        Column("factor", "Outside factor"),
        Column("lag_weeks", "Weeks earlier", "count"),
        Column("n_weeks", "Weeks", "count"),
        Column("correlation", "Association", "decimal"),
        Column("ci_low", "95 % from", "decimal"),
        Column("ci_high", "to", "decimal"),
        Column("holds_after_correction", "Holds among many looks", "yes_no"),
    ]
    note = "Weeks in which both were seen. An association: other things happen in the same weeks."
    return [Table("outside", "Do changes go with what happens outside?", columns, rows, note=note)] if rows else []


def _school_days(view: View) -> Sequence[Block]:
    rows = view.reader.rows("select * from improvement.rpt_school_attendance order by contract_id, school_id nulls first")
    rows = [row | {"school": view.reader.school(row["school_id"])} for row in rows]
    rows, missing = told_apart(rows, "contract_id", "school")
    columns = [
        Column("school", "School"),
        Column("contract_id", "Contract"),
        Column("n_students", "Students", "count"),
        Column("tutoring_attendance_rate", "In tutoring", "rate"),
        Column("school_attendance_rate", "In school, same days", "rate"),
        Column("attendance_gap_rate", "Gap", "points"),
        Column("skip_in_school_rate", "Skipped while in school", "rate"),
        Column("tutoring_day_effect", "In school more often on tutoring days", "points"),
        Column("tutoring_day_effect_low", "95 % from", "points"),
        Column("tutoring_day_effect_high", "to", "points"),
    ]
    note = "The same students on the same days. An association."
    return [*([Table("school_days", "Tutoring and school, to date", columns, rows, "school", note)] if rows else []), *missing]


def _drivers(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select contract_id, metric_label, previous_from_on, current_to_on, dimension, category, previous_rate, current_rate, mix_effect, rate_effect, effect, change
        from improvement.rpt_metric_drivers
        where comparison = 'WEEKS' and status = 'ok' and metric_id in ('tutoring_attendance', 'creditable_sessions') and contract_id is not null
            and dimension in ('school', 'tutor', 'time_slot', 'provider') and effect_rank <= 3 and abs(effect) >= 0.002
        order by contract_id, metric_label, dimension, effect_rank
        """
    )
    rows = _with_school_names(view, rows)
    columns = [
        Column("contract_id", "Contract"),
        Column("metric_label", "Metric"),
        Column("change", "Change", "points"),
        Column("dimension", "By", "code"),
        Column("category", "Which"),
        Column("previous_rate", "Before", "rate"),
        Column("current_rate", "Now", "rate"),
        Column("mix_effect", "Through who was served", "points"),
        Column("rate_effect", "Through how it went", "points"),
        Column("effect", "Together", "points"),
    ]
    note = "Two equal windows. Within one dimension all parts add up to the change; the three largest of each are shown."
    return [Table("drivers", "What is behind the change", columns, rows, note=note)] if rows else []


def _dose(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select contract_id, line_id, dosage_bin, n_students, mean_value, ci_low, ci_high, adjusted_value, adjusted_ci_low, adjusted_ci_high
        from improvement.rpt_dose_response
        where measure = 'share_met' and bin_number > 0 and mean_value is not null order by contract_id, line_id, bin_number
        """
    )
    if not rows:
        return []
    first = (rows[0]["contract_id"], rows[0]["line_id"])
    chosen = [row for row in rows if (row["contract_id"], row["line_id"]) == first]
    long = [
        {"dose": row["dosage_bin"], "line": name, "value": row[value], "low": row[low], "high": row[high]}
        for row in chosen
        for name, value, low, high in (
            ("as it is", "mean_value", "ci_low", "ci_high"),
            ("at equal school attendance", "adjusted_value", "adjusted_ci_low", "adjusted_ci_high"),
        )
        if row[value] is not None
    ]
    shows = "; ".join(f"{row['dose']} {row['line']} {written(row['value'], 'rate')}" for row in long)
    columns = [
        Column("contract_id", "Contract"),
        Column("line_id", "Line"),
        Column("dosage_bin", "Dosage"),
        Column("n_students", "Students", "count"),
        Column("mean_value", "Reached it", "rate"),
        Column("adjusted_value", "at equal school attendance", "rate"),
    ]
    return [
        charts.intervals(
            "dose", f"{first[0]} {first[1]}: share that reached the outcome, by dosage (not causal)", f"Not causal. {shows}", long,
            category="dose", value="value", low="low", high="high", group="line", axis="share that reached the outcome",
        ),
        Table("dose", "Outcome by dosage", columns, rows, note="Not causal: who attends tutoring is who attends school."),
    ]  # fmt: skip


def _answers(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        from (
        select contract_id, construct, factor, n_students, response_rate, spearman_rho, ci_low, ci_high, strength, holds_after_correction, status, what_is_missing
        from improvement.rpt_sel_association
        union all
        select contract_id, construct, factor || coalesce(' (weeks after: ' || lag_weeks || ')', ''), n_students, response_rate, spearman_rho, ci_low, ci_high,
            strength, holds_after_correction, status, what_is_missing
        from improvement.rpt_engagement_outcome
        )
        order by what_is_missing is not null, abs(spearman_rho) desc nulls last, contract_id
        """
    )
    rows, missing = told_apart(rows, "contract_id", "construct", "factor")
    columns = [
        Column("contract_id", "Contract"),
        Column("construct", "What students say of", "code"),
        Column("factor", "beside", "code"),
        Column("n_students", "Students", "count"),
        Column("response_rate", "Answered", "rate"),
        Column("spearman_rho", "Association", "decimal"),
        Column("ci_low", "95 % from", "decimal"),
        Column("ci_high", "to", "decimal"),
        Column("strength", "Strength", "code"),
        Column("holds_after_correction", "Holds among many looks", "yes_no"),
    ]
    note = "Rank correlation, an association: it does not say what leads to what."
    return [
        *(
            [
                Table(
                    "answers",
                    "What students say, beside attendance and growth",
                    columns,
                    rows,
                    note=note,
                    is_folded=len(rows) > _MOST_OPEN,
                    printed_rows=25,
                )
            ]
            if rows
            else []
        ),
        *missing,
    ]


# ---- money ----


def _caps(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select contract_id, cap, line_id, limit_amount, after_amount, at_stake_amount, used_rate, alert_percent
        from payable.rpt_cap_utilisation where limit_amount is not null order by contract_id, cap_order, line_id
        """
    )
    columns = [
        Column("contract_id", "Contract"),
        Column("cap", "Cap", "code"),
        Column("line_id", "Line"),
        Column("limit_amount", "Limit", "amount"),
        Column("after_amount", "Payable so far", "amount"),
        Column("at_stake_amount", "Still open", "amount"),
        Column("used_rate", "Used", "rate"),
        Column("alert_percent", "Alert at %", "count"),
    ]
    blocks: list[Block] = [Table("caps", "Payable against the caps", columns, rows)] if rows else []
    if view.reader.has("payable.rpt_payment_forecast"):
        forecast = view.reader.rows(
            """
            select contract_id, sum(decided_amount) as decided, sum(expected_amount) as expected, sum(low_amount) as low, sum(high_amount) as high,
                sum(expected_payable_amount) as payable
            from payable.rpt_payment_forecast group by contract_id order by contract_id
            """
        )
        columns = [
            Column("contract_id", "Contract"),
            Column("decided", "Decided", "amount"),
            Column("expected", "Expected", "amount"),
            Column("low", "at least", "amount"),
            Column("high", "at most", "amount"),
            Column("payable", "Payable after caps", "amount"),
        ]
        blocks += [Table("forecast", "What it will come to", columns, forecast)] if forecast else []
    return blocks


def _return(view: View) -> Sequence[Block]:
    rows = view.reader.rows(
        """
        select roi_type, coalesce(contract_id, option_id) as what, line_id, measure, unit, vendor_paid_value, full_cost_value, full_cost_low, full_cost_high,
            verdict, coalesce(what_is_missing, note) as remark
        from roi.agg_roi order by roi_type, status, what, measure, line_id
        """
    )
    columns = [
        Column("roi_type", "Kind"),
        Column("what", "Contract or option"),
        Column("line_id", "Line"),
        Column("measure", "Number", "code"),
        Column("vendor_paid_value", "On what the vendor is paid", "decimal"),
        Column("full_cost_value", "On full cost", "decimal"),
        Column("full_cost_low", "95 % from", "decimal"),
        Column("full_cost_high", "to", "decimal"),
        Column("verdict", "Verdict", "code"),
        Column("remark", "What is missing, or to bear in mind"),
    ]
    note = "ROIci: early signs, for steering, no evidence of impact. ROIsp: options compared before deciding. ROIe: after final results."
    return (
        [Table("roi", "Return, each number with its kind", columns, rows, note=note, is_folded=len(rows) > _MOST_OPEN, printed_rows=25)]
        if rows
        else []
    )


# ---- students ----


def _students(view: View) -> Sequence[Block]:
    rows = view.reader.rows("select * from process.msr_student_tutoring")
    keys = list(rows[0]) if rows else []
    who = next((key for key in ("vendor_student_id", "student_id", "student_key") if key in keys), None)
    if who is None:
        return []
    rank = {"NOT_MET": 0, "OFF_TRACK": 0, "UNKNOWN": 1, "ON_TRACK": 2, "MET": 3}
    factors = ("attendance_factor_status", "provider_factor_status", "outcome_factor_status")
    # While a program runs, those in it; afterwards all.
    now = [row for row in rows if row.get("is_active", True)] or rows
    rows = [row | {"school": view.reader.school(row.get("school_id")), "who": row[who]} for row in now]
    rows.sort(key=lambda row: ([rank.get(str(row.get(factor)), 1) for factor in factors], str(row["school"]), str(row["who"])))
    columns = [
        Column("school", "School"),
        Column("who", "Student"),
        Column("contract_id", "Contract"),
        Column("attendance_rate", "Attendance", "rate"),
        Column("attendance_factor_status", "1 Attended", "code"),
        Column("provider_factor_status", "2 Provider kept its duties", "code"),
        Column("outcome_factor_status", "3 Outcome", "code"),
        Column("what_could_still_be_done", "What could still be done"),
    ]
    note = "Records of students: for the people of this meeting only."
    return (
        [
            Table(
                "students",
                "Every student, the three factors",
                columns,
                rows,
                "school",
                note,
                is_folded=len(rows) > _MOST_OPEN,
                printed_rows=60,
            )
        ]
        if rows
        else []
    )


def _absent(view: View) -> Sequence[Block]:
    rows = [row for row in view.reader.rows("select * from improvement.rpt_persistent_absence") if row.get("is_persistently_absent")]
    who = next((key for key in ("vendor_student_id", "student_id", "student_key") if rows and key in rows[0]), None)
    if who is None:
        return []
    rows = [row | {"school": view.reader.school(row.get("school_id")), "who": row[who]} for row in rows]
    rows.sort(key=lambda row: (not row["is_active"], str(row["school"]), str(row["who"])))
    columns = [
        Column("school", "School"),
        Column("who", "Student"),
        Column("contract_id", "Contract"),
        Column("turned_on", "Since", "date"),
        Column("misses_in_a_row", "Missed in a row", "count"),
        Column("can_still_qualify", "Can still reach the gate", "yes_no"),
        Column("last_followed_up_on", "Last follow-up", "date"),
        Column("worklist_status", "Next", "code"),
    ]
    return [
        Table("absent", "Persistently absent from tutoring", columns, rows, "school", is_folded=len(rows) > _MOST_OPEN, printed_rows=60)
    ]


def _how_known(view: View) -> Sequence[Block]:
    return [
        Sentence(
            "For each change agreed in item 4: which metric above is it to move, for which students, and when is it looked at again?",
            "prompt",
        ),
        Sentence("What goes to teachers, to the provider's tutors and to families from this, and who tells them?", "prompt"),
    ]


def _with_school_names(view: View, rows: Sequence[Row]) -> list[Row]:
    """The rows, with the name of a school where the category is one."""
    return [row | {"category": view.reader.school(row["category"])} if row["dimension"] == "school" else row for row in rows]


def _words(code: str) -> str:
    return written(code, "code")


def _slug(text: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in text).lower()


_QUESTIONS = (
    Question("Gaps and delays", ["quality.data_map_status"], _gaps, "The data map has no rows."),
    Question("Who must still be tested", ["payable.rpt_untested_worklist"], _untested, "Nobody: every student has the tests the contract asks for."),
    Question("Outcomes so far", ["payable.rpt_contract_summary"], _summary, "No contract is in force."),
    Question("Where outcomes were lost", ["payable.rpt_loss_waterfall"], _lost_outcomes, "No outcome has been decided yet."),
    Question("Growth beside what was to be expected", ["improvement.rpt_growth_vs_expected"], _expected, "No growth line is priced."),
    Question("Growth and proficiency", ["improvement.rpt_growth_by_proficiency"], _proficiency, "No contract prices both growth and proficiency."),
    Question("Beside students who started alike", ["improvement.rpt_matched_comparison"], _matched, "No line is measured by a pair of tests."),
    Question("Providers beside each other", ["improvement.rpt_vendor_comparison"], _rivals, "Only one provider serves each subject."),
    Question("For whom", [], _for_whom, "No group has a result yet."),
    Question("Trends of the process", ["improvement.rpt_metric_trend"], _trends, "No metric has enough weeks yet."),
    Question("Tutoring beside school", ["process.rpt_tutoring_vs_school_attendance"], _beside_school,
             "School attendance or scheduled sessions are missing: the two cannot be put side by side."),
    Question("The same students, the same days", ["improvement.rpt_school_attendance"], _school_days, "No contract has sessions on days that school attendance covers."),
    Question("Outside factors", ["improvement.rpt_external_factor"], _outside,
             "Not enough weeks with an outside factor: send calendar events and weekly rates (source external_factors)."),
    Question("What is behind the change", ["improvement.rpt_metric_drivers"], _drivers, "No part of the change between the last two windows is worth naming."),
    Question("Dosage and outcome", ["improvement.rpt_dose_response"], _dose, "Too few students with a result and a known dosage."),
    Question("What students say", ["improvement.rpt_sel_association", "improvement.rpt_engagement_outcome"], _answers, "No exit ticket asks students."),
    Question("Money", ["payable.rpt_cap_utilisation"], _caps, "No cap is stated."),
    Question("Return", ["roi.agg_roi"], _return, "No costs and no options are recorded."),
    Question("Students to follow up", ["improvement.rpt_persistent_absence"], _absent, "Nobody is persistently absent."),
    Question("Every student", ["process.msr_student_tutoring"], _students, "Nobody is on a roster."),
    Question("How this will be used", [], _how_known, ""),
)  # fmt: skip
