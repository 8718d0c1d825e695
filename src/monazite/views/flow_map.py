"""Flow map: who sends how much of one commodity to whom, as arrows on a map.

Input: ``table``
    A result table (`core.result.TABLE_COLUMNS`) with the rows ``trade`` of one period:

    ========== =====================================================================================
    measure    ``trade``; other measures are left out
    commodity  what is traded; one at a time is shown
    place      where it goes; ``ROW`` is no place on a map and is drawn beside it
    partner    where it comes from
    value      how much, 0 or more; null where no public figure exists
    low, high  p10 and p90; may be null
    unit       one unit in all rows, such as ``t/yr``
    kind       reported, estimated, derived, assumed, modelled
    ========== =====================================================================================

    ``chain, stage, period, basis, status`` and ``cell_id`` are carried through where given. A row from a
    place to itself is no trade and is left out.

Data of the view
    ``item`` is ``arc`` (a flow that is drawn), ``others`` (one row that sums the flows that are not) or
    ``place`` (an end of an arc). Arc: ``rank, partner`` (from) ``, place`` (to) with their labels, ``value,
    low, high, unit, basis, share`` (of all that is traded) ``, kind, status, quality, focus, cell_id``.
    Others: ``value, share, kind`` of most of it, ``count``. Place: ``sent, received`` over all flows, drawn
    or not, ``lon, lat`` (null where the shapes know no point), ``focus``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from monazite.core.errors import ArgumentError, UnknownName
from monazite.core.text import say
from monazite.facts.places import resolve
from monazite.facts.shapes import shapes
from monazite.views import words
from monazite.views.numbers import interval, percent, quantity
from monazite.views.view import View, dominant, optional_columns, quality, require, sources_frame

__all__ = ["flow_map"]

_MEASURE = "trade"
_ELSEWHERE = "ROW"
_NEEDED = ("measure", "commodity", "place", "partner", "value")
_TYPES = {
    "measure": pl.String, "chain": pl.String, "stage": pl.String, "commodity": pl.String, "place": pl.String,
    "partner": pl.String, "period": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "unit": pl.String, "basis": pl.String, "kind": pl.String, "status": pl.String, "cell_id": pl.String,
}  # fmt: skip
_SCHEMA = {
    "item": pl.String, "rank": pl.Int64, "partner": pl.String, "place": pl.String,
    "partner_label": pl.String, "place_label": pl.String, "value": pl.Float64, "low": pl.Float64,
    "high": pl.Float64, "unit": pl.String, "basis": pl.String, "share": pl.Float64, "kind": pl.String,
    "status": pl.String, "quality": pl.String, "focus": pl.Boolean, "count": pl.Int64, "sent": pl.Float64,
    "received": pl.Float64, "lon": pl.Float64, "lat": pl.Float64, "cell_id": pl.String,
}  # fmt: skip


def flow_map(
    table: pl.DataFrame,
    *,
    commodity: str,
    top: int = 12,
    focus: str | Iterable[str] | None = None,
    sources: pl.DataFrame | None = None,
) -> View:
    """Make the map of one commodity's trade.

    Parameters
    ----------
    table
        As the head of this module says.
    commodity
        What is traded.
    top
        How many flows are drawn, the largest; the others are one row of the table.
    focus
        Place or group, or several, whose flows are drawn however small they are, and stand out.
    sources
        Frame of sources, in the order of their footnotes.

    Returns
    -------
    View
        With ``encoding["picture"] == "map"``.

    Raises
    ------
    UnknownName
        Nobody trades the commodity in the table, or the focus is no place.
    ArgumentError
        A column is missing, the table has no row of trade, none with a figure above zero, a flow twice, a
        negative value, or mixes periods, units or bases.
    FactsError
        The file of shapes is wrong.

    Examples
    --------
    >>> table = pl.DataFrame({
    ...     "measure": ["trade"] * 3, "commodity": ["gallium_4n"] * 3, "partner": ["CHN", "CHN", "DEU"],
    ...     "place": ["JPN", "DEU", "USA"], "value": [120.0, 60.0, 5.0], "unit": ["t/yr"] * 3,
    ...     "kind": ["reported", "estimated", "assumed"],
    ... })
    >>> view = flow_map(table, commodity="gallium_4n", top=2)
    >>> view.data.select("item", "value").rows()[:3]
    [('arc', 120.0), ('arc', 60.0), ('others', 5.0)]
    """
    require("map", table, _NEEDED)
    frame = _checked(table, commodity)
    members = resolve(focus) if focus else ()
    near = pl.col("place").is_in(members) | pl.col("partner").is_in(members)
    ranked = frame.filter(pl.col("value") > 0).sort(
        ["value", "partner", "place"], descending=[True, False, False]
    )
    if ranked.is_empty():
        raise ArgumentError("error.view_empty", view="map", measure=_MEASURE)
    ranked = ranked.with_row_index("place_in_order").with_columns(near.alias("focus"))
    drawn = ranked.filter((pl.col("place_in_order") < top) | pl.col("focus"))
    rest = ranked.join(drawn.select("place_in_order"), on="place_in_order", how="anti")
    total = float(ranked["value"].sum())
    data = pl.DataFrame(
        [*_arcs(drawn, total), *_others(rest, total), *_places(drawn, ranked, members)], schema=_SCHEMA
    )
    period, unit, basis = (_only(ranked, column) for column in ("period", "unit", "basis"))
    name = words.commodity(commodity)
    return View(
        name="map",
        title=say(
            "view.map_title", commodity=name, period=say("view.map_in", period=period) if period else ""
        ),
        sentence=_sentence(ranked, name, members, total, unit),
        data=data,
        encoding={
            "picture": "map",
            "commodity": commodity,
            "period": period,
            "unit": unit or "",
            "basis": basis,
            "focus": list(members),
            "total": total,
            "table": {"layout": "flows"},
        },
        notes=_notes(data, frame, unit, basis),
        sources=sources_frame(sources),
    )


def _checked(table: pl.DataFrame, commodity: str) -> pl.DataFrame:
    """Return the rows of one commodity, or refuse them in words."""
    frame = optional_columns(table, _TYPES).filter(pl.col("measure") == _MEASURE).select(list(_TYPES))
    if frame.is_empty():
        raise ArgumentError("error.view_empty", view="map", measure=_MEASURE)
    known = frame["commodity"].drop_nulls().unique().sort().to_list()
    if commodity not in known:
        raise UnknownName("commodity", commodity, known)
    frame = frame.filter((pl.col("commodity") == commodity) & (pl.col("place") != pl.col("partner")))
    for column in ("period", "unit", "basis"):
        given = frame[column].drop_nulls().unique().sort().to_list()
        if len(given) > 1:
            raise ArgumentError("error.view_mixed", view="map", column=column, given=given)
    twice = frame.filter(pl.struct("partner", "place").is_duplicated())
    if twice.height:
        cell = [str(twice[column][0]) for column in ("commodity", "partner", "place")]
        raise ArgumentError("error.view_duplicate", view="map", cell=cell)
    below = frame.filter(pl.col("value") < 0)
    if below.height:
        where = [str(below[column][0]) for column in ("partner", "place")]
        raise ArgumentError("error.view_flow_value", given=below["value"][0], where=where)
    return frame


def _only(frame: pl.DataFrame, column: str) -> str | None:
    given = frame[column].drop_nulls()
    return str(given[0]) if given.len() else None


def _arcs(drawn: pl.DataFrame, total: float) -> list[dict[str, Any]]:
    carried = (
        "partner",
        "place",
        "value",
        "low",
        "high",
        "unit",
        "basis",
        "kind",
        "status",
        "focus",
        "cell_id",
    )
    return [
        {
            "item": "arc",
            "rank": rank,
            "partner_label": words.place(row["partner"]),
            "place_label": words.place(row["place"]),
            "share": row["value"] / total,
            "quality": quality(row["kind"], row["status"], row["value"]),
            **{name: row[name] for name in carried},
        }
        for rank, row in enumerate(drawn.iter_rows(named=True))
    ]


def _others(rest: pl.DataFrame, total: float) -> list[dict[str, Any]]:
    """Sum the flows that are not drawn; a sum of ranges is no range, so it has none."""
    if rest.is_empty():
        return []
    value = float(rest["value"].sum())
    kind = dominant(rest.select("kind", "value").iter_rows())
    made = {"item": "others", "value": value, "share": value / total, "kind": kind, "count": rest.height}
    made |= {
        "unit": _only(rest, "unit"),
        "basis": _only(rest, "basis"),
        "quality": quality(kind, None, value),
    }
    return [made]


def _places(drawn: pl.DataFrame, ranked: pl.DataFrame, members: Sequence[str]) -> list[dict[str, Any]]:
    """Return the ends of the arcs, those that move most first."""
    points = shapes().points
    sent = _sums(ranked, "partner")
    received = _sums(ranked, "place")
    ends = {name for column in ("partner", "place") for name in drawn[column].to_list()}
    made = []
    for name in sorted(ends, key=lambda end: (-sent.get(end, 0.0) - received.get(end, 0.0), end)):
        lon, lat = points.get(name, (None, None))
        made.append(
            {"item": "place", "place": name, "place_label": words.place(name), "sent": sent.get(name, 0.0),
             "received": received.get(name, 0.0), "lon": lon, "lat": lat, "focus": name in members}
        )  # fmt: skip
    return made


def _sums(frame: pl.DataFrame, column: str) -> dict[str, float]:
    return dict(frame.group_by(column).agg(pl.col("value").sum()).iter_rows())


def _sentence(ranked: pl.DataFrame, name: str, members: Sequence[str], total: float, unit: str | None) -> str:
    """Say who sends most, the largest flow, and where the focus buys."""
    sent = _sums(ranked, "partner")
    first = min(sent, key=lambda place: (place == _ELSEWHERE, -sent[place], place))
    single = ranked.filter((pl.col("place") != _ELSEWHERE) & (pl.col("partner") != _ELSEWHERE))
    largest = (single if single.height else ranked).row(0, named=True)
    within = interval(largest["low"], largest["high"], unit)
    sentence = say(
        "view.map_sentence",
        commodity=name,
        first=words.place(first),
        share=percent(sent[first] / total),
        total=quantity(total, unit),
        partner=words.place(largest["partner"]),
        place=words.place(largest["place"]),
        value=quantity(largest["value"], unit),
        range=say("view.range", range=within) if within else "",
    )
    bought = ranked.filter(pl.col("place").is_in(members) & ~pl.col("partner").is_in(members))
    if bought.is_empty():
        return sentence
    takes = float(bought["value"].sum())
    sellers = _sums(bought, "partner")
    seller = min(sellers, key=lambda place: (-sellers[place], place))
    who = say("view.map_together" if len(members) > 1 else "view.map_alone",
              places=[words.place(place) for place in members])  # fmt: skip
    return sentence + " " + say(
        "view.map_focus", who=who, value=quantity(takes, unit), share=percent(sellers[seller] / takes),
        seller=words.place(seller),
    )  # fmt: skip


def _notes(data: pl.DataFrame, frame: pl.DataFrame, unit: str | None, basis: str | None) -> tuple[str, ...]:
    arcs = data.filter(pl.col("item") == "arc")
    others = data.filter(pl.col("item") == "others")
    off = data.filter((pl.col("item") == "place") & pl.col("lon").is_null())["place_label"].to_list()
    soft = arcs.filter(pl.col("quality") != "solid")
    unknown = frame["value"].null_count()
    notes = [say("view.note_basis", unit=unit, basis=basis or say("view.basis_unstated"))] if unit else []
    if soft.height:
        share = float(soft["value"].sum()) / float(arcs["value"].sum())
        notes.append(say("view.note_arrows", share=percent(share)))
    if others.height:
        row = others.row(0, named=True)
        told = {"value": quantity(row["value"], unit), "share": percent(row["share"])}
        notes.append(say("view.note_flows", count=row["count"], **told))
    if unknown:
        notes.append(say("view.note_no_flow", count=unknown))
    notes.append(say("view.note_arcs"))
    if off:
        notes.append(say("view.note_off", places=off))
    notes.append(say("view.note_lines", convention=shapes().convention))
    return tuple(notes)
