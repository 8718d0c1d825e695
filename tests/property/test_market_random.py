"""Random chains of commodities over places: what must hold whatever the network."""

import dataclasses
from functools import cache

import numpy as np
import pytest
from scipy import sparse

from monazite.market import Clearing, Problem, clear, solve_reference

SEEDS = range(50)


class Columns:
    """Columns of a problem, one by one."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, int, float]] = []
        self.c: list[float] = []
        self.a: list[float] = []
        self.upper: list[float] = []

    def add(self, entries: dict[int, float], c: float, a: float, upper: float = np.inf) -> None:
        self.entries += [(node, len(self.c), value) for node, value in entries.items()]
        self.c.append(c)
        self.a.append(a)
        self.upper.append(upper)


@cache
def world(seed: int) -> Problem:
    """Build ore → two goods → a final good over some places: mines, plants, trade, uses in chords, bans."""
    rng = np.random.default_rng(seed)
    places, layers = int(rng.integers(2, 8)), int(rng.integers(2, 5))
    prices = np.sort(np.exp(rng.uniform(np.log(0.5), np.log(1000.0), layers)))
    size = np.exp(rng.uniform(np.log(1.0), np.log(250_000.0), places))

    def node(layer: int, place: int) -> int:
        return layer * places + place

    columns = Columns()
    for place in range(places):
        if place == 0 or rng.random() < 0.5:  # a mine in two pieces
            x, p = size[place], prices[0]
            columns.add({node(0, place): 1.0}, 0.3 * p, 0.5 * p / x, 0.9 * x)
            columns.add({node(0, place): 1.0}, 0.75 * p, 3.0 * p / x, rng.uniform(0.1, 2.0) * x)
        for layer in range(1, layers):  # plants, the first with a by-product
            take = float(rng.uniform(0.5, 2.0))
            gives = {node(layer, place): 1.0, node(layer - 1, place): -take}
            if layer == 1 and layers > 2:
                gives[node(2, place)] = float(rng.uniform(0.001, 0.1))
            margin = max(prices[layer] - take * prices[layer - 1], 0.1 * prices[layer])
            columns.add(gives, 0.5 * margin, margin / size[place], rng.uniform(0.5, 3.0) * size[place])
        for layer in range(layers):
            p, here = prices[layer], node(layer, place)
            if layer == layers - 1 or rng.random() < 0.4:  # a use: eight chords, steep at the end
                edges = p * np.geomspace(0.1, 40.0, 9)
                taken = size[place] * (edges / p) ** -0.3
                for k in range(8):
                    width = taken[k] - taken[k + 1]
                    columns.add({here: -1.0}, -edges[k + 1], (edges[k + 1] - edges[k]) / width, width)
                columns.add({here: -1.0}, -60.0 * p, 20.0 * p / taken[8], taken[8])
            columns.add({here: -1.0}, 0.0, p / size[place])  # disposal
            for other in range(places):
                if other != place and rng.random() < 0.6:
                    banned = rng.random() < 0.15
                    open_to = float(rng.choice([np.inf, 0.3 * size[place]]))
                    slope = float(rng.choice([1e-4, 0.15, 2.0])) * p / size[place]
                    columns.add(
                        {here: -1.0, node(layer, other): 1.0}, 0.02 * p, slope, 0.0 if banned else open_to
                    )
    rows, owners, values = zip(*columns.entries, strict=True)
    nodes, count = places * layers, len(columns.c)
    stock = np.where(rng.random(nodes) < 0.3, np.tile(size, layers) * 0.05, 0.0)
    return Problem(
        A=sparse.coo_array((values, (rows, owners)), shape=(nodes, count)),
        b=-stock,
        c=columns.c,
        a=columns.a,
        lower=np.zeros(count),
        upper=columns.upper,
        y0=np.repeat(prices, places),
        throughput=np.tile(size, layers),
    )


@cache
def cleared(seed: int) -> Clearing:
    return clear(world(seed))


def closeness(problem: Problem, first: Clearing, second: Clearing) -> tuple[float, float]:
    """Return the largest differences of levels (of node throughput) and of unique prices (relative)."""
    apart = abs(problem.A) @ np.abs(first.x - second.x) / problem.throughput
    unique = first.unique & second.unique
    scale = np.maximum(np.abs(first.price), problem.y0)
    prices = np.abs(first.price - second.price)[unique] / scale[unique]
    return float(apart.max()), float(prices.max(initial=0.0))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_node_balances_and_nothing_could_earn_more(seed: int) -> None:
    problem, answer = world(seed), cleared(seed)
    assert answer.certificate.converged
    assert np.abs(problem.A @ answer.x - problem.b).max() <= 1e-9 * problem.throughput.max()
    assert (np.abs(problem.A @ answer.x - problem.b) / problem.throughput).max() <= 1e-10
    earned = problem.A.T @ answer.price - problem.c - problem.a * answer.x
    scale = abs(problem.A).T @ np.abs(answer.price) + np.abs(problem.c)
    assert np.all((answer.x >= problem.lower) & (answer.x <= problem.upper))
    assert np.all((earned <= 1e-9 * scale) | (answer.x >= problem.upper))
    assert np.all((earned >= -1e-9 * scale) | (answer.x <= problem.lower))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_public_solver_agrees(seed: int) -> None:
    problem, answer, reference = world(seed), cleared(seed), solve_reference(world(seed))
    assert reference.certificate.method == "piqp"
    assert answer.certificate.objective == pytest.approx(reference.certificate.objective, rel=1e-10)
    _, prices = closeness(problem, answer, reference)
    assert prices < 1e-6
    # a is the cost of being elsewhere: ½ a Δx² can be no more than the two answers' objectives leave open
    apart = problem.a @ (answer.x - reference.x) ** 2
    assert apart <= 1e-9 * (np.abs(problem.c) @ answer.x)


@pytest.mark.parametrize("seed", SEEDS)
def test_unique_prices_are_inside_intervals_of_width_zero(seed: int) -> None:
    answer = cleared(seed)
    traded = ~np.isnan(answer.price_low)
    assert np.all(answer.price_low[traded] <= answer.price[traded])
    assert np.all(answer.price_high[traded] >= answer.price[traded])
    assert np.all((answer.price_low == answer.price_high) >= answer.unique)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("spread", [0.1, 0.5, None])
def test_the_answer_does_not_hang_on_the_start(seed: int, spread: float | None) -> None:
    problem, answer = world(seed), cleared(seed)
    rng = np.random.default_rng(1000 + seed)
    nodes = problem.shape[0]
    start = np.zeros(nodes) if spread is None else answer.price * rng.uniform(1 - spread, 1 + spread, nodes)
    levels, prices = closeness(problem, answer, clear(problem, start=start))
    assert levels < 1e-8
    assert prices < 1e-6


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_nodes_and_activities_does_not_matter(seed: int) -> None:
    problem, answer = world(seed), cleared(seed)
    rng = np.random.default_rng(2000 + seed)
    rows, columns = rng.permutation(problem.shape[0]), rng.permutation(problem.shape[1])
    mixed = clear(
        Problem(
            A=problem.A[rows][:, columns],
            b=problem.b[rows],
            c=problem.c[columns],
            a=problem.a[columns],
            lower=problem.lower[columns],
            upper=problem.upper[columns],
            y0=problem.y0[rows],
            throughput=problem.throughput[rows],
        )
    )
    x, price, unique = np.empty_like(answer.x), np.empty_like(answer.price), np.empty_like(answer.unique)
    x[columns], price[rows], unique[rows] = mixed.x, mixed.price, mixed.unique
    assert np.array_equal(unique, answer.unique)
    back = dataclasses.replace(mixed, x=x, price=price, unique=unique)
    levels, prices = closeness(problem, answer, back)
    assert levels < 1e-8
    assert prices < 1e-6


@pytest.mark.parametrize("seed", SEEDS)
def test_units_do_not_matter(seed: int) -> None:
    # every activity and every node counted in a unit of its own, and money in another
    problem, answer = world(seed), cleared(seed)
    rng = np.random.default_rng(3000 + seed)
    node = np.exp(rng.uniform(-5, 5, problem.shape[0]))  # new units of a node per tonne
    level = np.exp(rng.uniform(-5, 5, problem.shape[1]))  # new units of a level per tonne
    money = 83.0
    other = clear(
        Problem(
            A=sparse.diags_array(node) @ problem.A @ sparse.diags_array(1.0 / level),
            b=problem.b * node,
            c=problem.c * money / level,
            a=problem.a * money / level**2,
            lower=problem.lower * level,
            upper=problem.upper * level,
            y0=problem.y0 * money / node,
            throughput=problem.throughput * node,
        )
    )
    back = dataclasses.replace(other, x=other.x / level, price=other.price * node / money)
    levels, prices = closeness(problem, answer, back)
    assert np.array_equal(other.unique, answer.unique)
    assert levels < 1e-8
    assert prices < 1e-6


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tighter_bound_never_lowers_the_cost(seed: int) -> None:
    problem = world(seed)
    rng = np.random.default_rng(4000 + seed)
    touched = np.flatnonzero(np.diff(problem.A.indptr) == 2)  # links and plants
    some = rng.choice(touched, size=max(1, touched.size // 4), replace=False)
    last = cleared(seed).certificate.objective
    for share in (0.5, 0.1, 0.0):
        upper = problem.upper.copy()
        upper[some] = np.minimum(upper[some], share * cleared(seed).x[some])
        cost = clear(dataclasses.replace(problem, upper=upper)).certificate.objective
        assert cost >= last - 1e-9 * abs(last)
        last = cost


@pytest.mark.parametrize("seed", range(0, 50, 10))
def test_repeated_calls_agree_to_the_last_digit(seed: int) -> None:
    again = clear(world(seed))
    assert again.x.tobytes() == cleared(seed).x.tobytes()
    assert again.price.tobytes() == cleared(seed).price.tobytes()
    assert again.certificate == cleared(seed).certificate
