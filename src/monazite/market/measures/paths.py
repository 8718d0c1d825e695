"""The paths behind a traced share: the largest chains of places from where a trace stops to the use."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import count

import numpy as np

from monazite.market.measures.tracing import Demand, Traced

__all__ = ["Path", "largest_paths"]

#: nodes opened before the search gives up with what it has
MOST_OPENED = 40_000


@dataclass(frozen=True)
class Path:
    """One chain from where the trace stops (first) to the use (last).

    Attributes
    ----------
    steps : tuple of (place, commodity)
        The nodes passed, in the direction of the goods.
    activities : tuple of int
        The activities between them, the first being what was stopped at (a mine, a plant, an import), or none
        where the trace stopped at a node.
    tonnes : float
        t/yr of the element in the basket that came this way.
    share : float
        The same as a share of the basket.
    """

    steps: tuple[tuple[str, str], ...]
    activities: tuple[int, ...]
    tonnes: float
    share: float


@dataclass(frozen=True)
class _Visit:
    node: int
    amount: float
    via: int
    before: _Visit | None


def largest_paths(trace: Traced, basket: Demand, column: int, *, most: int = 10) -> list[Path]:
    """Find the paths that carry most of a traced share, largest first.

    Best-first search backward from the uses. What is left to find behind a node is at most its amount
    times ``h`` of the node, so that paths leave the queue in their order and none is missed; loops are
    walked as often as they matter.

    Parameters
    ----------
    trace : Traced
    basket : Demand
    column : int
        Which of the trace's questions.
    most : int
        How many paths.

    Returns
    -------
    list of Path
    """
    flows, marks, h = trace.flows, trace.marks, trace.held[:, column]
    order = np.argsort(flows.row, kind="stable")
    first = np.searchsorted(flows.row[order], np.arange(flows.size + 1))
    mix = flows.mix
    tick = count()
    heap: list[tuple[float, int, _Visit, bool]] = []

    def push(visit: _Visit, worth: float, final: bool) -> None:
        if worth > 0:
            heapq.heappush(heap, (-worth, next(tick), visit, final))

    wanted = np.bincount(basket.row, weights=basket.weight, minlength=flows.size)
    for n in np.flatnonzero(wanted):
        push(_Visit(int(n), float(wanted[n]), -1, None), float(wanted[n] * h[n]), False)
    found: list[Path] = []
    for _ in range(MOST_OPENED):
        if not heap or len(found) == most:
            break
        worth, _, visit, final = heapq.heappop(heap)
        if final:
            found.append(_path(trace, visit, -worth, basket.total))
            continue
        i = visit.node
        if marks.held[i]:
            push(visit, visit.amount * float(marks.held_value[i, column]), True)
            continue
        for e in order[first[i] : first[i + 1]]:
            j = int(flows.col[e])
            amount = visit.amount * float(flows.part[e])
            if marks.stop[e]:
                end = _Visit(-1, amount, j, visit)
                push(end, amount * float(marks.value[e, column]), True)
                continue
            amount *= float(flows.gain[j]) if marks.gain else 1.0
            for at in range(mix.indptr[j], mix.indptr[j + 1]):
                k = int(mix.indices[at])
                part = amount * float(mix.data[at])
                push(_Visit(k, part, j, visit), part * float(h[k]), False)
    return found


def _path(trace: Traced, visit: _Visit, tonnes: float, total: float) -> Path:
    steps: list[tuple[str, str]] = []
    activities: list[int] = []
    at: _Visit | None = visit
    while at is not None:
        if at.node >= 0:
            flows = trace.flows
            steps.append((flows.places[flows.place[at.node]], str(flows.commodity[at.node])))
        if at.via >= 0:
            activities.append(at.via)
        at = at.before
    return Path(tuple(steps), tuple(activities), tonnes, tonnes / total)
