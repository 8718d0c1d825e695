"""Comtrade's two layouts: both declarations of a flow, what stands apart, what is refused by row, column."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from monazite.facts.readers.comtrade import Comtrade
from monazite.facts.readers.customs import TradeReading
from monazite.facts.readers.reading import recognise


def _flows(reading: TradeReading) -> list[tuple[Any, ...]]:
    assert reading.trade is not None
    columns = ["year", "hs", "exporter", "importer", "reporter", "value_usd", "quantity_t"]
    return reading.trade.select(columns).rows()


NEW = """typeCode,freqCode,refPeriodId,refYear,refMonth,period,reporterCode,reporterISO,reporterDesc,flowCode,
flowDesc,partnerCode,partnerISO,partnerDesc,partner2Code,partner2ISO,partner2Desc,classificationCode,
classificationSearchCode,isOriginalClassification,cmdCode,cmdDesc,aggrLevel,isLeaf,customsCode,
customsDesc,mosCode,motCode,motDesc,qtyUnitCode,qtyUnitAbbr,qty,isQtyEstimated,altQtyUnitCode,
altQtyUnitAbbr,altQty,isAltQtyEstimated,netWgt,isNetWgtEstimated,grossWgt,isGrossWgtEstimated,
cifvalue,fobvalue,primaryValue,legacyEstimationFlag,isReported,isAggregate""".replace("\n", "").split(",")
DECLARATION = {
    "typeCode": "C", "freqCode": "A", "refYear": "2024", "period": "2024", "reporterCode": "156",
    "reporterISO": "CHN", "reporterDesc": "China", "flowCode": "M", "partnerCode": "152", "partnerISO": "CHL",
    "partnerDesc": "Chile", "partner2Code": "0", "classificationCode": "H6",
    "isOriginalClassification": "True",
    "cmdCode": "260300", "customsCode": "C00", "mosCode": "0", "motCode": "0", "netWgt": "400250.0",
    "isNetWgtEstimated": "False", "primaryValue": "1000500.5",
}  # fmt: skip


def _comtrade(
    path: Path, *rows: dict[str, str], head: Sequence[str] = NEW, end: str = "", encoding: str = "utf-8"
) -> TradeReading:
    lines = [",".join(head)]
    lines += [
        ",".join(f'"{cell}"' if "," in cell else cell for cell in (row.get(name, "") for name in head)) + end
        for row in rows
    ]
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    assert isinstance(recognise(path), Comtrade)
    reading = Comtrade().read(path)
    if not reading.problems:
        counts = reading.counts()
        assert sum(counts.values()) == reading.rows == len(rows)
    return reading


def test_comtrade_keeps_both_declarations(tmp_path) -> None:
    other = DECLARATION | {
        "reporterCode": "152", "reporterISO": "CHL", "partnerCode": "156", "partnerISO": "CHN",
        "flowCode": "X", "netWgt": "380000", "primaryValue": "900000",
    }  # fmt: skip
    reading = _comtrade(tmp_path / "TradeData_11_4_2026_10_3_21.csv", DECLARATION, other)
    assert _flows(reading) == [
        (2024, "260300", "CHL", "CHN", "importer", 1_000_500.5, 400.25),
        (2024, "260300", "CHL", "CHN", "exporter", 900_000.0, 380.0),
    ]
    assert reading.trade is not None
    assert reading.trade["revision"].unique().to_list() == ["HS2022"]
    assert (reading.source, reading.vintage) == ("comtrade_v20261104", "2026-11-04")
    assert reading.source_entry is not None
    assert reading.source_entry["published"] == "2026-11-04"


#: what is changed, and the words of why it stands apart
APART = [
    ({"partnerCode": "0", "partnerISO": "W00"}, "totals with the world"),
    ({"flowCode": "RX"}, "re-exports"),
    ({"flowCode": "RM"}, "re-imports"),
    ({"flowCode": "XIP"}, "processing"),
    ({"freqCode": "M", "period": "202405"}, "monthly"),
    ({"partner2Code": "842"}, "breakdowns"),
    ({"motCode": "2100"}, "breakdowns"),
    ({"customsCode": "C04"}, "breakdowns"),
    ({"typeCode": "S"}, "services"),
    ({"classificationCode": "S4"}, "Harmonized System"),
    ({"cmdCode": "270900"}, "no packaged chain uses"),
    ({"reporterCode": "97", "reporterISO": "EUR"}, "group of states"),
    ({"partnerCode": "156", "partnerISO": "CHN"}, "same state"),
]


@pytest.mark.parametrize(("change", "words"), APART)
def test_what_is_no_flow_stands_apart(tmp_path, change, words) -> None:
    reading = _comtrade(tmp_path / "comtrade.csv", DECLARATION, DECLARATION | change)
    assert len(_flows(reading)) == 1
    (reason,) = reading.other["reason"].to_list()
    assert words in reason


@pytest.mark.parametrize(
    ("code", "letters", "place"),
    [
        ("490", "S19", "TWN"),
        ("899", "_X", "ROW"),
        ("842", "USA", "USA"),
        ("699", "", "IND"),
        ("124", "", "CAN"),
    ],
)
def test_codes_that_are_not_iso_find_their_place(tmp_path, code, letters, place) -> None:
    row = DECLARATION | {"partnerCode": code, "partnerISO": letters}
    assert _flows(_comtrade(tmp_path / "comtrade.csv", row))[0][2] == place


@pytest.mark.parametrize("weight", ["", "0", "0.0", "NA"])
def test_a_missing_weight_stays_missing_and_is_counted(tmp_path, weight) -> None:
    reading = _comtrade(tmp_path / "comtrade.csv", DECLARATION | {"netWgt": weight})
    assert _flows(reading)[0][-1] is None
    assert any("no weight" in note for note in reading.notes)


def test_names_in_the_windows_encoding_and_a_comma_at_the_end_are_read(tmp_path) -> None:
    row = DECLARATION | {"partnerDesc": "Türkiye", "partnerCode": "792", "partnerISO": "TUR"}
    reading = _comtrade(tmp_path / "comtrade.csv", row, end=",", encoding="cp1252")
    assert _flows(reading)[0][2] == "TUR"


def test_a_flow_in_two_revisions_is_taken_once(tmp_path) -> None:
    converted = DECLARATION | {"classificationCode": "H5", "isOriginalClassification": "False", "netWgt": "1"}
    reading = _comtrade(tmp_path / "comtrade.csv", converted, DECLARATION)
    assert [row[-1] for row in _flows(reading)] == [400.25]
    assert reading.counts()["other"] == 1


def test_the_same_declaration_twice_is_taken_once_and_two_that_differ_are_refused(tmp_path) -> None:
    assert len(_flows(_comtrade(tmp_path / "comtrade.csv", DECLARATION, DECLARATION))) == 1
    reading = _comtrade(tmp_path / "comtrade.csv", DECLARATION, DECLARATION | {"primaryValue": "7"})
    (found,) = reading.problems
    assert (found.row, found.key) == (3, "data.customs_twice")


OLD = """Classification;Year;Period;Period Desc.;Aggregate Level;Is Leaf Code;Trade Flow Code;Trade Flow;
Reporter Code;Reporter;Reporter ISO;Partner Code;Partner;Partner ISO;Commodity Code;Commodity;Qty Unit Code;
Qty Unit;Qty;Netweight (kg);Trade Value (US$);Flag""".replace("\n", "").split(";")


def test_the_earlier_layout_is_read(tmp_path) -> None:
    row = {
        "Classification": "H5", "Year": "2019", "Period": "2019", "Trade Flow Code": "1",
        "Trade Flow": "Import",
        "Reporter Code": "156", "Reporter ISO": "CHN", "Partner Code": "152", "Partner ISO": "CHL",
        "Commodity Code": "260300", "Commodity": "Copper ores, and concentrates", "Netweight (kg)": "400250",
        "Trade Value (US$)": "1000500",
    }  # fmt: skip
    world = row | {"Partner Code": "0", "Partner": "World", "Partner ISO": "WLD"}
    again = row | {"Trade Flow Code": "3", "Trade Flow": "Re-Export"}
    reading = _comtrade(tmp_path / "comtrade.csv", row, world, again, head=OLD)
    assert _flows(reading) == [(2019, "260300", "CHL", "CHN", "importer", 1_000_500.0, 400.25)]
    assert reading.source == "comtrade_2019_2019"
    assert reading.counts()["other"] == 2


@pytest.mark.parametrize(
    ("change", "column", "rule"),
    [
        ({"netWgt": "400,250"}, "netWgt", "number_comma"),
        ({"netWgt": "-1"}, "netWgt", "customs_negative"),
        ({"netWgt": "1_000"}, "netWgt", "customs_number"),
        ({"primaryValue": ""}, "primaryValue", "customs_number"),
        ({"primaryValue": "1 000"}, "primaryValue", "customs_number"),
        ({"netWgt": "٣"}, "netWgt", "customs_letter"),
        ({"refYear": "24"}, "refYear", "customs_no_period"),
        ({"refYear": "20243"}, "refYear", "customs_no_period"),
        ({"refYear": "2023"}, "refYear", "customs_no_period"),
        ({"period": "202413"}, "period", "customs_no_period"),
        ({"cmdCode": "26.0300"}, "cmdCode", "customs_goods"),
        ({"cmdCode": "26é300"}, "cmdCode", "customs_letter"),
        ({"partnerCode": "e392"}, "partnerCode", "customs_area"),
        ({"partnerISO": "2204"}, "partnerCode", "customs_area"),
        ({"partnerISO": "USA"}, "partnerCode", "customs_area"),
        ({"partnerCode": "842"}, "partnerCode", "customs_area"),
        ({"flowCode": "Q"}, "flowCode", "customs_flow"),
        ({"partnerCode": "996", "partnerISO": "QQQ"}, "partnerCode", "customs_area"),
    ],
)
def test_a_damaged_declaration_is_refused_by_row_and_column(tmp_path, change, column, rule) -> None:
    reading = _comtrade(tmp_path / "comtrade.csv", DECLARATION, DECLARATION | change)
    (found,) = reading.problems
    assert (found.row, found.column, found.key) == (3, column, f"data.{rule}")
    assert reading.trade is not None
    assert not reading.trade.height


def test_a_column_that_is_missing_or_shifted_is_named(tmp_path) -> None:
    head = [name for name in NEW if name != "netWgt"]
    (found,) = _comtrade(tmp_path / "comtrade.csv", DECLARATION, head=head).problems
    assert (found.row, found.key) == (1, "data.customs_missing")
    path = tmp_path / "comtrade.csv"
    _comtrade(path, DECLARATION)
    head_line, row = path.read_text().splitlines()
    path.write_text(f"{head_line}\n{row},stray\n{row.rpartition(',')[0]}\n")
    assert [(item.row, item.key) for item in Comtrade().read(path).problems] == [
        (2, "data.customs_cells"),
        (3, "data.customs_cells"),
    ]
