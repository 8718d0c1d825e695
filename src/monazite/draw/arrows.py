"""Arrows of a flow map: bent to one side, swelling towards the head, broken where nobody reports."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

__all__ = ["Arrow"]

Point = tuple[float, float]

_SAMPLES = 40
_FLAT = 0.02
_START = 0.55  # width at the start, part of the width at the head
_SIDE = 2.6  # how far the head juts out on each side, px
#: length of a dash and of the gap after it: at least so many px, and so many widths
_BREAKS = {"hatched": ((7.0, 0.9), (3.6, 0.3)), "hollow": ((2.0, 0.35), (3.0, 0.4))}


@dataclass(frozen=True)
class Arrow:
    """One arrow in pixels.

    Parameters
    ----------
    start, end
        Where it begins and where its tip is.
    bend
        How far its middle is pushed to the left of its way, part of its length.
    width
        Width at the head, px.

    Examples
    --------
    >>> Arrow((0.0, 0.0), (100.0, 0.0), 0.2, 4.0).middle
    (50.0, -20.0)
    """

    start: Point
    end: Point
    bend: float
    width: float

    @property
    def middle(self) -> Point:
        """The point half way."""
        return self._at(0.5)

    @property
    def _control(self) -> Point:
        (x, y), (u, v) = self.start, self.end
        return (x + u) / 2 + 2 * self.bend * (v - y), (y + v) / 2 - 2 * self.bend * (u - x)

    def _at(self, part: float) -> Point:
        (x, y), (cx, cy), (u, v) = self.start, self._control, self.end
        a, b, c = (1 - part) ** 2, 2 * part * (1 - part), part**2
        return a * x + b * cx + c * u, a * y + b * cy + c * v

    def points(self, count: int = _SAMPLES) -> list[Point]:
        """Return points along the middle line."""
        return [self._at(place / count) for place in range(count + 1)]

    def shortened(self, before: float, after: float) -> Arrow:
        """Return the arrow with so many pixels taken off at its start and at its tip."""
        line = _Line(self.points())
        first, last = (
            line.at(min(before, line.length * 0.3)),
            line.at(line.length - min(after, line.length * 0.3)),
        )
        return Arrow(first, last, self.bend, self.width)

    def shape(self, quality: str) -> str:
        """Return its SVG path, relative to its start."""
        line = _Line(self.points())
        neck = line.length - self._length(line)
        if quality in _BREAKS:
            (least, wide), (gap, apart) = _BREAKS[quality]
            dash, gap = max(least, wide * self.width), max(gap, apart * self.width)
            count = max(int(neck // (dash + gap)), 1)
            pitch = neck / count
            body = "".join(
                self._part(
                    line, step * pitch, (step + 1) * pitch - min(gap, pitch / 2), 3 if dash < 16 else 5
                )
                for step in range(count)
            )
            return body + self.head(line)
        return self._whole(line, neck)

    def head(self, line: _Line | None = None) -> str:
        """Return the path of its head alone, relative to its start."""
        line = line or _Line(self.points())
        return self._closed(self._tip(line, line.length - self._length(line)))

    def middle_line(self) -> str:
        """Return the path of its middle line as far as the head, relative to its start: to be stroked."""
        line = _Line(self.points())
        part = line.part(line.length - self._length(line))
        (x, y), (cx, cy), (u, v) = self.start, self._control, self._at(part)
        return f"M0,0Q{(cx - x) * part:.1f},{(cy - y) * part:.1f},{u - x:.1f},{v - y:.1f}"

    def within(self, left: float, top: float, right: float, bottom: float) -> Arrow:
        """Return the arrow bent less, as far as it must be to stay in a frame."""
        arrow = self
        while abs(arrow.bend) > _FLAT and not all(
            left <= x <= right and top <= y <= bottom for x, y in arrow.points(12)
        ):
            arrow = replace(arrow, bend=arrow.bend * 0.85)
        return arrow

    def _length(self, line: _Line) -> float:
        """Length of the head."""
        return min(4.5 + 0.75 * self.width, line.length * 0.5)

    def _edges(self, line: _Line, first: float, last: float, count: int) -> tuple[list[Point], list[Point]]:
        left, right = [], []
        for step in range(count):
            along = first + (last - first) * step / (count - 1)
            (x, y), (dx, dy) = line.at(along), line.way(along)
            half = self.width / 2 * (_START + (1 - _START) * along / line.length)
            left.append((x + dy * half, y - dx * half))
            right.append((x - dy * half, y + dx * half))
        return left, right

    def _part(self, line: _Line, first: float, last: float, count: int) -> str:
        left, right = self._edges(line, first, last, 2 if last - first < 6 else count)
        return self._closed([*left, *right[::-1]])

    def _tip(self, line: _Line, neck: float) -> list[Point]:
        (x, y), (dx, dy) = line.at(neck), line.way((neck + line.length) / 2)
        half = self.width / 2 + _SIDE
        return [(x + dy * half, y - dx * half), self.end, (x - dy * half, y + dx * half)]

    def _whole(self, line: _Line, neck: float) -> str:
        left, right = self._edges(line, 0.0, neck, max(4, min(18, int(neck / 9))))
        return self._closed([*left, *self._tip(line, neck), *right[::-1]])

    def _closed(self, points: Sequence[Point]) -> str:
        x, y = self.start
        return "M" + "L".join(f"{u - x:.1f},{v - y:.1f}" for u, v in points) + "Z"


class _Line:
    """A line by its length."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = points
        self._sums = [0.0]
        for one, other in pairwise(points):
            self._sums.append(self._sums[-1] + math.dist(one, other))
        self.length = self._sums[-1]

    def _find(self, along: float) -> int:
        return next(
            (place for place in range(1, len(self._sums)) if self._sums[place] >= along), len(self._sums) - 1
        )

    def part(self, along: float) -> float:
        """Return the place of a length among the points, 0 to 1."""
        place = self._find(along)
        low, high = self._sums[place - 1], self._sums[place]
        return (place - 1 + ((along - low) / (high - low) if high > low else 0.0)) / (len(self._sums) - 1)

    def at(self, along: float) -> Point:
        place = self._find(along)
        low, high = self._sums[place - 1], self._sums[place]
        part = (along - low) / (high - low) if high > low else 0.0
        (x, y), (u, v) = self._points[place - 1], self._points[place]
        return x + (u - x) * part, y + (v - y) * part

    def way(self, along: float) -> Point:
        """Return the direction, of length 1: smoothed, so that the edges of a wide arrow do not jump."""
        (x, y), (u, v) = self.at(max(along - 3.0, 0.0)), self.at(min(along + 3.0, self.length))
        far = math.hypot(u - x, v - y) or 1.0
        return (u - x) / far, (v - y) / far
