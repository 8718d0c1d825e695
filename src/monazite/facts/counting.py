"""All facts of some chains in all years, each with its stage and how it is known: what coverage counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from monazite.core.cache import code_hash, kept
from monazite.core.manifest import content_hash
from monazite.core.units import units
from monazite.facts.chain import ChainTables, read_chain
from monazite.facts.citing import known_sources
from monazite.facts.corrections import read_corrections
from monazite.facts.folder import SOURCE_FIELDS, Folder, packaged
from monazite.facts.overlay import overlay_key
from monazite.facts.rules import FACT_COLUMNS, SUBJECT
from monazite.facts.table import KIND_ORDER, content_key
from monazite.facts.trade import trade_table

__all__ = ["KNOWN", "QUANTITIES", "Counted", "count"]

#: how a figure is known, the best first
KNOWN = ("reported", "derived", "estimated", "assumed", "modelled", "withheld", "missing", "not_applicable")
#: variables that say how much is made, moved or used; the others are prices and properties
QUANTITIES = (
    "output", "total_output", "capacity", "trade", "total_exports", "total_imports", "use", "use_share",
    "total_use",
)  # fmt: skip

_SPOKEN = {
    "withheld": "withheld", "missing": "missing", "insufficient": "missing",
    "not_applicable": "not_applicable",
}  # fmt: skip
_MEASURED = ("output", "use")
_SLACK = 0.02  # a world total so much above the sum of its parts leaves a part that nobody names


@dataclass(frozen=True, eq=False)
class Counted:
    """All facts of some chains.

    Attributes
    ----------
    chains : tuple of str
    facts : polars.DataFrame
        `FACT_COLUMNS` as text, then ``chain, stage, year, known, cited, number`` (the figure in the
        variable's unit).
    stages : polars.DataFrame
        ``chain, stage``: what the chains' commodities and activities have.
    tonnes : polars.DataFrame
        ``chain, stage, period, basis, commodity, known, tonnes``: outputs, or uses of an end use, that hold.
    sources : polars.DataFrame
        `SOURCE_FIELDS`, ``chains`` and ``facts`` of each source cited.
    years : list of str
        Years with outputs.
    base : dict of str to str
        Latest base year of each chain that has one.
    content_hash : str
    """

    chains: tuple[str, ...]
    facts: pl.DataFrame
    stages: pl.DataFrame
    tonnes: pl.DataFrame
    sources: pl.DataFrame
    years: list[str]
    base: dict[str, str]
    content_hash: str


def count(chains: tuple[str, ...] | None = None) -> Counted:
    """Read every fact of some chains, what a user imported among them; each set of chains once.

    Parameters
    ----------
    chains
        All packaged ones but the toy when none is named.

    Raises
    ------
    UnknownName
        If there is no such chain.
    FactsError
        If a table cannot be read.

    Examples
    --------
    >>> count(("toy",)).years
    ['2024']
    """
    folder = packaged()
    return _kept(folder, folder.choose(chains), overlay_key())


@lru_cache(maxsize=8)
def _kept(folder: Folder, chosen: tuple[str, ...], _overlay: str) -> Counted:
    inputs = content_key(chosen, path=folder.chains.parent)
    key = content_hash(inputs, code_hash(Path(__file__).parent))
    return kept(f"coverage/{key}.pickle", Counted, lambda: _count(folder, chosen, inputs))


def _count(folder: Folder, chosen: tuple[str, ...], inputs: str) -> Counted:
    sources = known_sources(folder)
    corrections = read_corrections(folder.corrections)
    facts, stages = [], []
    base: dict[str, str] = {}
    for name in chosen:
        tables = read_chain(folder, name, sources, corrections)
        own = pl.concat([tables.facts.select(FACT_COLUMNS), *_flows(tables)])
        if tables.years:
            base[name] = str(tables.years[-1])
        facts.append(_placed(own, name, tables.commodities, tables.activities))
        both = [tables.commodities.select("stage"), tables.activities.select("stage")]
        stages.append(pl.concat(both).unique().select(chain=pl.lit(name), stage="stage"))
    frame = pl.concat(facts).with_columns(cited=pl.col("source").is_in(list(sources)))
    made = frame.filter(pl.col("variable") == "output")["year"].drop_nulls().unique().sort().to_list()
    return Counted(
        chosen,
        frame,
        pl.concat(stages).drop_nulls(),
        _tonnes(_winners(frame, sources)),
        _sources(frame, sources),
        made,
        base,
        inputs,
    )


def _flows(tables: ChainTables) -> list[pl.DataFrame]:
    """Facts of trade from customs lines, for the years in which the chain's outputs are known.

    A line that lets an earlier year's flows stand for the base year's does so in the latest base year alone.
    """
    if not tables.lines.height:
        return []
    made = tables.facts.filter(pl.col("variable") == "output")["period"].drop_nulls().unique().to_list()
    declared = trade_table().filter(pl.col("hs").is_in(tables.lines["hs"].unique().to_list()))
    seen = set(declared["year"].cast(pl.String).unique().to_list())
    base = str(max(tables.years, default=""))
    found = []
    for year in sorted(set(made) & seen):
        flows = tables.of_year(int(year)).filter(pl.col("fact_id") >= tables.facts.height)
        if year != base:
            flows = flows.filter(pl.col("locator").str.ends_with(year))
        found.append(flows.select(FACT_COLUMNS))
    return found


def _placed(facts: pl.DataFrame, name: str, goods: pl.DataFrame, doings: pl.DataFrame) -> pl.DataFrame:
    """Say of each fact its chain, stage, year, how it is known, and its figure as a number."""
    stage_of = dict(goods.select("commodity", "stage").iter_rows())
    stage_by = dict(doings.select("activity", "stage").iter_rows())
    reference = dict(doings.select("activity", "reference").iter_rows())
    factors = {unit: about.factor for unit, about in units().items()}
    first = {
        column: pl.col(column).str.split(";").list.first().str.strip_chars()
        for column in ("activity", "commodity")
    }
    doing = first["activity"].replace_strict(stage_by, default=None, return_dtype=pl.String)
    good = first["commodity"].replace_strict(stage_of, default=None, return_dtype=pl.String)
    known = pl.col("status").replace_strict(_SPOKEN, default=None, return_dtype=pl.String)
    silent = pl.when(pl.col("value").is_null()).then(pl.lit("missing"))
    return facts.with_columns(
        chain=pl.lit(name),
        stage=pl.coalesce(doing, good),
        year=pl.col("period").str.slice(0, 4),
        known=pl.coalesce(known, silent, "kind"),
        reference=first["activity"].replace_strict(reference, default=None, return_dtype=pl.String),
        number=pl.col("value").cast(pl.Float64, strict=False)
        * pl.col("unit").replace_strict(factors, default=None, return_dtype=pl.Float64),
    )


def _winners(facts: pl.DataFrame, sources: dict[str, dict[str, str]]) -> pl.DataFrame:
    """Of the figures of one subject in a whole year the one that holds; ``rank`` says of which kind it is."""
    published = {name: entry["published"] for name, entry in sources.items()}
    wanted = [*_MEASURED, "total_output"]
    rows = facts.filter(pl.col("variable").is_in(wanted), pl.col("period").str.len_chars() == 4)
    rank = {name: index for index, name in enumerate(KIND_ORDER)}
    ranked = rows.with_columns(
        rank=pl.col("kind").replace_strict(rank, default=9, return_dtype=pl.Int64),
        published=pl.col("source").replace_strict(published, default="", return_dtype=pl.String),
    ).sort(
        pl.col("number").is_null(), "rank", "published", descending=[False, False, True], maintain_order=True
    )
    ranked = ranked.unique(["chain", "variable", *SUBJECT], keep="first", maintain_order=True)
    told = pl.col("activity").str.split(";").list.eval(pl.element().str.strip_chars())
    good = pl.when(pl.col("variable") == "use").then("commodity").otherwise("reference")
    return ranked.with_columns(told=told, commodity=good).filter(
        pl.col("number") > 0, pl.col("commodity").is_not_null()
    )


def _tonnes(winners: pl.DataFrame) -> pl.DataFrame:
    """Tonnes of each good by how they are known; what a world total has beyond its parts nobody names."""
    keys = ["chain", "stage", "period", "basis", "commodity"]
    total = pl.col("variable") == "total_output"
    world = pl.col("place").is_null() | (pl.col("place") == "WLD")
    rows = _better(winners.filter(~total), winners.filter(total & ~world))
    parts = rows.group_by(*keys, "known").agg(tonnes=pl.col("number").sum())
    sums = parts.group_by(keys).agg(pl.col("tonnes").sum())
    made = rows.filter(pl.col("variable") != "use")
    makers = made.group_by(keys).agg(makers=pl.col("told").explode().unique())
    whole = winners.filter(total & world).select(*keys, "number", "told").join(makers, on=keys)
    whole = whole.filter(pl.col("makers").list.set_difference("told").list.len() == 0)
    whole = whole.group_by(keys).agg(pl.col("number").min()).join(sums, on=keys)
    rest = whole.filter(pl.col("number") > (1 + _SLACK) * pl.col("tonnes"))
    rest = rest.select(*keys, known=pl.lit("missing"), tonnes=pl.col("number") - pl.col("tonnes"))
    return pl.concat([parts, rest.select(parts.columns)])


def _better(rows: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """Let a place's total stand for the outputs of one stage that it sums, where it is known better."""
    if totals.is_empty():
        return rows
    totals = totals.with_row_index("total")
    where = ["chain", "stage", "period", "basis", "place"]
    listed = totals.select("total", *where, activity="told", least="rank", count=pl.col("told").list.len())
    listed = listed.explode("activity")
    parts = rows.filter(pl.col("variable") == "output").select(*where, "activity", "rank")
    found = listed.join(parts, on=[*where, "activity"])
    good = found.group_by("total").agg(pl.len(), pl.col("rank").max(), pl.col("least", "count").first())
    good = good.filter(pl.col("least") < pl.col("rank")).sort("count", "total", descending=[True, False])
    replaced = found.join(good.select("total", order=pl.int_range(pl.len())), on="total").sort("order")
    taken = replaced.unique([*where, "activity"], keep="first", maintain_order=True)
    kept = rows.join(taken.select(*where, "activity"), on=[*where, "activity"], how="anti")
    return pl.concat([kept, totals.filter(pl.col("total").is_in(taken["total"].to_list())).drop("total")])


def _sources(facts: pl.DataFrame, sources: dict[str, dict[str, str]]) -> pl.DataFrame:
    counts = facts.group_by("source").agg(
        facts=pl.len(), chains=pl.col("chain").unique().sort().str.join(", ")
    )
    told = pl.DataFrame(
        [{"source": name, **entry} for name, entry in sources.items()],
        schema=dict.fromkeys(("source", *SOURCE_FIELDS, "file"), pl.String),
    )
    return told.join(counts, on="source").sort("source")
