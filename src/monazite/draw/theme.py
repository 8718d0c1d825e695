"""How everything looks, and the small helpers that all drawings share.

Colours come from `draw.palette`: each hue has at least 3:1 against paper, at most six are used, none carries
meaning alone (a hatch, a dash, a shape or a label says the same), shares
are one sequence of blues whose lightness falls with the share, and shortage has a hue of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from monazite.draw.palette import colour

__all__ = [
    "ACCENT", "BINS", "BLUES", "DASHES", "FAINT", "FONT", "GREY", "HUES", "HUE_TEXTS", "INK", "LINE",
    "MUTED", "PAPER", "SCHEMA", "SHAPES", "blue", "canvas", "colour", "config", "hatch", "hatch_on", "layer",
    "spread", "text_on", "wrap",
]  # fmt: skip

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
FONT = "Helvetica, Arial, sans-serif"

INK = colour("ink")
MUTED = colour("muted")
GREY = colour("grey")
LINE = colour("line")
FAINT = colour("faint")
PAPER = colour("paper")

#: hues of series and places, in the order in which they are given out
HUES: tuple[str, ...] = tuple(colour(f"hue-{number}") for number in range(1, 7))
#: the same, strong enough for words
HUE_TEXTS: tuple[str, ...] = tuple(colour(f"hue-{number}-text") for number in range(1, 7))
#: shortage, and what is unexplained
ACCENT = colour("accent")
#: dash of each series, so that colour never stands alone
DASHES: tuple[list[int], ...] = ([1, 0], [7, 3], [2, 2], [9, 3, 2, 3], [4, 4], [12, 4])
SHAPES: tuple[str, ...] = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")

#: upper ends of the steps of shares, and their blues, light to dark
BINS: tuple[float, ...] = (0.10, 0.25, 0.50, 0.75)
BLUES: tuple[str, ...] = tuple(colour(f"blue-{number}") for number in range(1, 6))
_DARK_FROM = 3


def blue(value: float) -> str:
    """Return the blue of a share 0 to 1.

    Examples
    --------
    >>> blue(0.05), blue(0.25), blue(0.97)
    ('#E3EEF8', '#6BACE6', '#12436C')
    """
    return BLUES[sum(value >= edge for edge in BINS)]


def text_on(fill: str) -> str:
    """Return the colour of text on a blue: white on the dark ones, ink on the light ones.

    Examples
    --------
    >>> text_on(BLUES[4]), text_on(BLUES[0])
    ('#FFFFFE', '#1F2A34')
    """
    return colour("on-deep" if fill in BLUES[_DARK_FROM:] else "on-pale")


def hatch_on(fill: str) -> str:
    """Return the colour of hatching on a blue.

    Examples
    --------
    >>> hatch_on(BLUES[4]), hatch_on(BLUES[0])
    ('#FFFFFD', '#12436B')
    """
    return colour("hatch-deep" if fill in BLUES[_DARK_FROM:] else "hatch-pale")


def config() -> dict[str, Any]:
    """Return the configuration that all specifications carry."""
    return {
        "font": FONT,
        "background": PAPER,
        "view": {"stroke": None},
        "concat": {"spacing": 28},
        "axis": {
            "labelColor": MUTED, "labelFontSize": 11, "titleColor": MUTED, "titleFontSize": 11,
            "titleFontWeight": "normal", "domainColor": GREY, "tickColor": GREY, "grid": False,
            "labelPadding": 4,
        },
        "title": {
            "anchor": "start", "color": INK, "fontSize": 13, "fontWeight": "bold", "subtitleColor": MUTED,
            "subtitleFontSize": 12, "subtitlePadding": 3,
        },
        "text": {"color": INK, "fontSize": 12},
    }  # fmt: skip


def canvas(
    name: str, width: float, height: float, layers: Sequence[Mapping[str, Any]], *, description: str
) -> dict[str, Any]:
    """Return a specification whose coordinates are pixels, y downwards: for layouts computed beforehand.

    Parameters
    ----------
    name
        Name of the specification.
    width, height
        Size, px.
    layers
        As `layer` returns them.
    description
        Alt text.
    """
    axes = {
        axis: {"type": "quantitative", "axis": None,
               "scale": {"domain": [0, size], "range": [0, size], "nice": False, "zero": False}}
        for axis, size in (("x", width), ("y", height))
    }  # fmt: skip
    drawn = []
    for item in layers:
        encoding = {
            channel: axes[channel] | definition if channel in axes else definition
            for channel, definition in item["encoding"].items()
        }
        drawn.append({**item, "encoding": encoding})
    return {
        "$schema": SCHEMA,
        "name": name,
        "description": description,
        "width": width,
        "height": height,
        "padding": 4,
        "autosize": {"type": "none", "contains": "padding"},
        "config": config(),
        "layer": drawn,
    }


def layer(mark: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], **fields: str) -> dict[str, Any]:
    """Return one layer of a `canvas`.

    Parameters
    ----------
    mark
        Mark definition with its constants.
    rows
        One mark a row (for line and area: one point a row, with ``detail``).
    **fields
        Channel to column. ``x, y, x2, y2`` are pixels; colours, opacities and sizes are taken as they stand.
    """
    literal = (
        "fill",
        "stroke",
        "color",
        "opacity",
        "fillOpacity",
        "strokeOpacity",
        "strokeWidth",
        "strokeDash",
        "size",
        "shape",
    )
    encoding: dict[str, Any] = {}
    for channel, column in fields.items():
        if channel in ("x2", "y2") or channel in ("x", "y"):
            encoding[channel] = {"field": column}
        elif channel in literal:
            encoding[channel] = {"field": column, "type": "nominal", "scale": None, "legend": None}
        else:
            encoding[channel] = {"field": column, "type": "nominal"}
    return {"data": {"values": list(rows)}, "mark": dict(mark), "encoding": encoding}


def hatch(width: float, height: float, *, step: float = 5.0) -> str:
    """Return an SVG path of diagonals filling a rectangle about the origin: the shape of a point of size 4.

    Examples
    --------
    >>> hatch(4, 4, step=4)
    'M-2,2L2,-2'
    """
    right, bottom = width / 2, height / 2
    parts: list[str] = []
    offset = -(right + bottom) + step
    while offset < right + bottom - 1e-9:
        first_x = max(-right, offset - bottom)
        last_x = min(right, offset + bottom)
        parts.append(f"M{first_x:g},{offset - first_x:g}L{last_x:g},{offset - last_x:g}")
        offset += step
    return "".join(parts)


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions apart so that neighbours keep a gap, as little as that needs, within bounds.

    Parameters
    ----------
    wanted
        Positions, px, in any order.
    gap
        Least distance of neighbours, px.
    low, high
        Bounds, px; where they leave too little room the gap shrinks.

    Returns
    -------
    list of float
        New positions in the order given.

    Examples
    --------
    >>> spread([10, 12, 50], 10, 0, 100)
    [6.0, 16.0, 50.0]
    """
    count = len(wanted)
    if count < 2:
        return [min(max(float(item), low), high) for item in wanted]
    gap = min(gap, (high - low) / (count - 1))
    order = sorted(range(count), key=lambda index: wanted[index])
    # blocks of touching labels sit where the mean of their wishes is (pool adjacent violators)
    blocks: list[list[float]] = []
    for rank, index in enumerate(order):
        blocks.append([float(wanted[index]) - rank * gap, 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, weight = blocks.pop()
            other, more = blocks.pop()
            blocks.append([(mean * weight + other * more) / (weight + more), weight + more])
    placed = [0.0] * count
    rank = 0
    for mean, weight in blocks:
        for _ in range(int(weight)):
            base = min(max(mean, low), high - (count - 1) * gap)
            placed[order[rank]] = base + rank * gap
            rank += 1
    return placed


def wrap(text: str, width: int, *, lines: int = 2) -> list[str]:
    """Break a label into lines of at most so many characters; what is left over ends in an ellipsis.

    Examples
    --------
    >>> wrap("United States of America", 14)
    ['United States', 'of America']
    >>> wrap("Neodymium-iron-boron", 12, lines=1)
    ['Neodymium-i…']
    """
    words, made = text.split(), [""]
    for word in words:
        longer = f"{made[-1]} {word}".strip()
        if len(longer) <= width or not made[-1]:
            made[-1] = longer
        else:
            made.append(word)
    if len(made) > lines:
        made = [*made[: lines - 1], " ".join(made[lines - 1 :])]
    return [line if len(line) <= width else line[: width - 1].rstrip() + "…" for line in made]
