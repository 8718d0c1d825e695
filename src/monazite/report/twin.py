"""The table twin of a picture: the same figures for who reads, copies or hears them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from monazite.core.errors import UnknownName
from monazite.core.text import say
from monazite.views import words
from monazite.views.numbers import interval, percent, quantity
from monazite.views.view import View

__all__ = ["Cell", "Table", "twins"]

_EXACT = 5  # digits of a figure that its source has published
_ROUND = 3


@dataclass(frozen=True)
class Cell:
    """One figure: its text, its range, its kind; ``blank`` where no source says anything.

    ``cell_id`` is the cell of the result that it shows, ``fact`` the fact: either can be explained.

    Examples
    --------
    >>> Cell("89 %", within="86–91 %", kind="estimated").blank
    False
    """

    text: str
    within: str = ""
    kind: str | None = None
    blank: bool = False
    number: bool = True
    cell_id: str | None = None
    fact: int | None = None


@dataclass(frozen=True)
class Table:
    """A table: caption, heads, and groups of rows whose first ``labels`` cells are their heads."""

    caption: str
    heads: tuple[str, ...]
    groups: tuple[tuple[str, tuple[tuple[Cell, ...], ...]], ...]
    labels: int = 1

    @property
    def height(self) -> int:
        """Number of rows."""
        return sum(len(rows) for _, rows in self.groups)


def twins(view: View) -> tuple[Table, ...]:
    """Return the tables of a view, from its data alone.

    Raises
    ------
    UnknownName
        No table is known for the view's picture.

    Examples
    --------
    >>> from monazite.views import ranking
    >>> frame = pl.DataFrame({"measure": ["hhi"], "stage": ["mine"], "value": [0.49], "kind": ["derived"]})
    >>> [table.height for table in twins(ranking(frame, measure="hhi"))]
    [1]
    """
    makers: Mapping[str, Callable[[View], tuple[Table, ...]]] = {
        "coverage": _coverage,
        "matrix": _matrix,
        "lines": _lines,
        "map": _flows,
        "sankey": _links,
        "bars": _bars,
        "tornado": _tornado,
    }
    picture = str(view.encoding.get("picture"))
    if picture not in makers:
        raise UnknownName("picture", picture, makers)
    return makers[picture](view)


def _label(text: str) -> Cell:
    return Cell(text, number=False)


def _digits(kind: str | None) -> int:
    return _EXACT if kind == "reported" else _ROUND


def _matrix(view: View) -> tuple[Table, ...]:
    states = [column["label"] for column in view.encoding["columns"]]
    bare = set(view.data["stage_label"]) == {""}  # the steps stand side by side
    groups: list[tuple[str, tuple[tuple[Cell, ...], ...]]] = []
    for (group,), part in view.data.group_by(["group_label"], maintain_order=True):
        rows: list[tuple[Cell, ...]] = []
        for _, cells in part.group_by(["row"], maintain_order=True):
            named = {cell["column"]: cell for cell in cells.to_dicts()}
            first = cells.row(0, named=True)
            figures = [_share(named.get(place), whole=None in named) for place in range(len(states))]
            stage = () if bare else (_label(first["stage_label"]),)
            rows.append((*stage, _label(first["row_label"]), *figures))
        groups.append((str(group), tuple(rows)))
    years = sorted(view.data["period"].drop_nulls().unique().to_list())
    caption = say("brief.caption_year", title=view.title, years=years) if years else view.title
    labels = (words.column("label"),) if bare else (words.column("stage"), words.column("step"))
    return (Table(caption, (*labels, *states), tuple(groups), labels=len(labels)),)


def _coverage(view: View) -> tuple[Table, ...]:
    """Return the stages of each chain, year by year."""
    years = view.encoding["years"]
    groups: list[tuple[str, tuple[tuple[Cell, ...], ...]]] = []
    for (group,), part in view.data.group_by(["group_label"], maintain_order=True):
        rows: list[tuple[Cell, ...]] = []
        for _, cells in part.group_by(["row", "block"], maintain_order=True):
            named = {cell["period"]: cell for cell in cells.to_dicts()}
            first = cells.row(0, named=True)
            figures = (
                Cell(
                    named[year]["text"],
                    kind=named[year]["kind"],
                    number=named[year]["kind"] is not None,
                    cell_id=named[year]["cell_id"],
                )
                if year in named
                else Cell("", blank=True)
                for year in years
            )
            rows.append((_label(first["chain_label"]), _label(first["stage_label"]), *figures))
        groups.append((str(group), tuple(rows)))
    heads = (words.column("chain"), words.column("stage"), *years)
    return (Table(view.title, heads, tuple(groups), labels=2),)


def _share(cell: Mapping[str, Any] | None, *, whole: bool) -> Cell:
    if cell is None:
        return Cell(say("view.unknown"), kind=None) if whole else Cell("", blank=True)
    within = interval(cell["low"], cell["high"], "share") if cell["value"] is not None else ""
    kind = cell["kind"] if cell["value"] is not None else None
    return Cell(cell["text"], within=within, kind=kind, cell_id=cell["cell_id"])


def _lines(view: View) -> tuple[Table, ...]:
    made: list[Table] = []
    for panel in view.encoding["panels"]:
        rows = view.data.filter(pl.col("panel") == panel["panel"])
        columns: list[tuple[str, int, bool]] = []
        for series in panel["series"]:
            for seen in (False, True):
                part = rows.filter((pl.col("series") == series["series"]) & (pl.col("observed") == seen))
                if part.height:
                    name = series["series_label"] if len(panel["series"]) > 1 else words.column("value")
                    columns.append(
                        (say("brief.observed", series=name) if seen else name, series["series"], seen)
                    )
        found = {(row["month"], row["series"], row["observed"]): row for row in rows.to_dicts()}
        months = rows.select("month", "period_label").unique("month").sort("month").to_dicts()
        body = tuple(
            (
                _label(month["period_label"]),
                *(
                    _point(found.get((month["month"], series, seen)), panel["format"])
                    for _, series, seen in columns
                ),
            )
            for month in months
        )
        caption = say(
            "brief.caption_panel", title=panel["title"], subtitle=panel["subtitle"], unit=_unit(panel["unit"])
        )
        heads = (words.column("period_label"), *(name for name, _, _ in columns))
        made.append(Table(caption if panel["subtitle"] else panel["title"], heads, (("", body),)))
    return tuple(made)


def _unit(unit: str) -> str:
    return "" if unit == "1" else unit


def _point(row: Mapping[str, Any] | None, unit: str) -> Cell:
    if row is None:
        return Cell("", blank=True)
    if row["value"] is None:
        return Cell(say("view.no_figure"), cell_id=row["cell_id"])
    shown = unit if unit in ("share", "×") else None
    low, high = row["low"], row["high"]
    within = interval(low, high, shown)
    text = quantity(row["value"], shown, digits=_digits(row["kind"]))
    return Cell(text, within=within, kind=row["kind"], cell_id=row["cell_id"])


def _links(view: View) -> tuple[Table, ...]:
    names = {row["node"]: row for row in view.data.filter(pl.col("item") == "node").to_dicts()}
    unit, basis = view.encoding["unit"], view.encoding["basis"]
    groups: list[tuple[str, tuple[tuple[Cell, ...], ...]]] = []
    links = view.data.filter(pl.col("item") == "link").to_dicts()
    order = [item["stage"] for item in view.encoding["stages"]]
    for stage in order:
        rows: list[tuple[Cell, ...]] = []
        for link in links:
            if link["stage"] != stage:
                continue
            source, target = names[link["source"]], names[link["target"]]
            rows.append(
                (
                    _label(source["label"]),
                    _label(
                        f"{target['label']} ({words.stage(target['stage']).lower()})"
                        if target["role"] == "flow"
                        else target["label"]
                    ),
                    Cell(
                        quantity(link["value"], None, digits=_digits(link["kind"])),
                        kind=link["kind"],
                        cell_id=link["cell_id"],
                    ),
                    Cell(percent(link["share"])),
                )
            )
        if rows:
            groups.append((say("brief.from_stage", stage=words.stage(stage)), tuple(rows)))
    heads = (
        words.column("from"),
        words.column("to"),
        f"{unit}, {basis}" if basis else unit,
        words.column("share_of_stage"),
    )
    return (Table(view.title, heads, tuple(groups), labels=2),)


def _bars(view: View) -> tuple[Table, ...]:
    unit = view.encoding["format"]
    found = view.data.to_dicts()
    dated = any(row.get("period_label") for row in found)
    rows = tuple(
        (
            _label(", ".join(part for part in (row["label"], row["detail"]) if part)),
            Cell(say("view.no_figure"), cell_id=row["cell_id"])
            if row["quality"] == "unknown"
            else Cell(
                quantity(row["value"], unit, digits=_digits(row["kind"])),
                within=interval(row["low"], row["high"], unit),
                kind=row["kind"],
                cell_id=row["cell_id"],
            ),
            *([_label(row["period_label"] or "")] if dated else []),
        )
        for row in found
    )
    heads = (words.column("label"), words.column("value"))
    return (Table(view.title, heads + ((words.column("period_label"),) if dated else ()), (("", rows),)),)


def _tornado(view: View) -> tuple[Table, ...]:
    """Return the causes with the ends of their bars and what else is told of each; all at once come first."""
    told = view.encoding["shares"]
    rows: list[tuple[Cell, ...]] = []
    for row in view.data.to_dicts():
        number = row["quality"] != "unknown"
        cell = Cell(row["text"], kind=row["kind"] if number else None, number=number, cell_id=row["cell_id"])
        if row["item"] == "all" and number:
            ends = {name: row[f"{name}_text"] for name in ("low", "high")}
            cell = replace(
                cell, within=say("view.tornado_ends", **ends) if len(set(ends.values())) > 1 else ""
            )
        label = row["label"] + (say("view.range", range=row["detail"]) if row["detail"] else "")
        rows.append((_label(label), cell, *(_share_of(row, name) for name in told)))
    heads = (words.column("cause"), words.column("tornado_ends"), *(words.column(name) for name in told))
    return (Table(view.title, heads, (("", tuple(rows)),)),)


def _share_of(row: Mapping[str, Any], name: str) -> Cell:
    """Write what a cause has of a headline: a correlation or a share of its variance."""
    if row[name] is None:
        return Cell("", blank=True)
    within = interval(row[f"{name}_low"], row[f"{name}_high"], None, digits=2)
    return Cell(quantity(row[name], None, digits=2), within=within, cell_id=row[f"{name}_id"])


def _flows(view: View) -> tuple[Table, ...]:
    """Return the flows of a map, the largest first, and the sum of those that it does not draw."""
    unit, basis = view.encoding["unit"], view.encoding["basis"]
    rows: list[tuple[Cell, ...]] = []
    for row in view.data.filter(pl.col("item") != "place").to_dicts():
        drawn = row["item"] == "arc"
        within = interval(row["low"], row["high"], None)
        value = quantity(row["value"], None, digits=_ROUND if within else _digits(row["kind"]))
        rows.append(
            (
                _label(row["partner_label"] if drawn else say("view.smaller_flows", count=row["count"])),
                _label(row["place_label"] if drawn else ""),
                Cell(value, within=within, kind=row["kind"], cell_id=row["cell_id"]),
                Cell(percent(row["share"])),
            )
        )
    heads = (
        words.column("from"),
        words.column("to"),
        f"{unit}, {basis}" if unit and basis else unit or words.column("value"),
        words.column("share_of_trade"),
    )
    return (Table(view.title, heads, (("", tuple(rows)),), labels=2),)
