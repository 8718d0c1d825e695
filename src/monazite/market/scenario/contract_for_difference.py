"""Contracts for difference: a producer gets a strike price less a reference price for each tonne."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from monazite.market.scenario.document import (
    Document,
    check_share,
    check_time,
    names,
    one_name,
    price,
    share_above,
)
from monazite.market.scenario.support import support
from monazite.market.scenario.window import Window

__all__ = ["ContractForDifference"]


@dataclass(frozen=True)
class ContractForDifference(Document):
    """States promise producers a strike price: they pay what a reference price lacks and share in its excess.

    Payment for a tonne made, whether sold or put in stock: strike − P where P lies below, −upside·(P −
    strike) where it lies above, with P the reference price less its tax.

    Parameters
    ----------
    on : str
        The commodity.
    strike : float
        USD/kg of its own basis.
    by : str or sequence of str
        Whose producers: places, groups or ``ALL``; each place's have a contract of their own.
    upside : float
        Share given back above the strike, 0 to 1: 1 is a two-way contract, 0 a one-way one.
    volume : float, optional
        Tonnes a year under contract in each place, a twelfth each month; all by default.
    reference : str, optional
        The place whose price counts; the producers' own by default.
    tax : float
        Tax that the reference price holds and the contract leaves out (0.13 for Chinese prices with VAT).
    start : str, optional
        First month, ``YYYY-MM``; the window's first when absent.
    months : int
        Length.

    Raises
    ------
    ArgumentError
        A strike or volume that is not above zero, an upside outside 0 to 1, a month that is none.

    Examples
    --------
    >>> contract = ContractForDifference("ndpr_oxide", 110, by="USA", upside=0.3, reference="CHN", tax=0.13)
    >>> ContractForDifference.from_toml(contract.to_toml()) == contract
    True
    """

    needed: ClassVar[tuple[str, ...]] = ("on", "strike", "by")

    on: str
    strike: float
    by: str | Sequence[str]
    upside: float = 1.0
    volume: float | None = None
    reference: str | None = None
    tax: float = 0.0
    start: str | None = None
    months: int = 12

    def __post_init__(self) -> None:
        """Check and freeze."""
        set_ = object.__setattr__
        set_(self, "on", one_name("on", self.on))
        set_(self, "strike", price("strike", self.strike))
        set_(self, "by", names("by", self.by))
        set_(self, "upside", check_share("upside", self.upside))
        if self.volume is not None:
            set_(self, "volume", price("volume", self.volume))
        if self.reference is not None:
            set_(self, "reference", one_name("reference", self.reference))
        set_(self, "tax", share_above("tax", self.tax))
        check_time(self.start, self.months)

    def act(self, window: Window) -> Window:
        """Lay a rule on each place's producers."""
        return support(
            window,
            self,
            self.by,
            self.on,
            "contract",
            strike=self.strike,
            factor=1.0 / (1.0 + self.tax),
            upside=self.upside,
            volume=None if self.volume is None else self.volume / 12.0,
            reference=self.reference,
        )
