"""The palette and the page's copy of a picture: every colour named, readable in both themes, nothing lost."""

from __future__ import annotations

import importlib.util
import json
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import polars as pl
import pytest

from monazite.draw import page_picture, render, specification, stylesheet, theme
from monazite.draw.palette import PALETTE, named
from monazite.views import chokepoint, timeline

NAMES = ("chokepoint", "timeline", "sankey", "map", "tornado", "coverage", "ranking")
LARGEST = {
    "chokepoint": 25_000, "timeline": 60_000, "sankey": 35_000, "map": 75_000, "tornado": 25_000,
    "ranking": 10_000, "coverage": 15_000,
}  # fmt: skip
THEMES = (0, 1)
TEXTS = ("ink", "muted", "accent-text", "link", *(f"hue-{number}-text" for number in range(1, 7)))
MARKS = ("grey", "accent", "frame", "loss", "stock", "scrap", "focus", *(f"hue-{n}" for n in range(1, 7)))


@cache
def pictures() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "pictures", Path(__file__).with_name("test_draw_pictures.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def page(name: str) -> dict[str, Any]:
    return page_picture(pictures().view(name))


@pytest.mark.parametrize("name", NAMES)
def test_no_raw_colour_is_left_in_a_page_picture(name: str) -> None:
    made = page(name)
    text = json.dumps(made, ensure_ascii=False)
    assert re.findall(r"#[0-9A-Fa-f]{3,8}\b|rgba?\(|hsla?\(", text) == []
    assert not re.search(
        r'"(fill|stroke|color|labelColor)":\s*\{?"?(value)?"?:?\s*"(black|white|gr[ae]y)"', text
    )
    tokens = set(re.findall(r"var\(--([a-z0-9-]+)\)", text))
    assert tokens
    assert tokens <= set(PALETTE)
    assert "background" not in made


@pytest.mark.parametrize("name", NAMES)
def test_a_page_picture_is_small(name: str) -> None:
    assert len(json.dumps(page(name), separators=(",", ":"), ensure_ascii=False)) <= LARGEST[name]


def _drawn(svg: str) -> list[tuple[str, list[str], list[float]]]:
    """What is drawn: each element's tag, its look, and its numbers in the order of the document."""
    found = []

    def walk(node: ET.Element, moved: tuple[float, float]) -> None:
        shift = [float(number) for number in _numbers(node.attrib.get("transform", ""))[:2]]
        if len(shift) == 2:
            moved = (moved[0] + shift[0], moved[1] + shift[1])
        tag = node.tag.rpartition("}")[2]
        if tag in ("path", "text", "rect", "line", "circle"):
            look = [str(node.attrib.get(key, "")) for key in ("fill", "stroke", "stroke-width", "opacity")]
            look[:2] = ["" if item in ("none", "transparent") else item for item in look[:2]]
            look[2] = look[2] if look[1] else ""
            look.append("".join(node.itertext()))
            places = [
                float(item) for key in ("d", "x", "y", "x2", "y2") for item in _numbers(node.get(key, ""))
            ]
            if node.attrib.get("d", "-") and node.attrib.get("opacity") != "0":
                found.append((tag, look, [*moved, *places]))
        for child in node:
            walk(child, moved)

    walk(ET.fromstring(svg), (0.0, 0.0))
    return found


def _numbers(text: str) -> list[str]:
    return re.findall(r"-?\d*\.?\d+(?:e-?\d+)?", text)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_draws_what_the_specification_draws(name: str) -> None:
    converter = render._converter()
    whole = named(specification(pictures().view(name)), dark=False)
    one = _drawn(converter.vegalite_to_svg(whole, vl_version=render.VEGA_LITE))
    other = _drawn(converter.vega_to_svg({**named(page(name), dark=False), "background": theme.PAPER}))
    assert [item[:2] for item in one] == [item[:2] for item in other]
    for first, second in zip(one, other, strict=True):
        assert second[2] == pytest.approx(first[2], abs=0.11)


def test_only_marks_of_cells_take_the_pointer_and_carry_their_cell() -> None:
    table = pictures().read("chokepoint_input.csv").with_row_index()
    table = table.with_columns(pl.concat_str(pl.lit("id"), "index").alias("cell_id"))
    made = page_picture(chokepoint(table))
    rows = {item["name"]: item.get("values", []) for item in made["data"]}
    told = {row["cell_id"] for values in rows.values() for row in values if "cell_id" in row}
    known = {cell for cell in chokepoint(table).data["cell_id"].to_list() if cell}
    assert told == known
    for mark in made["marks"]:
        assert mark["aria"] is False
        assert mark["interactive"] == any("cell_id" in row for row in rows[mark["from"]["data"]])


def test_each_month_of_a_line_can_be_opened() -> None:
    table = pictures().read("timeline_input.csv").with_row_index()
    table = table.with_columns(pl.concat_str(pl.lit("id"), "index").alias("cell_id"))
    view = timeline(table)
    made = page_picture(view)
    rows = {item["name"]: item.get("values", []) for item in made["data"]}
    opened: set[str] = set()

    def walk(marks: list[dict[str, Any]]) -> None:
        for mark in marks:
            walk(mark.get("marks", []))
            if mark.get("interactive") and mark["type"] == "symbol":
                opened.update(row["cell_id"] for row in rows[mark["from"]["data"]] if "cell_id" in row)
            assert not (mark.get("interactive") and mark["type"] in ("line", "area"))

    walk(made["marks"])
    assert opened == {cell for cell in view.data["cell_id"].to_list() if cell}


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_no_two_tokens_share_a_colour_in_a_theme() -> None:
    for side in THEMES:
        assert len({pair[side].lower() for pair in PALETTE.values()}) == len(PALETTE)


@pytest.mark.parametrize("side", THEMES)
@pytest.mark.parametrize("token", TEXTS)
def test_words_can_be_read_on_what_they_stand_on(side: int, token: str) -> None:
    for ground in ("paper", "faint", "accent-ground", "sea"):
        assert _contrast(PALETTE[token][side], PALETTE[ground][side]) >= 4.5, ground


@pytest.mark.parametrize("side", THEMES)
def test_ink_can_be_read_on_every_ground(side: int) -> None:
    for ground in ("paper", "faint", "land", "sea", "mark", "pale", "accent-ground"):
        assert _contrast(PALETTE["ink"][side], PALETTE[ground][side]) >= 4.5, ground
    assert _contrast(PALETTE["muted"][side], PALETTE["land"][side]) >= 4.5


@pytest.mark.parametrize("side", THEMES)
@pytest.mark.parametrize("token", MARKS)
def test_marks_stand_out_from_paper(side: int, token: str) -> None:
    assert _contrast(PALETTE[token][side], PALETTE["paper"][side]) >= 3.0


@pytest.mark.parametrize("side", THEMES)
def test_blues_grow_stronger_with_the_share_and_their_words_and_hatching_show(side: int) -> None:
    strong = [_contrast(PALETTE[f"blue-{number}"][side], PALETTE["paper"][side]) for number in range(1, 6)]
    assert strong == sorted(strong)
    assert all(after / before > 1.25 for before, after in pairwise(strong))
    for number in range(1, 6):
        depth = "pale" if number <= 3 else "deep"
        blue = PALETTE[f"blue-{number}"][side]
        assert _contrast(PALETTE[f"on-{depth}"][side], blue) >= 4.5
        assert _contrast(PALETTE[f"hatch-{depth}"][side], blue) >= 3.0


def test_the_style_sheet_has_every_token_in_each_theme_and_prints_on_white() -> None:
    text = stylesheet()
    assert text.count("color-scheme: light;") == 2
    assert text.count("color-scheme: dark;") == 2
    for token, pair in PALETTE.items():
        assert text.count(f"--{token}: {pair[0]};") == 2
        assert text.count(f"--{token}: {pair[1]};") == 2
    assert text.rindex("@media print") > text.index(":root[data-theme=dark] {")
