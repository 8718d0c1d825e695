"""The kernel on the scenarios of a case: each alone, a whole catalogue at a time, in two processes."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

from bench.chains import Case
from bench.peers import clock
from bench.rivals import CASES
from monazite.market import Clearing, clear
from monazite.market.block import Change, solve_block

__all__ = ["Mine", "in_two_processes", "one_by_one", "solve_all"]

#: scenarios that go to a process at a time; runs of a scenario, and seconds after which one is enough
_PART, _REPEAT, _ENOUGH = 2, 3, 0.5


@dataclass(frozen=True)
class Mine:
    """The kernel on one scenario: median CPU seconds of a few runs, and the answer."""

    shock: int
    seconds: float
    answer: Clearing


def one_by_one(case: Case, shocks: Sequence[int]) -> dict[int, Mine]:
    """Clear scenarios one at a time; code compiled and the base factored before the clock starts.

    A quick one is cleared three times and its median taken.
    """
    base = case.problem
    warm(case)
    found: dict[int, Mine] = {}
    for k in shocks:
        problem = replace(base, upper=case.shocks[k].upper)
        seconds: list[float] = []
        while len(seconds) < _REPEAT and sum(seconds) < _ENOUGH:
            with clock() as taken:
                answer = clear(problem, baseline=base, strict=False)
            seconds.append(taken.seconds)
        found[k] = Mine(k, statistics.median(seconds), answer)
    return found


def warm(case: Case) -> None:
    """Compile and factor: what scenarios share."""
    for upper in (case.problem.upper, case.shocks[0].upper):
        clear(replace(case.problem, upper=upper), baseline=case.problem, strict=False)


def solve_all(case: Case, shocks: Sequence[int]) -> None:
    """Clear some scenarios as a study does."""
    solve_block(case.problem, [Change(upper=case.shocks[k].upper) for k in shocks])


def in_two_processes(name: str, case: Case, shocks: Sequence[int]) -> tuple[float, float]:
    """Return scenarios a second in one process, and how much faster two are, by the clock on the wall.

    The processes are started and warmed before; work goes to whichever is free, a few scenarios at a time.
    """
    start = time.perf_counter()
    solve_all(case, shocks)
    alone = time.perf_counter() - start
    parts = [list(shocks[k : k + _PART]) for k in range(0, len(shocks), _PART)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context, initializer=_begin, initargs=(name,)) as pool:
        # two waits at once, so that both processes are there
        for waiting in [pool.submit(time.sleep, 0.5) for _ in range(2)]:
            waiting.result()
        for waiting in [pool.submit(_work, part) for part in parts[:2]]:
            waiting.result()
        start = time.perf_counter()
        for waiting in [pool.submit(_work, part) for part in parts]:
            waiting.result()
        together = time.perf_counter() - start
    return len(shocks) / alone, alone / together


_here: list[Case] = []


def _begin(name: str) -> None:
    _here.append(CASES[name]())
    warm(_here[0])


def _work(shocks: Sequence[int]) -> None:
    solve_all(_here[0], shocks)
