"""A state of the dbt project is parsed once, whatever the number of homes; another state is parsed again."""

from __future__ import annotations

from pathlib import Path

import pytest

from obc_pipeline.dbt_build import DbtBuild
from obc_pipeline.home import Home

PROFILES = """
tiny:
  target: warehouse
  outputs:
    warehouse: {type: duckdb, path: "{{ env_var('OBC_WAREHOUSE') }}", schema: main}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text("name: tiny\nversion: '1.0'\nprofile: tiny\nmodel-paths: [models]\n")
    (folder / "profiles.yml").write_text(PROFILES)
    (folder / "models" / "one.sql").write_text("select 1 as number")
    return folder


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The homes in which something was parsed."""
    parsed: list[str] = []
    parse = DbtBuild._parse

    def counted(self: DbtBuild) -> object:
        parsed.append(self._home.path.name)
        return parse(self)

    monkeypatch.setattr(DbtBuild, "_parse", counted)
    return parsed


def test_a_second_home_takes_the_first_ones_parse(tmp_path: Path, project: Path, parses: list[str]) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        build = DbtBuild(Home(tmp_path / name), project)
        assert [(node.name, node.status) for node in build.run({})] == [("one", "OK")]
        assert (tmp_path / name / "warehouse.duckdb").exists(), "each home builds in its own warehouse"
    assert parses == ["first"]


def test_another_state_of_the_project_is_parsed_again(tmp_path: Path, project: Path, parses: list[str]) -> None:
    (tmp_path / "home").mkdir()
    DbtBuild(Home(tmp_path / "home"), project).ensure_manifest()
    (project / "models" / "two.sql").write_text("select 2 as number")
    found = {node.name for node in DbtBuild(Home(tmp_path / "home"), project).run({})}
    assert found == {"one", "two"}
    assert parses == ["home", "home"]
