"""``monazite data coverage``: what is known of each stage of each chain, year by year, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from monazite.cli import options as opt
from monazite.core.text import say

if TYPE_CHECKING:
    import polars as pl

Stages = Annotated[list[str] | None, typer.Option("--stage", metavar="STAGE", help=say("cli.opt_stage"))]
Year = Annotated[int | None, typer.Option("--year", metavar="YEAR", help=say("cli.opt_coverage_year"))]


def command(
    chain: opt.Chain = None,
    stage: Stages = None,
    year: Year = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
    to: opt.To = None,
) -> None:
    """Count the facts; print the map as a table, or the whole answer in the form asked for."""
    from monazite.cli import output

    door = output.Door(json=json, csv=csv, to=to)
    from monazite.answer import Answer
    from monazite.facts.coverage import coverage_of

    answer = Answer(coverage_of(chain or None, stage=stage or None, year=year))
    if json or csv or to is not None:
        door.answer(answer)
        return
    from rich.text import Text

    from monazite.cli.show import grid
    from monazite.cli.twins import print_view

    console = output.console()
    console.print(Text(answer.summary(), style="bold"))
    console.print()
    print_view(console, answer.view())
    console.print()
    console.print(Text(say("cli.coverage_counts"), style="bold"))
    grid(console, counts(answer.table), most=60)


def counts(table: pl.DataFrame) -> pl.DataFrame:
    """Return the number of facts of each chain by how they are known, and of all.

    Examples
    --------
    >>> from monazite.facts.coverage import coverage_of
    >>> counts(coverage_of("toy").table).columns
    ['chain', 'reported', 'derived', 'estimated', 'assumed', 'modelled', 'withheld', 'missing', 'facts']
    """
    import polars as pl

    from monazite.facts.counting import KNOWN
    from monazite.views import words

    rows = table.filter(pl.col("measure") == "facts_total").with_columns(pl.col("value").cast(pl.Int64))
    wide = rows.pivot(on="known", index="chain", values="value", aggregate_function="sum")
    found = [name for name in KNOWN if name != "not_applicable" or wide[name].sum()]
    named = {name: words.chain(name) for name in wide["chain"].drop_nulls().to_list()}
    chain = pl.col("chain").replace_strict(named, default=say("cli.coverage_all"), return_dtype=pl.String)
    return wide.select(chain, *(pl.col(name).fill_null(0) for name in found)).with_columns(
        facts=pl.sum_horizontal(found)
    )
