"""Rules about releases: who may say that something goes out, on which days grouped numbers change, and how long records may be kept."""

from __future__ import annotations

import datetime as dt

from obc_pipeline.documents.ci_structure import CiStructure
from obc_pipeline.documents.problem import did_you_mean
from obc_pipeline.documents.reading import Reading
from obc_pipeline.documents.rules.context import Readings
from obc_pipeline.names import same_name


def check(readings: Readings) -> None:
    _check_destroy_by(readings)
    reading = readings.ci_structure
    if reading.model is None:
        return
    _check_people(readings, reading, reading.model)
    _check_dates(readings, reading, reading.model)


def _check_people(readings: Readings, reading: Reading[CiStructure], structure: CiStructure) -> None:
    """Somebody can release; every role that may is somebody's; a name says who."""
    releases = structure.releases
    if not reading.is_whole("releases"):
        return
    roles = {releaser.role for releaser in releases.releasers}
    for index, role in enumerate(releases.release_roles):
        if role not in roles:
            reading.error(
                ("releases", "release_roles", index),
                f"Nobody has the release role `{role}`.",
                did_you_mean(role, sorted(roles)) if roles else "releasers: [{name: ..., role: ...}].",
            )
    seen: set[str] = set()
    for index, releaser in enumerate(releases.releasers):
        if same_name(releaser.name) in seen:
            reading.error(("releases", "releasers", index, "name"), f"{releaser.name} stands twice.", "each person once.")
        seen.add(same_name(releaser.name))
        if releaser.role not in releases.roles_that_release:
            message = f"{releaser.name} is {releaser.role}, which is none of the release_roles, and can release nothing."
            reading.warning(
                ("releases", "releasers", index, "role"), message, did_you_mean(releaser.role, list(releases.roles_that_release))
            )
    named = {group.audience for group in structure.workgroups}
    named |= set(readings.settings.model.publish.audiences) if readings.settings.model else set()
    if not releases.releasers and named - {"district"}:
        message = "Nobody may release a file to anyone outside the district's data team: vendors, schools and the public get nothing."
        reading.warning(("releases",), message, "releases: {releasers: [{name: ..., role: ...}]}.", of_key=True)


def _check_dates(readings: Readings, reading: Reading[CiStructure], structure: CiStructure) -> None:
    seen: set[dt.date] = set()
    district = readings.settings.model.district if readings.settings.model else None
    for index, day in enumerate(structure.releases.dates):
        here = ("releases", "dates", index)
        if day in seen:
            reading.warning(here, f"{day} is a release date twice.", "each day once.")
        seen.add(day)
        if district is not None:
            first, last = district.school_year
            if not first <= day <= last + dt.timedelta(days=123):
                reading.error(
                    here, f"The release date {day} lies outside the school year.", f"a day from {first} to {last}, or soon after."
                )


def _check_destroy_by(readings: Readings) -> None:
    """A day in the past is no error: it is how an agreement ends. But then the provider's file is deleted, which one should know."""
    settings = readings.settings.model
    today = (settings.as_of if settings else None) or dt.date.today()
    for reading, contract in readings.each_contract():
        if contract.destroy_by is not None and contract.destroy_by < today:
            message = (
                f"destroy_by has passed: what {contract.provider_id} was given under {contract.contract_id} is deleted by the next run."
            )
            reading.warning(("destroy_by",), message, "a later day, if the agreement was extended; else nothing needs to be done.")
