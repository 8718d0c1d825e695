"""The flows of one element as the Sankey asks for them: from stage and place of making to those of taking.

Trade is followed back to the place of making, node by node, with the mix of what comes in; what a plant takes
of the element and does not give on in any product is loss; what a use line only puts aside is stock.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from monazite.core.errors import ArgumentError
from monazite.core.text import say
from monazite.market.measures import ElementFlows, contents, element_flows
from monazite.views import words
from monazite.views.view import dominant

if TYPE_CHECKING:
    from monazite.network import Network

__all__ = ["chain_flows"]

Float = NDArray[np.float64]
Key = tuple[str, str]
Links = dict[tuple[Key | None, Key | None, str], dict[str | None, float]]

_NONE = "none"
_RECYCLE = "recycle"
_LEAST = 1e-9


def chain_flows(network: Network, element: str) -> pl.DataFrame:
    """Return the flows of an element through the stages of a balanced network.

    Parameters
    ----------
    network
        Balanced network.
    element
        Symbol of an element that the network's commodities hold, such as ``NdPr``.

    Returns
    -------
    polars.DataFrame
        Columns ``stage_from, place_from, stage_to, place_to, value, unit, basis, kind, role`` (see
        `views.sankey`), t/yr of the element on the basis of its content facts.

    Raises
    ------
    ArgumentError
        Nothing of the element flows in the network.

    Notes
    -----
    Scrap goes through the stage ``recycle``, whatever plant takes it. The kind of a flow is that of the trade
    between its two places, or of the making at its source where nothing crosses a border; a route over third
    places is modelled.

    Examples
    --------
    >>> from monazite.network import toy
    >>> flows = chain_flows(toy(), "Ty")
    >>> mined = flows.filter(pl.col("stage_from") == "mine")
    >>> round(mined["value"].sum(), 6), set(flows["unit"])
    (50.0, {'t/yr'})
    """
    content = contents(network, element)
    flows = element_flows(network, content)
    if not flows.weight.size:
        raise ArgumentError("error.view_no_element", element=element, chains=network.chains)
    rows = [
        {
            "stage_from": source[0] if source else None, "place_from": source[1] if source else None,
            "stage_to": target[0] if target else None, "place_to": target[1] if target else None,
            "value": value, "kind": dominant(parts.items()), "role": role,
        }
        for (source, target, role), parts in _links(network, flows).items()
        for value in [sum(parts.values())]
        if value > _LEAST
    ]  # fmt: skip
    ends = dict.fromkeys(("stage_from", "place_from", "stage_to", "place_to"), pl.String)
    frame = pl.DataFrame(rows, schema={**ends, "value": pl.Float64, "kind": pl.String, "role": pl.String})
    basis = _basis(network, content.fact_ids, element)
    return frame.with_columns(pl.lit("t/yr").alias("unit"), pl.lit(basis).alias("basis"))


def _basis(network: Network, fact_ids: tuple[int, ...], element: str) -> str:
    """Return what the tonnes are: the element, on the basis of most of its content facts."""
    facts = network.facts.frame.filter(pl.col("fact_id").is_in(list(fact_ids)))
    known = [str(name) for name in facts["basis"].drop_nulls().to_list() if name != _NONE]
    basis = max(sorted(set(known)), key=known.count) if known else ""
    return say("view.basis_element", element=element, basis=basis).strip(" ,")


def _links(network: Network, flows: ElementFlows) -> Links:
    """Return tonnes by kind of every link and every end outside the chain."""
    table = network.activities
    stages = [
        _RECYCLE if kind == _RECYCLE else str(stage)
        for kind, stage in zip(flows.type, table["stage"].to_list(), strict=True)
    ]
    where: list[Key] = list(zip(stages, (str(place) for place in table["place"].to_list()), strict=True))
    keys: dict[Key, int] = {}
    made_by = [
        keys.setdefault(where[column], len(keys)) if made else -1
        for column, made in zip(flows.col, flows.made, strict=True)
    ]
    origin = _origins(flows, np.array(made_by, dtype=np.int64), len(keys))
    making, trade = _kinds(flows, network, where)
    names, here = list(keys), network.nodes["place"].to_list()
    links: Links = defaultdict(lambda: defaultdict(float))
    for row, column, weight in zip(flows.take_row, flows.take_col, flows.take_weight, strict=True):
        if flows.type[column] == "trade":
            continue
        commodity, place = str(flows.commodity[row]), str(here[int(flows.node[row])])
        aside = flows.type[column] == "use" and bool(flows.aside[column])
        for number in np.flatnonzero(origin[row] > _LEAST):
            source = names[number]
            crossed = source[1] != place
            kind = (
                trade.get((commodity, source[1], place), "modelled") if crossed else making[commodity, source]
            )
            tonnes = float(weight * origin[row, number])
            if aside:
                links[source, None, "stock"][kind] += tonnes
                continue
            for link in _route(source, where[column]):
                links[link][kind] += tonnes
    _losses(flows, where, links)
    return links


def _route(source: Key, target: Key) -> list[tuple[Key, Key, str]]:
    """Return the links from source to target: one, or two by way of scrap where material goes back."""
    back = words.stage_order(target[0]) < words.stage_order(source[0]) and _RECYCLE not in (
        source[0],
        target[0],
    )
    scrap = (_RECYCLE, source[1])
    return [(source, scrap, "flow"), (scrap, target, "flow")] if back else [(source, target, "flow")]


def _origins(flows: ElementFlows, made_by: NDArray[np.int64], count: int) -> Float:
    """Return the share of each node's supply by who made it, trade followed back; shape (m, makers)."""
    made = made_by >= 0
    direct = np.zeros((flows.size, count))
    np.add.at(direct, (flows.row[made], made_by[made]), flows.part[made])
    alive = np.flatnonzero(flows.through > 0)
    carried = flows.steps(~made).toarray()[np.ix_(alive, alive)]
    out = np.zeros_like(direct)
    out[alive] = np.linalg.solve(np.eye(alive.size) - carried, direct[alive])
    return out


def _kinds(
    flows: ElementFlows, network: Network, where: list[Key]
) -> tuple[dict[tuple[str, Key], str | None], dict[tuple[str, str, str], str]]:
    """Return the kinds of what is made, by commodity and maker, and of what is traded, by its places."""
    making: dict[tuple[str, Key], list[tuple[str | None, float]]] = defaultdict(list)
    trade: dict[tuple[str, str, str], str] = {}
    kinds, partners = network.activities["kind"].to_list(), network.activities["partner"].to_list()
    for row, column, weight, made in zip(flows.row, flows.col, flows.weight, flows.made, strict=True):
        commodity = str(flows.commodity[row])
        if made:
            making[commodity, where[column]].append((kinds[column], float(weight)))
        else:
            trade[commodity, where[column][1], str(partners[column])] = kinds[column]
    return {key: dominant(parts) for key, parts in making.items()}, trade


def _losses(flows: ElementFlows, where: list[Key], links: Links) -> None:
    """Add what plants take and do not give on."""
    given = np.zeros(flows.level.size)
    taken = np.zeros(flows.level.size)
    np.add.at(given, flows.col, flows.weight)
    np.add.at(taken, flows.take_col, flows.take_weight)
    plants = ~np.isin(flows.type, ("trade", "use")) & (taken > 0)
    for column in np.flatnonzero(plants & (taken > given * (1 + 1e-9))):
        links[where[column], None, "loss"]["derived"] += float(taken[column] - given[column])
