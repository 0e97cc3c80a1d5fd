"""The school year 2025-2026 of Cedar Valley: days in session, holidays, the snow week, test windows, the service dates.

The windows and service dates are those of the example district's contracts, which a test holds against this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

import numpy as np

from obc_pipeline.synthetic.chance import Bools, Ints

SCHOOL_YEAR_END = 2026
SCHOOL_YEAR = "2025-2026"
DISTRICT_ID = "2800001"
DISTRICT_NAME = "Cedar Valley School District"

FIRST_DAY = date(2025, 8, 11)
LAST_DAY = date(2026, 6, 5)
SERVICE_START = date(2025, 10, 6)
SERVICE_END = date(2026, 5, 15)
WINDOWS = {
    "FALL": (date(2025, 8, 18), date(2025, 10, 3)),
    "WINTER": (date(2026, 1, 5), date(2026, 2, 6)),
    "SPRING": (date(2026, 4, 20), date(2026, 5, 29)),
}
ILLNESS_WAVE = (date(2026, 2, 9), date(2026, 2, 20))

# Time is set back on the first Sunday of November, and ahead in March: days between these are an hour later in UTC.
WINTER_TIME = (date(2025, 11, 2), date(2026, 3, 7))
_WEEKS_IN_YEAR = 52

_HOLIDAYS = {
    date(2025, 9, 1): "Labor Day",
    date(2025, 11, 11): "Veterans Day",
    date(2026, 1, 19): "Martin Luther King Jr. Day",
    date(2026, 2, 16): "Presidents' Day",
    date(2026, 4, 3): "Spring holiday",
    date(2026, 5, 25): "Memorial Day",
}
_BREAKS = (
    (date(2025, 10, 9), date(2025, 10, 10), "Fall break"),
    (date(2025, 11, 24), date(2025, 11, 28), "Thanksgiving break"),
    (date(2025, 12, 22), date(2026, 1, 2), "Winter break"),
    (date(2026, 3, 16), date(2026, 3, 20), "Spring break"),
)
_STAFF_DAYS = (date(2025, 10, 31), date(2026, 1, 5), date(2026, 3, 13))
_ASSESSMENT_DAYS = (date(2025, 9, 9), date(2026, 1, 14), date(2026, 4, 28), date(2026, 4, 29), date(2026, 5, 5))
SNOW_WEEK = (date(2026, 1, 26), date(2026, 1, 30))


@dataclass(frozen=True)
class Day:
    """One weekday of the school year, as the calendar file has it."""

    on: date
    is_in_session: bool
    day_type: str
    note: str


class SchoolYear:
    """The district's calendar and its days in session as arrays."""

    @cached_property
    def days(self) -> list[Day]:
        """Every weekday from the first day to the last, after the snow week was lost."""
        return [self._day(on, knows_snow=True) for on in self._weekdays()]

    @cached_property
    def planned_days(self) -> list[Day]:
        """The same as it was planned in summer: without the snow."""
        return [self._day(on, knows_snow=False) for on in self._weekdays()]

    @cached_property
    def in_session(self) -> list[date]:
        """The days on which school was held, in order; their position is the day number used everywhere else."""
        return [day.on for day in self.days if day.is_in_session]

    @cached_property
    def ordinals(self) -> Ints:
        """The days in session as proleptic ordinals."""
        return np.array([on.toordinal() for on in self.in_session], dtype=np.int64)

    @cached_property
    def weekdays(self) -> Ints:
        """Monday 0 to Friday 4 for each day in session."""
        return np.array([on.weekday() for on in self.in_session], dtype=np.int64)

    @cached_property
    def assessment_ordinals(self) -> Ints:
        """Days in session that are given over to tests: no tutoring."""
        return np.array([day.on.toordinal() for day in self.days if day.day_type == "ASSESSMENT_DAY"], dtype=np.int64)

    @cached_property
    def tutoring_plan(self) -> list[date]:
        """Days within the service dates on which sessions were planned in summer: snow was not known, assessment days were."""
        return [
            day.on
            for day in self.planned_days
            if day.is_in_session and day.day_type != "ASSESSMENT_DAY" and SERVICE_START <= day.on <= SERVICE_END
        ]

    def day_number(self, on: Ints) -> Ints:
        """The position of the first day in session on or after each ordinal (the last day, past the end)."""
        return np.minimum(np.searchsorted(self.ordinals, on), len(self.ordinals) - 1)

    def is_in_session(self, on: Ints) -> Bools:
        """Whether school was held on each ordinal."""
        return np.isin(on, self.ordinals)

    def window_days(self, window: str) -> Ints:
        """The ordinals of the days in session inside a test window."""
        opens, closes = WINDOWS[window]
        return self.ordinals[(self.ordinals >= opens.toordinal()) & (self.ordinals <= closes.toordinal())]

    def _weekdays(self) -> list[date]:
        span = (LAST_DAY - FIRST_DAY).days
        return [on for on in (FIRST_DAY + timedelta(days=n) for n in range(span + 1)) if on.weekday() < 5]

    def _day(self, on: date, *, knows_snow: bool) -> Day:
        if on in _HOLIDAYS:
            return Day(on, False, "HOLIDAY", _HOLIDAYS[on])
        for first, last, name in _BREAKS:
            if first <= on <= last:
                return Day(on, False, "BREAK", name)
        if on in _STAFF_DAYS:
            return Day(on, False, "STAFF_DAY", "Teachers' work day")
        if knows_snow and SNOW_WEEK[0] <= on <= SNOW_WEEK[1]:
            return Day(on, False, "CLOSURE", "Snow and ice")
        if on in _ASSESSMENT_DAYS:
            return Day(on, True, "ASSESSMENT_DAY", "Testing")
        return Day(on, True, "INSTRUCTIONAL", "")


@dataclass(frozen=True)
class ExportYear:
    """The year that a publisher's export is of: this one, or an earlier one, whose days are this year's 52 weeks before."""

    years_ago: int = 0

    @property
    def end(self) -> int:
        """The year in which it ends."""
        return SCHOOL_YEAR_END - self.years_ago

    @property
    def label(self) -> str:
        """Such as 2025-2026."""
        return f"{self.end - 1}-{self.end}"

    @property
    def windows(self) -> dict[str, tuple[date, date]]:
        """First and last day of each test window."""
        return {name: (self.day(opens), self.day(closes)) for name, (opens, closes) in WINDOWS.items()}

    @property
    def days_back(self) -> int:
        """Days from one of its days to the day of this year that answers to it, of the same weekday."""
        return 7 * _WEEKS_IN_YEAR * self.years_ago

    def day(self, this_year: date) -> date:
        """The day of that year that answers to a day of this one."""
        return this_year - timedelta(days=self.days_back)

    def table(self, name: str) -> str:
        """The DuckDB table of that year: `student`, `student_2025`."""
        return name if self.years_ago == 0 else f"{name}_{self.end}"


THIS_YEAR = ExportYear()


def at(on: date, hour: int, minute: int = 0) -> datetime:
    """A moment in UTC (without zone object: files and their times are all UTC here)."""
    return datetime(on.year, on.month, on.day, hour, minute)
