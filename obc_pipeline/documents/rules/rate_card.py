"""Rules about rate-card lines: the metric exists and is the one the column holds, tiers rise, gates can be judged, nothing pays twice."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from obc_pipeline.documents.contract import METRIC_COLUMNS, WINDOW_ORDER, Contract, RateCardLine
from obc_pipeline.documents.data_map import instrument_format, instrument_subject
from obc_pipeline.documents.problem import did_you_mean
from obc_pipeline.documents.reading import Reading
from obc_pipeline.documents.rules.context import Readings
from obc_pipeline.sources.declaration import normalise_header

_PERCENTILES = (Decimal(1), Decimal(99))
_LEVELS = (Decimal(1), Decimal(10))
_NOT_APPLIED = ("uplift", "max_paid_outcomes", "line_cap", "requires_line", "excludes_line")


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
            _check_support(reading, index, line)
            _check_references(reading, contract, index, line)
        _check_paid_twice(reading, contract)
        if contract.per_student_cap is not None:
            message = "`per_student_cap` is kept, but not applied to the earned amount by this version."
            reading.warning(("per_student_cap",), message, "the same effect in the prices, or a correction at settlement.", of_key=True)


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
    known = [metric for of_format, metric in METRIC_COLUMNS if of_format == form_name]
    if line.metric not in known:
        product = {
            "nwea_map": "MAP Growth reports CGP",
            "renaissance_star": "Star reports SGP",
            "state_assessment": "a state test reports levels",
        }[form_name]
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


def _check_column(reading: Reading[Contract], here: tuple, line: RateCardLine) -> None:
    """The line must name the column that holds its metric. Star's CurrentSGP holds none: it changes with every test."""
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


def _check_range(reading: Reading[Contract], here: tuple, line: RateCardLine, threshold: Decimal) -> None:
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


def _check_support(reading: Reading[Contract], index: int, line: RateCardLine) -> None:
    """What a document may state but this version does not compute: an error where the amount would be wrong, else a warning."""
    here = ("rate_card", index)
    if line.price_unit != "PER_STUDENT_OUTCOME":
        message = f"{line.price_unit} cannot be paid by this version: each student would be paid the whole price."
        reading.error((*here, "price_unit"), message, "PER_STUDENT_OUTCOME.")
    if line.outcome_class in ("COURSE", "ATTENDANCE", "ASSESSMENT_COMPLETION"):
        message = f"Nobody measures outcomes of the class {line.outcome_class}: no instrument of this version delivers them."
        reading.error((*here, "outcome_class"), message, "GROWTH, MIDYEAR or PROFICIENCY.")
    for field in _NOT_APPLIED:
        if getattr(line, field):
            reading.warning(
                (*here, field),
                f"`{field}` is kept, but not applied to the earned amount by this version.",
                "the same effect in the prices, or a correction at settlement.",
                of_key=True,
            )
    if line.rapid_guessing_max_share is not None and not line.instrument.startswith("NWEA_MAP"):
        reading.warning(
            (*here, "rapid_guessing_max_share"), f"{line.instrument} reports no rapid guessing.", "only on lines of NWEA MAP.", of_key=True
        )


def _check_references(reading: Reading[Contract], contract: Contract, index: int, line: RateCardLine) -> None:
    others = [other.line_id for other in contract.rate_card if other.line_id != line.line_id]
    for field in ("requires_line", "excludes_line"):
        named = getattr(line, field)
        if named is not None and named not in others and reading.is_whole("rate_card"):
            reading.error(("rate_card", index, field), f"There is no other line `{named}`.", did_you_mean(named, others))


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
