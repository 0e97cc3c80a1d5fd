"""Laws of the ledger over random histories: posted = expected to the cent, twice is once, and every head ever printed still holds."""

from __future__ import annotations

import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from obc_pipeline.ledger import approve, post, propose, read_ledger
from obc_pipeline.ledger.breaker import BREAKERS
from obc_pipeline.ledger.entry import Entry, canonical_text, cents, dollars
from obc_pipeline.ledger.proposal import proposal_hash, proposal_hash_of
from obc_pipeline.ledger.verify import PrintedHead, verify
from tests.ledger.small_home import ANA, CONTRACT, IN_MEMORY, SmallHome, line_key

LINES = ["G1|0001", "G1|0002", "M1|0001", "BASE|0001", "BASE|0002", "INSTALMENT-1|"]
AMOUNTS = st.one_of(st.integers(-50_000, 100_000), st.sampled_from([0, 1, -1, 33_33, 10**15]))
STEPS = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(LINES), AMOUNTS), st.sampled_from(["post", "post", "post twice", "leave"])),
    min_size=1,
    max_size=5,
)


@given(STEPS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_what_is_posted_adds_up_to_what_was_expected(steps: list[tuple[dict[str, int], str]]) -> None:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        small = SmallHome(Path(folder) / "home")
        expected: dict[str, int] = {}
        heads: list[PrintedHead] = []
        for lines, act in steps:
            small.run(lines)
            proposal = propose(small.home, CONTRACT, small.documents)
            assert proposal.ledger.posted_cents + proposal.amount_cents == sum(lines.values())
            approve(small.home, CONTRACT, ANA, accepts=BREAKERS, documents=small.documents)
            if act != "leave":
                posted = post(small.home, CONTRACT, documents=small.documents)
                assert len(posted.entries) == len(proposal.entries)
                assert sum(cents(entry.amount) for entry in posted.entries) == proposal.amount_cents
                expected = lines
            if act == "post twice":
                assert post(small.home, CONTRACT, documents=small.documents).entries == ()
            ledger = read_ledger(small.home, CONTRACT)
            heads.append(PrintedHead(ledger.head_hash, ledger.entry_count))
            balances = Counter({line: amount for line, amount in ledger.balances.items() if amount})
            assert balances == Counter({line_key(line): amount for line, amount in expected.items() if amount})
            assert ledger.posted_cents == sum(expected.values()) == sum(cents(entry.amount) for entry in ledger.entries)
            assert all(entry.amount != 0 for entry in ledger.entries)
        assert verify(small.home, heads=heads, with_intake=False).problems == ()


@given(STEPS)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_the_posted_entries_tell_which_proposals_were_approved(steps: list[tuple[dict[str, int], str]]) -> None:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        small = SmallHome(Path(folder) / "home")
        approved = []
        for lines, _ in steps:
            small.run(lines)
            proposal = propose(small.home, CONTRACT, small.documents)
            if proposal.entries:
                approve(small.home, CONTRACT, ANA, accepts=BREAKERS, documents=small.documents)
                post(small.home, CONTRACT, documents=small.documents)
                approved.append(proposal.proposal_hash)
        ledger = read_ledger(small.home, CONTRACT)
        assert [proposal_hash_of(ledger, statement) for statement in ledger.statements] == approved


@given(st.integers(-(10**17), 10**17))
def test_cents_and_dollars_are_each_others_inverse(amount: int) -> None:
    assert cents(dollars(amount)) == amount
    assert dollars(amount) == Decimal(amount) / 100
    assert str(dollars(amount))[-3] == "."


@given(st.data())
def test_any_change_of_any_column_changes_the_hash(data: st.DataObject) -> None:
    from dataclasses import fields, replace
    from datetime import date, datetime

    times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1))
    by_kind = {
        "str": st.text(max_size=20), "str | None": st.none() | st.text(max_size=20), "int": st.integers(0, 2**31 - 1),
        "Decimal": st.integers(-(10**17), 10**17).map(dollars), "date": st.dates(date(2000, 1, 1), date(2100, 1, 1)), "datetime": times,
    }  # fmt: skip
    columns = {field.name: by_kind[str(field.type)] for field in fields(Entry) if field.name != "entry_hash"}
    entry = Entry(**{name: data.draw(values) for name, values in columns.items()}, entry_hash="").sealed()
    name = data.draw(st.sampled_from(sorted(columns)))
    value = data.draw(columns[name])
    other = replace(entry, **{name: value}).sealed()
    assert (other.entry_hash == entry.entry_hash) == (getattr(other, name) == getattr(entry, name))
    assert "\n" not in canonical_text(entry.as_row())


def test_the_order_in_which_proposals_come_does_not_matter(small: SmallHome) -> None:
    small.run(dict.fromkeys(LINES, 100))
    proposal = propose(small.home, CONTRACT, small.documents)
    head = proposal.ledger.head_hash
    assert proposal_hash(CONTRACT, 1, head, proposal.entries[::-1]) == proposal.proposal_hash
    assert proposal_hash(CONTRACT, 2, head, proposal.entries) != proposal.proposal_hash
    assert proposal_hash(CONTRACT, 1, "f" * 64, proposal.entries) != proposal.proposal_hash
