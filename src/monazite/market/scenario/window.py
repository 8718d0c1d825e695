"""Some months of a network under shocks and instruments: bounds, cost lines, stocks and rules that hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from monazite.core.errors import ArgumentError, UnknownName
from monazite.facts.places import resolve
from monazite.market.contingent import Settled, fixed_point
from monazite.market.problem import Problem
from monazite.market.rules import Rule
from monazite.market.scenario.export_control import Control, ExportControl
from monazite.market.scenario.limits import limits
from monazite.network import Layout, Network

Float = NDArray[np.float64]
Int = NDArray[np.int64]

__all__ = ["MAKERS", "Shock", "Timed", "Window", "commodity", "goods", "states"]

#: activities that make something (a substitute stands for use, so that it is none)
MAKERS = ("mine", "process", "recycle")


class Timed(Protocol):
    """What has a first month and a length."""

    @property
    def start(self) -> str | None:
        """First month, ``YYYY-MM``; None for the window's first."""

    @property
    def months(self) -> int:
        """Length."""


class Shock(Timed, Protocol):
    """A shock or an instrument: it knows how to act on a window."""

    def act(self, window: Window) -> Window:
        """The window with the shock in it."""


@dataclass(frozen=True, eq=False)
class Window:
    """Some months of a network by month, as a problem with the rules that hold in it.

    Attributes
    ----------
    layout : Layout
    problem : Problem
    start : str
        Its first month, ``YYYY-MM``.
    rules : tuple of Rule
        For `monazite.market.fixed_point`; a problem without rules can be cleared as it is.

    Examples
    --------
    >>> from monazite.market.scenario import Outage, Tariff, Window
    >>> from monazite.network import layout, toy
    >>> window = Window.of(layout(toy()), 6)
    >>> shocked = window.under([Outage("CHN", "toy_metal", 0.5), Tariff("IND", "toy_widget", 0.2)])
    >>> answer = shocked.settle()
    >>> bool(answer.certificate.converged), len(answer.payments)
    (True, 6)
    """

    layout: Layout
    problem: Problem
    start: str
    rules: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, layout: Layout, months: int, start: str | None = None) -> Window:
        """The window at base conditions; it starts in the January after the base year if not told."""
        shape = layout.shape(months)
        shape.pop("x0")
        shape["upper"] = np.concatenate([layout.open_upper(month) for month in range(months)])
        return cls(layout, Problem(**shape), start or f"{layout.network.year + 1}-01")  # type: ignore[arg-type]

    @property
    def months(self) -> int:
        """Length."""
        return self.problem.shape[1] // self.layout.size

    def under(self, shocks: Iterable[Shock | ExportControl | Control]) -> Window:
        """The window with shocks in it, one after the other.

        Raises
        ------
        UnknownName
            A place, group, commodity or use that the network does not know.
        Refused
            A shock that touches nothing in this network.
        """
        window = self
        for shock in shocks:
            if isinstance(shock, ExportControl | Control):
                window = window._controlled(shock)
            else:
                window = shock.act(window)
        return window

    def settle(self, *, baseline: Problem | None = None, strict: bool = True) -> Settled:
        """Clear it with its rules kept."""
        return fixed_point(self.problem, self.rules, baseline=baseline, strict=strict)

    def changed(self, **arrays: Float) -> Window:
        """The window with other figures in its problem."""
        return replace(self, problem=replace(self.problem, **arrays))

    def ruled(self, rules: Iterable[Rule]) -> Window:
        """The window with more rules."""
        return replace(self, rules=(*self.rules, *rules))

    def since(self, start: str | None) -> int:
        """Months from a shock's first to the window's first."""
        return 0 if start is None else _count(self.start) - _count(start)

    def active(self, shock: Timed) -> list[int]:
        """Months of the window, 0 first, in which a shock holds."""
        late = self.since(shock.start)
        return [month for month in range(self.months) if 0 <= month + late < shock.months]

    def column(self, month: int, k: int | Int) -> Int:
        """Columns of the problem that a month's columns are."""
        return np.asarray(month * self.layout.size + np.asarray(k), dtype=np.int64)

    def node(self, month: int, node: int) -> int:
        """Node of the problem that a month's node is."""
        return month * self.layout.month_nodes + node

    def local(self, commodity: str, place: str) -> int | None:
        """A month's node, or None where nothing of the kind exists."""
        return self.layout.network.node_of(commodity, place)

    @cached_property
    def _table(self) -> list[tuple[str, str, str, str, str | None, str]]:
        columns = ("type", "commodity", "key", "place", "partner", "form")
        return self.layout.network.activities.select(columns).rows()

    def links(self, on: Collection[str], origins: Collection[str], ends: Collection[str]) -> list[int]:
        """A month's columns of trade in some goods from some places to some others."""
        return [
            k
            for k, (kind, good, _, place, partner, _) in self._pieces()
            if kind == "trade" and good in on and place in origins and partner in ends and place != partner
        ]

    def makers(self, place: str, on: Collection[str]) -> list[int]:
        """A month's columns of mines and plants at a place, by key, leading commodity or what they give."""
        nodes = {node for good in on if (node := self.local(good, place)) is not None}
        return [
            k
            for k, (kind, good, key, where, _, _) in self._pieces()
            if kind in MAKERS
            and where == place
            and (key in on or good in on or any(node in nodes for node, _ in self.gives(k)))
        ]

    def uses(self, on: Collection[str], use: str | None, places: Collection[str]) -> list[int]:
        """A month's columns of use, unsold stock aside."""
        return [
            k
            for k, (kind, good, key, place, _, form) in self._pieces()
            if kind == "use"
            and form != "unsold"
            and good in on
            and place in places
            and (use is None or key == use)
        ]

    def disposal(self, node: int) -> int:
        """A month's column of free disposal at a node."""
        month = self.layout
        return int(np.flatnonzero((month.role == "dispose") & (month.activity == node))[0])

    def gives(self, k: int) -> list[tuple[int, float]]:
        """What a month's column gives, as (local node, tonnes)."""
        return [(node, tonnes) for node, _, tonnes in self._entries(k) if tonnes > 0.0]

    def takes(self, k: int) -> tuple[int, float]:
        """Where a month's link takes from, and how many tonnes."""
        return next((node, -tonnes) for node, _, tonnes in self._entries(k) if tonnes < 0.0)

    def lands(self, k: int) -> tuple[int, int, float]:
        """Where a month's link arrives, how many months later, and how many tonnes."""
        return next(entry for entry in self._entries(k) if entry[2] > 0.0)

    def _entries(self, k: int) -> list[tuple[int, int, float]]:
        month = self.layout
        entry = slice(month.starts[k], month.starts[k + 1])
        return list(
            zip(
                month.rows[entry].tolist(),
                month.offsets[entry].tolist(),
                month.values[entry].tolist(),
                strict=True,
            )
        )

    def _pieces(self) -> Iterator[tuple[int, tuple[str, str, str, str, str | None, str]]]:
        month, table = self.layout, self._table
        for k in np.flatnonzero(month.role == "piece"):
            yield int(k), table[month.activity[k]]

    def _controlled(self, control: ExportControl | Control) -> Window:
        """The window under an export control, which caps flows."""
        named = Control.of(control, self.start)
        capped = limits(self.layout, named)
        late, n = self.since(named.start), self.layout.size
        upper = np.array(self.problem.upper)
        for month in range(self.months):
            if month + late < 0:
                continue
            caps = capped.upper(month + late)
            lower = caps < self.layout.open_upper(month + late)
            here = upper[month * n : (month + 1) * n]
            here[lower] = np.minimum(here[lower], caps[lower])
        return self.changed(upper=upper)


def goods(network: Network, names: Sequence[str]) -> list[str]:
    """Commodities named, a chain standing for all of its own.

    Raises
    ------
    UnknownName
        With the nearest right name.

    Examples
    --------
    >>> from monazite.network import toy
    >>> goods(toy(), ["toy_metal"])
    ['toy_metal']
    """
    known = sorted(set(network.nodes["commodity"]))
    found: list[str] = []
    for name in names:
        if name in network.chains:
            found += sorted(set(network.nodes.filter(pl.col("chain") == name)["commodity"]))
        elif name in known:
            found.append(name)
        else:
            raise UnknownName("commodity", name, [*known, *network.chains])
    return list(dict.fromkeys(found))


def commodity(network: Network, name: str) -> str:
    """One commodity of the network: a chain has no price.

    Raises
    ------
    UnknownName
        With the nearest right name.
    """
    known = set(network.nodes["commodity"])
    if name not in known:
        raise UnknownName("commodity", name, known)
    return name


def states(network: Network, names: str | Sequence[str]) -> tuple[str, ...]:
    """Places of the network that are named by code, short name or group; all for ``ALL``.

    Raises
    ------
    UnknownName
        A name that is no place's and no group's, or of which the network has no place.

    Examples
    --------
    >>> from monazite.network import toy
    >>> states(toy(), "India"), states(toy(), "ALL")
    (('IND',), ('CHN', 'IND', 'USA'))
    """
    known = sorted(set(network.nodes["place"]))
    given = (names,) if isinstance(names, str) else tuple(names)
    if not given:
        raise ArgumentError("error.group_empty")
    if "ALL" in given:
        return tuple(known)
    found: list[str] = []
    for name in given:
        here = [place for place in resolve(name) if place in known]
        if not here:
            raise UnknownName("place", name, known)
        found += here
    return tuple(dict.fromkeys(found))


def _count(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:]) - 1
