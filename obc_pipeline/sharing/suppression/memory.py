"""What is out already: hidden cells stay hidden, and a cell that was shown and has not changed can hide nothing any more."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from obc_pipeline.sharing.suppression.table import Cell, Table

Snapshots = Sequence[tuple[Table, Set[Cell]]]  # tables and their hidden cells, oldest first


class Reason(StrEnum):
    """Why a cell is hidden: for the district's own copy. Nobody else may see it, because it tells which groups are small."""

    PRIMARY = "PRIMARY"
    COMPLEMENTARY = "COMPLEMENTARY"
    MEMORY = "MEMORY"
    WITHHELD = "DIMENSION_WITHHELD"


@dataclass(frozen=True)
class Memory:
    """hidden_before: hidden in the last snapshot. stays: of these, too small then or now. may_show: the others. unchanged: same count."""

    hidden_before: frozenset[Cell] = frozenset()
    stays: frozenset[Cell] = frozenset()
    may_show: frozenset[Cell] = frozenset()
    unchanged: frozenset[Cell] = frozenset()


def remember(table: Table, past: Snapshots, n_min: int) -> Memory:
    """What the last snapshot says about this one. A hidden cell may be shown once it has `n_min` students in two snapshots running."""
    if not past:
        return Memory()
    last, hidden = past[-1]
    before = dict(last.cells())
    now = dict(table.cells())
    hidden_before = frozenset(cell for cell in hidden if cell in now)
    stays = frozenset(cell for cell in hidden_before if now[cell] < n_min or before[cell] < n_min)
    unchanged = frozenset(cell for cell, count in now.items() if before.get(cell) == count)
    return Memory(hidden_before, stays, hidden_before - stays, unchanged)
