"""The quality marts, built by dbt on a small warehouse: the data map with its answer, and whether each contract may pay."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from small_warehouse import AS_OF, SmallWarehouse, result, session

from obc_pipeline.dbt_build import QUALITY_MODELS, DbtBuild
from obc_pipeline.home import Home
from obc_pipeline.quality.checks import CheckRun, check_sources, contract_blocks
from obc_pipeline.quality.verdicts import write_verdicts
from obc_pipeline.sharing.disclosure import register_disclosures

pytestmark = pytest.mark.slow
VARIABLES = {"as_of_date": AS_OF.isoformat(), "evidence_cutoff_at": f"{AS_OF} 23:59:59", "district_id": "2800001", "run_id": "run-1"}


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallWarehouse]:
    """A spring file with bad scores, sessions of one of two vendors, nothing else; then the checks and the quality marts."""
    home = Home(Path(tmp_path_factory.mktemp("home")))
    warehouse = SmallWarehouse(str(home.warehouse))
    warehouse.receive("nwea_map", "assessment_results", [result(i, test_rit_score=999 if i < 3 else 220) for i in range(20)], quarantined=0)
    warehouse.receive("sessions_brightpath", "session_student", [session(i) for i in range(30)], received_at=datetime(2026, 5, 14))
    verdicts = check_sources(warehouse.connection, CheckRun("run-1", AS_OF))
    write_verdicts(warehouse.connection, verdicts, contract_blocks(warehouse.connection, verdicts))
    register_disclosures(warehouse.connection, home)
    warehouse.connection.close()
    build = DbtBuild(home)
    outcomes = [*build.run(VARIABLES, select=[QUALITY_MODELS]), *build.test(VARIABLES, select=[QUALITY_MODELS])]
    assert {outcome.status for outcome in outcomes} == {"OK"}, [outcome for outcome in outcomes if outcome.status != "OK"]
    yield warehouse.reopened()
    warehouse.connection.close()


def one(marts: SmallWarehouse, sql: str) -> tuple[Any, ...]:
    row = marts.connection.execute(sql).fetchone()
    assert row is not None
    return row


def test_a_data_map_row_shows_what_fails_it(marts: SmallWarehouse) -> None:
    found = one(
        marts, "SELECT is_fresh, rows, failing_checks, is_blocking, pass_rate < 1 FROM quality.data_map_status WHERE row_id = 'cgp_math'"
    )
    assert found == (True, 20, "nwea_map.assessment_results.rit_in_range", True, True)


def test_a_data_map_row_of_two_sources_is_fresh_only_if_both_are(marts: SmallWarehouse) -> None:
    found = one(marts, "SELECT is_fresh, rows, last_arrival_at, failing_checks FROM quality.data_map_status WHERE row_id = 'dosage'")
    assert found == (False, 30, datetime(2026, 5, 14), "sessions_lumen.intake.arrived, sessions_lumen.intake.fresh")


def test_a_new_measure_blocks_nothing(marts: SmallWarehouse) -> None:
    assert one(marts, "SELECT accuracy_status, is_blocking FROM quality.data_map_status WHERE row_id = 'identity'") == ("NEW", False)


def test_each_contract_says_why_it_may_not_pay(marts: SmallWarehouse) -> None:
    math = one(marts, "SELECT is_blocked, blocking_checks, reasons FROM quality.contract_status WHERE contract_id = 'MATH'")
    assert math[:2] == (True, 2)
    assert "nwea_map.assessment_results.rit_in_range: 3 of 20 rows fail" in math[2]
    assert "sis_attendance.intake.arrived: nothing has arrived" in math[2]


def test_every_table_and_column_is_described_in_the_database(marts: SmallWarehouse) -> None:
    undescribed = """
        SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'quality' AND comment IS NULL
        UNION ALL SELECT table_name, NULL FROM duckdb_tables() WHERE schema_name = 'quality' AND comment IS NULL
    """
    assert marts.connection.execute(undescribed).fetchall() == []
    assert one(marts, "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'quality'") == (7,)
