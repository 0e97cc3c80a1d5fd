"""Which table of a format a header belongs to, and which column each field fills; or why not, and what would be right.

Headers are matched by name, whatever their order and case. Messages name a header only when it is, or closely resembles, a known one:
the first line of a file without a header is a student's record.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from obc_pipeline.sources.declaration import Column, Format, Table, normalise_header

Reason = Literal[
    "empty_header", "wrong_delimiter", "no_header", "unknown_table", "missing_headers", "repeated_headers", "unknown_headers",
    "bad_column_map", "missing_constant", "header_rows", "broken_header",
]  # fmt: skip
_DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "vertical bar"}
_RESEMBLES = 0.8
_LONGEST_NAME = 1000  # characters; questions of a form are long, a swallowed file is longer

# Fields no table asks for that would carry a person's name, contact or free words: left in the archive, never kept beside the others.
# Compared with the normalised header, so that `SchoolName` and `TestName` stay.
_PERSONAL = re.compile(
    r".*(first|last|middle|given|family|maiden|nick|preferred|full|legal)name"
    r"|(student|pupil|child|learner|tutor|teacher|coach|parent|guardian|contact|respondent|user)s?name|surname|name"
    r"|.*(email|phone|mobile|password|ssn|socialsecurity|dateofbirth|birthdate|birthday|birthplace|ipaddress).*|dob|.*dob"
    r"|(student|home|mailing|street|parent|guardian).*address.*|address\d?"
    r"|.*(comment|comments|feedback|narrative|freetext)"
)

# What a source may set for any format, besides the format's own options.
GENERAL_OPTIONS: Mapping[str, str] = {
    "preset": "Name of one of the format's presets: the headers a known system uses.",
    "layout": "Header version the sender promised; a note says so when a file has another.",
    "columns": "The sender's header -> column of the lake; goes before preset and declared headers.",
    "ignore_headers": "Headers of the sender that are left in the archive.",
    "header_rows": "Rows before the data.",
    "delimiter": "Field delimiter.",
}


@dataclass(frozen=True)
class Match:
    """A header recognised as one table.

    layout:    the header version most alike; None when the table declares none.
    columns:   position (0-based) -> column it fills; no two positions fill one column.
    gathered:  position -> (map column, code in the map).
    extras:    position -> header as sent, for fields the table does not know and keeps.
    left_out:  positions known and not read.
    notes:     what is worth telling the sender although the file is read; no values.
    """

    table: Table
    layout: str | None
    columns: Mapping[int, str]
    gathered: Mapping[int, tuple[str, str]]
    extras: Mapping[int, str]
    left_out: tuple[int, ...]
    header_rows: int
    notes: tuple[str, ...] = ()
    filled: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def positions(self) -> dict[str, int]:
        """Column -> position, including columns declared `same_as` another one."""
        found = {name: position for position, name in self.columns.items()}
        for column in self.table.columns:
            if column.same_as in found and column.name not in found:
                found[column.name] = found[column.same_as]
        return found

    @property
    def absent(self) -> tuple[str, ...]:
        """Declared columns the file has nothing for."""
        positions, gathered = self.positions, {column for column, _ in self.gathered.values()}
        return tuple(
            column.name
            for column in self.table.columns
            if column.name not in positions and column.name not in self.filled and column.name not in gathered and column.expression is None
        )

    def constants(self, member_name: str, options: Mapping[str, Any]) -> dict[str, str | None]:
        """Columns that hold one value in the whole file, with that value: from the member's name, the options, or the header itself."""
        return _constants(self.table, frozenset(self.columns.values()), member_name, options)


@dataclass(frozen=True)
class Mismatch:
    """A header that is not taken.

    message:     what is wrong and what would be right, as one sentence or two; holds no value of a record.
    table:       the table it comes nearest to, if any.
    missing:     required headers not found.
    suggestions: missing or unknown header -> the known or sent header it resembles.
    unknown:     positions (0-based) nobody knows.
    delimiter:   the delimiter the file probably has.
    """

    reason: Reason
    message: str
    table: Table | None = None
    missing: tuple[str, ...] = ()
    suggestions: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[int, ...] = ()
    delimiter: str | None = None

    def __str__(self) -> str:
        return self.message


@dataclass
class _Reading:
    """One header read as one table, under one preset."""

    table: Table
    preset: str | None
    columns: dict[int, str]
    gathered: dict[int, tuple[str, str]]
    extras: dict[int, str]
    left_out: list[int]
    missing: list[str]
    bad_targets: list[str]
    is_named: bool

    @property
    def known(self) -> int:
        return len(self.columns) + len(self.gathered) + len(self.left_out)

    @property
    def is_complete(self) -> bool:
        return not self.missing and not self.bad_targets

    @property
    def rank(self) -> tuple[int, int, int]:
        return (len(self.columns) + len(self.gathered), self.known, -sum(column.is_header_required for column in self.table.columns))


def match_header(format_: Format, member_name: str, header: Sequence[str], source_options: Mapping[str, Any]) -> Match | Mismatch:
    """Recognises a header.

    format_:        the source's format.
    member_name:    name of the file or zip member; folders in front are ignored.
    header:         the first row, split by the delimiter, as sent.
    source_options: the source's entry in the data map: `GENERAL_OPTIONS` and the format's own options.
    The header decides; the file's name breaks ties, since names are often changed on the way.
    """
    header = list(header)
    while header and not header[-1].strip():  # trailing delimiters make nameless fields; they are kept as extras only if named
        header.pop()
    if not header:
        return Mismatch("empty_header", "the file has no header row; its first row must hold the column names")
    base_name = member_name.replace("\\", "/").rsplit("/", 1)[-1]
    readings = [
        _read(table, preset, base_name, header, source_options) for table in format_.tables for preset in _presets(table, source_options)
    ]
    broken = _broken(header, readings, is_split_rightly=False)
    if broken is not None:
        return broken
    complete = [reading for reading in readings if reading.is_complete]
    best = _best(complete)
    elsewhere = _other_delimiter(format_, header, source_options, max((reading.known for reading in readings), default=0))
    if elsewhere is not None:
        return _wrong_delimiter(format_, member_name, header, source_options, elsewhere)
    if best is None:
        return _explain(format_, readings, header)
    broken = _broken(header, readings, is_split_rightly=True)
    if broken is not None:
        return broken
    return _finish(format_, best, base_name, header, source_options)


def _broken(header: Sequence[str], readings: Sequence[_Reading], *, is_split_rightly: bool) -> Mismatch | None:
    """A field that can be no column name: several lines, or, once the header is rightly split, far too long. A source may list such names."""
    for position, sent in enumerate(header):
        has_lines = "\n" in sent.strip() or "\r" in sent.strip()
        is_no_name = has_lines or (is_split_rightly and len(sent) > _LONGEST_NAME)
        if is_no_name and all(position in reading.extras for reading in readings):
            return Mismatch(
                "broken_header",
                f"field {position + 1} of the header is no column name, since it is very long or runs over several lines; "
                "probably a quote is opened there and never closed",
            )
    return None


def header_rows(table: Table, layout: str | None, options: Mapping[str, Any]) -> int:
    """Rows before the data: as the source says, else as the layout has them, else as the table does."""
    if options.get("header_rows") is not None:
        return int(options["header_rows"])
    return table.layout_header_rows.get(layout or "", table.header_rows)


def header_rows_problem(match: Match, records: Sequence[Sequence[str]]) -> Mismatch | None:
    """What is wrong with the rows before the data, or None. Where a layout has several, the last must look as declared.

    `records`: the first `match.header_rows` records. Guards against taking responses for header rows, which would lose them.
    """
    mark = match.table.layout_header_marks.get(match.layout or "")
    if mark is None or match.header_rows < 2:
        return None
    last = records[match.header_rows - 1] if len(records) >= match.header_rows else ()
    if any(re.search(mark, sent) for sent in last):
        return None
    return Mismatch(
        "header_rows",
        f"an export of {match.layout} has {match.header_rows} rows before the data, and row {match.header_rows} of this file is not one of "
        "them; send the export as the tool writes it, or set `header_rows` for the source",
        match.table,
    )


def _presets(table: Table, options: Mapping[str, Any]) -> tuple[str | None, ...]:
    """The preset the source names; without one, the declared headers first and then every preset."""
    said = options.get("preset")
    if said:
        return (str(said),) if said in table.presets else (None,)
    return (None, *table.presets)


def _read(table: Table, preset: str | None, base_name: str, header: Sequence[str], options: Mapping[str, Any]) -> _Reading:
    wanted, bad_targets = _wanted(table, preset, options)
    codes = {
        normalise_header(sent): (gather.column, code) for gather in table.gather for sent, code in gather.codes(options).items()
    }  # fmt: skip
    ignored = {normalise_header(name) for name in options.get("ignore_headers") or ()}
    left_out_patterns = [re.compile(pattern, re.IGNORECASE) for pattern in table.left_out_headers]
    claims: dict[str, list[tuple[int, int]]] = {}
    gathered: dict[int, tuple[str, str]] = {}
    extras: dict[int, str] = {}
    left_out: list[int] = []
    for position, sent in enumerate(header):
        name = normalise_header(sent)
        if name in codes and sent.strip():
            gathered[position] = codes[name]
        elif name in ignored:
            left_out.append(position)
        elif name in wanted:
            column, priority = wanted[name]
            claims.setdefault(column, []).append((priority, position))
        elif any(pattern.fullmatch(sent.strip()) for pattern in left_out_patterns) or _PERSONAL.fullmatch(name):
            left_out.append(position)
        else:
            extras[position] = sent
    columns: dict[int, str] = {}
    for column, claimed in claims.items():
        first, *others = sorted(claimed)
        columns[first[1]] = column
        # An older name beside the newer one: the newer is read.
        if table.keeps_extra_columns:
            extras |= {position: header[position] for _, position in others}
        else:
            left_out += [position for _, position in others]
    missing = [
        _name_of(column, preset, table, options) for column in table.columns if column.is_header_required and column.name not in claims
    ]
    missing += [
        " or ".join(_name_of(table.column(name), preset, table, options) for name in group)
        for group in table.needs_one_of
        if not set(group) & set(claims)
    ]
    is_named = any(re.fullmatch(pattern, base_name, re.IGNORECASE) for pattern in table.file_names)
    return _Reading(table, preset, columns, gathered, dict(sorted(extras.items())), left_out, missing, bad_targets, is_named)


def _wanted(table: Table, preset: str | None, options: Mapping[str, Any]) -> tuple[dict[str, tuple[str, int]], list[str]]:
    """Normalised header -> (column, priority; smaller goes first), and targets of the source's own map that are no columns."""
    wanted: dict[str, tuple[str, int]] = {}
    names = {column.name for column in table.columns}
    for column in table.columns:
        if column.type == "map" or column.same_as or column.expression:
            continue
        for priority, sent in enumerate(dict.fromkeys((*column.headers, column.name)), start=2):
            wanted.setdefault(normalise_header(sent), (column.name, priority))
    for sent, name in (table.presets.get(preset, {}) if preset else {}).items():
        wanted[normalise_header(sent)] = (name, 1)
    bad_targets = []
    for sent, name in (options.get("columns") or {}).items():
        if name not in names:
            bad_targets.append(str(name))
        wanted[normalise_header(str(sent))] = (str(name), 0)
    return wanted, bad_targets


def _name_of(column: Column, preset: str | None, table: Table, options: Mapping[str, Any]) -> str:
    """What this sender would call a column: as the source's map or the preset says, else its current header."""
    for mapping in (options.get("columns") or {}, table.presets.get(preset or "", {})):
        for sent, name in mapping.items():
            if name == column.name:
                return str(sent)
    return column.headers[0] if column.headers else column.name


def _best(readings: Iterable[_Reading]) -> _Reading | None:
    """The reading that explains most of the header; the file's name, then the first declared, decide between equals."""
    best: _Reading | None = None
    for reading in readings:
        if best is None or (*reading.rank[:2], reading.is_named) > (*best.rank[:2], best.is_named):
            best = reading
    return best


def _finish(format_: Format, best: _Reading, base_name: str, header: Sequence[str], options: Mapping[str, Any]) -> Match | Mismatch:
    table = best.table
    repeated = _repeated(header, best)
    if repeated:
        return Mismatch("repeated_headers", f"the header names {_listed(repeated)} twice; every column must have its own name", table)
    unknown = {position: sent for position, sent in best.extras.items() if sent.strip()}
    if unknown and not table.keeps_extra_columns:
        return _unknown_headers(best, unknown, len(header), options)
    filled = _constants(table, frozenset(best.columns.values()), base_name, options)
    for name, value in filled.items():
        if value is None and table.column(name).is_value_required:
            return Mismatch(
                "missing_constant",
                f"nothing says what `{name}` is: {table.column(name).description} Name the file as its system does, "
                f"or set `{name}` for the source",
                table,
            )
    layout = _layout(table, best, header, options)
    notes = []
    promised = options.get("layout")
    if promised in table.header_versions and promised != layout:
        notes.append(f"the source is said to send the layout {promised}; this header is that of {layout}")
    if not best.is_named and any(_is_named(other, base_name) for other in format_.tables):
        notes.append(f"the file's name suggests another table, but its header is that of {table.name}")
    if unknown:
        notes.append(f"not known here, kept beside the other columns: {_listed(unknown.values())}")
    return Match(
        table, layout, dict(sorted(best.columns.items())), best.gathered, unknown, tuple(best.left_out),
        header_rows(table, layout, options), tuple(notes), filled,
    )  # fmt: skip


def _is_named(table: Table, base_name: str) -> bool:
    return any(re.fullmatch(pattern, base_name, re.IGNORECASE) for pattern in table.file_names)


def _constants(table: Table, filled: frozenset[str], member_name: str, options: Mapping[str, Any]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name, value in table.constants.items():
        if name not in filled:
            found[name] = value(member_name, options)
    for name, from_columns in table.constants_from_columns.items():
        if name not in filled:
            found[name] = from_columns(filled)
    return found


def _repeated(header: Sequence[str], best: _Reading) -> list[str]:
    seen: set[str] = set()
    repeated = []
    for position, sent in enumerate(header):
        name = normalise_header(sent)
        if name and name in seen and position not in best.left_out:
            repeated.append(sent.strip())
        seen.add(name)
    return repeated


def _layout(table: Table, best: _Reading, header: Sequence[str], options: Mapping[str, Any]) -> str | None:
    """The header version with the largest share of headers in common; one the source's preset names goes first."""
    for said in (options.get("preset"), best.preset):
        if said in table.header_versions:
            return str(said)
    sent = {normalise_header(name) for name in header}
    best_version, best_share = None, -1.0
    for version, names in table.header_versions.items():
        declared = {normalise_header(name) for name in names}
        share = len(sent & declared) / len(sent | declared)
        if share > best_share:
            best_version, best_share = version, share
    return best_version


def _unknown_headers(best: _Reading, unknown: Mapping[int, str], width: int, options: Mapping[str, Any]) -> Mismatch:
    """A table that keeps no extras refuses: an unknown field may be a pupil's free text. Named only in what surely is a header."""
    known_names = [sent for gather in best.table.gather for sent in gather.codes(options)]
    known_names += [name for column in best.table.columns for name in column.headers]
    suggestions = _suggestions(unknown.values(), known_names)
    places = ", ".join(str(position + 1) for position in unknown)
    message = f"{best.table.name} does not know field{'s' if len(unknown) > 1 else ''} {places} of the header"
    if best.known * 2 >= width:
        message += f" ({_listed(unknown.values())})"
    for sent, resembled in suggestions.items():
        message += f"; '{sent}' resembles '{resembled}'"
    return Mismatch(
        "unknown_headers",
        message + "; add each to the source's `items`, `columns` or `ignore_headers` in the data map",
        best.table,
        suggestions=suggestions,
        unknown=tuple(unknown),
    )


def _explain(format_: Format, readings: Sequence[_Reading], header: Sequence[str]) -> Mismatch:
    """Why no table takes the header, told for the table it comes nearest to."""
    nearest = max(readings, key=lambda reading: (reading.is_named, *reading.rank[:2], -len(reading.missing)))
    most = max(readings, key=lambda reading: reading.rank[:2])
    if most.known > nearest.known:
        nearest = most
    if nearest.bad_targets:
        return Mismatch(
            "bad_column_map",
            f"the source's `columns` name {_listed(nearest.bad_targets)}, which {nearest.table.name} does not have",
            nearest.table,
        )
    suggestions = _suggestions(nearest.missing, [sent for sent in nearest.extras.values() if sent.strip()])
    if not nearest.known and not suggestions:
        names = ", ".join(table.name for table in format_.tables)
        return Mismatch(
            "no_header",
            f"no field of the first row is a known column name of {format_.name} ({names}); "
            "the first row must be the header of one of these files",
        )
    reason: Reason = "missing_headers" if nearest.known * 2 >= len(header) or nearest.is_named else "unknown_table"
    message = f"the header lacks {_listed(nearest.missing)}, which {nearest.table.name} needs"
    if reason == "unknown_table":
        message = (
            f"the header is that of no file of {format_.name}; {nearest.table.name} comes nearest, but lacks {_listed(nearest.missing)}"
        )
    # Advice to rename helps where the file is of this table; that one field of another state's file sounds alike does not.
    is_worth_saying = reason == "missing_headers" or len(suggestions) == len(nearest.missing)
    for missing, sent in suggestions.items() if is_worth_saying else ():
        message += f"; '{sent}' resembles {missing}"
    if suggestions and is_worth_saying:
        message += ". Rename it, or add it to the source's `columns` in the data map"
    return Mismatch(reason, message, nearest.table, tuple(nearest.missing), suggestions, tuple(nearest.extras))


def _suggestions(wanted: Iterable[str], offered: Iterable[str]) -> dict[str, str]:
    """Wanted name -> the offered one that resembles it closely; names that do not are left out."""
    by_form = {normalise_header(name): name for name in offered}
    found: dict[str, str] = {}
    for group in wanted:
        for name in group.split(" or "):
            near = difflib.get_close_matches(normalise_header(name), [form for form in by_form if form], n=1, cutoff=_RESEMBLES)
            if near:
                found[name] = by_form[near[0]]
    return found


def _other_delimiter(format_: Format, header: Sequence[str], options: Mapping[str, Any], known: int) -> str | None:
    """The delimiter under which clearly more of the header would be known than now; None when there is none."""
    for delimiter in _DELIMITERS:
        if not any(delimiter in sent for sent in header):
            continue
        fields = [part.strip().strip('"') for sent in header for part in sent.split(delimiter)]
        if len(fields) < 2:
            continue
        again = max(
            (_read(table, preset, "", fields, options).known for table in format_.tables for preset in _presets(table, options)),
            default=0,
        )
        if again >= 2 and again > 2 * known:
            return delimiter
    return None


def _wrong_delimiter(format_: Format, member_name: str, header: Sequence[str], options: Mapping[str, Any], delimiter: str) -> Mismatch:
    """What to say about a header split by the wrong delimiter: what is wrong under the right one, or only that it was another."""
    again = match_header(format_, member_name, _split_again(header, delimiter), options)
    if isinstance(again, Mismatch):
        also = "" if delimiter in format_.delimiters else f"; besides, its fields are separated by {_DELIMITERS[delimiter]}s"
        return replace(again, message=again.message + also, delimiter=delimiter)
    expected = " or ".join(f"{_DELIMITERS.get(known, repr(known))}s" for known in format_.delimiters if known != delimiter)
    return Mismatch(
        "wrong_delimiter",
        f"the header is separated by {_DELIMITERS[delimiter]}s and was read with another delimiter; send it with {expected}, "
        "or set `delimiter` for the source",
        delimiter=delimiter,
    )


def _split_again(header: Sequence[str], delimiter: str) -> list[str]:
    """The header as that delimiter splits it; commas within names, which the first splitting took for delimiters, are put back."""
    return next(csv.reader([",".join(header).replace("\r", " ").replace("\n", " ")], delimiter=delimiter), [])


def _listed(names: Iterable[str]) -> str:
    listed = list(dict.fromkeys(name.strip() for name in names))
    shown = ", ".join(listed[:12])
    return shown if len(listed) <= 12 else f"{shown} and {len(listed) - 12} more"
