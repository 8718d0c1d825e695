"""From a publisher's names to ours: chapters to activities and commodities, states to places."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from monazite.core.settings import data_folder
from monazite.facts.folder import packaged
from monazite.facts.places import nearest_place, places
from monazite.facts.readers.cells import plain
from monazite.facts.reading import read_table
from monazite.facts.structure import ACTIVITY_COLUMNS, COMMODITY_COLUMNS

__all__ = [
    "Entry",
    "Place",
    "chain_names",
    "chosen",
    "is_packaged",
    "mapping",
    "misspelt",
    "place_of",
    "plain_key",
    "unused",
]

_REST = "ROW"
_OURS = ("chain", "variable", "commodity", "activity", "place", "factor", "content", "basis", "note")


@dataclass(frozen=True)
class Entry:
    """One row of a mapping table.

    Parameters
    ----------
    keys
        The publisher's names, by column.
    chain, variable, commodity, activity
        What the figure is a fact of. The chain is blank where the figure is known and not used.
    place
        The place that this row is for; blank for all that have no row of their own.
    factor
        From the publisher's unit to the canonical unit of the variable.
    content
        From the publisher's basis to the commodity's; 1 where they are the same.
    basis, note
        Basis of the fact; what a reader must know.
    """

    keys: Mapping[str, str]
    chain: str
    variable: str
    commodity: str
    activity: str
    place: str
    factor: float
    content: float
    basis: str
    note: str


@dataclass(frozen=True)
class Place:
    """What a publisher's name of a state stands for.

    Parameters
    ----------
    code
        Place, ``ROW`` or ``WLD``; None where it is no single place.
    known
        Whether the name is known at all.
    reason
        Why a known name is no place.
    nearest
        Nearest place of an unknown name.
    """

    code: str | None
    known: bool
    reason: str = ""
    nearest: str | None = None


@lru_cache(maxsize=1 << 14)
def plain_key(text: str) -> str:
    """Return a name without regard to case, spaces and dashes.

    Examples
    --------
    >>> plain_key("Salient Statistics—United States") == plain_key("salient  statistics-united states")
    True
    """
    return plain(text).casefold().replace("—", "-").replace("–", "-").replace("’", "'")


@lru_cache(maxsize=16)
def mapping(name: str) -> tuple[Entry, ...]:
    """Return the rows of ``data/readers/<name>.csv``.

    Examples
    --------
    >>> any(row.chain == "gallium" for row in mapping("usgs_mcs"))
    True
    """
    found = []
    for row in _table(name):
        keys = {column: value for column, value in row.items() if column not in _OURS}
        found.append(
            Entry(
                keys,
                row["chain"],
                row["variable"],
                row["commodity"],
                row["activity"],
                row["place"],
                float(row["factor"] or 1),
                float(row["content"] or 1),
                row["basis"],
                row["note"],
            )
        )
    return tuple(found)


@lru_cache(maxsize=1)
def chain_names() -> Mapping[str, Mapping[str, str]]:
    """Return the basis of every commodity and activity of every packaged chain; an end use has none.

    Examples
    --------
    >>> chain_names()["gallium"]["extract_gallium"]
    'metal'
    """
    folder = packaged()
    found: dict[str, Mapping[str, str]] = {}
    for name in folder.names():
        goods = read_table(folder.chains / name / "commodities.csv", COMMODITY_COLUMNS).frame
        doings = read_table(folder.chains / name / "activities.csv", ACTIVITY_COLUMNS).frame
        bases = dict(goods.select("commodity", "basis").drop_nulls().iter_rows())
        own = doings.select("activity", "reference").drop_nulls("activity").iter_rows()
        found[name] = {**bases, **{doing: bases.get(reference, "") for doing, reference in own}}
    return found


def chosen(entries: Iterable[Entry], place: str) -> list[Entry]:
    """Return the entries that hold for a place: its own, else those for every place.

    A publisher's "other countries" are the ones it does not name. They are the rest of our world only where
    a row of the map says so: other surveys name them one by one, and would be added to them.
    """
    rows = list(entries)
    own = [entry for entry in rows if entry.place == place]
    return own if own or place == _REST else [entry for entry in rows if not entry.place]


def unused(fitting: Iterable[Entry], place: str) -> str:
    """Return the key of the reason why a figure gives no fact."""
    if any(entry.chain for entry in fitting):
        return "reader_not_packaged"
    return "reader_rest" if place == _REST else "reader_no_chain"


def is_packaged(entry: Entry) -> bool:
    """Tell whether the chain of an entry is packaged, has its commodity or activities, and on its basis."""
    known = chain_names().get(entry.chain, {})
    names = [part.strip() for part in f"{entry.commodity};{entry.activity}".split(";") if part.strip()]
    return bool(names) and all(name in known for name in names) and known[names[0]] == entry.basis


def place_of(name: str) -> Place:
    """Return the place that a publisher's name of a state stands for.

    Examples
    --------
    >>> place_of("Congo (Kinshasa)").code, place_of("Other countries").code
    ('COD', 'ROW')
    >>> place_of("Chinaa").nearest
    'CHN'
    """
    key = plain_key(name)
    table = _place_names()
    if key in table:
        code, reason = table[key]
        return Place(code or None, known=True, reason=reason)
    own = _own_names()
    if key in own:
        return Place(own[key], known=True)
    return Place(None, known=False, nearest=nearest_place(name))


def misspelt(given: str, known: Iterable[str]) -> str | None:
    """Return the known name of which a text is a damaged copy: one letter changed, added or dropped.

    Names that differ in a digit are two names (99.5 % and 99.9 %).

    Examples
    --------
    >>> misspelt("mine producton", ["mine production"]), misspelt("99.5%", ["99.9%"])
    ('mine production', None)
    """
    return _misspelt(given, tuple(known))


@lru_cache(maxsize=4096)
def _misspelt(given: str, known: tuple[str, ...]) -> str | None:
    digits = [char for char in given if char.isdigit()]
    for name in known:
        if name != given and [char for char in name if char.isdigit()] == digits and _one_off(given, name):
            return name
    return None


def _one_off(one: str, two: str) -> bool:
    """Tell whether one letter changed, added or dropped makes a name of the other."""
    short, long = sorted((one, two), key=len)
    if len(long) - len(short) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[at:] == long[at + 1 :] or short[at + 1 :] == long[at + 1 :]


@lru_cache(maxsize=1)
def _place_names() -> Mapping[str, tuple[str, str]]:
    return {plain_key(row["name"]): (row["place"], row["reason"]) for row in _table("place_names")}


@lru_cache(maxsize=1)
def _own_names() -> Mapping[str, str]:
    return {plain_key(name): code for code, name in places().items()}


def _table(name: str) -> list[dict[str, str]]:
    with (data_folder() / "readers" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
