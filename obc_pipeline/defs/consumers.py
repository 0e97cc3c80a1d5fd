"""consumers: dbt's exposures as assets, so that the lineage ends where people read. Nothing runs in them."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from obc_pipeline.defs import naming


def consumer_specs(manifest: Mapping[str, Any]) -> list[dg.AssetSpec]:
    """One external asset per exposure of the manifest, downstream of the models it reads."""
    return [_spec(manifest, exposure) for exposure in sorted(manifest["exposures"].values(), key=lambda exposure: exposure["name"])]


def _spec(manifest: Mapping[str, Any], exposure: Mapping[str, Any]) -> dg.AssetSpec:
    return dg.AssetSpec(
        dg.AssetKey(["consumers", exposure["name"]]),
        deps=[naming.model_key(manifest["nodes"][node]) for node in exposure["depends_on"]["nodes"] if node in manifest["nodes"]],
        group_name="consumers",
        owners=[naming.TRANSFORMATION_OWNER],
        description=exposure["description"],
        metadata={"for": exposure["owner"]["name"] or "", "kind": exposure["type"]},
        kinds={exposure["type"]},
    )
