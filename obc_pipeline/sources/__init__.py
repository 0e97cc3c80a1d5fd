"""The formats a district receives, one module each. `registry()` finds them; adding one needs no other change in Python."""

from obc_pipeline.sources.declaration import Column, Format, Table
from obc_pipeline.sources.discovery import registry

__all__ = ["Column", "Format", "Table", "registry"]
