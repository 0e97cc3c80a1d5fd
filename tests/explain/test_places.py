"""A row of the lake is led back to the very line of the archived file, whatever stands before it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import ClassVar

import duckdb
import pytest

from obc_pipeline.explain.places import Places
from obc_pipeline.home import Home
from obc_pipeline.intake.read import ReadingLimits, read_archive
from obc_pipeline.intake.receive import read_receipts, receive

HEADER = "contract_id,student_id,line_id,school_id,start_on,end_on,end_reason,vendor_share,substituted_for,is_consented"


class _Source:
    """A source as the data map would give it."""

    name, format = "contract_roster", "contract_roster"
    options: ClassVar[dict[str, object]] = {}


def _row(number: int, note: str = "") -> str:
    return f"CVSD-MATH-2026,{number:08d},,0201,2025-10-06,,{note},,,true"


def _lead_back(tmp_path: Path, content: bytes, *, zipped: bool = False) -> dict[str, int | None]:
    """student id -> physical line, as `Places` tells it."""
    home = Home(tmp_path / "home")
    folder = home.landing / "contract_roster"
    folder.mkdir(parents=True)
    if zipped:
        with zipfile.ZipFile(folder / "sent.zip", "w") as package:
            package.writestr("readme.md", "not a table")
            package.writestr("inner/roster.csv", content)
    else:
        (folder / "roster.csv").write_bytes(content)
    sources = {"contract_roster": _Source()}
    receive(home, sources, received_at_from="file_time", settle_seconds=0, progress=lambda _: None)
    read_archive(home, read_receipts(home), sources, frozenset(), ReadingLimits(), progress=lambda _: None)
    files = list((home.raw / "contract_roster" / "assignment").glob("*.parquet"))
    assert len(files) == 1
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select _file_id, file_row_number + 1, student_id from read_parquet(?, file_row_number=true)", [str(files[0])]
        ).fetchall()
    found = Places(home, sources).find((file_id, number) for file_id, number, _ in rows)  # type: ignore[arg-type]
    assert all(place.sha256 and home.object_path(place.sha256).exists() for place in found.values())
    assert {place.delivery for place in found.values()} == {"sent.zip" if zipped else "roster.csv"}
    return {student: found[file_id, number].line_number for file_id, number, student in rows}


@pytest.mark.parametrize("zipped", [False, True])
def test_the_line_is_the_row_below_the_header(tmp_path: Path, zipped: bool) -> None:
    content = "\n".join([HEADER, _row(1), _row(2)]).encode()
    assert _lead_back(tmp_path, content, zipped=zipped) == {"00000001": 2, "00000002": 3}


def test_records_that_could_not_be_cut_shift_nothing(tmp_path: Path) -> None:
    content = "\n".join([HEADER, _row(1), "too,few", _row(2), _row(3) + ",too,many", _row(4), ""]).encode()
    assert _lead_back(tmp_path, content) == {"00000001": 2, "00000002": 4, "00000004": 6}


def test_line_breaks_inside_values_and_blank_lines_are_counted(tmp_path: Path) -> None:
    content = "\n".join([HEADER, _row(1, '"SCHE\nDULE"'), "", _row(2), ""]).encode()
    assert _lead_back(tmp_path, content)["00000002"] == 5


def test_utf16_with_windows_line_ends(tmp_path: Path) -> None:
    content = "\r\n".join([HEADER, _row(1), _row(2), ""]).encode("utf-16")
    assert _lead_back(tmp_path, content) == {"00000001": 2, "00000002": 3}


def test_a_lost_archive_is_said_not_guessed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.file_reports.mkdir(parents=True)
    place = Places(home, {}).find([("contract_roster.assignment." + "0" * 32, 7), (None, None)])
    (only,) = place.values()
    assert only.line_number is None
    assert "obc run" in str(only)
