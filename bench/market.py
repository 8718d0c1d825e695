"""Measure the kernel against other solvers: same network, same scenarios, one run, one thread each.

Usage: python -m bench.market [--quick] [--json] [--cases N] [--only real|synthetic] [--peers a,b]

The whole run takes every scenario with every solver (hours) and writes ``out/bench-market.json``, from which
`bench.report` makes the document. ``--quick`` takes a few scenarios, evenly through the catalogue, and under
a minute. Times are CPU seconds from new bounds to the answer; what can be reused is made before. A solver
that is not done after the limit counts as the limit, marked ≥.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.chains import Case
from bench.machine import OUT, machine
from bench.ours import Mine, in_two_processes, one_by_one
from bench.peers import LIMIT, PEERS, QUADRATIC
from bench.rivals import CASES, Timed, run_peer

__all__ = ["compare", "evenly", "ratios"]


#: solver -> name of its ratio in the JSON
RATIOS = {
    "osqp": "ratio_osqp",
    "piqp": "ratio_piqp",
    "linopy_loop": "ratio_linopy",
    "highs_warm": "ratio_highs_warm",
}
#: the quick run: two lanes at once of (solver, case, scenarios, seconds at most)
LANES: tuple[tuple[tuple[str, str, int, float], ...], ...] = (
    (
        ("highs_warm", "real", 1, 12.0),
        ("piqp", "real", 4, 12.0),
        ("highs_warm", "synthetic", 2, 6.0),
        ("piqp", "synthetic", 3, 6.0),
    ),
    (
        ("osqp", "real", 3, 12.0),
        ("linopy_loop", "real", 1, 8.0),
        ("linopy_loop", "synthetic", 1, 6.0),
        ("osqp", "synthetic", 3, 6.0),
    ),
)
QUICK_SECONDS, QUICK_OURS = 40.0, 12


def evenly(total: int, wanted: int) -> list[int]:
    """Return ``wanted`` numbers of ``total``, evenly from the first to the last; the middle for one.

    Examples
    --------
    >>> evenly(55, 4), evenly(55, 1), evenly(3, 9)
    ([0, 18, 36, 54], [27], [0, 1, 2])
    """
    if wanted == 1:
        return [total // 2]
    return sorted({int(k) for k in np.linspace(0, total - 1, min(wanted, total)).round()})


def ratios(mine: dict[int, Mine], peers: dict[str, list[Timed]]) -> dict[str, float]:
    """Return the ratios of a case: medians over the scenarios that a solver and the kernel both had."""
    made: dict[str, float] = {}
    for peer, name in RATIOS.items():
        each = [one.seconds / mine[one.shock].seconds for one in peers.get(peer, ())]
        made[name] = float(np.median(each)) if each else float("nan")
    piqp = peers.get("piqp", [])
    if piqp:
        theirs = np.quantile([one.seconds for one in piqp], 0.95)
        made["p95_ratio_piqp"] = float(theirs / np.quantile([mine[o.shock].seconds for o in piqp], 0.95))
    apart = [
        difference(mine[one.shock], one) for peer in QUADRATIC for one in peers.get(peer, ()) if not one.short
    ]
    made["max_rel_objective_diff"] = max(apart, default=float("nan"))
    return made


def difference(mine: Mine, other: Timed) -> float:
    """Return how far another's objective is from the kernel's, as a share of it."""
    objective = mine.answer.certificate.objective
    return abs(other.objective - objective) / max(abs(objective), 1e-300)


def compare(case: Case, mine: dict[int, Mine], peers: dict[str, list[Timed]]) -> dict[str, Any]:
    """Return all that was measured on a case as plain values."""
    y0 = case.problem.y0
    record: dict[str, Any] = {
        "name": case.name,
        "shape": list(case.problem.shape),
        "scenarios": [shock.name for shock in case.shocks],
        "ours": {k: {"seconds": one.seconds, **one.answer.certificate.to_dict()} for k, one in mine.items()},
        "ratios": ratios(mine, peers),
        "peers": {},
    }
    for peer, times in peers.items():
        rows = []
        for one in times:
            clearing = mine[one.shock].answer
            row: dict[str, Any] = {
                "shock": one.shock,
                "seconds": one.seconds,
                "short": one.short,
                "status": one.status,
                "ratio": one.seconds / mine[one.shock].seconds,
            }
            if one.price is not None:
                scale = np.maximum(np.abs(clearing.price), y0)
                apart = (np.abs(one.price - clearing.price) / scale)[clearing.unique]
                row["objective_diff"] = difference(mine[one.shock], one)
                row["price_diff_max"] = float(apart.max(initial=0.0))
                row["price_diff_p99"] = float(np.quantile(apart, 0.99)) if apart.size else 0.0
            rows.append(row)
        record["peers"][peer] = rows
    return record


def main() -> None:
    """Run what was asked and print a table, or JSON."""
    parser = argparse.ArgumentParser(description="Measure the kernel against other solvers.")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--cases", type=int, default=None, help="scenarios a solver, evenly chosen")
    parser.add_argument("--only", choices=list(CASES), default=None)
    parser.add_argument("--peers", default=",".join(PEERS))
    options = parser.parse_args()

    began = time.monotonic()
    state = machine()
    cases = {name: make() for name, make in CASES.items() if options.only in (None, name)}
    chosen = [peer for peer in PEERS if peer in options.peers.split(",")]
    peers: dict[str, dict[str, list[Timed]]] = {name: {} for name in cases}
    mine: dict[str, dict[int, Mine]] = {}
    for name, case in cases.items():
        total = len(case.shocks)
        if options.quick:
            wanted = {k for lane in LANES for _, of, n, _ in lane if of == name for k in evenly(total, n)}
        else:
            wanted = set(evenly(total, options.cases or total))
        mine[name] = one_by_one(case, sorted(wanted))
    name = options.only or "real"
    total = len(cases[name].shocks)
    some = evenly(total, min(total, QUICK_OURS if options.quick else options.cases or total))
    rate, speedup = in_two_processes(name, cases[name], some)

    def keep() -> dict[str, Any]:
        record = {
            "machine": state,
            "seconds": round(time.monotonic() - began, 1),
            "limit": LIMIT,
            "scenarios_per_second": rate,
            "speedup_two_processes": speedup,
            "cases": {name: compare(case, mine[name], peers[name]) for name, case in cases.items()},
        }
        OUT.mkdir(exist_ok=True)
        file = OUT / ("bench-quick.json" if options.quick else "bench-market.json")
        file.write_text(json.dumps(record, indent=1), encoding="utf-8")
        return record

    if options.quick:
        _quick(cases, peers, time.monotonic() + QUICK_SECONDS, chosen)
    else:
        for name in cases:
            for peer in chosen:
                peers[name][peer], _ = run_peer(peer, name, sorted(mine[name]), told=_tell)
                keep()  # what was measured stays, should the run be stopped
    record = keep()
    if options.json:
        parts = {name: part["ratios"] for name, part in record["cases"].items()}
        summary = {**parts.get("real", {}), "synthetic": parts.get("synthetic", {})}
        summary |= {"scenarios_per_second": rate, "speedup_two_processes": speedup}
        print(json.dumps(summary))
    else:
        _table(record)


def _quick(
    cases: dict[str, Case],
    peers: dict[str, dict[str, list[Timed]]],
    deadline: float,
    chosen: Sequence[str],
) -> None:
    """Run both lanes at once, one process each; after the deadline only first scenarios are begun."""

    def lane(jobs: Sequence[tuple[str, str, int, float]]) -> None:
        for peer, name, count, limit in jobs:
            if name in cases and peer in chosen:
                shocks = evenly(len(cases[name].shocks), count)
                peers[name][peer], _ = run_peer(peer, name, shocks, limit=limit, deadline=deadline)

    lanes = [threading.Thread(target=lane, args=(jobs,)) for jobs in LANES]
    for thread in lanes:
        thread.start()
    for thread in lanes:
        thread.join()


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _table(record: dict[str, Any]) -> None:
    for part in record["cases"].values():
        ours = np.array([one["seconds"] for one in part["ours"].values()])
        print(f"\n{part['name']}: {part['shape'][0]:,} nodes × {part['shape'][1]:,} activities")
        print(f"{'kernel':<20} median {np.median(ours):8.4f} s   95 % {np.quantile(ours, 0.95):8.3f} s")
        for peer, rows in part["peers"].items():
            if not rows:
                continue
            seconds = np.array([row["seconds"] for row in rows])
            mark = "≥" if any(row["short"] for row in rows) else " "
            ratio = np.median([row["ratio"] for row in rows])
            print(
                f"{peer:<20} median {np.median(seconds):8.4f} s   95 % {np.quantile(seconds, 0.95):8.3f} s"
                f"   {mark}{ratio:7.1f} × the kernel   ({len(rows)} scenarios)"
            )
        for name, value in part["ratios"].items():
            print(f"  {name}: {value:.3g}")
    print(f"\n{record['scenarios_per_second']:.1f} scenarios a second in one process")
    print(f"two processes: × {record['speedup_two_processes']:.2f}")


if __name__ == "__main__":
    main()
