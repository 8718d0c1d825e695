"""Every other solver that is installed, on one small network."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monazite.market import clear

sys.path.insert(0, str(Path(__file__).parents[2]))
chains = pytest.importorskip("bench.chains")
peers = pytest.importorskip("bench.peers")
steps = pytest.importorskip("bench.steps")
NEEDS = {"highs_warm": "highspy", "linopy_loop": "linopy", "linopy_persistent": "linopy"}


@pytest.fixture(scope="module")
def case():
    return chains.synthetic(1, 4, 2, stages=3, shocks=3)


@pytest.fixture(scope="module")
def cleared(case):
    return [
        clear(replace(case.problem, upper=shock.upper), baseline=case.problem, tolerance=1e-11)
        for shock in case.shocks
    ]


@pytest.fixture(scope="module")
def linear(case):
    """The linear version solved by SciPy's own HiGHS, scenario by scenario."""
    from scipy.optimize import linprog

    made = steps.in_steps(case)
    found = [
        linprog(
            made.cost,
            A_eq=made.A,
            b_eq=made.b,
            bounds=np.stack([np.zeros(made.cost.size), made.upper(shock.upper)], axis=1),
        )
        for shock in case.shocks
    ]
    return [answer.fun + made.constant for answer in found]


def solver_of(name, case):
    pytest.importorskip(NEEDS.get(name, name))
    return importlib.import_module(f"bench.peers.{name}").prepare(case)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("name", peers.QUADRATIC)
def test_quadratic_solvers_agree(name, case, cleared) -> None:
    solve = solver_of(name, case)
    for shock, answer in zip(case.shocks, cleared, strict=True):
        found = solve(shock.upper)
        assert found.done, found.status
        assert found.seconds > 0.0
        assert found.objective == pytest.approx(answer.certificate.objective, rel=1e-6)
        assert found.price[answer.unique] == pytest.approx(answer.price[answer.unique], rel=1e-3)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("name", peers.LINEAR)
def test_linear_solvers_agree_on_the_linear_version(name, case, linear) -> None:
    solve = solver_of(name, case)
    for shock, objective in zip(case.shocks, linear, strict=True):
        found = solve(shock.upper)
        assert found.done, found.status
        assert found.objective == pytest.approx(objective, rel=1e-8)


def test_the_linear_version_is_near(case, cleared, linear) -> None:
    """Its steps are a sixteenth of a range wide, so its value is near and never the same."""
    for answer, objective in zip(cleared, linear, strict=True):
        apart = abs(objective / answer.certificate.objective - 1.0)
        assert 0.0 < apart < 0.02


def test_steps_add_up_to_the_bounds(case) -> None:
    made = steps.in_steps(case)
    finite = np.isfinite(case.problem.upper)
    full = made.levels(
        np.where(np.isinf(made.upper(case.problem.upper)), 0.0, made.upper(case.problem.upper))
    )
    assert full[finite] == pytest.approx(case.problem.upper[finite])
    half = 0.5 * np.where(finite, case.problem.upper, 1.0)
    assert made.levels(made.upper(half))[finite] == pytest.approx(half[finite])
