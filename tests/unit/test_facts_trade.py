"""Flows from customs lines: who is believed, what is mended, what is merged, and that tonnes are kept."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from monazite.facts.trade import (
    LINE_COLUMNS,
    TRADE_COLUMNS,
    line_problems,
    trade_facts,
    trade_table,
    trade_years,
)

SCHEMA = {
    "source": pl.String, "year": pl.Int16, "hs": pl.String, "revision": pl.String, "exporter": pl.String,
    "importer": pl.String, "reporter": pl.String, "value_usd": pl.Float64, "quantity_t": pl.Float64,
}  # fmt: skip
PLACES = {"ore": {"CHL", "CHN", "JPN", "IND", "USA"}, "metal": {"CHL", "CHN", "JPN", "IND"}}


def line(**cells: Any) -> dict[str, Any]:
    made = {"commodity": "ore", "hs": "260300", "factor": "1", "share": "1", "complete": "yes"}
    return dict.fromkeys(LINE_COLUMNS) | made | {"source": "definition"} | cells


def lines(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dict.fromkeys(LINE_COLUMNS, pl.String))


def flows(*rows: tuple[Any, ...], reporter: str = "both", source: str = "baci_hs92") -> pl.DataFrame:
    """Rows of exporter, importer, USD per kg, tonnes (None: no weight; then the price is the value)."""
    made = []
    for exporter, importer, price, tonnes in rows:
        value = price if tonnes is None else 1000.0 * price * tonnes
        made.append((source, 2024, "260300", "HS1992", exporter, importer, reporter, value, tonnes))
    return pl.DataFrame(made, schema=SCHEMA, orient="row")


def made(table: pl.DataFrame, trade: pl.DataFrame, places: Any = PLACES) -> dict[Any, dict[str, Any]]:
    rows = trade_facts(table, 2024, places, trade)
    return {(r["commodity"], r["place"], r["partner"]): r for r in rows.iter_rows(named=True)}


def test_the_packaged_table_has_its_columns() -> None:
    assert tuple(trade_table().columns) == TRADE_COLUMNS


def test_a_plain_line_is_a_reported_flow() -> None:
    row = made(lines(line()), flows(("CHL", "CHN", 2.0, 500.0)))["ore", "CHL", "CHN"]
    assert (float(row["value"]), row["kind"], row["status"], row["low"]) == (500.0, "reported", "ok", None)
    assert row["source"] == "baci_hs92"
    assert "260300" in row["locator"]


def test_a_grade_makes_it_derived_and_widens_it() -> None:
    table = lines(line(factor="0.25", factor_low="0.2", factor_high="0.3"))
    row = made(table, flows(("CHL", "CHN", 2.0, 400.0)))["ore", "CHL", "CHN"]
    assert (float(row["value"]), row["kind"]) == (100.0, "derived")
    sigma = (float(row["high"]) - float(row["low"])) / 2.56
    assert sigma == pytest.approx(100.0 * (0.1**2 + (0.1 / 2.56 / 0.25) ** 2) ** 0.5, rel=1e-4)


def test_a_mixed_line_goes_by_price() -> None:
    table = lines(line(price_high="5"), line(commodity="metal", price_low="5"))
    found = made(table, flows(("CHL", "CHN", 2.0, 400.0), ("CHL", "JPN", 9.0, 300.0)))
    assert set(found) == {("ore", "CHL", "CHN"), ("metal", "CHL", "JPN")}


def test_an_absurd_unit_value_is_no_weight() -> None:
    trade = flows(("CHL", "CHN", 2.0, 1000.0), ("CHL", "JPN", 2.0, 1000.0), ("CHL", "IND", 0.02, 900.0))
    row = made(lines(line()), trade)["ore", "CHL", "IND"]
    assert float(row["value"]) == pytest.approx(9.0)
    assert row["kind"] == "derived"
    assert "900" in row["note"]


def test_without_a_weight_the_value_over_the_usual_price_stands() -> None:
    trade = flows(("CHL", "CHN", 2.0, 1000.0), ("CHL", "JPN", 50_000.0, None))
    assert float(made(lines(line()), trade)["ore", "CHL", "JPN"]["value"]) == pytest.approx(25.0)


def test_the_gap_between_two_declarations_stays() -> None:
    both = pl.concat(
        [
            flows(("CHL", "CHN", 2.0, 100.0), reporter="importer", source="comtrade"),
            flows(("CHL", "CHN", 2.0, 60.0), reporter="exporter", source="comtrade"),
        ]
    )
    row = made(lines(line()), both)["ore", "CHL", "CHN"]
    assert float(row["value"]) == 100.0
    assert float(row["low"]) < 80.0 < 120.0 < float(row["high"])


def test_small_flows_and_places_keep_the_tonnes() -> None:
    trade = flows(
        ("CHL", "CHN", 2.0, 10_000.0), ("CHL", "JPN", 2.0, 5.0), ("USA", "JPN", 2.0, 300.0),
        ("PER", "CHN", 2.0, 20.0), ("PER", "FRA", 2.0, 10.0),
    )  # fmt: skip
    found = made(lines(line()), trade)
    assert ("ore", "CHL", "JPN") not in found
    assert float(found["ore", "CHL", "ROW"]["value"]) == 5.0
    assert float(found["ore", "ROW", "JPN"]["value"]) == 5.0
    assert float(found["ore", "ROW", "CHN"]["value"]) == 20.0
    assert not any("PER" in key or "FRA" in key for key in found)
    sent = sum(float(r["value"]) for (_, o, _), r in found.items() if o == "CHL")
    assert sent == 10_005.0


def test_flows_of_another_year_are_estimates() -> None:
    late = flows(("CHL", "CHN", 2.0, 100.0)).with_columns(year=pl.lit(2023, pl.Int16))
    row = made(lines(line(period="2023")), late)["ore", "CHL", "CHN"]
    assert (row["kind"], row["period"]) == ("estimated", "2024")
    assert float(row["high"]) - float(row["low"]) == pytest.approx(2.56 * 20.0)


def test_years_need_every_complete_line() -> None:
    assert 2024 in trade_years(lines(line()), trade_table())
    assert 1999 not in trade_years(lines(line()), trade_table())


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"commodity": "stone"}, "commodity"),
        ({"hs": "123456"}, "hs"),
        ({"hs": None}, "hs"),
        ({"factor": "much"}, "factor"),
        ({"factor": "-1"}, "factor"),
        ({"complete": "perhaps"}, "complete"),
        ({"source": "nobody"}, "source"),
        ({"share": None}, "factor"),
        ({"share": "2"}, "share"),
        ({"factor": "inf"}, "factor"),
        ({"factor": "0.5", "factor_low": "0.6", "factor_high": "0.7"}, "factor_low"),
        ({"price_low": "5", "price_high": "1"}, "price_low"),
        ({"period": "abcd"}, "period"),
    ],
)
def test_a_wrong_line_is_named(cells: dict[str, Any], column: str) -> None:
    table = lines(line(**cells)).with_columns(row=pl.lit(2))
    found = line_problems(table, {"ore", "metal"}, {"definition"})
    assert [(item.row, item.column) for item in found] == [(2, column)]


def test_a_line_that_stands_twice_is_named() -> None:
    table = lines(line(), line(caveat="again")).with_columns(row=pl.Series([2, 3]))
    assert [item.row for item in line_problems(table, {"ore"}, {"definition"})] == [3]


def test_no_line_at_all_can_be_said() -> None:
    table = lines(line(hs=None, complete="no")).with_columns(row=pl.lit(2))
    assert line_problems(table, {"ore"}, {"definition"}) == []
    assert made(lines(line(hs=None, complete="no")), flows(("CHL", "CHN", 2.0, 1.0))) == {}
