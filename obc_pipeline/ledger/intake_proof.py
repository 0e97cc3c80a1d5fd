"""That nothing received was lost or changed: archived bytes hash to their names, receipts say what they said, rows are accounted for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from obc_pipeline.home import Home
from obc_pipeline.intake.report import ContentReport

_CHUNK_BYTES = 1 << 20
_TELL_EVERY_BYTES = 256 << 20


@dataclass(frozen=True)
class ArchiveProof:
    """What is in the archive and what is wrong with it."""

    objects: int
    size_bytes: int
    receipts: int
    problems: tuple[str, ...]


@dataclass(frozen=True)
class RowsProof:
    """The row accounting over all files read so far, in logical records."""

    files: int
    rows_in: int
    accepted: int
    quarantined: int
    duplicate: int
    problems: tuple[str, ...]


def prove_archive(home: Home, progress: Callable[[str], None]) -> ArchiveProof:
    """Reads every archived byte again. progress: told how far it is, for archives that take long."""
    paths = [path for path in sorted(home.objects.glob("*/*")) if path.is_file()] if home.objects.is_dir() else []
    total = sum(path.stat().st_size for path in paths)
    problems: list[str] = []
    done = told = 0
    for path in paths:
        if _sha256(path) != path.name or path.parent.name != path.name[:2]:
            problems.append(f"archive/objects/{path.parent.name}/{path.name}: its bytes are not those that were received")
        done += path.stat().st_size
        if done - told >= _TELL_EVERY_BYTES:
            told = done
            progress(f"archive: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB read again")
    receipts = sorted(home.deliveries.glob("*/*.json")) if home.deliveries.is_dir() else []
    for path in receipts:
        problems += (f"archive/deliveries/{path.parent.name}/{path.name}: {message}" for message in _receipt(home, path))
    return ArchiveProof(len(paths), total, len(receipts), tuple(problems))


def prove_rows(home: Home) -> RowsProof:
    """Checks rows_in = accepted + quarantined + duplicate for every file that was read."""
    problems: list[str] = []
    files = rows_in = accepted = quarantined = duplicate = 0
    for path in sorted(home.file_reports.rglob("*.json")) if home.file_reports.is_dir() else []:
        try:
            report = ContentReport.load(path)
        except (ValueError, TypeError, KeyError):
            problems.append(f"lake/files/{path.name}: it is not a report of a file; delete it, and the next run reads the file again")
            continue
        for file in report.files:
            if not file.is_accounted_for():
                problems.append(
                    f"{file.file_id}: {file.rows_in:,} records came in, but {file.accepted:,} accepted + {file.quarantined:,} quarantined "
                    f"+ {file.duplicate:,} duplicate are not as many"
                )
            files += 1
            rows_in += file.rows_in
            accepted += file.accepted
            quarantined += file.quarantined
            duplicate += file.duplicate
    return RowsProof(files, rows_in, accepted, quarantined, duplicate, tuple(problems))


def _receipt(home: Home, path: Path) -> Iterator[str]:
    """A receipt names itself by the hash of what it says, and its content is in the archive."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        said = f"{raw['source']}|{raw['name']}|{raw['sha256']}|{raw['received_at']}"
        delivery_id, source, size_bytes, sha256 = raw["delivery_id"], raw["source"], raw["size_bytes"], raw["sha256"]
    except (ValueError, KeyError, TypeError):
        yield "it is not a receipt"
        return
    if (
        hashlib.sha256(said.encode()).hexdigest()[:32] != delivery_id
        or path.stem.rpartition("_")[2] != delivery_id[:16]
        or source != path.parent.name
    ):
        yield "what it says was changed"
    content = home.object_path(sha256)
    if not content.is_file():
        yield "the content it is for is not in the archive"
    elif content.stat().st_size != size_bytes:
        yield "the content it is for has another size"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while chunk := content.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
