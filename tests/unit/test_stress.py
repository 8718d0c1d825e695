"""Controls in the toy world."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from monazite.core.errors import ArgumentError, Refused, UnknownName
from monazite.market.scenario import Control, ExportControl, limits
from monazite.network import Network, layout, toy
from monazite.stress import simulate, stress
from monazite.stress.tables import months


@pytest.fixture(scope="module")
def net() -> Network:
    return toy()


def ban(**changes: object) -> ExportControl:
    given = {"by": "CHN", "on": "toy_widget", "cut": 1.0, "start": "2025-01", "months": 6} | changes
    return ExportControl(**given)  # type: ignore[arg-type]


def measure(answer: object, name: str, **where: str) -> list[float]:
    rows = answer.table.filter(pl.col("measure") == name)  # type: ignore[attr-defined]
    for key, value in where.items():
        rows = rows.filter(pl.col(key) == value)
    return rows.sort("month")["value"].to_list()


def test_without_a_control_the_world_stays_the_base(net: Network) -> None:
    month = layout(net)
    run = simulate(month, None, horizon=6)
    scale = np.maximum(month.base, 1e-3)
    assert np.max(np.abs(run.level - month.base) / scale) < 1e-8
    assert np.max(np.abs(run.price / month.price - 1)) < 1e-8


def test_a_control_that_cuts_nothing_changes_nothing_to_the_last_digit(net: Network) -> None:
    month = layout(net)
    idle = limits(month, Control.of(ban(cut=0.0), "2025-01"))
    free, held = simulate(month, None, horizon=8), simulate(month, idle, horizon=8)
    assert np.array_equal(free.level, held.level)
    assert np.array_equal(free.price, held.price)


def test_a_ban_stops_the_flow_and_a_rebound_follows(net: Network) -> None:
    answer = stress(net, ban(), horizon=10, group="IND")
    flow = measure(answer, "exports_multiple", commodity="toy_widget")
    assert max(flow[:6]) < 1e-9
    assert 1.0 < flow[6] <= 1.3 + 1e-9


def test_prices_inside_fall_while_prices_outside_rise(net: Network) -> None:
    answer = stress(net, ban(), horizon=8, group="IND")
    assert measure(answer, "price_multiple", commodity="toy_widget", place="CHN")[4] < 1.0
    assert measure(answer, "price_multiple", commodity="toy_widget", place="IND")[4] > 1.0


def test_longer_controls_never_help_the_place_that_is_cut_off(net: Network) -> None:
    worst = [
        max(measure(stress(net, ban(months=m), horizon=12, group="IND"), "shortage", place="IND"))
        for m in (2, 6, 12)
    ]
    assert worst == sorted(worst)


def test_a_quota_holds_all_exports_together(net: Network) -> None:
    answer = stress(net, ban(kind="quota", cut=0.5), horizon=4, group="IND")
    assert max(measure(answer, "exports_multiple", commodity="toy_widget")) <= 0.5 + 1e-9


def test_a_licence_recovers(net: Network) -> None:
    answer = stress(net, ban(kind="licence", months=12), horizon=12, group="IND")
    flow = measure(answer, "exports_multiple", commodity="toy_widget")
    assert flow[0] <= 0.05 + 1e-9 < flow[6]


def test_targets_spare_others(net: Network) -> None:
    answer = stress(net, ban(to="IND"), horizon=3)
    table = answer.limits.layout.network.activities
    row = table.filter(pl.col("name") == "trade toy_widget CHN>USA")["activity"][0]
    column = int(np.flatnonzero(answer.limits.layout.activity == row)[0])
    assert answer.run.level[:, column].min() > 0


def test_mass_balance_holds_in_every_month(net: Network) -> None:
    answer = stress(net, ban(months=12), horizon=12)
    assert answer.run.worst.balance <= 1e-9


def test_foresight_and_belief_are_different_answers(net: Network) -> None:
    short = measure(stress(net, ban(months=12), horizon=12, belief=1, group="IND"), "shortage")
    known = measure(stress(net, ban(months=12), horizon=12, belief=None, group="IND"), "shortage")
    assert not np.allclose(short, known)


def test_any_state_can_be_the_restricting_one(net: Network) -> None:
    answer = stress(net, ban(by="USA", on="toy_ore"), horizon=4, group="CHN")
    assert measure(answer, "exports_multiple", commodity="toy_ore")[0] < 1e-9


def test_same_inputs_same_digits(net: Network) -> None:
    one, two = stress(net, ban(), horizon=6), stress(net, ban(), horizon=6)
    assert one.table.equals(two.table)
    assert one.manifest.input_hash == two.manifest.input_hash


def test_value_at_risk_has_a_range_and_counts_only_what_is_missing(net: Network) -> None:
    answer = stress(net, ban(months=12), horizon=12, group="IND")
    rows = answer.table.filter(pl.col("measure") == "value_added_deferred").row(0, named=True)
    assert rows["low"] <= rows["value"] <= rows["high"]
    assert rows["value"] > 0


def test_explain_shows_formula_limits_and_sources(net: Network) -> None:
    answer = stress(net, ban(), horizon=4, group="IND")
    shown = answer.explain(measure="shortage", use="toy_gadget", place="IND")
    assert shown["formula"]
    assert shown["limits"].height
    assert shown["facts"].height


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"cut": 2.0}, ArgumentError, "cut"),
        ({"cut": -0.1}, ArgumentError, "cut"),
        ({"months": 0}, ArgumentError, "months"),
        ({"start": "2025-13"}, ArgumentError, "start"),
        ({"kind": "bann"}, UnknownName, "ban"),
        ({"on": ()}, ArgumentError, "group"),
    ],
)
def test_wrong_controls_are_refused_when_made(change: dict[str, object], error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        ban(**change)


@pytest.mark.parametrize(
    ("change", "nearest"),
    [({"by": "CHM"}, "CHN"), ({"on": "toy_widgit"}, "toy_widget"), ({"to": "QUADD"}, "QUAD")],
)
def test_unknown_names_get_the_nearest(net: Network, change: dict[str, object], nearest: str) -> None:
    with pytest.raises(UnknownName, match=nearest):
        stress(net, ban(**change), horizon=2)


def test_what_nobody_exports_cannot_be_controlled(net: Network) -> None:
    with pytest.raises(Refused, match="IND"):
        stress(net, ban(by="IND", on="toy_widget"), horizon=2)


@pytest.mark.parametrize("bad", [0, -1, 500])
def test_horizons_out_of_reach_are_refused(net: Network, bad: int) -> None:
    with pytest.raises(ArgumentError):
        stress(net, ban(), horizon=bad)


def test_months_run_over_the_year() -> None:
    assert months("2025-11", 4) == ["2025-11", "2025-12", "2026-01", "2026-02"]


def test_controls_round_trip_through_toml() -> None:
    given = ban(path=(0.0, 0.5), cohorts={"c1": (0.0, 0.1)}, to=("IND", "USA"), kind="licence")
    assert ExportControl.from_toml(given.to_toml()) == given
    with pytest.raises(UnknownName, match="months"):
        ExportControl.from_toml(given.to_toml().replace("months", "monthz"))
