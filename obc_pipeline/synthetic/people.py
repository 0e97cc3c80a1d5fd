"""Schools and students: who they are, what they can do, when they come, move and leave. All names and numbers are invented."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from obc_pipeline.synthetic.chance import Bools, Floats, Ints, stream, true_with
from obc_pipeline.synthetic.school_year import FIRST_DAY, LAST_DAY, SchoolYear


def _names(line: str) -> tuple[str, ...]:
    return tuple(line.split())


NEVER = 10_000_000  # an ordinal far past the school year: has not left, has not moved
LEVELS = ("elementary", "middle", "high")
GRADES_OF_LEVEL = {0: range(6), 1: range(6, 9), 2: range(9, 13)}
_SCHOOLS_PER_10_000 = (11, 4, 3)
_LEAST_SCHOOLS = (2, 2, 1)

_PLACES = _names(
    "Aspen Birch Cedar Dogwood Elm Foxglove Garnet Hawthorn Ironwood Juniper Kestrel Larch Maple Northfield Oakridge Pinecrest Quarry "
    "Redbud Sycamore Tamarack Upland Valley Willow Yarrow Zinnia"
)
_KINDS = ("Elementary School", "Middle School", "High School")
FIRST_NAMES = _names(
    "Ada Amir Ana Andre Bao Bea Caleb Carmen Chidi Dana Dario Dee Elena Eli Emeka Farah Finn Gia Gus Hana Hugo Ines Isaac Ivy Jada Jamal "
    "Joon Kai Kira Lan Leo Lila Luis Maya Mei Milo Nadia Noor Omar Paz Quinn Rafa Rosa Sana Sol Tariq Tess Uma Vera Wren Xavi Yara Zeke Zoe"
)
LAST_NAMES = _names(
    "Abara Adler Baptiste Barrow Castell Chen Cruz Dahl Diallo Ekwueme Esparza Farrow Fontaine Garza Gill Haddad Hale Ibarra Ito Jemison Jung "
    "Kamara Keller Lacroix Lam Marsh Medina Nakai Nash O'Dell Okafor Pardo Price Quiroz Rahman Reyes Salas Singh Tran Tull Ueda Vance Vega "
    "Walsh Whitfield Xiong Yates Young Zamora Zell"
)
RACES = ("hispanic", "black", "white", "asian", "multiple", "native")
_RACE_SHARES = (0.28, 0.32, 0.29, 0.04, 0.06, 0.01)


@dataclass(frozen=True)
class Schools:
    """One entry per school. `absence` multiplies its students' absence rates; `ability` shifts their scores (in SD)."""

    school_ids: list[str]
    names: list[str]
    level: Ints
    absence: Floats
    ability: Floats

    def of_level(self, level: int) -> Ints:
        """The positions of the schools of a level (0 elementary, 1 middle, 2 high)."""
        return np.flatnonzero(self.level == level)

    @property
    def skipping_school(self) -> int:
        """The middle school whose students are in school but not in their tutoring session."""
        return int(self.of_level(1)[1])

    @property
    def turnover_school(self) -> int:
        """The middle school whose tutors change in the middle of the year."""
        return int(self.of_level(1)[0])


@dataclass
class Students:
    """One entry per student of the year, in an order that means nothing. Dates are ordinals; `leaves_on` is exclusive."""

    number: Ints
    state_number: Ints
    grade: Ints
    school: Ints
    next_school: Ints
    first_name: Ints
    last_name: Ints
    is_female: Bools
    race: Ints
    born_on: Ints
    is_el: Bools
    has_iep: Bools
    is_disadvantaged: Bools
    math: Floats
    reading: Floats
    absence_rate: Floats
    enters_on: Ints
    leaves_on: Ints
    moves_on: Ints
    is_rostered: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def __len__(self) -> int:
        return len(self.number)

    def school_on(self, student: Ints, on: Ints) -> Ints:
        """The school each student goes to on each ordinal."""
        return np.where(on >= self.moves_on[student], self.next_school[student], self.school[student])

    def is_enrolled(self, student: Ints, on: Ints) -> Bools:
        """Whether each student is enrolled on each ordinal."""
        return (on >= self.enters_on[student]) & (on < self.leaves_on[student])


def make_schools(students: int, seed: int) -> Schools:
    """About 18 schools per 10,000 students; at least two elementary, two middle and one high."""
    rng = stream(seed, "schools")
    names, levels = [], []
    for level, (per, least) in enumerate(zip(_SCHOOLS_PER_10_000, _LEAST_SCHOOLS, strict=True)):
        for number in range(max(least, round(per * students / 10_000))):
            again, place = divmod(number + 7 * level, len(_PLACES))
            names.append(f"{_PLACES[place]}{f' {again + 1}' if again else ''} {_KINDS[level]}")
            levels.append(level)
    count = len(names)
    return Schools(
        school_ids=[_school_id(level, position) for level, position in _numbered(levels)],
        names=names,
        level=np.array(levels, dtype=np.int64),
        absence=np.clip(rng.normal(1.0, 0.25, count), 0.6, 1.7),
        ability=rng.normal(0.0, 0.22, count),
    )


def _numbered(levels: list[int]) -> list[tuple[int, int]]:
    seen: dict[int, int] = {}
    numbered = []
    for level in levels:
        seen[level] = seen.get(level, 0) + 1
        numbered.append((level, seen[level]))
    return numbered


def _school_id(level: int, position: int) -> str:
    """'0101' for the first elementary school; past 99 of a level the number grows into the next thousand: '1100'."""
    return f"{(level + 1) * 100 + position:04d}" if position < 100 else f"{(level + 1) * 1000 + position:04d}"


def make_students(students: int, schools: Schools, seed: int) -> Students:
    """Every student of the year: grades K-12 evenly, schools of unequal size, scores that follow school and home."""
    rng = stream(seed, "students")
    grade = rng.permutation(np.arange(students, dtype=np.int64) % 13)
    school = _assign_schools(rng, grade, schools)
    race = rng.choice(len(RACES), size=students, p=_RACE_SHARES).astype(np.int64)
    disadvantaged = true_with(rng, np.where(race == 2, 0.42, 0.66), students)
    el = true_with(rng, np.where(race == 0, 0.38, np.where(race == 3, 0.25, 0.02)), students)
    iep = true_with(rng, 0.13, students)
    shared = rng.normal(0, 0.75, students) + schools.ability[school] - 0.30 * disadvantaged - 0.45 * iep + 0.22
    numbers = rng.permutation(max(900_000, 4 * students))[:students]
    absence = np.clip(rng.gamma(2.2, 0.020, students) * schools.absence[school] * (1 + 0.35 * disadvantaged), 0.002, 0.45)
    return Students(
        number=numbers + 100_000,
        state_number=2_800_000_000 + rng.permutation(max(900_000, 4 * students))[:students],
        grade=grade,
        school=school,
        next_school=school.copy(),
        first_name=rng.integers(0, len(FIRST_NAMES), students),
        last_name=rng.integers(0, len(LAST_NAMES), students),
        is_female=true_with(rng, 0.49, students),
        race=race,
        born_on=FIRST_DAY.toordinal() - ((5 + grade) * 365.25).astype(np.int64) - rng.integers(1, 365, students),
        is_el=el,
        has_iep=iep,
        is_disadvantaged=disadvantaged,
        math=shared + rng.normal(0, 0.55, students),
        reading=shared + rng.normal(0, 0.55, students) - 0.45 * el,
        absence_rate=absence,
        enters_on=np.full(students, FIRST_DAY.toordinal(), dtype=np.int64),
        leaves_on=np.full(students, NEVER, dtype=np.int64),
        moves_on=np.full(students, NEVER, dtype=np.int64),
        is_rostered=np.zeros(students, dtype=bool),
    )


def _assign_schools(rng: np.random.Generator, grade: Ints, schools: Schools) -> Ints:
    school = np.zeros(len(grade), dtype=np.int64)
    for level, grades in GRADES_OF_LEVEL.items():
        members = np.flatnonzero(np.isin(grade, list(grades)))
        of_level = schools.of_level(level)
        sizes = rng.uniform(0.7, 1.3, len(of_level))
        school[members] = rng.choice(of_level, size=len(members), p=sizes / sizes.sum())
        school[members[: len(of_level)]] = of_level[: len(members)]  # nobody's school is empty, however small the district
    return school


def let_people_move(students: Students, schools: Schools, year: SchoolYear, seed: int) -> None:
    """Arrivals, departures and moves between schools among those who are on no contract's roster (3 % each, 4 % leave)."""
    rng = stream(seed, "movement")
    free = rng.permutation(np.flatnonzero(~students.is_rostered))
    arrivals, leavers, movers = np.split(free[: round(len(free) * 0.10)], [round(len(free) * 0.03), round(len(free) * 0.07)])
    first, last = FIRST_DAY.toordinal() + 35, LAST_DAY.toordinal() - 65
    school_days = year.ordinals[(year.ordinals >= first) & (year.ordinals <= last)]
    students.enters_on[arrivals] = rng.choice(school_days, len(arrivals))
    students.leaves_on[leavers] = rng.choice(school_days, len(leavers))
    for level in range(len(LEVELS)):
        of_level = schools.of_level(level)
        if len(of_level) < 2:
            continue
        here = movers[schools.level[students.school[movers]] == level]
        step = rng.integers(1, len(of_level), len(here))
        position = np.searchsorted(of_level, students.school[here])
        students.next_school[here] = of_level[(position + step) % len(of_level)]
        students.moves_on[here] = rng.choice(school_days, len(here))
