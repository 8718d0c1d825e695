"""Long work: calls in worker processes, each in a run folder with its progress, its cancel token, its result.

The answer is the same on any number of workers. A run is known by its name, a hash of everything that goes
into it, so the same question is never worked on twice, whichever door asked it.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import pickle
import secrets
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from monazite.core.errors import ArgumentError, MonaziteError
from monazite.core.settings import cache_folder, write_atomic
from monazite.core.text import say

__all__ = ["Cancelled", "Folder", "Progress", "Runs", "State", "workers"]

T = TypeVar("T")
#: called with (steps done, steps in all, what is being done)
Progress = Callable[[int, int, str], None]

#: progress is written no more often than this, s
_OFTEN = 0.2
_NAME = frozenset("0123456789abcdefghijklmnopqrstuvwxyz-")
_LONGEST_NAME = 80


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


class Cancelled(MonaziteError):
    """The run was cancelled by whoever asked for it."""


@dataclass(frozen=True)
class State:
    """How far a run is.

    Attributes
    ----------
    name : str
        ``waiting``, ``running``, ``done``, ``failed`` or ``cancelled``.
    done, of : int
        Steps done and in all; ``of`` is 0 while it is not known.
    step : str
        What is being done.
    seconds : float
        Since it began.
    left : float or None
        Seconds that it will take at the pace so far.
    error : str or None
        Why it failed.
    """

    name: str
    done: int = 0
    of: int = 0
    step: str = ""
    seconds: float = 0.0
    left: float | None = None
    error: str | None = None


class Folder:
    """A run as it lies on disk: ``manifest, try, progress, error`` (JSON), ``cancel``, ``result.pickle``.

    Every file is written whole or not at all, so that any process may look at any time. A run may be begun
    again after it was cancelled or failed: each try has an id, and what another try left counts for nothing.

    Parameters
    ----------
    name : str
        Name of the run: lower-case letters, digits, hyphens.
    root : Path, optional
        Folder of all runs; that of the cache when absent.
    attempt : str, optional
        The try that the caller works for (see `begin`); whichever is the latest when absent.

    Raises
    ------
    ArgumentError
        A name that could not be one.

    Examples
    --------
    >>> import tempfile
    >>> folder = Folder("0f3a", Path(tempfile.mkdtemp()))
    >>> folder.progress(1, 4, "month 1 of 4"); folder.state().name, folder.state().of
    ('running', 4)
    >>> folder.finish(42); folder.state().name, folder.result()
    ('done', 42)
    """

    def __init__(self, name: str, root: Path | None = None, attempt: str | None = None) -> None:
        if not name or len(name) > _LONGEST_NAME or not set(name) <= _NAME:
            raise ArgumentError("market.run_name", given=name[:_LONGEST_NAME])
        self.name = name
        self.path = (root or cache_folder() / "runs") / name
        self.attempt = attempt
        self._written = 0.0
        self._began: float | None = None

    @property
    def exists(self) -> bool:
        """Whether anything of the run is there."""
        return self.path.is_dir()

    @property
    def manifest(self) -> dict[str, Any]:
        """What was asked; empty where nobody wrote it down."""
        return self._read("manifest.json")

    @property
    def latest(self) -> str:
        """The id of the latest try; empty where none was begun."""
        return str(self._read("try.json").get("try", ""))

    def begin(self) -> str:
        """Begin a new try, which ends any other, and return its id."""
        for name in ("cancel", "error.json", "progress.json"):
            with suppress(OSError):
                (self.path / name).unlink()
        attempt = secrets.token_hex(8)
        self._write("try.json", {"try": attempt})
        return attempt

    def describe(self, manifest: Mapping[str, Any]) -> None:
        """Write down what was asked (plain JSON values)."""
        self._write("manifest.json", manifest)

    def state(self) -> State:
        """How far the run is, read from its files alone."""
        latest = self.latest
        known = self._of_try("progress.json", latest)
        began, seen = _figure(known.get("began")), _figure(known.get("seen"))
        done, of, step = (
            int(_figure(known.get("done"))),
            int(_figure(known.get("of"))),
            str(known.get("step", "")),
        )
        spent = max(seen - began, 0.0)
        if (self.path / "result.pickle").is_file():
            return State("done", of or done, of or done, "", spent)
        error = self._of_try("error.json", latest)
        if error:
            return State("failed", done, of, step, spent, error=str(error.get("message", "")))
        if self._cancelled(latest):
            return State("cancelled", done, of, step, spent)
        if not known:
            return State("waiting")
        now = max(time.time() - began, 0.0)
        left = max(spent / done * (of - done) - (now - spent), 0.0) if done and of else None
        return State("running", done, of, step, now, left)

    def progress(self, done: int, of: int, step: str = "") -> None:
        """Say how far the work is: what the work itself calls.

        Raises
        ------
        Cancelled
            Somebody asked to stop, or began the run anew.
        """
        latest = self.latest
        if self._cancelled(latest) or self.attempt not in (None, latest):
            raise Cancelled("market.run_cancelled")
        now = time.time()
        self._began = self._began or now
        if done in (0, of) or now - self._written >= _OFTEN:
            self._written = now
            state = {"try": latest, "began": self._began, "seen": now, "done": done, "of": of, "step": step}
            self._write("progress.json", state)

    def cancel(self) -> None:
        """Ask the work to stop at its next step; a run that has ended stays as it is."""
        latest = self.latest
        if self.state().name in ("waiting", "running"):
            write_atomic(self.path / "cancel", latest.encode())

    def finish(self, result: object) -> None:
        """Keep the result."""
        write_atomic(self.path / "result.pickle", pickle.dumps(result))

    def fail(self, message: str) -> None:
        """Keep why there is no result, unless the run was begun anew meanwhile."""
        latest = self.latest
        if self.attempt in (None, latest):
            self._write("error.json", {"try": latest, "message": message})

    def result(self) -> Any:
        """Return the result.

        Raises
        ------
        MonaziteError
            There is none, or it cannot be read.
        """
        try:
            return pickle.loads((self.path / "result.pickle").read_bytes())
        except Exception as error:  # a damaged pickle raises whatever it likes
            raise MonaziteError("market.run_no_result", name=self.name) from error

    def _cancelled(self, attempt: str) -> bool:
        try:
            return (self.path / "cancel").read_text(encoding="utf-8", errors="replace") == attempt
        except OSError:
            return False

    def _of_try(self, name: str, attempt: str) -> dict[str, Any]:
        found = self._read(name)
        return found if found.get("try", "") == attempt else {}

    def _read(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, name: str, value: Mapping[str, Any]) -> None:
        write_atomic(self.path / name, json.dumps(value, ensure_ascii=False, default=str).encode())


def _figure(value: object) -> float:
    """Read a figure of a file that may be damaged: 0 where it is none."""
    good = isinstance(value, int | float) and math.isfinite(value) and value >= 0
    return float(value) if good else 0.0  # type: ignore[arg-type]


def _quiet() -> None:
    """Leave Ctrl-C to the process that asked: it tells its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _work(
    name: str, root: Path, attempt: str | None, call: Callable[..., object], arguments: tuple[Any, ...]
) -> None:
    """Do the work of a try in a worker process and leave its end in its folder."""
    folder = Folder(name, root, attempt)
    try:
        folder.progress(0, 0)
        folder.finish(call(*arguments, progress=folder.progress))
    except Cancelled:
        return
    except MonaziteError as error:
        folder.fail(str(error))
    except Exception as error:  # noqa: BLE001 - whatever happened, who waits for the run is told
        folder.fail(say("market.run_failed", kind=type(error).__name__, message=" ".join(str(error).split())))


class Runs:
    """Calls in worker processes, or one after the other where only one worker is wanted.

    Parameters
    ----------
    count : int, optional
        Number of processes; :func:`workers` when absent.
    apart : bool
        Work in a process of its own even where there is only one worker: for a caller that must stay
        responsive.

    Examples
    --------
    >>> with Runs(1) as runs:
    ...     waiting = [runs.start(divmod, 7, n) for n in (2, 3)]
    ...     [one() for one in waiting]
    [(3, 1), (2, 1)]
    """

    def __init__(self, count: int | None = None, *, apart: bool = False) -> None:
        self.count = workers() if count is None else count
        self.apart = apart or self.count > 1
        self._pool: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[Folder, Future[None]]] = {}

    def __enter__(self) -> Runs:
        """Open the workers."""
        if self.apart:
            self._open()
        return self

    def __exit__(self, *_: object) -> None:
        """Close them (see `close`)."""
        self.close()

    def close(self) -> None:
        """Close the workers; what has not begun is not done, what goes on is told to stop."""
        for folder, future in list(self._waiting.values()):
            if not future.done():
                folder.cancel()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _open(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.count, mp_context=multiprocessing.get_context("spawn"), initializer=_quiet
            )
        return self._pool

    def start(self, call: Callable[..., T], *arguments: Any) -> Callable[[], T]:
        """Begin a call; what it returns waits for the result and raises what the call raised."""
        if self._pool is None:
            return lambda: call(*arguments)
        waiting: Future[T] = self._pool.submit(call, *arguments)
        return waiting.result

    def map(self, call: Callable[[Any], T], items: Sequence[Any]) -> list[T]:
        """Call for each item; results in the order of the items."""
        return [one() for one in [self.start(call, item) for item in items]]

    def submit(
        self, name: str, manifest: Mapping[str, Any], call: Callable[..., object], *arguments: Any
    ) -> Folder:
        """Begin a run in its folder, unless it is done or goes on already.

        Parameters
        ----------
        name : str
            Name of the run: a hash of all that goes into it.
        manifest : mapping
            What is asked, as plain JSON values.
        call : callable
            A function of a module, called as ``call(*arguments, progress=...)``; what it returns is kept.

        Returns
        -------
        Folder
        """
        folder = Folder(name)
        with self._lock:
            before = self._waiting.get(name)
            going = before is not None and not before[1].done()
            if folder.state().name == "done" or (going and folder.state().name in ("waiting", "running")):
                if not folder.manifest:
                    folder.describe(manifest)
                return folder
            # always a new try: one that was told to stop may be ending at this very moment
            folder.describe(manifest)
            ours = Folder(name, folder.path.parent, folder.begin())
            self._waiting[name] = (ours, self._enqueue(ours, call, arguments))
        return folder

    def _enqueue(
        self, folder: Folder, call: Callable[..., object], arguments: tuple[Any, ...]
    ) -> Future[None]:
        def submit() -> Future[None]:
            return self._open().submit(
                _work, folder.name, folder.path.parent, folder.attempt, call, arguments
            )

        try:
            future = submit()
        except BrokenProcessPool:  # a worker died earlier: begin with fresh ones
            self._pool = None
            future = submit()
        future.add_done_callback(lambda ended: _died(folder, ended))
        return future

    def state(self, folder: Folder) -> State:
        """How a run goes; one that no process works on any more, and that has no end, has failed."""
        with self._lock:  # not between the new try of a run and its place among those that wait
            _, future = self._waiting.get(folder.name, (None, None))
            over = future is None or future.done()
            found = folder.state()
        if over and found.name in ("waiting", "running"):
            return State("failed", found.done, found.of, found.step, error=say("market.run_lost"))
        return found

    def cancel(self, folder: Folder) -> None:
        """Stop a run: at once when it has not begun, at its next step when it has."""
        with self._lock:
            folder.cancel()
            _, future = self._waiting.get(folder.name, (None, None))
            if future is not None:
                future.cancel()


def _died(folder: Folder, ended: Future[None]) -> None:
    """Leave a word in the folder when a worker process died under a run."""
    if not ended.cancelled() and ended.exception() is not None and folder.state().name == "running":
        with suppress(OSError):
            folder.fail(say("market.run_lost"))
