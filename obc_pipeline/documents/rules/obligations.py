"""Rules about obligations: each can be measured, has the numbers it compares with, and a consequence that fits its party."""

from __future__ import annotations

from obc_pipeline.documents.contract import Contract, Obligation
from obc_pipeline.documents.data_map import instrument_format
from obc_pipeline.documents.problem import did_you_mean
from obc_pipeline.documents.reading import Reading
from obc_pipeline.documents.rules.context import Readings

# The contract field a metric is measured against.
_NEEDS = {
    "GROUP_SIZE_COMPLIANCE": "max_group_size",
    "DURATION_COMPLIANCE": "min_session_minutes",
    "FREQUENCY_COMPLIANCE": "sessions_per_week",
}
_BY_DATE = {"ROSTER_BY_DATE": "contract_roster", "DATA_FEED_BY_DATE": None}
_FROM_SESSIONS = ("SAME_TUTOR_SHARE", "GROUP_SIZE_COMPLIANCE", "DURATION_COMPLIANCE", "FREQUENCY_COMPLIANCE", "DELIVERY_RATE")

# What can be judged week by week, month by month or term by term. A frequency is counted in weeks as it is; tests and deliveries have one day.
_BY_WINDOW = ("SAME_TUTOR_SHARE", "GROUP_SIZE_COMPLIANCE", "DURATION_COMPLIANCE", "DATA_TIMELINESS", "DELIVERY_RATE")


def check(readings: Readings) -> None:
    for reading, contract in readings.each_contract():
        seen: set[str] = set()
        for index, obligation in enumerate(contract.obligations):
            if obligation.obligation_id in seen:
                message = f"Two obligations have the id `{obligation.obligation_id}`."
                reading.error(("obligations", index, "obligation_id"), message, "each with its own id.")
            seen.add(obligation.obligation_id)
            _check_consequence(reading, contract, index, obligation)
            _check_numbers(reading, contract, index, obligation)
            _check_evidence(readings, reading, contract, index, obligation)


def _check_consequence(reading: Reading[Contract], contract: Contract, index: int, obligation: Obligation) -> None:
    here = ("obligations", index, "consequence")
    if obligation.consequence == "DEFAULT_PAY":
        if obligation.party == "PROVIDER":
            reading.error(here, "A breach of the provider would make the district pay.", "VOID_OUTCOME, VOID_ALL or NOTICE_ONLY.")
        for field in ("district_default_share", "district_default_scope"):
            if getattr(contract, field) is None and reading.is_whole(field):
                message = f"A breach of {obligation.obligation_id} makes the district pay by default, but the contract does not state {field}; there is no usual value."
                reading.error(here, message, f"{field} at the top of the contract (share 0 to 1; scope STUDENT, SCHOOL or CONTRACT).")
    elif obligation.consequence == "VOID_ALL" and contract.base_model == "FIXED_INSTALMENT" and obligation.scope != "CONTRACT":
        message = f"An instalment is owed for the contract: a breach of scope {obligation.scope} could not void a part of it."
        reading.error(("obligations", index, "scope"), message, "CONTRACT, or consequence: VOID_OUTCOME.")
    elif obligation.consequence != "NOTICE_ONLY" and obligation.party == "DISTRICT":
        reading.error(here, "A breach of the district would take the provider's pay.", "DEFAULT_PAY or NOTICE_ONLY.")


def _check_numbers(reading: Reading[Contract], contract: Contract, index: int, obligation: Obligation) -> None:
    needed = _NEEDS.get(obligation.metric)
    if needed is not None and getattr(contract, needed) is None and reading.is_whole(needed):
        message = f"{obligation.metric} is measured against {needed}, which the contract does not state."
        reading.error(("obligations", index, "metric"), message, f"{needed}: a number, at the top of the contract.")
    _check_due_day(reading, index, obligation)
    if obligation.measurement_window != "CONTRACT_TO_DATE" and obligation.metric not in _BY_WINDOW:
        message = f"{obligation.metric} is not measured by {obligation.measurement_window.lower()}: only what every session counts for is ({', '.join(_BY_WINDOW)})."
        reading.error(("obligations", index, "measurement_window"), message, "CONTRACT_TO_DATE, or no measurement_window.")
    if obligation.metric == "ASSESSMENT_ADMINISTERED" and obligation.party == "PROVIDER":
        message = "ASSESSMENT_ADMINISTERED counts the tests missed through the district: the provider would answer for them."
        reading.error(
            ("obligations", index, "party"), message, "DISTRICT; a test the provider failed to give is a ruling MISSING_TEST_CAUSE."
        )
    if obligation.value.numerator == 0 and obligation.comparator == ">=":
        reading.warning(("obligations", index, "value"), "A share of 0 is always reached.", "a share above 0.")
    if obligation.value.numerator == obligation.value.denominator and obligation.comparator == ">":
        reading.error(
            ("obligations", index, "value"), "Nothing is more than the whole: the obligation is always breached.", "comparator '>='."
        )


def _check_due_day(reading: Reading[Contract], index: int, obligation: Obligation) -> None:
    here = ("obligations", index)
    if obligation.metric not in _BY_DATE:
        if obligation.due_on is not None:
            reading.error((*here, "due_on"), f"{obligation.metric} is not measured on one day.", "no due_on.", of_key=True)
        return
    if obligation.due_on is None and reading.is_whole(*here, "due_on"):
        reading.error(here, f"{obligation.obligation_id} does not say by which day.", "due_on: the last day in time, such as 2025-10-01.")
    if obligation.value.numerator != obligation.value.denominator:
        reading.error((*here, "value"), "Something comes by its day or does not.", "value: 1/1.")


def _check_evidence(readings: Readings, reading: Reading[Contract], contract: Contract, index: int, obligation: Obligation) -> None:
    here, name = ("obligations", index, "evidence_source"), obligation.evidence_source
    source = readings.sources.get(name)
    if source is None:
        if not readings.is_written_source(name) and readings.data_map.root is not None:
            reading.error(
                here,
                f"There is no source `{name}` in the data map: nobody measures {obligation.metric}.",
                did_you_mean(name, sorted(readings.sources)),
            )
        return
    if source.provider_id not in (None, contract.provider_id):
        reading.error(
            here,
            f"The source {name} is the feed of {source.provider_id}, not of {contract.provider_id}.",
            f"a feed of {contract.provider_id}.",
        )
        return
    if obligation.metric in _FROM_SESSIONS and source.format != "tutoring_sessions":
        fitting = [other.name for other in readings.sources_of("tutoring_sessions", provider_id=contract.provider_id)]
        reading.error(
            here, f"{obligation.metric} cannot be measured from the source {name} ({source.format}).", did_you_mean(name, fitting)
        )
    elif obligation.metric == "DELIVERY_RATE" and source.reports_attended_only:
        message = f"The source {name} reports attended sessions only: what was scheduled and not held cannot be seen in it."
        reading.error(here, message, "a feed with scheduled sessions, or no DELIVERY_RATE.")
    elif (wanted := _BY_DATE.get(obligation.metric)) and source.format != wanted:
        fitting = [other.name for other in readings.sources_of(wanted)]
        reading.error(here, f"The source {name} ({source.format}) holds no roster.", did_you_mean(name, fitting))
    elif obligation.metric == "ASSESSMENT_ADMINISTERED":
        wanted = {instrument_format(line.instrument) for line in contract.rate_card}
        if source.format not in wanted and reading.is_whole("rate_card"):
            reading.error(
                here,
                f"The source {name} ({source.format}) holds none of the tests of the rate card.",
                f"a source of the format {' or '.join(sorted(wanted))}.",
            )
