"""The statement as a PDF, made without a browser. The same statement gives the same bytes."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import landscape, letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    KeepTogether,
    LongTable,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from obc_pipeline.explain.keys import SHORTEST_KEY
from obc_pipeline.reports import words
from obc_pipeline.reports.statement import Line, Statement

# A printed list nobody turns to the end of helps nobody; the workbook holds every line.
MOST_STUDENT_LINES = 1_500

_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=8.5, leading=11)
_SMALL = ParagraphStyle("small", parent=_BODY, fontSize=6.5, leading=8)
_HASH = ParagraphStyle("hash", parent=_BODY, fontName="Courier", fontSize=7.5, leading=10)
_TITLE = ParagraphStyle("title", parent=_BODY, fontName="Helvetica-Bold", fontSize=17, leading=22)
_HEAD = ParagraphStyle(
    "head", parent=_BODY, fontName="Helvetica-Bold", fontSize=10.5, leading=14, spaceBefore=7, spaceAfter=2, keepWithNext=1
)
_WARN = ParagraphStyle("warn", parent=_BODY, fontName="Helvetica-Bold", fontSize=11, leading=15, textColor=colors.HexColor("#B00020"))
_RULE = colors.HexColor("#9AA5AE")
_SHADE = colors.HexColor("#EEF2F5")


def write_pdf(statement: Statement, path: Path) -> None:
    """Front: parties, balances, lines, adjustments with their causes, caps, approvals, ledger. Then the students."""
    width, _ = landscape(letter)
    margin = 0.6 * inch
    # invariant: no clock and no random id in the file.
    document = BaseDocTemplate(
        str(path), pagesize=landscape(letter), invariant=1, title=_latin(words.title(statement)), author=_latin(statement.district),
        leftMargin=margin, rightMargin=margin, topMargin=0.4 * inch, bottomMargin=0.65 * inch,
    )  # fmt: skip
    frame = Frame(document.leftMargin, document.bottomMargin, document.width, document.height, leftPadding=0, rightPadding=0)
    document.addPageTemplates([PageTemplate(frames=[frame], onPage=lambda canvas, _: _furniture(canvas, statement, width, margin))])
    document.build([*_front(statement, document.width), *_students(statement, document.width)])


def _furniture(canvas: Canvas, statement: Statement, width: float, margin: float) -> None:
    canvas.saveState()
    if not statement.is_posted:
        canvas.setFont("Helvetica-Bold", 96)
        canvas.setFillColor(colors.Color(0.69, 0, 0.13, alpha=0.07))
        canvas.translate(width / 2, 4.1 * inch)
        canvas.rotate(30)
        canvas.drawCentredString(0, 0, "PROPOSED")
        canvas.rotate(-30)
        canvas.translate(-width / 2, -4.1 * inch)
    canvas.setFont("Helvetica", 7)
    canvas.setFillColor(colors.HexColor("#4A555E"))
    status = "posted" if statement.is_posted else "PROPOSED"
    left = (
        f"{words.title(statement)} ({status})   head {statement.head_hash[:16]}…, {statement.entry_count} entries   run {statement.run_id}"
    )
    canvas.drawString(margin, 0.45 * inch, _latin(left))
    canvas.drawRightString(width - margin, 0.45 * inch, f"page {canvas.getPageNumber()}")
    canvas.restoreState()


def _front(statement: Statement, width: float) -> list[Flowable]:
    parts: list[Flowable] = [_text(words.title(statement), _TITLE)]
    if not statement.is_posted:
        parts.append(_text(words.PROPOSED, _WARN))
    facts = [[_text(name, _BODY), _text(value, _BODY)] for name, value in words.facts(statement)]
    sums = [[_text(name, _bold(name)), _right(words.money(cents), _bold(name))] for name, cents in words.balances(statement)]
    left = _table(facts, [0.95 * inch, width * 0.52 - 0.95 * inch], header=False)
    right = _table([[_text("US dollars", _head_style()), ""], *sums], [width * 0.3, width * 0.14])
    pair = Table(
        [[left, right]],
        colWidths=[width * 0.54, width * 0.46],
        style=[("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, 0), 0)],
    )
    parts += [Spacer(1, 6), pair, _text("Lines by outcome and tier", _HEAD), _groups(statement, width)]
    parts += _adjustments(statement, width)
    parts += _changes(statement, width)
    if statement.caps:
        parts.append(KeepTogether([_text("Caps applied", _HEAD), _caps(statement, width)]))
    parts += [
        _text("Approvals", _HEAD),
        _table([[_text(a, _BODY), _text(b, _BODY)] for a, b in words.approvals(statement)], [width * 0.35, width * 0.65], header=False),
    ]
    chain = [[_text(name, _BODY), _text(value, _HASH)] for name, value in words.chain(statement)]
    ledger = [_text("Ledger", _HEAD), _table(chain, [width * 0.2, width * 0.8], header=False), Spacer(1, 4)]
    return [*parts, KeepTogether([*ledger, *(_text(note, _BODY) for note in words.notes(statement))])]


def _groups(statement: Statement, width: float) -> Flowable:
    rows = [_header("Outcome", "Kind", "Tier", "Lines moved", "This statement $", "Lines paid to date", "To date $")]
    for group in statement.groups:
        rows.append(
            [_text(words.group_name(group), _BODY), _text(group.line_kind.lower(), _BODY), _text(group.tier, _BODY), _right(f"{group.moved:,}"),
             _right(words.money(group.moved_cents)), _right(f"{group.standing:,}"), _right(words.money(group.standing_cents))]
        )  # fmt: skip
    moved, standing = sum(g.moved_cents for g in statement.groups), sum(g.standing_cents for g in statement.groups)
    strong = _head_style()
    rows.append([_text("Sum", strong), "", "", "", _right(words.money(moved), strong), "", _right(words.money(standing), strong)])
    return _table(rows, [width * share for share in (0.34, 0.09, 0.13, 0.09, 0.13, 0.1, 0.12)])


def _caps(statement: Statement, width: float) -> Flowable:
    rows = [_header("Cap", "Line", "Before $", "Above cap $", "Payable $")]
    for cap in statement.caps:
        amounts = [_right(words.money(cents)) for cents in (cap.before_cents, cap.cut_cents, cap.after_cents)]
        rows.append([_text(cap.name, _BODY), _text(cap.line_id, _BODY), *amounts])
    return _table(rows, [width * share for share in (0.28, 0.18, 0.18, 0.18, 0.18)])


def _adjustments(statement: Statement, width: float) -> list[Flowable]:
    if not statement.causes:
        return []
    rows = [_header("Line", "Kind", "Adjusts statement", "Reason", "Lines", "Amount $")]
    for cause in statement.causes:
        rows.append(
            [_text(cause.line_id, _BODY), _text(cause.entry_kind.lower(), _BODY), _text(str(cause.adjusts_statement or ""), _BODY),
             _text(cause.reason_code, _BODY), _right(f"{cause.lines:,}"), _right(words.money(cause.cents))]
        )  # fmt: skip
    return [
        _text("Adjustments of earlier statements, with their causes", _HEAD),
        _table(rows, [width * share for share in (0.12, 0.14, 0.15, 0.35, 0.1, 0.14)]),
    ]


def _changes(statement: Statement, width: float) -> list[Flowable]:
    if not statement.changes:
        return []
    rows = [_header("Step", "Cause", "Lines", "Amount $")]
    for name, cause, lines, cents in words.changes(statement):
        rows.append([_text(name, _BODY), _text(cause, _BODY), _right(f"{lines:,}"), _right(words.money(cents))])
    return [
        _text("From the statement before to this one: every cent", _HEAD),
        _table(rows, [width * share for share in (0.32, 0.44, 0.1, 0.14)]),
    ]


def _students(statement: Statement, width: float) -> list[Flowable]:
    shown = statement.lines[:MOST_STUDENT_LINES]
    student = "Your id, student key" if statement.audience == "vendor" else "Student key"
    rows = [_header(student, "Line", "Tier", "Entry", "Decision", "Earned $", "Before $", "This $", "Then $", "Why", "Line key")]
    rows += [_student_row(line) for line in shown]
    shares = (0.13, 0.05, 0.03, 0.07, 0.12, 0.06, 0.06, 0.06, 0.06, 0.28, 0.08)
    parts: list[Flowable] = [PageBreak(), _text("Students, line by line", _HEAD)]
    if len(shown) < len(statement.lines):
        parts.append(_text(f"The first {len(shown):,} of {len(statement.lines):,} lines; the workbook holds them all.", _BODY))
    return [*parts, _table(rows, [width * share for share in shares], long=True)]


def _student_row(line: Line) -> list[Any]:
    told = line.told
    student = "<br/>".join(escape(_latin(text)) for text in (told.vendor_student_id, _short(told.student_key)) if text)
    why = told.reason + (f" Cut by the cap {line.cap_applied}." if line.cap_applied else "")
    return [
        Paragraph(student, _SMALL), _text(line.line_id, _SMALL), _text(str(line.tier or ""), _SMALL), _text(line.entry_kind.lower(), _SMALL),
        _text(told.decision.lower().replace("_", " "), _SMALL), *(_right(words.money(c), _SMALL) for c in
        (line.earned_cents, line.before_cents, line.amount_cents, line.after_cents)), _text(why, _SMALL), _text(_short(told.line_key), _SMALL),
    ]  # fmt: skip


def _short(key: str) -> str:
    """The start of a key, enough to name it (`obc explain` takes it); the workbook has it whole."""
    return key[:SHORTEST_KEY]


def _table(rows: Sequence[Sequence[Any]], widths: Sequence[float], *, header: bool = True, long: bool = False) -> Flowable:
    style: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.HexColor("#DDE3E8")),
    ]
    if header:
        style += [("BACKGROUND", (0, 0), (-1, 0), _SHADE), ("LINEBELOW", (0, 0), (-1, 0), 0.6, _RULE)]
    kind = LongTable if long else Table
    return kind([list(row) for row in rows], colWidths=list(widths), repeatRows=1 if header else 0, style=style, hAlign="LEFT")


def _header(*names: str) -> list[Any]:
    return [(_right if name.endswith("$") or name.startswith("Lines") else _text)(name, _head_style()) for name in names]


def _head_style() -> ParagraphStyle:
    return ParagraphStyle("strong", parent=_BODY, fontName="Helvetica-Bold", fontSize=7.5, leading=9.5)


def _bold(name: str) -> ParagraphStyle:
    return _head_style() if name.startswith(("This", "Closing")) else _BODY


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(_latin(text)), style)


def _right(text: str, style: ParagraphStyle = _BODY) -> Paragraph:
    return Paragraph(escape(_latin(text)), ParagraphStyle(f"{style.name}-right", parent=style, alignment=2))


def _latin(text: str) -> str:
    """Text in the letters of the PDF's built-in fonts: accents they lack are dropped, other scripts become question marks."""
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        plain = unicodedata.normalize("NFKD", text)
        kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
        return kept.encode("cp1252", "replace").decode("cp1252")
    return text
