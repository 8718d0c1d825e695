"""What an answer of the market can prove about itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from monazite.market.problem import Array, Problem

__all__ = ["Certificate", "Effort", "certify"]

_ROUNDING = 1e-9
Method = Literal["newton", "piqp"]


@dataclass(frozen=True)
class Certificate:
    """How good a clearing is and how it was found.

    Attributes
    ----------
    method : {"newton", "piqp"}
        The kernel's own Newton method, or the public interior-point solver (also where Newton steps
        finished its answer).
    iterations : int
        Newton steps and interior-point steps.
    cg_steps : int
        Conjugate-gradient steps over all Newton steps.
    factors : int
        Sparse factorisations of the Newton method.
    balance : float
        Largest imbalance of a node, ``max |A x − b| / throughput``, over all nodes.
    stationarity : float
        Largest violation of the optimality conditions of an activity, as a share of the prices that it
        meets: zero up to rounding for the Newton method, whose levels are made from the prices.
    gap : float
        (objective − dual objective) ÷ the size of the terms that the objective is summed from.
    objective : float
        ``c·x + ½ a·x²``, thousand USD a period.
    converged : bool
        Whether the balance is within the tolerance that was asked for and no activity could earn more: by
        stationarity for the Newton method, by the gap for an interior-point answer.
    contingent : float
        Where costs hang on prices (``fixed_point``): the largest difference between a wedge and what its rule
        makes of the prices that it leads to, as a share of that price. Zero where nothing does.
    """

    method: Method
    iterations: int
    cg_steps: int
    factors: int
    balance: float
    stationarity: float
    gap: float
    objective: float
    converged: bool
    contingent: float = 0.0

    def to_dict(self) -> dict[str, str | int | float | bool]:
        """Return the certificate as plain values, for manifests and JSON."""
        return asdict(self)


@dataclass
class Effort:
    """Work done: Newton or interior-point steps, conjugate-gradient steps, factorisations, steps on parts."""

    steps: int = 0
    cg_steps: int = 0
    factors: int = 0
    local_steps: int = 0

    def add(self, other: Effort) -> None:
        """Add another's work to this."""
        self.steps += other.steps
        self.cg_steps += other.cg_steps
        self.factors += other.factors
        self.local_steps += other.local_steps


def certify(
    problem: Problem,
    x: Array,
    y: Array,
    *,
    method: Method,
    effort: Effort,
    tolerance: float,
    gap_tolerance: float | None = None,
) -> Certificate:
    """Measure an answer on the whole problem, from nothing but its levels and prices.

    Parameters
    ----------
    problem : Problem
        The market.
    x, y : array, shapes (n,) and (m,)
        Levels in t per period and prices in USD/kg.
    method, effort
        Passed on.
    tolerance : float
        Largest imbalance allowed, as a share of a node's throughput.
    gap_tolerance : float, optional
        Largest gap allowed; without one, stationarity must be zero up to rounding.
    """
    from monazite.market.judging import judge  # it brings its compiled loops along

    matrix = problem.A
    imbalance, found = np.empty(y.size), np.empty(5)
    judge(
        matrix.indptr, matrix.indices, matrix.data, problem.b, problem.c, problem.a, problem.lower,
        problem.upper, x, y, imbalance, found,
    )  # fmt: skip
    stationarity, dual, objective, size, within = (float(value) for value in found)
    balance = float(np.max(np.abs(imbalance) / problem.throughput))
    dual += float(np.sum(problem.b * y))
    gap = (objective - dual) / size if size > 0.0 else 0.0
    best_possible = stationarity <= _ROUNDING if gap_tolerance is None else abs(gap) <= gap_tolerance
    return Certificate(
        method=method,
        iterations=effort.steps,
        cg_steps=effort.cg_steps,
        factors=effort.factors,
        balance=balance,
        stationarity=stationarity,
        gap=gap,
        objective=objective,
        converged=within == 1.0 and balance <= tolerance and best_possible,
    )
