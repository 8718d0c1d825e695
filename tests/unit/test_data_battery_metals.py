"""Copper, nickel and cobalt as packaged: a world that balances and that those who know it recognise."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest

from monazite.core.settings import data_folder
from monazite.facts.check import check_file
from monazite.network.load import load
from monazite.network.network import Network

CHAINS = ("copper", "nickel", "cobalt")
#: share of the reconciled world that a place has in what activities give together (tonnes of 2024):
#: least, most. Well-known shares of the surveys, wide enough for the sources to differ
SHARES = (
    ("copper", ("mine_copper", "mine_copper_sxew"), "CHL", 0.22, 0.26),
    ("copper", ("mine_copper", "mine_copper_sxew"), "COD", 0.115, 0.145),
    ("copper", ("mine_copper", "mine_copper_sxew"), "PER", 0.10, 0.13),
    ("copper", ("mine_copper_sxew", "refine_copper", "recycle_copper"), "CHN", 0.42, 0.48),
    ("copper", ("mine_copper_sxew", "refine_copper", "recycle_copper"), "COD", 0.08, 0.11),
    ("nickel", ("mine_nickel_laterite", "mine_nickel_sulphide"), "IDN", 0.57, 0.65),
    ("nickel", ("mine_nickel_laterite", "mine_nickel_sulphide"), "PHL", 0.08, 0.12),
    ("nickel", ("smelt_nickel_pig_iron",), "IDN", 0.70, 0.82),
    ("nickel", ("sulphate_from_mhp", "sulphate_from_matte"), "CHN", 0.62, 0.80),
    ("cobalt", ("cobalt_from_copper_leach", "cobalt_from_copper_ore", "cobalt_from_nickel_leach",
                "cobalt_from_nickel_sulphide", "mine_cobalt_primary"), "COD", 0.70, 0.78),
    ("cobalt", ("cobalt_from_copper_leach", "cobalt_from_copper_ore", "cobalt_from_nickel_leach",
                "cobalt_from_nickel_sulphide", "mine_cobalt_primary"), "IDN", 0.09, 0.14),
    ("cobalt", ("refine_cobalt_metal", "refine_cobalt_oxide", "refine_cobalt_sulphate",
                "recycle_cobalt_sulphate"), "CHN", 0.74, 0.83),
)  # fmt: skip
FLOWS = (
    ("cobalt", "cobalt_intermediate", "COD", "CHN", 150_000, 215_000),
    ("nickel", "nickel_pig_iron", "IDN", "CHN", 850_000, 1_200_000),
    ("nickel", "nickel_mhp", "CUB", "CAN", 28_000, 34_000),
    ("copper", "copper_concentrate", "CHL", "CHN", 1_700_000, 2_600_000),
    ("copper", "copper_concentrate", "PER", "CHN", 1_400_000, 2_000_000),
    ("copper", "copper_cathode", "CHL", "USA", 450_000, 700_000),
)


@cache
def _world(*chains: str) -> Network:
    return load(list(chains), 2024, cache=False)


def _total(activities: pl.DataFrame) -> float:
    return float(activities["level"].to_numpy().sum())


@pytest.mark.parametrize("chain", CHAINS)
def test_tables_are_clean(chain: str) -> None:
    assert check_file(data_folder() / "chains" / chain / "facts.csv") == []


@pytest.mark.parametrize("chain", CHAINS)
def test_balances_without_force(chain: str) -> None:
    report = _world(chain).report
    assert 0.5 <= report.chi2 / report.dof <= 2.0
    pulled = report.adjustments.filter(pl.col("r").abs() > 3.3)
    assert pulled.height <= 0.06 * report.adjustments.height
    assert np.abs(report.measurements["r"].to_numpy()).max() < 2.5


@pytest.mark.parametrize("chain", CHAINS)
def test_no_process_loses_money_or_makes_metal_from_nothing(chain: str) -> None:
    net = _world(chain)
    assert net.report.margins.filter(pl.col("stated") < 0.0).height == 0
    processes = net.activities.filter(pl.col("type") == "process")
    flow = net.flow.tocsc()
    for column in processes["activity"]:
        entries = flow.data[flow.indptr[column] : flow.indptr[column + 1]]
        assert entries.sum() < 1e-9  # every commodity counts the metal contained: more goes in than out


@pytest.mark.parametrize(("chain", "activities", "place", "least", "most"), SHARES)
def test_well_known_shares(
    chain: str, activities: tuple[str, ...], place: str, least: float, most: float
) -> None:
    made = _world(chain).activities.filter(pl.col("key").is_in(activities))
    share = _total(made.filter(place=place)) / _total(made)
    assert least <= share <= most


@pytest.mark.parametrize(("chain", "commodity", "origin", "destination", "least", "most"), FLOWS)
def test_well_known_flows(
    chain: str, commodity: str, origin: str, destination: str, least: float, most: float
) -> None:
    flows = _world(chain).activities.filter(
        pl.col("type") == "trade", commodity=commodity, place=origin, partner=destination
    )
    assert least <= _total(flows) <= most


def test_cobalt_follows_its_hosts() -> None:
    """With copper and nickel there, cobalt comes with their processes, and as much of it."""
    alone, together = _world("cobalt"), _world(*CHAINS)
    mined = pl.col("key").str.starts_with("cobalt_from_")
    assert together.activities.filter(mined, pl.col("level") > 0.0).height == 0
    nodes = together.nodes.filter(commodity="cobalt_intermediate")
    flow = together.flow.tocsr()
    hosts = together.activities.filter(pl.col("chain").is_in(["copper", "nickel"]))
    columns = hosts["activity"].to_numpy()
    joint = flow[nodes["node"].to_numpy()][:, columns] @ hosts["level"].to_numpy()
    before = _total(alone.activities.filter(mined))
    assert joint.sum() == pytest.approx(before, rel=1e-6)
    at = dict(zip(nodes["place"], joint, strict=True))
    assert at["COD"] > 0.7 * before
