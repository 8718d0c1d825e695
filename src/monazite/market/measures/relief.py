"""What would help where a state stops sending: unused capacity, stocks and other forms, as facts have them.

All in one currency, tonnes of one element, so that a mine, a separation plant and a magnet works can stand
side by side. They do not add up along the chain: what is mined more must be separated more.

    spare_capacity  s_j = y_j · max(K_j − x_j, 0)     y_j: element in the main products for a tonne of level
    sent_abroad     e_c = κ_c · Σ exports of the state of commodity c          κ_c: content
    other_form      the same, of the commodities that are not named
    spare_coverage     S_k = Σ_{j at stage k, outside} s_j / Σ_{c at stage k or later} e_c
    stock_held      h = κ_c · months / 12 · (throughput of traders and plants, or use of users)
    stock_months    Σ stocks outside / (use outside / 12)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from monazite.core.range import Range
from monazite.market.measures.content import Contents
from monazite.market.measures.outside import MONTHS, WORLD, Help, Outside, total_of

if TYPE_CHECKING:
    from monazite.network import Network

__all__ = ["RELIEF", "Help", "relief"]

#: measures of this module, in the order of the table
RELIEF = ("spare_capacity", "spare_coverage", "sent_abroad", "other_form", "stock_held", "stock_months")
_RECYCLE = "recycle"


def relief(
    network: Network,
    content: Contents,
    by: str,
    *,
    members: Collection[str] = (),
    name: str | None = None,
    named: Collection[str] | None = None,
) -> list[Help]:
    """Find what the facts know that would help if a state sent nothing more of an element.

    Parameters
    ----------
    network : Network
    content : Contents
        Of the element.
    by : str
        The state.
    members : collection of str
        Places of the subject; how much of the help lies there is told in rows of its own.
    name : str, optional
        How the subject is called.
    named : collection of str, optional
        Commodities that are restricted or asked about; all that carry the element when absent. Only what
        stands in for them counts: capacity at their stages and before.

    Returns
    -------
    list of Help
        Capacities and stocks outside the state. A stage with no plant of known capacity has a sum without
        figure: missing is not zero.

    Examples
    --------
    The toy's facts know neither capacities nor stocks; China sends 15 t in metal and 12 t in widgets abroad:

    >>> from monazite.market.measures import contents
    >>> from monazite.network import toy
    >>> net = toy()
    >>> found = relief(net, contents(net, "Ty"), "CHN")
    >>> [(h.measure, h.commodity, round(h.figure.value, 6)) for h in found if h.figure]
    [('sent_abroad', None, 27.0), ('sent_abroad', 'toy_metal', 15.0), ('sent_abroad', 'toy_widget', 12.0)]
    >>> [(h.measure, h.stage, h.unknown) for h in found if not h.figure]
    [('spare_capacity', 'mine', 1), ('spare_capacity', 'metal', 1), ('spare_capacity', 'component', 2)]
    """
    world = Outside(network, content, by)
    chosen = frozenset(world.content) if named is None else frozenset(named) & frozenset(world.content)
    if not chosen:
        return []
    sent = [_renamed(h, chosen) for h in world.sent()]
    made = [world.stage[c] for c in chosen if world.stage[c] != _RECYCLE] or [_RECYCLE]
    last = max(world.order[stage] for stage in made)
    stages = [s for s in world.stages if world.order[s] <= last or s == _RECYCLE]
    spare = [h for h in world.spare() if h.stage in stages]
    stocks = world.stocks()
    inside = (name, frozenset(members)) if name and members else None
    lost = [h for h in sent if h.measure == "sent_abroad"]
    return [
        *spare,
        *_spare_totals(world, stages, spare, lost, inside),
        *([total_of(lost, by)] if lost else []),
        *sent,
        *stocks,
        *_stock_totals(world, stocks, inside),
    ]


def _renamed(sent: Help, chosen: frozenset[str]) -> Help:
    return sent if sent.commodity in chosen else replace(sent, measure="other_form")


def _spare_totals(
    world: Outside,
    stages: list[str],
    spare: list[Help],
    sent: list[Help],
    inside: tuple[str, frozenset[str]] | None,
) -> list[Help]:
    """Unused capacity at each stage outside the state, and over what the state sends abroad."""
    found: list[Help] = []
    for stage in stages:
        here = [h for h in spare if h.stage == stage]
        replaces = [h for h in sent if _after(world, stage, h.stage or "")]
        unknown = world.unknown(stage)
        if not here:
            found.append(
                Help("spare_capacity", WORLD, None, "t/yr", "assumed", None, stage=stage, unknown=unknown)
            )
        for name, places in ((WORLD, None), *([inside] if inside else [])):
            some = [h for h in here if places is None or h.place in places]
            if not some:
                continue
            total = replace(total_of(some, name), stage=stage, unknown=unknown if name == WORLD else 0)
            found.append(total)
            if replaces:
                found.append(_over(total, total_of(replaces, world.by), "spare_coverage", "1"))
    return found


def _over(top: Help, bottom: Help, measure: str, unit: str, scale: float = 1.0) -> Help:
    """A ratio of two figures with its derivatives; the ends of both work against each other."""
    a, b = top.figure, bottom.figure
    if a is None or b is None or b.value <= 0:
        return replace(top, measure=measure, unit=unit, figure=None)
    figure = Range(a.low / b.high, a.value / b.value, a.high / max(b.low, 1e-3 * b.value)).scaled(scale)
    levels = defaultdict(float, {j: scale * slope / b.value for j, slope in top.levels.items()})
    for j, slope in bottom.levels.items():
        levels[j] -= figure.value * slope / b.value
    facts = tuple(dict.fromkeys([*top.facts, *bottom.facts]))
    return replace(top, measure=measure, unit=unit, figure=figure, levels=dict(levels), facts=facts)


def _after(world: Outside, stage: str, other: str) -> bool:
    """Whether goods of another stage were made at a stage or after it; what is recycled skips the mine."""
    first = "refine" if stage == _RECYCLE else "concentrate" if stage == "mine" else stage
    return other != _RECYCLE and world.order[other] >= world.order[first]


def _stock_totals(
    world: Outside, stocks: list[Help], inside: tuple[str, frozenset[str]] | None
) -> list[Help]:
    """All stocks outside the state, and how many months of end use there they are."""
    found: list[Help] = []
    for name, places in ((WORLD, None), *([inside] if inside else [])):
        some = [h for h in stocks if places is None or h.place in places]
        if not some:
            continue
        total = total_of(some, name)
        found.append(total)
        use = world.use(places)
        if use is not None:
            found.append(_over(total, use, "stock_months", "month", MONTHS))
    return found
