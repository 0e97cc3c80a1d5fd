"""The documents as Parquet: every table, the declared types, exact money, the same bytes for the same documents."""

from __future__ import annotations

import datetime as dt
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from spoiled_documents import MATH, READ, Spoiled

from obc_pipeline.documents import load, write_tables
from obc_pipeline.documents.tables import SCHEMAS
from obc_pipeline.home import Home


def _rows(spoiled: Spoiled, sql: str, into: Path | None = None) -> list[tuple[Any, ...]]:
    tables = write_tables(load(spoiled.home), into or spoiled.home.document_tables)
    connection = duckdb.connect()
    for name, path in tables.items():
        connection.execute(f"create view {name} as from '{path}'")
    return connection.execute(sql).fetchall()


def test_every_table_is_always_there_and_typed(spoiled: Spoiled) -> None:
    """Without contracts the contract tables are empty, and still have their types: dbt builds on them."""
    full = _types(write_tables(load(spoiled.home), spoiled.home.path / "full"))
    for file in (MATH, READ):
        (spoiled.home.path / file).unlink()
    empty_tables = write_tables(load(spoiled.home), spoiled.home.path / "empty")
    assert set(empty_tables) == set(SCHEMAS)
    assert _types(empty_tables) == full
    assert duckdb.sql(f"select count(*) from '{empty_tables['rate_card_line']}'").fetchall() == [(0,)]
    assert ("price_amount", "DECIMAL(18,2)") in full["rate_card_tier"]
    assert ("threshold", "DECIMAL(18,6)") in full["rate_card_tier"]
    assert ("service_start_on", "DATE") in full["contract"]


def _types(tables: dict[str, Path]) -> dict[str, list[tuple[str, str]]]:
    return {
        name: [(column, kind) for column, kind, *_ in duckdb.sql(f"describe from '{path}'").fetchall()] for name, path in tables.items()
    }


def test_money_and_gates_arrive_exactly(spoiled: Spoiled) -> None:
    assert _rows(
        spoiled, "select kind, tier_number, threshold, price_amount from rate_card_tier where contract_id = 'CVSD-READ-2026' order by 2"
    ) == [
        ("PENALTY", 0, Decimal(20), Decimal("-75.00")),
        ("TIER", 1, Decimal(50), Decimal("400.00")),
    ]
    gates = "select distinct dosage_unit, dosage_min_rate_numerator, dosage_min_rate_denominator, dosage_denominator from rate_card_line"
    assert _rows(spoiled, gates) == [("SESSIONS", 70, 100, "REQUIRED")]
    assert _rows(spoiled, "select base_rate_amount, contingent_share_computed from contract order by contract_id") == [
        (Decimal("600.00"), Decimal("0.647059")),
        (Decimal("15.00"), Decimal("0.307692")),
    ]


@pytest.mark.parametrize("written", ["70/100", "0.70", "0.7", "70%", "70.0%"])
def test_a_share_means_the_same_however_it_is_written(spoiled: Spoiled, written: str) -> None:
    spoiled.replace(MATH, "min_rate: 70/100", f"min_rate: {written}")
    found = _rows(
        spoiled,
        "select dosage_min_rate_numerator * 100 = dosage_min_rate_denominator * 70 from rate_card_line where contract_id like '%MATH%' and line_id = 'G1'",
    )
    assert found == [(True,)]


def test_the_column_reaches_the_models_in_the_exports_own_spelling(spoiled: Spoiled) -> None:
    spoiled.replace(
        MATH, "source_column: FallToSpringConditionalGrowthPercentile", "source_column: Fall-to-Spring Conditional Growth Percentile"
    )
    found = _rows(spoiled, "select source_column from rate_card_line where contract_id like '%MATH%' and line_id = 'G1'")
    assert found == [("FallToSpringConditionalGrowthPercentile",)]


def test_what_a_contract_consumes(spoiled: Spoiled) -> None:
    """Tests of its rate card, its provider's sessions, the lists; never exit tickets, another provider's feed or another test."""
    found = _rows(spoiled, "select contract_id, list(source order by source) from contract_source group by 1 order by 1")
    lists = {"contract_roster", "oneroster", "school_calendar", "sis_attendance"}
    assert {contract: set(sources) for contract, sources in found} == {
        "CVSD-MATH-2026": lists | {"nwea_map", "state_assessment", "sessions_brightpath"},
        "CVSD-READ-2026": lists | {"renaissance_star", "sessions_lumen"},
    }


def test_program_flags_concern_a_contract_only_when_it_pays_by_program(spoiled: Spoiled) -> None:
    spoiled.replace(READ, "    penalty:", "    uplift: [{program: EL, multiplier: 1.10}]\n    penalty:")
    assert _rows(spoiled, "select contract_id from contract_source where source = 'program_flags'") == [("CVSD-READ-2026",)]


def test_defaults_that_the_domain_names(spoiled: Spoiled) -> None:
    spoiled.replace(MATH, "    rapid_guessing_max_share: 0.30\n", "")
    assert _rows(spoiled, "select rapid_guessing_max_share from rate_card_line where contract_id like '%MATH%' and line_id = 'G1'") == [
        (Decimal("0.3"),)
    ]
    assert _rows(spoiled, "select distinct retest_rule, comparator, tier_mode, price_unit from rate_card_line") == [
        ("INSTRUMENT_OFFICIAL", ">=", "BEST_TIER", "PER_STUDENT_OUTCOME")
    ]
    contract = "select both_default_rule, district_default_share, base_proration, persistent_absence_misses, persistent_absence_rate"
    assert _rows(spoiled, f"{contract} from contract where contract_id like '%READ%'") == [("HOLD", None, "NONE", 3, Decimal("0.5"))]
    assert _rows(spoiled, "select absent_share from attendance_code where code in ('A', 'T', 'H') order by code") == [
        (Decimal(1),),
        (Decimal("0.5"),),
        (Decimal(0),),
    ]


def test_a_source_without_codes_takes_those_of_its_system(spoiled: Spoiled) -> None:
    text = spoiled.text("data_map.yml")
    start, end = text.index("    attendance_codes:"), text.index("  school_calendar:")
    spoiled.write("data_map.yml", text[:start] + "\n" + text[end:])
    assert _rows(spoiled, "select code, status, is_excused from attendance_code order by code") == [
        ("Absent", "ABSENT", None),
        ("Present", "PRESENT", None),
    ]


def test_rows_of_the_data_map_inherit_access_and_timing(spoiled: Spoiled) -> None:
    spoiled.replace("data_map.yml", "    instrument: NWEA_MAP_MATH\n", "    instrument: NWEA_MAP_MATH\n    expected_delay_days: 3\n")
    found = _rows(spoiled, "select frequency, expected_delay_hours, owner_role, suites from data_map_row where row_id = 'cgp_math'")
    assert found == [("PER_WINDOW", 72, "District assessment coordinator", "nwea_map__assessment_results")]


def test_a_row_with_two_sources_is_watched_on_both(spoiled: Spoiled) -> None:
    spoiled.replace("data_map.yml", "    source: sessions_brightpath\n", "    sources: [sessions_brightpath, sessions_lumen]\n")
    assert _rows(spoiled, "select source from data_map_row where row_id = 'dosage_math' order by 1") == [
        ("sessions_brightpath",),
        ("sessions_lumen",),
    ]


def test_attended_only_is_known_from_the_layout(spoiled: Spoiled) -> None:
    spoiled.replace("data_map.yml", "    is_attended_only: true\n", "")
    found = _rows(
        spoiled,
        "select source, is_attended_only, student_id_is, expected_delay_days from data_source where format = 'tutoring_sessions' order by 1",
    )
    assert found == [("sessions_brightpath", False, "LOCAL", 2), ("sessions_lumen", True, "LOCAL", 2)]


def test_windows_and_line_due_dates(spoiled: Spoiled) -> None:
    found = _rows(spoiled, "select closes_on, data_due_on from contract_window where contract_id like '%MATH%' and window_id = 'SPRING'")
    assert found == [(dt.date(2026, 5, 29), dt.date(2026, 6, 12))]
    assert _rows(spoiled, "select line_id, data_due_on from rate_card_line where data_due_on is not null") == [("P1", dt.date(2026, 6, 26))]


def test_the_same_documents_give_the_same_bytes(spoiled: Spoiled, tmp_path: Path) -> None:
    """However the files are ordered and commented: rows are sorted, and nothing of the moment is written."""
    first = write_tables(load(spoiled.home), tmp_path / "first")
    shutil.copytree(spoiled.home.path, tmp_path / "again")
    again = Spoiled(Home(tmp_path / "again"))
    blocks = again.text(MATH).split("  - obligation_id: ")
    again.write(MATH, "  - obligation_id: ".join([blocks[0], *reversed(blocks[1:])]) + "\n# a remark\n")
    second = write_tables(load(again.home), tmp_path / "second")
    differing = [name for name in first if first[name].read_bytes() != second[name].read_bytes()]
    assert differing == ["contract"]  # its content hash: the order of obligations was changed


def test_the_content_hash_ignores_what_means_nothing(spoiled: Spoiled) -> None:
    before = load(spoiled.home).content_hash()
    spoiled.write(MATH, "# a comment\n" + spoiled.text(MATH).replace("base_rate: 600.00", "base_rate:   600.0  # per student"))
    spoiled.replace("ci_structure.yml", "cadence: WEEKLY", "cadence: 'WEEKLY'")
    assert load(spoiled.home).content_hash() == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (MATH, "base_rate: 600.00", "base_rate: 600.01"),
        (READ, "threshold: 50", "threshold: 51"),
        ("data_map.yml", "{code: T, status: TARDY}", "{code: T, status: ABSENT}"),
        ("ci_structure.yml", "cadence: WEEKLY", "cadence: BIWEEKLY"),
        ("obc.yml", "max_drop_share: 0.10", "max_drop_share: 0.11"),
    ],
)
def test_the_content_hash_follows_what_means_something(spoiled: Spoiled, file: str, old: str, new: str) -> None:
    before = load(spoiled.home).content_hash()
    spoiled.replace(file, old, new)
    assert load(spoiled.home).content_hash() != before


def test_improvement_limits_have_defaults_and_can_be_stated(spoiled: Spoiled) -> None:
    """One row always: every limit that the district does not state has its default."""
    sql = "select least_group_n, balance_limit_sd, follow_up_rate, change_months from improvement_setting"
    assert _rows(spoiled, sql) == [(10, Decimal("0.25"), Decimal("0.5"), 2)]
    before = load(spoiled.home).content_hash()
    spoiled.replace("ci_structure.yml", "# improvement:", "improvement:\n  least_group_n: 16\n  follow_up_rate: 60%\n#")
    said = spoiled.said("`improvement.follow_up_rate`")
    assert said.severity == "error"
    spoiled.replace("ci_structure.yml", "60%", "0.6")
    assert _rows(spoiled, sql) == [(16, Decimal("0.25"), Decimal("0.6"), 2)]
    assert load(spoiled.home).content_hash() != before
