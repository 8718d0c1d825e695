"""A problem in a facts table: where it is, what is wrong, the nearest right name and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monazite.core.errors import nearest_names
from monazite.core.text import has, say

__all__ = ["Problem", "name_problem", "problem"]

_LISTED = 12


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one table.

    Parameters
    ----------
    row
        Row in the file, the header being row 1; None where the whole file is meant.
    column
        Column; None where the whole row or file is meant.
    message
        What is wrong and how to mend it.
    nearest
        The nearest right name, where the trouble is an unknown one.
    key
        Key of the message in the text catalogue: the rule that was broken.
    """

    row: int | None
    column: str | None
    message: str
    nearest: str | None = None
    key: str = ""

    @property
    def where(self) -> str:
        """The place in words, such as ``row 12, column unit``; empty where the whole file is meant."""
        if self.row is None:
            return "" if self.column is None else say("data.at_column", column=self.column)
        if self.column is None:
            return say("data.at_row", row=self.row)
        return say("data.at_cell", row=self.row, column=self.column)

    def __str__(self) -> str:
        """Place and message in one line."""
        return f"{self.where}: {self.message}" if self.where else self.message


def problem(key: str, row: int | None = None, column: str | None = None, **values: object) -> Problem:
    """Make a problem from a key of the catalogue's ``[data]`` section.

    Examples
    --------
    >>> print(problem("empty_cell", 12, "unit", what="unit"))
    row 12, column unit: the unit is missing
    """
    return Problem(row, column, say(f"data.{key}", **values), None, f"data.{key}")


def name_problem(
    row: int | None, column: str, kind: str, given: str, known: Iterable[str], *, nearest: str | None = None
) -> Problem:
    """Make the problem of an unknown name; `nearest` where the caller knows better than spelling.

    Examples
    --------
    >>> print(name_problem(3, "place", "place", "IDN?", ["IDN", "CHN"]))
    row 3, column place: unknown place 'IDN?'; did you mean 'IDN'?
    """
    word = say(f"word.{kind}") if has(f"word.{kind}") else kind
    names = sorted(set(known))
    near = (nearest,) if nearest else nearest_names(given, names, most=1)
    if near:
        text = say("error.unknown_name", kind=word, name=given, nearest=near[0])
    else:
        listed = names[:_LISTED] + (["…"] if len(names) > _LISTED else [])
        text = say("error.unknown_name_far", kind=word, name=given, known=listed)
    return Problem(row, column, text, near[0] if near else None, f"data.unknown_{kind}")
