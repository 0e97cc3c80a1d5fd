"""Suppressed aggregates: which an audience gets, and as of which release date. Between release dates they stay as they were released.

For each release date there is one *snapshot*, taken by the first run on or after it and kept in `disclosure/snapshots/` from its first
release on, whoever it goes to. From then until the next date every audience gets its aggregates from that one file, so that no two
recipients hold two versions of one date, and what later snapshots may show is judged against all that are out.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from obc_pipeline.documents import Documents
from obc_pipeline.errors import describe
from obc_pipeline.home import Home
from obc_pipeline.ledger.write_once import make_private_folder, write_once
from obc_pipeline.sharing.audiences import Audience
from obc_pipeline.sharing.errors import NotPrepared

SCHEMA, TABLE = "improvement", "pub_outcome_subgroup"


@dataclass(frozen=True)
class AggregateTable:
    """One `pub_*` table as an audience gets it."""

    schema: str
    name: str
    rows: pa.Table
    description: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Aggregates:
    """said: words for the recipient. as_of: the release date they belong to; None without any. snapshot_hash: of the snapshot they are from."""

    said: str
    as_of: date | None = None
    snapshot_hash: str | None = None
    tables: Mapping[str, Sequence[AggregateTable]] = field(default_factory=dict)


def aggregates_for(
    home: Home, documents: Documents, connection: duckdb.DuckDBPyConnection, audiences: Sequence[Audience], as_of: date
) -> Aggregates:
    """The aggregates of the last release date on or before `as_of`. connection: to the warehouse."""
    from obc_pipeline.sharing.suppression.published import PUB_COLUMNS, PUB_DESCRIPTION, for_audience, take_snapshot
    from obc_pipeline.sharing.suppression.table import NotAdditive

    year = documents.district.school_year
    day, following = documents.releases.last_date(as_of, year), documents.releases.next_date(as_of, year)
    if day is None:
        return Aggregates(
            f"No suppressed aggregates yet: the first release date is {following}." if following else "No suppressed aggregates."
        )
    try:
        content = _stored(home, day)
        if content is None:
            content = _bytes(take_snapshot(connection, _earlier(home, day, year), documents.obc.privacy.n_min))
            _keep_pending(home, day, content)
    except NotAdditive:
        return Aggregates(
            "No suppressed aggregates: the groups do not add up to their wholes, so nothing about groups can be shown safely."
        )
    except duckdb.CatalogException as problem:
        return Aggregates(f"No suppressed aggregates: the models they are made of are not there ({describe(problem)}).")
    snapshot = pq.read_table(io.BytesIO(content))
    change = f"they change next on {following}" if following else "they do not change any more this school year"
    said = f"Suppressed aggregates (pub_*) of the release date {day}; {change}."
    for_all = for_audience(snapshot, "public")
    # A school's own cells come exact. A vendor's do not: beside its rows they would tell of the student whose parents opted out.
    rows = {one.audience_id: for_audience(snapshot, "school", one.subject_id) if one.kind == "school" else for_all for one in audiences}
    tables = {name: [AggregateTable(SCHEMA, TABLE, table, PUB_DESCRIPTION, PUB_COLUMNS)] for name, table in rows.items()}
    return Aggregates(said, day, hashlib.sha256(content).hexdigest(), tables)


def keep_snapshot(home: Home, day: date, snapshot_hash: str) -> None:
    """Before the first release of a date's aggregates: their snapshot is kept for ever. Raises NotPrepared when it is not the one prepared."""
    content = _stored(home, day)
    if content is None:
        pending = _pending_path(home, day)
        content = pending.read_bytes() if pending.is_file() else b""
    if hashlib.sha256(content).hexdigest() != snapshot_hash:
        raise NotPrepared(f"the aggregates of {day} that are prepared are not those that are kept; obc run prepares them anew")
    write_once(_stored_path(home, day), content)


def _earlier(home: Home, day: date, year: tuple[date, date]) -> list[pa.Table]:
    """The kept snapshots of the school year before `day`, oldest first: what is out."""
    folder = _stored_path(home, day).parent
    known = sorted(date.fromisoformat(path.stem) for path in folder.glob("????-??-??.parquet")) if folder.is_dir() else []
    return [pq.read_table(io.BytesIO(_stored_path(home, one).read_bytes())) for one in known if year[0] <= one < day]


def _stored(home: Home, day: date) -> bytes | None:
    path = _stored_path(home, day)
    return path.read_bytes() if path.is_file() else None


def _stored_path(home: Home, day: date) -> Path:
    return home.disclosure / "snapshots" / f"{day}.parquet"


def _pending_path(home: Home, day: date) -> Path:
    return home.lake / "sharing" / f"snapshot-{day}.parquet"


def _keep_pending(home: Home, day: date, content: bytes) -> None:
    path = _pending_path(home, day)
    make_private_folder(path.parent)
    for old in path.parent.glob("snapshot-*.parquet"):
        old.unlink()
    aside = path.with_name(f".{path.name}.new")
    aside.write_bytes(content)
    aside.chmod(0o600)
    os.replace(aside, path)


def _bytes(table: pa.Table) -> bytes:
    written = io.BytesIO()
    pq.write_table(table, written, compression="zstd")
    return written.getvalue()
