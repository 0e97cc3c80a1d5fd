"""The settlement models and a plain-Python calculation agree on every cap, share, balance and proposal, over random contracts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.settlement.conftest import AS_OF, Settlement, rows
from tests.settlement.settled_by_hand import CENT, Difference, Item, Terms, differences, settle

LINES, STUDENTS = ("G1", "P1", "K1"), ("1", "2", "3", "4", "5", "unknown:9", "")
CAPS_SEEN: set[str] = set()
KINDS_SEEN: set[str] = set()
POSTED_AS_OF = dt.date(2026, 5, 1)

# Prices people write, and odd cents, so that remainders tie and do not tie.
amounts = st.sampled_from([0, 1, 2, 5000, 15000, 25000, 33333, 50000, 75000, 99999, 416670, -7500, -1]).map(lambda cents: cents * CENT)
base_amounts = st.sampled_from([0, 1, 41667, 60000, 60000, 123456]).map(lambda cents: cents * CENT)
caps = st.none() | st.integers(0, 300000).map(lambda cents: cents * CENT) | st.sampled_from([Decimal("0.00"), Decimal("1000000.00")])


@st.composite
def contracts(draw: st.DrawFn, contract: str) -> tuple[list[Item], Terms]:
    items = [
        Item(contract, line, student, False, draw(amounts))
        for line in LINES
        for student in draw(st.lists(st.sampled_from(STUDENTS), unique=True, max_size=6))
    ]
    items += [
        Item(contract, "INSTALMENT-1" if student == "" else "BASE", student, True, draw(base_amounts))
        for student in draw(st.lists(st.sampled_from(STUDENTS), unique=True, max_size=4))
    ]
    lines: dict[str, tuple[int | None, Decimal | None]] = {line: (draw(st.none() | st.integers(1, 4)), draw(caps)) for line in LINES}
    deadline = draw(st.none() | st.sampled_from([dt.date(2026, 6, 29), dt.date(2026, 6, 30)]))
    base = (draw(st.sampled_from(["PER_SESSION", "PER_HOUR", "PER_STUDENT_SERVED"])), draw(st.sampled_from(["NONE", "BY_WEEKS"])))
    service_end = POSTED_AS_OF + dt.timedelta(days=draw(st.integers(-1, 1)))
    return items, Terms(draw(caps), draw(caps), draw(caps), lines, deadline, base, service_end)


@st.composite
def postings(draw: st.DrawFn, items: list[Item]) -> list[tuple[Item, Decimal]]:
    """Entries posted before, of lines that are still settled and of one that is gone."""
    gone = Item(items[0].contract if items else "A", "G1", "77", False, Decimal(0))
    choices = st.tuples(st.sampled_from([*items, gone]), amounts.filter(lambda amount: amount != 0))
    return draw(st.lists(choices, max_size=6))


def tables(
    worlds: Mapping[str, tuple[list[Item], Terms, list[tuple[Item, Decimal]]]],
) -> dict[str, list[dict[str, Any]]]:
    """The same world as rows of what the models read."""
    found: dict[str, list[dict[str, Any]]] = {}

    def put(table: str, **row: Any) -> None:
        found.setdefault(table, []).append(row)

    for contract, (items, terms, posted) in worlds.items():
        put("intermediate.int_payment__contract", contract_id=contract, contract_version=2, provider_id="p", period="2025-2026",
            contingent_pool_cap_amount=terms.pool, nte_ceiling_amount=terms.ceiling, service_end_on=terms.service_end,
            base_model=terms.base[0], base_proration=terms.base[1])  # fmt: skip
        put("documents.contract", contract_id=contract, version=2, per_student_cap_amount=terms.per_student,
            restatement_deadline_on=terms.deadline)  # fmt: skip
        # An earlier version has caps of its own, which do not count.
        put("documents.contract", contract_id=contract, version=1, per_student_cap_amount=CENT)
        for line, (most, cap) in terms.lines.items():
            put("intermediate.int_payment__line", contract_id=contract, contract_version=2, line_id=line)
            put("documents.rate_card_line", contract_id=contract, version=2, line_id=line, max_paid_outcomes=most, line_cap_amount=cap)
            put("documents.rate_card_line", contract_id=contract, version=1, line_id=line, max_paid_outcomes=1, line_cap_amount=CENT)
        for item in items:
            same = _names(item) | {"period": item.period, "contract_version": 2, "reason_code": "R", "reason": "r"}
            if item.is_base:
                put("payable.fct_base_payment", **same, base_amount=item.earned, maximum_base_amount=item.earned)
            else:
                decision = "PENALTY" if item.earned < 0 else "EARNED" if item.earned > 0 else "NOT_EARNED_OUTCOME"
                put("payable.fct_payment_decision", **same, decision=decision, earned_amount=item.earned, at_stake_amount=Decimal(0))
        for number, (item, amount) in enumerate(posted, start=1):
            put("ledger.entry", **_names(item), contract_version=1, entry_seq=number, statement_number=(number + 1) // 2,
                line_key=item.key, line_kind=_kind(item, amount), period=item.period, entry_kind="NEW", amount=amount,
                reason_code="R", entry_hash=f"{contract}{number}", as_of_date=POSTED_AS_OF,
                evidence_cutoff_at=dt.datetime(2026, 5, 1))  # fmt: skip
        _settled_then(contract, posted, put)
        if posted:
            put("ledger.head", contract_id=contract, entry_count=len(posted), statement_count=(len(posted) + 1) // 2,
                head_hash=f"{contract}{len(posted)}", posted_amount=sum(amount for _, amount in posted), is_intact=True)  # fmt: skip
    return found


def _settled_then(contract: str, posted: list[tuple[Item, Decimal]], put: Callable[..., None]) -> None:
    """What each statement left posted was payable then, and nothing had been cut."""
    balance: dict[str, Decimal] = {}
    for number, (item, amount) in enumerate(posted, start=1):
        balance[item.key] = balance.get(item.key, Decimal(0)) + amount
        if number % 2 == 0 or number == len(posted):
            for key, stood in balance.items():
                same = dict.fromkeys(
                    ("earned_amount", *(f"after_{cap}_amount" for cap in ("per_student", "max_paid", "line", "pool"))), stood
                )
                put("ledger.settled_line", contract_id=contract, statement_number=(number + 1) // 2, line_key=key, line_kind="OUTCOME",
                    payable_amount=stood, **same)  # fmt: skip


def _names(item: Item) -> dict[str, Any]:
    is_unknown = item.student.startswith("unknown:")
    student_id = item.student.removeprefix("unknown:") or None
    return {
        "contract_id": item.contract,
        "line_id": item.line,
        "student_id": student_id,
        "student_key": None if is_unknown or student_id is None else f"key of {student_id}",
    }


def _kind(item: Item, amount: Decimal) -> str:
    if item.is_base:
        return "BASE" if item.student else "INSTALMENT"
    if not item.student:
        return "COHORT"
    return "PENALTY" if amount < 0 else "OUTCOME"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_caps_and_balances_agree(settlement: Settlement, data: st.DataObject) -> None:
    worlds = {}
    for contract in data.draw(st.sampled_from([("A",), ("A", "B")])):
        items, terms = data.draw(contracts(contract))
        worlds[contract] = (items, terms, data.draw(postings(items)))
    assert_same(settlement, worlds)


def assert_same(settlement: Settlement, worlds: Mapping[str, tuple[list[Item], Terms, list[tuple[Item, Decimal]]]]) -> None:
    payable: dict[str, tuple[Decimal, str | None]] = {}
    to_post: dict[str, Difference] = {}
    for contract, (items, terms, posted) in worlds.items():
        paid, cut_by = settle(items, terms)
        payable |= {key: (amount, cut_by.get(key)) for key, amount in paid.items()}
        is_late = terms.deadline is not None and terms.deadline < dt.date.fromisoformat(AS_OF)
        entries = [(item.key, amount, f"{contract}{number}") for number, (item, amount) in enumerate(posted, start=1)]
        accruing = {item.key for item in items if terms.accrues(item, POSTED_AS_OF if posted else None)}
        to_post |= differences(paid, entries, is_late, accruing)
        KINDS_SEEN.update(one.kind for one in to_post.values())
        CAPS_SEEN.update(cut_by.values())

    with settlement.run(tables(worlds)) as connection:
        found = rows(connection, "SELECT line_key, payable_amount, cap_applied FROM payable.fct_settlement_line")
        assert {row["line_key"]: (row["payable_amount"], row["cap_applied"]) for row in found} == payable
        assert len(found) == len(payable)
        proposed = "SELECT line_key, amount, entry_kind, adjusts_entry_hash, {} AS is_late FROM payable.{}"
        found = rows(
            connection, f"{proposed.format('false', 'fct_proposed_entry')} UNION ALL {proposed.format('true', 'late_change_register')}"
        )
        assert {
            row["line_key"]: Difference(row["amount"], row["entry_kind"], row["adjusts_entry_hash"], row["is_late"]) for row in found
        } == to_post
        assert settlement.broken(connection) == []


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_caps_and_balances_agree_over_many_contracts(settlement: Settlement, data: st.DataObject) -> None:
    items, terms = data.draw(contracts("A"))
    assert_same(settlement, {"A": (items, terms, data.draw(postings(items)))})


def test_every_cap_was_seen_to_cut(settlement: Settlement) -> None:
    """Otherwise that the two agree would say little."""
    items = [Item("A", line, student, False, Decimal("500.00")) for line in ("G1", "P1") for student in STUDENTS[:5]]
    items += [Item("A", "BASE", student, True, Decimal("600.00")) for student in STUDENTS[:3]]
    worlds = [
        Terms(per_student=Decimal("999.99")),
        Terms(lines={"G1": (3, None)}),
        Terms(lines={"P1": (None, Decimal("1000.00"))}),
        Terms(pool=Decimal("3333.33")),
        Terms(ceiling=Decimal("1700.00")),
    ]
    for terms in worlds:
        assert_same(settlement, {"A": (items, Terms(terms.per_student, terms.pool, terms.ceiling, {"K1": (None, None)} | terms.lines), [])})
    for base, kind in ((("PER_SESSION", "NONE"), "ACCRUAL"), (("PER_STUDENT_SERVED", "NONE"), "ADJUSTMENT")):
        KINDS_SEEN.clear()
        assert_same(settlement, {"A": (items[-3:], Terms(base=base), [(item, Decimal("100.00")) for item in items[-3:]])})
        assert {kind} == KINDS_SEEN
    assert {"PER_STUDENT", "MAX_PAID_OUTCOMES", "LINE", "POOL", "NOT_TO_EXCEED"} <= CAPS_SEEN


def test_the_largest_amounts_do_not_overflow(settlement: Settlement) -> None:
    """Cents times cents needs more than 64 bits: a hundred million dollars for each of three, under a cap of one dollar less."""
    hundred_million = Decimal("100000000.00")
    items = [Item("A", "G1", student, False, hundred_million) for student in STUDENTS[:3]]
    assert_same(settlement, {"A": (items, Terms(pool=3 * hundred_million - 1, lines={"G1": (None, None)}), [])})


SPOIL = {
    "entries_sum_to_posted": "UPDATE payable.fct_payable_ledger_line SET amount = amount + 0.01 WHERE entry_seq = 1",
    "no_contract_over_its_caps": "UPDATE payable.fct_settlement_line SET payable_amount = payable_amount + 0.01 WHERE line_id = 'BASE'",
    "no_more_outcomes_than_are_paid": "UPDATE intermediate.int_settlement__capped SET after_max_paid_cents = after_max_paid_cents + 1",
    "no_student_paid_twice": "INSERT INTO payable.fct_settlement_line SELECT * REPLACE ('other' AS line_key) FROM payable.fct_settlement_line",
    "posted_and_proposed_are_expected": "UPDATE payable.fct_proposed_entry SET amount = amount - 0.01",
    "statement_is_ledger": "UPDATE payable.rpt_settlement_statement SET payable_amount = payable_amount + 0.01 WHERE is_posted",
}


@pytest.mark.parametrize("invariant", SPOIL)
def test_every_invariant_can_fail(settlement: Settlement, invariant: str) -> None:
    items = [Item("A", "G1", student, False, Decimal("500.00")) for student in STUDENTS[:3]]
    items += [Item("A", "BASE", student, True, Decimal("600.00")) for student in STUDENTS[:3]]
    terms = Terms(ceiling=Decimal("2000.00"), lines={"G1": (2, None)})
    with settlement.run(tables({"A": (items, terms, [(items[0], Decimal("100.00"))])})) as connection:
        assert settlement.broken(connection) == []
        connection.execute(SPOIL[invariant])
        assert invariant in settlement.broken(connection)


def test_nothing_is_posted_twice(settlement: Settlement) -> None:
    """Once what is proposed has been posted, nothing is proposed."""
    items = [Item("A", "G1", student, False, Decimal("333.33")) for student in STUDENTS[:3]]
    terms = Terms(pool=Decimal("500.00"), lines={"G1": (None, None)})
    paid, _ = settle(items, terms)
    with settlement.run(tables({"A": (items, terms, [(item, paid[item.key]) for item in items])})) as connection:
        assert rows(connection, "SELECT * FROM payable.fct_proposed_entry") == []
        open_row = rows(connection, "SELECT * FROM payable.rpt_settlement_statement WHERE NOT is_posted")[0]
        assert (open_row["payable_amount"], open_row["opening_balance_amount"], open_row["statement_amount"]) == (500, 500, 0)
