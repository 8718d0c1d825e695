"""The page's copy of a picture: compiled to Vega, every colour named, nothing in it that draws nothing.

It is the same specification, so it shows the same picture; a test draws both and compares. What the compiler
writes to be safe with any data (filters, conversions, descriptions of marks, scales from pixels to pixels) is
left out where these data do not need it, and so are the columns that no mark reads.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from monazite.draw import render
from monazite.draw.palette import named
from monazite.draw.pictures import specification
from monazite.draw.theme import INK
from monazite.views.view import View

__all__ = ["page_picture"]

Item = dict[str, Any]

_DATUM = re.compile(r'datum\["([^"]+)"\]')
_VALID = re.compile(r'^(isValid\(datum\["([^"]+)"\]\) && isFinite\(\+datum\["\2"\]\)( && )?)+$')
_NUMBER = re.compile(r'^toNumber\(datum\["([^"]+)"\]\)$')
_TEXT = re.compile(r'^isValid\(datum\["([^"]+)"\]\) \? datum\["\1"\] : ""\+datum\["\1"\]$')
_TOLD = ("description", "ariaRoleDescription")
_CELL = "cell_id"
_PATHS = ("line", "area", "trail")
_DIGITS = 7
_REACH = 110  # size of the unseen spot around a point of a line that can be opened


def page_picture(view: View) -> Item:
    """Return a view's picture as Vega whose colours are the tokens of `draw.stylesheet`.

    Parameters
    ----------
    view
        A view.

    Returns
    -------
    dict
        Vega specification, background transparent, colours ``var(--token)``: for Vega's SVG renderer, which
        writes them as presentation attributes. Its description is the view's sentence. Only a mark that
        stands for a cell takes the pointer; its datum has the ``cell_id``.

    Raises
    ------
    UnknownName
        Nobody draws the view's picture.
    MonaziteError
        The extra ``report`` is not installed.

    Examples
    --------
    >>> import polars as pl
    >>> from monazite.views import ranking
    >>> table = pl.DataFrame({"measure": ["hhi"], "stage": ["mine"], "value": [0.49], "kind": ["derived"]})
    >>> made = page_picture(ranking(table, measure="hhi"))
    >>> made["config"]["axis"]["labelColor"], "background" in made
    ('var(--muted)', False)
    """
    made = named(_slim(render.vega(specification(view))))
    assert isinstance(made, dict)
    return made


def _slim(spec: Item) -> Item:
    spec.pop("background", None)
    data = {item["name"]: item for item in spec.get("data", [])}
    _settle(data)
    styles = spec.get("config", {}).get("style", {})
    pixels = _pixels(spec)
    for mark in _marks(spec):
        rows = _rows(mark, data, spec)
        _plain(mark, rows, styles, pixels)
    spec["scales"] = [scale for scale in spec.get("scales", []) if scale["name"] not in pixels]
    for group in [spec, *_marks(spec)]:
        if "marks" in group:
            group["marks"] = [extra for mark in group["marks"] for extra in _openable(mark, data)]
    used = _used(spec, data)
    spec["data"] = [_kept(data[name], *used[name]) for name in data if name in used]
    return {key: value for key, value in spec.items() if value != []}


def _settle(data: dict[str, Item]) -> None:
    """Drop filters and conversions that change nothing; what is then only a copy becomes its source."""
    for item in data.values():
        item.pop("format", None)
        rows = data[item["source"]]["values"] if "source" in item and _given(item, data) else None
        if rows is not None:
            left = [step for step in item.get("transform", []) if not _idle(step, rows)]
            if left:
                item["transform"] = left
            else:
                item.pop("transform", None)
                item["same"] = item.pop("source")


def _given(item: Item, data: dict[str, Item]) -> bool:
    return "values" in data.get(item["source"], {})


def _idle(step: Item, rows: list[Item]) -> bool:
    """Tell whether a step leaves these rows as they are."""
    if step["type"] == "filter" and _VALID.match(step["expr"]):
        return _finite(rows, _DATUM.findall(step["expr"]))
    if step["type"] == "formula" and (found := _NUMBER.match(step["expr"])) and step["as"] == found[1]:
        return _finite(rows, [found[1]])
    return False


def _finite(rows: list[Item], fields: Iterable[str]) -> bool:
    return all(
        isinstance(row.get(name), (int, float)) and math.isfinite(row[name])
        for name in fields
        for row in rows
    )


def _marks(group: Item) -> Iterator[Item]:
    for mark in group.get("marks", []):
        yield mark
        yield from _marks(mark)


def _source(name: str, data: dict[str, Item]) -> str:
    return _source(data[name]["same"], data) if "same" in data[name] else name


def _rows(mark: Item, data: dict[str, Item], spec: Item) -> list[Item] | None:
    """Return the rows of a mark where they are known beforehand, and let it read their first source."""
    come = mark.get("from", {})
    place = come.get("facet", come)
    if place.get("data") in data:
        place["data"] = _source(place["data"], data)
        rows = data[place["data"]].get("values")
        return rows if isinstance(rows, list) else None
    for group in _marks(spec):  # a mark within a facet reads the facet's part of the rows
        facet = group.get("from", {}).get("facet", {})
        if facet.get("name") == place.get("data") and facet.get("data") in data:
            rows = data[_source(facet["data"], data)].get("values")
            return rows if isinstance(rows, list) else None
    return None


def _pixels(spec: Item) -> set[str]:
    """Names of the scales that turn pixels into the same pixels."""
    return {
        scale["name"]
        for scale in spec.get("scales", [])
        if scale["type"] == "linear" and scale["domain"] == scale["range"]
    }


def _plain(mark: Item, rows: list[Item] | None, styles: Item, pixels: set[str]) -> None:
    """Say what a mark looks like in the shortest way that means the same for these rows."""
    if mark["type"] == "group":
        mark.pop("name", None)
        return
    mark.pop("name", None)
    mark["style"] = [name for name in mark.get("style", []) if name in styles]
    if not mark["style"]:
        del mark["style"]
    cells = mark.get("aria") is not False and any(row.get(_CELL) is not None for row in rows or [])
    mark["aria"] = False
    mark["interactive"] = cells
    encode = mark["encode"]["update"]
    for channel in (*_TOLD, *(("defined",) if rows is not None and _whole(encode, rows) else ())):
        encode.pop(channel, None)
    for channel, value in encode.items():
        if not isinstance(value, dict):
            continue
        found = _TEXT.match(str(value.get("signal", "")))
        if found and rows is not None and all(row.get(found[1]) is not None for row in rows):
            encode[channel] = {"field": found[1]}
        if value.get("scale") in pixels:
            del value["scale"]
        if channel == "fill" and value == {"value": "transparent"}:
            encode[channel] = {"value": "none"}


def _whole(encode: Item, rows: list[Item]) -> bool:
    signal = str(encode.get("defined", {}).get("signal", ""))
    return bool(_VALID.match(signal)) and _finite(rows, _DATUM.findall(signal))


def _openable(mark: Item, data: dict[str, Item]) -> list[Item]:
    """Give a line that stands for cells an unseen spot at each of its points: a path is only one mark."""
    if mark["type"] not in _PATHS or not mark.get("interactive"):
        return [mark]
    mark["interactive"] = False
    if mark["type"] != "line" or mark.get("from", {}).get("data") not in data:
        return [mark]
    place = {channel: dict(mark["encode"]["update"][channel]) for channel in ("x", "y")}
    spot = {**place, "size": {"value": _REACH}, "fill": {"value": INK}, "opacity": {"value": 0}}
    made = {"type": "symbol", "aria": False, "interactive": True, "from": mark["from"]}
    return [mark, {**made, "encode": {"update": spot}}]


def _used(spec: Item, data: dict[str, Item]) -> dict[str, tuple[set[str], set[str]]]:
    """Return for every source that is read: all fields read, and those of them that are pixels."""
    used: dict[str, tuple[set[str], set[str]]] = {}
    facets: dict[str, str] = {}
    for mark in _marks(spec):
        come = mark.get("from", {})
        facet = come.get("facet")
        if facet:
            facets[facet["name"]] = facet["data"]
        name = facet["data"] if facet else come.get("data")
        name = facets.get(name, name)
        if name not in data:
            continue
        fields, pixels = used.setdefault(name, (set(), set()))
        if facet:
            fields.update(facet.get("groupby", []))
            continue
        if mark.get("interactive"):
            fields.add(_CELL)
        for channel, value in mark["encode"]["update"].items():
            read = set(_fields(value))
            fields |= read
            if channel in ("x", "y", "x2", "y2") and "scale" not in value:
                pixels |= read
        fields.update(_fields({key: mark[key] for key in ("sort",) if key in mark}))
    for name in list(used):
        steps = data[name].get("transform", [])
        used[name][0].update(*(_DATUM.findall(str(step.get("expr", ""))) for step in steps))
        if "source" in data[name]:
            fields, pixels = used.setdefault(data[name]["source"], (set(), set()))
            fields |= used[name][0]
            pixels |= used[name][1]
    return used


def _fields(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("field"), str):
            yield node["field"]
        yield from _DATUM.findall(str(node.get("signal", "")))
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _fields(value)


def _kept(item: Item, fields: set[str], pixels: set[str]) -> Item:
    if "values" not in item:
        return item
    rows = [
        {name: _short(row[name], 1 if name in pixels else None) for name in row if name in fields}
        for row in item["values"]
    ]
    for row in rows:
        if row.get(_CELL, "") is None:
            del row[_CELL]
    return {**item, "values": rows}


def _short(value: Any, decimals: int | None) -> Any:
    """Round pixels to tenths, anything else to seven digits."""
    if not isinstance(value, float) or not math.isfinite(value) or value == 0:
        return value
    if decimals is None:
        decimals = _DIGITS - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, decimals)
    return int(rounded) if rounded == int(rounded) else rounded
