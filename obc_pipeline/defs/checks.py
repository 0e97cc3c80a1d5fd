"""check: Great Expectations' and intake's verdicts, as tables for dbt and as asset checks where people look.

A failed critical check is an error in the UI, but it stops no step: by law 7 it stops the contracts that consume the source, and
those only. What it stops is in `intake.contract_block`, and shown by one check per contract on the published file.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

import dagster as dg

from obc_pipeline.defs import naming
from obc_pipeline.defs.district import District
from obc_pipeline.defs.feeds import consumers, landing_check_specs, what_it_stops
from obc_pipeline.defs.tables import table_metadata
from obc_pipeline.documents import Documents
from obc_pipeline.quality.suites import Expected, Suite, read_suite, suite_names
from obc_pipeline.quality.verdicts import Verdict
from obc_pipeline.sources import registry

_DESCRIPTIONS = {
    naming.CHECK_RESULT: "One row per check of the run: what was expected, how many rows failed, how severe that is. No value of any row.",
    naming.CONTRACT_BLOCK: "Contracts stopped by a failed critical check, and by which. Their last published payable rows stand.",
    naming.SOURCE_FRESHNESS: "One row per source: last arrival, when something is due, fresh or late as of the run's date.",
}


def check_sources_asset(documents: Documents) -> dg.AssetsDefinition:
    """Runs every suite on what counts as evidence."""
    sharing = naming.sharing_sources(documents)
    lake = [naming.lake_key(format_name, table.name) for format_name, declared in registry().items() for table in declared.tables]
    specs = [
        dg.AssetSpec(
            key,
            deps=[
                *lake,
                naming.FILE,
                naming.DELIVERY,
                naming.LEDGER_HEAD,
                *map(naming.document_key, ("data_source", "data_map_row", "contract_source")),
            ],
            group_name="check",
            description=text,
            owners=[naming.TRANSFORMATION_OWNER],
            kinds={"greatexpectations", "duckdb"},
        )
        for key, text in _DESCRIPTIONS.items()
    ]

    @dg.multi_asset(
        name="check_sources",
        specs=specs,
        check_specs=[*landing_check_specs(documents), *_lake_check_specs(documents), *_ledger_check_specs(documents)],
        allow_arbitrary_check_specs=True,  # the checks belong to lake tables and feeds, which other steps make
        can_subset=True,
        pool=naming.POOL,
    )
    def check_sources(context: dg.AssetExecutionContext, district: District) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        verdicts = district.run.check_sources()
        with district.run.warehouse() as connection:
            for key in _DESCRIPTIONS:
                if key in context.selected_asset_keys:
                    yield dg.MaterializeResult(key, metadata=table_metadata(connection, ".".join(key.path)) | _counts(verdicts))
        yield from check_results(context, verdicts, sharing)

    return check_sources


def check_marts_asset(documents: Documents) -> dg.AssetsDefinition:
    """Runs the suites of the paying marts, contract by contract, after dbt's own tests."""
    marts = [suite for suite in map(read_suite, suite_names()) if suite and suite.name.partition("__")[0] not in registry()]
    contracts = sorted({contract.contract_id for contract in documents.contracts})
    spec = dg.AssetSpec(
        naming.MART_VERDICT,
        deps=[naming.CHECK_RESULT, *(dg.AssetKey(suite.name.split("__", 1)) for suite in marts)],
        group_name="check",
        description="Adds the verdicts of dbt's tests and of the paying marts' suites to intake.check_result, and works out again which contracts are stopped.",
        owners=[naming.TRANSFORMATION_OWNER],
        kinds={"greatexpectations", "duckdb"},
    )
    check_specs = [
        _check_spec(
            dg.AssetKey(suite.name.split("__", 1)), naming.safe_contract(contract_id), expected, f"rows of {contract_id}", [contract_id]
        )
        for suite in marts
        for contract_id in contracts
        for expected in suite.expectations
    ]

    @dg.multi_asset(
        name="check_marts", specs=[spec], check_specs=check_specs, allow_arbitrary_check_specs=True, can_subset=True, pool=naming.POOL
    )
    def check_marts(context: dg.AssetExecutionContext, district: District) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        verdicts = district.run.check_marts()
        if naming.MART_VERDICT in context.selected_asset_keys:
            yield dg.MaterializeResult(naming.MART_VERDICT, metadata=_counts(verdicts))
        yield from check_results(context, verdicts)

    return check_marts


def check_results(
    context: dg.AssetExecutionContext, verdicts: Iterable[Verdict], sharing: Collection[str] = ()
) -> Iterator[dg.AssetCheckResult]:
    """The verdicts that this step may report, as asset checks: counts and plain words, never a value."""
    for verdict in verdicts:
        key = naming.check_key(verdict, sharing)
        if key is not None and key in context.selected_asset_check_keys:
            yield dg.AssetCheckResult(
                asset_key=key.asset_key,
                check_name=key.name,
                passed=verdict.status in ("PASSED", "NOT_RUN"),
                severity=dg.AssetCheckSeverity.ERROR if verdict.severity == "critical" else dg.AssetCheckSeverity.WARN,
                description=verdict.message,
                metadata=_verdict_metadata(verdict),
            )


def _lake_check_specs(documents: Documents) -> list[dg.AssetCheckSpec]:
    sharing = naming.sharing_sources(documents)
    return [
        _check_spec(
            naming.lake_key(*suite.name.split("__", 1)),
            source.name if source.name in sharing else None,
            expected,
            f"rows of {source.name}",
            consumers(documents, source.name),
        )
        for suite in _lake_suites()
        for source in documents.sources.values()
        if source.format == suite.name.split("__", 1)[0]
        for expected in suite.expectations
    ]


def _ledger_check_specs(documents: Documents) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            naming.ledger_check_name(contract_id),
            asset=naming.LEDGER_ENTRY,
            description=f"Every posted statement of {contract_id} is as it was written (critical). Not run while nothing is posted.",
            metadata={"severity": "critical"},
        )
        for contract_id in sorted({contract.contract_id for contract in documents.contracts})
    ]


def _lake_suites() -> list[Suite]:
    return [suite for suite in map(read_suite, suite_names()) if suite and suite.name.partition("__")[0] in registry()]


def _check_spec(asset: dg.AssetKey, subject: str | None, expected: Expected, of_what: str, stops: Sequence[str]) -> dg.AssetCheckSpec:
    quarantines = " Rows that fail go to quarantine." if expected.is_row_rule else ""
    return dg.AssetCheckSpec(
        naming.expectation_check_name(subject, expected.id),
        asset=asset,
        description=f"{expected.reason} ({expected.severity}; {of_what}; {expected.kind}).{quarantines}{what_it_stops(expected.severity, stops)}",
        metadata={"severity": expected.severity, "columns": expected.subject or "the table as a whole"},
    )


def _verdict_metadata(verdict: Verdict) -> dict[str, str | int | float | bool]:
    shown = {
        "status": verdict.status,
        "severity": verdict.severity,
        "blocks contracts": verdict.is_blocking,
        "rows checked": verdict.rows_checked,
        "rows failed": verdict.rows_failed,
        "pass rate": verdict.pass_rate,
        "share that must pass": verdict.mostly,
        "column": verdict.column_name,
        "data map row": verdict.data_map_row,
        "as of": verdict.checked_as_of.isoformat(),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _counts(verdicts: list[Verdict]) -> dict[str, int]:
    return {
        "checks": len(verdicts),
        "passed": sum(verdict.status == "PASSED" for verdict in verdicts),
        "failed": sum(verdict.status in ("FAILED", "ERROR") for verdict in verdicts),
        "blocking": sum(verdict.is_blocking for verdict in verdicts),
        "not run": sum(verdict.status == "NOT_RUN" for verdict in verdicts),
    }
