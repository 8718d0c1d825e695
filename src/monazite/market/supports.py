"""Support of producers: strike prices (contracts for difference, floors) and public purchase at a floor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monazite.core.errors import ArgumentError
from monazite.market.problem import Array
from monazite.market.rules import (
    LEAST,
    NOBODY,
    Entries,
    Parties,
    Payment,
    Reading,
    Rule,
    Seen,
    check_amounts,
    check_positive,
)

Int = NDArray[np.int64]

__all__ = ["Purchase", "Support"]


@dataclass(frozen=True, eq=False)
class Support(Rule):
    """A strike price for some producers: they get strike − factor × reference price for a tonne they make.

    Where the reference price stands above the strike they give back the share ``upside`` of the difference:
    1 is a two-way contract for difference, 0 a one-way contract or a price floor. With a ``volume`` only so
    many tonnes are under contract, the first ones: beyond, the next tonne earns the market's price, and at
    the volume itself whatever keeps output there. Payment is on the tonnes under contract either way. Where
    money is given back and both more and less than the volume would do, the output is more.

    Parameters
    ----------
    columns : array of int
        Activities of the producers.
    amount : array
        Tonnes of the good that each gives for a unit of its level, above zero.
    node : int
        Where the reference price is taken.
    strike : float
        USD/kg.
    factor : float
        What of the reference price counts (1/1.13 of one that holds 13 % of VAT).
    upside : float
        Share given back, 0 to 1.
    volume : float, optional
        Tonnes a period under contract; all by default.
    output : int, optional
        The node that the tonnes are given to, where producers make several goods and each may have a strike
        of its own; ``node`` by default.
    parties : Parties

    Examples
    --------
    A mine (1 + x), a buyer (10 − q) and a strike of 7: x = 6, the buyer pays 4, the contract 3 on 6 t.

    >>> from monazite.market import Problem, fixed_point
    >>> from monazite.market.supports import Support
    >>> problem = Problem(A=[[1.0, -1.0]], b=[0.0], c=[1.0, -10.0], a=[1.0, 1.0], lower=[0.0, 0.0],
    ...     upper=[9.0, 9.0], y0=[2.0], throughput=[1.0])
    >>> answer = fixed_point(problem, [Support([0], [1.0], 0, 7.0)])
    >>> answer.x.round(6).tolist(), answer.price.round(6).tolist(), round(answer.payments[0].amount, 6)
    ([6.0, 6.0], [4.0], 18.0)
    """

    columns: Any
    amount: Any
    node: int
    strike: float
    factor: float = 1.0
    upside: float = 0.0
    volume: float | None = None
    output: int | None = None
    parties: Parties = NOBODY

    def __post_init__(self) -> None:
        """Check and freeze."""
        check_amounts(self)
        check_positive("strike", self.strike)
        check_positive("factor", self.factor)
        if self.volume is not None:
            check_positive("volume", self.volume)
        if not 0.0 <= self.upside <= 1.0:
            raise ArgumentError("error.fraction_expected", name="upside", given=self.upside)

    @property
    def owns(self) -> Int:
        """Its producers."""
        return np.asarray(self.columns)

    @property
    def claim(self) -> int:
        """The good that is supported."""
        return self.node if self.output is None else self.output

    @property
    def looks_at(self) -> Int:
        """Where the reference price is taken."""
        return np.array([self.node])

    @property
    def spread(self) -> Entries:
        """On each tonne of output, as a gain."""
        return Entries.one(self.columns, -self.amount)

    def _due(self, price: Array) -> tuple[float, float]:
        """Payment for a tonne under contract, and its derivative to the reference price."""
        difference = self.strike - self.factor * float(price[self.node])
        if difference >= 0.0:
            return difference, -self.factor
        return self.upside * difference, -self.upside * self.factor

    def read(self, seen: Seen) -> Reading:
        """Compare with what is due at the prices, for the tonne that is made last."""
        wedge, (due, slope) = seen.wedge, self._due(seen.price)
        scale = np.array([max(self.strike, abs(float(seen.price[self.node])))])
        whole = Reading(wedge - due, scale, np.array([due]), np.ones(1), Entries.one([self.node], [-slope]))
        if self.volume is None:
            return whole
        room = self.volume - float(self.amount @ seen.x[self.columns])
        if due < 0.0:  # beyond the volume the market's price counts; within it, what is left of it
            return Reading(wedge.copy(), scale, np.zeros(1), np.ones(1)) if room <= 0.0 else whole
        stiff = scale[0] / self.volume
        wanted = float(wedge[0]) + stiff * room
        if wanted >= due:
            return whole
        if wanted <= 0.0:
            return Reading(wedge.copy(), scale, np.zeros(1), np.ones(1))
        return Reading(
            np.array([-stiff * room]),
            scale,
            np.array([wanted]),
            np.array([LEAST]),
            by_level=Entries.one(self.columns, stiff * self.amount),
        )

    def eased(self, share: float, free: Seen) -> Support:
        """A strike between the free price and its own."""
        here = max(self.factor * float(free.price[self.node]), 1e-3 * self.strike)
        return replace(self, strike=here ** (1.0 - share) * self.strike**share)

    def payment(self, seen: Seen) -> Payment:
        """What is due × tonnes under contract."""
        tonnes = float(self.amount @ seen.x[self.columns])
        if self.volume is not None:
            tonnes = min(tonnes, self.volume)
        return self.parties.paid(tonnes, self._due(seen.price)[0] * tonnes)


@dataclass(frozen=True, eq=False)
class Purchase(Rule):
    """A public buyer who takes at a node whatever keeps its price at the floor: 0 ≤ ω ⊥ price − floor ≥ 0.

    Parameters
    ----------
    column : int
        The node's free disposal, which the buyer takes the place of.
    node : int
    floor : float
        USD/kg.
    parties : Parties

    Examples
    --------
    A mine (1 + x), a buyer (10 − q), and a floor of 7: the mine makes 6, the buyer takes 3, the state 3 for
    21 thousand USD.

    >>> from monazite.market import Problem, fixed_point
    >>> from monazite.market.supports import Purchase
    >>> problem = Problem(A=[[1.0, -1.0, -1.0]], b=[0.0], c=[1.0, -10.0, 0.0], a=[1.0, 1.0, 0.1],
    ...     lower=[0.0] * 3, upper=[9.0] * 3, y0=[2.0], throughput=[1.0])
    >>> answer = fixed_point(problem, [Purchase(2, 0, 7.0)])
    >>> answer.x.round(6).tolist(), answer.price.round(6).tolist(), round(answer.payments[0].amount, 6)
    ([6.0, 3.0, 3.0], [7.0], 21.0)
    """

    column: int
    node: int
    floor: float
    parties: Parties = NOBODY

    def __post_init__(self) -> None:
        """Check."""
        check_positive("floor", self.floor)

    @property
    def owns(self) -> Int:
        """The disposal."""
        return np.array([self.column])

    @property
    def looks_at(self) -> Int:
        """Where the floor holds."""
        return np.array([self.node])

    @property
    def spread(self) -> Entries:
        """On what is taken, as a gain above the floor."""
        return Entries.one([self.column], [-1.0])

    @property
    def offset(self) -> Entries:
        """The floor."""
        return Entries.one([self.column], [-self.floor])

    def read(self, seen: Seen) -> Reading:
        """Compare the price with the floor."""
        scale = np.array([self.floor])
        short = self.floor - float(seen.price[self.node])
        target = np.maximum(0.0, seen.wedge + short)
        if target[0] <= 0.0:
            return Reading(seen.wedge.copy(), scale, target, np.ones(1))
        return Reading(np.array([-short]), scale, target, np.array([LEAST]), Entries.one([self.node], [1.0]))

    def eased(self, share: float, free: Seen) -> Purchase:
        """A floor between the free price and its own."""
        here = max(float(free.price[self.node]), 1e-3 * self.floor)
        return replace(self, floor=min(here, self.floor) ** (1.0 - share) * self.floor**share)

    def payment(self, seen: Seen) -> Payment:
        """Price × tonnes taken."""
        tonnes = float(seen.x[self.column])
        return self.parties.paid(tonnes, float(seen.price[self.node]) * tonnes)
