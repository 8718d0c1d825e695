"""Pink Sheet of the World Bank: monthly commodity prices, of which the means of whole years become facts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from monazite.core.errors import nearest_names
from monazite.core.text import say
from monazite.facts.folder import packaged
from monazite.facts.readers.cells import Figure, figure, plain
from monazite.facts.readers.collect import Collector
from monazite.facts.readers.maps import Entry, is_packaged, mapping, plain_key
from monazite.facts.readers.reading import Reading
from monazite.facts.readers.xlsx import Sheet, column_name, read_sheet

__all__ = ["READERS", "PinkSheet"]

_SHEET = "Monthly Prices"
_SOURCE = "world_bank_pink"
_MONTH = re.compile(r"^((?:19|20)\d{2})M(0[1-9]|1[0-2])$")
_NEARLY = re.compile(r"^\D{0,2}\d{3,5}\s?M\w{0,3}$")
_UPDATED = re.compile(r"Updated on (\w+) \d{1,2}, (20\d{2})")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_MARKS = {"…": "missing", "..": "missing", "...": "missing"}
_FIRST_COLUMN = 1
#: no monthly mean of an exchange has ever moved by more than this from one month to the next
_JUMP = 4.0


@dataclass(frozen=True)
class _Series:
    """A mapped column: where it stands, its name and its entries."""

    column: int
    name: str
    entries: tuple[Entry, ...]


@lru_cache(maxsize=1)
def _entries() -> Mapping[str, tuple[Entry, ...]]:
    found: dict[str, list[Entry]] = {}
    for entry in mapping("pink_sheet"):
        found.setdefault(plain_key(entry.keys["goods"]), []).append(entry)
    return {name: tuple(rows) for name, rows in found.items()}


class PinkSheet:
    """Reader of the monthly workbook (xlsx)."""

    name = "pink_sheet"

    @property
    def title(self) -> str:
        """Publisher and file."""
        return say("data.reader_title_pink")

    def recognises(self, head: bytes, name: str) -> bool:
        """Tell by the sheets of the workbook."""
        del name
        return head.startswith(b"PK\n") and b"xl/" in head and b'name="Monthly Prices"' in head

    def read(self, path: Path) -> Reading:
        """Read a file."""
        sheet, problems = read_sheet(path, _SHEET)
        out = Collector(self.name, _SOURCE, problems=problems)
        months = _months(out, sheet)
        vintage = _updated(sheet) if months else ""
        if months and not problems:
            if not vintage:
                out.wrong("reader_no_date", None, "A")
            _read(out, sheet, months)
        known = packaged().read_sources().get(_SOURCE, {}).get("published", "")
        entry = None
        if vintage and vintage != known:
            out.cite(f"{_SOURCE}_{vintage.replace('-', '')}")
            entry = {
                "citation": say("data.reader_cite_pink", vintage=vintage),
                "url": "https://www.worldbank.org/en/research/commodity-markets",
                "licence": "CC BY 4.0",
                "published": vintage,
                "next_version": say("data.reader_next_yearly"),
            }
        return out.reading(
            title=say("data.reader_vintage_pink", vintage=vintage),
            vintage=vintage,
            rows=len(months),
            entry=entry,
        )


def _updated(sheet: Sheet) -> str:
    """Return the month of the sheet: its date of update."""
    for cells in sheet.values():
        found = _UPDATED.search(cells.get(_FIRST_COLUMN, ""))
        if found and found[1] in _MONTHS:
            return f"{found[2]}-{_MONTHS.index(found[1]) + 1:02d}"
    return ""


def _months(out: Collector, sheet: Sheet) -> dict[int, tuple[int, int]]:
    """Return year and month of every data row; whatever stands below the first one must be a month."""
    found: dict[int, tuple[int, int]] = {}
    for row in sorted(sheet):
        text = plain(sheet[row].get(_FIRST_COLUMN, ""))
        fitting = _MONTH.match(text)
        if fitting is not None:
            found[row] = (int(fitting[1]), int(fitting[2]))
        elif len(sheet[row]) > 1 and (found or _NEARLY.match(text)):
            out.wrong("reader_month", row, "A", given=text or "-")
            found[row] = (0, 0)
    before: tuple[int, int] | None = None
    for row, (year, month) in found.items():
        if year == 0:
            before = None
            continue
        if before is not None and (year, month) != (before[0] + before[1] // 12, before[1] % 12 + 1):
            out.wrong(
                "reader_months", row, "A", given=f"{year}M{month:02d}", before="{}M{:02d}".format(*before)
            )
        before = (year, month)
    if not found and not out.problems:
        out.wrong("reader_no_months")
    return found


def _read(out: Collector, sheet: Sheet, months: Mapping[int, tuple[int, int]]) -> None:
    """Read every mapped column."""
    chosen = _series(out, sheet, min(months))
    years: dict[int, list[int]] = {}
    for row, (year, _) in months.items():
        years.setdefault(year, []).append(row)
    for year, rows in years.items():
        whole = len(rows) == len(_MONTHS)
        for row in rows:
            if not whole:
                out.skip(row, "reader_part_year")
            elif row != rows[-1]:
                out.skip(row, "reader_in_mean")
            else:
                out.other(row, f"{_SHEET} · {year}")
    for series in chosen:
        read = {row: _price(out, row, series, sheet[row].get(series.column, "")) for row in months}
        _jumps(out, series, read)
        for year, rows in years.items():
            found = [read[row] for row in rows]
            values = [item.value for item in found if item is not None and item.value is not None]
            if len(values) == len(_MONTHS):
                _fact(out, rows[-1], series, Figure(sum(values) / len(values)), year)


def _series(out: Collector, sheet: Sheet, first: int) -> Sequence[_Series]:
    """Find the mapped columns by the names and units above the first month."""
    units_row = next((row for row in range(first - 1, 0, -1) if _bracketed(sheet.get(row, {}))), 0)
    names_row = next((row for row in range(units_row - 1, 0, -1) if len(sheet.get(row, {})) > 1), 0)
    if not names_row:
        out.wrong("reader_no_names", first)
        return ()
    units = sheet[units_row]
    names = {column: plain(text).rstrip("* ") for column, text in sheet[names_row].items()}
    found = []
    for key, entries in _entries().items():
        fitting = [column for column, name in names.items() if plain_key(name) == key]
        wanted, unit = entries[0].keys["goods"], entries[0].keys["unit"]
        if len(fitting) != 1:
            near = nearest_names(wanted, names.values(), most=1, cutoff=0.7)
            if fitting:
                out.wrong("header_twice", names_row, column_name(fitting[1]), given=wanted)
            elif near:
                out.wrong("header_misspelt", names_row, None, given=near[0], wanted=wanted)
            else:
                out.wrong("header_missing", names_row, None, wanted=wanted, columns=list(names.values()))
            continue
        given = plain(units.get(fitting[0], ""))
        if given != unit:
            out.wrong("reader_unit", units_row, column_name(fitting[0]), given=given, wanted=unit)
            continue
        found.append(_Series(fitting[0], wanted, entries))
    return found


def _bracketed(cells: Mapping[int, str]) -> bool:
    texts = [plain(text) for text in cells.values()]
    return len(texts) > 1 and sum(text.startswith("(") for text in texts) > len(texts) / 2


def _price(out: Collector, row: int, series: _Series, text: str) -> Figure | None:
    """Return a price; None, with the problem noted, where the cell holds none."""
    if not text.strip():
        return Figure(status="missing")
    found = figure(text, _MARKS)
    number = None if found is None else found.value
    if found is None or found.estimated or found.low is not None or (number is not None and number <= 0):
        out.wrong("reader_figure", row, column_name(series.column), given=plain(text))
        return None
    return found


def _jumps(out: Collector, series: _Series, read: Mapping[int, Figure | None]) -> None:
    """Name months in which a price is many times, or a small part of, that of the month before."""
    before = None
    for row, found in read.items():
        value = None if found is None else found.value
        if before and value and not 1 / _JUMP <= value / before <= _JUMP:
            out.wrong("reader_jump", row, column_name(series.column), given=value, before=before)
        before = value or before


def _fact(out: Collector, row: int, series: _Series, found: Figure, year: int) -> None:
    for entry in series.entries:
        if is_packaged(entry):
            out.fact(
                row,
                entry,
                found,
                place="",
                period=str(year),
                kind="reported",
                locator=f"{_SHEET}, {series.name}, {year}M01–{year}M12",
                note=say("data.reader_mean_note"),
            )


READERS = (PinkSheet(),)
