"""Homes for the tests of statements."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from obc_pipeline import fingerprint
from tests.ledger.small_home import SmallHome
from tests.reports.small_statement import EXAMPLE, FIRST, ReportHome


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing the program and waiting for the disk cost more than all else here."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setattr(fingerprint, "code_digest", lambda: "c" * 64)
    monkeypatch.setattr("obc_pipeline.ledger.evidence.code_digest", lambda: "c" * 64)


@pytest.fixture
def district(tmp_path: Path) -> ReportHome:
    """The example district with its first run done."""
    path = tmp_path / "home"
    shutil.copytree(EXAMPLE, path)
    made = ReportHome(SmallHome(path))
    made.run(FIRST)
    return made
