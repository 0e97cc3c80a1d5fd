"""Homes for the ledger's tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.small_home import IN_MEMORY, SmallHome, make_quick


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    make_quick(monkeypatch)


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """A folder like tmp_path, in memory where there is such a place."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
def small(quick_path: Path) -> SmallHome:
    return SmallHome(quick_path / "home")
