"""Readers of official statistics: marks, bases, places, totals; every row of a file in one class."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from tools.damage_books import mining, write_mining, write_pink
from tools.damage_files import BGS_COLUMNS, MCS_COLUMNS, SALIENT, WORLD, bgs, mcs, text, world_data
from tools.damage_tables import governance

from monazite.core import schema
from monazite.core.errors import FactsError
from monazite.facts.chain import context_of
from monazite.facts.folder import packaged
from monazite.facts.places import places
from monazite.facts.readers import maps
from monazite.facts.readers.bgs import Bgs
from monazite.facts.readers.cells import Figure, figure
from monazite.facts.readers.governance import read_governance
from monazite.facts.readers.grid import read_grid
from monazite.facts.readers.maps import is_packaged, mapping, misspelt, place_of
from monazite.facts.readers.reading import FACTS_SCHEMA, Reading, read_official, recognise
from monazite.facts.readers.sums import Sum, sum_problems
from monazite.facts.readers.usgs_mcs import MARKS, UsgsMcs
from monazite.facts.readers.usgs_world import UsgsWorld
from monazite.facts.readers.xlsx import read_sheet
from monazite.facts.reading import read_table
from monazite.facts.rules import FACT_COLUMNS, Context, fact_problems
from monazite.facts.structure import ACTIVITY_COLUMNS, COMMODITY_COLUMNS

MAPS = ("usgs_mcs", "usgs_world_data", "bgs", "pink_sheet", "world_mining")


def _context() -> Context:
    folder = packaged()
    goods, doings = [], []
    for name in folder.names():
        goods.append(read_table(folder.chains / name / "commodities.csv", COMMODITY_COLUMNS).frame)
        doings.append(read_table(folder.chains / name / "activities.csv", ACTIVITY_COLUMNS).frame)
    return context_of(pl.concat(goods), pl.concat(doings), folder.read_sources())


def _read(rows: list[list[object]]) -> Reading:
    return UsgsMcs().read_bytes(text(rows, "cp1252"))


def _tungsten(*places_and_values: tuple[str, str], notes: str = "") -> list[list[object]]:
    rows: list[list[object]] = [list(MCS_COLUMNS)]
    for place, value in places_and_values:
        detail = "Mine production: rounded" if place == "World total" else "Mine production"
        row = ["TUNGSTEN", WORLD, "Tungsten", place, "Production", detail, "metric tons", "2025", value]
        rows.append([*row, notes, "Yes", ""])
    return rows


def _fact(reading: Reading, place: str) -> dict[str, Any]:
    found = reading.facts.filter(pl.col("place") == place)
    assert found.height == 1, reading.problems
    return dict(found.row(0, named=True))


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("1,200", Figure(1200.0)),
        ("0.25", Figure(0.25)),
        ("68\xa0", Figure(68.0)),
        ("e1,200", Figure(1200.0, estimated=True)),
        ("W", Figure(status="withheld")),
        ("NA", Figure(status="missing")),
        ("XX", Figure(status="not_applicable")),
        ("(1)", Figure(status="missing")),
        ("—", Figure(0.0)),
        ("s", Figure(None, 0.0, 0.5, "insufficient")),
        (">50", Figure(None, 50.0, None, "insufficient")),
        ("<25", Figure(None, 0.0, 25.0, "insufficient")),
        ("500–16,000", Figure(None, 500.0, 16000.0, "insufficient")),
    ],
)
def test_marks_stay_what_they_are(cell, wanted) -> None:
    assert figure(cell, MARKS) == wanted


@pytest.mark.parametrize(
    "cell",
    ["", "1,00", "1,2345", "12,34,567", "1.234.567", "-5", "1 200", "1,200(3)", "r1,200", "12%", "٣", "１２",
     "1e5", "5–3", "9" * 30, "nan", "Estimated."],
)  # fmt: skip
def test_what_is_no_figure_is_not_guessed(cell) -> None:
    assert figure(cell, MARKS) is None


def test_marks_reach_the_facts_with_kind_and_bounds() -> None:
    marks = (("China", "W"), ("Rwanda", ">1,000"), ("Spain", "NA"), ("Russia", "—"))
    rows = _tungsten(("Austria", "840"), *marks, ("World total", "82,000"), notes="Estimated. -- A note.")
    reading = _read(rows)
    assert not reading.problems
    first = _fact(reading, "AUT")
    assert (first["value"], first["kind"], first["unit"], first["basis"]) == (
        "840",
        "estimated",
        "t/yr",
        "contained metal",
    )
    assert first["note"] == "A note"
    assert (_fact(reading, "CHN")["status"], _fact(reading, "CHN")["value"]) == ("withheld", None)
    assert (_fact(reading, "RWA")["status"], _fact(reading, "RWA")["low"]) == ("insufficient", "1000")
    assert _fact(reading, "ESP")["status"] == "missing"
    assert _fact(reading, "RUS")["value"] == "0"
    total = _fact(reading, "WLD")
    assert (total["variable"], total["value"], total["kind"]) == ("total_output", "82000", "estimated")


def test_reported_and_estimated_are_told_apart() -> None:
    rows = _tungsten(("Austria", "840"), ("World total", "840"))
    assert _fact(_read(rows), "AUT")["kind"] == "reported"


def test_every_row_stands_in_one_class() -> None:
    reading = _read(mcs())
    assert not reading.problems
    counts = reading.counts()
    assert sum(counts.values()) == reading.rows == len(mcs()) - 1
    assert counts["facts"] == 30
    assert counts["skipped"] == 1
    assert "reserves" in reading.skipped["reason"][0]
    assert counts["other"] == 6, "a price of another name, abrasives, and other countries that no map takes"
    assert reading.vintage == "2026"
    assert reading.source == "usgs_mcs2026"
    assert reading.source_entry is None


def test_the_facts_pass_the_checks_of_a_facts_table() -> None:
    readings = (
        UsgsMcs().read_bytes(text(mcs(), "cp1252")),
        UsgsWorld().read_bytes(text(world_data(), "utf-8")),
    )
    for reading in readings:
        assert reading.facts.height > 20
        raw = reading.facts.select("row", *FACT_COLUMNS)
        assert not fact_problems(raw, _context())
        assert reading.facts.schema == pl.Schema(FACTS_SCHEMA)


def test_a_newer_issue_brings_its_own_source() -> None:
    rows = [[str(cell).replace("2025", "2026").replace("2024", "2025") for cell in row] for row in mcs()]
    reading = _read(rows)
    assert not reading.problems
    assert (reading.vintage, reading.source) == ("2027", "usgs_mcs2027")
    assert reading.source_entry is not None
    assert {"citation", "url", "licence", "published", "next_version"} <= set(reading.source_entry)


def test_a_chain_that_is_not_packaged_is_other(monkeypatch) -> None:
    known = {name: names for name, names in maps.chain_names().items() if name != "tungsten"}
    monkeypatch.setattr(maps, "chain_names", lambda: known)
    reading = _read(_tungsten(("Austria", "840"), ("World total", "840")))
    assert reading.counts() == {"facts": 0, "trade": 0, "other": 2, "skipped": 0, "refused": 0}
    assert "tungsten" in reading.other["reason"][0]


def test_another_basis_is_not_taken_for_the_same() -> None:
    entry = next(item for item in mapping("usgs_mcs") if item.chain == "tungsten" and item.activity)
    assert is_packaged(entry)
    other = replace(entry, basis="oxide")
    assert not is_packaged(other)


@pytest.mark.parametrize(
    ("column", "given", "part"),
    [
        ("Value", "1,00", "no figure"),
        ("Value", "-840", "no figure"),
        ("Value", "840(1)", "no figure"),
        ("Value", "8400", "add up"),
        ("Unit", "thousand metric tons", "unit"),
        ("Unit", "short tons", "unit"),
        ("Year", "2204", "no year between"),
        ("Country", "Austrai", "did you mean"),
        ("Statistics_detail", "Mine producton", "did you mean"),
        ("Section", "", "no section"),
        ("Is critical mineral 2025", "Tungsten", "moved to the side"),
    ],
)
def test_a_damaged_cell_is_named_with_row_and_column(column, given, part) -> None:
    rows = _tungsten(("Austria", "840"), ("China", "67,000"), ("World total", "67,800"))
    for row in rows[1:]:
        rows.append([*row[:7], "2024", *row[8:]])
    rows[1][MCS_COLUMNS.index(column)] = given
    reading = _read(rows)
    assert any(part in item.message for item in reading.problems), reading.problems
    named = reading.problems[0]
    assert named.row in (2, 4), "its own row, or that of the total it no longer adds up to"
    assert named.column in (column, "Value")
    with pytest.raises(FactsError, match=f"row {named.row}"):
        reading.refuse(Path("file.csv"))


def test_rows_that_contradict_are_refused_and_that_repeat_are_skipped() -> None:
    rows = _tungsten(("Austria", "840"), ("World total", "840"))
    again = _read([*rows, rows[1]])
    assert not again.problems
    assert again.counts()["skipped"] == 1
    other = [*rows[1]]
    other[8] = "850"
    assert "contradicts 840 in row 2" in _read([*rows, other]).problems[0].message


def test_a_table_without_its_total_is_refused() -> None:
    reading = _read(_tungsten(("Austria", "840"), ("China", "67,000")))
    assert "no world total" in reading.problems[0].message


def test_withheld_places_leave_one_side_to_test() -> None:
    hidden = Sum("ore", "Value", [(2, "70", Figure(70.0)), (3, "W", Figure(status="withheld"))])
    hidden.totals.append((4, "100", Figure(100.0)))
    assert not sum_problems([hidden])
    hidden.parts.append((5, "61", Figure(61.0)))
    assert not sum_problems([hidden]), "a total of 100 may be rounded from 50 to 150"
    hidden.parts.append((6, "160", Figure(160.0)))
    assert sum_problems([hidden])[0].row == 4


def test_one_subject_in_two_rows_is_added() -> None:
    rows: list[list[object]] = [list(MCS_COLUMNS)]
    chapter = ["TITANIUM MINERAL CONCENTRATES", WORLD, "Titanium Mineral Concentrates"]
    for place, mineral, value in (
        ("India", "Ilmenite", "210"),
        ("India", "Rutile", "12"),
        ("World total", "ilmenite, rounded", "210"),
        ("World total", "rutile, rounded", "12"),
        ("World total", "ilmenite and rutile, rounded", "222"),
    ):
        row = [*chapter, place, "Production", f"Mine production: {mineral}", "thousand metric tons", "2025"]
        rows.append([*row, value, "", "Yes", ""])
    reading = _read(rows)
    assert not reading.problems
    if not reading.facts.height:
        pytest.skip("the chain of titanium is not packaged")
    assert _fact(reading, "IND")["value"] == "222000"
    assert _fact(reading, "WLD")["value"] == "222000"
    assert sum(reading.counts().values()) == 5


def test_prices_are_converted_by_their_unit() -> None:
    row = [
        "ZINC",
        SALIENT,
        "Zinc",
        "United States",
        "Price",
        "Price, average, cents per pound: North American",
    ]
    reading = _read([list(MCS_COLUMNS), [*row, "cents per pound", "2025", "144.2", "", "Yes", ""]])
    if not reading.facts.height:
        pytest.skip("the chain of zinc is not packaged")
    fact = _fact(reading, "USA")
    assert float(fact["value"]) == pytest.approx(3.179, abs=1e-3)
    assert (fact["variable"], fact["unit"]) == ("price", "USD/kg")


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"", "empty"),
        ("a,b\n—,1\n".encode("utf-16"), "UTF-16"),
        (b"a,b\n\x81\x8d,1\n", "no text"),
        ("a,b\nâ€”,1\n".encode(), "wrong encoding"),
        (b"a,b\n\x07,1\n", "control character"),
        (b"a,b\n\x00,1\n", "NUL"),
        (b"a;b\n1;2\n", "parted by ';'"),
        (b'a,b\n"1,2\n', "quotation mark that opens"),
        (b'a,b\n"1\n2",3\n', "several lines"),
        (b"a,b\n1,2,3\n", "3 cells"),
        (b"a,c\n1,2\n", "the column 'b' is missing"),
        (b"a,b,b\n1,2,3\n", "stands twice"),
        (b"a,b,zzz\n1,2,3\n", "zzz"),
        (b"a,b\n", "no rows"),
        (b"a,b\n\n1,2\n", "blank"),
    ],
)
def test_damage_of_a_table_is_named(data, part) -> None:
    grid = read_grid(data, ("utf-8", "cp1252"), required=("a", "b"))
    assert any(part in item.message for item in grid.problems), grid.problems


def test_windows_text_is_read_where_the_publisher_writes_it_only() -> None:
    data = "a,b\n—,1\n".encode("cp1252")
    assert read_grid(data, ("utf-8", "cp1252"), required=("a", "b")).rows[0][1]["a"] == "—"
    assert read_grid(data, ("utf-8",), required=("a", "b")).problems[0].row == 2


def test_a_name_one_letter_off_is_a_damaged_one() -> None:
    assert misspelt("tungstn", ["tungsten", "tin"]) == "tungsten"
    assert misspelt("lead", ["tungsten", "tin"]) is None
    assert misspelt("oxide, 99.9%", ["oxide, 99.5%"]) is None


@pytest.mark.parametrize("table", MAPS)
def test_maps_name_variables_bases_and_places_that_exist(table) -> None:
    for entry in mapping(table):
        if not entry.chain:
            continue
        assert entry.variable in schema.names("variables", "variable"), entry
        assert entry.basis in schema.names("bases", "basis"), entry
        assert not entry.place or entry.place in places(), entry
        assert entry.factor > 0
        assert entry.content > 0
        assert bool(entry.commodity) != bool(entry.activity), entry
        assert entry.content == 1 or entry.note, f"a change of basis says why: {entry}"
        assert entry.chain not in maps.chain_names() or is_packaged(entry), entry


def test_names_of_places_are_codes_or_have_a_reason() -> None:
    assert place_of("Congo (Kinshasa)").code == "COD"
    assert place_of("Other countries").code == "ROW"
    assert place_of("Korea, Republic of").code == "KOR"
    both = place_of("United States and Canada")
    assert both.known
    assert both.code is None
    assert "several states" in both.reason
    assert not place_of("Atlantis").known


def test_a_file_of_no_known_format_lists_the_known_ones(tmp_path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(FactsError, match="Pink Sheet"):
        recognise(path)
    with pytest.raises(FactsError, match="empty"):
        recognise(_empty(tmp_path))
    with pytest.raises(FactsError, match="cannot be read"):
        recognise(tmp_path / "none.csv")


def test_a_file_in_another_encoding_is_known_and_refused(tmp_path) -> None:
    path = tmp_path / "MCS2026.csv"
    path.write_bytes(text(mcs(), "utf-16"))
    assert "UTF-16" in read_official(path).problems[0].message


def _empty(folder: Path) -> Path:
    path = folder / "empty.csv"
    path.write_bytes(b"")
    return path


def _pink_rows() -> list[list[object]]:
    rows: list[list[object]] = [["Updated on July 02, 2025"], [None, "Copper", "Aluminum", "Tin"]]
    rows[1] += ["Nickel", "Zinc", "Phosphate rock"]
    rows.append([None, *["($/mt)"] * 6])
    for month in range(1, 14):
        name = f"{2024 + month // 13}M{(month - 1) % 12 + 1:02d}"
        rows.append([name, 9000.0 + month, 2400.5, 30000, 16000, 2700, 150.25])
    return rows


def test_prices_of_a_whole_year_become_its_mean(tmp_path) -> None:
    path = tmp_path / "pink.xlsx"
    path.write_bytes(write_pink(_pink_rows()))
    reading = read_official(path)
    assert not reading.problems
    assert reading.vintage == "2025-07"
    copper = reading.facts.filter(pl.col("commodity") == "copper_cathode")
    assert copper.select("period", "value", "unit", "row").rows() == [("2024", "9.0065", "USD/kg", 15)]
    assert reading.counts() == {"facts": 1, "trade": 0, "other": 0, "skipped": 12, "refused": 0}


@pytest.mark.parametrize(
    ("y", "x", "cell", "part"),
    [
        (5, 0, "2024M31", "no month"),
        (5, 0, "2023M02", "does not follow"),
        (5, 1, "9,00", "no figure"),
        (5, 1, 90.0, "follows on"),
        (5, 1, -9000.0, "no figure"),
        (2, 1, "($/lb)", "unit"),
        (1, 1, "Coper", "column is called 'Copper'"),
        (0, 0, "Updated", "date of the update"),
    ],
)
def test_damage_of_the_pink_sheet_is_named(tmp_path, y, x, cell, part) -> None:
    rows = _pink_rows()
    rows[y][x] = cell
    path = tmp_path / "pink.xlsx"
    path.write_bytes(write_pink(rows))
    reading = read_official(path)
    assert any(part in item.message for item in reading.problems), reading.problems


def test_a_truncated_spreadsheet_is_refused(tmp_path) -> None:
    path = tmp_path / "pink.xlsx"
    path.write_bytes(write_pink(_pink_rows())[:-200])
    with pytest.raises(FactsError, match="damaged or cut short"):
        read_official(path)
    _, problems = read_sheet(path, "Monthly Prices")
    assert problems


def test_a_later_month_of_the_pink_sheet_is_a_source_of_its_own(tmp_path) -> None:
    path = tmp_path / "pink.xlsx"
    rows = _pink_rows()
    path.write_bytes(write_pink(rows))
    reading = read_official(path)
    assert reading.source == "world_bank_pink_202507"
    assert reading.source_entry is not None
    assert set(reading.facts["source"]) == {reading.source}
    rows[0][0] = "Updated on June 02, 2026"
    path.write_bytes(write_pink(rows))
    assert (read_official(path).source, read_official(path).source_entry) == ("world_bank_pink", None)


def _bgs(**cells: object) -> Reading:
    rows = bgs()
    for name, value in cells.items():
        rows[1][BGS_COLUMNS.index(name)] = value
    return Bgs().read_bytes(text(rows, "utf-8"))


@pytest.mark.parametrize(
    ("cells", "part"),
    [
        ({"quantity": 6100}, "as printed it is 61000"),
        ({"quantity": "", "quantity_in_book_style": "..."}, "does not fit"),
        ({"country_iso3_code": "AUT"}, "'China' is CHN"),
        ({"country_trans": "Chima"}, "did you mean"),
        ({"year": "2021-13-01 00:00:00"}, "no year"),
        ({"units": "kilograms"}, "unit"),
        ({"sdmx_code": "Q"}, "unknown status"),
        ({"bgs_commodity_trans": "tungsten, mime"}, "did you mean"),
        ({"year": "2022-01-01 00:00:00"}, "contradicts"),
    ],
)
def test_what_an_extract_says_twice_must_agree(cells, part) -> None:
    reading = _bgs(**cells)
    assert any(part in item.message for item in reading.problems), reading.problems


def test_nothing_little_and_unknown_are_three_things() -> None:
    facts = {(r["place"], r["period"]): r for r in _bgs().facts.iter_rows(named=True)}
    assert facts["UZB", "2023"]["value"] == "0"
    assert (facts["RWA", "2023"]["value"], facts["RWA", "2023"]["status"]) == (None, "missing")
    little = facts["KGZ", "2023"]
    assert (little["value"], little["low"], little["high"]) == (None, "0", "0.5")
    assert facts["CHN", "2023"]["kind"] == "estimated"
    assert facts["AUT", "2023"]["kind"] == "reported"
    assert _bgs().skipped["reason"].str.contains("no longer exists").all()


def test_a_database_is_read_and_its_totals_are_tested(tmp_path) -> None:
    path = tmp_path / "world.db"
    path.write_bytes(write_mining(mining()))
    reading = read_official(path)
    assert not reading.problems
    assert (reading.vintage, reading.source) == ("2026", "wmd2026")
    rows = mining()
    rows[2][6] = 6700
    path.write_bytes(write_mining(rows))
    assert "add up" in read_official(path).problems[0].message
    path.write_bytes(write_mining(mining())[:6000])
    with pytest.raises(FactsError, match="cut short"):
        read_official(path).refuse(path)


def test_governance_is_read_beside_the_chains(tmp_path) -> None:
    path = tmp_path / "wgi.csv"
    path.write_bytes(text(governance(), "utf-8"))
    table, problems = read_governance(path)
    assert not problems
    chosen = table.filter(place="TUR", year=2023, indicator="pv", measure="estimate")
    assert chosen["value"].to_list() == [-0.8377]
    rows = governance()
    rows[1][5] = 57
    path.write_bytes(text(rows, "utf-8"))
    table, problems = read_governance(path)
    assert not table.height
    assert problems[0].where == "row 2, column estimate"
