"""Which rows a picture shows, and how several places and several plants of one stage are told apart."""

from __future__ import annotations

from types import SimpleNamespace

import polars as pl
import pytest

from monazite.core.errors import ArgumentError
from monazite.market.scenario import ExportControl
from monazite.network import toy
from monazite.stress import stress
from monazite.views import dependence, ranking, sankey, timeline, views_of
from monazite.views.catalogue import marks_of, path_of, steps_of


def flow(
    first: str | None, place: str, last: str | None, to: str | None, value: float, role: str = "flow"
) -> dict:
    return {
        "stage_from": first, "place_from": place if first else None, "stage_to": last, "place_to": to,
        "value": value, "unit": "t/yr", "kind": "reported", "role": role,
    }  # fmt: skip


def links(*rows: dict, **options: object) -> list[tuple[str, str, float, str]]:
    data = sankey(pl.DataFrame(list(rows), infer_schema_length=None), **options).data  # type: ignore[arg-type]
    names = {
        row["node"]: f"{row['stage']}:{row['place'] or row['role']}"
        for row in data.filter(pl.col("item") == "node").to_dicts()
    }
    found = data.filter(pl.col("item") == "link").to_dicts()
    return [(names[row["source"]], names[row["target"]], row["value"], row["role"]) for row in found]


def test_a_plant_that_feeds_one_of_its_own_stage_passes_on_what_it_took() -> None:
    found = links(
        flow("mine", "AUS", "refine", "MYS", 10.0),
        flow("refine", "MYS", "refine", "CHN", 4.0),
        flow("refine", "MYS", "metal", "JPN", 6.0),
        flow("refine", "CHN", "metal", "CHN", 4.0),
    )
    assert ("mine:AUS", "refine:CHN", 4.0, "flow") in found
    assert ("mine:AUS", "refine:MYS", 6.0, "flow") in found
    assert not any(role == "unexplained" for *_, role in found)


def test_a_concentrate_that_only_repeats_the_mine_is_left_out_and_named() -> None:
    rows = [
        flow("mine", "CHN", "concentrate", "CHN", 9.0),
        flow("mine", "USA", "concentrate", "USA", 3.0),
        flow("concentrate", "CHN", "refine", "CHN", 9.0),
        flow("concentrate", "USA", "refine", "CHN", 3.0),
    ]
    assert links(*rows) == [("mine:CHN", "refine:CHN", 9.0, "flow"), ("mine:USA", "refine:CHN", 3.0, "flow")]
    assert "concentrate" in " ".join(sankey(pl.DataFrame(rows)).notes)


def test_a_concentrate_with_trade_before_it_is_kept() -> None:
    found = links(
        flow("mine", "USA", "concentrate", "CHN", 9.0),
        flow("concentrate", "CHN", "refine", "CHN", 9.0),
    )
    assert [source for source, *_ in found] == ["mine:USA", "concentrate:CHN"]


def test_a_sankey_can_begin_at_a_later_stage() -> None:
    found = links(
        flow("mine", "CHN", "refine", "CHN", 90.0),
        flow("mine", "CHN", None, None, 900.0, "stock"),
        flow("refine", "CHN", "metal", "CHN", 90.0),
        first="refine",
    )
    assert found == [("refine:CHN", "metal:CHN", 90.0, "flow")]


def test_what_a_node_gives_more_than_it_takes_has_an_unexplained_source() -> None:
    found = links(
        flow("mine", "CHN", "refine", "CHN", 5.0),
        flow("refine", "CHN", "metal", "CHN", 8.0),
        flow("metal", "CHN", "component", "CHN", 8.0),
    )
    assert ("mine:unexplained", "refine:CHN", 3.0, "unexplained") in found


def shares() -> pl.DataFrame:
    rows = [
        (measure, place, "CHN", value)
        for place, values in {
            "IND": (0.75, 0.6, 0.9, 0.9, 0.9, 0.92),
            "USA": (0.8, 0.5, 0.9, 0.9, 0.9, 0.96),
        }.items()
        for measure, value in zip(
            (
                "direct_share",
                "mined_share",
                "separated_share",
                "metal_share",
                "component_share",
                "touch_share",
            ),
            values,
            strict=True,
        )
    ]
    frame = pl.DataFrame(rows, schema=["measure", "place", "by", "value"], orient="row")
    return frame.with_columns(
        chain=pl.lit("rare_earths"), stage=pl.lit("component"), element=pl.lit("NdPr"),
        kind=pl.lit("modelled"), status=pl.lit("ok"),
    )  # fmt: skip


def test_dependence_sets_places_side_by_side_in_the_order_asked_for() -> None:
    view = dependence(shares(), by="CHN", places=["USA", "IND"])
    touched = view.data.filter(pl.col("measure") == "touch_share").sort("column")
    assert touched["value"].to_list() == [0.96, 0.92]
    assert (
        view.data["row_label"].unique(maintain_order=True).to_list()[-1]
        == "passed through China at any stage"
    )
    assert "United States 96" in view.sentence


def test_dependence_on_a_state_without_rows_is_refused() -> None:
    with pytest.raises(ArgumentError):
        dependence(shares(), by="RUS")


def test_mining_is_told_by_element_and_refining_by_commodity() -> None:
    table = pl.DataFrame({
        "measure": ["share"] * 5, "chain": ["c"] * 5, "place": ["WLD"] * 5,
        "stage": ["mine", "mine", "concentrate", "refine", "refine"],
        "commodity": [None, None, "ore_x", "dy_oxide", "la_oxide"], "element": ["Dy", "Nd", None, None, None],
        "by": ["CHN"] * 5, "value": [1.0] * 5,
    })  # fmt: skip
    chosen = steps_of(table, commodities=["dy_oxide"], elements={"c": ["Nd"]})
    assert chosen.select("stage", "commodity", "element").rows() == [
        ("mine", None, "Nd"),
        ("refine", "dy_oxide", None),
    ]
    assert steps_of(table.filter(pl.col("stage") != "mine"))["commodity"].to_list()[0] == "ore_x"


@pytest.fixture(scope="module")
def hit():  # type: ignore[no-untyped-def]
    return stress(toy(), ExportControl("CHN", "toy_metal", 1.0, "2025-01", 6), horizon=8)


def test_an_answer_of_stress_has_a_timeline_with_the_control_on_it(hit) -> None:  # type: ignore[no-untyped-def]
    view = views_of(hit)["timeline"]()
    assert view.encoding["controls"][0]["period"] == "January 2025"
    measures = {panel["measure"] for panel in view.encoding["panels"]}
    assert {"price_multiple", "exports_multiple"} <= measures
    known = hit.table.drop_nulls("value").select("cell_id")
    assert view.data.drop_nulls("value").join(known, on="cell_id", how="anti").is_empty()


def test_prices_of_the_restricting_state_are_no_headline(hit) -> None:  # type: ignore[no-untyped-def]
    chosen = path_of(hit.table).filter(pl.col("measure") == "price_multiple")
    assert "CHN" not in chosen["place"].to_list()


def test_a_result_without_a_known_measure_has_no_picture() -> None:
    nothing = SimpleNamespace(table=pl.DataFrame({"measure": ["hhi"]}), sources=pl.DataFrame())
    with pytest.raises(ArgumentError, match="no picture"):
        views_of(nothing)
    assert marks_of(nothing) == []


def test_two_names_to_a_series_make_a_panel_of_the_first() -> None:
    table = pl.DataFrame({
        "measure": ["price_multiple"] * 8,
        "commodity": ["dy_oxide", "dy_oxide", "tb_oxide", "tb_oxide"] * 2,
        "place": ["IND", "USA"] * 4, "period": ["0"] * 4 + ["1"] * 4,
        "value": [1.0] * 4 + [2.0, 3.0, 4.0, 5.0],
    })  # fmt: skip
    panels = timeline(table).encoding["panels"]
    assert len(panels) == 2
    assert all(
        {name["series_label"] for name in panel["series"]} == {"India", "United States"} for panel in panels
    )


def test_a_bar_is_named_by_what_tells_it_apart_and_dated_where_months_differ() -> None:
    table = pl.DataFrame({
        "measure": ["shortage"] * 2, "use": ["ev_motor", "defence"], "place": ["IND", "USA"],
        "stage": ["component"] * 2, "period": ["2025-07", "2025-09"], "value": [0.4, 0.2],
        "kind": ["modelled"] * 2,
    })  # fmt: skip
    data = ranking(table, measure="shortage", share=True).data
    assert data["detail"].to_list() == ["India", "United States"]
    assert data["text"][0].endswith("July 2025")
