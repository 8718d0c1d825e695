"""How measurements are compared, stopped and written down."""

from __future__ import annotations

import doctest
import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
pytest.importorskip("psutil")
market = pytest.importorskip("bench.market")
ours = pytest.importorskip("bench.ours")
report = pytest.importorskip("bench.report")
rivals = pytest.importorskip("bench.rivals")


def mine(shock, seconds, objective=-100.0):
    answer = SimpleNamespace(certificate=SimpleNamespace(objective=objective))
    return ours.Mine(shock, seconds, answer)


def timed(shock, seconds, objective=-100.0, *, short=False):
    return rivals.Timed(shock, seconds, short, "", objective, None)


def test_a_ratio_is_the_median_over_the_scenarios_both_had() -> None:
    kernel = {k: mine(k, seconds) for k, seconds in enumerate((1.0, 2.0, 4.0, 100.0))}
    found = market.ratios(kernel, {"osqp": [timed(0, 3.0), timed(1, 10.0), timed(2, 16.0)]})
    assert found["ratio_osqp"] == 4.0
    assert np.isnan(found["ratio_piqp"])


def test_the_95th_percentile_compares_the_slowest_of_each() -> None:
    kernel = {k: mine(k, seconds) for k, seconds in enumerate((1.0, 1.0, 10.0))}
    found = market.ratios(kernel, {"piqp": [timed(0, 50.0), timed(1, 5.0), timed(2, 5.0)]})
    assert found["ratio_piqp"] == 5.0
    assert found["p95_ratio_piqp"] == pytest.approx((5 + 0.9 * 45) / (1 + 0.9 * 9))


def test_objectives_are_compared_where_a_solver_is_done() -> None:
    kernel = {0: mine(0, 1.0), 1: mine(1, 1.0)}
    times = [timed(0, 1.0, -100.01), timed(1, 60.0, -7.0, short=True)]
    assert market.ratios(kernel, {"piqp": times})["max_rel_objective_diff"] == pytest.approx(1e-4)


def test_a_solver_that_takes_too_long_is_stopped_and_counts_as_the_limit() -> None:
    pytest.importorskip("piqp")
    (found,), setting_up = rivals.run_peer("piqp", "synthetic", [0], limit=0.05)
    assert found.short
    assert found.seconds == 0.05
    assert setting_up > 0.0


@pytest.mark.parametrize("name", ["chains", "growth", "market", "pictures"])
def test_examples_run(name) -> None:
    assert doctest.testmod(importlib.import_module(f"bench.{name}")).failed == 0


@pytest.fixture
def records():
    row = {"shock": 0, "seconds": 1.0, "short": False, "status": "", "ratio": 50.0}
    near = {"objective_diff": 1e-9, "price_diff_p99": 1e-5}
    part = {
        "name": "rare earths × 12",
        "shape": [7236, 85620],
        "ours": {"0": {"seconds": 0.02, "converged": True}},
        "peers": {
            "piqp": [row | near],
            "osqp": [],
            "linopy_loop": [row | {"seconds": 60.0, "short": True, "ratio": 3000.0}],
        },
        "ratios": {
            "ratio_piqp": 50.0,
            "p95_ratio_piqp": 4.0,
            "ratio_osqp": float("nan"),
            "max_rel_objective_diff": 1e-9,
        },
    }
    state = {
        "at": "2026-01-02T03:04:05", "commit": "abc", "cores": 2, "processor": "x", "load": 0.1,
        "python": "3.11", "versions": {"numpy": "2"},
    }  # fmt: skip
    size = {
        "nodes": 10, "activities": 20, "first_s": 1.0, "median_s": 0.1, "worst_s": 0.2, "peak_mb": 100.0,
    }  # fmt: skip
    growing = [size | {"size": n, "median_s": 0.1 * n} for n in (1, 2, 4)]
    return {
        "market": {
            "cases": {"real": part},
            "scenarios_per_second": 40.0,
            "speedup_two_processes": 1.9,
            "machine": state,
        },
        "growth": {"months": growing, "chains": growing, "touched": growing, "machine": state},
    }


def test_the_document_says_what_is_met_and_what_is_missed(records) -> None:
    pytest.importorskip("vl_convert")
    text, pictures = report.document(records)
    assert "| PIQP, median | ≥ 40 | 50.0 | met |" in text
    assert "| PIQP, 95th percentiles | ≥ 5 | 4.0 | missed: 80% of it |" in text
    assert "OSQP" not in text
    assert "≥ 60.000" in text
    assert "| 0.100 to 0.400 | 1.00 |" in text
    assert set(pictures) == {"performance-real.svg", "performance-growth.svg"}
    assert all(drawn.startswith("<svg ") for drawn in pictures.values())
    assert report.document(records) == (text, pictures)


def test_the_document_shows_only_what_was_measured(records) -> None:
    text, pictures = report.document({})
    assert text.startswith("# Performance")
    assert "##" not in text
    assert not pictures
