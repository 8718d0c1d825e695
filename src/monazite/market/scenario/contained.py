"""A base year that already contains a control must not be shocked with it."""

from __future__ import annotations

from monazite.core.errors import Refused
from monazite.facts.controls import controls
from monazite.market.scenario.export_control import Control
from monazite.network import Network

__all__ = ["refuse_contained"]


def refuse_contained(network: Network, control: Control) -> None:
    """Refuse a control whose effects are in the base year's figures already.

    Raises
    ------
    Refused
        With the control, the year, and the latest base year that can carry it.
    """
    for record in controls().values():
        since = record["in_base_from"]
        if since is None or network.year < since or record["by"] != control.by:
            continue
        same = record["id"] == control.id
        named = {c for path in record["paths"] for c in path["commodity"]}
        chain = set(control.on) & set(record["chains"])
        hand_made = (
            not control.id and (named & set(control.on) or chain) and control.start[:4] <= str(network.year)
        )
        if same or hand_made:
            raise Refused(
                "stress.contained",
                control=record["id"],
                year=network.year,
                since=since,
                base=record["base_year"],
            )
