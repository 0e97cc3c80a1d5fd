"""The lines of docs/bi-tools.md, run on a published file: DuckDB, Python, pandas over Parquet, SQLAlchemy; and no way out of the file."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

DOCS = Path(__file__).parents[2] / "docs" / "bi-tools.md"


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """`published/district` with one mart as DuckDB and as Parquet."""
    folder = tmp_path / "published" / "district"
    (folder / "parquet" / "process").mkdir(parents=True)
    with duckdb.connect(str(folder / "marts.duckdb")) as connection:
        connection.execute("create schema process; create schema payable; create schema quality")
        connection.execute(
            "create table process.agg_attendance_weekly as select 'C1' as contract_id, '0201' as school_id, date '2026-03-02' as week_start_on, "
            "40 as numerator, 50 as denominator, 0.8::decimal(9,6) as attendance_rate, 12 as n_students"
        )
        connection.execute(
            "create table payable.rpt_contract_summary as select 'C1' as contract_id, 100.00::decimal(18,2) as total_earned_amount"
        )
        connection.execute("create table quality.published_run as select 'run-1' as run_id, date '2026-03-31' as as_of_date")
        connection.execute("comment on column process.agg_attendance_weekly.numerator is 'Student-sessions attended.'")
        target = folder / "parquet" / "process" / "agg_attendance_weekly.parquet"
        connection.execute(f"copy process.agg_attendance_weekly to '{target}' (format parquet)")
    return tmp_path


def test_the_python_lines_of_the_page_run_as_they_stand(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 3
    monkeypatch.chdir(published)
    for block in blocks:
        names: dict[str, object] = {}
        exec(compile(block, str(DOCS), "exec"), names)
        assert len(names["rows"]) == 1  # type: ignore[arg-type]


def test_the_sql_of_the_page_runs_as_it_stands(published: Path) -> None:
    (queries,) = re.findall(r"```sql\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    with duckdb.connect(str(published / "published" / "district" / "marts.duckdb"), read_only=True) as connection:
        for query in filter(str.strip, queries.split(";")):
            assert connection.execute(query).fetchall()


def test_a_locked_connection_cannot_read_other_files_nor_be_unlocked(published: Path) -> None:
    config: dict[str, str | bool | int | float | list[str]] = {"enable_external_access": "false", "lock_configuration": "true"}
    with duckdb.connect(str(published / "published" / "district" / "marts.duckdb"), read_only=True, config=config) as connection:
        parquet = published / "published" / "district" / "parquet" / "process" / "agg_attendance_weekly.parquet"
        with pytest.raises(duckdb.PermissionException):
            connection.execute(f"select * from read_parquet('{parquet}')")
        with pytest.raises(duckdb.InvalidInputException):
            connection.execute("set enable_external_access = true")
