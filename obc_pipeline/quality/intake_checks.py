"""What intake knows about a source, as verdicts: has it arrived, is it fresh, was anything held, refused, or unreadable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import duckdb

from obc_pipeline.quality.freshness import Feed, Freshness
from obc_pipeline.quality.suites import Severity
from obc_pipeline.quality.verdicts import Status, Verdict

SUITE = "intake"
MOSTLY_READABLE = 0.95

# Check -> severity and what would be right.
INTAKE_CHECKS: dict[str, tuple[Severity, str]] = {
    "arrived": ("critical", "a source that a contract consumes has rows once something is due"),
    "fresh": ("warning", "the last arrival is no older than the data map's timing allows"),
    "files_held": (
        "critical",
        "no newer file is held: a held file needs a person, who accepts its hash in obc.yml or asks for a complete one",
    ),
    "files_refused": ("warning", "no file that came after the last good one was refused"),
    "rows_readable": ("critical", "at least 95 % of the records of the files that count can be read, typed and keyed, and keep the rules"),
}


class _Finding(NamedTuple):
    status: Status
    checked: int | None
    failed: int | None
    message: str
    mostly: float | None = None


def intake_verdicts(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    as_of: date,
    feed: Feed,
    freshness: Freshness,
    data_map_row: str | None,
    is_trusted: bool,
) -> Iterator[Verdict]:
    """One verdict per intake check. A source that no contract consumes, or whose measures are all new, only warns."""
    files = connection.execute(_FILES, [feed.source]).fetchone() or (0,) * 6
    count, held, refused, deliveries_refused, rows_in, quarantined = (int(value or 0) for value in files)
    findings = {
        "arrived": _arrived(feed, freshness),
        "fresh": _fresh(freshness),
        "files_held": _files(count, held, "held: older evidence stands until a person has looked"),
        "files_refused": _files(
            count + deliveries_refused, refused + deliveries_refused, "refused after the last good one; their sender must be told"
        ),
        "rows_readable": _readable(rows_in, quarantined),
    }
    for name, (severity, _) in INTAKE_CHECKS.items():
        finding = findings[name]
        own = severity if is_trusted and feed.contracts else "warning"
        yield Verdict(
            run_id=run_id,
            check_id=f"{feed.source}.intake.{name}",
            source=feed.source,
            contract_id=None,
            suite=SUITE,
            expectation_type=name,
            column_name=None,
            data_map_row=data_map_row,
            severity=own,
            status=finding.status,
            rows_checked=finding.checked,
            rows_failed=finding.failed,
            pass_rate=(finding.checked - finding.failed) / finding.checked if finding.checked and finding.failed is not None else None,
            mostly=finding.mostly,
            is_blocking=own == "critical" and finding.status == "FAILED",
            checked_as_of=as_of,
            message=finding.message,
            engine="intake",
        )


def _arrived(feed: Feed, freshness: Freshness) -> _Finding:
    if feed.rows:
        return _Finding("PASSED", None, None, f"{feed.rows:,} rows count")
    if freshness.is_overdue_first:
        return _Finding("FAILED", None, None, f"nothing has arrived: {freshness.reason}")
    return _Finding("NOT_RUN", None, None, f"nothing has arrived, and {freshness.reason}")


def _fresh(freshness: Freshness) -> _Finding:
    if freshness.is_fresh is None:
        return _Finding("NOT_RUN", None, None, freshness.reason)
    return _Finding("PASSED" if freshness.is_fresh else "FAILED", None, None, freshness.reason)


def _files(count: int, bad: int, what: str) -> _Finding:
    if not count:
        return _Finding("NOT_RUN", None, None, "no file has arrived")
    return _Finding("FAILED" if bad else "PASSED", count, bad, f"{bad:,} of {count:,} files {what}" if bad else f"none of {count:,} files")


def _readable(rows_in: int, quarantined: int) -> _Finding:
    if not rows_in:
        return _Finding("NOT_RUN", None, None, "no record has arrived", MOSTLY_READABLE)
    status: Status = "FAILED" if quarantined > rows_in * (1 - MOSTLY_READABLE) else "PASSED"
    return _Finding(status, rows_in, quarantined, f"{quarantined:,} of {rows_in:,} records are in quarantine", MOSTLY_READABLE)


# Held counts as long as no newer file of the table has come that counts, unless the held file is older inside: that one
# is held for good, and what counts is the better evidence. Refused counts until a good file follows.
_FILES = """
    WITH files AS (SELECT * FROM intake.file WHERE source = $1 AND status <> 'IGNORED'),
    newest AS (
        SELECT table_name, max(file_rank) AS file_rank, max(exported_at) AS exported_at FROM files WHERE status = 'CURRENT' GROUP BY table_name
    ),
    good AS (SELECT coalesce(max(received_at), TIMESTAMP '-infinity') AS last_at FROM files WHERE status IN ('CURRENT', 'SUPERSEDED'))
    SELECT
        (SELECT count(*) FROM files),
        (SELECT count(*) FROM files AS f LEFT JOIN newest AS n ON f.table_name = n.table_name
            WHERE f.status = 'HELD' AND f.file_rank > coalesce(n.file_rank, 0) AND NOT coalesce(f.exported_at < n.exported_at, false)),
        (SELECT count(*) FROM files WHERE status = 'REFUSED' AND received_at > good.last_at),
        (SELECT count(*) FROM intake.delivery WHERE source = $1 AND problem IS NOT NULL AND received_at > good.last_at),
        (SELECT sum(rows_in) FROM files WHERE status = 'CURRENT'),
        (SELECT sum(quarantined) FROM files WHERE status = 'CURRENT')
    FROM good
"""
