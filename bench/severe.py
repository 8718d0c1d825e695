"""Random scenarios, severe ones among them: every one must clear, and none may differ from the reference.

Usage: python -m bench.severe [--count 10000] [--seed 1] [--workers 2] [--compare 200] [--keep FOLDER]

On the packaged rare-earth and gallium chains over 1 to 12 months and on made-up chains: whole states
removed, several at once, all stocks empty, nothing at sea, demand multiplied, outages, bans, licences,
quotas; tariffs, border duties, floors and contracts go through `fixed_point`. Scenario i rests on the seed
and i alone. Prints a summary and writes ``out/severe.json``; with ``--keep`` every problem that failed is
pickled.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from bench.chains import synthetic
from monazite.core.errors import Refused
from monazite.market import Clearing, Problem, Settled, clear, fixed_point, solve_reference
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

__all__ = ["Outcome", "Scenario", "compare", "main", "scenario", "solve", "summary"]

ROOT = Path(__file__).resolve().parent.parent
#: worlds and how often each is drawn
WORLDS = {"rare_earths": 0.4, "gallium": 0.35, "made_up": 0.25}
#: objectives may differ by this share of the terms they are summed from, unique prices by this share
OBJECTIVE, PRICE = 1e-9, 1e-4
BLOCK = 25
#: clearings that a fixed point may take
STEPS = 120


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


@dataclass(frozen=True)
class Outcome:
    """How one scenario went. ``objective_apart`` and ``price_apart`` are None where it was not compared."""

    index: int
    world: str
    months: int
    parts: tuple[str, ...]
    rules: int
    converged: bool
    method: str
    steps: int
    balance: float
    contingent: float
    seconds: float
    reference: str = ""
    objective_apart: float | None = None
    price_apart: float | None = None

    @property
    def wrong(self) -> bool:
        """Whether a usable reference differs."""
        return self.reference == "usable" and (
            (self.objective_apart or 0.0) > OBJECTIVE or (self.price_apart or 0.0) > PRICE
        )


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


def solve(given: Scenario) -> tuple[Outcome, Clearing]:
    """Clear a scenario and say how it went."""
    begun = time.perf_counter()
    answer: Clearing
    if given.rules:
        answer = fixed_point(given.problem, given.rules, baseline=given.base, steps=STEPS, strict=False)
    else:
        answer = clear(given.problem, baseline=given.base, strict=False)
    seconds = time.perf_counter() - begun
    done = answer.certificate
    return (
        Outcome(
            given.index,
            given.world,
            given.months,
            given.parts,
            len(given.rules),
            done.converged,
            done.method,
            done.iterations,
            done.balance,
            done.contingent,
            seconds,
        ),
        answer,
    )


def compare(given: Scenario, outcome: Outcome, answer: Clearing) -> Outcome:
    """Set the answer against the public solver's, with the wedges that it found in the costs."""
    problem = answer.problem if isinstance(answer, Settled) else given.problem
    other = solve_reference(problem, strict=False)
    if not other.certificate.converged:
        return replace(outcome, reference="short")
    size = float(np.sum((np.abs(problem.c) + 0.5 * problem.a * np.abs(answer.x)) * np.abs(answer.x)))
    apart = abs(other.certificate.objective - answer.certificate.objective) / size
    both = answer.unique & other.unique
    scale = np.maximum(np.maximum(np.abs(answer.price), np.abs(problem.y0)), 1e-12)
    prices = (np.abs(answer.price - other.price) / scale)[both]
    return replace(
        outcome,
        reference="usable",
        objective_apart=apart,
        price_apart=float(prices.max(initial=0.0)),
    )


def _block(
    first: int,
    *,
    count: int,
    seed: int,
    compared: frozenset[int],
    keep: Path | None,
    worlds: dict[str, float] | None = None,
) -> list[Outcome]:
    """Run the scenarios from ``first`` on, at most a block of them."""
    outcomes = []
    for index in range(first, min(first + BLOCK, count)):
        given = scenario(index, seed, worlds)
        outcome, answer = solve(given)
        if index in compared and outcome.converged:
            outcome = compare(given, outcome, answer)
        if keep is not None and (outcome.wrong or not outcome.converged):
            problem = answer.problem if isinstance(answer, Settled) else given.problem
            kept = {"outcome": asdict(outcome), "rules": given.rules, "without_rules": given.problem}
            with (keep / f"severe_{seed}_{index}.pickle").open("wb") as file:
                pickle.dump({"problem": problem, "base": given.base, **kept}, file)
        outcomes.append(outcome)
    return outcomes


def run(
    count: int,
    seed: int,
    *,
    workers: int = 1,
    compared: int = 200,
    keep: Path | None = None,
    worlds: dict[str, float] | None = None,
    show: Callable[[list[Outcome]], None] | None = None,
) -> list[Outcome]:
    """Run all scenarios, in order whatever the number of workers."""
    chosen = np.random.default_rng([seed, count]).permutation(count)[:compared]
    work = partial(
        _block,
        count=count,
        seed=seed,
        compared=frozenset(int(index) for index in chosen),
        keep=keep,
        worlds=worlds,
    )
    starts = range(0, count, BLOCK)
    outcomes: list[Outcome] = []

    def collect(blocks: Iterable[Sequence[Outcome]]) -> list[Outcome]:
        for block in blocks:
            outcomes.extend(block)
            if show is not None:
                show(outcomes)
        return outcomes

    if workers == 1:
        return collect(map(work, starts))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return collect(pool.map(work, starts))


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Counts, the worst figures and the failures by name."""
    seconds = np.array([outcome.seconds for outcome in outcomes])
    usable = [outcome for outcome in outcomes if outcome.reference == "usable"]
    failed = [outcome for outcome in outcomes if not outcome.converged]
    ruled = [outcome for outcome in outcomes if outcome.rules]
    compared = [outcome for outcome in outcomes if outcome.reference]
    return {
        "count": len(outcomes),
        "converged": sum(outcome.converged for outcome in outcomes),
        "fell_back": sum(outcome.method != "newton" for outcome in outcomes),
        "fixed_points": len(ruled),
        "fixed_points_converged": sum(outcome.converged for outcome in ruled),
        "worst_contingent": max((outcome.contingent for outcome in ruled if outcome.converged), default=0.0),
        "worst_balance": max((outcome.balance for outcome in outcomes if outcome.converged), default=0.0),
        "worlds": dict(Counter(outcome.world for outcome in outcomes)),
        "parts": dict(Counter(part for outcome in outcomes for part in outcome.parts)),
        "seconds_median": float(np.median(seconds)),
        "seconds_p95": float(np.quantile(seconds, 0.95)),
        "seconds_worst": float(seconds.max()),
        "steps_worst": max(outcome.steps for outcome in outcomes),
        "compared": len(usable),
        "reference_short": len(compared) - len(usable),
        "worst_objective_apart": max((outcome.objective_apart or 0.0 for outcome in usable), default=0.0),
        "worst_price_apart": max((outcome.price_apart or 0.0 for outcome in usable), default=0.0),
        "wrong": [asdict(outcome) for outcome in usable if outcome.wrong],
        "failed": [asdict(outcome) for outcome in failed if not outcome.rules],
        "no_fixed_point": [asdict(outcome) for outcome in failed if outcome.rules],
        "slowest": [asdict(o) for o in sorted(outcomes, key=lambda o: -o.seconds)[:10]],
    }


def main() -> None:
    """Run, print and write ``out/severe.json``."""
    parser = argparse.ArgumentParser(description="Clear many random scenarios, severe ones among them.")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--compare", type=int, default=200)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "severe.json")
    options = parser.parse_args()
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()

    options.out.parent.mkdir(parents=True, exist_ok=True)

    def show(outcomes: list[Outcome]) -> None:
        found = {"seed": options.seed, **summary(outcomes), "wall_seconds": time.perf_counter() - begun}
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        if len(outcomes) % 500 == 0:
            print(f"{len(outcomes)}/{options.count}, {found['wall_seconds'] / 60:.1f} min", flush=True)

    outcomes = run(
        options.count,
        options.seed,
        workers=options.workers,
        compared=options.compare,
        keep=options.keep,
        show=show,
    )
    found = {"seed": options.seed, **summary(outcomes), "wall_seconds": time.perf_counter() - begun}
    for key, value in found.items():
        print(f"{key:<24} {len(value) if isinstance(value, list) else value}")
    if found["failed"] or found["wrong"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
