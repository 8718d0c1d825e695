"""What the market solves: one convex, separable quadratic problem over a sparse network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from monazite.core.errors import ArgumentError
from monazite.market.certificate import Certificate

Array = NDArray[np.float64]

__all__ = ["Array", "Clearing", "Problem", "flow_scale", "price_scale"]

_checked: WeakValueDictionary[int, sparse.csc_array] = WeakValueDictionary()


@dataclass(frozen=True, eq=False)
class Problem:
    """Minimise ``c·x + ½ a·x²`` subject to ``A x = b`` and ``lower ≤ x ≤ upper``.

    A column is an activity (mine, process, trade, store, use); a row is a node, and the dual of its row is
    the price there. Everything is checked and copied to ``float64`` when the problem is made.

    Parameters
    ----------
    A : sparse array, shape (m, n)
        What one tonne of each activity's level gives (+) to and takes (−) from each node, t/t.
    b : array, shape (m,)
        Right-hand side, t per period: minus the opening stocks and the goods already at sea.
    c : array, shape (n,)
        Marginal cost at level zero, USD/kg. A use has minus its highest willingness to pay.
    a : array, shape (n,)
        Rise of marginal cost per tonne, USD/kg per t, strictly positive.
    lower, upper : array, shape (n,)
        Bounds of the level, t per period. ``lower`` may be ``-inf``, ``upper`` may be ``inf``.
    y0 : array, shape (m,)
        Base prices, USD/kg: where the search starts, and the scale of prices.
    throughput : array, shape (m,)
        Base tonnes through each node, strictly positive: the scale of residuals.

    Raises
    ------
    ArgumentError
        A shape does not fit, a figure is not a number, a lower bound lies above its upper bound, a slope or
        a throughput is not positive. The message says at which position.

    Examples
    --------
    One mine, one buyer, one node: the mine costs 1 + x, the buyer pays 5 − x.

    >>> from monazite.market import Problem, clear
    >>> problem = Problem(A=[[1.0, -1.0]], b=[0.0], c=[1.0, -5.0], a=[1.0, 1.0], lower=[0.0, 0.0],
    ...                   upper=[9.0, 9.0], y0=[2.0], throughput=[1.0])
    >>> answer = clear(problem)
    >>> answer.price.round(6).tolist(), answer.x.round(6).tolist()
    ([3.0], [2.0, 2.0])
    """

    A: Any
    b: Array
    c: Array
    a: Array
    lower: Array
    upper: Array
    y0: Array
    throughput: Array

    def __post_init__(self) -> None:
        matrix = _matrix(self.A)
        object.__setattr__(self, "A", matrix)
        rows, columns = matrix.shape
        for name, length in (("b", rows), ("y0", rows), ("throughput", rows), ("c", columns), ("a", columns)):
            object.__setattr__(self, name, _vector(name, getattr(self, name), length))
        object.__setattr__(self, "lower", _vector("lower", self.lower, columns, infinite=-np.inf))
        object.__setattr__(self, "upper", _vector("upper", self.upper, columns, infinite=np.inf))
        for name in ("a", "throughput"):
            values = getattr(self, name)
            bad = np.flatnonzero(values <= 0.0)
            if bad.size:
                raise ArgumentError(
                    "market.not_positive", name=name, position=int(bad[0]), value=float(values[bad[0]])
                )
        bad = np.flatnonzero(self.lower > self.upper)
        if bad.size:
            at = int(bad[0])
            raise ArgumentError(
                "market.crossed_bounds", position=at, lower=float(self.lower[at]), upper=float(self.upper[at])
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Nodes and activities."""
        rows, columns = self.A.shape
        return int(rows), int(columns)

    def residual(self, x: Array) -> Array:
        """Return ``A x − b`` in tonnes, shape (m,)."""
        return np.asarray(self.A @ x - self.b, dtype=float)

    def cost(self, x: Array) -> float:
        """Return the objective ``c·x + ½ a·x²`` in thousand USD (tonnes × USD/kg)."""
        return float(np.sum((self.c + 0.5 * self.a * x) * x))

    def levels(self, reduced: Array) -> Array:
        """Return the best level of each activity where it earns ``reduced`` = Aᵀy − c, USD/kg, shape (n,)."""
        return np.clip(reduced / self.a, self.lower, self.upper)


@dataclass(frozen=True, eq=False)
class Clearing:
    """A cleared market.

    Attributes
    ----------
    x : array, shape (n,)
        Level of each activity, t per period.
    price : array, shape (m,)
        Dual of ``A x = b``, USD/kg: ``c + a x = Aᵀ price`` wherever a level is strictly between its bounds.
        Finite everywhere; where it is not unique it is one price inside the interval.
    price_low, price_high : array, shape (m,)
        Every price that supports the same levels lies between them: equal where the price is unique,
        infinite where nothing limits it, ``nan`` where nothing trades ("no market").
    unique : array of bool, shape (m,)
        Whether the price is the only one.
    certificate : Certificate
        How good the answer is and how it was found.
    """

    x: Array
    price: Array
    price_low: Array
    price_high: Array
    unique: NDArray[np.bool_]
    certificate: Certificate


def price_scale(problem: Problem) -> Array:
    """Return the base price of each node; where that is zero, what its activities are worth, shape (m,)."""
    scale = np.abs(problem.y0)
    empty = scale == 0.0
    if empty.any():
        matrix = abs(problem.A)
        share = matrix @ (matrix.T @ scale)
        number = np.maximum(np.bincount(matrix.indices, minlength=scale.size), 1)
        scale = np.where(empty, share / number, scale)
        scale[scale == 0.0] = float(scale.max()) if scale.any() else 1.0
    return scale


def flow_scale(problem: Problem) -> Array:
    """Return for each activity the level that its smallest node would feel, t."""
    matrix = problem.A
    scale = np.zeros(matrix.shape[1])
    filled = np.diff(matrix.indptr) > 0
    share = problem.throughput[matrix.indices] / np.abs(matrix.data)
    scale[filled] = np.minimum.reduceat(share, matrix.indptr[:-1][filled])
    return scale


def _matrix(given: Any) -> sparse.csc_array:
    known = _checked.get(id(given))
    if known is not None and known is given:
        return known  # checked before, and frozen since: a changed problem shares it
    try:
        matrix = sparse.csc_array(given, dtype=np.float64, copy=True)
    except (TypeError, ValueError) as reason:
        raise ArgumentError("market.not_a_matrix", reason=str(reason)) from reason
    if 0 in matrix.shape:
        raise ArgumentError("market.not_a_matrix", reason=f"shape {matrix.shape}")
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    if not np.isfinite(matrix.data).all():
        at = int(np.flatnonzero(~np.isfinite(matrix.data))[0])
        raise ArgumentError("market.not_finite", name="A", position=at, value=float(matrix.data[at]))
    for part in (matrix.data, matrix.indices, matrix.indptr):
        part.flags.writeable = False
    _checked[id(matrix)] = matrix
    return matrix


def _vector(name: str, given: Any, length: int, *, infinite: float = 0.0) -> Array:
    try:
        values = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as reason:
        raise ArgumentError("market.wrong_shape", name=name, wanted=length, got=str(reason)) from reason
    if values.shape != (length,):
        raise ArgumentError("market.wrong_shape", name=name, wanted=length, got=str(values.shape))
    wrong = ~np.isfinite(values) & (values != infinite)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise ArgumentError("market.not_finite", name=name, position=at, value=float(values[at]))
    values.flags.writeable = False
    return values
