"""Writes what senders send: CSV files and zips in `landing/`, byte for byte the same each time, with the arrival as the file's own time."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from obc_pipeline.synthetic.chance import Bools, Ints

_EPOCH_ORDINAL = 719_163  # 1970-01-01 as a proleptic ordinal
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Table:
    """What a file holds: its header, an SQL expression per filled column (the others stay blank), and where the rows come from.

    `rows` is everything after SELECT's column list: `from ... order by ...`. `is_quoted` puts quotes around every value, also blanks.
    """

    header: Sequence[str]
    values: Mapping[str, str]
    rows: str
    is_quoted: bool = False

    def select(self) -> str:
        """The query that gives the file's rows. Raises ValueError when a value names a column that is not in the header."""
        unknown = set(self.values) - set(self.header)
        if unknown:
            raise ValueError(f"not in the header: {sorted(unknown)}")
        blank = "''" if self.is_quoted else "null"
        values = [self.values.get(column, blank) for column in self.header]
        if self.is_quoted:
            values = [f"coalesce(cast({value} as varchar), '')" for value in values]
        return f"select {', '.join(f'{value} as c{number}' for number, value in enumerate(values))} {self.rows}"


class Landing:
    """The landing folder of one home. Nothing is written twice under one name."""

    def __init__(self, landing: Path, scratch: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.path = landing
        self.scratch = scratch
        self.connection = connection

    def put(self, source: str, name: str, arrived_at: datetime, content: bytes) -> Path:
        """A file as given. `arrived_at` is UTC and becomes the file's time."""
        path = self._new(source, name)
        path.write_bytes(content)
        return _arrived(path, arrived_at)

    def csv(self, source: str, name: str, arrived_at: datetime, table: Table, before: bytes | None = None) -> Path:
        """One CSV. `before` replaces the header line (Qualtrics has three)."""
        path = self._new(source, name)
        with path.open("wb") as file:
            file.write(before if before is not None else _header_line(table.header))
            with self._body(table).open("rb") as body:
                shutil.copyfileobj(body, file, _CHUNK_BYTES)
        return _arrived(path, arrived_at)

    def zip(self, source: str, name: str, arrived_at: datetime, members: Mapping[str, Table | bytes]) -> Path:
        """One zip. Members are stored, not compressed: deflate differs between builds of zlib, stored bytes do not."""
        path = self._new(source, name)
        exported = (arrived_at.year, arrived_at.month, arrived_at.day, 2, 10, 0)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for member, content in members.items():
                info = zipfile.ZipInfo(member, exported)
                info.create_system, info.external_attr = 3, 0o644 << 16
                with archive.open(info, "w", force_zip64=False) as packed:
                    if isinstance(content, bytes):
                        packed.write(content)
                        continue
                    packed.write(_header_line(content.header))
                    with self._body(content).open("rb") as body:
                        shutil.copyfileobj(body, packed, _CHUNK_BYTES)
        return _arrived(path, arrived_at)

    def _new(self, source: str, name: str) -> Path:
        path = self.path / source / name
        if path.exists():
            raise FileExistsError(f"two files of one name: {source}/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _body(self, table: Table) -> Path:
        body = self.scratch / "body.csv"
        quoting = ", force_quote *" if table.is_quoted else ""
        self.connection.execute(f"copy ({table.select()}) to '{body}' (format csv, header false{quoting})")
        return body


def _header_line(header: Sequence[str]) -> bytes:
    return (",".join(f'"{name}"' if "," in name else name for name in header) + "\n").encode()


def _arrived(path: Path, arrived_at: datetime) -> Path:
    moment = int(arrived_at.replace(tzinfo=UTC).timestamp())
    os.utime(path, (moment, moment))
    return path


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A small CSV: values as text, None blank, quoted where they hold a comma, a quote or a line break."""
    return "".join(",".join(_field(value) for value in row) + "\n" for row in (header, *rows)).encode()


def _field(value: object) -> str:
    text = "" if value is None else ("true" if value else "false") if isinstance(value, bool) else str(value)
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\n') else text


def dates(ordinals: Ints, valid: Bools | None = None) -> pa.Array:
    """Ordinals as dates; null where `valid` is false."""
    days = (np.asarray(ordinals) - _EPOCH_ORDINAL).astype(np.int32)
    if valid is not None:
        days = np.where(valid, days, 0).astype(np.int32)
    return pa.array(days, mask=None if valid is None else ~valid).cast(pa.date32())


def numbers(values: np.ndarray, valid: Bools | None = None) -> pa.Array:
    """Numbers, null where `valid` is false."""
    return pa.array(values, mask=None if valid is None else ~valid)


def words(values: Sequence[str]) -> str:
    """Texts as an SQL list literal; its positions begin at 1."""
    return "[" + ", ".join("'" + value.replace("'", "''") + "'" for value in values) + "]"
