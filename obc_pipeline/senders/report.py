"""Reports to senders: per source a folder `reports/senders/<source>/` with a page, the rows to mend, and template files.

The rows hold what the sender itself sent, so the folder goes to that sender and to nobody else. The page holds counts and reasons, no value.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from obc_pipeline.documents import Documents, Source
from obc_pipeline.home import Home
from obc_pipeline.intake.read import ReadingLimits
from obc_pipeline.senders.mending import rows_to_mend
from obc_pipeline.senders.rules import FileRule, file_rules

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Mistake:
    """One reason for which rows or files did not go on: how often, in how many files, and what would be right."""

    rows: int
    files: int
    column: str | None
    reason: str


@dataclass(frozen=True)
class SenderReport:
    """What a source's sender is told.

    arrivals: how many files, rows, and what became of them.
    refused:  (file, reason) of files of which nothing is used.
    """

    source: Source
    freshness: dict[str, Any]
    on_time: dict[str, Any] | None
    mistakes: Sequence[Mistake]
    refused: Sequence[tuple[str, str]]
    to_mend: Sequence[tuple[str, int]]
    rules: Sequence[FileRule]


def write_sender_reports(
    home: Home, documents: Documents, connection: duckdb.DuckDBPyConnection, limits: ReadingLimits | None = None
) -> list[Path]:
    """Writes every source's folder anew, each swapped in whole, modes 0700 and 0600; returns the pages.

    connection: the warehouse after the quality marts were built; only read.
    """
    root = home.reports / "senders"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [_write_folder(home, root, source, connection, limits or ReadingLimits()) for source in documents.sources.values()]


def _write_folder(home: Home, root: Path, source: Source, connection: duckdb.DuckDBPyConnection, limits: ReadingLimits) -> Path:
    aside = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
    try:
        _fill(home, aside, source, connection, limits)
        folder = root / source.name
        old = root / f".old-{source.name}"
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            os.replace(folder, old)
        os.replace(aside, folder)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder / "report.html"


def _fill(home: Home, folder: Path, source: Source, connection: duckdb.DuckDBPyConnection, limits: ReadingLimits) -> None:
    quarantined = _rows(
        connection,
        "select file_id, file_status, column_name, reason, rule from quality.quarantined_row where source = ? and file_status <> 'SUPERSEDED'",
        [source.name],
    )
    names: dict[str, int] = {}
    for mend in rows_to_mend(home, source, sorted({row["file_id"] for row in quarantined if row["file_status"] != "REFUSED"}), limits):
        name = _free(f"to_mend_{_safe(Path(mend.file_name).stem)}.csv", names)
        _write(folder / name, mend.text)
        names[name] = mend.rows
    rules = file_rules(source)
    for rule in rules:
        _write(folder / f"template_{rule.table}.csv", _line(rule.header))
    report = SenderReport(
        source=source,
        freshness=_one(connection, "select * from quality.source_freshness where source = ?", [source.name]) or {},
        on_time=_on_time(connection, source),
        mistakes=_mistakes(quarantined),
        refused=_refused(connection, source),
        to_mend=list(names.items()),
        rules=rules,
    )
    _write(folder / "report.html", _template().render(report=report))


def _mistakes(quarantined: Sequence[dict[str, Any]]) -> list[Mistake]:
    """Reasons of single rows, the commonest first."""
    grouped: dict[tuple[str | None, str], list[str]] = {}
    for row in quarantined:
        if row["rule"] != "file_refused":
            grouped.setdefault((row["column_name"], row["reason"]), []).append(row["file_id"])
    found = [Mistake(len(files), len(set(files)), column, reason) for (column, reason), files in grouped.items()]
    return sorted(found, key=lambda mistake: (-mistake.rows, mistake.reason))


def _refused(connection: duckdb.DuckDBPyConnection, source: Source) -> list[tuple[str, str]]:
    rows = _rows(
        connection,
        "select member_name, status_reason from quality.row_accounting where source = ? and status in ('REFUSED', 'HELD') order by received_at desc",
        [source.name],
    )
    return [(Path(row["member_name"]).name, row["status_reason"] or "") for row in rows]


def _on_time(connection: duckdb.DuckDBPyConnection, source: Source) -> dict[str, Any] | None:
    """Session records on time against what the contract promises; None for feeds without such a promise."""
    if source.format != "tutoring_sessions":
        return None
    return _one(
        connection,
        "select sum(numerator) as on_time, sum(denominator) as records, min(sla_hours) as sla_hours, max(max_hours) as slowest_hours "
        "from process.agg_data_timeliness where provider_id = ? having sum(denominator) > 0",
        [source.provider_id],
    )


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("sender.html.j2")


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write(text)


def _line(values: Sequence[str]) -> str:
    import io

    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(values)
    return out.getvalue()


def _free(name: str, taken: dict[str, int]) -> str:
    stem, number = name.removesuffix(".csv"), 2
    while name in taken:
        name, number = f"{stem}_{number}.csv", number + 1
    return name


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)[:80]


def _rows(connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any]) -> list[dict[str, Any]]:
    cursor = connection.execute(query, list(parameters))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _one(connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any]) -> dict[str, Any] | None:
    return next(iter(_rows(connection, query, parameters)), None)
