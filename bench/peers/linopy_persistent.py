"""linopy with HiGHS kept in memory: the bounds of one model changed, the solver updated by the difference."""

from __future__ import annotations

import linopy
import numpy as np

from bench.chains import Case
from bench.peers import LIMIT, Answer, Solve, clock
from bench.peers.linopy_loop import written
from bench.steps import COUNT, in_steps
from monazite.market.problem import Array


def prepare(case: Case) -> Solve:
    """Write the model, hand it to HiGHS and solve the base; HiGHS starts from the basis that it has."""
    steps = in_steps(case)
    model = written(steps, steps.upper(case.problem.upper))
    options = {"threads": 1, "output_flag": False, "time_limit": 10 * LIMIT}
    solver = linopy.solvers.Solver.from_name(
        "highs", model, io_api="direct", options=options, track_updates=True, set_names=False
    )
    solver.solve(model, assign=True)
    level = model.variables["level"]

    def solve(upper: Array) -> Answer:
        with clock() as taken:
            level.update(upper=level.upper.copy(data=steps.upper(upper).reshape(-1, COUNT)))
            result = solver.solve(model, assign=True, disallow_rebuild=True)
        objective = float(model.objective.value or np.nan) + steps.constant
        price = np.asarray(model.constraints["balance"].dual)
        return Answer(objective, price, result.status.is_ok, str(result.status), taken.seconds)

    return solve
