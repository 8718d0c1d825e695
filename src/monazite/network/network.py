"""The network: what the facts mean, balanced and calibrated, with its provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array
from scipy.sparse.csgraph import connected_components

from monazite.core.text import say
from monazite.facts import FactTable
from monazite.network.behaviour import Behaviour, Parameters
from monazite.network.build import Draft
from monazite.network.calibrate import GATE_SLOPE, calibrate
from monazite.network.curves import Columns
from monazite.network.join import join
from monazite.network.part import balanced_chain
from monazite.network.reconcile import Balanced, Report

Float = NDArray[np.float64]

#: an assumed flow that the balances narrow by this share of its σ counts as modelled, others stay assumed
MODELLED_GAIN = 0.2
#: slope of free disposal, as a share of the base price at base throughput
DISPOSAL_SLOPE = 0.01


@dataclass(frozen=True, repr=False, eq=False)
class Network:
    """A supply network of one base year: nodes, activities, flows, prices, cost lines, facts.

    Attributes
    ----------
    nodes : DataFrame
        ``node, commodity, place, chain, stage, price, price_kind``; price in USD/kg.
    activities : DataFrame
        ``activity, name, key, type, form, chain, stage, place, partner, commodity, use, level, estimate,
        sigma, posterior_sd, gained, kind, capacity, fact_ids``; level in t/yr of the reference commodity.
    flow : csc_array, shape (nodes, activities)
        Tonnes given (+) and taken (-) at each node for each tonne of level; ``flow @ level`` is 0.
    columns : Columns
        Cost lines, one row a piece.
    report : Report
        What the reconciliation moved.
    facts : FactTable
    year : int
    chains : tuple of str
    alone : mapping of str to Network
        Chains that hang together with others here, each as if loaded alone (see `by_chain`).

    Examples
    --------
    >>> from monazite.network import toy
    >>> net = toy()
    >>> float(abs(net.flow @ net.level).max()) < 1e-9
    True
    """

    nodes: pl.DataFrame
    activities: pl.DataFrame
    flow: csc_array
    columns: Columns
    report: Report
    facts: FactTable
    year: int
    chains: tuple[str, ...]
    parameters: Parameters = field(compare=False)
    alone: Mapping[str, Network] = field(default_factory=dict, compare=False)

    @property
    def level(self) -> Float:
        """Reconciled level of each activity, t/yr."""
        return np.asarray(self.activities["level"].to_numpy(), dtype=float)

    @property
    def price(self) -> Float:
        """Base price of each node, USD/kg."""
        return np.asarray(self.nodes["price"].to_numpy(), dtype=float)

    @cached_property
    def throughput(self) -> Float:
        """Tonnes a year that flow into each node (at least a millionth, so that it can divide)."""
        gives = self.flow.copy()
        gives.data = np.maximum(gives.data, 0.0)
        inflow: Float = np.maximum(gives @ self.level, 1e-6)
        return inflow

    @cached_property
    def gates(self) -> pl.DataFrame:
        """A gate for each (commodity, place) that exports: ``gate, node, commodity, place, base`` (t/yr)."""
        return (
            self.activities.filter((pl.col("type") == "trade") & (pl.col("level") > 0))
            .group_by("commodity", "place", maintain_order=True)
            .agg(base=pl.col("level").sum())
            .join(self.nodes.select("node", "commodity", "place"), on=["commodity", "place"], how="left")
            .sort("commodity", "place")
            .with_row_index("gate")
        )

    @cached_property
    def behaviour(self) -> Behaviour:
        """What the cost lines rest on, with ranges."""
        return Behaviour.of(self.nodes, self.activities, self.flow, self.level, self.price, self.parameters)

    @cached_property
    def parts(self) -> tuple[Network, ...]:
        """The network by chains that hang together, each a network of its own (itself, where all do).

        What is asked of one chain need not be worked out on all; the answer is the same.
        """
        chain_of = self.nodes["chain"].to_numpy()
        names = list(self.chains)
        number = {name: i for i, name in enumerate(names)}
        entries = coo_array(self.flow)
        own = np.array([number[c] for c in self.activities["chain"]])
        there = np.array([number[c] for c in chain_of])
        links = coo_array(
            (np.ones(entries.nnz), (there[entries.row], own[entries.col])), shape=(len(names), len(names))
        )
        count, label = connected_components(links, directed=False)
        if count == 1:
            return (self,)
        groups = [[name for i, name in enumerate(names) if label[i] == k] for k in range(count)]
        return tuple(self._only(group) for group in groups)

    @cached_property
    def by_chain(self) -> tuple[Network, ...]:
        """One network a chain, each as if it were loaded alone: what is said of a chain hangs on no other.

        Where a by-product follows its host here, its own stand-in for the host is back.
        """
        if len(self.chains) == 1:
            return (self,)
        single = {part.chains[0]: part for part in self.parts if len(part.chains) == 1}
        return tuple(self.alone[chain] if chain in self.alone else single[chain] for chain in self.chains)

    def _only(self, chains: Sequence[str]) -> Network:
        nodes = np.flatnonzero(self.nodes["chain"].is_in(chains).to_numpy())
        columns = np.flatnonzero(self.activities["chain"].is_in(chains).to_numpy())
        report = self.report
        return replace(
            self,
            nodes=self.nodes[nodes].with_columns(node=pl.int_range(nodes.size, dtype=pl.Int64)),
            activities=self.activities[columns].with_columns(
                activity=pl.int_range(columns.size, dtype=pl.Int64)
            ),
            flow=csc_array(self.flow[:, columns][nodes]),
            columns=self.columns.only(columns),
            report=replace(
                report,
                adjustments=report.adjustments[columns],
                prices=report.prices[nodes],
                chains=report.chains.filter(pl.col("chain").is_in(chains)),
            ),
            facts=self.facts.only(chains),
            chains=tuple(chains),
        )

    def node_of(self, commodity: str, place: str) -> int | None:
        """Index of the node (commodity, place), or None where nothing of the kind exists."""
        return self._node_index.get((commodity, place))

    @cached_property
    def _node_index(self) -> dict[tuple[str, str], int]:
        return {(c, p): i for i, c, p in self.nodes.select("node", "commodity", "place").iter_rows()}

    def __repr__(self) -> str:
        """Readable summary: chains, year, size, what the figures are, and the market's problem in symbols."""
        live = self.activities.filter(pl.col("level") > 0)
        counts = dict(live.group_by("type").len().sort("type").iter_rows())
        kinds = dict(live.group_by("kind").len().iter_rows())
        order = ("reported", "estimated", "derived", "assumed", "modelled")
        return say(
            "network.repr",
            chains=", ".join(self.chains),
            year=self.year,
            nodes=self.nodes.height,
            places=self.nodes["place"].n_unique(),
            commodities=self.nodes["commodity"].n_unique(),
            activities=live.height,
            types=", ".join(f"{n} {t}" for t, n in counts.items()),
            kinds=", ".join(f"{kinds[k]} {k}" for k in order if k in kinds),
            columns=self.columns.activity.size,
            chi2=f"{self.report.chi2_per_dof:.2f}",
            dof=self.report.dof,
        )


def from_facts(facts: FactTable, year: int, chains: Sequence[str], *, cache: bool = False) -> Network:
    """Build and reconcile each chain, join them, and calibrate the whole.

    Parameters
    ----------
    facts : FactTable
    year : int
    chains : sequence of str
    cache : bool
        Keep each chain's balanced flows in the cache folder, by content.
    """
    parts = [balanced_chain(facts.part(chain), cache=cache) for chain in facts.chains]
    draft, balanced = join(parts, facts.hosts)
    columns = calibrate(draft, balanced, facts)
    whole = _network(draft, balanced, columns, facts, year, chains)
    together = {chain for part in whole.parts if len(part.chains) > 1 for chain in part.chains}
    alone = {}
    for part in parts:
        if part.chain in together:
            own = facts.part(part.chain)
            lines = calibrate(part.draft, part.balanced, own)
            alone[part.chain] = _network(part.draft, part.balanced, lines, own, year, [part.chain])
    return replace(whole, alone=alone)


def _network(
    draft: Draft, balanced: Balanced, columns: Columns, facts: FactTable, year: int, chains: Sequence[str]
) -> Network:
    nodes = draft.nodes.with_columns(
        price=pl.Series(balanced.price), price_kind=pl.Series(balanced.price_kind)
    )
    gained = balanced.report.adjustments["gained"]
    activities = draft.activities.with_columns(
        level=pl.Series(balanced.level),
        posterior_sd=pl.Series(balanced.posterior_sd),
        gained=gained,
        kind=pl.when((pl.col("kind") == "assumed") & (gained >= MODELLED_GAIN))
        .then(pl.lit("modelled"))
        .otherwise(pl.col("kind")),
    )
    return Network(
        nodes, activities, draft.flow, columns, balanced.report, facts, year, tuple(chains), Parameters(facts)
    )


def static_arrays(network: Network) -> dict[str, object]:
    """Annual market problem of a network: gates and free disposal added (see ``market.Problem``).

    Rows are the network's nodes, then its gates; columns are the pieces, then gates, then disposal.
    """
    n, gates, pieces = network.nodes.height, network.gates, network.columns
    g = gates.height
    flow = csc_array(network.flow)
    gate_of = {(c, p): n + i for i, c, p in gates.select("gate", "commodity", "place").iter_rows()}
    rows, cols, values = [], [], []
    table = network.activities
    types, commodity, place = table["type"].to_list(), table["commodity"].to_list(), table["place"].to_list()
    for k, j in enumerate(pieces.activity):
        start, stop = flow.indptr[j], flow.indptr[j + 1]
        for i, v in zip(flow.indices[start:stop], flow.data[start:stop], strict=True):
            row = int(i)
            if types[j] == "trade" and v < 0:
                row = gate_of.get((commodity[j], place[j]), row)
            rows.append(row)
            cols.append(k)
            values.append(float(v))
    k = pieces.activity.size
    source = gates["node"].to_numpy()
    base_gate = gates["base"].to_numpy()
    price = np.concatenate([network.price, network.price[source]])
    for i in range(g):
        rows += [int(source[i]), n + i]
        cols += [k + i, k + i]
        values += [-1.0, 1.0]
    for i in range(n):
        rows.append(i)
        cols.append(k + g + i)
        values.append(-1.0)
    gate_slope = GATE_SLOPE * network.price[source] / base_gate
    throughput = np.concatenate([network.throughput, base_gate])
    return {
        "A": csc_array((values, (rows, cols)), shape=(n + g, k + g + n)),
        "b": np.zeros(n + g),
        "c": np.concatenate([pieces.cost, -gate_slope * base_gate, np.zeros(n)]),
        "a": np.concatenate([pieces.slope, gate_slope, DISPOSAL_SLOPE * network.price / network.throughput]),
        "lower": np.zeros(k + g + n),
        "upper": np.concatenate([pieces.upper, np.full(g, np.inf), np.full(n, np.inf)]),
        "y0": price,
        "throughput": throughput,
        "x0": np.concatenate([pieces.base, base_gate, np.zeros(n)]),
    }
