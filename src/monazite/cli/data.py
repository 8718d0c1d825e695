"""``monazite data``: look at the facts, follow them to their sources, check a table of one's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monazite.cli import coverage, importing, products
from monazite.cli import options as opt
from monazite.core.text import say

if TYPE_CHECKING:
    import polars as pl

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

File = Annotated[Path, typer.Argument(metavar="FILE", help=say("cli.arg_data_file"))]
Variable = Annotated[str | None, typer.Option("--variable", metavar="NAME", help=say("cli.opt_variable"))]
Source = Annotated[str | None, typer.Option("--source", metavar="ID", help=say("cli.opt_source"))]
Kind = Annotated[str | None, typer.Option("--kind", metavar="KIND", help=say("cli.opt_figure_kind"))]
What = Annotated[str | None, typer.Argument(metavar="[WHAT]", help=say("cli.arg_what"))]
Columns = Annotated[bool, typer.Option("--columns", help=say("cli.opt_columns"))]


def _print(frame: pl.DataFrame, *, json: bool, csv: bool, title: str | None = None) -> None:
    """Print a frame in the form asked for."""
    from monazite.cli import output

    output.Door(json=json, csv=csv)
    if json:
        sys.stdout.write(output.dumps(frame) + "\n")
    elif csv:
        sys.stdout.write(frame.write_csv())
    elif not frame.height:
        sys.stdout.write(say("cli.none_found") + "\n")
    else:
        from monazite.cli.show import grid

        console = output.console()
        if title:
            console.print(f"[bold]{title}[/bold]")
        grid(console, frame, most=60)


@app.command("check", help=say("cli.cmd_data_check"))
def check(file: File, json: opt.Json = False, csv: opt.Csv = False) -> None:
    """Check a facts table; leave with 4 if anything is wrong."""
    import polars as pl

    from monazite.core.errors import ArgumentError
    from monazite.facts.check import check_file

    if not file.is_file():
        raise ArgumentError("cli.file_missing", file=file)
    problems = check_file(file)
    frame = pl.DataFrame(
        [(problem.row, problem.column, problem.message) for problem in problems],
        schema={"row": pl.Int64, "column": pl.String, "message": pl.String},
        orient="row",
    )
    if json or csv:
        _print(frame, json=json, csv=csv)
    else:
        for problem in problems:
            sys.stdout.write(f"{problem}\n")
    with file.open(encoding="utf-8", errors="replace") as handle:
        rows = max(sum(1 for line in handle if line.strip()) - 1, 0)
    key = "cli.check_found" if problems else "cli.check_fine"
    sys.stderr.write(say(key, file=file, rows=rows, count=len(problems)) + "\n")
    if problems:
        raise typer.Exit(4)


app.command("coverage", help=say("cli.cmd_data_coverage"))(coverage.command)
app.command("products", help=say("cli.cmd_data_products"))(products.products)
app.command("facilities", help=say("cli.cmd_data_facilities"))(products.facilities)
app.command("capacity", help=say("cli.cmd_data_capacity"))(products.capacity)


@app.command("sources", help=say("cli.cmd_data_sources"))
def sources(chain: opt.Chain = None, json: opt.Json = False, csv: opt.Csv = False) -> None:
    """List the sources of the packaged chains."""
    from monazite import facts

    frame = facts.load(chain or None).sources
    _print(frame if json or csv else frame.select("source", "citation", "published"), json=json, csv=csv)


@app.command("show", help=say("cli.cmd_data_show"))
def show(
    chain: opt.Chain = None,
    year: opt.Year = None,
    variable: Variable = None,
    commodity: opt.Commodity = None,
    place: opt.Place = None,
    source: Source = None,
    kind: Kind = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
) -> None:
    """Show the facts that match every choice; a name that no fact knows is an error, not an empty table."""
    import polars as pl

    from monazite import facts
    from monazite.core.errors import UnknownName

    frame = facts.load(chain or None, year).frame
    chosen: dict[str, Any] = {
        "variable": variable,
        "commodity": commodity,
        "place": place,
        "source": source,
        "kind": kind,
    }
    whole = frame
    for column, name in chosen.items():
        if name is None:
            continue
        known = whole[column].drop_nulls().unique().to_list()
        if name not in known:
            raise UnknownName(column, name, known)
        frame = frame.filter(pl.col(column) == name)
    if not (json or csv):
        said = [name for name, value in chosen.items() if value is not None]
        frame = _readable(frame).drop(said, strict=False)
    _print(frame, json=json, csv=csv)


def _readable(frame: pl.DataFrame) -> pl.DataFrame:
    """Put each fact on one line: value with range and mark, both ends of a flow together."""
    import polars as pl

    from monazite.cli.show import MARKS
    from monazite.views.numbers import interval, number
    from monazite.views.view import quality

    figures = []
    for value, low, high, kind, status in frame.select("value", "low", "high", "kind", "status").iter_rows():
        text = f"{number(value)} {MARKS[quality(kind, status, value)]}"
        figures.append(text if low is None or high is None else f"{text} ({interval(low, high, None)})")
    ends = pl.concat_str("place", "partner", separator=" → ", ignore_nulls=True).replace("", None)
    return frame.select(
        *("variable", "activity", "commodity"),
        ends.alias("place"),
        "period",
        pl.Series("value", figures, dtype=pl.String),
        *("unit", "source"),
    )


@app.command("list", help=say("cli.cmd_data_list"))
def list_(what: What = None, columns: Columns = False, json: opt.Json = False, csv: opt.Csv = False) -> None:
    """List what is packaged, all of one kind or what comes first; or the columns of a facts table."""
    import polars as pl

    from monazite.core import schema
    from monazite.core.errors import UnknownName

    if columns:
        _print(pl.DataFrame(schema.table("facts")), json=json, csv=csv)
        return
    rows = contents()
    kinds = rows["what"].unique(maintain_order=True).to_list()
    if what is not None:
        if what not in kinds:
            raise UnknownName("kind", what, kinds)
        rows = rows.filter(pl.col("what") == what)
    elif not (json or csv):
        rows = rows.filter(pl.col("what").is_in(["chain", "group", "control"]))
    _print(rows, json=json, csv=csv)
    if what is None and not (json or csv):
        sys.stdout.write("\n" + say("cli.list_more", kinds=kinds) + "\n")


def contents() -> pl.DataFrame:
    """Gather everything that is packaged and can be named: ``what, name, chain, stage, title``."""
    import polars as pl

    from monazite import api, facts
    from monazite.facts.places import groups, members, places

    tables = {chain: facts.load(chain) for chain in facts.chains()}
    rows: list[tuple[str, str, str | None, str | None, str]] = []
    for chain, table in tables.items():
        kinds = dict(table.frame.group_by("kind").len().sort("kind").iter_rows())
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        years = list(facts.years(chain))
        rows.append(("chain", chain, chain, None, say("cli.list_chain", years=years, facts=counts)))
    rows += [("group", name, None, None, ", ".join(members(name))) for name in groups()]
    rows += [
        ("control", row["id"], row["chains"], None, row["title"])
        for row in api.controls().iter_rows(named=True)
    ]
    for chain, table in tables.items():
        named = table.commodities.select("commodity", "stage", "name")
        rows += [("commodity", name, chain, stage, title) for name, stage, title in named.iter_rows()]
        uses = table.activities.filter(pl.col("type") == "use").select("activity", "stage", "name")
        rows += [("use", name, chain, stage, title) for name, stage, title in uses.iter_rows()]
    rows += [("place", code, None, None, name) for code, name in places().items()]
    return pl.DataFrame(rows, schema=["what", "name", "chain", "stage", "title"], orient="row")


app.command("import", help=say("cli.cmd_data_import"))(importing.import_)
app.command("diff", help=say("cli.cmd_data_diff"))(importing.diff)
