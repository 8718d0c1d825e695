"""Many scenarios of one network: what each changes, and the markets they clear to."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from monazite.market.problem import Array, Clearing, Problem

__all__ = ["Change", "solve_block"]


@dataclass(frozen=True, eq=False)
class Change:
    """What a scenario changes of its base problem: whole vectors, or None for the base's own.

    Parameters
    ----------
    b : array, shape (m,), optional
        Right-hand side, t per period.
    c, a : array, shape (n,), optional
        Cost lines, USD/kg and USD/kg per t.
    lower, upper : array, shape (n,), optional
        Bounds, t per period.
    """

    b: Array | None = None
    c: Array | None = None
    a: Array | None = None
    lower: Array | None = None
    upper: Array | None = None

    def on(self, base: Problem) -> Problem:
        """Return the base problem with these changes.

        Raises
        ------
        ArgumentError
            A shape does not fit, a figure is none, bounds cross (see :class:`Problem`).
        """
        given = {name: getattr(self, name) for name in ("b", "c", "a", "lower", "upper")}
        changed = {name: value for name, value in given.items() if value is not None}
        return dataclasses.replace(base, **changed)


def solve_block(
    base: Problem, block: Sequence[Change], *, tolerance: float = 1e-10, strict: bool = False
) -> list[Clearing]:
    """Clear the market of each scenario; what the network has in common is made ready once.

    Every scenario starts from the base, never from its neighbour, so that its answer is the same to the last
    digit in any block and on any worker.

    Parameters
    ----------
    base : Problem
        The network before any change.
    block : sequence of Change
        The scenarios.
    tolerance : float
        Largest imbalance of a node as a share of its throughput.
    strict : bool
        Whether a scenario outside the tolerance raises; otherwise its certificate says so.

    Returns
    -------
    list of Clearing
        In the order of the block.

    Raises
    ------
    SolverError
        With ``strict``, a scenario that no method brought to balance.
    ArgumentError
        A change that does not fit the base.

    Examples
    --------
    One mine, one buyer; then the mine may give one tonne only.

    >>> import numpy as np
    >>> from monazite.market import Problem
    >>> from monazite.market.block import Change, solve_block
    >>> base = Problem(A=[[1.0, -1.0]], b=[0.0], c=[1.0, -5.0], a=[1.0, 1.0], lower=[0.0, 0.0],
    ...                upper=[9.0, 9.0], y0=[2.0], throughput=[1.0])
    >>> less = Change(upper=np.array([1.0, 9.0]))
    >>> [one.price.round(6).tolist() for one in solve_block(base, [Change(), less])]
    [[3.0], [4.0]]
    """
    from monazite.market.kernel import clear  # it brings its compiled loops along

    return [clear(change.on(base), tolerance=tolerance, strict=strict, baseline=base) for change in block]
