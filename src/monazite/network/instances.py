"""An activity at a place (or between two) as the facts state it, before it has a column in a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Instance", "arc", "end_use"]

#: a commodity at a place
NodeKey = tuple[str, str]


@dataclass
class Instance:
    """One activity: what it takes and gives for a tonne of level, and what is known of its level (t/yr)."""

    name: str
    key: str
    type: str
    form: str
    chain: str
    stage: str
    place: str
    partner: str | None
    commodity: str
    use: str | None
    estimate: float | None
    sigma: float | None
    kind: str
    capacity: float | None
    fact_ids: list[int]
    column: dict[NodeKey, float]


def arc(
    commodity: str,
    info: Mapping[str, Any],
    origin: str,
    destination: str,
    *,
    estimate: float,
    sigma: float,
    kind: str,
    fact_ids: list[int],
    capacity: float | None = None,
    form: str = "",
) -> Instance:
    """Make a trade flow of a commodity (its row of ``commodities.csv``) from one place to another.

    Examples
    --------
    >>> made = arc("toy_ore", {"chain": "toy", "stage": "concentrate"}, "USA", "CHN", estimate=10.0,
    ...     sigma=1.0, kind="reported", fact_ids=[1])
    >>> made.name
    'trade toy_ore USA>CHN'
    """
    return Instance(
        name=f"trade {commodity} {origin}>{destination}",
        key="trade",
        type="trade",
        form=form,
        chain=info["chain"],
        stage=info["stage"],
        place=origin,
        partner=destination,
        commodity=commodity,
        use=None,
        estimate=estimate,
        sigma=sigma,
        kind=kind,
        capacity=capacity,
        fact_ids=fact_ids,
        column={(commodity, origin): -1.0, (commodity, destination): 1.0},
    )


def end_use(
    use: str,
    commodity: str,
    place: str,
    chain: str,
    stage: str,
    *,
    form: str,
    estimate: float | None,
    sigma: float | None,
    kind: str,
    fact_ids: list[int],
) -> Instance:
    """Make an end use of a commodity at a place.

    Examples
    --------
    >>> end_use("making", "toy_widget", "IND", "toy", "product", form="", estimate=17.0, sigma=1.0,
    ...     kind="reported", fact_ids=[2]).column
    {('toy_widget', 'IND'): -1.0}
    """
    return Instance(
        name=f"{use} {commodity}@{place}",
        key=use,
        type="use",
        form=form,
        chain=chain,
        stage=stage,
        place=place,
        partner=None,
        commodity=commodity,
        use=use,
        estimate=estimate,
        sigma=sigma,
        kind=kind,
        capacity=None,
        fact_ids=fact_ids,
        column={(commodity, place): -1.0},
    )
