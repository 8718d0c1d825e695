"""The schema as data: ``data/schema/*.csv``, read once, for code, docs, forms and command line alike."""

from __future__ import annotations

import csv
from functools import lru_cache

from monazite.core.settings import data_folder

__all__ = ["enum", "names", "table"]


@lru_cache(maxsize=32)
def table(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of ``data/schema/<name>.csv`` in their order.

    Raises
    ------
    FileNotFoundError
        If there is no such table: a mistake of the program.

    Examples
    --------
    >>> table("stages")[0]["stage"]
    'mine'
    """
    with (data_folder() / "schema" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@lru_cache(maxsize=64)
def names(name: str, column: str) -> tuple[str, ...]:
    """Return one column of a schema table, in its order.

    Examples
    --------
    >>> names("stages", "stage")[:2]
    ('mine', 'concentrate')
    """
    return tuple(row[column] for row in table(name))


@lru_cache(maxsize=16)
def enum(name: str) -> tuple[str, ...]:
    """Return the values of an enum of ``data/schema/enums.csv``.

    Examples
    --------
    >>> enum("kind")
    ('reported', 'estimated', 'derived', 'assumed', 'modelled')
    """
    values = tuple(row["value"] for row in table("enums") if row["enum"] == name)
    if not values:
        raise KeyError(name)
    return values
