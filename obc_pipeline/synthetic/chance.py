"""Chance that repeats: one named random stream per purpose, so that a change in one part of the district leaves the others alone."""

from __future__ import annotations

import math
import zlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Percentile (1-99) of a normal score given in hundredths, from -6.00 to 6.00: what publishers print beside an index.
_SCORE_LIMIT = 600
_PERCENTILES = np.array(
    [
        min(99, max(1, math.floor(50 * (1 + math.erf(score / 100 / math.sqrt(2))) + 0.5)))
        for score in range(-_SCORE_LIMIT, _SCORE_LIMIT + 1)
    ],
    dtype=np.int64,
)


def stream(seed: int, purpose: str) -> np.random.Generator:
    """A generator for one purpose; the same seed and purpose give the same draws on every machine."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(purpose.encode())])))


def hundredths(score: Floats) -> Ints:
    """A normal score in hundredths, rounded half up, kept within -6.00 and 6.00: whole numbers, so that files print it exactly."""
    return np.clip(np.floor(score * 100 + 0.5), -_SCORE_LIMIT, _SCORE_LIMIT).astype(np.int64)


def percentile(score_hundredths: Ints) -> Ints:
    """The percentile 1-99 of a normal score in hundredths: round(100 * Phi(score))."""
    return _PERCENTILES[score_hundredths + _SCORE_LIMIT]


def score_at(wanted_percentile: int) -> int:
    """The score, in hundredths, in the middle of those whose percentile is the wanted one."""
    found = np.flatnonzero(np.equal(_PERCENTILES, wanted_percentile))
    return int(found[len(found) // 2]) - _SCORE_LIMIT


def true_with(rng: np.random.Generator, share: Floats | float, size: int) -> Bools:
    """True with the given chance, for each of `size` draws."""
    return rng.random(size) < share


def pick(rng: np.random.Generator, among: Ints, count: int) -> Ints:
    """`count` different values of `among` (all of them when there are fewer), in ascending order."""
    return np.sort(rng.choice(among, size=min(count, len(among)), replace=False))
