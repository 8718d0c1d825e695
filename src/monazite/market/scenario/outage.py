"""Outages: a mine or plant loses a share of its capacity for some months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from monazite.core.errors import Refused, UnknownName
from monazite.market.scenario.document import Document, check_share, check_time, names, one_name
from monazite.market.scenario.window import MAKERS, Window, states

__all__ = ["Outage"]


@dataclass(frozen=True)
class Outage(Document):
    """Mines or plants of a place lose a share of their capacity.

    What is left is the cheapest part. Capacity above base output goes first in effect: a plant at 80 % of its
    capacity that loses a tenth of it makes as much as before.

    Parameters
    ----------
    at : str
        The place, or a group for all of its places.
    on : str or sequence of str
        Mines and plants by their key, by their leading commodity, or by what they give; a plant with joint
        products stands still as a whole.
    cut : float
        Share of capacity that is lost, 0 to 1.
    start : str, optional
        First month, ``YYYY-MM``; the window's first when absent.
    months : int
        Length.

    Raises
    ------
    ArgumentError
        A cut outside 0 to 1, a month that is none, no months at all.

    Examples
    --------
    >>> stop = Outage(at="MMR", on="mine_clay_mmr", cut=1.0, start="2027-03", months=3)
    >>> Outage.from_toml(stop.to_toml()) == stop
    True
    """

    needed: ClassVar[tuple[str, ...]] = ("at", "on")

    at: str
    on: str | Sequence[str]
    cut: float = 1.0
    start: str | None = None
    months: int = 12

    def __post_init__(self) -> None:
        """Check and freeze."""
        set_ = object.__setattr__
        set_(self, "at", one_name("at", self.at))
        set_(self, "on", names("on", self.on))
        set_(self, "cut", check_share("cut", self.cut))
        check_time(self.start, self.months)

    def act(self, window: Window) -> Window:
        """Lower the bounds of the pieces, the dearest first."""
        network = window.layout.network
        table = network.activities
        keys = {key for key, kind in table.select("key", "type").iter_rows() if kind in MAKERS}
        known = keys | set(network.nodes["commodity"])
        for name in self.on:
            if name not in known:
                raise UnknownName("activity", name, known)
        owned: dict[int, list[int]] = {}
        for place in states(network, self.at):
            for k in window.makers(place, self.on):
                owned.setdefault(int(window.layout.activity[k]), []).append(k)
        if not owned:
            raise Refused("market.outage_idle", at=self.at, on=", ".join(self.on), year=network.year)
        upper = np.array(window.problem.upper)
        for month in window.active(self):
            for pieces in owned.values():
                at = window.column(month, np.array(pieces))
                at = at[np.argsort(window.problem.c[at], kind="stable")]
                left = (1.0 - self.cut) * upper[at].sum()
                before = np.concatenate([[0.0], np.cumsum(upper[at])[:-1]])
                upper[at] = np.minimum(upper[at], np.maximum(left - before, 0.0))
        return window.changed(upper=upper)
