"""Three ways to see what is exposed agree: the graph, the rank audit, and the attacker's own arithmetic."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from obc_pipeline.sharing.suppression.audit import recoverable
from obc_pipeline.sharing.suppression.graph import HiddenGraph, columns_of, mask_of
from obc_pipeline.sharing.suppression.mask import Mask
from obc_pipeline.sharing.suppression.memory import Reason
from obc_pipeline.sharing.suppression.table import Cell, Table
from tests.suppression.attack import as_published, own_cells
from tests.suppression.attacker import recovered
from tests.suppression.random_districts import next_month, random_district, table_of

SEEDS = st.integers(0, 10**9)


def hidden_at_random(chance: random.Random, table: Table, share: float, totals: bool) -> Mask:
    return Mask({cell: Reason.PRIMARY for cell, _ in table.cells() if (totals or not cell.is_total) and chance.random() < share})


def found_by_attacker(
    months: list[tuple[Table, Mask]], school: str, non_negative: bool, is_change_known: bool = False
) -> set[tuple[int, Cell]]:
    own = own_cells(months, school) if school else {}
    cells = recovered(as_published(months, is_change_known), own, non_negative)
    return {(month, Cell(scope, family, category)) for month, scope, family, category in cells}


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from([0.2, 0.4, 0.6, 0.8]), st.booleans())
def test_the_rank_audit_finds_what_the_attacker_finds(seed: int, share: float, totals: bool) -> None:
    chance = random.Random(seed)
    table = table_of(random_district(chance))
    mask = hidden_at_random(chance, table, share, totals)
    for school in ("", table.scopes[1]):
        readers = [frozenset([school])] if school else []
        expected = found_by_attacker([(table, mask)], "", False) | (found_by_attacker([(table, mask)], school, False) if school else set())
        assert recoverable([(table, mask.hidden.keys())], readers) == expected


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.sampled_from([0.3, 0.6]))
def test_so_it_does_over_time(seed: int, share: float) -> None:
    chance = random.Random(seed)
    district = random_district(chance)
    months: list[tuple[Table, Mask]] = []
    for _ in range(3):
        table = table_of(district)
        months.append((table, hidden_at_random(chance, table, share, True)))
        district = next_month(chance, district)
    school = months[0][0].scopes[1]
    expected = found_by_attacker(months, "", False, True) | found_by_attacker(months, school, False, True)
    assert recoverable([(table, mask.hidden.keys()) for table, mask in months], [frozenset([school])]) == expected


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from([0.3, 0.5, 0.7]))
def test_the_graph_of_a_family_finds_what_the_attacker_finds_with_counts_from_zero_on(seed: int, share: float) -> None:
    chance = random.Random(seed)
    table = table_of(random_district(chance))
    family = table.families[0]
    hidden = [mask_of(c for c in range(len(family.categories)) if chance.random() < share) for _ in table.scopes]
    cells = {
        Cell(scope, family.name, family.categories[c]): Reason.PRIMARY
        for scope, columns in zip(table.scopes, hidden, strict=True)
        for c in columns_of(columns)
    }
    graph = HiddenGraph(hidden, [(*row, total) for row, total in zip(family.counts, table.totals, strict=True)])
    for number, school in [(0, ""), (1, table.scopes[1])]:
        known = 1 << number if number else 0
        exposed = {edge for edge in graph.edges() if not known >> edge[0] & 1 and graph.cycle(edge, known) is None}
        named = {(0, Cell(table.scopes[r], family.name, family.categories[c])) for r, c in exposed}
        assert named == found_by_attacker([(table, Mask(cells))], school, True)
