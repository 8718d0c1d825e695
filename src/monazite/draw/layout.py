"""Where the nodes and ribbons of a Sankey lie: computed here, so that every door shows the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monazite.views.view import View

__all__ = ["HEAD", "HEIGHT", "NODE", "WIDTH", "layout"]

WIDTH, HEIGHT, HEAD = 892.0, 460.0, 46.0
NODE = 11.0  # width of a node, px
_LEFT, _RIGHT = 138.0, 154.0
_GAP = 15.0  # below a node, px
_LANE_GAP = 6.0  # below a lane
_APART = 16.0  # more before the ends that leave the chain
_LEAST = 1.0  # the lowest node that is still seen, px

Item = dict[str, Any]


@dataclass
class _Segment:
    """A piece of a ribbon from one column to the next: between nodes, or lanes that keep room for it."""

    link: Item
    ends: tuple[Item, Item]
    y: list[float]


def layout(view: View) -> tuple[list[Item], list[Item]]:
    """Place nodes and ribbons.

    Parameters
    ----------
    view
        A Sankey view.

    Returns
    -------
    nodes
        The view's nodes with ``x, x2, y, y2``, px; the height is the value on one scale for all columns.
    links
        The view's links with ``thick``, px, and ``path``: points of the upper edge, px, one at each end and
        two at each column that the ribbon passes by.
    """
    stages = [item["stage"] for item in view.encoding["stages"]]
    items = view.data.to_dicts()
    nodes = [item for item in items if item["item"] == "node"]
    links = [item for item in items if item["item"] == "link"]
    columns = [[node for node in nodes if node["stage"] == stage] for stage in stages]
    segments = _segments(nodes, links, columns, stages)
    room = [(HEIGHT - _gaps(column), sum(node["value"] for node in column)) for column in columns if column]
    scale = min(height / total for height, total in room)
    step = (WIDTH - _LEFT - _RIGHT - NODE) / max(len(stages) - 1, 1)
    for place, column in enumerate(columns):
        y = HEAD
        for rank, node in enumerate(column):
            y += _before(column, rank)
            node["x"] = _LEFT + place * step
            node["x2"], node["y"], node["y2"] = node["x"] + NODE, y, y + max(node["value"] * scale, _LEAST)
            y = node["y2"]
    for link in links:
        link["thick"] = link["value"] * scale
    _stack(segments)
    for link in links:
        own = [segment for segment in segments if segment.link is link]
        link["path"] = [
            point
            for segment in own
            for point in ((segment.ends[0]["x2"], segment.y[0]), (segment.ends[1]["x"], segment.y[1]))
        ]
    return nodes, links


def _segments(
    nodes: list[Item], links: list[Item], columns: list[list[Item]], stages: list[str]
) -> list[_Segment]:
    """Cut ribbons at the columns that they pass by; a lane there keeps room for those of one source."""
    by_number = {node["node"]: node for node in nodes}
    lanes: dict[tuple[int, int], Item] = {}
    made: list[_Segment] = []
    for link in links:
        source, target = by_number[link["source"]], by_number[link["target"]]
        first, last = stages.index(source["stage"]), stages.index(target["stage"])
        before = source
        for column in range(first + 1, last):
            lane = lanes.get((link["source"], column))
            if lane is None:
                lane = {"lane": True, "role": "flow", "place": source["place"], "value": 0.0}
                lanes[link["source"], column] = lane
                _insert(columns[column], lane)
            lane["value"] += link["value"]
            made.append(_Segment(link, (before, lane), [0.0, 0.0]))
            before = lane
        made.append(_Segment(link, (before, target), [0.0, 0.0]))
    return made


def _insert(column: list[Item], lane: Item) -> None:
    """Put a lane below the node of its place, else below the last place."""
    same = [
        rank for rank, node in enumerate(column) if node["role"] == "flow" and node["place"] == lane["place"]
    ]
    flows = [rank for rank, node in enumerate(column) if node["role"] == "flow"]
    column.insert((same or flows or [-1])[-1] + 1, lane)


def _before(column: list[Item], rank: int) -> float:
    """Return the room above a node or lane, px."""
    if not rank:
        return 0.0
    above, node = column[rank - 1], column[rank]
    apart = _APART if node["role"] != "flow" and above["role"] == "flow" else 0.0
    return apart + (_LANE_GAP if "lane" in above or "lane" in node else _GAP)


def _gaps(column: list[Item]) -> float:
    return sum(_before(column, rank) for rank in range(len(column)))


def _stack(segments: list[_Segment]) -> None:
    """Stack the ends of ribbons at each node in the order of where they come from or go to."""
    final = {id(segment.link): segment.ends[1]["y"] for segment in segments}
    for side in (0, 1):
        fill: dict[int, float] = {}

        def order(segment: _Segment, side: int = side) -> tuple[float, float, float, float]:
            here, there = segment.ends[side], segment.ends[1 - side]
            return (here["x"], here["y"], there["y"], final[id(segment.link)])

        for segment in sorted(segments, key=order):
            node = segment.ends[side]
            segment.y[side] = fill.setdefault(id(node), node["y"])
            fill[id(node)] += segment.link["thick"]
