"""What every run does about sharing: prepare, follow opt-outs, destroy what is due. The only door of this package that a run opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from obc_pipeline.documents import Documents
from obc_pipeline.home import Home
from obc_pipeline.sharing.destruction import destroy_due
from obc_pipeline.sharing.errors import SharingError
from obc_pipeline.sharing.identity import RosterStudent, read_roster
from obc_pipeline.sharing.prepare import Prepared, contracts_by_consent, prepare_audiences
from obc_pipeline.sharing.publish import PublishRun
from obc_pipeline.sharing.withdrawal import withdraw


def share(
    home: Home, documents: Documents, run: PublishRun, connection: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any]
) -> list[Prepared]:
    """Prepares every audience; what is out follows opt-outs and ended agreements. Returns what became of each audience.

    connection: to the warehouse. The caller holds the home's lock. What goes wrong for one audience is its `problem`.
    """
    today = datetime.now(ZoneInfo(documents.obc.timezone)).date()
    prepared = prepare_audiences(home, documents, run, connection, manifest, today)
    roster = read_roster(connection, contracts_by_consent(documents)) if any(one.audience.kind == "vendor" for one in prepared) else []
    followed = [_follow(home, one, connection, roster, today) for one in prepared]
    destroy_due(home, documents)
    return followed


def _follow(home: Home, one: Prepared, connection: duckdb.DuckDBPyConnection, roster: Sequence[RosterStudent], today: date) -> Prepared:
    """Takes out of what is out with the audience whoever may not be in it any more, whether or not it could be prepared."""
    try:
        withdraw(home, one.audience, connection, roster, today)
    except SharingError as problem:
        return replace(one, problem="; ".join(filter(None, (one.problem, str(problem)))))
    return one
