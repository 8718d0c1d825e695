"""What a view says: its data are the only numbers, nothing missing becomes zero, the worst is named."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from monazite.core.errors import ArgumentError
from monazite.views import View, chokepoint, coverage_map, flow_map, ranking, sankey, timeline, tornado

GOLDEN = Path(__file__).parents[1] / "golden" / "views"
#: names that the chains' own tables give; they may be reworded without a change of any view
NAMES = ("row_label", "series_label")


def read(name: str) -> pl.DataFrame:
    frame = pl.read_csv(GOLDEN / name, infer_schema_length=None)
    return frame.with_columns(pl.col("period").cast(pl.String)) if "period" in frame.columns else frame


def pictures() -> dict[str, View]:
    table = read("timeline_input.csv")
    return {
        "chokepoint": chokepoint(read("chokepoint_input.csv")),
        "timeline": timeline(table, read("timeline_observed.csv"), controls=[("2025-04", "licences")]),
        "sankey": sankey(read("sankey_input.csv"), chain="rare_earths"),
        "map": flow_map(read("map_input.csv"), commodity="ndpr_oxide", top=6, focus="IND"),
        "tornado": tornado(read("tornado_input.csv")),
        "coverage": coverage_map(read("coverage_input.csv")),
    }


@pytest.mark.parametrize("name", ["chokepoint", "timeline", "sankey", "map", "tornado", "coverage"])
def test_the_data_of_a_view_are_the_golden_ones(name: str) -> None:
    made = pictures()[name].data.drop(NAMES, strict=False)
    golden = pl.read_csv(GOLDEN / f"{name}_data.csv", schema=made.schema)
    assert_frame_equal(made, golden, abs_tol=1e-9)


def test_a_state_without_a_row_has_no_cell_and_never_a_zero() -> None:
    view = pictures()["chokepoint"]
    dy = view.data.filter(pl.col("commodity") == "dy_oxide")
    assert dy["by"].to_list() == ["CHN", "OTHERS"]
    assert dy.filter(pl.col("value") == 0).is_empty()


def test_what_nobody_publishes_is_a_question_mark_over_the_whole_step() -> None:
    smco = pictures()["chokepoint"].data.filter(pl.col("commodity") == "smco_magnet").row(0, named=True)
    assert smco["value"] is None
    assert (smco["quality"], smco["text"], smco["by"]) == ("unknown", "?", None)


def test_a_withheld_share_shows_its_bounds_and_no_value() -> None:
    table = pl.DataFrame({
        "measure": ["share"] * 2, "chain": ["gallium"] * 2, "stage": ["refine"] * 2, "by": ["CHN", "RUS"],
        "value": [0.98, None], "low": [None, 0.01], "high": [None, 0.05], "kind": ["reported", None],
        "status": ["ok", "withheld"],
    })  # fmt: skip
    cell = chokepoint(table).data.filter(pl.col("by") == "RUS").row(0, named=True)
    assert cell["value"] is None
    assert cell["text"].replace("\N{NO-BREAK SPACE}", " ") == "1–5 %"
    assert cell["quality"] == "unknown"


def test_others_are_the_sum_of_the_states_without_a_column() -> None:
    table = read("chokepoint_input.csv").filter(pl.col("stage") == "mine")
    data = chokepoint(table, top=3).data
    assert data["by"].to_list() == ["CHN", "USA", "MMR", "OTHERS"]
    assert float(data["value"].sum()) == pytest.approx(float(table["value"].sum()))


def test_every_figure_of_a_table_is_in_the_picture_or_in_others() -> None:
    table = read("chokepoint_input.csv").drop_nulls("value")
    data = chokepoint(table, top=6).data
    keys = ["chain", "stage", "commodity"]
    given = table.group_by(keys).agg(pl.col("value").sum()).sort(keys)
    shown = data.group_by(keys).agg(pl.col("value").sum()).sort(keys)
    assert_frame_equal(given, shown, abs_tol=1e-12)


def test_rows_can_stand_with_the_highest_share_first() -> None:
    data = chokepoint(read("chokepoint_input.csv"), sort="share").data
    highest = (
        data.filter(pl.col("chain") == "gallium")
        .group_by("row", maintain_order=True)
        .agg(pl.col("value").max())
    )
    assert highest["value"].to_list() == sorted(highest["value"].to_list(), reverse=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop("by"), "no column 'by'"),
        (lambda t: t.with_columns(pl.lit("touch").alias("measure")), "no row of the measure share"),
        (lambda t: pl.concat([t, t]), "more than once"),
        (lambda t: t.with_columns(pl.lit(2.0).alias("value")), "between 0 and 1"),
        (
            lambda t: t.with_columns(pl.Series("place", ["IND", "USA"] + ["IND"] * (t.height - 2))),
            "at a time",
        ),
    ],
)
def test_a_table_that_is_no_matrix_is_refused_in_words(change, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ArgumentError, match=words):
        chokepoint(change(read("chokepoint_input.csv")))


def test_the_timeline_names_peak_month_and_range() -> None:
    sentence = pictures()["timeline"].sentence.replace("\N{NO-BREAK SPACE}", " ")
    assert "July 2025: ×6.5 the base price (×3.8–10)" in sentence
    assert "17 % (8–28 %) of need is unmet" in sentence


def test_a_series_has_one_hue_in_all_panels() -> None:
    hues: dict[str, set[int]] = {}
    for panel in pictures()["timeline"].encoding["panels"]:
        for series in panel["series"]:
            if len(panel["series"]) > 1:
                hues.setdefault(series["series_label"], set()).add(series["hue"])
    assert all(len(found) == 1 for found in hues.values())
    assert len({hue for found in hues.values() for hue in found}) == len(hues)


def test_a_month_without_a_figure_stays_without_one() -> None:
    table = pl.DataFrame(
        {"measure": ["price_multiple"] * 3, "period": ["0", "1", "2"], "value": [1.0, None, 2.0]}
    )
    assert timeline(table).data["value"].to_list() == [1.0, None, 2.0]


@pytest.mark.parametrize("periods", [["2025-04", "3"], ["2025-04", "2025-13"], ["spring", "2025-04"]])
def test_months_of_two_kinds_or_none_are_refused(periods: list[str]) -> None:
    table = pl.DataFrame({"measure": ["price_multiple"] * 2, "period": periods, "value": [1.0, 2.0]})
    with pytest.raises(ArgumentError):
        timeline(table)


def test_more_than_six_series_keep_those_that_move_most_and_say_so() -> None:
    table = pl.DataFrame({
        "measure": ["shortage"] * 16, "place": [f"P{number // 2}" for number in range(16)],
        "period": ["0", "1"] * 8,
        "value": [0.0, *(value for n in range(1, 16) for value in [n / 40 * (n % 2)])],
    })  # fmt: skip
    view = timeline(table)
    assert view.data["series"].n_unique() == 6
    assert any(note.startswith("2 more") for note in view.notes)


def test_mass_is_kept_in_a_sankey_and_open_ends_dangle() -> None:
    data = pictures()["sankey"].data
    nodes = {row["node"]: row for row in data.filter(pl.col("item") == "node").to_dicts()}
    links = data.filter(pl.col("item") == "link").to_dicts()
    stages = [nodes[number]["stage"] for number in nodes]
    for number, node in nodes.items():
        given = sum(link["value"] for link in links if link["source"] == number)
        taken = sum(link["value"] for link in links if link["target"] == number)
        assert node["value"] == pytest.approx(max(given, taken))
        if node["role"] == "flow" and node["stage"] not in (stages[0], "product"):
            assert abs(given - taken) <= 0.0101 * node["value"], node
    assert {link["role"] for link in links} == {"flow", "loss", "stock", "recycle", "unexplained"}


def test_no_tonne_of_the_input_is_dropped_by_grouping() -> None:
    flows = read("sankey_input.csv")
    data = pictures()["sankey"].data.filter((pl.col("item") == "link") & (pl.col("role") != "unexplained"))
    assert float(data["value"].sum()) == pytest.approx(float(flows["value"].sum()))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("value", None, "0 or more"),
        ("value", -1.0, "0 or more"),
        ("role", "leak", "must be one of"),
        ("unit", "kt", "one unit at a time"),
        ("stage_to", "concentrate", "must not go back"),
        ("stage_to", None, "wrong number of ends"),
    ],
)
def test_a_row_that_is_no_flow_is_refused_in_words(field: str, value: object, words: str) -> None:
    rows = [
        {"stage_from": "mine", "place_from": "CHN", "stage_to": "refine", "place_to": "CHN", "value": 9.0,
         "unit": "t/yr", "kind": "reported", "role": "flow"},
        {"stage_from": "refine", "place_from": "CHN", "stage_to": "metal", "place_to": "CHN", "value": 9.0,
         "unit": "t/yr", "kind": "reported", "role": "flow"},
    ]  # fmt: skip
    rows[1][field] = value
    with pytest.raises(ArgumentError, match=words):
        sankey(pl.DataFrame(rows, infer_schema_length=None))


def test_a_ranking_puts_what_is_unknown_last_and_says_so() -> None:
    table = pl.DataFrame({
        "measure": ["cover"] * 3, "place": ["IND", "USA", "JPN"], "value": [None, 0.3, 0.1],
        "unit": ["1"] * 3,
        "kind": [None, "modelled", "assumed"], "status": ["insufficient", "ok", "ok"],
    })  # fmt: skip
    data = ranking(table, measure="cover", descending=False).data
    assert data["quality"].to_list() == ["hollow", "hatched", "unknown"]
    assert data["text"].to_list()[-1] == "no public figure"


def test_a_view_is_plain_json() -> None:
    import json

    for view in pictures().values():
        again = json.loads(json.dumps(view.to_dict(), allow_nan=False))
        assert again["name"] == view.name
        assert len(again["data"]) == view.data.height


def test_the_golden_inputs_are_marked_as_invented() -> None:
    with (GOLDEN / "README.md").open(encoding="utf-8") as file:
        assert "invented" in file.read()
    for path in GOLDEN.glob("*_input.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            assert next(csv.reader(file))
