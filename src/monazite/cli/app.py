"""The commands, gathered."""

from __future__ import annotations

from typing import Annotated

import typer

from monazite.cli import assess, brief, data, serve, stress, study
from monazite.core.text import say

app = typer.Typer(
    name="monazite",
    help=say("cli.help"),
    epilog=say("cli.epilog_main"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from monazite import __version__

        typer.echo(f"monazite {__version__}")
        raise typer.Exit


def _cite(wanted: bool) -> None:
    if wanted:
        from monazite import __version__

        typer.echo(say("cli.cite", version=__version__, year=2026))
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help=say("cli.opt_version"))
    ] = False,
    cite: Annotated[
        bool, typer.Option("--cite", is_eager=True, callback=_cite, help=say("cli.opt_cite"))
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help=say("cli.opt_debug"))] = False,
) -> None:
    """Options of the program itself; ``--debug`` is taken out of the line by `monazite.cli.main`."""


app.command("assess", help=say("cli.cmd_assess"), epilog=say("cli.epilog_assess"))(assess.command)
app.command("stress", help=say("cli.cmd_stress"), epilog=say("cli.epilog_stress"))(stress.command)
app.add_typer(study.app, name="study", help=say("cli.cmd_study"), epilog=say("cli.epilog_study"))
app.command("brief", help=say("cli.cmd_brief"), epilog=say("cli.epilog_brief"))(brief.command)
app.command("serve", help=say("cli.cmd_serve"), epilog=say("cli.epilog_serve"))(serve.command)
app.add_typer(data.app, name="data", help=say("cli.cmd_data"))
