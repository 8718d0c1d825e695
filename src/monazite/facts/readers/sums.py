"""Whether the places of a publisher's table add up to its world total, within what rounding allows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from monazite.facts.problems import Problem, problem
from monazite.facts.readers.cells import Figure, last_digit

__all__ = ["Sum", "sum_problems"]

#: what a table may miss its own total by beyond its rounding, as a share of the total
_SLACK = 0.005


@dataclass
class Sum:
    """One column of a world table.

    Parameters
    ----------
    name
        What is added, for people.
    parts
        Row, cell as written and figure of every place.
    totals
        The same of the world total.
    column
        Where the figures stand.
    """

    name: str
    column: str
    parts: list[tuple[int, str, Figure]] = field(default_factory=list)
    totals: list[tuple[int, str, Figure]] = field(default_factory=list)


def sum_problems(sums: Iterable[Sum]) -> list[Problem]:
    """Name the tables that miss their total or have none.

    A figure that is withheld or bounded leaves only one side to test: the rest must not exceed the total.

    Examples
    --------
    >>> one, two = Figure(71.0), Figure(101.0)
    >>> print(*sum_problems([Sum("ore", "Value", [(2, "71", one)], [(3, "101", two)])]))
    row 3, column Value: the places of 'ore' add up to 71, but the world total is 101: ...
    """
    found = []
    for item in sums:
        if not item.parts:
            continue
        if not item.totals:
            found.append(problem("reader_no_total", item.parts[-1][0], item.column, name=item.name))
            continue
        row, text, total = item.totals[0]
        if total.value is None:
            continue
        known = [(cell, part.value) for _, cell, part in item.parts if part.value is not None]
        added = sum(value for _, value in known)
        slack = last_digit(text) / 2 + sum(last_digit(cell) / 2 for cell, _ in known)
        slack = max(slack * (1 + 1e-9), _SLACK * total.value)
        hidden = len(known) < len(item.parts)
        if added > total.value + slack or (not hidden and added < total.value - slack):
            found.append(
                problem(
                    "reader_sum",
                    row,
                    item.column,
                    name=item.name,
                    added=f"{added:,.12g}",
                    total=f"{total.value:,.12g}",
                )
            )
    return found
