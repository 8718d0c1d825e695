"""What the commodities and activities of a chain must be."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import polars as pl

from monazite.core import schema
from monazite.facts.problems import Problem, name_problem, problem

__all__ = [
    "ACTIVITY_COLUMNS",
    "COMMODITY_COLUMNS",
    "HOST_COLUMNS",
    "activity_problems",
    "columns_of",
    "commodity_problems",
    "host_problems",
]

_ID = re.compile(r"^[a-z][a-z0-9_]*$")
_HS = re.compile(r"^\d{6}(;\d{6})*$")


def columns_of(table: str) -> tuple[str, ...]:
    """Return the columns of a packaged table, in order (``data/schema/columns.csv``).

    Examples
    --------
    >>> columns_of("places")
    ('place', 'name', 'region', 'numeric')
    """
    return tuple(row["column"] for row in schema.table("columns") if row["table"] == table)


COMMODITY_COLUMNS = columns_of("commodities")
ACTIVITY_COLUMNS = columns_of("activities")
HOST_COLUMNS = columns_of("hosts")


def commodity_problems(frame: pl.DataFrame, chain: str | None) -> list[Problem]:
    """Name everything wrong with ``commodities.csv`` (columns as text, and ``row``)."""
    found = _common(frame, "commodities", "commodity", chain)
    known = {
        "stage": schema.names("stages", "stage"),
        "basis": schema.names("bases", "basis"),
        "unit": schema.names("units", "unit"),
    }
    found += _unknown(frame, known)
    for row, lines in frame.select("row", "hs").drop_nulls().iter_rows():
        if not _HS.match(lines):
            found.append(problem("hs", row, "hs", given=lines))
    return _ordered(found)


def activity_problems(frame: pl.DataFrame, chain: str | None, commodities: Collection[str]) -> list[Problem]:
    """Name everything wrong with ``activities.csv`` (columns as text, and ``row``)."""
    found = _common(frame, "activities", "activity", chain)
    known = {
        "type": schema.enum("activity_type"),
        "stage": schema.names("stages", "stage"),
        "form": schema.enum("form"),
        "reference": commodities,
    }
    found += _unknown(frame, known)
    without = frame.filter(pl.col("reference").is_null(), pl.col("type") != "use")
    found += [problem("needed", row, "reference", what="reference", variable=name)
              for row, name in without.select("row", "activity").iter_rows()]  # fmt: skip
    return _ordered(found)


def host_problems(
    frame: pl.DataFrame, chain: str, own: Collection[str], hosts: Mapping[str, Collection[str]]
) -> list[Problem]:
    """Name everything wrong with ``hosts.csv``: it names what is this chain's, and plants of another chain.

    Parameters
    ----------
    frame
        Columns as text, and ``row``.
    chain
        The chain whose table it is.
    own
        Its commodities and activities.
    hosts
        Of each packaged chain, the plants and mines that can give a by-product.
    """
    found = []
    others = [name for name in hosts if name != chain]
    for row, name, other, host in frame.select("row", "name", "host_chain", "host").iter_rows():
        for column, given, known in (("name", name, own), ("host_chain", other, others)):
            if given is None:
                found.append(problem("empty_cell", row, column, what=column))
            elif given not in known:
                kind = "activity" if column == "name" else "chain"
                found.append(name_problem(row, column, kind, given, known))
        if host is not None and other in others and host not in hosts[other]:
            found.append(name_problem(row, "host", "activity", host, hosts[other]))
    first = frame.with_columns(first=pl.col("row").min().over("name", "host_chain"))
    twice = first.filter(pl.col("row") != pl.col("first")).select("row", "first").iter_rows()
    found += [problem("duplicate", row, None, first=other) for row, other in twice]
    return _ordered(found)


def _common(frame: pl.DataFrame, table: str, key: str, chain: str | None) -> list[Problem]:
    found = []
    for column in schema.table("columns"):
        if column["table"] == table and column["required"] == "yes":
            name = column["column"]
            found += [problem("empty_cell", row, name, what=name)
                      for row in frame.filter(pl.col(name).is_null())["row"]]  # fmt: skip
    first: dict[str, int] = {}
    for row, name, own in frame.select("row", key, "chain").iter_rows():
        if name is None:
            continue
        if not _ID.match(name):
            found.append(problem("identifier", row, key, given=name))
        if name in first:
            found.append(problem("id_twice", row, key, given=name, first=first[name]))
        first.setdefault(name, row)
        if chain is not None and own is not None and own != chain:
            found.append(problem("chain_differs", row, "chain", given=own, folder=chain))
    return found


def _unknown(frame: pl.DataFrame, known: Mapping[str, Collection[str]]) -> list[Problem]:
    found = []
    for column, names in known.items():
        kind = "commodity" if column == "reference" else column
        for row, given in frame.select("row", column).drop_nulls().iter_rows():
            if given not in names:
                found.append(name_problem(row, column, kind, given, names))
    return found


def _ordered(found: list[Problem]) -> list[Problem]:
    return sorted(found, key=lambda item: item.row or 0)
