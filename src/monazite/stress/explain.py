"""Explain one cell of a stress answer: formula, numbers, sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from monazite.core.errors import ArgumentError, UnknownName
from monazite.core.text import say

if TYPE_CHECKING:
    from monazite.stress.verb import Stress

_KEYS = ("measure", "commodity", "use", "place", "period", "cell_id", "chain", "stage")


def explanation(answer: Stress, **selection: Any) -> dict[str, Any]:
    """The cells selected, how they are computed, what bound them, and the facts behind them.

    Returns
    -------
    dict
        ``formula`` (text), ``cells`` (DataFrame), ``limits`` (what the control allowed of each flow, by
        month), ``facts`` (DataFrame of fact rows with sources) and ``certificate``.
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
    if "cell_id" in selection:
        selection = {**cells.row(0, named=True), **selection}
    commodity, place, use = (selection.get(key) for key in ("commodity", "place", "use"))
    network = answer.network
    near = network.activities.filter(pl.col("level") > 0)
    if commodity is not None:
        near = near.filter(pl.col("commodity") == commodity)
    if place is not None:
        near = near.filter((pl.col("place") == place) | (pl.col("partner") == place))
    if use is not None:
        takes = near.filter(pl.col("use") == use)["commodity"].unique().to_list()
        near = near.filter(
            (pl.col("use") == use) | ((pl.col("type") == "trade") & pl.col("commodity").is_in(takes))
        )
    ids = sorted(
        {f for row in near.sort("level", descending=True)["fact_ids"].head(20).to_list() for f in row}
    )
    return {
        "formula": say(f"stress.formula_{measure}"),
        "cells": cells,
        "limits": limits_by_month(answer),
        "facts": network.facts.explain(ids),
        "certificate": answer.run.worst.to_dict(),
    }


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
