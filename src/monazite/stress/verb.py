"""The verb: a state restricts an export; what runs short, when, at what price, and what stops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from monazite.core.cache import code_hash, kept
from monazite.core.checks import is_whole
from monazite.core.errors import ArgumentError, Refused, UnknownName
from monazite.core.manifest import Manifest, content_hash
from monazite.core.result import finish_table
from monazite.core.text import say
from monazite.facts import chains as packaged_chains
from monazite.facts import commodity_chains, years
from monazite.facts import load as load_facts
from monazite.facts.assumptions import settings_hash
from monazite.facts.controls import controls
from monazite.facts.places import resolve
from monazite.market.runs import Progress as Steps
from monazite.market.scenario import Control, ExportControl, Limits, limits, registered
from monazite.market.scenario.contained import refuse_contained
from monazite.network import Layout, Network, layout, load
from monazite.stress import tables
from monazite.stress.explain import explanation
from monazite.stress.record import beside_record
from monazite.stress.relief import relief_rows
from monazite.stress.simulate import Progress, Run, simulate
from monazite.stress.words import findings

#: longest run, months
LONGEST = 120


@dataclass(frozen=True, repr=False, eq=False)
class Stress:
    """Answer of :func:`stress`.

    Attributes
    ----------
    control : Control
    group : str or None
        Whose exposure is answered; None for every place. Its places are ``members``.
    table : DataFrame
        Measures ``price`` (USD/kg), ``price_multiple``, ``shortage`` (share of base need), ``stock_cover``
        (months), ``exports`` (t a month), ``exports_multiple``, ``first_stop_week``, ``median_stop_week``,
        ``output_deferred`` (made up later), ``output_on_order``, ``output_lost`` (months of base output), the
        same for ``units`` (products) and ``value_added`` (million USD), ``price_transfer`` (million USD),
        each with low and high where its range is known; then what would help, of the base year:
        ``spare_capacity``, ``spare_coverage``, ``sent_abroad``, ``other_form``, ``stock_held``,
        ``stock_months`` (see ``market.measures.relief``).
    sources : DataFrame
    manifest : Manifest
    network : Network
    limits : Limits
    run : Run
    """

    control: Control
    group: str | None
    table: pl.DataFrame
    sources: pl.DataFrame
    manifest: Manifest
    network: Network
    limits: Limits
    run: Run
    members: tuple[str, ...] = ()

    @cached_property
    def everywhere(self) -> pl.DataFrame:
        """The table of every place, whatever group was asked for."""
        if not self.group:
            return self.table
        return _table(self.limits.layout, self.run, self.control, tables.Scope(()))

    def record(self) -> pl.DataFrame:
        """The control's observed points beside this answer's figures; empty where none are known."""
        return beside_record(self)

    def __repr__(self) -> str:
        """Return the summary."""
        return self.summary()

    def summary(self) -> str:
        """Two sentences: how far the flow falls and who stops first; what it costs and at what price."""
        return " ".join(self.findings())

    def findings(self, place: str | None = None) -> list[str]:
        """The sentences of the summary, one by one; of one place when it is named."""
        return findings(self, place)

    def explain(self, **selection: Any) -> dict[str, Any]:
        """Formula, numbers and sources of one measure.

        Parameters
        ----------
        **selection
            ``measure`` and any of ``commodity, use, place, period``, or the ``cell_id`` of one cell, whose
            facts are then only those that bear on it.
        """
        shown: dict[str, Any] = explanation(self, **selection)
        return shown


@lru_cache(maxsize=4)
def _layout_of(network: Network) -> Layout:
    return layout(network)


def stress(
    network: Network,
    control: ExportControl | Control,
    *,
    horizon: int = 24,
    belief: int | None = 2,
    group: str | Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Stress:
    """Run a control through the market, month by month, unforeseen at its start.

    Parameters
    ----------
    network : Network
        The base-year world; it must not already contain the control.
    control : ExportControl or Control
    horizon : int
        Months simulated from the start of the control.
    belief : int or None
        Months that the control is believed to last, each month anew; None believes its announced length.
    group : str or sequence of str, optional
        Place, group or places whose exposure is answered; all when absent.
    progress : callable, optional
        Called with (months done, months in all).

    Returns
    -------
    Stress

    Raises
    ------
    Refused
        The base year already contains the control, or nothing of the kind is exported.
    UnknownName, ArgumentError
        A state, commodity, place or group that is not known; a horizon below one month.

    Examples
    --------
    >>> from monazite.network import toy
    >>> hit = stress(toy(), ExportControl("CHN", "toy_metal", 1.0, "2025-01", 6), horizon=8, group="IND")
    >>> hit.table.filter(pl.col("measure") == "exports")["value"][1]
    0.0
    """
    named = prepare(network, control, horizon, belief)
    month = _layout_of(network)
    bound = limits(month, named)
    run = simulate(month, bound, horizon=horizon, belief=belief, progress=progress)
    return finish(network, named, run, belief=belief, group=group)


def prepare(network: Network, control: ExportControl | Control, horizon: int, belief: int | None) -> Control:
    """Check what is asked, and name the control."""
    if type(control) not in (ExportControl, Control):
        raise ArgumentError("stress.no_control", given=type(control).__name__)
    if not is_whole(horizon, 1) or horizon > LONGEST:
        raise ArgumentError("stress.horizon", longest=LONGEST, given=horizon)
    if belief is not None and not is_whole(belief, 1):
        raise ArgumentError("error.whole_expected", name="belief", least=1, given=belief)
    named = Control.of(control, f"{network.year + 1}-01")
    refuse_contained(network, named)
    return named


def run_name(
    chains: Sequence[str], year: int, control: Control, horizon: int = 24, belief: int | None = 2
) -> str:
    """Name of a run: a hash of the facts, the code, the control and what is asked of it."""
    here = Path(__file__).parent
    return content_hash(
        load_facts(chains, year).content_hash,
        settings_hash(),
        code_hash(here, here.parent / "market", here.parent / "network"),
        version("scipy"),
        *(piece.to_toml() for piece in control.pieces),
        control.start,
        {"horizon": horizon, "belief": belief, "chains": list(chains), "year": year},
    )


def run_of(
    chains: Sequence[str],
    year: int,
    control: Control,
    horizon: int = 24,
    belief: int | None = 2,
    *,
    progress: Steps | None = None,
) -> Run:
    """The run alone, by names, kept by the content of facts, code and control.

    This is what a worker process is asked for (see ``market.runs``).
    """
    tell = progress or (lambda _done, _of, _step: None)
    tell(0, horizon, say("stress.step_load"))
    network = load(chains, year)

    def make() -> Run:
        month = _layout_of(network)
        return simulate(
            month,
            limits(month, control),
            horizon=horizon,
            belief=belief,
            progress=lambda done, of: tell(done, of, say("stress.step_month", done=done, of=of)),
        )

    return kept(f"runs/{run_name(chains, year, control, horizon, belief)}/result.pickle", Run, make)


def finish(
    network: Network,
    control: Control,
    run: Run,
    *,
    belief: int | None = 2,
    group: str | Sequence[str] | None = None,
) -> Stress:
    """The answer to a run that has been made."""
    scope = _scope(group)
    month = _layout_of(network)
    bound = limits(month, control)
    return Stress(
        control=control,
        group=scope.name,
        table=_table(month, run, control, scope),
        sources=_sources(network, bound),
        manifest=_manifest(network, control, len(run.level), belief, run),
        network=network,
        limits=bound,
        run=run,
        members=scope.places,
    )


def known_controls() -> dict[str, Any]:
    """The registry of real controls, by id."""
    return dict(controls())


def control_by_id(name: str, path_kind: str = "assumed") -> Control:
    """A registered control, with its assumed licence path or with the observed one imposed."""
    known = controls()
    if name not in known:
        raise UnknownName("control", name, known)
    return registered(known[name], path_kind)


def world_for(
    control: ExportControl | Control, *, chains: Sequence[str] | None = None, year: int | None = None
) -> Network:
    """The world that can carry a control: its chains, in the latest packaged year before the event.

    Parameters
    ----------
    control : ExportControl or Control
    chains : sequence of str, optional
        The chains of what it names when absent.
    year : int, optional
        Base year; it is not questioned here (:func:`stress` refuses one that contains the control).

    Raises
    ------
    Refused
        No packaged base year precedes the event.
    UnknownName
        A commodity that no packaged chain knows.
    """
    return load(*base_of(control, chains=chains, year=year))


def base_of(
    control: ExportControl | Control, *, chains: Sequence[str] | None = None, year: int | None = None
) -> tuple[list[str], int]:
    """Chains and base year of the world that can carry a control (see :func:`world_for`)."""
    catalogue, packaged = commodity_chains(), packaged_chains()
    found = []
    for name in control.on:
        if name not in packaged and name not in catalogue:
            raise UnknownName("commodity", name, [*catalogue, *packaged])
        found.append(name if name in packaged else catalogue[name])
    wanted = list(dict.fromkeys(found)) if chains is None else list(chains)
    if year is None:
        start = control.start
        common = sorted(set.intersection(*(set(years(c)) for c in wanted)))
        since = control.in_base_from if isinstance(control, Control) else None
        usable = [y for y in common if (start is None or y < int(start[:4])) and (since is None or y < since)]
        if not usable:
            raise Refused(
                "stress.no_base_year",
                control=", ".join(control.on),
                start=start,
                years=", ".join(map(str, common)),
            )
        year = usable[-1]
    return wanted, year


def _scope(group: str | Sequence[str] | None) -> tables.Scope:
    if group is None:
        return tables.Scope(())
    if isinstance(group, str):
        return tables.Scope(tuple(resolve(group)), group)
    if not group:
        raise ArgumentError("error.group_empty")
    members = tuple(dict.fromkeys(p for name in group for p in resolve(name)))
    return tables.Scope(members, "+".join(group))


def _focus(network: Network, control: Control) -> list[str]:
    """Commodities whose prices are answered: what is controlled, and what end uses take."""
    nodes = network.nodes
    on = [c for c in control.on if c in set(nodes["commodity"])]
    on += nodes.filter(pl.col("chain").is_in(list(control.on)))["commodity"].unique().sort().to_list()
    chains = nodes.filter(pl.col("commodity").is_in(on))["chain"].unique().to_list()
    used = network.activities.filter(
        (pl.col("type") == "use") & (pl.col("form") != "unsold") & pl.col("chain").is_in(chains)
    )["commodity"]
    return list(dict.fromkeys([*on, *used.unique().sort().to_list()]))


def _named(network: Network, control: Control) -> set[str]:
    """Commodities that a control names, a chain standing for all of its own."""
    nodes = network.nodes
    return set(control.on) | set(nodes.filter(pl.col("chain").is_in(list(control.on)))["commodity"])


def _table(month: Layout, run: Run, control: Control, scope: tables.Scope) -> pl.DataFrame:
    focus = _focus(month.network, control)
    frames = [
        tables.export_rows(month, run, control, [c for c in focus if c in _named(month.network, control)]),
        tables.stop_rows(month, run, scope, control.days / 7.0),
        tables.loss_rows(month, run, scope),
        tables.transfer_rows(month, run, scope, focus),
        tables.shortage_rows(month, run, control, scope),
        tables.price_rows(month, run, control, scope, focus),
    ]
    frame = pl.concat([f for f in frames if f.height], how="diagonal_relaxed")
    status = pl.col("status") if "status" in frame.columns else pl.lit(None, dtype=pl.String)
    basis = dict(month.network.facts.commodities.select("commodity", "basis").iter_rows())
    frame = frame.with_columns(
        by=pl.lit(control.by),
        control=pl.lit(control.id or None, dtype=pl.String),
        scenario=pl.lit(control.path_kind),
        kind=pl.lit("modelled"),
        basis=pl.when(pl.col("unit").is_in(["t/month", "USD/kg"])).then(
            pl.col("commodity").replace_strict(basis, default=None)
        ),
        status=status.fill_null(
            pl.when(pl.col("value").is_not_nan() & pl.col("value").is_not_null())
            .then(pl.lit("ok"))
            .otherwise(pl.lit("insufficient"))
        ),
    )
    helps = relief_rows(month.network, control, scope).with_columns(
        by=pl.lit(control.by),
        control=pl.lit(control.id or None, dtype=pl.String),
        scenario=pl.lit(control.path_kind),
    )
    return finish_table(pl.concat([frame, helps], how="diagonal_relaxed"))


def _sources(network: Network, bound: Limits) -> pl.DataFrame:
    """Sources of the facts that the touched chains rest on."""
    focus = set(_focus(network, bound.control))
    chains = network.nodes.filter(pl.col("commodity").is_in(list(focus)))["chain"].unique().to_list()
    used = network.facts.frame.filter(pl.col("chain").is_in(chains))["source"].unique()
    return network.facts.sources.filter(pl.col("source").is_in(used.to_list())).sort("source")


def _manifest(network: Network, control: Control, horizon: int, belief: int | None, run: Run) -> Manifest:
    worst = run.worst
    return Manifest.create(
        inputs=[
            network.facts.content_hash,
            settings_hash(),
            control.id,
            *(piece.to_toml() for piece in control.pieces),
            {"horizon": horizon, "belief": belief},
        ],
        method="stress/1",
        base_year=network.year,
        extra={
            "belief": "foresight" if belief is None else belief,
            "horizon": horizon,
            "path": control.path_kind,
            "certificate": {"balance": worst.balance, "gap": worst.gap, "method": worst.method},
        },
    )
