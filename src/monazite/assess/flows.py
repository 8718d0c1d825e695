"""Quantities behind the shares: every trade flow, and the flows of an element from stage to stage."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from monazite.assess.context import Cell, Context
from monazite.market.measures import Estimate, spread
from monazite.market.measures.flows import NO_FLOW
from monazite.market.measures.stage_flows import stage_links

__all__ = ["flow_cells"]


def flow_cells(context: Context) -> Iterator[Cell]:
    """Give the world's flows chain by chain: trade, then from stage to stage.

    A stage asked for leaves out the flows between stages: a part of them would look like loss. A commodity
    asked for keeps those of its element: they say where it stands in the chain.
    """
    if context.filters.measures(("trade",)):
        yield from _trade(context)
    if context.filters.measures(("stage_flow",)) and context.filters.stage is None:
        for chain in context.network.chains:
            if context.filters.want(chain=chain):
                for element in context.led(chain):
                    yield from _stages(context, chain, element)


def _trade(context: Context) -> Iterator[Cell]:
    """Every trade flow: ``place`` buys from ``partner``, t/yr of the commodity."""
    table = context.network.activities
    columns = ("activity", "type", "chain", "stage", "commodity", "place", "partner", "level", "kind")
    for j, type_, chain, stage, commodity, seller, buyer, level, kind in table.select(columns).iter_rows():
        wanted = context.filters.want(chain=chain, stage=stage, commodity=commodity)
        if type_ != "trade" or level <= NO_FLOW or not wanted or not context.carries(commodity):
            continue
        gradient = np.zeros_like(context.network.level)
        gradient[j] = 1.0
        yield context.cell(
            "trade",
            Estimate(float(level), gradient, spread(gradient[j : j + 1], context.sd[j : j + 1])),
            place=buyer,
            by=None,
            chain=chain,
            stage=stage,
            commodity=commodity,
            most=np.inf,
            unit="t/yr",
            kind=kind,
            also={"partner": seller},
            levels=(int(j),),
        )


def _stages(context: Context, chain: str, element: str) -> Iterator[Cell]:
    """Flows of an element from a stage in ``place`` to ``stage_to`` in ``partner``, t/yr of the element."""
    flows = context.flows(element)
    links = stage_links(context.network, flows, context.content(element))
    known = context.network.facts.select("content", activity=element)
    content = dict(known.select("commodity", "fact_id").iter_rows())
    own = context.network.activities["commodity"].to_list()
    for k, link in enumerate(links.frame.iter_rows(named=True)):
        gradient, basket = links.gradient[k], links.baskets[k]
        if basket is None:
            goods = {own[j] for j in np.flatnonzero(gradient)}
        else:
            goods = set(flows.commodity[basket.row].tolist())
        yield context.cell(
            "stage_flow",
            Estimate(float(link["value"]), gradient, spread(gradient, context.sd)),
            place=link["place_from"],
            by=None,
            chain=chain,
            stage=link["stage_from"],
            element=element,
            most=np.inf,
            unit=link["unit"],
            basis=link["basis"],
            kind=link["kind"],
            also={"stage_to": link["stage_to"], "partner": link["place_to"], "role": link["role"]},
            trace=links.trace,
            basket=basket,
            column=links.columns[k],
            facts=tuple(content[good] for good in sorted(goods) if good in content),
        )
