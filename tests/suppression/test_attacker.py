"""The proof: an attacker with its own arithmetic finds nothing in random districts, and much as soon as the masks are weakened."""

from __future__ import annotations

import random
from collections.abc import Sequence, Set

import pytest

from obc_pipeline.sharing.suppression import cover, mask
from obc_pipeline.sharing.suppression.graph import HiddenGraph
from obc_pipeline.sharing.suppression.mask import Mask, Reason, primary, suppress
from obc_pipeline.sharing.suppression.table import Cell, Table
from tests.suppression.attack import MONTHS, attack, published_months, random_attacks
from tests.suppression.attacker import Published, recovered, small_pools

FEW = 15
Earlier = Sequence[tuple[Table, Mask]]


@pytest.mark.parametrize("with_merges", [False, True], ids=["as they are", "small races merged"])
def test_nothing_is_found_in_a_few_random_districts(with_merges: bool) -> None:
    assert not [loot for loot in random_attacks(1, FEW, with_merges=with_merges) if loot]


@pytest.mark.slow
def test_nothing_is_found_in_a_thousand_random_districts() -> None:
    """Three months each, the public and every school with its own exact cells; and the share hidden stays what the docs say."""
    cells = hidden = small = districts = 0
    for number in range(1000):
        months = published_months(random.Random(f"thousand/{number}"))
        loot = attack(months)
        assert not loot, (number, loot)
        table, first = months[0]
        districts += 1
        cells += len(list(table.cells()))
        hidden += len(first.hidden)
        small += len(primary(table, 10))
    assert districts == 1000
    assert 0.355 < small / cells < 0.385  # the districts are as nasty as they are said to be
    assert hidden / cells < 0.63


# -- the attack works: it breaks every weakened mask ------------------------------------------------------------------------------------


def test_it_names_the_true_counts_when_only_small_cells_are_hidden() -> None:
    def only_small(table: Table, readers: Set[frozenset[str]], earlier: Earlier) -> Mask:
        return Mask(dict.fromkeys(primary(table, 10), Reason.PRIMARY))

    broken = 0
    for number in range(FEW):
        months = published_months(random.Random(f"primary/{number}"), only_small)
        loot = attack(months)
        broken += bool(loot.cells.get(""))
        for found in loot.cells.values():
            for (month, scope, family, category), count in found.items():
                assert dict(months[month][0].cells())[Cell(scope, family, category)] == count
    assert broken > 0.9 * FEW


def test_schools_find_each_other_when_the_mask_thinks_of_the_public_only() -> None:
    def public_only(table: Table, readers: Set[frozenset[str]], earlier: Earlier) -> Mask:
        return suppress(table, frozenset(), earlier=earlier)

    loots = list(random_attacks(2, FEW, public_only))
    assert sum(bool(loot) for loot in loots) > 0.5 * FEW
    assert not [loot for loot in loots if loot.cells.get("")]


def test_one_complementary_cell_shown_is_enough() -> None:
    def one_too_many(table: Table, readers: Set[frozenset[str]], earlier: Earlier) -> Mask:
        hidden = dict(suppress(table, readers, earlier=earlier).hidden)
        extra = sorted(cell for cell, reason in hidden.items() if reason is Reason.COMPLEMENTARY)
        return Mask({cell: reason for cell, reason in hidden.items() if cell != (extra or [None])[0]})

    assert sum(bool(loot) for loot in random_attacks(3, FEW, one_too_many)) > 0.8 * FEW


def test_without_cycles_cells_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HiddenGraph, "gaps", lambda *_, **__: iter(()))
    monkeypatch.setattr(mask, "recoverable", lambda *_: set())
    assert sum(bool(loot.cells) for loot in random_attacks(4, FEW)) > 0.8 * FEW


def test_without_the_rule_of_pools_small_groups_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cover, "_small_pools", lambda *_: iter(()))
    loots = list(random_attacks(5, 2 * FEW))
    assert sum(bool(loot.pools) for loot in loots) >= 2
    assert not [loot for loot in loots if loot.cells]


def test_a_zero_that_could_go_below_zero_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Zeros passed in both directions hide each other for nobody who knows that no count is negative."""

    def both_ways(self: HiddenGraph, r: int, c: int) -> None:
        self._hidden[r] |= 1 << c
        self._from_scope[r] |= 1 << c
        self._to_scope[c] |= 1 << r

    monkeypatch.setattr(HiddenGraph, "hide", both_ways)
    found = [count for loot in random_attacks(6, 2 * FEW) for cells in loot.cells.values() for count in cells.values()]
    assert found
    assert 0 in found


def test_masks_made_anew_every_month_give_more_away_over_time() -> None:
    """Told which counts did not change, the attacker puts months together. Masks that remember leave next to nothing of that."""

    def forgetful(table: Table, readers: Set[frozenset[str]], earlier: Earlier) -> Mask:
        return suppress(table, readers)

    lost = {"forgetful": 0, "remembering": 0}
    for number in range(FEW):
        for name, months in [
            ("forgetful", published_months(random.Random(f"time/{number}"), forgetful)),
            ("remembering", published_months(random.Random(f"time/{number}"))),
        ]:
            lost[name] += len(attack(months, is_change_known=True).cells.get("", {}))
    assert lost["forgetful"] > 5 * lost["remembering"]
    assert lost["remembering"] <= 0.4 * FEW


# -- the attacker's own arithmetic, by hand ---------------------------------------------------------------------------------------------


def test_the_attacker_by_hand() -> None:
    cells = {
        (0, "all", "", ""): 60, (0, "all", "g", "x"): 20, (0, "all", "g", "y"): 40,
        (0, "a", "", ""): 30, (0, "a", "g", "x"): None, (0, "a", "g", "y"): None,
        (0, "b", "", ""): 30, (0, "b", "g", "x"): None, (0, "b", "g", "y"): None,
    }  # fmt: skip
    published = Published("all", cells)
    assert recovered(published) == {}
    own = {(0, "a", "", ""): 30, (0, "a", "g", "x"): 13, (0, "a", "g", "y"): 17}
    assert recovered(published, own) == {(0, "b", "g", "x"): 7, (0, "b", "g", "y"): 23}
    assert small_pools(published, 10) == []
    assert small_pools(published, 10, own) == [([(0, "b", "g", "x")], 7)]
    # Nobody in x at all: both are zero, which only somebody who knows that counts are not negative sees.
    nobody = Published("all", cells | {(0, "all", "g", "x"): 0, (0, "all", "g", "y"): 60})
    assert recovered(nobody, non_negative=False) == {}
    assert recovered(nobody)[0, "a", "g", "x"] == 0
    # A second month that shows what the first hid, and a count that stayed.
    later = Published("all", dict(cells), {(1, "a", "g", "x"): (0, "a", "g", "x")})
    later.cells |= {(1, *cell[1:]): count for cell, count in cells.items()} | {(1, "a", "g", "x"): 13}
    assert recovered(later)[0, "b", "g", "x"] == 7
    assert len(recovered(later)) == 2 * MONTHS
