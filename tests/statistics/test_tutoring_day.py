"""The tutoring-day effect of the dbt project against the regression it stands for, and its known truth."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import pandas as pd
import pytest
from rendered import model


def school_days(seed: int, students: int = 40, effect: float = 0.05) -> list[tuple[int, int, bool, float]]:
    """(student, weekday, is tutoring day, present) of 20 weeks: unequal students and weekdays, two or three tutoring days, some cancelled."""
    draw = np.random.default_rng(seed)
    weekday_level = np.array([-0.06, 0.0, 0.01, 0.0, -0.03])
    rows = []
    for student in range(students):
        level = draw.uniform(0.7, 0.9)
        planned = draw.choice(5, draw.integers(2, 4), replace=False)
        for day in range(100):
            weekday = day % 5
            is_tutoring = bool(weekday in planned and draw.random() < 0.9)
            if draw.random() < 0.95:  # some days are no days of membership
                rows.append((student, weekday, is_tutoring, float(draw.random() < level + weekday_level[weekday] + effect * is_tutoring)))
    return rows


def effects_in_sql(samples: Sequence[list[tuple[int, int, bool, float]]]) -> list[tuple[float, float]]:
    """Effect and error of each sample; all in one query, a contract each."""
    connection = duckdb.connect()
    columns = ["contract_id", "student_key", "weekday", "is_tutoring_day", "present"]
    connection.register("days", pd.DataFrame([(number, *row) for number, rows in enumerate(samples) for row in rows], columns=columns))
    connection.execute(
        "create table int_improvement__school_day_cell as select contract_id, null::varchar as school_id, student_key, weekday, "
        "is_tutoring_day, count(*) as n_days, sum(present) as present_days from days group by all"
    )
    found = connection.execute(f"select effect, standard_error from ({model('int_improvement__tutoring_day_effect')}) order by contract_id")
    return [(float(effect), float(error)) for effect, error in found.fetchall()]


def by_least_squares(rows: list[tuple[int, int, bool, float]]) -> tuple[float, float]:
    """Dummy variables for every student and weekday; the error clustered by student, with n / (n - 1)."""
    student = np.array([row[0] for row in rows])
    weekday = np.array([row[1] for row in rows])
    tutoring = np.array([row[2] for row in rows], dtype=float)
    present = np.array([row[3] for row in rows])
    fixed = np.hstack([student[:, None] == np.unique(student), weekday[:, None] == np.arange(1, 5)]).astype(float)

    def free_of_fixed(values: np.ndarray) -> np.ndarray:
        return values - fixed @ np.linalg.lstsq(fixed, values, rcond=None)[0]

    own_tutoring, own_present = free_of_fixed(tutoring), free_of_fixed(present)
    square = float(own_tutoring @ own_tutoring)
    effect = float(own_tutoring @ own_present) / square
    pulls = own_tutoring * (own_present - effect * own_tutoring)
    scores = np.array([pulls[student == one].sum() for one in np.unique(student)])
    return effect, float(np.sqrt((scores**2).sum() * len(scores) / (len(scores) - 1)) / square)


def test_it_is_the_regression_with_students_and_weekdays() -> None:
    samples = [school_days(seed) for seed in (1, 2, 3)]
    for found, rows in zip(effects_in_sql(samples), samples, strict=True):
        assert found == pytest.approx(by_least_squares(rows), rel=1e-6)


def test_its_interval_covers_the_truth() -> None:
    found = effects_in_sql([school_days(100 + seed, students=30) for seed in range(100)])
    covered = sum(abs(effect - 0.05) <= 2.045 * error for effect, error in found)
    assert covered >= 90
