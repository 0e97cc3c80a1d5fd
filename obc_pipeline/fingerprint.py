"""What a run depends on, as one hash: with the same documents, receipts, dates and code there is nothing to do again.

Kept free of heavy imports: a run with nothing new must cost a second, not the start of dbt, Dagster and Great Expectations.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from obc_pipeline.home import Home
from obc_pipeline.intake.receive import UNFINISHED_SUFFIXES

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
    ledger: str
    sharing: str
    code: str
    as_of_date: date
    evidence_cutoff_at: datetime | None

    @property
    def digest(self) -> str:
        cutoff = self.evidence_cutoff_at.isoformat() if self.evidence_cutoff_at else "all"
        parts = (self.documents, self.receipts, self.ledger, self.sharing, self.code, self.as_of_date.isoformat(), cutoff)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    @property
    def run_id(self) -> str:
        """`20260630-1f2e3d4c5b6a`: the same inputs are the same run, so an interrupted run that is run again leaves the same rows."""
        return f"{self.as_of_date:%Y%m%d}-{self.digest[:12]}"


def take(home: Home, as_of_date: date, evidence_cutoff_at: datetime | None) -> Fingerprint:
    """The fingerprint of what is in the home now."""
    return Fingerprint(
        documents_digest(home),
        receipts_digest(home),
        ledger_digest(home),
        sharing_digest(home),
        code_digest(),
        as_of_date,
        evidence_cutoff_at,
    )


def documents_digest(home: Home) -> str:
    """Over the documents' bytes and names: a comment changed is a run, which is cheap; a change missed would be wrong."""
    paths = [home.obc_yml, home.data_map_yml, home.ci_structure_yml, *home.contracts.glob("*")]
    return _digest_files(home.path, (path for path in paths if path.is_file()))


def receipts_digest(home: Home) -> str:
    """Over the names of all receipts; a receipt's name holds the hash of what it says."""
    names = sorted(f"{path.parent.name}/{path.name}" for path in home.deliveries.glob("*/*.json"))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def ledger_digest(home: Home) -> str:
    """Over the names of the posted statements, which hold the hashes of what is in them, and their sizes."""
    posted = sorted((path.relative_to(home.ledger).as_posix(), path.stat().st_size) for path in home.ledger.glob("*/*.parquet"))
    return hashlib.sha256(repr(posted).encode()).hexdigest()


def sharing_digest(home: Home) -> str:
    """Over the disclosure log's entries and whether each recipient has a secret (which one is nobody's business here)."""
    entries = sorted((path.name, path.stat().st_size) for path in (home.disclosure / "log").glob("*.json"))
    secrets = sorted((path.name, path.stat().st_mtime_ns) for path in home.secrets.glob("*.key"))
    return hashlib.sha256(repr((entries, secrets)).encode()).hexdigest()


def code_digest() -> str:
    """Over this package, the dbt project, the suites, and the versions of what computes."""
    files = _digest_files(_PACKAGE.parent, (path for folder in _CODE_FOLDERS for path in _source_files(folder)))
    versions = ",".join(f"{library}={version(library)}" for library in _LIBRARIES)
    return hashlib.sha256(f"{files}\0{versions}".encode()).hexdigest()


@dataclass(frozen=True)
class LastRun:
    """What the last finished run left.

    rests_on:  the documents, the archive and the program as they were, each as a hash, by these words. Without the ledger: posting for
               one contract does not make old what the same run proposes for another.
    result:    its result object.
    published: path -> [size, mtime in ns] of the published files as they were then.
    documents_as_of, timezone: what obc.yml said; with the same documents it still says so.
    """

    digest: str
    rests_on: dict[str, str]
    result: dict[str, Any]
    published: dict[str, list[int]]
    documents_as_of: str | None
    timezone: str


def read_last_run(home: Home) -> LastRun | None:
    """None when no run has finished in this home, or what it left cannot be read (it is then simply run again)."""
    try:
        return LastRun(**json.loads(home.run_state.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_last_run(
    home: Home, fingerprint: Fingerprint, result: dict[str, Any], published: Iterable[Path], documents_as_of: date | None, timezone: str
) -> None:
    """Written last of all, aside and swapped in: when it is there, everything before it was done."""
    stamps = {str(path): _stamp(path) for path in published}
    as_of = documents_as_of.isoformat() if documents_as_of else None
    last = LastRun(fingerprint.digest, rests_on(fingerprint), result, stamps, as_of, timezone)
    aside = home.run_state.with_suffix(".new")
    aside.parent.mkdir(parents=True, exist_ok=True)
    with aside.open("w", encoding="utf-8") as handle:
        json.dump(asdict(last), handle, indent=1)
        handle.flush()
        os.fsync(handle.fileno())
    aside.chmod(0o600)
    os.replace(aside, home.run_state)


def rests_on(fingerprint: Fingerprint) -> dict[str, str]:
    """What people can change that makes a run old, in their words -> its hash."""
    return {"documents": fingerprint.documents, "archive": fingerprint.receipts, "program": fingerprint.code}


def forget_last_run(home: Home) -> None:
    """Before anything is changed: a run that is killed must not be taken for a finished one."""
    home.run_state.unlink(missing_ok=True)


def unchanged_run(home: Home, as_of: date | None, evidence_cutoff_at: datetime | None) -> LastRun | None:
    """The last run, when a run with these arguments would give just what it gave; None when there is something to do.

    Same documents, receipts, dates and code, nothing waiting in `landing/`, the warehouse there, the published files untouched.
    """
    last = read_last_run(home)
    if last is None or not home.warehouse.exists() or has_arrivals(home, last.result["sources"]):
        return None
    if as_of is None:
        as_of = date.fromisoformat(last.documents_as_of) if last.documents_as_of else datetime.now(ZoneInfo(last.timezone)).date()
    is_same = take(home, as_of, evidence_cutoff_at).digest == last.digest
    is_untouched = all(Path(path).exists() and _stamp(Path(path)) == stamp for path, stamp in last.published.items())
    return last if is_same and is_untouched else None


def has_arrivals(home: Home, sources: Iterable[str]) -> bool:
    """Whether anything in `landing/<source>/` could be taken in: any file that is not hidden or, by its name, still being written."""
    for source in sources:
        folder = home.landing / source
        for path in folder.rglob("*") if folder.is_dir() else ():
            is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
            if not is_hidden and path.is_file() and not path.name.lower().endswith(UNFINISHED_SUFFIXES):
                return True
    return False


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
