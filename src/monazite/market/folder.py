"""A run as it lies on disk: what was asked, how far it is, whether to stop, what came out."""

from __future__ import annotations

import json
import math
import os
import pickle
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monazite.core.errors import ArgumentError, MonaziteError
from monazite.core.settings import cache_folder, write_atomic
from monazite.core.text import say

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Cancelled", "Folder", "Progress", "State", "clean"]

#: called with (steps done, steps in all, what is being done)
Progress = Callable[[int, int, str], None]

#: progress is written no more often than this, s
_OFTEN = 0.2
#: a run of another machine is taken to go on for so long after its last sign of life, s
_SILENT = 600.0
_DAY = 86400.0
_NAME = frozenset("0123456789abcdefghijklmnopqrstuvwxyz-")
_LONGEST_NAME = 80
_GOES_ON = ("waiting", "running")


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
    rate : float or None
        Steps a second since this try began; what lay there already is not counted.
    """

    name: str
    done: int = 0
    of: int = 0
    step: str = ""
    seconds: float = 0.0
    left: float | None = None
    error: str | None = None
    rate: float | None = None


class Folder:
    """A run on disk: ``manifest, try, progress, error`` (JSON), ``cancel``, ``result.pickle``, ``blocks/``.

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
        self.path = (root or _root()) / name
        self.attempt = attempt
        self._written = 0.0
        self._began: float | None = None
        self._first = 0

    @classmethod
    def all(cls, root: Path | None = None) -> list[Folder]:
        """All runs that lie in a folder, the one that changed last first.

        Examples
        --------
        >>> import tempfile
        >>> Folder.all(Path(tempfile.mkdtemp()))
        []
        """
        found: list[Folder] = []
        with suppress(OSError):
            for path in (root or _root()).iterdir():
                with suppress(ArgumentError):
                    if path.is_dir() and not path.is_symlink():
                        found.append(cls(path.name, path.parent))
        return sorted(found, key=lambda folder: (-folder.changed, folder.name))

    @property
    def exists(self) -> bool:
        """Whether anything of the run is there."""
        return self.path.is_dir()

    @property
    def changed(self) -> float:
        """When anything of the run was last written, in seconds since 1970; 0 where nothing is there."""
        return max((_stat(path)[0] for path in (self.path, *self._files())), default=0.0)

    @property
    def size(self) -> int:
        """Bytes that the run takes on disk."""
        return sum(_stat(path)[1] for path in self._files())

    @property
    def manifest(self) -> dict[str, Any]:
        """What was asked; empty where nobody wrote it down."""
        return self._read("manifest.json")

    @property
    def latest(self) -> str:
        """The id of the latest try; empty where none was begun."""
        return str(self._read("try.json").get("try", ""))

    @property
    def lives(self) -> bool:
        """Whether the process that began the latest try is still there, so that the try may go on."""
        return self._lives() or False

    def _lives(self) -> bool | None:
        known = self._read("try.json")
        if known.get("left"):
            return False
        process = int(_figure(known.get("process")))
        if not process:
            return None
        if known.get("host") == socket.gethostname():
            return _life(process) in (known.get("life"), "")
        seen = _figure(self._of_try("progress.json", str(known.get("try", ""))).get("seen"))
        return time.time() - max(seen, _figure(known.get("began"))) < _SILENT

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from beginning a try meanwhile; held for a moment only."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("ab") as file:
            with suppress(ImportError, OSError):  # not every system and disk has such locks
                fcntl = import_module("fcntl")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def begin(self) -> str:
        """Begin a new try, which ends any other, and return its id."""
        for name in ("cancel", "error.json", "progress.json"):
            with suppress(OSError):
                (self.path / name).unlink()
        attempt = secrets.token_hex(8)
        self._own(attempt)
        return attempt

    def take_over(self) -> None:
        """Go on with the try of a process that is gone, as if this one had begun it."""
        if not self.lives:
            with self.alone():
                if self.attempt == self.latest and not self.lives:
                    self._own(self.latest)

    def leave(self) -> None:
        """End the part of this process in its try; another that is at it too goes on."""
        known = self._read("try.json")
        if self._owned(known):
            self._write("try.json", known | {"left": True})

    @property
    def owned(self) -> bool:
        """Whether this process began the try that the folder stands for, or took it over."""
        return self._owned(self._read("try.json"))

    def _owned(self, known: Mapping[str, Any]) -> bool:
        mine = self.attempt in (None, known.get("try"))
        return mine and known.get("host") == socket.gethostname() and known.get("process") == os.getpid()

    def _own(self, attempt: str) -> None:
        process = os.getpid()
        who = {"host": socket.gethostname(), "process": process, "life": _life(process)}
        self._write("try.json", {"try": attempt, "began": time.time(), **who})

    def describe(self, manifest: Mapping[str, Any]) -> None:
        """Write down what was asked (plain JSON values)."""
        self._write("manifest.json", manifest)

    def state(self) -> State:
        """How far the run is, read from its files and from whether its process is still there."""
        latest = self.latest
        known = self._of_try("progress.json", latest)
        began, seen = _figure(known.get("began")), _figure(known.get("seen"))
        done, of, first = (int(_figure(known.get(name))) for name in ("done", "of", "first"))
        step = str(known.get("step", ""))
        spent = max(seen - began, 0.0)
        rate = (done - first) / spent if done > first and spent else None
        if (self.path / "result.pickle").is_file():
            return State("done", of or done, of or done, "", spent, rate=rate)
        error = self._of_try("error.json", latest)
        if error:
            return State("failed", done, of, step, spent, error=str(error.get("message", "")))
        if self._cancelled(latest):
            return State("cancelled", done, of, step, spent)
        if self._lives() is False and self.latest == latest and not (self.path / "result.pickle").is_file():
            if self._read("try.json").get("left"):
                return State("cancelled", done, of, step, spent)
            return State("failed", done, of, step, spent, error=say("market.run_lost"))
        if not known:
            return State("waiting")
        now = max(time.time() - began, 0.0)
        left = max((of - done) / rate - (now - spent), 0.0) if rate and of else None
        return State("running", done, of, step, now, left, rate=rate)

    def progress(self, done: int, of: int, step: str = "") -> None:
        """Say how far the work is: what the work itself calls.

        Raises
        ------
        Cancelled
            Somebody asked to stop, or began the run anew.
        """
        latest = self.heed()
        now = time.time()
        if self._began is None:
            self._began, self._first = now, done
        if done in (0, of) or now - self._written >= _OFTEN:
            self._written = now
            pace = {"began": self._began, "first": self._first, "seen": now}
            self._write("progress.json", {"try": latest, **pace, "done": done, "of": of, "step": step})

    def heed(self) -> str:
        """Return the id of the try, if the work is to go on.

        Raises
        ------
        Cancelled
            Somebody asked to stop, or began the run anew.
        """
        latest = self.latest
        if self._cancelled(latest) or self.attempt not in (None, latest):
            raise Cancelled("market.run_cancelled")
        return latest

    def cancel(self) -> None:
        """Ask the work to stop at its next step; a run that has ended stays as it is."""
        latest = self.latest
        if self.state().name in _GOES_ON and self.attempt in (None, latest):
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

    def block(self, index: int) -> Path:
        """Return the path of the file that holds the rows of a block of scenarios."""
        return self.path / "blocks" / f"{index:08}.parquet"

    def rows(self) -> pl.LazyFrame:
        """Return the rows of all blocks that are finished, in the order of their scenarios, read as needed.

        Raises
        ------
        MonaziteError
            No block is finished.
        """
        import polars as pl

        files = sorted(self.block(0).parent.glob("*.parquet"))
        if not files:
            raise MonaziteError("market.run_no_rows", name=self.name)
        return pl.scan_parquet(files, glob=False)

    def remove(self) -> None:
        """Remove the run from disk; it disappears at once, not file by file."""
        gone = self.path.with_name(f".{self.name}.{secrets.token_hex(4)}")
        with suppress(FileNotFoundError):
            self.path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def _files(self) -> list[Path]:
        with suppress(OSError):
            return [path for path in self.path.rglob("*") if path.is_file()]
        return []

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


def clean(*, days: float = 0.0, dry: bool = True, root: Path | None = None) -> list[Folder]:
    """Remove runs that have ended; without ``dry=False`` only say which those are.

    Parameters
    ----------
    days : float
        Only runs in which nothing changed for so many days; 0 for all that have ended.
    dry : bool
        Remove nothing.
    root : Path, optional
        Folder of all runs; that of the cache when absent.

    Returns
    -------
    list of Folder
        What is, or would be, removed, the one that changed last first. A run that goes on never is.

    Raises
    ------
    ArgumentError
        The days are not a number of zero or more.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> Folder("old", root).finish(1)
    >>> [folder.name for folder in clean(root=root)], Folder("old", root).exists
    (['old'], True)
    >>> [folder.name for folder in clean(root=root, dry=False)], Folder("old", root).exists
    (['old'], False)
    """
    if not (math.isfinite(days) and days >= 0):
        raise ArgumentError("market.run_days", given=days)
    before = time.time() - days * _DAY
    ended = [
        folder
        for folder in Folder.all(root)
        if folder.changed <= before and not (folder.state().name in _GOES_ON and folder.lives)
    ]
    if not dry:
        for folder in ended:
            folder.remove()
    return ended


def _root() -> Path:
    return cache_folder() / "runs"


def _stat(path: Path) -> tuple[float, int]:
    """When a file changed and its bytes; nothing where it went meanwhile."""
    try:
        found = path.stat()
    except OSError:
        return 0.0, 0
    return found.st_mtime, found.st_size


def _figure(value: object) -> float:
    """Read a figure of a file that may be damaged: 0 where it is none."""
    good = isinstance(value, int | float) and math.isfinite(value) and value >= 0
    return float(value) if good else 0.0  # type: ignore[arg-type]


def _life(process: int) -> str | None:
    """When a process began, which tells it from another of its number; None where it is gone.

    Empty where the system does not say: it is then taken to be there.
    """
    try:
        words = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2]
        state, *others = words.split()
        return None if state == "Z" else others[18]
    except (OSError, ValueError, IndexError):
        if Path("/proc/self/stat").exists():
            return None
    if os.name == "posix":
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return None
        except OSError:
            return ""
    return ""
