"""Products that need several chains at once: what is in one, who makes it, who makes what is in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from monazite.core.errors import FactsError, UnknownName
from monazite.core.result import finish_table
from monazite.core.settings import data_folder
from monazite.core.text import say
from monazite.core.units import units
from monazite.facts.folder import packaged
from monazite.facts.problems import Problem, name_problem, problem
from monazite.facts.reading import read_table
from monazite.facts.records import chain_names, cited, read_records, refuse
from monazite.facts.rules import FACT_COLUMNS, Context, fact_problems, variables
from monazite.facts.table import KIND_ORDER, FactTable, load

__all__ = ["Products", "load_products", "product_problems", "product_sources", "product_table", "products"]

_CHOSEN = ("variable", "commodity", "activity", "place", "period")
_SHARES = ("made_share", "capacity_share")
_LEAST = 0.005  # share of the world's output below which a maker is not listed
_WORLD = "WLD"


@dataclass(frozen=True, eq=False)
class Products:
    """The packaged products.

    Attributes
    ----------
    products : polars.DataFrame
        ``product, name, counted, help``.
    facts : polars.DataFrame
        One row a fact that holds: the columns of a facts table in canonical units, the product in column
        ``activity``. Of figures that contradict each other the kind chooses, then the source published last.
    uses : polars.DataFrame
        ``product, commodity, activity``: which end use of a chain stands for a product.
    """

    products: pl.DataFrame
    facts: pl.DataFrame
    uses: pl.DataFrame


@lru_cache(maxsize=4)
def load_products(path: Path | None = None) -> Products:
    """Load and check the tables of products.

    Parameters
    ----------
    path
        A folder with ``products.csv, facts.csv, uses.csv`` in place of the packaged one.

    Raises
    ------
    FactsError
        If anything is wrong, with file, row and column.

    Examples
    --------
    >>> load_products().products.filter(pl.col("product") == "ai_server")["counted"].item()
    'server'
    """
    folder = data_folder() / "products" if path is None else path
    table, _ = read_records(folder / "products.csv", "products")
    names = table["product"].to_list()
    file = folder / "facts.csv"
    try:
        raw = read_table(file, FACT_COLUMNS)
    except OSError as error:
        raise FactsError("data.no_table", file=file, reason=error.strerror or str(error)) from error
    refuse(file, raw.problems)
    refuse(file, product_problems(raw.frame, names))
    uses, text = read_records(folder / "uses.csv", "uses", {"product": names})
    refuse(folder / "uses.csv", _use_problems(text))
    return Products(table, _typed(raw.frame.drop("row")), uses)


def product_problems(raw: pl.DataFrame, names: Iterable[str]) -> list[Problem]:
    """Name everything wrong with the facts of products.

    Parameters
    ----------
    raw
        Columns ``row`` and those of a facts table, as text.
    names
        The products.

    Returns
    -------
    list of Problem
        The rules of every facts table (`monazite.facts.rules.fact_problems`), and: contents on the basis of
        their commodity, ranges where a figure is assumed, shares of all places at most 100 %.
    """
    goods = {name: basis for name, (_, basis) in chain_names()["commodity"].items()}
    context = Context(goods, dict.fromkeys(names, "product"), {}, set(chain_names()["source"]))
    found = list(fact_problems(raw, context))
    own = variables().filter(pl.col("needs_activity")).join(_own_variables(), on="variable", how="semi")
    known = own["variable"].to_list()
    for row, given in raw.filter(~pl.col("variable").is_in(known)).select("row", "variable").iter_rows():
        if given is not None:
            found.append(name_problem(row, "variable", "variable", given, known))
    if found:
        return sorted(dict.fromkeys(found), key=lambda item: item.row or 0)
    content = raw.filter(pl.col("variable") == "content_per_unit")
    for row, commodity, basis in content.select("row", "commodity", "basis").iter_rows():
        if basis != goods[commodity]:
            values = {"given": basis, "commodity": commodity, "wanted": goods[commodity]}
            found.append(problem("basis_differs", row, "basis", **values))
    bare = raw.filter(
        pl.col("kind") == "assumed",
        pl.col("value").is_not_null(),
        pl.col("low").is_null() | pl.col("high").is_null(),
    )
    found += [problem("no_range", row, "low") for row in bare["row"].to_list()]
    factors = {name: unit.factor for name, unit in units().items()}
    number = pl.col("value").cast(pl.Float64) * pl.col("unit").replace_strict(
        factors, return_dtype=pl.Float64
    )
    sums = (
        raw.filter(pl.col("variable").is_in(_SHARES))
        .group_by("variable", "activity", "period", "source", maintain_order=True)
        .agg(number.sum().alias("total"), pl.col("row").max())
        .filter(pl.col("total") > 1 + 1e-9)
    )
    found += [
        problem("shares_above", row, "value", percent=100 * total, variable=variable)
        for variable, total, row in sums.select("variable", "total", "row").iter_rows()
    ]
    return sorted(found, key=lambda item: item.row or 0)


def products() -> pl.DataFrame:
    """Return the packaged products: ``product, name, counted, chains, commodities, facts, help``.

    Examples
    --------
    >>> products().filter(pl.col("product") == "industrial_motor")["name"].item()
    'Industrial motor'
    """
    loaded = load_products()
    chains = {name: chain for name, (chain, _) in chain_names()["commodity"].items()}
    counts = (
        loaded.facts.with_columns(
            chain=pl.col("commodity").replace_strict(chains, default=None, return_dtype=pl.String)
        )
        .group_by(product="activity")
        .agg(
            chains=pl.col("chain").drop_nulls().unique().sort().str.join(";"),
            commodities=pl.col("commodity").drop_nulls().n_unique(),
            facts=pl.len(),
        )
    )
    joined = loaded.products.join(counts, on="product", how="left", maintain_order="left")
    return joined.select("product", "name", "counted", "chains", "commodities", "facts", "help")


def product_table(product: str) -> pl.DataFrame:
    """Return what one product needs, who makes it, and who makes what it needs.

    Measures: ``content_per_unit, made, made_share, capacity_share, sold, installed, unit_price,
    value_added_per_unit, unit_mass`` as in the facts; ``need`` = content × the world's products of a year;
    ``need_share`` = need over the world's output of the commodity; ``maker_share`` = share of that output
    made at a place (column ``by``).

    Returns
    -------
    polars.DataFrame
        A result table (`monazite.core.result.TABLE_COLUMNS`, ``activity`` = the product, ``use`` = the end
        use of the chain that stands for it), with ``source`` (ids, ;-separated) and ``note`` besides.

    Raises
    ------
    UnknownName
        If there is no such product.

    Examples
    --------
    >>> table = product_table("industrial_motor")
    >>> row = table.row(by_predicate=(pl.col("measure") == "content_per_unit")
    ...     & (pl.col("commodity") == "ndfeb_magnet_heavy"), named=True)
    >>> row["value"], row["unit"], row["kind"]
    (0.6, 'kg/unit', 'assumed')
    """
    loaded = load_products()
    known = loaded.products["product"].to_list()
    if product not in known:
        raise UnknownName("product", product, known)
    facts = loaded.facts.filter(pl.col("activity") == product)
    uses = {row["commodity"]: row["activity"] for row in loaded.uses.to_dicts() if row["product"] == product}
    rows = [_stated(row, uses) for row in facts.iter_rows(named=True)]
    total = _world(facts)
    for row in facts.filter(pl.col("variable") == "content_per_unit").iter_rows(named=True):
        chain, _ = chain_names()["commodity"][row["commodity"]]
        made = _outputs(chain, row["commodity"])
        rows += _needed(row, total, made, uses)
        rows += _made(chain, row["commodity"], made)
    frame = pl.DataFrame(rows, schema=_SCHEMA)
    finished = finish_table(frame.drop("source", "note"))
    return finished.with_columns(frame["source"], frame["note"])


def product_sources(table: pl.DataFrame) -> pl.DataFrame:
    """Return the sources of a table of `product_table`, in the order of their first mention.

    Examples
    --------
    >>> product_sources(product_table("industrial_motor")).height > 0
    True
    """
    named = [name for cell in table["source"].drop_nulls().to_list() for name in cell.split(";")]
    return cited(named)


_SCHEMA: dict[str, Any] = {
    **dict.fromkeys(("measure", "chain", "stage", "commodity", "place", "by", "period"), pl.String),
    **dict.fromkeys(("value", "low", "high"), pl.Float64),
    **dict.fromkeys(("unit", "basis", "kind", "status", "activity", "use", "source", "note"), pl.String),
}


def _own_variables() -> pl.DataFrame:
    from monazite.core import schema

    rows = [row["variable"] for row in schema.table("variables") if row["activity_is"] == "product"]
    return pl.DataFrame({"variable": rows})


def _use_problems(text: pl.DataFrame) -> list[Problem]:
    """Check that commodity and end use are of one chain."""
    names = chain_names()
    return [
        problem("not_of_chain", row, "activity", given=activity, chain=names["activity"][activity][0])
        for row, commodity, activity in text.select("row", "commodity", "activity").iter_rows()
        if names["commodity"][commodity][0] != names["activity"][activity][0]
    ]


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    """Turn text into numbers in canonical units, and choose between figures that contradict each other."""
    factors = {name: unit.factor for name, unit in units().items()}
    published = {name: entry["published"] for name, entry in packaged().read_sources().items()}
    frame = frame.join(
        variables().select("variable", "canonical"), on="variable", how="left", maintain_order="left"
    ).with_columns(
        factor=pl.col("unit").replace_strict(factors, return_dtype=pl.Float64)
        / pl.col("canonical").replace_strict(factors, return_dtype=pl.Float64),
        rank=pl.col("kind").replace_strict(KIND_ORDER, range(len(KIND_ORDER)), return_dtype=pl.Int64),
        published=pl.col("source").replace_strict(published, return_dtype=pl.String),
        order=pl.int_range(pl.len()),
    )
    numbers = [pl.col(name).cast(pl.Float64) * pl.col("factor") for name in ("value", "low", "high")]
    return (
        frame.with_columns(*numbers, unit=pl.col("canonical"))
        .sort(pl.col("value").is_null(), "rank", "published", "order", descending=[False, False, True, False])
        .unique(_CHOSEN, keep="first", maintain_order=True)
        .sort("order")
        .select(FACT_COLUMNS)
    )


def _stated(row: dict[str, Any], uses: dict[str, str]) -> dict[str, Any]:
    """Return a fact as a row of the result."""
    commodity = row["commodity"]
    share = row["variable"] in _SHARES
    return {
        "measure": row["variable"],
        "chain": chain_names()["commodity"][commodity][0] if commodity else None,
        "stage": _stages().get(commodity),
        "place": None if share else row["place"],
        "by": row["place"] if share else None,
        "use": uses.get(commodity),
        **{name: row[name] for name in _SCHEMA if name in FACT_COLUMNS and name != "place"},
    }


@lru_cache(maxsize=1)
def _stages() -> dict[str | None, str]:
    folder = packaged()
    found: dict[str | None, str] = {}
    for chain in folder.names():
        path = folder.chains / chain / "commodities.csv"
        columns = ("commodity", "chain", "stage", "name", "basis", "unit", "element", "hs", "help")
        found |= dict(read_table(path, columns).frame.select("commodity", "stage").iter_rows())
    return found


def _world(facts: pl.DataFrame) -> dict[str, Any] | None:
    """Return the latest figure of how many products the world made in a year, None where there is none."""
    rows = facts.filter(
        pl.col("variable") == "made", pl.col("place") == _WORLD, pl.col("value").is_not_null()
    ).sort("period")
    return rows.row(-1, named=True) if rows.height else None


def _needed(
    row: dict[str, Any], total: dict[str, Any] | None, made: pl.DataFrame, uses: dict[str, str]
) -> list[dict[str, Any]]:
    """Return how much of a commodity the makers of a product need in a year, and of the world's output."""
    if total is None or row["value"] is None:
        return []
    low, value, high = (
        (row[name] if row[name] is not None else row["value"])
        * (total[name] if total[name] is not None else total["value"])
        / 1000.0
        for name in ("low", "value", "high")
    )
    kind = "assumed" if "assumed" in (row["kind"], total["kind"]) else "derived"
    source = ";".join(dict.fromkeys((row["source"], total["source"])))
    about = _stated(row, uses) | {"period": total["period"], "kind": kind, "source": source}
    about["note"] = say("data.note_need", count=total["value"], year=total["period"])
    found = [
        about | {"measure": "need", "place": _WORLD, "value": value, "low": low, "high": high, "unit": "t/yr"}
    ]
    if made.height:
        whole = float(made["whole"][0])
        found.append(
            about
            | {
                "measure": "need_share", "place": _WORLD, "value": value / whole, "low": low / whole,
                "high": high / whole, "unit": "1", "note": say("data.note_need_share", output=whole),
            }
        )  # fmt: skip
    return found


def _made(chain: str, commodity: str, made: pl.DataFrame) -> list[dict[str, Any]]:
    """Return who makes a commodity, as shares of the world's output."""
    listed = made.filter(pl.col("value") >= _LEAST * pl.col("whole"))
    return [
        {
            "measure": "maker_share", "chain": chain, "stage": _stages().get(commodity),
            "commodity": commodity, "by": item["place"], "period": item["period"],
            "value": item["value"] / item["whole"], "unit": "1", "kind": item["kind"], "status": "ok",
            "source": item["source"], "note": say("data.note_maker", output=item["whole"]),
            "basis": chain_names()["commodity"][commodity][1],
        }
        for item in listed.iter_rows(named=True)
    ]  # fmt: skip


@lru_cache(maxsize=64)
def _facts_of(chain: str) -> FactTable:
    return load([chain])


@lru_cache(maxsize=256)
def _outputs(chain: str, commodity: str) -> pl.DataFrame:
    """Return the output of a commodity by place: ``place, value, period, kind, source, whole``.

    Output of an activity times its coefficient; a published total of several activities that all make the
    commodity comes before their sum. ``whole`` is the sum, or a published total of the world that is larger.
    """
    table = _facts_of(chain)
    makers = dict(
        table.activities.filter(pl.col("reference") == commodity, pl.col("type") != "use")
        .select("activity", "type")
        .iter_rows()
    )
    frame = table.frame.filter(pl.col("value").is_not_null())
    gives = frame.filter(
        pl.col("variable") == "coefficient", pl.col("commodity") == commodity, pl.col("value") > 0
    )
    own = gives.filter(pl.col("place").is_not_null()).select("activity", "place", own="value")
    usual = gives.filter(pl.col("place").is_null()).select("activity", usual="value")
    out = (
        frame.filter(pl.col("variable") == "output", pl.col("activity").is_in(gives["activity"].to_list()))
        .join(own, on=["activity", "place"], how="left")
        .join(usual, on="activity", how="left")
        .with_columns(value=pl.col("value") * pl.coalesce("own", "usual"))
        .drop_nulls("value")
        .select("place", "value", "period", "kind", "source", rank=pl.lit(1))
    )
    totals = frame.filter(pl.col("variable") == "total_output")
    listed = pl.col("activity").str.split(";").list.eval(pl.element().str.strip_chars())
    totals = totals.filter(listed.list.eval(pl.element().is_in(list(makers))).list.all())
    # of totals of one place the one that speaks of most makers: others are parts of it
    totals = totals.with_columns(place=pl.col("place").fill_null(_WORLD), named=listed.list.len())
    totals = totals.filter(pl.col("named") == pl.col("named").max().over("place"))
    both = pl.concat(
        [out, totals.select("place", "value", "period", "kind", "source", rank=pl.lit(0))]
    ).with_columns(first=pl.col("rank").min().over("place"))
    summed = (
        both.filter(pl.col("rank") == pl.col("first"))
        .group_by("place", maintain_order=True)
        .agg(
            pl.col("value").sum(),
            pl.col("period").max(),
            kind=pl.when((pl.col("kind") == "assumed").any())
            .then(pl.lit("assumed"))
            .otherwise(pl.lit("derived")),
            source=pl.col("source").unique(maintain_order=True).str.join(";"),
        )
        .filter(pl.col("value") > 0)
    )
    world = summed.filter(pl.col("place") == _WORLD)["value"].sum()
    summed = summed.filter(pl.col("place") != _WORLD)
    whole = max(float(world), float(summed["value"].sum()))
    return summed.with_columns(whole=pl.lit(whole)).sort("value", "place", descending=[True, False])
