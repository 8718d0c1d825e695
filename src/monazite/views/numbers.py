"""Numbers as a reader wants them: unit beside the figure, no more digits than it deserves.

Files keep every digit; only pictures, sentences and printed tables are rounded.
"""

from __future__ import annotations

import math

from monazite.core.text import say

__all__ = ["apart", "interval", "number", "percent", "quantity", "shown_unit", "times"]

_SPACE = "\N{NO-BREAK SPACE}"
_FINEST = 4
_PERCENT = 0.01
#: pure numbers that are shares, by how their measure begins
_SHARES = ("n_minus_1", "shortage", "top1", "top3", "product_exposure", "share", "unserved")


def shown_unit(measure: str, unit: str | None) -> str | None:
    """Return the unit in which a measure is read: a share in per cent, a multiple after a times sign.

    Examples
    --------
    >>> shown_unit("touch_share", "1"), shown_unit("price_multiple", "1"), shown_unit("exports", "t/month")
    ('share', '×', 't/month')
    >>> shown_unit("hhi", "1")
    '1'
    """
    if measure.endswith("_multiple"):
        return "×"
    if unit == "1" and (measure.startswith(_SHARES) or measure.endswith(("share", "coverage"))):
        return "share"
    return unit


def number(value: float | None, *, digits: int = 3) -> str:
    """Round to significant digits and group thousands.

    Examples
    --------
    >>> number(58152), number(58152, digits=5), number(3.04), number(0.0714), number(0.0)
    ('58,200', '58,152', '3.04', '0.0714', '0')
    >>> number(None)
    '–'
    """
    if value is None or math.isnan(value):
        return say("view.no_number")
    if value == 0:
        return "0"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    magnitude = math.floor(math.log10(abs(value)))
    rounded = round(value, digits - 1 - magnitude)
    if rounded == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(rounded)))
    decimals = min(max(digits - 1 - magnitude, 0), _FINEST + 2)
    text = f"{abs(rounded):,.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"−{text}" if rounded < 0 else text


def percent(value: float | None) -> str:
    """Write a share 0 to 1 in per cent; what is not nothing never reads as 0, what is not all never as 100.

    Examples
    --------
    >>> [percent(value).replace(chr(160), " ") for value in (0.887, 0.002, 0.998, 1.0, 0.0, None)]
    ['89 %', '<1 %', '>99 %', '100 %', '0 %', '–']
    """
    if value is None or math.isnan(value):
        return say("view.no_number")
    shown = round(value * 100)
    if shown == 0 and value > 0:
        return f"<1{_SPACE}%"
    if shown == 100 and value < 1 - 1e-9:
        return f">99{_SPACE}%"
    return f"{'−' if shown < 0 else ''}{abs(shown)}{_SPACE}%"


def times(value: float | None) -> str:
    """Write a multiple of a base.

    Examples
    --------
    >>> times(3.04), times(12.4), times(108.2)
    ('×3.0', '×12', '×108')
    """
    if value is None or math.isnan(value):
        return say("view.no_number")
    return f"×{value:.1f}" if abs(value) < 9.95 else f"×{value:,.0f}"


def apart(value: float | None, unit: str | None, span: float | None) -> str:
    """Write a share or multiple with the digits that tell figures so far apart from each other.

    Examples
    --------
    >>> [apart(value, "share", 0.005).replace(chr(160), " ") for value in (0.003, 0.0075, 0.0)]
    ['0.30 %', '0.75 %', '0 %']
    >>> apart(0.31, "share", 0.4).replace(chr(160), " "), apart(1.0231, "×", 0.08), apart(7.42, "×", 8.0)
    ('31 %', '×1.023', '×7.4')
    """
    if value is None or math.isnan(value) or not span or unit not in ("share", "×"):
        return quantity(value, unit)
    scaled = 100.0 * span if unit == "share" else span
    digits = min(max(1 - math.floor(math.log10(scaled)), 0), _FINEST)
    if unit == "×":
        return f"×{value:,.{digits}f}" if digits > 1 else times(value)
    if not digits:
        return percent(value)
    shown = f"{100.0 * value:,.{digits}f}" if value else "0"
    return f"{shown.replace('-', '−')}{_SPACE}%"


def quantity(value: float | None, unit: str | None, *, digits: int = 3) -> str:
    """Write a figure with its unit; unit ``1`` is a plain number, ``%`` and ``×`` are understood.

    Examples
    --------
    >>> quantity(58152, "t/yr").replace(chr(160), " "), quantity(0.887, "share").replace(chr(160), " ")
    ('58,200 t/yr', '89 %')
    >>> quantity(3.04, "×")
    '×3.0'
    """
    if unit == "share":
        return percent(value)
    if unit == "×":
        return times(value)
    text = number(value, digits=digits)
    if value is None or not unit or unit == "1":
        return text
    return f"{text}{_SPACE}{unit}"


def interval(low: float | None, high: float | None, unit: str | None, *, digits: int = 3) -> str:
    """Write a range with its unit once; an empty text where an end is missing or both read alike.

    Examples
    --------
    >>> interval(0.41, 0.46, "share").replace(chr(160), " "), interval(1.9, 8.0, "×"), interval(None, 8, "t")
    ('41–46 %', '×1.9–8.0', '')
    >>> interval(0.002, 0.0113, "share").replace(chr(160), " ")
    '0.2–1.1 %'
    """
    if low is None or high is None:
        return ""
    if unit == "share":
        fine = any(0 < abs(end) < _PERCENT or 1 - _PERCENT < end < 1 for end in (low, high))
        first, last = (
            f"{end * 100:.1f}".removesuffix(".0") if fine else f"{end * 100:.0f}" for end in (low, high)
        )
        return f"{first}–{last}{_SPACE}%" if first != last else ""
    first, last = quantity(low, unit, digits=digits), quantity(high, unit, digits=digits)
    if first == last:
        return ""
    if unit == "×":
        return f"{first}–{last.removeprefix('×')}"
    suffix = f"{_SPACE}{unit}" if unit and unit != "1" else ""
    return f"{first.removesuffix(suffix)}–{last}"
