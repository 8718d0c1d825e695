"""Chokepoint matrix: at each step of each chain, which state holds how much, and how well that is known.

Input: ``table``
    A result table (`core.result.TABLE_COLUMNS`) with one row per step and acting state:

    ========== =====================================================================================
    measure    the one drawn, ``share`` by default; other measures are left out
    chain      chain of the step
    stage      stage of the step (``data/schema/stages.csv``)
    commodity  commodity of the step, or null for the stage as a whole
    element    element in which a whole stage is weighed; optional
    place      whose use is answered; null or ``WLD``: the world's output. One place in one picture
    by         the acting state; null with a null value: nothing is known about the whole step
    period     year of the figure; it may differ between chains
    value      share 0 to 1; null where there is none
    low, high  p10 and p90, or the bounds of a withheld figure; may be null
    kind       reported, estimated, derived, assumed, modelled
    status     ok, provisional, withheld, missing, not_applicable, insufficient
    ========== =====================================================================================

    ``unit``, ``basis`` and ``cell_id`` are carried through where given; further columns are ignored.

Data of the view
    One row a cell, with the columns `cells.MATRIX_TYPES`. Column ``OTHERS`` sums the states without a column
    of their own (kind of most of it; no range). A pair of step and state without a row in the table has none
    here: nothing is made up for it, and it is left blank.

Marks (``quality``): solid = reported; hatched = estimated, derived or modelled; hollow = assumed; unknown =
no public figure, or not enough facts, drawn hollow with "?".
"""

from __future__ import annotations

from typing import Any

import polars as pl

from monazite.core.errors import ArgumentError
from monazite.core.text import say
from monazite.views import words
from monazite.views.cells import figure, matrix_frame, note_quality
from monazite.views.numbers import percent
from monazite.views.view import View, dominant, optional_columns, require, sources_frame

__all__ = ["OTHERS", "chokepoint"]

OTHERS = "OTHERS"

_NEEDED = ("measure", "chain", "stage", "by", "value")
_TYPES = {
    "measure": pl.String, "chain": pl.String, "stage": pl.String, "commodity": pl.String,
    "element": pl.String, "place": pl.String, "by": pl.String,
    "period": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "unit": pl.String, "basis": pl.String, "kind": pl.String, "status": pl.String, "cell_id": pl.String,
}  # fmt: skip
_STEP = ("chain", "stage", "commodity", "element")
_WORLD = "WLD"
_SORTS = ("stage", "share")


def chokepoint(
    table: pl.DataFrame,
    *,
    sources: pl.DataFrame | None = None,
    measure: str = "share",
    top: int = 6,
    sort: str = "stage",
) -> View:
    """Make the matrix chain × step × state.

    Parameters
    ----------
    table
        As the head of this module says.
    sources
        Frame of sources, in the order of their footnotes.
    measure
        Which measure of the table to show: a share, 0 to 1.
    top
        How many states get a column of their own; the others are summed.
    sort
        ``stage``: chains one after the other, each along its stages. ``share``: within a chain the step with
        the highest single share first.

    Returns
    -------
    View
        With ``encoding["picture"] == "matrix"``.

    Raises
    ------
    ArgumentError
        A column is missing, the table has no row of the measure, mixes places, has a cell twice, or a share
        lies outside 0 to 1.

    Examples
    --------
    >>> table = pl.DataFrame({
    ...     "measure": ["share"] * 3, "chain": ["rare_earths"] * 3, "stage": ["mine", "mine", "refine"],
    ...     "by": ["CHN", "USA", "CHN"], "value": [0.68, 0.12, 0.9],
    ...     "kind": ["reported", "reported", "estimated"],
    ... })
    >>> view = chokepoint(table)
    >>> view.data.select("row_label", "by", "quality").rows()
    [('Mining', 'CHN', 'solid'), ('Mining', 'USA', 'solid'), ('Refining', 'CHN', 'hatched')]
    """
    require("chokepoint", table, _NEEDED)
    if sort not in _SORTS:
        raise ArgumentError("error.view_choice", name="sort", given=sort, known=_SORTS)
    frame = optional_columns(table, _TYPES).filter(pl.col("measure") == measure).select(list(_TYPES))
    _check(frame, measure)
    place = frame["place"].drop_nulls().unique().to_list()
    where = place[0] if place else _WORLD

    steps = _steps(frame, sort)
    states = _states(frame, top)
    data = _cells(frame, steps, states)
    return View(
        name="chokepoint",
        title=_title(measure, where),
        sentence=_sentence(steps, measure, where),
        data=data,
        encoding={
            "picture": "matrix",
            "columns": [{"place": state, "label": words.place(state)} for state in states]
            + ([{"place": OTHERS, "label": say("view.others")}] if OTHERS in data["by"].to_list() else []),
            "share_of": say("view.legend_share"),
        },
        notes=_notes(data, frame),
        sources=sources_frame(sources),
    )


def _check(frame: pl.DataFrame, measure: str) -> None:
    if frame.is_empty():
        raise ArgumentError("error.view_empty", view="chokepoint", measure=measure)
    places = frame["place"].drop_nulls().unique().sort().to_list()
    if len(places) > 1:
        raise ArgumentError("error.view_mixed", view="chokepoint", column="place", given=places)
    twice = frame.filter(pl.struct(*_STEP, "by").is_duplicated())
    if twice.height:
        row = twice.row(0, named=True)
        cell = [str(row[name]) for name in (*_STEP, "by") if row[name] is not None]
        raise ArgumentError("error.view_duplicate", view="chokepoint", cell=cell)
    outside = frame.filter((pl.col("value") < 0) | (pl.col("value") > 1 + 1e-9))
    if outside.height:
        raise ArgumentError("error.fraction_expected", name="share", given=outside["value"][0])


def _steps(frame: pl.DataFrame, sort: str) -> list[dict[str, Any]]:
    """Rows of the matrix in their order, each with its state of the largest share."""
    steps: list[dict[str, Any]] = []
    for key, part in frame.group_by(list(_STEP), maintain_order=True):
        chain, stage, commodity, element = (None if item is None else str(item) for item in key)
        known = part.drop_nulls(["value", "by"]).sort("value", descending=True, maintain_order=True)
        step: dict[str, Any] = {"chain": chain, "stage": stage, "commodity": commodity, "element": element}
        step["label"] = words.step(stage, commodity, element)
        step["first"] = known.row(0, named=True) if known.height else None
        steps.append(step)
    chains = list(dict.fromkeys(step["chain"] for step in steps))

    def along(step: dict[str, Any]) -> tuple[int, float]:
        highest = step["first"]["value"] if step["first"] else -1.0
        return (
            chains.index(step["chain"]),
            words.stage_order(step["stage"]) if sort == "stage" else -highest,
        )

    steps.sort(key=along)
    for row, step in enumerate(steps):
        step["row"] = row
    return steps


def _states(frame: pl.DataFrame, top: int) -> list[str]:
    """States with a column of their own: those with the largest sum of shares, ties by code."""
    totals = (
        frame.drop_nulls("by")
        .group_by("by")
        .agg(pl.col("value").sum(), pl.len())
        .sort(["value", "len", "by"], descending=[True, True, False])
    )
    named = [state for state in totals["by"].to_list() if state != "ROW"]
    if len(totals) <= top + 1:
        return named + (["ROW"] if len(named) < len(totals) else [])
    return named[:top]


def _cells(frame: pl.DataFrame, steps: list[dict[str, Any]], states: list[str]) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for step in steps:
        part = frame.filter(pl.col(name).eq_missing(step[name]) for name in _STEP)
        common = {
            "row": step["row"],
            **{name: step[name] for name in _STEP},
            "group_label": words.chain(step["chain"]),
            "stage_label": words.stage(step["stage"]),
            "row_label": step["label"],
        }
        named = {row["by"]: row for row in part.iter_rows(named=True)}
        if set(named) == {None}:
            rows.append(common | {"column": None, "by": None, "column_label": None} | figure(named[None]))
            continue
        rows.extend(
            common
            | {"column": column, "by": state, "column_label": words.place(state)}
            | figure(named[state])
            for column, state in enumerate(states)
            if state in named
        )
        rest = [row for state, row in named.items() if state is not None and state not in states]
        if rest:
            last = {"column": len(states), "by": OTHERS, "column_label": say("view.others")}
            rows.append(common | last | figure(_sum(rest)))
    return matrix_frame(rows)


def _sum(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Sum what has no column of its own; unknown parts make the sum unknown only where nothing is known."""
    known = [row["value"] for row in rows if row["value"] is not None]
    return rows[0] | {
        "value": sum(known) if known else None,
        "low": None,
        "high": None,
        "kind": dominant((row["kind"], row["value"]) for row in rows if row["value"] is not None),
        "status": "ok" if known else rows[0]["status"],
        "cell_id": None if len(rows) > 1 else rows[0]["cell_id"],
    }


def _title(measure: str, where: str) -> str:
    world = where == _WORLD
    key = "view.chokepoint_title_world" if world else "view.chokepoint_title"
    return say(key, measure=words.measure(measure), place=words.place(where))


def _sentence(steps: list[dict[str, Any]], measure: str, where: str) -> str:
    """Say who is first most often, where most of all, and at how many steps nothing is known."""
    led = [step for step in steps if step["first"] is not None]
    if not led:
        return say("view.chokepoint_nothing", steps=len(steps))
    counts: dict[str, int] = {}
    for step in led:
        counts[step["first"]["by"]] = counts.get(step["first"]["by"], 0) + 1
    state = max(counts, key=lambda name: (counts[name], -list(counts).index(name)))
    peak = max(
        (step for step in led if step["first"]["by"] == state), key=lambda step: float(step["first"]["value"])
    )
    sentence = say(
        "view.chokepoint_sentence",
        state=words.place(state),
        count=counts[state],
        steps=len(steps),
        share=percent(peak["first"]["value"]),
        of=say(
            "view.chokepoint_world" if where == _WORLD else "view.chokepoint_use", place=words.place(where)
        ),
        step=f"{words.inline(peak['label'])}, {words.stage(peak['stage']).lower()}"
        if peak["commodity"]
        else peak["label"].lower(),
        measure=words.measure(measure).lower(),
    )
    unknown = len(steps) - len(led)
    return f"{sentence} {say('view.chokepoint_unknown', count=unknown)}" if unknown else sentence


def _notes(data: pl.DataFrame, frame: pl.DataFrame) -> tuple[str, ...]:
    notes = [note_quality(data["quality"].to_list()), say("view.note_blank")]
    if OTHERS in data["by"].to_list():
        notes.append(say("view.note_others", count=_hidden(data, frame)))
    years = sorted(frame["period"].drop_nulls().unique().to_list())
    if years:
        notes.append(say("view.note_years", years=years))
    return tuple(notes)


def _hidden(data: pl.DataFrame, frame: pl.DataFrame) -> int:
    shown = set(data["by"].drop_nulls().to_list())
    return sum(1 for state in frame["by"].drop_nulls().unique().to_list() if state not in shown)
