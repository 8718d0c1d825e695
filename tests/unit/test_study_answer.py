"""A study: outcomes by hand, the headline from the scenarios, what moves it, nothing dropped in silence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr

from monazite.core.errors import ArgumentError, Refused, UnknownName
from monazite.market import clear
from monazite.market.measures.outcomes import Reader, downstream
from monazite.market.runs import Runs
from monazite.market.scenario import Control, ExportControl
from monazite.market.scenario.catalogue import Catalogue
from monazite.market.scenario.setting import Setting
from monazite.market.scenario.template import Template
from monazite.network import load, toy
from monazite.study import Study, source_of, study, work
from monazite.study import table as tables
from monazite.study.tornado import spearman, swing

MONTHS = 4
BAN = ExportControl("CHN", "toy_metal", months=12)
CAUSES = ["elasticity_demand", "trader_stock", "base_year"]


@pytest.fixture(scope="module")
def one() -> Iterator[Runs]:
    with Runs(1) as runs:
        yield runs


@pytest.fixture(scope="module")
def found(one: Runs) -> Study:
    return study(
        toy(), BAN, samples=16, seed=7, months=MONTHS, causes=CAUSES, worlds=3, group="IND", runs=one
    )


@pytest.fixture(scope="module")
def listed(one: Runs) -> Study:
    return study(toy(), catalogue=True, months=MONTHS, runs=one)


def row(answer: Study, measure: str, **where: str) -> dict[str, object]:
    chosen = answer.table.filter(pl.col("measure") == measure, *(pl.col(k) == v for k, v in where.items()))
    assert chosen.height == 1
    return chosen.row(0, named=True)


def test_outcomes_are_those_of_the_window() -> None:
    """Peak price over base, and what is not used over what would be, from the clearing itself."""
    template = Template(toy(), MONTHS)
    control = Control.of(BAN, "2025-01")
    cleared = clear(template.problem(template.change({}, template.limits(control))))
    reader = Reader(template.layout, MONTHS)
    outcomes = reader.read(cleared)
    node = template.network.node_of("toy_metal", "IND")
    assert node is not None
    at = reader.prices.with_row_index("k").filter(commodity="toy_metal", place="IND")["k"].item()
    path = cleared.price.reshape(MONTHS, -1)[:, node] / template.network.price[node]
    assert outcomes.multiple[at] == pytest.approx(path.max())
    assert outcomes.multiple_month[at] == path.argmax()
    assert path.max() > 1.05
    k = reader.users.with_row_index("k").filter(commodity="toy_widget", place="IND")["k"].item()
    columns = [
        c
        for c in range(template.layout.size)
        if template.layout.role[c] == "piece"
        and template.layout.cohort[c] >= 0
        and template.layout.cohorts[template.layout.cohort[c]].place == "IND"
    ]
    used = cleared.x.reshape(MONTHS, -1)[:, columns].sum(axis=1)
    need = 17.0 / 12.0
    assert outcomes.unserved[k] == pytest.approx(np.maximum(need - used, 0).sum() / (MONTHS * need), rel=1e-6)
    assert outcomes.unserved_month[k] == (need - used).argmax()


def test_what_is_made_of_a_good_is_found_and_scrap_is_no_way_to_depend() -> None:
    assert downstream(toy(), ["toy_ore"]) == ("toy_metal", "toy_ore", "toy_widget")
    net = load(["rare_earths"], 2024)
    assert "ndfeb_magnet_heavy" in downstream(net, ["dy_oxide"])
    assert "ce_oxide" not in downstream(net, ["dy_oxide"])


def test_the_headline_is_made_of_the_scenarios(found: Study) -> None:
    """India uses widgets alone: its headline is their unserved share, scenario by scenario."""
    rows = found.record.rows().filter(
        (pl.col("measure") == "unserved") & (pl.col("place") == "IND") & (pl.col("scenario") < 16)
    )
    values = rows.collect()["value"].to_numpy()
    assert len(values) == 16
    head = row(found, "headline")
    assert head["value"] == pytest.approx(np.median(values))
    assert (head["low"], head["high"]) == pytest.approx(tuple(np.quantile(values, [0.1, 0.9])))
    assert (head["place"], head["by"], head["commodity"]) == ("IND", "CHN", "toy_metal")
    outcome = row(found, "unserved", place="IND", commodity="toy_widget")
    assert outcome["value"] == pytest.approx(head["value"])


def test_the_worst_month_is_told_of_what_goes_short(found: Study) -> None:
    rows = found.record.rows().filter(
        (pl.col("measure") == "unserved") & (pl.col("place") == "IND") & (pl.col("scenario") < 16)
    )
    months = rows.filter(pl.col("month") >= 0).collect()["month"].to_numpy()
    worst = row(found, "worst_month", place="IND")
    assert worst["value"] == np.median(months)
    assert worst["unit"] == "month"


def test_a_group_without_such_use_has_no_headline(one: Runs) -> None:
    asked = {"samples": 4, "seed": 7, "months": 2, "causes": ["trader_stock"], "runs": one}
    answer = study(toy(), BAN, group="BRA", **asked)
    assert row(answer, "headline")["status"] == "insufficient"
    assert answer.summary() == "No scenario gives a figure for this."


def test_each_cause_has_a_swing_and_a_correlation(found: Study) -> None:
    for cause in CAUSES:
        moved, steady = row(found, "headline_swing", cause=cause), row(found, "rank_correlation", cause=cause)
        assert moved["value"] == pytest.approx(abs(moved["high"] - moved["low"]))  # type: ignore[operator]
        assert -1.0 <= steady["value"] <= 1.0  # type: ignore[operator]
    rows = (
        found.record.rows().filter((pl.col("measure") == "unserved") & (pl.col("place") == "IND")).collect()
    )
    values = rows.filter(pl.col("scenario") < 16)["value"].to_numpy()
    drawn = np.array([found.source.quantiles(number)["elasticity_demand"] for number in range(16)])  # type: ignore[union-attr]
    assert row(found, "rank_correlation", cause="elasticity_demand")["value"] == pytest.approx(
        spearmanr(drawn, values)[0]
    )
    # users that give way leave more unserved, and the figure says so
    assert (
        row(found, "headline_swing", cause="elasticity_demand")["low"]
        > row(found, "headline_swing", cause="elasticity_demand")["high"]
    )  # type: ignore[operator]


def test_scenarios_are_counted(found: Study) -> None:
    assert row(found, "scenarios")["value"] == 16.0
    assert row(found, "unconverged")["value"] == 0.0
    assert row(found, "worst_balance")["value"] <= 1e-10  # type: ignore[operator]
    assert found.record.rows().select(pl.col("scenario").n_unique()).collect().item() == 16 + 3


def test_what_did_not_clear_is_counted_and_left_out() -> None:
    rows = pl.DataFrame(
        {
            "scenario": [0, 1, 2],
            "measure": ["unconverged"] * 3,
            "commodity": [None] * 3,
            "place": [None] * 3,
            "value": [0.0, 1.0, 0.0],
            "month": [-1] * 3,
        },
        schema=work.__globals__["SCHEMA"],
    )
    assert tables.sound(rows.lazy(), 3).tolist() == [True, False, True]


def test_equal_seeds_give_equal_bytes_on_any_number_of_workers(found: Study, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("MONAZITE_CACHE", str(tmp_path))
    asked = {"seed": 7, "months": MONTHS, "causes": CAUSES, "worlds": 3, "group": "IND"}
    with Runs(2) as two:
        again = study(toy(), BAN, samples=16, runs=two, **asked)
        other = study(toy(), BAN, samples=16, runs=two, **{**asked, "seed": 8})
    assert again.record.path != found.record.path
    assert again.record.block(0).read_bytes() == found.record.block(0).read_bytes()
    assert again.table.equals(found.table)
    assert again.manifest.to_dict() == found.manifest.to_dict()
    assert not other.table.equals(found.table)


def test_another_headline_or_group_needs_no_new_run(found: Study, one: Runs) -> None:
    asked = {"samples": 16, "seed": 7, "months": MONTHS, "causes": CAUSES, "worlds": 3, "runs": one}
    said: list[tuple[int, int]] = []
    price = study(toy(), BAN, headline="price", progress=lambda done, of, _: said.append((done, of)), **asked)
    assert price.record.name == found.record.name
    assert not said or said[0][0] == said[0][1]
    assert row(price, "headline")["value"] > 1.0  # type: ignore[operator]
    assert row(price, "headline")["place"] == "WLD"


def test_a_study_says_what_happens_what_moves_it_and_how_far_to_trust_it(found: Study) -> None:
    first, second, *_ = found.findings()
    assert "China restricts toy metal" in first
    assert "in India" in first
    assert "16 scenarios" in first
    assert "elasticity of demand" in second
    assert "{" not in found.summary()
    assert "India" in repr(found)


def test_a_study_explains_its_cells(found: Study) -> None:
    answer = found.explain(measure="headline_swing", cause="trader_stock")
    assert answer["causes"]["rests_on"].to_list() == ["trader_stock"]
    assert answer["run"] == found.record.name
    every = found.explain(measure="headline")
    assert set(every["causes"]["cause"]) == set(CAUSES)
    for measure in found.table["measure"].unique():
        assert "study.formula" not in found.explain(measure=measure)["formula"]
    with pytest.raises(UnknownName, match="trader_stock"):
        found.explain(cause="trader_stok")


def test_swings_and_ranks_by_hand() -> None:
    cause = np.arange(10.0)
    assert swing(cause, 2.0 * cause) == (1.0, 17.0)
    assert swing(cause, -cause) == (-0.5, -8.5)
    draw = np.random.default_rng(3)
    one, other = draw.integers(0, 6, 40).astype(float), draw.random(40)
    assert spearman(one, other) == pytest.approx(spearmanr(one, other)[0])
    assert np.isnan(spearman(one, np.ones(40)))


def test_a_catalogue_ranks_every_control(listed: Study) -> None:
    """Each state and good that it exports, then all exports of each state; the worst first."""
    heads = listed.table.filter(pl.col("measure") == "headline").sort("rank")
    assert heads.height == listed.source.count == 5
    assert heads.filter(pl.col("commodity").is_null())["by"].sort().to_list() == ["CHN", "USA"]
    values = heads["value"].to_list()
    assert values == sorted(values, reverse=True)
    assert heads["rank"].to_list() == [1, 2, 3, 4, 5]
    whole = row(listed, "headline", by="CHN", rank=1)  # type: ignore[arg-type]
    assert whole["commodity"] is None
    assert "China, all toy exports" in listed.summary()
    assert "all end use" in listed.explain(measure="headline")["formula"]


def test_an_entry_is_the_control_alone(listed: Study) -> None:
    template = Template(toy(), MONTHS)
    control = Control.of(ExportControl("CHN", "toy_widget", months=MONTHS), "2025-01")
    reader = Reader(template.layout, MONTHS)
    outcomes = reader.read(clear(template.problem(template.change({}, template.limits(control)))))
    users = reader.users.with_columns(unserved=pl.Series(outcomes.unserved)).filter(
        (pl.col("commodity") == "toy_widget") & (pl.col("place") != "CHN")
    )
    wanted = float(
        (users["unserved"] * users["level"] * users["price"]).sum() / (users["level"] * users["price"]).sum()
    )
    assert row(listed, "headline", by="CHN", commodity="toy_widget")["value"] == pytest.approx(
        wanted, rel=1e-6
    )


def test_a_catalogue_has_severities() -> None:
    net = toy()
    source = Catalogue.of(net, Setting.of(net, MONTHS), cuts=(0.5, 1.0), lengths=(2, 4), states=["USA"])
    assert source.count == 8
    assert {(e.cut, e.months) for e in source.entries} == {(0.5, 2), (0.5, 4), (1.0, 2), (1.0, 4)}
    assert source.control(0).start == "2025-01"
    with pytest.raises(ArgumentError):
        Catalogue.of(net, Setting.of(net, MONTHS), cuts=(0.0,))
    with pytest.raises(ArgumentError):
        Catalogue.of(net, Setting.of(net, MONTHS), lengths=(0,))
    with pytest.raises(ArgumentError):
        Catalogue.of(net, Setting.of(net, MONTHS), states=["IND"])


@pytest.mark.parametrize(
    ("wrong", "given"),
    [
        (ArgumentError, {"control": None}),
        (ArgumentError, {"catalogue": True}),
        (ArgumentError, {"control": "CN-REE-APR2025"}),
        (ArgumentError, {"months": 0}),
        (ArgumentError, {"months": 37}),
        (ArgumentError, {"causes": []}),
        (ArgumentError, {"causes": ["licence"]}),
        (ArgumentError, {"design": "sobol", "causes": ["base_year"]}),
        (UnknownName, {"causes": ["covr"]}),
        (UnknownName, {"design": "halton"}),
        (UnknownName, {"control": ExportControl("CHN", "toy_metall")}),
        (Refused, {"control": ExportControl("IND", "toy_widget")}),
    ],
)
def test_what_is_asked_wrongly_is_refused(wrong: type[Exception], given: dict[str, object]) -> None:
    with pytest.raises(wrong):
        source_of(toy(), **{"control": BAN, **given})  # type: ignore[arg-type]


def test_a_base_year_that_contains_the_control_is_refused() -> None:
    from monazite.facts.controls import controls
    from monazite.market.scenario import registered

    record = registered(controls()["CN-GAGE-2023"])
    with pytest.raises(Refused):
        source_of(load(["gallium"], 2024), record)


def test_a_designed_study_gives_orders(one: Runs) -> None:
    asked = {"samples": 8, "seed": 7, "months": 2, "design": "sobol", "runs": one}
    answer = study(toy(), BAN, causes=["elasticity_demand", "trader_stock"], **asked)
    assert answer.scenarios == 8
    for measure in ("first_order", "total_order"):
        rows = answer.table.filter(pl.col("measure") == measure)
        assert rows["cause"].to_list() == ["elasticity_demand", "trader_stock"]
        assert (rows["low"] <= rows["value"]).all()
