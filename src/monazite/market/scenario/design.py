"""Designed samples by SALib: Saltelli's design for Sobol' indices, Morris's for elementary effects.

The points are quantiles of the causes, all on 0 to 1; equal seeds give equal points.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monazite.core.errors import ArgumentError, MonaziteError, UnknownName

__all__ = ["DESIGNS", "design_size", "designed", "effects"]

Float = NDArray[np.float64]

DESIGNS = ("monte_carlo", "sobol", "morris")
#: levels of Morris's grid
_LEVELS = 4
#: fewest base points of a designed sample
_FEWEST = 2


def _number(design: str, causes: int, samples: int) -> int:
    """Base points of Saltelli's design (a power of two), or trajectories of Morris's."""
    if causes < 1:
        raise ArgumentError("study.no_causes")
    if design == "sobol":
        most = samples // (causes + 2)
        return 2 ** (most.bit_length() - 1) if most else 0
    return samples // (causes + 1)


def design_size(design: str, causes: int, samples: int) -> int:
    """How many scenarios a design makes of those wanted: the most that it can use.

    Raises
    ------
    ArgumentError
        Too few for the design.

    Examples
    --------
    >>> design_size("monte_carlo", 5, 100), design_size("sobol", 5, 100), design_size("morris", 5, 100)
    (100, 56, 96)
    """
    if design not in DESIGNS:
        raise UnknownName("design", design, DESIGNS)
    if design == "monte_carlo":
        return samples
    number = _number(design, causes, samples)
    each = causes + (2 if design == "sobol" else 1)
    if number < _FEWEST:
        raise ArgumentError("study.design_small", design=design, least=_FEWEST * each, given=samples)
    return number * each


def designed(design: str, causes: Sequence[str], samples: int, seed: int) -> Float:
    """The points of a designed sample, shape (scenarios, causes).

    Raises
    ------
    MonaziteError
        SALib, the extra ``study``, is not installed.

    Examples
    --------
    >>> points = designed("sobol", ["a", "b"], 16, 7)
    >>> points.shape, bool((points == designed("sobol", ["a", "b"], 16, 7)).all())
    ((16, 2), True)
    """
    sample = _salib("sample", design)
    number, problem = _number(design, len(causes), samples), _problem(causes)
    if design == "sobol":
        found = sample.sample(problem, number, calc_second_order=False, seed=seed)
    else:
        found = sample.sample(problem, number, num_levels=_LEVELS, seed=seed)
    return np.asarray(found, dtype=float)


def effects(
    design: str, causes: Sequence[str], points: Float, outcome: Float, seed: int
) -> dict[str, tuple[Float, Float]]:
    """What a designed sample says of each cause: figures and the half width of their 80 % interval.

    Parameters
    ----------
    design : {"sobol", "morris"}
    causes : sequence of str
    points : ndarray, shape (scenarios, causes)
        As :func:`designed` makes them.
    outcome : ndarray, shape (scenarios,)
    seed : int
        Of the resampling behind the intervals.

    Returns
    -------
    dict
        ``first_order`` and ``total_order`` (shares of the outcome's variance), or ``elementary_effect`` (mean
        absolute change of the outcome over a cause's whole range).
    """
    analyse = _salib("analyze", design)
    problem = _problem(causes)
    nothing = np.zeros(len(causes))
    if float(np.ptp(outcome)) == 0.0:  # what never moves has no variance to share out
        names = ("first_order", "total_order") if design == "sobol" else ("elementary_effect",)
        return dict.fromkeys(names, (nothing, nothing))
    if design == "sobol":
        found = analyse.analyze(
            problem, outcome, calc_second_order=False, conf_level=0.8, num_resamples=200, seed=seed
        )
        pairs = {"first_order": ("S1", "S1_conf"), "total_order": ("ST", "ST_conf")}
    else:
        found = analyse.analyze(
            problem, points, outcome, conf_level=0.8, num_resamples=200, num_levels=_LEVELS, seed=seed
        )
        pairs = {"elementary_effect": ("mu_star", "mu_star_conf")}
    return {
        name: (np.asarray(found[a], dtype=float), np.asarray(found[b], dtype=float))
        for name, (a, b) in pairs.items()
    }


def _problem(causes: Sequence[str]) -> dict[str, Any]:
    return {"num_vars": len(causes), "names": list(causes), "bounds": [[0.0, 1.0]] * len(causes)}


def _salib(part: str, design: str) -> Any:
    from importlib import import_module

    try:
        return import_module(f"SALib.{part}.{design}")
    except ImportError as reason:
        raise MonaziteError("study.no_salib") from reason
