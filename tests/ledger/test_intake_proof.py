"""Verify, the other half: the archive is what was received, and every row is accounted for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from obc_pipeline.home import Home
from obc_pipeline.intake.receive import receive
from obc_pipeline.intake.report import ContentReport, FileReport
from obc_pipeline.ledger.verify import verify


@pytest.fixture
def received(quick_path: Path) -> Home:
    """Two deliveries archived, one of them read: 5 records = 3 accepted + 1 quarantined + 1 duplicate."""
    home = Home(quick_path / "home")
    for name in ("a.csv", "b.csv"):
        path = home.landing / "nwea_map" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
        os.utime(path, (1_780_000_000, 1_780_000_000))
    receive(home, ["nwea_map"], received_at_from="file_time")
    save(home, rows_in=5)
    return home


def save(home: Home, rows_in: int) -> None:
    file = FileReport("f1", "t", None, "a.csv", "0" * 64, None, "READ", None, rows_in=rows_in, accepted=3, quarantined=1, duplicate=1)
    ContentReport("nwea_map", "0" * 64, "r", None, (file,)).save(home.file_reports / "nwea_map.json")


def test_all_is_counted(received: Home) -> None:
    found = verify(received)
    assert found.problems == ()
    assert found.archive is not None
    assert (found.archive.objects, found.archive.size_bytes, found.archive.receipts) == (2, 10, 2)
    assert found.rows is not None
    assert (found.rows.files, found.rows.rows_in, found.rows.accepted) == (1, 5, 3)


def an_object(home: Home) -> Path:
    return sorted(home.objects.glob("*/*"))[0]


def a_receipt(home: Home) -> Path:
    return sorted(home.deliveries.glob("*/*.json"))[0]


def rewrite(path: Path, content: str) -> None:
    path.chmod(0o600)
    path.write_text(content, encoding="utf-8")


def other_time(home: Home) -> None:
    path = a_receipt(home)
    rewrite(path, json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"received_at": "2026-01-01T00:00:00+00:00"}))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda home: rewrite(an_object(home), "X.csv"), "its bytes are not those that were received"),
        (lambda home: rewrite(an_object(home), "longer"), "the content it is for has another size"),
        (lambda home: an_object(home).unlink(), "the content it is for is not in the archive"),
        (lambda home: an_object(home).rename(an_object(home).with_name("f" * 64)), "its bytes are not those that were received"),
        (other_time, "what it says was changed"),
        (
            lambda home: a_receipt(home).rename(a_receipt(home).with_name("20260101T000000Z_0123456789abcdef.json")),
            "what it says was changed",
        ),
        (lambda home: rewrite(a_receipt(home), "{}"), "it is not a receipt"),
        (lambda home: save(home, rows_in=6), "f1: 6 records came in, but 3 accepted + 1 quarantined + 1 duplicate are not as many"),
        (lambda home: rewrite(home.file_reports / "nwea_map.json", "[]"), "it is not a report of a file"),
    ],
)
def test_what_is_wrong_is_named(received: Home, damage: Callable[[Home], object], words: str) -> None:
    damage(received)
    assert any(words in problem for problem in verify(received).problems)
    assert verify(received, with_intake=False).problems == ()
