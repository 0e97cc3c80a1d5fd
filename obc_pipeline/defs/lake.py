"""documents, lake and intake: the district's documents as tables, what the files say, and the account of every record."""

from collections.abc import Iterator

import dagster as dg

from obc_pipeline.defs import naming
from obc_pipeline.defs.district import District
from obc_pipeline.defs.tables import column_schema, count_rows, row_count, table_metadata
from obc_pipeline.documents import Documents
from obc_pipeline.documents.tables import SCHEMAS
from obc_pipeline.sources import Table, registry

_DOCUMENTS_DESCRIPTION = "From the district's documents (obc.yml, data_map.yml, contracts/*.yml, ci_structure.yml): "
ACCOUNTING_CHECK = "every_record_is_accounted_for"

# What the step registers besides the lake: (group, description).
_REGISTERED = {
    naming.DELIVERY: ("intake", "One row per file that landed: source, name, size, hash, and when it came."),
    naming.FILE: (
        "intake",
        "One row per readable member of a delivery, with its account: rows_in = accepted + quarantined + duplicate, whether it counts, and why not.",
    ),
    naming.QUARANTINED_ROW: ("intake", "One row per record that did not go on: file, record, line, rule, reason. No value."),
    naming.LEDGER_ENTRY: ("ledger", "One row per posted entry, from the write-once files in ledger/. Only `obc post` writes them."),
    naming.LEDGER_SETTLED_LINE: (
        "ledger",
        "One row per line a posted statement rested on, paid or not, from the settlement kept with the posting.",
    ),
    naming.LEDGER_HEAD: ("ledger", "One row per contract with a ledger: entries, head hash, posted amount, whether the chain is intact."),
    naming.DISCLOSURE_ENTRY: (
        "published",
        "One row per entry of the disclosure log and table, from the write-once files in disclosure/. No student.",
    ),
}


def documents_asset() -> dg.AssetsDefinition:
    """The documents as tables, for dbt."""
    specs = [
        dg.AssetSpec(
            naming.document_key(table),
            group_name="documents",
            description=_DOCUMENTS_DESCRIPTION + table.replace("_", " ") + ".",
            owners=[naming.TRANSFORMATION_OWNER],
            kinds={"yaml", "parquet"},
        )
        for table in SCHEMAS
    ]

    @dg.multi_asset(name="documents", specs=specs, pool=naming.POOL)
    def documents(context: dg.AssetExecutionContext, district: District) -> Iterator[dg.MaterializeResult]:
        district.run.load_documents()
        with district.run.warehouse() as connection:
            for table in SCHEMAS:
                yield dg.MaterializeResult(naming.document_key(table), metadata=table_metadata(connection, f"documents.{table}"))

    return documents


def lake_asset(documents: Documents) -> dg.AssetsDefinition:
    """One step reads what was not read before and registers what counts at the cutoff."""
    lake_specs = [_lake_spec(documents, format_name, table) for format_name, declared in registry().items() for table in declared.tables]
    registered_specs = [
        dg.AssetSpec(
            key,
            deps=[naming.archive_key(source) for source in documents.sources] if group == "intake" else [],
            group_name=group,
            description=text,
            owners=[naming.TRANSFORMATION_OWNER],
            kinds={"duckdb"},
        )
        for key, (group, text) in _REGISTERED.items()
    ]
    accounting = dg.AssetCheckSpec(
        ACCOUNTING_CHECK,
        asset=naming.FILE,
        description="For every file, rows_in = accepted + quarantined + duplicate. Where this fails the pipeline itself is wrong: nothing after it runs.",
        blocking=True,
    )

    @dg.multi_asset(name="read", specs=[*lake_specs, *registered_specs], check_specs=[accounting], pool=naming.POOL)
    def read(context: dg.AssetExecutionContext, district: District) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        evidence = district.run.read()
        with district.run.warehouse() as connection:
            for format_name, declared in registry().items():
                for table in declared.tables:
                    current = evidence.current(format_name, table.name)
                    rows = count_rows(connection, f'lake."{format_name}__{table.name}"') if current else 0
                    metadata = row_count(rows) | {"files that count": len(current)}
                    yield dg.MaterializeResult(naming.lake_key(format_name, table.name), metadata=metadata)
            for key in _REGISTERED:
                yield dg.MaterializeResult(key, metadata=table_metadata(connection, ".".join(key.path)))
        unaccounted = sum(not file.report.is_accounted_for() for file in evidence.files)
        yield dg.AssetCheckResult(
            asset_key=naming.FILE,
            check_name=ACCOUNTING_CHECK,
            passed=unaccounted == 0,
            metadata={
                "files": len(evidence.files),
                "files not accounted for": unaccounted,
                "rows in": sum(file.report.rows_in for file in evidence.files),
                "accepted": sum(file.report.accepted for file in evidence.files),
                "quarantined": sum(file.report.quarantined for file in evidence.files),
                "duplicate": sum(file.report.duplicate for file in evidence.files),
            },
        )

    return read


def _lake_spec(documents: Documents, format_name: str, table: Table) -> dg.AssetSpec:
    sources = [source for source in documents.sources.values() if source.format == format_name]
    columns = [
        dg.TableColumn(column.name, type=column.type, description=column.description)
        for column in table.columns
        if column.privacy == "keep"
    ]
    how = {
        "key": f"The newest file that has a key ({', '.join(table.natural_key)}) gives its row.",
        "scope": f"A newer file replaces exactly the {', '.join(table.scope)} it covers."
        if table.scope
        else "A newer file replaces it all.",
    }[table.supersedes]
    return dg.AssetSpec(
        naming.lake_key(format_name, table.name),
        deps=[naming.archive_key(source.name) for source in sources],
        group_name="lake",
        description=f"{table.description}\n\nAccepted rows of the files that count at the evidence cutoff. {how}",
        owners=sorted({naming.owner(source.owner_role) for source in sources}) or [naming.TRANSFORMATION_OWNER],
        kinds={"parquet", "duckdb"},
        metadata=column_schema(columns) | {"format": registry()[format_name].title},
    )
