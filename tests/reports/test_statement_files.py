"""Statements: what they add up to, what each reader may see, and that the same statement is the same bytes."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obc_pipeline.dbt_build import PROJECT_DIR
from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.ledger import read_ledger
from obc_pipeline.ledger.entry import cents
from obc_pipeline.reports import AUDIENCES, read_statement, write_statement
from obc_pipeline.reports.audience import TOLD_TO_VENDORS, WITHHELD, reason_for
from obc_pipeline.reports.statement import Statement
from obc_pipeline.reports.words import balances
from tests.ledger.small_home import CONTRACT, line_key
from tests.reports.small_statement import FIRST, SECRET, SENT, ReportHome
from tests.reports.texts import texts

SECOND = [
    replace(row, payable=75_000, earned=75_000, tier=3, cap=None) if row.line == "G1|0001" else row
    for row in FIRST
    if row.line != "G1|0002"
]


def _by_reader(paths: list[Path]) -> dict[str, str]:
    vendor = [path for path in paths if path.stem.endswith("_vendor")]
    return {"vendor": "\n".join(map(texts, vendor)), "procurement": "\n".join(texts(path) for path in paths if path not in vendor)}


def _adds_up(statement: Statement) -> None:
    told = dict(balances(statement))
    parts = [amount for name, amount in told.items() if not name.startswith(("Opening", "This", "Closing"))]
    assert sum(parts) == told["This statement"] == sum(group.moved_cents for group in statement.groups)
    assert told["Opening balance (posted before)"] + told["This statement"] == told["Closing balance"]
    assert sum(group.standing_cents for group in statement.groups) == told["Closing balance"]
    assert sum(cause.cents for cause in statement.causes) == told["Adjustments of earlier statements"]


def test_the_proposal_adds_up_and_is_marked(district: ReportHome) -> None:
    statement = read_statement(district.home, CONTRACT, None, "procurement")
    _adds_up(statement)
    assert (statement.number, statement.opening_cents, statement.closing_cents) == (1, 0, 58_333 + 10_000 + 50_000 + 25_000)
    assert statement.above_cap_cents == 15_000
    assert [(cap.name, cap.line_id, cap.cut_cents) for cap in statement.caps] == [("outcome pool", "G1", 15_000)]
    paths = write_statement(district.home, CONTRACT)
    assert [path.name for path in paths] == [
        f"{CONTRACT}_PROPOSED_0001.xlsx", f"{CONTRACT}_PROPOSED_0001.pdf", f"{CONTRACT}_PROPOSED_0001_vendor.xlsx", f"{CONTRACT}_PROPOSED_0001_vendor.pdf",
    ]  # fmt: skip
    assert all(path.parent == district.home.reports / "statements" and path.stat().st_mode & 0o077 == 0 for path in paths)
    for path in paths:
        assert "PROPOSED: not approved, not posted, not payable" in texts(path)


def test_a_posted_statement_says_what_the_ledger_says(district: ReportHome) -> None:
    write_statement(district.home, CONTRACT)
    district.post()
    ledger = read_ledger(district.home, CONTRACT)
    paths = write_statement(district.home, CONTRACT)
    statement = read_statement(district.home, CONTRACT, 1, "procurement")
    _adds_up(statement)
    assert statement.closing_cents == ledger.posted_cents
    assert {line.told.line_key: line.amount_cents for line in statement.lines if line.amount_cents} == {
        e.line_key: cents(e.amount) for e in ledger.entries
    }
    assert [one.by for one in statement.approvals] == ["Dana Whitfield", "Marcus Oyelaran"]
    for path in paths:
        assert ledger.head_hash in texts(path)
        assert "PROPOSED" not in texts(path)
    assert not list((district.home.reports / "statements").glob("*PROPOSED*")), "what was proposed is posted now"


def test_the_next_statement_tells_adjustments_and_reversals_with_their_causes(district: ReportHome) -> None:
    district.post()
    district.run(SECOND)
    statement = read_statement(district.home, CONTRACT, None, "procurement")
    _adds_up(statement)
    assert statement.number == 2
    assert {(cause.entry_kind, cause.adjusts_statement, cause.reason_code, cause.cents) for cause in statement.causes} == {
        ("ADJUSTMENT", 1, "TIER_REACHED", 25_000),
        ("REVERSAL", 1, "NO_LONGER_EXPECTED", -25_000),
    }
    district.post()
    first, second = (read_statement(district.home, CONTRACT, number, "procurement") for number in (1, 2))
    assert first.closing_cents == second.opening_cents
    assert second.closing_cents == read_ledger(district.home, CONTRACT).posted_cents
    _adds_up(first)
    _adds_up(second)


def test_a_posted_statement_is_printed_again_as_it_was_at_posting(district: ReportHome) -> None:
    """Whatever has come since: other scores, other tiers, students gone, another vendor's id, an amended price."""
    district.post()
    at_posting = {path.name: path.read_bytes() for path in write_statement(district.home, CONTRACT, 1)}
    district.run(SECOND)
    contract = next(district.home.contracts.glob("*MATH*"))
    contract.write_text(contract.read_text(encoding="utf-8").replace("600.00", "612.50"), encoding="utf-8")
    with duckdb.connect(str(district.home.warehouse)) as connection:
        connection.execute("update staging.stg_tutoring_sessions__session_student set student_id = student_id || '-new'")
    assert {path.name: path.read_bytes() for path in write_statement(district.home, CONTRACT, 1)} == at_posting
    statement = read_statement(district.home, CONTRACT, 1, "procurement")
    assert {line.tier for line in statement.lines if line.told.decision == "EARNED"} == {1, 2}
    assert statement.above_cap_cents == 15_000
    assert statement.terms["Base"].startswith("600.00")


def test_a_student_who_opted_out_since_is_withheld_from_the_vendors_reprint(district: ReportHome) -> None:
    district.post()
    before = {line.told.vendor_student_id for line in read_statement(district.home, CONTRACT, 1, "vendor").lines}
    district.run([row for row in FIRST if not row.line.endswith("0002")] + [replace(FIRST[3], payable=20_000)])
    with duckdb.connect(str(district.home.warehouse)) as connection:
        connection.execute(
            "insert into input_layer.input__roster_assignment values (?, md5('0002'), 'OPT_OUT', date '2026-06-30')", [CONTRACT]
        )
    after = {line.told.vendor_student_id for line in read_statement(district.home, CONTRACT, 1, "vendor").lines}
    assert before - after == {"bp-1002"}


def test_every_cent_since_the_statement_before_has_a_step(district: ReportHome) -> None:
    district.post()
    district.run(SECOND)
    for audience in AUDIENCES:
        statement = read_statement(district.home, CONTRACT, None, audience)
        assert [(one.step, one.cause, one.lines, one.cents) for one in statement.changes] == [
            ("OPENING", "", 7, 143_333),
            ("RESTATED_UP", "TIER_REACHED", 1, 15_000),
            ("GONE", "TIER_REACHED", 1, -30_000),
            ("CAPS", "POOL", 2, 15_000),
            ("CLOSING", "", 6, 143_333),
        ]
        assert statement.changes[0].cents == statement.opening_cents
        assert statement.changes[-1].cents == statement.closing_cents
    assert read_statement(district.home, CONTRACT, 1, "procurement").changes == ()
    for path in write_statement(district.home, CONTRACT):
        assert "Decided before, worth more now" in texts(path)


def test_the_same_statement_is_the_same_bytes(district: ReportHome) -> None:
    once = {path.name: path.read_bytes() for path in write_statement(district.home, CONTRACT)}
    again = {path.name: path.read_bytes() for path in write_statement(district.home, CONTRACT)}
    assert once == again
    district.run([replace(FIRST[0], payable=58_334), *FIRST[1:]])
    assert all(path.read_bytes() != once[path.name] for path in write_statement(district.home, CONTRACT)), "another amount is another file"


def test_no_reason_tells_a_vendor_of_another_vendors_roster(district: ReportHome) -> None:
    texts = _by_reader(write_statement(district.home, CONTRACT))
    assert "OVERLAP_WITHOUT_SHARES" in texts["procurement"]
    for word in ("OVERLAP", "Another contract", "shares", "lm-9", "OTHER"):
        assert word not in texts["vendor"]
    held = {
        line.told.reason for line in read_statement(district.home, CONTRACT, None, "vendor").lines if line.told.decision == "HELD_DISPUTE"
    }
    assert len(held) == 1, "an overlap that reads unlike other disputes tells of itself"


def test_a_vendor_gets_its_own_ids_and_nobody_gets_the_districts(district: ReportHome) -> None:
    texts = _by_reader(write_statement(district.home, CONTRACT))
    for student, sent in SENT.items():
        assert (sent in texts["vendor"]) == (student != "0003"), "all but the student whose parents opted out"
        assert sent not in texts["procurement"]
    for reader in texts.values():
        assert not re.search(r"(?<![\w-])000[1-5](?!\w)", reader), "the district's own ids stay inside"


def test_a_student_who_opted_out_is_an_amount_and_nothing_else(district: ReportHome) -> None:
    seen = read_statement(district.home, CONTRACT, None, "vendor")
    withheld = [line for line in seen.lines if line.told.student_key == WITHHELD]
    assert sum(line.amount_cents for line in withheld) == 10_000
    assert {line.told.line_key for line in withheld} == {WITHHELD}
    assert {line.school_id for line in withheld} == {""}
    texts = _by_reader(write_statement(district.home, CONTRACT))
    assert line_key("BASE|0003") not in texts["vendor"]
    assert "OPT_OUT" not in texts["vendor"]


def test_nothing_a_sender_wrote_becomes_a_formula(district: ReportHome) -> None:
    book = write_statement(district.home, CONTRACT)[0]
    with zipfile.ZipFile(book) as files:
        sheets = [files.read(name).decode() for name in files.namelist() if name.startswith("xl/worksheets/sheet")]
        assert not any("<f>" in sheet or "<hyperlink" in sheet for sheet in sheets)
    assert '=HYPERLINK("x")' in texts(book)


@given(code=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", min_size=3, max_size=30).filter(lambda code: code not in TOLD_TO_VENDORS))
def test_a_reason_nobody_has_looked_at_is_not_told(code: str) -> None:
    told_code, words = reason_for("vendor", code, SECRET)
    assert told_code != code or code in ("HELD_DISPUTE", "LEFT_ROSTER", "NOT_STATED")
    assert words != SECRET
    assert reason_for("procurement", code, SECRET) == (code, SECRET)


def test_somebody_has_looked_at_every_reason_the_models_give() -> None:
    models = [
        *(PROJECT_DIR / "models" / "intermediate" / "payment").glob("*.sql"),
        PROJECT_DIR / "models" / "marts" / "payable" / "fct_base_payment.sql",
    ]
    named = set()
    for model in models:
        for case in re.findall(r"case(?:(?!\bcase\b).)*?end as (?:own_)?reason_code", model.read_text(), re.DOTALL):
            named |= set(re.findall(r"(?:then|else)\s+'([A-Z_]{6,})'", case))
    assert len(named) > 30
    assert named - TOLD_TO_VENDORS == {"OPEN_DISPUTE", "OVERLAP_WITHOUT_SHARES", "LEFT_ROSTER"}


def test_a_statement_that_is_not_there_is_said_with_those_that_are(district: ReportHome) -> None:
    district.post()
    with pytest.raises(ArgumentWrong, match=r"no posted statement 7; posted: 1"):
        read_statement(district.home, CONTRACT, 7, "procurement")
