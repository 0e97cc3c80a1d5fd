"""Puts out what is prepared: a named person says so, the disclosure log has it, and the audience's folder is swapped in whole.

The order is: copy aside, log, swap. Killed in between, the log names a release that is not out; the same release again puts it out
without a second entry. What is out stays as it is until the next release, but for what must not be with the recipient any more.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from obc_pipeline.documents import Documents, load
from obc_pipeline.documents.ci_structure import Releaser
from obc_pipeline.documents.problem import did_you_mean
from obc_pipeline.fingerprint import read_last_run
from obc_pipeline.home import Home
from obc_pipeline.ledger.write_once import make_private_folder, write_once
from obc_pipeline.lock import only_run
from obc_pipeline.names import same_name
from obc_pipeline.packs import write_audience_packs
from obc_pipeline.sharing.aggregates import keep_snapshot
from obc_pipeline.sharing.audiences import Audience, audiences_of, find_audience
from obc_pipeline.sharing.contents import Contents, changes, read_contents
from obc_pipeline.sharing.disclosure import Entry, append, last_of, last_release, read_log
from obc_pipeline.sharing.errors import CannotWrite, NotAllowed, NotPrepared
from obc_pipeline.sharing.prepare import prepared_folder, read_state, register_path, schools_of_state
from obc_pipeline.sharing.swap import clear, file_hashes, make_private, snapshot_hash, swap_in


@dataclass(frozen=True)
class Release:
    """A release, done or (dry_run) only looked at. entry: what the log says of it; None in a dry run.

    is_new: False when exactly this was out already, or a release that was interrupted was brought to its end.
    """

    audience: Audience
    contents: Contents
    changes: list[str]
    files: Mapping[str, str]
    by: Releaser
    entry: Entry | None
    is_new: bool


@dataclass(frozen=True)
class Standing:
    """Where one audience stands: what is prepared, what is out, and what would change.

    problem: why it is not prepared, or may not be released. damage: why what is out is not what the log says.
    """

    audience: Audience
    prepared: Contents | None
    out: Contents | None
    entry: Entry | None
    changes: list[str]
    problem: str | None
    damage: str | None


def all_audiences(home: Home, documents: Documents) -> list[Audience]:
    """Every audience, schools as the last run found them."""
    return audiences_of(documents, schools_of_state(read_state(home)))


def released_folder(home: Home, audience: Audience) -> Path:
    return home.published / audience.folder


def students_path(home: Home, entry: Entry, audience: Audience) -> Path:
    """Which students a release was about, under the district's keys and the recipient's."""
    return home.disclosure / "students" / f"{entry.seq:08}-{audience.folder}.parquet"


def release(home: Home, audience_id: str, by: str, *, dry_run: bool = False, now: datetime | None = None) -> Release:
    """Releases what is prepared for the audience, in the name of `by`.

    Raises UnknownAudience, NotPrepared, NotAllowed, CannotWrite, DisclosureDamaged; what was published before then still stands.
    """
    with only_run(home):
        documents = load(home)
        audience = find_audience(all_audiences(home, documents), audience_id)
        if not audience.needs_release:
            raise NotAllowed("the district's own file is published by every run; it needs no release")
        releaser = _releaser(documents, by)
        contents = _releasable(home, documents, audience, _today(documents, now))
        place, entries = released_folder(home, audience), read_log(home)
        prepared = prepared_folder(home, audience)
        _make_packs(home, documents, audience, prepared)
        files = file_hashes(prepared)
        told = changes(contents, read_contents(place) if last_release(entries, audience_id) else None)
        if dry_run:
            return Release(audience, contents, told, files, releaser, None, True)
        entry, is_new = _put_out(home, audience, contents, files, releaser, entries, now)
        return Release(audience, contents, told, files, releaser, entry, is_new)


def _make_packs(home: Home, documents: Documents, audience: Audience, prepared: Path) -> None:
    """The packs of the audience's workgroups, of what is prepared: made now, because they go out with it. The same marts give the same bytes."""
    clear(prepared / "packs")
    write_audience_packs(home, documents, audience.audience_id, prepared / "marts.duckdb", prepared / "packs")


def standings(home: Home, documents: Documents, now: datetime | None = None) -> list[Standing]:
    """Where every audience but the district stands, in order."""
    state, entries, today = read_state(home), read_log(home), _today(documents, now)
    return [
        _standing(home, documents, audience, state, entries, today) for audience in all_audiences(home, documents) if audience.needs_release
    ]


def releaser_of(documents: Documents, by: str) -> Releaser:
    """The person who may release, by name. Raises NotAllowed."""
    return _releaser(documents, by)


def _put_out(
    home: Home,
    audience: Audience,
    contents: Contents,
    files: Mapping[str, str],
    releaser: Releaser,
    entries: Sequence[Entry],
    now: datetime | None,
) -> tuple[Entry, bool]:
    place, whole = released_folder(home, audience), snapshot_hash(dict(files))
    last = last_of(entries, audience.audience_id)
    is_logged = last is not None and last.kind == "RELEASE" and last.snapshot_hash == whole
    if last is not None and is_logged and place.is_dir() and snapshot_hash(file_hashes(place)) == whole:
        return last, False
    aside = home.published / f".{audience.folder}.releasing"
    try:
        clear(aside)
        make_private_folder(aside.parent)
        shutil.copytree(prepared_folder(home, audience), aside)
        make_private(aside, is_kept=True)
        if file_hashes(aside) != dict(files):
            raise NotPrepared(f"what is prepared for {audience.audience_id} changed while it was released; run it again")
        entry = last if last is not None and is_logged else _log(home, audience, contents, files, releaser, whole, now)
        swap_in(aside, place)
    except OSError as problem:
        raise CannotWrite(
            f"{audience.audience_id} was not released: {problem.strerror or 'the file system refuses'} ({problem.filename or place}); "
            "what was published before still stands"
        ) from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return entry, not is_logged


def _log(
    home: Home, audience: Audience, contents: Contents, files: Mapping[str, str], releaser: Releaser, whole: str, now: datetime | None
) -> Entry:
    """The entry of a release; first of all, the snapshot of its aggregates and which students it is about."""
    if contents.aggregates_as_of and contents.aggregates_hash:
        keep_snapshot(home, date.fromisoformat(contents.aggregates_as_of), contents.aggregates_hash)
    register = register_path(home, audience)
    number = len(read_log(home)) + 1
    if register.is_file():
        write_once(home.disclosure / "students" / f"{number:08}-{audience.folder}.parquet", register.read_bytes())
    return append(
        home,
        audience,
        "RELEASE",
        now,
        tables={name: {"columns": table["columns"], "rows": table["rows"]} for name, table in contents.tables.items()},
        student_count=contents.students,
        files=dict(files),
        run_id=contents.run_id,
        as_of_date=contents.as_of_date,
        released_by=releaser.name,
        released_by_role=releaser.role,
        snapshot_hash=whole,
    )


def _releaser(documents: Documents, by: str) -> Releaser:
    releases = documents.releases
    able = {same_name(one.name): one for one in releases.releasers if one.role in releases.roles_that_release}
    if not able:
        raise NotAllowed("nobody may release: right would be `releases: {releasers: [{name: ..., role: ...}]}` in ci_structure.yml")
    if same_name(by) not in able:
        names = [one.name for one in able.values()]
        raise NotAllowed(f"{by!r} may not release; right would be {did_you_mean(by, names)} (releasers in ci_structure.yml)")
    return able[same_name(by)]


def _releasable(home: Home, documents: Documents, audience: Audience, today: date) -> Contents:
    """What is prepared, when it may go out. Raises NotPrepared and NotAllowed."""
    problem = _why_not(home, documents, audience, read_state(home), today)
    if problem is not None:
        raise problem
    contents = read_contents(prepared_folder(home, audience))
    assert contents is not None
    return contents


def _why_not(
    home: Home, documents: Documents, audience: Audience, state: Mapping[str, Any] | None, today: date
) -> NotPrepared | NotAllowed | None:
    said = (state or {}).get("audiences", {}).get(audience.audience_id)
    if said and said["problem"]:
        return NotPrepared(said["problem"])
    contents = read_contents(prepared_folder(home, audience))
    if state is None or contents is None:
        return NotPrepared(f"nothing is prepared for {audience.audience_id}; obc run prepares it")
    last = read_last_run(home)
    if last is None or last.result["run_id"] != contents.run_id or state["run_id"] != contents.run_id:
        # An opt-out may have come since: only what the last finished run prepared goes out.
        return NotPrepared(f"what is prepared for {audience.audience_id} is not of the last finished run; obc run prepares it anew")
    if audience.is_over(today):
        return NotAllowed(f"the agreement with {audience.audience_id} has ended: its records are to be destroyed by now")
    late = [
        contract.contract_id
        for contract in documents.contracts
        if contract.contract_id in audience.contracts and (contract.data_agreement.signed_on or date.min) > today
    ]
    if late:
        return NotAllowed(f"the data agreement of {', '.join(sorted(set(late)))} is not signed yet (agreement_signed_on)")
    return None


def _standing(
    home: Home, documents: Documents, audience: Audience, state: Mapping[str, Any] | None, entries: Sequence[Entry], today: date
) -> Standing:
    problem = _why_not(home, documents, audience, state, today)
    prepared = read_contents(prepared_folder(home, audience))
    released, last = last_release(entries, audience.audience_id), last_of(entries, audience.audience_id)
    place = released_folder(home, audience)
    out = read_contents(place) if released else None
    told = changes(prepared, out) if prepared else []
    return Standing(audience, prepared, out, released, told, str(problem) if problem else None, _damage(place, audience, last))


def _damage(place: Path, audience: Audience, last: Entry | None) -> str | None:
    """Why what is out is not what the log says; None when it is."""
    if last is None or last.kind == "DESTRUCTION":
        return f"{place} is there, but nothing was released to {audience.audience_id}" if os.path.lexists(place) else None
    if not place.is_dir():
        return f"a release by {last.released_by} is logged, but {place} is not there; release it again"
    if snapshot_hash(file_hashes(place)) != last.snapshot_hash:
        return f"{place} is not what was released last; release it again"
    return None


def _today(documents: Documents, now: datetime | None) -> date:
    zone = ZoneInfo(documents.obc.timezone)
    return (now.astimezone(zone) if now else datetime.now(zone)).date()
