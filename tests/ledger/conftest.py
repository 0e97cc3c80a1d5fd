"""Homes for the ledger's tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from obc_pipeline import fingerprint
from tests.ledger.small_home import IN_MEMORY, SmallHome


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's own hash and waiting for the disk cost more than all else here; test_interrupted_posting looks at the latter."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setattr(fingerprint, "code_digest", lambda: "c" * 64)
    monkeypatch.setattr("obc_pipeline.ledger.evidence.code_digest", lambda: "c" * 64)


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """A folder like tmp_path, in memory where there is such a place."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
def small(quick_path: Path) -> SmallHome:
    return SmallHome(quick_path / "home")
