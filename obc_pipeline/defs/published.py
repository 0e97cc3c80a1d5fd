"""published: what the district reads, what is prepared for everyone else, and per contract whether its payable rows are of this run."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from obc_pipeline.defs import naming
from obc_pipeline.defs.district import District
from obc_pipeline.documents import Documents
from obc_pipeline.sharing.prepare import Prepared
from obc_pipeline.sharing.publish import mart_tables, published_row_counts


def published_asset(documents: Documents, manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """The file that BI reads."""
    contracts = sorted({contract.contract_id for contract in documents.contracts})
    spec = dg.AssetSpec(
        naming.PUBLISHED,
        deps=[naming.CONTRACT_BLOCK, naming.MART_VERDICT, *(dg.AssetKey([mart.schema, mart.name]) for mart in mart_tables(manifest))],
        group_name="published",
        description=(
            "`published/district/marts.duckdb` and `parquet/`: the marts with every table and column described, written aside and swapped in. "
            "Point BI here, never at the working file. Payable rows of a stopped contract are those published last, marked `is_held_back`."
        ),
        owners=[naming.TRANSFORMATION_OWNER],
        kinds={"duckdb", "parquet"},
    )
    checks = [
        dg.AssetCheckSpec(
            naming.release_check_name(contract_id),
            asset=naming.PUBLISHED,
            description=f"No failed critical check stops {contract_id}: its payable rows are of this run. Otherwise its last published rows stand.",
        )
        for contract_id in contracts
    ]

    kinds = _prepared_kinds(documents)
    checks += [
        dg.AssetCheckSpec(
            naming.PREPARED_CHECK,
            asset=naming.PREPARED[kind],
            description="Everyone of this group could be prepared. Otherwise it says who could not, and why; what was released before stands.",
        )
        for kind in kinds
    ]

    @dg.multi_asset(name="publish", specs=[spec, *(_prepared_spec(kind) for kind in kinds)], check_specs=checks, pool=naming.POOL)
    def publish(context: dg.AssetExecutionContext, district: District) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        paths = district.run.publish()
        counts = published_row_counts(paths[0])
        prepared = district.run.share()
        result = district.run.finish()
        with district.run.warehouse() as connection:
            reasons = dict(
                connection.execute(
                    "select contract_id, string_agg(check_id, ', ' order by check_id) from intake.contract_block group by all"
                ).fetchall()
            )
        yield dg.MaterializeResult(
            naming.PUBLISHED,
            metadata={
                "file": dg.MetadataValue.path(str(paths[0])),
                "run id": result["run_id"],
                "as of": result["as_of"],
                "evidence cutoff (UTC)": result["evidence_cutoff_at"],
                "tables": dg.MetadataValue.table(
                    [dg.TableRecord({"table": f"{schema}.{name}", "rows": rows}) for (schema, name), rows in sorted(counts.items())]
                ),
            },
        )
        for kind in kinds:
            yield from _prepared_results(kind, [one for one in prepared if one.audience.kind == kind])
        for contract_id in contracts:
            stopped_by = reasons.get(contract_id)
            yield dg.AssetCheckResult(
                asset_key=naming.PUBLISHED,
                check_name=naming.release_check_name(contract_id),
                passed=stopped_by is None,
                severity=dg.AssetCheckSeverity.ERROR,
                description=f"stopped by {stopped_by}" if stopped_by else "payable rows are of this run",
                metadata={"earned": result["contracts"][contract_id]["earned"], "payable": result["contracts"][contract_id]["payable"]},
            )

    return publish


_WHO = {
    "vendor": "each vendor: its own students' rows",
    "school": "each school: its own students' rows",
    "public": "everybody: suppressed aggregates",
}


def _prepared_kinds(documents: Documents) -> list[str]:
    """The groups of audiences that the documents name."""
    named = {group.audience for group in documents.workgroups} | set(documents.obc.publish.audiences)
    return [kind for kind in naming.PREPARED if any(audience == kind or audience.startswith(f"{kind}-") for audience in named)]


def _prepared_spec(kind: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        naming.PREPARED[kind],
        deps=[naming.PUBLISHED],
        group_name="published",
        description=(
            f"What would go to {_WHO[kind]}. Prepared by every run in `published/.prepared/`, where only the district looks. "
            "It goes out when a person releases it: `obc release AUDIENCE --by NAME`; no schedule, no sensor and no job does that."
        ),
        owners=[naming.TRANSFORMATION_OWNER],
        kinds={"duckdb", "parquet"},
    )


def _prepared_results(kind: str, prepared: Sequence[Prepared]) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Counts per audience and table names; of a student nothing."""
    records = [
        dg.TableRecord(
            {
                "audience": one.audience.audience_id,
                "tables": len(one.contents.tables) if one.contents else 0,
                "rows": sum(table["rows"] for table in one.contents.tables.values()) if one.contents else 0,
                "problem": one.problem or "",
            }
        )
        for one in prepared
    ]
    problems = [one.problem for one in prepared if one.problem]
    yield dg.MaterializeResult(naming.PREPARED[kind], metadata={"audiences": dg.MetadataValue.table(records)} if records else {})
    yield dg.AssetCheckResult(
        asset_key=naming.PREPARED[kind],
        check_name=naming.PREPARED_CHECK,
        passed=not problems,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(problems) or f"{len(prepared)} prepared",
        metadata={"prepared": len(prepared) - len(problems), "not prepared": len(problems)},
    )
