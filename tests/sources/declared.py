"""Shared by the source tests: header lines, sample files, and every declared table."""

from __future__ import annotations

import csv
from pathlib import Path

from obc_pipeline.sources import Format, Table, registry

TESTS = Path(__file__).resolve().parents[1]
HEADERS = TESTS / "headers"
SAMPLES = TESTS / "samples"

# A name under which a file says nothing but what a format can only learn from names.
NEUTRAL_NAME = {"renaissance_star": "SR.csv"}


def header_line(path: Path, delimiter: str = ",") -> list[str]:
    """The first record of a file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file, delimiter=delimiter))


def every_table() -> list[tuple[Format, Table]]:
    """Every declared table with its format."""
    return [(format_, table) for format_ in registry().values() for table in format_.tables]


def every_version() -> list[tuple[Format, Table, str, tuple[str, ...]]]:
    """Every declared header version: format, table, version, header."""
    return [(format_, table, version, header) for format_, table in every_table() for version, header in table.header_versions.items()]


def name_for(format_: Format, name: str = "export.csv") -> str:
    """A file name that does not give the table away."""
    return NEUTRAL_NAME.get(format_.name, name)
