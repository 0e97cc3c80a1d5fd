"""Which cells of one family to hide besides those that must be: as few as can be found such that nothing hidden can be worked out.

Three steps. *Complete*: close every gap by the cheapest way (a small pool by one more cell, an exposed cell by the shortest cycle through it).
*Prune*: show again what turned out not to be needed. *Again*, with other prices of the cells, and keep the best. All random choices come
from a fixed seed: the same table gives the same mask.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from obc_pipeline.sharing.suppression.graph import Edge, HiddenGraph, columns_of

Hidden = list[int]  # per scope a bit mask of columns
Prices = Sequence[Sequence[float]]  # per scope and column: what hiding the cell costs
_NEVER = 1e18


@dataclass(frozen=True)
class Effort:
    """How long to search: `attempts` at most, and `work` in hidden cells looked at (100,000 are about a second)."""

    attempts: int
    work: int


THOROUGH = Effort(12, 50_000)
QUICK = Effort(1, 10_000)


@dataclass(frozen=True)
class Problem:
    """One family of a table.

    `counts[r]` are the counts of scope r with its total last; `must[r]` the columns that must be hidden, the total's bit set where the
    total is hidden; `readers` the scopes each reader knows, as bit masks. `moving[r]`: the columns whose count changed since the last
    snapshot; `before[r]`: the columns hidden in it.
    """

    counts: Sequence[Sequence[int]]
    must: Sequence[int]
    readers: Sequence[int]
    n_min: int
    moving: Sequence[int]
    before: Sequence[int]

    @property
    def totals_column(self) -> int:
        return len(self.counts[0]) - 1

    @property
    def all_hidden(self) -> Hidden:
        every = (1 << self.totals_column) - 1
        return [every | mask for mask in self.must]


@dataclass
class _Work:
    left: int
    done: int = field(default=0)

    def on(self, graph: HiddenGraph) -> None:
        self.done += sum(mask.bit_count() for mask in graph.hidden)

    @property
    def is_over(self) -> bool:
        return self.done >= self.left


def fewest_hidden(problem: Problem, seed: int, effort: Effort) -> Hidden | None:
    """The smallest safe set of hidden cells found, None when even hiding everything is not safe."""
    best: HiddenGraph | None = None
    work = _Work(effort.work)
    prices = _prices(problem)
    for attempt in range(effort.attempts):
        chance = random.Random(f"{seed}/{attempt}")
        graph = HiddenGraph(problem.must, problem.counts)
        if not _complete(problem, graph, _varied(prices, chance) if attempt else prices, chance if attempt else None, work):
            return None
        _prune(problem, graph, chance, work)
        if best is None or _cost(graph) < _cost(best):
            best = graph
        if work.is_over or graph.hidden == list(problem.must):
            break
    assert best is not None
    if any(problem.before):
        _complete_with_changes(problem, best, prices)
    return best.hidden


def is_safe(problem: Problem, graph: HiddenGraph) -> bool:
    """Whether no reader can work out a hidden cell, or learn the sum of a few."""
    return (
        next(_small_pools(problem, graph), None) is None
        and next(_totals_apart(problem, graph), None) is None
        and next(graph.gaps(problem.readers), None) is None
    )


def _complete(problem: Problem, graph: HiddenGraph, prices: Prices, chance: random.Random | None, work: _Work | None = None) -> bool:
    """Hides more until nothing is exposed; False when that cannot be."""
    while True:
        before = graph.hidden
        for pool in _small_pools(problem, graph):
            if not _fill_pool(problem, graph, prices, pool, chance):
                return False
        for start, goal, reader in _totals_apart(problem, graph):
            found = graph.cheapest_path(prices, start, goal, known=reader, totals=False)
            if found is None:
                return False
            _hide(graph, found[1])
        edges = list(graph.edges())
        if chance:
            chance.shuffle(edges)
        for edge, reader in graph.gaps(problem.readers, edges):
            if not _close_cycle(graph, prices, edge, reader):
                return False
        if work:
            work.on(graph)
        if graph.hidden == before:
            return True


def _prune(problem: Problem, graph: HiddenGraph, chance: random.Random, work: _Work) -> None:
    extra = [(r, c) for r, mask in enumerate(graph.hidden) for c in columns_of(mask & ~problem.must[r])]
    chance.shuffle(extra)
    for r, c in extra:
        if work.is_over:
            break
        work.on(graph)
        graph.show(r, c)
        if not is_safe(problem, graph):
            graph.hide(r, c)


def _complete_with_changes(problem: Problem, graph: HiddenGraph, prices: Prices) -> None:
    """Hides more so that each cell hidden for the first time is on a cycle of cells that changed since the last snapshot.

    A cell that was shown then and has not changed is still known to whoever guesses so; a cycle through it hides nothing from them.
    Where there is no such cycle (a student went from one school to another, and that school asks) nothing more can be done.
    """
    price = [[cell if problem.moving[r] >> c & 1 else _NEVER for c, cell in enumerate(row)] for r, row in enumerate(prices)]
    while True:
        before = graph.hidden
        moving = HiddenGraph([mask & moves for mask, moves in zip(before, problem.moving, strict=True)], problem.counts)
        new = [(r, c) for r, c in moving.edges() if not problem.before[r] >> c & 1]
        for edge in new:
            for reader in [0, *problem.readers]:
                if not reader >> edge[0] & 1 and moving.cycle(edge, reader) is None:
                    _close_cycle(moving, price, edge, reader)
        _hide(graph, moving.edges())
        if graph.hidden != before:
            _complete(problem, graph, prices, None)
        if graph.hidden == before:
            return


def _prices(problem: Problem) -> list[list[float]]:
    """What hiding a visible cell costs: 1; more where it was shown before and has not changed; a total is never hidden here."""
    return [
        [1.0 if problem.moving[r] >> c & 1 else 1.5 for c in range(problem.totals_column)] + [_NEVER] for r in range(len(problem.counts))
    ]


def _varied(prices: Prices, chance: random.Random) -> Prices:
    return [[cell * (1 + 0.6 * chance.random()) for cell in row] for row in prices]


def _cost(graph: HiddenGraph) -> int:
    return sum(mask.bit_count() for mask in graph.hidden)


def _hide(graph: HiddenGraph, cells: Sequence[Edge] | Iterator[Edge]) -> None:
    for r, c in list(cells):
        graph.hide(r, c)


# -- small pools: the hidden cells of a line whose total is shown are a group, which must not be a small one -------------------------------


@dataclass(frozen=True)
class _Pool:
    """A line with a visible total: scope `row`'s categories, or column `column` over the parts. `reader` is who sees the pool too small."""

    row: int | None
    column: int | None
    reader: int


def _small_pools(problem: Problem, graph: HiddenGraph) -> Iterator[_Pool]:
    """Every pool that is too small, each again until it is filled: the caller fills while it asks for the next."""
    for r in range(len(problem.counts)):
        while _is_small_row(problem, graph.hidden[r], r):
            yield _Pool(r, None, 0)
    for c in range(problem.totals_column):
        while (reader := _reader_of_small_column(problem, graph.hidden, c)) is not None:
            yield _Pool(None, c, reader)


def _is_small_row(problem: Problem, mask: int, r: int) -> bool:
    if not mask or mask >> problem.totals_column & 1:
        return False
    counts = problem.counts[r]
    return sum(counts[c] for c in columns_of(mask)) < problem.n_min


def _reader_of_small_column(problem: Problem, hidden: Sequence[int], c: int) -> int | None:
    """Who sees too small a pool in the column (0: everybody), None when nobody does."""
    if hidden[0] >> c & 1:
        return None
    rows = 0
    pool = 0
    for r in range(1, len(hidden)):
        if hidden[r] >> c & 1:
            rows |= 1 << r
            pool += problem.counts[r][c]
    if not rows:
        return None
    if pool < problem.n_min:
        return 0
    for reader in problem.readers:
        own = rows & reader
        if own and own != rows and pool - sum(problem.counts[r][c] for r in columns_of(own)) < problem.n_min:
            return reader
    return None


def _fill_pool(problem: Problem, graph: HiddenGraph, prices: Prices, pool: _Pool, chance: random.Random | None) -> bool:
    """One more cell of the line hidden; a line of a column can also lose its total. Prefers cells whose other line has hidden cells already."""
    hidden = graph.hidden
    if pool.row is not None:
        used = 0
        for mask in hidden:
            used |= mask
        cells = [(pool.row, c) for c in range(problem.totals_column) if not hidden[pool.row] >> c & 1]
        ranked = [(prices[r][c] - 0.3 * (used >> c & 1), problem.counts[r][c], (r, c)) for r, c in cells]
    else:
        assert pool.column is not None
        cells = [(r, pool.column) for r in range(len(hidden)) if not pool.reader >> r & 1 and not hidden[r] >> pool.column & 1]
        # Hiding the whole's cell closes the line for every reader, but opens the whole's row.
        ranked = [(prices[r][c] - 0.3 * bool(hidden[r]) + (0.2 if r == 0 else 0), problem.counts[r][c], (r, c)) for r, c in cells]
    if not ranked:
        return False
    r, c = (min(ranked) if chance is None else chance.choice(sorted(ranked)[:2]))[2]
    graph.hide(r, c)
    return True


# -- hidden totals: they are one cell in every family, so each family must let an amount pass between their scopes -------------------------


def _totals_apart(problem: Problem, graph: HiddenGraph) -> Iterator[tuple[int, int, int]]:
    """Scopes with hidden totals between which nothing can move, and for whom; each again until the caller has joined them."""
    scopes = 0
    for r, mask in enumerate(problem.must):
        if mask >> problem.totals_column & 1 and problem.counts[r][-1]:
            scopes |= 1 << r
    if not scopes:
        return
    for reader in [0, *problem.readers]:
        rest = scopes & ~reader
        while rest & (rest - 1) and (apart := graph.apart(rest, reader)) is not None:
            yield *apart, reader


def _close_cycle(graph: HiddenGraph, prices: Prices, gap: Edge, reader: int) -> bool:
    """Hides the cheapest cells that put `gap` on a cycle this reader knows nothing of."""
    r, c = gap
    column = len(graph.counts) + c
    count = graph.counts[r][c]
    ways = []
    # A count above zero may go either way, a zero only up.
    if count or not graph.goes_down(r, c):
        ways.append(graph.cheapest_path(prices, column, r, without=gap, known=reader))
    if count or graph.goes_down(r, c):
        ways.append(graph.cheapest_path(prices, r, column, without=gap, known=reader))
    found = [way for way in ways if way is not None]
    if not found:
        return False
    _hide(graph, min(found)[1])
    return True
