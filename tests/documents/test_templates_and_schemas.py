"""What `obc init` writes is valid and commented, and the editors' schemas are those of the models."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from obc_pipeline.documents import HomeInUse, init_home, load, validate
from obc_pipeline.documents.schemas import DIRECTORY, schemas
from obc_pipeline.documents.starting import EXAMPLE_CONTRACTS, EXAMPLE_DISTRICT, FIRST_HOME
from obc_pipeline.home import Home

_EXAMPLES = {folder.name: folder for folder in sorted(EXAMPLE_CONTRACTS.iterdir())}
_HOMES = (FIRST_HOME, EXAMPLE_DISTRICT, *_EXAMPLES.values())
_TEMPLATES = sorted(file for home in _HOMES for file in home.rglob("*.yml"))


def test_a_fresh_home_has_no_problem_at_all(tmp_path: Path) -> None:
    written = init_home(tmp_path / "home")
    assert {path.name for path in written} == {"obc.yml", "data_map.yml", "ci_structure.yml", "EXAMPLE-READ-2027.yml"}
    assert validate(Home(tmp_path / "home")) == []


def test_a_fresh_home_has_the_guides_rows_and_workgroups(tmp_path: Path) -> None:
    init_home(tmp_path)
    documents = load(Home(tmp_path))
    rows = {row.row_id: row for row in documents.data_map_rows}
    assert (rows["sgp"].kind, rows["sgp"].instrument, rows["sgp"].accuracy_status) == ("PAYMENT", "RENAISSANCE_STAR_READING", "TRUSTED")
    assert documents.sources["star"].delay_days == 14
    assert (rows["student_identity"].kind, rows["student_identity"].accuracy_status) == ("PROCESS", "NEW")
    assert (documents.sources["exit_tickets"].frequency, documents.sources["exit_tickets"].delay_hours) == ("WEEKLY", 48)
    assert [(group.name, group.cadence, group.audience) for group in documents.workgroups] == [
        ("District Data Review", "MONTHLY", "district"),
        ("District-Vendor Coordination", "WEEKLY", "vendor"),
        ("District-Vendor-School Review", "MONTHLY", "school"),
    ]


def test_a_fresh_home_has_a_landing_folder_per_source_and_keeps_data_out_of_git(tmp_path: Path) -> None:
    init_home(tmp_path)
    assert {folder.name for folder in (tmp_path / "landing").iterdir()} == set(load(Home(tmp_path)).sources)
    assert "landing/" in (tmp_path / ".gitignore").read_text(encoding="utf-8")


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "data_map.yml").write_text("mine\n", encoding="utf-8")
    with pytest.raises(HomeInUse, match=r"data_map\.yml"):
        init_home(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["data_map.yml"]
    assert (tmp_path / "data_map.yml").read_text(encoding="utf-8") == "mine\n"


def test_committed_schemas_are_those_of_the_models() -> None:
    """When this fails: `python -m obc_pipeline.documents`."""
    assert {path.name: path.read_text(encoding="utf-8") for path in DIRECTORY.glob("*.json")} == schemas()


@pytest.mark.parametrize("template", _TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_template_names_its_schema_and_fits_it(template: Path, tmp_path: Path) -> None:
    first_line = template.read_text(encoding="utf-8").splitlines()[0]
    assert first_line.startswith("# yaml-language-server: $schema=")
    home = next(home for home in _HOMES if home in template.parents)
    init_home(tmp_path, home)
    document = tmp_path / template.relative_to(home)
    schema = json.loads((document.parent / first_line.split("=", 1)[1]).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(_as_an_editor_reads(document))


def test_a_schema_marks_what_validate_would_refuse(tmp_path: Path) -> None:
    schema = json.loads(schemas()["contract.schema.json"])
    init_home(tmp_path)
    contract = _as_an_editor_reads(tmp_path / "contracts" / "EXAMPLE-READ-2027.yml")
    for spoil in ({"subject": "maths"}, {"base_rat": 1}, {"service_start": 5}, {"rate_card": []}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema).validate({**contract, **spoil})
    contract["rate_card"][0]["dosage_gate"] = "none"
    jsonschema.Draft202012Validator(schema).validate(contract)


def test_every_field_of_every_document_is_described() -> None:
    for name, text in schemas().items():
        schema = json.loads(text)
        for part in [schema, *schema.get("$defs", {}).values()]:
            for field, about in part.get("properties", {}).items():
                referred = schema["$defs"][about["$ref"].rsplit("/", 1)[1]] if "$ref" in about else {}
                assert about.get("description") or referred.get("description"), f"{name}: {field} has no description"


def _as_an_editor_reads(document: Path) -> Any:
    return _plain(YAML(typ="safe").load(document.read_text(encoding="utf-8")))


def _plain(value: Any) -> Any:
    """Dates as text, as the schema (and JSON) has them."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, dt.date) else value


@pytest.mark.parametrize("name", _EXAMPLES)
def test_an_example_contract_has_no_problem_at_all(name: str) -> None:
    assert validate(Home(_EXAMPLES[name])) == []


def test_the_examples_have_the_public_numbers() -> None:
    """The figures of domain notes, section 2, that are public; everything else in the examples is invented."""
    (tiers,) = load(Home(_EXAMPLES["base_plus_tiers"])).contracts
    assert (tiers.base_rate, tiers.target_students, len(tiers.schools), tiers.sessions_per_week, tiers.min_session_minutes) == (
        670,
        450,
        9,
        3,
        30,
    )
    assert tiers.max_contingent_per_student == 750
    (lines,) = load(Home(_EXAMPLES["several_priced_lines"])).contracts
    assert (lines.base_rate, lines.per_student_cap, lines.nte_ceiling, lines.required_minutes) == (900, 1500, 1_200_000, 36 * 60)
    assert lines.max_contingent_per_student == 1500 == sum(line.top_price for line in lines.rate_card)
    vendors = load(Home(_EXAMPLES["growth_with_penalties"])).contracts
    assert len({contract.provider_id for contract in vendors}) == 4
    assert sum(contract.target_students or 0 for contract in vendors) == 6098
    assert sum(contract.nte_ceiling or 0 for contract in vendors) == 5_647_094
    assert all(line.penalty is not None and line.penalty.price < 0 for contract in vendors for line in contract.rate_card)
