"""What would help: unused capacity outside a state by step, beside what the state sends abroad.

Input: ``table``
    Rows of one result with the measures of `market.measures.relief`: ``spare_capacity`` (by plant:
    ``activity`` and ``place``; summed outside the state: ``place`` = ``WLD``; summed over the subject:
    ``place`` its name), ``spare_coverage``, ``sent_abroad``, ``other_form`` in t/yr of one ``element``,
    ``stock_held`` (t), ``stock_months``. One element of one chain is shown.

Data of the view
    One row a bar, as of `ranking`: ``row, label, detail, value, low, high, unit, basis, kind, status,
    quality, text, cell_id``, then ``measure, stage``. First what the state sends abroad, then unused capacity
    and other forms, the largest first; a step without a figure stays, last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from monazite.core.errors import ArgumentError
from monazite.core.text import say
from monazite.market.measures.relief import RELIEF
from monazite.views import words
from monazite.views.numbers import interval, number, percent, quantity
from monazite.views.view import View, optional_columns, quality, require, sources_frame

__all__ = ["relief", "relief_sentences"]

_WORLD = "WLD"
_BARS = ("spare_capacity", "other_form")
_HALF = 0.5
_NAMED = 2  # places that a bar names
_TEXT = ("measure", "chain", "stage", "commodity", "activity", "place", "by", "element", "role", "unit",
         "basis", "kind", "status", "caveat", "cell_id")  # fmt: skip
_TYPES = {
    **dict.fromkeys(_TEXT, pl.String),
    **dict.fromkeys(("value", "low", "high", "assumed_share"), pl.Float64),
}
_SCHEMA = {
    "row": pl.Int64, "label": pl.String, "detail": pl.String,
    "value": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "unit": pl.String, "basis": pl.String, "kind": pl.String, "status": pl.String, "quality": pl.String,
    "text": pl.String, "cell_id": pl.String, "measure": pl.String, "stage": pl.String,
}  # fmt: skip

Row = dict[str, Any]


def relief(
    table: pl.DataFrame,
    *,
    chain: str | None = None,
    element: str | None = None,
    group: str | None = None,
    top: int = 12,
    sources: pl.DataFrame | None = None,
) -> View:
    """Make the bars of what would help.

    Parameters
    ----------
    table
        As the head of this module says.
    chain, element
        What is shown; by default the first that occur.
    group
        Name of the subject in the table: how much of the help lies there is told.
    top
        How many bars at most; the notes say how many are left out.
    sources
        Frame of sources, in the order of their footnotes.

    Raises
    ------
    ArgumentError
        A column is missing, or no row fits.

    Examples
    --------
    >>> table = pl.DataFrame({
    ...     "measure": ["spare_capacity", "spare_capacity", "sent_abroad"], "by": ["CHN"] * 3,
    ...     "stage": ["refine", "refine", None], "activity": ["sep", None, None],
    ...     "place": ["MYS", "WLD", "CHN"],
    ...     "element": ["Dy"] * 3, "value": [20.0, 20.0, 60.0], "unit": ["t/yr"] * 3, "kind": ["assumed"] * 3,
    ... })
    >>> relief(table).data.select("label", "value").rows()
    [('China sends abroad', 60.0), ('Separation and refining, unused outside China', 20.0)]
    """
    rows = _chosen(table, chain, element)
    bars = _bars(rows)
    if not bars:
        raise ArgumentError("error.view_empty", view="relief", measure=list(_BARS))
    by, of = str(rows[0]["by"]), str(rows[0]["element"])
    shown = [_bar(rows, bar, number_, group) for number_, bar in enumerate(bars[:top])]
    notes = [say("view.note_relief", element=words.element(of), basis=_basis(bars))]
    if len(bars) > top:
        notes.append(say("view.note_hidden", count=len(bars) - top))
    return View(
        name="relief",
        title=say("view.relief_title", element=words.element(of), by=words.place(by)),
        sentence=" ".join(relief_sentences(table, chain=chain, element=element, group=group)),
        data=pl.DataFrame(shown, schema=_SCHEMA),
        encoding={
            "picture": "bars",
            "y": "label",
            "x": "value",
            "low": "low",
            "high": "high",
            "format": "t/yr",
            "table": {"layout": "rows", "columns": ["label", "value", "low", "high", "unit", "kind"]},
        },
        notes=tuple(notes),
        sources=sources_frame(sources),
    )


def relief_sentences(
    table: pl.DataFrame, *, chain: str | None = None, element: str | None = None, group: str | None = None
) -> list[str]:
    """Say in one to four sentences what would help: unused capacity, stocks, other forms.

    Parameters
    ----------
    table, chain, element, group
        As of `relief`.

    Returns
    -------
    list of str
        Empty where the table has no row of the kind; one that says so where nobody has published a figure.
    """
    rows = _chosen(table, chain, element)
    if not rows:
        return []
    by = words.place(rows[0]["by"])
    said = [*_capacity(rows, by, group), *_stock(rows, by), *_others(rows, by)]
    return said or [say("view.relief_nothing", by=by)]


def _chosen(table: pl.DataFrame, chain: str | None, element: str | None) -> list[Row]:
    require("relief", table, ("measure", "place", "by", "value"))
    frame = optional_columns(table, _TYPES).select(list(_TYPES))
    frame = frame.filter(pl.col("measure").is_in(RELIEF) & pl.col("by").is_not_null())
    for name, wanted in (("chain", chain), ("element", element)):
        if frame.height:
            frame = frame.filter(pl.col(name).eq_missing(pl.lit(wanted or frame[name][0], dtype=pl.String)))
    return frame.to_dicts()


def _bars(rows: Sequence[Row]) -> list[Row]:
    """Rows that are drawn: the yardstick, then what helps, largest first, the unknown last."""
    sent = [r for r in rows if r["measure"] == "sent_abroad"]
    whole = [r for r in sent if r["commodity"] is None] or (sent if len(sent) == 1 else [])
    helps = [r for r in rows if r["measure"] == "other_form"]
    helps += _stages(rows)
    helps.sort(key=lambda r: (r["value"] is None, -(r["value"] or 0.0), words.stage_order(r["stage"])))
    return [*whole, *helps] if helps else []


def _stages(rows: Sequence[Row], place: str = _WORLD) -> list[Row]:
    """Unused capacity at each step, in the order of the chain."""
    found = [
        r for r in rows if r["measure"] == "spare_capacity" and r["activity"] is None and r["place"] == place
    ]
    return sorted(found, key=lambda r: words.stage_order(r["stage"]))


def _bar(rows: Sequence[Row], bar: Row, at: int, group: str | None) -> Row:
    by = words.place(bar["by"])
    if bar["measure"] == "sent_abroad":
        label, detail = say("view.relief_yardstick", by=by), say("view.relief_yardstick_detail")
    elif bar["measure"] == "other_form":
        label = say("view.relief_form", good=words.commodity(bar["commodity"]), by=by)
        detail = say("view.relief_form_detail")
    else:
        stage = _stage(bar)
        label = say("view.relief_stage", stage=stage[:1].upper() + stage[1:], by=by)
        detail = ", ".join(_where(rows, bar, group))
    mark = quality(bar["kind"], bar["status"], bar["value"])
    text = quantity(bar["value"], bar["unit"]) if mark != "unknown" else say("view.no_figure")
    within = interval(bar["low"], bar["high"], bar["unit"])
    carried = ("value", "low", "high", "unit", "basis", "kind", "status", "cell_id", "measure", "stage")
    return {
        "row": at,
        "label": label,
        "detail": detail,
        "quality": mark,
        "text": f"{text} ({within})" if within else text,
        **{name: bar[name] for name in carried},
    }


def _where(rows: Sequence[Row], bar: Row, group: str | None) -> list[str]:
    """Say where the unused capacity of a step stands: the largest places, the subject, the others."""
    if bar["value"] is None:
        absent = bar["caveat"] == say("relief.caveat_none")
        return [say("view.relief_bar_absent" if absent else "view.relief_bar_unpublished")]
    places: dict[str, float] = {}
    for row in rows:
        if row["measure"] == "spare_capacity" and row["activity"] and row["stage"] == bar["stage"]:
            places[row["place"]] = places.get(row["place"], 0.0) + (row["value"] or 0.0)
    ranked = sorted((p for p in places if places[p] > 0), key=lambda p: (p == "ROW", -places[p], p))
    named = [p for p in ranked if p != "ROW"][:_NAMED]
    if group in ranked and group not in named:
        named = [*named[: _NAMED - 1], str(group)]
    said = [say("view.relief_place", place=words.place(p), value=number(places[p])) for p in named]
    if rest := sum(places[p] for p in ranked if p not in named):
        said.append(say("view.relief_others", value=number(rest)))
    return said


def _capacity(rows: Sequence[Row], by: str, group: str | None) -> list[str]:
    """Say which step is narrowest, how wide it is, and how much of that lies in the group."""
    stages = _stages(rows)
    known = [r for r in stages if r["value"] is not None]
    element = words.element(str(rows[0]["element"]))
    said: list[str] = []
    absent = [r for r in stages if r["value"] is None and r["caveat"] == say("relief.caveat_none")]
    cover = {
        r["stage"]: r["value"] for r in rows if r["measure"] == "spare_coverage" and r["place"] == _WORLD
    }
    steps = [r for r in known if cover.get(r["stage"]) is not None and r["stage"] != "recycle"]
    if absent and known:
        said.append(say("view.relief_absent", by=by, element=element, stages=[_stage(r) for r in absent]))
    if steps:
        least = min(steps, key=lambda r: (cover[r["stage"]], words.stage_order(r["stage"])))
        sentence = say(
            "view.relief_narrow",
            by=by,
            value=quantity(least["value"], "t"),
            element=element,
            stage=_stage(least),
            share=_share(cover[least["stage"]]),
            soft=_soft(least),
        )
        said.append(" ".join([sentence, *_inside(rows, least, group)]))
    silent = [r for r in stages if r["value"] is None and r not in absent]
    if silent and known:
        said.append(say("view.relief_unpublished", by=by, stages=[_stage(r) for r in silent]))
    return said


def _inside(rows: Sequence[Row], least: Row, group: str | None) -> list[str]:
    """Say how much of a step's unused capacity stands in the subject."""
    if not group:
        return []
    own = [r for r in _stages(rows, group) if r["stage"] == least["stage"]]
    name = words.place(group) if "+" not in group else ", ".join(map(words.place, group.split("+")))
    if own and own[0]["value"]:
        return [say("view.relief_inside", value=quantity(own[0]["value"], "t"), group=name)]
    return [say("view.relief_inside_none", group=name)]


def _stock(rows: Sequence[Row], by: str) -> list[str]:
    held = [r for r in rows if r["measure"] == "stock_held" and r["place"] == _WORLD]
    months = [r for r in rows if r["measure"] == "stock_months" and r["place"] == _WORLD]
    if not held or not held[0]["value"] or not months or not months[0]["value"]:
        return []
    return [
        say(
            "view.relief_stock",
            by=by,
            value=quantity(held[0]["value"], "t"),
            months=number(months[0]["value"], digits=2),
            soft=_soft(held[0]),
        )
    ]


def _others(rows: Sequence[Row], by: str) -> list[str]:
    others = [r for r in rows if r["measure"] == "other_form" and r["value"]]
    if not others:
        return []
    total = sum(r["value"] for r in others)
    goods = [words.inline(words.commodity(r["commodity"])) for r in others]
    return [say("view.relief_other", by=by, value=quantity(total, "t"), goods=goods)]


def _stage(row: Row) -> str:
    return say(f"assess.stage_{row['stage']}")


def _soft(row: Row) -> str:
    share = row["assumed_share"]
    return say("view.relief_soft") if share is not None and share > _HALF else ""


def _share(value: float) -> str:
    if value < 1:
        return say("view.relief_part", share=percent(value))
    return say("view.relief_times", times=number(value, digits=2))


def _basis(bars: Sequence[Row]) -> str:
    known = [str(r["basis"]) for r in bars if r["basis"]]
    return known[0] if known else say("view.basis_unstated")
