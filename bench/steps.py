"""The linear version of a problem: every activity's cost line cut into steps of constant cost.

Linear solvers get this one. Step k of an activity reaches from ``lower + k w`` to ``lower + (k + 1) w`` and
costs what its middle costs; where an upper bound is infinite the range is a few times what its nodes handle,
and the last step has no end. The answer is a little off the quadratic one: by how much is reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from bench.chains import Case
from monazite.market.problem import Array, Problem

__all__ = ["COUNT", "Steps", "in_steps", "smallest_node"]

#: steps of an activity, and the range of one without a bound as a multiple of what its nodes handle
COUNT, RANGE = 16, 8.0


@dataclass(frozen=True, eq=False)
class Steps:
    """A linear problem: minimise ``cost·z + constant`` subject to ``A z = b`` and ``0 ≤ z ≤ upper``.

    Column ``COUNT j + k`` is step k of activity j.
    """

    A: sparse.csc_array
    b: Array
    cost: Array
    start: Array
    width: Array
    last: NDArray[np.bool_]
    lower: Array
    constant: float

    def upper(self, bounds: Array) -> Array:
        """Return the bounds of the steps where the activities have these upper bounds."""
        room = np.maximum(np.repeat(bounds - self.lower, COUNT) - self.start, 0.0)
        return np.where(self.last, room, np.minimum(room, self.width))

    def levels(self, z: Array) -> Array:
        """Return the levels of the activities."""
        return np.asarray(self.lower + z.reshape(-1, COUNT).sum(axis=1))

    def beyond(self, z: Array) -> float:
        """Return how far an activity without a bound went past its range, as a multiple of the range."""
        used = (z.reshape(-1, COUNT).sum(axis=1)) / (COUNT * self.width[::COUNT])
        return float(np.max(used, initial=0.0))


def in_steps(case: Case) -> Steps:
    """Cut a problem, its lower bounds finite, into steps."""
    problem = case.problem
    handled = smallest_node(problem)
    base = problem.levels(problem.A.T @ problem.y0 - problem.c)
    wide = np.where(np.isinf(problem.upper), RANGE * np.maximum(base, handled), problem.upper - problem.lower)
    width = np.repeat(wide / COUNT, COUNT)
    number = np.tile(np.arange(COUNT), wide.size)
    start = number * width
    lower = problem.lower
    at = np.repeat(lower, COUNT) + start + 0.5 * width
    return Steps(
        A=sparse.csc_array(sparse.kron(problem.A, np.ones((1, COUNT)), format="csc")),
        b=problem.b - problem.A @ lower,
        cost=np.repeat(problem.c, COUNT) + np.repeat(problem.a, COUNT) * at,
        start=start,
        width=width,
        last=number == COUNT - 1,
        lower=lower,
        constant=problem.cost(lower),
    )


def smallest_node(problem: Problem) -> Array:
    """Return what the smallest node of each activity handles."""
    A = problem.A
    smallest = np.full(A.shape[1], np.inf)
    np.minimum.at(
        smallest, np.repeat(np.arange(A.shape[1]), np.diff(A.indptr)), problem.throughput[A.indices]
    )
    return smallest
