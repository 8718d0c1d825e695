"""The brief on dependence and two real controls: what is asked, and how the answers are laid out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from monazite.assess import Assessment, assess
from monazite.assess.words import exposures
from monazite.core.manifest import Manifest
from monazite.core.text import say
from monazite.facts.places import name_of, resolve
from monazite.market.runs import Progress as Steps
from monazite.market.runs import Runs
from monazite.market.scenario import Control
from monazite.network import Network, load
from monazite.report.brief import Brief, Finding, Section
from monazite.stress import Run, Stress, control_by_id, finish, refuse_contained, run_of, world_for
from monazite.views import View, chokepoint, ranking, sankey, timeline
from monazite.views.catalogue import flows_of, marks_of, path_of, start_of, steps_of
from monazite.views.dependence import dependence

Progress = Callable[[str], None]

#: the controls that the brief runs, each on the latest world before it
CONTROLS = ("CN-REE-APR2025", "CN-GAGE-2023")
HORIZON, BELIEF = 24, 2
#: chains told, the first one first
CHAINS = ("rare_earths", "gallium")
KINDS = ("reported", "estimated", "derived", "assumed", "modelled")
#: elements shown of each chain; the first one's chain is drawn
ELEMENTS = {"rare_earths": ("NdPr", "Dy", "Tb"), "gallium": ("Ga",)}


@dataclass(frozen=True)
class Answers:
    """What the brief rests on.

    Attributes
    ----------
    networks : dict of str to Network
        The latest world of each chain.
    assessments : dict of (subject, chain) to Assessment
    assumed, observed : dict of str to Stress
        Each control with its assumed licence path, and with the observed path imposed.
    """

    networks: dict[str, Network]
    assessments: dict[tuple[str, str], Assessment]
    assumed: dict[str, Stress]
    observed: dict[str, Stress]


def gather(
    subjects: Sequence[str], beside: str, progress: Progress | None = None, workers: int | None = 1
) -> Answers:
    """Ask all questions of the brief; the runs go on in worker processes beside the assessments."""
    tell = progress or (lambda _: None)
    tell(say("brief.step_load"))
    networks = {chain: load([chain]) for chain in CHAINS}
    members = list(dict.fromkeys([*subjects, *resolve(beside)]))
    scope = beside if set(members) <= set(resolve(beside)) else members
    asked: list[tuple[Network, Control, Callable[[], Run]]] = []
    assessments = {}
    answers: dict[str, dict[str, Stress]] = {"assumed": {}, "observed": {}}
    with Runs(workers) as runs:
        for name in CONTROLS:
            for kind in answers:
                control = control_by_id(name, kind)
                world = world_for(control)
                refuse_contained(world, control)
                months = min(HORIZON, control.recorded or HORIZON)
                asked.append(
                    (world, control, runs.start(run_of, world.chains, world.year, control, months, BELIEF))
                )
        for subject in [*subjects, beside]:
            tell(say("brief.step_assess", subject=subject))
            for chain, network in networks.items():
                assessments[subject, chain] = assess(network, subject)
        for world, control, waiting in asked:
            kind = control.path_kind
            tell(say("brief.step_stress", control=control.id, path=say(f"brief.path_{kind}")))
            answers[kind][control.id] = finish(world, control, waiting(), belief=BELIEF, group=scope)
    return Answers(networks, assessments, answers["assumed"], answers["observed"])


def compose(
    subjects: Sequence[str],
    *,
    beside: str = "QUAD",
    progress: Progress | None = None,
    workers: int | None = 1,
) -> Brief:
    """Make the brief for some places, with a group beside them.

    Parameters
    ----------
    subjects : sequence of str
        Places or groups whose findings are told.
    beside : str
        Group shown beside them.
    progress : callable, optional
        Called with a line about each step.
    workers : int, optional
        Processes for the runs; None for all cores.

    Returns
    -------
    Brief

    Raises
    ------
    UnknownName
        A place or group that is not known.
    """
    for subject in [*subjects, beside]:
        resolve(subject)
    found = gather(subjects, beside, progress, workers)
    names = [_subject_name(s) for s in subjects]
    sections = [_chokepoints(found, beside), *_exposures(found, [*subjects, beside]), *_chain(found)]
    sections += [section for name in CONTROLS for section in _control(found, name)]
    tables = [a.table for a in found.assessments.values()]
    tables += [s.table for group in (found.assumed, found.observed) for s in group.values()]
    return Brief(
        title=say("brief.title", names=_joined(names)),
        subtitle=say(
            "brief.subtitle", beside=beside, chains=_joined([c.replace("_", " ") for c in found.networks])
        ),
        findings=tuple(_findings(found, list(subjects), beside)),
        sections=tuple(sections),
        unknown=tuple(_unknown(found)),
        sources=_sources(found),
        manifest=_manifest(found, subjects, beside),
        table=pl.concat(tables, how="diagonal_relaxed"),
    )


def brief_page(subjects: Sequence[str], *, progress: Steps | None = None) -> str:
    """Make the brief as HTML: what a worker process is asked for (see ``market.runs``)."""
    of = len(subjects) + 2 + 2 * len(CONTROLS) + 1  # load, assess each and the group beside, runs, writing
    told = 0

    def tell(line: str) -> None:
        nonlocal told
        if progress is not None:
            progress(min(told, of - 1), of, line)
        told += 1

    made = compose(subjects, progress=tell, workers=1)
    tell(say("brief.step_write"))
    return made.html()


def _sources(found: Answers) -> pl.DataFrame:
    frames = [n.facts.sources for n in found.networks.values()]
    frames += [s.network.facts.sources for s in found.assumed.values()]
    return pl.concat(frames, how="diagonal_relaxed").unique("source", keep="first", maintain_order=True)


def _joined(names: Sequence[str]) -> str:
    return say("brief.and", first=", ".join(names[:-1]), last=names[-1]) if len(names) > 1 else names[0]


def _assumed_share(table: pl.DataFrame) -> float | None:
    if "assumed_share" not in table.columns:
        return None
    found = table.filter(pl.col("measure") == "touch_share")["assumed_share"].drop_nulls()
    return float(found.mean()) if found.len() else None  # type: ignore[arg-type]


def _findings(found: Answers, subjects: list[str], beside: str) -> list[Finding]:
    """What each place depends on, what the others could cover, what each control does to each place."""
    findings = []
    for subject in [*subjects, beside]:
        answers = [found.assessments[subject, chain] for chain in found.networks]
        shares = [s for a in answers if (s := _assumed_share(_own(a)))]
        findings.append(Finding(exposures(answers), kind="modelled", assumed_share=max(shares, default=None)))
    cover = [found.assessments[beside, chain].findings()[-1] for chain in found.networks]
    findings.append(Finding(" ".join(cover), kind="modelled"))
    for name in CONTROLS:
        run = found.assumed[name]
        detail = say("brief.detail_assumed", year=run.network.year, belief=BELIEF)
        for subject in subjects:
            place = subject if len(resolve(subject)) == 1 else None
            sentence = " ".join(run.findings(place))
            findings.append(Finding(sentence, kind="modelled", detail=detail, assumed_share=_rest(run)))
    return findings


def _rest(answer: Stress) -> float:
    """Share of the network's live levels, by count, that are assumed or modelled."""
    live = answer.network.activities.filter(pl.col("level") > 0)
    return live.filter(pl.col("kind").is_in(["assumed", "modelled"])).height / live.height


def _chokepoints(found: Answers, beside: str) -> Section:
    table = pl.concat([found.assessments[beside, c].table for c in found.networks], how="diagonal_relaxed")
    return Section(
        say("brief.heading_chokepoints"), view=chokepoint(steps_of(table), sources=_sources(found))
    )


def _exposures(found: Answers, subjects: list[str]) -> list[Section]:
    """Dependence by stage on the state that most passes through, all places side by side, a chain each."""
    sections = []
    for chain, network in found.networks.items():
        answers = [found.assessments[s, chain] for s in subjects]
        touched = pl.concat([_own(a, "touch_share") for a in answers], how="diagonal_relaxed")
        if not touched.height:
            continue
        state = str(touched["by"].mode().sort()[0])
        named = [assess(network, s, by=state, chain=chain) for s in subjects]
        rows = pl.concat([_own(a) for a in named], how="diagonal_relaxed")
        elements = [e for e in ELEMENTS[chain] if e in set(rows["element"].drop_nulls())]
        view = dependence(rows, by=state, elements=elements, sources=network.facts.sources)
        heading = say("brief.heading_exposure", state=name_of(state), chain=chain.replace("_", " "))
        sections.append(Section(heading, view=view, after=(say("brief.text_exposure"),)))
    return sections


def _own(answer: Assessment, measure: str | None = None) -> pl.DataFrame:
    """Rows of the subject that have a figure."""
    rows = answer.table.filter((pl.col("place") == answer.subject) & pl.col("value").is_not_null())
    return rows if measure is None else rows.filter(pl.col("measure") == measure)


def _chain(found: Answers) -> list[Section]:
    sections = []
    for chain, network in found.networks.items():
        element = ELEMENTS[chain][0]
        table = next(a.table for (_, named), a in found.assessments.items() if named == chain)
        flows = flows_of(table, chain=chain, element=element)
        view = sankey(flows, chain=chain, first=start_of(flows), sources=network.facts.sources)
        heading = say("brief.heading_chain", element=say(f"brief.element_{element}"))
        sections.append(Section(heading, view=view, table=False))
    return sections


def _control(found: Answers, name: str) -> list[Section]:
    assumed, observed = found.assumed[name], found.observed[name]
    title = assumed.control.title
    seen = _observed_prices(observed)
    return [
        Section(
            say("brief.heading_control", title=title),
            view=timeline(path_of(assumed.table), controls=marks_of(assumed), sources=assumed.sources),
            text=(say("brief.text_assumed"), *assumed.findings()),
        ),
        Section(say("brief.heading_short", title=title), view=_shortest(assumed)),
        Section(
            say("brief.heading_record", title=title),
            view=_exports(assumed, observed),
            text=(say("brief.text_observed"), *observed.findings()),
            findings=tuple(_record(observed)),
        ),
        Section(
            say("brief.heading_prices", title=title),
            view=timeline(
                _price_rows(observed, seen), seen, controls=marks_of(observed), sources=observed.sources
            ),
        ),
    ]


def _shortest(answer: Stress) -> View:
    """The uses that run shortest in any month."""
    worst = (
        answer.table.filter((pl.col("measure") == "shortage") & (pl.col("place") != answer.control.by))
        .sort("value", descending=True, nulls_last=True)
        .unique(["use", "commodity", "place"], keep="first", maintain_order=True)
        .with_columns(scenario=pl.lit(None, dtype=pl.String), by=pl.lit(None, dtype=pl.String))
    )
    return ranking(worst, measure="shortage", share=True, sources=answer.sources)


def _exports(assumed: Stress, observed: Stress) -> View:
    """Exports of the controlled lines together: assumed path, observed path, and what customs recorded."""
    record = observed.record().filter((pl.col("what") == "exports") & pl.col("partner").is_null())
    lines = record["commodity"].mode().sort()[0] if record.height else ";".join(observed.control.on)
    frames = []
    for answer in (assumed, observed):
        rows = answer.table.filter(
            (pl.col("measure") == "exports") & pl.col("commodity").is_in(lines.split(";"))
        )
        total = rows.group_by("period", maintain_order=True).agg(pl.col("value").sum())
        frames.append(
            total.with_columns(
                kind=pl.lit("modelled"), scenario=pl.lit(say(f"brief.path_{answer.control.path_kind}"))
            )
        )
    months = set(frames[0]["period"])
    seen = (
        record.filter((pl.col("commodity") == lines) & pl.col("period").is_in(list(months)))
        .select("period", pl.col("observed").alias("value"), "low", "high")
        .with_columns(kind=pl.lit("reported"), scenario=pl.lit(say("brief.path_observed")))
    )
    shape = {"measure": pl.lit("exports"), "unit": pl.lit("t/month"), "place": pl.lit(assumed.control.by)}
    return timeline(
        pl.concat(frames).with_columns(**shape),
        seen.with_columns(**shape) if seen.height else None,
        controls=marks_of(assumed),
        sources=assumed.sources,
        measures=("exports",),
    )


def _observed_prices(answer: Stress) -> pl.DataFrame:
    """Recorded price multiples within the months simulated, in the form of a timeline's points."""
    months = set(answer.table["period"].drop_nulls())
    rows = answer.record().filter((pl.col("what") == "price_multiple") & pl.col("period").is_in(list(months)))
    return rows.select(
        pl.col("what").alias("measure"),
        "commodity",
        "place",
        "period",
        pl.col("observed").alias("value"),
        "low",
        "high",
        "unit",
        kind=pl.lit("reported"),
    )


def _price_rows(answer: Stress, seen: pl.DataFrame) -> pl.DataFrame:
    """The model's price multiples of the goods and places that were observed."""
    return (
        answer.everywhere.filter(pl.col("measure") == "price_multiple")
        .join(seen.select("commodity", "place").unique(), on=["commodity", "place"], how="semi")
        .with_columns(scenario=pl.lit(None, dtype=pl.String), by=pl.lit(None, dtype=pl.String))
    )


def _record(answer: Stress) -> list[Finding]:
    """What was seen beside what the model gives, misses included."""
    label = dict(answer.network.facts.commodities.select("commodity", "name").iter_rows())
    items = []
    for row in answer.record().iter_rows(named=True):
        if row["what"] == "exports" or row["observed"] is None:
            continue
        key = f"brief.record_{row['what']}"
        if row["what"] not in ("price_multiple", "first_stop_week", "exports_change"):
            continue
        shown = "exports" if row["what"] == "exports_change" else row["what"]
        scale = 100.0 if shown == "exports" else 1.0
        items.append(
            Finding(
                say(
                    key,
                    commodity=_joined([label.get(c, c) for c in row["commodity"].split(";") if c] or ["–"]),
                    place=name_of(row["partner"] or row["place"]),
                    period=row["period"],
                    observed=f"{scale * row['observed']:.3g}",
                    modelled="–" if row["modelled"] is None else f"{scale * row['modelled']:.3g}",
                ),
                kind="modelled",
                sources=(row["source"],),
            )
        )
    return items


def _unknown(found: Answers) -> list[str]:
    sentences = [say("brief.unknown_model")]
    for chain, network in found.networks.items():
        report = network.report
        if report.dof:
            sentences.append(
                say(
                    "brief.unknown_chi2",
                    chain=chain.replace("_", " "),
                    chi2=f"{report.chi2_per_dof:.2f}",
                    dof=report.dof,
                )
            )
        live = network.activities.filter(pl.col("level") > 0)
        kinds = {k: live.filter(pl.col("kind") == k).height for k in KINDS}
        sentences.append(
            say("brief.unknown_kinds", chain=chain.replace("_", " "), total=live.height, **kinds)
        )
    return [*sentences, say("brief.unknown_elasticity"), say("brief.unknown_path")]


def _manifest(found: Answers, subjects: Sequence[str], beside: str) -> Manifest:
    runs = [s.manifest.input_hash for group in (found.assumed, found.observed) for s in group.values()]
    return Manifest.create(
        inputs=[
            *(n.facts.content_hash for n in found.networks.values()),
            list(subjects),
            beside,
            *runs,
        ],
        method="brief/1",
        base_year={c: n.year for c, n in found.networks.items()},
        extra={"controls": list(CONTROLS), "horizon": HORIZON, "belief": BELIEF},
    )


def _subject_name(subject: str) -> str:
    return name_of(subject) if len(resolve(subject)) == 1 else subject
