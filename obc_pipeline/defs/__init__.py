"""The Dagster side: one module per part of the asset graph. Bodies only call the steps of `obc_pipeline.run`."""
