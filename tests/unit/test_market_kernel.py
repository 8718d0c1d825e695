"""Markets small enough to clear by hand, and what the kernel owes whatever the market."""

import dataclasses

import numpy as np
import pytest

from monazite.core.errors import ArgumentError, SolverError
from monazite.market import Problem, clear, kernel, solve_reference

# One mine in the first place (marginal cost 1 + x), carriage to the second (1 + x), one buyer there (10 − x).
TWO_PLACES = Problem(
    A=[[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]],
    b=[0.0, 0.0],
    c=[1.0, 1.0, -10.0],
    a=[1.0, 1.0, 1.0],
    lower=[0.0, 0.0, 0.0],
    upper=[9.0, 9.0, 9.0],
    y0=[2.0, 4.0],
    throughput=[1.0, 1.0],
)

BOTH = pytest.mark.parametrize("solve", [clear, solve_reference])


@BOTH
def test_two_places_by_hand(solve) -> None:
    # 10 − q = (1 + q) + (1 + q), so q = 8/3
    answer = solve(TWO_PLACES)
    assert answer.x == pytest.approx([8 / 3] * 3, rel=1e-7)
    assert answer.price == pytest.approx([11 / 3, 22 / 3], rel=1e-7)
    assert answer.unique.all()
    assert answer.price_low.tolist() == answer.price_high.tolist() == answer.price.tolist()
    # Σ c x + ½ a x² = (1 + 1 − 10)·8/3 + 3/2·(8/3)²
    assert answer.certificate.objective == pytest.approx(-64 / 3 + 32 / 3, rel=1e-12)
    assert answer.certificate.converged


@BOTH
def test_a_quota_lifts_the_price_behind_it_and_lowers_the_one_before_it(solve) -> None:
    answer = solve(dataclasses.replace(TWO_PLACES, upper=[9.0, 1.0, 9.0]))
    assert answer.x == pytest.approx([1.0] * 3, rel=1e-7)
    assert answer.price == pytest.approx([2.0, 9.0], rel=1e-7)


def test_a_ban_leaves_no_market_at_either_end() -> None:
    answer = clear(dataclasses.replace(TWO_PLACES, upper=[9.0, 0.0, 9.0]))
    assert answer.x == pytest.approx([0.0, 0.0, 0.0], abs=1e-12)
    assert np.isnan(answer.price_low).all()
    assert np.isnan(answer.price_high).all()
    assert not answer.unique.any()
    assert np.isfinite(answer.price).all()


def test_what_is_in_stock_is_used() -> None:
    # the second place opens with 3 t: 10 − q = 2 + 2 (q − 3), so q = 14/3
    answer = clear(dataclasses.replace(TWO_PLACES, b=[0.0, -3.0]))
    assert answer.x == pytest.approx([5 / 3, 5 / 3, 14 / 3], rel=1e-12)


def test_joint_products_share_one_level() -> None:
    # ore (cost z) splits, at a cost of z, into 0.9 of an oxide worth 10 − q and 0.1 of one worth 100 − 10 q:
    # 0.9 (10 − 0.9 z) + 0.1 (100 − z) = 2 z
    answer = clear(
        Problem(
            A=[[1.0, -1.0, 0.0, 0.0], [0.0, 0.9, -1.0, 0.0], [0.0, 0.1, 0.0, -1.0]],
            b=[0.0] * 3,
            c=[0.0, 0.0, -10.0, -100.0],
            a=[1.0, 1.0, 1.0, 10.0],
            lower=[0.0] * 4,
            upper=[np.inf, np.inf, 9.0, 10.0],
            y0=[1.0, 1.0, 1.0],
            throughput=[1.0] * 3,
        )
    )
    level = (0.9 * 10 + 0.1 * 100) / (2 + 0.81 + 0.1)
    assert answer.x[1] == pytest.approx(level, rel=1e-12)
    assert answer.price == pytest.approx([level, 10 - 0.9 * level, 100 - level], rel=1e-12)


def test_levels_are_the_best_ones_at_the_prices() -> None:
    answer = clear(TWO_PLACES)
    earned = TWO_PLACES.A.T @ answer.price - TWO_PLACES.c
    assert answer.x == pytest.approx(np.clip(earned / TWO_PLACES.a, 0.0, 9.0), rel=1e-14)
    assert answer.certificate.stationarity < 1e-14
    assert abs(answer.certificate.gap) < 1e-12


@pytest.mark.parametrize("start", [[0.0, 0.0], [1e3, 1e3], [-5.0, 5.0], [1e-9, 1e6]])
def test_the_answer_does_not_hang_on_the_start(start: list[float]) -> None:
    answer = clear(TWO_PLACES, start=start)
    assert answer.price == pytest.approx([11 / 3, 22 / 3], rel=1e-10)


def test_repeated_calls_agree_to_the_last_digit() -> None:
    first, second = clear(TWO_PLACES), clear(TWO_PLACES)
    assert first.x.tobytes() == second.x.tobytes()
    assert first.price.tobytes() == second.price.tobytes()
    assert first.certificate == second.certificate


def test_a_baseline_saves_work_and_changes_nothing() -> None:
    shocked = dataclasses.replace(TWO_PLACES, upper=[9.0, 1.0, 9.0])
    assert clear(shocked, baseline=TWO_PLACES).price == pytest.approx(clear(shocked).price, rel=1e-10)
    elsewhere = dataclasses.replace(TWO_PLACES, A=[[1.0, -1.0, 0.0], [0.0, 0.5, -1.0]])
    assert clear(shocked, baseline=elsewhere).price == pytest.approx(clear(shocked).price, rel=1e-10)


def test_the_fallback_answers_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = clear(TWO_PLACES)
    monkeypatch.setattr(kernel, "_STEPS", 0)
    answer = clear(TWO_PLACES)
    assert answer.certificate.method == "piqp"
    assert answer.certificate.converged
    assert answer.price == pytest.approx(wanted.price, rel=1e-9)


def test_an_unbalanced_answer_is_never_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_STEPS", 0)
    monkeypatch.setattr(kernel, "_LAST_STEPS", 0)
    wrong = np.array([50.0, 1.0])
    monkeypatch.setattr(kernel, "follow_path", lambda market, state, begin: state)
    monkeypatch.setattr(kernel, "interior_point", lambda problem, scaling: (None, wrong, 3, "FAILED"))
    with pytest.raises(SolverError) as caught:
        clear(TWO_PLACES)
    assert caught.value.key == "market.not_converged"
    answer = clear(TWO_PLACES, strict=False)
    assert not answer.certificate.converged
    assert answer.certificate.balance > 0.1


def test_what_cannot_balance_is_an_error() -> None:
    # 20 t must be taken where at most 9 can come in
    impossible = dataclasses.replace(TWO_PLACES, lower=[0.0, 0.0, 20.0], upper=[9.0, 9.0, 20.0])
    with pytest.raises(SolverError):
        clear(impossible)
    with pytest.raises(SolverError):
        solve_reference(impossible)
    assert not clear(impossible, strict=False).certificate.converged


def test_a_level_may_run_both_ways() -> None:
    # the second place mines too, at 0.5 + 0.1 x, and goods go back the way they came
    both = Problem(
        A=[[1.0, -1.0, 0.0, 0.0, -1.0], [0.0, 1.0, -1.0, 1.0, 0.0]],
        b=[0.0, 0.0],
        c=[1.0, 0.0, -10.0, 0.5, -10.0],
        a=[1.0, 1.0, 1.0, 0.1, 1.0],
        lower=[0.0, -np.inf, 0.0, 0.0, 0.0],
        upper=[np.inf] * 5,
        y0=[2.0, 4.0],
        throughput=[1.0, 1.0],
    )
    answer = clear(both)
    assert answer.x[1] < 0.0
    assert answer.price[0] - answer.price[1] == pytest.approx(-answer.x[1], rel=1e-12)
    assert answer.unique.all()
    assert solve_reference(both).price == pytest.approx(answer.price, rel=1e-7)


@pytest.mark.parametrize("start", [[1.0], [np.nan, 1.0], [np.inf, 1.0]])
def test_a_wrong_start_is_refused(start: list[float]) -> None:
    with pytest.raises(ArgumentError):
        clear(TWO_PLACES, start=start)


@pytest.mark.parametrize("tolerance", [0.0, -1.0, np.nan, np.inf])
def test_a_wrong_tolerance_is_refused(tolerance: float) -> None:
    with pytest.raises(ArgumentError):
        clear(TWO_PLACES, tolerance=tolerance)


def test_prices_of_zero_have_a_scale_too() -> None:
    # a gate: a node of price zero between mine and carriage
    gate = Problem(
        A=[[1.0, -1.0, 0.0, 0.0], [0.0, 1.0, -1.0, 0.0], [0.0, 1.0, 0.0, -1.0]],
        b=[0.0] * 3,
        c=[1.0, 0.0, -10.0, 0.0],
        a=[1.0, 1e-4, 1.0, 1e-4],
        lower=[0.0] * 4,
        upper=[9.0, 9.0, 9.0, 2.0],
        y0=[2.0, 2.0, 0.0],
        throughput=[1.0] * 3,
    )
    answer = clear(gate)
    assert answer.x == pytest.approx([2.0] * 4, rel=1e-9)
    # what the quota is worth: 8 − 3 less the gate's own small slope
    assert answer.price[2] == pytest.approx(-5.0, rel=1e-3)
