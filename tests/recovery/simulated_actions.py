"""Small districts whose tutoring attendance has a known truth: who is served changes, or an action works, or one does not.

Each student has an own chance to attend a session, and attends or not by lot. What the marts should find is a property of the chances, so
it is known before the lots are drawn. Written at the grain of int_improvement__metric_observation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

METRIC = "tutoring_attendance"
SESSIONS_A_WEEK = 3
WEEKS = 4
LAST_WEEK_ON = date(2026, 3, 23)
SERVICE_STARTS_ON, SERVICE_ENDS_ON = date(2025, 10, 6), date(2026, 3, 27)
ACTION_STARTS_ON = date(2026, 2, 25)  # a Wednesday: its week is in neither window
BEFORE = [date(2026, 1, 26) + timedelta(days=7 * week) for week in range(WEEKS)]
AFTER = [date(2026, 3, 2) + timedelta(days=7 * week) for week in range(WEEKS)]
EARLIER = [date(2026, 2, 2) + timedelta(days=7 * week) for week in range(WEEKS)]

RATE_OF_SCHOOL = {"North": 0.85, "South": 0.60}
MIX = (40, 20)  # students of North and South in the earlier window; the other way round in the later one
MIX_TRUTH = (RATE_OF_SCHOOL["South"] - RATE_OF_SCHOOL["North"]) * (MIX[0] - MIX[1]) / sum(MIX)

STUDENTS_A_SIDE = 60
WORKING_EFFECT = 0.12
COMMON_CHANGE = -0.03  # what the same weeks do to everybody


@dataclass(frozen=True)
class Simulated:
    """Rows for int_improvement__metric_observation and int_improvement__student_group."""

    observations: pd.DataFrame
    groups: pd.DataFrame


def mix_shifts(districts: int, seed: int) -> Simulated:
    """Twenty of North's students leave and twenty of South's come; every student's chance stays what it is.

    Chances vary between the students of a school (standard deviation 0.1) around RATE_OF_SCHOOL, the same for those who stay and who go.
    """
    chance = np.random.default_rng(seed)
    frames, groups = [], []
    for number in range(districts):
        contract = f"MIX{number:03d}"
        for school, (earlier, later) in {"North": MIX, "South": (MIX[1], MIX[0])}.items():
            students = max(earlier, later)
            own = np.clip(chance.normal(RATE_OF_SCHOOL[school], 0.1, students), 0.02, 0.98)
            names = np.array([f"{school}{student:02d}" for student in range(students)])
            frames += [
                _attended(contract, school, names[:earlier], own[:earlier], EARLIER, chance),
                _attended(contract, school, names[:later], own[:later], AFTER, chance),
            ]
            groups.append(pd.DataFrame({"contract_id": contract, "student_id": names, "dimension": "school", "category": school}))
    return Simulated(pd.concat(frames, ignore_index=True), pd.concat(groups, ignore_index=True))


def exact_mix_shifts(districts: int) -> Simulated:
    """Schools whose rates are the same to the last digit in both windows, with other shares: nothing is left to chance."""
    rows = []
    for number in range(districts):
        for school, sessions, rate in (("North", (40, 10 + number), (3, 5)), ("South", (20, 50 + 3 * number), (1, 5))):
            for week, count in ((EARLIER[0], sessions[0]), (AFTER[0], sessions[1])):
                rows.append((f"EXACT{number:03d}", school, week, count * rate[0], count * rate[1]))
    frame = pd.DataFrame(rows, columns=["contract_id", "school_id", "week_start_on", "numerator", "denominator"])
    frame = frame.merge(pd.DataFrame({"student_id": [f"s{student:02d}" for student in range(12)]}), how="cross")
    frame["tutor_id"], frame["time_slot"] = "t", "08:00-09:59"
    return Simulated(frame, pd.DataFrame(columns=["contract_id", "student_id", "dimension", "category"]))


def actions(name: str, districts: int, effect: float, seed: int) -> Simulated:
    """STUDENTS_A_SIDE students an action is for (English learners) and as many others, before and after.

    Chances vary between students, and so do their own changes (standard deviation 0.05) around the common one; the action adds `effect`.
    """
    chance = np.random.default_rng(seed)
    frames, groups = [], []
    for number in range(districts):
        contract = f"{name}{number:03d}"
        for category, added in (("yes", effect), ("no", 0.0)):
            names = np.array([f"{category}{student:02d}" for student in range(STUDENTS_A_SIDE)])
            own = chance.uniform(0.45, 0.75, STUDENTS_A_SIDE)
            change = chance.normal(COMMON_CHANGE + added, 0.05, STUDENTS_A_SIDE)
            frames += [
                _attended(contract, "North", names, own, BEFORE, chance),
                _attended(contract, "North", names, np.clip(own + change, 0, 1), AFTER, chance),
            ]
            groups.append(
                pd.DataFrame({"contract_id": contract, "student_id": names, "dimension": "english_learner", "category": category})
            )
    return Simulated(pd.concat(frames, ignore_index=True), pd.concat(groups, ignore_index=True))


def _attended(
    contract: str, school: str, names: np.ndarray, chances: np.ndarray, weeks: list[date], chance: np.random.Generator
) -> pd.DataFrame:
    """One row per student and week; a tenth of the sessions was not theirs to attend and is in no denominator."""
    held = chance.binomial(SESSIONS_A_WEEK, 0.9, (len(names), len(weeks)))
    attended = chance.binomial(held, chances[:, None])
    frame = pd.DataFrame(
        {
            "contract_id": contract,
            "student_id": np.repeat(names, len(weeks)),
            "school_id": school,
            "tutor_id": "t",
            "time_slot": "08:00-09:59",
            "week_start_on": weeks * len(names),
            "numerator": attended.ravel(),
            "denominator": held.ravel(),
        }
    )
    return frame.query("denominator > 0")
