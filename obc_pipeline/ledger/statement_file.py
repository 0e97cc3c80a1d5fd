"""The Parquet file of one posting: named by its statement number and its last entry, sealed so that no byte of it can change unseen.

The entries' hashes protect what the entries say; the seal protects the file: a SHA-256 over all its bytes, kept in the file's own
metadata, with the 64 places of the seal itself taken as zeros.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from obc_pipeline.ledger.entry import COLUMNS, GENESIS, SCHEMA, Entry

NAME = re.compile(r"(?P<number>[0-9]{6})_(?P<head>[0-9a-f]{64})\.parquet")
_SEAL_KEY = "obc_seal"
_OPEN_SEAL = b"sha256:" + b"0" * 64
_SEAL = re.compile(rb"sha256:([0-9a-f]{64})")


class FileNotOurs(ValueError):
    """The file's bytes are not those that were posted. The message says what is wrong, never a value."""


@dataclass(frozen=True)
class StatementName:
    """What a file's name says: which statement it holds, and the hash of its last entry."""

    number: int
    head_hash: str

    @staticmethod
    def of(name: str) -> StatementName | None:
        """None when the name is not that of a statement file."""
        found = NAME.fullmatch(name)
        return StatementName(int(found["number"]), found["head"]) if found else None

    def __str__(self) -> str:
        return f"{self.number:06d}_{self.head_hash}.parquet"


def encode(entries: Sequence[Entry]) -> bytes:
    """The bytes of the file of these entries, sealed."""
    rows = {name: [getattr(entry, name) for entry in entries] for name in COLUMNS}
    out = pa.BufferOutputStream()
    with pq.ParquetWriter(out, SCHEMA, compression="zstd", store_schema=False) as writer:
        writer.write_table(pa.table(rows, schema=SCHEMA))
        writer.add_key_value_metadata({_SEAL_KEY: _OPEN_SEAL.decode()})
    content = out.getvalue().to_pybytes()
    if content.count(_OPEN_SEAL) != 1:
        raise RuntimeError("the seal's place in the Parquet file is not where it should be; nothing was written")
    return content.replace(_OPEN_SEAL, b"sha256:" + hashlib.sha256(content).hexdigest().encode())


def decode(content: bytes) -> list[Entry]:
    """The entries of a file, in order. Raises FileNotOurs when a byte was changed or the file was not written by `encode`."""
    _check_seal(content)
    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read()
    except (pa.ArrowException, OSError, ValueError):
        raise FileNotOurs("it is not a readable Parquet file") from None
    expected = [(field.name, field.type) for field in SCHEMA]
    if [(field.name, field.type) for field in table.schema] != expected:
        raise FileNotOurs("its columns are not those of a ledger entry")
    return [Entry(**row) for row in table.to_pylist()]


def read(path: Path) -> list[Entry]:
    """`decode` of the file at `path`."""
    return decode(path.read_bytes())


def head_of(entries: Sequence[Entry]) -> str:
    """Hash of the last entry, or what the first entry would point back to."""
    return entries[-1].entry_hash if entries else GENESIS


def _check_seal(content: bytes) -> None:
    seals = list(_SEAL.finditer(content))
    if len(seals) != 1:
        raise FileNotOurs("its seal is missing or damaged")
    opened = content[: seals[0].start()] + _OPEN_SEAL + content[seals[0].end() :]
    if hashlib.sha256(opened).hexdigest().encode() != seals[0][1]:
        raise FileNotOurs("its bytes are not those that were written: the seal does not match")
