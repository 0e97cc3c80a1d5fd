"""Finds the format modules of this package by their `FORMAT` object."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from obc_pipeline.sources.declaration import Format

_NOT_FORMATS = {"declaration", "discovery", "matching"}


@cache
def registry() -> Mapping[str, Format]:
    """Every declared format by name. Raises ValueError when two modules declare the same name."""
    package = importlib.import_module("obc_pipeline.sources")
    found: dict[str, Format] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.name in _NOT_FORMATS:
            continue
        declared = importlib.import_module(f"obc_pipeline.sources.{info.name}").FORMAT
        if declared.name in found:
            raise ValueError(f"two modules declare the format {declared.name!r}")
        found[declared.name] = declared
    return MappingProxyType(found)
