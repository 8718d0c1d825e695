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
from monazite.market.ensemble import BLOCK, ensemble
from monazite.market.runs import Cancelled, Progress, Runs


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
    marks: Path | None = None  # where each block that is begun leaves a mark with the number of its process

    def key(self) -> str:
        return f"numbers-{self.count}"

    def describe(self) -> dict[str, Any]:
        return {"title": "Numbers", "seed": 7}


def squares(source: Numbers, first: int, last: int) -> pl.DataFrame:
    """Two rows for each scenario, with a sum that comes out otherwise in another order."""
    if source.marks is not None:
        name = f"{first}-{os.getpid()}-{time.monotonic_ns()}"
        (source.marks / f".{name}").write_text(str(os.getpid()), encoding="ascii")
        (source.marks / f".{name}").rename(source.marks / name)
    time.sleep(source.wait)
    draws = np.random.default_rng(first).normal(size=(last - first, 20_000))
    sums = [float(row @ row) for row in draws]
    of = np.repeat(np.arange(first, last), 2)
    return pl.DataFrame(
        {"scenario": of, "measure": ["sum", "square"] * (last - first), "value": np.repeat(sums, 2) * of}
    )


def quick(source: Numbers, first: int, last: int) -> pl.DataFrame:
    return pl.DataFrame({"scenario": np.arange(first, last), "value": np.arange(first, last) * 0.5})


def fatal(source: Numbers, first: int, last: int) -> pl.DataFrame:
    """The second block takes its worker along."""
    if first == BLOCK:
        os._exit(3)
    return quick(source, first, last)


def divide(source: Numbers, first: int, last: int) -> pl.DataFrame:
    """The second block cannot be computed."""
    return quick(source, first, last).with_columns(value=1.0 / (0 if first == BLOCK else 1))


def short(source: Numbers, first: int, last: int) -> pl.DataFrame:
    return quick(source, first, last - 1)


def nameless(source: Numbers, first: int, last: int) -> pl.DataFrame:
    return quick(source, first, last).drop("scenario")


def uneven(source: Numbers, first: int, last: int) -> pl.DataFrame:
    """The second block has other columns."""
    return quick(source, first, last).rename({"value": "other"} if first == BLOCK else {})


def run(name: str, count: str, wait: str, marks: str) -> None:
    """Compute an ensemble, as a process of its own that may be killed."""
    with Runs(1, apart=True) as runs:
        ensemble(Numbers(int(count), float(wait), Path(marks)), squares, runs=runs, name=name)
