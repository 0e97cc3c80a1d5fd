"""Who was absent from school on which day: the truth behind the SIS attendance export."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from obc_pipeline.synthetic.chance import Bools, Floats, Ints, stream
from obc_pipeline.synthetic.people import Schools, Students
from obc_pipeline.synthetic.school_year import ILLNESS_WAVE, SchoolYear

# Codes as the example district's data map explains them.
PRESENT_CODE, UNEXCUSED, EXCUSED, HALF_DAY, TARDY, LEFT_EARLY, ACTIVITY = range(7)
CODES = ("", "A", "E", "H", "T", "L", "S")
PRESENCE = ("", "Absent", "Absent", "Absent", "Present", "Present", "Present")
_ROWS_AT_ONCE = 20_000  # students: bounds memory


@dataclass(frozen=True)
class SchoolAttendance:
    """`code[student, day number]`: 0 for present or not enrolled, else a position in CODES."""

    code: np.ndarray

    def is_absent(self, student: Ints, day_number: Ints) -> Bools:
        """Absent all day, by student and day number."""
        return np.isin(self.code[student, day_number], (UNEXCUSED, EXCUSED))


def make_attendance(students: Students, schools: Schools, year: SchoolYear, seed: int) -> SchoolAttendance:
    """Absences rise on Mondays and Fridays, before breaks, and nearly threefold in the illness wave of February."""
    rng = stream(seed, "school attendance")
    day_factor = _day_factors(year)
    code = np.zeros((len(students), len(year.ordinals)), dtype=np.int8)
    for first in range(0, len(students), _ROWS_AT_ONCE):
        block = slice(first, min(first + _ROWS_AT_ONCE, len(students)))
        code[block] = _codes(rng, students.absence_rate[block], day_factor)
        enrolled = (year.ordinals >= students.enters_on[block, None]) & (year.ordinals < students.leaves_on[block, None])
        code[block][~enrolled] = PRESENT_CODE
    return SchoolAttendance(code)


def _day_factors(year: SchoolYear) -> Floats:
    factor = np.where(np.isin(year.weekdays, (0, 4)), 1.18, 0.90)
    gap_after = np.append(np.diff(year.ordinals), 30)
    factor = np.where(gap_after > 3, factor * 1.35, factor)
    wave = (year.ordinals >= ILLNESS_WAVE[0].toordinal()) & (year.ordinals <= ILLNESS_WAVE[1].toordinal())
    return np.where(wave, factor * 2.8, factor)


def _codes(rng: np.random.Generator, absence_rate: Floats, day_factor: Floats) -> np.ndarray:
    size = (len(absence_rate), len(day_factor))
    chance = np.minimum(absence_rate[:, None] * day_factor[None, :], 0.75).astype(np.float32)
    draw = rng.random(size, dtype=np.float32)
    kind = rng.random(size, dtype=np.float32)
    absent = np.where(kind < 0.46, UNEXCUSED, np.where(kind < 0.93, EXCUSED, HALF_DAY)).astype(np.int8)
    here = np.where(kind < 0.014, TARDY, np.where(kind < 0.018, LEFT_EARLY, np.where(kind < 0.020, ACTIVITY, PRESENT_CODE))).astype(np.int8)
    return np.where(draw < chance, absent, here)
