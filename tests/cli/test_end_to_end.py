"""From an empty folder to the published file, once with everything right and once with a provider's feed that cannot be trusted."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import jsonschema
import pytest

from obc_pipeline.home import Home
from tests.cli.conftest import Outcome, copy_of, obc

pytestmark = pytest.mark.slow

AMOUNT = {"type": "string", "pattern": r"^-?\d+\.\d\d$"}
COUNT = {"type": "integer", "minimum": 0}


def object_of(**properties: dict) -> dict:
    return {"type": "object", "properties": properties, "required": list(properties)}


# docs: interface, `obc run --json`. Fields may be added, never taken away.
RESULT = object_of(
    run_id={"type": "string"},
    as_of={"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
    status={"enum": ["ok", "blocked", "failed"]},
    sources={
        "type": "object",
        "additionalProperties": object_of(files=COUNT, rows_in=COUNT, accepted=COUNT, quarantined=COUNT, duplicate=COUNT),
    },
    checks=object_of(passed=COUNT, warned=COUNT, blocked=COUNT),
    contracts={"type": "object", "additionalProperties": object_of(earned=AMOUNT, payable=AMOUNT, posted=AMOUNT)},
    published={"type": "array", "items": {"type": "string"}, "minItems": 1},
)


@pytest.fixture(scope="module")
def home(landed: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    return copy_of(landed, tmp_path_factory.mktemp("run") / "home")


@pytest.fixture(scope="module")
def first(home: Home) -> Outcome:
    return obc("run", "--json", home=home)


@pytest.fixture
def published(first: Outcome, home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    assert first.code == 0, first.stderr
    with duckdb.connect(str(home.published / "district" / "marts.duckdb"), read_only=True) as connection:
        yield connection


def test_the_result_is_the_promised_object(first: Outcome, home: Home) -> None:
    assert first.code == 0, first.stderr
    jsonschema.validate(first.result, RESULT)
    assert first.result["status"] == "ok"
    assert first.result["as_of"] == "2026-06-30", "the synthetic home names its own date"
    assert first.result["published"][0] == str(home.published / "district" / "marts.duckdb")


def test_every_record_is_accounted_for(first: Outcome) -> None:
    assert len(first.result["sources"]) >= 13
    for name, counted in first.result["sources"].items():
        assert counted["rows_in"] == counted["accepted"] + counted["quarantined"] + counted["duplicate"], name
        assert counted["files"] > 0, name


def test_the_amounts_are_those_published(first: Outcome, published: duckdb.DuckDBPyConnection) -> None:
    rows = published.execute("select contract_id, total_earned_amount::varchar from payable.rpt_contract_summary").fetchall()
    assert len(rows) >= 2
    assert {contract: amounts["earned"] for contract, amounts in first.result["contracts"].items()} == dict(rows)
    assert all(float(amount) > 0 for _, amount in rows)


def test_every_published_table_and_column_is_described(published: duckdb.DuckDBPyConnection) -> None:
    tables = published.execute("select schema_name || '.' || table_name from duckdb_tables() where coalesce(comment, '') = ''").fetchall()
    columns = published.execute(
        "select schema_name || '.' || table_name || '.' || column_name from duckdb_columns() where not internal and coalesce(comment, '') = ''"
    ).fetchall()
    assert (tables, columns) == ([], [])


def test_dagster_shows_the_run_its_arrivals_and_its_checks(first: Outcome, home: Home) -> None:
    import dagster as dg

    from obc_pipeline.defs.launch import instance_folder

    assert first.code == 0
    with dg.DagsterInstance.from_config(instance_folder(home)) as instance:
        (run,) = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.SUCCESS
        for key in (
            ["landing", "nwea_map"],
            ["lake", "nwea_map__assessment_results"],
            ["payable", "fct_payment_decision"],
            ["published", "district"],
        ):
            event = instance.get_latest_materialization_event(dg.AssetKey(key))
            assert event is not None, key
        metadata = instance.get_latest_materialization_event(
            dg.AssetKey(["payable", "fct_payment_decision"])
        ).asset_materialization.metadata  # type: ignore[union-attr]
        assert metadata["dagster/row_count"].value > 0
        key = dg.AssetCheckKey(dg.AssetKey(["landing", "nwea_map"]), "arrived")
        (record,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        assert record.status.value == "SUCCEEDED"


def test_no_student_is_named_outside_lake_and_marts(first: Outcome, home: Home) -> None:
    """Not in Dagster's records, dbt's files, the result or the progress (law 8)."""
    with duckdb.connect(str(home.published / "district" / "marts.duckdb"), read_only=True) as connection:
        ids = [
            row[0]
            for row in connection.execute(
                "select distinct student_id from payable.fct_payment_decision where length(student_id) >= 6"
            ).fetchall()
        ]
    assert len(ids) > 30
    shown = {"stdout": first.stdout.encode(), "stderr": first.stderr.encode()}
    for folder in (home.dagster, home.path / ".dbt", home.path / ".logs"):
        shown |= {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert len(shown) > 10
    leaks = [(name, student) for name, content in shown.items() for student in ids if student.encode() in content]
    assert leaks == []


def test_a_second_run_changes_nothing_says_so_and_is_quick(first: Outcome, home: Home) -> None:
    file = home.published / "district" / "marts.duckdb"
    before = (file.stat().st_ino, file.stat().st_mtime_ns, home.warehouse.stat().st_mtime_ns)
    started = time.monotonic()
    second = obc("run", "--json", home=home)
    taken = time.monotonic() - started
    assert second.code == first.code
    assert second.result == first.result | {"is_unchanged": True}
    assert (file.stat().st_ino, file.stat().st_mtime_ns, home.warehouse.stat().st_mtime_ns) == before
    assert taken < 10, "no dbt, Dagster or Great Expectations is started for nothing"
    told = obc("run", home=home)
    assert "nothing was changed" in told.stdout


def test_show_and_status_read_what_was_published(first: Outcome, home: Home) -> None:
    shown, status = obc("show", home=home), obc("status", home=home)
    assert (shown.code, status.code) == (0, 0), shown.stderr + status.stderr
    for contract in first.result["contracts"]:
        assert contract in shown.stdout
        assert contract in status.stdout
    assert "The three factors" in shown.stdout
    assert "sgp_reading" in status.stdout


@pytest.fixture(scope="module")
def blocked(first: Outcome, home: Home) -> Outcome:
    """Lumen sends a month whose student numbers went through a spreadsheet: hardly a row can be used."""
    assert first.code == 0
    (home.path / "before.json").write_text(json.dumps(decisions(home)))
    landing = home.landing / "sessions_lumen"
    landing.mkdir(parents=True, exist_ok=True)
    header, *sent_before = lumen_lines(home)
    mangled = [f"1.23E+08,reading,2026-05-04,30,1:4,T{number}" for number in range(3_000)]
    (landing / "june.csv").write_text("\n".join([header, *sent_before, *mangled]) + "\n")
    os.utime(landing / "june.csv", (1782500000, 1782500000))
    return obc("run", "--json", home=home)


def lumen_lines(home: Home) -> list[str]:
    """The last file that Lumen sent, from the archive: header and rows."""
    receipt = json.loads(sorted((home.deliveries / "sessions_lumen").glob("*.json"))[-1].read_text())
    lines = home.object_path(receipt["sha256"]).read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "student_id,session_topic,session_date,session_duration,session_ratio,tutor_id"
    return lines


def decisions(home: Home) -> list[list]:
    with duckdb.connect(str(home.published / "district" / "marts.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select contract_id, line_id, student_key, decision, earned_amount::varchar from payable.fct_payment_decision order by all"
        ).fetchall()
    return [list(row) for row in rows]


def test_a_feed_that_fails_stops_only_the_contract_that_consumes_it(blocked: Outcome, first: Outcome, home: Home) -> None:
    assert blocked.code == 3, blocked.stderr
    assert blocked.result["status"] == "blocked"
    assert blocked.result["blocked_contracts"] == ["CVSD-READ-2026"]
    assert blocked.result["checks"]["blocked"] > 0
    assert blocked.result["contracts"] == first.result["contracts"], "what stood, stands; what is free did not change"
    with duckdb.connect(str(home.published / "district" / "marts.duckdb"), read_only=True) as connection:
        held = connection.execute("select distinct contract_id, is_held_back from payable.fct_payment_decision order by all").fetchall()
        assert ("CVSD-READ-2026", True) in held
        assert ("CVSD-READ-2026", False) not in held
        assert all(not is_held for contract, is_held in held if contract != "CVSD-READ-2026")
        (reasons,) = connection.execute("select reasons from quality.contract_status where is_blocked").fetchall()
        assert "sessions_lumen" in reasons[0]
    assert decisions(home) == json.loads((home.path / "before.json").read_text())


def test_a_blocked_run_again_is_blocked_again_without_work(blocked: Outcome, home: Home) -> None:
    again = obc("run", "--json", home=home)
    assert (again.code, again.result["is_unchanged"]) == (3, True)
    assert blocked.result["run_id"] == again.result["run_id"]
