"""Write ``docs/performance.md`` and its pictures from what was measured and recorded in ``out``.

Usage: python -m bench.report

Nothing in the document is typed by hand: run the measurements again (``make study``) and then this.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.growth import slope
from bench.machine import OUT
from bench.pictures import growth, solvers

__all__ = ["document"]

DOCS = Path(__file__).resolve().parent.parent / "docs"
NAMES = {
    "piqp": "PIQP",
    "clarabel": "Clarabel",
    "osqp": "OSQP with polish",
    "cvxpy": "CVXPY, OSQP behind",
    "highs_warm": "HiGHS kept alive *",
    "linopy_persistent": "linopy updates *",
    "linopy_loop": "linopy + HiGHS loop *",
}
TITLES = {
    "real": "Rare earths, 12 months, a mixed catalogue",
    "synthetic": "A friendly made-up chain, 5 stages × 40 places × 12 months",
}
#: what is asked of the ratios, by case: name in the JSON -> (words, least)
WANTED = {
    "real": {
        "ratio_piqp": ("PIQP, median", 40.0),
        "p95_ratio_piqp": ("PIQP, 95th percentiles", 5.0),
        "ratio_osqp": ("OSQP at 1e-7, median", 20.0),
        "ratio_linopy": ("linopy + HiGHS loop, median", 80.0),
        "ratio_highs_warm": ("HiGHS kept alive, median", 3.0),
    },
    "synthetic": {
        "ratio_piqp": ("PIQP, median", 100.0),
        "ratio_osqp": ("OSQP at 1e-7, median", 30.0),
        "ratio_linopy": ("linopy + HiGHS loop, median", 80.0),
        "ratio_highs_warm": ("HiGHS kept alive, median", 3.0),
    },
}
HEAD = """# Performance

How fast a market clears, beside other solvers on the same network and the same scenarios, and how time and
memory grow. Written by `python -m bench.report` from recorded measurements: `make bench` takes minutes,
`make study` takes all of it.

Every solver has one thread and its documented best settings, in a file of its own under `bench/peers`.
Seconds are CPU time from a scenario's new bounds to the answer; what scenarios share (reading, scaling, a
first factor, the base's solution or basis) is made before. The kernel's time includes the certificate and the
price intervals, which the others do not give. Solvers marked \\* get the linear version: every activity's
cost line in 16 steps of constant cost. A solver that is not done after 60 s counts as 60 s, and its ratio is
marked ≥. Why a wanted ratio is missed, and what was tried, is in
[decision 006](decisions/006-compiled-loops-and-our-own-factor.md).
"""


def document(records: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the document and its pictures (file name to SVG) from the records by name.

    Parameters
    ----------
    records : dict
        ``market``, ``growth``, ``spread`` and ``waits``: each as its measurement wrote it, or absent.
    """
    pictures: dict[str, str] = {}
    parts = [HEAD]
    if "market" in records:
        parts += _market(records["market"], pictures)
    if "growth" in records:
        parts += _growth(records["growth"], pictures)
    if "spread" in records:
        parts.append(_spread(records["spread"]))
    if "waits" in records:
        parts.append(_waits(records["waits"]))
    return "\n".join(part.rstrip() + "\n" for part in parts), pictures


def _market(record: dict[str, Any], pictures: dict[str, str]) -> list[str]:
    parts = []
    for key, part in record["cases"].items():
        nodes, activities = part["shape"]
        seconds = [one["seconds"] for one in part["ours"].values()]
        title = TITLES.get(key, part["name"])
        parts.append(f"## {title}: {nodes:,} nodes × {activities:,} activities\n")
        parts.append(_table(part, seconds))
        parts.append(_ratios(part, WANTED[key]))
        file = f"performance-{key}"
        rows = [("Monazite", seconds, True)]
        rows += [
            (NAMES[peer], [row["seconds"] for row in times], False)
            for peer, times in part["peers"].items()
            if times
        ]
        said = f"Seconds a scenario: Monazite {np.median(seconds):.3f} in the median; the table has all."
        pictures[f"{file}.svg"] = solvers(file, rows, said)
        parts.append(f"![{said}](img/{file}.svg)\n")
    parts.append(
        f"{record['scenarios_per_second']:.1f} scenarios a second in one process on the wall's clock; "
        f"two processes are {record['speedup_two_processes']:.2f} times as fast. "
        f"{_machine(record['machine'])}\n"
    )
    return parts


def _table(part: dict[str, Any], ours: Sequence[float]) -> str:
    unsettled = sum(not one["converged"] for one in part["ours"].values())
    lines = [
        "| solver | scenarios | median, s | 95 % within, s | × Monazite | objective apart | prices apart |",
        "|---|---:|---:|---:|---:|---:|---:|",
        f"| **Monazite** | {len(ours)} | {np.median(ours):.3f} | {np.quantile(ours, 0.95):.3f} | 1 | | |",
    ]
    for peer, rows in part["peers"].items():
        if not rows:
            continue
        seconds = [row["seconds"] for row in rows]
        mark = "≥ " if any(row["short"] for row in rows) else ""
        done = [row for row in rows if not row["short"]]
        objective = max((row.get("objective_diff", 0.0) for row in done), default=float("nan"))
        prices = max((row.get("price_diff_p99", 0.0) for row in done), default=float("nan"))
        ratio = float(np.median([row["ratio"] for row in rows]))
        lines.append(
            f"| {NAMES[peer].replace('*', chr(92) + '*')} | {len(rows)} | {mark}{np.median(seconds):.3f} "
            f"| {mark}{np.quantile(seconds, 0.95):.3f} | {mark}{ratio:.1f} "
            f"| {_small(objective)} | {_small(prices)} |"
        )
    lines.append("")
    lines.append(
        "Objectives: the largest difference of all scenarios that the solver finished, as a share. Prices:"
        " the largest, over the scenarios, of the difference that 99 % of the unique prices keep within."
        + ("" if not unsettled else f" The kernel did not converge in {unsettled}.")
    )
    return "\n".join(lines) + "\n"


def _small(value: float) -> str:
    return f"{value:.1e}" if np.isfinite(value) else "–"


def _ratios(part: dict[str, Any], wanted: dict[str, tuple[str, float]]) -> str:
    lines = ["| times the kernel's time | wanted | measured | |", "|---|---:|---:|---|"]
    for name, (words, least) in wanted.items():
        found = part["ratios"].get(name)
        if found is None or not np.isfinite(found):
            continue
        said = "met" if found >= least else f"missed: {found / least:.0%} of it"
        lines.append(f"| {words} | ≥ {least:g} | {found:.1f} | {said} |")
    apart = part["ratios"]["max_rel_objective_diff"]
    said = "met" if apart <= 1e-6 else "missed"
    lines.append(f"| objective apart, quadratic solvers | ≤ 1e-6 | {apart:.1e} | {said} |")
    return "\n".join(lines) + "\n"


def _growth(record: dict[str, Any], pictures: dict[str, str]) -> list[str]:
    parts = ["## Growth\n"]
    panels, rows = [], []
    axes = {
        "months": "months, rare-earth chain",
        "chains": "made-up chains × 60 places × 12 months, all hit",
        "touched": "chains hit, of the largest made-up network",
    }
    for kind, axis in axes.items():
        found = record[kind]
        if len(found) < 2:
            continue
        sizes = [one["size"] for one in found]
        median, worst = ([one[name] for one in found] for name in ("median_s", "worst_s"))
        panels.append(
            {
                "title": "Seconds a scenario",
                "x": axis,
                "sizes": sizes,
                "lines": [("median", median), ("worst", worst)],
            }
        )
        if kind != "touched":
            memory = [one["peak_mb"] for one in found]
            panels.append(
                {"title": "Memory of the process, MB", "x": axis, "sizes": sizes, "lines": [("peak", memory)]}
            )
        last = found[-1]
        rows.append(
            f"| {axis} | {sizes[0]} to {sizes[-1]} | {last['nodes']:,} × {last['activities']:,} "
            f"| {median[0]:.3f} to {median[-1]:.3f} | {slope(sizes, median):.2f} "
            f"| {found[0]['peak_mb']:.0f} to {last['peak_mb']:.0f} | {last['first_s']:.1f} |"
        )
    file = "performance-growth"
    said = "Time and memory against months and against chains, with the line of linear growth."
    pictures[f"{file}.svg"] = growth(file, panels, said)
    parts.append(
        "| against | sizes | the largest | median, s | power | memory, MB | first scenario, s |\n"
        "|---|---:|---:|---:|---:|---:|---:|\n" + "\n".join(rows) + "\n"
    )
    parts.append(
        "A power of 1 is linear growth, below it slower. Memory is that of the whole process with all that it"
        " imports. The first scenario includes loading compiled code and the factor that all others share.\n"
    )
    parts.append(f"![{said}](img/{file}.svg)\n")
    parts.append(f"{_machine(record['machine'])}\n")
    return parts


def _spread(record: dict[str, Any]) -> str:
    rows = "the same rows" if record["same"] else "different rows, which is an error"
    return (
        "## Processes and a cluster\n\n"
        f"{record['scenarios']} scenarios of the catalogue as one ensemble, its blocks kept on disk:"
        f" {record['one_s']:.1f} s in one process, {record['two_s']:.1f} s in two"
        f" ({record['speedup_two_processes']:.2f} times as fast), {record['dask_s']:.1f} s on a Dask cluster"
        f" of two workers ({record['dask_over_processes']:.2f} of the time of two processes). All three give"
        f" {rows}. {record['rows']:,} result rows, kept and summed up, take"
        f" {record['rows_peak_mb']:.0f} MB at most. {_machine(record['machine'])}\n"
    )


def _waits(record: dict[str, Any]) -> str:
    rows = [
        f"| {name} | {value:.2f} |"
        for name, value in record.items()
        if isinstance(value, float) and name not in ("cores",)
    ]
    return "## What a user waits for\n\n| | median, s |\n|---|---:|\n" + "\n".join(rows) + "\n"


def _machine(state: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {found}" for name, found in state["versions"].items())
    return (
        f"Measured {state['at'][:10]} at {state['commit']} on {state['cores']} cores of {state['processor']} "
        f"(load {state['load']} when it began), Python {state['python']}: {versions}."
    )


def main() -> None:
    """Read the records that are there and write the document."""
    files = {"market": "bench-market.json", "growth": "bench-growth.json", "spread": "bench-spread.json"}
    records = {
        name: json.loads((OUT / file).read_text(encoding="utf-8"))
        for name, file in files.items()
        if (OUT / file).is_file()
    }
    waits = OUT / "bench.jsonl"
    if waits.is_file():
        records["waits"] = json.loads(waits.read_text(encoding="utf-8").splitlines()[-1])
    text, pictures = document(records)
    (DOCS / "performance.md").write_text(text, encoding="utf-8")
    (DOCS / "img").mkdir(parents=True, exist_ok=True)
    for name, drawn in pictures.items():
        (DOCS / "img" / name).write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
