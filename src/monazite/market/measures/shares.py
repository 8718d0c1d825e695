"""Shares: who makes how much of what, and ratios of levels with their uncertainty.

Everything here is a ratio of two sums over activity levels, ``R = n·x / d·x``, so that one formula gives the
value, its derivative to every level, and a first-order standard deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

if TYPE_CHECKING:
    from monazite.network import Network

__all__ = [
    "KINDS",
    "MAKERS",
    "Estimate",
    "activity_column",
    "leading_kind",
    "leading_kind_code",
    "outputs",
    "ratio",
    "shares",
    "spread",
]

Float = NDArray[np.float64]

#: activity types that make a commodity (trade only moves it)
MAKERS = ("mine", "process", "recycle", "substitute")

#: kinds of a figure from best to worst
KINDS = ("reported", "estimated", "derived", "assumed", "modelled")

#: half the width of the central 80 % of a normal distribution, in standard deviations (p10, p90)
HALF_80 = 1.28


@dataclass(frozen=True, eq=False)
class Estimate:
    """A measured value with what it rests on.

    Attributes
    ----------
    value : float
        NaN where the ratio is undefined (nothing in the denominator).
    gradient : ndarray, shape (activities,)
        Derivative of the value to the level of each activity, per t/yr.
    sd : float
        First-order standard deviation, NaN where no level has one.
    """

    value: float
    gradient: Float
    sd: float

    @property
    def defined(self) -> bool:
        """Whether there is a value."""
        return bool(np.isfinite(self.value))

    def interval(self, least: float = 0.0, most: float = np.inf) -> tuple[float, float]:
        """Return p10 and p90 of a normal distribution, cut at what the measure can be at all."""
        if not (self.defined and np.isfinite(self.sd)):
            return float("nan"), float("nan")
        low, high = self.value - HALF_80 * self.sd, self.value + HALF_80 * self.sd
        return min(max(low, least), self.value), max(min(high, most), self.value)


def shares(quantity: Sequence[float] | Float) -> Float:
    """Return shares ``s_c = q_c / Σ q``, computed in floats.

    Parameters
    ----------
    quantity : array, shape (states,)
        Tonnes of one thing on one basis, not negative.

    Returns
    -------
    ndarray, shape (states,)
        Summing to 1; NaN throughout where the total is zero.

    Examples
    --------
    >>> shares([3, 1]).tolist()
    [0.75, 0.25]
    """
    q = np.asarray(quantity, dtype=float)
    total = q.sum()
    return np.full(q.shape, np.nan) if total <= 0 else q / total


def ratio(numerator: Float, denominator: Float, level: Float, sd: Float) -> Estimate:
    """Return ``R = n·x / d·x`` with ``∂R/∂x = (n − R d) / d·x`` and ``sd² = Σ (∂R/∂x_j · sd_j)²``.

    Parameters
    ----------
    numerator, denominator : ndarray, shape (activities,)
        Tonnes counted for each tonne of level.
    level, sd : ndarray, shape (activities,)
        Levels and their posterior standard deviations, t/yr; a level without one has NaN. The deviations are
        taken as independent: the network keeps their sizes, not their covariance.

    Examples
    --------
    >>> r = ratio(np.array([1.0, 0.0]), np.array([1.0, 1.0]), np.array([3.0, 1.0]), np.array([0.4, 0.0]))
    >>> r.value, round(r.sd, 6)
    (0.75, 0.025)
    """
    bottom = float(denominator @ level)
    if bottom <= 0:
        return Estimate(float("nan"), np.zeros_like(level), float("nan"))
    value = float(numerator @ level) / bottom
    gradient = (numerator - value * denominator) / bottom
    return Estimate(value, gradient, spread(gradient, sd))


def spread(gradient: Float, sd: Float) -> float:
    """Return the first-order standard deviation ``√Σ (g_j sd_j)²``; NaN where no level has one."""
    known = np.isfinite(sd)
    if not known.any():
        return float("nan")
    return float(np.sqrt(np.sum((gradient[known] * sd[known]) ** 2)))


def activity_column(network: Network, name: str, default: object = None) -> list[object]:
    """Return a column of the activities as a list; one that the network lacks is filled with `default`."""
    table = network.activities
    return table[name].to_list() if name in table.columns else [default] * table.height


def outputs(network: Network) -> pl.DataFrame:
    """List what is made where: one row for each activity that gives a commodity at its own place.

    The stage is ``mine`` for what a mine gives, else that of the commodity given, so that oxide out of scrap
    counts as refined where it was recycled.

    Returns
    -------
    DataFrame
        ``activity, type, chain, stage, commodity_stage, commodity, place, per_level (t/t), tonnes (t/yr)``.
    """
    flow = network.flow.tocoo()
    types = activity_column(network, "type")
    nodes = {name: network.nodes[name].to_list() for name in ("commodity", "place", "chain", "stage")}
    level = network.level
    rows = [
        (
            int(j),
            types[j],
            nodes["chain"][i],
            "mine" if types[j] == "mine" else nodes["stage"][i],
            nodes["stage"][i],
            nodes["commodity"][i],
            nodes["place"][i],
            float(v),
            float(v * level[j]),
        )
        for i, j, v in zip(flow.coords[0], flow.coords[1], flow.data, strict=True)
        if v > 0 and types[j] in MAKERS
    ]
    return pl.DataFrame(
        rows,
        schema={
            "activity": pl.Int64,
            "type": pl.String,
            "chain": pl.String,
            "stage": pl.String,
            "commodity_stage": pl.String,
            "commodity": pl.String,
            "place": pl.String,
            "per_level": pl.Float64,
            "tonnes": pl.Float64,
        },
        orient="row",
    )


def leading_kind(kinds: Sequence[object], weight: Float) -> tuple[str, float]:
    """Return the kind that carries most weight, and the share of weight on assumed or modelled figures.

    A figure made of several is called by the kind behind most of its tonnage; where two carry the same,
    by the worse (the order is `KINDS`).

    Examples
    --------
    >>> leading_kind(["reported", "assumed", "assumed"], np.array([5.0, 3.0, 1.0]))
    ('reported', 0.4444444444444444)
    """
    last = len(KINDS) - 1
    code = [KINDS.index(str(kind)) if kind in KINDS else last for kind in kinds]
    return leading_kind_code(np.array(code, dtype=np.int64), weight)


def leading_kind_code(code: NDArray[np.int64], weight: Float) -> tuple[str, float]:
    """Do what `leading_kind` does, with kinds given as positions in `KINDS`."""
    total = np.bincount(code, weights=np.abs(weight), minlength=len(KINDS))
    everything = float(total.sum())
    if everything <= 0:
        return (KINDS[int(code.max())] if code.size else KINDS[-1]), float("nan")
    lead = int(np.flatnonzero(total >= total.max() * (1 - 1e-12))[-1])
    return KINDS[lead], float(total[-2:].sum() / everything)
