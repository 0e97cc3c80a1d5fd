"""One family as a graph: scopes and categories are vertices, hidden cells are edges. What can be worked out is what lies on no cycle.

A reader of the visible cells knows every sum of a row and of a column, so the hidden cells may differ from the truth only by amounts that
cancel in every row and column: around cycles of hidden cells, one up, the next down. A hidden cell on no cycle is known exactly. A count of
zero cannot go down, so its edge is passed in one direction only; a hidden zero on no directed cycle is known to be zero. Whether a cell
is known is thereby decided exactly, over whole numbers from 0 on. The last column holds the scopes' totals, of which few are hidden.

Vertices are numbered: scopes 0 (the whole) and up, then columns. Sets of either are bit masks.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence

Edge = tuple[int, int]  # scope, column
_ALREADY_HIDDEN = 0.001  # the cost of passing a cell that is hidden anyway: few steps before many, but nothing against one more cell
_FAR = 1e18


def columns_of(mask: int) -> list[int]:
    """The numbers in a bit mask, ascending."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


def mask_of(numbers: Iterable[int]) -> int:
    """The bit mask of some numbers."""
    mask = 0
    for number in numbers:
        mask |= 1 << number
    return mask


class HiddenGraph:
    """The hidden cells of a family. `hidden[r]` is the bit mask of scope r's hidden columns, `counts[r]` its counts, total last."""

    def __init__(self, hidden: Sequence[int], counts: Sequence[Sequence[int]]) -> None:
        self.counts = counts
        self.totals_column = len(counts[0]) - 1
        self._hidden = [0] * len(hidden)
        self._from_scope = [0] * len(hidden)  # columns an amount can go to from the scope
        self._to_scope = [0] * (self.totals_column + 1)  # scopes an amount can go to from the column
        for r, mask in enumerate(hidden):
            for c in columns_of(mask):
                self.hide(r, c)

    @property
    def hidden(self) -> list[int]:
        """Per scope the bit mask of its hidden columns."""
        return list(self._hidden)

    def hide(self, r: int, c: int) -> None:
        """Adds a hidden cell."""
        self._hidden[r] |= 1 << c
        count = self.counts[r][c]
        if count or not self.goes_down(r, c):
            self._from_scope[r] |= 1 << c
        if count or self.goes_down(r, c):
            self._to_scope[c] |= 1 << r

    def show(self, r: int, c: int) -> None:
        """Takes a hidden cell out."""
        self._hidden[r] &= ~(1 << c)
        self._from_scope[r] &= ~(1 << c)
        self._to_scope[c] &= ~(1 << r)

    def goes_down(self, r: int, c: int) -> bool:
        """Whether more of this cell is *less* along scope -> column: cells of the whole, and totals of parts, stand beyond the `=`."""
        return (r == 0) != (c == self.totals_column)

    def edges(self) -> Iterator[Edge]:
        """The hidden cells, scope by scope."""
        for r, mask in enumerate(self._hidden):
            for c in columns_of(mask):
                yield r, c

    def gaps(self, readers: Sequence[int], edges: Iterable[Edge] | None = None) -> Iterator[tuple[Edge, int]]:
        """The hidden cells that somebody can work out, each with the first who can: 0 for the public, else the reader's own scopes.

        `readers`: per reader the bit mask of the scopes it knows. May be called while cells are being hidden: that closes gaps only.
        """
        for edge in self.edges() if edges is None else edges:
            used = self.cycle(edge)
            if used is None:
                yield edge, 0
                continue
            own = 1 << edge[0]
            # A reader that knows nothing of this cycle cannot tell, so only those on it need another one.
            for reader in readers:
                if reader & used and not reader & own and self.cycle(edge, reader) is None:
                    yield edge, reader
                    break

    def cycle(self, edge: Edge, known: int = 0) -> int | None:
        """The other scopes on a shortest cycle through the hidden cell that avoids the scopes `known`; None when there is no cycle."""
        r, c = edge
        count = self.counts[r][c]
        best = None
        if count or not self.goes_down(r, c):
            best = self._column_to_scope(r, c, known)
        if best is None and (count or self.goes_down(r, c)):
            best = self._scope_to_column(r, c, known)
        return best

    def _column_to_scope(self, r: int, c: int, known: int) -> int | None:
        """A way from column c to scope r, not by their own cell."""
        goal = 1 << r
        new = self._to_scope[c] & ~known & ~goal
        seen_columns = 1 << c
        seen_scopes = new
        came_from = dict.fromkeys(columns_of(new), 0)
        while new:
            following = 0
            for scope in columns_of(new):
                columns = self._from_scope[scope] & ~seen_columns
                seen_columns |= columns
                passed = came_from[scope] | 1 << scope
                for column in columns_of(columns):
                    scopes = self._to_scope[column] & ~known & ~seen_scopes
                    if scopes & goal:
                        return passed
                    seen_scopes |= scopes
                    following |= scopes
                    for other in columns_of(scopes):
                        came_from[other] = passed
            new = following
        return None

    def _scope_to_column(self, r: int, c: int, known: int) -> int | None:
        """A way from scope r to column c, not by their own cell."""
        goal = 1 << c
        seen_columns = self._from_scope[r] & ~goal
        seen_scopes = 1 << r
        came_from = dict.fromkeys(columns_of(seen_columns), 0)
        new = seen_columns
        while new:
            following = 0
            for column in columns_of(new):
                scopes = self._to_scope[column] & ~known & ~seen_scopes
                seen_scopes |= scopes
                for scope in columns_of(scopes):
                    passed = came_from[column] | 1 << scope
                    columns = self._from_scope[scope] & ~seen_columns
                    if columns & goal:
                        return passed
                    seen_columns |= columns
                    following |= columns
                    for other in columns_of(columns):
                        came_from[other] = passed
            new = following
        return None

    def apart(self, wanted: int, known: int = 0) -> tuple[int, int] | None:
        """None when amounts can move both ways between all the scopes `wanted`, through categories; else two between which none can."""
        start = (wanted & -wanted).bit_length() - 1
        for forward in (True, False):
            missing = wanted & ~self._reach(start, known, forward)
            if missing:
                other = (missing & -missing).bit_length() - 1
                return (start, other) if forward else (other, start)
        return None

    def _reach(self, start: int, known: int, forward: bool) -> int:
        """The scopes that can be reached from scope `start`, or from which it can be."""
        categories = (1 << self.totals_column) - 1
        seen_scopes, seen_columns, new = 1 << start, 0, 1 << start
        while new:
            columns = 0
            if forward:
                for scope in columns_of(new):
                    columns |= self._from_scope[scope]
            else:
                for column in range(self.totals_column):
                    if self._to_scope[column] & new:
                        columns |= 1 << column
            columns &= categories & ~seen_columns
            seen_columns |= columns
            scopes = 0
            if forward:
                for column in columns_of(columns):
                    scopes |= self._to_scope[column]
            elif columns:
                for scope, leads_to in enumerate(self._from_scope):
                    if leads_to & columns:
                        scopes |= 1 << scope
            new = scopes & ~known & ~seen_scopes
            seen_scopes |= new
        return seen_scopes

    def cheapest_path(
        self, price: Sequence[Sequence[float]], start: int, goal: int, without: Edge | None = None, known: int = 0, totals: bool = True
    ) -> tuple[float, list[Edge]] | None:
        """The cells to hide so that an amount can go from vertex `start` to vertex `goal`, with their cost; None when there is no way.

        Passes hidden cells for nothing and visible ones at their price (`_FAR`: never); not the cell `without`, not the scopes `known`, and
        hidden totals only when `totals`.
        """
        rows = len(self._hidden)
        size = rows + self.totals_column + 1
        distance = [_FAR] * size
        before = [-1] * size
        distance[start] = 0.0
        queue = [(0.0, start)]
        while queue:
            far, vertex = heapq.heappop(queue)
            if far > distance[vertex]:
                continue
            if vertex == goal:
                break
            is_scope = vertex < rows
            for other in range(rows, size) if is_scope else range(rows):
                r, c = (vertex, other - rows) if is_scope else (other, vertex - rows)
                if known >> r & 1 or (r, c) == without:
                    continue
                if not self._hidden[r] >> c & 1:
                    step = price[r][c]
                elif c == self.totals_column and not totals:
                    continue
                elif (self._from_scope[r] >> c if is_scope else self._to_scope[c] >> r) & 1:
                    step = _ALREADY_HIDDEN
                else:
                    continue
                if far + step < distance[other]:
                    distance[other] = far + step
                    before[other] = vertex
                    heapq.heappush(queue, (far + step, other))
        if distance[goal] >= _FAR:
            return None
        path: list[Edge] = []
        vertex = goal
        while vertex != start:
            parent = before[vertex]
            path.append((parent, vertex - rows) if parent < rows else (vertex, parent - rows))
            vertex = parent
        return distance[goal], path
