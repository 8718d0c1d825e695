"""The network as the flow of one element: what comes into each node, from what, in tonnes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from monazite.market.measures.content import Contents
from monazite.market.measures.shares import MAKERS, activity_column

if TYPE_CHECKING:
    from monazite.network import Network

__all__ = ["ElementFlows", "domestic_first", "element_flows"]

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Bool = NDArray[np.bool_]

#: levels at or under this many tonnes a year count as no flow
NO_FLOW = 1e-9


@dataclass(frozen=True, eq=False)
class ElementFlows:
    """Inflows and outtakes of one element, m nodes and J activities.

    An *inflow* is what an activity gives to a node, an *outtake* what it takes from one, both in t/yr of
    the element. What comes to a node is mixed there, and every outtake has the node's mix (proportional
    mixing: an assumption, see `domestic_first` for the other end).

    Attributes
    ----------
    element : str or None
        None: plain tonnes, each commodity counted whole.
    node : ndarray, shape (m,)
        The network's node behind each node here.
    place : ndarray, shape (m,)
        Index into `places`.
    places : tuple of str
    commodity, stage : ndarray of str, shape (m,)
    row, col, weight : ndarray, shape (inflows,)
        Node, activity and t/yr of each inflow.
    take_row, take_col, take_weight : ndarray, shape (outtakes,)
        The same of each outtake.
    level : ndarray, shape (J,)
    type : ndarray of str, shape (J,)
    aside : ndarray of bool, shape (J,)
        Where a use, one that only puts material aside: a surplus unsold, a stock built up.
    unknown : ndarray of bool, shape (m,)
        Nodes whose material passed through a commodity of unknown content.
    """

    element: str | None
    node: Int
    place: Int
    places: tuple[str, ...]
    commodity: NDArray[np.str_]
    stage: NDArray[np.str_]
    row: Int
    col: Int
    weight: Float
    take_row: Int
    take_col: Int
    take_weight: Float
    level: Float
    type: NDArray[np.str_]
    aside: Bool
    unknown: Bool

    @property
    def size(self) -> int:
        """Number of nodes."""
        return int(self.node.size)

    @cached_property
    def through(self) -> Float:
        """All inflow of each node, ``x_i``, t/yr; shape (m,)."""
        return _sums(self.row, self.weight, self.size)

    @cached_property
    def part(self) -> Float:
        """Share of each inflow in its node's, ``p_e = w_e / x_i``; shape (inflows,)."""
        return self.weight / self.through[self.row]

    @cached_property
    def mix(self) -> sparse.csr_array:
        """Share of each node in what an activity takes; shape (J, m), rows sum to 1, or to 0 at a source."""
        total = _sums(self.take_col, self.take_weight, self.level.size)
        share = self.take_weight / total[self.take_col]
        return sparse.csr_array((share, (self.take_col, self.take_row)), shape=(self.level.size, self.size))

    @cached_property
    def source(self) -> Bool:
        """Activities that bring the element in from outside the network: mines, old scrap; shape (J,)."""
        taken = np.zeros(self.level.size, dtype=bool)
        taken[self.take_col] = True
        return np.logical_not(taken)

    @cached_property
    def from_source(self) -> Bool:
        """Inflows that sources give; shape (inflows,)."""
        out: Bool = self.source[self.col]
        return out

    @cached_property
    def passing(self) -> sparse.csr_array:
        """Share of each node in each node's supply, one step back; shape (m, m). Sources add to none."""
        return self.steps(~self.from_source)

    def steps(self, inflows: Bool, *, gain: bool = False) -> sparse.csr_array:
        """Return ``M_ik = Σ_e p_e g_j a_jk`` over some inflows (g = 1 unless losses count); shape (m, m)."""
        part = self.part * self.gain[self.col] if gain else self.part
        walk = sparse.csr_array(
            (part[inflows], (self.row[inflows], self.col[inflows])), shape=(self.size, self.level.size)
        )
        return sparse.csr_array(walk @ self.mix)

    @cached_property
    def made(self) -> Bool:
        """Inflows that are made at the node's place, not brought there by trade; shape (inflows,)."""
        return np.asarray(np.isin(self.type[self.col], MAKERS), dtype=bool)

    @cached_property
    def side_scrap(self) -> Bool:
        """Inflows of scrap that falls off in making something else; shape (inflows,)."""
        scrap = (self.stage[self.row] == "recycle") & self.made & (self.type[self.col] != "recycle")
        main = np.zeros(self.level.size, dtype=bool)
        main[self.col[~scrap]] = True
        out: Bool = scrap & main[self.col]
        return out

    @cached_property
    def gain(self) -> Float:
        """Element taken for each tonne of it given in the main products, 1 / yield; shape (J,)."""
        keep = ~self.side_scrap
        given = _sums(self.col[keep], self.weight[keep], self.level.size)
        taken = _sums(self.take_col, self.take_weight, self.level.size)
        return np.divide(taken, given, out=np.ones_like(taken), where=(given > 0) & (taken > 0))

    @cached_property
    def final(self) -> Bool:
        """Outtakes by end uses (material put aside is not used); shape (outtakes,)."""
        out: Bool = (self.type[self.take_col] == "use") & ~self.aside[self.take_col]
        return out

    @cached_property
    def domestic(self) -> Bool:
        """Outtakes by plants and end uses at the node's place; shape (outtakes,)."""
        out: Bool = self.final | np.isin(self.type[self.take_col], MAKERS)
        return out

    def code(self, place: str) -> int:
        """Index of a place, -1 where nothing of the network is there."""
        return self.places.index(place) if place in self.places else -1


def element_flows(network: Network, content: Contents | None) -> ElementFlows:
    """Weigh a network's flows with the content of one element: ``level × |coefficient| × content``.

    Parameters
    ----------
    network : Network
        Balanced.
    content : Contents or None
        None: plain tonnes of each commodity, for what needs no element (who sells to whom).

    Returns
    -------
    ElementFlows
        Only what has a level and a content; a plant that takes in none of the element gives none, whatever
        the mean content of its product (light magnets and dysprosium). Commodities of unknown content are
        left out, and what comes out of them is marked `unknown`.
    """
    places = tuple(sorted(set(network.nodes["place"].to_list())))
    code = {p: i for i, p in enumerate(places)}
    commodity = network.nodes["commodity"].to_list()
    if content is None:
        kappa = np.ones(len(commodity))
    else:
        kappa = np.array([np.nan if c in content.missing else content.values.get(c, 0.0) for c in commodity])
    flow = network.flow.tocoo()
    level = np.asarray(network.level, dtype=float)
    row, col = flow.coords[0].astype(np.int64), flow.coords[1].astype(np.int64)
    tonnes = flow.data * level[col]
    live = level[col] > NO_FLOW
    weight = np.abs(tonnes) * kappa[row]
    with np.errstate(invalid="ignore"):
        give = live & (flow.data > 0) & (weight > 0)
        take = live & (flow.data < 0) & (weight > 0)
    blank = live & np.isnan(kappa[row])
    give, take = _carried(give, take, row, col, live & (flow.data < 0), blank & (flow.data < 0))
    form = activity_column(network, "form")
    ends = activity_column(network, "stage", "product")
    return ElementFlows(
        element=content.element if content else None,
        node=np.arange(len(commodity)),
        place=np.array([code[p] for p in network.nodes["place"].to_list()], dtype=np.int64),
        places=places,
        commodity=np.array(commodity, dtype=str),
        stage=np.array(network.nodes["stage"].to_list(), dtype=str),
        row=row[give],
        col=col[give],
        weight=weight[give],
        take_row=row[take],
        take_col=col[take],
        take_weight=weight[take],
        level=level,
        type=np.array([str(t) for t in activity_column(network, "type")], dtype=str),
        aside=np.array(
            [f == "unsold" or s != "product" for f, s in zip(form, ends, strict=True)], dtype=bool
        ),
        unknown=_unknown(len(commodity), row, col, flow.data, live, blank),
    )


def _carried(give: Bool, take: Bool, row: Int, col: Int, takes: Bool, blank: Bool) -> tuple[Bool, Bool]:
    """Drop what a mean content says but no recipe brings.

    A plant that takes goods but none with the element gives none, and from a node that gets none nothing is
    taken; and so on downstream. Inputs of unknown content may bring it.
    """
    plants = np.zeros(int(col.max(initial=0)) + 1, dtype=bool)
    plants[col[takes]] = True
    while True:
        brings, fed = np.zeros(plants.size, dtype=bool), np.zeros(int(row.max(initial=0)) + 1, dtype=bool)
        brings[col[take | blank]] = True
        less_give = give & (brings | ~plants)[col]
        fed[row[less_give]] = True
        less_take = take & fed[row]
        if less_give.sum() == give.sum() and less_take.sum() == take.sum():
            return give, take
        give, take = less_give, less_take


def _unknown(n: int, row: Int, col: Int, data: Float, live: Bool, blank: Bool) -> Bool:
    """Follow material of unknown content downstream."""
    unknown = np.zeros(n, dtype=bool)
    unknown[row[blank]] = True
    if not unknown.any():
        return unknown
    take, give = live & (data < 0), live & (data > 0)
    while True:
        hit = np.zeros(int(col.max()) + 1, dtype=bool)
        hit[col[take & unknown[row]]] = True
        grown = unknown.copy()
        grown[row[give & hit[col]]] = True
        if (grown == unknown).all():
            return grown
        unknown = grown


def domestic_first(flows: ElementFlows) -> ElementFlows:
    """Split each node in two: what a place makes serves the place first, only the rest is exported.

    The other end from proportional mixing: nodes ``0 … m−1`` serve plants and uses at the place, nodes
    ``m … 2m−1`` its exports. Own output goes to the first until they are served, then to the second; imports
    fill what is left.
    """
    m = flows.size
    trade = flows.type[flows.col] == "trade"
    own = _sums(flows.row[~trade], flows.weight[~trade], m)
    bought = _sums(flows.row[trade], flows.weight[trade], m)
    leaves = flows.type[flows.take_col] == "trade"
    home = _sums(flows.take_row[~leaves], flows.take_weight[~leaves], m)
    abroad = _sums(flows.take_row[leaves], flows.take_weight[leaves], m)
    home = np.where(abroad > 0, np.minimum(home, own + bought), own + bought)
    own_home = np.minimum(own, home)
    bought_home = np.minimum(bought, home - own_home)
    kept = np.where(trade, _over(bought_home, bought)[flows.row], _over(own_home, own)[flows.row])
    # an export node that nothing is left for keeps the mix of the whole
    empty = (own + bought - own_home - bought_home <= NO_FLOW) & (abroad > 0)
    rest = np.where(empty[flows.row], 1.0, 1.0 - kept)
    row = np.concatenate([flows.row, flows.row + m])
    weight = np.concatenate([flows.weight * kept, flows.weight * rest])
    some = weight > 0
    return replace(
        flows,
        node=np.tile(flows.node, 2),
        place=np.tile(flows.place, 2),
        commodity=np.tile(flows.commodity, 2),
        stage=np.tile(flows.stage, 2),
        row=row[some],
        col=np.tile(flows.col, 2)[some],
        weight=weight[some],
        take_row=np.where(leaves, flows.take_row + m, flows.take_row),
        unknown=np.tile(flows.unknown, 2),
    )


def _over(part: Float, whole: Float) -> Float:
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)


def _sums(at: Int, weight: Float, size: int) -> Float:
    return np.asarray(np.bincount(at, weights=weight, minlength=size), dtype=float)
