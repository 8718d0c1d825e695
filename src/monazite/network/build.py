"""Build: from facts to nodes and activities, before anything is balanced.

A pure function of a :class:`~monazite.facts.FactTable`: every figure in it is a fact's, none is chosen here.
What has no figure (an unsold surplus) enters without an estimate and is left to the reconciliation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from monazite.core.errors import FactsError
from monazite.facts import FactTable
from monazite.network.estimate import estimated
from monazite.network.instances import Instance, arc, end_use

Float = NDArray[np.float64]

#: activity types whose level is given by an ``output`` fact
MAKERS = ("mine", "process", "recycle", "substitute")


@dataclass(frozen=True)
class Measurements:
    """Rows ``matrix @ level = target ± sigma`` that the reconciliation must respect.

    Attributes
    ----------
    matrix : csr_array, shape (rows, activities)
    target, sigma : ndarray, shape (rows,), t/yr
    fact_ids : tuple of int
    labels : tuple of str
    """

    matrix: csr_array
    target: Float
    sigma: Float
    fact_ids: tuple[int, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Draft:
    """Nodes, activities and measurement rows as the facts state them (t/yr, not balanced).

    Attributes
    ----------
    nodes : DataFrame
        ``node, commodity, place, chain, stage``.
    activities : DataFrame
        ``activity, name, key, type, form, chain, stage, place, partner, commodity, use, estimate, sigma,
        kind, capacity, fact_ids``; ``estimate`` is null where no figure exists.
    flow : csc_array, shape (nodes, activities)
        Tonnes given (+) or taken (-) at each node for each tonne of level.
    measurements : Measurements
    """

    nodes: pl.DataFrame
    activities: pl.DataFrame
    flow: csc_array
    measurements: Measurements


class _Recipes:
    """Coefficients by activity, a place's own row standing before the general one."""

    def __init__(self, facts: FactTable) -> None:
        self._general: dict[str, dict[str, tuple[float, int]]] = defaultdict(dict)
        self._local: dict[tuple[str, str], dict[str, tuple[float, int]]] = defaultdict(dict)
        for row in facts.select("coefficient").iter_rows(named=True):
            entry = (float(row["value"]), int(row["fact_id"]))
            if row["place"]:
                self._local[row["activity"], row["place"]][row["commodity"]] = entry
            else:
                self._general[row["activity"]][row["commodity"]] = entry

    def at(self, activity: str, place: str) -> dict[str, tuple[float, int]]:
        recipe = {**self._general.get(activity, {}), **self._local.get((activity, place), {})}
        if not recipe:
            raise FactsError("network.no_recipe", activity=activity, place=place)
        return {c: entry for c, entry in recipe.items() if entry[0] != 0.0}


def _usable(frame: pl.DataFrame) -> pl.DataFrame:
    """Facts that may enter: a figure is there and no better one stands for the same subject."""
    return frame.filter(pl.col("value").is_not_null() & (pl.col("status") == "ok"))


def build(facts: FactTable, *, provenance: bool = True) -> Draft:
    """Turn facts of one base year into nodes, activities and measurement rows.

    Parameters
    ----------
    facts : FactTable
        Facts of one or more chains for one year, with ``sigma`` in the unit of each figure.
    provenance : bool
        Keep the facts behind each activity; without them nothing can be explained (for measurements).

    Returns
    -------
    Draft
        Levels in t/yr of each activity's reference commodity, as stated, not yet balanced.

    Raises
    ------
    FactsError
        A process without a recipe, or a commodity that no table describes.
    """
    commodity_info = {r["commodity"]: r for r in facts.commodities.iter_rows(named=True)}
    activity_info = {r["activity"]: r for r in facts.activities.iter_rows(named=True)}
    recipes = _Recipes(facts)
    capacity = {
        (r["activity"], r["place"]): (float(r["value"]), int(r["fact_id"]))
        for r in _usable(facts.select("capacity")).iter_rows(named=True)
    }
    instances = list(_makers(facts, recipes, capacity, activity_info))
    instances += list(_trades(facts, commodity_info))
    instances += list(_uses(facts, commodity_info, activity_info))
    instances += estimated(instances, facts, commodity_info, activity_info)
    instances += list(_unsold(instances, commodity_info, activity_info))
    instances += list(_new_links(facts, instances, commodity_info))
    if not provenance:
        for instance in instances:
            instance.fact_ids = []
    return _assemble(facts, instances, commodity_info)


def _makers(
    facts: FactTable,
    recipes: _Recipes,
    capacity: Mapping[tuple[str, str], tuple[float, int]],
    activity_info: Mapping[str, Mapping[str, str]],
) -> Iterable[Instance]:
    seen: set[tuple[str, str]] = set()
    stated = {(r["activity"], r["place"]): r for r in _usable(facts.select("output")).iter_rows(named=True)}
    for (activity, place), row in list(stated.items()) + [(k, None) for k in capacity if k not in stated]:
        if (activity, place) in seen or activity not in activity_info:
            continue
        seen.add((activity, place))
        info = activity_info[activity]
        recipe = recipes.at(activity, place)
        cap = capacity.get((activity, place))
        ids = ([int(row["fact_id"])] if row else []) + ([cap[1]] if cap else [])
        yield Instance(
            name=f"{activity}@{place}",
            key=activity,
            type=info["type"],
            form=info["form"] or "",
            chain=info["chain"],
            stage=info["stage"],
            place=place,
            partner=None,
            commodity=info["reference"] or "",
            use=None,
            estimate=float(row["value"]) if row else 0.0,
            sigma=float(row["sigma"]) if row else 0.0,
            kind=row["kind"] if row else "assumed",
            capacity=cap[0] if cap else None,
            fact_ids=ids + [fact for _, fact in recipe.values()],
            column={(c, place): value for c, (value, _) in recipe.items()},
        )


def _trades(facts: FactTable, commodity_info: Mapping[str, Mapping[str, str]]) -> Iterable[Instance]:
    for row in _usable(facts.select("trade")).iter_rows(named=True):
        yield arc(
            row["commodity"], commodity_info[row["commodity"]], row["place"], row["partner"],
            estimate=float(row["value"]), sigma=float(row["sigma"]), kind=row["kind"],
            fact_ids=[int(row["fact_id"])],
        )  # fmt: skip


def _uses(
    facts: FactTable,
    commodity_info: Mapping[str, Mapping[str, str]],
    activity_info: Mapping[str, Mapping[str, str]],
) -> Iterable[Instance]:
    for row in _usable(facts.select("use")).iter_rows(named=True):
        about = activity_info[row["activity"]]
        yield end_use(
            row["activity"], row["commodity"], row["place"], commodity_info[row["commodity"]]["chain"],
            about["stage"], form=about["form"] or "", estimate=float(row["value"]),
            sigma=float(row["sigma"]), kind=row["kind"], fact_ids=[int(row["fact_id"])],
        )  # fmt: skip


def _unsold(
    instances: list[Instance],
    commodity_info: Mapping[str, Mapping[str, str]],
    activity_info: Mapping[str, Mapping[str, str]],
) -> Iterable[Instance]:
    """A line for the surplus of a co-product where it is made; the reconciliation finds its level."""
    lines = {a["reference"]: key for key, a in activity_info.items() if a["form"] == "unsold"}
    where = {
        node: instance.chain
        for instance in instances
        if instance.type in MAKERS and (instance.estimate or 0.0) > 0
        for node, value in instance.column.items()
        if value > 0 and node[0] in lines
    }
    for (commodity, place), chain in sorted(where.items()):
        yield end_use(
            lines[commodity], commodity, place, chain, commodity_info[commodity]["stage"], form="unsold",
            estimate=None, sigma=None, kind="modelled", fact_ids=[],
        )  # fmt: skip


def _new_links(
    facts: FactTable, instances: list[Instance], commodity_info: Mapping[str, Mapping[str, str]]
) -> Iterable[Instance]:
    """Routes that carry nothing in the base year and could: a stated share of what the importer uses.

    A row with both ends speaks of one route; one without them of all routes from places that make the
    commodity to places that use it, which share its figure. Only between nodes that exist and have no trade.
    """
    inflow: dict[tuple[str, str], float] = defaultdict(float)
    makers: dict[str, set[str]] = defaultdict(set)
    linked: set[tuple[str, str, str]] = set()
    for instance in instances:
        level = instance.estimate or 0.0
        for (commodity, place), value in instance.column.items():
            inflow[commodity, place] += max(value, 0.0) * level
            if instance.type in MAKERS and value > 0 and level > 0:
                makers[commodity].add(place)
        if instance.type == "trade":
            linked.add((instance.commodity, instance.place, instance.partner or ""))
    rows = sorted(_usable(facts.select("new_link")).iter_rows(named=True), key=lambda r: not r["place"])
    for row in rows:
        commodity = row["commodity"]
        origins = [row["place"]] if row["place"] else sorted(makers[commodity])
        users = [row["partner"]] if row["partner"] else sorted(p for c, p in inflow if c == commodity)
        for user in users:
            need = inflow.get((commodity, user), 0.0)
            fresh = [
                o
                for o in origins
                if o != user and inflow.get((commodity, o), 0.0) > 0 and (commodity, o, user) not in linked
            ]
            for origin in fresh if need > 0 else []:
                linked.add((commodity, origin, user))
                cap = float(row["value"]) * need / len(fresh)
                info = commodity_info[commodity]
                yield arc(
                    commodity, info, origin, user, estimate=0.0, sigma=0.0, kind=row["kind"],
                    fact_ids=[int(row["fact_id"])], capacity=cap, form="new",
                )  # fmt: skip


def _assemble(
    facts: FactTable, instances: list[Instance], commodity_info: Mapping[str, Mapping[str, str]]
) -> Draft:
    keys = sorted({node for instance in instances for node in instance.column})
    unknown = sorted({c for c, _ in keys} - set(commodity_info))
    if unknown:
        raise FactsError("network.unknown_commodity", commodity=unknown[0])
    index = {key: i for i, key in enumerate(keys)}
    nodes = pl.DataFrame(
        {
            "node": range(len(keys)),
            "commodity": [c for c, _ in keys],
            "place": [p for _, p in keys],
            "chain": [commodity_info[c]["chain"] for c, _ in keys],
            "stage": [commodity_info[c]["stage"] for c, _ in keys],
        }
    )
    rows, columns, values = [], [], []
    for j, instance in enumerate(instances):
        for key, value in instance.column.items():
            rows.append(index[key])
            columns.append(j)
            values.append(value)
    flow = csc_array((values, (rows, columns)), shape=(len(keys), len(instances)))
    activities = pl.DataFrame(
        {
            "activity": range(len(instances)),
            **{
                field: [getattr(i, field) for i in instances]
                for field in ("name", "key", "type", "form", "chain", "stage", "place", "partner")
            },
            "commodity": [i.commodity for i in instances],
            "use": [i.use for i in instances],
            "estimate": [i.estimate for i in instances],
            "sigma": [i.sigma for i in instances],
            "kind": [i.kind for i in instances],
            "capacity": [i.capacity for i in instances],
            "fact_ids": [i.fact_ids for i in instances],
        },
        schema_overrides={
            "partner": pl.String,
            "use": pl.String,
            "estimate": pl.Float64,
            "sigma": pl.Float64,
            "capacity": pl.Float64,
            "fact_ids": pl.List(pl.Int64),
        },
    )
    return Draft(nodes, activities, flow, _measurements(facts, activities))


def _names(cell: str | None) -> list[str]:
    return [part.strip() for part in (cell or "").split(";") if part.strip()]


def _measurements(facts: FactTable, activities: pl.DataFrame) -> Measurements:
    """Measurement rows: totals over activities, trade and use (a blank subject means all)."""
    kinds = {
        "total_output": pl.col("type").is_in(MAKERS),
        "total_exports": pl.col("type") == "trade",
        "total_imports": pl.col("type") == "trade",
        "total_use": (pl.col("type") == "use") & (pl.col("form") != "unsold"),
    }
    row_index: list[int] = []
    column_index: list[int] = []
    target: list[float] = []
    sigma: list[float] = []
    fact_ids: list[int] = []
    labels: list[str] = []
    for variable, condition in kinds.items():
        for fact in _usable(facts.select(variable)).iter_rows(named=True):
            chosen = condition
            if names := _names(fact["activity"]):
                chosen = chosen & pl.col("key").is_in(names)
            if names := _names(fact["commodity"]):
                chosen = chosen & pl.col("commodity").is_in(names)
            place, partner = _names(fact["place"]), _names(fact["partner"])
            own, other = ("partner", "place") if variable == "total_imports" else ("place", "partner")
            if place and place != ["WLD"]:
                chosen = chosen & pl.col(own).is_in(place)
            if partner and partner != ["WLD"]:
                chosen = chosen & pl.col(other).is_in(partner)
            members = activities.filter(chosen)["activity"].to_list()
            if not members:
                continue
            row_index += [len(target)] * len(members)
            column_index += members
            target.append(float(fact["value"]))
            sigma.append(float(fact["sigma"]))
            fact_ids.append(int(fact["fact_id"]))
            subject = fact["activity"] or fact["commodity"] or ""
            labels.append(f"{variable} {subject} {fact['place'] or 'WLD'}".strip())
    matrix = csr_array(
        (np.ones(len(row_index)), (row_index, column_index)), shape=(len(target), activities.height)
    )
    return Measurements(matrix, np.array(target), np.array(sigma), tuple(fact_ids), tuple(labels))
