"""A file that was read becomes an import of the user's: name, sources, date, and what is written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from monazite.core.errors import ArgumentError, FactsError
from monazite.facts.effects import Effect, facts_to_write
from monazite.facts.overlay import SAME, Vintage, imported_sources, vintages, write_vintage
from monazite.facts.readers.customs import packaged_sources
from monazite.facts.readers.own import OwnReading
from monazite.facts.readers.reading import Reading
from monazite.facts.reading import read_table
from monazite.facts.rules import FACT_COLUMNS

__all__ = ["Plan", "prepared", "written"]

_DAY = re.compile(r"^\d{4}(-\d{2}(-\d{2})?)?$")


@dataclass(frozen=True)
class Plan:
    """An import, ready to be written.

    Parameters
    ----------
    id
        Name of the vintage: the source and six digits of the file's hash.
    reading
        What the file says, its source dated.
    file
        Name of the file.
    digest
        SHA-256 of the file.
    sources
        Entries of sources that are not packaged.
    """

    id: str
    reading: Reading
    file: str
    digest: str
    sources: Mapping[str, Mapping[str, str]]


def prepared(file: Path, reading: Reading, published: str | None = None) -> Plan:
    """Name an import and gather its sources.

    Parameters
    ----------
    file
        The file.
    reading
        What it says; it has no problems.
    published
        Day, month or year of its publication, where the file does not say it: it decides which of two
        figures of one kind holds.

    Raises
    ------
    ArgumentError
        If the date is none, or the packaged source has its own.
    """
    entry = reading.source_entry
    if published is not None:
        if not _DAY.match(published):
            raise ArgumentError("data.import_day", given=published)
        if entry is None:
            raise ArgumentError("data.import_dated", source=reading.source)
    if entry is not None:
        today = datetime.now(UTC).date().isoformat()
        entry = {**entry, "retrieved": entry.get("retrieved") or today}
        if published is not None:
            entry["published"] = published
        reading = replace(reading, source_entry=entry)
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(1 << 22):
            digest.update(piece)
    sources: dict[str, Mapping[str, str]] = {} if entry is None else {reading.source: entry}
    if isinstance(reading, OwnReading):
        sources |= reading.sources
    sha = digest.hexdigest()
    return Plan(f"{reading.source}-{sha[:6]}", reading, file.name, sha, sources)


def written(plan: Plan, effect: Effect) -> Vintage:
    """Write an import beside the packaged data, whole or not at all.

    Raises
    ------
    FactsError
        If nothing of the file belongs to a packaged chain, or the folder cannot be written.
    ArgumentError
        If the file, or the same figures of its source, are imported already, or another import describes one
        of its sources otherwise.
    """
    reading = plan.reading
    facts = facts_to_write(reading, effect)
    flows = 0 if reading.trade is None else reading.trade.height
    if not facts and not flows:
        raise FactsError("data.import_nothing", file=plan.file)
    for item in vintages():
        if item.manifest["sha256"] == plan.digest or _meet(item, facts, reading.trade):
            raise ArgumentError("data.overlay_there", id=item.id, day=str(item.manifest["imported"])[:10])
    own = packaged_sources()
    known = imported_sources()
    for name, entry in plan.sources.items():
        if name in known and _told(entry) != _told(known[name][1]):
            raise ArgumentError("data.import_source", source=name, id=known[name][0])
    sources = {name: entry for name, entry in plan.sources.items() if name not in known}
    day = plan.sources.get(reading.source, own.get(reading.source, {})).get("published", "")
    manifest = {
        "source": reading.source,
        "format": reading.format,
        "title": reading.title,
        "published": day,
        "file": plan.file,
        "sha256": plan.digest,
        "rows": reading.rows,
        "facts": {chain: frame.height for chain, frame in sorted(facts.items())},
        "trade": flows,
        "sources": sorted(plan.sources),
    }
    return write_vintage(plan.id, manifest, facts, reading.trade, sources)


def _told(entry: Mapping[str, str]) -> dict[str, str]:
    """Return a source's entry without the day on which a file of it was fetched."""
    return {field: text for field, text in entry.items() if field != "retrieved"}


def _meet(item: Vintage, facts: Mapping[str, pl.DataFrame], trade: pl.DataFrame | None) -> bool:
    """Tell whether an import has a figure of the same source on the same subject, or the same flow."""
    for chain, frame in facts.items():
        path = item.facts(chain)
        if path is not None:
            there = read_table(path, FACT_COLUMNS).frame
            if frame.join(there, on=SAME, how="semi", nulls_equal=True).height:
                return True
    if trade is None or item.trade is None:
        return False
    flow = ["source", "year", "hs", "exporter", "importer", "reporter"]
    there = pl.read_parquet(item.trade, columns=flow).cast({"year": pl.Int32})
    return trade.join(there, on=flow, how="semi").height > 0
