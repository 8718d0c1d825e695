"""Tornado: bars from one end to the other about the median, the widest on top, each end told beside it."""

from __future__ import annotations

from typing import Any

from monazite.core.text import say
from monazite.draw import theme
from monazite.draw.scales import linear, tick_text
from monazite.views.view import View

__all__ = ["tornado"]

_LABEL, _PLOT, _EDGE = 236.0, 556.0, 8.0
_ROW, _BAR, _HEAD, _APART = 34.0, 16.0, 8.0, 10.0
_FOOT = 32.0
_WIDE = 40  # characters of a line of a label
_ROOM = 62.0  # kept free at both ends of the plot for the words beside a bar, px
_KEY, _LETTER = 5.6, 7.0  # width of a letter of the key, and of a bold one beside a bar, px

Item = dict[str, Any]


def tornado(view: View) -> dict[str, Any]:
    """Return the specification of a tornado (see `views.tornado`).

    The dark part of a bar reaches to where the cause is in its highest fifth, the pale one, with its edge, to
    where it is in its lowest; the bar of all causes at once and that of the others are plain.
    """
    rows = view.data.to_dicts()
    unit = view.encoding["format"]
    known = [row[name] for row in rows for name in ("value", "low", "high")
             if row[name] is not None and (name != "value" or row["item"] == "all")]  # fmt: skip
    scale = linear(min(known, default=0.0), max(known, default=1.0), _PLOT - 2 * _ROOM)

    def at(value: float) -> float:
        return _LABEL + _ROOM + scale.height - scale.pixel(value)

    median = rows[0]["value"]
    drawn = [_bar(row, at, median) for row in rows]
    bottom = drawn[-1]["cy"] + _ROW / 2
    layers = [*_axis(scale.ticks, at, unit, bottom)]
    if median is not None:
        line = [{"x": at(median), "y": _HEAD, "y2": bottom}]
        look = {"type": "rule", "stroke": theme.INK, "strokeWidth": 1.2, "aria": False}
        layers.append(theme.layer(look, line, x="x", y="y", y2="y2"))
    layers += _bars(drawn)
    layers += _words(drawn)
    layers += _key(bottom + _FOOT + 4, rows[0]["text"] if median is not None else None)
    height = bottom + _FOOT + 16
    return theme.canvas(view.name, _LABEL + _PLOT + _EDGE, height, layers, description=view.sentence)


def _bar(row: Item, at: Any, median: float | None) -> Item:
    """Place one bar: its ends, where it turns from pale to dark, its words."""
    middle = _HEAD + (row["row"] + 0.5) * _ROW + (_APART if row["row"] else 0.0)
    two = bool(row["detail"])
    kept = ("item", "label", "detail", "value", "low", "high", "unit", "kind", "quality", "cell_id", "text")
    item = {key: row[key] for key in kept} | {
        "cy": middle,
        "y": middle - _BAR / 2,
        "y2": middle + _BAR / 2,
        "lx": _LABEL - 10,
        "ly": middle - 6.5 if two else middle,
        "dy": middle + 7,
        "name": theme.wrap(row["label"], _WIDE, lines=1)[0],
        "more": theme.wrap(row["detail"] or "", _WIDE, lines=1)[0],
        "quiet": row["low"] is None or row["high"] is None,
    }
    if item["quiet"]:
        return item | {"tx": at(median) + 8 if median is not None else _LABEL + _ROOM}
    item |= {"x": at(row["low"]), "x2": at(row["high"])}
    item |= {"low_text": row["low_text"], "high_text": row["high_text"]}
    item |= {"before": item["x"] - 6, "after": item["x2"] + 6}
    if median is not None:  # words beside a bar do not stand on the line of the median
        line = at(median)
        if item["before"] - _LETTER * len(row["low_text"]) < line < item["x"]:
            item["before"] = line - 6
        if item["x2"] < line < item["after"] + _LETTER * len(row["high_text"]):
            item["after"] = line + 6
    if row["low_text"] == row["high_text"]:
        item["low_text"] = ""
    if row["item"] == "cause" and row["at_low"] is not None and row["at_high"] is not None:
        turn = min(max(median if median is not None else row["at_low"], row["low"]), row["high"])
        item["turn"] = at(turn)
        item["pale"], item["dark"] = at(row["at_low"]), at(row["at_high"])
    return item


def _axis(ticks: tuple[float, ...], at: Any, unit: str | None, bottom: float) -> list[Item]:
    marks = [
        {"x": at(tick), "y": _HEAD, "y2": bottom, "text": tick_text(tick, unit), "ty": bottom + 12}
        for tick in ticks
    ]
    rule = {"type": "rule", "stroke": theme.LINE, "strokeWidth": 0.8, "aria": False}
    text = {
        "type": "text", "aria": False, "baseline": "middle", "fontSize": 11, "color": theme.MUTED,
    }  # fmt: skip
    return [
        theme.layer(rule, marks, x="x", y="y", y2="y2"),
        theme.layer(text, marks, x="x", y="ty", text="text"),
    ]


def _bars(drawn: list[Item]) -> list[Item]:
    """Draw the bars; of a cause the pale part first, so that the dark one is whole."""
    box = {"x": "x", "x2": "x2", "y": "y", "y2": "y2"}
    edge = {"type": "rect", "stroke": theme.BLUES[4], "strokeWidth": 1.2}
    layers = []
    for name, fill in (("pale", theme.BLUES[1]), ("dark", theme.BLUES[4])):
        parts = [
            item | {"x": min(item[name], item["turn"]), "x2": max(item[name], item["turn"])}
            for item in drawn
            if "turn" in item and abs(item[name] - item["turn"]) > 0.05
        ]
        if parts:
            layers.append(theme.layer({**edge, "fill": fill}, parts, **box))
    point = [
        item for item in drawn if "turn" in item and item["pale"] == item["dark"]
    ]  # it moves nothing: a line where the median stands
    if point:
        layers.append(theme.layer(edge, point, **box))
    plain = [item for item in drawn if item["item"] != "cause" and not item["quiet"]]
    thin = [item | {"y": item["cy"] - _BAR / 4, "y2": item["cy"] + _BAR / 4} for item in plain]
    if thin:
        look = {"type": "rect", "fill": theme.GREY, "stroke": theme.GREY, "strokeWidth": 1}
        layers.append(theme.layer(look, thin, **box))
    return layers


def _words(drawn: list[Item]) -> list[Item]:
    """Write the names at the left and each end beside the bar."""
    text = {"type": "text", "aria": False, "baseline": "middle", "fontSize": 12}
    right, left = {**text, "align": "right"}, {**text, "align": "left"}
    small = {"fontSize": 11, "color": theme.MUTED}
    layers = [
        theme.layer(right, drawn, x="lx", y="ly", text="name"),
        theme.layer({**right, **small}, drawn, x="lx", y="dy", text="more"),
    ]
    told = [item for item in drawn if not item["quiet"]]
    if told:
        bold = {"fontWeight": "bold"}
        layers.append(theme.layer({**left, **bold}, told, x="after", y="cy", text="high_text"))
        first = [item for item in told if item["low_text"]]
        if first:
            layers.append(theme.layer({**right, **bold}, first, x="before", y="cy", text="low_text"))
    silent = [item for item in drawn if item["quiet"]]
    if silent:
        layers.append(theme.layer({**left, "color": theme.MUTED}, silent, x="tx", y="cy", text="text"))
    return layers


def _key(y: float, median: str | None) -> list[Item]:
    """Say what pale and dark mean, and where the median stands."""
    swatches, texts, x = [], [], 0.0
    for name, fill in (("low", theme.BLUES[1]), ("high", theme.BLUES[4])):
        said = say(f"view.tornado_key_{name}")
        swatches.append({"x": x, "x2": x + 14, "y": y - 5, "y2": y + 5, "fill": fill})
        texts.append({"x": x + 20, "y": y, "text": said})
        x += 20 + _KEY * len(said) + 16
    if median is not None:
        texts.append({"x": x, "y": y, "text": say("view.tornado_key_median", value=median)})
    box = {"x": "x", "x2": "x2", "y": "y", "y2": "y2"}
    look = {"type": "rect", "stroke": theme.BLUES[4], "strokeWidth": 1.2, "aria": False}
    text = {"type": "text", "aria": False, "align": "left", "baseline": "middle", "fontSize": 11,
            "color": theme.MUTED}  # fmt: skip
    return [
        theme.layer(look, swatches, fill="fill", **box),
        theme.layer(text, texts, x="x", y="y", text="text"),
    ]
