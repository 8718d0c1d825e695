"""Other worlds that the same facts allow: figures drawn within their σ, then reconciled and calibrated anew.

Flows and prices are drawn within their standard deviation, each by itself, and the balances are struck again:
for a linear balance the reconciled figures then vary as their posterior says. Yields and transit times are
drawn within their ranges by one quantile each, since what is not known of them is mostly not known in common.
Every world has the facts, places and activities of the first, and returns its own base with no shock.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from monazite.core.cache import code_hash, kept
from monazite.core.errors import SolverError
from monazite.core.manifest import content_hash
from monazite.facts import FactTable
from monazite.facts.assumptions import settings_hash
from monazite.network.behaviour import Spread
from monazite.network.network import Network, from_facts

Float = NDArray[np.float64]

#: figures drawn within their σ
MEASURED = ("output", "trade", "use", "price", "total_output", "total_exports", "total_imports", "total_use")
#: variables drawn within their range, by one quantile each
RANGED = ("coefficient", "lag")
#: a measured figure keeps at least this share of itself
_LEAST = 0.2
#: how many draws may fail to balance
_TRIES = 5


def other_world(network: Network, seed: int, number: int, of: int) -> Network:
    """World `number` of `of` that the facts of a network allow.

    Parameters
    ----------
    network : Network
    seed : int
    number, of : int
        The quantiles of yields and of transit times are spread evenly over the `of` worlds.

    Returns
    -------
    Network

    Raises
    ------
    SolverError
        None of several draws could be balanced.

    Examples
    --------
    >>> from monazite.network import toy
    >>> drawn = other_world(toy(), 7, 0, 4)
    >>> drawn.activities.height == toy().activities.height, bool((drawn.level == toy().level).all())
    (True, False)
    """
    key = content_hash(
        network.facts.content_hash, settings_hash(), code_hash(Path(__file__).parent), [seed, number, of]
    )

    def make() -> Network:
        def attempt(count: int) -> Network:
            drawn = drawn_facts(network.facts, seed, number, of, count)
            return from_facts(drawn, network.year, network.chains)

        for count in range(_TRIES - 1):
            with suppress(SolverError):
                return attempt(count)
        return attempt(_TRIES - 1)

    return kept(f"networks/{key}.pickle", Network, make)


def drawn_facts(facts: FactTable, seed: int, number: int, of: int, attempt: int = 0) -> FactTable:
    """Facts with their uncertain figures drawn anew; everything else as it was."""
    frame = facts.frame
    value = frame["value"].to_numpy().astype(float)
    sigma = frame["sigma"].fill_null(0.0).to_numpy().astype(float)
    variable = np.array(frame["variable"].to_list())
    draw = np.random.Generator(np.random.Philox(key=[seed, 2**32 + number * 2**8 + attempt]))
    noise = draw.standard_normal(value.size)
    drawn = value.copy()
    # null figures are nan here and stay so; a figure that is 0 says that there is nothing
    measured = np.isin(variable, MEASURED) & (value > 0.0)
    drawn[measured] = np.maximum(value + sigma * noise, _LEAST * value)[measured]
    for k, name in enumerate(RANGED):
        order = np.random.Generator(np.random.Philox(key=[seed, 2**40 + k])).permutation(of)
        own = (variable == name) & ~np.isnan(value)
        drawn[own] = _ranged(frame.filter(pl.Series(own)), (order[number] + 0.5) / of)
    return replace(
        facts,
        frame=frame.with_columns(value=pl.Series(drawn).fill_nan(None)),
        content_hash=content_hash(facts.content_hash, [seed, number, of, attempt]),
    )


def _ranged(rows: pl.DataFrame, quantile: float) -> Float:
    central = rows["value"].to_numpy().astype(float)
    low = np.minimum(rows["low"].fill_null(rows["value"]).to_numpy().astype(float), central)
    high = np.maximum(rows["high"].fill_null(rows["value"]).to_numpy().astype(float), central)
    return Spread(low, central, high).at(quantile)
