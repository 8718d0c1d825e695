"""Newton's method on the dual of a market: the steps, the parts settled first, the bend taken away.

Levels balance every node exactly where the convex function

    φ(y) = Σ_j max_{l ≤ x ≤ u} {(A_jᵀy − c_j) x − ½ a_j x²} − bᵀy

is least: its gradient is A x(y) − b, its generalised Hessian A D Aᵀ, D = 1/a at the activities strictly
between their bounds and 0 elsewhere (docs/method.md, 3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monazite.market.dual import Market, State
from monazite.market.loops import search
from monazite.market.problem import Array
from monazite.market.symbolic import Integers

__all__ = ["DAMPING", "ROUNDING", "descend", "settle"]

#: keeps the price of a node without a free activity near: this share of its throughput per base price
DAMPING = 1e-3
#: and at least this share of the diagonal
ROUNDING = 1e-11
_CG_STEPS, _CG_FRESH = 12, 8
_CG_FAR, _CG_NEAR, _NEAR = 1e-1, 1e-3, 1e-3
_POLISH, _EXACT = 3, 1e-12
#: the first bend, as a share of what goes through a node in the middle; how it shrinks, and where it ends
_BEND, _SHRINK, _LEAST_BEND = 1e-6, 0.1, 1e-15
#: the bend shrinks once no node is out of balance by more than this share of its throughput
_SETTLED = 0.03
#: farther from balance than this share of throughput, parts are settled first; how often in vain
_FAR, _FUTILE = 1e-1, 3
#: nodes whose imbalance is more than this share of the largest are settled, with their neighbours
_NOTED, _HOPS = 0.05, 1
#: a part larger than this share of the nodes is none; of small markets no part is worth the trouble
_PART, _SMALL = 0.15, 400
_LOCAL_STEPS = 40
#: an imbalance above this share of throughput, at a share of the nodes or after so many steps, is too much
_WILD, _MOST, _PATIENCE = 1.0, 0.2, 12
#: nodes whose imbalance is more than this share of the largest are seen to be out of balance
_SEEN = 0.02
#: a step that leaves more than this share of the imbalance has stalled
_STALLED = 0.5
#: settling has served if it leaves less than this share of the imbalance
_SERVED = 0.9
#: within the part the imbalance is brought below this share of what is noted
_GOAL = 0.1


def descend(market: Market, state: State, tolerance: float, limit: int) -> bool:
    """Take Newton steps until every node balances, and a few more, or ``limit`` are taken.

    The few more cost little: what is nothing to a large node may be much to a small one that it feeds, and
    the objective's error is price × imbalance.

    Parameters
    ----------
    market : Market
    state : State
        Changed in place.
    tolerance : float
        Largest imbalance of a node as a share of its throughput.
    limit : int
        Steps at most.

    Returns
    -------
    bool
        Whether every node balances.
    """
    if state.balance > tolerance:
        _approach(market, state, tolerance, limit)
    if state.balance > tolerance or state.bend > 0.0:
        return False
    for _ in range(_POLISH):
        if state.balance <= _EXACT:
            break
        before = state.copy()
        _step(market, state)
        if state.balance > tolerance:  # at the end of what rounding allows
            state.y, state.reduced, state.x = before.y, before.reduced, before.x
            state.weights, state.imbalance, state.balance = before.weights, before.imbalance, before.balance
            break
    return True


def _approach(market: Market, state: State, tolerance: float, limit: int) -> None:
    worth = market.worth
    if state.balance > _SETTLED:
        state.bend = _BEND * worth
        state.refresh(market)
    futile, stalled = 0, False
    for step in range(limit):
        if step > 0 and state.balance > _WILD and (step >= _PATIENCE or _spread(market, state)):
            return  # this will not serve
        if (state.balance > _FAR or stalled) and futile < _FUTILE:
            futile += not settle(market, state)
        if state.bend == 0.0 or state.balance >= _SETTLED:
            if state.balance <= tolerance:
                return
            reached = state.balance
            _step(market, state)
            stalled = state.balance > _STALLED * reached
        if state.bend > 0.0 and state.balance < _SETTLED:
            futile = 0
            _straighten(market, state, worth)


def _straighten(market: Market, state: State, worth: float) -> None:
    """Take the bend away: at once where the market stays near to balance, else by a tenth."""
    bend = state.bend
    state.bend = 0.0
    state.refresh(market)
    if state.balance >= _SETTLED and bend > _LEAST_BEND * worth:
        state.bend = bend * _SHRINK
        state.refresh(market)


def _step(market: Market, state: State) -> None:
    direction = _direction(market, state)
    slope = float(np.sum(state.imbalance * direction))
    if not slope < 0.0:
        direction = -state.imbalance / market.stoutness
        slope = float(np.sum(state.imbalance * direction))
    earned = state.earned(market, direction)
    length = search(
        state.reduced, market.flexibility, market.lower, market.upper, state.bend, state.x, earned, slope
    )
    state.move(market, direction, earned, length)
    state.effort.steps += 1


def _direction(market: Market, state: State) -> Array:
    """Solve (A D Aᵀ + E) d = −(A x − b): inexactly, with the latest factor, while that serves.

    E keeps nodes without a free activity from running away: a small multiple of throughput per price, smaller
    as the market comes to balance, and never less than rounding in the diagonal.
    """
    hessian, effort = market.hessian, state.effort
    values = hessian.values(state.weights, DAMPING * min(1.0, state.balance) * market.stoutness, ROUNDING)
    right = -state.imbalance
    accuracy = _CG_FAR if state.balance > _NEAR else _CG_NEAR
    if state.factor is not None:
        direction, steps, reached = hessian.solve(values, right, state.factor, accuracy, _CG_STEPS)
        effort.cg_steps += steps
        if reached:
            return direction
    state.factor = hessian.factor(values)
    effort.factors += 1
    direction, steps, _ = hessian.solve(values, right, state.factor, _CG_NEAR, _CG_FRESH)
    effort.cg_steps += steps
    return direction


def settle(market: Market, state: State) -> bool:
    """Bring the nodes that are out of balance, and their neighbours, to balance with each other.

    What a restriction does is mostly near to it: a few hundred nodes of many thousands. There the dual is far
    from its model of second order, and Newton's method takes many steps; on a small part each costs little.
    What remains is then small everywhere, and the whole needs few steps.

    Parameters
    ----------
    market : Market
    state : State
        Changed in place.

    Returns
    -------
    bool
        Whether it served: the largest imbalance of the whole has fallen. Where the imbalance is spread over
        much of the market nothing is done.
    """
    before = state.balance
    chosen = _part(market, state)
    if chosen is None:
        return False
    part, inner = market.part(chosen, state)
    goal = _GOAL * _NOTED * before
    for _ in range(_LOCAL_STEPS):
        if inner.balance <= goal:
            break
        _step(part, inner)
    state.effort.local_steps += inner.effort.steps
    whole = np.zeros_like(state.y)
    whole[chosen[part.hessian.order]] = inner.y
    state.move(market, whole, state.earned(market, whole), 1.0)
    return state.balance <= _SERVED * before


def _spread(market: Market, state: State) -> bool:
    """Whether much of the market is out of balance."""
    return bool(np.count_nonzero(_out(market, state, _SEEN)) > _MOST * market.hessian.nodes)


def _out(market: Market, state: State, noted: float) -> NDArray[np.bool_]:
    """Nodes that are out of balance by more than this share of the worst."""
    found: NDArray[np.bool_] = np.abs(state.imbalance) > noted * state.balance * market.throughput
    return found


def _part(market: Market, state: State) -> Integers | None:
    """Nodes to settle: those out of balance, and what free activities tie to them."""
    hessian = market.hessian
    most = int(_PART * hessian.nodes)
    if hessian.nodes < _SMALL:
        return None
    near = _out(market, state, _NOTED)
    if np.count_nonzero(near) > most:
        return None
    for _ in range(_HOPS):
        wider = hessian.widened(near, state.weights, market.flexibility)
        if np.count_nonzero(wider) > most:
            break
        near = wider
    return np.flatnonzero(near)
