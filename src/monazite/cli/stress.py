"""``monazite stress``: what a restriction does, month by month."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from monazite.cli import options as opt
from monazite.core.errors import ArgumentError
from monazite.core.text import say

On = Annotated[list[str] | None, typer.Option("--on", metavar="COMMODITY", help=say("cli.opt_on"))]
Cut = Annotated[float | None, typer.Option("--cut", metavar="SHARE", help=say("cli.opt_cut"))]
Months = Annotated[int | None, typer.Option("--months", metavar="N", help=say("cli.opt_months"))]
Start = Annotated[str | None, typer.Option("--start", metavar="MONTH", help=say("cli.opt_start"))]
Target = Annotated[str | None, typer.Option("--target", metavar="WHOM", help=say("cli.opt_target"))]
Group = Annotated[str | None, typer.Option("--group", metavar="GROUP", help=say("cli.opt_group"))]
Horizon = Annotated[int, typer.Option("--horizon", metavar="N", help=say("cli.opt_horizon"))]
Belief = Annotated[str, typer.Option("--belief", metavar="N|foresight", help=say("cli.opt_belief"))]
Kind = Annotated[str | None, typer.Option("--kind", metavar="KIND", help=say("cli.opt_kind"))]
Path_ = Annotated[str | None, typer.Option("--path", metavar="PATH", help=say("cli.opt_path"))]
File = Annotated[Path | None, typer.Option("--file", metavar="TOML", help=say("cli.opt_file"))]
Control = Annotated[str | None, typer.Option("--control", metavar="ID", help=say("cli.opt_control"))]


def command(
    control: Control = None,
    by: opt.By = None,
    on: On = None,
    cut: Cut = None,
    months: Months = None,
    start: Start = None,
    target: Target = None,
    kind: Kind = None,
    path: Path_ = None,
    file: File = None,
    group: Group = None,
    horizon: Horizon = 24,
    belief: Belief = "2",
    chain: opt.Chain = None,
    year: opt.Year = None,
    measure: opt.Measure = None,
    explain: opt.Explain = None,
    fail_above: opt.FailAbove = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
    to: opt.To = None,
    view: opt.View = None,
    quiet: opt.Quiet = False,
) -> None:
    """Stress the network with a control of record or with a restriction of one's own."""
    from monazite.cli import output

    door = output.Door(
        json=json, csv=csv, to=to, quiet=quiet, measure=measure, fail_above=fail_above, view=view
    )
    own = {
        "--by": by, "--on": on, "--cut": cut, "--months": months, "--start": start, "--target": target,
        "--kind": kind,
    }  # fmt: skip
    given = [name for name, value in own.items() if value is not None]
    ways = [*(["--control"] if control else []), *(["--file"] if file else []), *given]
    if len(ways) > 1 and (control is not None or file is not None):
        raise ArgumentError("cli.stress_one_way", options=ways)
    if control is None and file is None and (by is None or not on):
        raise ArgumentError("cli.stress_needs")
    if path is not None and control is None:
        raise ArgumentError("cli.path_needs_control")
    whose = opt.names(group) if group is not None else None
    months_believed = _belief(belief)
    with door.working(say("cli.working_stress")) as update:
        from monazite import api

        shock: Any
        if control is not None:
            shock = api.control(control, path or "assumed")
        elif file is not None:
            shock = api.ExportControl.from_toml(read(file))
        else:
            shock = api.ExportControl(
                by=str(by),
                on=on or (),
                cut=1.0 if cut is None else cut,
                months=12 if months is None else months,
                start=start,
                to=opt.names(target) if target is not None else "ALL",
                kind=kind or "ban",  # type: ignore[arg-type]
            )
        network = api.network_for(shock, chains=chain or None, year=year)
        result = network.stress(
            shock,
            group=whose,
            horizon=horizon,
            belief=months_believed,
            progress=lambda done, of: update(say("cli.working_month", done=done, of=of)),
        )
    door.answer(result, explain=explain)


def read(file: Path) -> str:
    """Read a control's file; one that cannot be read is told as a wrong argument."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ArgumentError("cli.file_unreadable", file=file, problem=problem) from problem


def _belief(text: str) -> int | None:
    """Read how long the market believes a restriction to last: months, or its announced length.

    Examples
    --------
    >>> _belief("2"), _belief("foresight")
    (2, None)
    """
    if text == "foresight":
        return None
    if not text.isdigit() or int(text) < 1:
        raise ArgumentError("cli.belief", given=text)
    return int(text)
