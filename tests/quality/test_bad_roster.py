"""A roster row that contradicts itself is kept out with its line and reason, and no statement goes out without the student it is about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from small_warehouse import AS_OF, SmallWarehouse

from obc_pipeline.home import Home
from obc_pipeline.quality.checks import CheckRun, check_sources, contract_blocks
from tests.intake.home_with_feeds import Feed, Intake

HEADER = "contract_id,student_id,line_id,school_id,start_on,end_on,end_reason,vendor_share\n"
GOOD = [f"MATH,{student:08d},,0101,2025-10-06,,,\n" for student in range(1, 300)]


@pytest.fixture
def warehouse() -> Iterator[SmallWarehouse]:
    warehouse = SmallWarehouse()
    warehouse.connection.execute("insert into documents.data_source values ('roster', 'contract_roster', null, 'Office', 'AS_NEEDED', 7)")
    warehouse.connection.execute("insert into documents.contract_source values ('MATH', 'roster'), ('READ', 'roster')")
    yield warehouse
    warehouse.connection.close()


@pytest.mark.parametrize(
    ("row", "rule", "column"),
    [
        ("MATH,00000900,,0101,2026-03-01,2026-02-01,TRANSFER,\n", "rule:assignment_ends_after_it_starts", "end_on"),
        ("MATH,00000900,,0101,2025-10-06,,,1.2\n", "rule:vendor_share_in_range", "vendor_share"),
        ("MATH,00000900,,0101,2025-10-06,,,0\n", "rule:vendor_share_in_range", "vendor_share"),
        ("MATH,00000900,,0101,2025-10-06,,,120\n", "untyped:vendor_share", "vendor_share"),
        ("MATH,00000900,,0101,2026-13-01,,,\n", "untyped:start_on", "start_on"),
    ],
)
def test_the_row_is_kept_out_with_file_line_and_reason(tmp_path: Path, row: str, rule: str, column: str) -> None:
    intake = Intake(Home(tmp_path / "home"), {"roster": Feed("roster", "contract_roster")})
    intake.deliver("roster", "roster.csv", "".join([HEADER, *GOOD[:4], row, *GOOD[4:]]))
    report = intake.only_file()
    assert (report.rows_in, report.accepted, report.quarantined) == (300, 299, 1)
    ((file_id, line, said_rule, said_column, reason),) = intake.query(
        "select file_id, line_number, rule, column_name, reason from intake.quarantined_row"
    )
    assert (line, said_rule) == (6, rule)
    assert said_column in (column, None)
    assert file_id
    assert reason
    assert "00000900" not in reason


def test_exactly_one_and_the_last_day_are_no_contradiction(tmp_path: Path) -> None:
    intake = Intake(Home(tmp_path / "home"), {"roster": Feed("roster", "contract_roster")})
    never_served = "MATH,00000901,,0101,2026-03-01,2026-03-01,TRANSFER,\n"  # left on the day it began: known, and not on the roster
    intake.deliver("roster", "roster.csv", "".join([HEADER, *GOOD, "MATH,00000900,,0101,2025-10-06,,,1\n", never_served]))
    report = intake.only_file()
    assert (report.accepted, report.quarantined) == (301, 0)


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"start_on": date(2026, 3, 1), "end_on": date(2026, 2, 1)}, "assignment_ends_after_it_starts"),
        ({"vendor_share": 1.2}, "vendor_share_in_range"),
    ],
)
def test_one_such_row_of_many_stops_the_contracts_until_it_is_corrected(warehouse: SmallWarehouse, changes: dict, check: str) -> None:
    """One in 300 is a student's money: what was published last stands, and nothing is posted without that student."""
    rows = [{"contract_id": "MATH", "student_id": f"{n:08d}", "start_on": date(2025, 10, 6)} for n in range(300)]
    warehouse.receive("roster", "assignment", [*rows[:-1], rows[-1] | changes])
    verdicts = check_sources(warehouse.connection, CheckRun("run-1", AS_OF, None))
    (verdict,) = [one for one in verdicts if one.check_id == f"roster.assignment.{check}"]
    assert (verdict.status, verdict.is_blocking, verdict.rows_failed) == ("FAILED", True, 1)
    blocks = contract_blocks(warehouse.connection, [verdict])
    assert sorted(block.contract_id for block in blocks) == ["MATH", "READ"]
