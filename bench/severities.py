"""Random scenarios of every kind, from mild to severe, on packaged and made-up chains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from bench.chains import synthetic
from monazite.core.errors import Refused
from monazite.market import Problem
from monazite.market.rules import AdValorem, Levy, Rule
from monazite.market.scenario import (
    BorderDuty,
    ContractForDifference,
    DemandSurge,
    ExportControl,
    Outage,
    PriceFloor,
    Tariff,
    Window,
)
from monazite.network import Layout, Network, layout, load, toy

__all__ = ["WORLDS", "Scenario", "scenario"]

#: worlds and how often each is drawn
WORLDS = {"rare_earths": 0.4, "gallium": 0.35, "made_up": 0.25}


@dataclass(frozen=True, eq=False)
class Scenario:
    """One problem to clear: what it is made of, the world without it, and rules for `fixed_point`."""

    index: int
    world: str
    months: int
    parts: tuple[str, ...]
    problem: Problem
    base: Problem
    rules: tuple[Rule, ...] = ()


@cache
def _network(world: str) -> Network:
    return toy() if world == "toy" else load([world])


@cache
def _layout(world: str) -> Layout:
    return layout(_network(world))


@cache
def _window(world: str, months: int) -> Window:
    return Window.of(_layout(world), months)


@cache
def _made_up(seed: int) -> Problem:
    rng = np.random.default_rng([99, seed])
    chains, places, months = (int(rng.integers(*ends)) for ends in ((1, 4), (4, 13), (1, 7)))
    return synthetic(chains, places, months, stages=int(rng.integers(3, 6)), seed=seed).problem


def scenario(index: int, seed: int, worlds: dict[str, float] | None = None) -> Scenario:
    """Scenario ``index`` of a seed.

    Examples
    --------
    >>> first = scenario(3, 1, {"toy": 1.0})
    >>> first.parts == scenario(3, 1, {"toy": 1.0}).parts
    True
    """
    rng = np.random.default_rng([seed, index])
    chosen = WORLDS if worlds is None else worlds
    world = str(rng.choice(list(chosen), p=np.array(list(chosen.values())) / sum(chosen.values())))
    if world == "made_up":
        return _of_made_up(index, rng)
    months = int(np.ceil(12.0 * rng.random() ** 2.5))
    count = 1 + int(rng.integers(0, 4))
    chosen_parts = rng.choice(len(PARTS), size=count, p=WEIGHTS, replace=False)
    if any(PARTS[part] in RULED for part in chosen_parts):  # many clearings each
        months = min(months, 3)
    window = _window(world, months)
    parts: list[str] = []
    for part in chosen_parts:
        if PARTS[part] in SUPPORTS and any(name in ("price_floor", "contract") for name in parts):
            continue  # one good of one producer has one strike at most
        try:
            window = PARTS[part](window, rng)
        except Refused:  # nothing of the kind is traded or made there
            continue
        parts.append(PARTS[part].__name__.strip("_"))
    base = _window(world, months).problem
    return Scenario(index, world, months, tuple(parts), window.problem, base, window.rules)


def _places(window: Window) -> list[str]:
    return sorted(set(window.layout.network.nodes["place"]))


def _goods(window: Window) -> list[str]:
    return sorted(set(window.layout.network.nodes["commodity"]))


def _remove(window: Window, state: str, cut: float, first: bool) -> Window:
    """A state's exports and its mines and plants stop."""
    for shock in (
        ExportControl(state, list(window.layout.network.chains), cut, months=window.months + 1),
        *([] if first else [Outage(state, _goods(window), cut, months=window.months)]),
    ):
        try:
            window = window.under([shock])
        except Refused:
            continue
    return window


def _state_removed(window: Window, rng: np.random.Generator) -> Window:
    state = "CHN" if rng.random() < 0.4 and "CHN" in _places(window) else str(rng.choice(_places(window)))
    return _remove(window, state, 1.0, bool(rng.random() < 0.5))


def _states_removed(window: Window, rng: np.random.Generator) -> Window:
    places = _places(window)
    for state in rng.choice(places, size=int(rng.integers(2, min(5, len(places)) + 1)), replace=False):
        window = _remove(window, str(state), float(rng.choice([1.0, 0.9])), bool(rng.random() < 0.5))
    return window


def _control(window: Window, rng: np.random.Generator) -> Window:
    gates = window.layout.network.gates
    good, state = gates.select("commodity", "place").row(int(rng.integers(gates.height)))
    return window.under(
        [
            ExportControl(
                by=state,
                on=good,
                cut=float(rng.choice([1.0, 1.0, rng.random()])),
                months=int(rng.integers(1, window.months + 2)),
                kind=str(rng.choice(["ban", "licence", "quota"])),  # type: ignore[arg-type]
            )
        ]
    )


def _stocks_empty(window: Window, rng: np.random.Generator) -> Window:
    month = window.layout
    at_sea = month.pipeline() * float(rng.choice([1.0, 1.0, 0.0]))
    return window.changed(b=month.opening(window.months, np.zeros(month.stores.size), at_sea))


def _demand(window: Window, rng: np.random.Generator) -> Window:
    rise = float(rng.choice([1.0, 1.0, 2.0, -0.5, -0.95]))
    on = list(window.layout.network.chains) if rng.random() < 0.5 else str(rng.choice(_goods(window)))
    return window.under([DemandSurge(on, rise, months=int(rng.integers(1, window.months + 1)))])


def _outage(window: Window, rng: np.random.Generator) -> Window:
    shock = Outage(
        str(rng.choice(_places(window))),
        str(rng.choice(_goods(window))),
        float(rng.choice([1.0, 0.5, rng.random()])),
        months=int(rng.integers(1, window.months + 1)),
    )
    return window.under([shock])


def _steeper(window: Window, rng: np.random.Generator) -> Window:
    """All cost lines anew, trade's and uses' by up to a factor of 10."""
    return window.changed(a=window.problem.a * np.exp(rng.uniform(-1.0, 1.0, window.problem.a.size) * 2.3))


def _tariff(window: Window, rng: np.random.Generator) -> Window:
    shock = Tariff(
        str(rng.choice(_places(window))),
        list(window.layout.network.chains),
        float(rng.choice([0.1, 0.25, 1.0, 5.0, -0.2])),
        kind=str(rng.choice(["import", "export"])),  # type: ignore[arg-type]
        value=str(rng.choice(["origin", "border"])),  # type: ignore[arg-type]
        months=int(rng.integers(1, window.months + 1)),
    )
    return window.under([shock])


def _priced(window: Window, rng: np.random.Generator) -> tuple[str, str, float]:
    """A good, a place where it has a price, and a price of up to three times that."""
    nodes = window.layout.network.nodes
    good, place, price = nodes.select("commodity", "place", "price").row(int(rng.integers(nodes.height)))
    return good, place, float(price * rng.uniform(0.5, 3.0))


def _border_duty(window: Window, rng: np.random.Generator) -> Window:
    good, place, price = _priced(window, rng)
    return window.under([BorderDuty(place, good, price)])


def _price_floor(window: Window, rng: np.random.Generator) -> Window:
    good, place, price = _priced(window, rng)
    kind = str(rng.choice(["payment", "purchase"]))
    by = place if rng.random() < 0.5 else "ALL"
    return window.under([PriceFloor(good, price, by, kind)])  # type: ignore[arg-type]


def _contract(window: Window, rng: np.random.Generator) -> Window:
    good, place, price = _priced(window, rng)
    node = window.local(good, place)
    through = 0.0 if node is None else float(window.layout.network.throughput[node])
    volume = None if rng.random() < 0.5 else max(1e-3, through * float(rng.uniform(0.1, 1.5)))
    upside = float(rng.choice([0.0, 0.3, 1.0]))
    return window.under([ContractForDifference(good, price, place, upside, volume)])


PARTS: tuple[Callable[[Window, np.random.Generator], Window], ...] = (
    _state_removed,
    _states_removed,
    _control,
    _stocks_empty,
    _demand,
    _outage,
    _steeper,
    _tariff,
    _border_duty,
    _price_floor,
    _contract,
)
SUPPORTS = (_price_floor, _contract)
RULED = (_tariff, _border_duty, _price_floor, _contract)
WEIGHTS = np.array([0.13, 0.12, 0.2, 0.12, 0.12, 0.11, 0.04, 0.04, 0.04, 0.04, 0.04])


def _of_made_up(index: int, rng: np.random.Generator) -> Scenario:
    """A made-up chain with bounds, stocks, cost lines and rules drawn column by column."""
    base = _made_up(int(rng.integers(24)))
    parts, rules = [], []
    upper, b, a = np.array(base.upper), np.array(base.b), np.array(base.a)
    columns = base.shape[1]
    entries = np.diff(base.A.indptr)
    paired = np.flatnonzero(entries == 2)
    first, second = base.A.data[base.A.indptr[paired]], base.A.data[base.A.indptr[paired] + 1]
    links = paired[(first * second < 0.0) & (np.abs(first) == 1.0) & (np.abs(second) == 1.0)]
    if rng.random() < 0.8:
        shut = rng.random(columns) < float(rng.choice([0.02, 0.2, 0.6]))
        shut[entries < 2] = False
        upper[shut] *= np.where(np.isfinite(upper[shut]), float(rng.choice([0.0, 0.3])), 1.0)
        upper[shut & ~np.isfinite(base.upper)] = 0.0
        parts.append("shut")
    if rng.random() < 0.4:
        b[:] = 0.0
        parts.append("stocks_empty")
    if rng.random() < 0.4:
        wanted = (entries == 1) & (base.c < 0.0)
        rise = float(rng.choice([2.0, 3.0, 0.1]))
        upper[wanted] *= rise
        a[wanted] /= rise
        parts.append("demand")
    if rng.random() < 0.3 and links.size:
        taxed = rng.choice(links, size=max(1, links.size // 4), replace=False)
        start = base.A.indptr[taxed]
        origin = np.where(base.A.data[start] < 0.0, base.A.indices[start], base.A.indices[start + 1])
        rules.append(AdValorem(taxed, origin, float(rng.choice([0.1, 0.5, 2.0]))))
        parts.append("tariff")
    if rng.random() < 0.2 and links.size:
        start = base.A.indptr[links]
        ends = np.where(base.A.data[start] > 0.0, base.A.indices[start], base.A.indices[start + 1])
        node = int(rng.choice(ends))
        into = links[ends == node]
        rules.append(Levy(into, np.ones(into.size), node, float(base.y0[node] * rng.uniform(0.8, 2.0))))
        parts.append("border_duty")
    return Scenario(
        index, "made_up", 0, tuple(parts), replace(base, upper=upper, b=b, a=a), base, tuple(rules)
    )
