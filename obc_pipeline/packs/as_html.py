"""A pack as one HTML page that needs nothing else: no network, no server; it prints, and it fits a phone."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from obc_pipeline.packs import charts
from obc_pipeline.packs.content import Block, Chart, Pack, Sentence, Table
from obc_pipeline.packs.values import is_number, written

_SHORT = 18  # characters that stand on one line: ids and dates are not broken
_TEMPLATES = Path(__file__).parent / "templates"


def page(pack: Pack) -> str:
    """The page. Every text is escaped; nothing in it comes from anywhere but the pack."""
    return _environment().get_template("pack.html.j2").render(pack=pack)


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["drawn"] = _drawn
    return environment


def _drawn(block: Block) -> Any:
    from markupsafe import Markup

    match block:
        case Sentence():
            return Markup('<p class="{}">{}</p>\n').format(block.tone, block.text)
        case Chart():
            return Markup("<figure><figcaption>{}</figcaption>{}</figure>\n").format(block.title, Markup(_inline_svg(block)))
        case Table():
            return _table(block)


def _inline_svg(chart: Chart) -> str:
    """The picture with its words: one image to a screen reader, and its marks still tell their value under the pointer."""
    from markupsafe import escape

    drawing = charts.svg(chart)
    # Ids are made unique: two pictures on one page would else share their clip paths.
    drawing = re.sub(r'(id="|url\(#|href="#)(clip|gradient)', rf"\1{chart.chart_id}-\2", drawing)
    # Roles of single marks would make a reader hear hundreds of them.
    drawing = re.sub(r' (role|aria-roledescription|aria-hidden)="[^"]*"', "", drawing)
    return drawing.replace("<svg ", f'<svg role="img" aria-label="{escape(chart.shows)}" ', 1)


def _table(table: Table) -> Any:
    from markupsafe import Markup

    position = next((number for number, column in enumerate(table.columns) if column.key == table.filter_by), None)
    filter_by = Markup(' data-filter="{}"').format(position) if position is not None else ""
    note = Markup('<p class="note">{}</p>\n').format(table.note) if table.note else ""
    name = f"table-{table.table_id}"
    box = Markup('<div class="scroll" tabindex="0" role="region" aria-labelledby="{}"{}>\n{}</div>\n{}').format(
        name, filter_by, Markup(_grid(table)), note
    )
    if not table.is_folded:
        return Markup('<h4 id="{}">{}</h4>\n{}').format(name, table.title, box)
    return Markup('<details><summary id="{}">{} ({:,} rows)</summary>\n{}</details>\n').format(name, table.title, len(table.rows), box)


def _grid(table: Table) -> str:
    import pandas
    from great_tables import GT, loc, style

    shown = [{column.key: written(row.get(column.key), column.kind) for column in table.columns} for row in table.rows]
    frame = pandas.DataFrame(shown, columns=[column.key for column in table.columns], dtype="string")
    grid = (
        GT(frame, id=f"grid-{table.table_id}")
        .cols_label({column.key: column.label for column in table.columns})  # type: ignore[arg-type]
        .cols_align("right", columns=[column.key for column in table.columns if is_number(column.kind)])
        .tab_options(quarto_disable_processing=True)
    )
    short = [column.key for column in table.columns if all(len(row[column.key]) <= _SHORT for row in shown)]
    drawn = grid.tab_style(style.css("white-space: nowrap"), loc.body(columns=short)).as_raw_html()
    # The page has one style for all tables; what the library adds for each is left out.
    return re.sub(r"<style>.*?</style>", "", drawn, flags=re.DOTALL)
