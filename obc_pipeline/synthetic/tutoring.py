"""The two tutoring programs as they went: who was on the roster, which sessions were held, who came.

The stories a reader can find: one middle school where students skip sessions while in school, one where half the groups
lose their tutor in January, provider cancellations before the winter break, a snow week, an illness wave, and students
at the exact dosage threshold and one session below it. Since March students of the first school are fetched from class, and come.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from obc_pipeline.synthetic.attendance import SchoolAttendance
from obc_pipeline.synthetic.chance import Bools, Floats, Ints, pick, stream, true_with
from obc_pipeline.synthetic.people import NEVER, Schools, Students
from obc_pipeline.synthetic.school_year import SERVICE_END, SERVICE_START, SNOW_WEEK, SchoolYear

COMPLETED, CANCELED, TUTOR_NO_SHOW = 0, 1, 2
STATUSES = ("completed", "canceled", "no_show_tutor")
REASONS = (
    "",
    "provider_cancel",
    "tutor_no_show",
    "provider_tech",
    "district_tech",
    "district_schedule",
    "closure",
    "absent_school",
    "skipped",
)
_DISTRICT_REASONS = (4, 5)
OPEN_END, TRANSFER, OPT_OUT, MEDICAL, SUBSTITUTED, SCHEDULE = range(6)
END_REASONS = ("", "TRANSFER", "OPT_OUT", "MEDICAL", "SUBSTITUTED", "SCHEDULE")

# The action that worked: at the school where students skip, they are fetched from class; so much of the skipping is left.
ESCORT_FROM = date(2026, 3, 2)
ESCORT_LEAVES = 0.30


@dataclass(frozen=True)
class Program:
    """How one provider works. Shares are of students, minutes are per session."""

    contract_id: str
    tutor_prefix: str
    grades: tuple[int, ...]
    share_of_students: float
    is_math: bool
    patterns: tuple[tuple[int, ...], ...]
    slot_minutes: int
    group_of: float
    required_sessions: int
    gate_sessions: int
    min_minutes: int
    max_group: int
    skip_rate: float


MATH = Program("CVSD-MATH-2026", "BP", (6, 7, 8), 0.05, True, ((0, 1, 3), (1, 2, 3)), 45, 3.25, 72, 51, 30, 4, 0.075)
READING = Program("CVSD-READ-2026", "LR", (3, 4, 5), 0.03, False, ((0, 2, 4), (0, 1, 3)), 30, 2.4, 60, 42, 0, 1000, 0.14)


@dataclass
class Roster:
    """One entry per assignment. `start_on` inclusive, `end_on` exclusive (NEVER while open), ordinals; `substituted_for` a student or -1."""

    student: Ints
    school: Ints
    group: Ints
    start_on: Ints
    end_on: Ints
    end_reason: Ints
    substituted_for: Ints

    def __len__(self) -> int:
        return len(self.student)

    @property
    def whole_year(self) -> Bools:
        """Assigned from the first to the last service day."""
        return (self.start_on <= SERVICE_START.toordinal()) & (self.end_on > SERVICE_END.toordinal())


@dataclass
class Sessions:
    """One entry per planned session of a group, groups one after the other; `first_of` and `count_of` say where a group's lie.

    `is_acknowledged`: lost to the district, and the contract office ruled so. Without a ruling the provider's word is a claim.
    """

    group: Ints
    school: Ints
    on: Ints
    start_minute: Ints
    tutor: Ints
    status: Ints
    reason: Ints
    minutes: Ints
    group_size: Ints
    is_online: Bools
    is_acknowledged: Bools
    first_of: Ints
    count_of: Ints


@dataclass
class Visits:
    """One entry per student and planned session of the assignment. `reason` is why it was missed, by the truth."""

    session: Ints
    assignment: Ints
    is_present: Bools
    is_late: Bools
    minutes: Ints
    reason: Ints
    is_sis_absent: Bools


@dataclass
class Tutoring:
    """One provider's year."""

    program: Program
    roster: Roster
    sessions: Sessions
    visits: Visits

    def creditable(self) -> Bools:
        """Visits that count for dosage, before any ruling."""
        visits, sessions, program = self.visits, self.sessions, self.program
        fits = (visits.minutes >= program.min_minutes) & (sessions.group_size[visits.session] <= program.max_group)
        return visits.is_present & fits & (~visits.is_sis_absent | sessions.is_online[visits.session])

    def credited(self) -> Bools:
        """Sessions lost to the district by a ruling, which a REQUIRED denominator credits."""
        return self.sessions.is_acknowledged[self.visits.session] & ~self.visits.is_present

    def dose(self) -> Ints:
        """Creditable and credited sessions per assignment."""
        return np.bincount(self.visits.assignment[self.creditable() | self.credited()], minlength=len(self.roster))

    def attended_share(self) -> Floats:
        """Creditable sessions over the required ones, at most 1, per assignment."""
        return np.minimum(self.dose() / self.program.required_sessions, 1.0)


def make_roster(program: Program, students: Students, schools: Schools, seed: int) -> Roster:
    """Students below the middle of their grade, in groups per school; some leave, some are replaced, some come late."""
    rng = stream(seed, f"roster {program.contract_id}")
    ability = students.math if program.is_math else students.reading
    in_grades = np.isin(students.grade, program.grades) & ~students.is_rostered
    wanted = max(30, round(program.share_of_students * len(students)))
    chance = np.where(in_grades, np.exp(-1.2 * np.maximum(ability, -1.5)), 0)
    chosen = _likeliest(rng, chance, wanted + 6 + wanted // 8)
    originals, reserve = np.sort(chosen[:wanted]), chosen[wanted:]
    students.is_rostered[originals] = True
    originals = originals[np.lexsort((students.grade[originals], students.school[originals]))]
    roster = Roster(
        student=originals,
        school=students.school[originals],
        group=_groups(students.school[originals], program.group_of),
        start_on=np.full(wanted, SERVICE_START.toordinal(), dtype=np.int64),
        end_on=np.full(wanted, NEVER, dtype=np.int64),
        end_reason=np.zeros(wanted, dtype=np.int64),
        substituted_for=np.full(wanted, -1, dtype=np.int64),
    )
    _end_some(rng, roster, students)
    _start_some_late(rng, roster)
    return _with_substitutes(roster, reserve, students, ability)


def _likeliest(rng: np.random.Generator, weight: Floats, count: int) -> Ints:
    """`count` positions drawn without replacement by weight (Efraimidis and Spirakis: largest u^(1/w))."""
    eligible = np.flatnonzero(weight > 0)
    key = np.log(np.maximum(rng.random(len(eligible)), 1e-12)) / weight[eligible]
    return eligible[np.argsort(-key, kind="stable")[:count]]


def _groups(school: Ints, group_of: float) -> Ints:
    """Group numbers for students sorted by school: about `group_of` neighbours of one school in each."""
    first = np.searchsorted(school, school)
    within = ((np.arange(len(school)) - first) / group_of).astype(np.int64)
    return np.unique(school * 100_000 + within, return_inverse=True)[1].astype(np.int64)


def _end_some(rng: np.random.Generator, roster: Roster, students: Students) -> None:
    """Ends lie outside the winter and spring test windows, so that no end falls inside a window."""
    free = rng.permutation(len(roster))
    position = 0
    for reason, share in ((TRANSFER, 0.04), (OPT_OUT, 0.015), (MEDICAL, 0.005), (SUBSTITUTED, 0.03), (SCHEDULE, 0.01)):
        count = max(1, round(share * len(roster)))
        members = free[position : position + count]
        position += count
        autumn = rng.integers(date(2025, 10, 20).toordinal(), date(2025, 12, 20).toordinal(), count)
        spring = rng.integers(date(2026, 2, 9).toordinal(), date(2026, 4, 18).toordinal(), count)
        ends = np.where(true_with(rng, 0.5, count) | (reason == SUBSTITUTED), autumn, spring)
        roster.end_on[members] = ends
        roster.end_reason[members] = reason
        if reason == TRANSFER:
            students.leaves_on[roster.student[members]] = ends


def _start_some_late(rng: np.random.Generator, roster: Roster) -> None:
    """One of each date at least where there are four: the one in February is after the winter window."""
    late = rng.permutation(pick(rng, np.flatnonzero(roster.end_on == NEVER), max(2, round(0.02 * len(roster)))))
    starts = [on.toordinal() for on in (date(2026, 2, 9), date(2025, 11, 3), date(2026, 1, 12), date(2025, 12, 1))]
    roster.start_on[late] = np.resize(np.array(starts), len(late))


def _with_substitutes(roster: Roster, reserve: Ints, students: Students, ability: Floats) -> Roster:
    """Each substituted student's place goes to one of the reserve, of the same school where there is one, a week later."""
    replaced = np.flatnonzero(roster.end_reason == SUBSTITUTED)
    left = list(reserve)
    pairs: list[tuple[int, int]] = []
    for place in replaced:
        same_school = [s for s in left if students.school[s] == roster.school[place]]
        if same_school:
            left.remove(same_school[0])
            pairs.append((int(place), int(same_school[0])))
    places = np.array([place for place, _ in pairs], dtype=np.int64)
    joined = np.array([student for _, student in pairs], dtype=np.int64)
    students.is_rostered[joined] = True
    return Roster(
        student=np.append(roster.student, joined),
        school=np.append(roster.school, roster.school[places]),
        group=np.append(roster.group, roster.group[places]),
        start_on=np.append(roster.start_on, roster.end_on[places] + 7),
        end_on=np.append(roster.end_on, np.full(len(joined), NEVER)),
        end_reason=np.append(roster.end_reason, np.zeros(len(joined), dtype=np.int64)),
        substituted_for=np.append(roster.substituted_for, roster.student[places]),
    )


def make_tutoring(
    program: Program, roster: Roster, schools: Schools, attendance: SchoolAttendance, year: SchoolYear, seed: int
) -> Tutoring:
    """Plans every session, then lets the year happen to it."""
    rng = stream(seed, f"tutoring {program.contract_id}")
    sessions = _plan(rng, program, roster, schools, year)
    _lose_some(rng, sessions)
    lost_to_district = np.isin(sessions.reason, _DISTRICT_REASONS) & program.is_math  # an attended-only log cannot state any
    sessions.is_acknowledged = lost_to_district & true_with(rng, 0.7, len(sessions.on))
    visits = _visit(rng, program, roster, sessions, schools, attendance, year)
    tutoring = Tutoring(program, roster, sessions, visits)
    _reach_the_threshold_exactly(tutoring, schools, seed)
    return tutoring


def _plan(rng: np.random.Generator, program: Program, roster: Roster, schools: Schools, year: SchoolYear) -> Sessions:
    groups = int(roster.group.max()) + 1
    school = np.zeros(groups, dtype=np.int64)
    school[roster.group] = roster.school
    within = np.arange(groups) - np.searchsorted(school, school)  # groups are numbered school by school
    plan = np.array([on.toordinal() for on in year.tutoring_plan], dtype=np.int64)
    weekday = np.array([on.weekday() for on in year.tutoring_plan], dtype=np.int64)
    meets = np.array([np.isin(weekday, pattern) for pattern in program.patterns])[within % len(program.patterns)]
    group, day = np.nonzero(meets)
    on = plan[day]
    size = np.bincount(roster.group[roster.substituted_for < 0], minlength=groups)
    tutor = school * 1000 + within // 4
    regular = tutor[group]
    regular = np.where(_tutor_left(program, schools, school, within)[group], _replacement(regular, on), regular)
    substitute = true_with(rng, 0.04, len(on))
    crowded = np.where(within % 60 == 17, 0.30, 0.012)[group]
    merged = true_with(rng, crowded, len(on)) * rng.integers(2, 4, len(on))
    short = true_with(rng, 0.02, len(on))
    return Sessions(
        group=group,
        school=school[group],
        on=on,
        start_minute=(9 * 60 + 15 + 60 * (within % 4) + np.where(within % 4 > 1, 75, 0))[group],
        tutor=np.where(substitute, school[group] * 1000 + 900 + rng.integers(0, 3, len(on)), regular),
        status=np.full(len(on), COMPLETED, dtype=np.int64),
        reason=np.zeros(len(on), dtype=np.int64),
        minutes=np.where(short, rng.integers(18, 29, len(on)), program.slot_minutes - rng.integers(0, 4, len(on))),
        group_size=size[group] + merged,
        is_online=((within % 12 == 11) & program.is_math)[group],
        is_acknowledged=np.zeros(len(on), dtype=bool),
        first_of=np.searchsorted(group, np.arange(groups)),
        count_of=np.bincount(group, minlength=groups),
    )


def _tutor_left(program: Program, schools: Schools, school: Ints, within: Ints) -> Bools:
    """Half the groups of the turnover school; reading has no such school."""
    return (school == schools.turnover_school) & (within % 2 == 0) & program.is_math


def _replacement(tutor: Ints, on: Ints) -> Ints:
    """Two changes of tutor: after the winter break and in late March."""
    first, second = date(2026, 1, 6).toordinal(), date(2026, 3, 23).toordinal()
    return tutor + np.where(on >= second, 600, np.where(on >= first, 300, 0))


def _lose_some(rng: np.random.Generator, sessions: Sessions) -> None:
    """Sessions not held, and through whom. The provider cancels most in the two weeks before the winter break."""
    draw = rng.random(len(sessions.on))
    before_break = (sessions.on >= date(2025, 12, 8).toordinal()) & (sessions.on <= date(2025, 12, 19).toordinal())
    provider = np.where(before_break, 0.14, 0.018)
    bounds = [provider, 0.010, 0.006, 0.006, 0.014]
    upper = np.zeros(len(draw))
    for reason, share in enumerate(bounds, start=1):
        lower, upper = upper, upper + share
        hit = (draw >= lower) & (draw < upper)
        sessions.reason[hit] = reason
        sessions.status[hit] = TUTOR_NO_SHOW if REASONS[reason] == "tutor_no_show" else CANCELED
    closed = (sessions.on >= SNOW_WEEK[0].toordinal()) & (sessions.on <= SNOW_WEEK[1].toordinal())
    sessions.reason[closed] = REASONS.index("closure")
    sessions.status[closed] = CANCELED


def _visit(
    rng: np.random.Generator,
    program: Program,
    roster: Roster,
    sessions: Sessions,
    schools: Schools,
    attendance: SchoolAttendance,
    year: SchoolYear,
) -> Visits:
    counts = sessions.count_of[roster.group]
    assignment = np.repeat(np.arange(len(roster)), counts)
    offset = np.arange(len(assignment)) - np.repeat(np.cumsum(counts) - counts, counts)
    session = sessions.first_of[roster.group[assignment]] + offset
    on = sessions.on[session]
    inside = (on >= roster.start_on[assignment]) & (on < roster.end_on[assignment])
    assignment, session, on = assignment[inside], session[inside], on[inside]
    sis_absent = attendance.is_absent(roster.student[assignment], year.day_number(on)) & year.is_in_session(on)
    chance = _skip_chance(rng, program, roster, schools)[assignment]
    fetched = program.is_math & (roster.school[assignment] == schools.skipping_school) & (on >= ESCORT_FROM.toordinal())
    skips = true_with(rng, np.where(fetched, ESCORT_LEAVES * chance, chance), len(on))
    held = sessions.status[session] == COMPLETED
    said_present_anyway = sis_absent & true_with(rng, 0.012, len(on))
    at_home = sessions.is_online[session] & sis_absent & true_with(rng, 0.25, len(on))
    present = held & ((~sis_absent & ~skips) | said_present_anyway | at_home)
    late = present & true_with(rng, 0.05, len(on))
    reason = np.where(~held, sessions.reason[session], np.where(sis_absent, REASONS.index("absent_school"), REASONS.index("skipped")))
    minutes = np.maximum(sessions.minutes[session] - np.where(late, rng.integers(4, 12, len(on)), 0), 5)
    return Visits(
        session=session,
        assignment=assignment,
        is_present=present,
        is_late=late,
        minutes=np.where(present, minutes, 0),
        reason=np.where(present, 0, reason),
        is_sis_absent=sis_absent,
    )


def _skip_chance(rng: np.random.Generator, program: Program, roster: Roster, schools: Schools) -> Floats:
    """Per assignment; those who were later substituted hardly came, and one school has a habit of skipping."""
    chance = np.clip(rng.gamma(1.4, program.skip_rate / 1.4, len(roster)), 0, 0.6)
    chance = np.where((roster.school == schools.skipping_school) & program.is_math, np.clip(chance * 2.3 + 0.06, 0, 0.7), chance)
    return np.where(roster.end_reason == SUBSTITUTED, 0.7, chance)


def _reach_the_threshold_exactly(tutoring: Tutoring, schools: Schools, seed: int) -> None:
    """A few whole-year students come to exactly the sessions the gate asks for, and as many to one fewer."""
    rng = stream(seed, f"exact dosage {tutoring.program.contract_id}")
    gate = tutoring.program.gate_sessions
    open_to = tutoring.roster.whole_year & (tutoring.dose() >= gate + 1) & (tutoring.roster.school != schools.turnover_school)
    members = rng.permutation(np.flatnonzero(open_to))[: max(6, len(tutoring.roster) // 60) // 2 * 2]
    creditable, credited = tutoring.creditable(), tutoring.credited()
    visits = tutoring.visits
    for number, assignment in enumerate(members):
        mine = visits.assignment == assignment
        wanted = gate - number % 2 - int((mine & credited).sum())
        came = np.flatnonzero(mine & creditable)
        if wanted < 1:
            continue
        missed = rng.permutation(came)[: len(came) - wanted]
        visits.is_present[missed] = False
        visits.is_late[missed] = False
        visits.minutes[missed] = 0
        visits.reason[missed] = REASONS.index("skipped")
