"""Every consumer is an exposure, reads what it says it reads, and stands at the end of the lineage."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from ruamel.yaml import YAML

from obc_pipeline.dbt_build import DbtBuild, read_manifest
from obc_pipeline.defs.consumers import consumer_specs
from obc_pipeline.home import Home

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return read_manifest(DbtBuild(Home(tmp_path_factory.mktemp("exposures"))).ensure_manifest())


def _declared(name: str) -> set[str]:
    exposures = YAML(typ="safe").load((REPOSITORY / "dbt_project/models/exposures.yml").read_text(encoding="utf-8"))["exposures"]
    (exposure,) = [exposure for exposure in exposures if exposure["name"] == name]
    return {ref.removeprefix("ref('").removesuffix("')") for ref in exposure["depends_on"]}


def _read_by(*folders: str) -> set[str]:
    """Marts named as schema.table in the code of a consumer."""
    found: set[str] = set()
    for folder in folders:
        for path in sorted((REPOSITORY / "obc_pipeline" / folder).rglob("*.py")):
            found |= set(re.findall(r"\b(?:core|payable|process|improvement|roi|quality)\.([a-z]\w+)", path.read_text(encoding="utf-8")))
    return found - {"rules", "suites", "checks", "verdicts", "published_run", "pub_outcome_subgroup"}


def test_consumers_stand_downstream_of_their_marts(manifest: dict[str, Any]) -> None:
    specs = {spec.key.path[-1]: spec for spec in consumer_specs(manifest)}
    assert set(specs) == {"bi_tools", "family_summary", "meeting_packs", "sender_reports", "settlement_statements"}
    upstream = {dep.asset_key for dep in specs["settlement_statements"].deps}
    assert dg.AssetKey(["payable", "fct_proposed_entry"]) in upstream
    assert all(spec.deps and spec.description for spec in specs.values())


def test_exposures_name_what_packs_and_reports_read() -> None:
    assert _read_by("packs") == _declared("meeting_packs") | _declared("family_summary")
    assert _read_by("senders") == _declared("sender_reports")
