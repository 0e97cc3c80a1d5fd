"""Rules about rate-card lines: the metric exists and is the one the column holds, tiers rise, gates can be judged, nothing pays twice."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from obc_pipeline.documents.contract import ATTENDANCE_METRICS, METRIC_COLUMNS, WINDOW_ORDER, Contract, RateCardLine
from obc_pipeline.documents.data_map import instrument_format, instrument_subject
from obc_pipeline.documents.problem import did_you_mean
from obc_pipeline.documents.reading import Reading
from obc_pipeline.documents.rules.context import Readings
from obc_pipeline.sources.declaration import normalise_header

_PERCENTILES = (Decimal(1), Decimal(99))
_LEVELS = (Decimal(1), Decimal(10))
_SHARES = (Decimal(0), Decimal(1))
# The models settle requires_line and excludes_line in this many rounds.
_LONGEST_CHAIN = 3


def check(readings: Readings) -> None:
    for reading, contract in readings.each_contract():
        seen: set[str] = set()
        for index, line in enumerate(contract.rate_card):
            if line.line_id in seen:
                reading.error(
                    ("rate_card", index, "line_id"), f"Two lines have the line_id `{line.line_id}`.", "each line with its own line_id."
                )
            seen.add(line.line_id)
            _check_windows(reading, contract, index, line)
            _check_metric(reading, contract, index, line)
            _check_tiers(reading, index, line)
            _check_gate(reading, contract, index, line)
            _check_missing_test(reading, contract, index, line)
            _check_price_unit(reading, contract, index, line)
            _check_uplift(reading, index, line)
            _check_line_caps(reading, index, line)
            _check_references(reading, contract, index, line)
        _check_paid_twice(reading, contract)
        _check_circles(reading, contract)


def _check_windows(reading: Reading[Contract], contract: Contract, index: int, line: RateCardLine) -> None:
    here = ("rate_card", index)
    present = [window.window_id for window in contract.windows]
    for field in ("baseline_window", "end_window"):
        window_id = getattr(line, field)
        if window_id is not None and window_id not in present and reading.is_whole("windows"):
            right = f"one of the contract's windows ({', '.join(present)}), or a {window_id} window under `windows`."
            reading.error((*here, field), f"The contract has no {window_id} window.", right)
    if line.baseline_window is None:
        if line.outcome_class in ("GROWTH", "MIDYEAR") and line.metric != "PROFICIENCY_LEVEL":
            reading.error(here, f"The growth line {line.line_id} has no baseline_window.", "baseline_window: FALL.")
    elif WINDOW_ORDER.index(line.baseline_window) >= WINDOW_ORDER.index(line.end_window):
        reading.error(
            (*here, "baseline_window"), "Growth is measured from an earlier window to a later one.", f"a window before {line.end_window}."
        )
    window = contract.window(line.end_window)
    if line.data_due_on is not None and window is not None and line.data_due_on < window.closes_on:
        reading.error((*here, "data_due_on"), "The line's results are due before its window closes.", f"{window.closes_on} or later.")
    if line.data_due_on is not None and contract.restatement_deadline is not None and line.data_due_on > contract.restatement_deadline:
        message = f"The line's results are due after the restatement deadline {contract.restatement_deadline}: they could not be paid."
        reading.error((*here, "data_due_on"), message, "an earlier due date, or a later restatement_deadline.")
    if (
        window is not None
        and contract.effective_to is not None
        and contract.effective_to <= window.closes_on
        and contract.version == 1
        and contract.effective_to > contract.service_end
    ):
        message = f"The version is no longer in force when the {line.end_window} window closes: no version decides the outcome."
        reading.warning(("effective_to",), message, f"a day after {window.closes_on}, or a further version.")


def _check_metric(reading: Reading[Contract], contract: Contract, index: int, line: RateCardLine) -> None:
    here, form_name = ("rate_card", index), instrument_format(line.instrument)
    if line.outcome_class == "COURSE" or line.metric == "COURSE_PASSED":
        message = f"The line {line.line_id} prices a metric no source measures: course results come in none of the known formats."
        reading.error((*here, "outcome_class"), message, "GROWTH, MIDYEAR, PROFICIENCY, ATTENDANCE or ASSESSMENT_COMPLETION.")
        return
    if line.outcome_class == "ATTENDANCE" or line.metric in ATTENDANCE_METRICS:
        _check_attendance(reading, here, line)
        return
    if line.outcome_class == "ASSESSMENT_COMPLETION" or line.metric == "ASSESSMENT_COMPLETED":
        _check_completion(reading, here, line)
        return
    known = [metric for of_format, metric in METRIC_COLUMNS if of_format == form_name]
    if line.metric not in known:
        product = {
            "nwea_map": "MAP Growth reports CGP",
            "renaissance_star": "Star reports SGP",
            "state_assessment": "a state test reports levels",
        }.get(form_name, "attendance is no test")
        swapped = line.metric.replace("SGP", "CGP") if form_name == "nwea_map" else line.metric.replace("CGP", "SGP")
        reading.error((*here, "metric"), f"Nobody measures {line.metric} with {line.instrument}: {product}.", did_you_mean(swapped, known))
    elif line.metric.count("_") == 2:
        _, baseline, end = line.metric.split("_")
        if (line.baseline_window, line.end_window) != (baseline, end) and line.baseline_window is not None:
            message = f"{line.metric} runs from {baseline} to {end}, the line from {line.baseline_window} to {line.end_window}."
            reading.error(
                (*here, "metric"),
                message,
                f"metric: {line.metric.split('_')[0]}_{line.baseline_window}_{line.end_window}, or the windows of the metric.",
            )
    if instrument_subject(line.instrument) != contract.subject:
        message = f"{line.instrument} does not measure {contract.subject}, the subject of the contract."
        reading.error((*here, "instrument"), message, f"an instrument of {contract.subject}.")
    _check_column(reading, here, line)
    is_growth_metric = line.metric.startswith(("CGP", "SGP"))
    if line.outcome_class == "PROFICIENCY" and is_growth_metric:
        reading.error((*here, "outcome_class"), f"{line.metric} is growth, not proficiency.", "GROWTH, or MIDYEAR when it ends in winter.")
    if line.outcome_class in ("GROWTH", "MIDYEAR") and not is_growth_metric and line.metric != "PERCENTILE":
        reading.error((*here, "outcome_class"), f"{line.metric} is no growth.", "PROFICIENCY, or a growth metric.")


def _check_attendance(reading: Reading[Contract], here: tuple, line: RateCardLine) -> None:
    """An attendance line pays on a rate of attendance, which has an instrument of its own, no column and no first test."""
    wanted = ATTENDANCE_METRICS.get(line.metric)
    if line.outcome_class != "ATTENDANCE":
        reading.error((*here, "outcome_class"), f"{line.metric} is a rate of attendance, not {line.outcome_class}.", "ATTENDANCE.")
    elif wanted is None:
        reading.error((*here, "metric"), f"{line.metric} is no rate of attendance.", " or ".join(ATTENDANCE_METRICS) + ".")
    elif line.instrument != wanted:
        message = f"Nobody measures {line.metric} with {line.instrument}: it prices a metric no source measures."
        reading.error((*here, "instrument"), message, f"{wanted}.")
    for field in ("source_column", "baseline_window"):
        if getattr(line, field) is not None:
            reading.error((*here, field), f"A rate of attendance has no {field}.", f"no {field}.", of_key=True)


def _check_completion(reading: Reading[Contract], here: tuple, line: RateCardLine) -> None:
    """A completed assessment is there or not: one tier, from 1."""
    if line.outcome_class != "ASSESSMENT_COMPLETION" or line.metric != "ASSESSMENT_COMPLETED":
        message = f"{line.outcome_class} and {line.metric} do not belong together."
        reading.error((*here, "metric"), message, "outcome_class: ASSESSMENT_COMPLETION with metric: ASSESSMENT_COMPLETED.")
    if instrument_subject(line.instrument) is None:
        reading.error((*here, "instrument"), f"{line.instrument} is no assessment.", "the test that is to be completed.")
    if line.source_column is not None:
        reading.error((*here, "source_column"), "That a test was completed is in no column.", "no source_column.", of_key=True)
    is_one = line.price_unit != "COHORT_THRESHOLD" and [tier.threshold for tier in line.tiers] != [Decimal(1)]
    if is_one or (line.student_threshold is not None and line.student_threshold != 1):
        message = "A test is completed (1) or not: there is nothing between or above."
        reading.error((*here, "tiers" if is_one else "student_threshold"), message, "one tier with threshold 1.", of_key=is_one)
    if line.penalty is not None:
        message = "A student without a completed test is not measured, so the penalty could not apply."
        reading.error((*here, "penalty"), message, "no penalty.", of_key=True)


def _check_column(reading: Reading[Contract], here: tuple, line: RateCardLine) -> None:
    """The line must name the column that holds its metric. Star's CurrentSGP holds none: it changes with every test."""
    if line.source_column is None:
        right = METRIC_COLUMNS.get((instrument_format(line.instrument), line.metric), "the exact column of the export")
        reading.error(here, f"The line {line.line_id} does not name the column that holds {line.metric}.", f"source_column: {right}.")
        return
    written = normalise_header(line.source_column)
    wanted = METRIC_COLUMNS.get((instrument_format(line.instrument), line.metric))
    if written == "currentsgp":
        message = "CurrentSGP changes with every test: the same student would be owed another amount each month."
        reading.error((*here, "source_column"), message, f"{wanted or 'StudentGrowthPercentileFallSpring'}.")
    elif wanted is not None and written != normalise_header(wanted):
        reading.error((*here, "source_column"), f"{line.metric} is not in the column `{line.source_column}`.", f"{wanted}.")


def _check_tiers(reading: Reading[Contract], index: int, line: RateCardLine) -> None:
    for number, tier in enumerate(line.tiers):
        here = ("rate_card", index, "tiers", number)
        if tier.price <= 0:
            reading.error(
                (*here, "price"),
                f"Reaching {_plain(tier.threshold)} would pay {tier.price}.",
                "a price above 0; what is owed for falling short is `penalty`.",
            )
        _check_range(reading, (*here, "threshold"), line, tier.threshold)
        if number == 0:
            continue
        before = line.tiers[number - 1]
        if tier.threshold <= before.threshold:
            message = f"The tiers overlap: {_plain(tier.threshold)} comes after {_plain(before.threshold)}, and the same result would reach both in doubt."
            reading.error((*here, "threshold"), message, "thresholds that rise from tier to tier, each once.")
        elif line.tier_mode == "BEST_TIER" and tier.price <= before.price:
            message = f"The tier from {_plain(tier.threshold)} pays {tier.price}, no more than the tier below it ({before.price})."
            reading.error(
                (*here, "price"),
                message,
                "prices that rise with the thresholds; with tier_mode: CUMULATIVE prices add up and need not rise.",
            )
    if line.penalty is None:
        return
    here = ("rate_card", index, "penalty")
    if line.penalty.price >= 0:
        reading.error(
            (*here, "price"),
            f"A penalty of {line.penalty.price} would pay the provider for students who fall back.",
            f"-{abs(line.penalty.price)}.",
        )
    _check_range(reading, (*here, "threshold"), line, line.penalty.threshold)
    lowest = min(tier.threshold for tier in line.tiers)
    if line.penalty.threshold > lowest:
        message = (
            f"Below {_plain(line.penalty.threshold)} the penalty applies, but from {_plain(lowest)} a tier is earned: the two overlap."
        )
        reading.error((*here, "threshold"), message, f"{_plain(lowest)} or less.")


def _check_range(reading: Reading[Contract], here: tuple, line: RateCardLine, threshold: Decimal, is_of_student: bool = False) -> None:
    """A threshold must be one the metric can reach: a share for a cohort's tiers and for attendance, else a level or a percentile."""
    if line.metric == "ASSESSMENT_COMPLETED" and (is_of_student or line.price_unit != "COHORT_THRESHOLD"):
        return
    is_share = line.metric in ATTENDANCE_METRICS or (line.price_unit == "COHORT_THRESHOLD" and not is_of_student)
    if is_share:
        if not _SHARES[0] < threshold <= _SHARES[1]:
            reading.error(here, f"{_plain(threshold)} is no share.", "a share above 0 and up to 1, such as 0.60 for 60 %.")
        return
    lowest, highest = _LEVELS if line.metric == "PROFICIENCY_LEVEL" else _PERCENTILES
    if not lowest <= threshold <= highest:
        kind = "performance level" if line.metric == "PROFICIENCY_LEVEL" else "percentile"
        effect = "every student would reach it" if threshold < lowest else "no student could reach it"
        reading.error(here, f"{_plain(threshold)} is no {kind}: {effect}.", f"a number from {lowest} to {highest}.")
    elif line.comparator == ">" and threshold == highest:
        reading.error(here, f"Nothing is above {_plain(threshold)}: no student could reach it.", "comparator '>=', or a lower threshold.")


def _check_gate(reading: Reading[Contract], contract: Contract, index: int, line: RateCardLine) -> None:
    here, gate = ("rate_card", index, "dosage_gate"), line.dosage_gate
    stated = [name for name in ("min_rate", "min_sessions", "min_hours") if getattr(gate, name) is not None]
    if len(stated) != 1:
        said = "states no dose" if not stated else f"states {' and '.join(stated)}"
        reading.error(
            here, f"The dosage gate of {line.line_id} {said}.", "exactly one of min_rate, min_sessions, min_hours; or `dosage_gate: none`."
        )
        return
    if (gate.min_sessions and gate.unit == "MINUTES") or (gate.min_hours and gate.unit == "SESSIONS"):
        reading.error(
            (*here, "unit"), f"{stated[0]} does not count {gate.unit}.", "no unit: min_sessions counts sessions, min_hours minutes."
        )
        return
    required = "required_minutes" if gate.counts == "MINUTES" else "required_sessions"
    if line.dosage_denominator != "REQUIRED" and stated[0] != "min_rate":
        message = f"A fixed dose ({stated[0]}) is a share of what is required, not of what was scheduled."
        reading.error((*here, stated[0]), message, "dosage_denominator: REQUIRED, or min_rate.")
    elif (
        line.dosage_denominator == "REQUIRED"
        and getattr(contract, required) is None
        and not (gate.min_rate and gate.min_rate.numerator == 0)
    ):
        message = f"The dosage gate of {line.line_id} is a share of {required}, which the contract does not state: nobody could be paid."
        reading.error(here, message, f"{required}: a number, at the top of the contract.")
        return
    rate = contract.gate_rate(line)
    if rate and rate[0] > rate[1]:
        reading.error(
            (*here, stated[0]), "The gate asks for more than the whole required dose: nobody could be paid.", f"at most {required}."
        )
    elif gate.min_rate is not None and 0 < gate.min_rate.fraction < Fraction(5, 100):
        reading.warning(
            (*here, "min_rate"), "The gate is below 5 %: was 0.70 meant by 0.0070 or 0.7 %?", "a share such as 0.70, 70/100 or 70%."
        )


def _check_missing_test(reading: Reading[Contract], contract: Contract, index: int, line: RateCardLine) -> None:
    if line.missing_test_rule != "DISTRICT_DEFAULT_IF_DISTRICT_CAUSE":
        return
    for field in ("district_default_share", "district_default_scope"):
        if getattr(contract, field) is None and reading.is_whole(field):
            message = (
                f"A test missing through the district counts as its default in {line.line_id}, but the contract does not state {field}."
            )
            reading.error(
                ("rate_card", index, "missing_test_rule"),
                message,
                f"{field} at the top of the contract (share 0 to 1; scope STUDENT, SCHOOL or CONTRACT).",
            )


def _check_price_unit(reading: Reading[Contract], contract: Contract, index: int, line: RateCardLine) -> None:
    """What a price is for decides which further fields it needs, and which make no sense with it."""
    here = ("rate_card", index)
    if line.rapid_guessing_max_share is not None and not line.instrument.startswith("NWEA_MAP"):
        reading.warning(
            (*here, "rapid_guessing_max_share"), f"{line.instrument} reports no rapid guessing.", "only on lines of NWEA MAP.", of_key=True
        )
    for field, unit in (("student_threshold", "COHORT_THRESHOLD"), ("points_max", "PER_POINT_ABOVE_TARGET")):
        if getattr(line, field) is not None and line.price_unit != unit:
            reading.error((*here, field), f"`{field}` belongs to price_unit: {unit}.", f"no {field}, or price_unit: {unit}.", of_key=True)
        elif getattr(line, field) is None and line.price_unit == unit and reading.is_whole(*here, field):
            wanted = {
                "student_threshold": "the metric's value from which one student counts, such as 50; the tiers are shares of the students",
                "points_max": "the most points paid per student, such as 30; a default of the district pays that many",
            }[field]
            reading.error(here, f"The line {line.line_id} is priced {unit} and does not state {field}.", f"{field}: {wanted}.")
    if line.price_unit == "PER_POINT_ABOVE_TARGET":
        if len(line.tiers) > 1:
            reading.error(
                (*here, "tiers"), "Points are counted above one target.", "one tier: the target and the price of a point.", of_key=True
            )
        if line.metric in ATTENDANCE_METRICS or line.metric in ("ASSESSMENT_COMPLETED", "PROFICIENCY_LEVEL"):
            reading.error(
                (*here, "price_unit"), f"{line.metric} has no points to be paid by.", "PER_STUDENT_OUTCOME, or a percentile metric."
            )
        if line.points_max is not None and line.points_max > 99:
            reading.error((*here, "points_max"), f"No percentile is {line.points_max} points above another.", "at most 99.")
    if line.price_unit == "COHORT_THRESHOLD":
        _check_cohort(reading, contract, here, line)


def _check_cohort(reading: Reading[Contract], contract: Contract, here: tuple, line: RateCardLine) -> None:
    if line.student_threshold is not None:
        _check_range(reading, (*here, "student_threshold"), line, line.student_threshold, is_of_student=True)
    for field in ("uplift", "requires_line", "excludes_line", "max_paid_outcomes"):
        if getattr(line, field):
            message = f"`{field}` is about one student, and the line {line.line_id} is paid once for all of them."
            reading.error((*here, field), message, f"no {field} on a line priced COHORT_THRESHOLD.", of_key=True)
    if contract.both_default_rule == "SPLIT":
        message = f"With both_default_rule: SPLIT half a student would count towards the share that {line.line_id} is paid on."
        reading.error((*here, "price_unit"), message, "both_default_rule: HOLD or PROVIDER_LOSES, or PER_STUDENT_OUTCOME.")


def _check_uplift(reading: Reading[Contract], index: int, line: RateCardLine) -> None:
    seen: set[str] = set()
    for number, uplift in enumerate(line.uplift):
        here = ("rate_card", index, "uplift", number)
        if uplift.program.upper() in seen:
            reading.error((*here, "program"), f"The program {uplift.program} has two multipliers.", "each program once.")
        seen.add(uplift.program.upper())
        if not 0 < uplift.multiplier < 100 or uplift.multiplier != uplift.multiplier.quantize(Decimal("0.0001")):
            reading.error(
                (*here, "multiplier"),
                f"{_plain(uplift.multiplier)} is no multiplier.",
                "a number such as 1.10, with at most four decimals.",
            )
        elif uplift.multiplier < 1:
            message = f"The multiplier {_plain(uplift.multiplier)} lowers the price, and a student without the program would bring more."
            reading.warning((*here, "multiplier"), message, "a multiplier above 1.")


def _check_line_caps(reading: Reading[Contract], index: int, line: RateCardLine) -> None:
    if line.line_cap is not None and line.line_cap < line.top_price:
        message = f"The cap of {line.line_cap} on {line.line_id} is below what one payment of it can be ({line.top_price})."
        reading.error(("rate_card", index, "line_cap"), message, f"{line.top_price} or more.")


def _check_references(reading: Reading[Contract], contract: Contract, index: int, line: RateCardLine) -> None:
    others = [other.line_id for other in contract.rate_card if other.line_id != line.line_id]
    for field in ("requires_line", "excludes_line"):
        named = getattr(line, field)
        if named is not None and named not in others and reading.is_whole("rate_card"):
            reading.error(("rate_card", index, field), f"There is no other line `{named}`.", did_you_mean(named, others))


def _check_circles(reading: Reading[Contract], contract: Contract) -> None:
    """No line may depend on itself through others, nor on a line that is decided in another grain."""
    lines = {line.line_id: line for line in contract.rate_card}
    for index, line in enumerate(contract.rate_card):
        for field in ("requires_line", "excludes_line"):
            named = lines.get(getattr(line, field) or "")
            if named is None:
                continue
            here = ("rate_card", index, field)
            if named.price_unit == "COHORT_THRESHOLD":
                message = f"{named.line_id} is decided for all students together, {line.line_id} for each."
                reading.error(here, message, "a line that is decided for each student.")
            longest = _longest_chain(lines, named.line_id, (line.line_id,))
            if longest is None:
                message = f"{line.line_id} depends on {named.line_id}, which depends on {line.line_id}: neither could be decided."
                reading.error(here, message, "a rate card without circles of requires_line and excludes_line.")
            elif longest > _LONGEST_CHAIN:
                message = f"{line.line_id} depends on a chain of {longest} lines."
                reading.error(here, message, f"at most {_LONGEST_CHAIN} lines, one depending on the next.")
        if line.requires_line is not None and line.requires_line == line.excludes_line:
            message = f"{line.line_id} both requires and excludes {line.requires_line}: it could never pay."
            reading.error(("rate_card", index, "excludes_line"), message, "one of the two.")


def _longest_chain(lines: dict[str, RateCardLine], line_id: str, before: tuple[str, ...]) -> int | None:
    """How many lines the first of `before` depends on, one through the other; None when the chain comes back to one of them."""
    if line_id in before:
        return None
    longest = len(before)
    for named in (lines[line_id].requires_line, lines[line_id].excludes_line):
        if named in lines:
            further = _longest_chain(lines, named, (*before, line_id))
            if further is None:
                return None
            longest = max(longest, further)
    return longest


def _check_paid_twice(reading: Reading[Contract], contract: Contract) -> None:
    seen: dict[tuple, str] = {}
    for index, line in enumerate(contract.rate_card):
        key = (line.instrument, line.metric, line.baseline_window, line.end_window)
        if key in seen and line.excludes_line != seen[key]:
            message = f"The lines {seen[key]} and {line.line_id} pay for the same result twice."
            reading.warning(("rate_card", index), message, "tiers of one line, or another metric or window.")
        seen.setdefault(key, line.line_id)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
