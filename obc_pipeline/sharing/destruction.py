"""Deletes what a recipient was given here when its agreement says so, and leaves a certificate: what, how much, which hashes, when.

Deleted are the audience's released and prepared folders, the list of whom they are about, and its secret, without which no key of its
files can be led back to a student. The disclosure log stays: it is the record that there was a disclosure. What the recipient itself holds
only the recipient can destroy; the certificate says so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from obc_pipeline.documents import Documents, load
from obc_pipeline.home import Home
from obc_pipeline.ledger.write_once import make_private_folder, write_once
from obc_pipeline.lock import only_run
from obc_pipeline.sharing.audiences import Audience, find_audience
from obc_pipeline.sharing.contents import read_contents
from obc_pipeline.sharing.disclosure import append, last_release, read_log
from obc_pipeline.sharing.errors import CannotWrite, NotAllowed
from obc_pipeline.sharing.prepare import prepared_folder, register_path
from obc_pipeline.sharing.release import all_audiences, released_folder, releaser_of
from obc_pipeline.sharing.secrets import secret_path
from obc_pipeline.sharing.swap import clear, file_hash, snapshot_hash

BY_THE_AGREEMENT = "destroy_by"
NOT_HERE = "Copies that the recipient made are the recipient's to destroy; ask it for its own certificate."


@dataclass(frozen=True)
class Certificate:
    """What was destroyed. files: [{path, sha256, bytes}] inside the home. tables: `schema.table` -> rows, as last released."""

    audience: str
    recipient: str
    contracts: Sequence[str]
    destroyed_at: str
    destroyed_by: str
    reason: str
    files: Sequence[dict[str, Any]]
    tables: dict[str, int]
    students: int
    last_release: int | None
    not_covered: str = NOT_HERE


def destroy(home: Home, audience_id: str, by: str, *, dry_run: bool = False, now: datetime | None = None) -> Certificate | None:
    """Destroys what is here of an audience, in the name of a person who may release; None when there is nothing.

    dry_run: only says what would be. Raises UnknownAudience, NotAllowed, CannotWrite.
    """
    with only_run(home):
        documents = load(home)
        audience = find_audience(all_audiences(home, documents), audience_id)
        if not audience.needs_release:
            raise NotAllowed("the district's own file is made anew by every run and falls under no agreement")
        person = releaser_of(documents, by)
        return _destroy(home, audience, person.name, person.role, "on request", dry_run, now)


def destroy_due(home: Home, documents: Documents, now: datetime | None = None) -> list[Certificate]:
    """Destroys what every agreement that has ended asks for; the certificates of what was there. The caller holds the home's lock."""
    moment = now or datetime.now(UTC)
    done = []
    for audience in all_audiences(home, documents):
        if audience.is_over(moment.date()):
            last_day = max(audience.destroy_by.values())
            done.append(_destroy(home, audience, BY_THE_AGREEMENT, "", f"destroy_by {last_day} has passed", False, moment))
    return [certificate for certificate in done if certificate is not None]


def certificates(home: Home) -> list[Path]:
    """The certificates of destruction, in order of time."""
    return sorted(_folder(home).glob("*.json")) if _folder(home).is_dir() else []


def _destroy(home: Home, audience: Audience, by: str, role: str, reason: str, dry_run: bool, now: datetime | None) -> Certificate | None:
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    places = [released_folder(home, audience), prepared_folder(home, audience), register_path(home, audience), secret_path(home, audience)]
    pending = _folder(home) / f".{audience.folder}.pending.json"
    files = _files(home, places)
    begun = json.loads(pending.read_text(encoding="utf-8")) if pending.is_file() else None
    if not files and not begun:
        return None
    contents, released = read_contents(places[0]) or read_contents(places[1]), last_release(read_log(home), audience.audience_id)
    certificate = Certificate(
        audience=audience.audience_id,
        recipient=audience.name,
        contracts=list(audience.contracts),
        destroyed_at=moment.strftime("%Y-%m-%d %H:%M:%S"),
        destroyed_by=by,
        reason=reason,
        files=files,
        tables={name: table["rows"] for name, table in contents.tables.items()} if contents else {},
        students=contents.students if contents else 0,
        last_release=released.seq if released else None,
    )
    if begun:  # a destruction that was interrupted: what it had found counts, not what it had left
        certificate = Certificate(**begun)
    if dry_run:
        return certificate
    try:
        make_private_folder(_folder(home))
        if not begun:
            write_once(pending, _json(certificate))
        for place in places:
            clear(place)
        append(
            home,
            audience,
            "DESTRUCTION",
            moment,
            tables={},
            student_count=0,
            files={file["path"]: file["sha256"] for file in certificate.files},
            run_id=contents.run_id if contents else "",
            as_of_date=contents.as_of_date if contents else moment.strftime("%Y-%m-%d"),
            released_by=by,
            released_by_role=role,
            snapshot_hash=snapshot_hash({file["path"]: file["sha256"] for file in certificate.files}),
            reason=reason,
        )
        write_once(
            _folder(home) / f"{certificate.destroyed_at.replace(':', '').replace(' ', 'T')}-{audience.folder}.json", _json(certificate)
        )
        pending.unlink()
    except OSError as problem:
        raise CannotWrite(
            f"{audience.audience_id} could not be destroyed: {problem.strerror or 'the file system refuses'} ({problem.filename}); run it again"
        ) from None
    return certificate


def _files(home: Home, places: Sequence[Path]) -> list[dict[str, Any]]:
    paths = [path for place in places for path in ([place] if place.is_file() else sorted(place.rglob("*"))) if path.is_file()]
    return [{"path": path.relative_to(home.path).as_posix(), "sha256": file_hash(path), "bytes": path.stat().st_size} for path in paths]


def _folder(home: Home) -> Path:
    return home.disclosure / "certificates"


def _json(certificate: Certificate) -> bytes:
    return (json.dumps(asdict(certificate), indent=1, ensure_ascii=False) + "\n").encode()
