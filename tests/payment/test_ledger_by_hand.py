"""From the district's rows to the ledger, cutoff after cutoff: what the models propose, and what is then posted, is to the cent and the kind
of entry what the plain calculation says: decisions, caps, balances, accruals, corrections, late changes. No code is shared with the SQL.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tests.payment import small_worlds, whole_model
from tests.payment.conftest import EmptyDistrict
from tests.payment.decided_by_hand import World
from tests.payment.test_decided_by_hand import by_hand
from tests.settlement.settled_by_hand import Difference, Item, Terms, differences, settle

CONTRACTS = ("M", "N", "R", "Q")
KINDS_SEEN: set[str] = set()
CAPS_SEEN: set[str] = set()
Posted = list[tuple[str, Decimal, str]]


def capped_world(rng: Random, students: int) -> tuple[World, dict[str, Terms]]:
    """A random district whose contracts have random caps and deadlines, and the same caps as the plain calculation wants them."""
    world = whole_model.make_whole_world(rng, students)
    terms = {}
    for contract in CONTRACTS:
        money = [rng.choice((None, None, Decimal(rng.randrange(0, most)) / 100)) for most in (60_000, 400_000, 400_000)]
        deadline = rng.choice((None, None, dt.date(2026, 6, 5), dt.date(2026, 6, 30)))
        versions = [row for row in world.contract if row["contract_id"] == contract]
        for row in versions:
            row |= dict(zip(("per_student_cap_amount", "contingent_pool_cap_amount", "nte_ceiling_amount"), money, strict=True))
            row["restatement_deadline_on"] = deadline
        lines = {}
        for row in world.rate_card_line:
            if row["contract_id"] == contract:
                most, cap = lines.setdefault(
                    row["line_id"], (rng.choice((None, None, 2)), rng.choice((None, None, Decimal("1000.00"), Decimal("333.33"))))
                )
                row |= {"max_paid_outcomes": most, "line_cap_amount": cap}
        base = (versions[-1]["base_model"], versions[-1]["base_proration"])
        terms[contract] = Terms(*money, lines, deadline, base, versions[-1]["service_end_on"])
    return world, terms


def restate(world: World, rng: Random) -> None:
    """What happens between two cutoffs besides time: scores are restated, an assignment turns out to have ended, a dispute is opened."""
    for row in world.metric:
        if rng.random() < 0.15:
            row["value"] = rng.choice([value for value in small_worlds.VALUES if value is not None])
    for row in world.roster:
        if row["end_on"] is None and rng.random() < 0.05:
            row |= {"end_on": dt.date(2026, 4, 1), "end_reason": "TRANSFER"}


def expected(world: World, terms: dict[str, Terms], as_of: str) -> dict[str, tuple[dict[str, Decimal], list[Item]]]:
    """contract -> payable by key, and its items, by the plain calculation."""
    decided, base = by_hand(world, as_of)
    unknown = {row["student_id"] for row in world.roster if row["student_key"] is None}
    items: dict[str, list[Item]] = {}
    for is_base, amounts in ((False, {key: amount for key, (_, amount) in decided.items()}), (True, base)):
        for (contract, line, student), amount in amounts.items():
            name = f"unknown:{student}" if student in unknown else student or ""
            items.setdefault(contract, []).append(Item(contract, line, name, is_base, amount))
    found = {}
    for contract, of_contract in items.items():
        payable, cut_by = settle(of_contract, terms[contract])
        CAPS_SEEN.update(cut_by.values())
        found[contract] = (payable, of_contract)
    return found


def by_models(district: EmptyDistrict, world: World, as_of: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What would be posted next, and what is too late to be, with that ledger. Rows of the difference, all columns."""
    with district.connect() as connection:
        small_worlds.put(world, connection, dt.date.fromisoformat(as_of))
        for entry in entries:
            names = ", ".join(entry)
            connection.execute(f"INSERT INTO ledger.entry ({names}) VALUES ({', '.join('?' * len(entry))})", list(entry.values()))
        district.build(connection, as_of)
        found = connection.execute("SELECT * FROM intermediate.int_settlement__difference ORDER BY line_key")
        names = [column[0] for column in found.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        posted = dict(
            connection.execute(
                "SELECT line_key, posted_amount FROM intermediate.int_settlement__posted WHERE posted_amount <> 0"
            ).fetchall()
        )
        sums: dict[str, Decimal] = {}
        for entry in entries:
            sums[entry["line_key"]] = sums.get(entry["line_key"], Decimal(0)) + entry["amount"]
        assert posted == {key: amount for key, amount in sums.items() if amount}
    return rows


def follow(district: EmptyDistrict, seed: int, students: int, cutoffs: Sequence[str]) -> None:
    """Runs, posts or leaves, restates, runs again; after each run everything is compared."""
    rng = Random(seed)
    world, terms = capped_world(rng, students)
    entries: list[dict[str, Any]] = []
    ledgers: dict[str, Posted] = {contract: [] for contract in CONTRACTS}
    posted_as_of: dict[str, dt.date] = {}
    for as_of in cutoffs:
        today = dt.date.fromisoformat(as_of)
        rows = by_models(district, world, as_of, entries)
        proposed = {
            row["line_key"]: Difference(row["amount"], row["entry_kind"], row["adjusts_entry_hash"], row["is_past_deadline"])
            for row in rows
        }
        by_hand_now: dict[str, Difference] = {}
        payable_now: dict[str, dict[str, Decimal]] = {}
        for contract, (payable, items) in expected(world, terms, as_of).items():
            of, is_late = terms[contract], terms[contract].deadline is not None and terms[contract].deadline < today
            accruing = {item.key for item in items if of.accrues(item, posted_as_of.get(contract))}
            by_hand_now |= differences(payable, ledgers[contract], is_late, accruing)
            payable_now[contract] = payable
        assert proposed == by_hand_now, as_of
        KINDS_SEEN.update(one.kind for one in by_hand_now.values())
        KINDS_SEEN.update("LATE" for one in by_hand_now.values() if one.is_late)
        for contract in CONTRACTS:
            of_contract = [row for row in rows if row["contract_id"] == contract and not row["is_past_deadline"]]
            if rng.random() < 0.3 or not of_contract:
                continue
            for row in of_contract:
                entry_hash = f"{contract}{len(ledgers[contract]) + 1}"
                ledgers[contract].append((row["line_key"], by_hand_now[row["line_key"]].amount, entry_hash))
                entries.append(
                    {name: row[name] for name in ("contract_id", "contract_version", "line_key", "line_id", "line_kind", "student_id")}
                    | {name: row[name] for name in ("student_key", "school_id", "period", "entry_kind", "amount", "reason_code")}
                    | {"entry_seq": len(ledgers[contract]), "statement_number": 1, "entry_hash": entry_hash, "as_of_date": today}
                )
            posted_as_of[contract] = today
            balances: dict[str, Decimal] = {}
            for key, amount, _ in ledgers[contract]:
                balances[key] = balances.get(key, Decimal(0)) + amount
            stands = {key: amount for key, amount in payable_now[contract].items() if amount}
            assert {key: amount for key, amount in balances.items() if amount} == stands, "posted is what is payable at the cutoff"
        if rng.random() < 0.4:
            again = by_models(district, world, as_of, entries)
            assert {row["contract_id"] for row in again if not row["is_past_deadline"]} <= {
                c for c in CONTRACTS if posted_as_of.get(c) != today
            }
        restate(world, rng)


@pytest.mark.parametrize(("seed", "students"), [(1, 8), (2, 3)])
def test_a_ledger_over_four_cutoffs(empty_district: EmptyDistrict, seed: int, students: int) -> None:
    follow(empty_district, seed, students, ["2026-02-10", "2026-04-20", "2026-06-05", "2026-06-30"])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(300, 312))
def test_many_ledgers_over_random_cutoffs(empty_district: EmptyDistrict, seed: int) -> None:
    rng = Random(seed)
    days = sorted(rng.sample(("2026-01-15", "2026-03-01", *small_worlds.AS_OF, "2026-07-15"), 5))
    follow(empty_district, seed, rng.choice((2, 6, 20)), days)


@pytest.mark.slow
def test_every_kind_of_entry_and_every_cap_was_seen(empty_district: EmptyDistrict) -> None:
    for seed in (1, 301, 302):
        follow(empty_district, seed, 10, ["2026-02-10", "2026-04-20", "2026-05-29", "2026-06-12", "2026-07-15"])
    assert {"NEW", "ACCRUAL", "ADJUSTMENT", "REVERSAL", "LATE"} <= KINDS_SEEN
    assert {"PER_STUDENT", "MAX_PAID_OUTCOMES", "LINE", "POOL", "NOT_TO_EXCEED"} <= CAPS_SEEN
