"""Rules about `obc.yml`: the time zone, held files let in, who is published to, the smallest group shown."""

from __future__ import annotations

import re
from difflib import get_close_matches

from obc_pipeline.documents.problem import did_you_mean
from obc_pipeline.documents.rules.context import Readings, time_zones

# Federal practice: groups below ten are hidden (NCES); states go from 5 to 30.
_SMALLEST_USUAL_GROUP = 10


def check(readings: Readings) -> None:
    reading = readings.settings
    if reading.model is None:
        return
    settings = reading.model
    zones = time_zones()
    if zones and settings.timezone not in zones:
        near = get_close_matches(settings.timezone, zones, n=1)
        reading.error(
            ("timezone",),
            f"There is no time zone `{settings.timezone}`.",
            f"`{near[0] if near else 'America/Chicago'}` or another name of the tz database.",
        )
    starts_on, ends_on = settings.district.school_year
    if starts_on >= ends_on:
        reading.error(("district", "school_year_ends_on"), "The school year ends before it starts.", f"a day after {starts_on}.")
    elif ends_on.year != settings.district.school_year_end:
        reading.error(
            ("district", "school_year_end"),
            f"The school year ends on {ends_on}, but school_year_end says {settings.district.school_year_end}.",
            f"school_year_end: {ends_on.year}, or another last day.",
        )
    if settings.as_of and settings.as_of < starts_on:
        reading.warning(
            ("as_of",),
            f"as_of lies before the school year, which starts on {starts_on}: nothing will be due.",
            "a day in or after the school year.",
        )
    if settings.intake.received_at_from == "file_time" and settings.as_of is None:
        reading.warning(
            ("intake", "received_at_from"),
            "Arrival is taken from the files' own time, which anyone can set: late data would pass as punctual.",
            "`clock`; `file_time` is for synthetic homes, which also name their as_of.",
        )
    if settings.privacy.n_min < _SMALLEST_USUAL_GROUP:
        reading.warning(
            ("privacy", "n_min"),
            f"Groups of {settings.privacy.n_min} would be shown outside the district.",
            f"{_SMALLEST_USUAL_GROUP} or more, unless the state's rule allows less.",
        )
    _check_accepted(readings)
    _check_audiences(readings)


def _check_accepted(readings: Readings) -> None:
    settings = readings.settings.model
    assert settings is not None
    seen: set[str] = set()
    for index, accepted in enumerate(settings.intake.accept):
        if accepted.sha256 in seen:
            readings.settings.warning(("intake", "accept", index, "sha256"), "The same file is accepted twice.", "one entry per file.")
        seen.add(accepted.sha256)


def _check_audiences(readings: Readings) -> None:
    settings = readings.settings.model
    assert settings is not None
    for index, audience in enumerate(settings.publish.audiences):
        wrong = audience_problem(readings, audience, may_be_every=False)
        if wrong:
            readings.settings.error(("publish", "audiences", index), *wrong)


def audience_problem(readings: Readings, audience: str, may_be_every: bool) -> tuple[str, str] | None:
    """What is wrong with an audience and what would be right; None when it is known.

    may_be_every: whether `vendor` and `school` stand for every vendor and every school, each with its own rows.
    """
    known = ["district", "public", *(["vendor", "school"] if may_be_every else [])]
    providers = sorted({contract.provider_id for _, contract in readings.each_contract()})
    if audience in known or re.fullmatch(r"school-[A-Za-z0-9_.-]+", audience):
        return None
    if audience.startswith("vendor-"):
        if audience.removeprefix("vendor-") in providers or not readings.knows_all_contracts:
            return None
        return f"No contract has the provider of the audience `{audience}`.", did_you_mean(
            audience, [f"vendor-{provider}" for provider in providers]
        )
    return f"There is no audience `{audience}`.", did_you_mean(
        audience, [*known, *(f"vendor-{provider}" for provider in providers), "school-<school id>"]
    )
