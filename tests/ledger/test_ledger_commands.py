"""The commands as people and scripts use them: what they say, what --json holds, and which exit code they leave."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from obc_pipeline import cli, documents, ledger_commands
from obc_pipeline.home import Home
from obc_pipeline.ledger.chain import contract_folder
from tests.ledger.small_home import CONTRACT, SmallHome

DANA, MARCUS = "Dana Whitfield", "Marcus Oyelaran"
EXAMPLE = Path(documents.__file__).parent / "templates" / "example_district"
# Above the example contract's dual_control_above, so that two people approve.
EXPECTED = {"G1|0001": 25_000_00, "G1|0002": 50_000_00, "BASE|0001": 58_333}


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out.rstrip().splitlines()[-1])


Obc = Callable[..., Said]


@pytest.fixture
def district(small: SmallHome) -> SmallHome:
    """The example district's own documents, and a run that proposes three entries."""
    shutil.copytree(EXAMPLE, small.path)
    small.run(EXPECTED)
    return small


@pytest.fixture
def obc(district: SmallHome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Obc:
    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["obc", *arguments, "--home", str(district.path)])
        code = cli._outcome()
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


def test_from_statement_to_posted_and_verified(obc: Obc) -> None:
    seen = obc("statement", CONTRACT, "--json")
    assert (seen.code, seen.json["entries"], seen.json["amount"], seen.json["is_approved"]) == (0, 3, "75583.33", False)
    refused = obc("post", CONTRACT)
    assert refused.code == 3
    assert "approvals of two different people. Nothing was posted" in refused.err
    assert obc("approve", CONTRACT, "--by", DANA, "--json").json["missing"] == [
        "a second person's approval, as the statement moves more than 50000.00"
    ]
    again = obc("approve", CONTRACT, "--by", DANA)
    assert "has approved exactly these entries before. Nothing was changed." in again.out
    assert obc("approve", CONTRACT, "--by", MARCUS, "--json").json["is_approved"] is True
    posted = obc("post", CONTRACT, "--json").json
    assert (posted["entries"], posted["closing_balance"], posted["approved_by"]) == (3, "75583.33", f"{DANA}; {MARCUS}")
    twice = obc("post", CONTRACT)
    assert twice.code == 0
    assert f"There is nothing to post for {CONTRACT}: it was posted as statement 1." in twice.out
    checked = obc("verify", "--head", f"{posted['head_hash']}:{posted['entry_count']}", "--json")
    assert (checked.code, checked.json["status"], checked.json["problems"]) == (0, "ok", [])


def test_the_statement_is_readable_and_names_no_student(obc: Obc) -> None:
    out = obc("statement", CONTRACT).out
    assert "Still needed: approvals of two different people" in out
    assert "75,583.33" in out
    assert "Ledger: 0 entries, head 0000" in out
    assert "0001" not in out.replace("0" * 64, "")


def test_verify_names_what_is_damaged(obc: Obc, district: SmallHome) -> None:
    for name in (DANA, MARCUS):
        obc("approve", CONTRACT, "--by", name)
    head = obc("post", CONTRACT, "--json").json["head_hash"]
    (path,) = contract_folder(district.home, CONTRACT).glob("*.parquet")
    whole = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    damaged = obc("verify")
    assert damaged.code == 3
    assert f"damaged {CONTRACT}/{path.name}: its " in damaged.out
    path.unlink()
    assert obc("verify").code == 0
    cut = obc("verify", "--contract", CONTRACT, "--head", head, "--json")
    assert (cut.code, cut.json["status"]) == (3, "damaged")
    assert "its tail was cut off" in cut.json["problems"][0]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("statement", "NONE"), 2, "no contract is called 'NONE'; the documents have: CVSD-MATH-2026, CVSD-READ-2026"),
        (("approve", CONTRACT, "--by", "Nobody"), 2, "'Nobody' may not approve CVSD-MATH-2026; these may: Dana Whitfield"),
        (("approve", CONTRACT, "--by", DANA, "--accept-breaker", "all"), 2, "no breaker is called 'all'; there are: delta, reversal"),
        (("approve", CONTRACT), 2, "--by"),
        (("verify", "--head", "abc"), 2, "'abc' is not a head; right would be the 64 letters and digits"),
        (("verify", "--contract", "NONE"), 2, "'NONE' has no ledger"),
        (("post", CONTRACT), 3, "is not approved"),
    ],
)
def test_a_refusal_is_one_line_and_an_exit_code(obc: Obc, district: SmallHome, arguments: tuple[str, ...], code: int, words: str) -> None:
    said = obc(*arguments)
    assert (said.code, words in said.err) == (code, True), said.err
    assert "Traceback" not in said.err
    assert not district.home.ledger.exists()


def test_a_refusal_as_json(obc: Obc) -> None:
    said = obc("post", CONTRACT, "--json")
    assert (said.json["status"], said.json["error"]) == ("refused", "NotApproved")


def test_documents_changed_after_the_run(obc: Obc, district: SmallHome) -> None:
    district.home.obc_yml.write_text(district.home.obc_yml.read_text(encoding="utf-8") + "\n# a comment\n", encoding="utf-8")
    assert "Not current: the documents changed after the last run" in obc("statement", CONTRACT).out
    said = obc("approve", CONTRACT, "--by", DANA)
    assert (said.code, "start another with `obc run`" in said.err) == (3, True)


def test_a_home_without_documents(obc: Obc, district: SmallHome) -> None:
    shutil.rmtree(district.path)
    said = obc("statement", CONTRACT)
    assert said.code == 2
    assert "obc.yml" in said.err + said.out


def _posted(obc: Obc, *accepted: str) -> None:
    for name in (DANA, MARCUS):
        obc("approve", CONTRACT, "--by", name, *accepted)
    assert obc("post", CONTRACT).code == 0


def test_what_changed_between_any_two_cutoffs(obc: Obc, district: SmallHome, monkeypatch: pytest.MonkeyPatch) -> None:
    _posted(obc)
    later = EXPECTED | {"G1|0001": 30_000_00, "BASE|0001": 60_000}
    district.run(later)
    _posted(obc)
    district.run(later | {"G1|0002": 0})

    def steps(*arguments: str) -> dict[str, str]:
        view = obc("statement", CONTRACT, "--since", *arguments, "--json").json
        assert view["residual"] == "0.00"
        return {step["step"]: step["amount"] for step in view["steps"]}

    then, second, now = "75583.33", "80600.00", "30600.00"
    grown = {"OPENING": then, "BASE_GREW": "16.67", "RESTATED_UP": "5000.00", "CLOSING": second}
    assert steps("1", "--until", "2") == grown
    assert steps("2") == {"OPENING": second, "RESTATED_DOWN": "-50000.00", "CLOSING": now}
    assert steps("1")["CLOSING"] == now
    # On the day of the statements it is the last of them; another day is worked out again, in a folder of its own.
    assert steps("2026-06-30", "--until", "2") == {"OPENING": second, "CLOSING": second}
    seen = []

    def run_to(place: Home, as_of: date, cutoff: datetime) -> None:
        seen.append((as_of, cutoff, place.path != district.path))
        SmallHome(place.path).run(EXPECTED)

    monkeypatch.setattr(ledger_commands, "_run_to_proposals", run_to)
    district.home.deliveries.mkdir(parents=True)
    assert steps("2026-03-15", "--until", "2") == grown
    assert seen == [(date(2026, 3, 15), datetime(2026, 3, 16, 4, 59, 59, tzinfo=UTC), True)], "all that had arrived by the end of the day"
    assert not list(district.path.glob(".replay-*"))
    assert "Left over: 0.00" in obc("statement", CONTRACT, "--since", "1").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--since", "7"], "no posted statement 7; posted: none yet"),
        (["--since", "march"], "no statement and no day; right would be a number such as 1"),
        (["--since", "2027-01-01"], "right would be an earlier day"),
        (["--until", "1"], "right would be --since N --until M"),
        (["--since", "1", "--files"], "one of the two"),
    ],
)
def test_a_cutoff_that_is_none(obc: Obc, arguments: list[str], words: str) -> None:
    said = obc("statement", CONTRACT, *arguments)
    assert said.code == 2
    assert words in said.err
