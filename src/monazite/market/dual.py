"""The dual of a market: prices, what activities earn at them, the levels they choose, the imbalance.

Given prices y, each activity runs at its best level x(y) = clip((Aᵀy − c)/a, lower, upper). While ``bend`` is
above zero the levels do not stop short at their bounds but bend towards them, over a width of √(bend/a)
tonnes: activities then tell from afar that they will meet a bound, which is what the search lacks where
much changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from monazite.market.certificate import Effort
from monazite.market.factor import Factor
from monazite.market.hessian import Hessian, hessian_of
from monazite.market.loops import earn, gather, respond
from monazite.market.problem import Array, Problem, price_scale
from monazite.market.symbolic import Integers

__all__ = ["Market", "State"]


@dataclass(frozen=True)
class Market:
    """The problem with its nodes in the order of the factor.

    Attributes
    ----------
    hessian : Hessian
        The network.
    flexibility : array, shape (n,)
        1/a of each activity, t per USD/kg.
    lower, upper : array, shape (n,)
    b : array, shape (m,)
    throughput, stoutness : array, shape (m,)
        Tonnes through each node, and that per base price.
    """

    hessian: Hessian
    flexibility: Array
    lower: Array
    upper: Array
    b: Array
    throughput: Array
    stoutness: Array

    @staticmethod
    def of(problem: Problem) -> Market:
        """Order a problem; its network is analysed once."""
        hessian = hessian_of(problem.A)
        order = hessian.order
        return Market(
            hessian,
            1.0 / problem.a,
            np.array(problem.lower),  # copies, for a loop is compiled anew for arrays that are read only
            np.array(problem.upper),
            problem.b[order],
            problem.throughput[order],
            (problem.throughput / price_scale(problem))[order],
        )

    def at(self, prices: Array, cost: Array) -> State:
        """Return the state at some prices, in the order of the factor."""
        reduced = np.empty(cost.size)
        earn(self.hessian.starts, self.hessian.indices, self.hessian.data, prices, reduced)
        reduced -= cost
        return State.of(self, prices.copy(), reduced)

    def part(self, chosen: Integers, state: State) -> tuple[Market, State]:
        """Return the market of some nodes alone, the prices of all others held; its prices are changes."""
        hessian, touched = self.hessian.part(chosen)
        own = chosen[hessian.order]
        flexibility, lower, upper = self.flexibility[touched], self.lower[touched], self.upper[touched]
        b = np.empty(own.size)
        gather(hessian.starts, hessian.indices, hessian.data, state.x[touched], state.imbalance[own], b)
        market = Market(hessian, flexibility, lower, upper, b, self.throughput[own], self.stoutness[own])
        part = State.of(market, np.zeros(own.size), state.reduced[touched], state.bend)
        return market, part

    @property
    def worth(self) -> float:
        """What goes through a node in the middle, thousand USD: what `bend` is counted in."""
        return float(np.median(self.throughput**2 / self.stoutness))


@dataclass
class State:
    """Prices, what activities earn at them, levels and imbalance; and the work done so far."""

    y: Array
    reduced: Array
    x: Array
    weights: Array
    imbalance: Array
    balance: float = np.inf
    bend: float = 0.0
    factor: Factor | None = field(default=None, repr=False)
    effort: Effort = field(default_factory=Effort)

    @staticmethod
    def of(market: Market, y: Array, reduced: Array, bend: float = 0.0) -> State:
        """Return the state where activities earn ``reduced``."""
        state = State(y, reduced, np.empty_like(reduced), np.empty_like(reduced), np.empty_like(y), bend=bend)
        state.refresh(market)
        return state

    def refresh(self, market: Market) -> None:
        """Set the levels and what they leave out of balance, from what activities earn."""
        respond(self.reduced, market.flexibility, market.lower, market.upper, self.bend, self.x, self.weights)
        hessian = market.hessian
        gather(hessian.starts, hessian.indices, hessian.data, self.x, market.b, self.imbalance)
        self.balance = float(np.max(np.abs(self.imbalance) / market.throughput))

    def earned(self, market: Market, direction: Array) -> Array:
        """Return what activities earn more along a direction."""
        earned = np.empty_like(self.reduced)
        earn(market.hessian.starts, market.hessian.indices, market.hessian.data, direction, earned)
        return earned

    def move(self, market: Market, direction: Array, earned: Array, length: float) -> None:
        """Go some length along a direction in which activities earn ``earned`` more.

        What activities earn is carried along, not recomputed from the prices: a flat cost line would turn the
        rounding of a price into tonnes.
        """
        self.y += length * direction
        self.reduced += length * earned
        self.refresh(market)

    def copy(self) -> State:
        """Return a copy that shares the factor and the account of the work."""
        return State(
            self.y.copy(), self.reduced.copy(), self.x.copy(), self.weights.copy(), self.imbalance.copy(),
            self.balance, self.bend, self.factor, self.effort,
        )  # fmt: skip
