"""published: what leaves, and one check per contract that says whether its payable rows are of this run."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from obc_pipeline.defs import naming
from obc_pipeline.defs.district import District
from obc_pipeline.documents import Documents
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

    @dg.multi_asset(name="publish", specs=[spec], check_specs=checks, pool=naming.POOL)
    def publish(context: dg.AssetExecutionContext, district: District) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        paths = district.run.publish()
        counts = published_row_counts(paths[0])
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
