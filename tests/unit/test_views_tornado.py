"""A tornado says which cause moves a headline most, which way, and never more than its table knows."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from monazite.core.errors import ArgumentError
from monazite.draw import page_picture, specification
from monazite.report.twin import twins
from monazite.views import ranking, tornado, views_of
from monazite.views.tornado import headline_of, headline_words

GOLDEN = Path(__file__).parents[1] / "golden" / "views" / "tornado_input.csv"


def table(*swings: tuple[str, float | None, float | None], unit: str = "1", **head: Any) -> pl.DataFrame:
    """A study with a headline of 0.3 and these causes: name, headline where it is low, where it is high."""
    about = {"commodity": "dy_oxide", "place": "JPN", "unit": unit, "kind": "modelled", "status": "ok"}
    whole = {"value": 0.3, "low": 0.1, "high": 0.6}
    rows: list[dict[str, Any]] = [
        {"measure": "unserved", **whole, **about},
        {"measure": "headline", **whole, **about, **head},
    ]
    rows += [
        {
            "measure": "headline_swing", "cause": cause, "low": low, "high": high,
            "value": None if low is None or high is None else abs(high - low), **about,
            "status": "insufficient" if low is None else "ok",
        }
        for cause, low, high in swings
    ]  # fmt: skip
    frame = pl.DataFrame(rows, infer_schema_length=None)
    frame = frame.with_columns(cause=pl.col("cause") if "cause" in frame.columns else pl.lit(None, pl.String))
    return frame.with_row_index("n").with_columns(cell_id=pl.format("cell{}", "n")).drop("n")


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_the_widest_comes_first_and_equals_by_name() -> None:
    data = tornado(table(("b", 0.2, 0.3), ("wide", 0.5, 0.1), ("a", 0.4, 0.3))).data
    assert data["cause"].to_list() == [None, "wide", "a", "b"]
    assert data["item"].to_list() == ["all", "cause", "cause", "cause"]


def test_a_bar_stands_in_order_and_remembers_where_the_cause_is_low() -> None:
    falls = tornado(table(("wide", 0.5, 0.1))).data.row(1, named=True)
    assert (falls["low"], falls["high"], falls["at_low"], falls["at_high"]) == (0.1, 0.5, 0.5, 0.1)
    assert plain(falls["text"]) == "50 % to 10 %"
    rises = tornado(table(("wide", 0.1, 0.5))).data.row(1, named=True)
    assert (rises["at_low"], rises["at_high"]) == (0.1, 0.5)


def test_ends_in_order_of_size_are_turned_by_a_falling_correlation() -> None:
    given = table(("wide", 0.1, 0.5))
    fall = given.filter(pl.col("measure") == "headline_swing").with_columns(
        measure=pl.lit("rank_correlation"), value=-0.8, low=None, high=None, cell_id=pl.lit("fall")
    )
    row = tornado(pl.concat([given, fall], how="diagonal_relaxed")).data.row(1, named=True)
    assert (row["at_low"], row["at_high"], row["rank_correlation"]) == (0.5, 0.1, -0.8)
    assert row["rank_correlation_id"] == "fall"


def test_causes_beyond_the_top_share_a_bar_that_holds_all_their_ends() -> None:
    made = tornado(table(("a", 0.5, 0.1), ("b", 0.2, 0.4), ("c", 0.25, 0.35), ("d", 0.31, 0.28)), top=2)
    last = made.data.row(-1, named=True)
    assert (last["item"], last["cause"], last["cell_id"]) == ("others", None, None)
    assert (last["low"], last["high"], last["value"]) == (0.25, 0.35, pytest.approx(0.1))
    assert "2" in last["label"]
    assert tornado(table(("a", 0.5, 0.1))).data.height == 2  # and nobody else is no bar


def test_a_cause_without_a_figure_stays_and_is_never_a_zero() -> None:
    made = tornado(table(("a", 0.5, 0.1), ("b", None, None)))
    row = made.data.row(-1, named=True)
    assert (row["cause"], row["value"], row["low"], row["quality"]) == ("b", None, None, "unknown")
    assert "few" in row["text"]
    assert any("1" in note and "without" in note for note in made.notes)
    assert "cell3" not in str(specification(made)["layer"][2:4])  # no bar of it is drawn


def test_the_sentence_names_the_headline_its_range_and_the_first_two_causes() -> None:
    sentence = plain(tornado(table(("rebound", 0.28, 0.33), ("price_cap", 0.5, 0.1))).sentence)
    assert sentence.startswith("Unserved use of dysprosium oxide and what is made of it in Japan: 30 %")
    assert "30 % in the middle of the scenarios, 10 % to 60 % in 80 % of them" in sentence
    assert (
        "most that users would pay: 50 % where that is in its lowest fifth, 10 % in its highest" in sentence
    )
    assert sentence.index("most that users would pay") < sentence.index("exports once it ends: 28 % and 33 %")


def test_a_study_in_which_nothing_moves_says_so() -> None:
    made = tornado(table(("a", 0.3, 0.3)))
    assert "None of the causes" in made.sentence
    assert specification(made)["layer"]


def test_the_measure_of_a_headline_is_that_of_its_outcome() -> None:
    read = pl.read_csv(GOLDEN, infer_schema_length=None)
    head = headline_of(read)
    assert head is not None
    assert head["of"] == "price_multiple"  # not the unserved use of the same goods
    assert tornado(read).encoding["format"] == "×"
    assert "Japan" in headline_words(head)
    assert headline_of(read.filter(pl.col("measure") != "headline")) is None


def test_what_is_no_study_is_refused() -> None:
    with pytest.raises(ArgumentError, match="cause"):
        tornado(pl.DataFrame({"measure": ["headline"], "value": [1.0], "low": [1.0], "high": [1.0]}))
    with pytest.raises(ArgumentError, match="headline_swing"):
        tornado(table())


def test_the_twin_says_what_the_picture_draws() -> None:
    made = tornado(pl.read_csv(GOLDEN, infer_schema_length=None))
    (twin,) = twins(made)
    cells = [row[1] for row in twin.groups[0][1]]
    assert twin.height == made.data.height == 14
    assert [cell.text for cell in cells] == made.data["text"].to_list()
    assert cells[0].within == "×3.1 to ×16"
    told = {cell.cell_id for cell in cells if cell.cell_id}
    page = page_picture(made)
    drawn = {row["cell_id"] for item in page["data"] for row in item["values"] if row.get("cell_id")}
    assert drawn == told
    assert {row[2].cell_id for row in twin.groups[0][1][1:-1]} == set(
        made.data["rank_correlation_id"].drop_nulls()
    )


def test_first_and_total_order_are_told_with_their_ranges() -> None:
    given = table(("a", 0.5, 0.1), ("b", 0.2, 0.4))
    order = given.filter(pl.col("cause") == "a")
    more = [
        order.with_columns(measure=pl.lit(name), value=value, low=value - 0.1, high=value + 0.1,
                           cell_id=pl.lit(name))
        for name, value in (("first_order", 0.6), ("total_order", 0.75))
    ]  # fmt: skip
    made = tornado(pl.concat([given, *more], how="diagonal_relaxed"))
    (twin,) = twins(made)
    assert len(twin.heads) == 4
    first = twin.groups[0][1][1]
    assert [(cell.text, cell.within) for cell in first[2:]] == [("0.6", "0.5–0.7"), ("0.75", "0.65–0.85")]
    assert twin.groups[0][1][2][2].blank
    assert any("alone" in note for note in made.notes)


def test_a_study_leads_with_its_tornado_and_then_its_outcomes() -> None:
    result = SimpleNamespace(table=table(("a", 0.5, 0.1)), sources=pl.DataFrame({"source": ["s"]}))
    made = views_of(result)
    assert list(made) == ["tornado"]  # the only outcome is the headline's own
    given = table(("a", 0.5, 0.1))
    other = given.filter(pl.col("measure") == "unserved").with_columns(place=pl.lit("USA"), value=0.2)
    made = views_of(SimpleNamespace(table=pl.concat([given, other]), sources=result.sources))
    assert list(made) == ["tornado", "unserved"]
    assert made["unserved"]().data["text"].to_list() == ["20\N{NO-BREAK SPACE}% (10–60\N{NO-BREAK SPACE}%)"]


def test_without_causes_the_controls_that_bite_most_lead() -> None:
    about = {"by": ["CHN", "MMR", "CHN"], "commodity": ["dy_oxide", "dy_oxide", None], "unit": ["1"] * 3,
             "chain": ["rare_earths"] * 3, "kind": ["modelled"] * 3, "place": ["WLD"] * 3}  # fmt: skip
    rows = pl.concat(
        pl.DataFrame({"measure": [measure] * 3, "value": values, "denominator": [of] * 3, **about},
                     schema_overrides={"denominator": pl.String})
        for measure, values, of in (
            ("headline", [0.031, 0.012, 0.6], "all"), ("unserved", [0.3, 0.1, 0.6], "downstream"),
            ("price_multiple", [7.0, 2.0, 9.0], None),
        )
    )  # fmt: skip
    sources = pl.DataFrame({"source": ["s"]})
    made = views_of(SimpleNamespace(table=rows, sources=sources))
    assert list(made) == ["controls", "states", "controls_prices", "states_prices"]
    controls = made["controls"]()
    assert controls.data["label"].to_list() == ["China", "Myanmar"]
    assert [plain(text) for text in controls.data["text"]] == ["3.1 %", "1.2 %"]
    assert "of all use" in controls.title
    assert made["controls_prices"]().data["text"].to_list() == ["×7.0", "×2.0"]
    assert made["states"]().data["value"].to_list() == [0.6]

    priced = rows.filter(pl.col("measure") == "price_multiple")
    priced = pl.concat([priced, priced.with_columns(measure=pl.lit("headline"))])
    assert list(views_of(SimpleNamespace(table=priced, sources=sources))) == ["controls", "states"]


def test_severities_of_one_control_are_told_apart() -> None:
    rows = pl.DataFrame({
        "measure": ["unserved"] * 2, "by": ["CHN"] * 2, "commodity": ["dy_oxide"] * 2, "value": [0.3, 0.1],
        "unit": ["1"] * 2, "kind": ["modelled"] * 2, "scenario": ["1/12", "0.5/6"],
    })  # fmt: skip
    labels = ranking(rows, measure="unserved").data["label"].to_list()
    assert [plain(label) for label in labels] == ["100 % for 12 months", "50 % for 6 months"]


def test_figures_close_together_keep_the_digits_that_tell_them_apart() -> None:
    given = table(("a", 0.0031, 0.0048)).with_columns(
        value=pl.when(pl.col("measure") == "headline_swing").then(pl.col("value")).otherwise(0.0033),
        low=pl.when(pl.col("measure") == "headline_swing").then(pl.col("low")).otherwise(0.0021),
        high=pl.when(pl.col("measure") == "headline_swing").then(pl.col("high")).otherwise(0.0069),
    )
    made = tornado(given)
    assert [plain(text) for text in made.data["text"]] == ["0.33 %", "0.31 % to 0.48 %"]
    assert "0.21 % to 0.69 %" in plain(made.sentence)


def test_no_end_of_a_bar_is_written_on_the_line_of_the_median() -> None:
    made = specification(tornado(table(("right", 0.32, 0.5), ("left", 0.1, 0.28))))
    marks = [row for layer in made["layer"] for row in layer["data"]["values"]]
    line = next(row["x"] for row in marks if set(row) == {"x", "y", "y2"})
    bars = {row["label"]: row for row in marks if row.get("item") == "cause"}
    assert bars["Right"]["before"] < line < bars["Right"]["x"]
    assert bars["Left"]["x2"] < line < bars["Left"]["after"]
