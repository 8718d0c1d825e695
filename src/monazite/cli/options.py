"""The options that several commands share, each described once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monazite.core.text import say

Subject = Annotated[str, typer.Argument(metavar="PLACE_OR_GROUP", help=say("cli.arg_subject"))]
Chain = Annotated[list[str] | None, typer.Option("--chain", metavar="CHAIN", help=say("cli.opt_chain"))]
Year = Annotated[int | None, typer.Option("--year", metavar="YEAR", help=say("cli.opt_year"))]
Stage = Annotated[str | None, typer.Option("--stage", metavar="STAGE", help=say("cli.opt_stage"))]
Commodity = Annotated[str | None, typer.Option("--commodity", metavar="NAME", help=say("cli.opt_commodity"))]
Measure = Annotated[str | None, typer.Option("--measure", metavar="NAME", help=say("cli.opt_measure"))]
By = Annotated[str | None, typer.Option("--by", metavar="STATE", help=say("cli.opt_by"))]
Place = Annotated[str | None, typer.Option("--place", metavar="PLACE", help=say("cli.opt_place"))]

Json = Annotated[bool, typer.Option("--json", help=say("cli.opt_json"))]
Csv = Annotated[bool, typer.Option("--csv", help=say("cli.opt_csv"))]
To = Annotated[Path | None, typer.Option("--to", metavar="FILE", help=say("cli.opt_to"))]
View = Annotated[str | None, typer.Option("--view", metavar="NAME", help=say("cli.opt_view"))]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help=say("cli.opt_quiet"))]
Explain = Annotated[str | None, typer.Option("--explain", metavar="CELL", help=say("cli.opt_explain"))]
FailAbove = Annotated[
    float | None, typer.Option("--fail-above", metavar="NUMBER", help=say("cli.opt_fail_above"))
]


def names(text: str) -> str | list[str]:
    """Read one name, or a list of names parted by commas.

    Raises
    ------
    ArgumentError
        If no name is left.

    Examples
    --------
    >>> names("QUAD"), names("IND, USA,")
    ('QUAD', ['IND', 'USA'])
    """
    from monazite.core.errors import ArgumentError

    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise ArgumentError("error.group_empty")
    return found[0] if len(found) == 1 and "," not in text else found
