"""Timeline: what a control does to prices and supplies, month by month, with the band of what is not known.

Input: ``table``
    A result table (`core.result.TABLE_COLUMNS`) with one row per measure, thing, place and month:

    ========== =====================================================================================
    measure    drawn are ``price_multiple`` (× base), ``shortage`` (share of base use unmet),
               ``exports_multiple`` (share of the base month), ``use`` and ``exports`` (share of base, or t
               a month: the unit says which), and whatever else is asked for by ``measures``
    commodity  commodity or end use; may be null
    place      where; may be null
    period     a month ``2025-04``, or the number of the month after the start: ``0``, ``1``, …
    value      the figure (p50); null leaves a gap in the line
    low, high  p10 and p90; where either is missing no band is drawn
    unit       ``1`` for multiples and shares, else the unit itself
    kind       usually modelled
    ========== =====================================================================================

    Where ``scenario``, ``use``, ``cohort`` or ``by`` differ between rows of one measure they count as part
    of the series.

Input: ``observed``
    The same columns, for what was then seen: drawn as points beside the line of the same measure,
    commodity and place.

Input: ``controls``
    Pairs (period, words) in the form of the table's periods: vertical marks.

Data of the view
    One row a point: ``measure, panel, series, series_label, month, period, period_label, value, low, high,
    unit, basis, kind, status, observed, commodity, place, cell_id``. ``month`` counts calendar months since
    year 0, or months since the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from monazite.core.errors import ArgumentError
from monazite.core.text import say
from monazite.views import words
from monazite.views.numbers import interval, quantity
from monazite.views.view import View, optional_columns, require, sources_frame

__all__ = ["MEASURES", "timeline"]

#: measures drawn unless others are asked for, in the order of their panels
MEASURES: tuple[str, ...] = ("price_multiple", "shortage", "use", "exports_multiple", "exports")

_NEEDED = ("measure", "period", "value")
_PARTS = ("use", "commodity", "place", "by", "cohort", "scenario")
_TYPES = {
    "measure": pl.String, **dict.fromkeys(_PARTS, pl.String), "period": pl.String, "value": pl.Float64,
    "low": pl.Float64, "high": pl.Float64, "unit": pl.String, "basis": pl.String, "kind": pl.String,
    "status": pl.String, "cell_id": pl.String,
}  # fmt: skip
_TOGETHER = 4  # so many panels a measure is split into at most
_MOST = 6  # hues that can still be told apart
_CALENDAR = 1000 * 12  # month indices above this are calendar months
_FORMATS = {"price_multiple": "×", "shortage": "share", "exports_multiple": "share"}
_BASES = {"price_multiple": 1.0, "exports_multiple": 1.0, "shortage": 0.0}
_FALLING = ("use", "exports", "exports_multiple")
_UNSAID = ("by", "scenario")  # parts that only name a series, never a panel


def timeline(
    table: pl.DataFrame,
    observed: pl.DataFrame | None = None,
    *,
    controls: Sequence[tuple[str, str]] = (),
    sources: pl.DataFrame | None = None,
    measures: Sequence[str] = MEASURES,
) -> View:
    """Make the timeline of prices and shortages.

    Parameters
    ----------
    table, observed, controls
        As the head of this module says.
    sources
        Frame of sources, in the order of their footnotes.
    measures
        Which measures to show, in the order of their panels; those that the table lacks are left out.

    Returns
    -------
    View
        With ``encoding["picture"] == "lines"``.

    Raises
    ------
    ArgumentError
        A column is missing, no row has one of the measures, a period is no month, the table mixes months of
        the calendar with numbered months, or one measure has two units.

    Examples
    --------
    >>> table = pl.DataFrame({
    ...     "measure": ["price_multiple"] * 3, "commodity": ["dy_oxide"] * 3, "place": ["DEU"] * 3,
    ...     "period": ["2025-04", "2025-05", "2025-06"], "value": [1.0, 2.6, 4.4], "low": [1.0, 1.4, 1.9],
    ...     "high": [1.0, 4.1, 8.0], "unit": ["1"] * 3, "kind": ["modelled"] * 3,
    ... })
    >>> view = timeline(table, controls=[("2025-04", "licences required")])
    >>> view.data["period_label"].to_list()
    ['April 2025', 'May 2025', 'June 2025']
    >>> view.encoding["panels"][0]["format"]
    '×'
    """
    modelled = _ready(table, measures, observed=False)
    if modelled.is_empty():
        raise ArgumentError("error.view_empty", view="timeline", measure=list(measures))
    seen = _ready(observed, measures, observed=True) if observed is not None else modelled.clear()
    shown = [name for name in measures if name in modelled["measure"].to_list()]
    frame = pl.concat([modelled, seen.filter(pl.col("measure").is_in(shown))])
    calendar = _calendar(frame)
    data, panels, hidden = _arrange(frame, shown, calendar=calendar)
    return View(
        name="timeline",
        title=_title(shown, data),
        sentence=_sentence(data, panels, calendar=calendar),
        data=data,
        encoding={
            "picture": "lines",
            "x": "month",
            "y": "value",
            "low": "low",
            "high": "high",
            "series": "series",
            "panels": panels,
            "calendar": calendar,
            "controls": _controls(controls, calendar=calendar),
            "table": {
                "layout": "pivot",
                "rows": ["period_label"],
                "columns": "series_label",
                "split": "panel",
            },
        },
        notes=_notes(data, hidden),
        sources=sources_frame(sources),
    )


def _ready(frame: pl.DataFrame, measures: Sequence[str], *, observed: bool) -> pl.DataFrame:
    require("timeline", frame, _NEEDED)
    frame = (
        optional_columns(frame, _TYPES).filter(pl.col("measure").is_in(list(measures))).select(list(_TYPES))
    )
    months: list[int] = []
    for text in frame["period"].to_list():
        index = None if text is None else words.month_index(text)
        if index is None:
            raise ArgumentError("error.period_expected", name="period", given=text)
        months.append(index)
    frame = frame.with_columns(pl.Series("month", months, dtype=pl.Int64), pl.lit(observed).alias("observed"))
    for (name,), part in frame.group_by(["measure"], maintain_order=True):
        units = part["unit"].drop_nulls().unique().sort().to_list()
        if len(units) > 1:
            raise ArgumentError("error.view_mixed", view="timeline", column=f"unit ({name})", given=units)
    return frame


def _calendar(frame: pl.DataFrame) -> bool:
    after = frame["month"] >= _CALENDAR
    if after.any() and not after.all():
        raise ArgumentError("error.view_mixed", view="timeline", column="period",
                            given=[frame["period"].min(), frame["period"].max()])  # fmt: skip
    return bool(after.all())


def _arrange(
    frame: pl.DataFrame, shown: Sequence[str], *, calendar: bool
) -> tuple[pl.DataFrame, list[dict[str, Any]], int]:
    """Divide the rows into panels of at most six series; name both by what differs in them."""
    parts: list[pl.DataFrame] = []
    panels: list[dict[str, Any]] = []
    hidden = 0
    for measure in shown:
        of_measure = frame.filter(pl.col("measure") == measure)
        for group in _split(of_measure):
            varying = [part for part in _PARTS if group[part].n_unique() > 1]
            fixed = [part for part in _PARTS if part not in (*varying, *_UNSAID)]
            first = group.row(0, named=True)
            panel = len(panels)
            part, dropped = _number_series(group, varying)
            hidden += dropped
            unit = part["unit"].drop_nulls().unique().to_list()
            panels.append(
                {
                    "panel": panel,
                    "measure": measure,
                    "title": words.measure(measure),
                    "subtitle": ", ".join(
                        _word(part, first[part]) for part in fixed if first[part] is not None
                    ),
                    "unit": unit[0] if unit else "1",
                    "format": _format(measure, unit[0] if unit else "1"),
                    "base": _BASES.get(measure),
                    "banded": part.filter(~pl.col("observed") & (pl.col("low") < pl.col("high"))).height > 0,
                    "series": part.select("series", "series_label").unique().sort("series").to_dicts(),
                }
            )
            parts.append(part.with_columns(pl.lit(panel, dtype=pl.Int64).alias("panel")))
    labels = pl.col("month").map_elements(
        lambda index: words.period(index, calendar=calendar), return_dtype=pl.String
    )
    columns = (
        "measure", "panel", "series", "series_label", "month", "period", "period_label",
        "value", "low", "high", "unit", "basis", "kind", "status",
        "observed", "commodity", "place", "cell_id",
    )  # fmt: skip
    data = pl.concat(parts).with_columns(labels.alias("period_label")).select(columns)
    _give_hues(panels)
    return data.sort(["panel", "series", "observed", "month"], maintain_order=True), panels, hidden


def _split(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Part the rows of a measure into panels, by end use or commodity, where a series needs two names."""
    varying = [part for part in _PARTS if part not in _UNSAID and rows[part].n_unique() > 1]
    for part in ("use", "commodity"):
        if part in varying and len(varying) > 1 and rows[part].n_unique() <= _TOGETHER:
            return rows.partition_by(part, maintain_order=True)
    return [rows]


def _give_hues(panels: list[dict[str, Any]]) -> None:
    """Number the hues, so that a series of the same name looks the same in every panel where that can be."""
    several = [name for panel in panels if len(panel["series"]) > 1 for name in panel["series"]]
    hues = {label: hue for hue, label in enumerate(dict.fromkeys(name["series_label"] for name in several))}
    for panel in panels:
        for name in panel["series"]:
            name["hue"] = hues.get(name["series_label"], 0) if len(hues) <= _MOST else name["series"]


def _word(part: str, value: str | None) -> str:
    if value is None:
        return ""
    if part in ("place", "by"):
        return words.place(value)
    if part in ("commodity", "use"):
        return words.commodity(value)
    return words.scenario(value) if part == "scenario" else words.chain(value)


def _number_series(group: pl.DataFrame, varying: Sequence[str]) -> tuple[pl.DataFrame, int]:
    """Give each series a number by how far it goes from its first value; keep the six that go farthest."""
    if not varying:
        name = words.series([_word(part, group[part][0]) for part in ("commodity", "place")])
        return group.with_columns(
            pl.lit(0, dtype=pl.Int64).alias("series"), pl.lit(name).alias("series_label")
        ), 0
    ranked = (
        group.group_by(list(varying), maintain_order=True)
        .agg((pl.col("value") - pl.col("value").first()).abs().max().alias("reach"))
        .sort("reach", descending=True, nulls_last=True, maintain_order=True)
        .head(_MOST)
        .with_row_index("series")
        .with_columns(pl.col("series").cast(pl.Int64))
        .drop("reach")
    )
    names = [
        words.series([_word(part, row[part]) for part in varying]) for row in ranked.iter_rows(named=True)
    ]
    ranked = ranked.with_columns(pl.Series("series_label", names, dtype=pl.String))
    before = group.select(list(varying)).unique().height
    return group.join(ranked, on=list(varying), how="inner", nulls_equal=True), before - ranked.height


def _format(measure: str, unit: str) -> str:
    if measure in _FORMATS:
        return _FORMATS[measure]
    return "share" if unit == "1" else unit


def _controls(controls: Sequence[tuple[str, str]], *, calendar: bool) -> list[dict[str, Any]]:
    marks: list[dict[str, Any]] = []
    for period, label in controls:
        index = words.month_index(period)
        if index is None or (index >= _CALENDAR) != calendar:
            raise ArgumentError("error.period_expected", name="controls", given=period)
        marks.append({"month": index, "period": words.period(index, calendar=calendar), "label": label})
    return sorted(marks, key=lambda mark: int(mark["month"]))


def _title(shown: Sequence[str], data: pl.DataFrame) -> str:
    months = data["month"].n_unique()
    return say("view.timeline_title", measures=[words.short(name) for name in shown], months=months)


def _sentence(data: pl.DataFrame, panels: list[dict[str, Any]], *, calendar: bool) -> str:
    """Say where each measure goes farthest, when, and within what range."""
    said: list[str] = []
    for measure in dict.fromkeys(panel["measure"] for panel in panels):
        rows = data.filter((pl.col("measure") == measure) & ~pl.col("observed")).drop_nulls("value")
        if rows.is_empty():
            continue
        lowest = measure in _FALLING
        peak = rows.sort("value", descending=not lowest, maintain_order=True).row(0, named=True)
        panel = panels[peak["panel"]]
        within = interval(peak["low"], peak["high"], panel["format"])
        what = words.inline(words.commodity(peak["commodity"])) if peak["commodity"] else peak["series_label"]
        if peak["place"]:
            key = "view.thing_from" if measure.startswith("exports") else "view.thing_at"
            what = say(key, thing=what, place=words.place(peak["place"]))
        key = f"view.timeline_{measure}" if measure in MEASURES else "view.timeline_other"
        said.append(
            say(
                key,
                what=what,
                measure=words.measure(measure),
                value=quantity(peak["value"], panel["format"]),
                range=say("view.range", range=within) if within else "",
                period=words.period(peak["month"], calendar=calendar),
            )
        )
    return " ".join(said)


def _notes(data: pl.DataFrame, hidden: int) -> tuple[str, ...]:
    notes: list[str] = []
    if data.filter(pl.col("kind") == "modelled").height:
        notes.append(say("view.note_model"))
    if data.filter(~pl.col("observed") & (pl.col("low") < pl.col("high"))).height:
        notes.append(say("view.note_band"))
    if data["observed"].any():
        notes.append(say("view.note_observed"))
    if hidden:
        notes.append(say("view.note_hidden", count=hidden))
    return tuple(notes)
