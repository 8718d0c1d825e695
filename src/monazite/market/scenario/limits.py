"""From a control to bounds: which columns of a month it caps, and how far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from monazite.core.errors import Refused, UnknownName
from monazite.facts.places import resolve
from monazite.market.scenario.export_control import REBOUND, Control, ExportControl
from monazite.network import Layout, Network

Float = NDArray[np.float64]


Aims = Callable[[str | None, str], bool]


@dataclass(frozen=True)
class _Hit:
    """Columns that one piece caps, and the share of their level that it reaches."""

    piece: ExportControl
    columns: NDArray[np.int64]
    share: Float
    cohort: tuple[str, ...] | None  # class of cover of each column, for draws


@dataclass(frozen=True)
class Limits:
    """Upper bounds of a month's columns under a control, month by month.

    ``upper(month)`` is the template's own bounds where nothing is capped, so that a control that cuts nothing
    changes nothing.
    """

    layout: Layout
    control: Control
    hits: tuple[_Hit, ...]

    def upper(self, month: int) -> Float:
        """Bounds in month `month` after the start (t a month)."""
        bounds = self.layout.open_upper(month)
        base = self.layout.base
        for hit in self.hits:
            if hit.cohort is None:
                cap = hit.piece.cap(month)
                if cap is None:
                    continue
                bounds[hit.columns] = np.minimum(bounds[hit.columns], cap * base[hit.columns])
                continue
            for k, share, name in zip(hit.columns, hit.share, hit.cohort, strict=True):
                cap = hit.piece.cohort_cap(name, month)
                if cap is not None:
                    bounds[k] = min(bounds[k], ((1.0 - share) * REBOUND + share * cap) * base[k])
        return bounds

    def on(self, layout: Layout, control: Control) -> Limits:
        """The same columns of a layout drawn anew, under a control whose pieces are drawn anew."""
        other = dict(zip(map(id, self.control.pieces), control.pieces, strict=True))
        hits = tuple(replace(hit, piece=other[id(hit.piece)]) for hit in self.hits)
        return Limits(layout, control, hits)

    @property
    def length(self) -> int:
        """Months until the last piece is over."""
        return max((hit.piece.months for hit in self.hits), default=0)

    def over(self, month: int) -> Float:
        """Bounds in month `month` as believed when the control is expected to be over: catch-up caps only."""
        later = self.upper(self.length)
        opened, ended = self.layout.open_upper(month), self.layout.open_upper(self.length)
        return np.where(later < ended, later, opened)

    @property
    def touched(self) -> NDArray[np.int64]:
        """All columns that are capped at some time."""
        if not self.hits:
            return np.zeros(0, dtype=np.int64)
        return np.unique(np.concatenate([hit.columns for hit in self.hits]))


def _commodities(network: Network, names: Sequence[str]) -> list[str]:
    """Commodities named, a chain standing for all that it trades."""
    known = network.nodes["commodity"].unique().to_list()
    traded = set(network.gates["commodity"].to_list())
    found: list[str] = []
    for name in names:
        if name in network.chains:
            found += sorted(
                c for c in network.nodes.filter(pl.col("chain") == name)["commodity"].unique() if c in traded
            )
        elif name in known:
            found.append(name)
        else:
            raise UnknownName("commodity", name, [*known, *network.chains])
    return list(dict.fromkeys(found))


def _targets(names: Sequence[str], own: str) -> set[str] | None:
    """Places aimed at; None for all."""
    if "ALL" in names:
        return None
    aimed = {place for name in names for place in resolve(name)}
    return aimed - {own}


def limits(layout: Layout, control: Control) -> Limits:
    """Find what a control caps in a monthly layout.

    Raises
    ------
    UnknownName
        A state, commodity, place or group that the network does not know.
    Refused
        The control caps nothing: the restricting state exports none of it in this base year.
    """
    network = layout.network
    known_places = sorted(set(network.nodes["place"]))
    hits: list[_Hit] = []
    for piece in control.pieces:
        if piece.by not in known_places:
            raise UnknownName("place", piece.by, known_places)
        on = set(
            _commodities(network, [c for c in piece.on if len(control.pieces) == 1 or c in _known(network)])
        )
        aims = _aims(piece, control)
        if piece.kind == "quota":
            rows = np.flatnonzero(layout.role == "gate")
            gates = network.gates
            chosen = [
                int(k)
                for k, (c, p) in zip(rows, gates.select("commodity", "place").iter_rows(), strict=True)
                if c in on and p == piece.by
            ]
            hits.append(_Hit(piece, np.array(chosen, dtype=np.int64), np.ones(len(chosen)), None))
            continue
        arcs = [
            k
            for k, origin, partner, commodity in layout.trade
            if origin == piece.by and commodity in on and aims(partner, commodity)
        ]
        if piece.cut > 0.0 or piece.path:
            hits.append(_Hit(piece, np.array(arcs, dtype=np.int64), np.ones(len(arcs)), None))
        if piece.cohorts:
            hits.append(_draws(layout, piece, on, aims))
    if not any(hit.columns.size for hit in hits) and any(p.cut > 0 or p.path for p in control.pieces):
        raise Refused("market.control_idle", by=control.by, on=", ".join(control.on), year=network.year)
    return Limits(layout, control, tuple(hit for hit in hits if hit.columns.size))


def _aims(piece: ExportControl, control: Control) -> Aims:
    """Whether a piece is aimed at a place for a commodity; one that names the place stands first."""
    aimed = _targets(piece.to, piece.by)
    own: dict[str, set[str]] = {}
    for other in control.pieces:
        for place in _targets(other.to, other.by) or ():
            for commodity in other.on:
                own.setdefault(commodity, set()).add(place)

    def aims(place: str | None, commodity: str) -> bool:
        if place is None:
            return False
        return place in aimed if aimed is not None else place not in own.get(commodity, ())

    return aims


def _known(network: Network) -> set[str]:
    return set(network.nodes["commodity"]) | set(network.chains)


def _draws(layout: Layout, piece: ExportControl, on: set[str], aims: Aims) -> _Hit:
    """Draws of users, with the controlled origin's share s of their supply.

    What they may draw is s × licence of it, and of other origins up to the catch-up multiple of base: goods
    are not labelled by origin, since that would change the matrix.
    """
    network = layout.network
    table = network.activities
    inflow = {
        (c, p): v
        for c, p, v in table.filter((pl.col("type") == "trade") & (pl.col("place") == piece.by))
        .group_by("commodity", "partner")
        .agg(pl.col("level").sum())
        .iter_rows()
    }
    columns, share, names = [], [], []
    for k in np.flatnonzero(layout.role == "draw"):
        cohort = layout.cohorts[layout.cohort[k]]
        if cohort.commodity in on and cohort.place != piece.by and aims(cohort.place, cohort.commodity):
            columns.append(int(k))
            share.append(
                min(
                    1.0, inflow.get((cohort.commodity, cohort.place), 0.0) / network.throughput[cohort.source]
                )
            )
            names.append(cohort.name)
    return _Hit(piece, np.array(columns, dtype=np.int64), np.array(share), tuple(names))
