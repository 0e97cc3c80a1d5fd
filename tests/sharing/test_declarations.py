"""What the project's marts declare about sharing holds: columns that exist, nothing of a student but what is replaced."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML

from obc_pipeline.sharing.scope import SharedMart, shared_marts
from obc_pipeline.sharing.swap import _exchange

_MARTS = Path(__file__).parents[2] / "dbt_project" / "models" / "marts"


def declared() -> dict[str, SharedMart]:
    nodes = {}
    for path in sorted(_MARTS.rglob("*.yml")):
        for node in YAML(typ="safe").load(path).get("models") or []:
            columns = {column["name"]: column for column in node.get("columns", [])}
            nodes[node["name"]] = {
                "resource_type": "model", "name": node["name"], "schema": path.parent.name, "fqn": ["obc", "marts", path.parent.name, node["name"]],
                "config": node.get("config") or {}, "columns": columns,
            }  # fmt: skip
    return {shared.mart.name: shared for shared in shared_marts({"nodes": nodes})}


def test_every_declaration_of_the_project_holds() -> None:
    found = declared()
    assert len(found) > 20
    assert all(shared.vendor_columns or shared.vendor == "none" for shared in found.values())


def test_what_a_coordination_meeting_needs_is_shared() -> None:
    found = declared()
    for name in ("msr_student_tutoring", "agg_attendance_weekly", "rpt_untested_worklist", "rpt_persistent_absence", "fct_ci_action"):
        assert (found[name].vendor, found[name].school) == ("rows", "rows"), name
    assert found["rpt_contract_summary"].school == "none", "money is no school's business"


def test_what_tells_of_others_or_of_why_a_student_left_is_shared_with_nobody() -> None:
    never = {
        "end_reason",
        "vendor_share",
        "state_student_id",
        "race_ethnicity",
        "is_iep",
        "is_english_learner",
        "match_status",
        "claimed_reason",
    }
    for name, shared in declared().items():
        assert never & {*shared.vendor_columns, *shared.school_columns, *shared.conditions} == set(), name


def test_folders_are_exchanged_in_one_call_here(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "said").write_text(name)
    assert _exchange(tmp_path / "one", tmp_path / "other"), "else releases replace file by file, which docs/audiences.md would have to say"
    assert (tmp_path / "one" / "said").read_text() == "other"
