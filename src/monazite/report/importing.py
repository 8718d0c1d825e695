"""What an import would do, laid out for a reader; nothing is written."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from monazite.core.text import say
from monazite.facts.effects import EFFECTS, Effect, effect_of, facts_to_write
from monazite.facts.importing import Plan, prepared
from monazite.facts.overlay import imported_sources, vintages
from monazite.facts.readers.customs import packaged_sources
from monazite.facts.readers.reading import Reading, read_official
from monazite.report.twin import Cell, Table
from monazite.views import words
from monazite.views.numbers import number, quantity

__all__ = ["ImportSheet", "import_sheet"]

#: rows of a table at most, problems told at most
_SHOWN, _PROBLEMS = 100, 200
#: digits of a figure, so that two that differ by a hundredth of one per cent read otherwise
_DIGITS = 5
#: what becomes of flows, beside the effects that facts have too
_FLOWS = {"new": "new", "changed": "changed", "same": "same", "gone": "gone", "apart": "apart"}
_COUNTS = ("facts", "trade", "other", "skipped", "refused")


@dataclass(frozen=True, eq=False)
class ImportSheet:
    """An import that is only shown.

    Attributes
    ----------
    format, title, published, source : str
        What was recognised: the format, publisher and vintage, when it was published, the id of the source.
    rows : int
        Data rows of the file.
    counts : dict
        How many of them give facts, give trade, belong to no packaged chain (other), hold nothing to read
        (skipped), are refused.
    sentence : str
        The same as a sentence.
    problems : tuple
        Row, column and message of what is wrong; where there is one, nothing can be imported.
    problem_count : int
        How many problems there are; not all are told.
    effects : tuple
        Name, label, facts and flows of each effect that occurs.
    tables : tuple of Table
        What it would do; by chain; the greatest differences; flows by customs line; what is left out.
    notes : tuple of str
        How codes and weights were read.
    sources : polars.DataFrame
        The file's own sources and those of the figures shown, in the order of their numbers.
    vintage : str
        Name that the import would have.
    command : str
        The command that writes it; empty where there is nothing to write.
    """

    format: str
    title: str
    published: str
    source: str
    rows: int
    counts: Mapping[str, int]
    sentence: str
    problems: tuple[tuple[int | None, str | None, str], ...] = ()
    problem_count: int = 0
    effects: tuple[tuple[str, str, int, int], ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    sources: pl.DataFrame | None = None
    vintage: str = ""
    command: str = ""


def import_sheet(file: Path, published: str | None = None, name: str | None = None) -> ImportSheet:
    """Read a file as ``monazite data import`` does and lay out what it would add, change, contradict.

    Parameters
    ----------
    file
        An official file, recognised by its content, or a facts table.
    published
        Day, month or year of its publication, where the file does not say it.
    name
        Its name for people; the file's own when absent.

    Raises
    ------
    FactsError
        If no reader knows the file.
    ArgumentError
        If the date is none, or the packaged source has its own.
    """
    shown = name or file.name
    reading = read_official(file)
    if reading.problems:
        return _refused(reading, shown)
    plan = prepared(file, reading, published)
    effect = effect_of(plan.reading)
    return _laid(plan, effect, _command(shown, published), shown)


def _command(name: str, published: str | None) -> str:
    dated = [] if published is None else ["--published", published]
    given = f"./{name}" if name.startswith("-") else name  # else it would read as an option
    return shlex.join(["monazite", "data", "import", given, *dated, "--write"])


def _refused(reading: Reading, name: str) -> ImportSheet:
    found = reading.problems
    return ImportSheet(
        format=reading.format,
        title=reading.title,
        published=(reading.source_entry or {}).get("published", ""),
        source=reading.source,
        rows=reading.rows,
        counts=_counts(reading),
        sentence=say("import.refused", file=name, count=len(found)),
        problems=tuple((item.row, item.column, item.message) for item in found[:_PROBLEMS]),
        problem_count=len(found),
        notes=(say("import.own_sources"),) if reading.format == "facts" else (),
    )


def _counts(reading: Reading) -> dict[str, int]:
    counts = reading.counts()
    return {name: counts[name] for name in _COUNTS}


def _laid(plan: Plan, effect: Effect, command: str, name: str) -> ImportSheet:
    reading = plan.reading
    flows = 0 if reading.trade is None else reading.trade.height
    writes = bool(facts_to_write(reading, effect)) or flows > 0
    met = _met(effect)
    sources = _sources(plan, met.head(_SHOWN))
    summary = say("cli.import_summary", title=reading.title, rows=reading.rows, **reading.counts())
    notes = [str(note) for note in getattr(reading, "notes", ())]
    for item in vintages():
        if item.manifest["sha256"] == plan.digest:
            notes.insert(0, say("import.there", id=item.id, day=str(item.manifest["imported"])[:10]))
    if not writes:
        notes.insert(0, say("import.nothing", file=name))
    effects = _effects(effect)
    tables = [
        _effect_table(effects, effect),
        _chain_table(effect.chains()),
        _difference_table(met, sources),
        _line_table(effect.trade),
        _left_table(effect.left_out),
    ]
    entry = reading.source_entry or packaged_sources().get(reading.source, {})
    return ImportSheet(
        format=reading.format,
        title=reading.title,
        published=entry.get("published", ""),
        source=reading.source,
        rows=reading.rows,
        counts=_counts(reading),
        sentence=summary,
        effects=effects,
        tables=tuple(table for table in tables if table.height),
        notes=tuple(notes),
        sources=sources,
        vintage=plan.id,
        command=command if writes else "",
    )


def _effects(effect: Effect) -> tuple[tuple[str, str, int, int], ...]:
    """Return what occurs: name, label, facts, flows."""
    facts = dict(effect.facts.group_by("effect").len().iter_rows())
    flows = {name: int(effect.trade.unique(["hs", "year"])[column].sum()) for name, column in _FLOWS.items()}
    return tuple(
        (name, say(f"import.effect_{name}"), facts.get(name, 0), flows.get(name, 0))
        for name in dict.fromkeys((*EFFECTS, *_FLOWS))
        if facts.get(name) or flows.get(name)
    )


def _effect_table(effects: tuple[tuple[str, str, int, int], ...], effect: Effect) -> Table:
    rows = []
    against = pl.col("effect") == "contradicts"
    wins = effect.facts.filter(against & (pl.col("chosen") == pl.col("source"))).height
    for name, label, facts, flows in effects:
        meaning = say(f"import.effect_{name}_is")
        if name == "contradicts":
            meaning += " " + say("import.effect_wins", count=wins, of=facts)
        rows.append((_text(label), _count(facts), _count(flows), _text(meaning)))
    return _table("effects", ("effect", "facts", "flows", "meaning"), rows)


def _chain_table(chains: pl.DataFrame) -> Table:
    filled = [name for name in chains.columns if name != "chain" and chains[name].sum()]
    rows = [
        (_text(words.chain(row["chain"])), *(_count(row[name]) for name in filled))
        for row in chains.iter_rows(named=True)
    ]
    return _table("chains", ("chain", *filled), rows)


def _met(effect: Effect) -> pl.DataFrame:
    """Return the facts whose figure is another than one that is known, the furthest apart first."""
    size = pl.when(pl.col("ratio") > 0).then(pl.col("ratio").log().abs()).otherwise(float("inf"))
    met = effect.facts.filter(pl.col("effect").is_in(["changed", "contradicts"]))
    return met.with_columns(size=size).sort("size", descending=True, maintain_order=True)


def _difference_table(met: pl.DataFrame, sources: pl.DataFrame) -> Table:
    numbers = {source: n for n, source in enumerate(sources["source"].to_list(), 1)}

    def numbered(source: str | None) -> str:
        return say("explain.number", number=numbers[source]) if source in numbers else source or ""

    groups: dict[str, list[tuple[Cell, ...]]] = {"contradicts": [], "changed": []}
    for row in met.head(_SHOWN).iter_rows(named=True):
        what = words.commodity(row["activity"] or row["commodity"])
        if row["activity"] and row["commodity"]:
            what = say("explain.of", whole=what, part=words.commodity(row["commodity"]))
        where = " → ".join(words.place(row[name]) for name in ("place", "partner") if row[name])
        holds = say("import.file_holds") if row["chosen"] == row["source"] else numbered(row["chosen"])
        groups[row["effect"]].append(
            (
                _text(what),
                _text(words.chain(row["variable"])),
                _text(where),
                _text(row["period"] or ""),
                _figure(row["value"], row["unit"], row["kind"]),
                _figure(row["other_value"], row["unit"]),
                _text(numbered(row["other_source"])),
                _ratio(row["ratio"]),
                _text(holds),
                _text(str(row["row"] or "")),
            )
        )
    heads = ("item", "variable", "where", "period", "file", "known", "source", "ratio", "holds", "row")
    caption = say("import.table_differences", shown=min(met.height, _SHOWN), count=met.height)
    named = tuple((say(f"import.effect_{name}"), tuple(rows)) for name, rows in groups.items() if rows)
    return Table(caption, tuple(say(f"import.head_{head}") for head in heads), named, labels=1)


def _line_table(trade: pl.DataFrame) -> Table:
    sums = ("flows", "new", "changed", "gone", "apart")
    lines = trade.group_by("chain", "hs", maintain_order=True).agg(
        pl.col("year").min().alias("first"),
        pl.col("year").max().alias("last"),
        *(pl.col(name).sum() for name in sums),
        now=pl.col("tonnes").sum(),
        then=pl.col("tonnes_before").sum(),
        matched=pl.col("tonnes").filter(pl.col("tonnes_before") > 0).sum(),  # of years that were known
    )
    rows = []
    for row in lines.iter_rows(named=True):
        years = str(row["first"]) if row["first"] == row["last"] else f"{row['first']}–{row['last']}"
        ratio = row["matched"] / row["then"] if row["then"] else None
        told = (_figure(row["now"], "t"), _figure(row["then"] or None, "t"), _ratio(ratio))
        cells = [_text(words.chain(row["chain"])), _text(row["hs"]), _text(years)]
        rows.append((*cells, *(_count(row[name]) for name in sums), *told))
    return _table("lines", ("chain", "line", "years", *sums, "now", "then", "ratio"), rows, labels=2)


def _left_table(left: pl.DataFrame) -> Table:
    rows = [(_text(reason), _count(count)) for reason, count in left.head(_SHOWN).iter_rows()]
    return _table("left", ("reason", "rows"), rows)


def _table(name: str, heads: tuple[str, ...], rows: Sequence[tuple[Cell, ...]], *, labels: int = 1) -> Table:
    told = tuple(say(f"import.head_{head}") for head in heads)
    return Table(say(f"import.table_{name}"), told, (("", tuple(rows)),) if rows else (), labels)


def _sources(plan: Plan, met: pl.DataFrame) -> pl.DataFrame:
    """Return the sources of the file, then those of the figures that it meets."""
    imported = {name: entry for name, (_, entry) in imported_sources().items()}
    every: dict[str, Mapping[str, Any]] = {**imported, **packaged_sources(), **plan.sources}
    cited = [plan.reading.source, *plan.reading.facts["source"].drop_nulls().unique(maintain_order=True)]
    cited += met["other_source"].drop_nulls().to_list() + met["chosen"].drop_nulls().to_list()
    fields = ("citation", "url", "published", "retrieved", "licence")
    rows = [
        {"source": name, **{field: every[name].get(field) or None for field in fields}}
        for name in dict.fromkeys(cited)
        if name in every
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(("source", *fields), pl.String))


def _text(text: str) -> Cell:
    return Cell(text, number=False)


def _count(value: int | None) -> Cell:
    return Cell(f"{value or 0:,}")


def _figure(value: float | None, unit: str | None, kind: str | None = None) -> Cell:
    if value is None:
        return Cell(say("view.no_figure"), number=False)
    return Cell(quantity(value, unit, digits=_DIGITS), kind=kind)


def _ratio(value: float | None) -> Cell:
    return Cell("", number=False) if value is None else Cell(f"×{number(value, digits=_DIGITS)}")
