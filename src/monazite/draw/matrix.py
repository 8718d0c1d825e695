"""The matrix: rows are steps of chains, columns are states, a cell is a share."""

from __future__ import annotations

from typing import Any

from monazite.core.text import say
from monazite.draw import theme
from monazite.views.view import View

__all__ = ["matrix"]

_LABEL = 212  # width of the column of steps, px
_STAGE = 92
_CELL = 74
_ROW = 25
_HEAD = 34
_CHAIN = 27
_LEGEND = 66
_INSET = 1.5
_NARROWEST = 700.0  # so wide is the key
_KEY = 132.0
_LOOK: dict[str, dict[str, Any]] = {
    "solid": {"fill": theme.BLUES[3]},
    "hatched": {"fill": theme.BLUES[3]},
    "hollow": {"fill": theme.PAPER, "stroke": theme.INK, "strokeWidth": 1.6},
    "unknown": {"fill": theme.PAPER, "stroke": theme.GREY, "strokeWidth": 1.2, "strokeDash": [3, 3]},
}


def matrix(view: View) -> dict[str, Any]:
    """Return the specification of a matrix view (see `views.chokepoint`).

    Solid cells are reported; hatched ones estimated, derived or modelled; hollow ones assumed; a dashed frame
    with "?" has no public figure.
    """
    columns = view.encoding["columns"]
    rows = (
        view.data.select("row", "group_label", "stage_label", "row_label")
        .unique("row")
        .sort("row")
        .to_dicts()
    )
    bare = all(row["stage_label"] == "" for row in rows)
    label = 0 if bare else _STAGE
    left = label + _LABEL
    width = max(left + len(columns) * _CELL + 4, _NARROWEST)
    tops, heads, bottom = _rows(rows)
    cells = [_cell(item, left, tops[item["row"]], len(columns)) for item in view.data.to_dicts()]
    solid = [cell for cell in cells if cell["quality"] in ("solid", "hatched")]
    hatched = [cell for cell in cells if cell["quality"] == "hatched"]
    open_ = [cell for cell in cells if cell["quality"] in ("hollow", "unknown")]
    for cell in open_:
        cell["stroke"] = theme.INK if cell["quality"] == "hollow" else theme.GREY
        cell["dash"] = [1, 0] if cell["quality"] == "hollow" else [3, 3]
        cell["width"] = 1.6 if cell["quality"] == "hollow" else 1.2
    box = {"x": "x", "x2": "x2", "y": "y", "y2": "y2"}
    layers = [
        *_frame(rows, tops, heads, columns, left, label),
        theme.layer(
            {"type": "rect", "stroke": theme.colour("frame"), "strokeWidth": 0.8}, solid, **box, fill="fill"
        ),
        theme.layer(
            {
                "type": "point",
                "shape": theme.hatch(_CELL - 2 * _INSET, _ROW - 2 * _INSET),
                "size": 4,
                "filled": False,
                "strokeWidth": 1.1,
                "opacity": 1,
                "aria": False,
            },
            hatched,
            x="cx",
            y="cy",
            stroke="line",
        ),
        theme.layer(
            {"type": "rect", "aria": False, "cornerRadius": 2},
            hatched,
            x="px",
            x2="px2",
            y="py",
            y2="py2",
            fill="fill",
        ),
        *(
            theme.layer(
                {
                    "type": "rect",
                    "fill": theme.PAPER,
                    "stroke": part[0]["stroke"],
                    "strokeWidth": part[0]["width"],
                    "strokeDash": part[0]["dash"],
                },
                part,
                **box,
            )
            for part in (
                [cell for cell in open_ if cell["quality"] == name] for name in ("hollow", "unknown")
            )
            if part
        ),
        theme.layer(
            {"type": "text", "fontSize": 12.5, "fontWeight": "bold", "baseline": "middle", "aria": False},
            cells,
            x="cx",
            y="cy",
            text="text",
            fill="ink",
        ),
        *_legend(view, bottom),
    ]
    return theme.canvas(view.name, width, bottom + _LEGEND, layers, description=view.sentence)


def _rows(rows: list[dict[str, Any]]) -> tuple[dict[int, float], list[tuple[str, float]], float]:
    """Return the top of each row, the heads of the chains with their tops, and the bottom."""
    tops: dict[int, float] = {}
    heads: list[tuple[str, float]] = []
    y = float(_HEAD)
    for place, row in enumerate(rows):
        if place == 0 or rows[place - 1]["group_label"] != row["group_label"]:
            heads.append((row["group_label"], y))
            y += _CHAIN
        tops[row["row"]] = y
        y += _ROW
    return tops, heads, y


def _cell(item: dict[str, Any], left: float, top: float, count: int) -> dict[str, Any]:
    first = 0 if item["column"] is None else item["column"]
    last = count if item["column"] is None else item["column"] + 1
    x, x2 = left + first * _CELL + _INSET, left + last * _CELL - _INSET
    y, y2 = top + _INSET, top + _ROW - _INSET
    value = item["value"]
    fill = theme.PAPER if value is None or item["quality"] == "hollow" else theme.blue(value)
    plate = 3.6 * len(item["text"]) + 5
    text = item["text"] if item["column"] is not None or value is not None else say("view.no_figure")
    return {
        **{
            key: item[key]
            for key in (
                "row_label",
                "column_label",
                "value",
                "low",
                "high",
                "period",
                "kind",
                "status",
                "quality",
                "cell_id",
            )
        },
        "text": text,
        "x": x,
        "x2": x2,
        "y": y,
        "y2": y2,
        "cx": (x + x2) / 2,
        "cy": (y + y2) / 2,
        "fill": fill,
        "ink": theme.MUTED if value is None else theme.INK if fill == theme.PAPER else theme.text_on(fill),
        "line": theme.hatch_on(fill),
        "px": (x + x2) / 2 - plate,
        "px2": (x + x2) / 2 + plate,
        "py": (y + y2) / 2 - 9,
        "py2": (y + y2) / 2 + 9,
    }


def _frame(
    rows: list[dict[str, Any]],
    tops: dict[int, float],
    heads: list[tuple[str, float]],
    columns: list[dict[str, str]],
    left: float,
    label: float,
) -> list[dict[str, Any]]:
    """Draw what stands around the cells: heads of columns and chains, stages, steps, rules."""
    right = left + len(columns) * _CELL
    text = {"type": "text", "aria": False, "baseline": "middle", "align": "left"}
    rules = [{"x": 0, "x2": right, "y": y + _CHAIN - 3} for _, y in heads]
    thin = [{"x": 0, "x2": right, "y": tops[row["row"]] + _ROW} for row in rows]
    stages = [
        {"x": 0, "y": tops[row["row"]] + _ROW / 2, "text": row["stage_label"]}
        for place, row in enumerate(rows)
        if place == 0
        or (rows[place - 1]["group_label"], rows[place - 1]["stage_label"])
        != (row["group_label"], row["stage_label"])
    ]
    labels = [
        {"x": label, "y": tops[row["row"]] + _ROW / 2 - (len(lines) - 1) * 6.5, "text": lines}
        for row in rows
        for lines in [theme.wrap(row["row_label"], 34)]
    ]
    names = [
        {"x": left + (place + 0.5) * _CELL, "y": _HEAD - 8 - (len(lines) - 1) * 13, "text": lines}
        for place, column in enumerate(columns)
        for lines in [theme.wrap(column["label"], 12)]
    ]
    return [
        theme.layer(
            {"type": "rule", "stroke": theme.LINE, "strokeWidth": 0.7, "aria": False},
            thin,
            x="x",
            x2="x2",
            y="y",
        ),
        theme.layer(
            {"type": "rule", "stroke": theme.INK, "strokeWidth": 1, "aria": False},
            rules,
            x="x",
            x2="x2",
            y="y",
        ),
        theme.layer(
            {**text, "fontWeight": "bold", "fontSize": 13.5},
            [{"x": 0, "y": y + _CHAIN / 2, "text": name} for name, y in heads],
            x="x",
            y="y",
            text="text",
        ),
        theme.layer({**text, "fontSize": 11.5, "color": theme.MUTED}, stages, x="x", y="y", text="text"),
        theme.layer({**text, "fontSize": 12, "lineHeight": 13}, labels, x="x", y="y", text="text"),
        theme.layer(
            {**text, "fontSize": 12, "fontWeight": "bold", "align": "center", "lineHeight": 13},
            names,
            x="x",
            y="y",
            text="text",
        ),
    ]


def _legend(view: View, bottom: float) -> list[dict[str, Any]]:
    """Draw the key: the steps of blue, and those marks of quality that occur."""
    y, wide, high = bottom + 14, 26, 14
    edges = [0.0, *theme.BINS, 1.0]
    shades = [
        {
            "x": _KEY + place * 88,
            "x2": _KEY + place * 88 + wide,
            "y": y,
            "y2": y + high,
            "fill": fill,
            "tx": _KEY + place * 88 + wide + 5,
            "ty": y + high / 2,
            "text": f"{edges[place] * 100:.0f}–{edges[place + 1] * 100:.0f}\N{NO-BREAK SPACE}%",
        }
        for place, fill in enumerate(theme.BLUES)
    ]
    second = y + 24
    marks: dict[str, dict[str, Any]] = {}
    x = 0.0
    present = set(view.data["quality"].to_list())
    for name in ("solid", "hatched", "hollow", "unknown"):
        if name not in present:
            continue
        text = say(f"view.quality_{name}")
        marks[name] = {"x": x, "x2": x + wide, "y": second, "y2": second + high, "cx": x + wide / 2,
                       "cy": second + high / 2, "tx": x + wide + 5, "text": text}  # fmt: skip
        x += wide + 14 + 6.1 * len(text)
    words = {
        "type": "text",
        "aria": False,
        "align": "left",
        "baseline": "middle",
        "fontSize": 11,
        "color": theme.MUTED,
    }
    rect = {"type": "rect", "aria": False}
    box = {"x": "x", "x2": "x2", "y": "y", "y2": "y2"}
    title = [{"x": 0, "y": y + high / 2, "text": view.encoding["share_of"]}]
    made = [
        theme.layer(words, title, x="x", y="y", text="text"),
        theme.layer(
            {**rect, "stroke": theme.colour("frame"), "strokeWidth": 0.8}, shades, **box, fill="fill"
        ),
        theme.layer(words, shades, x="tx", y="ty", text="text"),
        theme.layer(words, marks.values(), x="tx", y="cy", text="text"),
    ]
    for name, row in marks.items():
        made.append(theme.layer({**rect, **_LOOK[name]}, [row], **box))
        if name == "hatched":
            lines = {
                "type": "point",
                "shape": theme.hatch(wide, high),
                "size": 4,
                "filled": False,
                "opacity": 1,
            }
            lines |= {"stroke": theme.hatch_on(theme.BLUES[3]), "strokeWidth": 1.1, "aria": False}
            made.append(theme.layer(lines, [row], x="cx", y="cy"))
        if name == "unknown":
            sign = [{**row, "text": say("view.unknown")}]
            made.append(theme.layer({**words, "align": "center"}, sign, x="cx", y="cy", text="text"))
    return made
