"""The synthetic district's own aggregates over three releases, as every recipient holds them, attacked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from obc_pipeline.sharing.suppression.published import for_audience, take_snapshot
from tests.explain.finished_home import finished_home
from tests.suppression.attacker import Key, Published, recovered, small_pools
from tests.suppression.test_published import key

MODELS = ("student", "student_group", "measured_student")


@pytest.fixture(scope="module")
def releases() -> list[pa.Table]:
    """Three releases: the students on the roster by then."""
    taken: list[pa.Table] = []
    with duckdb.connect() as connection:
        connection.execute(f"attach '{finished_home().warehouse}' as district (read_only)")
        connection.execute("create schema intermediate")
        first, last = connection.sql("select min(roster_on), max(roster_on) from district.intermediate.int_improvement__student").fetchone()  # type: ignore[misc]
        for day in (first + timedelta(days=20), first + timedelta(days=60), last):
            connection.execute(
                "create or replace table intermediate.int_improvement__group_spine as from district.intermediate.int_improvement__group_spine"
            )
            for model in MODELS:
                connection.execute(
                    f"create or replace table intermediate.int_improvement__{model} as select one.* "
                    f"from district.intermediate.int_improvement__{model} as one semi join (from district.intermediate.int_improvement__student "
                    "where roster_on <= $day) as there on one.contract_id = there.contract_id and one.student_id = there.student_id",
                    {"day": day},
                )
            taken.append(take_snapshot(connection, taken))
    return taken


def published_to(kind: str, subject: str, releases: list[pa.Table], table: tuple[str, str]) -> tuple[Published, dict[Key, int]]:
    """What the recipient holds of one contract and measure: exact counts wherever anything is shown, and its own."""
    published = Published("whole", {})
    own: dict[Key, int] = {}
    for month, release in enumerate(releases):
        for truth, row in zip(release.to_pylist(), for_audience(release, kind, subject).to_pylist(), strict=True):
            if (row["contract_id"], row["measure"]) != table:
                continue
            shows = row["suppression_code"] not in ("S", "DIMENSION_WITHHELD")
            published.cells.setdefault(key(month, row), None)
            if row["is_own"]:
                own[key(month, row)] = truth["n_students"]
            elif shows:
                published.cells[key(month, row)] = truth["n_students"]
    return published, own


@pytest.mark.slow
def test_nobody_works_out_a_cell_of_the_demo(releases: list[pa.Table]) -> None:
    rows: list[dict[str, Any]] = releases[-1].to_pylist()
    tables = sorted({(row["contract_id"], row["measure"]) for row in rows})
    schools = sorted({row["scope_id"] for row in rows if row["scope_id"]})
    assert tables
    assert schools
    for table in tables:
        for kind, subject in [("public", ""), *(("school", school) for school in schools)]:
            published, own = published_to(kind, subject, releases, table)
            assert recovered(published, own) == {}, (table, subject)
            assert small_pools(published, 10, own) == [], (table, subject)


@pytest.mark.slow
def test_something_is_shown_and_something_hidden(releases: list[pa.Table]) -> None:
    codes = set(for_audience(releases[-1], "public")["suppression_code"].to_pylist())
    assert {"S", "BANDED"} <= codes or {"DIMENSION_WITHHELD", "BANDED"} <= codes
