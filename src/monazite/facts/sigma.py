"""One rule for how far a figure may be off, fixed before anything is fitted (``data/uncertainty.csv``).

sigma = (high - low) / 2.56 where a fact has both; otherwise a share of its figure by the class of its source:
reported (at least half of the last written digit), trade, derived, estimated, assumed, modelled. The
coefficient that measures an activity's own level is exact. Of figures that contradict each other the chosen
one has at least half their spread.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache

import polars as pl

from monazite.core.range import NORMAL_80
from monazite.core.settings import data_folder

__all__ = ["relative_sigma", "sigma_expr", "widen"]


@lru_cache(maxsize=1)
def relative_sigma() -> Mapping[str, float]:
    """Return the standard deviation of each class as a share of the figure.

    Examples
    --------
    >>> relative_sigma()["estimated"]
    0.2
    """
    with (data_folder() / "uncertainty.csv").open(encoding="utf-8", newline="") as file:
        return {row["class"]: float(row["sigma_relative"]) for row in csv.DictReader(file)}


def sigma_expr() -> pl.Expr:
    """Return the expression of sigma, in the unit of ``value``.

    It needs ``variable, value, low, high, kind`` and ``written`` (value as it stands in the file, text),
    ``factor`` (canonical units per written unit), ``dimension`` of the variable, and ``exact`` (yes for the
    coefficient of an activity's own reference). Null where there is neither a figure nor a range. The last
    digit counts for quantities and prices; a ratio written as 1 is not rounded.

    Examples
    --------
    >>> frame = pl.DataFrame({"variable": ["output", "price"], "value": [200.0, 3.0], "low": [None, 2.0],
    ...     "high": [None, 4.56], "kind": ["reported", "assumed"], "written": ["200", "3"],
    ...     "factor": [1.0, 1.0], "exact": [False, False], "dimension": ["mass rate", "price"]},
    ...     schema_overrides={"low": pl.Float64})
    >>> frame.select(sigma_expr())["sigma"].round(9).to_list()
    [10.0, 1.0]
    """
    share = relative_sigma()
    size = pl.col("value").abs()
    decimals = pl.col("written").str.extract(r"^[^.eE]*\.([0-9]*)$", 1).str.len_chars().fill_null(0)
    half_digit = (
        pl.when(pl.col("written").str.contains("[eE]") | (pl.col("dimension") == "ratio"))
        .then(0.0)
        .otherwise(0.5 * pl.lit(10.0).pow(-decimals.cast(pl.Float64)) * pl.col("factor"))
    )
    reported = pl.max_horizontal(share["reported"] * size, half_digit)
    trade = pl.max_horizontal(share["trade"] * size, half_digit)
    by_class = (
        pl.when(pl.col("kind") == "reported")
        .then(pl.when(pl.col("variable") == "trade").then(trade).otherwise(reported))
        .otherwise(
            size
            * pl.col("kind").replace_strict(
                {name: share[name] for name in ("derived", "estimated", "assumed", "modelled")},
                default=None,
                return_dtype=pl.Float64,
            )
        )
    )
    return (
        pl.when(pl.col("low").is_not_null() & pl.col("high").is_not_null())
        .then((pl.col("high") - pl.col("low")) / NORMAL_80)
        .when(pl.col("value").is_null())
        .then(None)
        .when(pl.col("exact"))
        .then(0.0)
        .otherwise(by_class)
        .alias("sigma")
    )


def widen(sigma: pl.Expr, spread: pl.Expr) -> pl.Expr:
    """Widen sigma to half the spread of figures that contradict each other."""
    return pl.max_horizontal(sigma, relative_sigma()["contradictory"] * spread)
