"""What came of a scenario: peak prices, unserved use and the worst month of a cleared window.

Prices are told only where they mean something: at a node that trades, in the months in which its price is
the only one that supports the flows. Use is told of end uses; the tonnes of a surplus are none.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from monazite.market.problem import Clearing
from monazite.network import Layout, Network

__all__ = ["Outcomes", "Reader", "downstream"]

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class Outcomes:
    """Outcomes of one scenario, in the order of its reader's ``prices`` and ``users``.

    Attributes
    ----------
    multiple, multiple_month : ndarray, shape (prices,)
        Highest price over the months ÷ base price, ``nan`` where there is never a unique one; its month.
    unserved, unserved_month : ndarray, shape (users,)
        Σ over months of max(base use − use, 0) ÷ base use of all months; the month with most unserved, −1
        where there is none.
    """

    multiple: Float
    multiple_month: Int
    unserved: Float
    unserved_month: Int


class Reader:
    """Reads outcomes from cleared windows of one layout.

    Parameters
    ----------
    layout : Layout
        The world by month, not drawn anew: base use is its own.
    months : int
        Length of the windows.

    Examples
    --------
    >>> from monazite.market import Problem, clear
    >>> from monazite.network import layout, toy
    >>> month = layout(toy())
    >>> shape = month.shape(3)
    >>> base = shape.pop("x0")
    >>> found = Reader(month, 3).read(clear(Problem(**shape)))
    >>> bool(abs(found.multiple - 1).max() < 1e-6), bool(found.unserved.max() < 1e-6)
    (True, True)
    """

    def __init__(self, layout: Layout, months: int) -> None:
        self.layout, self.months = layout, months
        network = layout.network
        traded = _traded(network)
        #: ``node, commodity, place, price, throughput`` of each price told
        self.prices = network.nodes.with_columns(throughput=pl.Series(network.throughput)).filter(
            pl.Series(traded)
        )
        self._nodes = self.prices["node"].to_numpy()
        self._base = self.prices["price"].to_numpy()
        users = pl.DataFrame(
            {
                "commodity": [c.commodity for c in layout.cohorts],
                "place": [c.place for c in layout.cohorts],
                "level": [c.level for c in layout.cohorts],
            },
            schema={"commodity": pl.String, "place": pl.String, "level": pl.Float64},
        ).with_row_index("cohort")
        groups = users.group_by("commodity", "place", maintain_order=True).agg(
            "cohort", pl.col("level").sum()
        )
        price = network.nodes.select("commodity", "place", "price", "chain", "stage")
        #: ``commodity, place, level`` (t a month) and the base price of each use told
        self.users = groups.drop("cohort").join(
            price, on=["commodity", "place"], how="left", maintain_order="left"
        )
        columns = np.flatnonzero((layout.role == "piece") & (layout.cohort >= 0))
        group = np.zeros(len(layout.cohorts), dtype=np.int64)
        for number, cohorts in enumerate(groups["cohort"].to_list()):
            group[cohorts] = number
        # side by side, so that each use is one stretch to add up
        owner = group[layout.cohort[columns]]
        order = np.argsort(owner, kind="stable")
        self._columns = columns[order]
        self._starts = np.searchsorted(owner[order], np.arange(groups.height))
        self._need = self.users["level"].to_numpy()

    def read(self, clearing: Clearing) -> Outcomes:
        """Outcomes of a cleared window."""
        layout, months = self.layout, self.months
        nodes = layout.month_nodes
        shape = (months, nodes)
        price = clearing.price.reshape(shape)[:, self._nodes] / self._base
        told = clearing.unique.reshape(shape)[:, self._nodes]
        price = np.where(told, np.maximum(price, 0.0), -np.inf)
        peak = price.max(axis=0)
        level = clearing.x.reshape(months, layout.size)[:, self._columns]
        used = np.add.reduceat(level, self._starts, axis=1) if self._need.size else level[:, :0]
        short = np.maximum(self._need - used, 0.0)
        # rounding is no shortage
        short[short <= 1e-9 * self._need] = 0.0
        unserved = short.sum(axis=0) / (months * self._need)
        return Outcomes(
            multiple=np.where(np.isfinite(peak), peak, np.nan),
            multiple_month=np.where(np.isfinite(peak), price.argmax(axis=0), -1),
            unserved=unserved,
            unserved_month=np.where(unserved > 0.0, short.argmax(axis=0), -1),
        )

    def unserved_of(
        self,
        outcomes: Outcomes,
        commodities: Collection[str],
        places: Collection[str] | None,
        but: str | None,
    ) -> float:
        """Unserved share of base use of some commodities, each tonne weighted by its base price.

        Parameters
        ----------
        outcomes : Outcomes
        commodities : collection of str
        places : collection of str or None
            Whose use; that of all places when None.
        but : str or None
            A place left out.

        Returns
        -------
        float
            ``nan`` where there is no such use.
        """
        weight = self._worth(commodities, places, but)
        return float(outcomes.unserved @ weight / weight.sum()) if weight.sum() > 0 else float("nan")

    def multiple_of(
        self,
        outcomes: Outcomes,
        commodities: Collection[str],
        places: Collection[str] | None,
        but: str | None,
    ) -> float:
        """Peak price multiple of some commodities, the mean by base value of what reaches each place."""
        chosen = _mask(self.prices, commodities, places, but) & ~np.isnan(outcomes.multiple)
        weight = (self.prices["price"] * self.prices["throughput"]).to_numpy()[chosen]
        return float(outcomes.multiple[chosen] @ weight / weight.sum()) if weight.sum() > 0 else float("nan")

    def _worth(self, commodities: Collection[str], places: Collection[str] | None, but: str | None) -> Float:
        worth = (self.users["price"] * self.users["level"]).to_numpy()
        return np.where(_mask(self.users, commodities, places, but), worth, 0.0)


def _mask(
    frame: pl.DataFrame, commodities: Collection[str], places: Collection[str] | None, but: str | None
) -> NDArray[np.bool_]:
    chosen = pl.col("commodity").is_in(list(commodities))
    if places is not None:
        chosen = chosen & pl.col("place").is_in(list(places))
    elif but is not None:
        chosen = chosen & (pl.col("place") != but)
    return np.asarray(frame.select(chosen).to_series().to_numpy(), dtype=bool)


def _traded(network: Network) -> NDArray[np.bool_]:
    """Nodes that send or receive the good in the base year."""
    live = network.activities.filter((pl.col("type") == "trade") & (pl.col("level") > 0))
    ends = {*live.select("commodity", "place").rows(), *live.select("commodity", "partner").rows()}
    return np.array(
        [key in ends for key in network.nodes.select("commodity", "place").iter_rows()], dtype=bool
    )


def downstream(network: Network, commodities: Collection[str]) -> tuple[str, ...]:
    """The commodities given, and all that plants make of them, step by step; sorted.

    Recycling is left out: what comes back from scrap is nobody's way to depend on it.

    Examples
    --------
    >>> from monazite.network import toy
    >>> downstream(toy(), ["toy_metal"])
    ('toy_metal', 'toy_widget')
    """
    goods = network.nodes["commodity"].to_list()
    makers = network.activities.filter(
        ~pl.col("type").is_in(["trade", "use", "recycle"]) & (pl.col("level") > 0)
    )
    flow = network.flow
    steps: set[tuple[str, str]] = set()
    for j in makers["activity"].to_list():
        entries = range(flow.indptr[j], flow.indptr[j + 1])
        taken = [goods[flow.indices[e]] for e in entries if flow.data[e] < 0]
        given = [goods[flow.indices[e]] for e in entries if flow.data[e] > 0]
        steps |= {(a, b) for a in taken for b in given}
    found, fresh = set(commodities), set(commodities)
    while fresh:
        fresh = {b for a, b in steps if a in fresh} - found
        found |= fresh
    return tuple(sorted(found))
