"""Ensembles whose computing is measured: in a module of their own, so that workers can load them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import polars as pl

from bench.chains import Case
from bench.real import rare_earths
from monazite.market import clear

__all__ = ["WIDE", "Catalogue", "Rows", "clear_some", "many_rows"]

MONTHS = 12
#: rows of a scenario
WIDE = 2_000


@dataclass(frozen=True)
class Catalogue:
    """The catalogue on the rare-earth chain, from the start again after its end."""

    count: int
    run: str

    def key(self) -> str:
        """Return what tells one run from another: a second one has to compute."""
        return f"rare earths × {MONTHS}: {self.count} ({self.run})"

    def describe(self) -> dict[str, Any]:
        """Say what the scenarios are."""
        return {"title": "catalogue", "months": MONTHS}


def clear_some(source: Catalogue, first: int, last: int) -> pl.DataFrame:
    """Clear scenarios ``first`` … ``last − 1``."""
    del source
    case = _case()
    rows = []
    for k in range(first, last):
        problem = replace(case.problem, upper=case.shocks[k % len(case.shocks)].upper)
        answer = clear(problem, baseline=case.problem, strict=False)
        highest = float((answer.price / case.problem.y0)[answer.unique].max())
        rows.append((k, answer.certificate.objective, highest))
    return pl.DataFrame(rows, schema=["scenario", "objective", "price_multiple"], orient="row")


@dataclass(frozen=True)
class Rows:
    """Scenarios that only have rows, many of them."""

    count: int
    run: str

    def key(self) -> str:
        """Return what tells one run from another."""
        return f"rows: {self.count} ({self.run})"

    def describe(self) -> dict[str, Any]:
        """Say what the scenarios are."""
        return {"title": "rows"}


def many_rows(source: Rows, first: int, last: int) -> pl.DataFrame:
    """Give every scenario its rows, of the width of a result."""
    del source
    scenario = pl.Series("scenario", range(first, last), dtype=pl.Int64)
    numbers = pl.DataFrame({"row": range(WIDE)})
    return scenario.to_frame().join(numbers, how="cross").with_columns(
        (pl.col("row").cast(pl.Utf8) + "-place").alias("place"),
        *((pl.col("scenario") * 0.5 + pl.col("row") * k).alias(f"value_{k}") for k in range(6)),
    )  # fmt: skip


@cache
def _case() -> Case:
    return rare_earths(MONTHS)
