"""UN Comtrade, trade as reporters declare it: the CSV of today's database and that of the one before.

The importer's and the exporter's declaration of one flow are both kept. Totals with the world, re-exports,
months and breakdowns by customs procedure, transport or second partner stand apart: adding them to the flows
would count the same tonnes twice. A weight of nothing for goods worth something is a missing weight.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from monazite.core.text import say
from monazite.facts.places import places
from monazite.facts.problems import Problem, problem
from monazite.facts.readers.cells import plain_number
from monazite.facts.readers.customs import (
    REVISIONS,
    Left,
    TradeReading,
    gathered,
    packaged_sources,
    place_of,
    wanted_lines,
)
from monazite.facts.readers.reading import FACTS_SCHEMA, SKIPPED_SCHEMA, TRADE_SCHEMA, frame_of
from monazite.facts.reading import decode

__all__ = ["READERS"]

#: what is read, and the names of its column: database of today, the one before (for people, for machines)
_NAMES: Mapping[str, tuple[str, ...]] = {
    "kind": ("typeCode",),
    "frequency": ("freqCode",),
    "year": ("refYear", "Year", "yr"),
    "period": ("period", "Period"),
    "reporter": ("reporterCode", "Reporter Code", "rtCode"),
    "reporter_iso": ("reporterISO", "Reporter ISO", "rt3ISO"),
    "flow": ("flowCode", "Trade Flow Code", "Trade Flow", "rgCode", "rgDesc"),
    "partner": ("partnerCode", "Partner Code", "ptCode"),
    "partner_iso": ("partnerISO", "Partner ISO", "pt3ISO"),
    "second": ("partner2Code", "2nd Partner Code", "ptCode2"),
    "revision": ("classificationCode", "Classification", "pfCode"),
    "original": ("isOriginalClassification",),
    "line": ("cmdCode", "Commodity Code"),
    "procedure": ("customsCode", "Customs Proc. Code", "cstCode"),
    "supply": ("mosCode",),
    "transport": ("motCode", "Mode of Transport Code"),
    "weight": ("netWgt", "Netweight (kg)", "NetWeight"),
    "estimated": ("isNetWgtEstimated",),
    "value": ("primaryValue", "Trade Value (US$)", "TradeValue"),
}
#: one of each of these must be there
_NEEDED = (
    ("year", "period"),
    ("reporter", "reporter_iso"),
    ("flow",),
    ("partner", "partner_iso"),
    ("revision",),
    ("line",),
    ("weight",),
    ("value",),
)
_FLOWS = {
    **dict.fromkeys(("M", "1", "Import", "Imports"), "importer"),
    **dict.fromkeys(("X", "2", "Export", "Exports"), "exporter"),
    **dict.fromkeys(("RX", "3", "Re-Export", "Re-Exports", "re-Export", "re-Exports"), "re_export"),
    **dict.fromkeys(("RM", "4", "Re-Import", "Re-Imports", "re-Import", "re-Imports"), "re_import"),
}
#: further regimes, each a part of imports or exports
_PARTS = ("MIP", "XIP", "MOP", "XOP", "DX", "FM")
_WORLD = ("W00", "WLD")
_WORLD_PLACE, _GROUP = "WLD", "EUR"
_GROUPS = ("EUR", "EU2", "EU27", "EU28")
_GROUP_CODES = (97, 975)
#: marks of a breakdown's total
_WHOLE = ("", "0", "C00", "TOTAL")
_NONE = ("", "NA", "N/A", "NULL")
#: goods, not services
_GOODS = "C"
_DATED = re.compile(r"TradeData_(\d{1,2})_(\d{1,2})_(\d{4})_")
_SOURCE = "comtrade"
_YEAR = re.compile(r"^(19[6-9]|20[0-9]|21[0-9])[0-9]$")
_PERIOD = re.compile(r"^(19[6-9]|20[0-9]|21[0-9])[0-9](0[1-9]|1[0-2])?$")
_CODE = re.compile(r"^[0-9]{1,3}$")
#: a code of goods: digits, or letters for totals and what is not specified
_LINE = re.compile(r"^[0-9A-Z]{1,8}$")
_NAMED = 20
_HEADER = 8


@dataclass(frozen=True, slots=True)
class _Row:
    """One declaration that may stand in the table."""

    row: int
    year: int
    line: str
    revision: str
    original: bool
    declarer: str
    reporter: str
    partner: str
    codes: tuple[str, str]
    value: float
    weight: float | None


class _Refused(Exception):
    """A cell that cannot be read."""

    def __init__(self, key: str, column: str, given: str) -> None:
        self.key, self.column, self.given = key, column, given
        super().__init__(key)


class Comtrade:
    """Reader of a CSV of UN Comtrade."""

    name = "comtrade"
    title = "UN Comtrade, CSV of trade by reporter and partner"

    def recognises(self, head: bytes, name: str) -> bool:  # noqa: ARG002
        """Tell by the header, which may lack a column or two."""
        known = {column for names in _NAMES.values() for column in names}
        header = {cell.strip() for cell in _cells(head.decode("latin-1").lstrip("ï»¿").partition("\n")[0])}
        return len(header & known) >= _HEADER and bool(header & {*_NAMES["line"], *_NAMES["value"]})

    def read(self, path: Path) -> TradeReading:
        """Read the file whole."""
        text, problems = _text(path.read_bytes())
        found = _Table(path.name)
        found.problems += problems
        if text is not None:
            found.take(text)
        return found.reading()


class _Table:
    """The declarations of a file, as they are gathered."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.left = Left()
        self.problems: list[Problem] = []
        self.rows = 0
        self.kept: list[_Row] = []
        self.unweighed = 0
        self.estimated = 0
        self.ends: dict[tuple[str, str, str], int] = {}
        self.lines = wanted_lines()

    def take(self, text: str) -> None:
        """Read the text of the file row by row."""
        records = csv.reader(io.StringIO(text, newline=""))
        try:
            header = [cell.strip() for cell in next(records, [])]
            columns = self._columns(header)
            for record in records if not self.problems else ():
                if not record or not any(record):
                    continue
                self._take(record, header, columns, records.line_num)
                if len(self.problems) >= _NAMED:
                    break
        except csv.Error as error:
            reason = str(error)
            self.problems.append(
                problem("customs_text", records.line_num, None, member=self.name, reason=reason)
            )
        if not self.rows and not self.problems:
            self.problems.append(problem("customs_empty", None, None, member=self.name))

    def _columns(self, header: Sequence[str]) -> dict[str, int]:
        """Return where each thing stands, or say what is missing."""
        found = {}
        for what, names in _NAMES.items():
            given = [name for name in names if name in header]
            if given:
                found[what] = header.index(given[0])
        missing = [
            " / ".join(_NAMES[what][0] for what in group) for group in _NEEDED if not set(group) & set(found)
        ]
        if missing:
            self.problems.append(problem("customs_missing", 1, None, member=self.name, wanted=missing))
        twice = sorted({name for name in header if name and header.count(name) > 1})
        if twice:
            self.problems.append(problem("header_twice", 1, twice[0], given=twice[0]))
        return found

    def _take(
        self, record: Sequence[str], header: Sequence[str], columns: Mapping[str, int], row: int
    ) -> None:
        # rows of the present database end with a comma that the header lacks
        spare = record[len(header) :]
        if len(record) < len(header) or any(cell.strip() for cell in spare):
            self.problems.append(
                problem("customs_cells", row, None, member=self.name, wanted=len(header), got=len(record))
            )
            return
        self.rows += 1
        cells = {what: record[column].strip() for what, column in columns.items()}
        try:
            strange = next((what for what, text in cells.items() if not text.isascii()), None)
            if strange is not None:
                raise _Refused("customs_letter", strange, cells[strange])
            self._declaration(cells, row)
        except _Refused as error:
            column = header[columns[error.column]] if error.column in columns else error.column
            self.problems.append(problem(error.key, row, column, member=self.name, given=error.given))

    def _declaration(self, cells: Mapping[str, str], row: int) -> None:
        """Keep a declaration, or count why it stands apart; every figure is read first."""
        value = _number(cells, "value")
        if value is None:
            raise _Refused("customs_number", "value", cells.get("value", ""))
        weight = _number(cells, "weight")
        year = _year(cells)
        flow = _flow(cells)
        line = cells["line"]
        if not _LINE.match(line):
            raise _Refused("customs_goods", "line", line)
        reporter, partner = _end(cells, "reporter"), _end(cells, "partner")
        reason = self._apart(cells, flow, line, reporter, partner)
        if reason is not None:
            self.left.add(f"HS {line}" if reason == "line" else say("data.left_rows"), reason, row)
            return
        if weight == 0.0 and value > 0.0:
            weight = None
        self.unweighed += weight is None
        self.estimated += cells.get("estimated", "").casefold() in ("1", "true")
        for end, place in (("reporter", reporter), ("partner", partner)):
            letters = cells.get(f"{end}_iso", "")
            if place != letters:
                key = (cells.get(end, ""), letters, place)
                self.ends[key] = self.ends.get(key, 0) + 1
        codes = (cells.get("reporter") or reporter, cells.get("partner") or partner)
        original = cells.get("original", "").casefold() in ("1", "true")
        revision = REVISIONS[cells["revision"]]
        self.kept.append(
            _Row(row, year, line, revision, original, flow, reporter, partner, codes, value, weight)
        )

    def _apart(
        self, cells: Mapping[str, str], flow: str, line: str, reporter: str, partner: str
    ) -> str | None:
        """Return why a declaration is no flow of the table, or None."""
        reasons = {
            "services": cells.get("kind", _GOODS) not in (_GOODS, ""),
            "classification": cells["revision"] not in REVISIONS,
            "line": line not in self.lines,
            "month": cells.get("frequency", "A") not in ("A", "")
            or len(cells.get("period", "")) > len("2024"),
            "total": _WORLD_PLACE in (reporter, partner),
            "union": _GROUP in (reporter, partner),
            "breakdown": any(
                cells.get(what, "") not in _WHOLE for what in ("second", "procedure", "transport", "supply")
            ),
            "itself": reporter == partner,
        }
        if flow not in ("importer", "exporter"):
            return flow
        return next((reason for reason, holds in reasons.items() if holds), None)

    def _flows(self, source: str) -> tuple[pl.DataFrame, int]:
        """Return the trade table, and how many rows of the file stand in it."""
        chosen: dict[tuple[object, ...], _Row] = {}
        for item in self.kept:
            key = (item.year, item.line, item.declarer, *item.codes)
            other = chosen.get(key)
            if other is None:
                chosen[key] = item
            elif item.revision != other.revision:
                first, second = sorted((other, item), key=lambda one: (one.original, one.revision))
                chosen[key] = second
                self.left.add(say("data.left_rows"), "revision", first.row)
            elif (item.value, item.weight) == (other.value, other.weight):
                self.left.add(say("data.left_rows"), "twice", item.row)
            else:
                self.problems.append(
                    problem("customs_twice", item.row, None, member=self.name, first=other.row)
                )
        rows = [
            (
                *(source, item.year, item.line, item.revision),
                *(
                    (item.partner, item.reporter)
                    if item.declarer == "importer"
                    else (item.reporter, item.partner)
                ),
                *(item.declarer, item.value, None if item.weight is None else item.weight / 1000.0, item.row),
            )
            for item in sorted(chosen.values(), key=lambda one: one.row)
        ]
        return gathered(frame_of(rows, TRADE_SCHEMA)), len(rows)

    def _notes(self) -> tuple[str, ...]:
        found = [
            say("data.customs_read_as", code=code or "-", name=letters or "-", place=place, count=count)
            for (code, letters, place), count in sorted(self.ends.items())
            if place in ("ROW", "TWN")
        ]
        if self.unweighed:
            found.append(say("data.customs_unweighed", count=self.unweighed))
        if self.estimated:
            found.append(say("data.customs_estimated", count=self.estimated))
        return tuple(found)

    def reading(self) -> TradeReading:
        """Make the reading."""
        own = packaged_sources()[_SOURCE]
        years = sorted({item.year for item in self.kept})
        span = f"{years[0]}-{years[-1]}" if years else ""
        dated = _DATED.search(self.name)
        day = f"{dated[3]}-{int(dated[1]):02}-{int(dated[2]):02}" if dated else ""
        source = "_".join([_SOURCE, f"v{day.replace('-', '')}" if day else span.replace("-", "_")]).strip("_")
        trade, kept = self._flows(source)
        if self.problems:
            trade, kept = pl.DataFrame(schema=dict(TRADE_SCHEMA)), 0
        title = say("data.customs_comtrade", years=span, day=day or say("data.customs_undated"))
        return TradeReading(
            format="comtrade",
            title=title,
            vintage=day or span,
            source=source,
            facts=pl.DataFrame(schema=dict(FACTS_SCHEMA)),
            trade=trade,
            other=self.left.frame(),
            skipped=frame_of((), SKIPPED_SCHEMA),
            problems=tuple(sorted(self.problems, key=lambda item: item.row or 0)),
            rows=self.rows,
            source_entry={**own, "citation": title, "published": day, "retrieved": day},
            kept=kept,
            left=self.left.by_reason(),
            notes=self._notes() if not self.problems else (),
        )


def _text(data: bytes) -> tuple[str | None, list[Problem]]:
    """Decode a file: UTF-8, or the Windows encoding in which the present database writes names."""
    text, problems = decode(data)
    if (
        text is not None
        or not problems
        or b"\0" in data
        or not data.strip()
        or data[:2] in (b"\xff\xfe", b"\xfe\xff")
    ):
        return text, problems
    try:
        return data.decode("cp1252"), []
    except UnicodeDecodeError:
        return None, problems


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []


def _number(cells: Mapping[str, str], what: str) -> float | None:
    """Read a figure; None where there is none."""
    text = cells[what]
    if text.upper() in _NONE:
        return None
    number = plain_number(text)
    if number is None or not math.isfinite(number):
        raise _Refused("number_comma" if "," in text else "customs_number", what, text)
    if number < 0.0:
        raise _Refused("customs_negative", what, text)
    return number


def _year(cells: Mapping[str, str]) -> int:
    """Return the year; a period beside it must be of that year."""
    year, period = cells.get("year", ""), cells.get("period", "")
    if year and not _YEAR.match(year):
        raise _Refused("customs_no_period", "year", year)
    if period and not _PERIOD.match(period):
        raise _Refused("customs_no_period", "period", period)
    unsaid = not year if "year" in cells else not period
    if unsaid or (year and period and period[:4] != year):
        raise _Refused(
            "customs_no_period", "year" if "year" in cells else "period", f"{year} {period}".strip()
        )
    return int((year or period)[:4])


def _flow(cells: Mapping[str, str]) -> str:
    mark = cells["flow"]
    if mark in _PARTS:
        return "part"
    if mark not in _FLOWS:
        raise _Refused("customs_flow", "flow", cells["flow"])
    return _FLOWS[mark]


def _end(cells: Mapping[str, str], end: str) -> str:
    """Return the place of a reporter or partner; WLD for the world and EUR for a group of states.

    Where both code and letters are given they must mean the same; an area that is no state has letters of
    the database's own, which are not looked at.
    """
    letters, code = cells.get(f"{end}_iso", ""), cells.get(end, "")
    by_letters = _WORLD_PLACE if letters in _WORLD else _GROUP if letters in _GROUPS else None
    by_letters = by_letters or (letters if letters in places() else None)
    by_code = None
    if _CODE.match(code):
        number = int(code)
        by_code = (
            _WORLD_PLACE if number == 0 else _GROUP if number in _GROUP_CODES else place_of(number, None)
        )
    own_letters = by_code in ("ROW", "TWN") and by_letters is None
    fits = not code or not letters or by_code == by_letters or own_letters
    place = by_code if code else by_letters
    if place is None or not fits:
        raise _Refused("customs_area", end if end in cells else f"{end}_iso", f"{code} {letters}".strip())
    return place


READERS = (Comtrade(),)
