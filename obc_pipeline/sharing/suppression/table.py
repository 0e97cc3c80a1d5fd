"""The counts a mask is made for: one table of scopes (the whole and its parts) by families of categories, every cell present.

A *scope* is the whole (index 0) or one of its parts (a school, a vendor); a *family* is one dimension whose categories add up to the
scope. Cells of a family are never crossed with another family's: only these lines of addition exist, and nothing else is published.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

TOTAL = ""  # the family of the scopes' totals: one cell per scope, shared by all families


@dataclass(frozen=True, order=True)
class Cell:
    """One cell: a category of a family in a scope; `family` and `category` are TOTAL for the scope's total."""

    scope: str
    family: str = TOTAL
    category: str = TOTAL

    @property
    def is_total(self) -> bool:
        return self.family == TOTAL


@dataclass(frozen=True)
class Family:
    """One dimension. `counts[r][c]` is the number of students of category `c` in scope `r`; scope 0 is the whole."""

    name: str
    categories: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class NotAdditive(ValueError):
    """Categories do not add up to their scope, or parts not to the whole. A mask over such a table would protect nothing."""


@dataclass(frozen=True)
class Table:
    """Scopes, their totals and the families. Raises NotAdditive when a line does not add up."""

    scopes: tuple[str, ...]
    totals: tuple[int, ...]
    families: tuple[Family, ...]

    def __post_init__(self) -> None:
        if len(self.scopes) != len(self.totals) or len(set(self.scopes)) != len(self.scopes):
            raise NotAdditive("every scope needs one total and a name of its own")
        if len(self.scopes) > 1 and sum(self.totals[1:]) != self.totals[0]:
            raise NotAdditive("the parts' totals do not add up to the whole")
        for family in self.families:
            _check(self, family)

    @property
    def has_parts(self) -> bool:
        return len(self.scopes) > 1

    def cells(self) -> Iterator[tuple[Cell, int]]:
        """Every cell with its count: the totals, then family by family."""
        for scope, total in zip(self.scopes, self.totals, strict=True):
            yield Cell(scope), total
        for family in self.families:
            for scope, row in zip(self.scopes, family.counts, strict=True):
                for category, count in zip(family.categories, row, strict=True):
                    yield Cell(scope, family.name, category), count


@dataclass(frozen=True)
class Line:
    """`total` is the sum of `members`; `family` names the family whose cells they are (TOTAL: the line of the totals)."""

    family: str
    total: Cell
    members: tuple[Cell, ...]


def lines(table: Table) -> list[Line]:
    """Every addition a reader of the table can do: categories to their scope, and parts to the whole."""
    whole, *parts = table.scopes
    found = []
    if parts:
        found.append(Line(TOTAL, Cell(whole), tuple(Cell(part) for part in parts)))
    for family in table.families:
        for scope in table.scopes:
            members = tuple(Cell(scope, family.name, category) for category in family.categories)
            found.append(Line(family.name, Cell(scope), members))
        if parts:
            for category in family.categories:
                members = tuple(Cell(part, family.name, category) for part in parts)
                found.append(Line(family.name, Cell(whole, family.name, category), members))
    return found


def spine(
    scopes: Sequence[str],
    categories: Mapping[str, Sequence[str]],
    counts: Mapping[tuple[str, str, str], int],
    totals: Mapping[str, int],
) -> Table:
    """The full table: a cell for every scope, family and category, 0 where `counts` says nothing (a missing row would tell a zero).

    `scopes[0]` is the whole; `counts` is keyed by (scope, family, category).
    """
    families = tuple(
        Family(
            name,
            tuple(categories[name]),
            tuple(tuple(counts.get((scope, name, category), 0) for category in categories[name]) for scope in scopes),
        )
        for name in categories
    )
    unknown = set(counts) - {(scope, family.name, category) for family in families for scope in scopes for category in family.categories}
    if unknown:
        raise NotAdditive(f"{len(unknown)} counts belong to no scope, family or category of the spine")
    return Table(tuple(scopes), tuple(totals.get(scope, 0) for scope in scopes), families)


def _check(table: Table, family: Family) -> None:
    if len(family.counts) != len(table.scopes) or any(len(row) != len(family.categories) for row in family.counts):
        raise NotAdditive(f"family {family.name}: every scope needs a count for every category")
    if any(count < 0 for row in family.counts for count in row):
        raise NotAdditive(f"family {family.name}: a count is negative")
    for scope, total, row in zip(table.scopes, table.totals, family.counts, strict=True):
        if sum(row) != total:
            raise NotAdditive(f"family {family.name}: the categories of scope {scope} do not add up to its total")
    if table.has_parts:
        for category, column in zip(family.categories, zip(*family.counts, strict=True), strict=True):
            if sum(column[1:]) != column[0]:
                raise NotAdditive(f"family {family.name}: the parts do not add up to the whole in category {category}")
