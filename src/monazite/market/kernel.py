"""Clearing a market: Newton's method on its dual, a public solver where that does not come to an end."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from monazite.core.errors import ArgumentError, SolverError
from monazite.market.certificate import Method, certify
from monazite.market.dual import Market, State
from monazite.market.factor import Factor
from monazite.market.interior import BEGINNINGS, follow_path
from monazite.market.intervals import price_intervals
from monazite.market.newton import DAMPING, ROUNDING, descend
from monazite.market.problem import Array, Clearing, Problem
from monazite.market.reference import SCALINGS, interior_point

__all__ = ["clear"]

_STEPS, _LAST_STEPS = 25, 240
_base_factors: WeakKeyDictionary[Problem, Factor] = WeakKeyDictionary()


def clear(
    problem: Problem,
    *,
    start: Array | None = None,
    tolerance: float = 1e-10,
    strict: bool = True,
    baseline: Problem | None = None,
) -> Clearing:
    """Find the levels and prices at which the market clears.

    Parameters
    ----------
    problem : Problem
        The market.
    start : array, shape (m,), optional
        Prices to start from, USD/kg; the base prices by default. The answer does not depend on them.
    tolerance : float
        Largest imbalance of a node as a share of its throughput.
    strict : bool
        Whether an answer outside the tolerance raises; otherwise it is returned with ``converged`` false.
    baseline : Problem, optional
        The same network before the shock. Its factor is made once and helps every later call that names
        it; the answer stays the same to the tolerance.

    Returns
    -------
    Clearing
        Levels, prices, price intervals and a certificate.

    Raises
    ------
    SolverError
        Neither the Newton method nor the fallback balanced every node.
    ArgumentError
        ``start`` has the wrong shape or is not finite, or the tolerance is not positive.

    Examples
    --------
    Two places; the second has no mine, and carriage costs 1 USD/kg and more.

    >>> from monazite.market import Problem, clear
    >>> problem = Problem(
    ...     A=[[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]], b=[0.0, 0.0], c=[1.0, 1.0, -10.0], a=[1.0, 1.0, 1.0],
    ...     lower=[0.0] * 3, upper=[5.0, 5.0, 5.0], y0=[2.0, 4.0], throughput=[1.0, 1.0])
    >>> clear(problem).price.round(9).tolist()
    [3.666666667, 7.333333333]
    """
    if not (np.isfinite(tolerance) and tolerance > 0.0):
        raise ArgumentError("market.tolerance", value=tolerance)
    first = problem.y0 if start is None else np.array(start, dtype=np.float64)
    if first.shape != problem.y0.shape or not np.isfinite(first).all():
        raise ArgumentError("market.wrong_start", wanted=problem.y0.size)
    market = Market.of(problem)
    state = market.at(first[market.hessian.order], problem.c)
    if baseline is not None:
        state.factor = _base_factor(baseline, market)
    method: Method = "newton"
    if not descend(market, state, tolerance, _STEPS):
        state, method = _go_on(problem, market, state, tolerance)
    prices = np.empty_like(state.y)
    prices[market.hessian.order] = state.y
    certificate = certify(problem, state.x, prices, method=method, effort=state.effort, tolerance=tolerance)
    if strict and not certificate.converged:
        raise SolverError("market.not_converged", balance=certificate.balance, tolerance=tolerance)
    low, high, unique = price_intervals(problem, state.x, prices)
    return Clearing(state.x, prices, low, high, unique, certificate)


def _go_on(problem: Problem, market: Market, state: State, tolerance: float) -> tuple[State, Method]:
    """Follow the central path from the base prices; failing that, ask the public solver."""
    best = state
    for beginning in BEGINNINGS:
        base = market.at(problem.y0[market.hessian.order], problem.c)
        base.effort = best.effort
        near = follow_path(market, base, beginning)
        if descend(market, near, tolerance, _STEPS):
            return near, "newton"
        best = min(best, near, key=_balance)
    return _fall_back(problem, market, best, tolerance)


def _balance(state: State) -> float:
    return state.balance


def _fall_back(problem: Problem, market: Market, state: State, tolerance: float) -> tuple[State, Method]:
    """Finish by Newton steps from the interior-point solver's prices; failing that, go on from the best."""
    best = state
    method: Method = "newton"
    for scaling in SCALINGS:
        _, prices, steps, _ = interior_point(problem, scaling=scaling)
        second = market.at(prices[market.hessian.order], problem.c)
        second.effort.add(best.effort)
        second.effort.steps += steps
        descend(market, second, tolerance, _STEPS)
        if second.balance < best.balance:
            best, method = second, "piqp"
        best.effort = second.effort
        if best.balance <= tolerance:
            return best, method
    descend(market, best, tolerance, _LAST_STEPS)
    return best, method


def _base_factor(baseline: Problem, market: Market) -> Factor | None:
    """Factor the baseline's Hessian at its base prices, once; None if its network is another."""
    found = _base_factors.get(baseline)
    if found is None:
        base = Market.of(baseline)
        if base.hessian is not market.hessian:
            return None
        state = base.at(baseline.y0[base.hessian.order], baseline.c)
        found = base.hessian.factor(base.hessian.values(state.weights, DAMPING * base.stoutness, ROUNDING))
        _base_factors[baseline] = found
    return found
