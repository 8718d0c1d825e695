"""Linear algebra of the dual: A D Aᵀ on one sparsity pattern, factored in one order, and conjugate gradients."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from monazite.market.problem import Array

__all__ = ["Hessian", "Solve", "conjugate_gradients", "hessian_of"]

Solve = Callable[[Array], Array]
_KEPT = 4
_cache: OrderedDict[bytes, Hessian] = OrderedDict()


class Hessian:
    """A D Aᵀ for one A and any diagonal D ≥ 0.

    The pattern never changes, so where each product of two coefficients lands and the order that keeps the
    factor sparse are found once. ``factor`` is then one sparse product and one numerical factorisation.

    Parameters
    ----------
    matrix : sparse array, shape (m, n)
        A, in compressed columns.
    """

    def __init__(self, matrix: sparse.csc_array) -> None:
        rows, columns = matrix.shape
        self.rows = sparse.csr_array(matrix)
        self.columns = sparse.csr_array(matrix.T)
        first, second, product, owner = _pairs(matrix)
        here = np.arange(rows, dtype=np.int64)
        order = _order(first, second, rows)
        place = np.empty(rows, dtype=np.int64)
        place[order] = here
        first, second = place[first], place[second]
        keys = np.concatenate([second * rows + first, here * (rows + 1)])
        pattern, position = np.unique(keys, return_inverse=True)
        self._shape = (rows, rows)
        self._order, self._place = order, place
        self._products = sparse.csr_array(
            (product, (position[: first.size], owner)), shape=(pattern.size, columns)
        )
        self._diagonal = position[first.size :]
        self._indices = (pattern % rows).astype(np.int32)
        self._starts = np.searchsorted(pattern, np.arange(rows + 1, dtype=np.int64) * rows).astype(np.int32)

    def factor(self, weights: Array, extra: Array) -> Solve:
        """Factor ``A diag(weights) Aᵀ + diag(extra)`` and return the function that solves with it."""
        data = self._products @ weights
        data[self._diagonal] += extra[self._order]
        hessian = sparse.csc_matrix((data, self._indices, self._starts), shape=self._shape)
        factor = splu(
            hessian, permc_spec="NATURAL", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )
        order, place = self._order, self._place

        def solve(right: Array) -> Array:
            return np.asarray(factor.solve(right[order])[place], dtype=float)

        return solve


def hessian_of(matrix: sparse.csc_array) -> Hessian:
    """Return the :class:`Hessian` of this matrix; the last few are kept, by content."""
    digest = hashlib.blake2b(repr(matrix.shape).encode(), digest_size=16)
    for part in (matrix.indptr, matrix.indices, matrix.data):
        digest.update(np.ascontiguousarray(part).tobytes())
    key = digest.digest()
    found = _cache.pop(key, None) or Hessian(matrix)
    _cache[key] = found
    while len(_cache) > _KEPT:
        _cache.popitem(last=False)
    return found


def conjugate_gradients(
    apply: Solve, right: Array, precondition: Solve, tolerance: float, limit: int
) -> tuple[Array, int, bool]:
    """Solve ``apply(z) = right`` to a relative ``tolerance`` in the preconditioner's norm.

    Returns
    -------
    tuple of (array, int, bool)
        The last iterate, the steps taken, and whether the tolerance was reached within ``limit`` steps.
    """
    answer = np.zeros_like(right)
    residual = right.copy()
    direction = precondition(residual)
    size = float(residual @ direction)
    goal = tolerance * tolerance * size
    if not (np.isfinite(size) and size > 0.0):
        return answer, 0, False
    for step in range(1, limit + 1):
        image = apply(direction)
        curvature = float(direction @ image)
        if not curvature > 0.0:
            return answer, step, False
        length = size / curvature
        answer += length * direction
        residual -= length * image
        better = precondition(residual)
        new = float(residual @ better)
        if not np.isfinite(new) or new < 0.0:
            return answer, step, False
        if new <= goal:
            return answer, step, True
        direction = better + (new / size) * direction
        size = new
    return answer, limit, False


def _pairs(
    matrix: sparse.csc_array,
) -> tuple[NDArray[Any], NDArray[Any], Array, NDArray[Any]]:
    """Return every product of two coefficients of one column: row, row, product, column."""
    counts = np.diff(matrix.indptr).astype(np.int64)
    owner = np.repeat(np.arange(counts.size, dtype=np.int64), counts)
    width = counts[owner]
    left = np.repeat(np.arange(owner.size, dtype=np.int64), width)
    within = np.arange(left.size, dtype=np.int64) - np.repeat(np.cumsum(width) - width, width)
    right = np.repeat(matrix.indptr[:-1].astype(np.int64)[owner], width) + within
    indices = matrix.indices.astype(np.int64)
    return indices[left], indices[right], matrix.data[left] * matrix.data[right], owner[left]


def _order(first: NDArray[Any], second: NDArray[Any], rows: int) -> NDArray[np.int64]:
    """Return the order of the rows that keeps the factor sparse (minimum degree)."""
    pattern = sparse.csc_matrix((np.ones(first.size), (first, second)), shape=(rows, rows))
    pattern.data[:] = -1.0
    heavy = sparse.diags_array(1.0 + 2.0 * np.diff(pattern.indptr))
    factor = splu(
        sparse.csc_matrix(pattern + heavy),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    return np.argsort(factor.perm_c).astype(np.int64)
