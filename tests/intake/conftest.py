"""A home whose feeds are of five formats."""

from __future__ import annotations

from pathlib import Path

import pytest
from home_with_feeds import Feed, Intake

from obc_pipeline.home import Home


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    feeds = [
        Feed("map", "nwea_map"),
        Feed("star", "renaissance_star"),
        Feed("roster", "oneroster"),
        Feed("flags", "program_flags"),
        Feed("sessions", "tutoring_sessions", {"provider_id": "brightpath"}),
    ]
    return Intake(Home(tmp_path / "home"), {feed.name: feed for feed in feeds})
