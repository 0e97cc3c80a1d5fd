"""The same models on a copy: no change gives no difference, a price changes just what it prices, and the home is as it was."""

from __future__ import annotations

import hashlib
import io
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.explain.keys import rows
from obc_pipeline.home import Home
from obc_pipeline.ledger.proposal import open_to_read
from obc_pipeline.simulate import read_scenario, simulate
from obc_pipeline.simulate.answer import view
from obc_pipeline.simulate.show import show_answer
from tests.explain.finished_home import finished_home

pytestmark = pytest.mark.slow
MATH = "CVSD-MATH-2026"


@pytest.fixture(scope="module")
def home() -> Home:
    return finished_home()


def _bytes_of(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file's hash and time, hidden ones too."""
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_no_change_is_no_difference_and_nothing_in_the_home_changes(home: Home) -> None:
    before = _bytes_of(home.path)
    seen = view(simulate(home, MATH, read_scenario()))
    assert _bytes_of(home.path) == before
    assert seen["total"]["difference"] == 0
    assert all(line["difference"] == 0 and line["now"] == line["then"] for line in seen["lines"])
    assert seen["caps"]["now"] == seen["caps"]["then"]
    assert seen["forecast"]["now"] == seen["forecast"]["then"]


def test_a_price_changes_what_it_prices_and_every_lever_at_once_leaves_the_home_alone(home: Home) -> None:
    with open_to_read(home) as connection:
        (counted,) = rows(
            connection,
            "select count(*) as students from payable.fct_settlement_line where contract_id = ? and line_id = 'G1' and decision = 'EARNED' and tier = 2",
            MATH,
        )
    assert counted["students"] > 0
    dearer = view(simulate(home, MATH, read_scenario(price=["G1:50=600.01"])))
    assert dearer["total"]["difference"] == counted["students"] * Decimal("100.01")
    assert [line["line_id"] for line in dearer["lines"] if line["difference"]] == ["G1"]
    before = _bytes_of(home.path)
    scenario = read_scenario(threshold=["G1:65=60"], gate=["60/100"], outcome_rate=["0.55"], attendance_rate="0.80", cap=["pool=5000"])
    seen = view(simulate(home, MATH, scenario))
    assert _bytes_of(home.path) == before
    rate = seen["attendance_rate"]["then"]
    assert abs(rate["numerator"] - Decimal("0.8") * rate["denominator"]) <= Decimal("0.5")
    assert seen["contingent"]["then"] <= 5_000
    assert seen["base"]["difference"] > 0, "more sessions attended, more base"
    for line_id, rates in seen["outcome_rates"].items():
        then = rates["then"]
        assert abs(then["numerator"] - Decimal("0.55") * then["denominator"]) <= 1, line_id
    shown = io.StringIO()
    show_answer(Console(file=shown, width=160), seen)
    assert "100 %" in shown.getvalue(), "a pool that is used up is an alert"


def test_a_contract_that_is_none_is_said(home: Home, tmp_path: Path) -> None:
    with pytest.raises(ArgumentWrong, match=MATH):
        simulate(home, "CVSD-MAHT-2026", read_scenario())
