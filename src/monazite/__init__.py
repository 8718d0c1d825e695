"""Monazite: secure the supply of critical minerals between states.

The public names are listed in ``__all__`` and loaded on first use, so that ``import monazite`` costs
milliseconds and loads neither numpy, polars, scipy nor pydantic.

Examples
--------
>>> import monazite as mz
>>> "load" in mz.__all__
True
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_API = "monazite.api"
_ERRORS = "monazite.core.errors"
_FACILITIES = "monazite.facts.facilities"
_PRODUCTS = "monazite.facts.products"

#: public name -> module that defines it; add a line here to export a name. A name that is also a package
#: of ours (assess, stress) cannot be exported: importing the package would take its place.
_EXPORTS: dict[str, str] = {
    "Answer": _API,
    "ArgumentError": _ERRORS,
    "Assessment": "monazite.assess",
    "ExportControl": _API,
    "FactTable": "monazite.facts",
    "FactsError": _ERRORS,
    "MonaziteError": _ERRORS,
    "Network": "monazite.network",
    "Range": "monazite.core.range",
    "Refused": _ERRORS,
    "SolverError": _ERRORS,
    "Stress": "monazite.stress",
    "Study": "monazite.study",
    "SupplyNetwork": _API,
    "UnknownName": _ERRORS,
    "brief": _API,
    "capacity": _FACILITIES,
    "control": _API,
    "controls": _API,
    "coverage": _API,
    "facilities": _FACILITIES,
    "load": _API,
    "owner_shares": _FACILITIES,
    "product_table": _PRODUCTS,
    "products": _PRODUCTS,
    "toy": _API,
}

__all__ = sorted([*_EXPORTS, "__version__"])  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    module = _EXPORTS.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Names for completion: the public ones."""
    return list(__all__)
