"""Query: the one SELECT that types, judges and keeps a file, built from its declaration, its matched header and its suite's row rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from obc_pipeline.intake import columns as fields
from obc_pipeline.quality.rules import RowRule
from obc_pipeline.sources.declaration import Column
from obc_pipeline.sources.matching import Match

# Beside the declared columns, in every raw Parquet. `_issue` is NULL on accepted rows; `_text` is filled only where it is not.
SYSTEM_COLUMNS = {
    "_file_id": "VARCHAR",
    "_source": "VARCHAR",
    "_scope": "VARCHAR",
    "_extra": "MAP(VARCHAR, VARCHAR)",
    "_issue": "VARCHAR",
    "_text": "VARCHAR",
}
DUPLICATE = "duplicate"


class Query:
    """How one file is read.

    match:   which table and layout the header says, and what stands at each position.
    header:  the header as sent.
    is_ascii: the file holds nothing but ASCII.
    district_names: ids and names of this district, lower case; values of the table's district columns must be among them.
    """

    def __init__(
        self,
        *,
        source: str,
        file_id: str,
        member_name: str,
        match: Match,
        header: Sequence[str],
        delimiter: str,
        is_ascii: bool,
        options: Mapping[str, Any],
        rules: Sequence[RowRule],
        district_names: frozenset[str],
    ) -> None:
        self.source, self.file_id, self.match, self.header = source, file_id, match, list(header)
        self.table = match.table
        self.delimiter, self.is_ascii = delimiter, is_ascii
        self.rules = {rule.id: rule for rule in rules}
        self.district_names = district_names
        self.constants = match.constants(member_name, options)
        self.positions: dict[str, list[int]] = {}
        for position, name in sorted(match.columns.items()):
            self.positions.setdefault(name, []).append(position)

    def select(self, split: str, *, with_restricted: bool) -> str:
        """SQL over `split` (fields f0, f1, …) giving every declared column that is kept, typed, and the system columns."""
        kept = [column for column in self.table.columns if column.privacy == "keep" or (with_restricted and column.privacy == "restricted")]
        names = ", ".join(quoted(column.name) for column in kept)
        conditions = self._conditions()
        tests = "".join(f", {condition} AS {quoted(f'test {number}')}" for number, (_, condition) in enumerate(conditions))
        # One level per step: a level refers to the one below by name, so that no expression is planned twice (planning is what a small file costs).
        return (
            f"WITH split AS (SELECT * FROM {split}), "
            f"cleaned AS (SELECT {', '.join(self._cleaned())} FROM split), "
            f"parsed AS (SELECT *{self._parsed()} FROM cleaned), "
            f"typed AS (SELECT *, {', '.join(self._typed(column) for column in self._direct())} FROM parsed), "
            f"derived AS (SELECT *{self._derived()} FROM typed), "
            f"tested AS (SELECT *{tests} FROM derived), "
            f"judged AS (SELECT *, {self._issue([code for code, _ in conditions])} AS _issue FROM tested) "
            f"SELECT {names}, {literal(self.file_id)} AS _file_id, {literal(self.source)} AS _source, {self._scope()} AS _scope, "
            f"{self._extra()} AS _extra, _issue, CASE WHEN _issue IS NOT NULL THEN {self._text()} END AS _text FROM judged"
        )

    def is_sent(self, column: Column) -> bool:
        """Whether the file has anything for the column."""
        return column.name in self.positions or any(name == column.name for name, _ in self.match.gathered.values())

    def _direct(self) -> list[Column]:
        """Columns that come from the file or a constant, not from other columns."""
        return [column for column in self.table.columns if column.privacy != "drop" and column.expression is None]

    def _is_filled(self, column: Column) -> bool:
        return (column.same_as or column.name) in self.positions or column.name in self.constants

    def _parsed(self) -> str:
        steps = [(column, fields.parsed(column, quoted(clean(column.name)))) for column in self._direct() if self._is_filled(column)]
        return "".join(f", {step} AS {quoted(parse(column.name))}" for column, step in steps if step)

    def _derived(self) -> str:
        """Columns that follow from other typed columns of the same row."""
        return "".join(
            f", CAST({column.expression} AS {fields.sql_type(column)}) AS {quoted(column.name)}"
            for column in self.table.columns
            if column.expression
        )

    def explain(self, issue: str) -> tuple[str | None, str]:
        """The column an issue is about, as the sender names it, and what is wrong and would be right."""
        kind, _, name = issue.partition(":")
        if kind == "rule":
            rule = self.rules[name]
            return self._header_of(rule.column), fields.reason(issue, rule.column, None, rule.reason)
        column = self.table.column(name) if name else None
        return (self._header_of(name) if name else None), fields.reason(issue, self._header_of(name) if name else "", column)

    def _header_of(self, name: str) -> str:
        positions = self.positions.get(name)
        return self.header[positions[0]] if positions else name

    def _cleaned(self) -> list[str]:
        """One cleaned value per declared column (the first filled one where two headers mean the same), and the raw fields."""
        cleaned = [f"f{position}" for position in range(len(self.header))]
        for column in self.table.columns:
            if column.type == "map" or column.privacy == "drop" or column.expression:
                continue
            positions = self.positions.get(column.same_as or column.name, [])
            if not positions and column.name in self.constants:
                value = self.constants[column.name]
                cleaned.append(f"{'NULL::VARCHAR' if value is None else literal(value)} AS {quoted(clean(column.name))}")
                continue
            sent = [self._trimmed(position) for position in positions]
            value = "NULL::VARCHAR" if not sent else sent[0] if len(sent) == 1 else f"coalesce({', '.join(sent)})"
            cleaned.append(f"{value} AS {quoted(clean(column.name))}")
        return cleaned

    def _typed(self, column: Column) -> str:
        if column.type == "map":
            return f"{self._gathered(column.name)} AS {quoted(column.name)}"
        if not self._is_filled(column):
            return f"NULL::{fields.sql_type(column)} AS {quoted(column.name)}"
        value = fields.typed(column, quoted(clean(column.name)), quoted(parse(column.name)))
        return f"CAST({value} AS {fields.sql_type(column)}) AS {quoted(column.name)}"

    def _gathered(self, name: str) -> str:
        pairs = [(code, position) for position, (column, code) in sorted(self.match.gathered.items()) if column == name]
        return _map([(literal(code), self._trimmed(position)) for code, position in pairs])

    def _trimmed(self, position: int) -> str:
        return fields.trimmed(f"f{position}", is_ascii=self.is_ascii)

    def _extra(self) -> str:
        return _map([(literal(header), f"nullif(f{position}, '')") for position, header in sorted(self.match.extras.items())])

    def _scope(self) -> str:
        if not self.table.scope:
            return "''"
        return "concat_ws('|', " + ", ".join(f"coalesce(CAST({quoted(name)} AS VARCHAR), '')" for name in self.table.scope) + ")"

    def _issue(self, codes: Sequence[str]) -> str:
        """All issues of a row, first those of its form, then the suite's rules; NULL when there is none.

        The CASE keeps the text-building off the rows that are fine, which is nearly all of them.
        """
        if not codes:
            return "NULL::VARCHAR"
        tests = [quoted(f"test {number}") for number in range(len(codes))]
        listed = ", ".join(f"CASE WHEN {test} THEN {literal(code)} END" for test, code in zip(tests, codes, strict=True))
        return f"CASE WHEN {' OR '.join(tests)} THEN concat_ws(';', {listed}) END"

    def _conditions(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        present = [column for column in self.table.columns if column.privacy != "drop" and column.type != "map"]
        for column in present:
            sent, value = quoted(clean(column.name)), quoted(column.name)
            if (column.same_as or column.name) in self.positions and column.type not in ("id", "text"):
                found.append((f"untyped:{column.name}", f"{value} IS NULL AND {sent} IS NOT NULL"))
            if column.type == "id" and column.name in self.positions:
                found.append((f"excel_id:{column.name}", fields.mangled_by_a_spreadsheet(sent)))
        for column in present:
            if column.is_value_required and column.expression is None:
                found.append((f"missing:{column.name}", f"{quoted(clean(column.name))} IS NULL"))
        if unkeyed := self._unkeyed():
            found.append(("unkeyed", unkeyed))
        names = ", ".join(literal(name) for name in sorted(self.district_names))
        for name in self.table.district_columns:
            if name in self.positions and names:
                found.append((f"other_district:{name}", f"coalesce(lower({quoted(name)}) NOT IN ({names}), false)"))
        available = {column.name for column in present}
        found += [(f"rule:{rule.id}", rule.failing_sql) for rule in self.rules.values() if rule.column in available]
        return found

    def _unkeyed(self) -> str:
        """TRUE where neither the natural key nor the key that stands in for it is complete."""
        required = {column.name for column in self.table.columns if column.is_value_required}
        keys = [self.table.natural_key, self.table.fallback_key] if self.table.fallback_key else [self.table.natural_key]
        incomplete = []
        for key in keys:
            parts = [name for name in key if name not in self.table.key_may_be_blank and name not in required]
            if not parts:
                return ""
            incomplete.append("(" + " OR ".join(f"{quoted(name)} IS NULL" for name in parts) + ")")
        return " AND ".join(incomplete)

    def _text(self) -> str:
        """The record as sent, except for the fields that must not leave the archive."""
        parts = []
        for position in range(len(self.header)):
            name = self.match.columns.get(position)
            is_hidden = name is not None and self.table.column(name).privacy == "drop"
            parts.append("'(not kept)'" if is_hidden else f"coalesce('\"' || replace(f{position}, '\"', '\"\"') || '\"', '')")
        return f"concat_ws({literal(self.delimiter)}, {', '.join(parts)})"


def clean(name: str) -> str:
    """The name of a column's cleaned text beside its typed value."""
    return f"sent {name}"


def parse(name: str) -> str:
    """The name of the step between a column's cleaned text and its typed value."""
    return f"parsed {name}"


def quoted(name: str) -> str:
    """A quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _map(entries: list[tuple[str, str]]) -> str:
    """A map of the entries that have a value."""
    if not entries:
        return "NULL::MAP(VARCHAR, VARCHAR)"
    structs = ", ".join(f"{{'k': {key}, 'v': {value}}}" for key, value in entries)
    return f"map_from_entries(list_filter([{structs}], lambda entry: entry.v IS NOT NULL))"
