"""Tracing: where an element comes from, where it was made into what, and which states it passed through.

One linear system serves all: what node *i* holds of an attribute is the mix of what flows in,

    h_i = Σ_e p_e u_e,    u_e = a mark, or  g_j Σ_k a_jk h_k  (what the giving activity j took in)

with ``p_e`` the share of inflow *e* in the node, ``a_jk`` the share of node *k* in what *j* takes. Marks
say where the walk stops: at the mine, at the last plant of a stage, at the border, at any node of a state.
The network has loops (scrap, re-exports), so the system is solved, not walked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import SuperLU, splu

from monazite.market.measures.flows import ElementFlows
from monazite.market.measures.shares import Estimate, spread

__all__ = [
    "Demand",
    "Marks",
    "Traced",
    "bought_marks",
    "demand",
    "mined_marks",
    "origins",
    "requirement_marks",
    "solve",
    "stage_marks",
    "touch_everywhere",
    "touch_marks",
]

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Bool = NDArray[np.bool_]

#: changes of a share by a whole level that are rounding and nothing else
ROUNDING = 1e-12


def origins(flow: Float, own: Float) -> Float:
    """Return where the supply of each place was made, one traded good, proportional mixing.

    ``x = inflow + own production``, ``A_ji = F_ij / x_j``, ``O = (I − A)⁻¹ diag(p / x)``.

    Parameters
    ----------
    flow : ndarray, shape (n, n)
        ``F[i, j]`` tonnes from i to j.
    own : ndarray, shape (n,)
        Own production p, tonnes.

    Returns
    -------
    ndarray, shape (n, n)
        ``O[j, i]``: share of j's supply that was made in i. Rows sum to 1; NaN where a place has no supply.

    Notes
    -----
    Kastner, Kastner & Nonhebel, *Ecological Economics* 70 (2011) 1032-1040: the origin of traded goods with
    re-exports, by proportional mixing.

    Examples
    --------
    A sells 90 to B and 5 to C, B 40 to C and 30 to D, C 10 to D; D buys nothing from A, yet:

    >>> F = np.zeros((4, 4)); F[0, 1], F[0, 2], F[1, 2], F[1, 3], F[2, 3] = 90, 5, 40, 30, 10
    >>> float(origins(F, np.array([100.0, 2.0, 1.0, 0.0]))[3, 0].round(4))
    0.9735
    """
    flow, own = np.asarray(flow, dtype=float), np.asarray(own, dtype=float)
    x = flow.sum(axis=0) + own
    held = x > 0
    a = np.divide(flow.T, x[:, None], out=np.zeros_like(flow), where=held[:, None])
    made = np.divide(own, x, out=np.zeros_like(own), where=held)
    out: Float = np.linalg.solve(np.eye(x.size) - a, np.diag(made))
    out[~held] = np.nan
    return out


@dataclass(frozen=True, eq=False)
class Marks:
    """Where a trace stops, and what it then counts.

    Attributes
    ----------
    stop : ndarray of bool, shape (inflows,)
        Inflows at which the walk ends.
    value : ndarray, shape (inflows, k)
        What an inflow counts where it stops, one column a question.
    held : ndarray of bool, shape (m,)
        Nodes at which the walk ends.
    held_value : ndarray, shape (m, k)
    gain : bool
        Whether losses count: True asks how much had to be made for a tonne, False in what part it was.
    """

    stop: Bool
    value: Float
    held: Bool
    held_value: Float
    gain: bool = False


@dataclass(frozen=True, eq=False)
class Demand:
    """A basket of outtakes whose mean is asked for: nodes, activities, t/yr of the element."""

    row: Int
    col: Int
    weight: Float

    @property
    def total(self) -> float:
        """Tonnes of the element."""
        return float(self.weight.sum())


def demand(flows: ElementFlows, chosen: Bool) -> Demand:
    """Gather chosen outtakes (mask over outtakes) into a `Demand`."""
    return Demand(flows.take_row[chosen], flows.take_col[chosen], flows.take_weight[chosen])


@dataclass(frozen=True, eq=False)
class Traced:
    """A solved trace.

    Attributes
    ----------
    flows : ElementFlows
    marks : Marks
    held : ndarray, shape (m, k)
        ``h``: what each node holds of each attribute; 0 where nothing comes in.
    unsourced : ndarray of bool, shape (m,)
        Nodes fed by a closed loop only, with no origin at all.
    """

    flows: ElementFlows
    marks: Marks
    held: Float
    unsourced: Bool
    _free: Bool
    _factor: SuperLU | None

    def mean(self, basket: Demand, column: int = 0) -> float:
        """Return the attribute of a basket, ``v = Σ w_n h_n / Σ w_n``; NaN for an empty one."""
        return float("nan") if basket.total <= 0 else self.total(basket, column) / basket.total

    def means(self, basket: Demand) -> Float:
        """Return `mean` for all columns at once, shape (k,)."""
        if basket.total <= 0:
            return np.full(self.held.shape[1], np.nan)
        out: Float = basket.weight @ self.held[basket.row] / basket.total
        return out

    def total(self, basket: Demand, column: int = 0) -> float:
        """Return ``Σ w_n h_n``, t/yr."""
        return float(basket.weight @ self.held[basket.row, column])

    def total_gradient(self, basket: Demand, column: int = 0) -> Float:
        """Return the derivative of `total` to every level, from one adjoint solve.

        ``(I − M)ᵀ λ = w``; ``∂/∂x_j = Σ_e λ_i p_e (u_e − h_i) / x_j`` over the inflows e of activity j, plus
        what the basket's own uses add.

        Returns
        -------
        ndarray, shape (activities,)
        """
        flows, h = self.flows, self.held[:, column]
        gradient = np.zeros(flows.level.size)
        np.add.at(gradient, basket.col, basket.weight / flows.level[basket.col] * h[basket.row])
        w = np.bincount(basket.row, weights=basket.weight, minlength=flows.size)
        if self._factor is None or not (w[self._free] != 0).any():
            return gradient
        adjoint = np.zeros(flows.size)
        adjoint[self._free] = self._factor.solve(w[self._free], trans="T")  # type: ignore[call-overload]
        brought = self._inputs(h)
        u = np.where(self.marks.stop, self.marks.value[:, column], brought[flows.col])
        change = adjoint[flows.row] * flows.part * (u - h[flows.row]) / flows.level[flows.col]
        np.add.at(gradient, flows.col, np.where(self._free[flows.row], change, 0.0))
        return gradient

    def total_gradients(self, weight: Float, columns: Int) -> Float:
        """Return what `total_gradient` does for many baskets at once, without what their own uses add.

        Parameters
        ----------
        weight : ndarray, shape (m, baskets)
            t/yr that each basket takes at each node.
        columns : ndarray, shape (baskets,)
            The question of each basket.

        Returns
        -------
        ndarray, shape (activities, baskets)
        """
        flows = self.flows
        out = np.zeros((flows.level.size, columns.size))
        if self._factor is None or not columns.size:
            return out
        adjoint = np.zeros((flows.size, columns.size))
        adjoint[self._free] = self._factor.solve(weight[self._free], trans="T")  # type: ignore[call-overload]
        h = self.held[:, columns]
        brought = self._inputs(h)
        u = np.where(self.marks.stop[:, None], self.marks.value[:, columns], brought[flows.col])
        scale = np.where(self._free[flows.row], flows.part / flows.level[flows.col], 0.0)
        change = adjoint[flows.row] * (u - h[flows.row]) * scale[:, None]
        np.add.at(out, flows.col, change)
        return out

    def estimate(self, basket: Demand, sd: Float, column: int = 0) -> Estimate:
        """Return `mean` with gradient and first-order standard deviation (`sd`: one a level, t/yr)."""
        value = self.mean(basket, column)
        if not np.isfinite(value):
            return Estimate(value, np.zeros(self.flows.level.size), float("nan"))
        gradient = self.total_gradient(basket, column)
        np.add.at(gradient, basket.col, -value * basket.weight / self.flows.level[basket.col])
        gradient /= basket.total
        # a share that no level moves (all of it, or none) has no slope, only rounding
        gradient[np.abs(gradient) * self.flows.level < ROUNDING] = 0.0
        return Estimate(value, gradient, spread(gradient, sd))

    def _inputs(self, h: Float) -> Float:
        took: Float = self.flows.mix @ h
        return took * self.flows.gain if self.marks.gain else took


def solve(flows: ElementFlows, marks: Marks) -> Traced:
    """Solve a trace for all nodes and all questions of its marks.

    Raises nothing: a node that only a closed loop feeds gets 0 and is listed in `Traced.unsourced`.
    """
    m, k = flows.size, marks.value.shape[1]
    supplied = flows.through > 0
    through_all = marks.stop is flows.from_source and not marks.gain
    matrix = flows.passing if through_all else flows.steps(~marks.stop, gain=marks.gain)
    grounded = marks.held.copy()
    grounded[flows.row[marks.stop]] = True
    grounded = _reach(matrix, grounded)
    free = supplied & ~marks.held & grounded
    h = np.where(marks.held[:, None], marks.held_value, 0.0)
    factor: SuperLU | None = None
    if free.any():
        right = np.zeros((m, k))
        np.add.at(right, flows.row[marks.stop], flows.part[marks.stop, None] * marks.value[marks.stop])
        right += matrix @ h
        inner = sparse.csc_array(sparse.eye_array(int(free.sum())) - matrix[free][:, free])
        factor = splu(inner)
        h[free] = factor.solve(right[free])
    return Traced(flows, marks, h, supplied & ~marks.held & ~grounded, free, factor)


def _reach(matrix: sparse.csr_array, start: Bool) -> Bool:
    """Nodes that something marked flows into, at any distance."""
    reached = start.copy()
    while True:
        grown = reached | (matrix @ reached.astype(float) > 0)
        if (grown == reached).all():
            return reached
        reached = grown


def _by_place(flows: ElementFlows) -> Float:
    """One column a place: 1 where an inflow's node is there; shape (inflows, places)."""
    out: Float = (flows.place[flows.row][:, None] == np.arange(len(flows.places))).astype(float)
    return out


def _nothing_held(flows: ElementFlows, k: int) -> tuple[Bool, Float]:
    return np.zeros(flows.size, dtype=bool), np.zeros((flows.size, k))


def mined_marks(flows: ElementFlows) -> Marks:
    """Mark the origin: column s counts what came out of the ground in place s.

    Scrap that comes from outside the network (old scrap) was mined nowhere that is known: it counts for no
    place. Scrap made within it carries its origin through the loop.
    """
    source = flows.from_source
    ground = source & (flows.type[flows.col] != "recycle")
    return Marks(source, _by_place(flows) * ground[:, None], *_nothing_held(flows, len(flows.places)))


def stage_marks(flows: ElementFlows, stage: str) -> Marks:
    """Mark the last step of a stage: column s counts what was last made into a good of `stage` in place s.

    ``mine`` is `mined_marks`. Oxide recovered from scrap was last refined where it was recovered.
    """
    if stage == "mine":
        return mined_marks(flows)
    made = flows.made & (flows.stage[flows.row] == stage)
    return Marks(
        made | flows.source[flows.col],
        _by_place(flows) * made[:, None],
        *_nothing_held(flows, len(flows.places)),
    )


def touch_marks(flows: ElementFlows, place: int) -> Marks:
    """Mark every node of one place: what passes any of them at any stage is counted, once."""
    held = flows.place == place
    zero = np.zeros((flows.row.size, 1))
    return Marks(flows.from_source, zero, held, held[:, None].astype(float))


def touch_everywhere(flows: ElementFlows) -> Float:
    """Return the touch share of every node with every place, from one factorisation.

    With ``G = (I − M)⁻¹`` the chance to meet a set S of nodes on the way back to the origin is
    ``G[:, S] G[S, S]⁻¹ 1``: the same figures as `touch_marks` solved place by place (those also give
    derivatives and paths).

    Returns
    -------
    ndarray, shape (m, places)
    """
    grounded = np.zeros(flows.size, dtype=bool)
    grounded[flows.row[flows.from_source]] = True
    free = (flows.through > 0) & _reach(flows.passing, grounded)
    live = np.flatnonzero(free)
    visits = np.linalg.inv(np.eye(live.size) - flows.passing[live][:, live].toarray())
    out = np.zeros((flows.size, len(flows.places)))
    for place in range(len(flows.places)):
        at = np.flatnonzero(flows.place[live] == place)
        if at.size:
            chance = np.linalg.solve(visits[np.ix_(at, at)], np.ones(at.size))
            out[live, place] = visits[:, at] @ chance
        out[flows.place == place, place] = 1.0
    return out


def bought_marks(flows: ElementFlows, members: frozenset[int]) -> Marks:
    """Mark the border of a group: column s counts what entered straight from place s, at this very stage.

    What members make themselves is their own; what they sell each other keeps what it was.
    """
    inside = np.isin(flows.place, sorted(members))
    trade = flows.type[flows.col] == "trade"
    start = np.full(flows.level.size, -1, dtype=np.int64)
    start[flows.take_col] = flows.place[flows.take_row]
    seller = start[flows.col]
    foreign = trade & ~np.isin(seller, [-1, *sorted(members)])
    value = np.zeros((flows.row.size, len(flows.places)))
    at = np.flatnonzero(foreign)
    value[at, seller[at]] = 1.0
    return Marks(~trade | foreign, value, ~inside, np.zeros((flows.size, len(flows.places))))


def requirement_marks(flows: ElementFlows, stage: str) -> Marks:
    """Mark what had to be made at a stage for a tonne: column 0 in all, column 1 + s in place s.

    Losses are charged to the main product; scrap that falls off carries none, so that the needs of all
    end uses (and of surplus put aside) add up to the whole output of the stage, recycled material included.
    At the stage ``mine`` that is all that comes in from outside: mined, or recovered from old scrap.
    """
    marks = stage_marks(flows, stage)
    counted = _by_place(flows) if stage == "mine" else marks.value
    stop = marks.stop | flows.side_scrap
    value = np.where(flows.side_scrap[:, None] | ~stop[:, None], 0.0, counted)
    value = np.column_stack([value.sum(axis=1), value])
    return Marks(stop, value, *_nothing_held(flows, value.shape[1]), gain=True)
