"""Members of a zip archive, read within bounds: no archive unpacks to more than it may."""

from __future__ import annotations

import zipfile
from pathlib import Path

from monazite.core.errors import FactsError
from monazite.core.text import say

__all__ = ["check_methods", "read_member", "refuse_large"]

#: ways of packing whose output can be taken piece by piece; the others unpack whole, however much that is
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def check_methods(archive: zipfile.ZipFile) -> None:
    """Refuse an archive with a member that is packed in a way that no publisher uses.

    Raises
    ------
    zipfile.BadZipFile
        With the member's name.
    """
    for info in archive.infolist():
        if info.compress_type not in _METHODS:
            raise zipfile.BadZipFile(say("data.archive_method", name=info.filename))


def read_member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Read a member whole, if it is no larger than it may be, whatever it says of its size.

    Raises
    ------
    zipfile.BadZipFile
        If it is larger, or damaged.
    KeyError
        If there is no such member.

    Examples
    --------
    >>> import io
    >>> archive = zipfile.ZipFile(io.BytesIO(), "w")
    >>> archive.writestr("a.csv", "x")
    >>> read_member(archive, "a.csv", 1)
    b'x'
    """
    info = archive.getinfo(name)
    if info.file_size > most:
        raise zipfile.BadZipFile(say("data.reader_part_large", name=name))
    with archive.open(info) as stream:
        return stream.read(most + 1)


def refuse_large(path: Path, most: int) -> None:
    """Refuse an archive whose members are, unpacked, larger in all than `most` bytes; pass over other files.

    Raises
    ------
    FactsError
        With both sizes.
    """
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return  # the reader says what is wrong with it
    if size > most:
        raise FactsError(
            "data.archive_large", file=path.name, size=f"{size / 1e6:,.0f}", most=f"{most / 1e6:,.0f}"
        )
