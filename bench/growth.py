"""How time and memory grow: with months on the rare-earth chain, with chains on made-up ones.

Usage: python -m bench.growth [--small]

Every size runs in a process of its own, so that its peak memory is its own. Times are CPU seconds a scenario.
Writes ``out/bench-growth.json``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from bench.chains import Case, synthetic
from bench.machine import OUT, machine
from bench.market import evenly
from bench.ours import one_by_one
from bench.real import rare_earths

__all__ = ["measured", "slope"]

MONTHS = (3, 6, 9, 12, 18, 24)
CHAINS = (1, 2, 5, 10, 20, 30)
TOUCHED = (1, 3, 10, 30)
PLACES, WINDOW, SCENARIOS = 60, 12, 9


def main() -> None:
    """Measure all sizes, one process each, and write what was found."""
    parser = argparse.ArgumentParser(description="Measure how time and memory grow.")
    parser.add_argument("--small", action="store_true", help="leave the largest sizes out")
    small = parser.parse_args().small
    record: dict[str, Any] = {"machine": machine(), "months": [], "chains": [], "touched": []}
    jobs = [("months", n, n) for n in MONTHS if not small or n <= WINDOW]
    jobs += [("chains", n, n) for n in CHAINS if not small or n <= max(TOUCHED[:3])]
    most = TOUCHED[2] if small else TOUCHED[-1]
    jobs += [("touched", most, n) for n in TOUCHED if n <= most]
    for kind, size, touched in jobs:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            found = pool.submit(measured, kind, size, touched).result()
        record[kind].append(found)
        print(f"{kind} {found}", file=sys.stderr, flush=True)
        OUT.mkdir(exist_ok=True)
        (OUT / "bench-growth.json").write_text(json.dumps(record, indent=1), encoding="utf-8")


def measured(kind: str, size: int, touched: int) -> dict[str, Any]:
    """Return time and memory of one size; memory is that of the whole process, imports too."""
    start = time.process_time()
    case = _case(kind, size, touched)
    built, with_problem = time.process_time() - start, _peak()
    start = time.process_time()
    mine = one_by_one(case, [0])
    first = time.process_time() - start
    mine = one_by_one(case, evenly(len(case.shocks), SCENARIOS))
    seconds = np.array([one.seconds for one in mine.values()])
    return {
        "size": touched if kind == "touched" else size,
        "nodes": case.problem.shape[0],
        "activities": case.problem.shape[1],
        "build_s": built,
        "first_s": first,
        "median_s": float(np.median(seconds)),
        "worst_s": float(seconds.max()),
        "problem_mb": with_problem,
        "peak_mb": _peak(),
        "converged": all(one.answer.certificate.converged for one in mine.values()),
    }


def slope(sizes: list[float], values: list[float]) -> float:
    """Return the power with which values grow: 1 is linear; a straight line through the logarithms.

    Examples
    --------
    >>> round(slope([1, 2, 4], [3, 6, 12]), 6), round(slope([1, 10], [5, 500]), 6)
    (1.0, 2.0)
    """
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def _case(kind: str, size: int, touched: int) -> Case:
    if kind == "months":
        return rare_earths(size)
    return synthetic(size, PLACES, WINDOW, touched=touched, shocks=SCENARIOS)


def _peak() -> float:
    """Return the most memory that this process has had, MB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    main()
