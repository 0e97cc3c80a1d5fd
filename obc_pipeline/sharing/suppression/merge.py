"""Small categories shown together: one figure for three small groups says more than three hidden ones, where it hides less."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from obc_pipeline.sharing.suppression.mask import Reader, Search
from obc_pipeline.sharing.suppression.settings import Settings
from obc_pipeline.sharing.suppression.table import Family, Table

SEPARATOR = " + "
Merges = Mapping[str, tuple[str, ...]]  # family -> the categories that are shown as one


def merged(table: Table, merges: Merges) -> Table:
    """The table with those categories added up into one, last, called by their names. Categories the table does not have are passed over."""
    return replace(table, families=tuple(_merged_family(family, merges.get(family.name, ())) for family in table.families))


def merges_worth_it(table: Table, families: Set[str], readers: Set[Reader] = frozenset(), settings: Settings | None = None) -> Merges:
    """For each of `families` the smallest categories whose merging leaves most figures to be shown; none where merging gains nothing.

    To be decided once a school year, with the first snapshot: a merge made or undone later would tell the difference.
    """
    search = Search(table, readers, settings or Settings())
    totals = search.cheapest_totals()
    found = {}
    for family in table.families:
        if family.name not in families:
            continue
        smallest_first = sorted(range(len(family.categories)), key=lambda c: (family.counts[0][c], c))
        best, best_shown = (), _shown(search, family, totals)
        for count in range(2, len(smallest_first)):
            names = tuple(family.categories[c] for c in sorted(smallest_first[:count]))
            shown = _shown(search, _merged_family(family, names), totals)
            if shown > best_shown:
                best, best_shown = names, shown
        if best:
            found[family.name] = best
    return found


def _shown(search: Search, family: Family, totals: Set[int]) -> int:
    return len(family.counts) * len(family.categories) - search.least_hidden(family, totals)


def _merged_family(family: Family, names: Sequence[str]) -> Family:
    together = [c for c, name in enumerate(family.categories) if name in names]
    if len(together) < 2:
        return family
    alone = [c for c in range(len(family.categories)) if c not in together]
    return Family(
        family.name,
        (*(family.categories[c] for c in alone), SEPARATOR.join(family.categories[c] for c in together)),
        tuple((*(row[c] for c in alone), sum(row[c] for c in together)) for row in family.counts),
    )
