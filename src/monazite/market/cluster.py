"""Long work on a Dask cluster: what ``market.executors`` is on this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

from monazite.core.errors import ArgumentError, MonaziteError
from monazite.core.text import say
from monazite.market.executors import Processes, WorkerDied, answer, in_a_line, one_thread, packed, settle

__all__ = ["Cluster", "identity"]

T = TypeVar("T")

#: how long a cluster may take to answer, s
_REACH = 5
#: how long a cluster may be without any worker, s
_PATIENCE = 30.0


class Cluster:
    """Workers of a Dask cluster: they need this version of Monazite, and no disk in common with the caller.

    Parameters
    ----------
    address : str
        Of its scheduler, such as ``tcp://10.0.0.7:8786``.

    Raises
    ------
    MonaziteError
        Dask is not installed here, nothing answers there within a few seconds, or no worker is there.
    """

    elsewhere = True

    def __init__(self, address: str) -> None:
        try:
            distributed = import_module("distributed")
        except ImportError as error:
            raise MonaziteError("market.cluster_extra") from error
        # all that can befall is told by this class, in words; Dask would add how it noticed
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        self.address = address
        try:
            found = identity(address)
            self.count = int(found["total_threads"])
            if self.count:
                self._client = distributed.Client(address, timeout=_REACH, set_as_default=False)
        except Exception as error:  # what listens there may be anything
            silent = isinstance(error, TimeoutError) or "Timed out" in str(error)
            told = say("market.cluster_silent", seconds=_REACH) if silent else in_a_line(error)
            raise ArgumentError("market.cluster_unreached", address=address, problem=told) from error
        if not self.count:
            raise MonaziteError("market.cluster_empty", address=address)
        self.ahead = 3 * self.count
        self._pool = self._client.get_executor(pure=False)
        self._seen = time.monotonic()

    def submit(self, call: Callable[..., T], *arguments: Any) -> Future[T]:
        """Begin a call of a function that the workers can import."""
        future: Future[T] = Future()
        far = self._pool.submit(_answer, packed(call, arguments))
        far.add_done_callback(lambda ended: self._pass_on(ended, future))
        future.add_done_callback(lambda ended: ended.cancelled() and far.cancel())
        return future

    def _pass_on(self, ended: Future[bytes], future: Future[T]) -> None:
        """Turn what came back into the result of the call."""
        if not future.set_running_or_notify_cancel():
            return
        error: BaseException | None
        if ended.cancelled():
            error = MonaziteError("market.cluster_lost", address=self.address)
        else:
            error = ended.exception()
            if type(error).__name__ == "KilledWorker":
                error = WorkerDied("market.worker_died", how=self.address)
            elif isinstance(error, RuntimeError) and "deserializ" in str(error):
                error = MonaziteError("market.cluster_lacks", address=self.address)
        if error is not None:
            future.set_exception(error)
        else:
            settle(future, ended.result())

    def watch(self) -> None:
        """See whether anybody is there still.

        Raises
        ------
        MonaziteError
            The scheduler is gone, or all workers have been for a while.
        """
        now = time.monotonic()
        if self._client.status not in ("running", "connecting"):
            raise MonaziteError("market.cluster_lost", address=self.address)
        if self._client.scheduler_info().get("workers"):
            self._seen = now
        elif now - self._seen > _PATIENCE:
            raise MonaziteError("market.cluster_empty", address=self.address)

    def close(self, *, now: bool = False) -> None:  # noqa: ARG002 - nothing here is worth waiting for
        """Leave the cluster; what has not ended there is not done."""
        self._pool.shutdown(wait=False)
        self._client.close(timeout=_REACH)


def identity(address: str) -> dict[str, Any]:
    """Ask the scheduler who it is, within a few seconds whatever listens there."""
    core = import_module("distributed.core")

    async def ask() -> dict[str, Any]:
        async with core.rpc(address, timeout=_REACH) as scheduler:
            return dict(await scheduler.identity())

    async def soon() -> dict[str, Any]:
        return await asyncio.wait_for(ask(), _REACH)

    # a thread of its own, since a notebook has an event loop already
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(soon())).result()


def _answer(data: bytes) -> bytes:
    """Answer in a worker of a cluster; in a process beside it where it does its sums on many threads."""
    return answer(data) if one_thread() else _beside().submit(answer, data).result()


@cache
def _beside() -> Processes:
    return Processes(os.cpu_count() or 1)
