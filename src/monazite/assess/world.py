"""World rows: who makes how much at each stage, how concentrated, and N-1 of the world outside a state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from monazite.assess.context import FORMS, REST, WORLD, Cell, Context
from monazite.assess.formulas import effective_suppliers, hhi, hhi_gradient, top
from monazite.core.text import say
from monazite.market.measures import Estimate, FinalCoverage, outputs, ratio, spread, world_coverage

__all__ = ["final_cells", "world_cells"]

Float = NDArray[np.float64]

_CONCENTRATION = ("share", "top1", "top3", "hhi", "effective_suppliers")


def world_cells(context: Context) -> Iterator[Cell]:
    """Give the world's rows: by commodity, by stage, by stage and element; then N-1."""
    wanted = context.filters.measures(_CONCENTRATION)
    if wanted:
        made = outputs(context.network)
        for chain in context.network.chains:
            if context.filters.want(chain=chain):
                yield from _by_commodity(context, made, chain, wanted)
                yield from _by_stage(context, made, chain, wanted)
    for chain in context.network.chains:
        if context.filters.want(chain=chain):
            yield from _coverage(context, chain)
            yield from _final_coverage(context, chain)


def _by_commodity(context: Context, made: pl.DataFrame, chain: str, wanted: list[str]) -> Iterator[Cell]:
    for commodity, row in context.info.items():
        wanted_good = context.filters.want(stage=row["stage"], commodity=commodity)
        if row["chain"] == chain and wanted_good and context.carries(commodity):
            some = made.filter(pl.col("commodity") == commodity)
            if some.height:
                yield from _concentration(
                    context, _matrix(context, some), wanted, chain, row["stage"], commodity, None
                )


def _by_stage(context: Context, made: pl.DataFrame, chain: str, wanted: list[str]) -> Iterator[Cell]:
    """Rows of a whole stage: in tonnes where all its goods have one basis, and element by element."""
    activity_stage = context.network.activities["stage"].to_list()
    here = made.filter(pl.col("chain") == chain).with_columns(
        own_stage=pl.col("activity").map_elements(lambda j: activity_stage[j], return_dtype=pl.String)
    )
    for stage in context.stages_of(chain):
        if not context.filters.want(stage=stage, commodity=None):
            continue
        if stage == "concentrate":
            # what leaves a separation plant unseparated is no concentrate output of its own
            some = here.filter(
                (pl.col("commodity_stage") == stage)
                & ((pl.col("type") == "mine") | (pl.col("own_stage") == stage))
            )
        else:
            some = here.filter(pl.col("stage") == stage)
        if not some.height:
            continue
        bases = {context.info[c]["basis"] for c in some["commodity"].unique()}
        if len(bases) == 1 and context.filters.want(element=None):
            yield from _concentration(context, _matrix(context, some), wanted, chain, stage, None, None)
        for element in context.elements.get(chain, ()):
            if context.filters.want(element=element):
                content = context.content(element)
                if content.missing & set(some["commodity"].to_list()):
                    continue
                weighed = _matrix(context, some, content.values)
                if (weighed @ context.network.level).sum() > 0:
                    yield from _concentration(context, weighed, wanted, chain, stage, None, element)


def _matrix(context: Context, made: pl.DataFrame, content: Mapping[str, float] | None = None) -> Float:
    """Tonnes made in each place for a tonne of each level; shape (places, activities)."""
    out = np.zeros((len(context.flat.places), context.network.level.size))
    for j, commodity, place, rate in made.select("activity", "commodity", "place", "per_level").iter_rows():
        factor = 1.0 if content is None else content.get(commodity, 0.0)
        out[context.flat.code(place), j] += rate * factor
    return out


def _concentration(
    context: Context,
    made: Float,
    wanted: list[str],
    chain: str,
    stage: str,
    commodity: str | None,
    element: str | None,
) -> Iterator[Cell]:
    level, sd = context.network.level, context.sd
    tonnes = made @ level
    if tonnes.sum() <= 0:
        return
    total = made.sum(axis=0)
    rest = context.flat.code(REST)
    named = [i for i in np.argsort(-tonnes, kind="stable") if i != rest and tonnes[i] > 0]
    residual = float(tonnes[rest]) if rest >= 0 else 0.0
    place_of = {i: context.flat.places[i] for i in range(tonnes.size)}

    cell = partial(context.cell, place=WORLD, chain=chain, stage=stage, commodity=commodity, element=element)

    def behind(rows: list[int]) -> Float:
        out: Float = made[rows].sum(axis=0) * level
        return out

    everyone = [int(i) for i in np.flatnonzero(tonnes > 0)]
    if "share" in wanted:
        listed = (
            [context.flat.code(context.by)] if context.by else [*named, *([rest] if residual > 0 else [])]
        )
        for i in listed:
            if i < 0:
                caveat = say("assess.caveat_by")
                yield cell(
                    "share", context.undefined(), by=context.by, weight=behind(everyone), caveat=caveat
                )
            else:
                share = ratio(made[i], total, level, sd)
                yield cell("share", share, by=place_of[i], weight=behind([i]))
    if not named:
        return
    quantity = tonnes[named]
    for measure, n in (("top1", 1), ("top3", 3)):
        if measure in wanted:
            bound = top(quantity, n, residual)
            leading = [int(i) for i in named[:n]]
            estimate = ratio(made[leading].sum(axis=0), total, level, sd)
            by = place_of[named[0]] if n == 1 else None
            yield cell(measure, estimate, by=by, weight=behind(leading), bounds=(bound.low, bound.high))
    index = hhi(quantity, residual)
    slope = hhi_gradient(quantity, residual)
    gradient = slope[:-1] @ made[named] + (slope[-1] * made[rest] if residual > 0 else 0.0)
    estimate = Estimate(index.value, np.asarray(gradient, dtype=float), spread(gradient, sd))
    if "hhi" in wanted:
        yield cell("hhi", estimate, by=None, weight=behind(everyone), bounds=(index.low, index.high))
    if "effective_suppliers" in wanted and index.value > 0:
        low, high = estimate.interval(1.0 / tonnes.size, 1.0)
        ends = [effective_suppliers(h) for h in (index.high, low, high) if np.isfinite(h) and h > 0]
        value = effective_suppliers(index.value)
        inverse = Estimate(value, -estimate.gradient * value**2, float("nan"))
        bounds = (min([value, *ends]), max([value, *ends]))
        yield cell(
            "effective_suppliers", inverse, by=None, weight=behind(everyone), bounds=bounds, most=np.inf
        )


def _coverage(context: Context, chain: str) -> Iterator[Cell]:
    """N-1 of each commodity, IEA's two forms."""
    forms = context.filters.measures(FORMS)
    if not forms:
        return
    flows = context.flat
    for commodity, row in context.info.items():
        wanted = context.filters.want(stage=row["stage"], commodity=commodity)
        if row["chain"] != chain or not wanted or not context.carries(commodity):
            continue
        at = flows.made & (flows.commodity[flows.row] == commodity)
        if not at.any():
            continue
        tonnes = np.zeros(len(flows.places))
        np.add.at(tonnes, flows.place[flows.row[at]], flows.weight[at])
        lost = context.leader(tonnes, outside=False)
        if lost < 0 and context.by is None:
            continue
        weight = np.bincount(flows.col[at], weights=flows.weight[at], minlength=flows.level.size)
        for measure in forms:
            estimate = context.undefined()
            if lost >= 0:
                estimate = world_coverage(flows, commodity, lost, context.sd, form=FORMS[measure])
            caveat = (
                None if estimate.defined else "assess.caveat_undefined" if lost >= 0 else "assess.caveat_by"
            )
            yield context.cell(
                measure,
                estimate,
                place=WORLD,
                by=context.by_name(lost),
                chain=chain,
                stage=row["stage"],
                commodity=commodity,
                most=np.inf,
                weight=np.asarray(weight, dtype=float),
                status=None if estimate.defined or lost < 0 else "not_applicable",
                caveat=say(caveat) if caveat else None,
            )


def _final_coverage(context: Context, chain: str) -> Iterator[Cell]:
    """Final-demand N-1 of each element at each stage, and the least over the stages."""
    if not context.filters.measures(("n_minus_1_final",)) or not context.filters.want(commodity=None):
        return
    for element in context.elements.get(chain, ()):
        if context.filters.want(element=element):
            yield from final_cells(context, chain, element, WORLD, _world_final)


def _world_final(
    context: Context, final: FinalCoverage, lost: int
) -> tuple[Estimate, tuple[float, float] | None]:
    return final.world(lost, context.sd), None


def final_cells(
    context: Context,
    chain: str,
    element: str,
    place: str,
    measure: Callable[[Context, FinalCoverage, int], tuple[Estimate, tuple[float, float] | None]],
) -> Iterator[Cell]:
    """Give final-demand N-1 of one element at each stage, then the chain's: the least of its stages.

    Where no state is named, each stage has its own leading one, and the chain has the one without which the
    least is lowest.
    """
    stages = [s for s in context.stages_of(chain) if s != "concentrate"]
    finals = [f for f in (context.final(element, s) for s in stages) if f.made().sum() > 0]
    leaders = [context.leader(f.made(), outside=place != WORLD) for f in finals]
    unknown = bool(context.flows(element).unknown.any())
    cell = partial(context.cell, "n_minus_1_final", place=place, chain=chain, element=element, most=np.inf)

    def row(final: FinalCoverage, lost: int, stage: str | None) -> Cell | None:
        if unknown or (lost < 0 and context.by is not None):
            caveat = say("assess.caveat_content" if unknown else "assess.caveat_by")
            return cell(
                context.undefined(), by=context.by_name(lost), stage=stage, modelled=True, caveat=caveat
            )
        estimate, bounds = measure(context, final, lost)
        if not estimate.defined:
            return None
        weakest = (
            say("assess.caveat_least", stage=say(f"assess.stage_{final.stage}")) if stage is None else None
        )
        return cell(
            estimate, by=context.by_name(lost), stage=stage, bounds=bounds, modelled=True, caveat=weakest
        )

    for final, lost in zip(finals, leaders, strict=True):
        if context.filters.want(stage=final.stage) and (found := row(final, lost, final.stage)):
            yield found
    if not finals or not context.filters.want(stage=None):
        return
    worst: tuple[float, FinalCoverage, int] | None = None
    for lost in sorted(set(leaders)):
        for final in finals:
            value = float("nan") if unknown else measure(context, final, lost)[0].value
            if np.isfinite(value) and (worst is None or value < worst[0]):
                worst = (value, final, lost)
    if worst and (found := row(worst[1], worst[2], None)):
        yield found
