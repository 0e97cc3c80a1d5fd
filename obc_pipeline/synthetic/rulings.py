"""What the contract office ruled on: disputes, causes of missing tests, absences and attendance conflicts."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import date, timedelta

import numpy as np

from obc_pipeline.synthetic.chance import Ints, stream
from obc_pipeline.synthetic.map_growth import MapStory
from obc_pipeline.synthetic.people import Students
from obc_pipeline.synthetic.star_reading import StarStory
from obc_pipeline.synthetic.tutoring import OPEN_END, REASONS, Tutoring

_CAUSE = "MISSING_TEST_CAUSE"


@dataclass(frozen=True)
class Ruling:
    """One row of the rulings file."""

    ruling_id: str
    ruled_on: str
    ruled_by: str
    party_roles: str
    subject: str
    contract_id: str
    student_id: str
    key: str
    value: str
    reason: str
    evidence_uri: str

    def fields(self) -> tuple[str, ...]:
        """The values in the order of the header."""
        return astuple(self)


def session_id(tutoring: Tutoring, session: int) -> str:
    """The provider's own id of a session."""
    return f"{tutoring.program.tutor_prefix}-S{session:07d}"


def make_rulings(
    students: Students, math: Tutoring, reading: Tutoring, map_story: MapStory, star_story: StarStory, seed: int
) -> list[Ruling]:
    """One ruling of each kind that the payment rules know, and one per session that the district lost and owns up to; by date."""
    rng = stream(seed, "rulings")
    planned = np.concatenate([*map_story.missing.values(), *star_story.missing.values()])
    calm, calm_reading = rng.permutation(_undisturbed(math, planned)), rng.permutation(_undisturbed(reading, planned))
    missing, missing_reading = map_story.missing, star_story.missing
    matters = [
        _Matter("2026-06-09", "DISPUTE", math, calm[0], "", "OPEN", "Provider disputes the tutor record of this student"),
        _Matter("2026-06-09", "DISPUTE", math, calm[1], "G1", "OPEN", "Family reports an illness on the day of the spring test"),
        _Matter("2026-06-15", "DISPUTE", math, calm[1], "G1", "RESOLVED", "Test administration reviewed; the result stands"),
        _Matter("2026-06-10", "DISPUTE", reading, calm_reading[0], "G1", "OPEN", "Provider disputes the growth score"),
        _Matter("2026-06-11", _CAUSE, math, missing["SPRING"][0], "SPRING", "DISTRICT", "Not scheduled for a make-up day"),
        _Matter("2026-06-11", _CAUSE, math, missing["SPRING"][1], "SPRING", "PROVIDER", "Kept in a session on test days"),
        _Matter("2026-02-19", _CAUSE, math, missing["WINTER"][0], "WINTER", "NONE", "Absent on the test and make-up days"),
        _Matter("2025-10-16", _CAUSE, math, missing["FALL"][0], "FALL", "DISTRICT", "Device cart was not delivered"),
        _Matter("2026-06-11", _CAUSE, reading, missing_reading["SPRING"][0], "SPRING", "DISTRICT", "Not scheduled"),
        *_about_visits(math),
        *_about_sessions(math),
    ]
    ordered = sorted(matters, key=lambda matter: matter.ruled_on)
    return [matter.as_ruling(f"R-{number:05d}", students) for number, matter in enumerate(ordered, start=1)]


@dataclass(frozen=True)
class _Matter:
    """What was ruled, before it has a number. `student` None: for everyone in the session."""

    ruled_on: str
    subject: str
    tutoring: Tutoring
    student: int | None
    key: str
    value: str
    reason: str

    def as_ruling(self, ruling_id: str, students: Students) -> Ruling:
        return Ruling(
            ruling_id=ruling_id,
            ruled_on=self.ruled_on,
            ruled_by="Contract office",
            party_roles="DISTRICT;PROVIDER",
            subject=self.subject,
            contract_id=self.tutoring.program.contract_id,
            student_id="" if self.student is None else f"{students.number[self.student]:08d}",
            key=self.key,
            value=self.value,
            reason=self.reason,
            evidence_uri=f"minutes/{self.ruled_on}.pdf",
        )


def _undisturbed(tutoring: Tutoring, planned: Ints) -> Ints:
    roster = tutoring.roster
    return roster.student[roster.whole_year & (roster.end_reason == OPEN_END) & ~np.isin(roster.student, planned)]


def _about_visits(math: Tutoring) -> list[_Matter]:
    """A missed session credited to a student who is one short of the gate; two conflicts with school attendance, one each way."""
    visits, roster, sessions = math.visits, math.roster, math.sessions
    short = np.flatnonzero(roster.whole_year & (math.dose() == math.program.gate_sessions - 1))
    skipped = np.flatnonzero(np.isin(visits.assignment, short) & (visits.reason == REASONS.index("skipped")) & ~visits.is_sis_absent)
    conflicts = np.flatnonzero(visits.is_present & visits.is_sis_absent & ~sessions.is_online[visits.session])
    conflicts = conflicts[roster.whole_year[visits.assignment[conflicts]]]
    wanted = [
        *((visit, "ABSENCE_CAUSE", "DISTRICT_TECH", "Network outage in the building") for visit in skipped[:1]),
        *((visit, "ATTENDANCE_CONFLICT", "PRESENT", "Attendance entry was wrong") for visit in conflicts[:1]),
        *((visit, "ATTENDANCE_CONFLICT", "ABSENT", "Session log was wrong") for visit in conflicts[1:2]),
    ]
    student, session = roster.student[visits.assignment], visits.session
    return [
        _Matter("2026-06-12", subject, math, int(student[visit]), session_id(math, int(session[visit])), value, reason)
        for visit, subject, value, reason in wanted
    ]


def _about_sessions(math: Tutoring) -> list[_Matter]:
    """Sessions that the district canceled and says so, ruled on the first day of the month after."""
    sessions, matters = math.sessions, []
    for session in np.flatnonzero(sessions.is_acknowledged).tolist():
        ruled_on = (date.fromordinal(int(sessions.on[session])).replace(day=1) + timedelta(days=32)).replace(day=1)
        cause = REASONS[sessions.reason[session]].upper()
        key = session_id(math, int(session))
        matters.append(_Matter(ruled_on.isoformat(), "ABSENCE_CAUSE", math, None, key, cause, "Canceled by the school"))
    return matters
