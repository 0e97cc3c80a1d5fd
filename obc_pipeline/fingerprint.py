"""What a run depends on, as one hash: with the same documents, receipts, dates and code there is nothing to do again.

Kept free of heavy imports: a run with nothing new must cost a second, not the start of dbt, Dagster and Great Expectations.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from obc_pipeline.home import Home

_PACKAGE = Path(__file__).resolve().parent
_CODE_FOLDERS = (_PACKAGE, _PACKAGE.parent / "dbt_project", _PACKAGE.parent / "expectations")
_CODE_SUFFIXES = {".py", ".sql", ".yml", ".json", ".csv"}
_LIBRARIES = ("duckdb", "dbt-core", "dbt-duckdb", "great-expectations")


@dataclass(frozen=True)
class Fingerprint:
    """The inputs of a run.

    evidence_cutoff_at: as stated by the user; None = everything that has arrived.
    """

    documents: str
    receipts: str
    code: str
    as_of_date: date
    evidence_cutoff_at: datetime | None

    @property
    def digest(self) -> str:
        cutoff = self.evidence_cutoff_at.isoformat() if self.evidence_cutoff_at else "all"
        parts = (self.documents, self.receipts, self.code, self.as_of_date.isoformat(), cutoff)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    @property
    def run_id(self) -> str:
        """`20260630-1f2e3d4c5b6a`: the same inputs are the same run, so an interrupted run that is run again leaves the same rows."""
        return f"{self.as_of_date:%Y%m%d}-{self.digest[:12]}"


def take(home: Home, as_of_date: date, evidence_cutoff_at: datetime | None) -> Fingerprint:
    """The fingerprint of what is in the home now."""
    return Fingerprint(documents_digest(home), receipts_digest(home), code_digest(), as_of_date, evidence_cutoff_at)


def documents_digest(home: Home) -> str:
    """Over the documents' bytes and names: a comment changed is a run, which is cheap; a change missed would be wrong."""
    paths = [home.obc_yml, home.data_map_yml, home.ci_structure_yml, *home.contracts.glob("*")]
    return _digest_files(home.path, (path for path in paths if path.is_file()))


def receipts_digest(home: Home) -> str:
    """Over the names of all receipts; a receipt's name holds the hash of what it says."""
    names = sorted(f"{path.parent.name}/{path.name}" for path in home.deliveries.glob("*/*.json"))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def code_digest() -> str:
    """Over this package, the dbt project, the suites, and the versions of what computes."""
    files = _digest_files(_PACKAGE.parent, (path for folder in _CODE_FOLDERS for path in _source_files(folder)))
    versions = ",".join(f"{library}={version(library)}" for library in _LIBRARIES)
    return hashlib.sha256(f"{files}\0{versions}".encode()).hexdigest()


@dataclass(frozen=True)
class LastRun:
    """What the last finished run left: its fingerprint, its result object, and the published file as it was then."""

    digest: str
    result: dict[str, Any]
    published: dict[str, list[int]]  # path -> [size, mtime in ns]


def read_last_run(home: Home) -> LastRun | None:
    """None when no run has finished in this home, or what it left cannot be read (it is then simply run again)."""
    try:
        raw = json.loads(home.run_state.read_text(encoding="utf-8"))
        return LastRun(raw["digest"], raw["result"], raw["published"])
    except (OSError, ValueError, KeyError):
        return None


def write_last_run(home: Home, fingerprint: Fingerprint, result: dict[str, Any], published: Iterable[Path]) -> None:
    """Written last of all, aside and swapped in: when it is there, everything before it was done."""
    state = {"digest": fingerprint.digest, "result": result, "published": {str(path): _stamp(path) for path in published}}
    aside = home.run_state.with_suffix(".new")
    aside.parent.mkdir(parents=True, exist_ok=True)
    with aside.open("w", encoding="utf-8") as handle:
        json.dump(state, handle, indent=1)
        handle.flush()
        os.fsync(handle.fileno())
    aside.chmod(0o600)
    os.replace(aside, home.run_state)


def forget_last_run(home: Home) -> None:
    """Before anything is changed: a run that is killed must not be taken for a finished one."""
    home.run_state.unlink(missing_ok=True)


def is_unchanged(home: Home, fingerprint: Fingerprint, last: LastRun | None) -> bool:
    """TRUE when a run would give what the last one gave: same inputs, warehouse there, published files untouched."""
    if last is None or last.digest != fingerprint.digest or not home.warehouse.exists():
        return False
    return all(Path(path).exists() and _stamp(Path(path)) == stamp for path, stamp in last.published.items())


def _source_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.suffix in _CODE_SUFFIXES and not {"target", "logs", "__pycache__"} & set(path.relative_to(folder).parts):
            yield path


def _digest_files(root: Path, paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"\0{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _stamp(path: Path) -> list[int]:
    seen = path.stat()
    return [seen.st_size, seen.st_mtime_ns]
