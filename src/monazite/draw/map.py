"""The flow map: land as it is, arrows as wide as the tonnes, words where they hit nothing."""

from __future__ import annotations

import math
from typing import Any

from monazite.core.text import say
from monazite.draw import theme
from monazite.draw.arrows import Arrow
from monazite.draw.labels import place_labels
from monazite.draw.land import land
from monazite.draw.projection import Globe, equal_earth, framed
from monazite.views.numbers import number
from monazite.views.view import View

__all__ = ["flow_map"]

WIDTH, HEIGHT = 900.0, 404.0
_LEGEND = 58.0
_MIDDLES = (150.0, 11.0)  # the Pacific or the Atlantic side of the globe is whole
_ROOM = (96.0, 44.0)  # beside and above the places, px
_NEAR = 140.0  # places within so many degrees of longitude are close together
_CLOSEST = 2.4
_WIDEST, _THINNEST = 15.0, 1.3
_LINE = 5.0  # a thinner broken arrow is drawn as a line
_BEND, _SHORT, _LONG = 0.17, 60.0, 220.0  # a short arrow bends more, a long one less
_FAN = 0.35  # arrows of one place whose ways differ by less, radians, bend differently
_APART = (0.0, -0.1, 0.1, -0.05, 0.05)
_DOT = 4.0
_BOX = 20.0  # side of the frame of what is no place, px
_AROUND = ((0.0, 0.0), (-22.0, 0.0), (22.0, 0.0), (0.0, -22.0), (0.0, 22.0), (-14.0, 14.0), (14.0, -14.0))
_HUED = 5
_FADE = 0.9
_BEHIND = 0.55
_CHARACTER = 0.53  # mean width of a character, part of its size
_INSIDE = (4.0, 10.0, WIDTH - 4.0, HEIGHT - 4.0)  # where arrows may run
_DASH = {"hatched": [7, 3.6], "hollow": [2, 3]}

Item = dict[str, Any]
Point = tuple[float, float]
Ends = list[tuple[str, str]]


def flow_map(view: View) -> dict[str, Any]:
    """Return the specification of a flow map (see `views.flow_map`).

    An arrow has the hue of the place it comes from; a whole one is reported, a dashed one estimated, derived
    or modelled, a dotted one assumed. Where the view has a focus the flows of others stand back.
    """
    items = view.data.to_dicts()
    places = {item["place"]: dict(item) for item in items if item["item"] == "place"}
    flows = [item for item in items if item["item"] == "arc"]
    globe = _frame(flows, places)
    for place in places.values():
        place["off"], place["sends"] = place["lon"] is None, place["sent"] > place["received"]
        if not place["off"]:
            place["x"], place["y"] = globe.at(place["lon"], place["lat"])
    _stand_off(flows, places, globe)
    arcs = _arcs(flows, places, focused=bool(view.encoding["focus"]))
    layers = [
        *_land(globe),
        *_arrows(arcs),
        *_names(list(places.values()), arcs),
        *_legend(view, arcs, HEIGHT + 22),
    ]
    return theme.canvas(view.name, WIDTH, HEIGHT + _LEGEND, layers, description=view.sentence)


def _frame(flows: list[Item], places: dict[str, Item]) -> Globe:
    """Choose the side of the globe where the tonnes have the shorter way, and the frame that holds it.

    Where all stand close together the projection is centred on them, so that shapes do not lean.
    """
    ways = {middle: _way(flows, _projected(places, middle)) for middle in _MIDDLES}
    middle = min(_MIDDLES, key=lambda side: ways[side])
    turned = [(item["lon"] - middle + 180) % 360 - 180 for item in places.values() if item["lon"] is not None]
    if turned and max(turned) - min(turned) < _NEAR:
        middle = (middle + (max(turned) + min(turned)) / 2 + 180) % 360 - 180
    at = _projected(places, middle)
    seen = list(at.values())
    for flow in flows:
        if flow["partner"] in at and flow["place"] in at:
            (x, y), (u, v) = at[flow["partner"]], at[flow["place"]]
            seen.append(((x + u) / 2 - _BEND * (v - y), (y + v) / 2 + _BEND * (u - x)))
    return framed(middle, seen, WIDTH, HEIGHT, room=_ROOM, closest=_CLOSEST)


def _projected(places: dict[str, Item], middle: float) -> dict[str, Point]:
    return {
        name: equal_earth((item["lon"] - middle + 180) % 360 - 180, item["lat"])
        for name, item in places.items()
        if item["lon"] is not None
    }


def _way(flows: list[Item], at: dict[str, Point]) -> float:
    """Sum of tonnes times way."""
    known = [flow for flow in flows if flow["partner"] in at and flow["place"] in at]
    return math.fsum(flow["value"] * math.dist(at[flow["partner"]], at[flow["place"]]) for flow in known)


def _stand_off(flows: list[Item], places: dict[str, Item], globe: Globe) -> None:
    """Find room at sea in the lower part for what is no place, and the side to which its arrows bend."""
    spots = [
        (x, y, side)
        for y in range(int(HEIGHT * 0.68), int(HEIGHT) - 20, 30)
        for x in range(40, int(WIDTH) - 160, 30)
        for side in (1.0, -1.0)
    ]
    for name, item in places.items():
        if not item["off"]:
            continue
        known = {place: (other["x"], other["y"]) for place, other in places.items() if "x" in other}
        ends = [
            (flow["partner"], flow["place"])
            for flow in sorted(flows, key=lambda flow: -flow["value"])
            if name in (flow["place"], flow["partner"])
        ][:3]
        scores = {spot: _free(spot, name, ends, known, globe) for spot in spots}
        item["x"], item["y"], item["side"] = max(spots, key=scores.__getitem__)


def _free(
    place: tuple[float, float, float], name: str, ends: Ends, known: dict[str, Point], globe: Globe
) -> float:
    """Tell how good a spot is for a place that is none; ``ends`` are its largest flows."""
    spot, side = place[:2], place[2]
    ground = land(globe)
    box = sum(ground.ashore(spot[0] + dx, spot[1] + dy) for dx, dy in _AROUND)
    name_on = sum(ground.ashore(spot[0] + step, spot[1]) for step in (50.0, 85.0, 120.0))
    score = min([120.0, *(math.dist(spot, other) for other in known.values())])
    score -= 30.0 * box + 10.0 * name_on
    for rank, pair in enumerate(ends):
        hub = next((known[place] for place in pair if place in known), None)
        if hub is not None:
            one, other = (hub, spot) if pair[1] == name else (spot, hub)
            line = Arrow(one, other, side * _BEND, 1.0).within(*_INSIDE).points(16)
            gaps = [math.dist(at, end) for at in line for end in known.values() if end != hub]
            score += (3.0 * min([*gaps, 36.0]) - 0.25 * math.dist(hub, spot)) / (rank + 1)
    return score


def _arcs(items: list[Item], places: dict[str, Item], *, focused: bool) -> list[Item]:
    most = max(item["value"] for item in items)
    senders: dict[str, float] = {}
    for item in items:
        senders[item["partner"]] = senders.get(item["partner"], 0.0) + item["value"]
    ranked = sorted(senders, key=lambda place: (-senders[place], place))
    hues = dict(zip(ranked, theme.HUES[:_HUED], strict=False))
    for place, hue in hues.items():
        places[place]["hue"] = hue
    made = []
    ways: dict[str, list[float]] = {}
    for item in items:
        start, end = places[item["partner"]], places[item["place"]]
        width = max(_WIDEST * item["value"] / most, _THINNEST)
        one, other = (start["x"], start["y"]), (end["x"], end["y"])
        far = math.dist(one, other)
        bend = _BEND if far > _SHORT else 0.24
        way = math.atan2(other[1] - one[1], other[0] - one[0])
        beside = sum(
            abs(math.remainder(way - seen, math.tau)) < _FAN for seen in ways.get(item["partner"], [])
        )
        ways.setdefault(item["partner"], []).append(way)
        bend = (bend + _APART[beside % len(_APART)]) * math.sqrt(min(1.0, _LONG / max(far, 1.0)))
        bend *= start.get("side", 1.0) * end.get("side", 1.0)
        before, after = ((_BOX * 0.6 if end_["off"] else _DOT) for end_ in (start, end))
        arrow = Arrow(one, other, bend, width).within(*_INSIDE).shortened(before + 1.5, after + 2.5)
        behind = focused and not item["focus"]
        hue = theme.GREY if behind else hues.get(item["partner"], theme.GREY)
        made.append(
            {**item, "arrow": arrow, "hue": hue, "fade": _BEHIND if behind else _FADE, "behind": behind,
             "line": width < _LINE and item["quality"] in _DASH}
        )  # fmt: skip
    return made


def _land(globe: Globe) -> list[Item]:
    """Draw the sea with the edge of the map, and the land with its lines."""
    edge = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in globe.outline()) + "Z"
    look = {"type": "point", "filled": True, "opacity": 1, "aria": False}
    sea = {**look, "fill": theme.colour("sea"), "size": 4}
    ground = {**look, "fill": theme.colour("land"), "stroke": theme.colour("border"), "size": 1}
    at = {"x": 0, "y": 0}
    return [
        theme.layer(sea, [{**at, "shape": edge}], x="x", y="y", shape="shape"),
        theme.layer(
            {**ground, "strokeWidth": 0.6}, [{**at, "shape": land(globe).path}], x="x", y="y", shape="shape"
        ),
    ]


def _arrows(arcs: list[Item]) -> list[Item]:
    """Draw the arrows: those of others first, then wide before thin, so that the thin ones stay visible."""
    kept = ("partner", "place", "value", "unit", "kind", "cell_id", "hue", "fade")
    shapes_: list[Item] = []
    lines: dict[str, list[Item]] = {}
    for arc in sorted(arcs, key=lambda item: (not item["behind"], -item["value"])):
        (x, y), arrow = arc["arrow"].start, arc["arrow"]
        row = {key: arc[key] for key in kept} | {"x": x, "y": y}
        shapes_.append({**row, "shape": arrow.head() if arc["line"] else arrow.shape(arc["quality"])})
        if arc["line"]:
            wide = round(arrow.width * 0.85, 1)
            lines.setdefault(arc["quality"], []).append({**row, "wide": wide, "shape": arrow.middle_line()})
    look = {"type": "point", "size": 4, "opacity": 1}
    edge = {"stroke": theme.colour("sea"), "strokeWidth": 0.4}
    made = [
        theme.layer({**look, "filled": True, **edge}, shapes_, x="x", y="y", shape="shape", fill="hue",
                    fillOpacity="fade")
    ]  # fmt: skip
    for quality, rows in lines.items():
        line = {**look, "filled": False, "strokeDash": _DASH[quality]}
        channels = {"shape": "shape", "stroke": "hue", "strokeOpacity": "fade", "strokeWidth": "wide"}
        made.append(theme.layer(line, rows, x="x", y="y", **channels))
    return made


def _amount(place: Item) -> str:
    return number(max(place["sent"], place["received"]))


def _names(places: list[Item], arcs: list[Item]) -> list[Item]:
    """Draw the places and write their names, with what they send or buy in all."""
    ink = [
        (point, 4.0 + arc["arrow"].width)
        for arc in arcs
        if not arc["behind"]
        for point in arc["arrow"].points(24)
    ]
    wanted, texts = [], []
    for place in places:
        text = f"{place['place_label']}\N{EN SPACE}{_amount(place)}"
        size = 12.5 if place["focus"] else 11.5
        texts.append((text, size))
        radius = _BOX / 2 + 1 if place["off"] else _DOT
        wide = _CHARACTER * size * len(text) * (1.05 if place["focus"] else 1.0)
        wanted.append(((place["x"], place["y"]), radius, wide, size + 2))
    frame = (2.0, 2.0, WIDTH - 2.0, HEIGHT - 2.0)
    labels = place_labels(wanted, ink, frame)
    leads = [
        {"x": label.lead[0][0], "y": label.lead[0][1], "x2": label.lead[1][0], "y2": label.lead[1][1]}
        for label in labels
        if label.lead is not None
    ]
    made: list[Item] = []
    if leads:
        line = {"type": "rule", "stroke": theme.MUTED, "strokeWidth": 0.7, "aria": False}
        made.append(theme.layer(line, leads, x="x", y="y", x2="x2", y2="y2"))
    made += _dots(places)
    for align in ("left", "right", "center"):
        for bold in (False, True):
            rows = [
                {"x": label.x, "y": label.y, "text": text,
                 "ink": theme.MUTED if place["off"] else theme.INK}
                for place, label, (text, _) in zip(places, labels, texts, strict=True)
                if label.align == align and place["focus"] == bold
            ]  # fmt: skip
            if rows:
                made += _words(rows, align, bold=bold)
    return made


def _words(rows: list[Item], align: str, *, bold: bool) -> list[Item]:
    text = {"type": "text", "aria": False, "baseline": "middle", "align": align}
    text |= {"fontSize": 12.5, "fontWeight": "bold"} if bold else {"fontSize": 11.5}
    halo = {"stroke": theme.colour("sea"), "strokeWidth": 3, "strokeJoin": "round", "opacity": 0.85}
    return [
        theme.layer({**text, **halo}, rows, x="x", y="y", text="text"),
        theme.layer(text, rows, x="x", y="y", text="text", fill="ink"),
    ]


def _dots(places: list[Item]) -> list[Item]:
    mark = {"type": "point", "filled": True, "shape": "circle", "opacity": 1, "aria": False}
    area = math.pi * _DOT**2
    senders = [
        {"x": place["x"], "y": place["y"], "hue": place.get("hue", theme.GREY)}
        for place in places
        if place["sends"] and not place["off"]
    ]
    takers = [
        {"x": place["x"], "y": place["y"]} for place in places if not place["sends"] and not place["off"]
    ]
    off = [{"x": place["x"], "y": place["y"]} for place in places if place["off"]]
    made: list[Item] = []
    if senders:
        dot = {**mark, "size": area * 1.3, "stroke": theme.colour("sea"), "strokeWidth": 1}
        made.append(theme.layer(dot, senders, x="x", y="y", fill="hue"))
    if takers:
        ring = {**mark, "size": area * 0.8, "fill": theme.PAPER, "stroke": theme.INK, "strokeWidth": 1.4}
        made.append(theme.layer(ring, takers, x="x", y="y"))
    if off:
        frame = {**mark, "shape": "square", "size": _BOX**2, "fill": theme.PAPER, "stroke": theme.MUTED}
        made.append(theme.layer({**frame, "strokeWidth": 1, "strokeDash": [3, 2]}, off, x="x", y="y"))
    return made


def _round_steps(most: float) -> list[float]:
    """Return three widths for the key: a round figure below the largest, and parts of it."""
    power = 10.0 ** math.floor(math.log10(most))
    top = max(step * power for step in (1.0, 2.0, 5.0) if step * power <= most * (1 + 1e-9))
    return [top / 10, top / 2, top]


def _legend(view: View, arcs: list[Item], y: float) -> list[Item]:
    """Draw the key: widths, breaks, dots, and what the figures are; only for what occurs."""
    unit = view.encoding["unit"]
    most = max(arc["value"] for arc in arcs)
    rows: list[Item] = []
    words: list[Item] = []
    x = 4.0
    for step in _round_steps(most):
        arrow = Arrow((x, y), (x + 44, y), 0.0, max(_WIDEST * step / most, _THINNEST))
        text = f"{step:,.9f}".rstrip("0").rstrip(".") + f"\N{NO-BREAK SPACE}{unit}"
        rows.append({"x": x, "y": y, "shape": arrow.shape("solid"), "hue": theme.MUTED})
        words.append({"x": x + 50, "y": y, "text": text})
        x += 50 + 5.5 * len(text) + 18
    figure = say("view.key_map_figure", unit=unit)
    words.append({"x": x + 14, "y": y, "text": figure})
    second, x = y + 24, 4.0
    present = [name for name in ("solid", "hatched", "hollow") if any(a["quality"] == name for a in arcs)]
    for name in present:
        arrow = Arrow((x, second), (x + 44, second), 0.0, 4.0)
        text = say(f"view.quality_{name}")
        rows.append({"x": x, "y": second, "shape": arrow.shape(name), "hue": theme.MUTED})
        words.append({"x": x + 50, "y": second, "text": text})
        x += 50 + 5.5 * len(text) + 18
    ends = []
    for name, sends in (("view.key_map_dot", True), ("view.key_map_ring", False)):
        ends.append({"x": x + 10, "y": second, "sends": sends, "off": False, "hue": theme.MUTED})
        words.append({"x": x + 20, "y": second, "text": say(name)})
        x += 20 + 5.5 * len(words[-1]["text"]) + 14
    mark = {"type": "point", "filled": True, "size": 4, "opacity": 1, "strokeWidth": 0, "aria": False}
    text_look = {"type": "text", "aria": False, "align": "left", "baseline": "middle", "fontSize": 11}
    return [
        theme.layer(mark, rows, x="x", y="y", shape="shape", fill="hue"),
        *_dots(ends),
        theme.layer({**text_look, "color": theme.MUTED}, words, x="x", y="y", text="text"),
    ]
