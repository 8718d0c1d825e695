"""Flows of one element from stage to stage: what a chain Sankey shows, with loss and stock in sight."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from monazite.market.measures.content import Contents, contents
from monazite.market.measures.flows import ElementFlows, element_flows
from monazite.market.measures.shares import activity_column
from monazite.market.measures.tracing import Demand, Marks, Traced, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from monazite.network import Network

__all__ = ["StageLinks", "element_basis", "made_trace", "stage_flows", "stage_links"]

_KEYS = ("stage_from", "place_from", "stage_to", "place_to", "role")
#: a share of a node's material below this is rounding
_NO_PART = 1e-9


@dataclass(frozen=True)
class _Part:
    """What one activity adds to a link; `taken` is the outtake that is followed back through trade."""

    key: tuple[str, str, str | None, str | None, str]
    tonnes: float
    activity: int
    taken: tuple[int, float] | None = None
    origin: int = 0


@dataclass(frozen=True, eq=False)
class StageLinks:
    """The links of `stage_flows` with what each of them rests on.

    Attributes
    ----------
    frame : DataFrame
        As `stage_flows` returns, one row a link.
    gradient : ndarray, shape (links, activities)
        Derivative of each link to each level.
    trace : Traced
        Where the material of each node was made, followed back through trade.
    baskets : tuple of Demand or None
        What takes the material of a link, where trade may lie in between.
    columns : tuple of int
        The place asked of the trace.
    """

    frame: pl.DataFrame
    gradient: NDArray[np.float64]
    trace: Traced
    baskets: tuple[Demand | None, ...]
    columns: tuple[int, ...]


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
    content = contents(network, element)
    flows = element_flows(network, content)
    return _tidy(_parts(flows, made_trace(flows)), network, content)[0]


def stage_links(network: Network, flows: ElementFlows, content: Contents) -> StageLinks:
    """Do what `stage_flows` does, with the derivative of each link to the levels.

    A link is ``Σ_n w_n h_n``: what plants or uses of a place take, times the part that was made in the place
    where the link begins; ``h`` is the trace's, so its derivative is one adjoint solve (see `tracing`).

    Parameters
    ----------
    network : Network
    flows : ElementFlows
        Of the element.
    content : Contents
        Of the element.

    Examples
    --------
    >>> from monazite.network import toy
    >>> net = toy()
    >>> content = contents(net, "Ty")
    >>> links = stage_links(net, element_flows(net, content), content)
    >>> bool(np.allclose(links.gradient @ net.level, links.frame["value"].to_numpy()))
    True
    """
    trace = made_trace(flows)
    parts = _parts(flows, trace)
    frame, members = _tidy(parts, network, content)
    gradient = np.zeros((frame.height, flows.level.size))
    weight = np.zeros((flows.size, frame.height))
    columns = np.zeros(frame.height, dtype=np.int64)
    baskets: list[Demand | None] = []
    for link, of_link in enumerate(members):
        rows, cols, tonnes = [], [], []
        for part in of_link:
            gradient[link, part.activity] += part.tonnes / flows.level[part.activity]
            if part.taken is not None:
                node, taken = part.taken
                weight[node, link] += taken
                columns[link] = part.origin
                rows.append(node)
                cols.append(part.activity)
                tonnes.append(taken)
        basket = Demand(np.array(rows), np.array(cols), np.array(tonnes)) if rows else None
        baskets.append(basket)
    gradient += trace.total_gradients(weight, columns).T
    gradient[np.abs(gradient) * flows.level < _NO_PART * frame["value"].to_numpy()[:, None]] = 0.0
    return StageLinks(frame, gradient, trace, tuple(baskets), tuple(int(c) for c in columns))


def made_trace(flows: ElementFlows) -> Traced:
    """Where the material of each node was made, followed back through trade alone: column s is place s."""
    trade = np.asarray(flows.type[flows.col] == "trade")
    at_place = (flows.place[flows.row][:, None] == np.arange(len(flows.places))).astype(float)
    nothing = np.zeros((flows.size, len(flows.places)))
    return solve(flows, Marks(~trade, at_place, np.zeros(flows.size, dtype=bool), nothing))


def _parts(flows: ElementFlows, trace: Traced) -> list[_Part]:
    output = _main_output(flows)
    return [*_brought(flows), *_taken(flows, output, trace), *_left(flows, output)]


def _brought(flows: ElementFlows) -> list[_Part]:
    """What mines and old scrap bring into the chain."""
    parts: list[_Part] = []
    for i, j, w in zip(flows.row, flows.col, flows.weight, strict=True):
        if flows.source[j]:
            place = flows.places[flows.place[i]]
            origin = "mine" if flows.type[j] == "mine" else "recycle"
            parts.append(_Part((origin, place, str(flows.stage[i]), place, "flow"), float(w), int(j)))
    return parts


def _taken(flows: ElementFlows, output: dict[int, int], trace: Traced) -> list[_Part]:
    """What processes and uses take, from the places where it was made."""
    parts: list[_Part] = []
    for i, j, w in zip(flows.take_row, flows.take_col, flows.take_weight, strict=True):
        if flows.type[j] == "trade":
            continue
        here, stage = flows.places[flows.place[i]], str(flows.stage[i])
        ends: tuple[str | None, str | None, str]
        if flows.type[j] == "use" and flows.aside[j]:
            ends = (None, None, "stock")
        elif flows.type[j] == "use":
            ends = ("product", here, "flow")
        elif int(j) in output and str(flows.stage[output[int(j)]]) != stage:
            ends = (str(flows.stage[output[int(j)]]), here, "flow")
        else:
            continue
        for k in np.flatnonzero(trace.held[i] > _NO_PART):
            key = (stage, flows.places[k], *ends)
            share = float(trace.held[i, k])
            parts.append(_Part(key, float(w) * share, int(j), (int(i), float(w)), int(k)))
    return parts


def _left(flows: ElementFlows, output: dict[int, int]) -> list[_Part]:
    """Scrap that falls beside the product, and what a process takes and does not give."""
    given, taken = np.zeros(flows.level.size), np.zeros(flows.level.size)
    np.add.at(given, flows.col, flows.weight)
    np.add.at(taken, flows.take_col, flows.take_weight)
    parts: list[_Part] = []
    for j, main in output.items():
        if flows.source[j]:
            continue
        stage, place = str(flows.stage[main]), flows.places[flows.place[main]]
        side = flows.side_scrap & (flows.col == j)
        for i, w in zip(flows.row[side], flows.weight[side], strict=True):
            to = (str(flows.stage[i]), flows.places[flows.place[i]])
            parts.append(_Part((stage, place, *to, "flow"), float(w), j))
        lost = float(taken[j] - given[j])
        if lost > 1e-6 * max(float(taken[j]), 1e-9):
            parts.append(_Part((stage, place, None, None, "loss"), lost, j))
    return parts


def _main_output(flows: ElementFlows) -> dict[int, int]:
    """The node that each maker gives most of the element to, scrap apart."""
    best: dict[int, tuple[float, int]] = {}
    for i, j, w, side in zip(flows.row, flows.col, flows.weight, flows.side_scrap, strict=True):
        if flows.type[j] != "trade" and not side and w > best.get(int(j), (0.0, 0))[0]:
            best[int(j)] = (float(w), int(i))
    return {j: i for j, (_, i) in best.items()}


def element_basis(network: Network, element: str) -> str | None:
    """Basis in which an element is counted: that of its content facts."""
    stated = network.facts.select("content").filter(pl.col("activity") == element)["basis"].drop_nulls()
    return str(stated.mode().sort()[0]) if stated.len() else None


def _tidy(
    parts: list[_Part], network: Network, content: Contents
) -> tuple[pl.DataFrame, list[tuple[_Part, ...]]]:
    """Sum the parts to links, the one with the largest part first; the kind is that of the largest part."""
    kinds = [str(k) for k in activity_column(network, "kind", "modelled")]
    groups: dict[tuple[str | None, ...], list[_Part]] = defaultdict(list)
    ranked = sorted(parts, key=lambda p: (-p.tonnes, *("" if k is None else k for k in p.key)))
    for part in ranked:
        if part.tonnes > 0:
            groups[part.key].append(part)
    rows = [(*key, sum(p.tonnes for p in own), kinds[own[0].activity]) for key, own in groups.items()]
    schema = {**dict.fromkeys(_KEYS, pl.String), "value": pl.Float64, "kind": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row").select(
        *_KEYS[:4], "value", "kind", "role",
        unit=pl.lit("t/yr"), basis=pl.lit(element_basis(network, content.element), dtype=pl.String),
    )  # fmt: skip
    return frame, [tuple(own) for own in groups.values()]
