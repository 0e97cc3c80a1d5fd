"""What the contract office ruled on: disputes, causes of missing tests, absences and attendance conflicts."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from obc_pipeline.synthetic.chance import Ints, stream
from obc_pipeline.synthetic.map_growth import MapStory
from obc_pipeline.synthetic.people import Students
from obc_pipeline.synthetic.star_reading import StarStory
from obc_pipeline.synthetic.tutoring import OPEN_END, REASONS, Tutoring


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
    """One ruling of each kind that the payment rules know, in order of their number."""
    rng = stream(seed, "rulings")
    planned = np.concatenate([*map_story.missing.values(), *star_story.missing.values()])

    def number(student: int) -> str:
        return f"{students.number[student]:08d}"

    math_id, reading_id = math.program.contract_id, reading.program.contract_id
    calm = rng.permutation(_undisturbed(math, planned))
    calm_reading = rng.permutation(_undisturbed(reading, planned))
    rows: list[tuple[str, str, str, str, str, str, str]] = [
        ("2026-06-09", "DISPUTE", math_id, number(calm[0]), "", "OPEN", "Provider disputes the tutor record of this student"),
        ("2026-06-09", "DISPUTE", math_id, number(calm[1]), "G1", "OPEN", "Family reports an illness on the day of the spring test"),
        ("2026-06-15", "DISPUTE", math_id, number(calm[1]), "G1", "RESOLVED", "Test administration reviewed; the result stands"),
        ("2026-06-10", "DISPUTE", reading_id, number(calm_reading[0]), "G1", "OPEN", "Provider disputes the growth score"),
        ("2026-06-11", "MISSING_TEST_CAUSE", math_id, number(map_story.missing["SPRING"][0]), "SPRING", "DISTRICT", "Not scheduled for a make-up day"),
        ("2026-06-11", "MISSING_TEST_CAUSE", math_id, number(map_story.missing["SPRING"][1]), "SPRING", "PROVIDER", "Kept in a session on test days"),
        ("2026-02-19", "MISSING_TEST_CAUSE", math_id, number(map_story.missing["WINTER"][0]), "WINTER", "NONE", "Absent on the test and make-up days"),
        ("2025-10-16", "MISSING_TEST_CAUSE", math_id, number(map_story.missing["FALL"][0]), "FALL", "DISTRICT", "Device cart was not delivered"),
        ("2026-06-11", "MISSING_TEST_CAUSE", reading_id, number(star_story.missing["SPRING"][0]), "SPRING", "DISTRICT", "Not scheduled"),
        *_about_sessions(math, number),
    ]
    return [
        Ruling(f"R-{n:03d}", ruled_on, "Contract office", "DISTRICT;PROVIDER", *rest, f"minutes/{ruled_on}.pdf")
        for n, (ruled_on, *rest) in enumerate(sorted(rows, key=lambda row: row[0]), start=1)
    ]


def _undisturbed(tutoring: Tutoring, planned: Ints) -> Ints:
    roster = tutoring.roster
    return roster.student[roster.whole_year & (roster.end_reason == OPEN_END) & ~np.isin(roster.student, planned)]


def _about_sessions(math: Tutoring, number) -> list[tuple[str, ...]]:  # noqa: ANN001
    """A missed session credited to a student who is one short of the gate; two conflicts with school attendance, one each way."""
    visits, roster, sessions = math.visits, math.roster, math.sessions
    rows: list[tuple[str, ...]] = []
    short = np.flatnonzero(roster.whole_year & (math.dose() == math.program.gate_sessions - 1))
    skipped = np.flatnonzero(np.isin(visits.assignment, short) & (visits.reason == REASONS.index("skipped")) & ~visits.is_sis_absent)
    if len(skipped):
        visit = int(skipped[0])
        student = int(roster.student[visits.assignment[visit]])
        key = session_id(math, int(visits.session[visit]))
        rows.append(("2026-06-12", "ABSENCE_CAUSE", math.program.contract_id, number(student), key, "DISTRICT_TECH", "Network outage in the building"))
    conflicts = np.flatnonzero(visits.is_present & visits.is_sis_absent & ~sessions.is_online[visits.session])
    conflicts = conflicts[roster.whole_year[visits.assignment[conflicts]]]
    for visit, value, reason in zip(conflicts, ("PRESENT", "ABSENT"), ("Attendance entry was wrong", "Session log was wrong"), strict=False):
        student = int(roster.student[visits.assignment[visit]])
        key = session_id(math, int(visits.session[visit]))
        rows.append(("2026-06-12", "ATTENDANCE_CONFLICT", math.program.contract_id, number(student), key, value, reason))
    return rows
