"""A run that is stopped anywhere, run again, leaves the marts of a run that was never stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

import obc_pipeline.intake.receive
import obc_pipeline.run
import obc_pipeline.sharing.publish
from obc_pipeline import fingerprint
from obc_pipeline.home import Home
from obc_pipeline.run import Run
from obc_pipeline.sharing import publish
from tests.cli.conftest import copy_of, obc

pytestmark = pytest.mark.slow


class Stopped(BaseException):
    """Stands for the process ending: nothing catches it."""


def everything(home: Home) -> dict:
    run = Run(home)
    run.load_documents()
    run.receive()
    run.read()
    run.check_sources()
    run.build()
    run.check_marts()
    run.build_quality()
    run.publish()
    return run.finish()


def contents(home: Home) -> dict[str, list[tuple]]:
    """Every published table, row by row: the run id too, which is the same for the same evidence, documents, date and code."""
    with duckdb.connect(str(home.published / "district" / "marts.duckdb"), read_only=True) as connection:
        names = connection.execute("select schema_name, table_name from duckdb_tables() order by all").fetchall()
        return {f"{schema}.{name}": connection.execute(f'from "{schema}"."{name}" order by all').fetchall() for schema, name in names}


def differences(one: Home, other: Home) -> list[str]:
    a, b = contents(one), contents(other)
    return sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))


def after(calls: int, function: Callable) -> Callable:
    """The function, until it has been called that often; then the process ends."""
    left = [calls]

    def counted(*arguments: object, **named: object) -> object:
        if left[0] == 0:
            raise Stopped
        left[0] -= 1
        return function(*arguments, **named)

    return counted


# Where the process ends: (module, function, after how many calls of it).
STOPS = [
    (obc_pipeline.intake.receive, "_write_once", 40),  # bytes archived, receipt not written
    (obc_pipeline.run, "select_evidence", 0),  # everything read, nothing registered
    (obc_pipeline.run, "register_ledger", 0),  # registered in part
    (obc_pipeline.run, "check_sources", 0),
    (obc_pipeline.run, "write_verdicts", 0),
    (obc_pipeline.run, "test_verdicts", 0),  # models built and tested, verdicts lost
    (obc_pipeline.run, "check_marts", 0),
    (publish, "_copy_table", 5),  # half a published file, aside
    (publish.os, "replace", 1),  # the database swapped in, its Parquet not
    (fingerprint, "write_last_run", 0),  # all done, not written down
]


def test_stopped_at_every_step_and_run_again(landed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, broken = copy_of(landed, tmp_path / "whole"), copy_of(landed, tmp_path / "broken")
    result = everything(whole)
    for module, name, calls in STOPS:
        with monkeypatch.context() as patch:
            patch.setattr(module, name, after(calls, getattr(module, name)))
            with pytest.raises(Stopped):
                everything(broken)
        assert fingerprint.read_last_run(broken) is None, f"a run stopped in {name} must not pass for a finished one"
        assert not list(broken.objects.glob(".partial*")) or name == "_write_once"
    again = everything(broken)
    assert differences(whole, broken) == []
    assert again | {"stages": None, "published": None} == result | {"stages": None, "published": None}


@pytest.mark.parametrize("stage", ["receive", "read", "build", "quality marts"])
def test_killed_by_the_system_and_run_again(stage: str, landed: Path, tmp_path: Path) -> None:
    home = copy_of(landed, tmp_path / "home")
    run_until(stage, home)
    assert fingerprint.read_last_run(home) is None
    second = obc("run", "--json", home=home)
    assert second.code == 0, second.stderr
    assert sum(counted["files"] for counted in second.result["sources"].values()) > 100
    assert obc("run", "--json", home=home).result["is_unchanged"], "and it is a finished run like any other"


def run_until(stage: str, home: Home) -> None:
    """Starts `obc run` and kills it, with no chance to clean up, soon after it has reached the stage."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OBC_")}
    command = [sys.executable, "-c", _TELLING, str(home.path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(f"{stage}: "):
            time.sleep(0.3)
            process.send_signal(signal.SIGKILL)
            break
    assert process.wait(timeout=60) == -signal.SIGKILL


_TELLING = """
import sys
from obc_pipeline.defs.launch import run_job
from obc_pipeline.home import Home
from obc_pipeline.lock import only_run
from obc_pipeline.run import Run
home = Home(sys.argv[1])
with only_run(home):
    run_job(Run(home, progress=lambda stage, text: print(f"{stage}: {text}", flush=True)))
"""
