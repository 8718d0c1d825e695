"""Why a cell says what it says: formula, the levels that matter most, the paths, the sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from monazite.assess.context import Cell
from monazite.assess.words import worded
from monazite.core.range import NORMAL_80
from monazite.core.text import has, say
from monazite.facts.places import name_of
from monazite.market.measures import largest_paths

if TYPE_CHECKING:
    from monazite.network import Network

__all__ = ["Explanation", "explain_cell"]

_SUBJECT = ("chain", "stage", "commodity", "activity", "element", "stage_to")

#: how many levels and paths an explanation lists
MOST_INPUTS = 20
MOST_PATHS = 10


@dataclass(frozen=True, eq=False)
class Explanation:
    """One cell explained.

    Attributes
    ----------
    cell : mapping
        The row of the table.
    formula : str
        The equation in words, with its assumption.
    notes : tuple of str
        What is to be known of this cell besides: how far a level was moved, what the figure leaves out.
    inputs : DataFrame
        The levels that matter most: ``rank, activity, type, commodity, place, partner, level, low, high``
        (t/yr), ``estimate`` (as the facts have it) and ``moved`` (how far the reconciliation moved it, in
        standard deviations of that adjustment), ``slope`` (change of the value a t/yr), ``effect`` (the
        value's change over the level's 80 % range, or, where it has none, over all of it), ``kind,
        fact_ids``.
    paths : DataFrame
        For what is traced: ``rank, path, from_place, tonnes`` (t/yr of the element) and ``share`` of the use.
    sources : DataFrame
        The facts behind the inputs with their citations, contradicted ones after those that hold.
    """

    cell: Mapping[str, Any]
    formula: str
    inputs: pl.DataFrame
    paths: pl.DataFrame
    sources: pl.DataFrame
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Readable text: value, formula, paths, inputs, citations."""
        row = self.cell
        lines = [_heading(row), self.formula]
        if row.get("caveat"):
            lines.append(str(row["caveat"]))
        lines += self.notes
        if self.paths.height:
            lines.append(say("assess.explain_paths"))
            lines += [
                say(
                    "assess.explain_path",
                    share=number(r["share"]),
                    tonnes=f"{r['tonnes']:,.0f}",
                    path=r["path"],
                )
                for r in self.paths.iter_rows(named=True)
            ]
        if self.inputs.height:
            lines.append(say("assess.explain_inputs"))
            lines += [
                say("assess.explain_input", name=r["activity"], level=f"{r['level']:,.0f}", kind=r["kind"],
                    effect=number(r["effect"], row["unit"]))
                for r in self.inputs.iter_rows(named=True)
            ]  # fmt: skip
        if self.sources.height:
            lines.append(say("assess.explain_sources"))
            cited = self.sources["citation"].drop_nulls().unique(maintain_order=True).to_list()
            lines += [f"- {citation}" for citation in cited]
        return "\n".join(lines)


def explain_cell(cell: Cell) -> Explanation:
    """Explain one cell of an assessment."""
    network = cell.network
    inputs = _inputs(network, cell)
    ids = list(dict.fromkeys([*cell.facts, *(i for ids in inputs["fact_ids"].to_list() for i in ids)]))
    return Explanation(
        cell=cell.row,
        formula=worded("formula", cell.row["measure"]),
        inputs=inputs,
        paths=_paths(network, cell),
        sources=network.facts.explain(ids) if ids else network.facts.explain([]),
        notes=_notes(network, cell, inputs),
    )


def _notes(network: Network, cell: Cell, inputs: pl.DataFrame) -> tuple[str, ...]:
    """How the one level behind a trade flow was reported and moved, and which reports were not chosen."""
    if cell.row["measure"] != "trade" or not inputs.height:
        return ()
    level = inputs.row(0, named=True)
    if level["estimate"] is None:
        return (say("assess.note_unreported"),)
    key = "assess.note_kept" if level["moved"] is None or level["moved"] == 0 else "assess.note_moved"
    figures = {name: number(level[name], "t/yr") for name in ("estimate", "level")}
    notes = [say(key, moved=f"{abs(level['moved'] or 0.0):.1f}", **figures)]
    losers = network.facts.explain(level["fact_ids"]).filter(~pl.col("chosen"))
    if losers.height:
        others = [
            f"{number(row['value'], row['unit'])} ({row['source']})" for row in losers.iter_rows(named=True)
        ]
        notes.append(say("assess.note_losers", others=others))
    return tuple(notes)


def _inputs(network: Network, cell: Cell) -> pl.DataFrame:
    table = network.activities
    slope = np.asarray(cell.gradient, dtype=float)
    if not slope.any() and cell.basket is not None:
        # nothing moves the value (it is 0 or 1 whatever the levels): show the uses themselves
        order = np.unique(cell.basket.col)[:MOST_INPUTS]
        effect = np.zeros_like(network.level)
    else:
        sd = table["posterior_sd"].cast(float).fill_null(float("nan")).to_numpy()
        width = np.where(np.isfinite(sd), NORMAL_80 * sd, network.level)
        effect = slope * width
        order = np.argsort(-np.abs(effect), kind="stable")[:MOST_INPUTS]
        order = order[np.abs(effect[order]) > 0]
        if cell.levels:
            first = np.array(cell.levels[:MOST_INPUTS], dtype=np.int64)
            order = np.concatenate([first, order[~np.isin(order, first)]])[:MOST_INPUTS]
    some = table[order.tolist()].select(
        activity="name", type="type", commodity="commodity", place="place", partner="partner", level="level",
        low=pl.max_horizontal(pl.lit(0.0), pl.col("level") - NORMAL_80 / 2 * pl.col("posterior_sd")),
        high=pl.col("level") + NORMAL_80 / 2 * pl.col("posterior_sd"),
        estimate="estimate", kind="kind", fact_ids="fact_ids",
    )  # fmt: skip
    columns = (
        *("activity", "type", "commodity", "place", "partner", "level", "low", "high"),
        *("estimate", "moved", "slope", "effect"),
    )
    some = some.with_columns(
        network.report.adjustments["r"][order.tolist()].alias("moved"),
        pl.Series("slope", slope[order]),
        pl.Series("effect", effect[order]),
    )
    out: pl.DataFrame = some.with_row_index("rank", offset=1).select("rank", *columns, "kind", "fact_ids")
    return out


def _paths(network: Network, cell: Cell) -> pl.DataFrame:
    schema = {
        "rank": pl.Int64,
        "path": pl.String,
        "from_place": pl.String,
        "tonnes": pl.Float64,
        "share": pl.Float64,
    }
    if cell.trace is None or cell.basket is None or not cell.row["value"]:
        return pl.DataFrame(schema=schema)
    table = network.activities
    names, types = table["name"].to_list(), table["type"].to_list()
    places = table["place"].to_list()
    rows = []
    found = largest_paths(cell.trace, cell.basket, cell.column, most=MOST_PATHS)
    for rank, path in enumerate(found, start=1):
        steps = [f"{place} {commodity}" for place, commodity in path.steps]
        first = path.steps[0][0]
        begins = path.activities[0] if len(path.activities) == len(path.steps) else None
        if begins is not None:
            steps.insert(0, names[begins])
            first = places[begins] if types[begins] == "trade" else first
        rows.append((rank, " → ".join(steps), first, path.tonnes, path.share))
    return pl.DataFrame(rows, schema=schema, orient="row")


def number(value: object, unit: str | None = "1") -> str:
    """Write a share, a ratio or a quantity for a reader; "no figure" where there is none.

    Examples
    --------
    >>> number(0.25), number(58152.4, "t/yr"), number(None)
    ('0.250', '58,152 t/yr', 'no figure')
    """
    if value is None:
        return say("assess.no_figure")
    figure = float(str(value))
    if unit in (None, "1"):
        return f"{figure:.3f}"
    return f"{figure:,.0f} {unit}" if abs(figure) >= 100 else f"{figure:.3g} {unit}"


def _heading(row: Mapping[str, Any]) -> str:
    """The cell in one line; a flow is told by its two ends."""
    key = f"assess.explain_{row['measure']}"
    return say(
        key if has(key) else "assess.explain_cell" if row["unit"] == "1" else "assess.explain_quantity",
        measure=worded("measure", row["measure"]),
        subject=" ".join(str(row[c]) for c in _SUBJECT if row.get(c)),
        place=name_of(row["place"]) if row["place"] else "",
        by=name_of(row["by"]) if row["by"] else say("assess.nobody"),
        partner=name_of(row["partner"]) if row.get("partner") else say("assess.out"),
        value=number(row["value"], row["unit"]),
        low=number(row["low"], row["unit"]),
        high=number(row["high"], row["unit"]),
        kind=row["kind"],
        period=row["period"],
    )
