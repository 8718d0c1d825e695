"""Lines with bands: one panel a measure (and, where there are many, a commodity), months to the right."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import polars as pl

from monazite.core.text import say
from monazite.draw import theme
from monazite.draw.scales import Scale, linear, logarithmic, month_ticks, tick_text
from monazite.views import words
from monazite.views.view import View

__all__ = ["lines"]

_WIDE, _NARROW = 660.0, 384.0
_TALL, _LOW = 230.0, 180.0
_CHARACTER = 6.3  # mean width of a character of a label, px
_TICK = 36.0  # room of a month label, px
_LABEL_GAP = 14.0
_LOG_FROM = 6.0  # ratios above this are drawn on a logarithmic scale
_LIFT = 17.0
_LABELLED = 3  # from so many series on the bands are fainter
_NUMBER = 13.0  # width that the number of a control takes, px
_LINE = 12.0  # height of a line of a name, px
_PAD = 9.0  # left of the first month, px
_SHORT, _LONG = 20.0, 22  # least room right of the lines, px; longest name there, characters


def lines(view: View) -> dict[str, Any]:
    """Return the specification of a timeline view (see `views.timeline`).

    Lines are modelled, with their band from p10 to p90; open points were observed; uprights are controls.
    Each series has its hue, its dash and its name at the end of the line.
    """
    panels = view.encoding["panels"]
    single = len(panels) == 1
    columns = 1 if single else 2
    size = (_WIDE, _TALL) if single else (_NARROW, _LOW)
    named = [name for panel in panels if len(panel["series"]) > 1 for name in panel["series"]]
    longest = max((len(line) for name in named for line in _lines_of(name["series_label"])), default=0)
    room = _CHARACTER * longest + 18 if longest else _SHORT
    drawn = [_panel(view, panel, size, room) for panel in panels]
    return {
        "$schema": theme.SCHEMA,
        "name": view.name,
        "description": view.sentence,
        "padding": 4,
        "config": theme.config(),
        "concat": drawn,
        "columns": columns,
        "title": {
            "text": _key(view),
            "orient": "bottom",
            "anchor": "start",
            "frame": "bounds",
            "fontSize": 11,
            "fontWeight": "normal",
            "color": theme.MUTED,
            "offset": 14,
            "lineHeight": 15,
        },
    }


def _key(view: View) -> list[str]:
    """Say below the picture what the marks mean and what the numbered controls are."""
    seen = bool(view.data["observed"].any())
    banded = any(panel["banded"] for panel in view.encoding["panels"])
    marks = [
        say("view.key_line"),
        say("view.key_band") if banded else "",
        say("view.key_seen") if seen else "",
    ]
    return [
        *(
            say("view.key_control", number=number, period=mark["period"], label=mark["label"])
            for number, mark in enumerate(view.encoding["controls"], start=1)
        ),
        " ".join(mark for mark in marks if mark),
    ]


def _panel(view: View, panel: dict[str, Any], size: tuple[float, float], room: float) -> dict[str, Any]:
    width, height = size
    rows = view.data.filter(pl.col("panel") == panel["panel"])
    controls = view.encoding["controls"]
    first = min([int(rows["month"].min()), *(mark["month"] for mark in controls)])  # type: ignore[arg-type]
    last = max([int(rows["month"].max()), *(mark["month"] for mark in controls)])  # type: ignore[arg-type]
    scale = _scale(rows, panel, height)
    span = max(last - first, 1)
    month = span / (width - room - _PAD)  # months a pixel
    start, end = first - _PAD * month, last + room * month
    ticks = list(
        month_ticks(first, last, most=int((width - room) // _TICK), calendar=view.encoding["calendar"])
    )
    x = {
        "field": "month",
        "type": "quantitative",
        "title": None if view.encoding["calendar"] else say("view.axis_month"),
        "scale": {"domain": [start, end], "nice": False, "zero": False},
        "axis": {
            "values": ticks,
            "labelExpr": _labels(ticks, calendar=view.encoding["calendar"]),
            "titleAnchor": "start",
            "domain": False,
            "tickSize": 4,
        },
    }
    y = {
        "field": "value",
        "type": "quantitative",
        "title": None,
        "scale": {
            "domain": [scale.low, scale.high],
            "nice": False,
            "zero": False,
            "type": "log" if scale.log else "linear",
        },
        "axis": {
            "values": list(scale.ticks),
            "labelExpr": _ticks(scale, panel["format"]),
            "domain": False,
            "ticks": False,
            "minExtent": 46,
            "maxExtent": 46,
        },
    }
    lifts = _lifts(controls, first, span, width - room - _PAD)
    unit = "" if panel["format"] in ("share", "×") else panel["unit"]
    subtitle = [text for text in (panel["subtitle"], unit, say("view.axis_log") if scale.log else "") if text]
    return {
        "width": width,
        "height": height,
        "title": {
            "text": panel["title"],
            "subtitle": " · ".join(subtitle),
            "offset": 8,
        },
        "layer": [
            *_grid(panel, scale, first, last, x, y),
            *_marks(controls, lifts, x),
            *_series(rows, panel, x, y),
            *_names(rows, panel, scale, last, month, x, y),
        ],
    }


def _scale(rows: pl.DataFrame, panel: dict[str, Any], height: float) -> Scale:
    values = [float(v) for name in ("value", "low", "high") for v in rows[name].drop_nulls().to_list()]
    if panel["base"] is not None:
        values.append(panel["base"])
    low, high = min(values, default=0.0), max(values, default=1.0)
    if panel["measure"] == "price_multiple" and low > 0 and high / low > _LOG_FROM:
        return logarithmic(low, high, height)
    if panel["measure"] == "price_multiple":
        return linear(min(low, 1.0), high, height)
    return linear(min(low, 0.0), high, height)


def _labels(ticks: list[int], *, calendar: bool) -> str:
    """Return the expression that names the months; the year stands below the first and below each January."""
    if not calendar:
        return "datum.label"
    names: dict[str, list[str]] = {}
    year = None
    for tick in ticks:
        name = [words.month(tick, short=True)]
        if tick // 12 != year:
            year = tick // 12
            name.append(str(year))
        names[str(tick)] = name
    return f"({json.dumps(names, ensure_ascii=False)})[datum.value]"


def _ticks(scale: Scale, unit: str) -> str:
    texts = {}
    for tick in scale.ticks:
        # as the runtime writes a number: in full where Python has an exponent
        key = format(Decimal(repr(float(tick))), "f").removesuffix(".0")
        texts[key] = tick_text(tick, unit if unit in ("share", "×") else None)
    return f"({json.dumps(texts, ensure_ascii=False)})['' + datum.value]"


def _grid(
    panel: dict[str, Any], scale: Scale, first: int, last: int, x: dict[str, Any], y: dict[str, Any]
) -> list[dict[str, Any]]:
    """Draw the lines of the ticks, the base stronger; a panel of shortage has a ground of its own."""
    base = panel["base"]
    rows = [{"month": first, "until": last, "value": tick, "base": tick == base} for tick in scale.ticks]
    made: list[dict[str, Any]] = []
    if panel["measure"] == "shortage":
        made.append(
            {
                "data": {"values": [{"month": first, "until": last, "value": scale.low, "to": scale.high}]},
                "mark": {"type": "rect", "fill": theme.colour("accent-ground"), "aria": False},
                "encoding": {"x": x, "x2": {"field": "until"}, "y": y, "y2": {"field": "to"}},
            }
        )
    rule = {"type": "rule", "aria": False}
    for strong in (False, True):
        chosen = [row for row in rows if row["base"] == strong]
        if chosen:
            look = (
                {"stroke": theme.MUTED, "strokeWidth": 1.2}
                if strong
                else {"stroke": theme.LINE, "strokeWidth": 0.8}
            )
            made.append(
                {
                    "data": {"values": chosen},
                    "mark": {**rule, **look},
                    "encoding": {"x": x, "x2": {"field": "until"}, "y": y},
                }
            )
    return made


def _lifts(controls: list[dict[str, Any]], first: int, span: int, width: float) -> list[int]:
    """Return for each control the line above the panel on which its number finds room."""
    ends: list[float] = []
    lifts: list[int] = []
    for mark in controls:
        at = (mark["month"] - first) / span * width
        free = next((lift for lift, end in enumerate(ends) if end <= at), len(ends))
        ends[free : free + 1] = [at + _NUMBER + 2]
        lifts.append(free)
    return lifts


def _marks(controls: list[dict[str, Any]], lifts: list[int], x: dict[str, Any]) -> list[dict[str, Any]]:
    """Draw each control as an upright with its number on top; the key says what it is."""
    made: list[dict[str, Any]] = []
    for number, (mark, lift) in enumerate(zip(controls, lifts, strict=True), start=1):
        values = {
            "values": [
                {
                    "month": mark["month"],
                    "text": str(number),
                    "period": mark["period"],
                    "label": mark["label"],
                }
            ]
        }
        top = -9 - _LIFT * lift
        rule = {"type": "rule", "stroke": theme.INK, "strokeDash": [3, 2], "strokeWidth": 1, "aria": False}
        disc = {"type": "point", "filled": True, "fill": theme.INK, "size": 190, "opacity": 1}
        text = {
            "type": "text",
            "baseline": "middle",
            "fontSize": 10.5,
            "fontWeight": "bold",
            "color": theme.PAPER,
            "aria": False,
        }
        encoding = {"x": x, "y": {"value": top}}
        made += [
            {"data": values, "mark": rule, "encoding": {**encoding, "y2": {"value": "height"}}},
            {"data": values, "mark": disc, "encoding": encoding},
            {"data": values, "mark": text, "encoding": {**encoding, "text": {"field": "text"}}},
        ]
    return made


def _series(
    rows: pl.DataFrame, panel: dict[str, Any], x: dict[str, Any], y: dict[str, Any]
) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    carried = ["month", "period_label", "series_label", "value", "low", "high", "unit", "kind", "cell_id"]
    look = {name["series"]: _look(panel, name["hue"]) for name in panel["series"]}
    for seen in (False, True):
        for name in panel["series"]:
            part = rows.filter((pl.col("series") == name["series"]) & (pl.col("observed") == seen))
            if part.is_empty():
                continue
            hue, dash, shape = look[name["series"]]
            values = {"values": part.select(carried).to_dicts()}
            if seen:
                mark = {
                    "type": "point",
                    "shape": shape,
                    "filled": True,
                    "fill": theme.PAPER,
                    "stroke": hue,
                    "strokeWidth": 1.8,
                    "size": 58,
                    "opacity": 1,
                }
                made.append({"data": values, "mark": mark, "encoding": {"x": x, "y": y}})
                continue
            if panel["banded"] and part.drop_nulls(["low", "high"]).height:
                made.append(
                    {
                        "data": values,
                        "mark": {
                            "type": "area",
                            "fill": hue,
                            "opacity": 0.18 if len(panel["series"]) < _LABELLED else 0.13,
                            "aria": False,
                        },
                        "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}},
                    }
                )
            line = {
                "type": "line",
                "stroke": hue,
                "strokeWidth": 2.2,
                "strokeDash": dash,
                "strokeCap": "butt",
            }
            made.append({"data": values, "mark": line, "encoding": {"x": x, "y": y}})
    return made


def _look(panel: dict[str, Any], series: int) -> tuple[str, list[int], str]:
    hues = theme.HUES
    if panel["measure"] == "shortage" and len(panel["series"]) == 1:
        return theme.ACCENT, theme.DASHES[0], theme.SHAPES[0]
    return (
        hues[series % len(hues)],
        theme.DASHES[series % len(theme.DASHES)],
        theme.SHAPES[series % len(theme.SHAPES)],
    )


def _lines_of(label: str) -> list[str]:
    """Break the name of a series into at most two lines."""
    return theme.wrap(label, _LONG)


def _names(
    rows: pl.DataFrame,
    panel: dict[str, Any],
    scale: Scale,
    last: int,
    month: float,
    x: dict[str, Any],
    y: dict[str, Any],
) -> list[dict[str, Any]]:
    """Write each series' name at the end of its line, moved apart where lines end close together."""
    ends: list[dict[str, Any]] = []
    for name in panel["series"]:
        part = rows.filter(pl.col("series") == name["series"]).drop_nulls("value").sort("observed", "month")
        shown = part.filter(~pl.col("observed"))
        part = shown if shown.height else part
        if part.height and len(panel["series"]) > 1:
            final = part.row(part.height - 1, named=True)
            ends.append(
                {
                    "hue": name["hue"],
                    "text": _lines_of(name["series_label"]),
                    "month": final["month"],
                    "value": final["value"],
                }
            )
    if not ends:
        return []
    gap = _LABEL_GAP + _LINE * (max(len(end["text"]) for end in ends) - 1)
    wanted = [min(max(scale.pixel(end["value"]), 4.0), scale.height - 4) for end in ends]
    placed = theme.spread(wanted, gap, 4.0, scale.height - 4)
    made: list[dict[str, Any]] = []
    for end, pixel in zip(ends, placed, strict=True):
        hue, _, shape = _look(panel, end["hue"])
        at = scale.value(pixel)
        path = [
            {"month": end["month"], "value": end["value"]},
            {"month": last + 10 * month, "value": at},
        ]
        made.append(
            {
                "data": {"values": path},
                "mark": {"type": "line", "stroke": hue, "strokeWidth": 0.9, "aria": False},
                "encoding": {"x": x, "y": y},
            }
        )
        made.append(
            {
                "data": {"values": path[:1]},
                "mark": {
                    "type": "point",
                    "shape": shape,
                    "filled": True,
                    "fill": hue,
                    "size": 34,
                    "opacity": 1,
                    "aria": False,
                },
                "encoding": {"x": x, "y": y},
            }
        )
        made.append(
            {
                "data": {"values": [{"month": last + 13 * month, "value": at, "text": end["text"]}]},
                "mark": {
                    "type": "text",
                    "align": "left",
                    "baseline": "middle",
                    "dy": -_LINE / 2 * (len(end["text"]) - 1),
                    "fontSize": 11.5,
                    "lineHeight": _LINE,
                    "color": theme.HUE_TEXTS[theme.HUES.index(hue)]
                    if hue in theme.HUES
                    else theme.colour("accent-text"),
                    "fontWeight": "bold",
                    "aria": False,
                },
                "encoding": {"x": x, "y": y, "text": {"field": "text"}},
            }
        )
    return made
