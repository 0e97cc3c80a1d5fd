"""One ledger entry: its columns, its canonical text, and its hash. `docs/ledger.md` shows the same in ten lines for outsiders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pyarrow as pa

# What the first entry of a contract points back to.
GENESIS = "0" * 64

_TEXT, _TIME = pa.string(), pa.timestamp("us")

SCHEMA = pa.schema(
    [
        pa.field("contract_id", _TEXT, nullable=False),
        pa.field("contract_version", pa.int32(), nullable=False),
        pa.field("entry_seq", pa.int64(), nullable=False),
        pa.field("statement_number", pa.int32(), nullable=False),
        pa.field("line_key", _TEXT, nullable=False),
        pa.field("line_id", _TEXT, nullable=False),
        pa.field("line_kind", _TEXT, nullable=False),
        pa.field("student_id", _TEXT),
        pa.field("student_key", _TEXT),
        pa.field("school_id", _TEXT),
        pa.field("period", _TEXT, nullable=False),
        pa.field("entry_kind", _TEXT, nullable=False),
        pa.field("amount", pa.decimal128(18, 2), nullable=False),
        pa.field("reason_code", _TEXT, nullable=False),
        pa.field("adjusts_entry_hash", _TEXT),
        pa.field("run_id", _TEXT, nullable=False),
        pa.field("as_of_date", pa.date32(), nullable=False),
        pa.field("evidence_cutoff_at", _TIME, nullable=False),
        pa.field("evidence_hash", _TEXT, nullable=False),
        pa.field("settlement_hash", _TEXT, nullable=False),
        pa.field("posted_at", _TIME, nullable=False),
        pa.field("approved_by", _TEXT, nullable=False),
        pa.field("approval_hash", _TEXT, nullable=False),
        pa.field("prev_hash", _TEXT, nullable=False),
        pa.field("entry_hash", _TEXT, nullable=False),
    ]
)
COLUMNS: tuple[str, ...] = tuple(SCHEMA.names)


@dataclass(frozen=True)
class Entry:
    """One row of the ledger, never changed once written.

    amount: US dollars, exact to the cent; negative takes back. evidence_cutoff_at, posted_at: UTC, whole seconds, without zone.
    adjusts_entry_hash: the last earlier entry of the same line, None for the first. prev_hash: the entry before, of any line.
    evidence_hash, settlement_hash: the files that say what the posting rests on and what every line was then.
    """

    contract_id: str
    contract_version: int
    entry_seq: int
    statement_number: int
    line_key: str
    line_id: str
    line_kind: str
    student_id: str | None
    student_key: str | None
    school_id: str | None
    period: str
    entry_kind: str
    amount: Decimal
    reason_code: str
    adjusts_entry_hash: str | None
    run_id: str
    as_of_date: date
    evidence_cutoff_at: datetime
    evidence_hash: str
    settlement_hash: str
    posted_at: datetime
    approved_by: str
    approval_hash: str
    prev_hash: str
    entry_hash: str

    def sealed(self) -> Entry:
        """The same entry with the hash of what it says."""
        said = self.as_row()
        sealed: dict[str, Any] = said | {"entry_hash": entry_hash(said)}
        return Entry(**sealed)

    def as_row(self) -> dict[str, Any]:
        """Column -> value, in the order of the schema."""
        return dict(self.__dict__)


def canonical_text(row: Mapping[str, Any]) -> str:
    """The text whose SHA-256 is the entry's hash: a JSON object of every column but `entry_hash`, keys sorted, no spaces.

    Amounts as text with two decimals, dates as 2026-06-30, times as 2026-06-30T18:00:00Z, whole numbers as numbers, unknown as null.
    """
    said = {name: row[name] for name in _HASHED}
    for name in _NOT_PLAIN:
        said[name] = _plain(said[name])
    return _ENCODER.encode(said)


def entry_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical text in UTF-8, lower-case hex."""
    return hashlib.sha256(canonical_text(row).encode("utf-8")).hexdigest()


# Only these hold what JSON does not have as it is. One encoder for all: making one takes longer than writing an entry with it.
_HASHED = tuple(name for name in COLUMNS if name != "entry_hash")
_NOT_PLAIN = tuple(field.name for field in SCHEMA if not (pa.types.is_string(field.type) or pa.types.is_integer(field.type)))
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def cents(amount: Decimal) -> int:
    """US dollars as whole cents. Raises ValueError when the amount has a fraction of a cent."""
    scaled = amount.scaleb(2)
    if scaled != scaled.to_integral_value():
        raise ValueError("an amount has a fraction of a cent; money is DECIMAL(18,2)")
    return int(scaled)


def dollars(whole_cents: int) -> Decimal:
    """Whole cents as US dollars with two decimals, exactly, however large."""
    sign = "-" if whole_cents < 0 else ""
    whole, part = divmod(abs(whole_cents), 100)
    return Decimal(f"{sign}{whole}.{part:02d}")


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(dollars(cents(value)))
    return _day_or_moment(value) if isinstance(value, date) else value


@lru_cache(maxsize=1024)
def _day_or_moment(value: date) -> str:
    """The same few of them stand in every entry of a statement."""
    if not isinstance(value, datetime):
        return value.isoformat()
    # Only whole seconds are written; anything finer was not written by us and must not hash as if it were.
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if value.microsecond else "%Y-%m-%dT%H:%M:%SZ")
