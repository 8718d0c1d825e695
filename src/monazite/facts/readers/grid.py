"""Tables of text from bytes: what was damaged on the way is named with its row, never mended in silence."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monazite.core.errors import nearest_names
from monazite.core.text import say
from monazite.facts.problems import Problem, problem

__all__ = ["Grid", "header_problems", "read_grid", "text_of"]

_MARKS = (b"\xff\xfe", b"\xfe\xff")
#: what UTF-8 looks like when it has been read as Windows-1252 or Latin-1, and what is left of lost letters
_MOJIBAKE = re.compile(r"â€|Ã[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|Â[\u00a0-\u00bf]|ï»¿|\ufffd")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Grid:
    """A table of text.

    Parameters
    ----------
    header
        Names of the columns, spaces at the ends removed.
    rows
        Row in the file (the header is row 1) and the cells by column.
    problems
        What is wrong with the file or with single rows; those rows are left out.
    total
        How many rows there are below the header.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]
    problems: tuple[Problem, ...]
    total: int


def text_of(data: bytes, encodings: Sequence[str] = ("utf-8",)) -> tuple[str, list[Problem]]:
    """Decode a file's bytes.

    Parameters
    ----------
    data
        The bytes.
    encodings
        What the publisher writes: ``utf-8`` alone, or also ``cp1252``. UTF-8 is tried first: other text is
        never UTF-8 by chance.

    Returns
    -------
    tuple
        The text, and what is wrong with it; the text is empty where it cannot be decoded.
    """
    if not data.strip(b"\xef\xbb\xbf \t\r\n"):
        return "", [problem("empty_file")]
    if data.startswith(_MARKS):
        return "", [problem("encoding", 1, name="UTF-16")]
    if b"\0" in data:
        return "", [problem("nul", data[: data.index(b"\0")].count(b"\n") + 1)]
    text, failed = None, 0
    for encoding in ("utf-8", *(name for name in encodings if name != "utf-8")):
        try:
            text = data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
            break
        except UnicodeDecodeError as error:
            failed = data[: error.start].count(b"\n") + 1
    if text is None:
        names = " / ".join(encodings)
        return "", [problem("reader_encoding", failed, names=names)]
    found: list[Problem] = []
    for pattern, key in ((_MOJIBAKE, "reader_mojibake"), (_CONTROL, "reader_control")):
        hit = pattern.search(text)
        if hit:
            given = hit[0] if hit[0].isprintable() else f"U+{ord(hit[0][0]):04X}"
            found.append(problem(key, text.count("\n", 0, hit.start()) + 1, given=given))
    return text, found


def read_grid(
    data: bytes,
    encodings: Sequence[str] = ("utf-8",),
    *,
    required: Iterable[str] = (),
    patterns: Iterable[str] = (),
    optional: Iterable[str] = (),
) -> Grid:
    """Read a comma-separated table with one row of column names.

    Parameters
    ----------
    data
        The bytes.
    encodings
        As in `text_of`.
    required
        Columns that must be there.
    patterns
        Regular expressions of further columns, each of which must match exactly one column.
    optional
        Columns that may be there; any other is a problem.

    Returns
    -------
    Grid
        Without rows where the header is wrong or the file cannot be decoded.
    """
    text, found = text_of(data, encodings)
    if found:
        return Grid((), (), tuple(found), 0)
    records: list[list[str]] = []
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        records += lines
    except csv.Error as error:
        return Grid((), (), (problem("unreadable", len(records) + 1, reason=str(error)),), 0)
    header = tuple(cell.strip() for cell in records[0])
    found = header_problems(header, required, patterns, optional)
    if found:
        return Grid(header, (), tuple(found), len(records) - 1)
    rows: list[tuple[int, Mapping[str, str]]] = []
    for number, record in enumerate(records[1:], start=2):
        if not any(cell.strip() for cell in record):
            found.append(problem("reader_blank_row", number))
        elif len(record) != len(header):
            found.append(problem("cell_count", number, wanted=len(header), got=len(record)))
        elif (broken := _broken(record)) is not None:
            found.append(problem("reader_line_break", number, header[broken]))
        else:
            rows.append((number, dict(zip(header, record, strict=True))))
    if len(records) == 1:
        found.append(problem("no_rows"))
    return Grid(header, tuple(rows), tuple(found), len(records) - 1)


def header_problems(
    header: Sequence[str],
    required: Iterable[str],
    patterns: Iterable[str] = (),
    optional: Iterable[str] = (),
) -> list[Problem]:
    """Name columns that are missing, misspelt, doubled or not known to the format."""
    wanted = list(required)
    wide = [(pattern, re.compile(pattern)) for pattern in patterns]
    if len(header) == 1:
        for mark in (";", "\t", "|"):
            if mark in header[0]:
                return [problem("delimiter", 1, given=say("data.tab") if mark == "\t" else mark)]
    found: list[Problem] = []
    known = {*wanted, *optional}
    spare = [name for name in header if name not in known and not any(p.match(name) for _, p in wide)]
    for name in wanted:
        if name in header:
            continue
        near = nearest_names(name, spare, most=1)
        if near:
            found.append(problem("header_misspelt", 1, name, given=near[0], wanted=name))
            spare.remove(near[0])
        else:
            found.append(problem("header_missing", 1, name, wanted=name, columns=wanted))
    for pattern, compiled in wide:
        fitting = [name for name in header if compiled.match(name)]
        if len(fitting) != 1:
            found.append(problem("reader_header_pattern", 1, wanted=pattern, got=len(fitting)))
    found += [problem("header_unexpected", 1, name or "-", given=name) for name in spare if name in header]
    twice = sorted({name for name in header if header.count(name) > 1})
    found += [problem("header_twice", 1, name, given=name) for name in twice]
    return found


def _broken(record: Sequence[str]) -> int | None:
    """Return the first cell that runs over more than one line."""
    return next((index for index, cell in enumerate(record) if "\n" in cell or "\r" in cell), None)
