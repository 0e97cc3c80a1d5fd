"""Column lineage: from which columns of its parents each column of a dbt model is made, read from the compiled SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from obc_pipeline.home import Home


class ColumnLineage:
    """Lineage of every model of a manifest, worked out when first asked for and kept as long as the model stays the same."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self._manifest = manifest

    def of(self, connection: duckdb.DuckDBPyConnection, node: Mapping[str, Any], home: Home) -> dict[str, Any]:
        return {}
