"""What every view returns, and the checks that every view makes on the frame it is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from monazite.core.errors import ArgumentError, UnknownName
from monazite.core.text import say

__all__ = [
    "QUALITY",
    "SOURCE_COLUMNS",
    "View",
    "dominant",
    "optional_columns",
    "quality",
    "require",
    "sources_frame",
]

#: columns of a frame of sources; further ones are kept
SOURCE_COLUMNS: tuple[str, ...] = ("source", "citation", "url", "licence", "published", "retrieved")

#: mark of each kind: how the figure was come by is seen, not only read
QUALITY: Mapping[str, str] = {
    "reported": "solid",
    "estimated": "hatched",
    "derived": "hatched",
    "modelled": "hatched",
    "assumed": "hollow",
}

_KINDS = ("reported", "derived", "estimated", "modelled", "assumed")
_UNKNOWN = ("withheld", "missing", "insufficient")


def _no_sources() -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(SOURCE_COLUMNS, pl.String))


@dataclass(frozen=True, eq=False)
class View:
    """One picture before it is drawn.

    Parameters
    ----------
    name
        Name of the view, such as ``"chokepoint"``: the stem of its files and of the ids in its picture.
    title
        What is shown, without a figure.
    sentence
        The headline: what the reader should take away, with figures. It is also the picture's alt text.
    data
        Tidy frame: the only numbers that the picture and its table twin may use.
    encoding
        How to draw it: ``picture`` (matrix, lines, sankey, bars), ``table`` (how the twin is laid out) and
        what the picture needs besides; plain JSON values only.
    notes
        What the reader must know to read the picture rightly.
    sources
        Frame with at least `SOURCE_COLUMNS`, in the order of their footnotes.

    Examples
    --------
    >>> empty = View("none", title="Nothing", sentence="", data=pl.DataFrame(), encoding={})
    >>> sorted(empty.to_dict())
    ['data', 'encoding', 'name', 'notes', 'sentence', 'sources', 'title']
    """

    name: str
    title: str
    sentence: str
    data: pl.DataFrame
    encoding: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    sources: pl.DataFrame = field(default_factory=_no_sources)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values: what the page, the notebook and the command line receive."""
        return {
            "name": self.name,
            "title": self.title,
            "sentence": self.sentence,
            "data": self.data.to_dicts(),
            "encoding": dict(self.encoding),
            "notes": list(self.notes),
            "sources": self.sources.to_dicts(),
        }


def require(view: str, frame: pl.DataFrame, columns: Iterable[str]) -> None:
    """Refuse a frame that lacks a column.

    Raises
    ------
    UnknownName
        Naming the missing column and the nearest one that is there.
    """
    for column in columns:
        if column not in frame.columns:
            nearest = UnknownName("column", column, frame.columns).nearest
            hint = say("view.hint_nearest", nearest=nearest[0]) if nearest else ""
            raise ArgumentError("error.view_column", view=view, column=column, hint=hint)


def optional_columns(frame: pl.DataFrame, columns: Mapping[str, Any]) -> pl.DataFrame:
    """Add the columns that are missing, as null, and give all of them their type."""
    return frame.with_columns(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in columns.items()
    )


def quality(kind: str | None, status: str | None, value: float | None) -> str:
    """Return the mark of a figure: solid, hatched, hollow or unknown.

    Solid is reported; hatched is estimated, derived or modelled; hollow is assumed; unknown is a figure
    that nobody has published or that the facts do not support.

    Examples
    --------
    >>> quality("reported", "ok", 0.5), quality("modelled", None, 0.5), quality("assumed", "ok", 0.5)
    ('solid', 'hatched', 'hollow')
    >>> quality("reported", "withheld", None)
    'unknown'
    """
    if value is None or status in _UNKNOWN:
        return "unknown"
    return QUALITY.get(kind or "", "hollow")


def dominant(parts: Iterable[tuple[str | None, float]]) -> str | None:
    """Return the kind of a sum: the one that carries most of it; of two that carry as much, the weaker.

    Parameters
    ----------
    parts
        Kind and size of each part.

    Examples
    --------
    >>> dominant([("reported", 3.0), ("assumed", 2.0), ("estimated", 2.0)])
    'reported'
    >>> dominant([("reported", 3.0), ("assumed", 2.0), ("assumed", 2.0)])
    'assumed'
    """
    sizes: dict[str, float] = {}
    for kind, size in parts:
        if kind in _KINDS:
            sizes[kind] = sizes.get(kind, 0.0) + abs(size)
    return max(sizes, key=lambda kind: (sizes[kind], _KINDS.index(kind))) if sizes else None


def sources_frame(sources: pl.DataFrame | None) -> pl.DataFrame:
    """Return the sources with all of `SOURCE_COLUMNS`; none gives an empty frame."""
    if sources is None:
        return _no_sources()
    require("sources", sources, ("source",))
    return optional_columns(sources, dict.fromkeys(SOURCE_COLUMNS, pl.String)).unique(
        "source", keep="first", maintain_order=True
    )
