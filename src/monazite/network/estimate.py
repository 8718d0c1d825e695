"""Flows that no source gives, estimated from what the sources around them say, and marked ``modelled``.

*Uses by place*, where the trade of a commodity is known: what a place has beyond its plants' needs,

    made + imports − exports − taken by processes − stated uses,

split by the stated shares of end uses (``use_share``). *Trade*, where uses are known and lines show only
some flows or none: each place's surplus or need, and between them the flows of greatest entropy under these
margins, x_ij = surplus_i · need_j / Σ need (Wilson 1967), proportionally fitted where some pairs are stated
in full, without cross-hauling: a place both makes and buys only what known flows say. A line that shows only
part of the trade is a lower bound: its pairs can be raised. Nothing here is a figure of a source: the
balance moves it first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import polars as pl

from monazite.facts import FactTable
from monazite.facts.sigma import relative_sigma
from monazite.facts.trade import LINES
from monazite.network.instances import Instance, arc, end_use

__all__ = ["estimated"]

#: below this share of the world's use a place's use is not split: its leading end use stands for all
SPLIT = 0.005
#: estimated flows below this share of all pass through the rest of the world
SMALL = 0.002

#: rounds of proportional fitting
ROUNDS = 60

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
    found += _open_trade([*instances, *found], facts, _open_commodities(facts), commodity_info)
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
    instances: list[Instance], facts: FactTable, commodities: Iterable[str], commodity_info: Info
) -> Iterable[Instance]:
    left = _left(instances)
    by_line = set(facts.select("trade").filter(pl.col("locator").str.starts_with(LINES))["fact_id"].to_list())
    shown = {
        (i.commodity, i.place, i.partner or ""): i for i in instances if i.type == "trade" and i.form != "new"
    }
    sigma = relative_sigma()["modelled"]
    for commodity in sorted(commodities):
        over = {place: tonnes for place, tonnes in sorted(left[commodity].items()) if tonnes > 1e-9}
        need = {place: -tonnes for place, tonnes in sorted(left[commodity].items()) if tonnes < -1e-9}
        full = {
            (origin, destination)
            for (good, origin, destination), flow in shown.items()
            if good == commodity and not set(flow.fact_ids) & by_line
        }
        for (origin, destination), tonnes in sorted(_entropy(over, need, full).items()):
            flow = shown.get((commodity, origin, destination))
            if flow is None:
                yield arc(
                    commodity, commodity_info[commodity], origin, destination, estimate=tonnes,
                    sigma=sigma * tonnes, kind="modelled", fact_ids=[],
                )  # fmt: skip
                continue
            # an incomplete line shows a part of the pair: what is left comes on top
            seen = flow.estimate or 0.0
            flow.estimate = seen + tonnes
            flow.sigma = ((flow.sigma or 0.0) ** 2 + (sigma * tonnes) ** 2) ** 0.5
            flow.kind = "modelled" if tonnes > seen else flow.kind


def _entropy(
    over: Mapping[str, float], need: Mapping[str, float], full: Collection[tuple[str, str]]
) -> dict[tuple[str, str], float]:
    """Flows of greatest entropy from surpluses to needs, none between the pairs whose flow is fully stated.

    Small flows pass through the rest of the world where that road is open. What cannot be placed stays over.
    """
    flows: dict[tuple[str, str], float] = defaultdict(float)
    pairs = [(o, d) for o in over for d in need if (o, d) not in full]
    if not pairs:
        return flows
    supply, demand = sum(over.values()), sum(need.values())
    shrink = min(supply, demand)
    margins = (
        {place: tonnes * shrink / supply for place, tonnes in over.items()},
        {place: tonnes * shrink / demand for place, tonnes in need.items()},
    )
    level = {pair: margins[0][pair[0]] * margins[1][pair[1]] / shrink for pair in pairs}
    for _ in range(ROUNDS if full else 1):
        for side in (0, 1):
            total: dict[str, float] = defaultdict(float)
            for pair in pairs:
                total[pair[side]] += level[pair]
            for pair in pairs:
                level[pair] *= margins[side][pair[side]] / total[pair[side]]
    least = SMALL * shrink
    for (origin, destination), tonnes in level.items():
        closed = (origin, _REST) in full or (_REST, destination) in full
        if tonnes >= least or closed or _REST in (origin, destination):
            flows[origin, destination] += tonnes
        else:
            flows[origin, _REST] += tonnes
            flows[_REST, destination] += tonnes
    return flows
