"""The shapes of a map are data: packaged, complete, replaceable, and refused in words when wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monazite.core.errors import FactsError
from monazite.facts.places import places
from monazite.facts.shapes import inner_point, shapes, shapes_path
from monazite.views.flow_map import flow_map

SQUARE = [[0.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0], [0.0, 0.0]]


def feature(**given: Any) -> dict[str, Any]:
    made = {"type": "Feature", "id": "IND", "properties": {}}
    return {**made, "geometry": {"type": "Polygon", "coordinates": [SQUARE]}, **given}


def write(folder: Path, *features: Any, **given: Any) -> Path:
    path = folder / "own.json"
    own = {"type": "FeatureCollection", "convention": "Our own lines.", "features": list(features), **given}
    path.write_text(json.dumps(own), encoding="utf-8")
    return path


def test_the_packaged_shapes_are_small_and_know_every_place() -> None:
    assert shapes_path().stat().st_size <= 250_000
    known = shapes()
    assert set(known.points) == set(places()) - {"ROW", "WLD"}
    assert {place for place, _ in known.land} >= {"SGP", "BHR", "MLT", "NRU", "IND", "USA", "MYS"}
    assert any(place is None for place, _ in known.land)
    assert "public domain" in known.licence
    assert "Natural Earth" in known.source
    assert "say nothing on status" in known.convention


def test_points_lie_on_the_land_of_their_place() -> None:
    known = shapes()
    missed = []
    for name, point in known.points.items():
        rings = [ring for place, ring in known.land if place == name]
        if rings and not any(_inside(point, ring) for ring in rings):
            missed.append(name)
    assert set(missed) <= {"GIB", "NLD"}, missed


def _inside(point: tuple[float, float], ring: tuple[tuple[float, float], ...]) -> bool:
    (x, y), inside = point, False
    for (a, b), (c, d) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if (b > y) != (d > y) and x < (c - a) * (y - b) / (d - b) + a:
            inside = not inside
    return inside


def test_a_piece_that_crosses_the_antimeridian_is_one() -> None:
    russia = [ring for place, ring in shapes().land if place == "RUS"]
    widest = max(max(lon for lon, _ in ring) - min(lon for lon, _ in ring) for ring in russia)
    assert 150 < widest < 180
    assert max(lon for ring in russia for lon, _ in ring) > 185


def test_another_file_takes_the_place_of_the_packaged_one(tmp_path: Path, monkeypatch: Any) -> None:
    import polars as pl

    other = feature(id="CHN", properties={"point": [110.0, 30.0]}, geometry=None)
    monkeypatch.setenv("MONAZITE_SHAPES", str(write(tmp_path, feature(), other)))
    known = shapes()
    assert known.convention == "Our own lines"
    assert known.points == {"IND": inner_point(tuple(map(tuple, SQUARE))), "CHN": (110.0, 30.0)}  # type: ignore[arg-type]
    rows = {"measure": ["trade"], "commodity": ["x"], "partner": ["CHN"], "place": ["IND"], "value": [1.0]}
    assert "Our own lines" in flow_map(pl.DataFrame(rows), commodity="x").notes[-1]


@pytest.mark.parametrize(
    ("features", "given", "words"),
    [
        ([], {}, "no GeoJSON FeatureCollection"),
        ([feature()], {"convention": " "}, "name no convention"),
        (["land"], {}, "feature 1 is no object"),
        ([feature(), feature(id="India")], {}, "feature 2 has the id 'India'"),
        ([feature(geometry={"type": "Point", "coordinates": [1, 2]})], {}, "must be one of Polygon"),
        ([feature(geometry={"type": "Polygon"})], {}, "feature 1 has a ring or point"),
        ([feature(geometry={"type": "Polygon", "coordinates": [SQUARE[:2]]})], {}, "four or more"),
        ([feature(geometry={"type": "Polygon", "coordinates": [[[0, 99]] * 5]})], {}, "in degrees"),
        ([feature(properties={"point": [500.0]})], {}, "feature 1 has a ring or point"),
    ],
)
def test_a_bad_file_is_refused_in_words(
    tmp_path: Path, monkeypatch: Any, features: list[Any], given: dict[str, Any], words: str
) -> None:
    monkeypatch.setenv("MONAZITE_SHAPES", str(write(tmp_path, *features, **given)))
    with pytest.raises(FactsError, match=words):
        shapes()


def test_a_file_that_is_not_there_or_not_json_is_refused(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("MONAZITE_SHAPES", str(tmp_path / "none.json"))
    with pytest.raises(FactsError, match="MONAZITE_SHAPES"):
        shapes()
    (tmp_path / "none.json").write_text("{", encoding="utf-8")
    with pytest.raises(FactsError, match="not JSON"):
        shapes()
