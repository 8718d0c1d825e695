"""The rare-earth facts of 2024: they balance before they are reconciled, and every plant earns its cost."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from monazite.core.settings import data_folder
from monazite.facts import FactTable, load
from monazite.facts.check import check_file

CHAIN = "rare_earths"
CONTROLLED = ("sm_oxide", "gd_oxide", "tb_oxide", "dy_oxide", "lu_sc_oxide", "y_oxide")

Node = tuple[str, str]


class World:
    """The facts of the chain, indexed for the statements below (t/yr, USD/kg)."""

    def __init__(self, table: FactTable) -> None:
        self.table = table
        self.activity = {r["activity"]: r for r in table.activities.iter_rows(named=True)}
        general: dict[str, dict[str, float]] = defaultdict(dict)
        local: dict[Node, dict[str, float]] = defaultdict(dict)
        for r in self.rows("coefficient"):
            recipe = local[r["activity"], r["place"]] if r["place"] else general[r["activity"]]
            recipe[r["commodity"]] = r["value"]
        self._general, self._local = general, local
        self.surplus = {a["reference"] for a in self.activity.values() if a["form"] == "unsold"}
        self.terms: dict[Node, list[tuple[float, float]]] = defaultdict(list)
        for r in self.rows("output"):
            for commodity, share in self.recipe(r["activity"], r["place"]).items():
                self.terms[commodity, r["place"]].append((share * r["value"], abs(share) * r["sigma"]))
        for r in self.rows("trade"):
            self.terms[r["commodity"], r["place"]].append((-r["value"], r["sigma"]))
            self.terms[r["commodity"], r["partner"]].append((r["value"], r["sigma"]))
        for r in self.rows("use"):
            self.terms[r["commodity"], r["place"]].append((-r["value"], r["sigma"]))

    def rows(self, variable: str) -> list[dict[str, Any]]:
        return [r for r in self.table.select(variable).iter_rows(named=True) if r["status"] == "ok"]

    def recipe(self, activity: str, place: str) -> dict[str, float]:
        return {**self._general.get(activity, {}), **self._local.get((activity, place), {})}

    def price(self, commodity: str, place: str) -> float:
        stated = {r["place"]: r["value"] for r in self.rows("price") if r["commodity"] == commodity}
        return float(stated[place] if place in stated else stated[None])

    def total(self, variable: str, **subject: str) -> float:
        return sum(
            float(r["value"]) for r in self.rows(variable) if all(r[k] == v for k, v in subject.items())
        )

    def made(self, activity: str, place: str, commodity: str) -> float:
        return self.total("output", activity=activity, place=place) * self.recipe(activity, place)[commodity]


@pytest.fixture(scope="module")
def world() -> World:
    return World(load([CHAIN], 2024))


@pytest.mark.parametrize("name", ["facts.csv", "commodities.csv", "activities.csv"])
def test_nothing_is_wrong_with_the_tables(name: str) -> None:
    assert check_file(data_folder() / "chains" / CHAIN / name) == []


def test_nothing_is_wrong_with_the_sources() -> None:
    assert check_file(data_folder() / "sources" / f"{CHAIN}.toml") == []


def test_a_provisional_figure_never_stands_for_its_subject(world: World) -> None:
    """A conflicting figure is kept for explanation; the chosen one is the row marked ok."""
    frame = world.table.frame
    assert set(frame["status"].unique().to_list()) == {"ok"}
    assert world.table.losers.height > 0


def test_every_node_balances_within_three_sigma_before_reconciling(world: World) -> None:
    failing = []
    for node, terms in world.terms.items():
        balance = sum(value for value, _ in terms)
        sigma = sum(s * s for _, s in terms) ** 0.5
        surplus_line = node[0] in world.surplus and balance > 0
        if abs(balance) > 3.0 * sigma and not surplus_line:
            failing.append((node, round(balance, 1), round(sigma, 1)))
    assert failing == []


def test_every_node_has_an_inflow_and_an_outflow(world: World) -> None:
    failing = []
    for node, terms in world.terms.items():
        inflow = any(value > 0 for value, _ in terms)
        outflow = any(value < 0 for value, _ in terms) or node[0] in world.surplus
        if not (inflow and outflow):
            failing.append(node)
    assert failing == []


def test_every_plant_finds_all_its_inputs_at_its_place(world: World) -> None:
    supplied = {node for node, terms in world.terms.items() if any(value > 0 for value, _ in terms)}
    missing = [
        (r["activity"], r["place"], commodity)
        for r in world.rows("output")
        for commodity, share in world.recipe(r["activity"], r["place"]).items()
        if share < 0 and (commodity, r["place"]) not in supplied
    ]
    assert missing == []


def test_every_plant_earns_its_cash_cost_at_base_prices(world: World) -> None:
    cash = {(r["activity"], r["place"]): r["value"] for r in world.rows("cash_cost")}
    failing = []
    for r in world.rows("output"):
        recipe = world.recipe(r["activity"], r["place"])
        margin = sum(share * world.price(commodity, r["place"]) for commodity, share in recipe.items())
        if margin < max(0.0, cash[r["activity"], r["place"]]):
            failing.append((r["activity"], r["place"], round(margin, 2)))
    assert failing == []


def test_no_plant_runs_above_its_capacity(world: World) -> None:
    capacity = {(r["activity"], r["place"]): r["value"] for r in world.rows("capacity")}
    over = [
        (r["activity"], r["place"])
        for r in world.rows("output")
        if r["value"] > capacity.get((r["activity"], r["place"]), float("inf"))
    ]
    assert over == []


def test_separation_never_gives_more_than_it_takes(world: World) -> None:
    for r in world.rows("output"):
        if r["activity"].startswith("sep_"):
            recipe = world.recipe(r["activity"], r["place"])
            given = sum(share for share in recipe.values() if share > 0)
            assert 0.5 < given <= 1.0, (r["activity"], r["place"], given)


def test_the_elements_under_control_leave_china_and_are_used(world: World) -> None:
    for oxide in CONTROLLED:
        assert world.total("trade", commodity=oxide, place="CHN") > 0, oxide
        assert world.total("use", commodity=oxide) > 0, oxide


def test_visible_dysprosium_exports_lie_within_the_bounds_of_customs(world: World) -> None:
    """China's customs months of 2025 bound 2024 to 105-150 t of dysprosium and 60-135 t of terbium."""
    for element, low, high in (("dy", 105, 150), ("tb", 60, 135)):
        leaving = sum(
            world.total("trade", commodity=f"{element}_{f}", place="CHN") for f in ("oxide", "metal")
        )
        assert low <= leaving <= high, (element, leaving)


def test_chinese_magnet_exports_add_up_to_customs(world: World) -> None:
    """CN 85051110 in 2024: 58,152 t, samarium-cobalt included."""
    kinds = ("ndfeb_magnet_light", "ndfeb_magnet_heavy", "smco_magnet")
    leaving = sum(world.total("trade", commodity=kind, place="CHN") for kind in kinds)
    assert leaving == pytest.approx(58_152, rel=0.01)
    to_india = sum(world.total("trade", commodity=kind, place="CHN", partner="IND") for kind in kinds)
    assert to_india == pytest.approx(2_000, rel=0.01)


def test_published_outputs_of_neodymium_praseodymium_are_met(world: World) -> None:
    """Lynas 6,197 t and MP Materials 1,294 t of NdPr oxide in 2024."""
    assert world.made("sep_mount_weld", "MYS", "ndpr_oxide") == pytest.approx(6_197, rel=0.005)
    assert world.made("sep_mountain_pass", "USA", "ndpr_oxide") == pytest.approx(1_294, rel=0.005)


@pytest.mark.parametrize(
    ("oxide", "tonnes"),
    [("ndpr_oxide", 26_504), ("dy_oxide", 710), ("tb_oxide", 160), ("gd_oxide", 1_048), ("ho_yb_oxide", 167)],
)
def test_chinese_recycling_gives_the_published_oxides(world: World, oxide: str, tonnes: float) -> None:
    assert world.made("recycle_magnet_scrap", "CHN", oxide) == pytest.approx(tonnes, rel=0.005)


def test_a_surplus_is_left_to_the_reconciliation(world: World) -> None:
    unsold = {key for key, a in world.activity.items() if a["form"] == "unsold"}
    assert {"unsold_la", "unsold_ce"} <= unsold
    assert not [r for r in world.rows("use") if r["activity"] in unsold]


def test_every_assumption_states_a_range_and_a_reason(world: World) -> None:
    for r in world.table.frame.iter_rows(named=True):
        if r["kind"] == "assumed":
            assert None not in (r["low"], r["high"]), r
        if r["kind"] in ("assumed", "derived"):
            assert r["note"], r
