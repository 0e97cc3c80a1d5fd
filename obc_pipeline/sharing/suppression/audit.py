"""The rank audit: which hidden cells follow from the visible ones by adding and subtracting, for the public and for each reader, and over time.

Knows nothing of graphs: every line is an equation, hidden cells are the unknowns. A hidden cell is recoverable when it is the same in all
solutions, that is when it is 0 in the whole null space of the equations. Families share nothing but the scopes' totals, so each family
is one block, solved by itself, and the blocks meet in the hidden totals. Arithmetic modulo a prime: exact, and no number grows.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np
from numpy.typing import NDArray

from obc_pipeline.sharing.suppression.table import TOTAL, Cell, Line, Table, lines

_PRIME = 1_048_573  # the largest prime below 2**20
Matrix = NDArray[np.int64]


Months = Sequence[tuple[Table, Set[Cell]]]  # the tables in order of time, each with its hidden cells
_Unknown = tuple[int, Cell]  # the month in which the cell first had this count, and the cell


def recoverable(months: Months, readers: Sequence[Set[str]] = ()) -> set[_Unknown]:
    """The hidden cells that the public, or a reader who knows all cells of its own scopes, can work out; a reader's own never count.

    Of several months the reader is taken to know which counts did not change since the month before: an unchanged cell is one unknown,
    and known when it was shown in any of its months. (Without that knowledge the months have nothing in common: ask for each by itself.)
    """
    firsts = _first_months(months)
    hidden = _hidden_unknowns(months, firsts)
    totals = sorted(unknown for unknown in hidden if unknown[1].is_total)
    families = sorted({family.name for table, _ in months for family in table.families})
    by_month = [_lines_by_family(table) for table, _ in months]
    blocks = [
        _Block(
            totals,
            sorted(unknown for unknown in hidden if unknown[1].family == name),
            [(firsts[month], line) for month, found in enumerate(by_month) for line in [*found.get(name, ()), *found.get(TOTAL, ())]],
        )
        for name in families
    ]
    exposed: set[_Unknown] = set()
    for reader in [frozenset[str](), *readers]:
        spaces = [block.free_of(reader) for block in blocks]
        meeting = _meeting([space[:, : len(totals)] for space in spaces], len(totals))
        for block, space in zip(blocks, spaces, strict=True):
            agreed = _agreeing(space, space[:, : len(totals)], meeting)
            moves = (agreed != 0).any(axis=0) if len(agreed) else np.zeros(len(block.unknowns), bool)
            exposed |= {
                unknown for unknown, is_free in zip(block.unknowns, moves, strict=True) if not is_free and unknown[1].scope not in reader
            }
        if not blocks:
            exposed |= _alone(totals, reader)
    return exposed


def _first_months(months: Months) -> list[dict[Cell, int]]:
    """Per month, cell -> the first month from which on it had the count it has."""
    firsts: list[dict[Cell, int]] = []
    before: dict[Cell, int] = {}
    for month, (table, _) in enumerate(months):
        counts = dict(table.cells())
        firsts.append({cell: firsts[-1][cell] if before.get(cell) == count else month for cell, count in counts.items()})
        before = counts
    return firsts


def _hidden_unknowns(months: Months, firsts: Sequence[dict[Cell, int]]) -> set[_Unknown]:
    shown = {
        (first, cell) for found, (_, hidden) in zip(firsts, months, strict=True) for cell, first in found.items() if cell not in hidden
    }
    every = {(first, cell) for found in firsts for cell, first in found.items()}
    return every - shown


def _lines_by_family(table: Table) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in lines(table):
        found.setdefault(line.family, []).append(line)
    return found


class _Block:
    """One family: its unknowns after the hidden totals, and the null space of its lines (a basis vector per row)."""

    def __init__(self, totals: Sequence[_Unknown], own: Sequence[_Unknown], family_lines: Sequence[tuple[dict[Cell, int], Line]]) -> None:
        self.unknowns = [*totals, *own]
        place = {unknown: number for number, unknown in enumerate(self.unknowns)}
        equations = np.zeros((len(family_lines), len(self.unknowns)), np.int64)
        for number, (firsts, line) in enumerate(family_lines):
            for cell, sign in [(line.total, -1), *((member, 1) for member in line.members)]:
                column = place.get((firsts[cell], cell))
                if column is not None:
                    equations[number, column] += sign
        self._space = null_space(equations[equations.any(axis=1)] % _PRIME)

    def free_of(self, reader: Set[str]) -> Matrix:
        """The part of the null space in which the reader's own cells stand still."""
        space = self._space
        for column, (_, cell) in enumerate(self.unknowns):
            if cell.scope in reader:
                space = _still(space, column)
        return space


def _still(space: Matrix, column: int) -> Matrix:
    """The subspace whose vectors are 0 at `column`."""
    moving = np.flatnonzero(space[:, column])
    if not len(moving):
        return space
    pivot, others = moving[0], moving[1:]
    reduced = space.copy()
    factor = space[others, column] * _inverse(int(space[pivot, column])) % _PRIME
    reduced[others] = (space[others] - factor[:, None] * space[pivot]) % _PRIME
    return np.delete(reduced, pivot, axis=0)


def _meeting(projections: Sequence[Matrix], size: int) -> Matrix:
    """Equations (one per row) that the hidden totals obey in all blocks at once."""
    parts = [null_space(projection) for projection in projections]
    return np.concatenate(parts) if parts else np.zeros((0, size), np.int64)


def _agreeing(space: Matrix, totals: Matrix, equations: Matrix) -> Matrix:
    """The vectors of a block's null space whose totals obey what the other blocks allow."""
    broken = _product(totals, equations.T)
    broken = broken[:, broken.any(axis=0)]
    if not broken.size:
        return space  # as nearly always: this block allows no more than the others do
    return _product(null_space(np.ascontiguousarray(broken.T)), space)


def _alone(totals: Sequence[_Unknown], reader: Set[str]) -> set[_Unknown]:
    """Recoverable totals of tables without families: the only hidden one of a month."""
    rest = [unknown for unknown in totals if unknown[1].scope not in reader]
    return set(rest) if len(rest) == 1 else set()


def null_space(matrix: Matrix) -> Matrix:
    """A basis of {x: matrix · x = 0} modulo the prime, one vector per row. Entries of `matrix` are residues."""
    work = matrix.copy()
    rows, columns = work.shape
    pivots: list[int] = []
    for column in range(columns):
        done = len(pivots)
        if done == rows:
            break
        candidates = np.flatnonzero(work[done:, column])
        if not len(candidates):
            continue
        swap = done + int(candidates[0])
        if swap != done:
            work[[done, swap]] = work[[swap, done]]
        work[done] = work[done] * _inverse(int(work[done, column])) % _PRIME
        others = np.flatnonzero(work[:, column])
        others = others[others != done]
        work[others] = (work[others] - work[others, column][:, None] * work[done]) % _PRIME
        pivots.append(column)
    free = [column for column in range(columns) if column not in set(pivots)]
    basis = np.zeros((len(free), columns), np.int64)
    basis[np.arange(len(free)), free] = 1
    if pivots and free:
        basis[:, pivots] = (-work[: len(pivots), free].T) % _PRIME
    return basis


def _product(left: Matrix, right: Matrix) -> Matrix:
    """Matrix product modulo the prime, in floating point: exact below 2**53, which 2**13 products of two residues stay under."""
    if left.shape[1] > 2**13:
        half = left.shape[1] // 2
        return (_product(left[:, :half], right[:half]) + _product(left[:, half:], right[half:])) % _PRIME
    return np.rint(left.astype(float) @ right.astype(float)).astype(np.int64) % _PRIME


def _inverse(residue: int) -> int:
    return pow(residue, -1, _PRIME)
