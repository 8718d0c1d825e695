"""What a value is, whatever it was declared to be: the borders ask before they compute."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["is_number", "is_text", "is_texts", "is_whole"]


def is_number(value: object) -> bool:
    """Tell whether a value is a real number (truth values are none).

    Examples
    --------
    >>> is_number(0.5), is_number("0.5"), is_number(True)
    (True, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: object, least: int) -> bool:
    """Tell whether a value is a whole number of at least `least`.

    Examples
    --------
    >>> is_whole(2, 1), is_whole(0, 1), is_whole(2.0, 1)
    (True, False, False)
    """
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_text(value: object) -> bool:
    """Tell whether a value is text."""
    return isinstance(value, str)


def is_texts(value: object) -> bool:
    """Tell whether a value is a text or holds nothing but texts.

    Examples
    --------
    >>> is_texts("IND"), is_texts(["IND", "USA"]), is_texts(None), is_texts([1])
    (True, True, False, False)
    """
    return is_text(value) or (isinstance(value, Iterable) and all(is_text(part) for part in value))
