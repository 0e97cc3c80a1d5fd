"""The statistics macros of the dbt project, rendered and run in DuckDB, against SciPy."""

from __future__ import annotations

import math
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment
from scipy import stats

MACROS = Path(__file__).resolve().parents[2] / "dbt_project" / "macros"
SOURCE = (MACROS / "settlement" / "wilson.sql").read_text() + (MACROS / "statistics" / "intervals.sql").read_text()
CONNECTION = duckdb.connect()


def value(call: str) -> float | None:
    """What DuckDB makes of a macro call."""
    sql = Environment().from_string(SOURCE + "{{ " + call + " }}").render().strip()
    row = CONNECTION.execute(f"select {sql}").fetchone()
    assert row is not None
    return None if row[0] is None else float(row[0])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys(count: tuple[int, int]) -> None:
    met, n = count
    low, high = stats.binomtest(met, n).proportion_ci(0.95, "wilson")
    assert value(f"wilson_bound('{met}', '{n}', '-')") == pytest.approx(low, abs=1e-6)
    assert value(f"wilson_bound('{met}', '{n}', '+')") == pytest.approx(high, abs=1e-6)


def newcombe(x1: int, n1: int, x2: int, n2: int) -> tuple[float, float]:
    """The interval from SciPy's two Wilson intervals."""
    low1, high1 = stats.binomtest(x1, n1).proportion_ci(0.95, "wilson")
    low2, high2 = stats.binomtest(x2, n2).proportion_ci(0.95, "wilson")
    p1, p2 = x1 / n1, x2 / n2
    return p1 - p2 - math.hypot(p1 - low1, high2 - p2), p1 - p2 + math.hypot(high1 - p1, p2 - low2)


@pytest.mark.parametrize("counts", [(56, 70, 48, 80), (9, 10, 3, 10), (0, 10, 0, 20), (10, 10, 0, 20), (1, 30, 30, 30)])
def test_newcombe_of_two_shares(counts: tuple[int, int, int, int]) -> None:
    low, high = newcombe(*counts)
    arguments = ", ".join(f"'{count}'" for count in counts)
    assert value(f"newcombe_bound({arguments}, '-')") == pytest.approx(low, abs=1e-6)
    assert value(f"newcombe_bound({arguments}, '+')") == pytest.approx(high, abs=1e-6)


def test_newcombes_own_example() -> None:
    # Newcombe 1998, table II, 56/70 - 48/80 by method 10: 0.0524 to 0.3339.
    assert value("newcombe_bound('56', '70', '48', '80', '-')") == pytest.approx(0.0524, abs=5e-5)
    assert value("newcombe_bound('56', '70', '48', '80', '+')") == pytest.approx(0.3339, abs=5e-5)


def test_no_denominator_no_bound() -> None:
    assert value("newcombe_bound('0', '0', '1', '2', '-')") is None
    assert value("newcombe_bound('1', '2', '0', '0', '+')") is None


@pytest.mark.parametrize("df", [1, 2, 3, 4, 5, 6, 8, 10, 20, 29, 60, 120, 1000])
def test_t_quantile(df: int) -> None:
    assert value(f"t_quantile('{df}')") == pytest.approx(float(stats.t.ppf(0.975, df)), abs=5e-4)


def test_t_quantile_needs_a_degree_of_freedom() -> None:
    assert value("t_quantile('0')") is None


@pytest.mark.parametrize("n", [4, 10, 30, 200])
def test_hedges_correction_is_close_to_the_exact_factor(n: int) -> None:
    df = n - 2
    exact = math.exp(math.lgamma(df / 2) - math.lgamma((df - 1) / 2)) / math.sqrt(df / 2)
    assert value(f"hedges_correction('{n}')") == pytest.approx(exact, abs=0.01 if n < 10 else 0.001)


def test_median_ranks_hold_95_percent_and_waste_little() -> None:
    assert value("median_rank('5', '-')") is None
    for n in [*range(6, 300), 499, 1000, 4321]:
        low, high = value(f"median_rank('{n}', '-')"), value(f"median_rank('{n}', '+')")
        assert low is not None
        assert high is not None
        assert 1 <= low < high <= n
        # The median lies between the two order statistics when at least `low` and at most `high` - 1 values fall below it.
        coverage = stats.binom.cdf(high - 1, n, 0.5) - stats.binom.cdf(low - 1, n, 0.5)
        assert coverage >= 0.95, (n, coverage)
        if n >= 9:
            narrower = stats.binom.cdf(high - 3, n, 0.5) - stats.binom.cdf(low + 1, n, 0.5)
            assert narrower < 0.95, (n, narrower)


@pytest.mark.parametrize("p", [0.0005, 0.01, 0.02425, 0.03, 0.35, 0.5, 0.65, 0.9, 0.97575, 0.99, 0.9995])
def test_normal_quantile(p: float) -> None:
    assert value(f"normal_quantile('{p}')") == pytest.approx(float(stats.norm.ppf(p)), abs=1e-7)


@pytest.mark.parametrize("p", [0, 1])
def test_no_quantile_at_the_ends(p: int) -> None:
    assert value(f"normal_quantile('{p}')") is None
