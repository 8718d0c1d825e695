"""The public interior-point solver PIQP on the same problem: what tests compare with, and the fallback."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import sparse

from monazite.core.errors import SolverError
from monazite.market.certificate import Certificate, Effort, certify
from monazite.market.intervals import price_intervals
from monazite.market.problem import Array, Clearing, Problem, flow_scale, price_scale

__all__ = ["SCALINGS", "interior_point", "solve_reference"]

_REFERENCE_BALANCE = 1e-8
_REFERENCE_GAP = 1e-9
_STEPS = 120
Scaling = Literal["stiffness", "throughput"]
SCALINGS: tuple[Scaling, ...] = ("stiffness", "throughput")


def solve_reference(problem: Problem, *, tolerance: float = 1e-12, strict: bool = True) -> Clearing:
    """Clear the market with the public solver PIQP.

    Its objective and balance are good to about 1e-12 and 1e-9, its prices to about 1e-6, and its smallest
    flows are worse than the largest by the spread between them: compare accordingly.

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
        As from :func:`monazite.market.clear`; ``converged`` says that balance ≤ 1e-8 and gap ≤ 1e-9, for an
        interior-point answer stays a little inside its bounds.

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
    best: tuple[Array, Array, Certificate, str] | None = None
    for scaling in SCALINGS:
        x, y, steps, status = interior_point(problem, tolerance, scaling=scaling)
        certificate = certify(
            problem,
            x,
            y,
            method="piqp",
            effort=Effort(steps=steps),
            tolerance=_REFERENCE_BALANCE,
            gap_tolerance=_REFERENCE_GAP,
        )
        if best is None or certificate.converged:
            best = x, y, certificate, status
        if certificate.converged:
            break
    assert best is not None
    x, y, certificate, status = best
    if strict and not certificate.converged:
        raise SolverError("market.reference_failed", status=status, balance=certificate.balance)
    low, high, unique = price_intervals(problem, x, y, slack=1e-7)
    return Clearing(x, y, low, high, unique, certificate)


def interior_point(
    problem: Problem, tolerance: float = 1e-10, *, scaling: Scaling = "stiffness"
) -> tuple[Array, Array, int, str]:
    """Return PIQP's levels, prices, steps and status, in the problem's own units.

    The solver wants figures of one size. By "stiffness" a level is counted in 1/√a and a node in
    √(throughput ÷ price), so that every activity is equally stiff and every node about equally stout,
    whatever its tonnage; by "throughput" a level is counted in what its smallest node can feel.
    """
    import piqp

    if scaling == "stiffness":
        column_scale = 1.0 / np.sqrt(problem.a)
        row_scale = np.sqrt(problem.throughput / price_scale(problem))
        worth = 1.0
    else:
        column_scale = np.maximum(flow_scale(problem), 1e-300)
        row_scale = problem.throughput
        worth = float(np.median(price_scale(problem) * problem.throughput))
    scaled = sparse.diags_array(1.0 / row_scale) @ problem.A @ sparse.diags_array(column_scale)
    solver = piqp.SparseSolver()
    settings = solver.settings
    settings.eps_abs = tolerance
    settings.eps_rel = tolerance
    settings.eps_duality_gap_abs = tolerance
    settings.eps_duality_gap_rel = tolerance
    settings.max_iter = _STEPS
    solver.setup(
        sparse.csc_matrix(sparse.diags_array(problem.a * column_scale**2 / worth)),
        problem.c * column_scale / worth,
        sparse.csc_matrix(scaled),
        problem.b / row_scale,
        None,
        None,
        None,
        problem.lower / column_scale,
        problem.upper / column_scale,
    )
    status = solver.solve()
    result = solver.result
    x = np.clip(np.asarray(result.x) * column_scale, problem.lower, problem.upper)
    y = -np.asarray(result.y) * worth / row_scale
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        x, y = np.clip(np.zeros_like(problem.c), problem.lower, problem.upper), problem.y0.copy()
    return x, y, int(result.info.iter), str(status.name)
