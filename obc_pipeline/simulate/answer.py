"""Simulate: what a contract costs now and what it would have cost, worked out by the same models on a scratch copy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb

from obc_pipeline import fingerprint
from obc_pipeline.documents import Documents, load
from obc_pipeline.documents.problem import did_you_mean
from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.explain.keys import rows
from obc_pipeline.home import Home
from obc_pipeline.ledger.proposal import why_run_is_old
from obc_pipeline.simulate import changes
from obc_pipeline.simulate.scenario import Scenario
from obc_pipeline.simulate.scratch import scratch_copy

_ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Costs:
    """A contract's costs under one set of terms. Amounts in US dollars.

    lines: per line id and kind: students paid, earned, payable. caps: rows of rpt_cap_utilisation. forecast: rows of rpt_payment_forecast.
    attended: sessions attended, and attended or missed by the student. outcomes: line -> met, judged. maximum_base, maximum_contingent: the
    most that could be paid to the students in scope.
    """

    lines: dict[tuple[str, str], dict[str, Any]]
    caps: list[dict[str, Any]]
    forecast: list[dict[str, Any]]
    attended: tuple[int, int]
    outcomes: dict[str, tuple[int, int]]
    maximum_base: Decimal
    maximum_contingent: Decimal

    @property
    def base(self) -> Decimal:
        return sum((line["payable"] for (_, kind), line in self.lines.items() if kind in ("BASE", "INSTALMENT")), _ZERO)

    @property
    def contingent(self) -> Decimal:
        """Outcomes and penalties, net."""
        return self.payable - self.base

    @property
    def payable(self) -> Decimal:
        return sum((line["payable"] for line in self.lines.values()), _ZERO)


@dataclass(frozen=True)
class Answer:
    """What a scenario comes to. why_old: None when nothing has changed since the run both sides rest on."""

    contract_id: str
    run_id: str
    as_of: str
    why_old: str | None
    scenario: Scenario
    now: Costs
    then: Costs


def simulate(
    home: Home,
    contract_id: str,
    scenario: Scenario,
    documents: Documents | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Answer:
    """The contract's costs now and under the scenario. An empty scenario is a check: both sides must be equal.

    Nothing in the home is changed. Raises ArgumentWrong, HomeBusy, NoFinishedRun, DbtFailed, DocumentsInvalid.
    """
    documents = documents or load(home)
    last = fingerprint.read_last_run(home)
    if last is None or not home.warehouse.exists():
        raise ArgumentWrong(
            f"no run has finished in {home.path}, so there is nothing to work on; start one with `obc run --home {home.path}`"
        )
    known = sorted({contract.contract_id for contract in documents.contracts})
    if contract_id not in known:
        raise ArgumentWrong(f"no contract is called {contract_id!r}; right would be {did_you_mean(contract_id, known)}")
    variables = {
        "as_of_date": last.result["as_of"],
        "evidence_cutoff_at": last.result["evidence_cutoff_at"],
        "district_id": documents.district.id,
        "run_id": last.result["run_id"],
    }
    why_old = why_run_is_old(home, last)
    with scratch_copy(home, variables) as scratch:
        with scratch.open() as connection:
            now = read_costs(connection, contract_id)
            changes.apply_terms(connection, contract_id, scenario)
            if scenario.attendance_rate is not None:
                changes.apply_attendance(connection, contract_id, scenario.attendance_rate)
        progress("building the payment models with the changed terms")
        scratch.build()
        if scenario.outcome_rates:
            with scratch.open() as connection:
                changes.apply_outcomes(connection, contract_id, scenario)
            progress("building them again with the changed outcomes")
            scratch.build()
        with scratch.open() as connection:
            then = read_costs(connection, contract_id)
    return Answer(contract_id, last.result["run_id"], last.result["as_of"], why_old, scenario, now, then)


def read_costs(connection: duckdb.DuckDBPyConnection, contract_id: str) -> Costs:
    """A contract's costs as a warehouse has them."""
    lines = rows(
        connection,
        """select line_id, line_kind, count(*) filter (where payable_amount <> 0) as paid, count(*) as students,
                  cast(sum(earned_amount) as decimal(18, 2)) as earned, cast(sum(payable_amount) as decimal(18, 2)) as payable
           from payable.fct_settlement_line where contract_id = ? group by line_id, line_kind
           order by line_kind not in ('BASE', 'INSTALMENT'), line_id, line_kind""",
        contract_id,
    )
    most = rows(
        connection,
        "select maximum_base_amount, maximum_contingent_amount from payable.rpt_contract_summary where contract_id = ?",
        contract_id,
    )
    return Costs(
        lines={(row.pop("line_id"), row.pop("line_kind")): row for row in lines},
        caps=rows(connection, "select * from payable.rpt_cap_utilisation where contract_id = ? order by cap_order, line_id", contract_id),
        forecast=rows(
            connection,
            "select * from payable.rpt_payment_forecast where contract_id = ? order by line_kind <> 'BASE', line_id",
            contract_id,
        ),
        attended=changes.attendance(connection, contract_id),
        outcomes=changes.outcomes(connection, contract_id),
        maximum_base=most[0]["maximum_base_amount"] if most else _ZERO,
        maximum_contingent=most[0]["maximum_contingent_amount"] if most else _ZERO,
    )


def view(answer: Answer) -> dict[str, Any]:
    """The answer as one dictionary: what `--json` prints. Amounts and rates as decimals; no student in it."""
    now, then = answer.now, answer.then
    return {
        "contract_id": answer.contract_id,
        "run_id": answer.run_id,
        "as_of": answer.as_of,
        "why_old": answer.why_old,
        "lines": [_line(line_id, kind, now, then) for line_id, kind in sorted({*now.lines, *then.lines}, key=_order)],
        "total": {"now": now.payable, "then": then.payable, "difference": then.payable - now.payable},
        "base": {"now": now.base, "then": then.base, "difference": then.base - now.base},
        "contingent": {"now": now.contingent, "then": then.contingent, "difference": then.contingent - now.contingent},
        "contingent_share_paid": {"now": share(now.contingent, now.payable), "then": share(then.contingent, then.payable)},
        "contingent_share_at_most": {
            "now": share(now.maximum_contingent, now.maximum_base + now.maximum_contingent),
            "then": share(then.maximum_contingent, then.maximum_base + then.maximum_contingent),
        },
        "attendance_rate": {"now": _rate(now.attended), "then": _rate(then.attended)},
        "outcome_rates": {
            line_id: {"now": _rate(now.outcomes.get(line_id, (0, 0))), "then": _rate(then.outcomes.get(line_id, (0, 0)))}
            for line_id in sorted({*now.outcomes, *then.outcomes})
        },
        "caps": {"now": now.caps, "then": then.caps},
        "forecast": {"now": now.forecast, "then": then.forecast},
    }


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """Part of a whole, to four places; None of nothing. Only shown, never compared."""
    return (part / whole).quantize(Decimal("0.0001")) if whole else None


def _line(line_id: str, kind: str, now: Costs, then: Costs) -> dict[str, Any]:
    none = {"paid": 0, "students": 0, "earned": _ZERO, "payable": _ZERO}
    before, after = now.lines.get((line_id, kind), none), then.lines.get((line_id, kind), none)
    return {"line_id": line_id, "line_kind": kind, "now": before, "then": after, "difference": after["payable"] - before["payable"]}


def _order(key: tuple[str, str]) -> tuple[bool, str, str]:
    return key[1] not in ("BASE", "INSTALMENT"), key[0], key[1]


def _rate(counted: tuple[int, int]) -> dict[str, Any]:
    numerator, denominator = counted
    return {"numerator": numerator, "denominator": denominator, "rate": share(Decimal(numerator), Decimal(denominator))}
