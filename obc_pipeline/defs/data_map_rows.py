"""Which rows of the data map each mart serves: what the district set out to measure, followed through the models to what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from obc_pipeline.documents import Documents


def rows_served(manifest: Mapping[str, Any], documents: Documents) -> dict[str, tuple[str, ...]]:
    """dbt's unique id of every mart -> ids of the data-map rows it serves, in the order of the data map.

    A mart serves a row when a lake table of the format of the row's source leads to it. A mart that rests on no lake table but on the
    account of arrivals (schema `intake`) watches every feed, and so serves every row.
    """
    parents: Mapping[str, list[str]] = manifest["parent_map"]

    @cache
    def roots(unique_id: str) -> frozenset[str]:
        above = parents.get(unique_id, [])
        return frozenset().union(*map(roots, above)) if above else frozenset({unique_id})

    served = {}
    for unique_id, node in manifest["nodes"].items():
        if node["resource_type"] != "model" or len(node["fqn"]) < 3 or node["fqn"][1] != "marts":
            continue
        sources = [manifest["sources"][root] for root in roots(unique_id) if root in manifest["sources"]]
        formats = {source["name"].partition("__")[0] for source in sources if source["schema"] == "lake"}
        is_account = not formats and any(source["schema"] == "intake" for source in sources)
        served[unique_id] = tuple(
            row.row_id
            for row in documents.data_map_rows
            if is_account or any(documents.sources[name].format in formats for name in row.source_names if name in documents.sources)
        )
    return served
