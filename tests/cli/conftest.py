"""A synthetic district whose files have landed, made once, and a way to run the command as people do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from obc_pipeline.home import Home
from obc_pipeline.synthetic import generate


@dataclass(frozen=True)
class Outcome:
    code: int
    stdout: str
    stderr: str

    @property
    def result(self) -> dict[str, Any]:
        """The last line of stdout, as `--json` promises."""
        return json.loads(self.stdout.rstrip().splitlines()[-1])


def obc(*arguments: object, home: Home | None = None, **environment: str) -> Outcome:
    """Runs `obc` in a process of its own."""
    command = [sys.executable, "-m", "obc_pipeline.cli", *map(str, arguments)]
    command += ["--home", str(home.path)] if home else []
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OBC_", "DAGSTER_HOME"))}
    done = subprocess.run(command, capture_output=True, text=True, env=clean | environment, timeout=900)
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year of files in landing/, nothing taken in yet."""
    folder = tmp_path_factory.mktemp("district") / "home"
    generate(folder, 1_000, seed=5)
    return folder


def copy_of(landed: Path, to: Path) -> Home:
    """A copy with the files' times, which stand for their arrival."""
    shutil.copytree(landed, to)
    return Home(to)
