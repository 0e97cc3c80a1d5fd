"""Homes for the ledger's tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from obc_pipeline import fingerprint
from tests.ledger.small_home import SmallHome


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's own hash and waiting for the disk cost more than all else here; test_interrupted_posting looks at the latter."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setattr(fingerprint, "code_digest", lambda: "c" * 64)
    monkeypatch.setattr("obc_pipeline.ledger.evidence.code_digest", lambda: "c" * 64)


@pytest.fixture
def small(tmp_path: Path) -> SmallHome:
    return SmallHome(tmp_path / "home")
