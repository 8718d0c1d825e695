"""Tables of records: what a column of ``data/schema/columns.csv`` asks for holds in every cell."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import polars as pl

from monazite.core import schema
from monazite.core.errors import FactsError
from monazite.core.units import units
from monazite.facts.folder import packaged
from monazite.facts.places import nearest_place, places
from monazite.facts.problems import Problem, name_problem, problem
from monazite.facts.reading import read_table
from monazite.facts.structure import columns_of

__all__ = ["activity_bases", "chain_names", "cited", "read_records", "record_problems", "refuse"]

_NUMBERS = ("number", "integer")
_RANGES = (("low", "capacity", "high"), ("price_low", "restart_price", "price_high"))
_PLACES = ("place", "state")


@lru_cache(maxsize=1)
def chain_names() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Return what is packaged: commodity to (chain, basis), activity to (chain, reference), source to itself.

    Examples
    --------
    >>> chain_names()["commodity"]["toy_ore"][0], chain_names()["activity"]["mine_toy"]
    ('toy', ('toy', 'toy_ore'))
    """
    folder = packaged()
    goods: dict[str, tuple[str, str]] = {}
    doings: dict[str, tuple[str, str]] = {}
    for chain in folder.names():
        table = read_table(folder.chains / chain / "commodities.csv", columns_of("commodities")).frame
        goods |= {name: (chain, basis) for name, basis in table.select("commodity", "basis").iter_rows()}
        table = read_table(folder.chains / chain / "activities.csv", columns_of("activities")).frame
        rows = table.select("activity", "reference").iter_rows()
        doings |= {name: (chain, reference or "") for name, reference in rows}
    chains = {name: (name, "") for name in folder.names()}
    sources = {name: (name, "") for name in folder.read_sources()}
    return {"commodity": goods, "activity": doings, "chain": chains, "source": sources}


@lru_cache(maxsize=1)
def activity_bases() -> Mapping[tuple[str, str], tuple[str, str]]:
    """Return (reference commodity, its basis) of every activity but uses, by (chain, activity).

    An activity of one name stands in two chains where one of them stands in for a host process.

    Examples
    --------
    >>> activity_bases()["toy", "mine_toy"][0]
    'toy_ore'
    """
    folder = packaged()
    found = {}
    for chain in folder.names():
        table = read_table(folder.chains / chain / "commodities.csv", columns_of("commodities")).frame
        bases = dict(table.select("commodity", "basis").iter_rows())
        table = read_table(folder.chains / chain / "activities.csv", columns_of("activities")).frame
        makers = table.filter(pl.col("type") != "use", pl.col("reference").is_not_null())
        for name, reference in makers.select("activity", "reference").iter_rows():
            found[chain, name] = (reference, bases[reference])
    return found


def read_records(
    path: Path, table: str, known: Mapping[str, Collection[str]] | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read a table of records and check it.

    Parameters
    ----------
    path
        The file.
    table
        Its name in ``data/schema/columns.csv``.
    known
        The values that a column may have, besides those that `record_problems` knows.

    Returns
    -------
    tuple of polars.DataFrame
        The table with its types, and as text (columns ``row`` and those of the schema).

    Raises
    ------
    FactsError
        If anything is wrong with it, with row and column.
    """
    try:
        read = read_table(path, columns_of(table))
    except OSError as error:
        raise FactsError("data.no_table", file=path, reason=error.strerror or str(error)) from error
    refuse(path, read.problems)
    refuse(path, record_problems(read.frame, table, known))
    types = {"number": pl.Float64, "integer": pl.Int64}
    typed = read.frame.drop("row").with_columns(
        pl.col(row["column"]).cast(types[row["type"]])
        for row in schema.table("columns")
        if row["table"] == table and row["type"] in types
    )
    return typed, read.frame


def refuse(path: Path, problems: Sequence[Problem]) -> None:
    """Stop at the first problem and say how many more there are.

    Raises
    ------
    FactsError
        If there is one.
    """
    if problems:
        key = "data.refused" if len(problems) == 1 else "data.refused_records"
        raise FactsError(key, file=path.name, problem=str(problems[0]), more=len(problems) - 1)


def record_problems(
    frame: pl.DataFrame, table: str, known: Mapping[str, Collection[str]] | None = None
) -> list[Problem]:
    """Name everything wrong with a table of records, cell by cell.

    Names of places, chains, activities, sources, units, bases, stages and enums must be known; numbers must
    be numbers, in the order low ≤ value ≤ high; a figure needs unit, basis and year; an assumed one a range.

    Parameters
    ----------
    frame
        Columns ``row`` and those of the table, all but the row as text, blanks as null.
    table, known
        As in `read_records`.
    """
    found: list[Problem] = []
    for row in schema.table("columns"):
        if row["table"] != table or row["column"] not in frame.columns:
            continue
        column = row["column"]
        if row["required"] == "yes":
            key = "no_source" if column == "source" else "empty_cell"
            found += [problem(key, at, column, what=column) for at in _at(frame, pl.col(column).is_null())]
        if row["type"] in _NUMBERS:
            found += _numbers(frame, column, whole=row["type"] == "integer")
        elif names := _names(column, known or {}):
            found += _unknown(frame, column, names)
    if not found:
        found += _figures(frame)
    return sorted(found, key=lambda item: item.row or 0)


def cited(sources: Collection[str]) -> pl.DataFrame:
    """Return the entries of some sources, in the order given: ``source, citation, url, licence, …``.

    Examples
    --------
    >>> cited(["assumption"])["citation"].item()[:7]
    'Assumed'
    """
    about = packaged().read_sources()
    rows = [{"source": name, **about[name]} for name in dict.fromkeys(sources) if name in about]
    fields = ("source", "citation", "url", "licence", "published", "retrieved", "next_version", "file")
    return pl.DataFrame(rows, schema=dict.fromkeys(fields, pl.String))


def _at(frame: pl.DataFrame, wrong: pl.Expr) -> list[int]:
    return frame.filter(wrong)["row"].to_list()


def _names(column: str, known: Mapping[str, Collection[str]]) -> Collection[str]:
    """Return the values that a column of this name may have; nothing where it may have any."""
    if column in known:
        return known[column]
    if column in _PLACES:
        return places()
    if column in ("commodity", "activity", "chain", "source"):
        return chain_names()[column]
    if column in ("kind", "status", "phase", "role", "measured", "price_is"):
        return schema.enum(column)
    if column.endswith("unit"):
        return units()
    if column.endswith("basis"):
        return schema.names("bases", "basis")
    return schema.names("stages", "stage") if column == "stage" else ()


def _unknown(frame: pl.DataFrame, column: str, names: Collection[str]) -> list[Problem]:
    wrong = frame.filter(pl.col(column).is_not_null(), ~pl.col(column).is_in(list(names)))
    found = []
    for row, given in wrong.select("row", column).iter_rows():
        near = nearest_place(given) if column in _PLACES else None
        word = "place" if column in _PLACES else column.rpartition("_")[2] if "unit" in column else column
        found.append(name_problem(row, column, word, given, names, nearest=near if near in names else None))
    return found


def _numbers(frame: pl.DataFrame, column: str, *, whole: bool) -> list[Problem]:
    number = pl.col(column).cast(pl.Int64 if whole else pl.Float64, strict=False)
    good = number.is_not_null() if whole else number.is_finite().fill_null(value=False)
    wrong = frame.filter(pl.col(column).is_not_null(), ~good)
    return [
        problem("number_comma" if "," in given else "number", row, column, given=given)
        for row, given in wrong.select("row", column).iter_rows()
    ]


def _figures(frame: pl.DataFrame) -> list[Problem]:
    """Check the figures of a table whose cells are right, one by one."""
    found: list[Problem] = []
    for names in _RANGES:
        if not set(names) <= set(frame.columns):
            continue
        low, value, high = (pl.col(name).cast(pl.Float64) for name in names)
        pairs = ((low > value, names[0], names[0], names[1]), (value > high, names[2], names[1], names[2]))
        for wrong, column, first, second in pairs:
            found += [
                problem("disordered", row, column, first=first, a=a, second=second, b=b)
                for row, a, b in frame.filter(wrong).select("row", first, second).iter_rows()
            ]
        found += [
            problem("sign_nonnegative", at, names[1], variable=names[1]) for at in _at(frame, value < 0)
        ]
    if "capacity" in frame.columns:
        figure = pl.col("capacity").is_not_null()
        for name in {"unit", "basis", "measured"} & set(frame.columns):
            lacks = figure & pl.col(name).is_null()
            found += [problem("empty_cell", at, name, what=name) for at in _at(frame, lacks)]
        silent = ~figure & pl.col("status").is_in(["ok", "provisional"])
        rows = frame.filter(silent).select("row", "status").iter_rows()
        found += [problem("no_figure", row, "capacity", status=status) for row, status in rows]
        guessed = (
            figure & (pl.col("kind") == "assumed") & (pl.col("low").is_null() | pl.col("high").is_null())
        )
        found += [problem("no_range", at, "low") for at in _at(frame, guessed)]
        found += _own_basis(frame)
    return found


def _own_basis(frame: pl.DataFrame) -> list[Problem]:
    """Check that an activity is of the chain named, and its figure on the basis of what measures it."""
    found = []
    rows = frame.filter(pl.col("activity").is_not_null()).select(
        "row", "chain", "activity", "unit", "basis", "capacity"
    )
    for row, chain, activity, unit, basis, capacity in rows.iter_rows():
        if (chain, activity) not in activity_bases():
            own = chain_names()["activity"][activity][0]
            found.append(problem("not_of_chain", row, "activity", given=activity, chain=own))
            continue
        if capacity is None or unit is None or basis is None:
            continue
        if units()[unit].dimension != "mass rate":
            found.append(problem("unit_wrong", row, "unit", given=unit, variable="capacity", wanted="t/yr"))
        reference, wanted = activity_bases()[chain, activity]
        if basis != wanted:
            found.append(
                problem("basis_differs", row, "basis", given=basis, commodity=reference, wanted=wanted)
            )
    return found
