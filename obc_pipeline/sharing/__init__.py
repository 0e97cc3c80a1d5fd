"""The one door through which rows leave the pipeline."""
