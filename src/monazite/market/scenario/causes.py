"""What is uncertain: the causes that a study draws, and what each of them rests on.

A cause is a figure that no public source gives, or gives with a range: an assumption of ``assumptions.csv``
or a behavioural variable of the facts. One draw of a cause, a quantile between 0 and 1, moves everything that
rests on it; causes are drawn independently of each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from monazite.core.errors import UnknownName
from monazite.core.range import Range
from monazite.facts.assumptions import assumed
from monazite.market.scenario.export_control import REBOUND, Control, ExportControl
from monazite.network.behaviour import Spread

__all__ = ["CAUSES", "WORLD", "Cause", "causes_named", "drawn_control"]

Acts = Literal["template", "control", "world"]

#: the cause that is drawn as recalibrated worlds
WORLD = "base_year"


@dataclass(frozen=True)
class Cause:
    """An uncertain cause.

    Attributes
    ----------
    name : str
        As in the column ``cause`` of a study's table, and the name by which its draw is known.
    acts : {"template", "control", "world"}
        What a draw moves: cost lines, bounds and stocks of the monthly template; the control itself; or the
        whole world, which is then reconciled and calibrated anew.
    variables : tuple of str
        Variables of the facts that it rests on.
    assumptions : tuple of str
        Rows of ``assumptions.csv`` that it rests on where no fact speaks.
    """

    name: str
    acts: Acts
    variables: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()


#: in this order, which fixes which random number is whose
CAUSES: tuple[Cause, ...] = (
    Cause("trade_friction", "template", ("trade_friction",), ("trade_friction",)),
    Cause("elasticity_demand", "template", ("elasticity_demand",), ("elasticity_demand",)),
    Cause("price_cap", "template", ("price_cap",), ("price_cap",)),
    Cause("elasticity_supply", "template", ("elasticity_supply",), ("elasticity_supply",)),
    Cause("capacity", "template", ("capacity",), ("spare_mine", "spare_process", "spare_recycle")),
    Cause("ramp", "template", ("ramp",), ("idle_ramp",)),
    Cause("new_link", "template", ("new_link",)),
    Cause("new_link_premium", "template", (), ("new_link_premium",)),
    Cause("value_share", "template", (), ("value_share",)),
    Cause("cover", "template", ("cover", "cohort_cover")),
    Cause("trader_stock", "template", ("trader_stock",), ("trader_stock",)),
    Cause("convenience", "template", (), ("convenience",)),
    Cause("draw_slope", "template", (), ("draw_slope",)),
    Cause("rebound", "control", (), ("rebound",)),
    Cause("licence", "control", (), tuple(f"licence_{month}" for month in range(8))),
    Cause(WORLD, "world", ("output", "trade", "use", "price", "coefficient", "lag")),
)


def causes_named(names: Sequence[str] | None) -> tuple[Cause, ...]:
    """The causes of these names in their own order; all when None.

    Raises
    ------
    UnknownName
        A name that is no cause's.

    Examples
    --------
    >>> [cause.name for cause in causes_named(["cover", "price_cap"])]
    ['price_cap', 'cover']
    """
    if names is None:
        return CAUSES
    known = {cause.name for cause in CAUSES}
    for name in names:
        if name not in known:
            raise UnknownName("cause", name, known)
    return tuple(cause for cause in CAUSES if cause.name in names)


def control_causes(control: Control, months: int) -> tuple[str, ...]:
    """Causes that move this control within a window: rebound where it ends, licences where no path is given.

    Examples
    --------
    >>> control_causes(Control.of(ExportControl("CHN", "toy_metal", months=6), "2025-01"), 12)
    ('rebound',)
    """
    found = []
    if any(piece.after == REBOUND and piece.months < months for piece in control.pieces):
        found.append("rebound")
    if any(_by_prior(piece) for piece in control.pieces):
        found.append("licence")
    return tuple(found)


def drawn_control(control: Control, quantiles: Mapping[str, float]) -> Control:
    """A control with its uncertain parts at their quantiles; what its record or its maker states stays.

    Examples
    --------
    >>> ban = Control.of(ExportControl("CHN", "toy_metal", months=6), "2025-01")
    >>> drawn_control(ban, {"rebound": 0.9}).pieces[0].after
    1.5
    """
    return replace(control, pieces=tuple(_drawn(piece, quantiles) for piece in control.pieces))


def _by_prior(piece: ExportControl) -> bool:
    return piece.kind == "licence" and not piece.path and piece.cut > 0.0


def _drawn(piece: ExportControl, quantiles: Mapping[str, float]) -> ExportControl:
    changed = piece
    if "rebound" in quantiles and piece.after == REBOUND:
        changed = replace(changed, after=_at(assumed("rebound"), quantiles["rebound"]))
    if "licence" in quantiles and _by_prior(piece):
        shares = [_at(assumed(f"licence_{month}"), quantiles["licence"]) for month in range(8)]
        caps = tuple(max(1.0 - piece.cut * (1.0 - min(share, 1.0)), 0.0) for share in shares)
        changed = replace(changed, path=caps)
    return changed


def _at(figure: Range, quantile: float) -> float:
    return float(Spread.of([figure]).at(quantile)[0])
