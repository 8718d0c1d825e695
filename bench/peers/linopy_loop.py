"""linopy with HiGHS in a loop: the model is written anew for every scenario, as most studies do."""

from __future__ import annotations

import linopy
import numpy as np
import pandas as pd  # noqa: TID251 - the indexes that linopy is built on

from bench.chains import Case
from bench.peers import LIMIT, Answer, Solve, clock
from bench.steps import COUNT, Steps, in_steps
from monazite.market.problem import Array

#: the direct interface avoids writing files; names would only cost time
OPTIONS = {"threads": 1, "time_limit": 10 * LIMIT, "output_flag": False}
linopy.options["semantics"] = "v1"


def prepare(case: Case) -> Solve:
    """Cut the problem into steps: all that scenarios share."""
    steps = in_steps(case)

    def solve(upper: Array) -> Answer:
        bounds = steps.upper(upper)
        with clock() as taken:
            model = written(steps, bounds)
            status, condition = model.solve("highs", io_api="direct", set_names=False, **OPTIONS)
        objective = float(model.objective.value or np.nan) + steps.constant
        price = np.asarray(model.constraints["balance"].dual)
        return Answer(objective, price, status == "ok", condition, taken.seconds)

    return solve


def written(steps: Steps, bounds: Array) -> linopy.Model:
    """Write the linear problem as a sparse linopy model: one variable a step, one constraint a node."""
    activities = pd.RangeIndex(bounds.size // COUNT, name="activity")
    number = pd.RangeIndex(COUNT, name="step")
    model = linopy.Model(sparse=True)
    level = model.add_variables(
        lower=np.zeros((activities.size, COUNT)),
        upper=bounds.reshape(-1, COUNT),
        coords=[activities, number],
        name="level",
    )
    first = steps.A[:, ::COUNT].tocoo()
    entries = pd.RangeIndex(first.nnz, name="entry")
    taking = level.isel(activity=pd.Series(first.col, index=entries).to_xarray())
    tonnes = pd.Series(first.data, index=entries)
    node = pd.Series(first.row, index=entries, name="node")
    gives = (taking.sum("step") * tonnes).groupby(node).sum()
    model.add_constraints(
        gives == pd.Series(steps.b, index=pd.RangeIndex(steps.b.size, name="node")), name="balance"
    )
    cost = pd.DataFrame(steps.cost.reshape(-1, COUNT), index=activities, columns=number)
    model.add_objective((level * cost).sum())
    return model
