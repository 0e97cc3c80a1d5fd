"""The mask of a table: which cells go out and which do not, and why. One mask for every figure of the cell: rates, counts, dollars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from obc_pipeline.sharing.suppression.audit import recoverable
from obc_pipeline.sharing.suppression.cover import Hidden, Problem, fewest_hidden
from obc_pipeline.sharing.suppression.graph import columns_of
from obc_pipeline.sharing.suppression.settings import Settings
from obc_pipeline.sharing.suppression.table import TOTAL, Cell, Family, Table

Reader = frozenset[str]  # the scopes whose exact cells a recipient knows because the students are its own; empty: the public


class Reason(StrEnum):
    """Why a cell is hidden: for the district's own copy. Nobody else may see it, because it tells which groups are small."""

    PRIMARY = "PRIMARY"
    COMPLEMENTARY = "COMPLEMENTARY"
    MEMORY = "MEMORY"
    WITHHELD = "DIMENSION_WITHHELD"


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
    price: Mapping[Cell, float] = MappingProxyType({}),
) -> Mask:
    """The mask of one table.

    `readers` are the recipients besides the public, each by the scopes it knows exactly. `must_hide`: cells that are hidden whatever
    their count (memory of earlier snapshots, small related denominators). `price`: what hiding a cell costs in the search (default 1).
    """
    settings = settings or Settings()
    index = {scope: number for number, scope in enumerate(table.scopes)}
    known = sorted({frozenset(index[scope] for scope in reader if scope in index) for reader in readers} - {frozenset()}, key=sorted)
    # Who knows the whole, or all parts, knows everything: there is nothing to keep from it.
    known = [reader for reader in known if 0 not in reader and len(reader) < len(table.scopes) - 1]
    totals = _hidden_totals(table, known, settings.n_min, {index[cell.scope] for cell in must_hide if cell.is_total})
    reasons: dict[Cell, Reason] = {}
    for r in sorted(totals):
        reasons[Cell(table.scopes[r])] = _reason(Cell(table.scopes[r]), table.totals[r], settings.n_min, must_hide)
    for family in table.families:
        reasons |= _mask_of_family(table, family, totals, known, settings, must_hide, price)
    return _audited(table, reasons, known)


def primary(table: Table, n_min: int) -> set[Cell]:
    """The cells of fewer than `n_min` students, empty ones too."""
    return {cell for cell, count in table.cells() if count < n_min}


def _hidden_totals(table: Table, readers: Sequence[frozenset[int]], n_min: int, must: Set[int]) -> set[int]:
    """The scopes whose total is hidden: small ones, and as many more as keep anybody from working them out from the whole's."""
    hidden = {r for r, total in enumerate(table.totals) if total < n_min} | set(must)
    while hidden:
        for reader in [frozenset[int](), *readers]:
            rest = hidden - reader
            others = [r for r in range(1, len(table.totals)) if r not in rest and r not in reader]
            if not rest or (len(rest) > 1 and (0 in rest or sum(table.totals[r] for r in rest) >= n_min)):
                continue
            if not others and 0 in rest:
                continue  # nothing else is left to hide
            hidden.add(min(others, key=lambda r: (table.totals[r], r)) if others else 0)
            break
        else:
            return hidden
    return hidden


def _mask_of_family(
    table: Table,
    family: Family,
    totals: Set[int],
    readers: Sequence[frozenset[int]],
    settings: Settings,
    must_hide: Set[Cell],
    price: Mapping[Cell, float],
) -> dict[Cell, Reason]:
    totals_column = len(family.categories)
    cells = [[Cell(scope, family.name, category) for category in family.categories] for scope in table.scopes]
    counts = [(*row, total) for row, total in zip(family.counts, table.totals, strict=True)]
    must = [
        sum(1 << c for c, count in enumerate(family.counts[r]) if count < settings.n_min or cells[r][c] in must_hide)
        | (1 << totals_column if r in totals else 0)
        for r in range(len(table.scopes))
    ]
    prices = [[price.get(cell, 1.0) for cell in row] + [1e18] for row in cells]
    problem = Problem(counts, must, readers, settings.n_min, prices)
    hidden: Hidden = list(must)
    is_withheld = False
    if any(must):
        found = fewest_hidden(problem, settings.seed)
        is_withheld = found is None
        hidden = problem.all_hidden if found is None else found
    reasons = {}
    for r, mask in enumerate(hidden):
        for c in columns_of(mask & ~(1 << totals_column)):
            cell = cells[r][c]
            reason = _reason(cell, counts[r][c], settings.n_min, must_hide)
            reasons[cell] = Reason.WITHHELD if is_withheld and reason is Reason.COMPLEMENTARY else reason
    return reasons


def _reason(cell: Cell, count: int, n_min: int, must_hide: Set[Cell]) -> Reason:
    if count < n_min:
        return Reason.PRIMARY
    return Reason.MEMORY if cell in must_hide else Reason.COMPLEMENTARY


def _audited(table: Table, reasons: dict[Cell, Reason], readers: Sequence[frozenset[int]]) -> Mask:
    """The mask after the rank audit: a family in which anything can still be worked out is withheld in all scopes."""
    for _ in range(len(table.families) + 1):
        found = recoverable(table, set(reasons), [frozenset(table.scopes[r] for r in reader) for reader in readers])
        found -= _beyond_help(table, reasons)
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
