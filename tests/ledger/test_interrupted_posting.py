"""Posting stopped at any moment, by an error or by the end of its process, leaves the ledger as before or as after, and can go on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from obc_pipeline.ledger import approve, post, read_ledger
from obc_pipeline.ledger.verify import verify
from tests.ledger.small_home import ANA, CONTRACT, SmallHome

REPOSITORY = Path(__file__).resolve().parents[2]
# Every way in which the ledger touches the disk when it writes.
DISK_CALLS = ("open", "write", "fsync", "close", "rename", "unlink", "mkdir")
FIRST, SECOND = {"G1|0001": 25_000, "G1|0002": 50_000}, {"G1|0001": 30_000, "G1|0002": 50_000, "BASE|0001": 10_001}


class Stopped(Exception):
    """The error that is thrown in."""


@pytest.fixture
def approved(small: SmallHome) -> SmallHome:
    """One statement posted, the next approved and not yet posted."""
    small.run(FIRST)
    approve(small.home, CONTRACT, ANA, documents=small.documents)
    post(small.home, CONTRACT, documents=small.documents)
    small.run(SECOND)
    approve(small.home, CONTRACT, ANA, documents=small.documents)
    return small


class DiskFault:
    """Stops at the nth disk call, just before it or just after it has taken effect."""

    def __init__(self, at: int, stop: Callable[[], None], *, is_after: bool) -> None:
        self.calls: list[str] = []
        self._at, self._stop, self._is_after = at, stop, is_after

    def install(self, setattr_of: Callable[[Any, str, Any], None]) -> None:
        for name in DISK_CALLS:
            setattr_of(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.calls.append(name)
            is_now = len(self.calls) == self._at
            if is_now and not self._is_after and name != "close":  # closing frees the file even when it reports an error
                self._stop()
            result = real(*arguments, **options)
            if is_now:
                self._stop()
            return result

        return call


def stop_with_error() -> None:
    raise Stopped


def assert_before_or_after_and_goes_on(small: SmallHome) -> int:
    """Number of statements that were there after the stop."""
    found = verify(small.home)
    assert found.problems == ()
    ledger = read_ledger(small.home, CONTRACT)
    statements = len(ledger.statements)
    assert (statements, ledger.posted_cents) in ((1, sum(FIRST.values())), (2, sum(SECOND.values())))
    again = post(small.home, CONTRACT, documents=small.documents)
    assert bool(again.entries) == (statements == 1)
    after = read_ledger(small.home, CONTRACT)
    assert (len(after.statements), after.posted_cents) == (2, sum(SECOND.values()))
    assert statements == 2 or not list(small.home.ledger.rglob("*.partial")), "what the killed writer left is gone"
    return statements


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_an_error_at_every_disk_call(approved: SmallHome, quick_path: Path, is_after: bool) -> None:
    statements_left = []
    for at in range(1, 200):
        copy = approved.copy_to(quick_path / f"copy{at}")
        fault = DiskFault(at, stop_with_error, is_after=is_after)
        with pytest.MonkeyPatch.context() as patch:
            fault.install(patch.setattr)
            try:
                post(copy.home, CONTRACT, documents=copy.documents)
                is_stopped = False
            except Stopped:
                is_stopped = True
        if not is_stopped:
            break
        statements_left.append(assert_before_or_after_and_goes_on(copy))
    assert len(statements_left) > 10, "every call was reached"
    assert statements_left == sorted(statements_left), "before up to one moment, after from then on"
    assert set(statements_left) == {1, 2}


@pytest.mark.slow
def test_the_process_killed_at_every_disk_call(approved: SmallHome, quick_path: Path) -> None:
    places = quick_path / "killed"
    places.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.ledger.test_interrupted_posting", str(approved.path), str(places)],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    left = [assert_before_or_after_and_goes_on(SmallHome(path, approved.contracts, 2)) for path in sorted(places.iterdir())]
    assert len(left) > 10
    assert set(left) == {1, 2}


def test_the_file_is_on_disk_before_it_gets_its_name_and_the_name_before_anyone_is_told(
    approved: SmallHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = DiskFault(0, stop_with_error, is_after=False)
    fault.install(monkeypatch.setattr)
    post(approved.home, CONTRACT, documents=approved.documents)
    calls = [name for name in fault.calls if name != "write"]
    renames = [place for place, name in enumerate(calls) if name == "rename"]
    assert len(renames) == 3, "the evidence, the settlement, then the statement"
    for place in renames:
        assert calls[place - 2 : place + 4] == ["fsync", "close", "rename", "open", "fsync", "close"]


def _kill_at_every_call(source: SmallHome, places: Path) -> None:
    """Forks a process per disk call that kills itself right after it, until one comes through."""
    import signal

    from obc_pipeline import fingerprint
    from obc_pipeline.ledger import evidence

    fingerprint.code_digest = evidence.code_digest = lambda: "c" * 64
    for at in range(1, 200):
        copy = source.copy_to(places / f"{at:03d}")
        child = os.fork()
        if child == 0:
            fault = DiskFault(at, lambda: os.kill(os.getpid(), signal.SIGKILL), is_after=True)
            fault.install(setattr)
            try:
                post(copy.home, CONTRACT, documents=copy.documents)
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            assert os.waitstatus_to_exitcode(status) == 0
            return


if __name__ == "__main__":
    _kill_at_every_call(SmallHome(Path(sys.argv[1])), Path(sys.argv[2]))
