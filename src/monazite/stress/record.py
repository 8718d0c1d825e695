"""A control's record beside the answer: what was seen, what the model says, and by how much it misses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from monazite.stress.tables import months

if TYPE_CHECKING:
    from monazite.stress.verb import Stress

SCHEMA = {
    "what": pl.String,
    "commodity": pl.String,
    "place": pl.String,
    "partner": pl.String,
    "period": pl.String,
    "observed": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "modelled": pl.Float64,
    "unit": pl.String,
    "source": pl.String,
    "note": pl.String,
}


def beside_record(answer: Stress) -> pl.DataFrame:
    """The observed points of a registered control with the answer's own figure for each.

    Returns
    -------
    DataFrame
        ``what, commodity, place, partner, period, observed, low, high, modelled, unit, source, note``;
        ``modelled`` is null where the answer has no figure of the kind.
    """
    rows = [
        {
            "what": point["what"],
            "commodity": ";".join(_listed(point["commodity"])),
            "place": point["place"],
            "partner": point.get("partner"),
            "period": point["period"],
            "observed": point["value"],
            "low": point.get("low"),
            "high": point.get("high"),
            "modelled": _modelled(answer, point),
            "unit": point["unit"],
            "source": point["source"],
            "note": point.get("note"),
        }
        for point in answer.control.observed
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(v) for v in value]


def _modelled(answer: Stress, point: Mapping[str, Any]) -> float | None:
    what, commodities = point["what"], _listed(point["commodity"])
    if what == "exports":
        return _exports(answer, commodities, point.get("partner"), str(point["period"]))
    if what == "exports_change":
        return _yearly_change(answer, commodities, point.get("partner"), str(point["period"]))
    rows = answer.everywhere.filter((pl.col("measure") == what) & (pl.col("place") == point["place"]))
    if commodities:
        rows = rows.filter(pl.col("commodity").is_in(commodities))
    if what == "price_multiple":
        rows = rows.filter(pl.col("period") == point["period"])
    elif what != "first_stop_week":
        return None
    values = rows["value"].drop_nulls()
    return float(values.min()) if values.len() else None  # type: ignore[arg-type]


def _flows(answer: Stress, commodities: list[str], partner: str | None) -> np.ndarray:
    """Columns of the restricting state's exports of these commodities, to one partner or to all."""
    month = answer.limits.layout
    table = month.network.activities.filter(
        (pl.col("type") == "trade")
        & (pl.col("place") == answer.control.by)
        & pl.col("commodity").is_in(commodities)
    )
    if partner is not None:
        table = table.filter(pl.col("partner") == partner)
    return np.flatnonzero((month.role == "piece") & np.isin(month.activity, table["activity"].to_numpy()))


def _exports(answer: Stress, commodities: list[str], partner: str | None, period: str) -> float | None:
    labels = months(answer.control.start, answer.run.level.shape[0])
    columns = _flows(answer, commodities, partner)
    if period not in labels or not columns.size:
        return None
    return float(answer.run.level[labels.index(period), columns].sum())


def _yearly_change(answer: Stress, commodities: list[str], partner: str | None, year: str) -> float | None:
    """Change of a calendar year's exports on the base year: base months before the start, then the run's."""
    labels = months(answer.control.start, answer.run.level.shape[0])
    columns = _flows(answer, commodities, partner)
    inside = [k for k, label in enumerate(labels) if label[:4] == year]
    before = int(answer.control.start[5:7]) - 1 if answer.control.start[:4] == year else 0
    if before + len(inside) != 12 or not columns.size:
        return None
    base = float(answer.limits.layout.base[columns].sum())
    run = sum(float(answer.run.level[k, columns].sum()) for k in inside)
    return (before * base + run) / (12.0 * base) - 1.0
