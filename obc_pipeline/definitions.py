"""The Dagster code location: what `dagster dev`, `obc ui` and `workspace.yaml` load. The home is that of OBC_HOME."""

import dagster as dg

from obc_pipeline.defs.assembly import from_environment


@dg.definitions
def definitions() -> dg.Definitions:
    """Read when Dagster loads the code location, not when this module is imported."""
    return from_environment()
