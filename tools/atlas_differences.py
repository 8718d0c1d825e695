"""Figures of two sources on one thing that differ, and the entries of data/differences.csv that say why."""

from __future__ import annotations

from typing import Any

import polars as pl

from monazite.core.settings import data_folder
from monazite.facts.counting import Counted, count
from monazite.facts.table import KIND_ORDER

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
    counted = count(None) if counted is None else counted
    rank = {name: index for index, name in enumerate(KIND_ORDER)}
    published = dict(counted.sources.select("source", "published").iter_rows())
    best = (
        counted.facts.filter(pl.col("number").is_not_null())
        .with_columns(
            rank=pl.col("kind").replace_strict(rank, return_dtype=pl.Int64),
            published=pl.col("source").replace_strict(published, default="", return_dtype=pl.String),
        )
        .sort("rank", "published", descending=[False, True], maintain_order=True)
    )
    best = best.unique(
        ["chain", "variable", "activity", "place", "period"], keep="first", maintain_order=True
    )
    outputs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in best.filter(pl.col("variable").is_in(["output", "total_output"])).iter_rows(named=True):
        outputs.setdefault((row["chain"], row["period"]), []).append(row)
    rows = []
    for (chain, period), some in sorted(outputs.items()):
        for world in (row for row in some if row["variable"] == "total_output" and _whole(row)):
            names = _names(world["activity"])
            total = _sum_of_parts(names, some)
            if total and abs(total / world["number"] - 1) > LIMIT:
                figures = f"{_four(world['number'])} world; sum {_four(total)}"
                rows.append((chain, "total_output", world["activity"], None, "WLD", None, period,
                             world["source"], figures, round(total / world["number"], 2)))  # fmt: skip
    schema = dict.fromkeys((*_SUBJECT, "sources", "figures"), pl.String) | {"ratio": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").sort(_SUBJECT)


def _whole(row: dict[str, Any]) -> bool:
    return row["place"] is None or row["place"] == "WLD"


def _names(text: str) -> set[str]:
    return {name.strip() for name in text.split(";")}


def _sum_of_parts(names: set[str], rows: list[dict[str, Any]]) -> float:
    """Sum the outputs of activities; a place's own total stands for those that it sums."""
    told: dict[str, tuple[set[str], float]] = {}
    for row in rows:
        if row["variable"] == "total_output" and not _whole(row) and _names(row["activity"]) <= names:
            own = _names(row["activity"])
            if row["place"] not in told or len(own) > len(told[row["place"]][0]):
                told[row["place"]] = (own, row["number"])
    total = sum(number for _, number in told.values())
    for row in rows:
        covered = told.get(row["place"], (set(), 0.0))[0]
        if row["variable"] == "output" and row["activity"] in names - covered:
            total += row["number"]
    return float(total)


def _four(value: float) -> str:
    return f"{value:.4g}" if value < 1e4 else f"{float(f'{value:.4g}'):.0f}"


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
