"""Dates and moments as people write them on the command line and in Dagster's launchpad."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from obc_pipeline.errors import ArgumentWrong


def parse_date(text: str | None) -> date | None:
    """`2026-06-30`; None for nothing. Raises ArgumentWrong."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentWrong(f"{text!r} is not a date; 2026-06-30 would be right") from None


def parse_moment(text: str | None) -> datetime | None:
    """`2026-06-30T18:00:00Z`, UTC unless it says otherwise; a date alone means its end. None for nothing. Raises ArgumentWrong."""
    if not text:
        return None
    try:
        if len(text) == len("2026-06-30"):
            return datetime.combine(date.fromisoformat(text), time(23, 59, 59), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentWrong(f"{text!r} is not a moment; 2026-06-30T18:00:00Z would be right") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
