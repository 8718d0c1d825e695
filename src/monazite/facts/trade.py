"""Flows from customs lines: which lines of ``trade/trade.parquet`` are a commodity, and what they say.

A chain's ``lines.csv`` names the lines of its commodities. Their flows of a year become facts of ``trade``: a
line's tonnes times the part that is the commodity times its tonnes of the commodity's basis. Nothing is
dropped in silence:

- *several sources for one flow*: the reconciled table (BACI) before the importer's declaration before the
  exporter's; where both ends declare, the gap stays as the flow's range;
- *no weight, or a unit value more than ten times off the line's median*: the value divided by the median
  price stands for the weight, and the note says so with both figures;
- *a line that mixes stages*: a flow belongs to the commodity between whose unit values it lies;
- *small flows* (less than a thousandth of the commodity's trade) pass through the rest of the world, which
  keeps what each place sends and takes; *small places* are part of the rest of the world. What is then left
  below a hundred-thousandth of the commodity's trade (samples, kilograms) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import polars as pl

from monazite.core.range import NORMAL_80
from monazite.core.settings import data_folder
from monazite.core.text import say
from monazite.facts.citing import known_sources
from monazite.facts.folder import packaged
from monazite.facts.overlay import newest_trade
from monazite.facts.problems import Problem, name_problem, problem
from monazite.facts.rules import FACT_COLUMNS
from monazite.facts.sigma import relative_sigma
from monazite.facts.structure import columns_of

__all__ = [
    "LINES",
    "LINE_COLUMNS",
    "TRADE_COLUMNS",
    "line_problems",
    "trade_facts",
    "trade_table",
    "trade_years",
]

LINE_COLUMNS = columns_of("lines")
#: columns of the trade table: value in USD of the year, quantity in tonnes gross
TRADE_COLUMNS = columns_of("trade")

#: a unit value this many times off the median of its line is no unit value
OUTLIER = 10.0
#: a flow below this share of the commodity's trade passes through the rest of the world
SMALL_FLOW = 0.001
#: what is left of a pair below this share of the commodity's trade is left out
TRACE = 1e-5
#: a place below this share of the commodity's trade that no other fact names is part of the rest of the world
SMALL_PLACE = 0.01
#: standard deviation of the part of a mixed line that is the commodity, as a share
MIXED = 0.25
#: of several declarations of one flow the first of these stands
DECLARED = ("both", "importer", "exporter")

#: how the locator of a fact from customs lines begins
LINES = "lines "

_REST = "ROW"
_YEAR = re.compile(r"^(19|20|21)\d{2}$")
_NUMBERS = ("factor", "factor_low", "factor_high", "price_low", "price_high", "usd_per_kg", "share")


@lru_cache(maxsize=4)
def _read(paths: tuple[Path, ...]) -> pl.DataFrame:
    frames = [pl.read_parquet(path).select(TRADE_COLUMNS) for path in paths]
    if len(frames) == 1:
        return frames[0]
    about = known_sources(packaged())
    return newest_trade(pl.concat(frames), {name: entry["published"] for name, entry in about.items()})


def trade_table(more: Sequence[Path] = ()) -> pl.DataFrame:
    """Return the packaged trade table, and a user's own beside it (`TRADE_COLUMNS`).

    Examples
    --------
    >>> trade_table().filter(hs="260300", year=2024, exporter="CHL", importer="CHN")["source"].to_list()
    ['baci_hs92']
    """
    return _read((data_folder() / "trade" / "trade.parquet", *more))


def trade_years(lines: pl.DataFrame, trade: pl.DataFrame) -> set[int]:
    """Return the years in which every line that speaks of its own year has flows.

    Examples
    --------
    >>> lines = pl.DataFrame({"hs": ["260300"], "period": [None], "complete": ["yes"]})
    >>> 2024 in trade_years(lines, trade_table())
    True
    """
    own = lines.filter(pl.col("period").is_null(), pl.col("complete") == "yes")["hs"].unique().to_list()
    flows = trade.filter(pl.col("hs").is_in(own)).group_by("year").agg(pl.col("hs").n_unique())
    return {int(year) for year, count in flows.iter_rows() if count == len(own)}


def line_problems(
    frame: pl.DataFrame, commodities: Collection[str], sources: Collection[str]
) -> list[Problem]:
    """Name everything wrong with a chain's ``lines.csv`` (columns as text, and ``row``)."""
    found: list[Problem] = []
    codes = set(trade_table()["hs"].unique().to_list())
    for row in frame.iter_rows(named=True):
        at = int(row["row"])
        for column, known in (("commodity", commodities), ("source", sources), ("complete", ("yes", "no"))):
            if row[column] is None:
                found.append(problem("empty_cell", at, column, what=column))
            elif row[column] not in known:
                found.append(name_problem(at, column, column, row[column], known))
        if row["hs"] is None:
            if row["complete"] != "no":
                found.append(problem("empty_cell", at, "hs", what="hs"))
        elif row["hs"] not in codes:
            found.append(problem("no_line", at, "hs", given=row["hs"]))
        wrong = [c for c in _NUMBERS if row[c] is not None and not _positive(row[c])]
        found += [problem("number", at, column, given=row[column]) for column in wrong]
        if row["factor"] is None or row["share"] is None:
            found.append(problem("empty_cell", at, "factor", what="factor"))
        elif not wrong:
            found += _disorder(row, at)
        if row["period"] is not None and not _YEAR.match(row["period"]):
            found.append(problem("period", at, "period", given=row["period"]))
    names = [name for name in LINE_COLUMNS if name not in ("caveat", "source")]
    first = frame.with_columns(first=pl.col("row").min().over(names))
    twice = first.filter(pl.col("row") != pl.col("first")).select("row", "first").iter_rows()
    return found + [problem("duplicate", row, None, first=other) for row, other in twice]


def _disorder(row: Mapping[str, str | None], at: int) -> list[Problem]:
    """Figures of a line that are out of order: a factor outside its range, a share above 1."""
    value = {name: float(text) for name in _NUMBERS if (text := row[name]) is not None}
    found = []
    for first, second in (("factor_low", "factor"), ("factor", "factor_high"), ("price_low", "price_high")):
        if first in value and second in value and value[first] > value[second]:
            a, b = value[first], value[second]
            found.append(problem("disordered", at, first, first=first, a=a, second=second, b=b))
    if value["share"] > 1.0:
        found.append(problem("share_above", at, "share", percent=100.0 * value["share"]))
    return found


def _positive(text: str) -> bool:
    try:
        return 0.0 < float(text) < float("inf")
    except ValueError:
        return False


def trade_facts(
    lines: pl.DataFrame, year: int, named: Mapping[str, Collection[str]], trade: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Make facts of trade from a chain's lines.

    Parameters
    ----------
    lines
        `LINE_COLUMNS` as text.
    year
        Base year: the period of every fact made.
    named
        By commodity, the places where other facts of the chain have it made, taken or used: they are never
        merged into the rest of the world.
    trade
        `TRADE_COLUMNS`; the packaged table when absent.

    Returns
    -------
    polars.DataFrame
        `FACT_COLUMNS` as text, one row a flow, in t/yr of the commodity's basis (blank: the caller fills it).

    Examples
    --------
    >>> lines = pl.DataFrame([("copper", "260300", "0.25", "0.22", "0.28", None, None, None, "1", "yes", None,
    ...     "assumption", None)], schema=LINE_COLUMNS, orient="row")
    >>> made = trade_facts(lines, 2024, {"copper": {"CHL", "CHN"}})
    >>> made.filter(pl.col("place") == "CHL", pl.col("partner") == "CHN")["kind"].to_list()
    ['derived']
    """
    table = trade_table() if trade is None else trade
    lines = lines.with_columns(pl.col(name).cast(pl.Float64) for name in _NUMBERS).with_columns(
        year=pl.coalesce("period", pl.lit(str(year))).cast(pl.Int32)
    )
    flows = _flows(lines, table)
    if not flows.height:
        return pl.DataFrame(schema=dict.fromkeys(FACT_COLUMNS, pl.String))
    merged = _through_rest(_by_place(_summed(flows), named))
    return _as_facts(merged, year)


def _flows(lines: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """One row for each line and pair of places, its weight mended where it must be."""
    wanted = lines.select("hs", "year").unique()
    rows = table.with_columns(pl.col("year").cast(pl.Int32)).join(wanted, on=["hs", "year"])
    rows = rows.filter(pl.col("exporter") != pl.col("importer"))
    rank = {name: index for index, name in enumerate(DECLARED)}
    rows = rows.with_columns(rank=pl.col("reporter").replace_strict(rank, default=9, return_dtype=pl.Int32))
    pair = ["hs", "year", "exporter", "importer"]
    rows = rows.sort("rank", "source").group_by(pair, maintain_order=True).agg(
        pl.col("source", "value_usd", "quantity_t").first(),
        other=pl.col("quantity_t").drop_nulls().last(),
    ).sort(pair).with_columns(
        quantity_t=pl.when(pl.col("quantity_t") > 0.0).then("quantity_t")
    )  # fmt: skip
    joined = (
        lines.with_row_index("line")
        .join(rows, on=["hs", "year"], how="inner", suffix="_trade")
        .with_columns(unit_value=pl.col("value_usd") / (1000.0 * pl.col("quantity_t")))
    )
    inside = (
        pl.col("unit_value").is_null()
        | ((pl.col("unit_value") >= pl.col("price_low").fill_null(0.0))
        & (pl.col("unit_value") < pl.col("price_high").fill_null(float("inf"))))
    )  # fmt: skip
    mixed = pl.col("price_low").is_not_null() | pl.col("price_high").is_not_null()
    # without a weight no unit value tells which good it is: the first that states a price takes it
    priced = pl.col("unit_value").is_null() & mixed & pl.col("usd_per_kg").is_not_null()
    taker = pl.col("line") == pl.col("line").filter(pl.col("usd_per_kg").is_not_null()).min().over(pair)
    joined = joined.filter(inside & (pl.col("unit_value").is_not_null() | ~mixed | (priced & taker)))
    usual = pl.col("unit_value").sort_by("unit_value").filter(
        pl.col("quantity_t").sort_by("unit_value").cum_sum() >= 0.5 * pl.col("quantity_t").sum()
    ).first().over("commodity", "hs", "price_low")  # fmt: skip
    # USD per kg gross that a stated price of the commodity comes to
    stated = pl.col("usd_per_kg") * pl.col("factor") * pl.col("share")
    joined = joined.with_columns(usual=pl.coalesce(stated, usual))
    ratio = pl.col("unit_value") / pl.col("usual")
    # a few kilograms of a rare grade are dear and right: only what moves the total can mislead
    heavy = pl.max_horizontal("quantity_t", pl.col("value_usd") / (1000.0 * pl.col("usual")))
    heavy = heavy > 0.0005 * pl.col("quantity_t").sum().over("commodity", "hs", "price_low")
    odd = pl.col("quantity_t").is_null() | (((ratio > OUTLIER) | (ratio < 1.0 / OUTLIER)) & heavy)
    return joined.with_columns(
        odd=odd.fill_null(value=False) & pl.col("value_usd").is_not_null() & pl.col("usual").is_not_null(),
        declared=pl.col("quantity_t"),
    ).with_columns(
        quantity_t=pl.when("odd")
        .then(pl.col("value_usd") / (1000.0 * pl.col("usual")))
        .otherwise("quantity_t")
    ).filter(pl.col("quantity_t") > 0)  # fmt: skip


def _summed(flows: pl.DataFrame) -> pl.DataFrame:
    """Tonnes of the commodity by pair of places, with the standard deviation of each."""
    sigma = relative_sigma()
    factor = pl.col("factor") * pl.col("share")
    spread = (pl.col("factor_high") - pl.col("factor_low")).fill_null(0.0) / NORMAL_80
    grade = spread / pl.col("factor")
    late = pl.when(pl.col("period").is_not_null()).then(sigma["estimated"]).otherwise(sigma["trade"])
    mirror = (pl.col("other") - pl.col("declared")).abs().fill_null(0.0) / (2.0 * pl.col("quantity_t"))
    guess = pl.when("odd").then(sigma["assumed"]).otherwise(0.0)
    part = pl.when(pl.col("share") < 1.0).then(MIXED).otherwise(0.0)
    relative = (late**2 + grade**2 + mirror.clip(0.0, 1.0) ** 2 + guess**2 + part**2).sqrt()
    rows = flows.with_columns(tonnes=factor * pl.col("quantity_t"), relative=relative).with_columns(
        plain=(factor == 1.0) & ~pl.col("odd") & pl.col("period").is_null(),
        told=pl.when("odd").then(
            pl.struct("declared", "value_usd", "usual").map_elements(_odd_note, return_dtype=pl.String)
        ),
    )  # fmt: skip
    return rows.group_by("commodity", "exporter", "importer", maintain_order=True).agg(
        pl.col("tonnes").sum(),
        sd=(pl.col("tonnes") * pl.col("relative")).sum(),
        plain=pl.col("plain").all(),
        late=pl.col("period").is_not_null().any(),
        source=pl.col("source_trade").first(),
        lines=pl.col("hs").unique(maintain_order=True).str.join(", "),
        seen=pl.col("year").min(),
        told=pl.col("told").drop_nulls().first(),
        caveat=pl.col("caveat").drop_nulls().first(),
        gross=pl.col("quantity_t").sum(),
        count=pl.lit(1),
    )


def _odd_note(row: dict[str, float | None]) -> str:
    declared, usual = row["declared"], float(row["usual"] or 0.0)
    if declared is None:
        return say("data.trade_no_weight", usual=f"{usual:.4g}")
    return say("data.trade_odd", declared=f"{declared:.4g}", usual=f"{usual:.4g}",
               price=f"{float(row['value_usd'] or 0.0) / (1000.0 * declared):.4g}")  # fmt: skip


def _by_place(flows: pl.DataFrame, named: Mapping[str, Collection[str]]) -> pl.DataFrame:
    """Put places that are small in a commodity's trade into the rest of the world."""
    ends = pl.concat(
        [flows.select("commodity", "tonnes", place=pl.col(end)) for end in ("exporter", "importer")]
    )
    shares = ends.group_by("commodity", "place").agg(pl.col("tonnes").sum())
    shares = shares.with_columns(share=pl.col("tonnes") / (0.5 * pl.col("tonnes").sum().over("commodity")))
    large = shares.filter(pl.col("share") >= SMALL_PLACE).select("commodity", "place")
    stated = [(commodity, place) for commodity, places in named.items() for place in sorted(places)]
    stay = pl.concat([large, pl.DataFrame(stated, schema=large.schema, orient="row")]).unique()
    own = pl.concat_str("commodity", pl.lit("@"), "place")
    keys = stay.select(own.alias("key"))["key"].to_list()
    kept = [
        pl.when(pl.concat_str("commodity", pl.lit("@"), end).is_in(keys)).then(end)
        .otherwise(pl.lit(_REST)).alias(end)
        for end in ("exporter", "importer")
    ]  # fmt: skip
    moved = flows.with_columns(kept).filter(pl.col("exporter") != pl.col("importer"))
    return _merge(moved)


def _merge(flows: pl.DataFrame) -> pl.DataFrame:
    lone = pl.col("count").sum() == 1
    return flows.group_by("commodity", "exporter", "importer", maintain_order=True).agg(
        pl.col("tonnes", "sd", "count", "gross").sum(),
        pl.col("plain").all(),
        pl.col("late").any(),
        pl.col("source").first(),
        pl.col("lines").unique(maintain_order=True).str.join(", "),
        pl.col("seen").min(),
        pl.when(lone).then(pl.col("told").first()).alias("told"),
        pl.col("caveat").drop_nulls().first(),
    )


def _through_rest(flows: pl.DataFrame) -> pl.DataFrame:
    """Send small flows between named places through the rest of the world."""
    small = pl.col("tonnes") < SMALL_FLOW * pl.col("tonnes").sum().over("commodity")
    direct = (pl.col("exporter") != _REST) & (pl.col("importer") != _REST)
    flows = flows.with_columns(small=small & direct)
    out = flows.filter("small").with_columns(importer=pl.lit(_REST))
    back = flows.filter("small").with_columns(exporter=pl.lit(_REST))
    both = pl.concat([flows.filter(~pl.col("small")), out, back]).drop("small")
    merged = _merge(both).sort("commodity", "exporter", "importer")
    return merged.filter(pl.col("tonnes") >= TRACE * pl.col("tonnes").sum().over("commodity"))


def _as_facts(flows: pl.DataFrame, year: int) -> pl.DataFrame:
    """Write flows as rows of a facts table."""
    wide = ~pl.col("plain") | (pl.col("sd") > 1.0001 * relative_sigma()["trade"] * pl.col("tonnes"))
    half = 0.5 * NORMAL_80 * pl.col("sd")
    texts = {
        "value": pl.col("tonnes"),
        "low": pl.when(wide).then((pl.col("tonnes") - half).clip(0.0)),
        "high": pl.when(wide).then(pl.col("tonnes") + half),
    }
    plain = pl.col("plain") & (pl.col("count") == 1)
    kind = pl.when("late").then(pl.lit("estimated")).when(plain).then(pl.lit("reported"))
    flows = flows.with_columns(factor=pl.col("tonnes") / pl.col("gross"))
    notes = pl.struct("count", "factor", "late", "seen", "told", "caveat", "lines")
    return flows.select(
        pl.lit("trade").alias("variable"),
        "commodity",
        pl.lit(None, pl.String).alias("activity"),
        pl.col("exporter").alias("place"),
        pl.col("importer").alias("partner"),
        pl.lit(str(year)).alias("period"),
        *(figure.round_sig_figs(6).cast(pl.String).alias(name) for name, figure in texts.items()),
        pl.lit("t/yr").alias("unit"),
        pl.lit(None, pl.String).alias("basis"),
        kind.otherwise(pl.lit("derived")).alias("kind"),
        pl.lit("ok").alias("status"),
        "source",
        pl.concat_str(pl.lit(LINES), "lines", pl.lit(", "), pl.col("seen").cast(pl.String)).alias("locator"),
        notes.map_elements(_note, return_dtype=pl.String).alias("note"),
    ).select(FACT_COLUMNS)


def _note(row: dict[str, object]) -> str:
    parts = []
    if abs(float(str(row["factor"])) - 1.0) > 1e-9:
        parts.append(say("data.trade_factor", factor=f"{float(str(row['factor'])):.4g}"))
    if int(str(row["count"])) > 1:
        parts.append(say("data.trade_several", count=row["count"]))
    if row["late"]:
        parts.append(say("data.trade_late", year=row["seen"]))
    parts += [str(row[name]) for name in ("told", "caveat") if row[name]]
    return "; ".join(parts)
