"""The messy district holds one of everything in the list of bad input, and intake does with each what the manifest says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from typing import Any

import duckdb
import pytest

from obc_pipeline.documents import load
from obc_pipeline.home import Home
from obc_pipeline.intake.evidence import Evidence, select_evidence
from obc_pipeline.intake.read import read_archive
from obc_pipeline.intake.receive import Received, read_receipts, receive
from obc_pipeline.intake.register import key_overlap

# The list under "What bad input gets", in its order.
KINDS = {
    *("wrong_headers", "swapped_headers", "missing_column", "new_column", "ragged_rows", "unclosed_quote", "wrong_delimiter"),
    *("utf_16", "cp1252", "byte_order_mark", "crlf", "excel_id", "excel_dates", "float_for_integer", "yes_with_asterisk"),
    *("capped_grade_equivalent", "empty_file", "header_only", "truncated_zip", "zip_bomb", "still_being_written"),
    *("duplicate_under_another_name", "other_district", "unknown_student", "two_vendors_one_student", "ten_megabyte_field"),
}
ALSO = {"reordered_columns", "short_snapshot"}


@pytest.fixture(scope="module")
def planted(messy_district: Path) -> list[dict[str, Any]]:
    """The manifest's entries."""
    return json.loads((messy_district / "messy_manifest.json").read_text(encoding="utf-8"))["planted"]


def take_in(home: Home) -> tuple[Received, Evidence]:
    """Receives, reads and selects everything that landed."""
    documents = load(home)
    received = receive(home, documents.sources, received_at_from="file_time", settle_seconds=0)
    receipts = read_receipts(home)
    names = frozenset({"2800001", "cedar valley school district"})
    reports = read_archive(home, receipts, documents.sources, names)
    with duckdb.connect() as connection:
        evidence = select_evidence(
            receipts,
            reports,
            {source.name: source.format for source in documents.sources.values()},
            cutoff=datetime(2026, 6, 30, tzinfo=UTC),
            max_drop_share=0.10,
            accepted_hashes=frozenset(),
            overlap=lambda file, others: key_overlap(connection, home, file, others),
        )
    return received, evidence


def test_the_manifest_has_one_of_each(planted: list[dict[str, Any]]) -> None:
    kinds = [entry["kind"] for entry in planted]
    assert len(kinds) == len(set(kinds))
    assert set(kinds) == KINDS | ALSO


def test_every_planted_file_is_there(messy_district: Path, planted: list[dict[str, Any]]) -> None:
    for entry in planted:
        assert (messy_district / "landing" / entry["source"] / entry["file"]).is_file()
    messy = {path.relative_to(messy_district / "landing").as_posix() for path in (messy_district / "landing").glob("*/messy/**/*")}
    assert messy == {f"{entry['source']}/{entry['file']}" for entry in planted}


def test_the_manifest_names_no_student(messy_district: Path) -> None:
    text = (messy_district / "messy_manifest.json").read_text(encoding="utf-8")
    rosters = (messy_district / "landing" / "contract_roster").rglob("*.csv")
    numbers = {line.split(",")[1] for path in rosters for line in path.read_text(encoding="utf-8").splitlines()[1:]}
    assert len(numbers) > 50
    assert not any(number in text for number in numbers)
    assert "99999999" not in text


@pytest.mark.slow
def test_intake_does_with_each_what_the_manifest_says(messy_district: Path, planted: list[dict[str, Any]], tmp_path: Path) -> None:
    copytree(messy_district, tmp_path / "home")
    received, evidence = take_in(Home(tmp_path / "home"))
    waiting = {(item.source, item.name) for item in received.waiting}
    delivery_of = {(delivery.source, delivery.name): delivery for delivery in evidence.deliveries}
    for entry in planted:
        place = (entry["source"], entry["file"])
        if entry["fate"] == "waiting":
            assert place in waiting
            continue
        delivery = delivery_of[place]
        report = evidence.reports[delivery.source, delivery.sha256]
        ids = {file.file_id for file in report.files}
        judged = [file for file in evidence.files if file.report.file_id in ids]
        check = f"{entry['kind']}: {[(file.status, file.reason) for file in judged]} {report.problem}"
        if entry["fate"] == "refused":
            assert report.problem or {file.status for file in judged} == {"REFUSED"}, check
            assert sum(file.report.accepted for file in judged) == 0, check
        elif entry["fate"] == "duplicate":
            assert [file.delivery_count for file in judged] == [2], check
        elif entry["held_by"] == "intake":
            assert "HELD" in {file.status for file in judged}, check
        else:
            assert sum(file.report.accepted for file in judged) == entry["accepted"], check
            # A file all of whose rows are quarantined replaces nothing, so it is refused as a whole.
            is_nothing_left = bool(entry["quarantined"]) and not entry["accepted"]
            assert ("REFUSED" in {file.status for file in judged}) == is_nothing_left, check
        if entry["quarantined"] is not None:
            assert sum(file.report.quarantined for file in judged) == entry["quarantined"], check


@pytest.mark.slow
def test_of_the_clean_district_nothing_is_quarantined_refused_or_held(clean_district: Path, tmp_path: Path) -> None:
    copytree(clean_district, tmp_path / "home")
    received, evidence = take_in(Home(tmp_path / "home"))
    assert received.waiting == ()
    assert {file.status for file in evidence.files} == {"CURRENT", "SUPERSEDED"}
    assert sum(file.report.quarantined for file in evidence.files) == 0
    assert all(report.problem is None for report in evidence.reports.values())
