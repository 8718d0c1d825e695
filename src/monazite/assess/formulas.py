"""Concentration and complements: pure functions, the equation in each docstring."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monazite.core.errors import ArgumentError
from monazite.core.range import Range
from monazite.market.measures import shares

__all__ = ["complements", "effective_suppliers", "hhi", "hhi_gradient", "normalised_hhi", "top"]

Float = NDArray[np.float64]


def hhi(quantity: Sequence[float] | Float, residual: float = 0.0) -> Range:
    """Return the Herfindahl-Hirschman index ``Σ s_c²`` of the named states, with bounds for the rest.

    Parameters
    ----------
    quantity : array, shape (states,)
        Tonnes of the named states, one basis.
    residual : float
        Tonnes of "other countries" R. Nobody says how many they are: ``low`` takes them as many small ones,
        ``Σ s²``; ``high`` as one, ``Σ s² + R²``. ``value`` is ``low``.

    Returns
    -------
    Range
        1 / n to 1 for n named states and no residual; a pure number. Computed in floats: squares of tonnages
        overflow 64-bit integers.

    Raises
    ------
    ArgumentError
        Nothing is made at all, or a tonnage is negative.

    Examples
    --------
    >>> hhi([50, 50])
    Range(low=0.5, value=0.5, high=0.5)
    >>> bounded = hhi([60, 20], residual=20)
    >>> round(bounded.low, 6), round(bounded.high, 6)
    (0.4, 0.44)
    """
    s = _shares(quantity, residual)
    named = float(np.sum(s[:-1] ** 2))
    return Range(named, named, named + float(s[-1] ** 2))


def hhi_gradient(quantity: Sequence[float] | Float, residual: float = 0.0) -> Float:
    """Return ``∂(Σ s²)/∂q_c = 2 (s_c − HHI) / Σ q``, the residual last; shape (states + 1,).

    Examples
    --------
    >>> hhi_gradient([50.0, 50.0]).tolist()
    [0.0, 0.0, -0.01]
    """
    s = _shares(quantity, residual)
    total = float(np.sum(np.asarray(quantity, dtype=float))) + residual
    own = s.copy()
    own[-1] = 0.0
    return 2.0 * (own - float(np.sum(own**2))) / total


def normalised_hhi(index: float, states: int) -> float | None:
    """Return ``(HHI − 1/n) / (1 − 1/n)``: 0 for equal states, 1 for one. None for a single state.

    Examples
    --------
    >>> normalised_hhi(0.5, 2), normalised_hhi(1.0, 4), normalised_hhi(1.0, 1)
    (0.0, 1.0, None)
    """
    return None if states < 2 else (index - 1 / states) / (1 - 1 / states)


def effective_suppliers(index: float) -> float:
    """Return ``1 / HHI``: how many equal states would be as concentrated. At most the number of states.

    Examples
    --------
    >>> effective_suppliers(0.25)
    4.0
    """
    if not 0 < index <= 1 + 1e-9:
        raise ArgumentError("error.fraction_expected", name="HHI", given=index)
    return 1.0 / index


def top(quantity: Sequence[float] | Float, n: int, residual: float = 0.0) -> Range:
    """Return the share of the n largest named states; ``high`` takes the residual as one state.

    Parameters
    ----------
    quantity : array, shape (states,)
        Tonnes of the named states.
    n : int
        1, 3, …
    residual : float
        Tonnes of the rest; withheld states may sit in it.

    Examples
    --------
    >>> top([60, 10], 1, residual=30)
    Range(low=0.6, value=0.6, high=0.6)
    >>> round(top([60, 10], 3, residual=30).high, 6)
    1.0
    """
    s = _shares(quantity, residual)
    value = float(np.sort(s[:-1])[::-1][:n].sum())
    return Range(value, value, max(value, float(np.sort(s)[::-1][:n].sum())))


def complements(parts: Sequence[float] | Float) -> Range:
    """Return the exposure of a product that needs all of its elements: ``[max t_e, min(1, Σ t_e)]``.

    A motor stops for want of dysprosium alone: mixing neodymium and dysprosium by mass is wrong. The headline
    is the largest; the least overlap of the others gives the upper bound.

    Parameters
    ----------
    parts : array, shape (elements,)
        Touch share of each element in the product, 0 to 1.

    Examples
    --------
    >>> complements([0.9, 0.3])
    Range(low=0.9, value=0.9, high=1.0)
    """
    t = np.asarray(parts, dtype=float)
    largest = float(t.max())
    return Range(largest, largest, max(largest, min(1.0, float(t.sum()))))


def _shares(quantity: Sequence[float] | Float, residual: float) -> Float:
    q = np.append(np.asarray(quantity, dtype=float), float(residual))
    least = float(q.min())
    if least < 0 or q.sum() <= 0:
        raise ArgumentError("error.positive_expected", name="quantity", given=least if least < 0 else 0)
    return shares(q)
