"""The Sankey: a layout computed here, drawn as ribbons with smooth edges."""

from __future__ import annotations

from typing import Any

from monazite.core.text import say
from monazite.draw import theme
from monazite.draw.layout import HEAD, HEIGHT, NODE, WIDTH, layout
from monazite.views.chokepoint import OTHERS
from monazite.views.numbers import number, percent
from monazite.views.view import View

__all__ = ["sankey"]

_LEGEND = 44.0
_LEAST = 0.35  # the thinnest ribbon that is still seen, px
_EDGED = 3.0  # from this thickness on broken edges can be seen
_DASH = {"hatched": [5, 3], "hollow": [1.2, 2.4]}
_THOUSAND = 20_000.0
_PLACES = 5
_SOFT = {
    "loss": theme.colour("loss"),
    "stock": theme.colour("stock"),
    "recycle": theme.colour("scrap"),
    "unexplained": theme.ACCENT,
}


def sankey(view: View) -> dict[str, Any]:
    """Return the specification of a Sankey view (see `views.sankey`).

    A ribbon has the hue of the place it comes from; dashed edges mean that it is no reported figure, a pale
    ribbon with dotted edges that it is assumed. What is lost, kept or unexplained ends in a hatched node.
    """
    nodes, links = layout(view)
    hues = {item["place"]: theme.HUES[place] for place, item in enumerate(view.encoding["places"][:_PLACES])}
    for link in links:
        role = link["role"]
        link["fill"] = hues.get(link["place"], theme.GREY) if role == "flow" else _SOFT[role]
        pale = link["quality"] == "hollow"
        thin = link["thick"] < _EDGED
        link["fade"] = (0.2 if pale else 0.42) + (0.16 if role != "flow" or thin else 0.0)
    for node in nodes:
        role = node["role"]
        node["fill"] = hues.get(node["place"], theme.GREY) if role == "flow" else _SOFT[role]
    layers = [
        *_ribbons(links),
        *_nodes(nodes),
        *_labels(view, nodes),
        *_legend(view, nodes, links),
    ]
    height = HEAD + HEIGHT + _LEGEND
    return theme.canvas(view.name, WIDTH, height, layers, description=view.sentence)


def _edge(points: list[tuple[float, float]]) -> str:
    """Return the path along some points: smooth from column to column, straight along a lane."""
    (x, y), parts = points[0], []
    for column, (x2, y2) in enumerate(points[1:]):
        third = (x2 - x) / 3
        curve = f"C{x + third:.1f},{y:.1f},{x2 - third:.1f},{y2:.1f},{x2:.1f},{y2:.1f}"
        parts.append(f"L{x2:.1f},{y2:.1f}" if column % 2 or y == y2 else curve)
        x, y = x2, y2
    return "".join(parts)


def _ribbons(links: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Draw the ribbons, large ones first, and the broken edges of what is not reported and thick enough."""
    ribbons: list[dict[str, Any]] = []
    edges: dict[str, list[dict[str, Any]]] = {"hatched": [], "hollow": []}
    for link in sorted(links, key=lambda item: -item["thick"]):
        thick = max(link["thick"], _LEAST)
        (left, top), *_ = link["path"]
        upper = [(x - left, y - top) for x, y in link["path"]]
        lower = [(x, y + thick) for x, y in upper]
        back = lower[::-1]
        told = {key: link[key] for key in ("value", "unit", "kind", "role", "cell_id", "fill", "fade")}
        shape = f"M0,0{_edge(upper)}L{back[0][0]:.1f},{back[0][1]:.1f}{_edge(back)}Z"
        ribbons.append({**told, "x": left, "y": top, "shape": shape})
        if link["quality"] in edges and thick > _EDGED:
            edges[link["quality"]] += [
                {"x": left, "y": top, "fill": link["fill"], "shape": f"M0,{side[0][1]:.1f}{_edge(side)}"}
                for side in (upper, lower)
            ]
    ribbon = {"type": "point", "filled": True, "size": 4, "strokeWidth": 0, "opacity": 1}
    edge = {"type": "point", "filled": False, "size": 4, "strokeWidth": 0.9, "opacity": 1, "aria": False}
    made = [theme.layer(ribbon, ribbons, x="x", y="y", fill="fill", fillOpacity="fade", shape="shape")]
    for quality, rows in edges.items():
        if rows:
            dashed = {**edge, "strokeDash": _DASH[quality]}
            made.append(theme.layer(dashed, rows, x="x", y="y", shape="shape", stroke="fill"))
    return made


def _nodes(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    box = {"x": "x", "x2": "x2", "y": "y", "y2": "y2"}
    kept = ("node", "stage", "label", "value", "unit", "x", "x2", "y", "y2", "fill")
    real = [{key: node[key] for key in kept} for node in nodes if node["role"] == "flow"]
    ends = [{key: node[key] for key in kept} for node in nodes if node["role"] != "flow"]
    made = [theme.layer({"type": "rect", "aria": False}, real, **box, fill="fill")]
    if ends:
        made.append(
            theme.layer(
                {"type": "rect", "fill": theme.PAPER, "strokeWidth": 1.2, "aria": False},
                ends,
                **box,
                stroke="fill",
            )
        )
        lines = [
            {
                "x": node["x"],
                "x2": node["x2"],
                "y": min(y + 4, node["y2"]),
                "y2": max(y, node["y"]),
                "fill": node["fill"],
            }
            for node in ends
            for y in _steps(node["y"], node["y2"], 5.0)
        ]
        made.append(
            theme.layer({"type": "rule", "strokeWidth": 1.2, "aria": False}, lines, **box, stroke="fill")
        )
    return made


def _steps(low: float, high: float, step: float) -> list[float]:
    return [low + step * place for place in range(int((high - low) / step) + 1)]


def _unit(view: View, nodes: list[dict[str, Any]]) -> tuple[bool, str]:
    """Return whether tonnes are shown in thousands, and the unit that is then shown."""
    unit = str(view.encoding["unit"])
    large = max(node["value"] for node in nodes) >= _THOUSAND and unit in ("t", "t/yr", "t/month")
    return large, f"k{unit}" if large else unit


def _amount(value: float, large: bool) -> str:
    return number(value / 1000 if large else value, digits=3 if value >= 1000 or not large else 2)


def _labels(view: View, nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write the stages above, and each node's place, tonnes and share where they hit nothing."""
    large, shown = _unit(view, nodes)
    stages = view.encoding["stages"]
    heads: list[dict[str, Any]] = []
    texts: dict[str, list[dict[str, Any]]] = {"left": [], "right": []}
    for place, stage in enumerate(stages):
        column = [node for node in nodes if node["stage"] == stage["stage"]]
        total = sum(node["value"] for node in column if node["role"] == "flow")
        middle = column[0]["x"] + NODE / 2 if column else 0.0
        heads.append(
            {"x": middle, "y": 12, "text": stage["label"], "more": f"{_amount(total, large)} {shown}"}
        )
        side = "right" if place == 0 else "left"  # the side of the text's own edge
        wanted = [(node["y"] + node["y2"]) / 2 for node in column]
        for node, y in zip(column, theme.spread(wanted, 13.0, HEAD, HEAD + HEIGHT), strict=True):
            x = node["x"] - 6 if side == "right" else node["x2"] + 6
            share = (
                f" · {percent(node['share'])}" if node["role"] == "flow" and node["share"] is not None else ""
            )
            texts[side].append(
                {
                    "x": x,
                    "y": y,
                    "text": f"{node['label']}\N{EN SPACE}{_amount(node['value'], large)}{share}",
                    "ink": theme.INK if node["place"] != OTHERS else theme.MUTED,
                }
            )
    text = {"type": "text", "aria": False, "baseline": "middle"}
    made = [
        theme.layer({**text, "fontSize": 13, "fontWeight": "bold"}, heads, x="x", y="y", text="text"),
        theme.layer(
            {**text, "fontSize": 11.5, "color": theme.MUTED, "dy": 16}, heads, x="x", y="y", text="more"
        ),
    ]
    for side, rows in texts.items():
        if rows:
            halo = {
                **text,
                "align": side,
                "fontSize": 11.5,
                "stroke": theme.PAPER,
                "strokeWidth": 3,
                "strokeJoin": "round",
                "opacity": 0.8,
            }
            made.append(theme.layer(halo, rows, x="x", y="y", text="text"))
            made.append(
                theme.layer(
                    {**text, "align": side, "fontSize": 11.5}, rows, x="x", y="y", text="text", fill="ink"
                )
            )
    return made


def _legend(view: View, nodes: list[dict[str, Any]], links: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Draw the key of the edges, only for the qualities that occur, and say what the figures are."""
    _, shown = _unit(view, nodes)
    y = HEAD + HEIGHT + 26
    present = [
        name for name in ("solid", "hatched", "hollow") if any(link["quality"] == name for link in links)
    ]
    x = 0.0
    rows: list[dict[str, Any]] = []
    for name in present:
        rows.append(
            {
                "name": name,
                "x": x,
                "x2": x + 30,
                "y": y - 6,
                "y2": y + 6,
                "tx": x + 36,
                "ty": y,
                "text": say(f"view.quality_{name}"),
            }
        )
        x += 36 + 6.1 * len(rows[-1]["text"]) + 18
    text = {
        "type": "text",
        "aria": False,
        "align": "left",
        "baseline": "middle",
        "fontSize": 11,
        "color": theme.MUTED,
    }
    made = []
    fade = {"solid": 0.42, "hatched": 0.42, "hollow": 0.2}
    for row in rows:
        made.append(
            theme.layer(
                {"type": "rect", "fill": theme.HUES[0], "fillOpacity": fade[row["name"]], "aria": False},
                [row],
                x="x",
                x2="x2",
                y="y",
                y2="y2",
            )
        )
        if row["name"] in _DASH:
            edges = [{"x": row["x"], "x2": row["x2"], "y": row[side]} for side in ("y", "y2")]
            made.append(
                theme.layer(
                    {
                        "type": "rule",
                        "stroke": theme.HUES[0],
                        "strokeWidth": 1,
                        "aria": False,
                        "strokeDash": _DASH[row["name"]],
                    },
                    edges,
                    x="x",
                    x2="x2",
                    y="y",
                )
            )
    made.append(theme.layer(text, rows, x="tx", y="ty", text="text"))
    basis = view.encoding["basis"]
    unit = [
        {
            "x": WIDTH - 4,
            "y": y,
            "text": say("view.key_sankey", unit=shown, basis=basis or say("view.basis_unstated")),
        }
    ]
    made.append(theme.layer({**text, "align": "right"}, unit, x="x", y="y", text="text"))
    return made
