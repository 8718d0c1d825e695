"""Other solvers on the same problem, each in a file of its own.

Every file has ``prepare(case) -> solve``: what can be reused is set up there, outside the clock. ``solve``
takes the upper bounds of a scenario and returns an `Answer`, its seconds being the CPU time from the new
bounds to the answer. All run on one thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

import numpy as np

from monazite.market.problem import Array, Problem, flow_scale, price_scale

__all__ = [
    "LIMIT", "LINEAR", "PEERS", "QUADRATIC", "TOLERANCE", "Answer", "Clock", "Scaling", "Solve", "clock",
    "scaled",
]  # fmt: skip

#: what a peer is asked for, and how long it may take, s
TOLERANCE, LIMIT = 1e-7, 60.0
#: on the problem itself, and on its linear version
QUADRATIC = ("piqp", "clarabel", "osqp", "cvxpy")
LINEAR = ("highs_warm", "linopy_persistent", "linopy_loop")
PEERS = QUADRATIC + LINEAR

Scaling = Literal["stiffness", "throughput"]


class Answer(NamedTuple):
    """What a solver says: thousand USD; USD/kg, shape (m,); whether it says that it is done; seconds."""

    objective: float
    price: Array | None
    done: bool
    status: str
    seconds: float


Solve = Callable[[Array], Answer]


class Clock:
    """Seconds of CPU time of a block of code."""

    seconds: float = 0.0


@contextmanager
def clock() -> Iterator[Clock]:
    """Measure the CPU time of a block."""
    measured = Clock()
    start = time.process_time()
    yield measured
    measured.seconds = time.process_time() - start


def scaled(problem: Problem, scaling: Scaling) -> tuple[Array, Array, float]:
    """Return the size of a level, of a node and of the objective, in which figures are of one size.

    By "stiffness" every activity is equally stiff and every node about equally stout; by "throughput" a
    level is counted in what its smallest node can feel. Without either, most solvers are far slower.
    """
    if scaling == "stiffness":
        return 1.0 / np.sqrt(problem.a), np.sqrt(problem.throughput / price_scale(problem)), 1.0
    worth = float(np.median(price_scale(problem) * problem.throughput))
    return np.maximum(flow_scale(problem), 1e-300), problem.throughput, worth
