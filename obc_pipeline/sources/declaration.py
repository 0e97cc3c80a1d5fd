"""What a format module declares: files, headers of every version, types, keys, and how a newer file replaces an older one.

A declaration is data. Intake reads files by it, the lake's Parquet schema, the data dictionary, the vendor's template and
the staging models are tested against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ColumnType = Literal["id", "text", "integer", "decimal", "date", "timestamp", "time", "boolean", "map"]
Privacy = Literal["keep", "restricted", "drop"]
LoadKind = Literal["bulk", "delta", "absent"]

DATE_FORMATS = ("%Y-%m-%d", "%m/%d/%Y")
TIMESTAMP_FORMATS = ("%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d")
TIME_FORMATS = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p")


@dataclass(frozen=True)
class Column:
    """One column of the lake.

    name:     snake_case name in the lake (of the current header: `TestRITScore` -> `test_rit_score`).
    type:     `id` is text that is trimmed and refused when a spreadsheet mangled it (`1.23E+08`); `integer` accepts `7.0`;
              `boolean` accepts true/false, yes/no, y/n, t/f, 1/0; `map` is MAP(VARCHAR, VARCHAR), filled by the table's `gather`.
    headers:  every header the senders use for it, any version; matched by `normalise_header`.
    is_header_required: a file without the header is refused.
    is_value_required:  a row without the value is quarantined.
    privacy:  keep (lake/raw) | restricted (lake/restricted only) | drop (archive only).
    same_as:    filled from the same field as that column, typed otherwise (DATAS `session_date` is both a day and a time).
    expression: filled by this DuckDB expression over the table's other typed columns (a school year from a day); no header.
    """

    name: str
    type: ColumnType
    headers: tuple[str, ...] = ()
    description: str = ""
    is_header_required: bool = False
    is_value_required: bool = False
    privacy: Privacy = "keep"
    formats: tuple[str, ...] = ()  # strptime formats for date, timestamp, time; () = the defaults above
    precision: tuple[int, int] = (18, 6)  # for decimal
    same_as: str | None = None
    expression: str | None = None

    @classmethod
    def of(cls, header: str, type: ColumnType, description: str, *aliases: str, **more: Any) -> Column:
        """The column of that header, named by `snake_case`; `aliases` are other versions' headers of the same column."""
        return cls(snake_case(header), type, (header, *aliases), description, **more)


@dataclass(frozen=True)
class Gather:
    """Wide columns gathered into one `map` column, keyed by code (exit-ticket items by header text).

    codes:  given the source's options, header (as sent) -> key in the map.
    A header in neither `columns` nor `codes` is an unknown header: kept when the table keeps extras, else the file is refused.
    """

    column: str
    codes: Callable[[Mapping[str, Any]], Mapping[str, str]]


@dataclass(frozen=True)
class Table:
    """One kind of file of a format. One logical record is always one lake row.

    natural_key:  columns that name a record; rows whose key is incomplete are quarantined.
    fallback_key: columns that name a record when the natural key is incomplete (a log without session ids); () = none.
    key_may_be_blank: key columns that may be blank, blank being a value of its own (a roster row without line = all lines).
    supersedes:   "scope" (a file replaces the scopes it covers) | "key" (the newest file having a key gives its rows).
    scope:        columns whose values name what a file covers; () = the whole table of that source.
    exported_at:  column whose latest value says how new the inside of the file is (besides the zip member's time).
    header_versions: version name -> exact header, for recognition and for tests; headers are matched by name anyway.
    file_names:   regular expressions of member names that are this table, tried before headers.
    header_rows:  rows before the data (Qualtrics: 3; names are taken from the first).
    layout_header_rows: header version -> rows before the data, where it differs from `header_rows`.
    layout_header_marks: header version -> regular expression found in the last of those rows, so that data is not taken for one.
    left_out_headers: regular expressions (whole header, any case) of fields known and left in the archive: fillers, item responses.
    needs_one_of: groups of columns of which a file must have at least one, besides those marked `is_header_required`.
    constants:    lake column -> function(member name, source options) -> value; e.g. Star's product from the file's name.
                  Used when the file has no such header.
    constants_from_columns: lake column -> function(columns the header filled) -> value; e.g. whether a log knows absences.
    presets:      preset name -> {sender's header: column name}; a source may add its own `columns` map in the data map.
    district_columns: columns that must name this district when filled (compared with `obc.yml` district ids and names).
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    natural_key: tuple[str, ...]
    supersedes: Literal["scope", "key"]
    scope: tuple[str, ...] = ()
    exported_at: str | None = None
    header_versions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    file_names: tuple[str, ...] = ()
    header_rows: int = 1
    constants: Mapping[str, Callable[[str, Mapping[str, Any]], str | None]] = field(default_factory=dict)
    presets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    gather: tuple[Gather, ...] = ()
    district_columns: tuple[str, ...] = ()
    keeps_extra_columns: bool = True
    is_short_file_guarded: bool = True
    fallback_key: tuple[str, ...] = ()
    key_may_be_blank: tuple[str, ...] = ()
    layout_header_rows: Mapping[str, int] = field(default_factory=dict)
    layout_header_marks: Mapping[str, str] = field(default_factory=dict)
    left_out_headers: tuple[str, ...] = ()
    needs_one_of: tuple[tuple[str, ...], ...] = ()
    constants_from_columns: Mapping[str, Callable[[frozenset[str]], str | None]] = field(default_factory=dict)

    def column(self, name: str) -> Column:
        """The declared column of that name; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} declares no column {name!r}")


@dataclass(frozen=True)
class Format:
    """A family of files from one system.

    name:     as `format:` in data_map.yml; also the folder under lake/raw.
    options:  option names a source of this format may set in the data map, with what each means.
    ignored_members: regular expressions of zip members that are known and deliberately not read.
    load_kind: how the package says what a member is: function(manifest's property -> value, table name) -> "bulk" (a full
               snapshot) | "delta" (changes only, superseding by key) | "absent". None: the format has no manifest.
    manifest_table: the table whose rows are those properties.
    """

    name: str
    title: str
    tables: tuple[Table, ...]
    delimiters: tuple[str, ...] = (",",)
    options: Mapping[str, str] = field(default_factory=dict)
    ignored_members: tuple[str, ...] = ()
    load_kind: Callable[[Mapping[str, str], str], LoadKind] | None = None
    manifest_table: str | None = None

    def table(self, name: str) -> Table:
        """The declared table of that name; KeyError when there is none."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(f"{self.name} declares no table {name!r}")


def normalise_header(header: str) -> str:
    """The form in which headers are compared: lower case, ASCII letters and digits only (`Lexile® Measure` -> `lexilemeasure`)."""
    return re.sub(r"[^a-z0-9]", "", header.encode("ascii", "ignore").decode().lower())


def snake_case(header: str) -> str:
    """`TestRITScore` -> `test_rit_score`, `WISelectedAYFall` -> `wi_selected_ay_fall`, `District_StateID` -> `district_state_id`."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", header))
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")
