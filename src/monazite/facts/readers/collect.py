"""Gathering what a reader finds, so that every row of a file stands in one class and in one only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import polars as pl

from monazite.core.text import say
from monazite.facts.problems import Problem, name_problem, problem
from monazite.facts.readers.cells import Figure, written
from monazite.facts.readers.maps import Entry
from monazite.facts.readers.reading import (
    FACTS_SCHEMA,
    OTHER_SCHEMA,
    SKIPPED_SCHEMA,
    Reading,
    frame_of,
)
from monazite.facts.rules import SUBJECT, variables

__all__ = ["Collector", "unit_of"]


@lru_cache(maxsize=64)
def unit_of(variable: str) -> str:
    """Return the canonical unit of a variable.

    Examples
    --------
    >>> unit_of("output"), unit_of("price")
    ('t/yr', 'USD/kg')
    """
    return str(variables().filter(pl.col("variable") == variable)["canonical"].item())


@dataclass
class Collector:
    """What has been found so far.

    A problem of a row outweighs a fact, a fact outweighs what is of no chain, and that outweighs a reason
    to skip: a row with several figures stands where its weightiest one does.

    Parameters
    ----------
    format, source
        As in `Reading`.
    """

    format: str
    source: str = ""
    problems: list[Problem] = field(default_factory=list)
    facts: list[dict[str, object]] = field(default_factory=list)
    others: dict[int, tuple[str, str]] = field(default_factory=dict)
    skips: dict[int, str] = field(default_factory=dict)

    def wrong(self, key: str, row: int | None = None, column: str | None = None, **values: object) -> None:
        """Note a problem (``data.<key>``)."""
        self.problems.append(problem(key, row, column, **values))

    def strange(self, row: int, column: str, kind: str, given: str, nearest: str | None) -> None:
        """Note an unknown name."""
        self.problems.append(
            name_problem(row, column, kind, given, [nearest] if nearest else [], nearest=nearest)
        )

    def cite(self, source: str) -> None:
        """Let all facts so far cite another source: the year of a file is known when it has been read."""
        self.source = source
        self.facts = [{**item, "source": source} for item in self.facts]

    def other(self, row: int, what: str, key: str = "reader_no_chain", **values: object) -> None:
        """Note a row that was read and is of no packaged chain."""
        self.others.setdefault(row, (what, say(f"data.{key}", **values)))

    def skip(self, row: int, key: str, **values: object) -> None:
        """Note a row that holds nothing to read."""
        self.skips.setdefault(row, say(f"data.{key}", **values))

    def fact(
        self,
        row: int,
        entry: Entry,
        found: Figure,
        *,
        place: str,
        period: str,
        kind: str,
        locator: str,
        variable: str | None = None,
        note: str = "",
    ) -> None:
        """Note a fact: a publisher's figure, converted as its mapping says."""
        scaled = found.times(entry.factor * entry.content)
        name = variable or entry.variable
        if entry.content != 1 and kind == "reported":
            kind = "derived"
        self.facts.append(
            {
                "variable": name,
                "commodity": entry.commodity or None,
                "activity": entry.activity or None,
                "place": place or None,
                "partner": None,
                "period": period,
                "value": written(scaled.value),
                "low": written(scaled.low),
                "high": written(scaled.high),
                "unit": unit_of(name),
                "basis": entry.basis,
                "kind": kind,
                "status": found.status,
                "source": self.source,
                "locator": locator,
                "note": "; ".join(part for part in (note, entry.note) if part) or None,
                "chain": entry.chain,
                "row": row,
            }
        )

    def reading(
        self, *, title: str, vintage: str, rows: int, entry: Mapping[str, str] | None = None
    ) -> Reading:
        """Return the reading."""
        bad = {item.row for item in self.problems if item.row is not None}
        facts = self._added([item for item in self.facts if item["row"] not in bad])
        taken = bad | {item["row"] for item in facts}
        others = [(row, *rest) for row, rest in sorted(self.others.items()) if row not in taken]
        taken = taken | {row for row, *_ in others}
        skips = [(row, reason) for row, reason in sorted(self.skips.items()) if row not in taken]
        return Reading(
            self.format,
            title,
            vintage,
            self.source,
            pl.DataFrame(facts, schema=dict(FACTS_SCHEMA)),
            None,
            frame_of(others, OTHER_SCHEMA),
            frame_of(skips, SKIPPED_SCHEMA),
            tuple(sorted(self.problems, key=lambda item: item.row or 0)),
            rows,
            entry,
        )

    def _added(self, facts: list[dict[str, object]]) -> list[dict[str, object]]:
        """Add the figures of several rows that are of one subject (ilmenite and rutile of a place)."""
        groups: dict[tuple[object, ...], list[dict[str, object]]] = {}
        for item in facts:
            groups.setdefault(tuple(item[name] for name in ("chain", "variable", *SUBJECT)), []).append(item)
        found = []
        for parts in groups.values():
            first = parts[0]
            if len(parts) > 1:
                first = _sum(parts)
                for part in parts[1:]:
                    self.skip(int(str(part["row"])), "reader_added")
            found.append(first)
        return found


def _sum(parts: list[dict[str, object]]) -> dict[str, object]:
    """Return one fact for several: the sum, or what is known of it where a part is not."""
    known = [float(str(part["value"])) for part in parts if part["value"] is not None]
    lows = [part["value"] if part["value"] is not None else part["low"] for part in parts]
    least = sum(float(str(low)) for low in lows if low is not None)
    whole = len(known) == len(parts)
    kinds = [str(part["kind"]) for part in parts]
    notes = dict.fromkeys(str(part["note"]) for part in parts if part["note"])
    status = next((str(part["status"]) for part in parts if part["value"] is None), "ok")
    return {
        **parts[0],
        "value": written(sum(known)) if whole else None,
        "low": None if whole or not least else written(least),
        "high": None,
        "kind": next((kind for kind in ("estimated", "derived") if kind in kinds), kinds[0]),
        "status": status,
        "locator": " + ".join(str(part["locator"]) for part in parts),
        "note": "; ".join(notes) or None,
    }
