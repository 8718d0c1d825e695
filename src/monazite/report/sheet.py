"""An answer laid out in the order in which it is read: headline, pictures, why, what would help, sources."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from monazite.assess import Assessment
from monazite.assess.words import told_heads
from monazite.core.errors import ArgumentError
from monazite.core.manifest import Manifest
from monazite.core.text import has, say
from monazite.market.measures.relief import RELIEF
from monazite.report.brief import Finding
from monazite.report.explained import figure, label
from monazite.report.twin import Cell
from monazite.stress.words import told
from monazite.views import View, views_of, words
from monazite.views.relief import relief_sentences
from monazite.views.tornado import headline_of
from monazite.views.view import sources_frame

__all__ = ["Sheet", "manifest_rows", "sheet"]

#: the view that says what would help; it stands apart from the pictures of the answer
HELP = "relief"
#: steps of the headline's figure that are worth asking about, in the order of the chain
_STEPS = (
    "touch_share", "direct_share", "mined_share", "separated_share", "metal_share", "component_share",
    "n_minus_1_final",
)  # fmt: skip
#: what is worth asking of a stress: measure, and whether its largest figure is the telling one
_TELLING: tuple[tuple[str, bool], ...] = (
    ("shortage", True), ("first_stop_week", False), ("price_multiple", True), ("exports_multiple", False),
    ("value_added_lost", True), ("value_added_on_order", True),
)  # fmt: skip
#: what is worth asking of a study besides its headline, and how many causes of it
_SPREAD: tuple[tuple[str, bool], ...] = (("unserved", True), ("price_multiple", True))
_CAUSES = 3


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
    helpful
        Whether what would help is a part of the answer at all.
    more_help
        The same in words for the chains that the view does not show.
    sources
        Frame of sources, in the order of their numbers.
    manifest
        What the answer was computed from.
    """

    findings: tuple[Finding, ...]
    views: Mapping[str, Callable[[], View]]
    why: tuple[tuple[str, str, Cell], ...]
    help: View | None
    more_help: tuple[str, ...]
    sources: pl.DataFrame
    manifest: Manifest
    helpful: bool = True


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
        more_help=_more_help(result) if helps is not None else (),
        sources=sources_frame(result.sources),
        manifest=result.manifest,
        helpful=not _studied(result),
    )


def _studied(result: Any) -> bool:
    """Tell whether a result is of many scenarios: it says how many."""
    return "scenarios" in set(result.table["measure"].to_list())


def _more_help(result: Any) -> tuple[str, ...]:
    """Sentences on what would help in each chain after the first, which the view shows."""
    table = result.table.filter(pl.col("measure").is_in(RELIEF))
    chains = table["chain"].drop_nulls().unique(maintain_order=True).to_list()[1:]
    return tuple(" ".join(relief_sentences(result.table, chain=chain)) for chain in chains)


def _findings(result: Any) -> list[Finding]:
    """Sentences of the summary; the first one with the range of the figures that it names."""
    if isinstance(result, Assessment):
        about = told_heads(result)
        shares = [row["assumed_share"] for row in about if row.get("assumed_share") is not None]
        first, *rest = result.findings()
        return [_finding(first, about, max(shares, default=None)), *(_finding(text, []) for text in rest)]
    if _studied(result):
        head = headline_of(result.table)
        share = head.get("assumed_share") if head else None
        first, *rest = result.findings()
        return [_finding(first, [head] if head else [], share), *(_finding(text, []) for text in rest)]
    return [_finding(text, [row] if row else []) for text, row in told(result)]


def _finding(sentence: str, about: list[dict[str, Any]], share: float | None = None) -> Finding:
    return Finding(
        sentence,
        kind=str(about[0]["kind"]) if about else "modelled",
        assumed_share=share,
        detail="; ".join(_ranged(row) for row in about),
        cell_id=str(about[0]["cell_id"]) if about else None,
    )


def _ranged(row: Mapping[str, Any]) -> str:
    cell = figure(row)
    within = say("sheet.range", range=cell.within) if cell.within else say("sheet.no_range")
    return say("sheet.figure", label=label(row), figure=cell.text, range=within)


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
    """Cells worth asking about: the steps behind the headline; of a stress what is worst of each kind."""
    table = result.table
    rows: list[dict[str, Any]] = []
    if isinstance(result, Assessment):
        for head in told_heads(result):
            same = [name for name in ("chain", "commodity", "element", "by") if name in table.columns]
            about = pl.all_horizontal(pl.col(name).eq_missing(pl.lit(head[name])) for name in same)
            rows += [head, *_steps(table.filter(about), head)]
    elif _studied(result):
        rows = _moved(table)
    else:
        rows = [row for _, row in told(result) if row]
        for measure, most in _TELLING:
            if any(row["measure"] == measure for row in rows):
                continue
            rows += _telling(table, measure, most=most, count=1)
    found = {str(row["cell_id"]): row for row in rows}
    return [(name, label(row), figure(row)) for name, row in found.items()]


def _moved(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Of a study: its headline, the causes that move it most, and the worst outcome of each kind."""
    head = headline_of(table)
    swings = table.filter((pl.col("measure") == "headline_swing") & pl.col("value").is_not_null())
    rows = swings.sort(["value", "cell_id"], descending=[True, False]).head(_CAUSES).to_dicts()
    if head is not None:
        rows = [head, *(row | {"of": head["of"]} for row in rows)]
    for measure, most in _SPREAD:
        rows += _telling(table, measure, most=most, count=1)
    return rows


def _steps(table: pl.DataFrame, head: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for measure in _STEPS:
        part = table.filter((pl.col("measure") == measure) & pl.col("value").is_not_null())
        own = part.filter((pl.col("place") == head["place"]) & (pl.col("stage") == head["stage"]))
        if measure.startswith("n_minus_1"):
            own = part.filter(pl.col("place") == head["place"]).sort("value", maintain_order=True)
        rows += own.head(1).to_dicts()
    return rows


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
    told = [(name, "" if value is None else str(value)) for name, value in rows]
    told += [(_name(name), _plain(value)) for name, value in known["extra"].items()]
    return [(name, value) for name, value in told if value]


def _name(name: str) -> str:
    return say(f"view.column_{name}") if has(f"view.column_{name}") else words.chain(name)


def _plain(value: object) -> str:
    """Write a value for a reader; what holds nothing is an empty text."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, Mapping):
        given = {name: item for name, item in value.items() if item not in (None, [], {})}
        return "; ".join(f"{name} {_plain(item)}" for name, item in given.items())
    if isinstance(value, Sequence) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
