"""The packaged gallium chain and the registry of controls: what the figures must satisfy together."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import polars as pl
import pytest

from monazite.core.settings import data_folder
from monazite.facts import FactTable, load
from monazite.facts.check import check_file
from monazite.facts.controls import controls
from monazite.network.build import Draft, build
from monazite.network.reconcile import Balanced, reconcile

YEARS = (2022, 2024)
FOLDER = data_folder() / "chains" / "gallium"
MAKERS = ("mine", "process", "recycle")


@pytest.fixture(scope="module", params=YEARS)
def facts(request: pytest.FixtureRequest) -> FactTable:
    """Facts of one base year."""
    return load(["gallium"], request.param)


@pytest.fixture(scope="module")
def draft(facts: FactTable) -> Draft:
    """The network before it is balanced."""
    return build(facts)


@pytest.fixture(scope="module")
def balanced(draft: Draft, facts: FactTable) -> Balanced:
    """The network after."""
    return reconcile(draft, facts)


@pytest.fixture(scope="module")
def raw() -> pl.DataFrame:
    """All rows as packaged, text."""
    return pl.read_csv(FOLDER / "facts.csv", infer_schema_length=0)


def _base_prices(draft: Draft, facts: FactTable) -> np.ndarray:
    """Stated price of every node, a place's own before the general one."""
    own, general = {}, {}
    for row in facts.select("price").filter(pl.col("status") == "ok").iter_rows(named=True):
        if row["place"]:
            own[row["commodity"], row["place"]] = row["value"]
        else:
            general[row["commodity"]] = row["value"]
    keys = draft.nodes.select("commodity", "place").iter_rows()
    return np.array([own.get(key, general.get(key[0], np.nan)) for key in keys])


def _imbalance(draft: Draft) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inflow and outflow of each node at the estimates, and sigma of their difference."""
    estimate = draft.activities["estimate"].fill_null(0.0).to_numpy()
    sigma = draft.activities["sigma"].fill_null(0.0).to_numpy()
    gives, takes = draft.flow.copy(), draft.flow.copy()
    gives.data, takes.data = np.maximum(gives.data, 0), np.maximum(-takes.data, 0)
    return gives @ estimate, takes @ estimate, np.sqrt(draft.flow.power(2) @ sigma**2)


@pytest.mark.parametrize("name", ["commodities", "activities", "facts"])
def test_tables_have_no_problem(name: str) -> None:
    assert check_file(FOLDER / f"{name}.csv") == []


def test_every_figure_says_where_it_comes_from(raw: pl.DataFrame) -> None:
    assumed = raw.filter(pl.col("kind") == "assumed")
    assert assumed.filter(
        pl.col("low").is_null() | pl.col("high").is_null() | pl.col("note").is_null()
    ).is_empty()
    assert assumed.filter(pl.col("source") != "assumption").is_empty()
    cited = raw.filter(~pl.col("source").is_in(["assumption", "definition"]))
    assert cited.filter(pl.col("locator").is_null()).is_empty()
    assert not cited.filter(pl.col("kind") == "reported").is_empty()


def test_contradictions_are_kept_and_do_not_win(facts: FactTable, raw: pl.DataFrame) -> None:
    kept = raw.filter((pl.col("variable") == "output") & (pl.col("status") == "provisional"))
    assert kept.height >= 4
    assert kept["note"].null_count() == 0
    output = facts.select("output", activity="extract_gallium", place="CHN")
    assert output["value"].to_list() == [{2022: 606.0, 2024: 839.0}[facts.year]]
    spread = {2022: 606 - 600, 2024: 974 - 750}[facts.year]
    assert output["sigma"].item() >= 0.5 * spread


def test_no_sound_figure_loses_to_one_set_aside(facts: FactTable) -> None:
    subject = ["variable", "commodity", "activity", "place", "partner", "period"]
    lost = facts.losers.filter(pl.col("status") == "ok").select(subject)
    won = facts.frame.filter(pl.col("status") != "ok").select(subject)
    assert lost.join(won, on=subject, how="inner", nulls_equal=True).is_empty()


def test_every_node_is_fed_and_emptied(draft: Draft) -> None:
    inflow, outflow, _ = _imbalance(draft)
    unsold = draft.activities.filter(pl.col("form") == "unsold").select("commodity", "place").rows()
    for key, into, out in zip(
        draft.nodes.select("commodity", "place").iter_rows(), inflow, outflow, strict=True
    ):
        assert into > 0, key
        assert out > 0 or key in unsold, key


def test_stated_flows_nearly_balance(draft: Draft) -> None:
    inflow, outflow, sigma = _imbalance(draft)
    unsold = draft.activities.filter(pl.col("form") == "unsold").select("commodity", "place").rows()
    keys = draft.nodes.select("commodity", "place").rows()
    score = np.array([(i - o) / s for i, o, s in zip(inflow, outflow, sigma, strict=True)])
    held = np.array([key not in unsold for key in keys])
    assert np.abs(score[held]).max() < 1.0
    assert np.mean(score[held] ** 2) < 0.25


def test_every_process_has_its_inputs_at_its_place(draft: Draft) -> None:
    inflow, _, _ = _imbalance(draft)
    for row in draft.activities.filter(pl.col("type").is_in(MAKERS) & (pl.col("estimate") > 0)).iter_rows(
        named=True
    ):
        column = draft.flow[:, [row["activity"]]].toarray().ravel()
        assert (inflow[column < 0] > 0).all(), row["name"]
        assert (column > 0).any(), row["name"]


def test_every_process_earns_a_margin_at_base_prices(draft: Draft, facts: FactTable) -> None:
    price = _base_prices(draft, facts)
    assert not np.isnan(price).any()
    margin = draft.flow.T @ price
    cash = {(r["activity"], r["place"]): r["value"] for r in facts.select("cash_cost").iter_rows(named=True)}
    for row in draft.activities.filter(pl.col("type").is_in(MAKERS)).iter_rows(named=True):
        needed = cash.get((row["key"], row["place"]), 0.0) if row["type"] != "mine" else 0.0
        assert margin[row["activity"]] >= needed, row["name"]


def test_prices_stand_as_stated(balanced: Balanced) -> None:
    assert balanced.report.prices["r"].abs().max() < 0.1


def test_circuits_bind_long_before_the_liquor(facts: FactTable, balanced: Balanced, draft: Draft) -> None:
    liquor = draft.activities.with_columns(level=pl.Series(balanced.level))
    left = liquor.filter((pl.col("key") == "liquor_return") & (pl.col("place") == "CHN"))["level"].item()
    made = liquor.filter((pl.col("key") == "extract_gallium") & (pl.col("place") == "CHN"))["level"].item()
    capacity = facts.select("capacity", activity="extract_gallium", place="CHN")["value"].item()
    take = (
        -facts.select("coefficient", activity="extract_gallium", commodity="bayer_liquor_ga")
        .filter(pl.col("place").is_null())["value"]
        .item()
    )
    assert made < capacity
    assert take * (capacity - made) < 0.2 * left
    assert facts.select("use", activity="liquor_return").is_empty()


def test_reconciled_flows_meet_the_customs_totals(balanced: Balanced) -> None:
    rows = balanced.report.measurements
    exports = rows.filter(pl.col("label").str.contains("total_exports"))
    assert exports["r"].abs().max() < 1.0
    assert rows["r"].abs().max() < 2.0
    assert balanced.report.outliers().is_empty()


def test_the_control_opens_a_gap_between_inside_and_outside() -> None:
    gap = {}
    for year in YEARS:
        price = load(["gallium"], year).select("price", commodity="gallium_4n")
        outside = price.filter(pl.col("place").is_null())["value"].item()
        gap[year] = outside / price.filter(pl.col("place") == "CHN")["value"].item()
    assert 1.0 < gap[2022] < 1.2
    assert gap[2024] > 1.4
    total = {
        year: load(["gallium"], year)
        .select("total_exports", place="CHN")
        .filter(pl.col("partner").is_null())["value"]
        .item()
        for year in YEARS
    }
    assert total == {2022: 94.4, 2024: 69.44}


def test_content_is_gallium_and_none_is_created(facts: FactTable) -> None:
    content = dict(facts.select("content").select("commodity", "value").iter_rows())
    made: dict[tuple[str, str | None], float] = defaultdict(float)
    for row in facts.select("coefficient").filter(pl.col("place").is_null()).iter_rows(named=True):
        made[row["activity"], None] += row["value"] * content[row["commodity"]]
    for (activity, _), net in made.items():
        if activity not in ("refine_alumina", "leach_zinc_gallium"):
            assert net <= 1e-9, activity


# ------------------------------------------------------------------------------------ controls


def _points(record: dict, what: str, commodity: str, partner: str | None = None) -> dict[str, float]:
    return {
        p["period"]: p["value"]
        for p in record["observed"]
        if p["what"] == what and commodity in str(p["commodity"]) and p["partner"] == partner
    }


def _path(record: dict, kind: str, commodity: str, target: str = "ALL") -> dict:
    (found,) = [
        p
        for p in record["paths"]
        if p["kind"] == kind and commodity in p["commodity"] and p["target"] == [target]
    ]
    return found


@pytest.mark.parametrize("name", ["CN-REE-APR2025", "CN-GAGE-2023"])
def test_a_control_knows_its_base_and_keeps_assumed_and_observed_apart(name: str) -> None:
    record = controls()[name]
    assert record["base_year"] < record["in_base_from"] == int(record["in_force"][:4])
    for kind in ("assumed", "observed"):
        paths = [p for p in record["paths"] if p["kind"] == kind]
        assert {c for p in paths for c in p["commodity"]} == {
            c for p in record["paths"] for c in p["commodity"]
        }
    for path in record["paths"]:
        assert path["after"] >= 1.3
        assert path["source"]
        if path["kind"] == "assumed":
            assert path["source"] == "assumption"
            assert max(path["caps"]) <= 1.0
    named = {t for p in record["paths"] for t in p["target"]} - {"ALL"}
    for place in named:  # a place named once is skipped by the paths for all: it needs every commodity
        kinds = {p["kind"] for p in record["paths"] if p["target"] == [place]}
        for kind in kinds:
            have = {
                c
                for p in record["paths"]
                if p["kind"] == kind and p["target"] == [place]
                for c in p["commodity"]
            }
            assert have == {c for p in record["paths"] if p["kind"] == kind for c in p["commodity"]}


def test_observed_gallium_path_is_the_customs_record() -> None:
    record = controls()["CN-GAGE-2023"]
    caps = _path(record, "observed", "gallium_4n")["caps"]
    points = _points(record, "exports", "gallium_4n")
    months = [f"2023-{m:02d}" for m in range(8, 13)] + [f"2024-{m:02d}" for m in range(1, 13)]
    base = (
        load(["gallium"], 2022)
        .select("total_exports", place="CHN")
        .filter(pl.col("partner").is_null())["value"]
    )
    assert [round(c * base.item() / 12, 2) for c in caps] == pytest.approx(
        [points[m] for m in months], abs=0.02
    )
    assert sum(points[m] for m in months[5:]) == pytest.approx(points["2024"], rel=0.001)
    assert caps[:2] == [0.0, 0.0]
    prior = _path(record, "assumed", "gallium_4n")["caps"]
    assert prior[:2] == [0.0, 0.0]
    assert prior == sorted(prior)


def test_observed_magnet_path_is_the_customs_record() -> None:
    record = controls()["CN-REE-APR2025"]
    heavy, light = (_path(record, "observed", f"ndfeb_magnet_{g}")["caps"] for g in ("heavy", "light"))
    points = _points(record, "exports", "ndfeb_magnet_heavy")
    base = 58_152 / 12
    trade = (
        load(["rare_earths"], 2024)
        .select("trade", place="CHN")
        .filter(pl.col("commodity").str.contains("magnet"))
    )
    tonnes = dict(trade.group_by("commodity").agg(pl.col("value").sum()).iter_rows())
    share = 1 - tonnes["ndfeb_magnet_light"] / sum(tonnes.values())
    for month, period in enumerate(sorted(points)):
        total = share * heavy[month] + (1 - share) * light[month]
        assert total == pytest.approx(points[period] / base, abs=0.05), period
    assert _path(record, "observed", "ndfeb_magnet_light")["spill"]
    assert not _path(record, "observed", "ndfeb_magnet_heavy")["spill"]


def test_heavy_oxides_stop_in_may_and_india_waits_seven_months() -> None:
    record = controls()["CN-REE-APR2025"]
    for commodity in ("dy_oxide", "tb_oxide", "dy_metal", "tb_metal", "y_oxide", "sm_metal"):
        assert _path(record, "observed", commodity)["caps"][1] == 0.0
    caps = _path(record, "observed", "ndfeb_magnet_heavy", "IND")["caps"]
    assert caps[1:7] == [0.0] * 6
    assert caps[7] > 0
    year = sum(_points(record, "exports", "dy_oxide").values())
    assert year == pytest.approx(49.9, abs=0.1)  # April (one line) to December 2025


@pytest.mark.parametrize("kind", ["assumed", "observed"])
def test_firms_with_little_stock_get_licences_later(kind: str) -> None:
    cohorts = _path(controls()["CN-REE-APR2025"], kind, "ndfeb_magnet_heavy")["cohorts"]
    assert sorted(cohorts) == ["c1", "c2", "c3", "c4"]
    for shorter, longer in (("c1", "c2"), ("c2", "c3"), ("c3", "c4")):
        assert all(a <= b for a, b in zip(cohorts[shorter], cohorts[longer], strict=True))
    assert cohorts["c1"][1] < cohorts["c4"][1]
