"""The loops that judge an answer: what no activity could better, which prices are the only ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from monazite.market.compiled import loop
from monazite.market.problem import Array

__all__ = ["judge", "peel"]

Integers = NDArray[Any]


@loop
def judge(
    starts: Integers, indices: Integers, data: Array, b: Array, c: Array, a: Array, lower: Array,
    upper: Array, x: Array, y: Array, imbalance: Array, found: Array,
) -> None:  # fmt: skip
    """Measure levels and prices on the whole problem.

    Sets ``imbalance`` = A x − b and ``found``: the largest violation of an activity's optimality as a share
    of the prices that it meets; the dual objective without b·y; the objective; the size of the terms that
    it is summed from; 1 if every level is within its bounds, else 0.
    """
    for node in range(b.size):
        imbalance[node] = -b[node]
    worst, dual, objective, size, within = 0.0, 0.0, 0.0, 0.0, 1.0
    for j in range(x.size):
        level, slope = x[j], a[j]
        earned, meets = -c[j], abs(c[j]) + slope * abs(level)
        for at in range(starts[j], starts[j + 1]):
            node = indices[at]
            earned += data[at] * y[node]
            meets += abs(data[at] * y[node])
            imbalance[node] += data[at] * level
        best = min(max(earned, slope * lower[j]), slope * upper[j])
        if meets > 0.0:
            worst = max(worst, abs(slope * level - best) / meets)
        chosen = best / slope
        dual += (0.5 * slope * chosen - earned) * chosen
        objective += (c[j] + 0.5 * slope * level) * level
        size += (abs(c[j]) + 0.5 * slope * abs(level)) * abs(level)
        if not lower[j] <= level <= upper[j]:
            within = 0.0
    found[0], found[1], found[2], found[3], found[4] = worst, dual, objective, size, within


@loop
def peel(
    starts: Integers,
    indices: Integers,
    free: NDArray[np.bool_],
    node_starts: Integers,
    node_columns: Integers,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find the nodes whose price free activities determine one by one, and the activities that are left.

    An activity with one node of unknown price determines it; then others that meet that node have one fewer.
    Left are the free activities with two unknown nodes or more.
    """
    nodes = node_starts.size - 1
    known = np.zeros(nodes, np.bool_)
    unknown = np.zeros(free.size, np.int64)
    queue = np.empty(free.size, np.int64)
    first, last = 0, 0
    for j in range(free.size):
        if free[j]:
            unknown[j] = starts[j + 1] - starts[j]
            if unknown[j] == 1:
                queue[last] = j
                last += 1
    while first < last:
        j = queue[first]
        first += 1
        for at in range(starts[j], starts[j + 1]):
            node = indices[at]
            if not known[node]:
                known[node] = True
                for other in range(node_starts[node], node_starts[node + 1]):
                    k = node_columns[other]
                    if free[k]:
                        unknown[k] -= 1
                        if unknown[k] == 1:
                            queue[last] = k
                            last += 1
    return known, unknown >= 2
