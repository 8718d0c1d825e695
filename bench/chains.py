"""Made-up chains of any size, calibrated: with no shock their base comes back exactly.

Mine → plants → use, at every place, by month, with trade between places and stock from month to month. The
largest plants of a chain's last stage also take a little of the next chain's product, so that chains are
coupled. All is
drawn from one seed and built in whole arrays, so that 30 chains × 60 places × 12 months take seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from monazite.market import Problem

__all__ = ["Case", "Shock", "friendly", "synthetic"]

Float = NDArray[np.float64]
Int = NDArray[np.int64]

#: suppliers of a place: with a base flow, and without one
SUPPLIERS, NEWCOMERS = 5, 2
#: share of what is used that the first few suppliers bring
IMPORTED = 0.7
#: cost slope of trade at its base level, as a share of the price; of a new link
FRICTION, NEW = 0.3, 2.0
#: chords of use: multiples of base use, and of the base price that is paid there; the first is core use
QUANTITY = np.array([0.0, 0.5, 0.8, 0.95, 1.05, 1.6])
WORTH = np.array([40.0, 12.0, 3.0, 1.25, 0.75, 0.3])
#: months of throughput held in stock; marginal value of its last tonne as a share of the price
COVER, CONVENIENCE = 1.5, 0.01
#: tonnes of the next chain's product in a tonne of this chain's, in so many of its plants
SHARED, SHARING = 0.02, 4


@dataclass(frozen=True)
class Shock:
    """One scenario: a name and the upper bounds that hold in it, shape (n,)."""

    name: str
    upper: Float


@dataclass(frozen=True, eq=False)
class Case:
    """A network and the scenarios that every solver gets."""

    name: str
    problem: Problem
    shocks: tuple[Shock, ...]


@dataclass
class _Columns:
    """Columns of one month, collected group by group; all arrays of a group have one length."""

    parts: list[tuple[Float, ...]] = field(default_factory=list)
    rows: list[Int] = field(default_factory=list)
    owner: list[Int] = field(default_factory=list)
    values: list[Float] = field(default_factory=list)
    count: int = 0

    def add(
        self, entries: list[tuple[Int, float | Float]], cost: Float, slope: Float, upper: Float, level: Float
    ) -> Int:
        """Add a group; return its column numbers. An entry is (node of each column, tonnes)."""
        size = cost.size
        own = np.arange(self.count, self.count + size)
        self.count += size
        self.parts.append((cost, slope, np.broadcast_to(upper, size), np.broadcast_to(level, size)))
        for nodes, tonnes in entries:
            self.rows.append(nodes)
            self.owner.append(own)
            self.values.append(np.broadcast_to(np.asarray(tonnes, dtype=float), size))
        return own


def synthetic(
    chains: int,
    places: int,
    months: int = 1,
    *,
    stages: int = 5,
    seed: int = 0,
    shocks: int = 12,
    touched: int | None = None,
) -> Case:
    """Return a calibrated network of made-up chains, and shocks to it.

    Parameters
    ----------
    chains, places, months, stages : int
        Size: chains × stages × places × months nodes, about twelve activities each.
    seed : int
        Same seed, same network.
    shocks : int
        How many: in turn one product of a chain from one place, all products from one place, a ban for the
        whole window of the one to four largest suppliers of what use needs.
    touched : int, optional
        Chains that a shock reaches into; one by default. With more, each shock hits that many chains.

    Examples
    --------
    >>> import numpy as np
    >>> from bench import synthetic
    >>> case = synthetic(1, 5)
    >>> problem = case.problem
    >>> base = problem.levels(problem.A.T @ problem.y0 - problem.c)
    >>> bool(np.abs(problem.residual(base) / problem.throughput).max() < 1e-10)
    True
    """
    rng = np.random.default_rng(seed)
    shape = (chains, stages, places)
    node = np.arange(chains * stages * places).reshape(shape)
    price = _prices(rng, shape)
    weight = np.take_along_axis(
        np.broadcast_to(1.0 / (1.0 + np.arange(places)) ** 1.2, shape),
        rng.permuted(np.broadcast_to(np.arange(places), shape), axis=2),
        axis=2,
    )
    suppliers = _suppliers(rng, weight)
    size = 10.0 ** rng.uniform(1.0, 4.0, (chains, 1))
    taken = np.zeros(shape)
    taken[:, -1] = size * rng.pareto(1.5, (chains, places)) + 0.01 * size
    use = taken[:, -1].copy()
    yields = rng.uniform(0.7, 1.0, (chains, stages))
    linked = stages - 2 if chains > 1 else -1
    shared = np.zeros((chains, places))
    made, flow = np.zeros(shape), np.zeros((*shape, suppliers.shape[-1]))
    for stage in range(stages - 1, -1, -1):
        flow[:, stage] = _imports(taken[:, stage], suppliers[:, stage], places)
        made[:, stage] = _production(taken[:, stage], flow[:, stage], suppliers[:, stage])
        if stage:
            taken[:, stage - 1] += made[:, stage] / yields[:, stage, None]
        if stage == stages - 1 and linked >= 0:
            least = np.sort(made[:, stage], axis=1)[:, -min(SHARING, places)][:, None]
            shared = SHARED * (made[:, stage] >= least)
            taken[:, linked] += np.roll(shared * made[:, stage], 1, axis=0)
    through = np.maximum(made, taken) + 0.5 * flow.sum(axis=3)

    month = _Columns()
    _plants(month, rng, node, price, made, yields, shared)
    trade, origin, level = _trade(month, node, price, flow, taken, suppliers)
    for k in range(QUANTITY.size - 1):
        width = QUANTITY[k + 1] - QUANTITY[k]
        inside = np.clip(1.0 - QUANTITY[k], 0.0, width)
        paid = price[:, -1].ravel()
        slope = (WORTH[k] - WORTH[k + 1]) * paid / (width * use.ravel())
        wide, here = width * use.ravel(), inside * use.ravel()
        month.add([(node[:, -1].ravel(), -1.0)], -WORTH[k] * paid, slope, wide, here)
    flat, paid, tonnes = node.ravel(), price.ravel(), through.ravel()
    month.add([(flat, -1.0)], 0.0 * paid, paid / tonnes, np.full(paid.size, np.inf), 0.0 * paid)
    problem = _window(month, paid, tonnes, COVER * tonnes, months)
    made_up = _shocks(rng, problem, month.count, months, trade, origin, level, shape, shocks, touched or 1)
    return Case(f"synthetic {chains} × {places} × {months}", problem, made_up)


def friendly(*, seed: int = 0, shocks: int = 24) -> Case:
    """Return one chain of 5 stages × 40 places × 12 months: 2,400 nodes × about 29,000 activities."""
    return synthetic(1, 40, 12, seed=seed, shocks=shocks)


def _prices(rng: np.random.Generator, shape: tuple[int, int, int]) -> Float:
    chains, stages, _ = shape
    start = 10.0 ** rng.uniform(0.0, 2.0, (chains, 1, 1))
    growth = np.cumprod(rng.uniform(1.8, 2.5, (chains, stages, 1)), axis=1)
    return start * growth * (1.0 + 0.05 * rng.uniform(-1.0, 1.0, shape))


def _suppliers(rng: np.random.Generator, weight: Float) -> Int:
    """Draw the suppliers of every place, the large ones more often: shape (chains, stages, places, k)."""
    places = weight.shape[2]
    most = min(SUPPLIERS + NEWCOMERS, places - 1)
    drawn = np.log(weight)[:, :, None, :] + rng.gumbel(size=(*weight.shape, places))
    drawn[..., np.arange(places), np.arange(places)] = -np.inf
    return np.argsort(-drawn, axis=3)[..., :most]


def _imports(taken: Float, suppliers: Int, places: int) -> Float:
    """Split what a place takes over its suppliers, the first the most; the newcomers bring nothing."""
    count = suppliers.shape[-1]
    old = min(SUPPLIERS, count)
    share = np.zeros(count)
    share[:old] = 0.5 ** np.arange(old)
    return IMPORTED * taken[..., None] * (share / max(share.sum(), 1e-300) if places > 1 else share)


def _production(taken: Float, flow: Float, suppliers: Int) -> Float:
    chains, places = taken.shape
    exports = np.zeros((chains, places))
    chain = np.broadcast_to(np.arange(chains)[:, None, None], suppliers.shape)
    np.add.at(exports, (chain, suppliers), flow)
    return taken - flow.sum(axis=2) + exports


def _plants(
    month: _Columns,
    rng: np.random.Generator,
    node: Int,
    price: Float,
    made: Float,
    yields: Float,
    shared: Float,
) -> None:
    """Two pieces a plant, its base inside the second: what runs anyway, and what answers the price."""
    stages = node.shape[1]
    for stage in range(stages):
        out, level = node[:, stage].ravel(), made[:, stage].ravel()
        margin = price[:, stage].copy()
        entries: list[tuple[Int, float | Float]] = [(out, 1.0)]
        if stage:
            needed = np.broadcast_to(1.0 / yields[:, stage, None], margin.shape)
            margin -= needed * price[:, stage - 1]
            entries.append((node[:, stage - 1].ravel(), -needed.ravel()))
        if stage == stages - 1 and shared.any():
            other = np.roll(node[:, stages - 2], -1, axis=0)
            margin -= shared * np.roll(price[:, stages - 2], -1, axis=0)
            entries.append((other.ravel(), -shared.ravel()))
        earned = margin.ravel()
        worth = np.maximum(np.abs(earned), 0.2 * price[:, stage].ravel())
        steep = 0.5 * worth / level
        low = earned - 0.1 * level * steep
        first = 0.9 * level
        month.add(entries, low - 0.5 * worth, 0.5 * worth / first, first, first)
        spare = rng.uniform(0.12, 0.4, level.size) * level
        month.add(entries, low, steep, spare, 0.1 * level)


def _trade(
    month: _Columns, node: Int, price: Float, flow: Float, taken: Float, suppliers: Int
) -> tuple[Int, Int, Float]:
    """Add the links; return the columns that run in the base, their exporting nodes and levels."""
    source = np.take_along_axis(node[:, :, None, :], suppliers, axis=3)
    target = np.broadcast_to(node[..., None], suppliers.shape)
    paid = price.ravel()
    running = flow > 0.0
    a, b, level = source[running], target[running], flow[running]
    slope = FRICTION * paid[a] / level
    entries: list[tuple[Int, float | Float]] = [(a, -1.0), (b, 1.0)]
    own = month.add(entries, paid[b] - paid[a] - slope * level, slope, np.full(a.size, np.inf), level)
    a, b = source[~running], target[~running]
    wants = np.broadcast_to(taken[..., None], suppliers.shape)[~running]
    dearer = np.maximum(paid[b] - paid[a], 0.0) + 0.2 * paid[a]
    entries = [(a, -1.0), (b, 1.0)]
    month.add(entries, dearer, NEW * paid[a] / wants, 0.2 * wants, 0.0 * dearer)
    return own, source[running], level


def _window(month: _Columns, price: Float, through: Float, stock: Float, months: int) -> Problem:
    """Repeat a month, carry stock from each to the next, value what is left at the end."""
    m = price.size
    n = month.count + m
    rows, owner, values = (np.concatenate(x) for x in (month.rows, month.owner, month.values))
    cost, slope, upper, _ = (np.concatenate(x) for x in zip(*month.parts, strict=True))
    keep = CONVENIENCE * price / stock
    cost = np.tile(np.concatenate([cost, -keep * stock]), (months, 1))
    slope = np.tile(np.concatenate([slope, keep]), (months, 1))
    left = 0.5 * price / stock
    cost[-1, month.count :], slope[-1, month.count :] = -price - left * stock, left
    at = np.arange(months)[:, None]
    stores, nodes = np.arange(month.count, n), np.arange(m)
    every = [(rows + at * m, owner + at * n, np.tile(values, (months, 1)))]
    every.append((nodes + at * m, stores + at * n, np.full((months, m), -1.0)))
    later = at[:-1]
    every.append((nodes + (later + 1) * m, stores + later * n, np.ones((months - 1, m))))
    where, column, tonnes = (np.concatenate([part[k].ravel() for part in every]) for k in range(3))
    b = np.zeros((months, m))
    b[0] = -stock
    matrix = sparse.csc_array((tonnes, (where, column)), shape=(m * months, n * months))
    matrix.eliminate_zeros()
    return Problem(
        A=matrix,
        b=b.ravel(),
        c=cost.ravel(),
        a=slope.ravel(),
        lower=np.zeros(n * months),
        upper=np.tile(np.concatenate([upper, np.full(m, np.inf)]), months),
        y0=np.tile(price, months),
        throughput=np.tile(through, months),
    )


def _shocks(
    rng: np.random.Generator,
    problem: Problem,
    width: int,
    months: int,
    trade: Int,
    origin: Int,
    level: Float,
    shape: tuple[int, int, int],
    count: int,
    touched: int,
) -> tuple[Shock, ...]:
    """Draw shocks in turn: one product from one place, all from one place, a ban of what use needs."""
    chains, stages, places = shape
    column = width + chains * stages * places
    chain, stage, place = np.unravel_index(origin, shape)
    made: list[Shock] = []
    for k in range(count):
        hit = (chain - int(rng.integers(chains))) % chains < touched
        kind = ("product", "place", "use")[k % 3]
        chosen = int(rng.integers(stages)) if kind == "product" else stages - 1
        cut, length = 1.0, months
        if kind != "place":
            hit &= stage == chosen
        if kind == "product":
            cut, length = float(rng.choice([0.5, 1.0])), min(months, int(rng.choice([3, 6, 12])))
        supply = np.bincount(place[hit], weights=level[hit], minlength=places)
        first = int(rng.integers(min(4, places))) if kind != "use" else 0
        last = first + (1 + k // 3 % 4 if kind == "use" else 1)
        hit &= np.isin(place, np.argsort(-supply)[first:last])
        upper = problem.upper.copy()
        where = (trade[hit] + np.arange(length)[:, None] * column).ravel()
        upper[where] = np.tile((1.0 - cut) * level[hit], length)
        from_places = "+".join(str(p) for p in np.unique(place[hit]))
        made.append(Shock(f"{kind}: stage {chosen} from {from_places}, {cut:.0%} for {length}", upper))
    return tuple(made)
