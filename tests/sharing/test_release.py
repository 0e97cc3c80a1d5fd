"""Releasing: by a named person, logged, whole or not at all, frozen until the next one, but for what must not be out any more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from sharing_home import BY, MATH, NOW, READ, STUDENTS, SharingHome, all_bytes, make_sharing_home, rows

from obc_pipeline.sharing import aggregates
from obc_pipeline.sharing.destruction import certificates, destroy
from obc_pipeline.sharing.disclosure import SQL_TYPES, read_log, register_disclosures
from obc_pipeline.sharing.errors import CannotWrite, DisclosureDamaged, NotAllowed, NotPrepared, SharingError, UnknownAudience
from obc_pipeline.sharing.release import release, standings
from obc_pipeline.sharing.swap import file_hashes

VENDOR = "vendor-brightpath"
SESSIONS = "select vendor_student_id, sessions_attended from process.msr_student_tutoring order by 2"


@pytest.fixture
def small(tmp_path: Path) -> SharingHome:
    return make_sharing_home(tmp_path / "home")


@pytest.fixture
def released(small: SharingHome) -> SharingHome:
    small.run()
    release(small.home, VENDOR, BY, now=NOW)
    return small


def standing(small: SharingHome, audience: str = VENDOR):
    return next(one for one in standings(small.home, small.documents, NOW) if one.audience.audience_id == audience)


def test_nothing_is_out_before_somebody_says_so(small: SharingHome) -> None:
    small.run()
    assert [path.name for path in small.home.published.iterdir() if not path.name.startswith(".")] == ["district"]
    looked = release(small.home, VENDOR, BY, dry_run=True, now=NOW)
    assert (looked.entry, looked.contents.students, looked.changes) == (None, 3, ["nothing is out yet"])
    assert not small.out(VENDOR).exists()
    assert read_log(small.home) == []


def test_a_release_is_out_whole_and_logged(released: SharingHome) -> None:
    assert rows(released.out(VENDOR), SESSIONS) == [("BP-1", 10), ("BP-2", 11), (None, 12)]
    (entry,) = read_log(released.home)
    assert (entry.kind, entry.audience, entry.recipient, entry.released_by, entry.released_by_role) == (
        "RELEASE", VENDOR, "Brightpath Tutoring", BY, "Director of academics",
    )  # fmt: skip
    assert (entry.legal_basis, entry.is_ferpa_recordable, entry.student_count, entry.run_id) == (
        "SCHOOL_OFFICIAL",
        False,
        3,
        released.run_id,
    )
    assert entry.tables["process.msr_student_tutoring"] == {
        "columns": ["student_key", "vendor_student_id", "contract_id", "school_id", "sessions_attended"],
        "rows": 3,
    }
    assert entry.files == file_hashes(released.out(VENDOR))
    about = pq.read_table(released.home.disclosure / "students" / "00000001-vendor-brightpath.parquet").to_pylist()
    assert {row["student_key"] for row in about} == {one.key for one in STUDENTS if one.contract_id == MATH}
    text = json.dumps([path.read_text() for path in (released.home.disclosure / "log").iterdir()])
    assert not any(value in text for one in STUDENTS for value in (one.key, one.local_id, one.sent or one.key))


def test_the_same_release_again_is_no_second_disclosure(released: SharingHome) -> None:
    again = release(released.home, VENDOR, BY, now=NOW)
    assert (again.is_new, again.entry and again.entry.seq) == (False, 1)
    assert len(read_log(released.home)) == 1


def test_what_is_out_stays_until_the_next_release(released: SharingHome) -> None:
    before = file_hashes(released.out(VENDOR))
    released.sessions, released.run_id = 40, "20260630-bbbbbbbbbbbb"
    released.run()
    assert file_hashes(released.out(VENDOR)) == before
    assert standing(released).changes == ["process.msr_student_tutoring: 3 -> 3 rows"]
    release(released.home, VENDOR, BY, now=NOW)
    assert [row[1] for row in rows(released.out(VENDOR), SESSIONS)] == [40, 41, 42]
    assert standing(released).changes == []


@pytest.mark.parametrize("withheld", [{"end_reason": "OPT_OUT"}, {"is_consented": False}])
def test_an_opt_out_takes_effect_at_the_next_run_and_nothing_else_does(released: SharingHome, withheld: dict) -> None:
    pack = released.out(VENDOR) / "packs" / "coordination.html"
    pack.parent.mkdir(exist_ok=True)
    pack.write_text("BP-2 attended")
    gone = rows(released.out(VENDOR), "select student_key from process.msr_student_tutoring where vendor_student_id = 'BP-2'")[0][0]
    released.students = [replace(one, **withheld) if one.sent == "BP-2" else one for one in STUDENTS]
    released.sessions, released.run_id = 40, "20260630-bbbbbbbbbbbb"
    released.run()
    assert rows(released.out(VENDOR), SESSIONS) == [("BP-1", 10), (None, 12)], "the others as they were released"
    content = all_bytes(released.out(VENDOR))
    assert b"BP-2" not in content
    assert gone.encode() not in content
    assert rows(released.out(VENDOR), "select comment from duckdb_tables() where table_name = 'dim_school'") == [("What dim_school is.",)]
    last = read_log(released.home)[-1]
    assert (last.kind, last.student_count, last.released_by, last.reason) == ("WITHDRAWAL", 2, "obc run", "opted out or without consent")
    assert last.files == file_hashes(released.out(VENDOR))
    released.run_id = "20260630-cccccccccccc"
    released.run()
    assert len(read_log(released.home)) == 2, "withdrawn once"
    assert standing(released).damage is None


def test_an_opt_out_needs_no_secret_to_take_effect(released: SharingHome) -> None:
    """Students without an id of the vendor's own are known by key alone, and the secret may be gone or another by then."""
    (released.home.secrets / "vendor-brightpath.key").unlink()
    released.students = [replace(one, end_reason="OPT_OUT") if one.local_id == "00411003" else one for one in STUDENTS]
    problems = {one.audience.audience_id: one.problem for one in released.run()}
    assert "obc secret vendor-brightpath" in (problems[VENDOR] or "")
    assert problems["vendor-lumen"] is None
    assert rows(released.out(VENDOR), SESSIONS) == [("BP-1", 10), ("BP-2", 11)]


def test_who_comes_back_is_out_with_the_next_release_only(released: SharingHome) -> None:
    released.students = [replace(one, end_reason="OPT_OUT") if one.sent == "BP-2" else one for one in STUDENTS]
    released.run()
    released.students = STUDENTS
    released.run()
    assert rows(released.out(VENDOR), "select count(*) from process.msr_student_tutoring") == [(2,)]
    release(released.home, VENDOR, BY, now=NOW)
    assert rows(released.out(VENDOR), "select count(*) from process.msr_student_tutoring") == [(3,)]


@pytest.mark.parametrize(
    ("audience", "by", "error", "said"),
    [
        ("vendor-brigthpath", BY, UnknownAudience, "`vendor-brightpath`"),
        (VENDOR, "Somebody Else", NotAllowed, "may not release"),
        ("district", BY, NotAllowed, "needs no release"),
    ],
)
def test_a_release_that_may_not_be(small: SharingHome, audience: str, by: str, error: type[SharingError], said: str) -> None:
    small.run()
    with pytest.raises(error, match=said):
        release(small.home, audience, by, now=NOW)
    assert read_log(small.home) == []


def test_a_name_is_the_same_however_it_is_spaced(small: SharingHome) -> None:
    small.run()
    assert release(small.home, VENDOR, "dana  WHITFIELD", now=NOW).by.name == BY


def test_only_what_the_last_finished_run_prepared_goes_out(small: SharingHome) -> None:
    with pytest.raises(NotPrepared, match="obc run prepares it"):
        release(small.home, VENDOR, BY, now=NOW)
    small.run()
    state = json.loads(small.home.run_state.read_text())
    small.home.run_state.write_text(json.dumps(state | {"result": {"run_id": "another"}}))
    with pytest.raises(NotPrepared, match="not of the last finished run"):
        release(small.home, VENDOR, BY, now=NOW)


def test_without_an_agreement_nothing_goes_out(small: SharingHome) -> None:
    small.run()
    with pytest.raises(NotAllowed, match="not signed yet"):
        release(small.home, VENDOR, BY, now=datetime(2025, 6, 1, tzinfo=UTC))
    with pytest.raises(NotAllowed, match="has ended"):
        release(small.home, VENDOR, BY, now=datetime(2027, 7, 2, tzinfo=UTC))


@pytest.mark.parametrize("content", [None, "short", "0" * 64])
def test_a_missing_or_open_secret_is_named_and_concerns_its_audience_alone(small: SharingHome, content: str | None) -> None:
    small.run()
    release(small.home, VENDOR, BY, now=NOW)
    before = file_hashes(small.out(VENDOR))
    path = small.home.secrets / "vendor-brightpath.key"
    path.unlink()
    if content is not None:
        path.write_text(content)
        path.chmod(0o644)
    problems = {one.audience.audience_id: one.problem for one in small.run()}
    assert "vendor-brightpath" in (problems.pop(VENDOR) or "")
    assert not any(problems.values())
    assert file_hashes(small.out(VENDOR)) == before
    with pytest.raises(NotPrepared, match="secret of vendor-brightpath"):
        release(small.home, VENDOR, BY, now=NOW)


def test_a_destination_that_cannot_be_written_leaves_what_was_published(released: SharingHome, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file_hashes(released.out(VENDOR))
    released.sessions, released.run_id = 40, "20260630-bbbbbbbbbbbb"
    released.run()

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(released.out(VENDOR)))

    monkeypatch.setattr("obc_pipeline.sharing.release.swap_in", refuse)
    with pytest.raises(CannotWrite, match=r"was not released: Permission denied .* still stands"):
        release(released.home, VENDOR, BY, now=NOW)
    assert file_hashes(released.out(VENDOR)) == before
    assert "release it again" in (standing(released).damage or ""), "it is logged, and not out"
    monkeypatch.undo()
    done = release(released.home, VENDOR, BY, now=NOW)
    assert (done.is_new, len(read_log(released.home))) == (False, 2), "brought to its end, without a third entry"
    assert rows(released.out(VENDOR), SESSIONS)[0] == ("BP-1", 40)


def test_a_place_that_cannot_be_prepared_in_is_named(small: SharingHome) -> None:
    small.run()
    small.home.prepared.rename(small.home.published / "moved")
    small.home.prepared.write_text("a file where a folder should be")
    with pytest.raises(SharingError, match="prepared"):
        small.run()
    assert rows(small.home.published / "district", "select count(*) from core.dim_student") == [(6,)]


def test_a_file_that_was_changed_after_its_release_is_said(released: SharingHome) -> None:
    assert standing(released).damage is None
    (released.out(VENDOR) / "extra.txt").write_text("x")
    assert "is not what was released last" in (standing(released).damage or "")


def test_a_log_that_was_changed_stops_releases(released: SharingHome) -> None:
    path = released.home.disclosure / "log" / "00000001.json"
    path.chmod(0o600)
    path.write_text(path.read_text().replace(BY, "Nobody"))
    with pytest.raises(DisclosureDamaged, match="00000001"):
        release(released.home, "vendor-lumen", BY, now=NOW)


def test_a_log_with_a_gap_is_damaged(released: SharingHome) -> None:
    release(released.home, "vendor-lumen", BY, now=NOW)
    (released.home.disclosure / "log" / "00000001.json").unlink()
    with pytest.raises(DisclosureDamaged):
        read_log(released.home)


def test_dbt_reads_the_log_from_a_table_that_is_always_there(small: SharingHome) -> None:
    with duckdb.connect() as connection:
        register_disclosures(connection, small.home)
        assert connection.execute("select count(*) from sharing.disclosure_entry").fetchall() == [(0,)]
    small.run()
    release(small.home, VENDOR, BY, now=NOW)
    release(small.home, "public", BY, now=NOW)
    with duckdb.connect() as connection:
        register_disclosures(connection, small.home)
        assert [row[0] for row in connection.execute("describe sharing.disclosure_entry").fetchall()] == list(SQL_TYPES)
        found = connection.execute(
            "select entry_seq, audience, row_count, student_count, legal_basis from sharing.disclosure_entry "
            "where table_name in ('process.msr_student_tutoring', 'quality.published_run') order by all"
        ).fetchall()
    assert found == [(1, VENDOR, 1, 3, "SCHOOL_OFFICIAL"), (1, VENDOR, 3, 3, "SCHOOL_OFFICIAL"), (2, "public", 1, 0, "DE_IDENTIFIED")]


def test_the_packs_of_what_is_released_go_out_with_it_and_are_logged(small: SharingHome) -> None:
    small.run()
    stale = small.prepared(VENDOR) / "packs" / "of_an_earlier_day.html"
    stale.parent.mkdir()
    stale.write_text("<html></html>")
    done = release(small.home, VENDOR, BY, now=NOW)
    assert done.entry is not None
    name = "district_vendor_coordination_vendor-brightpath_2026-06-30"
    assert done.entry.packs == [f"packs/{name}.html", f"packs/{name}.pdf"]
    page = small.out(VENDOR) / "packs" / f"{name}.html"
    assert page.stat().st_mode & 0o777 == 0o600
    assert "this provider's own students" in page.read_text(encoding="utf-8").replace("&#39;", "'")
    assert release(small.home, VENDOR, BY, now=NOW).is_new is False


# ---- aggregates ----


def test_aggregates_change_on_release_dates_alone(small: SharingHome, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa

    from obc_pipeline.sharing.suppression import published

    told = {"value": "53 %"}

    def snapshot(connection: object, earlier: list[pa.Table], n_min: int) -> pa.Table:
        return pa.table({"value_display": [told["value"]], "seen": [len(earlier)], "n_min": [n_min]})

    monkeypatch.setattr(published, "take_snapshot", snapshot)
    monkeypatch.setattr(published, "for_audience", lambda table, kind, subject="": table)
    monkeypatch.setattr(published, "PUB_COLUMNS", {"value_display": "The value."})
    sql = f"select value_display, seen, n_min from {aggregates.SCHEMA}.{aggregates.TABLE}"
    small.run()
    release(small.home, "public", BY, now=NOW)
    told["value"], small.run_id = "54 %", "20260630-bbbbbbbbbbbb"
    small.run()
    for audience in ("public", VENDOR, "school-0101"):
        assert rows(small.prepared(audience), sql) == [("53 %", 0, 10)], "the date's snapshot is kept from its first release on"
    small.as_of_date, small.run_id = small.as_of_date.replace(month=7, day=2), "20260702-bbbbbbbbbbbb"
    small.run()
    assert rows(small.prepared("public"), sql) == [("54 %", 1, 10)], "a new date, judged against what is out"
    assert rows(small.out("public"), sql) == [("53 %", 0, 10)]
    told["value"], small.run_id = "55 %", "20260702-cccccccccccc"
    small.run()
    assert rows(small.prepared("public"), sql) == [("55 %", 1, 10)], "not released yet, so it is taken anew"
    release(small.home, VENDOR, BY, now=NOW)
    assert (small.home.disclosure / "snapshots" / "2026-07-01.parquet").stat().st_mode & 0o777 == 0o400


# ---- destruction ----


def test_destruction_leaves_a_certificate_and_nothing_else(released: SharingHome) -> None:
    files = file_hashes(released.out(VENDOR))
    looked = destroy(released.home, VENDOR, BY, dry_run=True, now=NOW)
    assert looked is not None
    assert released.out(VENDOR).exists()
    made = destroy(released.home, VENDOR, BY, now=NOW)
    assert made is not None
    assert not released.out(VENDOR).exists()
    assert not released.prepared(VENDOR).exists()
    assert not (released.home.secrets / "vendor-brightpath.key").exists()
    (path,) = certificates(released.home)
    said = json.loads(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o400
    assert (said["students"], said["tables"]["process.msr_student_tutoring"], said["destroyed_by"], said["last_release"]) == (3, 3, BY, 1)
    hashes = {file["path"]: file["sha256"] for file in said["files"]}
    assert {f"published/{VENDOR}/{name}": digest for name, digest in files.items()}.items() <= hashes.items()
    assert read_log(released.home)[-1].kind == "DESTRUCTION"
    assert destroy(released.home, VENDOR, BY, now=NOW) is None
    with pytest.raises(NotPrepared):
        release(released.home, VENDOR, BY, now=NOW)


def test_only_who_may_release_may_destroy(released: SharingHome) -> None:
    with pytest.raises(NotAllowed):
        destroy(released.home, VENDOR, "Somebody Else", now=NOW)
    assert released.out(VENDOR).exists()


def test_a_run_after_destroy_by_destroys_by_itself(released: SharingHome) -> None:
    release(released.home, "vendor-lumen", BY, now=NOW)
    contract = released.home.contracts / f"{MATH}.yml"
    contract.write_text(contract.read_text().replace("destroy_by: 2027-06-30", "destroy_by: 2026-07-31"))
    problems = {one.audience.audience_id: one.problem for one in released.run()}
    assert "has ended" in (problems[VENDOR] or "")
    assert not released.out(VENDOR).exists()
    assert released.out("vendor-lumen").exists()
    (path,) = certificates(released.home)
    assert json.loads(path.read_text())["reason"] == "destroy_by 2026-07-31 has passed"
    released.run()
    assert len(certificates(released.home)) == 1


def test_an_interrupted_destruction_is_certified_in_full(released: SharingHome, monkeypatch: pytest.MonkeyPatch) -> None:
    from obc_pipeline.sharing import destruction

    count = 0

    def stop_after_one(path: Path) -> None:
        nonlocal count
        count += 1
        if count > 1:
            raise OSError(5, "Input/output error", str(path))
        import shutil

        shutil.rmtree(path)

    monkeypatch.setattr(destruction, "clear", stop_after_one)
    with pytest.raises(CannotWrite, match="run it again"):
        destroy(released.home, VENDOR, BY, now=NOW)
    monkeypatch.undo()
    made = destroy(released.home, VENDOR, BY, now=NOW)
    assert made is not None
    assert any(file["path"].startswith(f"published/{VENDOR}/") for file in made.files)
    assert not released.prepared(VENDOR).exists()


def test_of_two_contracts_the_one_that_ended_leaves_the_released_file(small: SharingHome) -> None:
    read = small.home.contracts / f"{READ}.yml"
    read.write_text(
        read.read_text().replace("provider_id: lumen", "provider_id: brightpath").replace("Lumen Reading", "Brightpath Tutoring")
    )
    data_map = small.home.data_map_yml
    data_map.write_text(data_map.read_text().replace("provider_id: lumen", "provider_id: brightpath"))
    small.students = [replace(one) for one in STUDENTS]
    small.build()
    with duckdb.connect(str(small.home.published / "district" / "marts.duckdb")) as connection:
        connection.execute("update process.msr_student_tutoring set provider_id = 'brightpath'")
    small.share()
    release(small.home, VENDOR, BY, now=NOW)
    assert rows(small.out(VENDOR), "select count(*) from process.msr_student_tutoring") == [(6,)]
    read.write_text(read.read_text().replace("destroy_by: 2027-06-30", "destroy_by: 2026-07-31"))
    small.share()
    assert rows(small.out(VENDOR), "select distinct contract_id from process.msr_student_tutoring") == [(MATH,)]
    assert b"LU-4" not in all_bytes(small.out(VENDOR))
    assert read_log(small.home)[-1].reason == "the contract's records are to be destroyed"


# ---- readers and kills ----

_READER = """
import sys, time, duckdb, pathlib
folder, stop = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
seen = set()
while not stop.exists():
    with duckdb.connect(str(folder / "marts.duckdb"), read_only=True) as connection:
        told = connection.execute("select distinct sessions_attended - number from (select sessions_attended, row_number() over (order by sessions_attended) as number from process.msr_student_tutoring)").fetchall()
    assert len(told) == 1, told
    seen.add(told[0][0])
    told = duckdb.sql(f"select count(distinct sessions_attended) from read_parquet('{folder}/parquet/process/msr_student_tutoring.parquet')").fetchall()
    assert told == [(3,)], told
    assert (folder / "contents.json").read_text().endswith("}\\n")
print(len(seen))
"""


@pytest.mark.slow
def test_readers_find_no_error_and_no_torn_state_during_fifty_releases(released: SharingHome, tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", _READER, str(released.out(VENDOR)), str(stop)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        for number in range(50):
            released.sessions, released.run_id = 100 * number + 100, f"20260630-{number:012}"
            released.run()
            release(released.home, VENDOR, BY, now=NOW)
    finally:
        stop.touch()
        said = [reader.communicate(timeout=60) for reader in readers]
    assert [reader.returncode for reader in readers] == [0, 0], said
    assert all(int(out) > 3 for out, _ in said)
    assert len(read_log(released.home)) == 51


_RELEASE = """
import sys
from obc_pipeline.home import Home
from obc_pipeline.sharing.release import release
release(Home(sys.argv[1]), "vendor-brightpath", "Dana Whitfield")
"""


@pytest.mark.slow
def test_killed_at_any_moment_what_is_out_is_whole_and_the_next_release_mends_it(released: SharingHome) -> None:
    for number, wait in enumerate((0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.9)):
        was = rows(released.out(VENDOR), SESSIONS)
        released.sessions, released.run_id = 100 * number + 100, f"20260630-{number:012}"
        released.run()
        child = subprocess.Popen([sys.executable, "-c", _RELEASE, str(released.home.path)])
        time.sleep(wait)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        now = rows(released.out(VENDOR), SESSIONS)
        assert now in (was, [("BP-1", 100 * number + 100), ("BP-2", 100 * number + 101), (None, 100 * number + 102)])
        entries = len(read_log(released.home))
        release(released.home, VENDOR, BY)
        assert rows(released.out(VENDOR), SESSIONS)[0] == ("BP-1", 100 * number + 100)
        assert len(read_log(released.home)) == number + 2, f"one entry per release, {entries} before"
        assert standing(released).damage is None
        assert [path.name for path in released.home.published.iterdir() if "releasing" in path.name] == []
