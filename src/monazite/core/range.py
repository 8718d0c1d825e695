"""A value with its low and high."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from monazite.core.errors import ArgumentError

__all__ = ["NORMAL_80", "Range"]

#: width of the central 80 % of a normal distribution (p10 to p90) in standard deviations, rounded as in
#: the method: sigma = (high - low) / 2.56
NORMAL_80 = 2.56


@dataclass(frozen=True, slots=True)
class Range:
    """A figure with an 80 % interval: ``low`` is p10, ``high`` is p90.

    Parameters
    ----------
    low, value, high
        In one unit and on one basis, ``low <= value <= high``; bounds may be infinite, never NaN.

    Raises
    ------
    ArgumentError
        If the three are not in order or one is NaN.

    Examples
    --------
    >>> Range(0.8, 0.9, 0.95).scaled(100)
    Range(low=80.0, value=90.0, high=95.0)
    >>> 0.85 in Range(0.8, 0.9, 0.95)
    True
    """

    low: float
    value: float
    high: float

    def __post_init__(self) -> None:
        """Refuse a disordered or undefined interval."""
        if not self.low <= self.value <= self.high:
            raise ArgumentError(
                "error.interval_disordered", low=self.low, value=self.value, high=self.high, where="Range"
            )

    @classmethod
    def exact(cls, value: float) -> Range:
        """Make a range of no width."""
        return cls(value, value, value)

    @classmethod
    def around(cls, value: float, sigma: float) -> Range:
        """Make the p10 to p90 range of a normal distribution.

        Examples
        --------
        >>> Range.around(10.0, 1.0)
        Range(low=8.72, value=10.0, high=11.28)
        """
        half = NORMAL_80 / 2 * sigma
        return cls(value - half, value, value + half)

    @property
    def sigma(self) -> float:
        """Standard deviation that the width stands for: (high - low) / 2.56."""
        return (self.high - self.low) / NORMAL_80

    @property
    def is_exact(self) -> bool:
        """Whether the range has no width."""
        return self.low == self.high

    def scaled(self, factor: float) -> Range:
        """Multiply by a number; a negative one swaps low and high."""
        if math.isnan(factor):
            raise ArgumentError("error.number_expected", name="factor", given=factor)
        ends = (self.low * factor, self.high * factor)
        return Range(min(ends), self.value * factor, max(ends))

    def clipped(self, least: float, most: float) -> Range:
        """Clip all three numbers to an interval, such as 0 and 1 for a share."""
        low, value, high = (min(max(number, least), most) for number in (self.low, self.value, self.high))
        return Range(low, value, high)

    def __contains__(self, number: float) -> bool:
        """Whether a number lies within low and high, ends included."""
        return self.low <= number <= self.high

    def __iter__(self) -> Iterator[float]:
        """Unpack as ``low, value, high``."""
        return iter((self.low, self.value, self.high))
