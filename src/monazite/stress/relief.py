"""What would help against a control, from the facts: unused capacity, stocks, forms that it does not name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from monazite.market.measures import contents, elements
from monazite.market.measures.outside import Help
from monazite.market.measures.relief import relief
from monazite.market.measures.stage_flows import element_basis

if TYPE_CHECKING:
    from monazite.market.scenario import Control
    from monazite.network import Network
    from monazite.stress.tables import Scope

__all__ = ["help_of", "relief_rows"]

#: what tells one figure of `relief` from another, as columns of the table
_KEYS = ("measure", "stage", "commodity", "activity", "place", "role")


def _elements(network: Network, control: Control) -> dict[str, str]:
    """Elements of what a control names with their chain, the one of most export value first."""
    nodes = network.nodes
    named = set(control.on) | set(nodes.filter(pl.col("chain").is_in(list(control.on)))["commodity"])
    price = {(c, p): v for c, p, v in nodes.select("commodity", "place", "price").iter_rows()}
    worth: dict[str, float] = {}
    trade = network.activities.filter((pl.col("type") == "trade") & (pl.col("place") == control.by))
    for good, level in trade.select("commodity", "level").iter_rows():
        worth[good] = worth.get(good, 0.0) + level * float(price.get((good, control.by)) or 0.0)
    leading = elements(network)
    found: dict[str, float] = {}
    chains: dict[str, str] = {}
    for row in network.facts.commodities.iter_rows(named=True):
        if row["commodity"] not in named:
            continue
        element = row["element"] or next(iter(leading.get(row["chain"], ())), None)
        if element is not None:
            found[element] = found.get(element, 0.0) + worth.get(row["commodity"], 0.0)
            chains[element] = row["chain"]
    return {e: chains[e] for e in sorted(found, key=lambda e: (-found[e], e))}


def _helps(network: Network, control: Control, scope: Scope) -> Iterator[tuple[str, str, Help]]:
    """Figures of `relief` for each element of a control: chain, element, figure."""
    nodes = network.nodes
    named = set(control.on) | set(nodes.filter(pl.col("chain").is_in(list(control.on)))["commodity"])
    for element, chain in _elements(network, control).items():
        found = relief(
            network,
            contents(network, element),
            control.by,
            members=scope.places,
            name=scope.name,
            named=named,
        )
        for figure in found:
            yield chain, element, figure


def relief_rows(network: Network, control: Control, scope: Scope) -> pl.DataFrame:
    """What would help, as rows of the one result table; of the base year, whatever the group.

    Rows of ``spare_capacity, spare_coverage, sent_abroad`` (what the control names), ``other_form`` (what
    holds the same element and is not named), ``stock_held, stock_months``; see `market.measures.relief`.
    """
    basis: dict[str, str | None] = {}
    rows = []
    for chain, element, figure in _helps(network, control, scope):
        if element not in basis:
            basis[element] = element_basis(network, element)
        known = figure.figure
        rows.append(
            {
                **{key: getattr(figure, key) for key in _KEYS},
                "chain": chain,
                "element": element,
                "period": str(network.year),
                "value": known.value if known else None,
                "low": known.low if known else None,
                "high": known.high if known else None,
                "unit": figure.unit,
                "basis": basis[element] if figure.unit in ("t", "t/yr") else None,
                "kind": figure.kind,
                "status": "ok" if known else "missing",
                "assumed_share": figure.assumed,
                "caveat": figure.caveat(),
            }
        )
    text = (*_KEYS, "chain", "element", "period", "unit", "basis", "kind", "status", "caveat")
    schema = {**dict.fromkeys(text, pl.String), **dict.fromkeys(("value", "low", "high"), pl.Float64)}
    return pl.DataFrame(rows, schema={**schema, "assumed_share": pl.Float64}) if rows else pl.DataFrame()


def help_of(network: Network, control: Control, scope: Scope, row: Mapping[str, Any]) -> Help:
    """The figure behind a row of `relief_rows`."""
    return next(
        figure
        for _, element, figure in _helps(network, control, scope)
        if element == row["element"] and all(getattr(figure, key) == row[key] for key in _KEYS)
    )
