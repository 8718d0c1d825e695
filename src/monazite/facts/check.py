"""Check a file before it is loaded: every problem, with row, column and the nearest right name."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from monazite.core.errors import ArgumentError, FactsError
from monazite.facts.chain import context_of
from monazite.facts.controls import control_problems
from monazite.facts.corrections import read_corrections
from monazite.facts.folder import SOURCE_FIELDS, packaged
from monazite.facts.problems import Problem, name_problem, problem
from monazite.facts.reading import decode, read_table
from monazite.facts.rules import FACT_COLUMNS, Context, fact_problems
from monazite.facts.structure import (
    ACTIVITY_COLUMNS,
    COMMODITY_COLUMNS,
    activity_problems,
    commodity_problems,
)

__all__ = ["Problem", "check_file"]

_TABLES: dict[str, tuple[str, ...]] = {
    "facts": FACT_COLUMNS,
    "commodities": COMMODITY_COLUMNS,
    "activities": ACTIVITY_COLUMNS,
}


def check_file(path: str | Path) -> list[Problem]:
    """Name everything wrong with a file.

    Parameters
    ----------
    path
        A table of facts, commodities or activities (CSV, told apart by their columns), or a TOML file of
        sources, corrections or a control. Names of commodities and activities are those of the tables in
        the same folder where these lie there, else of all packaged chains. Sources are the packaged ones and
        those in ``sources.toml`` or ``sources/*.toml`` beside the file or one or two folders above.

    Returns
    -------
    list of Problem
        In the order of the rows; empty where nothing is wrong.

    Raises
    ------
    ArgumentError
        If there is no such file or it cannot be read.

    Examples
    --------
    >>> from monazite.core.settings import data_folder
    >>> check_file(data_folder() / "chains" / "toy" / "facts.csv")
    []
    """
    file = Path(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ArgumentError("data.no_table", file=file, reason=error.strerror or str(error)) from error
    if file.suffix.lower() == ".toml":
        return _check_toml(file, data)
    return _check_table(file, data)


def _check_table(file: Path, data: bytes) -> list[Problem]:
    kind = _kind_of(data)
    table = read_table(file, _TABLES[kind], data)
    found = list(table.problems)
    if table.frame.height:
        if kind == "facts":
            context, trouble = _context_beside(file)
            found += trouble
            found += fact_problems(table.frame, context)
        elif kind == "commodities":
            found += commodity_problems(table.frame, None)
        else:
            found += activity_problems(table.frame, None, _commodities_beside(file)["commodity"].to_list())
    return sorted(found, key=lambda item: item.row or 0)


def _kind_of(data: bytes) -> str:
    """Guess by the header which table is meant: the one that shares most columns, facts where none does."""
    text, _ = decode(data)
    try:
        lines = (line for line in (text or "").splitlines() if line.strip())
        header = {cell.strip() for cell in next(csv.reader(lines), [])}
    except csv.Error:
        header = set()
    return max(_TABLES, key=lambda kind: len(header & set(_TABLES[kind])) / len(_TABLES[kind]))


def _context_beside(file: Path) -> tuple[Context, list[Problem]]:
    sources = dict.fromkeys(packaged().read_sources())
    trouble: list[Problem] = []
    for item in _source_files(file):
        try:
            entries = tomllib.loads(item.read_text(encoding="utf-8")).get("sources", {})
        except (OSError, ValueError) as error:
            trouble.append(problem("toml", file=item.name, reason=str(error)))
            continue
        sources |= dict.fromkeys(entries)
    activities = _beside(file, "activities", ACTIVITY_COLUMNS)
    return context_of(_commodities_beside(file), activities, sources), trouble


def _source_files(file: Path) -> list[Path]:
    found = []
    for folder in [*file.absolute().parents][:3]:
        found += [folder / "sources.toml", *sorted((folder / "sources").glob("*.toml"))]
    return [item for item in found if item.is_file()]


def _commodities_beside(file: Path) -> pl.DataFrame:
    return _beside(file, "commodities", COMMODITY_COLUMNS)


def _beside(file: Path, name: str, columns: Sequence[str]) -> pl.DataFrame:
    """Return the table of that name in the file's folder, or those of all packaged chains."""
    own = file.parent / f"{name}.csv"
    if own.is_file():
        return read_table(own, columns).frame
    folder = packaged()
    return pl.concat(
        read_table(folder.chains / chain / f"{name}.csv", columns).frame for chain in folder.names()
    )


def _check_toml(file: Path, data: bytes) -> list[Problem]:
    text, found = decode(data)
    if text is None:
        return found
    try:
        entries = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return [problem("toml", file=file.name, reason=str(error))]
    if "sources" in entries:
        return _source_problems(entries["sources"])
    if "correction" in entries:
        try:
            read_corrections(file)
        except FactsError as error:
            return [Problem(None, None, str(error), None, error.key)]
        return []
    return control_problems(entries)


def _source_problems(sources: Any) -> list[Problem]:
    if not isinstance(sources, Mapping) or not all(isinstance(entry, Mapping) for entry in sources.values()):
        return [problem("table_expected", None, "sources")]
    found: list[Problem] = []
    known = (*SOURCE_FIELDS, "note")
    for name, entry in sources.items():
        at = f"sources.{name}"
        blank = [
            field for field in ("citation", "licence", "retrieved") if not str(entry.get(field, "")).strip()
        ]
        found += [problem("empty_cell", None, f"{at}.{field}", what=field) for field in blank]
        found += [name_problem(None, at, "field", field, known) for field in entry if field not in known]
    return found
