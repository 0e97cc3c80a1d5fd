"""Every declaration is whole: named, described, typed, keyed, and free of contradictions. Laws for all formats, present and future."""

from __future__ import annotations

import re
from collections import Counter

import duckdb
import pytest

from obc_pipeline.documents.data_map import AttendanceCode
from obc_pipeline.intake.columns import sql_type
from obc_pipeline.sources import Format, Table, registry
from obc_pipeline.sources.declaration import normalise_header, snake_case
from obc_pipeline.sources.matching import Match, header_rows, match_header
from obc_pipeline.sources.sis_attendance import ATTENDANCE_CODES

from .declared import every_table, every_version, name_for

TABLES = [pytest.param(format_, table, id=f"{format_.name}.{table.name}") for format_, table in every_table()]


def test_every_format_the_pipeline_models_is_here() -> None:
    """More may be added; these are what staging reads."""
    modelled = "nwea_map renaissance_star oneroster sis_attendance school_calendar program_flags tutoring_sessions exit_tickets"
    assert {*modelled.split(), "state_assessment", "contract_roster", "ruling"} <= set(registry())


@pytest.mark.parametrize(("format_", "table"), TABLES)
def test_columns_are_named_once_described_and_typed(format_: Format, table: Table) -> None:
    assert table.description
    assert [name for name, count in Counter(column.name for column in table.columns).items() if count > 1] == []
    for column in table.columns:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name), column.name
        assert column.name == snake_case(column.name)
        assert len(column.description) > 3, column.name
        assert sql_type(column)


@pytest.mark.parametrize(("format_", "table"), TABLES)
def test_a_header_names_one_column(format_: Format, table: Table) -> None:
    """Two columns that claim the same header would be filled by chance. Presets and a source's own map may override on purpose."""
    claims: dict[str, str] = {}
    for column in table.columns:
        for header in column.headers:
            other = claims.setdefault(normalise_header(header), column.name)
            assert other == column.name, f"{header} is claimed by {other} and {column.name}"


@pytest.mark.parametrize(("format_", "table"), TABLES)
def test_what_names_columns_names_declared_ones(format_: Format, table: Table) -> None:
    names = {column.name for column in table.columns}
    said = {
        *table.natural_key, *table.fallback_key, *table.scope, *table.district_columns, *table.constants, *table.constants_from_columns,
        *(gather.column for gather in table.gather), *(name for preset in table.presets.values() for name in preset.values()),
        *(name for group in table.needs_one_of for name in group), *((table.exported_at,) if table.exported_at else ()),
    }  # fmt: skip
    assert said <= names
    assert set(table.key_may_be_blank) <= {*table.natural_key, *table.fallback_key}
    assert table.natural_key
    assert set(table.layout_header_rows) | set(table.layout_header_marks) <= set(table.header_versions)
    for column in table.columns:
        assert column.same_as is None or column.same_as in names


@pytest.mark.parametrize(("format_", "table"), TABLES)
def test_keys_can_be_complete(format_: Format, table: Table) -> None:
    """A key has a part that must be there, or has a stand-in; key columns are kept where rows are compared, and are no maps."""
    for key in filter(None, (table.natural_key, table.fallback_key)):
        assert set(key) - set(table.key_may_be_blank), key
    for name in (*table.natural_key, *table.fallback_key, *table.scope):
        assert table.column(name).privacy == "keep"
        assert table.column(name).type != "map"


@pytest.mark.parametrize(("format_", "table"), TABLES)
def test_expressions_are_duckdb_over_the_tables_own_columns(format_: Format, table: Table) -> None:
    kept = [column for column in table.columns if column.privacy != "drop"]
    fields = ", ".join(f"NULL::{sql_type(column)} AS {column.name}" for column in kept if column.expression is None)
    for column in kept:
        if column.expression:
            duckdb.sql(f"SELECT CAST({column.expression} AS {sql_type(column)}) FROM (SELECT {fields})").fetchall()


def test_the_school_year_turns_on_the_first_of_july() -> None:
    expression = registry()["sis_attendance"].table("attendance_event").column("school_year").expression
    days = duckdb.sql(f"SELECT {expression} FROM (VALUES (DATE '2026-06-30'), (DATE '2026-07-01')) days(attendance_on)").fetchall()
    assert days == [("2025-2026",), ("2026-2027",)]


@pytest.mark.parametrize(("format_", "table"), TABLES)
def test_times_are_readable_in_every_declared_form(format_: Format, table: Table) -> None:
    """DuckDB knows each format, and none makes a zoned time, which would be turned by the machine's zone."""
    for column in table.columns:
        for form in column.formats:
            assert "%z" not in form.lower(), column.name
            moment = "TIMESTAMP '2026-04-21 14:05:09'"
            (same,) = duckdb.sql(f"SELECT try_strptime(strftime({moment}, '{form}'), '{form}') IS NOT NULL").fetchone() or (False,)
            assert same, f"{column.name}: {form}"


PERSONAL = re.compile(
    r"first_?name|last_?name|middle_?name|given_name|family_name|surname|email|phone|password|birth|_mi$|address|comment|ip_add"
)


@pytest.mark.parametrize(("format_", "table"), TABLES)
def test_personal_columns_are_not_in_the_open_lake(format_: Format, table: Table) -> None:
    of_skills = {"family_name"} if table.name == "skill_area" else set()  # a family of skill areas
    open_ones = [column.name for column in table.columns if column.privacy == "keep" and PERSONAL.search(column.name)]
    open_ones = [name for name in open_ones if name not in of_skills]
    assert open_ones == []


def test_passwords_and_contacts_go_nowhere() -> None:
    users = registry()["oneroster"].table("users")
    assert {name for name in ("password", "email", "sms", "phone") if users.column(name).privacy == "drop"} == {
        "password",
        "email",
        "sms",
        "phone",
    }
    assert registry()["oneroster"].table("demographics").column("birth_date").privacy == "restricted"
    star = registry()["renaissance_star"].table("star_test")
    assert star.column("taken_at_by_ip_address").privacy == star.column("student_email").privacy == "drop"
    assert registry()["exit_tickets"].table("response").column("free_text").privacy == "restricted"


@pytest.mark.parametrize("format_", registry().values(), ids=lambda format_: format_.name)
def test_header_versions_of_one_format_are_told_apart(format_: Format) -> None:
    """Each version is recognised as its own table, by its header alone."""
    for own_format, table, version, header in every_version():
        if own_format is not format_:
            continue
        match = match_header(format_, name_for(format_), header, {})
        assert isinstance(match, Match), f"{table.name} {version}: {match}"
        assert (match.table.name, match.layout) == (table.name, version)


def test_header_rows_are_the_sources_word_then_the_layouts() -> None:
    response = registry()["exit_tickets"].table("response")
    assert header_rows(response, "qualtrics", {}) == 3
    assert header_rows(response, "google_forms", {}) == 1
    assert header_rows(response, "qualtrics", {"header_rows": 2}) == 2


def test_attendance_codes_of_presets_are_what_the_documents_accept() -> None:
    table = registry()["sis_attendance"].table("attendance_event")
    assert set(ATTENDANCE_CODES) == set(table.presets)
    for codes in ATTENDANCE_CODES.values():
        read = [AttendanceCode.model_validate(dict(code)) for code in codes]
        assert any(code.status == "ABSENT" for code in read)
        assert len({(code.code, code.excuse) for code in read}) == len(read)
