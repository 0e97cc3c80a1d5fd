"""Exit-ticket answers. Students who attend more and grow more answer somewhat better; the tie is weak, as in real data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from obc_pipeline.synthetic.chance import Bools, Floats, Ints, stream
from obc_pipeline.synthetic.tutoring import Tutoring

IDENTITY_LABELS = ("Not at all true", "A little true", "Somewhat true", "Mostly true", "Completely true")
FREQUENCY_LABELS = ("Never", "Rarely", "Sometimes", "Often", "Always")
EFFICACY = (1, 7)
FREE_TEXTS = (
    "",
    "it was fun 😀",
    'My tutor said "try again" and then I got it',
    "too long, too loud",
    "I want more games\nand more time",
    "no",
)


@dataclass
class Answers:
    """One entry per response. `engagement` is the raw answer to a reverse item: high is poor."""

    visit: Ints
    identity: Ints
    efficacy: Ints
    engagement: Ints
    is_satisfied: Bools
    text: Ints
    delay_minutes: Ints


def make_answers(tutoring: Tutoring, seed: int, *, share: float) -> Answers:
    """Answers to about `share` of the attended sessions; 1 % are sent twice within minutes."""
    rng = stream(seed, f"surveys {tutoring.program.contract_id}")
    visits = tutoring.visits
    mood = rng.normal(0, 0.8, len(tutoring.roster)) + 1.2 * (tutoring.attended_share() - 0.75)
    keenness = np.clip(share + rng.normal(0, 0.15, len(tutoring.roster)), 0.05, 0.95)
    answered = np.flatnonzero(visits.is_present & (rng.random(len(visits.is_present)) < keenness[visits.assignment]))
    twice = answered[rng.random(len(answered)) < 0.01]
    visit = np.concatenate([answered, twice])
    delay = np.concatenate([rng.integers(0, 20, len(answered)), rng.integers(20, 25, len(twice))])
    felt = mood[visits.assignment[visit]] + rng.normal(0, 0.7, len(visit))
    return Answers(
        visit=visit,
        identity=_scale(felt * 0.9 + 3.3, 1, 5),
        efficacy=_scale(felt * 1.2 + 4.4, *EFFICACY),
        engagement=_scale(2.6 - felt * 0.8 + rng.normal(0, 0.6, len(visit)), 1, 5),
        is_satisfied=felt + rng.normal(0, 0.8, len(visit)) > -0.9,
        text=np.where(rng.random(len(visit)) < 0.12, rng.integers(1, len(FREE_TEXTS), len(visit)), 0),
        delay_minutes=delay,
    )


def _scale(value: Floats, low: int, high: int) -> Ints:
    return np.clip(np.floor(value + 0.5), low, high).astype(np.int64)
