"""Receive: archived by hash before anything reads it, once, whole, and in the order of arrival."""

from __future__ import annotations

import hashlib
import itertools
import zipfile
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from home_with_feeds import Intake

from obc_pipeline.intake.read import ReadingLimits
from obc_pipeline.intake.receive import read_receipts, receive

CONTENT = b"student_id,program,begin_on,end_on\n00000007,EL,2025-08-11,\n"


def test_a_received_file_is_archived_read_only_under_its_hash(intake: Intake) -> None:
    intake.deliver("flags", "deep/er/flags.csv", CONTENT)
    (delivery,) = receive(intake.home, intake.feeds, received_at_from="file_time", settle_seconds=0).deliveries
    kept = intake.home.object_path(hashlib.sha256(CONTENT).hexdigest())
    assert kept.read_bytes() == CONTENT
    assert kept.stat().st_mode & 0o777 == 0o400
    assert (delivery.name, delivery.size_bytes) == ("deep/er/flags.csv", len(CONTENT))
    assert not list(intake.home.landing.rglob("*.csv"))


def test_the_same_content_under_another_name_counts_once(intake: Intake) -> None:
    intake.deliver("flags", "flags.csv", CONTENT)
    intake.deliver("flags", "flags (1).csv", CONTENT)
    (file,) = intake.run().files
    assert file.delivery_count == 2
    assert intake.query("SELECT count(*) FROM lake.program_flags__student_program") == [(1,)]


def test_an_arrival_taken_in_twice_by_a_stopped_run_has_one_receipt(intake: Intake) -> None:
    intake.deliver("flags", "flags.csv", CONTENT, arrives_at=None)
    receive(intake.home, intake.feeds, received_at_from="file_time", settle_seconds=0)
    intake.arrivals = 0
    intake.deliver("flags", "flags.csv", CONTENT)
    receive(intake.home, intake.feeds, received_at_from="file_time", settle_seconds=0)
    assert len(read_receipts(intake.home)) == 1


@pytest.mark.parametrize("name", ["flags.csv.part", "flags.csv.filepart", "flags.csv.tmp"])
def test_a_file_still_being_written_waits(intake: Intake, name: str) -> None:
    path = intake.deliver("flags", name, CONTENT)
    received = receive(intake.home, intake.feeds, received_at_from="file_time", settle_seconds=0)
    assert not received.deliveries
    assert "still being written" in received.waiting[0].reason
    assert path.exists()


def test_a_file_that_grows_while_it_settles_waits(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    path = intake.home.landing / "flags" / "flags.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)

    def meanwhile(seconds: float) -> None:
        with path.open("ab") as more:
            more.write(b"00000008,EL,2025-08-11,\n")

    monkeypatch.setattr("obc_pipeline.intake.receive.time.sleep", meanwhile)
    received = receive(intake.home, intake.feeds, settle_seconds=5)
    assert not received.deliveries
    assert "it changed while we looked" in received.waiting[0].reason


def test_a_folder_no_source_names_is_left_and_told(intake: Intake) -> None:
    stray = intake.home.landing / "flagz" / "flags.csv"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(CONTENT)
    received = receive(intake.home, intake.feeds, settle_seconds=0)
    assert stray.exists()
    assert "no source of this name" in received.waiting[0].reason


def test_a_link_is_not_followed(intake: Intake, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere.csv"
    secret.write_bytes(CONTENT)
    link = intake.home.landing / "flags" / "flags.csv"
    link.parent.mkdir(parents=True)
    link.symlink_to(secret)
    received = receive(intake.home, intake.feeds, settle_seconds=0)
    assert not received.deliveries
    assert secret.exists()


def _zip(**members: bytes) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in members.items():
            container.writestr(zipfile.ZipInfo(name.replace("__", "."), (2026, 1, 5, 6, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def test_a_zip_is_unpacked_member_by_member(intake: Intake) -> None:
    intake.deliver("flags", "all.zip", _zip(flags__csv=CONTENT, other__csv=b"colour\nred\n"))
    evidence = intake.run()
    assert sorted(file.status for file in evidence.files) == ["CURRENT", "REFUSED"]


def test_a_zip_bomb_is_not_opened(intake: Intake) -> None:
    intake.limits = ReadingLimits(max_zip_bytes=1_000_000)
    intake.deliver("flags", "bomb.zip", _zip(flags__csv=CONTENT + b"0" * 5_000_000))
    evidence = intake.run()
    (problem,) = [report.problem for report in evidence.reports.values()]
    assert "max_zip_bytes" in str(problem)
    assert not evidence.files


def test_a_zip_cut_in_the_middle_is_refused(intake: Intake) -> None:
    whole = _zip(flags__csv=CONTENT * 50)
    intake.deliver("flags", "cut.zip", whole[: len(whole) // 2])
    (report,) = intake.run().reports.values()
    assert "cut off" in str(report.problem)


def test_a_damaged_member_is_refused_and_the_others_are_read(intake: Intake) -> None:
    whole = bytearray(_zip(flags__csv=CONTENT, orgs__csv=b"x" * 500))
    at = whole.find(b"orgs.csv") + 10
    whole[at : at + 4] = b"\xff\xff\xff\xff"
    intake.deliver("flags", "damaged.zip", bytes(whole))
    statuses = {file.report.member_name: file.status for file in intake.run().files}
    assert statuses == {"flags.csv": "CURRENT", "orgs.csv": "REFUSED"}


def test_files_that_came_together_arrive_in_the_order_of_their_names(intake: Intake) -> None:
    intake.deliver("flags", "a.csv", CONTENT * 200_000)
    for number in range(12):
        intake.deliver("flags", f"b{number:02}.csv", CONTENT if number % 2 else CONTENT * (number + 2))
    clock = (datetime(2026, 1, 5, tzinfo=UTC) + timedelta(seconds=second) for second in itertools.count())
    deliveries = receive(intake.home, intake.feeds, settle_seconds=0, now=lambda: next(clock)).deliveries
    by_arrival = [delivery.name for delivery in read_receipts(intake.home)]
    assert by_arrival == sorted(by_arrival) == [delivery.name for delivery in deliveries]
    for delivery in deliveries:
        assert hashlib.sha256(intake.home.object_path(delivery.sha256).read_bytes()).hexdigest() == delivery.sha256
    assert not list(intake.home.objects.glob(".partial-*"))
