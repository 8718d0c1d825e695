"""What a brief holds: findings, sections with their views, what is not known, sources, manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from monazite.core.errors import ArgumentError
from monazite.core.settings import write_atomic
from monazite.views.view import SOURCE_COLUMNS, View

if TYPE_CHECKING:
    from monazite.core.manifest import Manifest

__all__ = ["Brief", "Finding", "Section"]

_SUFFIXES = (".html", ".htm")


def _no_sources() -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(SOURCE_COLUMNS, pl.String))


@dataclass(frozen=True)
class Finding:
    """One headline.

    Parameters
    ----------
    sentence
        The finding, with its figures, their range and unit.
    kind
        Kind of its figure: reported, estimated, derived, assumed, modelled; None where it has no figure.
    sources
        Ids of its sources.
    assumed_share
        Part of the figure that rests on assumed or modelled facts, 0 to 1; above a half it is said in grey.
    detail
        What belongs to the figure but not into the sentence: basis, year, method.
    cell_id
        The cell of the result that the sentence is about, where it is about one.

    Raises
    ------
    ArgumentError
        ``assumed_share`` lies outside 0 to 1.

    Examples
    --------
    >>> Finding("India takes 71 % of its magnets from one state.", kind="derived").assumed_share is None
    True
    """

    sentence: str
    kind: str | None = None
    sources: tuple[str, ...] = ()
    assumed_share: float | None = None
    detail: str = ""
    cell_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        share = self.assumed_share
        if share is not None and not 0 <= share <= 1:
            raise ArgumentError("error.fraction_expected", name="assumed_share", given=share)


@dataclass(frozen=True, eq=False)
class Section:
    """One section: heading, text, and a view with its picture and table.

    Parameters
    ----------
    heading
        Heading of the section.
    view
        The view to draw; None for a section of text.
    text
        Paragraphs before the picture. Without any the view's sentence stands there.
    after
        Paragraphs after the picture.
    sources
        Ids of further sources, beside those of the view.
    findings
        Findings of the section, as a list below its text.
    table
        Whether the view's table is printed too.
    """

    heading: str
    view: View | None = None
    text: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    table: bool = True


@dataclass(frozen=True, eq=False)
class Brief:
    """A brief before it is written.

    Parameters
    ----------
    title, subtitle
        Title; what and whom it is about.
    findings
        Headlines, the most important first.
    sections
        Sections in their order.
    unknown
        What is not known: one sentence each.
    sources
        Frame with `SOURCE_COLUMNS`: every source that a finding or section names; those of the sections'
        views are added.
    manifest
        What the figures were computed from.
    table
        The rows behind all figures, as the result tables have them.
    date
        Date as it shall be printed. None prints none, so that equal inputs give equal bytes.
    language
        Language of the document.

    Examples
    --------
    >>> brief = Brief(title="Magnets", findings=(Finding("One state makes most of them."),))
    >>> brief.summary()
    'One state makes most of them.'
    >>> brief.html().startswith("<!doctype html>")
    True
    """

    title: str
    subtitle: str = ""
    findings: tuple[Finding, ...] = ()
    sections: tuple[Section, ...] = ()
    unknown: tuple[str, ...] = ()
    sources: pl.DataFrame = field(default_factory=_no_sources)
    manifest: Manifest | None = None
    table: pl.DataFrame = field(default_factory=pl.DataFrame)
    date: str | None = None
    language: str = "en"

    def summary(self) -> str:
        """Return the findings, one a line."""
        return "\n".join(finding.sentence for finding in self.findings)

    def html(self) -> str:
        """Return the brief as one self-contained HTML document."""
        from monazite.report.page import build

        return build(self)

    def document(self) -> Mapping[str, Any]:
        """Return the brief as plain JSON values: summary, table, sources, manifest."""
        return {
            "summary": self.summary(),
            "table": self.table.to_dicts(),
            "sources": self.sources.to_dicts(),
            "manifest": self.manifest.to_dict() if self.manifest else None,
        }

    def to_file(self, path: str | Path) -> Path:
        """Write the brief: all of it or nothing.

        Raises
        ------
        ArgumentError
            The suffix is not one of HTML; nothing is written.
        """
        file = Path(path)
        if file.suffix.lower() not in _SUFFIXES:
            raise ArgumentError(
                "error.view_choice", name="suffix", given=file.suffix or file.name, known=_SUFFIXES
            )
        write_atomic(file, self.html().encode())
        return file
