"""Tariffs and export duties: a share of the price, month by month as the price moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from monazite.core.errors import Refused, UnknownName
from monazite.market.rules import AdValorem, Parties
from monazite.market.scenario.document import Document, check_time, names, one_name, share_above
from monazite.market.scenario.window import Window, goods, states

__all__ = ["Tariff"]


@dataclass(frozen=True)
class Tariff(Document):
    """A state or customs union lays an ad-valorem duty on its imports or exports.

    It comes on top of what the base year's prices hold already. Trade among the members of a union is free
    of it. What is at sea when it begins, and what arrives after it has ended, is charged by the month in
    which it was shipped.

    Parameters
    ----------
    by : str
        Who levies it: a place or a group.
    on : str or sequence of str
        Commodities, or a chain for all of its own.
    rate : float
        Share of the value, above −1; below zero it is a subsidy.
    kind : {"import", "export"}
    value : {"origin", "border"}
        Of which price: that at the origin (f.o.b., as the United States value imports, and for export
        duties), or that at the border of arrival before duty (c.i.f., as the EU, India and Japan do).
    to : str or sequence of str
        Whom it is aimed at: origins of imports, destinations of exports; places, groups or ``ALL``.
    start : str, optional
        First month, ``YYYY-MM``; the window's first when absent.
    months : int
        Length.

    Raises
    ------
    ArgumentError
        A rate of −1 or less, a month that is none, no months at all.

    Examples
    --------
    >>> duty = Tariff(by="USA", on="rare_earths", rate=0.25, to="CHN", value="border")
    >>> Tariff.from_toml(duty.to_toml()) == duty
    True
    """

    needed: ClassVar[tuple[str, ...]] = ("by", "on", "rate")

    by: str
    on: str | Sequence[str]
    rate: float
    kind: Literal["import", "export"] = "import"
    value: Literal["origin", "border"] = "origin"
    to: str | Sequence[str] = "ALL"
    start: str | None = None
    months: int = 12

    def __post_init__(self) -> None:
        """Check and freeze."""
        set_ = object.__setattr__
        set_(self, "by", one_name("by", self.by))
        set_(self, "on", names("on", self.on))
        set_(self, "to", names("to", self.to))
        set_(self, "rate", share_above("rate", self.rate))
        for name, known in (("kind", ("import", "export")), ("value", ("origin", "border"))):
            if getattr(self, name) not in known:
                raise UnknownName(name, getattr(self, name), known)
        check_time(self.start, self.months)

    def act(self, window: Window) -> Window:
        """Lay a rule on each month's links."""
        network = window.layout.network
        own = states(network, self.by)
        others = [place for place in states(network, self.to) if place not in own]
        on = goods(network, self.on)
        links = window.links(on, others, own) if self.kind == "import" else window.links(on, own, others)
        if not links:
            raise Refused("market.tariff_idle", by=self.by, on=", ".join(self.on), year=network.year)
        return window.ruled(self._rule(window, month, links) for month in window.active(self))

    def _rule(self, window: Window, month: int, links: list[int]) -> AdValorem:
        nodes, rates, fixed = [], [], []
        for k in links:
            node, tonnes = window.takes(k)
            rate, at, later = self.rate, window.node(month, node), 0.0
            if self.value == "border":  # the price there holds the duty: t/(1 + t) of it
                arrives, lag, tonnes = window.lands(k)
                rate = self.rate / (1.0 + self.rate)
                beyond = month + lag >= window.months
                at = -1 if beyond else window.node(month + lag, arrives)
                later = float(window.layout.price[arrives]) if beyond else 0.0
            nodes.append(at)
            rates.append(rate * tonnes)
            fixed.append(later)
        payer = "importers" if self.kind == "import" else "exporters"
        return AdValorem(
            columns=window.column(month, np.array(links)),
            nodes=nodes,
            rate=rates,
            price=fixed,
            parties=Parties(f"{self.kind} duty {self.by}", f"{payer} {self.by}", self.by, month),
        )
