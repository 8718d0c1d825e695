"""Extracts of World Mineral Statistics Data of the British Geological Survey (one place and year a row)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from monazite.core.text import say
from monazite.facts.places import places
from monazite.facts.readers.cells import Figure, figure, plain
from monazite.facts.readers.collect import Collector
from monazite.facts.readers.grid import read_grid
from monazite.facts.readers.maps import (
    Entry,
    Place,
    chosen,
    is_packaged,
    mapping,
    misspelt,
    place_of,
    plain_key,
    unused,
)
from monazite.facts.readers.reading import Reading, marked

__all__ = ["READERS", "Bgs"]

_COLUMNS = (
    "country_trans",
    "country_iso3_code",
    "bgs_commodity_trans",
    "bgs_statistic_type_trans",
    "bgs_sub_commodity_trans",
    "units",
    "year",
    "quantity",
    "quantity_in_book_style",
    "sdmx_code",
    "data_precision_description",
    "concat_figure_notes_code",
    "concat_figure_notes_text",
    "concat_table_notes_text",
    "yearbook_table_trans",
)
#: columns that say nothing of a figure
_SILENT = (
    "x",
    "y",
    "country_iso2_code",
    "erml_group",
    "sdmx_translation",
    "erml_commodity",
    "pole_of_inaccessibility_longitude",
    "pole_of_inaccessibility_latitude",
    "erml_sub_commodity",
    "concat_table_notes_code",
    "cgi_commodity_url",
    "yearbook_table_id",
    "bgs_commodity_code",
)
_YEAR = re.compile(r"^((?:19|20)\d{2})(?:-01-01(?:[ T]00:00:00Z?)?)?$")
_FIRST, _LAST = 1900, 2100
_SOURCE = "bgs_wms"
#: last year of the extract that the packaged figures cite
_PACKAGED = 2023
_MARKS = {"": "missing", "...": "missing", "-----": "zero"}


@dataclass
class _Work:
    out: Collector
    first: dict[tuple[str, ...], tuple[int, str]] = field(default_factory=dict)
    latest: int = 0


@lru_cache(maxsize=1)
def _entries() -> Mapping[str, tuple[Entry, ...]]:
    found: dict[str, list[Entry]] = {}
    for entry in mapping("bgs"):
        found.setdefault(plain_key(entry.keys["goods"]), []).append(entry)
    return {name: tuple(rows) for name, rows in found.items()}


class Bgs:
    """Reader of the data service's CSV export (UTF-8)."""

    name = "bgs"

    @property
    def title(self) -> str:
        """Publisher and file."""
        return say("data.reader_title_bgs")

    def recognises(self, head: bytes, name: str) -> bool:
        """Tell by the header."""
        marks = (b"bgs_commodity_trans", b"quantity_in_book_style", b"bgs_statistic_type_trans")
        return marked(head, name, marks, "bgs")

    def read(self, path: Path) -> Reading:
        """Read a file."""
        return self.read_bytes(path.read_bytes())

    def read_bytes(self, data: bytes) -> Reading:
        """Read a file's bytes."""
        grid = read_grid(data, required=_COLUMNS, patterns=(), optional=_SILENT)
        out = Collector(self.name, _SOURCE, problems=list(grid.problems))
        work = _Work(out)
        for row, cells in grid.rows:
            _row(work, row, cells)
        vintage = str(work.latest or "")
        entry = None
        if work.latest > _PACKAGED:
            out.cite(f"{_SOURCE}_{vintage}")
            entry = {
                "citation": say("data.reader_cite_bgs", vintage=vintage),
                "url": "https://www.bgs.ac.uk/mineralsuk/statistics/world-mineral-statistics/",
                "licence": say("data.reader_licence_bgs"),
                "published": str(work.latest + 2),
                "next_version": say("data.reader_next_yearly"),
            }
        return out.reading(
            title=say("data.reader_vintage_bgs", vintage=vintage),
            vintage=vintage,
            rows=grid.total,
            entry=entry,
        )


def _row(work: _Work, row: int, cells: Mapping[str, str]) -> None:
    """Read one row into its class."""
    out = work.out
    goods, statistic = plain(cells["bgs_commodity_trans"]), plain(cells["bgs_statistic_type_trans"])
    for column in ("bgs_commodity_trans", "bgs_statistic_type_trans", "country_trans"):
        if not plain(cells[column]):
            out.wrong("empty_cell", row, column, what=column)
            return
    found = _quantity(out, row, cells)
    year = _YEAR.match(plain(cells["year"]))
    if year is None or not _FIRST <= int(year[1]) <= _LAST:
        out.wrong("reader_year", row, "year", given=plain(cells["year"]), first=_FIRST, last=_LAST)
        return
    place = _place(out, row, cells)
    if found is None or place is None:
        return
    work.latest = max(work.latest, int(year[1]))
    what = " · ".join((plain(cells["yearbook_table_trans"]) or goods, plain(cells["country_trans"]), year[1]))
    entries = _entries().get(plain_key(goods))
    if entries is None or plain_key(statistic) != "production":
        _unmapped(out, row, goods, statistic, what, known=entries is not None)
        return
    units = {entry.keys["unit"] for entry in entries}
    if plain(cells["units"]) not in units:
        out.wrong("reader_unit", row, "units", given=plain(cells["units"]), wanted=sorted(units))
        return
    if _twice(work, row, cells):
        return
    if place.code is None:
        out.skip(row, "reader_no_place", given=plain(cells["country_trans"]), reason=place.reason)
        return
    _facts(work, row, cells, entries, place.code, found, year[1], what)


def _quantity(out: Collector, row: int, cells: Mapping[str, str]) -> Figure | None:
    """Return the figure, which the file gives twice: as a number and as it stood in the book."""
    number, book = plain(cells["quantity"]), plain(cells["quantity_in_book_style"])
    found = figure(number, {"": "missing"})
    printed = figure(book, _MARKS)
    if found is None or (found.value is not None and found.value < 0):
        out.wrong("reader_figure", row, "quantity", given=number)
        return None
    if printed is None:
        out.wrong("reader_figure", row, "quantity_in_book_style", given=book)
        return None
    if found.value != printed.value:
        out.wrong("reader_book", row, "quantity", given=number or "-", book=book or "-")
        return None
    code = plain(cells["sdmx_code"])
    fits = {"A": found.value is not None, "O": found.value is None, "N": found.value == 0}
    if code not in fits:
        out.strange(row, "sdmx_code", "status", code, None)
        return None
    if not fits[code]:
        out.wrong("reader_code", row, "sdmx_code", given=code, value=number or "-")
        return None
    return Figure(None, 0.0, 0.5, "insufficient") if code == "N" else found


def _place(out: Collector, row: int, cells: Mapping[str, str]) -> Place | None:
    """Return the place, which the file gives twice: by name and by code."""
    name, code = plain(cells["country_trans"]), plain(cells["country_iso3_code"])
    found = place_of(name)
    if not found.known:
        out.strange(row, "country_trans", "place", name, found.nearest)
        return None
    if found.code is not None and code in places() and code != found.code:
        out.wrong("reader_place_twice", row, "country_iso3_code", given=code, name=name, wanted=found.code)
        return None
    return found


def _twice(work: _Work, row: int, cells: Mapping[str, str]) -> bool:
    """Tell whether a row says what an earlier one says; one that contradicts it is a problem."""
    names = ("bgs_commodity_trans", "bgs_sub_commodity_trans", "country_trans", "year")
    key = (*(plain_key(cells[name]) for name in names), plain_key(cells["yearbook_table_trans"]))
    value = plain(cells["quantity"])
    if key not in work.first:
        work.first[key] = (row, value)
        return False
    first, before = work.first[key]
    if before == value:
        work.out.skip(row, "reader_repeated")
    else:
        work.out.wrong(
            "reader_contradicts", row, "quantity", given=value or "-", first=first, before=before or "-"
        )
    return True


def _facts(
    work: _Work,
    row: int,
    cells: Mapping[str, str],
    entries: tuple[Entry, ...],
    place: str,
    found: Figure,
    year: str,
    what: str,
) -> None:
    """Turn a figure into the facts that its mapping names."""
    out = work.out
    fitting = chosen(entries, place)
    used = [entry for entry in fitting if is_packaged(entry)]
    if not used:
        named = next((entry.chain for entry in fitting if entry.chain), "")
        out.other(row, what, unused(fitting, place), chain=named)
        return
    notes = [part.strip() for part in cells["concat_figure_notes_text"].split("|")]
    estimated = "*" in cells["concat_figure_notes_code"].split("|") or "Estimates." in notes
    rest = "; ".join(part.strip(".") for part in notes if part not in ("", "Estimates."))
    for entry in used:
        out.fact(
            row,
            entry,
            found,
            place=place,
            period=year,
            kind="estimated" if estimated else "reported",
            locator=what,
            note=rest[:300],
        )


def _unmapped(out: Collector, row: int, goods: str, statistic: str, what: str, *, known: bool) -> None:
    """Class a row that no mapping names; one that nearly fits a mapping was damaged."""
    if not known:
        near = misspelt(plain_key(goods), _entries())
        if near:
            out.strange(row, "bgs_commodity_trans", "commodity", goods, near)
        else:
            out.other(row, what)
    elif plain_key(statistic) in ("imports", "exports"):
        out.skip(row, "reader_import_sources")
    else:
        out.strange(row, "bgs_statistic_type_trans", "variable", statistic, "Production")


READERS = (Bgs(),)
