"""Rules about what must be measured for a contract to be payable: tests, sessions, lists, and something to steer by before services end."""

from __future__ import annotations

import datetime as dt

from obc_pipeline.documents.contract import Contract
from obc_pipeline.documents.data_map import DataMapRow, Source, instrument_format
from obc_pipeline.documents.reading import Reading
from obc_pipeline.documents.rules.context import Readings

_NEEDED_BY_ALL = {
    "contract_roster": "nobody would be on a roster, so nobody would be paid for",
    "oneroster": "students could not be recognised across feeds",
}
_CAUSES_OF_ABSENCE = {"sis_attendance": "absences from school", "school_calendar": "closures and assessment days"}
_OFTEN = ("DAILY", "WEEKLY", "BIWEEKLY", "MONTHLY", "QUARTERLY")


def check(readings: Readings) -> None:
    for reading, contract in readings.each_contract():
        if readings.knows_all_sources:
            _check_lists(readings, reading, contract)
            _check_sessions(readings, reading, contract)
            _check_instruments(readings, reading, contract)
        _check_gate_feeds(readings, reading, contract)
        if readings.knows_all_sources and readings.knows_all_rows:
            _check_payment_rows(readings, reading, contract)
            _check_early_measure(readings, reading, contract)


def _check_lists(readings: Readings, reading: Reading[Contract], contract: Contract) -> None:
    for format_name, consequence in _NEEDED_BY_ALL.items():
        if not readings.sources_of(format_name):
            message = f"The data map has no source of the format {format_name}: {consequence}."
            reading.error(("contract_id",), message, f"a source with format: {format_name} in data_map.yml.")


def _check_sessions(readings: Readings, reading: Reading[Contract], contract: Contract) -> None:
    feeds = readings.sources_of("tutoring_sessions", provider_id=contract.provider_id)
    if not feeds:
        message = f"The provider {contract.provider_id} has no sessions source: attendance, dosage and base pay could not be known."
        right = f"a source with format: tutoring_sessions and provider_id: {contract.provider_id} in data_map.yml."
        reading.error(("provider_id",), message, right)


def _check_instruments(readings: Readings, reading: Reading[Contract], contract: Contract) -> None:
    for index, line in enumerate(contract.rate_card):
        wanted = instrument_format(line.instrument)
        provider_id = contract.provider_id if wanted == "tutoring_sessions" else None
        feeds = readings.sources_of(wanted, subject=contract.subject, provider_id=provider_id)
        if not feeds:
            message = f"Nobody measures {line.metric} for the line {line.line_id}: no source of the data map delivers {line.instrument}."
            reading.error(
                ("rate_card", index, "instrument"), message, f"a source with format: {wanted} in data_map.yml, or another instrument."
            )
        attended_only = [feed.name for feed in feeds if wanted == "tutoring_sessions" and feed.reports_attended_only]
        if attended_only:
            message = f"{line.line_id} prices a metric no source measures: {attended_only[0]} reports attended sessions only, none that was missed."
            reading.error(
                ("rate_card", index, "metric"), message, "SCHOOL_ATTENDANCE_RATE, or a feed with scheduled sessions (layout: full)."
            )
        if line.uplift and not readings.sources_of("program_flags"):
            message = f"{line.line_id} pays more for students of a program, and no source tells who they are."
            reading.error(("rate_card", index, "uplift"), message, "a source with format: program_flags in data_map.yml.", of_key=True)


def _check_gate_feeds(readings: Readings, reading: Reading[Contract], contract: Contract) -> None:
    """A share of scheduled sessions needs feeds that report scheduled sessions."""
    feeds = readings.sources_of("tutoring_sessions", provider_id=contract.provider_id)
    attended_only = [feed.name for feed in feeds if feed.reports_attended_only]
    for index, line in enumerate(contract.rate_card):
        if line.dosage_denominator == "REQUIRED":
            continue
        here = ("rate_card", index, "dosage_denominator")
        if attended_only:
            message = (
                f"The gate of {line.line_id} is a share of scheduled sessions, but {', '.join(attended_only)} reports attended sessions only: "
                "every student would seem to have come each time."
            )
            reading.error(here, message, "dosage_denominator: REQUIRED, or a feed that reports scheduled sessions (layout: full).")
        missing = [what for name, what in _CAUSES_OF_ABSENCE.items() if not readings.sources_of(name)]
        if missing and readings.knows_all_sources:
            reading.warning(
                here,
                f"Excused sessions are taken out of the gate, but no source tells {' or '.join(missing)}.",
                "the sources sis_attendance and school_calendar.",
            )


def _check_payment_rows(readings: Readings, reading: Reading[Contract], contract: Contract) -> None:
    for index, line in enumerate(contract.rate_card):
        rows = [row for row in readings.rows if row.kind == "PAYMENT" and row.instrument == line.instrument]
        if not rows and readings.sources_of(instrument_format(line.instrument), subject=contract.subject):
            message = f"The line {line.line_id} pays on {line.instrument}, which no PAYMENT row of the data map measures: nothing would say how accurate it is."
            reading.error(
                ("rate_card", index, "instrument"), message, f"a row with kind: PAYMENT and instrument: {line.instrument} in data_map.yml."
            )


def _check_early_measure(readings: Readings, reading: Reading[Contract], contract: Contract) -> None:
    """Something of every contract must be measured before its services end: otherwise all that is left is to pay, or not."""
    is_early_test = any(
        (window := contract.window(line.end_window)) is not None and window.closes_on < contract.service_end for line in contract.rate_card
    )
    if is_early_test or any(_measures_early(readings, contract, row) for row in readings.rows):
        return
    message = f"Nothing of {contract.contract_id} is measured before services end on {contract.service_end}: its outcomes could be paid, but not improved."
    right = f"a PROCESS row in data_map.yml on a feed of {contract.provider_id} that comes at least quarterly, or a mid-year test."
    reading.error(("rate_card",), message, right, of_key=True)


def _measures_early(readings: Readings, contract: Contract, row: DataMapRow) -> bool:
    """Whether a process row brings something of this contract in time to act on it."""
    if row.kind != "PROCESS":
        return False
    formats_of_tests = {instrument_format(line.instrument) for line in contract.rate_card}
    for name in row.source_names:
        source = readings.sources.get(name)
        if source is None or not (source.provider_id == contract.provider_id or source.format in formats_of_tests):
            continue
        if source.subject not in (None, contract.subject):
            continue
        if _arrives_before_end(contract, row, source):
            return True
    return False


def _arrives_before_end(contract: Contract, row: DataMapRow, source: Source) -> bool:
    delay = dt.timedelta(hours=row.delay_hours(source))
    frequency = row.frequency or source.frequency
    if frequency == "PER_WINDOW":
        return any(
            contract.service_start <= window.closes_on and window.closes_on + delay < contract.service_end for window in contract.windows
        )
    return frequency in _OFTEN and contract.service_start + delay < contract.service_end
