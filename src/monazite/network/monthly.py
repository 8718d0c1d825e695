"""The network by month: lags, goods at sea, stocks by class of cover; a layout once, windows often.

One month is the annual network at a twelfth, plus what only time has: a trade flow arrives ``lag`` months
later, a trader holds stock at a node, and users hold theirs in cohorts of cover (a mean cover hides who
stops).  A window of W months is that month repeated; what would arrive after the window is cut and valued
at base prices, so that with no shock every window returns the base exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csc_array

from monazite.core.range import Range
from monazite.facts.assumptions import assumed
from monazite.network.build import MAKERS
from monazite.network.calibrate import GATE_SLOPE
from monazite.network.network import DISPOSAL_SLOPE, Network

Float = NDArray[np.float64]
Int = NDArray[np.int64]

#: months of cover and share of use of the classes of users, where the facts give none
COVER = (("c1", 0.7, 0.20), ("c2", 2.2, 0.50), ("c3", 4.0, 0.25), ("c4", 12.0, 0.05))
#: marginal value of the last tonne of stock a month, as a share of its price
CONVENIENCE = assumed("convenience").value
#: cost slope of drawing from the place's market into a cohort's stock, as a share of the price at base level
DRAW_SLOPE = assumed("draw_slope").value
#: users are split into cohorts where they use this share of the largest user and import this share of their
#: use
SPLIT_USE, SPLIT_IMPORTS = assumed("split_use").value, assumed("split_imports").value
#: share of an idle capacity that can be brought in each month where the facts give none
RAMP = assumed("idle_ramp").value
#: stock at a place's market, months of what passes through, where the facts give none
TRADER_STOCK = assumed("trader_stock").value
#: stages whose users are split
SPLIT_STAGES = ("component",)


@dataclass(frozen=True)
class Cohort:
    """Users of one commodity for one purpose at one place, with one cover: ``share`` of that use.

    Those that are not split (name ``all``) hold no stock of their own: theirs is part of the stock that
    stands at the place, and ``node`` is the place's.
    """

    activity: int
    use: str
    commodity: str
    place: str
    name: str
    node: int
    source: int
    share: float
    months: float
    level: float  # t a month

    @property
    def split(self) -> bool:
        """Whether it holds its own stock."""
        return self.node != self.source


@dataclass(frozen=True)
class Layout:
    """One month of the network, as a template (levels in t a month).

    Attributes
    ----------
    month_nodes : int
        Nodes in a month: the network's, then gates, then cohorts.
    role, activity, cohort : ndarray
        What each column is (``piece, gate, dispose, draw, store``), the activity or node and the cohort it
        belongs to.
    cost, slope, upper, base : ndarray
        Cost line (USD/kg; USD/kg per t a month), bound and base level.
    rows, offsets, values, starts : ndarray
        Entries of column k are ``starts[k]:starts[k+1]``: local node, months later, tonnes given (+) or
        taken (-).
    price : ndarray, shape (month_nodes,)
    throughput : ndarray, shape (month_nodes,), t a month
    ramp, ceiling : ndarray
        What idle or substitute capacity gains each month, and where it ends (t a month); 0 where none
        stands idle.
    cohorts : tuple of Cohort
    """

    network: Network
    month_nodes: int
    role: NDArray[np.str_]
    activity: Int
    cohort: Int
    cost: Float
    slope: Float
    upper: Float
    base: Float
    rows: Int
    offsets: Int
    values: Float
    starts: Int
    price: Float
    throughput: Float
    ramp: Float
    ceiling: Float
    cohorts: tuple[Cohort, ...]

    def open_upper(self, month: int) -> Float:
        """Bounds with no control, `month` months after the start: what stands idle comes in by its ramp."""
        upper = self.upper.copy()
        rising = self.ramp > 0
        upper[rising] = np.minimum(upper[rising] + self.ramp[rising] * month, self.ceiling[rising])
        return upper

    @property
    def size(self) -> int:
        """Columns in a month."""
        return self.cost.size

    @cached_property
    def stores(self) -> Int:
        """Columns that carry stock to the next month."""
        return np.flatnonzero(self.role == "store")

    @cached_property
    def trade(self) -> list[tuple[int, str, str | None, str]]:
        """Columns that are trade flows: column, origin, destination, commodity."""
        table = self.network.activities.select("type", "place", "partner", "commodity").rows()
        return [
            (int(k), *table[int(self.activity[k])][1:])
            for k in np.flatnonzero(self.role == "piece")
            if table[int(self.activity[k])][0] == "trade"
        ]

    @cached_property
    def lags(self) -> Int:
        """Months until the last delivery of each column (0 for one that acts within its month)."""
        return (
            np.maximum.reduceat(self.offsets, self.starts[:-1]) if self.size else np.zeros(0, dtype=np.int64)
        )

    def shape(self, months: int) -> dict[str, object]:
        """Matrix, costs and bounds of a window of `months` at base conditions, ready for ``market.Problem``.

        The right-hand side holds the base's opening stocks and goods at sea; :meth:`opening` gives others.
        """
        m, n = self.month_nodes, self.size
        cols = np.repeat(np.arange(n), np.diff(self.starts))
        rows, columns, values = [], [], []
        cost = np.tile(self.cost, months)
        slope = np.tile(self.slope, months)
        for t in range(months):
            kept = self.offsets + t < months
            rows.append((self.offsets + t)[kept] * m + self.rows[kept])
            columns.append(cols[kept] + t * n)
            values.append(self.values[kept])
            cut = ~kept
            lost = np.zeros(n)
            np.add.at(lost, cols[cut], self.values[cut] * self.price[self.rows[cut]])
            cost[t * n : (t + 1) * n] -= lost
        last = (months - 1) * n + self.stores
        stock_price = self.price[self.rows[self.starts[self.stores]]]
        steep = 0.5 * stock_price / self.base[self.stores]
        cost[last] = -stock_price - steep * self.base[self.stores]
        slope[last] = steep
        matrix = csc_array(
            (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
            shape=(m * months, n * months),
        )
        return {
            "A": matrix,
            "b": self.opening(months, self.base[self.stores], self.pipeline()),
            "c": cost,
            "a": slope,
            "lower": np.zeros(n * months),
            "upper": np.tile(self.upper, months),
            "y0": np.tile(self.price, months),
            "throughput": np.tile(self.throughput, months),
            "x0": np.tile(self.base, months),
        }

    def pipeline(self) -> Float:
        """Base goods at sea: shipments of the last months, shape (longest lag, columns)."""
        longest = int(self.lags.max(initial=0))
        return np.tile(self.base, (longest, 1)) if longest else np.zeros((0, self.size))

    def opening(self, months: int, stock: Float, shipped: Float) -> Float:
        """Right-hand side of a window: what stands in stock and what is at sea when it begins.

        Parameters
        ----------
        months : int
        stock : ndarray, shape (stores,)
            Opening stock of each store column, t.
        shipped : ndarray, shape (longest lag, columns)
            Levels of the months before the window, the latest last.
        """
        b = np.zeros((months, self.month_nodes))
        np.subtract.at(b[0], self.rows[self.starts[self.stores]], stock)
        cols = np.repeat(np.arange(self.size), np.diff(self.starts))
        moving = (self.offsets > 0) & (self.role[cols] != "store")
        for ago in range(1, shipped.shape[0] + 1):
            arriving = moving & (self.offsets >= ago) & (self.offsets - ago < months)
            np.subtract.at(
                b,
                (self.offsets[arriving] - ago, self.rows[arriving]),
                self.values[arriving] * shipped[-ago, cols[arriving]],
            )
        return b.ravel()


class _Month:
    """Collects one month's columns."""

    def __init__(self) -> None:
        self.meta: list[tuple[str, int, int]] = []
        self.lines: list[tuple[float, float, float, float]] = []
        self.rows: list[int] = []
        self.offsets: list[int] = []
        self.values: list[float] = []
        self.starts: list[int] = [0]

    def add(
        self,
        role: str,
        activity: int,
        cohort: int,
        line: tuple[float, float, float, float],
        entries: list[tuple[int, int, float]],
    ) -> None:
        self.meta.append((role, activity, cohort))
        self.lines.append(line)
        for row, offset, value in entries:
            self.rows.append(row)
            self.offsets.append(offset)
            self.values.append(value)
        self.starts.append(len(self.rows))


def cover_classes(network: Network) -> list[tuple[str, Range, float]]:
    """Classes of users by their cover: name, months of use, share of use."""
    names = sorted(
        set(network.facts.select("cohort_cover").filter(pl.col("value").is_not_null())["activity"].to_list())
    )
    if not names:
        return [(name, Range.exact(months), share) for name, months, share in COVER]
    p = network.parameters
    return [
        (
            name,
            p.range("cohort_cover", Range.exact(2.0), activity=name),
            p.get("cohort_share", 0.0, activity=name),
        )
        for name in names
    ]


def _cohorts(network: Network, first_node: int) -> list[Cohort]:
    """Classes of users: split where users import and matter, one class of mean cover elsewhere."""
    classes = [(name, cover.value, share) for name, cover, share in cover_classes(network)]
    mean = sum(months * share for _, months, share in classes)
    table = network.activities
    largest = dict(
        table.filter(pl.col("type") == "use").group_by("commodity").agg(pl.col("level").max()).iter_rows()
    )
    imports = {
        (c, d): v
        for c, d, v in table.filter(pl.col("type") == "trade")
        .group_by("commodity", "partner")
        .agg(pl.col("level").sum())
        .iter_rows()
    }
    stage = dict(network.nodes.select("commodity", "stage").unique().iter_rows())
    cohorts: list[Cohort] = []
    users = table.filter((pl.col("type") == "use") & (pl.col("form") != "unsold") & (pl.col("level") > 0))
    for row in users.iter_rows(named=True):
        node = network.node_of(row["commodity"], row["place"])
        if node is None:
            continue
        imported = imports.get((row["commodity"], row["place"]), 0.0) / network.throughput[node]
        split = (
            stage[row["commodity"]] in SPLIT_STAGES
            and row["level"] >= SPLIT_USE * largest[row["commodity"]]
            and imported >= SPLIT_IMPORTS
        )
        stated = network.parameters.get(
            "cover", mean, activity=row["key"], commodity=row["commodity"], place=row["place"]
        )
        chosen = [(n, m * stated / mean, s) for n, m, s in classes] if split else [("all", stated, 1.0)]
        for name, months, share in chosen:
            own = first_node + sum(c.node != c.source for c in cohorts)
            cohorts.append(
                Cohort(
                    int(row["activity"]),
                    row["key"],
                    row["commodity"],
                    row["place"],
                    name,
                    own if split else node,
                    node,
                    share,
                    max(months, 0.02),
                    share * float(row["level"]) / 12.0,
                )
            )
    return cohorts


def _activity_entries(
    network: Network, gate_of: Mapping[tuple[str, str], int]
) -> list[list[tuple[int, int, float]]]:
    """Entries of each activity within the month: local node, months later, tonnes."""
    flow, table = network.flow, network.activities
    entries = []
    for row in table.select("activity", "type", "commodity", "place", "partner").iter_rows(named=True):
        j = int(row["activity"])
        column = []
        lag = 0
        if row["type"] == "trade":
            lag = round(
                network.parameters.get(
                    "lag", 1.0, commodity=row["commodity"], place=row["place"], partner=row["partner"]
                )
            )
        for i, v in zip(
            flow.indices[flow.indptr[j] : flow.indptr[j + 1]],
            flow.data[flow.indptr[j] : flow.indptr[j + 1]],
            strict=True,
        ):
            node, offset = int(i), 0
            if row["type"] == "trade" and v < 0:
                node = gate_of.get((row["commodity"], row["place"]), node)
            elif row["type"] == "trade":
                offset = max(lag, 0)
            column.append((node, offset, float(v)))
        entries.append(column)
    return entries


def layout(network: Network) -> Layout:
    """The monthly template of a network."""
    n, gates = network.nodes.height, network.gates
    gate_of = {(c, p): n + i for i, c, p in gates.select("gate", "commodity", "place").iter_rows()}
    cohorts = _cohorts(network, n + gates.height)
    by_activity: dict[int, list[int]] = {}
    for k, cohort in enumerate(cohorts):
        by_activity.setdefault(cohort.activity, []).append(k)
    month = _Month()
    entries = _activity_entries(network, gate_of)
    pieces = network.columns
    for k in range(pieces.activity.size):
        j = int(pieces.activity[k])
        line = (pieces.cost[k], 12.0 * pieces.slope[k], pieces.upper[k] / 12.0, pieces.base[k] / 12.0)
        if j not in by_activity:
            month.add("piece", j, -1, line, entries[j])
            continue
        for i in by_activity[j]:
            s = cohorts[i].share
            month.add(
                "piece", j, i, (line[0], line[1] / s, line[2] * s, line[3] * s), [(cohorts[i].node, 0, -1.0)]
            )
    source = gates["node"].to_numpy()
    gate_base = gates["base"].to_numpy() / 12.0
    for i in range(gates.height):
        slope = GATE_SLOPE * network.price[source[i]] / gate_base[i]
        line = (-slope * gate_base[i], slope, np.inf, gate_base[i])
        month.add("gate", int(source[i]), -1, line, [(int(source[i]), 0, -1.0), (n + i, 0, 1.0)])
    monthly = network.throughput / 12.0
    for i in range(n):
        month.add(
            "dispose",
            i,
            -1,
            (0.0, DISPOSAL_SLOPE * network.price[i] / monthly[i], np.inf, 0.0),
            [(i, 0, -1.0)],
        )
    held = np.zeros(n)
    for i, cohort in enumerate(cohorts):
        if not cohort.split:
            held[cohort.node] += cohort.months * cohort.level
            continue
        p = network.price[cohort.source]
        slope = DRAW_SLOPE * p / cohort.level
        month.add(
            "draw",
            cohort.activity,
            i,
            (-slope * cohort.level, slope, np.inf, cohort.level),
            [(cohort.source, 0, -1.0), (cohort.node, 0, 1.0)],
        )
        month.add("store", cohort.activity, i, *_store(p, cohort.months * cohort.level, cohort.node))
    for i, c, p, price in network.nodes.select("node", "commodity", "place", "price").iter_rows():
        months = network.parameters.get("trader_stock", TRADER_STOCK, commodity=c, place=p)
        stock = months * monthly[i] + held[i]
        if stock > 1e-6:
            month.add("store", i, -1, *_store(price, stock, i))
    meta = month.meta
    lines = np.array(month.lines)
    first, ramp, ceiling = _ramps(network, meta, lines)
    price = np.concatenate(
        [network.price, network.price[source], [network.price[c.source] for c in cohorts if c.split]]
    ).astype(float)
    return Layout(
        network=network,
        month_nodes=price.size,
        role=np.array([r for r, _, _ in meta]),
        activity=np.array([j for _, j, _ in meta], dtype=np.int64),
        cohort=np.array([c for _, _, c in meta], dtype=np.int64),
        cost=lines[:, 0],
        slope=lines[:, 1],
        upper=first,
        base=lines[:, 3],
        rows=np.array(month.rows, dtype=np.int64),
        offsets=np.array(month.offsets, dtype=np.int64),
        values=np.array(month.values),
        starts=np.array(month.starts, dtype=np.int64),
        price=price,
        throughput=np.concatenate([monthly, gate_base, [c.level for c in cohorts if c.split]]),
        ramp=ramp,
        ceiling=ceiling,
        cohorts=tuple(cohorts),
    )


def _ramps(network: Network, meta: list[tuple[str, int, int]], lines: Float) -> tuple[Float, Float, Float]:
    """First month's bound, monthly gain and ceiling of every piece that stands idle in the base year.

    A ramp stated in the facts is a share of the place's base throughput of the reference commodity that
    changes over each month, on top of the stated capacity (thrift, redesign); where none is stated, an idle
    plant comes in by `RAMP` of its capacity a month.
    """
    table = network.activities.select("key", "place", "commodity", "type", "level")
    keys, places, commodities, types, levels = (table[c].to_list() for c in table.columns)
    upper, ramp, ceiling = lines[:, 2].copy(), np.zeros(len(meta)), lines[:, 2].copy()
    for k, (role, j, cohort) in enumerate(meta):
        if role != "piece" or cohort >= 0 or levels[j] > 0 or lines[k, 3] > 0:
            continue
        if types[j] not in (*MAKERS, "trade"):
            continue
        node = network.node_of(commodities[j], places[j])
        stated = network.parameters.get("ramp", 0.0, activity=keys[j], place=places[j])
        if stated > 0 and node is not None:
            ramp[k] = stated * network.throughput[node] / 12.0
            ceiling[k] = network.throughput[node] / 12.0
        else:
            ramp[k] = RAMP * lines[k, 2]
            upper[k] = ramp[k]
    return upper, ramp, ceiling


def _store(
    price: float, stock: float, node: int
) -> tuple[tuple[float, float, float, float], list[tuple[int, int, float]]]:
    slope = CONVENIENCE * price / stock
    return (-slope * stock, slope, np.inf, stock), [(node, 0, -1.0), (node, 1, 1.0)]
