"""The rows of a sender that did not go on, in the sender's own layout with two columns before them: mend, and send the file as it is."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from obc_pipeline.documents import Source
from obc_pipeline.home import Home
from obc_pipeline.intake.read import ReadingLimits, recognise
from obc_pipeline.intake.report import ContentReport, FileReport
from obc_pipeline.intake.text import NotText, as_text, first_records
from obc_pipeline.intake.unpack import Member, Unreadable, unpacked
from obc_pipeline.sources import registry
from obc_pipeline.sources.matching import Match

LINE, PROBLEM = "obc_line", "obc_problem"


@dataclass(frozen=True)
class ToMend:
    """The rows of one file that did not go on, as CSV text, and how many."""

    file_name: str
    rows: int
    text: str


def rows_to_mend(home: Home, source: Source, file_ids: Sequence[str], limits: ReadingLimits) -> list[ToMend]:
    """One per file of the source that was read but for some rows; a file that was refused as a whole has none: it is sent again whole."""
    wanted = set(file_ids)
    found: list[ToMend] = []
    for saved in sorted(home.file_reports.glob(f"{source.name}.*.json")):
        report = ContentReport.load(saved)
        files = {file.member_name: file for file in report.files if file.file_id in wanted and file.status == "READ" and file.quarantined}
        if files and home.object_path(report.sha256).exists():
            found += _of_content(home, source, report, files, limits)
            wanted -= {file.file_id for file in files.values()}
    return found


def _of_content(home: Home, source: Source, report: ContentReport, files: dict[str, FileReport], limits: ReadingLimits) -> Iterable[ToMend]:
    # A plain file is its own only member; a zip is opened again.
    name = next(iter(files)) if len(report.files) == 1 and report.files[0].sha256 == report.sha256 else f"{source.name}.zip"
    with tempfile.TemporaryDirectory(prefix=".mending-", dir=home.lake) as folder:
        scratch = Path(folder)
        try:
            with unpacked(
                home.object_path(report.sha256),
                name,
                scratch,
                report.sha256,
                max_bytes=limits.max_zip_bytes,
                max_ratio=limits.max_zip_ratio,
            ) as members:
                return [
                    made
                    for member in members
                    if member.name in files and member.path is not None
                    for made in [_of_file(home, source, member, files[member.name], scratch)]
                    if made is not None
                ]
        except Unreadable:
            # It was readable when it was read: the archive has changed, which `obc verify` reports; here there is nothing to mend.
            return []


def _of_file(home: Home, source: Source, member: Member, file: FileReport, scratch: Path) -> ToMend | None:
    assert member.path is not None
    try:
        text = as_text(member.path, scratch)
    except NotText:
        return None
    delimiter, _, match, skip = recognise(registry()[source.format], source.options, member.name, text)
    if not isinstance(match, Match):
        return None
    header, _ = first_records(text, max(match.header_rows, 1), delimiter)
    rows = _quarantined(home, file.file_id)
    if not rows:
        return None
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    for number, record in enumerate(header):
        writer.writerow([LINE, PROBLEM, *record] if number == 0 else ["", "", *record])
    for row in rows:
        before = io.StringIO()
        csv.writer(before, delimiter=delimiter, lineterminator="").writerow(
            [row["line_number"] or row["record_number"] + skip, row["reason"]]
        )
        out.write(before.getvalue() + delimiter + row["text"].rstrip("\r\n") + "\r\n")
    return ToMend(member.name, len(rows), out.getvalue())


def _quarantined(home: Home, file_id: str) -> list[dict[str, Any]]:
    path = home.quarantine / f"{file_id}.parquet"
    if not path.exists():
        return []
    with duckdb.connect() as connection:
        cursor = connection.execute(
            "select line_number, record_number, reason, text from read_parquet(?) where text is not null order by record_number",
            [str(path)],
        )
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
