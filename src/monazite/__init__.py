"""Monazite: dependence on critical minerals, and what happens when a state restricts one.

Nothing heavy is imported here: public names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

#: public name -> module that defines it
_HOME: dict[str, str] = {}

__all__ = ["__version__"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'monazite' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
