"""Runs the dbt unit tests of settlement: one per rule, named after what it proves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.dbt.small_lake import SmallLake
from tests.payment.conftest import PROJECT, dbt

MARTS = (
    "fct_settlement_line", "fct_proposed_entry", "late_change_register", "fct_payable_ledger_line", "rpt_settlement_statement",
    "rpt_cap_utilisation", "rpt_payment_forecast", "fct_obligation_compliance", "rpt_loss_waterfall",
)  # fmt: skip
TESTED = ("path:models/intermediate/settlement", *MARTS)


@pytest.mark.slow
def test_every_rule(tmp_path: Path) -> None:
    """On a district without rows: every model builds, every data test and invariant holds, every unit test pays its cent."""
    lake = SmallLake(tmp_path / "warehouse.duckdb")
    built = dbt(lake.path, tmp_path / "target", "run", "--select", *(f"+{model}" for model in TESTED))
    assert built.exception is None, built.exception
    result = dbt(lake.path, tmp_path / "target", "test", "--select", *TESTED)
    failed = [f"{node.node.name}: {node.message}" for node in result.result if str(node.status) != "pass"]
    assert not failed, "\n".join(failed)
    names = {node.node.name for node in result.result}
    rules = [path.read_text(encoding="utf-8") for path in PROJECT.glob("models/**/unit_tests_*.yml") if _is_ours(path)]
    assert {name for text in rules for name in re.findall(r"^  - name: (\w+)", text, flags=re.MULTILINE)} <= names


def test_money_is_settled_in_whole_cents() -> None:
    """No float between earned and proposed: only rates for showing and the forecast may have one."""
    exempt = {"rpt_payment_forecast", "rpt_cap_utilisation"}
    models = [*PROJECT.glob("models/intermediate/settlement/*.sql"), *(PROJECT / f"models/marts/payable/{name}.sql" for name in MARTS)]
    for path in [*models, PROJECT / "macros/settlement/cap.sql"]:
        code = "\n".join(line.split("--")[0] for line in path.read_text(encoding="utf-8").splitlines()).lower()
        if path.stem not in exempt:
            assert "double" not in code, path.name
            assert " / " not in re.sub(r"'[^'\n]*'|{#.*?#}", "", code, flags=re.DOTALL), path.name


def _is_ours(path: Path) -> bool:
    return path.name in ("unit_tests_caps.yml", "unit_tests_settlement.yml", "unit_tests_settlement_marts.yml")
