"""From the globe to pixels: the Equal Earth projection in a frame, as SVG paths on a half-pixel grid.

Equal Earth: Šavrič, Patterson & Jenny, *International Journal of Geographical Information Science* 33 (2019)
454-465. It keeps areas, and parallels are straight.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Globe", "equal_earth", "framed"]

_A = (1.340264, -0.081106, 0.000893, 0.003796)
_M = math.sqrt(3) / 2
_EDGE = 4.0  # degrees of latitude between points along the cut
_NORTH, _SOUTH = 84.0, -58.0  # the parallels between which a frame lies
_GRID = 2.0  # steps a pixel

Point = tuple[float, float]


def equal_earth(lon: float, lat: float) -> Point:
    """Project degrees from the middle meridian and latitude; x to the right, y upwards, radius 1.

    Examples
    --------
    >>> x, y = equal_earth(180.0, 0.0)
    >>> round(x, 4), round(y, 4), round(equal_earth(0.0, 90.0)[1], 4)
    (2.7066, 0.0, 1.3174)
    """
    theta = math.asin(_M * math.sin(math.radians(lat)))
    square = theta * theta
    sixth = square**3
    slope = _A[0] + 3 * _A[1] * square + sixth * (7 * _A[2] + 9 * _A[3] * square)
    x = math.radians(lon) * math.cos(theta) / (_M * slope)
    return x, theta * (_A[0] + _A[1] * square + sixth * (_A[2] + _A[3] * square))


@dataclass(frozen=True)
class Globe:
    """The part of the globe that a map shows: a frame of ``width`` times ``height`` pixels from 0, 0.

    Parameters
    ----------
    middle
        Meridian in the middle of the projection, degrees; the globe is cut half a turn from it.
    left, upper
        Upper left corner of the frame on the projected globe.
    scale
        Pixels per radius.
    width, height
        Size of the frame, px.

    Examples
    --------
    >>> globe = framed(150.0, [], 900.0, 400.0)
    >>> globe.at(150.0, 0.0)[0], globe.at(-150.0, 0.0)[0] > 450
    (450.0, True)
    """

    middle: float
    left: float
    upper: float
    scale: float
    width: float
    height: float

    def at(self, lon: float, lat: float) -> Point:
        """Return the pixel of a position."""
        return self._pixel((lon - self.middle + 180) % 360 - 180, lat)

    def _pixel(self, turned: float, lat: float) -> Point:
        x, y = equal_earth(turned, lat)
        return (x - self.left) * self.scale, (self.upper - y) * self.scale

    def outline(self) -> list[Point]:
        """Return the edge of the globe within the frame, px."""
        count = int(180 / _EDGE)
        lats = [-90 + 180 * place / count for place in range(count + 1)]
        edge = [self._pixel(-180.0, lat) for lat in lats] + [self._pixel(180.0, lat) for lat in lats[::-1]]
        return self._framed(edge)

    def _framed(self, points: list[Point]) -> list[Point]:
        """Cut a piece at the frame."""
        for edge, axis, side in ((0.0, 0, 1.0), (self.width, 0, -1.0), (0.0, 1, 1.0), (self.height, 1, -1.0)):
            points = _cut(points, edge, side, axis)
        return points

    def pieces(self, ring: Sequence[Point]) -> Iterator[list[Point]]:
        """Return a ring's pieces in pixels: turned to the middle, cut at the globe's edge and the frame."""
        turned = [(lon - self.middle, lat) for lon, lat in ring]
        low, high = min(lon for lon, _ in turned), max(lon for lon, _ in turned)
        for turn in range(math.floor((low + 180) / 360), math.floor((high + 180) / 360) + 1):
            part = [(lon - 360 * turn, lat) for lon, lat in turned]
            cut = _cut(_cut(part, -180.0, 1.0, 0), 180.0, -1.0, 0)
            piece = self._framed([self._pixel(lon, lat) for lon, lat in _dense(cut)])
            if len(piece) > 2:
                yield piece

    def path(self, rings: Iterable[Sequence[Point]], *, least: float) -> str:
        """Return rings as one SVG path, relative, in half-pixels: the shape of a point of size 1 at 0, 0.

        Parameters
        ----------
        rings
            Longitude and latitude.
        least
            Pieces that enclose less, px², are left out.
        """
        return "".join(
            _relative(piece) for ring in rings for piece in self.pieces(ring) if _enclosed(piece) >= least
        )


def framed(
    middle: float,
    points: Sequence[Point],
    width: float,
    height: float,
    *,
    room: tuple[float, float] = (0.0, 0.0),
    closest: float = 1.0,
) -> Globe:
    """Return the frame that shows some points, never more than the globe and never too close.

    Parameters
    ----------
    middle
        Meridian in the middle of the projection.
    points
        What must be seen, on the projected globe; none shows all of it.
    width, height
        Size, px.
    room
        Kept free beside and above or below the points, px.
    closest
        How many times larger than the whole globe's the scale may be.
    """
    (east, _), (_, north), (_, south) = equal_earth(180, 0), equal_earth(0, _NORTH), equal_earth(0, _SOUTH)
    whole = max(width / (2 * east), 0.0)
    if not points:
        points = [(-east, 0.0), (east, 0.0)]
    lows = [min(point[axis] for point in points) for axis in (0, 1)]
    highs = [max(point[axis] for point in points) for axis in (0, 1)]
    fits = [
        (size - 2 * free) / max(high - low, 1e-9)
        for size, free, low, high in zip((width, height), room, lows, highs, strict=True)
    ]
    scale = min(max(min(fits), whole), whole * closest)
    centre = [(low + high) / 2 for low, high in zip(lows, highs, strict=True)]
    across, down = width / scale / 2, height / scale / 2
    x = min(max(centre[0], -east + across), east - across)
    y = min(max(centre[1], south + down), north - down) if 2 * down < north - south else (north + south) / 2
    return Globe(middle, x - across, y + down, scale, width, height)


def _cut(points: list[Point], edge: float, side: float, axis: int) -> list[Point]:
    """Keep what lies on one side of an upright (axis 0) or level line (Sutherland-Hodgman)."""
    made: list[Point] = []
    for place, point in enumerate(points):
        before = points[place - 1]
        inside, came = (point[axis] - edge) * side >= 0, (before[axis] - edge) * side >= 0
        if inside != came:
            part = (edge - before[axis]) / (point[axis] - before[axis])
            along = before[1 - axis] + (point[1 - axis] - before[1 - axis]) * part
            made.append((along, edge) if axis else (edge, along))
        if inside:
            made.append(point)
    return made


def _dense(points: list[Point]) -> list[Point]:
    """Add points along the cut, which is curved on the map."""
    made: list[Point] = []
    for place, (lon, lat) in enumerate(points):
        before, was = points[place - 1]
        if abs(lon) == 180.0 and before == lon:
            count = int(abs(lat - was) / _EDGE)
            made += [(lon, was + (lat - was) * step / (count + 1)) for step in range(1, count + 1)]
        made.append((lon, lat))
    return made


def _enclosed(points: Sequence[Point]) -> float:
    pairs = zip(points, (*points[1:], points[0]), strict=True)
    return abs(sum(x * v - u * y for (x, y), (u, v) in pairs)) / 2


def _relative(points: Sequence[Point]) -> str:
    """Write a closed path; points on the same place of the grid are one, so neighbours still meet."""
    x, y = (round(value * _GRID) for value in points[0])
    steps: list[list[int]] = []
    first = (x, y)
    for point in points[1:]:
        u, v = (round(value * _GRID) for value in point)
        step = [u - x, v - y]
        if step == [0, 0]:
            continue
        if steps and _goes_on(steps[-1], step):
            steps[-1] = [steps[-1][0] + step[0], steps[-1][1] + step[1]]
        else:
            steps.append(step)
        x, y = u, v
    if len(steps) < 2:
        return ""
    text = ",".join(f"{dx},{dy}" for dx, dy in steps)
    return f"M{first[0]},{first[1]}l{text}z".replace(",-", "-")


def _goes_on(one: list[int], other: list[int]) -> bool:
    """Tell whether a step goes straight on."""
    return one[0] * other[1] == one[1] * other[0] and one[0] * other[0] + one[1] * other[1] > 0
