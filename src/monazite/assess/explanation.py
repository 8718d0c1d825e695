"""Why a cell says what it says: formula, the levels that matter most, the paths, the sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from monazite.assess.context import Cell
from monazite.core.range import NORMAL_80
from monazite.core.text import say
from monazite.facts.places import name_of
from monazite.market.measures import largest_paths

if TYPE_CHECKING:
    from monazite.network import Network

__all__ = ["Explanation", "explain_cell"]

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
    inputs : DataFrame
        The levels that matter most: ``rank, activity, type, commodity, place, partner, level, low, high``
        (t/yr), ``slope`` (change of the value a t/yr), ``effect`` (the value's change over the level's 80 %
        range, or, where it has none, over all of it), ``kind, fact_ids``.
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

    def __str__(self) -> str:
        """Readable text: value, formula, paths, inputs, citations."""
        row = self.cell
        lines = [
            say(
                "assess.explain_cell",
                measure=say(f"assess.measure_{row['measure']}"),
                subject=" ".join(
                    str(row[c]) for c in ("chain", "stage", "commodity", "element") if row.get(c)
                ),
                place=name_of(row["place"]) if row["place"] else "",
                by=name_of(row["by"]) if row["by"] else say("assess.nobody"),
                value=number(row["value"]),
                low=number(row["low"]),
                high=number(row["high"]),
                kind=row["kind"],
                period=row["period"],
            ),
            self.formula,
        ]
        if row.get("caveat"):
            lines.append(str(row["caveat"]))
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
                    effect=number(r["effect"]))
                for r in self.inputs.iter_rows(named=True)
            ]  # fmt: skip
        if self.sources.height:
            lines.append(say("assess.explain_sources"))
            cited = self.sources["citation"].drop_nulls().unique(maintain_order=True).to_list()
            lines += [f"- {citation}" for citation in cited]
        return "\n".join(lines)


def explain_cell(network: Network, cell: Cell) -> Explanation:
    """Explain one cell of an assessment."""
    inputs = _inputs(network, cell)
    ids = list(dict.fromkeys(i for ids in inputs["fact_ids"].to_list() for i in ids))
    return Explanation(
        cell=cell.row,
        formula=say(f"assess.formula_{cell.row['measure']}"),
        inputs=inputs,
        paths=_paths(network, cell),
        sources=network.facts.explain(ids) if ids else network.facts.explain([]),
    )


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
    some = table[order.tolist()].select(
        activity="name", type="type", commodity="commodity", place="place", partner="partner", level="level",
        low=pl.max_horizontal(pl.lit(0.0), pl.col("level") - NORMAL_80 / 2 * pl.col("posterior_sd")),
        high=pl.col("level") + NORMAL_80 / 2 * pl.col("posterior_sd"),
        kind="kind", fact_ids="fact_ids",
    )  # fmt: skip
    columns = ("activity", "type", "commodity", "place", "partner", "level", "low", "high", "slope", "effect")
    some = some.with_columns(pl.Series("slope", slope[order]), pl.Series("effect", effect[order]))
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


def number(value: object) -> str:
    """Write a share or ratio for a reader; "no figure" where there is none."""
    return say("assess.no_figure") if value is None else f"{float(str(value)):.3f}"
