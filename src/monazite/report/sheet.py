"""An answer laid out in the order in which it is read: headline, pictures, why, what would help, sources."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from monazite.assess import Assessment
from monazite.assess.words import heads
from monazite.core.errors import ArgumentError
from monazite.core.manifest import Manifest
from monazite.core.text import has, say
from monazite.report.brief import Finding
from monazite.report.explained import figure, label
from monazite.report.twin import Cell
from monazite.views import View, views_of, words
from monazite.views.view import sources_frame

__all__ = ["Sheet", "manifest_rows", "sheet"]

#: the view that says what would help; it stands apart from the pictures of the answer
HELP = "relief"
#: cells of each kind that are offered for explanation
_EACH = 2
#: what is worth asking why, the first one first: measure, and whether its largest figure is the telling one
_WHY: tuple[tuple[str, bool], ...] = (
    ("touch_share", True), ("direct_share", True), ("mined_share", True), ("n_minus_1_final", False),
    ("top1", True), ("shortage", True), ("first_stop_week", False), ("price_multiple", True),
    ("value_added_lost", True), ("exports_multiple", False),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Sheet:
    """An answer in reading order.

    Parameters
    ----------
    findings
        Headlines with their kind, their range in ``detail``, and the cell that each is about.
    views
        Pictures by name, the first one leading; each is made when called.
    why
        Cells worth explaining: id, what it is about, the figure.
    help
        The view of what would help, or None where the facts know of nothing.
    sources
        Frame of sources, in the order of their numbers.
    manifest
        What the answer was computed from.
    """

    findings: tuple[Finding, ...]
    views: Mapping[str, Callable[[], View]]
    why: tuple[tuple[str, str, Cell], ...]
    help: View | None
    sources: pl.DataFrame
    manifest: Manifest


def sheet(result: Any) -> Sheet:
    """Lay out a result of floor 3.

    Parameters
    ----------
    result : Result

    Returns
    -------
    Sheet

    Examples
    --------
    >>> from monazite.assess import assess
    >>> from monazite.network import toy
    >>> made = sheet(assess(toy(), "IND", by="CHN"))
    >>> made.findings[0].kind, list(made.views)[0]
    ('modelled', 'dependence')
    """
    try:
        views = dict(views_of(result))
    except ArgumentError:
        views = {}
    helps = views.pop(HELP, None)
    return Sheet(
        findings=tuple(_findings(result)),
        views=views,
        why=tuple(_why(result)),
        help=helps() if helps is not None else None,
        sources=sources_frame(result.sources),
        manifest=result.manifest,
    )


def _findings(result: Any) -> list[Finding]:
    """Sentences of the summary; the first one with the range of the figures that it names."""
    sentences = list(result.findings())
    rows = heads(result) if isinstance(result, Assessment) else _stress_heads(result.table)
    shares = [row["assumed_share"] for row in rows if row.get("assumed_share") is not None]
    made = []
    for place, sentence in enumerate(sentences):
        own = rows if place == 0 else []
        made.append(
            Finding(
                sentence,
                kind=str(own[0]["kind"]) if own else "modelled",
                assumed_share=max(shares) if own and shares else None,
                detail="; ".join(_ranged(row) for row in own),
                cell_id=str(own[0]["cell_id"]) if own else None,
            )
        )
    return made


def _ranged(row: Mapping[str, Any]) -> str:
    cell = figure(row)
    within = say("sheet.range", range=cell.within) if cell.within else say("sheet.no_range")
    return say("sheet.figure", label=label(row), figure=cell.text, range=within)


def _stress_heads(table: pl.DataFrame) -> list[dict[str, Any]]:
    """The worst shortage outside the restricting state: what the first sentence is about."""
    return _telling(table, "shortage", most=True, count=1)


def _telling(table: pl.DataFrame, measure: str, *, most: bool, count: int) -> list[dict[str, Any]]:
    rows = table.filter((pl.col("measure") == measure) & pl.col("value").is_not_null())
    outside = rows.filter(pl.col("by").is_null() | (pl.col("place") != pl.col("by")))
    rows = outside if outside.height else rows
    own = rows.filter(pl.col("place") != "WLD")
    rows = own if own.height else rows
    ranked = rows.sort(["value", "cell_id"], descending=[most, False])
    keys = [name for name in ("commodity", "use", "place") if name in ranked.columns]
    return ranked.unique(keys, keep="first", maintain_order=True).head(count).to_dicts()


def _why(result: Any) -> list[tuple[str, str, Cell]]:
    table = result.table
    rows = heads(result) if isinstance(result, Assessment) else []
    for measure, most in _WHY:
        if not any(row["measure"] == measure for row in rows):
            rows += _telling(table, measure, most=most, count=_EACH)
    return [(str(row["cell_id"]), label(row), figure(row)) for row in rows]


def manifest_rows(manifest: Manifest) -> list[tuple[str, str]]:
    """Return a manifest as names and values for a reader.

    Examples
    --------
    >>> rows = manifest_rows(Manifest.create(inputs=[b"facts"], base_year=2024, method="assess/1"))
    >>> rows[0]
    ('Base year', '2024')
    """
    known = manifest.to_dict()
    year = known["base_year"]
    if isinstance(year, Mapping):
        year = ", ".join(f"{words.chain(name)} {value}" for name, value in year.items())
    versions = ", ".join(f"{name} {value}" for name, value in known["versions"].items())
    rows = [
        (say("brief.manifest_year"), year),
        (say("brief.manifest_method"), known["method"]),
        (say("brief.manifest_hash"), known["input_hash"]),
        (say("brief.manifest_versions"), versions),
        (say("brief.manifest_seed"), known["seed"]),
    ]
    rows += [(_name(name), _plain(value)) for name, value in known["extra"].items()]
    return [(name, str(value)) for name, value in rows if value is not None]


def _name(name: str) -> str:
    return say(f"view.column_{name}") if has(f"view.column_{name}") else words.chain(name)


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
