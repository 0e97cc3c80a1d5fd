"""The gate in Dagster: proposal, approval, posting, as one sees them; and that nothing but a person posts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from obc_pipeline import documents as documents_package
from obc_pipeline.defs import naming
from obc_pipeline.defs.assembly import definitions_of
from obc_pipeline.defs.gate import Ledger, approval_specs, approvals_sensor, posting_asset, proposal_asset
from obc_pipeline.documents import Documents, load
from obc_pipeline.ledger import LedgerError, approve, post, read_ledger
from obc_pipeline.ledger.chain import contract_folder
from obc_pipeline.ledger.gate import GateState, look_at_gate
from obc_pipeline.lock import only_run
from tests.ledger.small_home import CONTRACT, SmallHome, make_quick

DANA, MARCUS = "Dana Whitfield", "Marcus Oyelaran"
EXAMPLE = Path(documents_package.__file__).parent / "templates" / "example_district"
# Above the example contract's dual_control_above, so that two people approve.
EXPECTED = {"G1|0042173": 25_000_00, "G1|0042174": 50_000_00, "BASE|0042173": 58_333}
STUDENT = "0042173"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    make_quick(monkeypatch)


@pytest.fixture
def district(tmp_path: Path) -> SmallHome:
    """The example district's own documents, and a run that proposes three entries."""
    small = SmallHome(tmp_path / "home")
    shutil.copytree(EXAMPLE, small.path)
    small.run(EXPECTED)
    return small


@pytest.fixture
def documents(district: SmallHome) -> Documents:
    return load(district.home)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def launch(district: SmallHome, documents: Documents, instance: dg.DagsterInstance) -> Callable[[], dg.ExecuteInProcessResult]:
    """What *Materialize* on the posting does."""
    return lambda: dg.materialize(
        [posting_asset(CONTRACT), *approval_specs(documents)],
        selection=[naming.posting_key(CONTRACT)],
        resources={"ledger": Ledger(home=str(district.path))},
        instance=instance,
        raise_on_error=False,
    )


@pytest.fixture
def tick(district: SmallHome, documents: Documents, instance: dg.DagsterInstance) -> Callable[[], dg.SensorResult | dg.SkipReason]:
    """A beat of the sensor, with what it reports put where the daemon puts it."""
    sensor, cursor = approvals_sensor(documents, district.home), [None]

    def beat() -> dg.SensorResult | dg.SkipReason:
        with dg.build_sensor_context(instance=instance, cursor=cursor[0]) as context:
            told = sensor(context)
        assert isinstance(told, dg.SensorResult | dg.SkipReason)
        if isinstance(told, dg.SensorResult):
            assert not told.run_requests
            cursor[0] = told.cursor  # type: ignore[call-overload]
            for event in told.asset_events:
                instance.report_runless_asset_event(event)
        return told

    return beat


def approved_by(small: SmallHome, *names: str) -> None:
    for name in names:
        approve(small.home, CONTRACT, name)


def shown(instance: dg.DagsterInstance) -> tuple[bool, str]:
    """What the check of the approval says in the UI."""
    key = dg.AssetCheckKey(naming.approval_key(CONTRACT), naming.GATE_CHECK)
    record = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    assert record.event
    assert record.event.dagster_event
    evaluation = record.event.dagster_event.asset_check_evaluation_data
    return evaluation.passed, evaluation.description or ""


def made(instance: dg.DagsterInstance, key: dg.AssetKey) -> list[dg.AssetMaterialization]:
    records = instance.fetch_materializations(key, limit=100).records
    return [record.asset_materialization for record in records if record.asset_materialization]


def test_the_chain_is_seen_and_no_job_posts(district: SmallHome, documents: Documents) -> None:
    definitions = definitions_of(district.home, documents)
    specs = {spec.key: spec for spec in definitions.resolve_all_asset_specs()}
    for contract_id in ("CVSD-MATH-2026", "CVSD-READ-2026"):
        proposal, approval, posting = (key(contract_id) for key in (naming.proposal_key, naming.approval_key, naming.posting_key))
        assert {dep.asset_key for dep in specs[proposal].deps} >= {naming.PROPOSED_ENTRY, naming.PUBLISHED}
        assert [dep.asset_key for dep in specs[approval].deps] == [proposal]
        assert [dep.asset_key for dep in specs[posting].deps] == [approval]
        assert approval not in {key for asset in definitions.assets or [] if isinstance(asset, dg.AssetsDefinition) for key in asset.keys}
        for job in (definitions.resolve_job_def("obc_run"),):
            assert posting not in job.asset_layer.executable_asset_keys
            assert proposal in job.asset_layer.executable_asset_keys
    scheduled = {schedule.job_name for schedule in definitions.schedules or [] if isinstance(schedule, dg.ScheduleDefinition)}
    names_of_jobs = {job.name for job in definitions.jobs or []} | scheduled
    assert "obc_run" in names_of_jobs
    postings = {key for key in specs if key.path[-1].endswith("_posting")}
    for name in names_of_jobs:
        assert not postings & set(definitions.resolve_job_def(name).asset_layer.executable_asset_keys), name
    assert all(
        spec.automation_condition is None for key, spec in specs.items() if key.path[-1].endswith(("_proposal", "_approval", "_posting"))
    )
    names = [
        name
        for spec in specs.values()
        if spec.key.path[-1].endswith("_approval")
        for name in (DANA, MARCUS)
        if name in (spec.description or "")
    ]
    assert names


def test_unapproved_is_refused_and_told(district: SmallHome, instance: dg.DagsterInstance, launch: Callable) -> None:
    done = launch()
    assert not done.success
    (failure,) = [event for event in done.all_events if event.is_step_failure]
    assert "approvals of two different people" in str(failure.step_failure_data.error_display_string)
    assert not district.home.ledger.exists()
    passed, told = shown(instance)
    assert not passed
    assert told == ("AWAITING APPROVAL: 3 entries, 75,583.33 dollars, statement 1. Still needed: approvals of two different people")


def test_from_approval_to_posting(district: SmallHome, instance: dg.DagsterInstance, launch: Callable, tick: Callable) -> None:
    tick()
    assert shown(instance)[1].startswith("AWAITING APPROVAL")
    approved_by(district, DANA)
    tick()
    assert "Approved so far by Dana Whitfield" in shown(instance)[1]
    approved_by(district, MARCUS)
    tick()
    passed, told = shown(instance)
    assert passed
    assert told.startswith(f"APPROVED: by {DANA} (")
    assert MARCUS in told
    assert len(made(instance, naming.approval_key(CONTRACT))) == 2
    assert isinstance(tick(), dg.SkipReason), "what was seen is not told again"

    assert launch().success
    assert read_ledger(district.home, CONTRACT).posted_cents == sum(EXPECTED.values())
    (posting,) = made(instance, naming.posting_key(CONTRACT))
    assert posting.metadata["amount"].value == "75583.33"
    assert posting.metadata["head hash"].value == read_ledger(district.home, CONTRACT).head_hash
    assert shown(instance) == (True, "NOTHING PROPOSED: what the last run proposed was posted as statement 1")
    assert district.home.run_state.exists(), "a posting is no change of the run"


def test_posting_again_posts_nothing(district: SmallHome, instance: dg.DagsterInstance, launch: Callable, tick: Callable) -> None:
    approved_by(district, DANA, MARCUS)
    assert launch().success
    before = sorted(path.name for path in contract_folder(district.home, CONTRACT).glob("*.parquet"))
    assert launch().success
    assert sorted(path.name for path in contract_folder(district.home, CONTRACT).glob("*.parquet")) == before
    tick()
    assert len(made(instance, naming.posting_key(CONTRACT))) == 1, "the sensor does not report a posting that is known"


def test_a_posting_by_command_is_shown(district: SmallHome, instance: dg.DagsterInstance, tick: Callable) -> None:
    approved_by(district, DANA, MARCUS)
    post(district.home, CONTRACT)
    tick()
    (posting,) = made(instance, naming.posting_key(CONTRACT))
    assert (posting.metadata["posted with"].value, posting.metadata["entries"].value) == ("obc post", 3)


def test_changed_since_approval(district: SmallHome, instance: dg.DagsterInstance, launch: Callable) -> None:
    approved_by(district, DANA, MARCUS)
    district.run(EXPECTED | {"G1|0042174": 50_000_01})
    done = launch()
    assert not done.success
    assert not list(district.home.ledger.glob("*/*.parquet"))
    passed, told = shown(instance)
    assert not passed
    assert told.startswith("CHANGED SINCE APPROVAL: what was approved is no longer what is proposed; 3 entries, 75,583.34 dollars")


def test_a_blocked_contract_and_one_whose_documents_changed(district: SmallHome, instance: dg.DagsterInstance, launch: Callable) -> None:
    approved_by(district, DANA, MARCUS)
    district.run(EXPECTED, blocked={CONTRACT: "too few rows"})
    assert not launch().success
    assert shown(instance)[1].endswith("stopped by 1 check(s): a_check: too few rows")
    district.run(EXPECTED)
    district.home.obc_yml.write_text(district.home.obc_yml.read_text(encoding="utf-8") + "\n# a comment\n", encoding="utf-8")
    assert not launch().success
    assert shown(instance)[1] == "NOT CURRENT: the documents changed after the last run; a new run proposes anew"


def test_a_damaged_ledger_blocks(district: SmallHome, instance: dg.DagsterInstance, launch: Callable, tick: Callable) -> None:
    approved_by(district, DANA, MARCUS)
    assert launch().success
    (path,) = contract_folder(district.home, CONTRACT).glob("*.parquet")
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b" ")
    tick()
    passed, told = shown(instance)
    assert not passed
    assert told.startswith("BLOCKED: the ledger of CVSD-MATH-2026 is not as it was posted")


def test_the_run_shows_the_gate_itself(district: SmallHome, documents: Documents, instance: dg.DagsterInstance) -> None:
    done = dg.materialize(
        [proposal_asset(documents), *approval_specs(documents)], resources={"ledger": Ledger(home=str(district.path))}, instance=instance
    )
    assert done.success
    (proposal,) = made(instance, naming.proposal_key(CONTRACT))
    assert (proposal.metadata["entries"].value, proposal.metadata["amount"].value) == (3, "75583.33")
    assert shown(instance)[1].startswith("AWAITING APPROVAL")


def test_while_a_run_goes_on_the_sensor_waits(district: SmallHome, tick: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    from obc_pipeline.defs import gate
    from obc_pipeline.errors import HomeBusy

    def busy(*_: object) -> None:
        raise HomeBusy("another run is using it")

    with monkeypatch.context() as patch:
        patch.setattr(gate, "look_at_gate", busy)
        assert isinstance(tick(), dg.SkipReason)
    assert isinstance(tick(), dg.SensorResult), "and looks again when it is over"


def test_no_student_is_in_what_dagster_is_told(district: SmallHome, instance: dg.DagsterInstance, launch: Callable, tick: Callable) -> None:
    launch()
    approved_by(district, DANA, MARCUS)
    tick()
    launch()
    tick()
    written = [str(record) for run in instance.get_runs() for record in instance.all_logs(run.run_id)]
    for key in (naming.approval_key(CONTRACT), naming.posting_key(CONTRACT)):
        written += [str(materialization) for materialization in made(instance, key)]
    written.append(str(shown(instance)))
    assert len(written) > 20
    assert STUDENT not in "".join(written)


SCENES: dict[str, Callable[[SmallHome], object]] = {
    "unapproved": lambda small: None,
    "one of two": lambda small: approved_by(small, DANA),
    "approved": lambda small: approved_by(small, DANA, MARCUS),
    "changed": lambda small: (approved_by(small, DANA, MARCUS), small.run({"G1|0042173": 1})),
    "blocked": lambda small: (approved_by(small, DANA, MARCUS), small.run(EXPECTED, blocked={CONTRACT: "x"})),
    "posted": lambda small: (approved_by(small, DANA, MARCUS), post(small.home, CONTRACT)),
    "posted and run again": lambda small: (approved_by(small, DANA, MARCUS), post(small.home, CONTRACT), small.run(EXPECTED)),
    "nothing": lambda small: small.run({}),
    "past the deadline": lambda small: small.run(EXPECTED, as_of=date(2027, 1, 1)),
    "no finished run": lambda small: small.home.run_state.unlink(),
    "documents changed": lambda small: small.home.obc_yml.write_text(small.home.obc_yml.read_text() + "\n#\n"),
}


@pytest.mark.parametrize("scene", SCENES)
def test_the_gate_says_open_exactly_when_a_posting_goes_through(district: SmallHome, scene: str) -> None:
    SCENES[scene](district)
    gate = look_at_gate(district.home, CONTRACT)
    with only_run(district.home):
        try:
            posted = post(district.home, CONTRACT)
        except LedgerError:
            assert not gate.is_open, gate
        else:
            assert gate.is_open, gate
            assert (gate.state == GateState.APPROVED) == bool(posted.entries)
