"""What would help: unused capacity, stocks and other forms, as the facts have them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from monazite.assess import assess
from monazite.core.text import say
from monazite.market.measures import contents
from monazite.market.measures.relief import RELIEF, relief
from monazite.market.scenario import ExportControl
from monazite.network import Network, load, toy
from monazite.stress import Stress, stress
from monazite.views.relief import relief as view
from monazite.views.relief import relief_sentences

QUAD = ("AUS", "IND", "JPN", "USA")


@pytest.fixture(scope="module")
def net() -> Network:
    return load(["rare_earths"])


@pytest.fixture(scope="module")
def quad(net: Network):  # type: ignore[no-untyped-def]
    return assess(net, "QUAD", measure=RELIEF)


@pytest.fixture(scope="module")
def hit(net: Network) -> Stress:
    ban = ExportControl("China", "dy_oxide", 1.0, f"{net.year + 1}-01", 12)
    return stress(net, ban, horizon=2, group="QUAD")


def rows(table: pl.DataFrame, measure: str, **where: str | None) -> pl.DataFrame:
    found = table.filter(pl.col("measure") == measure)
    for name, wanted in where.items():
        found = found.filter(pl.col(name).eq_missing(pl.lit(wanted, dtype=pl.String)))
    return found


def test_unused_capacity_is_capacity_less_output_in_tonnes_of_the_element(net: Network, quad) -> None:  # type: ignore[no-untyped-def]
    plant = net.activities.filter(pl.col("name") == "sep_mount_weld@MYS").row(0, named=True)
    made = net.flow[:, [plant["activity"]]].toarray().ravel()
    node = net.node_of("ndpr_oxide", "MYS")
    assert node is not None
    cell = rows(quad.table, "spare_capacity", activity="sep_mount_weld", place="MYS")
    assert cell["value"][0] == pytest.approx((plant["capacity"] - plant["level"]) * made[node], rel=1e-9)
    assert cell["unit"].to_list() == ["t/yr"]
    assert cell["by"].to_list() == ["CHN"]


def test_nothing_is_below_zero_and_nothing_stands_in_the_state_itself(quad) -> None:  # type: ignore[no-untyped-def]
    known = quad.table.drop_nulls("value")
    assert (known["low"] >= 0).all()
    assert (known["low"] <= known["value"]).all()
    assert (known["value"] <= known["high"]).all()
    own = known.filter(~pl.col("measure").is_in(["sent_abroad", "other_form"]))
    assert "CHN" not in own["place"].to_list()


def test_a_step_sums_its_plants_and_the_group_its_members(quad) -> None:  # type: ignore[no-untyped-def]
    spare = rows(quad.table, "spare_capacity")
    plants = spare.filter(pl.col("activity").is_not_null())
    for stage in plants["stage"].unique():
        here = plants.filter(pl.col("stage") == stage)
        whole = rows(spare, "spare_capacity", stage=stage, place="WLD")["value"][0]
        assert whole == pytest.approx(here["value"].sum(), rel=1e-9)
        inside = here.filter(pl.col("place").is_in(QUAD))["value"].sum()
        group = rows(spare, "spare_capacity", stage=stage, place="QUAD")
        assert (group["value"][0] if group.height else 0.0) == pytest.approx(inside, rel=1e-9)


def test_coverage_is_over_what_the_state_sends_in_goods_of_that_step_or_later(quad) -> None:  # type: ignore[no-untyped-def]
    sent = rows(quad.table, "sent_abroad").filter(pl.col("commodity").is_not_null())
    late = sent.filter(pl.col("stage") == "component")["value"].sum()
    spare = rows(quad.table, "spare_capacity", stage="component", place="WLD")["value"][0]
    cover = rows(quad.table, "spare_coverage", stage="component", place="WLD")["value"][0]
    assert cover == pytest.approx(spare / late, rel=1e-9)
    whole = rows(quad.table, "sent_abroad", commodity=None)["value"][0]
    assert whole == pytest.approx(sent["value"].sum(), rel=1e-9)


def test_exports_are_the_trade_flows_times_the_content(net: Network, quad) -> None:  # type: ignore[no-untyped-def]
    flows = net.activities.filter(
        (pl.col("type") == "trade")
        & (pl.col("place") == "CHN")
        & (pl.col("commodity") == "ndfeb_magnet_light")
    )
    content = contents(net, "NdPr").values["ndfeb_magnet_light"]
    cell = rows(quad.table, "sent_abroad", commodity="ndfeb_magnet_light")
    assert cell["value"][0] == pytest.approx(flows["level"].sum() * content, rel=1e-9)


def test_derivatives_are_those_of_the_figure(net: Network) -> None:
    """Raising a level by a tonne changes each figure by its slope, as it is linear or nearly so."""
    element, step = contents(net, "NdPr"), 1e-4
    found = relief(net, element, "CHN")
    for measure in ("spare_capacity", "spare_coverage", "sent_abroad"):
        chosen = next(h for h in found if h.measure == measure and h.levels)
        j = next(iter(chosen.levels))
        level = net.activities["level"].to_numpy().copy()
        level[j] += step
        moved = Network(**{**vars_of(net), "activities": net.activities.with_columns(level=pl.Series(level))})
        again = relief(moved, element, "CHN")[found.index(chosen)]
        assert again.figure is not None
        assert chosen.figure is not None
        assert (again.figure.value - chosen.figure.value) / step == pytest.approx(chosen.levels[j], rel=1e-3)


def vars_of(net: Network) -> dict[str, object]:
    return {name: getattr(net, name) for name in net.__dataclass_fields__}


def test_a_step_without_a_figure_stays_and_says_why(hit: Stress) -> None:
    separation = rows(hit.table, "spare_capacity", stage="refine", place="WLD")
    assert separation["value"].to_list() == [None]
    assert separation["status"].to_list() == ["missing"]
    assert separation["caveat"].to_list() == [say("relief.caveat_none")]
    assert rows(assess(toy(), "IND").table, "spare_capacity")["value"].null_count() == 3


def test_forms_that_a_control_names_are_no_other_forms(hit: Stress) -> None:
    assert set(rows(hit.table, "other_form")["commodity"]) == {"dy_metal", "ndfeb_magnet_heavy"}
    named = rows(hit.table, "sent_abroad").filter(pl.col("commodity").is_not_null())
    assert set(named["commodity"]) == {"dy_oxide"}
    assert set(rows(hit.table, "spare_capacity")["stage"]) == {"mine", "refine", "recycle"}


def test_stocks_are_months_of_what_passes_and_of_what_is_used(net: Network, quad) -> None:  # type: ignore[no-untyped-def]
    fact = net.facts.select("trader_stock", commodity="ndpr_oxide", place=None).row(0, named=True)
    node = net.node_of("ndpr_oxide", "JPN")
    assert node is not None
    held = rows(quad.table, "stock_held", commodity="ndpr_oxide", place="JPN", role="trader")
    assert held["value"][0] == pytest.approx(fact["value"] * net.throughput[node] / 12, rel=1e-9)
    parts = rows(quad.table, "stock_held").filter(pl.col("commodity").is_not_null())
    assert rows(quad.table, "stock_held", place="WLD")["value"][0] == pytest.approx(
        parts["value"].sum(), rel=1e-9
    )
    assert parts["kind"].is_in(["assumed", "derived", "estimated", "reported", "modelled"]).all()


def test_every_kind_of_cell_is_explained_by_its_facts(quad, hit: Stress) -> None:  # type: ignore[no-untyped-def]
    for measure in set(quad.table["measure"]):
        some = rows(quad.table, measure).drop_nulls("value")
        for cell in {some["cell_id"][0], some["cell_id"][-1]}:
            why = quad.explain(cell_id=cell)
            assert why.formula == say(f"relief.formula_{measure}")
            assert why.inputs.height
            assert why.sources.height
            assert str(why)
    for measure in ("spare_capacity", "other_form", "stock_held", "stock_months", "spare_coverage"):
        cell = rows(hit.table, measure).drop_nulls("value")["cell_id"][0]
        shown = hit.explain(cell_id=cell)
        assert shown["formula"] == say(f"relief.formula_{measure}")
        assert shown["facts"].height
        assert "coefficient" not in set(shown["facts"]["variable"])


@pytest.mark.parametrize("question", [{}, {"commodity": "dy_oxide"}, {"by": "USA"}, {"element": "Tb"}])
def test_the_picture_uses_the_tables_own_cells(net: Network, question: dict[str, str]) -> None:
    answer = assess(net, "QUAD", measure=RELIEF, **question)
    shown = view(answer.table, group="QUAD")
    cells = shown.data.select("cell_id", "value").join(
        answer.table.select("cell_id", pl.col("value").alias("own")), on="cell_id", how="left"
    )
    assert cells["value"].eq_missing(cells["own"]).all()
    assert shown.data["row"].to_list() == list(range(shown.data.height))
    assert shown.data.height <= 12
    assert np.all(np.diff(shown.data["value"].drop_nulls().to_numpy()[1:]) <= 0)
    assert shown.sentence


def test_sentences_name_the_narrowest_step_and_what_is_missing(quad, hit: Stress) -> None:  # type: ignore[no-untyped-def]
    said = relief_sentences(quad.table, group="QUAD")
    least = rows(quad.table, "spare_coverage", place="WLD").filter(pl.col("stage") != "recycle").sort("value")
    assert say(f"assess.stage_{least['stage'][0]}") in said[0]
    assert "mostly assumed" in said[0]
    assert "No plant outside China" in relief_sentences(hit.table)[0]
    assert relief_sentences(assess(toy(), "IND").table) == [say("view.relief_nothing", by="China")]
    assert relief_sentences(assess(toy(), "IND", measure="touch_share").table) == []
