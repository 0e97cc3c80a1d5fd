"""Law 1: nothing received is lost. Whatever happens to a file's bytes, every record is accepted, quarantined or a duplicate."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from home_with_feeds import Feed, Intake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from obc_pipeline.home import Home
from obc_pipeline.intake.evidence import Judged
from obc_pipeline.intake.register import raw_path

HEADER = "student_id,program,begin_on,end_on\n"
ROWS = [
    f"{number:08d},{program},2025-08-{day:02d},\n"
    for number, program, day in [(7, "EL", 11), (8, "IEP", 12), (9, "EL", 13), (10, "IEP", 14), (11, "EL", 15)]
]
FILE = (HEADER + "".join(ROWS)).encode()

SPOILERS = [
    b'"',
    b",",
    b"\n",
    b"\r\n",
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
    b"1.23E+08",
    b";",
    b"\t",
    b'""',
    b" ",
    "é".encode("cp1252"),
    b"\n\n",
    b'"a\nb"',
]


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """The file with up to four random injuries."""
    content = FILE
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        kind = draw(st.sampled_from(["insert", "delete", "cut", "repeat"]))
        if kind == "insert":
            content = content[:at] + draw(st.sampled_from(SPOILERS)) + content[at:]
        elif kind == "delete":
            content = content[:at] + content[at + draw(st.integers(1, 30)) :]
        elif kind == "cut":
            content = content[:at]
        else:
            content += content[at:]
    return content


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=spoiled())
def test_every_record_of_an_injured_file_is_accounted_for(content: bytes, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    shutil.rmtree(home.path, ignore_errors=True)
    intake = Intake(home, {"flags": Feed("flags", "program_flags")})
    intake.deliver("flags", "flags.csv", content)
    evidence = intake.run()
    for file in evidence.files:
        _assert_accounted(home, file)
    (listed,) = intake.query("SELECT count(*) FROM intake.quarantined_row")[0]
    assert listed == sum(file.report.quarantined for file in evidence.files)
    (accepted,) = intake.query("SELECT count(*) FROM lake.program_flags__student_program")[0]
    assert accepted == sum(file.report.accepted for file in evidence.files)


def _assert_accounted(home: Home, file: Judged) -> None:
    report = file.report
    assert report.rows_in == report.accepted + report.quarantined + report.duplicate
    if report.status == "READ":
        with duckdb.connect() as connection:
            (rows,) = connection.execute("SELECT count(*) FROM read_parquet(?)", [str(raw_path(home, file))]).fetchone() or (0,)
        assert report.accepted + report.duplicate <= rows <= report.rows_in
    else:
        assert report.accepted == 0
        assert report.reason


def test_the_same_record_twice_in_a_file_is_a_duplicate(intake: Intake) -> None:
    intake.deliver("flags", "flags.csv", FILE + ROWS[0].encode())
    report = intake.only_file()
    assert (report.rows_in, report.accepted, report.quarantined, report.duplicate) == (6, 5, 0, 1)


def test_two_different_records_with_one_key_are_both_kept(intake: Intake) -> None:
    intake.deliver("flags", "flags.csv", FILE + b"00000007,EL,2025-08-11,2026-01-09\n")
    report = intake.only_file()
    assert (report.accepted, report.duplicate) == (6, 0)


def test_line_numbers_lead_to_the_archived_line(intake: Intake) -> None:
    lines = [HEADER, ROWS[0], "00000020,EL,not a day,\n", ROWS[1], "00000021,EL\n", ROWS[2], "00000022,EL,2025-13-40,\n"]
    intake.deliver("flags", "flags.csv", "".join(lines))
    intake.run()
    found = intake.query("SELECT line_number, record_number, rule, column_name FROM intake.quarantined_row ORDER BY line_number")
    assert found == [
        (3, 2, "untyped:begin_on", "begin_on"),
        (5, 4, "too_few_fields", None),
        (7, 6, "untyped:begin_on", "begin_on"),
    ]


def test_line_numbers_count_physical_lines_when_values_hold_line_breaks(intake: Intake) -> None:
    content = HEADER + '00000007,"E\nL",2025-08-11,\n' + "00000008,EL,never,\n" + ROWS[2]
    intake.deliver("flags", "flags.csv", content)
    intake.run()
    assert (4, 2) in intake.query("SELECT line_number, record_number FROM intake.quarantined_row")


def test_quarantine_keeps_the_text_of_a_row_and_the_register_does_not(intake: Intake) -> None:
    intake.deliver("flags", "flags.csv", HEADER + "00000007,EL,never,\n")
    intake.run()
    (kept,) = intake.home.quarantine.glob("*.parquet")
    with duckdb.connect() as connection:
        assert connection.execute("SELECT text FROM read_parquet(?)", [str(kept)]).fetchone() == ('"00000007","EL","never",',)
    assert kept.stat().st_mode & 0o077 == 0
    register = intake.query("SELECT * FROM intake.quarantined_row")
    assert "never" not in str(register)
    assert "00000007" not in str(register)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings_read_alike(intake: Intake, encoding: str) -> None:
    intake.deliver("flags", "flags.csv", (HEADER + "00000007,Élan,2025-08-11,\n").encode(encoding))
    report = intake.only_file()
    assert report.rows_in == 1
    assert report.status == "READ"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_read_alike(intake: Intake, line_end: str) -> None:
    intake.deliver("flags", "flags.csv", FILE.decode().replace("\n", line_end).encode())
    report = intake.only_file()
    assert (report.rows_in, report.accepted) == (5, 5)


def test_mixed_line_ends_are_read(intake: Intake) -> None:
    intake.deliver("flags", "flags.csv", (HEADER.strip() + "\r\n" + ROWS[0] + ROWS[1].strip() + "\r\n").encode())
    assert intake.only_file().accepted == 2


REFUSED = {
    "empty": (b"", "empty file"),
    "unclosed quote": (
        HEADER.encode() + ROWS[0].encode() + b'00000008,"IEP,2025-08-12,\n' + b"".join(r.encode() for r in ROWS[2:]),
        "never closed",
    ),
    "wrong delimiter": (FILE.replace(b",", b";"), "semicolon"),
    "wrong header": (b"colour,shape\nred,round\n", "header"),
    "not text": (b"PNG\x00\x01\x02\x03" * 20, "NUL"),
    "pdf": (b"%PDF-1.7 and so on", "not a text file"),
    "cut-off zip": (b"PK\x03\x04 and nothing else", "cut off"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_cannot_be_used_is_refused_by_name(intake: Intake, kind: str) -> None:
    content, expected = REFUSED[kind]
    intake.deliver("flags", "flags.csv", content)
    evidence = intake.run()
    said = [evidence.reports[d.source, d.sha256].problem for d in evidence.deliveries] + [f.report.reason for f in evidence.files]
    assert expected in " ".join(filter(None, said))
    assert intake.query("SELECT count(*) FROM lake.program_flags__student_program") == [(0,)]


def test_a_header_without_rows_says_so(intake: Intake) -> None:
    intake.deliver("flags", "flags.csv", HEADER)
    report = intake.only_file()
    assert (report.status, report.rows_in, report.reason) == ("READ", 0, "a header and no rows")


def test_a_ten_megabyte_field_is_one_quarantined_row(intake: Intake) -> None:
    intake.deliver("flags", "flags.csv", HEADER + ROWS[0] + "00000008," + "x" * 10_000_000 + ",2025-08-12,\n" + ROWS[2])
    report = intake.only_file()
    assert (report.rows_in, report.accepted, report.quarantined) == (3, 2, 1)


def test_an_id_a_spreadsheet_mangled_is_quarantined(intake: Intake) -> None:
    intake.deliver("flags", "flags.csv", HEADER + "1.23E+08,EL,2025-08-11,\n412345.0,EL,2025-08-11,\n" + ROWS[0])
    report = intake.only_file()
    assert (report.accepted, report.quarantined) == (1, 2)
    assert {rule for (rule,) in intake.query("SELECT rule FROM intake.quarantined_row")} == {"excel_id:student_id"}


def test_dates_as_a_spreadsheet_writes_them(intake: Intake) -> None:
    intake.deliver("flags", "flags.csv", HEADER + "00000007,EL,9/16/2025,\n00000008,EL,9/16/25,\n")
    report = intake.only_file()
    assert (report.accepted, report.quarantined) == (1, 1)  # a two-digit year is not guessed


def test_row_order_in_the_lake_is_the_files_order(intake: Intake) -> None:
    many = HEADER + "".join(f"{number:08d},EL,2025-08-11,\n" for number in range(200_000, 0, -1))
    intake.deliver("flags", "flags.csv", many)
    intake.run()
    assert intake.query(
        "SELECT count(*) FROM lake.program_flags__student_program WHERE CAST(student_id AS INTEGER) <> 200001 - _row_number"
    ) == [(0,)]
