"""The shapes of a map: land by place, and a point for each place, from one replaceable file.

Where a boundary runs is a matter of law in many states, so the file is data: it names the convention that it
follows, every map repeats that name, and ``MONAZITE_SHAPES`` puts another file in its place.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from monazite.core.errors import FactsError
from monazite.core.settings import data_folder
from monazite.facts.places import places

__all__ = ["Shapes", "area", "inner_point", "shapes", "shapes_path", "unwrapped"]

Point = tuple[float, float]
Ring = tuple[Point, ...]

_SETTING = "MONAZITE_SHAPES"
_TYPES = ("Polygon", "MultiPolygon")
_STEPS = 24
_CORNERS = 4
_FAR = 540.0  # a ring that crosses the antimeridian may count on past 180


@dataclass(frozen=True, eq=False)
class Shapes:
    """What a map draws.

    Parameters
    ----------
    convention
        Which lines these are and what they do not say, in words for the reader.
    source
        Where they come from.
    licence
        On what terms.
    land
        Place (None where no ISO code exists) and ring of every piece of land, longitude and latitude in
        degrees; a ring that crosses the antimeridian counts on past 180.
    points
        Where each place is marked.

    Examples
    --------
    >>> known = shapes()
    >>> known.points["SGP"], any(place == "SGP" for place, _ in known.land)
    ((103.82, 1.38), True)
    """

    convention: str
    source: str
    licence: str
    land: tuple[tuple[str | None, Ring], ...]
    points: Mapping[str, Point]


def shapes_path() -> Path:
    """Return the file that is drawn: ``$MONAZITE_SHAPES``, else the packaged one.

    Examples
    --------
    >>> shapes_path().suffix
    '.json'
    """
    own = os.environ.get(_SETTING, "").strip()
    return Path(own).expanduser() if own else data_folder() / "shapes" / "world.json"


def shapes() -> Shapes:
    """Read the shapes.

    Returns
    -------
    Shapes
        Land and points; read once, and again when the file changes.

    Raises
    ------
    FactsError
        The file cannot be read, is no GeoJSON collection with a ``convention``, or has a place, a geometry or
        a position that is none; the message says which.
    """
    path = shapes_path()
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise FactsError("data.shapes_missing", path=path, setting=_SETTING) from error
    return _read(path, changed)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> Shapes:
    """Read a file; its date only keys what is kept."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise FactsError("data.shapes_json", path=path) from error
    if not isinstance(found, dict) or not isinstance(found.get("features"), list) or not found["features"]:
        raise FactsError("data.shapes_collection", path=path)
    if not isinstance(found.get("convention"), str) or not found["convention"].strip():
        raise FactsError("data.shapes_convention", path=path)
    land: list[tuple[str | None, Ring]] = []
    points: dict[str, Point] = {}
    for number, feature in enumerate(found["features"], start=1):
        place = _place(feature, path, number)
        rings = _rings(feature, path, number)
        land += [(place, ring) for ring in rings]
        if place is not None:
            point = _point(feature, rings, path, number)
            if point is not None:
                points[place] = point
    return Shapes(
        convention=found["convention"].strip().rstrip("."),
        source=str(found.get("source", "")),
        licence=str(found.get("licence", "")),
        land=tuple(land),
        points=points,
    )


def _place(feature: Any, path: Path, number: int) -> str | None:
    if not isinstance(feature, dict):
        raise FactsError("data.shapes_feature", path=path, number=number)
    place = feature.get("id")
    if place is not None and place not in places():
        raise FactsError("data.shapes_place", path=path, number=number, given=place)
    return place


def _rings(feature: Mapping[str, Any], path: Path, number: int) -> list[Ring]:
    shape = feature.get("geometry")
    if shape is None:
        return []
    if not isinstance(shape, dict) or shape.get("type") not in _TYPES:
        raise FactsError("data.shapes_geometry", path=path, number=number, known=_TYPES)
    whole = shape["type"] == "MultiPolygon"
    try:
        polygons = shape["coordinates"] if whole else [shape["coordinates"]]
        rings = [tuple((float(at[0]), float(at[1])) for at in ring) for part in polygons for ring in part]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise FactsError("data.shapes_position", path=path, number=number) from error
    for ring in rings:
        if len(ring) < _CORNERS or not all(_on_earth(at) for at in ring):
            raise FactsError("data.shapes_position", path=path, number=number)
    return [unwrapped(ring) for ring in rings]


def _on_earth(at: Point) -> bool:
    return abs(at[0]) <= _FAR and abs(at[1]) <= 90


def unwrapped(ring: Sequence[Point]) -> Ring:
    """Let longitudes count on where a ring crosses the antimeridian.

    Examples
    --------
    >>> unwrapped([(179.0, 0.0), (-179.0, 0.0)])
    ((179.0, 0.0), (181.0, 0.0))
    """
    made = [ring[0]]
    for lon, lat in ring[1:]:
        turns = round((made[-1][0] - lon) / 360)
        made.append((lon + 360 * turns, lat))
    return tuple(made)


def _point(feature: Mapping[str, Any], rings: Sequence[Ring], path: Path, number: int) -> Point | None:
    given = (feature.get("properties") or {}).get("point")
    if given is None:
        return inner_point(max(rings, key=area)) if rings else None
    try:
        at = (float(given[0]), float(given[1]))
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise FactsError("data.shapes_position", path=path, number=number) from error
    if not _on_earth(at):
        raise FactsError("data.shapes_position", path=path, number=number)
    return at


def area(ring: Ring) -> float:
    """Return the area that a ring encloses, degrees of latitude squared.

    Examples
    --------
    >>> round(area(((0, -1), (2, -1), (2, 1), (0, 1), (0, -1))), 2)
    4.0
    """
    narrow = math.cos(math.radians(sum(lat for _, lat in ring) / len(ring)))
    pairs = zip(ring, (*ring[1:], ring[0]), strict=True)
    return abs(sum(x * v - u * y for (x, y), (u, v) in pairs)) / 2 * narrow


def inner_point(ring: Ring) -> Point:
    """Return a point well within a ring: of a grid of points, twice refined, the one farthest from the edge.

    Examples
    --------
    >>> inner_point(((0, 0), (4, 0), (4, 2), (0, 2), (0, 0)))[1]
    1.0
    """
    lons, lats = [lon for lon, _ in ring], [lat for _, lat in ring]
    low, high = (min(lons), min(lats)), (max(lons), max(lats))
    narrow = math.cos(math.radians((low[1] + high[1]) / 2))
    best, room = (sum(lons) / len(lons), sum(lats) / len(lats)), -1.0
    for _ in range(2):
        step = tuple((top - bottom) / _STEPS for bottom, top in zip(low, high, strict=True))
        for column in range(_STEPS + 1):
            for row in range(_STEPS + 1):
                at = (low[0] + column * step[0], low[1] + row * step[1])
                free = _clearance(at, ring, narrow)
                if free > room:
                    best, room = at, free
        low = (best[0] - step[0], best[1] - step[1])
        high = (best[0] + step[0], best[1] + step[1])
    return (round(best[0], 2), round(best[1], 2))


def _clearance(at: Point, ring: Ring, narrow: float) -> float:
    """Return the distance from the edge, negative outside."""
    x, y = at
    inside, least = False, math.inf
    for (a, b), (c, d) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if (b > y) != (d > y) and x < (c - a) * (y - b) / (d - b) + a:
            inside = not inside
        dx, dy = (c - a) * narrow, d - b
        length = dx * dx + dy * dy
        part = 0.0 if not length else max(0.0, min(1.0, ((x - a) * narrow * dx + (y - b) * dy) / length))
        least = min(least, math.hypot((x - a) * narrow - part * dx, y - b - part * dy))
    return least if inside else -least
