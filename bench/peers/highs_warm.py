"""HiGHS kept alive: bounds changed in place, dual simplex from the base's basis each time."""

from __future__ import annotations

import highspy
import numpy as np

from bench.chains import Case
from bench.peers import LIMIT, Answer, Solve, clock
from bench.steps import COUNT, Steps, in_steps
from monazite.market.problem import Array


def prepare(case: Case) -> Solve:
    """Load the linear version and solve the base; its basis is what every scenario starts from."""
    steps = in_steps(case)
    columns, solver = steps.cost.size, highspy.Highs()
    for option, value in {"output_flag": False, "threads": 1, "time_limit": 10 * LIMIT}.items():
        solver.setOptionValue(option, value)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = columns, steps.b.size
    lp.col_cost_ = steps.cost
    lp.col_lower_, lp.col_upper_ = np.zeros(columns), steps.upper(case.problem.upper)
    lp.row_lower_ = lp.row_upper_ = steps.b
    matrix, lp.a_matrix_.format_ = lp.a_matrix_, highspy.MatrixFormat.kColwise
    matrix.start_, matrix.index_, matrix.value_ = steps.A.indptr, steps.A.indices, steps.A.data
    solver.passModel(lp)
    solver.setBasis(_near(steps, case))
    solver.run()
    basis, open_upper = solver.getBasis(), steps.upper(case.problem.upper)

    def solve(upper: Array) -> Answer:
        bounds = steps.upper(upper)
        changed = np.flatnonzero(bounds != open_upper).astype(np.int32)
        zero = np.zeros(changed.size)
        solver.setOptionValue("time_limit", solver.getRunTime() + 10 * LIMIT)
        with clock() as taken:
            solver.changeColsBounds(changed.size, changed, zero, bounds[changed])
            solver.setBasis(basis)
            solver.run()
            found = solver.getSolution()
        objective, status = solver.getObjectiveValue() + steps.constant, solver.getModelStatus()
        used = f"{status.name}, range used {steps.beyond(np.array(found.col_value)):.2f}"
        solver.changeColsBounds(changed.size, changed, zero, open_upper[changed])
        return Answer(objective, np.array(found.row_dual), status.name == "kOptimal", used, taken.seconds)

    return solve


def _near(steps: Steps, case: Case) -> highspy.HighsBasis:
    """Return a first basis near to the base, which makes setting up quicker: what runs in part is basic."""
    problem, status = case.problem, highspy.HighsBasisStatus
    base = np.repeat(problem.levels(problem.A.T @ problem.y0 - problem.c) - steps.lower, COUNT) - steps.start
    room = steps.upper(problem.upper)
    share = np.divide(base, room, out=np.zeros_like(base), where=room > 0.0)
    kind = np.array([status.kLower, status.kBasic, status.kUpper])
    basis = highspy.HighsBasis()
    basis.col_status = list(kind[1 * (share > 1e-9) + 1 * (share >= 1.0 - 1e-9)])
    basis.row_status, basis.valid = [status.kLower] * steps.b.size, True
    return basis
