"""The rules across documents: what each document may say given the others. One module per subject; `judge` runs them all."""

from obc_pipeline.documents.rules.context import Readings
from obc_pipeline.documents.rules.judging import judge

__all__ = ["Readings", "judge"]
