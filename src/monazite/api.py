"""Floor 7, the object with the verbs. Binds questions, pictures and files; nothing below imports it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monazite import network as network_floor
from monazite.answer import Answer
from monazite.assess import assess as run_assess
from monazite.core.errors import ArgumentError
from monazite.facts.controls import controls as read_controls
from monazite.market.scenario import Control, ExportControl
from monazite.network import Network
from monazite.stress import control_by_id, world_for
from monazite.stress import stress as run_stress
from monazite.study import study as run_study

if TYPE_CHECKING:
    import polars as pl

    from monazite.market.runs import Runs
    from monazite.report import Brief

Progress = Callable[[int, int], None]
Steps = Callable[[int, int, str], None]

__all__ = [
    "Answer",
    "ExportControl",
    "SupplyNetwork",
    "brief",
    "control",
    "controls",
    "coverage",
    "load",
    "network_for",
    "toy",
]


#: coverage without one state, by denominator
N_MINUS_1 = ("n_minus_1_iea", "n_minus_1_demand", "n_minus_1_final")


class SupplyNetwork:
    """A calibrated supply network with the verbs on it.

    Made by :func:`load` or :func:`toy`. The network itself (nodes, activities, flows, prices, cost lines) is
    ``.network``; printing it says what it holds.

    Examples
    --------
    >>> import monazite as mz
    >>> net = mz.toy()
    >>> answer = net.assess("IND", by="CHN", commodity="toy_widget", measure="direct_share")
    >>> answer.table["value"].round(3).to_list()
    [0.412]
    """

    def __init__(self, network: Network) -> None:
        self.network = network

    def __repr__(self) -> str:
        """Return what the network holds."""
        return repr(self.network)

    @property
    def year(self) -> int:
        """Base year."""
        return self.network.year

    @property
    def chains(self) -> tuple[str, ...]:
        """Chains held."""
        return self.network.chains

    def assess(
        self,
        subject: str | Sequence[str],
        *,
        by: str | None = None,
        chain: str | None = None,
        stage: str | None = None,
        commodity: str | None = None,
        measure: str | None = None,
    ) -> Answer:
        """How far a place or group depends on single states, at each step of each chain.

        Parameters
        ----------
        subject : str or sequence of str
            Place (ISO 3166 alpha-3), group (``QUAD``), or several.
        by : str, optional
            The state depended on; the leading one of each row when absent.
        chain, stage, commodity, measure : str, optional
            Keep only these rows.

        Returns
        -------
        Answer
            Shares (0 to 1), see ``docs/method.md``.
        """
        return Answer(
            run_assess(
                self.network, subject, by=by, chain=chain, stage=stage, commodity=commodity, measure=measure
            )
        )

    def n_minus_1(self, group: str | Sequence[str] = "QUAD", by: str | None = None) -> Answer:
        """Coverage of a group's need without one state, on three denominators."""
        return Answer(run_assess(self.network, group, by=by, measure=N_MINUS_1))

    def stress(
        self,
        control: ExportControl | Control | str,
        *,
        horizon: int = 24,
        belief: int | str | None = 2,
        group: str | Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> Answer:
        """Run an export control through the market, month by month.

        Parameters
        ----------
        control : ExportControl, Control or str
            A control, or the id of a registered one (:func:`controls`).
        horizon : int
            Months simulated from its start.
        belief : int, "foresight" or None
            Months that it is believed to last, each month anew; ``foresight`` or None: its announced length.
        group : str or sequence of str, optional
            Whose exposure is answered.
        progress : callable, optional
            Called with (months done, months in all).
        """
        chosen = control_by_id(control) if isinstance(control, str) else control
        months = None if belief == "foresight" else belief
        if isinstance(months, str):
            raise ArgumentError("error.whole_expected", name="belief", least=1, given=months)
        return Answer(
            run_stress(self.network, chosen, horizon=horizon, belief=months, group=group, progress=progress)
        )

    def study(
        self,
        control: ExportControl | Control | str | None = None,
        *,
        samples: int = 256,
        seed: int = 0,
        design: str = "monte_carlo",
        months: int = 12,
        causes: Sequence[str] | None = None,
        worlds: int = 8,
        group: str | Sequence[str] | None = None,
        headline: str = "unserved",
        catalogue: bool = False,
        cuts: Sequence[float] = (1.0,),
        lengths: Sequence[int] | None = None,
        runs: Runs | None = None,
        workers: int | None = None,
        cluster: str | None = None,
        progress: Steps | None = None,
    ) -> Answer:
        """Clear many scenarios: a control under draws of what is uncertain, or every control there could be.

        What was computed before is not computed again; a call that was interrupted goes on when it is made
        again.

        Parameters
        ----------
        control : ExportControl, Control or str, optional
            A control, or the id of a registered one; none with `catalogue`.
        samples, seed : int
            Scenarios drawn; equal seeds give equal answers.
        design : {"monte_carlo", "sobol", "morris"}
            Independent draws, or a designed sample (extra ``study``).
        months : int
            Months over which the market clears, with foresight.
        causes : sequence of str, optional
            What is drawn (see ``docs/study.md``); all that matter when absent.
        worlds : int
            Recalibrated worlds, each with the figures of the base year drawn anew.
        group : str or sequence of str, optional
            Whose exposure the headline is about.
        headline : {"unserved", "price"}
            What the headline is of.
        catalogue : bool
            One scenario for each state and good that it exports, and for all exports of each state.
        cuts, lengths : sequence, optional
            Severities of a catalogue: shares that stop, and months.
        runs : Runs, optional
            Workers that stay open between calls, instead of `workers`.
        workers : int, optional
            Processes; one for each core when absent. The answer is the same on any number.
        cluster : str, optional
            Address of a Dask scheduler to work on instead.
        progress : callable, optional
            Called with (scenarios done, in all, what goes on).
        """
        chosen = control_by_id(control) if isinstance(control, str) else control
        asked: dict[str, Any] = {
            "samples": samples, "seed": seed, "design": design, "months": months, "causes": causes,
            "worlds": worlds, "group": group, "headline": headline, "catalogue": catalogue, "cuts": cuts,
            "lengths": lengths, "progress": progress,
        }  # fmt: skip
        if runs is not None or (workers is None and cluster is None):
            return Answer(run_study(self.network, chosen, runs=runs, **asked))
        from monazite.market.runs import Runs as Workers

        with Workers(workers, cluster=cluster) as made:
            return Answer(run_study(self.network, chosen, runs=made, **asked))


def load(
    chains: Sequence[str] | str | None = None, year: int | None = None, *, path: str | Path | None = None
) -> SupplyNetwork:
    """Load the packaged, cited figures as a calibrated network.

    Parameters
    ----------
    chains : str or sequence of str, optional
        Which chains; all when absent.
    year : int, optional
        Base year; the latest that all of them have when absent.
    path : str or Path, optional
        A folder of chains of your own instead of the packaged ones (``<chain>/facts.csv``, …).

    Examples
    --------
    >>> import monazite as mz
    >>> mz.load(["gallium"], year=2022).year
    2022
    """
    names = [chains] if isinstance(chains, str) else chains
    return SupplyNetwork(network_floor.load(names, year, path=None if path is None else Path(path)))


def toy() -> SupplyNetwork:
    """The invented world of tests and tutorials, whose answers can be computed by hand."""
    return SupplyNetwork(network_floor.toy())


def coverage(
    chains: Sequence[str] | str | None = None, *, stage: str | None = None, year: int | None = None
) -> Answer:
    """What is known of each stage of each chain, year by year, and how; what nobody has published stays none.

    Parameters
    ----------
    chains : str or sequence of str, optional
        All that are packaged when absent.
    stage : str, optional
    year : int, optional

    Returns
    -------
    Answer
        Counts of facts by kind and status, the leading kind by tonnes, the reported part of the world's
        tonnes.

    Examples
    --------
    >>> import monazite as mz
    >>> mz.coverage("gallium", year=2024).table.filter(measure="leading_share").height
    5
    """
    from monazite.facts.coverage import coverage_of

    return Answer(coverage_of(chains, stage=stage, year=year))


def controls() -> pl.DataFrame:
    """The registry of real controls: id, title, state, dates, chains, base year, legal act."""
    import polars as pl

    columns = ("id", "title", "by", "announced", "in_force", "status", "base_year", "legal", "source")
    return pl.DataFrame(
        [
            {
                **{c: str(r[c]) if c != "base_year" else r[c] for c in columns},
                "chains": ", ".join(r["chains"]),
            }
            for r in read_controls().values()
        ]
    )


def control(name: str, path: str = "assumed") -> Control:
    """A registered control, with its assumed licence path or with the observed path imposed."""
    return control_by_id(name, path)


def network_for(
    control_: ExportControl | Control | str,
    *,
    chains: Sequence[str] | None = None,
    year: int | None = None,
) -> SupplyNetwork:
    """The world that can carry a control: its chains, in the latest packaged year before the event.

    Raises
    ------
    Refused
        No packaged base year precedes the event, or the year asked for already contains it.
    UnknownName
        A commodity that no packaged chain knows.
    """
    chosen = control_by_id(control_) if isinstance(control_, str) else control_
    return SupplyNetwork(world_for(chosen, chains=chains, year=year))


def brief(
    subjects: Sequence[str] = ("IND", "USA"),
    *,
    beside: str = "QUAD",
    to: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
    workers: int | None = 1,
) -> Brief:
    """The report for one or more places: exposure, and the two registered controls.

    Parameters
    ----------
    subjects : sequence of str
        Places whose findings are told.
    beside : str
        Group shown beside them.
    to : path, optional
        HTML file to write (one self-contained file).
    progress : callable, optional
        Called with a line about each step.
    workers : int, optional
        Processes for the runs; None for all cores (a script that asks for more than one needs the usual
        ``if __name__ == "__main__":``). The answer is the same on any number.

    Returns
    -------
    Brief
    """
    from monazite.report import compose

    made = compose(list(subjects), beside=beside, progress=progress, workers=workers)
    if to is not None:
        made.to_file(Path(to))
    return made
