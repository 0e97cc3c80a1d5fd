"""How exactly a shown cell is told: counts as bands, rates the coarser the fewer students (after the NCES and Utah methods)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

HIDDEN = "S"


@dataclass(frozen=True)
class Grain:
    """From `least_n` students on: rates at or below `edge` and at or above 1 - `edge` are coded, the others told in steps of `step`."""

    least_n: int
    band: str
    edge: Fraction
    step: Fraction


def _percent(value: int) -> Fraction:
    return Fraction(value, 100)


# The finest first. A step of 1 % is told as a number, a wider one as a band.
GRAINS = (
    Grain(300, "300+", _percent(1), _percent(1)),
    Grain(100, "100-299", _percent(2), _percent(1)),
    Grain(40, "40-99", _percent(5), _percent(1)),
    Grain(20, "20-39", _percent(10), _percent(10)),
    Grain(0, "10-19", _percent(20), _percent(20)),
)


@dataclass(frozen=True)
class Told:
    """What is published of one rate; `low` and `high` are what everybody may conclude about it. Rates are shares of 1."""

    display: str
    number: Fraction | None
    low: Fraction
    high: Fraction
    code: str  # NONE | TOP_CODED | BOTTOM_CODED | BANDED


def grain_of(n_students: int, n_min: int = 10, coarser: int = 0) -> int:
    """The place in GRAINS for so many students, `coarser` steps further when something else would give away more."""
    if n_students < n_min:
        raise ValueError("a group below n_min is not told at all")
    return min(next(place for place, grain in enumerate(GRAINS) if n_students >= grain.least_n) + coarser, len(GRAINS) - 1)


def n_band(n_students: int, n_min: int = 10) -> str:
    """The band of a count that may be shown."""
    last = GRAINS[-1]
    grain = GRAINS[grain_of(n_students, n_min)]
    return f"{n_min}-19" if grain is last else grain.band


def told(rate: Fraction, grain: Grain) -> Told:
    """A rate at that grain. Above 1 (more done than was required) counts as at the top."""
    if rate <= grain.edge:
        return Told(f"≤{_whole(grain.edge)} %", None, Fraction(0), grain.edge, "BOTTOM_CODED")
    if rate >= 1 - grain.edge:
        return Told(f"≥{_whole(1 - grain.edge)} %", None, 1 - grain.edge, Fraction(max(1, ceil(rate))), "TOP_CODED")
    if grain.step == _percent(1):
        number = Fraction(int(rate * 100 + Fraction(1, 2)), 100)
        return Told(f"{_whole(number)} %", number, number - Fraction(1, 200), number + Fraction(1, 200), "NONE")
    low = grain.step * (rate // grain.step)
    return Told(f"{_whole(low)}-{_whole(low + grain.step)} %", None, low, low + grain.step, "BANDED")


def _whole(share: Fraction) -> int:
    return round(share * 100)
