"""Figures as publishers write them: numbers with commas, bounds, ranges, and marks that stand for none."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

__all__ = ["Figure", "figure", "last_digit", "plain", "plain_number", "written"]

_DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,15})(?:\.[0-9]{1,15})?"
_NUMBER = re.compile(rf"^{_DIGITS}$")
_ESTIMATE = re.compile(rf"^(?:e ?({_DIGITS})|({_DIGITS}) ?e)$")
_BOUND = re.compile(rf"^([<>]) ?({_DIGITS})$")
_RANGE = re.compile(rf"^({_DIGITS}) ?[–-] ?({_DIGITS})$")
_NOTE = re.compile(r"^\([0-9]{1,2}\)$")
_SIGNED = re.compile(r"^-?[0-9]{1,17}(?:\.[0-9]{1,20})?(?:[eE][-+]?[0-9]{1,2})?$")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as it is known.

    Parameters
    ----------
    value, low, high
        The number, or bounds of one that is not given; in the publisher's unit.
    status
        Status of a fact (``data/schema/enums.csv``).
    estimated
        Whether the cell itself marks it as an estimate.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    status: str = "ok"
    estimated: bool = False

    def times(self, factor: float) -> Figure:
        """Return the figure in another unit."""

        def scaled(number: float | None) -> float | None:
            return None if number is None else number * factor

        return replace(self, value=scaled(self.value), low=scaled(self.low), high=scaled(self.high))


def plain(text: str) -> str:
    r"""Return a text with single spaces, none at its ends; no-break spaces are spaces.

    Examples
    --------
    >>> plain(" United\xa0States  ")
    'United States'
    """
    return _SPACE.sub(" ", text).strip()


def figure(text: str, marks: Mapping[str, str]) -> Figure | None:
    """Read a cell that should hold a figure.

    Parameters
    ----------
    text
        The cell.
    marks
        The publisher's marks: what each means, ``zero``, ``below_half`` or a status of a fact.

    Returns
    -------
    Figure or None
        None where the cell is neither a number, nor a bound, a range or a mark: it must not be guessed.

    Examples
    --------
    >>> figure("1,200", {}), figure("1,20", {})
    (Figure(value=1200.0, low=None, high=None, status='ok', estimated=False), None)
    >>> figure(">50", {}).low, figure("W", {"W": "withheld"}).status
    (50.0, 'withheld')
    """
    cell = plain(text)
    if cell in marks:
        meaning = marks[cell]
        if meaning == "zero":
            return Figure(0.0)
        if meaning == "below_half":
            return Figure(None, 0.0, 0.5, "insufficient")
        return Figure(status=meaning)
    if _NUMBER.match(cell):
        return Figure(_number(cell))
    if found := _ESTIMATE.match(cell):
        return Figure(_number(found[1] or found[2]), estimated=True)
    if found := _BOUND.match(cell):
        bound = _number(found[2])
        low, high = (bound, None) if found[1] == ">" else (0.0, bound)
        return Figure(None, low, high, "insufficient")
    if found := _RANGE.match(cell):
        low, high = _number(found[1]), _number(found[2])
        return Figure(None, low, high, "insufficient") if low <= high else None
    if _NOTE.match(cell):
        return Figure(status="missing")
    return None


def last_digit(text: str) -> float:
    """Return what the last digit that is not a closing zero is worth: how far a figure is rounded.

    Examples
    --------
    >>> last_digit("23,400"), last_digit("7"), last_digit("0.25"), last_digit("—")
    (100.0, 1.0, 0.01, 0.0)
    """
    digits = plain(text).replace(",", "")
    if not _NUMBER.match(digits) or not float(digits):
        return 0.0
    if "." in digits:
        return float(10.0 ** -len(digits.partition(".")[2]))
    return float(10.0 ** (len(digits) - len(digits.rstrip("0"))))


def plain_number(text: str) -> float | None:
    """Return a number written without commas, with or without sign and exponent; None where it is none.

    Examples
    --------
    >>> plain_number("-0.56"), plain_number("1,2")
    (-0.56, None)
    """
    return float(text) if _SIGNED.match(text) else None


def written(number: float | None) -> str | None:
    """Return a number as text of a facts table: twelve digits, none that says nothing.

    Examples
    --------
    >>> written(85_500_000.0), written(0.1 + 0.2), written(None)
    ('85500000', '0.3', None)
    """
    if number is None or not math.isfinite(number):
        return None
    text = f"{number:.12g}"
    return text if "e" not in text else f"{number:.12g}".replace("e+", "e")


def _number(text: str) -> float:
    return float(text.replace(",", ""))
