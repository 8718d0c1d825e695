"""One world by month, ready to be shocked and drawn anew: its base problem, and what a draw changes of it.

A draw moves costs, bounds and stocks, never the matrix, and every line is laid through the base point again:
the base stays the equilibrium of a world without a control whatever is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from monazite.core.range import Range
from monazite.facts.assumptions import assumed
from monazite.market.block import Change
from monazite.market.problem import Problem
from monazite.market.scenario.causes import CAUSES, control_causes, drawn_control
from monazite.market.scenario.export_control import Control
from monazite.market.scenario.limits import Limits, limits
from monazite.network import Layout, Network, layout
from monazite.network.behaviour import Spread
from monazite.network.monthly import cover_classes

Float = NDArray[np.float64]
Int = NDArray[np.int64]


#: a class of users holds at least this many months of use
_LEAST_COVER = 0.02
#: and a store this share of its central stock, so that its line can be laid
_LEAST_STOCK = 0.05


@dataclass(frozen=True, eq=False)
class _Stocks:
    """What the stock of each store rests on, in the order of the layout's stores."""

    monthly: Float  # t a month through the node, 0 for a class's own store
    trader: Spread  # months of it
    owner: Int  # of each class of users: its store
    level: Float  # t a month of each class
    stated: Spread  # mean cover, months; 0 where none is stated
    months: Spread  # cover of the class, months
    weight: Float  # share of the class among its like, shape (classes, kinds)
    kind: Int  # which kind of class, -1 for the one of mean cover

    def at(self, quantiles: Mapping[str, float]) -> Float:
        """Stock of each store, t."""
        stock = self.trader.at(quantiles.get("trader_stock")) * self.monthly
        q = quantiles.get("cover")
        kinds = self.months.at(q)
        mean = float(self.weight @ kinds)
        stated = self.stated.at(q)
        stated = np.where(stated > 0.0, stated, mean)
        own = np.where(self.kind >= 0, kinds[np.maximum(self.kind, 0)] * stated / mean, stated)
        np.add.at(stock, self.owner, np.maximum(own, _LEAST_COVER) * self.level)
        return stock


class Template:
    """A world by month over a window, and what draws and controls change of it.

    Parameters
    ----------
    network : Network
    months : int
        Length of the window; the control is foreseen over it, its start is not.

    Examples
    --------
    >>> from monazite.market import clear
    >>> from monazite.network import toy
    >>> world = Template(toy(), 6)
    >>> change = world.change({"cover": 0.9, "trade_friction": 0.1})
    >>> bool(clear(world.problem(change)).certificate.balance < 1e-10)
    True
    """

    def __init__(self, network: Network, months: int) -> None:
        self.network = network
        self.months = months
        self._bound: Limits | None = None
        self.layout = layout(network)
        shape = self.layout.shape(months)
        self.x0 = np.asarray(shape.pop("x0"), dtype=float)
        # what stands idle comes in month by month, with or without a control
        shape["upper"] = self._upper(self.layout, None)
        self.base = Problem(**shape)  # type: ignore[arg-type]

    @cached_property
    def causes(self) -> tuple[str, ...]:
        """Names of the causes that act on the template and move something in this world."""
        plain = self.drawn({})
        return tuple(
            cause.name
            for cause in CAUSES
            if cause.acts == "template"
            and any(_differ(plain, self.drawn({cause.name: quantile})) for quantile in (0.0, 1.0))
        )

    def causes_of(self, control: Control | None) -> tuple[str, ...]:
        """Names of the causes that can be drawn of this world and this control, worlds aside."""
        own = control_causes(control, self.months) if control is not None else ()
        return (*self.causes, *own)

    def limits(self, control: Control) -> Limits:
        """What a control caps in this world (see :func:`limits`); that of the last one is kept."""
        if self._bound is None or self._bound.control is not control:
            self._bound = limits(self.layout, control)
        return self._bound

    def change(self, quantiles: Mapping[str, float], bound: Limits | None = None) -> Change:
        """What a draw and a control change of the base problem.

        Parameters
        ----------
        quantiles : mapping of str to float
            Quantile of each cause that is drawn; all others stand at their central values.
        bound : Limits, optional
            The control in this world; none when absent.
        """
        drawn = self.drawn(quantiles) if quantiles else self.layout
        if bound is not None:
            bound = bound.on(drawn, drawn_control(bound.control, quantiles))
        upper = self._upper(drawn, bound)
        if not quantiles:
            return Change(upper=upper)
        stores, n = drawn.stores, drawn.size
        cost = self.base.c + np.tile(drawn.cost - self.layout.cost, self.months)
        slope = np.tile(drawn.slope, self.months)
        # what is left at the end is valued as in the base's window: at the base price, falling with the stock
        last = (self.months - 1) * n + stores
        price = drawn.price[drawn.rows[drawn.starts[stores]]]
        steep = 0.5 * price / drawn.base[stores]
        cost[last] = -price - steep * drawn.base[stores]
        slope[last] = steep
        right = np.array(self.base.b)
        np.subtract.at(right, drawn.rows[drawn.starts[stores]], drawn.base[stores] - self.layout.base[stores])
        return Change(b=right, c=cost, a=slope, upper=upper)

    def problem(self, change: Change) -> Problem:
        """The problem that a change makes of the base."""
        return change.on(self.base)

    def level(self, quantiles: Mapping[str, float]) -> Float:
        """Base levels of the window's columns under a draw: where the market stands with no control."""
        return np.tile(self.drawn(quantiles).base, self.months)

    def drawn(self, quantiles: Mapping[str, float]) -> Layout:
        """The month's template with the causes named at their quantiles."""
        month = self.layout
        lines = self.network.behaviour.columns(quantiles)
        cost, slope = month.cost.copy(), month.slope.copy()
        ceiling, base = month.upper.copy(), month.base.copy()
        k, share = self._pieces
        end = k.size
        cost[:end], slope[:end] = lines.cost[k], 12.0 * lines.slope[k] / share
        ceiling[:end], base[:end] = lines.upper[k] / 12.0 * share, lines.base[k] / 12.0 * share
        self._draws(quantiles, month, cost, slope)
        stores = month.stores
        stock = np.maximum(self._stocks.at(quantiles), _LEAST_STOCK * month.base[stores])
        convenience = _assumed("convenience", quantiles)
        slope[stores] = convenience * month.price[month.rows[month.starts[stores]]] / stock
        cost[stores], base[stores] = -slope[stores] * stock, stock
        upper, ramp, most = self._ramps(quantiles, ceiling)
        return replace(month, cost=cost, slope=slope, upper=upper, base=base, ramp=ramp, ceiling=most)

    def _draws(self, quantiles: Mapping[str, float], month: Layout, cost: Float, slope: Float) -> None:
        columns = np.flatnonzero(month.role == "draw")
        if "draw_slope" in quantiles and columns.size:
            price = month.price[month.rows[month.starts[columns]]]
            slope[columns] = _assumed("draw_slope", quantiles) * price / month.base[columns]
            cost[columns] = -slope[columns] * month.base[columns]

    def _upper(self, drawn: Layout, bound: Limits | None) -> Float:
        months = range(self.months)
        if bound is None:
            return np.concatenate([drawn.open_upper(t) for t in months])
        return np.concatenate([bound.upper(t) for t in months])

    @cached_property
    def _pieces(self) -> tuple[Int, Float]:
        """Piece of the annual lines of each piece of the month, and the share of it that it stands for."""
        month, owner = self.layout, self.network.columns.activity
        count = np.bincount([c.activity for c in month.cohorts], minlength=self.network.activities.height)
        piece = np.repeat(np.arange(owner.size), np.maximum(count[owner], 1))
        of = month.cohort[: piece.size]
        shares = np.array([c.share for c in month.cohorts] or [1.0])
        return piece, np.where(of >= 0, shares[np.maximum(of, 0)], 1.0)

    @cached_property
    def _idle(self) -> tuple[Int, Spread, Float]:
        """Columns that come in by a ramp; its stated figure, 0 where none is; a month's base throughput."""
        network, month = self.network, self.layout
        columns = np.flatnonzero(month.ramp > 0)
        table = network.activities.select("key", "place", "commodity").rows()
        stated, through = [], []
        for j in month.activity[columns]:
            key, place, commodity = table[int(j)]
            node = network.node_of(commodity, place)
            found = network.parameters.range("ramp", Range.exact(0.0), activity=key, place=place)
            stated.append(found if node is not None else Range.exact(0.0))
            through.append(network.throughput[node] / 12.0 if node is not None else 0.0)
        return columns, Spread.of(stated), np.array(through)

    def _ramps(self, quantiles: Mapping[str, float], lines: Float) -> tuple[Float, Float, Float]:
        """First month's bound, monthly gain and ceiling, as ``network.layout`` makes them."""
        columns, stated, through = self._idle
        upper, ramp, ceiling = lines.copy(), np.zeros(lines.size), lines.copy()
        own = stated.at(quantiles.get("ramp"))
        by_fact = stated.value > 0
        gain = _assumed("idle_ramp", quantiles, "ramp")
        ramp[columns] = np.where(by_fact, own * through, gain * lines[columns])
        ceiling[columns] = np.where(by_fact, through, lines[columns])
        upper[columns] = np.where(by_fact, lines[columns], ramp[columns])
        return upper, ramp, ceiling

    @cached_property
    def _stocks(self) -> _Stocks:
        network, month = self.network, self.layout
        parameters = network.parameters
        stores = month.stores
        of = month.cohort[stores]
        where = month.activity[stores]
        at = {int(node): k for k, node in enumerate(where) if of[k] < 0}
        own = {int(c): k for k, c in enumerate(of) if c >= 0}
        names = network.nodes.select("commodity", "place").rows()
        trader = [
            parameters.range(
                "trader_stock", assumed("trader_stock"), commodity=names[n][0], place=names[n][1]
            )
            if of[k] < 0
            else Range.exact(0.0)
            for k, n in enumerate(where)
        ]
        monthly = np.array([network.throughput[n] / 12.0 if of[k] < 0 else 0.0 for k, n in enumerate(where)])
        kinds = cover_classes(network)
        stated = [
            parameters.range("cover", Range.exact(0.0), activity=c.use, commodity=c.commodity, place=c.place)
            for c in month.cohorts
        ]
        index = {name: i for i, (name, _, _) in enumerate(kinds)}
        return _Stocks(
            monthly=monthly,
            trader=Spread.of(trader),
            owner=np.array(
                [own[i] if c.split else at[c.node] for i, c in enumerate(month.cohorts)], dtype=np.int64
            ),
            level=np.array([c.level for c in month.cohorts]),
            stated=Spread.of(stated),
            months=Spread.of([m for _, m, _ in kinds]),
            weight=np.array([share for _, _, share in kinds]),
            kind=np.array([index.get(c.name, -1) for c in month.cohorts], dtype=np.int64),
        )


def _differ(one: Layout, other: Layout) -> bool:
    parts = ("cost", "slope", "upper", "base", "ramp", "ceiling")
    return any(
        not np.allclose(getattr(one, part), getattr(other, part), rtol=1e-9, atol=0.0) for part in parts
    )


def _assumed(name: str, quantiles: Mapping[str, float], cause: str | None = None) -> float:
    """An assumption at the quantile of its cause."""
    return float(Spread.of([assumed(name)]).at(quantiles.get(cause or name))[0])
