"""What reading an official file gives, and which reader a file belongs to."""

from __future__ import annotations

import contextlib
import importlib
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

import polars as pl

from monazite.core.errors import FactsError
from monazite.facts.problems import Problem, problem
from monazite.facts.readers.archives import check_methods, read_member
from monazite.facts.rules import FACT_COLUMNS

__all__ = [
    "ARCHIVE_ERRORS",
    "DATABASE_ERRORS",
    "FACTS_SCHEMA",
    "OTHER_SCHEMA",
    "SKIPPED_SCHEMA",
    "SQLITE",
    "TRADE_SCHEMA",
    "Reader",
    "Reading",
    "check_database",
    "database",
    "frame_of",
    "head_of",
    "marked",
    "read_official",
    "readers",
    "recognise",
    "tables_of",
]

#: columns of `Reading.facts`: a facts table as text, then the chain and the row in the file
FACTS_SCHEMA: Mapping[str, pl.DataType] = {
    **{name: pl.String() for name in FACT_COLUMNS},
    "chain": pl.String(),
    "row": pl.Int64(),
}
#: columns of `Reading.trade`
TRADE_SCHEMA: Mapping[str, pl.DataType] = {
    "source": pl.String(),
    "year": pl.Int32(),
    "hs": pl.String(),
    "revision": pl.String(),
    "exporter": pl.String(),
    "importer": pl.String(),
    "reporter": pl.String(),
    "value_usd": pl.Float64(),
    "quantity_t": pl.Float64(),
    "row": pl.Int64(),
}
#: columns of `Reading.other`
OTHER_SCHEMA: Mapping[str, pl.DataType] = {"row": pl.Int64(), "what": pl.String(), "reason": pl.String()}
#: columns of `Reading.skipped`
SKIPPED_SCHEMA: Mapping[str, pl.DataType] = {"row": pl.Int64(), "reason": pl.String()}

#: what the standard library raises on a damaged archive
ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
#: what it raises on a damaged database
DATABASE_ERRORS = (sqlite3.Error, UnicodeDecodeError, OverflowError, OSError)
#: how an SQLite database begins
SQLITE = b"SQLite format 3\0"
#: how much of a file's beginning is looked at to recognise it
_HEAD = 1 << 16
#: the list of sheets of a spreadsheet, and how large it may be
_BOOK, _LARGEST_BOOK = "xl/workbook.xml", 10_000_000
#: modules of readers, in the order in which they are asked
_MODULES = (
    "own",
    "usgs_mcs",
    "usgs_world",
    "bgs",
    "world_bank",
    "governance",
    "world_mining",
    "baci",
    "comtrade",
)


@dataclass(frozen=True, eq=False)
class Reading:
    """What an official file says.

    Parameters
    ----------
    format
        Name of the format, such as ``usgs_mcs`` or ``baci``.
    title
        Publisher and vintage for people.
    vintage
        Of the file: ``2026``, ``2026-06``, ``V202601``.
    source
        Id of its source (``data/sources/*.toml``).
    facts
        Facts of packaged chains (`FACTS_SCHEMA`; every column but ``row`` is text, as in a facts table).
    trade
        Rows for the table of trade (`TRADE_SCHEMA`); None where the format has none.
    other
        What was read, but belongs to no packaged chain (`OTHER_SCHEMA`).
    skipped
        Rows that hold nothing to read, with the reason (`SKIPPED_SCHEMA`).
    problems
        What is wrong. Where there is one, nothing of the file may be imported.
    rows
        Data rows of the file. Each stands in exactly one of facts, trade, other, skipped and problems;
        one row may give several facts.
    source_entry
        The entry of a source that is not packaged: citation, url, licence, published, retrieved,
        next_version. None where the packaged one holds.
    """

    format: str
    title: str
    vintage: str
    source: str
    facts: pl.DataFrame
    trade: pl.DataFrame | None
    other: pl.DataFrame
    skipped: pl.DataFrame
    problems: tuple[Problem, ...]
    rows: int
    source_entry: Mapping[str, str] | None = field(default=None)

    def refuse(self, path: Path) -> Reading:
        """Return the reading itself where nothing is wrong.

        Raises
        ------
        FactsError
            With the first problem and how many more there are.
        """
        if not self.problems:
            return self
        key = "data.reader_refused" if len(self.problems) == 1 else "data.reader_refused_more"
        raise FactsError(key, file=path.name, problem=str(self.problems[0]), more=len(self.problems) - 1)

    def counts(self) -> dict[str, int]:
        """Return how many rows of the file stand in each class.

        Examples
        --------
        >>> import polars as pl
        >>> none = pl.DataFrame(schema=FACTS_SCHEMA)
        >>> empty = pl.DataFrame(schema=OTHER_SCHEMA)
        >>> Reading("bgs", "", "", "", none, None, empty, empty, (), 0).counts()
        {'facts': 0, 'trade': 0, 'other': 0, 'skipped': 0, 'refused': 0}
        """
        refused = {item.row for item in self.problems if item.row is not None}
        return {
            "facts": self.facts["row"].n_unique(),
            "trade": 0 if self.trade is None else self.trade["row"].n_unique(),
            "other": self.other["row"].n_unique(),
            "skipped": self.skipped["row"].n_unique(),
            "refused": len(refused),
        }


@runtime_checkable
class Reader(Protocol):
    """A reader of one publisher's format."""

    @property
    def name(self) -> str:
        """Name of the format (`Reading.format`)."""

    @property
    def title(self) -> str:
        """Publisher and file, for people."""

    def recognises(self, head: bytes, name: str) -> bool:
        """Tell from its beginning (`head_of`) and name whether a file is of this format."""

    def read(self, path: Path) -> Reading:
        """Read a file whole; what is wrong goes to `Reading.problems`, not into an exception."""


@lru_cache(maxsize=1)
def readers() -> tuple[Reader, ...]:
    """Return every reader, in the order in which they are asked."""
    found: list[Reader] = []
    for name in _MODULES:
        try:
            module = importlib.import_module(f"monazite.facts.readers.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"monazite.facts.readers.{name}":
                raise
            continue
        found += module.READERS
    return tuple(found)


def marked(head: bytes, name: str, marks: Iterable[bytes], beginning: str) -> bool:
    """Tell a table of text by its header: two marks, or one and the name that its publisher gives it.

    Examples
    --------
    >>> marked(b"a,b,c", "x.csv", (b"a", b"c"), "mcs"), marked(b"a,z", "x.csv", (b"a", b"c"), "mcs")
    (True, False)
    """
    first = head.split(b"\n", 1)[0]
    found = sum(mark in first for mark in marks)
    return found >= 2 or (found == 1 and name.casefold().startswith(beginning))


def head_of(path: Path) -> bytes:
    """Return what a file is recognised by.

    That is its first 64 KiB; of a zip archive (and so of a spreadsheet) the mark ``PK`` and the names of its
    members instead, one a line, with the list of sheets of a spreadsheet; of an SQLite database its mark and
    the names of its tables.

    Raises
    ------
    FactsError
        If the file cannot be read, is empty, or is an archive or a database that cannot be opened.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise FactsError("data.no_table", file=path, reason=error.strerror or str(error)) from error
    if head.startswith(b"PK\x03\x04"):
        return _archive(path)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "ignore").encode()
    if head.startswith(SQLITE):
        return SQLITE + b"\n" + "\n".join(tables_of(path)).encode()
    if not head:
        raise FactsError("data.reader_refused", file=path.name, problem=problem("empty_file").message)
    return head


def _archive(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            check_methods(archive)
            names = archive.namelist()
            book = read_member(archive, _BOOK, _LARGEST_BOOK) if _BOOK in names else b""
    except ARCHIVE_ERRORS as error:
        raise FactsError("data.reader_archive", file=path.name, reason=str(error)) from error
    return b"PK\n" + "\n".join(names).encode() + b"\n" + book


def tables_of(path: Path) -> tuple[str, ...]:
    """Return the names of the tables of an SQLite database, sorted.

    Raises
    ------
    FactsError
        If the database is damaged.
    """
    try:
        with contextlib.closing(database(path)) as file:
            rows = file.execute("select name from sqlite_master where type = 'table' order by name")
            return tuple(str(name) for (name,) in rows.fetchall())
    except DATABASE_ERRORS as error:
        raise FactsError("data.reader_database", file=path.name, reason=str(error)) from error


def check_database(file: sqlite3.Connection) -> None:
    """Raise the library's error where the pages of a database do not fit together."""
    answer = str(file.execute("pragma integrity_check(1)").fetchone()[0])
    if answer != "ok":
        raise sqlite3.DatabaseError(answer)


def database(path: Path) -> sqlite3.Connection:
    """Open an SQLite database that is only read."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def recognise(path: Path) -> Reader:
    """Return the reader of a file.

    Raises
    ------
    FactsError
        If the file cannot be read, or no reader knows it: with the formats that are known.
    """
    head = head_of(path)
    for reader in readers():
        if reader.recognises(head, path.name):
            return reader
    raise FactsError("data.reader_unknown", file=path.name, known=[item.title for item in readers()])


def read_official(path: Path | str) -> Reading:
    """Read an official file of a known format.

    Returns
    -------
    Reading
        With problems where something is wrong (`Reading.refuse` turns them into an error).

    Raises
    ------
    FactsError
        If no reader knows the file.
    """
    found = Path(path)
    return recognise(found).read(found)


def frame_of(rows: Iterable[Sequence[object]], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Make a frame of a reading's part from its rows.

    Examples
    --------
    >>> frame_of([(2, "no figure")], SKIPPED_SCHEMA)["row"].to_list()
    [2]
    """
    return pl.DataFrame(list(rows), schema=dict(schema), orient="row")
