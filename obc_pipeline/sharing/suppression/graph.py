"""One family as a graph: scopes and categories are vertices, hidden cells are edges. What can be worked out is what lies on no cycle.

A reader of the visible cells knows every sum of a row and of a column, so the hidden cells may differ from the truth only by amounts that
cancel in every row and column: around cycles of hidden cells, one up, the next down. A hidden cell on no cycle is known exactly (in the
graph: a bridge). A count of zero cannot go down, so its edge is passed in one direction only; a hidden zero on no directed cycle is known
to be zero. Column `C` (the last) holds the scopes' totals, of which only some are hidden.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence

Edge = tuple[int, int]  # scope, column
_ALREADY_HIDDEN = 0.001  # the cost of passing a cell that is hidden anyway: few steps before many, but nothing against one more cell
_FAR = 1e18


def goes_down(scope: int, column: int, totals_column: int) -> bool:
    """Whether more of this cell is *less* along scope -> column: cells of the whole, and totals of parts, stand on the other side of `=`."""
    return (scope == 0) != (column == totals_column)


def columns_of(mask: int) -> list[int]:
    """The columns of a bit mask, ascending."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


def exposed(hidden: Sequence[int], counts: Sequence[Sequence[int]], known: Collection[int] = ()) -> list[Edge]:
    """The hidden cells whose value follows from the visible ones, for a reader who also knows all cells of the scopes `known`.

    `hidden[r]` is a bit mask of columns, `counts[r]` the counts of the row, total last. Exact over whole numbers from 0 on.
    """
    rows = len(hidden)
    totals_column = len(counts[0]) - 1
    size = rows + totals_column + 1
    arcs: list[list[int]] = [[] for _ in range(size)]
    edges: list[Edge] = []
    one_way: set[Edge] = set()
    for r in range(rows):
        if r in known or not hidden[r]:
            continue
        row = counts[r]
        for c in columns_of(hidden[r]):
            edges.append((r, c))
            if row[c]:
                arcs[r].append(rows + c)
                arcs[rows + c].append(r)
            else:
                one_way.add((r, c))
                if goes_down(r, c, totals_column):
                    arcs[rows + c].append(r)
                else:
                    arcs[r].append(rows + c)
    if not edges:
        return []
    if not one_way:
        return _bridges(arcs, rows)
    group = _strong_groups(arcs)
    found = [(r, c) for r, c in one_way if group[r] != group[rows + c]]
    both_ways: list[list[int]] = [[] for _ in range(size)]
    for r, c in edges:
        if group[r] == group[rows + c]:
            both_ways[r].append(rows + c)
            both_ways[rows + c].append(r)
    return sorted(found + [edge for edge in _bridges(both_ways, rows) if edge not in one_way])


def connected(hidden: Sequence[int], counts: Sequence[Sequence[int]], wanted: Sequence[int], known: Collection[int] = ()) -> Edge | None:
    """None when amounts can move between any two of the scopes `wanted` (through categories, not totals); else two that are apart."""
    rows = len(hidden)
    totals_column = len(counts[0]) - 1
    start = wanted[0]
    for forward in (True, False):
        seen = {start}
        stack = [start]
        while stack:
            vertex = stack.pop()
            for other in _neighbours(vertex, hidden, counts, rows, totals_column, known, forward):
                if other not in seen:
                    seen.add(other)
                    stack.append(other)
        for scope in wanted:
            if scope not in seen:
                return (start, scope) if forward else (scope, start)
    return None


def cheapest_path(
    hidden: Sequence[int],
    counts: Sequence[Sequence[int]],
    cost: Sequence[Sequence[float]],
    start: int,
    goal: int,
    without: Edge | None = None,
    known: Collection[int] = (),
    through_totals: bool = True,
) -> tuple[float, list[Edge]] | None:
    """The cells to hide so that an amount can go from vertex `start` to vertex `goal`; scopes are vertices 0.., columns follow them.

    Passes hidden cells for nothing and visible cells at their `cost` (infinite: never); not `without`, not the scopes `known`.
    """
    rows = len(hidden)
    totals_column = len(counts[0]) - 1
    size = rows + totals_column + 1
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
            if r in known or (r, c) == without:
                continue
            if hidden[r] >> c & 1:
                if c == totals_column and not through_totals:
                    continue
                if not counts[r][c] and goes_down(r, c, totals_column) == is_scope:
                    continue
                step = _ALREADY_HIDDEN
            else:
                step = cost[r][c]
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


def _neighbours(
    vertex: int,
    hidden: Sequence[int],
    counts: Sequence[Sequence[int]],
    rows: int,
    totals_column: int,
    known: Collection[int],
    forward: bool,
) -> list[int]:
    is_scope = vertex < rows
    if is_scope:
        cells = [(vertex, c) for c in columns_of(hidden[vertex])] if vertex not in known else []
    else:
        column = vertex - rows
        cells = [(r, column) for r in range(rows) if hidden[r] >> column & 1 and r not in known]
    found = []
    for r, c in cells:
        if c == totals_column:
            continue
        # A zero can only grow: leaving a scope along it is possible for cells that count upwards, entering for the others.
        if counts[r][c] or (is_scope == forward) != goes_down(r, c, totals_column):
            found.append(rows + c if is_scope else r)
    return found


def _strong_groups(arcs: Sequence[Sequence[int]]) -> list[int]:
    """The strongly connected component of every vertex (Tarjan, without recursion)."""
    size = len(arcs)
    order = [0] * size
    low = [0] * size
    group = [-1] * size
    stack: list[int] = []
    counter = 0
    for root in range(size):
        if order[root]:
            continue
        counter += 1
        order[root] = low[root] = counter
        stack.append(root)
        work = [(root, iter(arcs[root]))]
        while work:
            vertex, rest = work[-1]
            for other in rest:
                if not order[other]:
                    counter += 1
                    order[other] = low[other] = counter
                    stack.append(other)
                    work.append((other, iter(arcs[other])))
                    break
                if group[other] < 0 and order[other] < low[vertex]:
                    low[vertex] = order[other]
            else:
                work.pop()
                if work and low[vertex] < low[work[-1][0]]:
                    low[work[-1][0]] = low[vertex]
                if low[vertex] == order[vertex]:
                    while True:
                        member = stack.pop()
                        group[member] = vertex
                        if member == vertex:
                            break
    return group


def _bridges(neighbours: Sequence[Sequence[int]], rows: int) -> list[Edge]:
    """Edges on no cycle (depth first, without recursion). There are no parallel edges."""
    size = len(neighbours)
    order = [0] * size
    low = [0] * size
    counter = 0
    found: list[Edge] = []
    for root in range(rows):
        if order[root] or not neighbours[root]:
            continue
        counter += 1
        order[root] = low[root] = counter
        work = [(root, -1, iter(neighbours[root]))]
        while work:
            vertex, parent, rest = work[-1]
            for other in rest:
                if other == parent:
                    continue
                if order[other]:
                    if order[other] < low[vertex]:
                        low[vertex] = order[other]
                else:
                    counter += 1
                    order[other] = low[other] = counter
                    work.append((other, vertex, iter(neighbours[other])))
                    break
            else:
                work.pop()
                if parent >= 0:
                    if low[vertex] < low[parent]:
                        low[parent] = low[vertex]
                    if low[vertex] > order[parent]:
                        found.append((parent, vertex - rows) if parent < rows else (vertex, parent - rows))
    return found
