"""Linear algebra of the dual: A D Aᵀ on one sparsity pattern, its factor, and conjugate gradients."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from monazite.market.problem import Array

__all__ = ["Hessian", "Solve", "conjugate_gradients", "hessian_of"]

Integers = NDArray[Any]
Solve = Callable[[Array], Array]
_KEPT = 4
_OPTIONS = {"SymmetricMode": True}
_cache: OrderedDict[bytes, Hessian] = OrderedDict()


class Hessian:
    """A D Aᵀ for one A and any diagonal D ≥ 0.

    The pattern never changes, so where each product of two coefficients lands, and the order of the nodes
    that keeps the factor sparse, are found once. Everything here counts the nodes in that order: position k
    is the caller's node ``order[k]``.

    Parameters
    ----------
    matrix : sparse array, shape (m, n)
        A, in compressed columns.

    Attributes
    ----------
    order : array of int, shape (m,)
        The caller's node at each position.
    rows : sparse array, shape (m, n)
        A, in compressed rows.
    columns : sparse array, shape (n, m)
        Aᵀ, in compressed rows.
    entry_column, entry_row, entry : arrays, shape (nnz,)
        The coefficients one by one, sorted by column.
    """

    def __init__(self, matrix: sparse.csc_array) -> None:
        rows, columns = matrix.shape
        first, second, product, owner = _pairs(matrix)
        here = np.arange(rows, dtype=np.int64)
        self.order = _order(first, second, rows)
        place = np.empty(rows, dtype=np.int64)
        place[self.order] = here
        self.rows = sparse.csr_array(sparse.csr_array(matrix)[self.order])
        self.columns = sparse.csr_array(self.rows.T)
        self.entry_column = np.repeat(np.arange(columns, dtype=np.int64), np.diff(self.columns.indptr))
        self.entry_row = self.columns.indices.astype(np.int64)
        self.entry = self.columns.data
        first, second = place[first], place[second]
        keys = np.concatenate([second * rows + first, here * (rows + 1)])
        pattern, position = np.unique(keys, return_inverse=True)
        self._shape = (rows, rows)
        self._products = sparse.csr_array(
            (product, (position[: first.size], owner)), shape=(pattern.size, columns)
        )
        self._diagonal = position[first.size :]
        self._indices = (pattern % rows).astype(np.int32)
        self._starts = np.searchsorted(pattern, here * rows).astype(np.int32)
        self._starts = np.append(self._starts, np.int32(pattern.size))

    def values(self, weights: Array, least: Array, share: float) -> Array:
        """Return the stored values of A diag(weights) Aᵀ + E, E = max(least, share × diagonal)."""
        data = np.asarray(self._products @ weights, dtype=float)
        diagonal = data[self._diagonal]
        data[self._diagonal] = diagonal + np.maximum(least, share * diagonal)
        return data

    def apply(self, values: Array) -> Solve:
        """Return the product of a vector with the matrix of these values."""
        matrix = sparse.csr_array((values, self._indices, self._starts), shape=self._shape)

        def product(vector: Array) -> Array:
            return np.asarray(matrix @ vector, dtype=float)

        return product

    def factor(self, values: Array) -> Solve:
        """Factor the matrix of these values and return the function that solves with it."""
        matrix = sparse.csc_matrix((values, self._indices, self._starts), shape=self._shape)
        factor = splu(matrix, permc_spec="NATURAL", diag_pivot_thresh=0.0, options=_OPTIONS)

        def solve(right: Array) -> Array:
            return np.asarray(factor.solve(right), dtype=float)

        return solve

    def components(self, inside: NDArray[np.bool_]) -> tuple[int, Integers]:
        """Split the nodes into groups that no activity ``inside`` its bounds joins.

        Parameters
        ----------
        inside : array of bool, shape (n,)
            The activities with D > 0.

        Returns
        -------
        tuple of (int, array of int)
            The number of groups and the group of each node, shape (m,).
        """
        chosen = inside[self.entry_column]
        starts = np.concatenate([[0], np.cumsum(np.diff(self.columns.indptr) * inside)])
        rows = self.entry_row[chosen]
        # one activity joins its first node with each of its others
        first = rows[np.minimum(np.repeat(starts[:-1], np.diff(starts)), max(rows.size - 1, 0))]
        graph = sparse.coo_array((np.ones(rows.size), (first, rows)), shape=self._shape)
        count, label = connected_components(graph.tocsr(), directed=False)
        return int(count), label


def hessian_of(matrix: sparse.csc_array) -> Hessian:
    """Return the :class:`Hessian` of this matrix; the last few are kept, by content."""
    digest = hashlib.blake2b(repr(matrix.shape).encode(), digest_size=16)
    for part in (matrix.indptr, matrix.indices, matrix.data):
        digest.update(part.tobytes())
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
        direction *= new / size
        direction += better
        size = new
    return answer, limit, False


def _pairs(matrix: sparse.csc_array) -> tuple[Integers, Integers, Array, Integers]:
    """Return every product of two coefficients of one column: row, row, product, column."""
    counts = np.diff(matrix.indptr).astype(np.int64)
    owner = np.repeat(np.arange(counts.size, dtype=np.int64), counts)
    width = counts[owner]
    left = np.repeat(np.arange(owner.size, dtype=np.int64), width)
    within = np.arange(left.size, dtype=np.int64) - np.repeat(np.cumsum(width) - width, width)
    right = np.repeat(matrix.indptr[:-1].astype(np.int64)[owner], width) + within
    indices = matrix.indices.astype(np.int64)
    return indices[left], indices[right], matrix.data[left] * matrix.data[right], owner[left]


def _order(first: Integers, second: Integers, rows: int) -> NDArray[np.int64]:
    """Return the order of the nodes that keeps the factor sparse (minimum degree)."""
    pattern = sparse.csc_matrix((np.ones(first.size), (first, second)), shape=(rows, rows))
    pattern.data[:] = -1.0
    heavy = sparse.diags_array(2.0 + 2.0 * np.diff(pattern.indptr))
    factor = splu(
        sparse.csc_matrix(pattern + heavy),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options=_OPTIONS,
    )
    return np.argsort(factor.perm_c).astype(np.int64)
