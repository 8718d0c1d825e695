"""A picture is one specification, the same to the byte in any process, readable without colour."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import polars as pl
import pytest

from monazite.core.errors import UnknownName
from monazite.draw import PICTURES, png, specification, svg, theme
from monazite.draw.layout import layout
from monazite.views import View, chokepoint, coverage_map, flow_map, ranking, sankey, timeline, tornado

GOLDEN = Path(__file__).parents[1] / "golden" / "views"
NAMES = ("chokepoint", "timeline", "sankey", "map", "tornado", "coverage", "ranking")


def read(name: str) -> pl.DataFrame:
    frame = pl.read_csv(GOLDEN / name, infer_schema_length=None)
    return frame.with_columns(pl.col("period").cast(pl.String)) if "period" in frame.columns else frame


@cache
def view(name: str) -> View:
    if name == "chokepoint":
        return chokepoint(read("chokepoint_input.csv"))
    if name == "timeline":
        controls = [("2025-04", "licences"), ("2025-05", "list"), ("2025-11", "suspended")]
        return timeline(read("timeline_input.csv"), read("timeline_observed.csv"), controls=controls)
    if name == "sankey":
        return sankey(read("sankey_input.csv"), chain="rare_earths")
    if name == "map":
        return flow_map(read("map_input.csv"), commodity="ndpr_oxide", top=6, focus="IND")
    if name == "coverage":
        return coverage_map(read("coverage_input.csv"))
    if name == "tornado":
        return tornado(read("tornado_input.csv"))
    table = pl.DataFrame({
        "measure": ["cover"] * 3, "place": ["IND", "USA", "JPN"], "value": [0.2, 0.3, None],
        "low": [0.1, None, None], "high": [0.4, None, None], "unit": ["1"] * 3,
        "kind": ["modelled", "reported", None], "status": ["ok", "ok", "missing"],
    })  # fmt: skip
    return ranking(table, measure="cover")


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_the_same_to_the_byte_twice_in_one_process(name: str) -> None:
    other = "sankey" if name != "sankey" else "chokepoint"
    first = svg(view(name))
    svg(view(other))  # counters of the renderer move on in between
    assert svg(view(name)) == first == drawn(name)


def test_pictures_are_the_same_to_the_byte_in_another_process() -> None:
    code = (
        "import hashlib, importlib.util as u\n"
        f"s = u.spec_from_file_location('t', {str(Path(__file__))!r})\n"
        "m = u.module_from_spec(s); s.loader.exec_module(m)\n"
        "print([hashlib.sha256(m.svg(m.view(n)).encode()).hexdigest() for n in reversed(m.NAMES)])\n"
    )
    env = {**os.environ, "PYTHONHASHSEED": "77", "TZ": "Asia/Kolkata"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    here = [hashlib.sha256(drawn(name).encode()).hexdigest() for name in reversed(NAMES)]
    assert done.stdout.strip() == str(here)


@cache
def drawn(name: str) -> str:
    return svg(view(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_names_itself_and_refers_to_nothing_outside(name: str) -> None:
    made = view(name)
    root = ET.fromstring(drawn(name))
    space = "{http://www.w3.org/2000/svg}"
    assert root.attrib["role"] == "img"
    assert root.findtext(f"{space}title") == made.title
    assert root.findtext(f"{space}desc") == made.sentence
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    assert all(identity.startswith(f"{name}-") or name == "ranking" for identity in ids)
    assert "http" not in drawn(name).replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_text_stands_inside_the_frame(name: str) -> None:
    root = ET.fromstring(drawn(name))
    width, height = (float(root.attrib[side]) for side in ("width", "height"))
    for x, y, element in _texts(root):
        text = "".join(element.itertext())
        size = float(element.attrib.get("font-size", "12px").removesuffix("px"))
        wide = (
            0.52 * size * max(len(line.text or "") for line in element)
            if len(element)
            else 0.52 * size * len(text)
        )
        anchor = element.attrib.get("text-anchor", "start")
        left = x - {"start": 0.0, "middle": wide / 2, "end": wide}[anchor]
        assert left >= -6, (name, text)
        assert left + wide <= width + 6, (name, text)
        assert 0 <= y <= height, (name, text)


def _texts(root: ET.Element) -> list[tuple[float, float, ET.Element]]:
    found: list[tuple[float, float, ET.Element]] = []

    def walk(element: ET.Element, x: float, y: float) -> None:
        moved = re.match(r"translate\(([-\d.]+),([-\d.]+)\)", element.attrib.get("transform", ""))
        if moved:
            x, y = x + float(moved[1]), y + float(moved[2])
        if element.tag.endswith("text"):
            found.append((x, y, element))
            return
        for child in element:
            walk(child, x, y)

    walk(root, 0.0, 0.0)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_specification_is_plain_json_with_its_data_inside(name: str) -> None:
    made = specification(view(name))
    text = json.dumps(made, allow_nan=False)
    assert '"url"' not in text
    assert made["$schema"] == theme.SCHEMA


def test_every_cell_of_the_matrix_can_be_found_by_its_id() -> None:
    table = (
        read("chokepoint_input.csv")
        .with_row_index()
        .with_columns(pl.concat_str(pl.lit("id"), "index").alias("cell_id"))
    )
    made = chokepoint(table)
    known = {row["cell_id"] for row in made.data.to_dicts() if row["cell_id"]}
    assert len(known) > 30
    assert known <= set(_values(specification(made), "cell_id"))


def _values(node: Any, key: str) -> list[Any]:
    if isinstance(node, dict):
        own = [node[key]] if key in node else []
        return own + [item for value in node.values() for item in _values(value, key)]
    return [item for value in node for item in _values(value, key)] if isinstance(node, list) else []


def test_text_from_a_table_cannot_break_out_of_a_picture() -> None:
    table = pl.DataFrame({
        "measure": ["share"], "chain": ["</svg><script>x</script>"], "stage": ["mine"],
        "by": ['"><b onload=x>'],
        "value": [0.5], "kind": ["reported"],
    })  # fmt: skip
    root = ET.fromstring(svg(chokepoint(table)))
    names = {str(element.tag).rpartition("}")[2] for element in root.iter()}
    assert names <= {
        "svg",
        "title",
        "desc",
        "g",
        "path",
        "text",
        "tspan",
        "rect",
        "line",
        "defs",
        "clipPath",
        "circle",
    }


def test_a_picture_that_nobody_draws_is_refused_by_name() -> None:
    wrong = replace(view("ranking"), encoding={"picture": "line"})
    with pytest.raises(UnknownName, match="lines"):
        specification(wrong)


def test_every_drawing_has_a_view() -> None:
    assert {str(view(name).encoding["picture"]) for name in NAMES} == set(PICTURES)


def test_a_png_is_a_png() -> None:
    assert png(view("ranking"), scale=1).startswith(b"\x89PNG")


def test_the_scale_of_the_sankey_is_one_for_all_nodes_and_ribbons() -> None:
    nodes, links = layout(view("sankey"))
    heights = {round((node["y2"] - node["y"]) / node["value"], 9) for node in nodes if node["value"] > 1000}
    assert len(heights) == 1
    scale = heights.pop()
    for link in links:
        if link["value"] > 1000:
            assert link["thick"] == pytest.approx(link["value"] * scale, rel=1e-6)


def test_nodes_of_the_sankey_do_not_overlap() -> None:
    nodes, _ = layout(view("sankey"))
    for stage in {node["stage"] for node in nodes}:
        column = sorted((node["y"], node["y2"]) for node in nodes if node["stage"] == stage)
        assert all(before[1] < after[0] for before, after in pairwise(column))


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", [*theme.HUES, theme.ACCENT, theme.MUTED, theme.GREY])
def test_hues_stand_out_from_paper_three_to_one(colour: str) -> None:
    assert _contrast(colour, theme.PAPER) >= 3.0


def test_at_most_six_hues_and_a_dash_and_shape_for_each() -> None:
    assert len(theme.HUES) == len(set(map(str, theme.DASHES))) == len(set(theme.SHAPES)) == 6


def test_blues_darken_with_the_share_and_their_text_can_be_read() -> None:
    light = [_luminance(colour) for colour in theme.BLUES]
    assert light == sorted(light, reverse=True)
    for colour in theme.BLUES:
        assert _contrast(theme.text_on(colour), colour) >= 4.5


def test_labels_moved_apart_keep_their_gap_and_their_order() -> None:
    placed = theme.spread([50.0, 51.0, 52.0, 90.0], 10.0, 0.0, 100.0)
    assert placed == sorted(placed)
    assert all(after - before >= 10 - 1e-9 for before, after in pairwise(placed))
    assert placed[0] >= 0
    assert placed[-1] <= 100
