"""Calibrate: cost lines at which the reconciled flows and prices are the market's equilibrium.

Positive mathematical programming (Howitt 1995; Paris, Drogué & Anania 2011) with the forms that thin mineral
markets need: two-piece supply, willingness to pay of constant elasticity in chords, friction on trade.  Every
column's marginal cost is ``c + a·x`` with ``a > 0``; at the base ``c + a·x⁰ = Aᵀp⁰`` wherever a column is
free, so the base is the equilibrium by construction, and the base point lies inside a piece, never on a kink.
"""

from __future__ import annotations

from monazite.facts import FactTable
from monazite.network.behaviour import Behaviour, Parameters
from monazite.network.build import Draft
from monazite.network.curves import Columns
from monazite.network.reconcile import Balanced

__all__ = ["GATE_SLOPE", "calibrate"]

#: a gate's slope, as a share of the price at base level: large enough to be convex, too small to tax
GATE_SLOPE = 1e-4


def calibrate(draft: Draft, balanced: Balanced, facts: FactTable) -> Columns:
    """Cost lines for every activity of a reconciled network.

    Parameters
    ----------
    draft, balanced
        Structure, and the flows (t/yr) and prices (USD/kg) to be reproduced.
    facts : FactTable
        Elasticities, cash costs, price caps, frictions and capacities; defaults are in `assumptions.csv`.

    Returns
    -------
    Columns
    """
    return Behaviour.of(
        draft.nodes, draft.activities, draft.flow, balanced.level, balanced.price, Parameters(facts)
    ).columns()
