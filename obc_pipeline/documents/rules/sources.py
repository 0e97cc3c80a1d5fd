"""Rules about the data map's sources: known format, preset, layout, options and columns; ids, timing, codes and item dictionaries."""

from __future__ import annotations

from collections.abc import Iterable

from obc_pipeline.documents.attendance_presets import codes_of
from obc_pipeline.documents.data_map import ExitTicketItem, Source
from obc_pipeline.documents.problem import did_you_mean
from obc_pipeline.documents.reading import Reading
from obc_pipeline.documents.rules.context import Readings, time_zones
from obc_pipeline.sources.declaration import Format, normalise_header
from obc_pipeline.sources.matching import GENERAL_OPTIONS

_NO_STUDENTS = {"school_calendar", "external_factors", "ci_note", "ci_meeting", "ci_action", "cost", "program_option"}
_OF_PROVIDERS = {"tutoring_sessions", "exit_tickets"}


def check(readings: Readings) -> None:
    for name, source in readings.sources.items():
        form = readings.formats.get(source.format)
        if form is None:
            readings.data_map.error(
                ("sources", name, "format"), f"There is no format `{source.format}`.", did_you_mean(source.format, sorted(readings.formats))
            )
        else:
            _check_against_format(readings.data_map, name, source, form)
        _check_identity(readings.data_map, name, source)
        _check_timing(readings.data_map, name, source)
        _check_provider(readings, name, source)
        _check_attendance(readings.data_map, name, source)
        _check_items(readings.data_map, name, source)


def _check_against_format(reading: Reading, name: str, source: Source, form: Format) -> None:
    here = ("sources", name)
    layouts = sorted({version for table in form.tables for version in table.header_versions})
    presets = sorted({preset for table in form.tables for preset in table.presets} | set(layouts))
    if source.preset is not None and source.preset not in presets:
        right = did_you_mean(source.preset, presets) if presets else f"no preset; the format {form.name} has none."
        reading.error((*here, "preset"), f"The format {form.name} has no preset `{source.preset}`.", right)
    if source.layout is not None and source.layout not in layouts:
        reading.error((*here, "layout"), f"The format {form.name} has no layout `{source.layout}`.", did_you_mean(source.layout, layouts))
    known_options = sorted((set(form.options) | set(GENERAL_OPTIONS)) - set(Source.model_fields))
    for option in source.own_options:
        if option in Source.model_fields:
            reading.error(
                (*here, "options", option), f"`{option}` is a key of the source itself.", f"`{option}:` beside `format:`.", of_key=True
            )
        elif option not in known_options:
            reading.error(
                (*here, "options", option),
                f"The format {form.name} has no option `{option}`.",
                did_you_mean(option, known_options),
                of_key=True,
            )
    columns = {column.name for table in form.tables for column in table.columns}
    by_column: dict[str, str] = {}
    for header, column in source.columns.items():
        if column not in columns:
            reading.error(
                (*here, "columns", header), f"The format {form.name} has no column `{column}`.", did_you_mean(column, sorted(columns))
            )
        elif column in by_column:
            reading.warning(
                (*here, "columns", header),
                f"Two headers lead to `{column}`: `{by_column[column]}` and `{header}`. A file that has both cannot be read.",
                "one header per column, unless older files spell it differently.",
                of_key=True,
            )
        by_column.setdefault(column, header)


def _check_identity(reading: Reading, name: str, source: Source) -> None:
    if source.student_id_is is None and source.format not in _NO_STUDENTS:
        reading.error(
            ("sources", name),
            f"The source {name} does not say which student number it carries (`student_id_is`): students would be matched by chance, or not at all.",
            "student_id_is: local (the district's own number), sourced (OneRoster's sourcedId) or state.",
            of_key=True,
        )


def _check_timing(reading: Reading, name: str, source: Source) -> None:
    here = ("sources", name)
    if source.expected_delay_hours is not None and source.expected_delay_days is not None:
        reading.error(
            (*here, "expected_delay_hours"), "The expected delay is stated twice, in hours and in days.", "one of the two.", of_key=True
        )
    if source.expected_delay_hours is None and source.expected_delay_days is None:
        reading.error(
            here,
            f"The source {name} has no expected delay: nobody would notice that it is late.",
            "expected_delay_days or expected_delay_hours.",
            of_key=True,
        )
    zones = time_zones()
    if source.schedule and source.schedule.timezone and zones and source.schedule.timezone not in zones:
        reading.error(
            (*here, "schedule", "timezone"),
            f"There is no time zone `{source.schedule.timezone}`.",
            "a name of the tz database, such as America/Chicago.",
        )


def _check_provider(readings: Readings, name: str, source: Source) -> None:
    reading, here = readings.data_map, ("sources", name)
    if source.format in _OF_PROVIDERS and source.provider_id is None:
        reading.error(
            here, f"The source {name} does not say whose feed it is.", "provider_id: the provider's id, as in its contract.", of_key=True
        )
    if source.provider_id is None:
        return
    contracts = [contract for _, contract in readings.each_contract() if contract.provider_id == source.provider_id]
    if not contracts and readings.knows_all_contracts:
        providers = sorted({contract.provider_id for _, contract in readings.each_contract()})
        reading.warning(
            (*here, "provider_id"),
            f"No contract has the provider `{source.provider_id}`: its feed counts for nothing.",
            did_you_mean(source.provider_id, providers),
        )
    subjects = sorted({contract.subject for contract in contracts})
    if contracts and source.subject is not None and source.subject not in subjects and readings.knows_all_contracts:
        message = f"The feed's subject is {source.subject}, but {source.provider_id} is contracted for {' and '.join(subjects)}."
        reading.error((*here, "subject"), message, " or ".join(subjects) + ".")
    if source.layout == "datas" and source.is_attended_only is False:
        reading.error(
            (*here, "is_attended_only"),
            "DATAS 1.0.0 has one row per attended session: missed and scheduled sessions cannot be seen in it.",
            "is_attended_only: true, or layout: full when the provider also sends the schedule.",
        )


def _check_attendance(reading: Reading, name: str, source: Source) -> None:
    here = ("sources", name)
    if source.attendance_codes and source.format != "sis_attendance":
        reading.error(
            (*here, "attendance_codes"),
            f"Attendance codes mean nothing in a source of the format {source.format}.",
            "no attendance_codes here.",
            of_key=True,
        )
        return
    if source.format != "sis_attendance":
        return
    if not codes_of(source):
        reading.error(
            here,
            f"The source {name} does not say what its attendance codes mean; codes are local, and a letter means another thing next door.",
            "attendance_codes: a list such as `- {code: A, status: ABSENT, is_excused: false}`.",
            of_key=True,
        )
    seen: set[tuple[str, str | None]] = set()
    for index, code in enumerate(source.attendance_codes):
        key = (code.code.casefold(), code.excuse.casefold() if code.excuse else None)
        if key in seen:
            reading.error(
                (*here, "attendance_codes", index),
                f"The attendance code `{code.code}` is explained twice.",
                "one meaning per code and excuse.",
            )
        seen.add(key)
        if code.status == "PRESENT" and code.absent_share:
            reading.error(
                (*here, "attendance_codes", index, "absent_share"),
                "A present student misses nothing of the day.",
                "status: ABSENT, or no absent_share.",
            )
        if code.status == "ABSENT" and code.absent_share is not None and not code.absent_share:
            reading.error(
                (*here, "attendance_codes", index, "absent_share"),
                "An absence of no part of the day is no absence.",
                "a share above 0, or status: PRESENT.",
            )
    if source.attendance_codes and not any(code.status == "ABSENT" for code in source.attendance_codes):
        reading.error(
            (*here, "attendance_codes"),
            "No code means ABSENT: nobody would ever be absent from school.",
            "the codes of absences, too.",
            of_key=True,
        )


def _check_items(reading: Reading, name: str, source: Source) -> None:
    here = ("sources", name)
    if source.format != "exit_tickets":
        if source.items:
            reading.error(
                (*here, "items"),
                f"Exit ticket items mean nothing in a source of the format {source.format}.",
                "no items here.",
                of_key=True,
            )
        return
    if not source.items and reading.is_whole("sources", name, "items"):
        reading.error(
            here,
            f"The exit ticket {name} has no item dictionary: its answers could not be scored.",
            "items: one entry per question, with header, construct and scale.",
            of_key=True,
        )
    if source.form_version is None and source.items:
        reading.error(
            here,
            f"The exit ticket {name} has no form_version: answers to a later wording could not be told apart.",
            "form_version: '2025-09'.",
            of_key=True,
        )
    _check_unique(reading, name, "item_code", [item.item_code for item in source.items])
    _check_unique(reading, name, "header", [normalise_header(item.header) or item.header for item in source.items])
    mapped = {normalise_header(header) for header in source.columns}
    for index, item in enumerate(source.items):
        if normalise_header(item.header) in mapped:
            reading.error(
                (*here, "items", index, "header"), "The same header is an item and a column.", "each header in one of the two places."
            )
        _check_scale(reading, (*here, "items", index), item)


def _check_unique(reading: Reading, name: str, field: str, values: Iterable[str]) -> None:
    seen: dict[str, int] = {}
    for index, value in enumerate(values):
        if value in seen:
            reading.error(("sources", name, "items", index, field), f"Two items have the same {field}.", f"each item with its own {field}.")
        seen.setdefault(value, index)


def _check_scale(reading: Reading, here: tuple, item: ExitTicketItem) -> None:
    if item.is_free_text:
        if item.scale_min is not None or item.scale_max is not None or item.labels:
            reading.error(
                here, f"The item {item.item_code} is free text and has a scale.", "one of the two: a scale, or is_free_text: true."
            )
        return
    if item.asks_about is None:
        reading.error(
            here,
            f"The item {item.item_code} does not say what it asks about.",
            "construct: identity, efficacy, engagement, satisfaction, relationship or understanding.",
        )
    if item.scale_min is None or item.scale_max is None:
        reading.error(here, f"The item {item.item_code} has no scale.", "scale_min and scale_max, such as 1 and 5; 0 and 1 for yes and no.")
        return
    if item.scale_min >= item.scale_max:
        reading.error(
            (*here, "scale_max"),
            f"The scale of {item.item_code} goes from {item.scale_min} to {item.scale_max}.",
            "scale_min below scale_max; for an item where a high answer is poor, is_reverse: true.",
        )
        return
    for label, value in item.labels.items():
        if not item.scale_min <= value <= item.scale_max:
            reading.error(
                (*here, "labels", label),
                f"A label stands for {value}, outside the scale {item.scale_min} to {item.scale_max}.",
                "a value inside the scale.",
            )
    unlabelled = sorted(set(range(item.scale_min, item.scale_max + 1)) - set(item.labels.values())) if item.labels else []
    if unlabelled and item.scale_max - item.scale_min < 20:
        listed = ", ".join(map(str, unlabelled))
        reading.warning(
            (*here, "labels"),
            f"The item {item.item_code} has labels, but none for {listed}: such answers would not be scored.",
            "a label for each value of the scale.",
            of_key=True,
        )
    folded = [label.strip().casefold() for label in item.labels]
    if len(folded) != len(set(folded)):
        reading.warning(
            (*here, "labels"), f"Two labels of {item.item_code} differ only in case or spaces.", "each label once.", of_key=True
        )
