"""Which cells of one family to hide besides those that must be: as few as can be found such that nothing hidden can be worked out.

Three steps. *Complete*: close every gap by the cheapest way (a small pool by one more cell, an exposed cell by the shortest cycle through it).
*Prune*: show again what turned out not to be needed. *Again*, with other prices of the cells, and keep the best. All random choices come
from a fixed seed: the same table gives the same mask.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from obc_pipeline.sharing.suppression.graph import Edge, cheapest_path, columns_of, connected, exposed

Hidden = list[int]  # per scope a bit mask of columns
_NEVER = 1e18


@dataclass(frozen=True)
class Effort:
    """How long to search: `attempts` at most, and `work` in hidden cells x readers looked at (300,000 is about a second)."""

    attempts: int
    work: int


THOROUGH = Effort(12, 300_000)
QUICK = Effort(1, 20_000)


@dataclass(frozen=True)
class Problem:
    """One family of a table.

    `counts[r]` are the counts of scope r with its total last; `must[r]` the columns that must be hidden, the total's bit set where the
    total is hidden; `readers` what each reader knows of its own (sets of scopes; the empty set is the public). `moving[r]`: the columns
    whose count changed since the last snapshot; `before[r]`: the columns hidden in it.
    """

    counts: Sequence[Sequence[int]]
    must: Sequence[int]
    readers: Sequence[frozenset[int]]
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

    def readers_of(self, hidden: Sequence[int]) -> list[frozenset[int]]:
        """The readers whose own cells matter here: what is visible anyway teaches nobody anything. The public always."""
        return [frozenset(), *(reader for reader in self.readers if any(hidden[r] for r in reader))]


def fewest_hidden(problem: Problem, seed: int, effort: Effort) -> Hidden | None:
    """The smallest safe set of hidden cells found, None when even hiding everything is not safe."""
    best: Hidden | None = None
    left = effort.work
    prices = _prices(problem)
    for attempt in range(effort.attempts):
        chance = random.Random(f"{seed}/{attempt}")
        hidden, used = _complete(problem, list(problem.must), _varied(prices, chance) if attempt else prices, chance if attempt else None)
        left -= used
        if hidden is None:
            return None
        hidden, used = _pruned(problem, hidden, chance, left)
        left -= used
        if best is None or _cost(hidden) < _cost(best):
            best = hidden
        if left <= 0 or hidden == list(problem.must):
            break
    assert best is not None
    return _moving_cycles(problem, best, prices) if any(problem.before) else best


def is_safe(problem: Problem, hidden: Sequence[int]) -> bool:
    """Whether no reader can work out a hidden cell, or learn the sum of a few."""
    return (
        _small_pool(problem, hidden) is None
        and _totals_apart(problem, hidden) is None
        and not any(exposed(hidden, problem.counts, reader) for reader in problem.readers_of(hidden))
    )


def _complete(
    problem: Problem, hidden: Hidden, price: Sequence[Sequence[float]], chance: random.Random | None
) -> tuple[Hidden | None, int]:
    """Hides more until nothing is exposed; with the work done. None when that cannot be."""
    work = 0
    while True:
        before = list(hidden)
        while (pool := _small_pool(problem, hidden)) is not None:
            if not _fill_pool(problem, hidden, price, pool, chance):
                return None, work
        while (apart := _totals_apart(problem, hidden)) is not None:
            if not _join(problem, hidden, price, *apart):
                return None, work
        for reader in problem.readers_of(hidden):
            while gaps := exposed(hidden, problem.counts, reader):
                work += sum(mask.bit_count() for mask in hidden)
                gap = chance.choice(gaps) if chance else gaps[0]
                if not _close_cycle(problem, hidden, price, gap, reader):
                    return None, work
            work += sum(mask.bit_count() for mask in hidden)
        if hidden == before:
            return hidden, work


def _pruned(problem: Problem, hidden: Hidden, chance: random.Random, work_left: int) -> tuple[Hidden, int]:
    extra = [(r, c) for r in range(len(hidden)) for c in columns_of(hidden[r] & ~problem.must[r])]
    chance.shuffle(extra)
    work = 0
    for r, c in extra:
        work += sum(mask.bit_count() for mask in hidden) * (len(problem.readers) + 1)
        if work > work_left:
            break
        hidden[r] ^= 1 << c
        if not is_safe(problem, hidden):
            hidden[r] |= 1 << c
    return hidden, work


def _moving_cycles(problem: Problem, hidden: Hidden, prices: Sequence[Sequence[float]]) -> Hidden:
    """Hides more so that each cell hidden for the first time is on a cycle of cells that changed since the last snapshot.

    A cell that was shown then and has not changed is still known to whoever guesses so; a cycle through it hides nothing from them.
    Where there is no such cycle (a student went from one school to another, and that school asks) nothing more can be done.
    """
    price = [[cell if problem.moving[r] >> c & 1 else _NEVER for c, cell in enumerate(row)] for r, row in enumerate(prices)]
    while True:
        before = list(hidden)
        for reader in problem.readers_of(hidden):
            hopeless: set[Edge] = set()
            while True:
                moving = [mask & moves for mask, moves in zip(hidden, problem.moving, strict=True)]
                gaps = [gap for gap in exposed(moving, problem.counts, reader) if not problem.before[gap[0]] >> gap[1] & 1]
                gap = next((gap for gap in gaps if gap not in hopeless), None)
                if gap is None:
                    break
                if not _close_cycle(problem, moving, price, gap, reader):
                    hopeless.add(gap)
                hidden = [mask | more for mask, more in zip(hidden, moving, strict=True)]
        closed, _ = _complete(problem, hidden, prices, None)
        hidden = hidden if closed is None else closed
        if hidden == before:
            return hidden


def _prices(problem: Problem) -> list[list[float]]:
    """What hiding a visible cell costs: 1; more where it was shown before and has not changed; a total is never hidden here."""
    return [
        [1.0 if problem.moving[r] >> c & 1 else 1.5 for c in range(problem.totals_column)] + [_NEVER] for r in range(len(problem.counts))
    ]


def _varied(prices: Sequence[Sequence[float]], chance: random.Random) -> list[list[float]]:
    return [[cell * (1 + 0.6 * chance.random()) for cell in row] for row in prices]


def _cost(hidden: Hidden) -> int:
    return sum(mask.bit_count() for mask in hidden)


# -- small pools: the hidden cells of a line whose sum is known are a group, which must not be a small one -------------------------------


@dataclass(frozen=True)
class _Pool:
    """A line with a visible total: scope `row`'s categories, or column `column` over the parts. `reader` is who sees the pool too small."""

    row: int | None
    column: int | None
    reader: frozenset[int]


def _small_pool(problem: Problem, hidden: Sequence[int]) -> _Pool | None:
    counts, totals_column, n_min = problem.counts, problem.totals_column, problem.n_min
    for r, mask in enumerate(hidden):
        if mask and not mask >> totals_column & 1 and sum(counts[r][c] for c in columns_of(mask)) < n_min:
            return _Pool(r, None, frozenset())
    for c in range(totals_column):
        if hidden[0] >> c & 1:
            continue
        rows = [r for r in range(1, len(hidden)) if hidden[r] >> c & 1]
        if not rows:
            continue
        pool = sum(counts[r][c] for r in rows)
        if pool < n_min:
            return _Pool(None, c, frozenset())
        for reader in problem.readers:
            others = [r for r in rows if r not in reader]
            if len(others) < len(rows) and others and sum(counts[r][c] for r in others) < n_min:
                return _Pool(None, c, reader)
    return None


def _fill_pool(problem: Problem, hidden: Hidden, price: Sequence[Sequence[float]], pool: _Pool, chance: random.Random | None) -> bool:
    """One more cell of the line hidden; a line of a column can also lose its total. Prefers cells whose other line has hidden cells already."""
    if pool.row is not None:
        cells = [(pool.row, c) for c in range(problem.totals_column) if not hidden[pool.row] >> c & 1]
        column_used = [any(mask >> c & 1 for mask in hidden) for c in range(problem.totals_column)]
        ranked = [(price[r][c] - 0.3 * column_used[c], problem.counts[r][c], (r, c)) for r, c in cells]
    else:
        assert pool.column is not None
        cells = [(r, pool.column) for r in range(len(hidden)) if r not in pool.reader and not hidden[r] >> pool.column & 1]
        # Hiding the whole's cell closes the line for every reader, but opens the whole's row.
        ranked = [(price[r][c] - 0.3 * bool(hidden[r]) + (0.2 if r == 0 else 0), problem.counts[r][c], (r, c)) for r, c in cells]
    ranked = [entry for entry in ranked if entry[0] < _NEVER / 2]
    if not ranked:
        return False
    r, c = (min(ranked) if chance is None else chance.choice(sorted(ranked)[:2]))[2]
    hidden[r] |= 1 << c
    return True


# -- hidden totals: they are one cell in every family, so each family must let an amount pass between their scopes -------------------------


def _totals_apart(problem: Problem, hidden: Sequence[int]) -> tuple[int, int, frozenset[int]] | None:
    """Two scopes with hidden totals between which nothing can move, and for whom; None when all is well."""
    scopes = [r for r, mask in enumerate(problem.must) if mask >> problem.totals_column & 1 and problem.counts[r][-1]]
    if not scopes:
        return None
    for reader in problem.readers_of(hidden):
        rest = [r for r in scopes if r not in reader]
        apart = connected(hidden, problem.counts, rest, reader) if len(rest) > 1 else None
        if apart is not None:
            return *apart, reader
    return None


def _join(problem: Problem, hidden: Hidden, price: Sequence[Sequence[float]], start: int, goal: int, reader: Collection[int]) -> bool:
    found = cheapest_path(hidden, problem.counts, price, start, goal, known=reader, through_totals=False)
    if found is None:
        return False
    _hide(hidden, found[1])
    return True


def _close_cycle(problem: Problem, hidden: Hidden, price: Sequence[Sequence[float]], gap: Edge, reader: Collection[int]) -> bool:
    """Hides the cheapest cells that put `gap` on a cycle this reader knows nothing of."""
    r, c = gap
    vertex = len(hidden) + c
    # A cell above zero may go either way. A zero can only grow, whichever way that is here: try both and see whether it helped.
    ways = [(r, vertex), (vertex, r)]
    found = [cheapest_path(hidden, problem.counts, price, a, b, without=gap, known=reader) for a, b in ways]
    for _, path in sorted(way for way in found if way is not None):
        tried = list(hidden)
        _hide(tried, path)
        if gap not in exposed(tried, problem.counts, reader):
            hidden[:] = tried
            return True
    return False


def _hide(hidden: Hidden, cells: Sequence[Edge]) -> None:
    for r, c in cells:
        hidden[r] |= 1 << c
