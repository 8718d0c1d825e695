"""A D Aᵀ of one network for any weights D: where its values stand, its factor, and systems solved with it."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from functools import cached_property
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from monazite.market.factor import Factor, factorise
from monazite.market.linear import (
    fill,
    pairs,
    pattern,
    restrict,
    solve_by_gradients,
    widen,
)
from monazite.market.problem import Array
from monazite.market.symbolic import Blocks, Integers, blocks_of, postordered, reordered, transposed

__all__ = ["Hessian", "hessian_of"]

_KEPT = 4
#: an activity that follows less than this share of a change is at its bound
_FREE = 1e-8
_OPTIONS = {"SymmetricMode": True}
_by_content: OrderedDict[bytes, Hessian] = OrderedDict()
_by_matrix: WeakValueDictionary[int, sparse.csc_array] = WeakValueDictionary()
_of_matrix: dict[int, Hessian] = {}


class Hessian:
    """A D Aᵀ for one A and any diagonal D ≥ 0.

    The pattern never changes, so where each product of two coefficients lands, and what the factor looks
    like, are found once. Everything here counts the nodes in the order of the factor: position k is the
    caller's node ``order[k]``.

    Parameters
    ----------
    matrix : sparse array, shape (m, n)
        A, in compressed columns.
    order : array of int, shape (m,), optional
        An order of the nodes that keeps the factor sparse; minimum degree when absent.

    Attributes
    ----------
    order : array of int, shape (m,)
        The caller's node at each position.
    starts, indices, data : arrays
        A by columns: the coefficients of activity j are ``data[starts[j]:starts[j + 1]]``.
    """

    def __init__(self, matrix: sparse.csc_array, order: Integers | None = None) -> None:
        nodes = matrix.shape[0]
        starts, data = matrix.indptr.astype(np.int64), np.array(matrix.data, dtype=float)
        raw = matrix.indices.astype(np.int64)
        if order is None:
            order = _order(starts, raw, nodes)
        indices = _placed(raw, order)
        lower_starts, lower = pattern(starts, indices, nodes)
        after = postordered(*transposed(lower_starts, lower, nodes))
        if not np.array_equal(after, np.arange(nodes)):
            place = np.empty_like(after)
            place[after] = np.arange(nodes)
            order, indices = order[after], place[indices]
            lower_starts, lower = reordered(lower_starts, lower, place)
        self.order = order
        self.starts, self.indices, self.data = starts, indices, data
        self._lower_starts, self._lower = lower_starts, lower
        self._pair_starts, self._product, self._to = pairs(starts, indices, data, lower_starts, lower)
        self._blocks: Blocks = blocks_of(lower_starts, lower)

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return int(self.order.size)

    @cached_property
    def _reaching(self) -> tuple[Integers, Integers]:
        """The activities at each node."""
        node_starts, node_columns = transposed(self.starts, self.indices, self.nodes)
        return node_starts, node_columns

    def part(self, chosen: Integers) -> tuple[Hessian, Integers]:
        """Return the network of some nodes alone, and the activities that touch them.

        Parameters
        ----------
        chosen : array of int
            Positions of the nodes, ascending.
        """
        touched, starts, indices, data = restrict(
            chosen, *self._reaching, self.starts, self.indices, self.data
        )
        matrix = sparse.csc_array((data, indices, starts), shape=(chosen.size, touched.size))
        return Hessian(matrix, np.arange(chosen.size, dtype=np.int64)), touched

    def widened(self, near: NDArray[np.bool_], weights: Array, flexibility: Array) -> NDArray[np.bool_]:
        """Return the nodes near, and those that free activities tie to them."""
        free = weights > _FREE * flexibility
        found: NDArray[np.bool_] = widen(near, *self._reaching, self.starts, self.indices, free)
        return found

    def values(self, weights: Array, least: Array, share: float) -> Array:
        """Return the stored values of A diag(weights) Aᵀ + E, E = max(least, share × diagonal)."""
        values = np.empty(self._lower.size)
        fill(self._pair_starts, self._product, self._to, weights, self._lower_starts, least, share, values)
        return values

    def factor(self, values: Array) -> Factor:
        """Factor the matrix of these values."""
        return factorise(self._blocks, self._lower_starts, values)

    def solve(
        self, values: Array, right: Array, factor: Factor, tolerance: float, limit: int
    ) -> tuple[Array, int, bool]:
        """Solve with the matrix of these values by conjugate gradients that a factor directs.

        Returns
        -------
        tuple of (array, int, bool)
            The last iterate, the steps taken, and whether the tolerance was reached within ``limit`` steps.
        """
        b = self._blocks
        answer = np.empty_like(right)
        steps, reached = solve_by_gradients(
            self._lower_starts, self._lower, values, right, b.first, b.start, b.rows, b.store,
            factor.packed, factor.scale, tolerance, limit, answer,
        )  # fmt: skip
        return answer, int(steps), bool(reached)


def hessian_of(matrix: sparse.csc_array) -> Hessian:
    """Return the :class:`Hessian` of a matrix that does not change; the last few are kept, by content."""
    if _by_matrix.get(id(matrix)) is matrix and id(matrix) in _of_matrix:
        return _of_matrix[id(matrix)]
    digest = hashlib.blake2b(repr(matrix.shape).encode(), digest_size=16)
    for part in (matrix.indptr, matrix.indices, matrix.data):
        digest.update(part.tobytes())
    key = digest.digest()
    found = _by_content.pop(key, None) or Hessian(matrix)
    _by_content[key] = found
    while len(_by_content) > _KEPT:
        _by_content.popitem(last=False)
    for gone in [name for name in _of_matrix if name not in _by_matrix]:
        del _of_matrix[gone]
    _by_matrix[id(matrix)] = matrix
    _of_matrix[id(matrix)] = found
    return found


def _placed(raw: Integers, order: Integers) -> Integers:
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size, dtype=np.int64)
    return place[raw]


def _order(starts: Integers, indices: Integers, nodes: int) -> NDArray[np.int64]:
    """Return the order of the nodes that keeps the factor sparse (minimum degree)."""
    from scipy.sparse.linalg import splu

    lower_starts, lower = pattern(starts, indices, nodes)
    half = sparse.csc_matrix((np.full(lower.size, -1.0), lower, lower_starts), shape=(nodes, nodes))
    both = sparse.csc_matrix(half + half.T)
    heavy = sparse.diags_array(4.0 + 2.0 * np.diff(both.indptr))
    factor = splu(
        sparse.csc_matrix(both + heavy),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options=_OPTIONS,
    )
    return np.argsort(factor.perm_c).astype(np.int64)
