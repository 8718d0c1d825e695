"""Tornado: what would change the headline of a study, one row a cause, the widest first.

Input: ``table``
    Table of a study (`core.result.TABLE_COLUMNS` and ``cause``). Used are its rows ``headline`` (median, p10,
    p90), ``headline_swing`` by cause (low: median of the headline where the cause stands in its lowest fifth;
    high: in its highest; value: how far apart they are), ``rank_correlation`` and, of a designed sample,
    ``first_order``, ``total_order`` or ``elementary_effect`` by cause; ``scenarios``, ``fell_back`` and
    ``unconverged`` for the notes.

Data of the view
    One row a bar: ``row, item, label, detail, cause, value, low, high, at_low, at_high, unit, basis, kind,
    status, quality, text, low_text, high_text, cell_id``, then for each of ``rank_correlation, first_order,
    total_order, elementary_effect`` its value, ``_low``, ``_high`` and ``_id``. ``item`` is ``all`` (the
    headline: median in ``value``, p10 and p90 in ``low`` and ``high``), ``cause``, or ``others``. Of a cause
    ``value`` is its swing, ``low`` and ``high`` are the ends of its bar, ``at_low`` and ``at_high`` the
    headline where the cause is low and high. Of the others ``value`` is their widest swing, ``low`` and
    ``high`` hold all of their ends. A cause without a figure stays, last, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from monazite.core.errors import ArgumentError
from monazite.core.text import has, say
from monazite.views import words
from monazite.views.numbers import apart, number, percent, shown_unit
from monazite.views.view import View, optional_columns, quality, require, sources_frame

__all__ = ["SHARES_OF", "headline_of", "headline_words", "tornado"]

#: what else is told of each cause
SHARES_OF: tuple[str, ...] = ("rank_correlation", "first_order", "total_order", "elementary_effect")
#: measures that a headline may be of
_OUTCOMES = ("price_multiple", "unserved")
_ABOUT = ("chain", "stage", "commodity", "use", "place", "by")
_TEXT = ("measure", *_ABOUT, "period", "unit", "basis", "kind", "status", "cell_id", "cause")
_TYPES = {
    **dict.fromkeys(_TEXT, pl.String),
    **dict.fromkeys(("value", "low", "high"), pl.Float64),
}
_FIFTH = 5
_WORLD = "WLD"
_SCHEMA = {
    "row": pl.Int64, "item": pl.String, "label": pl.String, "detail": pl.String, "cause": pl.String,
    **dict.fromkeys(("value", "low", "high", "at_low", "at_high"), pl.Float64),
    "unit": pl.String, "basis": pl.String, "kind": pl.String, "status": pl.String, "quality": pl.String,
    "text": pl.String, "low_text": pl.String, "high_text": pl.String, "cell_id": pl.String,
    **{
        f"{name}{end}": pl.String if end == "_id" else pl.Float64
        for name in SHARES_OF
        for end in ("", "_low", "_high", "_id")
    },
}  # fmt: skip

Row = dict[str, Any]
Write = Callable[[float | None], str]


def tornado(table: pl.DataFrame, *, top: int = 12, sources: pl.DataFrame | None = None) -> View:
    """Make the tornado of a study.

    Parameters
    ----------
    table
        As the head of this module says.
    top
        How many causes at most have a bar of their own; the others share one.
    sources
        Frame of sources, in the order of their footnotes.

    Raises
    ------
    ArgumentError
        A column is missing, or the table has no headline or no cause.

    Examples
    --------
    >>> table = pl.DataFrame({
    ...     "measure": ["headline", "headline_swing", "headline_swing"], "cause": [None, "lag", "price"],
    ...     "value": [0.3, 0.05, 0.2], "low": [0.1, 0.28, 0.4], "high": [0.5, 0.33, 0.2],
    ...     "unit": ["1"] * 3, "kind": ["modelled"] * 3,
    ... })
    >>> tornado(table).data.select("item", "cause", "low", "high", "at_high").rows()
    [('all', None, 0.1, 0.5, None), ('cause', 'price', 0.2, 0.4, 0.2), ('cause', 'lag', 0.28, 0.33, 0.33)]
    """
    require("tornado", table, ("measure", "cause", "value", "low", "high"))
    frame = optional_columns(table, _TYPES)
    head = headline_of(frame)
    swings = frame.filter(pl.col("measure") == "headline_swing").select(list(_TYPES)).to_dicts()
    if head is None or not swings:
        raise ArgumentError("error.view_empty", view="tornado", measure=["headline", "headline_swing"])
    unit = shown_unit(head["of"] or "share", head["unit"])
    extra = _extra(frame)
    span = _span(head, swings)
    known = [row for row in swings if row["value"] is not None]
    known.sort(key=lambda row: (-row["value"], row["cause"]))
    silent = sorted((row for row in swings if row["value"] is None), key=lambda row: str(row["cause"]))
    shown = [*known, *silent][:top]
    rest = [row for row in known if row not in shown]

    def write(value: float | None) -> str:
        return apart(value, unit, span)

    bars = [_whole(head, write), *(_bar(row, write, extra.get(row["cause"], {})) for row in shown)]
    if rest:
        bars.append(_others(rest, write))
    data = pl.DataFrame([{"row": row, **bar} for row, bar in enumerate(bars)], schema=_SCHEMA)
    told = [name for name in SHARES_OF if data[name].drop_nulls().len()]
    about = headline_words(head)
    return View(
        name="tornado",
        title=say("view.tornado_title", about=about),
        sentence=_sentence(head, bars, write, about),
        data=data,
        encoding={
            "picture": "tornado",
            "y": "label",
            "x": "value",
            "low": "low",
            "high": "high",
            "format": unit,
            "span": span,
            "shares": told,
            "table": {"layout": "rows", "columns": ["label", "at_low", "at_high", *told]},
        },
        notes=tuple(_notes(frame, len(silent), told)),
        sources=sources_frame(sources),
    )


def headline_of(table: pl.DataFrame) -> Row | None:
    """Return the headline's row of a study's table and, in ``of``, the measure that it is of.

    The measure is that of the outcome with the same subject; None where there is none.

    Examples
    --------
    >>> table = pl.DataFrame({
    ...     "measure": ["price_multiple", "headline"], "commodity": ["dy_oxide"] * 2, "value": [3.0, 3.0],
    ... })
    >>> headline_of(table)["of"]
    'price_multiple'
    """
    frame = optional_columns(table, _TYPES)
    found = frame.filter(pl.col("measure") == "headline").to_dicts()
    if not found:
        return None
    head = min(found, key=lambda row: row["commodity"] is None)  # of a catalogue the first of a single good
    same = frame.filter(pl.col("measure").is_in(_OUTCOMES))
    for name in _ABOUT:
        same = same.filter(pl.col(name).eq_missing(pl.lit(head[name], dtype=pl.String)))
    outcomes = same.filter(pl.col("value").eq_missing(pl.lit(head["value"], dtype=pl.Float64)))
    outcomes = outcomes if outcomes.height else same
    return head | {"of": str(outcomes["measure"][0]) if outcomes.height else None}


def headline_words(head: Mapping[str, Any]) -> str:
    """Say what a headline is about, fit for the middle of a sentence.

    Examples
    --------
    >>> head = dict.fromkeys(("chain", "stage", "use", "by")) | {"commodity": "dy_oxide", "place": "JPN"}
    >>> headline_words(head | {"of": "price_multiple"})
    'peak price of dysprosium oxide over its base in Japan'
    """
    thing = next((head[name] for name in ("use", "commodity", "chain") if head[name]), None)
    key = f"view.headline_{head['of']}"
    if not thing:
        return say("view.headline_plain")
    named = words.inline(words.commodity(thing))
    told = say(key, what=named) if has(key) else say("view.headline_of", what=named)
    if head["place"] and head["place"] != _WORLD:
        return say("view.thing_at", thing=told, place=words.place(head["place"]))
    return say("view.tornado_outside", thing=told, by=words.place(head["by"])) if head["by"] else told


def _span(head: Row, swings: list[Row]) -> float | None:
    """How far apart the figures of a tornado are: so many digits they need."""
    widest = [abs(row["high"] - row["low"]) for row in (head, *swings)
              if row["low"] is not None and row["high"] is not None]  # fmt: skip
    return max(widest, default=None)


def _extra(frame: pl.DataFrame) -> dict[str, dict[str, Row]]:
    """What else is told of each cause: by cause and measure."""
    found: dict[str, dict[str, Row]] = {}
    for row in frame.filter(pl.col("measure").is_in(SHARES_OF)).to_dicts():
        found.setdefault(row["cause"], {})[row["measure"]] = row
    return found


def _base(row: Row) -> Row:
    kept = ("unit", "basis", "kind", "status", "cell_id")
    return {"quality": quality(row["kind"], row["status"], row["value"]), **{k: row[k] for k in kept}}


def _whole(head: Row, write: Write) -> Row:
    """The first bar: all causes at once, from p10 to p90."""
    return {
        "item": "all",
        "label": say("view.tornado_all"),
        "detail": say("view.tornado_all_detail"),
        **{name: head[name] for name in ("value", "low", "high")},
        "text": write(head["value"]) if head["value"] is not None else say("view.no_figure"),
        "low_text": write(head["low"]),
        "high_text": write(head["high"]),
        **_base(head),
    }


def _bar(row: Row, write: Write, extra: Mapping[str, Row]) -> Row:
    """One cause: its bar reaches from one end to the other, whichever is where the cause is low."""
    label, detail = words.cause(row["cause"])
    made: Row = {"item": "cause", "label": label, "detail": detail, "cause": row["cause"], **_base(row)}
    for name, other in extra.items():
        made |= {name: other["value"], f"{name}_id": other["cell_id"]}
        made |= {f"{name}_low": other["low"], f"{name}_high": other["high"]}
    if row["value"] is None:
        return made | {"text": say("view.tornado_silent")}
    at_low, at_high = row["low"], row["high"]
    correlation = extra.get("rank_correlation", {}).get("value")
    if at_low is not None and at_high is not None and at_low <= at_high and (correlation or 0.0) < 0:
        at_low, at_high = (
            at_high,
            at_low,
        )  # the ends stand in order: more of the cause is less of the headline
    ends = [end for end in (at_low, at_high) if end is not None]
    low, high = (min(ends), max(ends)) if ends else (None, None)
    return made | {
        "value": row["value"],
        "low": low,
        "high": high,
        "at_low": at_low,
        "at_high": at_high,
        "text": say("view.tornado_ends", low=write(at_low), high=write(at_high)),
        "low_text": write(low),
        "high_text": write(high),
    }


def _others(rest: list[Row], write: Write) -> Row:
    """The causes that have no bar of their own: the widest of them is as wide as ``value``."""
    ends = [row[name] for row in rest for name in ("low", "high") if row[name] is not None]
    low, high = (min(ends), max(ends)) if ends else (None, None)
    kinds = {row["kind"] for row in rest}
    kind = kinds.pop() if len(kinds) == 1 else None
    return {
        "item": "others",
        "label": say("view.tornado_others", count=len(rest)),
        "detail": say("view.tornado_others_detail"),
        "value": max(row["value"] for row in rest),
        "low": low,
        "high": high,
        "unit": rest[0]["unit"],
        "kind": kind,
        "quality": quality(kind, None, 1.0),
        "text": say("view.tornado_ends", low=write(low), high=write(high)),
        "low_text": write(low),
        "high_text": write(high),
    }


def _sentence(head: Row, bars: list[Row], write: Write, about: str) -> str:
    ends = [write(head[name]) for name in ("low", "high")]
    within = say("view.tornado_ends", low=ends[0], high=ends[1]) if ends[0] != ends[1] else ""
    said = [
        say(
            "view.tornado_headline",
            about=about[:1].upper() + about[1:],
            value=write(head["value"]),
            range=say("view.tornado_range", range=within) if within else "",
        )
    ]
    causes = [bar for bar in bars if bar["item"] == "cause" and bar.get("value")]
    if not causes:
        return " ".join([*said, say("view.tornado_nothing")])
    for place, bar in enumerate(causes[:2]):
        key = "view.tornado_first" if place == 0 else "view.tornado_second"
        cause = words.inline(bar["label"])
        said.append(say(key, cause=cause, low=write(bar["at_low"]), high=write(bar["at_high"])))
    return " ".join(said)


def _notes(frame: pl.DataFrame, silent: int, told: list[str]) -> list[str]:
    """Say how to read the bars, how many scenarios stand behind them, and what a reader must not conclude."""
    single = {
        row["measure"]: row["value"]
        for row in frame.filter(pl.col("measure").is_in(["scenarios", "fell_back", "unconverged"])).to_dicts()
    }
    notes = [say("view.tornado_note_ends")]
    if count := single.get("scenarios"):
        notes.append(
            say("view.tornado_note_count", count=number(count, digits=9), fifth=number(count // _FIFTH))
        )
    if "rank_correlation" in told:
        notes.append(say("view.tornado_note_correlation"))
    if "total_order" in told:
        notes.append(say("view.tornado_note_orders"))
    if "elementary_effect" in told:
        notes.append(say("view.tornado_note_effect"))
    if lost := single.get("unconverged"):
        notes.append(say("view.tornado_note_unconverged", share=percent(lost)))
    if fell := single.get("fell_back"):
        notes.append(say("view.tornado_note_fell", share=percent(fell)))
    if silent:
        notes.append(say("view.tornado_note_silent", count=silent))
    return notes
