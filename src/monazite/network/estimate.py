"""Flows that no source gives, estimated from what the sources around them say, and marked ``modelled``.

*Uses by place*, where the trade of a commodity is known: what a place has beyond its plants' needs,

    made + imports − exports − taken by processes − stated uses,

split by the stated shares of end uses (``use_share``). *Trade*, where uses are known and lines show only some
flows or none: each place's surplus or need, and between them the flows of greatest entropy under these
margins, x_ij = surplus_i · need_j / Σ need (Wilson 1967), without cross-hauling: a place both makes and
buys only what known flows say. Nothing here is a figure of a source: the balance moves it first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from monazite.facts import FactTable
from monazite.facts.sigma import relative_sigma
from monazite.network.instances import Instance, arc, end_use

__all__ = ["estimated"]

#: below this share of the world's use a place's use is not split: its leading end use stands for all
SPLIT = 0.005
#: estimated flows below this share of all pass through the rest of the world
SMALL = 0.002

_REST = "ROW"
Info = Mapping[str, Mapping[str, Any]]


def estimated(
    instances: list[Instance], facts: FactTable, commodity_info: Info, activity_info: Info
) -> list[Instance]:
    """Estimate uses and trade that no fact states.

    Parameters
    ----------
    instances : list of Instance
        Makers, trade and uses as stated (t/yr).
    facts : FactTable
        Shares of use, and which lines are complete.
    commodity_info, activity_info : mapping
        Rows of the chain's tables by id.

    Returns
    -------
    list of Instance
        Kind ``modelled``, with σ of a modelled figure; empty where the facts state everything.
    """
    shares = _shares(facts)
    found = list(_split_uses(instances, shares, commodity_info, activity_info))
    found += _open_trade([*instances, *found], _open_commodities(facts), commodity_info)
    return found


def _shares(facts: FactTable) -> dict[str, dict[str | None, dict[str, tuple[float, int]]]]:
    """Shares of use by commodity, place (None: everywhere) and end use, with the fact behind each."""
    table: dict[str, dict[str | None, dict[str, tuple[float, int]]]] = {}
    rows = facts.select("use_share").filter(pl.col("value") > 0.0, pl.col("status") == "ok")
    for row in rows.iter_rows(named=True):
        at = table.setdefault(row["commodity"], {}).setdefault(row["place"], {})
        at[row["activity"]] = (float(row["value"]), int(row["fact_id"]))
    return table


def _open_commodities(facts: FactTable) -> set[str]:
    """Commodities whose trade is to be estimated: no line of theirs shows the whole of it.

    A chain that has neither lines nor shares of use states its flows one by one: nothing is added there.
    """
    lined = {c: set(kinds) for c, kinds in facts.lines.group_by("commodity").agg("complete").iter_rows()}
    opened = set(facts.lines["chain"].unique()) | set(facts.select("use_share")["chain"].unique())
    opened |= set(facts.chains) - set(facts.select("trade")["chain"].unique())
    return {
        commodity
        for commodity, chain in facts.commodities.select("commodity", "chain").iter_rows()
        if chain in opened and "no" in lined.get(commodity, {"no"})
    }


def _left(instances: Iterable[Instance]) -> dict[str, dict[str, float]]:
    """What each place has of each commodity after all stated levels, t/yr (negative: it lacks)."""
    left: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for instance in instances:
        for (commodity, place), value in instance.column.items():
            left[commodity][place] += value * (instance.estimate or 0.0)
    return left


def _split_uses(
    instances: list[Instance],
    shares: Mapping[str, Mapping[str | None, Mapping[str, tuple[float, int]]]],
    commodity_info: Info,
    activity_info: Info,
) -> Iterable[Instance]:
    left = _left(instances)
    sigma = relative_sigma()["modelled"]
    for commodity in sorted(shares):
        has = {place: tonnes for place, tonnes in sorted(left[commodity].items()) if tonnes > 1e-9}
        world = sum(has.values())
        for place, tonnes in has.items():
            split = shares[commodity].get(place) or shares[commodity].get(None) or {}
            if tonnes < SPLIT * world and split:
                leading = max(split, key=lambda use: (split[use][0], use))
                split = {leading: (1.0, split[leading][1])}
            total = sum(share for share, _ in split.values())
            for use, (share, fact) in sorted(split.items()):
                level = tonnes * share / total
                about = activity_info[use]
                yield end_use(
                    use, commodity, place, commodity_info[commodity]["chain"], about["stage"],
                    form=about["form"] or "", estimate=level, sigma=sigma * level, kind="modelled",
                    fact_ids=[fact],
                )  # fmt: skip


def _open_trade(
    instances: list[Instance], commodities: Iterable[str], commodity_info: Info
) -> Iterable[Instance]:
    left = _left(instances)
    stated = {(i.commodity, i.place, i.partner) for i in instances if i.type == "trade"}
    sigma = relative_sigma()["modelled"]
    for commodity in sorted(commodities):
        over = {place: tonnes for place, tonnes in sorted(left[commodity].items()) if tonnes > 1e-9}
        need = {place: -tonnes for place, tonnes in sorted(left[commodity].items()) if tonnes < -1e-9}
        flows = _entropy(over, need)
        for (origin, destination), tonnes in sorted(flows.items()):
            if (commodity, origin, destination) in stated:
                continue
            yield arc(
                commodity, commodity_info[commodity], origin, destination, estimate=tonnes,
                sigma=sigma * tonnes, kind="modelled", fact_ids=[],
            )  # fmt: skip


def _entropy(over: Mapping[str, float], need: Mapping[str, float]) -> dict[tuple[str, str], float]:
    """Flows of greatest entropy from surpluses to needs; small ones pass through the rest of the world."""
    scale = max(sum(over.values()), sum(need.values()))
    flows: dict[tuple[str, str], float] = defaultdict(float)
    if scale <= 0.0:
        return flows
    least = SMALL * min(sum(over.values()), sum(need.values()))
    for origin, surplus in over.items():
        for destination, lack in need.items():
            tonnes = surplus * lack / scale
            if tonnes >= least or _REST in (origin, destination):
                flows[origin, destination] += tonnes
            else:
                flows[origin, _REST] += tonnes
                flows[_REST, destination] += tonnes
    return flows
