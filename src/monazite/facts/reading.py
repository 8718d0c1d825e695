"""Reading a table of text: nothing is guessed, every fault of the file is named with its row."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from monazite.core.errors import nearest_names
from monazite.core.text import say
from monazite.facts.problems import Problem, problem

__all__ = ["RawTable", "decode", "read_table"]

_MARKS = ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))


@dataclass(frozen=True)
class RawTable:
    """A table as it stands in the file.

    Parameters
    ----------
    path
        The file.
    header
        Names of the columns as they stand.
    frame
        All columns as text, blank cells as null, spaces at the ends removed; ``row`` is the row in the file
        (the header is row 1). Only rows that have the right number of cells.
    problems
        What is wrong with the file itself.
    """

    path: Path
    header: tuple[str, ...]
    frame: pl.DataFrame
    problems: list[Problem] = field(default_factory=list)


def decode(data: bytes) -> tuple[str | None, list[Problem]]:
    """Decode a file's bytes as UTF-8; None, with the reason, where that is not possible."""
    if not data.strip(b"\xef\xbb\xbf \t\r\n"):
        return None, [problem("empty_file")]
    for mark, name in _MARKS:
        if data.startswith(mark):
            return None, [problem("encoding", row=1, name=name)]
    if b"\0" in data:
        return None, [problem("nul", row=data[: data.index(b"\0")].count(b"\n") + 1)]
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        return None, [
            problem("encoding", row=data[: error.start].count(b"\n") + 1, name=say("data.not_utf8"))
        ]


def read_table(path: Path, columns: Sequence[str], data: bytes | None = None) -> RawTable:
    """Read a comma-separated table of known columns.

    Parameters
    ----------
    path
        The file.
    columns
        The columns it must have, in any order.
    data
        Its bytes, if they have been read already.

    Returns
    -------
    RawTable
        With an empty frame where the header is wrong or the file cannot be decoded.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    empty = pl.DataFrame(schema={"row": pl.Int64, **dict.fromkeys(columns, pl.String)})
    text, problems = decode(path.read_bytes() if data is None else data)
    if text is None:
        return RawTable(path, (), empty, problems)
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        return RawTable(path, (), empty, [problem("unreadable", reason=str(error))])
    start = next((index for index, record in enumerate(records) if record), 0)
    header = tuple(cell.strip() for cell in records[start])
    problems += _header_problems(header, columns, start + 1)
    rows: list[int] = []
    cells: list[list[str]] = []
    for number, record in enumerate(records[start + 1 :], start=start + 2):
        if not record or (len(record) == 1 and not record[0].strip()):
            continue
        if len(record) != len(header):
            problems.append(problem("cell_count", number, wanted=len(header), got=len(record)))
            continue
        rows.append(number)
        cells.append(record)
    if set(header) != set(columns) or len(set(header)) != len(header):
        return RawTable(path, header, empty, problems)
    if not rows and not problems:
        problems.append(problem("no_rows"))
    series = [pl.Series("row", rows, dtype=pl.Int64)]
    for index, name in enumerate(header):
        series.append(pl.Series(name, [record[index].strip() or None for record in cells], dtype=pl.String))
    return RawTable(path, header, pl.DataFrame(series).select("row", *columns), problems)


#: a header wider than this is no header of ours
_WIDEST = 200


def _header_problems(header: Sequence[str], columns: Sequence[str], row: int) -> list[Problem]:
    if len(header) > _WIDEST:
        return [problem("header_wide", row, got=len(header), wanted=len(columns))]
    missing = [name for name in columns if name not in header]
    unexpected = [name for name in header if name not in columns]
    found: list[Problem] = []
    if len(header) == 1 and missing:
        for mark in (";", "\t", "|"):
            if mark in header[0]:
                return [problem("delimiter", row, given="tab" if mark == "\t" else mark)]
    for name in missing:
        near = nearest_names(name, unexpected, most=1)
        if near:
            found.append(problem("header_misspelt", row, name, given=near[0], wanted=name))
            unexpected.remove(near[0])
        else:
            found.append(problem("header_missing", row, name, wanted=name, columns=list(columns)))
    found += [problem("header_unexpected", row, name, given=name) for name in unexpected]
    twice = sorted({name for name in header if header.count(name) > 1})
    found += [problem("header_twice", row, name, given=name) for name in twice]
    return found
