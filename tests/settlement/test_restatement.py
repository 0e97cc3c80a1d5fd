"""From one cutoff to another: every cent between two runs has a step and a cause, and nothing is left over."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from obc_pipeline.ledger.restatement import STEPS, RestatementStep, residuals, restatement_waterfall

Line = tuple[
    str, str, str | None, str, str, str, str | None
]  # contract, key, decision, reason, earned, payable, cap; a key with base in it is base pay


def waterfall(earlier: Iterable[Line], later: Iterable[Line]) -> list[RestatementStep]:
    with duckdb.connect() as connection:
        for name, lines in (("earlier", earlier), ("later", later)):
            connection.execute(
                f"CREATE TABLE {name} (contract_id VARCHAR, line_key VARCHAR, line_kind VARCHAR, decision VARCHAR, reason_code VARCHAR, "
                "earned_amount DECIMAL(18,2), payable_amount DECIMAL(18,2), cap_applied VARCHAR)"
            )
            for line in lines:
                kind = "BASE" if "base" in line[1] else "OUTCOME"
                connection.execute(f"INSERT INTO {name} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [*line[:2], kind, *line[2:]])
        return restatement_waterfall(connection, "earlier", "later")


def test_a_restated_score_a_late_result_a_gone_student_and_a_cap() -> None:
    steps = waterfall(
        [
            ("C", "restated", "EARNED", "TIER_REACHED", "500.00", "500.00", None),
            ("C", "invalidated", "EARNED", "TIER_REACHED", "250.00", "250.00", None),
            ("C", "late", "PENDING_DATA", "AWAITING_RESULTS", "0.00", "0.00", None),
            ("C", "gone", "EARNED", "TIER_REACHED", "100.00", "100.00", None),
            ("C", "base of one served", None, "SERVED", "300.00", "300.00", None),
            ("C", "same", "EARNED", "TIER_REACHED", "600.00", "600.00", None),
        ],
        [
            ("C", "restated", "EARNED", "TIER_REACHED", "750.00", "700.00", "POOL"),
            ("C", "invalidated", "NOT_MEASURED_INVALID", "TEST_INVALID", "0.00", "0.00", None),
            ("C", "late", "PENALTY", "BELOW_PENALTY_THRESHOLD", "-75.00", "-75.00", None),
            ("C", "same", "EARNED", "TIER_REACHED", "600.00", "560.00", "POOL"),
            ("C", "base", None, "SERVED", "416.67", "416.67", None),
            ("C", "base of one served", None, "SERVED", "350.00", "350.00", None),
        ],
    )
    assert [(step.step, step.cause, step.lines, step.amount) for step in steps] == [
        ("OPENING", None, 6, Decimal("1750.00")),
        ("NEW", "AWAITING_RESULTS > BELOW_PENALTY_THRESHOLD", 1, Decimal("-75.00")),
        ("NEW", "SERVED", 1, Decimal("416.67")),
        ("BASE_GREW", "SERVED", 1, Decimal("50.00")),
        ("RESTATED_UP", "TIER_REACHED", 1, Decimal("250.00")),
        ("RESTATED_DOWN", "TIER_REACHED > TEST_INVALID", 1, Decimal("-250.00")),
        ("GONE", "TIER_REACHED", 1, Decimal("-100.00")),
        ("CAPS", "POOL", 2, Decimal("-90.00")),
        ("CLOSING", None, 6, Decimal("1951.67")),
    ]
    assert residuals(steps) == {"C": 0}


def test_a_contract_of_only_one_of_the_two_runs() -> None:
    line: Line = ("C", "a", "EARNED", "TIER_REACHED", "500.00", "500.00", None)
    assert [(step.step, step.amount) for step in waterfall([], [line])] == [("OPENING", 0), ("NEW", 500), ("CLOSING", 500)]
    assert [(step.step, step.amount) for step in waterfall([line], [])] == [("OPENING", 500), ("GONE", -500), ("CLOSING", 0)]


_amounts = st.integers(-7500, 75000)


@st.composite
def _lines(draw: st.DrawFn) -> list[Line]:
    lines: list[Line] = []
    for contract in ("A", "B"):
        for key in draw(st.lists(st.sampled_from("abcdef"), unique=True)):
            earned = draw(_amounts)
            cut = draw(st.integers(0, earned)) if earned > 0 else 0
            decision, reason = draw(
                st.sampled_from([("EARNED", "TIER_REACHED"), ("HELD_DISPUTE", "OPEN_DISPUTE"), (None, "SERVED"), ("PENDING_DATA", "X")])
            )
            cap = draw(st.sampled_from(["LINE", "POOL"])) if cut else None
            lines.append((contract, key, decision, reason, f"{earned / 100:.2f}", f"{(earned - cut) / 100:.2f}", cap))
    return lines


@settings(max_examples=40, deadline=None)
@given(earlier=_lines(), later=_lines())
def test_nothing_is_left_over(earlier: list[Line], later: list[Line]) -> None:
    steps = waterfall(earlier, later)
    assert set(residuals(steps).values()) <= {Decimal(0)}
    assert {step.step for step in steps} <= set(STEPS)
    for contract in ("A", "B"):
        of_contract = [step for step in steps if step.contract_id == contract]
        if not of_contract:
            continue
        assert of_contract[0].amount == sum(Decimal(line[5]) for line in earlier if line[0] == contract)
        assert of_contract[-1].amount == sum(Decimal(line[5]) for line in later if line[0] == contract)
    assert all(step.amount > 0 for step in steps if step.step == "RESTATED_UP")
