"""Ranking: one bar a thing, the longest first, with its range: first stops, dependences, coverages.

Input: ``table``
    A result table (`core.result.TABLE_COLUMNS`); drawn are the rows of one measure. ``value, low, high, unit,
    kind, status`` as there; the label of a bar joins what differs between the rows among use, commodity,
    place, by, cohort, and stage, period, chain or scenario where bars would else be named alike.

Data of the view
    One row a bar: ``row, label, detail, value, low, high, unit, basis, kind, status, quality, text,
    cell_id, period_label``; the last where the bars are of different months.
    Rows without a value stay, last, with the words "no public figure".
"""

from __future__ import annotations

import polars as pl

from monazite.core.errors import ArgumentError
from monazite.core.text import say
from monazite.views import words
from monazite.views.numbers import apart, interval, shown_unit
from monazite.views.view import View, optional_columns, quality, require, sources_frame

__all__ = ["ranking"]

_PARTS = ("use", "commodity", "place", "by", "cohort", "stage", "period", "chain", "scenario")
_SMALL = 0.05
_CORE = 5  # of these, the parts that name a bar; the others only where bars would else be named alike
_TYPES = {
    "measure": pl.String, **dict.fromkeys(_PARTS, pl.String), "value": pl.Float64, "low": pl.Float64,
    "high": pl.Float64, "unit": pl.String, "basis": pl.String, "kind": pl.String, "status": pl.String,
    "cell_id": pl.String,
}  # fmt: skip


def ranking(
    table: pl.DataFrame,
    *,
    measure: str,
    top: int = 12,
    descending: bool = True,
    share: bool | None = None,
    sources: pl.DataFrame | None = None,
) -> View:
    """Make the ranking of one measure.

    Parameters
    ----------
    table
        As the head of this module says.
    measure
        The measure to rank.
    top
        How many bars at most; the notes say how many are left out.
    descending
        The largest first; False for measures where little is what hurts (coverage, weeks to empty).
    share
        Whether unit ``1`` means a share, shown in per cent. By default so when no value exceeds 1, but for
        multiples.
    sources
        Frame of sources, in the order of their footnotes.

    Raises
    ------
    ArgumentError
        A column is missing, the table has no row of the measure, or the rows mix units.

    Examples
    --------
    >>> table = pl.DataFrame({
    ...     "measure": ["n_minus_1"] * 2, "commodity": ["ndpr_oxide", "dy_oxide"], "value": [0.85, 0.27],
    ...     "unit": ["1"] * 2, "kind": ["modelled"] * 2,
    ... })
    >>> ranking(table, measure="n_minus_1", descending=False).data["value"].to_list()
    [0.27, 0.85]
    """
    require("ranking", table, ("measure", "value"))
    frame = optional_columns(table, _TYPES).filter(pl.col("measure") == measure).select(list(_TYPES))
    if frame.is_empty():
        raise ArgumentError("error.view_empty", view="ranking", measure=measure)
    units = frame["unit"].drop_nulls().unique().sort().to_list()
    if len(units) > 1:
        raise ArgumentError("error.view_mixed", view="ranking", column="unit", given=units)
    unit = units[0] if units else "1"
    times = shown_unit(measure, unit) == "×"
    if share is None:
        share = unit == "1" and not times and frame.filter(pl.col("value").abs() > 1).is_empty()
    shown = "share" if share else "×" if times else unit
    ranked = frame.sort("value", descending=descending, nulls_last=True, maintain_order=True).head(top)
    largest = float(ranked["value"].abs().max() or 0.0)  # type: ignore[arg-type]
    fine = largest if share and largest < _SMALL else None  # shares that whole per cent do not tell apart
    varying = _naming(ranked)
    dated = "period" not in varying and ranked["period"].n_unique() > 1
    rows = []
    for row, item in enumerate(ranked.iter_rows(named=True)):
        named = [_word(part, item[part]) for part in varying if item[part]] or [say("view.series_all")]
        mark = quality(item["kind"], item["status"], item["value"])
        text = apart(item["value"], shown, fine) if mark != "unknown" else say("view.no_figure")
        within = interval(item["low"], item["high"], shown)
        text = f"{text} ({within})" if within else text
        period = _month(item["period"]) if dated and item["period"] is not None else None
        if period is not None:
            text = say("view.dated", text=text, period=period)
        carried = ("value", "low", "high", "unit", "basis", "kind", "status", "cell_id")
        rows.append(
            {
                "row": row,
                "label": named[0],
                "detail": ", ".join(named[1:]),
                "quality": mark,
                "text": text,
                "period_label": period,
                **{k: item[k] for k in carried},
            }
        )
    schema = {
        "row": pl.Int64, "label": pl.String, "detail": pl.String,
        "value": pl.Float64, "low": pl.Float64, "high": pl.Float64,
        "unit": pl.String, "basis": pl.String, "kind": pl.String, "status": pl.String, "quality": pl.String,
        "text": pl.String, "cell_id": pl.String, "period_label": pl.String,
    }  # fmt: skip
    data = pl.DataFrame(rows, schema=schema)
    columns = ["label", "value", "low", "high", "unit", "kind", *(["period_label"] if dated else [])]
    first = data.row(0, named=True)
    left = frame.height - data.height
    notes: list[str] = []
    if left:
        notes.append(say("view.note_hidden", count=left))
    return View(
        name=f"ranking_{measure}",
        title=words.measure(measure),
        sentence=say(
            "view.ranking_sentence",
            measure=words.measure(measure),
            label=words.inline(first["label"]),
            detail=say("view.range", range=first["detail"]) if first["detail"] else "",
            text=first["text"],
            order=say("view.ranking_highest" if descending else "view.ranking_lowest"),
        ),
        data=data,
        encoding={
            "picture": "bars",
            "y": "label",
            "x": "value",
            "low": "low",
            "high": "high",
            "format": shown,
            "table": {"layout": "rows", "columns": columns},
        },
        notes=tuple(notes),
        sources=sources_frame(sources),
    )


def _naming(ranked: pl.DataFrame) -> list[str]:
    """Return the parts that name the bars: those that differ, of the lesser ones as few as needed."""
    core = [part for part in _PARTS[:_CORE] if ranked[part].n_unique() > 1]
    for part in _PARTS[_CORE:]:
        if not core or ranked.select(core).is_duplicated().any():
            core += [part] if ranked[part].n_unique() > 1 else []
    return core or [part for part in _PARTS if ranked[part].drop_nulls().len()][:1] or [_PARTS[0]]


def _month(period: str) -> str:
    index = words.month_index(period)
    return words.month(index) if index is not None and "-" in period else period


def _word(part: str, value: str | None) -> str:
    if value is None:
        return ""
    if part in ("place", "by"):
        return words.place(value)
    if part in ("commodity", "use"):
        return words.commodity(value)
    if part in ("chain", "scenario"):
        return words.chain(value) if part == "chain" else words.scenario(value)
    return words.stage(value) if part == "stage" else _month(value)
