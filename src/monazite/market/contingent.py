"""Markets in which costs hang on prices: a fixed point of the wedges alone (docs/method.md, 3).

An ad-valorem tariff, a border duty, a floor or a contract lays a wedge ω on the costs of some activities, and
its rule says what ω must be at the prices that the market then clears at. With g(ω) the distance between the
two, g = 0 is solved by a semismooth Newton method: the market's own Hessian A D Aᵀ says how prices answer
wedges. Where whole steps lead nowhere, parts of them are taken; then plain damped steps, ω ← ω + θ
(rule(prices) − ω), and whole ones from there; then the gaps that are left are closed in strides, and at last
all rules are eased and made severer in strides.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from monazite.core.errors import ArgumentError, SolverError
from monazite.market.certificate import Certificate
from monazite.market.problem import Array, Clearing, Problem, price_scale
from monazite.market.rules import Entries, Payment, Reading, Rule, Seen

__all__ = ["Settled", "fixed_point"]

#: shares of a Newton step that are tried with care, and how much of their promise must come true
_LENGTHS, _ENOUGH = (1.0, 0.5, 0.25, 0.1, 0.04, 0.015), 0.1
#: a step that is cut shorter than this has come to a corner
_SLOW = 0.1
#: whole steps that may pass without coming nearer to the best point's distance than this share of it
_WATCHED, _BETTER = 5, 0.9
#: first, short and least stride in severity
_STRIDE, _SHORT, _LEAST_STRIDE = 0.25, 0.02, 1e-3
#: on the way the rules are kept this much better than asked for
_TIGHT = 0.1
#: plain steps before Newton's are tried again
_PLAIN = 20
#: largest move of a wedge in a whole step, in prices
_REACH = 5.0
_ROUNDING = 1e-10
#: steps beyond the tolerance, and where they end
_POLISH, _EXACT = 2, 1e-10


@dataclass(frozen=True, eq=False)
class Settled(Clearing):
    """A market cleared with its rules kept; a `Clearing` with what they came to.

    Attributes
    ----------
    problem : Problem
        The market with the wedges in its costs: what a solver without rules would be given.
    wedge : array, shape (n,)
        What each activity pays (+) or is paid (−) for a unit of its level, USD/kg.
    payments : tuple of Payment
        Who pays whom how much, in the order of the rules.
    """

    problem: Problem
    wedge: Array
    payments: tuple[Payment, ...]


def fixed_point(
    problem: Problem,
    rules: Sequence[Rule],
    *,
    baseline: Problem | None = None,
    tolerance: float = 1e-6,
    damping: float = 1.0,
    steps: int = 500,
    strict: bool = True,
) -> Settled:
    """Clear a market whose costs hang on its prices.

    Parameters
    ----------
    problem : Problem
        The market without the rules.
    rules : sequence of Rule
        Tariffs, levies, supports and purchases (`monazite.market.rules`).
    baseline : Problem, optional
        As for `clear`.
    tolerance : float
        Largest difference between a wedge and its rule, as a share of its price.
    damping : float
        Share of a plain step that is taken at first, 0 to 1; it shrinks where steps swing.
    steps : int
        Most clearings.
    strict : bool
        Whether an answer outside the tolerance raises; otherwise it is returned with ``converged`` false.

    Returns
    -------
    Settled
        As from `clear`; the certificate's ``contingent`` is the largest difference that is left, its steps
        are those of all clearings together. With rules that ask for nothing the answer is that of `clear` to
        the last digit.

    Raises
    ------
    SolverError
        The market did not clear, or no wedges were found that their rules agree with; the message names the
        rule that is farthest.
    ArgumentError
        The tolerance is not positive, a rule names an activity or node that is not there, or two rules of
        one type lay a price on one thing.

    Examples
    --------
    >>> from monazite.market import Problem, clear, fixed_point
    >>> problem = Problem(A=[[1.0, -1.0]], b=[0.0], c=[1.0, -5.0], a=[1.0, 1.0], lower=[0.0, 0.0],
    ...                   upper=[9.0, 9.0], y0=[2.0], throughput=[1.0])
    >>> fixed_point(problem, []).x.tobytes() == clear(problem).x.tobytes()
    True
    """
    if not (np.isfinite(tolerance) and tolerance > 0.0):
        raise ArgumentError("market.tolerance", value=tolerance)
    if not (np.isfinite(damping) and 0.0 < damping <= 1.0):
        raise ArgumentError("error.fraction_expected", name="damping", given=damping)
    search = _Search(problem, tuple(rules), baseline, steps)
    best = search.whole(search.at(search.first, search.rules), tolerance)
    plain = partial(search.plain, share=damping)
    again = (plain, search.whole)
    for more in (search.careful, *again, search.nearer, search.severer, *again, *again):
        if best.worst > tolerance:
            found = more(best, tolerance)
            best = found if found.worst < best.worst else best
    return search.settle(search.polished(best, tolerance), tolerance, strict)


@dataclass(frozen=True, eq=False)
class _Point:
    """Wedges, the market cleared under them, and how rules read it."""

    rules: tuple[Rule, ...]
    wedge: Array
    problem: Problem
    clearing: Clearing
    readings: tuple[Reading, ...]
    gap: Array
    scale: Array
    target: Array
    allowed: Array | float = 0.0

    @property
    def worst(self) -> float:
        """Largest gap as a share of its price."""
        return float(np.max(np.abs(self.gap) / self.scale, initial=0.0))

    @property
    def distance(self) -> float:
        """All gaps together, as shares of their prices."""
        return float(np.linalg.norm(self.gap / self.scale))


class _Search:
    """The rules of one problem, laid out: which wedge is whose, and on which activities."""

    def __init__(
        self, problem: Problem, rules: tuple[Rule, ...], baseline: Problem | None, steps: int
    ) -> None:
        nodes, activities = problem.shape
        _check(rules, nodes, activities)
        self.problem, self.rules, self.baseline, self.left = problem, rules, baseline, steps
        self.starts = np.concatenate([[0], np.cumsum([rule.size for rule in rules])]).astype(np.int64)
        self.effort = np.zeros(3, dtype=np.int64)
        count = int(self.starts[-1])
        rows, columns, values = self._stack([rule.spread for rule in rules])
        self.spread = sparse.csr_array((values, (columns, rows)), shape=(activities, count))
        self.count = count
        self.flexibility = problem.throughput / price_scale(problem)
        self.nodes = nodes

    @property
    def first(self) -> Array:
        """Wedges to begin with: what rules make of base prices, none where a price must first be met."""
        problem = self.problem
        levels = problem.levels(problem.A.T @ problem.y0 - problem.c)
        wedges = [np.zeros(0)]
        for rule in self.rules:
            read = rule.read(Seen(np.zeros(rule.size), problem.y0, levels, problem))
            wedges.append(np.where(read.by_wedge == 1.0, -read.gap, 0.0))
        return np.concatenate(wedges)

    def _stack(self, parts: Sequence[Entries]) -> tuple[Any, Any, Array]:
        """Entries of all rules as one matrix."""
        rows = [part.rows + start for part, start in zip(parts, self.starts, strict=False)]
        none = np.zeros(0, dtype=np.int64)
        return (
            np.concatenate([none, *rows]),
            np.concatenate([none, *(part.places for part in parts)]),
            np.concatenate([np.zeros(0), *(part.values for part in parts)]),
        )

    def laid(self, wedge: Array, rules: Sequence[Rule]) -> Array:
        """What wedges and offsets come to on each activity."""
        total = self.spread @ wedge
        for rule in rules:
            fixed = rule.offset
            np.add.at(total, fixed.places, fixed.values)
        return np.asarray(total, dtype=float)

    def at(
        self,
        wedge: Array,
        rules: tuple[Rule, ...],
        near: Clearing | None = None,
        allowed: Array | float = 0.0,
    ) -> _Point:
        """Clear the market under some wedges and let rules read it, but for gaps that are allowed."""
        self.left -= 1
        laid = self.laid(wedge, rules)
        problem = self.problem
        if laid.any():
            problem = dataclasses.replace(problem, c=problem.c + laid)
        start = None if near is None else near.price
        from monazite.market.kernel import clear  # it brings its compiled loops along

        clearing = clear(problem, start=start, strict=False, baseline=self.baseline)
        done = clearing.certificate
        self.effort += np.array([done.iterations, done.cg_steps, done.factors])
        readings = tuple(
            rule.read(Seen(wedge[first:last], clearing.price, clearing.x, problem))
            for rule, first, last in zip(rules, self.starts[:-1], self.starts[1:], strict=True)
        )
        none = np.zeros(0)
        return _Point(
            rules,
            wedge,
            problem,
            clearing,
            readings,
            np.concatenate([none, *(r.gap for r in readings)]) - allowed,
            np.concatenate([none, *(r.scale for r in readings)]),
            np.concatenate([none, *(r.target for r in readings)]),
            allowed,
        )

    def whole(self, point: _Point, tolerance: float, watched: int = _WATCHED) -> _Point:
        """Whole Newton steps as they come, until they lead nowhere: few are needed where few rules switch."""
        best, stale = point, 0
        while best.worst > tolerance and stale < watched and self.left > 0:
            direction = self._direction(point)
            if direction is None:
                break
            reach = _REACH * (point.scale + np.abs(point.wedge))
            wedge = point.wedge + np.clip(direction, -reach, reach)
            point = self.at(wedge, point.rules, point.clearing, point.allowed)
            stale = 0 if point.worst <= _BETTER * best.worst else stale + 1
            best = point if point.worst < best.worst else best
        return best

    def careful(self, point: _Point, tolerance: float) -> _Point:
        """Newton steps of which only as much is taken as brings the rules nearer."""
        while point.worst > tolerance and self.left > 0:
            direction = self._direction(point)
            if direction is None:
                break
            for length in _LENGTHS:
                new = self.at(point.wedge + length * direction, point.rules, point.clearing)
                if new.distance <= (1.0 - _ENOUGH * length) * point.distance:
                    break
            else:
                break
            point = new
            if length < _SLOW:  # at a corner: other ways are shorter
                break
        return point

    def nearer(self, point: _Point, tolerance: float) -> _Point:
        """Allow the gaps as they are, then less and less of them, stride by stride."""
        gaps, near, left, stride = point.gap, point, 1.0, _STRIDE
        while left > 0.0 and stride >= _LEAST_STRIDE and self.left > 0:
            share = max(0.0, left - stride)
            start = self.read_again(near, share * gaps)
            new = self.whole(start, tolerance * _TIGHT, watched=2)
            if new.worst <= tolerance:
                near, left, stride = new, share, 2.0 * stride
            else:
                stride /= 3.0
        return self.read_again(near, 0.0)

    def read_again(self, point: _Point, allowed: Array | float) -> _Point:
        """The point with other gaps allowed."""
        return dataclasses.replace(point, gap=point.gap + point.allowed - allowed, allowed=allowed)

    def severer(self, point: _Point, tolerance: float) -> _Point:
        """Ease all rules, then go back to them in strides, each from where the last one ended."""
        free = self.at(np.zeros(self.count), self.rules)
        parts = zip(self.starts[:-1], self.starts[1:], strict=True)
        seen = [
            Seen(np.zeros(last - first), free.clearing.price, free.clearing.x, free.problem)
            for first, last in parts
        ]
        near, reached, stride = free, 0.0, _STRIDE
        while reached < 1.0 and stride >= _LEAST_STRIDE and self.left > 0:
            share = min(1.0, reached + stride)
            rules = tuple(
                rule if share == 1.0 else rule.eased(share, at)
                for rule, at in zip(self.rules, seen, strict=True)
            )
            start = self.at(near.wedge, rules, near.clearing)
            new = self.whole(start, tolerance, watched=2)
            if new.worst > tolerance and stride < _SHORT:  # at a corner: more is needed than a small stride
                for more in (self.careful, self.plain, self.whole):
                    new = new if new.worst <= tolerance else more(new, tolerance)
            if new.worst <= tolerance:
                near, reached, stride = new, share, 2.0 * stride
            else:
                stride /= 3.0
                point = new if share == 1.0 and new.worst < point.worst else point
        return near if reached == 1.0 else point

    def plain(self, point: _Point, tolerance: float, share: float = 1.0) -> _Point:
        """Damped steps to what the rules make of the prices."""
        best = point
        for _ in range(_PLAIN):
            if best.worst <= tolerance or self.left <= 0:
                break
            new = self.at(point.wedge + share * (point.target - point.wedge), point.rules, point.clearing)
            share = max(0.05, 0.7 * share) if new.worst > point.worst else min(1.0, 1.2 * share)
            point = new
            best = point if point.worst < best.worst else best
        return best

    def polished(self, point: _Point, tolerance: float) -> _Point:
        """A step or two beyond the tolerance: what is nothing to a price may be much to a payment."""
        for _ in range(_POLISH):
            direction = self._direction(point) if _EXACT < point.worst <= tolerance else None
            if direction is None:
                break
            new = self.at(point.wedge + direction, point.rules, point.clearing)
            if new.worst >= point.worst:
                break
            point = new
        return point

    def _direction(self, point: _Point) -> Array | None:
        """Solve g'(ω) d = −g: how gaps answer wedges, through prices and levels that balance all nodes."""
        from scipy.sparse.linalg import splu

        problem, price = point.problem, point.clearing.price
        reduced = problem.A.T @ price - problem.c
        free = (reduced > problem.a * problem.lower) & (reduced < problem.a * problem.upper)
        weight = sparse.diags_array(np.where(free, 1.0 / problem.a, 0.0))
        inverse = sparse.diags_array(1.0 / self.flexibility)
        count = point.wedge.size
        by_price = self._matrix([r.by_price for r in point.readings], self.nodes)
        by_level = self._matrix([r.by_level for r in point.readings], problem.shape[1])
        by_wedge = sparse.diags_array(np.concatenate([r.by_wedge for r in point.readings]))
        answer = weight @ problem.A.T
        least = sparse.diags_array(np.full(self.nodes, _ROUNDING))
        system = sparse.block_array(
            [
                [inverse @ (problem.A @ answer) + least, -(inverse @ (problem.A @ (weight @ self.spread)))],
                [by_price + by_level @ answer, by_wedge - by_level @ (weight @ self.spread)],
            ],
            format="csc",
        )
        try:
            solution = splu(system).solve(np.concatenate([np.zeros(self.nodes), -point.gap]))
        except RuntimeError:  # exactly singular: the plain steps go on
            return None
        direction = solution[self.nodes :]
        if direction.size != count or not np.isfinite(direction).all():
            return None
        return np.asarray(direction, dtype=float)

    def _matrix(self, parts: Sequence[Entries], width: int) -> Any:
        rows, columns, values = self._stack(parts)
        return sparse.csr_array((values, (rows, columns)), shape=(int(self.starts[-1]), width))

    def settle(self, point: _Point, tolerance: float, strict: bool) -> Settled:
        """Certify the best point; refuse it where it is no fixed point."""
        clearing, certificate = point.clearing, point.clearing.certificate
        steps, cg_steps, factors = (int(count) for count in self.effort)
        kept = point.worst <= tolerance
        settled: Certificate = dataclasses.replace(
            certificate,
            iterations=steps,
            cg_steps=cg_steps,
            factors=factors,
            contingent=point.worst,
            converged=certificate.converged and kept,
        )
        if strict and not certificate.converged:
            raise SolverError("market.not_converged", balance=certificate.balance, tolerance=1e-10)
        if strict and not kept:
            farthest = int(np.argmax(np.abs(point.gap) / point.scale))
            owner = int(np.searchsorted(self.starts, farthest, side="right")) - 1
            name = self.rules[owner].parties.name or type(self.rules[owner]).__name__
            raise SolverError("market.no_fixed_point", rule=name, distance=point.worst, tolerance=tolerance)
        payments = tuple(
            rule.payment(Seen(point.wedge[first:last], clearing.price, clearing.x, point.problem))
            for rule, first, last in zip(self.rules, self.starts[:-1], self.starts[1:], strict=True)
        )
        return Settled(
            x=clearing.x,
            price=clearing.price,
            price_low=clearing.price_low,
            price_high=clearing.price_high,
            unique=clearing.unique,
            certificate=settled,
            problem=point.problem,
            wedge=self.laid(point.wedge, self.rules),
            payments=payments,
        )


def _check(rules: Sequence[Rule], nodes: int, activities: int) -> None:
    """Refuse two rules of one type for one thing: what both ask for at once is not defined."""
    owners: dict[tuple[type, int], np.ndarray] = {}
    for rule in rules:
        if not isinstance(rule, Rule):
            raise ArgumentError("market.rule_expected", given=type(rule).__name__)
        owned, name = rule.owns, rule.parties.name or type(rule).__name__
        for places, count in ((rule.spread.places, activities), (owned, activities), (rule.looks_at, nodes)):
            if places.size and (places.min() < 0 or places.max() >= count):
                raise ArgumentError("market.rule_shape", name=name)
        taken = owners.setdefault((type(rule), rule.claim), np.zeros(activities, dtype=bool))
        if taken[owned].any():
            raise ArgumentError("market.rule_twice", name=name)
        taken[owned] = True
