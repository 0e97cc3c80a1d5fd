"""Row rules find exactly the rows that Great Expectations counts, in every committed suite and for every kind of expectation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_batches import create_batch, declared_types

from obc_pipeline.quality.rules import compile_rule, row_rules, rule_reasons
from obc_pipeline.quality.suites import Expected, Suite, SuiteInvalid, read_suite, suite_names


def committed_suites_with_row_rules() -> list[str]:
    return [
        name for name in suite_names() if any(expected.is_row_rule for expected in (read_suite(name) or Suite("", (), "")).expectations)
    ]


def assert_same_counts(engine: Any, connection: duckdb.DuckDBPyConnection, table: str, expectations: list[Expected]) -> dict[str, int]:
    """Both count the same failing rows for each expectation; returns the counts."""
    outcomes = engine.validate(table, None, expectations)
    counts = {}
    for expected, outcome in zip(expectations, outcomes, strict=True):
        assert outcome.error is None, f"{expected.id}: Great Expectations raised {outcome.error}"
        failing = compile_rule(expected).failing_sql
        found = connection.execute(f"SELECT count(*) FILTER ({failing}), count(*) FILTER (({failing}) IS NULL) FROM {table}").fetchone()
        assert found is not None
        assert found == (outcome.rows_failed, 0), (
            f"{expected.id}: rule (rows, NULLs) {found}, Great Expectations {outcome.rows_failed}: {failing}"
        )
        counts[expected.id] = found[0]
    return counts


@pytest.mark.parametrize("name", committed_suites_with_row_rules())
def test_every_committed_row_rule_counts_as_great_expectations(name: str, engine: Any, connection: duckdb.DuckDBPyConnection) -> None:
    suite = read_suite(name)
    assert suite is not None
    create_batch(connection, "committed_batch", suite, declared_types(suite), rows=500, seed=1)
    rules = [expected for expected in suite.expectations if expected.is_row_rule]
    counts = assert_same_counts(engine, connection, "committed_batch", rules)
    assert all(0 < count < 500 for count in counts.values()), f"the random rows do not try these rules: {counts}"


SAMPLE = """
    CREATE OR REPLACE TABLE sample_batch AS SELECT * FROM (VALUES
        (NULL, NULL, NULL, NULL, NULL), (0, 0.1, 'a', true, NULL), (1, 0.3, 'A', false, DATE '2026-01-01'), (100, 0.30000001, '', true, DATE '2025-01-01'),
        (-1, -0.1, 'it''s', NULL, DATE '2026-02-01'), (350, 99.5, 'ab', false, DATE '2026-01-01'), (NULL, 0.3, ' a', true, NULL), (351, NULL, NULL, false, NULL)
    ) AS t(whole, part, word, flag, day)
"""
NUMBERS = st.integers(-2, 352) | st.sampled_from([0.1, 0.3, -0.1, 99.5])
TEXTS = st.sampled_from(["a", "A", "", "it's", "ab", " a", "missing"])


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    comparison = st.one_of(
        st.builds(lambda op, p: _comparison("whole", op, p), st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), st.integers(-2, 352)),
        st.builds(lambda op, p: _comparison("word", op, p), st.sampled_from(["IN", "NOT_IN"]), st.lists(TEXTS, min_size=1, max_size=3)),
        st.builds(lambda p: _comparison("flag", "==", p), st.booleans()),
        st.builds(
            lambda name, p: {"type": "nullity", "column": {"name": name}, "is_null": p}, st.sampled_from(["whole", "word"]), st.booleans()
        ),
    )
    if draw(st.booleans()):
        return draw(comparison)
    return {"type": draw(st.sampled_from(["and", "or"])), "conditions": draw(st.lists(comparison, min_size=2, max_size=3))}


@st.composite
def row_expectations(draw: st.DrawFn) -> Expected:
    bounds = st.tuples(NUMBERS, NUMBERS).map(sorted)
    low, high = draw(bounds)
    strict = {"strict_min": draw(st.booleans()), "strict_max": draw(st.booleans())}
    between = draw(st.sampled_from([{"min_value": low}, {"max_value": high}, {"min_value": low, "max_value": high}])) | strict
    kind, kwargs = draw(
        st.sampled_from(
            [
                ("expect_column_values_to_be_between", {"column": "whole", **between}),
                ("expect_column_values_to_be_between", {"column": "part", **between}),
                ("expect_column_value_lengths_to_be_between", {"column": "word", "min_value": 1, "max_value": 2}),
                ("expect_column_values_to_be_in_set", {"column": "word", "value_set": draw(st.lists(TEXTS, min_size=1, max_size=3))}),
                ("expect_column_values_to_not_be_in_set", {"column": "whole", "value_set": draw(st.lists(st.integers(-1, 2), min_size=1))}),
                ("expect_column_values_to_be_in_set", {"column": "flag", "value_set": [True]}),
                (
                    "expect_column_values_to_match_regex",
                    {"column": "word", "regex": draw(st.sampled_from(["a", "^a$", "(?i)^A", "'", "^$"]))},
                ),
                ("expect_column_values_to_not_match_regex", {"column": "word", "regex": draw(st.sampled_from(["a", "^a$", "(?i)B$"]))}),
                ("expect_column_values_to_not_be_null", {"column": draw(st.sampled_from(["whole", "word"]))}),
                ("expect_column_values_to_be_null", {"column": draw(st.sampled_from(["whole", "word"]))}),
                (
                    "expect_column_pair_values_a_to_be_greater_than_b",
                    {
                        "column_A": "whole",
                        "column_B": "part",
                        "or_equal": draw(st.booleans()),
                        "ignore_row_if": draw(st.sampled_from(["both_values_are_missing", "either_value_is_missing", "neither"])),
                    },
                ),
            ]
        )
    )
    if draw(st.booleans()):
        kwargs = {**kwargs, "row_condition": draw(conditions())}
    return Expected("drawn", kind, kwargs, "critical", True, "drawn")


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(expected=row_expectations())
def test_any_row_expectation_counts_as_great_expectations(expected: Expected, engine: Any, connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(SAMPLE)
    assert_same_counts(engine, connection, "sample_batch", [expected])


def test_a_table_without_suite_has_no_rules() -> None:
    assert row_rules("no_such_format", "no_such_table") == ()


def test_reasons_are_given_by_rule_id() -> None:
    assert rule_reasons("nwea_map", "assessment_results")["rit_in_range"] == "a RIT score lies between 100 and 350"


def write_suite(directory: Path, **entry: Any) -> None:
    suite = {
        "name": "f__t",
        "expectations": [{"kwargs": {}, "severity": "critical", "meta": {"id": "x", "row_rule": True, "reason": "r"}, **entry}],
    }
    (directory / "f__t.json").write_text(json.dumps(suite))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"type": "expect_table_row_count_to_be_between"}, "judges no single row"),
        ({"type": "expect_column_values_to_be_between", "kwargs": {"column": "c"}}, "at least one would be right"),
        ({"type": "expect_column_values_to_be_between", "severity": "fatal"}, "severity 'fatal' is unknown"),
        ({"type": "expect_column_values_to_be_between", "meta": {"id": "x", "row_rule": True}}, "`meta.reason` is missing"),
    ],
)
def test_a_suite_that_cannot_be_used_says_why(tmp_path: Path, entry: dict[str, Any], said: str) -> None:
    write_suite(tmp_path, **entry)
    with pytest.raises(SuiteInvalid, match=said):
        row_rules("f", "t", tmp_path)


def _comparison(column: str, operator: str, parameter: Any) -> dict[str, Any]:
    return {"type": "comparison", "column": {"name": column}, "operator": operator, "parameter": parameter}
