"""The state's summative test of this spring and the last: levels 1 (lowest) to 4, level 3 is proficient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from obc_pipeline.synthetic.chance import Ints, hundredths, percentile, pick, stream
from obc_pipeline.synthetic.people import Students
from obc_pipeline.synthetic.school_year import WINDOWS
from obc_pipeline.synthetic.tutoring import OPEN_END, Tutoring

GRADES = (3, 4, 5, 6, 7, 8)
SUBJECTS = ("math", "ela")
STATUSES = ("scored", "absent", "invalid", "not_tested")
STATUS_REASONS = ("", "absent in the window and on make-up days", "test irregularity", "medical exemption")
LEVELS = ("", "Beginning", "Approaching", "Proficient", "Advanced")
_CUTS = (390, 430, 465)  # scale scores at which levels 2, 3 and 4 begin


@dataclass
class StateResults:
    """One entry per student and subject of one administration."""

    student: Ints
    subject: Ints
    grade: Ints
    status: Ints
    scale_score: Ints
    level: Ints
    percentile: Ints


def make_state_results(students: Students, tutoring: Tutoring, seed: int, *, years_ago: int = 0) -> StateResults:
    """Results of the spring `years_ago` before this one. Last year's know nothing of this year's tutoring."""
    rng = stream(seed, f"state test {years_ago}")
    grade = students.grade - years_ago
    tested = np.flatnonzero(np.isin(grade, GRADES))
    if years_ago:
        tested = tested[rng.random(len(tested)) < 0.88]
    else:
        tested = tested[students.is_enrolled(tested, np.full(len(tested), WINDOWS["SPRING"][0].toordinal() + 10))]
    effect = np.zeros(len(students))
    if not years_ago:
        effect[tutoring.roster.student] = 0.2 * tutoring.attended_share()
    parts = [_subject(rng, students, tested, grade, number, effect, tutoring) for number in range(len(SUBJECTS))]
    return StateResults(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in StateResults.__dataclass_fields__})


def _subject(
    rng: np.random.Generator, students: Students, tested: Ints, grade: Ints, subject: int, effect: np.ndarray, tutoring: Tutoring
) -> StateResults:
    ability = students.math + effect if subject == 0 else students.reading
    latent = ability[tested] + rng.normal(0, 0.3, len(tested))
    score = np.clip(np.floor(425 + 33 * latent + 0.5), 300, 550).astype(np.int64)
    draw = rng.random(len(tested))
    status = np.where(draw < 0.965, 0, np.where(draw < 0.985, 1, np.where(draw < 0.990, 2, 3)))
    if subject == 0:
        roster = tutoring.roster
        whole = roster.student[roster.whole_year & (roster.end_reason == OPEN_END)]
        at_cut = np.isin(tested, pick(rng, whole, max(2, len(whole) // 100)))
        score[at_cut], status[at_cut] = _CUTS[1], 0
    return StateResults(
        student=tested,
        subject=np.full(len(tested), subject, dtype=np.int64),
        grade=grade[tested],
        status=status,
        scale_score=score,
        level=1 + np.searchsorted(np.array(_CUTS), score, side="right"),
        percentile=percentile(hundredths(latent)),
    )
