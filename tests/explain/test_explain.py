"""The account of a line agrees with the models in every number, and leads to the lines of the files that were sent."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.explain import explain, show_account
from obc_pipeline.explain.keys import find_line, rows
from obc_pipeline.home import Home
from obc_pipeline.report_commands import as_text
from tests.explain.finished_home import finished_home

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home() -> Home:
    return finished_home()


@pytest.fixture
def warehouse(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        yield connection


def _keys(home: Home, per_reason: int = 2) -> list[str]:
    """Lines of every kind and reason there is, a few of each."""
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        found = connection.execute(
            f"""select line_key from payable.fct_settlement_line
                qualify row_number() over (partition by contract_id, line_id, reason_code order by line_key) <= {per_reason} order by 1"""
        ).fetchall()
    return [key for (key,) in found]


def test_every_line_can_be_told_and_agrees_with_the_models(home: Home) -> None:
    keys = _keys(home)
    assert len(keys) > 30
    for key in keys:
        account = explain(home, key)
        line, factors = account["line"], account["factors"]
        decided = [step for step in account["rule"] if step["outcome"] == "decided"]
        assert len(decided) == 1
        assert decided[0]["reason_code"] == line["reason_code"]
        _count_agrees(home, account)
        if factors is not None and line["decision"] == "EARNED" and line["reason_code"] == "TIER_REACHED":
            assert all(factors[name]["is_met"] for name in ("attendance", "provider", "outcome"))
        show_account(Console(file=io.StringIO(), width=160), account, all_rows=True)
        assert json.loads(as_text(account))["line"]["line_key"] == key


def _count_agrees(home: Home, account: dict[str, Any]) -> None:
    """The sessions listed as counted are as many as the models counted."""
    line = account["line"]
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        if line["line_id"] == "BASE":
            told = rows(
                connection,
                "select creditable_sessions from payable.fct_base_payment where contract_id = ? and student_id = ?",
                line["contract_id"],
                line["student_id"],
            )
            wanted = told[0]["creditable_sessions"]
        else:
            told = rows(
                connection,
                "select creditable_sessions from intermediate.int_payment__session_count where contract_id = ? and line_id = ? and student_ref = ?",
                line["contract_id"], line["line_id"], line["student_key"],
            )  # fmt: skip
            wanted = told[0]["creditable_sessions"] if told else 0
    assert account["sessions"]["counted"] == (wanted or 0), line["line_id"]


def test_the_place_is_the_line_of_the_file_that_was_sent(home: Home, warehouse: duckdb.DuckDBPyConnection) -> None:
    looked = 0
    for key in _keys(home, per_reason=1):
        account = explain(home, key)
        student = account["line"]["student_id"]
        for row in [*account["sessions"]["rows"], *account["tests"], *account["roster"]]:
            place = row["place"]
            assert place is not None
            assert place["line"] is not None, place["text"]
            written = _written(home, place)
            assert student in written.values() or any(_is_other_id(warehouse, student, value) for value in written.values())
            looked += 1
    assert looked > 200


def _written(home: Home, place: dict[str, Any]) -> dict[str, str]:
    """The record that stands on that line of the archived file, read without the pipeline."""
    archived = home.object_path(place["sha256"])
    content = archived.read_bytes()
    if content.startswith(b"PK"):
        with zipfile.ZipFile(archived) as package:
            name = next(name for name in package.namelist() if Path(name).name == place["member"])
            content = package.read(name)
    text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", errors="replace")
    record = next(csv.reader([text.splitlines()[place["line"] - 1]], delimiter="\t" if "\t" in text.splitlines()[0] else ","))
    return dict(enumerate(record))  # type: ignore[arg-type]


def _is_other_id(connection: duckdb.DuckDBPyConnection, student: str, value: str) -> bool:
    found = connection.execute(
        "select 1 from input_layer.input__student_identifier where student_id = ? and identifier = ? limit 1", [student, value]
    ).fetchone()
    return found is not None


def test_the_clause_is_the_line_of_the_contract(home: Home) -> None:
    for key in _keys(home, per_reason=1):
        account = explain(home, key)
        assert account["clauses"]
        for clause in account["clauses"]:
            written = (home.path / clause["file"]).read_text(encoding="utf-8").splitlines()[clause["line"] - 1]
            assert written.strip() == clause["words"]
            term = clause["term"].partition(".")[0]
            assert {"line": "line_id", "tiers": "thr", "obligation": "obligation_id"}.get(term, term) in written or "tiers" in written


def test_a_key_is_typed_as_staff_know_it(home: Home, warehouse: duckdb.DuckDBPyConnection) -> None:
    (line,) = rows(warehouse, "select * from payable.fct_settlement_line where line_id = 'G1' order by line_key limit 1")
    for key in (
        line["line_key"],
        line["line_key"].upper(),
        line["line_key"][:12],
        f"{line['contract_id']}|G1|{line['student_id']}",
        f"{line['contract_id']} | G1 | {line['student_key']} | {line['period']}",
    ):
        assert find_line(warehouse, key)["line_key"] == line["line_key"]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("G1", "1 part"),
        ("f" * 32, "no line has this key"),
        ("CVSD-MAHT-2026|G1|1", "CVSD-MATH-2026"),
        ("CVSD-MATH-2026|G9|1", "G1"),
        ("CVSD-MATH-2026|G1|98765432", "no line G1 of that student"),
    ],
)
def test_a_wrong_key_is_told_what_would_be_right_and_never_repeats_a_student(
    warehouse: duckdb.DuckDBPyConnection, key: str, told: str
) -> None:
    with pytest.raises(ArgumentWrong) as problem:
        find_line(warehouse, key)
    assert told in str(problem.value)
    assert "98765432" not in str(problem.value)
