"""The loops over activities and nodes that every step of the kernel takes."""

from __future__ import annotations

import numpy as np

from monazite.market.compiled import loop
from monazite.market.problem import Array
from monazite.market.symbolic import Integers

__all__ = ["derivative", "earn", "gather", "respond", "search"]

#: a derivative within this share of its first value is near enough to zero
ENOUGH = 0.2
_TRIALS = 60
_LONGEST = 64.0
_AT_ONCE = 256


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
def respond(
    reduced: Array, flexibility: Array, lower: Array, upper: Array, bend: float, x: Array, weights: Array
) -> None:
    """Set the levels where activities earn ``reduced`` above their cost, and how far they follow a change.

    With ``bend`` = 0 the level is cut off at the bounds, clip(w, l, u) with w = reduced × flexibility. Else
    it bends towards them and keeps off them: l + p(w − l) − p(w − u), p(v) = (v + √(v² + 4 s)) / 2, with
    s = bend × flexibility. As clip(w, l, u) and what p adds at either end, nothing is lost to rounding, and
    bounds at infinity add nothing.
    """
    if bend == 0.0:
        for j in range(x.size):
            f = flexibility[j]
            wanted = reduced[j] * f
            x[j] = min(max(wanted, lower[j]), upper[j])
            weights[j] = f if lower[j] < wanted < upper[j] else 0.0
        return
    for j in range(x.size):
        f = flexibility[j]
        square = bend * f
        wanted = reduced[j] * f
        v, w = wanted - lower[j], wanted - upper[j]
        root_v, root_w = np.sqrt(v * v + 4.0 * square), np.sqrt(w * w + 4.0 * square)
        over_v, over_w = 2.0 * square / (root_v + abs(v)), 2.0 * square / (root_w + abs(w))
        x[j] = min(max(wanted, lower[j]), upper[j]) + (over_v - over_w)
        share_v, share_w = over_v / root_v, over_w / root_w
        follows = (1.0 - share_v if v > 0.0 else share_v) - (1.0 - share_w if w > 0.0 else share_w)
        weights[j] = f * max(follows, 0.0)


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
    term = np.empty(_AT_ONCE)
    p, q, r, s = 0.0, 0.0, 0.0, 0.0
    for begin in range(0, x.size, _AT_ONCE):
        end = min(begin + _AT_ONCE, x.size)
        size = end - begin
        f, l, u = flexibility[begin:end], lower[begin:end], upper[begin:end]
        earns, more, now = reduced[begin:end], earned[begin:end], x[begin:end]
        if bend == 0.0:
            for k in range(size):
                there = min(max((earns[k] + length * more[k]) * f[k], l[k]), u[k])
                term[k] = (there - now[k]) * more[k]
        else:
            for k in range(size):
                square = bend * f[k]
                wanted = (earns[k] + length * more[k]) * f[k]
                v, w = wanted - l[k], wanted - u[k]
                over_v = 2.0 * square / (np.sqrt(v * v + 4.0 * square) + abs(v))
                over_w = 2.0 * square / (np.sqrt(w * w + 4.0 * square) + abs(w))
                there = min(max(wanted, l[k]), u[k]) + (over_v - over_w)
                term[k] = (there - now[k]) * more[k]
        for k in range(size, _AT_ONCE):
            term[k] = 0.0
        for k in range(0, _AT_ONCE, 4):
            p += term[k]
            q += term[k + 1]
            r += term[k + 2]
            s += term[k + 3]
    return (p + q) + (r + s)


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
