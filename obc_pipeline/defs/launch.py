"""Starts Dagster on a home: the job in this process for `obc run`, the web UI and daemon for `obc ui`."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys

import dagster as dg

from obc_pipeline.defs import naming
from obc_pipeline.defs.assembly import definitions_of
from obc_pipeline.defs.district import clear_dead_runs, prepared_run, progress_reader
from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.home import Home
from obc_pipeline.run import Run

_INSTANCE_CONFIG = """# Dagster's own records of this district. Written by the pipeline; changes here are kept.
telemetry:
  enabled: false
nux:
  enabled: false
event_log_storage:
  module: obc_pipeline.defs.event_log
  class: LastingSqliteEventLogStorage
  config:
    base_dir: {base_dir}
freshness:
  enabled: true
concurrency:
  pools:
    default_limit: 1
    granularity: op
"""


def run_job(run: Run) -> None:
    """Runs the job in this process, recorded in the home's Dagster instance. Raises what the failed step raised."""
    _quiet()
    definitions = definitions_of(run.home, run.documents)
    job = definitions.resolve_job_def(naming.JOB)
    token = prepared_run.set(run)
    try:
        with dg.DagsterInstance.from_config(str(instance_folder(run.home))) as instance:
            job.execute_in_process(
                instance=instance,
                raise_on_error=True,
                tags={"obc/started_by": "obc run"},
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
    finally:
        prepared_run.reset(token)


def open_ui(home: Home, port: int) -> None:
    """Becomes Dagster's web server and daemon on this home, on this machine only. Does not return. Raises ArgumentWrong for a port in use."""
    _refuse_taken_port(port)
    folder = instance_folder(home)
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        clear_dead_runs(instance)
    environment = {**os.environ, "DAGSTER_HOME": str(folder), "OBC_HOME": str(home.path), "DAGSTER_DISABLE_TELEMETRY": "1"}
    # dagster puts the folder it starts in on sys.path, where stray scripts could shadow modules: so it starts in its own.
    os.chdir(folder)
    arguments = ["-m", "dagster", "dev", "-m", "obc_pipeline.definitions", "-h", "127.0.0.1", "-p", str(port)]
    os.execve(sys.executable, [sys.executable, *arguments], environment)


def instance_folder(home: Home) -> str:
    """The home's Dagster instance, made when it is not there yet."""
    home.dagster.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = home.dagster / "dagster.yaml"
    if not config.exists():
        config.write_text(_INSTANCE_CONFIG.format(base_dir=json.dumps(str(home.dagster / "history" / "runs"))), encoding="utf-8")
    return str(home.dagster)


def _refuse_taken_port(port: int) -> None:
    """Raises ArgumentWrong when something listens there already: two web servers on one port answer in turn."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise ArgumentWrong(f"something is already listening on port {port}; name another with --port")


def _quiet() -> None:
    """The command shows its own progress; Dagster's goes to its event log."""
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    logging.getLogger("dagster").setLevel(logging.CRITICAL)


__all__ = ["instance_folder", "open_ui", "progress_reader", "run_job"]
