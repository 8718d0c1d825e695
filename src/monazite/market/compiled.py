"""How the loops of the kernel are compiled: by Numba, when first called, and kept for the next time.

With ``NUMBA_DISABLE_JIT=1`` the same loops run as plain Python and give the same digits: nothing here lets
the compiler reorder a sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

__all__ = ["loop"]

_Loop = TypeVar("_Loop", bound=Callable[..., Any])


def loop(function: _Loop) -> _Loop:
    """Compile a loop over arrays when it is first called.

    Examples
    --------
    >>> from monazite.market.symbolic import transposed
    >>> import numpy as np
    >>> transposed(np.array([0, 2, 3]), np.array([0, 2, 2]), 3)[0].tolist()
    [0, 1, 1, 3]
    """
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # no folder that may be written to: compile for this process alone
        compiled = numba.njit(nogil=True, error_model="numpy")(function)
    return cast(_Loop, compiled)
