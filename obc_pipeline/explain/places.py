"""Where a row of the lake stands in what was sent: delivery, archived content, member, physical line."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from obc_pipeline.documents import Source
from obc_pipeline.home import Home
from obc_pipeline.intake.read import ReadingLimits, recognise
from obc_pipeline.intake.receive import Delivery, read_receipts
from obc_pipeline.intake.report import ContentReport, FileReport
from obc_pipeline.intake.split import REJECT_RULES, Reject, Rejects
from obc_pipeline.intake.text import NotText, as_text, line_numbers
from obc_pipeline.intake.unpack import Unreadable, unpacked
from obc_pipeline.sources import registry
from obc_pipeline.sources.matching import Match


@dataclass(frozen=True)
class Place:
    """One row, led back to what was sent.

    sha256:        of the archived content; `archive/objects/<first two>/<sha256>` holds its bytes.
    delivery, received_at: name under which the content first arrived, and when (UTC).
    member:        file name inside the delivery; the delivery's own name when it was not a zip.
    record_number: 1-based, in data records of the file. line_number: physical line, 1-based; None when `problem` says why not.
    """

    file_id: str
    row_number: int
    source: str
    sha256: str | None
    delivery: str | None
    received_at: datetime | None
    member: str | None
    record_number: int | None = None
    line_number: int | None = None
    problem: str | None = None

    def __str__(self) -> str:
        if self.delivery is None:
            return f"{self.file_id}, row {self.row_number}: {self.problem}"
        name = self.delivery if self.member in (None, self.delivery.rsplit("/", 1)[-1]) else f"{self.delivery} » {self.member}"
        line = f"line {self.line_number}" if self.line_number else f"row {self.row_number} ({self.problem})"
        return f"{self.source}/{name}, {line}; archived as {self.sha256 or '?'}"


class Places:
    """Finds places; each file is opened once, however many of its rows are asked for. Nothing is written into the home."""

    def __init__(self, home: Home, sources: Mapping[str, Source], limits: ReadingLimits | None = None) -> None:
        self._home, self._sources, self._limits = home, sources, limits or ReadingLimits()
        self._deliveries: dict[tuple[str, str], Delivery] = {}
        for delivery in reversed(read_receipts(home)):  # the first arrival of the same content is the one that stays
            self._deliveries[delivery.source, delivery.sha256] = delivery

    def find(self, rows: Iterable[tuple[str | None, int | None]]) -> dict[tuple[str, int], Place]:
        """(file_id, row number in the lake) -> its place. Rows without a file are left out."""
        wanted: dict[str, set[int]] = {}
        for file_id, row_number in rows:
            if file_id and row_number:
                wanted.setdefault(file_id, set()).add(row_number)
        found: dict[tuple[str, int], Place] = {}
        for file_id, numbers in wanted.items():
            for place in self._of_file(file_id, sorted(numbers)):
                found[file_id, place.row_number] = place
        return found

    def _of_file(self, file_id: str, rows: list[int]) -> list[Place]:
        source = file_id.split(".", 1)[0]
        known = self._report_of(source, file_id)
        if known is None:
            return [
                Place(file_id, row, source, None, None, None, None, problem="its report is missing; `obc run` makes it again")
                for row in rows
            ]
        content, report = known
        delivery = self._deliveries.get((source, content.sha256))
        name, received = (delivery.name, delivery.received_at) if delivery else (None, None)
        rejects = self._rejects(report)
        records = {row: rejects.record_number(row) for row in rows}
        lines, problem = self._lines(content, report, name or report.member_name, sorted(records.values()))
        return [
            Place(file_id, row, source, content.sha256, name, received, report.member_name, record, lines.get(record), problem)
            for row, record in records.items()
        ]

    def _report_of(self, source: str, file_id: str) -> tuple[ContentReport, FileReport] | None:
        # A plain file's report is named after its own hash; a member's after its zip's, which only looking at them tells.
        direct = self._home.file_reports / f"{source}.{file_id.rsplit('.', 1)[-1]}.json"
        others = (path for path in sorted(self._home.file_reports.glob(f"{source}.*.json")) if path != direct)
        for path in [direct, *others] if direct.exists() else others:
            content = ContentReport.load(path)
            for report in content.files:
                if content.source == source and report.file_id == file_id:
                    return content, report
        return None

    def _rejects(self, report: FileReport) -> Rejects:
        """The records that could not be cut into fields: they are no rows of the lake, so they shift the numbers of those after them."""
        path = self._home.quarantine / f"{report.file_id}.parquet"
        if not report.quarantined or not path.exists():
            return Rejects((), None)
        rules = ", ".join(f"'{rule}'" for rule in sorted(REJECT_RULES))
        with duckdb.connect() as connection:
            rows = connection.execute(f"select record_number, rule from read_parquet(?) where rule in ({rules})", [str(path)]).fetchall()
        return Rejects([Reject(number, rule, "", "") for number, rule in rows], None)

    def _lines(self, content: ContentReport, report: FileReport, name: str, records: list[int]) -> tuple[dict[int, int], str | None]:
        """Record -> physical line, by reading the archived bytes again. The second value says why there are none."""
        archived = self._home.object_path(content.sha256)
        source = self._sources.get(content.source)
        if not archived.exists():
            return {}, "the archived file is gone: restore it from a backup"
        if source is None:
            return {}, "the data map no longer has its source"
        limits = self._limits
        with tempfile.TemporaryDirectory(prefix="obc-explain-") as folder:
            scratch = Path(folder)
            try:
                with unpacked(
                    archived, name, scratch, content.sha256, max_bytes=limits.max_zip_bytes, max_ratio=limits.max_zip_ratio
                ) as members:
                    for member in members:
                        if member.path and member.sha256 == report.sha256 and member.name == report.member_name:
                            return self._lines_of(member.path, source, report, records, scratch / "text")
            except (Unreadable, NotText) as problem:
                return {}, str(problem)
        return {}, "its member is not in the archived file"

    def _lines_of(
        self, path: Path, source: Source, report: FileReport, records: list[int], scratch: Path
    ) -> tuple[dict[int, int], str | None]:
        text = as_text(path, scratch)
        delimiter, _, match, skip = recognise(registry()[source.format], source.options, report.member_name, text)
        if not isinstance(match, Match):
            return {}, "its header is no longer recognised; `obc run` reads it again"
        if text.newlines == skip + report.rows_in:
            return {record: record + skip for record in records}, None
        return line_numbers(text, delimiter, skip, records), None
