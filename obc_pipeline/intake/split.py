"""Split: DuckDB cuts a file into records and fields; what it cannot cut becomes a reject with its place and text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

MAX_RECORD_BYTES = 4_000_000

# The rules under which a record that could not be cut goes to quarantine. Such a record is no row of the Parquet file.
REJECT_RULES = frozenset({"too_few_fields", "too_many_fields", "broken_quote", "record_too_long", "invalid_encoding", "unreadable"})


@dataclass(frozen=True)
class Reject:
    """A record that could not be cut into the header's fields. record_number: 1-based, in data records of the file."""

    record_number: int
    rule: str
    reason: str
    text: str
    column_name: str | None = None


class Rejects:
    """The rejects of one file, and how they shift the numbering of the rows that were readable."""

    def __init__(self, rejects: Sequence[Reject], unclosed_at: int | None) -> None:
        self.all = tuple(sorted(rejects, key=lambda reject: reject.record_number))
        self.unclosed_at = unclosed_at  # the data record in which a quote is opened and never closed
        self._rows_before = [reject.record_number - 1 - index for index, reject in enumerate(self.all)]

    def __len__(self) -> int:
        return len(self.all)

    def record_number(self, row_number: int) -> int:
        """The data record that became the readable row of this number; both 1-based."""
        return row_number + bisect_left(self._rows_before, row_number)


def split_sql(path: Path, fields: int, delimiter: str, skip: int) -> str:
    """A table function that yields the file's records as VARCHAR fields f0, f1, …; records it cannot cut go to DuckDB's reject tables.

    Everything is given, nothing is sniffed: DuckDB's sniffer can read a ragged file as one column without an error.
    """
    columns = ", ".join(f"'f{position}': 'VARCHAR'" for position in range(fields))
    quoted = str(path).replace("'", "''")
    mark = delimiter.replace("'", "''")
    return (
        f"read_csv('{quoted}', columns={{{columns}}}, auto_detect=false, header=false, skip={skip}, delim='{mark}', quote='\"', escape='\"', "
        f"strict_mode=true, null_padding=false, store_rejects=true, rejects_limit=0, max_line_size={MAX_RECORD_BYTES})"
    )


def take_rejects(connection: duckdb.DuckDBPyConnection, skip: int, headers: Sequence[str]) -> Rejects:
    """Empties DuckDB's reject tables after the reading query ran, first error per record."""
    known = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'reject_errors'").fetchone()
    if not known or not known[0]:
        return Rejects((), None)
    found = connection.execute(
        "SELECT line, column_idx, error_type, csv_line, error_message FROM reject_errors ORDER BY line, column_idx"
    ).fetchall()
    connection.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")
    rejects: dict[int, Reject] = {}
    unclosed_at: int | None = None
    for line, column, error_type, text, _message in found:
        record = line - skip
        if record in rejects:
            continue
        text = (text or "").strip("\r\n")
        if error_type in ("UNQUOTED VALUE", "LINE SIZE OVER MAXIMUM") and "\n" in text and unclosed_at is None:
            unclosed_at = record
        # Of a row with too few or too many fields nobody knows which column is wrong.
        is_placed = error_type == "UNQUOTED VALUE" and column and 0 < column <= len(headers)
        name = str(headers[column - 1]) if is_placed else None
        rule, reason = _meaning(error_type, len(headers))
        rejects[record] = Reject(record, rule, reason, text[:MAX_RECORD_BYTES], name)
    return Rejects(list(rejects.values()), unclosed_at)


def _meaning(error_type: str, fields: int) -> tuple[str, str]:
    if error_type == "MISSING COLUMNS":
        return (
            "too_few_fields",
            f"the row has fewer fields than the header's {fields}; it is not padded, because which one is missing is unknown",
        )
    if error_type == "TOO MANY COLUMNS":
        return "too_many_fields", f"the row has more fields than the header's {fields}; often a comma in an unquoted value"
    if error_type == "UNQUOTED VALUE":
        return "broken_quote", 'a quote inside a value is not doubled ("" would be right) or is not closed'
    if error_type == "LINE SIZE OVER MAXIMUM":
        return "record_too_long", f"the record is longer than {MAX_RECORD_BYTES:,} bytes"
    if error_type == "INVALID ENCODING":
        return "invalid_encoding", "the row holds bytes that are not text in this file's encoding"
    return "unreadable", f"the record cannot be read ({error_type.lower()})"
