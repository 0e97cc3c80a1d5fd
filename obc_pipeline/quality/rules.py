"""Row rules: the row-level expectations of a suite, compiled to DuckDB SQL, so that reading a file can quarantine the rows that fail.

A rule lives once, in the suite. Great Expectations counts the failing rows, the compiled rule finds them; a test proves
for every rule of every suite that both count the same. How Great Expectations counts (SQL engine, 1.24): an expectation on values
ignores NULL; `not_be_null` counts it; a pair with one NULL side neither passes nor fails a comparison; a row condition that is
not TRUE leaves the row out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from obc_pipeline.quality.suites import Expected, Severity, SuiteInvalid, read_suite


@dataclass(frozen=True)
class RowRule:
    """A row-level expectation as SQL.

    id:          `meta.id` of the expectation, e.g. `rit_in_range`.
    column:      the column it judges (of a pair: the first).
    failing_sql: DuckDB boolean expression over the typed lake columns; TRUE where the row fails, FALSE elsewhere, never NULL.
    reason:      what would be right, in plain words.
    severity:    of the expectation: critical, warning or info. The row is quarantined whatever it is.
    """

    id: str
    column: str
    failing_sql: str
    reason: str
    severity: Severity


def row_rules(format_name: str, table_name: str, expectations_dir: Path | None = None) -> tuple[RowRule, ...]:
    """The row rules of a lake table, in the order of its suite; () when the table has no suite.

    Raises SuiteInvalid when the suite cannot be read, or marks as row rule an expectation that judges no single row.
    """
    suite = read_suite(f"{format_name}__{table_name}", expectations_dir)
    if suite is None:
        return ()
    return tuple(compile_rule(expected) for expected in suite.expectations if expected.is_row_rule)


def rule_reasons(format_name: str, table_name: str, expectations_dir: Path | None = None) -> dict[str, str]:
    """Rule id -> what would be right, for the report that goes back to a sender."""
    return {rule.id: rule.reason for rule in row_rules(format_name, table_name, expectations_dir)}


def compile_rule(expected: Expected) -> RowRule:
    """The rule of one expectation. Raises SuiteInvalid for a type that judges no single row."""
    compiler = _COMPILERS.get(expected.kind)
    if compiler is None:
        raise SuiteInvalid(
            f"{expected.id}: {expected.kind} judges no single row, so it cannot be a row rule; "
            f"`row_rule: false` or one of {', '.join(sorted(_COMPILERS))} would be right"
        )
    failing = compiler(expected.kwargs)
    condition = expected.kwargs.get("row_condition")
    if condition is not None:
        failing = f"({condition_sql(condition)}) AND ({failing})"
    column = expected.kwargs.get("column") or expected.kwargs["column_A"]
    return RowRule(expected.id, column, f"coalesce({failing}, false)", expected.reason, expected.severity)


def condition_sql(condition: Mapping[str, Any]) -> str:
    """A row condition in its JSON form (`comparison`, `nullity`, `and`, `or`) as SQL."""
    kind = condition.get("type")
    if kind in ("and", "or"):
        return f" {kind.upper()} ".join(f"({condition_sql(part)})" for part in condition["conditions"])
    column = identifier(condition["column"]["name"])
    if kind == "nullity":
        return f"{column} IS {'' if condition['is_null'] else 'NOT '}NULL"
    if kind != "comparison":
        raise SuiteInvalid(f"row condition of type {kind!r}; comparison, nullity, and, or would be right")
    operator, parameter = condition["operator"], condition["parameter"]
    if operator in ("IN", "NOT_IN"):
        return f"{column} {operator.replace('_', ' ')} {_set(parameter)}"
    return f"{column} {'=' if operator == '==' else operator} {literal(parameter)}"


def identifier(name: str) -> str:
    """A quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """A Python value of a suite as an SQL literal. Raises SuiteInvalid for what has no exact one (lists, NaN, None)."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return f"{value!r}::DOUBLE"  # Great Expectations binds it as DOUBLE; a bare 0.1 would be DECIMAL here
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    raise SuiteInvalid(f"{value!r} in a suite; a number, a text, true or false would be right")


def _set(values: list[Any]) -> str:
    return "(" + ", ".join(literal(value) for value in values) + ")"


def _bounds(subject: str, kwargs: Mapping[str, Any]) -> str:
    """TRUE outside the bounds."""
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    outside = []
    if low is not None:
        outside.append(f"{subject} {'<=' if kwargs.get('strict_min') else '<'} {literal(low)}")
    if high is not None:
        outside.append(f"{subject} {'>=' if kwargs.get('strict_max') else '>'} {literal(high)}")
    if not outside:
        raise SuiteInvalid("a between expectation without min_value and max_value; at least one would be right")
    return " OR ".join(outside)


def _between(kwargs: Mapping[str, Any]) -> str:
    return _bounds(identifier(kwargs["column"]), kwargs)


def _length_between(kwargs: Mapping[str, Any]) -> str:
    return _bounds(f"length({identifier(kwargs['column'])})", kwargs)


def _in_set(kwargs: Mapping[str, Any]) -> str:
    column, values = identifier(kwargs["column"]), kwargs["value_set"]
    return f"{column} NOT IN {_set(values)}" if values else f"{column} IS NOT NULL"


def _not_in_set(kwargs: Mapping[str, Any]) -> str:
    values = kwargs["value_set"]
    return f"{identifier(kwargs['column'])} IN {_set(values)}" if values else "false"


def _matches(kwargs: Mapping[str, Any]) -> str:
    return f"NOT {_not_matches(kwargs)}"


def _not_matches(kwargs: Mapping[str, Any]) -> str:
    return f"regexp_matches({identifier(kwargs['column'])}, {literal(kwargs['regex'])})"


def _not_null(kwargs: Mapping[str, Any]) -> str:
    return f"{identifier(kwargs['column'])} IS NULL"


def _null(kwargs: Mapping[str, Any]) -> str:
    return f"{identifier(kwargs['column'])} IS NOT NULL"


def _pair(kwargs: Mapping[str, Any], comparison: str) -> str:
    """A pair fails where both sides are there and the comparison does not hold; what is missing is never compared."""
    ignored = kwargs.get("ignore_row_if", "both_values_are_missing")
    if ignored not in ("both_values_are_missing", "either_value_is_missing", "neither"):
        raise SuiteInvalid(f"ignore_row_if {ignored!r}; both_values_are_missing, either_value_is_missing or neither would be right")
    return f"NOT ({identifier(kwargs['column_A'])} {comparison} {identifier(kwargs['column_B'])})"


def _pair_greater(kwargs: Mapping[str, Any]) -> str:
    return _pair(kwargs, ">=" if kwargs.get("or_equal") else ">")


_COMPILERS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "expect_column_values_to_be_between": _between,
    "expect_column_value_lengths_to_be_between": _length_between,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_not_be_in_set": _not_in_set,
    "expect_column_values_to_match_regex": _matches,
    "expect_column_values_to_not_match_regex": _not_matches,
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_null": _null,
    "expect_column_pair_values_a_to_be_greater_than_b": _pair_greater,
}
