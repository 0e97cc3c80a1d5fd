"""What a good file of a source looks like, said from the format's declaration and its suite: nothing here is written twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from obc_pipeline.documents import Source
from obc_pipeline.quality.rules import row_rules
from obc_pipeline.sources import Column, Table, registry

_TYPES = {
    "id": "an id, as text: leading zeros kept, never a number of a spreadsheet",
    "text": "text",
    "integer": "a whole number",
    "decimal": "a number, with a point",
    "boolean": "yes or no (also true/false, y/n, 1/0)",
    "map": "one column per item",
}
_TIMES = {"date": "a day", "timestamp": "a day and time", "time": "a time of day"}
_EXAMPLES = {
    "%Y": "2026",
    "%m": "04",
    "%d": "21",
    "%H": "15",
    "%I": "03",
    "%M": "30",
    "%S": "00",
    "%f": "000",
    "%p": "PM",
    "%y": "26",
    "%b": "Apr",
}
_DEFAULT_TIMES = {
    "date": ("%Y-%m-%d", "%m/%d/%Y"),
    "timestamp": ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"),
    "time": ("%H:%M:%S", "%I:%M %p"),
}
_PRIVACY = {"restricted": "kept apart, shown in no report", "drop": "not needed; stays in the archive unread"}


@dataclass(frozen=True)
class ColumnRule:
    """One column of a template: its heading as this sender writes it, what a value is, whether it must be there, and what else holds."""

    heading: str
    value: str
    needed: str
    rules: Sequence[str]
    privacy: str


@dataclass(frozen=True)
class FileRule:
    """One kind of file of a source."""

    table: str
    description: str
    columns: Sequence[ColumnRule]
    replaces: str

    @property
    def header(self) -> list[str]:
        """The header line of a template file."""
        return [column.heading for column in self.columns]


def file_rules(source: Source) -> list[FileRule]:
    """The rules of every kind of file the source may send."""
    declared = registry()[source.format]
    own = {column: header for header, column in dict(source.columns).items()}
    return [_file_rule(declared.name, table, own) for table in declared.tables if table.name != declared.manifest_table]


def _file_rule(format_name: str, table: Table, own: Mapping[str, str]) -> FileRule:
    reasons: dict[str, list[str]] = {}
    for rule in row_rules(format_name, table.name):
        reasons.setdefault(rule.column, []).append(rule.reason)
    columns = [
        _column_rule(column, own, reasons.get(column.name, []), table)
        for column in table.columns
        if column.headers and column.same_as is None
    ]
    return FileRule(table.name, table.description, columns, _replaces(table))


def _column_rule(column: Column, own: Mapping[str, str], reasons: Sequence[str], table: Table) -> ColumnRule:
    # Where a record without its key has another one, the key may be missing.
    is_key = column.name in table.natural_key and (not table.fallback_key or column.name in table.fallback_key)
    is_in_every_row = column.is_value_required or (is_key and column.name not in table.key_may_be_blank)
    needed = "every row" if is_in_every_row else "the column" if column.is_header_required else ""
    return ColumnRule(own.get(column.name, column.headers[0]), _value(column), needed, reasons, _PRIVACY.get(column.privacy, ""))


def _value(column: Column) -> str:
    if column.type in _TIMES:
        shown = dict.fromkeys(_example(form) for form in (column.formats or _DEFAULT_TIMES[column.type])[:2])
        return f"{_TIMES[column.type]}: {' or '.join(shown)}"
    return _TYPES[column.type]


def _example(form: str) -> str:
    for code, example in _EXAMPLES.items():
        form = form.replace(code, example)
    return form


def _replaces(table: Table) -> str:
    if table.supersedes == "key":
        return f"A row replaces an earlier one of the same {', '.join(table.natural_key)}; rows that are not sent again stay."
    whole = ", ".join(table.scope) or "the whole list"
    return f"A file is the whole of its {whole}: what is not in it any more is gone."
