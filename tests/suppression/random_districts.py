"""Random districts that are hard to protect: 2-6 schools of 14-160 students, three families of 5, 2 and 2 categories, month by month.

Made of students, not of counts, so everything adds up by itself. About 37 % of all cells (totals among them) have fewer than 10 students.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from obc_pipeline.sharing.suppression.table import Table, spine

WHOLE = "all"
FAMILIES = {"race": ("A", "B", "C", "D", "E"), "iep": ("yes", "no"), "english_learner": ("yes", "no")}
Student = tuple[str, ...]  # one category per family


@dataclass
class District:
    """`schools` maps a school to its students; `shares` are each school's chances of the categories."""

    schools: dict[str, list[Student]]
    shares: dict[str, list[list[float]]]

    @property
    def names(self) -> list[str]:
        return list(self.schools)


def random_district(chance: random.Random) -> District:
    usual = [
        [chance.gammavariate(0.35, 1) for _ in FAMILIES["race"]],
        *([share, 1 - share] for share in (chance.uniform(0.02, 0.15), chance.uniform(0.02, 0.15))),
    ]
    shares = {
        f"school {number}": [[share * chance.gammavariate(3, 1 / 3) + 1e-12 for share in family] for family in usual]
        for number in range(chance.randint(2, 6))
    }
    return District({school: _students(chance, shares[school], chance.randint(14, 160)) for school in shares}, shares)


def next_month(chance: random.Random, district: District) -> District:
    """A month later: up to 6 % of a school's students have left it, up to 10 % have come."""
    schools = {}
    for school, students in district.schools.items():
        kept = [student for student in students if chance.random() > chance.choice((0.0, 0.02, 0.06))]
        schools[school] = kept + _students(chance, district.shares[school], round(len(students) * chance.choice((0.0, 0.04, 0.10))))
    return District(schools, district.shares)


def table_of(district: District) -> Table:
    """The counts, as the module wants them."""
    totals = {WHOLE: sum(len(students) for students in district.schools.values())}
    counts: dict[tuple[str, str, str], int] = {}
    for school, students in district.schools.items():
        totals[school] = len(students)
        for student in students:
            for family, category in zip(FAMILIES, student, strict=True):
                for scope in (WHOLE, school):
                    counts[scope, family, category] = counts.get((scope, family, category), 0) + 1
    return spine([WHOLE, *district.schools], FAMILIES, counts, totals)


def _students(chance: random.Random, shares: list[list[float]], count: int) -> list[Student]:
    columns = [chance.choices(categories, weights, k=count) for categories, weights in zip(FAMILIES.values(), shares, strict=True)]
    return list(zip(*columns, strict=True))
