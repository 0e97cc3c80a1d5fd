"""What the checks say about sources and marts, what they block, and when they need not look again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from small_warehouse import AS_OF, SmallWarehouse, result, session

from obc_pipeline.home import Home
from obc_pipeline.quality.checks import CheckRun, check_marts, check_sources, contract_blocks
from obc_pipeline.quality.plan import mart_checks, source_checks
from obc_pipeline.quality.suites import read_suite, reasons, suite_names
from obc_pipeline.quality.verdicts import Verdict, write_verdicts
from obc_pipeline.sources import registry


@pytest.fixture
def warehouse() -> Iterator[SmallWarehouse]:
    warehouse = SmallWarehouse()
    yield warehouse
    warehouse.connection.close()


def run_checks(warehouse: SmallWarehouse, home: Home | None = None, as_of: date = AS_OF) -> dict[str, Verdict]:
    verdicts = check_sources(warehouse.connection, CheckRun("run-1", as_of, home))
    by_id = {verdict.check_id: verdict for verdict in verdicts}
    assert len(by_id) == len(verdicts), "check ids are unique in a run"
    return by_id


def test_good_rows_pass_and_the_counts_are_those_of_the_source(warehouse: SmallWarehouse) -> None:
    warehouse.receive("sessions_brightpath", "session_student", [session(i) for i in range(30)])
    warehouse.receive("sessions_lumen", "session_student", [session(i, session_duration_minutes=None) for i in range(7)])
    found = run_checks(warehouse)
    assert found["sessions_brightpath.session_student.duration_in_range"].status == "PASSED"
    assert found["sessions_brightpath.session_student.duration_in_range"].rows_checked == 30
    assert found["sessions_lumen.session_student.duration_in_range"].rows_checked == 0
    assert found["sessions_lumen.session_student.duration_in_range"].pass_rate is None
    assert found["sessions_lumen.session_student.has_rows"].rows_checked == 7
    assert found["sessions_brightpath.session_student.has_rows"].data_map_row == "dosage"
    assert {v.status for v in found.values() if v.source == "sessions_brightpath" and v.engine == "great_expectations"} == {"PASSED"}


def test_a_failing_critical_check_blocks_only_the_contracts_that_consume_the_source(warehouse: SmallWarehouse) -> None:
    warehouse.receive("nwea_map", "assessment_results", [result(i, test_rit_score=999 if i < 3 else 220) for i in range(20)])
    warehouse.receive(
        "sis_attendance", "attendance_event", [{"student_id": "1", "school_id": "7", "attendance_on": date(2026, 5, 4), "code": "A"}]
    )
    found = run_checks(warehouse)
    verdict = found["nwea_map.assessment_results.rit_in_range"]
    assert (verdict.status, verdict.is_blocking, verdict.rows_checked, verdict.rows_failed, verdict.pass_rate) == (
        "FAILED",
        True,
        20,
        3,
        0.85,
    )
    assert verdict.message == "3 of 20 rows fail (85.0 % pass, 99 % must): a RIT score lies between 100 and 350"
    blocks = contract_blocks(warehouse.connection, [verdict])
    assert [(block.contract_id, block.source, block.check_id) for block in blocks] == [("MATH", "nwea_map", verdict.check_id)]


def test_mostly_lets_a_single_bad_row_pass(warehouse: SmallWarehouse) -> None:
    warehouse.receive("nwea_map", "assessment_results", [result(i, test_rit_score=999 if i == 0 else 220) for i in range(200)])
    verdict = run_checks(warehouse)["nwea_map.assessment_results.rit_in_range"]
    assert (verdict.status, verdict.is_blocking, verdict.rows_failed) == ("PASSED", False, 1)


def test_two_growth_events_in_mathematics_are_found_whatever_the_course(warehouse: SmallWarehouse) -> None:
    rows = [result(1), result(1, test_id="other", course="Algebra 1"), *(result(i) for i in range(2, 20))]
    warehouse.receive("nwea_map", "assessment_results", rows)
    found = run_checks(warehouse)
    assert found["nwea_map.assessment_results.one_mathematics_growth_event"].rows_failed == 2
    assert found["nwea_map.assessment_results.one_growth_event_per_course"].rows_failed == 0


def test_a_new_measure_only_warns_and_its_pass_rate_is_kept(warehouse: SmallWarehouse) -> None:
    warehouse.connection.execute("INSERT INTO documents.contract_source VALUES ('MATH', 'exit_tickets_brightpath')")
    warehouse.connection.execute("UPDATE documents.data_map_row SET accuracy_status = 'NEW' WHERE row_id = 'cgp_math'")
    warehouse.receive("nwea_map", "assessment_results", [result(i, test_rit_score=999 if i < 3 else 220) for i in range(20)])
    verdict = run_checks(warehouse)["nwea_map.assessment_results.rit_in_range"]
    assert (verdict.severity, verdict.status, verdict.is_blocking, verdict.pass_rate) == ("warning", "FAILED", False, 0.85)
    assert run_checks(warehouse)["exit_tickets_brightpath.intake.arrived"].severity == "warning"


def test_nothing_arrived_blocks_once_it_is_due(warehouse: SmallWarehouse) -> None:
    found = run_checks(warehouse)
    assert {v.status for v in found.values() if v.engine == "great_expectations"} == {"NOT_RUN"}
    arrived = found["nwea_map.intake.arrived"]
    assert (arrived.status, arrived.is_blocking) == ("FAILED", True)
    assert {block.contract_id for block in contract_blocks(warehouse.connection, found.values())} == {"MATH", "READ"}
    early = run_checks(warehouse, as_of=date(2025, 9, 1))
    assert early["nwea_map.intake.arrived"].status == "NOT_RUN"
    assert contract_blocks(warehouse.connection, early.values()) == []


def test_a_held_newer_file_blocks_and_an_older_export_does_not(warehouse: SmallWarehouse) -> None:
    warehouse.receive("nwea_map", "assessment_results", [result(1)], exported_at=datetime(2026, 6, 1))
    stale = {"exported_at": datetime(2026, 2, 1), "received_at": datetime(2026, 6, 11), "status": "HELD"}
    warehouse.receive("nwea_map", "assessment_results", [result(2)], **stale)
    assert run_checks(warehouse)["nwea_map.intake.files_held"].status == "PASSED"
    short = {**stale, "exported_at": datetime(2026, 6, 20)}
    warehouse.receive("nwea_map", "assessment_results", [result(3)], **short)
    verdict = run_checks(warehouse)["nwea_map.intake.files_held"]
    assert (verdict.status, verdict.is_blocking, verdict.rows_failed) == ("FAILED", True, 1)
    warehouse.receive("nwea_map", "assessment_results", [result(4)], exported_at=datetime(2026, 6, 21), received_at=datetime(2026, 6, 22))
    assert run_checks(warehouse)["nwea_map.intake.files_held"].status == "PASSED"


def test_a_refused_file_warns_until_a_good_one_follows(warehouse: SmallWarehouse) -> None:
    warehouse.receive("sessions_lumen", "session_student", [session(1)], received_at=datetime(2026, 5, 1))
    warehouse.receive("sessions_lumen", "session_student", [], received_at=datetime(2026, 5, 8), status="REFUSED")
    verdict = run_checks(warehouse)["sessions_lumen.intake.files_refused"]
    assert (verdict.status, verdict.severity, verdict.is_blocking) == ("FAILED", "warning", False)
    warehouse.receive("sessions_lumen", "session_student", [session(2)], received_at=datetime(2026, 5, 15))
    assert run_checks(warehouse)["sessions_lumen.intake.files_refused"].status == "PASSED"


def test_too_many_unreadable_records_block(warehouse: SmallWarehouse) -> None:
    warehouse.receive("sessions_lumen", "session_student", [session(i) for i in range(19)], quarantined=1)
    assert run_checks(warehouse)["sessions_lumen.intake.rows_readable"].status == "PASSED"
    warehouse.receive("sessions_lumen", "session_student", [session(99)], quarantined=1)
    verdict = run_checks(warehouse)["sessions_lumen.intake.rows_readable"]
    assert (verdict.status, verdict.is_blocking, verdict.rows_checked, verdict.rows_failed) == ("FAILED", True, 22, 2)


def test_what_cannot_be_evaluated_is_an_error_and_blocks(warehouse: SmallWarehouse) -> None:
    warehouse.receive("nwea_map", "assessment_results", [result(1)])
    warehouse.connection.execute("ALTER TABLE lake_checked.nwea_map__assessment_results DROP COLUMN test_percentile")
    warehouse.connection.execute("ALTER TABLE lake_checked.nwea_map__assessment_results ALTER test_rit_score TYPE VARCHAR")
    found = run_checks(warehouse)
    missing, wrong_type = found["nwea_map.assessment_results.percentile_in_range"], found["nwea_map.assessment_results.rit_in_range"]
    assert (missing.status, missing.is_blocking) == ("ERROR", True)
    assert "has no column test_percentile" in missing.message
    assert (wrong_type.status, wrong_type.is_blocking, wrong_type.pass_rate) == ("ERROR", True, None)
    assert found["nwea_map.assessment_results.term_name_is_season_and_year"].status == "PASSED"


def test_no_value_of_a_row_is_in_any_message(warehouse: SmallWarehouse) -> None:
    secret = "Zebedee-774411"
    warehouse.receive(
        "nwea_map", "assessment_results", [result(i, term_name=secret, student_id=secret, test_rit_score=774411) for i in range(5)]
    )
    warehouse.receive("sessions_lumen", "session_student", [session(i, session_status=secret, attendance_status=secret) for i in range(5)])
    found = run_checks(warehouse)
    assert found["nwea_map.assessment_results.term_name_is_season_and_year"].rows_failed == 5
    assert not [v for v in found.values() if "774411" in repr(v) or "Zebedee" in repr(v)]


def test_unchanged_evidence_is_not_validated_again(warehouse: SmallWarehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)
    warehouse.receive("nwea_map", "assessment_results", [result(i, test_rit_score=999) for i in range(5)])
    first = run_checks(warehouse, home)
    monkeypatch.setitem(sys.modules, "obc_pipeline.quality.engine", None)  # importing it again would fail
    assert run_checks(warehouse, home) == first
    monkeypatch.undo()
    warehouse.receive("nwea_map", "assessment_results", [result(i) for i in range(5, 10)])
    assert run_checks(warehouse, home)["nwea_map.assessment_results.rit_in_range"].rows_checked == 10


def test_severity_follows_the_data_map_also_for_kept_outcomes(warehouse: SmallWarehouse, tmp_path: Path) -> None:
    warehouse.receive("nwea_map", "assessment_results", [result(i, test_rit_score=999) for i in range(5)])
    assert run_checks(warehouse, Home(tmp_path))["nwea_map.assessment_results.rit_in_range"].is_blocking
    warehouse.connection.execute("UPDATE documents.data_map_row SET accuracy_status = 'TBD' WHERE row_id = 'cgp_math'")
    assert not run_checks(warehouse, Home(tmp_path))["nwea_map.assessment_results.rit_in_range"].is_blocking


def test_a_damaged_cache_is_only_a_cache(warehouse: SmallWarehouse, tmp_path: Path) -> None:
    home = Home(tmp_path)
    warehouse.receive("nwea_map", "assessment_results", [result(1)])
    first = run_checks(warehouse, home)
    (home.check_cache / "nwea_map.json").write_text("{")
    assert run_checks(warehouse, home) == first


def test_a_broken_row_of_a_mart_blocks_its_own_contract(warehouse: SmallWarehouse, tmp_path: Path) -> None:
    suite = {
        "name": "payable__paid",
        "expectations": [
            {
                "type": "expect_column_values_to_be_between",
                "kwargs": {"column": "amount", "min_value": 0},
                "severity": "critical",
                "meta": {"id": "not_negative", "row_rule": False, "reason": "an amount is not negative"},
            }
        ],
    }
    (tmp_path / "payable__paid.json").write_text(json.dumps(suite))
    run = CheckRun("run-1", AS_OF, expectations_dir=tmp_path)
    assert [v.status for v in check_marts(warehouse.connection, run)] == ["NOT_RUN", "NOT_RUN"]
    warehouse.connection.execute(
        "CREATE TABLE payable.paid AS SELECT * FROM (VALUES ('MATH', -1.00), ('MATH', 2), ('READ', 5)) AS t(contract_id, amount)"
    )
    verdicts = check_marts(warehouse.connection, run)
    assert {v.check_id: (v.status, v.rows_checked) for v in verdicts} == {
        "payable.paid.MATH.not_negative": ("FAILED", 2),
        "payable.paid.READ.not_negative": ("PASSED", 1),
    }
    assert [(b.contract_id, b.source) for b in contract_blocks(warehouse.connection, verdicts)] == [("MATH", None)]


def test_verdicts_are_tables_also_when_there_are_none(warehouse: SmallWarehouse) -> None:
    write_verdicts(warehouse.connection, [], [])
    empty = warehouse.connection.execute("DESCRIBE intake.check_result").fetchall()
    verdicts = list(run_checks(warehouse).values())
    write_verdicts(warehouse.connection, verdicts, contract_blocks(warehouse.connection, verdicts))
    assert warehouse.connection.execute("DESCRIBE intake.check_result").fetchall() == empty
    assert warehouse.value("SELECT count(*) FROM intake.check_result") == len(verdicts)
    assert warehouse.value("SELECT checked_as_of FROM intake.check_result LIMIT 1") == AS_OF
    assert warehouse.value("SELECT count(*) FROM intake.contract_block WHERE contract_id = 'READ'") > 0


def test_a_source_that_no_contract_consumes_blocks_none(warehouse: SmallWarehouse) -> None:
    warehouse.connection.execute("DELETE FROM documents.contract_source WHERE source = 'nwea_map'")
    warehouse.receive("nwea_map", "assessment_results", [result(i, test_rit_score=999) for i in range(5)])
    verdict = run_checks(warehouse)["nwea_map.assessment_results.rit_in_range"]
    assert (verdict.status, verdict.severity, verdict.is_blocking) == ("FAILED", "critical", False)
    assert contract_blocks(warehouse.connection, [replace(verdict, is_blocking=True)]) == []


def test_the_database_file_is_free_afterwards(tmp_path: Path) -> None:
    import subprocess

    path = tmp_path / "w.duckdb"
    warehouse = SmallWarehouse(str(path))
    warehouse.receive("nwea_map", "assessment_results", [result(1)])
    run_checks(warehouse)
    warehouse.connection.close()
    other = f"import duckdb; duckdb.connect({str(path)!r}).execute('SELECT 1')"
    assert subprocess.run([sys.executable, "-c", other], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("name", [name for name in suite_names() if name.partition("__")[0] in registry()])
def test_suites_speak_of_declared_columns_and_say_what_is_right(name: str) -> None:
    format_name, _, table_name = name.partition("__")
    table = registry()[format_name].table(table_name)
    kept = {column.name for column in table.columns if column.privacy == "keep"} | {"_file_id", "_source", "_scope"}
    suite = read_suite(name)
    assert suite is not None
    assert {column for expected in suite.expectations for column in expected.columns} <= kept
    assert all(len(reason) > 15 for reason in reasons(name).values())
    required = {column.name for column in table.columns if column.is_value_required}
    said_twice = [e.id for e in suite.expectations if e.kind.endswith("to_not_be_null") and e.subject in required]
    assert said_twice == [], "the declaration already requires these values"


def test_the_checks_are_known_before_any_data(warehouse: SmallWarehouse) -> None:
    feeds = warehouse.connection.execute("SELECT source, format FROM documents.data_source").fetchall()
    planned = {check.check_id for source, format_name in feeds for check in source_checks(source, format_name)}
    assert planned == set(run_checks(warehouse))
    marts = check_marts(warehouse.connection, CheckRun("run-1", AS_OF))
    assert {check.check_id for check in mart_checks()} == {verdict.check_id.replace(f".{verdict.contract_id}.", ".") for verdict in marts}
