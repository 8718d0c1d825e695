"""N-1 coverage: what is still covered when the supply of one state is gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from monazite.market.measures.flows import ElementFlows
from monazite.market.measures.shares import Estimate, ratio, spread
from monazite.market.measures.tracing import Demand, Traced, demand, requirement_marks, solve

__all__ = [
    "FinalCoverage",
    "Form",
    "final_coverage",
    "group_coverage",
    "n_minus_1",
    "stage_output",
    "world_coverage",
]

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
Form = Literal["iea", "demand"]


def n_minus_1(
    supply: float, demand: float, lost_supply: float, lost_demand: float = 0.0, *, form: Form = "iea"
) -> float | None:
    """Return N-1 coverage of one thing without its leading (or any one) supplier.

    ``iea``: ``(S − S₁) / (D − D₁)``; ``demand``: ``(S − S₁) / D``.

    Parameters
    ----------
    supply, demand : float
        World supply S and demand D, tonnes of one basis.
    lost_supply, lost_demand : float
        Those of the state that drops out.

    Returns
    -------
    float or None
        None where nothing is demanded of the rest: undefined, not infinite and not zero.

    Notes
    -----
    IEA, Global Critical Minerals Outlook 2025. The first form leaves out what the state turns into goods for
    everyone else, and so flatters upstream stages: see `final_coverage`.

    Examples
    --------
    >>> n_minus_1(100.0, 100.0, 70.0, 40.0), n_minus_1(100.0, 100.0, 70.0, form="demand")
    (0.5, 0.3)
    >>> n_minus_1(10.0, 8.0, 10.0, 2.0)
    0.0
    >>> n_minus_1(0.0, 0.0, 0.0) is None
    True
    """
    needed = demand - (lost_demand if form == "iea" else 0.0)
    return None if needed <= 0 else (supply - lost_supply) / needed


def stage_output(flows: ElementFlows, stage: str) -> Float:
    """Count, for each place, the tonnes of stage output that each activity gives for a tonne of level.

    The stage ``mine`` counts all that comes in from outside the network: mined, or recovered from old scrap.

    Returns
    -------
    ndarray, shape (places, activities)
        ``@ flows.level`` is the output of the stage by place, t/yr of the element.
    """
    if stage == "mine":
        at = flows.from_source
    else:
        at = flows.made & (flows.stage[flows.row] == stage)
    out = np.zeros((len(flows.places), flows.level.size))
    np.add.at(out, (flows.place[flows.row[at]], flows.col[at]), flows.weight[at] / flows.level[flows.col[at]])
    return out


def world_coverage(flows: ElementFlows, commodity: str, place: int, sd: Float, *, form: Form) -> Estimate:
    """Return N-1 coverage of the world outside one place, for one commodity (see `n_minus_1`).

    Supply is what makers give, demand what plants and end uses take; trade and surplus put aside count in
    neither. `flows` in plain tonnes.
    """
    give = flows.made & (flows.commodity[flows.row] == commodity) & (flows.place[flows.row] != place)
    take = flows.domestic & (flows.commodity[flows.take_row] == commodity)
    if form == "iea":
        take &= flows.place[flows.take_row] != place
    level = flows.level
    top, bottom = np.zeros_like(level), np.zeros_like(level)
    np.add.at(top, flows.col[give], flows.weight[give] / level[flows.col[give]])
    np.add.at(bottom, flows.take_col[take], flows.take_weight[take] / level[flows.take_col[take]])
    return ratio(top, bottom, level, sd)


def group_coverage(bought: Traced, basket: Demand, place: int, sd: Float, *, form: Form) -> Estimate:
    """Return N-1 coverage of a group's use: what does not come straight from the place, over the use.

    ``Σ_{i ≠ s} D_i (1 − d_i) / Σ D_i`` with d the share bought from the place (`tracing.bought_marks`); form
    ``iea`` leaves the place's own use out of the denominator when it is a member.
    """
    flows = bought.flows
    outside = flows.place[basket.row] != place
    rest = Demand(basket.row[outside], basket.col[outside], basket.weight[outside])
    bottom = rest if form == "iea" else basket
    if bottom.total <= 0:
        return Estimate(float("nan"), np.zeros_like(flows.level), float("nan"))
    value = (rest.total - bought.total(rest, place)) / bottom.total
    gradient = -bought.total_gradient(rest, place)
    np.add.at(gradient, rest.col, rest.weight / flows.level[rest.col])
    np.add.at(gradient, bottom.col, -value * bottom.weight / flows.level[bottom.col])
    gradient /= bottom.total
    return Estimate(value, gradient, spread(gradient, sd))


@dataclass(frozen=True, eq=False)
class FinalCoverage:
    """Final-demand N-1 of one element at one stage, ready for any place and group.

    Attributes
    ----------
    stage : str
    output : ndarray, shape (places, activities)
        `stage_output`.
    need : Traced
        ``requirement_marks`` solved: what had to be made at this stage for a tonne at each node.
    """

    stage: str
    output: Float
    need: Traced

    @property
    def flows(self) -> ElementFlows:
        """The element's flows."""
        return self.need.flows

    def made(self) -> Float:
        """Output of the stage by place, t/yr of the element."""
        out: Float = self.output @ self.flows.level
        return out

    def basket(self, members: frozenset[int] | None = None, without: int = -1) -> Demand:
        """Final uses of a group (None: everywhere), those in one place left out."""
        flows = self.flows
        at = flows.place[flows.take_row]
        chosen = flows.final & (at != without)
        if members is not None:
            chosen &= np.isin(at, sorted(members))
        return demand(flows, chosen)

    def world(self, place: int, sd: Float) -> Estimate:
        """Return others' output over others' final use in this stage's equivalent."""
        flows = self.flows
        supply = np.delete(self.output, place, axis=0).sum(axis=0) if place >= 0 else self.output.sum(axis=0)
        uses = self.basket(without=place)
        bottom = self.need.total(uses)
        if bottom <= 0:
            return Estimate(float("nan"), np.zeros_like(flows.level), float("nan"))
        value = float(supply @ flows.level) / bottom
        gradient = (supply - value * self.need.total_gradient(uses)) / bottom
        return Estimate(value, gradient, spread(gradient, sd))

    def group(self, members: frozenset[int], place: int, sd: Float) -> Estimate:
        """Return the part of a group's final use whose needs at this stage are met elsewhere today."""
        flows = self.flows
        uses = self.basket(members, without=place)
        bottom = self.need.total(uses)
        if bottom <= 0:
            return Estimate(float("nan"), np.zeros_like(flows.level), float("nan"))
        if place < 0:
            return Estimate(1.0, np.zeros_like(flows.level), 0.0)
        lost = self.need.total(uses, 1 + place) / bottom
        gradient = lost * self.need.total_gradient(uses) - self.need.total_gradient(uses, 1 + place)
        gradient /= bottom
        return Estimate(1.0 - lost, gradient, spread(gradient, sd))

    def own(self, members: frozenset[int], place: int) -> float:
        """Return a group's own output at this stage over its final use in the stage's equivalent."""
        bottom = self.need.total(self.basket(members, without=place))
        if bottom <= 0:
            return float("nan")
        made = self.made()
        return float(sum(made[m] for m in members if m != place) / bottom)


def final_coverage(flows: ElementFlows, stage: str) -> FinalCoverage:
    """Prepare final-demand N-1 at one stage: non-s supply over non-s *final* use in the stage's equivalent.

    What the state makes for others is part of the others' need here: their final use is translated back,
    loss by loss, into what had to be mined, refined, … for it. A chain's figure is the least over its
    stages.

    """
    return FinalCoverage(stage, stage_output(flows, stage), solve(flows, requirement_marks(flows, stage)))
