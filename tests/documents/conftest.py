"""The example district's documents, to spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from spoiled_documents import Spoiled

from obc_pipeline.documents.starting import EXAMPLE_DISTRICT
from obc_pipeline.home import Home


@pytest.fixture
def spoiled(tmp_path: Path) -> Spoiled:
    shutil.copytree(EXAMPLE_DISTRICT, tmp_path / "home")
    return Spoiled(Home(tmp_path / "home"))
