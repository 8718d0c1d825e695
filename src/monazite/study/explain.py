"""Explain cells of a study: how the figure is made, what was drawn and from which figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from monazite.core.errors import ArgumentError, UnknownName
from monazite.core.text import say
from monazite.facts.assumptions import assumptions
from monazite.market.scenario.causes import CAUSES, WORLD
from monazite.network.worlds import MEASURED

if TYPE_CHECKING:
    from monazite.study.verb import Study

_KEYS = (
    "measure",
    "chain",
    "stage",
    "commodity",
    "place",
    "by",
    "cause",
    "scenario",
    "denominator",
    "cell_id",
)
#: how many facts an explanation lists
MOST = 20
_RANGES = {
    "cause": pl.String, "rests_on": pl.String, "low": pl.Float64, "value": pl.Float64, "high": pl.Float64,
    "unit": pl.String, "note": pl.String,
}  # fmt: skip


def explanation(answer: Study, **selection: Any) -> dict[str, Any]:
    """The cells selected, how they are made, the causes drawn with their ranges, and the facts.

    Returns
    -------
    dict
        ``formula`` (text), ``cells``, ``causes`` (``cause, rests_on, low, value, high, unit, note``),
        ``facts`` (fact rows with their sources) where the cell is about one cause, ``run`` (name of the run's
        folder, which holds every scenario).
    """
    cells = answer.table
    for key, value in selection.items():
        if key not in _KEYS:
            raise UnknownName("key", key, _KEYS)
        known = cells[key].drop_nulls().unique().to_list() if key in cells.columns else []
        if value not in known:
            raise UnknownName(key, value, known)
        cells = cells.filter(pl.col(key) == value)
    if cells.is_empty():
        raise ArgumentError("stress.no_cell", selection=", ".join(f"{k}={v}" for k, v in selection.items()))
    measure = str(cells["measure"][0])
    kind = "catalogue_" if answer.catalogue and measure in ("headline", "unserved", "price_multiple") else ""
    found: dict[str, Any] = {"formula": say(f"study.formula_{kind}{measure}"), "cells": cells}
    causes = cells["cause"].drop_nulls().unique().to_list() if "cause" in cells.columns else []
    drawn = [] if answer.catalogue else list(answer.source.describe()["causes"])
    ranges = causes_frame(answer, causes or drawn)
    if ranges.height:
        found["causes"] = ranges
    if len(causes) == 1:
        found["facts"] = _facts(answer, causes[0])
    return {**found, "run": answer.record.name}


def causes_frame(answer: Study, names: list[str]) -> pl.DataFrame:
    """What each cause rests on: its assumptions, and how many facts speak of it with what range."""
    rows: list[dict[str, Any]] = []
    facts = answer.network.facts.frame.filter(pl.col("value").is_not_null() & (pl.col("status") == "ok"))
    for cause in CAUSES:
        if cause.name not in names:
            continue
        for name in cause.assumptions:
            row = assumptions()[name]
            figures = {key: float(row[key]) for key in ("low", "value", "high")}
            rows.append(
                {"cause": cause.name, "rests_on": name, **figures, "unit": row["unit"], "note": row["note"]}
            )
        for variable in cause.variables:
            own = facts.filter(pl.col("variable") == variable)
            if own.is_empty():
                continue
            within = {
                "low": own["low"].min() if own["low"].drop_nulls().len() else None,
                "value": own["value"].median(),
                "high": own["high"].max() if own["high"].drop_nulls().len() else None,
            }
            key = (
                "study.within_sigma" if cause.name == WORLD and variable in MEASURED else "study.within_range"
            )
            note = say(key, count=own.height)
            rows.append(
                {"cause": cause.name, "rests_on": variable, **within, "unit": own["unit"][0], "note": note}
            )
    return pl.DataFrame(rows, schema=_RANGES)


def _facts(answer: Study, cause: str) -> pl.DataFrame:
    """Facts that a cause rests on, the widest range first."""
    variables = next(c.variables for c in CAUSES if c.name == cause)
    own = answer.network.facts.frame.filter(
        pl.col("variable").is_in(list(variables)) & pl.col("value").is_not_null()
    )
    width = (pl.col("high") - pl.col("low")).abs() / pl.col("value").abs().clip(1e-9)
    widest = own.with_columns(width=width).sort(
        ["width", "fact_id"], descending=[True, False], nulls_last=True
    )
    return answer.network.facts.explain(widest["fact_id"].to_list()[:MOST])
