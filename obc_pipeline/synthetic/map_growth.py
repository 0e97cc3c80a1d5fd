"""MAP Growth results: who tested when, what they scored, how much they grew, as the publisher would compute it.

The index and percentile of growth follow from the printed columns: CGI = (observed - projected) / SD, CGP = round(100 * Phi(CGI)).
Norm means are rounded, in the region of the published 2020 norms; the standard deviations of growth are our own choice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from obc_pipeline.synthetic.attendance import SchoolAttendance
from obc_pipeline.synthetic.chance import Bools, Floats, Ints, hundredths, percentile, pick, score_at, stream, true_with
from obc_pipeline.synthetic.people import Schools, Students
from obc_pipeline.synthetic.school_year import LAST_DAY, SERVICE_START, WINDOWS, ExportYear, SchoolYear
from obc_pipeline.synthetic.tutoring import OPEN_END, Tutoring

TERMS = ("FALL", "WINTER", "SPRING")
PAIRS = ("FallToFall", "FallToWinter", "FallToSpring", "WinterToWinter", "WinterToSpring", "SpringToSpring")
PAIR_END = (0, 1, 2, 1, 2, 2)
_WITHIN_YEAR = {1: (0, 1), 2: (0, 2), 4: (1, 2)}
PAIR_SD = (6.6, 5.2, 6.1, 6.4, 5.3, 6.3)


@dataclass(frozen=True)
class Course:
    """A tested subject, as `Subject` and `Course` name it, with norm means for grades 2-10 at the three terms."""

    subject: str
    name: str
    grades: tuple[int, ...]
    means: tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]
    sd: tuple[float, ...]
    is_math: bool


_MATH = (
    (175.0, 188.5, 199.6, 209.1, 214.8, 220.2, 224.9, 226.4, 229.1),
    (184.1, 196.2, 206.1, 214.7, 219.6, 223.9, 228.1, 228.7, 230.7),
    (189.4, 201.1, 210.5, 218.8, 222.9, 226.7, 230.3, 230.3, 232.4),
)
_READING = (
    (172.4, 186.6, 196.7, 204.5, 210.2, 214.2, 218.0, 218.9, 221.5),
    (181.2, 193.9, 202.5, 209.1, 213.8, 217.1, 220.5, 220.5, 222.9),
    (185.6, 197.1, 204.8, 211.0, 215.4, 218.4, 221.7, 221.4, 223.5),
)
_LANGUAGE = (
    (174.0, 188.0, 197.0, 204.0, 209.5, 213.5, 216.8, 218.0, 220.0),
    (182.0, 194.5, 202.2, 208.1, 212.7, 216.2, 219.1, 219.8, 221.5),
    (186.5, 197.6, 204.6, 210.0, 214.2, 217.4, 220.1, 220.8, 222.3),
)
_SD = (14.2, 14.4, 15.0, 15.8, 16.1, 16.6, 17.4, 18.4, 18.9)
COURSES = (
    Course("Mathematics", "Math K-12", tuple(range(2, 11)), _MATH, _SD, True),
    Course("Language Arts", "Reading", tuple(range(2, 11)), _READING, _SD, False),
    Course("Language Arts", "Language Usage", tuple(range(3, 9)), _LANGUAGE, _SD, False),
)


@dataclass
class MapTests:
    """One entry per test event. Growth arrays have one row per pair; `has_growth` says where they hold a value."""

    student: Ints
    course: Ints
    term: Ints
    is_growth_event: Bools
    on: Ints
    rit: Ints
    standard_error_tenths: Ints
    rapid_guessing: Ints  # in hundredths of a percent: 3000 is 30 %
    percentile: Ints
    projected_tenths: Ints
    observed: Ints
    index_hundredths: Ints
    growth_percentile: Ints
    has_growth: Bools
    typical: Ints

    def __len__(self) -> int:
        return len(self.student)


@dataclass
class _Year:
    """One course's tested students: everything per student, `taken` and `on` per term too."""

    course: int
    student: Ints
    grade_row: Ints
    taken: Bools
    is_outside: Bools
    on: Ints
    rit: Ints = field(default_factory=lambda: np.zeros((3, 0), dtype=np.int64))
    projected: Ints = field(default_factory=lambda: np.zeros((6, 0), dtype=np.int64))
    observed: Ints = field(default_factory=lambda: np.zeros((6, 0), dtype=np.int64))


@dataclass(frozen=True)
class MapStory:
    """The rostered mathematics students whose tests were planned: for the rulings and the tests of this package."""

    missing: dict[str, Ints]


def make_map_tests(
    students: Students, schools: Schools, attendance: SchoolAttendance, year: SchoolYear, tutoring: Tutoring, seed: int
) -> tuple[MapTests, MapStory]:
    """Fall, winter and spring tests of grades 2-8 and half of grades 9-10 in mathematics, reading and language usage."""
    years = [_test_dates(number, course, students, attendance, year, seed) for number, course in enumerate(COURSES)]
    missing = _plan_missing(years[0], students, tutoring, seed)
    for tested in years:
        course = COURSES[tested.course]
        help_given = _tutoring_effect(tested, tutoring) if course.is_math else np.zeros(len(tested.student))
        _score(stream(seed, f"map scores {course.name}"), tested, students, schools, help_given)
    _reach_tiers_exactly(years[0], tutoring, missing, seed)
    rng = stream(seed, "map results")
    parts = [_events(rng, tested, year) for tested in years]
    tests = _joined(parts)
    _guess_rapidly(rng, tests, tutoring)
    return tests, MapStory(missing)


def make_past_map_tests(
    students: Students, schools: Schools, year: SchoolYear, of: ExportYear, grades: tuple[int, ...], seed: int
) -> MapTests:
    """Fall and spring mathematics tests of an earlier year, when nobody was tutored. `students` are as they were in that year."""
    rng = stream(seed, f"past map {of.end}")
    student = np.flatnonzero(np.isin(students.grade, grades))
    taken = np.zeros((3, len(student)), dtype=bool)
    on = np.zeros((3, len(student)), dtype=np.int64)
    for term in (0, 2):
        days = year.window_days(TERMS[term])
        on[term] = days[rng.integers(2, max(3, int(len(days) * 0.6)), len(student))]
        taken[term] = true_with(rng, 0.965, len(student))
    tested = _Year(0, student, students.grade[student] - 2, taken, np.zeros((3, len(student)), dtype=bool), on)
    _score(rng, tested, students, schools, np.zeros(len(student)))
    tests = _events(rng, tested, year)
    tests.on = tests.on - of.days_back
    return tests


def _test_dates(number: int, course: Course, students: Students, attendance: SchoolAttendance, year: SchoolYear, seed: int) -> _Year:
    rng = stream(seed, f"map dates {course.name}")
    half = stream(seed, "map high school").random(len(students)) < 0.5
    student = np.flatnonzero(np.isin(students.grade, course.grades) & ((students.grade <= 8) | half))
    taken = np.zeros((3, len(student)), dtype=bool)
    outside = np.zeros((3, len(student)), dtype=bool)
    on = np.zeros((3, len(student)), dtype=np.int64)
    for term, window in enumerate(TERMS):
        days = year.window_days(window)
        home = students.school[student] * 13 + students.grade[student]
        class_day = stream(seed, f"map class day {term}").integers(2, max(3, int(len(days) * 0.6)), int(home.max()) + 1)[home]
        chosen = np.minimum(class_day + number + rng.geometric(0.8, len(student)) - 1, len(days) - 1)
        on[term] = _when_present(students, attendance, year, student, days[chosen], int(days[-1]))
        outside[term] = true_with(rng, 0.004, len(student))
        on[term] = np.where(outside[term], np.minimum(WINDOWS[window][1].toordinal() + 4, LAST_DAY.toordinal()), on[term])
        taken[term] = true_with(rng, 0.965, len(student)) & students.is_enrolled(student, on[term])
    return _Year(number, student, students.grade[student] - 2, taken, outside & taken, on)


def _when_present(students: Students, attendance: SchoolAttendance, year: SchoolYear, student: Ints, on: Ints, last: int) -> Ints:
    """A student who is absent on the class's day tests on one of the next days."""
    for _ in range(4):
        number = year.day_number(on)
        away = attendance.is_absent(student, number)
        on = np.where(away, np.minimum(year.ordinals[np.minimum(number + 1, len(year.ordinals) - 1)], last), on)
    return on


def _plan_missing(tested: _Year, students: Students, tutoring: Tutoring, seed: int) -> dict[str, Ints]:
    """Some rostered students miss exactly one test; the others of the roster sit all three while they are enrolled."""
    rng = stream(seed, "map missing")
    roster = tutoring.roster
    whole = roster.student[roster.whole_year & (roster.end_reason == OPEN_END)]
    order = rng.permutation(whole)
    each = max(3, len(order) // 60)
    missing = {term: np.sort(order[each * n : each * (n + 1)]) for n, term in enumerate(TERMS)}
    late = pick(rng, order[3 * each : 6 * each], max(1, each // 3))
    position = np.flatnonzero(np.isin(tested.student, roster.student))
    for term, window in enumerate(TERMS):
        who = tested.student[position]
        tested.taken[term, position] = ~np.isin(who, missing[window]) & students.is_enrolled(who, tested.on[term, position])
        tested.is_outside[term, position] = False
        if window == "SPRING":
            tested.is_outside[term, position] = np.isin(who, late)
        closes = WINDOWS[window][1].toordinal()
        inside = np.minimum(tested.on[term, position], closes)
        tested.on[term, position] = np.where(tested.is_outside[term, position], closes + 4, inside)
    return missing


def _score(rng: np.random.Generator, tested: _Year, students: Students, schools: Schools, help_given: Floats) -> None:
    """`help_given` is the effect of tutoring on growth, per student, in SD of growth."""
    course = COURSES[tested.course]
    count, row = len(tested.student), tested.grade_row
    ability = (students.math if course.is_math else students.reading)[tested.student]
    mean = np.array(course.means)
    sd = np.array(course.sd)[row]
    fall = np.clip(np.floor(mean[0][row] + sd * ability + rng.normal(0, 3, count) + 0.5), 110, 310).astype(np.int64)
    growth = rng.normal(0, 1, count) + 0.25 * schools.ability[students.school[tested.student]]
    early = 0.65 * growth + 0.76 * rng.normal(0, 1, count) + 0.5 * help_given
    growth = growth + help_given
    tested.projected = np.zeros((6, count), dtype=np.int64)
    tested.observed = np.zeros((6, count), dtype=np.int64)
    tested.projected[1] = _tenths(mean[1][row] - mean[0][row] - 0.10 * (fall - mean[0][row]) + rng.normal(0, 0.3, count))
    tested.projected[2] = _tenths(mean[2][row] - mean[0][row] - 0.13 * (fall - mean[0][row]) + rng.normal(0, 0.3, count))
    tested.observed[1] = np.floor(tested.projected[1] / 10 + PAIR_SD[1] * early + 0.5).astype(np.int64)
    tested.observed[2] = np.floor(tested.projected[2] / 10 + PAIR_SD[2] * growth + 0.5).astype(np.int64)
    tested.rit = np.array([fall, fall, fall])
    _follow_scores(tested, mean, row)
    for pair in (0, 3, 5):
        yearly = mean[PAIR_END[pair]][row] - mean[PAIR_END[pair]][np.maximum(row - 1, 0)] + np.where(row == 0, 12, 0)
        tested.projected[pair] = _tenths(yearly - 0.05 * (tested.rit[PAIR_END[pair]] - mean[PAIR_END[pair]][row]))
        tested.observed[pair] = np.floor(tested.projected[pair] / 10 + PAIR_SD[pair] * rng.normal(0.05, 1, count) + 0.5).astype(np.int64)


def _tutoring_effect(tested: _Year, tutoring: Tutoring) -> Floats:
    """Half an SD of growth, about 0.2 SD of scores, for those who attended everything; in proportion for the others."""
    effect = np.zeros(int(max(tested.student.max(), tutoring.roster.student.max())) + 1)
    effect[tutoring.roster.student] = 0.5 * tutoring.attended_share()
    return effect[tested.student]


def _tenths(value: np.ndarray) -> Ints:
    return np.floor(value * 10 + 0.5).astype(np.int64)


def _follow_scores(tested: _Year, mean: Floats, row: Ints) -> None:
    """Winter and spring scores follow from the growth since fall; growth from winter to spring follows from those."""
    tested.rit[1] = tested.rit[0] + tested.observed[1]
    tested.rit[2] = tested.rit[0] + tested.observed[2]
    tested.projected[4] = _tenths(mean[2][row] - mean[1][row] - 0.10 * (tested.rit[1] - mean[1][row]))
    tested.observed[4] = tested.rit[2] - tested.rit[1]


def _reach_tiers_exactly(tested: _Year, tutoring: Tutoring, missing: dict[str, Ints], seed: int) -> None:
    """Some rostered students come to exactly a tier's percentile, and others to one below it."""
    rng = stream(seed, "map exact tiers")
    roster = tutoring.roster
    untouched = roster.student[roster.whole_year & ~np.isin(roster.student, np.concatenate(list(missing.values())))]
    order = rng.permutation(untouched)
    wanted = [(2, p) for p in (35, 34, 50, 49, 65, 64)] + [(1, p) for p in (50, 49)]
    each = max(1, len(order) // 120)
    for number, (pair, at) in enumerate(wanted):
        here = np.flatnonzero(np.isin(tested.student, order[each * number : each * (number + 1)]))
        score = score_at(at) / 100
        observed = np.floor(tested.projected[pair, here] / 10 + PAIR_SD[pair] * score + 0.5).astype(np.int64)
        tested.observed[pair, here] = observed
        tested.projected[pair, here] = _tenths(observed - PAIR_SD[pair] * score)
    _follow_scores(tested, np.array(COURSES[tested.course].means), tested.grade_row)


def _events(rng: np.random.Generator, tested: _Year, year: SchoolYear) -> MapTests:
    """Every first test, and for 2 % a second one that does not count."""
    parts = []
    for term in range(3):
        first = np.flatnonzero(tested.taken[term])
        counts = ~tested.is_outside[term, first]
        error = rng.integers(28, 36, len(first))
        parts.append(_term_events(rng, tested, term, first, counts, tested.on[term, first], tested.rit[term, first], error))
        again = first[true_with(rng, 0.02, len(first))]
        closes = WINDOWS[TERMS[term]][1].toordinal()
        later = year.ordinals[np.minimum(year.day_number(tested.on[term, again]) + 2, len(year.ordinals) - 1)]
        off = np.zeros(len(again), dtype=bool)
        rit = tested.rit[term, again] + rng.integers(-6, 5, len(again))
        parts.append(_term_events(rng, tested, term, again, off, np.minimum(later, closes), rit, rng.integers(36, 44, len(again))))
    return _joined(parts)


def _term_events(
    rng: np.random.Generator, tested: _Year, term: int, who: Ints, counts: Bools, on: Ints, rit: Ints, error: Ints
) -> MapTests:
    course = COURSES[tested.course]
    mean, sd, row = np.array(course.means), np.array(course.sd), tested.grade_row[who]
    valid = tested.taken & ~tested.is_outside
    has_growth = np.zeros((6, len(who)), dtype=bool)
    index = np.zeros((6, len(who)), dtype=np.int64)
    returned = rng.random(len(who)) < 0.85
    for pair in range(6):
        if PAIR_END[pair] != term:
            continue
        start = valid[_WITHIN_YEAR[pair][0], who] if pair in _WITHIN_YEAR else returned & (row > 0)
        has_growth[pair] = counts & start
        index[pair] = hundredths((tested.observed[pair, who] - tested.projected[pair, who] / 10) / PAIR_SD[pair])
    typical = np.zeros((6, len(who)), dtype=np.int64)
    for pair, (start_term, end_term) in enumerate(((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))):
        if start_term == term:
            next_row = np.minimum(row + (start_term == end_term), len(sd) - 1)
            typical[pair] = np.floor(mean[end_term][next_row] - mean[start_term][row] + 1.5)
    return MapTests(
        student=tested.student[who],
        course=np.full(len(who), tested.course, dtype=np.int64),
        term=np.full(len(who), term, dtype=np.int64),
        is_growth_event=counts,
        on=on,
        rit=rit,
        standard_error_tenths=error,
        rapid_guessing=np.where(rng.random(len(who)) < 0.7, 0, rng.integers(0, 1500, len(who))),
        percentile=percentile(hundredths((rit - mean[term][row]) / sd[row])),
        projected_tenths=tested.projected[:, who],
        observed=tested.observed[:, who],
        index_hundredths=index,
        growth_percentile=percentile(index.ravel()).reshape(index.shape),
        has_growth=has_growth,
        typical=typical,
    )


def _joined(parts: list[MapTests]) -> MapTests:
    def along(name: str) -> np.ndarray:
        arrays = [getattr(part, name) for part in parts]
        return np.concatenate(arrays, axis=arrays[0].ndim - 1)

    return MapTests(**{name: along(name) for name in MapTests.__dataclass_fields__})


def _guess_rapidly(rng: np.random.Generator, tests: MapTests, tutoring: Tutoring) -> None:
    """About 1 % guessed on 30 % of the items or more; among rostered students one at exactly 30 % and one just below."""
    fast = np.flatnonzero(true_with(rng, 0.010, len(tests)))
    tests.rapid_guessing[fast] = rng.integers(3000, 6000, len(fast))
    spring = np.flatnonzero(
        np.isin(tests.student, tutoring.roster.student)
        & (tests.course == 0)
        & (tests.term == 2)
        & tests.is_growth_event
        & (tests.rapid_guessing < 3000)
        & (tests.on >= SERVICE_START.toordinal())
    )
    chosen = rng.permutation(spring)[:2]
    tests.rapid_guessing[chosen] = np.array([3000, 2999])[: len(chosen)]
