"""Trade readers: BACI's archive and database, Comtrade's two layouts; what is damaged is refused by row."""

from __future__ import annotations

import random
import sqlite3
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from monazite.core.errors import FactsError
from monazite.facts.readers.baci import Archive, Database
from monazite.facts.readers.comtrade import Comtrade
from monazite.facts.readers.customs import TradeReading, gathered, place_of, telling, wanted_lines
from monazite.facts.readers.reading import TRADE_SCHEMA, read_official, recognise

COUNTRIES = """country_code,country_name,country_iso2,country_iso3
152,Chile,CL,CHL
156,China,CN,CHN
251,France,FR,FRA
490,"Other Asia, nes",,S19
697,"Europe EFTA, nes",,R20
699,India,IN,IND
842,USA,US,USA
849,US Misc. Pacific Isds,PU,PUS
"""
HEAD = "t,i,j,k,v,q"
ROWS = [
    "2024,152,156,260300, 1000.5 , 400.25 ",
    "2024,152,490,260300,20.000,          NA",
    "2024,699,842,283691,7,0.125",
    "2024,156,699,10111,1.5,2",
    "2024,156,251,9999AA,3,1",
]


def _archive(
    path: Path,
    years: dict[int, Sequence[str]],
    *,
    release: str = "202601",
    revision: str = "92",
    countries: str | None = COUNTRIES,
    head: str = HEAD,
) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for year, rows in years.items():
            text = "\n".join([head, *rows]) + "\n"
            archive.writestr(f"BACI_HS{revision}_Y{year}_V{release}.csv", text)
        if countries is not None:
            archive.writestr(f"country_codes_V{release}.csv", countries)
        archive.writestr(f"product_codes_HS{revision}_V{release}.csv", "code,description\n")
    return path


def _read(tmp_path: Path, rows: Sequence[str], **more: Any) -> TradeReading:
    return Archive().read(_archive(tmp_path / "BACI.zip", {2024: rows}, **more))


def _flows(reading: TradeReading) -> list[tuple[Any, ...]]:
    assert reading.trade is not None
    columns = ["year", "hs", "exporter", "importer", "reporter", "value_usd", "quantity_t"]
    return reading.trade.select(columns).rows()


def test_the_archive_gives_flows_in_dollars_and_tonnes(tmp_path) -> None:
    reading = _read(tmp_path, ROWS)
    assert not reading.problems
    assert _flows(reading) == [
        (2024, "260300", "CHL", "CHN", "both", 1_000_500.0, 400.25),
        (2024, "260300", "CHL", "TWN", "both", 20_000.0, None),
        (2024, "283691", "IND", "USA", "both", 7_000.0, 0.125),
    ]
    assert reading.trade is not None
    assert reading.trade.schema == dict(TRADE_SCHEMA)
    assert reading.trade["revision"].unique().to_list() == ["HS1992"]
    assert reading.trade["row"].to_list() == [2, 3, 4]


def test_every_row_is_counted_once_and_codes_keep_their_leading_zero(tmp_path) -> None:
    reading = _read(tmp_path, ROWS)
    counts = reading.counts()
    assert counts == {"facts": 0, "trade": 3, "other": 2, "skipped": 0, "refused": 0}
    assert sum(counts.values()) == reading.rows
    assert [text.partition(" (")[0] for text in reading.other["what"]] == ["HS 010111", "HS 9999AA"]
    assert sum(reading.left.values()) == 2


def test_taiwan_is_stated(tmp_path) -> None:
    notes = " ".join(_read(tmp_path, ROWS).notes)
    assert "490" in notes
    assert "TWN" in notes


def test_areas_are_the_rest_of_the_world_and_added_up(tmp_path) -> None:
    rows = ["2024,152,697,260300,1,2", "2024,152,849,260300,3,4", "2024,697,849,260300,1,1"]
    reading = _read(tmp_path, rows)
    assert _flows(reading) == [(2024, "260300", "CHL", "ROW", "both", 4_000.0, 6.0)]
    assert reading.counts()["trade"] == 2
    assert reading.counts()["other"] == 1, "a flow within the rest of the world is none"


def test_a_sum_without_all_weights_has_no_weight() -> None:
    row = ("s", 2024, "260300", "HS1992", "CHL", "ROW", "both", 1.0)
    rows = pl.DataFrame([(*row, 2.0, 2), (*row, None, 3)], schema=dict(TRADE_SCHEMA), orient="row")
    assert gathered(rows).select("value_usd", "quantity_t", "row").rows() == [(2.0, None, 2)]


def test_the_packaged_release_keeps_its_source_and_a_newer_one_gets_its_own(tmp_path) -> None:
    same, newer = _read(tmp_path, ROWS), _read(tmp_path, ROWS, release="202701")
    assert (same.source, same.source_entry) == ("baci_hs92", None)
    assert newer.source == "baci_hs92_v202701"
    assert newer.source_entry is not None
    assert newer.source_entry["published"] == "2027-01"
    assert newer.source_entry["licence"]


@pytest.mark.parametrize("chunk", [20, 33, 64, 1000])
def test_pieces_of_any_size_give_the_same(tmp_path, monkeypatch, chunk) -> None:
    whole = _flows(_read(tmp_path, ROWS * 1))
    monkeypatch.setattr("monazite.facts.readers.baci._CHUNK", chunk)
    reading = _read(tmp_path, ROWS)
    assert _flows(reading) == whole
    assert reading.rows == len(ROWS)


def test_several_years_and_row_numbers_within_the_member(tmp_path) -> None:
    years = {2023: [row.replace("2024", "2023") for row in ROWS], 2024: [*ROWS, "2024,152,156,260300,x,1"]}
    reading = Archive().read(_archive(tmp_path / "BACI.zip", years))
    (found,) = reading.problems
    assert (found.row, found.column, found.key) == (7, "v", "data.customs_number")
    assert "Y2024" in str(found)
    assert reading.trade is not None
    assert not reading.trade.height, "nothing of a refused file is given"


#: rows of a year, row and column named, rule, words
DAMAGED: list[tuple[Sequence[str], int | None, str | None, str, str]] = [
    (["2024,152,156,260300,1,000.5,400"], 2, None, "customs_cells", "7 cells"),
    ([*ROWS, "2024,152,156,260300,5"], 7, "q", "customs_number", "is no number"),
    ([*ROWS, "2024,152,156"], 7, "k", "customs_code", "six digits"),
    (["2024,152,156,260300,abc,400"], 2, "v", "customs_number", "abc"),
    (["2024,152,156,260300,NA,400"], 2, "v", "customs_number", "NA"),
    (["2024,152,156,260300,nan,400"], 2, "v", "customs_number", "nan"),
    (["2024,152,156,260300,1,inf"], 2, "q", "customs_number", "inf"),
    (["2024,152,156,260300,1,-4"], 2, "q", "customs_negative", "-4"),
    (["2024,152,156,260300,-1,4"], 2, "v", "customs_negative", "-1"),
    (["2024,152,999,260300,1,4"], 2, "j", "customs_country", "999"),
    (["2024,,156,260300,1,4"], 2, "i", "customs_number", "no number"),
    (["2024,152,152,260300,1,4"], 2, "j", "customs_itself", "152"),
    (["2024,152,156,2603,1,4"], 2, "k", "customs_code", "2603"),
    (["2024,152,156,2603000,1,4"], 2, "k", "customs_code", "2603000"),
    (["2023,152,156,260300,1,4"], 2, "t", "customs_year", "2024"),
    (["152,156,260300,1,4,2024"], 2, "t", "customs_year", "shifted"),
    ([ROWS[0], "", ROWS[1]], 3, "t", "customs_year", "no year"),
    (['2024,152,156,260300,"1,4'], 2, None, "customs_text", "cannot be read"),
    ([*ROWS, ROWS[0]], 7, None, "customs_twice", "first in row 2"),
    ([], None, None, "customs_empty", "no rows"),
    (["2024,152,156,260300,1,4\0"], 2, "q", "customs_number", "no number"),
]


@pytest.mark.parametrize(("rows", "row", "column", "rule", "words"), DAMAGED)
def test_a_damaged_year_is_refused_by_row_and_column(tmp_path, rows, row, column, rule, words) -> None:
    reading = _read(tmp_path, rows)
    first = reading.problems[0]
    assert (first.row, first.column, first.key) == (row, column, f"data.{rule}")
    assert "BACI_HS92_Y2024_V202601.csv" in first.message
    assert words in first.message
    assert reading.trade is not None
    assert not reading.trade.height


def test_bytes_that_are_no_text_are_refused_by_row(tmp_path) -> None:
    path = tmp_path / "BACI.zip"
    with zipfile.ZipFile(path, "w") as archive:
        data = "\n".join([HEAD, *ROWS]).encode() + b"\n2024,152,156,260300,\xff\xfe,1\n"
        archive.writestr("BACI_HS92_Y2024_V202601.csv", data)
        archive.writestr("country_codes_V202601.csv", COUNTRIES)
    (found,) = Archive().read(path).problems
    assert (found.row, found.key) == (7, "data.customs_text")


@pytest.mark.parametrize(
    ("more", "rule", "words"),
    [
        ({"countries": None}, "customs_member", "country_codes_V202601.csv"),
        ({"revision": "17"}, "customs_revision", "HS2017"),
        ({"head": "t,i,j,k,v"}, "customs_header", "wanted"),
        ({"head": "t;i;j;k;v;q"}, "customs_header", "wanted"),
        ({"countries": "code,name\n4,Afghanistan\n"}, "customs_header", "country_iso3"),
        ({"countries": COUNTRIES + "1,Nowhere,,ZZZ\n"}, "customs_letters", "ZZZ"),
        ({"countries": COUNTRIES + "152,Chile,CL,CHL\n"}, "customs_code_twice", "152"),
        ({"countries": COUNTRIES + "?,Chile,CL,CHL\n"}, "customs_number", "?"),
    ],
)
def test_a_damaged_archive_is_refused(tmp_path, more, rule, words) -> None:
    found = _read(tmp_path, ROWS, **more).problems[0]
    assert found.key == f"data.{rule}"
    assert words in found.message


def test_a_missing_year_between_two_is_named(tmp_path) -> None:
    years = {year: [row.replace("2024", str(year)) for row in ROWS] for year in (2022, 2024)}
    (found,) = Archive().read(_archive(tmp_path / "BACI.zip", years)).problems
    assert "BACI_HS92_Y2023_V202601.csv" in found.message


def test_a_mix_of_releases_is_refused(tmp_path) -> None:
    path = _archive(tmp_path / "BACI.zip", {2024: ROWS})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("BACI_HS92_Y2023_V202501.csv", "\n".join([HEAD, *ROWS]))
    assert Archive().read(path).problems[0].key == "data.customs_releases"


def test_an_archive_cut_short_is_refused(tmp_path) -> None:
    path = _archive(tmp_path / "BACI.zip", {2024: ROWS * 1})
    data = path.read_bytes()
    for size in (10, len(data) // 2, len(data) - 10):
        path.write_bytes(data[:size])
        with pytest.raises(FactsError, match="damaged or cut short"):
            read_official(path)
        assert Archive().read(path).problems[0].key == "data.customs_archive"


def test_an_archive_with_a_wrong_byte_is_refused(tmp_path) -> None:
    rows = [f"2024,152,156,{code},1,4" for code in range(100_000, 103_000)]
    path = _archive(tmp_path / "BACI.zip", {2024: rows})
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0xFF
    path.write_bytes(bytes(data))
    assert Archive().read(path).problems


def test_a_long_reading_says_where_it_is(tmp_path) -> None:
    said: list[str] = []
    with telling(said.append):
        _read(tmp_path, ROWS)
    assert any("BACI_HS92_Y2024_V202601.csv" in text for text in said)


def _database(
    path: Path, rows: Sequence[tuple[Any, ...]], columns: str = HEAD, table: str = "baci_trade"
) -> Path:
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE {table} ({columns})")
        marks = ",".join("?" * len(columns.split(",")))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        connection.execute(
            "CREATE TABLE country_codes_V202401b (country_code, country_name, country_iso2, country_iso3)"
        )
        for line in COUNTRIES.splitlines()[1:]:
            code, _, rest = line.partition(",")
            name, two, three = rest.rsplit(",", 2)
            connection.execute(
                "INSERT INTO country_codes_V202401b VALUES (?,?,?,?)", (code, name, two, three)
            )
    connection.close()
    return path


DATABASE = [
    ("2024", "152", "156", 260300, "1000.5", "400.25"),
    ("2024", "152", "490", 260300, "20", None),
    ("1995", "699", "842", 283691, "7", "0.125"),
    ("2024", "156", "699", 10111, "1.5", "2"),
]


def test_the_database_gives_the_same_as_the_archive(tmp_path) -> None:
    path = _database(tmp_path / "baci.db", DATABASE)
    assert isinstance(recognise(path), Database)
    reading = Database().read(path)
    assert not reading.problems
    assert _flows(reading) == [
        (2024, "260300", "CHL", "CHN", "both", 1_000_500.0, 400.25),
        (2024, "260300", "CHL", "TWN", "both", 20_000.0, None),
        (1995, "283691", "IND", "USA", "both", 7_000.0, 0.125),
    ]
    assert (reading.source, reading.vintage, reading.rows) == ("baci_hs92", "1995-2024", 4)


@pytest.mark.parametrize(
    ("row", "column", "rule"),
    [
        (("2024", "152", "156", 260300, "1,000", "4"), "v", "customs_number"),
        (("2024", "152", "156", 260300, "1", "n/a"), "q", "customs_number"),
        (("2024", "152", "156", 260300, "1", "-1"), "q", "customs_negative"),
        (("2024", "152", "998", 260300, "1", "1"), "j", "customs_country"),
        ((None, "152", "156", 260300, "1", "1"), "t", "customs_year"),
        (("2024", "152", "156", None, "1", "1"), "k", "customs_code"),
    ],
)
def test_a_damaged_row_of_the_database_is_refused(tmp_path, row, column, rule) -> None:
    found = Database().read(_database(tmp_path / "baci.db", [*DATABASE, row])).problems[0]
    assert (found.row, found.column, found.key) == (5, column, f"data.{rule}")


def test_a_database_of_another_form_or_cut_short_is_refused(tmp_path) -> None:
    other = _database(tmp_path / "baci1.db", [], table="something")
    assert Database().read(other).problems[0].key == "data.customs_table"
    narrow = _database(tmp_path / "baci2.db", [], columns="t,i,j,k,v")
    assert Database().read(narrow).problems[0].key == "data.customs_header"
    whole = _database(tmp_path / "baci3.db", DATABASE * 500)
    whole.write_bytes(whole.read_bytes()[:9000])
    assert Database().read(whole).problems[0].key == "data.customs_database"


def _damage(data: bytes, dice: random.Random) -> bytes:
    """Change a few bytes, cut a piece out, or put one in."""
    made = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(made))
        match dice.randrange(4):
            case 0:
                made[at] = dice.randrange(256)
            case 1:
                del made[at : at + dice.randint(1, 30)]
            case 2:
                made[at:at] = dice.choice([b",", b'"', b"\n", b"\0", b"\xff", b"9" * 30, b"-", b";", b"NA"])
            case _:
                made = made[:at]
        if not made:
            return b""
    return bytes(made)


def _sources(tmp_path: Path) -> list[tuple[Path, Callable[[Path], TradeReading]]]:
    archive = _archive(
        tmp_path / "BACI.zip", {2024: ROWS, 2023: [row.replace("2024", "2023") for row in ROWS]}
    )
    stored = tmp_path / "stored.zip"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    database = _database(tmp_path / "baci.db", DATABASE)
    table = tmp_path / "comtrade.csv"
    names = "freqCode,refYear,reporterISO,flowCode,partnerISO,classificationCode,cmdCode,netWgt,primaryValue"
    flow = "A,2024,CHN,M,CHL,H6,260300,1000,2000"
    table.write_text("\n".join([names, flow, flow.replace(",M,", ",RX,"), flow.replace("CHL", "PER")]) + "\n")
    return [
        (archive, Archive().read),
        (stored, Archive().read),
        (database, Database().read),
        (table, Comtrade().read),
    ]


def test_no_damage_gives_anything_but_a_reading(tmp_path) -> None:
    """What changes a figure cannot be seen; everything else must be refused, never break the reader."""
    dice = random.Random(20_260_101)
    for path, read in _sources(tmp_path):
        data, refused = path.read_bytes(), 0
        for _ in range(150):
            path.write_bytes(_damage(data, dice))
            reading = read(path)
            refused += bool(reading.problems)
            if not reading.problems:
                assert sum(reading.counts().values()) == reading.rows
        assert refused > 30, path.name


def test_lines_wanted_are_those_of_the_packaged_chains() -> None:
    assert "copper" in wanted_lines()["260300"]
    assert "270900" not in wanted_lines()
    assert place_of(None, None) is None
