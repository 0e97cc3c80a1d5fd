"""Two earlier school years of the tests that contracts pay on, when nobody was tutored: what growth is without tutoring.

The students are those of today, one or two grades lower, without those who came since, and with those who have left the district.
Only the grades and subjects that a contract prices, only fall and spring.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from obc_pipeline.synthetic.chance import Ints, stream
from obc_pipeline.synthetic.map_growth import MapTests, make_past_map_tests
from obc_pipeline.synthetic.people import FIRST_NAMES, GRADES_OF_LEVEL, LAST_NAMES, NEVER, Schools, Students
from obc_pipeline.synthetic.school_year import FIRST_DAY, ExportYear, SchoolYear
from obc_pipeline.synthetic.star_reading import StarTests, make_past_star_tests
from obc_pipeline.synthetic.tutoring import MATH, READING

YEARS_BACK = (2, 1)
_CAME_EACH_YEAR = 0.06
_LEFT_EACH_YEAR = 0.05


@dataclass(frozen=True)
class PastYear:
    """One earlier year. `students` are as they were; `ix` is each one's number in every table, today's where the student is still here."""

    year: ExportYear
    students: Students
    ix: Ints
    map_tests: MapTests
    star_tests: StarTests


def make_history(students: Students, schools: Schools, year: SchoolYear, seed: int) -> Iterator[PastYear]:
    """The earlier years, oldest first."""
    everybody, came, left = _with_leavers(students, schools, seed)
    for years_ago in YEARS_BACK:
        of = ExportYear(years_ago)
        grade = everybody.grade - years_ago
        was_here = (came >= years_ago) & (left < years_ago) & np.isin(grade, (*MATH.grades, *READING.grades))
        ix = np.flatnonzero(was_here).astype(np.int64)
        past = _as_they_were(everybody, ix, grade[ix], schools, of, seed)
        map_tests = make_past_map_tests(past, schools, year, of, MATH.grades, seed)
        yield PastYear(of, past, ix, map_tests, make_past_star_tests(past, schools, year, of, READING.grades, seed))


def _with_leavers(students: Students, schools: Schools, seed: int) -> tuple[Students, Ints, Ints]:
    """Today's students and behind them those who left, as they would be today. For each: of how many earlier years, counted back from
    last year, they were here at the latest (`came`), and of how many they were gone already (`left`)."""
    rng = stream(seed, "leavers")
    count = len(students)
    leavers = max(2, round(count * _LEFT_EACH_YEAR * len(YEARS_BACK)))
    like = rng.integers(0, count, leavers)
    new = {
        "number": int(students.number.max()) + 1 + np.arange(leavers),
        "state_number": int(students.state_number.max()) + 1 + np.arange(leavers),
        "first_name": rng.integers(0, len(FIRST_NAMES), leavers),
        "last_name": rng.integers(0, len(LAST_NAMES), leavers),
        "math": students.math[like] + rng.normal(0, 0.3, leavers),
        "reading": students.reading[like] + rng.normal(0, 0.3, leavers),
    }
    everybody = Students(
        **{
            part.name: np.append(getattr(students, part.name), new.get(part.name, getattr(students, part.name)[like]))
            for part in fields(Students)
        }
    )
    arrived_since = np.searchsorted([_CAME_EACH_YEAR, 2 * _CAME_EACH_YEAR], rng.random(count), side="right")
    came = np.append(arrived_since, np.full(leavers, len(YEARS_BACK)))
    left = np.append(np.zeros(count, dtype=np.int64), np.arange(leavers) % len(YEARS_BACK))
    return everybody, came, left


def _as_they_were(everybody: Students, ix: Ints, grade: Ints, schools: Schools, of: ExportYear, seed: int) -> Students:
    """Those students in that year: grade, school of the grade's level, and what they could do then."""
    rng = stream(seed, f"past students {of.end}")
    past = Students(**{part.name: getattr(everybody, part.name)[ix] for part in fields(Students)})
    past.grade = grade
    for level, grades in GRADES_OF_LEVEL.items():
        came_from = np.flatnonzero(np.isin(grade, list(grades)) & (schools.level[past.school] != level))
        past.school[came_from] = rng.choice(schools.of_level(level), len(came_from))
    past.next_school = past.school.copy()
    past.math = past.math + rng.normal(0, 0.15, len(ix))
    past.reading = past.reading + rng.normal(0, 0.15, len(ix))
    past.enters_on = np.full(len(ix), of.day(FIRST_DAY).toordinal(), dtype=np.int64)
    past.leaves_on = np.full(len(ix), NEVER, dtype=np.int64)
    past.moves_on = np.full(len(ix), NEVER, dtype=np.int64)
    return past
