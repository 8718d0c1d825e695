"""How activities behave: what the cost lines rest on, each figure with its range, for many at once.

Cost lines are made from these figures alone, so that an uncertain one can be drawn anew and every line that
rests on it made again: the base stays the equilibrium whatever is drawn, since each line is laid through the
reconciled level at the reconciled price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csc_array

from monazite.core.range import Range
from monazite.facts import FactTable
from monazite.facts.assumptions import assumed
from monazite.network.build import MAKERS
from monazite.network.curves import Columns, demand_lines, supply_lines

Float = NDArray[np.float64]
Int = NDArray[np.int64]

#: activity types whose growth within the year is assumed where no capacity is known
SPARE = ("mine", "process", "recycle")


@dataclass(frozen=True)
class Spread:
    """A figure for many subjects with its range: p10, central value, p90, each of one shape."""

    low: Float
    value: Float
    high: Float

    @classmethod
    def of(cls, ranges: Sequence[Range]) -> Spread:
        """Gather ranges, one a subject."""
        table = np.array([(r.low, r.value, r.high) for r in ranges], dtype=float).reshape(-1, 3)
        return cls(table[:, 0], table[:, 1], table[:, 2])

    def at(self, quantile: float | None) -> Float:
        """The figure at a quantile, 0 to 1; the central values where none is given.

        Uniform between p10, the central value and p90, and as dense beyond them, so that nothing lies further
        outside a range than a quarter of its half; a positive figure stays above half of its p10.

        Examples
        --------
        >>> made = Spread.of([Range(1.0, 2.0, 6.0)])
        >>> [float(made.at(q)[0]) for q in (0.0, 0.1, 0.5, 0.9, 1.0)]
        [0.75, 1.0, 2.0, 6.0, 7.0]
        """
        if quantile is None or quantile == 0.5:
            return self.value
        if quantile < 0.5:
            found = self.value + (self.low - self.value) * ((0.5 - quantile) / 0.4)
        else:
            found = self.value + (self.high - self.value) * ((quantile - 0.5) / 0.4)
        found = np.where(self.low >= 0.0, np.maximum(found, 0.5 * self.low), found)
        result: Float = np.where(self.high <= 0.0, np.minimum(found, 0.5 * self.high), found)
        return result

    @property
    def certain(self) -> bool:
        """Whether no subject has a range."""
        return bool(np.all(self.low == self.high))


class Parameters:
    """Behavioural parameters; the most specific row stands before the general one."""

    def __init__(self, facts: FactTable) -> None:
        self._rows: dict[str, dict[tuple[object, object], list[tuple[int, Mapping[str, object]]]]] = {}
        self._facts = facts

    def get(self, variable: str, default: float, **subject: str | None) -> float:
        """Value of `variable` for the subject; `default` where no fact speaks of it."""
        return self.range(variable, Range.exact(default), **subject).value

    def range(self, variable: str, default: Range, **subject: str | None) -> Range:
        """Value of `variable` for the subject with its range, of no width where the fact states none."""
        row = self._best(variable, subject)
        if row is None:
            return default
        value = float(str(row["value"]))
        low, high = (value if row[k] is None else float(str(row[k])) for k in ("low", "high"))
        return Range(min(low, value), value, max(high, value))

    def _best(self, variable: str, subject: Mapping[str, str | None]) -> Mapping[str, object] | None:
        """Row that speaks most precisely of the subject, the first of equals; None where none does."""
        if variable not in self._rows:
            frame = self._facts.select(variable).filter(
                pl.col("value").is_not_null() & (pl.col("status") == "ok")
            )
            table: dict[tuple[object, object], list[tuple[int, Mapping[str, object]]]] = {}
            for number, one in enumerate(frame.iter_rows(named=True)):
                table.setdefault((one["activity"], one["commodity"]), []).append((number, one))
            self._rows[variable] = table
        asked = subject.get("activity"), subject.get("commodity")
        near = {(a, c) for a in (asked[0], None) for c in (asked[1], None)}
        speaking = sorted(
            (item for key in near for item in self._rows[variable].get(key, ())), key=lambda item: item[0]
        )
        best: Mapping[str, object] | None = None
        score = -1
        for _, row in speaking:
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
                best, score = row, points
        return best


class _Group:
    """Activities of one form, with the figures that their lines rest on."""

    def __init__(self) -> None:
        self.activity: list[int] = []
        self.figures: dict[str, list[float]] = {}
        self.ranges: dict[str, list[Range]] = {}

    def add(self, activity: int, figures: Mapping[str, float], ranges: Mapping[str, Range]) -> None:
        self.activity.append(activity)
        for name, figure in figures.items():
            self.figures.setdefault(name, []).append(figure)
        for name, one in ranges.items():
            self.ranges.setdefault(name, []).append(one)

    def freeze(self) -> Group:
        return Group(
            np.array(self.activity, dtype=np.int64),
            {name: np.array(values, dtype=float) for name, values in self.figures.items()},
            {name: Spread.of(ranges) for name, ranges in self.ranges.items()},
        )


@dataclass(frozen=True)
class Group:
    """Activities whose lines have one form: which, their certain figures, their uncertain ones."""

    activity: Int
    figure: Mapping[str, Float]
    spread: Mapping[str, Spread]

    def at(self, name: str, quantiles: Mapping[str, float]) -> Float:
        """An uncertain figure at its drawn quantile, or its central value."""
        return self.spread[name].at(quantiles.get(name))


@dataclass(frozen=True)
class Behaviour:
    """What the cost lines of a network rest on.

    Attributes
    ----------
    makers, idle, trade, links, unsold, uses : Group
        Mines and plants that run, those that stand idle, trade flows, routes without trade in the base year,
        surpluses, end uses. Uncertain figures are known by the name of what they rest on: the variable of
        the facts, or the assumption where no fact speaks.
    """

    makers: Group
    idle: Group
    trade: Group
    links: Group
    unsold: Group
    uses: Group

    @classmethod
    def of(
        cls, nodes: pl.DataFrame, activities: pl.DataFrame, flow: csc_array, level: Float, price: Float,
        parameters: Parameters,
    ) -> Behaviour:  # fmt: skip
        """Gather it for reconciled levels (t/yr) and prices (USD/kg)."""
        gives = flow.copy()
        gives.data = np.maximum(gives.data, 0.0)
        margins, values = flow.T @ price, gives.T @ price
        at = {
            key: float(p)
            for key, p in zip(nodes.select("commodity", "place").iter_rows(), price, strict=True)
        }
        groups = {name: _Group() for name in ("makers", "idle", "trade", "links", "unsold", "uses")}
        for row in activities.iter_rows(named=True):
            j = int(row["activity"])
            figures = {"level": float(level[j]), "margin": float(margins[j]), "value": float(values[j])}
            if row["type"] in MAKERS:
                _maker(groups, row, figures, parameters)
            elif row["type"] == "trade":
                _trade(groups, row, figures, at, parameters)
            elif figures["level"] > 0:
                figures["price"] = at[row["commodity"], row["place"]]
                _use(groups, row, figures, parameters)
        return cls(**{name: group.freeze() for name, group in groups.items()})

    def columns(self, quantiles: Mapping[str, float] | None = None) -> Columns:
        """The cost lines, with the uncertain figures named at their quantiles and all others central.

        Parameters
        ----------
        quantiles : mapping of str to float, optional
            Quantile, 0 to 1, by the name of what is uncertain; one draw moves everything that rests on it.
        """
        q = quantiles or {}
        makers, idle, trade, links, uses = self.makers, self.idle, self.trade, self.links, self.uses
        parts: list[tuple[Int, Float]] = []
        if makers.activity.size:
            f = makers.figure
            capacity = np.maximum(makers.at("capacity", q), 1.02 * f["level"])
            least = np.maximum(makers.at("value_share", q) * f["value"], 1e-6)
            lines = supply_lines(
                f["level"], f["margin"], least, makers.at("elasticity_supply", q), f["cash"], capacity
            )
            parts.append((makers.activity, lines))
        if idle.activity.size:
            capacity = idle.at("capacity", q)
            slope = 0.5 * np.maximum(idle.figure["worth"], 1e-6) / capacity
            parts.append((idle.activity, _one(idle.figure["entry"], slope, capacity, 0.0)))
        if trade.activity.size:
            f = trade.figure
            slope = trade.at("trade_friction", q) * f["price"] / f["level"]
            parts.append((trade.activity, _one(f["margin"] - slope * f["level"], slope, np.inf, f["level"])))
        if links.activity.size:
            f = links.figure
            capacity = f["capacity"] * links.at("new_link", q)
            slope = links.at("trade_friction", q) * f["price"] / capacity
            entry = np.maximum(f["margin"], 0.0) + links.at("new_link_premium", q) * f["price"]
            parts.append((links.activity, _one(entry, slope, capacity, 0.0)))
        if self.unsold.activity.size:
            f = self.unsold.figure
            lines = _one(-2.0 * f["price"], f["price"] / f["level"], np.inf, f["level"])
            parts.append((self.unsold.activity, lines))
        if uses.activity.size:
            f = uses.figure
            elasticity, top = uses.at("elasticity_demand", q), uses.at("price_cap", q)
            parts.append((uses.activity, demand_lines(f["level"], f["price"], elasticity, top)))
        return Columns.of(parts)

    def ranges(self) -> dict[str, list[tuple[Group, Spread]]]:
        """Every uncertain figure by the name of what it rests on, with the activities it moves."""
        found: dict[str, list[tuple[Group, Spread]]] = {}
        for group in (self.makers, self.idle, self.trade, self.links, self.unsold, self.uses):
            for name, spread in group.spread.items():
                if not spread.certain:
                    found.setdefault(name, []).append((group, spread))
        return found


def _one(cost: Any, slope: Any, upper: Any, base: Any) -> Float:
    """Lines of one piece each, shape (activities, 1, 4)."""
    lines: Float = np.stack(np.broadcast_arrays(cost, slope, upper, base), axis=-1)[:, None, :]
    return lines


def _maker(
    groups: Mapping[str, _Group], row: Mapping[str, Any], figures: dict[str, float], parameters: Parameters
) -> None:
    subject = {"activity": row["key"], "commodity": row["commodity"], "place": row["place"]}
    margin, value, level = figures["margin"], figures["value"], figures["level"]
    cash = parameters.get("cash_cost", 0.6 * margin, **subject)
    stated = row["capacity"]
    if level <= 0:
        if stated is not None and stated > 0:
            entry = max(cash, margin + 0.02 * max(value, 1e-6))
            capacity = _stated_capacity(float(stated), parameters, subject)
            groups["idle"].add(
                row["activity"], {"entry": entry, "worth": max(value, entry)}, {"capacity": capacity}
            )
        return
    if stated is not None:
        capacity = _stated_capacity(float(stated), parameters, subject)
    else:
        spare = assumed(f"spare_{row['type']}") if row["type"] in SPARE else Range.exact(0.0)
        capacity = Range(*((1.0 + share) * level for share in (spare.low, spare.value, spare.high)))
    groups["makers"].add(
        row["activity"],
        {**figures, "cash": cash},
        {
            "capacity": capacity,
            "elasticity_supply": parameters.range(
                "elasticity_supply", assumed("elasticity_supply"), **subject
            ),
            "value_share": assumed("value_share"),
        },
    )


def _stated_capacity(stated: float, parameters: Parameters, subject: Mapping[str, str]) -> Range:
    """The stated capacity with its range; what stands idle keeps some, so that a line can be laid."""
    found = parameters.range("capacity", Range.exact(stated), **subject)
    return Range(max(min(found.low, stated), 1e-3 * stated), stated, max(found.high, stated))


def _trade(
    groups: Mapping[str, _Group], row: Mapping[str, Any], figures: dict[str, float],
    at: Mapping[tuple[str, str], float], parameters: Parameters,
) -> None:  # fmt: skip
    commodity, origin, destination = str(row["commodity"]), str(row["place"]), str(row["partner"])
    figures["price"] = max(at[commodity, origin], at[commodity, destination])
    friction = parameters.range("trade_friction", assumed("trade_friction"), commodity=commodity)
    if figures["level"] > 0:
        groups["trade"].add(row["activity"], figures, {"trade_friction": friction})
        return
    capacity = float(row["capacity"] or 0.0)
    if capacity <= 0:
        return
    share = parameters.range(
        "new_link", Range.exact(1.0), commodity=commodity, place=origin, partner=destination
    )
    relative = Range(max(share.low / share.value, 1e-3), 1.0, share.high / share.value)
    groups["links"].add(
        row["activity"],
        {"margin": figures["margin"], "price": figures["price"], "capacity": capacity},
        {"trade_friction": friction, "new_link": relative, "new_link_premium": assumed("new_link_premium")},
    )


def _use(
    groups: Mapping[str, _Group], row: Mapping[str, Any], figures: dict[str, float], parameters: Parameters
) -> None:
    if row["form"] == "unsold":
        groups["unsold"].add(row["activity"], figures, {})
        return
    subject = {"activity": row["key"], "commodity": row["commodity"], "place": row["place"]}
    groups["uses"].add(
        row["activity"],
        figures,
        {
            name: parameters.range(name, assumed(name), **subject)
            for name in ("elasticity_demand", "price_cap")
        },
    )
