"""Explain cells of a stress answer: formula, numbers, what bound them, and the facts that bear on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from monazite.core.errors import ArgumentError, UnknownName
from monazite.core.text import say
from monazite.market.measures.relief import RELIEF
from monazite.stress.relief import help_of
from monazite.stress.tables import Scope

if TYPE_CHECKING:
    from monazite.stress.verb import Stress

_KEYS = (
    *("measure", "commodity", "use", "place", "period", "cell_id", "chain", "stage"),
    *("activity", "element", "role"),
)
#: how many facts and levels an explanation lists
MOST = 20
#: variables of facts about the user, the market and the price at a place, by what is explained
_MARKET = ("trade", "output", "use", "total_exports", "trader_stock", "lag")
_PRICE = ("price", "price_cap", "elasticity_demand", "elasticity_supply", "cash_cost", *_MARKET)
_USER = ("use", "cover", "cohort_cover", "cohort_share", "elasticity_demand", "trade", "trader_stock", "lag")
_BEARS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("exports", ("trade", "total_exports")),
    ("price_transfer", ("trade", "price", "elasticity_demand")),
    ("price", _PRICE),
    ("units", ("units", *_USER)),
    ("value_added", ("value_added", *_USER)),
    ("", _USER),
)


def explanation(answer: Stress, **selection: Any) -> dict[str, Any]:
    """The cells selected, how they are computed, what bound them, and the facts behind them.

    Returns
    -------
    dict
        ``formula`` (text), ``cells`` (DataFrame), ``inputs`` (the base year's levels that it starts from,
        largest first), ``limits`` (what the control allowed of each flow that bears on it, by month),
        ``facts`` (DataFrame of fact rows with sources, those that bear on it) and ``certificate``.
    """
    cells = answer.table
    for key, value in selection.items():
        if key not in _KEYS:
            raise UnknownName("key", key, _KEYS)
        known = cells[key].drop_nulls().unique().to_list()
        if value not in known:
            raise UnknownName(key, value, known)
        cells = cells.filter(pl.col(key) == value)
    if not cells.height:
        raise ArgumentError("stress.no_cell", selection=", ".join(f"{k}={v}" for k, v in selection.items()))
    measure = str(cells["measure"][0])
    about = cells.row(0, named=True) if cells.height == 1 else dict(selection)
    if measure in RELIEF:
        return _relief(answer, cells, measure)
    near = _levels(answer, about, measure)
    return {
        "formula": say(f"stress.formula_{measure}"),
        "cells": cells,
        "inputs": _inputs(near),
        "limits": _limits(answer, about),
        "facts": _facts(answer, about, measure, near),
        "certificate": answer.run.worst.to_dict(),
    }


def _relief(answer: Stress, cells: pl.DataFrame, measure: str) -> dict[str, Any]:
    """Figures of what would help: they are the base year's, before any control."""
    scope = Scope(answer.members, answer.group)
    figure = help_of(answer.network, answer.control, scope, cells.row(0, named=True))
    table = answer.network.activities
    ranked = sorted(figure.levels, key=lambda j: -abs(figure.levels[j]) * float(table["level"][j]))
    near = table[ranked[:MOST]]
    ids = [*figure.facts, *(i for ids in near["fact_ids"].to_list()[:MOST] for i in ids)]
    kept = answer.network.facts.frame.filter(
        pl.col("fact_id").is_in(ids) & (pl.col("variable") != "coefficient")
    )["fact_id"].to_list()
    ordered = [i for i in dict.fromkeys(ids) if i in set(kept)][: 2 * MOST]
    return {
        "formula": say(f"relief.formula_{measure}"),
        "cells": cells,
        "inputs": _inputs(near),
        "facts": answer.network.facts.explain(ordered),
    }


def _levels(answer: Stress, about: Mapping[str, Any], measure: str) -> pl.DataFrame:
    """Flows of the base year that bear on a cell: its own use, and what comes to its place."""
    by = answer.control.by
    live = answer.network.activities.filter(pl.col("level") > 0)
    commodity, place, use = (about.get(key) for key in ("commodity", "place", "use"))
    trade = pl.col("type") == "trade"
    if measure.startswith("exports"):
        live = live.filter(trade & (pl.col("place") == (place or by)))
        return (live if commodity is None else live.filter(pl.col("commodity") == commodity)).sort(
            "level", descending=True
        )
    if use is not None:
        users = live.filter((pl.col("use") == use) | (pl.col("key") == use))
        users = users if place is None else users.filter(pl.col("place") == place)
        goods = users["commodity"].unique().to_list() if commodity is None else [commodity]
        users = users.filter(pl.col("commodity").is_in(goods))
        brought = live.filter(trade & pl.col("commodity").is_in(goods))
        brought = brought if place is None else brought.filter(pl.col("partner") == place)
        return pl.concat([users.sort("level", descending=True), brought.sort("level", descending=True)])
    near = live if commodity is None else live.filter(pl.col("commodity") == commodity)
    for key in ("chain", "stage"):
        if commodity is None and about.get(key) is not None:
            near = near.filter(pl.col(key) == about[key])
    if measure == "price_transfer":
        near = near.filter(trade)
    if place is not None:
        near = near.filter(
            (trade & (pl.col("partner") == place)) | (~trade & (pl.col("place") == place))
            if place != by or measure == "price_transfer"
            else pl.col("place") == place
        )
    return near.sort("level", descending=True)


def _inputs(near: pl.DataFrame) -> pl.DataFrame:
    return near.head(MOST).select(
        activity="name", type="type", commodity="commodity", place="place", partner="partner",
        estimate="estimate", level="level", kind="kind",
    )  # fmt: skip


def _facts(answer: Stress, about: Mapping[str, Any], measure: str, near: pl.DataFrame) -> pl.DataFrame:
    """Facts of the levels near, then those of behaviour that speak of the same place, use or commodity."""
    variables = next(names for start, names in _BEARS if measure.startswith(start))
    facts = answer.network.facts
    ids = [i for row in near.head(MOST)["fact_ids"].to_list() for i in row]
    of_levels = facts.frame.filter(
        pl.col("fact_id").is_in(ids) & pl.col("variable").is_in(["trade", "output", "use", "capacity"])
    )
    goods = near.head(MOST)["commodity"].unique().to_list()
    users = near.filter(pl.col("type") == "use")["key"].unique().to_list()
    makers = near.filter(~pl.col("type").is_in(["use", "trade"]))["key"].unique().to_list()
    spoken = pl.col("commodity").is_null() | pl.col("commodity").is_in(goods)
    acted = pl.col("activity").is_null() | pl.col("activity").is_in([*users, *makers])
    cohort = pl.col("variable").str.starts_with("cohort_")
    place, use = about.get("place"), about.get("use")
    everywhere = pl.lit(value=True)
    there = everywhere if place is None else pl.col("place").is_null() | (pl.col("place") == place)
    aimed = everywhere if place is None else pl.col("partner").is_null() | (pl.col("partner") == place)
    used = acted if use is None else pl.col("activity").is_null() | (pl.col("activity") == use)
    sources = near["place"].unique().to_list()
    lag = (pl.col("variable") != "lag") | pl.col("place").is_null() | pl.col("place").is_in(sources)
    behaviour = facts.frame.filter(
        pl.col("variable").is_in([v for v in variables if v not in ("trade", "output", "use", "capacity")])
        & spoken
        & (used | cohort)
        & (there | (pl.col("variable") == "lag"))
        & lag
        & aimed
    )
    order = {variable: rank for rank, variable in enumerate(variables)}
    chosen = pl.concat([of_levels.head(MOST // 2), _specific(behaviour, order).head(MOST // 2)])
    return facts.explain(chosen["fact_id"].to_list())


def _specific(facts: pl.DataFrame, order: Mapping[str, int]) -> pl.DataFrame:
    """Of the facts of one variable that speak of the same thing the most specific first."""
    said = sum(
        (pl.col(c).is_not_null().cast(pl.Int64) for c in ("place", "activity", "commodity")), pl.lit(0)
    )
    ranked = facts.with_columns(
        said=said, order=pl.col("variable").replace_strict(order, default=99, return_dtype=pl.Int64)
    ).sort(["order", "said", "fact_id"], descending=[False, True, False])
    return ranked.group_by("variable", maintain_order=True).head(4).select(facts.columns)


def _limits(answer: Stress, about: Mapping[str, Any]) -> pl.DataFrame:
    """What was allowed of the flows that bear on a cell; of all that the control touches if none does."""
    every = limits_by_month(answer)
    if every.is_empty():
        return every
    commodity, place, by = about.get("commodity"), about.get("place"), answer.control.by
    table = answer.network.activities.select("name", "commodity", "place", "partner").unique("name")
    named = every.join(table, on="name", how="left")
    own = named
    if commodity is not None:
        own = own.filter(pl.col("commodity") == commodity)
    if place is not None and place != by:
        own = own.filter(pl.col("partner").is_null() | (pl.col("partner") == place))
    return (own if own.height else named).select(every.columns)


def limits_by_month(answer: Stress) -> pl.DataFrame:
    """What was allowed of each flow touched: ``name, month, base, allowed, realised`` (t a month)."""
    month = answer.limits.layout
    rows = []
    names = month.network.activities["name"].to_list()
    for k in answer.limits.touched:
        for t in range(answer.run.level.shape[0]):
            allowed = answer.run.upper[t, k]
            rows.append(
                {
                    "name": names[month.activity[k]],
                    "month": t,
                    "base": float(month.base[k]),
                    "allowed": float(allowed) if np.isfinite(allowed) else None,
                    "realised": float(answer.run.level[t, k]),
                }
            )
    return pl.DataFrame(rows)
