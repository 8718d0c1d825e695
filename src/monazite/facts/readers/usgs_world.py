"""World data release of the Mineral Commodity Summaries (one place a row, two years side by side)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from monazite.core.text import say
from monazite.facts.readers.cells import Figure, figure, plain
from monazite.facts.readers.collect import Collector
from monazite.facts.readers.grid import read_grid
from monazite.facts.readers.maps import (
    Entry,
    chosen,
    is_packaged,
    mapping,
    misspelt,
    place_of,
    plain_key,
    unused,
)
from monazite.facts.readers.reading import Reading, marked
from monazite.facts.readers.sums import Sum, sum_problems
from monazite.facts.readers.usgs_mcs import MARKS, source_entry

__all__ = ["READERS", "UsgsWorld"]

_NAMED = ("SOURCE", "COMMODITY", "COUNTRY", "TYPE", "UNIT_MEAS", "PROD_NOTES", "CAP_NOTES", "RESERVE_NOTES")
_PATTERNS = (
    r"^PROD_\d{4}$",
    r"^PROD_EST_ ?\d{4}$",
    r"^CAP_\d{4}$",
    r"^CAP_EST_ ?\d{4}$",
    r"^RESERVES_\d{4}$",
)
_SOURCE = re.compile(r"^MCS(20\d{2})$")
_WITHHELD = re.compile(r"\bW\b")
_ESTIMATED = re.compile(r"\bestimated\b(?!.*\bcapacity\b)", re.IGNORECASE)
_YEARS = re.compile(r"\b(20\d{2}|\d{2}[–-]\d{2})\b")


@dataclass(frozen=True)
class _Column:
    """A column of figures: its name, its notes, the statistic and year it holds, whether estimated."""

    name: str
    notes: str
    statistic: str
    year: int
    estimated: bool


@dataclass
class _Work:
    out: Collector
    columns: Sequence[_Column]
    issue: str
    sums: dict[tuple[str, ...], Sum] = field(default_factory=dict)
    first: dict[tuple[str, ...], tuple[int, Mapping[str, str]]] = field(default_factory=dict)


@lru_cache(maxsize=1)
def _entries() -> Mapping[tuple[str, str], Mapping[str, tuple[Entry, ...]]]:
    """Return the mapping by chapter and type, then by statistic."""
    found: dict[tuple[str, str], dict[str, tuple[Entry, ...]]] = {}
    for entry in mapping("usgs_world_data"):
        key = (plain_key(entry.keys["chapter"]), _type(entry.keys["type"]))
        rows = found.setdefault(key, {})
        statistic = entry.keys["statistic"]
        rows[statistic] = (*rows.get(statistic, ()), entry)
    return found


def _type(text: str) -> str:
    """Return a type without the words that only mark estimates or say nothing."""
    return re.sub(r", (estimated|cobalt content)\b", "", plain_key(text))


class UsgsWorld:
    """Reader of the world data release (UTF-8)."""

    name = "usgs_world_data"

    @property
    def title(self) -> str:
        """Publisher and file."""
        return say("data.reader_title_usgs_world")

    def recognises(self, head: bytes, name: str) -> bool:
        """Tell by the header."""
        return marked(head, name, (b"UNIT_MEAS", b"PROD_NOTES", b"PROD_EST_", b"CAP_EST_"), "mcs")

    def read(self, path: Path) -> Reading:
        """Read a file."""
        return self.read_bytes(path.read_bytes())

    def read_bytes(self, data: bytes) -> Reading:
        """Read a file's bytes."""
        grid = read_grid(data, required=_NAMED, patterns=_PATTERNS)
        out = Collector(self.name, problems=list(grid.problems))
        columns = tuple(_columns(grid.header)) if grid.rows else ()
        vintage = str(max((c.year for c in columns), default=-1) + 1) if columns else ""
        out.source = f"usgs_mcs{vintage}"
        if columns and columns[0].year + 1 != columns[1].year:
            out.wrong("reader_years", 1, columns[1].name, given=columns[1].year, before=columns[0].year)
        work = _Work(out, columns, f"MCS{vintage}")
        for row, cells in grid.rows:
            _row(work, row, cells)
        out.problems += sum_problems(work.sums.values())
        fields = {
            "citation": say("data.reader_cite_usgs_world", vintage=vintage),
            "url": "https://www.usgs.gov/centers/national-minerals-information-center",
            "licence": "public domain",
            "published": vintage,
            "next_version": say("data.reader_next_yearly"),
        }
        return out.reading(
            title=say("data.reader_vintage_usgs_world", vintage=vintage),
            vintage=vintage,
            rows=grid.total,
            entry=source_entry(out.source, fields),
        )


def _columns(header: Sequence[str]) -> Iterator[_Column]:
    """Find the columns of production and capacity, the earlier year first."""
    kinds = (("PROD", "Production"), ("CAP", "Capacity"))
    for start, statistic in kinds:
        found = [name for name in header if re.match(rf"^{start}_(EST_ ?)?\d{{4}}$", name)]
        for name in sorted(found, key=lambda item: item[-4:]):
            yield _Column(name, f"{start}_NOTES", statistic, int(name[-4:]), "EST" in name)


def _row(work: _Work, row: int, cells: Mapping[str, str]) -> None:
    """Read one row into its class."""
    out = work.out
    what = " · ".join(plain(cells[name]) for name in ("COMMODITY", "TYPE", "COUNTRY"))
    if plain(cells["SOURCE"]) != work.issue:
        out.wrong("reader_shifted", row, "SOURCE", given=plain(cells["SOURCE"]))
        return
    key = (plain_key(cells["COMMODITY"]), _type(cells["TYPE"]))
    entries = _entries().get(key)
    if entries is None:
        _unmapped(out, row, cells, key, what)
        return
    unit = next(iter(entries.values()))[0].keys["unit"]
    if plain_key(cells["UNIT_MEAS"]) not in (plain_key(unit), ""):
        out.wrong("reader_unit", row, "UNIT_MEAS", given=plain(cells["UNIT_MEAS"]), wanted=unit)
        return
    place = place_of(cells["COUNTRY"])
    if not place.known:
        out.strange(row, "COUNTRY", "place", plain(cells["COUNTRY"]), place.nearest)
        return
    subject = (*key, plain_key(cells["COUNTRY"]))
    if subject in work.first:
        first, before = work.first[subject]
        if all(before[column.name] == cells[column.name] for column in work.columns):
            out.skip(row, "reader_repeated")
        else:
            out.wrong("reader_contradicts", row, None, given=what, first=first, before=what)
        return
    work.first[subject] = (row, cells)
    read = [_figure(work, row, cells, column, entries) for column in work.columns]
    if any(item is None for item in read):
        return
    if place.code is None:
        out.skip(row, "reader_no_place", given=plain(cells["COUNTRY"]), reason=place.reason)
        return
    for column, found in zip(work.columns, read, strict=True):
        if found is not None and column.statistic in entries:
            _added(work, row, key, cells, column, place.code, found)
            _facts(work, row, cells, column, entries[column.statistic], place.code, found, what)
    out.skip(row, "reader_no_figures")


def _figure(
    work: _Work,
    row: int,
    cells: Mapping[str, str],
    column: _Column,
    entries: Mapping[str, tuple[Entry, ...]],
) -> Figure | None:
    """Return the figure of one cell; None, with the problem noted, where it is none."""
    text = plain(cells[column.name])
    if not text:
        return Figure(status=_silent(cells[column.notes], column.year))
    found = figure(text, MARKS)
    if found is None:
        work.out.wrong("reader_figure", row, column.name, given=text)
    elif column.statistic not in entries:
        work.out.wrong("reader_shifted", row, column.name, given=text)
        return None
    return found


def _silent(notes: str, year: int) -> str:
    """Return what the notes say of a blank: withheld, or nothing."""
    if not _WITHHELD.search(notes):
        return "missing"
    for years in _YEARS.findall(notes):
        first, _, last = years.replace("–", "-").partition("-")
        known = range(int(first[-2:]), int((last or first)[-2:]) + 1)
        if year % 100 in known:
            return "withheld"
    return "missing" if _YEARS.search(notes) else "withheld"


def _added(
    work: _Work,
    row: int,
    key: tuple[str, str],
    cells: Mapping[str, str],
    column: _Column,
    place: str,
    found: Figure,
) -> None:
    """Note the figure for the test of sums."""
    text = plain(cells[column.name])
    name = f"{plain(cells['COMMODITY'])}, {plain(cells['TYPE'])}, {column.year}"
    item = work.sums.setdefault((*key, column.name), Sum(name, column.name))
    if place == "WLD":
        item.totals.append((row, text, found))
    else:
        # a blank is no figure, and nothing is hidden by it unless the notes say so
        zero = found.status == "missing" and not text and not plain(cells[column.notes])
        item.parts.append((row, text, Figure(0.0) if zero else found))


def _facts(
    work: _Work,
    row: int,
    cells: Mapping[str, str],
    column: _Column,
    entries: tuple[Entry, ...],
    place: str,
    found: Figure,
    what: str,
) -> None:
    """Turn a figure into the facts that its mapping names."""
    notes = plain(cells[column.notes])
    if found.status == "missing" and notes.casefold() not in ("na", "n/a"):
        return
    out = work.out
    fitting = chosen(entries, place)
    used = [entry for entry in fitting if is_packaged(entry)]
    if not used:
        named = next((entry.chain for entry in fitting if entry.chain), "")
        out.other(row, what, unused(fitting, place), chain=named)
        return
    said = _ESTIMATED.search(notes) is not None and not (
        _YEARS.search(notes) and str(column.year) not in notes
    )
    estimated = found.estimated or column.estimated or said or "estimated" in plain_key(cells["TYPE"])
    for entry in used:
        variable = entry.variable
        if place == "WLD" and not variable.startswith("total_"):
            if variable != "output":
                continue
            variable = "total_output"
        out.fact(
            row,
            entry,
            found,
            place=place,
            period=str(column.year),
            kind="estimated" if estimated else "reported",
            locator=f"{what} · {column.year}",
            variable=variable,
            note="" if notes.casefold() in ("na", "reported", "reported.") else notes[:300],
        )


def _unmapped(out: Collector, row: int, cells: Mapping[str, str], key: tuple[str, str], what: str) -> None:
    """Class a row that no mapping names; one that nearly fits a mapping was damaged."""
    known = _entries()
    for index, column in enumerate(("COMMODITY", "TYPE")):
        rest = [item[index] for item in known if item[1 - index] == key[1 - index]]
        near = misspelt(key[index], rest)
        if near:
            out.strange(row, column, "chapter" if index == 0 else "detail", plain(cells[column]), near)
            return
    out.other(row, what, "reader_no_chain" if key[0] not in {k[0] for k in known} else "reader_unmapped")


READERS = (UsgsWorld(),)
