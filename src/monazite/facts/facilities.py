"""Facilities and their owners; what stands idle or is announced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from monazite.core import schema
from monazite.core.errors import UnknownName
from monazite.core.settings import data_folder
from monazite.core.text import say
from monazite.facts.folder import packaged
from monazite.facts.places import places, resolve
from monazite.facts.problems import Problem, name_problem, problem
from monazite.facts.records import activity_bases, read_records, refuse
from monazite.facts.table import FactTable, load

__all__ = [
    "UNKNOWN",
    "Facilities",
    "capacity",
    "capacity_beyond",
    "facilities",
    "load_facilities",
    "owner_problems",
    "owner_shares",
]

#: by whom what no facility, holder or contract covers is held
UNKNOWN = "unknown"
_WORLD = "WLD"
_RUNS = ("operating", "ramp_up")
_HALF = 0.5
_TIE = 0.005
_ROLES = ("equity", "control", "offtake")
_SLACK = 1e-9


@dataclass(frozen=True, eq=False)
class Facilities:
    """The packaged facilities.

    Attributes
    ----------
    facilities, owners, idle, control : polars.DataFrame
        As in ``facilities.csv``, ``owners.csv``, ``idle.csv`` and ``control.csv`` (published shares of a
        whole stage, to compare with); `data/schema/columns.csv` says what the columns mean.
    """

    facilities: pl.DataFrame
    owners: pl.DataFrame
    idle: pl.DataFrame
    control: pl.DataFrame


@lru_cache(maxsize=4)
def load_facilities(path: Path | None = None) -> Facilities:
    """Load and check the tables of facilities, owners and idle capacity.

    Parameters
    ----------
    path
        A folder with the four tables in place of the packaged one.

    Raises
    ------
    FactsError
        If anything is wrong, with file, row and column.

    Examples
    --------
    >>> load_facilities().facilities.height > 300
    True
    """
    folder = data_folder() if path is None else path
    plants, text = read_records(folder / "facilities.csv", "facilities")
    refuse(folder / "facilities.csv", _twice(text, ("facility", "mineral", "activity")))
    owners, text = read_records(
        folder / "owners.csv", "owners", {"facility": plants["facility"].unique().to_list()}
    )
    refuse(folder / "owners.csv", owner_problems(text))
    idle, text = read_records(folder / "idle.csv", "idle")
    refuse(folder / "idle.csv", _twice(text, ("project", "product")))
    control, text = read_records(folder / "control.csv", "control")
    refuse(folder / "control.csv", _share_problems(text))
    return Facilities(plants, owners, idle, control)


def owner_problems(text: pl.DataFrame) -> list[Problem]:
    """Name what is wrong with shares of owners: outside 0 to 1, over 100 % in sum, a holder twice.

    Parameters
    ----------
    text
        Columns ``row`` and those of ``owners.csv``, as text.
    """
    found = _share_problems(text)
    sums = (
        text.group_by("facility", "role", maintain_order=True)
        .agg(pl.col("share").cast(pl.Float64).sum(), pl.col("row").max())
        .filter(pl.col("share") > 1 + _SLACK)
    )
    found += [
        problem("shares_facility", row, "share", role=role, facility=name, percent=100 * total)
        for name, role, total, row in sums.select("facility", "role", "share", "row").iter_rows()
    ]
    twice = text.filter(~pl.struct("facility", "owner", "role", "state").is_first_distinct())
    found += [
        problem("holder_twice", row, "owner", owner=owner, facility=name)
        for row, owner, name in twice.select("row", "owner", "facility").iter_rows()
    ]
    odd = text.filter(pl.col("operates").is_not_null(), pl.col("operates") != "yes")
    found += [
        name_problem(row, "operates", "column", given, ["yes"])
        for row, given in odd.select("row", "operates").iter_rows()
    ]
    return sorted(found, key=lambda item: item.row or 0)


def _share_problems(text: pl.DataFrame) -> list[Problem]:
    share = pl.col("share").cast(pl.Float64)
    above = text.filter(share > 1 + _SLACK).select("row", share).iter_rows()
    found = [problem("share_above", row, "share", percent=100 * value) for row, value in above]
    below = text.filter(share < 0)["row"].to_list()
    return found + [problem("sign_nonnegative", row, "share", variable="share") for row in below]


def facilities(
    chain: str | None = None, *, place: str | None = None, owner: str | None = None
) -> pl.DataFrame:
    """Return the facilities, with their holders in words (``owners``).

    Parameters
    ----------
    chain
        Only those of a packaged chain.
    place
        Only those at a place.
    owner
        Only those that a state holds a share of: its code; or a part of a holder's name.

    Raises
    ------
    UnknownName
        If there is no such chain, place or owner.

    Examples
    --------
    >>> facilities("gallium", place="CHN").height
    3
    """
    loaded = load_facilities()
    holders = loaded.owners.filter(pl.col("role") != "offtake")
    frame = _narrowed(loaded.facilities, chain, place)
    if owner is not None:
        named = pl.col("owner").str.to_lowercase().str.contains(owner.casefold(), literal=True)
        held = holders.filter((pl.col("state") == owner.upper()) | named)["facility"].unique().to_list()
        if not held:
            known = [*holders["state"].drop_nulls().unique(), *holders["owner"].unique()]
            raise UnknownName("owner", owner, known)
        frame = frame.filter(pl.col("facility").is_in(held))
    said: dict[str, list[str]] = {}
    for row in holders.iter_rows(named=True):
        said.setdefault(row["facility"], []).append(_holder(row))
    words = {name: "; ".join(parts) for name, parts in said.items()}
    named = pl.col("facility").replace_strict(words, default=None, return_dtype=pl.String).alias("owners")
    middle = frame.columns.index("kind")
    return frame.select(*frame.columns[:middle], named, *frame.columns[middle:])


def _narrowed(frame: pl.DataFrame, chain: str | None, place: str | None) -> pl.DataFrame:
    """Keep the rows of a chain and of a place; there may be none."""
    if chain is not None:
        (name,) = packaged().choose([chain])
        frame = frame.filter(pl.col("chain") == name)
    if place is not None:
        (code, *more) = resolve(place)
        if more:
            raise UnknownName("place", place, places())
        frame = frame.filter(pl.col("place") == code)
    return frame


def _holder(row: Mapping[str, Any]) -> str:
    share = "?" if row["share"] is None else f"{100 * row['share']:.4g} %"
    key = "data.holder_control" if row["role"] == "control" else "data.holder"
    return say(key, owner=row["owner"], share=share, state=row["state"] or say("data.no_state"))


def owner_shares(chain: str, activity: str | None = None, *, year: int | None = None) -> pl.DataFrame:
    """Return which states hold what is made: by equity, by control, by contract of offtake.

    A facility weighs as its capacity (or output where only that is published). *Equity* is its holders'
    shares, by the state of the ultimate parent. *Control* is all of it to the state that holds more than
    half; else to the holder that operates it; else it is split between states that hold alike, and unknown
    where nobody is known to control it. *Offtake* is what contracts give away. What no facility, holder or
    contract covers is ``unknown`` and never spread: ``high`` of a state is its share if all that were its.

    Parameters
    ----------
    chain
        A packaged chain.
    activity
        One of its activities; all that have a facility when absent.
    year
        Base year of the output that the capacities are compared with; the latest when absent.

    Returns
    -------
    polars.DataFrame
        ``chain, activity, place, role, by, value, low, high, unit, basis, kind, status, period, covered,
        total, facilities, note, source``; the world as place WLD. ``covered`` and ``total`` in t/yr. Where
        no output is published for a place its shares are null with status ``insufficient``.

    Raises
    ------
    UnknownName
        If there is no such chain or activity.

    Examples
    --------
    >>> shares = owner_shares("rare_earths", "mine_mountain_pass")
    >>> shares.filter(pl.col("place") == "USA", pl.col("role") == "control").select("by", "value").row(0)
    ('USA', 1.0)
    """
    (name,) = packaged().choose([chain])
    known = [doing for own, doing in activity_bases() if own == name]
    if activity is not None and activity not in known:
        raise UnknownName("activity", activity, known)
    table = _facts_of(name, year)
    loaded = load_facilities()
    plants = loaded.facilities.filter(pl.col("chain") == name, pl.col("activity").is_not_null())
    wanted = [activity] if activity else plants["activity"].unique(maintain_order=True).to_list()
    rows: list[dict[str, Any]] = []
    for doing in wanted:
        rows += _of_activity(name, doing, table, plants.filter(pl.col("activity") == doing), loaded.owners)
    return pl.DataFrame(rows, schema=_SHARE_SCHEMA)


_SHARE_SCHEMA: dict[str, Any] = {
    **dict.fromkeys(("chain", "activity", "place", "role", "by"), pl.String),
    **dict.fromkeys(("value", "low", "high"), pl.Float64),
    **dict.fromkeys(("unit", "basis", "kind", "status", "period"), pl.String),
    **dict.fromkeys(("covered", "total"), pl.Float64),
    **dict.fromkeys(("facilities", "note", "source"), pl.String),
}


@lru_cache(maxsize=32)
def _facts_of(chain: str, year: int | None) -> FactTable:
    return load([chain], year)


def _of_activity(
    chain: str, activity: str, table: FactTable, plants: pl.DataFrame, owners: pl.DataFrame
) -> list[dict[str, Any]]:
    outputs = table.select("output", activity=activity).filter(pl.col("value") > 0)
    totals = dict(outputs.select("place", "value").iter_rows())
    later = (pl.col("phase") == "ramp_up") & (pl.col("year") > table.year)
    running = plants.filter(pl.col("phase").is_in(_RUNS), pl.col("capacity").is_not_null(), ~later)
    places = list(dict.fromkeys([*totals, *plants["place"].to_list()]))
    basis = activity_bases()[chain, activity][1]
    about = {"chain": chain, "activity": activity, "unit": "1", "basis": basis, "period": str(table.year)}
    rows: list[dict[str, Any]] = []
    world: dict[str, dict[str, float]] = {role: {} for role in _ROLES}
    seen = 0.0
    for place in places:
        here = running.filter(pl.col("place") == place)
        covered = float(here["capacity"].sum())
        total = totals.get(place)
        names = plants.filter(pl.col("place") == place)["facility"].unique(maintain_order=True).to_list()
        unsized = _unsized(plants.filter(pl.col("place") == place), owners)
        said = about | {"place": place, "covered": covered, "total": total, "facilities": "; ".join(names)}
        whole = max(total or 0.0, covered)
        seen += min(covered, total or 0.0)
        for role in _ROLES:
            held, notes, cited = _held(here, owners, role, table.year)
            if total is None or whole <= 0:
                note = "; ".join([say("data.note_no_output"), *unsized])
                said_why = {"note": note, "source": _sources(plants, place)}
                rows.append(said | {"role": role, "status": "insufficient", "kind": "derived"} | said_why)
                continue
            cited += outputs.filter(pl.col("place") == place)["source"].to_list()
            own = _rows(held, whole, role, [*notes, *unsized], cited)
            rows += [said | row for row in own]
            for row in own:
                part = world[role]
                part[row["by"]] = part.get(row["by"], 0.0) + row["value"] * total
    total = sum(totals.values())
    if total > 0:
        said = about | {
            "place": _WORLD,
            "covered": seen,
            "total": total,
            "facilities": "; ".join(plants["facility"].unique(maintain_order=True).to_list()),
        }
        cited = [*running["source"].to_list(), *outputs["source"].to_list()]
        for role in _ROLES:
            held = {state: value for state, value in world[role].items() if state != UNKNOWN}
            rows += [said | row for row in _rows(held, total, role, [say("data.note_world")], cited)]
    return rows


def _unsized(here: pl.DataFrame, owners: pl.DataFrame) -> list[str]:
    """Say how many facilities that run have no published size, and which states hold them."""
    rows = here.filter(pl.col("phase").is_in(_RUNS), pl.col("capacity").is_null())
    if not rows.height:
        return []
    held = owners.filter(
        pl.col("facility").is_in(rows["facility"].to_list()), pl.col("role") != "offtake"
    )["state"].drop_nulls()  # fmt: skip
    states = sorted(held.unique()) or [say("data.no_state")]
    return [say("data.note_unsized", count=rows.height, states=states)]


def _sources(plants: pl.DataFrame, place: str) -> str:
    return ";".join(plants.filter(pl.col("place") == place)["source"].unique(maintain_order=True).to_list())


def _rows(
    held: Mapping[str, float], whole: float, role: str, notes: Sequence[str], cited: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the share of each state, the largest first, and what is unknown."""
    rest = max(1.0 - sum(held.values()) / whole, 0.0)
    rest = 0.0 if rest < _SLACK else rest
    shared = {"role": role, "kind": "derived", "status": "ok", "note": "; ".join(dict.fromkeys(notes))}
    shared["source"] = ";".join(dict.fromkeys(cited))
    ranked = sorted(held.items(), key=lambda item: (-item[1], item[0]))
    rows: list[dict[str, Any]] = [
        {**shared, "by": state, "value": value / whole, "low": value / whole, "high": value / whole + rest}
        for state, value in ranked
        if value > 0
    ]
    if rest:
        rows.append({**shared, "by": UNKNOWN, "value": rest, "low": None, "high": None})
    return rows


def _held(
    here: pl.DataFrame, owners: pl.DataFrame, role: str, year: int
) -> tuple[dict[str, float], list[str], list[str]]:
    """Return the capacity that each state holds in a role, what must be said of it, and its sources."""
    held: dict[str, float] = {}
    notes: list[str] = []
    cited: list[str] = here["source"].to_list()
    for name, size in here.select("facility", "capacity").iter_rows():
        own = owners.filter(pl.col("facility") == name)
        cited += own["source"].to_list()
        if role == "control":
            shares, note = _controls(own)
            notes += [say(note, facility=name)] if note else []
        else:
            rows = own.filter(pl.col("role") == role, pl.col("state").is_not_null())
            if role == "offtake":
                ended = pl.col("until").is_not_null() & (pl.col("until").str.slice(0, 4) < str(year))
                rows = rows.filter(~ended)
            shares = _sums(rows)
        for state, share in shares.items():
            held[state] = held.get(state, 0.0) + share * size
    return held, notes, cited


def _sums(rows: pl.DataFrame) -> dict[str, float]:
    found: dict[str, float] = {}
    for state, share in rows.drop_nulls("share").select("state", "share").iter_rows():
        found[state] = found.get(state, 0.0) + share
    return found


def _controls(own: pl.DataFrame) -> tuple[dict[str, float], str]:
    """Return who controls a facility, and the key of what must be said where that is not one state alone.

    Examples
    --------
    >>> _controls(pl.DataFrame({
    ...     "role": ["equity"] * 3, "state": ["CHN", "CHN", "COD"], "share": [0.4, 0.2, 0.4],
    ...     "operates": [None] * 3}))
    ({'CHN': 1.0}, '')
    """
    told = own.filter(pl.col("role") == "control", pl.col("state").is_not_null())
    if told.height:
        return _sums(told), "data.note_told"
    equity = own.filter(pl.col("role") == "equity", pl.col("state").is_not_null())
    sums = _sums(equity)
    largest = max(sums.values(), default=0.0)
    if largest > _HALF + _SLACK:
        return {state: 1.0 for state, share in sums.items() if share == largest}, ""
    runs = equity.filter(pl.col("operates") == "yes")["state"].unique(maintain_order=True).to_list()
    if len(runs) == 1:
        return {runs[0]: 1.0}, "data.note_operates"
    alike = [state for state, share in sums.items() if share >= largest - _TIE]
    if len(alike) > 1 and largest > 0:
        return dict.fromkeys(alike, 1.0 / len(alike)), "data.note_split"
    return {}, "data.note_nobody"


def capacity(chain: str | None = None, *, place: str | None = None) -> pl.DataFrame:
    """Return what stands idle, is being built or is announced (``idle.csv``).

    Parameters
    ----------
    chain
        Only of a packaged chain.
    place
        Only at a place.

    Raises
    ------
    UnknownName
        If there is no such chain or place.

    Examples
    --------
    >>> set(capacity("gallium")["chain"])
    {'gallium'}
    """
    frame = _narrowed(load_facilities().idle, chain, place)
    order = {phase: rank for rank, phase in enumerate(schema.enum("phase"))}
    ranked = frame.with_columns(rank=pl.col("phase").replace_strict(order, return_dtype=pl.Int64))
    return ranked.sort("rank", "chain", "place", "project", nulls_last=True).drop("rank")


def capacity_beyond(chain: str) -> pl.DataFrame:
    """Return the capacity that a chain could gain, project by project.

    Projects that do not run yet: idle, under construction, seeking money, studied, announced, stalled; those
    closed for good are left out. ``activity`` is null where a project fits none alone (a magnet plant whose
    grades are not told); its figure is then on its product's basis. A project without a published capacity
    stays, with a null and status ``missing``.

    Returns
    -------
    polars.DataFrame
        ``chain, activity, stage, product, place, project, phase, capacity, low, high`` (t/yr), ``basis,
        start, lag`` (months), ``capex`` (million US dollars), ``restart_price, price_unit, price_basis,
        price_is, kind, status, source, note``.

    Raises
    ------
    UnknownName
        If there is no such chain.

    Examples
    --------
    >>> capacity_beyond("gallium")["activity"].unique().to_list()
    ['extract_gallium']
    """
    (name,) = packaged().choose([chain])
    rows = load_facilities().idle.filter(pl.col("chain") == name, ~pl.col("phase").is_in(["closed", *_RUNS]))
    return rows.select(
        "chain", "activity", "stage", "product", "place", "project", "phase", "capacity", "low", "high",
        "unit", "basis", "start", "lag", "capex", "restart_price", "price_low", "price_high",
        "price_unit", "price_basis", "price_is", "kind", "status", "source", "note",
    ).sort("activity", "stage", "place", "project", nulls_last=True)  # fmt: skip


def _twice(text: pl.DataFrame, columns: tuple[str, ...]) -> list[Problem]:
    first = pl.col("row").min().over(columns)
    rows = text.with_columns(first=first).filter(pl.col("row") != pl.col("first"))
    return [problem("id_twice", row, columns[0], given=given, first=other)
            for row, given, other in rows.select("row", columns[0], "first").iter_rows()]  # fmt: skip
