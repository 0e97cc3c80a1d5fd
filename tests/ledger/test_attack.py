"""Somebody who wants the ledger to lie, to pay twice, or to pay what nobody approved: what they try, and what comes of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from obc_pipeline import fingerprint
from obc_pipeline.ledger import approve, contracts_with_ledger, post, propose, read_ledger, register_ledger
from obc_pipeline.ledger.chain import contract_folder
from obc_pipeline.ledger.errors import LedgerDamaged, LedgerError, NotAnApprover, NotApproved, ProposalsChanged
from obc_pipeline.ledger.gate import GateState, look_at_gate
from obc_pipeline.ledger.verify import verify
from tests.ledger.small_home import ANA, BEN, CONTRACT, SmallHome, terms

REPOSITORY = Path(__file__).resolve().parents[2]
EXPECTED = {"G1|0001": 25_000, "G1|0002": 50_000, "BASE|0001": 58_333}
CARLA = SimpleNamespace(name="Carla Stranger", role="procurement")


def agreed(small: SmallHome, *names: str) -> None:
    for name in names:
        approve(small.home, CONTRACT, name, documents=small.documents)


def refused(small: SmallHome, error: type[LedgerError], words: str) -> None:
    """A posting is refused in those words, and no statement is there that was not there before."""
    before = sorted(small.home.ledger.glob("*/*.parquet"))
    with pytest.raises(error, match=words):
        post(small.home, CONTRACT, documents=small.documents)
    assert sorted(small.home.ledger.glob("*/*.parquet")) == before


def problems(small: SmallHome) -> tuple[str, ...]:
    return verify(small.home, with_intake=False).problems


# ---- who approves ----


def test_one_person_in_several_spellings_is_one_person(small: SmallHome) -> None:
    small.set_terms(dual_control_above=Decimal(1))
    small.run(EXPECTED)
    agreed(small, ANA, "  ana   LOPEZ ", "Ana Lopez\u200a", "ANA LOPEZ")
    refused(small, NotApproved, "a second person's approval")


def test_a_limit_lifted_after_the_first_approval_does_not_make_it_enough(small: SmallHome) -> None:
    small.set_terms(dual_control_above=Decimal(1))
    small.run(EXPECTED)
    agreed(small, ANA)
    small.set_terms(dual_control_above=None)
    small.run(EXPECTED)
    refused(small, NotApproved, r"an approval \(the contract's terms of approval changed after Ana Lopez approved\)")
    assert look_at_gate(small.home, CONTRACT, small.documents).state == GateState.AWAITING_APPROVAL
    agreed(small, ANA)
    assert post(small.home, CONTRACT, documents=small.documents).entries


@pytest.mark.parametrize(
    "changes",
    [
        {"approvers": (*terms().approvers, CARLA)},
        {"approver_roles": ("procurement",)},
        {"approver_roles": ()},
        {"breakers": SimpleNamespace(max_delta_share=Decimal("0.5"), max_reversal_share=Decimal(1))},
        {"restatement_deadline": date(2027, 1, 1)},
    ],
)
def test_an_approval_counts_under_the_terms_it_was_given_under(small: SmallHome, changes: dict) -> None:
    small.run(EXPECTED)
    agreed(small, ANA)
    small.set_terms(**changes)
    small.run(EXPECTED)
    refused(small, NotApproved, "terms of approval changed")


def test_the_same_terms_written_otherwise_are_the_same(small: SmallHome) -> None:
    small.set_terms(dual_control_above=Decimal("2000"))
    small.run(EXPECTED)
    agreed(small, ANA)
    small.set_terms(
        dual_control_above=Decimal("2000.00"), approvers=tuple(reversed(terms().approvers)), approver_roles=("finance", "procurement")
    )
    assert post(small.home, CONTRACT, documents=small.documents).entries


def test_only_those_whose_approval_counts_are_named(small: SmallHome) -> None:
    """An approver who left the contract before the posting did not approve it."""
    small.run(EXPECTED)
    agreed(small, ANA)
    small.set_terms(approvers=small.contracts[0].approvers[1:])
    small.run(EXPECTED)
    agreed(small, BEN)
    post(small.home, CONTRACT, documents=small.documents)
    assert {entry.approved_by for entry in read_ledger(small.home, CONTRACT).entries} == {BEN}
    assert problems(small) == ()


def test_what_changed_between_looking_and_approving_is_not_approved(small: SmallHome) -> None:
    small.run(EXPECTED)
    seen = propose(small.home, CONTRACT, small.documents).proposal_hash
    small.run(EXPECTED | {"G1|0002": 99_999_00})
    for told in (seen, seen[:12], seen[:3], ""):
        with pytest.raises(ProposalsChanged, match="is not what you looked at"):
            approve(small.home, CONTRACT, ANA, seen=told, documents=small.documents)
    assert not small.home.ledger.exists()
    now = propose(small.home, CONTRACT, small.documents).proposal_hash
    assert approve(small.home, CONTRACT, ANA, seen=now[:12].upper(), documents=small.documents).is_new


def test_an_approval_of_another_contract_is_none(small: SmallHome) -> None:
    small.contracts = [terms(), terms(contract_id="OTHER")]
    small.run(EXPECTED, also={"OTHER": EXPECTED})
    approve(small.home, "OTHER", ANA, documents=small.documents)
    theirs = next((contract_folder(small.home, "OTHER") / "approvals").glob("*.json"))
    mine = propose(small.home, CONTRACT, small.documents).proposal_hash
    folder = contract_folder(small.home, CONTRACT) / "approvals"
    folder.mkdir(parents=True)
    shutil.copyfile(theirs, folder / f"{mine}_1.json")
    refused(small, LedgerDamaged, "it approves something else than its name says")


# ---- approval files ----


def approval_file(small: SmallHome) -> Path:
    (path,) = (contract_folder(small.home, CONTRACT) / "approvals").glob("*.json")
    return path


def rewritten(path: Path, **changes: object) -> None:
    """The approval with other content and a seal worked out anew, as somebody does who has read the program."""
    record = json.loads(path.read_text(encoding="utf-8"))
    del record["seal"]
    record |= changes
    text = json.dumps(record, sort_keys=True, ensure_ascii=False)
    record["seal"] = hashlib.sha256(text.encode()).hexdigest()
    path.chmod(0o600)
    path.write_text(json.dumps(record, sort_keys=True, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def test_an_approval_rewritten_after_the_posting_is_found(small: SmallHome) -> None:
    """Before a posting nobody can tell: an approval is a record, not a signature (docs/ledger.md). After it, the entries hold its hash."""
    small.run(EXPECTED)
    agreed(small, ANA)
    post(small.home, CONTRACT, documents=small.documents)
    rewritten(approval_file(small), by=BEN, role="finance")
    assert any("its approvals are not those it was posted with" in problem for problem in problems(small))


def test_an_approval_edited_without_its_seal_stops_the_posting(small: SmallHome) -> None:
    small.run(EXPECTED)
    agreed(small, ANA)
    path = approval_file(small)
    path.chmod(0o600)
    path.write_text(path.read_text(encoding="utf-8").replace('"amount": "1333.33"', '"amount": "1.00"'), encoding="utf-8")
    refused(small, LedgerDamaged, "its bytes are not those that were written")
    assert look_at_gate(small.home, CONTRACT, small.documents).state == GateState.BLOCKED


def test_approvals_that_are_links_copies_or_misnamed_stop_the_posting(small: SmallHome) -> None:
    small.set_terms(dual_control_above=Decimal(1))
    small.run(EXPECTED)
    agreed(small, ANA)
    first = approval_file(small)
    digest = first.stem.rpartition("_")[0]
    for name in (f"{digest}_2.json", f"{digest}_x.json", f"{digest}_01.json", f"{digest}_3.json", f"{digest}_2.json\n"):
        for put in (lambda path: shutil.copyfile(first, path), lambda path: path.symlink_to(first)):
            path = first.with_name(name)
            put(path)
            with pytest.raises(NotApproved if name == f"{digest}_2.json" and not path.is_symlink() else LedgerDamaged):
                post(small.home, CONTRACT, documents=small.documents)
            path.unlink()
    first.rename(first.with_name(f"{digest}_2.json"))
    refused(small, LedgerDamaged, "it does not belong here, or one before it is missing")
    with pytest.raises(LedgerDamaged):
        approve(small.home, CONTRACT, BEN, documents=small.documents)


# ---- twice ----


def test_two_processes_at_once_post_once(small: SmallHome) -> None:
    small.run(EXPECTED)
    agreed(small, ANA)
    command = [sys.executable, "-m", "tests.ledger.test_attack", str(small.path)]
    both = [subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate(timeout=120)[0].strip() for process in both]
    assert sorted(set(said) - {"HomeBusy", "nothing"}) == ["posted"], said
    assert said.count("posted") == 1
    ledger = read_ledger(small.home, CONTRACT)
    assert (len(ledger.statements), ledger.posted_cents) == (1, sum(EXPECTED.values()))


def test_a_run_repeated_after_a_posting_proposes_nothing_more(small: SmallHome) -> None:
    small.run(EXPECTED)
    agreed(small, ANA)
    post(small.home, CONTRACT, documents=small.documents)
    small.home.warehouse.unlink()
    small.run(EXPECTED)
    assert propose(small.home, CONTRACT, small.documents).entries == ()


def test_a_statement_put_aside_and_posted_again_is_seen_against_print(small: SmallHome) -> None:
    """The tail is cut off, the run proposes the same once more and it is approved once more: a chain cannot know, the print does."""
    from obc_pipeline.ledger.verify import PrintedHead

    small.run(EXPECTED)
    agreed(small, ANA)
    printed = post(small.home, CONTRACT, documents=small.documents)
    shutil.rmtree(contract_folder(small.home, CONTRACT))
    small.run(EXPECTED)
    agreed(small, ANA)
    post(small.home, CONTRACT, documents=small.documents, now=lambda: datetime(2026, 7, 9, tzinfo=UTC))
    found = verify(small.home, heads=[PrintedHead(printed.head_hash, printed.entry_count)], with_intake=False)
    assert any("was written anew" in problem for problem in found.problems)


# ---- time ----


def test_a_clock_that_goes_back_changes_neither_order_nor_amount(small: SmallHome) -> None:
    small.run(EXPECTED)
    agreed(small, ANA)
    post(small.home, CONTRACT, documents=small.documents, now=lambda: datetime(2030, 1, 1, tzinfo=UTC))
    small.run(EXPECTED | {"G1|0001": 30_000})
    approve(small.home, CONTRACT, ANA, documents=small.documents, now=lambda: datetime(1999, 1, 1, tzinfo=UTC))
    post(small.home, CONTRACT, documents=small.documents, now=lambda: datetime(1999, 1, 1, tzinfo=UTC))
    ledger = read_ledger(small.home, CONTRACT)
    assert [entry.entry_seq for entry in ledger.entries] == [1, 2, 3, 4]
    assert ledger.posted_cents == sum(EXPECTED.values()) + 5_000
    assert problems(small) == ()


def test_a_run_dated_back_before_the_deadline_on_later_evidence_restates_nothing(small: SmallHome) -> None:
    """SmallHome's evidence ends on 2026-06-30."""
    small.run(EXPECTED, as_of=date(2026, 6, 20))
    agreed(small, ANA)
    post(small.home, CONTRACT, documents=small.documents)
    small.set_terms(restatement_deadline=date(2026, 6, 29))
    small.run(EXPECTED | {"G1|0001": 90_000}, as_of=date(2026, 6, 29))
    proposal = propose(small.home, CONTRACT, small.documents)
    assert (proposal.entries, len(proposal.late_changes)) == ((), 1)
    small.set_terms(restatement_deadline=date(2026, 6, 30))
    assert len(propose(small.home, CONTRACT, small.documents).entries) == 1, "the deadline's own day still counts"


# ---- files and folders ----


@pytest.fixture
def posted(small: SmallHome) -> SmallHome:
    for expected in (EXPECTED, EXPECTED | {"G1|0001": 75_000}):
        small.run(expected)
        agreed(small, ANA)
        post(small.home, CONTRACT, documents=small.documents)
    return small


COPIES: dict[str, Callable[[Path], Path]] = {
    "the next number": lambda path: path.with_name(path.name.replace("000001", "000003")),
    "its own number, another head": lambda path: path.with_name(f"000001_{'0' * 64}.parquet"),
    "a line break behind": lambda path: path.with_name(path.name + "\n"),
    "digits of another script": lambda path: path.with_name(path.name.replace("000001", "٠٠٠٠٠٣")),
    "capitals": lambda path: path.with_name(path.name.upper()),
    "hidden": lambda path: path.with_name("." + path.name),
    "another folder": lambda path: path.parent / "approvals" / path.name,
    "another spelling of the contract": lambda path: path.parent.with_name(path.parent.name.replace("-", "%2D")) / path.name,
    "another contract": lambda path: path.parent.with_name("OTHER") / path.name,
}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("as_link", [False, True])
def test_a_statement_copied_or_linked_to_another_name_pays_nothing_and_is_named(posted: SmallHome, how: str, as_link: bool) -> None:
    (first,) = contract_folder(posted.home, CONTRACT).glob("000001_*")
    copy = COPIES[how](first)
    copy.parent.mkdir(exist_ok=True)
    if as_link:
        copy.symlink_to(first)
    else:
        shutil.copyfile(first, copy)
    assert problems(posted), f"{copy} was not named"
    with duckdb.connect() as connection:
        register_ledger(connection, posted.home)
        (twice,) = connection.execute("select count(*) - count(distinct entry_hash) from ledger.entry").fetchone() or (None,)
        (amount,) = connection.execute(
            "select coalesce(sum(amount), 0) from ledger.entry where contract_id = ?", [CONTRACT]
        ).fetchone() or (0,)
    assert twice == 0
    assert amount <= Decimal(sum(EXPECTED.values()) + 50_000) / 100


def test_a_contracts_folder_that_is_a_link_is_not_written_through(posted: SmallHome) -> None:
    folder = contract_folder(posted.home, CONTRACT)
    elsewhere = posted.path.parent / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    assert problems(posted)
    posted.run(EXPECTED)
    with pytest.raises(LedgerDamaged):
        propose(posted.home, CONTRACT, posted.documents)
    assert len(list(elsewhere.glob("*.parquet"))) == 2


def test_evidence_changed_before_it_is_needed_again_stops_the_posting(small: SmallHome) -> None:
    small.run(EXPECTED)
    agreed(small, ANA)
    copy = small.copy_to(small.path.parent / "copy")
    post(copy.home, CONTRACT, documents=copy.documents)
    for path in (copy.home.ledger / "_evidence").iterdir():
        target = small.home.ledger / "_evidence" / path.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(b"{}")
    refused(small, LedgerDamaged, "was changed after it was written")


ODD = (
    st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="|"), min_size=1, max_size=20).map(str.strip).filter(bool)
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    contract_id=st.one_of(
        ODD, st.sampled_from(["..", ".", "../x", "/etc", "a/b", "_evidence", "_settlements", "%2E", "con'tract\"", "a*?[b]", "$(x)", "-rf"])
    )
)
def test_a_contract_may_be_called_anything(quick_path: Path, contract_id: str) -> None:
    """One folder per contract, inside the ledger, found again under its id."""
    path = quick_path / hashlib.sha256(contract_id.encode()).hexdigest()[:12]
    shutil.rmtree(path, ignore_errors=True)
    small = SmallHome(path / "home", [terms(), terms(contract_id=contract_id)])
    small.run({}, also={contract_id: {"G1|0001": 100}})
    approve(small.home, contract_id, ANA, documents=small.documents)
    done = post(small.home, contract_id, documents=small.documents)
    assert done.path is not None
    assert done.path.parent.parent == small.home.ledger
    assert contracts_with_ledger(small.home) == [contract_id]
    assert problems(small) == ()
    with duckdb.connect() as connection:
        register_ledger(connection, small.home)
        assert connection.execute("select contract_id, sum(amount) from ledger.entry group by 1").fetchall() == [
            (contract_id, Decimal("1.00"))
        ]
    assert sorted(entry.name for entry in path.iterdir()) == ["home"]
    shutil.rmtree(path)


def test_nobody_approves_who_is_only_almost_named(small: SmallHome) -> None:
    small.run(EXPECTED)
    for name in ("Ana", "Ana Lopez; Ben Okafor", "Ana\u00a0 Lopez Jr", "", "*", "An\u0430 Lopez"):  # the last has a Cyrillic letter
        with pytest.raises(NotAnApprover):
            approve(small.home, CONTRACT, name, documents=small.documents)
    assert not small.home.ledger.exists()


def _post_in_a_process(path: Path) -> str:
    from obc_pipeline.errors import HomeBusy
    from obc_pipeline.ledger import evidence

    fingerprint.code_digest = evidence.code_digest = lambda: "c" * 64  # as the run that is posted was made
    small = SmallHome(path)
    try:
        return "posted" if post(small.home, CONTRACT, documents=small.documents).entries else "nothing"
    except HomeBusy:
        return "HomeBusy"


if __name__ == "__main__":
    os.umask(0o077)
    print(_post_in_a_process(Path(sys.argv[1])))
