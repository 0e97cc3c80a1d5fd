"""The pictures of a pack, as Vega-Lite, drawn without a browser or a network. Colours are told apart by everybody and by a printer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from obc_pipeline.packs.content import Chart

BLUE, RED, GREEN, GREY, AMBER = "#005A9C", "#B5301C", "#00735C", "#5B6770", "#8A5A00"
_WIDTH = 620
_THEME = {
    "font": "Arial, Helvetica, sans-serif",
    "background": "#FFFFFF",
    "view": {"stroke": None},
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelColor": "#24303A", "titleColor": "#24303A", "gridColor": "#E3E8EC", "labelLimit": 420},
    "legend": {"labelFontSize": 12, "titleFontSize": 12, "orient": "top", "labelLimit": 240},
    "header": {"labelFontSize": 12, "titleFontSize": 12},
}  # fmt: skip


def svg(chart: Chart) -> str:
    """The picture as SVG."""
    import vl_convert

    return vl_convert.vegalite_to_svg(dict(chart.spec))


def png(chart: Chart, scale: float = 2.0) -> bytes:
    """The picture as PNG, for paper."""
    import vl_convert

    return vl_convert.vegalite_to_png(dict(chart.spec), scale=scale)


def stacked_bars(
    chart_id: str, title: str, shows: str, rows: Sequence[Mapping[str, Any]], *, category: str, part: str, value: str, axis: str,
    colours: Mapping[str, str],
) -> Chart:  # fmt: skip
    """Horizontal bars, one per category, cut into parts."""
    alt = _altair()
    picture = (
        alt.Chart(_data(rows))
        .mark_bar()
        .encode(
            x=alt.X(f"{value}:Q", title=axis, stack="zero"),
            y=alt.Y(f"{category}:N", title=None, sort=None),
            color=alt.Color(f"{part}:N", title=None, scale=alt.Scale(domain=list(colours), range=list(colours.values()))),
            order=alt.Order("_order:Q"),
            tooltip=[f"{category}:N", f"{part}:N", f"{value}:Q"],
        )
        .properties(width=_WIDTH, height=alt.Step(26))
    )
    return _chart(chart_id, title, shows, picture)


def intervals(
    chart_id: str, title: str, shows: str, rows: Sequence[Mapping[str, Any]], *, category: str, value: str, low: str, high: str, axis: str,
    group: str | None = None, reference: float | None = None, is_percent: bool = True,
) -> Chart:  # fmt: skip
    """A dot with its interval per category; with a line where there would be no difference."""
    alt = _altair()
    data = _data(rows)
    form = ".0%" if is_percent else ".2f"
    y = alt.Y(f"{category}:N", title=None, sort=None)
    colour = {"color": alt.Color(f"{group}:N", title=None, scale=alt.Scale(range=[BLUE, RED, GREEN, AMBER, GREY]))} if group else {}
    offset = {"yOffset": alt.YOffset(f"{group}:N")} if group else {}
    base = alt.Chart(data)
    bars = base.mark_rule(strokeWidth=2, color=BLUE).encode(
        x=alt.X(f"{low}:Q", title=axis, axis=alt.Axis(format=form), scale=alt.Scale(zero=False)), x2=f"{high}:Q", y=y, **offset, **colour
    )
    dots = base.mark_point(filled=True, size=70, color=BLUE).encode(
        x=f"{value}:Q", y=y, tooltip=[f"{category}:N", alt.Tooltip(f"{value}:Q", format=form)], **offset, **colour
    )
    layers = [bars, dots]
    if reference is not None:
        layers.insert(0, alt.Chart(_data([{"at": reference}])).mark_rule(strokeDash=[4, 3], color=GREY).encode(x="at:Q"))
    return _chart(chart_id, title, shows, alt.layer(*layers).properties(width=_WIDTH, height=alt.Step(22)))


def lines(
    chart_id: str, title: str, shows: str, rows: Sequence[Mapping[str, Any]], *, at: str, value: str, series: str, axis: str,
    colours: Mapping[str, str], marks: Sequence[Mapping[str, Any]] = (),
) -> Chart:  # fmt: skip
    """Lines over weeks; `marks` ({at, label}) are events drawn as upright lines."""
    alt = _altair()
    picture = (
        alt.Chart(_data(rows))
        .mark_line(point=alt.OverlayMarkDef(size=25, filled=True))
        .encode(
            x=alt.X(f"{at}:T", title=None, axis=alt.Axis(format="%d %b", tickCount=9, labelOverlap="greedy")),
            y=alt.Y(f"{value}:Q", title=axis, axis=alt.Axis(format=".0%"), scale=alt.Scale(zero=False)),
            color=alt.Color(f"{series}:N", title=None, scale=alt.Scale(domain=list(colours), range=list(colours.values()))),
            strokeDash=alt.StrokeDash(f"{series}:N", title=None, legend=None),
            tooltip=[alt.Tooltip(f"{at}:T", format="%Y-%m-%d"), f"{series}:N", alt.Tooltip(f"{value}:Q", format=".1%")],
        )
    )
    layers = [picture]
    if marks:
        base = alt.Chart(_data(marks))
        layers.append(base.mark_rule(strokeDash=[2, 3], color=AMBER).encode(x="at:T"))
        layers.append(
            base.mark_text(align="left", dx=3, baseline="top", fontSize=11, color=AMBER).encode(x="at:T", y=alt.value(2), text="label:N")
        )
    return _chart(chart_id, title, shows, alt.layer(*layers).properties(width=_WIDTH, height=220))


def control(
    chart_id: str, title: str, shows: str, rows: Sequence[Mapping[str, Any]], *, at: str, value: str, centre: str, low: str, high: str,
    is_out: str, marks: Sequence[Mapping[str, Any]] = (),
) -> Chart:  # fmt: skip
    """A control chart: values by week, their mean, the limits of ordinary variation, and the weeks outside them."""
    alt = _altair()
    data = _data(rows)
    x = alt.X(f"{at}:T", title=None, axis=alt.Axis(format="%d %b", tickCount=9, labelOverlap="greedy"))
    base = alt.Chart(data)
    band = base.mark_area(opacity=0.15, color=GREY).encode(
        x=x, y=alt.Y(f"{low}:Q", title=None, axis=alt.Axis(format=".0%"), scale=alt.Scale(zero=False)), y2=f"{high}:Q"
    )
    mean = base.mark_line(color=GREY, strokeDash=[5, 4]).encode(x=x, y=f"{centre}:Q")
    line = base.mark_line(color=BLUE).encode(x=x, y=f"{value}:Q")
    dots = base.mark_point(filled=True).encode(
        x=x,
        y=f"{value}:Q",
        size=alt.condition(f"datum.{is_out}", alt.value(110), alt.value(28)),
        color=alt.condition(f"datum.{is_out}", alt.value(RED), alt.value(BLUE)),
        shape=alt.condition(f"datum.{is_out}", alt.value("diamond"), alt.value("circle")),
        tooltip=[alt.Tooltip(f"{at}:T", format="%Y-%m-%d"), alt.Tooltip(f"{value}:Q", format=".1%")],
    )
    layers = [band, mean, line, dots]
    if marks:
        notes = alt.Chart(_data(marks))
        layers.append(notes.mark_rule(strokeDash=[2, 3], color=AMBER).encode(x="at:T"))
        layers.append(
            notes.mark_text(align="left", dx=3, baseline="top", fontSize=11, color=AMBER).encode(x="at:T", y=alt.value(2), text="label:N")
        )
    return _chart(chart_id, title, shows, alt.layer(*layers).properties(width=_WIDTH, height=220))


def _chart(chart_id: str, title: str, shows: str, picture: Any) -> Chart:
    return Chart(chart_id, title, shows, picture.configure(**_THEME).to_dict())


@cache
def _altair() -> Any:
    import altair

    altair.data_transformers.disable_max_rows()
    return altair


def _data(rows: Sequence[Mapping[str, Any]]) -> Any:
    """The rows as inline values: decimals as numbers, dates as text Vega reads as days."""
    plain = [{key: _plain(value) for key, value in row.items()} | {"_order": number} for number, row in enumerate(rows)]
    return _altair().Data(values=plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return f"{value.isoformat()}T12:00:00" if hasattr(value, "isoformat") and not hasattr(value, "hour") else value
