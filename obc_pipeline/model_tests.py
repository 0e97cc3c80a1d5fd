"""dbt's tests as verdicts, beside those of Great Expectations, and which contracts a failed one stops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from obc_pipeline.dbt_build import NodeOutcome
from obc_pipeline.quality.verdicts import ContractBlock, Verdict

_PAYING_SCHEMA = "payable"


def test_verdicts(
    manifest: Mapping[str, Any], outcomes: Iterable[NodeOutcome], formats: Mapping[str, str], run_id: str, as_of: date
) -> list[Verdict]:
    """One verdict per test, in order of its id.

    A test is critical when money depends on what it tests: its model is a payable mart or leads to one. A test on the staging of
    a format that one source sends concerns that source; any other concerns no source, and so every contract.
    formats: source -> format.
    """
    paying = paying_nodes(manifest)
    verdicts = []
    for outcome in outcomes:
        tested = tested_model(manifest, outcome.unique_id)
        is_critical = tested is not None and tested["unique_id"] in paying and outcome.status != "WARNED"
        status = {"OK": "PASSED", "WARNED": "FAILED", "FAILED": "FAILED", "SKIPPED": "NOT_RUN"}.get(outcome.status, "ERROR")
        verdicts.append(
            Verdict(
                run_id=run_id,
                check_id=f"dbt.{outcome.unique_id.removeprefix('test.')}",
                source=_only_source(tested, formats),
                contract_id=None,
                suite="dbt",
                expectation_type=_kind(manifest, outcome),
                column_name=manifest["nodes"].get(outcome.unique_id, {}).get("column_name"),
                data_map_row=None,
                severity="critical" if is_critical else "warning",
                status=status,  # type: ignore[arg-type]
                rows_checked=None,
                rows_failed=None,  # dbt says how many fail, not of how many: the count is in the message
                pass_rate=None,
                mostly=None,
                is_blocking=is_critical and status in ("FAILED", "ERROR"),
                checked_as_of=as_of,
                message=_message(outcome, tested),
                engine="dbt",
            )
        )
    return sorted(verdicts, key=lambda verdict: verdict.check_id)


def blocks_of_all_contracts(verdicts: Iterable[Verdict], contract_ids: Sequence[str]) -> list[ContractBlock]:
    """A blocking verdict on a model that serves all contracts stops them all: nobody knows whose rows are right."""
    return [
        ContractBlock(contract_id, None, verdict.check_id, verdict.message)
        for verdict in verdicts
        if verdict.is_blocking and verdict.engine == "dbt" and verdict.source is None
        for contract_id in contract_ids
    ]


def paying_nodes(manifest: Mapping[str, Any]) -> set[str]:
    """The payable marts and every model they are made from."""
    found = {
        node["unique_id"] for node in manifest["nodes"].values() if node["resource_type"] == "model" and node["schema"] == _PAYING_SCHEMA
    }
    open_ends = list(found)
    while open_ends:
        for parent in manifest["nodes"][open_ends.pop()]["depends_on"]["nodes"]:
            if parent in manifest["nodes"] and parent not in found:
                found.add(parent)
                open_ends.append(parent)
    return found


def tested_model(manifest: Mapping[str, Any], test_id: str) -> Mapping[str, Any] | None:
    """The model a test is about: the one it is attached to, else the first it reads; None for a test of a source alone."""
    node = manifest["nodes"].get(test_id, {})
    candidates = [node.get("attached_node"), *node.get("depends_on", {}).get("nodes", [])]
    return next((manifest["nodes"][candidate] for candidate in candidates if candidate in manifest["nodes"]), None)


def _kind(manifest: Mapping[str, Any], outcome: NodeOutcome) -> str:
    """`always_stated`, `unique` ... or, for a test written as one query, its name."""
    return manifest["nodes"].get(outcome.unique_id, {}).get("test_metadata", {}).get("name") or outcome.name


def _only_source(tested: Mapping[str, Any] | None, formats: Mapping[str, str]) -> str | None:
    """The source whose rows the model stages, when its format has exactly one: `stg_<format>__<entity>`."""
    if tested is None or not tested["name"].startswith("stg_"):
        return None
    format_name = tested["name"].removeprefix("stg_").split("__")[0]
    sources = [source for source, of in formats.items() if of == format_name]
    return sources[0] if len(sources) == 1 else None


def _message(outcome: NodeOutcome, tested: Mapping[str, Any] | None) -> str:
    where = f"{tested['schema']}.{tested['name']}" if tested else "a source"
    if outcome.status == "OK":
        return f"{where}: no row fails"
    if outcome.failures is not None:
        return f"{where}: {outcome.failures:,} rows fail {outcome.name}"
    return f"{where}: could not be tested: {outcome.message}"
