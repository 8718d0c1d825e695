"""How much of an element a commodity carries: from facts, else through the recipes of the network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monazite.market.measures.shares import MAKERS, activity_column

if TYPE_CHECKING:
    from monazite.network import Network

__all__ = ["Contents", "contents", "elements"]

#: stages whose goods are separated: a commodity of one element carries no other
_PURE = ("refine", "metal")


@dataclass(frozen=True)
class Contents:
    """Tonnes of one element in a tonne of each commodity.

    Attributes
    ----------
    element : str
    values : mapping of str to float
        t/t, on the basis of the element's content facts; a commodity that carries none is absent or 0.
    missing : frozenset of str
        Commodities that carry the element by their recipes, with no figure and none that follows.
    derived : frozenset of str
        Commodities whose content follows from recipes and not from a fact.
    fact_ids : tuple of int
        The content facts used.
    """

    element: str
    values: Mapping[str, float]
    missing: frozenset[str]
    derived: frozenset[str]
    fact_ids: tuple[int, ...]


def elements(network: Network) -> dict[str, tuple[str, ...]]:
    """List the elements that can be traced in each chain, the leading one of most commodities first.

    An element is one that a commodity names as its own, or that a ``content`` fact gives.
    """
    count: dict[str, dict[str, int]] = defaultdict(dict)
    chain_of: dict[str, str] = {}
    for row in network.facts.commodities.iter_rows(named=True):
        chain_of[row["commodity"]] = row["chain"]
        if row["element"]:
            counts = count[row["chain"]]
            counts[row["element"]] = counts.get(row["element"], 0) + 1
    for row in network.facts.select("content").iter_rows(named=True):
        if row["value"] is not None and row["commodity"] in chain_of:
            count[chain_of[row["commodity"]]].setdefault(row["activity"], 0)
    return {
        chain: tuple(sorted(counts, key=lambda e: (-counts[e], e)))
        for chain, counts in sorted(count.items())
        if chain in network.chains
    }


def contents(network: Network, element: str) -> Contents:
    """Find the content of an element in every commodity of the network.

    A ``content`` fact stands first. A separated good that names the element as its own and has no fact
    counts as 1; one that names another, or that leaves the same plant beside it, as 0. The rest follows
    from recipes, with nothing lost: what a plant takes in equals what it gives, so that a concentrate
    carries what is *recovered* from it and a magnet what was *used up* for it. Several recipes are
    averaged by tonnes.

    Parameters
    ----------
    network : Network
    element : str
        Such as ``"NdPr"`` or ``"Ga"``.

    Returns
    -------
    Contents

    Examples
    --------
    >>> from monazite.network import toy
    >>> contents(toy(), "Ty").values["toy_ore"]
    0.5
    """
    known, facts = _stated(network, element)
    stated = set(known)
    recipes = _recipes(network)
    info = {r["commodity"]: r for r in network.facts.commodities.iter_rows(named=True)}
    for commodity, row in info.items():
        if commodity not in known and row["stage"] in _PURE and row["element"]:
            if row["element"] != element:
                known[commodity] = 0.0
            elif row["stage"] == "refine":
                known[commodity] = 1.0
    for column, _ in recipes:
        given = [c for c, v in column.items() if v > 0]
        if any(known.get(c, 0.0) > 0 and info[c]["stage"] in _PURE for c in given if c in info):
            for c in given:
                if c not in known and c in info and info[c]["stage"] in _PURE and not info[c]["element"]:
                    known[c] = 0.0
    while found := _follow(recipes, known, upstream=True) or _follow(recipes, known, upstream=False):
        known.update(found)
    missing = _carriers(recipes, known)
    derived = frozenset(c for c, v in known.items() if c not in stated and v > 0)
    return Contents(element, known, missing, derived, facts)


def _stated(network: Network, element: str) -> tuple[dict[str, float], tuple[int, ...]]:
    known: dict[str, float] = {}
    ids: list[int] = []
    for row in network.facts.select("content", activity=element).iter_rows(named=True):
        if row["value"] is not None and row["commodity"] not in known:
            known[row["commodity"]] = float(row["value"])
            ids.append(int(row["fact_id"]))
    return known, tuple(ids)


def _recipes(network: Network) -> list[tuple[dict[str, float], float]]:
    """Columns of all makers at work by commodity, with the level as weight.

    Doing with another good instead says nothing of what either contains.
    """
    types = activity_column(network, "type")
    commodity = network.nodes["commodity"].to_list()
    flow = network.flow.tocsc()
    level = network.level
    found = []
    for j, kind in enumerate(types):
        if kind not in MAKERS or kind == "substitute" or level[j] <= 0:
            continue
        start, stop = flow.indptr[j], flow.indptr[j + 1]
        column = {
            commodity[i]: float(v)
            for i, v in zip(flow.indices[start:stop], flow.data[start:stop], strict=True)
        }
        found.append((column, float(level[j])))
    return found


def _follow(
    recipes: list[tuple[dict[str, float], float]], known: Mapping[str, float], *, upstream: bool
) -> dict[str, float]:
    """Contents that follow from what is known: a plant's one unknown input (upstream) or output."""
    guess: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for column, level in recipes:
        takes = {c: -v for c, v in column.items() if v < 0}
        gives = {c: v for c, v in column.items() if v > 0}
        side, other = (takes, gives) if upstream else (gives, takes)
        unknown = [c for c in side if c not in known]
        if len(unknown) != 1 or not other or any(c not in known for c in other):
            continue
        rest = sum(v * known[c] for c, v in other.items())
        rest -= sum(v * known[c] for c, v in side.items() if c != unknown[0])
        guess[unknown[0]].append((max(rest, 0.0) / side[unknown[0]], level * side[unknown[0]]))
    found = {}
    for commodity, pairs in guess.items():
        value, weight = np.array(pairs).T
        found[commodity] = float(np.average(value, weights=weight if weight.sum() > 0 else None))
    return found


def _carriers(recipes: list[tuple[dict[str, float], float]], known: Mapping[str, float]) -> frozenset[str]:
    """Unknown commodities that must carry the element: made of a carrier, or a carrier's one origin."""
    carrier = {c for c, v in known.items() if v > 0}
    missing: set[str] = set()
    grown = True
    while grown:
        grown = False
        for column, _ in recipes:
            takes = [c for c, v in column.items() if v < 0]
            gives = [c for c, v in column.items() if v > 0]
            new: set[str] = set()
            if any(c in carrier for c in takes) and not any(c in carrier for c in gives):
                new |= {c for c in gives if c not in known}
            if any(c in carrier for c in gives) and not any(c in carrier for c in takes):
                new |= {c for c in takes if c not in known}
            if new - missing:
                missing |= new
                carrier |= new
                grown = True
    return frozenset(missing)
