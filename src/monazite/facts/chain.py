"""One chain's folder, read and checked: what is traded, what can be done, what is known of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from monazite.core.errors import FactsError
from monazite.facts.corrections import apply_corrections
from monazite.facts.folder import Folder, packaged
from monazite.facts.overlay import laid_over, overlay_facts, overlay_trade
from monazite.facts.problems import Problem
from monazite.facts.reading import RawTable, read_table
from monazite.facts.rules import FACT_COLUMNS, Context, fact_problems
from monazite.facts.structure import (
    ACTIVITY_COLUMNS,
    COMMODITY_COLUMNS,
    HOST_COLUMNS,
    activity_problems,
    commodity_problems,
    host_problems,
)
from monazite.facts.trade import LINE_COLUMNS, line_problems, trade_facts, trade_table, trade_years

__all__ = ["ChainTables", "chain_files", "context_of", "read_chain", "refuse_shared"]

#: tables that a chain need not have
_OPTIONAL = {"lines": LINE_COLUMNS, "hosts": HOST_COLUMNS}
_REQUIRED = ("commodities.csv", "activities.csv", "facts.csv")
#: what is made: a year without it for a maker that has it in others is no base year
_MADE = pl.col("variable") == "output"


def chain_files(folder: Folder, name: str) -> list[Path]:
    """Return the files of a chain that there are."""
    files = [folder.chains / name / file for file in (*_REQUIRED, *(f"{key}.csv" for key in _OPTIONAL))]
    return [path for path in files if path.is_file()]


@dataclass(frozen=True, eq=False)
class ChainTables:
    """The tables of one chain as text, checked.

    Attributes
    ----------
    name : str
    commodities, activities, lines, hosts : DataFrame
        Columns as in the files, without ``row``.
    facts : DataFrame
        `FACT_COLUMNS` and ``correction``; all years.
    context : Context
        The names its facts may use.
    """

    name: str
    commodities: pl.DataFrame
    activities: pl.DataFrame
    lines: pl.DataFrame
    hosts: pl.DataFrame
    facts: pl.DataFrame
    context: Context

    @cached_property
    def years(self) -> tuple[int, ...]:
        """Base years: output is known, and trade or use.

        Customs lines have flows of every year; where they alone give the trade, every maker that has an
        output in some year must have one, and a price of that year be known.
        """
        year = pl.col("period").str.extract(r"^(\d{4})(-\d{2})?$", 1).cast(pl.Int32)
        rows = self.facts.filter(year.is_not_null()).with_columns(year=year)
        made = dict(rows.filter(_MADE).group_by("year").agg(pl.col("activity").unique()).iter_rows())
        moved = set(rows.filter(pl.col("variable").is_in(["trade", "use"]))["year"].to_list())
        found = {int(y) for y in made if y in moved}
        if self.lines.height:
            every = {name for names in made.values() for name in names}
            full = {int(y) for y, names in made.items() if set(names) == every}
            priced = set(rows.filter(pl.col("variable") == "price")["year"].to_list())
            found = full & priced & (moved | trade_years(self.lines, _trade()))
        return tuple(sorted(found))

    def of_year(self, year: int) -> pl.DataFrame:
        """Facts of a year, of its months and without period, then the trade of its customs lines.

        ``fact_id`` counts the rows of the file from 0, then the flows; it is the same for every base year
        as far as the file goes.
        """
        period = pl.col("period")
        kept = self.facts.with_row_index("fact_id").filter(
            period.is_null() | (period.str.slice(0, 4) == str(year))
        )
        kept = kept.with_columns(pl.col("fact_id").cast(pl.Int64))
        if not self.lines.height:
            return kept
        flows = trade_facts(self.lines, year, _named(kept), _trade()).with_columns(
            basis=pl.col("commodity").replace_strict(self.context.commodities, return_dtype=pl.String),
            correction=pl.lit(None, pl.String),
        )
        first = self.facts.height
        flows = flows.with_columns(fact_id=pl.int_range(first, first + flows.height, dtype=pl.Int64))
        return pl.concat([kept, flows.select(kept.columns)])


def _trade() -> pl.DataFrame:
    """The packaged trade table with what the user imported."""
    return trade_table(tuple(overlay_trade()))


def _named(facts: pl.DataFrame) -> dict[str, set[str]]:
    """By commodity, the places where facts have it made, taken or used; others may be part of the rest."""
    known = facts.filter(pl.col("value").is_not_null())
    recipes = known.filter(pl.col("variable") == "coefficient").select("activity", good="commodity").unique()
    made = known.filter(pl.col("variable").is_in(["output", "capacity"])).join(recipes, on="activity")
    ends = [made.select("good", "place")]
    for end in ("place", "partner"):
        own = known.filter(pl.col("variable").is_in(["use", "trade"])).select(good="commodity", place=end)
        ends.append(own)
    found: dict[str, set[str]] = {}
    for good, place in pl.concat(ends).drop_nulls().unique().iter_rows():
        if place != "WLD":
            found.setdefault(good, set()).add(place)
    return found


def read_chain(
    folder: Folder, name: str, sources: Collection[str], corrections: Sequence[Any]
) -> ChainTables:
    """Read and check one chain.

    Raises
    ------
    FactsError
        If a table is wrong: file, row, column, nearest right name, how to mend.
    """
    home = folder.chains / name
    goods = _table(home / "commodities.csv", COMMODITY_COLUMNS)
    _refuse(goods.path, commodity_problems(goods.frame, name))
    ids = goods.frame["commodity"].to_list()
    doings = _table(home / "activities.csv", ACTIVITY_COLUMNS)
    _refuse(doings.path, activity_problems(doings.frame, name, ids))
    context = context_of(goods.frame, doings.frame, sources)
    more = {}
    for key, columns in _OPTIONAL.items():
        path = home / f"{key}.csv"
        table = _table(path, columns) if path.is_file() else RawTable(path, (), _empty(columns))
        found = (
            line_problems(table.frame, ids, sources)
            if key == "lines"
            else host_problems(
                table.frame, name, [*ids, *doings.frame["activity"].to_list()], _plants(folder, table.frame)
            )
        )
        _refuse(path, found)
        more[key] = table.frame.drop("row")
    table = _table(home / "facts.csv", FACT_COLUMNS)
    facts = apply_corrections(table.frame, name, corrections)
    _refuse(table.path, fact_problems(facts.drop("correction"), context))
    if folder is packaged():
        brought = overlay_facts(name)
        for (vintage,), rows in brought.group_by("vintage", maintain_order=True):
            wrong = fact_problems(rows.drop("vintage"), context)
            if wrong:
                raise FactsError("data.overlay_stale", id=vintage, chain=name, problem=str(wrong[0]))
        facts = laid_over(facts, brought)
    return ChainTables(
        name, goods.frame.drop("row"), doings.frame.drop("row"), more["lines"], more["hosts"],
        facts.drop("row"), context,
    )  # fmt: skip


def _plants(folder: Folder, hosts: pl.DataFrame) -> dict[str, list[str]]:
    """Activities that can host a by-product, of the chains that a table names; other chains by name alone."""
    found: dict[str, list[str]] = {name: [] for name in folder.names()}
    for name in hosts["host_chain"].drop_nulls().unique():
        if name in found:
            table = read_table(folder.chains / name / "activities.csv", ACTIVITY_COLUMNS).frame
            found[name] = table.filter(pl.col("type") != "use")["activity"].to_list()
    return found


def context_of(commodities: pl.DataFrame, activities: pl.DataFrame, sources: Iterable[str]) -> Context:
    """Make the context of checks from tables of commodities and activities."""
    references = activities.filter(pl.col("reference").is_not_null())
    return Context(
        dict(commodities.select("commodity", "basis").iter_rows()),
        dict(activities.select("activity", "type").iter_rows()),
        dict(references.select("activity", "reference").iter_rows()),
        set(sources),
    )


def refuse_shared(chains: Mapping[str, ChainTables]) -> None:
    """Stop where two chains use one name, unless one is told to drop it for the other's (``hosts.csv``)."""
    owner: dict[str, str] = {}
    for name, tables in chains.items():
        ids = [*tables.commodities["commodity"].to_list(), *tables.activities["activity"].to_list()]
        yields = dict(tables.hosts.select("name", "host_chain").iter_rows())
        for item in ids:
            other = owner.setdefault(item, name)
            if other == name or yields.get(item) == other:
                continue
            if dict(chains[other].hosts.select("name", "host_chain").iter_rows()).get(item) == name:
                owner[item] = name
                continue
            raise FactsError("data.id_shared", given=item, chains=[other, name])


def _empty(columns: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(schema={"row": pl.Int64, **dict.fromkeys(columns, pl.String)})


def _table(path: Path, columns: Sequence[str]) -> RawTable:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FactsError("data.no_table", file=path, reason=error.strerror or str(error)) from error
    table = read_table(path, columns, data)
    _refuse(path, table.problems)
    return table


def _refuse(path: Path, problems: Sequence[Problem]) -> None:
    """Stop at the first problem and say how many more there are."""
    if problems:
        key = "data.refused" if len(problems) == 1 else "data.refused_more"
        name = f"{path.parent.name}/{path.name}"
        raise FactsError(key, file=name, problem=str(problems[0]), more=len(problems) - 1, path=path)
