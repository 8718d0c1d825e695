"""Products: what is in one adds up, links hold, wrong tables are refused with their row."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from monazite.core import schema
from monazite.core.errors import FactsError, UnknownName
from monazite.core.settings import data_folder
from monazite.core.units import units
from monazite.facts.folder import packaged
from monazite.facts.products import load_products, product_sources, product_table, products
from monazite.facts.records import chain_names
from monazite.views.products import product_content, product_makers

NAMES = products()["product"].to_list()
WANTED = {
    "electric_vehicle", "hybrid_vehicle", "combustion_vehicle", "battery_pack_nmc", "battery_pack_lfp",
    "logic_wafer", "memory_wafer", "power_device", "ai_server", "datacentre_megawatt", "optical_transceiver",
    "wind_onshore", "wind_offshore", "industrial_motor",
}  # fmt: skip
Copy = Callable[..., Path]


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """Copy the packaged tables of products with one cell of one of them changed."""

    def make(table: str = "facts", row: int = 0, **cells: str) -> Path:
        for name in ("products", "facts", "uses"):
            path = data_folder() / "products" / f"{name}.csv"
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            if name == table:
                rows[row] |= cells
            with (tmp_path / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, rows[0])
                writer.writeheader()
                writer.writerows(rows)
        return tmp_path

    return make


def test_every_product_wanted_is_there_and_needs_something() -> None:
    assert set(NAMES) == WANTED
    assert products()["commodities"].min() > 0  # type: ignore[operator]


def test_products_need_several_chains_at_once() -> None:
    chains = dict(products().select("product", "chains").iter_rows())
    assert sum(len(name.split(";")) > 2 for name in chains.values()) >= 10
    assert {"rare_earths", "lithium", "copper"} <= set(chains["electric_vehicle"].split(";"))


def test_every_content_names_a_packaged_commodity_on_its_basis() -> None:
    content = load_products().facts.filter(pl.col("variable") == "content_per_unit")
    goods = chain_names()["commodity"]
    for commodity, basis in content.select("commodity", "basis").iter_rows():
        assert commodity in goods, commodity
        assert basis == goods[commodity][1], commodity


def test_every_link_joins_a_commodity_and_an_end_use_of_one_chain() -> None:
    names = chain_names()
    assert load_products().uses.height > 10
    for commodity, activity in load_products().uses.select("commodity", "activity").iter_rows():
        assert names["commodity"][commodity][0] == names["activity"][activity][0]


def test_every_material_is_linked_to_an_end_use_that_takes_it() -> None:
    takes: set[tuple[str, str]] = set()
    folder = packaged()
    for chain in folder.names():
        rows = pl.read_csv(folder.chains / chain / "facts.csv", infer_schema_length=0)
        rows = rows.filter(pl.col("variable").is_in(["use", "use_share"]))
        takes |= set(rows.select("commodity", "activity").iter_rows())
    linked = set(load_products().uses.select("product", "commodity").iter_rows())
    content = load_products().facts.filter(pl.col("variable") == "content_per_unit")
    assert set(content.select("activity", "commodity").iter_rows()) == linked
    assert set(load_products().uses.select("commodity", "activity").iter_rows()) <= takes


def test_every_fact_has_source_kind_unit_and_a_range_where_assumed() -> None:
    facts = load_products().facts
    sources = set(packaged().read_sources())
    assert set(facts["source"]) <= sources
    assert set(facts["kind"]) <= set(schema.enum("kind"))
    assert set(facts["unit"]) <= set(units())
    assumed = facts.filter(pl.col("kind") == "assumed", pl.col("value").is_not_null())
    assert assumed["low"].null_count() == assumed["high"].null_count() == 0
    assert facts.filter(pl.col("value").is_null(), pl.col("status") == "ok").is_empty()


def test_shares_of_the_world_are_at_most_whole() -> None:
    for product in NAMES:
        table = product_table(product)
        sums = (
            table.filter(pl.col("measure").is_in(["maker_share", "made_share", "capacity_share"]))
            .group_by("measure", "commodity")
            .agg(pl.col("value").sum())
        )
        assert sums.filter(pl.col("value") > 1 + 1e-9).is_empty(), product


def test_no_product_needs_more_than_the_world_makes() -> None:
    """The central figures stand a test that no single source gives: need is less than output."""
    for product in NAMES:
        needs = product_table(product).filter(pl.col("measure") == "need_share")
        assert needs.filter(pl.col("value") >= 1).is_empty(), needs.filter(pl.col("value") >= 1)


def test_need_is_content_times_what_the_world_makes() -> None:
    table = product_table("electric_vehicle")

    def cell(measure: str, **chosen: str) -> float:
        rows = table.filter(pl.col("measure") == measure, *(pl.col(k) == v for k, v in chosen.items()))
        return float(rows["value"].item())

    content = cell("content_per_unit", commodity="ndfeb_magnet_heavy")
    made = cell("made", place="WLD")
    need = cell("need", commodity="ndfeb_magnet_heavy")
    assert need == pytest.approx(content * made / 1000)


def test_sources_of_a_table_are_those_that_it_names() -> None:
    table = product_table("wind_offshore")
    named = {name for cell in table["source"] for name in cell.split(";")}
    assert set(product_sources(table)["source"]) == named


def test_an_unknown_product_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="ai_server"):
        product_table("ai_servers")


BAD = {
    "unknown commodity": ({"commodity": "ndfeb_magnet_heavi"}, "row 2, column commodity", "did you mean"),
    "unknown product": ({"activity": "electric_vehicel"}, "row 2, column activity", "electric_vehicle"),
    "unknown unit": ({"unit": "kg/unitt"}, "row 2, column unit", "kg/unit"),
    "wrong unit": ({"unit": "t/yr"}, "row 2, column unit", "kg/unit"),
    "no source": ({"source": ""}, "row 2, column source", "source"),
    "unknown source": ({"source": "batpac_2042"}, "row 2, column source", "batpac_2024"),
    "disordered range": ({"low": "1e9"}, "row 2, column low", "above"),
    "negative": ({"value": "-1", "low": "", "high": ""}, "row 2, column value", "below zero"),
    "assumed without a range": ({"kind": "assumed", "low": ""}, "row 2, column low", "range"),
    "variable of a chain": ({"variable": "output"}, "row 2", "output"),
    "another basis": ({"basis": "P2O5"}, "row 2, column basis", "P2O5"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_table_is_refused_with_row_and_column(copy: Copy, name: str) -> None:
    cells, where, says = BAD[name]
    with pytest.raises(FactsError) as told:
        load_products(copy(**cells))
    assert where in str(told.value)
    assert says in str(told.value)


def test_shares_over_the_whole_are_refused(copy: Copy) -> None:
    facts = pl.read_csv(data_folder() / "products" / "facts.csv", infer_schema_length=0)
    row = facts["variable"].to_list().index("capacity_share")
    with pytest.raises(FactsError, match="above 100 %"):
        load_products(copy(row=row, value="0.8"))


def test_a_link_across_chains_is_refused(copy: Copy) -> None:
    with pytest.raises(FactsError, match="is an activity of the chain gallium"):
        load_products(copy("uses", commodity="ndfeb_magnet_heavy", activity="led_laser"))


def test_a_figure_of_products_in_a_chain_is_refused(tmp_path: Path) -> None:
    from monazite.facts.check import check_file

    head = "variable,commodity,activity,place,partner,period,value,low,high,unit,basis,kind,status,source"
    row = "content_per_unit,ga_wafer,ai_server,,,,1,,,kg/unit,contained metal,reported,ok,assumption"
    (tmp_path / "facts.csv").write_text(f"{head},locator,note\n{row},,\n")
    assert any("ai_server" in str(item) for item in check_file(tmp_path / "facts.csv"))


@pytest.mark.parametrize("product", NAMES)
def test_the_pictures_say_what_the_table_says(product: str) -> None:
    table = product_table(product)
    view = product_content(table, name="It", counted="piece")
    shown = dict(view.data.select("cell_id", "value").iter_rows())
    wanted = table.filter(pl.col("measure") == "content_per_unit")
    assert shown == dict(wanted.select("cell_id", "value").iter_rows())
    assert "piece" in view.sentence
    makers = product_makers(table, name="It")
    largest = table.filter(pl.col("measure") == "maker_share")["value"].max()
    assert makers.data["value"].max() == largest
