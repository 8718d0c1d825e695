"""Where long work is done on this machine: in this process or in worker processes (`cluster` is the third).

Both take a function of a module and its arguments and give a future. A worker process is an interpreter
of its own that stays warm between calls. It is fed through its pipes, so the caller's main module is not run
again in it, it ends when the caller does, however that ends, and the one that dies takes only its own call
along.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any, Protocol, TypeVar

from monazite.core.errors import MonaziteError
from monazite.core.text import say

__all__ = [
    "Executor",
    "Here",
    "Processes",
    "WorkerDied",
    "answer",
    "in_a_line",
    "one_thread",
    "packed",
    "serve",
    "settle",
]

T = TypeVar("T")

#: numerical libraries add up in another order on another number of threads, hence one in every worker
_THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS",
)  # fmt: skip
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from monazite.market.executors import serve; serve()"
)
#: how long a worker may take to end by itself, s
_GRACE = 5.0
_LENGTH = struct.Struct("<Q")


class WorkerDied(MonaziteError):
    """A worker process ended in the middle of its work."""


class Executor(Protocol):
    """What begins calls: each gives a future, to be cancelled while it has not begun.

    Attributes
    ----------
    count : int
        How many calls go on at a time.
    ahead : int
        How many to have begun or waiting, so that no worker stands idle.
    elsewhere : bool
        Whether the workers have an installation of their own.
    """

    count: int
    ahead: int
    elsewhere: bool

    def submit(self, call: Callable[..., T], *arguments: Any) -> Future[T]:
        """Begin a call."""
        ...

    def watch(self) -> None:
        """See whether what was begun can still end, and raise where it cannot."""
        ...

    def close(self, *, now: bool = False) -> None:
        """End the workers: what has not begun is not done; what goes on is waited for, unless `now`."""
        ...


def one_thread() -> bool:
    """Whether the linear algebra of this process is known to have one thread, as that of the workers has.

    What counts is the environment that the process was begun in: a library that is loaded already does not
    look again. Where the system does not tell, the answer is no.

    Examples
    --------
    >>> pool = Processes(1)
    >>> pool.submit(one_thread).result() or not Path("/proc").exists()
    True
    >>> pool.close()
    """
    try:
        begun = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(f"{name}=1".encode() in begun for name in _THREADS[:2])


class Here:
    """Calls in this very process, each done before the next is taken.

    Examples
    --------
    >>> Here().submit(divmod, 7, 2).result()
    (3, 1)
    """

    count = 1
    ahead = 1
    elsewhere = False

    def submit(self, call: Callable[..., T], *arguments: Any) -> Future[T]:
        """Do it; what it raises is in the future."""
        future: Future[T] = Future()
        try:
            future.set_result(call(*arguments))
        except Exception as error:  # noqa: BLE001 - it is raised where the result is asked for
            future.set_exception(error)
        return future

    def watch(self) -> None:
        """Do nothing: each call has ended."""

    def close(self, *, now: bool = False) -> None:
        """Do nothing."""


class Processes:
    """Worker processes of this machine, begun when there is something to do.

    Parameters
    ----------
    count : int
        How many.

    Examples
    --------
    >>> pool = Processes(1)
    >>> pool.submit(divmod, 7, 2).result()
    (3, 1)
    >>> pool.close()
    """

    elsewhere = False

    def __init__(self, count: int) -> None:
        self.count = count
        self.ahead = 2 * count
        self._tasks: SimpleQueue[tuple[Future[Any], bytes] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._workers: set[_Worker] = set()
        self._lock = threading.Lock()
        self._closed = self._halted = False
        self._asked = 0  # calls that have not ended

    def submit(self, call: Callable[..., T], *arguments: Any) -> Future[T]:
        """Begin a call of a function that can be imported.

        Raises
        ------
        MonaziteError
            The call cannot be sent to another process.
        """
        task = packed(call, arguments)
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the workers are closed")
            self._tasks.put((future, task))
            self._asked += 1
            if len(self._threads) < min(self.count, self._asked):
                thread = threading.Thread(target=self._attend, name="monazite-worker", daemon=True)
                self._threads.append(thread)
                thread.start()
        return future

    def watch(self) -> None:
        """Do nothing: a worker that dies is noticed at once."""

    def close(self, *, now: bool = False) -> None:
        """End the workers: what has not begun is not done; what goes on is waited for, unless `now`."""
        with self._lock:
            self._closed = True
            with suppress(Empty):
                while True:
                    waiting = self._tasks.get_nowait()
                    if waiting is not None:
                        waiting[0].cancel()
            for _ in self._threads:
                self._tasks.put(None)
            self._halted = self._halted or now
            if now:
                for worker in self._workers:
                    worker.process.kill()
        for thread in self._threads:
            thread.join()

    def _attend(self) -> None:
        """Feed one worker; a thread of its own does."""
        worker: _Worker | None = None
        while (task := self._tasks.get()) is not None:
            future, data = task
            if future.set_running_or_notify_cancel():
                try:
                    worker = worker or self._begin()
                    reply = worker.ask(data)
                except Exception as error:  # noqa: BLE001 - whoever waits is told
                    self._end(worker)
                    worker = None
                    future.set_exception(error)
                else:
                    settle(future, reply)
            with self._lock:
                self._asked -= 1
        self._end(worker)

    def _begin(self) -> _Worker:
        worker = _Worker()
        with self._lock:
            self._workers.add(worker)
            if self._halted:
                worker.process.kill()
        return worker

    def _end(self, worker: _Worker | None) -> None:
        if worker is not None:
            with self._lock:
                self._workers.discard(worker)
            worker.end()


class _Worker:
    """An interpreter that waits for calls at its standard input."""

    def __init__(self) -> None:
        path = json.dumps([str(entry) for entry in sys.path])
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **dict.fromkeys(_THREADS, "1")},
            start_new_session=True,  # Ctrl-C is for the process that asked: it tells its workers
        )

    def ask(self, data: bytes) -> bytes:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            _send(self.process.stdin, data)
            reply = _receive(self.process.stdout)
        except OSError:
            reply = None
        if reply is None:
            self.process.kill()
            code = self.process.wait()
            how = (
                say("market.worker_signal", number=-code)
                if code < 0
                else say("market.worker_code", code=code)
            )
            raise WorkerDied("market.worker_died", how=how)
        return reply

    def end(self) -> None:
        """Let it go: with its input closed it ends by itself."""
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_GRACE)
        self.process.kill()
        self.process.wait()


def serve() -> None:
    """Answer the calls that come in at standard input: what a worker process does all its life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is wanted
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)  # what the work prints must not get among the replies
    calls: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(source, calls), daemon=True).start()
    while True:
        reply = answer(calls.get())
        try:
            _send(sink, reply)
        except OSError:
            os._exit(0)


def _listen(source: IO[bytes], calls: SimpleQueue[bytes]) -> None:
    while True:
        try:
            data = _receive(source)
        except OSError:
            data = None
        if data is None:  # whoever asked is gone, and nobody wants the answer
            os._exit(0)
        calls.put(data)


def packed(*what: Any) -> bytes:
    """Pack what is to be sent to another process.

    Raises
    ------
    MonaziteError
        It cannot be sent, or not be read there because it is of the caller's main module.

    Examples
    --------
    >>> pickle.loads(packed(1))
    (1,)
    """
    try:
        for one in what:
            if "__main__" in (getattr(one, "__module__", ""), type(one).__module__):
                raise TypeError("it is of the module __main__")
        return pickle.dumps(what)
    except Exception as error:  # what cannot be pickled raises whatever it likes
        raise MonaziteError("market.worker_unsent", problem=in_a_line(error)) from error


def settle(future: Future[Any], reply: bytes) -> None:
    """Put into a future what `answer` packed."""
    try:
        good, value = pickle.loads(reply)
    except Exception as error:  # noqa: BLE001 - what cannot be read raises whatever it likes
        good, value = False, error
    (future.set_result if good else future.set_exception)(value)


def answer(data: bytes) -> bytes:
    """Do a call that was packed, and pack what it gave or raised."""
    try:
        call, arguments = pickle.loads(data)
        return pickle.dumps((True, call(*arguments)))
    except Exception as error:  # noqa: BLE001 - it is raised where the result is asked for
        try:
            reply = pickle.dumps((False, error))
            pickle.loads(reply)
        except Exception:  # noqa: BLE001 - an error that cannot travel is told in words
            reply = pickle.dumps((False, RuntimeError(in_a_line(error))))
        return reply


def _send(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes | None:
    """Return the next message, or None at the end."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = pipe.read(length)
    return data if len(data) == length else None


def in_a_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
