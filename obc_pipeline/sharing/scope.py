"""What leaves, and which rows of it: read from the marts' own YAML, closed unless a mart says otherwise.

A mart declares under `config: meta: sharing:` for vendors and for schools whether they get `rows` (their own), `all` (a table without
students) or `none`, and lists the columns that leave. What is not listed stays, so a mart or a column added later is shared only when
somebody has said so. The student is never a listed column: a vendor's rows get `student_key` (made with its own secret) and
`vendor_student_id` (as the vendor itself sent it), a school's rows its own local `student_id`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from obc_pipeline.sharing.audiences import Audience
from obc_pipeline.sharing.errors import SharingDeclarationWrong
from obc_pipeline.sharing.publish import MartTable, quoted, text
from obc_pipeline.sharing.told import DISPUTES, HELD, LEFT, NOT_TOLD, TOLD_TO_VENDORS

Mode = Literal["rows", "all", "none"]
MODES: tuple[Mode, ...] = ("rows", "all", "none")
STUDENT_COLUMNS = {
    "student_key": "The student, for this recipient alone: HMAC-SHA256 with its own secret. Nobody else's file has it.",
    "vendor_student_id": "The id under which you sent the student; several are comma-joined. NULL when you have sent none.",
    "student_id": "The school's own student number.",
}
# Our own keys and the places in files join across recipients, or lead back to a row of a file: no audience but the district has them.
_NEVER = re.compile(r"(^|_)(key|hash|file_id|row_number|record_number|line_number)$")
_STUDENT = ("student_key", "student_id")
_CONDITION = re.compile(r"[a-z_]+ is (not )?null")
_KNOWN = {
    "vendor",
    "school",
    "public",
    "columns",
    "vendor_columns",
    "school_columns",
    "columns_if",
    "rows_without_student",
    "rows_without_contract",
}

_TOLD = ", ".join(text(code) for code in sorted(TOLD_TO_VENDORS))
_DISPUTES = ", ".join(text(code) for code in DISPUTES)
_REASON_CODE = (
    f"case when {{code}} in ({_DISPUTES}) then {text(HELD[0])} when {{code}} in ({text(LEFT[0])}, {_TOLD}) or {{code}} is null then {{code}} "
    f"else {text(NOT_TOLD[0])} end"
)
_REASON = (
    f"case when {{code}} in ({_DISPUTES}) then {text(HELD[1])} when {{code}} = {text(LEFT[0])} then {text(LEFT[1])} "
    f"when {{code}} in ({_TOLD}) then {{column}} when {{column}} is not null then {text(NOT_TOLD[1])} end"
)
_DECISION = "case when {column} like 'EXCLUDED%' then 'EXCLUDED' else {column} end"


@dataclass(frozen=True)
class SharedMart:
    """A mart and what of it leaves.

    rows_without_student: rows that are about no single student leave too. rows_without_contract: rows that are about no single contract too.
    conditions: column -> when it leaves; NULL otherwise.
    """

    mart: MartTable
    vendor: Mode
    school: Mode
    vendor_columns: tuple[str, ...]
    school_columns: tuple[str, ...]
    rows_without_student: bool
    rows_without_contract: bool
    conditions: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"{self.mart.schema}.{self.mart.name}"

    @property
    def has_students(self) -> bool:
        return any(column in self.mart.columns for column in _STUDENT)

    def mode(self, audience: Audience) -> Mode:
        return {"vendor": self.vendor, "school": self.school}.get(audience.kind, "none")  # type: ignore[return-value]

    def columns(self, audience: Audience) -> tuple[str, ...]:
        listed = self.vendor_columns if audience.kind == "vendor" else self.school_columns
        return (*listed, *self.conditions)


@dataclass(frozen=True)
class ScopedTable:
    """A table of an audience's file: how to select it, and what to say of it."""

    schema: str
    name: str
    select: str
    description: str
    columns: Mapping[str, str]


def shared_marts(manifest: Mapping[str, Any]) -> list[SharedMart]:
    """Every mart of the manifest that is shared with somebody, by name. Raises SharingDeclarationWrong."""
    found = []
    for node in manifest["nodes"].values():
        meta = {**(node.get("meta") or {}), **((node.get("config") or {}).get("meta") or {})}
        if node["resource_type"] != "model" or "sharing" not in meta:
            continue
        if len(node["fqn"]) < 3 or node["fqn"][1] != "marts":
            raise SharingDeclarationWrong(f"{node['name']} declares sharing, but only a mart is shared")
        columns = {name: column.get("description") or "" for name, column in node.get("columns", {}).items()}
        mart = MartTable(node["schema"], node.get("alias") or node["name"], node.get("description") or "", columns)
        found.append(_declared(mart, meta["sharing"]))
    return sorted(found, key=lambda shared: shared.name)


def scoped_tables(marts: Sequence[SharedMart], audience: Audience, known: Mapping[tuple[str, str], Sequence[str]]) -> list[ScopedTable]:
    """The tables of an audience's file, selected from `district` (the district's published file) and, for a vendor, `scope`.

    known: (schema, table) -> columns of the district's file; a mart that is not in it is left out.
    scope: contract_id, student_key, recipient_key, sent_id of every student the vendor may be told of.
    """
    tables = []
    for shared in marts:
        present = known.get((shared.mart.schema, shared.mart.name))
        if present and shared.mode(audience) != "none":
            tables.append(_scoped(shared, audience, set(present)))
    return tables


def _scoped(shared: SharedMart, audience: Audience, present: set[str]) -> ScopedTable:
    listed = [column for column in shared.columns(audience) if column in present]
    listed += ["is_held_back"] if "is_held_back" in present else []
    expressions = {column: _column(column, audience, present, shared.conditions.get(column)) for column in listed}
    source, where = f"district.{quoted(shared.mart.schema)}.{quoted(shared.mart.name)} as mart", list[str]()
    if shared.mode(audience) == "rows":
        has_students = bool(present & set(_STUDENT))
        if audience.kind == "vendor":
            where += [f"mart.provider_id = {text(audience.subject_id)}"] if "provider_id" in present else []
            if "contract_id" in present:
                nowhere = " or mart.contract_id is null" if shared.rows_without_contract else ""
                where.append(f"(mart.contract_id in (select contract_id from scope_contract){nowhere})")
            if has_students:
                source += " left join scope on mart.contract_id = scope.contract_id and mart.student_key = scope.student_key"
                nobody = " or (mart.student_key is null and mart.student_id is null)" if shared.rows_without_student else ""
                where.append(f"(scope.student_key is not null{nobody})")
                expressions = {"student_key": "scope.recipient_key", "vendor_student_id": "scope.sent_id", **expressions}
        else:
            where.append(f"mart.school_id = {text(audience.subject_id)}")
            if has_students:
                where += [] if shared.rows_without_student else ["mart.student_id is not null"]
                expressions = {"student_id": "mart.student_id", **expressions}
    selected = ", ".join(f"{expression} as {quoted(column)}" for column, expression in expressions.items())
    said = {column: STUDENT_COLUMNS.get(column) or shared.mart.columns.get(column, "") for column in expressions}
    select = f"select {selected} from {source} {'where ' + ' and '.join(where) if where else ''} order by all"
    return ScopedTable(shared.mart.schema, shared.mart.name, select, shared.mart.description, said)


def _column(column: str, audience: Audience, present: set[str], condition: str | None) -> str:
    """A column as this audience may read it: of decisions and reasons a vendor gets the statement's words."""
    plain = f"mart.{quoted(column)}"
    if condition:
        return f"case when mart.{condition} then {plain} end"
    if audience.kind != "vendor":
        return plain
    if column == "reason_code":
        return _REASON_CODE.format(code=plain)
    if column == "reason":
        return _REASON.format(column=plain, code="mart.reason_code" if "reason_code" in present else "null")
    return _DECISION.format(column=plain) if column == "decision" else plain


def _declared(mart: MartTable, sharing: Any) -> SharedMart:
    """The declaration, judged."""
    name = f"{mart.schema}.{mart.name}"
    if not isinstance(sharing, Mapping) or set(sharing) - _KNOWN:
        raise SharingDeclarationWrong(f"{name}: `sharing` is a mapping with some of {', '.join(sorted(_KNOWN))}")
    if sharing.get("public", "none") != "none":
        raise SharingDeclarationWrong(f"{name}: the public gets suppressed aggregates and no mart; right would be `public: none`")
    modes = {kind: sharing.get(kind, "none") for kind in ("vendor", "school")}
    columns = {kind: tuple(sharing.get(f"{kind}_columns") or sharing.get("columns") or ()) for kind in modes}
    for kind, mode in modes.items():
        if mode not in MODES:
            raise SharingDeclarationWrong(f"{name}: {kind} is `{mode}`; right would be one of {', '.join(MODES)}")
        if mode != "none":
            _check_columns(name, mart, kind, mode, columns[kind])
    conditions = {column: condition for condition, named in (sharing.get("columns_if") or {}).items() for column in named}
    for condition in conditions.values():
        if not _CONDITION.fullmatch(condition) or condition.split()[0] not in mart.columns:
            raise SharingDeclarationWrong(f"{name}: `{condition}` is no condition; right would be `<a column> is null` or `is not null`")
    if conditions:
        _check_columns(name, mart, "vendor", "all" if "rows" not in modes.values() else "none", tuple(conditions))
    return SharedMart(
        mart,
        modes["vendor"],
        modes["school"],
        columns["vendor"],
        columns["school"],
        bool(sharing.get("rows_without_student")),
        bool(sharing.get("rows_without_contract")),
        conditions,
    )


def _check_columns(name: str, mart: MartTable, kind: str, mode: Mode, columns: tuple[str, ...]) -> None:
    if not columns:
        raise SharingDeclarationWrong(f"{name}: no column is listed for a {kind}; right would be `columns: [...]`")
    unknown = [column for column in columns if column not in mart.columns]
    if unknown:
        raise SharingDeclarationWrong(f"{name}: {', '.join(unknown)} is no column of the mart")
    never = [column for column in columns if _NEVER.search(column) or column in _STUDENT]
    if never:
        raise SharingDeclarationWrong(
            f"{name}: {', '.join(never)} cannot leave; the student's own key or id is added by itself, our keys and file places never are"
        )
    needs = ("school_id",) if kind == "school" else ("provider_id", "contract_id")
    if mode == "rows" and not any(column in mart.columns for column in needs):
        raise SharingDeclarationWrong(
            f"{name}: without {' or '.join(needs)} nobody can tell which rows are a {kind}'s own; right would be none"
        )
    has_students = [column for column in _STUDENT if column in mart.columns]
    if mode == "all" and has_students:
        raise SharingDeclarationWrong(f"{name}: it has students, so it cannot be shared as a whole; right would be rows")
    if mode == "rows" and kind == "vendor" and has_students and not {"contract_id", *_STUDENT} <= set(mart.columns):
        raise SharingDeclarationWrong(f"{name}: a vendor's students are known by contract_id, student_key and student_id together")


__all__ = ["MODES", "STUDENT_COLUMNS", "ScopedTable", "SharedMart", "scoped_tables", "shared_marts"]
