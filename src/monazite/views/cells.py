"""The cells of a matrix: what every view that is drawn as one shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from monazite.core.text import say
from monazite.views.numbers import interval, percent
from monazite.views.view import quality

__all__ = ["MATRIX_TYPES", "figure", "matrix_frame", "note_quality"]

#: columns of the data of a view that is drawn as a matrix
MATRIX_TYPES: Mapping[str, Any] = {
    "row": pl.Int64, "group_label": pl.String, "stage_label": pl.String, "row_label": pl.String,
    "column": pl.Int64, "column_label": pl.String,
    "measure": pl.String, "chain": pl.String, "stage": pl.String, "commodity": pl.String,
    "element": pl.String, "place": pl.String, "by": pl.String, "period": pl.String,
    "value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "unit": pl.String, "basis": pl.String,
    "kind": pl.String, "status": pl.String, "quality": pl.String, "text": pl.String, "cell_id": pl.String,
}  # fmt: skip

_CARRIED = ("period", "low", "high", "basis", "kind", "status", "cell_id")


def figure(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return value, mark and text of one cell: its share, else its bounds, else "?".

    Examples
    --------
    >>> cell = dict.fromkeys(("low", "high", "unit", "period", "basis", "cell_id"))
    >>> figure(cell | {"value": None, "kind": None, "status": "missing"})["text"]
    '?'
    """
    mark = quality(row["kind"], row["status"], row["value"])
    value = row["value"] if mark != "unknown" else None
    if value is not None:
        text = percent(value)
    else:
        text = interval(row["low"], row["high"], "share") or say("view.unknown")
    return {
        "value": value,
        "unit": row["unit"] or "1",
        "quality": mark,
        "text": text,
        **{name: row[name] for name in _CARRIED},
    }


def matrix_frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return cells as the data of a view; columns that a row lacks are null."""
    return pl.DataFrame([{name: row.get(name) for name in MATRIX_TYPES} for row in rows], schema=MATRIX_TYPES)


def note_quality(marks: Iterable[str]) -> str:
    """Say how many cells have each mark that occurs.

    Examples
    --------
    >>> note_quality(["solid", "solid", "unknown"])
    'Cells: 2 reported (solid), 1 without a public figure (?).'
    """
    counts = dict.fromkeys(("solid", "hatched", "hollow", "unknown"), 0)
    for mark in marks:
        counts[mark] += 1
    parts = [say(f"view.note_{mark}", count=count) for mark, count in counts.items() if count]
    return say("view.note_quality", parts=parts)
