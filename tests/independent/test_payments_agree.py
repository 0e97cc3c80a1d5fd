"""The payable marts and the calculation by hand, which share no code, owe the same, to the cent, for every student and line."""

from __future__ import annotations

from decimal import Decimal

import pytest
from payment_by_hand import Owed, payment_by_hand

from obc_pipeline.home import Home
from obc_pipeline.run import Run
from obc_pipeline.synthetic import generate

pytestmark = pytest.mark.slow
Paid = tuple[dict[tuple[str, str, str], tuple[str, Decimal]], dict[tuple[str, str], Decimal]]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Owed, Paid]:
    """By hand first: taking a home in empties its landing folder."""
    home = Home(tmp_path_factory.mktemp("agree") / "home")
    generate(home.path, 2_000, seed=11)
    by_hand = payment_by_hand(home.path)
    return by_hand, run_pipeline(home)


def run_pipeline(home: Home) -> Paid:
    run = Run(home)
    run.load_documents()
    run.receive()
    run.read()
    run.check_sources()
    run.build()
    with run.warehouse() as connection:
        lines = connection.execute(
            "select contract_id, line_id, student_id, decision, earned_amount from payable.fct_payment_decision"
        ).fetchall()
        base = connection.execute("select contract_id, student_id, base_amount from payable.fct_base_payment").fetchall()
    decisions = {(contract, line, student): (decision, amount) for contract, line, student, decision, amount in lines}
    assert len(decisions) == len(lines)
    return decisions, {(contract, student): amount for contract, student, amount in base}


def test_every_line_of_every_student_is_decided_and_paid_the_same(both: tuple[Owed, Paid]) -> None:
    by_hand, (decisions, _) = both
    assert decisions.keys() == by_hand.decisions.keys()
    assert {key: decisions[key] for key in decisions if decisions[key] != by_hand.decisions[key]} == {}


def test_every_base_amount_is_the_same(both: tuple[Owed, Paid]) -> None:
    by_hand, (_, base) = both
    assert base == by_hand.base


def test_the_totals_are_not_trivial(both: tuple[Owed, Paid]) -> None:
    by_hand, _ = both
    assert sum(amount for _, amount in by_hand.decisions.values()) > 20_000
    assert sum(by_hand.base.values()) > 50_000
