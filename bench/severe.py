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
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from bench.severities import Scenario, scenario
from monazite.market import Clearing, Settled, clear, fixed_point, solve_reference

__all__ = ["Outcome", "Scenario", "compare", "main", "scenario", "solve", "summary"]

ROOT = Path(__file__).resolve().parent.parent
#: objectives may differ by this share of the terms they are summed from, unique prices by this share
OBJECTIVE, PRICE = 1e-9, 1e-4
BLOCK = 25
#: clearings that a fixed point may take
STEPS = 120


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
    """Set the answer against the public solver's, with the wedges that it found in the costs.

    Where the two differ the public solver is asked again for all the digits it has: its prices of what
    nobody wants are good to a ten-thousandth of the base price at its usual accuracy.
    """
    problem = answer.problem if isinstance(answer, Settled) else given.problem
    size = float(np.sum((np.abs(problem.c) + 0.5 * problem.a * np.abs(answer.x)) * np.abs(answer.x)))
    compared = replace(outcome, reference="short")
    for tolerance in (1e-12, 1e-14):
        other = solve_reference(problem, tolerance=tolerance, strict=False)
        if not other.certificate.converged:
            continue
        both = answer.unique & other.unique
        scale = np.maximum(np.maximum(np.abs(answer.price), np.abs(problem.y0)), 1e-12)
        prices = (np.abs(answer.price - other.price) / scale)[both]
        compared = replace(
            outcome,
            reference="usable",
            objective_apart=abs(other.certificate.objective - answer.certificate.objective) / size,
            price_apart=float(prices.max(initial=0.0)),
        )
        if not compared.wrong:
            break
    return compared


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
