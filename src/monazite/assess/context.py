"""What one assessment works with: the network, who is asked about, the filters, and what is solved so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from monazite.core import schema
from monazite.market.measures import (
    KINDS,
    MAKERS,
    Contents,
    Demand,
    ElementFlows,
    Estimate,
    FinalCoverage,
    Form,
    Traced,
    bought_marks,
    contents,
    domestic_first,
    element_flows,
    elements,
    final_coverage,
    leading_kind_code,
    solve,
    stage_marks,
    touch_everywhere,
    touch_marks,
)
from monazite.market.measures.relief import RELIEF

if TYPE_CHECKING:
    from monazite.network import Network

__all__ = [
    "FILTERS",
    "FORMS",
    "MEASURES",
    "QUANTITIES",
    "REST",
    "STAGE_MEASURE",
    "WORLD",
    "Cell",
    "Context",
    "Filters",
]

Float = NDArray[np.float64]

#: the rest of the world as a place: no state, so never the leading one
REST = "ROW"
WORLD = "WLD"

#: the share that was last made at each stage in a state
STAGE_MEASURE = {
    "mine": "mined_share",
    "concentrate": "concentrated_share",
    "refine": "separated_share",
    "metal": "metal_share",
    "component": "component_share",
}

#: every measure of an assessment, in the order of the table
MEASURES = (
    "share",
    "top1",
    "top3",
    "hhi",
    "effective_suppliers",
    "direct_share",
    *STAGE_MEASURE.values(),
    "touch_share",
    "product_exposure",
    "n_minus_1_iea",
    "n_minus_1_demand",
    "n_minus_1_final",
    "trade",
    "stage_flow",
    *RELIEF,
)

#: measures that are flows and quantities of the world, whatever the subject: after all others in the table
QUANTITIES = ("trade", "stage_flow", *RELIEF)

#: measures of N-1 by commodity, and their form
FORMS: dict[str, Form] = {"n_minus_1_iea": "iea", "n_minus_1_demand": "demand"}

FILTERS = ("measure", "chain", "stage", "commodity", "element")


@dataclass(frozen=True)
class Filters:
    """What the asker wants to see; None means everything."""

    measure: frozenset[str] | None = None
    chain: frozenset[str] | None = None
    stage: frozenset[str] | None = None
    commodity: frozenset[str] | None = None
    element: frozenset[str] | None = None

    def want(self, **subject: str | None) -> bool:
        """Tell whether a row with these columns is wanted; a column left out is not asked."""
        return all(
            (allowed := getattr(self, name)) is None or value in allowed for name, value in subject.items()
        )

    def measures(self, names: Iterable[str]) -> list[str]:
        """Keep the wanted measures."""
        return [name for name in names if self.measure is None or name in self.measure]


@dataclass(frozen=True, eq=False)
class Cell:
    """One row of the table with what `explain` needs.

    Attributes
    ----------
    row : mapping
        Columns of the result table.
    gradient : ndarray, shape (activities,)
        Derivative of the value to each level of `network`.
    network : Network
        The part of the assessed network that the cell is about.
    trace, basket, column
        The solved trace behind it, its uses, its question; None where nothing is traced.
    levels : tuple of int
        Activities that are shown first whatever their effect.
    facts : tuple of int
        Facts that bear on it besides those of its levels.
    """

    row: Mapping[str, Any]
    gradient: Float
    network: Network
    trace: Traced | None = None
    basket: Demand | None = None
    column: int = 0
    levels: tuple[int, ...] = ()
    facts: tuple[int, ...] = ()


@dataclass(eq=False)
class Context:
    """One assessment while it is made.

    Parameters
    ----------
    network : Network
    name : str
        How the subject is called in the table.
    members : tuple of str
        Its places.
    by : str or None
        The acting state; None: the leading one of each row.
    filters : Filters
    """

    network: Network
    name: str
    members: tuple[str, ...]
    by: str | None
    filters: Filters
    _traces: dict[tuple[object, ...], Traced] = field(default_factory=dict)
    _flows: dict[tuple[str | None, bool], ElementFlows] = field(default_factory=dict)
    _contents: dict[str, Contents] = field(default_factory=dict)
    _touches: dict[str, Float] = field(default_factory=dict)
    _stages: dict[str, list[str]] = field(default_factory=dict)
    _finals: dict[tuple[str, str], FinalCoverage] = field(default_factory=dict)

    @cached_property
    def flat(self) -> ElementFlows:
        """Flows in plain tonnes."""
        return self.flows(None)

    @cached_property
    def elements(self) -> dict[str, tuple[str, ...]]:
        """Elements by chain."""
        return elements(self.network)

    @cached_property
    def codes(self) -> frozenset[int]:
        """Members as indices into the network's places; those that the network lacks are left out."""
        return frozenset(c for c in map(self.flat.code, self.members) if c >= 0)

    @cached_property
    def inside(self) -> NDArray[np.bool_]:
        """Outtakes in the subject's places; shape (outtakes of `flat`,)."""
        return self.members_of(self.flat)

    @cached_property
    def sd(self) -> Float:
        """Posterior standard deviation of each level, t/yr; NaN where there is none."""
        table = self.network.activities
        if "posterior_sd" not in table.columns:
            return np.full(table.height, np.nan)
        return table["posterior_sd"].cast(float).fill_null(float("nan")).to_numpy()

    @cached_property
    def kinds(self) -> NDArray[np.int64]:
        """Kind of each level, as a position in `KINDS`; shape (activities,)."""
        kinds = [str(k) for k in self.network.activities["kind"].to_list()]
        return np.array([KINDS.index(k) if k in KINDS else len(KINDS) - 1 for k in kinds], dtype=np.int64)

    @cached_property
    def info(self) -> dict[str, dict[str, Any]]:
        """Rows of the commodity table by commodity."""
        return {r["commodity"]: r for r in self.network.facts.commodities.iter_rows(named=True)}

    @cached_property
    def order(self) -> dict[str, int]:
        """Stages in the order of the chain."""
        return {stage: i for i, stage in enumerate(schema.names("stages", "stage"))}

    @property
    def period(self) -> str:
        """The base year."""
        return str(self.network.year)

    def stages_of(self, chain: str) -> list[str]:
        """List the stages at which a chain makes something, mine first, in order.

        Concentration is one only where plants of its own do it: what a mine gives counts as mined.
        """
        if chain in self._stages:
            return self._stages[chain]
        table = self.network.activities.filter(pl.col("chain") == chain)
        plants = set(table.filter(pl.col("type").is_in(MAKERS) & (pl.col("type") != "mine"))["stage"])
        found = {row["stage"] for row in self.info.values() if row["chain"] == chain}
        found = {s for s in found if s != "concentrate" or s in plants} | {"mine"}
        self._stages[chain] = [s for s in self.order if s in STAGE_MEASURE and s in found]
        return self._stages[chain]

    def led(self, chain: str) -> tuple[str, ...]:
        """List the elements that a question about a chain is about.

        Those asked for; else those of the commodities asked for; else the chain's leading one.
        """
        known = self.elements.get(chain, ())
        if self.filters.element is not None:
            return tuple(e for e in known if e in self.filters.element)
        if self.filters.commodity is None:
            return known[:1]
        own = [self.info[c]["element"] for c in self.info if c in self.filters.commodity]
        chains = {self.info[c]["chain"] for c in self.info if c in self.filters.commodity}
        uses = self.network.facts.activities.filter(pl.col("activity").is_in(list(self.filters.commodity)))
        chains |= set(uses["chain"].to_list())
        found = tuple(e for e in known if e in own)
        return found or (known[:1] if chain in chains else ())

    def members_of(self, flows: ElementFlows) -> NDArray[np.bool_]:
        """Outtakes of a flow table in the subject's places."""
        return np.asarray(np.isin(flows.place[flows.take_row], sorted(self.codes)), dtype=bool)

    def content(self, element: str) -> Contents:
        """Contents of an element, found once."""
        if element not in self._contents:
            self._contents[element] = contents(self.network, element)
        return self._contents[element]

    def carries(self, commodity: str) -> bool:
        """Tell whether a commodity carries an element that is asked for (any, where none is named)."""
        asked = self.filters.element
        return asked is None or any(self.content(e).values.get(commodity, 0.0) > 0 for e in asked)

    def flows(self, element: str | None, *, split: bool = False) -> ElementFlows:
        """Flows of an element (None: plain tonnes), mixed proportionally or split domestic-first."""
        key = (element, split)
        if key not in self._flows:
            if split:
                self._flows[key] = domestic_first(self.flows(element))
            else:
                self._flows[key] = element_flows(
                    self.network, None if element is None else self.content(element)
                )
        return self._flows[key]

    def stage_trace(self, element: str, stage: str, *, split: bool = False) -> Traced:
        """Where an element was last made into something of a stage, solved once."""
        key = (element, stage, split)
        if key not in self._traces:
            flows = self.flows(element, split=split)
            self._traces[key] = solve(flows, stage_marks(flows, stage))
        return self._traces[key]

    def touch_trace(self, element: str, place: int, *, split: bool = False) -> Traced:
        """What passed a place at any stage, solved once."""
        key = (element, place, split)
        if key not in self._traces:
            flows = self.flows(element, split=split)
            self._traces[key] = solve(flows, touch_marks(flows, place))
        return self._traces[key]

    def touches(self, element: str) -> Float:
        """Touch share of every node with every place, found once; shape (nodes, places)."""
        if element not in self._touches:
            self._touches[element] = touch_everywhere(self.flows(element))
        return self._touches[element]

    def bought_trace(self, *, split: bool = False) -> Traced:
        """What entered the subject straight from each place, solved once."""
        key = ("bought", split)
        if key not in self._traces:
            flows = self.flows(None, split=split)
            self._traces[key] = solve(flows, bought_marks(flows, self.codes))
        return self._traces[key]

    def final(self, element: str, stage: str) -> FinalCoverage:
        """Final-demand coverage of an element at a stage, solved once."""
        key = (element, stage)
        if key not in self._finals:
            self._finals[key] = final_coverage(self.flows(element), stage)
        return self._finals[key]

    def leader(self, values: Float, *, outside: bool = True) -> int:
        """Index of the acting state: the one asked for, else the one with the largest value, −1 for none."""
        if self.by is not None:
            return self.flat.code(self.by)
        values = np.nan_to_num(np.array(values, dtype=float), nan=0.0)
        if outside:
            values[sorted(self.codes)] = 0.0
        if (rest := self.flat.code(REST)) >= 0:
            values[rest] = 0.0
        best = int(np.argmax(values))
        return best if values[best] > 0 else -1

    def by_name(self, code: int) -> str | None:
        """Name of the acting state."""
        return self.by if code < 0 else self.flat.places[code]

    def cell(
        self,
        measure: str,
        estimate: Estimate,
        *,
        place: str,
        by: str | None,
        chain: str,
        stage: str | None = None,
        commodity: str | None = None,
        element: str | None = None,
        bounds: tuple[float, float] | None = None,
        most: float = 1.0,
        unit: str = "1",
        basis: str | None = None,
        also: Mapping[str, str | None] | None = None,
        modelled: bool = False,
        weight: Float | None = None,
        trace: Traced | None = None,
        basket: Demand | None = None,
        column: int = 0,
        caveat: str | None = None,
        status: str | None = None,
        kind: str | None = None,
        levels: tuple[int, ...] = (),
        facts: tuple[int, ...] = (),
    ) -> Cell:
        """Make a row: range from the levels' deviations, widened by `bounds`; kind by weight.

        `weight` is the tonnage of each activity that enters the figure; without it the pull of each level on
        the value, ``|∂v/∂x| x``, decides. `also` are further columns.
        """
        low, high = estimate.interval(0.0, most)
        if bounds is not None and estimate.defined:
            ends = [b for b in (*bounds, low, high, estimate.value) if np.isfinite(b)]
            low, high = min(ends), max(ends)
        if weight is None or not (weight > 0).any():
            weight = np.abs(estimate.gradient) * self.network.level
        if not (weight > 0).any() and basket is not None:
            np.add.at(weight, basket.col, basket.weight)
        leading, assumed = leading_kind_code(self.kinds, weight)
        row = {
            "measure": measure,
            "chain": chain,
            "stage": stage,
            "commodity": commodity,
            "place": place,
            "by": by,
            "period": self.period,
            "value": _number(estimate.value),
            "low": _number(low),
            "high": _number(high),
            "unit": unit,
            "basis": basis or (self.info[commodity]["basis"] if commodity in self.info else None),
            "kind": kind or ("modelled" if modelled else leading),
            "status": status or ("ok" if estimate.defined else "insufficient"),
            "element": element,
            "assumed_share": _number(assumed),
            "caveat": caveat,
            **(also or {}),
        }
        return Cell(row, estimate.gradient, self.network, trace, basket, column, levels, facts)

    def undefined(self) -> Estimate:
        """An estimate without a value."""
        return Estimate(float("nan"), np.zeros_like(self.network.level), float("nan"))


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
