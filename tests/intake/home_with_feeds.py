"""A home with one source, and how to put a file through it."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from obc_pipeline.home import Home
from obc_pipeline.intake.evidence import Evidence, select_evidence
from obc_pipeline.intake.read import ReadingLimits, read_archive
from obc_pipeline.intake.receive import read_receipts, receive
from obc_pipeline.intake.register import key_overlap, register
from obc_pipeline.intake.report import FileReport

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
DISTRICT = frozenset({"cedar valley school district", "2800001"})


@dataclass
class Feed:
    """The part of a source that reading looks at."""

    name: str
    format: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Intake:
    """Delivers files to a home and runs intake on it."""

    home: Home
    feeds: dict[str, Feed]
    arrivals: int = 0
    limits: ReadingLimits = field(default_factory=ReadingLimits)
    max_drop_share: float = 0.10
    accepted: frozenset[str] = frozenset()

    def deliver(self, feed: str, name: str, content: bytes | str, arrives_at: dt.datetime | None = None) -> Path:
        """Lays a file into landing, an hour after the one before it unless told otherwise."""
        path = self.home.landing / feed / (name if "/" in name else f"{self.arrivals:03d}/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        at = (arrives_at or NOON + dt.timedelta(hours=self.arrivals)).timestamp()
        os.utime(path, (at, at))
        self.arrivals += 1
        return path

    def run(self, cutoff: dt.datetime = NOON + dt.timedelta(days=365)) -> Evidence:
        """Receive, read, select, register."""
        receive(self.home, self.feeds, received_at_from="file_time", settle_seconds=0)
        receipts = read_receipts(self.home)
        reports = read_archive(self.home, receipts, self.feeds, DISTRICT, self.limits)
        with duckdb.connect(str(self.home.warehouse)) as connection:
            evidence = select_evidence(
                receipts,
                reports,
                {feed.name: feed.format for feed in self.feeds.values()},
                cutoff=cutoff,
                max_drop_share=self.max_drop_share,
                accepted_hashes=self.accepted,
                overlap=lambda file, others: key_overlap(connection, self.home, file, others),
            )
            register(connection, self.home, evidence)
        return evidence

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Asks the warehouse."""
        with duckdb.connect(str(self.home.warehouse), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def only_file(self) -> FileReport:
        """The report of the one file that came."""
        (file,) = self.run().files
        return file.report
