"""The dual of a market: prices, what activities earn at them, the levels they choose, the imbalance."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monazite.market.certificate import Effort
from monazite.market.hessian import Hessian, Solve, hessian_of
from monazite.market.problem import Array, Problem, price_scale
from monazite.market.search import Columns

__all__ = ["Market", "State"]


@dataclass(frozen=True)
class Market:
    """The problem with its nodes in the order of the factor; ``flexibility`` is throughput per base price."""

    hessian: Hessian
    columns: Columns
    b: Array
    c: Array
    throughput: Array
    flexibility: Array

    @staticmethod
    def of(problem: Problem) -> Market:
        """Order a problem; its network is analysed once."""
        hessian = hessian_of(problem.A)
        order = hessian.order
        return Market(
            hessian,
            Columns(problem.lower, problem.upper, 1.0 / problem.a),
            problem.b[order],
            problem.c,
            problem.throughput[order],
            (problem.throughput / price_scale(problem))[order],
        )

    def at(self, prices: Array) -> State:
        """Return the state at some prices, given in the caller's order."""
        y = prices[self.hessian.order]
        reduced = self.hessian.columns @ y - self.c
        x = self.columns.levels(reduced)
        imbalance = self.hessian.rows @ x - self.b
        return State(y, reduced, x, imbalance, self.balance(imbalance))

    def balance(self, imbalance: Array) -> float:
        """Largest imbalance as a share of its node's throughput."""
        return float(np.max(np.abs(imbalance) / self.throughput))


@dataclass
class State:
    """Prices, what activities earn at them, levels and imbalance; and the work done so far."""

    y: Array
    reduced: Array
    x: Array
    imbalance: Array
    balance: float
    solve: Solve | None = field(default=None, repr=False)
    effort: Effort = field(default_factory=Effort)
    inside: NDArray[np.bool_] | None = None
    dragged: bool = False
    stalled: bool = False

    def move(self, market: Market, direction: Array, earned: Array, length: float) -> None:
        """Go some length along a direction in which activities earn ``earned`` more.

        What activities earn is carried along, not recomputed from the prices: a flat cost line would turn the
        rounding of a price into tonnes.
        """
        self.y = self.y + length * direction
        self.reduced = self.reduced + length * earned
        self.x = market.columns.levels(self.reduced)
        self.imbalance = market.hessian.rows @ self.x - market.b
        self.balance = market.balance(self.imbalance)
