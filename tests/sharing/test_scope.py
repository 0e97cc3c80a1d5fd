"""What each audience is prepared: its own rows, its own keys, the listed columns, and nothing of anybody else, in any byte."""

from __future__ import annotations

import hashlib
import hmac
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from sharing_home import MANIFEST, MATH, STUDENTS, SharingHome, all_bytes, make_sharing_home, model, rows, sharing

from obc_pipeline.sharing.audiences import audiences_of
from obc_pipeline.sharing.errors import SharingDeclarationWrong
from obc_pipeline.sharing.scope import shared_marts


@pytest.fixture
def small(tmp_path: Path) -> SharingHome:
    return make_sharing_home(tmp_path / "home")


def test_audiences_follow_from_workgroups_and_contracts(small: SharingHome) -> None:
    found = {one.audience_id: one for one in audiences_of(small.documents, {"0201": "Hawthorn"})}
    assert list(found) == ["district", "vendor-brightpath", "vendor-lumen", "school-0201", "public"]
    vendor = found["vendor-brightpath"]
    assert (vendor.name, vendor.contracts, vendor.legal_basis, vendor.is_ferpa_recordable) == (
        "Brightpath Tutoring", (MATH,), "SCHOOL_OFFICIAL", False,
    )  # fmt: skip
    assert vendor.workgroups == ("district_vendor_coordination",)
    assert vendor.purpose.startswith("Tutoring in mathematics")
    assert str(vendor.destroy_by[MATH]) == "2027-06-30"
    assert found["public"].legal_basis == "DE_IDENTIFIED"


def test_an_audience_nobody_names_does_not_exist(small: SharingHome) -> None:
    text = (
        small.home.ci_structure_yml.read_text()
        .replace("audience: vendor", "audience: vendor-lumen")
        .replace("audience: school", "audience: school-0202")
    )
    small.home.ci_structure_yml.write_text(text)
    small.home.obc_yml.write_text(small.home.obc_yml.read_text().replace("[district, public]", "[district]"))
    assert [one.audience_id for one in audiences_of(small.documents, {"0201": "Hawthorn"})] == ["district", "vendor-lumen", "school-0202"]


def test_each_vendor_gets_its_own_students_under_its_own_names(small: SharingHome) -> None:
    assert [(one.audience.audience_id, one.problem) for one in small.run()] == [
        (audience, None) for audience in ("vendor-brightpath", "vendor-lumen", "school-0101", "school-0201", "school-0202", "public")
    ]
    sql = "select vendor_student_id, student_key, school_id, sessions_attended from process.msr_student_tutoring order by 4"
    bright, lumen = rows(small.prepared("vendor-brightpath"), sql), rows(small.prepared("vendor-lumen"), sql)
    assert [(row[0], *row[2:]) for row in bright] == [("BP-1", "0201", 10), ("BP-2", "0202", 11), (None, "0202", 12)]
    assert [(row[0], *row[2:]) for row in lumen] == [("LU-4", "0101", 13), ("LU-5", "0202", 14), ("LU-2", "0202", 15)]
    secret = bytes.fromhex((small.home.secrets / "vendor-lumen.key").read_text().strip())
    assert lumen[2][1] == hmac.new(secret, STUDENTS[5].key.encode(), hashlib.sha256).hexdigest()
    assert bright[1][1] != lumen[2][1], "the student whom both teach has another key with each"


def test_a_school_gets_its_own_students_by_their_local_ids(small: SharingHome) -> None:
    small.run()
    folder = small.prepared("school-0202")
    assert rows(folder, "select student_id from process.msr_student_tutoring order by 1") == [
        ("00411002",), ("00411002",), ("00411003",), ("00411005",),
    ]  # fmt: skip
    assert rows(folder, "select distinct column_name from duckdb_columns() where not internal and column_name like '%key%'") == []
    assert rows(folder, "select table_name from duckdb_tables() where table_name = 'fct_payment_decision'") == [], (
        "not declared for schools"
    )


def test_the_public_has_no_rows_of_anybody_and_is_told_what_is_missing(small: SharingHome) -> None:
    small.as_of_date = small.as_of_date.replace(year=2025, month=7, day=1)
    small.run()
    assert rows(small.prepared("public"), "select schema_name || '.' || table_name from duckdb_tables()") == [("quality.published_run",)]
    assert "suppressed aggregates" in rows(small.prepared("public"), "select aggregates from quality.published_run")[0][0]


def test_no_byte_of_a_folder_tells_of_anybody_else(small: SharingHome) -> None:
    small.run()
    found = {name: all_bytes(small.prepared(name)) for name in ("vendor-brightpath", "vendor-lumen", "school-0101")}
    for one in STUDENTS:
        for name, content in found.items():
            assert one.key.encode() not in content, f"{name} has the district's own key"
            is_own = name == f"vendor-{one.provider_id}" or name == f"school-{one.school_id}"
            if one.sent and not is_own:
                assert one.sent.encode() not in content
            if name.startswith("vendor") or not is_own:
                assert one.local_id.encode() not in content
    keys = {row[0] for row in rows(small.prepared("vendor-lumen"), "select student_key from process.msr_student_tutoring")}
    assert not any(key.encode() in found["vendor-brightpath"] for key in keys)


def test_everything_prepared_is_the_districts_alone(small: SharingHome) -> None:
    small.run()
    for path in [small.home.prepared, *small.home.prepared.rglob("*"), *small.home.secrets.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    leftovers = [path for path in small.home.published.rglob("*") if path.name.endswith((".new", ".wal", ".tmp"))]
    assert leftovers == []


@pytest.mark.parametrize("withheld", [{"end_reason": "OPT_OUT"}, {"is_consented": False}])
def test_who_opted_out_is_not_prepared_for_the_vendor_but_for_the_school(small: SharingHome, withheld: dict) -> None:
    small.students = [replace(one, **withheld) if one.sent == "BP-2" else one for one in STUDENTS]
    small.run()
    assert b"BP-2" not in all_bytes(small.prepared("vendor-brightpath"))
    assert rows(small.prepared("vendor-lumen"), "select count(*) from process.msr_student_tutoring") == [(3,)], "the other contract goes on"
    assert rows(small.prepared("school-0202"), "select count(*) from process.msr_student_tutoring where student_id = '00411002'") == [(2,)]


def test_where_consent_is_the_ground_silence_is_no_consent(small: SharingHome) -> None:
    contract = small.home.contracts / f"{MATH}.yml"
    contract.write_text(contract.read_text().replace("ferpa_basis: SCHOOL_OFFICIAL", "ferpa_basis: CONSENT"))
    small.students = [replace(one, is_consented=True) if one.sent == "BP-1" else one for one in STUDENTS]
    small.run()
    assert rows(small.prepared("vendor-brightpath"), "select vendor_student_id from process.msr_student_tutoring") == [("BP-1",)]
    assert rows(small.prepared("vendor-lumen"), "select count(*) from process.msr_student_tutoring") == [(3,)]


def test_a_vendor_reads_reasons_in_the_statements_words(small: SharingHome) -> None:
    small.reasons = {
        "00411001": ("HELD", "OVERLAP_WITHOUT_SHARES", "Lumen Reading claims the student too."),
        "00411002": ("EXCLUDED_OPT_OUT", "LEFT_ROSTER", "Left for medical reasons."),
        "00411003": ("NOT_EARNED", "SOMETHING_NEW", "Nobody has looked at this reason."),
    }
    small.run()
    content = all_bytes(small.prepared("vendor-brightpath"))
    sql = "select decision, reason_code, reason from payable.fct_payment_decision order by 2"
    assert rows(small.prepared("vendor-brightpath"), sql) == [
        ("HELD", "HELD_DISPUTE", "Held until the district has ruled on it."),
        ("EXCLUDED", "LEFT_ROSTER", "Left the roster before the test, for a reason the contract excludes."),
        ("NOT_EARNED", "NOT_STATED", "The district can say why."),
    ]
    assert not any(word in content for word in (b"Lumen", b"medical", b"OVERLAP", b"SOMETHING_NEW", b"OPT_OUT"))


def test_a_mart_or_column_nobody_declared_stays(small: SharingHome) -> None:
    small.run()
    folder = small.prepared("vendor-brightpath")
    assert rows(folder, "select table_name from duckdb_tables() order by 1") == [
        ("dim_school",), ("fct_payment_decision",), ("msr_student_tutoring",), ("published_run",),
    ]  # fmt: skip
    columns = rows(folder, "select column_name from duckdb_columns() where table_name = 'msr_student_tutoring' order by column_index")
    assert [row[0] for row in columns] == ["student_key", "vendor_student_id", "contract_id", "school_id", "sessions_attended"]
    assert rows(folder, "select column_name from duckdb_columns() where not internal and coalesce(comment, '') = ''") == []


_STUDENT = ["contract_id", "provider_id", "school_id", "student_id", "student_key", "line_key", "n"]


@pytest.mark.parametrize(
    ("columns", "declared", "said"),
    [
        (_STUDENT, {"vendor": "rows", "columns": ["n", "line_key"]}, "line_key cannot leave"),
        (_STUDENT, {"vendor": "rows", "columns": ["n", "student_key"]}, "student_key cannot leave"),
        (_STUDENT, {"vendor": "rows", "columns": ["m"]}, "m is no column"),
        (_STUDENT, {"vendor": "rows"}, "no column is listed for a vendor"),
        (_STUDENT, {"vendor": "all", "columns": ["n"]}, "it has students"),
        (_STUDENT, {"vendor": "some", "columns": ["n"]}, "one of rows, all, none"),
        (_STUDENT, {"public": "rows", "columns": ["n"]}, "the public gets suppressed aggregates"),
        (_STUDENT, {"vendors": "rows", "columns": ["n"]}, "a mapping with some of"),
        (_STUDENT, {"vendor": "rows", "columns": ["n"], "columns_if": {"1 = 1": ["n"]}}, "is no condition"),
        (["n", "contract_id"], {"school": "rows", "columns": ["n"]}, "without school_id"),
        (["n", "school_id"], {"vendor": "rows", "columns": ["n"]}, "without provider_id or contract_id"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(columns: list[str], declared: dict, said: str) -> None:
    with pytest.raises(SharingDeclarationWrong, match=said):
        shared_marts({"nodes": {"mart": model("process", "fct", columns, sharing(**declared))}})


def test_only_marts_are_shared() -> None:
    node = model("staging", "stg_users", ["n"], sharing(vendor="all", columns=["n"])) | {"fqn": ["obc", "staging", "stg_users"]}
    with pytest.raises(SharingDeclarationWrong, match="only a mart is shared"):
        shared_marts({"nodes": {"stg": node}})


def test_a_column_with_our_keys_is_found_before_it_is_prepared(small: SharingHome) -> None:
    """A free column into which somebody wrote the district's key: no declaration can know it."""
    small.reasons = {"00411001": (STUDENTS[0].key, "TIER_REACHED", "Reached.")}
    problems = {one.audience.audience_id: one.problem for one in small.run()}
    assert "payable.fct_payment_decision.decision holds the district's own keys" in (problems["vendor-brightpath"] or "")
    assert STUDENTS[0].key not in str(problems)
    assert problems["vendor-lumen"] is None
    assert MANIFEST["nodes"]["decision"]["name"] == "fct_payment_decision"
