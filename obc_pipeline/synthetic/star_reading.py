"""Star Reading results of grades 1-5: screening tests in three windows, progress monitoring, same-day retests, deactivations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from obc_pipeline.synthetic.attendance import SchoolAttendance
from obc_pipeline.synthetic.chance import Bools, Floats, Ints, hundredths, percentile, score_at, stream, true_with
from obc_pipeline.synthetic.map_growth import TERMS
from obc_pipeline.synthetic.people import Schools, Students
from obc_pipeline.synthetic.school_year import WINDOWS, ExportYear, SchoolYear
from obc_pipeline.synthetic.tutoring import OPEN_END, Tutoring

GRADES = (1, 2, 3, 4, 5)
GROWTH_PAIRS = ("FallFall", "FallSpring", "FallWinter", "SpringFall", "SpringSpring", "WinterSpring")
_PAIR_END = (0, 2, 1, 0, 2, 2)
# Unified scores in the region of the reported scale (600-1400), by grade 1-5 and term.
MEANS = np.array([[720, 820, 890, 945, 985], [765, 850, 912, 962, 1000], [800, 872, 930, 978, 1012]], dtype=np.float64)
SD = 68.0
NO_PERCENTILE = -1


@dataclass
class StarTests:
    """One entry per test taken. `growth` has one row per pair (NO_PERCENTILE where blank); `deactivated_on` is NEVER or an ordinal."""

    student: Ints
    window: Ints  # 0-2; -1 outside the district's screening windows
    on: Ints
    minute: Ints
    is_progress_monitoring: Bools
    is_deactivated: Bools
    unified_score: Ints
    percentile: Ints
    growth: Ints
    current_growth: Ints
    number: Ints

    def __len__(self) -> int:
        return len(self.student)


@dataclass(frozen=True)
class StarStory:
    """The rostered reading students without a test that counts, by window."""

    missing: dict[str, Ints]


def make_star_tests(
    students: Students, schools: Schools, attendance: SchoolAttendance, year: SchoolYear, tutoring: Tutoring, seed: int
) -> tuple[StarTests, StarStory]:
    """All attempts of the year, in order of date."""
    rng = stream(seed, "star")
    student = np.flatnonzero(np.isin(students.grade, GRADES))
    taken, on = _screening(rng, students, attendance, year, student)
    missing = _plan_missing(taken, on, student, students, tutoring, seed)
    growth_score = _growth_scores(rng, student, students, schools, tutoring)
    score = _unified(rng, student, students, growth_score)
    growth = _growth_percentiles(rng, student, taken, growth_score)
    _reach_tiers_exactly(growth, student, tutoring, missing, seed)
    tests = [_window_tests(rng, student, term, taken[term], on[term], score[term], growth) for term in range(3)]
    retests = _same_day_retests(rng, tests)
    _deactivate(rng, tests, student, tutoring, missing)
    monitoring = _progress_monitoring(rng, students, attendance, year, student, score, tutoring, missing)
    return _numbered(_percentiles([*tests, *retests, *monitoring], students)), StarStory(missing)


def make_past_star_tests(
    students: Students, schools: Schools, year: SchoolYear, of: ExportYear, grades: tuple[int, ...], seed: int
) -> StarTests:
    """Fall and spring screening tests of an earlier year, when nobody was tutored. `students` are as they were in that year."""
    rng = stream(seed, f"past star {of.end}")
    student = np.flatnonzero(np.isin(students.grade, grades))
    taken = np.zeros((3, len(student)), dtype=bool)
    growth_score = rng.normal(0, 1, len(student)) + 0.25 * schools.ability[students.school[student]]
    score = _unified(rng, student, students, growth_score)
    on = np.zeros((3, len(student)), dtype=np.int64)
    for term in (0, 2):
        days = year.window_days(TERMS[term])
        on[term] = days[rng.integers(1, max(2, int(len(days) * 0.65)), len(student))]
        taken[term] = true_with(rng, 0.97, len(student))
    growth = _growth_percentiles(rng, student, taken, growth_score)
    tests = _numbered(
        _percentiles([_window_tests(rng, student, term, taken[term], on[term], score[term], growth) for term in (0, 2)], students)
    )
    tests.on = tests.on - of.days_back
    return tests


def _screening(
    rng: np.random.Generator, students: Students, attendance: SchoolAttendance, year: SchoolYear, student: Ints
) -> tuple[Bools, Ints]:
    taken = np.zeros((3, len(student)), dtype=bool)
    on = np.zeros((3, len(student)), dtype=np.int64)
    for term, window in enumerate(TERMS):
        days = year.window_days(window)
        home = students.school[student] * 13 + students.grade[student]
        class_day = rng.integers(1, max(2, int(len(days) * 0.65)), int(home.max()) + 1)[home]
        day = days[np.minimum(class_day + rng.geometric(0.8, len(student)) - 1, len(days) - 1)]
        for _ in range(4):
            number = year.day_number(day)
            day = np.where(attendance.is_absent(student, number), np.minimum(year.ordinals[number + 1], days[-1]), day)
        on[term] = day
        taken[term] = true_with(rng, 0.97, len(student)) & students.is_enrolled(student, day)
    return taken, on


def _plan_missing(taken: Bools, on: Ints, student: Ints, students: Students, tutoring: Tutoring, seed: int) -> dict[str, Ints]:
    """Rostered students sit every test while enrolled, but for a few who miss fall, sit spring late, or have it deactivated."""
    rng = stream(seed, "star missing")
    roster = tutoring.roster
    order = rng.permutation(roster.student[roster.whole_year & (roster.end_reason == OPEN_END)])
    each = max(2, len(order) // 60)
    missing = {
        name: np.sort(order[each * n : each * (n + 1)]) for n, name in enumerate(("FALL", "SPRING", "SPRING_LATE", "SPRING_DEACTIVATED"))
    }
    rostered = np.flatnonzero(np.isin(student, roster.student))
    for term, window in enumerate(TERMS):
        absent = np.isin(student[rostered], missing.get(window, np.zeros(0, dtype=np.int64)))
        taken[term, rostered] = students.is_enrolled(student[rostered], on[term, rostered]) & ~absent
    late = np.isin(student, missing["SPRING_LATE"])
    on[2, late] = date(2026, 6, 2).toordinal()
    return missing


def _growth_scores(rng: np.random.Generator, student: Ints, students: Students, schools: Schools, tutoring: Tutoring) -> Floats:
    """Normal scores of growth from fall to spring; tutoring adds 0.4 for those who attended everything."""
    effect = np.zeros(len(students))
    effect[tutoring.roster.student] = 0.4 * tutoring.attended_share()
    return rng.normal(0, 1, len(student)) + 0.25 * schools.ability[students.school[student]] + effect[student]


def _unified(rng: np.random.Generator, student: Ints, students: Students, growth_score: Floats) -> Ints:
    row = students.grade[student] - 1
    fall = MEANS[0][row] + SD * students.reading[student] + rng.normal(0, 14, len(student))
    gain = [
        np.zeros(len(student)),
        MEANS[1][row] - MEANS[0][row] + 10 * growth_score,
        MEANS[2][row] - MEANS[0][row] + 17 * growth_score,
    ]
    return np.clip(np.floor(fall + np.array(gain) + 0.5), 600, 1400).astype(np.int64)


def _growth_percentiles(rng: np.random.Generator, student: Ints, taken: Bools, growth_score: Floats) -> Ints:
    """Six rows of percentiles; blank unless both ends were tested (last year's tests: for 85 % of those past grade 1)."""
    returned = rng.random(len(student)) < 0.85
    early = 0.6 * growth_score + 0.8 * rng.normal(0, 1, len(student))
    late = 0.6 * growth_score + 0.8 * rng.normal(0, 1, len(student))
    scores = [
        rng.normal(0.05, 1, len(student)),
        growth_score,
        early,
        rng.normal(0, 1, len(student)),
        rng.normal(0.05, 1, len(student)),
        late,
    ]
    needed = [returned, taken[0], taken[0], returned, returned, taken[1]]
    return np.array([np.where(known, percentile(hundredths(score)), NO_PERCENTILE) for score, known in zip(scores, needed, strict=True)])


def _reach_tiers_exactly(growth: Ints, student: Ints, tutoring: Tutoring, missing: dict[str, Ints], seed: int) -> None:
    """Some rostered students at exactly the tier (50) and the penalty threshold (20), and one below each."""
    rng = stream(seed, "star exact tiers")
    roster = tutoring.roster
    order = rng.permutation(roster.student[roster.whole_year & ~np.isin(roster.student, np.concatenate(list(missing.values())))])
    each = max(1, len(order) // 60)
    for number, at in enumerate((50, 49, 20, 19)):
        growth[1, np.isin(student, order[each * number : each * (number + 1)])] = percentile(np.array([score_at(at)]))[0]


def _window_tests(rng: np.random.Generator, student: Ints, term: int, taken: Bools, on: Ints, score: Ints, growth: Ints) -> StarTests:
    who = np.flatnonzero(taken)
    ends_here = np.array([end == term for end in _PAIR_END])[:, None]
    columns = np.where(ends_here, growth[:, who], NO_PERCENTILE)
    return StarTests(
        student=student[who],
        window=np.full(len(who), term, dtype=np.int64),
        on=on[who],
        minute=rng.integers(8 * 60, 13 * 60, len(who)),
        is_progress_monitoring=np.zeros(len(who), dtype=bool),
        is_deactivated=np.zeros(len(who), dtype=bool),
        unified_score=score[who],
        percentile=np.zeros(len(who), dtype=np.int64),
        growth=columns,
        current_growth=np.max(columns, axis=0),
        number=np.zeros(len(who), dtype=np.int64),
    )


def _same_day_retests(rng: np.random.Generator, tests: list[StarTests]) -> list[StarTests]:
    """0.6 % sat the test twice on one day; the later one counts, with a growth percentile of its own."""
    again = []
    for first in tests:
        who = np.flatnonzero(true_with(rng, 0.006, len(first)))
        shift = rng.integers(-9, 13, len(who))
        growth = np.where(first.growth[:, who] >= 0, np.clip(first.growth[:, who] + shift, 1, 99), NO_PERCENTILE)
        again.append(
            StarTests(
                student=first.student[who],
                window=first.window[who],
                on=first.on[who],
                minute=first.minute[who] + rng.integers(30, 75, len(who)),
                is_progress_monitoring=np.zeros(len(who), dtype=bool),
                is_deactivated=np.zeros(len(who), dtype=bool),
                unified_score=np.clip(first.unified_score[who] + shift * 2, 600, 1400),
                percentile=np.zeros(len(who), dtype=np.int64),
                growth=growth,
                current_growth=np.max(growth, axis=0) if len(who) else np.zeros(0, dtype=np.int64),
                number=np.zeros(len(who), dtype=np.int64),
            )
        )
    return again


def _deactivate(rng: np.random.Generator, tests: list[StarTests], student: Ints, tutoring: Tutoring, missing: dict[str, Ints]) -> None:
    """0.5 % of tests are deactivated later in the year; rostered students lose theirs only where the story says so."""
    for term, window_tests in enumerate(tests):
        lost = true_with(rng, 0.005, len(window_tests)) & ~np.isin(window_tests.student, tutoring.roster.student)
        window_tests.is_deactivated = lost | ((term == 2) & np.isin(window_tests.student, missing["SPRING_DEACTIVATED"]))


def _progress_monitoring(
    rng: np.random.Generator,
    students: Students,
    attendance: SchoolAttendance,
    year: SchoolYear,
    student: Ints,
    score: Ints,
    tutoring: Tutoring,
    missing: dict[str, Ints],
) -> list[StarTests]:
    """Short tests between the windows, and in May one inside the spring window, for the rostered and 6 % of the others.

    Nobody whose spring test does not count has one in May: it would be the only test of the window.
    """
    without_spring = np.concatenate([planned for window, planned in missing.items() if window.startswith("SPRING")])
    watched = np.flatnonzero(np.isin(student, tutoring.roster.student) | true_with(rng, 0.06, len(student)))
    parts = []
    for on in (date(2025, 11, 5), date(2025, 12, 10), date(2026, 3, 4), date(2026, 4, 8), date(2026, 5, 27)):
        day = np.full(len(watched), on.toordinal(), dtype=np.int64)
        absent = attendance.is_absent(student[watched], year.day_number(day))
        left_out = np.isin(student[watched], without_spring) & (on >= WINDOWS["SPRING"][0])
        who = watched[students.is_enrolled(student[watched], day) & ~absent & ~left_out & true_with(rng, 0.85, len(watched))]
        blank = np.full((len(GROWTH_PAIRS), len(who)), NO_PERCENTILE, dtype=np.int64)
        term = 0 if on < WINDOWS["WINTER"][0] else 1 if on < WINDOWS["SPRING"][0] else 2
        parts.append(
            StarTests(
                student=student[who],
                window=np.full(len(who), 2 if on >= WINDOWS["SPRING"][0] else -1, dtype=np.int64),
                on=np.full(len(who), on.toordinal(), dtype=np.int64),
                minute=rng.integers(8 * 60, 13 * 60, len(who)),
                is_progress_monitoring=np.ones(len(who), dtype=bool),
                is_deactivated=np.zeros(len(who), dtype=bool),
                unified_score=np.clip(score[term, who] + rng.integers(-20, 21, len(who)), 600, 1400),
                percentile=np.zeros(len(who), dtype=np.int64),
                growth=blank,
                current_growth=rng.integers(1, 100, len(who)),
                number=np.zeros(len(who), dtype=np.int64),
            )
        )
    return parts


def _percentiles(parts: list[StarTests], students: Students) -> StarTests:
    def along(name: str) -> np.ndarray:
        arrays = [getattr(part, name) for part in parts]
        return np.concatenate(arrays, axis=arrays[0].ndim - 1)

    tests = StarTests(**{name: along(name) for name in StarTests.__dataclass_fields__})
    term = np.where(tests.on < WINDOWS["WINTER"][0].toordinal(), 0, np.where(tests.on < WINDOWS["SPRING"][0].toordinal(), 1, 2))
    mean = MEANS[term, students.grade[tests.student] - 1]
    tests.percentile = percentile(hundredths((tests.unified_score - mean) / SD))
    return tests


def _numbered(tests: StarTests) -> StarTests:
    """In order of date, with AssessmentNumber counting each student's tests."""
    order = np.lexsort((tests.student, tests.minute, tests.on))
    ordered = StarTests(**{name: getattr(tests, name)[..., order] for name in StarTests.__dataclass_fields__})
    by_student = np.lexsort((np.arange(len(ordered)), ordered.student))
    first = np.searchsorted(ordered.student[by_student], ordered.student[by_student])
    ordered.number[by_student] = np.arange(len(ordered)) - first + 1
    return ordered
