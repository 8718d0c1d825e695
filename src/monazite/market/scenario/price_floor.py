"""A floor under what producers get: by payment of what the market's price lacks, or by public purchase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from monazite.core.errors import Refused, UnknownName
from monazite.market.rules import Parties, Rule
from monazite.market.scenario.document import Document, check_time, names, one_name, price
from monazite.market.scenario.support import support
from monazite.market.scenario.window import Window, commodity, states
from monazite.market.supports import Purchase

__all__ = ["PriceFloor"]


@dataclass(frozen=True)
class PriceFloor(Document):
    """States see to it that producers get no less than a floor.

    Parameters
    ----------
    on : str
        The commodity.
    floor : float
        USD/kg of its own basis.
    by : str or sequence of str
        Whose producers: places, groups or ``ALL``.
    kind : {"payment", "purchase"}
        Payment: the state pays producers what the price lacks, and buyers go on paying the market's price.
        Purchase: the state buys at the place whatever keeps the price at the floor, for all sellers and
        buyers there; what it has bought is not sold again.
    start : str, optional
        First month, ``YYYY-MM``; the window's first when absent.
    months : int
        Length.

    Raises
    ------
    ArgumentError
        A floor that is no price, a month that is none, no months at all.

    Examples
    --------
    >>> floor = PriceFloor("ndpr_oxide", 110, by=("USA", "AUS"))
    >>> PriceFloor.from_toml(floor.to_toml()) == floor
    True
    """

    needed: ClassVar[tuple[str, ...]] = ("on", "floor")

    on: str
    floor: float
    by: str | Sequence[str] = "ALL"
    kind: Literal["payment", "purchase"] = "payment"
    start: str | None = None
    months: int = 12

    def __post_init__(self) -> None:
        """Check and freeze."""
        set_ = object.__setattr__
        set_(self, "on", one_name("on", self.on))
        set_(self, "floor", price("floor", self.floor))
        set_(self, "by", names("by", self.by))
        if self.kind not in ("payment", "purchase"):
            raise UnknownName("kind", self.kind, ("payment", "purchase"))
        check_time(self.start, self.months)

    def act(self, window: Window) -> Window:
        """Lay a rule on each place's producers, or on its disposal."""
        if self.kind == "payment":
            return support(window, self, self.by, self.on, "price floor", strike=self.floor)
        network = window.layout.network
        commodity(network, self.on)
        rules: list[Rule] = []
        for place in states(network, self.by):
            node = window.local(self.on, place)
            if node is None:
                continue
            rules += [
                Purchase(
                    column=int(window.column(month, window.disposal(node))),
                    node=window.node(month, node),
                    floor=self.floor,
                    parties=Parties(f"purchase {place}", place, f"sellers {place}", month),
                )
                for month in window.active(self)
            ]
        if not rules and window.active(self):
            raise Refused("market.support_idle", by=", ".join(self.by), on=self.on, year=network.year)
        return window.ruled(rules)
