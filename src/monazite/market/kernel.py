"""Clearing a market: semismooth Newton on the dual (docs/method.md, 3).

Given prices y, each activity runs at its best level x(y) = clip((Aᵀy − c)/a, lower, upper). Those levels
balance every node exactly where the convex, piecewise quadratic function

    φ(y) = Σ_j max_{l ≤ x ≤ u} {(A_jᵀy − c_j) x − ½ a_j x²} − bᵀy

is least: its gradient is A x(y) − b, its generalised Hessian A D Aᵀ with D = 1/a at the activities strictly
between their bounds and 0 elsewhere.
"""

from __future__ import annotations

import dataclasses
from weakref import WeakKeyDictionary

import numpy as np

from monazite.core.errors import ArgumentError, SolverError
from monazite.market.certificate import Method, certify
from monazite.market.dual import Market, State
from monazite.market.hessian import Hessian, Solve, conjugate_gradients
from monazite.market.intervals import price_intervals
from monazite.market.local import settle
from monazite.market.problem import Array, Clearing, Problem
from monazite.market.reference import SCALINGS, interior_point
from monazite.market.search import ENOUGH, component_lengths, derivative_along, step_length

__all__ = ["clear"]

_STEPS = 25
_LAST_STEPS = 240
_CG_STEPS = 30
_CG_FAR, _CG_NEAR, _NEAR = 1e-2, 1e-3, 1e-3
_POLISH, _EXACT = 3, 1e-12
_DAMPING = 1e-3
_ROUNDING = 1e-11
_MANY = 50
#: farther from balance than this share of throughput, parts are settled first; how often in vain
_FAR, _FUTILE = 1e-2, 2
#: a step that leaves more than this share of the imbalance has stalled
_STALLED = 0.5
#: how often a direction is bent
_BENDS = 3
_base_factors: WeakKeyDictionary[Problem, Solve] = WeakKeyDictionary()


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
    state = market.at(first)
    if baseline is not None:
        state.solve = _base_factor(baseline, market.hessian)
    _newton(market, state, tolerance, _STEPS)
    method: Method = "newton"
    if state.balance > tolerance:
        state, method = _fall_back(problem, market, state, tolerance)
    prices = np.empty_like(state.y)
    prices[market.hessian.order] = state.y
    certificate = certify(problem, state.x, prices, method=method, effort=state.effort, tolerance=tolerance)
    if strict and not certificate.converged:
        raise SolverError("market.not_converged", balance=certificate.balance, tolerance=tolerance)
    low, high, unique = price_intervals(problem, state.x, prices)
    return Clearing(state.x, prices, low, high, unique, certificate)


def _fall_back(problem: Problem, market: Market, state: State, tolerance: float) -> tuple[State, Method]:
    """Finish by Newton steps from the interior-point solver's prices; failing that, go on from the best."""
    best = state
    method: Method = "newton"
    for scaling in SCALINGS:
        _, prices, steps, _ = interior_point(problem, scaling=scaling)
        second = market.at(prices)
        second.effort.add(best.effort)
        second.effort.steps += steps
        _newton(market, second, tolerance, _STEPS)
        if second.balance < best.balance:
            best, method = second, "piqp"
        best.effort = second.effort
        if best.balance <= tolerance:
            return best, method
    _newton(market, best, tolerance, _LAST_STEPS)
    return best, method


def _base_factor(baseline: Problem, hessian: Hessian) -> Solve | None:
    """Factor the baseline's Hessian at its base prices, once; None if its network is another."""
    found = _base_factors.get(baseline)
    if found is None:
        market = Market.of(baseline)
        if market.hessian is not hessian:
            return None
        state = market.at(baseline.y0)
        weights = np.where(market.columns.inside(state.reduced), market.columns.flexibility, 0.0)
        least = _DAMPING * market.flexibility
        found = hessian.factor(hessian.values(weights, least, _ROUNDING))
        _base_factors[baseline] = found
    return found


def _newton(market: Market, state: State, tolerance: float, limit: int) -> None:
    """Take Newton steps until every node balances, and a few more, or ``limit`` are taken.

    The few more cost little: what is nothing to a large node may be much to a small one that it feeds, and
    the objective's error is price × imbalance.

    Far from balance the nodes that are out of it are settled among themselves first (`settle`): what a
    restriction does is mostly near to it.
    """
    futile = 0
    for _ in range(limit):
        if state.balance > _FAR and futile < _FUTILE:
            futile += not settle(market, state)
        if state.balance <= tolerance:
            break
        reached = state.balance
        _step(market, state, _direction(market, state))
        state.stalled = state.balance > _STALLED * reached
    for _ in range(_POLISH if state.balance <= tolerance else 0):
        if state.balance <= _EXACT:
            break
        before = dataclasses.replace(state)
        _step(market, state, _direction(market, state))
        if state.balance > tolerance:  # at the end of what rounding allows
            state.y, state.reduced, state.x = before.y, before.reduced, before.x
            state.imbalance, state.balance = before.imbalance, before.balance
            break


def _step(market: Market, state: State, direction: Array) -> None:
    hessian, columns = market.hessian, market.columns
    if state.stalled:
        direction = _secant(market, state, direction)
    slope = float(state.imbalance @ direction)
    if not slope < 0.0:
        direction = -state.imbalance / market.flexibility
        slope = float(state.imbalance @ direction)
    earned = hessian.columns @ direction
    derivative = derivative_along(columns, state.reduced, state.x, earned, slope)
    if derivative(1.0) > -ENOUGH * slope:
        direction = direction * component_lengths(
            hessian, columns, state.reduced, state.x, state.imbalance, direction
        )
        earned = hessian.columns @ direction
        slope = float(state.imbalance @ direction)
        derivative = derivative_along(columns, state.reduced, state.x, earned, slope)
    length = step_length(derivative, slope)
    state.move(market, direction, earned, length)
    state.effort.steps += 1


def _direction(market: Market, state: State) -> Array:
    """Solve (A D Aᵀ + E) d = −(A x − b): inexactly, with the latest factor, while that serves.

    E keeps nodes without a free activity from running away: a small multiple of throughput per price, smaller
    as the market comes to balance, and never less than rounding in the diagonal.
    """
    hessian, effort = market.hessian, state.effort
    inside = market.columns.inside(state.reduced)
    weights = np.where(inside, market.columns.flexibility, 0.0)
    least = _DAMPING * min(1.0, state.balance) * market.flexibility
    values = hessian.values(weights, least, _ROUNDING)
    apply = hessian.apply(values)
    right = -state.imbalance
    many = state.inside is not None and int(np.count_nonzero(inside != state.inside)) > _MANY
    state.inside = inside
    accuracy = _CG_FAR if state.balance > _NEAR else _CG_NEAR
    if state.solve is not None and not (state.dragged and many):
        direction, steps, reached = conjugate_gradients(apply, right, state.solve, accuracy, _CG_STEPS)
        effort.cg_steps += steps
        state.dragged = not reached
        if reached:
            return direction
    state.solve = hessian.factor(values)
    effort.factors += 1
    direction, steps, _ = conjugate_gradients(apply, right, state.solve, 1e-6, 5)
    effort.cg_steps += steps
    state.dragged = many
    return direction


def _secant(market: Market, state: State, direction: Array) -> Array:
    """Bend a direction by what the activities would really do along it.

    Where activities meet their bounds on the way, the tangent promises what does not come, and Newton's
    method may go to and fro between two sets of them. The secant of each activity over the whole step,
    (x(y + d) − x(y)) / Aᵀd, takes the tangent's place; it lies between 0 and 1/a, so the new direction
    descends as well.
    """
    hessian, columns = market.hessian, market.columns
    if state.solve is None:
        return direction
    for _ in range(_BENDS):
        earned = hessian.columns @ direction
        moved = columns.levels(state.reduced + earned) - state.x
        if market.balance(hessian.rows @ (state.x + moved) - market.b) < _STALLED * state.balance:
            break
        still = np.abs(earned) <= _EXACT * (1.0 + np.abs(state.reduced))
        share = np.divide(moved, earned, out=np.zeros_like(moved), where=~still)
        tangent = np.where(columns.inside(state.reduced), columns.flexibility, 0.0)
        weights = np.where(still, tangent, np.clip(share, 0.0, columns.flexibility))
        least = _DAMPING * min(1.0, state.balance) * market.flexibility
        apply = hessian.apply(hessian.values(weights, least, _ROUNDING))
        bent, steps, reached = conjugate_gradients(apply, -state.imbalance, state.solve, _CG_NEAR, _CG_STEPS)
        state.effort.cg_steps += steps
        if not reached:
            break
        direction = bent
    return direction
