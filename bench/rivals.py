"""Run a solver in a process of its own, which can be stopped, over some scenarios of a case."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

import psutil

from bench.chains import Case, friendly
from bench.peers import LIMIT, Answer, Solve
from bench.real import rare_earths
from monazite.market.problem import Array

__all__ = ["CASES", "Timed", "run_peer"]

#: name in the results -> what makes it; a child process makes its own
CASES: dict[str, Callable[[], Case]] = {"real": rare_earths, "synthetic": friendly}
#: a process on a busy machine gets less than its share: so much longer than its CPU time may it take
PATIENCE = 8.0


@dataclass(frozen=True)
class Timed:
    """One solver on one scenario; ``short`` where it was not done within the limit."""

    shock: int
    seconds: float
    short: bool
    status: str
    objective: float
    price: Array | None


def run_peer(
    peer: str,
    case: str,
    shocks: Sequence[int],
    *,
    limit: float = LIMIT,
    deadline: float | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> tuple[list[Timed], float]:
    """Return the solver's times in the order of ``shocks``, and the wall seconds of its set-up.

    Parameters
    ----------
    peer, case : str
        Names from `bench.peers.PEERS` and `CASES`.
    limit : float
        CPU seconds a scenario. A solver that is not done then is stopped and counts as this long, ``short``.
    deadline : float, optional
        ``time.monotonic()`` after which no scenario is begun but the first.
    """
    found: list[Timed] = []
    setting_up = 0.0
    waiting = list(shocks)
    while waiting:
        child = _Child(peer, case)
        try:
            setting_up = max(setting_up, child.set_up())
            while waiting:
                if deadline is not None and time.monotonic() > deadline and found:
                    return found, setting_up
                answer = child.ask(waiting[0], limit)
                shock = waiting.pop(0)
                found.append(_timed(shock, answer, limit))
                told(f"{peer} on {case}, scenario {shock}: {found[-1].seconds:.3f} s {found[-1].status}")
                if answer is None:
                    break  # stopped: the next scenario needs a new process
        finally:
            child.stop()
    return found, setting_up


def _timed(shock: int, answer: Answer | None, limit: float) -> Timed:
    if answer is None:
        return Timed(shock, limit, True, "stopped", float("nan"), None)
    short = not answer.done
    seconds = limit if short else answer.seconds
    return Timed(shock, seconds, short, answer.status, answer.objective, answer.price)


class _Child:
    def __init__(self, peer: str, case: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.end, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(peer, case, other), daemon=True)
        self.process.start()
        other.close()

    def set_up(self) -> float:
        """Wait until it is ready; return the seconds that took."""
        while not self.end.poll(0.2):
            if not self.process.is_alive():
                raise SystemExit("a solver's process ended while it was set up")
        return float(self.end.recv())

    def ask(self, shock: int, limit: float) -> Answer | None:
        """Return the answer; None where the limit passed or the process ended."""
        start, used = time.monotonic(), self.cpu()
        self.end.send(shock)
        while not self.end.poll(0.05):
            if not self.process.is_alive() or self.cpu() - used > limit:
                return None
            if time.monotonic() - start > PATIENCE * limit:
                return None
        return Answer(*self.end.recv())

    def cpu(self) -> float:
        """Return the CPU seconds of the process so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def stop(self) -> None:
        self.end.close()
        self.process.kill()
        self.process.join()


def _serve(peer: str, case: str, end: Connection) -> None:
    """Child process: set up, then answer one scenario after another."""
    os.dup2(2, 1)  # what a solver prints is no part of the results
    start = time.perf_counter()
    made = CASES[case]()
    solve: Solve = importlib.import_module(f"bench.peers.{peer}").prepare(made)
    end.send(time.perf_counter() - start)
    while True:
        try:
            shock = end.recv()
        except EOFError:
            return
        end.send(tuple(solve(made.shocks[shock].upper)))
