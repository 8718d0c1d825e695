"""All packaged chains at once: they balance, hang together where they should, and stay as they are."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from monazite import facts
from monazite.market import Clearing, Problem, clear
from monazite.network import Network, layout, load, static_arrays

#: chains whose by-product follows a host
COUPLED = {"gallium": "aluminium", "germanium": "zinc", "indium": "zinc", "cobalt": "copper"}


@pytest.fixture(scope="module")
def world() -> Network:
    return load()


def problem(arrays: dict[str, object]) -> tuple[Problem, np.ndarray]:
    base = np.asarray(arrays.pop("x0"))
    return Problem(**arrays), base  # type: ignore[arg-type]


def same_as_base(found: Clearing, base: np.ndarray, at: Problem) -> None:
    weight = abs(at.A)
    reach = (weight.T @ at.throughput) / np.maximum(weight.sum(axis=0), 1e-12)
    assert np.max(np.abs(found.x - base) / reach) <= 1e-8
    assert found.certificate.balance <= 1e-9
    assert np.max(np.abs(found.price / at.y0 - 1.0)[found.unique]) <= 1e-6


def test_every_chain_is_there_with_its_hosts(world: Network) -> None:
    assert set(world.chains) == set(facts.chains())
    assert len(world.chains) >= 20
    for guest, host in COUPLED.items():
        (part,) = [part for part in world.parts if guest in part.chains]
        assert host in part.chains


def test_the_world_balances(world: Network) -> None:
    assert np.max(np.abs(world.flow @ world.level) / np.maximum(world.throughput, 1.0)) <= 1e-9
    assert world.report.margins["reconciled"].min() >= 0  # type: ignore[operator]
    assert world.report.chains["chain"].to_list() == list(world.chains)


def test_the_parts_are_the_whole(world: Network) -> None:
    assert sum(part.nodes.height for part in world.parts) == world.nodes.height
    assert sum(part.activities.height for part in world.parts) == world.activities.height
    names = [name for part in world.parts for name in part.activities["name"]]
    assert sorted(names) == sorted(world.activities["name"])


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_no_shock_returns_the_whole_world(world: Network, factor: float) -> None:
    at, base = problem(static_arrays(world))
    same_as_base(clear(at, start=factor * at.y0), base, at)


def test_no_shock_returns_every_part_by_month(world: Network) -> None:
    for part in world.parts:
        at, base = problem(layout(part).shape(4))
        same_as_base(clear(at, start=0.9 * at.y0), base, at)


def test_what_is_estimated_says_so(world: Network) -> None:
    made_up = world.activities.filter(
        pl.col("fact_ids").list.len() == 0, pl.col("form") != "unsold", pl.col("level") > 0
    )
    assert made_up.height
    assert set(made_up["kind"]) == {"modelled"}
