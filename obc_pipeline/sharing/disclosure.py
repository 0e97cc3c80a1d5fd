"""The disclosure log: who was given what, when, by whom, why, on what ground. Files written once, each naming the one before by its hash.

`disclosure/log/00000001.json`, `00000002.json`, ...: a release, what was taken out of a released file again, a destruction. No entry names
a student; which students a release was about stands in `disclosure/students/`, for the district alone (34 CFR 99.32 asks for it by student).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import duckdb

from obc_pipeline.home import Home
from obc_pipeline.ledger.write_once import write_once
from obc_pipeline.sharing.audiences import Audience
from obc_pipeline.sharing.errors import DisclosureDamaged

EntryKind = Literal["RELEASE", "WITHDRAWAL", "DESTRUCTION"]
_NAME = re.compile(r"([0-9]{8})\.json")

# The rows that dbt reads as sharing.disclosure_entry: one per entry and table, column -> type.
SQL_TYPES: dict[str, str] = {
    "entry_seq": "BIGINT",
    "entry_kind": "VARCHAR",
    "audience": "VARCHAR",
    "recipient": "VARCHAR",
    "table_name": "VARCHAR",
    "column_names": "VARCHAR",
    "row_count": "BIGINT",
    "student_count": "BIGINT",
    "packs": "VARCHAR",
    "purpose": "VARCHAR",
    "legal_basis": "VARCHAR",
    "is_ferpa_recordable": "BOOLEAN",
    "contracts": "VARCHAR",
    "run_id": "VARCHAR",
    "as_of_date": "DATE",
    "released_at": "TIMESTAMP",
    "released_by": "VARCHAR",
    "released_by_role": "VARCHAR",
    "snapshot_hash": "VARCHAR",
    "prev_hash": "VARCHAR",
    "entry_hash": "VARCHAR",
}


@dataclass(frozen=True)
class Entry:
    """One thing that happened. tables: `schema.table` -> its columns and row count, as they are with the recipient afterwards.

    student_count: students whose rows are with the recipient afterwards; of a school its students, of the public none.
    files: relative path -> SHA-256 of everything in the folder afterwards. packs: those of them that are packs.
    """

    seq: int
    kind: EntryKind
    audience: str
    recipient: str
    purpose: str
    legal_basis: str
    is_ferpa_recordable: bool
    contracts: Sequence[str]
    tables: Mapping[str, Mapping[str, Any]]
    student_count: int
    files: Mapping[str, str]
    run_id: str
    as_of_date: str
    released_at: str
    released_by: str
    released_by_role: str
    snapshot_hash: str
    prev_hash: str
    reason: str = ""
    entry_hash: str = field(default="")

    @property
    def packs(self) -> list[str]:
        return [name for name in self.files if name.startswith("packs/")]


def read_log(home: Home) -> list[Entry]:
    """Every entry, in order. Raises DisclosureDamaged when one is missing or was changed."""
    entries: list[Entry] = []
    before = ""
    for number, path in enumerate(_paths(home), start=1):
        entry = _read(path)
        if entry is None or entry.seq != number or path.name != f"{number:08}.json" or entry.prev_hash != before:
            raise DisclosureDamaged(f"the disclosure log is damaged at {path}: it was changed, or an entry before it is missing")
        entries.append(entry)
        before = entry.entry_hash
    return entries


def append(home: Home, audience: Audience, kind: EntryKind, now: datetime | None = None, **said: Any) -> Entry:
    """Writes the next entry, once and for all, and returns it. The caller holds the home's lock."""
    entries = read_log(home)
    entry = Entry(
        seq=len(entries) + 1,
        kind=kind,
        audience=audience.audience_id,
        recipient=audience.name,
        purpose=audience.purpose,
        legal_basis=audience.legal_basis,
        is_ferpa_recordable=audience.is_ferpa_recordable and kind == "RELEASE",
        contracts=list(audience.contracts),
        released_at=(now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        prev_hash=entries[-1].entry_hash if entries else "",
        **said,
    )
    entry = replace(entry, entry_hash=_hash(entry))
    write_once(_folder(home) / f"{entry.seq:08}.json", (json.dumps(asdict(entry), indent=1, ensure_ascii=False) + "\n").encode())
    return entry


def last_of(entries: Sequence[Entry], audience_id: str) -> Entry | None:
    """The audience's last entry: what is with it now."""
    return next((entry for entry in reversed(entries) if entry.audience == audience_id), None)


def last_release(entries: Sequence[Entry], audience_id: str) -> Entry | None:
    """The audience's last release that was not followed by a destruction."""
    for entry in reversed(entries):
        if entry.audience == audience_id and entry.kind != "WITHDRAWAL":
            return entry if entry.kind == "RELEASE" else None
    return None


def register_disclosures(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """(Re)creates `sharing.disclosure_entry` in the warehouse: one row per entry and table, empty before the first release."""
    connection.execute("create schema if not exists sharing")
    declared = ", ".join(f"{name} {kind}" for name, kind in SQL_TYPES.items())
    connection.execute(f"create or replace table sharing.disclosure_entry ({declared})")
    rows = [row for entry in read_log(home) for row in _rows(entry)]
    if rows:
        connection.executemany(f"insert into sharing.disclosure_entry values ({', '.join('?' for _ in SQL_TYPES)})", rows)


def _rows(entry: Entry) -> list[list[Any]]:
    """One row per table; an entry that leaves no table has one row without."""
    tables: list[tuple[str | None, Mapping[str, Any]]] = [*sorted(entry.tables.items())] or [(None, {"columns": [], "rows": 0})]
    return [
        [
            entry.seq, entry.kind, entry.audience, entry.recipient, name, ", ".join(table["columns"]) or None, table["rows"],
            entry.student_count, ", ".join(entry.packs) or None, entry.purpose, entry.legal_basis, entry.is_ferpa_recordable,
            ", ".join(entry.contracts) or None, entry.run_id, entry.as_of_date, entry.released_at, entry.released_by,
            entry.released_by_role or None, entry.snapshot_hash, entry.prev_hash or None, entry.entry_hash,
        ]
        for name, table in tables
    ]  # fmt: skip


def _folder(home: Home) -> Path:
    return home.disclosure / "log"


def _paths(home: Home) -> list[Path]:
    return sorted(path for path in _folder(home).glob("*.json") if _NAME.fullmatch(path.name)) if _folder(home).is_dir() else []


def _read(path: Path) -> Entry | None:
    """The entry of a file; None when it is not what was written."""
    try:
        if path.is_symlink() or not os.path.isfile(path):
            return None
        entry = Entry(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return entry if entry.entry_hash == _hash(entry) else None


def _hash(entry: Entry) -> str:
    content = {name: value for name, value in asdict(entry).items() if name != "entry_hash"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
