"""Units: one table, conversion within a dimension, and never across a basis without a cited factor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from monazite.core import schema
from monazite.core.errors import ArgumentError, UnknownName

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Unit", "convert", "unit", "units"]

Number = TypeVar("Number", float, "npt.NDArray[np.float64]")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: its name, dimension and factor to the reference unit of that dimension."""

    name: str
    dimension: str
    factor: float
    help: str


@lru_cache(maxsize=1)
def units() -> Mapping[str, Unit]:
    """Return all units of ``data/schema/units.csv`` by name.

    Examples
    --------
    >>> units()["kt"].factor
    1000.0
    """
    return {
        row["unit"]: Unit(row["unit"], row["dimension"], float(row["factor"]), row["help"])
        for row in schema.table("units")
    }


def unit(name: str) -> Unit:
    """Return a unit by name.

    Raises
    ------
    UnknownName
        With the nearest right name.
    """
    known = units()
    if name not in known:
        raise UnknownName("unit", name, known)
    return known[name]


def convert(
    value: Number,
    from_unit: str,
    to_unit: str,
    *,
    from_basis: str | None = None,
    to_basis: str | None = None,
    factor: float | None = None,
) -> Number:
    """Convert a quantity to another unit and, with a cited factor, to another basis.

    Parameters
    ----------
    value
        Number or array, in `from_unit`.
    from_unit, to_unit
        Names in ``data/schema/units.csv``, of one dimension.
    from_basis, to_basis
        Bases of the quantity before and after. Leave both out, or give the same, where the basis stays.
    factor
        Tonnes on `to_basis` per tonne on `from_basis`, from a fact (1 t Nd2O3 = 0.857 t Nd metal).

    Returns
    -------
    float or ndarray
        In `to_unit`, on `to_basis`.

    Raises
    ------
    UnknownName
        If a unit is unknown.
    ArgumentError
        If the dimensions differ, or the bases differ and no factor is given.

    Examples
    --------
    >>> convert(2.5, "kt", "t")
    2500.0
    >>> round(convert(1.0, "t", "kg", from_basis="oxide", to_basis="metal", factor=0.857), 9)
    857.0
    """
    source, target = unit(from_unit), unit(to_unit)
    if source.dimension != target.dimension:
        raise ArgumentError(
            "error.unit_dimension",
            from_unit=from_unit,
            from_dimension=source.dimension,
            to_unit=to_unit,
            to_dimension=target.dimension,
        )
    ratio = source.factor / target.factor
    if from_basis != to_basis:
        if factor is None:
            raise ArgumentError("error.unit_basis", from_basis=from_basis, to_basis=to_basis)
        ratio *= factor
    return value * ratio
