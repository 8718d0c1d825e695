"""Make ``data/shapes/world.json`` anew: ``python tools/shapes.py countries-50m.json``.

The argument is a TopoJSON file of countries by their ISO numeric code, as the npm package ``world-atlas``
(2.0.2, from Natural Earth 4.1, public domain) has it:

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz package/countries-50m.json

Lines are thinned where they are shared, so that neighbours still meet; every place keeps its largest piece,
however small; pieces cut at the antimeridian are joined. Antarctica is left out. Land without an ISO code
stays land without an id.
"""

from __future__ import annotations

import argparse
import csv
import heapq
import json
import math
import sys
from pathlib import Path
from typing import Any

from monazite.facts.shapes import area, inner_point, unwrapped

DATA = Path(__file__).resolve().parent.parent / "src" / "monazite" / "data"
CONVENTION = (
    "Natural Earth 1:50m, version 4.1: boundaries as held in fact (de facto); they say nothing on status"
)
SOURCE = "Natural Earth 4.1, 1:50m Admin 0 countries, through the npm package world-atlas 2.0.2; simplified"
LICENCE = "public domain (Natural Earth); ISC (world-atlas)"
LEFT_OUT = "ATA"
DETAIL = 0.027  # a corner stays when the triangle it makes is larger, degrees squared
SMALL = 0.05  # a piece below this area goes, unless it is its place's largest
DECIMALS = 2
#: where a place is marked, where the middle of its largest piece would mislead or no piece exists
POINTS: dict[str, tuple[float, float]] = {
    "ATA": (0.0, -80.0), "BES": (-68.27, 12.18), "BVT": (3.35, -54.42), "CAN": (-101.0, 54.0),
    "CCK": (96.83, -12.17), "CHN": (107.5, 34.0), "CXR": (105.63, -10.49), "GIB": (-5.35, 36.14),
    "GLP": (-61.55, 16.25), "GUF": (-53.1, 4.0), "IDN": (110.0, -7.2), "MTQ": (-61.02, 14.64),
    "MYS": (102.4, 4.0), "MYT": (45.17, -12.83), "NOR": (9.0, 61.0), "REU": (55.54, -21.12),
    "RUS": (56.0, 57.5), "SJM": (16.0, 78.5), "TKL": (-171.85, -9.2), "TUV": (179.2, -8.52),
    "UMI": (-160.0, 5.88), "USA": (-98.0, 39.0),
}  # fmt: skip

Line = list[tuple[float, float]]


def main() -> None:
    """Read the TopoJSON file and write the packaged one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("topology", type=Path, help="TopoJSON file of countries")
    parser.add_argument("--out", type=Path, default=DATA / "shapes" / "world.json")
    given = parser.parse_args()
    made = collection(json.loads(given.topology.read_bytes()))
    lines = [json.dumps(feature, separators=(",", ":")) for feature in made.pop("features")]
    head = json.dumps(made, ensure_ascii=False, indent=1).removesuffix("\n}")
    text = head + ',\n "features": [\n' + ",\n".join(lines) + "\n]}\n"
    given.out.write_text(text, encoding="utf-8")
    sys.stderr.write(f"{given.out}: {len(text.encode()) / 1000:.0f} kB, {len(lines)} features\n")


def collection(topology: dict[str, Any]) -> dict[str, Any]:
    """Turn a topology into a collection of features by alpha-3 code."""
    with (DATA / "places.csv").open(encoding="utf-8", newline="") as file:
        codes = {row["numeric"]: row["place"] for row in csv.DictReader(file) if row["numeric"]}
    arcs = [thinned(arc) for arc in decoded(topology)]
    found: dict[str, list[list[Line]]] = {}
    nameless: list[list[Line]] = []
    for shape in topology["objects"]["countries"]["geometries"]:
        parts = {"Polygon": [shape["arcs"]], "MultiPolygon": shape["arcs"]}[shape["type"]]
        polygons = [[ring(indices, arcs) for indices in part] for part in parts]
        if shape.get("id") is None:
            nameless += polygons
        elif codes[shape["id"]] != LEFT_OUT:
            found.setdefault(codes[shape["id"]], []).extend(polygons)
    features = [feature(place, joined(found.get(place, []))) for place in sorted(set(codes.values()))]
    features += [feature(None, [polygon]) for polygon in nameless]
    return {
        "type": "FeatureCollection",
        "name": "world",
        "convention": CONVENTION,
        "source": SOURCE,
        "licence": LICENCE,
        "features": features,
    }


def decoded(topology: dict[str, Any]) -> list[Line]:
    """Return the arcs in degrees."""
    (kx, ky), (dx, dy) = topology["transform"]["scale"], topology["transform"]["translate"]
    made: list[Line] = []
    for arc in topology["arcs"]:
        x = y = 0
        line: Line = []
        for step in arc:
            x, y = x + step[0], y + step[1]
            line.append((x * kx + dx, y * ky + dy))
        made.append(line)
    return made


def thinned(line: Line) -> Line:
    """Take out, one after the other, the corners that enclose least (Visvalingam), ends excepted.

    Points on the antimeridian stay, so that pieces can be joined there.
    """
    count = len(line)
    closed = line[0] == line[-1]
    least = 4 if closed else 3
    before, after = list(range(-1, count - 1)), list(range(1, count + 1))
    live = [True] * count

    def size(place: int) -> float:
        (ax, ay), (bx, by), (cx, cy) = line[before[place]], line[place], line[after[place]]
        narrow = math.cos(math.radians(by))
        return abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2 * narrow

    fixed = {place for place, (lon, _) in enumerate(line) if abs(abs(lon) - 180) < 1e-6} | {0, count - 1}
    sizes = [math.inf if place in fixed else size(place) for place in range(count)]
    heap = [(sizes[place], place) for place in range(count)]
    heapq.heapify(heap)
    left = count
    while heap and left > least:
        found, place = heapq.heappop(heap)
        if not live[place] or found != sizes[place]:
            continue
        if found > DETAIL:
            break
        live[place] = False
        left -= 1
        first, last = before[place], after[place]
        after[first], before[last] = last, first
        for other in (first, last):
            if other not in fixed:
                sizes[other] = max(size(other), found)
                heapq.heappush(heap, (sizes[other], other))
    return [point for place, point in enumerate(line) if live[place]]


def ring(indices: list[int], arcs: list[Line]) -> Line:
    """Join arcs to a ring; a negative index is an arc taken backwards."""
    made: Line = []
    for index in indices:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        made += arc[1:] if made else arc
    return list(unwrapped(made))


def joined(polygons: list[list[Line]]) -> list[list[Line]]:
    """Join pieces that were cut at the antimeridian; longitudes then count on past 180."""
    made = list(polygons)
    for east in [item for item in made if any(lon > 180 - 1e-6 for lon, _ in item[0])]:
        edge = {round(lat, 3) for lon, lat in east[0] if lon > 180 - 1e-6}
        for west in [item for item in made if any(lon < -180 + 1e-6 for lon, _ in item[0])]:
            other = {round(lat, 3) for lon, lat in west[0] if lon < -180 + 1e-6}
            if len(edge & other) >= 2:
                made.remove(east)
                made.remove(west)
                made.append([sewn(east[0], [(lon + 360, lat) for lon, lat in west[0]])])
                break
    return made


def sewn(one: Line, other: Line) -> Line:
    """Return the outline of two rings that share an edge along the antimeridian."""
    first, second = opened(one), opened(other)
    if math.dist(first[-1], second[0]) > math.dist(first[-1], second[-1]):
        second = second[::-1]
    return [*first, *second, first[0]]


def opened(line: Line) -> Line:
    """Cut a ring open along its edge on the antimeridian."""
    points = line[:-1]
    on = [abs(lon - 180) < 1e-6 for lon, _ in points]
    count = len(points)
    start = next(
        place for place in range(count) if on[place - 1] and on[place] and not on[(place + 1) % count]
    )
    return points[start:] + points[:start]


def feature(place: str | None, polygons: list[list[Line]]) -> dict[str, Any]:
    """Return one place as a feature: small pieces gone, coordinates rounded, its point."""
    largest = max((tuple(item[0]) for item in polygons), key=area, default=None)
    kept = [
        [rounded(line) for line in polygon]
        for polygon in polygons
        if tuple(polygon[0]) == largest or area(tuple(polygon[0])) >= SMALL
    ]
    made: dict[str, Any] = {"type": "Feature", "id": place, "properties": {}, "geometry": None}
    if kept:
        made["geometry"] = {"type": "MultiPolygon", "coordinates": kept}
    if place is not None:
        made["properties"]["point"] = POINTS[place] if place in POINTS else inner_point(largest or ())
    return made


def rounded(line: Line) -> list[list[float]]:
    """Round positions, and drop those that then say nothing; at least a triangle is left."""
    made: list[list[float]] = []
    for lon, lat in line:
        at = [round(lon, DECIMALS), round(lat, DECIMALS)]
        if not made or at != made[-1]:
            made.append(at)
    return made if len(made) > 3 else [[round(lon, 3), round(lat, 3)] for lon, lat in line]


if __name__ == "__main__":
    main()
