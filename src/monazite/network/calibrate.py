"""Calibrate: cost lines at which the reconciled flows and prices are the market's equilibrium.

Positive mathematical programming (Howitt 1995; Paris, Drogué & Anania 2011) with the forms that thin mineral
markets need: two-piece supply, willingness to pay of constant elasticity in chords, friction on trade.  Every
column's marginal cost is ``c + a·x`` with ``a > 0``; at the base ``c + a·x⁰ = Aᵀp⁰`` wherever a column is
free, so the base is the equilibrium by construction, and the base point lies inside a piece, never on a kink.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from monazite.facts import FactTable
from monazite.facts.assumptions import assumed
from monazite.network.build import MAKERS, Draft
from monazite.network.reconcile import Balanced

Float = NDArray[np.float64]

#: chords of a demand curve, and the lowest price it reaches as a share of the base price
CHORDS = 9
LOWEST = 0.1
#: slope of a process: at least this share of its output value over ε·x⁰
VALUE_SHARE = assumed("value_share").value
#: a gate's slope, as a share of the price at base level: large enough to be convex, too small to tax
GATE_SLOPE = 1e-4
#: growth that a mine and a plant can give within the year where no capacity is known
SPARE = {kind: assumed(f"spare_{kind}").value for kind in ("mine", "process", "recycle")}
#: what a new route costs above the price gap that it bridges, as a share of the price
PREMIUM = assumed("new_link_premium").value


@dataclass(frozen=True)
class Columns:
    """Cost lines: one row a piece of an activity (annual levels).

    Attributes
    ----------
    activity : ndarray of int
        Which activity (row of the network's table) the piece belongs to.
    cost, slope : ndarray
        c in USD/kg of level and a in USD/kg per t/yr.
    lower, upper, base : ndarray
        Bounds and base level, t/yr.
    """

    activity: NDArray[np.int64]
    cost: Float
    slope: Float
    lower: Float
    upper: Float
    base: Float


class Parameters:
    """Behavioural parameters; the most specific row stands before the general one."""

    def __init__(self, facts: FactTable) -> None:
        self._rows: dict[str, list[Mapping[str, object]]] = {}
        self._facts = facts

    def get(self, variable: str, default: float, **subject: str | None) -> float:
        """Value of `variable` for the subject; `default` where no fact speaks of it."""
        if variable not in self._rows:
            frame = self._facts.select(variable).filter(
                pl.col("value").is_not_null() & (pl.col("status") == "ok")
            )
            self._rows[variable] = list(frame.iter_rows(named=True))
        best, score = default, -1
        for row in self._rows[variable]:
            points = 0
            for key in ("activity", "commodity", "place", "partner"):
                stated = row[key]
                if not stated:
                    continue
                if stated != subject.get(key):
                    points = -1
                    break
                points += 1
            if points > score:
                best, score = float(str(row["value"])), points
        return best


def _supply(
    level: float, margin: float, value: float, elasticity: float, cash: float, capacity: float
) -> list[tuple[float, float, float, float]]:
    """Two pieces (cost, slope, upper, base): from cash cost to the break, then to capacity."""
    reference = max(margin, VALUE_SHARE * value, 1e-6)
    slope = reference / (elasticity * level)
    cash = min(cash, 0.98 * margin) if margin > 0 else margin - 0.02 * reference
    room = max((margin - cash) / reference, 1e-3)
    share = min(0.1, 0.5 * elasticity * room)
    kink = margin - slope * share * level
    broken = (1.0 - share) * level
    return [
        (cash, max((kink - cash) / broken, 1e-9 * reference / level), broken, broken),
        (kink, slope, max(capacity, 1.02 * level) - broken, share * level),
    ]


def _demand(
    level: float, price: float, elasticity: float, top: float
) -> list[tuple[float, float, float, float]]:
    """Chords of P(q) = p⁰(q/q⁰)^(1/ε): (cost, slope, upper, base), the dearest need first.

    Breakpoints are geometric in price from ``LOWEST·p⁰`` to ``top·p⁰``; the chord that holds the base has the
    curve's own slope there, so the base is inside it.
    """
    below = CHORDS // 3
    above = CHORDS - below - 2
    ratio = (1.0 / LOWEST) ** (1.0 / (below + 0.5))
    high, low = ratio**0.5, ratio**-0.5
    steep = min(0.9, abs(elasticity))
    at_high = 1.0 - steep * min(high - 1.0, 0.9 / steep)
    at_low = 1.0 + steep * (1.0 - low)
    tops = np.geomspace(high, top, above + 1)
    lows = np.geomspace(low, LOWEST, below + 1)
    q_above = at_high * (tops / high) ** -steep
    q_below = at_low * (lows / low) ** -steep
    pieces = [
        (
            -1.25 * top * price,
            0.25 * top * price / (q_above[-1] * level),
            q_above[-1] * level,
            q_above[-1] * level,
        )
    ]
    for k in range(above, 0, -1):
        width = (q_above[k - 1] - q_above[k]) * level
        pieces.append((-tops[k] * price, (tops[k] - tops[k - 1]) * price / width, width, width))
    width = (at_low - at_high) * level
    pieces.append((-high * price, (high - low) * price / width, width, (1.0 - at_high) * level))
    for k in range(1, below + 1):
        width = (q_below[k] - q_below[k - 1]) * level
        pieces.append((-lows[k - 1] * price, (lows[k - 1] - lows[k]) * price / width, width, 0.0))
    return pieces


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
    parameters = Parameters(facts)
    price = balanced.price
    gives = draft.flow.copy()
    gives.data = np.maximum(gives.data, 0.0)
    margins = draft.flow.T @ price
    values = gives.T @ price
    node_price = {
        key: float(p)
        for key, p in zip(draft.nodes.select("commodity", "place").iter_rows(), price, strict=True)
    }
    pieces: list[tuple[int, float, float, float, float]] = []
    for row in draft.activities.iter_rows(named=True):
        j, level = int(row["activity"]), float(balanced.level[row["activity"]])
        margin, value = float(margins[j]), float(values[j])
        subject = {"activity": row["key"], "commodity": row["commodity"], "place": row["place"]}
        if row["type"] in MAKERS:
            lines = _maker_lines(row, level, margin, value, parameters, subject)
        elif row["type"] == "trade":
            lines = _trade_lines(row, level, margin, node_price, parameters)
        elif row["form"] == "unsold":
            p = node_price[row["commodity"], row["place"]]
            lines = [(-2.0 * p, p / level, np.inf, level)] if level > 0 else []
        elif level > 0:
            p = node_price[row["commodity"], row["place"]]
            lines = _demand(
                level,
                p,
                parameters.get("elasticity_demand", -0.2, **subject),
                parameters.get("price_cap", 30.0, **subject),
            )
        else:
            lines = []
        pieces += [(j, *line) for line in lines]
    table = np.array(pieces, dtype=float)
    return Columns(
        activity=table[:, 0].astype(np.int64),
        cost=table[:, 1],
        slope=table[:, 2],
        lower=np.zeros(len(pieces)),
        upper=table[:, 3],
        base=table[:, 4],
    )


def _maker_lines(
    row: Mapping[str, object],
    level: float,
    margin: float,
    value: float,
    parameters: Parameters,
    subject: Mapping[str, str],
) -> list[tuple[float, float, float, float]]:
    stated = row["capacity"]
    elasticity = parameters.get("elasticity_supply", 0.3, **subject)
    cash = parameters.get("cash_cost", 0.6 * margin, **subject)
    if level <= 0:
        if stated is None or float(str(stated)) <= 0:
            return []
        capacity = float(str(stated))
        entry = max(cash, margin + 0.02 * max(value, 1e-6))
        return [(entry, 0.5 * max(value, entry, 1e-6) / capacity, capacity, 0.0)]
    spare = SPARE.get(str(row["type"]), 0.0)
    capacity = float(str(stated)) if stated is not None else (1.0 + spare) * level
    return _supply(level, margin, value, elasticity, cash, capacity)


def _trade_lines(
    row: Mapping[str, object],
    level: float,
    margin: float,
    node_price: Mapping[tuple[str, str], float],
    parameters: Parameters,
) -> list[tuple[float, float, float, float]]:
    commodity, origin, destination = str(row["commodity"]), str(row["place"]), str(row["partner"])
    p = max(node_price[commodity, origin], node_price[commodity, destination])
    friction = parameters.get("trade_friction", 0.2, commodity=commodity)
    if level <= 0:
        capacity = float(str(row["capacity"] or 0.0))
        if capacity <= 0:
            return []
        slope = friction * p / capacity
        return [(max(margin, 0.0) + PREMIUM * p, slope, capacity, 0.0)]
    slope = friction * p / level
    return [(margin - slope * level, slope, np.inf, level)]
