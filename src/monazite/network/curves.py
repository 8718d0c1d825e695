"""The forms of cost lines: two-piece supply, willingness to pay of constant elasticity in chords.

Each function lays the lines of many activities at once; a line is ``cost, slope, upper, base`` of one piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int64]

#: chords of a demand curve, and the lowest price it reaches as a share of the base price
CHORDS = 9
LOWEST = 0.1


@dataclass(frozen=True)
class Columns:
    """Cost lines: one row a piece of an activity (annual levels).

    Attributes
    ----------
    activity : ndarray of int
        Which activity (row of the network's table) the piece belongs to.
    cost, slope : ndarray
        c in USD/kg of level and a in USD/kg per t/yr.
    lower, upper, base : ndarray
        Bounds and base level, t/yr.
    """

    activity: Int
    cost: Float
    slope: Float
    lower: Float
    upper: Float
    base: Float

    @classmethod
    def of(cls, parts: Sequence[tuple[Int, Float]]) -> Columns:
        """Put lines in the order of the activities; each part is activities (k,) and lines (k, pieces, 4)."""
        owner = np.concatenate([np.repeat(activity, lines.shape[1]) for activity, lines in parts])
        table = np.concatenate([lines.reshape(-1, 4) for _, lines in parts])
        order = np.argsort(owner, kind="stable")
        table = table[order]
        return cls(
            activity=owner[order],
            cost=table[:, 0],
            slope=table[:, 1],
            lower=np.zeros(owner.size),
            upper=table[:, 2],
            base=table[:, 3],
        )

    def only(self, activities: Int) -> Columns:
        """Return the lines of some activities, counted anew in their order."""
        place = np.full(int(self.activity.max(initial=-1)) + 1, -1, dtype=np.int64)
        place[activities] = np.arange(activities.size)
        kept = np.flatnonzero(place[self.activity] >= 0)
        rows = (self.cost, self.slope, self.lower, self.upper, self.base)
        return Columns(place[self.activity[kept]], *(row[kept] for row in rows))


def supply_lines(
    level: Float, margin: Float, least: Float, elasticity: Float, cash: Float, capacity: Float
) -> Float:
    """Two pieces a maker: from cash cost to the break, then to capacity.

    Parameters
    ----------
    level, margin : ndarray, shape (k,)
        Base level, t/yr, and what it earns per kilogram of level at base prices: marginal cost there.
    least : ndarray
        Least price by which the slope is measured, USD/kg.
    elasticity : ndarray
        Short-run elasticity of supply at the base.
    cash : ndarray
        Cost at which the first unit runs, USD/kg.
    capacity : ndarray
        t/yr, above the level.

    Returns
    -------
    ndarray, shape (k, 2, 4)

    Examples
    --------
    >>> lines = supply_lines(*np.array([[10.0], [5.0], [1.0], [0.5], [3.0], [12.0]]))
    >>> (lines[0, :, 0] + lines[0, :, 1] * lines[0, :, 3]).round(9).tolist()[1]
    5.0
    """
    reference = np.maximum(margin, least)
    slope = reference / (elasticity * level)
    cash = np.where(margin > 0.0, np.minimum(cash, 0.98 * margin), margin - 0.02 * reference)
    room = np.maximum((margin - cash) / reference, 1e-3)
    share = np.minimum(0.1, 0.5 * elasticity * room)
    kink = margin - slope * share * level
    broken = (1.0 - share) * level
    rise = np.maximum((kink - cash) / broken, 1e-9 * reference / level)
    first = np.stack([cash, rise, broken, broken], axis=-1)
    second = np.stack([kink, slope, capacity - broken, share * level], axis=-1)
    lines: Float = np.stack([first, second], axis=1)
    return lines


def demand_lines(level: Float, price: Float, elasticity: Float, top: Float) -> Float:
    """Chords of P(q) = p⁰(q/q⁰)^(1/ε), the dearest need first.

    Breakpoints are geometric in price from ``LOWEST·p⁰`` to ``top·p⁰``; the chord that holds the base has the
    curve's own slope there, so the base is inside it.

    Parameters
    ----------
    level, price : ndarray, shape (k,)
        Base use, t/yr, at the base price, USD/kg.
    elasticity : ndarray
        Short-run elasticity, negative.
    top : ndarray
        Greatest willingness to pay over the base price.

    Returns
    -------
    ndarray, shape (k, CHORDS, 4)

    Examples
    --------
    >>> lines = demand_lines(*np.array([[10.0], [2.0], [-0.2], [30.0]]))
    >>> float(lines[0, :, 3].sum().round(9))
    10.0
    """
    below = CHORDS // 3
    above = CHORDS - below - 2
    ratio = (1.0 / LOWEST) ** (1.0 / (below + 0.5))
    high, low = ratio**0.5, ratio**-0.5
    # a ceiling below the first break would turn the curve round
    top = np.maximum(top, 1.05 * high)
    steep = np.minimum(0.9, np.abs(elasticity))
    at_high = 1.0 - steep * np.minimum(high - 1.0, 0.9 / steep)
    at_low = 1.0 + steep * (1.0 - low)
    tops = np.geomspace(np.full_like(top, high), top, above + 1)
    lows = np.geomspace(low, LOWEST, below + 1)
    q_above = at_high * (tops / high) ** -steep
    q_below = at_low * (lows[:, None] / low) ** -steep
    last = q_above[-1] * level
    pieces = [np.stack([-1.25 * top * price, 0.25 * top * price / last, last, last], axis=-1)]
    for k in range(above, 0, -1):
        width = (q_above[k - 1] - q_above[k]) * level
        pieces.append(
            np.stack([-tops[k] * price, (tops[k] - tops[k - 1]) * price / width, width, width], axis=-1)
        )
    width = (at_low - at_high) * level
    pieces.append(
        np.stack([-high * price, (high - low) * price / width, width, (1.0 - at_high) * level], axis=-1)
    )
    for k in range(1, below + 1):
        width = (q_below[k] - q_below[k - 1]) * level
        rise = (lows[k - 1] - lows[k]) * price / width
        pieces.append(np.stack([-lows[k - 1] * price, rise, width, np.zeros_like(width)], axis=-1))
    lines: Float = np.stack(pieces, axis=1)
    return lines
