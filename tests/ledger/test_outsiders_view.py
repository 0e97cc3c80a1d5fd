"""What others rely on: the sample in docs/ledger.md, the view that dbt reads, and that a lost warehouse changes no balance."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from obc_pipeline.ledger import approve, post, propose, read_ledger, register_ledger
from obc_pipeline.ledger.chain import contract_folder, contracts_with_ledger
from obc_pipeline.ledger.entry import COLUMNS
from obc_pipeline.ledger.register import SQL_TYPES
from tests.ledger.small_home import ANA, CONTRACT, SmallHome

DOCS = Path(__file__).resolve().parents[2] / "docs" / "ledger.md"
EXPECTED = {"G1|0001": 25_000, "G1|0002": -7_500, "BASE|0001": 58_333}


@pytest.fixture
def posted(small: SmallHome) -> SmallHome:
    for expected in (EXPECTED, EXPECTED | {"G1|0001": 30_000}):
        small.run(expected)
        approve(small.home, CONTRACT, ANA, documents=small.documents)
        post(small.home, CONTRACT, documents=small.documents)
    return small


def sample(path: Path) -> Path:
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    path.write_text(code, encoding="utf-8")
    return path


def recompute(small: SmallHome, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(sample(folder / "recompute.py")), str(contract_folder(small.home, CONTRACT))]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_sample_of_the_docs_comes_to_the_same_head(posted: SmallHome, quick_path: Path) -> None:
    ledger = read_ledger(posted.home, CONTRACT)
    assert recompute(posted, quick_path).stdout.split() == [ledger.head_hash, str(ledger.entry_count)]


def test_the_sample_of_the_docs_sees_a_removed_statement(posted: SmallHome, quick_path: Path) -> None:
    next(contract_folder(posted.home, CONTRACT).glob("000001_*")).unlink()
    assert "does not follow the one before" in recompute(posted, quick_path).stderr


def test_the_docs_list_every_column(posted: SmallHome) -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert [name for name in COLUMNS if name not in text] == []


@pytest.mark.parametrize("has_entries", [False, True])
def test_dbt_sees_the_same_columns_whether_or_not_something_is_posted(small: SmallHome, has_entries: bool) -> None:
    if has_entries:
        small.run(EXPECTED)
        approve(small.home, CONTRACT, ANA, documents=small.documents)
        post(small.home, CONTRACT, documents=small.documents)
    with duckdb.connect() as connection:
        assert register_ledger(connection, small.home) == {}
        assert [row[:2] for row in connection.execute("describe ledger.entry").fetchall()] == list(SQL_TYPES.items())
        rows = connection.execute("select count(*), coalesce(sum(amount), 0)::varchar from ledger.entry").fetchone()
        assert rows == ((3, "758.33") if has_entries else (0, "0.00"))


def test_the_head_table_says_what_is_posted(posted: SmallHome) -> None:
    ledger = read_ledger(posted.home, CONTRACT)
    with duckdb.connect() as connection:
        register_ledger(connection, posted.home)
        row = connection.execute(
            "select contract_id, entry_count, statement_count, head_hash, posted_amount::varchar, is_intact from ledger.head"
        ).fetchone()
    assert row == (CONTRACT, 4, 2, ledger.head_hash, "808.33", True)


def test_a_damaged_ledger_shows_what_is_proven_and_says_so(posted: SmallHome) -> None:
    path = next(contract_folder(posted.home, CONTRACT).glob("000002_*"))
    path.chmod(0o600)
    path.write_bytes(b"PAR1")
    with duckdb.connect() as connection:
        damages = register_ledger(connection, posted.home)
        assert [damage.file for damage in damages[CONTRACT]] == [f"{CONTRACT}/{path.name}"]
        assert connection.execute("select entry_count, is_intact from ledger.head").fetchone() == (3, False)
        assert connection.execute("select count(*) from ledger.entry").fetchone() == (3,)


def test_balances_survive_the_loss_of_the_warehouse(posted: SmallHome) -> None:
    before = read_ledger(posted.home, CONTRACT)
    posted.home.warehouse.unlink()
    posted.run(EXPECTED | {"G1|0001": 30_000})
    assert read_ledger(posted.home, CONTRACT) == before
    assert propose(posted.home, CONTRACT, posted.documents).entries == ()


@pytest.mark.parametrize("contract_id", ["A/B", "..", ".hidden", "_evidence", "ÄÖ 2026", "a%2Fb", "C" * 64])
def test_any_contract_id_has_a_folder_of_its_own(small: SmallHome, contract_id: str) -> None:
    folder = contract_folder(small.home, contract_id)
    assert folder.parent == small.home.ledger
    folder.mkdir(parents=True)
    assert contracts_with_ledger(small.home) == [contract_id]
