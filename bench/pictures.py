"""The pictures of the measurements: Vega-Lite specifications, drawn as the project's other pictures are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from monazite.draw import theme
from monazite.draw.render import svg

__all__ = ["growth", "solvers", "ticks"]

_WIDE, _ROW, _TALL = 470, 26, 190
_DECADES = 2  # with more of them, powers of ten alone are marked


def solvers(name: str, rows: Sequence[tuple[str, Sequence[float], bool]], description: str) -> str:
    """Draw the seconds a scenario of every solver, one point each and the median as an upright.

    Parameters
    ----------
    name : str
        Stem of the picture's ids.
    rows : sequence of (solver, seconds, ours)
        From the top.
    description : str
        Alt text.
    """
    points = [
        {"solver": solver, "seconds": one, "ours": ours} for solver, seconds, ours in rows for one in seconds
    ]
    order = [solver for solver, _, _ in rows]
    y = {
        "field": "solver",
        "type": "nominal",
        "sort": order,
        "title": None,
        "axis": {
            "domain": False,
            "ticks": False,
            "labelLimit": 220,
            "labelColor": theme.INK,
            "labelFontSize": 12,
        },
    }
    x = {
        "field": "seconds",
        "type": "quantitative",
        "title": "seconds a scenario, one point a scenario; the upright is the median",
        "scale": {"type": "log", "nice": True},
        "axis": {
            "values": ticks([row["seconds"] for row in points]),
            "format": "~g",
            "titleAnchor": "start",
            "grid": True,
            "gridColor": theme.LINE,
        },
    }
    hue = {
        "condition": {"test": "datum.ours", "value": theme.ACCENT},
        "value": theme.HUES[0],
    }
    spec = _spec(name, description) | {
        "width": _WIDE,
        "height": _ROW * len(order),
        "data": {"values": points},
        "layer": [
            {
                "mark": {"type": "point", "filled": True, "size": 36, "opacity": 0.55},
                "encoding": {"x": x, "y": y, "color": hue},
            },
            {
                "mark": {"type": "tick", "thickness": 2.5, "height": 18},
                "encoding": {"x": x | {"aggregate": "median"}, "y": y, "color": {"value": theme.INK}},
            },
        ],
    }
    return svg(spec, prefix=name, title="Seconds a scenario")


def growth(name: str, panels: Sequence[dict[str, Any]], description: str) -> str:
    """Draw how figures grow, one panel each, with the line of what would be linear.

    Parameters
    ----------
    name : str
        Stem of the picture's ids.
    panels : sequence of dict
        ``title``, ``x`` (name of the axis), ``sizes``, and ``lines``: a list of (label, values).
    description : str
        Alt text.
    """
    spec = _spec(name, description) | {"concat": [_panel(panel) for panel in panels], "columns": 2}
    return svg(spec, prefix=name, title="Growth")


def ticks(values: Sequence[float]) -> list[float]:
    """Return round numbers around positive values: powers of ten, and 2 and 5 of each where there is room.

    Examples
    --------
    >>> ticks([0.3, 1.5]), ticks([0.004, 30.0])
    ([0.2, 0.5, 1.0, 2.0], [0.001, 0.01, 0.1, 1.0, 10.0, 100.0])
    """
    first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    if last - first > _DECADES:
        return [float(f"{10.0**power:.6g}") for power in range(first, last + 1)]
    some = [digit * 10.0**power for power in range(first - 1, last + 1) for digit in (1, 2, 5)]
    low = max((tick for tick in some if tick <= min(values)), default=some[0])
    high = min((tick for tick in some if tick >= max(values)), default=some[-1])
    return [float(f"{tick:.6g}") for tick in some if low <= tick <= high]


def _panel(panel: dict[str, Any]) -> dict[str, Any]:
    sizes, lines = panel["sizes"], panel["lines"]
    most = lines[0][1][0] * sizes[-1] / sizes[0]
    marks = ticks([most, *(value for _, values in lines for value in values)])
    scale = {"type": "log", "nice": False, "padding": 12}
    x = {
        "field": "size",
        "type": "quantitative",
        "title": panel["x"],
        "scale": scale,
        "axis": {"values": sizes, "titleAnchor": "start"},
    }
    y = {
        "field": "value",
        "type": "quantitative",
        "title": None,
        "scale": {"type": "log", "nice": False, "domain": [marks[0], marks[-1]]},
        "axis": {"values": marks, "format": "~g", "grid": True, "gridColor": theme.LINE, "domain": False},
    }
    layers: list[dict[str, Any]] = []
    for number, (label, values) in enumerate(lines):
        hue, dash = theme.HUES[number], theme.DASHES[number]
        rows = [{"size": size, "value": value} for size, value in zip(sizes, values, strict=True)]
        line = {"type": "line", "stroke": hue, "strokeWidth": 2.2, "strokeDash": dash}
        spot = {
            "type": "point",
            "filled": True,
            "fill": hue,
            "size": 40,
            "opacity": 1,
            "shape": theme.SHAPES[number],
        }
        text = {"type": "text", "align": "left", "dx": 8, "fontSize": 11.5, "color": theme.HUE_TEXTS[number]}
        layers += [
            {"data": {"values": rows}, "mark": line, "encoding": {"x": x, "y": y}},
            {"data": {"values": rows}, "mark": spot, "encoding": {"x": x, "y": y}},
            {
                "data": {"values": [rows[-1] | {"label": label}]},
                "mark": text,
                "encoding": {"x": x, "y": y, "text": {"field": "label"}},
            },
        ]
    straight = [{"size": sizes[0], "value": lines[0][1][0]}, {"size": sizes[-1], "value": most}]
    rule = {"type": "line", "stroke": theme.GREY, "strokeWidth": 1, "strokeDash": [2, 3]}
    note = {"type": "text", "align": "right", "dx": -4, "dy": 12, "fontSize": 11, "color": theme.MUTED}
    layers += [
        {"data": {"values": straight}, "mark": rule, "encoding": {"x": x, "y": y}},
        {
            "data": {"values": [straight[1] | {"label": "linear"}]},
            "mark": note,
            "encoding": {"x": x, "y": y, "text": {"field": "label"}},
        },
    ]
    return {"width": 250, "height": _TALL, "title": {"text": panel["title"], "offset": 8}, "layer": layers}


def _spec(name: str, description: str) -> dict[str, Any]:
    config = theme.config()
    return {
        "$schema": theme.SCHEMA,
        "name": name,
        "description": description,
        "padding": {"left": 6, "top": 6, "bottom": 6, "right": 60},
        "config": config,
    }
