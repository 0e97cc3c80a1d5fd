"""Caps, shares and balances worked out in plain Python, from the wording of the rules and nothing else. Shares no code with the pipeline.

Money is Decimal dollars; shares are exact fractions.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

CENT = Decimal("0.01")


@dataclass
class Item:
    """One thing that can be paid: base (or instalment) or outcome, for a student or, with student '', for the contract."""

    contract: str
    line: str
    student: str
    is_base: bool
    earned: Decimal
    period: str = "2025-2026"

    @property
    def key(self) -> str:
        return hashlib.md5("|".join((self.contract, self.line, self.student, self.period)).encode()).hexdigest()


@dataclass
class Terms:
    """What one contract states; None is no cap. lines: line -> (max_paid_outcomes, line cap).

    base: model and proration of the base pay. service_end: last day of service.
    """

    per_student: Decimal | None = None
    pool: Decimal | None = None
    ceiling: Decimal | None = None
    lines: dict[str, tuple[int | None, Decimal | None]] = field(default_factory=dict)
    deadline: dt.date | None = None
    base: tuple[str, str] = ("PER_STUDENT_SERVED", "NONE")
    service_end: dt.date = dt.date(2026, 5, 15)

    def accrues(self, item: Item, last_posted_as_of: dt.date | None) -> bool:
        """Whether a growth of what was posted for the item is service delivered since: base of a student, by sessions, hours or weeks,
        and the contract's last statement did not see the end of service yet."""
        grows = self.base[0] in ("PER_SESSION", "PER_HOUR") or self.base in (
            ("PER_STUDENT_SERVED", "BY_SESSIONS_ATTENDED"), ("PER_STUDENT_SERVED", "BY_WEEKS"),
        )  # fmt: skip
        return item.is_base and item.student != "" and grows and last_posted_as_of is not None and last_posted_as_of <= self.service_end


def settle(items: list[Item], terms: Terms) -> tuple[dict[str, Decimal], dict[str, str]]:
    """Payable by key, and the first cap that cut a key, of one contract."""
    paid = {item.key: item.earned for item in items}
    cut_by: dict[str, str] = {}

    def limit(name: str, of: list[Item], most_for_positive: Decimal) -> None:
        for key, amount in _cut_down({i.key: paid[i.key] for i in of if paid[i.key] > 0}, most_for_positive).items():
            if amount < paid[key]:
                cut_by.setdefault(key, name)
            paid[key] = amount

    def limit_total(name: str, of: list[Item], most: Decimal) -> None:
        """The total may come to `most`; what penalties took away, the others may have on top."""
        limit(name, of, most + sum((-paid[i.key] for i in of if paid[i.key] < 0), Decimal(0)))

    outcomes = [item for item in items if not item.is_base]
    base = [item for item in items if item.is_base]
    if terms.per_student is not None:
        for student in sorted({item.student for item in outcomes} - {""}):
            limit_total("PER_STUDENT", [item for item in outcomes if item.student == student], terms.per_student)
    for line, (most_outcomes, _) in terms.lines.items():
        of_line = [item for item in outcomes if item.line == line]
        winners = [item for item in of_line if paid[item.key] > 0]
        if most_outcomes is not None and len(winners) > most_outcomes:
            average = Fraction(sum(paid[item.key] for item in winners)) / len(winners)
            whole_cents = int(average * most_outcomes * 100)
            limit("MAX_PAID_OUTCOMES", of_line, Decimal(whole_cents) * CENT)
    for line, (_, cap) in terms.lines.items():
        if cap is not None:
            limit_total("LINE", [item for item in outcomes if item.line == line], cap)
    if terms.pool is not None:
        limit_total("POOL", outcomes, terms.pool)
    if terms.ceiling is not None:
        outcome_total = sum((paid[item.key] for item in outcomes), Decimal(0))
        limit_total("NOT_TO_EXCEED", base, terms.ceiling - min(outcome_total, Decimal(0)))
        limit_total("NOT_TO_EXCEED", outcomes, terms.ceiling - sum((paid[item.key] for item in base), Decimal(0)))
    return paid, cut_by


def _cut_down(amounts: dict[str, Decimal], most: Decimal) -> dict[str, Decimal]:
    """Amounts as they are if they fit, else each its exact share of `most` in whole cents, the cents left to the largest fractions."""
    total = sum(amounts.values(), Decimal(0))
    if total <= most:
        return dict(amounts)
    exact = {key: Fraction(amount) * Fraction(most) / Fraction(total) * 100 for key, amount in amounts.items()}
    whole = {key: share.numerator // share.denominator for key, share in exact.items()}
    by_fraction = sorted(amounts, key=lambda key: (whole[key] - exact[key], key))
    for key in by_fraction[: int(most * 100) - sum(whole.values())]:
        whole[key] += 1
    return {key: Decimal(cents) * CENT for key, cents in whole.items()}


@dataclass(frozen=True)
class Difference:
    """What is to be posted for a key."""

    amount: Decimal
    kind: str
    adjusts: str | None
    is_late: bool


def differences(
    payable: dict[str, Decimal], posted: list[tuple[str, Decimal, str]], is_late: bool, accruing: Collection[str] = ()
) -> dict[str, Difference]:
    """By key. posted: (key, amount, entry hash) in the order they were posted. accruing: keys of which `accrues` holds."""
    balance: dict[str, Decimal] = {}
    last: dict[str, str] = {}
    for key, amount, entry_hash in posted:
        balance[key] = balance.get(key, Decimal(0)) + amount
        last[key] = entry_hash
    found = {}
    for key in payable.keys() | balance.keys():
        should, has = payable.get(key, Decimal(0)), balance.get(key, Decimal(0))
        if should != has:
            if key not in last:
                kind = "NEW"
            elif should == 0:
                kind = "REVERSAL"
            else:
                kind = "ACCRUAL" if key in accruing and should > has > 0 else "ADJUSTMENT"
            found[key] = Difference(should - has, kind, last.get(key), is_late)
    return found
