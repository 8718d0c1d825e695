"""Write the atlas: docs/atlas/<chain>.md and docs/sources.md, from the packaged facts alone.

Usage: python tools/atlas.py            write what is out of date
       python tools/atlas.py --check    only tell whether it is up to date (exit 1 where not)
       python tools/atlas.py --draw 50 --seed 7    facts drawn at random, to be followed to their sources
       python tools/atlas.py --pairs    figures of two sources that differ and that no entry explains

What the reconciliation of a chain moved is computed once and kept in docs/atlas/reconciled.json beside the
hash of the facts that it was computed from; `--check` computes nothing and reads no network.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path
from typing import Any

import polars as pl

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(Path(__file__).resolve().parent))

from atlas_differences import unexplained  # noqa: E402
from atlas_pages import chain_page, index_page, sources_page  # noqa: E402

from monazite import facts  # noqa: E402
from monazite.answer import Answer  # noqa: E402
from monazite.core.manifest import content_hash  # noqa: E402
from monazite.core.settings import data_folder  # noqa: E402
from monazite.draw import svg  # noqa: E402
from monazite.facts import packaged  # noqa: E402
from monazite.facts.counting import count  # noqa: E402
from monazite.facts.coverage import coverage_of  # noqa: E402

DOCS = ROOT / "docs"
KEPT = DOCS / "atlas" / "reconciled.json"
_WORST = 8


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked; return the exit code."""
    parser = argparse.ArgumentParser(description="Write the atlas from the packaged facts.")
    parser.add_argument("--check", action="store_true", help="only tell whether it is up to date")
    parser.add_argument("--draw", type=int, metavar="N", help="draw N facts to be followed to their sources")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draw")
    parser.add_argument("--pairs", action="store_true", help="figures that differ and that nothing explains")
    given = parser.parse_args(arguments)
    if given.draw:
        print("\n\n".join(drawn(given.draw, given.seed)))
        return 0
    if given.pairs:
        for row in unexplained().iter_rows(named=True):
            print(" | ".join("" if value is None else str(value) for value in row.values()))
        return 0
    return write(check=given.check)


def write(*, check: bool, folder: Path = DOCS) -> int:
    """Write the pages that changed, or name them."""
    kept: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    keys = {name: fingerprint(name) for name in facts.chains()}
    old = [name for name, key in keys.items() if kept.get(name, {}).get("facts") != key]
    if not check:
        for name in old:
            print(f"reconciling {name}", file=sys.stderr)
            kept[name] = {"facts": keys[name], **reconciled(name)}
        kept = {name: kept[name] for name in sorted(keys)}
    text = json.dumps(kept, indent=1, ensure_ascii=False) + "\n"
    made = {"atlas/reconciled.json": text} | pages(kept)
    stale = [name for name, page in made.items() if _read(folder / name) != page]
    stale += [path.relative_to(folder).as_posix() for path in sorted((folder / "atlas").glob("*.[ms][dv]*"))
              if path.relative_to(folder).as_posix() not in made]  # fmt: skip
    if check:
        for name in old:
            print(f"docs/atlas/reconciled.json: the facts of {name} have changed since")
        for name in stale:
            print(f"docs/{name} is out of date")
        return 1 if old or stale else 0
    for name in stale:
        path = folder / name
        if name in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[name], encoding="utf-8")
        else:
            path.unlink()
    print(f"{len(stale)} of {len(made)} files written")
    return 0


def fingerprint(chain: str) -> str:
    """Hash what the balance of a chain rests on: its tables, customs lines, sigma, dates of its sources."""
    data = data_folder()
    files = [*sorted((data / "chains" / chain).glob("*.csv")), data / "uncertainty.csv"]
    files += [data / "corrections.toml", data / "assumptions.csv", data / "trade" / "trade.parquet"]
    cited = count(None).facts.filter(chain=chain)["source"].unique().to_list()
    known = packaged().read_sources()
    dates = {name: known[name]["published"] for name in sorted(cited) if name in known}
    return content_hash(*(path.read_bytes() for path in files), dates)


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def pages(kept: dict[str, Any]) -> dict[str, str]:
    """Return every page by its path below docs/."""
    counted, coverage = count(None), coverage_of()
    made = {
        f"atlas/{name}.md": chain_page(name, counted, coverage, kept.get(name)) for name in counted.chains
    }
    made["atlas/index.md"] = index_page(counted, coverage, kept)
    made["atlas/known.svg"] = svg(Answer(coverage).view())
    made["sources.md"] = sources_page(counted)
    return made


def reconciled(chain: str) -> dict[str, Any]:
    """Return what the reconciliation of a chain moved, in plain values of few digits."""
    from monazite.network.load import load

    net = load([chain])
    report = net.report
    live = net.activities.filter(pl.col("level") > 0)
    moved = report.adjustments.drop_nulls("r").sort(pl.col("r").abs(), "name", descending=[True, False])
    columns = ("name", "kind", "estimate", "reconciled", "r")
    return {
        "year": net.year,
        "chi2_per_dof": _short(report.chi2_per_dof),
        "dof": report.dof,
        "kinds": dict(live.group_by("kind").len().sort("kind").iter_rows()),
        "outliers": report.outliers().height,
        "worst": [
            {name: _short(row[name]) for name in columns} for row in moved.head(_WORST).iter_rows(named=True)
        ],
        "margins": [
            {name: _short(row[name]) for name in ("name", "stated", "reconciled")}
            for row in report.margins.filter(pl.col("stated") < 0).sort("name").iter_rows(named=True)
        ],
    }


def _short(value: Any) -> Any:
    """Three digits: what another machine computes is the same to these."""
    if not isinstance(value, float):
        return value
    return None if value != value else float(f"{value:.3g}")


def drawn(number: int, seed: int) -> list[str]:
    """Draw facts that rest on a public source, and say where to look.

    Flows from customs lines are many and all made by one formula: a fifth of the draw is of them.
    """
    counted = count(None)
    rows = counted.facts.filter(~pl.col("source").is_in(["assumption", "definition", "stoichiometry"]))
    told = {row["source"]: row for row in counted.sources.iter_rows(named=True)}
    rows = rows.with_row_index("at")
    flows = rows.filter(pl.col("locator").fill_null("").str.starts_with("lines "))
    written = rows.join(flows, on="at", how="anti")
    chance = random.Random(seed)
    few = min(number // 5, flows.height)
    chosen = chance.sample(flows["at"].to_list(), few)
    chosen += chance.sample(written["at"].to_list(), min(number - few, written.height))
    found = []
    for number_, index in enumerate(sorted(chosen), start=1):
        row = rows.row(index, named=True)
        source = told.get(row["source"], {})
        about = " / ".join(
            row[name] for name in ("commodity", "activity", "place", "partner", "period") if row[name]
        )
        ends = f" ({row['low']} to {row['high']})" if row["low"] or row["high"] else ""
        lines = [
            f"{number_}. {row['chain']}: {row['variable']} {about}",
            f"   {row['value']}{ends} {row['unit']}, {row['basis']}; {row['kind']}, {row['status']}",
            f"   source {row['source']}: {source.get('citation')} <{source.get('url')}>",
            f"   where: {row['locator'] or '-'}",
            f"   note: {row['note'] or '-'}",
        ]
        found.append("\n".join(lines))
    return found


if __name__ == "__main__":
    sys.exit(main())
