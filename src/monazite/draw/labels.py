"""Where words stand beside points: where they hit neither each other, nor points, nor what is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Label", "place_labels"]

Point = tuple[float, float]
Box = tuple[float, float, float, float]

_TURNS = (0, 180, 330, 30, 210, 150, 300, 60, 240, 120, 270, 90)  # preferred first: right, left, …
_REACH = (0.0, 10.0, 22.0, 36.0, 52.0, 70.0)
_LED = 8.0  # farther away than this a line leads to the word


@dataclass(frozen=True)
class Label:
    """A word that found its place.

    Parameters
    ----------
    x, y
        Its anchor, px; the middle of its height.
    align
        left, right or center: what the anchor is.
    lead
        Line from the point to the word, where it stands apart.
    """

    x: float
    y: float
    align: str
    lead: tuple[Point, Point] | None


def place_labels(
    wanted: Sequence[tuple[Point, float, float, float]],
    ink: Sequence[tuple[Point, float]],
    frame: Box,
) -> list[Label]:
    """Place labels one after the other, the most important first.

    Parameters
    ----------
    wanted
        For each label its point, the point's radius, and its own width and height, px.
    ink
        Points of what is drawn already, each with how bad it is to cover it.
    frame
        Left, top, right, bottom: words stay inside.

    Returns
    -------
    list of Label
        In the order given.

    Examples
    --------
    >>> place_labels([((50.0, 50.0), 3.0, 40.0, 14.0)], [], (0.0, 0.0, 200.0, 100.0))[0].align
    'left'
    """
    boxes: list[Box] = [
        (x - radius - 1, y - radius - 1, x + radius + 1, y + radius + 1) for (x, y), radius, *_ in wanted
    ]
    made: list[Label] = []
    for number, (point, radius, wide, high) in enumerate(wanted):
        best: tuple[float, Label, Box] | None = None
        others = boxes[:number] + boxes[number + 1 :]
        for reach in _REACH:
            for rank, turn in enumerate(_TURNS):
                label, box = _candidate(point, radius + 4 + reach, turn, wide, high, lead=reach >= _LED)
                cost = reach * 0.55 + rank * 0.6 + _cost(box, label, others, ink, frame)
                if best is None or cost < best[0]:
                    best = (cost, label, box)
        assert best is not None
        made.append(best[1])
        boxes.append(best[2])
    return made


def _candidate(
    point: Point, away: float, turn: int, wide: float, high: float, *, lead: bool
) -> tuple[Label, Box]:
    dx, dy = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    x, y = point[0] + dx * away, point[1] + dy * away
    align = "center" if abs(dx) < 0.1 else "left" if dx > 0 else "right"
    left = {"center": x - wide / 2, "left": x, "right": x - wide}[align]
    middle = y + dy * high / 2
    line = ((point[0] + dx * 4, point[1] + dy * 4), (x - dx * 2, y - dy * 2)) if lead else None
    return Label(x, middle, align, line), (left, middle - high / 2, left + wide, middle + high / 2)


def _cost(
    box: Box, label: Label, boxes: Sequence[Box], ink: Sequence[tuple[Point, float]], frame: Box
) -> float:
    left, top, right, bottom = box
    out = max(frame[0] - left, frame[1] - top, right - frame[2], bottom - frame[3], 0.0)
    cost = 50.0 * out
    for a, b, c, d in boxes:
        across, down = min(right, c) - max(left, a), min(bottom, d) - max(top, b)
        if across > 0 and down > 0:
            cost += 30.0 + across * down
    cost += sum(weight for (x, y), weight in ink if left - 1 <= x <= right + 1 and top <= y <= bottom)
    if label.lead is not None:
        (x, y), (u, v) = label.lead
        for step in (0.25, 0.5, 0.75):
            at = (x + (u - x) * step, y + (v - y) * step)
            cost += sum(25.0 for a, b, c, d in boxes if a <= at[0] <= c and b <= at[1] <= d)
    return cost
