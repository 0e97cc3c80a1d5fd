"""`obc show` tells the first three findings, and nothing of a file published before there were any."""

from __future__ import annotations

import io

import duckdb
from rich.console import Console

from obc_pipeline.terminal import _findings


def shown(connection: duckdb.DuckDBPyConnection) -> str:
    console = Console(file=io.StringIO(), width=200)
    _findings(console, connection)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_three_findings_in_their_order_with_their_rows() -> None:
    connection = duckdb.connect()
    connection.execute("create schema improvement")
    connection.execute(
        """create table improvement.rpt_finding as select * from (values
            ('d', 4, 'Fourth.', 'm', 'k=4'), ('b', 2, 'Second [not markup] told.', 'm', 'k=2'), ('a', 1, 'First, 12 points.', 'improvement.m', 'k=1'),
            ('c', 3, 'Third.', 'm', 'k=3'), ('e', null, null, null, null)) as t (question, finding_rank, sentence, mart, row_key)"""
    )
    lines = [line for line in shown(connection).splitlines() if line]
    assert lines == [
        "What stands out  (of 5 questions; 1 have nothing to tell yet: improvement.rpt_finding says why)",
        "1. First, 12 points.",
        "   improvement.m: k=1",
        "2. Second [not markup] told.",
        "   m: k=2",
        "3. Third.",
        "   m: k=3",
    ]


def test_a_file_without_findings_says_nothing_of_them() -> None:
    assert shown(duckdb.connect()) == ""
