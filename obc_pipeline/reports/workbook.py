"""The statement as a workbook: what a procurement office files, and a vendor filters. The same statement gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from obc_pipeline.ledger.entry import dollars
from obc_pipeline.reports import words
from obc_pipeline.reports.statement import Line, Statement

# Excel keeps 15 significant digits: up to here an amount in cents is exact as a number, above it is written as text.
_EXACT_CENTS = 10**15


def write_workbook(statement: Statement, path: Path) -> None:
    """Sheets: Statement, Adjustments, Changes (where there is an earlier statement), Students."""
    # Nothing a sender wrote may become a formula or a link.
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False})
    # The time of the content, not of the writing, so that the bytes depend on nothing else.
    stamp = statement.posted_at or statement.evidence_cutoff_at
    book.set_properties({"title": words.title(statement), "author": statement.district, "created": stamp.replace(tzinfo=None)})
    sheets = _Sheets(book)
    _front(sheets.add("Statement", [34, 26, 20, 16, 16, 16, 16], statement), statement)
    _adjustments(sheets.add("Adjustments", [12, 14, 22, 34, 44, 10, 16], statement), statement)
    if statement.changes:
        _changes(sheets.add("Changes", [34, 60, 10, 18], statement), statement)
    _students(sheets.add("Students", [34, 34, 18, 12, 12, 8, 12, 24, 14, 14, 14, 14, 18, 14, 30, 80, 34], statement), statement)
    book.close()


class _Sheets:
    """The workbook's formats, made once."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        self.bold = book.add_format({"bold": True})
        self.title = book.add_format({"bold": True, "font_size": 16})
        self.warning = book.add_format({"bold": True, "font_color": "#B00020", "font_size": 12})
        self.header = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "bg_color": "#EEF2F5"})
        self.money = book.add_format({"num_format": "#,##0.00;[Red]-#,##0.00"})
        self.total = book.add_format({"num_format": "#,##0.00;[Red]-#,##0.00", "bold": True, "top": 1})
        self.wrap = book.add_format({"text_wrap": True, "valign": "top"})

    def add(self, name: str, widths: Sequence[int], statement: Statement) -> _Sheet:
        sheet = self._book.add_worksheet(name)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_footer(f"&L{words.title(statement).replace('&', '&&')}&C{'' if statement.is_posted else 'PROPOSED'}&RPage &P of &N")
        return _Sheet(self, sheet)


class _Sheet:
    """Writes row after row."""

    def __init__(self, formats: _Sheets, sheet: Any) -> None:
        self.formats, self.sheet, self.row = formats, sheet, 0

    def line(self, *values: str | int | None, style: Any = None) -> None:
        for column, value in enumerate(values):
            if isinstance(value, int):
                self.sheet.write_number(self.row, column, value, style)
            elif value:
                self.sheet.write_string(self.row, column, value, style)
        self.row += 1

    def cents(self, column: int, cents: int | None, style: Any = None) -> None:
        """An amount in the row that comes next."""
        if cents is None:
            return
        if abs(cents) < _EXACT_CENTS:
            self.sheet.write_number(self.row, column, float(dollars(cents)), style or self.formats.money)
        else:
            self.sheet.write_string(self.row, column, words.money(cents))

    def table(self, headers: Sequence[str]) -> None:
        self.line(*headers, style=self.formats.header)

    def gap(self) -> None:
        self.row += 1


def _front(sheet: _Sheet, statement: Statement) -> None:
    f = sheet.formats
    sheet.line(words.title(statement), style=f.title)
    if not statement.is_posted:
        sheet.line(words.PROPOSED, style=f.warning)
    sheet.gap()
    for name, value in words.facts(statement):
        sheet.line(name, value)
    sheet.gap()
    sheet.table(["US dollars", "Amount"])
    for name, cents in words.balances(statement):
        is_total = name.startswith(("This", "Closing"))
        sheet.cents(1, cents, f.total if is_total else None)
        sheet.line(name, style=f.bold if is_total else None)
    sheet.gap()
    sheet.table(["Lines by outcome and tier", "Kind", "Tier", "Lines moved", "This statement", "Lines paid to date", "To date"])
    for group in statement.groups:
        sheet.cents(4, group.moved_cents)
        sheet.cents(6, group.standing_cents)
        sheet.sheet.write_number(sheet.row, 3, group.moved)
        sheet.sheet.write_number(sheet.row, 5, group.standing)
        sheet.line(words.group_name(group), group.line_kind.lower(), group.tier)
    sheet.cents(4, sum(group.moved_cents for group in statement.groups), f.total)
    sheet.cents(6, sum(group.standing_cents for group in statement.groups), f.total)
    sheet.line("Sum", style=f.bold)
    sheet.gap()
    if statement.caps:
        sheet.table(["Cap that cut", "Line", "", "Before", "Above cap", "", "Payable"])
        for cap in statement.caps:
            sheet.cents(3, cap.before_cents)
            sheet.cents(4, cap.cut_cents)
            sheet.cents(6, cap.after_cents)
            sheet.line(cap.name, cap.line_id)
        sheet.gap()
    sheet.table(["Approved by", "At (UTC)"])
    for who, at in words.approvals(statement):
        sheet.line(who, at)
    sheet.gap()
    sheet.table(["Ledger", ""])
    for name, value in words.chain(statement):
        sheet.line(name, value)
    sheet.gap()
    for note in words.notes(statement):
        sheet.line(note)


def _adjustments(sheet: _Sheet, statement: Statement) -> None:
    sheet.table(["Line", "Kind", "Adjusts statement", "Reason", "In words", "Lines", "Amount"])
    for cause in statement.causes:
        sheet.cents(6, cause.cents)
        sheet.sheet.write_number(sheet.row, 5, cause.lines)
        sheet.line(
            cause.line_id,
            cause.entry_kind.lower(),
            str(cause.adjusts_statement or ""),
            cause.reason_code,
            cause.reason,
        )
    if not statement.causes:
        sheet.line("Nothing posted before is changed.")


def _changes(sheet: _Sheet, statement: Statement) -> None:
    sheet.table(["Since the statement before", "Cause", "Lines", "US dollars"])
    steps = words.changes(statement)
    for place, (name, cause, lines, cents) in enumerate(steps):
        is_balance = place in (0, len(steps) - 1)
        sheet.cents(3, cents, sheet.formats.total if is_balance else None)
        sheet.sheet.write_number(sheet.row, 2, lines)
        sheet.line(name, cause, style=sheet.formats.bold if is_balance else None)
    sheet.gap()
    sheet.line(
        "Earned before caps; what the caps cut is a step of its own. The steps between the balances add up to their difference: nothing is left over."
    )


def _students(sheet: _Sheet, statement: Statement) -> None:
    is_vendor = statement.audience == "vendor"
    sheet.table(
        [
            "Student key", "Your student id" if is_vendor else "", "Line", "Kind", "School", "Tier", "Entry", "Decision", "Earned",
            "Posted before", "This statement", "Posted then", "Cap that cut", "Adjusts statement", "Reason", "In words", "Line key",
        ]
    )  # fmt: skip
    sheet.sheet.freeze_panes(1, 0)
    for line in statement.lines:
        for column, cents in ((8, line.earned_cents), (9, line.before_cents), (10, line.amount_cents), (11, line.after_cents)):
            sheet.cents(column, cents)
        sheet.line(*_student_row(line))
    sheet.sheet.autofilter(0, 0, max(1, sheet.row - 1), 16)
    if not is_vendor:
        sheet.sheet.set_column(1, 1, None, None, {"hidden": True})


def _student_row(line: Line) -> list[str | int | None]:
    told = line.told
    return [
        told.student_key, told.vendor_student_id, line.line_id, line.line_kind.lower(), line.school_id, str(line.tier or ""),
        line.entry_kind.lower(), told.decision, None, None, None, None, line.cap_applied, str(line.adjusts_statement or ""),
        told.reason_code, told.reason, told.line_key,
    ]  # fmt: skip
