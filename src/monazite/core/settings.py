"""Where Monazite keeps what it computed: the cache folder, made only when something is written to it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

__all__ = ["cache_folder", "data_folder", "read_cached", "write_atomic", "write_cached"]


def cache_folder() -> Path:
    """Return the cache folder; it is not made, `write_cached` makes it.

    ``$MONAZITE_CACHE``, else ``$XDG_CACHE_HOME/monazite``, else ``~/.cache/monazite``.

    Examples
    --------
    >>> cache_folder().is_absolute()
    True
    """
    own = os.environ.get("MONAZITE_CACHE", "").strip()
    if own:
        return Path(own).expanduser().absolute()
    shared = os.environ.get("XDG_CACHE_HOME", "").strip()
    if shared and Path(shared).is_absolute():
        return Path(shared) / "monazite"
    return Path("~").expanduser().absolute() / ".cache" / "monazite"


def data_folder() -> Path:
    """Return the folder of the packaged tables.

    Examples
    --------
    >>> (data_folder() / "schema" / "facts.csv").is_file()
    True
    """
    return Path(__file__).resolve().parent.parent / "data"


def read_cached(name: str) -> bytes | None:
    """Return the bytes kept under a name (a relative path in the cache folder), or None."""
    try:
        return (cache_folder() / name).read_bytes()
    except OSError:
        return None


def write_cached(name: str, data: bytes) -> Path | None:
    """Keep bytes under a name; return the path, or None where the cache folder cannot be written.

    A cache that cannot be written costs time, not the answer, hence no error.
    """
    path = cache_folder() / name
    try:
        write_atomic(path, data)
    except OSError:
        return None
    return path


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part.

    Raises
    ------
    OSError
        If the folder cannot be made or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
