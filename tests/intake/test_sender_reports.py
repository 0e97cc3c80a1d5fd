"""What a sender gets back: its own rows that did not go on, in its own layout, so that mending them and sending them again is all it takes."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import duckdb
import pytest
from home_with_feeds import Feed, Intake

from obc_pipeline.documents import Documents, load
from obc_pipeline.documents.starting import EXAMPLE_DISTRICT, init_home
from obc_pipeline.home import Home
from obc_pipeline.intake.read import preflight
from obc_pipeline.senders import write_sender_reports
from obc_pipeline.senders.rules import file_rules

SOURCE = "sessions_lumen"
HEADER = "student_id,session_topic,session_date,session_duration,session_ratio,tutor_id"
GOOD = '00000007,ela,2025-10-07 09:15:00,30,1:3,"Lee, T-1"'
BAD = [
    '00000008,"ela, phonics",2025-10-07 09:15:00,9000,1:3,T-1',
    "1.23E+08,ela,2025-10-07 09:15:00,30,1:3,T-1",
    "00000009,ela,2025-10-07 09:15:00,30,1:3",
]


@pytest.fixture
def documents(tmp_path: Path) -> Documents:
    home = Home(tmp_path / "home")
    init_home(home.path, EXAMPLE_DISTRICT)
    return load(home)


@pytest.fixture
def intake(tmp_path: Path, documents: Documents) -> Intake:
    return Intake(Home(tmp_path / "home"), {name: Feed(name, source.format, source.options) for name, source in documents.sources.items()})


def _report(intake: Intake, documents: Documents) -> Path:
    """The folder of the source's sender, with the quality marts as dbt makes them of intake's tables."""
    with duckdb.connect(str(intake.home.warehouse)) as connection:
        connection.execute("create schema if not exists quality; create schema if not exists process")
        connection.execute(
            "create or replace view quality.quarantined_row as select q.*, f.status as file_status from intake.quarantined_row q join intake.file f using (file_id)"
        )
        connection.execute("create or replace view quality.row_accounting as select * from intake.file")
        connection.execute(
            "create or replace view quality.source_freshness as select source, count(*) as files, max(received_at) as last_arrival_at, sum(rows_in) as rows_in, "
            "sum(accepted) as accepted, sum(quarantined) as quarantined, sum(duplicate) as duplicate, true as is_fresh, null::date as due_on, 'as expected' as reason "
            "from intake.file group by source"
        )
        connection.execute(
            "create or replace view process.agg_data_timeliness as select 'lumen' as provider_id, 3 as numerator, 4 as denominator, 48 as sla_hours, 60.0 as max_hours"
        )
        pages = write_sender_reports(intake.home, documents, connection)
    assert len(pages) == len(documents.sources)
    return intake.home.reports / "senders" / SOURCE


def _rows(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8").splitlines()))


def test_rows_set_aside_come_back_as_they_were_sent_with_line_and_problem(intake: Intake, documents: Documents) -> None:
    intake.deliver(SOURCE, "october.csv", "\r\n".join([HEADER, GOOD, *BAD]) + "\r\n")
    intake.run()
    folder = _report(intake, documents)
    header, *rows = _rows(folder / "to_mend_october.csv")
    assert header == ["obc_line", "obc_problem", *HEADER.split(",")]
    assert [row[0] for row in rows] == ["3", "4", "5"]
    assert [row[2:] for row in rows] == [next(csv.reader([line])) for line in BAD]
    assert "spreadsheet" in rows[1][1]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "to_mend_october.csv" in page
    assert "3 of 4 session records came within the promised 48 hours" in page
    assert "00000008" not in page
    assert "phonics" not in page


def test_mended_rows_are_taken_in_when_the_file_is_sent_as_it_is(intake: Intake, documents: Documents, tmp_path: Path) -> None:
    intake.deliver(SOURCE, "october.csv", "\r\n".join([HEADER, GOOD, *BAD]) + "\r\n")
    intake.run()
    text = (_report(intake, documents) / "to_mend_october.csv").read_bytes().decode()
    mended = text.replace("9000", "30").replace("1.23E+08", "00000010").replace("1:3\r\n", "1:3,T-1\r\n")
    assert mended != text
    again = tmp_path / "mended.csv"
    again.write_bytes(mended.encode())
    (file,) = preflight(documents.sources[SOURCE], again, frozenset()).report.files
    assert (file.rows_in, file.accepted, file.quarantined) == (3, 3, 0)


def test_what_was_mended_is_asked_for_no_more_and_a_refused_file_is_asked_for_whole(intake: Intake, documents: Documents) -> None:
    intake.deliver(SOURCE, "good.csv", f"{HEADER}\n{GOOD}\n")
    intake.deliver(SOURCE, "nonsense.csv", "a,b\n1,2\n")
    intake.run()
    folder = _report(intake, documents)
    assert list(folder.glob("to_mend_*")) == []
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "No row waits to be mended." in page
    assert "nonsense.csv" in page


def test_the_folder_is_private_and_written_whole(intake: Intake, documents: Documents) -> None:
    intake.deliver(SOURCE, "october.csv", "\r\n".join([HEADER, *BAD]) + "\r\n")
    intake.run()
    folder = _report(intake, documents)
    (folder / "left_from_before.csv").write_text("x")
    again = _report(intake, documents)
    assert not (again / "left_from_before.csv").exists()
    assert {stat.S_IMODE(path.stat().st_mode) for path in again.iterdir()} == {0o600}
    assert stat.S_IMODE(again.stat().st_mode) == 0o700
    assert [path.name for path in again.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("member", ["session_student"])
def test_a_template_file_is_recognised_as_what_it_is_a_template_of(intake: Intake, documents: Documents, member: str) -> None:
    source = documents.sources["sessions_brightpath"]
    rule = next(rule for rule in file_rules(source) if rule.table == member)
    by_heading = {column.heading: column for column in rule.columns}
    assert by_heading["student_id"].needed == "every row"
    assert "600" in " ".join(by_heading["session_duration"].rules)
    values = {
        "student_id": "00000007",
        "session_id": "S1",
        "session_date": "2025-10-07",
        "session_duration": "30",
        "session_status": "completed",
    }
    intake.deliver(source.name, "filled.csv", ",".join(rule.header) + "\n" + ",".join(values.get(name, "") for name in rule.header) + "\n")
    file = intake.only_file()
    assert (file.table, file.status) == (member, "READ")


def test_every_source_has_a_template_whose_headings_are_told_apart(documents: Documents) -> None:
    for source in documents.sources.values():
        for rule in file_rules(source):
            assert len({heading.lower() for heading in rule.header}) == len(rule.header), (source.name, rule.table)
            assert all(column.value for column in rule.columns)
