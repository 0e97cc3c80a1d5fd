"""The rank audit: which hidden cells follow from the visible ones by adding and subtracting, for the public and for each reader.

Knows nothing of graphs: every line is an equation, hidden cells are the unknowns. A hidden cell is recoverable when it is the same in all
solutions, that is when it is 0 in the whole null space of the equations. Families share nothing but the scopes' totals, so each family
is one block, solved by itself, and the blocks meet in the hidden totals. Arithmetic modulo a prime: exact, and no number grows.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np
from numpy.typing import NDArray

from obc_pipeline.sharing.suppression.table import TOTAL, Cell, Family, Line, Table, lines

_PRIME = 2_147_483_647  # products of two residues fit into 64 bits
Matrix = NDArray[np.int64]


def recoverable(table: Table, hidden: Set[Cell], readers: Sequence[Set[str]] = ()) -> set[Cell]:
    """The hidden cells that the public, or a reader who knows all cells of its own scopes, can work out; a reader's own never count."""
    totals = sorted(cell for cell in hidden if cell.is_total)
    by_family: dict[str, list[Line]] = {}
    for line in lines(table):
        by_family.setdefault(line.family, []).append(line)
    blocks = [_Block(family, by_family[family.name] + by_family.get(TOTAL, []), hidden, totals) for family in table.families]
    found: set[Cell] = set()
    for reader in [frozenset[str](), *readers]:
        spaces = [block.free_of(reader) for block in blocks]
        meeting = _meeting([space[:, : len(totals)] for space in spaces], len(totals))
        for block, space in zip(blocks, spaces, strict=True):
            agreed = _agreeing(space, space[:, : len(totals)], meeting)
            moves = (agreed != 0).any(axis=0) if len(agreed) else np.zeros(len(block.cells), bool)
            found |= {cell for cell, is_free in zip(block.cells, moves, strict=True) if not is_free and cell.scope not in reader}
        if not blocks and totals:
            found |= _alone(by_family.get(TOTAL, []), totals, reader)
    return found


class _Block:
    """One family: its hidden cells after the hidden totals, and the null space of its lines (a basis vector per row)."""

    def __init__(self, family: Family, family_lines: Sequence[Line], hidden: Set[Cell], totals: Sequence[Cell]) -> None:
        own = sorted(cell for cell in hidden if cell.family == family.name)
        self.cells = [*totals, *own]
        place = {cell: number for number, cell in enumerate(self.cells)}
        equations = np.zeros((len(family_lines), len(self.cells)), np.int64)
        for number, line in enumerate(family_lines):
            for cell, sign in [(line.total, -1), *((member, 1) for member in line.members)]:
                if cell in place:
                    equations[number, place[cell]] = sign
        self._space = null_space(equations % _PRIME)

    def free_of(self, reader: Set[str]) -> Matrix:
        """The part of the null space in which the reader's own cells stand still."""
        space = self._space
        for column, cell in enumerate(self.cells):
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
    if not len(equations) or not len(space):
        return space
    weights = null_space(_product(equations, totals.T))
    return _product(weights, space)


def _alone(total_lines: Sequence[Line], totals: Sequence[Cell], reader: Set[str]) -> set[Cell]:
    """Recoverable totals of a table without families: the only hidden one of a line."""
    unknown = [cell for cell in totals if cell.scope not in reader]
    return set(unknown) if total_lines and len(unknown) == 1 else set()


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
    """Matrix product modulo the prime; one column of `left` at a time, so that nothing overflows."""
    result = np.zeros((left.shape[0], right.shape[1]), np.int64)
    for number in range(left.shape[1]):
        result = (result + left[:, number][:, None] * right[number] % _PRIME) % _PRIME
    return result


def _inverse(residue: int) -> int:
    return pow(residue, -1, _PRIME)
