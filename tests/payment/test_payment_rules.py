"""Runs the dbt unit tests of the payment models: one per rule, named after what it proves."""

from __future__ import annotations

import re

import pytest

from tests.payment.conftest import MARTS, PAYMENT, PROJECT, EmptyDistrict, dbt

# The vocabulary of results (domain notes, section 4.1) without EXCLUDED_<reason>.
RESULTS = {
    "OUT_OF_SCOPE",
    "PENDING_WINDOW",
    "PENDING_DATA",
    "HELD_DISPUTE",
    "HELD_BOTH_DEFAULT",
    "NOT_EARNED_PROVIDER",
    "DISTRICT_DEFAULT",
    "INELIGIBLE_DOSAGE",
    "NOT_MEASURED_MISSING",
    "NOT_MEASURED_INVALID",
    "EARNED",
    "NOT_EARNED_OUTCOME",
    "PENALTY",
}


@pytest.mark.slow
def test_every_rule(empty_district: EmptyDistrict) -> None:
    result = dbt(empty_district.warehouse, empty_district.target, "test", "--select", *(f"{path},test_type:unit" for path in PAYMENT))
    assert result.exception is None, result.exception
    failed = [f"{node.node.name}: {node.message}" for node in result.result if str(node.status) != "pass"]
    assert not failed, "\n".join(failed)
    assert len(result.result) >= 46


def test_every_result_of_the_vocabulary_has_a_rule() -> None:
    """No result can be reached that no unit test pays, and the decision knows no other."""
    rules = (PROJECT / "models/intermediate/payment/unit_tests_decision.yml").read_text(encoding="utf-8")
    decision = (PROJECT / "models/intermediate/payment/int_payment__decision.sql").read_text(encoding="utf-8")
    assert set(re.findall(r"decision: ([A-Z_]+)", rules)) == RESULTS | {"EXCLUDED_TRANSFER"}
    assert set(re.findall(r"when '[A-Z_]+'\s+then '([A-Z_]+[A-Z])'", decision)) == RESULTS


def test_every_reason_is_put_into_words() -> None:
    """Those of a student's line, and those of a line that is owed for a cohort."""
    words = (PROJECT / "models/marts/payable/fct_payment_decision.sql").read_text(encoding="utf-8")
    spoken = [part[: part.index("end as reason,")] for part in words.split("case reason_code") if "end as reason," in part]
    for name, part in zip(("decision", "cohort"), spoken, strict=True):
        sql = (PROJECT / f"models/intermediate/payment/int_payment__{name}.sql").read_text(encoding="utf-8")
        codes = set(re.findall(r"when\s+'([A-Z_]+)'\s+then\s+'", sql))
        if name == "decision":
            codes |= {"REQUIRED_LINE_DOES_NOT_PAY", "EXCLUDED_BY_OTHER_LINE", "OTHER_LINE_OPEN"}
        assert codes == set(re.findall(r"when\s+'([A-Z_]+)'\s+then", part))


def test_money_never_passes_through_a_float() -> None:
    """DOUBLE appears in no payment model; the only division is of integers, in the macros."""
    models = [*(PROJECT / "models/intermediate/payment").glob("*.sql"), *(PROJECT / f"models/marts/payable/{name}.sql" for name in MARTS)]
    for path in sorted(models):
        code = "\n".join(line.split("--")[0] for line in path.read_text(encoding="utf-8").splitlines()).lower()
        without_text = re.sub(r"'[^'\n]*'", "''", code)
        assert "double" not in without_text, path.name
        assert "float" not in without_text, path.name
        assert " / " not in without_text, path.name


def test_every_edge_case_names_tests_that_exist() -> None:
    """The table of edge cases in docs/payment_decision.md: each row names at least one test, and every name is one."""
    page = (PROJECT.parent / "docs/payment_decision.md").read_text(encoding="utf-8")
    rows = [row.split("|") for row in page[page.index("## The edge cases") :].splitlines() if row.startswith("| ")][1:]
    known = {name for path in PROJECT.glob("models/**/unit_tests_*.yml") for name in re.findall(r"- name: (\w+)", path.read_text("utf-8"))}
    assert len(rows) >= 20
    for _, case, tests, _ in rows:
        named = re.findall(r"`(\w+)`", tests)
        files = re.findall(r"tests/\w+/test_\w+\.py", tests)
        named = [name for name in named if not name.islower() or "_" in name]
        unknown = set(named) - known - {"other_subject"}
        assert named, case
        assert not unknown, unknown
        assert all((PROJECT.parent / file).is_file() for file in files), case
