"""Synthetic districts, made once per session: generating is deterministic, and nothing here changes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from obc_pipeline.synthetic import generate


@pytest.fixture(scope="session")
def clean_district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 students, nothing wrong."""
    home = tmp_path_factory.mktemp("clean") / "home"
    generate(home, 2_000, seed=11)
    return home


@pytest.fixture(scope="session")
def messy_district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,000 students, and one of everything that senders get wrong."""
    home = tmp_path_factory.mktemp("messy") / "home"
    generate(home, 1_000, seed=12, messy=True)
    return home
