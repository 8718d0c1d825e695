"""A border-adjusted floor: a duty that brings the border price up to a reference and no further."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from monazite.core.errors import Refused
from monazite.market.rules import Levy, Parties, Rule
from monazite.market.scenario.document import Document, check_time, names, one_name, price
from monazite.market.scenario.window import Window, commodity, states

__all__ = ["BorderDuty"]


@dataclass(frozen=True)
class BorderDuty(Document):
    """A state keeps the border price of what it imports from falling below a reference.

    The duty is what the border price would lack: max(0, reference − border price without it). One duty a
    month and place, the same for all origins aimed at. A floor on one stage without one on the next moves
    the next one's plants abroad.

    Parameters
    ----------
    by : str
        Who levies it: a place or a group, each of its places by itself.
    on : str
        The commodity.
    reference : float
        Border price that is defended, USD/kg of the commodity's own basis.
    to : str or sequence of str
        Origins aimed at: places, groups or ``ALL``.
    start : str, optional
        First month of arrival, ``YYYY-MM``; the window's first when absent.
    months : int
        Length.

    Raises
    ------
    ArgumentError
        A reference that is no price, a month that is none, no months at all.

    Examples
    --------
    >>> duty = BorderDuty(by="USA", on="ndpr_oxide", reference=110.0)
    >>> BorderDuty.from_toml(duty.to_toml()) == duty
    True
    """

    needed: ClassVar[tuple[str, ...]] = ("by", "on", "reference")

    by: str
    on: str
    reference: float
    to: str | Sequence[str] = "ALL"
    start: str | None = None
    months: int = 12

    def __post_init__(self) -> None:
        """Check and freeze."""
        set_ = object.__setattr__
        set_(self, "by", one_name("by", self.by))
        set_(self, "on", one_name("on", self.on))
        set_(self, "to", names("to", self.to))
        set_(self, "reference", price("reference", self.reference))
        check_time(self.start, self.months)

    def act(self, window: Window) -> Window:
        """Lay a rule on the links into each place, by month of arrival."""
        network = window.layout.network
        own = states(network, self.by)
        others = [place for place in states(network, self.to) if place not in own]
        commodity(network, self.on)
        links = {place: window.links([self.on], others, [place]) for place in own}
        if not any(links.values()):
            raise Refused("market.tariff_idle", by=self.by, on=self.on, year=network.year)
        rules: list[Rule] = []
        for place, columns in links.items():
            for month in window.active(self):
                rules += self._rule(window, place, month, columns)
        return window.ruled(rules)

    def _rule(self, window: Window, place: str, month: int, links: list[int]) -> list[Levy]:
        landed = [(k, *window.lands(k)) for k in links]
        arriving = [(k, node, lag, tonnes) for k, node, lag, tonnes in landed if lag <= month]
        if not arriving:
            return []
        levy = Levy(
            columns=[int(window.column(month - lag, k)) for k, _, lag, _ in arriving],
            amount=[tonnes for _, _, _, tonnes in arriving],
            node=window.node(month, arriving[0][1]),
            reference=self.reference,
            parties=Parties(f"border duty {place}", f"importers {place}", place, month),
        )
        return [levy]
