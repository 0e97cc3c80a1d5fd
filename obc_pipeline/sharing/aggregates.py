"""Suppressed aggregates: which an audience gets, and as of which release date. Between release dates they stay as they were released."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import duckdb
import pyarrow as pa

from obc_pipeline.documents import Documents
from obc_pipeline.home import Home
from obc_pipeline.sharing.audiences import Audience


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
    """said: words for the recipient. as_of: the release date they belong to; None without any. tables: by audience id."""

    said: str
    as_of: date | None = None
    tables: Mapping[str, Sequence[AggregateTable]] = field(default_factory=dict)


def aggregates_for(
    home: Home, documents: Documents, connection: duckdb.DuckDBPyConnection, audiences: Sequence[Audience], as_of: date
) -> Aggregates:
    """The aggregates of the last release date on or before `as_of`, from `district` (the district's published file)."""
    release_date = documents.releases.last_date(as_of, documents.district.school_year)
    if release_date is None:
        first = documents.releases.next_date(as_of, documents.district.school_year)
        return Aggregates(f"No suppressed aggregates yet: the first release date is {first}." if first else "No suppressed aggregates.")
    return Aggregates("No suppressed aggregates: this version makes none yet.")
