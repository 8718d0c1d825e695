"""The market month by month under a control that nobody saw coming.

Each month the market clears over a short window: what is in stock and at sea is given, the control in force
is believed to last `belief` months more, and only the first month is kept. Before the start the world is
the base. With `foresight` one window spans the whole horizon and the announced length is believed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monazite.facts.assumptions import assumed
from monazite.market.certificate import Certificate
from monazite.market.problem import Clearing, Problem
from monazite.market.scenario import Limits
from monazite.network import Layout

Float = NDArray[np.float64]

#: months that a window looks beyond the believed end of the control
BEYOND = round(assumed("window_beyond").value)
#: share of a month's output that makers can catch up in a month
CATCH_UP = assumed("catch_up").value
#: share of the unfilled orders that lapse each month
LAPSE = assumed("order_lapse").value

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Run:
    """What happened, month by month (t a month, USD/kg).

    Attributes
    ----------
    level : ndarray, shape (months, columns of a month)
    price : ndarray, shape (months, nodes of a month)
        ``nan`` where nothing trades.
    price_low, price_high : ndarray
        Interval where a price is not unique.
    stock : ndarray, shape (months + 1, stores)
        Opening stock of each store, and what is left at the end.
    upper : ndarray, shape (months, columns of a month)
        Bounds that were in force.
    wanted, unfilled : ndarray, shape (months, cohorts)
        Orders of each class of users as a multiple of base, and its unfilled orders in months of use.
    certificates : tuple of Certificate
    """

    level: Float
    price: Float
    price_low: Float
    price_high: Float
    stock: Float
    upper: Float
    wanted: Float
    unfilled: Float
    certificates: tuple[Certificate, ...]

    @property
    def worst(self) -> Certificate:
        """The certificate with the largest imbalance."""
        return max(self.certificates, key=lambda c: c.balance)


def _demand_columns(layout: Layout) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Columns of use that belong to a cohort, and which."""
    columns = np.flatnonzero((layout.role == "piece") & (layout.cohort >= 0))
    return columns, layout.cohort[columns]


def simulate(
    layout: Layout,
    limits: Limits | None,
    *,
    horizon: int = 24,
    belief: int | None = 2,
    catch_up: float = CATCH_UP,
    progress: Progress | None = None,
) -> Run:
    """Clear the market month by month.

    Each month starts from the prices of the month before, which changes the work and not the answer.

    Parameters
    ----------
    layout : Layout
    limits : Limits or None
        The control; None is the undisturbed world.
    horizon : int
        Months simulated from the start of the control.
    belief : int or None
        Months that the control in force is believed to last from each month on; None for foresight.
    catch_up : float
        Share of a month's base output by which users can exceed it to make up for unfilled orders.
    progress : callable, optional
        Called with (months done, months in all).

    Returns
    -------
    Run

    Raises
    ------
    SolverError
        A month could not be cleared to tolerance by any method.
    """
    window = horizon if belief is None else min(horizon, belief + BEYOND)
    return _Simulation(layout, limits, window, belief, catch_up).run(horizon, progress)


class _Simulation:
    def __init__(
        self, layout: Layout, limits: Limits | None, window: int, belief: int | None, catch_up: float
    ) -> None:
        self.layout, self.limits, self.window, self.belief = layout, limits, window, belief
        self.catch_up = catch_up
        self.base = layout.shape(window)
        self.columns, self.owner = _demand_columns(layout)
        self.cohort_base = np.array([c.level for c in layout.cohorts])
        self.stock = layout.base[layout.stores].copy()
        self.shipped = layout.pipeline()
        self.backlog = np.zeros(len(layout.cohorts))

    def _bounds(self, month: int) -> Float:
        """Upper bounds of the window that begins in `month`, as believed then."""
        layout, limits, window = self.layout, self.limits, range(month, month + self.window)
        if limits is None:
            return np.concatenate([layout.open_upper(t) for t in window])
        if self.belief is None:
            return np.concatenate([limits.upper(t) for t in window])
        if month >= limits.length:
            return np.concatenate([limits.upper(t) for t in window])
        now = limits.upper(month)
        return np.concatenate([now if t - month < self.belief else limits.over(t) for t in window])

    def _orders(self) -> Float:
        """Orders of each cohort as a multiple of base: unfilled ones are made up for, within limits."""
        return 1.0 + np.minimum(self.catch_up, self.backlog)

    def _problem(self, month: int, wanted: Float) -> Problem:
        n, layout = self.layout.size, self.layout
        upper, slope = self._bounds(month), np.array(self.base["a"], dtype=float)
        factor = np.ones(n)
        factor[self.columns] = wanted[self.owner]
        upper[:n] *= factor
        slope[:n] /= factor
        return Problem(
            A=self.base["A"],
            b=layout.opening(self.window, self.stock, self.shipped),
            c=np.asarray(self.base["c"], dtype=float),
            a=slope,
            lower=np.asarray(self.base["lower"], dtype=float),
            upper=upper,
            y0=np.asarray(self.base["y0"], dtype=float),
            throughput=np.asarray(self.base["throughput"], dtype=float),
        )

    def _advance(self, level: Float, wanted: Float) -> None:
        layout = self.layout
        self.stock = np.maximum(level[layout.stores], 0.0)
        if self.shipped.size:
            self.shipped = np.vstack([self.shipped[1:], level])
        used = np.zeros(len(layout.cohorts))
        np.add.at(used, self.owner, level[self.columns])
        gap = wanted - used / self.cohort_base
        gap[np.abs(gap) < 1e-6] = 0.0
        made_up = wanted - 1.0
        self.backlog = np.maximum((self.backlog - made_up) * (1.0 - LAPSE) + np.maximum(gap, 0.0), 0.0)

    def run(self, horizon: int, progress: Progress | None) -> Run:
        from monazite.market import clear

        _layout, n, m = self.layout, self.layout.size, self.layout.month_nodes
        levels, prices, lows, highs, uppers = [], [], [], [], []
        stocks, orders, unfilled = [self.stock.copy()], [], []
        certificates: list[Certificate] = []
        start: Float | None = None
        keep = horizon if self.belief is None else 1
        month = 0
        while month < horizon:
            wanted = self._orders()
            problem = self._problem(month, wanted)
            clearing: Clearing = clear(problem, start=start)
            start = clearing.price
            certificates.append(clearing.certificate)
            for s in range(keep):
                level = clearing.x[s * n : (s + 1) * n]
                levels.append(level)
                prices.append(clearing.price[s * m : (s + 1) * m])
                lows.append(clearing.price_low[s * m : (s + 1) * m])
                highs.append(clearing.price_high[s * m : (s + 1) * m])
                uppers.append(problem.upper[s * n : (s + 1) * n])
                orders.append(wanted)
                self._advance(level, wanted)
                stocks.append(self.stock.copy())
                unfilled.append(self.backlog.copy())
                month += 1
                if progress is not None:
                    progress(month, horizon)
        return Run(
            level=np.array(levels),
            price=np.array(prices),
            price_low=np.array(lows),
            price_high=np.array(highs),
            stock=np.array(stocks),
            upper=np.array(uppers),
            wanted=np.array(orders),
            unfilled=np.array(unfilled),
            certificates=tuple(certificates),
        )
