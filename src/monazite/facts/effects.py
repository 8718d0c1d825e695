"""What an import does: which figures are new, change or contradict another source, and which of two holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from monazite.core.text import say
from monazite.facts.chain import context_of
from monazite.facts.folder import packaged
from monazite.facts.overlay import family
from monazite.facts.readers.customs import TradeReading, packaged_sources, wanted_lines
from monazite.facts.readers.own import OwnReading
from monazite.facts.readers.reading import Reading
from monazite.facts.reading import read_table
from monazite.facts.rules import FACT_COLUMNS, SUBJECT, fact_problems
from monazite.facts.structure import ACTIVITY_COLUMNS, COMMODITY_COLUMNS
from monazite.facts.table import load, years
from monazite.facts.trade import DECLARED, LINES
from monazite.facts.vintages import KEY, facts_of, figures, known_trade, published, rank

__all__ = ["EFFECTS", "Effect", "effect_of", "facts_to_write"]

#: what becomes of a figure: nobody had it; its source or an earlier vintage of it had another, or the same;
#: another source says something else, or the same; the file has no figure where another has one
EFFECTS = ("new", "changed", "same", "contradicts", "agrees", "silent")

_EQUAL = 1e-6
_REST = "ROW"
_FACT_SCHEMA: Mapping[str, pl.DataType] = {
    "effect": pl.String(),
    **{name: pl.String() for name in KEY},
    "value": pl.Float64(),
    "unit": pl.String(),
    "kind": pl.String(),
    "status": pl.String(),
    "source": pl.String(),
    "other_value": pl.Float64(),
    "other_source": pl.String(),
    "ratio": pl.Float64(),
    "chosen": pl.String(),
    "row": pl.Int64(),
}
_TRADE_KEY = ("hs", "year", "exporter", "importer", "reporter")


@dataclass(frozen=True, eq=False)
class Effect:
    """What an import would do.

    Attributes
    ----------
    facts : polars.DataFrame
        One row a fact of the file: ``effect``, subject, ``value`` in the canonical unit, ``kind, status``,
        ``source``; the figure it meets (``other_value, other_source``) and how many times that it is
        (``ratio``); the source whose figure will be ``chosen`` for the subject; ``row`` in the file.
    trade : polars.DataFrame
        One row a chain, customs line and year: ``flows`` in the file, how many are ``new, changed, same``,
        how many ``gone`` of an earlier vintage, how many ``apart``: more than a tenth off another source's;
        ``tonnes`` and ``tonnes_before`` of the earlier vintage.
    left_out : polars.DataFrame
        ``reason, rows``: what is left out.
    unfit : dict
        Facts of the file that do not fit their chain, and so are left out: place among the facts to the
        reason.
    """

    facts: pl.DataFrame
    trade: pl.DataFrame
    left_out: pl.DataFrame
    unfit: Mapping[int, str]

    def chains(self) -> pl.DataFrame:
        """Return one row a chain: how many facts have each effect, how many flows there are."""
        counts = self.facts.group_by("chain").agg(
            *((pl.col("effect") == name).sum().cast(pl.Int64).alias(name) for name in EFFECTS),
            wins=((pl.col("effect") == "contradicts") & (pl.col("chosen") == pl.col("source")))
            .sum()
            .cast(pl.Int64),
        )
        flows = self.trade.group_by("chain").agg(
            flows=pl.col("flows").sum(),
            new_flows=pl.col("new").sum(),
            changed_flows=pl.col("changed").sum(),
            gone_flows=pl.col("gone").sum(),
        )
        joined = counts.join(flows, on="chain", how="full", coalesce=True).fill_null(0)
        return joined.sort("chain")


def effect_of(reading: Reading) -> Effect:
    """Compare a reading with everything known.

    Parameters
    ----------
    reading
        What a file says; one with problems has no effect.
    """
    facts = reading.facts.with_row_index("at")
    unfit = _unfit(facts)
    if not isinstance(reading, OwnReading):
        unfit = _other_rest(facts) | unfit
    kept = facts.filter(~pl.col("at").is_in(sorted(unfit)))
    return Effect(_facts(kept, reading), _trade(reading), _left_out(reading, unfit), unfit)


def _unfit(facts: pl.DataFrame) -> dict[int, str]:
    """Facts that the loader would refuse: the first rule that each breaks."""
    folder = packaged()
    sources = [*packaged_sources(), *facts["source"].drop_nulls().unique().to_list()]
    found: dict[int, str] = {}
    for chain in facts["chain"].unique().sort().to_list():
        home = folder.chains / chain
        goods = read_table(home / "commodities.csv", COMMODITY_COLUMNS).frame
        context = context_of(goods, read_table(home / "activities.csv", ACTIVITY_COLUMNS).frame, sources)
        rows = facts.filter(pl.col("chain") == chain).select(pl.col("at").alias("row"), *FACT_COLUMNS)
        for item in fact_problems(rows, context):
            found.setdefault(int(item.row or 0), item.message)
    return found


def _other_rest(facts: pl.DataFrame) -> dict[int, str]:
    """Facts of the rest of the world, where the chain's own rest leaves out other states than the file's.

    A publisher's "other countries" are those that it does not list. They are the chain's rest only where the
    chain took them from the same publisher, for that year or, where it has no rest in that year, for another;
    or where it has nothing on the matter.
    """
    about = ["chain", "variable", "commodity", "activity"]
    kin = pl.col("source").map_elements(family, return_dtype=pl.String).alias("kin")
    known = facts_of(facts["chain"].unique().sort().to_list()).with_columns(kin)
    rest = known.filter(pl.col("place") == _REST)
    own = facts.filter(pl.col("place") == _REST).with_columns(kin)
    dated = own.join(
        rest.select(*about, "period").unique(), on=[*about, "period"], how="semi", nulls_equal=True
    )
    undated = own.join(dated.select("at"), on="at", how="anti")
    strange = [
        dated.join(rest, on=[*about, "period", "kin"], how="anti", nulls_equal=True),
        undated.join(rest, on=[*about, "kin"], how="anti", nulls_equal=True).join(
            known, on=about, how="semi", nulls_equal=True
        ),
    ]
    return dict.fromkeys(pl.concat(strange)["at"].to_list(), say("data.left_rest"))


def _facts(facts: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    days = published()
    if reading.source_entry is not None:
        days = {reading.source: reading.source_entry["published"]} | days
    if isinstance(reading, OwnReading):
        days = {name: entry["published"] for name, entry in reading.sources.items()} | days
    known: dict[tuple[object, ...], list[dict[str, object]]] = {}
    for row in figures(facts_of(facts["chain"].unique().sort().to_list())).iter_rows(named=True):
        known.setdefault(tuple(row[name] for name in KEY), []).append(row)
    for row in _line_flows(facts):
        known.setdefault(tuple(row[name] for name in KEY), []).append(row)
    made = []
    for row in figures(facts).iter_rows(named=True):
        key = tuple(row[name] for name in KEY)
        day = days.get(row["source"], "")
        others = known.get(key, [])
        effect, other = _meets(row, others)
        rivals = [
            (
                rank(_number(item["figure"]), str(item["kind"]), days.get(str(item["source"]), "")),
                item["source"],
            )
            for item in others
            if item["source"] != row["source"]
        ]
        best = min(rivals, key=lambda pair: pair[0], default=None)
        wins = best is None or rank(row["figure"], row["kind"], day) < best[0]
        value, against = row["figure"], None if other is None else _number(other["figure"])
        made.append(
            (
                *(effect, *key, value, row["canonical"], row["kind"], row["status"], row["source"]),
                *(against, None if other is None else other["source"]),
                value / against if value is not None and against else None,
                row["source"] if wins or best is None else best[1],
                row["row"],
            )
        )
    return pl.DataFrame(made, schema=dict(_FACT_SCHEMA), orient="row")


def _line_flows(facts: pl.DataFrame) -> list[dict[str, object]]:
    """Flows that the loader makes from customs lines, where the file says something of such a flow."""
    flows = facts.filter(pl.col("variable") == "trade", pl.col("period").str.contains(r"^\d{4}$"))
    found: list[dict[str, object]] = []
    for chain, period in flows.select("chain", "period").unique(maintain_order=True).iter_rows():
        if int(period) in years(chain):
            table = load([chain], int(period))
            every = pl.concat([table.frame, table.losers])
            made = every.filter(pl.col("variable") == "trade", pl.col("locator").str.starts_with(LINES))
            found += made.with_columns(figure=pl.col("value"), canonical=pl.col("unit")).to_dicts()
    return found


def _number(value: object) -> float | None:
    return value if isinstance(value, float) else None


def _meets(
    row: Mapping[str, object], others: Sequence[Mapping[str, object]]
) -> tuple[str, Mapping[str, object] | None]:
    """Return the effect of a fact, and which of the known ones it is compared with."""
    if not others:
        return "new", None
    own = str(row["source"])
    kin = [item for item in others if family(str(item["source"])) == family(own)]
    other = next((item for item in kin if item["source"] == own), None)
    other = other or max(kin, key=lambda item: str(item["source"]), default=None)
    related = other is not None
    if other is None:
        other = next((item for item in others if item["figure"] is not None), others[0])
    here, there = _number(row["figure"]), _number(other["figure"])
    if here is None and there is not None:
        return "silent", other
    if here is not None and there is None:
        return "changed" if related else "new", other
    same = here is None or (there is not None and abs(here - there) <= _EQUAL * max(abs(here), abs(there)))
    if related and same and here is not None and str(row["kind"]) != str(other["kind"]):
        return "changed", other  # the figure stays and how it was come by does not: another may now be chosen
    return ("same" if same else "changed") if related else ("agrees" if same else "contradicts"), other


def _trade(reading: Reading) -> pl.DataFrame:
    names = ("flows", "new", "changed", "same", "gone", "apart")
    schema = {"chain": pl.String(), "hs": pl.String(), "year": pl.Int32(), **dict.fromkeys(names, pl.Int64())}
    schema |= {"tonnes": pl.Float64(), "tonnes_before": pl.Float64()}
    if reading.trade is None or not reading.trade.height:
        return pl.DataFrame(schema=schema)
    own = reading.trade.select(*_TRADE_KEY, "value_usd", "quantity_t")
    known = known_trade().with_columns(pl.col("year").cast(pl.Int32)).join(
        own.select("hs", "year").unique(), on=["hs", "year"], how="semi"
    )  # fmt: skip
    kin = {name for name in known["source"].unique().to_list() if family(name) == family(reading.source)}
    before = _before(known.filter(pl.col("source").is_in(sorted(kin))), own)
    others = known.filter(~pl.col("source").is_in(sorted(kin)))
    both = own.with_columns(here=pl.lit(value=True)).join(
        before.with_columns(there=pl.lit(value=True)),
        on=_TRADE_KEY, how="full", coalesce=True, suffix="_before",
    )  # fmt: skip
    same = pl.all_horizontal(*(_near(name, f"{name}_before") for name in ("value_usd", "quantity_t")))
    here, there = pl.col("here").is_not_null(), pl.col("there").is_not_null()
    pair = ["hs", "year", "exporter", "importer"]
    met = own.join(others.select(*pair, "quantity_t"), on=pair, suffix="_other").filter(
        (pl.col("quantity_t") / pl.col("quantity_t_other")).log().abs() > 0.1
    )
    apart = met.unique(_TRADE_KEY).group_by("hs", "year").agg(apart=pl.len())
    counted = both.group_by("hs", "year").agg(
        flows=here.sum(),
        new=(here & ~there).sum(),
        changed=(here & there & ~same).sum(),
        same=(here & there & same).sum(),
        gone=(~here).sum(),
        tonnes=pl.col("quantity_t").sum(),
        tonnes_before=pl.when(there.any()).then(pl.col("quantity_t_before").sum()),
    )
    chains = [(line, chain) for line, owners in wanted_lines().items() for chain in owners]
    lines = pl.DataFrame(chains, schema={"hs": pl.String, "chain": pl.String}, orient="row")
    found = counted.join(apart, on=["hs", "year"], how="left").join(lines, on="hs", how="left")
    found = found.with_columns(pl.col("apart").fill_null(0)).cast(dict.fromkeys(names, pl.Int64()))
    return found.select(*schema).sort("chain", "hs", "year")


def _before(kin: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """Return what an earlier vintage says of the file's lines and years: of declarations, its states'."""
    declarer = (
        pl.when(pl.col("reporter") == DECLARED[0])
        .then(pl.lit(""))
        .when(pl.col("reporter") == DECLARED[1])
        .then("importer")
        .otherwise("exporter")
    )
    speaks = ["hs", "year", "reporter", "declarer"]
    told = own.with_columns(declarer=declarer).select(speaks).unique()
    rows = kin.with_columns(declarer=declarer).join(told, on=speaks, how="semi")
    return rows.sort("source").unique(_TRADE_KEY, keep="last").select(*_TRADE_KEY, "value_usd", "quantity_t")


def _near(one: str, other: str) -> pl.Expr:
    """Whether two figures are equal as far as they are written: US dollars whole, tonnes to the kilogram."""
    a, b = pl.col(one), pl.col(other)
    near = (a - b).abs() <= 1e-3 + _EQUAL * pl.max_horizontal(a.abs(), b.abs())
    return near.fill_null(value=False) | (a.is_null() & b.is_null())


def _left_out(reading: Reading, unfit: Mapping[int, str]) -> pl.DataFrame:
    if isinstance(reading, TradeReading):
        counts = dict(reading.left)
    else:
        counts = dict(reading.other.group_by("reason").len().iter_rows())
    skipped = reading.skipped.with_columns(pl.col("reason").str.replace_all(r"\brow \d+", "another row"))
    for reason, count in skipped.group_by("reason").len().iter_rows():
        counts[reason] = counts.get(reason, 0) + count
    for reason in unfit.values():
        text = reason if reason == say("data.left_rest") else say("data.left_unfit", reason=reason)
        counts[text] = counts.get(text, 0) + 1
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return pl.DataFrame(rows, schema={"reason": pl.String, "rows": pl.Int64}, orient="row")


def facts_to_write(reading: Reading, effect: Effect) -> dict[str, pl.DataFrame]:
    """Return the facts of an import by chain, those that do not fit left out."""
    facts = reading.facts.with_row_index("at").filter(~pl.col("at").is_in(sorted(effect.unfit)))
    subject = ["variable", *SUBJECT, "source"]
    return {
        str(chain): part.unique(subject, keep="first", maintain_order=True).select(FACT_COLUMNS)
        for (chain,), part in facts.group_by("chain", maintain_order=True)
    }
