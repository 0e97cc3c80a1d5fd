"""What is to be different: read from the command line, in the words of the contract."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from obc_pipeline.errors import ArgumentWrong

CAPS = {"pool": "contingent_pool_cap_amount", "nte": "nte_ceiling_amount", "per-student": "per_student_cap_amount"}
Found = TypeVar("Found")


@dataclass(frozen=True)
class Tier:
    """A tier by its threshold: `amount` is its new price, its new threshold, or None where it is to go."""

    line_id: str
    threshold: Decimal
    amount: Decimal | None


@dataclass(frozen=True)
class Scenario:
    """All changes; what is left out stays as the contract and the data have it.

    gates, outcome_rates: by line, None stands for every line. gates: numerator and denominator. Rates: 0-1.
    caps: column of documents.contract -> US dollars, None = no cap. attendance_rate: of the sessions a student could have attended.
    """

    prices: tuple[Tier, ...] = ()
    thresholds: tuple[Tier, ...] = ()
    added_tiers: tuple[Tier, ...] = ()
    dropped_tiers: tuple[Tier, ...] = ()
    gates: tuple[tuple[str | None, tuple[int, int]], ...] = ()
    base_rate: Decimal | None = None
    caps: tuple[tuple[str, Decimal | None], ...] = ()
    outcome_rates: tuple[tuple[str | None, Decimal], ...] = ()
    attendance_rate: Decimal | None = None

    @property
    def is_empty(self) -> bool:
        return all(getattr(self, item.name) in ((), None) for item in fields(self))


def read_scenario(
    *,
    price: Sequence[str] = (),
    threshold: Sequence[str] = (),
    tier: Sequence[str] = (),
    no_tier: Sequence[str] = (),
    gate: Sequence[str] = (),
    base_rate: str | None = None,
    cap: Sequence[str] = (),
    outcome_rate: Sequence[str] = (),
    attendance_rate: str | None = None,
) -> Scenario:
    """The options as typed. Raises ArgumentWrong naming the option, what is wrong and what would be right."""
    return Scenario(
        prices=tuple(_tier("--price", text, "G1:50=600", _money) for text in price),
        thresholds=tuple(_tier("--threshold", text, "G1:65=60", _number) for text in threshold),
        added_tiers=tuple(_tier("--tier", text, "G1:80=900", _money) for text in tier),
        dropped_tiers=tuple(_dropped(text) for text in no_tier),
        gates=tuple(_of_line("--gate", text, _rate_of_integers) for text in gate),
        base_rate=_money("--base-rate", base_rate, "550.00") if base_rate is not None else None,
        caps=tuple(_cap(text) for text in cap),
        outcome_rates=tuple(_of_line("--outcome-rate", text, _share) for text in outcome_rate),
        attendance_rate=_share("--attendance-rate", attendance_rate) if attendance_rate is not None else None,
    )


def for_line(stated: Iterable[tuple[str | None, Found]], line_id: str) -> Found | None:
    """What holds for a line: its own word, else the one for every line, else None. The last one typed wins."""
    own = [value for line, value in stated if line == line_id]
    every = [value for line, value in stated if line is None]
    return own[-1] if own else every[-1] if every else None


def _tier(option: str, text: str, example: str, read: Callable[[str, str, str], Decimal]) -> Tier:
    found = re.fullmatch(r"([^:=]+):([^:=]+)=([^:=]+)", text.strip())
    if not found:
        raise ArgumentWrong(f"{option} {text!r} is not LINE:THRESHOLD=VALUE; right would be {option} {example}")
    return Tier(found[1].strip(), _number(option, found[2], example), read(option, found[3], example))


def _dropped(text: str) -> Tier:
    line_id, colon, threshold = text.strip().partition(":")
    if not colon or not line_id:
        raise ArgumentWrong(f"--no-tier {text!r} is not LINE:THRESHOLD; right would be --no-tier G1:35")
    return Tier(line_id, _number("--no-tier", threshold, "G1:35"), None)


def _of_line(option: str, text: str, read: Callable[[str, str], Found]) -> tuple[str | None, Found]:
    line_id, equals, value = text.strip().partition("=")
    return (line_id.strip(), read(option, value)) if equals else (None, read(option, text))


def _cap(text: str) -> tuple[str, Decimal | None]:
    name, _, value = text.strip().partition("=")
    if name not in CAPS or not value:
        raise ArgumentWrong(
            f"--cap {text!r} is not NAME=AMOUNT; NAME is one of {', '.join(CAPS)}; right would be --cap pool=400000 or --cap nte=none"
        )
    return CAPS[name], None if value.strip().lower() == "none" else _positive("--cap", value, "pool=400000")


def _rate_of_integers(option: str, text: str) -> tuple[int, int]:
    found = re.fullmatch(r"\s*(\d{1,6})\s*/\s*(\d{1,6})\s*", text)
    if not found or int(found[2]) == 0 or int(found[1]) > int(found[2]):
        raise ArgumentWrong(
            f"{option} {text!r} is not a share in whole numbers; right would be {option} 60/100, or {option} G1=60/100 for one line"
        )
    return int(found[1]), int(found[2])


def _share(option: str, text: str) -> Decimal:
    share = _decimal(text)
    if share is None or not 0 <= share <= 1:
        raise ArgumentWrong(f"{option} {text!r} is not a share from 0 to 1; right would be {option} 0.55")
    return share


def _number(option: str, text: str, example: str) -> Decimal:
    number = _decimal(text)
    if number is None or abs(number) >= 10**9:
        raise ArgumentWrong(f"{option}: {text!r} is no number; right would be {option} {example}")
    return number


def _money(option: str, text: str, example: str) -> Decimal:
    amount = _number(option, text, example)
    if amount != amount.quantize(Decimal("0.01")):
        raise ArgumentWrong(f"{option}: {text!r} has a fraction of a cent; right would be {option} {example}")
    return amount.quantize(Decimal("0.01"))


def _positive(option: str, text: str, example: str) -> Decimal:
    amount = _money(option, text, example)
    if amount < 0:
        raise ArgumentWrong(f"{option}: {text!r} is below zero; right would be {option} {example}")
    return amount


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip().replace("$", "").replace(",", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
