"""A synthetic district with a finished run, made once for all tests that ask for it. They only read it, or copy it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from obc_pipeline.home import Home
from obc_pipeline.run import Run
from obc_pipeline.synthetic import generate


@cache
def finished_home() -> Home:
    """1,000 students, as of the end of the year, with what senders get wrong; both example contracts."""
    folder = Path(tempfile.mkdtemp(prefix="obc-finished-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    generate(folder / "home", 1_000, seed=11, messy=True)
    home = Home(folder / "home")
    run = Run(home)
    run.load_documents()
    run.receive()
    run.read()
    run.check_sources()
    run.build()
    run.check_marts()
    run.build_quality()
    run.publish()
    run.finish()
    return home
