"""Map of what is known: chain × stage × year, each cell marked by how most of its tonnes are known.

Input: ``table``
    A table of `monazite.facts.coverage`: its rows ``leading_share`` are the cells, its rows ``facts`` say how
    many facts stand behind each.

Data of the view
    One row a cell: ``row, group_label`` (family of chains), ``chain, chain_label, stage, stage_label, block``
    (place of the stage among the columns), ``period, column`` (place of the year), ``known, value`` (part of
    the tonnes, or of the facts, that is so known), ``denominator, facts, kind, status, quality, text,
    cell_id``. A stage that a chain has not has no cell.

Marks (``quality``): solid = reported; hatched = estimated or derived; dotted = assumed or modelled; cross =
withheld; hollow = none.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from monazite.core.errors import ArgumentError
from monazite.core.text import say
from monazite.views import words
from monazite.views.numbers import percent
from monazite.views.view import View, optional_columns, require, sources_frame

__all__ = ["COVERAGE_MARKS", "coverage_map"]

#: mark of each way of knowing
COVERAGE_MARKS: Mapping[str, str] = {
    "reported": "solid", "derived": "hatched", "estimated": "hatched", "assumed": "dotted",
    "modelled": "dotted", "withheld": "cross", "missing": "hollow",
}  # fmt: skip
#: chains that are read together, by what they are needed for
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "magnets": ("rare_earths",),
    "chips": ("gallium", "germanium", "indium", "silicon", "tantalum"),
    "batteries": ("lithium", "graphite", "cobalt", "nickel", "manganese", "phosphate", "fluorspar"),
    "conductors": ("copper", "aluminium", "zinc", "tin"),
    "alloys": ("tungsten", "antimony", "titanium", "magnesium"),
}

_NEEDED = ("measure", "chain", "stage", "period", "value", "known")
_TEXT = ("measure", "chain", "stage", "period", "known", "denominator", "kind", "status", "cell_id")
_TYPES = {**dict.fromkeys(_TEXT, pl.String), "value": pl.Float64}
_SCHEMA = {
    "row": pl.Int64, "group_label": pl.String, "chain": pl.String, "chain_label": pl.String,
    "stage": pl.String, "stage_label": pl.String, "block": pl.Int64, "period": pl.String, "column": pl.Int64,
    "known": pl.String, "value": pl.Float64, "denominator": pl.String, "facts": pl.Int64, "kind": pl.String,
    "status": pl.String, "quality": pl.String, "text": pl.String, "cell_id": pl.String,
}  # fmt: skip


def coverage_map(
    table: pl.DataFrame, *, year: str | None = None, sources: pl.DataFrame | None = None
) -> View:
    r"""Make the map of what is known.

    Parameters
    ----------
    table
        As the head of this module says.
    year
        The year that the headline speaks of; by default the latest in which most stages are known.
    sources
        Frame of sources, in the order of their footnotes.

    Returns
    -------
    View
        With ``encoding["picture"] == "coverage"``.

    Raises
    ------
    ArgumentError
        A column is missing, or the table has no row ``leading_share``.

    Examples
    --------
    >>> table = pl.DataFrame({
    ...     "measure": ["leading_share"] * 2, "chain": ["tin"] * 2, "stage": ["mine", "refine"],
    ...     "period": ["2024"] * 2, "value": [0.9, None], "known": ["reported", "missing"],
    ... })
    >>> coverage_map(table).data.select("stage_label", "quality", "text").rows()
    [('Mining', 'solid', 'reported 90\xa0%'), ('Refining', 'hollow', 'none')]
    """
    require("coverage", table, _NEEDED)
    full = optional_columns(table, _TYPES)
    cells = full.filter(pl.col("measure") == "leading_share")
    if cells.is_empty():
        raise ArgumentError("error.view_empty", view="coverage", measure="leading_share")
    counts = full.filter(pl.col("measure") == "facts").group_by("chain", "stage", "period")
    cells = cells.join(counts.agg(facts=pl.col("value").sum()), on=["chain", "stage", "period"], how="left")
    years = cells["period"].unique().sort().to_list()
    stages = sorted(cells["stage"].unique().to_list(), key=words.stage_order)
    data = _data(cells, stages, years)
    told = year if year is not None and year in years else _told(data)
    return View(
        name="coverage",
        title=say("view.coverage_title"),
        sentence=_sentence(data.filter(pl.col("period") == told), told),
        data=data,
        encoding={
            "picture": "coverage",
            "stages": [{"stage": name, "label": words.stage(name)} for name in stages],
            "years": years,
        },
        notes=_notes(data, told),
        sources=sources_frame(sources),
    )


def _family(chain: str) -> tuple[int, str]:
    for rank, (family, chains) in enumerate(FAMILIES.items()):
        if chain in chains:
            return rank, family
    return len(FAMILIES), "others"


def _data(cells: pl.DataFrame, stages: list[str], years: list[str]) -> pl.DataFrame:
    chains = sorted(
        cells["chain"].unique().to_list(), key=lambda name: (_family(name)[0], _within(name), name)
    )
    rows = []
    for cell in cells.iter_rows(named=True):
        known = cell["known"]
        rows.append(
            {
                **{
                    name: cell[name] for name in ("chain", "stage", "period", "known", "value", "denominator")
                },
                **{name: cell[name] for name in ("kind", "status", "cell_id")},
                "row": chains.index(cell["chain"]),
                "group_label": say(f"view.family_{_family(cell['chain'])[1]}"),
                "chain_label": words.chain(cell["chain"]),
                "stage_label": words.stage(cell["stage"]),
                "block": stages.index(cell["stage"]),
                "column": years.index(cell["period"]),
                "facts": int(cell["facts"] or 0),
                "quality": COVERAGE_MARKS.get(known, "hollow"),
                "text": _text(known, cell["value"]),
            }
        )
    return pl.DataFrame(rows, schema=_SCHEMA).sort("row", "block", "column")


def _within(chain: str) -> int:
    chains = FAMILIES.get(_family(chain)[1], ())
    return chains.index(chain) if chain in chains else 0


def _text(known: str, value: float | None) -> str:
    if known == "missing":
        return say("view.coverage_none")
    if known == "withheld":
        return say("view.coverage_withheld")
    return f"{words.kind(known)} {percent(value)}" if value is not None else words.kind(known)


def _told(data: pl.DataFrame) -> str:
    """Return the latest year in which most stages are known."""
    none = data.group_by("period").agg((pl.col("quality") == "hollow").sum().alias("none"))
    return str(none.sort(["none", "period"], descending=[False, True])["period"][0])


def _sentence(cells: pl.DataFrame, year: str) -> str:
    counts = dict(cells.group_by("quality").len().iter_rows())
    marks = ("solid", "hatched", "dotted", "cross", "hollow")
    parts = [say(f"view.coverage_part_{name}", count=counts[name]) for name in marks if counts.get(name)]
    return say("view.coverage_sentence", year=year, stages=cells.height,
               chains=cells["chain"].n_unique(), parts=parts)  # fmt: skip


def _notes(data: pl.DataFrame, year: str) -> tuple[str, ...]:
    notes = [say("view.coverage_note_tonnes"), say("view.coverage_note_blank")]
    if data["period"].n_unique() > 1:
        notes.append(say("view.coverage_note_years", year=year))
    none = data.filter((pl.col("period") == year) & (pl.col("quality") == "hollow"))
    if none.height:
        names = [f"{row['chain_label']}: {row['stage_label'].lower()}" for row in none.iter_rows(named=True)]
        notes.append(say("view.coverage_note_none", year=year, names="; ".join(names)))
    return tuple(notes)
