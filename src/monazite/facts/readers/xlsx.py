"""Sheets of a spreadsheet (.xlsx) as text: a zip archive of XML, read with the standard library alone."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET
from xml.parsers import expat

from monazite.core.text import say
from monazite.facts.problems import Problem, problem
from monazite.facts.readers.archives import read_member
from monazite.facts.readers.reading import ARCHIVE_ERRORS

__all__ = ["Sheet", "column_name", "read_sheet", "sheet_names"]

#: row to column (A is 1) to text
Sheet = Mapping[int, Mapping[int, str]]

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STORED = re.compile(r"^-?[0-9]+(?:\.[0-9]+)?(?:E[-+]?[0-9]{1,2})?$")
_CELL = re.compile(r"^([A-Z]{1,3})([1-9][0-9]{0,6})$")
#: a part of an official spreadsheet that unpacks to more than this is none
_LARGEST = 200_000_000


def column_name(number: int) -> str:
    """Return the letters of a column.

    Examples
    --------
    >>> column_name(1), column_name(28), column_name(63)
    ('A', 'AB', 'BK')
    """
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def sheet_names(path: Path) -> tuple[str, ...]:
    """Return the names of the sheets, in their order; none where the file cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(_targets(archive))
    except (*ARCHIVE_ERRORS, ET.ParseError, KeyError, _Damaged):
        return ()


def read_sheet(path: Path, name: str) -> tuple[Sheet, list[Problem]]:
    """Read a sheet.

    Parameters
    ----------
    path
        The spreadsheet.
    name
        Name of the sheet.

    Returns
    -------
    tuple
        The cells that hold something, as text, and what is wrong with the file: a damaged or truncated
        archive, XML that breaks off, a sheet that is not there, two cells at one place.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            targets = _targets(archive)
            if name not in targets:
                return {}, [problem("reader_no_sheet", wanted=name, known=list(targets))]
            parts = archive.namelist()
            shared = _shared(archive) if "xl/sharedStrings.xml" in parts else []
            return _cells(_part(archive, targets[name]), shared), []
    except _Damaged as error:
        return {}, [problem("reader_sheet", reason=str(error))]
    except KeyError as error:
        return {}, [problem("reader_sheet", reason=say("data.reader_part", name=error.args[0]))]
    except (*ARCHIVE_ERRORS, ET.ParseError, UnicodeDecodeError) as error:
        return {}, [problem("reader_sheet", reason=str(error))]


class _Damaged(Exception):
    """The parts of a spreadsheet do not fit together."""


class _Declared(Exception):
    """A part has a document type."""


class _Begun(Exception):
    """The first element of a part has come."""


def _part(archive: zipfile.ZipFile, name: str) -> ET.Element:
    data = read_member(archive, name, _LARGEST)
    if _declares(data):
        raise _Damaged(say("data.reader_part_doctype", name=name))
    return ET.fromstring(data)


def _declares(data: bytes) -> bool:
    """Tell whether a part has a document type before its first element, in whatever encoding."""
    parser = expat.ParserCreate()

    def declared(*_: object) -> None:
        raise _Declared

    def begun(*_: object) -> None:
        raise _Begun

    parser.StartDoctypeDeclHandler, parser.StartElementHandler = declared, begun
    try:
        parser.Parse(data, True)
    except _Declared:
        return True
    except (_Begun, expat.ExpatError):
        return False
    return False


def _targets(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the part of every sheet by its name."""
    links = {
        link.get("Id", ""): link.get("Target", "") for link in _part(archive, "xl/_rels/workbook.xml.rels")
    }
    found = {}
    for sheet in _part(archive, "xl/workbook.xml").iter(f"{_MAIN}sheet"):
        target = links.get(sheet.get(_LINK, ""), "")
        part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
        found[sheet.get("name", "")] = part
    return found


def _shared(archive: zipfile.ZipFile) -> list[str]:
    root = _part(archive, "xl/sharedStrings.xml")
    return ["".join(part.text or "" for part in item.iter(f"{_MAIN}t")) for item in root.iter(f"{_MAIN}si")]


def _cells(root: ET.Element, shared: list[str]) -> Sheet:
    found: dict[int, dict[int, str]] = {}
    for row in root.iter(f"{_MAIN}row"):
        for cell in row.iter(f"{_MAIN}c"):
            text = _text(cell, shared)
            if text is None or not text.strip():
                continue
            place = _CELL.match(cell.get("r", ""))
            if place is None or row.get("r", place[2]) != place[2]:
                raise _Damaged(say("data.reader_cell", given=cell.get("r", "")))
            number = 0
            for letter in place[1]:
                number = number * 26 + ord(letter) - 64
            cells = found.setdefault(int(place[2]), {})
            if number in cells:
                raise _Damaged(say("data.reader_cell_twice", given=cell.get("r", "")))
            cells[number] = text
    return found


def _text(cell: ET.Element, shared: list[str]) -> str | None:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return "".join(part.text or "" for part in cell.iter(f"{_MAIN}t"))
    value = cell.findtext(f"{_MAIN}v")
    if value is None:
        return None
    if kind == "s":
        if not value.strip().isdigit() or int(value) >= len(shared):
            raise _Damaged(say("data.reader_shared", given=value, cell=cell.get("r", "")))
        return shared[int(value)]
    return _decimal(value.strip()) if kind == "n" else value


def _decimal(value: str) -> str:
    """Return a stored number as its fifteen digits say it: 78.010000000000005 is 78.01, 7E-2 is 0.07."""
    if not _STORED.match(value):
        return value
    text = f"{float(value):.15g}"
    return text if "e" not in text else f"{float(value):.12f}".rstrip("0").rstrip(".")
