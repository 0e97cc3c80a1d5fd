"""From the warehouse's students to `improvement.pub_outcome_subgroup`: what leaves the district about groups of students.

A *snapshot* is the district's own record of one release: every cell of every contract, scope (the whole contract, each school), dimension,
category and measure, with its exact figures, the reason why it is hidden, and what is told of it. Snapshots are kept, because later ones
must know what is out; they are not for anybody else. What a recipient gets is made from the snapshot by `for_audience`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import duckdb
import pyarrow as pa

from obc_pipeline.sharing.suppression.coarse import GRAINS, HIDDEN, grain_of, n_band, told
from obc_pipeline.sharing.suppression.inference import Figure, tell
from obc_pipeline.sharing.suppression.mask import Mask, Reader, suppress
from obc_pipeline.sharing.suppression.memory import Reason
from obc_pipeline.sharing.suppression.merge import SEPARATOR, Merges, merged, merges_worth_it
from obc_pipeline.sharing.suppression.settings import Settings
from obc_pipeline.sharing.suppression.table import Cell, Table, lines, spine

ASSIGNED = "assigned"  # the measure that is only a count: students of the contract
WHOLE = ""  # the scope of the whole contract
ALL = "all"  # dimension and category of a scope's total
# The scopes themselves, and what has one category in a contract: they are the totals under other names.
_SAME_AS_TOTALS = ("school", "provider")
# Categories without an order, of which small ones may be shown as one. Merging first and third grade would say nothing.
_MAY_MERGE = frozenset({"race_ethnicity", "delivery_mode", "time_slot", "cohort_entry"})

PUB_DESCRIPTION = (
    "Outcomes and process by group of students, for the whole contract and each school, as far as no student can be worked out: groups "
    "below the least number, and as many more as that needs, show S. The same rows go to everybody; a school's own come exact."
)
PUB_COLUMNS = {
    "contract_id": "The contract.",
    "provider_id": "Its provider.",
    "subject": "Its subject.",
    "scope_id": "The school; NULL for the whole contract.",
    "measure": "line_id of a priced outcome, metric_id of a process metric, or 'assigned' (students of the contract).",
    "line_id": "The priced outcome; NULL for others.",
    "metric_id": "The metric, see dim_metric; NULL for 'assigned'.",
    "measure_kind": "PAYMENT, PROCESS or COUNT.",
    "dimension": "How students are grouped; 'all' for all of the scope, 'school' for the schools of the contract.",
    "category": "The group; small ones shown as one are joined by ' + '.",
    "n_band": "How many students the figure rests on, as a band; S when hidden.",
    "value_display": "The rate as it may be told; S when hidden, '-' when there is none.",
    "value_num": "The rate (share of 1) where it is told as a number; NULL when hidden, coded or banded.",
    "value_low": "Lower end of what the figure tells (share of 1); NULL when hidden.",
    "value_high": "Upper end of what the figure tells (share of 1); NULL when hidden.",
    "suppression_code": "NONE, TOP_CODED, BOTTOM_CODED, BANDED, S (hidden) or DIMENSION_WITHHELD (no group of the dimension is shown here).",
    "is_own": "TRUE for a school's rows about its own students, which are exact.",
    "n_students": "The exact number of students, for own rows only.",
}
_PUBLIC = pa.schema(
    [(name, pa.string()) for name in list(PUB_COLUMNS)[:12]]
    + [(name, pa.float64()) for name in ("value_num", "value_low", "value_high")]
    + [("suppression_code", pa.string()), ("is_own", pa.bool_()), ("n_students", pa.int64())]
)
SNAPSHOT = pa.schema(
    [(name, pa.string()) for name in list(PUB_COLUMNS)[:12]]
    + [(name, pa.float64()) for name in ("value_num", "value_low", "value_high")]
    + [("suppression_code", pa.string()), ("n_students", pa.int64()), ("numerator", pa.float64()), ("denominator", pa.float64())]
    + [("reason", pa.string())]
)

_CELLS = """
with groups as (
    select groups.contract_id, groups.student_id, schools.category as school_id, groups.dimension, groups.category
    from intermediate.int_improvement__student_group as groups
    inner join intermediate.int_improvement__student_group as schools
        on groups.contract_id = schools.contract_id and groups.student_id = schools.student_id and schools.dimension = 'school'
    where groups.dimension not in ('school', 'provider')
    union all
    select contract_id, student_id, category, 'all', 'all' from intermediate.int_improvement__student_group where dimension = 'school'
),

figures as (
    select contract_id, student_id, coalesce(line_id, metric_id) as measure, line_id, metric_id, numerator, denominator
    from intermediate.int_improvement__measured_student
    where denominator > 0
    union all
    select contract_id, student_id, 'assigned', null, null, 0, 0 from groups where dimension = 'all'
)

select
    groups.contract_id, figures.measure, any_value(figures.line_id), any_value(figures.metric_id),
    coalesce(groups.school_id, ''), groups.dimension, groups.category,
    count(*), sum(figures.numerator), sum(figures.denominator)
from groups
inner join figures on groups.contract_id = figures.contract_id and groups.student_id = figures.student_id
group by grouping sets (
    (groups.contract_id, figures.measure, groups.dimension, groups.category),
    (groups.contract_id, figures.measure, groups.school_id, groups.dimension, groups.category)
)
order by all
"""
_CONTRACTS = "select contract_id, max(provider_id), max(subject) from intermediate.int_improvement__student group by all order by all"
_SPINE = """
select distinct contract_id, dimension, category from intermediate.int_improvement__group_spine
where dimension not in ('school', 'provider') order by all
"""

_Sums = tuple[int, float, float]  # students, numerator, denominator


@dataclass
class _Measure:
    line_id: str | None
    metric_id: str | None
    sums: dict[Cell, _Sums] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return "COUNT" if self.metric_id is None else "PROCESS" if self.line_id is None else "PAYMENT"


@dataclass
class _Contract:
    contract_id: str
    provider_id: str | None
    subject: str | None
    categories: dict[str, list[str]] = field(default_factory=dict)
    measures: dict[str, _Measure] = field(default_factory=dict)

    @property
    def schools(self) -> list[str]:
        return sorted({cell.scope for cell in self.measures[ASSIGNED].sums if cell.scope != WHOLE})


def take_snapshot(
    connection: duckdb.DuckDBPyConnection, earlier: Sequence[pa.Table] = (), n_min: int = 10, sensitive: Collection[str] = ()
) -> pa.Table:
    """Every cell with what is told of it (schema SNAPSHOT), from the warehouse's intermediate models.

    `earlier`: the snapshots that are out already in this school year, oldest first. `sensitive`: measures whose missing students are a
    secret of their own (excluded for a disability, say): where 1..n_min-1 students of a shown group have no value, the measure is hidden.
    Raises NotAdditive when groups do not add up.
    """
    settings = Settings(n_min=n_min)
    past = [_Past(snapshot) for snapshot in earlier]
    rows = [row for contract in _contracts(connection) for row in _rows_of(contract, past, settings, sensitive)]
    return pa.Table.from_pylist(rows, SNAPSHOT)


def for_audience(snapshot: pa.Table, kind: Literal["school", "public"], subject_id: str = "") -> pa.Table:
    """The rows of `pub_outcome_subgroup` for one recipient: the same for all, but a school's own are exact (columns PUB_COLUMNS).

    A vendor gets the public's rows: exact ones, beside its student rows, would tell of the student whose parents opted out.
    """
    return pa.Table.from_pylist([_for(row, kind, subject_id) for row in snapshot.to_pylist()], _PUBLIC)


# -- reading ------------------------------------------------------------------------------------------------------------------------------


def _contracts(connection: duckdb.DuckDBPyConnection) -> list[_Contract]:
    found = {row[0]: _Contract(*row) for row in connection.execute(_CONTRACTS).fetchall()}
    for contract_id, dimension, category in connection.execute(_SPINE).fetchall():
        if contract_id in found:
            found[contract_id].categories.setdefault(dimension, []).append(category)
    for contract_id, measure, line_id, metric_id, school, dimension, category, *sums in connection.execute(_CELLS).fetchall():
        cell = Cell(school) if dimension == ALL else Cell(school, dimension, category)
        found[contract_id].measures.setdefault(measure, _Measure(line_id, metric_id)).sums[cell] = (int(sums[0]), sums[1], sums[2])
    return list(found.values())


def _table(contract: _Contract, sums: Mapping[Cell, _Sums]) -> Table:
    """The counts of a measure over the contract's whole spine. A dimension of one category is the total once more, and left out."""
    categories = {name: found for name, found in contract.categories.items() if len(found) > 1}
    counts = {(cell.scope, cell.family, cell.category): found[0] for cell, found in sums.items() if cell.family in categories}
    totals = {cell.scope: found[0] for cell, found in sums.items() if cell.is_total}
    return spine([WHOLE, *contract.schools], categories, counts, totals)


class _Past:
    """One stored snapshot, as tables and masks again."""

    def __init__(self, snapshot: pa.Table) -> None:
        self._cells: dict[tuple[str, str], dict[Cell, tuple[int, str | None]]] = {}
        for row in snapshot.to_pylist():
            if row["dimension"] not in _SAME_AS_TOTALS:
                found = self._cells.setdefault((row["contract_id"], row["measure"]), {})
                found[_cell(row)] = (row["n_students"], row["reason"])

    def merges(self, contract_id: str) -> Merges | None:
        """The categories shown as one; None when the contract is not in it."""
        cells = self._cells.get((contract_id, ASSIGNED))
        if cells is None:
            return None
        return {cell.family: tuple(cell.category.split(SEPARATOR)) for cell in cells if SEPARATOR in cell.category}

    def masked(self, contract_id: str, measure: str) -> tuple[Table, Mask] | None:
        cells = self._cells.get((contract_id, measure))
        if cells is None:
            return None
        scopes = sorted({cell.scope for cell in cells})
        categories: dict[str, list[str]] = {}
        for cell in cells:
            if not cell.is_total and cell.category not in categories.setdefault(cell.family, []):
                categories[cell.family].append(cell.category)
        counts = {(cell.scope, cell.family, cell.category): n for cell, (n, _) in cells.items() if not cell.is_total}
        table = spine(scopes, categories, counts, {cell.scope: n for cell, (n, _) in cells.items() if cell.is_total})
        return table, Mask({cell: Reason(reason) for cell, (_, reason) in cells.items() if reason is not None})


# -- masking ------------------------------------------------------------------------------------------------------------------------------


def _rows_of(contract: _Contract, past: Sequence[_Past], settings: Settings, sensitive: Collection[str]) -> Iterator[dict[str, Any]]:
    readers: set[Reader] = {frozenset([school]) for school in contract.schools}
    assigned = _table(contract, contract.measures[ASSIGNED].sums)
    fixed = [merges for old in past if (merges := old.merges(contract.contract_id)) is not None]
    merges = fixed[-1] if fixed else merges_worth_it(assigned, _MAY_MERGE, readers, settings)
    assigned = merged(assigned, merges)
    base = suppress(assigned, readers, settings, earlier=_earlier(past, contract, ASSIGNED))
    for name, measure in sorted(contract.measures.items()):
        table, mask = assigned, base
        if name != ASSIGNED:
            table = merged(_table(contract, measure.sums), merges)
            # A subset of hidden students is hidden as well; the totals are settled by the students assigned.
            must = set(base.hidden) | (_differences(assigned, table, settings.n_min) if name in sensitive else set())
            mask = suppress(table, readers, settings, must, _earlier(past, contract, name), is_subset=True)
        yield from _rows_of_measure(contract, name, table, mask, _sums(measure, merges), readers, settings)


def _earlier(past: Sequence[_Past], contract: _Contract, measure: str) -> list[tuple[Table, Mask]]:
    return [found for old in past if (found := old.masked(contract.contract_id, measure)) is not None]


def _differences(whole: Table, part: Table, n_min: int) -> set[Cell]:
    """The cells of which a small number of students is in the whole and not in the part."""
    counts = dict(part.cells())
    return {cell for cell, count in whole.cells() if 0 < count - counts.get(cell, 0) < n_min}


def _sums(measure: _Measure, merges: Merges) -> dict[Cell, _Sums]:
    """The measure's sums by the cells that are published."""
    found: dict[Cell, _Sums] = {}
    for cell, sums in measure.sums.items():
        together = merges.get(cell.family, ())
        target = Cell(cell.scope, cell.family, SEPARATOR.join(together)) if cell.category in together else cell
        before = found.get(target, (0, 0.0, 0.0))
        found[target] = (before[0] + sums[0], before[1] + sums[1], before[2] + sums[2])
    return found


def _rows_of_measure(
    contract: _Contract,
    name: str,
    table: Table,
    mask: Mask,
    sums: Mapping[Cell, _Sums],
    readers: Set[Reader],
    settings: Settings,
) -> Iterator[dict[str, Any]]:
    measure = contract.measures[name]
    counts = dict(table.cells())
    shown: dict[Cell, Any] = {}
    left_out: set[Cell] = set()
    if measure.kind == "PAYMENT":
        # A priced line says of each student whether it was met: the hidden ones must not all have, or all have not.
        figures = {cell: Figure(count, round(sums.get(cell, (0, 0, 0))[1])) for cell, count in counts.items()}
        shown, left_out = tell(figures, mask.hidden.keys(), lines(table), sorted(readers, key=sorted), settings.n_min)
    elif measure.kind == "PROCESS":
        for cell, count in counts.items():
            if not mask.hides(cell):
                _, numerator, denominator = sums[cell]
                rate = Fraction(numerator) / Fraction(denominator)
                shown[cell] = told(rate, GRAINS[grain_of(count, settings.n_min)])
    withheld = set(mask.withheld(table))
    for cell, count in counts.items():
        reason = mask.hidden.get(cell) or (Reason.COMPLEMENTARY if cell in left_out else None)
        told_of = shown.get(cell)
        is_withheld = (cell.scope, cell.family) in withheld
        row = {
            "contract_id": contract.contract_id,
            "provider_id": contract.provider_id,
            "subject": contract.subject,
            "scope_id": cell.scope or None,
            "measure": name,
            "line_id": measure.line_id,
            "metric_id": measure.metric_id,
            "measure_kind": measure.kind,
            "dimension": cell.family or ALL,
            "category": cell.category or ALL,
            "n_band": HIDDEN if reason else n_band(count, settings.n_min),
            "value_display": HIDDEN if reason else told_of.display if told_of else "-",
            "value_num": _float(told_of.number) if told_of and not reason else None,
            "value_low": _float(told_of.low) if told_of and not reason else None,
            "value_high": _float(told_of.high) if told_of and not reason else None,
            "suppression_code": (Reason.WITHHELD.value if is_withheld else HIDDEN) if reason else told_of.code if told_of else "NONE",
            "n_students": count,
            "numerator": sums.get(cell, (0, 0.0, 0.0))[1],
            "denominator": sums.get(cell, (0, 0.0, 0.0))[2],
            "reason": reason.value if reason else None,
        }
        yield row
        if cell.is_total and cell.scope != WHOLE:
            # The schools are also a dimension of the contract: the same cell under its other name.
            yield row | {"scope_id": None, "dimension": "school", "category": cell.scope}


# -- handing out --------------------------------------------------------------------------------------------------------------------------


def _for(row: dict[str, Any], kind: str, subject_id: str) -> dict[str, Any]:
    is_own = kind == "school" and subject_id in (row["scope_id"], row["category"] if row["dimension"] == "school" else None)
    found = {name: row[name] for name in _PUBLIC.names if name in row} | {"is_own": is_own, "n_students": None}
    if not is_own:
        return found
    rate = row["numerator"] / row["denominator"] if row["denominator"] else None
    return found | {
        "n_students": row["n_students"],
        "n_band": str(row["n_students"]),
        "value_display": "-" if rate is None else f"{round(rate * 100)} %",
        "value_num": rate,
        "value_low": rate,
        "value_high": rate,
        "suppression_code": "NONE",
    }


def _cell(row: Mapping[str, Any]) -> Cell:
    scope = row["scope_id"] or WHOLE
    return Cell(scope) if row["dimension"] == ALL else Cell(scope, row["dimension"], row["category"])


def _float(share: Fraction | None) -> float | None:
    return None if share is None else float(share)


__all__: Iterable[str] = ["PUB_COLUMNS", "PUB_DESCRIPTION", "SNAPSHOT", "for_audience", "take_snapshot"]
