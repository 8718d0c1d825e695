"""Sigma is one rule, fixed in one table."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monazite.core import schema
from monazite.facts.sigma import relative_sigma, sigma_expr


def sigma(**cells: object) -> float | None:
    """Sigma of one fact: cells given, the rest as for a reported output of 100 t a year."""
    row: dict[str, object] = {"variable": "output", "value": 100.0, "low": None, "high": None}
    row |= {"kind": "reported", "written": "100", "factor": 1.0, "dimension": "mass rate", "exact": False}
    row |= cells
    types = {"value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "written": pl.String}
    return pl.DataFrame([row], schema_overrides=types).select(sigma_expr())["sigma"].item()


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        ({}, 5.0),
        ({"kind": "estimated"}, 20.0),
        ({"kind": "derived"}, 15.0),
        ({"kind": "assumed"}, 50.0),
        ({"kind": "modelled"}, 50.0),
        ({"variable": "trade"}, 10.0),
        ({"variable": "trade", "kind": "estimated"}, 20.0),
        ({"low": 80.0, "high": 131.2}, 20.0),
        ({"value": None, "written": None}, None),
        ({"value": None, "written": None, "low": 50.0, "high": 75.6}, 10.0),
        ({"low": 80.0}, 5.0),
        ({"value": -1.0, "written": "-1", "dimension": "ratio", "exact": True}, 0.0),
    ],
)
def test_by_class(cells: dict[str, object], wanted: float | None) -> None:
    assert sigma(**cells) == (None if wanted is None else pytest.approx(wanted))


@pytest.mark.parametrize(
    ("written", "value", "wanted"),
    [("3", 3.0, 0.5), ("0.3", 0.3, 0.05), ("2.50", 2.5, 0.125), ("0", 0.0, 0.5), ("1e3", 1000.0, 50.0)],
)
def test_a_reported_figure_is_off_by_half_its_last_digit_at_least(
    written: str, value: float, wanted: float
) -> None:
    assert sigma(written=written, value=value) == pytest.approx(wanted)


def test_the_last_digit_is_one_of_the_unit_written() -> None:
    assert sigma(written="0.2", value=200.0, factor=1000.0) == pytest.approx(50.0)


def test_a_ratio_written_as_one_is_not_rounded() -> None:
    assert sigma(written="1", value=1.0, dimension="ratio") == pytest.approx(0.05)


def test_every_kind_has_its_class() -> None:
    assert set(schema.enum("kind")) <= set(relative_sigma())


@given(st.sampled_from(schema.enum("kind")), st.floats(1, 1e6), st.floats(1.1, 50))
def test_sigma_grows_with_the_figure_and_is_never_negative(kind: str, value: float, factor: float) -> None:
    one, other = (sigma(kind=kind, value=v, written="1e0") for v in (value, value * factor))
    assert one is not None
    assert other is not None
    assert 0 < one < other
