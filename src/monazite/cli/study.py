"""``monazite study``: what would change the answer; which controls bite most; the runs that are kept."""

from __future__ import annotations

import sys
from textwrap import wrap
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monazite.cli import options as opt
from monazite.cli import stress
from monazite.core.errors import ArgumentError
from monazite.core.text import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console

    from monazite.answer import Answer

app = typer.Typer(invoke_without_command=True, no_args_is_help=True)

Samples = Annotated[int, typer.Option("--samples", metavar="N", help=say("cli.opt_samples"))]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help=say("cli.opt_seed"))]
Design = Annotated[str, typer.Option("--design", metavar="NAME", help=say("cli.opt_design"))]
Causes = Annotated[list[str] | None, typer.Option("--cause", metavar="NAME", help=say("cli.opt_cause"))]
Worlds = Annotated[int, typer.Option("--worlds", metavar="N", help=say("cli.opt_worlds"))]
Window = Annotated[int, typer.Option("--horizon", metavar="N", help=say("cli.opt_window"))]
Headline = Annotated[str, typer.Option("--headline", metavar="WHAT", help=say("cli.opt_headline"))]
Catalogue = Annotated[bool, typer.Option("--catalogue", help=say("cli.opt_catalogue"))]
Cuts = Annotated[list[float] | None, typer.Option("--cut", metavar="SHARE", help=say("cli.opt_cut"))]
Lengths = Annotated[list[int] | None, typer.Option("--months", metavar="N", help=say("cli.opt_months"))]
Workers = Annotated[int | None, typer.Option("--workers", metavar="N", help=say("cli.opt_workers"))]
Cluster = Annotated[str | None, typer.Option("--cluster", metavar="ADDRESS", help=say("cli.opt_cluster"))]
Clean = Annotated[bool, typer.Option("--clean", help=say("cli.opt_clean"))]
Days = Annotated[float, typer.Option("--days", metavar="N", help=say("cli.opt_days"))]
Yes = Annotated[bool, typer.Option("--yes", help=say("cli.opt_yes"))]

#: code that a shell gives to what Ctrl-C ended
_INTERRUPTED = 130
#: progress is said no more often than this where no terminal shows it, s
_OFTEN = 5.0
#: controls of a catalogue shown on a terminal, and the widest line of the head of a column of figures
_SHOWN, _HEAD = 15, 14


@app.callback()
def command(
    context: typer.Context,
    control: stress.Control = None,
    by: opt.By = None,
    on: stress.On = None,
    cut: Cuts = None,
    months: Lengths = None,
    start: stress.Start = None,
    target: stress.Target = None,
    kind: stress.Kind = None,
    path: stress.Path_ = None,
    file: stress.File = None,
    catalogue: Catalogue = False,
    samples: Samples = 256,
    seed: Seed = 0,
    design: Design = "monte_carlo",
    cause: Causes = None,
    worlds: Worlds = 8,
    horizon: Window = 12,
    group: stress.Group = None,
    headline: Headline = "unserved",
    chain: opt.Chain = None,
    year: opt.Year = None,
    workers: Workers = None,
    cluster: Cluster = None,
    measure: opt.Measure = None,
    explain: opt.Explain = None,
    fail_above: opt.FailAbove = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
    to: opt.To = None,
    view: opt.View = None,
    quiet: opt.Quiet = False,
) -> None:
    """Study a restriction under draws of what is uncertain, or every restriction there could be."""
    if context.invoked_subcommand is not None:
        return
    from monazite.cli import output

    door = output.Door(
        json=json, csv=csv, to=to, quiet=quiet, measure=measure, fail_above=fail_above, view=view
    )
    own = {
        "--by": by, "--on": on, "--start": start, "--target": target, "--kind": kind,
    }  # fmt: skip
    given = [name for name, value in own.items() if value is not None]
    several = [name for name, value in (("--cut", cut), ("--months", months)) if value is not None]
    ways = [
        name for name, way in (("--control", control), ("--file", file), ("--catalogue", catalogue)) if way
    ]
    if len(ways) > 1 or (ways and given) or (not catalogue and ways and several):
        raise ArgumentError("cli.stress_one_way", options=[*ways, *given, *several])
    if not ways and (by is None or not on):
        raise ArgumentError("cli.study_needs")
    if path is not None and control is None:
        raise ArgumentError("cli.path_needs_control")
    if not catalogue and any(len(values) > 1 for values in (cut or [], months or [])):
        raise ArgumentError("cli.study_several", options=several)
    if workers is not None and workers < 1:
        raise ArgumentError("error.whole_expected", name="--workers", least=1, given=workers)
    whose = opt.names(group) if group is not None else None
    with door.working(say("cli.working_study"), long=True) as update:
        network, shock = _question(
            catalogue=catalogue, control=control, path=path, file=file, chain=chain, year=year,
            by=by, on=on, cut=(cut or [1.0])[0], months=(months or [12])[0], start=start, target=target,
            kind=kind,
        )  # fmt: skip
        try:
            result = network.study(
                shock,
                samples=samples,
                seed=seed,
                design=design,
                months=horizon,
                causes=cause,
                worlds=worlds,
                group=whose,
                headline=headline,
                catalogue=catalogue,
                cuts=cut or (1.0,),
                lengths=months,
                workers=workers,
                cluster=cluster,
                progress=_pace(update),
            )
        except KeyboardInterrupt:
            sys.stderr.write("\n" + say("cli.study_stopped") + "\n")
            raise typer.Exit(_INTERRUPTED) from None
    if json or csv or to or view or explain or measure:
        door.answer(result, explain=explain)
        return
    _show(output.console(), result)


def _question(
    *, catalogue: bool, control: str | None, path: str | None, file: Path | None, chain: list[str] | None,
    year: int | None, by: str | None, on: list[str] | None, cut: float, months: int, start: str | None,
    target: str | None, kind: str | None,
) -> tuple[Any, Any]:  # fmt: skip
    """The world that is asked about, and the control; no control for the catalogue."""
    from monazite import api

    if catalogue:
        return api.load(chain, year), None
    if control is not None:
        shock: Any = api.control(control, path or "assumed")
    elif file is not None:
        shock = api.ExportControl.from_toml(stress.read(file))
    else:
        shock = api.ExportControl(
            by=str(by),
            on=on or (),
            cut=cut,
            months=months,
            start=start,
            to=opt.names(target) if target is not None else "ALL",
            kind=kind or "ban",  # type: ignore[arg-type]
        )
    return api.network_for(shock, chains=chain or None, year=year), shock


def _pace(update: Callable[[str], None]) -> Callable[[int, int, str], None]:
    """Say how far it is, how quick and how long yet; on a line of its own only now and then."""
    began, terminal = monotonic(), sys.stderr.isatty()
    first: list[int] = []
    said = [began - _OFTEN]

    def tell(done: int, of: int, step: str) -> None:
        first.append(done) if not first else None
        now = monotonic()
        if not terminal and done < of and now - said[0] < _OFTEN:
            return
        said[0] = now
        fresh = done - first[0]
        left = (of - done) * (now - began) / fresh if fresh > 0 else None
        if left is None or done >= of:
            update(step)
        else:
            update(say("cli.study_left", step=step, left=_time(left)))

    return tell


def _time(seconds: float) -> str:
    """Write a time for a reader.

    Examples
    --------
    >>> _time(4.2), _time(75.0), _time(7200.0)
    ('4 s', '1 min 15 s', '2 h 0 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _show(console: Console, result: Answer) -> None:
    """Print a study for a reader: what comes out, and what moves it."""
    from rich.text import Text

    from monazite.cli.twins import print_view

    console.print(Text(result.summary(), style="bold"))
    console.print()
    measures = set(result.table["measure"])
    if "headline_swing" in measures:
        print_view(console, result.view("tornado"))
    elif result.table["rank"].drop_nulls().len() if "rank" in result.table.columns else False:
        _controls(console, result)
    console.print(Text(say("cli.sources_count", count=result.sources.height), style="dim"))
    console.print(Text(say("cli.study_run", name=result.manifest.extra["run"]), style="dim"))


def _controls(console: Console, result: Answer) -> None:
    """Print the controls of a catalogue that bite most."""
    import polars as pl
    from rich.table import Table
    from rich.text import Text

    from monazite.views import numbers, words

    keys = ["by", "chain", "commodity", "scenario"]
    table = result.table
    heads = table.filter(pl.col("measure") == "headline")
    shown = heads.drop_nulls("value").sort("rank").head(_SHOWN).select("rank", *keys, headline="value")
    for measure in ("unserved", "price_multiple"):
        figures = table.filter(pl.col("measure") == measure).select(*keys, pl.col("value").alias(measure))
        shown = shown.join(figures, on=keys, how="left", nulls_equal=True, maintain_order="left")
    price = result.manifest.extra["headline"] == "price"
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("rank", "by", "commodity"):
        grid.add_column(words.column(name), overflow="fold")
    figures_of = [
        words.column("cut"),
        words.column("months"),
        *([] if price else [say("cli.study_head_all")]),
        say("cli.study_head_hit"),
        say("cli.study_head_price"),
    ]
    for head in figures_of:
        grid.add_column("\n".join(wrap(head, _HEAD)), justify="right", no_wrap=True)
    for row in shown.iter_rows(named=True):
        good, chain = row["commodity"], words.chain(row["chain"])
        cut, _, months = row["scenario"].partition("/")
        grid.add_row(
            str(row["rank"]),
            words.place(row["by"]),
            words.commodity(good) if good else say("cli.study_all", chain=chain),
            numbers.percent(float(cut)),
            months,
            *([] if price else [numbers.quantity(row["headline"], "share")]),
            numbers.quantity(row["unserved"], "share"),
            numbers.quantity(row["price_multiple"], "×"),
        )
    console.print(Text(say("cli.study_controls", count=shown.height, of=heads.height), style="dim"))
    console.print(grid)


@app.command("runs", help=say("cli.cmd_study_runs"))
def runs(
    clean: Clean = False, days: Days = 0.0, yes: Yes = False, json: opt.Json = False, csv: opt.Csv = False
) -> None:
    """List the runs that are kept, or remove those that have ended."""
    import polars as pl

    from monazite.cli import output
    from monazite.cli.show import grid
    from monazite.market.folder import Folder
    from monazite.market.folder import clean as clean_runs

    output.Door(json=json, csv=csv)
    if days and not clean:
        raise ArgumentError("cli.days_need_clean")
    if yes and not clean:
        raise ArgumentError("cli.yes_needs_clean")
    listed = clean_runs(days=days, dry=not yes) if clean else Folder.all()
    size = sum(folder.size for folder in listed) if not yes else 0
    frame = pl.DataFrame(
        [_run(folder) for folder in listed],
        schema={
            "run": pl.String,
            "what": pl.String,
            "state": pl.String,
            "done": pl.Int64,
            "of": pl.Int64,
            "MB": pl.Float64,
            "changed": pl.String,
        },
    )
    if json:
        sys.stdout.write(output.dumps(frame) + "\n")
    elif csv:
        sys.stdout.write(frame.write_csv())
    elif frame.height:
        grid(output.console(), frame, most=60)
    if clean:
        key = "cli.runs_removed" if yes else "cli.runs_would"
        sys.stderr.write(say(key, count=len(listed), size=f"{size / 1e6:.1f}") + "\n")
    elif not listed and not (json or csv):
        sys.stdout.write(say("cli.none_found") + "\n")


def _run(folder: Any) -> dict[str, Any]:
    from datetime import UTC, datetime

    state = folder.state()
    manifest = folder.manifest
    changed = (
        datetime.fromtimestamp(folder.changed, UTC).strftime("%Y-%m-%d %H:%M") if folder.exists else None
    )
    return {
        "run": folder.name,
        "what": str(manifest.get("title") or manifest.get("kind") or "") or None,
        "state": state.name,
        "done": state.done,
        "of": state.of,
        "MB": folder.size / 1e6,
        "changed": changed,
    }
