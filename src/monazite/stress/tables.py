"""What a run says, as rows of the one result table.

Every function takes the monthly layout and a run and returns a tidy frame with the columns of a result;
nothing here is rounded, and a figure that cannot be computed is null with status ``insufficient``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from monazite.market.scenario import Control
from monazite.network import Layout
from monazite.stress.simulate import Run

Float = NDArray[np.float64]

#: a class of users has stopped when it is below this share of its base use
STOPPED = 0.5
WEEKS_A_MONTH = 52.1775 / 12.0


def months(start: str, count: int) -> list[str]:
    """Month names from `start` (``YYYY-MM``).

    Examples
    --------
    >>> months("2025-11", 3)
    ['2025-11', '2025-12', '2026-01']
    """
    year, month = int(start[:4]), int(start[5:7]) - 1
    return [f"{year + (month + k) // 12:04d}-{(month + k) % 12 + 1:02d}" for k in range(count)]


@dataclass(frozen=True)
class Scope:
    """Whose figures are wanted: places, and the group's name if they have one."""

    places: tuple[str, ...]
    name: str | None = None

    def holds(self, place: str) -> bool:
        """Whether a place is wanted."""
        return not self.places or place in self.places


def use_by_cohort(layout: Layout, run: Run) -> Float:
    """Use of each class of users each month as a share of its base use, shape (months, cohorts)."""
    columns = np.flatnonzero((layout.role == "piece") & (layout.cohort >= 0))
    owner = layout.cohort[columns]
    used = np.zeros((run.level.shape[0], len(layout.cohorts)))
    np.add.at(used.T, owner, run.level[:, columns].T)
    shares: Float = used / np.array([c.level for c in layout.cohorts])
    return shares


def _cohort_frame(layout: Layout) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "index": range(len(layout.cohorts)),
            "activity_index": [c.activity for c in layout.cohorts],
            "use": [c.use for c in layout.cohorts],
            "commodity": [c.commodity for c in layout.cohorts],
            "place": [c.place for c in layout.cohorts],
            "level": [c.level for c in layout.cohorts],
        }
    )


def price_rows(
    layout: Layout, run: Run, control: Control, scope: Scope, focus: Collection[str]
) -> pl.DataFrame:
    """Price and price multiple of the commodities in `focus`, by place and month."""
    nodes = layout.network.nodes.filter(pl.col("commodity").is_in(list(focus)))
    if scope.places:
        nodes = nodes.filter(pl.col("place").is_in([*scope.places, control.by]))
    labels = months(control.start, run.price.shape[0])
    frames = []
    for node, commodity, place, chain, stage, base in nodes.select(
        "node", "commodity", "place", "chain", "stage", "price"
    ).iter_rows():
        low, high = run.price_low[:, node], run.price_high[:, node]
        none = np.isnan(low)
        value = np.where(none, np.nan, run.price[:, node])
        low = np.where(np.isfinite(low), np.minimum(low, value), value)
        high = np.where(np.isfinite(high), np.maximum(high, value), value)
        for measure, scale, unit in (("price", 1.0, "USD/kg"), ("price_multiple", base, "1")):
            frames.append(
                pl.DataFrame(
                    {
                        "measure": measure,
                        "chain": chain,
                        "stage": stage,
                        "commodity": commodity,
                        "place": place,
                        "period": labels,
                        "month": np.arange(len(labels)),
                        "value": value / scale,
                        "low": low / scale,
                        "high": high / scale,
                        "unit": unit,
                    }
                )
            )
    return pl.concat(frames) if frames else pl.DataFrame()


def shortage_rows(layout: Layout, run: Run, control: Control, scope: Scope) -> pl.DataFrame:
    """Unmet share of base need, and stock in months of use, by end use, place and month."""
    share = use_by_cohort(layout, run)
    labels = months(control.start, share.shape[0])
    cohorts = _cohort_frame(layout)
    stores = np.flatnonzero(layout.role[layout.stores] == "store")
    of = layout.cohort[layout.stores]
    held = np.zeros((share.shape[0], len(layout.cohorts)))
    for s in stores:
        if of[s] >= 0:
            held[:, of[s]] = run.stock[1:, s]
    rows = []
    stages = dict(layout.network.nodes.select("commodity", "stage").unique().iter_rows())
    chains = dict(layout.network.nodes.select("commodity", "chain").unique().iter_rows())
    for (use, commodity, place), part in cohorts.group_by("use", "commodity", "place", maintain_order=True):
        if not scope.holds(str(place)):
            continue
        members = part["index"].to_numpy()
        level = part["level"].to_numpy()
        met = (share[:, members] * level).sum(axis=1) / level.sum()
        cover = held[:, members].sum(axis=1) / level.sum()
        unmet = np.where(np.abs(1.0 - met) < 1e-9, 0.0, np.maximum(1.0 - met, 0.0))
        split = all(layout.cohorts[i].split for i in members)
        shown = [("shortage", unmet, "1"), ("stock_cover", cover, "month")][: 2 if split else 1]
        for measure, values, unit in shown:
            rows.append(
                pl.DataFrame(
                    {
                        "measure": measure,
                        "chain": chains[str(commodity)],
                        "stage": stages[str(commodity)],
                        "commodity": commodity,
                        "use": use,
                        "place": place,
                        "period": labels,
                        "month": np.arange(len(labels)),
                        "value": values,
                        "unit": unit,
                    }
                )
            )
    return pl.concat(rows) if rows else pl.DataFrame()


def stop_rows(layout: Layout, run: Run, scope: Scope, late: float = 0.0) -> pl.DataFrame:
    """Week in which the first class of users stops, and half of them have, by end use and place.

    A class stops in the month in which it falls below half of its base use; within that month it runs at
    full rate until what it has is used up. Weeks count from the day on which the control enters into force,
    `late` weeks into the first month. Null: it does not stop within the months simulated.
    """
    share = use_by_cohort(layout, run)
    week = np.full(len(layout.cohorts), np.inf)
    for i in range(len(layout.cohorts)):
        low = np.flatnonzero(share[:, i] < STOPPED)
        if low.size:
            week[i] = max((low[0] + share[low[0], i]) * WEEKS_A_MONTH - late, 0.0)
    rows = []
    stages = dict(layout.network.nodes.select("commodity", "stage").unique().iter_rows())
    chains = dict(layout.network.nodes.select("commodity", "chain").unique().iter_rows())
    for (use, commodity, place), part in _cohort_frame(layout).group_by(
        "use", "commodity", "place", maintain_order=True
    ):
        if not scope.holds(str(place)):
            continue
        members, level = part["index"].to_numpy(), part["level"].to_numpy()
        order = np.argsort(week[members], kind="stable")
        weights = np.cumsum(level[order]) / level.sum()
        median = week[members][order][int(np.searchsorted(weights, 0.5 - 1e-12))]
        for measure, value in (("first_stop_week", week[members].min()), ("median_stop_week", median)):
            rows.append(
                {
                    "measure": measure,
                    "chain": chains[str(commodity)],
                    "stage": stages[str(commodity)],
                    "commodity": commodity,
                    "use": use,
                    "place": place,
                    "value": float(value) if np.isfinite(value) else None,
                    "unit": "week",
                    "status": "ok" if np.isfinite(value) else "not_applicable",
                }
            )
    return pl.DataFrame(rows, schema_overrides={"value": pl.Float64}) if rows else pl.DataFrame()


def export_rows(layout: Layout, run: Run, control: Control, focus: Sequence[str]) -> pl.DataFrame:
    """Exports of the restricting state by commodity and month, t a month, with the base beside them."""
    network = layout.network
    labels = months(control.start, run.level.shape[0])
    gates = np.flatnonzero(layout.role == "gate")
    stages = dict(network.nodes.select("commodity", "stage").unique().iter_rows())
    rows = []
    for k, (commodity, place) in zip(
        gates, network.gates.select("commodity", "place").iter_rows(), strict=True
    ):
        if place != control.by or commodity not in focus:
            continue
        chain = network.nodes.filter(pl.col("commodity") == commodity)["chain"][0]
        for measure, values, unit in (
            ("exports", run.level[:, k], "t/month"),
            ("exports_multiple", run.level[:, k] / layout.base[k], "1"),
        ):
            rows.append(
                pl.DataFrame(
                    {
                        "measure": measure,
                        "chain": chain,
                        "stage": stages[commodity],
                        "commodity": commodity,
                        "place": place,
                        "period": labels,
                        "month": np.arange(len(labels)),
                        "value": values,
                        "unit": unit,
                    }
                )
            )
    return pl.concat(rows) if rows else pl.DataFrame()


def loss_rows(layout: Layout, run: Run, scope: Scope) -> pl.DataFrame:
    """Output deferred and lost by end use and place: months of base output, units, value added.

    Deferred output is made up later or still on order; lost output is the orders that lapsed. A use that
    takes two commodities counts each product once: its lines share the units in proportion to the tonnes
    they use.
    """
    network = layout.network
    share = use_by_cohort(layout, run)
    short = np.where(1.0 - share > 1e-9, 1.0 - share, 0.0).sum(axis=0)
    made_up = np.where(share - 1.0 > 1e-9, share - 1.0, 0.0).sum(axis=0)
    pending = run.unfilled[-1]
    deferred = np.minimum(made_up + pending, short)
    lost = np.maximum(short - deferred, 0.0)
    lost[lost < 1e-9] = 0.0
    cohorts = _cohort_frame(layout).with_columns(
        deferred=pl.Series(deferred) * pl.col("level"), lost=pl.Series(lost) * pl.col("level")
    )
    units = {
        (r["activity"], r["place"]): r
        for r in network.facts.select("units").iter_rows(named=True)
        if r["value"] is not None and r["status"] == "ok"
    }
    worth = {
        r["activity"]: r
        for r in network.facts.select("value_added").iter_rows(named=True)
        if r["value"] is not None and r["status"] == "ok"
    }
    chains = dict(network.nodes.select("commodity", "chain").unique().iter_rows())
    rows: list[dict[str, object]] = []
    for (use, place), part in cohorts.group_by("use", "place", maintain_order=True):
        if not scope.holds(str(place)):
            continue
        level = float(part["level"].sum())
        known, value = units.get((use, place)), worth.get(use)
        common = {"chain": chains[part["commodity"][0]], "stage": "product", "use": use, "place": place}
        for name in ("deferred", "lost"):
            tonnes = float(part[name].sum())
            rows.append({"measure": f"output_{name}", **common, "value": tonnes / level, "unit": "month"})
            if known is not None:
                rows.append(
                    {
                        "measure": f"units_{name}",
                        **common,
                        "value": tonnes / level * float(known["value"]) / 12.0,
                        "unit": "unit",
                    }
                )
            money: dict[str, object] = {"measure": f"value_added_{name}", **common, "unit": "MUSD"}
            if value is None:
                money["status"] = "insufficient"
            else:
                money["value"] = tonnes * float(value["value"]) / 1000.0
                money["low"] = (
                    tonnes * float(value["low"] if value["low"] is not None else value["value"]) / 1000.0
                )
                money["high"] = (
                    tonnes * float(value["high"] if value["high"] is not None else value["value"]) / 1000.0
                )
            rows.append(money)
    return (
        pl.DataFrame(rows, infer_schema_length=None, schema_overrides={"value": pl.Float64})
        if rows
        else pl.DataFrame()
    )
