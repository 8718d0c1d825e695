"""Costs that hang on prices: each instrument against a market solved by hand."""

import dataclasses

import numpy as np
import pytest

from monazite.core.errors import ArgumentError, SolverError
from monazite.market import Problem, clear, fixed_point, solve_reference
from monazite.market.rules import AdValorem, Entries, Levy, Parties, Payment, Reading, Rule, Seen
from monazite.market.supports import Purchase, Support

# A mine abroad (1 + x), carriage (1 + x), a buyer here (10 − q); free trade: q = 8/3, prices 11/3 and 22/3.
TRADE = Problem(
    A=[[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]],
    b=[0.0, 0.0],
    c=[1.0, 1.0, -10.0],
    a=[1.0, 1.0, 1.0],
    lower=[0.0, 0.0, 0.0],
    upper=[np.inf, np.inf, np.inf],
    y0=[2.0, 4.0],
    throughput=[1.0, 1.0],
)
# A mine (1 + x), a buyer (10 − q), free disposal.
HOME = Problem(
    A=[[1.0, -1.0, -1.0]],
    b=[0.0],
    c=[1.0, -10.0, 0.0],
    a=[1.0, 1.0, 0.5],
    lower=[0.0, 0.0, 0.0],
    upper=[np.inf, 10.0, np.inf],
    y0=[5.5],
    throughput=[4.5],
)
PARTIES = Parties("instrument", "payer", "receiver", 3)
EXACT = 1e-9


def wedge_of(rate: float, base: str) -> AdValorem:
    node, share = (0, rate) if base == "origin" else (1, rate / (1.0 + rate))
    return AdValorem([1], [node], [share], parties=PARTIES)


@pytest.mark.parametrize("rate", [-0.5, 0.1, 0.25, 1.0, 5.0, 7.9])
def test_a_share_of_the_price_at_the_origin(rate: float) -> None:
    # 10 − q = (1 + t)(1 + q) + 1 + q
    answer = fixed_point(TRADE, [wedge_of(rate, "origin")])
    q = (8.0 - rate) / (3.0 + rate)
    assert answer.x == pytest.approx([q] * 3, rel=EXACT)
    assert answer.price == pytest.approx([1 + q, 10 - q], rel=EXACT)
    assert answer.wedge == pytest.approx([0.0, rate * (1 + q), 0.0], rel=EXACT)
    assert answer.certificate.contingent < EXACT
    (paid,) = answer.payments
    assert paid == Payment("instrument", "payer", "receiver", 3, paid.tonnes, paid.amount)
    assert paid.amount == pytest.approx(rate * (1 + q) * q, rel=EXACT)


@pytest.mark.parametrize("rate", [0.1, 1.0, 3.9])
def test_a_share_of_the_price_at_the_border(rate: float) -> None:
    # 10 − q = (1 + t)(1 + q + 1 + q): the price here holds t/(1 + t) of duty
    answer = fixed_point(TRADE, [wedge_of(rate, "border")])
    q = (8.0 - 2.0 * rate) / (3.0 + 2.0 * rate)
    assert answer.x == pytest.approx([q] * 3, rel=EXACT)
    assert answer.wedge[1] == pytest.approx(rate * (2 + 2 * q), rel=EXACT)


def test_a_rate_that_leaves_no_trade() -> None:
    answer = fixed_point(TRADE, [wedge_of(20.0, "origin")])
    assert answer.x == pytest.approx([0.0] * 3, abs=1e-9)
    assert answer.payments[0].amount == 0.0
    assert answer.certificate.converged


def test_tariffs_on_one_link_add_up() -> None:
    both = fixed_point(TRADE, [wedge_of(0.1, "origin"), wedge_of(0.2, "origin")])
    one = fixed_point(TRADE, [wedge_of(0.3, "origin")])
    assert both.x == pytest.approx(one.x, rel=EXACT)
    assert [p.amount for p in both.payments] == pytest.approx(
        [one.payments[0].amount / 3, one.payments[0].amount * 2 / 3], rel=EXACT
    )


def test_a_specific_tariff_frozen_at_the_base_price_is_ten_times_too_small_in_a_tenfold_spike() -> None:
    # the base: 100 t at 2 USD/kg, half of them through the border; a quarter of the price is 0.5 USD/kg
    base = Problem(
        A=[[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]],
        b=[0.0, 0.0],
        c=[1.0, 0.0, -122.5],
        a=[0.01, 1e-6, 1.2],
        lower=[0.0] * 3,
        upper=[np.inf] * 3,
        y0=[2.0, 2.5],
        throughput=[100.0, 100.0],
    )
    tariff = AdValorem([1], [0], [0.25])
    quiet = fixed_point(base, [tariff])
    assert quiet.price == pytest.approx([2.0, 2.5], rel=1e-4)
    frozen = quiet.wedge[1]
    assert frozen == pytest.approx(0.5, rel=1e-4)
    # the mine gives out: the buyer pays 122.5 − 1.2 q = 25 for the last tonne, of which the mine keeps 20
    short = dataclasses.replace(base, upper=[81.25, np.inf, np.inf])
    spike = fixed_point(short, [tariff])
    assert spike.price == pytest.approx([20.0, 25.0], rel=1e-4)
    assert spike.wedge[1] == pytest.approx(10.0 * frozen, rel=1e-4)
    specific = clear(dataclasses.replace(short, c=[1.0, frozen, -122.5]))
    assert specific.price[0] == pytest.approx(24.5, rel=1e-4)  # the mine keeps what the state should have
    assert spike.payments[0].amount == pytest.approx(10.0 * frozen * 81.25, rel=1e-4)


def test_a_border_duty_brings_the_border_price_up_to_the_reference() -> None:
    # 10 − q = 8, so q = 2, the mine's price 3, carriage 3, and τ = 8 − 6
    answer = fixed_point(TRADE, [Levy([1], [1.0], 1, 8.0, PARTIES)])
    assert answer.price == pytest.approx([3.0, 8.0], rel=EXACT)
    assert answer.x == pytest.approx([2.0] * 3, rel=EXACT)
    assert answer.payments[0].amount == pytest.approx(4.0, rel=EXACT)
    assert answer.payments[0].tonnes == pytest.approx(2.0, rel=EXACT)


@pytest.mark.parametrize("reference", [1.0, 7.3])
def test_a_reference_below_the_border_price_changes_nothing_to_the_last_digit(reference: float) -> None:
    free, answer = clear(TRADE), fixed_point(TRADE, [Levy([1], [1.0], 1, reference)])
    assert answer.x.tobytes() == free.x.tobytes()
    assert answer.price.tobytes() == free.price.tobytes()
    assert answer.payments[0].amount == 0.0


def test_a_border_duty_that_stops_imports_is_what_the_cheapest_offer_lacks() -> None:
    # nobody here pays 12; the first tonne is offered at 2, so the duty is 10
    answer = fixed_point(TRADE, [Levy([1], [1.0], 1, 12.0)])
    assert answer.x == pytest.approx([0.0] * 3, abs=1e-9)
    assert answer.price[0] + 1.0 + answer.wedge[1] == pytest.approx(12.0, rel=EXACT)


def test_a_border_duty_takes_the_rent_of_a_quota_before_it_moves_a_price() -> None:
    # a quota of 1 t: price here 9, at the mine 2, carriage 2: rent 5. A reference of 9 is met as it is;
    # one of 9.5 needs q = 0.5, which only costs of 9.5 do: the mine 1.5, carriage 1.5, duty 6.5
    quota = dataclasses.replace(TRADE, upper=[np.inf, 1.0, np.inf])
    assert fixed_point(quota, [Levy([1], [1.0], 1, 8.9)]).wedge[1] == 0.0
    answer = fixed_point(quota, [Levy([1], [1.0], 1, 9.5)])
    assert answer.wedge[1] == pytest.approx(6.5, rel=1e-7)
    assert answer.price == pytest.approx([1.5, 9.5], rel=1e-7)


def test_a_closed_border_has_no_duty() -> None:
    shut = dataclasses.replace(TRADE, upper=[np.inf, 0.0, np.inf])
    answer = fixed_point(shut, [Levy([1], [1.0], 1, 50.0)])
    assert answer.wedge[1] == 0.0
    assert answer.certificate.converged


@pytest.mark.parametrize("factor", [1.0, 1 / 1.13])
def test_a_strike_is_what_the_producer_gets(factor: float) -> None:
    # 1 + x = P + (7 − f P), P = 10 − x
    answer = fixed_point(HOME, [Support([0], [1.0], 0, 7.0, factor=factor, parties=PARTIES)])
    price = (10.0 - 6.0) / (2.0 - factor)
    assert answer.price == pytest.approx([price], rel=EXACT)
    assert answer.x[0] == pytest.approx(10.0 - price, rel=EXACT)
    assert answer.payments[0].amount == pytest.approx((7.0 - factor * price) * answer.x[0], rel=EXACT)


def test_above_the_strike_one_way_pays_nothing_and_two_way_takes_back() -> None:
    free = clear(HOME)  # price 5.5, 4.5 t
    one_way = fixed_point(HOME, [Support([0], [1.0], 0, 4.0)])
    assert one_way.x.tobytes() == free.x.tobytes()
    assert one_way.payments[0].amount == 0.0
    two_way = fixed_point(HOME, [Support([0], [1.0], 0, 4.0, upside=1.0)])
    assert two_way.x[0] == pytest.approx(3.0, rel=EXACT)  # the producer gets 4 whatever happens
    assert two_way.price == pytest.approx([7.0], rel=EXACT)
    assert two_way.payments[0].amount == pytest.approx(-9.0, rel=EXACT)
    part = fixed_point(HOME, [Support([0], [1.0], 0, 4.0, upside=0.3)])
    # 1 + x = P − 0.3 (P − 4), P = 10 − x
    assert part.x[0] == pytest.approx((7.0 + 1.2 - 1.0) / 1.7, rel=EXACT)


def test_each_joint_product_may_have_a_strike_of_its_own() -> None:
    # ore at z, split at z into 0.9 of one good (10 − q) and 0.1 of another (100 − 10 q):
    # 0.9·12 + 0.1·95 = 2 z
    joint = Problem(
        A=[[1.0, -1.0, 0.0, 0.0], [0.0, 0.9, -1.0, 0.0], [0.0, 0.1, 0.0, -1.0]],
        b=[0.0] * 3,
        c=[0.0, 0.0, -10.0, -100.0],
        a=[1.0, 1.0, 1.0, 10.0],
        lower=[0.0] * 4,
        upper=[np.inf, np.inf, 10.0, 10.0],
        y0=[1.0, 1.0, 1.0],
        throughput=[1.0] * 3,
    )
    answer = fixed_point(joint, [Support([1], [0.9], 1, 12.0), Support([1], [0.1], 2, 95.0)])
    assert answer.x[:2] == pytest.approx([10.15, 10.15], rel=EXACT)
    assert answer.price == pytest.approx([10.15, 10 - 9.135, 100 - 10.15], rel=EXACT)
    assert [p.tonnes for p in answer.payments] == pytest.approx([9.135, 1.015], rel=EXACT)


@pytest.mark.parametrize(
    ("volume", "output", "under"),
    [
        (9.0, 6.0, 6.0),  # all output is under contract: x = 6 at 7
        (5.0, 5.0, 5.0),  # the sixth tonne would cost 6 and earn 5: output stays at the volume
        (4.0, 4.5, 4.0),  # more than the volume pays anyway: the market's output
    ],
)
def test_a_volume_under_contract(volume: float, output: float, under: float) -> None:
    answer = fixed_point(HOME, [Support([0], [1.0], 0, 7.0, volume=volume)])
    assert answer.x[0] == pytest.approx(output, rel=EXACT)
    price = 10.0 - output
    assert answer.price == pytest.approx([price], rel=EXACT)
    assert answer.payments[0].tonnes == pytest.approx(under, rel=EXACT)
    assert answer.payments[0].amount == pytest.approx((7.0 - price) * under, rel=EXACT)


@pytest.mark.parametrize(("volume", "output"), [(4.0, 4.5), (4.4999, 4.5), (4.6, 3.0), (9.0, 3.0)])
def test_what_is_given_back_steers_only_tonnes_under_contract(volume: float, output: float) -> None:
    # strike 4 under a price of 5.5: beyond the volume the last tonne earns the market's price
    answer = fixed_point(HOME, [Support([0], [1.0], 0, 4.0, upside=1.0, volume=volume)])
    assert answer.x[0] == pytest.approx(output, rel=EXACT)
    assert answer.payments[0].amount == pytest.approx((4.0 - 10.0 + output) * min(volume, output), rel=EXACT)


def test_a_strike_where_demand_hardly_answers() -> None:
    # each USD of support lowers the price by 0.9995: plain steps would creep
    steep = dataclasses.replace(HOME, c=[1.0, -100.0, 0.0], a=[0.01, 22.0, 0.5])
    answer = fixed_point(steep, [Support([0], [1.0], 0, 1.0452)], steps=10)
    assert answer.x[0] == pytest.approx(4.52, rel=EXACT)
    assert answer.price == pytest.approx([0.56], rel=1e-7)


def test_public_purchase_holds_the_floor() -> None:
    answer = fixed_point(HOME, [Purchase(2, 0, 7.0, PARTIES)])
    assert answer.price == pytest.approx([7.0], rel=EXACT)
    assert answer.x == pytest.approx([6.0, 3.0, 3.0], rel=EXACT)
    assert answer.payments[0].amount == pytest.approx(21.0, rel=EXACT)
    idle = fixed_point(HOME, [Purchase(2, 0, 5.0)])
    assert idle.x == pytest.approx(clear(HOME).x, abs=1e-12)
    assert idle.payments[0].amount == 0.0


def test_no_rate_changes_nothing_to_the_last_digit() -> None:
    free = clear(TRADE)
    for rules in ([], [wedge_of(0.0, "origin")], [wedge_of(0.0, "border"), wedge_of(0.0, "origin")]):
        answer = fixed_point(TRADE, rules)
        assert answer.x.tobytes() == free.x.tobytes()
        assert answer.price.tobytes() == free.price.tobytes()
        assert answer.certificate == free.certificate
        assert answer.certificate.contingent == 0.0


def test_a_solver_without_rules_agrees_once_the_wedges_are_in_the_costs() -> None:
    answer = fixed_point(TRADE, [wedge_of(0.4, "origin"), Support([0], [1.0], 0, 3.5)])
    again = solve_reference(answer.problem)
    assert answer.certificate.objective == pytest.approx(again.certificate.objective, rel=1e-9)
    assert answer.price == pytest.approx(again.price, rel=1e-6)
    # the mine gets 3.5, so 2.5 t; 7.5 = 1.4 P + 1 + 2.5
    assert answer.x == pytest.approx([2.5] * 3, rel=EXACT)
    assert answer.price == pytest.approx([4.0 / 1.4, 7.5], rel=EXACT)


def test_instruments_that_contradict_each_other_are_refused() -> None:
    # a strike of 3.5 keeps the mine at 2.5 t, which the buyer takes at 7.5 only: no duty can make it 8
    rules = [Levy([1], [1.0], 1, 8.0, PARTIES), Support([0], [1.0], 0, 3.5, parties=PARTIES)]
    with pytest.raises(SolverError, match="no prices agree with instrument"):
        fixed_point(TRADE, rules)
    # unless what nobody takes can be thrown away
    waste = dataclasses.replace(
        TRADE,
        A=[[1.0, -1.0, 0.0, -1.0], [0.0, 1.0, -1.0, 0.0]],
        c=[1.0, 1.0, -10.0, 0.0],
        a=[1.0, 1.0, 1.0, 1e-6],
        lower=[0.0] * 4,
        upper=[np.inf] * 4,
    )
    answer = fixed_point(waste, rules)
    assert answer.x == pytest.approx([2.5, 2.0, 2.0, 0.5], rel=1e-6)
    assert answer.price == pytest.approx([0.0, 8.0], abs=1e-5)


CONTRARY = Parties("contrary")


@dataclasses.dataclass(frozen=True)
class Contrary(Rule):
    """Taxes by 1 while the price is at least 3.5, and not at all below: nobody can agree with it."""

    parties: Parties = CONTRARY

    @property
    def spread(self) -> Entries:
        return Entries.one([1], [1.0])

    def read(self, seen: Seen) -> Reading:
        target = np.array([0.0 if seen.price[0] < 3.5 else 1.0])
        return Reading(seen.wedge - target, np.array([2.0]), target, np.ones(1))

    def payment(self, seen: Seen) -> Payment:
        return self.parties.paid(0.0, 0.0)


def test_what_has_no_fixed_point_is_refused_by_name() -> None:
    # untaxed the mine's price is 11/3 > 3.5, so 1 is due; taxed by 1 it is 10/3 < 3.5, so nothing is
    with pytest.raises(SolverError, match="no prices agree with contrary"):
        fixed_point(TRADE, [Contrary()])
    loose = fixed_point(TRADE, [Contrary()], strict=False)
    assert not loose.certificate.converged
    assert loose.certificate.contingent > 0.1


def test_bad_rules_are_refused() -> None:
    with pytest.raises(ArgumentError, match="above -1"):
        AdValorem([1], [0], [-1.0])
    with pytest.raises(ArgumentError, match="above -1"):
        AdValorem([1], [0], [np.nan])
    with pytest.raises(ArgumentError, match="go together"):
        AdValorem([1, 2], [0], [0.1])
    with pytest.raises(ArgumentError, match="go together"):
        Support([0, 1], [1.0], 0, 5.0)
    with pytest.raises(ArgumentError, match="above zero"):
        Levy([1], [1.0], 1, 0.0)
    with pytest.raises(ArgumentError, match="above zero"):
        Support([0], [1.0], 0, np.inf)
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        Support([0], [1.0], 0, 5.0, upside=1.5)
    with pytest.raises(ArgumentError, match="two rules of one kind"):
        fixed_point(HOME, [Support([0], [1.0], 0, 5.0), Support([0], [1.0], 0, 6.0)])
    with pytest.raises(ArgumentError, match="exist and go together"):
        fixed_point(HOME, [Support([9], [1.0], 0, 5.0)])
    with pytest.raises(ArgumentError, match="exist and go together"):
        fixed_point(HOME, [AdValorem([1], [7], [0.1])])
    with pytest.raises(ArgumentError, match="a rule is expected"):
        fixed_point(HOME, [0.25])  # type: ignore[list-item]
    with pytest.raises(ArgumentError, match="tolerance"):
        fixed_point(HOME, [], tolerance=0.0)
    with pytest.raises(ArgumentError, match="damping"):
        fixed_point(HOME, [], damping=0.0)
