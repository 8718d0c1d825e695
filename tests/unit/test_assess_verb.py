"""`assess` on the toy world, whose answers are computed by hand."""

import polars as pl
import pytest

from monazite.assess import MEASURES, assess
from monazite.core.errors import ArgumentError, UnknownName
from monazite.core.result import TABLE_COLUMNS, Result
from monazite.network import toy


@pytest.fixture(scope="module")
def net():
    return toy()


@pytest.fixture(scope="module")
def india(net):
    return assess(net, "IND")


def value(answer, measure, place="IND", **where):
    found = answer.table.filter((pl.col("measure") == measure) & (pl.col("place") == place))
    for name, wanted in where.items():
        found = found.filter(pl.col(name).is_null() if wanted is None else pl.col(name) == wanted)
    assert found.height == 1, found
    return found["value"][0]


def test_it_is_a_result(india):
    assert isinstance(india, Result)
    assert tuple(india.table.columns[: len(TABLE_COLUMNS)]) == TABLE_COLUMNS
    assert set(india.table["measure"]) <= set(MEASURES)
    assert india.manifest.base_year == 2024
    assert india.sources.height > 0


def test_india_by_hand(india):
    """17 t of widgets: 7 bought in China, 10 made at home of Chinese metal; 8/9 of China's ore is its own."""
    of = {"commodity": "toy_widget", "by": "CHN"}
    assert value(india, "direct_share", **of) == pytest.approx(7 / 17, abs=1e-6)
    assert value(india, "component_share", **of) == pytest.approx(7 / 17, abs=1e-6)
    assert value(india, "metal_share", **of) == pytest.approx(1.0, abs=1e-6)
    assert value(india, "mined_share", **of) == pytest.approx(8 / 9, abs=1e-6)
    assert value(india, "touch_share", **of) == pytest.approx(1.0, abs=1e-6)


def test_the_world_by_hand(india):
    ore = {"commodity": "toy_ore"}
    assert value(india, "share", "WLD", by="CHN", **ore) == pytest.approx(0.8, abs=1e-6)
    assert value(india, "hhi", "WLD", **ore) == pytest.approx(0.68, abs=1e-6)
    assert value(india, "effective_suppliers", "WLD", **ore) == pytest.approx(1 / 0.68, abs=1e-6)
    # without China: 20 t of ore for the 10 t that America smelts; 5 t of metal; 20 t of widgets, 32 t used
    assert value(india, "n_minus_1_iea", "WLD", by="CHN", **ore) == pytest.approx(2.0, abs=1e-6)
    assert value(india, "n_minus_1_demand", "WLD", by="CHN", commodity="toy_metal") == pytest.approx(
        0.1, abs=1e-6
    )
    final = {"element": "Ty", "by": "CHN"}
    assert value(india, "n_minus_1_final", "WLD", stage="mine", **final) == pytest.approx(10 / 32, abs=1e-6)
    assert value(india, "n_minus_1_final", "WLD", stage="metal", **final) == pytest.approx(5 / 32, abs=1e-6)
    assert value(india, "n_minus_1_final", "WLD", stage=None, **final) == pytest.approx(5 / 32, abs=1e-6)


def test_touch_is_at_least_every_other_share(india):
    shares = india.table.filter(pl.col("measure").str.ends_with("_share") & (pl.col("place") == "IND"))
    keys = ["chain", "stage", "commodity", "element", "by"]
    wide = shares.filter(pl.col("element").is_not_null()).pivot("measure", index=keys, values="value")
    for column in set(wide.columns) - {*keys, "touch_share"}:
        assert (wide["touch_share"] >= wide[column].fill_null(0.0) - 1e-9).all()


def test_ranges_hold_the_value_and_come_from_the_levels(india):
    table = india.table.filter(pl.col("value").is_not_null())
    assert (table["low"] <= table["value"] + 1e-12).all()
    assert (table["high"] >= table["value"] - 1e-12).all()
    direct = table.filter((pl.col("measure") == "direct_share") & (pl.col("commodity") == "toy_widget"))
    assert (direct["high"] - direct["low"])[0] > 0.01


def test_traced_figures_are_modelled_and_stated_ones_keep_their_kind(india):
    kinds = dict(india.table.group_by("measure").agg(pl.col("kind").unique()).iter_rows())
    assert kinds["touch_share"] == ["modelled"]
    assert kinds["share"] == ["reported"]


def test_a_group_counts_what_enters_it_from_outside(net):
    """USA and India use 32 t of widgets; 12 come from China; 20 t they make themselves."""
    answer = assess(net, ["USA", "IND"], by="CHN")
    assert answer.subject == "USA+IND"
    both = {"place": "USA+IND", "commodity": "toy_widget"}
    assert value(answer, "direct_share", **both) == pytest.approx(12 / 32, abs=1e-6)
    assert value(answer, "n_minus_1_demand", **both) == pytest.approx(20 / 32, abs=1e-6)


def test_a_named_group_is_its_members(net):
    answer = assess(net, "quad")
    assert answer.subject == "QUAD"
    assert answer.members == ("AUS", "IND", "JPN", "USA")
    assert "QUAD" in answer.table["place"].to_list()


def test_without_a_state_the_leading_one_is_never_a_member(net):
    for subject in ("CHN", "USA", ["CHN", "USA"]):
        answer = assess(net, subject)
        own = answer.table.filter((pl.col("place") == answer.subject) & pl.col("by").is_not_null())
        assert not set(own["by"]) & set(answer.members)


def test_filters_keep_only_what_is_asked(net, india):
    some = assess(net, "IND", measure="touch_share", commodity="toy_widget")
    assert some.table.height == 1
    full = india.table.filter(pl.col("cell_id") == some.table["cell_id"][0])
    assert full["value"][0] == pytest.approx(some.table["value"][0])
    assert set(assess(net, "IND", stage="metal").table["stage"]) == {"metal"}
    assert set(assess(net, "IND", element="Ty", measure=["share"]).table["measure"]) == {"share"}


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ({"subject": "Indai"}, "IND"),
        ({"by": "Chnia"}, "CHN"),
        ({"commodity": "toy_wigdet"}, "toy_widget"),
        ({"measure": "touch"}, "touch_share"),
        ({"stage": "refining"}, "refine"),
        ({"chain": "toi"}, "toy"),
        ({"element": "ty"}, "Ty"),
    ],
)
def test_an_unknown_name_comes_with_the_nearest(net, given, nearest):
    with pytest.raises(UnknownName) as error:
        assess(net, **{"subject": "IND", **given})
    assert nearest in str(error.value)


def test_the_acting_state_is_one(net):
    with pytest.raises(ArgumentError):
        assess(net, "IND", by="QUAD")


def test_a_state_that_the_network_lacks_is_no_zero(net):
    answer = assess(net, "IND", by="AUS", commodity="toy_widget")
    asked = answer.table.filter(pl.col("by") == "AUS")
    assert asked["value"].null_count() == asked.height > 0
    assert set(asked["status"]) == {"insufficient"}


def test_no_use_on_record_is_no_zero(net):
    answer = assess(net, "JPN", commodity="toy_widget", measure="direct_share")
    assert answer.table["value"].to_list() == [None]
    assert answer.table["status"].to_list() == ["insufficient"]


def test_a_summary_is_two_sentences(india, net):
    for answer in (india, assess(net, "JPN"), assess(net, "CHN"), assess(net, "QUAD", by="CHN")):
        text = answer.summary()
        assert text.endswith(".")
        assert text.count(". ") == 1


def test_an_explanation_has_formula_paths_inputs_and_sources(india):
    why = india.explain("mined_share", commodity="toy_widget", by="CHN")
    assert why.cell["value"] == pytest.approx(8 / 9, abs=1e-6)
    assert why.formula
    assert why.paths["share"].sum() == pytest.approx(8 / 9, abs=1e-6)
    assert why.paths["from_place"].unique().to_list() == ["CHN"]
    assert "trade toy_ore USA>CHN" in why.inputs["activity"].to_list()
    assert why.sources["citation"].null_count() == 0
    assert "mine_toy@CHN" in str(why)


def test_the_effect_of_an_input_is_its_slope(net, india):
    """One more tonne of American ore to China lowers the share mined in China by 8/9 / 90."""
    why = india.explain("mined_share", commodity="toy_widget", by="CHN")
    slope = why.inputs.filter(pl.col("activity") == "trade toy_ore USA>CHN")["slope"][0]
    assert slope == pytest.approx(-(80 / 90) / 90, rel=1e-4)


def test_every_cell_can_be_explained(india):
    for row in india.table.iter_rows(named=True):
        why = india.explain(cell_id=row["cell_id"])
        assert why.cell["measure"] == row["measure"]
        assert str(why)


def test_another_state_than_the_leading_one_can_be_explained(india):
    why = india.explain("mined_share", commodity="toy_widget", by="USA")
    assert why.cell["value"] == pytest.approx(1 / 9, abs=1e-6)


def test_what_is_not_there_cannot_be_explained(india):
    with pytest.raises(ArgumentError):
        india.explain("touch_share", commodity="toy_ore", place="IND")
    with pytest.raises(UnknownName):
        india.explain("toch_share")
    with pytest.raises(UnknownName):
        india.explain("touch_share", colour="red")
