"""What goes out: every recipient's rows over three releases, attacked; coarse figures; frozen memory; own rows exact."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest

from obc_pipeline.sharing.suppression.coarse import GRAINS, grain_of, n_band, told
from obc_pipeline.sharing.suppression.inference import Figure, tell
from obc_pipeline.sharing.suppression.published import PUB_COLUMNS, SNAPSHOT, for_audience, take_snapshot
from obc_pipeline.sharing.suppression.table import Cell, Line
from tests.suppression.attacker import Key, Published, recovered, small_pools
from tests.suppression.small_warehouse import CONTRACTS, SCHOOLS, add_students, small_warehouse

Row = dict[str, Any]


@pytest.fixture(scope="module")
def snapshots() -> list[pa.Table]:
    chance = random.Random(11)
    connection = small_warehouse()
    taken: list[pa.Table] = []
    for month, more in enumerate((140, 25, 10)):
        add_students(connection, chance, month, more)
        taken.append(take_snapshot(connection, taken))
    return taken


def key(month: int, row: Row) -> Key:
    """Totals under their own name: the attacker knows that the dimension 'school' is the schools' totals."""
    if row["dimension"] == "school":
        return (month, row["category"], "", "")
    family, category = ("", "") if row["dimension"] == "all" else (row["dimension"], row["category"])
    return (month, row["scope_id"] or "whole", family, category)


@pytest.mark.parametrize("measure", ["assigned", "G1", "tutoring_attendance"])
@pytest.mark.parametrize("contract", list(CONTRACTS))
def test_no_recipient_can_work_out_a_cell_of_others(snapshots: list[pa.Table], contract: str, measure: str) -> None:
    """Stronger than real: wherever a row shows anything, the attacker is given the exact count."""
    for kind, subject in [("public", ""), *(("school", school) for school in SCHOOLS)]:
        published = Published("whole", {})
        own: dict[Key, int] = {}
        for month, snapshot in enumerate(snapshots):
            exact = [row for row in snapshot.to_pylist() if (row["contract_id"], row["measure"]) == (contract, measure)]
            got = [
                row
                for row in for_audience(snapshot, kind, subject).to_pylist()
                if (row["contract_id"], row["measure"]) == (contract, measure)
            ]
            assert len(got) == len(exact)
            for truth, row in zip(exact, got, strict=True):
                shows = row["n_band"] != "S" or row["value_display"] != "S"
                published.cells.setdefault(key(month, row), None)
                if row["is_own"]:
                    own[key(month, row)] = truth["n_students"]
                elif shows:
                    assert truth["reason"] is None
                    published.cells[key(month, row)] = truth["n_students"]
        assert None in published.cells.values()
        assert recovered(published, own) == {}
        assert small_pools(published, 10, own) == []


def test_hidden_rows_tell_nothing(snapshots: list[pa.Table]) -> None:
    for row in for_audience(snapshots[-1], "public").to_pylist():
        assert row["n_students"] is None
        assert row["is_own"] is False
        if row["suppression_code"] in ("S", "DIMENSION_WITHHELD"):
            assert (row["n_band"], row["value_display"], row["value_num"], row["value_low"], row["value_high"]) == (
                "S",
                "S",
                None,
                None,
                None,
            )
    assert set(for_audience(snapshots[-1], "public").column_names) == set(PUB_COLUMNS)


def test_why_a_cell_is_hidden_is_told_to_nobody(snapshots: list[pa.Table]) -> None:
    reasons = {"PRIMARY", "COMPLEMENTARY", "MEMORY"}
    assert reasons & set(snapshots[-1]["reason"].to_pylist())
    for kind, subject in [("public", ""), ("school", "0101")]:
        for row in for_audience(snapshots[-1], kind, subject).to_pylist():
            assert not reasons & {value for value in row.values() if isinstance(value, str)}


def test_own_rows_are_exact(snapshots: list[pa.Table]) -> None:
    school = [row for row in for_audience(snapshots[-1], "school", "0104").to_pylist() if row["is_own"]]
    assert {row["scope_id"] for row in school} == {"0104", None}
    assert {row["category"] for row in school if row["scope_id"] is None} == {"0104"}
    assert {row["contract_id"] for row in school} == set(CONTRACTS)
    assert all(row["n_students"] is not None and row["suppression_code"] == "NONE" for row in school)


def test_what_is_hidden_stays_hidden_and_one_mask_holds_for_every_measure(snapshots: list[pa.Table]) -> None:
    def cells(snapshot: pa.Table, measure: str) -> dict[tuple[str, Key], Row]:
        return {(row["contract_id"], key(0, row)): row for row in snapshot.to_pylist() if row["measure"] == measure}

    for before, after in itertools.pairwise(snapshots):
        old, new = cells(before, "assigned"), cells(after, "assigned")
        for cell, row in old.items():
            if row["reason"] and (row["n_students"] < 10 or new[cell]["n_students"] < 10):
                assert new[cell]["reason"]
    for snapshot in snapshots:
        base = cells(snapshot, "assigned")
        for measure in ("G1", "tutoring_attendance"):
            assert all(row["reason"] for cell, row in cells(snapshot, measure).items() if base[cell]["reason"])


def test_the_same_students_give_the_same_snapshot() -> None:
    connection = small_warehouse()
    add_students(connection, random.Random(3), 0, 120)
    first = take_snapshot(connection)
    assert first.schema == SNAPSHOT
    assert first.equals(take_snapshot(connection))
    again = take_snapshot(connection, [first])
    assert [row["suppression_code"] for row in again.to_pylist()] == [row["suppression_code"] for row in first.to_pylist()]


def test_a_school_of_nine_students_shows_nothing_at_all() -> None:
    connection = small_warehouse()
    add_students(connection, random.Random(4), 0, 150)
    rows = take_snapshot(connection).to_pylist()
    small = {
        (row["contract_id"], row["category"])
        for row in rows
        if row["dimension"] == "school" and row["measure"] == "assigned" and row["n_students"] < 10
    }
    assert small
    for row in rows:
        if (row["contract_id"], row["scope_id"]) in small:
            assert row["n_band"] == "S"
            assert row["value_num"] is None


def test_a_measure_whose_missing_students_are_a_secret_is_hidden_where_they_are_few() -> None:
    connection = small_warehouse()
    add_students(connection, random.Random(6), 0, 150)
    usual = {(row["contract_id"], key(0, row)): row for row in take_snapshot(connection).to_pylist() if row["measure"] == "G1"}
    rows = take_snapshot(connection, sensitive=["G1"]).to_pylist()
    assigned = {(row["contract_id"], key(0, row)): row["n_students"] for row in rows if row["measure"] == "assigned"}
    strict = {(row["contract_id"], key(0, row)): row for row in rows if row["measure"] == "G1"}
    few = [cell for cell, row in strict.items() if 0 < assigned[cell] - row["n_students"] < 10]
    assert few
    assert all(strict[cell]["reason"] for cell in few)
    assert any(not usual[cell]["reason"] for cell in few)


# -- coarse figures -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "rate", "display", "code"),
    [
        (300, "1/100", "≤1 %", "BOTTOM_CODED"), (300, "623/1000", "62 %", "NONE"), (300, "995/1000", "≥99 %", "TOP_CODED"),
        (299, "2/100", "≤2 %", "BOTTOM_CODED"), (100, "985/1000", "≥98 %", "TOP_CODED"), (100, "25/1000", "3 %", "NONE"),
        (99, "5/100", "≤5 %", "BOTTOM_CODED"), (40, "1/2", "50 %", "NONE"), (40, "95/100", "≥95 %", "TOP_CODED"),
        (39, "1/10", "≤10 %", "BOTTOM_CODED"), (39, "11/100", "10-20 %", "BANDED"), (20, "899/1000", "80-90 %", "BANDED"),
        (19, "1/5", "≤20 %", "BOTTOM_CODED"), (10, "1/2", "40-60 %", "BANDED"), (10, "8/10", "≥80 %", "TOP_CODED"),
        (10, "0", "≤20 %", "BOTTOM_CODED"), (10, "7/5", "≥80 %", "TOP_CODED"),
    ],
)  # fmt: skip
def test_rates_by_n(n: int, rate: str, display: str, code: str) -> None:
    found = told(Fraction(rate), GRAINS[grain_of(n)])
    assert (found.display, found.code) == (display, code)
    assert found.low <= Fraction(rate) <= found.high
    assert (found.number is None) == (code != "NONE")


def test_bands_of_n() -> None:
    assert [n_band(n) for n in (10, 19, 20, 39, 40, 99, 100, 299, 300, 5000)] == [
        "10-19", "10-19", "20-39", "20-39", "40-99", "40-99", "100-299", "100-299", "300+", "300+",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="not told"):
        n_band(9)


def test_a_hidden_group_of_which_nobody_met_is_not_given_away_by_the_rates_around_it() -> None:
    """40 met of 100, all of them in the shown group of 80: 40 % of all and 50 % of the shown would tell that none of the hidden 20 met."""
    whole, shown, a, b = Cell("all"), Cell("all", "g", "shown"), Cell("all", "g", "a"), Cell("all", "g", "b")
    line = Line("g", whole, (shown, a, b))
    figures = {whole: Figure(100, 40), shown: Figure(80, 40), a: Figure(12, 0), b: Figure(8, 0)}
    plain = {
        cell: told(Fraction(figures[cell].met, figures[cell].n_students), GRAINS[grain_of(figures[cell].n_students)])
        for cell in (whole, shown)
    }
    assert [plain[whole].display, plain[shown].display] == ["40 %", "50 %"]
    found, left_out = tell(figures, {a, b}, [line], [])
    assert not left_out
    most = found[whole].high * 100 - found[shown].low * 80
    assert most >= 1
    assert found[shown].code == "BANDED"
    # With some of the hidden having met, nothing needs to be coarser.
    harmless = figures | {whole: Figure(100, 47), a: Figure(12, 5), b: Figure(8, 2)}
    assert tell(harmless, {a, b}, [line], [])[0][shown].display == "50 %"
