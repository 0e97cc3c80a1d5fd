"""Columns: how one declared column is typed in SQL, and what makes a row of it unfit.

One pass types, judges and writes. A value is *cleaned* (trimmed, empty is NULL), then *typed*; a cleaned value without a typed one
is `untyped`.
"""

from __future__ import annotations

from collections.abc import Sequence

from obc_pipeline.sources.declaration import DATE_FORMATS, TIME_FORMATS, TIMESTAMP_FORMATS, Column

_TRUE = "'true', 'yes', 'y', 't', '1'"
_FALSE = "'false', 'no', 'n', 'f', '0'"
_MARKS = ("/", "T", "Z", ".", ":", " ")
_NAMES = {
    "integer": "a whole number",
    "decimal": "a number",
    "date": "a date",
    "timestamp": "a time",
    "time": "a time of day",
    "boolean": "yes or no",
}
_WHAT_IS_RIGHT = {
    "integer": "digits, such as 213 (213.0 is accepted)",
    "decimal": "plain digits, such as 3.40",
    "date": "2026-04-21 or 4/21/2026, the year with four digits",
    "timestamp": "date and time, such as 2026-04-21 14:30:00",
    "time": "hours and minutes, such as 08:54:50",
    "boolean": "true or false (also yes/no, y/n, 1/0)",
}


def sql_type(column: Column) -> str:
    """The column's type in the lake."""
    if column.type == "decimal":
        return f"DECIMAL({column.precision[0]},{column.precision[1]})"
    return {
        "id": "VARCHAR",
        "text": "VARCHAR",
        "integer": "BIGINT",
        "date": "DATE",
        "timestamp": "TIMESTAMP",
        "time": "TIME",
        "boolean": "BOOLEAN",
        "map": "MAP(VARCHAR, VARCHAR)",
    }[column.type]


def parsed(column: Column, cleaned: str) -> str | None:
    """SQL of a step between the cleaned text and the typed value, for types that need one; each step is planned once."""
    if column.type == "integer":
        # The widest decimal that fits 64 bits; a wider one is ten times slower.
        return f"try_cast({cleaned} AS DECIMAL(18,6))"
    if column.type == "date":
        return _strptime(cleaned, column.formats or DATE_FORMATS)
    if column.type == "timestamp":
        return _strptime(cleaned, column.formats or TIMESTAMP_FORMATS)
    return None


def typed(column: Column, cleaned: str, parsed: str) -> str:
    """SQL that types a cleaned value, NULL where it does not fit; `parsed` names what `parsed` gave."""
    if column.type in ("id", "text"):
        return cleaned
    if column.type == "integer":
        return f"CASE WHEN {parsed} = trunc({parsed}) THEN CAST({parsed} AS BIGINT) END"
    if column.type == "decimal":
        return f"try_cast({cleaned} AS {sql_type(column)})"
    if column.type == "boolean":
        return f"CASE WHEN lower({cleaned}) IN ({_TRUE}) THEN true WHEN lower({cleaned}) IN ({_FALSE}) THEN false END"
    if column.type in ("date", "timestamp"):
        # A two-digit year reads as the year 13; no date in a district's files lies outside 1900-2100.
        return f"CASE WHEN year({parsed}) BETWEEN 1900 AND 2100 THEN CAST({parsed} AS {sql_type(column)}) END"
    if column.type == "time":
        return f"CAST({_strptime(cleaned, column.formats or TIME_FORMATS)} AS TIME)"
    raise ValueError(f"a {column.type} column is gathered, not typed")


def trimmed(field: str, *, is_ascii: bool) -> str:
    """SQL of a sent field without the spaces around it, NULL when nothing is left.

    `trim` walks every character of every value, which was most of the time of reading; so only values that may need it are given to it.
    is_ascii: the file has no other space than the plain one.
    """
    other_spaces = "" if is_ascii else f" OR strlen({field}) <> length({field})"
    return f"CASE WHEN {field} = '' THEN NULL WHEN {field} < '!' OR suffix({field}, ' '){other_spaces} THEN nullif(trim({field}), '') ELSE {field} END"


def mangled_by_a_spreadsheet(cleaned: str) -> str:
    """TRUE where an id became a number on the way: `1.23E+08`, `412345.0`. Both have lost what cannot be restored (leading zeros, digits).

    A CASE, since AND and OR would compute the regular expression for every value.
    """
    return (
        f"CASE WHEN contains({cleaned}, '.') OR contains({cleaned}, '+') "
        f"THEN regexp_full_match({cleaned}, '\\d+(\\.\\d+)?[eE]\\+\\d+|\\d+\\.0+') ELSE false END"
    )


def reason(issue: str, header: str, column: Column | None, rule_reason: str | None = None) -> str:
    """What is wrong with a row and what would be right, without any of its values."""
    kind, _, name = issue.partition(":")
    if kind == "untyped" and column is not None:
        return f"{header} cannot be read as {_NAMES[column.type]}; right would be {_WHAT_IS_RIGHT[column.type]}"
    if kind == "missing":
        return f"{header} is empty; every row needs it"
    if kind == "excel_id":
        return f"{header} was turned into a number by a spreadsheet and has lost digits; export it again as text"
    if kind == "other_district":
        return f"{header} names another district; if it is this one, add the name or id to district.aliases in obc.yml"
    if kind == "unkeyed":
        return "the fields that together name the record are not all filled, so a correction could never find it"
    if kind == "rule":
        return rule_reason or f"breaks the rule {name}"
    if kind == "duplicate":
        return "the same record stands earlier in this file"
    raise ValueError(f"no reason is written for the issue {issue!r}")


def _strptime(cleaned: str, formats: Sequence[str]) -> str:
    """Tries the formats that share the value's punctuation: one that does not fit costs six times one that does."""
    alike: dict[tuple[bool, ...], list[str]] = {}
    for each in formats:
        alike.setdefault(tuple(mark in each.replace("%T", "") for mark in _MARKS), []).append(each)
    if len(alike) == 1:
        return f"try_strptime({cleaned}, {_list(formats)})"
    telling = [i for i in range(len(_MARKS)) if len({marks[i] for marks in alike}) > 1]
    cases = []
    for marks, group in alike.items():
        has = " AND ".join(f"{'' if marks[i] else 'NOT '}contains({cleaned}, '{_MARKS[i]}')" for i in telling)
        cases.append(f"WHEN {has} THEN try_strptime({cleaned}, {_list(group)})")
    return f"CASE {' '.join(cases)} END"


def _list(formats: Sequence[str]) -> str:
    return "[" + ", ".join("'" + f.replace("'", "''") + "'" for f in formats) + "]"
