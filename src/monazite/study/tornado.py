"""What moves a headline: swings and rank correlations of uncertain causes. Pure formulas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["FIFTH", "ranks", "spearman", "swing"]

Float = NDArray[np.float64]

#: share of the scenarios that stand at either end of a cause
FIFTH = 0.2


def ranks(values: Float) -> Float:
    """Ranks from 1, ties sharing the mean of theirs.

    Examples
    --------
    >>> ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, group, count = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    place: Float = (ends - (count - 1) / 2.0)[group]
    return place


def spearman(cause: Float, outcome: Float) -> float:
    """Spearman's rank correlation, −1 to 1; ``nan`` where one of the two never moves.

    Examples
    --------
    >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([9.0, 4.0, 1.0]))
    -1.0
    """
    a, b = ranks(cause), ranks(outcome)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0.0 else float("nan")


def swing(cause: Float, outcome: Float) -> tuple[float, float]:
    """Median of an outcome where a cause stands in its lowest fifth, and in its highest.

    Parameters
    ----------
    cause, outcome : ndarray, shape (scenarios,)
        At least two; a fifth holds at least one scenario, and all that tie with its last.

    Examples
    --------
    >>> swing(np.array([0.1, 0.5, 0.9, 0.3, 0.7]), np.array([1.0, 2.0, 5.0, 2.0, 3.0]))
    (1.0, 5.0)
    """
    many = max(int(np.floor(FIFTH * cause.size)), 1)
    ordered = np.sort(cause)
    low, high = cause <= ordered[many - 1], cause >= ordered[-many]
    return float(np.median(outcome[low])), float(np.median(outcome[high]))
