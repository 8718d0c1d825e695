"""What a run says, as rows of the one result table.

Every function takes the monthly layout and a run and returns a tidy frame with the columns of a result;
nothing here is rounded, and a figure that cannot be computed is null with status ``insufficient``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from monazite.core.range import Range
from monazite.facts.assumptions import assumed
from monazite.market.scenario import Control
from monazite.network import Layout
from monazite.stress.simulate import CATCH_UP, Run

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


def _commodities(layout: Layout) -> dict[str, dict[str, str]]:
    """Chain and stage of every commodity."""
    nodes = layout.network.nodes.select("commodity", "chain", "stage").unique()
    return {c: {"chain": chain, "stage": stage} for c, chain, stage in nodes.iter_rows()}


def _path(
    measure: str, subject: Mapping[str, object], labels: Sequence[str], value: Float, unit: str, **band: Float
) -> pl.DataFrame:
    """One figure month by month."""
    months_ = np.arange(len(labels))
    return pl.DataFrame(
        {
            "measure": measure,
            **subject,
            "period": labels,
            "month": months_,
            "value": value,
            **band,
            "unit": unit,
        }
    )


def price_rows(
    layout: Layout, run: Run, control: Control, scope: Scope, focus: Collection[str]
) -> pl.DataFrame:
    """Price and price multiple of the commodities in `focus`, by place and month.

    Low and high stand only where more than one price supports the same flows; what the assumptions behind a
    price leave open is not in them. A good that is thrown away has the price 0.
    """
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
        value = np.where(none, np.nan, np.maximum(run.price[:, node], 0.0))
        low = np.where(np.isfinite(low), np.clip(low, 0.0, value), value)
        high = np.where(np.isfinite(high), np.maximum(high, value), value)
        one = np.isclose(low, high, rtol=1e-9, atol=0.0)
        low, high = np.where(one, np.nan, low), np.where(one, np.nan, high)
        subject = {"chain": chain, "stage": stage, "commodity": commodity, "place": place}
        for measure, scale, unit in (("price", 1.0, "USD/kg"), ("price_multiple", base, "1")):
            frames.append(
                _path(measure, subject, labels, value / scale, unit, low=low / scale, high=high / scale)
            )
    return pl.concat(frames) if frames else pl.DataFrame()


def shortage_rows(layout: Layout, run: Run, control: Control, scope: Scope) -> pl.DataFrame:
    """Unmet share of base need, and stock in months of use, by end use, place and month."""
    share = use_by_cohort(layout, run)
    labels = months(control.start, share.shape[0])
    cohorts = _cohort_frame(layout)
    of = layout.cohort[layout.stores]
    held = np.zeros((share.shape[0], len(layout.cohorts)))
    held[:, of[of >= 0]] = run.stock[1:, of >= 0]
    rows = []
    kinds = _commodities(layout)
    for (use, commodity, place), part in cohorts.group_by("use", "commodity", "place", maintain_order=True):
        if not scope.holds(str(place)):
            continue
        members = part["index"].to_numpy()
        level = part["level"].to_numpy()
        met = (share[:, members] * level).sum(axis=1) / level.sum()
        cover = held[:, members].sum(axis=1) / level.sum()
        unmet = np.where(np.abs(1.0 - met) < 1e-9, 0.0, np.maximum(1.0 - met, 0.0))
        split = all(layout.cohorts[i].split for i in members)
        subject = {**kinds[str(commodity)], "commodity": commodity, "use": use, "place": place}
        shown = [("shortage", unmet, "1"), ("stock_cover", cover, "month")][: 2 if split else 1]
        for measure, values, unit in shown:
            rows.append(_path(measure, subject, labels, values, unit))
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
    kinds = _commodities(layout)
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
                    **kinds[str(commodity)],
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
    kinds = _commodities(layout)
    rows = []
    for k, (commodity, place) in zip(
        gates, network.gates.select("commodity", "place").iter_rows(), strict=True
    ):
        if place != control.by or commodity not in focus:
            continue
        subject = {**kinds[commodity], "commodity": commodity, "place": place}
        for measure, values, unit in (
            ("exports", run.level[:, k], "t/month"),
            ("exports_multiple", run.level[:, k] / layout.base[k], "1"),
        ):
            rows.append(_path(measure, subject, labels, values, unit))
    return pl.concat(rows) if rows else pl.DataFrame()


def settle(share: Float, catch_up: float, lapse: float) -> tuple[Float, Float, Float]:
    """What becomes of unmet need: made up later, still on order at the end, lapsed.

    Parameters
    ----------
    share : ndarray, shape (months, cohorts)
        Use as a share of base use.
    catch_up, lapse : float
        Share of a month's base use that can be made up in a month, and of unfilled orders that lapse in one.

    Returns
    -------
    tuple of ndarray, shape (cohorts,)
        Months of base use; the three sum to the unmet need.

    Examples
    --------
    >>> path = np.array([[0.0], [1.15], [1.15], [1.0]])
    >>> [round(float(part[0]), 3) for part in settle(path, 0.15, 0.0)]
    [0.3, 0.7, 0.0]
    """
    backlog, lapsed = np.zeros(share.shape[1]), np.zeros(share.shape[1])
    made_up = np.where(share - 1.0 > 1e-9, share - 1.0, 0.0).sum(axis=0)
    for month in share:
        wanted = np.minimum(catch_up, backlog)
        waiting = backlog - wanted
        gap = np.maximum(1.0 + wanted - month, 0.0)
        gap[gap < 1e-6] = 0.0
        lapsed += waiting * lapse
        backlog = waiting * (1.0 - lapse) + gap
    short = np.where(1.0 - share > 1e-9, 1.0 - share, 0.0).sum(axis=0)
    made_up = np.minimum(made_up, short)
    on_order = np.minimum(backlog, short - made_up)
    lost = np.maximum(short - made_up - on_order, 0.0)
    lost[lost < 1e-6] = 0.0
    return made_up, on_order, lost


def loss_rows(layout: Layout, run: Run, scope: Scope) -> pl.DataFrame:
    """Output made up later, on order and lost, by end use and place: months of base output, units, money.

    The range spans what share of unfilled orders lapses and, for money, what value added hangs on a kilogram.
    A use that takes two commodities counts each product once: its lines share the units by tonnes used.
    """
    network = layout.network
    share = use_by_cohort(layout, run)
    lapse = assumed("order_lapse")
    parts = {k: settle(share, CATCH_UP, getattr(lapse, k)) for k in ("value", "low", "high")}
    columns = {
        f"{name}_{k}": pl.Series(parts[k][i])
        for i, name in enumerate(("deferred", "on_order", "lost"))
        for k in parts
    }
    cohorts = _cohort_frame(layout).with_columns(**{c: v * pl.col("level") for c, v in columns.items()})
    units = {
        (r["activity"], r["place"]): float(r["value"])
        for r in network.facts.select("units").iter_rows(named=True)
        if r["value"] is not None and r["status"] == "ok"
    }
    worth = {
        r["activity"]: Range(*(float(r["value"] if r[k] is None else r[k]) for k in ("low", "value", "high")))
        for r in network.facts.select("value_added").iter_rows(named=True)
        if r["value"] is not None and r["status"] == "ok"
    }
    kinds = _commodities(layout)
    rows: list[dict[str, object]] = []
    for (use, place), part in cohorts.group_by("use", "place", maintain_order=True):
        if not scope.holds(str(place)):
            continue
        level = float(part["level"].sum())
        common = {
            "chain": kinds[part["commodity"][0]]["chain"],
            "stage": "product",
            "use": use,
            "place": place,
        }
        for name in ("deferred", "on_order", "lost"):
            found = [float(part[f"{name}_{k}"].sum()) for k in ("value", "low", "high")]
            tonnes = Range(min(found), found[0], max(found))
            rows.append(_row(f"output_{name}", common, tonnes, 1.0 / level, "month"))
            made = units.get((str(use), str(place)))
            if made is not None:
                rows.append(_row(f"units_{name}", common, tonnes, made / level / 12.0, "unit"))
            value = worth.get(str(use))
            if value is None:
                rows.append(
                    {"measure": f"value_added_{name}", **common, "unit": "MUSD", "status": "insufficient"}
                )
            else:
                money = Range(tonnes.low * value.low, tonnes.value * value.value, tonnes.high * value.high)
                rows.append(_row(f"value_added_{name}", common, money, 1e-3, "MUSD"))
    schema = dict.fromkeys(("value", "low", "high"), pl.Float64)
    return pl.DataFrame(rows, infer_schema_length=None, schema_overrides=schema) if rows else pl.DataFrame()


def _row(
    measure: str, common: dict[str, object], figure: Range, scale: float, unit: str
) -> dict[str, object]:
    return {
        "measure": measure,
        **common,
        "value": figure.value * scale,
        "low": figure.low * scale,
        "high": figure.high * scale,
        "unit": unit,
    }


def transfer_rows(layout: Layout, run: Run, scope: Scope, focus: Collection[str]) -> pl.DataFrame:
    """Price transfer: what importers pay above base prices for what they still get, million USD.

    Σ over months and goods of imports × (price − base price) at the importer. It is money that changes hands,
    no loss of output: never added to the value added lost.
    """
    network = layout.network
    trade = network.activities.filter((pl.col("type") == "trade") & pl.col("commodity").is_in(list(focus)))
    node = {(c, p): i for i, c, p in network.nodes.select("node", "commodity", "place").iter_rows()}
    column = {
        int(j): int(k)
        for k, j in enumerate(layout.activity)
        if layout.role[k] == "piece" and layout.cohort[k] < 0
    }
    sums: dict[tuple[str, str, str], float] = {}
    for j, commodity, chain, stage, partner in trade.select(
        "activity", "commodity", "chain", "stage", "partner"
    ).iter_rows():
        if j not in column or not scope.holds(partner):
            continue
        i = node[commodity, partner]
        paid = run.level[:, column[j]] * (run.price[:, i] - network.price[i])
        key = (chain, stage, partner)
        sums[key] = sums.get(key, 0.0) + float(paid.sum()) / 1000.0
    rows = [
        {"measure": "price_transfer", "chain": c, "stage": s, "place": p, "value": v, "unit": "MUSD"}
        for (c, s, p), v in sums.items()
    ]
    return pl.DataFrame(rows) if rows else pl.DataFrame()
