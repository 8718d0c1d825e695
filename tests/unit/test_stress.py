"""Controls in the toy world."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from monazite.core.errors import ArgumentError, Refused, UnknownName
from monazite.facts.assumptions import assumed
from monazite.market.scenario import Control, ExportControl, limits
from monazite.network import Network, layout, load, toy
from monazite.stress import simulate, stress
from monazite.stress.simulate import CATCH_UP
from monazite.stress.tables import months, settle, use_by_cohort


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
    rows = answer.table.filter(pl.col("measure").is_in(["value_added_lost", "value_added_on_order"]))
    assert ((rows["low"] <= rows["value"]) & (rows["value"] <= rows["high"])).all()
    assert (rows["value"] > 0).all()


def test_unmet_need_is_made_up_or_on_order_or_lost_and_nothing_twice(net: Network) -> None:
    answer = stress(net, ban(months=6), horizon=14, group="IND")
    share = use_by_cohort(answer.limits.layout, answer.run)
    parts = settle(share, CATCH_UP, assumed("order_lapse").value)
    short = np.maximum(1.0 - share, 0.0).sum(axis=0)
    np.testing.assert_allclose(sum(parts), short, atol=1e-4)
    np.testing.assert_allclose(parts[1], answer.run.unfilled[-1], atol=1e-4)
    assert all((part >= 0).all() for part in parts)


def test_stock_and_flow_balance_in_every_month(net: Network) -> None:
    """India's widgets: opening stock + made + arrived − used = closing stock, month by month."""
    answer = stress(net, ban(months=3), horizon=6)
    month, run = answer.limits.layout, answer.run
    names = np.array(net.activities["name"].to_list())[month.activity]
    is_piece = (month.role == "piece") & np.isin(names, ["make_toy_widget@IND"])
    used = (month.role == "piece") & (names == "toy_gadget toy_widget@IND")
    arc = (month.role == "piece") & (names == "trade toy_widget CHN>IND")
    own = [
        s
        for s, k in enumerate(month.stores)
        if (month.cohort[k] >= 0 and month.cohorts[month.cohort[k]].place == "IND")
        or (month.cohort[k] < 0 and month.activity[k] == net.node_of("toy_widget", "IND"))
    ]
    lag = int(month.lags[np.flatnonzero(arc)[0]])
    shipped = np.concatenate([np.full(lag, month.base[arc].sum()), run.level[:, arc].sum(axis=1)])
    made, arrived = run.level[:, is_piece].sum(axis=1), shipped[: len(run.level)]
    change = np.diff(run.stock[:, own].sum(axis=1))
    np.testing.assert_allclose(change, made + arrived - run.level[:, used].sum(axis=1), atol=1e-8)


def test_a_new_route_opens_when_the_old_one_closes() -> None:
    world = load(["gallium"], 2022)
    fresh = world.activities.filter(pl.col("form") == "new")
    assert (fresh["level"] == 0).all()
    answer = stress(world, ExportControl("CHN", "gallium_4n", 1.0, "2023-08", 12), horizon=6)
    month = answer.limits.layout
    names = set(fresh.filter((pl.col("commodity") == "gallium_4n") & (pl.col("place") != "CHN"))["activity"])
    columns = [k for k, j in enumerate(month.activity) if month.role[k] == "piece" and int(j) in names]
    assert answer.run.level[5, columns].sum() > 0
    assert (answer.run.level[:, columns] <= answer.run.upper[:, columns] + 1e-9).all()


def test_explain_shows_formula_limits_and_sources(net: Network) -> None:
    answer = stress(net, ban(), horizon=4, group="IND")
    shown = answer.explain(measure="shortage", use="toy_gadget", place="IND")
    assert shown["formula"]
    assert shown["limits"].height
    assert shown["facts"].height
    cell = answer.table.filter(pl.col("measure") == "shortage")["cell_id"][0]
    assert answer.explain(cell_id=cell)["cells"].height == 1


@pytest.mark.parametrize(
    "name", ["price_multiple", "shortage", "exports", "value_added_lost", "price_transfer"]
)
def test_why_one_cell_is_what_it_is_keeps_to_what_bears_on_it(name: str) -> None:
    world = load(["rare_earths"])
    control = ExportControl("CHN", ["dy_oxide", "ndfeb_magnet_heavy"], 1.0, f"{world.year + 1}-01", 12)
    answer = stress(world, control, horizon=2, group="QUAD")
    rows = answer.table.filter((pl.col("measure") == name) & pl.col("value").is_not_null())
    row = rows.sort("value", descending=True).row(0, named=True)
    shown = answer.explain(cell_id=row["cell_id"])
    assert shown["cells"].height == 1
    assert 0 < shown["facts"].height <= 45
    assert 0 < shown["inputs"].height <= 20
    assert "coefficient" not in set(shown["facts"]["variable"])
    places = set(shown["inputs"]["place"]) | set(shown["inputs"]["partner"].drop_nulls())
    assert row["place"] in places
    if row["commodity"]:
        assert set(shown["inputs"]["commodity"]) == {row["commodity"]}
        assert set(shown["facts"]["commodity"].drop_nulls()) <= {row["commodity"]}


def test_a_state_may_be_named_by_its_name() -> None:
    assert ban(by="China") == ban(by="chn") == ban(by="CHN")


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


@pytest.mark.parametrize(
    "change",
    [{"cut": None}, {"cut": "1"}, {"months": 2.5}, {"months": "x"}, {"on": None}, {"by": 5}, {"start": 2025}],
)
def test_values_of_the_wrong_type_are_refused_when_made(change: dict[str, object]) -> None:
    with pytest.raises(ArgumentError):
        ban(**change)


@pytest.mark.parametrize("change", [{"horizon": "6"}, {"horizon": 1.5}, {"belief": 0}, {"belief": 1.5}])
def test_runs_of_the_wrong_length_are_refused(net: Network, change: dict[str, object]) -> None:
    with pytest.raises(ArgumentError):
        stress(net, ban(), **change)  # type: ignore[arg-type]


def test_no_control_at_all_is_refused(net: Network) -> None:
    with pytest.raises(ArgumentError, match="NoneType"):
        stress(net, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "words"), [('by = "CHN"', "on"), ('by="CHN"\non="x"\ncut="y"', "cut"), ("by = ", "TOML")]
)
def test_control_files_that_are_wrong_say_where(text: str, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        ExportControl.from_toml(text)


def test_a_piece_for_one_place_stands_before_the_one_for_all_only_where_it_speaks(net: Network) -> None:
    whole = ban(on=("toy_widget", "toy_metal"), kind="licence", path=(0.0,))
    spared = ban(on="toy_widget", to="IND", kind="licence", path=(1.0,))
    control = Control("", "", "2025-01", (whole, spared), "assumed")
    answer = stress(net, control, horizon=1)
    month = answer.limits.layout
    names = np.array(net.activities["name"].to_list())[month.activity]
    flows = {
        name: float(answer.run.level[0, (month.role == "piece") & (names == name)].sum())
        for name in ("trade toy_widget CHN>IND", "trade toy_widget CHN>USA", "trade toy_metal CHN>IND")
    }
    assert flows["trade toy_widget CHN>IND"] > 0
    assert flows["trade toy_widget CHN>USA"] < 1e-9
    assert flows["trade toy_metal CHN>IND"] < 1e-9
