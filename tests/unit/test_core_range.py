"""A range stays in order whatever is done to it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monazite.core.errors import ArgumentError
from monazite.core.range import Range

numbers = st.floats(-1e6, 1e6)
ranges = st.tuples(numbers, numbers, numbers).map(lambda ends: Range(*sorted(ends)))


@given(ranges, numbers)
def test_scaling_keeps_the_order(one: Range, factor: float) -> None:
    low, value, high = one.scaled(factor)
    assert low <= value <= high
    assert one.scaled(factor).sigma == pytest.approx(abs(factor) * one.sigma, rel=1e-9, abs=1e-6)


@given(numbers, st.floats(0, 1e6))
def test_sigma_makes_the_round_trip(value: float, sigma: float) -> None:
    assert Range.around(value, sigma).sigma == pytest.approx(sigma, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("ends", [(1, 0, 2), (0, 3, 2), (math.nan, 0, 1), (0, math.nan, 1), (0, 0, math.nan)])
def test_disorder_is_refused(ends: tuple[float, float, float]) -> None:
    with pytest.raises(ArgumentError):
        Range(*ends)


def test_more_than_fifty_stays_an_interval() -> None:
    above = Range(50, 60, math.inf)
    assert 1e9 in above
    assert 49 not in above


def test_clipping_and_exactness() -> None:
    assert Range(-0.2, 0.5, 1.4).clipped(0, 1) == Range(0, 0.5, 1)
    assert Range.exact(3).is_exact
