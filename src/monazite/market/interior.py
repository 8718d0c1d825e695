"""Following the central path where much changes at once: a primal-dual method on the kernel's own factor.

Where a restriction moves most of the market, Newton's method on the dual goes to and fro between sets of
bounds. Keeping every activity off its bounds by a gap g with g z = μ, and letting levels, prices and the
worth z of the bounds move together while μ falls, takes some thirty steps whatever the market (Mehrotra's
predictor and corrector). Its systems are those of the Newton method, A Θ Aᵀ with Θ = 1/(a + z/g + z'/g').
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monazite.market.compiled import loop
from monazite.market.dual import Market, State
from monazite.market.factor import Factor
from monazite.market.loops import gather, respond
from monazite.market.newton import ROUNDING
from monazite.market.problem import Array

__all__ = ["BEGINNINGS", "follow_path"]

#: μ at the start, as a share of what goes through a node in the middle: the first serves nearly always
BEGINNINGS = (1e2, 1e4)
#: where μ has fallen enough
_LAST = 1e-13
_STEPS = 100
#: near enough for Newton's method, as a share of throughput; looked at from this μ on
_NEAR, _LOOK = 1e-3, 1e-5
_ACCURACY, _CG_STEPS = 1e-4, 8
_DAMPING = 1e-9
#: share of the way to the nearest bound that is gone
_SHARE = 0.995
#: a step shorter than this goes to the middle of the path instead, at this share of μ
_SHORT, _CENTRE = 0.1, 0.5


def follow_path(market: Market, state: State, begin: float = BEGINNINGS[0]) -> State:
    """Come near to the prices at which the market clears, from afar.

    Parameters
    ----------
    market : Market
    state : State
        Where the search begins; not changed, but for the account of the work.
    begin : float
        μ at the start, as a share of what goes through a node in the middle.

    Returns
    -------
    State
        For Newton's method to finish; the nearest one found.
    """
    worth = market.worth
    path = _Path.begin(market, state, begin * worth)
    best = _plain(market, state, path)
    for _ in range(_STEPS):
        mean, far = path.mean(), path.imbalance(market)
        if not np.isfinite(mean) or mean <= _LAST * worth:
            break
        if mean <= _LOOK * worth and far <= 1.0:
            now = _plain(market, state, path)
            if now.balance < best.balance:
                best = now
            if best.balance <= _NEAR:
                break
        path.advance(market, state)
        state.effort.steps += 1
    last = _plain(market, state, path)
    return last if last.balance < best.balance else best


def _plain(market: Market, state: State, path: _Path) -> State:
    """The market's own answer to the prices of the path."""
    found = State.of(market, path.y.copy(), path.reduced.copy())
    found.effort, found.factor = state.effort, path.factor
    return found


@dataclass
class _Path:
    """Levels, gaps to the bounds below and above, their worth, prices, and what activities earn at them."""

    x: Array
    below: Array
    above: Array
    floor: Array
    ceiling: Array
    y: Array
    reduced: Array
    far: Array
    factor: Factor | None = None

    @staticmethod
    def begin(market: Market, state: State, mu: float) -> _Path:
        """Start in the middle of the path of this μ, at the prices of the state."""
        x, below, above, floor, ceiling = (np.empty_like(state.x) for _ in range(5))
        respond(state.reduced, market.flexibility, market.lower, market.upper, mu, x, floor)
        _begin(x, market.flexibility, market.lower, market.upper, mu, below, above, floor, ceiling)
        far = np.empty_like(state.y)
        return _Path(x, below, above, floor, ceiling, state.y.copy(), state.reduced.copy(), far)

    def mean(self) -> float:
        """Mean product of gap and worth."""
        total, count = _products(self.below, self.above, self.floor, self.ceiling)
        return float(total / max(count, 1))

    def imbalance(self, market: Market) -> float:
        """Set ``far`` to b − A x; the largest as a share of throughput."""
        h = market.hessian
        gather(h.starts, h.indices, h.data, self.x, market.b, self.far)
        np.negative(self.far, out=self.far)
        return float(np.max(np.abs(self.far) / market.throughput))

    def advance(self, market: Market, state: State) -> None:
        """Take one step: see how far the whole way would go, then aim accordingly."""
        h, flexibility = market.hessian, market.flexibility
        x, gaps = self.x, (self.below, self.above, self.floor, self.ceiling)
        theta, pull, dx, dfloor, dceiling = (np.empty_like(x) for _ in range(5))
        for move in (dx, dfloor, dceiling):
            move[:] = 0.0
        _stiffness(flexibility, *gaps, theta)
        values = h.values(theta, _DAMPING * market.stoutness, ROUNDING)
        self.factor = h.factor(values)
        state.effort.factors += 1
        mean = self.mean()
        aim, length = 0.0, 0.0
        dy, earned = np.empty_like(self.y), np.empty_like(x)
        for try_ in ("ahead", "corrected", "centred"):
            corrects = try_ == "corrected"
            if try_ == "centred":
                if length > _SHORT:
                    break
                aim = _CENTRE * mean
            _pull(x, self.reduced, flexibility, *gaps[:3], theta, aim, dx, dfloor, dceiling, corrects, pull)
            moved = np.empty_like(self.y)
            gather(h.starts, h.indices, h.data, pull, self.far, moved)
            dy, steps, _ = h.solve(values, -moved, self.factor, _ACCURACY, _CG_STEPS)
            state.effort.cg_steps += steps
            earned = state.earned(market, dy)
            _complete(earned, *gaps, theta, pull, aim, corrects, dx, dfloor, dceiling)
            length = _length(*gaps, dx, dfloor, dceiling)
            if try_ == "ahead":
                ahead = _ahead(*gaps, dx, dfloor, dceiling, min(1.0, length))
                count = max(_products(*gaps)[1], 1)
                aim = (ahead / count / mean) ** 3 * mean
        length = min(1.0, _SHARE * length)
        _take(x, *gaps, dx, dfloor, dceiling, length)
        self.y += length * dy
        self.reduced += length * earned


@loop
def _begin(
    x: Array, flexibility: Array, lower: Array, upper: Array, mu: float, below: Array, above: Array,
    floor: Array, ceiling: Array,
) -> None:  # fmt: skip
    """Bounds that do not count have a gap of -1; a fixed activity has a floor of -1 too."""
    for j in range(x.size):
        l, u = lower[j], upper[j]
        below[j], above[j], floor[j], ceiling[j] = -1.0, -1.0, 0.0, 0.0
        if u > l:
            least = 1e-12 * np.sqrt(mu * flexibility[j])
            if l > -np.inf:
                below[j] = max(x[j] - l, least)
                floor[j] = mu / below[j]
            if u < np.inf:
                above[j] = max(u - x[j], least)
                ceiling[j] = mu / above[j]
        else:
            floor[j] = -1.0


@loop
def _products(below: Array, above: Array, floor: Array, ceiling: Array) -> tuple[float, int]:
    total, count = 0.0, 0
    for j in range(below.size):
        if below[j] > 0.0:
            total += below[j] * floor[j]
            count += 1
        if above[j] > 0.0:
            total += above[j] * ceiling[j]
            count += 1
    return total, count


@loop
def _stiffness(
    flexibility: Array, below: Array, above: Array, floor: Array, ceiling: Array, theta: Array
) -> None:
    for j in range(theta.size):
        if floor[j] < 0.0:
            theta[j] = 0.0
            continue
        stiff = 1.0 / flexibility[j]
        if below[j] > 0.0:
            stiff += floor[j] / below[j]
        if above[j] > 0.0:
            stiff += ceiling[j] / above[j]
        theta[j] = 1.0 / stiff


@loop
def _pull(
    x: Array, reduced: Array, flexibility: Array, below: Array, above: Array, floor: Array, theta: Array,
    aim: float, dx: Array, dfloor: Array, dceiling: Array, corrects: bool, pull: Array,
) -> None:  # fmt: skip
    """What levels would do by themselves: Θ times what is missing from optimality and from the aim."""
    for j in range(x.size):
        if floor[j] < 0.0:
            pull[j] = 0.0
            continue
        q = reduced[j] - x[j] / flexibility[j]
        if below[j] > 0.0:
            missing = aim - (dx[j] * dfloor[j] if corrects else 0.0)
            q += missing / below[j]
        if above[j] > 0.0:
            missing = aim + (dx[j] * dceiling[j] if corrects else 0.0)
            q -= missing / above[j]
        pull[j] = theta[j] * q


@loop
def _complete(
    earned: Array, below: Array, above: Array, floor: Array, ceiling: Array, theta: Array, pull: Array,
    aim: float, corrects: bool, dx: Array, dfloor: Array, dceiling: Array,
) -> None:  # fmt: skip
    for j in range(dx.size):
        move = theta[j] * earned[j] + pull[j]
        if below[j] > 0.0:
            missing = aim - below[j] * floor[j] - (dx[j] * dfloor[j] if corrects else 0.0)
            dfloor[j] = (missing - floor[j] * move) / below[j]
        if above[j] > 0.0:
            missing = aim - above[j] * ceiling[j] + (dx[j] * dceiling[j] if corrects else 0.0)
            dceiling[j] = (missing + ceiling[j] * move) / above[j]
        dx[j] = move


@loop
def _length(
    below: Array, above: Array, floor: Array, ceiling: Array, dx: Array, dfloor: Array, dceiling: Array
) -> float:
    """How far it is to the nearest bound, or to a bound that is worth nothing; at most 2."""
    length = 2.0
    for j in range(dx.size):
        if below[j] > 0.0:
            if dx[j] < 0.0:
                length = min(length, -below[j] / dx[j])
            if dfloor[j] < 0.0:
                length = min(length, -floor[j] / dfloor[j])
        if above[j] > 0.0:
            if dx[j] > 0.0:
                length = min(length, above[j] / dx[j])
            if dceiling[j] < 0.0:
                length = min(length, -ceiling[j] / dceiling[j])
    return length


@loop
def _ahead(
    below: Array,
    above: Array,
    floor: Array,
    ceiling: Array,
    dx: Array,
    dfloor: Array,
    dceiling: Array,
    length: float,
) -> float:
    total = 0.0
    for j in range(dx.size):
        if below[j] > 0.0:
            total += (below[j] + length * dx[j]) * (floor[j] + length * dfloor[j])
        if above[j] > 0.0:
            total += (above[j] - length * dx[j]) * (ceiling[j] + length * dceiling[j])
    return total


@loop
def _take(
    x: Array, below: Array, above: Array, floor: Array, ceiling: Array, dx: Array, dfloor: Array,
    dceiling: Array, length: float,
) -> None:  # fmt: skip
    for j in range(x.size):
        x[j] += length * dx[j]
        if below[j] > 0.0:
            below[j] += length * dx[j]
            floor[j] += length * dfloor[j]
        if above[j] > 0.0:
            above[j] -= length * dx[j]
            ceiling[j] += length * dceiling[j]
