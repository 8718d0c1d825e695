"""Two vintages side by side: which subjects only one has, which changed, and by how much.

A vintage is a packaged source, an import, a file, or a folder of chains.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from monazite.core.errors import FactsError, UnknownName
from monazite.core.text import say
from monazite.core.units import units
from monazite.facts.corrections import apply_corrections, read_corrections
from monazite.facts.folder import Folder, packaged
from monazite.facts.overlay import imported_sources, laid_over, overlay_facts, overlay_trade, vintages
from monazite.facts.readers.customs import packaged_sources, wanted_lines
from monazite.facts.readers.reading import Reading, read_official
from monazite.facts.reading import read_table
from monazite.facts.rules import FACT_COLUMNS, SUBJECT, variables
from monazite.facts.table import KIND_ORDER
from monazite.facts.trade import trade_table

__all__ = [
    "CURRENT",
    "DIFF_COLUMNS",
    "KEY",
    "PACKAGED",
    "Side",
    "compare",
    "facts_of",
    "figures",
    "known_trade",
    "overlay_rows",
    "published",
    "rank",
    "side",
]

#: what a fact is about
KEY = ("chain", "variable", *SUBJECT)
#: columns of a comparison; ``line`` is a customs line, for trade
DIFF_COLUMNS = ("chain", "variable", "commodity", "activity", "line", "place", "partner", "period")
#: name of everything packaged, each contradiction settled
PACKAGED = "packaged"
#: name of the same with the user's imports
CURRENT = "current"

_EQUAL = 1e-6


@dataclass(frozen=True, eq=False)
class Side:
    """One of two vintages.

    Parameters
    ----------
    name
        As given.
    title
        For people.
    table
        `DIFF_COLUMNS`, ``figure`` in the canonical unit (null where there is none), ``unit``.
    """

    name: str
    title: str
    table: pl.DataFrame


def figures(facts: pl.DataFrame) -> pl.DataFrame:
    """Add ``figure`` to facts as text: the value in its variable's ``canonical`` unit, added too.

    Examples
    --------
    >>> row = {"variable": "output", "value": "2", "unit": "kt/yr"}
    >>> figures(pl.DataFrame([row])).select("figure", "canonical").row(0)
    (2000.0, 't/yr')
    """
    factors = {name: unit.factor for name, unit in units().items()}
    frame = facts.join(
        variables().select("variable", "canonical"), on="variable", how="left", maintain_order="left"
    )
    factor = pl.col("unit").replace_strict(factors, default=None, return_dtype=pl.Float64)
    factor /= pl.col("canonical").replace_strict(factors, default=None, return_dtype=pl.Float64)
    return frame.with_columns(figure=pl.col("value").cast(pl.Float64, strict=False) * factor)


def published() -> dict[str, str]:
    """Return the day, month or year of publication of every source, packaged or imported.

    Examples
    --------
    >>> published()["usgs_mcs2026"]
    '2026-02'
    """
    found = {name: entry["published"] for name, entry in packaged_sources().items()}
    return found | {name: entry["published"] for name, (_, entry) in imported_sources().items()}


def rank(figure: float | None, kind: str, day: str) -> tuple[bool, int, tuple[int, ...]]:
    """Return the order in which one of several figures for a subject is chosen: the least first.

    A figure before none, then the kind, then the one published last.

    Examples
    --------
    >>> rank(1.0, "reported", "2026") < rank(1.0, "reported", "2025") < rank(1.0, "estimated", "2026")
    True
    """
    place = KIND_ORDER.index(kind) if kind in KIND_ORDER else len(KIND_ORDER)
    return figure is None, place, (*(-ord(letter) for letter in day), 1)


def facts_of(chains: Iterable[str], folder: Folder | None = None) -> pl.DataFrame:
    """Return all facts of some chains as text, known errors corrected, with the user's own laid over.

    Parameters
    ----------
    chains
        Names of chains.
    folder
        A folder, which nothing is laid over; the packaged one with the user's imports when absent.

    Returns
    -------
    polars.DataFrame
        Columns of a facts table and ``chain``; all years.

    Examples
    --------
    >>> facts_of(["toy"]).filter(variable="price", commodity="toy_ore")["value"].item()
    '1'
    """
    home = folder or packaged()
    corrections = read_corrections(home.corrections)
    frames = []
    for chain in chains:
        table = read_table(home.chains / chain / "facts.csv", FACT_COLUMNS)
        if table.problems:
            raise FactsError("data.refused", file=f"{chain}/facts.csv", problem=str(table.problems[0]))
        facts = apply_corrections(table.frame, chain, corrections).drop("row", "correction")
        if folder is None:
            facts = laid_over(facts, overlay_facts(chain))
        frames.append(facts.with_columns(chain=pl.lit(chain)))
    if not frames:
        return pl.DataFrame(schema=dict.fromkeys((*FACT_COLUMNS, "chain"), pl.String))
    return pl.concat(frames)


def _settled(facts: pl.DataFrame, days: Mapping[str, str]) -> pl.DataFrame:
    """Keep of each subject the fact that is chosen."""
    rows = facts.iter_rows(named=True)
    order = [rank(row["figure"], row["kind"], days.get(row["source"], "")) for row in rows]
    places = sorted(range(len(order)), key=lambda index: (order[index], index))
    return facts[places].unique(KEY, keep="first", maintain_order=True)


def _side(name: str, title: str, facts: pl.DataFrame, trade: pl.DataFrame | None) -> Side:
    parts = [
        facts.select(
            *(
                pl.lit(None, pl.String).alias("line") if column == "line" else column
                for column in DIFF_COLUMNS
            ),
            "figure",
            unit="canonical",
        )
    ]
    if trade is not None and trade.height:
        lines = {line: chains[0] for line, chains in wanted_lines().items()}
        heavy = pl.col("quantity_t").is_not_null()
        parts.append(
            trade.filter(pl.col("hs").is_in(list(lines))).select(
                chain=pl.col("hs").replace_strict(lines, default=None, return_dtype=pl.String),
                variable=pl.concat_str(pl.lit("trade ("), "reporter", pl.lit(")")),
                commodity=pl.lit(None, pl.String),
                activity=pl.lit(None, pl.String),
                line="hs",
                place="exporter",
                partner="importer",
                period=pl.col("year").cast(pl.String),
                figure=pl.when(heavy).then("quantity_t").otherwise("value_usd"),
                unit=pl.when(heavy).then(pl.lit("t")).otherwise(pl.lit("USD")),
            )
        )
    return Side(name, title, pl.concat(parts))


def _of_reading(name: str, reading: Reading) -> Side:
    return _side(name, reading.title, figures(reading.facts), reading.trade)


def side(name: str) -> Side:
    """Return one vintage.

    Parameters
    ----------
    name
        A source's id, an import's, a file, a folder of chains, ``packaged``, or ``current``: packaged and
        imported.

    Raises
    ------
    UnknownName
        If it is none of these; the nearest right name of a source or an import is given.
    FactsError
        If a file is refused.

    Examples
    --------
    >>> side("usgs_mcs2026").name
    'usgs_mcs2026'
    """
    imports = {item.id: item for item in vintages()}
    folder = packaged()
    if name in imports:
        item = imports[name]
        facts = overlay_rows(item.id, item.chains)
        trade = None if item.trade is None else pl.read_parquet(item.trade)
        return _side(name, str(item.manifest.get("title", name)), figures(facts), trade)
    if name in (PACKAGED, CURRENT):
        facts = facts_of(folder.names(), folder if name == PACKAGED else None)
        return _side(name, say(f"data.diff_{name}"), _settled(figures(facts), published()), None)
    sources = packaged_sources()
    if name in sources:
        facts = facts_of(folder.names(), folder).filter(pl.col("source") == name)
        trade = trade_table().filter(pl.col("source") == name)
        return _side(name, sources[name]["citation"], figures(facts), trade)
    path = Path(name)
    if path.is_dir():
        own = Folder.at(path)
        days = {source: entry["published"] for source, entry in own.read_sources().items()}
        return _side(name, path.name, _settled(figures(facts_of(own.names(), own)), days), None)
    if path.is_file():
        return _of_reading(name, read_official(path).refuse(path))
    raise UnknownName("vintage", name, [*imports, *sources, PACKAGED, CURRENT])


def overlay_rows(id_: str, chains: Sequence[str]) -> pl.DataFrame:
    """Return the facts of one import with their chain."""
    frames = [
        overlay_facts(chain)
        .filter(pl.col("vintage") == id_)
        .select(*FACT_COLUMNS, pl.lit(chain).alias("chain"))
        for chain in chains
    ]
    return pl.concat(frames) if frames else facts_of(())


def compare(first: Side, second: Side, chains: Sequence[str] | None = None) -> pl.DataFrame:
    """Compare two vintages subject by subject.

    Parameters
    ----------
    first, second
        Vintages; ``ratio`` is the second's figure over the first's.
    chains
        Only these chains.

    Returns
    -------
    polars.DataFrame
        `DIFF_COLUMNS`, ``first, second, unit, ratio, difference`` (changed, only_first, only_second, same):
        changes by their size, the greatest first, then what only one has, then what is the same.

    Raises
    ------
    UnknownName
        If neither has anything of a chain asked for.

    Examples
    --------
    >>> one = side("packaged")
    >>> set(compare(one, one)["difference"])
    {'same'}
    """
    left, right = first.table, second.table
    if chains:
        known = [name for name in {*left["chain"].unique(), *right["chain"].unique()} if name is not None]
        for name in chains:
            if name not in known:
                raise UnknownName("chain", name, known)
        left, right = (table.filter(pl.col("chain").is_in(list(chains))) for table in (left, right))
    keys = [*DIFF_COLUMNS, "unit"]
    both = left.with_columns(here=pl.lit(value=True)).join(
        right.with_columns(there=pl.lit(value=True)),
        on=keys, how="full", coalesce=True, nulls_equal=True, suffix="_second",
    )  # fmt: skip
    one, two = pl.col("figure"), pl.col("figure_second")
    ratio = pl.when(one > 0, two.is_not_null()).then(two / one)
    near = ((one - two).abs() <= _EQUAL * pl.max_horizontal(one.abs(), two.abs())) | (
        one.is_null() & two.is_null()
    )
    found = both.with_columns(
        ratio=ratio,
        difference=pl.when(pl.col("there").is_null())
        .then(pl.lit("only_first"))
        .when(pl.col("here").is_null())
        .then(pl.lit("only_second"))
        .when(near.fill_null(value=False))
        .then(pl.lit("same"))
        .otherwise(pl.lit("changed")),
    )
    order = {"changed": 0, "only_first": 1, "only_second": 2, "same": 3}
    size = pl.when(pl.col("ratio") > 0).then(pl.col("ratio").log().abs()).otherwise(pl.lit(math.inf))
    return (
        found.with_columns(
            _order=pl.col("difference").replace_strict(order, return_dtype=pl.Int64),
            _size=pl.when(pl.col("difference") == "changed").then(size).otherwise(0.0),
        )
        .sort("_order", "_size", *DIFF_COLUMNS, descending=[False, True, *[False] * len(DIFF_COLUMNS)])
        .select(*DIFF_COLUMNS, pl.col("figure").alias("first"), pl.col("figure_second").alias("second"),
                "unit", "ratio", "difference")
    )  # fmt: skip


def known_trade() -> pl.DataFrame:
    """Return the packaged and imported table of trade."""
    return trade_table(tuple(overlay_trade()))
