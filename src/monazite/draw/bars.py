"""Bars: one a row, the range as a thin line, the figure in words beside it."""

from __future__ import annotations

from typing import Any

from monazite.core.text import say
from monazite.draw import theme
from monazite.draw.scales import linear, tick_text
from monazite.views.view import View

__all__ = ["bars"]

_LABEL, _PLOT, _TEXT = 292.0, 330.0, 178.0
_ROW, _BAR, _HEAD = 32.0, 16.0, 8.0
_FOOT = 30.0
_WIDE = 48  # characters of a line of a label


def bars(view: View) -> dict[str, Any]:
    """Return the specification of a view with one value a row (see `views.ranking`).

    Solid bars are reported; hatched ones estimated, derived or modelled; hollow ones assumed; a row without a
    public figure has no bar and says so.
    """
    rows = view.data.to_dicts()
    ends = [row[name] for row in rows for name in ("value", "low", "high") if row[name] is not None]
    scale = linear(min(0.0, *ends) if ends else 0.0, max(0.0, *ends) if ends else 1.0, _PLOT)
    if view.encoding["format"] == "share" and scale.high > 1 >= max(ends, default=0):
        scale = linear(scale.low, 1.0, _PLOT)

    def at(value: float) -> float:
        return _LABEL + _PLOT - scale.pixel(value)

    drawn: list[dict[str, Any]] = []
    for row in rows:
        middle = _HEAD + (row["row"] + 0.5) * _ROW
        item = {
            key: row[key]
            for key in (
                "label",
                "detail",
                "value",
                "low",
                "high",
                "unit",
                "kind",
                "quality",
                "cell_id",
                "text",
            )
        }
        two = bool(row["detail"])
        item |= {
            "lx": _LABEL - 10,
            "cy": middle,
            "ly": middle - 6.5 if two else middle,
            "dy": middle + 7,
            "y": middle - _BAR / 2,
            "y2": middle + _BAR / 2,
            "name": theme.wrap(row["label"], _WIDE, lines=1)[0],
            "more": theme.wrap(row["detail"], _WIDE, lines=1)[0],
        }
        known = row["quality"] != "unknown"
        item["x"], item["x2"] = at(0.0), at(row["value"]) if known else at(0.0)
        ends_at = [item["x2"]]
        if row["low"] is not None and row["high"] is not None:
            item["from"], item["to"] = at(row["low"]), at(row["high"])
            ends_at.append(item["to"])
        item["tx"] = max(ends_at) + 8
        item["ink"] = theme.INK if known else theme.MUTED
        drawn.append(item)
    bottom = _HEAD + len(rows) * _ROW
    ticks = [
        {
            "x": at(tick),
            "y": _HEAD,
            "y2": bottom,
            "text": tick_text(tick, view.encoding["format"]),
            "ty": bottom + 12,
        }
        for tick in scale.ticks
    ]
    box = {"x": "x", "x2": "x2", "y": "y", "y2": "y2"}
    text = {"type": "text", "aria": False, "baseline": "middle", "fontSize": 12}
    layers = [
        theme.layer(
            {"type": "rule", "stroke": theme.LINE, "strokeWidth": 0.8, "aria": False},
            ticks,
            x="x",
            y="y",
            y2="y2",
        ),
        theme.layer({**text, "fontSize": 11, "color": theme.MUTED}, ticks, x="x", y="ty", text="text"),
    ]
    for name in ("solid", "hatched", "hollow"):
        part = [item for item in drawn if item["quality"] == name]
        if not part:
            continue
        look: dict[str, Any] = {
            "type": "rect",
            "fill": theme.BLUES[3],
            "stroke": theme.BLUES[3],
            "strokeWidth": 1,
        }
        if name == "hollow":
            look |= {"fill": theme.PAPER, "stroke": theme.INK, "strokeWidth": 1.4}
        layers.append(theme.layer(look, part, **box))
        if name == "hatched":
            lines = [
                {
                    "x": x,
                    "x2": min(x + 7, item["x2"]),
                    "y": item["y2"],
                    "y2": item["y2"] - _BAR * min(1.0, (item["x2"] - x) / 7),
                }
                for item in part
                for x in (
                    item["x"] + 6.0 * place for place in range(max(int((item["x2"] - item["x"]) / 6.0), 0))
                )
            ]
            layers.append(
                theme.layer(
                    {
                        "type": "rule",
                        "stroke": theme.hatch_on(theme.BLUES[3]),
                        "strokeWidth": 1,
                        "aria": False,
                    },
                    lines,
                    **box,
                )
            )
    ranged = [item for item in drawn if "from" in item]
    if ranged:
        whisker = {"type": "rule", "stroke": theme.INK, "strokeWidth": 1.3, "aria": False}
        layers.append(theme.layer(whisker, ranged, x="from", x2="to", y="cy"))
        tips = [
            {"x": item[end], "y": item["cy"] - 4, "y2": item["cy"] + 4}
            for item in ranged
            for end in ("from", "to")
        ]
        layers.append(theme.layer(whisker, tips, x="x", y="y", y2="y2"))
    right = {**text, "align": "right"}
    small = {**right, "fontSize": 11, "color": theme.MUTED}
    layers.append(theme.layer(right, drawn, x="lx", y="ly", text="name"))
    layers.append(theme.layer(small, drawn, x="lx", y="dy", text="more"))
    layers.append(
        theme.layer(
            {**text, "align": "left", "fontWeight": "bold"}, drawn, x="tx", y="cy", text="text", fill="ink"
        )
    )
    key = [{"x": 0, "y": bottom + _FOOT, "text": _key(drawn)}]
    layers.append(
        theme.layer(
            {**text, "align": "left", "fontSize": 11, "color": theme.MUTED}, key, x="x", y="y", text="text"
        )
    )
    width = _LABEL + _PLOT + _TEXT
    return theme.canvas(view.name, width, bottom + _FOOT + 12, layers, description=view.sentence)


def _key(drawn: list[dict[str, Any]]) -> str:
    """Say what the marks mean that occur."""
    present = [
        name for name in ("solid", "hatched", "hollow") if any(row["quality"] == name for row in drawn)
    ]
    parts = [say(f"view.bar_{name}") for name in present]
    return " ".join([*parts, say("view.bar_range")] if any("from" in row for row in drawn) else parts)
