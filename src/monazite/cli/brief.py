"""``monazite brief``: two pages to hand over."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monazite.cli import options as opt
from monazite.core.text import say

Places = Annotated[list[str], typer.Argument(metavar="PLACE...", help=say("cli.arg_brief_places"))]
OUT = Path("out/brief.html")


def command(places: Places, json: opt.Json = False, to: opt.To = OUT, quiet: opt.Quiet = False) -> None:
    """Write the brief and print its findings."""
    from monazite.cli import output

    door = output.Door(json=json, to=to, quiet=quiet, suffixes=("html",))
    with door.working(say("cli.working_brief"), long=True) as update:
        from monazite import api

        made = api.brief(places, to=to, progress=update, workers=None)
    door.findings(made)
