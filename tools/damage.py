"""Damage official files and look whether the readers notice: ``python tools/damage.py --count 5000``.

Small files of every format are written, damaged in seeded ways and read. A reading must end in an error that
says what is wrong, or give the same figures as a plain reading of the damaged file, written independently;
rows that it leaves out must be named. Anything else is listed: a traceback, or a figure that the file does
not hold. Real files can be given as arguments: their bytes are damaged too.

Usage: python tools/damage.py [--count N] [--seed N] [--format NAME] [--show N] [FILE ...]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.damage_books import BINARIES
from tools.damage_files import TEXTS, Fact, Format
from tools.damage_kinds import damaged
from tools.damage_tables import TABLES

from monazite.core.errors import FactsError, Refused
from monazite.facts.readers.governance import read_governance
from monazite.facts.readers.reading import Reading, read_official

__all__ = ["FORMATS", "Outcome", "facts_of", "judge", "run"]

#: every format, the small files of which are damaged
FORMATS: tuple[Format, ...] = (*TEXTS, *TABLES, *BINARIES)
#: figures are compared to so many digits
_DIGITS = 6


@dataclass(frozen=True)
class Outcome:
    """What became of one damaged file.

    Parameters
    ----------
    format, kind, seed
        Format, kind of damage, and the seed that makes it again.
    result
        ``refused``, ``read`` (figures as the file now states them), ``traceback`` or ``misread``.
    detail
        The error's text, or what is wrong.
    """

    format: str
    kind: str
    seed: str
    result: str
    detail: str = ""

    @property
    def bad(self) -> bool:
        """Whether this must not be."""
        return self.result in ("traceback", "misread")


def facts_of(reading: Reading, path: Path) -> set[Fact]:
    """Return the figures of a reading, as a plain reading states them."""
    found: set[Fact] = set()
    if reading.format == "wgi":
        table, _ = read_governance(path)
        for place, year, indicator, measure, value in table.rows():
            if measure == "estimate":
                found.add((measure, indicator, place, str(year), value))
    if reading.trade is not None:
        columns = ("reporter", "hs", "exporter", "importer", "year", "value_usd", "quantity_t")
        for who, hs, one, two, year, usd, tonnes in reading.trade.select(columns).rows():
            found.add((f"usd {who}", hs, f"{one}>{two}", str(year), usd))
            found.add((f"t {who}", hs, f"{one}>{two}", str(year), tonnes))
    for row in reading.facts.iter_rows(named=True):
        value = None if row["value"] is None else float(row["value"])
        subject = row["commodity"] or row["activity"]
        found.add((row["variable"], subject, row["place"] or "", row["period"], value))
    return found


def _round(facts: set[Fact]) -> set[Fact]:
    return {(*rest, None if value is None else float(f"{value:.{_DIGITS}g}")) for *rest, value in facts}  # type: ignore[misc]


def judge(form: Format, path: Path) -> tuple[str, str]:
    """Read a file with the reader and plainly; return the result and what is wrong."""
    try:
        reading = read_official(path)
        if reading.problems:
            said = [str(item) for item in reading.problems]
            return ("refused", said[0]) if all(said) else ("misread", "a problem without a message")
        figures = _round(facts_of(reading, path))
    except (FactsError, Refused) as error:
        return "refused", str(error)
    except Exception:  # noqa: BLE001 - that any other error is found is the point
        return "traceback", traceback.format_exc(limit=-4)
    counts = reading.counts()
    if sum(counts.values()) != reading.rows:
        return "misread", f"{reading.rows} rows, but {counts}"
    if reading.format != form.name:
        return "misread", f"read as {reading.format}"
    plain = form.plain(path)
    if plain is None:
        return ("misread", f"a plain reading fails, but: {sorted(figures)[:3]}") if figures else ("read", "")
    stated = _round(set(plain))
    invented = {fact for fact in figures if fact not in stated}
    if invented:
        return "misread", f"not in the file: {sorted(map(str, invented))[:3]}"
    named = {*reading.other["row"], *reading.skipped["row"]}
    lost = [
        fact
        for fact, row in plain.items()
        if fact[-1] is not None
        and _round({fact}).isdisjoint(figures)
        and (row not in named if row else not named)
    ]
    if lost:
        return "misread", f"left out without a word: {sorted(map(str, lost))[:3]}"
    return "read", ""


def run(count: int, seed: int, names: set[str] | None = None) -> list[Outcome]:
    """Damage and read `count` small files, the formats in turn."""
    chosen = [form for form in FORMATS if names is None or form.name in names]
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="monazite-damage-") as folder:
        for index in range(count):
            form = chosen[index % len(chosen)]
            key = f"{seed}/{index}/{form.name}"
            kind, data = damaged(form, random.Random(key))
            path = Path(folder) / form.file
            path.write_bytes(data)
            outcomes.append(Outcome(form.name, kind, key, *judge(form, path)))
    return outcomes


def run_real(files: list[Path], count: int, seed: int) -> list[Outcome]:
    """Damage the bytes of real files: only a traceback can be told there."""
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="monazite-damage-") as folder:
        for file in files:
            sound = read_official(file)
            data = file.read_bytes()
            form = next(item for item in FORMATS if item.name == sound.format)
            for index in range(count):
                key = f"{seed}/{index}/{file.name}"
                kind, made = damaged(form, random.Random(key), data)
                path = Path(folder) / file.name
                path.write_bytes(made)
                result, detail = judge(form, path)
                if result == "misread" and detail.startswith(("not in the file", "left out")):
                    result, detail = (
                        "read",
                        "",
                    )  # the plain reading knows only the subjects of the small files
                outcomes.append(Outcome(sound.format, kind, key, result, detail))
    return outcomes


def main() -> int:
    """Run and report; 1 where something bad was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", action="append", choices=[form.name for form in FORMATS])
    parser.add_argument("--show", type=int, default=10)
    words = parser.parse_args()
    start = time.perf_counter()
    chosen = set(words.format) if words.format else None
    if words.files:
        outcomes = run_real(words.files, words.count, words.seed)
    else:
        outcomes = run(words.count, words.seed, chosen)
    seconds = time.perf_counter() - start
    by_format = Counter((item.format, item.result) for item in outcomes)
    results = ("refused", "read", "misread", "traceback")
    print(f"{'format':18}" + "".join(f"{name:>11}" for name in results))
    for name in dict.fromkeys(item.format for item in outcomes):
        print(f"{name:18}" + "".join(f"{by_format[name, result]:11}" for result in results))
    bad = [item for item in outcomes if item.bad]
    for item in bad[: words.show]:
        print(f"\n{item.result}: {item.format}, {item.kind}, seed {item.seed}\n{item.detail}")
    total = Counter(item.result for item in outcomes)
    print(
        f"\n{len(outcomes)} damaged files in {seconds:.0f} s: {total['refused']} refused, "
        f"{total['read']} read as they now stand, {total['misread']} misread, {total['traceback']} tracebacks"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
