"""Replay: work out a past statement again from the evidence it names, in a copy beside the home, and compare the hash of what comes out."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from obc_pipeline.documents import Documents
from obc_pipeline.fingerprint import code_digest
from obc_pipeline.home import Home
from obc_pipeline.ledger.chain import ContractLedger, Statement, contract_folder, read_ledger
from obc_pipeline.ledger.errors import LedgerDamaged, NoSuchStatement
from obc_pipeline.ledger.evidence import read_evidence
from obc_pipeline.ledger.proposal import open_to_read, proposal_hash, proposal_hash_of, read_proposed
from obc_pipeline.ledger.settlement import Settlement, settle, settlement_path
from obc_pipeline.ledger.write_once import make_private_folder

# Runs the pipeline on a home as of a date with arrivals up to a moment, far enough that payable.fct_proposed_entry is built.
RunTo = Callable[[Home, date, datetime], None]


@dataclass(frozen=True)
class Replayed:
    """A statement worked out again.

    is_same_program: whether the program is the one that proposed it; another one may rightly come to another result.
    """

    contract_id: str
    statement_number: int
    posted_hash: str
    replayed_hash: str
    is_same_program: bool

    @property
    def is_same(self) -> bool:
        return self.posted_hash == self.replayed_hash


def replay(home: Home, contract_id: str, run_to: RunTo, statement_number: int | None = None) -> Replayed:
    """Replays one statement, the last unless told otherwise, in a scratch folder that is removed again. Published files are not touched.

    Raises NoSuchStatement, LedgerDamaged when ledger or evidence are not as they were, and what `run_to` raises.
    """
    ledger = read_ledger(home, contract_id)
    statement = _statement(ledger, statement_number)
    first = statement.entries[0]
    try:
        evidence = read_evidence(home, first.evidence_hash)
    except ValueError as error:
        raise LedgerDamaged(f"statement {statement.number} of {contract_id} cannot be replayed: {error}") from None
    before = ledger.before(statement.number)
    scratch = Path(tempfile.mkdtemp(prefix=".replay-", dir=home.path))
    try:
        place = Home(scratch)
        _lay_out(home, place, before, evidence)
        run_to(place, first.as_of_date, first.evidence_cutoff_at.replace(tzinfo=UTC))
        with open_to_read(place) as connection:
            entries = read_proposed(connection, "fct_proposed_entry", contract_id)
    finally:
        shutil.rmtree(scratch)
    replayed = proposal_hash(contract_id, statement.number, before.head_hash, entries)
    return Replayed(contract_id, statement.number, proposal_hash_of(ledger, statement), replayed, evidence["code"] == code_digest())


def settled_again(home: Home, documents: Documents, contract_id: str, as_of: date, cutoff: datetime, run_to: RunTo) -> Settlement:
    """What the contract's lines come to as of a day on what had arrived by `cutoff`, under the documents of today; worked out in a scratch
    folder that is removed again. Raises what `run_to` raises."""
    scratch = Path(tempfile.mkdtemp(prefix=".replay-", dir=home.path))
    try:
        place = Home(scratch)
        for path in (home.obc_yml, home.data_map_yml, home.ci_structure_yml):
            shutil.copyfile(path, place.path / path.name)
        shutil.copytree(home.contracts, place.contracts)
        make_private_folder(place.archive)
        shutil.copytree(home.deliveries, place.deliveries)
        os.symlink(home.objects, place.objects)
        run_to(place, as_of, cutoff)
        with open_to_read(place) as connection:
            return settle(connection, documents, contract_id, 0, as_of)
    finally:
        shutil.rmtree(scratch)


def _statement(ledger: ContractLedger, number: int | None) -> Statement:
    wanted = len(ledger.statements) if number is None else number
    for statement in ledger.statements:
        if statement.number == wanted:
            return statement
    raise NoSuchStatement(f"{ledger.contract_id} has {len(ledger.statements)} statements; there is no statement {wanted}")


def _lay_out(home: Home, place: Home, before: ContractLedger, evidence: dict[str, Any]) -> None:
    """Documents and receipts as they were, the archive's contents by reference, and the ledger up to the statement."""
    for name, text in evidence["documents"].items():
        path = place.path / name
        make_private_folder(path.parent)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    for receipt in evidence["receipts"]:
        at = datetime.fromisoformat(receipt["received_at"])
        path = place.deliveries / receipt["source"] / f"{at:%Y%m%dT%H%M%SZ}_{receipt['delivery_id'][:16]}.json"
        make_private_folder(path.parent)
        path.write_text(json.dumps(receipt), encoding="utf-8")
    make_private_folder(place.archive)
    os.symlink(home.objects, place.objects)
    for statement in before.statements:
        path = contract_folder(place, before.contract_id) / statement.path.name
        make_private_folder(path.parent)
        shutil.copyfile(statement.path, path)
        kept = settlement_path(place, statement.settlement_hash)
        make_private_folder(kept.parent)
        shutil.copyfile(settlement_path(home, statement.settlement_hash), kept)
