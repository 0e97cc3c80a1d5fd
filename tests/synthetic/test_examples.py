"""The example contracts' districts: files those contracts are paid on, the same each time; and docs/examples says what they come to."""

from __future__ import annotations

import filecmp
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from obc_pipeline.cli import _outcome
from obc_pipeline.documents import load, validate
from obc_pipeline.home import Home
from obc_pipeline.synthetic.examples import EXAMPLES, generate_example

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "examples" / "make_statements.py"


@pytest.fixture(scope="module")
def make_statements() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_statements", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def files(home: Home) -> list[Path]:
    return sorted(path.relative_to(home.path) for path in home.path.rglob("*") if path.is_file())


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_whole_valid_and_the_same_each_time(example: str, tmp_path: Path) -> None:
    homes = [Home(tmp_path / name) for name in ("one", "two")]
    for home in homes:
        generate_example(home.path, example, 1_000, 3)
    assert not [problem for problem in validate(homes[0]) if problem.severity == "error"]
    assert files(homes[0]) == files(homes[1])
    _, different, unreadable = filecmp.cmpfiles(homes[0].path, homes[1].path, map(str, files(homes[0])), shallow=False)
    assert (different, unreadable) == ([], [])
    for source in load(homes[0]).sources:
        assert any((homes[0].landing / source).rglob("*")), f"nothing landed for {source}"


def test_the_files_name_this_district_and_no_other(tmp_path: Path) -> None:
    generate_example(tmp_path / "home", "growth_with_penalties", 1_000, 3)
    for path in (tmp_path / "home" / "landing").rglob("*"):
        assert "CedarValley" not in path.name.replace(" ", "")
        assert "brightpath" not in path.name
        if path.is_file():
            content = path.read_bytes()
            assert b"Cedar Valley School District" not in content
            assert b'"2800001"' not in content
            assert b",2800001," not in content


def test_nobody_is_tutored_by_two_of_the_four_vendors(tmp_path: Path) -> None:
    generate_example(tmp_path / "home", "growth_with_penalties", 1_000, 3)
    last = sorted((tmp_path / "home" / "landing" / "roster").iterdir())[-1].read_text().splitlines()
    students: dict[str, str] = {}
    for row in last[1:]:
        contract, student = row.split(",")[:2]
        assert students.setdefault(student, contract) == contract
    assert len(set(students.values())) == 4


def test_an_unknown_example_or_a_home_in_use_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def obc(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["obc", "generate", "--seed", "1", "--home", *map(str, arguments)])
        return _outcome()

    assert obc(tmp_path / "home", "--students", 1000, "--example", "nothing") == 2
    assert "there are: base_plus_tiers, growth_with_penalties, several_priced_lines" in capsys.readouterr().err
    assert obc(tmp_path / "home", "--students", 1000, "--example", "base_plus_tiers", "--messy") == 2
    assert obc(tmp_path / "home", "--students", 10, "--example", "base_plus_tiers") == 2
    assert not (tmp_path / "home").exists()
    assert obc(tmp_path / "home", "--students", 1000, "--example", "base_plus_tiers") == 0
    assert obc(tmp_path / "home", "--students", 1000, "--example", "base_plus_tiers") == 2
    assert "generate into a new folder" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES)
def test_the_page_says_what_the_command_makes(make_statements: ModuleType, example: str, tmp_path: Path) -> None:
    page = (SCRIPT.parent / "README.md").read_text(encoding="utf-8")
    home = make_statements.post_example(example, tmp_path / "home")
    assert make_statements.written_figures(page, example) == make_statements.figures(home).strip()


def test_every_statement_shown_is_there(make_statements: ModuleType) -> None:
    page = (SCRIPT.parent / "README.md").read_text(encoding="utf-8")
    assert set(make_statements.SHOWN) == set(EXAMPLES)
    for example, contract_id in make_statements.SHOWN.items():
        assert f"**{contract_id}**: earned " in make_statements.written_figures(page, example)
        assert (SCRIPT.parent / f"{contract_id}.png").is_file()
        assert (SCRIPT.parent / f"{contract_id}.xlsx").is_file()
