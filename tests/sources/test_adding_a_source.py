"""docs/adding-a-source.md keeps its word: its module and its suite are enough, and its file comes out as it says."""

from __future__ import annotations

import json
import re
import types
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from obc_pipeline.documents.data_map import Source
from obc_pipeline.intake import read as reading
from obc_pipeline.quality.rules import RowRule, row_rules
from obc_pipeline.sources import Format, registry
from obc_pipeline.sources.matching import Match, match_header

from . import test_declarations as declarations
from .test_files_as_received import Feed

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-source.md"
LAWS = (
    declarations.test_a_header_names_one_column,
    declarations.test_columns_are_named_once_described_and_typed,
    declarations.test_keys_can_be_complete,
    declarations.test_personal_columns_are_not_in_the_open_lake,
    declarations.test_times_are_readable_in_every_declared_form,
    declarations.test_what_names_columns_names_declared_ones,
)


def block(language: str) -> str:
    """The page's first code block of a language."""
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None, language
    return found.group(1)


@pytest.fixture
def declared() -> Format:
    module = types.ModuleType("practice_minutes")
    exec(compile(block("python"), str(PAGE), "exec"), module.__dict__)
    return module.FORMAT


@pytest.fixture
def rules(tmp_path: Path) -> tuple[RowRule, ...]:
    suite = json.loads(block("json"))
    (tmp_path / f"{suite['name']}.json").write_text(json.dumps(suite))
    return row_rules("practice_minutes", "student_week", tmp_path)


@pytest.fixture
def installed(declared: Format, rules: tuple[RowRule, ...], monkeypatch: pytest.MonkeyPatch) -> Format:
    """As if module and suite lay in their folders."""
    formats = {**registry(), declared.name: declared}
    monkeypatch.setattr(reading, "registry", lambda: formats)
    monkeypatch.setattr(reading, "row_rules", lambda format_name, table_name: rules)
    return declared


def test_the_declaration_keeps_the_laws(declared: Format) -> None:
    (table,) = declared.tables
    for law in LAWS:
        law(declared, table)
    for version, header in table.header_versions.items():
        match = match_header(declared, "export.csv", header, {})
        assert isinstance(match, Match)
        assert (match.layout, match.extras) == (version, {})


def test_the_suite_judges_the_declared_columns(declared: Format, rules: tuple[RowRule, ...]) -> None:
    (table,) = declared.tables
    assert [rule.id for rule in rules] == ["minutes_in_range"]
    assert all(table.column(rule.column) for rule in rules)


def test_the_example_file_comes_out_as_the_page_says(installed: Format, tmp_path: Path) -> None:
    path = tmp_path / "practice_minutes_2026-04-20.csv"
    path.write_text(block("csv"))
    verdict = reading.preflight(Feed(installed.name), path, frozenset())
    (report,) = verdict.report.files
    assert (report.table, report.layout, report.rows_in, report.accepted) == ("student_week", "2025", 4, 2)
    assert [(row["record_number"], row["rule"]) for row in verdict.quarantined] == [
        (3, "excel_id:student_number"),
        (4, "rule:minutes_in_range"),
    ]
    assert "Device" in " ".join(report.notes)


def test_the_example_feed_is_one_the_data_map_accepts() -> None:
    (entry,) = YAML(typ="safe").load(block("yaml"))["sources"].values()
    assert Source.model_validate(entry).format == "practice_minutes"
