"""The made-up chains that the kernel is measured on."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monazite.market import clear

sys.path.insert(0, str(Path(__file__).parents[2]))
chains = pytest.importorskip("bench.chains")

SIZES = ((1, 5, 1), (1, 2, 3), (3, 9, 4))


def base_levels(problem):
    """At the base prices every activity's level follows: none of them is flat."""
    return problem.levels(problem.A.T @ problem.y0 - problem.c)


@pytest.mark.parametrize("size", SIZES)
def test_the_base_is_the_equilibrium(size) -> None:
    problem = chains.synthetic(*size).problem
    balance = np.abs(problem.residual(base_levels(problem))) / problem.throughput
    assert balance.max() <= 1e-10
    prices = problem.y0 * np.random.default_rng(3).uniform(0.7, 1.4, problem.y0.size)
    answer = clear(problem, start=prices)
    assert answer.certificate.iterations > 0
    assert answer.price[answer.unique] == pytest.approx(problem.y0[answer.unique], rel=1e-8)
    assert answer.unique.all()


def test_size_is_as_asked_and_chains_share_products() -> None:
    problem = chains.synthetic(3, 9, 4).problem
    assert problem.shape[0] == 3 * 5 * 9 * 4
    nodes_of_chain = 5 * 9
    chain = problem.A.indices % (3 * nodes_of_chain) // nodes_of_chain
    column = np.repeat(np.arange(problem.shape[1]), np.diff(problem.A.indptr))
    first = np.full(problem.shape[1], 99)
    np.minimum.at(first, column, chain)
    assert (chain != first[column]).any()


def test_the_friendly_chain_has_the_size_that_is_quoted() -> None:
    assert chains.friendly(shocks=1).problem.shape == (2400, 28800)


def test_equal_seeds_give_equal_networks() -> None:
    one, two, other = (chains.synthetic(2, 6, 2, seed=seed) for seed in (5, 5, 6))
    assert (one.problem.A != two.problem.A).nnz == 0
    assert np.array_equal(one.problem.c, two.problem.c)
    assert [s.name for s in one.shocks] == [s.name for s in two.shocks]
    assert all(np.array_equal(a.upper, b.upper) for a, b in zip(one.shocks, two.shocks, strict=True))
    assert not np.array_equal(one.problem.c, other.problem.c)


def test_shocks_hurt_and_clear() -> None:
    case = chains.synthetic(2, 6, 3)
    open_cost = clear(case.problem).certificate.objective
    for shock in case.shocks:
        assert (shock.upper <= case.problem.upper).all()
        assert (shock.upper < case.problem.upper).any()
        answer = clear(replace(case.problem, upper=shock.upper), baseline=case.problem)
        assert answer.certificate.balance <= 1e-10
        assert answer.certificate.objective > open_cost


def test_touched_chains_are_as_many_as_asked() -> None:
    case = chains.synthetic(4, 6, 1, touched=3, shocks=4)
    month = 4 * 5 * 6
    for shock in case.shocks:
        hit = np.flatnonzero(shock.upper < case.problem.upper)
        found = {int(case.problem.A.indices[case.problem.A.indptr[j]] % month // 30) for j in hit}
        assert len(found) == 3
