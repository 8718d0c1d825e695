"""The flow map's words and refusals: no tonne is dropped in silence, one commodity at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from monazite.core.errors import ArgumentError, UnknownName
from monazite.report.twin import twins
from monazite.views import View, flow_map

GOLDEN = Path(__file__).parents[1] / "golden" / "views"


def trade() -> pl.DataFrame:
    frame = pl.read_csv(GOLDEN / "map_input.csv", infer_schema_length=None)
    return frame.with_columns(pl.col("period").cast(pl.String))


def made(**given: Any) -> View:
    return flow_map(trade(), **{"commodity": "ndpr_oxide", "top": 6, "focus": "IND", **given})


def spaced(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("top", [1, 3, 6, 50])
def test_no_tonne_is_dropped_by_drawing_only_the_largest(top: int) -> None:
    data = made(top=top, focus=None).data
    given = trade().filter((pl.col("measure") == "trade") & (pl.col("commodity") == "ndpr_oxide"))
    assert float(data["value"].sum()) == pytest.approx(float(given["value"].sum()))
    assert float(data["share"].sum()) == pytest.approx(1.0)


def test_flows_of_the_focus_are_kept_however_small() -> None:
    arcs = made(top=1).data.filter(pl.col("item") == "arc")
    assert set(arcs.filter(pl.col("focus"))["cell_id"]) == {"m08", "m09"}
    assert arcs.height == 3


def test_a_group_may_be_the_focus() -> None:
    assert made(focus="QUAD").encoding["focus"] == ["AUS", "IND", "JPN", "USA"]
    assert "Together" in made(focus="QUAD").sentence


def test_the_headline_names_the_largest_sender_and_what_the_focus_buys() -> None:
    text = spaced(made().sentence)
    assert "Malaysia sends 76 % of all that crosses borders (7,320 t/yr)" in text
    assert "2,800 t/yr (2,600–3,000 t/yr), from Malaysia to China" in text
    assert text.endswith("India buys 12 t/yr, 100 % of it from China.")


def test_what_is_not_drawn_is_said() -> None:
    notes = [spaced(note) for note in made().notes]
    assert any(note.startswith("3 smaller flows, 245 t/yr together (3 %)") for note in notes)
    assert "Flows without a public figure, not drawn: 1." in notes
    assert any("say nothing on status" in note for note in notes)
    assert not any("Other countries" in note for note in notes)


def test_the_rest_of_the_world_is_no_place_and_the_notes_say_where_it_stands() -> None:
    view = made(top=8)
    row = view.data.filter((pl.col("item") == "place") & (pl.col("place") == "ROW")).row(0, named=True)
    assert (row["lon"], row["lat"]) == (None, None)
    assert any("Other countries" in note for note in view.notes)


def test_the_table_of_a_map_has_every_flow_its_range_its_kind_and_its_cell() -> None:
    (table,) = twins(made())
    rows = [[cell.text for cell in row] for row in table.groups[0][1]]
    assert [spaced(text) for text in rows[0]] == ["Malaysia", "China", "2,800", "38 %"]
    assert rows[-1][0] == "3 smaller flows"
    first = table.groups[0][1][0][2]
    assert (first.within, first.kind, first.cell_id) == ("2,600–3,000", "reported", "m02")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop("partner"), "no column 'partner'"),
        (lambda t: t.filter(pl.col("measure") == "share"), "no row of the measure trade"),
        (lambda t: t.with_columns(pl.lit(0.0).alias("value")), "no row of the measure trade"),
        (lambda t: pl.concat([t, t]), "more than once"),
        (lambda t: t.with_columns(pl.lit(-1.0).alias("value")), "0 or more"),
        (lambda t: t.with_columns(pl.Series("period", ["2023"] + ["2024"] * (t.height - 1))), "at a time"),
        (lambda t: t.with_columns(pl.Series("unit", ["kt/yr"] + ["t/yr"] * (t.height - 1))), "at a time"),
    ],
    ids=["column", "measure", "nothing", "twice", "negative", "periods", "units"],
)
def test_a_table_that_is_no_map_is_refused_in_words(change: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        flow_map(change(trade()), commodity="ndpr_oxide")


def test_a_commodity_that_nobody_trades_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="ndpr_oxide"):
        made(commodity="ndpr_oxid")


def test_a_focus_that_is_no_place_is_refused() -> None:
    with pytest.raises(UnknownName):
        made(focus="Atlantis")
