"""Keep what was computed, by the content of what made it, so that the second time is quick."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from monazite.core.manifest import content_hash
from monazite.core.settings import read_cached, write_cached

__all__ = ["code_hash", "kept"]

T = TypeVar("T")


def kept(name: str, kind: type[T], make: Callable[[], T]) -> T:
    """Return what is kept under a name, or make it and keep it.

    Parameters
    ----------
    name
        Relative path in the cache folder; it must hold a hash of everything that went in.
    kind
        Type of the thing; what is kept and is of another type is made anew.
    make
        Makes it. A cache that cannot be read or written costs time, not the answer.

    Examples
    --------
    >>> import os, tempfile
    >>> os.environ["MONAZITE_CACHE"] = tempfile.mkdtemp()
    >>> kept("tests/one.pickle", int, lambda: 1), kept("tests/one.pickle", int, lambda: 2)
    (1, 1)
    >>> del os.environ["MONAZITE_CACHE"]
    """
    data = read_cached(name)
    if data is not None:
        with contextlib.suppress(pickle.UnpicklingError, AttributeError, EOFError, ImportError, IndexError):
            found = pickle.loads(data)
            if isinstance(found, kind):
                return found
    made = make()
    write_cached(name, pickle.dumps(made))
    return made


def code_hash(*folders: Path) -> str:
    """Hash of the Python files of some folders, those below them included.

    Examples
    --------
    >>> len(code_hash(Path(__file__).parent))
    16
    """
    files = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return content_hash(*(path.read_bytes() for path in files))
