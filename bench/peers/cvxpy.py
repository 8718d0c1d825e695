"""CVXPY: the quadratic problem written once with its bounds as a parameter (DPP), OSQP behind."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
from scipy import sparse

from bench.chains import Case
from bench.peers import LIMIT, TOLERANCE, Answer, Solve, clock, scaled
from monazite.market.problem import Array

#: t a month, instead of no bound
FAR = 1e12
#: what goes to OSQP behind it; polish and warm start are CVXPY's own defaults
OPTIONS = {"eps_abs": TOLERANCE, "eps_rel": TOLERANCE, "max_iter": 1_000_000, "time_limit": 10 * LIMIT}
#: a compiled problem holds a dense table of activities × parameters: larger than this (1 GB) it is left out
LARGEST = 125_000_000


def prepare(case: Case) -> Solve:
    """Write the problem, all activities equally stiff; the bounds that scenarios move are parameters."""
    problem = case.problem
    column, row, _ = scaled(problem, "stiffness")
    moved = np.flatnonzero(np.any([shock.upper != problem.upper for shock in case.shocks], axis=0))
    still = np.setdiff1d(np.flatnonzero(np.isfinite(problem.upper)), moved)
    x = cp.Variable(column.size)
    limit = cp.Parameter(moved.size)
    balance = sparse.csc_array(sparse.diags_array(1.0 / row) @ problem.A @ sparse.diags_array(column))
    constraints = [
        balance @ x == problem.b / row,
        x >= problem.lower / column,
        x[still] <= (problem.upper / column)[still],
        x[moved] <= limit,
    ]
    market = cp.Problem(cp.Minimize(0.5 * cp.sum_squares(x) + (problem.c * column) @ x), constraints)
    options = {**OPTIONS, "ignore_dpp": column.size * moved.size > LARGEST}

    def solve(upper: Array) -> Answer:
        with clock() as taken:
            limit.value = (np.minimum(upper, FAR) / column)[moved]
            market.solve(solver="OSQP", warm_start=True, **options)
        level = np.clip(x.value * column, problem.lower, upper)
        price = -constraints[0].dual_value / row
        return Answer(problem.cost(level), price, market.status == cp.OPTIMAL, market.status, taken.seconds)

    solve(problem.upper)
    return solve
