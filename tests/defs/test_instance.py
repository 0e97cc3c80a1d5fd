"""Dagster's records of a home: dead runs are cleared away, the event log keeps its connections and stays readable by others."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from obc_pipeline.defs.district import PROCESS_TAG, clear_dead_runs
from obc_pipeline.defs.launch import instance_folder
from obc_pipeline.home import Home


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(instance_folder(Home(tmp_path))) as instance:
        yield instance


@dg.asset(pool="duckdb_writer")
def thing(context: dg.AssetExecutionContext) -> None:
    context.log.info("made")


def test_the_records_are_private_and_kept_where_they_were(tmp_path: Path) -> None:
    folder = Path(instance_folder(Home(tmp_path)))
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    instance_folder(Home(tmp_path))
    assert (folder / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n", "changes by people are kept"


def test_a_run_whose_process_is_gone_neither_lasts_nor_holds_up_the_next(instance: dg.DagsterInstance) -> None:
    dead = instance.create_run_for_job(dg.Definitions([thing]).resolve_implicit_global_asset_job_def(), status=dg.DagsterRunStatus.STARTED)
    instance.add_run_tags(dead.run_id, {PROCESS_TAG: str(_a_process_that_ended())})
    instance.event_log_storage.set_concurrency_slots("duckdb_writer", 1)
    instance.event_log_storage.claim_concurrency_slot("duckdb_writer", dead.run_id, "thing")
    alive = instance.create_run_for_job(dg.Definitions([thing]).resolve_implicit_global_asset_job_def(), status=dg.DagsterRunStatus.STARTED)
    instance.add_run_tags(alive.run_id, {PROCESS_TAG: str(os.getpid())})
    clear_dead_runs(instance)
    assert instance.get_run_by_id(dead.run_id).status == dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]
    assert instance.get_run_by_id(alive.run_id).status == dg.DagsterRunStatus.STARTED  # type: ignore[union-attr]
    assert dg.materialize([thing], instance=instance).success


def test_events_written_through_lasting_connections_are_read_by_others(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    assert dg.materialize([thing], instance=instance).success
    with dg.DagsterInstance.from_config(instance_folder(Home(tmp_path))) as other:
        assert other.get_latest_materialization_event(dg.AssetKey("thing")) is not None
    events: list[object] = []
    reader = threading.Thread(target=lambda: events.append(instance.get_latest_materialization_event(dg.AssetKey("thing"))))
    reader.start()
    reader.join()
    assert events != [None]
    for _ in range(10):  # more runs than connections are kept
        assert dg.materialize([thing], instance=instance).success
    assert len(instance.get_runs()) == 11
    assert all(instance.all_logs(run.run_id) for run in instance.get_runs())


def _a_process_that_ended() -> int:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return child
