"""How a network clears: the problem, the kernel that solves it, and what the answer proves about itself.

The names are loaded on first use: the kernel brings its compiled loops along, and whoever asks for measures
alone need not wait for them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monazite.market.block import Change, solve_block
    from monazite.market.certificate import Certificate
    from monazite.market.contingent import Settled, fixed_point
    from monazite.market.kernel import clear
    from monazite.market.problem import Clearing, Problem
    from monazite.market.reference import solve_reference

_MODULES = {
    "Certificate": "certificate",
    "Change": "block",
    "Clearing": "problem",
    "Problem": "problem",
    "Settled": "contingent",
    "clear": "kernel",
    "fixed_point": "contingent",
    "solve_block": "block",
    "solve_reference": "reference",
}

__all__ = [
    "Certificate",
    "Change",
    "Clearing",
    "Problem",
    "Settled",
    "clear",
    "fixed_point",
    "solve_block",
    "solve_reference",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value
