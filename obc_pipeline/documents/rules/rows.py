"""Rules about the data map's rows: known source, existing suites, instrument and source that belong together, trust in what pays."""

from __future__ import annotations

import re

from obc_pipeline.documents.data_map import DataMapRow, instrument_format
from obc_pipeline.documents.problem import did_you_mean
from obc_pipeline.documents.rules.context import Readings


def check(readings: Readings) -> None:
    reading = readings.data_map
    seen: set[str] = set()
    for index, row in enumerate(readings.rows):
        if row.row_id in seen:
            reading.error(("rows", index, "row_id"), f"Two rows have the row_id `{row.row_id}`.", "each row with its own row_id.")
        seen.add(row.row_id)
        _check_sources(readings, index, row)
        _check_suites(readings, index, row)
        _check_instrument(readings, index, row)
        _check_trust(readings, index, row)
    _check_unused(readings)


def _check_sources(readings: Readings, index: int, row: DataMapRow) -> None:
    reading, here = readings.data_map, ("rows", index)
    if not row.source_names and reading.is_whole("rows"):
        reading.error(here, f"The row {row.row_id} names no source: nobody delivers it.", "source: the name of one of the sources above.")
    for name in row.source_names:
        if not readings.is_written_source(name):
            place = (*here, "source") if name == row.source else (*here, "sources", row.sources.index(name))
            reading.error(place, f"There is no source `{name}`.", did_you_mean(name, sorted(readings.sources)))
    if row.expected_delay_hours is not None and row.expected_delay_days is not None:
        reading.error(
            (*here, "expected_delay_hours"), "The expected delay is stated twice, in hours and in days.", "one of the two.", of_key=True
        )


def _check_suites(readings: Readings, index: int, row: DataMapRow) -> None:
    reading = readings.data_map
    formats = {readings.sources[name].format for name in row.source_names if name in readings.sources}
    for position, suite in enumerate(row.checks):
        here = ("rows", index, "checks", position)
        if readings.suites is not None and suite not in readings.suites:
            reading.error(here, f"There is no expectation suite `{suite}`.", did_you_mean(suite, sorted(readings.suites)))
            continue
        of_format = suite.partition("__")[0]
        if formats and of_format in readings.formats and of_format not in formats:
            message = f"The suite `{suite}` checks files of the format {of_format}; this row comes from {' and '.join(sorted(formats))}."
            fitting = sorted(name for name in readings.suites or () if name.partition("__")[0] in formats)
            reading.error(here, message, did_you_mean(suite, fitting))


def _check_instrument(readings: Readings, index: int, row: DataMapRow) -> None:
    reading, here = readings.data_map, ("rows", index)
    if row.instrument is None:
        if row.kind == "PAYMENT" and reading.is_whole("rows"):
            reading.error(
                here,
                f"The payment row {row.row_id} does not name its instrument: metric and test are two things.",
                "instrument: such as RENAISSANCE_STAR_READING or NWEA_MAP_MATH.",
            )
        return
    wanted = instrument_format(row.instrument)
    for name in row.source_names:
        source = readings.sources.get(name)
        if source is not None and source.format != wanted:
            fitting = sorted(other.name for other in readings.sources_of(wanted))
            message = f"{row.instrument} is not in files of the format {source.format}, which the source {name} has."
            reading.error((*here, "source"), message, f"a source of the format {wanted}{': ' + ', '.join(fitting) if fitting else ''}.")
    words = f"{row.metric} {row.measurement}"
    names_star, names_map = re.search(r"\bstar\b", words, re.I), re.search(r"\bMAP\b", words)
    if names_star and names_map:
        reading.warning(
            (*here, "measurement"),
            "The row names Star and MAP together. They are two products: Star (Renaissance) reports SGP, MAP Growth (NWEA) reports CGP.",
            "one row per product, each with its own instrument.",
        )
    elif (row.instrument.startswith("NWEA_MAP") and re.search(r"\bSGP\b", words)) or (
        row.instrument.startswith("RENAISSANCE") and re.search(r"\bCGP\b", words)
    ):
        reading.warning(
            (*here, "metric"),
            "SGP is Renaissance Star's growth percentile, CGP is that of NWEA MAP Growth.",
            "the metric that the row's instrument reports.",
        )


def _check_trust(readings: Readings, index: int, row: DataMapRow) -> None:
    reading, here = readings.data_map, ("rows", index)
    if row.kind == "PAYMENT" and row.accuracy_status != "TRUSTED":
        reading.warning(
            (*here, "accuracy_status"),
            f"Money hangs on a measure whose accuracy is {row.accuracy_status}: its failing checks only warn and stop no payment.",
            "TRUSTED once the checks have passed for a while, or kind: PROCESS.",
        )
    if row.accuracy_status == "TRUSTED" and not row.checks:
        reading.warning(
            here,
            f"The row {row.row_id} is trusted, but no suite watches it.",
            "checks: [the suite of its source's table], or accuracy_status: TBD.",
        )
    is_survey = any(readings.sources[name].format == "exit_tickets" for name in row.source_names if name in readings.sources)
    if row.kind == "PAYMENT" and is_survey:
        reading.warning((*here, "kind"), "Students' answers about themselves are too unreliable to pay on.", "kind: PROCESS.")


def _check_unused(readings: Readings) -> None:
    """A provider's feed that no row uses collects student data for nothing."""
    if not readings.knows_all_rows:
        return
    used = {name for row in readings.rows for name in row.source_names}
    for name, source in readings.sources.items():
        if source.provider_id is not None and name not in used:
            readings.data_map.warning(
                ("sources", name),
                f"No row of the data map uses the source {name}.",
                "a row that says what is measured with it, or no such source.",
                of_key=True,
            )
