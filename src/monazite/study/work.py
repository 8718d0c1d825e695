"""The work of a study: scenarios of a source, cleared, as rows of outcomes. What every worker does."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import polars as pl

from monazite.market.measures.outcomes import Outcomes, Reader
from monazite.market.problem import Clearing
from monazite.market.scenario.template import Change, Template

__all__ = ["SCHEMA", "Scenarios", "work"]

#: one row an outcome of a scenario; measures of the whole scenario have no commodity and no place
SCHEMA = {
    "scenario": pl.Int64,
    "measure": pl.String,
    "commodity": pl.String,
    "place": pl.String,
    "value": pl.Float64,
    "month": pl.Int64,
}


class Scenarios(Protocol):
    """What a source of a study offers beside count, key and description."""

    @property
    def count(self) -> int:
        """Number of scenarios."""
        ...

    def world(self, number: int) -> int:
        """Which recalibrated world scenario `number` is in; −1 for that of the facts."""
        ...

    def template(self, world: int) -> Template:
        """A world by month."""
        ...

    def change(self, number: int) -> Change:
        """What scenario `number` changes of its world's base problem."""
        ...


def work(source: Scenarios, first: int, last: int) -> pl.DataFrame:
    """Clear scenarios ``first`` to ``last − 1`` and say what came of each.

    Returns
    -------
    DataFrame
        Columns of `SCHEMA`, in the order of the scenarios: ``price_multiple`` and ``unserved`` by commodity
        and place with the month of the peak; ``balance``, ``fell_back`` and ``unconverged`` (0 or 1).

    Examples
    --------
    >>> from monazite.market.scenario.catalogue import Catalogue
    >>> from monazite.market.scenario.setting import Setting
    >>> from monazite.network import toy
    >>> source = Catalogue.of(toy(), Setting.of(toy(), 3))
    >>> rows = work(source, 0, 2)
    >>> rows["scenario"].unique().sort().to_list()
    [0, 1]
    """
    frames = []
    number = first
    while number < last:
        world = source.world(number)
        end = number + 1
        while end < last and source.world(end) == world:
            end += 1
        template = source.template(world)
        reader = Reader(template.layout, template.months)
        changes = [source.change(k) for k in range(number, end)]
        for k, clearing in enumerate(_solve(template, changes)):
            frames.append(_rows(number + k, reader, reader.read(clearing), clearing))
        number = end
    return pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMA)


def _solve(template: Template, changes: list[Change]) -> list[Clearing]:
    from monazite.market import clear

    return [clear(template.problem(change), baseline=template.base, strict=False) for change in changes]


def _rows(scenario: int, reader: Reader, outcomes: Outcomes, clearing: Clearing) -> pl.DataFrame:
    told = ~np.isnan(outcomes.multiple)
    certificate = clearing.certificate
    whole = {
        "balance": certificate.balance,
        "fell_back": float(certificate.method != "newton"),
        "unconverged": float(not certificate.converged),
    }
    prices = reader.prices.filter(pl.Series(told))
    return pl.DataFrame(
        {
            "scenario": scenario,
            "measure": ["price_multiple"] * prices.height + ["unserved"] * reader.users.height + list(whole),
            "commodity": [*prices["commodity"], *reader.users["commodity"], *[None] * len(whole)],
            "place": [*prices["place"], *reader.users["place"], *[None] * len(whole)],
            "value": [*outcomes.multiple[told], *outcomes.unserved, *whole.values()],
            "month": [*outcomes.multiple_month[told], *outcomes.unserved_month, *[-1] * len(whole)],
        },
        schema=SCHEMA,
    )
