"""Reads the expectation suites: the JSON files in `expectations/`, one per lake table and one per paying mart.

A suite is written by hand: `{"name", "expectations": [{"type", "kwargs", "severity", "meta": {...}}]}`; `meta` holds id, row_rule, reason
and, where an expectation serves one row of the data map only, data_map_row.
The file name is the suite's name, `<format>__<table>` or `<schema>__<mart>`. Nothing here imports Great Expectations.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

Severity = Literal["critical", "warning", "info"]

DEFAULT_DIRECTORY = Path(__file__).resolve().parents[2] / "expectations"


class SuiteInvalid(ValueError):
    """A suite file that cannot be used: says which file, which expectation, what is wrong and what would be right."""


@dataclass(frozen=True)
class Expected:
    """One expectation of a suite.

    id:           unique in the suite; results are matched by it.
    kind:         Great Expectations type, `expect_column_values_to_be_between`.
    kwargs:       its arguments as in the file (`column`, `min_value`, `mostly` (0-1), `row_condition`, ...).
    severity:     critical blocks the contracts that consume the source; warning and info are only shown.
    is_row_rule:  a failing row is also quarantined when its file is read.
    reason:       what would be right, in plain words; shown to senders.
    data_map_row: id of the data-map row it serves, None = every row that names the suite.
    """

    id: str
    kind: str
    kwargs: Mapping[str, Any]
    severity: Severity
    is_row_rule: bool
    reason: str
    data_map_row: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns the expectation looks at, those of its row condition included, without repeats."""
        found = [self.kwargs[key] for key in ("column", "column_A", "column_B") if key in self.kwargs]
        found += self.kwargs.get("column_list", [])
        return tuple(dict.fromkeys([*found, *_condition_columns(self.kwargs.get("row_condition"))]))

    @property
    def subject(self) -> str | None:
        """The columns it judges, for people: `a`, `a, b`, None for the table as a whole."""
        judged = [self.kwargs[key] for key in ("column", "column_A", "column_B") if key in self.kwargs]
        return ", ".join(judged + list(self.kwargs.get("column_list", []))) or None


@dataclass(frozen=True)
class Suite:
    """A suite as read; `content_hash` is the SHA-256 of its file."""

    name: str
    expectations: tuple[Expected, ...]
    content_hash: str


def read_suite(name: str, directory: Path | None = None) -> Suite | None:
    """The suite of that name, None when there is no such file. Raises SuiteInvalid when the file cannot be used."""
    path = (directory or DEFAULT_DIRECTORY) / f"{name}.json"
    if not path.is_file():
        return None
    return _parse(path, path.read_bytes())


def suite_names(directory: Path | None = None) -> tuple[str, ...]:
    """The names of all suites, sorted."""
    return tuple(sorted(path.stem for path in (directory or DEFAULT_DIRECTORY).glob("*.json")))


def reasons(suite_name: str, directory: Path | None = None) -> dict[str, str]:
    """Expectation id -> what would be right. Empty when there is no such suite."""
    suite = read_suite(suite_name, directory)
    return {expected.id: expected.reason for expected in suite.expectations} if suite else {}


@lru_cache(maxsize=256)
def _parse(path: Path, content: bytes) -> Suite:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise SuiteInvalid(f"{path.name} is not JSON: {error}") from error
    if document.get("name") != path.stem:
        raise SuiteInvalid(f"{path.name}: `name` is {document.get('name')!r}; it would be right as {path.stem!r}, the file's own name")
    expectations = tuple(_expected(path.name, entry) for entry in document.get("expectations", []))
    ids = [expected.id for expected in expectations]
    repeated = sorted({id_ for id_ in ids if ids.count(id_) > 1})
    if repeated:
        raise SuiteInvalid(f"{path.name}: `meta.id` must be unique in a suite; repeated: {', '.join(repeated)}")
    return Suite(path.stem, expectations, hashlib.sha256(content).hexdigest())


def _expected(file_name: str, entry: Mapping[str, Any]) -> Expected:
    meta = entry.get("meta", {})
    where = f"{file_name}, expectation {meta.get('id') or entry.get('type')!r}"
    for key in ("id", "reason", "row_rule"):
        if key not in meta:
            raise SuiteInvalid(f"{where}: `meta.{key}` is missing")
    if entry.get("severity") not in get_args(Severity):
        raise SuiteInvalid(f"{where}: severity {entry.get('severity')!r} is unknown; one of critical, warning, info would be right")
    return Expected(
        id=meta["id"],
        kind=entry["type"],
        kwargs=entry.get("kwargs", {}),
        severity=entry["severity"],
        is_row_rule=bool(meta["row_rule"]),
        reason=meta["reason"],
        data_map_row=meta.get("data_map_row"),
    )


def _condition_columns(condition: Mapping[str, Any] | None) -> list[str]:
    if condition is None:
        return []
    if "conditions" in condition:
        return [column for part in condition["conditions"] for column in _condition_columns(part)]
    return [condition["column"]["name"]]
