"""Verify: whatever is changed, removed, put in, swapped, cut or written anew is named."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from obc_pipeline.home import Home
from obc_pipeline.ledger import approve, inspect_ledger, post, read_ledger, statement_file
from obc_pipeline.ledger.approval import Approval, approval_hash
from obc_pipeline.ledger.chain import contract_folder
from obc_pipeline.ledger.entry import GENESIS, Entry, cents, dollars
from obc_pipeline.ledger.errors import NoSuchContract
from obc_pipeline.ledger.proposal import proposal_hash_of
from obc_pipeline.ledger.settlement import Settlement, read_settlement, settlement_path
from obc_pipeline.ledger.statement_file import StatementName
from obc_pipeline.ledger.verify import PrintedHead, Verified, verify
from tests.ledger.small_home import ANA, BEN, CONTRACT, IN_MEMORY, SmallHome, make_quick

STATEMENTS = (
    {"G1|0001": 25_000, "G1|0002": 50_000, "BASE|0001": 58_333},
    {"G1|0001": 75_000, "G1|0002": 50_000, "BASE|0001": 58_333, "BASE|0002": 60_000},
    {"G1|0001": 75_000, "BASE|0001": 60_000, "BASE|0002": 60_000},
)


@pytest.fixture(scope="module")
def _posted() -> Iterator[SmallHome]:
    """Three statements, each approved by two people."""
    folder = tempfile.TemporaryDirectory(dir=IN_MEMORY)
    small = SmallHome(Path(folder.name) / "home")
    with pytest.MonkeyPatch.context() as patch:
        make_quick(patch)
        for expected in STATEMENTS:
            small.run(expected)
            for name in (ANA, BEN):
                approve(small.home, CONTRACT, name, documents=small.documents)
            post(small.home, CONTRACT, documents=small.documents)
    yield small
    folder.cleanup()


@pytest.fixture
def posted(_posted: SmallHome, quick_path: Path) -> SmallHome:
    """A copy to damage."""
    return _posted.copy_to(quick_path / "home")


def looked_at(small: SmallHome, *heads: PrintedHead) -> Verified:
    return verify(small.home, heads=heads, with_intake=False)


def statement_paths(small: SmallHome) -> list[Path]:
    return sorted(contract_folder(small.home, CONTRACT).glob("*.parquet"))


def overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)
    path.chmod(0o400)


def head(small: SmallHome) -> PrintedHead:
    ledger = read_ledger(small.home, CONTRACT)
    return PrintedHead(ledger.head_hash, ledger.entry_count)


def test_an_intact_ledger_has_no_problem(posted: SmallHome) -> None:
    found = looked_at(posted, head(posted))
    assert found.problems == ()
    assert [ledger.entry_count for ledger in found.ledgers] == [7]


def test_an_empty_home_has_no_problem(quick_path: Path) -> None:
    found = verify(Home(quick_path))
    assert (found.problems, found.ledgers) == ((), ())
    with pytest.raises(NoSuchContract, match="there are: none"):
        verify(Home(quick_path), contract_id=CONTRACT)


def test_an_older_printed_head_still_holds_when_the_ledger_has_grown(posted: SmallHome) -> None:
    entries = read_ledger(posted.home, CONTRACT).entries
    assert looked_at(posted, PrintedHead(entries[2].entry_hash, 3), PrintedHead(GENESIS, 0)).problems == ()
    assert "entry 3 here, and was entry 4" in looked_at(posted, PrintedHead(entries[2].entry_hash, 4)).problems[0]


@pytest.mark.parametrize("number", range(3))
def test_any_byte_of_a_statement(posted: SmallHome, number: int) -> None:
    """A sample of every region of the file: its magic, its data pages, its footer, its seal, its length, and some at random."""
    path = statement_paths(posted)[number]
    content = path.read_bytes()
    seal = content.index(b"sha256:")
    chance = random.Random(number)
    places = {
        0,
        3,
        4,
        5,
        seal,
        seal + 7,
        seal + 70,
        len(content) - 1,
        len(content) - 5,
        len(content) - 8,
        *chance.sample(range(len(content)), 60),
    }
    for place in sorted(places):
        damaged = bytearray(content)
        damaged[place] ^= 1 << chance.randrange(8)
        overwrite(path, bytes(damaged))
        damages = inspect_ledger(posted.home, CONTRACT).damages
        assert damages, f"byte {place} of {len(content)}"
        assert damages[0].file == f"{CONTRACT}/{path.name}"
    overwrite(path, content)
    assert looked_at(posted).problems == ()


def test_any_byte_of_an_approval_or_of_the_evidence(posted: SmallHome) -> None:
    others = list(posted.home.ledger.rglob("*.json"))
    assert len(others) == 6 + 3
    for path in others:
        content = path.read_bytes()
        for place in range(0, len(content), max(1, len(content) // 25)):
            overwrite(path, content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
            problems = looked_at(posted).problems
            assert any(path.name in problem for problem in problems), (path.name, place)
        overwrite(path, content)
    assert looked_at(posted).problems == ()


def test_any_byte_of_a_settlement(posted: SmallHome) -> None:
    others = list((posted.home.ledger / "_settlements").iterdir())
    assert len(others) == 3
    for path in others:
        content = path.read_bytes()
        for place in range(0, len(content), max(1, len(content) // 25)):
            overwrite(path, content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
            assert any(path.name in damage.file for damage in inspect_ledger(posted.home, CONTRACT).damages), (path.name, place)
        overwrite(path, content)
    assert looked_at(posted).problems == ()


def test_a_settlement_that_says_another_amount_is_named(posted: SmallHome) -> None:
    """As a defect would leave it: whole by its hash, and not what was posted."""
    rewrite(posted, lambda entry: entry, with_approvals=True)
    statement = read_ledger(posted.home, CONTRACT).statements[-1]
    digest = forge_settlement(posted, statement.settlement_hash, Counter())
    store_again = [replace(entry, settlement_hash=digest) for entry in statement.entries]
    statement.path.unlink()
    store(posted, 3, chained(store_again, statement.entries[0].prev_hash, statement.entries[0].approval_hash))
    assert any("what it says is payable is not what" in problem for problem in looked_at(posted).problems)


def test_a_contract_folder_that_lies_elsewhere(posted: SmallHome, quick_path: Path) -> None:
    folder = contract_folder(posted.home, CONTRACT)
    folder.rename(quick_path / "elsewhere")
    folder.symlink_to(quick_path / "elsewhere")
    assert inspect_ledger(posted.home, CONTRACT).damages
    assert any("does not belong here" in problem for problem in looked_at(posted).problems)


def test_any_file_removed(posted: SmallHome) -> None:
    """But for the last statement, which only a printed head brings back to mind."""
    printed = head(posted)
    last = statement_paths(posted)[-1]
    for path in [path for path in posted.home.ledger.rglob("*") if path.is_file()]:
        content = path.read_bytes()
        path.unlink()
        assert looked_at(posted, printed).problems, path.name
        if path != last:
            assert looked_at(posted).problems, path.name
        path.write_bytes(content)
        path.chmod(0o400)
    assert looked_at(posted, printed).problems == ()


def test_a_missing_statement_is_named(posted: SmallHome) -> None:
    statement_paths(posted)[1].unlink()
    assert f"{CONTRACT}/000002_….parquet: statement 2 is missing: its file was removed" in looked_at(posted).problems


def test_two_files_swapped(posted: SmallHome) -> None:
    first, second, _ = statement_paths(posted)
    content = first.read_bytes()
    overwrite(first, second.read_bytes())
    overwrite(second, content)
    problems = looked_at(posted).problems
    assert any(problem.startswith(f"{CONTRACT}/{first.name}") for problem in problems)
    assert any("it belongs to statement 2, not to 1" in problem for problem in problems)


def test_two_files_renamed_into_each_others_place(posted: SmallHome) -> None:
    _, second, third = statement_paths(posted)
    second.rename(second.with_name(second.name.replace("000002", "000003")))
    third.rename(third.with_name(third.name.replace("000003", "000002")))
    assert any("it belongs to statement 3, not to 2" in problem for problem in looked_at(posted).problems)


@pytest.mark.parametrize(
    ("put_in", "words"),
    [
        (lambda folder: (folder / "notes.txt").write_text("x"), "does not belong here"),
        (lambda folder: (folder / ("000003_" + "0" * 64 + ".parquet")).write_bytes(b"x"), "a second file for statement 3"),
        (lambda folder: (folder / ("000004_" + "0" * 64 + ".parquet")).write_bytes(b"x"), "its seal is missing"),
        (lambda folder: (folder / "approvals" / "yes.json").write_text("{}"), "does not belong here"),
        (lambda folder: (folder.parent / "_evidence" / ("0" * 64 + ".json")).write_text("{}"), "or it was put in"),
        (lambda folder: (folder.parent / "_settlements" / ("0" * 64 + ".parquet")).write_text("x"), "or it was put in"),
        (lambda folder: (folder.parent / "stray").write_text("x"), "does not belong here"),
        (lambda folder: (folder.parent / folder.name.replace("-", "%2D")).mkdir(), "does not belong here"),
        (lambda folder: (folder / ("000004_" + "0" * 64 + ".parquet\n")).write_bytes(b"x"), "does not belong here"),
        (lambda folder: (folder / "approvals" / ("0" * 64 + "_1.json")).symlink_to(folder / "approvals"), "does not belong here"),
    ],
)
def test_a_file_put_in(posted: SmallHome, put_in: Callable[[Path], object], words: str) -> None:
    put_in(contract_folder(posted.home, CONTRACT))
    assert any(words in problem for problem in looked_at(posted).problems)


def test_what_a_killed_writer_left_is_no_damage(posted: SmallHome) -> None:
    (contract_folder(posted.home, CONTRACT) / ".000004_x.parquet.partial").write_bytes(b"half")
    assert looked_at(posted).problems == ()


def test_a_cut_tail_is_seen_against_the_printed_head_alone(posted: SmallHome) -> None:
    printed = head(posted)
    statement_paths(posted)[-1].unlink()
    assert looked_at(posted).problems == (), "a chain cannot know how long it was: this is what the printed head is for"
    (problem,) = looked_at(posted, printed).problems
    assert problem.startswith(f"{CONTRACT}: the printed head {printed.head_hash} of 7 entries is not in it; it has 5 entries")


def test_two_statements_cut_are_betrayed_by_the_approval_of_the_second(posted: SmallHome) -> None:
    for path in statement_paths(posted)[1:]:
        path.unlink()
    assert any("it was given on a ledger that is not this one" in problem for problem in looked_at(posted).problems)


def rewrite(small: SmallHome, change: Callable[[Entry], Entry], *, with_approvals: bool) -> None:
    """What somebody does who has the program and write access: changes entries and works every hash after them out again.

    with_approvals: forges the approvals as well, under the names that were there, and the settlements.
    """
    statements = read_ledger(small.home, CONTRACT).statements
    head_hash, last_of_line, posted = GENESIS, {}, Counter[str]()
    for path in (contract_folder(small.home, CONTRACT) / "approvals").iterdir() if with_approvals else ():
        path.unlink()
    for statement in statements:
        statement.path.unlink()
    for statement in statements:
        entries = [replace(change(entry), adjusts_entry_hash=last_of_line.get(entry.line_key)) for entry in statement.entries]
        approved = entries[0].approval_hash
        posted.update({entry.line_key: cents(entry.amount) for entry in entries})
        if with_approvals:
            digest = forge_settlement(small, statement.settlement_hash, posted)
            entries = [replace(entry, settlement_hash=digest) for entry in entries]
            path = store(small, statement.number, chained(entries, head_hash, ""))
            approved = forge(small, head_hash)
            path.unlink()
        entries = chained(entries, head_hash, approved)
        store(small, statement.number, entries)
        head_hash = entries[-1].entry_hash
        last_of_line |= {entry.line_key: entry.entry_hash for entry in entries}


def chained(entries: list[Entry], head_hash: str, approved: str) -> list[Entry]:
    done = []
    for entry in entries:
        done.append(replace(entry, prev_hash=head_hash, approval_hash=approved).sealed())
        head_hash = done[-1].entry_hash
    return done


def store(small: SmallHome, number: int, entries: list[Entry]) -> Path:
    path = contract_folder(small.home, CONTRACT) / str(StatementName(number, entries[-1].entry_hash))
    path.write_bytes(statement_file.encode(entries))
    return path


def forge_settlement(small: SmallHome, digest: str, posted: Counter[str]) -> str:
    """A settlement that says the lines are payable as posted, in the place of the true one; gives its hash."""
    true = read_settlement(small.home, digest)
    keys = true.table.column("line_key").to_pylist()
    place = true.table.schema.get_field_index("payable_amount")
    payable = pa.array([dollars(posted[key]) for key in keys], pa.decimal128(18, 2))
    forged = Settlement(true.terms, true.table.set_column(place, "payable_amount", payable))
    settlement_path(small.home, digest).unlink()
    settlement_path(small.home, forged.digest).write_bytes(forged.content)
    return forged.digest


def forge(small: SmallHome, prev_hash: str) -> str:
    """Two approvals of the last statement; gives their hash."""
    ledger = inspect_ledger(small.home, CONTRACT)
    statement = ledger.statements[-1]
    proposed, count = proposal_hash_of(ledger, statement), len(statement.entries)
    for n, name in enumerate((ANA, BEN), start=1):
        amount = str(dollars(statement.amount_cents))
        approval = Approval(
            CONTRACT, statement.number, prev_hash, proposed, "0" * 64, count, amount, name, "any", "2026-07-01T00:00:00Z", (), "run"
        )
        (contract_folder(small.home, CONTRACT) / "approvals" / f"{proposed}_{n}.json").write_bytes(approval.as_bytes())
    return approval_hash(small.home, CONTRACT, proposed)


def test_a_ledger_written_anew_is_betrayed_by_its_approvals(posted: SmallHome) -> None:
    rewrite(posted, lambda entry: replace(entry, amount=entry.amount + 1), with_approvals=False)
    assert inspect_ledger(posted.home, CONTRACT).damages == ()
    assert any("its approvals are not those it was posted with" in problem for problem in looked_at(posted).problems)


def test_a_ledger_written_anew_with_its_approvals_is_seen_only_against_print(posted: SmallHome) -> None:
    printed = head(posted)
    rewrite(posted, lambda entry: replace(entry, amount=entry.amount * 2), with_approvals=True)
    assert looked_at(posted).problems == ()
    assert "was written anew" in looked_at(posted, printed).problems[0]


def test_one_entry_changed_and_resealed_is_named(posted: SmallHome) -> None:
    path = statement_paths(posted)[1]
    entries = statement_file.read(path)
    overwrite(path, statement_file.encode([replace(entries[0], amount=entries[0].amount + 1), *entries[1:]]))
    assert f"{CONTRACT}/{path.name}, entry 4: what it says was changed: its hash does not match" in looked_at(posted).problems


@pytest.mark.parametrize("order", [(0, 2), (1, 0, 2), (0, 1, 1, 2), (0, 1)])
def test_entries_removed_reordered_repeated_or_cut_are_named(posted: SmallHome, order: tuple[int, ...]) -> None:
    path = statement_paths(posted)[0]
    entries = statement_file.read(path)
    overwrite(path, statement_file.encode([entries[n] for n in order]))
    damages = inspect_ledger(posted.home, CONTRACT).damages
    assert damages
    assert damages[0].file == f"{CONTRACT}/{path.name}"


def test_a_statement_of_another_contract_does_not_fit(posted: SmallHome) -> None:
    contract_folder(posted.home, CONTRACT).rename(contract_folder(posted.home, "OTHER"))
    assert any("it belongs to another contract" in problem for problem in looked_at(posted).problems)
