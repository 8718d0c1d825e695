"""Measurements of the atlas: held-out flows are found without being looked at, and the document says why."""

from __future__ import annotations

import polars as pl
from bench.atlas import held_out
from bench.balance import document, reason

from monazite import facts


def test_held_out_flows_are_found_from_totals_alone() -> None:
    table = facts.load(["tungsten"])
    rows = held_out(table, seed=1)
    assert rows.height >= 10
    assert rows["found"].null_count() == 0
    assert not (rows["found"] == rows["stated"]).all()
    assert 0.5 <= float(rows["covered"].mean()) <= 1.0  # type: ignore[arg-type]
    assert held_out(table, seed=1).equals(rows)
    assert not held_out(table, seed=2)["name"].equals(rows["name"])


def test_a_chain_with_few_flows_holds_none_out() -> None:
    assert held_out(facts.load(["toy"]), seed=1).is_empty()


def test_the_reason_names_what_pulls() -> None:
    table = pl.DataFrame(
        {
            "type": ["trade", "mine"], "commodity": ["ore", "metal"], "kind": ["reported", "modelled"],
            "estimate": [10.0, 5.0], "sigma": [1.0, 1.0], "reconciled": [4.0, 5.0],
        }
    )  # fmt: skip
    assert "trade of ore" in reason(table, 18.0)
    assert reason(table, 1.0) == ""
    assert "1 of 2 levels" in reason(table, 0.1)


def test_the_document_holds_every_chain() -> None:
    row = {
        "chain": "ore", "chi2_per_dof": 1.0, "dof": 3, "reason": "", "held_out": 10, "covered": 0.8,
        "provenance": (1.01, 1.0),
        "outliers": [{"name": "mine@X", "estimate": 9.0, "reconciled": 4.0, "r": -4.0}],
    }  # fmt: skip
    machine = {"at": "2026-11-24T00:00", "commit": "abc", "cores": 2, "processor": "one"}
    text = document({"chains": [row], "load": {"cold": 9.0, "warm": 1.0}, "machine": machine})
    assert "**80%** lie within" in text
    assert "| ore | mine@X | 9 | 4 | -4.0 |" in text
