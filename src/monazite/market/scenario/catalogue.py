"""The catalogue: every state that exports, every good it exports, how much of it stops, for how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from monazite.core.checks import is_whole
from monazite.core.errors import ArgumentError
from monazite.core.manifest import content_hash
from monazite.core.text import say
from monazite.market.block import Change
from monazite.market.scenario.export_control import Control, ExportControl
from monazite.market.scenario.setting import Setting
from monazite.market.scenario.template import Template
from monazite.network import Network

__all__ = ["Catalogue", "Entry"]

#: a good is in the catalogue of a state that has this share of the base trade in it, at least
LEAST_SHARE = 0.01


@dataclass(frozen=True)
class Entry:
    """One control of the catalogue; ``commodity`` is None where the state's exports of a whole chain stop."""

    by: str
    chain: str
    commodity: str | None
    cut: float
    months: int

    def control(self, start: str) -> Control:
        """The entry as a control that begins in month `start`."""
        made = ExportControl(self.by, self.commodity or self.chain, self.cut, start, self.months)
        return Control.of(made, start)


@dataclass(frozen=True)
class Catalogue:
    """A source of scenarios: export controls by number, in an order that the facts fix.

    Parameters
    ----------
    setting : Setting
        The world and the window.
    entries : tuple of Entry

    Examples
    --------
    >>> from monazite.network import toy
    >>> source = Catalogue.of(toy(), Setting.of(toy(), 6))
    >>> source.count, source.entries[0].by, source.entries[0].commodity
    (5, 'CHN', 'toy_metal')
    """

    setting: Setting
    entries: tuple[Entry, ...]

    @classmethod
    def of(
        cls,
        network: Network,
        setting: Setting,
        *,
        cuts: Sequence[float] = (1.0,),
        lengths: Sequence[int] | None = None,
        states: Sequence[str] | None = None,
    ) -> Catalogue:
        """List the controls of a network: single goods first, then a state's exports of each chain.

        Parameters
        ----------
        network : Network
        setting : Setting
        cuts : sequence of float
            Shares that stop.
        lengths : sequence of int, optional
            Lengths in months; the whole window when absent.
        states : sequence of str, optional
            Restricting states; every one that exports when absent.

        Raises
        ------
        ArgumentError
            No cut above 0, a length below a month, no state among those named that exports anything.
        """
        if not cuts or any(not 0.0 < cut <= 1.0 for cut in cuts):
            raise ArgumentError("study.cuts", given=list(cuts))
        chosen = (setting.months,) if lengths is None else tuple(lengths)
        for months in chosen:
            if not is_whole(months, 1):
                raise ArgumentError("error.whole_expected", name="months", least=1, given=months)
        goods = exported(network)
        if states is not None:
            goods = goods.filter(pl.col("place").is_in(list(states)))
        if goods.is_empty():
            raise ArgumentError("study.no_exporter", states=list(states or ()))
        single = [
            Entry(by, chain, commodity, float(cut), int(months))
            for by, chain, commodity in goods.select("place", "chain", "commodity").iter_rows()
            for cut in cuts
            for months in chosen
        ]
        whole = [
            Entry(by, chain, None, float(cut), int(months))
            for by, chain in goods.select("place", "chain").unique(maintain_order=True).iter_rows()
            for cut in cuts
            for months in chosen
        ]
        return cls(setting, (*single, *whole))

    @property
    def count(self) -> int:
        """Number of scenarios."""
        return len(self.entries)

    def key(self) -> str:
        """Content hash of all that goes in."""
        return content_hash(
            self.setting.key(),
            "catalogue/1",
            [[e.by, e.chain, e.commodity, e.cut, e.months] for e in self.entries],
        )

    def describe(self) -> dict[str, Any]:
        """What was asked, as plain JSON."""
        return {
            "kind": "catalogue",
            "title": say("study.title_catalogue", chains=", ".join(self.setting.chains)),
            "chains": list(self.setting.chains),
            "year": self.setting.year,
            "window": self.setting.months,
            "controls": self.count,
            "cuts": sorted({e.cut for e in self.entries}),
            "lengths": sorted({e.months for e in self.entries}),
        }

    @cached_property
    def start(self) -> str:
        """First month of every control: the one after the base year."""
        return f"{self.setting.year + 1}-01"

    def control(self, number: int) -> Control:
        """Control of scenario `number`."""
        return self.entries[number].control(self.start)

    def world(self, number: int) -> int:  # noqa: ARG002 - every source tells the world of a scenario
        """Which recalibrated world: always that of the facts."""
        return -1

    def template(self, world: int) -> Template:  # noqa: ARG002
        """The world by month."""
        return self.setting.template()

    def change(self, number: int) -> Change:
        """What scenario `number` changes of the base problem."""
        template = self.setting.template()
        return template.change({}, template.limits(self.control(number)))


def exported(network: Network) -> pl.DataFrame:
    """What each state exports: ``place, chain, commodity, share`` of the base trade in it, largest first.

    Left out is what no end use can feel, a share below `LEAST_SHARE`; the rest of the world is no state.
    """
    trade = network.activities.filter((pl.col("type") == "trade") & (pl.col("level") > 0))
    return (
        trade.group_by("place", "chain", "commodity")
        .agg(pl.col("level").sum())
        .with_columns(share=pl.col("level") / pl.col("level").sum().over("commodity"))
        .filter((pl.col("share") >= LEAST_SHARE) & (pl.col("place") != "ROW"))
        .sort(["share", "place", "commodity"], descending=[True, False, False])
        .select("place", "chain", "commodity", "share")
    )
