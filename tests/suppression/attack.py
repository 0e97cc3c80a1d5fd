"""The attack on one district: three months published, then every recipient tries, with all it has."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field

from obc_pipeline.sharing.suppression.mask import Mask, suppress
from obc_pipeline.sharing.suppression.merge import merged, merges_worth_it
from obc_pipeline.sharing.suppression.table import Table
from tests.suppression.attacker import Key, Published, recovered, small_pools
from tests.suppression.random_districts import WHOLE, next_month, random_district, table_of

MONTHS = 3
N_MIN = 10
Masks = Callable[[Table, Set[frozenset[str]], Sequence[tuple[Table, Mask]]], Mask]


def as_it_is(table: Table, readers: Set[frozenset[str]], earlier: Sequence[tuple[Table, Mask]]) -> Mask:
    return suppress(table, readers, earlier=earlier)


def readers_of(table: Table) -> set[frozenset[str]]:
    return {frozenset([school]) for school in table.scopes[1:]}


def published_months(chance: random.Random, mask: Masks = as_it_is, with_merges: bool = False) -> list[tuple[Table, Mask]]:
    """A random district over three months, each month masked with the earlier ones in mind."""
    district = random_district(chance)
    months: list[tuple[Table, Mask]] = []
    merges = merges_worth_it(table_of(district), {"race"}, readers_of(table_of(district))) if with_merges else {}
    for _ in range(MONTHS):
        table = merged(table_of(district), merges)
        months.append((table, mask(table, readers_of(table), list(months))))
        district = next_month(chance, district)
    return months


def as_published(months: Sequence[tuple[Table, Mask]], is_change_known: bool = False) -> Published:
    """What is out: exact counts of what is shown. `is_change_known`: also which counts are the same as the month before."""
    published = Published(WHOLE, {})
    before: dict[Key, int] = {}
    for month, (table, mask) in enumerate(months):
        counts = {(month, cell.scope, cell.family, cell.category): count for cell, count in table.cells()}
        published.cells |= {
            (month, cell.scope, cell.family, cell.category): None if mask.hides(cell) else count for cell, count in table.cells()
        }
        if is_change_known:
            published.same |= {key: (month - 1, *key[1:]) for key, count in counts.items() if before.get((month - 1, *key[1:])) == count}
        before = counts
    return published


def own_cells(months: Sequence[tuple[Table, Mask]], school: str) -> dict[Key, int]:
    return {
        (month, cell.scope, cell.family, cell.category): count
        for month, (table, _) in enumerate(months)
        for cell, count in table.cells()
        if cell.scope == school
    }


@dataclass
class Loot:
    """What was found: cells (with the count the attacker names), and small groups known by their sum; by who found it ('' the public)."""

    cells: dict[str, dict[Key, int]] = field(default_factory=dict)
    pools: dict[str, list[tuple[list[Key], int]]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.cells or self.pools)


def attack(months: Sequence[tuple[Table, Mask]], is_change_known: bool = False) -> Loot:
    """Everybody tries: the public, and each school with all its own exact cells of all months."""
    published = as_published(months, is_change_known)
    loot = Loot()
    for who in ("", *months[0][0].scopes[1:]):
        own = own_cells(months, who) if who else {}
        if cells := recovered(published, own):
            loot.cells[who] = cells
        if pools := small_pools(published, N_MIN, own):
            loot.pools[who] = pools
    return loot


def random_attacks(seed: int, districts: int, mask: Masks = as_it_is, with_merges: bool = False) -> Iterator[Loot]:
    for number in range(districts):
        yield attack(published_months(random.Random(f"{seed}/{number}"), mask, with_merges))
