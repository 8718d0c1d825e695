"""What the tests of runs let worker processes do."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from monazite.core.errors import ArgumentError
from monazite.market.runs import Cancelled, Progress


def count(steps: int, wait: float, *, progress: Progress) -> int:
    for done in range(steps):
        progress(done, steps, f"step {done + 1}")
        time.sleep(wait)
    return steps


def refuse(*, progress: Progress) -> None:
    progress(0, 1, "")
    raise ArgumentError("error.group_empty")


def stumble(*, progress: Progress) -> None:
    raise ZeroDivisionError


def die(*, progress: Progress) -> None:
    progress(0, 1, "")
    os._exit(9)


def linger(noticed: Path, leave: Path, *, progress: Progress) -> None:
    """Notice that it was cancelled, and take until told so to end."""
    try:
        while True:
            progress(0, 1, "")
            time.sleep(0.01)
    except Cancelled:
        noticed.touch()
        while not leave.exists():
            time.sleep(0.01)
        raise


@dataclass(frozen=True)
class Numbers:
    """A source of the tests: scenario n is n."""

    count: int
    wait: float = 0.0
    marks: Path | None = None  # where each computed block leaves a mark
    trap: int = -1  # the block that does harm

    def key(self) -> str:
        return f"numbers-{self.count}"

    def describe(self) -> dict[str, Any]:
        return {"title": "Numbers", "seed": 7}


def squares(source: Numbers, first: int, last: int) -> pl.DataFrame:
    """Two rows for each scenario, with a sum that comes out otherwise in another order."""
    if source.marks is not None:
        (source.marks / f"{first}-{time.time_ns()}").touch()
    time.sleep(source.wait)
    draws = np.random.default_rng(first).normal(size=(last - first, 50_000))
    sums = [float(row @ row) for row in draws]
    of = np.repeat(np.arange(first, last), 2)
    return pl.DataFrame(
        {"scenario": of, "measure": ["sum", "square"] * (last - first), "value": np.repeat(sums, 2) * of}
    )
