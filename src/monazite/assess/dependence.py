"""A subject's rows: how far its use depends on a state, bought directly or passed through at any stage."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from monazite.assess.context import FORMS, STAGE_MEASURE, Cell, Context
from monazite.assess.formulas import complements
from monazite.assess.world import final_cells
from monazite.core.text import say
from monazite.market.measures import (
    Demand,
    ElementFlows,
    Estimate,
    FinalCoverage,
    Traced,
    demand,
    group_coverage,
    spread,
)

__all__ = ["subject_cells"]

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

_TRACED = (*STAGE_MEASURE.values(), "touch_share")


def subject_cells(context: Context) -> Iterator[Cell]:
    """Give the subject's rows chain by chain: direct, traced by commodity and by stage, products, N-1."""
    for chain in context.network.chains:
        if context.filters.want(chain=chain):
            yield from _direct(context, chain)
            yield from _traced(context, chain)
            yield from _products(context, chain)
            if context.filters.measures(("n_minus_1_final",)) and context.filters.want(commodity=None):
                for element in context.elements.get(chain, ()):
                    if context.filters.want(element=element):
                        yield from final_cells(context, chain, element, context.name, _group_final)


def _goods(context: Context, chain: str) -> Iterator[str]:
    for commodity, row in context.info.items():
        wanted = context.filters.want(stage=row["stage"], commodity=commodity)
        if row["chain"] == chain and wanted and context.carries(commodity):
            yield commodity


def _outtakes(context: Context, flows: ElementFlows, commodity: str) -> Bool:
    """What plants and end uses of the subject take of a commodity; mask over outtakes."""
    out: Bool = flows.domestic & context.members_of(flows) & (flows.commodity[flows.take_row] == commodity)
    return out


def _direct(context: Context, chain: str) -> Iterator[Cell]:
    """Direct share of each commodity, and N-1 of the subject's use of it."""
    wanted = context.filters.measures(("direct_share", *FORMS))
    if not wanted:
        return
    flows, bought, split = context.flat, context.bought_trace(), context.bought_trace(split=True)
    for commodity in _goods(context, chain):
        chosen = _outtakes(context, flows, commodity)
        cell = partial(
            context.cell,
            place=context.name,
            chain=chain,
            stage=context.info[commodity]["stage"],
            commodity=commodity,
        )
        basket = demand(flows, chosen)
        if basket.total <= 0:
            if context.filters.commodity is not None:
                for measure in wanted:
                    caveat = say("assess.caveat_no_use")
                    yield cell(measure, context.undefined(), by=context.by, caveat=caveat)
            continue
        lead = context.leader(bought.means(basket))
        by = context.by_name(lead)
        if lead < 0 and by is not None:
            for measure in wanted:
                yield cell(measure, context.undefined(), by=by, caveat=say("assess.caveat_by"))
            continue
        weight = _supply(context, commodity)
        if "direct_share" in wanted:
            estimate, bounds = _bounded(context, bought, split, None, chosen, lead)
            yield cell(
                "direct_share", estimate, by=by, bounds=bounds, weight=weight,
                trace=bought, basket=basket, column=max(lead, 0),
            )  # fmt: skip
        for measure in wanted:
            if measure in FORMS:
                estimate = Estimate(1.0, np.zeros_like(flows.level), 0.0)
                if lead >= 0:
                    estimate = group_coverage(bought, basket, lead, context.sd, form=FORMS[measure])
                undefined = None if estimate.defined else say("assess.caveat_undefined")
                yield cell(
                    measure, estimate, by=by, weight=weight, caveat=undefined,
                    status=None if estimate.defined else "not_applicable",
                )  # fmt: skip


def _supply(context: Context, commodity: str) -> Float:
    """Tonnage of each activity that supplies the subject with a commodity."""
    flows = context.flat
    at = np.isin(flows.place[flows.row], sorted(context.codes)) & (flows.commodity[flows.row] == commodity)
    return np.bincount(flows.col[at], weights=flows.weight[at], minlength=flows.level.size).astype(float)


def _bounded(
    context: Context, trace: Traced, split: Traced, element: str | None, chosen: Bool, column: int
) -> tuple[Estimate, tuple[float, float]]:
    """Estimate a share by proportional mixing, with its value under domestic-first as a bound."""
    flows = context.flows(element)
    if column < 0:
        return Estimate(0.0, np.zeros_like(flows.level), 0.0), (0.0, 0.0)
    estimate = trace.estimate(demand(flows, chosen), context.sd, column)
    value = min(max(estimate.value, 0.0), 1.0)
    other = split.mean(demand(context.flows(element, split=True), chosen), column)
    other = min(max(other, 0.0), 1.0) if np.isfinite(other) else value
    return Estimate(value, estimate.gradient, estimate.sd), (other, other)


def _traced(context: Context, chain: str) -> Iterator[Cell]:
    """Traced and touch shares of each element in each commodity used, and in all end use of a stage."""
    wanted = context.filters.measures(("direct_share", *_TRACED))
    if not wanted:
        return
    for element in context.elements.get(chain, ()):
        if not context.filters.want(element=element):
            continue
        flows = context.flows(element)
        for commodity in _goods(context, chain):
            stage = context.info[commodity]["stage"]
            measures = [m for m in _reached(context, chain, stage) if m in wanted]
            if commodity in context.content(element).missing:
                yield from _missing(context, measures, chain, stage, commodity, element)
            else:
                chosen = _outtakes(context, flows, commodity)
                yield from _shares(context, measures, flows, chosen, chain, stage, commodity)
        if not context.filters.want(commodity=None):
            continue
        for stage in STAGE_MEASURE:
            if context.filters.want(stage=stage):
                at = flows.stage[flows.take_row] == stage
                at &= np.isin(flows.commodity[flows.take_row], _chain_goods(context, chain))
                chosen = flows.final & context.members_of(flows) & at
                measures = [m for m in ("direct_share", *_reached(context, chain, stage)) if m in wanted]
                yield from _shares(context, measures, flows, chosen, chain, stage, None)


def _chain_goods(context: Context, chain: str) -> list[str]:
    return [c for c, row in context.info.items() if row["chain"] == chain]


def _reached(context: Context, chain: str, stage: str) -> list[str]:
    """Measures that a good of a stage can have: the stages up to its own, and touch."""
    upto = context.order[stage]
    found = [STAGE_MEASURE[s] for s in context.stages_of(chain) if context.order[s] <= upto]
    return [*found, "touch_share"]


def _missing(
    context: Context, measures: list[str], chain: str, stage: str, commodity: str, element: str
) -> Iterator[Cell]:
    if not _outtakes(context, context.flat, commodity).any():
        return
    for measure in measures:
        yield context.cell(
            measure, context.undefined(), place=context.name, by=context.by, chain=chain, stage=stage,
            commodity=commodity, element=element, modelled=True, caveat=say("assess.caveat_content"),
        )  # fmt: skip


def _shares(
    context: Context,
    measures: list[str],
    flows: ElementFlows,
    chosen: Bool,
    chain: str,
    stage: str,
    commodity: str | None,
) -> Iterator[Cell]:
    """Rows of one element in one basket of uses."""
    element = flows.element
    basket = demand(flows, chosen)
    if element is None or basket.total <= 0:
        return
    cell = partial(
        context.cell, place=context.name, chain=chain, stage=stage, commodity=commodity, element=element
    )
    stage_of = {m: s for s, m in STAGE_MEASURE.items()}
    for measure in measures:
        if flows.unknown[basket.row].any() and measure != "direct_share":
            caveat = say("assess.caveat_content")
            yield cell(measure, context.undefined(), by=context.by, modelled=True, caveat=caveat)
            continue
        if measure == "touch_share":
            lead = _touched_most(context, element, flows, chosen)
            column = 0 if lead >= 0 else -1
            trace = context.touch_trace(element, lead)
            split = context.touch_trace(element, lead, split=True)
        else:
            if measure == "direct_share":
                trace, split = context.bought_trace(), context.bought_trace(split=True)
            else:
                trace = context.stage_trace(element, stage_of[measure])
                split = context.stage_trace(element, stage_of[measure], split=True)
            means = trace.means(basket)
            column = lead = context.leader(means)
            if measure in STAGE_MEASURE.values() and means.sum() <= 0:
                caveat = say("assess.caveat_never")
                yield cell(
                    measure, context.undefined(), by=context.by, modelled=True, caveat=caveat,
                    status="not_applicable",
                )  # fmt: skip
                continue
        by = context.by_name(lead)
        if lead < 0 and by is not None:
            yield cell(measure, context.undefined(), by=by, caveat=say("assess.caveat_by"))
            continue
        estimate, bounds = _bounded(context, trace, split, element, chosen, column)
        yield cell(
            measure, estimate, by=by, bounds=bounds, modelled=measure != "direct_share",
            trace=trace, basket=basket, column=max(column, 0),
        )  # fmt: skip


def _touched_most(context: Context, element: str, flows: ElementFlows, chosen: Bool) -> int:
    if context.by is not None:
        return context.flat.code(context.by)
    basket = demand(flows, chosen)
    return context.leader(basket.weight @ context.touches(element)[basket.row] / basket.total)


def _products(context: Context, chain: str) -> Iterator[Cell]:
    """Exposure of each end use that needs several elements at once (complements)."""
    if not context.filters.measures(("product_exposure",)) or not context.filters.want(
        stage="product", element=None
    ):
        return
    table = context.network.activities
    use_of = np.array([u or "" for u in table["use"].to_list()], dtype=str)
    of_chain = np.array([c == chain for c in table["chain"].to_list()], dtype=bool)
    inside = np.zeros(table.height, dtype=bool)
    inside[context.flat.take_col[context.flat.final & context.inside]] = True
    for use in sorted({str(u) for u in use_of[of_chain & inside] if u}):
        if context.filters.want(commodity=use):
            yield from _product(context, chain, use, use_of)


def _product(context: Context, chain: str, use: str, use_of: NDArray[np.str_]) -> Iterator[Cell]:
    """Exposure of one end use: elements of one good are complements, its goods alternatives by tonnage."""
    flat = context.flat
    taken = flat.final & context.inside & (use_of[flat.take_col] == use)
    goods = sorted(set(flat.commodity[flat.take_row[taken]].tolist()))
    tonnes = {g: float(flat.take_weight[taken & (flat.commodity[flat.take_row] == g)].sum()) for g in goods}
    touched = {g: t for g in goods if (t := _touched(context, chain, use_of == use, g))}
    total = sum(tonnes[g] for g in touched)
    if total <= 0:
        return
    mean = sum(
        (tonnes[g] / total * np.max(list(t.values()), axis=0) for g, t in touched.items()), np.zeros(1)
    )
    lead = context.leader(mean)
    cell = partial(
        context.cell, "product_exposure", place=context.name, by=context.by_name(lead), chain=chain,
        stage="product", commodity=use, modelled=True,
    )  # fmt: skip
    if lead < 0 and context.by:
        yield cell(context.undefined(), caveat=say("assess.caveat_by"))
        return
    if lead < 0:
        yield cell(Estimate(0.0, np.zeros_like(flat.level), 0.0))
        return
    bounds = {g: complements([v[lead] for v in t.values()]) for g, t in touched.items()}
    high = sum(tonnes[g] / total * bounds[g].high for g in touched)
    value = sum(tonnes[g] / total * bounds[g].value for g in touched)
    gradient = np.zeros_like(flat.level)
    worst: dict[str, str] = {}
    for good, by_element in touched.items():
        worst[good] = max(by_element, key=lambda e: by_element[e][lead])
        trace = context.touch_trace(worst[good], lead)
        basket = _basket(context, worst[good], use_of == use, good)
        gradient += tonnes[good] / total * trace.estimate(basket, context.sd).gradient
    heaviest = max(touched, key=lambda g: tonnes[g])
    several = max(len(t) for t in touched.values()) > 1
    names = sorted({e for t in touched.values() for e in t})
    yield cell(
        Estimate(float(min(value, 1.0)), gradient, spread(gradient, context.sd)),
        bounds=(float(min(value, 1.0)), float(high)),
        trace=context.touch_trace(worst[heaviest], lead),
        basket=_basket(context, worst[heaviest], use_of == use, heaviest),
        caveat=say("assess.caveat_complements", element=worst[heaviest], elements=names) if several else None,
    )


def _basket(context: Context, element: str, of_use: Bool, commodity: str) -> Demand:
    flows = context.flows(element)
    at = flows.final & context.members_of(flows) & of_use[flows.take_col]
    return demand(flows, at & (flows.commodity[flows.take_row] == commodity))


def _touched(context: Context, chain: str, of_use: Bool, commodity: str) -> dict[str, Float]:
    """Touch share of each element of one good in one use, by place; shape (places,)."""
    found: dict[str, Float] = {}
    for element in context.elements.get(chain, ()):
        basket = _basket(context, element, of_use, commodity)
        flows = context.flows(element)
        if basket.total <= 0 or flows.unknown[basket.row].any():
            continue
        found[element] = np.clip(
            basket.weight @ context.touches(element)[basket.row] / basket.total, 0.0, 1.0
        )
    return found


def _group_final(
    context: Context, final: FinalCoverage, lost: int
) -> tuple[Estimate, tuple[float, float] | None]:
    """Coverage by what reaches the group today; bounds: its own output alone, and an equal share of all."""
    estimate = final.group(context.codes, lost, context.sd)
    if not estimate.defined:
        return estimate, None
    equal = min(final.world(lost, context.sd).value, 1.0)
    own = min(final.own(context.codes, lost), 1.0)
    return estimate, (min(own, equal), max(own, equal))
