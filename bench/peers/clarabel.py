"""Clarabel (homogeneous interior point), its right-hand side updated in place, in two scalings as PIQP."""

from __future__ import annotations

from typing import get_args

import clarabel
import numpy as np
from scipy import sparse

from bench.chains import Case
from bench.peers import LIMIT, TOLERANCE, Answer, Scaling, Solve, clock, scaled
from bench.steps import smallest_node
from monazite.market.problem import Array

FAR = 10.0  # instead of no bound, where some scenario has one: so often what the smallest node handles


def prepare(case: Case) -> Solve:
    """Set both scalings up; the quicker counts."""
    solvers = [_set_up(case, scaling) for scaling in get_args(Scaling)]

    def solve(upper: Array) -> Answer:
        answers = [one(upper) for one in solvers]
        return min(answers, key=lambda answer: (not answer.done, answer.seconds))

    return solve


def _set_up(case: Case, scaling: Scaling) -> Solve:
    problem = case.problem
    column, row, worth = scaled(problem, scaling)
    bounded = np.isfinite(np.minimum.reduce([problem.upper] + [shock.upper for shock in case.shocks]))
    beyond = np.where(np.isinf(problem.upper), FAR * smallest_node(problem), problem.upper)
    one = sparse.eye_array(column.size, format="csr")
    flows = sparse.diags_array(1.0 / row) @ problem.A @ sparse.diags_array(column)
    fixed = np.concatenate([problem.b / row, -problem.lower / column])
    settings = clarabel.DefaultSettings()
    settings.verbose = settings.presolve_enable = settings.chordal_decomposition_enable = False
    settings.tol_feas = settings.tol_gap_abs = settings.tol_gap_rel = TOLERANCE
    settings.tol_infeas_abs = settings.tol_infeas_rel = 1e-14  # none is infeasible
    settings.max_threads, settings.time_limit, settings.direct_solve_method = 1, 10 * LIMIT, "qdldl"
    solver = clarabel.DefaultSolver(
        sparse.csc_matrix(sparse.diags_array(problem.a * column**2 / worth)),
        problem.c * column / worth,
        sparse.csc_matrix(sparse.vstack([flows, -one, one[bounded]])),
        np.concatenate([fixed, (beyond / column)[bounded]]),
        [clarabel.ZeroConeT(row.size), clarabel.NonnegativeConeT(int(column.size + bounded.sum()))],
        settings,
    )

    def solve(upper: Array) -> Answer:
        with clock() as taken:
            solver.update(b=np.concatenate([fixed, (np.minimum(upper, beyond) / column)[bounded]]))
            found = solver.solve()
        x = np.clip(np.array(found.x) * column, problem.lower, upper)
        price, done = -np.array(found.z)[: row.size] * worth / row, str(found.status) == "Solved"
        return Answer(problem.cost(x), price, done, f"{scaling}: {found.status}", taken.seconds)

    return solve
