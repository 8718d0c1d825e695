"""Where the values of A D Aᵀ stand, and systems with it solved by conjugate gradients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monazite.market.compiled import loop
from monazite.market.factor import Single, solve_into
from monazite.market.problem import Array
from monazite.market.symbolic import Integers

__all__ = ["fill", "pairs", "pattern", "restrict", "solve_by_gradients", "widen"]

Flags = NDArray[np.bool_]


@loop
def pattern(starts: Integers, indices: Integers, nodes: int) -> tuple[Integers, Integers]:
    """The lower triangle of the pattern of A Aᵀ by columns, sorted, the diagonal always in it."""
    count = np.ones(nodes + 1, np.int64)
    count[0] = 0
    for column in range(starts.size - 1):
        for at in range(starts[column], starts[column + 1]):
            for other in range(starts[column], at):
                count[min(indices[at], indices[other]) + 1] += 1
    for node in range(nodes):
        count[node + 1] += count[node]
    free = count[:nodes].copy()
    found = np.empty(count[nodes], np.int64)
    for node in range(nodes):
        found[free[node]] = node
        free[node] += 1
    for column in range(starts.size - 1):
        for at in range(starts[column], starts[column + 1]):
            for other in range(starts[column], at):
                low, high = min(indices[at], indices[other]), max(indices[at], indices[other])
                found[free[low]] = high
                free[low] += 1
    lower_starts = np.zeros(nodes + 1, np.int64)
    done = 0
    for node in range(nodes):
        rows = np.sort(found[count[node] : count[node + 1]])
        last = -1
        for row in rows:
            if row != last:
                found[done] = row
                done += 1
                last = row
        lower_starts[node + 1] = done
    return lower_starts, found[:done].copy()


@loop
def pairs(
    starts: Integers, indices: Integers, data: Array, lower_starts: Integers, lower: Integers
) -> tuple[Integers, Array, Integers]:
    """The products of two coefficients of one activity, and where in the lower triangle each is added."""
    columns = starts.size - 1
    pair_starts = np.zeros(columns + 1, np.int64)
    for column in range(columns):
        size = starts[column + 1] - starts[column]
        pair_starts[column + 1] = pair_starts[column] + size * (size + 1) // 2
    product = np.empty(pair_starts[columns], np.float64)
    to = np.empty(pair_starts[columns], np.int64)
    done = 0
    for column in range(columns):
        for at in range(starts[column], starts[column + 1]):
            for other in range(starts[column], at + 1):
                low, high = min(indices[at], indices[other]), max(indices[at], indices[other])
                first, last = lower_starts[low], lower_starts[low + 1]
                while last - first > 1:
                    middle = (first + last) // 2
                    if lower[middle] <= high:
                        first = middle
                    else:
                        last = middle
                product[done] = data[at] * data[other]
                to[done] = first
                done += 1
    return pair_starts, product, to


@loop
def widen(
    near: Flags,
    node_starts: Integers,
    node_columns: Integers,
    starts: Integers,
    indices: Integers,
    free: Flags,
) -> Flags:
    """Add the nodes that free activities tie to those that are near."""
    wider = near.copy()
    for node in range(near.size):
        if near[node]:
            for at in range(node_starts[node], node_starts[node + 1]):
                column = node_columns[at]
                if free[column]:
                    for other in range(starts[column], starts[column + 1]):
                        wider[indices[other]] = True
    return wider


@loop
def restrict(
    chosen: Integers,
    node_starts: Integers,
    node_columns: Integers,
    starts: Integers,
    indices: Integers,
    data: Array,
) -> tuple[Integers, Integers, Integers, Array]:
    """Cut out the rows of the chosen nodes: the activities that touch them, and A by those columns."""
    place = np.full(node_starts.size - 1, -1, np.int64)
    size = 0
    for k in range(chosen.size):
        place[chosen[k]] = k
        size += node_starts[chosen[k] + 1] - node_starts[chosen[k]]
    near = np.empty(size, np.int64)
    done = 0
    for node in chosen:
        for at in range(node_starts[node], node_starts[node + 1]):
            near[done] = node_columns[at]
            done += 1
    near = np.sort(near)
    touched = np.empty(size, np.int64)
    count = 0
    for at in range(size):
        if at == 0 or near[at] != near[at - 1]:
            touched[count] = near[at]
            count += 1
    touched = touched[:count].copy()
    new_starts = np.zeros(count + 1, np.int64)
    new_indices = np.empty(size, np.int64)
    new_data = np.empty(size, np.float64)
    done = 0
    for k in range(count):
        column = touched[k]
        for at in range(starts[column], starts[column + 1]):
            to = place[indices[at]]
            if to >= 0:
                new_indices[done] = to
                new_data[done] = data[at]
                done += 1
        new_starts[k + 1] = done
    return touched, new_starts, new_indices, new_data


@loop
def fill(
    starts: Integers, product: Array, to: Integers, weights: Array, columns: Integers, least: Array,
    share: float, values: Array,
) -> None:  # fmt: skip
    """The lower triangle of ``A diag(weights) Aᵀ + E``, E = max(least, share × diagonal).

    ``product[starts[j]:starts[j + 1]]`` are the products of the coefficients of activity j and ``to`` where
    in ``values`` they are added; ``columns[i]`` is where there column i begins, with its diagonal.
    """
    values[:] = 0.0
    for column in range(starts.size - 1):
        weight = weights[column]
        if weight != 0.0:
            for at in range(starts[column], starts[column + 1]):
                values[to[at]] += product[at] * weight
    for node in range(least.size):
        at = columns[node]
        values[at] += max(least[node], share * values[at])


@loop
def _times(starts: Integers, indices: Integers, values: Array, vector: Array, image: Array) -> None:
    """A symmetric matrix, of which the lower triangle is stored by columns, times a vector."""
    image[:] = 0.0
    for column in range(starts.size - 1):
        begin = starts[column]
        own = vector[column]
        total = values[begin] * own  # the diagonal comes first
        for at in range(begin + 1, starts[column + 1]):
            row, value = indices[at], values[at]
            image[row] += value * own
            total += value * vector[row]
        image[column] += total


@loop
def _dot(first: Array, second: Array) -> float:
    p, q, r, s = 0.0, 0.0, 0.0, 0.0
    whole = first.size - first.size % 4
    for i in range(0, whole, 4):
        p += first[i] * second[i]
        q += first[i + 1] * second[i + 1]
        r += first[i + 2] * second[i + 2]
        s += first[i + 3] * second[i + 3]
    for i in range(whole, first.size):
        p += first[i] * second[i]
    return (p + q) + (r + s)


@loop
def solve_by_gradients(
    starts: Integers,
    indices: Integers,
    values: Array,
    right: Array,
    first: Integers,
    start: Integers,
    rows: Integers,
    store: Integers,
    packed: Single,
    scale: Array,
    tolerance: float,
    limit: int,
    answer: Array,
) -> tuple[int, bool]:
    """Solve by conjugate gradients that a factor directs, to a relative tolerance in the factor's norm.

    Returns
    -------
    tuple of (int, bool)
        The steps taken and whether the tolerance was reached within ``limit`` steps.
    """
    count = right.size
    widest = 0
    for one in range(first.size - 1):
        widest = max(widest, start[one + 1] - start[one])
    work = np.empty(count + widest, np.float32)
    residual, better, image = right.copy(), np.empty(count), np.empty(count)
    answer[:] = 0.0
    solve_into(better, residual, first, start, rows, store, packed, scale, work)
    direction = better.copy()
    size = _dot(residual, direction)
    goal = tolerance * tolerance * size
    if not (np.isfinite(size) and size > 0.0):
        return 0, False
    for step in range(1, limit + 1):
        _times(starts, indices, values, direction, image)
        curvature = _dot(direction, image)
        if not curvature > 0.0:
            return step, False
        length = size / curvature
        for i in range(count):
            answer[i] += length * direction[i]
            residual[i] -= length * image[i]
        old = better.copy()
        solve_into(better, residual, first, start, rows, store, packed, scale, work)
        new = _dot(residual, better)
        if not np.isfinite(new) or new < 0.0:
            return step, False
        if new <= goal:
            return step, True
        # the factor is rounded, so the new direction is kept conjugate by the change (Polak and Ribière)
        change = new - _dot(residual, old)
        share = max(change, 0.0) / size
        for i in range(count):
            direction[i] = better[i] + share * direction[i]
        size = new
    return limit, False
