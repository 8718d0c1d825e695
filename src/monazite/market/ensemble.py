"""Thousands of scenarios: computed in fixed blocks by index, each kept as soon as it is finished.

The block is the unit of work, of files and of resuming. It does not depend on who computes it, so the answer
is the same to the last byte on one worker or many, on a cluster, and after any number of interruptions.
"""

from __future__ import annotations

import inspect
import io
import json
import pickle
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from monazite.core.cache import code_hash
from monazite.core.errors import ArgumentError, MonaziteError
from monazite.core.manifest import content_hash, package_versions
from monazite.core.settings import write_atomic
from monazite.core.text import say
from monazite.market.executors import WorkerDied, packed
from monazite.market.folder import Cancelled, Folder, Progress
from monazite.market.runs import Runs

if TYPE_CHECKING:
    import polars as pl

__all__ = ["BLOCK", "Source", "Work", "ensemble", "run_name"]

#: scenarios in a block
BLOCK = 64
#: a block that takes its worker along so often is given up
_DEATHS = 2
#: how often the state is written and a cancel looked for while nothing finishes, s
_TICK = 0.5
#: where a block's file says what it holds
_LABEL = "monazite"
#: on other versions of these the last digits, or the files, may be others
_PACKAGES = ("numpy", "scipy", "numba", "polars")


class Source(Protocol):
    """Where scenarios come from; small, and it can be pickled.

    Attributes
    ----------
    count : int
        Number of scenarios.
    """

    @property
    def count(self) -> int:
        """Number of scenarios."""
        ...

    def key(self) -> str:
        """Hash of all that goes in."""
        ...

    def describe(self) -> dict[str, Any]:
        """Say what the scenarios are, as plain JSON values; ``title`` and ``seed`` are read if there."""
        ...


#: a function of a module: the rows of scenarios first … last − 1, with a column ``scenario`` (Int64)
Work = Callable[[Any, int, int], "pl.DataFrame"]


def run_name(source: Source, work: Work) -> str:
    """Name of a run: a hash of the source, of the work, and of the code that does it."""
    return content_hash("ensemble", *_asked(source, work).values())


def ensemble(
    source: Source,
    work: Work,
    *,
    runs: Runs | None = None,
    progress: Progress | None = None,
    name: str | None = None,
) -> Folder:
    """Compute all scenarios of a source; what an earlier call finished is not computed again.

    Parameters
    ----------
    source : Source
        The scenarios.
    work : callable
        Called as ``work(source, first, last)`` for one block, in a worker process or on a cluster, so it
        must be a function of a module. The same block must always give the same rows.
    runs : Runs, optional
        The workers; one for each core, closed at the end, when absent.
    progress : callable, optional
        Called with (scenarios done, in all, what goes on). It may raise `Cancelled`.
    name : str, optional
        Name of the run's folder; :func:`run_name` when absent.

    Returns
    -------
    Folder
        Its ``rows()`` are those of all scenarios in order.

    Raises
    ------
    ArgumentError
        The folder of that name holds another question, or the source has no scenarios.
    Cancelled
        The run was cancelled in its folder.
    MonaziteError
        The work failed, a worker died more than once on the same block, or the disk is full. What was
        finished is kept, and asking again computes the rest.
    """
    if source.count < 1:
        raise ArgumentError("market.ensemble_empty")
    asked = _asked(source, work)
    folder = Folder(name or run_name(source, work))
    there = folder.manifest
    if there and {part: there.get(part) for part in asked} != asked:
        raise ArgumentError("market.ensemble_other", name=folder.name, folder=folder.path)
    with _disk(folder, source.count):
        if not there:
            folder.describe(_manifest(source, asked, folder.name))
        blocks = _Blocks(folder, asked["key"], source.count)
        if blocks.missing() or folder.state().name != "done":
            ours = _begin(folder, blocks)
            with _told(ours):
                _Try(ours, blocks, source, work, progress).go(runs)
                ours.finish({"scenarios": source.count, "blocks": blocks.count})
    return folder


def _begin(folder: Folder, blocks: _Blocks) -> Folder:
    """Begin a try, or join that of another process which works on the same run."""
    with folder.alone():
        joined = folder.lives and folder.state().name in ("waiting", "running")
        if not joined:
            blocks.sweep()
        return Folder(folder.name, folder.path.parent, folder.latest if joined else folder.begin())


class _Blocks:
    """The files of a run's blocks."""

    def __init__(self, folder: Folder, key: str, scenarios: int) -> None:
        self.folder = folder
        self.key = key
        self.scenarios = scenarios
        self.count = -(-scenarios // BLOCK)
        self.finished: set[int] = set()

    def range(self, index: int) -> tuple[int, int]:
        """First scenario of a block and the one after its last."""
        return index * BLOCK, min((index + 1) * BLOCK, self.scenarios)

    def done(self) -> int:
        """Scenarios that are finished."""
        return sum(last - first for first, last in map(self.range, self.finished))

    def missing(self) -> list[int]:
        """Blocks that are not there or damaged."""
        return [index for index in range(self.count) if not self.look(index)]

    def look(self, index: int) -> bool:
        """Whether a block is there, whole, and of this question."""
        if index not in self.finished and _whole(self.folder.block(index), self.key, *self.range(index)):
            self.finished.add(index)
        return index in self.finished

    def keep(self, index: int, data: bytes) -> None:
        """Write a block's file, whole or not at all."""
        write_atomic(self.folder.block(index), data)
        self.finished.add(index)

    def sweep(self) -> None:
        """Remove what a process that was killed had half written, and blocks that are none of the run's."""
        for path in self.folder.block(0).parent.glob("*"):
            known = path.suffix == ".parquet" and path.stem.isdigit() and int(path.stem) < self.count
            if not known:
                with suppress(OSError):
                    path.unlink()


class _Try:
    """One try at the missing blocks of a run."""

    def __init__(
        self,
        folder: Folder,
        blocks: _Blocks,
        source: Source,
        work: Work,
        progress: Progress | None,
    ) -> None:
        self.folder = folder
        self.blocks = blocks
        self.packed = packed(source)
        self.work = work
        self.progress = progress
        # where another process is at it already, meet it half-way
        self.todo = deque(sorted(blocks.missing(), reverse=not folder.owned))
        self.deaths: Counter[int] = Counter()
        self.lost: list[int] = []
        self.agreed = False
        self.before, self.began = blocks.done(), time.monotonic()

    def go(self, runs: Runs | None) -> None:
        """Compute what is missing, on workers of its own where none are given."""
        self.tell()
        workers = runs or Runs()
        ended = False
        try:
            self.compute(workers)
            ended = True
        finally:
            if runs is None:
                workers.close(now=not ended)

    def compute(self, runs: Runs) -> None:
        """Keep the workers busy until nothing is missing."""
        waiting: dict[Future[bytes], int] = {}
        pool = None
        try:
            while self.todo or waiting:
                while self.todo and (pool is None or len(waiting) < pool.ahead):
                    index = self.todo.popleft()
                    if self.blocks.look(index):  # another process was quicker
                        continue
                    pool = pool or runs.pool()
                    stamp = _stamp(_file(self.work)) if pool.elsewhere else None
                    given = (self.packed, self.work, stamp, self.blocks.key, *self.blocks.range(index))
                    waiting[pool.submit(_compute, *given)] = index
                ended, _ = wait(waiting, timeout=_TICK, return_when=FIRST_COMPLETED)
                if pool is not None and not ended:
                    pool.watch()
                # in the order of the blocks: of several failures the first one is told, whoever was quicker
                for future in sorted(ended, key=waiting.__getitem__):
                    self.take(waiting.pop(future), future)
                self.tell()
        finally:
            for future in waiting:
                future.cancel()
        if self.lost:
            ranges = [self.blocks.range(index) for index in sorted(self.lost)]
            named = [say("market.ensemble_block", first=first, last=last - 1) for first, last in ranges]
            raise MonaziteError("market.ensemble_lost", blocks="; ".join(named), times=_DEATHS)

    def take(self, index: int, future: Future[bytes]) -> None:
        """Keep what a block gave, or see what to do about its failure."""
        first, last = self.blocks.range(index)
        try:
            data = future.result()
        except WorkerDied:
            self.deaths[index] += 1
            if self.deaths[index] < _DEATHS:
                self.todo.appendleft(index)
            else:
                self.lost.append(index)
            return
        except MonaziteError:
            raise
        except Exception as error:
            told = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise MonaziteError("market.ensemble_failed", first=first, last=last - 1, problem=told) from error
        self.agree(index, data)
        self.blocks.keep(index, data)

    def agree(self, index: int, data: bytes) -> None:
        """All blocks have the same columns, which the manifest names."""
        import polars as pl

        schema = {name: str(kind) for name, kind in pl.read_parquet_schema(io.BytesIO(data)).items()}
        manifest = self.folder.manifest
        known = manifest.setdefault("schema", schema)
        if known != schema:
            first, last = self.blocks.range(index)
            raise MonaziteError(
                "market.ensemble_columns", first=first, last=last - 1, got=schema, known=known
            )
        if not self.agreed:
            self.folder.describe(manifest)
            self.agreed = True

    def tell(self) -> None:
        """Say how far it is; who wants it to stop says so by an exception."""
        done, of = self.blocks.done(), self.blocks.scenarios
        rate = (done - self.before) / max(time.monotonic() - self.began, 1e-9)
        step = (
            say("market.ensemble_pace", done=done, of=of, rate=rate)
            if rate
            else say("market.ensemble_step", done=done, of=of)
        )
        self.folder.take_over()
        if self.folder.owned:
            self.folder.progress(done, of, step)
        else:
            self.folder.heed()
        if self.progress is not None:
            self.progress(done, of, step)


@contextmanager
def _disk(folder: Folder, scenarios: int) -> Iterator[None]:
    """Tell in words that results cannot be written."""
    try:
        yield
    except OSError as error:
        kept = len(list(folder.block(0).parent.glob("*.parquet"))) * BLOCK
        told = MonaziteError(
            "market.ensemble_disk",
            folder=folder.path, problem=error.strerror or str(error), kept=min(kept, scenarios), of=scenarios,
        )  # fmt: skip
        with suppress(OSError):
            folder.fail(str(told))
        raise told from error


@contextmanager
def _told(ours: Folder) -> Iterator[None]:
    """Leave in the folder how a try ended that did not get to its end."""
    try:
        yield
    except Exception as error:
        with suppress(OSError):
            if isinstance(error, Cancelled):
                ours.leave()
            elif ours.owned:
                ours.fail(str(error))
        raise
    except BaseException:  # Ctrl-C
        with suppress(OSError):
            ours.leave()
        raise


def _asked(source: Source, work: Work) -> dict[str, Any]:
    """What makes a run what it is."""
    return {
        "key": source.key(),
        "work": f"{work.__module__}.{work.__qualname__}",
        "count": source.count,
        "block": BLOCK,
        **_stamp(_file(work)),
    }


def _file(work: Work) -> str:
    return inspect.getsourcefile(work) or ""


def _code(file: str) -> str:
    """Hash of the code of this package, and of the module that does the work."""
    package = Path(__file__).resolve().parent.parent
    path = Path(file)
    other = b"" if not path.is_file() or package in path.resolve().parents else path.read_bytes()
    return content_hash(code_hash(package), other)


def _manifest(source: Source, asked: Mapping[str, Any], name: str) -> dict[str, Any]:
    what = source.describe()
    return {
        "kind": "ensemble",
        "title": what.get("title", name),
        "asked": what,
        "seed": what.get("seed"),
        **asked,
    }


def _stamp(file: str) -> dict[str, Any]:
    """Versions and code, which must be the same for all blocks, wherever they are computed."""
    versions = package_versions(_PACKAGES)
    del versions["python"]
    return {"versions": versions, "code": _code(file)}


def _compute(
    source: bytes, work: Work, stamp: dict[str, Any] | None, key: str, first: int, last: int
) -> bytes:
    """Compute a block, wherever that is; its rows come back as a Parquet file."""
    import polars as pl

    if stamp is not None:
        _agree(stamp, _stamp(_file(work)))
    rows = work(_unpacked(source), first, last)
    column = rows.get_column("scenario", default=None)
    if column is None or column.dtype != pl.Int64 or column.null_count():
        raise MonaziteError("market.ensemble_scenario", first=first, last=last - 1)
    if set(column.unique().to_list()) != set(range(first, last)):
        raise MonaziteError("market.ensemble_scenarios", first=first, last=last - 1)
    rows = rows.sort("scenario", maintain_order=True).rechunk()
    file = io.BytesIO()
    label = {"question": key, "first": first, "last": last, "rows": rows.height, "sum": _sum(rows)}
    rows.write_parquet(
        file, compression="zstd", row_group_size=max(rows.height, 1), metadata={_LABEL: json.dumps(label)}
    )
    return file.getvalue()


def _agree(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    wanted, found = ({**stamp["versions"], "code": stamp["code"]} for stamp in (ours, theirs))
    differ = sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
    if differ:
        raise MonaziteError("market.ensemble_versions", differ=differ)


@lru_cache(maxsize=2)
def _unpacked(source: bytes) -> Any:
    """Return the source that was sent: one for all blocks, so that it may keep what it works out."""
    (found,) = pickle.loads(source)
    return found


def _whole(path: Path, key: str, first: int, last: int) -> bool:
    """Whether a file is this block, to the last row."""
    import polars as pl

    try:
        data = path.read_bytes()
        label = json.loads(pl.read_parquet_metadata(io.BytesIO(data))[_LABEL])
        rows = pl.read_parquet(io.BytesIO(data))
    except (OSError, ValueError, KeyError, pl.exceptions.PolarsError):
        return False
    wanted = {"question": key, "first": first, "last": last, "rows": rows.height, "sum": _sum(rows)}
    return bool(label == wanted)


def _sum(rows: pl.DataFrame) -> str:
    """Checksum of rows: equal on equal rows for one version of Polars."""
    return content_hash(
        rows.hash_rows(0).to_numpy().tobytes(), [str(kind) for kind in rows.dtypes], rows.columns
    )
