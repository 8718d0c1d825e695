"""How far to go along a direction: where the dual function stops falling.

The function is convex along any direction, and its derivative there is piecewise linear and exact, where
differences of its values would drown in rounding. A point whose derivative is near zero has fallen enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monazite.market.hessian import Hessian
from monazite.market.problem import Array

__all__ = ["ENOUGH", "Columns", "component_lengths", "derivative_along", "step_length"]

_TRIALS = 60
ENOUGH = 0.2


@dataclass(frozen=True)
class Columns:
    """Bounds and slopes of the activities, as the search needs them; shapes (n,)."""

    lower: Array
    upper: Array
    flexibility: Array  # 1/a, t per USD/kg

    def levels(self, reduced: Array) -> Array:
        """Return the best levels where the activities earn ``reduced`` = Aᵀy − c."""
        return np.minimum(np.maximum(reduced * self.flexibility, self.lower), self.upper)

    def inside(self, reduced: Array) -> NDArray[np.bool_]:
        """Tell which of those levels lie strictly between their bounds."""
        wanted = reduced * self.flexibility
        return np.asarray((wanted > self.lower) & (wanted < self.upper))

    def take(self, chosen: NDArray[np.int64]) -> Columns:
        """Return these activities only."""
        return Columns(self.lower[chosen], self.upper[chosen], self.flexibility[chosen])


def derivative_along(
    columns: Columns, reduced: Array, levels: Array, earned: Array, slope: float
) -> Callable[[float], float]:
    """Return the derivative of the dual along a direction, by the length gone.

    As a change from where it is known, for the sum over all levels would drown it in rounding; and by NumPy's
    sum, for a dot product of this length starts threads that cost more than they save.

    Parameters
    ----------
    columns : Columns
        The activities.
    reduced, levels : array, shape (n,)
        What they earn and their levels where the direction begins.
    earned : array, shape (n,)
        What they earn more for a length of one.
    slope : float
        The derivative there.
    """

    def derivative(length: float) -> float:
        moved = columns.levels(reduced + length * earned) - levels
        return slope + float(np.sum(moved * earned))

    return derivative


def step_length(derivative: Callable[[float], float], slope: float) -> float:
    """Find a length at which the derivative, ``slope`` < 0 at zero, is a fraction of that.

    Parameters
    ----------
    derivative : callable
        The rising derivative along the direction.
    slope : float
        Its value at zero.
    """
    length, value = 1.0, derivative(1.0)
    if value < 0.5 * slope:
        while value < ENOUGH * slope and length < 64.0:
            ahead = derivative(2.0 * length)
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
        value = derivative(length)
        if value > 0.0:
            high, high_value = length, value
        else:
            low, low_value = length, value
    return length


def component_lengths(
    hessian: Hessian, columns: Columns, reduced: Array, levels: Array, imbalance: Array, direction: Array
) -> Array:
    """Find how far each group of nodes goes along a Newton direction when the others stand still.

    Nodes that no free activity ties to a source or a use float: the model of second order lets their prices
    run until something far outside the model stops them, and one such group would hold back the step of all.
    Groups that no free activity joins do not meet in the model, so each may have a length of its own.

    Parameters
    ----------
    hessian : Hessian
        The network.
    columns : Columns
        The activities.
    reduced : array, shape (n,)
        What they earn, USD/kg.
    levels : array, shape (n,)
        Their levels there, t.
    imbalance : array, shape (m,)
        A x − b, the gradient.
    direction : array, shape (m,)
        Change of each node's price.

    Returns
    -------
    array, shape (m,)
        Length for each node, between 0 and 1.
    """
    inside = columns.inside(reduced)
    count, label = hessian.components(inside)
    if count == 1:
        return np.ones_like(direction)
    largest = int(np.argmax(np.bincount(label, minlength=count)))
    chosen = label[hessian.entry_row] != largest
    row, owner = hessian.entry_row[chosen], hessian.entry_column[chosen]
    key = owner * np.int64(count) + label[row]
    by_key = np.argsort(key, kind="stable")
    key = key[by_key]
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    earned = np.add.reduceat((hessian.entry[chosen] * direction[row])[by_key], first)
    column, group = key[first] // count, key[first] % count
    start, before, few = reduced[column], levels[column], columns.take(column)
    slope = np.bincount(label, imbalance * direction, minlength=count)

    def derivative(length: Array) -> Array:
        moved = few.levels(start + length[group] * earned) - before
        return np.asarray(slope + np.bincount(group, moved * earned, minlength=count))

    low, high = np.zeros(count), np.ones(count)
    value = derivative(high)
    low_value, high_value = slope.copy(), value.copy()
    length = np.where(slope < 0.0, 1.0, 0.0)
    done = (value <= -ENOUGH * slope) | (slope >= 0.0)
    done[largest] = True
    for _ in range(_TRIALS):
        if done.all():
            break
        gap = high - low
        with np.errstate(divide="ignore", invalid="ignore"):
            trial = low - low_value * gap / (high_value - low_value)
        trial = np.clip(
            np.where(np.isfinite(trial), trial, low + 0.5 * gap), low + 0.1 * gap, high - 0.1 * gap
        )
        length = np.where(done, length, trial)
        value = derivative(length)
        over, under = ~done & (value > 0.0), ~done & (value <= 0.0)
        high, high_value = np.where(over, length, high), np.where(over, value, high_value)
        low, low_value = np.where(under, length, low), np.where(under, value, low_value)
        done |= np.abs(value) <= -ENOUGH * slope
    return length[label]
