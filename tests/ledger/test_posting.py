"""Propose, approve, post: what is posted, what is refused and why, and that a refusal writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from obc_pipeline.ledger import approve, post, propose, read_ledger, standing
from obc_pipeline.ledger.entry import GENESIS, entry_hash
from obc_pipeline.ledger.errors import (
    BreakerTripped,
    ContractBlocked,
    LedgerDamaged,
    LedgerError,
    NoFinishedRun,
    NoSuchContract,
    NotAnApprover,
    NotApproved,
    ProposalsChanged,
    ProposalsInconsistent,
    RunIsOld,
)
from tests.ledger.small_home import ANA, BEN, CONTRACT, SmallHome, line_key, terms

EXPECTED = {"G1|0001": 25_000, "G1|0002": 50_000, "BASE|0001": 58_333}


def settle(small: SmallHome, expected: dict[str, int], by: tuple[str, ...] = (ANA,), accepts: tuple[str, ...] = ()) -> None:
    small.run(expected)
    for name in by:
        approve(small.home, CONTRACT, name, accepts=accepts, documents=small.documents)
    post(small.home, CONTRACT, documents=small.documents)


def files(small: SmallHome) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in small.home.ledger.rglob("*") if path.is_file()}


def refused(small: SmallHome, error: type[LedgerError], act: Callable[[], object], words: str) -> None:
    """The act raises that error with those words, and the ledger's folder is byte for byte as before."""
    before = files(small)
    with pytest.raises(error, match=words):
        act()
    assert files(small) == before


def posting(small: SmallHome) -> Callable[[], object]:
    return lambda: post(small.home, CONTRACT, documents=small.documents)


def test_what_is_posted_is_what_was_expected(small: SmallHome) -> None:
    settle(small, EXPECTED)
    ledger = read_ledger(small.home, CONTRACT)
    assert ledger.balances == {line_key(line): amount for line, amount in EXPECTED.items()}
    assert ledger.posted_cents == sum(EXPECTED.values())
    assert [entry.entry_seq for entry in ledger.entries] == [1, 2, 3]
    assert ledger.entries[0].prev_hash == GENESIS
    assert all(entry.entry_hash == entry_hash(entry.as_row()) for entry in ledger.entries)
    assert {entry.approved_by for entry in ledger.entries} == {ANA}


def test_files_are_read_only_and_named_by_their_last_entry(small: SmallHome) -> None:
    settle(small, EXPECTED)
    (path,) = (small.home.ledger / CONTRACT).glob("*.parquet")
    assert path.name == f"000001_{read_ledger(small.home, CONTRACT).head_hash}.parquet"
    assert all(path.stat().st_mode & 0o777 == 0o400 for path in files(small))
    assert (small.home.ledger / CONTRACT).stat().st_mode & 0o777 == 0o700


def test_posting_twice_posts_nothing_the_second_time(small: SmallHome) -> None:
    settle(small, EXPECTED)
    before = files(small)
    again = post(small.home, CONTRACT, documents=small.documents)
    assert (again.entries, again.path, again.proposal.posted_as) == ((), None, 1)
    assert files(small) == before
    small.run(EXPECTED)
    assert post(small.home, CONTRACT, documents=small.documents).entries == ()


def test_nothing_proposed_is_nothing_to_approve(small: SmallHome) -> None:
    small.run({})
    approved = approve(small.home, CONTRACT, ANA, documents=small.documents)
    assert (approved.is_new, approved.approvals) == (False, ())
    assert not small.home.ledger.exists()


def test_a_restated_score_becomes_an_adjustment_never_an_edit(small: SmallHome) -> None:
    settle(small, EXPECTED)
    first = read_ledger(small.home, CONTRACT)
    settle(small, EXPECTED | {"G1|0001": 75_000})
    ledger = read_ledger(small.home, CONTRACT)
    added = ledger.entries[-1]
    assert (added.entry_kind, added.amount, added.statement_number) == ("ADJUSTMENT", Decimal("500.00"), 2)
    assert added.adjusts_entry_hash == first.last_entries[line_key("G1|0001")].entry_hash
    assert ledger.entries[:3] == first.entries


def test_a_line_no_longer_expected_is_taken_back_and_can_come_again(small: SmallHome) -> None:
    settle(small, EXPECTED)
    settle(small, {line: amount for line, amount in EXPECTED.items() if line != "G1|0002"})
    assert read_ledger(small.home, CONTRACT).entries[-1].entry_kind == "REVERSAL"
    assert read_ledger(small.home, CONTRACT).balances[line_key("G1|0002")] == 0
    settle(small, EXPECTED)
    assert read_ledger(small.home, CONTRACT).entries[-1].entry_kind == "ADJUSTMENT"
    assert read_ledger(small.home, CONTRACT).posted_cents == sum(EXPECTED.values())


def test_unapproved_is_refused(small: SmallHome) -> None:
    small.run(EXPECTED)
    refused(small, NotApproved, posting(small), "Still needed: an approval. Nothing was posted")


def test_approving_again_changes_nothing(small: SmallHome) -> None:
    small.run(EXPECTED)
    assert approve(small.home, CONTRACT, "  ana   LOPEZ ", documents=small.documents).is_new
    before = files(small)
    again = approve(small.home, CONTRACT, ANA, documents=small.documents)
    assert not again.is_new
    assert len(again.approvals) == 1
    assert files(small) == before


def test_changed_proposals_are_no_longer_approved(small: SmallHome) -> None:
    small.run(EXPECTED)
    approve(small.home, CONTRACT, ANA, documents=small.documents)
    small.run(EXPECTED | {"G1|0002": 50_001})
    refused(small, ProposalsChanged, posting(small), "no longer what was approved")


def test_the_same_proposals_of_a_later_run_are_still_approved(small: SmallHome) -> None:
    small.run(EXPECTED)
    approve(small.home, CONTRACT, ANA, documents=small.documents)
    small.run(EXPECTED, as_of=date(2026, 7, 1))
    assert len(post(small.home, CONTRACT, documents=small.documents).entries) == 3


def test_an_approval_counts_once_even_when_the_same_amounts_come_again(small: SmallHome) -> None:
    settle(small, {"G1|0001": 100})
    settle(small, {})
    settle(small, {"G1|0001": 100})
    small.run({})
    refused(small, NotApproved, posting(small), "an approval")


@pytest.mark.parametrize(
    ("changes", "by", "words"),
    [
        ({}, "Carla Stranger", "may not approve CVSD-MATH-2026; these may: Ana Lopez"),
        ({"approvers": ()}, ANA, "names nobody who may approve"),
        ({"approver_roles": ("finance",)}, ANA, "Ana Lopez is procurement; CVSD-MATH-2026 is approved by: finance"),
    ],
)
def test_only_the_contracts_approvers_approve(small: SmallHome, changes: dict, by: str, words: str) -> None:
    small.set_terms(**changes)
    small.run(EXPECTED)
    refused(small, NotAnApprover, lambda: approve(small.home, CONTRACT, by, documents=small.documents), words)


def test_two_people_above_the_limit_and_one_exactly_at_it(small: SmallHome) -> None:
    total = Decimal(sum(EXPECTED.values())) / 100
    small.set_terms(dual_control_above=total - Decimal("0.01"))
    small.run(EXPECTED)
    approve(small.home, CONTRACT, ANA, documents=small.documents)
    approve(small.home, CONTRACT, ANA, documents=small.documents)
    refused(small, NotApproved, posting(small), "a second person's approval")
    approve(small.home, CONTRACT, BEN, documents=small.documents)
    post(small.home, CONTRACT, documents=small.documents)
    assert {entry.approved_by for entry in read_ledger(small.home, CONTRACT).entries} == {f"{ANA}; {BEN}"}


def test_exactly_at_the_limit_one_person_is_enough(small: SmallHome) -> None:
    small.set_terms(dual_control_above=Decimal(sum(EXPECTED.values())) / 100)
    settle(small, EXPECTED)
    assert read_ledger(small.home, CONTRACT).entry_count == 3


def test_what_is_taken_back_needs_two_people_as_well(small: SmallHome) -> None:
    settle(small, EXPECTED)
    small.set_terms(dual_control_above=Decimal("400.00"))
    # 500.00 taken back and 450.00 paid: the statement's sum alone would hide both.
    small.run(EXPECTED | {"G1|0002": 0, "G1|0003": 45_000})
    approve(small.home, CONTRACT, ANA, documents=small.documents)
    refused(small, NotApproved, posting(small), "a second person's approval")


def test_an_approver_who_left_the_contract_no_longer_counts(small: SmallHome) -> None:
    small.run(EXPECTED)
    approve(small.home, CONTRACT, ANA, documents=small.documents)
    small.set_terms(approvers=small.contracts[0].approvers[1:])
    refused(small, NotApproved, posting(small), "an approval")


def test_a_blocked_contract_is_not_posted(small: SmallHome) -> None:
    small.run(EXPECTED)
    approve(small.home, CONTRACT, ANA, documents=small.documents)
    small.run(EXPECTED, blocked={CONTRACT: "too few rows"})
    refused(small, ContractBlocked, posting(small), "a_check: too few rows")
    refused(small, ContractBlocked, lambda: approve(small.home, CONTRACT, BEN, documents=small.documents), "blocked by 1 check")
    small.run(EXPECTED, blocked={"ANOTHER": "too few rows"})
    assert len(post(small.home, CONTRACT, documents=small.documents).entries) == 3


def test_a_run_older_than_the_documents_or_the_archive_is_not_posted(small: SmallHome) -> None:
    small.run(EXPECTED)
    approve(small.home, CONTRACT, ANA, documents=small.documents)
    receipt = small.home.deliveries / "nwea_map" / "20260701T000000Z_0123456789abcdef.json"
    receipt.parent.mkdir(parents=True)
    receipt.write_text("{}", encoding="utf-8")
    refused(small, RunIsOld, posting(small), "the archive changed after the last run")
    receipt.unlink()
    small.home.obc_yml.write_text("as_of: 2026-07-01\n", encoding="utf-8")
    refused(small, RunIsOld, posting(small), "the documents changed after the last run")
    refused(small, RunIsOld, lambda: approve(small.home, CONTRACT, BEN, documents=small.documents), "documents changed")


def test_a_posting_never_goes_back_in_time(small: SmallHome) -> None:
    settle(small, EXPECTED)
    small.run({"G1|0001": 25_000}, as_of=date(2026, 6, 29))
    refused(small, RunIsOld, lambda: approve(small.home, CONTRACT, ANA, documents=small.documents), "on later evidence")


def test_a_ledger_the_run_did_not_see_is_not_posted_on(small: SmallHome) -> None:
    settle(small, EXPECTED)
    settle(small, EXPECTED | {"G1|0001": 30_000})
    small.run(EXPECTED | {"G1|0001": 30_000})
    (newest,) = (small.home.ledger / CONTRACT).glob("000002_*")
    newest.rename(small.path.parent / "kept")
    refused(small, RunIsOld, posting(small), "the ledger is not the one the last run saw")


def test_no_finished_run_no_proposals(small: SmallHome) -> None:
    small.path.mkdir()
    refused(small, NoFinishedRun, posting(small), "no run has finished")
    small.run(EXPECTED)
    small.home.run_state.unlink()
    refused(small, NoFinishedRun, posting(small), "no run has finished")


def test_an_unknown_contract_is_named_with_those_there_are(small: SmallHome) -> None:
    small.run(EXPECTED)
    refused(small, NoSuchContract, lambda: post(small.home, "NONE", documents=small.documents), "the documents have: CVSD-MATH-2026")


@pytest.mark.parametrize(
    ("limits", "expected", "name"),
    [
        ({"max_delta_share": Decimal("0.10"), "max_reversal_share": Decimal(1)}, {"A|1": 1_000, "B|1": 799}, "delta"),
        ({"max_delta_share": Decimal(1), "max_reversal_share": Decimal("0.05")}, {"A|1": 1_000}, "reversal"),
    ],
)
def test_a_breaker_stops_until_the_approval_names_it(small: SmallHome, limits: dict, expected: dict[str, int], name: str) -> None:
    settle(small, {"A|1": 1_000, "B|1": 1_000})
    small.set_terms(breakers=SimpleNamespace(**limits))
    small.run(expected)
    approve(small.home, CONTRACT, ANA, documents=small.documents)
    refused(small, BreakerTripped, posting(small), f"--accept-breaker {name}")
    assert approve(small.home, CONTRACT, ANA, accepts=[name], documents=small.documents).is_new
    assert not approve(small.home, CONTRACT, ANA, accepts=[name], documents=small.documents).is_new
    assert post(small.home, CONTRACT, documents=small.documents).path is not None


def test_exactly_at_the_breakers_limit_passes(small: SmallHome) -> None:
    settle(small, {"A|1": 1_000, "B|1": 1_000})
    small.set_terms(breakers=SimpleNamespace(max_delta_share=Decimal("0.10"), max_reversal_share=Decimal("0.05")))
    settle(small, {"A|1": 1_000, "B|1": 800})
    assert read_ledger(small.home, CONTRACT).posted_cents == 1_800


def test_new_lines_trip_no_breaker(small: SmallHome) -> None:
    settle(small, {"A|1": 1_000})
    small.set_terms(breakers=SimpleNamespace(max_delta_share=Decimal(0), max_reversal_share=Decimal(0)))
    settle(small, {"A|1": 1_000, "B|1": 90_000})
    assert read_ledger(small.home, CONTRACT).posted_cents == 91_000


def test_after_the_restatement_deadline_differences_are_listed_not_posted(small: SmallHome) -> None:
    settle(small, EXPECTED)
    small.set_terms(restatement_deadline=date(2026, 8, 31))
    changed = EXPECTED | {"G1|0001": 75_000}
    small.run(changed, as_of=date(2026, 8, 31))
    assert len(propose(small.home, CONTRACT, small.documents).entries) == 1
    small.run(changed, as_of=date(2026, 9, 1))
    proposal = propose(small.home, CONTRACT, small.documents)
    assert proposal.entries == ()
    assert [late.amount_cents for late in proposal.late_changes] == [50_000]
    before = files(small)
    assert post(small.home, CONTRACT, documents=small.documents).path is None
    assert files(small) == before


@pytest.mark.parametrize(
    "damage",
    [
        "update payable.fct_proposed_entry set amount = amount + 0.01",
        "update payable.fct_proposed_entry set posted_amount = posted_amount - 0.01, amount = amount + 0.01",
        "update payable.fct_proposed_entry set adjusts_entry_hash = null",
        "update payable.fct_proposed_entry set entry_kind = 'NEW'",
        "insert into payable.fct_proposed_entry select * from payable.fct_proposed_entry",
        "update payable.fct_proposed_entry set reason_code = null",
        "alter table payable.fct_proposed_entry alter amount type double",
    ],
)
def test_proposals_that_do_not_fit_the_ledger_are_refused(small: SmallHome, damage: str) -> None:
    settle(small, EXPECTED)
    small.run(EXPECTED | {"G1|0001": 30_000})
    with duckdb.connect(str(small.home.warehouse)) as connection:
        connection.execute(damage)
    refused(small, ProposalsInconsistent, posting(small), "othing was posted")


def test_an_approval_changed_by_hand_is_found(small: SmallHome) -> None:
    small.run(EXPECTED)
    approve(small.home, CONTRACT, ANA, documents=small.documents)
    (path,) = (small.home.ledger / CONTRACT / "approvals").glob("*.json")
    path.chmod(0o600)
    path.write_text(path.read_text(encoding="utf-8").replace(ANA, BEN), encoding="utf-8")
    refused(small, LedgerDamaged, posting(small), "its bytes are not those that were written")


def test_what_an_approval_says(small: SmallHome) -> None:
    small.run(EXPECTED)
    approved = approve(small.home, CONTRACT, ANA, documents=small.documents)
    (approval,) = approved.approvals
    assert (approval.by, approval.role, approval.entries, approval.amount) == (ANA, "procurement", 3, "1333.33")
    assert approval.proposal_hash == propose(small.home, CONTRACT, small.documents).proposal_hash
    assert standing(approved.proposal, approved.approvals).is_enough
    text = next((small.home.ledger / CONTRACT / "approvals").glob("*.json")).read_text(encoding="utf-8")
    assert "0001" not in text.replace(approval.proposal_hash, "").replace(GENESIS, ""), "no student in an approval"


def test_posting_one_contract_does_not_make_the_run_old_for_another(small: SmallHome) -> None:
    small.contracts.append(terms(contract_id="CVSD-READ-2026"))
    small.run({"G1|0001": 100}, also={"CVSD-READ-2026": {"G1|0002": 200}})
    for contract_id in (CONTRACT, "CVSD-READ-2026"):
        approve(small.home, contract_id, ANA, documents=small.documents)
        assert len(post(small.home, contract_id, documents=small.documents).entries) == 1
    assert read_ledger(small.home, "CVSD-READ-2026").posted_cents == 200
