"""Reports: the account of every file, kept as JSON beside the lake, and made again whenever a file is read again."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ScopeReport:
    """A part of the world a file covers (one term of one school, a school year, …): accepted rows, and the latest date inside."""

    scope: str
    rows: int
    latest_at: str | None


@dataclass(frozen=True)
class FileReport:
    """The account of one file, in logical records.

    status:     READ, REFUSED (nothing of it is used) or IGNORED (known, deliberately not read).
    changed_at: the member's time inside its zip; None for plain files.
    load_kind:  bulk (a whole snapshot) | delta (changes only) | absent, as the package's manifest says.
    """

    file_id: str
    table: str | None
    layout: str | None
    member_name: str
    sha256: str | None
    changed_at: str | None
    status: str
    reason: str | None
    rows_in: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicate: int = 0
    latest_at: str | None = None
    scopes: tuple[ScopeReport, ...] = ()
    notes: tuple[str, ...] = ()
    load_kind: str = "bulk"

    def is_accounted_for(self) -> bool:
        """Law 1: nothing received is lost."""
        return self.rows_in == self.accepted + self.quarantined + self.duplicate


@dataclass(frozen=True)
class ContentReport:
    """What one archived content holds, for one source. `reader` names the version of everything that shaped the reading."""

    source: str
    sha256: str
    reader: str
    problem: str | None
    files: tuple[FileReport, ...] = ()

    def save(self, path: Path) -> None:
        """Writes the report whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        os.replace(partial, path)

    @staticmethod
    def load(path: Path) -> ContentReport:
        """Reads what `save` wrote."""
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        raw["files"] = tuple(_file(file) for file in raw["files"])
        return ContentReport(**raw)

    def summary(self) -> str:
        """One line for the progress display; counts only."""
        if self.problem:
            return f"refused: {self.problem}"
        read = [file for file in self.files if file.status == "READ"]
        refused = [file for file in self.files if file.status == "REFUSED"]
        text = f"{sum(f.rows_in for f in read):,} rows"
        quarantined, duplicate = sum(f.quarantined for f in read), sum(f.duplicate for f in read)
        text += f", {quarantined:,} quarantined" if quarantined else ""
        text += f", {duplicate:,} duplicate" if duplicate else ""
        return text + (f", {len(refused)} of {len(self.files)} files refused: {refused[0].reason}" if refused else "")


def _file(raw: dict[str, Any]) -> FileReport:
    return FileReport(**raw | {"scopes": tuple(ScopeReport(**scope) for scope in raw["scopes"]), "notes": tuple(raw["notes"])})
