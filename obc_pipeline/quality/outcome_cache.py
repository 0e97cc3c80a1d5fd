"""Keeps the outcomes of a source's checks in `lake/checks/<source>.json`, so that unchanged evidence is not validated again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import duckdb

from obc_pipeline.home import Home
from obc_pipeline.quality.verdicts import Outcome

# Raise it when outcomes are counted differently.
_COUNTING = "1"


class OutcomeCache:
    """The outcomes of one source, per table, each under the key of the evidence and suite it was found with."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, table: str, key: str) -> list[Outcome] | None:
        """The outcomes kept under this key; None when there are none, or the file cannot be read (it is only a cache)."""
        entry = self._read().get(table, {})
        return [Outcome(**outcome) for outcome in entry["outcomes"]] if entry.get("key") == key else None

    def keep(self, table: str, key: str, outcomes: Sequence[Outcome]) -> None:
        """Replaces what is kept for the table; the file is written whole or not at all."""
        content = self._read() | {table: {"key": key, "outcomes": [asdict(outcome) for outcome in outcomes]}}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")
        os.replace(partial, self._path)

    def _read(self) -> dict[str, dict]:
        try:
            return json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            return {}  # a damaged cache is worth nothing, and nothing is lost with it


def evidence_key(connection: duckdb.DuckDBPyConnection, home: Home | None, source: str, table: str, suite_hash: str) -> str | None:
    """A hash of everything the outcomes depend on: the files of the table that count and what of them counts, as they were read, and the suite.

    None when no file of the table counts.
    """
    files = connection.execute(
        "SELECT file_id, format, accepted, quarantined FROM intake.file WHERE source = ? AND table_name = ? AND status = 'CURRENT' ORDER BY file_id",
        [source, table],
    ).fetchall()
    if not files:
        return None
    scopes = connection.execute(
        "SELECT s.file_id, s.scope FROM intake.file_scope AS s SEMI JOIN intake.file AS f "
        "ON s.file_id = f.file_id AND f.source = ? AND f.table_name = ? ORDER BY ALL",
        [source, table],
    ).fetchall()
    # A file that was read again, by newer code or another column map, is another Parquet file.
    stamps = [_stamp(home.raw / file[1] / table / f"{file[0]}.parquet") for file in files] if home else []
    known = [_COUNTING, version("great-expectations"), suite_hash, files, scopes, stamps]
    return hashlib.sha256(json.dumps(known, default=str).encode()).hexdigest()


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns
