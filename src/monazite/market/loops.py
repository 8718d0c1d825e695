"""The loops over activities and nodes that every step of the kernel takes."""

from __future__ import annotations

import numpy as np

from monazite.market.compiled import loop
from monazite.market.problem import Array
from monazite.market.symbolic import Integers

__all__ = ["derivative", "earn", "gather", "lengths", "respond", "search"]

#: a derivative within this share of its first value is near enough to zero
ENOUGH = 0.2
_TRIALS = 60
_LONGEST = 64.0


@loop
def lengths(starts: Integers) -> Integers:
    """How many entries each column has.

    Examples
    --------
    >>> import numpy as np
    >>> lengths(np.array([0, 2, 5])).tolist()
    [2, 3]
    """
    found = np.empty(starts.size - 1, np.int64)
    for column in range(found.size):
        found[column] = starts[column + 1] - starts[column]
    return found


@loop
def earn(starts: Integers, indices: Integers, data: Array, prices: Array, earned: Array) -> None:
    """What activities earn at some prices: ``earned = Aᵀ prices``; A by columns."""
    for column in range(starts.size - 1):
        total = 0.0
        for at in range(starts[column], starts[column + 1]):
            total += data[at] * prices[indices[at]]
        earned[column] = total


@loop
def gather(starts: Integers, indices: Integers, data: Array, x: Array, b: Array, imbalance: Array) -> None:
    """What levels leave out of balance: ``imbalance = A x − b``; A by columns."""
    for node in range(b.size):
        imbalance[node] = -b[node]
    for column in range(starts.size - 1):
        level = x[column]
        if level != 0.0:
            for at in range(starts[column], starts[column + 1]):
                imbalance[indices[at]] += data[at] * level


@loop
def level(wanted: float, lower: float, upper: float, square: float) -> tuple[float, float]:
    """An activity's level where it wants ``wanted``, and how much of a small change it follows, 0 to 1.

    With ``square`` = 0 the level is cut off at the bounds. Else it bends towards them over a width of its
    root, l + p(wanted − l) − p(wanted − u) with p(v) = (v + √(v² + 4 square)) / 2, and keeps off them. The
    far end of p is written so that nothing is lost to rounding.
    """
    if square == 0.0 or not upper > lower:
        return min(max(wanted, lower), upper), 1.0 if lower < wanted < upper else 0.0
    found, follows = wanted, 1.0
    if lower > -np.inf:
        v = wanted - lower
        root = np.sqrt(v * v + 4.0 * square)
        over = 0.5 * (v + root) if v > 0.0 else 2.0 * square / (root - v)
        found = lower + over
        follows = over / root
    if upper < np.inf:
        v = wanted - upper
        root = np.sqrt(v * v + 4.0 * square)
        over = 0.5 * (v + root) if v > 0.0 else 2.0 * square / (root - v)
        found -= over
        follows -= over / root
    return found, max(follows, 0.0)


@loop
def respond(
    reduced: Array, flexibility: Array, lower: Array, upper: Array, bend: float, x: Array, weights: Array
) -> None:
    """Set the levels where activities earn ``reduced`` above their cost, and how far they follow a change."""
    if bend == 0.0:
        for j in range(x.size):
            f, l, u = flexibility[j], lower[j], upper[j]
            wanted = reduced[j] * f
            x[j] = min(max(wanted, l), u)
            weights[j] = f if l < wanted < u else 0.0
        return
    for j in range(x.size):
        f = flexibility[j]
        x[j], follows = level(reduced[j] * f, lower[j], upper[j], bend * f)
        weights[j] = f * follows


@loop
def derivative(
    reduced: Array,
    flexibility: Array,
    lower: Array,
    upper: Array,
    bend: float,
    x: Array,
    earned: Array,
    length: float,
) -> float:
    """How much the derivative of the dual along a direction has changed after some length.

    As a change from where it is known, for the sum over all levels would drown it in rounding.
    """
    total = 0.0
    for j in range(x.size):
        e = earned[j]
        if e != 0.0:
            f = flexibility[j]
            there, _ = level((reduced[j] + length * e) * f, lower[j], upper[j], bend * f)
            total += (there - x[j]) * e
    return total


@loop
def search(
    reduced: Array,
    flexibility: Array,
    lower: Array,
    upper: Array,
    bend: float,
    x: Array,
    earned: Array,
    slope: float,
) -> float:
    """Find a length at which the derivative, ``slope`` < 0 at zero, is a fraction of that.

    The function is convex along any direction, and its derivative there is exact, where differences of its
    values would drown in rounding.
    """
    length = 1.0
    value = slope + derivative(reduced, flexibility, lower, upper, bend, x, earned, length)
    if value < 0.5 * slope:
        while value < ENOUGH * slope and length < _LONGEST:
            ahead = slope + derivative(reduced, flexibility, lower, upper, bend, x, earned, 2.0 * length)
            if ahead > -ENOUGH * slope:
                break
            length, value = 2.0 * length, ahead
        return length
    low, low_value, high, high_value = 0.0, slope, length, value
    for _ in range(_TRIALS):
        if abs(value) <= -ENOUGH * slope:
            break
        gap = high - low
        rise = high_value - low_value
        length = low - low_value * gap / rise if rise > 0.0 else low
        length = min(max(length, low + 0.1 * gap), high - 0.1 * gap)
        value = slope + derivative(reduced, flexibility, lower, upper, bend, x, earned, length)
        if value > 0.0:
            high, high_value = length, value
        else:
            low, low_value = length, value
    return length
