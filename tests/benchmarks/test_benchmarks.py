"""The pieces of the benchmark on a small district: the pandas script owes what the calculation by hand owes, the floor loses no record."""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import duckdb
import pytest

from benchmarks.by_pandas import Payable, payable
from benchmarks.floor import write_floor
from benchmarks.measure import Cost, MeasuredFailed, measure
from benchmarks.published import per_contract
from benchmarks.run import ENGINES, OUTSIDE, _demand_same, entry, main, table
from obc_pipeline.synthetic import generate
from obc_pipeline.synthetic.generate import FEWEST_STUDENTS

BY_HAND = Path(__file__).parents[1] / "independent" / "payment_by_hand.py"


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("bench") / "district"
    generate(home, FEWEST_STUDENTS, seed=11)
    return home


@pytest.fixture(scope="module")
def by_hand() -> ModuleType:
    spec = importlib.util.spec_from_file_location("payment_by_hand", BY_HAND)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("engine", ENGINES)
def test_pandas_owes_what_the_calculation_by_hand_owes(district: Path, by_hand: ModuleType, engine) -> None:
    owed = by_hand.payment_by_hand(district)
    found = payable(district, engine)
    assert _decisions(found) == owed.decisions
    assert _base(found) == owed.base
    assert len({decision for decision, _ in owed.decisions.values()}) >= 8, "too few kinds of decision for the comparison to mean much"


def test_pandas_sums_per_contract(district: Path) -> None:
    found = payable(district)
    base, outcome = Counter[str](), Counter[str]()
    for (contract_id, _), amount in _base(found).items():
        base[contract_id] += amount  # type: ignore[assignment]
    for (contract_id, _, _), (_, amount) in _decisions(found).items():
        outcome[contract_id] += amount  # type: ignore[assignment]
    assert found.per_contract() == {contract: {"base": str(base[contract]), "outcome": str(outcome[contract])} for contract in base}


def test_the_floor_reads_every_record_once(district: Path, tmp_path: Path) -> None:
    read = write_floor(district / "landing", tmp_path / "floor")
    written = sorted((tmp_path / "floor").glob("*.parquet"))
    assert read.files == len(written)
    assert read.files > 100
    counted = duckdb.sql(f"select count(*) from read_parquet('{tmp_path / 'floor'}/*.parquet', union_by_name = true)").fetchone()
    assert counted == (read.rows,)
    newest = max((district / "landing" / "contract_roster").glob("*.csv"))
    with newest.open(encoding="utf-8", newline="") as lines:
        expected = [tuple(row) for row in csv.reader(lines)][1:]
    blank_as_null = [tuple(value or None for value in row) for row in expected]
    assert any(duckdb.sql(f"from '{path}'").fetchall() == blank_as_null for path in written), (
        "the roster's rows, in order, in one of the files"
    )


def test_a_process_is_charged_with_its_own_memory_and_time(tmp_path: Path) -> None:
    small = measure([sys.executable, "-c", "print('{\"a\": 1}')"], tmp_path)
    large = measure([sys.executable, "-c", "b = bytearray(300_000_000); b[::4096] = b'x' * len(b[::4096])"], tmp_path)
    assert small.said == {"a": 1}
    assert large.said == {}
    assert large.peak_rss_mb > 290
    assert small.seconds > 0
    assert large.peak_rss_mb - small.peak_rss_mb > 200 or small.peak_rss_mb > 200  # under a test runner that is itself large


def test_a_process_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(MeasuredFailed, match="no such district"):
        measure([sys.executable, "-c", "import sys; sys.exit('no such district')"], tmp_path)


def test_an_entry_has_the_promised_keys_and_the_better_time(tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "a.csv").write_bytes(b"x" * 2_000_000)
    run = Cost(10.0, 12.0, 900.0, {"stages": {"read": 4.0, "check sources": 1.5, "check marts": 0.5, "build": 3.0}})
    costs = {
        "floor": [Cost(5.0, 6.0, 300.0, {"files": 1, "rows": 10}), Cost(4.0, 5.0, 310.0, {"files": 1, "rows": 10})],
        "pandas c": [Cost(20.0, 20.0, 500.0, {})],
        "pandas pyarrow": [Cost(16.0, 20.0, 700.0, {})],
        "run": [replace(run, seconds=12.0, peak_rss_mb=950.0), run],
        "idle": [Cost(0.9, 0.8, 60.0, {}), Cost(0.8, 0.8, 60.0, {})],
    }
    found = entry(1000, costs, tmp_path)
    promised = ("students", "seconds", "floor_seconds", "pandas_seconds", "checks_seconds", "peak_rss_mb", "idle_run_seconds")
    assert {name: found[name] for name in promised} == {
        "students": 1000,
        "seconds": 10.0,
        "floor_seconds": 4.0,
        "pandas_seconds": 16.0,
        "checks_seconds": 2.0,
        "peak_rss_mb": 950,
        "idle_run_seconds": 0.8,
    }
    assert found["stages"] == {**run.said["stages"], OUTSIDE: 1.0}
    assert (found["times_floor"], found["times_pandas"], found["checks_share"]) == (2.5, 0.62, 0.2)
    assert found["landed"]["mb"] == 2
    json.dumps(found)
    printed = table([found])
    assert "at most 2.5 x floor: yes" in printed
    assert "1,000" in printed
    assert "at most 2.5 x floor: NO" in table([found | {"times_floor": 2.51}])


def test_a_faster_run_with_other_amounts_is_refused() -> None:
    same = {"C": {"base": "1.00", "outcome": "2.00"}}
    costs = {f"pandas {engine}": [Cost(1.0, 1.0, 1.0, same)] for engine in ENGINES}
    _demand_same(costs, {"C": {"outcome": "2.00", "base": "1.00"}})
    with pytest.raises(MeasuredFailed, match="differ"):
        _demand_same(costs, {"C": {"base": "1.00", "outcome": "2.01"}})


def test_published_amounts_are_read_per_contract(tmp_path: Path) -> None:
    marts = tmp_path / "published" / "district"
    marts.mkdir(parents=True)
    with duckdb.connect(str(marts / "marts.duckdb")) as connection:
        connection.execute("create schema payable")
        connection.execute(
            "create table payable.fct_base_payment as select 'C' as contract_id, 1.10::decimal(18, 2) as base_amount from range(3)"
        )
        connection.execute("create table payable.fct_payment_decision as select 'C' as contract_id, -0.05::decimal(18, 2) as earned_amount")
    assert per_contract(tmp_path) == {"C": {"base": "3.30", "outcome": "-0.05"}}


def test_a_size_that_is_no_number_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ten"]) == 2
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err


def _decisions(found: Payable) -> dict[tuple[str, str, str], tuple[str, Decimal]]:
    rows = found.decisions.itertuples(index=False)
    return {(row.contract_id, row.line_id, row.student_id): (row.decision, Decimal(int(row.cents)).scaleb(-2)) for row in rows}  # type: ignore[attr-defined]


def _base(found: Payable) -> dict[tuple[str, str], Decimal]:
    rows = found.base.itertuples(index=False)
    return {(row.contract_id, row.student_id): Decimal(int(row.cents)).scaleb(-2) for row in rows}  # type: ignore[attr-defined]
