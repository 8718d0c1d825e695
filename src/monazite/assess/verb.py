"""The verb: how far a place or group depends on a state, at each stage of each chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from monazite.assess.context import MEASURES, QUANTITIES, Cell, Context, Filters
from monazite.assess.dependence import subject_cells
from monazite.assess.flows import flow_cells
from monazite.assess.relief import relief_cells
from monazite.assess.result import Assessment
from monazite.assess.world import world_cells
from monazite.core import schema
from monazite.core.errors import ArgumentError, UnknownName
from monazite.core.manifest import Manifest
from monazite.core.result import finish_table
from monazite.facts.places import groups, resolve
from monazite.market.measures import elements

if TYPE_CHECKING:
    from monazite.network import Network

__all__ = ["METHOD", "assess"]

#: name and version of the method, in every manifest
METHOD = "assess/2"

#: key columns besides those of every table
FURTHER = ("activity", "partner", "stage_to", "role", "element")

#: a question about more separate chains than this lists their flows only where these are asked for
WIDE = 3

Names = str | Iterable[str] | None


def assess(
    network: Network,
    subject: str | Iterable[str],
    *,
    by: str | None = None,
    chain: Names = None,
    stage: Names = None,
    commodity: Names = None,
    element: Names = None,
    measure: Names = None,
) -> Assessment:
    """Measure how far the production of a place or group hangs on one state.

    Parameters
    ----------
    network : Network
        Balanced network of one base year.
    subject : str or iterable of str
        A place (``"IND"``, ``"India"``), a group (``"QUAD"``), or a list of both.
    by : str, optional
        The acting state; without it each row is about its leading one (never a member of the subject, never
        the rest of the world).
    chain, stage, commodity, element, measure : str or iterable of str, optional
        Keep only these. A stage or commodity asked for leaves out rows of whole stages or chains. Flows
        (``trade``, ``stage_flow``) of more than three separate chains are listed only where they are asked
        for: they are most of the rows.

    Returns
    -------
    Assessment
        Rows of the world (``place`` = ``WLD``: shares, concentration, N-1) and of the subject (direct share,
        share last made in the state at each stage, touch share, product exposure, N-1).

    Raises
    ------
    UnknownName
        A name that is not known, with the nearest right one.
    ArgumentError
        The acting state is several places, or the list is empty.

    Notes
    -----
    Proportional mixing at every (commodity, place); the other extreme, own output first, bounds the answer.
    Equations and sources are in `monazite.market.measures` and `monazite.assess.formulas`.

    Examples
    --------
    India uses 17 t of widgets, 7 of them bought in China:

    >>> from monazite.network import toy
    >>> answer = assess(toy(), "IND", by="CHN", commodity="toy_widget", measure="direct_share")
    >>> [round(v, 6) for v in answer.table["value"].to_list()]
    [0.411765]
    """
    members = resolve(subject, str(network.year))
    name = _name(subject, members)
    state = _state(by)
    filters = _filters(
        network, chain=chain, stage=stage, commodity=commodity, element=element, measure=measure
    )
    contexts = [Context(part, name, members, state, filters) for part in _asked(network, filters)]
    kinds = [world_cells, subject_cells, flow_cells, relief_cells]
    if len(contexts) > WIDE and filters.measure is None:
        kinds.remove(flow_cells)
    table, cells = _table([cell for cells in kinds for context in contexts for cell in cells(context)])
    manifest = Manifest.create(
        inputs=[network.facts.content_hash, name, list(members), state, _plain(filters)],
        method=METHOD,
        base_year=network.year,
        extra={"subject": name, "members": list(members), "by": state, "filters": _plain(filters)},
    )
    again = partial(assess, network, subject)
    return Assessment(name, members, state, table, manifest, network, cells, again)


def _asked(network: Network, filters: Filters) -> list[Network]:
    """Chains of the network that hold something asked for, each alone; all where nothing tells them apart."""
    facts = network.facts
    chains = set(filters.chain or network.chains)
    if filters.commodity is not None:
        goods = facts.commodities.filter(pl.col("commodity").is_in(sorted(filters.commodity)))
        uses = facts.activities.filter(pl.col("activity").is_in(sorted(filters.commodity)))
        chains &= {*goods["chain"].to_list(), *uses["chain"].to_list()}
    if filters.element is not None:
        held = elements(network)
        chains = {chain for chain in chains if filters.element & set(held.get(chain, ()))}
    found = [part for part in network.by_chain if chains & set(part.chains)]
    return found or list(network.by_chain)


def _name(subject: str | Iterable[str], members: tuple[str, ...]) -> str:
    if isinstance(subject, str) and subject.strip().upper() in groups():
        return subject.strip().upper()
    return "+".join(members)


def _state(by: str | None) -> str | None:
    if by is None:
        return None
    codes = resolve(by)
    if len(codes) != 1:
        raise ArgumentError("assess.one_state", given=by)
    return codes[0]


def _filters(network: Network, **given: Names) -> Filters:
    facts = network.facts
    uses = facts.activities.filter(pl.col("type") == "use")["activity"].to_list()
    known: dict[str, Iterable[str]] = {
        "measure": MEASURES,
        "chain": network.chains,
        "stage": schema.names("stages", "stage"),
        "commodity": [*facts.commodities["commodity"].to_list(), *uses],
        "element": {e for some in elements(network).values() for e in some},
    }
    chosen: dict[str, frozenset[str] | None] = {}
    for name, value in given.items():
        if value is None:
            chosen[name] = None
            continue
        names = [value] if isinstance(value, str) else list(value)
        for item in names:
            if item not in known[name]:
                raise UnknownName(name, item, known[name])
        chosen[name] = frozenset(names)
    return Filters(**chosen)


def _plain(filters: Filters) -> Mapping[str, list[str] | None]:
    return {k: None if v is None else sorted(v) for k, v in vars(filters).items()}


def _table(found: list[Cell]) -> tuple[pl.DataFrame, dict[str, Cell]]:
    text = (
        "measure",
        "chain",
        "stage",
        "commodity",
        "place",
        "by",
        "period",
        "unit",
        "basis",
        "kind",
        "status",
    )
    types: dict[str, type[pl.DataType]] = dict.fromkeys((*text, *FURTHER, "caveat"), pl.String)
    types |= dict.fromkeys(("value", "low", "high", "assumed_share"), pl.Float64)
    table = finish_table(pl.DataFrame([dict(c.row) for c in found], schema=types))
    cells = {
        cell_id: replace(cell, row={**cell.row, "cell_id": cell_id})
        for cell_id, cell in zip(table["cell_id"].to_list(), found, strict=True)
    }
    order = {measure: i for i, measure in enumerate(MEASURES)}
    world = (pl.col("place") == "WLD") | pl.col("measure").is_in(QUANTITIES)
    return table.sort(
        pl.col("measure").is_in(QUANTITIES),
        world,
        pl.col("measure").replace_strict(order, return_dtype=pl.Int64),
        maintain_order=True,
    ), cells
