"""Behaviour that no public figure gives: one table of assumptions, each with its range and its reason."""

from __future__ import annotations

import csv
from functools import lru_cache

from monazite.core.errors import FactsError, UnknownName
from monazite.core.manifest import content_hash
from monazite.core.range import Range
from monazite.core.settings import data_folder

__all__ = ["assumed", "assumptions", "settings_hash"]


@lru_cache(maxsize=1)
def assumptions() -> dict[str, dict[str, str]]:
    """Return every row of ``data/assumptions.csv`` by name: value, low, high, unit, source, note.

    Examples
    --------
    >>> assumptions()["rebound"]["unit"]
    '1'
    """
    with (data_folder() / "assumptions.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


@lru_cache(maxsize=1)
def settings_hash() -> str:
    """Return a hash of the assumptions and of the groups: what an answer rests on besides its facts.

    Examples
    --------
    >>> len(settings_hash())
    16
    """
    return content_hash(*((data_folder() / name).read_bytes() for name in ("assumptions.csv", "groups.csv")))


@lru_cache(maxsize=64)
def assumed(name: str) -> Range:
    """Return an assumption with its range.

    Raises
    ------
    UnknownName
        No assumption of that name.
    FactsError
        Its range does not hold its value.

    Examples
    --------
    >>> assumed("rebound").value
    1.3
    """
    if name not in assumptions():
        raise UnknownName("assumption", name, assumptions())
    row = assumptions()[name]
    low, value, high = (float(row[key]) for key in ("low", "value", "high"))
    if not low <= value <= high:
        raise FactsError("error.interval_disordered", low=low, value=value, high=high, where=name)
    return Range(low, value, high)
