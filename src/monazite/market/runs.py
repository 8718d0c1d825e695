"""Long work: calls in worker processes or on a cluster, each run in a folder of its own.

The answer is the same on any number of workers. A run is known by its name, a hash of everything that goes
into it, so the same question is never worked on twice, whichever door asked it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from monazite.core.errors import MonaziteError
from monazite.core.text import say
from monazite.market.cluster import Cluster
from monazite.market.executors import Executor, Here, Processes, one_thread
from monazite.market.folder import Cancelled, Folder, Progress, State, clean

__all__ = ["Cancelled", "Folder", "Progress", "Runs", "State", "clean", "workers"]

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
    cluster : str, optional
        Address of a Dask scheduler, such as ``tcp://10.0.0.7:8786``: calls are done there instead. Runs
        that are submitted stay on this machine, since their folder does.

    Examples
    --------
    >>> with Runs(1) as runs:
    ...     waiting = [runs.start(divmod, 7, n) for n in (2, 3)]
    ...     [one() for one in waiting]
    [(3, 1), (2, 1)]
    """

    def __init__(self, count: int | None = None, *, apart: bool = False, cluster: str | None = None) -> None:
        self.count = workers() if count is None else count
        self.apart = apart or self.count > 1
        self.cluster = cluster
        self._processes: Processes | None = None
        self._far: Executor | None = None
        self._lock = threading.RLock()
        self._waiting: dict[str, tuple[Folder, Future[None]]] = {}

    def __enter__(self) -> Runs:
        """Open the workers; a cluster that cannot be reached is told now."""
        if self.apart or self.cluster is not None:
            self.pool()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close them (see `close`), at once after Ctrl-C."""
        self.close(now=kind is not None and not issubclass(kind, Exception))

    def close(self, *, now: bool = False) -> None:
        """Close the workers: what has not begun is not done, what goes on is told to stop.

        Parameters
        ----------
        now : bool
            Do not wait until it has stopped.
        """
        for folder, future in list(self._waiting.values()):
            if not future.done():
                with suppress(OSError):
                    folder.cancel()
        with self._lock:
            opened: list[Executor | None] = [self._processes, self._far]
            self._processes = self._far = None
        for pool in opened:
            if pool is not None:
                pool.close(now=now)

    def pool(self) -> Executor:
        """Return where calls are done: on the cluster, in processes, or in this one.

        In this one only where it has one worker and its linear algebra one thread, as the workers have: on
        more threads sums come out otherwise in their last digits.
        """
        with self._lock:
            if self.cluster is not None:
                if self._far is None:
                    self._far = Cluster(self.cluster)
                return self._far
        return self._open() if self.apart or not one_thread() else Here()

    def _open(self) -> Processes:
        with self._lock:
            if self._processes is None:
                self._processes = Processes(self.count)
            return self._processes

    def start(self, call: Callable[..., T], *arguments: Any) -> Callable[[], T]:
        """Begin a call; what it returns waits for the result and raises what the call raised."""
        if not self.apart and self.cluster is None:
            return lambda: call(*arguments)
        return self.pool().submit(call, *arguments).result

    def map(self, call: Callable[[Any], T], items: Sequence[Any]) -> list[T]:
        """Call for each item; results in the order of the items."""
        return [one() for one in [self.start(call, item) for item in items]]

    def submit(
        self, name: str, manifest: Mapping[str, Any], call: Callable[..., object], *arguments: Any
    ) -> Folder:
        """Begin a run in its folder, unless it is done or goes on already, here or in another process.

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
        with self._lock, folder.alone():
            going, state = self._goes_on(folder), folder.state().name
            if state == "done" or (going and state in ("waiting", "running")):
                if not folder.manifest:
                    folder.describe(manifest)
                return folder
            # always a new try: one that was told to stop may be ending at this very moment
            folder.describe(manifest)
            ours = Folder(name, folder.path.parent, folder.begin())
            future = self._open().submit(_work, name, ours.path.parent, ours.attempt, call, arguments)
            self._waiting[name] = (ours, future)
        future.add_done_callback(lambda ended: _died(ours, ended))
        return folder

    def _goes_on(self, folder: Folder) -> bool:
        """Whether anybody works on the latest try of a run."""
        ours, future = self._waiting.get(folder.name, (None, None))
        if ours is not None and future is not None and ours.attempt == folder.latest:
            return not future.done()
        return folder.lives

    def state(self, folder: Folder) -> State:
        """How a run goes; one that no process works on any more, and that has no end, has failed."""
        with self._lock:  # not between the new try of a run and its place among those that wait
            going = self._goes_on(folder)
            found = folder.state()
        if not going and found.name in ("waiting", "running"):
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
    if (
        not ended.cancelled()
        and ended.exception() is not None
        and folder.state().name in ("waiting", "running")
    ):
        with suppress(OSError):
            folder.fail(say("market.run_lost"))
