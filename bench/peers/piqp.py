"""PIQP (proximal interior point), set up once and updated in place, in two scalings; the quicker counts."""

from __future__ import annotations

from typing import get_args

import numpy as np
import piqp
from scipy import sparse

from bench.chains import Case
from bench.peers import TOLERANCE, Answer, Scaling, Solve, clock, scaled
from monazite.market.problem import Array, Problem


def prepare(case: Case) -> Solve:
    """Set both scalings up."""
    solvers = [_set_up(case.problem, scaling) for scaling in get_args(Scaling)]

    def solve(upper: Array) -> Answer:
        answers = [one(upper) for one in solvers]
        return min(answers, key=lambda answer: (not answer.done, answer.seconds))

    return solve


def _set_up(problem: Problem, scaling: Scaling) -> Solve:
    column, row, worth = scaled(problem, scaling)
    solver = piqp.SparseSolver()
    wanted = dict.fromkeys(("eps_abs", "eps_rel", "eps_duality_gap_abs", "eps_duality_gap_rel"), TOLERANCE)
    for name, value in {**wanted, "num_threads": 1, "preconditioner_reuse_on_update": True}.items():
        setattr(solver.settings, name, value)
    solver.setup(
        sparse.csc_matrix(sparse.diags_array(problem.a * column**2 / worth)),
        problem.c * column / worth,
        sparse.csc_matrix(sparse.diags_array(1.0 / row) @ problem.A @ sparse.diags_array(column)),
        problem.b / row,
        x_l=problem.lower / column,
        x_u=problem.upper / column,
    )

    def solve(upper: Array) -> Answer:
        with clock() as taken:
            solver.update(x_u=upper / column)
            status = solver.solve()
        x = np.clip(np.asarray(solver.result.x) * column, problem.lower, upper)
        price = -np.asarray(solver.result.y) * worth / row
        done = status == piqp.PIQP_SOLVED
        return Answer(problem.cost(x), price, done, f"{scaling}: {status.name}", taken.seconds)

    return solve
