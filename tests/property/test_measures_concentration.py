"""What must hold of any index of concentration."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monazite.assess.formulas import complements, effective_suppliers, hhi, normalised_hhi, top

TONNES = st.lists(st.floats(1e-3, 1e9), min_size=1, max_size=25)


@given(TONNES)
def test_index_lies_between_equal_shares_and_one(tonnes):
    index = hhi(tonnes).value
    assert 1 / len(tonnes) - 1e-9 <= index <= 1 + 1e-9
    if len(tonnes) > 1:
        assert -1e-9 <= normalised_hhi(index, len(tonnes)) <= 1 + 1e-9


@given(TONNES, st.floats(1e-3, 1e3))
def test_index_knows_no_unit(tonnes, factor):
    assert hhi([t * factor for t in tonnes]).value == pytest.approx(hhi(tonnes).value, rel=1e-6)


@given(TONNES)
def test_effective_suppliers_are_at_most_the_entropy_number_and_the_number_of_states(tonnes):
    s = np.array(tonnes) / sum(tonnes)
    entropy = math.exp(-float(np.sum(s * np.log(s))))
    assert effective_suppliers(hhi(tonnes).value) <= entropy * (1 + 1e-9)
    assert entropy <= len(tonnes) * (1 + 1e-9)


@given(TONNES, st.floats(1e-6, 1.0))
def test_an_entrant_that_takes_from_all_in_proportion_lowers_the_index_if_small(tonnes, size):
    """New index (1 − e)² H + e²: lower than H exactly where e < 2H / (1 + H)."""
    before = hhi(tonnes).value
    entrant = size / (1 + size)
    after = hhi([*tonnes, sum(tonnes) * size]).value
    assert after == pytest.approx((1 - entrant) ** 2 * before + entrant**2, rel=1e-6)
    if entrant < 2 * before / (1 + before) * (1 - 1e-9):
        assert after < before + 1e-12


@given(TONNES, st.floats(0, 1e9))
def test_bounds_hold_however_the_rest_is_made_up(tonnes, rest):
    bounds = hhi(tonnes, rest)
    for parts in (1, 3, 50):
        split = hhi([*tonnes, *([rest / parts] * parts)]).value
        assert bounds.low - 1e-9 <= split <= bounds.high + 1e-9
        assert top([*tonnes, *([rest / parts] * parts)], 1).value <= top(tonnes, 1, rest).high + 1e-9


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_a_product_is_never_less_exposed_than_any_of_its_elements(parts):
    bounds = complements(parts)
    assert all(bounds.value >= p for p in parts)
    assert bounds.high <= 1
