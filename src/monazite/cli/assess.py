"""``monazite assess``: dependence of a place or group."""

from __future__ import annotations

from monazite.cli import options as opt
from monazite.core.text import say


def command(
    subject: opt.Subject,
    chain: opt.Chain = None,
    year: opt.Year = None,
    stage: opt.Stage = None,
    commodity: opt.Commodity = None,
    by: opt.By = None,
    measure: opt.Measure = None,
    explain: opt.Explain = None,
    fail_above: opt.FailAbove = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
    to: opt.To = None,
    view: opt.View = None,
    quiet: opt.Quiet = False,
) -> None:
    """Assess a place or group and show the answer."""
    from monazite.cli import output
    from monazite.facts.places import resolve

    door = output.Door(
        json=json, csv=csv, to=to, quiet=quiet, measure=measure, fail_above=fail_above, view=view
    )
    who = opt.names(subject)
    for name in (subject, by):
        if name is not None:
            resolve(opt.names(name))  # a name that nobody knows is told before any work
    with door.working(say("cli.working_assess")):
        from monazite import api

        network = api.load(chain or None, year)
        result = network.assess(who, by=by, stage=stage, commodity=commodity, measure=measure)
    door.answer(result, explain=explain)
