"""OSQP with polish, updated in place and warm-started from the base, on the direct linear solver."""

from __future__ import annotations

import numpy as np
import osqp
from scipy import sparse

from bench.chains import Case
from bench.peers import LIMIT, TOLERANCE, Answer, Solve, clock, scaled
from monazite.market.problem import Array


def prepare(case: Case) -> Solve:
    """Scale (every activity equally stiff), factor, and solve the base."""
    problem = case.problem
    column, row, _ = scaled(problem, "stiffness")
    solver = osqp.OSQP(algebra="builtin")
    flows = sparse.diags_array(1.0 / row) @ problem.A @ sparse.diags_array(column)
    nodes, b = row.size, problem.b / row
    solver.setup(
        sparse.csc_matrix(sparse.eye_array(column.size)),
        problem.c * column,
        sparse.csc_matrix(sparse.vstack([flows, sparse.eye_array(column.size)])),
        np.concatenate([b, problem.lower / column]),
        np.concatenate([b, problem.upper / column]),
        solver_type="direct",
        eps_abs=TOLERANCE,
        eps_rel=TOLERANCE,
        max_iter=1_000_000,
        time_limit=10 * LIMIT,  # of the wall clock: CPU time is watched outside
        polishing=True,
        warm_starting=True,
        verbose=False,
    )
    base = solver.solve(raise_error=False)

    def solve(upper: Array) -> Answer:
        solver.warm_start(x=base.x, y=base.y)
        with clock() as taken:
            solver.update(u=np.concatenate([b, upper / column]))
            found = solver.solve(raise_error=False)
        x = np.clip(found.x * column, problem.lower, upper)
        price = -found.y[:nodes] / row
        done = found.info.status == "solved"
        return Answer(problem.cost(x), price, done, found.info.status, taken.seconds)

    return solve
