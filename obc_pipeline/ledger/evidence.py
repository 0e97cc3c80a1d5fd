"""What a posting rests on, frozen: every document as text and the list of every delivery that counted. Kept under its own hash."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import Any

from obc_pipeline.fingerprint import code_digest
from obc_pipeline.home import Home
from obc_pipeline.intake.receive import read_receipts
from obc_pipeline.ledger.chain import EVIDENCE
from obc_pipeline.ledger.proposal import RunStamp


def freeze(home: Home, run: RunStamp) -> bytes:
    """The manifest: as-of date, cutoff, the program's hash, the documents' text and the receipts up to the cutoff.

    The same evidence gives the same bytes; `evidence_hash` of an entry is their SHA-256.
    """
    paths = [home.obc_yml, home.data_map_yml, home.ci_structure_yml, *home.contracts.glob("*")]
    receipts = [
        asdict(d) | {"received_at": d.received_at.isoformat()} for d in read_receipts(home) if d.received_at <= run.evidence_cutoff_at
    ]
    manifest = {
        "as_of_date": run.as_of_date.isoformat(),
        "evidence_cutoff_at": run.evidence_cutoff_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "code": code_digest(),
        "documents": {p.relative_to(home.path).as_posix(): p.read_bytes().decode("utf-8", "surrogateescape") for p in paths if p.is_file()},
        "receipts": receipts,
    }
    return (json.dumps(manifest, sort_keys=True, indent=1) + "\n").encode("ascii")


def evidence_hash(content: bytes) -> str:
    """SHA-256 of a manifest's bytes."""
    return hashlib.sha256(content).hexdigest()


def evidence_path(home: Home, digest: str) -> Path:
    """Where the manifest with this hash is kept."""
    return home.ledger / EVIDENCE / f"{digest}.json"


def read_evidence(home: Home, digest: str) -> dict[str, Any]:
    """The manifest with this hash. Raises ValueError when it is missing or changed."""
    path = evidence_path(home, digest)
    if not path.is_file():
        raise ValueError("the list of the evidence it rests on is missing")
    content = path.read_bytes()
    if evidence_hash(content) != digest:
        raise ValueError("the list of the evidence it rests on was changed")
    return json.loads(content)
