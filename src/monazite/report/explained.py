"""Why a cell says what it says, laid out for a reader: the value, the formula, tables, sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from monazite.core.errors import UnknownName
from monazite.core.text import has, say
from monazite.market.measures.relief import RELIEF
from monazite.report.twin import Cell, Table
from monazite.views import words
from monazite.views.numbers import apart, interval, number, percent, quantity, shown_unit
from monazite.views.tornado import headline_of
from monazite.views.view import SOURCE_COLUMNS, sources_frame

__all__ = ["Explained", "explained", "fact_explained", "fact_table", "figure", "label"]

_HALF = 0.5
#: what distinguishes one cell from another of its measure, in the order in which it is read
_SUBJECT = ("commodity", "element", "use", "activity", "stage", "stage_to", "chain")
#: what an explanation of a stress answer holds besides its tables
_MOST = 40
_NAMES = {
    "chain": words.chain, "stage": words.stage, "commodity": words.commodity, "use": words.commodity,
    "activity": words.commodity, "place": words.place, "partner": words.place, "by": words.place,
    "from_place": words.place, "element": words.element, "kind": words.kind, "stage_to": words.stage,
    "cause": lambda name: words.cause(name)[0], "rests_on": words.chain,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Explained:
    """One cell explained.

    Parameters
    ----------
    title
        What the cell is about.
    value
        Its figure, with range and kind.
    formula
        How it is computed; empty for a fact, which is not computed.
    grey
        Said where the figure rests mostly on assumed or modelled ones; empty otherwise.
    paragraphs
        What else a reader must know.
    tables
        Inputs, paths, facts with those that they contradict.
    sources
        Frame with `SOURCE_COLUMNS`, in the order of their numbers.
    """

    title: str
    value: Cell
    formula: str = ""
    grey: str = ""
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    sources: pl.DataFrame | None = None


def explained(result: Any, cell_id: str) -> Explained:
    """Explain one cell of a result.

    Parameters
    ----------
    result : Result
        A result of floor 3.
    cell_id : str
        A cell of its table.

    Returns
    -------
    Explained

    Raises
    ------
    UnknownName
        The table has no such cell.

    Examples
    --------
    >>> from monazite.assess import assess
    >>> from monazite.network import toy
    >>> answer = assess(toy(), "IND", by="CHN", commodity="toy_widget", measure="direct_share")
    >>> explained(answer, answer.table["cell_id"][0]).value.text.replace(chr(160), " ")
    '41 % (finished component)'
    """
    rows = result.table.filter(pl.col("cell_id") == cell_id)
    if not rows.height:
        raise UnknownName("cell", cell_id, ())
    row = rows.row(0, named=True)
    if str(row["measure"]).startswith("headline") and (head := headline_of(result.table)):
        row |= {"of": head["of"]}
    why = result.explain(cell_id=cell_id)
    parts = why if isinstance(why, Mapping) else vars(why)
    facts = next((parts[name] for name in ("facts", "sources") if _is_facts(parts.get(name))), None)
    sources = _numbered(facts)
    tables = [_frame(name, value) for name, value in parts.items() if _is_listed(name, value)]
    if facts is not None and facts.height:
        tables.append(fact_table(facts, sources, caption=say("explain.facts")))
    paragraphs = [row[name] for name in ("caveat",) if row.get(name)]
    paragraphs += parts.get("notes", ())
    if row["value"] is None:
        paragraphs.append(say(f"explain.status_{row['status'] or 'missing'}"))
    share = row.get("assumed_share")
    return Explained(
        title=label(row),
        value=figure(row),
        formula=str(parts.get("formula", "")),
        grey=say("brief.rests", share=percent(share)) if share is not None and share > _HALF else "",
        paragraphs=tuple(paragraphs),
        tables=tuple(tables),
        sources=sources,
    )


def label(row: Mapping[str, Any]) -> str:
    """Name a cell for a reader: its measure, what it is about, where, when.

    Examples
    --------
    >>> label({"measure": "direct_share", "commodity": "toy_widget", "place": "IND", "by": "CHN"})
    'Direct share: Toy widget, India, by China'
    """
    about = [_NAMES[name](str(row[name])) for name in _SUBJECT if row.get(name)]
    if row.get("cause"):
        cause, _ = words.cause(str(row["cause"]))
        return say("explain.title", measure=words.measure(row["measure"]), about=[cause])
    place = words.place(row["place"]) if row.get("place") else ""
    if row.get("partner"):
        ends = words.place(row["partner"]), place
        # trade is told by the buyer, a flow between stages by where it begins
        origin, destination = ends[::-1] if row["measure"] == "stage_flow" else ends
        place = say("explain.from_to", origin=origin, destination=destination)
    about = [*about[: 3 if row["measure"] == "stage_flow" else 2], place]
    if row.get("by") and row.get("by") != row.get("place"):
        about.append(
            say("explain.outside" if row["measure"] in RELIEF else "explain.by", state=words.place(row["by"]))
        )
    if row.get("period"):
        about.append(str(row["period"]))
    return say("explain.title", measure=words.measure(row["measure"]), about=[part for part in about if part])


def figure(row: Mapping[str, Any]) -> Cell:
    """Write the figure of a result's row as a cell: text with unit, range, kind.

    Examples
    --------
    >>> figure({"measure": "shortage", "value": None, "status": "withheld", "unit": "1"}).text
    'withheld'
    """
    if row["value"] is None:
        status = row.get("status") or "missing"
        key = f"cli.status_{status}"
        return Cell(say(key) if has(key) else str(status), cell_id=row.get("cell_id"))
    unit = shown_unit(row.get("of") or row["measure"], row["unit"])
    if row["measure"] == "headline_swing":  # its ends say more than how far apart they are
        ends = {name: apart(row[name], unit, row["value"]) for name in ("low", "high")}
        return Cell(say("view.tornado_ends", **ends), kind=row.get("kind"), cell_id=row.get("cell_id"))
    text = quantity(row["value"], unit)
    if row.get("of") and row["low"] is not None and row["high"] is not None:
        text = apart(row["value"], unit, row["high"] - row["low"])
    if row.get("basis") and row["basis"] != "none":
        text = say("explain.with_basis", figure=text, basis=row["basis"])
    return Cell(
        text,
        within=interval(row.get("low"), row.get("high"), unit),
        kind=row.get("kind"),
        cell_id=row.get("cell_id"),
    )


def fact_table(facts: pl.DataFrame, sources: pl.DataFrame | None = None, *, caption: str) -> Table:
    """Lay out facts: what, where, how much, by whom; those that were not chosen say so.

    Parameters
    ----------
    facts
        Columns of a facts table; with ``chosen`` where it is known which of them hold.
    sources
        Sources in the order of their numbers; without it sources are named by their ids.
    caption
        Caption of the table.
    """
    numbers = (
        {name: n for n, name in enumerate(sources["source"].to_list(), 1)} if sources is not None else {}
    )
    judged = "chosen" in facts.columns
    rows = []
    for fact in facts.iter_rows(named=True):
        what = words.commodity(fact["activity"] or fact["commodity"])
        if fact["activity"] and fact["commodity"]:
            what = say("explain.of", whole=what, part=words.commodity(fact["commodity"]))
        where = " → ".join(words.place(fact[name]) for name in ("place", "partner") if fact[name])
        source = (
            say("explain.number", number=numbers[fact["source"]])
            if fact["source"] in numbers
            else fact["source"]
        )
        cells = [
            _text(words.chain(fact["variable"])), _text(what), _text(where),
            _text(fact["period"] or ""), _fact_figure(fact),
            _text(" ".join(part for part in (source, fact["locator"]) if part)), _text(fact["note"] or ""),
        ]  # fmt: skip
        if judged:
            cells.append(_text(say("explain.holds" if fact["chosen"] else "explain.lost")))
        rows.append(tuple(cells))
    heads = [
        "variable",
        "item",
        "where",
        "period",
        "value",
        "source",
        "note",
        *(["verdict"] if judged else []),
    ]
    return Table(
        caption, tuple(say(f"explain.head_{name}") for name in heads), (("", tuple(rows)),), labels=1
    )


def fact_explained(table: Any, fact_id: int) -> Explained:
    """Explain one fact: its source, what it contradicts, what a correction changed.

    Parameters
    ----------
    table : FactTable
    fact_id : int

    Examples
    --------
    >>> from monazite import facts
    >>> fact_explained(facts.load(["toy"]), 0).sources.height
    1
    """
    facts = table.explain([fact_id])
    own = facts.filter(pl.col("fact_id") == fact_id).row(0, named=True)
    sources = _numbered(facts)
    what = [words.commodity(own[name]) for name in ("activity", "commodity") if own[name]]
    what += [words.place(own[name]) for name in ("place", "partner", "period") if own[name]]
    paragraphs = [own["note"]] if own["note"] else []
    key = "explain.fact_kind" if own["status"] == "ok" else "explain.fact_status"
    paragraphs.append(say(key, kind=words.kind(own["kind"]), status=own["status"]))
    if own["correction"]:
        paragraphs.append(say("explain.fact_corrected", correction=own["correction"]))
    if not own["chosen"]:
        paragraphs.append(say("explain.fact_lost"))
    return Explained(
        title=say("explain.title", measure=words.chain(own["variable"]), about=what),
        value=_fact_figure(own),
        paragraphs=tuple(paragraphs),
        tables=(fact_table(facts, sources, caption=say("explain.same_thing")),),
        sources=sources,
    )


def _fact_figure(fact: Mapping[str, Any]) -> Cell:
    unit = fact["unit"]
    if fact["value"] is None:
        key = f"cli.status_{fact['status']}"
        text = interval(fact["low"], fact["high"], unit) or (say(key) if has(key) else str(fact["status"]))
        return Cell(text, kind=fact["kind"], fact=fact["fact_id"])
    text = quantity(fact["value"], unit, digits=5 if fact["kind"] == "reported" else 4)
    if fact["basis"] and fact["basis"] != "none":
        text = say("explain.with_basis", figure=text, basis=fact["basis"])
    return Cell(
        text,
        within=interval(fact["low"], fact["high"], None, digits=4),
        kind=fact["kind"],
        fact=fact["fact_id"],
    )


def _is_facts(value: object) -> bool:
    return isinstance(value, pl.DataFrame) and "fact_id" in value.columns


def _is_listed(name: str, value: object) -> bool:
    return isinstance(value, pl.DataFrame) and value.height > 0 and name != "cells" and not _is_facts(value)


def _numbered(facts: pl.DataFrame | None) -> pl.DataFrame:
    frame = None if facts is None else facts.select(c for c in SOURCE_COLUMNS if c in facts.columns)
    return sources_frame(frame)


def _text(text: str) -> Cell:
    return Cell(text, number=False)


def _frame(name: str, frame: pl.DataFrame) -> Table:
    """Lay out any frame of an explanation: the columns that say something, the first rows."""
    hidden = {"rank", "type", "fact_ids", "cell_id", "kind", "low", "high"}
    if "activity" in frame.columns:  # its name says the commodity too
        hidden.add("commodity")
    columns = [c for c in frame.columns if c not in hidden and frame[c].null_count() < frame.height]
    rows = tuple(
        tuple(_cell(column, row, last=column in _figures(columns)) for column in columns)
        for row in frame.head(_MOST).iter_rows(named=True)
    )
    key = f"explain.table_{name}"
    caption = say(key) if has(key) else words.column(name)
    if frame.height > _MOST:
        caption = say("explain.first_rows", caption=caption, shown=_MOST, count=frame.height)
    return Table(caption, tuple(_head(c) for c in columns), (("", rows),), labels=1)


def _figures(columns: Sequence[str]) -> tuple[str, ...]:
    """The column that carries a row's range and kind."""
    return tuple(c for c in columns if c in ("level", "value"))[:1]


def _head(column: str) -> str:
    key = f"explain.head_{column}"
    return say(key) if has(key) else words.column(column)


def _cell(column: str, row: Mapping[str, Any], *, last: bool) -> Cell:
    value = row[column]
    if value is None:
        return Cell("", blank=True)
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        if column == "activity":
            return _text(_activity(text))
        if column == "name":
            return _text(", ".join([_activity(text), *_places(text)]))
        return _text(_NAMES[column](text) if column in _NAMES else text)
    if column in ("share", "effect", "slope"):
        text = percent(value) if column == "share" else number(value)
    else:
        text = number(value)
    if not last:
        return Cell(text)
    return Cell(text, within=interval(row.get("low"), row.get("high"), None), kind=row.get("kind"))


def _activity(name: str) -> str:
    """Name an activity of a network for a reader; its places stand in columns of their own.

    Examples
    --------
    >>> _activity("trade toy_metal CHN>IND"), _activity("smelt_toy@CHN")
    ('Trade: Toy metal', 'Toy smelter')
    """
    parts = [part for part in name.partition("@")[0].split(" ") if ">" not in part]
    return ": ".join(words.commodity(part) for part in parts)


def _places(name: str) -> list[str]:
    """Name the places of an activity of a network.

    Examples
    --------
    >>> _places("trade toy_metal CHN>IND"), _places("smelt_toy@CHN"), _places("smelt_toy")
    (['China to India'], ['China'], [])
    """
    ways = [part for part in name.split(" ") if ">" in part]
    if ways:
        origin, _, destination = ways[0].partition(">")
        return [say("explain.from_to", origin=words.place(origin), destination=words.place(destination))]
    place = name.partition("@")[2]
    return [words.place(place)] if place else []
