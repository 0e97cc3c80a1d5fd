"""Publishing: readers never see an error, blocked contracts keep their last rows, nothing of the warehouse leaks."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from obc_pipeline.home import Home
from obc_pipeline.sharing.publish import PublishFailed, publish_district, published_row_counts


@dataclass(frozen=True)
class FakeRun:
    run_id: str = "run-1"
    as_of_date: str = "2026-06-30"
    evidence_cutoff_at: str = "2026-06-30 12:00:00"


def model(schema: str, name: str, columns: dict[str, str]) -> dict:
    return {
        "resource_type": "model",
        "name": name,
        "alias": name,
        "schema": schema,
        "fqn": ["obc", "marts", schema, name],
        "description": f"What {name} is, it's described.",
        "columns": {column: {"name": column, "description": text} for column, text in columns.items()},
    }


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    nodes = [
        model("payable", "fct_payment_decision", {"contract_id": "The contract.", "earned_amount": "US dollars."}),
        model("core", "dim_school", {"school_id": "As the district's system names it."}),
    ]
    staging = model("staging", "stg_users", {}) | {"fqn": ["obc", "staging", "stg_users"]}
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"nodes": {str(i): node for i, node in enumerate([*nodes, staging])}}))
    return path


def build(home: Home, amounts: dict[str, str], extra_column: bool = False) -> None:
    home.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create schema payable; create schema core; create schema staging")
        connection.execute("create table payable.fct_payment_decision (contract_id varchar, earned_amount decimal(18,2))")
        for contract, amount in amounts.items():
            connection.execute("insert into payable.fct_payment_decision values (?, ?::decimal(18,2))", [contract, amount])
        if extra_column:
            connection.execute("alter table payable.fct_payment_decision add column reason_code varchar default 'MET'")
        connection.execute("create table core.dim_school as select 'S1' as school_id")
        connection.execute("create table staging.stg_users as select 'secret' as family_name")


def published(home: Home, sql: str) -> list[tuple]:
    with duckdb.connect(str(home.published / "district" / "marts.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


DECISIONS = "select contract_id, earned_amount::varchar, is_held_back from payable.fct_payment_decision order by contract_id"


def test_only_marts_leave_described_and_private(home: Home, manifest: Path) -> None:
    build(home, {"A": "10.00"})
    paths = publish_district(home, FakeRun(), manifest)
    assert [path.name for path in paths] == ["marts.duckdb", "parquet"]
    assert published_row_counts(paths[0]) == {
        ("core", "dim_school"): 1,
        ("payable", "fct_payment_decision"): 1,
        ("quality", "published_run"): 1,
    }
    undescribed = "select table_name, column_name from duckdb_columns() where not internal and coalesce(comment, '') = ''"
    assert published(home, undescribed) == []
    assert published(home, "select comment from duckdb_tables() where table_name = 'dim_school'") == [
        ("What dim_school is, it's described.",)
    ]
    for path in (home.published).rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert {path.relative_to(paths[1]).as_posix() for path in paths[1].rglob("*.parquet")} == {
        "core/dim_school.parquet",
        "payable/fct_payment_decision.parquet",
        "quality/published_run.parquet",
    }


def test_a_blocked_contract_keeps_its_last_published_rows_marked(home: Home, manifest: Path) -> None:
    build(home, {"A": "10.00", "B": "20.00"})
    publish_district(home, FakeRun("run-1"), manifest)
    build(home, {"A": "11.00", "B": "999.00"}, extra_column=True)
    publish_district(home, FakeRun("run-2"), manifest, ["B"])
    assert published(home, DECISIONS) == [("A", "11.00", False), ("B", "20.00", True)]
    assert published(home, "select reason_code from payable.fct_payment_decision order by contract_id") == [("MET",), (None,)]
    assert published(home, "select run_id, held_back_contracts from quality.published_run") == [("run-2", "B")]
    publish_district(home, FakeRun("run-3"), manifest, ["B"])
    assert published(home, DECISIONS) == [("A", "11.00", False), ("B", "20.00", True)], "held twice is the same row, not two"
    publish_district(home, FakeRun("run-4"), manifest)
    assert published(home, DECISIONS) == [("A", "11.00", False), ("B", "999.00", False)]


def test_a_blocked_contract_that_was_never_published_has_no_rows(home: Home, manifest: Path) -> None:
    build(home, {"A": "10.00", "B": "20.00"})
    publish_district(home, FakeRun(), manifest, ["B"])
    assert published(home, DECISIONS) == [("A", "10.00", False)]


def test_a_mart_that_was_not_built_publishes_nothing(home: Home, manifest: Path) -> None:
    build(home, {"A": "10.00"})
    publish_district(home, FakeRun("run-1"), manifest)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("drop table core.dim_school")
    with pytest.raises(PublishFailed, match=r"core\.dim_school"):
        publish_district(home, FakeRun("run-2"), manifest)
    assert published(home, "select run_id from quality.published_run") == [("run-1",)]


def test_what_an_interrupted_publication_left_is_cleared(home: Home, manifest: Path) -> None:
    build(home, {"A": "10.00"})
    (target, parquet) = publish_district(home, FakeRun("run-1"), manifest)
    (target.parent / ".marts.duckdb.new").write_bytes(b"half a file")
    (target.parent / ".marts.duckdb.new.wal").write_bytes(b"half a log")
    (parquet / "core" / ".dim_school.parquet.new").write_bytes(b"half")
    (parquet / "core" / "dim_gone.parquet").write_bytes(b"a table that no longer exists")
    publish_district(home, FakeRun("run-2"), manifest)
    assert sorted(path.name for path in target.parent.iterdir()) == ["marts.duckdb", "parquet"]
    assert [path.name for path in (parquet / "core").iterdir()] == ["dim_school.parquet"]


READER = """
import sys, duckdb, pathlib
path, stop = sys.argv[1], pathlib.Path(sys.argv[2])
reads, seen = 0, set()
while not stop.exists():
    with duckdb.connect(path, read_only=True) as connection:
        run = connection.execute("select run_id from quality.published_run").fetchone()[0]
        rows = connection.execute("select earned_amount::int from payable.fct_payment_decision").fetchall()
        assert rows == [(int(run),)], (run, rows)
    reads += 1
    seen.add(run)
print(reads, len(seen))
"""


def test_a_reader_polling_in_a_loop_never_gets_an_error(home: Home, manifest: Path, tmp_path: Path) -> None:
    build(home, {"A": "0"})
    (target, _) = publish_district(home, FakeRun("0"), manifest)
    stop = tmp_path / "stop"
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(target), str(stop)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        for number in range(1, 36):
            with duckdb.connect(str(home.warehouse)) as connection:
                connection.execute(f"update payable.fct_payment_decision set earned_amount = {number}")
            publish_district(home, FakeRun(str(number)), manifest)
            time.sleep(0.01)
    finally:
        stop.touch()
    output, errors = reader.communicate(timeout=30)
    assert reader.returncode == 0, errors
    reads, versions = map(int, output.split())
    assert reads > 10
    assert versions > 3, "the reader saw several publications"
    assert not os.path.exists(f"{target}.wal")
