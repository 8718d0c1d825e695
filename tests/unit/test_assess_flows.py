"""Trade and the flows between stages in the table of `assess`, and the pictures drawn from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from monazite.assess import Assessment, assess
from monazite.market.measures import contents, element_flows
from monazite.market.measures.stage_flows import stage_flows, stage_links
from monazite.network import Network, load, toy
from monazite.views import views_of
from monazite.views.catalogue import flows_of, mapped, start_of


@pytest.fixture(scope="module")
def net() -> Network:
    return load(["rare_earths"])


@pytest.fixture(scope="module")
def india(net: Network) -> Assessment:
    return assess(net, "IND")


def rows(answer: Assessment, measure: str) -> pl.DataFrame:
    return answer.table.filter(pl.col("measure") == measure)


def test_every_flow_at_work_is_a_row_and_no_other(net: Network, india: Assessment) -> None:
    live = net.activities.filter((pl.col("type") == "trade") & (pl.col("level") > 1e-9))
    both = rows(india, "trade").join(
        live.select("commodity", pl.col("place").alias("partner"), pl.col("partner").alias("place"), "level"),
        on=["commodity", "place", "partner"],
        how="full",
    )
    assert both.height == live.height
    assert (both["value"] == both["level"]).all()
    assert rows(india, "trade")["value"].sum() == pytest.approx(live["level"].sum())
    assert ((both["low"] <= both["value"]) & (both["value"] <= both["high"])).all()


def test_trade_is_the_worlds_whatever_the_subject(net: Network, india: Assessment) -> None:
    other = rows(assess(net, "DEU", measure="trade"), "trade")
    assert other.equals(rows(india, "trade").select(other.columns))
    some = assess(net, "IND", commodity="dy_oxide", measure="trade").table
    assert set(some["commodity"]) == {"dy_oxide"}
    assert set(assess(net, "IND", stage="metal", measure="trade").table["stage"]) == {"metal"}


def test_why_a_flow_is_what_it_is(net: Network, india: Assessment) -> None:
    cell = rows(india, "trade").filter(
        (pl.col("commodity") == "conc_monazite") & (pl.col("partner") == "THA") & (pl.col("place") == "CHN")
    )
    why = india.explain(cell_id=cell["cell_id"][0])
    level = why.inputs.row(0, named=True)
    assert why.inputs.height == 1
    assert level["level"] == cell["value"][0]
    stated = net.activities.filter(pl.col("name") == level["activity"])
    assert level["estimate"] == stated["estimate"][0]
    assert level["moved"] is not None
    assert any("standard deviations" in note for note in why.notes)
    assert "trade" in why.sources["variable"].to_list()
    assert "Thailand to China" in str(why)


def test_links_are_those_of_the_sankey_to_the_digit(net: Network, india: Assessment) -> None:
    flows = stage_flows(net, "NdPr")
    table = flows_of(india.table)
    keys = ["stage_from", "place_from", "stage_to", "place_to", "role"]
    both = table.join(flows, on=keys, how="full", nulls_equal=True, suffix="_of")
    assert both.height == flows.height == table.height
    assert np.allclose(both["value"], both["value_of"])
    assert (both["kind"] == both["kind_of"]).all()


def test_a_link_moves_with_the_levels_as_its_derivative_says(net: Network) -> None:
    content = contents(net, "NdPr")
    flows = element_flows(net, content)
    links = stage_links(net, flows, content)
    assert np.allclose(links.gradient @ net.level, links.frame["value"].to_numpy())
    link = int(np.argmax([np.count_nonzero(row) for row in links.gradient]))
    busiest = np.argsort(-np.abs(links.gradient[link]) * net.level)[:3]
    for j in busiest:
        level = net.level.copy()
        step = 1e-5 * level[j]
        level[j] += step
        moved = Network(
            **{name: getattr(net, name) for name in net.__dataclass_fields__ if name != "activities"},
            activities=net.activities.with_columns(level=pl.Series(level)),
        )
        key = links.frame.row(link)[:4]
        again = stage_flows(moved, "NdPr")
        found = next(row for row in again.rows() if row[:4] == key and row[6] == links.frame["role"][link])
        change = (found[4] - links.frame["value"][link]) / step
        assert change == pytest.approx(links.gradient[link, j], rel=1e-3, abs=1e-7)


@pytest.mark.parametrize("role", ["flow", "stock", "loss"])
def test_why_a_link_is_what_it_is(india: Assessment, role: str) -> None:
    some = rows(india, "stage_flow").filter(pl.col("role") == role)
    why = india.explain(cell_id=some["cell_id"][0])
    assert why.inputs.height
    assert why.sources.height
    assert why.formula.startswith("Σ w h")


QUESTIONS: list[tuple[Any, dict[str, Any]]] = [
    ("IND", {}),
    ("QUAD", {"by": "china"}),
    ("LUX", {}),
    (["IND", "USA"], {"commodity": "ndfeb_magnet_heavy"}),
    ("IND", {"commodity": "dy_oxide"}),
    ("IND", {"commodity": "conc_rock"}),
    ("IND", {"commodity": "magnet_scrap"}),
    ("IND", {"commodity": "ev_motor"}),
    ("JPN", {"stage": "refine"}),
    ("JPN", {"element": "Dy"}),
    ("IND", {"by": "LUX"}),
]


@pytest.mark.parametrize(("subject", "question"), QUESTIONS)
def test_every_picture_that_is_offered_can_be_made(
    net: Network, subject: Any, question: dict[str, Any]
) -> None:
    answer = assess(net, subject, **question)
    views = views_of(answer)
    assert views
    cells = set(answer.table["cell_id"])
    for make in views.values():
        view = make()
        assert view.sentence
        assert set(view.data["cell_id"].drop_nulls()) <= cells


def test_several_chains_at_once_have_their_pictures() -> None:
    answer = assess(load(["gallium", "rare_earths"]), "IND")
    assert list(views_of(answer)) == ["dependence", "chokepoint", "chain", "map", "relief"]
    assert start_of(flows_of(answer.table, chain="gallium")) == "refine"
    assert start_of(flows_of(answer.table, chain="rare_earths")) is None
    shown = views_of(answer)["chain"]()
    known = answer.table.select("cell_id", pl.col("value").alias("own"))
    links = shown.data.filter(pl.col("cell_id").is_not_null()).join(known, on="cell_id", how="left")
    assert links.height
    assert np.allclose(links["value"], links["own"])


def test_many_chains_list_flows_only_where_they_are_asked_for() -> None:
    many = load(["gallium", "rare_earths", "tin", "tungsten"])
    assert not {"trade", "stage_flow"} & set(assess(many, "IND").table["measure"])
    assert set(assess(many, "IND", measure="trade").table["measure"]) == {"trade"}


def test_the_map_shows_what_the_subject_buys_most_of_at_the_end_of_the_chain(india: Assessment) -> None:
    good = mapped(india.table, india.members)
    trade = rows(india, "trade")
    bought = trade.filter((pl.col("place") == "IND") & (pl.col("stage") == "component"))
    assert good == bought.sort("value", descending=True)["commodity"][0]
    assert mapped(assess(toy(), "IND", measure="share").table) is None


def test_an_element_that_passes_no_metal_has_no_metal_share(india: Assessment) -> None:
    metal = rows(india, "metal_share").filter(pl.col("element").is_in(["Ce", "Ho"]))
    assert metal.height
    assert metal["value"].null_count() == metal.height
    assert set(metal["status"]) == {"not_applicable"}


def test_the_summary_tells_the_worlds_figure_from_the_subjects(india: Assessment) -> None:
    said = india.findings()[1]
    assert "the rest of the world makes" in said
    assert "in India" in said


def test_a_question_about_a_good_or_a_use_is_answered_as_such(net: Network) -> None:
    magnets = assess(net, "IND", commodity="ndfeb_magnet_heavy").findings()
    assert "dysprosium in the NdFeB magnets, heavy grades" in magnets[0]
    nothing = assess(net, "IND", commodity="dy_oxide").findings()
    assert "no use of dysprosium oxide" in nothing[0]
    assert "China" in nothing[1]
    assert "passed through it" in assess(net, "IND", commodity="ev_motor").summary()
    assert "Nothing can be said" not in assess(net, "IND", measure="hhi").summary()


@pytest.mark.parametrize("name", ["China", "china", "CHN", "chn"])
def test_a_state_may_be_named_by_its_name(name: str) -> None:
    net = toy()
    answer = assess(net, "India", by=name, measure="touch_share")
    assert set(answer.table["by"].drop_nulls()) == {"CHN"}
    assert assess(net, "IND").explain("touch_share", by=name).cell["by"] == "CHN"
