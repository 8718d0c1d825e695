"""``monazite data import`` and ``monazite data diff``: a user's own figures; two vintages side by side."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monazite.cli import options as opt
from monazite.core.text import say

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from monazite.facts.effects import Effect
    from monazite.facts.readers.reading import Reading

__all__ = ["diff", "import_"]

File = Annotated[Path | None, typer.Argument(metavar="[FILE]", help=say("cli.arg_import_file"))]
Write = Annotated[bool, typer.Option("--write", help=say("cli.opt_import_write"))]
Remove = Annotated[str | None, typer.Option("--remove", metavar="ID", help=say("cli.opt_import_remove"))]
Listed = Annotated[bool, typer.Option("--list", help=say("cli.opt_import_list"))]
Published = Annotated[
    str | None, typer.Option("--published", metavar="DAY", help=say("cli.opt_import_published"))
]
First = Annotated[str, typer.Argument(metavar="A", help=say("cli.arg_diff"))]
Second = Annotated[str, typer.Argument(metavar="B", help=say("cli.arg_diff"))]
All = Annotated[bool, typer.Option("--all", help=say("cli.opt_diff_all"))]

#: seconds before a long reading begins to say where it is, and between two such lines
_PATIENCE, _EVERY = 2.0, 6.0
#: problems of a refused file that are shown, differences that are shown
_PROBLEMS, _SHOWN = 20, 15


def import_(
    file: File = None,
    write: Write = False,
    remove: Remove = None,
    listed: Listed = False,
    published: Published = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
) -> None:
    """Show what a file would add, change or contradict; write it beside the packaged data where asked."""
    from monazite.cli.output import Door
    from monazite.core.errors import ArgumentError

    door = Door(json=json, csv=csv)
    if (file is not None) + (remove is not None) + listed != 1:
        raise ArgumentError("cli.import_what")
    if listed:
        _list(door)
    elif remove is not None:
        _remove(door, remove, write)
    else:
        assert file is not None
        _import(door, file, write, published)


def _list(door: Any) -> None:
    import polars as pl

    from monazite.facts.overlay import overlay_folder, vintages

    rows = [
        (
            item.id,
            str(item.manifest.get("title", "")),
            str(item.manifest.get("published", "")),
            str(item.manifest["imported"]),
            sum((item.manifest.get("facts") or {}).values()),
            int(item.manifest.get("trade") or 0),
        )
        for item in vintages()
    ]
    schema = dict.fromkeys(("vintage", "title", "published", "imported"), pl.String)
    frame = pl.DataFrame(rows, schema={**schema, "facts": pl.Int64, "flows": pl.Int64}, orient="row")
    _frame(door, frame)
    door.note(say("cli.import_folder", folder=overlay_folder()))


def _remove(door: Any, id_: str, write: bool) -> None:
    from monazite.facts.overlay import find, remove_vintage, vintages

    item = remove_vintage(id_) if write else find(id_, vintages())
    key = "cli.import_removed" if write else "cli.import_would_remove"
    text = say(key, id=item.id, folder=item.folder)
    if door.json:
        from monazite.cli.output import dumps

        sys.stdout.write(dumps({"summary": text, "vintage": item.id, "removed": write}) + "\n")
    else:
        sys.stdout.write(text + "\n")


def _import(door: Any, file: Path, write: bool, published: str | None) -> None:
    from monazite.core.errors import ArgumentError
    from monazite.facts.effects import effect_of
    from monazite.facts.importing import prepared, written

    if not file.is_file():
        raise ArgumentError("cli.file_missing", file=file)
    reading = _read(door, file)
    if reading.problems:
        _refuse(door, file, reading)
    plan = prepared(file, reading, published)
    effect = effect_of(plan.reading)
    vintage = None
    if write:
        vintage = written(plan, effect)
    _show(door, file, plan.id, plan.reading, effect)
    if vintage is not None:
        door.note(say("cli.import_written", folder=vintage.folder, id=vintage.id))
    else:
        door.note(say("cli.import_dry", file=shlex.quote(str(file))))


def _read(door: Any, file: Path) -> Reading:
    from monazite.facts.readers.customs import telling
    from monazite.facts.readers.reading import read_official

    with door.working(say("cli.import_reading", file=file.name), long=True) as step, telling(_patient(step)):
        return read_official(file)


def _patient(step: Callable[[str], None]) -> Callable[[str], None]:
    """Say a step only when the last was said some time ago."""
    due = time.monotonic() + _PATIENCE

    def tell(text: str) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + _EVERY
            step(text)

    return tell


def _refuse(door: Any, file: Path, reading: Reading) -> None:
    """Name what is wrong with a file and leave with 4."""
    from monazite.cli.output import dumps

    problems = reading.problems
    text = say("cli.import_refused", file=file.name, count=len(problems))
    if door.json:
        rows = [{"row": item.row, "column": item.column, "message": item.message} for item in problems]
        sys.stdout.write(dumps({"summary": text, "problems": rows}) + "\n")
    else:
        for item in problems[:_PROBLEMS]:
            sys.stdout.write(f"{item}\n")
    sys.stderr.write(text + "\n")
    raise typer.Exit(4)


def _show(door: Any, file: Path, id_: str, reading: Reading, effect: Effect) -> None:
    from monazite.cli.output import console, dumps

    counts = reading.counts()
    summary = say("cli.import_summary", title=reading.title, rows=reading.rows, **counts)
    if door.json:
        document = {
            "summary": summary,
            "table": effect.facts,
            "trade": effect.trade,
            "chains": effect.chains(),
            "left_out": effect.left_out,
            "notes": list(getattr(reading, "notes", ())),
            "sources": {reading.source: dict(reading.source_entry)} if reading.source_entry else {},
            "manifest": {"file": file.name, "format": reading.format, "vintage": id_, "counts": counts},
        }
        sys.stdout.write(dumps(document) + "\n")
        return
    if door.csv:
        frame = effect.trade if reading.trade is not None else effect.facts
        sys.stdout.write(frame.write_csv())
        return
    screen = console()
    screen.print(summary, markup=False)
    _grids(screen, effect)
    for note in getattr(reading, "notes", ()):
        screen.print(note, markup=False)


def _grids(screen: Console, effect: Effect) -> None:
    """Print the parts of an import for people."""
    import polars as pl

    chains = effect.chains()
    filled = [name for name in chains.columns if name == "chain" or chains[name].sum()]
    shown = {"contradicts": "differ", "agrees": "agree", "wins": "file_chosen"}
    _part(screen, "cli.import_chains", chains.select(filled).rename(shown, strict=False))
    met = effect.facts.filter(pl.col("effect").is_in(["changed", "contradicts"])).with_columns(
        size=pl.when(pl.col("ratio") > 0).then(pl.col("ratio").log().abs()).otherwise(float("inf"))
    )
    rows = met.sort("size", descending=True, maintain_order=True).select(
        "effect",
        "variable",
        pl.concat_str("activity", "commodity", separator=", ", ignore_nulls=True).alias("of"),
        pl.concat_str("place", "partner", separator=" → ", ignore_nulls=True).alias("place"),
        "period",
        pl.col("value").alias("file"),
        pl.col("other_value").alias("before"),
        pl.col("other_source").alias("source"),
        pl.col("ratio").alias("times"),
        "chosen",
    )
    _part(screen, "cli.import_differences", rows, most=_SHOWN)
    flows = effect.trade.group_by("chain", "hs", maintain_order=True).agg(
        years=pl.concat_str(pl.col("year").min(), pl.col("year").max(), separator=" … "),
        flows=pl.col("flows").sum(),
        new=pl.col("new").sum(),
        changed=pl.col("changed").sum(),
        gone=pl.col("gone").sum(),
        apart=pl.col("apart").sum(),
        ratio=pl.col("tonnes").filter(pl.col("tonnes_before") > 0).sum() / pl.col("tonnes_before").sum(),
    )
    _part(screen, "cli.import_trade", flows.with_columns(pl.col("ratio").fill_nan(None)))
    _part(screen, "cli.import_left", effect.left_out)


def _part(screen: Console, key: str, frame: pl.DataFrame, *, most: int = 60) -> None:
    from monazite.cli.show import grid

    if frame.height:
        screen.print(f"\n[bold]{say(key)}[/bold]")
        grid(screen, frame, most=most)


def diff(
    first: First,
    second: Second,
    chain: opt.Chain = None,
    all_: All = False,
    json: opt.Json = False,
    csv: opt.Csv = False,
) -> None:
    """Compare two vintages: which figures only one has, which changed, by how much."""
    import polars as pl

    from monazite.cli.output import Door, dumps
    from monazite.facts.readers.customs import telling
    from monazite.facts.vintages import compare, side

    door = Door(json=json, csv=csv)
    with door.working(say("cli.diff_reading"), long=True) as step, telling(_patient(step)):
        one, two = side(first), side(second)
    frame = compare(one, two, chain)
    counts: dict[str, int] = dict.fromkeys(("changed", "only_first", "only_second", "same"), 0)
    counts |= dict(frame.group_by("difference").len().iter_rows())
    frame = frame if all_ else frame.filter(pl.col("difference") != "same")
    summary = say("cli.diff_summary", first=first, second=second, **counts)
    if json:
        titles = {first: one.title, second: two.title}
        sys.stdout.write(
            dumps({"summary": summary, "table": frame, "counts": counts, "sources": titles}) + "\n"
        )
        return
    if not csv:
        sys.stdout.write(summary + "\n")
        frame = frame.select(
            "chain",
            "variable",
            pl.concat_str("activity", "commodity", "line", separator=", ", ignore_nulls=True).alias("of"),
            pl.concat_str("place", "partner", separator=" → ", ignore_nulls=True).alias("place"),
            *("period", "first", "second", "unit", "ratio", "difference"),
        )
    _frame(door, frame)


def _frame(door: Any, frame: pl.DataFrame) -> None:
    """Print a frame in the form asked for."""
    from monazite.cli.output import console, dumps
    from monazite.cli.show import grid

    if door.json:
        sys.stdout.write(dumps(frame) + "\n")
    elif door.csv:
        sys.stdout.write(frame.write_csv())
    elif frame.height:
        grid(console(), frame, most=60)
    else:
        sys.stdout.write(say("cli.none_found") + "\n")
