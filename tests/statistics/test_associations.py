"""Ranks, p values, corrections and slopes of the association marts against SciPy and NumPy; and what they say of districts with a known truth."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from rendered import expression, model
from scipy import stats

KEYS = ["family", "contract_id", "construct", "factor", "lag_weeks"]


def numbers(sql: str, **columns: Any) -> np.ndarray:
    """A SQL expression over columns of numbers, row by row in their order."""
    frame = pd.DataFrame({"place": np.arange(len(next(iter(columns.values())))), "one": 1, **columns})  # noqa: F841  read by DuckDB
    return duckdb.sql(f"select {sql} as found from frame order by place").df()["found"].to_numpy(dtype=float)


def spearman(pairs: pd.DataFrame) -> pd.DataFrame:
    """The model on those pairs."""
    connection = duckdb.connect()
    connection.register("int_improvement__association_pair", pairs)
    return connection.execute(model("int_improvement__spearman")).df()


def pairs_of(x: np.ndarray, y: np.ndarray, students: np.ndarray, district: int) -> pd.DataFrame:
    fixed: dict[str, Any] = {"family": "SEL", "contract_id": f"{district:03d}", "construct": "identity", "factor": "G1", "lag_weeks": 0}
    return pd.DataFrame({**fixed, "student_key": students.astype(str), "x": x, "y": y})


def interval(found: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower and upper ends and p values, as the marts make them of rho and the standard error of its z."""
    z, error = np.arctanh(found["rho"].to_numpy()), found["z_se"].to_numpy()
    low, high = (numbers(expression(f"from_fisher_z('z {sign} 1.9599640e0 * e')"), z=z, e=error) for sign in "-+")
    return low, high, numbers(expression("two_sided_p('z / e')"), z=z, e=error)


def test_p_value_is_the_normal_distributions() -> None:
    z = np.array([-9.0, -3.2905, -1.96, -0.5, 0.0, 1e-6, 0.3, 1.0, 1.959964, 2.5758, 4.0, 6.0, 8.0])
    assert numbers(expression("two_sided_p('z')"), z=z) == pytest.approx(2 * stats.norm.sf(np.abs(z)), rel=2e-7)


def test_fishers_z_there_and_back() -> None:
    r = np.array([-0.99, -0.5, 0.0, 0.1, 0.3, 0.95])
    z = numbers(expression("fisher_z('r')"), r=r)
    assert z == pytest.approx(np.arctanh(r))
    assert numbers(expression("from_fisher_z('z')"), z=z) == pytest.approx(r)
    assert np.isfinite(numbers(expression("fisher_z('r')"), r=np.array([-1.0, 1.0]))).all()


def test_average_ranks_are_scipys() -> None:
    values = np.random.default_rng(1).integers(0, 12, 60).astype(float)
    assert numbers(expression("average_rank('v', 'one')"), v=values) == pytest.approx(stats.rankdata(values))


@pytest.mark.parametrize("p", [[0.01, 0.04, 0.03, 0.005], [0.5], [0.2, 0.2, 0.2], [0.001, 0.9, 0.9, 0.04, 0.04, 0.011]])
def test_benjamini_hochberg_is_scipys(p: list[float]) -> None:
    frame = pd.DataFrame({"place": range(len(p) + 1), "one": 1, "p": [*p, None]})  # noqa: F841  the last is no look
    steps = [expression(call) for call in ("bh_scaled('p', 'one')", "bh_adjusted('p', 'scaled', 'one')")]
    scaled = f"select *, {steps[0]} as scaled from frame"
    adjusted = f"select place, {steps[1]} as q from ({scaled}) qualify p is not null order by place"
    assert duckdb.sql(adjusted).df()["q"].to_numpy() == pytest.approx(stats.false_discovery_control(p))


def test_rho_is_scipys_with_ties_and_without() -> None:
    draw = np.random.default_rng(2)
    for ties in (False, True):
        x, y = draw.normal(size=80), draw.normal(size=80)
        if ties:
            x, y = np.round(x), np.round(y * 2)
        found = spearman(pairs_of(x, y, np.arange(80), 0))
        expected = stats.spearmanr(x, y)
        assert found["rho"][0] == pytest.approx(expected.statistic)
        assert interval(found)[2][0] == pytest.approx(expected.pvalue, abs=0.01)


def test_intervals_of_rho_cover_the_truth_in_200_districts() -> None:
    """Bivariate normal pairs of 60 students: Spearman's rho is 6 / pi x asin(r / 2)."""
    draw = np.random.default_rng(3)
    for r in (0.0, 0.3, 0.6):
        truth = 6 / np.pi * np.arcsin(r / 2)
        stacked = []
        for district in range(200):
            x, noise = draw.normal(size=60), draw.normal(size=60)
            stacked.append(pairs_of(x, r * x + np.sqrt(1 - r**2) * noise, np.arange(60), district))
        low, high, p = interval(spearman(pd.concat(stacked)))
        assert len(low) == 200
        assert np.mean((low <= truth) & (truth <= high)) >= 0.90, r
        if r == 0:
            assert np.mean(p <= 0.05) <= 0.07


def test_weeks_of_a_student_hang_together_and_no_effect_stays_none() -> None:
    """40 students x 12 weeks whose answers and attendance each drift from week to week, unrelated to one another."""
    draw = np.random.default_rng(4)

    def drift() -> np.ndarray:
        steps = draw.normal(size=(40, 12))
        walk = np.zeros_like(steps)
        walk[:, 0] = steps[:, 0]
        for week in range(1, 12):
            walk[:, week] = 0.6 * walk[:, week - 1] + steps[:, week]
        return (walk - walk.mean(axis=1, keepdims=True)).round(9).ravel()

    stacked = [pairs_of(drift(), drift(), np.repeat(np.arange(40), 12), district) for district in range(200)]
    found = spearman(pd.concat(stacked))
    _, _, p = interval(found)
    assert (found["n_students"] == 40).all()
    assert np.mean(p <= 0.05) <= 0.07
    # The interval of independent pairs would have been wrong: that is why students are kept together.
    naive = np.sqrt((1 + found["rho"] ** 2 / 2) / (found["n_pairs"] - 3))
    assert np.mean(np.abs(np.arctanh(found["rho"]) / naive) > 1.96) > 0.07


def observations(seed: int, n: int = 120) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    attendance = draw.beta(40, 3, n)
    dosage = np.clip(attendance * draw.uniform(0.2, 1.2, n), 0, 1.3)
    value = 0.5 * dosage + 4 * (attendance - 0.93) + draw.normal(0, 0.8, n)
    fixed = {"contract_id": "C", "line_id": "G1", "measure": "mean_cgi"}
    edges = np.array([0.25, 0.5, 0.7, 0.8, 0.9])
    columns = {
        "observed_value": value,
        "dosage_rate": dosage,
        "school_attendance_rate": attendance,
        "bin_number": np.digitize(dosage, edges) + 1,
    }
    return pd.DataFrame({**fixed, "student_key": np.arange(n).astype(str), **columns})


def least_squares(design: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Coefficients, their covariance and degrees of freedom."""
    inverse = np.linalg.inv(design.T @ design)
    found = inverse @ design.T @ value
    degrees = len(value) - design.shape[1]
    return found, inverse * float(np.sum((value - design @ found) ** 2)) / degrees, degrees


def test_slopes_are_least_squares() -> None:
    seen = observations(5)
    connection = duckdb.connect()
    connection.register("int_improvement__dose_observation", seen)
    found = connection.execute(model("int_improvement__dose_trend")).df().iloc[0]
    alone = stats.linregress(seen["dosage_rate"], seen["observed_value"])
    assert (found["slope"], found["slope_se"]) == pytest.approx((alone.slope, alone.stderr))
    design = np.column_stack([np.ones(len(seen)), seen["dosage_rate"], seen["school_attendance_rate"]])
    beside, covariance, _ = least_squares(design, seen["observed_value"].to_numpy())
    assert (found["adjusted_slope"], found["adjusted_slope_se"]) == pytest.approx((beside[1], np.sqrt(covariance[1, 1])))


def test_adjusted_bins_are_an_analysis_of_covariance() -> None:
    seen = observations(6)
    connection = duckdb.connect()
    connection.register("int_improvement__dose_observation", seen)
    connection.execute(f"create table int_improvement__dose_trend as {model('int_improvement__dose_trend')}")
    connection.execute("create table int_payment__line as select 'C' as contract_id, 'G1' as line_id, 'CGP_FALL_SPRING' as metric")
    connection.execute("create table setting as select 10 as least_group_n, 30 as normal_group_n")
    connection.execute("create table block as select 'D' as contract_id")
    found = connection.execute(
        model("rpt_dose_response", {"documents.improvement_setting": "setting", "intake.contract_block": "block"})
    ).df()
    found = found[(found["measure"] == "mean_cgi") & (found["bin_number"] > 0) & (found["status"] != "not_enough_data")]
    assert len(found) >= 3
    dummies = np.column_stack([seen["bin_number"] == number for number in range(1, 7)]).astype(float)
    centred = seen["school_attendance_rate"].to_numpy() - seen["school_attendance_rate"].mean()
    used = dummies.any(axis=0)
    beta, covariance, degrees = least_squares(np.column_stack([dummies[:, used], centred]), seen["observed_value"].to_numpy())
    place = {number + 1: index for index, number in enumerate(np.flatnonzero(used))}
    for row in found.itertuples():
        at = place[int(row.bin_number)]
        reach = stats.t.ppf(0.975, degrees) * np.sqrt(covariance[at, at])
        assert float(row.adjusted_value) == pytest.approx(beta[at], abs=1e-6)
        assert (float(row.adjusted_ci_low), float(row.adjusted_ci_high)) == pytest.approx((beta[at] - reach, beta[at] + reach), abs=1e-4)
        values = seen.loc[seen["bin_number"] == row.bin_number, "observed_value"]
        low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
        assert (float(row.ci_low), float(row.ci_high)) == pytest.approx((low, high), abs=1e-3)
