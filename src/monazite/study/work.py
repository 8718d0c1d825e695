"""The work of a study: scenarios of a source, cleared, as rows of outcomes. What every worker does."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from monazite.market.block import Change, solve_block
from monazite.market.measures.outcomes import Reader
from monazite.market.problem import Clearing
from monazite.market.scenario.template import Template

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
#: measures of the whole scenario
_WHOLE = ("balance", "fell_back", "unconverged")


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
        cleared = solve_block(template.base, [source.change(k) for k in range(number, end)])
        frames.append(_rows(number, reader, cleared))
        number = end
    return pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMA)


def _rows(first: int, reader: Reader, cleared: list[Clearing]) -> pl.DataFrame:
    """Rows of scenarios of one world, from `first` on."""
    prices, users, whole = reader.prices, reader.users, len(_WHOLE)
    told = [reader.read(clearing) for clearing in cleared]
    nothing = [None] * whole
    labels = pl.DataFrame(
        {
            "measure": ["price_multiple"] * prices.height + ["unserved"] * users.height + list(_WHOLE),
            "commodity": [*prices["commodity"], *users["commodity"], *nothing],
            "place": [*prices["place"], *users["place"], *nothing],
        },
        schema={name: SCHEMA[name] for name in ("measure", "commodity", "place")},
    )
    values = [
        np.concatenate([one.multiple, one.unserved, _quality(clearing)])
        for one, clearing in zip(told, cleared, strict=True)
    ]
    months = [np.concatenate([one.multiple_month, one.unserved_month, np.full(whole, -1)]) for one in told]
    return (
        pl.concat([labels] * len(cleared))
        .with_columns(
            scenario=pl.Series(np.repeat(np.arange(first, first + len(cleared)), labels.height)),
            value=pl.Series(np.concatenate(values)),
            month=pl.Series(np.concatenate(months), dtype=pl.Int64),
        )
        .filter(pl.col("value").is_not_nan())
        .select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
        .rechunk()
    )


def _quality(clearing: Clearing) -> NDArray[np.float64]:
    """How well a scenario cleared, in the order of the measures of the whole scenario."""
    found = clearing.certificate
    return np.array([found.balance, float(found.method != "newton"), float(not found.converged)])
