"""Join: balanced chains side by side, and by-products given by their host processes.

Each chain is reconciled alone, so that its figures do not hang on what else is loaded. Where a by-product's
host chain is there too, the stand-in (gallium's own alumina refining, the zinc smelters of germanium) goes:
the host's activity at the same place gives the by-product jointly, in the ratio of the two reconciled levels,

    column of host += column of stand-in · x_stand-in / x_host,

which leaves both balances exact. From then on the by-product follows its host: a smelter that closes takes
its germanium with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, csr_array

from monazite.network.build import Draft, Measurements
from monazite.network.reconcile import Balanced, Report

Float = NDArray[np.float64]

__all__ = ["Part", "join"]


@dataclass(frozen=True)
class Part:
    """A chain built and reconciled alone."""

    chain: str
    draft: Draft
    balanced: Balanced


def join(parts: Sequence[Part], hosts: pl.DataFrame) -> tuple[Draft, Balanced]:
    """Put chains side by side and couple by-products to their hosts.

    Parameters
    ----------
    parts : sequence of Part
    hosts : DataFrame
        ``name, host_chain, host, chain``: rows whose host chain is not among the parts are ignored.

    Returns
    -------
    Draft, Balanced
        As if built at once; ``flow @ level`` is as near to 0 as that of the parts.
    """
    if len(parts) == 1:
        return parts[0].draft, parts[0].balanced
    there = {part.chain for part in parts}
    coupled = hosts.filter(pl.col("host_chain").is_in(sorted(there)))
    nodes = pl.concat([part.draft.nodes for part in parts])
    activities = pl.concat([part.draft.activities for part in parts])
    level = np.concatenate([part.balanced.level for part in parts])
    posterior = np.concatenate([part.balanced.posterior_sd for part in parts])
    price = np.concatenate([part.balanced.price for part in parts])
    kinds = [kind for part in parts for kind in part.balanced.price_kind]
    ids = [found for part in parts for found in part.balanced.price_facts]
    flow = _beside([part.draft.flow for part in parts])
    keep_node, keep, joint, gained = _couple(nodes, activities, level, flow, coupled)
    order = np.lexsort((nodes["place"].to_numpy()[keep_node], nodes["commodity"].to_numpy()[keep_node]))
    chosen = keep_node[order]
    nodes = nodes[chosen].with_columns(node=pl.int_range(chosen.size, dtype=pl.Int64))
    facts = activities["fact_ids"].to_list()
    for column, more in gained.items():
        facts[column] = list(dict.fromkeys([*facts[column], *more]))
    activities = activities.with_columns(fact_ids=pl.Series(facts, dtype=pl.List(pl.Int64)))
    activities = activities[keep].with_columns(activity=pl.int_range(keep.size, dtype=pl.Int64))
    draft = Draft(
        nodes, activities, csc_array(joint[chosen][:, keep]), _measurements(parts, keep, activities.height)
    )
    balanced = Balanced(
        level[keep], posterior[keep], price[chosen], [kinds[i] for i in chosen], [ids[i] for i in chosen],
        _report(parts, keep, chosen),
    )  # fmt: skip
    return draft, balanced


def _beside(flows: Sequence[csc_array]) -> csc_array:
    """Block-diagonal flow of all chains; nodes of one name in two chains stay two until one is dropped."""
    rows, columns, values = [], [], []
    down = right = 0
    for flow in flows:
        entries = coo_array(flow)
        rows.append(entries.row + down)
        columns.append(entries.col + right)
        values.append(entries.data)
        down, right = down + flow.shape[0], right + flow.shape[1]
    stacked = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return csc_array(stacked, shape=(down, right))


def _couple(
    nodes: pl.DataFrame, activities: pl.DataFrame, level: Float, flow: csc_array, hosts: pl.DataFrame
) -> tuple[NDArray[np.int64], NDArray[np.int64], csr_array, dict[int, list[int]]]:
    """Nodes and activities that stay, the flow with joint outputs, and the facts that hosts gain."""
    at = {
        (chain, key, place): j
        for j, (chain, key, place) in enumerate(activities.select("chain", "key", "place").iter_rows())
    }
    gone_nodes = np.zeros(nodes.height, dtype=bool)
    gone = np.zeros(activities.height, dtype=bool)
    stays = np.ones(activities.height, dtype=bool)
    work = flow.tolil()
    columns = flow.tocsc()
    gained: dict[int, list[int]] = {}
    facts = activities["fact_ids"].to_list()
    for name, chain in hosts.filter(pl.col("host").is_null()).select("name", "chain").iter_rows():
        gone_nodes |= ((nodes["commodity"] == name) & (nodes["chain"] == chain)).to_numpy()
        own = activities["chain"] == chain
        traded = (activities["commodity"] == name) & activities["type"].is_in(["trade", "use"])
        gone |= (own & (traded | (activities["key"] == name))).to_numpy()
    for name, chain, host, host_chain in (
        hosts.filter(pl.col("host").is_not_null()).select("name", "chain", "host", "host_chain").iter_rows()
    ):
        own = np.flatnonzero(((activities["chain"] == chain) & (activities["key"] == name)).to_numpy())
        for j in own:
            place = activities["place"][int(j)]
            k = at.get((host_chain, host, place))
            if k is None or level[k] <= 0.0 or level[j] <= 0.0:
                continue
            start, stop = columns.indptr[j], columns.indptr[j + 1]
            for i, v in zip(columns.indices[start:stop], columns.data[start:stop], strict=True):
                if not gone_nodes[i]:
                    work[i, k] += v * level[j] / level[k]
            gained[k] = [*gained.get(k, []), *facts[j]]
            stays[j] = False
    keep = np.flatnonzero(stays & ~gone)
    return np.flatnonzero(~gone_nodes), keep, csr_array(work.tocsr()), gained


def _measurements(parts: Sequence[Part], keep: NDArray[np.int64], width: int) -> Measurements:
    rows = [part.draft.measurements for part in parts]
    matrix = csr_array(_beside([csc_array(item.matrix) for item in rows]))[:, keep]
    assert matrix.shape[1] == width
    return Measurements(
        csr_array(matrix),
        np.concatenate([item.target for item in rows]),
        np.concatenate([item.sigma for item in rows]),
        tuple(fact for item in rows for fact in item.fact_ids),
        tuple(label for item in rows for label in item.labels),
    )


def _report(parts: Sequence[Part], keep: NDArray[np.int64], chosen: NDArray[np.int64]) -> Report:
    """One report over all chains, its rows in the order of the joined activities and nodes."""
    reports = [part.balanced.report for part in parts]

    def all_of(name: str) -> pl.DataFrame:
        frames: list[pl.DataFrame] = [getattr(report, name) for report in reports]
        return pl.concat(frames)

    return Report(
        sum(report.chi2 for report in reports),
        sum(report.dof for report in reports),
        all_of("adjustments")[keep],
        all_of("measurements"),
        all_of("prices")[chosen],
        all_of("trade_margins").sort("margin"),
        all_of("margins").sort("stated", nulls_last=True),
        all_of("chains"),
    )
