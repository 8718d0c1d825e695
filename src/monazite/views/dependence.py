"""Dependence matrix: what several places draw from one state, at each stage, side by side.

Input: ``table``
    Rows of one or more results of `assess` with one acting state (``by``): measures of `MEASURES`, columns
    ``measure, chain, stage, commodity, element, place, by, value, low, high, kind, status`` as there. Of rows
    for a whole stage (``commodity`` null) those of the stage furthest along the chain are drawn, for every
    element asked for. Where no row is about a whole stage (commodities were asked for), commodity by
    commodity.

Data of the view
    One row a cell, with the columns `cells.MATRIX_TYPES`; columns are places, rows are measures, groups are
    elements. Of a single place the measures stand side by side, one row an element.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from monazite.core.errors import ArgumentError
from monazite.core.text import has, say
from monazite.views import words
from monazite.views.cells import figure, matrix_frame, note_quality
from monazite.views.numbers import percent
from monazite.views.view import View, optional_columns, require, sources_frame

__all__ = ["MEASURES", "dependence"]

#: measures drawn, in the order of their rows
MEASURES: tuple[str, ...] = (
    "direct_share",
    "mined_share",
    "separated_share",
    "metal_share",
    "component_share",
    "touch_share",
)
_NEEDED = ("measure", "chain", "stage", "place", "by", "value")
_TYPES = {
    **dict.fromkeys(
        ("measure", "chain", "stage", "commodity", "element", "place", "by", "period"), pl.String
    ),
    **dict.fromkeys(("value", "low", "high", "assumed_share"), pl.Float64),
    **dict.fromkeys(("unit", "basis", "kind", "status", "cell_id"), pl.String),
}
_HALF = 0.5
_STAGES = {
    "mined_share": "mine",
    "separated_share": "refine",
    "metal_share": "metal",
    "component_share": "component",
}


def dependence(
    table: pl.DataFrame,
    *,
    by: str,
    places: Sequence[str] | None = None,
    elements: Sequence[str] | None = None,
    sources: pl.DataFrame | None = None,
) -> View:
    """Make the matrix element × measure × place.

    Parameters
    ----------
    table
        As the head of this module says.
    by
        The acting state.
    places
        Places and groups, in the order of their columns; all of the table by default.
    elements
        Elements, in the order of their groups; all of the table by default.
    sources
        Frame of sources, in the order of their footnotes.

    Raises
    ------
    ArgumentError
        A column is missing, or no row fits.

    Examples
    --------
    >>> table = pl.DataFrame({
    ...     "measure": ["direct_share", "touch_share"], "chain": ["rare_earths"] * 2,
    ...     "stage": ["component"] * 2,
    ...     "element": ["Dy"] * 2, "place": ["IND"] * 2, "by": ["CHN"] * 2, "value": [0.72, 1.0],
    ...     "kind": ["modelled"] * 2,
    ... })
    >>> dependence(table, by="CHN").data["value"].to_list()
    [0.72, 1.0]
    """
    require("dependence", table, _NEEDED)
    frame = optional_columns(table, _TYPES).select(list(_TYPES))
    applies = pl.col("status").is_null() | (pl.col("status") != "not_applicable")
    frame = frame.filter(pl.col("measure").is_in(MEASURES) & applies)
    others = _of_elements(frame.filter((pl.col("by") != by) & (pl.col("value") > 0)))
    frame = _of_elements(frame.filter(pl.col("by") == by))
    if places is not None:
        frame = frame.filter(pl.col("place").is_in(list(places)))
    if elements is not None:
        frame = frame.filter(pl.col("element").is_in(list(elements)))
    if frame.is_empty():
        raise ArgumentError("error.view_empty", view="dependence", measure=list(MEASURES))
    columns = list(dict.fromkeys(places or frame["place"].to_list()))
    order = list(dict.fromkeys(elements or frame["element"].to_list()))
    rows = [
        row
        for good in frame["commodity"].unique(maintain_order=True).to_list()
        for row in _cells(frame.filter(pl.col("commodity").eq_missing(good)), columns, order, by, good)
    ]
    numbers = {key: n for n, key in enumerate(dict.fromkeys((r["commodity"], r["row"]) for r in rows))}
    rows = [{**row, "row": numbers[row["commodity"], row["row"]]} for row in rows]
    data = matrix_frame(rows)
    heads = [{"place": place, "label": words.place(place)} for place in columns]
    sentence, notes = _sentence(data, by), (*_notes(data, frame), *_led(data, others))
    title = say("view.dependence_title", by=words.place(by))
    if len(columns) == 1:
        rows, heads = _across(rows)
        data = matrix_frame(rows)
        title = say("view.dependence_title_one", place=words.place(columns[0]), by=words.place(by))
    return View(
        name="dependence",
        title=title,
        sentence=sentence,
        notes=notes,
        data=data,
        encoding={"picture": "matrix", "columns": heads, "share_of": say("view.legend_dependence")},
        sources=sources_frame(sources),
    )


def _across(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Lay the cells of a single place out with the steps side by side: one row an element."""
    measures = [name for name in MEASURES if any(row["measure"] == name for row in rows)]
    subjects = list(dict.fromkeys((row["commodity"], row["element"], row["stage"]) for row in rows))
    laid = []
    for row in rows:
        good, element, stage = row["commodity"], row["element"], row["stage"]
        name = words.step(None, None, element)
        column = measures.index(row["measure"])
        laid.append(
            row
            | {
                "row": subjects.index((good, element, stage)),
                "group_label": words.commodity(good)
                if good
                else say("view.dependence_uses", goods=_goods(stage, row["chain"])),
                "stage_label": "",
                "row_label": name,
                "column": column,
                "column_label": _head(row["measure"]),
            }
        )
    laid.sort(key=lambda row: (row["row"], row["column"]))
    return laid, [{"place": name, "label": _head(name)} for name in measures]


def _of_elements(frame: pl.DataFrame) -> pl.DataFrame:
    """Keep the rows of whole stages; where there are none, those of single commodities.

    What is bought of a commodity holds for each of its elements.
    """
    whole = frame.filter(pl.col("commodity").is_null() & pl.col("element").is_not_null())
    if whole.height:
        return whole
    goods = frame.filter(pl.col("commodity").is_not_null())
    traced = goods.filter(pl.col("element").is_not_null())
    keys = ["commodity", "place"]
    bought = goods.filter(pl.col("element").is_null()).drop("element")
    bought = bought.join(traced.select(*keys, "element").unique(maintain_order=True), on=keys, how="inner")
    return pl.concat([traced, bought.select(traced.columns)])


def _cells(
    frame: pl.DataFrame, columns: list[str], order: list[str], by: str, good: str | None
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    number = 0
    for element in order:
        of_element = frame.filter(pl.col("element") == element)
        if of_element.is_empty():
            continue
        stage = max(of_element["stage"].drop_nulls().to_list(), key=words.stage_order)
        of_stage = of_element.filter(pl.col("stage") == stage)
        chain = str(of_stage["chain"][0])
        group = say(
            "view.dependence_group_good" if good else "view.dependence_group",
            element=words.step(None, None, element),
            good=words.inline(words.commodity(good)),
            goods=_goods(stage, chain),
        )
        for measure in MEASURES:
            found = {row["place"]: row for row in of_stage.filter(pl.col("measure") == measure).to_dicts()}
            if not found:
                continue
            common = {
                "row": number, "group_label": group, "stage_label": _head(measure),
                "row_label": say(f"view.dependence_{measure}", by=words.place(by)), "measure": measure,
                "chain": chain, "stage": stage, "commodity": good, "element": element, "by": by,
            }  # fmt: skip
            number += 1
            rows += [
                common
                | {"column": column, "column_label": words.place(place), "place": place}
                | figure(found[place])
                for column, place in enumerate(columns)
                if place in found
            ]
    return rows


def _goods(stage: str, chain: str) -> str:
    """Return the goods of a stage: magnets, wafers, refined goods."""
    own = f"assess.goods_{stage}_{chain}"
    return say(own) if has(own) else say(f"assess.goods_{stage}")


def _head(measure: str) -> str:
    """Return the stage that a measure speaks of, as the head of its row."""
    stages = {
        "mined_share": "mine",
        "separated_share": "refine",
        "metal_share": "metal",
        "component_share": "component",
    }
    return words.stage(stages[measure]) if measure in stages else say(f"view.dependence_head_{measure}")


def _sentence(data: pl.DataFrame, by: str) -> str:
    """Say for the first element how much of each place's use passed through the state."""
    said: list[str] = []
    for (group,), part in data.group_by(["group_label"], maintain_order=True):
        touched = part.filter((pl.col("measure") == "touch_share") & pl.col("value").is_not_null())
        if touched.is_empty() or len(said) > 1:
            continue
        parts = [f"{row['column_label']} {percent(row['value'])}" for row in touched.to_dicts()]
        said.append(
            say("view.dependence_sentence", group=words.inline(str(group)), by=words.place(by), parts=parts)
        )
    return " ".join(said)


def _led(data: pl.DataFrame, others: pl.DataFrame) -> list[str]:
    """Say which figures have no row since another state leads: each row of a table is about its leader."""
    keys = ["measure", "chain", "stage", "commodity", "element", "place"]
    groups = data.select(*keys[1:5]).unique()
    beside = others.join(groups, on=keys[1:5], how="semi", nulls_equal=True)
    beside = beside.filter(pl.col("place").is_in(data["place"].unique().to_list()))
    beside = beside.join(data, on=keys, how="anti", nulls_equal=True)
    several = data["place"].n_unique() > 1
    parts = []
    for row in beside.iter_rows(named=True):
        how = say(f"view.dependence_{row['measure']}", by=words.place(row["by"]))
        part = say(
            "view.note_led_part", element=words.element(row["element"]), how=how, share=percent(row["value"])
        )
        place = words.place(row["place"])
        parts.append(say("view.note_led_place", place=place, part=part) if several else part)
    return [say("view.note_led", parts=parts)] if parts else []


def _notes(data: pl.DataFrame, frame: pl.DataFrame) -> tuple[str, ...]:
    soft = frame.filter(pl.col("assumed_share") > _HALF).height
    notes = [note_quality(data["quality"].to_list()), say("view.note_dependence")]
    if soft:
        notes.append(say("view.note_soft", count=soft, cells=frame.height))
    years = sorted(frame["period"].drop_nulls().unique().to_list())
    if years:
        notes.append(say("view.note_years", years=years))
    return tuple(notes)
