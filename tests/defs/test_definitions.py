"""The asset graph of the example district: complete, explained, owned, and in the stages of the architecture page."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from obc_pipeline.defs import naming
from obc_pipeline.defs.assembly import definitions_of, from_environment
from obc_pipeline.defs.feeds import freshness_policy
from obc_pipeline.documents import Documents, init_home, load
from obc_pipeline.documents.starting import EXAMPLE_DISTRICT
from obc_pipeline.home import Home
from obc_pipeline.quality.suites import read_suite
from obc_pipeline.quality.verdicts import Verdict
from obc_pipeline.run import ledger_verdict
from obc_pipeline.sources import registry


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("example") / "home"
    init_home(folder, EXAMPLE_DISTRICT)
    return Home(folder)


@pytest.fixture(scope="module")
def documents(home: Home) -> Documents:
    return load(home)


@pytest.fixture(scope="module")
def definitions(home: Home, documents: Documents) -> dg.Definitions:
    return definitions_of(home, documents)


@pytest.fixture(scope="module")
def specs(definitions: dg.Definitions) -> dict[dg.AssetKey, dg.AssetSpec]:
    return {spec.key: spec for spec in definitions.resolve_all_asset_specs()}


def test_every_asset_is_described_owned_and_says_what_it_is(specs: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    assert len(specs) > 100
    incomplete = [
        key.to_user_string() for key, spec in specs.items() if not (spec.description and spec.owners and spec.kinds and spec.group_name)
    ]
    assert incomplete == []


def test_the_groups_are_the_stages(specs: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    groups = {spec.group_name for spec in specs.values()}
    assert {"landing", "archive", "documents", "lake", "intake", "check", "staging", "input_layer", "intermediate"} <= groups
    assert {"core", "payable", "process", "improvement", "roi", "quality", "published", "ledger"} <= groups
    assert "default" not in groups


def test_nothing_hangs_in_the_air(specs: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    """Every dependency is an asset we define: dbt's sources are the very assets of the stages before it."""
    unknown = {dep.asset_key for spec in specs.values() for dep in spec.deps} - specs.keys()
    assert unknown == set()


def test_a_source_runs_from_landing_to_the_published_file(specs: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    seen: set[dg.AssetKey] = set()
    ends = [naming.PUBLISHED]
    while ends:
        key = ends.pop()
        if key not in seen:
            seen.add(key)
            ends += [dep.asset_key for dep in specs[key].deps]
    for key in (
        ["landing", "nwea_map"],
        ["archive", "nwea_map"],
        ["lake", "nwea_map__assessment_results"],
        ["documents", "rate_card_tier"],
    ):
        assert dg.AssetKey(key) in seen, key


def test_every_mart_names_the_data_map_rows_it_serves(specs: dict[dg.AssetKey, dg.AssetSpec], documents: Documents) -> None:
    marts = {key: spec for key, spec in specs.items() if key.path[0] in {"core", "payable", "process", "improvement", "roi", "quality"}}
    assert {dep.asset_key for dep in specs[naming.PUBLISHED].deps} >= marts.keys(), "what is a mart is published"
    told = {key.path[1]: spec.metadata["data map rows"] for key, spec in marts.items()}
    every = ", ".join(row.row_id for row in documents.data_map_rows)
    assert told["fct_student_assessment"] == "cgp_math, sgp_reading, proficiency_math, enrollment"
    assert "school_attendance" not in told["dim_school"]
    assert {"dosage_math", "dosage_reading", "school_attendance"} <= set(told["agg_attendance_weekly"].split(", "))
    assert {"dosage_math", "student_identity_math", "school_attendance"} <= set(told["rpt_metric_drivers"].split(", "))
    assert told["row_accounting"] == every, "the account of arrivals watches every feed"
    assert told["dim_contract"] == "none", "from the documents alone"


def test_lake_tables_show_their_declared_columns_but_no_restricted_one(specs: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    for format_name, declared in registry().items():
        for table in declared.tables:
            shown = {column.name for column in specs[naming.lake_key(format_name, table.name)].metadata["dagster/column_schema"].columns}
            assert shown == {column.name for column in table.columns if column.privacy == "keep"}


def test_every_expectation_of_every_suite_is_an_asset_check(definitions: dg.Definitions, documents: Documents) -> None:
    checks = {key for asset in definitions.assets or [] if isinstance(asset, dg.AssetsDefinition) for key in asset.check_keys}
    suite = read_suite("nwea_map__assessment_results")
    assert suite is not None
    for expected in suite.expectations:
        assert dg.AssetCheckKey(naming.lake_key("nwea_map", "assessment_results"), expected.id) in checks
    shared = naming.lake_key("tutoring_sessions", "session_student")
    assert {key.name.rsplit("__", 1)[1] for key in checks if key.asset_key == shared} == {"sessions_brightpath", "sessions_lumen"}
    for source in documents.sources:
        assert dg.AssetCheckKey(naming.landing_key(source), "fresh") in checks
    for contract in documents.contracts:
        assert dg.AssetCheckKey(naming.PUBLISHED, naming.release_check_name(contract.contract_id)) in checks


def test_the_names_of_checks_can_be_told_apart(definitions: dg.Definitions) -> None:
    keys = [spec.key for asset in definitions.assets or [] if isinstance(asset, dg.AssetsDefinition) for spec in asset.check_specs]
    assert len(keys) == len(set(keys)) > 400
    assert max(len(key.name) for key in keys) < 80
    assert dg.AssetCheckKey(dg.AssetKey(["payable", "fct_payment_decision"]), "decision__accepted_values") in keys


def test_only_broken_accounting_stops_the_steps_after_it(definitions: dg.Definitions) -> None:
    """Any other failed check stops contracts, not steps (law 7)."""
    blocking = [
        spec.key
        for asset in definitions.assets or []
        if isinstance(asset, dg.AssetsDefinition)
        for spec in asset.check_specs
        if spec.blocking
    ]
    assert blocking == [dg.AssetCheckKey(naming.FILE, "every_record_is_accounted_for")]


def test_one_job_takes_it_all_in_one_process(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("obc_run")
    assert job.executor_def.name == "in_process"
    steps = {node.name for node in job.nodes}
    assert steps == {"documents", "receive", "read", "check_sources", "build", "check_marts", "build_quality", "publish", "propose"}
    assert all(op.pool == naming.POOL for op in job.all_node_defs if isinstance(op, dg.OpDefinition))


def test_timing_of_the_data_map_becomes_freshness_and_schedules(
    definitions: dg.Definitions, documents: Documents, specs: dict[dg.AssetKey, dg.AssetSpec]
) -> None:
    weekly, windows = documents.sources["sessions_brightpath"], documents.sources["nwea_map"]
    policy = freshness_policy(weekly)
    assert policy is not None
    assert specs[naming.landing_key("sessions_brightpath")].freshness_policy == policy
    assert freshness_policy(windows) is None, "test windows fit no clock: the check `fresh` judges them as of the run's date"
    found = {schedule.name: schedule for schedule in definitions.schedules or [] if isinstance(schedule, dg.ScheduleDefinition)}
    assert found["look_for_sessions_brightpath"].cron_schedule == weekly.schedule.cron  # type: ignore[union-attr]
    assert found["look_for_sessions_brightpath"].execution_timezone == "America/Chicago"
    assert "every_morning" in found
    assert "look_for_nwea_map" not in found


def test_the_sensor_takes_in_what_lands_once(definitions: dg.Definitions, home: Home) -> None:
    (sensor,) = [sensor for sensor in definitions.sensors or [] if isinstance(sensor, dg.SensorDefinition) and sensor.name == "landing"]
    cursor: str | None = None

    def tick() -> dg.RunRequest | dg.SkipReason:
        nonlocal cursor
        with dg.build_sensor_context(cursor=cursor) as context:
            told = sensor(context)
            cursor = context.cursor
        assert isinstance(told, dg.RunRequest | dg.SkipReason)
        return told

    folder = home.landing / "oneroster"
    assert isinstance(tick(), dg.SkipReason)
    (folder / "users.csv.part").write_text("still being written")
    assert isinstance(tick(), dg.SkipReason)
    (folder / "users.csv.part").rename(folder / "users.csv")
    assert isinstance(tick(), dg.RunRequest)
    assert isinstance(tick(), dg.SkipReason), "what a run left there is not tried for ever"
    (folder / "more.csv").write_text("more")
    assert isinstance(tick(), dg.RunRequest)


def test_without_a_district_the_graph_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBC_HOME", str(tmp_path / "nowhere"))
    (spec,) = from_environment().resolve_all_asset_specs()
    assert "obc generate" in (spec.description or "")
    assert not (tmp_path / "nowhere").exists()


def test_documents_with_errors_are_told_in_the_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    init_home(tmp_path / "home", EXAMPLE_DISTRICT)
    broken = Home(tmp_path / "home")
    broken.data_map_yml.write_text(broken.data_map_yml.read_text().replace("format: oneroster", "format: onerostr"))
    monkeypatch.setenv("OBC_HOME", str(broken.path))
    (spec,) = from_environment().resolve_all_asset_specs()
    assert "data_map.yml:" in (spec.description or "")
    assert "`oneroster`" in (spec.description or "")


def verdict(**changes: object) -> Verdict:
    stated = ledger_verdict("run", __import__("datetime").date(2026, 6, 30), "C-1", True).__dict__
    return Verdict(**(stated | changes))


@pytest.mark.parametrize(
    ("changes", "asset", "name"),
    [
        (
            {
                "check_id": "star.star_test.score_in_range",
                "source": "star",
                "contract_id": None,
                "suite": "renaissance_star__star_test",
                "engine": "great_expectations",
            },
            ["lake", "renaissance_star__star_test"],
            "score_in_range__star",
        ),
        (
            {"check_id": "map.t.has_rows", "source": "map", "contract_id": None, "suite": "nwea_map__t", "engine": "great_expectations"},
            ["lake", "nwea_map__t"],
            "has_rows",
        ),
        (
            {"check_id": "star.intake.arrived", "source": "star", "contract_id": None, "suite": "intake", "expectation_type": "arrived"},
            ["landing", "star"],
            "arrived",
        ),
        (
            {"check_id": "payable.fct_base_payment.C-1.not_negative", "suite": "payable__fct_base_payment", "engine": "great_expectations"},
            ["payable", "fct_base_payment"],
            "not_negative__C_1",
        ),
        ({}, ["ledger", "entry"], "chain_is_intact__C_1"),
    ],
)
def test_a_verdict_is_shown_where_people_look(changes: dict, asset: list[str], name: str) -> None:
    assert naming.check_key(verdict(**changes), {"star"}) == dg.AssetCheckKey(dg.AssetKey(asset), name)
