"""Concentration and complements, against numbers made by hand and published tables."""

import pytest

from monazite.assess.formulas import complements, effective_suppliers, hhi, hhi_gradient, normalised_hhi, top
from monazite.core.errors import ArgumentError

#: USGS Mineral Commodity Summaries 2026 data release, mine output (gallium: low-purity primary) of 2025, t;
#: named states, then "other countries"; index and largest share computed from them
PUBLISHED = {
    "cobalt": (
        [300, 3700, 3500, 2000, 230000, 2000, 44000, 3900, 2800, 3700, 7700, 1900],
        9100,
        0.556,
        0.731,
    ),
    "gallium": ([900, 3, 6], 0, 0.980, 0.990),
    "tungsten": ([1000, 840, 1700, 67000, 2400, 2000, 700, 2000, 1300, 800, 3000], 2400, 0.624, 0.787),
}


@pytest.mark.parametrize("mineral", PUBLISHED)
def test_index_and_largest_share_of_published_tables(mineral):
    tonnes, rest, index, largest = PUBLISHED[mineral]
    bounds = hhi(tonnes, rest)
    assert bounds.low - 5e-4 <= index <= bounds.high + 5e-4
    assert top(tonnes, 1, rest).value == pytest.approx(largest, abs=5e-4)


def test_the_residual_widens_the_index_by_its_square_only():
    bounds = hhi([60, 20], residual=20)
    assert (bounds.low, bounds.high) == pytest.approx((0.40, 0.44))
    assert hhi([60, 40]).is_exact


def test_large_whole_tonnages_do_not_overflow():
    import numpy as np

    coal = np.array([4_700_000_000, 1_000_000_000, 800_000_000], dtype=np.int64)
    assert 1 / 3 < hhi(coal).value < 1


def test_an_unnamed_rest_may_be_larger_than_the_largest_named_state():
    assert top([30, 20], 1, residual=50).value == pytest.approx(0.3)
    assert top([30, 20], 1, residual=50).high == pytest.approx(0.5)


def test_normalised_runs_from_zero_to_one():
    assert normalised_hhi(0.25, 4) == pytest.approx(0.0)
    assert normalised_hhi(1.0, 4) == 1.0
    assert normalised_hhi(1.0, 1) is None


def test_effective_suppliers_of_equal_states_is_their_number():
    assert effective_suppliers(hhi([5] * 7).value) == pytest.approx(7)


def test_gradient_is_the_slope():
    q = [50.0, 30.0]
    slope = hhi_gradient(q, residual=20.0)
    step = 1e-4
    assert slope[0] == pytest.approx((hhi([50 + step, 30], 20).value - hhi(q, 20).value) / step, rel=1e-4)
    assert slope[-1] == pytest.approx((hhi(q, 20 + step).value - hhi(q, 20).value) / step, rel=1e-4)


def test_nothing_made_has_no_index():
    with pytest.raises(ArgumentError):
        hhi([0, 0])
    with pytest.raises(ArgumentError):
        hhi([-1, 2])


def test_a_product_that_needs_all_elements_is_as_exposed_as_the_worst():
    bounds = complements([0.2, 0.9, 0.3])
    assert bounds.value == 0.9
    assert bounds.high == 1.0
    assert complements([0.2, 0.3]).high == pytest.approx(0.5)
