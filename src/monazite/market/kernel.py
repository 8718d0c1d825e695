"""Clearing a market: semismooth Newton on the dual (METHODS, Equilibrium).

Given prices y, each activity runs at its best level x(y) = clip((Aᵀy − c)/a, lower, upper). Those levels balance
every node exactly where the convex, piecewise quadratic function

    φ(y) = Σ_j max_{l ≤ x ≤ u} {(A_jᵀy − c_j) x − ½ a_j x²} − bᵀy

is least: its gradient is A x(y) − b, its generalised Hessian A D Aᵀ with D = 1/a at the activities strictly
between their bounds and 0 elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from monazite.core.errors import ArgumentError, SolverError
from monazite.market.certificate import Effort, Method, certify
from monazite.market.hessian import Hessian, Solve, conjugate_gradients, hessian_of
from monazite.market.intervals import price_intervals
from monazite.market.problem import Array, Clearing, Problem
from monazite.market.reference import interior_point

__all__ = ["clear"]

_STEPS = 200
_CG_STEPS = 40
_CG_TOLERANCE = 1e-3
_DAMPING = 1e-4
_SEARCH = 40


@dataclass
class _State:
    """Prices, what activities earn at them, levels and imbalance; and the work done so far."""

    y: Array
    reduced: Array
    x: Array
    imbalance: Array
    balance: float
    effort: Effort = field(default_factory=Effort)
    solve: Solve | None = field(default=None, repr=False)


def clear(
    problem: Problem, *, start: Array | None = None, tolerance: float = 1e-10, strict: bool = True
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
    hessian = hessian_of(problem.A)
    state = _at(problem, hessian, first)
    _newton(problem, hessian, state, tolerance)
    method: Method = "newton"
    if state.balance > tolerance:
        _, prices, steps, _ = interior_point(problem)
        second = _at(problem, hessian, prices)
        _newton(problem, hessian, second, tolerance)
        second.effort.add(state.effort)
        second.effort.steps += steps
        if second.balance <= state.balance:
            state, method = second, "piqp"
        else:
            state.effort = second.effort
    certificate = certify(
        problem, state.x, state.y, method=method, effort=state.effort, tolerance=tolerance
    )
    if strict and not certificate.converged:
        raise SolverError("market.not_converged", balance=certificate.balance, tolerance=tolerance)
    low, high, unique = price_intervals(problem, state.x, state.y)
    return Clearing(state.x, state.y, low, high, unique, certificate)


def _at(problem: Problem, hessian: Hessian, prices: Array) -> _State:
    reduced = hessian.columns @ prices - problem.c
    x = problem.levels(reduced)
    imbalance = hessian.rows @ x - problem.b
    return _State(prices.copy(), reduced, x, imbalance, _balance(problem, imbalance))


def _balance(problem: Problem, imbalance: Array) -> float:
    return float(np.max(np.abs(imbalance) / problem.throughput))


def _newton(problem: Problem, hessian: Hessian, state: _State, tolerance: float) -> None:
    """Take Newton steps until every node balances, or no more may be taken.

    What activities earn is carried along (reduced += t Aᵀd), not recomputed from the prices: a flat cost line
    would turn the rounding of a price into tonnes.
    """
    flexibility = problem.throughput / _price_scale(problem)
    for _ in range(_STEPS):
        if state.balance <= tolerance:
            return
        direction = _direction(problem, hessian, state, flexibility)
        earned = hessian.columns @ direction
        owed = float(problem.b @ direction)
        slope = float(state.imbalance @ direction)
        if not slope < 0.0:
            direction = -state.imbalance / flexibility
            earned = hessian.columns @ direction
            owed = float(problem.b @ direction)
            slope = float(state.imbalance @ direction)
        length = _length(problem, state.reduced, earned, owed, slope)
        state.y += length * direction
        state.reduced += length * earned
        state.x = problem.levels(state.reduced)
        state.imbalance = hessian.rows @ state.x - problem.b
        state.balance = _balance(problem, state.imbalance)
        state.effort.steps += 1


def _direction(problem: Problem, hessian: Hessian, state: _State, flexibility: Array) -> Array:
    """Solve (A D Aᵀ + ε diag) d = −(A x − b), with the latest factor if it still serves."""
    wanted = state.reduced / problem.a
    inside = (wanted > problem.lower) & (wanted < problem.upper)
    weights = np.where(inside, 1.0 / problem.a, 0.0)
    extra = _DAMPING * min(1.0, state.balance) * flexibility

    def apply(vector: Array) -> Array:
        return np.asarray(hessian.rows @ (weights * (hessian.columns @ vector)) + extra * vector)

    right = -state.imbalance
    if state.solve is not None:
        direction, steps, reached = conjugate_gradients(apply, right, state.solve, _CG_TOLERANCE, _CG_STEPS)
        state.effort.cg_steps += steps
        if reached:
            return direction
    state.solve = hessian.factor(weights, extra)
    state.effort.factors += 1
    direction, steps, _ = conjugate_gradients(apply, right, state.solve, 1e-6, 5)
    state.effort.cg_steps += steps
    return direction


def _length(problem: Problem, reduced: Array, earned: Array, owed: float, slope: float) -> float:
    """Find how far to go along a direction: where φ stops falling, roughly.

    φ is convex along the direction and its derivative rises piecewise linearly, so one with a derivative near
    zero has fallen enough. The derivative is exact where differences of φ would drown in rounding.
    """

    def derivative(length: float) -> float:
        return float(problem.levels(reduced + length * earned) @ earned) - owed

    length, value = 1.0, derivative(1.0)
    if value < 0.5 * slope:
        while value < 0.3 * slope and length < 64.0:
            ahead = derivative(2.0 * length)
            if ahead > -0.3 * slope:
                break
            length, value = 2.0 * length, ahead
        return length
    near, near_value, far, far_value = 0.0, slope, length, value
    for _ in range(_SEARCH):
        if value <= -0.3 * slope:
            break
        gap = far - near
        length = near - near_value * gap / (far_value - near_value)
        length = min(max(length, near + 0.1 * gap), far - 0.1 * gap)
        value = derivative(length)
        if abs(value) <= -0.1 * slope:
            break
        if value > 0.0:
            far, far_value = length, value
        else:
            near, near_value = length, value
    return length


def _price_scale(problem: Problem) -> Array:
    """Return the base price of each node; where that is zero, what its activities are worth."""
    scale = np.abs(problem.y0)
    empty = scale == 0.0
    if empty.any():
        matrix = problem.A
        worth = abs(matrix).T @ scale
        share = abs(matrix) @ worth
        number = np.maximum(np.diff(matrix.tocsr().indptr), 1)
        scale = np.where(empty, share / number, scale)
        scale[scale == 0.0] = float(scale.max()) or 1.0
    return scale
