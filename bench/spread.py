"""One ensemble on one process, on two, and on a Dask cluster of two workers: how much faster, how much alike.

Usage: python -m bench.spread [--scenarios N]

The ensemble is the catalogue on the rare-earth chain, over and over. Scheduler and workers are processes of
their own. Also: the memory that a million result rows need. Writes ``out/bench-spread.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import psutil
from distributed import Client

from bench.ensembles import WIDE, Catalogue, Rows, clear_some, many_rows
from bench.machine import OUT, machine
from monazite.market.ensemble import ensemble
from monazite.market.runs import Runs

ROOT = Path(__file__).resolve().parent.parent
ROWS = 1_000_000


def main() -> None:
    """Run the ensemble three times and the rows once, and write what was found."""
    parser = argparse.ArgumentParser(description="One ensemble on processes and on a Dask cluster.")
    parser.add_argument("--scenarios", type=int, default=256)
    count = parser.parse_args().scenarios
    record: dict[str, Any] = {"machine": machine(), "scenarios": count}
    with tempfile.TemporaryDirectory() as name:
        os.environ["MONAZITE_CACHE"] = name
        tables = {}
        for kind in ("one", "two", "dask"):
            with _runs(kind, Path(name)) as runs:
                ensemble(Catalogue(128, f"{kind}, warming"), clear_some, runs=runs)
                start = time.perf_counter()
                folder = ensemble(Catalogue(count, kind), clear_some, runs=runs)
                record[f"{kind}_s"] = time.perf_counter() - start
            tables[kind] = folder.rows().collect()
            print(f"{kind}: {record[f'{kind}_s']:.2f} s", file=sys.stderr, flush=True)
        record["same"] = all(table.equals(tables["one"]) for table in tables.values())
        with Runs(2, apart=True) as runs:
            folder = ensemble(Rows(ROWS // WIDE, "memory"), many_rows, runs=runs)
        means = folder.rows().group_by("place").agg(pl.col("value_1").mean()).collect(engine="streaming")
        record["rows"], record["places"] = ROWS, means.height
        record["rows_peak_mb"] = psutil.Process().memory_info().rss / 1e6
    record["speedup_two_processes"] = record["one_s"] / record["two_s"]
    record["dask_over_processes"] = record["dask_s"] / record["two_s"]
    OUT.mkdir(exist_ok=True)
    (OUT / "bench-spread.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    print(json.dumps({key: record[key] for key in ("speedup_two_processes", "dask_over_processes", "same")}))


@contextmanager
def _runs(kind: str, folder: Path) -> Iterator[Runs]:
    if kind != "dask":
        with Runs(1 if kind == "one" else 2, apart=True) as runs:
            yield runs
        return
    file = folder / "scheduler.json"
    common = ["--scheduler-file", str(file), "--host", "127.0.0.1", "--no-dashboard"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{what}", *common, *more],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for what, more in (
            ("scheduler", ["--port", "0"]),
            *[("worker", ["--nthreads", "1", "--no-nanny", "--local-directory", str(folder)])] * 2,
        )
    ]
    try:
        while not file.exists() or not file.read_text(encoding="utf-8").strip():
            time.sleep(0.1)
        address = json.loads(file.read_text(encoding="utf-8"))["address"]
        with Client(address) as client:
            client.wait_for_workers(2)
        with Runs(cluster=address) as runs:
            yield runs
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
