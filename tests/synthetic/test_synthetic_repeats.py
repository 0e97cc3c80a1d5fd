"""The same arguments give the same bytes and the same file times, whatever the day, the folder or the time zone."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from obc_pipeline.synthetic import generate


def fingerprints(home: Path) -> dict[str, tuple[str, int]]:
    """Name -> content hash and modification time, of everything in the home."""
    found = {}
    for path in sorted(home.rglob("*")):
        if path.is_file():
            moment = int(path.stat().st_mtime) if "landing" in path.parts else 0
            found[path.relative_to(home).as_posix()] = (hashlib.sha256(path.read_bytes()).hexdigest(), moment)
    return found


def test_the_same_seed_gives_the_same_bytes_in_another_time_zone(
    messy_district: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati" if os.environ.get("TZ") != "Pacific/Kiritimati" else "UTC")
    time.tzset()
    try:
        generate(tmp_path / "again", 1_000, seed=12, messy=True)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert fingerprints(tmp_path / "again") == fingerprints(messy_district)


def test_another_seed_gives_other_students(clean_district: Path, tmp_path: Path) -> None:
    generate(tmp_path / "other", 2_000, seed=13)
    ours, others = fingerprints(clean_district), fingerprints(tmp_path / "other")
    same = {name for name in ours if name.startswith("landing/") and others.get(name, ("",))[0] == ours[name][0]}
    # What nobody's chance decides: the calendar, the meetings and the stories of the action log. Small lists may come out alike.
    assert {"school_calendar"} <= {name.split("/")[1] for name in same} <= {"school_calendar", "ci_meeting", "ci_action", "cost"}


def test_files_arrive_in_the_school_year_and_none_in_the_future_of_the_as_of_date(clean_district: Path) -> None:
    arrivals = [moment for name, (_, moment) in fingerprints(clean_district).items() if name.startswith("landing/")]
    assert min(arrivals) >= 1_754_000_000  # 2025-07-31
    assert max(arrivals) < 1_782_777_600  # 2026-06-30


def test_nothing_of_somebodys_home_is_overwritten(clean_district: Path) -> None:
    before = fingerprints(clean_district)
    with pytest.raises(FileExistsError, match="not empty"):
        generate(clean_district, 2_000, seed=14)
    assert fingerprints(clean_district) == before


def test_a_district_too_small_for_two_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 1,000"):
        generate(tmp_path / "tiny", 200, seed=1)
    assert not (tmp_path / "tiny").exists()


def test_two_thousand_students_take_seconds(tmp_path: Path) -> None:
    started = time.perf_counter()
    generate(tmp_path / "fast", 2_000, seed=15)
    assert time.perf_counter() - started < 30  # about 2 s alone on one core
