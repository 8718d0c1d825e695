"""Chains from statistics: missing flows estimated, by-products joined to their hosts, parts kept apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from monazite import facts as fact_floor
from monazite.facts import STRIDE
from monazite.facts.rules import FACT_COLUMNS
from monazite.market import Problem, clear
from monazite.network import Network, load, static_arrays

GOODS = "commodity,chain,stage,name,basis,unit,element,hs,help\n"
DOINGS = "activity,chain,type,stage,reference,name,form,help\n"
HOST = {
    "commodities": GOODS + "h_ore,host,concentrate,ore,metal,t,Zn,,\nh_metal,host,metal,metal,metal,t,Zn,,\n",
    "activities": DOINGS
    + "h_mine,host,mine,mine,h_ore,mine,,\nh_smelt,host,process,metal,h_metal,smelter,,\n"
    + "h_use,host,use,product,,use,,\nh_other,host,use,product,,other use,,\n",
    "lines": "commodity,hs,factor,factor_low,factor_high,price_low,price_high,usd_per_kg,share,complete,"
    "period,source,caveat\nh_ore,,1,,,,,,1,no,,definition,\n",
}
GUEST = {
    "commodities": GOODS
    + "g_residue,guest,concentrate,residue,metal,t,Ge,,\ng_metal,guest,refine,metal,metal,t,Ge,,\n",
    "activities": DOINGS
    + "g_leach,guest,mine,concentrate,g_residue,leach,,\ng_refine,guest,process,refine,g_metal,refine,,\n"
    + "g_use,guest,use,product,,use,,\n",
    "hosts": "name,host_chain,host\ng_leach,host,h_smelt\n",
}


def rows(*facts: dict[str, str]) -> str:
    blank = dict.fromkeys(FACT_COLUMNS, "")
    text = [",".join(FACT_COLUMNS)]
    for fact in facts:
        made = blank | {
            "unit": "t/yr", "basis": "metal", "kind": "reported", "status": "ok", "source": "definition",
        } | fact  # fmt: skip
        text.append(",".join(made[name] for name in FACT_COLUMNS))
    return "\n".join(text) + "\n"


def coef(activity: str, good: str, value: str) -> dict[str, str]:
    return {"variable": "coefficient", "activity": activity, "commodity": good, "value": value, "unit": "t/t"}


def at(variable: str, place: str, value: str, **more: str) -> dict[str, str]:
    return {"variable": variable, "place": place, "period": "2024", "value": value, **more}


def price(good: str, value: str) -> dict[str, str]:
    return {"variable": "price", "commodity": good, "period": "2024", "value": value, "unit": "USD/kg"}


def share(use: str, value: str) -> dict[str, str]:
    about = {"variable": "use_share", "activity": use, "commodity": "h_metal", "value": value}
    return about | {"unit": "1", "basis": "none"}


HOST_FACTS = rows(
    coef("h_mine", "h_ore", "1"), coef("h_smelt", "h_metal", "1"), coef("h_smelt", "h_ore", "-1"),
    at("output", "AUS", "100", activity="h_mine"), at("output", "CHN", "60", activity="h_mine"),
    at("output", "CHN", "100", activity="h_smelt"), at("output", "JPN", "40", activity="h_smelt"),
    at("output", "DEU", "20", activity="h_smelt"),
    at("trade", "CHN", "30", partner="IND", commodity="h_metal"),
    share("h_use", "0.75"), share("h_other", "0.25"), price("h_ore", "1"), price("h_metal", "3"),
)  # fmt: skip
GUEST_FACTS = rows(
    coef("g_leach", "g_residue", "1"), coef("g_refine", "g_metal", "1"), coef("g_refine", "g_residue", "-2"),
    at("output", "CHN", "10", activity="g_leach"), at("output", "CAN", "2", activity="g_leach"),
    at("output", "CHN", "5", activity="g_refine"), at("output", "CAN", "1", activity="g_refine"),
    at("use", "CHN", "5", activity="g_use", commodity="g_metal"),
    at("use", "CAN", "1", activity="g_use", commodity="g_metal"),
    price("g_residue", "100"), price("g_metal", "900"),
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, tables, facts in (("host", HOST, HOST_FACTS), ("guest", GUEST, GUEST_FACTS)):
        home = tmp_path / name
        home.mkdir()
        for table, text in tables.items():
            (home / f"{table}.csv").write_text(text, encoding="utf-8")
        (home / "facts.csv").write_text(facts, encoding="utf-8")
    return tmp_path


def of(net: Network, name: str) -> dict[str, object]:
    found: dict[str, object] = net.activities.row(by_predicate=pl.col("name") == name, named=True)
    return found


def test_what_a_place_has_is_split_among_its_uses(folder: Path) -> None:
    net = load(["host"], 2024, path=folder, cache=False)
    assert of(net, "h_use h_metal@IND")["level"] == pytest.approx(0.75 * 30.0)
    assert of(net, "h_other h_metal@CHN")["level"] == pytest.approx(0.25 * 70.0)
    assert of(net, "h_use h_metal@IND")["kind"] == "modelled"


def test_open_trade_meets_the_margins_with_greatest_entropy(folder: Path) -> None:
    net = load(["host"], 2024, path=folder, cache=False)
    ore = net.activities.filter(pl.col("commodity") == "h_ore", pl.col("type") == "trade")
    found = {(r["place"], r["partner"]): r["level"] for r in ore.iter_rows(named=True)}
    # Australia has 100 over; China lacks 40, Japan 40, Germany 20
    assert {key: round(value, 6) for key, value in found.items()} == {
        ("AUS", "CHN"): 40.0, ("AUS", "JPN"): 40.0, ("AUS", "DEU"): 20.0,
    }  # fmt: skip
    assert set(ore["kind"]) == {"modelled"}


def test_a_by_product_follows_its_host(folder: Path) -> None:
    alone = load(["guest"], 2024, path=folder, cache=False)
    both = load(["guest", "host"], 2024, path=folder, cache=False)
    names = both.activities["name"].to_list()
    assert "g_leach@CHN" not in names
    assert "g_leach@CAN" in names  # no host smelter is known there
    smelter = int(of(both, "h_smelt@CHN")["activity"])  # type: ignore[call-overload]
    node = both.node_of("g_residue", "CHN")
    level = both.level[smelter]
    assert both.flow[node, smelter] * level == pytest.approx(of(alone, "g_leach@CHN")["level"])
    assert np.max(np.abs(both.flow @ both.level)) < 1e-9
    assert {f for f in of(both, "h_smelt@CHN")["fact_ids"] if f < STRIDE}, "the stand-in's facts are kept"  # type: ignore[attr-defined]
    assert len(both.parts) == 1


def test_a_host_that_closes_takes_its_by_product_along(folder: Path) -> None:
    both = load(["guest", "host"], 2024, path=folder, cache=False)
    arrays = static_arrays(both)
    arrays.pop("x0")
    problem = Problem(**arrays)  # type: ignore[arg-type]
    upper = problem.upper.copy()
    smelter = int(of(both, "h_smelt@CHN")["activity"])  # type: ignore[call-overload]
    upper[np.flatnonzero(both.columns.activity == smelter)] = 0.0
    shut = clear(Problem(**{**vars(problem), "upper": upper}))
    refine = int(of(both, "g_refine@CHN")["activity"])  # type: ignore[call-overload]
    level = shut.x[: both.columns.activity.size][both.columns.activity == refine].sum()
    assert level == pytest.approx(0.0, abs=1e-9)


def test_the_joined_base_year_is_an_equilibrium(folder: Path) -> None:
    both = load(["guest", "host"], 2024, path=folder, cache=False)
    arrays = static_arrays(both)
    base = np.asarray(arrays.pop("x0"))
    problem = Problem(**arrays)  # type: ignore[arg-type]
    found = clear(problem, start=1.5 * problem.y0)
    assert found.x == pytest.approx(base, abs=1e-7)


def test_a_chain_says_the_same_alone_and_beside_others() -> None:
    alone = load(["gallium"], 2024, cache=False)
    beside = load(["gallium", "tungsten"], 2024, cache=False)
    part = next(p for p in beside.parts if p.chains == ("gallium",))
    assert part.activities["name"].to_list() == alone.activities["name"].to_list()
    assert part.level.tolist() == alone.level.tolist()
    assert part.price.tolist() == alone.price.tolist()
    assert (part.columns.cost == alone.columns.cost).all()


def test_facts_keep_their_ids_in_a_part() -> None:
    table = fact_floor.load(["gallium", "toy"], 2024)
    part = table.part("toy")
    assert part.frame["fact_id"].min() == STRIDE
    assert part.explain([int(part.frame["fact_id"][0])]).height == 1


def test_kept_networks_are_the_same(folder: Path) -> None:
    first = load(["guest", "host"], 2024, path=folder)
    again = load(["guest", "host"], 2024, path=folder)
    assert again.level.tolist() == first.level.tolist()
    assert again.activities["fact_ids"].to_list() == first.activities["fact_ids"].to_list()
