"""Somebody who wants to know what was hidden. Shares no code with the module it attacks: it sees published cells and does sums.

It is stronger than any real reader: it is given the *exact* count of every cell that is shown (people get bands and coarse rates), and,
where asked, is told which counts did not change from one month to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import gcd
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, hstack

Key = tuple[Any, ...]  # (month, scope, family, category); family and category '' for the scope's total
Equation = tuple[dict[Key, int], int]  # sum of coefficient * unknown = constant


@dataclass
class Published:
    """What is out: every cell's exact count, None where it is hidden. `whole` is the scope that the others add up to."""

    whole: str
    cells: dict[Key, int | None]
    same: dict[Key, Key] = field(default_factory=dict)  # cell -> the earlier month's cell known to have the same count


def equations(published: Published, own: Mapping[Key, int]) -> list[Equation]:
    """Every addition that holds among the cells, what is known put in."""
    by_scope: dict[Key, list[Key]] = {}
    by_category: dict[Key, list[Key]] = {}
    for month, scope, family, category in published.cells:
        if family:
            by_scope.setdefault((month, scope, family), []).append((month, scope, family, category))
        if scope != published.whole:
            by_category.setdefault((month, family, category), []).append((month, scope, family, category))
    sums = [((month, scope, "", ""), members) for (month, scope, _), members in by_scope.items()]
    sums += [((month, published.whole, family, category), members) for (month, family, category), members in by_category.items()]
    known = _known(published, own)
    found = []
    for total, members in sums:
        unknowns: dict[Key, int] = {}
        constant = 0
        for cell, sign in [(total, -1), *((member, 1) for member in members)]:
            first = _first(published, cell)
            if first in known:
                constant -= sign * known[first]
            else:
                unknowns[first] = unknowns.get(first, 0) + sign
        unknowns = {cell: factor for cell, factor in unknowns.items() if factor}
        if unknowns:
            found.append((unknowns, constant))
    return found


def solve(system: Iterable[Equation]) -> dict[Key, int]:
    """The unknowns with exactly one possible value, and that value: Gauss-Jordan in whole numbers."""
    rows: dict[Key, Equation] = {}  # by the unknown each row is solved for
    users: dict[Key, set[Key]] = {}  # unknown -> rows it stands in
    for raw, raw_constant in system:
        row, constant = dict(raw), raw_constant
        for unknown in [u for u in row if u in rows]:
            row, constant = _eliminated(row, constant, unknown, *rows[unknown])
        if not row:
            assert constant == 0, "what was published contradicts itself"
            continue
        pivot = min(row, key=lambda u: abs(row[u]))
        for other in list(users.get(pivot, ())):
            old, old_constant = rows[other]
            new, new_constant = _eliminated(old, old_constant, pivot, row, constant)
            for unknown in old.keys() - new.keys():
                users[unknown].discard(other)
            for unknown in new.keys() - old.keys():
                users.setdefault(unknown, set()).add(other)
            rows[other] = (new, new_constant)
        rows[pivot] = (row, constant)
        for unknown in row:
            users.setdefault(unknown, set()).add(pivot)
    return {pivot: constant // row[pivot] for pivot, (row, constant) in rows.items() if len(row) == 1}


def forced_to_zero(system: list[Equation]) -> set[Key]:
    """The unknowns that are 0 in every solution without negative counts (one linear program: let as many as possible be above 0)."""
    unknowns = sorted({unknown for row, _ in system for unknown in row})
    if not unknowns:
        return set()
    size = len(unknowns)
    place = {unknown: number for number, unknown in enumerate(unknowns)}
    entries = [(number, place[u], factor) for number, (row, _) in enumerate(system) for u, factor in row.items()]
    rows, columns, factors = zip(*entries, strict=True)
    # Unknown = lift + rest, 0 <= lift <= 1, rest >= 0, all constants times a scale >= 1: every unknown that can be above 0 at all is
    # lifted to 1 by one large enough solution, so the lifts that stay at 0 are exactly the forced zeros.
    lifts = csr_array((factors, (rows, columns)), shape=(len(system), size))
    scale = csr_array(np.array([[-constant] for _, constant in system], dtype=float))
    result = linprog(
        np.concatenate([-np.ones(size), np.zeros(size + 1)]),
        A_eq=hstack([lifts, lifts, scale]).tocsr(),
        b_eq=np.zeros(len(system)),
        bounds=[(0, 1)] * size + [(0, None)] * size + [(1, None)],
        method="highs",
    )
    assert result.status == 0, result.message
    return {unknown for unknown, lift in zip(unknowns, result.x[:size], strict=True) if lift < 0.5}


def recovered(published: Published, own: Mapping[Key, int] | None = None, non_negative: bool = True) -> dict[Key, int]:
    """Every hidden cell the attacker can name the count of, besides those it owns.

    With `non_negative` it also uses that no count is below 0: what is forced to zero is known, and so is what then follows.
    """
    own = own or {}
    system = equations(published, own)
    found = solve(system)
    if non_negative and system:
        zeros = forced_to_zero(system)
        found = solve([*system, *(({cell: 1}, 0) for cell in zeros)]) if zeros else found
    owned = {_first(published, cell) for cell in own}
    return {cell: count for cell, count in found.items() if cell not in owned}


def small_pools(published: Published, n_min: int, own: Mapping[Key, int] | None = None) -> list[tuple[list[Key], int]]:
    """Sums of hidden cells, read off a single line, that are known and below `n_min`: a small group disclosed as a group."""
    pools = []
    for row, constant in equations(published, own or {}):
        for sign in (1, -1):
            if all(factor * sign > 0 for factor in row.values()) and constant * sign < n_min:
                pools.append((sorted(row), constant * sign))
    return pools


def _known(published: Published, own: Mapping[Key, int]) -> dict[Key, int]:
    known = {}
    for cell, count in [*published.cells.items(), *own.items()]:
        if count is not None:
            known[_first(published, cell)] = count
    return known


def _first(published: Published, cell: Key) -> Key:
    """The earliest month's cell with the same count, as far as the attacker was told."""
    while cell in published.same:
        cell = published.same[cell]
    return cell


def _eliminated(row: dict[Key, int], constant: int, unknown: Key, by: dict[Key, int], by_constant: int) -> Equation:
    """`row` without `unknown`, by subtracting a multiple of `by`; divided by what all its numbers share."""
    a, b = row[unknown], by[unknown]
    new = {u: factor * b for u, factor in row.items()}
    for u, factor in by.items():
        new[u] = new.get(u, 0) - factor * a
    new = {u: factor for u, factor in new.items() if factor}
    constant = constant * b - by_constant * a
    shared = gcd(constant, *new.values())
    if shared > 1:
        new = {u: factor // shared for u, factor in new.items()}
        constant //= shared
    return new, constant
