"""Prices are unique where an activity is free to move, an interval or no market elsewhere."""

import numpy as np
import pytest

from monazite.market import Problem, clear


def market(A, c, upper, *, a=None, lower=None, y0=None, b=None) -> Problem:
    A = np.asarray(A, dtype=float)
    rows, columns = A.shape
    return Problem(
        A=A,
        b=np.zeros(rows) if b is None else b,
        c=c,
        a=np.ones(columns) if a is None else a,
        lower=np.zeros(columns) if lower is None else lower,
        upper=upper,
        y0=np.full(rows, 4.0) if y0 is None else y0,
        throughput=np.ones(rows),
    )


def test_mine_and_buyer_both_at_their_ends() -> None:
    answer = clear(market([[1, -1]], [1, -9], [2, 2]))
    assert answer.x.tolist() == [2.0, 2.0]
    # the last tonne costs 3 and is worth 7
    assert (answer.price_low[0], answer.price_high[0]) == pytest.approx((3.0, 7.0))
    assert not answer.unique[0]
    assert 3.0 <= answer.price[0] <= 7.0


def test_an_interval_travels_along_a_free_link() -> None:
    # the same market with carriage (1 + x) between mine and buyer
    answer = clear(market([[1, -1, 0], [0, 1, -1]], [1, 1, -12], [2, 9, 2]))
    assert answer.x.tolist() == pytest.approx([2.0] * 3)
    # mine ≥ 3, buyer ≤ 10, buyer − mine = 3
    assert answer.price_low == pytest.approx([3.0, 6.0])
    assert answer.price_high == pytest.approx([7.0, 10.0])
    assert answer.price[1] - answer.price[0] == pytest.approx(3.0)
    assert not answer.unique.any()


def test_idle_links_to_a_known_price_give_the_limits() -> None:
    # the second place takes and gives exactly 1 t at any price; carriage either way costs 2, and is not used
    answer = clear(
        market(
            [[1, -1, 0, 0, -1, 1], [0, 0, 1, -1, 1, -1]],
            [1, -9, -100, 100, 2, 2],
            [9, 9, 1, 1, 9, 9],
            lower=[0, 0, 1, 1, 0, 0],
        )
    )
    assert answer.price[0] == pytest.approx(5.0)
    assert answer.unique.tolist() == [True, False]
    assert (answer.price_low[1], answer.price_high[1]) == pytest.approx((3.0, 7.0))


def test_a_banned_node_has_no_market() -> None:
    answer = clear(market([[1, -1, -1, 0], [0, 0, 1, -1]], [1, -9, 1, -9], [9, 9, 0, 9]))
    assert answer.unique.tolist() == [True, False]
    assert np.isnan(answer.price_low[1])
    assert np.isnan(answer.price_high[1])


def test_nothing_limits_a_stranded_tonne() -> None:
    # 1 t must be taken, whatever it is worth: no activity says how low or high its price may be
    answer = clear(market([[1, -1]], [1, -9], [1, 1], lower=[1, 1]))
    assert (answer.price_low[0], answer.price_high[0]) == (-np.inf, np.inf)


def test_joint_products_of_one_plant_are_open_while_its_price_is_known() -> None:
    # two outputs, both bought to the last tonne: only their sum is known, from the plant
    answer = clear(market([[1, -1, 0], [1, 0, -1]], [1, -9, -6], [9, 1, 1], y0=[2.0, 1.0]))
    assert answer.x.tolist() == pytest.approx([1.0] * 3)
    assert answer.price.sum() == pytest.approx(2.0)
    assert not answer.unique.any()
    # each at most what its buyer pays for the last tonne (8 and 5), so each at least 2 less the other's most
    assert answer.price_high == pytest.approx([8.0, 5.0])
    assert answer.price_low == pytest.approx([-3.0, -6.0])


def test_two_free_activities_over_two_nodes_fix_both() -> None:
    # no activity has one node alone, yet two mixes of the two goods are sold: the prices follow from the two
    answer = clear(
        market([[-2, -1, 1, 0], [-1, -2, 0, 1]], [-9, -9, 0, 0], [9, 9, 1, 1], a=[1, 1, 1, 1], y0=[2.0, 2.0])
    )
    assert answer.x.tolist() == pytest.approx([1 / 3, 1 / 3, 1.0, 1.0])
    assert answer.unique.all()
    assert answer.price == pytest.approx([26 / 9, 26 / 9])
    assert answer.price_low.tolist() == answer.price_high.tolist()


def test_a_long_chain_of_months_is_settled_by_its_last() -> None:
    months = 400
    links = months - 1
    A = np.zeros((months, links + 2))
    A[np.arange(links), np.arange(links)] = -1.0
    A[np.arange(1, months), np.arange(links)] = 1.0
    A[0, links], A[-1, links + 1] = 1.0, -1.0
    c = np.concatenate([np.full(links, 0.01), [1.0, -99.0]])
    answer = clear(market(A, c, np.full(links + 2, 500.0), a=np.full(links + 2, 1e-3)))
    assert answer.unique.all()
    assert np.all(np.diff(answer.price) > 0.0)


@pytest.mark.parametrize("months", [50, 500])
def test_a_long_chain_whose_ends_are_both_shut_is_open_everywhere(months: int) -> None:
    links = months - 1
    A = np.zeros((months, links + 2))
    A[np.arange(links), np.arange(links)] = -1.0
    A[np.arange(1, months), np.arange(links)] = 1.0
    A[0, links], A[-1, links + 1] = 1.0, -1.0
    c = np.concatenate([np.full(links, 0.01), [1.0, -99.0]])
    upper = np.full(links + 2, 50.0)
    upper[-2:] = 2.0
    answer = clear(market(A, c, upper, a=np.full(links + 2, 1e-3)))
    assert not answer.unique.any()
    step = 0.01 + 2e-3
    assert answer.price_low[0] == pytest.approx(1.002)
    assert answer.price_high[-1] == pytest.approx(98.998)
    if months == 50:  # the limits walk one link a round
        assert answer.price_low[-1] == pytest.approx(1.002 + links * step)
