"""Known errors of a source: the table keeps the source's figure, loading puts the right one in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from monazite.core.errors import FactsError, nearest_names
from monazite.core.text import say
from monazite.facts.folder import read_toml
from monazite.facts.rules import FACT_COLUMNS, SUBJECT

__all__ = ["STATUSES", "Correction", "apply_corrections", "read_corrections"]

#: what the source has been told
STATUSES = ("not_reported", "reported", "acknowledged", "mended")

_CELLS = ("value", "low", "high", "unit", "basis", "kind", "status")
_SELECT = ("variable", *SUBJECT, "source", "locator")
_NEEDED = ("id", "chain", "select", "expected", "correct", "what", "why", "whose", "status")
_KNOWN = (*_NEEDED, "column")


@dataclass(frozen=True)
class Correction:
    """One known error: which cell, the wrong figure expected there, the right one, and the reason.

    Parameters
    ----------
    id, chain
        Name of the entry; the chain whose table it corrects.
    select
        Column to value: the cells that single out one row.
    column
        The cell to correct.
    expected, correct
        Wrong figure as packaged and the right one, as text; blank text for an empty cell.
    what, why, whose, status
        What is wrong, how that is known, whose error it is, what its owner has been told.
    """

    id: str
    chain: str
    select: dict[str, str]
    column: str
    expected: str
    correct: str
    what: str
    why: str
    whose: str
    status: str


def read_corrections(path: Path) -> tuple[Correction, ...]:
    """Read a corrections file; none where there is no file.

    Raises
    ------
    FactsError
        If an entry lacks a field, has one that is unknown, or names a column or status that is none.
    """
    if not path.is_file():
        return ()
    found = []
    for number, entry in enumerate(read_toml(path).get("correction", []), start=1):
        name = str(entry.get("id", f"#{number}"))
        for field in _NEEDED:
            if field not in entry:
                raise FactsError("data.correction_field", id=name, field=field)
        for field in entry:
            if field not in _KNOWN:
                near = nearest_names(field, _KNOWN, most=1)
                raise FactsError("data.correction_unknown", id=name, field=field, known=near or _KNOWN)
        column = str(entry.get("column", "value"))
        _known(name, column, _CELLS)
        _known(name, str(entry["status"]), STATUSES)
        select = entry["select"]
        if not isinstance(select, dict) or not select:
            raise FactsError("data.correction_field", id=name, field="select")
        for key in select:
            _known(name, key, _SELECT)
        found.append(
            Correction(
                name,
                str(entry["chain"]),
                {key: str(value) for key, value in select.items()},
                column,
                str(entry["expected"]),
                str(entry["correct"]),
                str(entry["what"]),
                str(entry["why"]),
                str(entry["whose"]),
                str(entry["status"]),
            )
        )
    return tuple(found)


def apply_corrections(raw: pl.DataFrame, chain: str, corrections: Sequence[Correction]) -> pl.DataFrame:
    """Put the right figures in the place of the wrong ones.

    Parameters
    ----------
    raw
        A chain's facts as text (columns ``row`` and `FACT_COLUMNS`).
    chain
        The chain.
    corrections
        Entries of any chain; those of others are left aside.

    Returns
    -------
    polars.DataFrame
        The same rows with one more column, ``correction``: what was changed, or null.

    Raises
    ------
    FactsError
        If an entry finds no row or more than one, or its row no longer holds the wrong figure expected.
    """
    frame = raw.with_columns(correction=pl.lit(None, dtype=pl.String))
    for entry in corrections:
        if entry.chain != chain:
            continue
        chosen = pl.all_horizontal(
            (pl.col(key).fill_null("") == value if key in FACT_COLUMNS else pl.lit(value=False))
            for key, value in entry.select.items()
        )
        rows = frame.filter(chosen)
        if rows.height != 1:
            raise FactsError("data.correction_rows", id=entry.id, found=rows.height)
        given = rows[entry.column].item()
        if not _same(given, entry.expected):
            raise FactsError(
                "data.correction_mended",
                id=entry.id,
                row=rows["row"].item(),
                column=entry.column,
                expected=entry.expected,
                given=given,
            )
        note = say(
            "data.corrected",
            id=entry.id,
            column=entry.column,
            expected=entry.expected,
            correct=entry.correct,
            what=entry.what,
            why=entry.why,
            whose=entry.whose,
        )
        frame = frame.with_columns(
            pl.when(chosen)
            .then(pl.lit(entry.correct or None, dtype=pl.String))
            .otherwise(pl.col(entry.column))
            .alias(entry.column),
            correction=pl.when(chosen).then(pl.lit(note)).otherwise("correction"),
        )
    return frame


def _known(name: str, given: str, known: Sequence[str]) -> None:
    if given not in known:
        near: Any = nearest_names(given, known, most=1) or known
        raise FactsError("data.correction_unknown", id=name, field=given, known=near)


def _same(given: str | None, expected: str) -> bool:
    """Compare as numbers where both are, else as text."""
    if given is None or not expected:
        return (given or "") == expected
    try:
        return float(given) == float(expected)
    except ValueError:
        return given == expected
