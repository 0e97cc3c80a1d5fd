"""Runs one command in a process of its own, and says what it cost."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class MeasuredFailed(RuntimeError):
    """A measured command failed; the message holds the end of what it said."""


@dataclass(frozen=True)
class Cost:
    """What one process cost from its start to its end, imports included.

    seconds: by the clock. cpu_seconds: user and system, all threads. peak_rss_mb: the most memory it held at once, 10^6 bytes.
    said: the JSON object on the last line of its standard output, {} when it wrote none.
    """

    seconds: float
    cpu_seconds: float
    peak_rss_mb: float
    said: dict[str, Any]


def measure(command: Sequence[str], scratch: Path, environment: Mapping[str, str] | None = None, ok: tuple[int, ...] = (0,)) -> Cost:
    """Runs the command with its output in `scratch`. Raises MeasuredFailed when it ends with another code than `ok`.

    A new process starts with the peak of the one that made it, so whoever calls this must itself stay small.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    out, err = scratch / "stdout.txt", scratch / "stderr.txt"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env={**os.environ, **(environment or {})}
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in ok:
        told = "\n".join(err.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise MeasuredFailed(f"{' '.join(command)} ended with {process.returncode}:\n{told}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, _megabytes(usage.ru_maxrss), _last_object(out))


def _megabytes(ru_maxrss: int) -> float:
    """Linux counts in KiB, macOS in bytes."""
    is_bytes = os.uname().sysname == "Darwin"
    return ru_maxrss * (1 if is_bytes else 1024) / 1e6


def _last_object(out: Path) -> dict[str, Any]:
    lines = out.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    try:
        said = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
