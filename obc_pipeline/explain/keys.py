"""Which payment line a key means: the md5 of the line, or CONTRACT|LINE|STUDENT as district staff type it."""

from __future__ import annotations

import re
from typing import Any

import duckdb

from obc_pipeline.documents.problem import did_you_mean
from obc_pipeline.errors import ArgumentWrong

_RIGHT = "right would be the line_key of a statement (32 letters and digits, or its first 12), or CONTRACT|LINE|STUDENT in quotes"
# The PDF prints this much of a line_key.
SHORTEST_KEY = 12
Row = dict[str, Any]


def rows(connection: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[Row]:
    """The result as dictionaries."""
    found = connection.execute(sql, list(values))
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def find_line(connection: duckdb.DuckDBPyConnection, key: str) -> Row:
    """The settlement line of the key, or what the ledger last said of it when it is no longer settled.

    Of a line_key its first 12 letters are enough, as the PDF prints them. STUDENT is the district's own id or the student_key; it may be left out where a line has no student. A fourth part is the period.
    Raises ArgumentWrong, which never repeats the student's id.
    """
    if re.fullmatch(rf"[0-9a-f]{{{SHORTEST_KEY},32}}", key.strip().lower()):
        prefix = key.strip().lower() + "%"
        found = _settled(connection, "line_key like ?", prefix) or _posted(connection, "line_key like ?", prefix)
        if len(found) != 1:
            raise ArgumentWrong(f"{len(found) or 'no'} line{'s have' if found else ' has'} this key; {_RIGHT}")
        return found[0]
    parts = [part.strip() for part in key.split("|")]
    if len(parts) not in (3, 4):
        raise ArgumentWrong(f"the key has {len(parts)} part(s); {_RIGHT}")
    return _by_parts(connection, *parts)


def _by_parts(connection: duckdb.DuckDBPyConnection, contract_id: str, line_id: str, student: str, period: str = "") -> Row:
    contracts = [row["contract_id"] for row in rows(connection, "select distinct contract_id from payable.fct_settlement_line order by 1")]
    if contract_id not in contracts:
        raise ArgumentWrong(f"no contract is called {contract_id!r}; right would be {did_you_mean(contract_id, contracts)}")
    lines = [
        row["line_id"]
        for row in rows(
            connection, "select distinct line_id from payable.fct_settlement_line where contract_id = ? order by 1", contract_id
        )
    ]
    if line_id not in lines:
        raise ArgumentWrong(f"{contract_id} settles no line {line_id!r}; right would be {did_you_mean(line_id, lines)}")
    where = "contract_id = ? and line_id = ? and coalesce(student_id, '') = ? and (? = '' or period = ?)"
    by_key = "contract_id = ? and line_id = ? and student_key = ? and (? = '' or period = ?)"
    asked = (contract_id, line_id, student, period, period)
    for read in (_settled, _posted):
        found = read(connection, where, *asked) or (read(connection, by_key, *asked) if student else [])
        if len(found) > 1:
            choices = ", ".join(f"{contract_id}|{line_id}|…|{row['period']}" for row in found)
            raise ArgumentWrong(f"{len(found)} lines fit; add the period: {choices}")
        if found:
            return found[0]
    raise ArgumentWrong(
        f"{contract_id} has no line {line_id} of that student; right would be the district's own id of a student on its roster"
    )


def _settled(connection: duckdb.DuckDBPyConnection, where: str, *values: Any) -> list[Row]:
    return [row | {"is_settled": True} for row in rows(connection, f"select * from payable.fct_settlement_line where {where}", *values)]


def _posted(connection: duckdb.DuckDBPyConnection, where: str, *values: Any) -> list[Row]:
    found = rows(connection, f"select * from intermediate.int_settlement__posted where {where}", *values)
    return [row | {"is_settled": False, "earned_amount": None, "payable_amount": None, "decision": None, "tier": None} for row in found]
