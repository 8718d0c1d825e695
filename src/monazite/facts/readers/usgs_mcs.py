"""Commodities data release of the U.S. Geological Survey's Mineral Commodity Summaries: one figure a row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from monazite.core.errors import nearest_names
from monazite.core.text import say
from monazite.facts.folder import packaged
from monazite.facts.readers.cells import Figure, figure, plain
from monazite.facts.readers.collect import Collector
from monazite.facts.readers.grid import Grid, read_grid
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

__all__ = ["MARKS", "READERS", "UsgsMcs", "source_entry"]

#: what the publisher's marks mean ("See Appendix" of every issue)
MARKS: Mapping[str, str] = {
    "W": "withheld",
    "NA": "missing",
    "XX": "not_applicable",
    "—": "zero",
    "s": "below_half",
    "S": "below_half",
    "E": "not_applicable",
    "Large": "missing",
    "Moderate": "missing",
    "Moderate to large": "missing",
    "Small": "missing",
    "Very small": "missing",
}

_COLUMNS = (
    "MCS chapter",
    "Section",
    "Commodity",
    "Country",
    "Statistics",
    "Statistics_detail",
    "Unit",
    "Year",
    "Value",
    "Notes",
    "Other notes",
)
_CRITICAL = r"^Is critical mineral \d{4}$"
_ROUNDED = re.compile(r"[:,] ?rounded$")
_YEAR = re.compile(r"^(?:19|20)\d{2}$")
_YEARS = re.compile(r"^(?:19|20)\d{2}[–-]\d{2}$")
#: salient statistics go back four years from the latest
_BACK = 4
#: a year with fewer of the rows than this is not the latest of the issue
_SHARE = 0.02
#: statistics that are no flow, price or capacity, and the reason why their rows are skipped
_SKIPPED = {
    "reserves": "reader_reserves",
    "employment": "reader_employment",
    "net import reliance": "reader_reliance",
    "import sources": "reader_import_sources",
    "stock": "reader_stock",
}
_STATISTICS = (
    "Production",
    "Import",
    "Price",
    "Export",
    "Reserves",
    "Consumption",
    "Net import reliance",
    "Employment",
    "Capacity",
    "Stock",
    "Sold or used",
    "Shipment",
    "Sales",
    "Sold",
    "Supply",
)


def source_entry(source: str, fields: Mapping[str, str]) -> Mapping[str, str] | None:
    """Return the entry of a source that is not packaged; None where it is."""
    return None if source in packaged().read_sources() else dict(fields)


@lru_cache(maxsize=1)
def _entries() -> Mapping[tuple[str, ...], tuple[Entry, ...]]:
    """Return the mapping by section, chapter, statistic and detail."""
    found: dict[tuple[str, ...], list[Entry]] = {}
    for entry in mapping("usgs_mcs"):
        found.setdefault(_key(*(entry.keys[n] for n in ("section", "chapter", "statistic", "detail"))), [])
        found[_key(*(entry.keys[n] for n in ("section", "chapter", "statistic", "detail")))].append(entry)
    return {key: tuple(rows) for key, rows in found.items()}


@lru_cache(maxsize=1)
def _chapters() -> frozenset[str]:
    return frozenset(key[1] for key in _entries())


@lru_cache(maxsize=1)
def _without() -> Mapping[tuple[object, ...], tuple[str, ...]]:
    """Return, of every name of the mapping, what it may be beside the three others of its key."""
    found: dict[tuple[object, ...], tuple[str, ...]] = {}
    for key in _entries():
        for index, name in enumerate(key):
            rest = (index, *key[:index], *key[index + 1 :])
            found[rest] = (*found.get(rest, ()), name)
    return found


def _key(*names: str) -> tuple[str, ...]:
    return tuple(plain_key(_ROUNDED.sub("", plain(name))) for name in names)


def _section(text: str) -> str | None:
    name = plain_key(text)
    for start, section in (
        ("world", "world"),
        ("salient statistics", "salient"),
        ("import source", "import"),
    ):
        if name.startswith(start):
            return section
    return None


@dataclass
class _Work:
    """The state of one reading."""

    year: int
    out: Collector
    sums: dict[tuple[str, ...], Sum] = field(default_factory=dict)
    first: dict[tuple[str, ...], tuple[int, str]] = field(default_factory=dict)


class UsgsMcs:
    """Reader of the commodities data release (Windows-1252 in 2026)."""

    name = "usgs_mcs"

    @property
    def title(self) -> str:
        """Publisher and file."""
        return say("data.reader_title_usgs_mcs")

    def recognises(self, head: bytes, name: str) -> bool:
        """Tell by the header."""
        return marked(head, name, (b"MCS chapter", b"Statistics_detail", b"Is critical mineral"), "mcs")

    def read(self, path: Path) -> Reading:
        """Read a file."""
        return self.read_bytes(path.read_bytes())

    def read_bytes(self, data: bytes) -> Reading:
        """Read a file's bytes."""
        grid = read_grid(data, ("utf-8", "cp1252"), required=_COLUMNS, patterns=(_CRITICAL,))
        out = Collector(self.name, problems=list(grid.problems))
        year = _latest(grid)
        vintage = "" if year is None else str(year + 1)
        out.source = f"usgs_mcs{vintage}"
        if year is not None:
            work = _Work(year, out)
            critical = next(name for name in grid.header if re.match(_CRITICAL, name))
            for row, cells in grid.rows:
                _row(work, row, cells, critical)
            out.problems += sum_problems(work.sums.values())
        elif not out.problems:
            out.wrong("reader_no_year", None, "Year")
        fields = {
            "citation": say("data.reader_cite_usgs_mcs", vintage=vintage),
            "url": "https://www.usgs.gov/centers/national-minerals-information-center",
            "licence": "public domain",
            "published": vintage,
            "next_version": say("data.reader_next_yearly"),
        }
        return out.reading(
            title=say("data.reader_vintage_usgs_mcs", vintage=vintage),
            vintage=vintage,
            rows=grid.total,
            entry=source_entry(out.source, fields),
        )


def _latest(grid: Grid) -> int | None:
    """Return the latest year of the file, one or two damaged cells left aside."""
    counts = Counter(int(c["Year"]) for _, c in grid.rows if _YEAR.match(c["Year"].strip()))
    least = _SHARE * sum(counts.values())
    return max((year for year, count in counts.items() if count > least), default=None)


def _row(work: _Work, row: int, cells: Mapping[str, str], critical: str) -> None:
    """Read one row into its class."""
    out = work.out
    chapter, statistic = plain(cells["MCS chapter"]), plain(cells["Statistics"])
    section = _section(cells["Section"])
    what = " · ".join(plain(cells[n]) for n in ("MCS chapter", "Statistics_detail", "Country", "Year"))
    if not chapter or not statistic:
        column = "Statistics" if chapter else "MCS chapter"
        out.wrong("empty_cell", row, column, what=column)
        return
    named = _entries().get(_key(section or "", chapter, statistic, cells["Statistics_detail"]), ())
    goods = plain_key(cells["Commodity"])
    entries = tuple(e for e in named if plain_key(e.keys["goods"]) in ("", goods))
    if named and not entries:
        known = nearest_names(goods, [e.keys["goods"] for e in named], most=1, cutoff=0.0)
        out.strange(row, "Commodity", "commodity", plain(cells["Commodity"]), known[0])
        return
    if not entries:
        _unmapped(work, row, cells, section, what)
        return
    if plain(cells[critical]) not in ("Yes", "No"):
        out.wrong("reader_shifted", row, critical, given=plain(cells[critical]))
        return
    unit = entries[0].keys["unit"]
    if plain_key(cells["Unit"]) != plain_key(unit):
        out.wrong("reader_unit", row, "Unit", given=plain(cells["Unit"]), wanted=unit)
        return
    year = plain(cells["Year"])
    if not _YEAR.match(year) or not work.year - _BACK <= int(year) <= work.year:
        out.wrong("reader_year", row, "Year", given=year, first=work.year - _BACK, last=work.year)
        return
    found = figure(cells["Value"], MARKS)
    if found is None:
        _no_figure(out, row, "Value", cells["Value"])
        return
    place = place_of(cells["Country"])
    if not place.known:
        out.strange(row, "Country", "place", plain(cells["Country"]), place.nearest)
        return
    if not _twice(work, row, cells) and _added(work, row, cells, place.code, found):
        _facts(work, row, cells, entries, place.code, place.reason, found, what)


def _no_figure(out: Collector, row: int, column: str, given: str) -> None:
    if not plain(given):
        out.wrong("empty_cell", row, column, what=column)
    else:
        out.wrong("reader_figure", row, column, given=plain(given))


def _twice(work: _Work, row: int, cells: Mapping[str, str]) -> bool:
    """Tell whether a row says what an earlier one says; one that contradicts it is a problem."""
    names = ("MCS chapter", "Section", "Commodity", "Country", "Statistics", "Statistics_detail", "Year")
    key = tuple(plain_key(cells[name]) for name in names)
    value = plain(cells["Value"])
    if key not in work.first:
        work.first[key] = (row, value)
        return False
    first, before = work.first[key]
    if before == value:
        work.out.skip(row, "reader_repeated")
    else:
        work.out.wrong("reader_contradicts", row, "Value", given=value, first=first, before=before)
    return True


def _added(work: _Work, row: int, cells: Mapping[str, str], place: str | None, found: Figure) -> bool:
    """Note the figure for the test of sums; tell whether the row may be read on."""
    if _section(cells["Section"]) != "world":
        return True
    key = _key(cells["MCS chapter"], cells["Statistics"], cells["Statistics_detail"], cells["Year"])
    name = ", ".join(plain(cells[n]) for n in ("MCS chapter", "Statistics_detail", "Year"))
    item = work.sums.setdefault(key, Sum(_ROUNDED.sub("", name), "Value"))
    (item.totals if place == "WLD" else item.parts).append((row, plain(cells["Value"]), found))
    return True


def _facts(
    work: _Work,
    row: int,
    cells: Mapping[str, str],
    entries: tuple[Entry, ...],
    place: str | None,
    reason: str,
    found: Figure,
    what: str,
) -> None:
    """Turn a figure into the facts that its mapping names."""
    out = work.out
    if place is None:
        out.skip(row, "reader_no_place", given=plain(cells["Country"]), reason=reason)
        return
    world = _section(cells["Section"]) == "world"
    fitting = chosen(entries, place) if world else list(entries)
    used = [entry for entry in fitting if is_packaged(entry)]
    if not used:
        named = next((entry.chain for entry in fitting if entry.chain), "")
        out.other(row, what, unused(fitting, place), chain=named)
        return
    notes = [part.strip(" .") for part in cells["Notes"].split("--")]
    estimated = found.estimated or any(part.casefold().startswith("estimated") for part in notes)
    below = found.low == 0.0 and found.high is not None and found.value is None
    if below and plain(cells["Value"]).casefold() == "s" and not any("½" in part for part in notes):
        found = Figure(status="missing")
    rest = "; ".join(part for part in notes if part.casefold() not in ("", "estimated", "reported"))
    if found.status == "missing" and "included with" in cells["Notes"].casefold():
        out.skip(row, "reader_included")
        return
    # a rounded total holds estimates of some places, whatever its own note says
    estimated = estimated or place == "WLD"
    for entry in used:
        variable = entry.variable
        if not world and entry.place == "WLD":
            place = ""
        if place == "WLD" and not variable.startswith("total_"):
            if variable != "output":
                out.skip(row, "reader_total", variable=variable)
                continue
            variable = "total_output"
        out.fact(
            row,
            entry,
            found,
            place=place,
            period=plain(cells["Year"]),
            kind="estimated" if estimated else "reported",
            locator=what,
            variable=variable,
            note=rest[:300],
        )


def _unmapped(work: _Work, row: int, cells: Mapping[str, str], section: str | None, what: str) -> None:
    """Class a row that no mapping names; one that nearly fits a mapping was damaged."""
    out = work.out
    statistic = plain_key(cells["Statistics"])
    names = ("section", "chapter", "statistic", "detail")
    given = _key(section or "", cells["MCS chapter"], cells["Statistics"], cells["Statistics_detail"])
    chapters = _chapters()
    if given[1] in chapters:
        if section is None:
            out.wrong("reader_section", row, "Section", given=plain(cells["Section"]))
            return
        if statistic not in _known_statistics() and not statistic.startswith("import sources"):
            closest = nearest_names(cells["Statistics"], _STATISTICS, most=1)
            nearest = closest[0] if closest else None
            out.strange(row, "Statistics", "variable", plain(cells["Statistics"]), nearest)
            return
    columns = ("Section", "MCS chapter", "Statistics", "Statistics_detail")
    for index, column in enumerate(columns):
        rest = _without().get((index, *given[:index], *given[index + 1 :]), ())
        near = misspelt(given[index], rest)
        if near:
            out.strange(row, column, names[index], plain(cells[column]), near)
            return
    if given[1] not in chapters:
        out.other(row, what)
        return
    why = next((text for start, text in _SKIPPED.items() if statistic.startswith(start)), None)
    if why:
        out.skip(row, why)
    else:
        out.other(row, what, "reader_unmapped")


@lru_cache(maxsize=1)
def _known_statistics() -> frozenset[str]:
    return frozenset(plain_key(name) for name in _STATISTICS)


READERS = (UsgsMcs(),)
