"""Names of assets, groups, owners and checks: the stages of docs/architecture.md, so that the lineage graph is that picture."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import dagster as dg

from obc_pipeline.documents import Documents
from obc_pipeline.quality.verdicts import Verdict
from obc_pipeline.run import LEDGER_CHECK, LEDGER_SUITE

JOB = "obc_run"
POOL = "duckdb_writer"  # one step writes the warehouse at a time, whatever process it is in
TRANSFORMATION_OWNER = "team:district-data-team"
CONTRACT_OWNER = "team:contract-office"

DELIVERY = dg.AssetKey(["intake", "delivery"])
FILE = dg.AssetKey(["intake", "file"])
QUARANTINED_ROW = dg.AssetKey(["intake", "quarantined_row"])
CHECK_RESULT = dg.AssetKey(["intake", "check_result"])
CONTRACT_BLOCK = dg.AssetKey(["intake", "contract_block"])
SOURCE_FRESHNESS = dg.AssetKey(["intake", "source_freshness"])
LEDGER_ENTRY = dg.AssetKey(["ledger", "entry"])
LEDGER_SETTLED_LINE = dg.AssetKey(["ledger", "settled_line"])
LEDGER_HEAD = dg.AssetKey(["ledger", "head"])
DISCLOSURE_ENTRY = dg.AssetKey(["sharing", "disclosure_entry"])
MART_VERDICT = dg.AssetKey(["intake", "mart_verdict"])
PUBLISHED = dg.AssetKey(["published", "district"])
PREPARED = {kind: dg.AssetKey(["prepared", name]) for kind, name in (("vendor", "vendors"), ("school", "schools"), ("public", "public"))}
PREPARED_CHECK = "is_prepared"
PROPOSED_ENTRY = dg.AssetKey(["payable", "fct_proposed_entry"])
LATE_CHANGE_REGISTER = dg.AssetKey(["payable", "late_change_register"])
GATE_CHECK = "is_approved"


def landing_key(source: str) -> dg.AssetKey:
    return dg.AssetKey(["landing", source])


def archive_key(source: str) -> dg.AssetKey:
    return dg.AssetKey(["archive", source])


def document_key(table: str) -> dg.AssetKey:
    return dg.AssetKey(["documents", table])


def lake_key(format_name: str, table: str) -> dg.AssetKey:
    return dg.AssetKey(["lake", f"{format_name}__{table}"])


def pack_key(workgroup_id: str) -> dg.AssetKey:
    return dg.AssetKey(["packs", workgroup_id])


def proposal_key(contract_id: str) -> dg.AssetKey:
    return dg.AssetKey(["ledger", f"{_in_a_key(contract_id)}_proposal"])


def approval_key(contract_id: str) -> dg.AssetKey:
    return dg.AssetKey(["ledger", f"{_in_a_key(contract_id)}_approval"])


def posting_key(contract_id: str) -> dg.AssetKey:
    return dg.AssetKey(["ledger", f"{_in_a_key(contract_id)}_posting"])


def model_key(props: Mapping[str, Any]) -> dg.AssetKey:
    """Schema and name, as in the warehouse: a dbt source is then the very asset that an earlier stage makes."""
    return dg.AssetKey([props["schema"], props.get("alias") or props["name"]])


def owner(role: str) -> str:
    """`Student information manager` -> `team:student-information-manager`."""
    return "team:" + re.sub(r"[^a-z0-9]+", "-", role.lower()).strip("-")


def safe(text: str) -> str:
    """What Dagster takes as a name: letters, digits, underscores."""
    return re.sub(r"[^A-Za-z0-9_]", "_", text)


def safe_contract(contract_id: str) -> str:
    """A contract's id as a name; ids that would come to the same name (`A-1`, `A/1`) are told apart by their hash."""
    if re.fullmatch(r"[A-Za-z0-9-]+", contract_id):
        return safe(contract_id)
    return f"{safe(contract_id)}_{hashlib.md5(contract_id.encode(), usedforsecurity=False).hexdigest()[:4]}"


def _in_a_key(contract_id: str) -> str:
    return contract_id if re.fullmatch(r"[A-Za-z0-9-]+", contract_id) else safe_contract(contract_id)


def expectation_check_name(subject: str | None, expectation_id: str) -> str:
    """A suite's expectation, on one contract's rows of a mart, or on one source's rows of a lake table that several share."""
    return f"{safe(expectation_id)}__{safe(subject)}" if subject else safe(expectation_id)


def sharing_sources(documents: Documents) -> frozenset[str]:
    """Sources whose lake tables hold rows of other sources too: their checks are named after them."""
    formats = Counter(source.format for source in documents.sources.values())
    return frozenset(name for name, source in documents.sources.items() if formats[source.format] > 1)


def release_check_name(contract_id: str) -> str:
    return f"released__{safe_contract(contract_id)}"


def ledger_check_name(contract_id: str) -> str:
    return f"{LEDGER_CHECK}__{safe_contract(contract_id)}"


def check_key(verdict: Verdict, sharing: Collection[str]) -> dg.AssetCheckKey | None:
    """Where a verdict is shown; None for dbt's tests, which dagster-dbt names. sharing: see `sharing_sources`."""
    if verdict.engine == "dbt":
        return None
    if verdict.suite == LEDGER_SUITE:
        return dg.AssetCheckKey(LEDGER_ENTRY, ledger_check_name(verdict.contract_id or ""))
    if verdict.engine == "intake":
        return dg.AssetCheckKey(landing_key(verdict.source or ""), safe(verdict.expectation_type))
    expectation_id = verdict.check_id.rsplit(".", 1)[1]
    schema, _, table = verdict.suite.partition("__")
    if verdict.contract_id is not None:
        return dg.AssetCheckKey(dg.AssetKey([schema, table]), expectation_check_name(safe_contract(verdict.contract_id), expectation_id))
    return dg.AssetCheckKey(
        lake_key(schema, table), expectation_check_name(verdict.source if verdict.source in sharing else None, expectation_id)
    )
