"""Read: each archived file becomes one typed Parquet, one row per readable record, and an account of every record that is not.

What a file says is a function of its bytes, the format's declaration, the source's options and the suite's row rules; when one
of these changes the file is read again from the archive.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol

import duckdb

from obc_pipeline.home import Home
from obc_pipeline.intake.query import DUPLICATE, Query, quoted
from obc_pipeline.intake.receive import Delivery
from obc_pipeline.intake.report import ContentReport, FileReport, ScopeReport
from obc_pipeline.intake.split import Rejects, split_sql, take_rejects
from obc_pipeline.intake.text import NotText, Text, as_text, first_records, line_numbers
from obc_pipeline.intake.unpack import Member, Unreadable, is_zip, unpacked
from obc_pipeline.quality.rules import row_rules
from obc_pipeline.sources import Format, Table, registry
from obc_pipeline.sources.matching import Match, Mismatch, header_rows_problem, match_header

# Files read side by side, where there are as many cores; each may take `ReadingLimits.memory`.
_MOST_AT_ONCE = 4
# Beyond this many bad rows of one file with line breaks inside values, the report names records only: walking on would take minutes.
_MOST_LINES_WALKED = 10_000


class SourceConfig(Protocol):
    """What reading needs to know of a source in the data map."""

    @property
    def name(self) -> str: ...

    @property
    def format(self) -> str: ...

    @property
    def options(self) -> Mapping[str, Any]:
        """Everything the data map says that changes how files of this source are read."""
        ...


@dataclass(frozen=True)
class ReadingLimits:
    """Guards, from `intake:` in obc.yml."""

    max_zip_bytes: int = 4 << 30
    max_zip_ratio: float = 200.0
    memory: str = "1GB"  # per file that is being read


@dataclass(frozen=True)
class Shelves:
    """Where the results of reading go: a home's lake, or scratch for a preflight."""

    raw: Path
    restricted: Path
    quarantine: Path

    @staticmethod
    def of(home: Home) -> Shelves:
        return Shelves(home.raw, home.restricted, home.quarantine)


@dataclass(frozen=True)
class Preflight:
    """The verdict the pipeline would give a file: its account, and every row that would not go on (no values)."""

    report: ContentReport
    quarantined: list[dict[str, Any]] = field(default_factory=list)


def read_archive(
    home: Home,
    deliveries: Iterable[Delivery],
    sources: Mapping[str, SourceConfig],
    district_names: frozenset[str],
    limits: ReadingLimits | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> dict[tuple[str, str], ContentReport]:
    """A report for every (source, SHA-256) of the deliveries; what the same reader read before is not read again.

    district_names: ids and names under which files may name this district, lower case.
    """
    limits = limits or ReadingLimits()
    home.lake.mkdir(parents=True, exist_ok=True)
    _clear_scratch(home.lake)
    contents: dict[str, dict[str, Delivery]] = {}
    for delivery in deliveries:
        if delivery.source in sources:
            contents.setdefault(delivery.source, {}).setdefault(delivery.sha256, delivery)
    tasks = [task for source in contents.values() for task in _independent(home, list(source.values()))]
    tasks.sort(key=lambda task: -sum(delivery.size_bytes for delivery in task))
    cores = os.cpu_count() or 1
    at_once = max(1, min(_MOST_AT_ONCE, cores, len(tasks)))
    with ExitStack() as stack:
        connections: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()
        for _ in range(at_once):
            # One thread on each of two files does the work of two threads on one with a third less computing.
            connections.put(stack.enter_context(_connection(limits.memory, home.lake / ".spill", cores // at_once)))

        def read_task(task: list[Delivery]) -> list[ContentReport]:
            connection = connections.get()
            try:
                return [_read_once(home, connection, sources[each.source], each, district_names, limits, progress) for each in task]
            finally:
                connections.put(connection)

        with ThreadPoolExecutor(max_workers=at_once) as workers:
            done = list(workers.map(read_task, tasks))
    return {(report.source, report.sha256): report for reports in done for report in reports}


def _independent(home: Home, deliveries: list[Delivery]) -> list[list[Delivery]]:
    """The contents of one source in parts that write no file in common: plain files one by one; zips, which may share a member, together."""
    if any(is_zip(home.object_path(delivery.sha256)) for delivery in deliveries):
        return [deliveries]
    return [[delivery] for delivery in deliveries]


def _read_once(
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    source: SourceConfig,
    delivery: Delivery,
    district_names: frozenset[str],
    limits: ReadingLimits,
    progress: Callable[[str], None],
) -> ContentReport:
    reader = reader_version(source, district_names)
    saved = home.file_reports / f"{source.name}.{delivery.sha256[:32]}.json"
    report = ContentReport.load(saved) if saved.exists() else None
    if report is None or report.reader != reader:
        with _scratch(home.lake) as scratch:
            reading = _Reading(connection, source, district_names, limits, Shelves.of(home), scratch)
            report = replace(reading.content(home.object_path(delivery.sha256), delivery.name, delivery.sha256), reader=reader)
        report.save(saved)
        progress(f"{source.name}/{delivery.name}: {report.summary()}")
    return report


def preflight(source: SourceConfig, path: Path, district_names: frozenset[str], limits: ReadingLimits | None = None) -> Preflight:
    """What the pipeline would say of this file, before it is sent. Stores nothing."""
    limits = limits or ReadingLimits()
    with path.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    with (
        tempfile.TemporaryDirectory(prefix="preflight-") as folder,
        _connection(limits.memory, Path(folder) / "spill", os.cpu_count() or 1) as connection,
    ):
        scratch = Path(folder)
        shelves = Shelves(scratch / "raw", scratch / "restricted", scratch / "quarantine")
        report = _Reading(connection, source, district_names, limits, shelves, scratch / "work").content(path, path.name, sha256)
        found = [str(saved) for saved in sorted(shelves.quarantine.glob("*.parquet"))]
        if not found:
            return Preflight(report)
        rows = connection.execute(
            "SELECT file_id, record_number, line_number, rule, column_name, reason FROM read_parquet(?) ORDER BY file_id, record_number",
            [found],
        )
        names = [description[0] for description in rows.description or ()]
        return Preflight(report, [dict(zip(names, row, strict=True)) for row in rows.fetchall()])


def reader_version(source: SourceConfig, district_names: frozenset[str]) -> str:
    """Changes whenever the same bytes could read differently: code, declarations, suites, the source's options, the district's names."""
    options = json.dumps(source.options, sort_keys=True, default=str)
    return hashlib.sha256(f"{_code_version()}|{source.format}|{options}|{sorted(district_names)}".encode()).hexdigest()[:32]


@cache
def _code_version() -> str:
    package = Path(__file__).parents[1]
    code = [*(package / "intake").glob("*.py"), *(package / "sources").glob("*.py"), package / "quality" / "rules.py"]
    digest = hashlib.sha256(duckdb.__version__.encode())
    for path in sorted(code) + sorted((package.parent / "expectations").glob("*__*.json")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


class _Reading:
    """Reads the members of one archived content."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        source: SourceConfig,
        district_names: frozenset[str],
        limits: ReadingLimits,
        shelves: Shelves,
        scratch: Path,
    ) -> None:
        self.connection, self.source, self.limits, self.shelves, self.scratch = connection, source, limits, shelves, scratch
        self.format: Format = registry()[source.format]
        self.options = source.options
        self.district_names = district_names
        self.manifest: dict[str, str] = {}

    def content(self, archived: Path, name: str, sha256: str) -> ContentReport:
        """The account of one archived content, zip or plain."""
        files: dict[str, FileReport] = {}
        try:
            with unpacked(
                archived, name, self.scratch, sha256, max_bytes=self.limits.max_zip_bytes, max_ratio=self.limits.max_zip_ratio
            ) as members:
                for member in members:
                    report = self._member(member)
                    files.setdefault(report.file_id, report)
        except Unreadable as problem:
            return ContentReport(self.source.name, sha256, "", str(problem))
        return ContentReport(
            self.source.name, sha256, "", None if files else "a zip with nothing in it", tuple(map(self._with_load_kind, files.values()))
        )

    def _member(self, member: Member) -> FileReport:
        if member.path is None:
            return self._refused(member, member.problem or "cannot be read")
        if any(re.search(pattern, member.name, re.IGNORECASE) for pattern in self.format.ignored_members):
            return self._report(member, "IGNORED", "known, and used by no model; it stays in the archive")
        try:
            text = as_text(member.path, self.scratch)
        except NotText as problem:
            return self._refused(member, str(problem))
        if text.is_empty:
            return self._refused(member, "an empty file (0 bytes); a header and its rows would be right")
        delimiter, header, match, skip = self._recognise(member.name, text)
        if isinstance(match, Mismatch):
            return self._refused(member, match.message, records=text.newlines - skip, skip=skip)
        return self._rows(member, text, delimiter, header, match, skip)

    def _recognise(self, member_name: str, text: Text) -> tuple[str, list[str], Match | Mismatch, int]:
        return recognise(self.format, self.options, member_name, text)

    def _rows(self, member: Member, text: Text, delimiter: str, header: list[str], match: Match, skip: int) -> FileReport:
        table = match.table
        file_id = self._file_id(table.name, member)
        query = Query(
            source=self.source.name,
            file_id=file_id,
            member_name=member.name,
            match=match,
            header=header,
            delimiter=delimiter,
            is_ascii=text.is_ascii,
            options=self.options,
            rules=row_rules(self.format.name, table.name),
            district_names=self.district_names,
        )
        raw = self.shelves.raw / self.format.name / table.name / f"{file_id}.parquet"
        self._write_rows(query, split_sql(text.path, len(header), delimiter, skip), raw, file_id)
        rejects = take_rejects(self.connection, skip, header)
        if rejects.unclosed_at is not None:
            readable = _count(self.connection, raw)
            raw.unlink()
            why = f"a quote opened in record {rejects.unclosed_at} is never closed, so nothing after it can be trusted; close it and send the file again"
            return self._refused(member, why, records=readable + len(rejects), skip=skip, match=match)
        self._mark_duplicates(raw, table)
        if table.name == self.format.manifest_table:
            self.manifest |= dict(self.connection.execute("SELECT property_name, value FROM read_parquet(?)", [str(raw)]).fetchall())
        self._write_quarantine(query, raw, rejects, text, skip)
        return self._account(member, match, rejects, raw)

    def _write_rows(self, query: Query, split: str, raw: Path, file_id: str) -> None:
        apart = [column.name for column in query.table.columns if column.privacy == "restricted" and query.is_sent(column)]
        if not apart:
            self._copy(query.select(split, with_restricted=False), raw)
            return
        # Names and free text never enter lake/raw: the typed rows pass through a temporary table that is split in two.
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE typed_rows AS {query.select(split, with_restricted=True)}")
        names = ", ".join(map(quoted, apart))
        self._copy(f"SELECT * EXCLUDE ({names}) FROM typed_rows", raw)
        restricted = self.shelves.restricted / self.format.name / query.table.name / f"{file_id}.parquet"
        self._copy(f"SELECT _file_id, rowid + 1 AS _row_number, {names} FROM typed_rows", restricted)
        self.connection.execute("DROP TABLE typed_rows")

    def _mark_duplicates(self, raw: Path, table: Table) -> None:
        """The same record again in the same file is counted, not used. Keys are compared first: whole rows only where a key repeats."""
        declared = [column.name for column in table.columns if column.privacy == "keep"]
        key = [name for name in (*table.natural_key, *table.fallback_key) if name in declared]
        # By hash, since a wide key takes long to group; that two keys share one only costs a look at whole rows.
        repeated = self.connection.execute(
            f"SELECT count(*) - count(DISTINCT hash({', '.join(map(quoted, key))})) FROM read_parquet(?) WHERE _issue IS NULL", [str(raw)]
        ).fetchone()
        if not repeated or not repeated[0]:
            return
        rows = f"read_parquet('{_escaped(raw)}', file_row_number=true)"
        whole = ", ".join(f"CAST({quoted(name)} AS VARCHAR)" for name in [*declared, "_extra"])
        self.connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE again AS
                WITH keyed AS (SELECT file_row_number, hash({", ".join(map(quoted, key))}) AS key_hash FROM {rows} WHERE _issue IS NULL),
                shared AS (SELECT key_hash FROM keyed GROUP BY key_hash HAVING count(*) > 1),
                suspects AS (SELECT file_row_number FROM keyed SEMI JOIN shared USING (key_hash)),
                numbered AS (
                    SELECT file_row_number, row_number() OVER (PARTITION BY {whole} ORDER BY file_row_number) AS number
                    FROM {rows} SEMI JOIN suspects USING (file_row_number)
                )
                SELECT file_row_number FROM numbered WHERE number > 1"""
        )
        if self.connection.execute("SELECT 1 FROM again LIMIT 1").fetchone():
            self._copy(
                f"""SELECT * EXCLUDE (file_row_number) REPLACE (
                        CASE WHEN file_row_number IN (SELECT file_row_number FROM again) THEN '{DUPLICATE}' ELSE _issue END AS _issue
                    )
                    FROM {rows} ORDER BY file_row_number""",
                raw,
            )
        self.connection.execute("DROP TABLE again")

    def _write_quarantine(self, query: Query, raw: Path, rejects: Rejects, text: Text, skip: int) -> None:
        """Every row that does not go on: where it stands, why, and its text (restricted: it is a student's record)."""
        key = ", ".join(f"coalesce(CAST({quoted(name)} AS VARCHAR), '')" for name in query.table.natural_key)
        entries: list[tuple[int, str, str | None, str, str | None, str | None]] = [
            (reject.record_number, reject.rule, reject.column_name, reject.reason, None, reject.text) for reject in rejects.all
        ]
        for row_number, issue, key_hash, row_text in self.connection.execute(
            f"""SELECT file_row_number + 1, _issue, md5(concat_ws('|', {key})), _text
                FROM read_parquet(?, file_row_number=true) WHERE _issue IS NOT NULL AND _issue <> '{DUPLICATE}'""",
            [str(raw)],
        ).fetchall():
            issues = issue.split(";")
            column, why = query.explain(issues[0])
            if len(issues) > 1:
                why += f" ({len(issues) - 1} more in this row: {', '.join(issues[1:])})"
            is_keyed = not any(code.startswith(("missing", "unkeyed", "excel_id")) for code in issues)
            entries.append((rejects.record_number(row_number), issues[0], column, why, key_hash if is_keyed else None, row_text))
        if not entries:
            return
        lines = self._lines(text, query.delimiter, skip, sorted(entry[0] for entry in entries), _count(self.connection, raw) + len(rejects))
        self._copy_entries(query.file_id, [(entry[0], lines.get(entry[0]), *entry[1:]) for entry in sorted(entries, key=lambda e: e[0])])

    def _lines(self, text: Text, delimiter: str, skip: int, records: list[int], total: int) -> dict[int, int]:
        """The physical line of each data record: by arithmetic where every record is one line, else by walking the file."""
        if text.newlines == skip + total:
            return {record: record + skip for record in records}
        return line_numbers(text, delimiter, skip, records[:_MOST_LINES_WALKED])

    def _copy_entries(self, file_id: str, entries: list[tuple[Any, ...]]) -> None:
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE entries (record_number BIGINT, line_number BIGINT, rule VARCHAR, column_name VARCHAR, reason VARCHAR, "
            "row_key_hash VARCHAR, text VARCHAR)"
        )
        self.connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", entries)
        self._copy(f"SELECT '{file_id}' AS file_id, * FROM entries ORDER BY record_number", self.shelves.quarantine / f"{file_id}.parquet")
        self.connection.execute("DROP TABLE entries")

    def _account(self, member: Member, match: Match, rejects: Rejects, raw: Path) -> FileReport:
        latest = (
            f"CAST(max({quoted(match.table.exported_at)}) FILTER (WHERE _issue IS NULL) AS VARCHAR)"
            if match.table.exported_at
            else "NULL::VARCHAR"
        )
        scopes = self.connection.execute(
            f"""SELECT _scope, count(*), count(*) FILTER (WHERE _issue IS NULL), count(*) FILTER (WHERE _issue = '{DUPLICATE}'), {latest}
                FROM read_parquet(?) GROUP BY _scope ORDER BY _scope""",
            [str(raw)],
        ).fetchall()
        readable, accepted, duplicate = (sum(scope[i] for scope in scopes) for i in (1, 2, 3))
        covered = tuple(ScopeReport(scope, rows, latest_at) for scope, _, rows, _, latest_at in scopes if rows)
        report = self._report(member, "READ", None if readable + len(rejects) else "a header and no rows", match)
        return replace(
            report,
            rows_in=readable + len(rejects),
            accepted=accepted,
            duplicate=duplicate,
            quarantined=readable - accepted - duplicate + len(rejects),
            latest_at=max((scope.latest_at for scope in covered if scope.latest_at), default=None),
            scopes=covered,
            notes=tuple(match.notes),
        )

    def _refused(self, member: Member, why: str, *, records: int = 0, skip: int = 0, match: Match | None = None) -> FileReport:
        """A file of which nothing is used: its records are quarantined by number; their text stays in the archive."""
        report = replace(self._report(member, "REFUSED", why, match), rows_in=max(0, records), quarantined=max(0, records))
        if records > 0:
            self._copy(
                f"""SELECT '{report.file_id}' AS file_id, number AS record_number, number + {skip} AS line_number, 'file_refused' AS rule,
                           NULL::VARCHAR AS column_name, '{_escaped(why)}' AS reason, NULL::VARCHAR AS row_key_hash, NULL::VARCHAR AS text
                    FROM range(1, {records} + 1) AS numbers(number)""",
                self.shelves.quarantine / f"{report.file_id}.parquet",
            )
        return report

    def _report(self, member: Member, status: str, reason: str | None, match: Match | None = None) -> FileReport:
        table = match.table.name if match else None
        return FileReport(
            file_id=self._file_id(table or status.lower(), member),
            table=table,
            layout=match.layout if match else None,
            member_name=member.name,
            sha256=member.sha256,
            changed_at=member.changed_at.isoformat() if member.changed_at else None,
            status=status,
            reason=reason,
        )

    def _file_id(self, table: str, member: Member) -> str:
        identity = member.sha256 or hashlib.sha256(f"{member.name}|{member.problem}".encode()).hexdigest()
        return f"{self.source.name}.{table}.{identity[:32]}"

    def _with_load_kind(self, report: FileReport) -> FileReport:
        """Bulk or changes only, where the package's manifest says so."""
        if self.format.load_kind is None or report.table is None:
            return report
        return replace(report, load_kind=self.format.load_kind(self.manifest, report.table))

    def _copy(self, select: str, target: Path) -> None:
        """Writes Parquet whole or not at all, readable by its owner only."""
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        self.connection.execute(f"COPY ({select}) TO '{_escaped(partial)}' (FORMAT parquet, COMPRESSION zstd)")
        partial.chmod(0o600)
        os.replace(partial, target)


def recognise(declared: Format, options: Mapping[str, Any], member_name: str, text: Text) -> tuple[str, list[str], Match | Mismatch, int]:
    """Delimiter, header, what it means, and how many records stand before the data. The first delimiter with a known header wins."""
    tried: list[tuple[str, list[str], Match | Mismatch, int]] = []
    configured = options.get("delimiter")
    for delimiter in (configured,) if configured else declared.delimiters:
        records, skip = first_records(text, 1, delimiter)
        header = records[0] if records else []
        match = match_header(declared, member_name, header, options)
        if isinstance(match, Match):
            if match.header_rows > 1:
                header_skip = skip
                records, skip = first_records(text, match.header_rows, delimiter)
                problem = header_rows_problem(match, records)
                if problem is not None:
                    tried.append((delimiter, header, problem, header_skip))
                    continue
            return delimiter, header, match, skip
        tried.append((delimiter, header, match, skip))
    return tried[0]


@contextmanager
def _connection(memory: str, spill: Path, threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """An own in-memory database; insertion order is kept, since a row's place in the Parquet is its place in the file."""
    # Never the working folder: what spills is student data.
    connection = duckdb.connect(
        config={"memory_limit": memory, "preserve_insertion_order": True, "temp_directory": str(spill), "threads": threads}
    )
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix=".reading-", dir=folder))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def _clear_scratch(folder: Path) -> None:
    """What a run that was stopped left behind."""
    for path in folder.glob(".reading-*"):
        shutil.rmtree(path)
    for path in folder.rglob("*.partial"):
        path.unlink()


def _count(connection: duckdb.DuckDBPyConnection, parquet: Path) -> int:
    row = connection.execute("SELECT count(*) FROM read_parquet(?)", [str(parquet)]).fetchone()
    return int(row[0]) if row else 0


def _escaped(text: object) -> str:
    return str(text).replace("'", "''")
