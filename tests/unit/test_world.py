"""The packaged worlds: balanced, the equilibrium of their own market, and shocked as the reference says."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from monazite.market import Clearing, Problem, clear, solve_reference
from monazite.market.scenario import Control, ExportControl, limits
from monazite.network import Network, layout, load, static_arrays
from monazite.stress import simulate

WORLDS = [("rare_earths", 2024), ("gallium", 2022), ("gallium", 2024)]


@pytest.fixture(scope="module", params=WORLDS, ids=lambda w: f"{w[0]}-{w[1]}")
def net(request: pytest.FixtureRequest) -> Network:
    chain, year = request.param
    return load([chain], year)


def problem(arrays: dict[str, object]) -> tuple[Problem, np.ndarray]:
    base = np.asarray(arrays.pop("x0"))
    return Problem(**arrays), base  # type: ignore[arg-type]


def kkt(at: Problem, base: np.ndarray) -> float:
    """Largest violation of the optimality conditions at the base, as a share of the prices met."""
    earned = at.A.T @ at.y0
    scale = np.maximum(abs(at.A).T @ at.y0, 1e-9)
    gap = (at.c + at.a * base - earned) / scale
    low, high = base <= at.lower + 1e-9 * scale, base >= at.upper * (1 - 1e-12)
    return float(np.max(np.where(low, np.maximum(-gap, 0), np.where(high, np.maximum(gap, 0), np.abs(gap)))))


def same_as_base(found: Clearing, wanted: np.ndarray, at: Problem) -> None:
    """Flows to 1e-8 of what their nodes pass, prices to 1e-6 where unique, balance to 1e-9."""
    moved = np.abs(at.A) @ np.abs(found.x - wanted)
    passed = np.maximum(np.abs(at.A) @ np.abs(wanted), at.throughput)
    assert np.max(moved / passed) <= 1e-8
    assert found.certificate.balance <= 1e-9
    assert np.max(np.abs(found.price / at.y0 - 1.0)[found.unique]) <= 1e-6


def test_mass_balance(net: Network) -> None:
    assert np.max(np.abs(net.flow @ net.level) / np.maximum(net.throughput, 1.0)) <= 1e-9


def test_base_is_an_exact_equilibrium(net: Network) -> None:
    at, base = problem(static_arrays(net))
    assert kkt(at, base) <= 1e-10


@pytest.mark.parametrize("factor", [0.9, 1.1, 0.5, 1.5])
def test_no_shock_returns_the_reconciled_world(net: Network, factor: float) -> None:
    at, base = problem(static_arrays(net))
    same_as_base(clear(at, start=factor * at.y0), base, at)


@pytest.mark.parametrize("factor", [0.9, 1.1, 0.5, 1.5])
def test_no_shock_returns_it_by_month(net: Network, factor: float) -> None:
    at, base = problem(layout(net).shape(4))
    assert kkt(at, base) <= 1e-10
    same_as_base(clear(at, start=factor * at.y0), base, at)


def test_every_process_earns_its_cash_cost(net: Network) -> None:
    assert net.report.margins["reconciled"].min() >= 0  # type: ignore[operator]


def test_surplus_is_a_residual_and_no_input(net: Network) -> None:
    unsold = net.activities.filter(pl.col("form") == "unsold")
    assert unsold.height
    assert unsold["level"].sum() > 0
    keys = unsold["key"].unique().to_list()
    stated = net.facts.frame.filter((pl.col("variable") == "use") & pl.col("activity").is_in(keys))
    assert stated.is_empty()


def test_assumed_stays_assumed_where_balances_say_little(net: Network) -> None:
    kinds = net.activities.filter(pl.col("kind") == "modelled").filter(pl.col("form") != "unsold")
    assert (kinds["gained"] >= 0.2).all()


def test_a_shocked_world_equals_the_reference() -> None:
    net = load(["rare_earths"], 2024)
    arrays = static_arrays(net)
    base = np.asarray(arrays.pop("x0"))
    names = net.activities["name"].to_list()
    upper = np.array(arrays["upper"], dtype=float)
    for k, j in enumerate(net.columns.activity):
        if names[j].startswith(("trade dy_oxide CHN", "trade tb_oxide CHN", "trade ndfeb_magnet_heavy CHN")):
            upper[k] = 0.1 * base[k]
    at = Problem(**(arrays | {"upper": upper}))
    ours, theirs = clear(at), solve_reference(at, strict=False)
    assert ours.certificate.balance <= 1e-9
    assert ours.certificate.objective == pytest.approx(theirs.certificate.objective, rel=1e-10)
    both = ours.unique & theirs.unique
    close = np.abs(ours.price - theirs.price)[both] / np.maximum(np.abs(ours.price[both]), 1e-3)
    assert np.quantile(close, 0.99) <= 1e-4
    assert (ours.price >= 0.99 * at.y0).mean() > 0.3


@pytest.mark.parametrize("share", [0.8, 0.5])
def test_gallium_follows_extraction_capacity(share: float) -> None:
    """With extraction circuits cut until they bind, gallium follows; with alumina cut, so does it."""
    net = load(["gallium"], 2022)
    for key in ("extract_gallium", "refine_alumina"):
        arrays = static_arrays(net)
        base = np.asarray(arrays.pop("x0"))
        keys = np.array(net.activities["key"].to_list())[net.columns.activity]
        places = np.array(net.activities["place"].to_list())[net.columns.activity]
        cut = share if key == "extract_gallium" else 0.02 * share
        pieces = np.flatnonzero((keys == key) & (places == "CHN"))
        upper = np.array(arrays["upper"], dtype=float)
        room = cut * base[pieces].sum()
        for k in pieces:
            upper[k] = min(upper[k], max(room, 0.0))
            room -= upper[k]
        found = clear(Problem(**(arrays | {"upper": upper})))
        made = np.flatnonzero((keys == "extract_gallium") & (places == "CHN"))
        node = net.node_of("gallium_4n", "CHN")
        assert found.x[made].sum() < 0.9 * base[made].sum()
        assert node is not None
        assert found.price[node] > 1.05 * net.price[node]


def test_a_month_under_control_balances() -> None:
    net = load(["gallium"], 2022)
    month = layout(net)
    control = Control.of(ExportControl("CHN", "gallium_4n", 1.0, "2023-08", 3), "2023-01")
    run = simulate(month, limits(month, control), horizon=3)
    assert run.worst.balance <= 1e-9
