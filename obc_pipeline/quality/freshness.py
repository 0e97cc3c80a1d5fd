"""Freshness: whether each source's data is there as of a date, by the data map's timing column.

Periodic feeds (weekly, monthly) are fresh while the last arrival is no older than their period plus the expected delay; after the
last day of service nothing more is expected of them. Tests come in windows, which no schedule fits: such a source is fresh when
something has arrived since the close of the last window whose expected delay has passed. All of it as of a stated date, never now.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import date, datetime, timedelta

import duckdb

from obc_pipeline.documents.data_map import instrument_format

PERIOD_DAYS = {"DAILY": 1, "WEEKLY": 7, "BIWEEKLY": 14, "MONTHLY": 31, "QUARTERLY": 92, "YEARLY": 366}


@dataclass(frozen=True)
class Window:
    """A test window a source reports on: closes_on is its last day."""

    window_id: str
    closes_on: date


@dataclass(frozen=True)
class Feed:
    """A source and what its timing goes by.

    frequency:      as in the data map; delay_days: days from measurement to arrival.
    windows:        the test windows it reports on; () = it is no test.
    first_on, last_on: first and last day of service of the contracts that consume it, else of all contracts.
    contracts:      the contracts that consume it.
    last_arrival_at: newest delivery of which something could be used, UTC. rows: accepted rows of the files that count.
    """

    source: str
    format: str
    frequency: str
    delay_days: int
    windows: tuple[Window, ...]
    first_on: date | None
    last_on: date | None
    contracts: tuple[str, ...]
    last_arrival_at: datetime | None
    rows: int


@dataclass(frozen=True)
class Freshness:
    """The judgement on one source, a row of `intake.source_freshness`.

    is_fresh:  None = nothing was due yet, or the source comes as needed.
    due_on:    the day by which something had to arrive, or must next; None = as needed.
    is_overdue_first: nothing at all has arrived, and something was due.
    """

    source: str
    last_arrival_at: datetime | None
    due_on: date | None
    is_fresh: bool | None
    is_overdue_first: bool
    reason: str


def judge(feed: Feed, as_of: date) -> Freshness:
    """Whether the feed is fresh as of a date."""
    if feed.windows and feed.frequency in ("PER_WINDOW", "YEARLY"):
        return _by_window(feed, as_of)
    if feed.frequency in PERIOD_DAYS:
        return _by_period(feed, as_of)
    # What comes as needed is never late, but it must have come once when service begins.
    is_due = feed.first_on is not None and as_of >= feed.first_on
    return _judged(feed, feed.first_on, None, is_due, "comes as needed" + ("; service has begun" if is_due else ""))


def _by_window(feed: Feed, as_of: date) -> Freshness:
    delay = timedelta(days=feed.delay_days)
    windows = sorted(feed.windows, key=lambda window: window.closes_on)
    closed = [window for window in windows if window.closes_on + delay < as_of]
    if not closed:
        due_on = windows[0].closes_on + delay
        return _judged(feed, due_on, None, False, f"nothing is due before {due_on}")
    last = closed[-1]
    due_on = last.closes_on + delay
    if feed.last_arrival_at and feed.last_arrival_at.date() >= last.closes_on:
        return _judged(feed, due_on, True, True, f"arrived after window {last.window_id} closed on {last.closes_on}")
    return _judged(
        feed, due_on, False, True, f"nothing has arrived since window {last.window_id} closed on {last.closes_on}; due by {due_on}"
    )


def _by_period(feed: Feed, as_of: date) -> Freshness:
    delay, period = timedelta(days=feed.delay_days), timedelta(days=PERIOD_DAYS[feed.frequency])
    if feed.last_arrival_at is None:
        if feed.first_on is None:
            return _judged(feed, None, None, False, "nothing is due: no contract says when service begins")
        # What comes once a year (a calendar) is needed when service begins, not a year later.
        due_on = feed.first_on + delay + (timedelta() if feed.frequency == "YEARLY" else period)
        is_late = as_of > due_on
        said = "nothing has arrived; due by" if is_late else "nothing is due before"
        return _judged(feed, due_on, False if is_late else None, is_late, f"{said} {due_on}")
    due_on = feed.last_arrival_at.date() + period + delay
    is_fresh = due_on >= (min(as_of, feed.last_on) if feed.last_on else as_of)
    if is_fresh and feed.last_on and feed.last_on < as_of:
        return _judged(feed, None, True, True, f"nothing more is due: service ended on {feed.last_on}")
    said = f"{'next due' if is_fresh else 'was due'} by {due_on}: {feed.frequency.lower()}, with a delay of {feed.delay_days} days"
    return _judged(feed, due_on, is_fresh, True, said)


def _judged(feed: Feed, due_on: date | None, is_fresh: bool | None, is_due: bool, reason: str) -> Freshness:
    return Freshness(feed.source, feed.last_arrival_at, due_on, is_fresh, is_due and feed.rows == 0, reason)


def read_feeds(connection: duckdb.DuckDBPyConnection) -> list[Feed]:
    """Every source of the data map with what its timing goes by, from `documents.*` and `intake.*`, in order of name."""
    service = {row[0]: row[1:] for row in connection.execute(_SERVICE).fetchall()}
    all_first = min((first for first, _ in service.values() if first), default=None)
    all_last = max((last for _, last in service.values() if last), default=None)
    consumers: dict[str, list[str]] = {}
    for contract_id, source in connection.execute("SELECT contract_id, source FROM documents.contract_source ORDER BY ALL").fetchall():
        consumers.setdefault(source, []).append(contract_id)
    windows: dict[tuple[str, str], list[Window]] = {}
    for contract_id, instrument, window_id, closes_on in connection.execute(_WINDOWS).fetchall():
        windows.setdefault((contract_id, instrument_format(instrument)), []).append(Window(window_id, closes_on))
    feeds = []
    for source, format_name, frequency, delay_days, last_arrival_at, rows in connection.execute(_SOURCES).fetchall():
        contracts = tuple(dict.fromkeys(consumers.get(source, [])))
        spans = [service[contract_id] for contract_id in contracts if contract_id in service]
        feeds.append(
            Feed(
                source,
                format_name,
                frequency,
                delay_days or 0,
                tuple(dict.fromkeys(window for contract_id in contracts for window in windows.get((contract_id, format_name), []))),
                min((first for first, _ in spans if first), default=all_first),
                max((last for _, last in spans if last), default=all_last),
                contracts,
                last_arrival_at,
                rows,
            )
        )
    return feeds


def write_freshness(connection: duckdb.DuckDBPyConnection, found: Iterable[Freshness]) -> None:
    """Replaces `intake.source_freshness`; it exists, typed, even with no row."""
    connection.execute(
        """CREATE OR REPLACE TABLE intake.source_freshness
           (source VARCHAR, last_arrival_at TIMESTAMP, due_on DATE, is_fresh BOOLEAN, is_overdue_first BOOLEAN, reason VARCHAR)"""
    )
    rows = [astuple(freshness) for freshness in found]
    if rows:
        connection.executemany("INSERT INTO intake.source_freshness VALUES (?, ?, ?, ?, ?, ?)", rows)


# Of a contract's versions the newest says when it is served and tested.
_SERVICE = """
    SELECT contract_id, max_by(service_start_on, version), max_by(service_end_on, version) FROM documents.contract GROUP BY contract_id
"""
_WINDOWS = """
    WITH newest AS (SELECT contract_id, max(version) AS version FROM documents.contract GROUP BY contract_id)
    SELECT DISTINCT l.contract_id, l.instrument, w.window_id, w.closes_on
    FROM documents.rate_card_line AS l
    INNER JOIN newest AS n ON l.contract_id = n.contract_id AND l.version = n.version
    INNER JOIN documents.contract_window AS w
        ON l.contract_id = w.contract_id AND l.version = w.version AND w.window_id IN (l.baseline_window, l.end_window)
    ORDER BY ALL
"""
# A delivery counts as an arrival unless everything that came with it was refused or held; the same content again counts too.
_SOURCES = """
    WITH unusable AS (
        SELECT d.source, d.sha256 FROM intake.delivery AS d
        INNER JOIN intake.file AS f ON d.source = f.source AND d.received_at = f.received_at
        GROUP BY d.source, d.sha256 HAVING bool_and(f.status IN ('REFUSED', 'HELD', 'IGNORED'))
    ),
    arrived AS (
        SELECT d.source, max(d.received_at) AS last_arrival_at FROM intake.delivery AS d
        LEFT JOIN unusable AS u ON d.source = u.source AND d.sha256 = u.sha256
        WHERE d.problem IS NULL AND d.file_count > 0 AND u.sha256 IS NULL GROUP BY d.source
    ),
    held_rows AS (SELECT source, sum(accepted) AS rows FROM intake.file WHERE status = 'CURRENT' GROUP BY source)
    SELECT s.source, s.format, s.frequency, s.expected_delay_days, a.last_arrival_at, coalesce(h.rows, 0)::BIGINT
    FROM documents.data_source AS s
    LEFT JOIN arrived AS a ON s.source = a.source
    LEFT JOIN held_rows AS h ON s.source = h.source
    ORDER BY s.source
"""
