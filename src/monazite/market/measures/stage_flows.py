"""Flows of one element from stage to stage: what a chain Sankey shows, with loss and stock in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from monazite.market.measures.content import contents
from monazite.market.measures.flows import ElementFlows, element_flows
from monazite.market.measures.shares import activity_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from monazite.network import Network

__all__ = ["stage_flows"]

Row = tuple[str, str, str | None, str | None, float, str, str]

_SCHEMA = {
    "stage_from": pl.String,
    "place_from": pl.String,
    "stage_to": pl.String,
    "place_to": pl.String,
    "value": pl.Float64,
    "kind": pl.String,
    "role": pl.String,
}


def stage_flows(network: Network, element: str) -> pl.DataFrame:
    """Tonnes of an element from stage and place to stage and place.

    Trade is followed back to where the commodity was made, ``O = (I − T)⁻¹ M`` with T the share of each
    node's supply that came from another node of the commodity and M the share made at its own place
    (proportional mixing). What a process takes and does not give is its loss; what is unsold or put into
    stock leaves as stock.

    Parameters
    ----------
    network : Network
    element : str
        An element of the chain's ``content`` facts, such as ``NdPr``.

    Returns
    -------
    DataFrame
        ``stage_from, place_from, stage_to, place_to, value`` (t/yr of the element), ``kind, role`` (flow,
        loss, stock), ``unit, basis``: the input of ``views.sankey``.

    Raises
    ------
    UnknownName
        An element that no content fact names.

    Examples
    --------
    >>> from monazite.network import toy
    >>> flows = stage_flows(toy(), "Ty")
    >>> round(flows.filter(pl.col("stage_from") == "mine")["value"].sum(), 6)
    50.0
    """
    flows = element_flows(network, contents(network, element))
    kinds = [str(k) for k in activity_column(network, "kind", "modelled")]
    output = _main_output(flows)
    rows = [*_brought(flows, kinds), *_taken(flows, kinds, output), *_left(flows, kinds, output)]
    return _tidy(rows, _basis(network, element))


def _brought(flows: ElementFlows, kinds: list[str]) -> list[Row]:
    """What mines and old scrap bring into the chain."""
    rows: list[Row] = []
    for i, j, w in zip(flows.row, flows.col, flows.weight, strict=True):
        if flows.source[j]:
            place = flows.places[flows.place[i]]
            origin = "mine" if flows.type[j] == "mine" else "recycle"
            rows.append((origin, place, str(flows.stage[i]), place, float(w), kinds[j], "flow"))
    return rows


def _taken(flows: ElementFlows, kinds: list[str], output: dict[int, int]) -> list[Row]:
    """What processes and uses take, from the places where it was made."""
    made_at = _made_at(flows)
    rows: list[Row] = []
    for i, j, w in zip(flows.take_row, flows.take_col, flows.take_weight, strict=True):
        if flows.type[j] == "trade":
            continue
        here = flows.places[flows.place[i]]
        for k in np.flatnonzero(made_at[i] > 1e-9):
            part, origin = float(w * made_at[i, k]), flows.places[flows.place[k]]
            stage = str(flows.stage[i])
            if flows.type[j] == "use" and flows.aside[j]:
                rows.append((stage, origin, None, None, part, kinds[j], "stock"))
            elif flows.type[j] == "use":
                rows.append((stage, origin, "product", here, part, kinds[j], "flow"))
            elif int(j) in output and str(flows.stage[output[int(j)]]) != stage:
                rows.append((stage, origin, str(flows.stage[output[int(j)]]), here, part, kinds[j], "flow"))
    return rows


def _left(flows: ElementFlows, kinds: list[str], output: dict[int, int]) -> list[Row]:
    """Scrap that falls beside the product, and what a process takes and does not give."""
    given, taken = np.zeros(flows.level.size), np.zeros(flows.level.size)
    np.add.at(given, flows.col, flows.weight)
    np.add.at(taken, flows.take_col, flows.take_weight)
    rows: list[Row] = []
    for j, main in output.items():
        if flows.source[j]:
            continue
        stage, place = str(flows.stage[main]), flows.places[flows.place[main]]
        side = flows.side_scrap & (flows.col == j)
        for i, w in zip(flows.row[side], flows.weight[side], strict=True):
            rows.append(
                (stage, place, str(flows.stage[i]), flows.places[flows.place[i]], float(w), kinds[j], "flow")
            )
        lost = float(taken[j] - given[j])
        if lost > 1e-6 * max(float(taken[j]), 1e-9):
            rows.append((stage, place, None, None, lost, kinds[j], "loss"))
    return rows


def _main_output(flows: ElementFlows) -> dict[int, int]:
    """The node that each maker gives most of the element to, scrap apart."""
    best: dict[int, tuple[float, int]] = {}
    for i, j, w, side in zip(flows.row, flows.col, flows.weight, flows.side_scrap, strict=True):
        if flows.type[j] != "trade" and not side and w > best.get(int(j), (0.0, 0))[0]:
            best[int(j)] = (float(w), int(i))
    return {j: i for j, (_, i) in best.items()}


def _made_at(flows: ElementFlows) -> NDArray[np.float64]:
    """Share of each node's material that was made at each node; rows sum to 1 where anything flows."""
    trade = np.asarray(flows.type[flows.col] == "trade")
    brought = flows.steps(trade).toarray()
    own = np.zeros(flows.size)
    np.add.at(own, flows.row[~trade], flows.part[~trade])
    found = np.linalg.solve(np.eye(flows.size) - brought, np.diag(own))
    return np.asarray(np.clip(found, 0.0, None), dtype=float)


def _basis(network: Network, element: str) -> str | None:
    stated = network.facts.select("content").filter(pl.col("activity") == element)["basis"].drop_nulls()
    return str(stated.mode().sort()[0]) if stated.len() else None


def _tidy(rows: list[Row], basis: str | None) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=_SCHEMA, orient="row").filter(pl.col("value") > 0)
    keys = ["stage_from", "place_from", "stage_to", "place_to", "role"]
    return (
        frame.sort(["value", *keys], descending=[True, False, False, False, False, False])
        .group_by(keys, maintain_order=True)
        .agg(pl.col("value").sum(), pl.col("kind").first())
        .with_columns(unit=pl.lit("t/yr"), basis=pl.lit(basis))
    )
