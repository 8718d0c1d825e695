"""From a strike price to rules on the producers of each place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monazite.core.errors import Refused
from monazite.market.rules import Parties, Rule
from monazite.market.scenario.window import Timed, Window, commodity, states
from monazite.market.supports import Support

__all__ = ["support"]


def support(
    window: Window,
    when: Timed,
    by: str | Sequence[str],
    on: str,
    name: str,
    *,
    strike: float,
    factor: float = 1.0,
    upside: float = 0.0,
    volume: float | None = None,
    reference: str | None = None,
) -> Window:
    """Lay a strike on all that the producers of some places make of a commodity, month by month.

    Raises
    ------
    UnknownName
        A place or commodity that the network does not know.
    Refused
        None of the places makes it, or no price stands at the place of reference.
    """
    network = window.layout.network
    commodity(network, on)
    year = network.year
    rules: list[Rule] = []
    found = False
    for place in states(network, by):
        node = window.local(on, place)
        given = [] if node is None else _producers(window, place, node, on)
        if node is None or not given:
            continue
        found = True
        at = node
        if reference is not None:
            (there,) = states(network, reference)
            other = window.local(on, there)
            if other is None:
                raise Refused("market.support_idle", by=reference, on=on, year=year)
            at = other
        columns = np.array([k for k, _ in given])
        rules += [
            Support(
                columns=window.column(month, columns),
                amount=[tonnes for _, tonnes in given],
                node=window.node(month, at),
                strike=strike,
                factor=factor,
                upside=upside,
                volume=volume,
                output=window.node(month, node),
                parties=Parties(f"{name} {place}", place, f"producers {place}", month),
            )
            for month in window.active(when)
        ]
    if not found:
        named = by if isinstance(by, str) else ", ".join(by)
        raise Refused("market.support_idle", by=named, on=on, year=year)
    return window.ruled(rules)


def _producers(window: Window, place: str, node: int, on: str) -> list[tuple[int, float]]:
    """A month's columns that give to a node, and how much."""
    made = []
    for k in window.makers(place, [on]):
        tonnes = sum(given for at, given in window.gives(k) if at == node)
        if tonnes > 0.0:
            made.append((k, tonnes))
    return made
