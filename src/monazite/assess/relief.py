"""What would help a subject where the state it depends on sends nothing more: rows from the facts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from monazite.assess.context import REST, Cell, Context
from monazite.market.measures.outside import Help
from monazite.market.measures.relief import RELIEF, relief
from monazite.market.measures.stage_flows import element_basis

__all__ = ["relief_cells"]


def relief_cells(context: Context) -> Iterator[Cell]:
    """Give what is unused, stocked and sent in other forms, chain by chain, for the elements asked about.

    Commodities asked for are what the state's exports are counted in; the help is that of their elements.
    """
    wanted = context.filters.measures(RELIEF)
    if not wanted:
        return
    for chain in context.network.chains:
        if not context.filters.want(chain=chain):
            continue
        for element in context.led(chain):
            by = _acting(context, element)
            if by is None:
                continue
            found = relief(
                context.network,
                context.content(element),
                by,
                members=context.members,
                name=context.name,
                named=_asked(context),
            )
            basis = element_basis(context.network, element)
            for figure in found:
                if figure.measure in wanted and context.filters.want(stage=figure.stage):
                    yield _cell(context, (chain, element, by, basis), figure)


def _asked(context: Context) -> frozenset[str] | None:
    """Commodities asked for; None where none is, or end uses only."""
    asked = context.filters.commodity
    goods = asked and frozenset(c for c in asked if c in context.info)
    return goods or None


def _acting(context: Context, element: str) -> str | None:
    """The state asked for, if the network knows it; else the one that most of the subject's use passed."""
    if context.by is not None:
        return context.by if context.flat.code(context.by) >= 0 else None
    flows = context.flows(element)
    chosen = flows.final & context.members_of(flows)
    lead = -1
    if chosen.any():
        weight = flows.take_weight[chosen]
        lead = context.leader(weight @ context.touches(element)[flows.take_row[chosen]])
    if lead < 0:
        sold = (flows.type[flows.take_col] == "trade") & ~context.members_of(flows)
        tonnes = np.zeros(len(flows.places))
        np.add.at(tonnes, flows.place[flows.take_row[sold]], flows.take_weight[sold])
        lead = context.leader(tonnes)
    return None if lead < 0 or flows.places[lead] == REST else flows.places[lead]


def _cell(context: Context, of: tuple[str, str, str, str | None], figure: Help) -> Cell:
    chain, element, by, basis = of
    gradient = np.zeros_like(context.network.level)
    for j, slope in figure.levels.items():
        gradient[j] = slope
    known = figure.figure
    row = {
        "measure": figure.measure,
        "chain": chain,
        "stage": figure.stage,
        "commodity": figure.commodity,
        "activity": figure.activity,
        "place": figure.place,
        "by": by,
        "period": context.period,
        "value": known.value if known else None,
        "low": known.low if known else None,
        "high": known.high if known else None,
        "unit": figure.unit,
        "basis": basis if figure.unit in ("t", "t/yr") else None,
        "kind": figure.kind,
        "status": "ok" if known else "missing",
        "element": element,
        "role": figure.role,
        "assumed_share": figure.assumed,
        "caveat": figure.caveat(),
    }
    return Cell(row, gradient, context.network, facts=figure.facts)
