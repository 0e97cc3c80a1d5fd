"""What happened around the programs: the snow week, flu-like illness by school and week, and late buses, which have to do with nothing.

The illness rates follow from the absences that were generated: in the wave most of them are of that kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from obc_pipeline.synthetic import headers
from obc_pipeline.synthetic.attendance import EXCUSED, UNEXCUSED, SchoolAttendance
from obc_pipeline.synthetic.chance import Floats, stream
from obc_pipeline.synthetic.landing import Landing, csv_bytes
from obc_pipeline.synthetic.people import Schools, Students
from obc_pipeline.synthetic.school_year import ILLNESS_WAVE, SNOW_WEEK, SchoolYear

_FIRST_WEEK, _LAST_WEEK = date(2025, 10, 6), date(2026, 5, 25)
_ARRIVALS = (datetime(2026, 2, 3, 14, 30), datetime(2026, 6, 8, 14, 30))
_ILL_SHARE, _ILL_SHARE_IN_WAVE = 0.12, 0.58  # of all absences


@dataclass(frozen=True)
class Factor:
    """One row of the file. `school_id` is blank for all schools, `value` None for an event."""

    factor_id: str
    factor: str
    kind: str
    school_id: str
    starts_on: date
    ends_on: date
    value: str | None
    unit: str


def make_factors(students: Students, schools: Schools, attendance: SchoolAttendance, year: SchoolYear, seed: int) -> list[Factor]:
    """The snow week for all, then both rates for every week with school and every school."""
    factors = [Factor("SNOW-2026", "Snow and ice", "EVENT", "", *SNOW_WEEK, None, "")]
    rng = stream(seed, "external factors")
    for monday, friday, share in _absent_by_week(students, schools, attendance, year):
        in_wave = ILLNESS_WAVE[0] <= monday <= ILLNESS_WAVE[1]
        ill = share * (_ILL_SHARE_IN_WAVE if in_wave else _ILL_SHARE) * rng.uniform(0.85, 1.15, len(share))
        late = rng.gamma(2.0, 0.02, len(share))
        for school, school_id in enumerate(schools.school_ids):
            factors.append(
                _rate("ILI-2026", "Flu-like illness", school_id, monday, friday, ill[school], "share of students absent with it")
            )
            factors.append(_rate("BUS-2026", "Late buses", school_id, monday, friday, late[school], "share of bus runs"))
    return factors


def _rate(factor_id: str, factor: str, school_id: str, monday: date, friday: date, value: float, unit: str) -> Factor:
    return Factor(factor_id, factor, "RATE", school_id, monday, friday, f"{value:.4f}", unit)


def _absent_by_week(
    students: Students, schools: Schools, attendance: SchoolAttendance, year: SchoolYear
) -> Iterator[tuple[date, date, Floats]]:
    """Monday, Friday and the share of students absent on a day, by school, for every week in which school was held."""
    pupils = np.bincount(students.school, minlength=len(schools.names))
    monday = _FIRST_WEEK
    while monday <= _LAST_WEEK:
        friday = monday + timedelta(days=4)
        days = np.flatnonzero((year.ordinals >= monday.toordinal()) & (year.ordinals <= friday.toordinal()))
        if len(days):
            absent = np.isin(attendance.code[:, days], (UNEXCUSED, EXCUSED)).sum(axis=1)
            yield monday, friday, np.bincount(students.school, weights=absent, minlength=len(pupils)) / (np.maximum(pupils, 1) * len(days))
        monday += timedelta(days=7)


def write_factors(landing: Landing, factors: Sequence[Factor]) -> None:
    """What was known by February, and the whole year."""
    for arrived_at in _ARRIVALS:
        rows = [tuple(vars(factor).values()) for factor in factors if factor.ends_on < arrived_at.date()]
        landing.put("external_factors", f"external_factors_{arrived_at:%Y%m%d}.csv", arrived_at, csv_bytes(headers.EXTERNAL_FACTORS, rows))
