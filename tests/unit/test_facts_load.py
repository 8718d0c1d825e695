"""Loading: what is kept, which figure holds where two differ, what is refused and how it is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from monazite.core.errors import FactsError, UnknownName
from monazite.facts import FactTable, chains, commodity_chains, load, years
from monazite.facts.folder import packaged
from monazite.facts.rules import FACT_COLUMNS

World = Any


def little(world: World, **asked: Any) -> FactTable:
    return load(["little"], path=world.folder, **asked)


def one(table: FactTable, variable: str, **subject: Any) -> dict[str, Any]:
    return table.select(variable, **subject).row(0, named=True)


def test_a_table_has_its_columns_and_its_rows(world: World) -> None:
    table = little(world)
    assert tuple(table.frame.columns[: len(FACT_COLUMNS)]) == FACT_COLUMNS
    assert {"chain", "fact_id", "sigma"} <= set(table.frame.columns)
    assert table.frame.height == len(world.rows)
    assert (table.year, table.chains, table.losers.height) == (2024, ("little",), 0)
    assert table.frame["fact_id"].to_list() == list(range(len(world.rows)))
    assert set(table.sources["source"]) == {"survey_old", "assumption"}


def test_missing_stays_missing(world: World) -> None:
    world.change("output", value="", status="withheld", low="50")
    row = one(little(world), "output", activity="little_mine")
    assert (row["value"], row["low"], row["high"], row["sigma"], row["status"]) == (
        None,
        50,
        None,
        None,
        "withheld",
    )


def test_units_become_the_variables_own_and_what_was_written_stays(world: World) -> None:
    world.change("output", value="1.2", low="1.0", high="1.4", unit="kt/yr")
    row = one(little(world), "output", activity="little_mine")
    assert [row[name] for name in ("value", "low", "high", "unit")] == [1200, 1000, 1400, "t/yr"]
    assert row["sigma"] == pytest.approx(400 / 2.56)
    assert (row["written"], row["unit_written"]) == ("1.2", "kt/yr")


def test_the_reference_coefficient_is_exact_and_others_are_not(world: World) -> None:
    rows = little(world).select("coefficient", activity="little_plant")
    found = dict(rows.select("commodity", "sigma").iter_rows())
    assert found["little_ore"] == 0
    assert found["little_oxide"] == pytest.approx(0.05 * 0.3)


def test_of_two_sources_the_better_kind_holds_then_the_later_one(world: World) -> None:
    world.add(**{**world.rows[4], "value": "1300", "kind": "estimated", "source": "survey_new"})
    table = little(world)
    row = one(table, "output", activity="little_mine")
    assert row["value"] == 1000
    assert row["sigma"] == pytest.approx(150)
    assert table.losers["value"].to_list() == [1300]
    world.rows[-1]["kind"] = "reported"
    world.write()
    row = one(little(world), "output", activity="little_mine")
    assert (row["value"], row["source"]) == (1300, "survey_new")


def test_a_figure_stands_before_none_and_a_wide_sigma_is_kept(world: World) -> None:
    world.change("output", value="", status="missing")
    world.add(**{**world.rows[4], "value": "900", "status": "ok", "kind": "assumed", "source": "survey_new"})
    row = one(little(world), "output", activity="little_mine")
    assert (row["value"], row["sigma"]) == (900, 450)


def test_explain_shows_the_source_and_the_losers(world: World) -> None:
    world.add(**{**world.rows[4], "value": "1300", "kind": "estimated", "source": "survey_new"})
    table = little(world)
    winner = one(table, "output", activity="little_mine")["fact_id"]
    shown = table.explain([winner])
    assert shown["chosen"].to_list() == [True, False]
    assert shown["citation"].to_list() == ["A survey, first edition", "A survey, second edition"]
    assert table.explain(table.losers["fact_id"]).equals(shown)
    assert table.explain([]).height == 0
    with pytest.raises(UnknownName, match="fact '999'"):
        table.explain([999])


def test_only_the_year_its_months_and_the_timeless_are_kept(world: World) -> None:
    before = little(world).frame.height
    for period in ("2023", "2025-01", "2024-05"):
        world.add(variable="price", commodity="little_rest", period=period, value="2", basis="oxide")
    table = little(world)
    assert table.frame.height == before + 1
    assert set(table.frame["period"].drop_nulls()) == {"2024", "2024-05"}


def test_a_year_needs_output_and_trade_or_use(world: World) -> None:
    world.add(variable="output", activity="little_mine", place="CHN", period="2022", value="900")
    assert years("little", path=world.folder) == (2024,)
    world.add(variable="use", commodity="little_oxide", activity="little_lamp", place="IND", period="2022",
              value="9", basis="oxide")  # fmt: skip
    assert years("little", path=world.folder) == (2022, 2024)
    assert little(world).year == 2024
    assert little(world, year=2022).select("output")["value"].to_list() == [900]
    with pytest.raises(FactsError, match="no facts for 2023; it has 2022, 2024"):
        little(world, year=2023)


def test_select_by_subject(world: World) -> None:
    table = little(world)
    assert table.select("coefficient", commodity=["little_ore", "little_rest"]).height == 3
    assert table.select("price", place=None).height == 1
    assert table.select("price", place="CHN").height == 0
    with pytest.raises(UnknownName, match="did you mean 'output'"):
        table.select("outptu")
    with pytest.raises(UnknownName, match="did you mean 'commodity'"):
        table.select("price", comodity="x")


def test_a_wrong_table_is_refused_with_file_row_column_and_nearest_name(world: World) -> None:
    row = world.change("trade", place="CHNN", source="survey_od")
    with pytest.raises(FactsError) as caught:
        little(world)
    assert caught.value.exit_code == 4
    text = str(caught.value)
    assert f"little/facts.csv: row {row}, column place: unknown place 'CHNN'; did you mean 'CHN'?" in text
    assert "1 more" in text


def test_a_wrong_chain_folder_or_table_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean 'little'"):
        load(["litle"], path=world.folder)
    with pytest.raises(FactsError, match="there is no chain"):
        load(path=tmp_path / "empty")
    (world.chain / "activities.csv").unlink()
    with pytest.raises(FactsError, match="activities"):
        little(world)


def test_an_id_in_two_chains_is_refused(world: World) -> None:
    other = world.folder / "other"
    other.mkdir()
    for item in world.chain.iterdir():
        text = item.read_text().replace(",little,", ",other,")
        (other / item.name).write_text(text)
    with pytest.raises(FactsError, match="'little_ore' stands in two chains"):
        load(path=world.folder)


def test_the_hash_is_of_the_content(world: World) -> None:
    one_ = little(world).content_hash
    assert little(world).content_hash == one_
    world.change("output", note="a word more")
    assert little(world).content_hash != one_


def test_thousands_of_rows_are_read_and_kept_apart_by_year(world: World) -> None:
    for number in range(3000):
        period = f"{1900 + number // 12}-{number % 12 + 1:02d}"
        world.rows.append({**world.rows[6], "place": "CHN", "partner": "USA", "period": period})
    world.write()
    months = little(world).frame["period"].drop_nulls().str.slice(0, 4).unique().to_list()
    assert months == ["2024"]


def test_packaged_chains() -> None:
    assert "toy" in packaged().names()
    assert "toy" not in chains()
    assert commodity_chains()["toy_metal"] == "toy"
    with pytest.raises(UnknownName):
        years("rare_earth_")


@pytest.mark.parametrize("chain", packaged().names())
def test_every_packaged_chain_loads_in_every_year(chain: str) -> None:
    assert years(chain)
    for year in years(chain):
        table = load([chain], year)
        assert table.frame["source"].is_in(table.sources["source"].to_list()).all()
        assert table.sources.filter(pl.col("citation") == "").is_empty()
        figures = table.frame.filter(pl.col("value").is_not_null())
        assert figures["sigma"].is_not_null().all()
        assert (figures["sigma"] >= 0).all()
