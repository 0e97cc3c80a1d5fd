"""Text: what encoding and line ends a file has, and a UTF-8 copy where DuckDB would not read it as it is."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from pathlib import Path

_CHUNK_BYTES = 4 << 20
_HEADER_BYTES = 1 << 20


class NotText(Exception):
    """The bytes are not text in any encoding that is read; the message says what would be right."""


@dataclass(frozen=True)
class Text:
    """A readable text file.

    path: the file DuckDB reads (the original, or a UTF-8 copy in scratch).
    newlines: number of line ends; a last line without one counts.
    is_ascii: every byte was seen to be ASCII; False also where nobody looked.
    """

    path: Path
    encoding: str
    newlines: int
    is_empty: bool
    is_ascii: bool = False


def as_text(path: Path, scratch: Path) -> Text:
    """Detects UTF-8 (with or without BOM), UTF-16 and Windows-1252; rewrites to UTF-8 with one kind of line end when needed.

    Raises NotText when the bytes fit none of them.
    """
    size = path.stat().st_size
    if size == 0:
        return Text(path, "utf-8", 0, True)
    encoding, is_ascii = _encoding(path)
    crlf, lf, cr, last = _line_ends(path) if encoding in ("utf-8", "utf-8-sig") else (0, 0, 0, b"")
    is_mixed = sum(1 for n in (crlf, lf - crlf, cr - crlf) if n > 0) > 1
    if encoding in ("utf-8", "utf-8-sig") and not is_mixed:
        newlines = (lf or cr) + (0 if last in (b"\n", b"\r") else 1)
        return Text(path, encoding, newlines, False, is_ascii)
    scratch.mkdir(parents=True, exist_ok=True)
    copy = scratch / "utf8.csv"
    newlines, last_text = 0, "\n"
    try:
        with path.open("r", encoding=encoding, newline=None) as original, copy.open("w", encoding="utf-8", newline="\n") as rewritten:
            while chunk := original.read(_CHUNK_BYTES):
                newlines += chunk.count("\n")
                last_text = chunk[-1]
                rewritten.write(chunk)
    except UnicodeError as error:
        raise NotText("neither UTF-8, UTF-16 nor Windows-1252 text; export it as CSV in UTF-8") from error
    return Text(copy, encoding, newlines + (0 if last_text == "\n" else 1), False)


def first_records(text: Text, count: int, delimiter: str) -> tuple[list[list[str]], int]:
    """The first `count` non-empty records, and how many records (empty ones too) come before the data that follows them."""
    records: list[list[str]] = []
    seen = 0
    with text.path.open("r", encoding="utf-8-sig", newline="") as lines:
        start = io.StringIO(lines.read(_HEADER_BYTES), newline="")
    try:
        for record in csv.reader(start, delimiter=delimiter):
            seen += 1
            if record and not (len(record) == 1 and not record[0].strip()):
                records.append(record)
            if len(records) == count:
                break
    except csv.Error:
        # A header line the reader cannot split (NUL bytes, a giant field): reported as an unknown header by the caller.
        return records, seen
    return records, seen


def line_numbers(text: Text, delimiter: str, skip: int, records: list[int]) -> dict[int, int]:
    """The physical line on which each of these data records (1-based) starts. Only walks the file when it must."""
    wanted = set(records)
    found: dict[int, int] = {}
    with text.path.open("r", encoding="utf-8-sig", newline="", errors="replace") as lines:
        reader = csv.reader(lines, delimiter=delimiter)
        number, starts_on = -skip, 1
        csv.field_size_limit(1 << 30)
        for record in reader:
            is_blank = not record
            if number < 0 or not is_blank:
                number += 1
            if number in wanted and number not in found and number > 0:
                found[number] = starts_on
                if len(found) == len(wanted):
                    break
            starts_on = reader.line_num + 1
    return found


def _encoding(path: Path) -> tuple[str, bool]:
    """Name of the encoding, and whether every byte is ASCII."""
    is_ascii = True
    with path.open("rb") as raw:
        start = raw.read(4096)
        if start.startswith(codecs.BOM_UTF8):
            start_encoding = "utf-8-sig"
        elif start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16", False
        elif start[1::2].count(0) > len(start) // 4:
            return "utf-16-le", False
        elif start[0::2].count(0) > len(start) // 4:
            return "utf-16-be", False
        elif start.count(0) > 0:
            raise NotText("holds NUL bytes: not a text file; export it as CSV in UTF-8")
        else:
            start_encoding = "utf-8"
        raw.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := raw.read(_CHUNK_BYTES):
                if not (chunk.isascii() and not decoder.getstate()[0]):
                    is_ascii = False
                    decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252", False
    return start_encoding, is_ascii


def _line_ends(path: Path) -> tuple[int, int, int, bytes]:
    crlf = lf = cr = 0
    last = b""
    with path.open("rb") as raw:
        while chunk := raw.read(_CHUNK_BYTES):
            if last == b"\r" and chunk.startswith(b"\n"):
                crlf += 1
            if b"\r" in chunk:
                crlf += chunk.count(b"\r\n")
                cr += chunk.count(b"\r")
            lf += chunk.count(b"\n")
            last = chunk[-1:]
    return crlf, lf, cr, last
