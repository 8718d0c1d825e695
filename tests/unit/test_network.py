"""The toy world: what the facts say, what the reconciliation moves, what the market returns."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from monazite.facts import load as load_facts
from monazite.market import Clearing, Problem, clear
from monazite.network import Network, from_facts, layout, static_arrays, toy
from monazite.network.build import build
from monazite.network.curves import demand_lines, supply_lines


@pytest.fixture(scope="module")
def net() -> Network:
    return toy()


def problem(arrays: dict[str, object]) -> tuple[Problem, np.ndarray]:
    base = np.asarray(arrays.pop("x0"))
    return Problem(**arrays), base  # type: ignore[arg-type]


def same_as_base(found: Clearing, wanted: np.ndarray, at: Problem) -> None:
    """Flows to 1e-8 of their nodes' throughput, prices to 1e-6 where unique, balance to 1e-9."""
    weight = abs(at.A)
    reach = (weight.T @ at.throughput) / np.maximum(weight.sum(axis=0), 1e-12)
    assert np.max(np.abs(found.x - wanted) / reach) <= 1e-8
    assert found.certificate.balance <= 1e-9
    assert np.max(np.abs(found.price / at.y0 - 1.0)[found.unique]) <= 1e-6


def test_balanced_facts_are_left_alone(net: Network) -> None:
    stated = net.activities.filter(pl.col("estimate") > 0)
    np.testing.assert_allclose(stated["level"], stated["estimate"], rtol=1e-9)
    assert net.report.chi2 < 1e-12


def test_mass_is_conserved_at_every_node(net: Network) -> None:
    assert np.abs(net.flow @ net.level).max() < 1e-9


def test_hand_computed_margins(net: Network) -> None:
    earned = dict(zip(net.activities["name"], net.flow.T @ net.price, strict=True))
    assert earned["smelt_toy@CHN"] == pytest.approx(3.0 - 2 * 1.0)
    assert earned["make_toy_widget@IND"] == pytest.approx(5.0 - 3.0)
    assert earned["mine_toy@USA"] == pytest.approx(1.0)


def test_base_satisfies_the_optimality_conditions(net: Network) -> None:
    at, base = problem(static_arrays(net))
    assert np.abs(at.residual(base)).max() < 1e-10
    inside = (base > at.lower + 1e-9) & (base < at.upper - 1e-9)
    marginal = at.c + at.a * base - at.A.T @ at.y0
    assert np.abs(marginal[inside]).max() <= 1e-10
    assert (marginal[base <= at.lower + 1e-9] >= -1e-10).all()
    assert (marginal[base >= at.upper - 1e-9] <= 1e-10).all()


@pytest.mark.parametrize("factor", [1.0, 0.9, 1.1, 0.5, 1.5])
def test_no_shock_returns_the_base_year(net: Network, factor: float) -> None:
    at, base = problem(static_arrays(net))
    same_as_base(clear(at, start=factor * at.y0), base, at)


@pytest.mark.parametrize("months", [3, 24])
@pytest.mark.parametrize("factor", [0.9, 1.5])
def test_no_shock_returns_the_base_by_month(net: Network, months: int, factor: float) -> None:
    at, base = problem(layout(net).shape(months))
    same_as_base(clear(at, start=factor * at.y0), base, at)


def test_contradicting_facts_are_moved_by_their_sigma(tmp_path: object) -> None:
    facts = load_facts(["toy"], 2024)
    frame = facts.frame.with_columns(
        value=pl.when(
            (pl.col("variable") == "output") & (pl.col("activity") == "mine_toy") & (pl.col("place") == "USA")
        )
        .then(26.0)
        .otherwise(pl.col("value"))
    )
    from dataclasses import replace

    net = from_facts(replace(facts, frame=frame), 2024, ["toy"])
    assert np.abs(net.flow @ net.level).max() < 1e-9
    level = dict(net.activities.select("name", "level").iter_rows())
    assert 20.0 < level["mine_toy@USA"] < 26.0
    assert net.report.chi2 > 1.0
    moved = net.report.adjustments.filter(pl.col("r").abs() > 1.0)["name"].to_list()
    assert "mine_toy@USA" in moved


def test_every_activity_carries_its_facts(net: Network) -> None:
    known = set(load_facts(["toy"], 2024).frame["fact_id"].to_list())
    for ids in net.activities["fact_ids"]:
        assert len(ids)
        assert set(ids) <= known


def test_demand_chords_pass_through_the_base_and_the_curve() -> None:
    (pieces,) = demand_lines(*np.array([[100.0], [10.0], [-0.3], [30.0]])).tolist()
    assert len(pieces) == 9
    assert sum(base for *_, base in pieces) == pytest.approx(100.0)
    free = [(c + a * x) for c, a, upper, x in pieces if 0 < x < upper - 1e-12]
    assert free == [pytest.approx(-10.0)]
    tops = [-c for c, *_ in pieces]
    assert tops == sorted(tops, reverse=True)
    assert min(-(c + a * u) for c, a, u, _ in pieces) == pytest.approx(1.0)


@pytest.mark.parametrize("elasticity", [0.05, 0.3, 2.0])
def test_supply_has_its_base_inside_a_piece_and_rises(elasticity: float) -> None:
    given = np.array([[100.0], [10.0], [4.0], [elasticity], [6.0], [120.0]])
    ((first, second),) = supply_lines(*given).tolist()
    cost, slope, upper, base = second
    assert 0 < base < upper
    assert cost + slope * base == pytest.approx(10.0)
    assert first[0] + first[1] * first[2] == pytest.approx(cost)
    assert first[0] == pytest.approx(6.0)
    assert first[2] + upper == pytest.approx(120.0)


def test_a_printed_network_says_what_it_holds(net: Network) -> None:
    text = repr(net)
    assert "2024" in text
    assert "toy" in text
    assert "reported" in text
    assert "A x = b" in text


def test_a_process_without_recipe_is_refused() -> None:
    from dataclasses import replace

    from monazite.core.errors import FactsError

    facts = load_facts(["toy"], 2024)
    frame = facts.frame.filter(~((pl.col("variable") == "coefficient") & (pl.col("activity") == "smelt_toy")))
    with pytest.raises(FactsError, match="smelt_toy"):
        build(replace(facts, frame=frame))
