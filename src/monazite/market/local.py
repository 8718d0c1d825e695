"""Settling a part of a market: the nodes that are out of balance, among themselves, all other prices held.

What a restriction does is mostly near to it: a few hundred nodes of many thousands. There the dual is far
from its model of second order, and Newton's method takes many steps; on a small part each costs little. What
remains is then small everywhere, and the whole needs few steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from monazite.market.dual import Market, State
from monazite.market.problem import Array
from monazite.market.search import derivative_along, step_length

__all__ = ["settle"]

#: nodes whose imbalance is more than this share of the largest are settled, with their neighbours
_NOTED = 0.02
#: a part larger than this share of the nodes is none; of small markets no part is worth the trouble
_PART, _SMALL = 0.2, 400
#: neighbours of neighbours are taken in so often
_HOPS = 2
_STEPS, _ROUNDS = 60, 3
#: a round has served if it leaves less than this share of the imbalance; so much is enough for another one
_SERVED, _AGAIN = 0.9, 0.3
#: within the part the imbalance is brought below this share of what is noted
_GOAL = 0.1
_DAMPING, _ROUNDING = 1e-3, 1e-11
_OPTIONS = {"SymmetricMode": True}


def settle(market: Market, state: State) -> bool:
    """Bring the nodes that are out of balance, and their neighbours, to balance with each other.

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
    served = False
    for _ in range(_ROUNDS):
        before = state.balance
        part = _part(market, state)
        if part is None:
            break
        _solve(market, state, part)
        served = served or state.balance <= _SERVED * before
        if state.balance > _AGAIN * before:
            break
    return served


def _part(market: Market, state: State) -> NDArray[np.int64] | None:
    """Nodes to settle: those out of balance, and what free activities tie to them."""
    hessian, columns = market.hessian, market.columns
    nodes = hessian.rows.shape[0]
    most = int(_PART * nodes)
    share = np.abs(state.imbalance) / market.throughput
    part = np.flatnonzero(share > _NOTED * state.balance)
    if nodes < _SMALL or part.size > most:
        return None
    inside = columns.inside(state.reduced)
    for _ in range(_HOPS):
        near = np.unique(hessian.rows[part].indices)
        wider = np.union1d(part, hessian.columns[near[inside[near]]].indices)
        if wider.size > most:
            break
        part = wider
    return part


def _solve(market: Market, state: State, part: NDArray[np.int64]) -> None:
    """Take Newton steps in the prices of the part alone."""
    hessian, columns = market.hessian, market.columns
    touched = np.unique(hessian.rows[part].indices).astype(np.int64)
    gives = sparse.csr_array(hessian.columns[touched][:, part])  # what each activity earns from each price
    takes = sparse.csr_array(gives.T)
    few = columns.take(touched)
    reduced, first = state.reduced[touched], state.x[touched]
    levels, imbalance = first, state.imbalance[part]
    throughput, flexibility = market.throughput[part], market.flexibility[part]
    goal = _GOAL * _NOTED * state.balance
    change = np.zeros(part.size)
    for _ in range(_STEPS):
        balance = float(np.max(np.abs(imbalance) / throughput))
        if balance <= goal:
            break
        weights = np.where(few.inside(reduced), few.flexibility, 0.0)
        matrix = sparse.csc_array(takes @ (gives * weights[:, None]))
        least = np.maximum(_DAMPING * min(1.0, balance) * flexibility, _ROUNDING * matrix.diagonal())
        direction = _newton(sparse.csc_matrix(matrix + sparse.diags_array(least)), imbalance)
        slope = float(imbalance @ direction)
        if not slope < 0.0:
            direction = -imbalance / flexibility
            slope = float(imbalance @ direction)
        earned = gives @ direction
        length = step_length(derivative_along(few, reduced, levels, earned, slope), slope)
        reduced = reduced + length * earned
        levels = few.levels(reduced)
        imbalance = state.imbalance[part] + takes @ (levels - first)
        change += length * direction
        state.effort.local_steps += 1
    whole = np.zeros_like(state.y)
    whole[part] = change
    state.move(market, whole, hessian.columns @ whole, 1.0)


def _newton(matrix: sparse.csc_matrix, imbalance: Array) -> Array:
    factor = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=_OPTIONS)
    return np.asarray(factor.solve(-imbalance), dtype=float)
