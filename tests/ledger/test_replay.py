"""Replay: a past statement worked out again from what was frozen with it, beside the home, without touching the home."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest

from obc_pipeline.home import Home
from obc_pipeline.ledger import approve, post
from obc_pipeline.ledger.errors import LedgerDamaged, NoSuchStatement
from obc_pipeline.ledger.replay import replay
from tests.ledger.small_home import ANA, CONTRACT, SmallHome

FIRST, SECOND = {"G1|0001": 25_000, "BASE|0001": 58_333}, {"G1|0001": 30_000, "BASE|0001": 58_333}
Seen = list[tuple[date, datetime, set[str]]]


@pytest.fixture
def posted(small: SmallHome) -> SmallHome:
    """Two statements; a delivery came between them, and the documents were changed."""
    for number, expected in enumerate((FIRST, SECOND), start=1):
        receipt = {"delivery_id": f"{number:016x}{0:016x}", "source": "nwea_map", "name": "a.csv", "size_bytes": 1, "sha256": "0" * 64}
        path = small.home.deliveries / "nwea_map" / f"20260630T000000Z_{number:016x}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(receipt | {"received_at": "2026-06-30T00:00:00+00:00"}), encoding="utf-8")
        small.home.obc_yml.write_text(f"# version {number}\n", encoding="utf-8")
        small.run(expected)
        approve(small.home, CONTRACT, ANA, documents=small.documents)
        post(small.home, CONTRACT, documents=small.documents)
    return small


def run_with(expected: dict[str, int], seen: Seen) -> Callable[[Home, date, datetime], None]:
    def run_to(place: Home, as_of: date, cutoff: datetime) -> None:
        seen.append((as_of, cutoff, {path.name[-6:-5] for path in place.deliveries.glob("*/*.json")} | {place.obc_yml.read_text()[-2]}))
        SmallHome(place.path).run(expected)

    return run_to


@pytest.mark.parametrize(("number", "expected"), [(1, FIRST), (2, SECOND), (None, SECOND)])
def test_a_statement_comes_out_the_same_from_its_own_evidence(posted: SmallHome, number: int | None, expected: dict[str, int]) -> None:
    before = {path: path.read_bytes() for path in posted.path.rglob("*") if path.is_file()}
    seen: Seen = []
    replayed = replay(posted.home, CONTRACT, run_with(expected, seen), number)
    assert (replayed.is_same, replayed.is_same_program, replayed.statement_number) == (True, True, number or 2)
    ((as_of, _, evidence),) = seen
    assert as_of == date(2026, 6, 30)
    assert evidence == ({"1"} if number == 1 else {"1", "2"}), "the deliveries and documents of then"
    assert {path: path.read_bytes() for path in posted.path.rglob("*") if path.is_file()} == before


def test_another_amount_is_not_the_same(posted: SmallHome) -> None:
    assert not replay(posted.home, CONTRACT, run_with(SECOND | {"G1|0001": 30_001}, [])).is_same


def test_what_cannot_be_replayed_says_why(posted: SmallHome) -> None:
    with pytest.raises(NoSuchStatement, match="has 2 statements; there is no statement 3"):
        replay(posted.home, CONTRACT, run_with(SECOND, []), 3)
    for path in (posted.home.ledger / "_evidence").iterdir():
        path.unlink()
    with pytest.raises(LedgerDamaged, match="evidence it rests on is missing"):
        replay(posted.home, CONTRACT, run_with(SECOND, []))


def test_a_replay_that_fails_leaves_nothing_behind(posted: SmallHome) -> None:
    def fail(place: Home, as_of: date, cutoff: datetime) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        replay(posted.home, CONTRACT, fail)
    assert not list(Path(posted.path).glob(".replay-*"))
