"""What must hold of any network: shares add up, touch bounds the others, splitting changes nothing."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array

from monazite.market.measures import (
    bought_marks,
    contents,
    demand,
    domestic_first,
    element_flows,
    final_coverage,
    largest_paths,
    mined_marks,
    n_minus_1,
    origins,
    requirement_marks,
    shares,
    solve,
    stage_marks,
    touch_everywhere,
    touch_marks,
    world_coverage,
)

PLACES = "ABCD"
STAGE = {"ore": "concentrate", "oxide": "refine", "magnet": "component", "scrap": "recycle"}
TONNES = st.floats(0.1, 1000.0)


def balanced(mines, plants, works, links, yields):
    """A balanced network: every node's outtakes are what came in; surplus is used where it lies.

    Trade flows are given as shares of a node's supply, so that re-exports in circles occur; scrap goes back.
    """
    keys = [(c, p) for c in STAGE for p in PLACES]
    index = {key: i for i, key in enumerate(keys)}
    columns, types, rates = [], [], []

    def add(kind, column, inflow):
        columns.append({index[k]: v for k, v in column.items()})
        types.append(kind)
        rates.append(inflow)

    # rates: (node taken from, share of its supply) or a fixed level
    for p in PLACES:
        add("mine", {("ore", p): 1.0}, mines[p])
        plant, work = plants[p], works[p]
        add("process", {("ore", p): -1.0, ("oxide", p): yields[0]}, (index["ore", p], plant))
        add(
            "process",
            {("oxide", p): -1.0, ("magnet", p): yields[1], ("scrap", p): 0.2},
            (index["oxide", p], work),
        )
        add("recycle", {("scrap", p): -1.0, ("oxide", p): 0.9}, (index["scrap", p], 0.7))
    for (c, p, q), share in links.items():
        if p != q:
            add("trade", {(c, p): -1.0, (c, q): 1.0}, (index[c, p], share))
    n, m = len(keys), len(columns)
    flow = np.zeros((n, m))
    for j, column in enumerate(columns):
        for i, v in column.items():
            flow[i, j] = v
    rate = np.zeros((m, n))
    fixed = np.zeros(m)
    for j, r in enumerate(rates):
        if isinstance(r, tuple):
            rate[j, r[0]] = r[1]
        else:
            fixed[j] = r
    # no node gives away more than it has: at most 90 % of it
    out = rate.sum(axis=0)
    rate /= np.maximum(out / 0.9, 1.0)
    supply = np.linalg.solve(np.eye(n) - np.maximum(flow, 0) @ rate, np.maximum(flow, 0) @ fixed)
    level = fixed + rate @ supply
    rest = supply - rate.sum(axis=0) * supply
    flow = np.hstack([flow, -np.eye(n)])
    facts = pl.DataFrame(schema={"variable": pl.String, "commodity": pl.String, "activity": pl.String,
                                 "value": pl.Float64, "fact_id": pl.Int64})  # fmt: skip
    return SimpleNamespace(
        nodes=pl.DataFrame(
            {
                "commodity": [c for c, _ in keys],
                "place": [p for _, p in keys],
                "stage": [STAGE[c] for c, _ in keys],
                "chain": ["test"] * n,
            }
        ),
        activities=pl.DataFrame({"type": [*types, *["use"] * n], "form": [""] * (m + n)}),
        flow=csc_array(flow),
        level=np.concatenate([level, rest]),
        facts=SimpleNamespace(
            select=lambda *_, **__: facts,
            commodities=pl.DataFrame(
                {
                    "commodity": list(STAGE),
                    "chain": ["test"] * 4,
                    "stage": list(STAGE.values()),
                    "element": ["E"] * 4,
                }
            ),
        ),
        chains=("test",),
    )


@st.composite
def networks(draw):
    per_place = lambda values: {p: draw(values) for p in PLACES}  # noqa: E731
    link = st.tuples(st.sampled_from(list(STAGE)), st.sampled_from(PLACES), st.sampled_from(PLACES))
    mines = {p: draw(st.one_of(st.just(0.0), TONNES)) for p in PLACES}
    mines[draw(st.sampled_from(PLACES))] = draw(TONNES)
    return balanced(
        mines,
        per_place(st.floats(0.0, 0.8)),
        per_place(st.floats(0.0, 0.8)),
        draw(st.dictionaries(link, st.floats(0.05, 0.9), max_size=14)),
        (draw(st.floats(0.2, 0.9)), draw(st.floats(0.3, 1.2))),
    )


def baskets(flows):
    """Final uses of each place, where there are any."""
    for p, name in enumerate(flows.places):
        basket = demand(flows, flows.final & (flows.place[flows.take_row] == p) & (flows.take_weight > 1e-6))
        if basket.total > 0:
            yield p, name, basket


@settings(max_examples=60, deadline=None)
@given(networks())
def test_touch_is_at_least_direct_and_every_stage(net):
    for flows in (
        element_flows(net, contents(net, "E")),
        domestic_first(element_flows(net, contents(net, "E"))),
    ):
        touched = [solve(flows, touch_marks(flows, s)) for s in range(len(flows.places))]
        stages = [solve(flows, stage_marks(flows, s)) for s in ("mine", "refine", "component")]
        for p, _, basket in baskets(flows):
            bought = solve(flows, bought_marks(flows, frozenset({p})))
            bound = np.array([t.mean(basket) for t in touched])
            for trace in (bought, *stages):
                assert (bound >= trace.means(basket) - 1e-9).all()
            assert (bound <= 1 + 1e-9).all()
            assert bound[p] == pytest.approx(1.0)


@settings(max_examples=40, deadline=None)
@given(networks())
def test_touch_of_all_places_at_once_is_touch_one_by_one(net):
    flows = element_flows(net, contents(net, "E"))
    together = touch_everywhere(flows)
    supplied = flows.through > 0
    for s in range(len(flows.places)):
        alone = solve(flows, touch_marks(flows, s)).held[:, 0]
        np.testing.assert_allclose(together[supplied, s], alone[supplied], atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(networks())
def test_origins_of_everything_used_add_up_to_one(net):
    flows = element_flows(net, contents(net, "E"))
    mined = solve(flows, mined_marks(flows))
    for _, _, basket in baskets(flows):
        assert mined.means(basket).sum() == pytest.approx(1.0, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(networks())
def test_what_is_needed_for_all_uses_is_what_each_stage_makes(net):
    flows = element_flows(net, contents(net, "E"))
    everything = demand(flows, flows.final)
    for stage in ("mine", "refine", "component"):
        need = solve(flows, requirement_marks(flows, stage))
        made = final_coverage(flows, stage).made()
        # scrap put to no use carries no need; all else does
        assert need.total(everything) == pytest.approx(made.sum(), rel=1e-7, abs=1e-6)
        for s in range(len(flows.places)):
            assert need.total(everything, 1 + s) == pytest.approx(made[s], rel=1e-7, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(networks())
def test_paths_never_exceed_the_share_and_come_largest_first(net):
    flows = element_flows(net, contents(net, "E"))
    mined = solve(flows, mined_marks(flows))
    for _, _, basket in baskets(flows):
        for s in range(len(flows.places)):
            found = [p.share for p in largest_paths(mined, basket, s, most=5)]
            assert sum(found) <= mined.mean(basket, s) + 1e-9
            assert all(a >= b - 1e-12 for a, b in pairwise(found))


@settings(max_examples=40, deadline=None)
@given(networks(), st.integers(0, 3))
def test_n_minus_1_of_the_only_maker_is_zero(net, place):
    flows = element_flows(net, None)
    sd = np.zeros_like(flows.level)
    for commodity in ("ore", "oxide", "magnet"):
        made = np.bincount(
            flows.place[flows.row],
            weights=flows.weight * (flows.made & (flows.commodity[flows.row] == commodity)),
            minlength=4,
        )
        got = world_coverage(flows, commodity, place, sd, form="demand")
        if made.sum() > 0 and made[place] == made.sum() and got.defined:
            assert got.value == pytest.approx(0.0)


@given(
    st.lists(st.lists(st.floats(0, 50), min_size=5, max_size=5), min_size=5, max_size=5),
    st.lists(st.floats(0.1, 100), min_size=5, max_size=5),
)
def test_rows_of_origins_sum_to_one(flow, own):
    o = origins(np.array(flow) * (1 - np.eye(5)), np.array(own))
    np.testing.assert_allclose(o.sum(axis=1), 1.0, atol=1e-9)
    assert (o >= -1e-12).all()


@given(
    st.lists(st.lists(st.floats(0, 50), min_size=4, max_size=4), min_size=4, max_size=4),
    st.lists(st.floats(0.1, 100), min_size=4, max_size=4),
    st.floats(0.05, 0.95),
)
def test_splitting_a_place_in_two_of_the_same_mix_changes_nothing(flow, own, part):
    f = np.array(flow) * (1 - np.eye(4))
    p = np.array(own)
    before = origins(f, p)
    # place 3 becomes 3 and 4: both buy, make and sell in the same proportions
    g = np.zeros((5, 5))
    g[:4, :4] = f
    g[:3, 3], g[:3, 4] = f[:3, 3] * part, f[:3, 3] * (1 - part)
    g[3, :3], g[4, :3] = f[3, :3] * part, f[3, :3] * (1 - part)
    q = np.array([*p[:3], p[3] * part, p[3] * (1 - part)])
    after = origins(g, q)
    np.testing.assert_allclose(after[:3, :3], before[:3, :3], atol=1e-9)
    np.testing.assert_allclose(after[:3, 3] + after[:3, 4], before[:3, 3], atol=1e-9)
    np.testing.assert_allclose(after[4, :3], before[3, :3], atol=1e-9)


@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=30), st.floats(1e-6, 1e6))
def test_shares_know_no_unit(quantity, factor):
    np.testing.assert_allclose(shares(np.array(quantity) * factor), shares(quantity), rtol=1e-9)
    assert shares(quantity).sum() == pytest.approx(1.0)


@given(st.floats(0.1, 1e6), st.floats(0, 1), st.floats(0, 0.99))
def test_the_form_without_the_states_own_use_is_never_the_lower(supply, lost, used):
    iea = n_minus_1(supply, supply, lost * supply, used * supply)
    plain = n_minus_1(supply, supply, lost * supply, form="demand")
    assert iea is not None
    assert plain is not None
    assert iea >= plain - 1e-12
