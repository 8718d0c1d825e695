"""Surges of demand: a use grows, or shrinks, by a share for some months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from monazite.core.errors import Refused, UnknownName
from monazite.market.scenario.document import Document, check_time, names, one_name, share_above
from monazite.market.scenario.window import Window, goods, states

__all__ = ["DemandSurge"]


@dataclass(frozen=True)
class DemandSurge(Document):
    """Users want a share more than in the base year at each price.

    The willingness to pay P(q) becomes P(q/(1 + rise)): every chord of it is wider by 1 + rise and as much
    flatter, so that at base prices base use times 1 + rise is wanted.

    Parameters
    ----------
    on : str or sequence of str
        Commodities used, or a chain for all of its own.
    rise : float
        Share by which use grows, above −1; below zero it shrinks.
    by : str or sequence of str
        Whose use: places, groups or ``ALL``.
    use : str, optional
        One end use by its key; all by default.
    start : str, optional
        First month, ``YYYY-MM``; the window's first when absent.
    months : int
        Length.

    Raises
    ------
    ArgumentError
        A rise of −1 or less, a month that is none, no months at all.

    Examples
    --------
    >>> surge = DemandSurge("ndfeb_magnet_heavy", 1.0, by="QUAD", use="ev")
    >>> DemandSurge.from_toml(surge.to_toml()) == surge
    True
    """

    needed: ClassVar[tuple[str, ...]] = ("on", "rise")

    on: str | Sequence[str]
    rise: float
    by: str | Sequence[str] = "ALL"
    use: str | None = None
    start: str | None = None
    months: int = 12

    def __post_init__(self) -> None:
        """Check and freeze."""
        set_ = object.__setattr__
        set_(self, "on", names("on", self.on))
        set_(self, "rise", share_above("rise", self.rise))
        set_(self, "by", names("by", self.by))
        if self.use is not None:
            set_(self, "use", one_name("use", self.use))
        check_time(self.start, self.months)

    def act(self, window: Window) -> Window:
        """Widen and flatten the chords of use."""
        network = window.layout.network
        table = network.activities
        if self.use is not None:
            known = {key for key, kind in table.select("key", "type").iter_rows() if kind == "use"}
            if self.use not in known:
                raise UnknownName("use", self.use, known)
        chords = window.uses(goods(network, self.on), self.use, states(network, self.by))
        if not chords:
            raise Refused("market.use_idle", by=", ".join(self.by), on=", ".join(self.on), year=network.year)
        upper, slope = np.array(window.problem.upper), np.array(window.problem.a)
        for month in window.active(self):
            at = window.column(month, np.array(chords))
            upper[at] *= 1.0 + self.rise
            slope[at] /= 1.0 + self.rise
        return window.changed(upper=upper, a=slope)
