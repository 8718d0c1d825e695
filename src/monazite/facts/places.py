"""Places and groups: ISO 3166 alpha-3 codes, the rest of the world, and dated lists of states."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache

from monazite.core.errors import ArgumentError, UnknownName, nearest_names
from monazite.core.settings import data_folder

__all__ = [
    "groups",
    "inline",
    "is_group",
    "members",
    "memberships",
    "name_of",
    "nearest_place",
    "places",
    "resolve",
]


@lru_cache(maxsize=1)
def places() -> Mapping[str, str]:
    """Return the short name of every place by its code, ROW and WLD at the end.

    Examples
    --------
    >>> places()["IND"]
    'India'
    """
    return {row["place"]: row["name"] for row in _rows("places.csv")}


@lru_cache(maxsize=1)
def memberships() -> Mapping[str, tuple[tuple[str, str, str], ...]]:
    """Return ``(place, from, until)`` of every group, days as ISO 8601 text, ``until`` blank while it lasts.

    Examples
    --------
    >>> memberships()["G7"][0]
    ('CAN', '1976-06-27', '')
    """
    found: dict[str, list[tuple[str, str, str]]] = {}
    for row in _rows("groups.csv"):
        found.setdefault(row["group"], []).append((row["place"], row["from"], row["until"]))
    return {group: tuple(rows) for group, rows in found.items()}


@lru_cache(maxsize=1)
def groups() -> Mapping[str, tuple[str, ...]]:
    """Return every packaged group with its members of today, sorted.

    Examples
    --------
    >>> groups()["QUAD"]
    ('AUS', 'IND', 'JPN', 'USA')
    """
    return {group: members(group) for group in memberships()}


def is_group(name: str) -> bool:
    """Tell whether a name is that of a packaged group.

    Examples
    --------
    >>> is_group("QUAD"), is_group("IND")
    (True, False)
    """
    return name in groups()


def name_of(code: str) -> str:
    """Return the short name of a place; a group's code is its name.

    Examples
    --------
    >>> name_of("VNM"), name_of("QUAD")
    ('Vietnam', 'QUAD')
    """
    if code in groups():
        return code
    known = places()
    if code not in known:
        raise UnknownName("place", code, known)
    return known[code]


def inline(name: str) -> str:
    """Return a name as it stands within a sentence; names of places and formulas keep their capital.

    Examples
    --------
    >>> inline("Dysprosium oxide"), inline("NdFeB magnets"), inline("Bayan Obo concentrate")
    ('dysprosium oxide', 'NdFeB magnets', 'Bayan Obo concentrate')
    """
    first, _, rest = name.partition(" ")
    proper = not first[1:].islower() or rest[:1].isupper() or first.rstrip(",") in places().values()
    return name if proper else name[:1].lower() + name[1:]


def members(group: str, on: str | date | None = None) -> tuple[str, ...]:
    """Return the members of a group, sorted.

    Parameters
    ----------
    group
        Name of a packaged group.
    on
        A day (ISO 8601 text or date), month or year: who was a member at its end. Without it: who is one
        now, that is whose membership has no end.

    Raises
    ------
    UnknownName
        If there is no such group.
    ArgumentError
        If nobody was a member then.

    Examples
    --------
    >>> members("QUAD")
    ('AUS', 'IND', 'JPN', 'USA')
    >>> len(members("EU27", "2000"))
    14
    """
    known = memberships()
    if group not in known:
        raise UnknownName("group", group, known)
    if on is None:
        found = [place for place, _, until in known[group] if not until]
    else:
        day = on.isoformat() if isinstance(on, date) else str(on)
        found = [
            place
            for place, start, until in known[group]
            if start[: len(day)] <= day and (not until or day <= until[: len(day)])
        ]
    if not found:
        raise ArgumentError("error.group_empty")
    return tuple(sorted(found))


def resolve(name: str | Iterable[str], on: str | date | None = None) -> tuple[str, ...]:
    """Return the codes of a place, a group, or a list of both.

    Parameters
    ----------
    name
        A code (``"IND"``), a short name (``"India"``), a group (``"QUAD"``), or several of these; case does
        not matter.
    on
        Day of membership, as in `members`.

    Returns
    -------
    tuple of str
        Codes in the order given (a group's sorted), each once.

    Raises
    ------
    UnknownName
        With the nearest right name.
    ArgumentError
        If the list is empty.

    Examples
    --------
    >>> resolve("quad"), resolve("India"), resolve(["USA", "G7"])[:2]
    (('AUS', 'IND', 'JPN', 'USA'), ('IND',), ('USA', 'CAN'))
    """
    names = [name] if isinstance(name, str) else list(name)
    if not names:
        raise ArgumentError("error.group_empty")
    found: list[str] = []
    by_name = _by_name()
    for item in names:
        text = str(item).strip()
        if text.upper() in groups():
            found.extend(members(text.upper(), on))
        elif text.casefold() in by_name:
            found.append(by_name[text.casefold()])
        else:
            raise UnknownName("place_or_group", text, _all(), nearest=nearest_place(text))
    return tuple(dict.fromkeys(found))


def nearest_place(text: str) -> str | None:
    """Return the code whose code or short name, or the group whose name, is nearest to a text.

    Examples
    --------
    >>> nearest_place("Indai"), nearest_place("QAUD"), nearest_place("???")
    ('IND', 'QUAD', None)
    """
    by_name = _by_name()
    if text.strip().casefold() in by_name:
        return by_name[text.strip().casefold()]
    near = nearest_names(text, [*places().values(), *_all()], most=1)
    if not near:
        return None
    return near[0] if near[0] in groups() else by_name[near[0].casefold()]


@lru_cache(maxsize=1)
def _by_name() -> dict[str, str]:
    names = {name.casefold(): code for code, name in places().items()}
    return names | {code.casefold(): code for code in places()}


def _all() -> list[str]:
    return [*groups(), *places()]


def _rows(name: str) -> list[dict[str, str]]:
    with (data_folder() / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
