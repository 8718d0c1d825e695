"""The map of what is known: rows are chains, blocks of columns are stages, a small cell is a year."""

from __future__ import annotations

from typing import Any

from monazite.core.text import say
from monazite.draw import theme
from monazite.views.view import View

__all__ = ["coverage"]

_LABEL = 132.0  # width of the column of chains, px
_CELL, _HIGH = 23.0, 17.0
_ROW = 23.0
_APART = 12.0  # between the blocks of two stages
_HEAD = 44.0
_FAMILY = 28.0
_LEGEND = 46.0
_NARROWEST = 700.0
_DOT = 1.25
_MARKS = ("solid", "hatched", "dotted", "cross", "hollow")

Item = dict[str, Any]


def coverage(view: View) -> Item:
    """Return the specification of a map of what is known (see `views.coverage`).

    Solid cells are reported; hatched ones estimated or derived; dotted ones assumed or modelled; a cross is
    withheld; a hollow cell with a broken frame has no figure.
    """
    stages, years = view.encoding["stages"], view.encoding["years"]
    block = len(years) * _CELL + _APART
    width = max(_LABEL + len(stages) * block, _NARROWEST)
    rows = view.data.select("row", "group_label", "chain_label").unique("row").sort("row").to_dicts()
    tops, heads, bottom = _rows(rows)
    cells = [_cell(item, tops[item["row"]], block) for item in view.data.to_dicts()]
    right = _LABEL + len(stages) * block - _APART
    layers = [*_frame(rows, tops, heads, right), *_heads(stages, years, block)]
    for name in _MARKS:
        part = [cell for cell in cells if cell["quality"] == name]
        if part:
            layers += _drawn(name, part, _CELL - 2, _HIGH)
    present = [name for name in _MARKS if any(cell["quality"] == name for cell in cells)]
    layers += _legend(present, bottom)
    return theme.canvas(view.name, width, bottom + _LEGEND, layers, description=view.sentence)


def _rows(rows: list[Item]) -> tuple[dict[int, float], list[tuple[str, float]], float]:
    """Return the top of each row, the heads of the families with their tops, and the bottom."""
    tops: dict[int, float] = {}
    heads: list[tuple[str, float]] = []
    y = _HEAD
    for place, row in enumerate(rows):
        if place == 0 or rows[place - 1]["group_label"] != row["group_label"]:
            heads.append((row["group_label"], y))
            y += _FAMILY
        tops[row["row"]] = y
        y += _ROW
    return tops, heads, y


def _cell(item: Item, top: float, block: float) -> Item:
    x = _LABEL + item["block"] * block + item["column"] * _CELL + 1
    y = top + (_ROW - _HIGH) / 2
    kept = ("chain_label", "stage_label", "period", "known", "value", "facts", "text", "quality", "cell_id")
    return {
        **{name: item[name] for name in kept},
        "x": x,
        "x2": x + _CELL - 2,
        "y": y,
        "y2": y + _HIGH,
        "cx": x + (_CELL - 2) / 2,
        "cy": y + _HIGH / 2,
    }


def _drawn(name: str, cells: list[Item], width: float, height: float) -> list[Item]:
    """Draw cells of one mark: their box, and what stands in it."""
    box = {"x": "x", "x2": "x2", "y": "y", "y2": "y2"}
    look: Item = {"type": "rect", "strokeWidth": 1, "stroke": theme.BLUES[3], "fill": theme.PAPER}
    if name == "solid":
        look["fill"] = theme.BLUES[3]
    elif name == "hollow":
        look |= {"stroke": theme.GREY, "strokeDash": [3, 3]}
    elif name == "cross":
        look["stroke"] = theme.INK
    made = [theme.layer(look, cells, **box)]
    if name not in ("hatched", "dotted", "cross"):
        return made
    sign: Item = {"type": "point", "size": 4, "opacity": 1, "aria": False}
    if name == "hatched":
        sign |= {"shape": theme.hatch(width, height), "filled": False, "stroke": theme.BLUES[3]}
        sign["strokeWidth"] = 1.3
    elif name == "dotted":
        sign |= {"shape": _dots(width, height), "filled": True, "fill": theme.BLUES[3], "strokeWidth": 0}
    else:
        sign |= {"shape": _cross(width, height), "filled": False, "stroke": theme.INK, "strokeWidth": 1.2}
    return [*made, theme.layer(sign, cells, x="cx", y="cy")]


def _dots(width: float, height: float, *, step: float = 5.0) -> str:
    """Return an SVG path of dots filling a rectangle about the origin.

    Examples
    --------
    >>> _dots(6, 6).count("M")
    1
    """
    across, down = int((width - 2) // step), int((height - 2) // step)
    first, top = -(across - 1) * step / 2, -(down - 1) * step / 2
    dots = [(first + i * step, top + k * step) for k in range(max(down, 1)) for i in range(max(across, 1))]
    arc = f"a{_DOT:g},{_DOT:g} 0 1,0 {2 * _DOT:g},0a{_DOT:g},{_DOT:g} 0 1,0 {-2 * _DOT:g},0Z"
    return "".join(f"M{x - _DOT:g},{y:g}{arc}" for x, y in dots)


def _cross(width: float, height: float) -> str:
    x, y = width / 2, height / 2
    return f"M{-x:g},{-y:g}L{x:g},{y:g}M{-x:g},{y:g}L{x:g},{-y:g}"


def _frame(
    rows: list[Item], tops: dict[int, float], heads: list[tuple[str, float]], right: float
) -> list[Item]:
    """Draw heads of families, chains, and the rules between them."""
    text = {"type": "text", "aria": False, "baseline": "middle", "align": "left"}
    rules = [{"x": 0, "x2": right, "y": y + _FAMILY - 3} for _, y in heads]
    thin = [{"x": 0, "x2": right, "y": tops[row["row"]] + _ROW} for row in rows]
    names = [{"x": 0, "y": y + _FAMILY / 2, "text": name} for name, y in heads]
    chains = [
        {"x": 10, "y": tops[row["row"]] + _ROW / 2, "text": theme.wrap(row["chain_label"], 20, lines=1)[0]}
        for row in rows
    ]
    line = {"type": "rule", "aria": False}
    ends = {"x": "x", "x2": "x2", "y": "y"}
    return [
        theme.layer({**line, "stroke": theme.LINE, "strokeWidth": 0.7}, thin, **ends),
        theme.layer({**line, "stroke": theme.INK, "strokeWidth": 1}, rules, **ends),
        theme.layer({**text, "fontWeight": "bold", "fontSize": 13}, names, x="x", y="y", text="text"),
        theme.layer({**text, "fontSize": 12}, chains, x="x", y="y", text="text"),
    ]


def _heads(stages: list[dict[str, str]], years: list[str], block: float) -> list[Item]:
    """Write the stages and, below each, its years."""
    text = {"type": "text", "aria": False, "baseline": "middle"}
    names = [
        {"x": _LABEL + place * block, "y": 10.0, "text": stage["label"]} for place, stage in enumerate(stages)
    ]
    short = [
        {"x": _LABEL + place * block + (column + 0.5) * _CELL, "y": 28.0, "text": _year(year, len(years))}
        for place in range(len(stages))
        for column, year in enumerate(years)
    ]
    bold = {**text, "align": "left", "fontWeight": "bold", "fontSize": 12.5}
    small = {**text, "align": "center", "fontSize": 10.5, "color": theme.MUTED}
    return [
        theme.layer(bold, names, x="x", y="y", text="text"),
        theme.layer(small, short, x="x", y="y", text="text"),
    ]


def _year(year: str, count: int) -> str:
    return year if count == 1 else f"\N{RIGHT SINGLE QUOTATION MARK}{year[2:]}"


def _legend(present: list[str], bottom: float) -> list[Item]:
    """Draw the key of the marks that occur."""
    y, wide = bottom + 16, 21.0
    made: list[Item] = []
    x = 0.0
    words = {"type": "text", "aria": False, "align": "left", "baseline": "middle", "fontSize": 11.5,
             "color": theme.MUTED}  # fmt: skip
    told = []
    for name in present:
        text = say(f"view.coverage_key_{name}")
        row = {"x": x, "x2": x + wide, "y": y, "y2": y + _HIGH, "cx": x + wide / 2, "cy": y + _HIGH / 2}
        drawn = _drawn(name, [row], wide, _HIGH)
        drawn[0]["mark"]["aria"] = False
        made += drawn
        told.append({"x": x + wide + 6, "y": y + _HIGH / 2, "text": text})
        x += wide + 24 + 6.4 * len(text)
    return [*made, theme.layer(words, told, x="x", y="y", text="text")]
