"""What a study draws: the base stays the equilibrium, a draw is a recalibration, a scenario is itself."""

from __future__ import annotations

import dataclasses
import pickle
import sys

import numpy as np
import polars as pl
import pytest

from monazite.core.errors import ArgumentError, MonaziteError, UnknownName
from monazite.core.range import Range
from monazite.facts import FactTable
from monazite.facts import load as load_facts
from monazite.market import Problem, clear
from monazite.market.scenario import Control, ExportControl, registered
from monazite.market.scenario.causes import CAUSES, WORLD, causes_named, control_causes, drawn_control
from monazite.market.scenario.design import design_size, designed, effects
from monazite.market.scenario.draws import Draws
from monazite.market.scenario.setting import Setting
from monazite.market.scenario.template import Template
from monazite.network import Network, from_facts, layout, load, toy
from monazite.network.behaviour import Spread
from monazite.network.worlds import MEASURED, drawn_facts, other_world

MONTHS = 4
BAN = Control.of(ExportControl("CHN", "toy_metal"), "2025-01")


@pytest.fixture(scope="module")
def real() -> Network:
    return load(["gallium"], 2022)


@pytest.fixture(scope="module")
def template(real: Network) -> Template:
    return Template(real, MONTHS)


def violation(problem: Problem, x: np.ndarray) -> float:
    """Largest violation of the optimality conditions at levels `x` and base prices, as a share of scale."""
    balance = np.abs(problem.residual(x)) / problem.throughput
    carried = problem.A.T @ problem.y0
    best = np.clip(carried - problem.c, problem.a * problem.lower, problem.a * problem.upper)
    meets = abs(problem.A).T @ np.abs(problem.y0) + np.abs(problem.c) + problem.a * np.abs(x)
    return max(float(balance.max()), float(np.max(np.abs(problem.a * x - best) / meets)))


def draws_of(names: tuple[str, ...]) -> list[dict[str, float]]:
    """Every cause at either end alone, all together at either end, and a few at random."""
    single = [{name: q} for name in names for q in (0.0, 1.0)]
    together = [dict.fromkeys(names, q) for q in (0.0, 0.5, 1.0)]
    draw = np.random.default_rng(5)
    return [*single, *together, *({name: float(draw.random()) for name in names} for _ in range(8))]


@pytest.mark.parametrize(
    ("chain", "year", "least"), [("gallium", 2022, 12), ("rare_earths", 2024, 13), ("toy", 2024, 8)]
)
def test_the_base_comes_back_whatever_is_drawn(chain: str, year: int, least: int) -> None:
    template = Template(load([chain], year), MONTHS)
    assert len(template.causes) >= least
    for quantiles in draws_of(template.causes):
        problem = template.problem(template.change(quantiles))
        assert violation(problem, template.level(quantiles)) <= 1e-10, quantiles


def test_a_slope_that_changes_without_its_intercept_would_be_seen(template: Template) -> None:
    change = template.change({"trade_friction": 0.9})
    broken = template.problem(dataclasses.replace(change, c=None))
    assert violation(broken, template.level({"trade_friction": 0.9})) > 1e-3


def test_the_market_finds_the_base_of_a_draw(template: Template) -> None:
    quantiles = dict.fromkeys(template.causes, 0.8)
    problem = template.problem(template.change(quantiles))
    found = clear(problem)
    reach = np.maximum(template.level(quantiles), 1e-3)
    assert np.max(np.abs(found.x - template.level(quantiles)) / reach) < 1e-6
    assert found.certificate.balance <= 1e-10


def test_a_draw_in_the_middle_changes_nothing(template: Template) -> None:
    drawn = template.drawn(dict.fromkeys(template.causes, 0.5))
    for name in ("cost", "slope", "upper", "base", "ramp", "ceiling"):
        assert getattr(drawn, name) == pytest.approx(getattr(template.layout, name), rel=1e-12), name


def test_a_cause_that_moves_nothing_is_none(template: Template) -> None:
    """No plant of this chain earns so little that the least slope of its cost would matter."""
    assert "value_share" not in template.causes
    assert "value_share" in Template(load(["gallium"], 2024), MONTHS).causes
    assert "cover" not in Template(toy(), MONTHS).causes
    plain = template.drawn({})
    for name in template.causes:
        drawn = [template.drawn({name: quantile}) for quantile in (0.0, 1.0)]
        moved = [
            not np.array_equal(getattr(one, part), getattr(plain, part))
            for one in drawn
            for part in ("cost", "slope", "upper", "base", "ramp", "ceiling")
        ]
        assert any(moved), name


def with_drawn(facts: FactTable, variables: tuple[str, ...], quantile: float) -> FactTable:
    """The facts with the variables named standing at a quantile of their ranges."""
    frame = facts.frame
    value = frame["value"].to_numpy().astype(float).copy()
    own = np.isin(frame["variable"].to_list(), variables) & ~np.isnan(value)
    rows = frame.filter(pl.Series(own))
    ranges = [
        Range(min(low if low is not None else v, v), v, max(high if high is not None else v, v))
        for low, v, high in rows.select("low", "value", "high").iter_rows()
    ]
    value[own] = Spread.of(ranges).at(quantile)
    return dataclasses.replace(facts, frame=frame.with_columns(value=pl.Series(value).fill_nan(None)))


@pytest.mark.parametrize("quantile", [0.3, 0.8])
@pytest.mark.parametrize(
    "name",
    [
        *("trade_friction", "elasticity_demand", "price_cap", "elasticity_supply", "ramp", "new_link"),
        *("capacity", "cover", "trader_stock"),
    ],
)
def test_a_draw_is_what_a_recalibration_gives(
    real: Network, template: Template, name: str, quantile: float
) -> None:
    """The template moved directly equals the one built anew from the drawn facts."""
    (cause,) = causes_named([name])
    anew = layout(from_facts(with_drawn(real.facts, cause.variables, quantile), real.year, real.chains))
    drawn = template.drawn({name: quantile})
    # where a capacity is unknown the draw moves the assumption, which the facts do not hold
    known = np.ones(drawn.size, dtype=bool)
    if name == "capacity":
        unknown = real.activities.filter(pl.col("capacity").is_null())["activity"].to_numpy()
        known = ~((drawn.role == "piece") & np.isin(drawn.activity, unknown))
    for part in ("cost", "slope", "upper", "base", "ramp", "ceiling"):
        one, other = getattr(drawn, part)[known], getattr(anew, part)[known]
        if name == "ramp" and part in ("ramp", "upper"):  # an unstated ramp is an assumption as well
            stated = np.isclose(one, other, rtol=1e-9) | (
                template.layout.upper[known] == template.layout.ramp[known]
            )
            assert stated.all()
            continue
        finite = np.isfinite(other)
        assert np.array_equal(finite, np.isfinite(one)), part
        assert one[finite] == pytest.approx(other[finite], rel=1e-9, abs=1e-12), part


def test_a_drawn_figure_keeps_its_range() -> None:
    figures = Spread.of([Range(0.1, 0.2, 0.6), Range(-0.8, -0.2, -0.1), Range(0.0, 1.0, 4.0)])
    for quantile, wanted in ((0.1, [0.1, -0.8, 0.0]), (0.5, [0.2, -0.2, 1.0]), (0.9, [0.6, -0.1, 4.0])):
        assert figures.at(quantile) == pytest.approx(wanted)
    ends = np.array([figures.at(q) for q in np.linspace(0, 1, 21)])
    assert (np.diff(ends, axis=0) >= 0).all()
    assert ends[:, 0].min() >= 0.05
    assert ends[:, 1].max() <= -0.05
    assert ends[:, 2].min() == 0.0


def test_worlds_are_worlds(real: Network) -> None:
    worlds = [other_world(real, 7, number, 3) for number in range(3)]
    assert len({world.level.tobytes() for world in worlds}) == 3
    sd = np.maximum(real.activities["posterior_sd"].to_numpy(), 1e-9)
    for world in worlds:
        assert world.nodes.select("commodity", "place").equals(real.nodes.select("commodity", "place"))
        moved = np.abs(world.level - real.level) / sd
        large = real.level > 1.0
        assert 0.3 < np.sqrt(np.mean(np.minimum(moved[large], 9.0) ** 2)) < 4.0
        own = Template(world, MONTHS)
        for quantiles in ({}, dict.fromkeys(own.causes, 0.9)):
            assert violation(own.problem(own.change(quantiles)), own.level(quantiles)) <= 1e-10
    again = from_facts(drawn_facts(real.facts, 7, 1, 3), real.year, real.chains)
    assert again.level.tobytes() == worlds[1].level.tobytes()


def test_what_is_zero_or_missing_stays_so() -> None:
    facts = load_facts(["gallium"], 2024)
    drawn, before = drawn_facts(facts, 3, 0, 2).frame, facts.frame
    assert drawn.filter(before["value"].is_null())["value"].null_count() == before["value"].null_count()
    nothing = (before["value"] == 0) & before["variable"].is_in(MEASURED)
    assert nothing.any()
    assert (drawn.filter(nothing)["value"] == 0).all()
    kept = before["variable"].is_in(["elasticity_demand", "capacity", "cover"])
    assert drawn.filter(kept)["value"].equals(before.filter(kept)["value"])


def source(
    samples: int = 12, causes: tuple[str, ...] = ("trade_friction", "cover"), **given: object
) -> Draws:
    return Draws(Setting.of(toy(), MONTHS), BAN, samples, 7, causes, **given)  # type: ignore[arg-type]


def test_a_scenario_is_the_same_whoever_asks_for_it() -> None:
    few, many = source(12), source(500)
    alone = source(12, ("cover",))
    for number in (0, 5, 11):
        assert few.quantiles(number) == many.quantiles(number)
        assert alone.quantiles(number)["cover"] == few.quantiles(number)["cover"]
    assert dataclasses.replace(few, seed=8).quantiles(3) != few.quantiles(3)
    values = np.array([many.quantiles(number)["cover"] for number in range(500)])
    assert np.quantile(values, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.06)


def test_scenarios_are_dealt_to_worlds_and_each_world_has_its_centre() -> None:
    nested = source(12, ("cover", WORLD), worlds=4)
    assert nested.count == 16
    assert [nested.world(number) for number in range(16)] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 0, 1, 2, 3]
    assert nested.quantiles(13) == {}
    assert source().number_of_worlds == 0
    assert source().world(3) == -1


def test_a_source_tells_apart_what_differs() -> None:
    one = source()
    others = [
        source(13),
        source(12, ("cover",)),
        dataclasses.replace(one, seed=8),
        dataclasses.replace(one, control=Control.of(ExportControl("CHN", "toy_metal", 0.5), "2025-01")),
        dataclasses.replace(one, setting=Setting.of(toy(), MONTHS + 1)),
    ]
    keys = [one.key(), *(other.key() for other in others)]
    assert len(set(keys)) == len(keys)
    assert source().key() == one.key()


def test_a_network_of_other_facts_travels_along(real: Network) -> None:
    drawn = other_world(real, 7, 0, 3)
    carried = Setting.of(drawn, MONTHS)
    assert carried.network is drawn
    assert carried.template().network is drawn
    assert carried.key() != Setting.of(real, MONTHS).key()
    sent = pickle.loads(pickle.dumps(carried))
    assert sent == carried
    assert sent.network.level.tobytes() == drawn.level.tobytes()
    assert len(pickle.dumps(Setting.of(real, MONTHS))) < 1000


@pytest.mark.parametrize(
    "given",
    [
        {"samples": 0},
        {"seed": -1},
        {"seed": 2**40},
        {"worlds": 0},
        {"design": "sobol", "causes": (WORLD, "cover")},
    ],
)
def test_what_cannot_be_drawn_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ArgumentError):
        dataclasses.replace(source(64), **given)


def test_the_control_is_drawn_where_nobody_states_it() -> None:
    short = Control.of(ExportControl("CHN", "toy_metal", months=3), "2025-01")
    assert control_causes(short, 12) == ("rebound",)
    assert control_causes(short, 3) == ()
    licence = Control.of(ExportControl("CHN", "toy_metal", kind="licence"), "2025-01")
    assert control_causes(licence, 12) == ("licence",)
    tight = drawn_control(licence, {"licence": 0.1}).pieces[0]
    loose = drawn_control(licence, {"licence": 0.9}).pieces[0]
    assert [tight.cap(month) for month in range(4)] == pytest.approx([0.0, 0.0, 0.05, 0.2])
    assert [loose.cap(month) for month in range(4)] == pytest.approx([0.1, 0.1, 0.5, 0.7])
    stated = Control.of(ExportControl("CHN", "toy_metal", months=3, after=2.0), "2025-01")
    assert control_causes(stated, 12) == ()
    assert drawn_control(stated, {"rebound": 0.9}) == stated


def test_a_record_keeps_its_path() -> None:
    from monazite.facts.controls import controls

    record = registered(controls()["CN-REE-APR2025"])
    assert drawn_control(record, {"licence": 0.1}).pieces == record.pieces


def test_causes_are_known_by_name() -> None:
    assert len({cause.name for cause in CAUSES}) == len(CAUSES)
    with pytest.raises(UnknownName, match="cover"):
        causes_named(["covr"])


def test_designs_use_as_many_scenarios_as_they_can() -> None:
    assert design_size("sobol", 3, 64) == 8 * 5
    assert design_size("morris", 3, 64) == 16 * 4
    with pytest.raises(ArgumentError, match="10"):
        design_size("sobol", 3, 9)
    with pytest.raises(UnknownName):
        design_size("halton", 3, 9)


@pytest.mark.parametrize("design", ["sobol", "morris"])
def test_a_design_is_the_same_each_time_and_finds_what_matters(design: str) -> None:
    names = ("much", "little", "nothing")
    points = designed(design, names, 320, 7)
    assert np.array_equal(points, designed(design, names, 320, 7))
    assert not np.array_equal(points, designed(design, names, 320, 8))
    outcome = 4.0 * points[:, 0] + points[:, 1] ** 2
    found = effects(design, names, points, outcome, 7)
    for values, halves in found.values():
        assert values[0] > values[1] > values[2] - 1e-9
        assert (np.abs(halves) < 1.0).all()
    if design == "sobol":
        assert found["total_order"][0][0] == pytest.approx(0.94, abs=0.1)
    still = effects(design, names, points, np.ones(len(points)), 7)
    assert all((values == 0).all() for values, _ in still.values())


def test_without_salib_a_design_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "SALib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "SALib", None)
    with pytest.raises(MonaziteError, match="study"):
        designed("sobol", ["a"], 16, 7)
