"""Figures of two sources on one thing that differ, and the entries of data/differences.csv that say why."""

from __future__ import annotations

import polars as pl

from monazite.core.settings import data_folder
from monazite.facts.counting import Counted, count

__all__ = ["COLUMNS", "LIMIT", "entries", "explained_by", "pairs", "totals", "unexplained"]

#: columns of data/differences.csv
COLUMNS = ("chain", "variable", "activity", "commodity", "place", "period", "sources", "ratio", "reason")
#: figures further apart than this share of the larger need an entry
LIMIT = 0.10
#: kinds that are somebody's statement about the world: what is assumed or computed contradicts nobody
_STATED = ("reported", "estimated", "derived")
_SUBJECT = ("chain", "variable", "activity", "commodity", "place", "partner", "period")


def entries() -> pl.DataFrame:
    """Return the entries, blank cells as null: blank activity, place, period or sources stand for all."""
    path = data_folder() / "differences.csv"
    if not path.is_file():
        return pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))
    return pl.read_csv(path, infer_schema_length=0)


def pairs(counted: Counted | None = None) -> pl.DataFrame:
    """Return the subjects on which two sources of one basis differ by more than `LIMIT`.

    Columns: ``chain, variable, activity, commodity, place, partner, period, sources, figures, ratio``.
    """
    frame = (count(None) if counted is None else counted).facts
    stated = frame.filter(
        pl.col("kind").is_in(_STATED),
        pl.col("number").is_not_null(),
        pl.col("variable").is_in(["output", "total_output", "price", "trade", "use", "capacity"]),
        ~pl.col("source").is_in(["assumption", "definition", "stoichiometry"]),
    )
    groups = stated.sort("source").group_by(*_SUBJECT, "basis", maintain_order=True).agg(
        low=pl.col("number").min(),
        high=pl.col("number").max(),
        sources=pl.col("source").str.join("; "),
        figures=pl.col("number").round_sig_figs(4).cast(pl.String).str.join("; "),
        count=pl.col("source").n_unique(),
    )  # fmt: skip
    apart = groups.filter(pl.col("count") > 1, pl.col("low") < (1 - LIMIT) * pl.col("high"))
    ratio = pl.when(pl.col("low") > 0).then(pl.col("high") / pl.col("low"))
    return apart.select(*_SUBJECT, "sources", "figures", ratio=ratio.round(2)).sort(_SUBJECT)


def totals(counted: Counted | None = None) -> pl.DataFrame:
    """Return the world totals that differ from the sum of their parts by more than `LIMIT`."""
    made = (count(None) if counted is None else counted).facts.filter(pl.col("number").is_not_null())
    rank = {"reported": 0, "derived": 1, "estimated": 2, "assumed": 3, "modelled": 4}
    best = made.with_columns(rank=pl.col("kind").replace_strict(rank, return_dtype=pl.Int64)).sort("rank")
    outputs = best.filter(variable="output").unique(
        ["chain", "activity", "place", "period"], keep="first", maintain_order=True
    )
    sums = outputs.group_by("chain", "activity", "period").agg(total=pl.col("number").sum())
    world = best.filter(
        pl.col("variable") == "total_output", pl.col("place").is_null() | (pl.col("place") == "WLD")
    ).with_row_index("at")
    parts = world.with_columns(name=pl.col("activity").str.split(";")).explode("name")
    parts = parts.with_columns(name=pl.col("name").str.strip_chars())
    parts = parts.join(sums, left_on=["chain", "name", "period"], right_on=["chain", "activity", "period"])
    joined = parts.group_by("at").agg(pl.col("total").sum())
    found = world.join(joined, on="at").with_columns(ratio=pl.col("total") / pl.col("number"))
    found = found.filter((pl.col("ratio") - 1).abs() > LIMIT)
    return found.select(
        "chain", "variable", "activity", "commodity", place=pl.lit("WLD"), partner=pl.lit(None, pl.String),
        period="period", sources="source",
        figures=pl.concat_str(
            pl.col("number").round_sig_figs(4), pl.lit(" world; sum "), pl.col("total").round_sig_figs(4)
        ),
        ratio=pl.col("ratio").round(2),
    ).sort(_SUBJECT)  # fmt: skip


def explained_by(found: pl.DataFrame, known: pl.DataFrame | None = None) -> pl.DataFrame:
    """Add to each difference the reason of the first entry that covers it (null where none does)."""
    rows = list((entries() if known is None else known).iter_rows(named=True))

    def reason(row: dict[str, str | None]) -> str | None:
        for entry in rows:
            if _covers(entry, row):
                return str(entry["reason"])
        return None

    reasons = [reason(row) for row in found.iter_rows(named=True)]
    return found.with_columns(pl.Series("reason", reasons, dtype=pl.String))


def _covers(entry: dict[str, str | None], row: dict[str, str | None]) -> bool:
    for column in ("chain", "variable", "activity", "commodity", "place", "period"):
        if entry[column] and entry[column] != row[column]:
            return False
    named = {name.strip() for name in (entry["sources"] or "").split(";") if name.strip()}
    given = {name.strip() for name in (row["sources"] or "").split(";")}
    return not named or len(named & given) >= min(len(named), 2) or named == given


def unexplained() -> pl.DataFrame:
    """Return the differences that no entry covers, world totals among them."""
    both = pl.concat([pairs(), totals()])
    left = explained_by(both).filter(pl.col("reason").is_null())
    return left.drop("reason")
