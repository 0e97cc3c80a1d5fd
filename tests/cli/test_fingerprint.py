"""When a run has nothing to do, and when it has: whatever could change a result changes the fingerprint."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from obc_pipeline import fingerprint
from obc_pipeline.arguments import parse_moment
from obc_pipeline.home import Home

DAY = date(2026, 6, 30)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home after a finished run."""
    home = Home(tmp_path)
    home.obc_yml.write_text("district: {}\n")
    (home.contracts).mkdir()
    (home.contracts / "A.yml").write_text("contract_id: A\n")
    (home.deliveries / "nwea_map").mkdir(parents=True)
    (home.deliveries / "nwea_map" / "20260101T000000Z_1.json").write_text("{}")
    (home.landing / "nwea_map").mkdir(parents=True)
    home.warehouse.write_bytes(b"database")
    published = home.published / "district" / "marts.duckdb"
    published.parent.mkdir(parents=True)
    published.write_bytes(b"marts")
    taken = fingerprint.take(home, DAY, None)
    fingerprint.write_last_run(home, taken, {"sources": {"nwea_map": {}}, "status": "ok"}, [published], DAY, "America/Chicago")
    return home


def test_nothing_new_is_seen(home: Home) -> None:
    last = fingerprint.unchanged_run(home, None, None)
    assert last is not None
    assert last.result["status"] == "ok"
    assert fingerprint.unchanged_run(home, DAY, None) is not None, "the same date, stated"


CHANGES: dict[str, Callable[[Home], object]] = {
    "a document": lambda home: home.obc_yml.write_text("district: {} \n"),
    "a new contract": lambda home: (home.contracts / "B.yml").write_text("contract_id: B\n"),
    "a receipt": lambda home: (home.deliveries / "nwea_map" / "20260102T000000Z_2.json").write_text("{}"),
    "something landed": lambda home: (home.landing / "nwea_map" / "new.csv").write_text("a\n"),
    "something landed deeper": lambda home: [
        (home.landing / "nwea_map" / "x").mkdir(),
        (home.landing / "nwea_map" / "x" / "n.csv").write_text(""),
    ],
    "a statement was posted": lambda home: [(home.ledger / "A").mkdir(parents=True), (home.ledger / "A" / "s.parquet").write_text("")],
    "the warehouse is gone": lambda home: home.warehouse.unlink(),
    "the published file is gone": lambda home: (home.published / "district" / "marts.duckdb").unlink(),
    "the published file was touched": lambda home: (home.published / "district" / "marts.duckdb").write_bytes(b"other"),
    "the last run's record is damaged": lambda home: home.run_state.write_text("{"),
    "the last run did not finish": lambda home: fingerprint.forget_last_run(home),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_changes_is_a_run(what: str, home: Home) -> None:
    CHANGES[what](home)
    assert fingerprint.unchanged_run(home, None, None) is None


def test_other_dates_and_other_code_are_a_run(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fingerprint.unchanged_run(home, date(2026, 6, 29), None) is None
    assert fingerprint.unchanged_run(home, None, datetime(2026, 6, 30, tzinfo=UTC)) is None
    monkeypatch.setattr(fingerprint, "code_digest", lambda: "changed")
    assert fingerprint.unchanged_run(home, None, None) is None


@pytest.mark.parametrize("name", ["file.csv.part", ".hidden.csv", ".folder/file.csv"])
def test_what_receiving_would_leave_is_nothing_new(name: str, home: Home) -> None:
    path = home.landing / "nwea_map" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("a\n")
    assert fingerprint.unchanged_run(home, None, None) is not None


def test_a_living_home_runs_again_when_the_day_has_changed(home: Home) -> None:
    taken = fingerprint.take(home, DAY, None)
    published = [home.published / "district" / "marts.duckdb"]
    fingerprint.write_last_run(home, taken, {"sources": {}}, published, None, "America/Chicago")
    assert fingerprint.unchanged_run(home, None, None) is None, "obc.yml names no date: today is another day than that of the last run"


def test_the_same_inputs_are_the_same_run() -> None:
    one = fingerprint.Fingerprint("d", "r", "l", "s", "c", DAY, None)
    assert one.run_id == fingerprint.Fingerprint("d", "r", "l", "s", "c", DAY, None).run_id
    others = [
        fingerprint.Fingerprint("D", "r", "l", "s", "c", DAY, None),
        fingerprint.Fingerprint("d", "R", "l", "s", "c", DAY, None),
        fingerprint.Fingerprint("d", "r", "L", "s", "c", DAY, None),
        fingerprint.Fingerprint("d", "r", "l", "S", "c", DAY, None),
        fingerprint.Fingerprint("d", "r", "l", "s", "C", DAY, None),
        fingerprint.Fingerprint("d", "r", "l", "s", "c", date(2026, 6, 29), None),
        fingerprint.Fingerprint("d", "r", "l", "s", "c", DAY, datetime(2026, 6, 30, tzinfo=UTC)),
    ]
    assert len({run.run_id for run in (one, *others)}) == 8


def test_a_cutoff_that_is_a_date_means_its_end() -> None:
    assert parse_moment("2026-06-30") == datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)
    assert parse_moment("2026-06-30T18:00:00-05:00") == datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert parse_moment("2026-06-30T18:00:00") == datetime(2026, 6, 30, 18, tzinfo=UTC)
