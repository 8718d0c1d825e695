"""Export controls: a ban, a licence with recovery, a quota; any state can be the restricting one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, cast

from monazite.core.checks import is_number, is_text, is_texts
from monazite.core.errors import ArgumentError, UnknownName
from monazite.facts.assumptions import assumed
from monazite.facts.places import places
from monazite.market.scenario.document import Document, check_time

Kind = Literal["ban", "licence", "quota"]

#: share of base flow licensed in each month where no path is given: about 45 working days of nothing, then a
#: slow
#: recovery to a plateau (assumed, `assumptions.csv`)
LICENCE_PRIOR = tuple(assumed(f"licence_{month}").value for month in range(8))
#: flow allowed after a control, as a multiple of base: exporters catch up
REBOUND = assumed("rebound").value


def _names(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _state(name: str) -> str:
    """The code of a state named by its code or short name; what is neither is left for the network to refuse.

    Examples
    --------
    >>> _state("China"), _state("chn"), _state("CHM")
    ('CHN', 'CHN', 'CHM')
    """
    known = {text.casefold(): code for code, text in places().items()} | {c.casefold(): c for c in places()}
    return known.get(name.strip().casefold(), name)


@dataclass(frozen=True)
class ExportControl(Document):
    """A state restricts its exports of something, to somebody, for some months.

    Parameters
    ----------
    by : str
        The restricting state (ISO 3166 alpha-3).
    on : str or sequence of str
        Commodities, or a chain for all that it trades.
    cut : float
        Share of the base flow that stops, 0 to 1.
    start : str, optional
        First month, ``YYYY-MM``; the month after the base year when absent.
    months : int
        Length.
    to : str or sequence of str
        Whom it is aimed at: places, groups, or ``ALL``.
    kind : {"ban", "licence", "quota"}
        Ban: each flow is capped at ``1 - cut``. Licence: `path` gives what is licensed month by month.
        Quota: the state's exports to all together are capped.
    path : sequence of float
        Caps by month as shares of the base flow, instead of `cut`; the last one holds until `months` are
        over.
    after : float
        Cap once it is over, as a multiple of base (catch-up).
    cohorts : mapping of str to sequence of float
        Caps by class of cover (``c1`` … ``c4``) on what users can draw of the controlled origin.

    Raises
    ------
    ArgumentError
        A cut outside 0 to 1, a month that is none, no months at all, a negative cap.

    Examples
    --------
    >>> ban = ExportControl(by="CHN", on="dy_oxide", cut=1.0, start="2027-01", months=12)
    >>> ban.cap(0), ban.cap(12)
    (0.0, 1.3)
    >>> ExportControl.from_toml(ban.to_toml()) == ban
    True
    """

    written: ClassVar[tuple[str, ...]] = (
        "by",
        "on",
        "start",
        "cut",
        "months",
        "to",
        "kind",
        "path",
        "after",
        "cohorts",
    )
    tables: ClassVar[tuple[str, ...]] = ("cohorts",)

    by: str
    on: str | Sequence[str]
    cut: float = 1.0
    start: str | None = None
    months: int = 12
    to: str | Sequence[str] = "ALL"
    kind: Kind = "ban"
    path: Sequence[float] = ()
    after: float = REBOUND
    cohorts: Mapping[str, Sequence[float]] | Sequence[tuple[str, Sequence[float]]] = ()

    def __post_init__(self) -> None:
        """Check and freeze."""
        if not is_text(self.by):
            raise ArgumentError("market.text_expected", name="by", given=self.by)
        for name in ("on", "to"):
            given = getattr(self, name)
            if not is_texts(given):
                raise ArgumentError("market.text_expected", name=name, given=given)
        if not is_number(self.cut) or not 0.0 <= self.cut <= 1.0:
            raise ArgumentError("error.fraction_expected", name="cut", given=self.cut)
        check_time(self.start, self.months)
        if self.kind not in ("ban", "licence", "quota"):
            raise UnknownName("kind", self.kind, ("ban", "licence", "quota"))
        if self.after < 0 or any(c < 0 for c in self.path):
            raise ArgumentError("market.negative_cap")
        items = self.cohorts.items() if isinstance(self.cohorts, Mapping) else self.cohorts
        set_ = object.__setattr__
        set_(self, "by", _state(self.by))
        set_(self, "cut", float(self.cut))
        set_(self, "after", float(self.after))
        set_(self, "on", _names(self.on))
        set_(self, "to", _names(self.to))
        set_(self, "path", tuple(float(c) for c in self.path))
        set_(self, "cohorts", tuple((str(k), tuple(float(c) for c in v)) for k, v in items))
        if not self.on or not self.to:
            raise ArgumentError("error.group_empty")

    @property
    def by_cohort(self) -> tuple[tuple[str, tuple[float, ...]], ...]:
        """Caps by class of cover, as kept."""
        return cast("tuple[tuple[str, tuple[float, ...]], ...]", self.cohorts)

    def cap(self, month: int) -> float | None:
        """Cap on each flow `month` months after the start, as a multiple of base; None: no cap."""
        if month < 0:
            return None
        if month >= self.months:
            return self.after
        if self.path:
            return self.path[min(month, len(self.path) - 1)]
        if self.kind == "licence":
            share = LICENCE_PRIOR[min(month, len(LICENCE_PRIOR) - 1)]
            return 1.0 - self.cut * (1.0 - share)
        return 1.0 - self.cut

    def cohort_cap(self, cohort: str, month: int) -> float | None:
        """Cap on what a class of users can draw of the controlled origin; None: none of its own."""
        for name, caps in self.by_cohort:
            if name == cohort and 0 <= month < self.months:
                return caps[min(month, len(caps) - 1)]
        return None


@dataclass(frozen=True)
class Control:
    """A named control: one or more pieces with one start, from the registry or made by hand.

    Attributes
    ----------
    id : str
    title : str
    start : str
        First month, ``YYYY-MM``.
    pieces : tuple of ExportControl
    path_kind : {"assumed", "observed"}
        Whether the licence path is an assumption or the record imposed; the two are never mixed.
    base_year : int
        Latest packaged year before the event.
    in_base_from : int or None
        First year whose figures already contain it.
    observed : tuple of dict
        Points of the record, for standing beside the answer.
    days : int
        Days of the first month before it enters into force.
    """

    id: str
    title: str
    start: str
    pieces: tuple[ExportControl, ...]
    path_kind: str
    base_year: int | None = None
    in_base_from: int | None = None
    observed: tuple[Mapping[str, Any], ...] = ()
    days: int = 0

    @property
    def recorded(self) -> int | None:
        """Months for which the record gives a path; None where the path is assumed throughout."""
        if self.path_kind != "observed":
            return None
        return min(piece.months for piece in self.pieces)

    @property
    def by(self) -> str:
        """The restricting state."""
        return self.pieces[0].by

    @property
    def on(self) -> tuple[str, ...]:
        """Everything it names, in order, once."""
        return tuple(dict.fromkeys(c for piece in self.pieces for c in piece.on))

    @classmethod
    def of(cls, control: ExportControl | Control, default_start: str) -> Control:
        """Any control as a named one."""
        if isinstance(control, Control):
            return control
        start = control.start or default_start
        return cls("", "", start, (replace(control, start=start),), "assumed")


def registered(record: Mapping[str, Any], path_kind: str = "assumed") -> Control:
    """A control of the registry as one that can be run.

    Parameters
    ----------
    record : mapping
        As ``facts.controls`` reads it.
    path_kind : {"assumed", "observed"}
        Which of its licence paths to use.
    """
    paths = [p for p in record["paths"] if p["kind"] == path_kind]
    kinds = {p["kind"] for p in record["paths"]}
    if not paths:
        raise UnknownName("path", path_kind, kinds)
    start = str(record["in_force"])[:7]
    pieces = tuple(
        ExportControl(
            by=record["by"],
            on=path["commodity"],
            start=start,
            months=len(path["caps"]),
            to=path["target"],
            kind="licence",
            path=path["caps"],
            after=path["after"],
            cohorts=path["cohorts"],
        )
        for path in paths
    )
    return Control(
        id=record["id"],
        title=record["title"],
        start=start,
        pieces=pieces,
        path_kind=path_kind,
        base_year=record["base_year"],
        in_base_from=record["in_base_from"],
        observed=tuple(record["observed"]),
        days=int(str(record["in_force"])[8:10] or 1) - 1,
    )
