"""`make bench`: what a run costs on districts of several sizes, beside the floor and beside pandas; writes build/bench.json.

Each thing is measured in a process of its own, from its start to its end, twice; the better time counts. This process only starts
them: it must stay small, because a new process is charged with the peak memory of the one that made it.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.measure import Cost, MeasuredFailed, measure

ROOT = Path(__file__).resolve().parents[1]
SEED = 2026
ROUNDS = 2
ENGINES = ("c", "pyarrow")
# The process's own start and end: everything of `obc run` that is in no stage.
OUTSIDE = "start and end"

MOST_TIMES_FLOOR = 2.5
MOST_PEAK_MB = 4000.0
MOST_CHECKS_SHARE = 0.25


def bench(students: int, build: Path) -> dict[str, Any]:
    """Measures one size; the result is one entry of bench.json. Raises MeasuredFailed when something does not run or does not agree."""
    folder = build / "bench" / str(students)
    district = _district(students, folder)
    costs: dict[str, list[Cost]] = {name: [] for name in ("floor", *(f"pandas {engine}" for engine in ENGINES), "run", "idle")}
    for number in range(1, ROUNDS + 1):
        _say(f"{students:,} students, round {number} of {ROUNDS}")
        work = folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        costs["floor"].append(_measure(folder, [*_module("floor"), str(district), str(work / "floor")]))
        shutil.rmtree(work)
        for engine in ENGINES:
            options = ["--pyarrow"] if engine == "pyarrow" else []
            costs[f"pandas {engine}"].append(_measure(folder, [*_module("by_pandas"), str(district), *options]))
        shutil.copytree(district, work)
        os.sync()  # the copy is not ours to pay for
        # 3: a check blocked a contract; the amounts are published with a mark and are compared all the same.
        run = [str(Path(sys.executable).with_name("obc")), "run", "--home", str(work), "--json"]
        costs["run"].append(_measure(folder, run, ok=(0, 3)))
        costs["idle"].append(_measure(folder, run, ok=(0, 3)))
        _demand_same(costs, _measure(folder, [*_module("published"), str(work)]).said)
        shutil.rmtree(work)
    return entry(students, costs, district)


def entry(students: int, costs: dict[str, list[Cost]], district: Path) -> dict[str, Any]:
    """One size of bench.json: the promised keys, then what helps to judge them. Peaks are the larger of the rounds."""
    best = {name: min(measured, key=lambda cost: cost.seconds) for name, measured in costs.items()}
    pandas = min((best[f"pandas {engine}"] for engine in ENGINES), key=lambda cost: cost.seconds)
    run = best["run"]
    stages: dict[str, float] = dict(run.said["stages"])
    stages[OUTSIDE] = round(run.seconds - sum(stages.values()), 3)
    checks = sum(seconds for stage, seconds in stages.items() if stage.startswith("check"))
    landed = [path.stat().st_size for path in (district / "landing").rglob("*") if path.is_file()]
    return {
        "students": students,
        "seconds": round(run.seconds, 2),
        "floor_seconds": round(best["floor"].seconds, 2),
        "pandas_seconds": round(pandas.seconds, 2),
        "checks_seconds": round(checks, 2),
        "peak_rss_mb": round(max(cost.peak_rss_mb for cost in costs["run"])),
        "idle_run_seconds": round(best["idle"].seconds, 2),
        "stages": stages,
        "times_floor": round(run.seconds / best["floor"].seconds, 2),
        "times_pandas": round(run.seconds / pandas.seconds, 2),
        "checks_share": round(checks / run.seconds, 3),
        "pandas_engine_seconds": {engine: round(best[f"pandas {engine}"].seconds, 2) for engine in ENGINES},
        "cpu_seconds": {name: round(cost.cpu_seconds, 2) for name, cost in best.items()},
        "peak_mb": {name: round(max(cost.peak_rss_mb for cost in measured)) for name, measured in costs.items()},
        "all_seconds": {name: [round(cost.seconds, 2) for cost in measured] for name, measured in costs.items()},
        "landed": {"files": len(landed), "mb": round(sum(landed) / 1e6), **best["floor"].said},
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "duckdb": version("duckdb"), "pandas": version("pandas")},
    }


def table(entries: Sequence[dict[str, Any]]) -> str:
    """What is printed: one row per size, then the stages, then the aims."""
    heads = ("students", "landed MB", "floor s", "pandas s", "obc run s", "x floor", "x pandas", "checks s", "share", "peak MB", "idle s")
    rows = [
        (
            f"{e['students']:,}", f"{e['landed']['mb']:,}", f"{e['floor_seconds']:.1f}", f"{e['pandas_seconds']:.1f}", f"{e['seconds']:.1f}",
            f"{e['times_floor']:.2f}", f"{e['times_pandas']:.2f}", f"{e['checks_seconds']:.1f}", f"{e['checks_share']:.0%}",
            f"{e['peak_rss_mb']:,}", f"{e['idle_run_seconds']:.2f}",
        )
        for e in entries
    ]  # fmt: skip
    stages = list(dict.fromkeys(stage for e in entries for stage in e["stages"]))
    by_stage = [(stage, *(f"{e['stages'].get(stage, 0.0):.1f}" for e in entries)) for stage in stages]
    return "\n".join(
        [
            f"Each in its own process, start to end; better of {ROUNDS}. Peak memory: the larger of {ROUNDS}.",
            *_columns([heads, *rows]),
            "",
            "obc run, seconds per stage",
            *_columns([("stage", *(f"{e['students']:,}" for e in entries)), *by_stage]),
            "",
            *(_verdict(e) for e in entries),
        ]
    )


def _verdict(e: dict[str, Any]) -> str:
    aims = (
        (f"at most {MOST_TIMES_FLOOR} x floor", e["times_floor"] <= MOST_TIMES_FLOOR),
        ("faster than pandas", e["times_pandas"] < 1),
        (f"under {MOST_PEAK_MB:,.0f} MB", e["peak_rss_mb"] < MOST_PEAK_MB),
        (f"checks under {MOST_CHECKS_SHARE:.0%}", e["checks_share"] < MOST_CHECKS_SHARE),
    )
    return f"{e['students']:,} students: " + ", ".join(f"{aim}: {'yes' if is_met else 'NO'}" for aim, is_met in aims)


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _district(students: int, folder: Path) -> Path:
    """The clean district, made once per state of the generator and then kept."""
    district, made_by = folder / "district", folder / "made_by"
    digest = _generator_digest()
    if made_by.exists() and made_by.read_text() == digest:
        return district
    _say(f"{students:,} students: making the district (kept for the next time)")
    shutil.rmtree(folder, ignore_errors=True)
    _measure(folder, [sys.executable, "-c", _GENERATE, str(district), str(students), str(SEED)])
    os.sync()
    made_by.write_text(digest)
    return district


_GENERATE = "import sys; from obc_pipeline.synthetic import generate; generate(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))"


def _generator_digest() -> str:
    package = ROOT / "obc_pipeline"
    digest = hashlib.sha256(f"{version('duckdb')} {version('numpy')} {version('pyarrow')} {SEED}".encode())
    documents = (package / "documents" / "templates" / "example_district").rglob("*.yml")
    for path in sorted([*(package / "synthetic").glob("*.py"), *documents]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _demand_same(costs: dict[str, list[Cost]], published: dict[str, Any]) -> None:
    """Faster is worth nothing when it is not the same money."""
    for engine in ENGINES:
        if costs[f"pandas {engine}"][-1].said != published:
            said = json.dumps(costs[f"pandas {engine}"][-1].said)
            raise MeasuredFailed(f"pandas ({engine}) and the published marts differ:\npandas    {said}\npublished {json.dumps(published)}")


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{name}"]


def _measure(folder: Path, command: Sequence[str], ok: tuple[int, ...] = (0,)) -> Cost:
    return measure(command, folder / "output", {"PYTHONPATH": str(ROOT)}, ok)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Sizes as arguments. 0 done, 1 something did not run or did not agree, 2 an argument is no number of students."""
    if not arguments or not all(text.isdigit() for text in arguments):
        _say("usage: python -m benchmarks.run STUDENTS [STUDENTS ...], for example 10000 100000")
        return 2
    build = ROOT / "build"
    try:
        entries = [bench(int(text), build) for text in arguments]
    except MeasuredFailed as failure:
        _say(str(failure))
        return 1
    (build / "bench.json").write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
    print(table(entries))
    print(f"\nWritten to {(build / 'bench.json').relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
