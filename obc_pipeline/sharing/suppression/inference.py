"""What coarse rates still tell about hidden cells: that all of a hidden group met the outcome, or none did. Then they are told coarser."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from obc_pipeline.sharing.suppression.coarse import GRAINS, Told, grain_of, told
from obc_pipeline.sharing.suppression.table import Cell, Line


@dataclass(frozen=True)
class Figure:
    """One cell of a measure that counts students: how many there are and how many of them met it."""

    n_students: int
    met: int


def tell(
    figures: Mapping[Cell, Figure], hidden: Set[Cell], lines: Sequence[Line], readers: Sequence[Set[str]], n_min: int = 10
) -> tuple[dict[Cell, Told], set[Cell]]:
    """What is published of every shown cell of a measure of students, and the shown cells that must be left out of it after all.

    Every line with hidden members is looked at as the sharpest reader does (exact counts, own cells exact): where nobody or everybody
    of the hidden rest must have met the outcome, the line's cells are told one step coarser, and left out when that is not enough.
    """
    coarser = dict.fromkeys((cell for cell in figures if cell not in hidden), 0)
    left_out: set[Cell] = set()

    def shown(cell: Cell) -> Told:
        figure = figures[cell]
        return told(Fraction(figure.met, figure.n_students), GRAINS[grain_of(figure.n_students, n_min, coarser[cell])])

    changed = True
    while changed:
        changed = False
        for line in lines:
            if line.total in hidden or line.total in left_out or not _tells(line, figures, hidden | left_out, shown, readers):
                continue
            visible = [cell for cell in (line.total, *line.members) if cell not in hidden and cell not in left_out]
            finer = [cell for cell in visible if grain_of(figures[cell].n_students, n_min, coarser[cell]) < len(GRAINS) - 1]
            for cell in finer:
                coarser[cell] += 1
            if not finer:
                left_out |= set(visible)
            changed = True
    return {cell: shown(cell) for cell in coarser if cell not in left_out}, left_out


def _tells(
    line: Line, figures: Mapping[Cell, Figure], hidden: Set[Cell], shown: Callable[[Cell], Told], readers: Sequence[Set[str]]
) -> bool:
    """Whether somebody learns of the line's hidden members that none or all of them met the outcome."""
    pool = [cell for cell in line.members if cell in hidden]
    if not pool:
        return False
    total = shown(line.total)
    n_total = figures[line.total].n_students
    visible = [(shown(cell), figures[cell].n_students) for cell in line.members if cell not in hidden]
    most = floor(total.high * n_total) - sum(ceil(one.low * n) for one, n in visible)
    least = ceil(total.low * n_total) - sum(floor(one.high * n) for one, n in visible)
    for known in _known_of(pool, readers):
        rest = [figures[cell].n_students for cell in pool if cell not in known]
        met = sum(figures[cell].met for cell in known)
        if sum(rest) and (most - met <= 0 or least - met >= sum(rest)):
            return True
    return False


def _known_of(pool: Sequence[Cell], readers: Sequence[Set[str]]) -> Iterable[set[Cell]]:
    yield set()
    for reader in readers:
        known = {cell for cell in pool if cell.scope in reader}
        if known and len(known) < len(pool):
            yield known
