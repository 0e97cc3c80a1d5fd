"""The models and a plain-Python calculation agree on every result and every cent, over random small districts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.payment import small_worlds, whole_model
from tests.payment.conftest import EmptyDistrict
from tests.payment.decided_by_hand import Judge, World

Key = tuple[str, str, str | None]
RESULTS_SEEN: set[str] = set()


def by_models(district: EmptyDistrict, world: World, as_of: str) -> tuple[dict[Key, tuple[str, Decimal]], dict[Key, Decimal]]:
    """Results by contract, line and student id, and base amounts by contract and student id, as the dbt models have them."""
    with district.connect() as connection:
        small_worlds.put(world, connection, dt.date.fromisoformat(as_of))
        district.build(connection, as_of)
        decided = connection.execute(
            "SELECT contract_id, line_id, student_id, decision, earned_amount FROM payable.fct_payment_decision"
        ).fetchall()
        base = connection.execute("SELECT contract_id, line_id, student_id, base_amount FROM payable.fct_base_payment").fetchall()
        repeated = "SELECT count(*) FROM payable.fct_payment_decision GROUP BY contract_id, line_id, student_id HAVING count(*) > 1"
        assert connection.execute(repeated).fetchall() == []
        assert connection.execute(
            "SELECT count(*) FROM payable.fct_payment_decision WHERE reason IS NULL OR decision IS NULL"
        ).fetchone() == (0,)
        silent = "SELECT reason_code FROM payable.fct_payment_decision WHERE regexp_matches(decision, '^(HELD|PENDING)_') AND resolves_by IS NULL"
        assert connection.execute(silent).fetchall() == []
    return {row[:3]: (row[3], row[4]) for row in decided}, {row[:3]: row[3] for row in base}


def by_hand(world: World, as_of: str) -> tuple[dict[Key, tuple[str, Decimal]], dict[Key, Decimal]]:
    """The same by the plain calculation."""
    day = dt.date.fromisoformat(as_of)
    world = World(**{**vars(world), "session": [row for row in world.session if small_worlds._is_on_roster(world, row)]})
    judge = Judge(world, day)
    results = {}
    for line, _, _ in judge.lines():
        if line["price_unit"] == "COHORT_THRESHOLD":
            results[line["contract_id"], line["line_id"], None] = judge.decide_cohort(line)
            continue
        for student_id in judge.students(line["contract_id"]):
            results[line["contract_id"], line["line_id"], student_id] = judge.decide(line, student_id)
    base: dict[Key, Decimal] = {}
    for contract_id in {row["contract_id"] for row in world.contract}:
        if any(row["base_model"] == "FIXED_INSTALMENT" for row in world.contract if row["contract_id"] == contract_id):
            base |= {(contract_id, line_id, None): amount for line_id, amount in judge.instalments(contract_id).items()}
        else:
            base |= {(contract_id, "BASE", student_id): judge.base(contract_id, student_id) for student_id in judge.students(contract_id)}
    return results, base


def assert_same(district: EmptyDistrict, world: World, as_of: str) -> None:
    decided, base = by_models(district, world, as_of)
    decided_by_hand, base_by_hand = by_hand(world, as_of)
    different = {
        key: (decided.get(key), decided_by_hand.get(key))
        for key in decided.keys() | decided_by_hand.keys()
        if decided.get(key) != decided_by_hand.get(key)
    }
    assert different == {}
    assert {
        key: (base.get(key), base_by_hand.get(key)) for key in base.keys() | base_by_hand.keys() if base.get(key) != base_by_hand.get(key)
    } == {}
    RESULTS_SEEN.update(decision for decision, _ in decided.values())


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(rng=st.randoms(use_true_random=False), as_of=st.sampled_from(small_worlds.AS_OF), students=st.integers(1, 5))
def test_models_agree_with_the_calculation_by_hand(empty_district: EmptyDistrict, rng: Random, as_of: str, students: int) -> None:
    assert_same(empty_district, small_worlds.make_world(rng, students), as_of)


@pytest.mark.parametrize("seed", [1, 2])
def test_districts_of_sixty_students(empty_district: EmptyDistrict, seed: int) -> None:
    world = small_worlds.make_world(Random(seed), 60)
    assert_same(empty_district, world, "2026-06-30")


@pytest.mark.parametrize(("seed", "students"), [(1, 25), (2, 4), (3, 4)])
def test_the_whole_contract_model(empty_district: EmptyDistrict, seed: int, students: int) -> None:
    """Attendance, completion, points, cohorts, uplifts, lines that depend on each other, every base model: the same cents."""
    rng = Random(seed)
    assert_same(empty_district, whole_model.make_whole_world(rng, students), "2026-06-30")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 240))
def test_the_whole_contract_model_on_every_date(empty_district: EmptyDistrict, seed: int) -> None:
    rng = Random(seed)
    world = whole_model.make_whole_world(rng, rng.choice((1, 3, 30)))
    assert_same(empty_district, world, rng.choice(small_worlds.AS_OF))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 130))
def test_many_districts_on_every_date(empty_district: EmptyDistrict, seed: int) -> None:
    rng = Random(seed)
    world = small_worlds.make_world(rng, 40)
    assert_same(empty_district, world, rng.choice(small_worlds.AS_OF))


@pytest.mark.slow
def test_every_result_was_seen(empty_district: EmptyDistrict) -> None:
    """The random districts reach every result there is; otherwise their agreement would say little."""
    for seed, as_of in enumerate(small_worlds.AS_OF):
        assert_same(empty_district, small_worlds.make_world(Random(seed), 60), as_of)
    assert {
        "OUT_OF_SCOPE",
        "EXCLUDED_TRANSFER",
        "EXCLUDED_OPT_OUT",
        "PENDING_WINDOW",
        "PENDING_DATA",
        "HELD_DISPUTE",
        "HELD_BOTH_DEFAULT",
        "NOT_EARNED_PROVIDER",
        "DISTRICT_DEFAULT",
        "INELIGIBLE_DOSAGE",
        "NOT_MEASURED_MISSING",
        "NOT_MEASURED_INVALID",
        "EARNED",
        "NOT_EARNED_OUTCOME",
        "PENALTY",
    } <= RESULTS_SEEN
