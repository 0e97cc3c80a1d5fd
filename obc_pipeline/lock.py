"""One run at a time on one home: a lock that the operating system drops when its process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from obc_pipeline.errors import HomeBusy
from obc_pipeline.home import Home

_guard = threading.Lock()
_held: dict[Path, int] = {}  # lock file -> how many times this process holds it


@contextmanager
def only_run(home: Home) -> Iterator[None]:
    """Holds the home for this process; re-entrant, so that `obc run` and the Dagster job it starts are one holder.

    Raises HomeBusy when another process holds it.
    """
    with _guard:
        is_held = _held.get(home.lock, 0) > 0
        _held[home.lock] = _held.get(home.lock, 0) + 1
    try:
        if is_held:
            yield
        else:
            with _locked_file(home):
                yield
    finally:
        with _guard:
            _held[home.lock] -= 1


@contextmanager
def _locked_file(home: Home) -> Iterator[None]:
    handle = os.open(home.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise HomeBusy(
                f"another run is using {home.path} (process {holder}); wait until it has finished. "
                "Nothing was changed, and files that have landed stay where they are"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)
