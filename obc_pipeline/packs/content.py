"""What a meeting pack says, apart from how it looks: sections in the order of the agenda, made of sentences, tables and charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

Kind = Literal["text", "code", "count", "decimal", "rate", "points", "amount", "date", "yes_no"]
Tone = Literal["plain", "lead", "warning", "missing", "prompt", "note"]


@dataclass(frozen=True)
class Sentence:
    """One paragraph. `missing` names data that is not there; `prompt` is a question for the people in the room."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Column:
    """A column of a table: key in the rows, heading, and what kind of value it holds (`rate` is 0 to 1, `points` a difference of rates,
    `code` a word of the marts' vocabularies, written in small letters)."""

    key: str
    label: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """A table. With `filter_by` a reader of the page can keep the rows of one school; the value is the key of that column."""

    table_id: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    filter_by: str | None = None
    note: str = ""
    is_folded: bool = False  # the page shows the title, and the rows when they are asked for
    printed_rows: int = 40  # paper holds no longer list; the page does


@dataclass(frozen=True)
class Chart:
    """A picture: a Vega-Lite specification, and in words what it shows."""

    chart_id: str
    title: str
    shows: str
    spec: Mapping[str, Any]


Block = Sentence | Table | Chart


@dataclass(frozen=True)
class Part:
    """Blocks under one heading."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Section:
    """One item of the agenda, with the questions it is there to answer."""

    number: int
    title: str
    questions: Sequence[str]
    parts: Sequence[Part]


@dataclass(frozen=True)
class Pack:
    """A whole pack: for which meeting, of which district, for whose eyes, on which evidence."""

    pack_id: str
    title: str
    district: str
    workgroup: str
    audience: str
    confidentiality: str
    as_of: date
    evidence_until: str
    run_id: str
    since: date | None
    findings: Sequence[str]
    stories: Sequence[str]
    sections: Sequence[Section]
    schools: Mapping[str, str] = field(default_factory=dict)
