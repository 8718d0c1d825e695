"""Tracing, N-1 and shares on worlds small enough to compute by hand."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csc_array

from monazite.market.measures import (
    bought_marks,
    contents,
    demand,
    domestic_first,
    element_flows,
    elements,
    final_coverage,
    group_coverage,
    largest_paths,
    leading_kind,
    mined_marks,
    n_minus_1,
    origins,
    outputs,
    ratio,
    shares,
    solve,
    stage_marks,
    touch_marks,
    world_coverage,
)

STAGE = {"ore": "concentrate", "oxide": "refine", "metal": "metal", "magnet": "component", "scrap": "recycle"}
FACTS = ["variable", "commodity", "activity", "value", "fact_id"]


def fake(activities, *, content=None, stage=STAGE, element=None):
    """A network from rows (type, place, level, {(commodity, place): coefficient})."""
    keys = sorted({key for *_, column in activities for key in column})
    index = {key: i for i, key in enumerate(keys)}
    flow = np.zeros((len(keys), len(activities)))
    for j, (*_, column) in enumerate(activities):
        for key, value in column.items():
            flow[index[key], j] = value
    names = sorted({c for c, _ in keys})
    facts = pl.DataFrame(
        [("content", c, "E", v, k) for k, (c, v) in enumerate((content or {}).items())],
        schema=FACTS,
        orient="row",
    )

    def select(variable, **subject):
        found = facts.filter(pl.col("variable") == variable)
        for name, value in subject.items():
            found = found.filter(pl.col(name) == value)
        return found

    return SimpleNamespace(
        nodes=pl.DataFrame(
            {
                "commodity": [c for c, _ in keys],
                "place": [p for _, p in keys],
                "stage": [stage[c] for c, _ in keys],
                "chain": ["test"] * len(keys),
            }
        ),
        activities=pl.DataFrame(
            {
                "type": [a[0] for a in activities],
                "place": [a[1] for a in activities],
                "form": ["unsold" if a[0] == "unsold" else "" for a in activities],
            }
        ).with_columns(pl.col("type").replace("unsold", "use")),
        flow=csc_array(flow),
        level=np.array([float(a[2]) for a in activities]),
        facts=SimpleNamespace(
            select=select,
            commodities=pl.DataFrame(
                {
                    "commodity": names,
                    "chain": ["test"] * len(names),
                    "stage": [stage[c] for c in names],
                    "element": [(element or {}).get(c, "E") for c in names],
                }
            ),
        ),
        chains=("test",),
    )


def trade(commodity, origin, to, tonnes):
    return ("trade", origin, tonnes, {(commodity, origin): -1.0, (commodity, to): 1.0})


def make(kind, place, tonnes, **recipe):
    return (kind, place, tonnes, {(c, place): v for c, v in recipe.items()})


FOUR = [
    *(make("mine", p, t, ore=1.0) for p, t in zip("ABC", (100, 2, 1), strict=True)),
    trade("ore", "A", "B", 90),
    trade("ore", "A", "C", 5),
    trade("ore", "B", "C", 40),
    trade("ore", "B", "D", 30),
    trade("ore", "C", "D", 10),
    *(make("use", p, t, ore=-1.0) for p, t in zip("ABCD", (5, 22, 36, 40), strict=True)),
]

#: B mines; A separates, makes magnets and sells them to D and B; C separates for itself; all scrap goes back
LOOP = [
    make("mine", "B", 100, ore=1.0),
    make("mine", "C", 20, ore=1.0),
    trade("ore", "B", "A", 100),
    make("process", "A", 100, ore=-1.0, oxide=0.5),
    make("process", "C", 20, ore=-1.0, oxide=0.5),
    make("recycle", "A", 10, scrap=-1.0, oxide=1.0),
    make("process", "A", 60, oxide=-1.0, magnet=1.0, scrap=1 / 6),
    make("process", "C", 10, oxide=-1.0, magnet=1.0),
    trade("magnet", "A", "D", 30),
    trade("magnet", "C", "D", 10),
    make("use", "A", 30, magnet=-1.0),
    make("use", "D", 40, magnet=-1.0),
]


def uses(flows, place):
    return demand(flows, flows.final & (flows.place[flows.take_row] == flows.code(place)))


def four_by_hand():
    """Supply of B is 90 of 92 from A; C has 5 + 40·(90/92) of 46; D 30·b + 10·c of 40."""
    b = 90 / 92
    c = (5 + 40 * b) / 46
    return (30 * b + 10 * c) / 40


def test_a_place_that_buys_nothing_from_a_state_may_depend_on_it_for_97_percent():
    flow = np.zeros((4, 4))
    flow[0, 1], flow[0, 2], flow[1, 2], flow[1, 3], flow[2, 3] = 90, 5, 40, 30, 10
    o = origins(flow, np.array([100.0, 2.0, 1.0, 0.0]))
    assert o[3, 0] == pytest.approx(four_by_hand(), abs=1e-12)
    assert round(100 * o[3, 0], 2) == 97.35
    np.testing.assert_allclose(o.sum(axis=1), 1.0, atol=1e-12)


def test_the_network_form_gives_the_same_and_direct_is_zero():
    flows = element_flows(fake(FOUR), None)
    basket = uses(flows, "D")
    mined = solve(flows, mined_marks(flows))
    assert mined.means(basket)[flows.code("A")] == pytest.approx(four_by_hand(), abs=1e-12)
    assert mined.means(basket).sum() == pytest.approx(1.0, abs=1e-12)
    bought = solve(flows, bought_marks(flows, frozenset({flows.code("D")})))
    assert bought.means(basket).tolist() == pytest.approx([0.0, 0.75, 0.25, 0.0], abs=1e-12)


def test_own_production_counts_as_own():
    flows = element_flows(fake(FOUR), None)
    bought = solve(flows, bought_marks(flows, frozenset({flows.code("C")})))
    assert bought.means(uses(flows, "C")).tolist() == pytest.approx([5 / 46, 40 / 46, 0, 0], abs=1e-12)


def test_what_members_of_a_group_sell_each_other_keeps_where_it_came_from():
    flows = element_flows(fake(FOUR), None)
    group = frozenset({flows.code("C"), flows.code("D")})
    bought = solve(flows, bought_marks(flows, group))
    c_from_a, c_from_b = 5 / 46, 40 / 46
    by_hand = [(36 * c_from_a + 10 * c_from_a) / 76, (36 * c_from_b + 30 + 10 * c_from_b) / 76, 0, 0]
    both = demand(flows, flows.final & np.isin(flows.place[flows.take_row], sorted(group)))
    assert bought.means(both).tolist() == pytest.approx(by_hand, abs=1e-12)


def test_scrap_passes_its_origin_through_the_loop():
    net = fake(LOOP)
    flows = element_flows(net, contents(net, "E"))
    mined = solve(flows, mined_marks(flows)).means(uses(flows, "D"))
    assert mined[flows.code("B")] == pytest.approx(0.75, abs=1e-12)
    assert mined[flows.code("C")] == pytest.approx(0.25, abs=1e-12)


def test_each_stage_has_its_own_share():
    net = fake(LOOP)
    flows = element_flows(net, contents(net, "E"))
    a, d = flows.code("A"), uses(flows, "D")
    got = {s: solve(flows, stage_marks(flows, s)).means(d)[a] for s in ("mine", "refine", "component")}
    assert got == pytest.approx({"mine": 0.0, "refine": 0.75, "component": 0.75}, abs=1e-12)
    assert solve(flows, stage_marks(flows, "metal")).means(d).sum() == 0.0


def test_touch_counts_any_stage_once():
    net = fake(LOOP)
    flows = element_flows(net, contents(net, "E"))
    got = {p: solve(flows, touch_marks(flows, flows.code(p))).mean(uses(flows, "D")) for p in "ABCD"}
    assert got == pytest.approx({"A": 0.75, "B": 0.75, "C": 0.25, "D": 1.0}, abs=1e-12)


def test_old_scrap_was_mined_nowhere_that_is_known():
    net = fake(
        [
            make("recycle", "A", 5, oxide=1.0),
            make("mine", "A", 5, oxide=1.0),
            make("use", "A", 10, oxide=-1.0),
        ]
    )
    flows = element_flows(net, contents(net, "E"))
    assert solve(flows, mined_marks(flows)).means(uses(flows, "A")).tolist() == [0.5]


def test_a_closed_loop_without_a_mine_is_named_and_counts_nothing():
    net = fake([trade("ore", "A", "B", 5), trade("ore", "B", "A", 5)])
    flows = element_flows(net, None)
    traced = solve(flows, mined_marks(flows))
    assert traced.unsourced.all()
    assert not traced.held.any()


def test_contents_follow_through_recipes_up_and_down():
    net = fake(LOOP)
    found = contents(net, "E")
    # oxide 1 by definition; ore .5 recovered; scrap 1 by recycling; a magnet what is left: 1 − 1/6, or 1 at C
    assert found.values["oxide"] == 1.0
    assert found.values["ore"] == pytest.approx(0.5)
    assert found.values["scrap"] == pytest.approx(1.0)
    assert found.values["magnet"] == pytest.approx((60 * 5 / 6 + 10) / 70)
    assert not found.missing


def test_a_content_that_nothing_gives_is_missing_not_zero():
    net = fake(
        [
            make("mine", "A", 1, ore=1.0),
            make("process", "A", 1, ore=-1.0, metal=0.5, scrap=0.5),
            make("use", "A", 0.5, metal=-1.0),
        ],
        content={"ore": 0.7},
    )
    found = contents(net, "E")
    assert found.missing == {"metal", "scrap"}
    flows = element_flows(net, found)
    metal = [i for i, c in enumerate(flows.commodity) if c == "metal"]
    assert flows.unknown[metal].all()


def test_a_separated_good_of_another_element_carries_none():
    net = fake(
        [make("mine", "A", 1, ore=1.0), make("process", "A", 1, ore=-1.0, oxide=0.4, metal=0.1)],
        element={"oxide": "E", "metal": "X"},
    )
    assert contents(net, "E").values["metal"] == 0.0
    assert elements(net) == {"test": ("E", "X")}


def test_domestic_first_serves_the_place_with_its_own_ore():
    net = fake(
        [
            make("mine", "A", 60, ore=1.0),
            make("mine", "B", 40, ore=1.0),
            trade("ore", "B", "A", 40),
            trade("ore", "A", "D", 50),
            make("use", "A", 50, ore=-1.0),
            make("use", "D", 50, ore=-1.0),
        ]
    )
    flows = element_flows(net, None)
    split = domestic_first(flows)
    a = flows.code("A")
    assert solve(flows, mined_marks(flows)).means(uses(flows, "D"))[a] == pytest.approx(0.6)
    assert solve(split, mined_marks(split)).means(uses(split, "A"))[a] == pytest.approx(1.0)
    assert solve(split, mined_marks(split)).means(uses(split, "D"))[a] == pytest.approx(0.2)


def test_gradients_equal_finite_differences():
    net = fake(LOOP)
    content = contents(net, "E")
    flows = element_flows(net, content)
    a = flows.code("A")
    cases = [
        (lambda f: stage_marks(f, "refine"), a),
        (lambda f: touch_marks(f, a), 0),
        (lambda f: bought_marks(f, frozenset({f.code("D")})), a),
    ]
    for marks, column in cases:
        got = solve(flows, marks(flows)).estimate(uses(flows, "D"), np.ones_like(net.level), column).gradient
        for j in range(net.level.size):
            values = []
            for step in (1e-4, -1e-4):
                moved = SimpleNamespace(**vars(net))
                moved.level = net.level.copy()
                moved.level[j] += step
                f = element_flows(moved, content)
                values.append(solve(f, marks(f)).mean(uses(f, "D"), column))
            assert got[j] == pytest.approx((values[0] - values[1]) / 2e-4, abs=1e-8)


def test_the_largest_paths_are_the_whole_share_in_order():
    flows = element_flows(fake(FOUR), None)
    traced = solve(flows, mined_marks(flows))
    found = largest_paths(traced, uses(flows, "D"), flows.code("A"))
    assert [p.steps for p in found] == [
        (("A", "ore"), ("B", "ore"), ("D", "ore")),
        (("A", "ore"), ("B", "ore"), ("C", "ore"), ("D", "ore")),
        (("A", "ore"), ("C", "ore"), ("D", "ore")),
    ]
    assert sum(p.share for p in found) == pytest.approx(four_by_hand(), abs=1e-12)
    assert found[0].tonnes == pytest.approx(30 * 90 / 92)
    assert found[0].activities == (0, 3, 6)


def test_paths_through_a_loop_come_near_the_share_from_below():
    net = fake(LOOP)
    flows = element_flows(net, contents(net, "E"))
    traced = solve(flows, mined_marks(flows))
    found = largest_paths(traced, uses(flows, "D"), flows.code("B"), most=30)
    shares_found = [p.share for p in found]
    assert shares_found == sorted(shares_found, reverse=True)
    assert 0.74999 < sum(shares_found) <= 0.75 + 1e-12


def test_n_minus_1_of_the_only_supplier_is_zero_and_of_nothing_undefined():
    assert n_minus_1(7, 7, 7, 2) == 0
    assert n_minus_1(7, 7, 7, form="demand") == 0
    assert n_minus_1(0, 0, 0) is None
    assert n_minus_1(7, 7, 0, 7) is None


def test_world_coverage_has_three_denominators():
    net = fake(LOOP)
    flat, flows = element_flows(net, None), element_flows(net, contents(net, "E"))
    a, sd = flows.code("A"), np.zeros_like(net.level)
    # oxide: A makes 60 of 70 and uses 60 of 70; only C is left
    assert world_coverage(flat, "oxide", a, sd, form="iea").value == pytest.approx(1.0)
    assert world_coverage(flat, "oxide", a, sd, form="demand").value == pytest.approx(10 / 70)
    # D's 40 t of magnets need 30 of A's oxide (60 for 60 magnets) and 10 of C's
    assert final_coverage(flows, "refine").world(a, sd).value == pytest.approx(10 / 40)
    assert final_coverage(flows, "component").world(a, sd).value == pytest.approx(10 / 40)


def test_needs_of_all_end_uses_add_up_to_the_output_of_each_stage():
    net = fake(LOOP)
    flows = element_flows(net, contents(net, "E"))
    for stage in ("mine", "refine", "component"):
        final = final_coverage(flows, stage)
        assert final.need.total(final.basket()) == pytest.approx(final.made().sum())


def test_group_coverage_is_what_does_not_come_from_the_state():
    flows = element_flows(fake(FOUR), None)
    d, sd = frozenset({flows.code("D")}), np.zeros(flows.level.size)
    bought = solve(flows, bought_marks(flows, d))
    assert group_coverage(bought, uses(flows, "D"), flows.code("B"), sd, form="iea").value == pytest.approx(
        0.25
    )


def test_a_group_is_covered_by_what_is_made_elsewhere_today():
    net = fake(LOOP)
    flows = element_flows(net, contents(net, "E"))
    final = final_coverage(flows, "refine")
    d, a, sd = frozenset({flows.code("D")}), flows.code("A"), np.zeros(flows.level.size)
    assert final.group(d, a, sd).value == pytest.approx(1 - 30 / 40)
    assert final.own(d, a) == 0.0


def test_shares_and_ratio():
    assert shares([3, 1]).tolist() == [0.75, 0.25]
    assert np.isnan(shares([0, 0])).all()
    empty = ratio(np.array([1.0]), np.array([0.0]), np.array([2.0]), np.array([1.0]))
    assert not empty.defined
    assert np.isnan(empty.interval()).all()


def test_the_kind_is_the_one_behind_most_tonnage_and_the_worse_of_equals():
    assert leading_kind(["reported", "assumed"], np.array([1.0, 1.0])) == ("assumed", 0.5)
    assert leading_kind(["reported", "assumed"], np.array([2.0, 1.0]))[0] == "reported"


def test_what_a_mine_gives_is_counted_as_mined():
    table = outputs(fake(LOOP))
    assert table.filter(pl.col("stage") == "mine")["tonnes"].sum() == 120
    assert table.filter((pl.col("stage") == "refine") & (pl.col("place") == "A"))["tonnes"].sum() == 60


def test_a_plant_that_takes_none_of_an_element_gives_none():
    """A scrap of mean content does not bring dysprosium into light magnets, nor out of nothing."""
    net = fake(
        [
            make("mine", "A", 10, ore=1.0),
            make("process", "A", 10, ore=-1.0, oxide=0.9),
            make("process", "A", 9, oxide=-1.0, magnet=0.9, scrap=0.1),
            make("mine", "B", 10, metal=1.0),
            make("process", "B", 10, metal=-1.0, magnet=0.9, scrap=0.1),
            make("recycle", "B", 1, scrap=-1.0, oxide=1.0),
            make("use", "A", 8.1, magnet=-1.0),
            make("use", "B", 9, magnet=-1.0),
            make("use", "B", 1, oxide=-1.0),
        ],
        content={"metal": 0.0, "magnet": 0.5, "scrap": 1.0},
    )
    flows = element_flows(net, contents(net, "E"))
    assert uses(flows, "A").total > 0
    assert uses(flows, "B").total == 0
    assert not flows.through[flows.place == flows.code("B")].any()


def test_doing_with_another_good_says_nothing_of_what_it_contains():
    net = fake(
        [
            make("mine", "A", 10, ore=1.0),
            make("process", "A", 10, ore=-1.0, oxide=1.0),
            make("process", "A", 10, oxide=-1.0, magnet=1.0),
            ("substitute", "A", 5, {("metal", "A"): -1.0, ("magnet", "A"): 1.0}),
            make("mine", "A", 5, metal=1.0),
            make("use", "A", 15, magnet=-1.0),
        ],
        element={"metal": ""},
    )
    assert contents(net, "E").values.get("metal", 0.0) == 0.0


def test_old_scrap_meets_a_need_that_no_mine_has_to():
    net = fake(
        [
            make("mine", "A", 6, oxide=1.0),
            make("recycle", "B", 4, oxide=1.0),
            trade("oxide", "A", "B", 6),
            make("use", "B", 10, oxide=-1.0),
        ]
    )
    flows = element_flows(net, contents(net, "E"))
    final = final_coverage(flows, "mine")
    a, sd = flows.code("A"), np.zeros_like(net.level)
    assert final.world(a, sd).value == pytest.approx(0.4)
    assert final.group(frozenset({flows.code("B")}), a, sd).value == pytest.approx(0.4)
