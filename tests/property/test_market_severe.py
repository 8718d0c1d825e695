"""Severe random scenarios, a few dozen of those that `python -m bench.severe` clears by the thousand."""

import dataclasses
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from monazite.market import Clearing, clear, fixed_point
from monazite.market.rules import AdValorem, Levy
from monazite.market.scenario import DemandSurge, ExportControl, Window
from monazite.network import layout, load, toy

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench import severe

WORLDS = {"toy": 0.4, "gallium": 0.2, "made_up": 0.4}
SEED, COUNT = 5, 48


@cache
def run(index: int) -> tuple[severe.Scenario, severe.Outcome, Clearing]:
    given = severe.scenario(index, SEED, WORLDS)
    return given, *severe.solve(given)


@pytest.mark.parametrize("index", range(COUNT))
def test_every_one_converges(index: int) -> None:
    given, outcome, answer = run(index)
    assert outcome.converged
    problem = getattr(answer, "problem", given.problem)
    assert (np.abs(problem.residual(answer.x)) / problem.throughput).max() <= 1e-10
    assert outcome.contingent <= 1e-6


@pytest.mark.parametrize("index", range(0, COUNT, 3))
def test_none_differs_from_the_public_solver(index: int) -> None:
    given, outcome, answer = run(index)
    compared = severe.compare(given, outcome, answer)
    assert compared.reference == "usable"
    assert not compared.wrong, compared


def test_the_scenarios_are_severe_and_of_many_kinds() -> None:
    parts = {part for index in range(COUNT) for part in run(index)[1].parts}
    assert parts >= {"state_removed", "states_removed", "stocks_empty", "demand", "outage", "control", "shut"}
    assert sum(bool(run(index)[0].rules) for index in range(COUNT)) >= 8
    assert {type(rule) for index in range(COUNT) for rule in run(index)[0].rules} >= {AdValorem, Levy}


def test_a_scenario_rests_on_its_number_and_the_seed_alone() -> None:
    one = severe.run(12, SEED, compared=4, worlds={"toy": 1.0})
    two = severe.run(12, SEED, compared=4, worlds={"toy": 1.0})
    still = [dataclasses.replace(outcome, seconds=0.0) for outcome in one]
    assert still == [dataclasses.replace(outcome, seconds=0.0) for outcome in two]
    assert sum(outcome.reference != "" for outcome in one) == 4
    found = severe.summary(one)
    assert (found["count"], found["failed"], found["wrong"]) == (12, [], [])


def test_what_is_wrong_is_found() -> None:
    given, outcome, answer = run(0)
    off = dataclasses.replace(answer, x=answer.x * 1.001)
    certificate = dataclasses.replace(
        answer.certificate, objective=answer.certificate.objective * (1 + 1e-6) + 1e-3
    )
    assert severe.compare(given, outcome, dataclasses.replace(off, certificate=certificate)).wrong


@pytest.mark.parametrize("months", [1, 3])
def test_what_stands_idle_comes_in_by_its_ramp_and_no_faster(months: int) -> None:
    month = layout(load(["rare_earths"]))
    idle = np.flatnonzero(month.ramp > 0)
    assert idle.size
    window = Window.of(month, months).under([ExportControl("CHN", "rare_earths", months=months)])
    answer = clear(window.problem)
    level = answer.x.reshape(months, -1)[:, idle]
    for t in range(months):
        most = np.minimum(month.upper[idle] + month.ramp[idle] * t, month.ceiling[idle])
        assert (level[t] <= most * (1 + 1e-12)).all()
        assert np.isclose(level[t], most).any()  # and some of it is wanted at once


def test_more_demand_lowers_no_price_at_the_toy() -> None:
    base = Window.of(layout(toy()), 4)
    free, answer = clear(base.problem), clear(base.under([DemandSurge("toy_widget", 0.3)]).problem)
    both = free.unique & answer.unique
    assert (answer.price[both] >= free.price[both] * (1 - 1e-9)).all()
    assert (answer.price[both] > free.price[both] * 1.01).any()


def test_wedges_are_what_the_rates_make_of_the_prices() -> None:
    given = next(
        run(i)[0] for i in range(COUNT) if any(isinstance(rule, AdValorem) for rule in run(i)[0].rules)
    )
    rules = [rule for rule in given.rules if isinstance(rule, AdValorem)]
    answer = fixed_point(given.problem, rules)
    due = np.zeros(given.problem.shape[1])
    for rule in rules:
        held = rule.nodes >= 0
        value = np.where(held, answer.price[np.maximum(rule.nodes, 0)], rule.price)
        np.add.at(due, rule.columns, rule.rate * np.maximum(value, 0.0))
    assert due.any()
    assert answer.wedge == pytest.approx(due, rel=1e-6, abs=1e-9)
