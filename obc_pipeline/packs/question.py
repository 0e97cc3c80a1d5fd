"""A question of the agenda: which marts answer it, and what is said where they are missing or empty."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import duckdb

from obc_pipeline.packs.content import Block, Part, Sentence
from obc_pipeline.packs.reader import Reader, Row


@dataclass(frozen=True)
class View:
    """Whose pack is being made.

    reader:   the published file of the audience.
    audience: its id, `district`, `vendor-…` or `school-…`.
    since:    day of the workgroup's last meeting before the as-of date; None when none is recorded.
    until:    day on which it should meet next; None when not known.
    """

    reader: Reader
    workgroup_id: str
    audience: str
    since: date | None
    until: date | None = None

    @property
    def as_of(self) -> date:
        return self.reader.as_of

    @property
    def since_words(self) -> str:
        return f"since the last meeting ({self.since})" if self.since else "so far (no earlier meeting is recorded)"

    @property
    def is_school(self) -> bool:
        return self.audience.startswith("school-")


@dataclass(frozen=True)
class Question:
    """One heading of a section.

    needs:   the marts it reads, `schema.table`; where one is not in the audience's file, a line says so.
    answer:  makes the blocks; none means that there is nothing, and `if_none` is said.
    """

    title: str
    needs: Sequence[str]
    answer: Callable[[View], Sequence[Block]]
    if_none: str
    source: str = field(default="")

    def part(self, view: View) -> Part:
        """The heading with its answer, or with a line that says which data is missing."""
        absent = [table for table in self.needs if not view.reader.has(table)]
        if absent:
            return Part(self.title, [Sentence(f"Not part of what {view.audience} is given: {', '.join(absent)}.", "missing")])
        try:
            blocks = list(self.answer(view))
        except duckdb.BinderException:
            # The queries are right (they bind on the declared marts, which a test holds): this audience is given fewer columns.
            said = f"{view.audience} is given {', '.join(self.needs)} without columns that this needs."
            return Part(self.title, [Sentence(said, "missing")])
        return Part(self.title, blocks or [Sentence(self.if_none, "missing")])


def told_apart(rows: Iterable[Row], *named_by: str) -> tuple[list[Row], list[Block]]:
    """The rows that have figures, and for the others one line per reason: which they are, and what is missing."""
    known: list[Row] = []
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row["what_is_missing"] is None or row.get("status") in ("ok", "small_group"):
            known.append(row)
        else:
            reasons.setdefault(row["what_is_missing"], []).append(" ".join(str(row[name]) for name in named_by if row[name] is not None))
    return known, [Sentence(f"{', '.join(dict.fromkeys(names))}: {reason}", "missing") for reason, names in reasons.items()]
