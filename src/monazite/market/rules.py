"""Costs that hang on prices: what a rule of `fixed_point` is; a share of a price, and a variable levy.

A rule owns one or more **wedges** ω (USD/kg): what somebody pays (+) or is paid (−) for a tonne. It says onto
which activities they are laid, and how far ω is from what the rule makes of the prices that it leads to.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monazite.core.errors import ArgumentError
from monazite.market.problem import Array, Problem

Int = NDArray[np.int64]

__all__ = [
    "NOBODY",
    "AdValorem",
    "Entries",
    "Levy",
    "Parties",
    "Payment",
    "Reading",
    "Rule",
    "Seen",
    "check_amounts",
    "check_positive",
]

#: least slope of a complementary wedge's own condition: a price that does not answer is no division by zero
LEAST = 1e-8


@dataclass(frozen=True)
class Parties:
    """Who stands behind a rule: its name, who pays, who receives, and the month of the window (0 first)."""

    name: str = ""
    payer: str = ""
    receiver: str = ""
    month: int = 0

    def paid(self, tonnes: float, amount: float) -> Payment:
        """A payment between them: thousand USD on so many tonnes."""
        return Payment(self.name, self.payer, self.receiver, self.month, tonnes, amount)


NOBODY = Parties()


@dataclass(frozen=True)
class Payment:
    """Money that changes hands under a rule in one period.

    Attributes
    ----------
    name, payer, receiver, month
        As in `Parties`. A negative amount goes the other way.
    tonnes : float
        On how much it is paid, t.
    amount : float
        Thousand USD (tonnes × USD/kg).
    """

    name: str
    payer: str
    receiver: str
    month: int
    tonnes: float
    amount: float


@dataclass(frozen=True, eq=False)
class Entries:
    """Entries of a small sparse matrix: row by row the place and the value."""

    rows: Int = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    places: Int = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    values: Array = field(default_factory=lambda: np.zeros(0))

    @staticmethod
    def one(places: Sequence[int] | Int, values: Sequence[float] | Array) -> Entries:
        """Entries of a matrix of one row."""
        found = np.asarray(places, dtype=np.int64)
        return Entries(np.zeros(found.size, dtype=np.int64), found, np.asarray(values, dtype=float))


@dataclass(frozen=True, eq=False)
class Reading:
    """How a rule's wedges stand at some prices and levels.

    Attributes
    ----------
    gap : array, shape (k,)
        Zero where a wedge is what the rule makes of the prices, USD/kg.
    scale : array, shape (k,)
        The price that the gap is compared with, USD/kg.
    target : array, shape (k,)
        What a plain iteration would set the wedges to.
    by_wedge : array, shape (k,)
        Derivative of each gap to its own wedge.
    by_price, by_level : Entries
        Derivatives of the gaps to prices and to levels.
    """

    gap: Array
    scale: Array
    target: Array
    by_wedge: Array
    by_price: Entries = field(default_factory=Entries)
    by_level: Entries = field(default_factory=Entries)


@dataclass(frozen=True, eq=False)
class Seen:
    """A rule's wedges, and the prices and levels that the market cleared at under all rules' wedges.

    ``problem`` holds those wedges in its costs.
    """

    wedge: Array
    price: Array
    x: Array
    problem: Problem


class Rule(ABC):
    """What `fixed_point` asks of a rule."""

    parties: Parties

    @property
    def size(self) -> int:
        """Number of wedges."""
        return 1

    @property
    def owns(self) -> Int:
        """Activities on which no other rule of the same type and claim may lay a wedge."""
        return np.zeros(0, dtype=np.int64)

    @property
    def claim(self) -> int:
        """Which part of an activity is owned: one of its products."""
        return 0

    @property
    def looks_at(self) -> Int:
        """Nodes whose prices count."""
        return np.zeros(0, dtype=np.int64)

    @property
    def offset(self) -> Entries:
        """What is added to the costs of activities (``places``) once and for all."""
        return Entries()

    @property
    @abstractmethod
    def spread(self) -> Entries:
        """Onto which activities (``places``) the wedges (``rows``) are laid, per unit of their level."""

    @abstractmethod
    def read(self, seen: Seen) -> Reading:
        """Compare the wedges with the prices and levels that they lead to."""

    @abstractmethod
    def payment(self, seen: Seen) -> Payment:
        """Say who pays how much."""

    def eased(self, share: float, free: Seen) -> Rule:  # noqa: ARG002
        """The rule at a share of its severity, 0 to 1 (itself); ``free`` is the market without it."""
        return self


@dataclass(frozen=True, eq=False)
class AdValorem(Rule):
    """A share of a price on each of some activities: ω_j = rate_j · P, one wedge an activity.

    Parameters
    ----------
    columns : array of int, shape (k,)
        Activities that pay.
    nodes : array of int, shape (k,)
        Where the price is taken; −1 for a price that the problem does not hold.
    rate : array, shape (k,)
        Share of the price, above −1.
    price : array, shape (k,), optional
        Price where ``nodes`` is −1, USD/kg.
    parties : Parties

    Raises
    ------
    ArgumentError
        The shapes differ, or a rate is −1 or less: a gift of the whole price has no market price.

    Examples
    --------
    A mine (1 + x), a buyer (10 − q), and a tenth of the mine's price on the way:
    10 − q = (1 + q)·1.1 + q.

    >>> from monazite.market import Problem, fixed_point
    >>> from monazite.market.rules import AdValorem
    >>> problem = Problem(A=[[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]], b=[0.0, 0.0], c=[1.0, 0.0, -10.0],
    ...     a=[1.0, 1.0, 1.0], lower=[0.0] * 3, upper=[9.0] * 3, y0=[2.0, 4.0], throughput=[1.0, 1.0])
    >>> answer = fixed_point(problem, [AdValorem([1], [0], [0.1])])
    >>> answer.x.round(6).tolist(), round(8.9 / 3.1, 6), round(answer.payments[0].amount, 6)
    ([2.870968, 2.870968, 2.870968], 2.870968, 1.111342)
    """

    columns: Any
    nodes: Any
    rate: Any
    price: Any = None
    parties: Parties = NOBODY

    def __post_init__(self) -> None:
        """Check and freeze."""
        set_ = object.__setattr__
        set_(self, "columns", np.asarray(self.columns, dtype=np.int64))
        set_(self, "nodes", np.asarray(self.nodes, dtype=np.int64))
        set_(self, "rate", np.broadcast_to(np.asarray(self.rate, dtype=float), self.columns.shape))
        fixed = np.zeros(self.columns.shape) if self.price is None else np.asarray(self.price, dtype=float)
        set_(self, "price", fixed)
        if self.columns.ndim != 1 or not (self.nodes.shape == fixed.shape == self.columns.shape):
            raise ArgumentError("market.rule_shape", name=self.parties.name or "AdValorem")
        if not np.isfinite(self.rate).all() or (self.rate <= -1.0).any():
            raise ArgumentError("market.rule_rate", given=float(np.min(self.rate)))

    @property
    def size(self) -> int:
        """One wedge an activity."""
        return int(self.columns.size)

    @property
    def looks_at(self) -> Int:
        """Nodes whose prices it shares in."""
        return np.asarray(self.nodes[self.nodes >= 0])

    @property
    def spread(self) -> Entries:
        """Each wedge on its own activity."""
        return Entries(np.arange(self.size), self.columns, np.ones(self.size))

    def _value(self, price: Array) -> Array:
        held = self.nodes >= 0
        return np.where(held, np.maximum(price[np.where(held, self.nodes, 0)], 0.0), self.price)

    def read(self, seen: Seen) -> Reading:
        """Compare with the rate at the prices."""
        wedge, base = seen.wedge, self._value(seen.problem.y0)
        value = self._value(seen.price)
        target = self.rate * value
        answers = np.flatnonzero((self.nodes >= 0) & (value > 0.0))
        # a rate above 1 answered by its origin's price would swing: damp by what it can swing at most
        damped = wedge + (target - wedge) * 2.0 / (2.0 + np.maximum(self.rate, 0.0))
        return Reading(
            gap=wedge - target,
            scale=np.maximum(np.maximum(value, base), 1e-300),
            target=damped,
            by_wedge=np.ones(self.size),
            by_price=Entries(answers, self.nodes[answers], -np.asarray(self.rate)[answers]),
        )

    def eased(self, share: float, free: Seen) -> AdValorem:  # noqa: ARG002
        """A share of the rate."""
        return replace(self, rate=share * self.rate)

    def payment(self, seen: Seen) -> Payment:
        """Rate × price × tonnes."""
        levels = seen.x[self.columns]
        return self.parties.paid(float(levels.sum()), float(seen.wedge @ levels))


@dataclass(frozen=True, eq=False)
class Levy(Rule):
    """A variable levy: one wedge τ on the links into a node, 0 ≤ τ ⊥ border price − reference ≥ 0.

    The border price is the price at the node, or what the cheapest open link would ask there where nothing
    comes in. It rises with τ, by at most as much.

    Parameters
    ----------
    columns : array of int
        Links into the node.
    amount : array
        Tonnes that each lands for a unit of its level, above zero.
    node : int
        Where they arrive.
    reference : float
        Price that the levy brings the border price up to, USD/kg, above zero.
    parties : Parties

    Examples
    --------
    A mine abroad (1 + x) and a buyer here (10 − q) with a border price of 8: q = 2, the mine gets 3, the levy
    is 5.

    >>> from monazite.market import Problem, fixed_point
    >>> from monazite.market.rules import Levy
    >>> problem = Problem(A=[[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]], b=[0.0, 0.0], c=[1.0, 0.0, -10.0],
    ...     a=[1.0, 1e-9, 1.0], lower=[0.0] * 3, upper=[9.0] * 3, y0=[2.0, 4.0], throughput=[1.0, 1.0])
    >>> answer = fixed_point(problem, [Levy([1], [1.0], 1, 8.0)])
    >>> answer.price.round(6).tolist(), round(answer.payments[0].amount, 6)
    ([3.0, 8.0], 10.0)
    """

    columns: Any
    amount: Any
    node: int
    reference: float
    parties: Parties = NOBODY

    def __post_init__(self) -> None:
        """Check and freeze."""
        check_amounts(self)
        check_positive("reference", self.reference)

    @property
    def owns(self) -> Int:
        """Its links."""
        return np.asarray(self.columns)

    @property
    def looks_at(self) -> Int:
        """Where the links arrive."""
        return np.array([self.node])

    @property
    def spread(self) -> Entries:
        """On each tonne landed."""
        return Entries.one(self.columns, self.amount)

    def read(self, seen: Seen) -> Reading:
        """Compare the border price with the reference."""
        wedge, problem, scale = seen.wedge, seen.problem, np.array([self.reference])
        is_open = problem.upper[self.columns] > 0.0
        links, landed = self.columns[is_open], self.amount[is_open]
        if not links.size:
            return Reading(wedge.copy(), scale, np.zeros(1), np.ones(1))
        taken = problem.A[:, links]
        here = float(seen.price[self.node])
        asked = here + (problem.c[links] - taken.T @ seen.price) / landed
        cheapest = int(np.argmin(asked))
        short = self.reference - max(here, float(asked[cheapest]))
        target = np.maximum(0.0, wedge + short)
        if target[0] <= 0.0:
            return Reading(wedge.copy(), scale, target, np.ones(1))
        if here >= asked[cheapest]:
            slope, answer = LEAST, Entries.one([self.node], [1.0])
        else:
            start, stop = taken.indptr[cheapest], taken.indptr[cheapest + 1]
            nodes, values = taken.indices[start:stop], taken.data[start:stop]
            others = nodes != self.node
            slope, answer = 1.0, Entries.one(nodes[others], -values[others] / landed[cheapest])
        return Reading(np.array([-short]), scale, target, np.array([slope]), answer)

    def eased(self, share: float, free: Seen) -> Levy:
        """A reference between the free border price and its own."""
        here = max(self.reference - float(self.read(free).target[0]), 1e-3 * self.reference)
        return replace(self, reference=here ** (1.0 - share) * self.reference**share)

    def payment(self, seen: Seen) -> Payment:
        """Levy × tonnes landed."""
        tonnes = float(self.amount @ seen.x[self.columns])
        return self.parties.paid(tonnes, float(seen.wedge[0]) * tonnes)


def check_amounts(rule: Any) -> None:
    """Freeze a rule's ``columns`` and ``amount``; refuse what does not go together."""
    columns, amount = np.asarray(rule.columns, dtype=np.int64), np.asarray(rule.amount, dtype=float)
    object.__setattr__(rule, "columns", columns)
    object.__setattr__(rule, "amount", amount)
    if columns.ndim != 1 or amount.shape != columns.shape or not (amount > 0.0).all():
        raise ArgumentError("market.rule_shape", name=rule.parties.name or type(rule).__name__)


def check_positive(name: str, value: float) -> None:
    """Refuse what is not a number above zero."""
    if not (np.isfinite(value) and value > 0.0):
        raise ArgumentError("error.positive_expected", name=name, given=value)
