"""The mask of a table: which cells go out and which do not, and why. One mask for every figure of the cell: rates, counts, dollars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from obc_pipeline.sharing.suppression.audit import recoverable
from obc_pipeline.sharing.suppression.cover import QUICK, THOROUGH, Hidden, Problem, fewest_hidden
from obc_pipeline.sharing.suppression.graph import columns_of, mask_of
from obc_pipeline.sharing.suppression.memory import Memory, Reason, Snapshots, remember
from obc_pipeline.sharing.suppression.settings import Settings
from obc_pipeline.sharing.suppression.table import TOTAL, Cell, Family, Table

Reader = frozenset[str]  # the scopes whose exact cells a recipient knows because the students are its own; empty: the public
_MOST_AUDITED = 40_000_000  # months x readers x unknowns squared that may be spent on trying to show again what was hidden


@dataclass(frozen=True)
class Mask:
    """The hidden cells of a table, with the reason."""

    hidden: Mapping[Cell, Reason]

    def hides(self, cell: Cell) -> bool:
        return cell in self.hidden

    def withheld(self, table: Table) -> list[tuple[str, str]]:
        """(scope, family) of which not one category is shown."""
        return [
            (scope, family.name)
            for family in table.families
            for scope in table.scopes
            if all(self.hides(Cell(scope, family.name, category)) for category in family.categories)
        ]


def suppress(
    table: Table,
    readers: Set[Reader] = frozenset(),
    settings: Settings | None = None,
    must_hide: Set[Cell] = frozenset(),
    earlier: Sequence[tuple[Table, Mask]] = (),
    is_subset: bool = False,
) -> Mask:
    """The mask of one table.

    `readers` are the recipients besides the public, each by the scopes it knows exactly. `must_hide`: cells that are hidden whatever
    their count (small related denominators). `earlier`: the tables and masks of the same school year that are out already, oldest first.
    `is_subset`: the students are some of those of a table whose hidden cells are in `must_hide`; no more totals are hidden than must be.
    """
    search = Search(table, readers, settings or Settings(), must_hide, earlier)
    totals = search.least_totals() if is_subset else search.cheapest_totals()
    reasons: dict[Cell, Reason] = {Cell(table.scopes[r]): search.reason(Cell(table.scopes[r]), table.totals[r]) for r in sorted(totals)}
    for family in table.families:
        reasons |= search.mask_of(family, totals)
    return _audited(table, reasons, search.known)


def primary(table: Table, n_min: int) -> set[Cell]:
    """The cells of fewer than `n_min` students, empty ones too."""
    return {cell for cell, count in table.cells() if count < n_min}


class Search:
    """What is the same for all families of a table."""

    def __init__(
        self,
        table: Table,
        readers: Set[Reader],
        settings: Settings,
        must_hide: Set[Cell] = frozenset(),
        earlier: Sequence[tuple[Table, Mask]] = (),
    ) -> None:
        self.table, self.settings = table, settings
        self.past: Snapshots = [(old, mask.hidden.keys()) for old, mask in earlier]
        self.memory: Memory = remember(table, self.past, settings.n_min)
        self.must_hide = must_hide | self.memory.stays
        index = {scope: number for number, scope in enumerate(table.scopes)}
        known = {frozenset(index[scope] for scope in reader if scope in index) for reader in readers} - {frozenset[int]()}
        # Who knows the whole, or all its parts, knows everything: there is nothing to keep from it.
        self.known = sorted((one for one in known if 0 not in one and len(one) < len(table.scopes) - 1), key=sorted)

    def reason(self, cell: Cell, count: int) -> Reason:
        if count < self.settings.n_min:
            return Reason.PRIMARY
        return Reason.MEMORY if cell in self.memory.hidden_before else Reason.COMPLEMENTARY

    # -- totals ---------------------------------------------------------------------------------------------------------------------

    def cheapest_totals(self) -> set[int]:
        """The scopes whose total is hidden: those that must be, and more where that leaves more other cells to be shown."""
        least = self.least_totals()
        if self.past or len(self.table.scopes) > _FEW_SCOPES:
            return least
        best, best_cost = least, self._cost(least)
        for more in self._totals_to_try(least):
            cost = self._cost(more, best_cost)
            if cost < best_cost - 1e-9:
                best, best_cost = more, cost
        return best

    def least_totals(self) -> set[int]:
        """The scopes whose total must be hidden."""
        return self._closed({r for r, total in enumerate(self.table.totals) if total < self.settings.n_min} | self._kept_totals())

    def _kept_totals(self) -> set[int]:
        """Totals that were hidden before stay hidden: they hold up masks that are out."""
        before = self.must_hide | self.memory.hidden_before
        return {r for r, scope in enumerate(self.table.scopes) if Cell(scope) in before}

    def _closed(self, hidden: set[int]) -> set[int]:
        """As many more totals hidden as keep anybody from working the hidden ones out from the whole's."""
        totals, hidden = self.table.totals, set(hidden)
        while hidden:
            for reader in [frozenset[int](), *self.known]:
                rest = hidden - reader
                others = [r for r in range(1, len(totals)) if r not in rest and r not in reader]
                if not rest or (len(rest) > 1 and (0 in rest or sum(totals[r] for r in rest) >= self.settings.n_min)):
                    continue
                if not others and 0 in rest:
                    continue  # nothing else is left to hide
                hidden.add(min(others, key=lambda r: (totals[r], r)) if others else 0)
                break
            else:
                return hidden
        return hidden

    def _totals_to_try(self, least: set[int]) -> Iterator[set[int]]:
        """Sets of totals worth a look: the scopes with the most small cells first, with and without the whole."""
        small = {
            r: sum(count < self.settings.n_min for family in self.table.families for count in family.counts[r])
            for r in range(len(self.table.scopes))
        }
        ranked = sorted(range(1, len(self.table.scopes)), key=lambda r: (-small[r], self.table.totals[r]))
        seen = {frozenset(least)}
        for count in range(1, len(ranked) + 1):
            for whole in (set[int](), {0}):
                more = self._closed(least | set(ranked[:count]) | whole)
                if frozenset(more) not in seen:
                    seen.add(frozenset(more))
                    yield more

    def _cost(self, totals: set[int], limit: float = 1e18) -> float:
        cost = len(totals) * self.settings.total_price
        for family in self.table.families:
            if cost >= limit:
                break
            cost += self.least_hidden(family, totals)
        return cost

    def least_hidden(self, family: Family, totals: Set[int]) -> int:
        """How many categories of the family a quick search has to hide, over all scopes."""
        problem = self.problem(family, totals)
        hidden = fewest_hidden(problem, self.settings.seed, QUICK) or problem.all_hidden
        return sum((mask & ~(1 << problem.totals_column)).bit_count() for mask in hidden)

    # -- families -------------------------------------------------------------------------------------------------------------------

    def problem(self, family: Family, totals: Set[int], kept: Set[Cell] = frozenset()) -> Problem:
        """The search for one family. `kept`: cells to hide besides."""
        totals_column = len(family.categories)
        must, moving, before = [], [], []
        for r, scope in enumerate(self.table.scopes):
            cells = [Cell(scope, family.name, category) for category in family.categories]
            counts = family.counts[r]
            must.append(
                sum(1 << c for c, cell in enumerate(cells) if counts[c] < self.settings.n_min or cell in self.must_hide or cell in kept)
                | (1 << totals_column if r in totals else 0)
            )
            moving.append(sum(1 << c for c, cell in enumerate([*cells, Cell(scope)]) if cell not in self.memory.unchanged))
            before.append(sum(1 << c for c, cell in enumerate([*cells, Cell(scope)]) if cell in self.memory.hidden_before))
        counts = [(*row, total) for row, total in zip(family.counts, self.table.totals, strict=True)]
        return Problem(counts, must, [mask_of(reader) for reader in self.known], self.settings.n_min, moving, before)

    def mask_of(self, family: Family, totals: Set[int]) -> dict[Cell, Reason]:
        """The hidden cells of one family. What was hidden before stays, unless a mask made anew gives nothing more away over time."""
        careful = self._hidden(family, self.problem(family, totals, self.memory.hidden_before))
        if not self.past or not any(cell.family == family.name for cell in self.memory.may_show):
            return careful
        fresh = self._hidden(family, self.problem(family, totals, self.memory.hidden_before & self.memory.unchanged))
        if len(fresh) >= len(careful) or self._audit_size(len(careful)) > _MOST_AUDITED:
            return careful
        return fresh if self._exposed_over_time(family, fresh) <= self._exposed_over_time(family, careful) else careful

    def _hidden(self, family: Family, problem: Problem) -> dict[Cell, Reason]:
        if not any(problem.must):
            return {}
        found = fewest_hidden(problem, self.settings.seed, THOROUGH)
        hidden: Hidden = problem.all_hidden if found is None else found
        reasons = {}
        for r, mask in enumerate(hidden):
            for c in columns_of(mask & ~(1 << problem.totals_column)):
                cell = Cell(self.table.scopes[r], family.name, family.categories[c])
                reason = self.reason(cell, problem.counts[r][c])
                reasons[cell] = Reason.WITHHELD if found is None and reason is Reason.COMPLEMENTARY else reason
        return reasons

    def _audit_size(self, hidden: int) -> int:
        months = len(self.past) + 1
        return months * (len(self.known) + 1) * (months * hidden) ** 2

    def _exposed_over_time(self, family: Family, hidden: Mapping[Cell, Reason]) -> set[tuple[int, Cell]]:
        def only(table: Table) -> Table:
            return replace(table, families=tuple(one for one in table.families if one.name == family.name))

        months = [(only(table), cells) for table, cells in self.past]
        months.append(
            (only(self.table), hidden.keys() | {Cell(scope) for scope in self.table.scopes if Cell(scope) in self.memory.hidden_before})
        )
        return recoverable(months, [frozenset(self.table.scopes[r] for r in reader) for reader in self.known])


_FEW_SCOPES = 12  # with more scopes than this, totals are hidden only where they must be: so large a table needs it less and takes longer


def _audited(table: Table, reasons: dict[Cell, Reason], readers: Sequence[frozenset[int]]) -> Mask:
    """The mask after the rank audit: a family in which anything can still be worked out is withheld in all scopes."""
    known = [frozenset(table.scopes[r] for r in reader) for reader in readers]
    for _ in range(len(table.families) + 1):
        found = {cell for _, cell in recoverable([(table, reasons.keys())], known)} - _beyond_help(table, reasons)
        if not found:
            break
        families = {cell.family for cell in found} - {TOTAL} or {family.name for family in table.families}
        for family in table.families:
            if family.name in families:
                for scope in table.scopes:
                    for category in family.categories:
                        reasons.setdefault(Cell(scope, family.name, category), Reason.WITHHELD)
    return Mask(reasons)


def _beyond_help(table: Table, reasons: Mapping[Cell, Reason]) -> set[Cell]:
    """Cells of families that are hidden altogether: no further cell can be hidden for them."""
    whole = {
        family.name
        for family in table.families
        if all(Cell(scope, family.name, category) in reasons for scope in table.scopes for category in family.categories)
    }
    return {cell for cell in reasons if cell.family in whole}
