"""What the fast forms of cleaning and judging a value must keep: they give what the plain forms give, for any text."""

from __future__ import annotations

import re

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obc_pipeline.intake.columns import mangled_by_a_spreadsheet, trimmed

SPACES = " \t\r\n\u00a0\u2003\u3000"
texts = st.text(st.one_of(st.sampled_from(SPACES), st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=8)
ascii_texts = st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=8)
ids = st.one_of(texts, st.text(st.sampled_from("0123456789.eE+- "), max_size=10))


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as connection:
        yield connection


@settings(deadline=None)
@given(values=st.lists(st.none() | texts, min_size=1, max_size=20))
def test_a_field_is_trimmed_as_by_trim(connection: duckdb.DuckDBPyConnection, values: list[str | None]) -> None:
    assert _both(connection, trimmed("f", is_ascii=False), "nullif(trim(f), '')", values) == []


@settings(deadline=None)
@given(values=st.lists(st.none() | ascii_texts, min_size=1, max_size=20))
def test_a_field_of_an_ascii_file_is_trimmed_as_by_trim(connection: duckdb.DuckDBPyConnection, values: list[str | None]) -> None:
    assert _both(connection, trimmed("f", is_ascii=True), "nullif(trim(f), '')", values) == []


@settings(deadline=None)
@given(values=st.lists(st.none() | ids, min_size=1, max_size=20))
def test_an_id_is_mangled_when_it_looks_like_a_spreadsheets_number(connection: duckdb.DuckDBPyConnection, values: list[str | None]) -> None:
    sql = f"select {mangled_by_a_spreadsheet('f')} from unnest(?::varchar[]) as rows(f)"
    found = [row[0] for row in connection.execute(sql, [values]).fetchall()]
    assert found == [bool(value and re.fullmatch(r"[0-9]+\.[0-9]+[eE]\+[0-9]+|[0-9]+\.0+|[0-9]+[eE]\+[0-9]+", value)) for value in values]


def _both(connection: duckdb.DuckDBPyConnection, fast: str, plain: str, values: list[str | None]) -> list[tuple]:
    sql = f"select f, {fast}, {plain} from unnest(?::varchar[]) as rows(f) where {fast} is distinct from {plain}"
    return connection.execute(sql, [values]).fetchall()
