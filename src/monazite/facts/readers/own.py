"""The project's own facts table, as anybody may write it: checked like a packaged one."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monazite.core.errors import FactsError
from monazite.core.text import say
from monazite.facts.check import check_file
from monazite.facts.folder import SOURCE_FIELDS, packaged, read_toml
from monazite.facts.problems import Problem, problem
from monazite.facts.readers.customs import packaged_sources
from monazite.facts.readers.reading import FACTS_SCHEMA, OTHER_SCHEMA, SKIPPED_SCHEMA, Reading, frame_of
from monazite.facts.reading import read_table
from monazite.facts.rules import FACT_COLUMNS
from monazite.facts.structure import ACTIVITY_COLUMNS, COMMODITY_COLUMNS, HOST_COLUMNS

__all__ = ["READERS", "OwnReading", "chains_by_name"]

#: a header that shares this many columns is meant as a facts table
_SHARED = 10


@dataclass(frozen=True, eq=False)
class OwnReading(Reading):
    """A reading of a facts table, with the sources beside it that are not packaged."""

    sources: Mapping[str, dict[str, str]] = field(default_factory=dict)


class OwnTable:
    """Reader of a facts table (CSV with the columns of ``data/schema/facts.csv``)."""

    name = "facts"
    title = "facts table of this project (CSV)"

    def recognises(self, head: bytes, name: str) -> bool:  # noqa: ARG002
        """Tell by the header, which may lack a few columns: it is then refused by name."""
        line = head.decode("utf-8", "replace").lstrip("\ufeff").partition("\n")[0]
        try:
            header = {cell.strip() for cell in next(csv.reader([line]), [])}
        except csv.Error:
            return False
        return len(header & set(FACT_COLUMNS)) >= _SHARED

    def read(self, path: Path) -> OwnReading:
        """Read and check a facts table; its rows belong to the chains whose names they use."""
        problems: list[Problem] = list(check_file(path))
        table = read_table(path, FACT_COLUMNS)
        known = packaged_sources()
        sources: dict[str, dict[str, str]] = {}
        if not problems:
            sources, problems = _sources(path, set(table.frame["source"].to_list()) - set(known))
        names = chains_by_name()
        facts, other = [], []
        for row in table.frame.iter_rows(named=True) if not problems else ():
            used = {
                part.strip()
                for column in ("commodity", "activity")
                for part in (row[column] or "").split(";")
                if part.strip()
            }
            chain = _chain(used, names)
            if chain is not None:
                facts.append((*(row[name] for name in FACT_COLUMNS), chain, row["row"]))
            else:
                reason = "no_chain" if used else "no_name"
                what = " · ".join(
                    str(row[name]) for name in ("variable", "commodity", "activity") if row[name]
                )
                other.append((row["row"], what, say(f"data.left_{reason}")))
        return OwnReading(
            format="facts",
            title=path.name,
            vintage="",
            source=re.sub(r"[^a-z0-9]+", "_", path.stem.lower()).strip("_") or "facts",
            facts=frame_of(facts, FACTS_SCHEMA),
            trade=None,
            other=frame_of(other, OTHER_SCHEMA),
            skipped=frame_of((), SKIPPED_SCHEMA),
            problems=tuple(problems),
            rows=table.frame.height + sum(item.key == "data.cell_count" for item in table.problems),
            sources=sources,
        )


def chains_by_name() -> dict[str, tuple[str, ...]]:
    """Return the packaged chains of every commodity and activity, first the one that gives it to others.

    Examples
    --------
    >>> chains_by_name()["toy_ore"]
    ('toy',)
    """
    folder = packaged()
    found: dict[str, list[str]] = {}
    for chain in folder.names():
        home = folder.chains / chain
        yielded: set[str] = set()
        if (home / "hosts.csv").is_file():
            yielded = set(read_table(home / "hosts.csv", HOST_COLUMNS).frame["name"].to_list())
        for file, columns, column in (
            ("commodities.csv", COMMODITY_COLUMNS, "commodity"),
            ("activities.csv", ACTIVITY_COLUMNS, "activity"),
        ):
            for name in read_table(home / file, columns).frame[column].drop_nulls().to_list():
                owners = found.setdefault(name, [])
                owners.insert(len(owners) if name in yielded else 0, chain)
    return {name: tuple(owners) for name, owners in found.items()}


def _chain(used: set[str], names: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return the chain that knows all names of a row."""
    owners: list[Any] = [names.get(name, ()) for name in sorted(used)]
    if not owners:
        return None
    return next((chain for chain in owners[0] if all(chain in other for other in owners)), None)


def _sources(path: Path, wanted: set[str]) -> tuple[dict[str, dict[str, str]], list[Problem]]:
    """Return the entries of sources that stand beside the table or one or two folders above."""
    found: dict[str, dict[str, str]] = {}
    for folder in [*path.absolute().parents][:3]:
        for file in [folder / "sources.toml", *sorted((folder / "sources").glob("*.toml"))]:
            if not file.is_file() or not wanted - set(found):
                continue
            try:
                entries = read_toml(file).get("sources", {})
            except FactsError as error:
                return {}, [problem("toml", file=file.name, reason=str(error))]
            for name in sorted(wanted & set(entries) - set(found)):
                found[name] = {column: str(entries[name].get(column, "")) for column in SOURCE_FIELDS}
    return found, []


READERS = (OwnTable(),)
