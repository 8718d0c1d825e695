"""Shocks and instruments on a small network by month: what they change, and that it solves."""

import dataclasses

import numpy as np
import pytest

from monazite.core.errors import ArgumentError, Refused, UnknownName
from monazite.market import clear, solve_reference
from monazite.market.scenario import (
    BorderDuty,
    ContractForDifference,
    DemandSurge,
    ExportControl,
    Outage,
    PriceFloor,
    Tariff,
    Window,
)
from monazite.network import layout, toy

MONTHS = 6
NET = toy()
LAYOUT = layout(NET)
BASE = Window.of(LAYOUT, MONTHS)

#: one of each, with every field away from its default
EACH = (
    Tariff("IND", ("toy_widget", "toy_metal"), 0.25, "export", "border", ("USA", "CHN"), "2025-03", 4),
    BorderDuty("IND", "toy_metal", 30.5, ("CHN",), "2025-02", 3),
    PriceFloor("toy_metal", 55.0, ("IND", "QUAD"), "purchase", "2025-02", 3),
    ContractForDifference("toy_metal", 70, "IND", 0.3, 120.0, "CHN", 0.13, "2025-02", 3),
    Outage("CHN", ("toy_metal", "toy_widget"), 0.4, "2025-02", 3),
    DemandSurge(("toy_widget",), 0.5, ("IND", "USA"), "gadget", "2025-02", 3),
)


def price_at(window: Window, commodity: str, place: str) -> np.ndarray:
    """Cleared prices by month."""
    node = LAYOUT.network.node_of(commodity, place)
    return window.settle().price.reshape(window.months, LAYOUT.month_nodes)[:, node]


@pytest.mark.parametrize("shock", EACH, ids=lambda s: type(s).__name__)
def test_each_makes_the_round_trip_through_toml(shock) -> None:
    assert type(shock).from_toml(shock.to_toml()) == shock
    assert all(f"{name} = " in shock.to_toml() for name in (f.name for f in dataclasses.fields(shock)))
    with pytest.raises(UnknownName, match="did you mean 'months'"):
        type(shock).from_toml(shock.to_toml().replace("months", "monthz"))
    for name in shock.needed:
        kept = "\n".join(line for line in shock.to_toml().splitlines() if not line.startswith(f"{name} ="))
        with pytest.raises(ArgumentError, match=f"lacks '{name}'"):
            type(shock).from_toml(kept)
    with pytest.raises(ArgumentError, match="TOML"):
        type(shock).from_toml("by = ")


def test_the_text_of_an_export_control_is_what_it_was() -> None:
    given = ExportControl(
        "CHN", ("a", "b"), 1, "2027-01", 3, "QUAD", "licence", (0, 0.5), 2, {"c1": (0, 1), "c2": [0.25]}
    )
    assert given.to_toml() == (
        'by = "CHN"\non = ["a", "b"]\nstart = "2027-01"\ncut = 1.0\nmonths = 3\nto = ["QUAD"]\n'
        'kind = "licence"\npath = [0.0, 0.5]\nafter = 2.0\n[cohorts]\nc1 = [0.0, 1.0]\nc2 = [0.25]\n'
    )
    assert ExportControl("CHN", "a").to_toml() == (
        'by = "CHN"\non = ["a"]\ncut = 1.0\nmonths = 12\nto = ["ALL"]\nkind = "ban"\npath = []\nafter = 1.3\n'
    )


@pytest.mark.parametrize("shock", EACH, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("change", [{"months": 0}, {"months": 1.5}, {"start": "2025-13"}, {"start": 2025}])
def test_times_that_are_none_are_refused(shock, change: dict[str, object]) -> None:
    with pytest.raises(ArgumentError):
        dataclasses.replace(shock, **change)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Tariff("IND", "toy_metal", -1.0), "rate must be a number above -1"),
        (lambda: Tariff("IND", "toy_metal", float("nan")), "rate must be a number above -1, but nan"),
        (lambda: Tariff("IND", "toy_metal", True), "rate must be a number above -1, but True"),
        (lambda: Tariff("IND", [], 0.1), "empty"),
        (lambda: Tariff(["IND"], "toy_metal", 0.1), "by must be one name"),
        (lambda: Tariff("IND", "toy_metal", 0.1, kind="imports"), "did you mean 'import'"),
        (lambda: Tariff("IND", "toy_metal", 0.1, value="cif"), "value"),
        (lambda: BorderDuty("IND", "toy_metal", 0.0), "reference must be above zero"),
        (lambda: BorderDuty("IND", ["toy_metal"], 3.0), "on must be one name"),
        (lambda: PriceFloor("toy_metal", -3.0), "floor"),
        (lambda: PriceFloor("toy_metal", 3.0, kind="buying"), "kind"),
        (lambda: ContractForDifference("toy_metal", "70", "IND"), "strike"),
        (lambda: ContractForDifference("toy_metal", 70, "IND", upside=1.2), "upside"),
        (lambda: ContractForDifference("toy_metal", 70, "IND", volume=0), "volume"),
        (lambda: ContractForDifference("toy_metal", 70, "IND", tax=-1), "tax"),
        (lambda: Outage("CHN", "toy_metal", 1.5), "cut must lie between 0 and 1"),
        (lambda: Outage(3, "toy_metal"), "at must be one name"),
        (lambda: DemandSurge("toy_widget", -1.0), "rise"),
        (lambda: DemandSurge(None, 1.0), "on must be a name"),
    ],
)
def test_wrong_figures_are_refused_when_made(make, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        make()


@pytest.mark.parametrize(
    ("shock", "words"),
    [
        (Tariff("IND", "toy_metl", 0.1), "did you mean 'toy_metal'"),
        (Tariff("India!", "toy_metal", 0.1), "did you mean 'IND'"),
        (Tariff("IND", "toy_metal", 0.1, to="BRA"), "BRA"),
        (BorderDuty("IND", "toy", 3.0), "toy"),
        (PriceFloor("toy_wigdet", 3.0), "did you mean 'toy_widget'"),
        (ContractForDifference("toy_metal", 3.0, "CHIN"), "CHIN"),
        (Outage("CHN", "toy_mtal"), "did you mean 'toy_metal'"),
        (DemandSurge("toy_widget", 0.1, use="gadgets"), "gadgets"),
    ],
)
def test_names_that_nobody_knows_are_refused_with_the_nearest(shock, words: str) -> None:
    with pytest.raises(UnknownName, match=words):
        BASE.under([shock])


@pytest.mark.parametrize(
    "shock",
    [
        Tariff("CHN", "toy_widget", 0.1),
        BorderDuty("CHN", "toy_widget", 3.0),
        ContractForDifference("toy_ore", 3.0, "IND"),
        Outage("IND", "toy_ore"),
        DemandSurge("toy_ore", 0.1),
    ],
    ids=lambda s: type(s).__name__,
)
def test_what_would_change_nothing_is_refused(shock) -> None:
    with pytest.raises(Refused, match="2024"):
        BASE.under([shock])


def test_no_rate_no_cut_no_rise_change_nothing_to_the_last_digit() -> None:
    free = clear(BASE.problem)
    for shock in (
        Tariff("IND", "toy_metal", 0.0),
        Outage("CHN", "toy_metal", 0.0),
        DemandSurge("toy_widget", 0.0),
        BorderDuty("IND", "toy_metal", 1e-3),
        PriceFloor("toy_metal", 1e-3),
    ):
        answer = BASE.under([shock]).settle()
        assert answer.x.tobytes() == free.x.tobytes()
        assert answer.price.tobytes() == free.price.tobytes()
        assert sum(p.amount for p in answer.payments) == 0.0


def test_a_tariff_holds_in_its_months_only_and_its_revenue_is_rate_times_value() -> None:
    window = BASE.under([Tariff("IND", "toy_metal", 0.25, start="2025-03", months=2)])
    answer = window.settle()
    assert [rule.parties.month for rule in window.rules] == [2, 3]
    links = window.links(["toy_metal"], ["CHN", "USA"], ["IND"])
    for month, paid in zip((2, 3), answer.payments, strict=True):
        value = 0.0
        for k in links:
            node, tonnes = window.takes(k)
            value += answer.price[window.node(month, node)] * tonnes * answer.x[int(window.column(month, k))]
        assert paid.amount == pytest.approx(0.25 * value, rel=1e-9)
        assert (paid.payer, paid.receiver) == ("importers IND", "IND")
    assert np.flatnonzero(answer.wedge.reshape(MONTHS, -1).sum(axis=1)).tolist() == [2, 3]


def test_a_tariff_moves_trade_and_prices_as_it_should() -> None:
    free, taxed = clear(BASE.problem), BASE.under([Tariff("IND", "toy_metal", 0.3, value="border")])
    links = np.concatenate([taxed.column(m, taxed.links(["toy_metal"], ["CHN"], ["IND"])) for m in range(5)])
    answer = taxed.settle()
    assert answer.x[links].sum() < 0.99 * free.x[links].sum()
    assert price_at(taxed, "toy_metal", "IND")[1:].min() > price_at(BASE, "toy_metal", "IND").max()
    assert price_at(taxed, "toy_metal", "CHN").max() < price_at(BASE, "toy_metal", "CHN").max()


def test_a_union_does_not_tax_its_own_members() -> None:
    quad = BASE.under([Tariff("QUAD", "toy_widget", 0.2)])
    own = set(quad.links(["toy_widget"], ["IND", "USA"], ["IND", "USA"]))
    assert own.isdisjoint(int(c) % LAYOUT.size for rule in quad.rules for c in rule.columns)


def test_an_export_duty_of_any_state_is_laid_on_its_exports() -> None:
    duty = BASE.under([Tariff("CHN", "toy", 0.2, kind="export", to="IND")])
    for rule in duty.rules:
        for k in rule.columns % LAYOUT.size:
            row = NET.activities.row(int(LAYOUT.activity[k]), named=True)
            assert (row["type"], row["place"], row["partner"]) == ("trade", "CHN", "IND")
    assert all(p.receiver == "CHN" and p.amount > 0 for p in duty.settle().payments)


def test_a_border_duty_keeps_the_price_at_the_reference() -> None:
    base = price_at(BASE, "toy_metal", "IND")
    reference = 1.2 * float(base.max())
    window = BASE.under([BorderDuty("IND", "toy_metal", reference)])
    answer = window.settle()
    prices = price_at(window, "toy_metal", "IND")
    months = [rule.parties.month for rule in window.rules]
    assert prices[months] == pytest.approx(reference, rel=1e-6)
    assert all(p.amount > 0.0 for p in answer.payments)


def test_a_floor_by_payment_leaves_buyers_the_market_price() -> None:
    base = float(price_at(BASE, "toy_metal", "CHN")[0])
    window = BASE.under([PriceFloor("toy_metal", 1.1 * base, by="CHN")])
    prices, answer = price_at(window, "toy_metal", "CHN"), window.settle()
    assert prices.max() < base
    for rule, paid in zip(window.rules, answer.payments, strict=True):
        made = float(rule.amount @ answer.x[rule.columns])
        assert paid.amount == pytest.approx((1.1 * base - prices[paid.month]) * made, rel=1e-6)
        assert (paid.payer, paid.receiver) == ("CHN", "producers CHN")


def test_a_floor_by_purchase_holds_the_price_itself() -> None:
    base = float(price_at(BASE, "toy_metal", "CHN")[0])
    window = BASE.under([PriceFloor("toy_metal", 1.1 * base, by="CHN", kind="purchase")])
    answer = window.settle()
    assert price_at(window, "toy_metal", "CHN").min() >= 1.1 * base * (1 - 1e-6)
    assert sum(p.tonnes for p in answer.payments) > 0.0


def test_a_contract_counts_the_reference_price_without_its_tax() -> None:
    window = BASE.under(
        [ContractForDifference("toy_metal", 1e3, by="CHN", reference="IND", tax=0.13, volume=24.0)]
    )
    answer = window.settle()
    there = price_at(window, "toy_metal", "IND")
    for paid in answer.payments:
        assert paid.tonnes <= 2.0 + 1e-9
        assert paid.amount == pytest.approx((1e3 - there[paid.month] / 1.13) * paid.tonnes, rel=1e-6)


def test_an_outage_takes_the_dearest_part_of_capacity_in_its_months() -> None:
    window = BASE.under([Outage("CHN", "toy_metal", 0.3, start="2025-02", months=2)])
    pieces = window.makers("CHN", ["toy_metal"])
    before, after = (w.problem.upper.reshape(MONTHS, -1)[:, pieces].sum(axis=1) for w in (BASE, window))
    share = after / before
    assert share == pytest.approx([1.0, 0.7, 0.7, 1.0, 1.0, 1.0])
    dearest = pieces[int(np.argmax(BASE.problem.c[pieces]))]
    assert window.problem.upper.reshape(MONTHS, -1)[1, dearest] < BASE.problem.upper[dearest]
    assert clear(window.problem).certificate.converged


def test_a_surge_wants_more_at_base_prices_and_equals_the_reference() -> None:
    window = BASE.under([DemandSurge("toy_widget", 0.4, by="IND")])
    earned = window.problem.A.T @ window.problem.y0
    chords = window.column(1, window.uses(["toy_widget"], None, ["IND"]))
    wanted = window.problem.levels(earned - window.problem.c)[chords].sum()
    base = BASE.problem.levels(earned - BASE.problem.c)[chords].sum()
    assert wanted == pytest.approx(1.4 * base, rel=1e-12)
    assert (window.problem.a != BASE.problem.a).sum() == MONTHS * chords.size
    answer, reference = clear(window.problem), solve_reference(window.problem)
    assert answer.certificate.objective == pytest.approx(reference.certificate.objective, rel=1e-9)
    both = answer.unique & reference.unique
    assert answer.price[both] == pytest.approx(reference.price[both], rel=1e-5)


def test_a_quota_binds_as_a_sum() -> None:
    whole = clear(BASE.problem)
    gate = next(
        int(k)
        for k, (good, place) in zip(
            np.flatnonzero(LAYOUT.role == "gate"),
            NET.gates.select("commodity", "place").iter_rows(),
            strict=True,
        )
        if (good, place) == ("toy_metal", "CHN")
    )
    window = BASE.under([ExportControl("CHN", "toy_metal", 0.4, months=MONTHS, kind="quota")])
    links = window.links(["toy_metal"], ["CHN"], ["IND", "USA"])
    answer = clear(window.problem)
    for month in range(MONTHS):
        sent = answer.x[window.column(month, np.array(links))].sum()
        assert sent == pytest.approx(answer.x[int(window.column(month, gate))], rel=1e-9)
        assert sent == pytest.approx(0.6 * LAYOUT.base[gate], rel=1e-9)
    # what each link takes of it is the market's choice, not 60 % of each
    shares = answer.x[window.column(1, np.array(links))] / whole.x[window.column(1, np.array(links))]
    assert len(links) < 2 or shares.max() - shares.min() > 1e-3


def test_a_control_of_the_past_and_one_to_come_hold_in_their_months() -> None:
    late = ExportControl("CHN", "toy_metal", 1.0, "2025-04", 2, after=9.0)
    window = BASE.under([late])
    links = window.column(0, np.array(window.links(["toy_metal"], ["CHN"], ["IND", "USA"])))
    upper = np.array([window.problem.upper[links + m * LAYOUT.size].sum() for m in range(MONTHS)])
    assert (upper[3:5] == 0.0).all()
    assert (upper[[0, 1, 2]] == np.inf).all()


EACH_TOGETHER = (
    ExportControl("CHN", "toy_metal", 0.5, months=3),
    Tariff("IND", "toy", 0.2),
    Outage("CHN", "toy_ore", 0.2),
    DemandSurge("toy", 0.3, by="IND"),
    ContractForDifference("toy_metal", 3.5, "CHN"),
)


def test_shocks_add_up() -> None:
    answer = BASE.under(EACH_TOGETHER).settle()
    assert answer.certificate.converged
    assert answer.certificate.contingent <= 1e-6
    reference = solve_reference(answer.problem)
    assert answer.certificate.objective == pytest.approx(reference.certificate.objective, rel=1e-9)
