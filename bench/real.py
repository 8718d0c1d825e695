"""The packaged rare-earth chain by month, and a mixed catalogue of controls on it."""

from __future__ import annotations

import numpy as np
import polars as pl

from bench.chains import Case, Shock
from monazite.core.errors import Refused
from monazite.market import Problem
from monazite.market.scenario import Control, ExportControl, limits
from monazite.network import Layout, layout, load

__all__ = ["rare_earths"]

_START = "2025-01"
#: what only use takes
_USED = ("ndfeb_magnet_light", "ndfeb_magnet_heavy", "smco_magnet")


def rare_earths(months: int = 12) -> Case:
    """Return the rare-earth chain over a window of months with its catalogue.

    Single-commodity controls of the largest exporter (half and all of it), whole states removed, and bans
    for the whole window on what core use takes. Controls that the network refuses, since nothing is traded
    there, are left out.
    """
    network = load(["rare_earths"])
    template = layout(network)
    shape = template.shape(months)
    shape.pop("x0")
    problem = Problem(**{**shape, "upper": _upper(template, None, months)})  # type: ignore[arg-type]
    gates = network.gates
    controls = [
        ExportControl("CHN", good, cut, _START, length)
        for good in gates["commodity"].unique().sort()
        for cut, length in ((1.0, months), (0.5, max(1, months // 2)))
    ]
    for state in gates["place"].unique().sort():
        goods = gates.filter(pl.col("place") == state)["commodity"].unique().sort().to_list()
        controls.append(ExportControl(state, goods, 1.0, _START, months))
    controls += [ExportControl("CHN", on, 1.0, _START, months) for on in (_USED[:1], _USED[1:2], _USED)]
    shocks: dict[bytes, Shock] = {}
    for control in controls:
        try:
            upper = _upper(template, control, months)
        except Refused:
            continue
        on = "all" if len(control.on) > len(_USED) else "+".join(control.on)
        name = f"{control.by} {on}, {control.cut:.0%} for {control.months}"
        if (upper < problem.upper).any():
            shocks.setdefault(upper.tobytes(), Shock(name, upper))
    return Case(f"rare earths × {months}", problem, tuple(shocks.values()))


def _upper(template: Layout, control: ExportControl | None, months: int) -> np.ndarray:
    if control is None:
        return np.concatenate([template.open_upper(month) for month in range(months)])
    capped = limits(template, Control.of(control, _START))
    return np.concatenate([capped.upper(month) for month in range(months)])
