"""Long work: many independent runs on one machine, the same answer on any number of workers."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, TypeVar

__all__ = ["Runs", "workers"]

T = TypeVar("T")


def workers() -> int:
    """How many processes to use: ``MONAZITE_WORKERS``, else the cores this process may use.

    Examples
    --------
    >>> workers() >= 1
    True
    """
    stated = os.environ.get("MONAZITE_WORKERS", "")
    if stated.isdigit() and int(stated) > 0:
        return int(stated)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Runs:
    """Independent calls in worker processes, or one after the other where only one worker is wanted.

    Parameters
    ----------
    count : int, optional
        Number of processes; :func:`workers` when absent.

    Examples
    --------
    >>> with Runs(1) as runs:
    ...     waiting = [runs.start(divmod, 7, n) for n in (2, 3)]
    ...     [one() for one in waiting]
    [(3, 1), (2, 1)]
    """

    def __init__(self, count: int | None = None) -> None:
        self.count = workers() if count is None else count
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Runs:
        """Open the workers."""
        if self.count > 1:
            self._pool = ProcessPoolExecutor(self.count, mp_context=multiprocessing.get_context("spawn"))
        return self

    def __exit__(self, *_: object) -> None:
        """Close them; what has not begun is not done."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def start(self, call: Callable[..., T], *arguments: Any) -> Callable[[], T]:
        """Begin a call; what it returns waits for the result and raises what the call raised."""
        if self._pool is None:
            return lambda: call(*arguments)
        waiting: Future[T] = self._pool.submit(call, *arguments)
        return waiting.result

    def map(self, call: Callable[[Any], T], items: Sequence[Any]) -> list[T]:
        """Call for each item; results in the order of the items."""
        return [one() for one in [self.start(call, item) for item in items]]
