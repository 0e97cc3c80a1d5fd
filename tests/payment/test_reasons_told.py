"""What a vendor reads of its students: every reason the models give, in the words they give, and nothing in it of another vendor."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from obc_pipeline import fingerprint
from obc_pipeline.reports import write_statement
from obc_pipeline.reports.audience import TOLD_TO_VENDORS
from tests.ledger.small_home import CONTRACT, SmallHome
from tests.payment import small_worlds, whole_model
from tests.payment.conftest import EmptyDistrict
from tests.payment.decided_by_hand import World
from tests.reports.small_statement import EXAMPLE, ReportHome, Settled
from tests.reports.texts import texts

# The other vendor of mathematics: every name of it has these letters, and nothing else has.
MARK = "ZQZ"
OTHER = {"N": f"{MARK}-MATH-2026", "n": f"{MARK} Tutors"}
# Random districts do not reach these; they are made of the contract's own terms alone (seen in int_payment__decision, __cohort).
SELDOM = {
    "BOTH_DEFAULT_PROVIDER_LOSES", "BOTH_DEFAULT_SPLIT", "COHORT_BELOW_PENALTY_THRESHOLD", "COHORT_BOTH_DEFAULT", "COHORT_DISTRICT_DEFAULT",
    "COHORT_NOT_MEASURED", "COHORT_PROVIDER_FAILED", "COHORT_TIER_REACHED", "EARNED_ABOVE_DEFAULT", "NOT_BEGUN", "NO_LONGER_EXPECTED",
    "NO_SESSION_DATA", "NO_STUDENT_IN_SCOPE", "TERMS_INCOMPLETE",
}  # fmt: skip
Reason = tuple[str | None, str, str]  # decision, reason code, words


def marked(world: World) -> World:
    """The same district, the other vendor's contract, name and session ids bearing the mark."""
    for rows in vars(world).values():
        for row in rows:
            if row.get("contract_id") == "N":
                row["contract_id"] = OTHER["N"]
                if "session_id" in row:
                    row["session_id"] = f"{MARK}-{row['session_id']}"
            if row.get("provider_id") == "n":
                row["provider_id"] = OTHER["n"]
    return world


def reasons(district: EmptyDistrict, world: World, as_of: str) -> tuple[set[Reason], set[Reason]]:
    """Of the contracts that are not the other vendor's; and of the other vendor's own."""
    with district.connect() as connection:
        small_worlds.put(world, connection, dt.date.fromisoformat(as_of))
        district.build(connection, as_of)
        found = "SELECT DISTINCT decision, reason_code, reason FROM payable.fct_settlement_line WHERE (contract_id = ?) = ?"
        ours, theirs = (set(connection.execute(found, [OTHER["N"], is_theirs]).fetchall()) for is_theirs in (False, True))
    return ours, theirs


@pytest.mark.slow
def test_no_reason_in_a_vendors_files_tells_of_another_vendor(
    empty_district: EmptyDistrict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint, "code_digest", lambda: "c" * 64)
    ours: set[Reason] = set()
    # The last of them has a provider who may still cure.
    for seed, as_of in (*enumerate((*small_worlds.AS_OF, "2026-07-15"), start=1), (14, "2026-06-05")):
        found, theirs = reasons(empty_district, marked(whole_model.make_whole_world(Random(seed), 40)), as_of)
        assert theirs
        ours |= found
    codes = {code for _, code, _ in ours}
    assert codes >= (TOLD_TO_VENDORS | {"OPEN_DISPUTE", "OVERLAP_WITHOUT_SHARES", "LEFT_ROSTER"}) - SELDOM

    path = tmp_path / "home"
    shutil.copytree(EXAMPLE, path)
    district = ReportHome(SmallHome(path))
    lines: list[dict[str, Any]] = [
        {"decision": decision, "reason_code": code, "reason": reason} for decision, code, reason in sorted(ours, key=str)
    ]
    district.run([Settled(f"G1|{number:05d}", 0, tier=None, **line) for number, line in enumerate(lines)])
    written = {path.name: texts(path) for path in write_statement(district.home, CONTRACT)}
    vendor = "\n".join(text for name, text in written.items() if "_vendor" in name)
    inside = "\n".join(text for name, text in written.items() if "_vendor" not in name)
    assert MARK not in vendor
    for word in ("OVERLAP", "overlap", "another vendor", "nother contract", "OPT_OUT", "MEDICAL"):
        assert word not in vendor, word
    assert "OVERLAP_WITHOUT_SHARES" in inside, "the district itself is told"
    told_words = {reason for _, code, reason in ours if code in TOLD_TO_VENDORS}
    assert all(reason in vendor for reason in sorted(told_words)), (
        "a reason that may be told is told in full, so that the vendor can act on it"
    )
