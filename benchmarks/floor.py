"""The floor: DuckDB reads every landed file once, unzipping included, and writes each as Parquet. Nothing is understood on the way.

No pipeline that keeps typed columnar copies of what it received can be faster than this by much: `python -m benchmarks.floor HOME OUT`.
"""

from __future__ import annotations

import csv
import json
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb


@dataclass
class Read:
    """What was read: files (members of zips counted one by one), records, bytes of the unpacked files."""

    files: int = 0
    rows: int = 0
    unpacked_bytes: int = 0


def write_floor(landing: Path, out: Path) -> Read:
    """One Parquet (zstd) in `out` per CSV in `landing`, every column VARCHAR, the dialect given, rows in the file's order.

    Records that do not fit the header stop it: the clean district has none.
    """
    out.mkdir(parents=True, exist_ok=True)
    total = Read()
    with duckdb.connect() as connection, tempfile.TemporaryDirectory(dir=out) as scratch:
        for path in sorted(path for path in landing.rglob("*") if path.is_file()):
            with _members(path, Path(scratch)) as members:
                for member in members:
                    target = out / f"{total.files:06d}.parquet"
                    copied = connection.execute(f"copy (from {_read_csv(member)}) to {_text(target)} (format parquet, compression zstd)")
                    total.rows += int((copied.fetchone() or (0,))[0])
                    total.files += 1
                    total.unpacked_bytes += member.stat().st_size
    return total


@contextmanager
def _members(path: Path, scratch: Path) -> Iterator[Iterator[Path]]:
    """The file itself, or the members of a zip, each unpacked to the same place when the one before it is done with."""
    if path.suffix.lower() != ".zip":
        yield iter([path])
        return
    with zipfile.ZipFile(path) as container:
        yield _unpacked(container, scratch / "member.csv")


def _unpacked(container: zipfile.ZipFile, target: Path) -> Iterator[Path]:
    for info in container.infolist():
        if not info.is_dir():
            with container.open(info) as packed, target.open("wb") as plain:
                shutil.copyfileobj(packed, plain, 1 << 20)
            yield target


def _read_csv(path: Path) -> str:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        header = next(csv.reader(lines))
    columns = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in header)
    return f"read_csv({_text(path)}, columns={{{columns}}}, auto_detect=false, header=true, delim=',', quote='\"', escape='\"', strict_mode=true)"


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


if __name__ == "__main__":
    print(json.dumps(asdict(write_floor(Path(sys.argv[1]) / "landing", Path(sys.argv[2])))))
