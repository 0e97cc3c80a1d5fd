"""Freshness as of a date: periodic feeds by their period, tests by their windows, what comes as needed never late."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obc_pipeline.quality.freshness import PERIOD_DAYS, Feed, Window, judge

WINDOWS = (Window("FALL", date(2025, 10, 3)), Window("SPRING", date(2026, 5, 29)))


def feed(frequency: str, arrived: datetime | None, *, delay: int = 2, windows: tuple[Window, ...] = ()) -> Feed:
    rows = 100 if arrived else 0
    return Feed("s", "f", frequency, delay, windows, date(2025, 10, 6), date(2026, 5, 15), ("C",), arrived, rows)


@pytest.mark.parametrize(
    ("as_of", "arrived", "is_fresh", "due_on"),
    [
        (date(2025, 10, 17), None, None, date(2025, 10, 17)),  # the due date itself has not passed
        (date(2025, 10, 18), None, False, date(2025, 10, 17)),
        (date(2025, 10, 18), datetime(2025, 10, 2), False, date(2025, 10, 17)),  # came before the window closed: tests may be missing
        (date(2025, 10, 18), datetime(2025, 10, 3), True, date(2025, 10, 17)),
        (date(2026, 6, 1), datetime(2025, 10, 10), True, date(2025, 10, 17)),  # spring has closed but is not due yet
        (date(2026, 6, 30), datetime(2025, 10, 10), False, date(2026, 6, 12)),
        (date(2026, 6, 30), datetime(2026, 6, 11), True, date(2026, 6, 12)),
    ],
)
def test_a_test_is_judged_by_its_windows(as_of: date, arrived: datetime | None, is_fresh: bool | None, due_on: date) -> None:
    found = judge(feed("PER_WINDOW", arrived, delay=14, windows=WINDOWS), as_of)
    assert (found.is_fresh, found.due_on) == (is_fresh, due_on)
    assert found.is_overdue_first == (arrived is None and is_fresh is False)


@pytest.mark.parametrize(
    ("as_of", "arrived", "is_fresh"),
    [
        (date(2025, 10, 15), None, None),
        (date(2025, 10, 16), None, False),
        (date(2025, 11, 10), datetime(2025, 11, 1), True),
        (date(2025, 11, 11), datetime(2025, 11, 1), False),
        (date(2026, 6, 30), datetime(2026, 5, 14), True),  # after the last day of service nothing more is due
        (date(2026, 6, 30), datetime(2026, 5, 1), False),  # the last weeks of service never came
    ],
)
def test_a_weekly_feed_is_judged_by_its_week(as_of: date, arrived: datetime | None, is_fresh: bool | None) -> None:
    assert judge(feed("WEEKLY", arrived), as_of).is_fresh is is_fresh


def test_a_yearly_calendar_is_needed_when_service_begins() -> None:
    assert judge(feed("YEARLY", None), date(2025, 10, 9)).is_overdue_first
    assert not judge(feed("YEARLY", None), date(2025, 10, 8)).is_overdue_first
    assert judge(feed("YEARLY", datetime(2025, 8, 1)), date(2026, 6, 30)).is_fresh


def test_what_comes_as_needed_is_never_late_but_must_have_come_once() -> None:
    assert judge(feed("AS_NEEDED", datetime(2024, 1, 1)), date(2026, 6, 30)).is_fresh is None
    assert judge(feed("AS_NEEDED", None), date(2025, 10, 6)).is_overdue_first
    assert not judge(feed("AS_NEEDED", None), date(2025, 10, 5)).is_overdue_first


@given(
    frequency=st.sampled_from([*PERIOD_DAYS, "PER_WINDOW"]),
    arrived=st.datetimes(datetime(2025, 8, 1), datetime(2026, 7, 31)),
    later_by=st.integers(0, 60),
    as_of=st.dates(date(2025, 8, 1), date(2026, 7, 31)),
)
def test_a_later_arrival_never_makes_a_feed_staler(frequency: str, arrived: datetime, later_by: int, as_of: date) -> None:
    windows = WINDOWS if frequency == "PER_WINDOW" else ()
    before = judge(feed(frequency, arrived, windows=windows), as_of).is_fresh
    after = judge(feed(frequency, arrived + timedelta(days=later_by), windows=windows), as_of).is_fresh
    assert not (before is True and after is False)
