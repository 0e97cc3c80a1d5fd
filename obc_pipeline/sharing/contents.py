"""contents.json: what is in an audience's folder, for the recipient to read and for the pipeline to compare. Counts and names only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

CONTENTS = "contents.json"
RUN = "quality.published_run"  # names the run, so it is another every time


@dataclass(frozen=True)
class Contents:
    """What is in an audience's folder.

    tables:    `schema.table` -> {"rows": n, "columns": [...], "sha256": of its rows}.
    students:  how many students have rows in it.
    aggregates: words for what it has, or lacks, of suppressed aggregates. aggregates_as_of: their release date, aggregates_hash: the
               snapshot they are from; None without any.
    left_out:  contracts that are not in it, because their records are to be destroyed.
    withdrawn: why rows were taken out after the release, once per time.
    data_hash: over all tables: the same data give the same hash, whatever run made it.
    """

    audience: str
    recipient: str
    run_id: str
    as_of_date: str
    evidence_cutoff_at: str
    tables: Mapping[str, Mapping[str, Any]]
    students: int
    aggregates: str
    aggregates_as_of: str | None
    aggregates_hash: str | None
    data_hash: str
    left_out: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)


def write_contents(folder: Path, contents: Contents) -> None:
    (folder / CONTENTS).write_text(json.dumps(asdict(contents), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_contents(folder: Path) -> Contents | None:
    """None when there is no such folder, or it says nothing that can be read."""
    try:
        return Contents(**json.loads((folder / CONTENTS).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def changes(new: Contents, old: Contents | None) -> list[str]:
    """What is other in `new` than in `old`, by table, in words: counts, never a row."""
    if old is None:
        return ["nothing is out yet"]
    told = []
    for name in sorted({*new.tables, *old.tables} - {RUN}):
        now, then = new.tables.get(name), old.tables.get(name)
        if now is None or then is None:
            told.append(f"{name}: {'new table' if then is None else 'no longer there'}")
        elif now["sha256"] != then["sha256"]:
            columns = sorted(set(now["columns"]) ^ set(then["columns"]))
            difference = f", columns {', '.join(columns)}" if columns else ""
            told.append(f"{name}: {then['rows']:,} -> {now['rows']:,} rows{difference}")
    return told
