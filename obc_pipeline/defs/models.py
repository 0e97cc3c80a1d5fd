"""build: the dbt models as assets, their tests as asset checks, run by dbt in this process."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject, dbt_assets

from obc_pipeline.dbt_build import QUALITY_MODELS, DbtFailed, NodeOutcome
from obc_pipeline.defs import naming
from obc_pipeline.defs.column_lineage import ColumnLineage
from obc_pipeline.defs.data_map_rows import rows_served
from obc_pipeline.defs.district import District
from obc_pipeline.defs.tables import count_rows, row_count
from obc_pipeline.documents import Documents
from obc_pipeline.model_tests import paying_nodes


class Translator(DagsterDbtTranslator):
    """dbt's models and sources under the names of the warehouse, grouped by layer."""

    def __init__(self, manifest: Mapping[str, Any], documents: Documents) -> None:
        super().__init__()
        self._paying = paying_nodes(manifest)
        self._rows_served = rows_served(manifest, documents)

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        return naming.model_key(dbt_resource_props)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        return dbt_resource_props["schema"]

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        return list(super().get_owners(dbt_resource_props) or [naming.TRANSFORMATION_OWNER])

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """Marts name the data-map rows they serve; the quality marts also wait for the verdicts on the paying marts."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        if unique_id in self._rows_served:
            spec = spec.merge_attributes(metadata={"data map rows": ", ".join(self._rows_served[unique_id]) or "none"})
        if spec.group_name == "quality":
            spec = spec.merge_attributes(deps=[naming.MART_VERDICT])
        return spec

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        """A failed test stops contracts (see obc_pipeline/model_tests.py), not the step after it."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None:
            return None
        test = manifest["nodes"][unique_id]
        kind = test.get("test_metadata", {}).get("name") or test["name"]
        column = f" of {test['column_name']}" if test.get("column_name") else ""
        said = (test.get("description") or f"dbt test {kind}{column}").rstrip(".") + "."
        stops = " Where it fails, contracts are stopped: money depends on this model." if test.get("attached_node") in self._paying else ""
        return spec._replace(name=self._test_name(manifest, test, kind), description=said + stops, blocking=False)

    def _test_name(self, manifest: Mapping[str, Any], test: Mapping[str, Any], kind: str) -> str:
        """`decision__accepted_values`: dbt's own names hold every argument, and are cut off in the middle of what matters.

        A test that was given a name keeps it. Where a model has several of a kind, the end of dbt's unique id tells them apart.
        """
        is_named = not test["name"].startswith((kind, f"dbt_utils_{kind}"))
        name = test["name"] if is_named or "test_metadata" not in test else "__".join(filter(None, [test.get("column_name"), kind]))
        siblings = [
            other
            for other in manifest["child_map"].get(test.get("attached_node") or "", [])
            if other.startswith("test.")
            and manifest["nodes"][other].get("test_metadata", {}).get("name") == kind
            and manifest["nodes"][other].get("column_name") == test.get("column_name")
        ]
        return naming.safe(name if is_named or len(siblings) < 2 else f"{name}__{test['unique_id'].rsplit('.', 1)[1][:4]}")


def model_assets(manifest: Mapping[str, Any], documents: Documents) -> list[dg.AssetsDefinition]:
    """Two steps of dbt: all models with their tests, and, after the paying marts are checked, the quality marts."""
    translator = Translator(manifest, documents)

    @dbt_assets(manifest=manifest, exclude=QUALITY_MODELS, dagster_dbt_translator=translator, name="build", pool=naming.POOL)
    def build(context: dg.AssetExecutionContext, district: District) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        yield from _reported(context, manifest, translator, district, district.run.build)

    @dbt_assets(manifest=manifest, select=QUALITY_MODELS, dagster_dbt_translator=translator, name="build_quality", pool=naming.POOL)
    def build_quality(context: dg.AssetExecutionContext, district: District) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        yield from _reported(context, manifest, translator, district, district.run.build_quality)

    return [build, build_quality]


def _reported(
    context: dg.AssetExecutionContext,
    manifest: Mapping[str, Any],
    translator: Translator,
    district: District,
    step: Any,
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """What dbt did, model by model and test by test. Raises DbtFailed after reporting what was built."""
    select = _selected_models(context, manifest) if context.is_subset else []
    failure: DbtFailed | None = None
    try:
        outcomes: list[NodeOutcome] = step(select)
    except DbtFailed as failed:
        failure, outcomes = failed, list(failed.outcomes)
    yield from _materialized(context, manifest, district, outcomes)
    yield from _tested(context, manifest, translator, outcomes)
    if failure:
        raise failure


def _materialized(
    context: dg.AssetExecutionContext,
    manifest: Mapping[str, Any],
    district: District,
    outcomes: Sequence[NodeOutcome],
) -> Iterator[dg.MaterializeResult]:
    with district.run.warehouse() as connection:
        built = [outcome.unique_id for outcome in outcomes if outcome.kind == "model" and outcome.status == "OK"]
        lineage = ColumnLineage(manifest, district.run.home).metadata(connection, built)
        for outcome in outcomes:
            node = manifest["nodes"].get(outcome.unique_id)
            if node is None or outcome.unique_id not in built or naming.model_key(node) not in context.selected_asset_keys:
                continue
            metadata: dict[str, Any] = {"seconds": round(outcome.seconds, 3)}
            if node["config"]["materialized"] != "view":
                metadata |= row_count(count_rows(connection, f'"{node["schema"]}"."{node["alias"]}"'))
            yield dg.MaterializeResult(naming.model_key(node), metadata=metadata | lineage.get(outcome.unique_id, {}))


def _tested(
    context: dg.AssetExecutionContext, manifest: Mapping[str, Any], translator: Translator, outcomes: Iterable[NodeOutcome]
) -> Iterator[dg.AssetCheckResult]:
    by_test = {spec.metadata["dagster_dbt/unique_id"]: spec.key for spec in context.assets_def.check_specs}
    for outcome in outcomes:
        key = by_test.get(outcome.unique_id)
        if outcome.kind != "test" or key is None or key not in context.selected_asset_check_keys or outcome.status == "SKIPPED":
            continue
        is_paying = manifest["nodes"][outcome.unique_id].get("attached_node") in translator._paying
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=outcome.status == "OK",
            severity=dg.AssetCheckSeverity.ERROR if is_paying and outcome.status != "WARNED" else dg.AssetCheckSeverity.WARN,
            description="no row fails" if outcome.status == "OK" else outcome.message,
            metadata={"rows failed": outcome.failures or 0, "seconds": round(outcome.seconds, 3)},
        )


def _selected_models(context: dg.AssetExecutionContext, manifest: Mapping[str, Any]) -> list[str]:
    """The chosen assets as dbt names them; of chosen checks, the models they test."""
    keys = {*context.selected_asset_keys, *(check.asset_key for check in context.selected_asset_check_keys)}
    return [node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "model" and naming.model_key(node) in keys]
