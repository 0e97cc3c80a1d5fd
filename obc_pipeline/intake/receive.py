"""Receive: every file in `landing/` is archived under its SHA-256, with a receipt, before anything reads it.

Delivery by folder. Another way in (SFTP, object storage) is another `Arrival` producer: it only has to put complete bytes
somewhere readable and say when they came.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from obc_pipeline.home import Home

# How senders and browsers name a file that is not complete yet.
UNFINISHED_SUFFIXES = (".part", ".partial", ".tmp", ".filepart", ".crdownload", ".download", ".writing")
_CHUNK_BYTES = 1 << 20
_MOST_AT_ONCE = 4


@dataclass(frozen=True)
class Delivery:
    """One receipt: that these bytes came for this source, when, and under what name."""

    delivery_id: str
    source: str
    name: str
    size_bytes: int
    sha256: str
    received_at: datetime  # UTC


@dataclass(frozen=True)
class Waiting:
    """Something in `landing/` that was left where it is, and why."""

    source: str
    name: str
    reason: str


@dataclass(frozen=True)
class Received:
    """What one look into `landing/` brought."""

    deliveries: tuple[Delivery, ...]
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True)
class Arrival:
    """A file that looks complete, before it is archived."""

    source: str
    name: str
    path: Path


def receive(
    home: Home,
    sources: Iterable[str],
    *,
    received_at_from: Literal["clock", "file_time"] = "clock",
    settle_seconds: float = 2.0,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    progress: Callable[[str], None] = lambda text: None,
) -> Received:
    """Archives what has landed for the named sources and removes it from `landing/`.

    A file counts as complete when its name is not that of a partial download and neither size nor time changes while it
    settles and while it is copied. `received_at_from="file_time"` takes the file's own time as its arrival: for synthetic
    homes, where a year of deliveries is laid down at once.
    """
    arrivals, waiting = _look(home, sorted(set(sources)), settle_seconds)
    deliveries: list[Delivery] = []
    # By the clock, a file is received when its turn comes: of two that came together the later name is the newer one, however long
    # each takes to copy. They are copied side by side, since one waits for the disk while another is hashed.
    moments = [now() for _ in arrivals]
    with ThreadPoolExecutor(max_workers=min(_MOST_AT_ONCE, os.cpu_count() or 1)) as workers:
        outcomes = workers.map(lambda arrival, moment: _archive(home, arrival, received_at_from, moment), arrivals, moments)
        for number, outcome in enumerate(outcomes, start=1):
            if isinstance(outcome, Delivery):
                deliveries.append(outcome)
            else:
                waiting.append(outcome)
            if number % 50 == 0:
                progress(f"received {number} of {len(arrivals)} files")
    return Received(tuple(deliveries), tuple(waiting))


def read_receipts(home: Home) -> list[Delivery]:
    """Every receipt ever written, in order of arrival (then source and name, so that the order is the same everywhere)."""
    receipts = []
    for path in home.deliveries.glob("*/*.json"):
        raw = json.loads(path.read_text(encoding="utf-8"))
        raw["received_at"] = datetime.fromisoformat(raw["received_at"])
        receipts.append(Delivery(**raw))
    return sorted(receipts, key=lambda d: (d.received_at, d.source, d.name, d.sha256))


def _look(home: Home, sources: list[str], settle_seconds: float) -> tuple[list[Arrival], list[Waiting]]:
    arrivals: list[Arrival] = []
    waiting: list[Waiting] = []
    unsettled: list[tuple[Arrival, os.stat_result]] = []
    for folder in sorted(home.landing.iterdir()) if home.landing.is_dir() else []:
        if folder.name.startswith("."):
            continue
        if not folder.is_dir() or folder.name not in sources:
            waiting.append(Waiting(folder.name, folder.name, "no source of this name in data_map.yml; move it to landing/<source>/"))
            continue
        for path in _files(folder):
            arrival = Arrival(folder.name, path.relative_to(folder).as_posix(), path)
            if path.is_symlink() or not path.is_file():
                waiting.append(Waiting(arrival.source, arrival.name, "not a plain file; deliver the file itself"))
            elif path.name.lower().endswith(UNFINISHED_SUFFIXES):
                waiting.append(Waiting(arrival.source, arrival.name, "still being written, by its name; it is taken in once it is renamed"))
            else:
                seen = path.stat()
                if 0 <= time.time() - seen.st_mtime < settle_seconds:
                    unsettled.append((arrival, seen))
                else:
                    arrivals.append(arrival)
    if unsettled:
        time.sleep(settle_seconds)
        for arrival, seen in unsettled:
            if arrival.path.exists() and _unchanged(seen, arrival.path.stat()):
                arrivals.append(arrival)
            else:
                waiting.append(
                    Waiting(arrival.source, arrival.name, "still being written: it changed while we looked; the next run takes it in")
                )
    return sorted(arrivals, key=lambda a: (a.source, a.name)), waiting


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts) and (path.is_symlink() or not path.is_dir()):
            yield path


def _archive(home: Home, arrival: Arrival, received_at_from: str, moment: datetime) -> Delivery | Waiting:
    before = arrival.path.stat()
    partial = home.objects / f".partial-{os.getpid()}-{threading.get_ident()}"
    partial.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with arrival.path.open("rb") as incoming, partial.open("wb") as kept:
        while chunk := incoming.read(_CHUNK_BYTES):
            digest.update(chunk)
            kept.write(chunk)
        kept.flush()
        os.fsync(kept.fileno())
    if not _unchanged(before, arrival.path.stat()):
        partial.unlink()
        return Waiting(arrival.source, arrival.name, "still being written: it changed while it was copied; the next run takes it in")
    sha256 = digest.hexdigest()
    final = home.object_path(sha256)
    final.parent.mkdir(parents=True, exist_ok=True)
    partial.chmod(0o400)
    os.replace(partial, final)
    received_at = datetime.fromtimestamp(before.st_mtime, UTC) if received_at_from == "file_time" else moment
    delivery = _receipt(arrival, before.st_size, sha256, received_at.replace(microsecond=0))
    _write_once(home.deliveries / delivery.source / f"{delivery.received_at:%Y%m%dT%H%M%SZ}_{delivery.delivery_id[:16]}.json", delivery)
    arrival.path.unlink()
    return delivery


def _receipt(arrival: Arrival, size_bytes: int, sha256: str, received_at: datetime) -> Delivery:
    name = f"{arrival.source}|{arrival.name}|{sha256}|{received_at.isoformat()}"
    return Delivery(hashlib.sha256(name.encode()).hexdigest()[:32], arrival.source, arrival.name, size_bytes, sha256, received_at)


def _write_once(path: Path, delivery: Delivery) -> None:
    if path.exists():  # the same arrival, taken in by a run that was stopped before it cleared landing/
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(delivery) | {"received_at": delivery.received_at.isoformat()}, indent=1), encoding="utf-8")
    os.replace(partial, path)


def _unchanged(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns, before.st_ino) == (after.st_size, after.st_mtime_ns, after.st_ino)
