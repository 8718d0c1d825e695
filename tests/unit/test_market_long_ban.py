"""Two years by month, and a year without the leading supplier, into use that is worth 40 times the price."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse

from monazite.market import Clearing, Problem, clear, solve_reference

MONTHS, PLACES, BANNED = 24, 6, 12
PRICE = {"oxide": 260.0, "magnet": 60.0}
USE = np.array([2000.0, 400.0, 150.0, 60.0, 25.0, 1.0])  # magnets, t a month and place
SHARE_OF_LEADER = 0.9  # of oxide and of magnets, everywhere else
OXIDE_PER_MAGNET = 0.05
COVER = {0: 0.7, 1: 4.0}  # months of use in stock, by cohort
COHORT = {0: 0.4, 1: 0.6}


class World:
    """Columns calibrated so that the base levels at the base prices are the equilibrium."""

    def __init__(self) -> None:
        self.nodes: dict[tuple[object, ...], int] = {}
        self.price: list[float] = []
        self.stock: dict[int, float] = {}
        self.entries: list[tuple[int, int, float]] = []
        self.c: list[float] = []
        self.a: list[float] = []
        self.upper: list[float] = []
        self.level: list[float] = []
        self.leader: list[tuple[int, int]] = []  # (column, month) of the links that the ban shuts
        for month in range(MONTHS):
            for place in range(PLACES):
                for good, price in PRICE.items():
                    self.node(good, place, month, price=price * (1 + 0.02 * place))
                for cohort in COHORT:
                    self.node("user", place, cohort, month, price=PRICE["magnet"] * (1.02 + 0.02 * place))
        for month in range(MONTHS):
            self.one_month(month)

    def node(self, *key: object, price: float = 0.0) -> int:
        if key not in self.nodes:
            self.nodes[key] = len(self.nodes)
            self.price.append(price)
        return self.nodes[key]

    def add(
        self,
        entries: dict[int, float],
        slope: float,
        level: float,
        upper: float = np.inf,
        cost: float | None = None,
    ) -> int:
        column = len(self.c)
        self.entries += [(node, column, value) for node, value in entries.items()]
        earned = sum(value * self.price[node] for node, value in entries.items())
        self.c.append(earned - slope * level if cost is None else cost)
        self.a.append(slope)
        self.upper.append(upper)
        self.level.append(level)
        return column

    def made(self, entries: dict[int, float], level: float, spare: float, worth: float) -> None:
        """Two pieces, the base inside the second."""
        margin = max(sum(v * self.price[n] for n, v in entries.items()), 0.08 * worth)
        slope = margin / (0.5 * level)
        low = sum(v * self.price[n] for n, v in entries.items()) - 0.1 * level * slope
        first = 0.9 * level
        self.add(entries, 0.5 * margin / first, first, first, cost=low - 0.5 * margin)
        self.add(entries, slope, 0.1 * level, spare * level - first, cost=low)

    def one_month(self, month: int) -> None:
        last = month == MONTHS - 1
        oxide_use = USE * np.where(np.arange(PLACES) == 0, 1.0, 1 - SHARE_OF_LEADER)
        oxide_use[0] += SHARE_OF_LEADER * USE[1:].sum()
        oxide_use = oxide_use * OXIDE_PER_MAGNET
        for good, use, friction in (("oxide", oxide_use, 0.15), ("magnet", USE, 2.0)):
            here = [self.node(good, place, month) for place in range(PLACES)]
            flow = SHARE_OF_LEADER * use
            flow[0] = 0.0
            made = use - flow
            made[0] += flow.sum()
            for place in range(PLACES):
                price = self.price[here[place]]
                gives = {here[place]: 1.0}
                if good == "magnet":
                    gives[self.node("oxide", place, month)] = -OXIDE_PER_MAGNET
                self.made(gives, made[place], 1.02, price)
                stock = 0.1 * use[place]
                self.store(here[place], (good, place), month, stock, 0.01 * price / stock)
                self.add({here[place]: -1.0}, price / use[place], 0.0, cost=0.0)  # disposal
                if place:
                    link = {here[0]: -1.0}
                    if not last:
                        link[self.node(good, place, month + 1)] = 1.0
                    column = self.add(link, friction * price / flow[place], flow[place])
                    self.leader.append((column, month))
                    if month == 0:  # at sea
                        self.stock[here[place]] = self.stock.get(here[place], 0.0) + flow[place]
                for other in range(1, PLACES):
                    if place not in (0, other) and not last:
                        new = {here[place]: -1.0, self.node(good, other, month + 1): 1.0}
                        self.add(new, 2 * price / use[place], 0.0, 0.003 * use[other], cost=0.2 * price)
        for place in range(PLACES):
            for cohort, share in COHORT.items():
                use = share * USE[place]
                user = self.node("user", place, cohort, month)
                price = self.price[user]
                self.add({self.node("magnet", place, month): -1.0, user: 1.0}, 0.1 * price / use, use)
                stock = COVER[cohort] * use
                self.store(user, ("user", place, cohort), month, stock, 0.005 * price / stock)
                worth, choke, core = 40 * price, 2 * price, 0.95 * use
                self.add({user: -1.0}, (worth - choke) / core, core, core, cost=-worth)
                self.add({user: -1.0}, (choke - price) / (0.05 * use), 0.05 * use, 0.1 * use, cost=-choke)

    def store(self, here: int, key: tuple[object, ...], month: int, stock: float, slope: float) -> None:
        if month == 0:
            self.stock[here] = self.stock.get(here, 0.0) + stock
        if month == MONTHS - 1:
            self.add({here: -1.0}, self.price[here] / (2 * stock), stock)
        else:
            self.add({here: -1.0, self.node(*key, month + 1): 1.0}, slope, stock)

    def problem(self) -> tuple[Problem, np.ndarray]:
        rows, columns, values = zip(*self.entries, strict=True)
        count = len(self.nodes)
        A = sparse.csc_array((values, (rows, columns)), shape=(count, len(self.c)))
        b = np.zeros(count)
        b[list(self.stock)] = -np.array(list(self.stock.values()))
        level = np.array(self.level)
        problem = Problem(
            A=A,
            b=b,
            c=self.c,
            a=self.a,
            lower=np.zeros(len(self.c)),
            upper=self.upper,
            y0=self.price,
            throughput=np.maximum(0.5 * (abs(A) @ level), 1e-6),
        )
        return problem, level

    def ban(self, problem: Problem, months: int, cut: float = 1.0) -> Problem:
        upper = problem.upper.copy()
        for column, month in self.leader:
            if month < months:
                upper[column] = (1 - cut) * self.level[column]
        return dataclasses.replace(problem, upper=upper)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def base(world: World) -> tuple[Problem, np.ndarray]:
    return world.problem()


@pytest.fixture(scope="module")
def banned(world: World, base: tuple[Problem, np.ndarray]) -> tuple[Problem, Clearing]:
    problem = world.ban(base[0], BANNED)
    return problem, clear(problem, baseline=base[0])


def test_without_a_shock_the_base_year_comes_back(base) -> None:
    problem, level = base
    assert np.abs(problem.residual(level) / problem.throughput).max() < 1e-12
    rng = np.random.default_rng(7)
    for spread in (0.1, 0.5, None):
        start = problem.y0 * (0 if spread is None else rng.uniform(1 - spread, 1 + spread, problem.y0.size))
        answer = clear(problem, start=start)
        apart = abs(problem.A) @ np.abs(answer.x - level) / problem.throughput
        assert answer.certificate.method == "newton"
        assert answer.certificate.iterations > 0
        assert apart.max() < 1e-8
        assert answer.unique.mean() > 0.99
        assert answer.price[answer.unique] == pytest.approx(problem.y0[answer.unique], rel=1e-8)


def test_a_year_without_the_leader_clears(banned, base) -> None:
    problem, answer = banned
    assert answer.certificate.converged
    assert answer.certificate.balance <= 1e-10
    multiple = answer.price / problem.y0
    assert multiple[answer.unique].max() > 30  # core use is cut
    assert multiple[answer.unique].max() < 10_000


def test_the_public_solver_finds_the_same(banned) -> None:
    problem, answer = banned
    reference = solve_reference(problem)
    assert answer.certificate.objective == pytest.approx(reference.certificate.objective, rel=1e-10)
    scale = np.maximum(np.abs(answer.price), problem.y0)
    assert (np.abs(answer.price - reference.price) / scale)[answer.unique].max() < 1e-4


def test_the_way_there_does_not_matter(banned, base) -> None:
    problem, answer = banned
    rng = np.random.default_rng(11)
    for start in (0 * problem.y0, answer.price * rng.uniform(0.5, 1.5, problem.y0.size), 40 * problem.y0):
        other = clear(problem, start=start)
        apart = abs(problem.A) @ np.abs(answer.x - other.x) / problem.throughput
        assert apart.max() < 1e-8
        assert other.price[answer.unique] == pytest.approx(answer.price[answer.unique], rel=1e-6)


def test_a_longer_or_deeper_ban_never_helps_the_whole(world, base) -> None:
    problem, _ = base
    longer = [
        clear(world.ban(problem, months), baseline=problem).certificate.objective
        for months in (0, 1, 3, 6, 12)
    ]
    deeper = [
        clear(world.ban(problem, 6, cut), baseline=problem).certificate.objective
        for cut in (0.0, 0.3, 0.6, 1.0)
    ]
    for costs in (longer, deeper):
        assert all(after > before for before, after in pairwise(costs))
