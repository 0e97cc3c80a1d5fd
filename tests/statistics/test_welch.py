"""Welch's interval of the dbt project against SciPy."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment
from scipy import stats

MACROS = Path(__file__).resolve().parents[2] / "dbt_project" / "macros" / "statistics"
SOURCE = (MACROS / "intervals.sql").read_text() + (MACROS / "welch.sql").read_text()
CONNECTION = duckdb.connect()


def value(macro: str, variance_a: float, n_a: int, variance_b: float, n_b: int) -> float | None:
    call = f"{macro}('{variance_a!r}::double', '{n_a}', '{variance_b!r}::double', '{n_b}')"
    sql = Environment().from_string(SOURCE + "{{ " + call + " }}").render().strip()
    row = CONNECTION.execute(f"select {sql}").fetchone()
    assert row is not None
    return None if row[0] is None else float(row[0])


@settings(max_examples=60, deadline=None)
@given(st.integers(6, 200), st.integers(6, 200), st.floats(0.05, 3), st.floats(0.05, 3), st.integers(0, 1000))
def test_the_interval_is_scipys(n_a: int, n_b: int, sd_a: float, sd_b: float, seed: int) -> None:
    draw = np.random.default_rng(seed)
    a, b = draw.normal(0, sd_a, n_a), draw.normal(0, sd_b, n_b)
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    reach = value("welch_reach", float(a.var(ddof=1)), n_a, float(b.var(ddof=1)), n_b)
    assert reach is not None
    assert reach == pytest.approx((expected.high - expected.low) / 2, rel=2e-3)


def test_equal_groups_have_all_their_degrees_of_freedom() -> None:
    assert value("welch_df", 0.01, 3, 0.01, 3) == 4
    assert value("welch_reach", 0.01, 3, 0.01, 3) == pytest.approx(2.7764451 * (0.02 / 3) ** 0.5, abs=1e-9)


def test_where_nothing_varies_nothing_is_uncertain_and_one_student_is_too_few() -> None:
    assert value("welch_reach", 0, 10, 0, 10) == 0
    assert value("welch_reach", 0.1, 1, 0.1, 1) is None


def test_degrees_of_freedom_may_be_an_expression() -> None:
    sql = Environment().from_string(SOURCE + "{{ t_quantile('30 - 1') }}").render()
    row = CONNECTION.execute(f"select {sql}").fetchone()
    assert row is not None
    assert float(row[0]) == pytest.approx(stats.t.ppf(0.975, 29), abs=1e-4)
