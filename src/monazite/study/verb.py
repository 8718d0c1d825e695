"""The verb: one restriction in many scenarios, or many restrictions, and what would change the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from monazite.core.checks import is_whole
from monazite.core.errors import ArgumentError, UnknownName
from monazite.core.manifest import Manifest
from monazite.core.result import finish_table
from monazite.facts.places import resolve
from monazite.market.ensemble import ensemble
from monazite.market.folder import Folder, Progress
from monazite.market.measures.outcomes import Reader
from monazite.market.runs import Runs
from monazite.market.scenario.catalogue import Catalogue
from monazite.market.scenario.causes import WORLD, causes_named
from monazite.market.scenario.contained import refuse_contained
from monazite.market.scenario.design import DESIGNS
from monazite.market.scenario.draws import WORLDS, Draws
from monazite.market.scenario.export_control import Control, ExportControl
from monazite.market.scenario.setting import Setting
from monazite.network import Network
from monazite.study import table as tables
from monazite.study.explain import explanation
from monazite.study.listing import catalogue_rows
from monazite.study.words import findings
from monazite.study.work import work

__all__ = ["HEADLINES", "Study", "source_of", "study"]

HEADLINES = ("unserved", "price")
#: longest window, months
LONGEST = 36


@dataclass(frozen=True, repr=False, eq=False)
class Study:
    """Answer of :func:`study`.

    Attributes
    ----------
    control : Control or None
        None for a catalogue.
    group : str or None
        Whose exposure the headline is about; None for every place but the restricting state.
    headline : {"unserved", "price"}
        What the headline is of.
    months, scenarios : int
        Length of the window, and how many scenarios were drawn or listed.
    table : DataFrame
        Measures ``price_multiple`` (peak over the months) and ``unserved`` (share of base use over the
        months) by commodity and place, with median, p10 and p90 over the scenarios, ``worst_month`` of what
        goes short (0 is the first); ``headline``; by ``cause`` ``headline_swing`` (low and high: median of
        the headline where the cause stands in its lowest and in its highest fifth), ``rank_correlation``, of
        a designed sample ``first_order`` and ``total_order`` or ``elementary_effect``; ``scenarios``,
        ``fell_back``, ``unconverged``, ``worst_balance``. Of a catalogue: ``headline``, ``unserved`` and
        ``price_multiple`` of each control, ranked.
    sources : DataFrame
    manifest : Manifest
    network : Network
    source : Draws or Catalogue
    record : Folder
        The run's folder: manifest, and every outcome of every scenario in ``record.rows()``.
    members : tuple of str
        Places of the group.
    """

    control: Control | None
    group: str | None
    headline: str
    months: int
    scenarios: int
    table: pl.DataFrame
    sources: pl.DataFrame
    manifest: Manifest
    network: Network
    source: Draws | Catalogue
    record: Folder
    members: tuple[str, ...] = ()

    @property
    def catalogue(self) -> bool:
        """Whether it is a catalogue of controls."""
        return isinstance(self.source, Catalogue)

    def __repr__(self) -> str:
        """Return the summary."""
        return self.summary()

    def summary(self) -> str:
        """Two sentences: what happens over the scenarios, and what would change it most."""
        return " ".join(self.findings())

    def findings(self) -> list[str]:
        """The sentences of the summary, one by one."""
        return findings(self)

    def explain(self, **selection: Any) -> dict[str, Any]:
        """Formula, cells, what is drawn and from what, and how well the scenarios cleared.

        Parameters
        ----------
        **selection
            ``measure`` and any of ``commodity, place, by, cause, scenario``, or a ``cell_id``.
        """
        return explanation(self, **selection)


def study(
    network: Network,
    control: ExportControl | Control | None = None,
    *,
    samples: int = 256,
    seed: int = 0,
    design: str = "monte_carlo",
    months: int = 12,
    causes: Sequence[str] | None = None,
    worlds: int = WORLDS,
    group: str | Sequence[str] | None = None,
    headline: str = "unserved",
    catalogue: bool = False,
    cuts: Sequence[float] = (1.0,),
    lengths: Sequence[int] | None = None,
    runs: Runs | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> Study:
    """Clear many scenarios: a control under draws of what is uncertain, or a catalogue of controls.

    What was computed before, by whomever, is not computed again; a call that was interrupted goes on where
    it stopped when it is made again.

    Parameters
    ----------
    network : Network
        The base-year world; it must not already contain the control.
    control : ExportControl or Control, optional
        Needed unless `catalogue`.
    samples : int
        Scenarios drawn.
    seed : int
        Equal seeds give equal answers, on any number of workers.
    design : {"monte_carlo", "sobol", "morris"}
        Independent draws, or a designed sample (extra ``study``); a design draws no worlds.
    months : int
        Length of the window in which the market clears with foresight, 1 to 36.
    causes : sequence of str, optional
        What is drawn (see ``docs/study.md``); all that matter when absent.
    worlds : int
        Recalibrated worlds, where ``base_year`` is drawn.
    group : str or sequence of str, optional
        Place, group or places whose exposure the headline is about.
    headline : {"unserved", "price"}
        Unserved share of base use of what the control hits, or the peak price of what it names over base.
    catalogue : bool
        Clear one scenario for each state and good that it exports, and for all exports of each state.
    cuts, lengths : sequence, optional
        Severities of a catalogue: shares that stop, and months.
    runs : Runs, optional
        Workers; one for each core when absent.
    cluster : str, optional
        Address of a Dask scheduler to work on instead.
    progress : callable, optional
        Called with (scenarios done, in all, what goes on).

    Returns
    -------
    Study

    Raises
    ------
    ArgumentError, UnknownName
        A wrong number, a design, cause, place or group that is not known, no control and no catalogue.
    Refused
        The base year already contains the control, or nothing of the kind is exported.

    Examples
    --------
    >>> from monazite.network import toy
    >>> from monazite.market.runs import Runs
    >>> ban = ExportControl("CHN", "toy_metal", months=3)
    >>> with Runs(1) as one:
    ...     found = study(toy(), ban, samples=4, seed=7, months=3, causes=["trader_stock"], runs=one)
    >>> found.table.filter(pl.col("measure") == "scenarios")["value"].item()
    4.0
    """
    if headline not in HEADLINES:
        raise UnknownName("headline", headline, HEADLINES)
    scope = _scope(group)
    source = source_of(
        network, control, samples=samples, seed=seed, design=design, months=months, causes=causes,
        worlds=worlds, catalogue=catalogue, cuts=cuts, lengths=lengths,
    )  # fmt: skip
    if cluster is not None and runs is None:
        with Runs(cluster=cluster) as far:
            folder = ensemble(source, work, runs=far, progress=progress)
    else:
        folder = ensemble(source, work, runs=runs, progress=progress)
    return finish(network, source, folder, headline=headline, scope=scope)


def source_of(
    network: Network,
    control: ExportControl | Control | None = None,
    *,
    samples: int = 256,
    seed: int = 0,
    design: str = "monte_carlo",
    months: int = 12,
    causes: Sequence[str] | None = None,
    worlds: int = WORLDS,
    catalogue: bool = False,
    cuts: Sequence[float] = (1.0,),
    lengths: Sequence[int] | None = None,
) -> Draws | Catalogue:
    """The scenarios of a study, nothing cleared yet: everything asked is checked here (see :func:`study`)."""
    if not is_whole(months, 1) or months > LONGEST:
        raise ArgumentError("study.months", longest=LONGEST, given=months)
    setting = Setting.of(network, months)
    if catalogue:
        if control is not None:
            raise ArgumentError("study.one_way")
        return Catalogue.of(network, setting, cuts=cuts, lengths=lengths)
    if control is None:
        raise ArgumentError("study.needs_control")
    if type(control) not in (ExportControl, Control):
        raise ArgumentError("stress.no_control", given=type(control).__name__)
    if design not in DESIGNS:
        raise UnknownName("design", design, DESIGNS)
    named = Control.of(control, f"{network.year + 1}-01")
    refuse_contained(network, named)
    template = setting.template()
    template.limits(named)  # refuses a control that caps nothing
    possible = {*template.causes_of(named), *([WORLD] if design == "monte_carlo" else [])}
    wanted = causes_named(causes)
    if causes is not None and design != "monte_carlo" and WORLD in causes:
        raise ArgumentError("study.design_worlds", design=design, cause=WORLD)
    chosen = tuple(cause.name for cause in wanted if cause.name in possible)
    if not chosen:
        raise ArgumentError("study.no_causes")
    return Draws(setting, named, samples, seed, chosen, design, worlds)


def finish(
    network: Network, source: Draws | Catalogue, folder: Folder, *, headline: str, scope: tables.Scope
) -> Study:
    """The answer to a run that has been made."""
    rows = folder.rows()
    template = source.setting.template()
    reader = Reader(template.layout, template.months)
    of: tables.Of = "price" if headline == "price" else "unserved"
    if isinstance(source, Catalogue):
        frames = catalogue_rows(source, rows, network, reader, of, scope)
        control, scenarios = None, source.count
    else:
        named = tables.commodities_of(network, source.control)
        head = tables.Headline.make(reader, of, named, scope, source.control.by)
        frames = tables.draws_rows(source, rows, network, reader, head, scope)
        control, scenarios = source.control, source.drawn
    frame = pl.concat(frames, how="diagonal_relaxed").with_columns(kind=pl.lit("modelled"))
    status = pl.col("status") if "status" in frame.columns else pl.lit(None, dtype=pl.String)
    made = finish_table(frame.with_columns(status=status.fill_null("ok")))
    worst = made.filter(pl.col("measure") == "worst_balance")["value"].item()
    return Study(
        control=control,
        group=scope.name,
        headline=headline,
        months=source.setting.months,
        scenarios=scenarios,
        table=made,
        sources=_sources(network),
        manifest=Manifest.create(
            inputs=[source.key(), {"group": list(scope.places), "headline": headline}],
            seed=source.seed if isinstance(source, Draws) else None,
            base_year=network.year,
            method="study/1",
            extra={**source.describe(), "headline": headline, "run": folder.name, "worst_balance": worst},
        ),
        network=network,
        source=source,
        record=folder,
        members=scope.places,
    )


def _scope(group: str | Sequence[str] | None) -> tables.Scope:
    if group is None:
        return tables.Scope(())
    if isinstance(group, str):
        return tables.Scope(tuple(resolve(group)), group)
    if not group:
        raise ArgumentError("error.group_empty")
    members = tuple(dict.fromkeys(place for name in group for place in resolve(name)))
    return tables.Scope(members, "+".join(group))


def _sources(network: Network) -> pl.DataFrame:
    used = network.facts.frame["source"].unique().to_list()
    return network.facts.sources.filter(pl.col("source").is_in(used)).sort("source")
