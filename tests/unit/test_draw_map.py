"""The flow map as it is drawn: equal areas, arrows that keep apart and inside, words that hit nothing."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from monazite.draw import specification, theme
from monazite.draw.arrows import Arrow
from monazite.draw.labels import place_labels
from monazite.draw.land import land
from monazite.draw.map import HEIGHT, WIDTH
from monazite.draw.projection import equal_earth, framed
from monazite.views import View, flow_map

GOLDEN = Path(__file__).parents[1] / "golden" / "views"


def view(**given: Any) -> View:
    frame = pl.read_csv(GOLDEN / "map_input.csv", infer_schema_length=None)
    frame = frame.with_columns(pl.col("period").cast(pl.String))
    return flow_map(frame, **{"commodity": "ndpr_oxide", "top": 12, **given})


def rows(made: View, key: str) -> list[dict[str, Any]]:
    found = []
    for layer in specification(made)["layer"]:
        found += [row for row in layer["data"]["values"] if key in row]
    return found


@pytest.mark.parametrize("lat", [0.0, 25.0, 50.0, 70.0])
def test_the_projection_keeps_areas(lat: float) -> None:
    lon, step = 40.0, 0.01
    east, north = equal_earth(lon + step, lat), equal_earth(lon, lat + step)
    here = equal_earth(lon, lat)
    area = abs((east[0] - here[0]) * (north[1] - here[1]) - (north[0] - here[0]) * (east[1] - here[1]))
    sphere = math.radians(step) ** 2 * math.cos(math.radians(lat + step / 2))
    assert area == pytest.approx(sphere, rel=2e-3)


def test_every_flow_has_an_arrow_that_can_be_found_by_its_cell() -> None:
    made = view(focus="IND")
    told = [row["cell_id"] for row in rows(made, "partner")]
    assert set(told) == set(made.data.filter(pl.col("item") == "arc")["cell_id"])


def test_widths_are_in_proportion_to_the_tonnes() -> None:
    arrows = {row["cell_id"]: row for row in rows(view(), "partner") if "wide" not in row}
    wide = {name: _head(arrows[name]["shape"]) - 2 * 2.6 for name in ("m01", "m03", "m06")}
    assert wide["m01"] / wide["m03"] == pytest.approx(1480 / 1290, rel=0.03)
    assert wide["m01"] / wide["m06"] == pytest.approx(1480 / 870, rel=0.03)


def _head(shape: str) -> float:
    """Return the width of the head: the last piece of a broken arrow."""
    last = shape.rpartition("M")[2]
    one, _, other = (tuple(map(float, pair.split(","))) for pair in re.findall(r"-?[\d.]+,-?[\d.]+", last))
    return math.dist(one, other)


@pytest.mark.parametrize("focus", [None, "IND", "QUAD", "ROW"])
def test_arrows_stay_on_the_map(focus: str | None) -> None:
    for row in rows(view(focus=focus), "partner"):
        for pair in re.findall(r"-?[\d.]+,-?[\d.]+", row["shape"]):
            x, y = (float(part) for part in pair.split(","))
            assert -12 <= row["x"] + x <= WIDTH + 12
            assert -12 <= row["y"] + y <= HEIGHT + 12


def test_there_and_back_do_not_lie_on_each_other() -> None:
    there = Arrow((0.0, 0.0), (100.0, 0.0), 0.2, 2.0)
    back = Arrow((100.0, 0.0), (0.0, 0.0), 0.2, 2.0)
    assert there.middle[1] < 0 < back.middle[1]


def test_only_a_reported_flow_is_one_piece() -> None:
    arrow = Arrow((0.0, 0.0), (200.0, 30.0), 0.2, 6.0)
    pieces = {quality: arrow.shape(quality).count("M") for quality in ("solid", "hatched", "hollow")}
    assert pieces["solid"] == 1
    assert 1 < pieces["hatched"] < pieces["hollow"]


def test_flows_of_others_stand_back_where_there_is_a_focus() -> None:
    drawn = {row["cell_id"]: row for row in rows(view(focus="IND"), "partner")}
    assert drawn["m09"]["fade"] > drawn["m02"]["fade"]
    assert drawn["m02"]["hue"] == theme.GREY
    assert all(row["hue"] != theme.GREY for row in rows(view(), "partner") if row["partner"] == "MYS")


def test_the_side_of_the_globe_follows_the_tonnes() -> None:
    pacific = _ends(view_of("CHN", "USA"))
    atlantic = _ends(view_of("DEU", "USA"))
    assert pacific["CHN"] < pacific["USA"]
    assert atlantic["USA"] < atlantic["DEU"]


def view_of(partner: str, place: str) -> View:
    table = pl.DataFrame({
        "measure": ["trade"], "commodity": ["x"], "partner": [partner], "place": [place], "value": [9.0],
        "kind": ["reported"],
    })  # fmt: skip
    return flow_map(table, commodity="x")


def _ends(made: View) -> dict[str, float]:
    (row,) = rows(made, "partner")
    points = re.findall(r"(-?[\d.]+),(-?[\d.]+)", row["shape"])
    far = max((float(x) for x, _ in points), key=abs)
    return {row["partner"]: row["x"], row["place"]: row["x"] + far}


def test_what_is_no_place_stands_at_sea() -> None:
    made = view()
    square = next(layer for layer in specification(made)["layer"] if layer["mark"].get("shape") == "square")
    (spot,) = square["data"]["values"]
    assert spot["y"] > HEIGHT * 0.6
    assert 0 < spot["x"] < WIDTH


def test_land_is_cut_at_the_frame_and_small_enough() -> None:
    whole = framed(150.0, [], WIDTH, HEIGHT)
    path = land(whole).path
    assert len(path) <= 60_000
    close = framed(150.0, [equal_earth(-45.0, 20.0), equal_earth(-20.0, 40.0)], WIDTH, HEIGHT, closest=2.4)
    assert close.scale > 2 * whole.scale
    edges = land(close).edges
    assert edges[:, 0].min() >= -1e-6
    assert edges[:, 0].max() <= WIDTH + 1e-6
    assert edges[:, 1].max() <= HEIGHT + 1e-6


def test_labels_keep_clear_of_each_other() -> None:
    wanted = [((100.0 + 6 * n, 100.0), 4.0, 60.0, 14.0) for n in range(5)]
    placed = place_labels(wanted, [], (0.0, 0.0, 300.0, 200.0))
    boxes = []
    for label in placed:
        left = {"left": label.x, "right": label.x - 60, "center": label.x - 30}[label.align]
        boxes.append((left, label.y - 7, left + 60, label.y + 7))
    for number, (a, b, c, d) in enumerate(boxes):
        assert a >= 0
        assert c <= 300
        for e, f, g, h in boxes[:number]:
            assert min(c, g) <= max(a, e) or min(d, h) <= max(b, f)
