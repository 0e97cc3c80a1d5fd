"""A pack on paper: the same sections, tables and pictures, made without a browser. The same pack gives the same bytes."""

from __future__ import annotations

import unicodedata
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    Image,
    KeepTogether,
    ListFlowable,
    LongTable,
    PageTemplate,
    Paragraph,
    Spacer,
)

from obc_pipeline.packs import charts
from obc_pipeline.packs.content import Block, Chart, Pack, Sentence, Table
from obc_pipeline.packs.values import is_number, written

_INK, _SOFT, _LINE, _SHADE = (colors.HexColor(code) for code in ("#1B242C", "#4A5761", "#C9D1D7", "#F1F4F6"))
_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=9, leading=12, textColor=_INK, spaceAfter=3)
_SMALL = ParagraphStyle("small", parent=_BODY, fontSize=7.5, leading=9.5, textColor=_SOFT)
_CELL = ParagraphStyle("cell", parent=_BODY, fontSize=7.2, leading=8.8, spaceAfter=0)
_CELL_RIGHT = ParagraphStyle("cell_right", parent=_CELL, alignment=2)
_HEAD_CELL = ParagraphStyle("head_cell", parent=_CELL, fontName="Helvetica-Bold")
_TITLE = ParagraphStyle("title", parent=_BODY, fontName="Helvetica-Bold", fontSize=17, leading=21)
_SECTION = ParagraphStyle("section", parent=_BODY, fontName="Helvetica-Bold", fontSize=14, leading=18, spaceBefore=14, keepWithNext=1)
_PART = ParagraphStyle("part", parent=_BODY, fontName="Helvetica-Bold", fontSize=10.5, leading=14, spaceBefore=8, keepWithNext=1)
_TONES = {
    "plain": _BODY,
    "note": _SMALL,
    "lead": ParagraphStyle("lead", parent=_BODY, fontSize=10),
    "warning": ParagraphStyle("warning", parent=_BODY, fontName="Helvetica-Bold", textColor=colors.HexColor("#9C2413")),
    "missing": ParagraphStyle("missing", parent=_BODY, textColor=_SOFT, leftIndent=8),
    "prompt": ParagraphStyle("prompt", parent=_BODY, leftIndent=8, fontName="Helvetica-Oblique"),
}


def write_pdf(pack: Pack, path: Path) -> None:
    """Writes the pack to `path`; long lists are cut at what a table says, and say so."""
    margin = 0.65 * inch
    document = BaseDocTemplate(
        str(path), pagesize=letter, invariant=1, title=_printable(pack.title), author=_printable(pack.district), lang="en",
        leftMargin=margin, rightMargin=margin, topMargin=0.6 * inch, bottomMargin=0.7 * inch,
    )  # fmt: skip
    frame = Frame(document.leftMargin, document.bottomMargin, document.width, document.height, leftPadding=0, rightPadding=0)
    document.addPageTemplates([PageTemplate(frames=[frame], onPage=lambda canvas, _: _footer(canvas, pack, margin))])
    document.build(_story(pack, document.width))


def _story(pack: Pack, width: float) -> list[Flowable]:
    story: list[Flowable] = [
        _said(pack.title, _TITLE),
        _said(f"{pack.district} · {pack.workgroup} · as of {pack.as_of} · data received until {pack.evidence_until}", _SMALL),
        _said(pack.confidentiality, _TONES["warning"]),
    ]
    if pack.findings:
        story += [_said("What stands out", _PART), ListFlowable([_said(text, _BODY) for text in pack.findings], bulletType="1")]
    if pack.stories:
        story += [_said("What people say the data means", _PART), *(_said(text, _TONES["prompt"]) for text in pack.stories)]
    for section in pack.sections:
        story.append(_said(f"{section.number} {section.title}", _SECTION))
        story += [_said(question, _SMALL) for question in section.questions]
        for part in section.parts:
            story.append(_said(part.title, _PART))
            for block in part.blocks:
                story += _drawn(block, width)
    return story


def _drawn(block: Block, width: float) -> list[Flowable]:
    match block:
        case Sentence():
            return [_said(block.text, _TONES[block.tone])]
        case Chart():
            return [KeepTogether([_said(block.title, _HEAD_CELL), _picture(block, width), Spacer(1, 4)])]
        case Table():
            return _table(block, width)


def _picture(chart: Chart, width: float) -> Image:
    drawing = Image(BytesIO(charts.png(chart)))
    drawing.drawHeight *= min(width, drawing.drawWidth / 2) / drawing.drawWidth
    drawing.drawWidth = min(width, drawing.drawWidth / 2)
    drawing.hAlign = "LEFT"
    return drawing


def _table(table: Table, width: float) -> list[Flowable]:
    printed = list(table.rows)[: table.printed_rows]
    head = [_said(column.label, _HEAD_CELL) for column in table.columns]
    cells = [
        [_said(written(row.get(column.key), column.kind), _CELL_RIGHT if is_number(column.kind) else _CELL) for column in table.columns]
        for row in printed
    ]
    grid = LongTable([head, *cells], colWidths=_widths(table, printed, width), repeatRows=1, hAlign="LEFT")
    grid.setStyle([
        ("BACKGROUND", (0, 0), (-1, 0), _SHADE), ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE), ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 3), ("RIGHTPADDING", (0, 0), (-1, -1), 3), ("TOPPADDING", (0, 0), (-1, -1), 1.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
    ])  # fmt: skip
    after = [table.note] if table.note else []
    if len(printed) < len(table.rows):
        after.append(f"The first {len(printed):,} of {len(table.rows):,} rows; the page has all.")
    return [_said(table.title, _HEAD_CELL), grid, *(_said(text, _SMALL) for text in after), Spacer(1, 4)]


def _widths(table: Table, rows: list[Any], width: float) -> list[float]:
    """Room for the longest word of every column first; what is left goes where the text is long."""
    least, wished = [], []
    for column in table.columns:
        texts = [_printable(written(row.get(column.key), column.kind)) for row in rows]
        words = [*((word, _HEAD_CELL) for word in column.label.split()), *((word, _CELL) for text in texts for word in text.split())]
        least.append(min(max((_long(word, style) for word, style in words), default=20.0) + 7, 130))
        wished.append(min(max((_long(text, _CELL) for text in texts), default=20.0) + 7, 230))
    if sum(least) >= width:
        return [width * each / sum(least) for each in least]
    more = [max(wish - each, 1.0) for wish, each in zip(wished, least, strict=True)]
    return [each + (width - sum(least)) * part / sum(more) for each, part in zip(least, more, strict=True)]


def _long(text: str, style: ParagraphStyle) -> float:
    return stringWidth(text, style.fontName, style.fontSize)


def _footer(canvas: Any, pack: Pack, margin: float) -> None:
    canvas.saveState()
    canvas.setFont("Helvetica", 7)
    canvas.setFillColor(_SOFT)
    canvas.drawString(
        margin, 0.42 * inch, _printable(f"{pack.confidentiality} · run {pack.run_id} · an em dash means not known, never zero")
    )
    canvas.drawRightString(letter[0] - margin, 0.42 * inch, f"{canvas.getPageNumber()}")
    canvas.restoreState()


def _said(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(_printable(text)), style)


def _printable(text: str) -> str:
    """The standard fonts hold Latin letters only: others are written without their marks, else as a question mark."""
    replaced = text.replace("≥", ">=").replace("≤", "<=").replace("−", "-")
    plain = "".join(
        letter_ if letter_.encode("cp1252", "ignore") else unicodedata.normalize("NFKD", letter_).encode("ascii", "ignore").decode() or "?"
        for letter_ in replaced
    )
    return plain
