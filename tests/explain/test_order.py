"""The order told to people is the order of the model, reason by reason."""

from __future__ import annotations

import re

from obc_pipeline.dbt_build import PROJECT_DIR
from obc_pipeline.explain.order import STEP_OF_REASON, STEPS

_MODEL = PROJECT_DIR / "models" / "intermediate" / "payment" / "int_payment__decision.sql"


def _reasons_in_order() -> list[str]:
    """Every reason code of the model's CASE, as it is first written: the `then '…'` and `else '…'` whose text is no decision."""
    found = re.findall(r"(?:then|else)\s+'([A-Z_]{6,})'", _MODEL.read_text())
    decisions = {
        "OUT_OF_SCOPE", "EXCLUDED_", "PENDING_DATA", "PENDING_WINDOW", "HELD_DISPUTE", "HELD_BOTH_DEFAULT", "NOT_EARNED_PROVIDER",
        "DISTRICT_DEFAULT", "INELIGIBLE_DOSAGE", "NOT_MEASURED_MISSING", "NOT_MEASURED_INVALID", "EARNED", "NOT_EARNED_OUTCOME", "PENALTY",
    }  # fmt: skip
    return list(dict.fromkeys(code for code in found if code not in decisions))


def test_every_reason_of_the_model_has_its_step_and_no_other_has() -> None:
    assert set(_reasons_in_order()) == set(STEP_OF_REASON)


def test_the_steps_come_in_the_models_order() -> None:
    steps = [STEP_OF_REASON[code] for code in _reasons_in_order()]
    assert steps == sorted(steps)
    assert set(steps) == set(STEPS)
