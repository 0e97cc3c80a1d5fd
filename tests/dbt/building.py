"""Runs dbt in this process for the tests of this folder."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
MARTS = ("+path:models/marts/core", "+path:models/marts/process")
VARIABLES = {"as_of_date": "2026-01-30", "evidence_cutoff_at": "2026-01-30 23:59:59", "district_id": "2800001", "run_id": "test"}


def run_dbt(warehouse: Path, target: Path, arguments: Sequence[str]) -> Any:
    """dbt in this process, on that file; gives dbt's result object. Closes the file afterwards."""
    from dbt.adapters.factory import FACTORY
    from dbt.cli.main import dbtRunner

    before = os.environ.get("OBC_WAREHOUSE")
    os.environ["OBC_WAREHOUSE"] = str(warehouse)
    places = ["--project-dir", PROJECT, "--profiles-dir", PROJECT, "--target-path", target, "--log-path", target]
    try:
        return dbtRunner().invoke([*arguments, "--vars", json.dumps(VARIABLES), "--quiet", "--log-level-file", "none", *map(str, places)])
    finally:
        for adapter in FACTORY.adapters.values():
            adapter.connections.cleanup_all()  # type: ignore[attr-defined]
            adapter.connections.close_all_connections()  # type: ignore[attr-defined]
        if before is None:
            os.environ.pop("OBC_WAREHOUSE")
        else:
            os.environ["OBC_WAREHOUSE"] = before
