"""Measure the atlas: loading all chains, the cost of provenance, how well held-out flows are found.

Usage: python -m bench.atlas [--chain NAME ...] [--json]

Writes ``out/bench-atlas.json`` and, when all chains are measured, ``docs/balance.md``. *Held-out flows*: a
tenth of a chain's stated flows is taken out (by seed); what each place sends and takes in all stays known, as
customs publish it, and the flows are estimated from it as for a pair that nobody reports. Of the 80 %
intervals that come out of the reconciliation, 70 to 90 % should hold the stated figure.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bench.balance import document, reason
from bench.machine import OUT, machine
from monazite import facts as fact_floor
from monazite.facts import FactTable
from monazite.facts.sigma import relative_sigma
from monazite.network.build import build
from monazite.network.reconcile import reconcile

__all__ = ["held_out", "load_seconds", "main", "provenance_seconds"]

DOCS = Path(__file__).resolve().parent.parent / "docs"
SHARE, SEEDS = 0.1, (1, 2, 3)
#: half width of an 80 % interval in standard deviations
HALF = 1.2816
_LOAD = """
import time
begin = time.perf_counter()
import monazite as mz
mz.load()
print(time.perf_counter() - begin)
"""


def held_out(facts: FactTable, seed: int) -> pl.DataFrame:
    """Hold out a tenth of the stated flows of one chain and find them again.

    Returns
    -------
    DataFrame
        ``name, stated, found, sd, covered``; empty where a chain states too few flows.
    """
    stated = facts.select("trade").filter(
        pl.col("kind").is_in(["reported", "derived"]), pl.col("value") > 0.0, pl.col("status") == "ok"
    )
    random = np.random.Generator(np.random.Philox(key=[seed, 5]))
    count = int(SHARE * stated.height)
    if count < 3:
        return pl.DataFrame()
    chosen = stated[np.sort(random.choice(stated.height, count, replace=False)).tolist()]
    every = facts.select("trade").filter(pl.col("value").is_not_null(), pl.col("status") == "ok")
    found = _estimates(every, chosen)
    sigma = relative_sigma()
    prior = chosen.select("fact_id").with_columns(guess=pl.Series(found))
    frame = facts.frame.join(prior, on="fact_id", how="left", maintain_order="left")
    held = pl.col("guess").is_not_null()
    frame = frame.with_columns(
        value=pl.when(held).then(pl.col("guess")).otherwise("value"),
        sigma=pl.when(held).then(sigma["modelled"] * pl.col("guess")).otherwise("sigma"),
        kind=pl.when(held).then(pl.lit("modelled")).otherwise("kind"),
    ).drop("guess")
    frame = pl.concat([frame, _totals(every, chosen, facts, sigma["trade"])])
    draft = build(replace(facts, frame=frame))
    report = reconcile(draft, facts).report.adjustments
    names = pl.concat_str(pl.lit("trade "), "commodity", pl.lit(" "), "place", pl.lit(">"), "partner")
    rows = chosen.select(name=names, stated="value").join(
        report.select("name", found="reconciled", sd="posterior_sd"), on="name", how="left"
    )
    done: pl.DataFrame = rows.with_columns(
        covered=(pl.col("found") - pl.col("stated")).abs() <= HALF * pl.col("sd")
    )
    return done


def _estimates(every: pl.DataFrame, chosen: pl.DataFrame) -> list[float]:
    """Flows of greatest entropy for held-out pairs, from what each end sends and takes beside the known."""
    found: dict[int, float] = {}
    ids = set(chosen["fact_id"].to_list())
    for _, rows in every.group_by("commodity", maintain_order=True):
        held = rows.filter(pl.col("fact_id").is_in(sorted(ids)))
        if not held.height:
            continue
        out = dict(held.group_by("place").agg(pl.col("value").sum()).iter_rows())
        into = dict(held.group_by("partner").agg(pl.col("value").sum()).iter_rows())
        pairs = list(held.select("fact_id", "place", "partner").iter_rows())
        level = {i: out[o] * into[d] / sum(out.values()) for i, o, d in pairs}
        for _ in range(200):
            for side, margin in ((1, out), (2, into)):
                total: dict[str, float] = {}
                for pair in pairs:
                    total[pair[side]] = total.get(pair[side], 0.0) + level[pair[0]]
                for pair in pairs:
                    level[pair[0]] *= margin[pair[side]] / max(total[pair[side]], 1e-300)
        found |= level
    return [max(found[i], 1e-9) for i in chosen["fact_id"].to_list()]


def _totals(every: pl.DataFrame, chosen: pl.DataFrame, facts: FactTable, share: float) -> pl.DataFrame:
    """Measurement rows: what the ends of held-out flows send and take in all, which stays known."""
    parts = []
    for variable, end in (("total_exports", "place"), ("total_imports", "partner")):
        ends = chosen.select("commodity", pl.col(end).alias("place")).unique(maintain_order=True)
        sums = every.group_by("commodity", pl.col(end).alias("place")).agg(pl.col("value").sum())
        rows = ends.join(sums, on=["commodity", "place"], how="left", maintain_order="left")
        parts.append(rows.with_columns(variable=pl.lit(variable), sigma=share * pl.col("value")))
    rows = pl.concat(parts)
    first = int(facts.frame["fact_id"].max() or 0) + 1  # type: ignore[arg-type]
    blank = facts.frame.clear()
    made = rows.with_columns(
        fact_id=pl.int_range(first, first + rows.height, dtype=pl.Int64),
        kind=pl.lit("reported"), status=pl.lit("ok"), chain=pl.lit(facts.chains[0]), unit=pl.lit("t/yr"),
        basis=pl.lit(""), period=pl.lit(str(facts.year)), source=pl.lit("baci_hs92"),
    )  # fmt: skip
    missing = [pl.lit(None, blank.schema[c]).alias(c) for c in blank.columns if c not in made.columns]
    return made.with_columns(missing).select(blank.columns).cast(blank.schema)


def provenance_seconds(facts: FactTable, repeats: int = 9) -> tuple[float, float]:
    """CPU seconds to build a chain with the facts behind each number, and without; least of several."""
    best = {True: float("inf"), False: float("inf")}
    for turn in range(2 * repeats):
        provenance = turn % 2 == 0
        start = time.process_time()
        build(facts, provenance=provenance)
        best[provenance] = min(best[provenance], time.process_time() - start)
    return best[True], best[False]


def load_seconds() -> dict[str, float]:
    """Seconds of ``mz.load()`` of everything in a fresh process: cold (empty cache), then warm."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "MONAZITE_CACHE": folder, "OPENBLAS_NUM_THREADS": "1"}
        found = {}
        for state in ("cold", "warm", "warm_again"):
            done = subprocess.run(
                [sys.executable, "-c", _LOAD], env=env, capture_output=True, text=True, check=True
            )
            found[state] = float(done.stdout)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chain", action="append")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    chains = asked.chain or list(fact_floor.chains())
    rows: list[dict[str, Any]] = []
    for chain in chains:
        facts = fact_floor.load([chain])
        start = time.perf_counter()
        draft = build(facts)
        report = reconcile(draft, facts).report
        seconds = time.perf_counter() - start
        table = report.adjustments.with_columns(draft.activities["commodity"])
        found = pl.concat([held_out(facts, seed) for seed in SEEDS], how="diagonal")
        rows.append(
            {
                "chain": chain,
                "seconds": seconds,
                "chi2_per_dof": report.chi2_per_dof,
                "dof": report.dof,
                "reason": reason(table, report.chi2_per_dof),
                "outliers": report.outliers().select("name", "estimate", "reconciled", "r").to_dicts(),
                "held_out": found.height,
                "covered": float(found["covered"].mean()) if found.height else None,  # type: ignore[arg-type]
                "provenance": provenance_seconds(facts),
            }
        )
        print({k: v for k, v in rows[-1].items() if k != "outliers"}, file=sys.stderr, flush=True)
    record = {"machine": machine(), "chains": rows}
    OUT.mkdir(exist_ok=True)
    if not asked.chain:
        record["load"] = load_seconds()
        (DOCS / "balance.md").write_text(document(record), encoding="utf-8")
    Path(OUT / "bench-atlas.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if asked.json:
        print(json.dumps(record))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
