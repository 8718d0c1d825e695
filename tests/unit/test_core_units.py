"""Units make the round trip, never cross a dimension, and never cross a basis without a factor."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monazite.core.errors import ArgumentError, UnknownName
from monazite.core.units import convert, unit, units

PAIRS = [(a.name, b.name) for a in units().values() for b in units().values() if a.dimension == b.dimension]


@given(st.sampled_from(PAIRS), st.floats(-1e9, 1e9))
def test_a_unit_makes_the_round_trip(pair: tuple[str, str], value: float) -> None:
    one, other = pair
    assert convert(convert(value, one, other), other, one) == pytest.approx(value, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize(
    ("value", "source", "target", "wanted"),
    [
        (2.5, "kt", "t", 2500.0),
        (12.0, "t/yr", "t/month", 1.0),
        (1.0, "year", "month", 12.0),
        (1.0, "year", "day", 365.25),
        (52.0, "week", "day", 364.0),
        (1500.0, "USD/t", "USD/kg", 1.5),
        (40.0, "%", "1", 0.4),
        (24.0, "g/unit", "kg/unit", 0.024),
        (1.0, "1/month", "1/yr", 12.0),
        (3.0, "MUSD/month", "bn USD/yr", 0.036),
    ],
)
def test_by_hand(value: float, source: str, target: str, wanted: float) -> None:
    assert convert(value, source, target) == pytest.approx(wanted, rel=1e-12)


def test_arrays_convert() -> None:
    np.testing.assert_allclose(convert(np.array([1.0, np.nan]), "kt", "t"), [1000.0, np.nan])


def test_dimensions_do_not_mix() -> None:
    with pytest.raises(ArgumentError, match=r"'t' \(mass\).*'USD/kg' \(price\)"):
        convert(1.0, "t", "USD/kg")


def test_bases_do_not_mix_without_a_cited_factor() -> None:
    with pytest.raises(ArgumentError, match="without a cited factor"):
        convert(1.0, "t", "t", from_basis="oxide", to_basis="metal")
    assert convert(1.0, "t", "kg", from_basis="oxide", to_basis="metal", factor=0.857) == pytest.approx(857)
    assert convert(1.0, "t", "kg", from_basis="oxide", to_basis="oxide") == 1000.0


def test_an_unknown_unit_gives_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 't/yr'"):
        unit("t/year")


def test_every_dimension_has_its_reference_unit() -> None:
    dimensions = {entry.dimension for entry in units().values()}
    assert {entry.dimension for entry in units().values() if entry.factor == 1} == dimensions
