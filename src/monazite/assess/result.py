"""The answer of `assess`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from monazite.assess.context import MEASURES, Cell
from monazite.assess.explanation import Explanation, explain_cell
from monazite.assess.words import findings, summary
from monazite.core import schema
from monazite.core.errors import ArgumentError, UnknownName
from monazite.core.manifest import Manifest
from monazite.facts.places import resolve
from monazite.market.measures import elements

if TYPE_CHECKING:
    from monazite.network import Network

__all__ = ["Assessment"]

_COLUMNS = (
    *("chain", "stage", "commodity", "element", "place", "by"),
    *("activity", "partner", "stage_to", "role", "cell_id"),
)


@dataclass(frozen=True, eq=False, repr=False)
class Assessment:
    """How far a place or group depends on a state, stage by stage.

    Attributes
    ----------
    subject : str
        The place or group, as in the table's ``place``; the world's rows have ``WLD``.
    members : tuple of str
    by : str or None
        The acting state asked for; None: each row has its own leading one.
    table : polars.DataFrame
        The columns of every result, then ``element``, ``assumed_share`` (part of the figure that rests on
        assumed or modelled levels) and ``caveat``. Shares and ratios are pure numbers. ``low`` and ``high``
        are p10 and p90 from the levels' posterior deviations (first order, taken as independent), widened
        to the other mixing rule (own output first) where something is traced, to "others as one state" for
        concentration, and to own output and equal sharing for a group's final-demand N-1.
    manifest : Manifest
    """

    subject: str
    members: tuple[str, ...]
    by: str | None
    table: pl.DataFrame
    manifest: Manifest
    _network: Network
    _cells: Mapping[str, Cell]
    _again: Callable[..., Assessment]

    @property
    def sources(self) -> pl.DataFrame:
        """The sources that the network's levels and contents cite: ``source, citation, url, licence, …``."""
        return self._network.facts.sources

    @property
    def elements(self) -> dict[str, tuple[str, ...]]:
        """Elements that can be traced in each chain, the leading one first."""
        return elements(self._network)

    @cached_property
    def depths(self) -> dict[tuple[str, str], int]:
        """How many steps lie behind the goods of each (chain, stage): metal before the oxide made of it."""
        facts = self._network.facts
        looped = facts.activities.filter(pl.col("type").is_in(["recycle", "substitute"]))["activity"]
        recipes: dict[str, tuple[set[str], set[str]]] = {}
        rows = facts.select("coefficient").filter(~pl.col("activity").is_in(looped.to_list()))
        for activity, good, value in rows.select("activity", "commodity", "value").iter_rows():
            takes, gives = recipes.setdefault(activity, (set(), set()))
            (takes if value < 0 else gives).add(good)
        depth: dict[str, int] = {}
        for _ in range(len(schema.names("stages", "stage"))):
            for takes, gives in recipes.values():
                behind = 1 + max((depth.get(good, 0) for good in takes), default=0)
                for good in gives - takes:
                    depth[good] = max(depth.get(good, 0), behind)
        found: dict[tuple[str, str], int] = {}
        for good, chain, stage in facts.commodities.select("commodity", "chain", "stage").iter_rows():
            found[chain, stage] = max(found.get((chain, stage), 0), depth.get(good, 0))
        return found

    @property
    def filters(self) -> dict[str, list[str] | None]:
        """What was asked for: names by measure, chain, stage, commodity, element; None for everything."""
        return dict(self.manifest.extra["filters"])

    @property
    def names(self) -> dict[str, str]:
        """Names of commodities and end uses by their ids."""
        facts = self._network.facts
        return {
            **dict(facts.activities.select("activity", "name").iter_rows()),
            **dict(facts.commodities.select("commodity", "name").iter_rows()),
        }

    @property
    def own_elements(self) -> dict[str, str | None]:
        """The element that each commodity names as its own."""
        return dict(self._network.facts.commodities.select("commodity", "element").iter_rows())

    def summary(self) -> str:
        """Return two sentences that a minister can read.

        Examples
        --------
        >>> from monazite.network import toy
        >>> from monazite.assess import assess
        >>> assess(toy(), "IND").summary().count(". ")
        1
        """
        return summary(self)

    def findings(self) -> list[str]:
        """Return the sentences of the summary, one by one: exposure, then what the others could cover."""
        return findings(self)

    def explain(self, measure: str | None = None, **selection: Any) -> Explanation:
        """Explain one cell: formula, the levels and facts that matter most, the largest paths.

        Parameters
        ----------
        measure : str, optional
            A measure of the table.
        **selection
            ``chain, stage, commodity, element, place, by, activity, partner, stage_to, role, cell_id``. Of
            several cells that fit, the subject's stands before the world's, and the commodity's own element
            before others. A ``by`` that is not the table's leading state is computed anew.

        Returns
        -------
        Explanation

        Raises
        ------
        UnknownName
            An unknown measure or column.
        ArgumentError
            No cell fits.

        Examples
        --------
        >>> from monazite.network import toy
        >>> from monazite.assess import assess
        >>> why = assess(toy(), "IND").explain("mined_share", commodity="toy_widget", by="CHN")
        >>> why.paths["path"][0]
        'mine_toy@CHN → CHN toy_ore → CHN toy_metal → IND toy_metal → IND toy_widget'
        """
        for name in selection:
            if name not in _COLUMNS:
                raise UnknownName("column", name, _COLUMNS)
        if measure is not None and measure not in MEASURES:
            raise UnknownName("measure", measure, MEASURES)
        if selection.get("by") is not None:
            selection["by"] = resolve(selection["by"])[0]
        chosen = self._pick(measure, selection)
        if chosen is None and selection.get("by") is not None and selection["by"] != self.by:
            rest = {
                k: v for k, v in selection.items() if k not in ("by", "place", "cell_id") and v is not None
            }
            again = self._again(by=selection["by"], measure=measure, **rest)
            return again.explain(measure, **selection)
        if chosen is None:
            given = ", ".join(
                f"{k} {v}" for k, v in {"measure": measure, **selection}.items() if v is not None
            )
            raise ArgumentError("assess.no_cell", given=given)
        return explain_cell(self._cells[chosen])

    def _pick(self, measure: str | None, selection: Mapping[str, Any]) -> str | None:
        found = self.table
        for name, value in {"measure": measure, **selection}.items():
            if value is not None:
                found = found.filter(pl.col(name) == value)
        if not found.height:
            return None
        own = {r["commodity"]: r["element"] for r in self._network.facts.commodities.iter_rows(named=True)}
        rows = list(found.iter_rows(named=True))
        best = min(
            range(len(rows)),
            key=lambda i: (
                rows[i]["place"] != self.subject,
                rows[i]["element"] not in (None, own.get(rows[i]["commodity"])),
                i,
            ),
        )
        return str(rows[best]["cell_id"])

    def __repr__(self) -> str:
        """The summary."""
        return self.summary()
