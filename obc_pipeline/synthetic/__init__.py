"""A district that never was, in the file formats districts really receive."""

from obc_pipeline.synthetic.generate import generate

__all__ = ["generate"]
