"""Ticks and scales computed beforehand, so that labels can be placed where nothing else is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from monazite.views.numbers import quantity

__all__ = ["Scale", "linear", "logarithmic", "month_ticks", "tick_text"]

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)
_YEAR = 12


@dataclass(frozen=True)
class Scale:
    """An axis from ``low`` (at ``height`` px) up to ``high`` (at 0 px) with its ticks.

    Examples
    --------
    >>> scale = Scale(0.0, 10.0, (0.0, 5.0, 10.0), log=False, height=200.0)
    >>> scale.pixel(2.5), scale.value(150.0)
    (150.0, 2.5)
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool
    height: float

    def pixel(self, value: float) -> float:
        """Return the position of a value, px from the top."""
        return self.height * (
            1 - (self._at(value) - self._at(self.low)) / (self._at(self.high) - self._at(self.low))
        )

    def value(self, pixel: float) -> float:
        """Return the value at a position."""
        at = self._at(self.low) + (1 - pixel / self.height) * (self._at(self.high) - self._at(self.low))
        return math.exp(at) if self.log else at

    def _at(self, value: float) -> float:
        return math.log(value) if self.log else value


def linear(low: float, high: float, height: float, *, count: int = 5) -> Scale:
    """Return a linear scale with round ends and about ``count`` ticks.

    Examples
    --------
    >>> linear(0.0, 0.87, 100.0).ticks
    (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    """
    if high <= low:
        high = low + (abs(low) or 1.0)
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(item for item in _STEPS if item * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(round(number * step, 12) for number in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks, log=False, height=height)


def logarithmic(low: float, high: float, height: float) -> Scale:
    """Return a logarithmic scale with ends and ticks at 1, 2 or 5 times a power of ten.

    Examples
    --------
    >>> logarithmic(0.9, 12.0, 100.0).ticks
    (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
    """
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    marks = [round(step * 10.0**power, 12) for power in powers for step in (1.0, 2.0, 5.0)]
    first = max(mark for mark in marks if mark <= low * (1 + 1e-9))
    last = min(mark for mark in marks if mark >= high * (1 - 1e-9))
    ticks = tuple(mark for mark in marks if first <= mark <= last)
    return Scale(ticks[0], ticks[-1], ticks, log=True, height=height)


def tick_text(tick: float, unit: str | None) -> str:
    """Write a tick in full, so that no two of an axis read alike: shares below a per cent keep decimals.

    Examples
    --------
    >>> [tick_text(t, "share").replace(chr(160), " ") for t in (0.0, 0.002)]
    ['0 %', '0.2 %']
    >>> tick_text(0.5, "share").replace(chr(160), " "), tick_text(2.0, "×")
    ('50 %', '×2')
    """
    if unit == "×":
        return f"×{tick:g}"
    if unit == "share":
        return f"{round(100 * tick, 10):,g}\N{NO-BREAK SPACE}%"
    return quantity(tick, unit)


def month_ticks(first: int, last: int, *, most: int, calendar: bool) -> Sequence[int]:
    """Return the months to label: at most so many, on whole quarters or years where steps are long.

    Examples
    --------
    >>> list(month_ticks(0, 24, most=6, calendar=False))
    [0, 6, 12, 18, 24]
    """
    span = last - first
    step = next((item for item in _MONTH_STEPS if span / item <= most), _MONTH_STEPS[-1])
    start = first if not calendar or step == 1 else math.ceil(first / step) * step
    return range(start, last + 1, step)
