"""Masks by hand, and the rules one by one."""

from __future__ import annotations

import random

import pytest

from obc_pipeline.sharing.suppression.audit import recoverable
from obc_pipeline.sharing.suppression.graph import HiddenGraph
from obc_pipeline.sharing.suppression.mask import Mask, Reason, primary, suppress
from obc_pipeline.sharing.suppression.merge import merged, merges_worth_it
from obc_pipeline.sharing.suppression.settings import Settings
from obc_pipeline.sharing.suppression.table import Cell, NotAdditive, Table, lines, spine
from tests.suppression.attack import readers_of
from tests.suppression.random_districts import random_district, table_of

WHOLE = "all"


def table(schools: dict[str, tuple[int, ...]], categories: tuple[str, ...] = ("yes", "no"), family: str = "iep") -> Table:
    counts = {(school, family, category): n for school, row in schools.items() for category, n in zip(categories, row, strict=True)}
    for column, category in enumerate(categories):
        counts[WHOLE, family, category] = sum(row[column] for row in schools.values())
    totals = {school: sum(row) for school, row in schools.items()}
    return spine([WHOLE, *schools], {family: categories}, counts, totals | {WHOLE: sum(totals.values())})


def hidden(found: Mask) -> set[tuple[str, str]]:
    return {(cell.scope, cell.category) for cell in found.hidden}


def test_the_table_of_the_docs() -> None:
    """docs/privacy.md: one small cell; the public alone is kept out by a square, the schools by a third pair."""
    district = table({"A": (9, 50), "B": (15, 60), "C": (20, 70), "D": (40, 90)})
    assert primary(district, 10) == {Cell("A", "iep", "yes")}
    assert hidden(suppress(district)) == {("A", "yes"), ("A", "no"), ("B", "yes"), ("B", "no")}
    against_schools = hidden(suppress(district, readers_of(district)))
    assert len(against_schools) == 6
    assert {("A", "yes"), ("A", "no")} < against_schools


def test_nothing_small_nothing_hidden() -> None:
    assert not suppress(table({"A": (10, 50), "B": (15, 60)})).hidden


def test_two_hidden_groups_of_few_students_are_still_a_small_group() -> None:
    """3 and 4 of 60 hidden against a shown total would tell that the two have 7 together."""
    found = suppress(table({"A": (3, 4, 20, 33), "B": (20, 20, 20, 40), "C": (20, 20, 20, 40)}, tuple("wxyz")))
    row = [c for scope, c in hidden(found) if scope == "A"]
    assert len(row) >= 3


def test_a_category_nobody_is_in_is_hidden_and_cannot_be_told_to_be_empty() -> None:
    district = table({"A": (0, 30, 40), "B": (12, 30, 40), "C": (12, 30, 40)}, tuple("xyz"))
    found = suppress(district)
    assert ("A", "x") in hidden(found)
    assert len([c for scope, c in hidden(found) if scope == "A"]) >= 2


def test_a_small_school_has_its_total_hidden_among_others() -> None:
    district = table({"A": (2, 4), "B": (40, 60), "C": (50, 70), "D": (50, 80)})
    totals = {cell.scope for cell in suppress(district, readers_of(district)).hidden if cell.is_total}
    assert "A" in totals
    assert len(totals) >= 3  # one for A, and two others, or one of them would find A's
    assert len({cell.scope for cell in suppress(district).hidden if cell.is_total}) >= 2


def test_a_contract_with_fewer_than_n_min_students_shows_nothing() -> None:
    district = table({"A": (2, 3), "B": (1, 2)})
    found = suppress(district, readers_of(district))
    assert found.hidden.keys() == {cell for cell, _ in district.cells()}
    assert found.withheld(district) == [(scope, "iep") for scope in (WHOLE, "A", "B")]


def test_one_school_alone() -> None:
    district = table({"A": (3, 60)})
    assert hidden(suppress(district, readers_of(district))) == {(scope, c) for scope in (WHOLE, "A") for c in ("yes", "no")}


def test_hidden_stays_hidden_until_two_snapshots_are_large_enough() -> None:
    def month(small: int) -> Table:
        return table(
            {"A": (small, 50 + small), "B": (small + 30, 61 + small), "C": (small + 22, 70 + small), "D": (small + 41, 91 + small)}
        )

    first = month(9)
    masks = [(first, suppress(first, readers_of(first)))]
    for small, is_hidden in [(11, True), (12, False)]:
        now = month(small)
        found = suppress(now, readers_of(now), earlier=masks)
        assert (("A", "yes") in hidden(found)) is is_hidden, small
        masks.append((now, found))
    assert not masks[-1][1].hidden


def test_an_unchanged_month_keeps_its_mask() -> None:
    for seed in range(10):
        district = table_of(random_district(random.Random(seed)))
        first = suppress(district, readers_of(district))
        again = suppress(district, readers_of(district), earlier=[(district, first)])
        assert again.hidden.keys() == first.hidden.keys()


def test_the_same_table_gives_the_same_mask() -> None:
    district = table_of(random_district(random.Random(5)))
    assert suppress(district, readers_of(district)) == suppress(district, readers_of(district))


def test_a_subset_of_hidden_students_is_hidden() -> None:
    assigned = table({"A": (9, 50), "B": (15, 60), "C": (20, 70), "D": (40, 90)})
    tested = table({"A": (8, 45), "B": (15, 60), "C": (8, 66), "D": (38, 88)})
    base = suppress(assigned, readers_of(assigned))
    found = suppress(tested, readers_of(tested), must_hide=base.hidden.keys(), is_subset=True)
    assert base.hidden.keys() <= found.hidden.keys()
    assert primary(tested, 10) <= found.hidden.keys()


def test_small_categories_are_merged_where_that_shows_more() -> None:
    rows = dict.fromkeys("ABC", (70, 40, 6, 5, 4))
    district = table(rows, tuple("vwxyz"), "race")
    merges = merges_worth_it(district, {"race"}, readers_of(district))
    assert merges == {"race": ("x", "y", "z")}
    together = merged(district, merges)
    assert together.families[0].categories == ("v", "w", "x + y + z")
    assert not suppress(together, readers_of(together)).hidden
    assert merges_worth_it(district, set(), readers_of(district)) == {}


def test_reasons_are_told_apart_for_the_district() -> None:
    found = suppress(table({"A": (9, 50), "B": (15, 60), "C": (20, 70)}))
    assert found.hidden[Cell("A", "iep", "yes")] is Reason.PRIMARY
    assert Reason.COMPLEMENTARY in found.hidden.values()


def test_every_addition_is_a_line() -> None:
    district = table({"A": (9, 50), "B": (15, 60)})
    assert len(lines(district)) == 1 + 3 + 2
    counts = dict(district.cells())
    assert all(counts[line.total] == sum(counts[member] for member in line.members) for line in lines(district))


def test_the_spine_has_every_cell() -> None:
    found = spine([WHOLE, "A"], {"iep": ("yes", "no")}, {(WHOLE, "iep", "no"): 5, ("A", "iep", "no"): 5}, {WHOLE: 5, "A": 5})
    assert dict(found.cells())[Cell("A", "iep", "yes")] == 0


@pytest.mark.parametrize(
    ("counts", "totals"),
    [
        ({(WHOLE, "iep", "no"): 5, ("A", "iep", "no"): 4}, {WHOLE: 5, "A": 5}),
        ({(WHOLE, "iep", "no"): 5, ("A", "iep", "no"): 5}, {WHOLE: 6, "A": 5}),
        ({(WHOLE, "iep", "maybe"): 5}, {WHOLE: 5, "A": 5}),
        ({(WHOLE, "iep", "no"): 6, (WHOLE, "iep", "yes"): -1, ("A", "iep", "no"): 5}, {WHOLE: 5, "A": 5}),
    ],
    ids=["scope", "whole", "unknown category", "negative"],
)
def test_what_does_not_add_up_is_refused(counts: dict[tuple[str, str, str], int], totals: dict[str, int]) -> None:
    with pytest.raises(NotAdditive):
        spine([WHOLE, "A"], {"iep": ("yes", "no")}, counts, totals)


def test_a_group_of_one_is_a_person() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        Settings(n_min=1)


@pytest.mark.slow
def test_a_hundred_schools_by_twelve_dimensions_in_seconds() -> None:
    import time

    from benchmarks.suppression import large_district

    district = large_district(1)
    started = time.process_time()
    found = suppress(district, readers_of(district))
    assert time.process_time() - started < 10
    assert primary(district, 10) <= found.hidden.keys()


def test_the_rank_audit_has_nothing_to_add_and_would_catch_what_the_search_lets_through(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = [table_of(random_district(random.Random(f"audit/{seed}"))) for seed in range(20)]
    assert not [one for one in tables if Reason.WITHHELD in suppress(one, readers_of(one)).hidden.values()]
    monkeypatch.setattr(HiddenGraph, "gaps", lambda *_, **__: iter(()))
    caught = 0
    for one in tables:
        found = suppress(one, readers_of(one))
        caught += Reason.WITHHELD in found.hidden.values()
        assert not recoverable([(one, found.hidden.keys())], sorted(readers_of(one), key=sorted))
    assert caught > 10
