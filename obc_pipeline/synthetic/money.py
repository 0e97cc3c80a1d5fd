"""What the programs cost by ingredient beside the provider's fee; three options for one need, and the reading program as planned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal

import numpy as np

from obc_pipeline.synthetic import headers
from obc_pipeline.synthetic.chance import stream
from obc_pipeline.synthetic.landing import Landing, csv_bytes
from obc_pipeline.synthetic.people import Students
from obc_pipeline.synthetic.school_year import SERVICE_END, SERVICE_START
from obc_pipeline.synthetic.tutoring import Tutoring

STAFF_OPTION = "OPT-MATH-STAFF"
_PLANNED_AT, _SPENT_AT, _OPTIONS_AT = datetime(2025, 9, 15, 15, 0), datetime(2026, 6, 15, 15, 0), datetime(2026, 5, 20, 15, 0)
# Dollars per student and year, and who pays. What the provider was paid is in the ledger: here only what was planned for it.
_VENDOR_PLAN = (
    ("VENDOR_BASE", "DISTRICT", {"CVSD-MATH-2026": 510, "CVSD-READ-2026": 640}),
    ("VENDOR_OUTCOME", "DISTRICT", {"CVSD-MATH-2026": 230, "CVSD-READ-2026": 150}),
)
_INGREDIENTS = (
    ("STAFF_TIME", "DISTRICT", 76),
    ("SPACE", "DISTRICT", 20),
    ("DEVICES", "GRANT", 32),
    ("TRANSPORT", "DISTRICT", 11),
    ("DATA", "DISTRICT", 9),
    ("TRAINING", "VENDOR", 6),
)
_MONTHS = tuple(date(2025, month, 1) for month in (10, 11, 12)) + tuple(date(2026, month, 1) for month in (1, 2, 3, 4, 5))
_Cost = tuple[str, str, str, str, str, date, date, Decimal, bool]


def write_costs(landing: Landing, programs: Iterable[Tutoring], seed: int) -> None:
    """The plan of September, and in June the plan with what was spent, staff time by month."""
    planned, spent = [], []
    for tutoring in programs:
        planned += list(_planned(tutoring))
        spent += list(_spent(tutoring, seed))
    planned.append(("OPT-1", "", STAFF_OPTION, "STAFF_TIME", "DISTRICT", SERVICE_START, SERVICE_END, _dollars(1080 * 40), True))
    planned.append(("OPT-2", "", STAFF_OPTION, "TRAINING", "DISTRICT", SERVICE_START, SERVICE_END, _dollars(160 * 40), True))
    landing.put("cost", "costs_2025-09.csv", _PLANNED_AT, csv_bytes(headers.COST, planned))
    landing.put("cost", "costs_2026-06.csv", _SPENT_AT, csv_bytes(headers.COST, [*planned, *spent]))


def _planned(tutoring: Tutoring) -> Iterator[_Cost]:
    contract_id, places = tutoring.program.contract_id, _places(tutoring)
    rates = [(ingredient, payer, rate[contract_id]) for ingredient, payer, rate in _VENDOR_PLAN]
    for ingredient, payer, rate in (*rates, *_INGREDIENTS):
        yield f"{contract_id}-P-{ingredient}", contract_id, "", ingredient, payer, SERVICE_START, SERVICE_END, _dollars(rate * places), True


def _spent(tutoring: Tutoring, seed: int) -> Iterator[_Cost]:
    contract_id, places = tutoring.program.contract_id, _places(tutoring)
    rng = stream(seed, f"costs {contract_id}")
    for ingredient, payer, rate in _INGREDIENTS:
        amount = rate * places * rng.uniform(0.94, 1.10)
        if ingredient != "STAFF_TIME":
            yield f"{contract_id}-S-{ingredient}", contract_id, "", ingredient, payer, SERVICE_START, SERVICE_END, _dollars(amount), False
            continue
        for month, share in zip(_MONTHS, rng.dirichlet(np.full(len(_MONTHS), 40.0)), strict=True):
            first = max(month, SERVICE_START)
            yield (
                f"{contract_id}-S-{ingredient}-{month:%Y%m}",
                contract_id,
                "",
                ingredient,
                payer,
                first,
                _month_end(month),
                _dollars(amount * share),
                False,
            )


def _places(tutoring: Tutoring) -> int:
    """Places of the contract: those who were on the roster first."""
    return int((tutoring.roster.substituted_for < 0).sum())


def _month_end(month: date) -> date:
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return min(date.fromordinal(following.toordinal() - 1), SERVICE_END)


def _dollars(amount: float) -> Decimal:
    return Decimal(round(amount * 100)) / 100


def write_options(landing: Landing, students: Students, math: Tutoring, reading: Tutoring) -> None:
    """Three answers to one need, and the one to another. Gains are what the district takes from the literature, not from this district's own results."""
    aides, practice = "Tutoring by the district's own aides", "Practice software in the advisory period"
    rows = [
        _option(
            "OPT-MATH-TUTOR",
            "High-impact tutoring with Brightpath",
            students,
            math,
            1.0,
            894,
            (0.04, 0.10, 0.16),
            "STRONG",
            2,
            is_running=True,
        ),
        _option(STAFF_OPTION, aides, students, math, 0.5, 1240, (0.03, 0.08, 0.13), "MODERATE", 3),
        _option("OPT-MATH-PRACTICE", practice, students, math, 2.5, 62, (0.0, 0.01, 0.03), "PROMISING", 1),
        _option(
            "OPT-READ-TUTOR", "Reading tutoring with Lumen", students, reading, 1.0, 944, (0.03, 0.08, 0.13), "MODERATE", 2, is_running=True
        ),
    ]
    landing.put("program_option", "program_options_2026-05.csv", _OPTIONS_AT, csv_bytes(headers.PROGRAM_OPTION, rows))


def _option(
    option_id: str,
    name: str,
    students: Students,
    tutoring: Tutoring,
    room: float,
    cost: int,
    gain: tuple[float, float, float],
    grade: str,
    years: int,
    *,
    is_running: bool = False,
) -> tuple[object, ...]:
    """`room` is the number of students it has room for, in places of the contract."""
    program, places = tutoring.program, _places(tutoring)
    need, ability = ("Middle school mathematics", students.math) if program.is_math else ("Elementary reading", students.reading)
    below = int((np.isin(students.grade, program.grades) & (ability < 0)).sum())
    gains = tuple(f"{share:.2f}" for share in gain)
    contract_id = program.contract_id if is_running else ""
    return (
        option_id,
        f"{need}: students below benchmark",
        name,
        contract_id,
        below,
        round(room * places),
        f"{cost}.00",
        *gains,
        grade,
        years,
    )
