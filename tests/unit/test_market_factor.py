"""The kernel's own factor: equal to dense algebra on any pattern; its digits are the same uncompiled."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse

from monazite.market.hessian import Hessian, hessian_of
from monazite.market.problem import Problem


def network(seed: int, nodes: int = 90, columns: int = 260) -> sparse.csc_array:
    """Activities of one to four nodes each, some nodes alone, columns of neighbours more often."""
    rng = np.random.default_rng(seed)
    rows, owners = [], []
    for column in range(columns):
        first = int(rng.integers(0, nodes - 1))
        near = first + rng.integers(0, 6, int(rng.integers(0, 4)))
        for row in sorted({first, *(int(n) for n in near if n < nodes - 1)}):
            rows.append(row)
            owners.append(column)
    values = rng.uniform(0.2, 2.0, len(rows)) * rng.choice([-1.0, 1.0], len(rows))
    return sparse.csc_array((values, (rows, owners)), shape=(nodes, columns))


def dense(hessian: Hessian, matrix: sparse.csc_array, weights: np.ndarray, least: np.ndarray) -> np.ndarray:
    whole = (matrix @ sparse.diags_array(weights) @ matrix.T).toarray()
    return whole[np.ix_(hessian.order, hessian.order)] + np.diag(least)


@pytest.mark.parametrize("seed", range(12))
def test_the_factor_solves_what_dense_algebra_solves(seed: int) -> None:
    matrix = network(seed)
    rng = np.random.default_rng(seed)
    hessian = Hessian(matrix)
    weights = np.exp(rng.uniform(-9.0, 9.0, matrix.shape[1])) * (rng.random(matrix.shape[1]) < 0.7)
    least = np.exp(rng.uniform(-3.0, 3.0, matrix.shape[0]))
    right = rng.normal(size=matrix.shape[0])
    values = hessian.values(weights, least, 0.0)
    wanted = np.linalg.solve(dense(hessian, matrix, weights, least), right)
    rough = hessian.factor(values).solve(right)
    fine, steps, reached = hessian.solve(values, right, hessian.factor(values), 1e-12, 30)
    size = np.abs(wanted).max()
    assert np.abs(rough - wanted).max() < 1e-3 * size
    assert reached
    assert steps <= 8
    assert np.abs(fine - wanted).max() < 1e-8 * size


def test_the_diagonal_grows_by_the_larger_of_least_and_share() -> None:
    matrix = sparse.csc_array(np.array([[1.0, 2.0], [0.0, 1.0]]))
    hessian = Hessian(matrix)
    values = hessian.values(np.array([1.0, 1.0]), np.array([0.1, 0.1]), 0.5)
    factor = hessian.factor(values)
    right = np.array([1.0, 0.0])
    whole = np.array([[5.0, 2.0], [2.0, 1.0]]) + np.diag([2.5, 0.5])
    wanted = np.linalg.solve(whole[np.ix_(hessian.order, hessian.order)], right)
    assert factor.solve(right) == pytest.approx(wanted, rel=1e-5)


def test_a_part_is_the_network_of_its_nodes_alone() -> None:
    matrix = network(3)
    hessian = Hessian(matrix)
    chosen = np.array([4, 5, 6, 20, 41, 42])
    part, touched = hessian.part(chosen)
    rows = hessian.order[chosen]
    cut = sparse.csr_array(matrix)[rows][:, touched].toarray()
    assert set(touched) == set(np.flatnonzero(abs(sparse.csr_array(matrix)[rows]).sum(axis=0)))
    mine = np.zeros_like(cut)
    for column in range(touched.size):
        for at in range(part.starts[column], part.starts[column + 1]):
            mine[part.order[part.indices[at]], column] = part.data[at]
    assert np.array_equal(mine, cut)


def test_a_network_is_analysed_once() -> None:
    matrix = network(5)
    matrix.sort_indices()
    assert hessian_of(matrix) is hessian_of(matrix) is hessian_of(matrix.copy())


CODE = """
import hashlib, numpy as np
from scipy import sparse
from monazite.market import Problem, clear
rng = np.random.default_rng(1)
nodes = 24
A = sparse.hstack([sparse.eye_array(nodes), -sparse.eye_array(nodes), sparse.csc_array(
    (np.r_[-np.ones(40), np.ones(40)], (np.r_[rng.permutation(40) % nodes, (rng.permutation(40) + 1) % nodes],
     np.r_[np.arange(40), np.arange(40)])), shape=(nodes, 40))])
n = A.shape[1]
worth = rng.uniform(2, 9, nodes)
cost = np.r_[rng.uniform(1, 3, nodes), -worth * 5, rng.uniform(0, 1, 40)]
problem = Problem(A=A, b=np.zeros(nodes), c=cost, a=rng.uniform(0.1, 2, n), lower=np.zeros(n),
                  upper=np.where(rng.random(n) < 0.3, 0.5, 20.0), y0=worth, throughput=np.full(nodes, 10.0))
answer = clear(problem)
print(hashlib.sha256(answer.x.tobytes() + answer.price.tobytes()).hexdigest(), answer.certificate.iterations)
"""


def test_the_loops_give_the_same_digits_uncompiled() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", CODE],
            env={**os.environ, "NUMBA_DISABLE_JIT": plain},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for plain in ("0", "1")
    ]
    assert said[0] == said[1]
    assert int(said[0].split()[1]) > 0


def test_a_figure_that_is_none_never_reaches_the_loops() -> None:
    with pytest.raises(Exception, match="upper"):
        Problem(
            A=[[1.0, -1.0]], b=[0.0], c=[1.0, -5.0], a=[1.0, 1.0], lower=[0.0, 0.0], upper=[np.nan, 9.0],
            y0=[2.0], throughput=[1.0],
        )  # fmt: skip
