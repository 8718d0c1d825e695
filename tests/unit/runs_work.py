"""What the tests of runs let worker processes do."""

from __future__ import annotations

import os
import time
from pathlib import Path

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
