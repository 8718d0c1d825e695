"""The public interior-point solver PIQP on the same problem: what tests compare with, and the fallback."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from monazite.core.errors import SolverError
from monazite.market.certificate import Effort, certify
from monazite.market.intervals import price_intervals
from monazite.market.problem import Array, Clearing, Problem

__all__ = ["interior_point", "solve_reference"]

_REFERENCE_BALANCE = 1e-8
_REFERENCE_STATIONARITY = 1e-6


def solve_reference(problem: Problem, *, tolerance: float = 1e-9, strict: bool = True) -> Clearing:
    """Clear the market with the public solver PIQP.

    Its objective and balance are good to about 1e-12 and 1e-9; its prices to about 1e-7, and its smallest flows
    are worse than the largest by the spread between them: compare accordingly.

    Parameters
    ----------
    problem : Problem
        The market.
    tolerance : float
        Relative accuracy asked of PIQP.
    strict : bool
        Whether an unusable answer raises; otherwise it is returned with ``converged`` false.

    Returns
    -------
    Clearing
        As from :func:`monazite.market.clear`; ``converged`` says that balance ≤ 1e-8 and
        stationarity ≤ 1e-6.

    Raises
    ------
    SolverError
        PIQP found no answer, or one outside those limits.

    Examples
    --------
    >>> from monazite.market import Problem, solve_reference
    >>> problem = Problem(A=[[1.0, -1.0]], b=[0.0], c=[1.0, -5.0], a=[1.0, 1.0], lower=[0.0, 0.0],
    ...                   upper=[9.0, 9.0], y0=[2.0], throughput=[1.0])
    >>> solve_reference(problem).price.round(6).tolist()
    [3.0]
    """
    x, y, steps, status = interior_point(problem, tolerance)
    certificate = certify(
        problem,
        x,
        y,
        method="piqp",
        effort=Effort(steps=steps),
        tolerance=_REFERENCE_BALANCE,
        stationarity_tolerance=_REFERENCE_STATIONARITY,
    )
    if strict and not certificate.converged:
        raise SolverError("market.reference_failed", status=status, balance=certificate.balance)
    low, high, unique = price_intervals(problem, x, y, slack=1e-7)
    return Clearing(x, y, low, high, unique, certificate)


def interior_point(problem: Problem, tolerance: float = 1e-9) -> tuple[Array, Array, int, str]:
    """Return PIQP's levels, prices, steps and status, in the problem's own units.

    Levels are counted in tonnes that their smallest node can feel, and nodes in their own throughput, so that one
    accuracy means the same share everywhere.
    """
    import piqp

    column_scale, row_scale, value = _scales(problem)
    scaled = sparse.diags_array(1.0 / row_scale) @ problem.A @ sparse.diags_array(column_scale)
    solver = piqp.SparseSolver()
    settings = solver.settings
    settings.eps_abs = tolerance
    settings.eps_rel = tolerance
    settings.eps_duality_gap_abs = tolerance
    settings.eps_duality_gap_rel = tolerance
    settings.max_iter = 250
    upper = np.where(np.isfinite(problem.upper), problem.upper / column_scale, np.inf)
    solver.setup(
        sparse.diags_array(problem.a * column_scale**2 / value, format="csc"),
        problem.c * column_scale / value,
        sparse.csc_matrix(scaled),
        problem.b / row_scale,
        None,
        None,
        None,
        problem.lower / column_scale,
        upper,
    )
    status = solver.solve()
    result = solver.result
    x = np.clip(np.asarray(result.x) * column_scale, problem.lower, problem.upper)
    y = -np.asarray(result.y) * value / row_scale
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        x = np.clip(np.zeros_like(problem.c), problem.lower, problem.upper)
        y = problem.y0.copy()
    return x, y, int(result.info.iter), str(status.name)


def _scales(problem: Problem) -> tuple[Array, Array, float]:
    matrix = problem.A
    share = problem.throughput[matrix.indices] / np.abs(matrix.data)
    column_scale = np.ones(matrix.shape[1])
    filled = np.diff(matrix.indptr) > 0
    column_scale[filled] = np.minimum.reduceat(share, matrix.indptr[:-1][filled])
    row_scale = problem.throughput
    worth = np.abs(problem.y0) * problem.throughput
    positive = worth[worth > 0.0]
    return column_scale, row_scale, float(np.median(positive)) if positive.size else 1.0
