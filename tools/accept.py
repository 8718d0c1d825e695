"""Run again what the issues say it must show, and compare: ``docs/acceptance.toml``, line by line.

Usage: python tools/accept.py [--issue N] [--id PREFIX] [--fast] [--write]

Each line is a shell command, run from the project's root with its own environment first on the path. What it
must print is given as ``expect``:

exit      exit code (default 0)
regex     patterns that stdout and stderr together must match, each
absent    patterns that they must not match
rows      tests on the table of the JSON document on stdout: ``where`` picks rows by column values, ``column``
          (default value) is compared with ``at_least``, ``at_most``, ``equals``; ``any``: one row suffices
numbers   tests on the first group of a ``regex``, compared in the same way
files     files that must exist afterwards

Times are written down, never compared: a line fails for what it shows, not for how busy the machine was.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "acceptance.toml"
LIMIT = 1800


def main() -> int:
    """Run the lines chosen, print a table, write what they gave when asked; 1 if any fails."""
    parser = argparse.ArgumentParser(description="Run the acceptance lines again.")
    parser.add_argument("--issue", type=int, help="only lines of this issue")
    parser.add_argument("--id", default="", help="only lines whose id starts so")
    parser.add_argument("--fast", action="store_true", help="leave out lines marked slow")
    parser.add_argument(
        "--write", action="store_true", help="write last value and commit into docs/acceptance.toml"
    )
    options = parser.parse_args()

    lines = [
        line
        for line in tomllib.loads(TABLE.read_text(encoding="utf-8"))["line"]
        if (options.issue in (None, line["issue"]))
        and line["id"].startswith(options.id)
        and not (options.fast and line.get("slow"))
    ]
    failed = []
    seen: dict[str, str] = {}
    for line in lines:
        misses, value, seconds = run(line)
        mark = "FAIL" if misses else "ok"
        print(f"{mark:4}  {line['id']:<24} {seconds:6.1f} s  {value}")
        for miss in misses:
            print(f"      {miss}")
        if misses:
            failed.append(line["id"])
        seen[line["id"]] = f"{mark}: {value} ({seconds:.1f} s)"
        sys.stdout.flush()
    if options.write:
        write(seen)
    print(f"{len(lines) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def run(line: dict[str, Any]) -> tuple[list[str], str, float]:
    """Run one line; return what it missed, a short value, and the seconds it took."""
    environment = {
        **os.environ,
        "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
    }
    environment.pop("VIRTUAL_ENV", None)
    start = time.perf_counter()
    try:
        done = subprocess.run(
            ["bash", "-c", line["command"]],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [f"ran past {LIMIT} s"], "no end", time.perf_counter() - start
    seconds = time.perf_counter() - start
    misses, values = compare(line.get("expect", {}), done.returncode, done.stdout, done.stderr)
    if misses and done.stderr:
        misses.append("stderr ends: " + done.stderr.strip()[-400:])
    return misses, "; ".join(values) or f"exit {done.returncode}", seconds


def compare(expect: dict[str, Any], code: int, out: str, err: str) -> tuple[list[str], list[str]]:
    """Compare one outcome with what is expected; return misses and the values seen."""
    misses: list[str] = []
    values: list[str] = []
    both = f"{out}\n{err}"
    wanted = expect.get("exit", 0)
    if code != wanted:
        misses.append(f"exit {code}, expected {wanted}")
    misses += [f"nothing matches /{p}/" for p in expect.get("regex", []) if not re.search(p, both)]
    misses += [f"/{p}/ should not be there" for p in expect.get("absent", []) if re.search(p, both)]
    misses += [f"no file {name}" for name in expect.get("files", []) if not (ROOT / name).is_file()]
    for test in expect.get("numbers", []):
        found = re.search(test["regex"], both)
        if found is None:
            misses.append(f"no number at /{test['regex']}/")
            continue
        value = float(found.group(1).replace(",", ""))
        values.append(f"{test.get('name', 'number')} {value:g}")
        misses += beyond(test, value, test.get("name", test["regex"]))
    if expect.get("rows"):
        try:
            table = json.loads(out)["table"]
        except (ValueError, KeyError, TypeError):
            return [*misses, "stdout is not one JSON document with a table"], values
        for test in expect["rows"]:
            check_rows(test, table, misses, values)
    return misses, values


def check_rows(
    test: dict[str, Any], table: list[dict[str, Any]], misses: list[str], values: list[str]
) -> None:
    """Test the rows of a table that a line picks."""
    where, column = test.get("where", {}), test.get("column", "value")
    rows = [row for row in table if all(row.get(key) == value for key, value in where.items())]
    name = test.get("name") or ", ".join(str(value) for value in where.values())
    figures = [row[column] for row in rows if row.get(column) is not None]
    if not figures:
        misses.append(f"no figure for {name}")
        return
    results = [beyond(test, figure, name) for figure in figures]
    if test.get("any"):
        if all(results):
            misses.append(results[0][0])
    else:
        misses += [miss for result in results for miss in result]
    numeric = isinstance(figures[0], int | float)
    shown = f"{min(figures):.4g}" if numeric else str(figures[0])
    if numeric and max(figures) != min(figures):
        shown += f" to {max(figures):.4g}"
    values.append(f"{name} {shown}")


def beyond(test: dict[str, Any], value: Any, name: str) -> list[str]:
    """Say how a value misses the bounds of a test."""
    misses = []
    if "at_least" in test and not value >= test["at_least"]:
        misses.append(f"{name}: {value} is below {test['at_least']}")
    if "at_most" in test and not value <= test["at_most"]:
        misses.append(f"{name}: {value} is above {test['at_most']}")
    if "equals" in test and value != test["equals"]:
        misses.append(f"{name}: {value} is not {test['equals']}")
    return misses


def write(seen: dict[str, str]) -> None:
    """Put last value and commit into the table, every other character left as it is."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    head, *blocks = TABLE.read_text(encoding="utf-8").split("[[line]]\n")
    for number, block in enumerate(blocks):
        name = tomllib.loads(block)["id"]
        if name in seen:
            last = json.dumps(seen[name], ensure_ascii=False)
            blocks[number] = told(block, f"last = {last}", f'commit = "{commit}"')
    TABLE.write_text("[[line]]\n".join([head, *blocks]), encoding="utf-8")


def told(block: str, *rows: str) -> str:
    """Put rows into the block of a line: in place of those of the same key, else before its own tables."""
    text = block.rstrip("\n").split("\n")
    for row in rows:
        key = row.split(" = ")[0] + " = "
        at = next((i for i, old in enumerate(text) if old.startswith(key)), None)
        if at is not None:
            text[at] = row
        else:
            end = next((i for i, old in enumerate(text) if old.startswith("[line.")), len(text))
            text.insert(end, row)
    return "\n".join(text) + block[len(block.rstrip("\n")) :]


if __name__ == "__main__":
    sys.exit(main())
