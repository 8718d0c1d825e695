"""Time what a user waits for: starting up, loading, clearing, a stress run, the brief.

Usage: python bench/run.py [--repeat N] [--only WORD]

Prints a table and appends one JSON line to ``out/bench.jsonl``. Times are written down, never compared: a
busy machine is no fault of the code.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUDGETS = {"help": 0.6}

#: name -> words of the command line; "cold" starts with an empty cache each time, "warm" with a filled one
CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "help": ("warm", ("--help",)),
    "assess, cold": ("cold", ("assess", "IND", "--chain", "rare_earths", "--json")),
    "assess, warm": ("warm", ("assess", "IND", "--chain", "rare_earths", "--json")),
    "stress, own": ("warm", ("stress", "--by", "CHN", "--on", "dy_oxide", "--group", "QUAD", "--json")),
    "stress, record": ("warm", ("stress", "--control", "CN-REE-APR2025", "--json")),
    "brief, warm": ("warm", ("brief", "IND", "USA", "--to", "{folder}/brief.html")),
}


def timed(words: tuple[str, ...], cache: Path, folder: Path) -> float:
    """Run one command in a process of its own; return its wall time in seconds."""
    filled = [word.format(folder=folder) for word in words]
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "monazite", *filled],
        env={**os.environ, "MONAZITE_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{' '.join(filled)} left with {done.returncode}: {done.stderr.strip()}")
    return seconds


def main() -> None:
    """Run the cases chosen and print their median and least times."""
    parser = argparse.ArgumentParser(description="Time what a user waits for.")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", default="")
    options = parser.parse_args()

    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    record: dict[str, object] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        warm = folder / "warm"
        for case, (state, words) in CASES.items():
            if options.only not in case:
                continue
            if state == "warm":
                timed(words, warm, folder)
            times = [
                timed(words, warm if state == "warm" else folder / f"cold-{k}", folder)
                for k in range(options.repeat)
            ]
            record[case] = round(statistics.median(times), 3)
            budget = f"  (budget {BUDGETS[case]} s)" if case in BUDGETS else ""
            print(
                f"{case:<16} median {statistics.median(times):7.2f} s  least {min(times):7.2f} s{budget}",
                flush=True,
            )
    out = ROOT / "out" / "bench.jsonl"
    out.parent.mkdir(exist_ok=True)
    with out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
