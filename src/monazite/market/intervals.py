"""Which prices are the only ones, and between which limits the others lie.

Levels of a cleared market are unique; its prices need not be. Prices y support the levels x if every
activity strictly between its bounds earns its marginal cost exactly (A_jᵀy = c + a x), every activity at its
lower bound earns at most that, and every activity at its upper bound at least that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from monazite.market.problem import Array, Problem, flow_scale

__all__ = ["price_intervals"]

_ROUNDS = 2000
_DENSE = 300
_RANK = 1e-9


def price_intervals(
    problem: Problem, x: Array, y: Array, *, slack: float = 1e-11
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return the lowest and the highest price of each node, and where they are one.

    Parameters
    ----------
    problem : Problem
        The market.
    x, y : array, shapes (n,) and (m,)
        Levels (t per period) and prices (USD/kg) at which it clears.
    slack : float
        A level nearer to its bound than this share of its smallest node's throughput counts as at the bound.

    Returns
    -------
    low, high : array, shape (m,)
        Limits in USD/kg: equal where the price is unique, ``±inf`` where no activity limits it, ``nan`` where
        nothing trades. Each limit follows from the conditions of one activity at a time, repeated until
        nothing moves: no supporting price lies outside, and where activities join two nodes at a time the
        limits are reached.
    unique : array of bool, shape (m,)
        Where the price is the only one.

    Examples
    --------
    A mine at full capacity whose buyer takes all he can use: any price between cost and worth will do.

    >>> import numpy as np
    >>> from monazite.market import Problem
    >>> problem = Problem(A=[[1.0, -1.0]], b=[0.0], c=[1.0, -9.0], a=[1.0, 1.0], lower=[0.0, 0.0],
    ...                   upper=[2.0, 2.0], y0=[4.0], throughput=[2.0])
    >>> low, high, unique = price_intervals(problem, np.array([2.0, 2.0]), np.array([4.0]))
    >>> low.tolist(), high.tolist(), unique.tolist()
    ([3.0], [7.0], [False])
    """
    near = slack * flow_scale(problem)
    movable = problem.upper > problem.lower
    at_lower = movable & (x - problem.lower <= near)
    at_upper = movable & (problem.upper - x <= near)
    free = movable & ~at_lower & ~at_upper
    unique = _determined(problem, free)
    low, high = y.copy(), y.copy()
    if not unique.all():
        low[~unique], high[~unique] = -np.inf, np.inf
        _tighten(problem, y, free | at_lower, free | at_upper, ~unique, low, high)
    moving = (np.abs(x) > near).astype(np.int64)
    entries = np.diff(problem.A.indptr)
    trades = np.bincount(problem.A.indices, np.repeat(moving, entries), minlength=y.size) > 0.0
    low[~trades], high[~trades] = np.nan, np.nan
    return low, high, unique & trades


def _determined(problem: Problem, free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Find the nodes whose price follows from the activities strictly between their bounds."""
    from monazite.market.judging import peel  # it brings its compiled loops along
    from monazite.market.symbolic import transposed

    whole = problem.A
    starts, indices = whole.indptr.astype(np.int64), whole.indices.astype(np.int64)
    known, open_columns = peel(starts, indices, free, *transposed(starts, indices, whole.shape[0]))
    if not open_columns.any():
        return known
    rest = np.flatnonzero(~known)
    block = sparse.csr_array(sparse.csr_array(whole[:, np.flatnonzero(open_columns)])[rest])
    scale = np.maximum(np.abs(problem.y0[rest]), 1e-12)
    block = sparse.csr_array(sparse.diags_array(scale) @ block)
    norms = np.sqrt(np.asarray((block * block).sum(axis=0)).ravel())
    block = sparse.csr_array(block @ sparse.diags_array(1.0 / norms))
    count, label = connected_components(abs(block) @ abs(block).T, directed=False)
    sizes = np.bincount(label, minlength=count)
    for component in np.flatnonzero(sizes >= 2):
        inside = np.flatnonzero(label == component)
        part = block[inside]
        part = part[:, np.unique(part.indices)]
        if part.shape[1] >= part.shape[0] - 1 or inside.size <= _DENSE:
            known[rest[inside]] = _spanned(part)
    return known


def _spanned(part: sparse.csr_array) -> NDArray[np.bool_]:
    """Find the rows e_i of the identity that the columns of ``part`` span."""
    rows = part.shape[0]
    if rows > _DENSE:
        return _spanned_sparse(part)
    vectors, sizes, _ = np.linalg.svd(part.toarray(), full_matrices=True)
    rank = int(np.count_nonzero(sizes > _RANK * max(1.0, float(sizes[0]))))
    free_part = vectors[:, rank:]
    return np.asarray(np.abs(free_part).max(axis=1, initial=0.0) < 1e-7)


def _spanned_sparse(part: sparse.csr_array) -> NDArray[np.bool_]:
    """Do the same for many rows: project fixed vectors on what the columns leave open."""
    from scipy.sparse.linalg import splu

    rows = part.shape[0]
    small = 1e-9
    factor = splu(sparse.csc_matrix(part @ part.T + small * sparse.eye_array(rows)), diag_pivot_thresh=0.0)
    probes = np.cos(np.outer(np.arange(1.0, rows + 1.0), [1.0, 2.3, 3.7, 5.1]))
    for _ in range(2):
        probes = small * factor.solve(probes)
    return np.asarray(np.abs(probes).max(axis=1) < 1e-6)


def _tighten(
    problem: Problem,
    y: Array,
    caps: NDArray[np.bool_],
    floors: NDArray[np.bool_],
    loose: NDArray[np.bool_],
    low: Array,
    high: Array,
) -> None:
    """Narrow ``low`` and ``high`` at the ``loose`` nodes, in place.

    An activity in ``caps`` may earn no more than its marginal cost (Σ A_ij y_i ≤ h), one in ``floors`` no
    less: what the others of its nodes can give at most or at least leaves a limit for the one.
    """
    touched = loose[problem.A.indices]
    columns = np.unique(np.repeat(np.arange(problem.A.shape[1]), np.diff(problem.A.indptr))[touched])
    sides = []
    for allowed, sign in ((caps, 1.0), (floors, -1.0)):
        chosen = columns[allowed[columns]]
        part = sparse.csc_array(problem.A[:, chosen])
        bound = problem.lower if sign > 0 else problem.upper
        limit = problem.c[chosen] + problem.a[chosen] * bound[chosen]
        earned = part.T @ y
        inside = caps[chosen] & floors[chosen]
        limit = np.where(inside, earned, limit)
        limit = np.maximum(sign * limit, sign * earned)
        owner = np.repeat(np.arange(chosen.size), np.diff(part.indptr))
        sides.append((owner, part.indices, sign * part.data, limit))
    owner = np.concatenate([sides[0][0], sides[1][0] + sides[0][3].size])
    node = np.concatenate([sides[0][1], sides[1][1]])
    weight = np.concatenate([sides[0][2], sides[1][2]])
    limit = np.concatenate([sides[0][3], sides[1][3]])
    if not owner.size:
        return
    rising = weight > 0.0
    for _ in range(_ROUNDS):
        least = weight * np.where(rising, low[node], high[node])
        unbounded = np.isinf(least)
        finite = np.where(unbounded, 0.0, least)
        total = np.bincount(owner, finite, minlength=limit.size)
        missing = np.bincount(owner, unbounded, minlength=limit.size)
        usable = loose[node] & (missing[owner] - unbounded == 0)
        edge = (limit[owner] - (total[owner] - finite))[usable] / weight[usable]
        up = rising[usable]
        at = node[usable]
        new_low, new_high = low.copy(), high.copy()
        np.minimum.at(new_high, at[up], edge[up])
        np.maximum.at(new_low, at[~up], edge[~up])
        # rounding must not push the price that was found out of its own interval
        new_low = np.where(loose, np.minimum(new_low, y), new_low)
        new_high = np.where(loose, np.maximum(new_high, y), new_high)
        moved = _moved(low, new_low) or _moved(high, new_high)
        low[:], high[:] = new_low, new_high
        if not moved:
            return


def _moved(old: Array, new: Array) -> bool:
    with np.errstate(invalid="ignore"):
        same = (old == new) | (np.abs(new - old) <= 1e-12 * np.abs(new))
    return not bool(same.all())
